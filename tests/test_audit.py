"""Tests of audit."""

import math
import re
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import pandas as pd
import pytest

from shinan_research.audit import COLUMNS, audit, character_counts, screen
from shinan_research.propose import reference
from shinan_research.reports import Report, han_count, read_page

module = import_module("shinan_research.audit")  # the package exports a function of this name
PAGE = Path(__file__).resolve().parents[1] / "data" / "raw" / "shinan-page.txt"


@pytest.fixture(scope="module")
def pages() -> dict[int, Report]:
    """Return the two reports of the page by year."""
    return {report.year: report for report in read_page(PAGE)}


@pytest.fixture(scope="module")
def table(pages: dict[int, Report]) -> pd.DataFrame:
    """Return the audit of both."""
    return audit([pages[2019], pages[2020]])


def make(text: str, year: int = 2019, name: str = "a") -> Report:
    """Return a report of this text."""
    return Report(f"{name}-{year}", name, year, text, text)


def verdict(table: pd.DataFrame, report: Report, character: str) -> str:
    """Return what the audit says of a character."""
    rows = table[(table["report"] == report.id) & (table["defect"] == "lost character") & (table["where"] == character)]
    return str(rows["verdict"].item())


def with_defect(text: str, report: Report) -> pd.DataFrame:
    """Return the audit of a report whose text is replaced."""
    found = audit([replace(report, witness=text, text=text)])
    return found[found["verdict"].isin(["found", "suspected"])]


def test_lost_and_naturally_absent(table: pd.DataFrame, pages: dict[int, Report]) -> None:
    """What was lost is told from what the subject explains, though both are absent beyond chance."""
    assert tuple(table.columns) == COLUMNS
    assert verdict(table, pages[2019], "中") == "lost"
    assert verdict(table, pages[2020], "这") in ("lost", "probably lost")
    natural = [verdict(table, pages[year], character) for year, character in ((2019, "农"), (2020, "均"), (2020, "察"))]
    assert natural == ["naturally absent"] * 3
    assert set(table.loc[table["verdict"].isin(["lost", "probably lost"]), "where"]) == {"中", "这"}


def test_first_advice_is_another_copy(table: pd.DataFrame) -> None:
    """The evidence of every loss begins with the advice to find and collate another copy."""
    rows = table[table["verdict"].isin(["lost", "probably lost"])]
    assert rows["evidence"].str.startswith("Look for another copy of this report before restoring anything").all()


@pytest.mark.parametrize("character", ["发", "济"])
def test_deleted_character_is_lost(pages: dict[int, Report], character: str) -> None:
    """A frequent character is found lost when deleted, even one that has always the same neighbour."""
    text = pages[2020].witness.replace(character, "")
    row = audit([replace(pages[2020], witness=text, text=text)]).iloc[0]
    assert (row["verdict"], row["where"], row["seen"]) == ("lost", character, 0)
    assert row["expected"] == pytest.approx(reference(2020)[character]["rate"] * han_count(text) / 10_000, abs=0.05)


@pytest.mark.parametrize(("first", "last"), [(0.5, 1.0), (0.0, 0.5), (0.3, 0.8)])
def test_a_character_lost_on_a_stretch_is_placed(pages: dict[int, Report], first: float, last: float) -> None:
    """A character dropped on half of a text is found partly lost, with the stretch; in the whole text nothing is."""
    text = pages[2020].witness
    low, high = int(first * len(text)), int(last * len(text))
    damaged = text[:low] + text[low:high].replace("发", "") + text[high:]
    [row] = module.partly_lost(replace(pages[2020], witness=damaged, text=damaged))
    assert row[:4] == ("partly lost character", "lost", "发", damaged.count("发"))
    start, end = map(int, re.findall(r"offset (\d+) to (\d+)", row[5])[0])
    assert start <= low and end >= high - text[low:high].count("发") and "发" not in damaged[start:end]
    assert row[4] > row[3] and row[5].startswith("Look for another copy")
    assert module.partly_lost(pages[2020]) == []


def test_negative_binomial_by_hand(pages: dict[int, Report]) -> None:
    """The probability of no occurrence is that of the negative binomial, (1 + d m) ** (-1 / d)."""
    row = screen(pages[2019]).set_index("char").loc["中"]
    dispersion = reference(2019)["中"]["dispersion"]
    assert row["p"] == pytest.approx((1 + dispersion * row["expected"]) ** (-1 / dispersion), rel=1e-6)
    assert row["p"] > math.exp(-row["expected"])  # Poisson would be too sure


