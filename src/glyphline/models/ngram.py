"""A character n-gram model of text, interpolated after Witten and Bell (IEEE Trans. Information Theory, 1991).

It is nothing but counts, sorted arrays that lie beside a model as safetensors; more texts simply add to them.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path

import numpy as np

END = 0
"""Symbol before the first character and after the last; the others are the labels of CTC."""
KEY_BITS = 63
CACHE_BYTES = 2**25
LOW_BITS, LOW = 32, 2**32 - 1
"""A file holds the keys in two parts, so that they take no more room than they need."""


class NGrams:
    """Counts of symbol sequences of 1 to `order`; log-probabilities of what follows a text.

    A sequence is one number, `bits` for each symbol, the last one lowest: what follows a context lies side by side.
    """

    def __init__(self, symbols: int, order: int) -> None:
        self.symbols, self.bits = symbols, _bits(symbols)
        self.order = min(order, KEY_BITS // self.bits)
        self.keys = [np.empty(0, np.int64)] * self.order
        self.counts = [np.empty(0, np.int64)] * self.order
        self.clear()

    def clear(self) -> None:
        """Forget what was looked up."""
        self.sums = [np.concatenate(([0], np.cumsum(counts))) for counts in self.counts]
        self.cached: OrderedDict[tuple[int, ...], np.ndarray] = OrderedDict()

    def learn(self, rows: Sequence[Sequence[int]]) -> None:
        """Add texts, each a row of symbols."""
        lengths = np.array([len(row) + 1 for row in rows])
        flat = np.zeros(int(lengths.sum()), np.int64)
        starts = np.concatenate(([0], np.cumsum(lengths)[:-1]))
        for start, row in zip(starts, rows, strict=True):
            flat[start : start + len(row)] = row
        within = np.arange(len(flat)) - np.repeat(starts, lengths)
        keys = flat.copy()
        for number in range(self.order):
            if number:
                earlier = np.concatenate((np.zeros(number, np.int64), flat[:-number]))[: len(flat)]
                keys = keys | (np.where(within >= number, earlier, END) << (number * self.bits))
            both = np.concatenate((self.keys[number], keys))
            amounts = np.concatenate((self.counts[number], np.ones(len(keys), np.int64)))
            unique, inverse = np.unique(both, return_inverse=True)
            self.keys[number] = unique
            self.counts[number] = np.bincount(inverse, amounts, len(unique)).astype(np.int64)
        self.clear()

    def prune(self, most: int) -> None:
        """Drop the rarest sequences of three symbols and more, so that about `most` sequences stay; shorter ones do."""
        least = 1
        while sum(map(len, self.keys)) > most and any(len(keys) for keys in self.keys[2:]):
            for number in range(2, self.order):
                kept = self.counts[number] > least
                self.keys[number], self.counts[number] = self.keys[number][kept], self.counts[number][kept]
            least += 1
        self.clear()

    def log_probability(self, row: Sequence[int]) -> float:
        """Return the log-probability of a text, its end included."""
        symbols = (*row, END)
        return sum(float(self(tuple(symbols[:place]))[symbol]) for place, symbol in enumerate(symbols))

    def widen(self, symbols: int) -> None:
        """Make room for so many symbols in all."""
        bits = _bits(symbols)
        if bits != self.bits:
            self.order = min(self.order, KEY_BITS // bits)
            for number in range(self.order):
                parts = [(self.keys[number] >> (i * self.bits)) & (2**self.bits - 1) for i in range(number + 1)]
                self.keys[number] = sum(part << (i * bits) for i, part in enumerate(parts))
        self.keys, self.counts = self.keys[: self.order], self.counts[: self.order]
        self.symbols, self.bits = symbols, bits
        self.clear()

    def __call__(self, text: tuple[int, ...]) -> np.ndarray:
        """Return log-probabilities `(symbols,)` of what follows the labels of a text; those of `END` at 0."""
        context = ((END,) * (self.order - 1) + tuple(text))[len(text) :]
        if context in self.cached:
            self.cached.move_to_end(context)
            return self.cached[context]
        found = np.log(self._following(context)).astype(np.float32)
        self.cached[context] = found
        if len(self.cached) * found.nbytes > CACHE_BYTES:
            self.cached.popitem(last=False)
        return found

    def _following(self, context: tuple[int, ...]) -> np.ndarray:
        """Return probabilities: of each order its counts, with the order below for as much as it is often surprised."""
        probabilities = np.full(self.symbols, 1.0 / self.symbols)
        key = 0
        for number in range(self.order):
            if number:
                key |= context[-number] << ((number - 1) * self.bits)
            begin, end = np.searchsorted(self.keys[number], (key << self.bits, (key + 1) << self.bits))
            if begin == end:
                continue
            total = self.sums[number][end] - self.sums[number][begin]
            probabilities *= (end - begin) / (total + end - begin)
            symbols = self.keys[number][begin:end] & (2**self.bits - 1)
            probabilities[symbols] += self.counts[number][begin:end] / (total + end - begin)
        return probabilities

    def save(self, path: str | Path) -> None:
        """Write the arrays."""
        from safetensors.numpy import save_file

        arrays: dict[str, np.ndarray] = {}
        for n, (keys, counts) in enumerate(zip(self.keys, self.counts, strict=True), start=1):
            arrays[f"keys.{n}"] = (keys & LOW).astype(np.uint32)
            arrays[f"more.{n}"], arrays[f"counts.{n}"] = _narrow(keys >> LOW_BITS), _narrow(counts)
        save_file(arrays | {"symbols": np.array([self.symbols], np.int64)}, path)


def load_ngrams(path: str | Path) -> NGrams:
    """Read what `save` wrote."""
    from safetensors.numpy import load_file

    arrays = load_file(path)
    order = sum(name.startswith("keys.") for name in arrays)
    model = NGrams(int(arrays["symbols"][0]), order)
    for n in range(order):
        keys, more, counts = (arrays[f"{name}.{n + 1}"].astype(np.int64) for name in ("keys", "more", "counts"))
        model.keys[n], model.counts[n] = (more << LOW_BITS) | keys, counts
    model.clear()
    return model


def _narrow(numbers: np.ndarray) -> np.ndarray:
    """Return numbers that are not negative in the smallest type that holds them."""
    return numbers.astype(np.min_scalar_type(int(numbers.max(initial=0))))


def _bits(symbols: int) -> int:
    return max(1, int(symbols - 1).bit_length())
