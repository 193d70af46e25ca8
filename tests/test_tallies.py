"""What is counted report by report sums to what tokens hold, and compares as they do."""

from itertools import pairwise
from typing import Any

import pandas as pd
import pytest

from shinan_research.counts import count_units
from shinan_research.errors import ShinanError
from shinan_research.outline import outline
from shinan_research.rates import closed_form, matched, pick, without_each
from shinan_research.reports import Report
from shinan_research.shifts import compare
from shinan_research.tallies import stack, tally
from shinan_research.tokens import Segmenter, tokenize


def report(place: str, year: int, words: str) -> Report:
    """Return a report with every part."""
    review = f"各位代表：\n一、工作回顾\n{words}建成公路{year}条。\n"
    text = f"{review}二、工作安排\n推进改革。{words}\n（一）发展产业\n植树。\n名词解释：\n1.产业：发展产业。\n"
    return Report(f"{place}-{year}", place, year, text, text)


WORDS = {2031: "推进改革。", 2032: "发展产业。"}
REPORTS = [report(place, year, words * n) for n, place in enumerate(("甲县", "乙县", "丙县"), 1) for year, words in WORDS.items()]
TOKENS = tokenize(outline(REPORTS, witness=True))
TALLIES = stack(tally(each, witness=True) for each in REPORTS)


def test_a_tally_counts_the_tokens() -> None:
    """Counts, those in headings, totals and Han characters are those of the tokens, by report, part and term."""
    keys = ["report", "part", "term"]
    words = TOKENS[TOKENS["kind"].isin(["word", "term"])].astype({"part": str, "term": str})
    expected = words.groupby(keys).agg(count=("heading", "size"), heads=("heading", "sum")).astype(int)
    found = TALLIES.astype({"report": str, "part": str, "term": str}).set_index(keys)
    pd.testing.assert_frame_equal(found[["count", "heads"]].sort_index().astype(int), expected.sort_index())
    for (name, part), rows in TALLIES.groupby(["report", "part"], observed=True):
        mine = TOKENS[(TOKENS["report"] == name) & (TOKENS["part"] == part)]
        assert set(rows["han"]) == {int(mine["han"].sum())}
        assert set(rows["total"]) == {int(rows["count"].sum())}


def test_stacked_tallies_name_their_reports() -> None:
    """Categories are sorted, rows stay in order, and the settings have all reports."""
    assert [each.id for each in REPORTS] == TALLIES["report"].drop_duplicates().tolist()
    for name in ("report", "place", "term"):
        categories = TALLIES[name].cat.categories.tolist()
        assert all(one < other for one, other in pairwise(categories))
    assert TALLIES.attrs["settings"]["reports"] == TOKENS.attrs["settings"]["reports"]
    assert TALLIES.attrs["settings"]["fingerprint"] == Segmenter().fingerprint


@pytest.mark.parametrize("scope", ["body", "plan", "annex"])
def test_reports_as_units(scope: str) -> None:
    """Per report and term, the sums over blocks of the token table; the place takes the role of the chapter."""
    options = {"scope": scope, "headings": True, "strata": None}
    found = count_units(TALLIES, None, 2031, 2032, unit="report", **options)  # type: ignore[arg-type]
    blocks = count_units(TOKENS, None, 2031, 2032, unit="block", **options)  # type: ignore[arg-type]
    assert found.terms == blocks.terms
    assert found.x.sum(axis=0).tolist() == blocks.x.sum(axis=0).tolist()
    assert found.heads.tolist() == blocks.heads.tolist()
    assert found.n.sum() == blocks.n.sum() and found.han.sum() == blocks.han.sum()
    assert found.after.tolist() == [False, True] * 3 and found.x.shape[0] == 6
    assert sorted(found.chapter.tolist()) == [0, 0, 1, 1, 2, 2]


def test_compare_takes_tallies() -> None:
    """The counts and ratios over reports are those over blocks; only what depends on the unit differs."""
    reports = compare(TALLIES, 2031, 2032, unit="report", n_permutations=0).set_index("term").sort_index()
    blocks = compare(TOKENS, 2031, 2032, n_permutations=0).set_index("term").sort_index()
    for name in ("count_before", "count_after", "total_before", "han_after", "log2_ratio", "g2"):
        pd.testing.assert_series_equal(reports[name], blocks[name])
    assert reports.loc["产业", "blocks"] == 6
    with pytest.raises(ShinanError, match="No report for 2040"):
        compare(TALLIES, 2031, 2040, unit="report", n_permutations=0)
    with pytest.raises(ShinanError, match="name the same report"):
        compare(TALLIES, 2031, "甲县-2031", unit="report", n_permutations=0)


