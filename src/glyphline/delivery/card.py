"""The model card: what README.md of a published model says, from what its glyphline.json and its scores hold."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from glyphline.models.card import LANGUAGE, Card
from glyphline.settings import InputError

_MEASURED = re.compile(r"eval_(?P<name>.+)_cer")
FAMILIES = {
    "trocr": "vision encoder and text decoder (TrOCR, Li et al. 2023)",
    "crnn": "convolutions, recurrence and CTC",
    "page": "whole-page transformer",
}


@dataclass(frozen=True)
class Publication:
    """What the user says about a model that its files do not."""

    name: str
    """Name that others load it by: owner/model, or the folder's name."""
    license: str = "unknown"
    """Identifier of the licence on the hub."""
    summary: str = ""
    """A sentence or two on what it is for."""
    credits: Sequence[str] = ()
    """Credits of the data, a line each."""
    hardware: str = ""
    """What it was trained on, and for how long."""


def write_card(folder: Path, card: Card, publication: Publication, scores: Sequence[str] = ()) -> str:
    """Return README.md for the model in `folder`; `scores` are metrics.json files of `glyphline score`."""
    from jinja2 import Environment, StrictUndefined

    measured = [row for path in scores for row in read_scores(path)]
    environment = Environment(undefined=StrictUndefined, keep_trailing_newline=True, autoescape=False)
    template = resources.files("glyphline.delivery").joinpath("templates/model_card.md").read_text("utf-8")
    text = environment.from_string(template).render(
        front_matter=front_matter(card, publication, measured),
        title=publication.name.rpartition("/")[2],
        name=publication.name,
        summary=publication.summary or _summary(card),
        plain=card.family == "trocr" and card.options.get("ctc_weight") != 1.0,
        scores=measured,
        validation=list(_validation(card)),
        sources=list(_sources(card)),
        credits=[*publication.credits, *_recorded_credits(card)],
        facts=_facts(folder, card) | ({"trained on": publication.hardware} if publication.hardware else {}),
        limits=_limits(card),
    )
    return re.sub(r"\n{3,}", "\n\n", text)


def read_scores(path: str) -> list[dict[str, Any]]:
    """Return a row for each mode that a metrics.json holds. InputError names the file where it is none."""
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
        rows = []
        for mode, figures in content["modes"].items():
            overall = figures["overall"]
            shown = {name: _percent(overall[name]) for name in ("cer", "wer", "exact")}
            values = {f"{name}_value": overall[name]["value"] for name in ("cer", "wer")}
            known = {"lines": Path(path).parent.name, "split": content["split"], "mode": mode}
            rows.append(known | {"count": overall["lines"]} | shown | values)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{path}: no metrics.json of glyphline score ({error!r})") from error
    return rows


def _percent(measure: dict[str, Any]) -> str:
    """Write a measure and its interval in per cent."""
    said = f"{100 * measure['value']:.2f} %"
    if measure.get("low") is None:
        return said
    return f"{said} [{100 * measure['low']:.2f}, {100 * measure['high']:.2f}]"


def front_matter(card: Card, publication: Publication, measured: Sequence[dict[str, Any]]) -> str:
    """Return the YAML block that the hub reads: licence, languages, task, tags and results."""
    import yaml

    content: dict[str, Any] = {
        "license": publication.license,
        "language": card.languages,
        "library_name": "transformers",
        "pipeline_tag": "image-to-text",
        "tags": ["ocr", "text-recognition", "handwriting", card.family, "glyphline"],
        "metrics": ["cer", "wer"],
    }
    results = [
        {
            "task": {"type": "image-to-text", "name": "Text line recognition"},
            "dataset": {"name": f"{row['lines']} ({row['split']}, {row['mode']})", "type": row["lines"]},
            "metrics": [{"type": name, "value": round(row[f"{name}_value"], 6)} for name in ("cer", "wer")],
        }
        for row in measured
    ]
    if results:
        content["model-index"] = [{"name": publication.name.rpartition("/")[2], "results": results}]
    kept = {key: value for key, value in content.items() if value}
    return f"---\n{yaml.safe_dump(kept, sort_keys=False, allow_unicode=True)}---\n"


def _summary(card: Card) -> str:
    from glyphline.plugins import available, load

    known = available("language")
    names = [load("language", code).LANGUAGE.name if code in known else code for code in card.languages]
    languages = f" in {', '.join(names)}" if names else ""
    return f"Reads pictures of single lines of text{languages}."


def _validation(card: Card) -> list[dict[str, str]]:
    """Return what was measured at the chosen checkpoint of each stage."""
    rows = []
    for stage, metrics in sorted(card.metrics.items()):
        for key, value in metrics.items() if isinstance(metrics, dict) else ():
            if found := _MEASURED.fullmatch(key):
                wer = metrics.get(f"eval_{found['name']}_wer")
                shown = "" if wer is None else f"{100 * wer:.2f} %"
                rows.append({"stage": stage, "name": found["name"], "cer": f"{100 * value:.2f} %", "wer": shown})
    return rows


