"""The figures of attention and topics, asked through their artists: what stands where, and that nothing collides."""

from functools import cache

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from planted import planted_tokens
from test_figures_vocabulary import tidy, words

from shinan_research import FigureError
from shinan_research.attention import attention
from shinan_research.figures.attention import draw_attention
from shinan_research.figures.choice import draw_choice
from shinan_research.figures.prevalence import draw_prevalence
from shinan_research.figures.style import WIDTHS
from shinan_research.figures.topics import draw_topics
from shinan_research.prevalence import prevalence
from shinan_research.topics import Topics, fit_topics

NAMES = ("attention", "topics", "choice", "prevalence")
CASES = [("single", "zh"), ("single", "en"), ("single", "both"), ("onehalf", "en"), ("double", "zh"), ("double", "both")]


@cache
def model() -> Topics:
    """Return a model of planted topics with the numbers 4 to 6 examined."""
    topics = fit_topics(planted_tokens(), numbers=(4, 5, 6), runs=4, length=48, most=0.6)
    names = {"zh": "一个相当长的主题名称", "en": "A name of a topic that is rather long"}
    topics.stability.loc[0, list(names)] = list(names.values())
    return topics


@cache
def tables() -> dict[str, tuple[pd.DataFrame, ...]]:
    """Return the tables that each figure draws."""
    topics = model()
    chapters = attention(planted_tokens(chapters=6), 2010, 2011)
    one_sided = chapters.assign(chapters_after=[0, *chapters["chapters_after"][1:]])
    moved = prevalence(topics, 2010, 2011, n_permutations=99)
    return {
        "attention": (one_sided,), "topics": (topics.words, topics.stability), "choice": (topics.choice,), "prevalence": (moved,),
    }  # fmt: skip


def draw(name: str, *given: pd.DataFrame, width: str = "double", language: str = "both") -> Figure:
    """Draw one of the figures."""
    figures = {"attention": draw_attention, "topics": draw_topics, "choice": draw_choice, "prevalence": draw_prevalence}
    return figures[name](*(given or tables()[name]), width=width, language=language)  # type: ignore[operator, no-any-return]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("width", "language"), CASES)
def test_nothing_leaves_the_canvas_and_nothing_collides(name: str, width: str, language: str) -> None:
    """At each width every text lies on the canvas of that width, clear of the others."""
    figure = draw(name, width=width, language=language)
    assert figure.get_figwidth() * 25.4 == pytest.approx(WIDTHS[width])
    tidy(figure)


@pytest.mark.parametrize("name", NAMES)
def test_an_empty_table_is_refused(name: str) -> None:
    """Nothing to draw is an error that says so."""
    with pytest.raises(FigureError, match="Nothing to draw"):
        draw(name, *(table.head(0) for table in tables()[name]))


def test_attention_draws_the_shares_of_each_chapter() -> None:
    """Each row has its two shares in per cent; a chapter that one group lacks has a cross."""
    table = tables()["attention"][0]
    lines = [line for line in draw("attention").axes[0].lines if str(line.get_gid()).startswith("row")]
    drawn = {(line.get_gid(), round(float(line.get_xdata()[0]), 6)) for line in lines}
    expected = {
        (f"row..{row}", round(100 * table[f"share_{role}"].iloc[row], 6))
        for row in range(len(table))
        for role in ("before", "after")
    }
    assert drawn == expected and sum(line.get_marker() == "x" for line in lines) == 1


def test_topics_draw_the_likeliest_words() -> None:
    """Each topic has a panel with its id, ten words and ten bars as long as their probabilities."""
    figure, topics = draw("topics"), model()
    assert len(figure.axes) == len(topics.ids)
    scale = topics.words["probability"].max()
    for ax, topic in zip(figure.axes, topics.ids, strict=True):
        mine = topics.words[topics.words["topic"] == topic].head(10)
        np.testing.assert_allclose([patch.get_width() for patch in ax.patches], mine["probability"] / scale)
        assert any(text.startswith(f"{topic}  ") for text in words(figure)) and set(mine["term"]) <= set(words(figure))


def test_choice_rings_the_number_chosen() -> None:
    """Each panel has a ring around the chosen number, and the null lines are those of the table."""
    table = model().choice
    figure = draw("choice")
    chosen = table.loc[table["chosen"], "topics"].iloc[0]
    for ax in figure.axes:
        assert [line.get_xdata()[0] for line in ax.lines if line.get_fillstyle() == "none"] == [chosen]
    heights = [tuple(line.get_ydata()) for line in figure.axes[1].lines]
    assert tuple(table["agreement_tokens"]) in heights and tuple(table["agreement_sentences"]) in heights


def test_prevalence_draws_both_intervals_and_the_band() -> None:
    """The thin line is the generative interval, the thick one the measurement, the band the permutation, all in points."""
    table = tables()["prevalence"][0]
    ax = draw("prevalence").axes[1]
    ends = [tuple(line.get_xdata()) for line in ax.lines]
    for number, row in enumerate(table.itertuples()):
        assert any(np.allclose(each, (100 * row.low, 100 * row.high)) for each in ends if len(each) == 2)
        assert any(np.allclose(each, (100 * row.measurement_low, 100 * row.measurement_high)) for each in ends if len(each) == 2)
        assert ax.patches[number].get_x() == pytest.approx(100 * row.null_low)
    hollow = {line.get_markerfacecolor() for line in ax.lines if str(line.get_gid()).startswith("row")}
    assert hollow == {"white"} and set(table["verdict"]) == {"no evidence"}
