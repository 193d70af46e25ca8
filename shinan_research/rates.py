"""Estimate ratios of rates in closed form, all terms at once: G2, dispersion, matched ratio, interval, detectable ratio."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse, special

from .counts import Counts
from .errors import ShinanError

Array = NDArray[np.float64]

ALPHA = 0.05
POWER = 0.8
SHRINKAGE = 5.0
SHRINKAGE_FLOOR = 5
STEPS = 100
PRECISION = 1e-12


class Closed(NamedTuple):
    """What can be computed in closed form for each term of a matrix of counts (arrays of length terms)."""

    a: Array
    b: Array
    g2: Array
    phi: Array
    blocks: NDArray[np.int64]
    p: Array


class Strata(NamedTuple):
    """Per stratum, counts of each term in both groups together (`x`, strata × terms) and the totals of either group."""

    x: Array
    n1: Array
    n2: Array


def matched(counts: Counts) -> Counts:
    """Return the units whose stratum, or place, holds text of both groups; the others have nothing to be compared with.

    Raises
    ------
    ShinanError
        If there is none.
    """
    keep = both(counts)
    if not keep.any():
        raise ShinanError("No stratum holds text of both groups. Match one chapter at least, or compare without strata.")
    return counts if keep.all() else pick(counts, keep)


def both(counts: Counts) -> NDArray[np.bool_]:
    """Return which units belong to a stratum (of paired reports: a place) that holds text of both groups."""
    codes = counts.chapter if counts.paired else counts.stratum
    size = int(codes.max(initial=-1)) + 1
    first, second = (np.bincount(codes[side], counts.n[side], size) for side in (~counts.after, counts.after))
    inside: NDArray[np.bool_] = np.take((first > 0) & (second > 0), codes)
    return inside


def pick(counts: Counts, keep: NDArray[np.bool_]) -> Counts:
    """Return counts of the chosen units alone."""
    return counts._replace(
        x=counts.x[np.flatnonzero(keep)], n=counts.n[keep], han=counts.han[keep], after=counts.after[keep],
        chapter=counts.chapter[keep], stratum=counts.stratum[keep],
    )  # fmt: skip


def by_stratum(counts: Counts) -> Strata:
    """Return counts and totals summed within strata; strata without a unit are left out."""
    codes = np.unique(counts.stratum, return_inverse=True)[1]
    size = int(codes.max()) + 1
    sums = (indicator(codes, size) @ counts.x).todense() if size > 1 else counts.x.sum(axis=0)[None]
    x = np.asarray(sums, dtype=float)
    n1, n2 = (np.bincount(codes[side], counts.n[side], size).astype(float) for side in (~counts.after, counts.after))
    return Strata(x, n1, n2)


def indicator(codes: NDArray[np.int64], size: int) -> sparse.csr_array:
    """Return the matrix that sums rows with the same code."""
    return sparse.csr_array((np.ones(len(codes)), (codes, np.arange(len(codes)))), shape=(size, len(codes)))


def log_likelihood(a: Array, b: Array, n1: float, n2: float, expected: Array | None = None) -> Array:
    """Return G2 of the 2 × 2 tables (a, n1 − a; b, n2 − b), without correction, in natural logarithms.

    `expected` is what `b` would be without a difference; by default the share of n2 in the whole. Within strata it is the sum of
    the strata's expectations.
    """
    second = (a + b) * n2 / (n1 + n2) if expected is None else expected
    first = a + b - second
    cells = [(a, first), (b, second), (n1 - a, n1 - first), (n2 - b, n2 - second)]
    parts = [special.xlogy(seen, np.divide(seen, mean, out=np.ones_like(seen), where=mean > 0)) for seen, mean in cells]
    return np.asarray(np.maximum(2 * np.sum(parts, axis=0), 0.0))


def chi_square(a: Array, b: Array, n1: Array, n2: Array) -> Array:
    """Return Pearson's χ² of the 2 × 2 tables (a, n1 − a; b, n2 − b), without correction; 0 where a margin is empty."""
    cross = a * (n2 - b) - b * (n1 - a)
    margins = n1 * n2 * (a + b) * (n1 + n2 - a - b)
    return np.asarray(np.divide((n1 + n2) * cross**2, margins, out=np.zeros_like(cross), where=margins > 0))


