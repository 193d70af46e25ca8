"""Compare two groups of reports, term by term, with intervals and tests that respect burstiness."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import compress, product
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from .counts import FEWEST_PLACES, Counts, Group, count_units, group_label, places_compared, unit_of
from .errors import ShinanError
from .multiplicity import adjust
from .occurrences import as_terms, by_sense, judges_of, occurrences
from .permutation import permute
from .rates import (
    ALPHA,
    Array,
    Closed,
    Strata,
    by_stratum,
    closed_form,
    common_dispersion,
    common_ratio,
    detectable_ratio,
    log_likelihood,
    matched,
    pick,
    quasi_jeffreys,
    spread,
    without_each,
)

MIN_COUNT = 8
MIN_BLOCKS = 6
INNER = 0.80
VERDICTS = ("higher", "lower", "fragile", "no evidence", "too concentrated", "too rare", "description only")
HANGS_ON = ("matching", "chapter", "reading")
COLUMNS = (
    "variant", "scope", "term", "before", "after", "count_before", "count_after", "total_before", "total_after",
    "han_before", "han_after", "rate_before", "rate_after", "log2_ratio", "matched_before", "matched_after", "log2_matched",
    "level", "low", "high", "low_inner", "high_inner", "g2", "dispersion", "keyness", "p", "p_closed", "p_adjusted", "p_max",
    "family", "blocks", "chapters", "heading_share", "detectable_ratio", "p_without_chapter", "p_unmatched", "p_readings",
    "hangs_on", "verdict",
)  # fmt: skip


def compare(
    tokens: pd.DataFrame,
    before: Group,
    after: Group,
    *,
    terms: pd.DataFrame | Iterable[str] = (),
    senses: pd.DataFrame | None = None,
    found: pd.DataFrame | None = None,
    strata: pd.DataFrame | None = None,
    readings: Mapping[str, pd.DataFrame] | None = None,
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
    draws. Like is set beside like: with `strata`, the ratio, its interval and the test are those within matched chapters.
    The ratio is the one that the strata have in common; its interval is quasi-Jeffreys: a Beta posterior of counts divided by
    the dispersion, the sandwich variance over blocks of a stratum relative to Poisson, shrunk to the mean of the
    vocabulary and never below 1. The test is a residual permutation of blocks within strata (`p`), beside it the closed form
    G2 / dispersion (`p_closed`). `p_adjusted` is Holm's within each declared family, Benjamini and Hochberg's for the
    vocabulary; `p_max` is Westfall and Young's. All of it speaks of variation within these texts; with one report per group,
    year and report are confounded.

    **Chapters without a counterpart** (a stratum that one group lacks) enter counts and rates, which are facts about the
    whole scope, and nothing else: as in Mantel and Haenszel's test there is nothing in the other group that they could be
    compared with, so ratio, interval and test leave them aside. That a chapter came or went is seen in `count_*` against
    `matched_*`, and in the test without matching (`p_unmatched`): where the two tests disagree the verdict is *fragile*.

    **Several reports in a group.** The unit is then the report, whatever `unit` says, and places are what varies: one report's
    passages are no independent draws from many reports. Where the same places stand in both groups, each is compared with
    itself: the dispersion is that of the differences of places, and the permutation turns their signs. With fewer than ten
    places the verdict is *description only*: no test, and `low` and `high` are the least and the greatest of the ratios from
    place to place. What the columns call chapters are then places, blocks are reports, and one more column, `unit`, says so.

    Parameters
    ----------
    tokens
        The table of :func:`~shinan_research.tokens.tokenize`, or of reports counted one by one
        (:func:`~shinan_research.tallies.stack`).
    before, after
        A year, a report id, or a place and a year.
    terms
        Declared terms (:func:`~shinan_research.occurrences.as_terms`). Without any, the vocabulary: tokens of kind word or
        term with a pooled count of at least 8.
    senses
        Coded senses (:func:`~shinan_research.occurrences.occurrences`): one more row per sense, "term: sense".
    found
        The occurrences of the terms in these tokens, where they are at hand; else they are looked for.
    strata
        Matched chapters: `report, chapter, stratum` (`study.strata`). Without, all text of the scope is one stratum. Chapters
        that no row names form a stratum with the rest of their part.
    readings
        Tokens of the same reports in other readings of the text (:func:`~shinan_research.restore.variants`), by name; a
        verdict that one of them undoes is *fragile*. Senses are coded in one reading and left out of the others.
    scope
        body (all but the annex), review, plan or annex. Body and annex are never pooled.
    unit
        block, sentence or chapter; report where a group holds several.
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
        One row per term: declared terms in their order, the vocabulary by falling |keyness| = √(G2 within strata / dispersion).
        `count_*`, `rate_*` (per 10,000 Han characters), `log2_ratio` and `g2` (without strata, as other programs print it)
        are of the whole scope; `total_*` are the totals of the test (Han characters for declared terms, tokens of kind word or
        term for the vocabulary). `matched_*` are the counts in chapters with a counterpart, `log2_matched` their common
        ratio, to which the intervals belong; both ratios add 0.5 to counts. `dispersion` is ≥ 1; `detectable_ratio` is the
        ratio that this test would have found with power 0.8. `p_without_chapter` and `p_readings` are the largest adjusted p
        when one chapter is left out, and in other readings (closed form; by permutation for what a permutation found);
        `p_unmatched` is the adjusted p without strata. The verdict is, in this order, *description only* (several reports of
        fewer than ten places), *too rare* (pooled count < 8), *too concentrated* (fewer than 8 or fewer than 6
        blocks in matched chapters), *higher* or *lower* if `p_adjusted` ≤ 0.05, *fragile* if leaving out a chapter or
        another reading undoes that, or if the tests with and without matching disagree (`hangs_on` says which), *no
        evidence*.

    Raises
    ------
    ShinanError
        If a group is absent or holds no text in the scope, no stratum holds text of both, or an option is out of range.

    Notes
    -----
    G2: Dunning (1993). Strata: Mantel and Haenszel (1959); common ratio: Breslow and Day (1987, ch. 3). Sandwich dispersion:
    McCullagh and Nelder (1989, ch. 9); shrinkage after Lund et al. (2012). Jeffreys interval: Brown, Cai and DasGupta (2001). p
    never 0: Phipson and Smyth (2010). Untestable: Tarone (1990).
    """
    _check(level, n_permutations, seed)
    terms = terms if isinstance(terms, pd.DataFrame) else [terms] if isinstance(terms, str) else list(terms)
    family = _families(terms)
    unit = unit_of(tokens, before, after, unit)
    options: dict[str, Any] = {"scope": scope, "unit": unit, "headings": headings, "strata": strata}
    counts, vocabulary = _counted(tokens, before, after, (terms, senses, found), options)
    names = family.reindex(counts.terms, fill_value="vocabulary" if family.empty else "senses").to_numpy(dtype=object)
    like, common = matched(counts), common_dispersion(matched(vocabulary))
    closed = closed_form(like, common)
    places = {"places": places_compared(like), "paired": like.paired}
    described = unit == "report" and places["places"] < FEWEST_PLACES
    testable = (closed.a + closed.b >= MIN_COUNT) & (closed.blocks >= MIN_BLOCKS) & (not described)
    p, p_max = permute(like, testable, n_permutations, seed) if n_permutations else (closed.p, np.full(len(closed.p), np.nan))
    table = _table(counts, like, closed, level)
    if described:
        table["low"], table["high"] = spread(like, table["log2_matched"].to_numpy())
        table["low_inner"] = table["high_inner"] = table["log2_matched"]
    table["p"], table["p_closed"], table["p_max"] = np.where(testable, [p, closed.p, p_max], np.nan)
    families = {name: np.flatnonzero(names == name) for name in pd.unique(names)}
    table["family"], table["p_adjusted"] = names, adjust(table["p"].to_numpy(), families)
    settled = Settled(table["p"].to_numpy(), table["p_adjusted"].to_numpy() <= ALPHA, families, n_permutations, seed)
    table["p_without_chapter"] = _without_chapter(counts, common, settled)
    table["p_unmatched"] = _unmatched(counts, vocabulary, settled) if np.ptp(counts.stratum) else table["p_adjusted"]
    others = [_counted(other, before, after, (terms, None, None), options) for other in (readings or {}).values()]
    table["p_readings"] = _in_readings(counts.terms, others, settled)
    table["verdict"], table["hangs_on"] = ("description only", "") if described else _verdicts(table, testable)
    table = table.assign(
        variant=variant, scope=scope, unit=unit, before=group_label(before), after=group_label(after), level=level
    )
    if "vocabulary" in names:
        order = table["keyness"].abs().round(9).sort_values(ascending=False, kind="stable").index
        table = table.loc[order].reset_index(drop=True)
    table.attrs["settings"] = dict(tokens.attrs.get("settings", {})) | {
        "function": "compare", "before": group_label(before), "after": group_label(after), "scope": scope, "unit": unit,
        "headings": headings, "level": level, "seed": seed, "n_permutations": n_permutations,
        "common_dispersion": round(common, 6), "min_count": MIN_COUNT, "min_blocks": MIN_BLOCKS,
        "readings": list(readings or {}), "strata_judges": judges_of(strata),
        **_sizes(counts, like), **(places if unit == "report" else {}),
    }  # fmt: skip
    return table[[*COLUMNS, "unit"] if unit == "report" else list(COLUMNS)]


