"""A line's provenance makes the line again: find it in its folder, render it, compare."""

from __future__ import annotations

import io
import json
import logging
import tarfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from glyphline.images import encode
from glyphline.manifest import Manifest, Storage, read_manifest, read_shards
from glyphline.records import Drop, Sample, TextLine
from glyphline.render.fonts import catalogue
from glyphline.render.line import render_line
from glyphline.render.pages import ComposedPages, PageSettings
from glyphline.render.recipe import RECIPE_VERSION, Recipe, make_recipe
from glyphline.settings import InputError, JobError, build

log = logging.getLogger(__name__)


def replay(folder: str, line_id: str, fonts: list[str]) -> int:
    """Render a line of a finished folder again into `<id>.<extension>` here; JobError where it is not the same."""
    manifest = read_manifest(folder, "lines")
    facts, stored = find(folder, manifest, line_id)
    recipe = recorded_recipe(manifest, fonts, folder)
    provenance = facts["provenance"]
    if "page" in provenance:
        settings = build(PageSettings, manifest.settings["page"], f"{folder}/manifest.json: page")
        sample = ComposedPages(RecordedLines(facts, recipe), settings, provenance["page_seed"])[provenance["page"]]
    else:
        line = TextLine(provenance["text_id"], *(facts[key] for key in ("text", "language", "source", "split")))
        sample = render_line(line, recipe, provenance["seed"], provenance["index"])
    if isinstance(sample, Drop):
        raise JobError(f"{line_id}: cannot be rendered any more: {sample.reason} {sample.detail}")
    data = encode(sample.image, manifest.settings["format"], manifest.settings["quality"])
    target = Path(f"{line_id}.{manifest.facts['extension']}")
    target.write_bytes(data)
    if data != stored:
        raise JobError(f"{target}: differs from the picture in {folder}")
    log.info("%s: the same %d bytes as in %s", target, len(data), folder)
    return 0


class RecordedLines:
    """The lines of one page as its provenance has them; those that were dropped are dropped again."""

    def __init__(self, facts: dict[str, Any], recipe: Recipe) -> None:
        shared = {key: value for key, value in facts["provenance"].items() if key != "lines"}
        known = [shared | own for own in facts["provenance"]["lines"]]
        where = [facts[key] for key in ("language", "source", "split")]
        texts = facts["text"].split("\n")
        self.texts = {k["index"]: TextLine(k["text_id"], t, *where) for k, t in zip(known, texts, strict=True)}
        self.fonts = {k["index"]: k["font"] for k in known}
        self.recipe, self.seed = recipe, known[0]["seed"]

    def __len__(self) -> int:
        return len(self.texts)

    def text_of(self, index: int) -> TextLine:
        """Return the text of a line of the page."""
        return self.texts[index]

    def together(self, indices: Sequence[int], one_hand: bool) -> list[Sample | Drop]:
        """Return the lines, each in the font that it had."""
        faces = {choice.face.key: choice for choice in catalogue(self.recipe.fonts).choices}
        return [
            render_line(self.texts[i], self.recipe, self.seed, i, faces[self.fonts[i]])
            if i in self.texts
            else Drop("dropped before", str(i))
            for i in indices
        ]


def recorded_recipe(manifest: Manifest, fonts: list[str], folder: str) -> Recipe:
    """Return the recipe of a folder of lines with these fonts. InputError where it was made with others."""
    settings = manifest.settings
    if settings["recipe_version"] != RECIPE_VERSION:
        raise InputError(f"{folder}: made under recipe version {settings['recipe_version']}, this is {RECIPE_VERSION}")
    mapping = dict(settings["recipe"])
    mapping["fonts"] = dict(mapping["fonts"]) | {"folders": list(fonts)}
    recipe = make_recipe(mapping, f"{folder}/manifest.json")
    if catalogue(recipe.fonts).hash != manifest.inputs["fonts"]:
        raise InputError(f"{folder}: made with other fonts; name theirs: --fonts FOLDER")
    return recipe


def find(folder: str, manifest: Manifest, line_id: str) -> tuple[dict[str, Any], bytes]:
    """Return a line's facts and encoded picture from a folder of any layout. InputError where there is no such line."""
    look = {"parquet": _in_parquet, "webdataset": _in_tar}.get(manifest.settings["layout"], _in_index)
    for facts, data in look(folder, manifest, line_id):
        return facts, data
    raise InputError(f"{folder}: no line {line_id!r}; ids look like {_example(folder, manifest)}")


def _example(folder: str, manifest: Manifest) -> str:
    language = manifest.settings["language"] or "ko"
    return f"{language}-train-{manifest.settings['seed']}-000000000"


def _in_parquet(folder: str, manifest: Manifest, line_id: str) -> Any:  # noqa: ANN401
    import pyarrow.compute as pc

    for table in read_shards(folder, "lines"):
        for row in table.filter(pc.equal(table["id"], line_id)).to_pylist():
            yield row | {"provenance": json.loads(row["provenance"])}, row["image"]["bytes"]


def _in_index(folder: str, manifest: Manifest, line_id: str) -> Any:  # noqa: ANN401
    storage = Storage(folder)
    for shard in manifest.shards:
        for text in storage.read(shard["name"]).decode().splitlines():
            row = json.loads(text)
            if row["id"] == line_id:
                yield row, storage.read(row["file"])


def _in_tar(folder: str, manifest: Manifest, line_id: str) -> Any:  # noqa: ANN401
    storage, extension = Storage(folder), manifest.facts["extension"]
    for shard in manifest.shards:
        with tarfile.open(fileobj=io.BytesIO(storage.read(shard["name"]))) as tar:
            for member in tar.getmembers():
                if not member.name.endswith(".json"):
                    continue
                row = json.loads(tar.extractfile(member).read())
                if row["id"] == line_id:
                    yield row, tar.extractfile(member.name.replace(".json", f".{extension}")).read()
