"""Which words make two groups of reports differ: contributions that add up to the divergence, and whether it is large."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse, special

from .counts import FEWEST_PLACES, UNITS, Counts, Group, count_units, group_label, places_compared, unit_of
from .errors import ShinanError
from .permutation import deal
from .rates import Array, indicator, matched, pick

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

    **Several reports in a group.** The unit is then the report, whatever `null` says, and places are what varies, as in
    :func:`~shinan_research.shifts.compare`. Intervals resample places, each with all its reports; the band deals whole reports,
    within their place where each place is compared with itself, and places with reports on one side only are then left
    out altogether. With fewer than ten places all is description: no band, and `low` and `high` are the least and the
    greatest contribution when one place at a time is left out.

    Parameters
    ----------
    tokens
        The table of :func:`~shinan_research.tokens.tokenize`, or of reports counted one by one
        (:func:`~shinan_research.tallies.stack`), then with `null="report"`.
    before, after
        A year, a report id, or a place and a year.
    scope
        body, review, plan or annex.
    null
        The unit dealt at random for the null band: sentence, block or chapter; report where a group holds several.
    level
        Level of the intervals and of the band.
    n_draws, seed
        Of the bootstrap and of the null.

    Returns
    -------
    pandas.DataFrame
        `term, count_before, count_after, contribution` (bits), `share` of the total, `direction` (more before, more after,
        equal), `low, high`; by falling contribution, then by term. `attrs["total"]` is the divergence; `attrs["null"]` the
        ends of the band, its mean, its unit and the verdict *above*, *inside* or *below*; unit and verdict alone where that
        is *description only*.

    Raises
    ------
    ShinanError
        If a group is absent or holds no word in the scope, or the unit is unknown.
    """
    if null not in UNITS:
        raise ShinanError(f"null is {null!r}; allowed: {', '.join(UNITS)}.")
    unit = unit_of(tokens, before, after, null)
    options: dict[str, Any] = {"scope": scope, "headings": True, "strata": None}
    counts = matched(count_units(tokens, None, before, after, unit="report" if unit == "report" else "block", **options))
    a, b = (_sum(counts, side) for side in (~counts.after, counts.after))
    places = places_compared(counts) if unit == "report" else 0
    described = unit == "report" and places < FEWEST_PLACES
    rng, parts = np.random.default_rng(seed), contributions(a, b)
    low, high = _without_each(counts, parts) if described else _intervals(counts, unit, rng, n_draws, level)
    band: dict[str, Any] = {"unit": unit, "verdict": "description only"}
    if not described:
        dealt = counts if unit in ("block", "report") else count_units(tokens, None, before, after, unit=unit, **options)
        band |= _null(dealt, rng, n_draws, level, float(parts.sum()))
    table = _table(counts, a, b, parts).assign(low=low, high=high)
    order = table.assign(rank=-table["contribution"].round(12)).sort_values(["rank", "term"], kind="stable").index
    table = table.loc[order, list(COLUMNS)].reset_index(drop=True)
    table.attrs |= {"total": float(parts.sum()), "null": band}
    table.attrs["settings"] = dict(tokens.attrs.get("settings", {})) | {
        "function": "word_shift", "before": group_label(before), "after": group_label(after), "scope": scope,
        "null": band, "total": table.attrs["total"], "level": level, "n_draws": n_draws, "seed": seed,
        **({"places": places, "paired": counts.paired} if unit == "report" else {}),
    }  # fmt: skip
    return table


def _table(counts: Counts, a: Array, b: Array, parts: Array) -> pd.DataFrame:
    """Return terms with their counts, contributions, shares of the total and directions."""
    table = pd.DataFrame(
        {"term": counts.terms, "count_before": a.astype(int), "count_after": b.astype(int), "contribution": parts}
    )
    rate = b / b.sum() - a / a.sum()
    table["share"] = parts / parts.sum() if parts.sum() else 0.0
    return table.assign(direction=np.select([rate > 0, rate < 0], ["more after", "more before"], "equal"))


