"""Deal units of text to two groups anew, within strata, and see how often chance does what was observed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .counts import Counts
from .rates import Array

CHUNK = 2_000
TOLERANCE = 1e-9


def permute(counts: Counts, testable: NDArray[np.bool_], draws: int, seed: int) -> tuple[Array, Array]:
    """Return the two-sided p of the residual permutation, and that of the largest statistic, per term.

    The statistic is the sum, over the units of one group, of count minus expectation at the stratum's pooled rate. The units
    of each stratum are dealt to the groups anew, keeping their numbers; a stratum with one group adds nothing. Paired reports
    are dealt within their place, which of two is to turn the sign of its difference.
    The group dealt is that of the first unit, so that swapping before and after changes no p.
    """
    p, p_max = np.full((2, len(counts.terms)), np.nan)
    chosen = np.flatnonzero(testable)
    if not len(chosen):
        return p, p_max
    drawn = counts.after == counts.after[0]
    counts = counts._replace(stratum=counts.chapter) if counts.paired else counts
    residual = _residuals(counts, chosen)
    observed = residual[drawn].sum(axis=0)
    error = np.sqrt(_permutation_variance(residual, counts.stratum, drawn))
    rng = np.random.default_rng(seed)
    above, below, reached = np.ones((3, len(chosen)))
    for start in range(0, draws, CHUNK):
        values = deal(rng, min(CHUNK, draws - start), counts.stratum, drawn) @ residual
        above += (values >= observed - TOLERANCE).sum(axis=0)
        below += (values <= observed + TOLERANCE).sum(axis=0)
        largest = np.sort(np.abs(values / error).max(axis=1))
        reached += len(largest) - np.searchsorted(largest, np.abs(observed / error) - TOLERANCE)
    p[chosen] = np.minimum(2 * np.minimum(above, below) / (draws + 1), 1.0)
    p_max[chosen] = reached / (draws + 1)
    return p, p_max


def _residuals(counts: Counts, chosen: NDArray[np.int64]) -> Array:
    """Return counts minus expectation at the pooled rate of the unit's stratum, units × chosen terms."""
    residual: Array = counts.x[:, chosen].toarray().astype(float)
    for stratum in range(counts.stratum.max() + 1):
        rows = counts.stratum == stratum
        size = counts.n[rows].sum()
        if size:
            residual[rows] -= np.outer(counts.n[rows], residual[rows].sum(axis=0) / size)
    return residual


def _permutation_variance(residual: Array, stratum: NDArray[np.int64], drawn: NDArray[np.bool_]) -> Array:
    """Return the variance of the statistic over all deals; a term that cannot move has variance 1."""
    variance = np.zeros(residual.shape[1])
    for number in range(stratum.max() + 1):
        rows = stratum == number
        size, taken = int(rows.sum()), int(drawn[rows].sum())
        if size > 1:
            variance += taken * (size - taken) / (size * (size - 1)) * (residual[rows] ** 2).sum(axis=0)
    return np.where(variance > TOLERANCE, variance, 1.0)


def deal(rng: np.random.Generator, draws: int, stratum: NDArray[np.int64], drawn: NDArray[np.bool_]) -> Array:
    """Return `draws` random deals of the units to the group drawn, within strata: ones and zeros, draws × units."""
    labels = np.zeros((draws, len(drawn)))
    for number in range(stratum.max() + 1):
        rows = np.flatnonzero(stratum == number)
        labels[:, rows] = rng.permuted(np.tile(drawn[rows].astype(float), (draws, 1)), axis=1)
    return labels
