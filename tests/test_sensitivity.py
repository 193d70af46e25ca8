"""Re-running a comparison: every way of counting once, each row that of compare, and what differs is what differs."""

import pandas as pd
import pytest
from test_counts import tokens_of

from shinan_research import ShinanError, compare
from shinan_research.sensitivity import sensitivity, steadiness

BEFORE, AFTER = ("甲县", 2001), ("甲县", 2002)
GRASS = "草" * 30


@pytest.fixture(scope="module")
def readings() -> dict[str, pd.DataFrame]:
    """Return two readings of one pair of reports: in the second every 花 of the earlier report is lost."""
    chapters = {BEFORE: [["花" + GRASS] * 9, ["花" + GRASS] * 3], AFTER: [["花花" + GRASS] * 6, [GRASS] * 4]}
    lost = {BEFORE: [[GRASS] * 9, [GRASS] * 3], AFTER: chapters[AFTER]}
    return {"witness": tokens_of(lost), "probable": tokens_of(chapters)}


@pytest.fixture(scope="module")
def table(readings: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Return one term under two readings, three units, with headings and without."""
    return sensitivity(readings, BEFORE, AFTER, terms=["花", "树"], scopes=["body"])


def test_every_way_of_counting_once(table: pd.DataFrame) -> None:
    """Readings × units × headings × terms are there, none twice, the base first and marked alone."""
    keys = ["term", "variant", "scope", "unit", "headings"]
    assert len(table) == 2 * 3 * 2 * 2 and not table.duplicated(keys).any()
    assert set(table["variant"]) == {"witness", "probable"} and set(table["unit"]) == {"block", "sentence", "chapter"}
    base = table[table["base"]]
    assert base["term"].tolist() == ["花", "树"]
    assert base[["variant", "unit", "headings"]].drop_duplicates().to_numpy().tolist() == [["probable", "block", True]]
    assert list(table.index[:2]) == list(base.index)


def test_each_row_is_that_of_compare(table: pd.DataFrame, readings: dict[str, pd.DataFrame]) -> None:
    """A row equals what compare gives for its options, in closed form."""
    for (variant, unit, headings), mine in table.groupby(["variant", "unit", "headings"]):
        alone = compare(
            readings[str(variant)], BEFORE, AFTER, terms=["花", "树"], unit=str(unit), headings=bool(headings), n_permutations=0
        )
        columns = ["count_before", "count_after", "log2_ratio", "low", "high", "p", "p_adjusted", "verdict"]
        pd.testing.assert_frame_equal(mine[columns].reset_index(drop=True), alone[columns])


def test_what_differs(table: pd.DataFrame) -> None:
    """Each row names the verdict, the direction or both where they are not those of the base, and nothing else."""
    base = table[table["base"]].set_index("term")
    for row in table.itertuples():
        same = base.loc[row.term]
        turned = (row.log2_ratio > 0) != (same["log2_ratio"] > 0)
        words = [word for word, true in (("direction", turned), ("verdict", row.verdict != same["verdict"])) if true]
        assert row.differs == " and ".join(words)
    assert (table.loc[table["base"], "differs"] == "").all()


def test_steadiness_counts_the_rest(table: pd.DataFrame) -> None:
    """Beside the base there are eleven ways, of which those without difference keep the verdict."""
    rows = steadiness(table).set_index("term")
    others = table[~table["base"]]
    for term, mine in others.groupby("term"):
        assert rows.loc[term, "ways"] == len(mine) == 11
        assert rows.loc[term, "same_verdict"] == (~mine["differs"].str.contains("verdict")).sum()
        assert rows.loc[term, "same_direction"] == (~mine["differs"].str.contains("direction")).sum()
    assert rows.loc["花", "lowest"] <= rows.loc["花", "highest"]
    assert rows.loc["树", "verdicts"] == "too rare"


def test_a_part_that_is_absent_is_left_out_by_name(readings: dict[str, pd.DataFrame]) -> None:
    """A scope without text in the two reports is named in the settings and gives no row; the function is on record."""
    table = sensitivity(readings, BEFORE, AFTER, terms=["花"], scopes=["plan", "review"], units=["block"])
    assert set(table["scope"]) == {"plan"}
    settings = table.attrs["settings"]
    assert settings["left_out"] == ["review of probable", "review of witness"] and settings["function"] == "sensitivity"


def test_the_base_must_hold_text(readings: dict[str, pd.DataFrame]) -> None:
    """If the scope of the base holds no text, that is an error and no empty table."""
    with pytest.raises(ShinanError, match="The scope 'review' of 'probable' holds no text"):
        sensitivity(readings, BEFORE, AFTER, terms=["花"], scopes=["review", "plan"])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"terms": []}, "was given no term"),
        ({"scopes": ["bodies"]}, r"scopes is \['bodies'\]; allowed"),
        ({"units": []}, r"units is \[\]; allowed"),
        ({"units": ["page"]}, r"units is \['page'\]; allowed"),
    ],
)
def test_wrong_options(readings: dict[str, pd.DataFrame], options: dict[str, list[str]], words: str) -> None:
    """An option that is unknown or empty is refused with what is allowed."""
    with pytest.raises(ShinanError, match=words):
        sensitivity(readings, BEFORE, AFTER, **({"terms": ["花"]} | options))


def test_no_reading_and_absent_group(readings: dict[str, pd.DataFrame]) -> None:
    """No reading, or a year that no report has, is refused."""
    with pytest.raises(ShinanError, match="was given no reading"):
        sensitivity({}, BEFORE, AFTER, terms=["花"])
    with pytest.raises(ShinanError, match="No report for 1999"):
        sensitivity(readings, 1999, AFTER, terms=["花"])


def test_without_the_default_reading_the_first_is_the_base(readings: dict[str, pd.DataFrame]) -> None:
    """Readings by other names, such as segmenters, have the first as their base."""
    table = sensitivity({"one": readings["probable"], "two": readings["probable"]}, BEFORE, AFTER, terms=["花"], scopes=["body"])
    assert set(table.loc[table["base"], "variant"]) == {"one"} and set(table["differs"]) <= {"", "verdict"}


def test_a_reading_that_repeats_another_is_no_other_way(readings: dict[str, pd.DataFrame]) -> None:
    """Readings with the same tokens are counted once and named; the base stands for them."""
    copies = readings | {"all": readings["probable"].copy(), "masked": readings["witness"].copy()}
    found = sensitivity(copies, BEFORE, AFTER, terms=["花"], scopes=["body"])
    assert found.attrs["settings"]["identical"] == ["all", "masked"]
    assert steadiness(found)["ways"].tolist() == [2 * 3 * 2 - 1]
    alone = sensitivity({"probable": copies["all"], "all": copies["all"]}, BEFORE, AFTER, terms=["花"], scopes=["body"])
    assert set(alone["variant"]) == {"probable"} and steadiness(alone)["ways"].tolist() == [3 * 2 - 1]
