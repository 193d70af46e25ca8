"""Placebo: the same change elsewhere, its rank, and what may not be ranked."""

import itertools
import math
import random
import re
import string

import numpy as np
import pandas as pd
import pytest

from shinan_research import Report, ShinanError, compare, open_study, outline, restore, tokenize
from shinan_research.describe import placed
from shinan_research.errors import ReadError
from shinan_research.messages import messages
from shinan_research.occurrences import as_terms
from shinan_research.placebo import AGAINST, COLUMNS, OWN_YEARS, find_pairs, placebo, standing
from shinan_research.reference import (
    body_text,
    count_strings,
    fingerprint,
    form_weights,
    group_strings,
    pack,
    reference_from,
    shipped,
    unpack,
)  # fmt: skip
from shinan_research.restore import COLUMNS as EMENDATION_COLUMNS

PLACES = [f"{letter}县" for letter in "甲乙丙丁戊己庚辛壬癸子丑"]


def report_of(place: str, year: int, text: str) -> Report:
    """Return a restored report of a text."""
    report = Report(f"{place}-{year}", place, year, text, text)
    return restore([report], pd.DataFrame(columns=list(EMENDATION_COLUMNS)))[0]


def reports_of(counts: dict[str, list[int]], first: int = 2001) -> list[Report]:
    """Return a report per place and year that says 花 two characters long (花草) so often, in twenty other characters."""
    return [
        report_of(place, first + year, "花草" * number + "山" * 20 + "。")
        for place, numbers in counts.items()
        for year, number in enumerate(numbers)
    ]


def shift_of(*rows: tuple[str, int, int], before: object = "2001", after: object = "2002", **more: object) -> pd.DataFrame:
    """Return the columns of compare that placebo reads, for terms with their counts in texts of 1,000 characters."""
    table = pd.DataFrame(rows, columns=["term", "count_before", "count_after"])
    usual = {"scope": "body", "han_before": 1000, "han_after": 1000, "verdict": "no evidence"}
    return table.assign(before=before, after=after, **usual | more)


def change(a: int, b: int, han_before: int, han_after: int) -> float:
    """Return log2 of the ratio of smoothed rates, with the logarithms of the standard library."""
    return math.log2((b + 0.5) / (han_after + 1) / ((a + 0.5) / (han_before + 1)))


RISING = {place: [3, 3 + number] for number, place in enumerate(PLACES)}


def test_changes_and_ranks_by_hand() -> None:
    """Every change of the reference is that of its counts and lengths; the rank counts those below the study's own."""
    table = placebo(shift_of(("花草", 5, 7)), reference=reference_from(reports_of(RISING), ["花草"]), place="本县")
    assert tuple(table.columns) == COLUMNS
    for against in AGAINST:
        mine = table[table["against"] == against]
        own, others = mine[mine["own"]].iloc[0], mine[~mine["own"]]
        expected = {place: change(a, b, 20 + 2 * a, 20 + 2 * b) for place, (a, b) in RISING.items()}
        assert dict(zip(others["place"], others["log2_ratio"], strict=True)) == pytest.approx(expected)
        assert own["place"] == "本县"
        assert own["log2_ratio"] == pytest.approx(change(5, 7, 1000, 1000))
        below = sum(value < own["log2_ratio"] for value in expected.values())
        assert (own["rank"], own["of"], own["users"], own["pairs"]) == (below, 12, 12, 12)
        assert own["p"] == pytest.approx(2 * (min(below, 12 - below) + 1) / 13)
        assert own["p_smallest"] == pytest.approx(2 / 13)


@pytest.mark.parametrize(("a", "b", "verdict"), [(0, 400, "larger"), (400, 0, "larger"), (5, 6, "within")])
def test_verdict_follows_the_rank(a: int, b: int, verdict: str) -> None:
    """A change beyond all others is larger, to either side; one among them lies within their range."""
    reference = reference_from(reports_of(RISING), ["花草"])
    own = placebo(shift_of(("花草", a, b)), reference=reference)
    assert own[own["own"]]["verdict"].str.startswith(verdict).all()
    assert own[own["own"]]["verdict"].str.endswith("the other places").all()
    assert placebo(shift_of(("花草", a, b)), reference=reference._replace(level="province"))["verdict"][0].endswith(
        "the provinces"
    )


