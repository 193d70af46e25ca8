"""The words that changed most among those that can be tested, more before and more after, with intervals and dispersion."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from ..errors import FigureError
from ..messages import LANGUAGES, say
from . import marks
from .style import COLOURS, add_axes, add_text, axes_width, check_glyphs, fit_text, house_style, new_figure, text_width, width_mm

FAR, NEAR = 5.0, 2.0
TESTED = [verdict for verdict, mark in marks.MARK_OF.items() if mark != "untested"]
FRAMES = {"before": (-FAR, NEAR), "after": (-NEAR, FAR)}
HEADING: dict[str, Any] = {"marker": "^", "color": COLOURS["neutral"], "markersize": 3}
LABEL, HEADED, COUNTS, GAP, BURSTS, MARGIN = 17.0, 3.0, 10.0, 3.0, 10.0, 2.0
HEAD, ROW, FOOT = 10.5, 3.7, 10.0
KEY = {"double": 8.5, "onehalf": 11.5, "single": 14.5}


def draw_ranking(
    vocabulary_shift: pd.DataFrame,
    *,
    each: int = 15,
    glosses: Mapping[str, str] | None = None,
    width: str = "double",
    language: str = "both",
    figure: Figure | None = None,
) -> Figure:
    """Draw the testable words that stand out most by keyness: those more frequent before (a) and after (b).

    Parameters
    ----------
    vocabulary_shift
        The table of :func:`~shinan_research.shifts.compare` for the vocabulary.
    each
        How many words of each direction.
    glosses, width, language, figure
        As in :func:`~shinan_research.figures.draw_shift`; the panels stand side by side at double width, else stacked.

    Raises
    ------
    FigureError
        If the table has no rows, or a character has no glyph.
    """
    if vocabulary_shift.empty:
        raise FigureError("Nothing to draw: the table has no rows. Longer reports, or declared terms, are needed.")
    table = vocabulary_shift.assign(row=range(len(vocabulary_shift)))
    tested = table[table["verdict"].isin(TESTED)]
    ranked = tested.assign(size=tested["keyness"].abs()).sort_values("size", ascending=False, kind="stable")
    sides = {"before": ranked[ranked["log2_matched"] < 0].head(each), "after": ranked[ranked["log2_matched"] > 0].head(each)}
    rows = max(1, *map(len, sides.values()))
    across, panel = width_mm(width), HEAD + rows * ROW + FOOT
    beside = width == "double"
    with house_style():
        figure = figure or new_figure(width, panel * (1 if beside else 2) + KEY[width])
        for number, (role, side) in enumerate(sides.items()):
            left, top = (number * across / 2, 0.0) if beside else (0.0, number * panel)
            _panel(figure, side, role, vocabulary_shift, (left, top, across / 2 if beside else across), rows, language, glosses)
        _key(figure, tested, KEY[width], language)
        check_glyphs(figure)
    return figure


def _panel(
    figure: Figure,
    table: pd.DataFrame,
    role: str,
    whole: pd.DataFrame,
    place: tuple[float, float, float],
    rows: int,
    language: str,
    glosses: Mapping[str, str] | None,
) -> None:
    """Draw the words of one direction: labels, counts, ratio with intervals, dispersion."""
    left, top, across = place
    start = left + LABEL + HEADED + COUNTS
    ratio = add_axes(figure, start, top + HEAD, across - (start - left) - GAP - BURSTS - MARGIN, rows * ROW)
    bursts = add_axes(figure, left + across - BURSTS - MARGIN, top + HEAD, BURSTS, rows * ROW)
    names = {one: str(whole[one].iloc[0]) for one in ("before", "after")}
    marks.draw_title(figure, left + 1.5, top + 3.0, "a" if role == "before" else "b", "")
    marks.put_mark(figure, left + 6.2, top + 3.0, **marks.group_mark(role))
    marks.draw_title(figure, left + 8.2, top + 3.0, "", say(f"ranking.{role}", language, **names)).set_color(COLOURS[role])
    for ax in (ratio, bursts):
        ax.set_ylim(rows - 0.5, -0.5)
        marks.bare(ax)
    for x, key in ((start - COUNTS / 2, "counts"), (left + across - BURSTS / 2 - MARGIN, "dispersion")):
        marks.draw_head(figure, x, top + HEAD - 1.2, marks.stacked(f"ranking.{key}", language))
    for number, row in enumerate(table.to_dict("records")):
        y = top + HEAD + (number + 0.5) * ROW
        _label(figure, row, left, y, (glosses or {}).get(row["term"], "") if language != "zh" else "")
        add_text(
            figure, start - COUNTS / 2, y, f"{row['count_before']}→{row['count_after']}", ha="center", va="center", fontsize=6.5
        )
        marks.draw_intervals(ratio, number, row, FRAMES[role], thick=2.0, colour="#777777")
        mark = marks.verdict_mark(row["verdict"], zorder=3, clip_on=False)
        marks.of_row(ratio.plot(np.clip([row["log2_matched"]], *FRAMES[role]), [number], **mark)[0], row["row"])
    bursts.barh(range(len(table)), table["dispersion"] - 1, left=1, height=0.45, color="#b5b5b5")
    largest = max(2.0, float(np.ceil(whole.loc[whole["verdict"].isin(TESTED), "dispersion"].max())))
    bursts.set_xlim(1, largest * 1.02)
    bursts.set_xticks([1, int(largest)], ["1", f"{int(largest)}"])
    marks.ratio_axis(ratio, *FRAMES[role])
    axis = f"{say('ranking.axis', language)} {names['after']} / {names['before']}"
    fit_text(ratio.set_xlabel(axis, labelpad=2), axes_width(ratio) + 14)


def _label(figure: Figure, row: Mapping[Any, Any], left: float, y: float, gloss: str) -> None:
    """Write a word with its gloss, and a triangle where most of its occurrences stand in headings."""
    text = add_text(figure, left + LABEL, y, row["term"], ha="right", va="center", fontsize=7.5)
    fit_text(text, LABEL - 1.5)
    room = LABEL - 3.5 - text_width(text)
    if gloss and room > 5:
        small = add_text(figure, left + LABEL - text_width(text) - 1, y, gloss, ha="right", va="center", fontsize=5.5)
        small.set_color("#666666")
        fit_text(small, room)
    if row["heading_share"] > 0.5:
        marks.put_mark(figure, left + LABEL + HEADED / 2 + 0.2, y, **HEADING)


def _key(figure: Figure, tested: pd.DataFrame, room: float, language: str) -> None:
    """Say how many words survive correction, and what the marks mean; break the line where it is full."""
    survive = int(tested["verdict"].isin(["higher", "lower", "fragile"]).sum())
    words = {"tested": f"{len(tested):,}", "survive": survive}
    described = (tested["verdict"] == "description only").any()
    said = [
        say(f"ranking.{'described' if described else 'some' if survive else 'none'}", one, **words)
        for one in LANGUAGES
        if language in (one, "both")
    ]
    headed = (HEADING, say("ranking.key_heading", language))
    entries = [*marks.verdict_key(tested["verdict"], language), headed, *(({}, sentence) for sentence in said)]
    marks.draw_key(figure, entries, 1 - room)
