"""Re-running a comparison: every way of counting once, each row that of compare, and what differs is what differs."""

import math
import warnings

import pandas as pd
import pytest
from scipy import stats
from test_counts import tokens_of

from shinan_research import ShinanError, compare, measured
from shinan_research.messages import LANGUAGES
from shinan_research.sensitivity import log_odds, measures, sensitivity, steadiness

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
    """Beside the base there are eleven ways; those in which the term never stands are told apart and prove nothing."""
    rows = steadiness(table).set_index("term")
    assert rows.loc["花", ["ways", "absent"]].tolist() == [11, 0] and rows.loc["树", ["ways", "absent"]].tolist() == [0, 11]
    others = table[~table["base"] & (table["count_before"] + table["count_after"] > 0)]
    for term, mine in others.groupby("term"):
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


@pytest.fixture(scope="module")
def vocabulary(readings: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Return the comparison of a small vocabulary, some of whose words stand on one side alone."""
    texts = {BEFORE: ["花花树山水" + GRASS] * 9 + ["鸟" * 9], AFTER: ["花树树树水云" + GRASS] * 9}
    return compare(tokens_of({key: [blocks] for key, blocks in texts.items()}), BEFORE, AFTER, n_permutations=0)


def by_hand(row: dict[str, float], prior: float) -> tuple[float, float]:
    """Return the log-odds ratio and its z of one word, from the formula, with the standard library."""
    alpha = prior * (row["count_before"] + row["count_after"]) / (row["total_before"] + row["total_after"])
    odds = [
        (row[f"count_{side}"] + alpha) / (row[f"total_{side}"] + prior - row[f"count_{side}"] - alpha)
        for side in ("before", "after")
    ]
    variance = 1 / (row["count_before"] + alpha) + 1 / (row["count_after"] + alpha)
    return math.log(odds[1]) - math.log(odds[0]), (math.log(odds[1]) - math.log(odds[0])) / math.sqrt(variance)


@pytest.mark.parametrize("prior", [0.5, 500.0, 100_000.0])
def test_log_odds_are_those_of_the_formula(vocabulary: pd.DataFrame, prior: float) -> None:
    """Every word's log-odds ratio and z are those of the published formula, to 1e-12, in falling order of |z|."""
    found = log_odds(vocabulary, prior=prior)
    rows = vocabulary.set_index("term").to_dict("index")
    assert set(found["term"]) == set(rows) and len(found) >= 6
    for row in found.itertuples():
        assert (row.log_odds, row.z) == pytest.approx(by_hand(rows[row.term], prior), rel=1e-12, abs=1e-12), row.term
    assert found["z"].abs().round(12).is_monotonic_decreasing
    assert found.attrs["settings"]["prior"] == prior


def test_a_large_prior_hides_rare_words(vocabulary: pd.DataFrame) -> None:
    """With a prior far larger than the texts no word has any z to speak of; a small one leaves the rarest their size."""
    assert log_odds(vocabulary, prior=1e9)["z"].abs().max() < 0.1 < log_odds(vocabulary, prior=0.5)["z"].abs().max()


def test_log_odds_swap_signs_and_nothing_else(vocabulary: pd.DataFrame) -> None:
    """With before and after exchanged every sign turns and the order stays."""
    names = {
        f"{name}_{one}": f"{name}_{two}" for name in ("count", "total") for one, two in (("before", "after"), ("after", "before"))
    }
    one, two = log_odds(vocabulary), log_odds(vocabulary.rename(columns=names))
    assert one["term"].tolist() == two["term"].tolist()
    assert one["z"].tolist() == pytest.approx((-two["z"]).tolist())


def test_a_prior_of_nothing_and_a_text_of_one_word(vocabulary: pd.DataFrame) -> None:
    """A prior that is not positive is refused; a text of one word alone has no odds and no missing value."""
    for prior in (0.0, -1.0, float("nan")):
        with pytest.raises(ShinanError, match="expected a number of tokens above 0"):
            log_odds(vocabulary, prior=prior)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        alone = log_odds(compare(tokens_of({BEFORE: [["花"] * 9], AFTER: [["花花"] * 9]}), BEFORE, AFTER, n_permutations=0))
    assert alone[["log_odds", "z"]].to_numpy().tolist() == [[0, 0]]


def test_measures_rank_every_word_under_each(vocabulary: pd.DataFrame) -> None:
    """Under each measure the places are 1 to the number of words, in falling order of its size, ties by term."""
    found = measures(vocabulary)
    assert found["term"].tolist() == vocabulary["term"].tolist()
    odds = log_odds(vocabulary).set_index("term")["z"].reindex(vocabulary["term"]).to_numpy()
    chi2 = [
        stats.chi2_contingency([[a, m - a], [b, n - b]], correction=False)[0]
        for a, b, m, n in vocabulary[["count_before", "count_after", "total_before", "total_after"]].to_numpy().tolist()
    ]
    sizes = {
        "keyness": vocabulary["keyness"],
        "g2": vocabulary["g2"],
        "chi2": chi2,
        "log_odds": odds,
        "ratio": vocabulary["log2_ratio"],
    }
    for name, values in sizes.items():
        pairs = sorted(zip((-abs(round(value, 12)) for value in values), vocabulary["term"], strict=True))
        assert found.sort_values(name)["term"].tolist() == [term for _, term in pairs], name
        assert sorted(found[name]) == list(range(1, len(found) + 1))


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_the_rankings_share_is_counted(vocabulary: pd.DataFrame, language: str) -> None:
    """The sentence gives the prior and how many words are among the first under each measure too; without words it says so."""
    found = measures(vocabulary)
    shared = [
        len(set(found[found["keyness"] <= 3]["term"]) & set(found[found[name] <= 3]["term"]))
        for name in ("g2", "chi2", "log_odds", "ratio")
    ]
    words = measured(found, language, most=3)
    numbers = [word for word in ("3", "500", *map(str, shared)) if word in words]
    assert len(numbers) == 6 and "{" not in words
    assert measured(found.head(0), language) and "{" not in measured(found.head(0), language)
