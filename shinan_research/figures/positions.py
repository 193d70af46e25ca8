"""Each occurrence as a tick in the running text of both reports."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from ..errors import FigureError
from ..messages import say
from . import marks
from .style import (
    COLOURS,
    MARKERS,
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

LABEL, COUNTS, MARGIN, HEAD, ROW, FOOT = 26.0, 9.0, 2.5, 14.5, 7.4, 9.0
LANES = {"before": 0.04, "after": 0.45}  # tops of the lanes within a row
DEEP = 0.37
BANDS, ANNEX = ("#f7f7f7", "#ebebeb"), "#d9d9d9"


def draw_positions(
    table: pd.DataFrame,
    *,
    glosses: Mapping[str, str] | None = None,
    width: str = "double",
    language: str = "both",
    figure: Figure | None = None,
) -> Figure:
    """Draw each occurrence as a tick from the beginning of its report to the end: above the group before, beneath after.

    Chapters are bands, the annex is the darkest. Where a group holds several reports they lie on one lane, without bands.

    Parameters
    ----------
    table
        The table of :func:`~shinan_research.context.positions`.
    glosses, width, language, figure
        As in :func:`~shinan_research.figures.draw_shift`.

    Raises
    ------
    FigureError
        If the table has no rows, or a character has no glyph.
    """
    if table.empty:
        raise FigureError("Nothing to draw: the table has no rows. Declare at least one term in data/study.toml.")
    table = table.assign(row=range(len(table)), term=table["term"].astype(str))
    terms, across = list(dict.fromkeys(table["term"])), width_mm(width)
    chapters = {side: _chapters(table[table["side"] == side]) for side in LANES}
    with house_style():
        figure = figure or new_figure(width, HEAD + len(terms) * ROW + FOOT)
        ax = add_axes(figure, LABEL, HEAD, across - LABEL - COUNTS - MARGIN, len(terms) * ROW)
        ax.set(xlim=(0, 100), ylim=(len(terms), 0))
        marks.bare(ax)
        fit_text(ax.set_xlabel(say("positions.axis", language), labelpad=2), axes_width(ax) + 20)
        _head(figure, across, chapters, table.attrs["settings"], language if width == "double" else marks.short(language))
        for place, term in enumerate(terms):
            gloss = (glosses or {}).get(term, "") if language != "zh" else ""
            marks.draw_label(figure, LABEL - 1.6, HEAD + (place + 0.45) * ROW, term, gloss, room=LABEL - 3.0)
            for side, top in LANES.items():
                mine = table[(table["term"] == term) & (table["side"] == side) & table["at"].notna()]
                _lane(ax, chapters[side], mine, place + top, COLOURS[side])
                y = HEAD + (place + top + DEEP / 2) * ROW
                add_text(figure, across - MARGIN, y, str(len(mine)), ha="right", va="center", fontsize=6, color=COLOURS[side])
        marks.draw_head(figure, across - MARGIN, HEAD - 0.8, marks.stacked("ranking.counts", language), ha="right")
        check_glyphs(figure)
    return figure


def _chapters(rows: pd.DataFrame) -> pd.DataFrame:
    """Return part and ends of each chapter of a side; nothing where it holds several reports."""
    one = rows.drop_duplicates("chapter")[["part", "chapter_from", "chapter_to"]]
    return one.sort_values("chapter_from") if rows["report"].nunique() == 1 else one.head(0)


def _lane(ax: Axes, chapters: pd.DataFrame, mine: pd.DataFrame, top: float, colour: str) -> None:
    """Draw the chapters of one side as bands, and the occurrences of one term as ticks."""
    _bands(ax, chapters, top, DEEP)
    if len(mine):
        ticks = ax.vlines(mine["at"], top, top + DEEP, color=colour, linewidth=0.7, zorder=3)
        marks.of_row(ticks, *mine["row"])


def _bands(ax: Axes, chapters: pd.DataFrame, top: float, deep: float) -> None:
    """Draw chapters as bands of two greys by turns, the annex darker; without chapters one band for the whole."""
    ends = zip(chapters["chapter_from"].tolist(), chapters["chapter_to"].tolist(), chapters["part"].astype(str), strict=True)
    spans = list(ends) or [(0.0, 100.0, "")]
    for number, (left, right, part) in enumerate(spans):
        face = ANNEX if part == "annex" else BANDS[number % 2]
        ax.add_patch(Rectangle((left, top), right - left, deep, facecolor=face, edgecolor="none", zorder=0))


def _head(figure: Figure, across: float, chapters: Mapping[str, pd.DataFrame], names: Mapping[str, str], language: str) -> None:
    """Draw above the rows one empty lane of either side, with the name of the side left of it and those of the parts in it."""
    room, deep = across - LABEL - COUNTS - MARGIN, 3.6
    for number, side in enumerate(LANES):
        top = 2.0 + 4.4 * number
        ax = add_axes(figure, LABEL, top, room, deep)
        ax.set(xlim=(0, 100), ylim=(1, 0), xticks=[], yticks=[])
        ax.axis("off")
        _bands(ax, chapters[side], 0, 1)
        y = top + deep / 2
        marks.put_mark(figure, LABEL - 3.0, y, marker=MARKERS[side], color=COLOURS[side], markersize=4)
        name = add_text(
            figure, LABEL - 5.2, y, str(names[side]), ha="right", va="center", fontsize=7, fontweight="bold", color=COLOURS[side]
        )
        fit_text(name, LABEL - 6.5)
        for part, rows in chapters[side].groupby("part", sort=False, observed=True):
            left, right = rows["chapter_from"].min(), rows["chapter_to"].max()
            words = add_text(
                figure, LABEL + (left + right) / 200 * room, y, say(f"part.{part}", language), ha="center", va="center",
                fontsize=6, color="#555555",
            )  # fmt: skip
            if text_width(words) > (right - left) / 100 * room - 0.6:
                words.remove()