def _counted(
    tokens: pd.DataFrame, before: Group, after: Group, asked: tuple[Any, Any, Any], options: Mapping[str, Any]
) -> tuple[Counts, Counts]:
    """Return the counts of the terms and those of the vocabulary; without terms, of its words that stand often enough.

    `asked` are the terms, their senses, and their occurrences where these are at hand.
    """
    terms, senses, found = asked
    if "total" in tokens and (len(terms) or not options["headings"] or options["strata"] is not None):
        raise ShinanError(
            "Reports counted one by one (tally, stack) hold how often each word stands, not where: declared terms, strata and "
            "headings=False cannot be had from them. Compare without these and take the rows of the words you want, or give "
            "compare the tokens: tokenize(outline(reports))."
        )
    vocabulary = count_units(tokens, None, before, after, **options)
    if not len(terms):
        return _select(vocabulary, np.asarray(vocabulary.x.sum(axis=0)).ravel() >= MIN_COUNT), vocabulary
    found = occurrences(tokens, terms, senses=senses) if found is None else found
    return count_units(tokens, by_sense(found), before, after, **options), vocabulary


def _sizes(counts: Counts, like: Counts) -> dict[str, int]:
    """Return how many blocks and strata are compared, and how many blocks have no counterpart."""
    strata = len(set(counts.stratum.tolist()))
    return {
        "blocks_before": int((~counts.after).sum()), "blocks_after": int(counts.after.sum()), "strata": strata,
        "strata_matched": len(set(like.stratum.tolist())),
        "unmatched_before": int((~counts.after).sum() - (~like.after).sum()),
        "unmatched_after": int(counts.after.sum() - like.after.sum()),
    }  # fmt: skip