def test_ties_count_on_both_sides() -> None:
    """Where all changes are equal p is 1, whatever the number of changes."""
    assert standing(0.0, np.zeros(31)).p == 1.0
    assert standing(1.0, np.zeros(31)) == (31, 31, 2 / 32, 2 / 32)
    assert standing(-1.0, np.zeros(31)) == (0, 31, 2 / 32, 2 / 32)
    assert not standing(1.0, np.append(np.zeros(30), 2.0)).outside


def test_too_few_users_get_no_rank() -> None:
    """With nine users there is no rank, with ten there is; users are counted in the years compared."""
    for users, verdict in ((9, "not informative"), (10, "larger than in the other places")):
        counts = {place: [1, 2] if number < users else [0, 0] for number, place in enumerate(PLACES)}
        own = placebo(shift_of(("花草", 0, 500)), reference=reference_from(reports_of(counts), ["花草"]))
        own = own[own["own"]]
        assert own["verdict"].tolist() == [verdict] * 2
        assert own["users"].tolist() == [users] * 2
        assert own["rank"].isna().all() == own["p"].isna().all() == (users < 10)


def test_only_governments_that_use_the_term_are_ranked() -> None:
    """Twelve places use the term and forty do not: rank, p and the smallest p are those among twelve, and 52 pairs are known."""
    idle = {f"{letter}市": [0, 0] for letter in (chr(ord("一") + number) for number in range(40))}
    table = placebo(shift_of(("花草", 5, 7)), reference=reference_from(reports_of(RISING | idle), ["花草"]))
    alone = placebo(shift_of(("花草", 5, 7)), reference=reference_from(reports_of(RISING), ["花草"]))
    for against in AGAINST:
        mine, other = (each[each["own"] & (each["against"] == against)].iloc[0] for each in (table, alone))
        assert (mine["of"], mine["users"], mine["pairs"], other["pairs"]) == (12, 12, 52, 12)
        assert [mine["rank"], mine["p"], mine["p_smallest"], mine["verdict"]] == [
            other["rank"], other["p"], other["p_smallest"], other["verdict"],
        ]  # fmt: skip
    assert (~table["own"]).sum() == 2 * 52


@pytest.mark.parametrize("size", [10, 13, 31, 63, 64, 403])
def test_how_many_lie_outside_by_chance(size: int) -> None:
    """Of equally likely places among `size` others, the share outside is what `chance` says."""
    found = [standing(place - 0.5, np.arange(size)) for place in range(size + 1)]
    assert np.mean([each.outside for each in found]) == pytest.approx(found[0].chance)


def course(*counts: int, place: str = "甲县") -> list[Report]:
    """Return the reports of one place year by year."""
    return reports_of({place: list(counts)})


def test_the_place_s_own_other_years() -> None:
    """Of thirteen reports the change is ranked among the eleven other changes of neighbouring years, zeros included."""
    counts = [3, 4, 6, 0, 0, 5, 5, 4, 9, 2, 3, 1, 7]
    reports = [*course(*counts), *course(9, 9, place="乙县")]
    table = placebo(
        shift_of(("花草", 3, 4), before="甲县 2001", after="甲县 2002"), reports=reports,
        reference=reference_from(reports_of(RISING), ["花草"]), vocabulary=shift_of(("花草", 0, 900)),
    )  # fmt: skip
    mine = table[table["against"] == OWN_YEARS]
    own, others = mine[mine["own"]].iloc[0], mine[~mine["own"]]
    expected = [change(a, b, 20 + 2 * a, 20 + 2 * b) for a, b in itertools.pairwise(counts)][1:]
    assert others["log2_ratio"].tolist() == pytest.approx(expected)
    assert others["before"].tolist() == [str(year) for year in range(2002, 2013)] and set(others["place"]) == {"甲县"}
    below = sum(value < own["log2_ratio"] for value in expected)
    above = len(expected) - below
    assert (own["rank"], own["of"], own["pairs"], own["eligible"]) == (below, 11, 11, 1) and pd.isna(own["users"])
    assert own["p"] == pytest.approx(2 * (min(below, above) + 1) / 12) and own["p_smallest"] == pytest.approx(2 / 12)
    assert own["verdict"] == "within the range of the other years"


