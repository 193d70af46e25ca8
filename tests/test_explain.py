"""The prose: for every verdict and in both languages it states what the table states, and no more."""

import re
from pathlib import Path

import pandas as pd
import pytest
from test_counts import tokens_of

from shinan_research import ShinanError, answer, cells, compare, explain, occurrences, open_study, outline, restore, tokenize
from shinan_research.explain import group_name, probability, times
from shinan_research.messages import LANGUAGES, say
from shinan_research.occurrences import as_terms
from shinan_research.shifts import VERDICTS

ROOT = Path(__file__).parents[1]
BEFORE, AFTER = ("甲县", 2001), ("甲县", 2002)
PLACE = {"zh": "甲县", "en": "Jia County"}
ROW = {
    "scope": "body", "term": "花", "before": "2001", "after": "2002", "count_before": 30, "count_after": 12, "rate_before": 21.44,
    "rate_after": 8.06, "matched_before": 30, "matched_after": 12, "log2_ratio": -1.5, "log2_matched": -1.5,
    "low": -2.4, "high": -0.6, "p_adjusted": 0.0123, "p_without_chapter": 0.4567,
    "p_unmatched": 0.0312, "p_readings": 0.6789, "hangs_on": "",
    "detectable_ratio": 2.34, "blocks": 17, "verdict": "lower",
}  # fmt: skip


@pytest.fixture(scope="module")
def real():
    """Return the study of this repository with its tokens, declared terms compared, and a sample of its vocabulary."""
    study = open_study(ROOT)
    tokens = tokenize(outline(restore(study.reports(), study.emendations), headings=study.headings), study.segmenter)
    shift = compare(tokens, study.before, study.after, terms=study.terms, n_permutations=999)
    return study, tokens, shift, compare(tokens, study.before, study.after, n_permutations=0)


def printed(text: str) -> list[tuple[float, float]]:
    """Return every number of a text, and half a unit of its last figure."""
    found = [number.replace(",", "") for number in re.findall(r"\d[\d,]*(?:\.\d+)?", text)]
    return [(float(number), 0.5001 * 10 ** -len(number.partition(".")[2])) for number in found]


def numbers(text: str) -> list[float]:
    """Return every number of a text."""
    return [number for number, _ in printed(text)]


def clean(text: str) -> None:
    """Assert that no field is unfilled, no value missing, no number in powers of ten and no word a Python object."""
    assert not re.search(r"[{}]|\bnan\b|\binf\b|None|<NA>|\d[eE][+-]?\d", text), text
    assert text == text.strip() != ""
    assert "  " not in text


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("verdict", VERDICTS)
def test_every_verdict_in_both_languages(verdict: str, language: str) -> None:
    """Fact, interval where tested, finding and caution follow one another, each in words of its own."""
    text = explain(ROW | {"verdict": verdict, "hangs_on": "chapter" if verdict == "fragile" else ""}, language)
    clean(text)
    tested = verdict not in ("too rare", "too concentrated", "description only")
    assert "花" in text
    assert say(f"caution.{verdict}", language) in text
    assert ("quasi-Jeffreys" in text) == tested
    assert len(re.findall("95 ?%", text)) == tested  # the interval is said once
    assert ("30" in text) and ("12" in text)
    assert ("0.012" in text) == tested
    assert ("0.46" in text) == (verdict == "fragile")
    assert ("2.3" in text) == (verdict == "no evidence")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("verdict", VERDICTS)
def test_no_verdict_claims_significance(verdict: str, language: str) -> None:
    """Significance is spoken of only to forbid it."""
    text = explain(ROW | {"verdict": verdict}, language).replace(say(f"caution.{verdict}", language), "")
    assert not re.search("signific|显著|unchanged|不变|(?<!不等于)没有变化(?!的证据)", text)


