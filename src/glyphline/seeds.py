"""Randomness as an argument: every item draws from its own generator, keyed by what it is, not by when it is made."""

from __future__ import annotations

import hashlib

import numpy as np


def derive(seed: int, *keys: int | str) -> int:
    """Return a 128-bit integer that depends on `seed` and `keys` alone (BLAKE2b); the same on every machine."""
    message = "\x1f".join([str(int(seed)), *(f"{type(key).__name__[0]}{key}" for key in keys)])
    return int.from_bytes(hashlib.blake2b(message.encode(), digest_size=16).digest(), "little")


def rng(seed: int, *keys: int | str) -> np.random.Generator:
    """Return the generator of the item named by `keys`, for instance `rng(seed, "line", index)`."""
    # Philox takes its 128-bit key as it is: no seed-sequence hashing, and streams under different keys are independent.
    return np.random.Generator(np.random.Philox(key=derive(seed, *keys)))


def share(seed: int, *keys: int | str) -> float:
    """Return a number in [0, 1) fixed by the keys: for splits that do not move when other items come and go."""
    return derive(seed, *keys) / 2.0**128
