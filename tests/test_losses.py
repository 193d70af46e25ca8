"""Rates of lost characters beside the genre."""

import pandas as pd
import pytest
from scipy import stats

from shinan_research import Report, losses
from shinan_research.losses import answer_losses, describe_losses
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
    assert "0" in none and "中" not in none.replace("其中", "")