def test_counts_equal_plain_counts(pages: dict[int, Report]) -> None:
    """The fast count equals str.count."""
    counts = character_counts(pages[2020].witness)
    assert [counts[ord(character)] for character in "中发"] == [pages[2020].witness.count(character) for character in "中发"]
    assert character_counts("").sum() == 0


@pytest.mark.parametrize(
    ("change", "defect"),
    [
        (lambda text: text[:800], "stub or truncated"),
        (lambda text: text + text, "text repeated"),
        (lambda text: text[:6_000] + text[6_000:9_000].encode().decode("gb18030", "replace"), "wrong encoding"),
        (lambda text: text[:6_000] + "\ufffd" + text[6_000:], "wrong encoding"),
        (lambda text: text.replace("国", "國").replace("业", "業").replace("发", "發"), "traditional script"),
        (lambda text: text.replace("中央", "**"), "masked names"),
        (lambda text: text[:5_000] + "????" + text[5_000:], "question marks"),
        (lambda text: text + "【打印本页】责任编辑:某", "page furniture"),
        (lambda text: text + "\n注:中文维基文库社群认为,此文属于\n公有领域\n。", "page furniture"),
        (lambda text: "关于国民经济和社会发展计划草案的报告" + text[900:].replace("政府", "有关部门"), "wrong document"),
        (lambda text: text.rstrip("。!！")[:-40] + "进一步推进各项工作落实到位" * 4, "stub or truncated"),
        (lambda text: text.rstrip("。!！")[:-40] + "进一步推进各项工作落实到位" * 4 + "\nPublic domain.\n", "stub or truncated"),
    ],
)
def test_synthetic_defects(pages: dict[int, Report], change: object, defect: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each defect put into an intact report is found, and was not there before."""
    monkeypatch.setattr(module, "lost_characters", lambda report: [])
    assert defect not in with_defect(pages[2020].witness, pages[2020])["defect"].tolist()
    assert defect in with_defect(change(pages[2020].witness), pages[2020])["defect"].tolist()  # type: ignore[operator]


def test_lines_without_han_at_the_end_do_not_cut_a_text_off(pages: dict[int, Report]) -> None:
    """The words of another language that a page puts under the last sentence are no end of a text."""
    tail = "\n\nPublic domain\nPublic domain\nfalse\nfalse, and more of the kind on this page\n"
    assert "stub or truncated" not in with_defect(pages[2020].witness + tail, pages[2020])["defect"].tolist()


def test_wrong_encoding_is_placed(pages: dict[int, Report]) -> None:
    """Mojibake that begins on page two is reported for the segments that have it, not for the file."""
    text = pages[2020].witness
    rows = with_defect(text[:6_000] + text[6_000:7_000].encode().decode("gb18030", "replace"), pages[2020])
    assert rows.loc[rows["defect"] == "wrong encoding", "where"].min() >= 5_500


def test_year_and_twins(pages: dict[int, Report]) -> None:
    """A stated year that is not that of delivery, and the same text under two names, are found."""
    misnamed = replace(pages[2020], source="somewhere_2018.txt", id="somewhere-2018")
    found = audit([pages[2020], misnamed])
    assert found.loc[found["defect"] == "year", "seen"].tolist() == [2018]
    twins = found[found["defect"] == "near-duplicate"]
    assert set(twins["where"]) == {misnamed.id, pages[2020].id}
    assert audit([pages[2019], pages[2020]])["defect"].tolist().count("near-duplicate") == 0


@pytest.mark.parametrize(
    "text", ["", "The government work report. " * 90, "十个汉字都在这一行里", "\ud800\ufffd\0", "国" * 5_000, "各位代表：" * 900]
)
def test_hostile_texts(text: str) -> None:
    """Other languages, ten characters, nothing at all: findings, never a crash."""
    found = audit([make(text)])
    assert len(found) >= 1 and tuple(found.columns) == COLUMNS


def test_nothing_given() -> None:
    """No report gives an empty table with its columns."""
    assert tuple(audit([]).columns) == COLUMNS
    assert module.audit([]).empty
