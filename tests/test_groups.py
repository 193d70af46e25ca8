"""Several reports in a group: the report is the unit, places are what varies, and few places are only described."""

import itertools
import math
from collections import Counter

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from test_counts import tokens_of

from shinan_research import (
    compare,
    describe_word_shift,
    divergence,
    draw_word_shift,
    explain,
    outline,
    restore,
    sensitivity,
    stack,
    survivors,
    tally,
    tokenize,
    word_shift,
)  # fmt: skip
from shinan_research.captions import caption, confounding
from shinan_research.counts import count_units
from shinan_research.guide import how_to_read, methods
from shinan_research.messages import LANGUAGES, say
from shinan_research.placebo import placebo
from shinan_research.rates import raw_dispersion
from shinan_research.reports import Report
from shinan_research.restore import COLUMNS as EMENDATION_COLUMNS

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


def test_p_without_a_place_is_the_largest_of_twelve_comparisons() -> None:
    """Leaving out each of twelve places in turn and comparing anew gives the largest p, but for the pooled dispersion."""
    tokens = groups(12, 4, before=0.2, after=0.24, shared=0.05)
    row = compare(tokens, 2001, 2002, terms=["花"], n_permutations=0).iloc[0]
    each = []
    for place in PLACES[:12]:
        rest = tokens[tokens["place"] != place].copy()
        rest.attrs = tokens.attrs
        each.append(compare(rest, 2001, 2002, terms=["花"], n_permutations=0)["p_closed"].iloc[0])
    assert row["p_without_chapter"] == pytest.approx(max(each), rel=0.05)
    assert max(each) > 1.5 * row["p_closed"]


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
        explain(table.iloc[0], language), caption({"": table}, place, "after reading", language),
        confounding(table.iloc[0], table.attrs["settings"], language),
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


def divergence_of(a: dict[str, int], b: dict[str, int]) -> dict[str, float]:
    """Return the contribution of each character to the divergence, from the formula."""
    totals = sum(a.values()), sum(b.values())
    p, q = ({word: counts.get(word, 0) / total for word in {*a, *b}} for counts, total in zip((a, b), totals, strict=True))
    return {
        word: sum(s / 2 * math.log2(2 * s / (p[word] + q[word])) for s in (p[word], q[word]) if s)
        for word in sorted({*a, *b}) if p[word] + q[word]
    }  # fmt: skip


def counted(tokens: pd.DataFrame, year: int, places: list[str]) -> Counter[str]:
    """Return how often each character stands in the reports of some places in a year."""
    return Counter(tokens.loc[(tokens["year"] == year) & tokens["place"].isin(places), "term"].astype(str))


@pytest.mark.parametrize("null", ["sentence", "report"])
def test_words_that_differ_between_few_places_only_describe(null: str) -> None:
    """Nine places: no band, and each line runs over the contributions with one place at a time left out, worked one by one."""
    tokens = groups(9, after=0.5)
    table = word_shift(tokens, 2001, 2002, null=null, n_draws=20)
    assert table.attrs["null"] == {"unit": "report", "verdict": "description only"}
    assert table.attrs["settings"]["places"] == 9
    ways = [PLACES[:9], *([each for each in PLACES[:9] if each != place] for place in PLACES[:9])]
    values = [divergence_of(counted(tokens, 2001, way), counted(tokens, 2002, way)) for way in ways]
    for row in table.itertuples():
        each = [value.get(row.term, 0.0) for value in values]
        assert (row.contribution, row.low, row.high) == pytest.approx((each[0], min(each), max(each)), abs=1e-12)


def test_the_band_deals_reports_within_their_places() -> None:
    """The band is that of all 1,024 ways to exchange the two reports of each of ten places, listed one by one."""
    tokens = groups(10, 3, shared=0.19)
    table = word_shift(tokens, 2001, 2002, n_draws=2_000)
    null = table.attrs["null"]
    sides = [[counted(tokens, year, [place]) for place in PLACES[:10]] for year in (2001, 2002)]
    exact = []
    for turned in itertools.product((0, 1), repeat=10):
        a, b = (sum((sides[turn ^ side][i] for i, turn in enumerate(turned)), Counter()) for side in (0, 1))
        exact.append(sum(divergence_of(a, b).values()))
    assert null["unit"] == "report" and null["mean"] == pytest.approx(np.mean(exact), rel=0.06)
    assert [null["low"], null["high"]] == pytest.approx(np.quantile(exact, [0.025, 0.975]), rel=0.2, abs=1e-6)
    assert word_shift(groups(12, 3, after=0.5), 2001, 2002).attrs["null"]["verdict"] == "above"


def test_intervals_resample_places_with_both_their_reports() -> None:
    """Places that are each alike in both years: however they are resampled, the years do not differ, and no line is long."""
    tokens = tokens_of({(place, year): [["花" * (10 + 7 * at) + "草" * (90 - 7 * at)] * 2] for at, place in enumerate(PLACES[:11])
                        for year in (2001, 2002)})  # fmt: skip
    table = word_shift(tokens, 2001, 2002, n_draws=200)
    assert table["high"].max() < 1e-12 and table.attrs["total"] < 1e-12


