"""What each choice of training does: small models, same seed, same lines, same steps, one change at a time.

    python benchmarks/training_ablations.py --corpus CORPUS --fonts FOLDER... [--variants hybrid attention]

CORPUS is a folder made by `glyphline collect`; lines are rendered on the fly with the `clean` preset, the named test
families of fonts kept apart, and scored on texts that training never saw. For each variant: CER over graphemes by CTC,
by the decoder and by both, along the run and by the length of the line, lines a second, tokens a character, and the
share of characters that the tokenizer does not know. With --encoder MODEL the encoder starts as that of a trained model
and moves at a third of the rate: what is compared is then how well decoders with different tokenizers learn from it.
Finished runs under --output are not run again, so that a long table can be made in several goes. Prints a table; the
last line is JSON.
"""

from __future__ import annotations

import argparse
import csv
import json
import logging
import statistics
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from glyphline.settings import build

SIZES = {"patch_height": 32, "patch_width": 8, "frames_per_column": 1, "encoder_size": 128, "encoder_layers": 4,
         "encoder_heads": 4, "decoder_size": 128, "decoder_layers": 2, "decoder_heads": 4}  # fmt: skip
LINE = {"mode": "line", "height": 32, "width": 640, "width_step": 32}
SQUASH = {"mode": "squash", "height": 192, "width": 192}

VARIANTS: dict[str, dict[str, Any]] = {
    "hybrid": {},
    "unguided": {"options": {"guidance": 0.0}},
    "attention": {"options": {"ctc": False}},
    "ctc": {"options": {"ctc_weight": 1.0}},
    "weight 0.3": {"options": {"ctc_weight": 0.3}},
    "weight 0.8": {"options": {"ctc_weight": 0.8}},
    "noise 0.2": {"options": {"decoder_noise": 0.2}},
    "patch 32x16": {"options": {"patch_width": 16, "frames_per_column": 2}},
    "adamw": {"optimisation": {"optimiser": "adamw"}},
    "ema 0.999": {"optimisation": {"ema": 0.999}},
    "squash": {"canvas": SQUASH, "options": {"patch_height": 16, "patch_width": 16, "frames_per_column": 4}},
    "unigram": {"tokenizer": {"kind": "unigram", "vocab_size": 8000}},
    "jamo": {"tokenizer": {"kind": "jamo"}},
    "wordpiece": {"tokenizer": {"kind": "hub", "name": "wordpiece"}},
    "bpe": {"tokenizer": {"kind": "hub", "name": "bpe"}},
}
"""What differs from the first: model options, canvas, tokenizer, optimisation."""


