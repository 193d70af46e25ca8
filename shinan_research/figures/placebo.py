"""Each declared term's change among its changes in the reports of other governments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ..errors import FigureError
from ..messages import say
from .style import (
    COLOURS,
    MILLIMETRES,
    add_axes,
    add_text,
    axes_width,
    check_glyphs,
    fit_text,
    house_style,
    new_figure,
    text_width,
    width_mm,
)

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

    Each grey dot is one change of another government, the diamond the study's own; beside it, how many governments use the
    term at all, and of how many changes how many are below it.

    Parameters
    ----------
    table
        The table of :func:`~shinan_research.placebo.placebo`.
    glosses
        English glosses of terms.
    width
        single (89 mm, panels stacked), onehalf (120 mm, stacked) or double (183 mm, side by side).
    language
        zh, en or both.
    figure
        An empty figure to draw into; its size is kept.

    Raises
    ------
    FigureError
        If the table has no rows, or a character has no glyph.
    """
    if table.empty:
        raise FigureError("Nothing to draw: the table has no rows. Declare at least one term in data/study.toml.")
    terms, sets = list(dict.fromkeys(table["term"])), list(dict.fromkeys(table["against"]))
    across, panel = width_mm(width), HEAD + len(terms) * ROW + FOOT
    beside = width == "double" and len(sets) > 1
    with house_style():
        figure = figure or new_figure(width, panel * (1 if beside else len(sets)) + KEY)
        for number, against in enumerate(sets):
            left, top = (number * (across + LABEL) / 2, 0.0) if beside else (0.0, number * panel)
            label = 0.0 if beside and number else LABEL
            room = (across - LABEL) / 2 + label if beside else across
            ax = add_axes(figure, left + label, top + HEAD, room - label - NUMBERS - 2 * MARGIN, len(terms) * ROW)
            chosen = table[table["against"] == against]
            _panel(figure, ax, chosen, terms, left + room - MARGIN, top, language)
            title = f"{'ab'[number % 2]}  {say(f'placebo.against.{against}', 'zh' if language == 'both' else language)}"
            text = add_text(figure, left + max(label - 17, 0), top + 2.8, title, fontsize=8, fontweight="bold", va="center")
            fit_text(text, room - 2 * MARGIN)
            if label:
                _labels(figure, terms, top, language, glosses or {})
        _key(figure, table, language)
        check_glyphs(figure)
    return figure


def _panel(figure: Figure, ax: Axes, chosen: pd.DataFrame, terms: list[str], right: float, top: float, language: str) -> None:
    """Draw the strips of one set and, in two columns beside them, users and rank."""
    ax.axvline(0, color="#333333", linewidth=0.5, zorder=0)
    one = "zh" if language == "both" else language
    for x, key in ((right - NUMBERS + 7, "users"), (right, "below")):
        words = say(f"placebo_figure.{key}", one)
        add_text(figure, x, top + HEAD - 1.0, words, ha="right", va="bottom", fontsize=6, color="#555555")
    for place, term in enumerate(terms):
        mine = chosen[chosen["term"] == term]
        own = mine[mine["own"]].iloc[0]
        _strip(ax, mine.loc[~mine["own"], "log2_ratio"].to_numpy(dtype=float), place)
        ax.plot(np.clip([own["log2_ratio"]], -FRAME, FRAME), [place], zorder=4, clip_on=False, **MARKS[_mark(own)])
        rank = "–" if pd.isna(own["rank"]) else f"{own['rank']}/{own['of']}"
        for x, words in ((right - NUMBERS + 7, "–" if pd.isna(own["users"]) else str(own["users"])), (right, rank)):
            add_text(figure, x, top + HEAD + (place + 0.5) * ROW, words, ha="right", va="center", fontsize=6.5)
    ax.set_ylim(len(terms) - 0.5, -0.5)
    ax.set_yticks([])
    ax.spines["left"].set_visible(False)
    ax.set_xlim(-FRAME - 0.15, FRAME + 0.15)
    shown = (-4, -2, 0, 2, 4)
    ax.set_xticks(shown, [f"{'÷' if tick < 0 else '×'}{2 ** abs(tick)}" if tick else "=" for tick in shown])
    ax.set_xticks((-5, -3, -1, 1, 3, 5), minor=True)
    fit_text(ax.set_xlabel(say("ranking.axis", language), labelpad=2), axes_width(ax) + 10)


def _strip(ax: Axes, changes: np.ndarray[tuple[int], np.dtype[np.float64]], place: float) -> None:
    """Draw changes as dots on a few lanes, dealt in order of size, so that neighbours stand beside one another."""
    ordered = np.clip(np.sort(changes), -FRAME, FRAME)
    lanes = np.resize(np.argsort(np.arange(LANES) * 2 % LANES), len(ordered)) - (LANES - 1) / 2
    few = len(ordered) <= 60
    size, alpha = (2.6, 0.75) if few else (1.9, 0.45)
    if len(ordered):
        ax.plot(ordered, place + lanes * 0.5 / (LANES - 1), markersize=size, alpha=alpha, zorder=2, clip_on=False, **DOT)


def _mark(own: pd.Series[Any]) -> str:
    """Return the mark of a study's own row: it follows the verdict alone."""
    if pd.isna(own["rank"]):
        return "unranked"
    return "outside" if str(own["verdict"]).startswith("larger") else "within"


def _labels(figure: Figure, terms: list[str], top: float, language: str, glosses: Mapping[str, str]) -> None:
    """Write the terms, and beneath them their glosses, left of a panel."""
    for place, term in enumerate(terms):
        gloss = glosses.get(term, "") if language != "zh" else ""
        name = term.removesuffix(" (wide)")
        y = top + HEAD + (place + 0.5) * ROW
        rows = [(-1.3 if gloss else 0, f"{name}＋" if name != term else name, 8, COLOURS["ink"]), (1.8, gloss, 6, "#666666")]
        for lift, words, size, colour in rows if gloss else rows[:1]:
            text = add_text(figure, LABEL - 1.6, y + lift, words, ha="right", va="center", fontsize=size, color=colour)
            fit_text(text, LABEL - 3.0)


def _key(figure: Figure, table: pd.DataFrame, language: str) -> None:
    """Say what the marks mean, for those that occur; break the line where it is full."""
    across, down = (size * MILLIMETRES for size in figure.get_size_inches())
    used = {_mark(row) for _, row in table[table["own"]].iterrows()}
    entries = [(DOT | {"markersize": 3}, "dots")] if (~table["own"]).any() else []
    entries += [(style | {"markersize": 4.4}, mark) for mark, style in MARKS.items() if mark in used]
    x, y = 3.0, down - KEY + 2
    for style, key in entries:
        text = add_text(
            figure, x + 1.8, y, say(f"placebo_figure.key_{key}", language), va="center", fontsize=6.5, color="#333333"
        )
        if x > 3 and x + 1.8 + text_width(text) > across - 1:
            x, y = 3.0, y + 3.6
            text.set_position(((x + 1.8) / across, 1 - y / down))
        figure.add_artist(Line2D([x / across], [1 - y / down], **style))
        x += 1.8 + text_width(text) + 4
