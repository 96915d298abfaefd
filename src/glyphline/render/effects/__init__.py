"""One file an effect, sample-then-apply:

    STAGE            where a recipe applies it unless it says otherwise; one of the stages below
    Settings         dataclass of ranges, all with defaults
    sample(rng, settings) -> params        draws; JSON-serialisable numbers, relative to the height of a line
    apply(image, params) -> image          no randomness but `params["seed"]`; never changes its input

The stages in order, and what the image is there:

    layout    a `shaping.Layout`: glyphs and their places
    ink       `(H, W)` uint8 coverage, 255 where there is full ink
    crop      the same, with margins and at its final height
    tone      one pixel `(1, 1, 3)`, the colour of the ink
    paper     uint8 `(H, W)` grey or `(H, W, 3)` RGB, without ink
    picture   uint8 `(H, W)` grey or `(H, W, 3)` RGB, ink on paper

What moves pixels makes room for them and fills with `paper_of(image)`, which is 0 for ink and the paper's colour for
pictures: no ink is ever cut.
"""

from __future__ import annotations

import numpy as np

from glyphline import seeds


def paper_of(image: np.ndarray) -> tuple[int, ...] | int:
    """Return the median colour of the picture's border: what new room is filled with."""
    if image.ndim == 2:
        bottom, right = image.shape[0] - 1, image.shape[1] - 1
        down, across, look = bottom // 2, right // 2, image.item
        corners = {look(0, 0), look(0, right), look(bottom, 0), look(bottom, right)}
        if len(corners | {look(0, across), look(bottom, across), look(down, 0), look(down, right)}) == 1:
            return corners.pop()
    across, down = max(1, image.shape[1] // 32), max(1, image.shape[0] // 8)
    border = [image[0, ::across], image[-1, ::across], image[::down, 0], image[::down, -1]]
    if image.ndim == 2:
        values = sorted(b"".join([edge.tobytes() for edge in border]))
        return values[len(values) // 2]
    return tuple(int(value) for value in np.median(np.concatenate(border), axis=0))


def draw_seed(rng: np.random.Generator) -> int:
    """Return a seed for an effect's own field of noise."""
    return int(rng.integers(2**62))


def noise_rng(params: dict) -> np.random.Generator:
    """Return the generator of `params["seed"]`."""
    return seeds.keyed(params["seed"])
