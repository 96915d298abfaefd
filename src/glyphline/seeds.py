"""Randomness as an argument: every item draws from its own generator, keyed by what it is, not by when it is made."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import numpy as np


def derive(seed: int, *keys: int | str) -> int:
    """Return a 128-bit integer that depends on `seed` and `keys` alone (BLAKE2b); the same on every machine."""
    message = "\x1f".join([str(int(seed)), *(f"{type(key).__name__[0]}{key}" for key in keys)])
    return int.from_bytes(hashlib.blake2b(message.encode(), digest_size=16).digest(), "little")


class _Key(np.random.bit_generator.ISeedSequence):
    """Hands Philox its key as it is: given as `key=`, numpy would first gather entropy that nobody uses."""

    def __init__(self, key: int) -> None:
        self.key = key

    def generate_state(self, n_words: int, dtype: type = np.uint32) -> np.ndarray:
        """Return the key's two 64-bit words."""
        return np.array([self.key & 0xFFFFFFFFFFFFFFFF, self.key >> 64], dtype=np.uint64)


def rng(seed: int, *keys: int | str) -> np.random.Generator:
    """Return the generator of the item named by `keys`, for instance `rng(seed, "line", index)`."""
    return keyed(derive(seed, *keys))


def keyed(key: int) -> np.random.Generator:
    """Return the generator of a 128-bit key."""
    # Philox takes its 128-bit key as it is: no seed-sequence hashing, and streams under different keys are independent.
    return np.random.Generator(np.random.Philox(_Key(key)))


def share(seed: int, *keys: int | str) -> float:
    """Return a number in [0, 1) fixed by the keys: for splits that do not move when other items come and go."""
    return derive(seed, *keys) / 2.0**128


def shares(seed: int, key: str, names: Iterable[str]) -> list[float]:
    """Return `share(seed, key, name)` of each name: what is the same for all is put together once."""
    head = "\x1f".join([str(int(seed)), f"s{key}", "s"]).encode()
    digests = (hashlib.blake2b(head + name.encode(), digest_size=16).digest() for name in names)
    return [int.from_bytes(digest, "little") / 2.0**128 for digest in digests]