def _check(level: float, n_permutations: int, seed: int) -> None:
    if not INNER < level < 1:
        raise ShinanError(f"level is {level!r}; expected a number between {INNER} (the inner interval) and 1, such as 0.95.")
    if not isinstance(n_permutations, int) or n_permutations < 0:
        raise ShinanError(f"n_permutations is {n_permutations!r}; expected 0 (closed form) or more, such as 99_999.")
    if not isinstance(seed, int) or seed < 0:
        raise ShinanError(f"seed is {seed!r}; expected a whole number from 0 on.")


def _families(terms: pd.DataFrame | list[str]) -> pd.Series[str]:
    """Return the family of each row of the result, by name; empty where no terms are declared."""
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


def _table(counts: Counts, like: Counts, closed: Closed, level: float) -> pd.DataFrame:
    """Return the columns that describe: counts, rates, ratios, intervals, dispersion."""
    a, b = (np.asarray(counts.x[np.flatnonzero(side)].sum(axis=0), dtype=float).ravel() for side in (~counts.after, counts.after))
    n1, n2 = counts.n[~counts.after].sum(), counts.n[counts.after].sum()
    h1, h2 = counts.han[~counts.after].sum(), counts.han[counts.after].sum()
    strata = by_stratum(like)
    table = pd.DataFrame({"term": counts.terms, "count_before": a.astype(int), "count_after": b.astype(int)})
    table["total_before"], table["total_after"], table["han_before"], table["han_after"] = int(n1), int(n2), int(h1), int(h2)
    table["rate_before"], table["rate_after"] = 1e4 * a / h1, 1e4 * b / h2
    table["log2_ratio"] = np.log2((b + 0.5) / (n2 + 1)) - np.log2((a + 0.5) / (n1 + 1))
    table["matched_before"], table["matched_after"] = closed.a.astype(int), closed.b.astype(int)
    whole = like is counts and not np.ptp(counts.stratum)
    table["log2_matched"] = table["log2_ratio"] if whole else _matched_ratio(closed, strata)
    for low, high, width in (("low", "high", level), ("low_inner", "high_inner", INNER)):
        table[low], table[high] = quasi_jeffreys(closed.a, closed.b, strata, closed.phi, width)
    table["g2"], table["dispersion"] = log_likelihood(a, b, n1, n2), closed.phi
    table["keyness"] = np.sign(table["log2_matched"]) * np.sqrt(closed.g2 / closed.phi)
    table["blocks"] = np.diff(counts.x.tocsc().indptr)
    table["chapters"] = _range(counts)
    table["heading_share"] = np.divide(counts.heads, a + b, out=np.zeros_like(a), where=a + b > 0)
    table["detectable_ratio"] = detectable_ratio(closed.a + closed.b, strata.n1.sum(), strata.n2.sum(), closed.phi)
    return table


