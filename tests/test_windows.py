"""Units of a topic model: windows end with sentences, cross no chapter, and shuffles keep what they promise."""

import numpy as np
import pandas as pd
import pytest
from planted import SENTENCE_WORDS, planted_tokens

from shinan_research.errors import ShinanError
from shinan_research.windows import cut_windows, shuffle_sentences, shuffle_tokens, topic_windows


def test_windows_of_the_real_reports(tokens: pd.DataFrame) -> None:
    """Every window but those of short chapters has its length; none crosses a chapter or leaves review and plan."""
    cut = cut_windows(tokens)
    assert (cut.groupby("unit")[["report", "chapter"]].nunique() == 1).all().all()
    assert set(cut["part"]) == {"review", "plan"}
    chapters = cut.groupby("unit").agg(report=("report", "first"), chapter=("chapter", "first"), han=("han", "sum"))
    several = chapters[chapters.groupby(["report", "chapter"])["han"].transform("size") > 1]
    assert len(several) > 100 and (several["han"] >= 150).all()
    assert (cut.groupby("sentence")["unit"].nunique() == 1).all()
    assert cut["han"].sum() == tokens.loc[tokens["part"].isin(["review", "plan"]), "han"].sum()


def test_windows_by_hand() -> None:
    """Sentences of 24 characters fill windows of 60 by threes, and what is left joins the last."""
    tokens = planted_tokens(years=(2010,), chapters=2, sentences=7)
    sizes = cut_windows(tokens, length=60).groupby("unit")["han"].sum()
    assert sizes.tolist() == [72, 96, 72, 96]
    assert cut_windows(tokens, length=10**6).groupby("unit")["han"].sum().tolist() == [168, 168]


def test_counts_are_those_of_the_tokens() -> None:
    """The matrix holds every token of a counted term once; numbers become one term, short and empty words none."""
    tokens = planted_tokens(years=(2010,), chapters=4, sentences=4)
    extra = tokens.head(3).assign(term=["37", "的", "加快"], kind=["number", "word", "word"], han=[0, 1, 2], sentence=0)
    windows = topic_windows(pd.concat([extra, tokens], ignore_index=True), length=48, least=1, most=1.0)
    assert "#" in windows.terms and not {"的", "加快", "。"} & set(windows.terms)
    assert windows.x.sum() == 4 * 4 * SENTENCE_WORDS + 1 == windows.table["size"].sum()
    again = windows.frame.groupby(["unit", "term"]).size()
    assert all(windows.x[unit, term] == count for (unit, term), count in again.items())


def test_shuffles_keep_what_they_promise() -> None:
    """Both keep every word's count; tokens keep every unit's length, sentences stay whole within their report."""
    windows = topic_windows(planted_tokens(), length=48)
    rng = np.random.default_rng(3)
    for shuffle in (shuffle_tokens, shuffle_sentences):
        x = shuffle(windows, rng)
        assert (x.sum(axis=0) == windows.x.sum(axis=0)).all() and x.shape == windows.x.shape
        assert (x != windows.x).nnz > 0
    assert (shuffle_tokens(windows, rng).sum(axis=1) == windows.x.sum(axis=1)).all()
    half = (windows.table["report"] == "A-2010").to_numpy()
    dealt = shuffle_sentences(windows, rng)
    assert (dealt[np.flatnonzero(half)].sum(axis=0) == windows.x[np.flatnonzero(half)].sum(axis=0)).all()
    assert set(dealt.sum(axis=1).tolist()) <= set(windows.x.sum(axis=1).tolist())


def test_a_vocabulary_that_vanishes() -> None:
    """If no term is left, or no text, the error says what to lower."""
    tokens = planted_tokens(years=(2010,), chapters=2, sentences=2)
    with pytest.raises(ShinanError, match=r"No term stands in 99 or more of 2 units .* Lower `least`, lower `length`"):
        topic_windows(tokens, least=99)
    with pytest.raises(ShinanError, match="No text in the parts"):
        topic_windows(tokens.assign(part="annex"))
    with pytest.raises(ShinanError, match="length is 0"):
        topic_windows(tokens, length=0)
