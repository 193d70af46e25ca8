"""Prevalence: shares and errors by hand, planted shifts found, single pairs that cannot show them said to be so."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from planted import planted_tokens
from scipy import stats

from shinan_research.errors import ShinanError
from shinan_research.prevalence import prevalence, topic_trend
from shinan_research.topics import Topics, fit_topics
from shinan_research.windows import Windows


def known(rows: list[tuple[str, str, int, int, int, float]]) -> Topics:
    """Return a model of two topics with given shares: report, place, year, chapter, size, share of the first."""
    table = pd.DataFrame(rows, columns=["report", "place", "year", "chapter", "size", "T1"])
    table["T2"] = 1 - table["T1"]
    names = pd.DataFrame({"topic": ["T1", "T2"], "zh": ["甲", "乙"], "en": ["a", "b"], "decided_by": "algorithm"})
    runs = np.repeat(table[["T1", "T2"]].to_numpy(dtype=np.float32)[None], 3, axis=0)
    nothing = Windows(table, [], pd.DataFrame())
    return Topics(names, table, names, names, nothing, runs, np.zeros_like(runs[0]), {})


ROWS = [
    ("a", "A", 2010, 0, 10, 0.2), ("a", "A", 2010, 0, 30, 0.4), ("a", "A", 2010, 1, 20, 0.5), ("a", "A", 2010, 2, 40, 0.1),
    ("b", "A", 2011, 0, 20, 0.6), ("b", "A", 2011, 1, 30, 0.8), ("b", "A", 2011, 2, 50, 0.3),
]  # fmt: skip


def test_the_generative_interval_by_hand() -> None:
    """Share, standard error over chapters, Welch's degrees of freedom and interval are those of the textbook."""
    row = prevalence(known(ROWS), 2010, 2011, n_permutations=99).set_index("topic").loc["T1"]
    sides = [([40, 20, 40], [14, 10, 4]), ([20, 30, 50], [12, 24, 15])]
    shares, variances = [], []
    for sizes, sums in sides:
        share = sum(sums) / sum(sizes)
        beyond = [(s - n * share) / sum(sizes) for n, s in zip(sizes, sums, strict=True)]
        shares.append(share)
        variances.append(sum(each**2 for each in beyond) * 3 / 2)
    freedom = sum(variances) ** 2 / sum(v**2 / 2 for v in variances)
    wide = stats.t.ppf(0.975, freedom) * sum(variances) ** 0.5
    assert row["shift"] == pytest.approx(shares[1] - shares[0], abs=1e-6)
    assert (row["low"], row["high"]) == pytest.approx((shares[1] - shares[0] - wide, shares[1] - shares[0] + wide), abs=1e-5)
    assert row["clusters_before"] == 3 and row["unit"] == "chapter"
    assert row["pairs_needed"] == np.ceil((2.8015852 * sum(variances) ** 0.5 / 0.03) ** 2)


def test_measurement_holds_runs_and_posterior() -> None:
    """With runs that are all alike and no posterior spread the share is known exactly; either one widens it."""
    topics = known(ROWS)
    exact = prevalence(topics, 2010, 2011, n_permutations=9)
    assert (exact["measurement_low"] == exact["measurement_high"]).all()
    runs = topics.runs.copy()
    runs[0, :4, 0] += 0.1
    other = known(ROWS)
    object.__setattr__(other, "runs", runs)
    wide = prevalence(other, 2010, 2011, n_permutations=9).iloc[0]
    half = stats.norm.ppf(0.975) * np.std([-0.1, 0, 0], ddof=1)
    assert wide["measurement_high"] - wide["shift"] == pytest.approx(half, abs=1e-5)
    whole = (exact["error"].iloc[0] ** 2 + np.std([-0.1, 0, 0], ddof=1) ** 2) ** 0.5
    assert wide["error"] == pytest.approx(whole, abs=1e-5) and wide["pairs_needed"] == exact["pairs_needed"].iloc[0]
    assert wide["high"] - wide["shift"] == pytest.approx(stats.t.ppf(0.975, wide["freedom"]) * whole, abs=1e-4)
    object.__setattr__(topics, "variance", np.full_like(topics.variance, 0.5))
    known_by = prevalence(topics, 2010, 2011, n_permutations=9).iloc[0]
    expected = stats.norm.ppf(0.975) * np.sqrt(4 * 0.5 / 100**2 + 3 * 0.5 / 100**2)
    assert known_by["measurement_high"] - known_by["shift"] == pytest.approx(expected, abs=1e-5)


def test_p_knows_the_spread_over_runs() -> None:
    """p is the share of all labellings of the chapters whose shift over its whole error, runs included, is as large."""
    topics, rng = known(ROWS), np.random.default_rng(1)
    object.__setattr__(topics, "runs", (topics.runs + rng.normal(0, 0.15, topics.runs.shape)).astype(np.float32))
    table = topics.shares.groupby(["report", "chapter"])
    size = table["size"].sum().to_numpy(dtype=float)
    units = topics.shares["size"].to_numpy()
    cluster = table.ngroup().to_numpy()
    sums = np.bincount(cluster, units * topics.shares["T1"])
    runs = [np.bincount(cluster, units * run) for run in topics.runs[:, :, 0]]

    def statistic(after: tuple[int, ...]) -> float:
        mine, shifts, variance = np.isin(np.arange(6), after), [], 0.0
        for each in [sums, *runs]:
            shifts.append(each[mine].sum() / size[mine].sum() - each[~mine].sum() / size[~mine].sum())
        for side in (mine, ~mine):
            beyond = (sums[side] - size[side] * sums[side].sum() / size[side].sum()) / size[side].sum()
            variance += (beyond**2).sum() * 3 / 2
        return abs(shifts[0]) / (variance + np.var(shifts[1:], ddof=1)) ** 0.5

    reached = [statistic(after) >= statistic((3, 4, 5)) - 1e-9 for after in combinations(range(6), 3)]
    row = prevalence(topics, 2010, 2011).iloc[0]
    assert row["p"] == pytest.approx(np.mean(reached), abs=0.02)
    assert abs(row["p"] - prevalence(known(ROWS), 2010, 2011).iloc[0]["p"]) > 0.05