def _matched_ratio(closed: Closed, strata: Strata) -> Array:
    """Return log2 of the ratio common to the strata, 0.5 added to both counts."""
    return common_ratio(np.log((closed.b + 0.5) / (closed.a + 0.5)), strata)


def _range(counts: Counts) -> NDArray[np.int64]:
    """Return in how many chapters each term occurs."""
    chapters = counts.chapter.max() + 1
    rows = sparse.csr_array(
        (np.ones(len(counts.chapter)), (counts.chapter, np.arange(len(counts.chapter)))), shape=(chapters, len(counts.chapter))
    )
    return np.asarray(np.diff((rows @ counts.x).tocsc().indptr), dtype=np.int64)


class Settled(NamedTuple):
    """The test that other ways to count are set beside: p, what it found (adjusted p ≤ 0.05), families, draws and seed."""

    p: Array
    found: NDArray[np.bool_]
    families: Mapping[str, NDArray[np.intp]]
    draws: int
    seed: int

    @property
    def testable(self) -> NDArray[np.bool_]:
        """Whether each term was tested."""
        return ~np.isnan(self.p)

    def adjusted(self, p: Array) -> Array:
        """Return p of the same terms, adjusted within their families."""
        return adjust(np.where(self.testable, p, np.nan), self.families)

    def again(self, counts: Counts, rows: NDArray[np.bool_]) -> Array:
        """Return the adjusted p that chosen terms have in other counts by permutation, those of the other terms unchanged."""
        again = permute(counts, rows, self.draws, self.seed)[0]
        values = np.full(len(rows), np.nan)
        for row in np.flatnonzero(rows):
            p = self.p.copy()
            p[row] = again[row]
            values[row] = self.adjusted(p)[row]
        return values


