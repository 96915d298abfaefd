"""`glyphline publish`: a trained model -> a folder ready for the hub, and its upload."""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from glyphline.settings import InputError, JobError, command, execution

logger = logging.getLogger(__name__)

SUMS, README = "SHA256SUMS", "README.md"
SHIPPED = (".json", ".safetensors", ".txt", ".model", ".jinja")
"""What a model folder may consist of: text and safetensors. Pickled weights and code are never published."""
NEEDED = ("config.json", "glyphline.json", "model.safetensors")


@dataclass(frozen=True)
class PublishSettings:
    """What is published, and where to."""

    model: str = ""
    """Folder of a model or of a training run."""
    output: str = execution("")
    """Folder to make, ready for the hub."""
    repo: str = execution("")
    """Name on the hub (owner/model) to upload to; needs a token (HF_TOKEN, or `hf auth login`)."""
    name: str = ""
    """Name that the card's snippets load the model by; the repo's, or else the folder's."""
    license: str = "unknown"
    """Licence of the weights, as the hub spells it: apache-2.0, cc-by-4.0 …"""
    summary: str = ""
    """A sentence or two for the head of the card."""
    credits: list[str] = field(default_factory=list)
    """Credits of the training data, a line each."""
    scores: list[str] = field(default_factory=list)
    """metrics.json files of `glyphline score`, whose figures the card shows."""
    precision: Literal["as-is", "fp16"] = "as-is"
    """Number format of the weights: as trained, or half as large. Reading computes in fp32 either way on a CPU."""
    hardware: str = ""
    """What it was trained on and for how long, for the card."""
    private: bool = execution(False)
    """Make the repository on the hub a private one."""


@command(
    PublishSettings,
    name="publish",
    example="glyphline publish --model runs/demo/stage2 --output runs/demo/hub --license cc-by-4.0\n"
    "glyphline publish --model runs/demo/stage2 --repo owner/model --license cc-by-4.0 --scores score/metrics.json",
    aliases={"--weights": "--model", "--metrics": "--scores"},
)
def main(settings: PublishSettings) -> None:
    """Check a model, write its card, and make a folder ready for the hub; upload it where --repo names one."""
    if not settings.model:
        raise InputError("--model is required: a model folder or a run folder")
    if not settings.output and not settings.repo:
        raise InputError("--output DIR or --repo OWNER/NAME is required: where to publish to")
    token = _token() if settings.repo else ""
    if settings.license == "unknown":
        logger.warning("no --license given: the card says 'unknown', and others may not use the model")
    with tempfile.TemporaryDirectory() as made:
        folder = Path(settings.output) if settings.output else Path(made) / "model"
        make_folder(settings, folder)
        sys.stdout.write(f"ready for the hub: {folder}\n" if settings.output else "")
        if settings.repo:
            sys.stdout.write(f"uploaded: {upload(folder, settings, token)}\n")


def make_folder(settings: PublishSettings, folder: Path) -> None:
    """Write the folder whole or not at all. InputError where the model is unfit or the folder holds something else."""
    from glyphline.models import model_folder

    source = model_folder(settings.model)
    check_model(source)
    beside = folder.with_name(f"{folder.name}.{os.getpid()}.part")
    shutil.rmtree(beside, ignore_errors=True)
    try:
        _fill(settings, source, beside)
        if settings.precision != "as-is":
            check_model(beside)
        if not folder.exists() or not any(folder.iterdir()):
            folder.parent.mkdir(parents=True, exist_ok=True)
            beside.replace(folder)
        elif not (folder / SUMS).exists():
            raise InputError(f"{folder}: not empty and not made by publish; name another folder")
        elif (folder / SUMS).read_bytes() != (beside / SUMS).read_bytes():
            raise InputError(f"{folder}: holds another model or card; name another folder or delete this one")
        elif damaged := verify(folder):
            raise InputError(f"{folder}: {damaged[0]} is not what was published; delete the folder")
        else:
            logger.info("%s: already made from this very model", folder)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _fill(settings: PublishSettings, source: Path, folder: Path) -> None:
    """Copy what belongs to the model, write card and digests."""
    from glyphline.delivery.card import Publication, write_card
    from glyphline.models.card import read_card

    folder.mkdir(parents=True)
    left = []
    for path in sorted(source.iterdir()):
        if path.suffix == ".safetensors" and settings.precision == "fp16":
            halve(path, folder / path.name)
        elif path.is_file() and path.suffix in SHIPPED:
            shutil.copyfile(path, folder / path.name)
        elif path.name not in (README, SUMS):
            left.append(path.name)
    if left:
        logger.info("left out, as no part of a published model: %s", ", ".join(left))
    name = settings.name or settings.repo or Path(settings.output).name
    publication = Publication(name, settings.license, settings.summary, settings.credits, settings.hardware)
    text = write_card(folder, read_card(folder), publication, settings.scores)
    (folder / README).write_text(text, encoding="utf-8")
    sums = "".join(f"{_sha256(path)}  {path.name}\n" for path in sorted(folder.iterdir()))
    (folder / SUMS).write_text(sums, encoding="utf-8")