@pytest.mark.parametrize("language", LANGUAGES)
def test_numbers_of_the_prose_are_those_of_the_row(real, language: str) -> None:
    """Each number in the explanation of any row rounds to a value of that row, and both counts and rates are there."""
    _, _, shift, vocabulary = real
    for row in [*shift.to_dict("records"), *vocabulary.to_dict("records")[::12]]:
        text = explain(row, language)
        clean(text)
        known = [
            row[name] for name in ("count_before", "count_after", "rate_before", "rate_after", "p_adjusted", "p_without_chapter")
        ]
        known += [row["blocks"], row["detectable_ratio"], row["count_before"] + row["count_after"], 10_000, 95, 0.001, 2019, 2020]
        known += [row["p_unmatched"], row["p_readings"]]
        known += [2 ** row[name] for name in ("log2_ratio", "low", "high")]
        found = printed(text.replace(row["term"], ""))
        for number, half in found:
            assert any(abs(number - value) <= half for value in known), (number, text)
        stated = [number for number, _ in found]
        for value in (round(row["rate_before"], 1), round(row["rate_after"], 1)):
            assert value in stated
        for value in (row["count_before"], row["count_after"]):
            assert value in stated or (language == "en" and value < 3)


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_powers_of_ten(language: str) -> None:
    """A very small or large ratio is written out: a reader of a paper meets no 3.9e-06 and no 1e+02."""
    tokens = tokens_of({BEFORE: [["花花花" + "草" * 17] * 14] * 3, AFTER: [["草" * 20] * 14] * 3})
    clean(explain(compare(tokens, BEFORE, AFTER, terms=["花"], n_permutations=999).iloc[0], language))
    for log2_ratio in (6.63, 6.64, 6.65, 14.0, 20.0, -20.0):
        clean(explain(ROW | {"log2_matched": log2_ratio, "low": log2_ratio - 1, "high": log2_ratio + 1}, language))


def test_a_series_is_as_good_as_a_mapping(real) -> None:
    """A row as a pandas Series and as a dict give the same sentences."""
    shift = real[2]
    assert [explain(row) for _, row in shift.iterrows()] == [explain(row) for row in shift.to_dict("records")]


def test_the_level_is_the_table_s(real) -> None:
    """An interval of another level is not called one of 95 %."""
    study, tokens, _, _ = real
    row = compare(tokens, study.before, study.after, terms=study.terms, n_permutations=0, level=0.9).iloc[0]
    assert "95 %" not in explain(row)


def test_a_row_of_another_table() -> None:
    """A row without the columns of compare is refused with the first that is lacking, in place of a bare KeyError."""
    with pytest.raises(ShinanError, match=r"explain needs a whole row of compare; this one has no scope\."):
        explain({"term": "花"})


def test_an_unknown_language() -> None:
    """A language without wording is refused by name."""
    with pytest.raises(ShinanError, match="language is 'fr'; allowed: zh, en, both"):
        explain(ROW, "fr")


@pytest.mark.parametrize(
    ("number", "en", "zh"),
    [(0, "0 times", "0次"), (1, "once", "1次"), (2, "twice", "2次"), (3, "3 times", "3次"), (26, "26 times", "26次")],
)
def test_times(number: int, en: str, zh: str) -> None:
    """None, one and two have words in English; Chinese counts with figures."""
    assert (times(number, "en"), times(number, "zh")) == (en, zh)


@pytest.mark.parametrize(
    ("p", "printed"),
    [(1.0, "1.00"), (0.97820, "0.98"), (0.1, "0.10"), (0.0999, "0.1"), (0.05, "0.05"), (0.03564, "0.036"), (0.001, "0.001"),
     (0.00099, "< 0.001"), (2e-5, "< 0.001")],
)  # fmt: skip
def test_probability(p: float, printed: str) -> None:
    """p is given to two figures, to two places from 0.1, and never as 0."""
    assert probability(p) == printed


def test_group_names() -> None:
    """A year gets 年 in Chinese, also after a place; a report id stays as it is."""
    assert [group_name(name, "zh") for name in (2001, "2001", "甲县 2001", "jia-2001")] == [
        "2001年",
        "2001年",
        "甲县2001年",
        "jia-2001",
    ]
    assert group_name(2001, "en") == "2001"