@pytest.mark.parametrize(("reports", "verdict"), [(4, None), (5, "too few changes"), (11, "too few changes"), (12, "larger")])
def test_how_many_reports_of_the_place_are_needed(reports: int, verdict: str | None) -> None:
    """Below five reports there is no row; from five on the rank stands, and from ten other changes on it is judged."""
    table = placebo(
        shift_of(("花草", 1, 900)), reports=course(*range(3, 3 + reports)),
        reference=reference_from(reports_of(RISING), ["花草"]),
    )  # fmt: skip
    mine = table[(table["against"] == OWN_YEARS) & table["own"]]
    assert len(mine) == (verdict is not None)
    if verdict:
        assert mine["verdict"].iloc[0].startswith(verdict)
        assert mine[["rank", "of"]].to_numpy().tolist() == [[reports - 2, reports - 2]]
    for language in ("zh", "en"):
        words = [placed(row, language) for row in mine.to_dict("records")]
        assert all(f"2/{reports - 1}" in each and "nan" not in each.lower() and "NA" not in each for each in words)


def test_two_places_have_no_years_of_their_own() -> None:
    """Where two places are compared, or two groups of places, no place is compared with itself."""
    reports = [*course(*range(12)), *course(*range(12), place="乙县")]
    for pair in (("甲县 2001", "乙县 2001"), ("2001", "2002"), ("甲县 2001", "乙县 2002")):
        table = placebo(
            shift_of(("花草", 5, 7), before=pair[0], after=pair[1]), reports=reports,
            reference=reference_from(reports_of(RISING), ["花草"]),
        )  # fmt: skip
        assert OWN_YEARS not in set(table["against"])


@pytest.mark.parametrize("known", ["place", "reports", "short"])
def test_the_place_itself_is_no_part_of_its_reference(known: str) -> None:
    """Where the place stands in the reference its own pairs are left out, and the others are places, not another level."""
    counts = RISING | {"甲县": [5, 700]}
    reference = reference_from(reports_of(counts), ["花草"], level="province")
    reports = [report for report in reports_of(counts) if report.place == "甲县"]
    options = {"place": {"place": "甲县"}, "reports": {"reports": reports}, "short": {"place": "甲县"[:2]}}[known]
    shift = shift_of(("花草", 5, 700), before="甲县-2001", after="甲县-2002")
    table = placebo(shift, reference=reference, **options)
    own = table[table["own"]]
    assert "甲县" not in set(table.loc[~table["own"], "place"]) and set(own["of"]) == {len(PLACES) - 1}
    assert set(own["verdict"]) == {"larger than in the other places"}
    assert (table.attrs["settings"]["places"], table.attrs["settings"]["level"]) == (len(PLACES) - 1, "")
    assert set(placebo(shift, reference=reference, place="辰县").query("own")["of"]) == {len(PLACES)}


def test_groups_of_reports_are_not_ranked_among_single_reports() -> None:
    """A row of many reports a side gets neither rank nor p, whatever its verdict was."""
    table = placebo(shift_of(("花草", 5, 700), unit="report"), reference=reference_from(reports_of(RISING), ["花草"]))
    own = table[table["own"]]
    assert set(own["verdict"]) == {"several reports"} and own[["rank", "p"]].isna().all(axis=None)


@pytest.mark.parametrize("verdict", ["too rare", "too concentrated"])
def test_what_compare_does_not_test_is_not_ranked(verdict: str) -> None:
    """A term too rare or too concentrated in the study keeps that verdict and gets no rank."""
    own = placebo(shift_of(("花草", 0, 2), verdict=verdict), reference=reference_from(reports_of(RISING), ["花草"])).iloc[0]
    assert own["verdict"] == verdict
    assert pd.isna(own["rank"])
    assert own["users"] == 12