def halve(source: Path, target: Path) -> None:
    """Write the weights of a safetensors file as fp16. InputError where one does not fit into it.

    config.json goes on saying float32: what opens the folder computes in that, as fp16 is slow on a CPU.
    """
    import torch
    from safetensors import safe_open
    from safetensors.torch import save

    with safe_open(source, "pt") as weights:
        kept = {name: weights.get_tensor(name) for name in weights.keys()}  # noqa: SIM118 - no mapping
        metadata = weights.metadata()
    for name, tensor in kept.items():
        if tensor.is_floating_point():
            kept[name] = tensor.to(torch.float16)
            if not torch.isfinite(kept[name]).all():
                raise InputError(f"{source}: {name} holds values that fp16 has no room for; leave --precision out")
    target.write_bytes(save(kept, metadata=metadata))


def _sha256(path: Path) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def verify(folder: Path) -> list[str]:
    """Return the files of a published folder that are not what its SHA256SUMS says."""
    rows = [line.split("  ", 1) for line in (folder / SUMS).read_text(encoding="utf-8").splitlines()]
    return [name for digest, name in rows if not (folder / name).exists() or _sha256(folder / name) != digest]


def check_model(folder: Path) -> None:
    """Raise InputError unless the model is whole, can read, and opens in plain transformers."""
    import numpy as np

    from glyphline import plugins
    from glyphline.models import load_recogniser
    from glyphline.models.card import read_card

    card = read_card(folder)
    writes_characters = card and not getattr(plugins.load("family", card.family), "TOKENIZER", True)
    needed = NEEDED if writes_characters else (*NEEDED, "tokenizer_config.json")
    absent = [name for name in needed if not (folder / name).exists()]
    if absent:
        raise InputError(f"{folder}: {absent[0]} is missing; publish takes models that glyphline train has written")
    recogniser = load_recogniser(str(folder), "cpu")
    recogniser.read([np.full((32, 128), 255, np.uint8)])
    if recogniser.card.family == "trocr":
        _check_plain(folder)


def _check_plain(folder: Path) -> None:
    """Raise InputError unless `VisionEncoderDecoderModel` finds exactly its weights in the folder."""
    from transformers import AutoTokenizer, TrOCRProcessor, VisionEncoderDecoderModel

    try:
        loaded: tuple[Any, dict[str, Any]]
        loaded = VisionEncoderDecoderModel.from_pretrained(folder, output_loading_info=True)
        TrOCRProcessor.from_pretrained(folder)
        AutoTokenizer.from_pretrained(folder)
    except (OSError, ValueError) as error:
        raise InputError(f"{folder}: plain transformers cannot open it ({error})") from error
    wrong = [key for kind in ("missing_keys", "unexpected_keys", "mismatched_keys") for key in loaded[1][kind]]
    if wrong:
        raise InputError(f"{folder}: plain transformers misses or does not know the weight {wrong[0]}")


def _token() -> str:
    from huggingface_hub import get_token

    token = get_token()
    if not token:
        raise InputError("--repo needs a token of the hub: set HF_TOKEN or run `hf auth login`")
    return token


def upload(folder: Path, settings: PublishSettings, token: str) -> str:
    """Upload a published folder and return its address. InputError where the hub refuses, JobError where it fails."""
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError

    api = HfApi(token=token)
    try:
        api.create_repo(settings.repo, private=settings.private, exist_ok=True)
        done = api.upload_folder(
            repo_id=settings.repo,
            folder_path=folder,
            commit_message="Publish a model made by glyphline",
            delete_patterns=["*.safetensors", "*.json"],  # of an earlier model; other people's pages stay
        )
    except HFValidationError as error:
        raise InputError(f"--repo {settings.repo}: no name for the hub ({error})") from error
    except HfHubHTTPError as error:
        code = error.response.status_code if error.response is not None else 0
        first = " ".join(str(error).split())
        kind = InputError if code in (400, 401, 403, 404, 409) else JobError
        remedy = "; is the token valid, and may it write there?" if code in (401, 403) else ""
        raise kind(f"{settings.repo}: the hub answers {first}{remedy}") from error
    except Exception as error:  # the library's own HTTP client brings errors of its own
        raise JobError(f"{settings.repo}: the upload failed ({type(error).__name__}: {error})") from error
    return str(done.repo_url) if hasattr(done, "repo_url") else settings.repo
