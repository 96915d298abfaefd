"""How texts are cut: sentences by kiwipiepy or sentencex, lines at the break points of UAX #14."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Iterable, Iterator
from typing import Any


@functools.cache
def _kiwi() -> Any:  # noqa: ANN401
    """Return this process's analyser; made before a fork, its half gigabyte of model is shared by the children."""
    from kiwipiepy import Kiwi

    with warnings.catch_warnings():
        # 0 means no threads of its own since 0.21, which is what a forked process needs; the warning says just that.
        warnings.simplefilter("ignore", DeprecationWarning)
        return Kiwi(num_workers=0)


def korean_sentences(documents: Iterable[str]) -> Iterator[list[str]]:
    """Cut Korean documents into sentences with Kiwi (https://github.com/bab2min/Kiwi).

    Document by document on purpose: measured on reviews, one call a document in each of several forked processes is
    faster than Kiwi's own batch call on as many threads, and takes less memory (benchmarks/corpus_speed.py).
    """
    kiwi = _kiwi()
    for document in documents:
        # By position, not `.text`: whatever the analyser normalises, the sentence stays as it was written.
        yield _between(document, [sentence.start for sentence in kiwi.split_into_sents(document)])


def _between(document: str, starts: list[int]) -> list[str]:
    """Cut a document at the given positions, so that nothing between two sentences is lost."""
    edges = [0, *starts[1:], len(document)] if starts else [0, len(document)]
    pieces = [document[a:b].strip() for a, b in zip(edges, edges[1:], strict=False)]
    return [piece for piece in pieces if piece]


def sentencex_for(code: str) -> Any:  # noqa: ANN401
    """Return the splitter of sentencex (https://github.com/wikimedia/sentencex) for a language code."""
    return functools.partial(_sentencex, code)


def _sentencex(code: str, documents: Iterable[str]) -> Iterator[list[str]]:
    import sentencex

    for document in documents:
        pieces = [piece.strip() for piece in sentencex.segment(code, document)]
        yield [piece for piece in pieces if piece]


def line_break_units(text: str) -> list[str]:
    """Cut a text at every place where Unicode's line breaking algorithm (UAX #14) lets a line end."""
    from uniseg.linebreak import line_break_units as units

    return list(units(text))
