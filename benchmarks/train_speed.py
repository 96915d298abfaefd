"""Training speed: this Trainer against the usual TrOCR script, same model size, same lines, same batch.

    python benchmarks/train_speed.py [--texts ko.nsmc.txt.xz] [--fonts FOLDER...] [--steps 12] [--rounds 2]

(a) The usual script: a folder of JPEG files, one TrOCRProcessor call a line, 384 x 384 pixels, labels padded to 64,
    transformers' own Seq2SeqTrainer and VisionEncoderDecoderModel.
(b) This Trainer on the same lines at the same canvas, without a CTC head: the same arithmetic per token.
(c) This Trainer at its own canvas, lines of 32 pixels with their aspect kept, with a CTC head.
Encoder and decoder have the same layers and widths in all three, the vocabulary 32,000 pieces as Korean RoBERTa has.
Each runs in a process of its own with the same threads, rounds interleaved; medians count. Then the data pipelines
alone, from files to batches. The first steps are not counted. The last line is JSON with the ratios.
"""

from __future__ import annotations

import argparse
import json
import lzma
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

SIZES = {"encoder_size": 128, "encoder_layers": 4, "encoder_heads": 4, "decoder_size": 128, "decoder_layers": 4,
         "decoder_heads": 4}  # fmt: skip
WARM = 2
MAX_LENGTH = 64
CARRIED = Path(__file__).parents[1] / "demo"


def prepare(folder: Path, texts: list[str], fonts: list[str], count: int) -> None:
    """Write the same lines as Parquet and as JPEG files with labels, and the tokenizer that all use."""
    import cv2

    from glyphline.manifest import read_lines
    from glyphline.models.tokenizer import TokenizerSettings, train_tokenizer
    from glyphline.render.job import main as render

    (folder / "texts.txt").write_text("\n".join(texts), encoding="utf-8")
    options = ["--corpus", str(folder / "texts.txt"), "--language", "ko", "--count", str(count), "--format", "jpeg"]
    options += ["--split", "train", "--height_px", "64", "--fonts", json.dumps(fonts), "--workers", "1"]
    assert render([*options, "--output", str(folder / "lines")]) == 0
    (folder / "jpeg").mkdir()
    with (folder / "jpeg" / "labels.txt").open("w", encoding="utf-8") as labels:
        for number, sample in enumerate(read_lines(str(folder / "lines"), "train")):
            cv2.imwrite(str(folder / "jpeg" / f"{number}.jpg"), sample.image)
            labels.write(f"{number}.jpg {sample.text}\n")
    train_tokenizer(texts, TokenizerSettings("unigram", vocab_size=32_000)).save_pretrained(folder / "tokenizer")


class Stopwatch:
    """Seconds between the end of the first steps and the end of the last."""

    def __init__(self) -> None:
        self.times: list[float] = []

    def callback(self) -> Any:  # noqa: ANN401
        """Return a TrainerCallback that notes every step."""
        from transformers import TrainerCallback

        times = self.times

        class Note(TrainerCallback):
            def on_step_end(self, *_: object, **__: object) -> None:
                times.append(time.perf_counter())

        return Note()

    def rate(self, batch: int) -> float:
        """Return lines a second."""
        return batch * (len(self.times) - WARM) / (self.times[-1] - self.times[WARM - 1])


def usual_dataset(folder: Path) -> Any:  # noqa: ANN401
    """Return the data set of the usual script."""
    import torch
    from PIL import Image
    from transformers import PreTrainedTokenizerFast, TrOCRProcessor, ViTImageProcessorPil

    tokenizer = PreTrainedTokenizerFast.from_pretrained(folder / "tokenizer")
    processor = TrOCRProcessor(ViTImageProcessorPil(size={"height": 384, "width": 384}), tokenizer)

    class Lines(torch.utils.data.Dataset):
        def __init__(self) -> None:
            rows = (folder / "jpeg" / "labels.txt").read_text(encoding="utf-8").splitlines()
            self.rows = [row.split(" ", 1) for row in rows]

        def __len__(self) -> int:
            return len(self.rows)

        def __getitem__(self, index: int) -> dict[str, Any]:
            name, text = self.rows[index]
            picture = Image.open(folder / "jpeg" / name).convert("RGB")
            pixels = processor(images=picture, return_tensors="pt").pixel_values.squeeze(0)
            labels = tokenizer(text, padding="max_length", max_length=MAX_LENGTH, truncation=True).input_ids
            labels = [-100 if label == tokenizer.pad_token_id else label for label in labels]
            return {"pixel_values": pixels, "labels": torch.tensor(labels)}

    return Lines(), tokenizer


