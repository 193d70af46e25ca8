"""Comparing: every statistic against an independent computation, every verdict against a case worked by hand."""

import itertools
import os
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from test_counts import tokens_of

from shinan_research import Segmenter, ShinanError, compare, occurrences, open_study, outline, restore, tokenize
from shinan_research.counts import count_units
from shinan_research.multiplicity import false_discovery, holm
from shinan_research.occurrences import as_terms, declared
from shinan_research.rates import (
    Strata,
    chi_square,
    common_ratio,
    log_likelihood,
    quasi_jeffreys,
    raw_dispersion,
)
from shinan_research.shifts import COLUMNS

ROOT = Path(__file__).parents[1]
BEFORE, AFTER = ("甲县", 2001), ("甲县", 2002)
NUMBERS = [
    "log2_ratio",
    "low",
    "high",
    "low_inner",
    "high_inner",
    "rate_before",
    "rate_after",
    "detectable_ratio",
    "g2",
    "dispersion",
]


@pytest.fixture(scope="module")
def real():
    """Return the study of this repository, its tokens and the comparison of its declared terms with the defaults."""
    study = open_study(ROOT)
    sentences = outline(restore(study.reports(), study.emendations), headings=study.headings)
    tokens = tokenize(sentences, study.segmenter)
    return study, sentences, tokens, compare(tokens, study.before, study.after, terms=study.terms)


@pytest.fixture(scope="module")
def vocabulary(real) -> pd.DataFrame:
    """Return the comparison of the study's vocabulary in closed form."""
    study, _, tokens, _ = real
    return compare(tokens, study.before, study.after, n_permutations=0)


def filled(words: str, *, blocks: int, size: int = 20) -> list[str]:
    """Return blocks of one length that each hold the same words, filled up with 草."""
    return [words + "草" * (size - len(words))] * blocks


def one_stratum(a: np.ndarray, b: np.ndarray, n1: float, n2: float) -> Strata:
    """Return counts and totals of two groups as a single stratum."""
    return Strata((a + b)[None], np.array([n1]), np.array([n2]))


def run(before: list[list[str]], after: list[list[str]], terms: object = ("花",), **options) -> pd.DataFrame:
    """Compare two reports given as chapters of blocks."""
    tokens = tokens_of({BEFORE: before, AFTER: after})
    return compare(tokens, BEFORE, AFTER, terms=terms, **{"n_permutations": 999} | options)


def uneven(seed: int, *, chapters: int = 4, blocks: int = 4, share: float = 0.3) -> list[list[str]]:
    """Return chapters of blocks of random length in which 花 and 树 come in bursts."""
    rng = np.random.default_rng(seed)
    return [["".join(rng.choice(list("花树草"), rng.integers(8, 25), p=(share * heat, 0.2, 0.8 - share * heat)))
             for heat in rng.choice([0.1, 1.0], blocks)] for _ in range(chapters)]  # fmt: skip


# Statistics


def test_g2_equals_scipy() -> None:
    """G2 equals scipy's log-likelihood statistic without correction on random tables, to 1e-12 of its size."""
    rng = np.random.default_rng(7)
    a, b = rng.integers(0, 60, (2, 300)).astype(float)
    b[a + b == 0] = 1
    for n1, n2 in ((13805, 10295), (61, 4000), (10**6, 10**5)):
        ours = log_likelihood(a, b, n1, n2)
        for x, y, g2 in zip(a, b, ours, strict=True):
            table = [[x, n1 - x], [y, n2 - y]]
            assert g2 == pytest.approx(
                stats.chi2_contingency(table, correction=False, lambda_="log-likelihood")[0], rel=1e-12, abs=1e-12
            )


def test_chi_square_equals_scipy() -> None:
    """Pearson's statistic equals scipy's without correction on random tables, to 1e-12 of its size; an empty margin gives 0."""
    a, b = np.random.default_rng(8).integers(0, 60, (2, 300)).astype(float)
    b[a + b == 0] = 1
    for n1, n2 in ((13805, 10295), (61, 4000), (10**6, 10**5)):
        for x, y, found in zip(a, b, chi_square(a, b, np.float64(n1), np.float64(n2)), strict=True):
            expected = stats.chi2_contingency([[x, n1 - x], [y, n2 - y]], correction=False)[0]
            assert found == pytest.approx(expected, rel=1e-12, abs=1e-12)
    assert chi_square(np.zeros(1), np.zeros(1), np.float64(9), np.float64(9)).tolist() == [0]


def test_g2_of_the_study_equals_scipy(real, vocabulary) -> None:
    """G2 of every declared term and every word equals scipy's, on the counts and totals that the table prints."""
    for row in pd.concat([real[3], vocabulary]).itertuples():
        one, two = (row.count_before, row.total_before), (row.count_after, row.total_after)
        table = [[count, total - count] for count, total in (one, two)]
        expected = stats.chi2_contingency(table, correction=False, lambda_="log-likelihood")[0]
        assert row.g2 == pytest.approx(expected, rel=1e-12, abs=1e-11), row.term


def test_g2_at_its_ends() -> None:
    """Equal shares give 0, never less; no occurrence gives 0; all of a text against none of another is finite."""
    ours = log_likelihood(np.array([3.0, 0, 5]), np.array([9.0, 0, 0]), 5.0, 15.0)
    assert ours[:2].tolist() == [0, 0]
    assert ours[2] == pytest.approx(2 * (5 * np.log(5 / (5 * 5 / 20)) + 15 * np.log(15 / (15 * 15 / 20))), rel=1e-12)


