"""What the authors write chapters about: the share of the body of each matched chapter, before and after."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..attention import points, short_title
from ..errors import FigureError
from ..messages import say
from .marks import bare, draw_head, draw_key, draw_label, draw_title, group_mark, of_row, short
from .style import COLOURS, add_axes, add_text, check_glyphs, fit_text, house_style, new_figure, width_mm

HEAD, ROW, GAP, FOOT, MARGIN, NUMBERS = 9.0, 4.8, 2.6, 13.0, 3.0, 9.0
SECOND_LINE = 2.0
LABELS = {"single": 38.0, "onehalf": 50.0, "double": 68.0}


def draw_attention(table: pd.DataFrame, *, width: str = "double", language: str = "both", figure: Figure | None = None) -> Figure:
    """Draw the share of the body of each matched chapter as a dumbbell, parts one beneath the other.

    Parameters
    ----------
    table
        The table of :func:`~shinan_research.attention.attention`.
    width
        single (89 mm), onehalf (120 mm) or double (183 mm).
    language
        zh, en or both. Chinese labels are the titles of the chapters, English ones the names of the strata.
    figure
        An empty figure to draw into; its size is kept.

    Raises
    ------
    FigureError
        If the table is empty, or a character has no glyph.
    """
    if table.empty:
        raise FigureError("Nothing to draw: the table of attention has no row.")
    parts = list(dict.fromkeys(table["part"]))
    rows = table.assign(row=range(len(table)), rank=[parts.index(part) for part in table["part"]])
    rows = rows.sort_values("rank", kind="stable", ignore_index=True)
    high = ROW + (SECOND_LINE if language == "both" else 0)
    places = [(number + 0.5) * high + GAP * rank for number, rank in enumerate(rows["rank"])]
    top = places[-1] + high / 2
    across, left = width_mm(width), LABELS[width]
    with house_style():
        figure = figure or new_figure(width, HEAD + top + FOOT)
        ax = add_axes(figure, left + 2, HEAD, across - left - 2 - MARGIN - NUMBERS, top)
        _axis(ax, rows, top, language)
        for place, row in zip(places, rows.to_dict("records"), strict=True):
            _row(figure, ax, row, place, left, language, whole=width == "double")
            options = {"ha": "right", "va": "center", "fontsize": 6.5}
            add_text(figure, across - MARGIN, HEAD + place, points(row["shift"]), **options)
        draw_title(figure, MARGIN, 3.4, "", say("attention.title", language), room=across - 2 * MARGIN)
        draw_head(figure, across - MARGIN, HEAD - 0.6, say("attention.change", short(language)), ha="right")
        names = [(group_mark(role), str(table[role].iloc[0])) for role in ("before", "after")]
        draw_key(figure, [*names, ({}, say("attention.none", language))], -2.6, left=MARGIN + 1.5)
        check_glyphs(figure)
    return figure


def _axis(ax: Axes, rows: pd.DataFrame, depth: float, language: str) -> None:
    """Scale the axes in per cent from zero, and in millimetres from the top."""
    ax.set_xlim(0, 108 * rows[["share_before", "share_after"]].to_numpy().max())
    ax.set_ylim(depth, 0)
    bare(ax)
    ax.axvline(0, color="#333333", linewidth=0.5, zorder=0)
    text = ax.set_xlabel(say("attention.axis", language), labelpad=2)
    fit_text(text, 60)


def _row(figure: Figure, ax: Axes, row: Mapping[Any, Any], place: float, left: float, language: str, *, whole: bool) -> None:
    """Draw one matched chapter: its label, a line, and the two marks; a side without the chapter has a cross at zero."""
    shares = {role: 100 * row[f"share_{role}"] for role in ("before", "after")}
    ax.plot(list(shares.values()), [place] * 2, color=COLOURS["faint"], linewidth=1.6, zorder=1, solid_capstyle="butt")
    for role, value in shares.items():
        absent = row[f"chapters_{role}"] == 0
        style = group_mark(role) | ({"marker": "x", "markersize": 4} if absent else {})
        of_row(ax.plot([value], [place], linestyle="none", zorder=3, clip_on=False, **style)[0], row["row"])
    title = short_title(row, whole=whole)
    words = title or say(f"part.{row['part']}", "zh")
    name = str(row["stratum"])
    main, small = {"zh": (words, ""), "en": (name, ""), "both": (words, name)}[language]
    draw_label(figure, left, HEAD + place, main, "" if small == main else small, room=left - MARGIN)