def run_usual(folder: Path, steps: int, batch: int) -> float:
    """Train the usual way; returns lines a second."""
    from transformers import (
        DeiTConfig,
        RobertaConfig,
        Seq2SeqTrainer,
        Seq2SeqTrainingArguments,
        VisionEncoderDecoderConfig,
        VisionEncoderDecoderModel,
        default_data_collator,
    )

    lines, tokenizer = usual_dataset(folder)
    encoder = DeiTConfig(
        hidden_size=SIZES["encoder_size"], num_hidden_layers=SIZES["encoder_layers"],
        num_attention_heads=SIZES["encoder_heads"], intermediate_size=4 * SIZES["encoder_size"], image_size=384,
        patch_size=16,
    )  # fmt: skip
    decoder = RobertaConfig(
        vocab_size=len(tokenizer), hidden_size=SIZES["decoder_size"], num_hidden_layers=SIZES["decoder_layers"],
        num_attention_heads=SIZES["decoder_heads"], intermediate_size=4 * SIZES["decoder_size"],
        max_position_embeddings=MAX_LENGTH + 2, is_decoder=True, add_cross_attention=True,
    )  # fmt: skip
    model = VisionEncoderDecoderModel(VisionEncoderDecoderConfig.from_encoder_decoder_configs(encoder, decoder))
    model.config.decoder_start_token_id, model.config.pad_token_id = tokenizer.bos_token_id, tokenizer.pad_token_id
    stopwatch = Stopwatch()
    with tempfile.TemporaryDirectory() as output:
        arguments = Seq2SeqTrainingArguments(
            output_dir=output, max_steps=steps, per_device_train_batch_size=batch, use_cpu=True, save_strategy="no",
            disable_tqdm=True, report_to=[], learning_rate=4e-5,
        )  # fmt: skip
        trainer = Seq2SeqTrainer(
            model=model, args=arguments, train_dataset=lines, data_collator=default_data_collator,
            callbacks=[stopwatch.callback()],
        )  # fmt: skip
        trainer.train()
    return stopwatch.rate(batch)


def our_settings(folder: Path, steps: int, batch: int, canvas: str) -> Any:  # noqa: ANN401
    """Return the settings of (b), canvas `squash`, or (c), canvas `line`."""
    from glyphline.models.canvas import Canvas
    from glyphline.models.tokenizer import TokenizerSettings
    from glyphline.training.settings import ControlSettings, DataSettings, ModelSettings, OptimisationSettings
    from glyphline.training.settings import TrainSettings as Settings

    squash = canvas == "squash"
    patch = {"patch_height": 16, "patch_width": 16} if squash else {"patch_height": 32, "patch_width": 8}
    model = ModelSettings(
        canvas=Canvas("squash", 384, 384) if squash else Canvas("line", 32, 1024, 32),
        tokenizer=TokenizerSettings("hub", str(folder / "tokenizer")),
        max_length=MAX_LENGTH,
        options=SIZES | patch | {"ctc": not squash},
    )
    return Settings(
        output=str(folder / f"run-{canvas}-{time.time_ns()}"),
        model=model,
        data=DataSettings(train=[{"lines": str(folder / "lines")}]),
        optimisation=OptimisationSettings(steps=steps, batch_size=batch),
        control=ControlSettings(report_to=[], evaluate_every=10**6),
        threads=int(os.environ["OMP_NUM_THREADS"]),
        device="cpu",
    )


def run_ours(folder: Path, steps: int, batch: int, canvas: str) -> float:
    """Train by this project; returns lines a second."""
    from glyphline.training import run

    settings = our_settings(folder, steps, batch, canvas)
    run.quieten()
    sources, validation = run.open_data(settings)
    recogniser = run.make_recogniser(settings, sources)
    trainer, _ = run.make_trainer(settings, Path(settings.output), recogniser, sources, validation)
    stopwatch = Stopwatch()
    trainer.add_callback(stopwatch.callback())
    trainer.args.save_strategy = "no"
    trainer.train()
    return stopwatch.rate(batch)


