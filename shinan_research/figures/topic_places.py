"""Where the topics stand: topic by matched chapter, one panel for each group."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from ..attention import chapter_names
from ..errors import FigureError
from ..messages import say
from .marks import CHAPTERS, bare, draw_key, draw_label, draw_title, of_row
from .style import COLOURS, add_axes, add_text, check_glyphs, fit_text, house_style, new_figure, width_mm

HEAD, FOOT, MARGIN, GAP, NAMES, KEY = 8.0, 6.0, 3.0, 3.0, 3.3, 3.8
ROW = {"zh": 4.4, "en": 5.2, "both": 6.4}
SHADES = LinearSegmentedColormap.from_list("shares", ["#ffffff", "#20303c"])
STEPS = (0.1, 0.3, 0.6, 1.0)


def draw_topic_places(
    table: pd.DataFrame, *, width: str = "double", language: str = "both", figure: Figure | None = None
) -> Figure:
    """Draw the share of each topic in each matched chapter as a shade, before (a) and after (b); a cross is no such chapter.

    Parameters
    ----------
    table
        The table of :func:`~shinan_research.opinions.topic_places`.
    width, language, figure
        As in :func:`~shinan_research.figures.draw_shift`.

    Raises
    ------
    FigureError
        If there is no row, or a character has no glyph.
    """
    if table.empty:
        raise FigureError("Nothing to draw: no chapter holds a topic.")
    parts = list(dict.fromkeys(table["part"]))
    numbered = table.reset_index(drop=True).assign(number=range(len(table)))
    chapters = sorted(table.drop_duplicates("stratum").to_dict("records"), key=lambda one: parts.index(one["part"]))
    strata, ids = [one["stratum"] for one in chapters], list(dict.fromkeys(table["topic"]))
    across, left, row, double = width_mm(width), CHAPTERS[width], ROW[language], width == "double"
    body, room = len(chapters) * row, (across - left - 2 - MARGIN - GAP) / 2
    lines = -(-len(ids) // (2 if double else 1))
    keys = KEY * (1 if double else 3 if language == "both" else 2)
    with house_style():
        figure = figure or new_figure(width, HEAD + body + FOOT + lines * NAMES + 4 + keys)
        for place, side in enumerate(("before", "after")):
            start, mine = left + 2 + place * (room + GAP), numbered[numbered["side"] == side]
            _panel(add_axes(figure, start, HEAD, room, body), mine, strata, ids)
            if len(mine):
                draw_title(figure, start, 3.4, "ab"[place], str(mine["group"].iloc[0]), room=room)
        for place, one in enumerate(chapters):
            title, name = chapter_names(one)
            words, gloss = (name, "") if language == "en" else (title, name if language == "both" and name != title else "")
            draw_label(figure, left, HEAD + (place + 0.5) * row, words, gloss, room=left - MARGIN)
        _names(figure, table.drop_duplicates("topic").to_dict("records"), HEAD + body + FOOT, across, lines, language)
        shades = [({"marker": "s", "color": SHADES(step), "markersize": 5}, f"{100 * step:.0f}%") for step in STEPS]
        cross = {"marker": "x", "color": COLOURS["neutral"], "markersize": 3.4}
        rest = [(cross, say("topics.absent", language)), ({}, say("topics.told", language))]
        draw_key(figure, [*shades, *rest], -1.0 - keys, left=MARGIN + 1.5)
        check_glyphs(figure)
    return figure


def _names(figure: Figure, topics: list[dict[Any, Any]], top: float, across: float, lines: int, language: str) -> None:
    """Write id, name and adjusted mutual information of the topics, in as many columns as they need."""
    wide = (across - 2 * MARGIN) / -(-len(topics) // lines)
    for number, topic in enumerate(topics):
        words = " ".join([f"{topic['topic']}  {_name(topic, language)}", f"({topic['ami']:.2f})"])
        x, y = MARGIN + number // lines * wide, top + (number % lines + 0.5) * NAMES
        fit_text(add_text(figure, x, y, words, fontsize=6.5, va="center", color="#333333"), wide - 2)


def _name(topic: Mapping[Any, Any], language: str) -> str:
    """Return the name of a topic, in both languages where these differ."""
    names = {"zh": [topic["label"]], "en": [topic["label_en"]], "both": [topic["label"], topic["label_en"]]}[language]
    return " ".join(dict.fromkeys(names))


def _panel(ax: Axes, mine: pd.DataFrame, strata: list[str], ids: list[str]) -> None:
    """Draw the cells of one group, and crosses where it has no such chapter; a keyboard stops at each leading cell."""
    edge: dict[str, Any] = {"edgecolor": "#e4e4e4", "linewidth": 0.3}
    x, y = mine["topic"].map(ids.index), mine["stratum"].map(strata.index)
    lead = set(mine.groupby("stratum", sort=False)["share"].idxmax())
    for row in sorted(lead):
        cell = Rectangle((x[row], y[row]), 1, 1, facecolor=SHADES(float(mine["share"][row])), **edge)
        ax.add_patch(of_row(cell, int(mine["number"][row])))
    rest = mine[~mine.index.isin(lead)]
    corners = [[(x[row], y[row]), (x[row] + 1, y[row]), (x[row] + 1, y[row] + 1), (x[row], y[row] + 1)] for row in rest.index]
    cells = PolyCollection(corners, facecolors=SHADES(rest["share"].to_numpy(dtype=float)), **edge)
    ax.add_collection(of_row(cells, *rest["number"]))
    cross: dict[str, Any] = {"marker": "x", "linestyle": "none", "color": COLOURS["neutral"], "markersize": 2.6}
    for place in sorted(set(range(len(strata))) - set(y)):
        ax.plot([number + 0.5 for number in range(len(ids))], [place + 0.5] * len(ids), markeredgewidth=0.5, **cross)
    ax.set_xlim(0, len(ids))
    ax.set_ylim(len(strata), 0)
    bare(ax)
    ax.spines["bottom"].set_visible(False)
    ax.set_xticks([number + 0.5 for number in range(len(ids))], [ids[0], *(name.removeprefix("T") for name in ids[1:])])
    ax.tick_params(length=0, labelsize=6)
