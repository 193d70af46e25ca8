"""Adjust p for the number of tests."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from .rates import Array


def adjust(p: Array, families: Mapping[str, NDArray[np.intp]]) -> Array:
    """Return p adjusted within each family of rows: Holm for declared ones, Benjamini and Hochberg for the vocabulary."""
    adjusted = np.full(len(p), np.nan)
    for name, members in families.items():
        rows = members[~np.isnan(p[members])]
        if len(rows):
            adjusted[rows] = false_discovery(p[rows]) if name == "vocabulary" else holm(p[rows])
    return adjusted


def holm(p: Array) -> Array:
    """Return p adjusted by Holm's step-down rule (family-wise error)."""
    order = np.argsort(p, kind="stable")
    steps = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(steps, 1.0)
    return adjusted


def false_discovery(p: Array) -> Array:
    """Return p adjusted by Benjamini and Hochberg's step-up rule (false discovery rate)."""
    order = np.argsort(p, kind="stable")
    steps = np.minimum.accumulate((p[order] * (len(p) / np.arange(1, len(p) + 1)))[::-1])[::-1]
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(steps, 1.0)
    return adjusted
