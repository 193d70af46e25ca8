"""The figures of attention and topics, asked through their artists: what stands where, and that nothing collides."""

from functools import cache

import pandas as pd
import pytest
from matplotlib.figure import Figure
from planted import planted_tokens
from test_figures_vocabulary import tidy, words

from shinan_research import FigureError
from shinan_research.attention import attention
from shinan_research.describe_topics import answer_topics, describe_attention, describe_choice, describe_prevalence
from shinan_research.figures.style import WIDTHS
from shinan_research.figures.topics import draw_attention, draw_choice, draw_prevalence
from shinan_research.messages import LANGUAGES
from shinan_research.prevalence import prevalence
from shinan_research.topics import Topics, fit_topics

NAMES = ("attention", "choice", "prevalence")
CASES = [("single", "zh"), ("single", "en"), ("single", "both"), ("onehalf", "en"), ("double", "zh"), ("double", "both")]
PLACE = {"zh": "甲县", "en": "Jia County"}


@cache
def model() -> Topics:
    """Return a model of planted topics with the numbers 4 to 6 examined."""
    topics = fit_topics(planted_tokens(), numbers=(4, 5, 6), runs=4, length=48, most=0.6)
    topics.stability.loc[0, ["zh", "en"]] = ["一个相当长的主题名称", "A name of a topic that is rather long"]
    return topics


@cache
def tables() -> dict[str, pd.DataFrame]:
    """Return the table that each figure draws."""
    chapters = attention(planted_tokens(chapters=6), 2010, 2011)
    return {
        "attention": chapters, "choice": model().choice, "prevalence": prevalence(model(), 2010, 2011, n_permutations=99),
    }  # fmt: skip


def draw(name: str, table: pd.DataFrame | None = None, *, width: str = "double", language: str = "both") -> Figure:
    """Draw one of the figures."""
    figures = {"attention": draw_attention, "choice": draw_choice, "prevalence": draw_prevalence}
    return figures[name](tables()[name] if table is None else table, width=width, language=language)


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
    with pytest.raises(FigureError, match=r"[Nn]othing to draw|no row|empty"):
        draw(name, tables()[name].head(0))


def test_the_marks_are_the_shares_of_the_table() -> None:
    """Each share of both groups stands as a mark in per cent, in the figure of attention and in that of prevalence."""
    for name in ("attention", "prevalence"):
        table = tables()[name]
        drawn = {round(float(x), 6) for line in draw(name).axes[0].lines for x in line.get_xdata()}
        expected = {round(100 * value, 6) for role in ("before", "after") for value in table[f"share_{role}"]}
        assert expected <= drawn, name


def test_every_topic_has_its_id_and_its_shift() -> None:
    """Each topic stands with its id, and its shift with both intervals in points."""
    table = tables()["prevalence"]
    figure = draw("prevalence")
    assert all(any(topic in text for text in words(figure)) for topic in table["topic"])
    ends = {round(float(x), 5) for ax in figure.axes for line in ax.lines for x in line.get_xdata()}
    ends |= {
        round(float(x), 5)
        for ax in figure.axes
        for each in ax.collections
        for path in each.get_paths()
        for x in path.vertices[:, 0]
    }
    for name in ("shift", "low", "high", "measurement_low", "measurement_high"):
        assert {round(100 * value, 5) for value in table[name]} <= ends, name


def test_captions_say_what_the_tables_say() -> None:
    """Captions and alternative texts hold the place, no gap and no nan, and a verdict only where there is one."""
    about = [
        describe_attention(tables()["attention"], place=PLACE), describe_choice(tables()["choice"]),
        describe_prevalence(tables()["prevalence"], place=PLACE, judges="algorithm"),
    ]  # fmt: skip
    for one in LANGUAGES:
        for text in (each[kind][one] for each in about for kind in ("caption", "alt")):
            assert len(text) > 20 and "nan" not in text and "{" not in text
        assert PLACE[one] in about[0]["caption"][one] and PLACE[one] in about[2]["caption"][one]
    moved = tables()["prevalence"].copy()
    assert "T2" not in answer_topics(moved)
    moved.loc[1, "verdict"] = "lower"
    assert "T2" in answer_topics(moved) and "T1" not in answer_topics(moved)