def pipeline_usual(folder: Path, steps: int, batch: int) -> float:
    """Make batches the usual way, without a model."""
    from torch.utils.data import DataLoader
    from transformers import default_data_collator

    lines, _ = usual_dataset(folder)
    return count_batches(DataLoader(lines, batch, shuffle=True, collate_fn=default_data_collator), steps)


def pipeline_ours(folder: Path, steps: int, batch: int, canvas: str) -> float:
    """Make batches our way, without a model."""
    from torch.utils.data import DataLoader

    from glyphline.training import run
    from glyphline.training.data import BucketBatches, Collator, LineItems

    settings = our_settings(folder, steps, batch, canvas)
    sources, _ = run.open_data(settings)
    recogniser = run.make_recogniser(settings, sources)
    items = LineItems(sources, 20 * steps * batch, 1)
    loader = DataLoader(
        items,
        batch_sampler=BucketBatches(items, batch, 64, 1),
        collate_fn=Collator(recogniser.preprocessor, recogniser.labels),
    )
    return count_batches(loader, steps)


def count_batches(loader: Any, steps: int, least_s: float = 3.0) -> float:  # noqa: ANN401
    """Take batches for some seconds; return lines a second."""
    batches = iter(loader)
    for _ in range(WARM):
        next(batches)
    started, lines = time.perf_counter(), 0
    for number, taken in enumerate(batches):
        lines += len(taken["labels"])
        if time.perf_counter() - started > least_s and number >= min(steps, 4):
            break
    return lines / (time.perf_counter() - started)


WAYS = {
    "usual": run_usual,
    "ours, 384x384": lambda *a: run_ours(*a, "squash"),
    "ours, line": lambda *a: run_ours(*a, "line"),
    "data: usual": pipeline_usual,
    "data: ours, 384x384": lambda *a: pipeline_ours(*a, "squash"),
    "data: ours, line": lambda *a: pipeline_ours(*a, "line"),
}


def read_texts(path: str, count: int) -> list[str]:
    """Return lines spread evenly over a text file: all lengths as they come."""
    opened = lzma.open if path.endswith(".xz") else open
    with opened(path, "rt", encoding="utf-8") as handle:
        lines = [line for line in (row.strip() for row in handle) if 1 <= len(line) <= 40]
    return lines[:: max(1, len(lines) // count)][:count]


def main() -> None:
    """Run each way in its own process, alternating, and print the medians."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--texts", default=str(CARRIED / "text/ko.chatbot.txt"), help="lines of Korean, plain or .xz")
    parser.add_argument("--fonts", nargs="+", default=[str(CARRIED / "fonts")])
    parser.add_argument("--lines", type=int, default=2000, help="training lines")
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)
    parser.add_argument("--folder", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.way:
        import torch

        torch.set_num_threads(asked.threads)
        print(WAYS[asked.way](Path(asked.folder), asked.steps, asked.batch))
        return
    with tempfile.TemporaryDirectory() as folder:
        # Texts of all of the corpus for the tokenizer's 32,000 pieces, the first of them as training lines.
        prepare(Path(folder), read_texts(asked.texts, 100_000), asked.fonts, asked.lines)
        rates: dict[str, list[float]] = {way: [] for way in WAYS}
        for _ in range(asked.rounds):
            for way in WAYS:
                command = [sys.executable, __file__, "--way", way, "--folder", folder, "--steps", str(asked.steps)]
                command += ["--batch", str(asked.batch), "--threads", str(asked.threads)]
                environment = os.environ | {"OMP_NUM_THREADS": str(asked.threads), "TOKENIZERS_PARALLELISM": "false"}
                done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
                rates[way].append(float(done.stdout.splitlines()[-1]))
    medians = {way: statistics.median(values) for way, values in rates.items()}
    print(f"{'':<22}{'lines/s':>10}{'ratio':>8}")
    ratios = {}
    for way, rate in medians.items():
        base = medians["data: usual" if way.startswith("data") else "usual"]
        ratios[way] = round(rate / base, 2)
        print(f"{way:<22}{rate:>10,.1f}{ratios[way]:>8.2f}")
    print(json.dumps({"batch": asked.batch, "threads": asked.threads, "rounds": asked.rounds, "ratios": ratios}))


if __name__ == "__main__":
    main()