def test_unpaired_places_are_left_in_and_paired_ones_alone() -> None:
    """Of paired groups a place without its other report is left out; other places on either side are all counted."""
    tokens = groups(12, after=0.4)
    lone = tokens[~((tokens["place"] == PLACES[11]) & (tokens["year"] == 2001))]
    first, second = PLACES[:6], PLACES[6:12]
    apart = tokens[
        tokens["place"].isin(first) & (tokens["year"] == 2001) | tokens["place"].isin(second) & (tokens["year"] == 2002)
    ]
    counts = [word_shift(rows, 2001, 2002, n_draws=20).set_index("term").loc["花"] for rows in (lone, apart)]
    both = tuple(counted(tokens, year, PLACES[:11])["花"] for year in (2001, 2002))
    each = counted(tokens, 2001, first)["花"], counted(tokens, 2002, second)["花"]
    assert (counts[0]["count_before"], counts[0]["count_after"]) == both
    assert (counts[1]["count_before"], counts[1]["count_after"]) == each


@pytest.mark.parametrize("size", [4, 12])
def test_swapping_turns_the_directions_of_words_and_nothing_else(size: int) -> None:
    """Before and after exchanged: contributions, lines and band stay to the bit, counts and directions change sides."""
    tokens = groups(size, 1, after=0.4)
    one, two = (word_shift(tokens, *years, n_draws=200).set_index("term").sort_index() for years in ((2001, 2002), (2002, 2001)))
    same = ["contribution", "low", "high", "share"]
    pd.testing.assert_frame_equal(one[same], two[same], rtol=1e-12, atol=1e-15)
    assert one["count_before"].tolist() == two["count_after"].tolist()
    assert one.attrs["null"] == pytest.approx(two.attrs["null"]) and one.attrs["total"] == pytest.approx(two.attrs["total"])
    turned = {"more before": "more after", "more after": "more before", "equal": "equal"}
    assert [turned[each] for each in one["direction"]] == two["direction"].tolist()


def test_reports_counted_one_by_one_have_the_same_words() -> None:
    """What was tallied report by report gives the word shift of the tokens themselves."""
    reports = [
        Report(f"{place}-{year}", place, year, text, text)
        for at, place in enumerate(PLACES[:3]) for year in (2001, 2002)
        for text in ["推进养老服务。建设学校。" * (at + year - 2000)]
    ]  # fmt: skip
    reports = restore(reports, pd.DataFrame(columns=list(EMENDATION_COLUMNS)))
    tokens = tokenize(outline(reports))
    one = word_shift(tokens, 2001, 2002)
    two = word_shift(stack([tally(report) for report in reports]), 2001, 2002, null="report")
    pd.testing.assert_frame_equal(one, two)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("size", [3, 12])
def test_words_of_the_divergence_of_groups(language: str, size: int) -> None:
    """Caption, alt text, guide and finding name places or reports, no sentences and no pair; the figure is drawn."""
    table = word_shift(groups(size, after=0.5), 2001, 2002, n_draws=50)
    words = describe_word_shift(table, place={"zh": "某", "en": "A"})
    said = [words["caption"][language], words["alt"][language], how_to_read(table, language), divergence(table, language)]
    assert not [each for each in said if "{" in each or "nan" in each.lower()]
    banned = {"zh": ("两份报告", "抽文本块", "句分"), "en": ("two reports", "blocks", "sentences", "same text")}[language]
    assert not [word for word in banned for each in said if word in each]
    few = {"zh": "无从判断", "en": "places to"}[language]
    assert (few in words["caption"][language]) == (size == 3) or language == "en"
    figure = draw_word_shift(table, language=language)
    texts = " ".join(text.get_text() for ax in figure.axes for text in ax.texts)
    assert ({"zh": "地方太少", "en": "too few places"}[language] in texts) == (size == 3)


@pytest.mark.parametrize("language", LANGUAGES)
def test_too_few_places_for_a_long_list_of_words(language: str) -> None:
    """Where no word could have passed the correction the sentence says so; closed form, more places or fewer words do not."""
    table = compare(groups(10), 2001, 2002, n_permutations=99)
    table.attrs["settings"]["n_permutations"] = 99_999
    many = pd.concat([table.assign(p=0.5, p_adjusted=1.0)] * 15, ignore_index=True)
    words = survivors(many_of(many, table), language)
    assert "0.002" in words and str(len(many)) in words and "{" not in words
    short = survivors(many_of(table.assign(p_adjusted=1.0), table), language)
    assert short == say("describe.ranking.none", language)
    for settings in ({"n_permutations": 0}, {"paired": False}, {"places": 31}):
        assert survivors(many_of(many, table, **settings), language) == short
    few = survivors(many_of(many, table, n_permutations=199), language)
    assert few.startswith(short) and "199" in few and "0.01" in few and str(len(many)) in few


def many_of(rows: pd.DataFrame, table: pd.DataFrame, **settings: object) -> pd.DataFrame:
    """Return rows with the settings of a table, some of them changed."""
    rows.attrs["settings"] = table.attrs["settings"] | settings
    return rows
