"""Each term under all ways of counting, as dots on one line."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..errors import FigureError
from ..messages import say
from ..sensitivity import rows_of_units
from . import marks
from .style import COLOURS, add_axes, add_text, axes_width, check_glyphs, fit_text, house_style, new_figure, size_mm, width_mm

FRAME = (-5.0, 5.0)
OTHER = "#9a9a9a"
LABEL, LANE, SAME, MARGIN, HEAD, FOOT = 26.0, 9.0, 12.0, 2.5, 8.0, 9.5
BOTH = 8.0  # more room for scopes in both languages
KEY = {"double": 9.5, "onehalf": 13.0, "single": 16.5}
ROW, STEP = 3.7, 1.15


def draw_sensitivity(
    table: pd.DataFrame,
    *,
    glosses: Mapping[str, str] | None = None,
    width: str = "double",
    language: str = "both",
    figure: Figure | None = None,
) -> Figure:
    """Draw each term's change under every reading, unit and scope: one lane per scope, the large mark being the base.

    Marks follow the verdicts; black is the base's reading of the text, grey are the others. The small marks of a lane are in
    one row per unit, the base's in the middle. Beside each lane, under how many ways of counting the verdict is the base's.

    Parameters
    ----------
    table
        The table of :func:`~shinan_research.sensitivity.sensitivity`.
    glosses, width, language, figure
        As in :func:`~shinan_research.figures.draw_shift`.

    Raises
    ------
    FigureError
        If the table has no rows, or a character has no glyph.
    """
    if table.empty:
        raise FigureError("Nothing to draw: the table has no rows. Declare at least one term in data/study.toml.")
    table = table.assign(row=range(len(table)))
    terms, scopes = list(dict.fromkeys(table["term"])), list(dict.fromkeys(table["scope"]))
    across, body = width_mm(width), len(terms) * (len(scopes) * ROW + 1.6)
    with house_style():
        figure = figure or new_figure(width, HEAD + body + FOOT + KEY[width])
        lane = LANE + (BOTH if width == "double" and language == "both" else 0.0)
        ax = add_axes(figure, LABEL + lane, HEAD, across - LABEL - lane - SAME - 2 * MARGIN, body)
        ax.set_ylim(body, 0)
        for place, term in enumerate(terms):
            top = place * body / len(terms) + 0.8
            gloss = (glosses or {}).get(term, "") if language != "zh" else ""
            marks.draw_label(figure, LABEL - 1.6, HEAD + top + len(scopes) * ROW / 2, term, gloss, room=LABEL - 3.0)
            for number, scope in enumerate(scopes):
                mine = table[(table["term"] == term) & (table["scope"] == scope)]
                _lane(figure, ax, mine, top + (number + 0.5) * ROW, language if width == "double" else marks.short(language))
            if place:
                ax.axhline(top - 0.8, color=COLOURS["faint"], linewidth=0.4, zorder=0)
        head = marks.draw_head(figure, across - MARGIN, HEAD - 1.2, marks.stacked("sensitivity.same", language), ha="right")
        fit_text(head, SAME + 6)
        marks.bare(ax)
        marks.ratio_axis(ax, *FRAME)
        axis = f"{say('ranking.axis', language)} {table['after'].iloc[0]} / {table['before'].iloc[0]}"
        fit_text(ax.set_xlabel(axis, labelpad=2), axes_width(ax) + 20)
        _key(figure, table, KEY[width], language)
        check_glyphs(figure)
    return figure


def _lane(figure: Figure, ax: Axes, mine: pd.DataFrame, y: float, language: str) -> None:
    """Draw one term in one scope, the base last and large; write the scope and how many verdicts are the base's."""
    units = rows_of_units(list(dict.fromkeys(mine["unit"])))
    base_variant = mine["variant"].iloc[0] if len(mine) else ""
    counted = mine[mine["count_before"] + mine["count_after"] > 0]
    for row in counted.sort_values("base", kind="stable").to_dict("records"):
        own = row["variant"] == base_variant
        shift = (units.index(row["unit"]) - (len(units) - 1) / 2) * STEP
        size, order = (4.4, 5) if row["base"] else (2.3, 2 + own)
        style = {"markersize": size, "markeredgewidth": 0.6, "zorder": order, "clip_on": False}
        style = marks.verdict_mark(row["verdict"], colour=COLOURS["ink"] if own else OTHER, **style)
        x = float(np.clip(row["log2_matched"], *FRAME))
        marks.of_row(ax.plot([x], [y + shift], **style)[0], row["row"])
        if x != row["log2_matched"]:
            marks.draw_arrow(ax, x + np.sign(x) * 0.13, y, FRAME, markersize=2.6)
    across = size_mm(figure)[0]
    if len(mine):
        scope = say(f"scope.{mine['scope'].iloc[0]}", language)
        add_text(figure, LABEL + 0.5, HEAD + y, scope, va="center", fontsize=5.8, color="#666666")
        others = counted[~counted["base"]]
        kept = f"{(~others['differs'].str.contains('verdict')).sum()}/{len(others)}"
        add_text(figure, across - MARGIN, HEAD + y, kept, ha="right", va="center", fontsize=6.5)


def _key(figure: Figure, table: pd.DataFrame, room: float, language: str) -> None:
    """Say what the marks mean, for those that occur."""
    entries = marks.verdict_key(table["verdict"], language)
    entries.append((marks.verdict_mark("higher", markersize=4.8), say("sensitivity.key_base", language)))
    entries.append((marks.verdict_mark("higher", markersize=3, colour=OTHER), say("sensitivity.key_reading", language)))
    marks.draw_key(figure, entries, 2 - room)