def case() -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Return tokens, terms and comparison of a case in which one chapter, one glossary entry and a company matter."""
    before = [["花花花花" + "草" * 6] + ["草" * 10] * 7, ["花" + "草" * 9] * 2 + ["草" * 10] * 6, ["草" * 9]]
    after = [["草" * 10] * 8, ["树花" + "草" * 8] + ["草" * 10] * 7, ["云：" + "花花花花花" + "草" * 4]]
    tokens = tokens_of({BEFORE: before, AFTER: after}, annex=1)
    last = (tokens["part"] == "annex") & (tokens["year"] == 2002)
    tokens.loc[last & tokens["term"].isin(["云", "："]), "heading"] = True
    rows = [("花", "花", "form", "declared"), ("花", "树花", "not", "declared"), ("草", "草", "form", "seen")]
    terms = as_terms(pd.DataFrame(rows, columns=["term", "form", "role", "family"]))
    return tokens, terms, compare(tokens, BEFORE, AFTER, terms=terms, n_permutations=99)


def test_answer_by_hand() -> None:
    """The answer gives the counts, the chapter that holds most, the entry of the annex and what was passed over."""
    tokens, terms, shift = case()
    [text] = answer(shift, tokens, terms)
    clean(text)
    assert "花 occurs 6 times in the report of 甲县 2001 and 0 times in that of 甲县 2002" in text
    assert "Of the 6 in the body of 2001, 4 are in one chapter" in text
    assert "第0章" in text
    assert "The annex of 2002, never pooled with the body, has it 5 times." in text
    assert re.search("[Aa]ll 5 are in one glossary entry.*云", text)
    assert "树花 is passed over (甲县 2002: 1 in the body, 0 in the annex)." in text
    assert say("finding.too rare", "en", total="6", scope="body", times="6 times") in text


def test_answer_in_chinese_has_the_same_numbers() -> None:
    """The Chinese answer states the same numbers as the English, whose once and twice are words."""
    tokens, terms, shift = case()
    [english], [chinese] = (answer(shift, tokens, terms, language) for language in LANGUAGES[::-1])
    clean(chinese)
    assert set(numbers(english)) - {10_000} <= set(numbers(chinese))


def test_only_declared_terms_are_answered(real) -> None:
    """There is one paragraph for each term of the declared family, in its order, in both languages."""
    study, tokens, shift, _ = real
    declared = shift[shift["family"] == "declared"]["term"].tolist()
    for language in LANGUAGES:
        paragraphs = answer(shift, tokens, study.terms, language)
        assert len(paragraphs) == len(declared) == 3
        for term, paragraph in zip(declared, paragraphs, strict=True):
            clean(paragraph)
            assert paragraph.index(term) < 15


def test_what_the_answer_must_tell(real) -> None:
    """18 of the 26 stand in one chapter, 17 campaigns in one entry, a company is passed over, and no word is overdone."""
    study, tokens, shift, _ = real
    summit, campaign, investment = answer(shift, tokens, study.terms)
    assert "26 times" in summit and "twice" in summit and "Of the 26 in the body of 2019, 18 are in one chapter" in summit
    assert "hangs on that chapter" in summit
    assert "17" in campaign and "one glossary entry" in campaign and "too rare to be tested" in campaign
    assert "招商局 is passed over" in investment and "There is no evidence of change" in investment


def test_no_concentration_where_there_is_none() -> None:
    """Half of the occurrences in one chapter, or three of three, are not called most."""
    half = tokens_of({BEFORE: [["花花草"], ["花花草"]], AFTER: [["花花花"], ["草"]]})
    terms = as_terms(["花"])
    [text] = answer(compare(half, BEFORE, AFTER, terms=terms, n_permutations=0), half, terms)
    assert "one chapter" not in text


def test_cells_carry_what_was_restored(real) -> None:
    """The cells' counts are those of the occurrences, and those that touch a restored character are counted beside them."""
    study, tokens, _, _ = real
    found = occurrences(tokens, study.terms)
    table = cells(found)
    real_ones = found[found["start"].notna()]
    assert table["count"].sum() == len(real_ones)
    assert table["restored"].sum() == real_ones["restored"].sum() > 0
    assert (table["restored"] <= table["count"]).all()
    assert set(table.loc[table["restored"] > 0, "term"]) == set(real_ones.loc[real_ones["restored"], "term"])


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_term_that_never_stands(language: str) -> None:
    """A term without occurrence is said to stand in neither report, without rates, test or caution."""
    tokens = tokens_of({BEFORE: [["草草"]], AFTER: [["草树"]]})
    shift = compare(tokens, BEFORE, AFTER, terms=["花"], n_permutations=0)
    [words] = answer(shift, tokens, as_terms(["花"]), language)
    names = {
        "before": {"zh": "甲县2001年", "en": "甲县 2001"}[language],
        "after": {"zh": "甲县2002年", "en": "甲县 2002"}[language],
    }
    assert words == explain(shift.iloc[0], language) == say(
        "explain.absent", language, term="花", scope=say("scope.body", language), **names
    )  # fmt: skip


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_interval_beside_a_correction(language: str) -> None:
    """Where the interval leaves out "the same" and the adjusted p finds nothing, a sentence says why; else it does not."""
    row, words = ROW | {"verdict": "no evidence"}, say("explain.uncorrected", language)
    assert words in explain(row | {"low": 0.1, "high": 2.0}, language) and words in explain(
        row | {"low": -2, "high": -0.1}, language
    )
    assert words not in explain(row | {"low": -0.1, "high": 2.0}, language)
    assert words not in explain(row | {"low": 0.1, "high": 2.0, "verdict": "higher"}, language)


