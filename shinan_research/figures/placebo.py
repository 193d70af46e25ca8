"""Each declared term's change among its changes in the reports of other governments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..errors import FigureError
from ..messages import say
from ..placebo import OWN_YEARS
from .marks import bare, draw_head, draw_key, draw_label, draw_title, of_row, ratio_axis, short, stacked
from .style import COLOURS, add_axes, add_text, axes_width, check_glyphs, fit_text, house_style, new_figure, width_mm

FRAME = 5.0
LANES = 5
DOT: dict[str, Any] = {"marker": "o", "color": "#8a8a8a", "markeredgewidth": 0, "linestyle": "none"}
OWN: dict[str, Any] = {"color": COLOURS["after"], "markersize": 5.4, "markeredgewidth": 0.9, "linestyle": "none"}
MARKS: dict[str, dict[str, Any]] = {
    "outside": OWN | {"marker": "D", "markerfacecolor": COLOURS["after"]},
    "within": OWN | {"marker": "D", "markerfacecolor": "white"},
    "unranked": OWN | {"marker": "x"},
}
LABEL, NUMBERS, MARGIN, HEAD, ROW, FOOT, KEY = 26.0, 20.0, 2.0, 11.0, 7.0, 9.5, 8.5


def draw_placebo(
    table: pd.DataFrame,
    *,
    glosses: Mapping[str, str] | None = None,
    width: str = "double",
    language: str = "both",
    figure: Figure | None = None,
) -> Figure:
    """Draw where each term's change stands among other governments': in the same years (a), between any two years (b).

    Where the table has them, the place's own other years follow (c). Each grey dot is one change that the study's own, the
    diamond, is ranked among; beside it, how many governments use the term at all, and of how many changes how many are
    below it.

    Parameters
    ----------
    table
        The table of :func:`~shinan_research.placebo.placebo`.
    glosses, width, language, figure
        As in :func:`~shinan_research.figures.draw_shift`; the panels stand side by side at double width, the third
        beneath, else stacked.

    Raises
    ------
    FigureError
        If the table has no rows, or a character has no glyph.
    """
    if table.empty:
        raise FigureError("Nothing to draw: the table has no rows. Declare at least one term in data/study.toml.")
    table = table.assign(row=range(len(table)))
    terms, sets = list(dict.fromkeys(table["term"])), list(dict.fromkeys(table["against"]))
    across, panel = width_mm(width), HEAD + len(terms) * ROW + FOOT
    beside = width == "double" and len(sets) > 1
    columns = 2 if beside else 1
    with house_style():
        figure = figure or new_figure(width, panel * -(-len(sets) // columns) + KEY)
        for number, against in enumerate(sets):
            left, top = (number % columns) * (across + LABEL) / 2, (number // columns) * panel
            label = 0.0 if number % columns else LABEL
            room = (across - LABEL) / 2 + label if beside else across
            ax = add_axes(figure, left + label, top + HEAD, room - label - NUMBERS - 2 * MARGIN, len(terms) * ROW)
            chosen = table[table["against"] == against]
            _panel(figure, ax, chosen, terms, left + room - MARGIN, top, language)
            title = say(f"placebo.against.{against}", language if width == "double" else short(language))
            draw_title(figure, left + max(label - 17, 0), top + 2.8, "abc"[number], title, room=room - 2 * MARGIN)
            for place, term in enumerate(terms if label else ()):
                gloss = (glosses or {}).get(term, "") if language != "zh" else ""
                draw_label(figure, LABEL - 1.6, top + HEAD + (place + 0.5) * ROW, term, gloss, room=LABEL - 3.0)
        _key(figure, table, language)
        check_glyphs(figure)
    return figure


def _panel(figure: Figure, ax: Axes, chosen: pd.DataFrame, terms: list[str], right: float, top: float, language: str) -> None:
    """Draw the strips of one set and, in two columns beside them, users and rank."""
    for x, key in ((right - NUMBERS + 7, "users"), (right, "below")):
        draw_head(figure, x, top + HEAD - 1.0, stacked(f"placebo_figure.{key}", language), ha="right")
    for place, term in enumerate(terms):
        mine = chosen[chosen["term"] == term]
        own = mine[mine["own"]].iloc[0]
        used = (mine["count_before"] + mine["count_after"] > 0) | (mine["against"] == OWN_YEARS)
        _strip(ax, mine[~mine["own"] & used], place)
        x = np.clip([own["log2_ratio"]], -FRAME, FRAME)
        of_row(ax.plot(x, [place], zorder=4, clip_on=False, **MARKS[_mark(own)])[0], own["row"])
        rank = "–" if pd.isna(own["rank"]) else f"{own['rank']}/{own['of']}"
        for x, words in ((right - NUMBERS + 7, "–" if pd.isna(own["users"]) else str(own["users"])), (right, rank)):
            add_text(figure, x, top + HEAD + (place + 0.5) * ROW, words, ha="right", va="center", fontsize=6.5)
    ax.set_ylim(len(terms) - 0.5, -0.5)
    bare(ax)
    ratio_axis(ax, -FRAME, FRAME)
    fit_text(ax.set_xlabel(say("ranking.axis", language), labelpad=2), axes_width(ax) + 10)


def _strip(ax: Axes, others: pd.DataFrame, place: float) -> None:
    """Draw changes as dots on a few lanes, dealt in order of size, so that neighbours stand beside one another."""
    others = others.sort_values(["log2_ratio", "row"])
    ordered = others["log2_ratio"].to_numpy(dtype=float).clip(-FRAME, FRAME)
    lanes = np.resize(np.argsort(np.arange(LANES) * 2 % LANES), len(ordered)) - (LANES - 1) / 2
    few = len(ordered) <= 60
    size, alpha = (2.6, 0.75) if few else (1.9, 0.45)
    if len(ordered):
        heights = place + lanes * 0.5 / (LANES - 1)
        dots = ax.plot(ordered, heights, markersize=size, alpha=alpha, zorder=2, clip_on=False, **DOT)[0]
        of_row(dots, *others["row"])


def _mark(own: pd.Series[Any]) -> str:
    """Return the mark of a study's own row: it follows the verdict alone."""
    verdict = str(own["verdict"])
    return "outside" if verdict.startswith("larger") else "within" if verdict.startswith("within") else "unranked"


def _key(figure: Figure, table: pd.DataFrame, language: str) -> None:
    """Say what the marks mean, for those that occur."""
    used = {_mark(row) for _, row in table[table["own"]].iterrows()}
    marks = [(DOT | {"markersize": 3}, "dots")] if (~table["own"]).any() else []
    marks += [(style | {"markersize": 4.4}, mark) for mark, style in MARKS.items() if mark in used]
    entries = [(style, say(f"placebo_figure.key_{key}", language)) for style, key in marks]
    draw_key(figure, entries, 2 - KEY)
