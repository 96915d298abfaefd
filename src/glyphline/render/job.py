"""`glyphline render`: a corpus becomes line images, in shards that any machine can make."""

from __future__ import annotations

import errno
import functools
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from glyphline.manifest import Manifest, Output, open_output
from glyphline.plugins import load
from glyphline.records import SPLITS
from glyphline.render import flags
from glyphline.render.chain import chain_of
from glyphline.render.fonts import catalogue
from glyphline.render.layouts import EXTENSIONS
from glyphline.render.line import mix_parts
from glyphline.render.pages import PageSettings
from glyphline.render.recipe import RECIPE_VERSION, Recipe, TrdgSettings, load_recipe, merge
from glyphline.render.shards import Plan, composed, cut, parse_shards, render_shard
from glyphline.render.texts import digest_of, is_file, read_texts
from glyphline.settings import InputError, JobError, command, execution, identity

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class RenderSettings:
    """What is rendered, how, and where to."""

    corpus: str = execution("")
    """Corpus folder, or UTF-8 text file with one text a line."""
    output: str = execution("")
    """Folder for the lines (any fsspec path)."""
    language: str = ""
    """Language code: of a text file's lines, or the only one taken from a corpus."""
    split: Literal["train", "validation", "test", "all"] = "all"
    """Splits to render; a text file is one split, train unless another is named."""
    count: int = 0
    """Number of lines over all splits; 0 is as many as there are texts, more than that takes texts again."""
    seed: int = 0
    """Seed: the same recipe, seed and index give the same pixels."""
    order: Literal["shuffled", "given"] = "shuffled"
    """Order of the texts: a new permutation each pass, or as they stand."""
    preset: str = "clean"
    """Recipe by name (clean, trdg, document, photo, handwriting, mixed) or YAML file."""
    recipe: dict[str, Any] = field(default_factory=dict)
    """Recipe keys laid over the preset, for instance --recipe.fill 0.7."""
    engine: Literal["native", "trdg"] | None = None
    """Engine, if not the preset's."""
    height_px: int | None = None
    """Height of the pictures, if not the preset's."""
    fonts: list[str] = field(default_factory=list, metadata={"execution": True})
    """Folders of fonts or font files; the system's where none is given. Their content counts, not their place."""
    trdg: TrdgSettings = field(default_factory=TrdgSettings)
    """TextRecognitionDataGenerator's options, for both engines."""
    unit: Literal["line", "page"] = "line"
    """What a picture shows: one line, or a page of several whose text has line breaks. `count` counts these."""
    page: PageSettings = field(default_factory=PageSettings)
    """How lines are put together to pages, with `--unit page`."""
    layout: Literal["parquet", "trdg", "imagefolder", "webdataset"] = "parquet"
    """How the lines lie in the folder."""
    format: Literal["png", "jpeg", "webp"] | None = None
    """Format of the pictures: PNG, or JPEG in the trdg layout."""
    quality: int = 92
    """Quality of JPEG and WebP."""
    naming: Literal[0, 1, 2] = 2
    """Names in the trdg layout: 0 TEXT_ID, 1 ID_TEXT, 2 ID."""
    shard_size: int = 1000
    """Lines per shard."""
    shards: str = execution("")
    """Only these shards of so many: a-b/n."""
    workers: int = execution(1)
    """Processes."""
    executor: Literal["local", "ray"] = execution("local")
    """Where shards are rendered."""
    sheet: int = execution(40)
    """Lines on contact_sheet.png; 0 for none."""
    replay: str = execution("")
    """Id of a line in the output folder: render it again from its provenance and compare."""

    def __post_init__(self) -> None:
        if not self.output:
            raise InputError("--output: needed, a folder for the lines")
        if not self.corpus and not self.replay:
            raise InputError("--corpus: needed, a corpus folder or a text file with one text a line")
        if self.count < 0 or self.workers < 0 or self.shard_size < 1:
            raise InputError("--count and --workers must not be negative, --shard_size must be at least 1")
        if self.unit == "line" and self.page != PageSettings():
            raise InputError("--page: only with --unit page")
        if self.unit == "page" and self.layout == "trdg":
            raise InputError("--layout trdg: labels.txt holds one line a picture; use parquet, imagefolder, webdataset")


@command(
    RenderSettings,
    name="render",
    example="glyphline render --corpus runs/corpus --output runs/lines --language ko --count 10000 "
    "--preset document --fonts demo/fonts --workers 2",
    aliases=flags.ALIASES,
)
def _render(settings: RenderSettings) -> int | None:
    """Render the texts of a corpus as line images; reads a corpus folder or a text file, writes a folder of lines."""
    if settings.replay:
        from glyphline.render.replay import replay

        return replay(settings.output, settings.replay, settings.fonts)
    render(settings)
    return None


def main(argv: Sequence[str] | None = None) -> int:
    """Run `glyphline render`; takes TextRecognitionDataGenerator's spelling of values too."""
    import sys

    return _render(flags.translate(sys.argv[1:] if argv is None else list(argv)))


main.parser, main.settings, main.aliases = _render.parser, _render.settings, _render.aliases


def render(settings: RenderSettings) -> Manifest | None:
    """Render what is missing in the output folder; return its manifest, None where other shards are still to come."""
    plan = make_plan(settings)
    output = open_output(settings.output, "lines", plan.settings, plan.inputs)
    if output.finished:
        log.info("%s: finished before (%d lines)", settings.output, output.finished.counts.get("lines", 0))
        return output.finished
    try:
        return _complete(plan, output, settings)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        kept = "the shards that are done are kept: make room and run the same command again"
        raise JobError(f"{settings.output}: no space left for the lines; {kept}") from error


