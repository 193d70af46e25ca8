"""The figures of attention and topics, asked through their artists: what stands where, and that nothing collides."""

from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from planted import planted_tokens
from test_figures_vocabulary import tidy, words

from shinan_research import FigureError
from shinan_research.attention import attention
from shinan_research.describe_topics import (
    answer_attention,
    answer_opinions,
    answer_topics,
    describe_attention,
    describe_choice,
    describe_prevalence,
    describe_topic_places,
    describe_topic_trend,
    describe_topic_words,
)
from shinan_research.figures.series import draw_topic_trend
from shinan_research.figures.style import COLOURS, WIDTHS
from shinan_research.figures.topic_places import draw_topic_places
from shinan_research.figures.topic_words import draw_topic_words
from shinan_research.figures.topics import draw_attention, draw_choice, draw_prevalence
from shinan_research.messages import LANGUAGES, say
from shinan_research.opinions import second_opinion, topic_places
from shinan_research.prevalence import prevalence, topic_trend
from shinan_research.topics import Topics, fit_topics

NAMES = ("attention", "choice", "prevalence", "words", "places", "trend")
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
    places = topic_places(model(), 2010, 2011)
    without = places[(places["stratum"] != places["stratum"].iloc[0]) | (places["side"] == "before")].reset_index(drop=True)
    without.attrs = places.attrs
    return {
        "attention": chapters, "choice": model().choice, "prevalence": prevalence(model(), 2010, 2011, n_permutations=99),
        "words": model().tables()[""], "places": without, "trend": topic_trend(model()),
    }  # fmt: skip


def draw(name: str, table: pd.DataFrame | None = None, *, width: str = "double", language: str = "both") -> Figure:
    """Draw one of the figures."""
    figures = {"attention": draw_attention, "choice": draw_choice, "prevalence": draw_prevalence, "places": draw_topic_places}
    figures["trend"] = draw_topic_trend
    shown = tables()[name] if table is None else table
    if name == "words":
        return draw_topic_words(shown, model().stability, width=width, language=language)
    return figures[name](shown, width=width, language=language)


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
    with pytest.raises(FigureError, match=r"[Nn]othing to draw|no row|empty|0 groups"):
        draw(name, tables()[name].head(0))


def test_the_marks_are_the_shares_of_the_table() -> None:
    """Each share of both groups stands as a mark in per cent, in the figure of attention and in that of prevalence."""
    for name in ("attention", "prevalence"):
        table = tables()[name]
        drawn = {round(float(x), 6) for line in draw(name).axes[0].lines for x in line.get_xdata()}
        expected = {round(100 * value, 6) for role in ("before", "after") for value in table[f"share_{role}"]}
        assert expected <= drawn, name


def test_a_long_name_is_broken_and_the_lines_are_told() -> None:
    """At 89 mm a long English name stands in two lines, whole; the key says what thick, thin and pale mean."""
    texts = words(draw("prevalence", width="single", language="en"))
    assert "A name of a topic that is rather long" in " ".join(texts).replace("T1  ", "").replace("\n", " ")
    assert {"as a measurement", "if written again", "dealt at random"} <= set(texts)


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
        describe_prevalence(tables()["prevalence"], place=PLACE),
    ]  # fmt: skip
    for one in LANGUAGES:
        for text in (each[kind][one] for each in about for kind in ("caption", "alt")):
            assert len(text) > 20 and "nan" not in text and "{" not in text
        assert PLACE[one] in about[0]["caption"][one] and PLACE[one] in about[2]["caption"][one]
    moved = tables()["prevalence"].copy()
    assert "T2" not in answer_topics(moved)
    few = moved.assign(unit="report", clusters_before=2, clusters_after=2, verdict="description only")
    few[["p", "p_adjusted"]] = np.nan
    assert "(2 and 2) the shifts are described only" in answer_topics(few)
    for one, tested in (("en", "permutation"), ("zh", "置换")):
        caption = describe_prevalence(few, place=PLACE)["caption"][one]
        assert tested not in caption and tested in about[2]["caption"][one] and "nan" not in caption
        assert say("describe.prevalence.square", one) in caption and say("describe.prevalence.hollow", one) not in caption
    assert "（2与2）" in answer_topics(few, "zh") and "no evidence that any topic" in answer_topics(moved)
    moved.loc[1, "verdict"] = "lower"
    assert "T2" in answer_topics(moved) and "T1" not in answer_topics(moved)
    for one in LANGUAGES:
        weak = describe_topic_words(model(), place=PLACE)["caption"][one]
        assert model().stability[one][0] in describe_topic_words(model(), place=PLACE)["alt"][one] and PLACE[one] in weak
        said = describe_topic_places(tables()["places"], place=PLACE)
        assert PLACE[one] in said["caption"][one] and f"{tables()['places'].attrs['settings']['ami']:.2f}" in said["caption"][one]


