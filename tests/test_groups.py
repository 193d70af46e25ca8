"""Several reports in a group: the report is the unit, places are what varies, and few places are only described."""

import itertools

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from test_counts import tokens_of

from shinan_research import compare, explain, sensitivity
from shinan_research.counts import count_units
from shinan_research.explain import caption, confounding
from shinan_research.guide import how_to_read, methods
from shinan_research.messages import LANGUAGES
from shinan_research.placebo import placebo
from shinan_research.rates import raw_dispersion

PLACES = [f"{name}县" for name in "甲乙丙丁戊己庚辛壬癸子丑"]


def groups(size: int, seed: int = 0, *, before: float = 0.2, after: float = 0.2, shared: float = 0.0) -> pd.DataFrame:
    """Return the tokens of places in two years; `shared` says how much places differ from each other in both years alike."""
    rng, reports = np.random.default_rng(seed), {}
    for place in PLACES[:size]:
        own = rng.uniform(-shared, shared)
        for year, share in ((2001, before), (2002, after)):
            blocks = ["".join(rng.choice(list("花草"), 40, p=(share + own, 1 - share - own))) for _ in range(5)]
            reports[place, year] = [blocks]
    return tokens_of(reports)


@pytest.mark.parametrize("unit", ["block", "sentence", "chapter", "report"])
def test_few_places_are_described(unit: str) -> None:
    """Nine places: whatever unit is asked for, no p, and the ends are the least and the greatest ratio of a place."""
    tokens = groups(9, after=0.5)
    table = compare(tokens, 2001, 2002, terms=["花"], unit=unit, n_permutations=99)
    row = table.iloc[0]
    assert (row["verdict"], row["unit"], row["hangs_on"]) == ("description only", "report", "")
    assert table[["p", "p_adjusted", "p_max", "p_without_chapter"]].isna().all(axis=None)
    each = [compare(tokens, (place, 2001), (place, 2002), terms=["花"], n_permutations=0) for place in PLACES[:9]]
    ratios = [float(one["log2_ratio"].iloc[0]) for one in each]
    assert [row["low"], row["high"]] == pytest.approx([min(ratios), max(ratios)])
    assert row["low_inner"] == row["high_inner"] == row["log2_matched"]
    vocabulary = compare(tokens, 2001, 2002, n_permutations=0)
    assert set(vocabulary["verdict"]) == {"description only"}


def test_one_report_a_side_is_as_it_was() -> None:
    """A pair of reports has no column for the unit, keeps its blocks, and no setting speaks of places."""
    table = compare(groups(2), ("甲县", 2001), ("乙县", 2001), terms=["花"], n_permutations=0)
    assert "unit" not in table and "places" not in table.attrs["settings"]
    assert table.attrs["settings"]["unit"] == "block" and table["blocks"].iloc[0] == 10


def test_the_dispersion_is_that_of_the_differences_of_places() -> None:
    """Of paired places the variance is that of each place's two deviations taken from each other, worked place by place."""
    tokens = groups(11, 3, shared=0.15)
    found = compare(tokens, 2001, 2002, n_permutations=0)
    counts = count_units(tokens, None, 2001, 2002, scope="body", unit="report", headings=True, strata=None)
    x, side = counts.x.toarray()[:, counts.terms.index("花")].astype(float), counts.after
    deviation = np.concatenate([x[s] - counts.n[s] * x[s].sum() / counts.n[s].sum() for s in (~side, side)])
    place = np.concatenate([counts.chapter[~side], counts.chapter[side]])
    gaps = [deviation[place == code] @ [-1, 1] for code in range(11)]
    wider = (stats.t.ppf(0.975, 10) / stats.norm.ppf(0.975)) ** 2
    expected = wider * 11 / 10 * np.sum(np.square(gaps)) / x.sum()
    assert counts.paired and raw_dispersion(counts)[2][counts.terms.index("花")] == pytest.approx(expected)
    assert raw_dispersion(counts._replace(paired=False))[2].max() > 2 * expected and len(found)


