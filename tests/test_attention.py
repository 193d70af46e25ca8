"""Attention: shares of the body's characters, counted; chapters matched by strata or by title; nothing is lost."""

import pandas as pd
import pytest

from shinan_research.attention import attention
from shinan_research.errors import ShinanError


def frame(rows: list[tuple[str, int, str, int, str, int]]) -> pd.DataFrame:
    """Return tokens, one per chapter: report, year, part, chapter, title, Han characters."""
    table = pd.DataFrame(rows, columns=["report", "year", "part", "chapter", "chapter_title", "han"])
    return table.assign(place="A")


TWO = frame([
    ("a", 2010, "opening", 0, "", 10), ("a", 2010, "review", 1, "(一)农业。", 30), ("a", 2010, "plan", 2, "（二）教育", 60),
    ("a", 2010, "annex", 3, "名词解释", 500), ("b", 2011, "opening", 0, "", 5), ("b", 2011, "review", 1, "一、农业。", 20),
    ("b", 2011, "plan", 2, "(二)养老", 25),
])  # fmt: skip


def test_shares_by_hand() -> None:
    """Chapters with the same title but for the number are one row; shares are of the body, without the annex."""
    table = attention(TWO, 2010, 2011).set_index("stratum")
    assert table["han_before"].to_dict() == {"opening": 10, "农业。": 30, "教育": 60, "养老": 0}
    assert table["share_after"].to_dict() == {"opening": 0.1, "农业。": 0.4, "教育": 0.0, "养老": 0.5}
    assert table.loc["农业。", "shift"] == pytest.approx(0.1) and table.loc["养老", "chapters_before"] == 0
    assert table.loc["养老", "titles_after"] == "(二)养老" and table.attrs["settings"]["matched_by"] == "title"


def test_strata_match_chapters() -> None:
    """Matched chapters are one row with both titles; a chapter that is not named stands alone."""
    strata = pd.DataFrame({"report": ["a", "b"], "chapter": [2, 2], "stratum": ["livelihood"] * 2})
    table = attention(TWO, 2010, 2011, strata=strata).set_index("stratum")
    assert table.loc["livelihood", ["han_before", "han_after"]].tolist() == [60, 25]
    assert table.loc["livelihood", "titles_before"] == "（二）教育" and set(table.index) == {"opening", "农业。", "livelihood"}


def test_the_real_reports_are_conserved(tokens: pd.DataFrame) -> None:
    """Characters of all rows sum to those of the body, and shares to one, in each report."""
    table = attention(tokens, 2019, 2020)
    for role, year in (("before", 2019), ("after", 2020)):
        body = tokens[(tokens["year"] == year) & (tokens["part"] != "annex")]
        assert table[f"han_{role}"].sum() == body["han"].sum() == table[f"total_{role}"].iloc[0]
        assert table[f"share_{role}"].sum() == pytest.approx(1) and table[f"chapters_{role}"].sum() == body["chapter"].nunique()


def test_the_same_title_in_review_and_plan_is_two_rows() -> None:
    """What was done and what is planned under the same words are kept apart."""
    rows = [
        (name, year, part, n, "(一)农业", 10)
        for name, year in (("a", 2010), ("b", 2011))
        for n, part in enumerate(("review", "plan"))
    ]
    assert attention(frame(rows), 2010, 2011)["stratum"].tolist() == ["review 农业", "plan 农业"]


def test_bad_input() -> None:
    """One report, the same twice, no body and incomplete strata are errors."""
    with pytest.raises(ShinanError, match=r"No report for 2012\. Years present: 2010, 2011"):
        attention(TWO, 2010, 2012)
    with pytest.raises(ShinanError, match="same report"):
        attention(TWO, 2010, "a")
    with pytest.raises(ShinanError, match="holds no text"):
        attention(
            TWO[(TWO["year"] == 2010) | (TWO["part"] == "opening")].assign(han=lambda t: t["han"].where(t["year"] == 2010, 0)),
            2010,
            2011,
        )
    with pytest.raises(ShinanError, match="lack the column stratum"):
        attention(TWO, 2010, 2011, strata=pd.DataFrame({"report": ["a"], "chapter": [1]}))
