"""The topics one by one: their likeliest words, how likely, and how much the topic's own."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..errors import FigureError
from ..messages import say
from .marks import bare, draw_key, of_row, short
from .style import COLOURS, add_axes, add_text, check_glyphs, fit_text, house_style, new_figure, width_mm

COLUMNS = {"single": 2, "onehalf": 3, "double": 5}
HEAD, ROW, GAP, FOOT, MARGIN, WORD = 2.5, 3.3, 3.0, 9.5, 3.0, 15.0
KEY_LINE = 3.6
NAME = {"both": 10.0, "zh": 7.4, "en": 7.4}


def draw_topic_words(
    words: pd.DataFrame,
    topics: pd.DataFrame,
    *,
    most: int = 10,
    width: str = "double",
    language: str = "both",
    figure: Figure | None = None,
) -> Figure:
    """Draw a panel for each topic: its likeliest words, a bar for the probability, a dot for the part of the word it has.

    Parameters
    ----------
    words, topics
        The first table of `Topics.tables()`, and `Topics.stability`.
    most
        Words per topic.
    width
        single (89 mm, two columns), onehalf (120 mm, three) or double (183 mm, five).
    language
        zh, en or both; the words stay as they are.
    figure
        An empty figure to draw into; its size is kept.

    Raises
    ------
    FigureError
        If there is no topic, or a character has no glyph.
    """
    if topics.empty or words.empty:
        raise FigureError("Nothing to draw: the tables hold no topic.")
    columns = min(COLUMNS[width], len(topics))
    lines, across = ceil(len(topics) / columns), width_mm(width)
    panel, body, head = (across - MARGIN) / columns, most * ROW, NAME[language]
    scale = float(words.loc[words["rank"] <= most, "probability"].max())
    numbered = words.assign(row=range(len(words)))
    with house_style():
        foot = FOOT + (KEY_LINE if language == "both" and width != "double" else 0)
        figure = figure or new_figure(width, HEAD + lines * (head + body + GAP) + foot)
        for number, topic in enumerate(topics.to_dict("records")):
            left, top = MARGIN + number % columns * panel, HEAD + number // columns * (head + body + GAP)
            _name(figure, topic, left, top, panel - 1, language)
            mine = numbered[(numbered["topic"] == topic["topic"]) & (numbered["rank"] <= most)]
            ax = add_axes(figure, left + WORD, top + head, panel - WORD - MARGIN - 1, body)
            _bars(ax, mine, scale, most)
            for place, term in enumerate(mine["term"]):
                y = top + head + (place + 0.5) * ROW
                fit_text(add_text(figure, left + WORD - 1, y, str(term), ha="right", va="center", fontsize=6.8), WORD - 1)
        bar = {"marker": "s", "color": COLOURS["faint"], "markersize": 5}
        dot = {"marker": "o", "color": COLOURS["ink"], "markersize": 3}
        scaled = say("topics.bar", language, percent=f"{100 * scale:.1f}")
        key: list[tuple[dict[str, object], str]] = [(bar, scaled), (dot, say("topics.dot", language))]
        key += [({}, say("topics.heads", language))] if language == "both" else []
        draw_key(figure, key, 3.1 - foot, left=MARGIN + 1.5)
        check_glyphs(figure)
    return figure


def _name(figure: Figure, topic: Mapping[Any, Any], left: float, top: float, room: float, language: str) -> None:
    """Write id and name of a topic, and beneath it share and support, a weak one said to be so."""
    own = "zh" if language == "both" else language
    head = add_text(figure, left, top + 2, f"{topic['topic']}  {topic[own]}", fontsize=7, fontweight="bold", va="center")
    fit_text(head, room)
    if language == "both" and topic["en"] != topic["zh"]:
        fit_text(add_text(figure, left, top + 5, str(topic["en"]), fontsize=6, color="#666666", va="center"), room)
    values = {"share": f"{100 * topic['share']:.0f}", "support": f"{topic['support']:.2f}"}
    said = say("topics.weak" if topic["weak"] else "topics.firm", short(language), **values)
    fit_text(add_text(figure, left, top + NAME[language] - 2.1, said, fontsize=6, color="#333333", va="center"), room)


def _bars(ax: Axes, mine: pd.DataFrame, scale: float, most: int) -> None:
    """Draw a bar for each word's probability and a dot for the part of the word that is the topic's own."""
    for place, row in enumerate(mine.to_dict("records")):
        bar = ax.barh(place + 0.5, row["probability"] / scale, height=0.72, color=COLOURS["faint"], zorder=1)
        of_row(bar.patches[0], row["row"])
        ax.plot([row["exclusive"]], [place + 0.5], marker="o", color=COLOURS["ink"], markersize=2.2, zorder=2, clip_on=False)
    ax.set_xlim(0, 1)
    ax.set_ylim(most, 0)
    bare(ax)
    ax.axvline(0, color="#333333", linewidth=0.5)
    ax.set_xticks([0, 0.5, 1], ["0", "", "1"])
    ax.tick_params(labelsize=5.5, length=1.6, pad=1)