def test_the_permutation_turns_signs_within_places() -> None:
    """Ten places: p is that of all 1,024 ways to exchange before and after within places, listed one by one."""
    tokens = groups(10, 5, after=0.24, shared=0.1)
    row = compare(tokens, 2001, 2002, terms=["花"], n_permutations=99_999).iloc[0]
    counts = {year: tokens[(tokens["year"] == year)].groupby("place") for year in (2001, 2002)}
    hits = {year: rows["term"].apply(lambda terms: int((terms == "花").sum())).to_numpy(float) for year, rows in counts.items()}
    han = {year: rows["han"].sum().to_numpy(float) for year, rows in counts.items()}
    gap = hits[2002] - (hits[2001] + hits[2002]) * han[2002] / (han[2001] + han[2002])
    flips = np.array(list(itertools.product((-1, 1), repeat=10))) @ gap
    exact = 2 * min((flips >= gap.sum() - 1e-9).mean(), (flips <= gap.sum() + 1e-9).mean())
    assert row["p"] == pytest.approx(exact, abs=0.01) and row["verdict"] in ("no evidence", "higher", "fragile")
    assert row["p_unmatched"] == row["p_adjusted"]


def test_swapping_groups_flips_signs_and_nothing_else() -> None:
    """Before and after exchanged: the same p and verdict's mirror, the interval turned round."""
    tokens = groups(12, 1, after=0.4)
    one, two = (compare(tokens, *years, terms=["花"], n_permutations=999).iloc[0] for years in ((2001, 2002), (2002, 2001)))
    assert (one["verdict"], two["verdict"]) == ("higher", "lower")
    assert [one["low"], one["high"], one["p"]] == pytest.approx([-two["high"], -two["low"], two["p"]])


def test_a_place_on_one_side_only_is_counted_and_not_compared() -> None:
    """A place without a report in the other year enters the counts, and neither ratio nor test."""
    tokens = groups(11, 2, after=0.4)
    kept = tokens[~((tokens["place"] == PLACES[10]) & (tokens["year"] == 2001))].copy()
    kept.attrs = tokens.attrs
    row = compare(kept, 2001, 2002, terms=["花"], n_permutations=99).iloc[0]
    assert row["matched_after"] < row["count_after"] and row["matched_before"] == row["count_before"]


def test_one_place_alone_makes_it_fragile() -> None:
    """What hangs on one place is fragile, and the reason names a place and no chapter."""
    tokens = groups(12, 4, before=0.2, after=0.27)
    row = compare(tokens, 2001, 2002, terms=["花"], n_permutations=0).iloc[0].to_dict()
    words = explain(row | {"verdict": "fragile", "hangs_on": "chapter"})
    assert "hangs on that place" in words and "chapter" not in words


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("size", [2, 12])
def test_prose_speaks_of_places(language: str, size: int) -> None:
    """Sentences, caption, guide and methods name places; of few, no interval and no test; no field is left open."""
    tokens = groups(size, after=0.4)
    table = compare(tokens, 2001, 2002, terms=["花"], n_permutations=99)
    place = {"zh": "某", "en": "A"}
    said = [
        explain(table.iloc[0], language), caption({"": table}, place, "after reading", language), confounding(table, language),
        how_to_read(table, language), methods(table.attrs["settings"], "", language),
    ]  # fmt: skip
    words = {"zh": "地", "en": "place"}[language]
    assert all(words in each and "{" not in each for each in said)
    banned = {"zh": ("以约五句", "段落"), "en": ("passages", "five sentences", "one report per year")}[language]
    assert not [word for word in banned for each in said if word in each]
    if size == 2:
        assert not any("p = " in each or "p＝" in each for each in said)


def test_other_tables_take_it_as_it_is() -> None:
    """The placebo gives no rank to a description, and the sensitivity has one unit."""
    tokens = groups(3)
    own = placebo(compare(tokens, 2001, 2002, terms=["花"], n_permutations=0))
    assert own.loc[own["own"], "rank"].isna().all()
    assert set(sensitivity({"text": tokens}, 2001, 2002, terms=["花"])["unit"]) == {"report"}
