"""The headline figure: how often, how sure, and where."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ..counts import count
from ..errors import FigureError
from ..messages import say
from .places import compared_cells, draw_places, prepare_rows, two_lines
from .style import (
    COLOURS,
    MARKERS,
    MILLIMETRES,
    WIDTHS,
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

FRAME = 4.6
TICKS = (-4, -3, -2, -1, 0, 1, 2, 3, 4)
SHOWN_TICKS = (-3, -1, 0, 1, 3)
MARKS: dict[str, dict[str, Any]] = {
    "moved": {"marker": "o", "markerfacecolor": COLOURS["ink"]},
    "fragile": {"marker": "o", "fillstyle": "left", "markerfacecolor": COLOURS["ink"], "markerfacecoloralt": "white"},
    "none": {"marker": "o", "markerfacecolor": "white"},
    "untested": {"marker": "x", "markerfacecolor": "none"},
}
MARK_OF = {
    "higher": "moved", "lower": "moved", "fragile": "fragile", "no evidence": "none", "too rare": "untested",
    "too concentrated": "untested",
}  # fmt: skip
NARROW = 35


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
    _labels(rates, rows, language, glosses)
    if not layout.beside:
        _labels(places, rows, language, glosses)
    _counts(figure, shift, rows, column + layout.counts / 2, layout, language)
    lefts = (layout.label, column + layout.counts, left if layout.beside else layout.label)
    for letter, key, x, y in zip(
        "abc", ("rates", "change", "places"), lefts, (2.2, 2.2, 2.2 if layout.beside else top - 6.4), strict=True
    ):
        add_text(figure, x, y, f"{letter}  {say(f'shift.{key}', language)}", fontsize=8, fontweight="bold", va="center")
    _key_groups(figure, names, layout.label, 7.4)
    _key_marks(figure, shift, 1.0 if not layout.beside else layout.label, language)


def _key_groups(figure: Figure, names: tuple[str, str], left: float, top: float) -> None:
    """Name the two groups beside their marks."""
    across, down = (size * MILLIMETRES for size in figure.get_size_inches())
    x = left + 1.2
    for role, name in zip(("before", "after"), names, strict=True):
        figure.add_artist(
            Line2D([x / across], [1 - top / down], marker=MARKERS[role], color=COLOURS[role], linestyle="none", markersize=4.4)
        )
        text = add_text(figure, x + 1.8, top, name, color=COLOURS[role], va="center", fontweight="bold")
        x += 1.8 + text_width(text) + 3


def _key_marks(figure: Figure, shift: pd.DataFrame, left: float, language: str) -> None:
    """Say what filled, half-filled, hollow and crossed marks mean, for those that occur; break the line where it is full."""
    across, down = (size * MILLIMETRES for size in figure.get_size_inches())
    x, y = left + 1.2, down - (3.0 if across > WIDTHS["onehalf"] else 6.2)
    for mark in [mark for mark in MARKS if mark in {MARK_OF[verdict] for verdict in shift["verdict"]}]:
        text = add_text(figure, x + 1.8, y, say(f"shift.key_{mark}", language), va="center", fontsize=6.5, color="#333333")
        if x + 1.8 + text_width(text) > across - 1:
            x, y = left + 1.2, y + 3.6
            text.set_position(((x + 1.8) / across, 1 - y / down))
        line = Line2D(
            [x / across], [1 - y / down], color=COLOURS["ink"], linestyle="none", markersize=4, markeredgewidth=0.7, **MARKS[mark]
        )
        figure.add_artist(line)
        x += 1.8 + text_width(text) + 4


def _labels(ax: Axes, rows: dict[str, float], language: str, glosses: Mapping[str, str]) -> None:
    """Write the terms, and beneath them their glosses, left of a panel."""
    transform = ax.get_yaxis_transform()
    style: dict[str, Any] = {"transform": transform, "ha": "right", "va": "center", "clip_on": False}
    pad = -1.6 / axes_width(ax)
    room = ax.get_position().x0 * ax.figure.get_size_inches()[0] * MILLIMETRES - 2.8  # type: ignore[union-attr]
    for term, place in rows.items():
        gloss = glosses.get(term, "") if language != "zh" else ""
        name = term.removesuffix(" (wide)")
        lift = 0.19 if gloss else 0
        fit_text(ax.text(pad, place - lift, f"{name}＋" if name != term else name, fontsize=8, **style), room)
        if gloss:
            fit_text(ax.text(pad, place + 0.25, gloss, fontsize=6, color="#666666", **style), room)


def draw_rates(shift: pd.DataFrame, *, ax: Axes, rows: dict[str, float] | None = None, language: str = "both") -> Axes:
    """Draw both rates of each term on one line: a dot before, a diamond after."""
    rows = rows or _rows(shift)
    prepare_rows(ax, rows)
    for row in shift.to_dict("records"):
        place = rows[row["term"]]
        ax.plot(
            [row["rate_before"], row["rate_after"]],
            [place, place],
            color=COLOURS["faint"],
            linewidth=1.6,
            solid_capstyle="butt",
            zorder=1,
        )
        for role, rate in (("before", row["rate_before"]), ("after", row["rate_after"])):
            ax.plot(
                [rate],
                [place],
                marker=MARKERS[role],
                color=COLOURS[role],
                markersize=4.6,
                linestyle="none",
                zorder=3,
                clip_on=False,
            )
    largest = float(shift[["rate_before", "rate_after"]].to_numpy().max())
    ax.set_xlim(0, largest * 1.06 if largest else 1.0)
    wide = axes_width(ax) > NARROW
    ax.set_xlabel(say("shift.rates_axis", language) if wide else two_lines("shift.rates_axis", language), labelpad=1.5)
    return ax


def _counts(figure: Figure, shift: pd.DataFrame, rows: dict[str, float], centre: float, layout: Layout, language: str) -> None:
    """Write the counts of both groups in a column of their own."""
    one = "zh" if language == "both" else language
    head = say("shift.counts", one, scope=say(f"scope.{shift['scope'].iloc[0]}", one))
    add_text(figure, centre, HEAD - 1.4, head, ha="center", va="bottom", fontsize=6, color="#555555")
    for row in shift.to_dict("records"):
        y = HEAD + (rows[row["term"]] + 0.5) * layout.row
        add_text(figure, centre, y, f"{row['count_before']}→{row['count_after']}", ha="center", va="center", fontsize=7)


def draw_ratio(shift: pd.DataFrame, *, ax: Axes, rows: dict[str, float] | None = None, language: str = "both") -> Axes:
    """Draw the ratio of rates with its two intervals; the mark follows the verdict, never the interval."""
    rows = rows or _rows(shift)
    prepare_rows(ax, rows)
    ax.axvline(0, color="#333333", linewidth=0.5, zorder=0)
    mark: dict[str, Any] = {"color": COLOURS["ink"], "markersize": 4.4, "markeredgewidth": 0.7, "linestyle": "none", "zorder": 3}
    for row in shift.to_dict("records"):
        place = rows[row["term"]]
        _interval(ax, place, row["low"], row["high"], 0.7)
        _interval(ax, place, row["low_inner"], row["high_inner"], 2.2)
        ax.plot(np.clip([row["log2_ratio"]], -FRAME, FRAME), [place], **mark, **MARKS[MARK_OF[row["verdict"]]])
    ax.set_xlim(-FRAME - 0.15, FRAME + 0.15)
    shown = [tick for tick in SHOWN_TICKS if abs(tick) != 1 or axes_width(ax) > NARROW]
    ax.set_xticks(shown, [_ratio_label(tick) for tick in shown])
    ax.set_xticks([tick for tick in TICKS if tick not in shown], minor=True)
    ax.set_xlabel(f"{shift['after'].iloc[0]} / {shift['before'].iloc[0]}", labelpad=2)
    return ax


def _interval(ax: Axes, place: float, low: float, high: float, thickness: float) -> None:
    """Draw one interval, with an arrow where it leaves the frame."""
    ax.plot(
        np.clip([low, high], -FRAME, FRAME), [place, place], color="#666666", linewidth=thickness, solid_capstyle="butt", zorder=1
    )  # fmt: skip
    for edge, outside in ((-FRAME, low < -FRAME), (FRAME, high > FRAME)):
        if outside and thickness < 1:
            marker = "<" if edge < 0 else ">"
            ax.plot([edge], [place], marker=marker, color="#666666", markersize=2.8, linestyle="none", clip_on=False)


def _ratio_label(power: int) -> str:
    return "=" if power == 0 else f"{'÷' if power < 0 else '×'}{2 ** abs(power)}"
