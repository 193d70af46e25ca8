"""Which words make two groups of reports differ, and whether the total is large beside that of chance."""

from __future__ import annotations

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ..errors import FigureError
from ..messages import LANGUAGES, say
from .style import (
    COLOURS,
    MARKERS,
    MILLIMETRES,
    add_axes,
    add_text,
    axes_width,
    check_glyphs,
    fit_text,
    house_style,
    new_figure,
    width_mm,
)

HEAD, ROW, FOOT, BAND, COUNTS, MARGIN, GAP = 10.0, 3.7, 9.5, 14.0, 12.0, 3.0, 10.0
BESIDE = 0.40
ROLE = {"more before": "before", "more after": "after"}


def draw_word_shift(
    table: pd.DataFrame, *, most: int = 20, width: str = "double", language: str = "both", figure: Figure | None = None
) -> Figure:
    """Draw the words that contribute most to the divergence (a), and the divergence against its null band (b).

    Parameters
    ----------
    table
        The table of :func:`~shinan_research.word_shift.word_shift`.
    most
        How many words to draw.
    width
        single (89 mm, panels stacked), onehalf (120 mm, stacked) or double (183 mm, side by side).
    language
        zh, en or both.
    figure
        An empty figure to draw into; its size is kept.

    Raises
    ------
    FigureError
        If the two groups do not differ at all, the table has lost its attributes, or a character has no glyph.
    """
    if "null" not in table.attrs:
        raise FigureError("The table has lost its null band (attrs). Pass the table of word_shift as it was returned.")
    chosen = table[table["contribution"] > 0].head(most)
    if chosen.empty:
        raise FigureError("Nothing to draw: the two groups use every word alike, so no word contributes to a divergence.")
    across, body, beside = width_mm(width), len(chosen) * ROW, width == "double"
    wide = across * (1 - BESIDE) if beside else across
    with house_style():
        figure = figure or new_figure(width, HEAD + body + FOOT + (0 if beside else BAND + 2 * GAP))
        bars = add_axes(figure, MARGIN, HEAD, wide - COUNTS - 2 * MARGIN, body)
        _bars(bars, chosen, language)
        _counts(figure, chosen, table, wide - MARGIN, language)
        left, top = (wide + MARGIN, HEAD + body - BAND) if beside else (MARGIN, HEAD + body + FOOT + GAP)
        room = across - left - 2 * MARGIN
        _total(add_axes(figure, left, top, room, BAND), table.attrs["total"], table.attrs["null"], language)
        for letter, key, x, y in (("a", "bars", MARGIN, 2.6), ("b", "total", left, 2.6 if beside else top - 5)):
            add_text(figure, x, y, f"{letter}  {say(f'word_shift.{key}', language)}", fontsize=8, fontweight="bold", va="center")
        check_glyphs(figure)
    return figure


def _bars(ax: Axes, chosen: pd.DataFrame, language: str) -> None:
    """Draw a bar for each word, to the left if it is more frequent before, to the right if after, with its interval."""
    scale = 100 * chosen["share"].iloc[0] / chosen["contribution"].iloc[0]
    for place, row in enumerate(chosen.to_dict("records")):
        role = ROLE[row["direction"]]
        sign = -1 if role == "before" else 1
        ax.barh(place, sign * scale * row["contribution"], height=0.62, color=COLOURS[role], zorder=2)
        ends = [sign * scale * row["low"], sign * scale * row["high"]]
        ax.plot(ends, [place] * 2, color="#555555", linewidth=0.7, zorder=3, solid_capstyle="butt")
        ax.annotate(
            row["term"], (0, place), xytext=(-2.5 * sign, 0), textcoords="offset points", va="center", fontsize=7.5,
            ha="left" if sign < 0 else "right",
        )  # fmt: skip
    ax.axvline(0, color="#333333", linewidth=0.5, zorder=4)
    ax.set_ylim(len(chosen) - 0.4, -0.6)
    ax.set_yticks([])
    ax.spines["left"].set_visible(False)
    most = max(abs(end) for end in ax.get_xlim())
    ax.set_xlim(-most, most)
    ticks = [tick for tick in ax.get_xticks() if abs(tick) <= most]
    ax.set_xticks(ticks, [f"{abs(tick):g}" for tick in ticks])
    fit_text(ax.set_xlabel(say("word_shift.axis", language), labelpad=2), axes_width(ax))


def _counts(figure: Figure, chosen: pd.DataFrame, table: pd.DataFrame, right: float, language: str) -> None:
    """Name the two groups above the bars, and write the counts of each word in a column of their own."""
    across, down = (size * MILLIMETRES for size in figure.get_size_inches())
    centre = MARGIN + (right - COUNTS - MARGIN) / 2
    names = {role: str(table.attrs["settings"][role]) for role in ("before", "after")}
    for role, sign in (("before", -1), ("after", 1)):
        words = say(f"ranking.{role}", language, **names)
        x = centre + sign * 4
        figure.add_artist(
            Line2D([x / across], [1 - 7.2 / down], marker=MARKERS[role], color=COLOURS[role], markersize=4, linestyle="none")
        )
        place: dict[str, Any] = {"ha": "right" if sign < 0 else "left", "va": "center", "color": COLOURS[role], "fontsize": 7}
        fit_text(add_text(figure, x + 1.8 * sign, 7.2, words, **place), centre - MARGIN - 6)
    for place_of, row in enumerate(chosen.to_dict("records")):
        y = HEAD + (place_of + 0.6) / (len(chosen) + 0.2) * len(chosen) * ROW
        add_text(figure, right, y, f"{row['count_before']}→{row['count_after']}", ha="right", va="center", fontsize=6.5)
    one = "zh" if language == "both" else language
    add_text(figure, right, HEAD - 1.2, say("ranking.counts", one), ha="right", va="bottom", fontsize=6, color="#555555")


def _total(ax: Axes, total: float, null: dict[str, Any], language: str) -> None:
    """Draw the divergence as a mark, and the band of what random groups of the same text would give."""
    ax.barh(1, null["high"] - null["low"], left=null["low"], height=0.5, color=COLOURS["faint"])
    ax.plot([null["mean"]] * 2, [0.75, 1.25], color="#555555", linewidth=0.9)
    ax.plot([total], [0], marker="D", color=COLOURS["ink"], markersize=4.6, linestyle="none", clip_on=False)
    ax.set_ylim(1.7, -0.6)
    ax.set_yticks([])
    ax.spines["left"].set_visible(False)
    ends = (min(total, null["low"]), max(total, null["high"]))
    room = (ends[1] - ends[0]) or 0.01
    ax.set_xlim(ends[0] - 0.25 * room, ends[1] + 0.25 * room)
