"""The project's own engine: HarfBuzz shaping, cached glyphs, straight into uint8 arrays.

Layout -> ink (one channel, cut to the text) -> size and margins -> paper -> ink on paper -> picture.
"""

from __future__ import annotations

import functools

import cv2
import numpy as np

from glyphline.render.chain import Chain, Drawn, apply_all, chain_of
from glyphline.render.engines import Refusal, Task
from glyphline.render.fonts import sample_letters
from glyphline.render.glyphs import draw
from glyphline.render.plain import draw_plain
from glyphline.render.recipe import Recipe
from glyphline.render.shaping import Layout, Setting, letter_box, missing_glyphs, shape

REFERENCE = "".join(["Hgp(|", "한글빼", "永木", "あ"])
"""Letters whose ink stands for a font's where the language has no samples."""


def render(task: Task, rng: np.random.Generator) -> np.ndarray | Refusal:
    """Draw one line; `(H, W)` grey, or `(H, W, 3)` where the recipe asks for colour or an effect brings it."""
    recipe, chain = task.recipe, chain_of(task.recipe)
    coverage = _ink(task, chain.draw("layout", rng))
    if isinstance(coverage, Refusal):
        return coverage
    if recipe.stroke_px:
        coverage = cv2.copyMakeBorder(coverage, *[recipe.stroke_px] * 4, cv2.BORDER_CONSTANT, value=0)
    drawn = chain.draw("ink", rng)
    margins = drawn.pop() if drawn and hasattr(drawn[-1][0], "sides") else None
    coverage = apply_all(drawn, coverage)
    sides = margins[0].sides(coverage.shape, margins[1]) if margins else [0, 0, 0, 0]
    coverage = _to_height(coverage, sides, recipe, rng)
    along = 0 if recipe.orientation == "vertical" else 1
    if coverage.shape[along] > recipe.max_width_px:
        return Refusal("too_wide", f"{coverage.shape[along]} px")
    coverage = chain.run("crop", to_width(coverage, recipe), rng)
    picture = compose(coverage, chain, recipe, rng)
    return fix_height(chain.run("picture", picture, rng), recipe)


def _ink(task: Task, drawn: list[Drawn]) -> np.ndarray | Refusal:
    """Return the coverage of the line, cut to its ink, with the drawn layout effects."""
    recipe, text, setting = task.recipe, task.line.text, _setting(task)
    limit_px = max(recipe.max_width_px * setting.size_px / max(8, recipe.height_px) * 2, recipe.max_width_px * 4)
    if not drawn and recipe.fit == "font":
        ink = draw_plain(text, task.choice, setting, _letter_rows(task, setting.size_px), limit_px)
        if ink is not None:
            return ink.image
    layout = _fitted(shape(text, task.choice, setting), task)
    missing = missing_glyphs(layout)
    if missing:
        return Refusal("no_glyph", missing)
    if layout.advance_px > limit_px:
        return Refusal("too_wide", f"{layout.advance_px:.0f} px")
    ink = draw(apply_all(drawn, layout), least=_letter_rows(task, layout.size_px))
    if ink is None:
        return Refusal("no_ink")
    boxed = recipe.orientation == "vertical" and recipe.fit == "font"
    return _in_box(ink.image, layout.size_px) if boxed else ink.image


def _setting(task: Task) -> Setting:
    """Return the size at which the font's letters fill the recipe's share of the height, and the line's direction."""
    recipe, face = task.recipe, task.choice.face
    wanted = recipe.height_px * recipe.fill
    vertical = recipe.orientation == "vertical"
    if not vertical:
        top, bottom = letter_box(face.path, face.index, reference_letters(task.line.language))
        wanted /= max(0.2, top - bottom)
    return Setting(max(4, int(wanted)), task.direction, task.line.language, vertical)


def _fitted(layout: Layout, task: Task) -> Layout:
    """Return the line at the size at which its own ink fills that share, where the recipe wants this."""
    recipe, size_px = task.recipe, layout.size_px
    if recipe.fit == "ink" and not layout.vertical:
        top, bottom = _ink_box(layout, task)
        fitted = max(4, min(int(recipe.height_px * recipe.fill / max(0.05, top - bottom)), 3 * size_px))
        if fitted != size_px:
            layout = shape(task.line.text, task.choice, Setting(fitted, task.direction, task.line.language))
    return layout


@functools.lru_cache(maxsize=128)
def reference_letters(language: str) -> str:
    """Return the letters whose ink stands for the height of a font's letters in a language."""
    return "".join(sorted(sample_letters(language))) or REFERENCE


def _ink_box(layout: Layout, task: Task) -> tuple[float, float]:
    """Return how far this text's ink reaches above and below the baseline, in ems."""
    text = "".join(sorted(set(layout.text)))
    face = task.choice.face
    return letter_box(face.path, face.index, text)


def _letter_rows(task: Task, size_px: int) -> tuple[int, int] | None:
    """Return the rows of the font's letters above and below the baseline: a line of dots stays a line of dots."""
    if task.recipe.fit == "ink" or task.recipe.orientation == "vertical":
        return None
    face = task.choice.face
    top, bottom = letter_box(face.path, face.index, reference_letters(task.line.language))
    return round(top * size_px), -round(-bottom * size_px)