def test_counted_zero_differs_from_not_counted() -> None:
    """A string that was looked for and stands nowhere has no users; one that was not looked for is named as missing."""
    reference = reference_from(reports_of(RISING), ["花草", "石头"])
    table = placebo(shift_of(("石头", 9, 9), ("流水", 9, 9)), reference=reference)
    zero, absent = table[table["own"] & (table["against"] == "same years")].to_dict("records")
    assert (zero["verdict"], zero["users"], zero["missing"]) == ("not informative", 0, "")
    assert (absent["verdict"], absent["missing"]) == ("not in the vocabulary", "流水")
    assert pd.isna(absent["users"])
    assert (table["term"] == "流水").sum() == 2


def test_any_years_are_all_pairs_as_far_apart() -> None:
    """Pairs have the study's distance, also when it is two years or backwards; the same years are among them."""
    reports = pd.DataFrame(
        [(place, year, 10) for place in "乙甲" for year in range(2001, 2006)], columns=["place", "year", "han"]
    )
    for before, after, number in ((2001, 2002, 8), (2001, 2003, 6), (2003, 2001, 6), (2001, 2001, 0), (1990, 1991, 8)):
        pairs = find_pairs(reports, before, after)
        years = reports["year"].to_numpy()
        assert len(pairs.before) == number
        assert (years[pairs.after] - years[pairs.before] == after - before).all()
        assert (reports["place"].to_numpy()[pairs.after] == reports["place"].to_numpy()[pairs.before]).all()
        assert pairs.same.sum() == (2 if before != after and before > 2000 else 0)


def test_years_without_reference_say_so() -> None:
    """Where no place has both years the row says so; any other years as far apart still serve."""
    table = placebo(shift_of(("花草", 5, 7), before="1991", after="1992"), reference=reference_from(reports_of(RISING), ["花草"]))
    assert table[table["own"]]["verdict"].tolist()[0] == "no reference for this comparison"
    assert table[table["own"]]["of"].tolist()[1] == 12
    both = placebo(
        shift_of(("花草", 5, 7), before="甲 2001", after="乙 2001"), reference=reference_from(reports_of(RISING), ["花草"])
    )
    assert both["verdict"].tolist() == ["no reference for this comparison"] * 2


def test_swapping_before_and_after_mirrors_the_ranks() -> None:
    """With the groups swapped changes flip their signs, ranks count from the other end, and p stays."""
    reference = reference_from(reports_of(RISING), ["花草"])
    one = placebo(shift_of(("花草", 5, 8)), reference=reference)
    two = placebo(shift_of(("花草", 8, 5), before="2002", after="2001"), reference=reference)
    np.testing.assert_allclose(one["log2_ratio"], -two["log2_ratio"])
    mine, other = one[one["own"]], two[two["own"]]
    assert (mine["rank"] + other["rank"] == mine["of"]).all()
    assert mine["p"].tolist() == other["p"].tolist()


def test_words_of_the_pair_that_lie_outside_are_counted() -> None:
    """Of the vocabulary, eligible words with ten users are ranked like the terms; too rare ones are not."""
    reference = reference_from(reports_of(RISING), ["花草", "石头"])
    words = shift_of(("花草", 0, 900), ("石头", 9, 9), ("流水", 9, 9))
    rare = shift_of(("花草", 0, 1), verdict="too rare")
    table = placebo(shift_of(("花草", 5, 7)), vocabulary=pd.concat([words, rare]), reference=reference)
    assert table[table["own"]][["outside", "eligible"]].to_numpy().tolist() == [[1, 1], [1, 1]]
    assert table.loc[table["own"], "expected"].tolist() == pytest.approx([2 / 13] * 2)
    assert placebo(shift_of(("花草", 5, 7)), reference=reference)["eligible"].isna().all()


def test_vocabulary_of_other_years_is_refused() -> None:
    """Words compared over other years than the terms are no background for them."""
    reference = reference_from(reports_of(RISING), ["花草"])
    with pytest.raises(ShinanError, match="other years"):
        placebo(shift_of(("花草", 5, 7)), vocabulary=shift_of(("花草", 5, 7), before="1999"), reference=reference)


