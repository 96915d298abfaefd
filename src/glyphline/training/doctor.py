"""`glyphline doctor`: proves in seconds that a training configuration can learn, or says what to change."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from glyphline.settings import EXIT_DONE, EXIT_FAILED, InputError, command
from glyphline.text import graphemes
from glyphline.training.run import make_recogniser, open_data, quieten, use_cores
from glyphline.training.settings import TrainSettings, TrainSource

if TYPE_CHECKING:
    from glyphline.training.data import Source

FEW_PIXELS = 6.0
"""Width in canvas pixels under which a character is hardly told apart from its like."""
LEARNT = 0.1
"""Loss at which sixteen lines count as learnt by heart."""
TRAIN_ONE = "a tokenizer trained here loses nothing (model.tokenizer.kind: char or unigram)"
MANY_PARAMETERS = 40e6
"""Above this a CPU is not asked to overfit sixteen lines."""


@dataclass
class DoctorSettings(TrainSettings):
    """The settings of `glyphline train`, and how much to try."""

    texts: int = 20000
    """At most so many texts are run through the tokenizer."""
    pictures: int = 200
    """At most so many pictures are made and measured."""
    overfit_steps: int = 300
    """Steps in which sixteen lines must be learnt by heart; 0 leaves the trial out."""


@dataclass(frozen=True)
class Finding:
    """What one check found; `remedy` says what to change."""

    check: str
    verdict: Literal["ok", "warning", "FAILED"]
    found: str
    remedy: str = ""


@dataclass
class Patient:
    """What the checks look at."""

    settings: DoctorSettings
    sources: list[tuple[Source, TrainSource]]
    validation: dict[str, list]
    recogniser: Any
    texts: list[str]
    pictures: list[tuple[np.ndarray, str]]
    unwritable: int


@command(
    DoctorSettings,
    name="doctor",
    example="glyphline doctor --config configs/train/stage1_demo.yaml",
)
def main(settings: DoctorSettings) -> int:
    """Check a training configuration before time is spent on it, and say what to change.

    Reads the same YAML as `glyphline train`. Exit status 1 when training would be wasted.
    """
    quieten()
    use_cores(settings)
    failed = 0
    for finding in examine(settings):
        failed += finding.verdict == "FAILED"
        sys.stdout.write(f"{finding.verdict:<8} {finding.check:<18} {finding.found}\n")
        if finding.remedy:
            sys.stdout.write(f"{'':<27} -> {finding.remedy}\n")
        sys.stdout.flush()
    sys.stdout.write(f"{failed} checks failed: training would be wasted\n" if failed else "nothing stands in the way\n")
    return EXIT_FAILED if failed else EXIT_DONE


def examine(settings: DoctorSettings) -> Iterator[Finding]:
    """Yield what each check finds, the cheap ones first."""
    yield check_loss()
    sources, validation = open_data(settings)
    texts = [text for source, _ in sources for text in source.texts()]
    recogniser = make_recogniser(settings, sources)
    pictures, unwritable = _take_pictures(sources, settings.pictures)
    chosen = texts[:: max(1, len(texts) // settings.texts)]
    patient = Patient(settings, sources, validation, recogniser, chosen, pictures, unwritable)
    checks: Sequence[Callable[[Patient], Finding]] = (
        check_round_trip, check_lengths, check_fonts, check_pixels, check_columns, check_leak, check_saving,
        check_overfit,
    )  # fmt: skip
    for check in checks:
        yield check(patient)


def _take_pictures(sources: list[tuple[Source, TrainSource]], count: int) -> tuple[list[tuple[np.ndarray, str]], int]:
    """Return the first pictures of every source, and how many could not be made."""
    items = []
    for source, _ in sources:
        items += [source.item(position) for position in range(min(len(source), count // len(sources)))]
    made = [item for item in items if item is not None]
    return made, len(items) - len(made)


def check_loss() -> Finding:
    """transformers 4.50 to 4.57 shift labels a second time: compare its loss with the definition."""
    import torch
    import transformers

    logits, labels, loss = _tiny_loss()
    expected = torch.nn.functional.cross_entropy(logits.flatten(0, 1), labels.flatten())
    found = f"transformers {transformers.__version__}: loss {loss:.5f}, by definition {expected:.5f}"
    if abs(float(loss - expected)) < 1e-4:
        return Finding("loss", "ok", found)
    remedy = "labels are shifted twice: transformers 4.50 to 4.57 cannot train this model; install >=5.23"
    return Finding("loss", "FAILED", found, remedy)


def _tiny_loss() -> tuple[Any, Any, Any]:
    import torch
    from transformers import DeiTConfig, RobertaConfig, VisionEncoderDecoderConfig, VisionEncoderDecoderModel

    sizes = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
    encoder = DeiTConfig(image_size=16, patch_size=8, **sizes)
    decoder = RobertaConfig(vocab_size=20, is_decoder=True, add_cross_attention=True, **sizes)
    config = VisionEncoderDecoderConfig.from_encoder_decoder_configs(encoder, decoder)
    config.decoder_start_token_id, config.pad_token_id = 0, 1
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = VisionEncoderDecoderModel(config).eval()
        labels = torch.tensor([[5, 6, 7, 2], [8, 9, 10, 2]])
        with torch.no_grad():
            output = model(pixel_values=torch.randn(2, 3, 16, 16), labels=labels)
    return output.logits, labels, output.loss


def check_round_trip(patient: Patient) -> Finding:
    """Every text must come back from the tokenizer as it went in, without unknown tokens."""
    tokenizer = patient.recogniser.tokenizer
    if tokenizer is None:
        lacking = patient.recogniser.lacks("".join(patient.texts))
        found = f"{len(patient.recogniser.card.charset)} characters, {len(lacking)} of the texts' are not among them"
        return Finding("characters", "FAILED" if lacking else "ok", found)
    ids = tokenizer(patient.texts, add_special_tokens=False)["input_ids"]
    back = tokenizer.batch_decode(ids, skip_special_tokens=True)
    wrong = [text for text, again in zip(patient.texts, back, strict=True) if again.strip() != text.strip()]
    tokens = sum(map(len, ids))
    unknown = sum(row.count(tokenizer.unk_token_id) for row in ids) if tokenizer.unk_token_id is not None else 0
    ratio = tokens / max(1, sum(map(len, patient.texts)))
    found = (
        f"{len(patient.texts)} texts, {ratio:.2f} tokens a character, {100 * unknown / max(1, tokens):.2f} % unknown, "
        f"{len(wrong)} not the same after encoding and decoding"
    )
    if unknown:
        return Finding(
            "tokenizer", "FAILED", found, "use a tokenizer trained here (model.tokenizer.kind char or unigram)"
        )
    if wrong:
        share = len(wrong) / len(patient.texts)
        remedy = f"e.g. {wrong[0]!r}; {TRAIN_ONE}"
        return Finding("tokenizer", "FAILED" if share > 0.01 else "warning", found, remedy)
    return Finding("tokenizer", "ok", found)


def check_lengths(patient: Patient) -> Finding:
    """Labels over the limit are left out of training: that must be few."""
    counts = np.array(patient.recogniser.labels.lengths(patient.texts))
    limit = patient.recogniser.card.max_length
    over = float((counts > limit).mean())
    found = f"labels have up to {counts.max()} tokens, the limit is {limit}: {100 * over:.2f} % left out"
    if over == 0:
        return Finding("label length", "ok", found)
    remedy = f"set model.max_length to {int(counts.max())}, or collect shorter lines"
    return Finding("label length", "FAILED" if over > 0.02 else "warning", found, remedy)


def check_fonts(patient: Patient) -> Finding:
    """Texts that no font can write are dropped, never drawn as boxes."""
    tried = len(patient.pictures) + patient.unwritable
    found = f"{tried} pictures tried, {patient.unwritable} texts that no font can write"
    for source, _ in patient.sources:
        missing = source.facts.get("missing_characters")
        if missing:
            found += f"; missing: {missing[:40]}"
    if not patient.unwritable:
        return Finding("fonts", "ok", found)
    remedy = "add fonts that cover them (glyphline fonts lists what is missing) or leave those characters out"
    return Finding("fonts", "FAILED" if patient.unwritable > 0.05 * tried else "warning", found, remedy)


def check_pixels(patient: Patient) -> Finding:
    """A character needs some pixels of width on the canvas."""
    preprocessor = patient.recogniser.preprocessor
    canvas = preprocessor.canvas
    widths = [preprocessor.fitted_size(*image.shape[:2])[1] for image, _ in patient.pictures]
    lengths = [max(1, len(graphemes(text))) for _, text in patient.pictures]
    per_character = np.array(widths) / np.array(lengths)
    full = float(np.mean([width >= canvas.width for width in widths]))
    found = (
        f"{np.percentile(per_character, 5):.1f} to {np.percentile(per_character, 95):.1f} pixels of width a character "
        f"on {canvas.mode} {canvas.height}x{canvas.width}; {100 * full:.0f} % of the lines fill the canvas"
    )
    starved = float((per_character < FEW_PIXELS).mean())
    if starved > 0.05:
        remedy = f"{100 * starved:.0f} % of the lines have under {FEW_PIXELS:.0f}: use the line canvas, or a wider one"
        return Finding("pixels", "FAILED" if starved > 0.5 else "warning", found, remedy)
    if full > 0.2 and canvas.mode == "line":
        return Finding("pixels", "warning", found, "long lines are scaled down to fit: raise model.canvas.width")
    return Finding("pixels", "ok", found)


def check_columns(patient: Patient) -> Finding:
    """CTC needs a frame a character, and one between equal neighbours."""
    recogniser = patient.recogniser
    if "ctc" not in recogniser.modes:
        return Finding("CTC frames", "ok", "no CTC head")
    frames = [recogniser.frames_of(image) for image, _ in patient.pictures]
    needed = [recogniser.frames_for(text) for _, text in patient.pictures]
    short = [text for (_, text), have, need in zip(patient.pictures, frames, needed, strict=True) if have < need]
    ratio = np.array(frames) / np.maximum(1, needed)
    found = f"{np.percentile(ratio, 5):.1f} frames a label at the narrow end, {len(short)} lines with too few"
    if not short:
        return Finding("CTC frames", "ok", found)
    wanted = "column_width" if recogniser.tokenizer is None else "patch_width, or a higher frames_per_column"
    remedy = f"e.g. {short[0]!r}; take a smaller model.options.{wanted}"
    return Finding("CTC frames", "FAILED" if len(short) > 0.05 * len(frames) else "warning", found, remedy)


def check_leak(patient: Patient) -> Finding:
    """A validation text that is trained on measures memory, not reading."""
    seen = {text for source, _ in patient.sources for text in source.texts()}
    counts = {name: sum(sample.text in seen for sample in lines) for name, lines in patient.validation.items()}
    shared = {name: count for name, count in counts.items() if count}
    if not patient.validation:
        return Finding(
            "validation", "warning", "no validation set", "name one under data.validation: nothing else stops"
        )
    found = ", ".join(f"{name}: {counts[name]} of {len(lines)} texts" for name, lines in patient.validation.items())
    if not shared:
        return Finding("validation", "ok", f"{found} are trained on too")
    worst = max(count / len(patient.validation[name]) for name, count in shared.items())
    remedy = "take lines whose split is by text (collect) or by writer or page (prepare)"
    return Finding("validation", "FAILED" if worst > 0.2 else "warning", f"{found} are trained on too", remedy)


def check_saving(patient: Patient) -> Finding:
    """A model must read the same after it was saved and loaded."""
    from glyphline.models import load_recogniser

    images = [image for image, _ in patient.pictures[:4]]
    before = patient.recogniser.read(images)
    with tempfile.TemporaryDirectory() as folder:
        patient.recogniser.save_pretrained(folder)
        after = load_recogniser(folder, "cpu").read(images)
    if [reading.text for reading in before] == [reading.text for reading in after]:
        return Finding("save and load", "ok", f"{len(images)} readings are the same")
    return Finding(
        "save and load", "FAILED", "readings differ after loading", "the checkpoint's files do not belong together"
    )


def check_overfit(patient: Patient) -> Finding:
    """Sixteen lines must be learnt by heart: if not, more lines will not help."""
    import torch

    recogniser, steps = patient.recogniser, patient.settings.overfit_steps
    size = sum(p.numel() for p in recogniser.parameters())
    if not steps or (size > MANY_PARAMETERS and not torch.cuda.is_available()):
        return Finding("overfit", "ok", f"not tried ({size / 1e6:.0f} M parameters, {steps} steps)")
    lines = patient.pictures[:16]
    if not lines:
        raise InputError("no pictures to learn: check data.train")
    started = time.monotonic()
    loss = _learn_by_heart(recogniser, lines, steps, patient.settings.optimisation.learning_rate)
    readings = recogniser.read([image for image, _ in lines])
    right = sum(reading.text == text for reading, (_, text) in zip(readings, lines, strict=True))
    found = f"{right} of {len(lines)} lines right, loss {loss:.3f}, {time.monotonic() - started:.0f} s"
    if right >= 0.75 * len(lines):
        return Finding("overfit", "ok", found)
    if loss < 0.5:
        return Finding(
            "overfit", "warning", found, "it learns, but slowly: more steps (--overfit_steps) or a higher rate"
        )
    remedy = "the model does not even learn these by heart: lower optimisation.learning_rate, check labels and canvas"
    return Finding("overfit", "FAILED", found, remedy)


def _learn_by_heart(recogniser: Any, lines: list[tuple[np.ndarray, str]], steps: int, rate: float) -> float:  # noqa: ANN401
    """Train on one batch until its loss is small or the steps are up; return the last loss."""
    import torch

    from glyphline.training.data import Collator

    batch = Collator(recogniser.preprocessor, recogniser.labels)(lines)
    optimiser = torch.optim.AdamW([p for p in recogniser.parameters() if p.requires_grad], lr=min(rate, 1e-3))
    recogniser.train()
    loss = torch.tensor(float("inf"))
    for _ in range(steps):
        loss = recogniser(**batch).loss
        if loss.item() < LEARNT:
            break
        loss.backward()
        torch.nn.utils.clip_grad_norm_(recogniser.parameters(), 1.0)
        optimiser.step()
        optimiser.zero_grad()
    return loss.item()