def poisson_sandwich(x: np.ndarray, n: np.ndarray, after: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Fit a Poisson regression of counts on two groups by Newton's method; return coefficients and HC0 covariance."""
    design = np.column_stack([~after, after]).astype(float)
    beta = np.log([x[~after].mean() / n[~after].mean(), x[after].mean() / n[after].mean()]) + 0.3
    for _ in range(60):
        mean = np.exp(design @ beta) * n
        information = design.T @ (mean[:, None] * design)
        beta = beta + np.linalg.solve(information, design.T @ (x - mean))
    mean = np.exp(design @ beta) * n
    bread = np.linalg.inv(design.T @ (mean[:, None] * design))
    meat = design.T @ (((x - mean) ** 2)[:, None] * design)
    return beta, bread @ meat @ bread


def test_raw_dispersion_equals_the_sandwich_of_a_poisson_regression(real) -> None:
    """The raw dispersion is the HC0 covariance of a two-group Poisson regression, S / (S − 1) apart, to 1e-10."""
    study, _, tokens, _ = real
    found = occurrences(tokens, study.terms)
    counts = count_units(tokens, found, study.before, study.after, scope="body", unit="block", headings=True, strata=None)
    before, after, raw, _ = raw_dispersion(counts)
    tested = np.flatnonzero((before > 0) & (after > 0))
    assert len(tested) >= 7
    for term in tested:
        beta, covariance = poisson_sandwich(counts.x[:, [term]].toarray().ravel().astype(float), counts.n, counts.after)
        assert np.exp(beta) * [counts.n[~counts.after].sum(), counts.n[counts.after].sum()] == pytest.approx(
            [before[term], after[term]]
        )
        variance = 0.0
        for side, total in ((0, before[term]), (1, after[term])):
            size = int((counts.after == bool(side)).sum())
            variance += size / (size - 1) * covariance[side, side] * total**2
        assert raw[term] == pytest.approx(variance / (before[term] + after[term]), rel=1e-10), counts.terms[term]


def test_raw_dispersion_by_hand() -> None:
    """Counts 3, 0, 0 and 1, 1 in blocks of ten have v₁ = 3/2 · 6, v₂ = 0 and dispersion 9/5."""
    tokens = tokens_of(
        {
            BEFORE: [[*filled("花花花", blocks=1, size=10), *filled("", blocks=2, size=10)]],
            AFTER: [filled("花", blocks=2, size=10)],
        }
    )
    counts = count_units(
        tokens, occurrences(tokens, ["花"]), BEFORE, AFTER, scope="body", unit="block", headings=True, strata=None
    )
    before, after, raw, blocks = raw_dispersion(counts)
    assert (before[0], after[0], blocks[0]) == (3, 2, 3)
    assert raw[0] == pytest.approx(9 / 5, rel=1e-14)


def shrunk(x: dict[object, int], n: dict[object, int], sides: dict[object, bool], common: float) -> float:
    """Return the shrunk dispersion of one term from its count and the length of each block, by plain loops."""
    variance = 0.0
    for side in (False, True):
        keys = [key for key in n if sides[key] is side]
        rate = sum(x.get(key, 0) for key in keys) / sum(n[key] for key in keys)
        variance += len(keys) / (len(keys) - 1) * sum((x.get(key, 0) - rate * n[key]) ** 2 for key in keys)
    total = sum(x.values())
    raw, weight = (variance / total if total else 1.0), max(sum(count > 0 for count in x.values()) - 1, 0)
    return max((5 * common + weight * raw) / (5 + weight), 1.0)


def blocks_of(tokens: pd.DataFrame, found: pd.DataFrame, term: str) -> tuple[dict, dict, dict]:
    """Return count, Han characters and side of each block of the body, for one term of the study."""
    body = tokens[tokens["part"] != "annex"]
    n = body.groupby(["report", "block"])["han"].sum().to_dict()
    side = {key: key[0].endswith("2020") for key in n}
    mine = found[(found["term"] == term) & (found["part"] != "annex") & found["start"].notna()]
    return mine.groupby(["report", "block"]).size().to_dict(), n, side


def test_dispersion_is_shrunk_towards_the_vocabulary(real) -> None:
    """The dispersion column equals the raw one shrunk by five blocks to the common one, never below 1, by plain loops."""
    study, _, tokens, table = real
    found, common = occurrences(tokens, study.terms), table.attrs["settings"]["common_dispersion"]
    for row in table.itertuples():
        assert row.dispersion == pytest.approx(shrunk(*blocks_of(tokens, found, row.term), common), rel=1e-5), row.term
    assert (table["dispersion"] >= 1).all()


def test_common_dispersion_is_the_weighted_mean_of_the_vocabulary(real) -> None:
    """The dispersion shrunk to is the mean over the body's words with five occurrences or more, weighted by their counts."""
    _, _, tokens, table = real
    words = tokens[(tokens["part"] != "annex") & tokens["kind"].isin(["word", "term"])]
    blocks = sorted(set(zip(*(tokens.loc[tokens["part"] != "annex", name] for name in ("report", "block")), strict=True)))
    n = dict.fromkeys(blocks, 0) | words.groupby(["report", "block"]).size().to_dict()
    side = {key: key[0].endswith("2020") for key in n}
    top = bottom = 0.0
    for _, rows in words.groupby("term", observed=True):
        if len(rows) >= 5:
            x = rows.groupby(["report", "block"]).size().to_dict()
            for group in (False, True):
                keys = [key for key in n if side[key] is group]
                rate = sum(x.get(key, 0) for key in keys) / sum(n[key] for key in keys)
                top += len(keys) / (len(keys) - 1) * sum((x.get(key, 0) - rate * n[key]) ** 2 for key in keys)
            bottom += len(rows)
    assert table.attrs["settings"]["common_dispersion"] == pytest.approx(top / bottom, abs=1e-6)


def test_quasi_jeffreys_equals_the_beta_quantiles(real) -> None:
    """Both intervals of every row are the Beta quantiles of scipy.stats turned into a ratio of rates."""
    for row in real[3].itertuples():
        posterior = stats.beta(row.count_after / row.dispersion + 0.5, row.count_before / row.dispersion + 0.5)
        for ends, tail in (((row.low, row.high), 0.025), ((row.low_inner, row.high_inner), 0.1)):
            share = np.array([posterior.ppf(tail), posterior.isf(tail)])
            expected = np.log2(share / (1 - share) * row.total_before / row.total_after)
            assert ends == pytest.approx(expected, rel=1e-9), row.term


def test_intervals_nest_and_stay_finite(real, vocabulary) -> None:
    """The inner interval lies inside the outer one, and neither is infinite where a count is zero."""
    table = pd.concat([real[3], vocabulary])
    assert ((table["low"] < table["low_inner"]) & (table["low_inner"] < table["high_inner"])).all()
    assert (table["high_inner"] < table["high"]).all()
    assert np.isfinite(table[NUMBERS]).all().all()
    a, b = np.array([0.0, 0, 5000]), np.array([0.0, 5000, 0])
    low, high = quasi_jeffreys(a, b, one_stratum(a, b, 1e4, 1e4), np.ones(3), 0.95)
    assert np.isfinite([low, high]).all()
    assert (low[0], low[1]) == pytest.approx((-high[0], -high[2]))


def test_coverage_of_the_interval() -> None:
    """Of Poisson counts with a known ratio, the 95 % interval without dispersion holds it in 93 to 97 of 100 draws."""
    rng = np.random.default_rng(3)
    a, b = rng.poisson(14, 20_000).astype(float), rng.poisson(21, 20_000).astype(float)
    low, high = quasi_jeffreys(a, b, one_stratum(a, b, 1e4, 1e4), np.ones(20_000), 0.95)
    assert 0.93 <= ((low <= np.log2(1.5)) & (np.log2(1.5) <= high)).mean() <= 0.97


def test_rates_and_ratio_by_hand() -> None:
    """Two in 100 characters are 200 per 10,000; the ratio adds 0.5 to counts and 1 to totals."""
    row = run([filled("花", blocks=2), filled("", blocks=3)], [filled("花花", blocks=5)]).iloc[0]
    assert (row["rate_before"], row["rate_after"]) == (200, 1000)
    assert row["log2_ratio"] == pytest.approx(np.log2((10.5 / 101) / (2.5 / 101)), rel=1e-14)
    assert (row["total_before"], row["han_after"], row["blocks"], row["chapters"]) == (100, 100, 7, 2)


def test_vocabulary_is_a_share_of_words_and_a_rate_of_characters() -> None:
    """A word's totals are words, its G2 is of them, and its rates are still per 10,000 Han characters."""
    tokens = tokens_of({BEFORE: [filled("花", blocks=6)], AFTER: [filled("花", blocks=3)]})
    tokens["han"] = 2
    tokens.loc[tokens["term"] == "草", "kind"] = np.where(tokens.loc[tokens["term"] == "草", "start"] % 2, "word", "punct")
    row = compare(tokens, BEFORE, AFTER, n_permutations=0).set_index("term").loc["花"]
    words = tokens[tokens["kind"] == "word"].groupby("year").size()
    assert (row["total_before"], row["total_after"]) == (words[2001], words[2002])
    assert (row["han_before"], row["rate_before"]) == (240, 250)
    assert (row["han_after"], row["rate_after"]) == (120, 250)
    table = [[6, words[2001] - 6], [3, words[2002] - 3]]
    assert row["g2"] == pytest.approx(stats.chi2_contingency(table, correction=False, lambda_="log-likelihood")[0], rel=1e-12)


def test_detectable_ratio_by_hand() -> None:
    """With 20 of 40 expected on each side and no dispersion, a test at 5 % with power 0.8 finds a ratio of 2.43."""
    row = run([filled("花", blocks=20)], [filled("花", blocks=20)]).iloc[0]
    assert row["dispersion"] == 1
    assert row["detectable_ratio"] == pytest.approx(np.exp((1.959964 + 0.841621) * np.sqrt(2 / 20)), rel=1e-6)


def test_heading_share() -> None:
    """The share of occurrences in headings is that of the tokens so marked, and leaving headings out removes them."""
    tokens = tokens_of({BEFORE: [filled("花", blocks=8)], AFTER: [filled("花", blocks=8)]})
    tokens.loc[tokens["block"] < 2, "heading"] = True
    with_headings = compare(tokens, BEFORE, AFTER, terms=["花"], n_permutations=0).iloc[0]
    without = compare(tokens, BEFORE, AFTER, terms=["花"], n_permutations=0, headings=False).iloc[0]
    assert (with_headings["heading_share"], without["heading_share"]) == (4 / 16, 0)
    assert (with_headings["count_before"], without["count_before"]) == (8, 6)


# Several tests at once


def test_holm_by_hand() -> None:
    """.04, .01, .03, .005 become .06, .03, .06, .02: four, three, two and one times, never falling."""
    assert holm(np.array([0.04, 0.01, 0.03, 0.005])).tolist() == pytest.approx([0.06, 0.03, 0.06, 0.02])
    assert holm(np.array([0.9, 0.4, 0.5])).tolist() == [1, 1, 1]


def test_false_discovery_by_hand() -> None:
    """.04, .01, .03, .005 become .04, .02, .04, .02: p times four over its rank, the least of those above."""
    assert false_discovery(np.array([0.04, 0.01, 0.03, 0.005])).tolist() == pytest.approx([0.04, 0.02, 0.04, 0.02])


def test_each_family_is_adjusted_alone(real) -> None:
    """p is adjusted by Holm within each declared family, over its testable rows, and left empty elsewhere."""
    for _, rows in real[3].groupby("family"):
        tested = rows[rows["p"].notna()].sort_values("p")
        running = 0.0
        for rank, row in enumerate(tested.itertuples()):
            running = max(running, min(1, row.p * (len(tested) - rank)))
            assert row.p_adjusted == pytest.approx(running, rel=1e-12)
        assert rows.loc[rows["p"].isna(), "p_adjusted"].isna().all()
    assert set(real[3]["family"]) >= {"declared", "wide reading"}


def test_vocabulary_is_adjusted_by_false_discovery(vocabulary) -> None:
    """The vocabulary's adjusted p is m p / rank, the least of those with a larger p, over its testable words."""
    tested = vocabulary[vocabulary["p"].notna()].sort_values("p", ascending=False, kind="stable")
    least, size = 1.0, len(tested)
    for place, row in enumerate(tested.itertuples()):
        least = min(least, row.p * size / (size - place))
        assert row.p_adjusted == pytest.approx(least, rel=1e-12)


# The permutation


def all_deals(labels: np.ndarray, strata: np.ndarray) -> np.ndarray:
    """Return every way to deal the units to the first group within strata, ones and zeros, as rows."""
    choices = []
    for stratum in sorted(set(strata.tolist())):
        rows = np.flatnonzero(strata == stratum)
        choices.append([list(taken) for taken in itertools.combinations(rows, int(labels[rows].sum()))])
    deals = np.zeros((int(np.prod([len(choice) for choice in choices])), len(labels)))
    for deal, chosen in enumerate(itertools.product(*choices)):
        deals[deal, list(itertools.chain(*chosen))] = 1
    return deals


def exact_p(x: np.ndarray, n: np.ndarray, labels: np.ndarray, strata: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the two-sided p and the p of the largest standardised statistic of each column, from every deal."""
    residual = x.astype(float)
    for stratum in set(strata.tolist()):
        rows = strata == stratum
        residual[rows] -= n[rows, None] * (x[rows].sum(axis=0) / n[rows].sum())
    values, observed = all_deals(labels, strata) @ residual, labels @ residual
    tails = np.minimum((values >= observed - 1e-9).mean(axis=0), (values <= observed + 1e-9).mean(axis=0))
    scale = values.std(axis=0)
    largest = np.abs(values / scale).max(axis=1)
    return np.minimum(2 * tails, 1), np.array(
        [(largest >= abs(o) / s - 1e-9).mean() for o, s in zip(observed, scale, strict=True)]
    )


@pytest.mark.parametrize("matched", [False, True])
def test_permutation_against_every_deal(matched: bool) -> None:
    """p and p_max lie within four standard errors of their exact values over all deals, with and without strata."""
    sizes = {BEFORE: (1, 2, 5), AFTER: (1, 1, 4)}
    blocks = {BEFORE: list(itertools.chain(*uneven(2, share=0.5))), AFTER: list(itertools.chain(*uneven(5)))}
    reports = {group: [blocks[group][sum(n[:i]) : sum(n[: i + 1])] for i in range(3)] for group, n in sizes.items()}
    rows = [(f"甲县-{year}", chapter, chapter) for year in (2001, 2002) for chapter in range(3)]
    strata = pd.DataFrame(rows, columns=["report", "chapter", "stratum"]) if matched else None
    table = compare(tokens_of(reports), BEFORE, AFTER, terms=["花", "树"], strata=strata, n_permutations=39_999)
    texts = [text for chapters in reports.values() for chapter in chapters for text in chapter]
    x = np.array([[text.count(term) for term in "花树"] for text in texts])
    labels = np.repeat([1.0, 0.0], [8, 6])
    groups = np.repeat([0, 1, 2, 0, 1, 2], [*sizes[BEFORE], *sizes[AFTER]]) * matched
    exact, exact_max = exact_p(x, np.array([len(text) for text in texts], dtype=float), labels, groups)
    assert 0.001 < exact.min() < 0.9
    for ours, truth in ((table["p"], exact), (table["p_max"], exact_max)):
        error = 2 * np.sqrt(truth * (1 - truth) / 40_000) + 1 / 40_000
        assert (np.abs(ours - truth) <= 4 * error).all(), (ours.tolist(), truth)


@pytest.mark.parametrize("draws", [1, 19, 999])
def test_p_is_never_zero(draws: int) -> None:
    """The smallest p is 2 / (draws + 1): the observed deal counts as one, and both tails are asked."""
    row = run([filled("花花花", blocks=20)], [filled("", blocks=20)], n_permutations=draws).iloc[0]
    assert row["p"] == min(1, 2 / (draws + 1))
    assert row["p_max"] == 1 / (draws + 1)


def test_same_bytes_for_the_same_seed() -> None:
    """The same seed gives the same table to the last bit; another seed moves p and nothing else."""
    chapters = uneven(1), uneven(9, share=0.5)
    one, two, other = (run(*chapters, terms=["花", "树"], seed=seed) for seed in (4, 4, 5))
    assert one.to_csv(index=False) == two.to_csv(index=False)
    changed = {name for name in one.columns if not one[name].equals(other[name])}
    assert {"p"} <= changed <= {"p", "p_adjusted", "p_max", "p_unmatched", "p_without_chapter"}


def test_chunks_of_draws_leave_no_seam() -> None:
    """More draws than one chunk holds are all counted: p times their number plus one is even and whole."""
    table = run(uneven(1), uneven(9), terms=["花", "树"], n_permutations=4_321)
    whole = table["p"] * 4_322 / 2
    assert whole.tolist() == pytest.approx(whole.round().tolist(), abs=1e-9)


@pytest.mark.parametrize("draws", [1, 1_999, 2_000, 2_001, 4_321])
def test_every_draw_is_counted_once(draws: int) -> None:
    """A term that no deal can move is reached by every draw and by itself: its p and the largest statistic's are exactly 1."""
    row = run([filled("花", blocks=8)], [filled("花", blocks=8)], n_permutations=draws).iloc[0]
    assert (row["p"], row["p_max"]) == (1.0, 1.0)


def test_strata_are_respected() -> None:
    """A term that differs only between strata is rare in a plain deal, and unremarkable within strata."""
    before = [filled("花花", blocks=12), filled("", blocks=4)]
    after = [filled("花花", blocks=4), filled("", blocks=12)]
    rows = [(f"甲县-{year}", chapter, "多" if chapter == 0 else "少") for year in (2001, 2002) for chapter in (0, 1)]
    strata = pd.DataFrame(rows, columns=["report", "chapter", "stratum"])
    assert run(before, after)["p"].iloc[0] < 0.05
    assert run(before, after, strata=strata)["p"].iloc[0] == 1


def matching(*rows: tuple[int, int, str]) -> pd.DataFrame:
    """Return strata from year, chapter and name."""
    named = [(f"甲县-{year}", chapter, name) for year, chapter, name in rows]
    return pd.DataFrame(named, columns=["report", "chapter", "stratum"])


def test_strata_with_one_group_add_nothing() -> None:
    """A chapter without counterpart enters counts and rates; ratio, interval, dispersion and p are those without it."""
    alone, pair = filled("花花花", blocks=8), (uneven(4), uneven(5, blocks=3))
    strata = matching(*((year, chapter, "甲") for year in (2001, 2002) for chapter in range(4)), (2001, 4, "乙"))
    matched = run([*pair[0], alone], pair[1], strata=strata)
    sizes = ("blocks_before", "blocks_after", "strata", "strata_matched", "unmatched_before", "unmatched_after")
    assert [matched.attrs["settings"][name] for name in sizes] == [16 + 8, 12, 2, 1, 8, 0]
    turned = compare(tokens_of({BEFORE: [*pair[0], alone], AFTER: pair[1]}), AFTER, BEFORE, terms=["花"], strata=strata)
    assert [turned.attrs["settings"][name] for name in sizes] == [12, 16 + 8, 2, 1, 0, 8]
    with_it, without = matched.iloc[0], run(*pair).iloc[0]
    assert with_it["count_before"] == without["count_before"] + 24 == with_it["matched_before"] + 24
    assert with_it["blocks"] == without["blocks"] + 8
    columns = ["low", "high", "dispersion", "keyness", "p_closed", "p", "detectable_ratio"]
    assert with_it[columns].tolist() == pytest.approx(without[columns].tolist(), rel=1e-9)


def test_p_without_matching_is_that_of_the_whole_texts() -> None:
    """The p of the unmatched comparison is the adjusted p that the same terms have when no strata are given."""
    strata = matching(*((year, chapter, str(chapter)) for year in (2001, 2002) for chapter in range(4)))
    matched = run(uneven(4), uneven(5), terms=("花", "树"), strata=strata)
    assert matched["p_unmatched"].tolist() == run(uneven(4), uneven(5), terms=("花", "树"))["p_adjusted"].tolist()
    assert matched["p_unmatched"].nunique() == 2


def test_without_declared_terms_the_words_that_stand_out_take_their_place() -> None:
    """Declared terms stay as they are; without any come the eight words at the head of the vocabulary, tested ones first."""
    words = [f"词{number}" for number in range(12)]
    vocabulary = pd.DataFrame({"term": words, "p": [np.nan, *[0.5] * 11]})
    given = as_terms(["花"])
    assert declared(given, vocabulary) is given
    found = declared(given.head(0), vocabulary)
    assert found["term"].tolist() == words[1:9] and set(found["family"]) == {"stand out"}
    assert declared(given.head(0), vocabulary.assign(p=np.nan), most=2)["term"].tolist() == words[:2]


def test_no_stratum_in_common() -> None:
    """Where no stratum holds both groups nothing can be compared, and the message says what to do."""
    with pytest.raises(ShinanError, match=r"No stratum holds text of both groups\. Match one chapter at least"):
        run([filled("花花", blocks=10)], [filled("", blocks=10)], strata=matching((2001, 0, "甲"), (2002, 0, "乙")))


def test_the_common_ratio_solves_its_equation() -> None:
    """The expected share of the second group at the ratio found, stratum by stratum, is the share asked for."""
    rng = np.random.default_rng(5)
    strata = Strata(rng.poisson(3, (6, 40)).astype(float), rng.uniform(50, 900, 6), rng.uniform(50, 900, 6))
    for share in (1e-6, 0.02, 0.4, 0.97):
        ratio = 2 ** common_ratio(np.full(40, np.log(share / (1 - share))), strata)
        for column in range(40):
            x, r = strata.x[:, column], ratio[column]
            expected = sum(x[s] * r * strata.n2[s] / (strata.n1[s] + r * strata.n2[s]) for s in range(6))
            assert expected == pytest.approx(share * x.sum(), rel=1e-9)


def test_equal_rates_within_strata_have_ratio_one() -> None:
    """Two chapters of unlike rates and unlike lengths: the whole differs, the common ratio does not."""
    before = [filled("花花花花", blocks=12), filled("花", blocks=4)]
    after = [filled("花花花花", blocks=4), filled("花", blocks=12)]
    strata = matching(*((year, chapter, str(chapter)) for year in (2001, 2002) for chapter in (0, 1)))
    row = run(before, after, strata=strata).iloc[0]
    assert row["log2_ratio"] < -0.8
    assert row["log2_matched"] == pytest.approx(0, abs=0.02)
    assert row["keyness"] == pytest.approx(0, abs=1e-6)
    assert row["p_unmatched"] < 0.05 < row["p_adjusted"]
    assert (row["verdict"], row["hangs_on"]) == ("fragile", "matching")


def test_g2_within_strata_by_hand(real) -> None:
    """Keyness squared times dispersion is G2 against the sum of the strata's expectations, by plain loops."""
    study, _, tokens, _ = real
    found = occurrences(tokens, study.terms)
    table = compare(tokens, study.before, study.after, terms=study.terms, strata=study.strata, n_permutations=0)
    stratum = {(row.report, row.chapter): row.stratum for row in study.strata.itertuples()}
    body = tokens[tokens["part"] != "annex"]
    keys = [stratum.get((r, c), p) for r, c, p in zip(body["report"], body["chapter"], body["part"], strict=True)]
    n = body["han"].groupby([keys, body["report"]]).sum().unstack().dropna()
    for row in table.itertuples():
        mine = found[(found["term"] == row.term) & found["start"].notna() & (found["part"] != "annex")]
        keys = [stratum.get((r, c), p) for r, c, p in zip(mine["report"], mine["chapter"], mine["part"], strict=True)]
        x = pd.Series(1, index=mine.index).groupby([pd.Series(keys, mine.index, dtype=object), mine["report"]]).sum().unstack()
        x = x.reindex(index=n.index, columns=n.columns).fillna(0)
        a, b = x.sum()
        assert (a, b) == (row.matched_before, row.matched_after)
        second = (x.sum(axis=1) * n.iloc[:, 1] / n.sum(axis=1)).sum()
        first, total = a + b - second, n.sum()
        cells = [(a, first), (b, second), (total.iloc[0] - a, total.iloc[0] - first), (total.iloc[1] - b, total.iloc[1] - second)]
        g2 = 2 * sum(seen * np.log(seen / mean) for seen, mean in cells if seen)
        assert row.keyness**2 * row.dispersion == pytest.approx(max(g2, 0), abs=1e-8), row.term


def test_type_one_error_under_random_relabelling(real) -> None:
    """When the blocks of the real body are dealt at random, p ≤ .05 in 2 to 8 of 100 tests of its words."""
    _, _, tokens, _ = real
    body = tokens[(tokens["part"] != "annex")].copy()
    body["block"] = body.groupby(["report", "block"]).ngroup()
    body["chapter"] = 0
    rng, found = np.random.default_rng(11), []
    sizes = (
        body.groupby("block")["report"].first().map({name: i for i, name in enumerate(sorted(set(body["report"])))}).to_numpy()
    )
    for _ in range(30):
        dealt = rng.permutation(sizes)
        mixed = body.assign(year=2001 + dealt[body["block"]], report=np.array(["a", "b"])[dealt[body["block"]]])
        p = compare(mixed, "a", "b", n_permutations=399, seed=int(rng.integers(1_000)))["p"].dropna()
        found.append((len(p), (p <= 0.05).sum()))
    tests, rejected = np.sum(found, axis=0)
    assert tests > 9_000
    assert 0.02 <= rejected / tests <= 0.08


# Invariance


def mirrored(verdict: pd.Series) -> list[str]:
    """Return verdicts with higher and lower exchanged."""
    return verdict.replace({"higher": "lower", "lower": "higher"}).tolist()


@pytest.mark.parametrize("terms", [["花", "树", "云"], ()], ids=["declared", "vocabulary"])
def test_swapping_before_and_after(terms: list[str]) -> None:
    """Swapping the groups flips signs and interval ends, mirrors verdicts and keeps every p to the bit."""
    tokens = tokens_of({BEFORE: uneven(1), AFTER: uneven(9, share=0.6)})
    one = compare(tokens, BEFORE, AFTER, terms=terms, n_permutations=999)
    two = compare(tokens, AFTER, BEFORE, terms=terms, n_permutations=999)
    assert one["term"].tolist() == two["term"].tolist()
    for name in ("p", "p_max", "p_adjusted", "blocks", "chapters"):
        pd.testing.assert_series_equal(one[name], two[name], rtol=0, atol=0)
    for name in ("g2", "dispersion", "p_closed", "p_without_chapter", "detectable_ratio"):
        pd.testing.assert_series_equal(one[name], two[name], rtol=1e-12)
    for left, right in (("log2_ratio", "log2_ratio"), ("low", "high"), ("low_inner", "high_inner"), ("keyness", "keyness")):
        assert one[left].tolist() == pytest.approx((-two[right]).tolist(), rel=1e-12, abs=1e-12)
    for side, other in (("before", "after"), ("after", "before")):
        for name in ("count", "rate", "total"):
            assert one[f"{name}_{side}"].tolist() == two[f"{name}_{other}"].tolist()
    assert two["verdict"].tolist() == mirrored(one["verdict"])


@pytest.mark.parametrize("matched", [False, True], ids=["whole", "matched"])
@pytest.mark.parametrize("declared", [True, False], ids=["declared", "vocabulary"])
def test_swapping_the_study(real, declared: bool, matched: bool) -> None:
    """Swapping the years of the real study keeps every p, mirrors verdicts and turns intervals, with strata and without."""
    study, _, tokens, _ = real
    options = {"terms": study.terms if declared else (), "strata": study.strata if matched else None, "n_permutations": 499}
    one, two = (compare(tokens, *years, **options) for years in ((study.before, study.after), (study.after, study.before)))
    assert one["term"].tolist() == two["term"].tolist()
    for name in ("p", "p_max", "p_unmatched", "blocks", "chapters", "hangs_on"):
        pd.testing.assert_series_equal(one[name], two[name], rtol=0, atol=0)
    for name in ("g2", "dispersion", "p_closed", "p_adjusted", "p_without_chapter", "detectable_ratio"):
        pd.testing.assert_series_equal(one[name], two[name], rtol=1e-9)
    assert two["verdict"].tolist() == mirrored(one["verdict"])
    turned = {
        "log2_ratio": "log2_ratio",
        "log2_matched": "log2_matched",
        "low": "high",
        "low_inner": "high_inner",
        "keyness": "keyness",
    }
    for left, right in turned.items():
        assert two[right].tolist() == pytest.approx((-one[left]).tolist(), rel=1e-9, abs=1e-9), left
    for name in ("count", "matched", "rate", "total", "han"):
        assert one[f"{name}_before"].tolist() == two[f"{name}_after"].tolist()


def test_duplicating_a_report_leaves_rates() -> None:
    """A report that says everything twice has the same rates, twice the counts, and another p."""
    before, after = uneven(1), uneven(9)
    once, twice = run(before, after, ["花", "树"]), run(before, after + after, ["花", "树"])
    assert once["rate_after"].tolist() == pytest.approx(twice["rate_after"].tolist(), rel=1e-14)
    assert (2 * once["count_after"]).tolist() == twice["count_after"].tolist()
    assert once["rate_before"].tolist() == twice["rate_before"].tolist()


def test_splitting_blocks_moves_only_the_dispersion() -> None:
    """Cutting every block in two leaves counts, rates, ratio and G2; only what rests on the units may move."""
    before, after = uneven(1), uneven(9)
    halves = [
        [[piece for text in chapter for piece in (text[:7], text[7:])] for chapter in chapters] for chapters in (before, after)
    ]
    one, two = run(before, after, ["花", "树"]), run(*halves, ["花", "树"])
    same = ["count_before", "count_after", "rate_before", "rate_after", "log2_ratio", "g2", "chapters", "heading_share"]
    pd.testing.assert_frame_equal(one[same], two[same])
    assert (one["blocks"] <= two["blocks"]).all()


def test_segmentation_does_not_change_a_declared_term(real) -> None:
    """Cut into single characters, the text gives the same counts, rates and p of declared terms, apart from the shrinkage."""
    study, sentences, _, table = real
    characters = tokenize(sentences, Segmenter.from_callable("characters", list))
    other = compare(characters, study.before, study.after, terms=study.terms)
    same = ["term", "count_before", "count_after", "total_before", "total_after", "log2_ratio", "g2", "blocks", "p"]
    pd.testing.assert_frame_equal(table[same], other[same])


@pytest.mark.parametrize("unit", ["sentence", "chapter"])
def test_other_units(real, unit: str) -> None:
    """Sentence and chapter as unit leave counts and G2 and give a verdict for every term."""
    study, _, tokens, table = real
    other = compare(tokens, study.before, study.after, terms=study.terms, unit=unit, n_permutations=199)
    pd.testing.assert_frame_equal(
        table[["term", "count_before", "count_after", "g2"]], other[["term", "count_before", "count_after", "g2"]]
    )
    assert other.attrs["settings"]["unit"] == unit


# Leaving out a chapter, and the verdict


def test_leaving_out_a_chapter_by_removing_its_tokens(real) -> None:
    """p_without_chapter is the largest Holm-adjusted closed p over texts from which one chapter was really cut out."""
    study, _, tokens, _ = real
    table = compare(tokens, study.before, study.after, terms=study.terms, n_permutations=0)
    found, common = occurrences(tokens, study.terms), table.attrs["settings"]["common_dispersion"]
    family = table[(table["family"] == "declared") & table["p"].notna()]["term"].tolist()
    worst = dict.fromkeys(family, 0.0)
    chapters = tokens[tokens["part"] != "annex"][["report", "chapter"]].drop_duplicates()
    for report, chapter in chapters.itertuples(index=False):
        rest = tokens[(tokens["report"] != report) | (tokens["chapter"] != chapter)]
        left = found[(found["report"] != report) | (found["chapter"] != chapter)]
        p = []
        for term in family:
            x, n, side = blocks_of(rest, left, term)
            cells = [[sum(of.get(key, 0) for key in n if side[key] is one) for of in (x, n)] for one in (False, True)]
            g2 = stats.chi2_contingency([[a, t - a] for a, t in cells], correction=False, lambda_="log-likelihood")[0]
            p.append(stats.chi2.sf(g2 / shrunk(x, n, side, common), 1))
        order, running = np.argsort(p), 0.0
        for rank, place in enumerate(order):
            running = max(running, min(1, p[place] * (len(p) - rank)))
            worst[family[place]] = max(worst[family[place]], running)
    ours = table.set_index("term")["p_without_chapter"]
    for term in family:
        assert ours[term] == pytest.approx(worst[term], rel=1e-4), term


def test_what_was_found_is_tested_again_without_its_chapter(real) -> None:
    """A finding by permutation is undone, or not, by the permutation of the text without its most telling chapter."""
    study, _, tokens, table = real
    row = table.iloc[0]
    assert row["p_adjusted"] <= 0.05
    rest = tokens[(tokens["report"] != "shinan-2019") | (tokens["chapter"] != 2)]
    again = compare(rest, study.before, study.after, terms=study.terms)
    family = table[(table["family"] == "declared") & table["p"].notna()]
    others = family["p"].tolist()[1:]
    assert row["p_without_chapter"] == pytest.approx(min(1, again["p"].iloc[0] * (1 + len(others))), rel=1e-9)
    assert (row["verdict"], row["hangs_on"]) == ("fragile", "chapter")


def test_another_reading_can_undo_a_finding() -> None:
    """A word that another reading of the text holds less unevenly is fragile, and the table says on what it hangs."""
    before, after = [filled("花", blocks=10), filled("树", blocks=4)], [filled("", blocks=10), filled("树", blocks=4)]
    other = tokens_of({BEFORE: before, AFTER: [filled("花", blocks=10), filled("树", blocks=4)]})
    alone, row = run(before, after).iloc[0], run(before, after, readings={"other": other}).iloc[0]
    assert alone["verdict"] == "fragile" if alone["hangs_on"] else "lower"
    assert row["p_readings"] > 0.05
    assert "reading" in row["hangs_on"]
    assert row["p_adjusted"] == alone["p_adjusted"]
    same = run(before, after, readings={"same": tokens_of({BEFORE: before, AFTER: after})}).iloc[0]
    assert same["p_readings"] == same["p_adjusted"]


def test_a_reading_without_the_term_says_nothing_about_it() -> None:
    """A term that another reading does not hold is not undone by it."""
    before, after = [filled("花", blocks=12)], [filled("", blocks=12)]
    gone = tokens_of({BEFORE: [filled("", blocks=12)], AFTER: after})
    row = compare(tokens_of({BEFORE: before, AFTER: after}), BEFORE, AFTER, readings={"gone": gone}, n_permutations=999)
    assert row.set_index("term").loc["花", "hangs_on"] in ("", "chapter")


def test_verdicts_in_their_order() -> None:
    """Too rare comes before too concentrated, and both before any test; firm, fragile and no evidence follow."""
    spread, none = [filled("", blocks=8)] * 4, [filled("", blocks=8)] * 4
    cases = {
        "too rare": ([filled("花", blocks=7), *spread[1:]], none),
        "too concentrated": ([[*filled("花花花", blocks=5), *filled("", blocks=3)], *spread[1:]], none),
        "no evidence": ([filled("花", blocks=8)] * 4, [filled("花", blocks=8)] * 4),
        "fragile": ([filled("花花花", blocks=8), *spread[1:]], none),
        "lower": ([filled("花花花", blocks=8)] * 4, none),
        "higher": (none, [filled("花花花", blocks=8)] * 4),
    }
    for verdict, (before, after) in cases.items():
        row = run(before, after).iloc[0]
        assert row["verdict"] == verdict, row.to_dict()
        assert np.isnan(row["p"]) == (verdict in ("too rare", "too concentrated"))


def test_seven_in_one_block_are_too_rare_not_too_concentrated() -> None:
    """A term that is both too rare and too concentrated is called too rare, whatever its G2."""
    row = run([[*filled("花" * 7, blocks=1), *filled("", blocks=30)]], [filled("", blocks=30)]).iloc[0]
    assert (row["verdict"], row["blocks"]) == ("too rare", 1)


@pytest.mark.parametrize(("blocks", "verdict"), [(5, "too concentrated"), (6, "lower")])
def test_six_blocks_are_enough(blocks: int, verdict: str) -> None:
    """Five blocks with a term are too few for a test, six are enough."""
    chapters = [[*filled("花花花", blocks=1), *filled("", blocks=3)] for _ in range(blocks)]
    assert run(chapters, [filled("", blocks=4)] * blocks, n_permutations=9_999)["verdict"].iloc[0] == verdict


def test_verdict_follows_the_columns(real, vocabulary) -> None:
    """Every verdict of the study follows from counts, blocks, adjusted p, p without a chapter and sign, in this order."""
    for row in pd.concat([real[3], vocabulary]).itertuples():
        expected = "no evidence"
        if row.count_before + row.count_after < 8:
            expected = "too rare"
        elif row.blocks < 6:
            expected = "too concentrated"
        elif row.p_adjusted <= 0.05:
            expected = ("higher" if row.log2_ratio > 0 else "lower") if row.p_without_chapter <= 0.05 else "fragile"
        assert row.verdict == expected, row.term


def test_one_chapter_only() -> None:
    """With one chapter on each side none can be left out, so that p_without_chapter is missing and no verdict is firm."""
    row = run([filled("花花", blocks=9)], [filled("", blocks=9)]).iloc[0]
    assert row["p_adjusted"] <= 0.05
    assert np.isnan(row["p_without_chapter"])
    assert row["verdict"] == "fragile"


def test_leaving_out_all_that_can_be_counted() -> None:
    """Where leaving out a chapter leaves a side without any Han character, that chapter is not left out, without a warning."""
    tokens = tokens_of({BEFORE: [filled("花花花", blocks=8), filled("", blocks=2)], AFTER: [filled("", blocks=8)] * 2})
    tokens.loc[(tokens["year"] == 2001) & (tokens["chapter"] == 1), "han"] = 0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        row = compare(tokens, BEFORE, AFTER, terms=["花"], n_permutations=999).iloc[0]
    assert row["p_without_chapter"] <= 0.05


# The study


def test_what_the_study_must_say(real) -> None:
    """Body: 峰会 26 then 2, fragile; 攻势 none then 2, too rare; 招商 and its wide reading without evidence of change."""
    table = real[3].set_index("term")
    seen = table[["count_before", "count_after", "verdict"]].loc[["峰会", "攻势", "招商"]].to_numpy().tolist()
    assert seen[:2] == [[26, 2, "fragile"], [0, 2, "too rare"]]
    assert seen[2][2] == table.loc["招商 (wide)", "verdict"] == "no evidence"
    assert table.loc["招商", "low"] < 0 < table.loc["招商", "high"]
    assert table.loc["峰会", "high"] < 0


def test_most_of_the_summit_stands_in_one_chapter(real) -> None:
    """18 of the 26 stand in one chapter, and 17 of the 19 攻势 of both reports in one annex."""
    study, _, tokens, _ = real
    found = occurrences(tokens, study.terms)
    found = found[found["start"].notna()]
    summit, campaign = found[found["term"] == "峰会"], found[found["term"] == "攻势"]
    assert summit[summit["year"] == 2019]["chapter"].value_counts().iloc[0] == 18
    assert (len(campaign), int((campaign["part"] == "annex").sum())) == (19, 17)


def test_the_annex_says_something_else(real) -> None:
    """In the annex 攻势 stands 17 times but in too few blocks for any test: a definition is no campaign."""
    study, _, tokens, _ = real
    row = compare(tokens, study.before, study.after, terms=["攻势"], scope="annex").iloc[0]
    assert (row["count_before"], row["count_after"], row["verdict"]) == (0, 17, "too concentrated")


def test_no_word_of_the_vocabulary_survives(vocabulary) -> None:
    """In closed form no word of the body is found at a false discovery rate of 5 %, as the calibration promises."""
    assert not vocabulary["verdict"].isin(["higher", "lower"]).any()
    assert len(vocabulary) > 250


def test_vocabulary_is_ranked_by_keyness(vocabulary) -> None:
    """The vocabulary stands in falling order of |√(G2 / dispersion)|, with the sign of the change, above the floor of 8."""
    size = vocabulary["keyness"].abs()
    assert (size.diff().dropna() <= 1e-9).all()
    assert (np.sign(vocabulary["keyness"]) == np.sign(vocabulary["log2_ratio"]))[size > 0].all()
    assert ((vocabulary["count_before"] + vocabulary["count_after"]) >= 8).all()
    assert size.tolist() == pytest.approx(np.sqrt(vocabulary["g2"] / vocabulary["dispersion"]).tolist(), abs=1e-9)


def test_columns_and_settings(real, vocabulary) -> None:
    """Declared terms and vocabulary have the same columns, and the settings say what was done, with which seed."""
    study, _, tokens, table = real
    assert list(table.columns) == list(vocabulary.columns) == list(COLUMNS)
    settings = table.attrs["settings"]
    chosen = {key: settings[key] for key in ("function", "scope", "unit", "level", "seed", "n_permutations")}
    assert chosen == {"function": "compare", "scope": "body", "unit": "block", "level": 0.95, "seed": 0, "n_permutations": 99_999}
    blocks = tokens[tokens["part"] != "annex"].groupby("year")["block"].nunique()
    assert (settings["blocks_before"], settings["blocks_after"]) == (blocks[study.before], blocks[study.after])
    assert table["term"].tolist()[:4] == ["峰会", "攻势", "招商", "招商 (wide)"]


# Bad input


HOSTILE = {
    "never occurs": (["云", "花"], {}),
    "vocabulary": ((), {}),
    "pattern signs": ([".*", "花|树", "(", "{0}"], {}),
    "identical": (["草"], {"after": "before"}),
    "nothing tested": (["云"], {}),
    "closed form": (["花", "树"], {"n_permutations": 0}),
    "wide level": (["花"], {"level": 0.999}),
}


@pytest.mark.parametrize(("terms", "options"), HOSTILE.values(), ids=HOSTILE)
def test_never_nan_where_a_figure_draws(terms: list[str], options: dict) -> None:
    """Rates, ratio, intervals and counts are finite and a verdict is given, whatever the terms, without a warning."""
    options = dict(options)
    before = uneven(1)
    after = before if options.pop("after", "") else uneven(9)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        table = run(before, after, terms, **options)
    assert np.isfinite(table[NUMBERS]).all().all()
    assert table["verdict"].isin(["higher", "lower", "fragile", "no evidence", "too rare", "too concentrated"]).all()
    assert len(table) == len(terms) or terms == ()


def test_a_term_that_never_occurs() -> None:
    """A term that stands nowhere has a row of zeros, a ratio of 1 within a wide interval, and is too rare."""
    row = run([filled("", blocks=9)], [filled("", blocks=9)], ["云"]).iloc[0]
    assert (row["count_before"], row["count_after"], row["log2_ratio"], row["verdict"]) == (0, 0, 0, "too rare")
    assert row["low"] < -3 < 3 < row["high"]


def test_identical_reports() -> None:
    """Two reports with the same text differ in nothing: ratio 1, p 1, no evidence."""
    table = run(uneven(3), uneven(3), ["花", "树"])
    assert table["log2_ratio"].tolist() == [0, 0]
    assert table["p_closed"].tolist() == [1, 1]
    assert set(table["verdict"]) == {"no evidence"}


def test_vocabulary_of_short_texts_is_empty() -> None:
    """Texts in which no word stands eight times give an empty table with all columns and settings."""
    table = run([["花草"]], [["树草"]], ())
    assert table.empty
    assert list(table.columns) == list(COLUMNS)
    assert table.attrs["settings"]["function"] == "compare"


def test_absent_year() -> None:
    """A year that is not there is named beside those that are."""
    with pytest.raises(ShinanError, match=r"No report for 2003. Years present: 2001, 2002."):
        compare(tokens_of({BEFORE: [["花"]], AFTER: [["花"]]}), 2001, 2003, terms=["花"])


def test_missing_plan() -> None:
    """A report without a plan cannot be compared plan against plan."""
    tokens = tokens_of({BEFORE: uneven(1), AFTER: uneven(2)})
    tokens["part"] = np.where(tokens["year"] == 2001, "review", tokens["part"])
    with pytest.raises(ShinanError, match="The scope 'plan' holds no text in"):
        compare(tokens, BEFORE, AFTER, terms=["花"], scope="plan")


def test_no_words_to_compare() -> None:
    """A side with figures and punctuation alone has no vocabulary: an error, not a row of NaN."""
    tokens = tokens_of({BEFORE: uneven(1), AFTER: uneven(2)})
    tokens["kind"] = np.where(tokens["year"] == 2001, "punct", tokens["kind"])
    with pytest.raises(ShinanError, match="The scope 'body' holds no"):
        compare(tokens, BEFORE, AFTER)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"level": 95}, "level is 95; expected a number between 0.8"),
        ({"level": 0.8}, "level is 0.8; expected a number between 0.8"),
        ({"level": float("nan")}, "level is nan; expected a number between 0.8"),
        ({"n_permutations": -1}, "n_permutations is -1; expected 0"),
        ({"n_permutations": 99.5}, "n_permutations is 99.5; expected 0"),
        ({"seed": -1}, "seed is -1; expected"),
        ({"unit": "word"}, "unit is 'word'; allowed: block, sentence, chapter"),
        ({"scope": "all"}, "scope is 'all'; allowed: body, review, plan, annex"),
    ],
)
def test_options_out_of_range(options: dict, words: str) -> None:
    """An option out of range is named with its value and what is allowed."""
    with pytest.raises(ShinanError, match=words):
        run(uneven(1), uneven(2), **options)


