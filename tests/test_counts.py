"""Counting: occurrences by chapter, terms by unit of text, and the totals that they are shares of."""

import re
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from shinan_research import ShinanError, compare, count, dispersion, occurrences, open_study, outline, restore, tokenize
from shinan_research.counts import SCOPES, belongs, count_units
from shinan_research.reports import HAN

ROOT = Path(__file__).parents[1]
BEFORE, AFTER = ("甲县", 2001), ("甲县", 2002)


def tokens_of(reports: dict[tuple[str, int], list[list[str]]], *, annex: int = 0) -> pd.DataFrame:
    """Return a token table, one word per character, of reports given as chapters of blocks; the last `annex` are annexes."""
    rows = []
    for (place, year), chapters in reports.items():
        start = block = 0
        for chapter, blocks in enumerate(chapters):
            part = "annex" if chapter >= len(chapters) - annex else "plan"
            for text in blocks:
                name = (f"{place}-{year}", place, year, part, chapter, f"第{chapter}章", block, block, block)
                rows += [(*name, at, at + 1, word, "word", 1, False, False) for at, word in enumerate(text, start)]
                start, block = start + len(text), block + 1
    ids = "report place year part chapter chapter_title paragraph block sentence"
    table = pd.DataFrame(rows, columns=f"{ids} start end term kind han heading restored".split())
    return table.astype({"term": "category"})


@pytest.fixture(scope="module")
def real():
    """Return the study of this repository with its restored reports and their tokens."""
    study = open_study(ROOT)
    reports = restore(study.reports(), study.emendations)
    return study, reports, tokenize(outline(reports, headings=study.headings), study.segmenter)


SMALL = {BEFORE: [["花草花", "草草"], ["花"]], AFTER: [["草"], ["草草"], ["花花草草"]]}


def units(tokens: pd.DataFrame, found: pd.DataFrame | None = None, **options):
    """Count units with the options of a plain comparison."""
    usual = {"scope": "body", "unit": "block", "headings": True, "strata": None}
    return count_units(tokens, found, BEFORE, AFTER, **usual | options)


def test_count_by_hand() -> None:
    """Each term has a row for each chapter of each report, zeros included, in order of text."""
    table = count(occurrences(tokens_of(SMALL), ["花", "树"]))
    flowers = table[table["term"] == "花"]
    assert flowers["count"].tolist() == [2, 1, 0, 0, 2]
    assert flowers["han"].tolist() == [5, 1, 1, 2, 4]
    assert flowers["year"].tolist() == [2001, 2001, 2002, 2002, 2002]
    assert table[table["term"] == "树"]["count"].tolist() == [0] * 5


@pytest.mark.parametrize("scope", SCOPES)
def test_cells_sum_to_the_counts_of_compare(real, scope: str) -> None:
    """In every scope the counts of a term over the chapters sum to the counts that are compared."""
    study, _, tokens = real
    cells = count(occurrences(tokens, study.terms))
    cells = cells[cells["part"].isin(SCOPES[scope])]
    table = compare(tokens, study.before, study.after, terms=study.terms, scope=scope, n_permutations=0)
    for row in table.itertuples():
        mine = cells[cells["term"] == row.term].groupby("year")["count"].sum()
        assert (mine[study.before], mine[study.after]) == (row.count_before, row.count_after), row.term


def test_cells_hold_every_han_character(real) -> None:
    """The chapters' lengths add up to the Han characters of the text, counted by a regular expression."""
    study, reports, tokens = real
    cells = count(occurrences(tokens, study.terms))
    for _, one in cells.groupby("term", observed=True):
        for report in reports:
            assert one.loc[one["report"] == report.id, "han"].sum() == len(re.findall(f"[{HAN}]", report.text))


def test_counts_of_the_study_are_those_of_the_text(real) -> None:
    """A term whose form nothing hides is counted as often as the string stands in the restored text."""
    study, reports, tokens = real
    table = count(occurrences(tokens, study.terms)).groupby(["term", "report"], observed=True)["count"].sum()
    plain = study.terms[study.terms.groupby("term")["role"].transform(lambda role: (role == "form").all())]
    assert len(plain) >= 5
    for term in plain["term"].unique():
        for report in reports:
            assert table[term, report.id] == report.text.count(term), (term, report.id)


