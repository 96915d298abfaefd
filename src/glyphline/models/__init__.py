"""Model families and what they share; `load_recogniser` opens any of them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from glyphline.settings import InputError

if TYPE_CHECKING:
    from glyphline.models.recogniser import Recogniser


def shipped_models() -> dict[str, Path]:
    """Return the folders of the models that ship with the project by name, the largest first."""
    from importlib.resources import files

    place = Path(str(files("glyphline") / "shipped"))
    weights = sorted(place.glob("*/model.safetensors"), key=lambda path: (-path.stat().st_size, path))
    return {path.parent.name: path.parent for path in weights}


def shipped_model(language: str) -> str:
    """Return the name of the shipped model that reads a language. InputError where there is none."""
    from glyphline.models.card import read_card

    known = {name: card.languages for name, folder in shipped_models().items() if (card := read_card(folder))}
    for name, languages in known.items():
        if language in languages:
            return name
    told = ", ".join(f"{name} ({', '.join(languages)})" for name, languages in known.items()) or "none"
    raise InputError(f"no model for language {language!r} ships with glyphline (those that do: {told}); add --model")


def model_folder(name: str) -> Path:
    """Return the local folder of a model: a folder, a run's folder, a shipped model, or a hub name, then fetched."""
    path = Path(name)
    for candidate in (path, path / "model"):
        if (candidate / "config.json").exists():
            return candidate
    if not path.exists() and (shipped := shipped_models().get(name)):
        return shipped
    if path.exists() or name.startswith((".", "/", "~")) or name.count("/") != 1:
        told = ", ".join(shipped_models()) or "none"
        raise InputError(
            f"{name}: no model here (no config.json); give a folder, a hub name owner/model or what ships: {told}"
        )
    return _fetch(name)


def _fetch(name: str) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError, RepositoryNotFoundError

    wanted = ["*.json", "*.safetensors", "*.txt", "*.model", "*.md"]
    try:
        folder = Path(snapshot_download(name, allow_patterns=wanted))
    except LocalEntryNotFoundError as error:
        raise InputError(f"{name}: no such folder, and the hub cannot be reached; give a local folder") from error
    except RepositoryNotFoundError as error:
        raise InputError(
            f"{name}: no such folder, and no such model on the hub (or a private one: set HF_TOKEN)"
        ) from error
    except (HfHubHTTPError, OSError, ValueError) as error:
        first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise InputError(f"{name}: no such folder, and the hub answers: {first}") from error
    if not (folder / "config.json").exists():
        raise InputError(f"{name}: on the hub, but it holds no model (no config.json)")
    return folder


def pick_device(device: str = "auto") -> str:
    """Return a torch device name: `auto` is CUDA where there is one; a bare digit N means `cuda:N`."""
    import torch

    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    device = f"cuda:{device}" if device.isdigit() else device
    if device.startswith("cuda") and not torch.cuda.is_available():
        raise InputError(f"device {device!r}: no CUDA device here; use --device cpu")
    if not device.startswith(("cpu", "cuda", "mps")):
        raise InputError(f"device {device!r}: use auto, cpu or cuda")
    return device


def load_recogniser(name: str, device: str = "auto") -> Recogniser:
    """Open a model folder, a run folder or a hub name on a device, ready to read. InputError says what is wrong."""
    import transformers

    from glyphline import plugins
    from glyphline.models.card import read_card

    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    target = pick_device(device)
    folder = model_folder(name)
    card = read_card(folder)
    family = plugins.load("family", card.family if card else "trocr")
    try:
        recogniser = family.load(folder)
    except InputError:
        raise
    except Exception as error:  # safetensors, tokenizers and transformers each raise their own
        first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise InputError(f"{folder}: damaged or not a model of this kind ({first})") from error
    return recogniser.to(target)
