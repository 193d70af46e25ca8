"""Which words make two groups of reports differ: contributions that add up to the divergence, and whether it is large."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse, special

from .counts import Counts, Group, count_units, group_label
from .errors import ShinanError

Array = NDArray[np.float64]

COLUMNS = ("term", "count_before", "count_after", "contribution", "share", "direction", "low", "high")
CHUNK = 100


def word_shift(
    tokens: pd.DataFrame,
    before: Group,
    after: Group,
    *,
    scope: str = "body",
    null: str = "sentence",
    level: float = 0.95,
    n_draws: int = 1_000,
    seed: int = 0,
) -> pd.DataFrame:
    """Split the Jensen–Shannon divergence of two groups of reports into contributions of words.

    With p and q the shares of a word among the tokens of kind word or term, and m their mean, a word contributes
    ½ (p log₂ p/m + q log₂ q/m) bits; the contributions are ≥ 0 and add up to the divergence (Lin 1991; Gallagher et al. 2021).
    Their intervals resample blocks within each group. Whether the total is large is judged against a null band: the
    divergence of the same text with its sentences (or blocks) dealt to the groups at random.

    Parameters
    ----------
    tokens
        The table of :func:`~shinan_research.tokens.tokenize`.
    before, after
        A year, a report id, or a place and a year.
    scope
        body, review, plan or annex.
    null
        The unit dealt at random for the null band: sentence, block or chapter.
    level
        Level of the intervals and of the band.
    n_draws, seed
        Of the bootstrap and of the null.

    Returns
    -------
    pandas.DataFrame
        `term, count_before, count_after, contribution` (bits), `share` of the total, `direction` (more before, more after,
        equal), `low, high`; by falling contribution, then by term. `attrs["total"]` is the divergence; `attrs["null"]` the
        ends of the band, its mean, its unit and the verdict *above*, *inside* or *below*.

    Raises
    ------
    ShinanError
        If a group is absent or holds no word in the scope, or the unit is unknown.
    """
    if null not in ("sentence", "block", "chapter"):
        raise ShinanError(f"null is {null!r}; allowed: sentence, block, chapter.")
    counts = count_units(tokens, None, before, after, scope=scope, unit="block", headings=True, strata=None)
    a, b = (_sum(counts, side) for side in (~counts.after, counts.after))
    if not a.sum() or not b.sum():
        raise ShinanError(f"The scope {scope!r} holds no word in {before!r} or {after!r}; nothing can be compared there.")
    rng = np.random.default_rng(seed)
    parts = contributions(a, b)
    low, high = _intervals(counts, rng, n_draws, level)
    dealt = (
        counts
        if null == "block"
        else count_units(tokens, None, before, after, scope=scope, unit=null, headings=True, strata=None)
    )
    band = _null(dealt, rng, n_draws, level)
    table = pd.DataFrame(
        {"term": counts.terms, "count_before": a.astype(int), "count_after": b.astype(int), "contribution": parts}
    )
    table["share"] = parts / parts.sum() if parts.sum() else 0.0
    rate = b / b.sum() - a / a.sum()
    table["direction"] = np.select([rate > 0, rate < 0], ["more after", "more before"], "equal")
    table["low"], table["high"] = low, high
    order = table.assign(rank=-table["contribution"].round(12)).sort_values(["rank", "term"], kind="stable").index
    table = table.loc[order, list(COLUMNS)].reset_index(drop=True)
    total = float(parts.sum())
    table.attrs["total"] = total
    table.attrs["null"] = {
        **band,
        "unit": null,
        "verdict": "above" if total > band["high"] else "below" if total < band["low"] else "inside",
    }
    table.attrs["settings"] = dict(tokens.attrs.get("settings", {})) | {
        "function": "word_shift", "before": group_label(before), "after": group_label(after), "scope": scope,
        "null": table.attrs["null"], "total": total, "level": level, "n_draws": n_draws, "seed": seed,
    }  # fmt: skip
    return table


def contributions(a: Array, b: Array) -> Array:
    """Return each word's contribution to the Jensen–Shannon divergence, in bits; `a` and `b` are counts (…, words)."""
    p, q = a / np.maximum(a.sum(axis=-1, keepdims=True), 1), b / np.maximum(b.sum(axis=-1, keepdims=True), 1)
    return np.asarray(_part(p, q) + _part(q, p))


def _part(p: Array, q: Array) -> Array:
    """Return ½ p log₂(p / m), 0 where p is 0."""
    return np.asarray(0.5 * (special.xlogy(p, 2 * p / np.where(p + q > 0, p + q, 1)) / np.log(2)))


def _sum(counts: Counts, side: NDArray[np.bool_]) -> Array:
    return np.asarray(counts.x[np.flatnonzero(side)].sum(axis=0), dtype=float).ravel()


def _intervals(counts: Counts, rng: np.random.Generator, draws: int, level: float) -> tuple[Array, Array]:
    """Return percentile intervals of the contributions, blocks resampled within each group."""
    values = np.empty((draws, len(counts.terms)), dtype=np.float32)
    for start in range(0, draws, CHUNK):
        size = min(CHUNK, draws - start)
        sides = []
        for side in (~counts.after, counts.after):
            rows = np.flatnonzero(side)
            weights = rng.multinomial(len(rows), np.full(len(rows), 1 / len(rows)), size=size)
            sides.append((counts.x[rows].T @ weights.T).T.astype(float))
        values[start : start + size] = contributions(sides[0], sides[1])
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return np.asarray(low, dtype=float), np.asarray(high, dtype=float)


def _null(counts: Counts, rng: np.random.Generator, draws: int, level: float) -> dict[str, float]:
    """Return mean and band of the divergence when units are dealt to the groups at random, keeping their numbers."""
    totals = np.empty(draws)
    x: sparse.csc_array = counts.x.tocsc()
    whole = np.asarray(x.sum(axis=0), dtype=float).ravel()
    for start in range(0, draws, CHUNK):
        size = min(CHUNK, draws - start)
        labels = rng.permuted(np.tile(counts.after.astype(np.int64), (size, 1)), axis=1)
        second = (x.T @ labels.T).T.astype(float)
        totals[start : start + size] = contributions(whole - second, second).sum(axis=1)
    low, high = np.quantile(totals, [(1 - level) / 2, (1 + level) / 2])
    return {"mean": float(totals.mean()), "low": float(low), "high": float(high)}