def expectation(strata: Strata) -> Array:
    """Return the count of the second group that each stratum's pooled rate leads to, summed over strata."""
    return np.asarray((strata.n2 / (strata.n1 + strata.n2)) @ strata.x)


def raw_dispersion(counts: Counts) -> tuple[Array, Array, Array, NDArray[np.int64]]:
    """Return per term the counts of both groups, the sandwich variance over units relative to Poisson, and units with it.

    In each cell (a group within a stratum) v = S / (S − 1) · Σ (x − rate · n)² over its S units; the dispersion is the sum
    of v over the count, the factor by which a Poisson regression's variance must be multiplied (HC0 up to S / (S − 1)). Cells
    of one unit tell nothing of variation; those of a group are put together (collapsed strata: Cochran 1977, ch. 5A),
    so that a difference of strata counts as variation there.

    Of paired reports the unit is the place: v = S / (S − 1) · Σ (d2 − d1)², d being a place's count minus what its group's rate
    leads to, so that what the two reports of a place share drops out.
    """
    if counts.paired:
        return _paired_dispersion(counts)
    codes = _cells(counts)
    a, b = (np.asarray(counts.x[np.flatnonzero(side)].sum(axis=0), dtype=float).ravel() for side in (~counts.after, counts.after))
    blocks = np.diff(counts.x.tocsc().indptr).astype(np.int64)
    return a, b, _relative(_sums(counts, codes, int(codes.max()) + 1), a + b), blocks


class Sums(NamedTuple):
    """Sums over the units of each cell: of x, x² and x · n (cells × terms), of n and n², and how many units there are."""

    x: Any
    square: Any
    cross: Any
    n: Array
    n_square: Array
    units: NDArray[np.int64]


def _sums(counts: Counts, codes: NDArray[np.int64], size: int, *, dense: bool = True) -> Sums:
    """Return the sums over the units that have the same code, as arrays or as sparse matrices."""
    add = indicator(codes, size)
    n: list[Any] = [np.bincount(codes, counts.n**power, size) for power in (1, 2)]
    sums: list[Any] = [
        add @ each for each in (counts.x, counts.x.multiply(counts.x), counts.x.multiply(counts.n[:, None]).tocsr())
    ]
    x, square, cross = (np.asarray(each.todense(), dtype=float) for each in sums) if dense else sums
    return Sums(x, square, cross, n[0], n[1], np.bincount(codes, minlength=size))


def _relative(sums: Sums, count: Array) -> Array:
    """Return the variance over units within cells as a multiple of Poisson's."""
    factor = np.where(sums.units > 0, np.maximum(sums.units, 2) / np.maximum(sums.units - 1, 1), 0.0)
    rate = sums.x / np.where(sums.n > 0, sums.n, 1.0)[:, None]
    variance = factor @ sums.square - 2 * (factor[:, None] * rate * sums.cross).sum(axis=0) + (factor * sums.n_square) @ rate**2
    return np.asarray(np.divide(np.maximum(variance, 0), count, out=np.ones_like(count), where=count > 0))


class Pairs(NamedTuple):
    """Sums over places: of both counts, of the squared difference, and of it times either total (arrays of length terms).

    `n1` and `n2` are the totals of each place.
    """

    a: Array
    b: Array
    squares: Array
    cross1: Array
    cross2: Array
    n1: Array
    n2: Array


