"""A reader without a model: it knows the texts by the pictures' first pixel."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from glyphline.records import Reading, Sample
from glyphline.text import DEFAULT_RULES


class FakeReader:
    """Reads picture k as `texts[k]`; mode "ctc" reads it with its first character gone."""

    rules = DEFAULT_RULES
    modes = ("ctc", "decoder")

    def __init__(self, texts: Sequence[str]) -> None:
        self.texts, self.calls = list(texts), []

    def read_modes(self, images: Sequence[np.ndarray], modes: Sequence[str]) -> dict[str, list[Reading]]:
        self.calls.append(len(images))
        texts = [self.texts[int(image[0, 0])] for image in images]
        return {mode: [Reading(text[1:] if mode == "ctc" else text, 0.5, mode) for text in texts] for mode in modes}


def sample(k: int, text: str, **more) -> Sample:
    image = np.full((16, 40 + k), k, np.uint8)
    known = {"language": "fr", "source": "fake", "split": "test", "provenance": {"writer": f"w{k % 3}"}}
    return Sample(id=f"s{k}", image=image, text=text, **(known | more))
