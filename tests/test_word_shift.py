"""Word shift: contributions against a slow computation, and the three verdicts on the total."""

from collections import Counter
from math import log2

import numpy as np
import pandas as pd
import pytest
from scipy.spatial.distance import jensenshannon
from test_counts import tokens_of

from shinan_research import ShinanError
from shinan_research.word_shift import COLUMNS, word_shift

BEFORE, AFTER = ("甲县", 2001), ("甲县", 2002)
CHAPTERS = {
    BEFORE: [["花花草", "草草树"], ["草花水", "山山"]],
    AFTER: [["花草草", "树树草"], ["火草", "山花"]],
}


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    """Return the word shift of two tiny reports."""
    return word_shift(tokens_of(CHAPTERS), BEFORE, AFTER, n_draws=200)


def shares(group: tuple[str, int]) -> dict[str, float]:
    """Return the share of each character, counted by hand's rule."""
    counts = Counter("".join(text for blocks in CHAPTERS[group] for text in blocks))
    return {word: number / counts.total() for word, number in counts.items()}


def test_contributions_are_those_of_the_formula(table: pd.DataFrame) -> None:
    """Each word contributes half p log p/m plus half q log q/m, computed one by one."""
    p, q = shares(BEFORE), shares(AFTER)
    for row in table.itertuples():
        a, b = p.get(row.term, 0.0), q.get(row.term, 0.0)
        middle = (a + b) / 2
        expected = sum(share / 2 * log2(share / middle) for share in (a, b) if share)
        assert row.contribution == pytest.approx(expected, abs=1e-12)
        assert row.direction == ("more after" if b > a + 1e-12 else "more before" if a > b + 1e-12 else "equal")


def test_they_add_up_to_the_divergence(table: pd.DataFrame) -> None:
    """The sum is the square of scipy's Jensen–Shannon distance in base two, and the shares sum to one."""
    p, q = shares(BEFORE), shares(AFTER)
    words = sorted({*p, *q})
    distance = jensenshannon([p.get(word, 0) for word in words], [q.get(word, 0) for word in words], base=2)
    assert table.attrs["total"] == pytest.approx(distance**2, abs=1e-12)
    assert table["contribution"].sum() == pytest.approx(distance**2, abs=1e-12)
    assert table["share"].sum() == pytest.approx(1)


def test_order_and_settings(table: pd.DataFrame) -> None:
    """Words stand by falling contribution, then by term; the settings name function, scope and null."""
    order = sorted(table.to_dict("records"), key=lambda row: (-round(row["contribution"], 12), row["term"]))
    assert [row["term"] for row in order] == table["term"].tolist()
    assert table.attrs["settings"]["function"] == "word_shift" and table.attrs["settings"]["scope"] == "body"
    assert (table["low"] <= table["high"]).all() and (table["low"] >= 0).all()
    assert tuple(table.columns) == COLUMNS and table.index.tolist() == list(range(len(table)))
    assert [table.attrs["settings"][name] for name in ("seed", "level", "n_draws")] == [0, 0.95, 200]


def test_swapping_turns_directions_and_nothing_else(table: pd.DataFrame) -> None:
    """With before and after exchanged the contributions stay and the directions turn."""
    other = word_shift(tokens_of(CHAPTERS), AFTER, BEFORE, n_draws=20).set_index("term")
    turned = {"more before": "more after", "more after": "more before", "equal": "equal"}
    for row in table.itertuples():
        assert other.loc[row.term, "contribution"] == pytest.approx(row.contribution, abs=1e-12)
        assert other.loc[row.term, "direction"] == turned[row.direction]


def test_swapping_changes_neither_lines_nor_band() -> None:
    """With before and after exchanged the intervals and the null band are the same, draw by draw."""
    one, two = (word_shift(tokens_of(CHAPTERS), *pair, n_draws=50) for pair in ((BEFORE, AFTER), (AFTER, BEFORE)))
    pd.testing.assert_frame_equal(one[["term", "low", "high"]], two[["term", "low", "high"]], rtol=1e-12)
    assert one.attrs["null"] == pytest.approx(two.attrs["null"])


def test_above_the_band() -> None:
    """Two reports that share no word differ more than their sentences dealt at random."""
    table = word_shift(tokens_of({BEFORE: [["花草"] * 20], AFTER: [["山水"] * 20]}), BEFORE, AFTER, n_draws=200)
    assert table.attrs["total"] == pytest.approx(1) and table.attrs["null"]["verdict"] == "above"


def test_below_the_band() -> None:
    """Two equal reports, each of whose sentences has words of its own, differ less than their sentences dealt at random."""
    texts = [chr(ord("一") + 2 * number) + chr(ord("一") + 2 * number + 1) for number in range(40)]
    table = word_shift(tokens_of({BEFORE: [texts], AFTER: [texts]}), BEFORE, AFTER, n_draws=200)
    assert table.attrs["total"] == pytest.approx(0) and table.attrs["null"]["verdict"] == "below"
    assert set(table["direction"]) == {"equal"} and table["share"].sum() == 0


def test_inside_the_band() -> None:
    """Sentences of one word each, dealt to two reports by lot, differ as much as sentences dealt at random."""
    lot = np.random.default_rng(3)
    parts = {group: [["花草山水"[number] for number in lot.integers(0, 4, 60)]] for group in (BEFORE, AFTER)}
    null = word_shift(tokens_of(parts), BEFORE, AFTER, n_draws=400).attrs["null"]
    assert null["verdict"] == "inside" and null["low"] < null["mean"] < null["high"]


def test_unknown_null_and_empty_scope() -> None:
    """An unknown unit and a scope without text are refused."""
    with pytest.raises(ShinanError, match="null is 'page'; allowed: block, sentence, chapter, report"):
        word_shift(tokens_of(CHAPTERS), BEFORE, AFTER, null="page")
    with pytest.raises(ShinanError, match="nothing can be compared there"):
        word_shift(tokens_of(CHAPTERS), BEFORE, AFTER, scope="annex")