def _complete(plan: Plan, output: Output, settings: RenderSettings) -> Manifest | None:
    """Render the wanted shards that are missing, and finish the folder where none is missing any more."""
    wanted, _ = parse_shards(settings.shards)
    names = plan.names()
    numbers = [n for n in (wanted or range(plan.total)) if not output.has(names[n])]
    _run(plan, numbers, settings)
    absent = output.missing(names)
    if absent:
        log.info(
            "%d of %d shards are here; the run that brings the last one finishes the folder",
            len(names) - len(absent),
            len(names),
        )
        return None
    return _finish(plan, output, names, settings)


def make_plan(settings: RenderSettings) -> Plan:
    """Check the settings and return the plan of the job."""
    recipe = resolve(settings)
    splits = list(SPLITS) if settings.split == "all" else [settings.split]
    if is_file(settings.corpus):
        splits = ["train"] if settings.split == "all" else splits
    page = settings.page if settings.unit == "page" else None
    sizes = {split: sizes_of(settings, recipe, split) for split in splits}
    _, shards = parse_shards(settings.shards)
    slices = cut(sizes, settings.count, settings.shard_size, shards)
    picture = settings.format or ("jpeg" if settings.layout == "trdg" else "png")
    shaping = identity(settings)
    for key in ("recipe", "preset", "engine", "height_px", "trdg", "shard_size", *(() if page else ("unit", "page"))):
        shaping.pop(key)
    plain = identity(recipe)
    plain["fonts"].pop("folders")
    shaping |= {"recipe": plain, "recipe_version": RECIPE_VERSION, "format": picture}
    shaping |= {"slices": {part.split: [part.count, part.shards] for part in slices}}
    inputs = {"corpus": digest_of(settings.corpus), "fonts": catalogue(recipe.fonts).hash} | extra_inputs(recipe)
    return Plan(
        settings.corpus, settings.output, settings.language, slices, recipe, settings.seed, settings.order,
        settings.layout, picture, settings.quality, settings.naming, shaping, inputs, page,
    )  # fmt: skip


def sizes_of(settings: RenderSettings, recipe: Recipe, split: str) -> int:
    """Return how many lines or pages the texts of a split make."""
    texts = read_texts(settings.corpus, settings.language, split)
    if settings.unit == "line" or not len(texts):
        return len(texts)
    return len(composed(texts, settings.page, recipe, settings.seed, settings.order))


def resolve(settings: RenderSettings) -> Recipe:
    """Return the recipe that preset, overrides and flags add up to."""
    above: dict[str, Any] = dict(settings.recipe)
    if settings.height_px is not None:
        above["height_px"] = settings.height_px
    if settings.engine is not None:
        above["engine"] = settings.engine
    if settings.fonts:
        above = merge(above, {"fonts": {"folders": list(settings.fonts)}})
    recipe = load_recipe(settings.preset, above)
    if settings.trdg != TrdgSettings():
        changed = flags.overrides(settings.trdg, recipe.height_px)
        recipe = load_recipe(settings.preset, merge(changed, above))
        recipe = replace(recipe, trdg=settings.trdg)
    chain_of(recipe)
    return recipe


def extra_inputs(recipe: Recipe) -> dict[str, str]:
    """Return digests of files that effects read, such as photographs."""
    found: dict[str, str] = {}
    for part in mix_parts(recipe)[0] if recipe.mix else [recipe]:
        for steps in chain_of(part).stages.values():
            for step in steps:
                if hasattr(step.module, "inputs"):
                    found |= step.module.inputs(step.settings)
    return found


def _run(plan: Plan, numbers: Sequence[int], settings: RenderSettings) -> None:
    """Render the shards, with a progress bar in lines."""
    from tqdm import tqdm

    if not numbers:
        return
    begun, lines = time.perf_counter(), 0
    job = functools.partial(render_shard, plan)
    sizes = sum(part.count for part in plan.slices) * len(numbers) // plan.total
    with tqdm(total=sizes, unit=" lines", desc="render", mininterval=0.5) as bar:
        for counts in load("executor", settings.executor).run(job, numbers, settings.workers):
            lines += counts["lines"]
            bar.update(counts["lines"] + counts.get("drops", 0))
    seconds = time.perf_counter() - begun
    log.info(
        "%d lines in %.1f s: %.0f lines/s with %d processes", lines, seconds, lines / seconds, settings.workers or 1
    )


def _finish(plan: Plan, output: Output, names: list[str], settings: RenderSettings) -> Manifest:
    """Write what stands beside the shards, the contact sheet and the manifest."""
    load("layout", plan.layout).finish(output.storage, names)
    if settings.sheet:
        from glyphline.render.sheet import contact_sheet

        lines = [plan.lines(part.split) for part in plan.slices]
        samples = [lines[n % len(lines)][n // len(lines)] for n in range(settings.sheet)]
        output.storage.write("contact_sheet.png", contact_sheet(samples))
    facts = {"extension": EXTENSIONS[plan.format], "layout": plan.layout}
    sweep(output)
    manifest = output.finish(names, facts)
    made, dropped = manifest.counts.get("lines", 0), sum(manifest.drops.values())
    log.info("%s: %d lines, %d dropped %s", plan.output, made, dropped, dict(manifest.drops) or "")
    if not made:
        raise InputError(
            f"{plan.output}: every line was dropped ({manifest.drops}): see drops.jsonl; other fonts may help"
        )
    return manifest


def sweep(output: Output) -> None:
    """Remove what a killed run left half-written beside its place."""
    if not output.storage.is_local:
        return
    for left in Path(output.storage.path("")).rglob("*.part"):
        left.unlink(missing_ok=True)
