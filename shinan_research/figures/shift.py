"""The headline figure: how often, how sure, and where."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from ..counts import count
from ..errors import FigureError
from ..messages import LANGUAGES, say
from . import marks
from .places import compared_cells, draw_places, prepare_rows
from .style import (
    COLOURS,
    MARKERS,
    WIDTHS,
    add_axes,
    add_text,
    axes_width,
    check_glyphs,
    house_style,
    new_figure,
    size_mm,
    text_width,
    width_mm,
)

FRAME = (-4.6, 4.6)
SHOWN_TICKS = (-3, -1, 0, 1, 3)
NARROW = 35
STROKE: dict[str, Any] = {
    "marker": "|",
    "markersize": 6.5,
    "markeredgewidth": 0.9,
    "color": COLOURS["ink"],
    "linestyle": "none",
    "zorder": 2,
}


class Layout(NamedTuple):
    """Measures of the composed figure in millimetres; `beside` puts the third panel right of the others, else beneath."""

    label: float
    rates: float
    counts: float
    change: float
    places: float
    row: float
    beside: bool


LAYOUTS = {
    "double": Layout(27, 38, 13, 39, 59, 7.4, True),
    "onehalf": Layout(25, 36, 13, 43, 92, 7.0, False),
    "single": Layout(24.5, 22, 10.5, 29.5, 62, 6.6, False),
}
HEAD, FOOT, KEY, GAP, SECOND = 12.0, 8.0, 5.0, 4.0, 10.5


def draw_shift(
    shift: pd.DataFrame,
    occurrences: pd.DataFrame,
    *,
    glosses: Mapping[str, str] | None = None,
    width: str = "double",
    language: str = "both",
    figure: Figure | None = None,
) -> Figure:
    """Draw declared terms: rates (a), ratio with intervals (b), and where each occurrence stands (c).

    Parameters
    ----------
    shift
        The table of :func:`~shinan_research.shifts.compare` for declared terms; families are set apart by a rule.
    occurrences
        The table of :func:`~shinan_research.occurrences.occurrences` for the same terms.
    glosses
        English glosses of terms.
    width
        single (89 mm, panels stacked), onehalf (120 mm, stacked) or double (183 mm).
    language
        zh, en or both.
    figure
        An empty figure to draw into; its size is kept.

    Raises
    ------
    FigureError
        If there is no row to draw, or a character has no glyph.
    """
    if shift.empty:
        raise FigureError("Nothing to draw: the table has no rows. Declare at least one term in data/study.toml.")
    width_mm(width)
    layout, rows = LAYOUTS[width], _rows(shift)
    with house_style():
        figure = figure or new_figure(width, _height(layout, rows))
        _compose(figure, shift, compared_cells(count(occurrences), shift), rows, layout, language, glosses or {})
        check_glyphs(figure)
    return figure


def _rows(shift: pd.DataFrame) -> dict[str, float]:
    """Return the vertical place of each term, in rows from the top; a family begins after half a row."""
    places: dict[str, float] = {}
    rank = {"declared": 0, "wide reading": 0}
    place, last = 0.0, None
    for term, family in zip(shift["term"], shift["family"], strict=True):
        group = rank.get(family, family)
        place += 0.5 if last is not None and group != last else 0.0
        places[term], last = place, group
        place += 1.0
    return places


def _body(layout: Layout, rows: dict[str, float]) -> float:
    return (max(rows.values()) + 1) * layout.row


def _height(layout: Layout, rows: dict[str, float]) -> float:
    """Return the height of the figure in millimetres."""
    panel = HEAD + _body(layout, rows) + FOOT
    return panel + KEY if layout.beside else 2 * panel - HEAD + SECOND + 1.6 * KEY


def _compose(
    figure: Figure,
    shift: pd.DataFrame,
    cells: pd.DataFrame,
    rows: dict[str, float],
    layout: Layout,
    language: str,
    glosses: Mapping[str, str],
) -> None:
    """Place the three panels, their titles, the counts and the keys."""
    body, column = _body(layout, rows), layout.label + layout.rates
    rates = add_axes(figure, layout.label, HEAD, layout.rates, body)
    change = add_axes(figure, column + layout.counts, HEAD, layout.change, body)
    left = column + layout.counts + layout.change + GAP if layout.beside else layout.label
    top = HEAD if layout.beside else HEAD + body + FOOT + SECOND
    places = add_axes(figure, left, top, layout.places, body)
    draw_rates(shift, ax=rates, rows=rows, language=language)
    draw_ratio(shift, ax=change, rows=rows, language=language)
    names = (str(shift["before"].iloc[0]), str(shift["after"].iloc[0]))
    draw_places(cells, ax=places, rows=rows, language=language, names=names)
    for panel in (HEAD,) if layout.beside else (HEAD, top):
        _labels(figure, panel, rows, layout, glosses if language != "zh" else {})
    _counts(figure, shift, rows, column + layout.counts / 2, layout, language)
    lefts = (layout.label, column + layout.counts, left if layout.beside else layout.label)
    for letter, key, x, y in zip(
        "abc", ("rates", "change", "places"), lefts, (2.2, 2.2, 2.2 if layout.beside else top - 6.4), strict=True
    ):
        marks.draw_title(figure, x, y, letter, say(f"shift.{key}", language))
    _key_groups(figure, names, layout.label + 1.2, 7.4)
    left, foot = (layout.label, 3.0) if size_mm(figure)[0] > WIDTHS["onehalf"] else (1.0, 6.2)
    stroke = [(STROKE, say("shift.key_whole", language))] if _unmatched(shift).any() else []
    marks.draw_key(figure, [*marks.verdict_key(shift["verdict"], language), *stroke], -foot, left=left + 1.2)


def _key_groups(figure: Figure, names: tuple[str, str], left: float, top: float) -> None:
    """Name the two groups beside their marks."""
    for role, name in zip(("before", "after"), names, strict=True):
        marks.put_mark(figure, left, top, **marks.group_mark(role))
        text = add_text(figure, left + 1.8, top, name, color=COLOURS[role], va="center", fontweight="bold")
        left += 1.8 + text_width(text) + 3


def _labels(figure: Figure, top: float, rows: dict[str, float], layout: Layout, glosses: Mapping[str, str]) -> None:
    """Write the terms, and beneath them their glosses, left of a panel."""
    lift = (0.19 * layout.row, 0.25 * layout.row)
    for term, place in rows.items():
        y = top + (place + 0.5) * layout.row
        marks.draw_label(figure, layout.label - 1.6, y, term, glosses.get(term, ""), room=layout.label - 2.8, lift=lift)


def draw_rates(shift: pd.DataFrame, *, ax: Axes, rows: dict[str, float] | None = None, language: str = "both") -> Axes:
    """Draw both rates of each term on one line: a dot before, a diamond after."""
    rows = rows or _rows(shift)
    prepare_rows(ax, rows)
    for number, row in enumerate(shift.to_dict("records")):
        place, ends = rows[row["term"]], [row["rate_before"], row["rate_after"]]
        ax.plot(ends, [place] * 2, color=COLOURS["faint"], linewidth=1.6, solid_capstyle="butt", zorder=1)
        for role, rate in zip(MARKERS, ends, strict=True):
            style = marks.group_mark(role) | {"markersize": 4.6, "linestyle": "none", "zorder": 3, "clip_on": False}
            marks.of_row(ax.plot([rate], [place], **style)[0], number)
    largest = float(shift[["rate_before", "rate_after"]].to_numpy().max())
    ax.set_xlim(0, largest * 1.06 if largest else 1.0)
    wide = axes_width(ax) > NARROW
    ax.set_xlabel(say("shift.rates_axis", language) if wide else marks.two_lines("shift.rates_axis", language), labelpad=1.5)
    return ax


def _unmatched(shift: pd.DataFrame) -> NDArray[np.bool_]:
    """Return for each row whether the ratio within matched chapters is another than that of the whole scope."""
    return np.asarray(shift["log2_matched"] != shift["log2_ratio"], dtype=bool)


def _counts(figure: Figure, shift: pd.DataFrame, rows: dict[str, float], centre: float, layout: Layout, language: str) -> None:
    """Write the counts of both groups in a column of their own."""
    languages = [one for one in LANGUAGES if language in (one, "both")] if layout.beside else [marks.short(language)]
    scope = f"scope.{shift['scope'].iloc[0]}"
    marks.draw_head(figure, centre, HEAD - 1.4, "\n".join(say("shift.counts", one, scope=say(scope, one)) for one in languages))
    for row in shift.to_dict("records"):
        y = HEAD + (rows[row["term"]] + 0.5) * layout.row
        add_text(figure, centre, y, f"{row['count_before']}→{row['count_after']}", ha="center", va="center", fontsize=7)


def draw_ratio(shift: pd.DataFrame, *, ax: Axes, rows: dict[str, float] | None = None, language: str = "both") -> Axes:
    """Draw the ratio of rates with its two intervals; the mark follows the verdict, never the interval.

    Where chapters are matched the ratio is that within them; a stroke then shows the ratio of the rates themselves.
    """
    rows = rows or _rows(shift)
    prepare_rows(ax, rows)
    for number, row in enumerate(shift.to_dict("records")):
        place = rows[row["term"]]
        if not row["count_before"] + row["count_after"]:
            continue  # where nothing was counted there is no ratio
        marks.draw_intervals(ax, place, row, FRAME)
        if _unmatched(shift)[number]:
            ax.plot(np.clip([row["log2_ratio"]], *FRAME), [place], **STROKE)
        mark = marks.verdict_mark(row["verdict"], markersize=4.4, zorder=3)
        marks.of_row(ax.plot(np.clip([row["log2_matched"]], *FRAME), [place], **mark)[0], number)
    marks.ratio_axis(ax, *FRAME, shown=[tick for tick in SHOWN_TICKS if abs(tick) != 1 or axes_width(ax) > NARROW])
    ax.set_xlabel(f"{shift['after'].iloc[0]} / {shift['before'].iloc[0]}", labelpad=2)
    return ax
