"""Compare two groups of reports, term by term, with intervals and tests that respect burstiness."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse, special, stats

from .counts import Counts, Group, count_units, group_label
from .errors import ShinanError
from .occurrences import as_terms, by_sense, occurrences

Array = NDArray[np.float64]

MIN_COUNT = 8
MIN_BLOCKS = 6
SHRINKAGE = 5.0
SHRINKAGE_FLOOR = 5
ALPHA = 0.05
POWER = 0.8
INNER = 0.80
CHUNK = 2_000
TOLERANCE = 1e-9
VERDICTS = ("higher", "lower", "fragile", "no evidence", "too concentrated", "too rare")
COLUMNS = (
    "variant", "scope", "term", "before", "after", "count_before", "count_after", "total_before", "total_after",
    "han_before", "han_after", "rate_before", "rate_after", "log2_ratio", "level", "low", "high", "low_inner", "high_inner", "g2",
    "dispersion", "keyness", "p", "p_closed", "p_adjusted", "p_max", "family", "blocks", "chapters", "heading_share",
    "detectable_ratio", "p_without_chapter", "verdict",
)  # fmt: skip


class Closed(NamedTuple):
    """What can be computed in closed form for each term of a matrix of counts (arrays of length terms)."""

    a: Array
    b: Array
    g2: Array
    phi: Array
    blocks: NDArray[np.int64]
    p: Array


def compare(
    tokens: pd.DataFrame,
    before: Group,
    after: Group,
    *,
    terms: pd.DataFrame | Iterable[str] = (),
    senses: pd.DataFrame | None = None,
    strata: pd.DataFrame | None = None,
    scope: str = "body",
    unit: str = "block",
    headings: bool = True,
    level: float = 0.95,
    n_permutations: int = 99_999,
    seed: int = 0,
    variant: str = "probable",
) -> pd.DataFrame:
    """Compare how often terms stand in two groups of reports.

    The unit of resampling is the block of about five sentences, because words come in bursts: tokens are no independent
    draws. The effect is the log2 ratio of rates (after over before), with 0.5 added to counts and 1 to totals. Its interval
    is quasi-Jeffreys: a Beta posterior of counts divided by the dispersion, the sandwich variance over blocks relative
    to Poisson, shrunk to the mean of the vocabulary and never below 1. The test is a residual permutation of blocks
    within strata (`p`), beside it the closed form G2 / dispersion (`p_closed`). `p_adjusted` is Holm's within each declared
    family, Benjamini and Hochberg's for the vocabulary; `p_max` is Westfall and Young's. All of it speaks of variation
    within these texts; with one report per group, year and report are confounded.

    Parameters
    ----------
    tokens
        The table of :func:`~shinan_research.tokens.tokenize`.
    before, after
        A year, a report id, or a place and a year.
    terms
        Declared terms (:func:`~shinan_research.occurrences.as_terms`). Without any, the vocabulary: tokens of kind word or
        term with a pooled count of at least 8.
    senses
        Coded senses (:func:`~shinan_research.occurrences.occurrences`): one more row per sense, "term: sense".
    strata
        Matched chapters: `report, chapter, stratum`. Without, all text of the scope is one stratum.
    scope
        body (all but the annex), review, plan or annex. Body and annex are never pooled.
    unit
        block, sentence or chapter.
    headings
        Whether text in headings counts.
    level
        Level of the outer interval; the inner is 0.80.
    n_permutations, seed
        Of the permutation; with 0 permutations `p` is the closed form.
    variant
        A name for the text variant compared; it only labels the rows.

    Returns
    -------
    pandas.DataFrame
        One row per term: declared terms in their order, the vocabulary by falling |keyness|. Rates are per 10,000 Han
        characters; `total_*` are the totals of the test (Han characters for declared terms, tokens of kind word or term for
        the vocabulary). `dispersion` is ≥ 1; `detectable_ratio` is the ratio that this test would have found with
        power 0.8. `p_without_chapter` is the largest p (closed form, adjusted) when one chapter is left out. The
        verdict is, in this order, *too rare* (pooled count < 8), *too concentrated* (fewer than 6 blocks), *higher*
        or *lower* if `p_adjusted` ≤ 0.05, *fragile* if leaving one chapter out undoes that, *no evidence*.

    Raises
    ------
    ShinanError
        If a group is absent or holds no text in the scope, or an option is out of range.

    Notes
    -----
    G2: Dunning (1993). Sandwich dispersion: McCullagh and Nelder (1989, ch. 9); shrinkage after Lund et al. (2012).
    Jeffreys interval: Brown, Cai and DasGupta (2001). p never 0: Phipson and Smyth (2010). Untestable: Tarone (1990).
    """
    _check(level, n_permutations, seed)
    family = _families(terms)
    found = None if family.empty else by_sense(occurrences(tokens, terms, senses=senses))
    if found is not None:
        family = family.reindex([str(term) for term in found["term"].cat.categories], fill_value="senses")
    counts = count_units(tokens, found, before, after, scope=scope, unit=unit, headings=headings, strata=strata)
    vocabulary = counts if found is None else count_units(
        tokens, None, before, after, scope=scope, unit=unit, headings=headings, strata=strata
    )  # fmt: skip
    if found is None:
        counts = _select(counts, np.asarray(counts.x.sum(axis=0)).ravel() >= MIN_COUNT)
        family = pd.Series("vocabulary", index=counts.terms)
    common = _common_dispersion(vocabulary)
    closed = _closed(counts, common)
    testable = (closed.a + closed.b >= MIN_COUNT) & (closed.blocks >= MIN_BLOCKS)
    p, p_max = _permute(counts, testable, n_permutations, seed) if n_permutations else (closed.p, np.full(len(closed.p), np.nan))
    names = family.reindex(counts.terms).to_numpy(dtype=object)
    table = _table(counts, closed, level)
    table["p"], table["p_closed"], table["p_max"] = np.where(testable, [p, closed.p, p_max], np.nan)
    table["family"] = names
    table["p_adjusted"] = _adjust(table["p"].to_numpy(), names)
    table["p_without_chapter"] = _without_chapter(counts, common, testable, names)
    table["verdict"] = _verdicts(table, closed, testable)
    table = table.assign(variant=variant, scope=scope, before=group_label(before), after=group_label(after), level=level)
    if found is None:
        order = table["keyness"].abs().round(9).sort_values(ascending=False, kind="stable").index
        table = table.loc[order].reset_index(drop=True)
    table.attrs["settings"] = dict(tokens.attrs.get("settings", {})) | {
        "function": "compare", "scope": scope, "unit": unit, "headings": headings, "level": level, "seed": seed,
        "n_permutations": n_permutations, "common_dispersion": round(common, 6), "min_count": MIN_COUNT, "min_blocks": MIN_BLOCKS,
        "blocks_before": int((~counts.after).sum()), "blocks_after": int(counts.after.sum()),
        "strata": len(set(counts.stratum.tolist())),
    }  # fmt: skip
    return table[list(COLUMNS)]


def _check(level: float, n_permutations: int, seed: int) -> None:
    if not INNER < level < 1:
        raise ShinanError(f"level is {level!r}; expected a number between {INNER} (the inner interval) and 1, such as 0.95.")
    if not isinstance(n_permutations, int) or n_permutations < 0:
        raise ShinanError(f"n_permutations is {n_permutations!r}; expected 0 (closed form) or more, such as 99_999.")
    if not isinstance(seed, int) or seed < 0:
        raise ShinanError(f"seed is {seed!r}; expected a whole number from 0 on.")


def _families(terms: pd.DataFrame | Iterable[str]) -> pd.Series[str]:
    """Return the family of each row of the result, by name; empty where no terms are declared."""
    if not isinstance(terms, pd.DataFrame):
        terms = list(terms)
    if len(terms) == 0:
        return pd.Series(dtype=object)
    table = as_terms(terms)
    family = table.drop_duplicates("term").set_index("term")["family"]
    wide = table.loc[table["role"] == "wide", "term"].unique()
    both: pd.Series[str] = pd.concat([family, pd.Series({f"{name} (wide)": "wide reading" for name in wide}, dtype=object)])
    return both


def _select(counts: Counts, keep: NDArray[np.bool_]) -> Counts:
    """Return counts of the chosen terms alone."""
    terms = [term for term, chosen in zip(counts.terms, keep.tolist(), strict=True) if chosen]
    return counts._replace(terms=terms, x=counts.x[:, np.flatnonzero(keep)], heads=counts.heads[keep])


def log_likelihood(a: Array, b: Array, n1: float, n2: float) -> Array:
    """Return G2 of the 2 × 2 tables (a, n1 − a; b, n2 − b), without correction, in natural logarithms."""
    total, size = a + b, n1 + n2
    cells = [
        (a, total * n1 / size),
        (b, total * n2 / size),
        (n1 - a, (size - total) * n1 / size),
        (n2 - b, (size - total) * n2 / size),
    ]
    parts = [
        special.xlogy(seen, np.divide(seen, expected, out=np.ones_like(seen), where=expected > 0)) for seen, expected in cells
    ]
    return np.asarray(np.maximum(2 * np.sum(parts, axis=0), 0.0))


def raw_dispersion(counts: Counts) -> tuple[Array, Array, Array, NDArray[np.int64]]:
    """Return per term the counts of both groups, the sandwich variance over units relative to Poisson, and units with it.

    In each group v = S / (S − 1) · Σ (x − rate · n)² over its S units; the dispersion is (v₁ + v₂) / (x₁ + x₂), the factor
    by which a Poisson regression's variance must be multiplied (HC0 up to S / (S − 1)).
    """
    variance = np.zeros(counts.x.shape[1])
    sums = []
    for side in (~counts.after, counts.after):
        x, n = counts.x[np.flatnonzero(side)], counts.n[side]
        total = np.asarray(x.sum(axis=0), dtype=float).ravel()
        rate = total / n.sum()
        square = np.asarray(x.multiply(x).sum(axis=0), dtype=float).ravel()
        cross = np.asarray(x.T @ n).ravel()
        size = max(len(n), 2)
        variance += size / (size - 1) * np.maximum(square - 2 * rate * cross + rate**2 * (n @ n), 0)
        sums.append(total)
    blocks = np.diff(counts.x.tocsc().indptr).astype(np.int64)
    pooled = sums[0] + sums[1]
    return sums[0], sums[1], np.divide(variance, pooled, out=np.ones_like(variance), where=pooled > 0), blocks


def _common_dispersion(vocabulary: Counts) -> float:
    """Return the count-weighted mean dispersion of the words that occur at least five times."""
    a, b, phi, _ = raw_dispersion(vocabulary)
    weight = np.where(a + b >= SHRINKAGE_FLOOR, a + b, 0.0)
    return float((weight @ phi) / weight.sum()) if weight.sum() else 1.0


def _closed(counts: Counts, common: float) -> Closed:
    """Return counts, G2, shrunk dispersion and the closed-form p of every term."""
    a, b, raw, blocks = raw_dispersion(counts)
    weight = np.maximum(blocks - 1, 0)
    phi = np.maximum((SHRINKAGE * common + weight * raw) / (SHRINKAGE + weight), 1.0)
    g2 = log_likelihood(a, b, counts.n[~counts.after].sum(), counts.n[counts.after].sum())
    return Closed(a, b, g2, phi, blocks, stats.chi2.sf(g2 / phi, 1))


def _table(counts: Counts, closed: Closed, level: float) -> pd.DataFrame:
    """Return the columns that describe: counts, rates, ratio, intervals, dispersion."""
    a, b, phi = closed.a, closed.b, closed.phi
    n1, n2 = counts.n[~counts.after].sum(), counts.n[counts.after].sum()
    h1, h2 = counts.han[~counts.after].sum(), counts.han[counts.after].sum()
    ratio = np.log2((b + 0.5) / (n2 + 1)) - np.log2((a + 0.5) / (n1 + 1))
    table = pd.DataFrame({"term": counts.terms, "count_before": a.astype(int), "count_after": b.astype(int)})
    table["total_before"], table["total_after"], table["han_before"], table["han_after"] = int(n1), int(n2), int(h1), int(h2)
    table["rate_before"], table["rate_after"] = 1e4 * a / h1, 1e4 * b / h2
    table["log2_ratio"] = ratio
    for low, high, width in (("low", "high", level), ("low_inner", "high_inner", INNER)):
        table[low], table[high] = quasi_jeffreys(a, b, n1, n2, phi, width)
    table["g2"], table["dispersion"] = closed.g2, phi
    table["keyness"] = np.sign(ratio) * np.sqrt(closed.g2 / phi)
    table["blocks"] = closed.blocks
    table["chapters"] = _range(counts)
    table["heading_share"] = np.divide(counts.heads, a + b, out=np.zeros_like(a), where=a + b > 0)
    table["detectable_ratio"] = _detectable(a + b, n1, n2, phi)
    return table


def quasi_jeffreys(a: Array, b: Array, n1: float, n2: float, phi: Array, level: float) -> tuple[Array, Array]:
    """Return the ends of the interval for log2 of the ratio of rates (b / n2) / (a / n1).

    Given a + b, the share of b is binomial; its Jeffreys posterior, with counts divided by the dispersion, is
    Beta(b / phi + 1/2, a / phi + 1/2), and its odds times n1 / n2 are the ratio.
    """
    tail = (1 - level) / 2
    ends = []
    for quantile, flip in ((tail, False), (tail, True)):
        one, two = (a, b) if flip else (b, a)
        share = special.betaincinv(one / phi + 0.5, two / phi + 0.5, quantile)
        odds = np.log2(share) - np.log1p(-share) / np.log(2) + (np.log2(n2 / n1) if flip else np.log2(n1 / n2))
        ends.append(-odds if flip else odds)
    return ends[0], ends[1]


def _range(counts: Counts) -> NDArray[np.int64]:
    """Return in how many chapters each term occurs."""
    chapters = counts.chapter.max() + 1
    rows = sparse.csr_array(
        (np.ones(len(counts.chapter)), (counts.chapter, np.arange(len(counts.chapter)))), shape=(chapters, len(counts.chapter))
    )
    return np.asarray(np.diff((rows @ counts.x).tocsc().indptr), dtype=np.int64)


def _detectable(pooled: Array, n1: float, n2: float, phi: Array) -> Array:
    """Return the ratio of rates that a test of this size finds with power 0.8 (normal approximation)."""
    expected = np.maximum(pooled, 0.5)
    error = np.sqrt(phi * (n1 + n2) / expected * (1 / n1 + 1 / n2))
    return np.exp((stats.norm.isf(ALPHA / 2) + stats.norm.ppf(POWER)) * error)


def _adjust(p: Array, families: NDArray[np.object_]) -> Array:
    """Return p adjusted within each family: Holm for declared ones, Benjamini and Hochberg for the vocabulary."""
    adjusted = np.full(len(p), np.nan)
    for name in dict.fromkeys(families.tolist()):
        rows = np.flatnonzero((families == name) & ~np.isnan(p))
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
    return np.asarray(stats.false_discovery_control(p, method="bh"))


def _without_chapter(counts: Counts, common: float, testable: NDArray[np.bool_], names: NDArray[np.object_]) -> Array:
    """Return per term the largest adjusted p, in closed form, over all ways to leave one chapter out."""
    worst = np.full(len(testable), np.nan)
    for chapter in range(counts.chapter.max() + 1):
        keep = counts.chapter != chapter
        if any(counts.n[keep & (counts.after == side)].sum() == 0 for side in (False, True)):
            continue
        rest = counts._replace(
            x=counts.x[np.flatnonzero(keep)], n=counts.n[keep], han=counts.han[keep], after=counts.after[keep],
            chapter=counts.chapter[keep], stratum=counts.stratum[keep],
        )  # fmt: skip
        p = np.where(testable, _closed(rest, common).p, np.nan)
        worst = np.fmax(worst, _adjust(p, names))
    return worst


def _verdicts(table: pd.DataFrame, closed: Closed, testable: NDArray[np.bool_]) -> list[str]:
    """Return the verdict of each row, in the order that the contract sets."""
    pooled = closed.a + closed.b
    moved = np.where(table["log2_ratio"] > 0, "higher", "lower")
    firm = np.where(table["p_without_chapter"] <= ALPHA, moved, "fragile")
    tested = np.where(table["p_adjusted"] <= ALPHA, firm, "no evidence")
    chosen = np.select([pooled < MIN_COUNT, ~testable], ["too rare", "too concentrated"], tested)
    return [str(verdict) for verdict in chosen]


def _permute(counts: Counts, testable: NDArray[np.bool_], draws: int, seed: int) -> tuple[Array, Array]:
    """Return the two-sided p of the residual permutation, and that of the largest statistic, per term.

    The statistic is the sum, over the units of one group, of count minus expectation at the stratum's pooled rate. The units
    of each stratum are dealt to the groups anew, keeping their numbers; a stratum with one group adds nothing.
    The group dealt is that of the first unit, so that swapping before and after changes no p.
    """
    p, p_max = np.full((2, len(counts.terms)), np.nan)
    chosen = np.flatnonzero(testable)
    if not len(chosen):
        return p, p_max
    drawn = counts.after == counts.after[0]
    residual = _residuals(counts, chosen)
    observed = residual[drawn].sum(axis=0)
    error = np.sqrt(_permutation_variance(residual, counts.stratum, drawn))
    rng = np.random.default_rng(seed)
    above, below, reached = np.ones((3, len(chosen)))
    for start in range(0, draws, CHUNK):
        values = _deal(rng, min(CHUNK, draws - start), counts.stratum, drawn) @ residual
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


def _deal(rng: np.random.Generator, draws: int, stratum: NDArray[np.int64], drawn: NDArray[np.bool_]) -> Array:
    """Return `draws` random deals of the units to the group drawn, within strata: ones and zeros, draws × units."""
    labels = np.zeros((draws, len(drawn)))
    for number in range(stratum.max() + 1):
        rows = np.flatnonzero(stratum == number)
        labels[:, rows] = rng.permuted(np.tile(drawn[rows].astype(float), (draws, 1)), axis=1)
    return labels