def _without_chapter(counts: Counts, common: float, settled: Settled) -> Array:
    """Return per term the largest adjusted p over all ways to leave one chapter out.

    The chapter is found in closed form; for what was found by permutation, its absence is then tested by permutation too.
    """
    worst, which = np.full(len(settled.p), np.nan), np.full(len(settled.p), -1)
    for chapter, closed in without_each(counts, common):
        p = settled.adjusted(closed)
        which = np.where(np.isnan(worst) | (p > worst), chapter, which)
        worst = np.fmax(worst, p)
    for chapter in sorted(set(which[settled.found].tolist()) - {-1}) if settled.draws else ():
        rows = settled.found & (which == chapter)
        worst[rows] = settled.again(matched(pick(counts, counts.chapter != chapter)), rows)[rows]
    return worst


def _unmatched(counts: Counts, vocabulary: Counts, settled: Settled) -> Array:
    """Return the adjusted p of the same terms when all text of the scope is one stratum."""
    whole = counts._replace(stratum=np.zeros_like(counts.stratum))
    if settled.draws:
        return settled.adjusted(permute(whole, settled.testable, settled.draws, settled.seed)[0])
    common = common_dispersion(vocabulary._replace(stratum=np.zeros_like(vocabulary.stratum)))
    return settled.adjusted(closed_form(whole, common).p)


def _in_readings(terms: list[str], readings: list[tuple[Counts, Counts]], settled: Settled) -> Array:
    """Return per term the largest adjusted p over other readings that hold the term; missing without any.

    What was found by permutation is tested there by permutation, the rest in closed form.
    """
    worst = np.full(len(terms), np.nan)
    for counts, vocabulary in readings:
        p = closed_form(matched(counts), common_dispersion(matched(vocabulary))).p
        adjusted = settled.adjusted(np.asarray(pd.Series(p, index=counts.terms).reindex(terms), dtype=np.float64))
        rows = settled.found & ~np.isnan(adjusted)
        if settled.draws and rows.any():
            adjusted[rows] = settled.again(matched(_arranged(counts, terms)), rows)[rows]
        worst = np.fmax(worst, adjusted)
    return worst


def _arranged(counts: Counts, terms: list[str]) -> Counts:
    """Return counts with these terms as columns; a term that is not there has none."""
    columns = pd.Index(counts.terms).get_indexer(pd.Index(terms))
    empty = sparse.csr_array((counts.x.shape[0], 1), dtype=counts.x.dtype)
    x = sparse.hstack([counts.x, empty], format="csr")[:, columns]
    return counts._replace(terms=terms, x=x, heads=np.append(counts.heads, 0)[columns])


def _verdicts(table: pd.DataFrame, testable: NDArray[np.bool_]) -> tuple[list[str], list[str]]:
    """Return the verdict of each row, in the order that the contract sets, and what a fragile one hangs on."""
    found, whole = table["p_adjusted"] <= ALPHA, table["p_unmatched"] <= ALPHA
    undone = {
        "matching": found != whole,
        "chapter": found & ~(table["p_without_chapter"] <= ALPHA),
        "reading": found & (table["p_readings"] > ALPHA),
    }
    flags = np.column_stack([undone[name] for name in HANGS_ON])
    names = np.array([", ".join(compress(HANGS_ON, each)) for each in product((False, True), repeat=len(HANGS_ON))], dtype=object)
    hangs = names[flags @ (1 << np.arange(len(HANGS_ON))[::-1])]
    moved = np.where(found, np.where(table["log2_matched"] > 0, "higher", "lower"), "no evidence")
    tested = np.where(flags.any(axis=1), "fragile", moved)
    conditions = [(table["count_before"] + table["count_after"] < MIN_COUNT).to_numpy(), ~testable]
    verdicts = np.select(conditions, ["too rare", "too concentrated"], tested)
    return verdicts.tolist(), np.where(verdicts == "fragile", hangs, "").tolist()