def test_units_and_tables_that_do_not_fit() -> None:
    """Counted reports hold no blocks; of tokens the unit is the report by itself, and all that is said is the same."""
    with pytest.raises(ShinanError, match="hold no block"):
        compare(TALLIES, 2031, 2032, n_permutations=0)
    tokens, tallies = (compare(each, 2031, 2032, unit="report", n_permutations=0) for each in (TOKENS, TALLIES))
    pd.testing.assert_frame_equal(tokens, tallies, check_dtype=False)
    pd.testing.assert_frame_equal(tokens, compare(TOKENS, 2031, 2032, n_permutations=0))


@pytest.mark.parametrize(
    "options",
    [{"terms": ("改革",)}, {"headings": False}, {"strata": pd.DataFrame({"report": [], "chapter": [], "stratum": []})}],
)
def test_what_counted_reports_cannot_tell(options: dict[str, Any]) -> None:
    """Declared terms, strata and text without headings need the tokens, and the message says so."""
    with pytest.raises(ShinanError, match=r"declared terms, strata and headings=False cannot be had.*tokenize\(outline"):
        compare(TALLIES, 2031, 2032, unit="report", n_permutations=0, **options)


def test_the_place_left_out_is_that_of_a_count_without_it() -> None:
    """The largest p without a place is that of counts from which the reports of the place were taken."""
    whole = compare(TALLIES, 2031, 2032, unit="report", n_permutations=0).set_index("term")
    counts = count_units(TALLIES, None, 2031, 2032, unit="report", scope="body", headings=True, strata=None)
    common = float(whole.attrs["settings"]["common_dispersion"])
    for place, p in without_each(counts, common):
        expected = closed_form(pick(counts, counts.chapter != place), common).p
        assert p.tolist() == expected.tolist()
    assert [place for place, _ in without_each(counts, common)] == [0, 1, 2]
    alone = pick(counts, counts.chapter != 2)
    mixed = pick(counts, (counts.chapter == 0) | counts.after)
    assert len(list(without_each(alone, common))) == 2
    assert [place for place, _ in without_each(mixed, common)] == [1, 2]


def test_the_place_left_out_of_pairs_is_that_of_a_count_without_it() -> None:
    """Of paired reports, too, sums less one place's are those of a count without it; a place without a partner takes nothing."""
    words = ("公路", "学校", "花草", "港口")
    texts = {
        (place, year): "".join(f"建设{word}。" * ((7 * place + 3 * year + number) % 5) for number, word in enumerate(words))
        + "推进。"
        for place in range(11)
        for year in (2031, 2032)
        if (place, year) != (10, 2032)
    }
    tallies = stack(
        tally(Report(f"{place}-{year}", f"甲{place:02}", year, text, text), witness=True) for (place, year), text in texts.items()
    )
    counts = count_units(tallies, None, 2031, 2032, unit="report", scope="body", headings=True, strata=None)
    assert counts.paired
    found = dict(without_each(counts, 1.5))
    assert sorted(found) == list(range(11))
    for place, p in found.items():
        expected = closed_form(matched(pick(counts, counts.chapter != place)), 1.5).p
        assert p == pytest.approx(expected, rel=1e-12)


def test_what_cannot_be_joined() -> None:
    """No table, one report twice, and two segmenters are refused by name."""
    with pytest.raises(ShinanError, match="no report was counted"):
        stack([])
    one = tally(REPORTS[0], witness=True)
    with pytest.raises(ShinanError, match="甲县-2031 comes twice"):
        stack([one, one])
    with pytest.raises(ShinanError, match="甲县-2032 was cut by another segmenter"):
        stack([one, tally(REPORTS[1], witness=True, segmenter=Segmenter(terms=("甲乙丙",)))])
    with pytest.raises(ShinanError, match="Not restored: 甲县-2031"):
        tally(REPORTS[0])


def test_texts_without_words() -> None:
    """A report without words gives no row, and joins."""
    empty = [tally(Report(f"{name}-2031", name, 2031, text, text), witness=True) for name, text in (("丁", "12。"), ("戊", ""))]
    assert [each["terms"] for each in empty] == [[], []]
    assert len(stack(empty)) == 0
    one = tally(REPORTS[0], witness=True)
    assert len(stack([*empty, one])) == len(one["count"]) > 0
