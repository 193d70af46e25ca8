"""What must hold of every comparison, whatever was counted: bounds, sums, and what may not change an answer."""

import io

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_counts import tokens_of

from shinan_research import compare, series, word_shift
from shinan_research.publish import csv_bytes

BEFORE, AFTER, OTHER = ("甲县", 2001), ("甲县", 2002), ("乙县", 2001)
block = st.text("花树草山", min_size=3, max_size=12)
report = st.lists(st.lists(block, min_size=1, max_size=4), min_size=1, max_size=3)
pairs = st.tuples(report, report)
DRAWS = 19
few = settings(max_examples=15)  # each takes a hundred times as long as a text


def table_of(before: list[list[str]], after: list[list[str]], **options) -> pd.DataFrame:
    """Compare two declared terms in two reports given as chapters of blocks."""
    return compare(tokens_of({BEFORE: before, AFTER: after}), BEFORE, AFTER, terms=["花", "树"], **options)


@few
@given(pairs)
def test_a_comparison_keeps_its_bounds(drawn):
    """Counts are those of the strings, ends stand in their order, p is at least one draw in all, adjusting never helps."""
    before, after = drawn
    table = table_of(before, after, n_permutations=DRAWS)
    for row in table.itertuples():
        for chapters, count, total in ((before, row.count_before, row.total_before), (after, row.count_after, row.total_after)):
            text = "".join(map("".join, chapters))
            assert (count, total) == (text.count(row.term), len(text))
        assert row.g2 >= 0 and row.dispersion >= 1
        assert row.low <= row.low_inner <= row.high_inner <= row.high
        tested = [value for value in (row.p, row.p_adjusted, row.p_max) if not np.isnan(value)]
        assert all(1 / (DRAWS + 1) - 1e-12 <= value <= 1 for value in tested)
        assert np.isnan(row.p) or (row.p_adjusted >= row.p - 1e-12 and row.p_max >= row.p / 2 - 1e-12)  # p doubles one side


@few
@given(pairs)
def test_a_higher_level_gives_a_wider_interval(drawn):
    """The interval of 99 % holds that of 90 %, and nothing but the interval depends on the level."""
    narrow, wide = (table_of(*drawn, level=level, n_permutations=0) for level in (0.9, 0.99))
    assert (wide["low"] <= narrow["low"]).all() and (wide["high"] >= narrow["high"]).all()
    same = ["count_before", "count_after", "log2_ratio", "g2", "dispersion", "p"]
    pd.testing.assert_frame_equal(narrow[same], wide[same])


@few
@given(pairs, report)
def test_a_report_that_is_not_compared_changes_nothing(drawn, stranger):
    """A third report of another place leaves each number and verdict as it was, of declared terms and of all words."""
    two = {BEFORE: drawn[0], AFTER: drawn[1]}
    for options in ({"terms": ["花", "树"], "n_permutations": DRAWS}, {"n_permutations": 0}):
        alone, beside = (compare(tokens_of(many), BEFORE, AFTER, **options) for many in (two, two | {OTHER: stranger}))
        pd.testing.assert_frame_equal(alone, beside)


@few
@given(pairs)
def test_the_words_add_up_to_their_divergence(drawn):
    """Contributions are not negative, sum to the divergence, and that lies between 0 (alike) and 1 bit (nothing in common)."""
    tokens = tokens_of({BEFORE: drawn[0], AFTER: drawn[1]})
    table = word_shift(tokens, BEFORE, AFTER, n_draws=5)
    assert (table["contribution"] >= -1e-12).all()
    assert table["contribution"].sum() == pytest.approx(table.attrs["total"], abs=1e-12)
    assert -1e-12 <= table.attrs["total"] <= 1 + 1e-12
    alike = word_shift(tokens_of({BEFORE: drawn[0], AFTER: drawn[0]}), BEFORE, AFTER, n_draws=5)
    assert alike.attrs["total"] == pytest.approx(0, abs=1e-12)


@few
@given(pairs)
def test_a_series_of_two_years_has_the_rates_of_the_comparison(drawn):
    """What `series` and `compare` say of the same reports agrees, and a band holds its rate."""
    tokens = tokens_of({BEFORE: drawn[0], AFTER: drawn[1]})
    table, course = compare(tokens, BEFORE, AFTER, terms=["花"], n_permutations=0), series(tokens, ["花"])
    assert course["rate"].tolist() == pytest.approx([table["rate_before"].iloc[0], table["rate_after"].iloc[0]])
    assert (course["low"] <= course["high"]).all() and (course["low"] >= 0).all()


numbers = st.floats(allow_infinity=False, allow_nan=False, width=64)
words = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r"), max_size=12)


@given(st.lists(st.tuples(words, numbers, st.integers(-(2**53), 2**53)), min_size=1, max_size=5))
def test_a_published_table_is_read_back(rows):
    """Words come back as they were but for the apostrophe that keeps a formula from running; numbers to ten digits."""
    table = pd.DataFrame(rows, columns=["word", "number", "count"])
    back = pd.read_csv(io.BytesIO(csv_bytes(table)), keep_default_na=False, dtype={"word": str}, encoding="utf-8-sig")
    assert back["count"].tolist() == table["count"].tolist()
    assert back["number"].astype(float).tolist() == pytest.approx(table["number"].tolist(), rel=5.1e-10)
    for found, word in zip(back["word"], table["word"], strict=True):
        assert found in (word, f"'{word}")
        assert found == word or word[0] in "=+-@\t'"