def _by_place(counts: Counts) -> tuple[sparse.csr_array, sparse.csr_array, Array, Array, NDArray[np.int64]]:
    """Return counts and totals of both groups by place, and the places' codes."""
    codes, place = np.unique(counts.chapter, return_inverse=True)
    sums = [indicator(place, len(codes))[:, np.flatnonzero(side)] for side in (~counts.after, counts.after)]
    x1, x2 = (part @ counts.x[np.flatnonzero(side)] for part, side in zip(sums, (~counts.after, counts.after), strict=True))
    n1, n2 = (part @ counts.n[side] for part, side in zip(sums, (~counts.after, counts.after), strict=True))
    return x1, x2, n1, n2, codes


def _pairs(x1: Any, x2: Any, n1: Array, n2: Array) -> Pairs:
    """Return the sums over the places that are the rows of two matrices."""
    gap = (x2 - x1).tocsr()
    a, b, squares = (np.asarray(x.sum(axis=0), dtype=float).ravel() for x in (x1, x2, gap.multiply(gap)))
    return Pairs(a, b, squares, gap.T @ n1, gap.T @ n2, n1, n2)


def _paired_variance(pairs: Pairs) -> Array:
    """Return the variance of the differences of places as a multiple of Poisson's."""
    a, b, squares, cross1, cross2, n1, n2 = pairs
    r1, r2, size = a / n1.sum(), b / n2.sum(), len(n1)
    expected = r2**2 * (n2 @ n2) - 2 * r1 * r2 * (n1 @ n2) + r1**2 * (n1 @ n1)
    variance = squares - 2 * (r2 * cross2 - r1 * cross1) + expected
    free = max(size - 1, 1)
    wider = (student(ALPHA / 2, free) / normal(ALPHA / 2)) ** 2
    raw = np.divide(wider * size / free * np.maximum(variance, 0), a + b, out=np.ones_like(a), where=a + b > 0)
    return np.asarray(raw)


def _paired_dispersion(counts: Counts) -> tuple[Array, Array, Array, NDArray[np.int64]]:
    """Return what :func:`raw_dispersion` does, places being the units and their two deviations taken from each other."""
    pairs = _pairs(*_by_place(counts)[:4])
    return pairs.a, pairs.b, _paired_variance(pairs), np.bincount(counts.x.indices, minlength=counts.x.shape[1])


def _cells(counts: Counts) -> NDArray[np.int64]:
    """Return the cell of each unit: 2 · stratum + group, or 0 and 1 for the units alone in theirs."""
    cells = 2 * (counts.stratum + 1) + counts.after
    alone = np.bincount(cells)[cells] == 1
    return np.where(alone, counts.after, cells).astype(np.int64)


def common_dispersion(vocabulary: Counts) -> float:
    """Return the count-weighted mean dispersion of the words that occur at least five times."""
    a, b, phi, _ = raw_dispersion(vocabulary)
    weight = np.where(a + b >= SHRINKAGE_FLOOR, a + b, 0.0)
    return float((weight @ phi) / weight.sum()) if weight.sum() else 1.0


def closed_form(counts: Counts, common: float) -> Closed:
    """Return counts, G2 against the strata's expectation, shrunk dispersion and p of every term."""
    return _closed(*raw_dispersion(counts), common, by_stratum(counts))


def _closed(a: Array, b: Array, raw: Array, blocks: NDArray[np.int64], common: float, strata: Strata) -> Closed:
    """Return the closed form of sums over units."""
    g2, phi = _relative_g2(a, b, raw, blocks, common, strata)
    return Closed(a, b, g2, phi, blocks, special.chdtrc(1, g2 / phi))


def _relative_g2(a: Array, b: Array, raw: Array, blocks: NDArray[np.int64], common: float, strata: Strata) -> tuple[Array, Array]:
    """Return G2 against the strata's expectation, and the shrunk dispersion."""
    weight = np.maximum(blocks - 1, 0)
    phi = np.maximum((SHRINKAGE * common + weight * raw) / (SHRINKAGE + weight), 1.0)
    return log_likelihood(a, b, strata.n1.sum(), strata.n2.sum(), expectation(strata)), phi