def _in_box(coverage: np.ndarray, size_px: int) -> np.ndarray:
    """Give the ink of a vertical line at least the width of a letter."""
    room = size_px - coverage.shape[1]
    return cv2.copyMakeBorder(coverage, 0, 0, room // 2, room - room // 2, 0) if room > 0 else coverage


def _to_height(coverage: np.ndarray, sides: list[int], recipe: Recipe, rng: np.random.Generator) -> np.ndarray:
    """Give ink its margins (above, below, left, right) and bring both to the recipe's height.

    What is too low gets more room, at a random height; what is too high becomes smaller.
    """
    above, below, left, right = sides
    vertical = recipe.orientation == "vertical"
    room = recipe.height_px - (coverage.shape[1] + left + right if vertical else coverage.shape[0] + above + below)
    before = int(rng.random() * (max(0, room) + 1))
    if room > 0 and vertical:
        left, right = left + before, right + room - before
    elif room > 0:
        above, below = above + before, below + room - before
    if above or below or left or right:
        coverage = cv2.copyMakeBorder(coverage, above, below, left, right, cv2.BORDER_CONSTANT, value=0)
    return fix_height(coverage, recipe)


def fix_height(image: np.ndarray, recipe: Recipe) -> np.ndarray:
    """Scale an image to the recipe's height (width of a vertical line), its proportions kept."""
    height, width = image.shape[:2]
    vertical = recipe.orientation == "vertical"
    now = width if vertical else height
    if now == recipe.height_px:
        return image
    scale = recipe.height_px / now
    size = (
        (recipe.height_px, max(1, round(height * scale)))
        if vertical
        else (max(1, round(width * scale)), recipe.height_px)
    )
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA if scale < 0.6 else cv2.INTER_LINEAR)


def to_width(coverage: np.ndarray, recipe: Recipe) -> np.ndarray:
    """Make a picture at least as wide as the recipe asks for (a vertical line as high), the text where it asks."""
    vertical = recipe.orientation == "vertical"
    room = recipe.width_px - coverage.shape[0 if vertical else 1]
    if room <= 0:
        return coverage
    before = {"left": 0, "center": room // 2, "right": room}[recipe.align]
    sides = (before, room - before, 0, 0) if vertical else (0, 0, before, room - before)
    return cv2.copyMakeBorder(coverage, *sides, cv2.BORDER_CONSTANT, value=0)


def compose(coverage: np.ndarray, chain: Chain, recipe: Recipe, rng: np.random.Generator) -> np.ndarray:
    """Lay ink of a drawn grey (or colour) on paper: `(H, W)` coverage in, a picture out."""
    ground, darkness = rng.random(2).tolist()
    paper = chain.paper(coverage.shape, between(recipe.paper, ground), rng)
    grey = between(recipe.ink, darkness)
    tone = (grey, grey, grey)
    if chain.stages["tone"]:
        tone = tuple(chain.run("tone", np.full((1, 1, 3), grey, np.uint8), rng)[0, 0].tolist())
    outline = hex_color(recipe.stroke_color) if recipe.stroke_px else tone
    hues = len(set(tone)) > 1 or len(set(outline)) > 1
    if paper.ndim == 2 and (recipe.color or hues):
        paper = cv2.cvtColor(paper, cv2.COLOR_GRAY2RGB)
    if recipe.stroke_px:
        side = 2 * recipe.stroke_px + 1
        around = cv2.dilate(coverage, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)))
        paper = blend(paper, around, outline)
    return blend(paper, coverage, tone)


def hex_color(text: str) -> tuple[int, int, int]:
    """Return (red, green, blue) of #rrggbb."""
    return int(text[1:3], 16), int(text[3:5], 16), int(text[5:7], 16)


def between(ends: list[int], share: float) -> int:
    """Return the whole number at a share of the way between two, both included."""
    return ends[0] + int(share * (ends[1] - ends[0] + 1))


def blend(paper: np.ndarray, coverage: np.ndarray, tone: tuple[int, int, int]) -> np.ndarray:
    """Return paper with ink of a colour laid on it by coverage; `(H, W)` paper takes the first channel's grey."""
    if not any(tone):
        coverage = coverage if paper.ndim == 2 else cv2.cvtColor(coverage, cv2.COLOR_GRAY2RGB)
        taken = cv2.multiply(coverage, paper, scale=1 / 255)
        return cv2.subtract(paper, taken, dst=taken)
    if paper.ndim == 3:
        coverage = cv2.cvtColor(coverage, cv2.COLOR_GRAY2RGB)
        ink = cv2.merge([np.full(paper.shape[:2], value, np.uint8) for value in tone])
    else:
        ink = np.full(paper.shape, tone[0], np.uint8)
    if cv2.minMaxLoc(paper if paper.ndim == 2 else paper.reshape(len(paper), -1))[0] >= max(tone):
        # In place: a fresh array for each step would cost more than the step.
        taken = cv2.subtract(paper, ink, dst=ink)
        return cv2.subtract(paper, cv2.multiply(coverage, taken, dst=taken, scale=1 / 255), dst=taken)
    shine = cv2.multiply(paper, cv2.bitwise_not(coverage), scale=1 / 255)
    return cv2.add(shine, cv2.multiply(coverage, ink, scale=1 / 255))