@pytest.mark.parametrize(
    ("shift", "message"),
    [
        (pd.DataFrame(), "has no term"),
        (shift_of(), "has no rows"),
        (shift_of(("花草", 1, 2), scope="annex"), "The scope is annex"),
    ],
)
def test_tables_that_cannot_be_ranked_are_refused(shift: pd.DataFrame, message: str) -> None:
    """A table that is not compare's, of another scope or without years is refused with what is wrong."""
    with pytest.raises(ShinanError, match=message):
        placebo(shift, reference=reference_from(reports_of(RISING), ["花草"]))


def test_groups_without_years_say_so() -> None:
    """Two places, or report names without a year, have no reference: the row says so and nothing is raised."""
    for before, after in (("甲", "乙"), ("甲 2001", "乙 2001")):
        table = placebo(shift_of(("花草", 1, 2), before=before, after=after), terms=None, place="甲")
        own = table[table["own"]]
        assert set(own["verdict"]) <= {"no reference for this comparison", "not in the vocabulary"}
        assert own["rank"].isna().all()


def test_a_folder_without_reports_or_with_two_of_a_year_is_refused() -> None:
    """The reference needs one report for each place and year, restored like the study's."""
    with pytest.raises(ShinanError, match="no reports"):
        reference_from([], ["花草"])
    with pytest.raises(ShinanError, match="two reports of 甲县 2001"):
        reference_from([report_of("甲县", 2001, "花。")] * 2, ["花草"])
    with pytest.raises(ShinanError, match="Not restored"):
        reference_from([Report("a", "甲县", 2001, "花。", "花。")], ["花草"])


def test_the_annex_is_not_counted() -> None:
    """Only the body counts, its strings and its Han characters."""
    text = "花草开。" * 30 + "\n名词解释：花草：一种草。"
    reference = reference_from([report_of("甲县", 2001, text)], ["花草"])
    assert reference.counts.tolist() == [[30]]
    assert reference.reports["han"].tolist() == [90]


def test_strings_are_counted_as_the_standard_library_does() -> None:
    """On random text the one-pass count equals str.count, also for strings that overlap themselves."""
    rng = random.Random(0)
    for _ in range(200):
        text = "".join(rng.choices("花草\n", k=rng.randrange(40)))
        strings = {"".join(rng.choices("花草", k=rng.randrange(1, 5))) for _ in range(6)}
        expected = {found: text.count(found) for found in strings if found in text}
        assert count_strings(text, group_strings(strings)) == expected


def test_weights_add_up_to_occurrences() -> None:
    """Where there are weights, plain counts added up by them equal the occurrences found longest first, never twice."""
    rng = random.Random(1)
    weighted = 0
    for _ in range(3000):
        strings = sorted({"".join(rng.choices("花草木", k=rng.randrange(1, 4))) for _ in range(3)})
        values = {form: int(number == 0 or rng.random() < 0.5) for number, form in enumerate(strings)}
        weights = form_weights(values)
        selfish = any(form[0] in form[1:] for form in strings)
        if weights is None or selfish:
            continue
        weighted += 1
        text = "".join(rng.choices("花草木", k=30))
        pattern = re.compile("|".join(sorted(strings, key=lambda form: (-len(form), form))))
        expected = sum(values[match.group()] for match in pattern.finditer(text))
        assert sum(weight * text.count(form) for form, weight in weights.items()) == expected
    assert weighted > 300


def test_forms_of_a_declared_term_are_summed() -> None:
    """A term's forms add up, what is hidden is taken off, and the wide reading has its own row."""
    rows = [("招商", "招商", "form"), ("招商", "招商局", "not"), ("招商", "引资", "wide")]
    terms = pd.DataFrame([(*row, "declared") for row in rows], columns=["term", "form", "role", "family"])
    reports = [report_of(place, year, "招商局招商，引资。" + "山" * 30) for place in PLACES for year in (2001, 2002)]
    table = placebo(shift_of(("招商", 9, 9), ("招商 (wide)", 9, 9)), terms=terms, reference=reference_from(reports, terms))
    others = table[~table["own"]]
    assert set(others.loc[others["term"] == "招商", "count_before"]) == {1}
    assert set(others.loc[others["term"] == "招商 (wide)", "count_before"]) == {2}