@pytest.mark.parametrize("language", LANGUAGES)
def test_annexes_of_many_reports_are_told_together(language: str) -> None:
    """With several reports a side the annexes of each side are one number, not a sentence for every report."""
    places = [(place, year) for place in ("甲县", "乙县", "丙县") for year in (2001, 2002)]
    tokens = tokens_of({key: [["花" * 3 + "草" * 9], ["花" * (1 + key[1] - 2001)]] for key in places}, annex=1)
    [words] = answer(compare(tokens, 2001, 2002, terms=["花"], n_permutations=0), tokens, as_terms(["花"]), language)
    assert {"zh": "2001年各地报告的附件另有3次，2002年的另有6次", "en": "3 times in the reports of 2001 and 6 times in"}[
        language
    ] in words
    assert words.count({"zh": "附件", "en": "annex"}[language]) <= 2


def test_two_places_of_one_year_are_told_apart() -> None:
    """Where several places are compared, a chapter's share names the place and not the year alone."""
    one, two = ("甲县", 2001), ("乙县", 2001)
    tokens = tokens_of({one: [["花" * 5], ["草草"]], two: [["花" * 6], ["草"]]})
    shift = compare(tokens, one, two, terms=["花"], n_permutations=0)
    [words] = answer(shift, tokens, as_terms(["花"]))
    assert "of 甲县 2001, 5 are" in words and "of 乙县 2001, 6 are" in words


@pytest.mark.parametrize("verdict", VERDICTS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_two_places_differ_and_do_not_change(verdict: str, language: str) -> None:
    """Between two places no sentence speaks of change, of an earlier rate, of rising or falling; between two years it may."""
    row = ROW | {"verdict": verdict, "before": "甲县-2001", "after": "乙县-2001"}
    words = explain(row, language)
    banned = {"zh": ("变化", "原来", "上升", "下降"), "en": ("change", "earlier", "rose", "fell", "unchanged")}[language]
    assert [word for word in banned if word in words] == [] and "{" not in words
    same = explain(row | {"after": "甲县-2002"}, language)
    assert same == explain(row | {"before": "甲县-2001", "after": "甲县-2002"}, language) and (same != words)
