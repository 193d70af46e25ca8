"""Rates of lost characters beside the genre."""

import re
from pathlib import Path

import pandas as pd
import pytest
from matplotlib.lines import Line2D
from scipy import stats

from shinan_research import Emendation, Report, apparatus, audit, losses, restore
from shinan_research.figures.lost import SHADES, draw_lost
from shinan_research.losses import answer_losses, answer_readings, describe_losses, findings, in_print, lemmata
from shinan_research.occurrences import as_terms
from shinan_research.propose import reference

FINDINGS = pd.DataFrame(
    [
        ("a-2021", "lost character", "lost", "中"),
        ("a-2021", "lost character", "naturally absent", "农"),
        ("a-2021", "stub", "short", ""),
    ],
    columns=["report", "defect", "verdict", "where"],
)
TEXT = "中" + "大" * 999


@pytest.fixture
def table() -> pd.DataFrame:
    """Return the losses of an invented report in which one 中 was put back."""
    return losses([Report("a-2021", "甲区", 2021, TEXT[1:], TEXT)], FINDINGS)


def test_rates_are_per_ten_thousand(table: pd.DataFrame) -> None:
    """One 中 in a thousand characters is ten per ten thousand; only lost characters have a row."""
    [row] = table.to_dict("records")
    assert (row["char"], row["seen"], row["restored"], row["rate_seen"], row["rate_restored"]) == ("中", 0, 1, 0.0, 10.0)


def test_the_band_is_a_negative_binomial_s(table: pd.DataFrame) -> None:
    """The band equals the quantiles of a gamma mixture of Poisson counts of the same mean and dispersion."""
    numbers = reference(2021)["中"]
    mean, spread = numbers["rate"] / 10, numbers["dispersion"]
    counts = range(200)
    shape = 1 / spread
    mass = pd.Series([stats.nbinom.pmf(k, shape, shape / (shape + mean)) for k in counts]).cumsum()
    assert table["low"].iloc[0] == pytest.approx(10 * int((mass >= 0.025).idxmax()))
    assert table["high"].iloc[0] == pytest.approx(10 * int((mass >= 0.975).idxmax()))


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_words_carry_the_numbers(table: pd.DataFrame, language: str) -> None:
    """Answer, caption and alt text name the character and the counts; without losses they say so."""
    apparatus = pd.DataFrame(
        [("a-2021", "certain", "accept", "person"), ("a-2021", "possible", "open", "algorithm")],
        columns=["report", "certainty", "decision", "decided_by"],
    )
    answer = answer_losses(table, apparatus, language)
    assert "中" in answer and "10.0" in answer and "{" not in answer
    words = describe_losses(table, apparatus, {"zh": "甲区", "en": "A"})
    assert "2" in words["caption"][language] and "中" in words["alt"][language]
    none = answer_losses(table.iloc[:0], apparatus.iloc[:0], language)
    assert ("没有补入任何字" if language == "zh" else "Nothing was put back") in none and "中" not in none


KINDS = [
    ("lost character", "lost"), ("lost character", "probably lost"), ("lost character", "not tested"),
    ("stub or truncated", "found"), ("stub or truncated", "suspected"), ("not Chinese", "found"),
    ("traditional script", "found"), ("wrong encoding", "suspected"), ("text repeated", "found"),
    ("wrong document", "suspected"), ("year", "found"), ("masked names", "found"), ("question marks", "found"),
    ("page furniture", "found"), ("near-duplicate", "found"), ("partly lost character", "lost"),
]  # fmt: skip


def test_the_kinds_are_those_of_the_audit() -> None:
    """Every defect that the audit can name is among those for which words are tested here."""
    source = (Path(audit.__code__.co_filename)).read_text(encoding="utf-8")
    named = set(re.findall(r'yield "([^"]+)",', source)) | {"lost character", "partly lost character"}
    named |= {"masked names", "question marks", "page furniture"}
    named |= set(re.findall(r'yield \(\s*"([^"]+)"', source)) | set(re.findall(r'yield here, \("([^"]+)"', source))
    assert named == {defect for defect, _ in KINDS}


@pytest.mark.parametrize(("defect", "verdict"), KINDS)
def test_every_finding_has_words(defect: str, verdict: str) -> None:
    """Each kind of finding is one line in both languages, with its report; where it was found, if that matters."""
    rows = [("甲县-2031", defect, verdict, where, 900, 1500, "…") for where in ("甲", "乙")]
    table = pd.DataFrame(rows, columns=["report", "defect", "verdict", "where", "seen", "expected", "evidence"])
    for language in ("zh", "en"):
        lines = findings(table, language).splitlines()
        assert len(lines) == 1 and lines[0].startswith("- 甲县-2031") and "{" not in lines[0]
    if verdict in ("lost", "probably lost"):
        assert "(甲, 乙)" in findings(table)


def test_nothing_found_is_said() -> None:
    """No row, or only characters that are absent by nature: nothing is wrong, in so many words."""
    row = ("甲县-2031", "lost character", "naturally absent", "农", 0, 9.0, "…")
    table = pd.DataFrame([row], columns=["report", "defect", "verdict", "where", "seen", "expected", "evidence"])
    assert findings(table) == findings(table.iloc[:0]) == "Nothing was found wrong."
    assert findings(table, "zh") == "没有发现问题。"


