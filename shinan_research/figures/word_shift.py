"""Which words make two groups of reports differ, and whether the total is large beside that of chance."""

from __future__ import annotations

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..errors import FigureError
from ..messages import LANGUAGES, say
from . import marks
from .style import COLOURS, MARKERS, add_axes, add_text, axes_width, check_glyphs, fit_text, house_style, new_figure, width_mm

HEAD, ROW, FOOT, BAND, COUNTS, MARGIN, GAP = 10.0, 3.7, 9.5, 16.0, 12.0, 3.0, 10.0
BESIDE = 0.40
ROLE = {"more before": "before", "more after": "after"}


def draw_word_shift(
    table: pd.DataFrame, *, most: int = 20, width: str = "double", language: str = "both", figure: Figure | None = None
) -> Figure:
    """Draw the words that contribute most to the divergence (a), and the divergence against its null band (b).

    Where the band is missing, because the places of the groups are too few to deal, the divergence stands alone.

    Parameters
    ----------
    table
        The table of :func:`~shinan_research.word_shift.word_shift`.
    most
        How many words to draw.
    width, language, figure
        As in :func:`~shinan_research.figures.draw_shift`; the panels stand side by side at double width, else stacked.

    Raises
    ------
    FigureError
        If the two groups do not differ at all, the table has lost its attributes, or a character has no glyph.
    """
    if "null" not in table.attrs:
        raise FigureError("The table has lost its null band (attrs). Pass the table of word_shift as it was returned.")
    chosen = table.assign(row=range(len(table)))[table["contribution"] > 0].head(most)
    if chosen.empty:
        raise FigureError("Nothing to draw: the two groups use every word alike, so no word contributes to a divergence.")
    across, body, beside = width_mm(width), len(chosen) * ROW, width == "double"
    wide = across * (1 - BESIDE) if beside else across
    with house_style():
        figure = figure or new_figure(width, HEAD + body + FOOT + (0 if beside else BAND + 2 * GAP))
        bars = add_axes(figure, MARGIN, HEAD, wide - COUNTS - 2 * MARGIN, body)
        _bars(bars, chosen, language)
        _counts(figure, chosen, {role: str(table.attrs["settings"][role]) for role in MARKERS}, wide - MARGIN, language)
        left, top = (wide + MARGIN, HEAD) if beside else (MARGIN, HEAD + body + FOOT + GAP)
        room = across - left - 2 * MARGIN
        _total(add_axes(figure, left, top, room, BAND), table.attrs["total"], table.attrs["null"], language)
        for letter, key, x, y in (("a", "bars", MARGIN, 2.6), ("b", "total", left, 2.6 if beside else top - 5)):
            marks.draw_title(figure, x, y, letter, say(f"word_shift.{key}", language))
        check_glyphs(figure)
    return figure


def _bars(ax: Axes, chosen: pd.DataFrame, language: str) -> None:
    """Draw a bar for each word, to the left if it is more frequent before, to the right if after, with its interval."""
    scale = 100 * chosen["share"].iloc[0] / chosen["contribution"].iloc[0]
    for place, row in enumerate(chosen.to_dict("records")):
        role = ROLE[row["direction"]]
        sign = -1 if role == "before" else 1
        bar = ax.barh(place, sign * scale * row["contribution"], height=0.62, color=COLOURS[role], zorder=2)
        marks.of_row(bar.patches[0], row["row"])
        ends = [sign * scale * row["low"], sign * scale * row["high"]]
        for colour, thick in (("white", 1.6), ("#333333", 0.7)):
            ax.plot(ends, [place] * 2, color=colour, linewidth=thick, zorder=3, solid_capstyle="butt")
        ax.annotate(
            row["term"], (0, place), xytext=(-2.5 * sign, 0), textcoords="offset points", va="center", fontsize=7.5,
            ha="left" if sign < 0 else "right",
        )  # fmt: skip
    ax.axvline(0, color="#333333", linewidth=0.5, zorder=4)
    ax.set_ylim(len(chosen) - 0.4, -0.6)
    marks.bare(ax)
    most = max(abs(end) for end in ax.get_xlim())
    ax.set_xlim(-most, most)
    ticks = [tick for tick in ax.get_xticks() if abs(tick) <= most]
    ax.set_xticks(ticks, [f"{abs(tick):g}" for tick in ticks])
    fit_text(ax.set_xlabel(say("word_shift.axis", language), labelpad=2), axes_width(ax))


def _counts(figure: Figure, chosen: pd.DataFrame, names: dict[str, str], right: float, language: str) -> None:
    """Name the two groups above the bars, and write the counts of each word in a column of their own."""
    centre = MARGIN + (right - COUNTS - MARGIN) / 2
    for role, sign in (("before", -1), ("after", 1)):
        marks.put_mark(figure, centre + 4 * sign, 7.2, **marks.group_mark(role) | {"markersize": 4})
        side = "right" if sign < 0 else "left"
        text = add_text(figure, centre + 5.8 * sign, 7.2, say(f"ranking.{role}", language, **names), ha=side, va="center")
        text.set_color(COLOURS[role])
        fit_text(text, centre - MARGIN - 6)
    for number, row in enumerate(chosen.to_dict("records")):
        y = HEAD + (number + 0.6) / (len(chosen) + 0.2) * len(chosen) * ROW
        add_text(figure, right, y, f"{row['count_before']}→{row['count_after']}", ha="right", va="center", fontsize=6.5)
    marks.draw_head(figure, right, HEAD - 1.2, marks.stacked("ranking.counts", language), ha="right")


def _total(ax: Axes, total: float, null: dict[str, Any], language: str) -> None:
    """Draw the divergence as a mark, and beneath it the band of what random groups of the same text would give."""
    band = say("word_shift.no_band", language)
    low = high = total
    ax.plot([total], [1], marker="D", color=COLOURS["ink"], markersize=4.6, linestyle="none", clip_on=False)
    if "low" in null:
        units = {each: say(f"unit.{null['unit']}", each) for each in LANGUAGES}
        said = " ".join(say("word_shift.null", each, unit=units[each]) for each in LANGUAGES if language in (each, "both"))
        band = f"{said}  {null['low']:.3f}–{null['high']:.3f}"
        ax.barh(3, null["high"] - null["low"], left=null["low"], height=0.6, color=COLOURS["faint"])
        ax.plot([null["mean"]] * 2, [2.7, 3.3], color="#555555", linewidth=0.9)
        low, high = min(total, null["low"]), max(total, null["high"])
    for place, words in ((0, f"{say('word_shift.own', language)}  {total:.3f}"), (2, band)):
        fit_text(ax.text(0, place, words, transform=ax.get_yaxis_transform(), va="center", fontsize=7), axes_width(ax))
    ax.set_ylim(3.8, -0.5)
    marks.bare(ax)
    ax.set_xlim(low - 0.2 * (high - low or 0.01), high + 0.2 * (high - low or 0.01))
    ax.locator_params(axis="x", nbins=5)
    fit_text(ax.set_xlabel(say("word_shift.total_axis", language), labelpad=2), axes_width(ax))