def _sources(card: Card) -> list[dict[str, Any]]:
    """Return the training sources of each stage with the hash of their manifest."""
    rows = []
    for stage, data in sorted(card.data.items()):
        for source in data.get("sources", []):
            manifest = str(source.get("manifest", ""))
            shown = f"`{manifest[:16]}…`" if manifest else "none"
            kind = f"rendered, {source['preset']}" if "preset" in source else source.get("kind", "")
            lines = f"{source['lines']:,}" if "lines" in source else ""
            row = {"stage": stage, "kind": kind, "lines": lines, "manifest": shown}
            rows += [row] if row not in rows else []  # one corpus may stand for several steps of a curriculum
    return rows


def _recorded_credits(card: Card) -> list[str]:
    """Return the credits that the data brought along, each once, and the fonts that wrote rendered lines."""
    sources = [source for _, data in sorted(card.data.items()) for source in data.get("sources", [])]
    credits = dict.fromkeys(str(credit) for source in sources for credit in source.get("credits", []))
    fonts = dict.fromkeys(font for source in sources for font in source.get("fonts", []))
    return [*credits, *([f"Fonts of the rendered lines: {', '.join(fonts)}"] if fonts else [])]


def _facts(folder: Path, card: Card) -> dict[str, str]:
    """Return what a reader of the card wants to know about the model's making."""
    canvas = card.canvas
    facts = {
        "family": FAMILIES.get(card.family, card.family),
        "parameters": f"{count_parameters(folder) / 1e6:.2f} M, {' and '.join(number_formats(folder))}",
        "canvas": f"{canvas.mode}, {canvas.height} × {canvas.width} px",
        "longest line": f"{card.max_length} tokens, the end token included",
        "text rules": f"{card.rules.form}" + (", white space collapsed" if card.rules.collapse_space else ""),
    }
    if card.charset:
        facts["characters"] = f"{len(card.charset)} in the CTC head"
    if (folder / LANGUAGE).exists():
        order, weight = (card.options.get(name, 0) for name in ("language_order", "language_weight"))
        facts["n-grams"] = f"of up to {order} characters, weight {weight:g} in the beam search"
    for stage, settings in sorted(card.settings.items()):
        optimisation = settings.get("optimisation", {})
        lines = optimisation.get("batch_size", 0) * optimisation.get("accumulate", 1)
        said = [f"{settings['steps_done']} steps" if "steps_done" in settings else ""]
        said[0] += f" of {lines} lines" if said[0] and lines else ""
        rate = optimisation.get("learning_rate")
        said += [f"learning rate {rate:g}" if rate else "", f"seed {settings['seed']}" if "seed" in settings else ""]
        facts[stage] = ", ".join(part for part in said if part)
        for package, version in settings.get("versions", {}).items():
            facts[f"{stage}, {package}"] = version
    return facts


def count_parameters(folder: Path) -> int:
    """Return the number of weights in the safetensors files of a folder, from their headers; counts are none."""
    from safetensors import safe_open

    total = 0
    for path in sorted(folder.glob("*.safetensors")):
        with safe_open(path, "np") as weights:
            for name in weights.keys():  # noqa: SIM118 - no mapping
                part = weights.get_slice(name)
                total += math.prod(part.get_shape()) if _is_weight(part) else 0
    return total


def number_formats(folder: Path) -> list[str]:
    """Return the number formats of the weights in a folder, as safetensors calls them: F16, F32."""
    from safetensors import safe_open

    found = set()
    for path in sorted(folder.glob("*.safetensors")):
        with safe_open(path, "np") as weights:
            parts = (weights.get_slice(name) for name in weights.keys())  # noqa: SIM118 - no mapping
            found |= {part.get_dtype() for part in parts if _is_weight(part)}
    return sorted(found)


def _is_weight(part: Any) -> bool:  # noqa: ANN401
    return "F" in part.get_dtype()


def _limits(card: Card) -> list[str]:
    """Return what the model cannot do, as far as its files tell."""
    limits = [
        "It reads single lines. It does not find lines on a page.",
        f"A text of more than {card.max_length} tokens is cut; characters that no training line held are not read.",
        "Its figures hold for lines like those it was measured on: other hands, fonts, papers and scanners differ.",
    ]
    if card.family == "trocr" and card.options.get("ctc_weight") == 1.0:
        limits.append(
            "It reads by its CTC head alone: its decoder has not been trained, and plain transformers needs one."
        )
    if card.canvas.mode == "squash":
        limits.append("Lines are stretched to a fixed frame: a long line keeps few pixels per character.")
    if any(data.get("over_max_length") for data in card.data.values()):
        over = sum(int(data.get("over_max_length", 0)) for data in card.data.values())
        limits.append(f"{over} training lines were over its length limit and left out.")
    return limits