def without_each(counts: Counts, common: float) -> Iterator[tuple[int, Array]]:
    """Yield each chapter whose absence leaves text of both groups in a stratum, with the p of every term without it.

    The sums without a chapter are those of the whole less its own: of whole numbers, hence exact.
    """
    if counts.paired:
        yield from _without_each_place(counts, common)
        return
    cells, chapters = 2 * (counts.stratum + 1) + counts.after, int(counts.chapter.max()) + 1  # as _cells numbers them
    size = 2 * (int(counts.stratum.max()) + 2)
    places = size * counts.chapter + cells
    whole, each = _sums(counts, cells, size), _sums(counts, places, size * chapters, dense=False)
    held = [indicator(codes, size * times) @ (counts.x > 0) for codes, times in ((cells, 1), (places, chapters))]
    blocks = held[0].toarray()
    for chapter in range(chapters):
        rows = slice(size * chapter, size * (chapter + 1))
        less = [part.toarray() if hasattr(part, "toarray") else part for part in (sums[rows] for sums in (*each, held[1]))]
        left = [all_of_it - part for all_of_it, part in zip((*whole, blocks), less, strict=True)]
        inside = np.repeat((left[3].reshape(-1, 2) > 0).all(axis=1), 2)
        if inside.any():
            left = [part * (inside if part.ndim == 1 else inside[:, None]) for part in left]
            yield chapter, _of_cells(Sums(*left[:-1]), left[-1].sum(axis=0).astype(np.int64), common)


def _of_cells(sums: Sums, blocks: NDArray[np.int64], common: float) -> Array:
    """Return the p of every term from the sums of all cells, those of a stratum without a counterpart being 0."""
    inside = np.flatnonzero(sums.n[2::2])
    end = 2 * (int(inside[-1]) + 2)
    strata = Strata((sums.x[2::2] + sums.x[3::2])[inside], sums.n[2::2][inside], sums.n[3::2][inside])
    a, b = sums.x[2::2].sum(axis=0), sums.x[3::2].sum(axis=0)
    alone = np.flatnonzero(sums.units == 1)
    parts = [np.array(part[:end], dtype=float) for part in sums]
    for part in parts:
        for cell in alone.tolist():
            part[cell % 2] += part[cell]
            part[cell] = 0
    return _closed(a, b, _relative(Sums(*parts), a + b), blocks, common, strata).p


def _without_each_place(counts: Counts, common: float) -> Iterator[tuple[int, Array]]:
    """Yield what :func:`without_each` does of paired reports: sums over places are those of the whole less one place's."""
    like = matched(counts)
    x1, x2, n1, n2, codes = _by_place(like)
    whole, gap = _pairs(x1, x2, n1, n2), (x2 - x1).tocsr()
    squares = gap.multiply(gap).tocsr()
    held = indicator(np.searchsorted(codes, like.chapter), len(codes)) @ (like.x > 0)
    blocks = np.asarray(held.sum(axis=0)).ravel()
    for chapter in range(counts.chapter.max() + 1):
        row = np.flatnonzero(codes == chapter)
        if len(codes) > len(row):
            left = Pairs(
                _less(whole.a, x1, row), _less(whole.b, x2, row), _less(whole.squares, squares, row),
                _less(whole.cross1, gap, row, n1), _less(whole.cross2, gap, row, n2),
                *(np.delete(each, row) for each in (n1, n2)),
            )  # fmt: skip
            strata = Strata((left.a + left.b)[None], *(each.sum(keepdims=True) for each in (left.n1, left.n2)))
            g2, phi = _relative_g2(left.a, left.b, _paired_variance(left), _less(blocks, held, row), common, strata)
            yield chapter, special.erfc(np.sqrt(g2 / phi / 2))  # chdtrc to 1e-13, at a hundredth of its cost