def test_a_caption_tells_of_a_second_reading_and_of_a_number_that_passed_nothing() -> None:
    """How many names a second reading bears out is counted, and where no number of topics passed, the words say so too."""
    topics = model()
    seen = replace(topics, stability=topics.stability.assign(same=["yes", *["partly"] * (len(topics.ids) - 1)]))
    told = describe_topic_words(seen, place=PLACE)["caption"]["en"]
    assert f"a second reading (algorithm) gave 1 the same meaning and {len(topics.ids) - 1} in part" in told
    failed = topics.choice.assign(steady=False)
    failed.attrs = topics.choice.attrs
    told = describe_topic_words(replace(seen, choice=failed), place=PLACE)["caption"]["en"]
    assert "No number of topics passed the rule" in told
    kept = topics.choice.assign(supported=True, steady=True, coherent=True)
    kept.attrs = topics.choice.attrs
    told = describe_topic_words(replace(topics, choice=kept), place=PLACE)["caption"]["en"]
    assert "second reading" not in told and "passed the rule" not in told


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_chapter_is_named_by_the_title_of_its_own_report(language: str) -> None:
    """In Chinese the leading topic of a chapter is told with the title that the report in question gives it."""
    places = tables()["places"].copy()
    places.attrs = tables()["places"].attrs
    places["titles_before"], places["titles_after"] = "一、旧题，其余", "二、新题，其余"
    said = describe_topic_places(places, place=PLACE)["alt"][language]
    assert ("旧题（2010年）" in said and "新题（2011年）" in said) == (language == "zh")


def test_words_are_bars_of_their_probability() -> None:
    """Each topic has a panel with its ten likeliest words, bars as long as their probability and dots at its own part."""
    figure, topics = draw("words"), model()
    scale = topics.words["probability"].max()
    for ax, topic in zip(figure.axes, topics.ids, strict=True):
        mine = topics.words[topics.words["topic"] == topic].head(10)
        np.testing.assert_allclose([patch.get_width() for patch in ax.patches], mine["probability"] / scale)
        dots = [line.get_xdata()[0] for line in ax.lines if line.get_marker() == "o"]
        np.testing.assert_allclose(dots, mine["exclusive"])
        assert any(text.startswith(f"{topic}  ") for text in words(figure)) and set(mine["term"]) <= set(words(figure))


def test_places_shade_each_cell_by_its_share() -> None:
    """The darker a cell the larger the share, each cell stands for its row, and a chapter that is absent has crosses."""
    table = tables()["places"]
    before, after = draw("places").axes
    strata = list(dict.fromkeys(table["stratum"]))
    for ax, side in ((before, "before"), (after, "after")):
        mine = table[table["side"] == side]
        cells = ax.collections[0]
        drawn = {
            int(row): (1 - shade[0], int(path.vertices[:, 1].min()))
            for row, shade, path in zip(cells.get_gid().split(".")[2:], cells.get_facecolor(), cells.get_paths(), strict=True)
        }
        lead = {int(patch.get_gid().split(".")[2]): (1 - patch.get_facecolor()[0], int(patch.get_y())) for patch in ax.patches}
        assert len(lead) == mine["stratum"].nunique() and sorted(drawn | lead) == mine.index.tolist()
        darkness = [(drawn | lead)[row][0] for row in mine.sort_values("share", kind="stable").index]
        assert (np.diff(darkness) >= 0).all() and darkness[-1] > 0.5
        assert [strata[(drawn | lead)[row][1]] for row in mine.index] == mine["stratum"].tolist()
    assert len(after.lines) == 1 and not before.lines