def test_swapping_the_groups_changes_the_sign_alone() -> None:
    """Before and after exchanged give the same p up to the draw, and the shift with the other sign."""
    one, two = prevalence(known(ROWS), 2010, 2011), prevalence(known(ROWS), 2011, 2010)
    np.testing.assert_allclose(one["shift"], -two["shift"])
    np.testing.assert_allclose(one["low"], -two["high"])
    np.testing.assert_allclose(one["p"], two["p"], atol=0.02)


def test_places_are_pairs() -> None:
    """With the same places on both sides places are resampled in pairs, and the error is that of the differences."""
    rng = np.random.default_rng(0)
    level = {place: rng.uniform(0.2, 0.6) for place in "ABCDEFGHIJ"}
    rows = [
        (f"{p}{y}", p, y, c, 50, level[p] + 0.1 * (y == 2011) + rng.normal(0, 0.01))
        for p in level for y in (2010, 2011) for c in range(3)
    ]  # fmt: skip
    row = prevalence(known(rows), 2010, 2011, n_permutations=999).iloc[0]
    table = pd.DataFrame(rows, columns=["report", "place", "year", "chapter", "size", "share"])
    difference = table.pivot_table(index="place", columns="year", values="share").diff(axis=1)[2011]
    assert row["unit"] == "place" and row["clusters_after"] == 10 and row["freedom"] == 9
    assert row["error"] == pytest.approx(difference.std(ddof=1) / np.sqrt(10), rel=0.02)
    assert row["p"] < 0.02 and row["verdict"] == "higher"


def test_few_places_or_reports_are_described_not_tested() -> None:
    """With nine places, or reports of different places, there is no test; with ten there is; chapters are always tested."""
    for number, verdict in ((9, "description only"), (10, "higher")):
        for shift in (0, number):  # the same places on both sides, or others
            rows = [
                (f"{place}-{year}", f"{place + shift * (year - 2010)}", year, 0, 50, 0.2 + 0.4 * (year - 2010) + 0.001 * place)
                for year in (2010, 2011) for place in range(number)
            ]  # fmt: skip
            table = prevalence(known(rows), 2010, 2011, n_permutations=999)
            assert set(table["unit"]) == {"report" if shift else "place"}
            assert table["verdict"].iloc[0] == verdict and table["p"].isna().all() == (number < 10)
            assert table["p_adjusted"].isna().all() == (number < 10) and table["low"].notna().all()
    assert "description only" not in set(prevalence(known(ROWS), 2010, 2011)["verdict"])


def test_two_like_reports_show_nothing_and_a_leaning_one_much() -> None:
    """From text to verdict: no topic moves between two reports of the same plan; with ten places a lean is found."""
    same = prevalence(fit_topics(planted_tokens(), 4, runs=4, length=48, most=0.6), 2010, 2011)
    assert set(same["verdict"]) == {"no evidence"} and (same["low"] < 0).all() and (same["high"] > 0).all()
    assert same["share_before"].sum() == pytest.approx(1, abs=1e-4)
    places = tuple("ABCDEFGHIJ")
    tokens = planted_tokens(places, chapters=8, sentences=6, lean=0.3)
    moved = prevalence(fit_topics(tokens, 4, runs=4, length=48, most=0.6), 2010, 2011)
    assert (moved["verdict"] == "higher").sum() == 1 and moved["shift"].max() > 0.15


def test_trend_by_hand() -> None:
    """Shares of a year are those of its tokens; bands are over reports from three on, over chapters beneath."""
    rows = [*ROWS, ("c", "B", 2011, 0, 10, 0.5), ("d", "C", 2011, 0, 10, 0.9)]
    table = topic_trend(known(rows), groups="all").set_index(["year", "topic"])
    assert table.loc[(2010, "T1"), "share"] == pytest.approx(0.28) and table.loc[(2010, "T1"), "unit"] == "chapter"
    assert table.loc[(2011, "T1"), "share"] == pytest.approx((51 + 5 + 9) / 120, abs=1e-6)
    assert table.loc[(2011, "T1"), ["unit", "reports"]].tolist() == ["report", 3]
    grouped = topic_trend(known(rows), groups={"east": ["A"], "west": ["B"]})
    assert set(grouped["group"]) == {"east", "west"} and grouped.loc[grouped["group"] == "west", "low"].isna().all()
    with pytest.raises(ShinanError, match="The group 'east' names Z"):
        topic_trend(known(ROWS), groups={"east": ["Z"]})


def test_bad_input() -> None:
    """One report, the same report twice and a report with one chapter are errors that say what to do."""
    topics = known(ROWS)
    with pytest.raises(ShinanError, match="No report for 2012"):
        prevalence(topics, 2010, 2012)
    with pytest.raises(ShinanError, match=r"level is 95, detect 0.03; expected shares between 0 and 1"):
        prevalence(topics, 2010, 2011, level=95)
    with pytest.raises(ShinanError, match="same report"):
        prevalence(topics, 2010, "a")
    with pytest.raises(ShinanError, match="fewer than two chapters"):
        prevalence(known([row for row in ROWS if row[0] == "a" or row[3] == 0]), 2010, 2011)