def test_dispersion_by_hand() -> None:
    """Gries' DP of 4, 0 and 1 occurrences in chapters of 5, 3 and 2 tenths of the text is (.3 + .3 + 0) / 2."""
    chapters = [["花花花花" + "草" * 46], ["草" * 30], ["花" + "草" * 19]]
    row = dispersion(occurrences(tokens_of({BEFORE: chapters}), ["花"])).iloc[0]
    assert (row["count"], row["chapters"], row["range"]) == (5, 3, 2)
    assert row["dp"] == pytest.approx(0.3, abs=1e-15)


def test_dispersion_at_its_ends() -> None:
    """DP is 0 for a term spread like the text, 1 less the chapter's share for one in one chapter, missing for none."""
    chapters = [["花花" + "树" + "草" * 17], ["花花花花" + "草" * 36]]
    table = dispersion(occurrences(tokens_of({BEFORE: chapters}), ["花", "树", "云"])).set_index("term")
    assert table["dp"]["花"] == pytest.approx(0, abs=1e-15)
    assert table["dp"]["树"] == pytest.approx(1 - 20 / 60, abs=1e-15)
    assert np.isnan(table["dp"]["云"])
    assert table["count"]["云"] == table["range"]["云"] == 0


def test_dispersion_of_the_study_by_a_loop(real) -> None:
    """DP, range and count of every term and report equal a plain loop over the chapters."""
    study, _, tokens = real
    found = occurrences(tokens, study.terms)
    cells = count(found)
    for row in dispersion(found).itertuples():
        mine = cells[(cells["term"] == row.term) & (cells["report"] == row.report)]
        counts, lengths = mine["count"].tolist(), mine["han"].tolist()
        assert row.count == sum(counts)
        assert row.range == sum(number > 0 for number in counts)
        if row.count:
            parts = [abs(c / sum(counts) - n / sum(lengths)) for c, n in zip(counts, lengths, strict=True)]
            assert row.dp == pytest.approx(sum(parts) / 2, abs=1e-12)


@pytest.mark.parametrize("group", [2001, "甲县-2001", ("甲县", 2001)])
def test_groups(group: int | str | tuple[str, int]) -> None:
    """A group is a year, a report's id, or a place and a year."""
    tokens = tokens_of(SMALL)
    assert belongs(tokens, group).tolist() == (tokens["year"] == 2001).tolist()


@pytest.mark.parametrize("group", [2003, "2001", "甲县", ("乙县", 2001), ("甲县", "2001")])
def test_absent_group(group: int | str | tuple[str, int]) -> None:
    """A group that is not there is named, beside the years and reports that are."""
    words = f"No report for {group!r}. Years present: 2001, 2002. Reports present: 甲县-2001, 甲县-2002."
    with pytest.raises(ShinanError, match=re.escape(words)):
        belongs(tokens_of(SMALL), group)


def test_absent_group_of_an_empty_table() -> None:
    """A table without tokens says that there is no year at all."""
    with pytest.raises(ShinanError, match=r"Years present: none. Reports present: none."):
        belongs(tokens_of(SMALL).iloc[:0], 2001)


@pytest.mark.parametrize("unit", ["block", "sentence", "chapter"])
def test_units_equal_a_plain_tally(real, unit: str) -> None:
    """Words per block, sentence and chapter of the body equal a tally kept token by token."""
    _, _, tokens = real
    counts = count_units(tokens, None, 2019, 2020, scope="body", unit=unit, headings=True, strata=None)
    tally: dict[tuple[str, int], Counter[str]] = {}
    length: Counter[tuple[str, int]] = Counter()
    columns = ["report", unit, "term", "kind", "part", "han"]
    for report, number, term, kind, part, han in tokens[columns].itertuples(index=False):
        if part != "annex":
            length[report, number] += han
            tally.setdefault((report, number), Counter()).update([term] if kind in ("word", "term") else [])
    ordered = sorted(tally)
    assert counts.han.tolist() == [length[key] for key in ordered]
    assert counts.n.tolist() == [tally[key].total() for key in ordered]
    assert counts.terms == sorted({term for words in tally.values() for term in words})
    dense = counts.x.toarray()
    for row, key in enumerate(ordered):
        assert {counts.terms[i]: int(dense[row, i]) for i in np.flatnonzero(dense[row])} == dict(tally[key])