def test_a_short_text_and_one_that_breaks_off() -> None:
    """A short text is named by its length, one without a closing mark as cut off."""
    columns = ["report", "defect", "verdict", "where", "seen", "expected", "evidence"]
    short = pd.DataFrame([("a", "stub or truncated", "suspected", "", 3000, 4000, "…")], columns=columns)
    cut = pd.DataFrame([("a", "stub or truncated", "suspected", 9000, "", "", "…")], columns=columns)
    assert "3000" in findings(short) and "cut off" in findings(cut)


WITNESS = "甲" * 200 + "十九届 二、三全会" + "乙" * 200
ROWS = pd.DataFrame(
    [Emendation("a", offset, "中", WITNESS[offset - 8 : offset], WITNESS[offset : offset + 8], decision="accept")
     for offset in (3 + 8, 205, 207)]
)  # fmt: skip


@pytest.mark.parametrize(("language", "passage"), [("zh", "十九届二〔中〕、三〔中〕全会"), ("en", "十九届二⟨中⟩、三⟨中⟩全会")])
def test_the_densest_passage_is_printed_both_ways(language: str, passage: str) -> None:
    """As printed with its stray space, as restored without it and with brackets; a sound report is passed over."""
    done = restore([Report("a", "甲区", 2021, WITNESS, WITNESS), Report("b", "甲区", 2022, "甲。", "甲。")], ROWS)
    text = in_print(done, language, size=40)
    assert passage in text and "十九届 二、三全会" in text and "b" not in text.replace("back", "")
    assert in_print(done[1:], language) == ""


def test_a_lemma_is_closed_by_a_bracket() -> None:
    """Context and character stand before the bracket, the page's reading is the context alone."""
    table = lemmata(apparatus(restore([Report("a", "甲区", 2021, WITNESS, WITNESS)], ROWS)))
    assert table[["offset", "lemma", "page"]].iloc[1].tolist() == [205, "九届 二〔中〕、三全会］", "九届 二、三全会"]
    assert lemmata(table.iloc[:0].assign(left="", char="", right="")).empty


def test_terms_without_a_restored_character_are_said_not_to_move() -> None:
    """One sentence for the term that cannot move, counts and verdicts of each reading for the one that does."""
    rows = [("学校", "witness", 3, 4), ("学校", "all", 3, 4), ("中心", "witness", 0, 4), ("中心", "all", 3, 4)]
    table = pd.DataFrame(rows, columns=["term", "variant", "count_before", "count_after"]).assign(verdict="no evidence")
    first, second = answer_readings(table, as_terms(["学校", "中心"]), ROWS)
    assert (
        first.startswith("学校: none of their strings holds")
        and "(中)" in first
        and "2 readings" in first
        and "hold too" in first
    )
    assert second.startswith("中心: witness 0→4, all 3→4")
    table.loc[1, "verdict"] = "higher"
    assert "change none the less" in answer_readings(table, as_terms(["学校", "中心"]), ROWS)[0]
    table.loc[1, "count_after"] = 5  # a deletion elsewhere may bring two characters together
    assert answer_readings(table, as_terms(["学校", "中心"]), ROWS)[0].startswith("学校: witness 3→4, all 3→5")
    assert "nothing was put back" in answer_readings(table.iloc[:1], as_terms(["学校"]), ROWS.iloc[:0])[0]


def test_what_was_not_tested_is_not_called_sound() -> None:
    """A report that could not be tested is named; nothing says that no character of it was lost."""
    row = ("a-2021", "lost character", "not tested", "", "", "", "…")
    found = pd.DataFrame([row], columns=["report", "defect", "verdict", "where", "seen", "expected", "evidence"])
    table = losses([Report("a-2021", "甲区", 2021, TEXT, TEXT)], found)
    empty = pd.DataFrame(columns=["report", "certainty", "decision", "decided_by"])
    for language, sound in (("zh", "没有查出"), ("en", "No lost character was found")):
        words = answer_losses(table, empty, language)
        assert "a-2021" in words and sound not in words


def test_certainty_is_told_without_colour() -> None:
    """Ticks of each certainty reach above and below their line in a way of their own, as the marks of the key do."""
    kinds = list(SHADES)
    rows = pd.DataFrame({"report": "a", "offset": range(len(kinds)), "certainty": kinds})
    figure = draw_lost(rows, pd.DataFrame(), lengths={"a": 9})
    drawn = {each.get_segments()[0][0][0]: each.get_segments()[0][:, 1].tolist() for each in figure.axes[0].collections}
    assert len({tuple(ends) for ends in drawn.values()}) == len(drawn) == len(kinds)
    assert [drawn[kinds.index(name)][edge] for name, edge in (("probable", 1), ("possible", 0))] == [0.0, 0.0]
    shapes = [(line.get_marker(), line.get_markersize()) for line in figure.findobj(Line2D)]
    key = {(marker, size) for marker, size in shapes if marker in ("|", 2, 3) and size > 4}  # the axis has smaller ones
    assert len(key) == len(kinds)