def settings_of(variant: str, asked: argparse.Namespace) -> Any:  # noqa: ANN401
    """Return the TrainSettings of a variant."""
    from glyphline.models import load_recogniser
    from glyphline.training.settings import TrainSettings

    change = VARIANTS[variant]
    fonts = {"fonts": asked.fonts, "corpus": asked.corpus, "preset": "clean"}
    recipe = {"fonts": {"exclude": asked.test_families}}
    first = {**fonts, "recipe": {**recipe, "fit": "ink", "effects": []}, "end": 0.5}
    tokenizer = dict(change.get("tokenizer", {"kind": "char"}))
    if tokenizer.get("name"):
        tokenizer["name"] = str(Path(asked.output) / "tokenizers" / tokenizer["name"])
    mapping = {
        "output": str(Path(asked.output) / variant.replace(" ", "_")),
        "model": {
            "canvas": change.get("canvas", LINE),
            "tokenizer": tokenizer,
            "max_length": 96,
            "options": SIZES | change.get("options", {}),
        },
        "data": {
            "train": [first, {**fonts, "recipe": recipe, "begin": 0.5}],
            "validation": {"seen": {"lines": str(Path(asked.output) / "validation"), "limit": 300}},
        },
        "optimisation": {"optimiser": "muon", "steps": asked.steps, "batch_size": 16, "learning_rate": 1.5e-3}
        | change.get("optimisation", {}),
        "control": {
            "evaluate_every": max(1, asked.steps // 4),
            "log_every": max(1, min(50, asked.steps // 8)),
            "report_to": [],
        },
        "resume": True,
        "threads": asked.threads,
        "device": asked.device,
    }
    if asked.encoder:
        mapping["model"]["options"]["encoder"] = str(Path(asked.output) / "encoder")
        mapping["model"]["canvas"] = asdict(load_recogniser(asked.encoder, "cpu").card.canvas)
        mapping["optimisation"] |= {"rates": {"encoder": 0.3}, "matrix_rate": 0.01}
        mapping["data"]["train"] = [{**fonts, "recipe": recipe}]
    return build(TrainSettings, mapping, variant)


def prepare(asked: argparse.Namespace) -> None:
    """Render the validation and test lines, and train the tokenizers that a hub would bring."""
    from glyphline.models import load_recogniser

    output = Path(asked.output)
    render_lines(asked)
    if asked.encoder:
        load_recogniser(asked.encoder, "cpu").encoder.save_pretrained(output / "encoder")
    if not (output / "tokenizers").exists():
        train_hub_tokenizers(asked.corpus, output / "tokenizers")


def render_lines(asked: argparse.Namespace) -> None:
    """Render validation lines, and test lines in the fonts of training and in others."""
    from glyphline.render.job import main as render

    output = Path(asked.output)
    fonts = ["--fonts", json.dumps(asked.fonts), "--preset", "clean", "--workers", "1"]
    sets = {
        "validation": ("validation", 300, {"exclude": asked.test_families}),
        "test_seen": ("test", 500, {"exclude": asked.test_families}),
        "test_unseen": ("test", 500, {"families": asked.test_families}),
    }
    for name, (split, count, chosen) in sets.items():
        options = ["--corpus", asked.corpus, "--split", split, "--count", str(count), "--output", str(output / name)]
        assert render([*options, *fonts, "--recipe", json.dumps({"fonts": chosen})]) in (0, None)


def train_hub_tokenizers(corpus: str, folder: Path) -> None:
    """Train a WordPiece as BERT's and a byte-level BPE as RoBERTa's, of 8,000 pieces, on the train split."""
    from tokenizers import BertWordPieceTokenizer, ByteLevelBPETokenizer
    from transformers import PreTrainedTokenizerFast

    from glyphline.manifest import read_corpus

    with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as texts:
        texts.writelines(line.text + "\n" for line in read_corpus(corpus, "train"))
        texts.flush()
        pieces = BertWordPieceTokenizer(lowercase=False, strip_accents=False)
        pieces.train(texts.name, vocab_size=8000, show_progress=False)
        bytes_ = ByteLevelBPETokenizer()
        bytes_.train(texts.name, vocab_size=8000, show_progress=False, special_tokens=["<s>", "<pad>", "</s>", "<unk>"])
    names = {"cls_token": "[CLS]", "sep_token": "[SEP]", "pad_token": "[PAD]", "unk_token": "[UNK]"}
    PreTrainedTokenizerFast(tokenizer_object=pieces._tokenizer, **names).save_pretrained(folder / "wordpiece")
    names = {"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>"}
    PreTrainedTokenizerFast(tokenizer_object=bytes_._tokenizer, **names).save_pretrained(folder / "bpe")


def run(variant: str, asked: argparse.Namespace) -> dict[str, Any]:
    """Train a variant unless it is there, and score it."""
    from glyphline.evaluation.scores import length_bucket, score_modes
    from glyphline.manifest import read_lines
    from glyphline.models import load_recogniser
    from glyphline.training import run as training

    settings = settings_of(variant, asked)
    training.quieten()
    assert training.train(settings) == 0
    folder = Path(settings.output)
    recogniser = load_recogniser(str(folder), asked.device)
    modes = recogniser.modes if len(recogniser.modes) == 1 else ("auto", *recogniser.modes)
    found: dict[str, Any] = {"lines": 16 * asked.steps}
    for name in ("test_seen", "test_unseen"):
        scores = score_modes(recogniser, list(read_lines(str(Path(asked.output) / name), "test")), modes)
        for mode, score in scores.items():
            found[f"{name} {mode}"] = round(score.cer, 4)
            if name == "test_seen":
                found[f"by length {mode}"] = {k: round(v.cer, 3) for k, v in score.split(length_bucket).items()}
    rows = list(csv.DictReader((folder / "curves.csv").open()))
    rates = [float(row["lines_per_second"]) for row in rows[2:] if row.get("lines_per_second")]
    found["lines/s"] = round(statistics.median(rates), 1)
    curves = sorted(key for key in rows[-1] if key.startswith("eval_") and key.endswith("_cer"))
    found["curve"] = {key: [round(float(r[key]), 3) for r in rows if r.get(key)] for key in curves}
    return found | tokens(recogniser.tokenizer, asked.corpus)


def tokens(tokenizer: Any, corpus: str) -> dict[str, float]:  # noqa: ANN401
    """Return tokens a character and the share of unknown tokens on the test split."""
    from glyphline.manifest import read_corpus

    texts = [line.text for line in read_corpus(corpus, "test")]
    ids = [token for row in tokenizer(texts, add_special_tokens=False)["input_ids"] for token in row]
    unknown = sum(token == tokenizer.unk_token_id for token in ids)
    return {"tokens/character": round(len(ids) / sum(map(len, texts)), 3), "unknown": round(unknown / len(ids), 5)}


def options(description: str, variants: Iterable[str], output: str, steps: int) -> argparse.ArgumentParser:
    """Return the options of a benchmark that trains variants on lines rendered from a corpus."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", required=True)
    parser.add_argument("--fonts", nargs="+", required=True)
    parser.add_argument("--test-families", nargs="*", default=["SUIT", "NanumSquare", "Gaegu"])
    parser.add_argument("--output", default=output)
    parser.add_argument("--variants", nargs="+", choices=variants, default=list(variants))
    parser.add_argument("--steps", type=int, default=steps)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="cpu")
    return parser


def compare(
    run: Callable[[str, argparse.Namespace], dict[str, Any]], asked: argparse.Namespace, columns: Sequence[str]
) -> None:
    """Run the variants one after the other; print what each gave, a table of some columns, and all of it as JSON."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    table = {}
    for variant in asked.variants:
        table[variant] = run(variant, asked)
        print(variant, json.dumps(table[variant], ensure_ascii=False), flush=True)
    print(f"{'':<14}" + "".join(f"{column:>20}" for column in columns))
    for variant, found in table.items():
        print(f"{variant:<14}" + "".join(f"{found.get(column, '–'):>20}" for column in columns))
    print(json.dumps(table, ensure_ascii=False))


def main() -> None:
    """Train and compare."""
    parser = options(__doc__, VARIANTS, "runs/ablations", 4000)
    parser.add_argument("--encoder", help="model folder whose encoder all variants start from")
    asked = parser.parse_args()
    prepare(asked)
    columns = ("test_seen ctc", "test_seen decoder", "test_seen auto", "test_unseen auto", "lines/s",
               "tokens/character", "unknown")  # fmt: skip
    compare(run, asked, columns)


if __name__ == "__main__":
    main()