def test_totals_do_not_depend_on_the_unit(real) -> None:
    """Counts of terms, Han characters and words are the same in sum whatever the unit."""
    study, _, tokens = real
    found = occurrences(tokens, study.terms)
    sums = []
    for unit in ("sentence", "block", "chapter"):
        counts = count_units(tokens, found, 2019, 2020, scope="body", unit=unit, headings=True, strata=None)
        sums.append((counts.x.sum(axis=0).tolist(), counts.n.sum(), counts.heads.tolist()))
    assert sums[0] == sums[1] == sums[2]


def test_headings_can_be_left_out() -> None:
    """Without headings neither their occurrences nor their length count; with them their occurrences are told apart."""
    tokens = tokens_of(SMALL)
    tokens.loc[(tokens["year"] == 2001) & (tokens["block"] == 0), "heading"] = True
    found = occurrences(tokens, ["花"])
    whole, bare = units(tokens, found), units(tokens, found, headings=False)
    assert (whole.x.sum(), whole.n.sum(), whole.heads.tolist()) == (5, 13, [2])
    assert (bare.x.sum(), bare.n.sum(), bare.heads.tolist()) == (3, 10, [0])


def test_body_and_annex_are_never_pooled() -> None:
    """An occurrence stands in the body or in the annex, and each scope has the length of its own text."""
    tokens = tokens_of({group: [["花草草"], ["花花花花"]] for group in (BEFORE, AFTER)}, annex=1)
    found = occurrences(tokens, ["花"])
    body, annex = units(tokens, found), units(tokens, found, scope="annex")
    assert (body.x.sum(), body.n.sum()) == (2, 6)
    assert (annex.x.sum(), annex.n.sum()) == (8, 8)
    with pytest.raises(
        ShinanError, match=r"scope is 'all'; allowed: body, review, plan, annex. Body and annex are never pooled."
    ):
        units(tokens, found, scope="all")


def test_unknown_unit() -> None:
    """A unit that does not exist is refused with the units that do, not with a bare KeyError."""
    with pytest.raises(ShinanError, match="unit is 'word'; allowed: block, sentence, chapter"):
        units(tokens_of(SMALL), unit="word")


def test_empty_scope() -> None:
    """A scope that one of the groups lacks is named."""
    with pytest.raises(ShinanError, match="The scope 'review' holds no text in"):
        units(tokens_of(SMALL), scope="review")


def test_scope_without_a_han_character() -> None:
    """Text without any Han character gives no rate: it is refused like a scope without text."""
    tokens = tokens_of(SMALL)
    tokens.loc[tokens["year"] == 2001, "han"] = 0
    with pytest.raises(ShinanError, match="The scope 'body' holds no"):
        units(tokens, occurrences(tokens, ["花"]))


def test_groups_that_overlap() -> None:
    """A report cannot stand on both sides."""
    with pytest.raises(ShinanError, match=r"2001 and '甲县-2001' name the same report. Compare two different reports."):
        count_units(tokens_of(SMALL), None, 2001, "甲县-2001", scope="body", unit="block", headings=True, strata=None)


def strata(*rows: tuple[str, object, object]) -> pd.DataFrame:
    """Return a table of strata."""
    return pd.DataFrame(rows, columns=["report", "chapter", "stratum"])


def test_strata_follow_the_chapters() -> None:
    """Each unit has the stratum of its chapter; chapters that no row names share one of their own."""
    rows = strata(("甲县-2001", 0, "生态"), ("甲县-2002", 2, "生态"), ("甲县-2002", 0, "民生"))
    codes = units(tokens_of(SMALL), strata=rows).stratum
    assert len(codes) == 6
    assert codes[0] == codes[1] == codes[5]
    assert codes[2] == codes[4]
    assert len({codes[0], codes[2], codes[3]}) == 3
    assert set(units(tokens_of(SMALL)).stratum) == {0}


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (strata(("甲县-2001", 0, "一"), ("甲县-2001", 0, "二")), "甲县-2001"),
        (strata(("甲县-2001", 0, "一")).drop(columns="stratum"), "stratum"),
        (strata(("甲县-2001", "头", "一")), "chapter"),
    ],
    ids=["a chapter twice", "no column", "no number"],
)
def test_strata_that_do_not_fit(rows: pd.DataFrame, words: str) -> None:
    """Strata that name a chapter twice, lack a column or give a chapter no number are refused with a word."""
    with pytest.raises(ShinanError, match=words):
        units(tokens_of(SMALL), strata=rows)