def test_groups_of_two_places() -> None:
    """Two places in one year are compared like two years, and the rows carry their names."""
    tokens = tokens_of({("甲县", 2001): [filled("花", blocks=9)], ("乙县", 2001): [filled("", blocks=9)]})
    row = compare(tokens, ("甲县", 2001), ("乙县", 2001), terms=["花"], n_permutations=99).iloc[0]
    assert (row["before"], row["after"], row["count_before"], row["count_after"]) == ("甲县 2001", "乙县 2001", 9, 0)


@pytest.mark.parametrize(
    ("tokens", "before", "words"),
    [
        (pd.DataFrame({"a": [1]}), 2001, "no table of tokens: it has no column report. Pass tokenize"),
        ([], 2001, "no table of tokens"),
        (tokens_of({BEFORE: [["花"]], AFTER: [["花"]]}), [2001], r"\[2001\] is no group. Name a year, a report id, or a place"),
        (tokens_of({BEFORE: [["花"]], AFTER: [["花"]]}), ("甲县",), "is no group"),
    ],
    ids=["columns", "list", "years", "place"],
)
def test_what_is_no_table_and_no_group(tokens: pd.DataFrame, before: object, words: str) -> None:
    """Something else than tokens, or than a group, is an error that says what to pass."""
    with pytest.raises(ShinanError, match=words):
        compare(tokens, before, 2002, terms=["花"])


@pytest.mark.slow
def test_bytes_do_not_depend_on_threads_or_hash_seed() -> None:
    """The comparison of the study and its divergence are the same to the byte with two threads and another hash seed."""
    words = (
        "from shinan_research import compare, open_study, outline, restore, tokenize, word_shift\n"
        "study = open_study('.'); reports = restore(study.reports(), study.emendations)\n"
        "tokens = tokenize(outline(reports, headings=study.headings), study.segmenter)\n"
        "options = {'strata': study.strata, 'n_permutations': 2_500}\n"
        "tables = [compare(tokens, study.before, study.after, terms=terms, **options) for terms in (study.terms, ())]\n"
        "shift = word_shift(tokens, study.before, study.after, n_draws=99)\n"
        "print([table.to_csv() for table in (*tables, shift)], shift.attrs['null'])"
    )
    found = []
    for threads, hash_seed in (("1", "0"), ("2", "7")):
        names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
        environment = os.environ | dict.fromkeys(names, threads) | {"PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(ROOT)}
        run = subprocess.run([sys.executable, "-c", words], cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
        found.append(run.stdout)
    assert found[0] == found[1] and len(found[0]) > 50_000