def _less(whole: Any, x: sparse.csr_array, rows: NDArray[np.intp], factor: Array | None = None) -> Any:
    """Return sums over the rows of a matrix less some of its rows, each times its factor."""
    left = whole.copy()
    for row in rows.tolist():
        cells = slice(x.indptr[row], x.indptr[row + 1])
        left[x.indices[cells]] -= x.data[cells] if factor is None else x.data[cells] * factor[row]
    return left


def quasi_jeffreys(a: Array, b: Array, strata: Strata, phi: Array, level: float) -> tuple[Array, Array]:
    """Return the ends of the interval for log2 of the ratio of rates that the strata have in common.

    Given the counts of both groups together, the share of b is binomial; its Jeffreys posterior, with counts divided by the
    dispersion, is Beta(b / phi + 1/2, a / phi + 1/2). The quantiles of the share become ratios by :func:`common_ratio`; with
    one stratum that is the odds times n1 / n2.
    """
    tail = (1 - level) / 2
    shares = (special.betaincinv(one / phi + 0.5, two / phi + 0.5, tail) for one, two in ((b, a), (a, b)))
    below, above = (np.asarray(special.logit(share), dtype=np.float64) for share in shares)
    return common_ratio(below, strata), common_ratio(-above, strata)


def common_ratio(logit: Array, strata: Strata) -> Array:
    """Return log2 of the ratio R of rates at which the second group would have a share of the counts with this logit.

    In a stratum the share is R n2 / (n1 + R n2), and over strata their mean, weighted by the counts of the term (by the totals
    if there are none). Given the counts of the strata this is the equation of the maximum likelihood estimate of a ratio
    common to them (Breslow and Day 1987, ch. 3). One stratum has a closed form; otherwise Newton steps on the logit.
    """
    offset = np.log(strata.n2 / strata.n1)
    if len(offset) == 1:
        return np.asarray((logit - offset[0]) / np.log(2))
    totals = strata.x.sum(axis=0)
    size = strata.n1 + strata.n2
    weight = np.where(totals > 0, strata.x, size[:, None]) / np.where(totals > 0, totals, size.sum())
    value = logit - offset @ weight
    for _ in range(STEPS):
        share = special.expit(value + offset[:, None])
        mean = (weight * share).sum(axis=0)
        slope = (weight * share * (1 - share)).sum(axis=0) / (mean * (1 - mean))
        step = (special.logit(mean) - logit) / np.maximum(slope, 0.25)
        value = value - step
        if np.abs(step).max(initial=0.0) < PRECISION:
            break
    return np.asarray(value / np.log(2))


def spread(counts: Counts, whole: Array) -> tuple[Array, Array]:
    """Return the least and the greatest log2 ratio from place to place: of each with itself, else of any two; `whole` is one."""
    rates = np.log2(counts.x.toarray() + 0.5) - np.log2(counts.n + 1)[:, None]
    first, second = (
        {code: rates[side & (counts.chapter == code)].mean(axis=0) for code in sorted(set(counts.chapter[side].tolist()))}
        for side in (~counts.after, counts.after)
    )
    pairs = [(code, code) for code in first if code in second] or [(one, two) for one in first for two in second]
    ratios = np.array([whole, *(second[two] - first[one] for one, two in pairs)])
    return ratios.min(axis=0), ratios.max(axis=0)


def detectable_ratio(pooled: Array, n1: float, n2: float, phi: Array) -> Array:
    """Return the ratio of rates that a test of this size finds with power 0.8 (normal approximation)."""
    expected = np.maximum(pooled, 0.5)
    error = np.sqrt(phi * (n1 + n2) / expected * (1 / n1 + 1 / n2))
    return np.asarray(np.exp((normal(ALPHA / 2) + normal(1 - POWER)) * error))


def normal(tail: float) -> float:
    """Return the value that a standard normal exceeds with this probability; `scipy.stats` takes long to import."""
    return -float(special.ndtri(tail))


def student(tail: float, free: float) -> float:
    """Return the value that Student's t exceeds with this probability."""
    return -float(special.stdtrit(free, tail))
