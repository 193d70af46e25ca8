"""Texts as arrays: the code of every character, and which classes of characters it belongs to."""

from __future__ import annotations

import re
from functools import cache

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.int64]
Marks = NDArray[np.uint8]

CHARACTERS = 0x110000


def code_points(text: str) -> Ids:
    """Return the code of every character."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32).astype(np.int64)


@cache
def classes(*patterns: str) -> Marks:
    """Return for every character that there is which classes it belongs to: bit 0 for the first, bit 1 for the second, ….

    A class is what stands between the brackets of a regular expression. ``classes(…)[code_points(text)]`` asks once for all
    characters what an expression would ask one after the other.

    >>> classes("0-9", "5一二")[code_points("5,一8")].tolist()
    [3, 0, 2, 1]
    """
    every = np.arange(CHARACTERS, dtype=np.uint32).tobytes().decode("utf-32-le", "surrogatepass")
    marks = np.zeros(CHARACTERS, dtype=np.uint8)
    for bit, pattern in enumerate(patterns):
        for match in re.finditer(f"[{pattern}]+", every):
            marks[match.start() : match.end()] |= 1 << bit
    return marks
