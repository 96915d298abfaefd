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
        # What `split_into_sents` does, without its objects: only where sentences begin is needed. By position, not by
        # the tokens' forms: whatever the analyser normalises, the sentence stays as it was written.
        tokens = kiwi.analyze(document)[0][0]
        numbers = [token.sent_position for token in tokens]
        begin = zip(tokens, numbers, [None, *numbers], strict=False)
        starts = [token.start for token, number, before in begin if number != before]
        yield _between(document, starts)


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


def line_break_units(code: str, text: str) -> list[str]:
    """Cut a text at every place where a line may end: Unicode's line breaking algorithm (UAX #14) by ICU.

    ICU has dictionaries for languages whose words its rules cannot tell apart, such as Thai. Strict rules: no line of
    Japanese begins with a small kana or a prolonged sound mark.
    """
    from icu4py.breakers import LineBreaker

    return list(LineBreaker(text, f"{code}@lb=strict"))


def thai_sentences(documents: Iterable[str]) -> Iterator[list[str]]:
    """Cut Thai documents with PyThaiNLP's CRF model (https://github.com/PyThaiNLP/pythainlp, extra `th`).

    Thai ends a sentence with a space, as it ends a clause. Without the extra only full stops, question and exclamation
    marks end one, and the line breaks do the rest; the manifest says which of the two it was.
    """
    try:
        import pycrfsuite  # noqa: F401 - the model inside pythainlp needs it
        from pythainlp.tokenize import sent_tokenize
    except ImportError:
        yield from _sentencex("th", documents)
        return
    for document in documents:
        pieces = sent_tokenize(document, engine="crfcut") if document else []
        if "".join(pieces) != document:
            pieces = [document]
        yield [stripped for piece in pieces if (stripped := piece.strip())]