def test_who_matched_the_chapters_is_said_or_that_nobody_is_on_record() -> None:
    """A table of chapters with judges names them; one without says so and names nobody."""
    table = attention(planted_tokens(chapters=6), 2010, 2011)
    for judges, said in (([], "who judged is not on record"), (["person"], "judged by person."), (["张三"], "judged by 张三.")):
        table.attrs["settings"] |= {"matched_by": "strata", "strata_judges": judges}
        assert said in describe_attention(table, place=PLACE)["caption"]["en"]
    assert "由张三判定。" in describe_attention(table, place=PLACE)["caption"]["zh"]


def test_sentences_on_attention_and_on_other_models() -> None:
    """The largest change and what one report alone has are named; each model's correlations are given from low to high."""
    table = attention(planted_tokens(chapters=6), 2010, 2011)
    table.loc[2, ["share_before", "share_after", "shift", "chapters_after"]] = [0.3, 0.0, -0.3, 0]
    table.loc[3, ["share_before", "share_after", "shift"]] = [0.2, 0.1, -0.1]
    said = answer_attention(table)
    assert f"“{table.loc[3, 'stratum']}” from 20.0 % to 10.0 %" in said and "30.0 %" not in said and "only 2010 has" in said
    assert "6 chapters of 2010, 5 have no counterpart" in answer_attention(table.assign(chapters_after=[0, 0, 0, 1, 0, 0]))
    assert "Of the chapters that both have" not in answer_attention(table.assign(chapters_after=0))
    assert "只有2010年才有的章" in answer_attention(table, "zh") and "2011年的报告才有的章" not in answer_attention(table, "zh")
    other = second_opinion(model())
    nmf = other[other["model"] == "nmf"]["correlation"]
    assert f"{nmf.min():.2f} to {nmf.max():.2f} (median {nmf.median():.2f})" in answer_opinions(other)
    assert "not borne out" not in answer_opinions(other)
    other.loc[0, "correlation"] = 0.1
    assert "T1" in answer_opinions(other) and "T2" not in answer_opinions(other, "zh")


def test_the_choice_is_marked_and_shuffled_text_is_drawn() -> None:
    """In each panel the chosen number alone is in colour, what fails the rule is hollow, and the nulls are those of the table."""
    table = model().choice.assign(halves=0.95, weakest_support=[0.9, 0.2, 0.9], chosen=[True, False, False])
    figure = draw("choice", table)
    for ax, columns in zip(figure.axes, (2, 1, 1), strict=True):
        coloured = [line.get_xdata()[0] for line in ax.lines if line.get_markerfacecolor() == COLOURS["after"]]
        assert coloured == [table["topics"].iloc[0]] * columns
    hollow = [line for line in figure.axes[0].lines if line.get_markerfacecolor() == "white"]
    assert [(line.get_xdata()[0], line.get_ydata()[0]) for line in hollow] == [(table["topics"].iloc[1], 0.2)]
    heights = [tuple(line.get_ydata()) for ax in figure.axes for line in ax.lines]
    for name in ("agreement", "coherence"):
        assert tuple(table[f"{name}_tokens"]) in heights or table[f"{name}_tokens"].isna().any()


def test_the_trend_has_a_panel_for_each_topic_with_its_shares() -> None:
    """Each topic has its panel, with a mark for the share of each year in per cent; the caption has place, years and judge."""
    table = tables()["trend"]
    figure = draw("trend")
    assert len(figure.axes) == table["topic"].nunique()
    for ax, (_, mine) in zip(figure.axes, table.groupby("topic", sort=False), strict=True):
        drawn = [line for line in ax.lines if list(line.get_xdata()) == mine["year"].tolist()]
        np.testing.assert_allclose(drawn[-1].get_ydata(), 100 * mine["share"])
    said = describe_topic_trend(table, place=PLACE)
    for one in LANGUAGES:
        assert PLACE[one] in said["caption"][one] and "2010" in said["caption"][one] and "nan" not in said["alt"][one]
    share = table[(table["topic"] == "T1") & (table["year"] == 2011)]["share"].iloc[0]
    assert f"to {100 * share:.1f} %" in said["alt"]["en"]