def contributions(a: Array, b: Array) -> Array:
    """Return each word's contribution to the Jensen–Shannon divergence, in bits; `a` and `b` are counts (…, words)."""
    p, q = a / np.maximum(a.sum(axis=-1, keepdims=True), 1), b / np.maximum(b.sum(axis=-1, keepdims=True), 1)
    return np.asarray(_part(p, q) + _part(q, p))


def _part(p: Array, q: Array) -> Array:
    """Return ½ p log₂(p / m), 0 where p is 0."""
    return np.asarray(0.5 * (special.xlogy(p, 2 * p / np.where(p + q > 0, p + q, 1)) / np.log(2)))


def _sum(counts: Counts, side: NDArray[np.bool_]) -> Array:
    return np.asarray(counts.x[np.flatnonzero(side)].sum(axis=0), dtype=float).ravel()


def _resampled(counts: Counts, unit: str) -> list[sparse.csr_array]:
    """Return the counts of what is resampled in either group: blocks, or places with all their reports.

    The group of the first unit comes first, so that swapping before and after changes no draw.
    """
    drawn = counts.after == counts.after[0]
    parts = []
    for rows in (np.flatnonzero(drawn), np.flatnonzero(~drawn)):
        codes = np.unique(counts.chapter[rows], return_inverse=True)[1] if unit == "report" else np.arange(len(rows))
        parts.append(indicator(codes, int(codes.max()) + 1) @ counts.x[rows])
    return parts


def _intervals(counts: Counts, unit: str, rng: np.random.Generator, draws: int, level: float) -> tuple[Array, Array]:
    """Return percentile intervals of the contributions, blocks or places resampled; paired places carry both their reports."""
    values = np.empty((draws, len(counts.terms)), dtype=np.float32)
    parts = _resampled(counts, unit)
    for start in range(0, draws, CHUNK):
        size = min(CHUNK, draws - start)
        weights = [
            rng.multinomial(n, np.full(n, 1 / n), size=size) for n in (part.shape[0] for part in parts[: 2 - counts.paired])
        ]
        sides = [(part.T @ weight.T).T.astype(float) for part, weight in zip(parts, [*weights, weights[0]], strict=False)]
        values[start : start + size] = contributions(sides[0], sides[1])
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return np.asarray(low, dtype=float), np.asarray(high, dtype=float)


def _without_each(counts: Counts, whole: Array) -> tuple[Array, Array]:
    """Return the least and the greatest contribution, with all places and with one left out."""
    values = [whole]
    for place in sorted(set(counts.chapter.tolist())):
        rest = pick(counts, counts.chapter != place)
        sides = [_sum(rest, side) for side in (~rest.after, rest.after)]
        if all(side.sum() for side in sides):
            values.append(contributions(sides[0], sides[1]))
    return np.min(values, axis=0), np.max(values, axis=0)


def _null(counts: Counts, rng: np.random.Generator, draws: int, level: float, total: float) -> dict[str, Any]:
    """Return mean and band of the divergence when units are dealt to the groups at random, and where the total lies.

    Their numbers are kept; paired reports are dealt within their place.
    """
    totals = np.empty(draws)
    x: sparse.csc_array = counts.x.tocsc()
    whole = np.asarray(x.sum(axis=0), dtype=float).ravel()
    stratum = counts.chapter if counts.paired else counts.stratum
    for start in range(0, draws, CHUNK):
        size = min(CHUNK, draws - start)
        second = (x.T @ deal(rng, size, stratum, counts.after).T).T
        totals[start : start + size] = contributions(whole - second, second).sum(axis=1)
    low, high = (float(end) for end in np.quantile(totals, [(1 - level) / 2, (1 + level) / 2]))
    verdict = "above" if total > high else "below" if total < low else "inside"
    return {"mean": float(totals.mean()), "low": low, "high": high, "verdict": verdict}