def test_forms_that_share_characters_are_not_summed() -> None:
    """Forms of which one's end is another's beginning cannot be added up, and the row says so."""
    terms = as_terms(
        pd.DataFrame([("心", f, "form", "declared") for f in ("中心", "心愿")], columns=["term", "form", "role", "family"])
    )
    table = placebo(shift_of(("心", 9, 9)), terms=terms, reference=reference_from(reports_of(RISING), terms))
    assert table["verdict"].tolist() == ["forms overlap"] * 2


def test_packed_counts_come_back() -> None:
    """Packing and unpacking changes nothing, large counts included; the bytes are always the same."""
    reference = reference_from(reports_of({"甲县": [70_000, 0], "乙县": [0, 1]}), ["花草", "石头"], level="province")
    back = unpack(pack(reference))
    assert back.reports.equals(reference.reports)
    assert dict(back.rows) == dict(reference.rows) == {"花草": 0, "石头": -1}
    assert sorted(back.counts.ravel().tolist()) == [0, 0, 1, 70_000]
    assert back.level == "province"
    assert pack(back) == pack(reference)


def test_counts_by_another_rule_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Counts made by another rule are not mixed with this version's."""
    data = pack(reference_from(reports_of(RISING), ["花草"]))
    monkeypatch.setattr("shinan_research.reference.RULE", "another")
    with pytest.raises(ReadError, match="Rebuild"):
        unpack(data)


def test_what_is_shipped() -> None:
    """The package ships 31 provinces of 14 years, counted by this version's rule, in a closed vocabulary of words."""
    reference = shipped()
    assert len(reference.reports) == 31 * 14
    assert reference.reports.groupby("place")["year"].agg(list).map(lambda years: years == list(range(2010, 2024))).all()
    assert reference.level == "province"
    assert reference.reports["han"].between(5_000, 40_000).all()
    assert (reference.counts.sum(axis=1) > 0).all()
    assert min(map(len, reference.rows)) == 2
    assert not any(set(word) & set(string.whitespace + "，。：；“”") for word in reference.rows)


def test_the_study_is_counted_like_its_reference() -> None:
    """The counting rule of the reference gives the study's own counts, and its terms find their places."""
    study = open_study()
    reports = restore(study.reports(), study.emendations)
    tokens = tokenize(outline(reports, headings=study.headings), study.segmenter)
    shift = compare(tokens, study.before, study.after, terms=study.terms, n_permutations=0)
    table = placebo(shift, terms=study.terms, reference=reference_from(reports, study.terms))
    same = table[table["against"] == "same years"].set_index(["term", "own"])
    for term in shift["term"]:
        for column in ("count_before", "count_after", "han_before", "han_after"):
            assert same.loc[(term, True), column] == same.loc[(term, False), column], (term, column)
    assert set(placebo(shift, terms=study.terms)["pairs"].dropna()) == {31, 403}


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_verdict_can_be_said(language: str) -> None:
    """Each verdict has words; ranks are told with users, smallest p and the words that lie outside."""
    reference = reference_from(reports_of(RISING), ["花草"])
    words = shift_of(("花草", 0, 900))
    row = placebo(shift_of(("花草", 0, 900)), vocabulary=words, reference=reference).iloc[0]
    for verdict in messages()["placebo"]["verdict"]:
        text = placed(row.to_dict() | {"verdict": verdict}, language)
        assert "花草" in text and "2/13" in text and "100" in text
        bare = placed(row.to_dict() | {"verdict": verdict, "rank": pd.NA, "missing": "石头"}, language)
        assert "石头" in bare and "2/13" not in bare and "nan" not in bare.lower()
    assert "ordinary year" not in str(messages()["placebo"])


def test_body_of_a_report_without_annex_is_all_of_it() -> None:
    """Where the rule finds no annex every character counts."""
    text = "一、回顾\n去年好。二、安排\n今年更好。"
    assert body_text(report_of("甲县", 2001, text)).replace("\n", "") == text.replace("\n", "")
    assert len(fingerprint()) == 16
