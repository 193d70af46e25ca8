"""The shares of topics before and after, and the shift with both intervals and the band of chance."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..errors import FigureError
from ..messages import LANGUAGES, say
from .marks import bare, draw_key, draw_label, draw_title, group_mark, of_row, short, verdict_mark
from .style import COLOURS, add_axes, check_glyphs, fit_text, house_style, new_figure, width_mm

HEAD, ROW, FOOT, MARGIN, LINE = 8.0, 6.4, 9.0, 3.0, 3.8
LABELS = {"single": 30.0, "onehalf": 40.0, "double": 56.0}
SHARES = 0.38


def draw_prevalence(
    table: pd.DataFrame, *, width: str = "double", language: str = "both", figure: Figure | None = None
) -> Figure:
    """Draw the share of each topic in both groups (a) and its shift (b).

    The thick bar is the measurement, the thin line the generative interval, the grey band what dealing the clusters to the
    groups at random gives.

    Parameters
    ----------
    table
        The table of :func:`~shinan_research.prevalence.prevalence`.
    width
        single (89 mm), onehalf (120 mm) or double (183 mm).
    language
        zh, en or both.
    figure
        An empty figure to draw into; its size is kept.

    Raises
    ------
    FigureError
        If the table is empty, or a character has no glyph.
    """
    if table.empty:
        raise FigureError("Nothing to draw: the table holds no topic.")
    across, left, body = width_mm(width), LABELS[width], len(table) * ROW
    room = across - left - 2 * MARGIN - 4
    foot = FOOT + LINE * (2 if width == "double" else 4)
    with house_style():
        figure = figure or new_figure(width, HEAD + body + foot)
        shares = add_axes(figure, left + 2, HEAD, room * SHARES, body)
        shifts = add_axes(figure, left + 6 + room * SHARES, HEAD, room * (1 - SHARES), body)
        for place, row in enumerate(table.to_dict("records")):
            name = row["label"] if language != "en" else row["label_en"]
            small = row["label_en"] if language == "both" and row["label_en"] != row["label"] else ""
            draw_label(figure, left, HEAD + (place + 0.5) * ROW, f"{row['topic']}  {name}", small, room=left - MARGIN)
            _shares(shares, row, place)
            _shift(shifts, row, place)
        _axes(shares, shifts, table, language)
        for letter, key, ax in (("a", "shares", shares), ("b", "shift", shifts)):
            box = ax.get_position()
            draw_title(figure, box.x0 * across, 3.4, letter, say(f"prevalence.{key}", language), room=box.width * across + 1)
        entries = _key(table, language, language if width == "double" else short(language))
        draw_key(figure, entries, -foot + FOOT + 1.5, left=MARGIN + 1.5)
        check_glyphs(figure)
    return figure


def _key(table: pd.DataFrame, language: str, concise: str) -> list[tuple[dict[str, Any], str]]:
    """Return the entries of the key."""
    groups = [(group_mark(role), str(table[role].iloc[0])) for role in ("before", "after")]
    line = {"color": "#666666", "marker": "_", "markersize": 7}
    level = f"{100 * table['level'].iloc[0]:g}"
    chosen = [one for one in LANGUAGES if concise in (one, "both")]
    units = {one: say(f"prevalence.unit.{table['unit'].iloc[0]}", one) for one in chosen}
    generative = " ".join(say("prevalence.generative", one, level=level, unit=units[one]) for one in chosen)
    return [
        *groups,
        (line | {"markeredgewidth": 3.0}, say("prevalence.measurement", language, level=level)),
        (line | {"markeredgewidth": 0.8}, generative),
        ({"marker": "s", "color": "#e4e4e4", "markersize": 6}, say("prevalence.null", language)),
        (verdict_mark("no evidence"), say("shift.key_none", language)),
        *([(verdict_mark("higher"), say("shift.key_moved", language))] if set(table["verdict"]) != {"no evidence"} else []),
    ]


def _shares(ax: Axes, row: dict[Any, Any], place: int) -> None:
    """Draw the shares of one topic."""
    values = [100 * row["share_before"], 100 * row["share_after"]]
    ax.plot(values, [place] * 2, color=COLOURS["faint"], linewidth=1.6, zorder=1)
    for role, value in zip(("before", "after"), values, strict=True):
        of_row(ax.plot([value], [place], linestyle="none", zorder=3, **group_mark(role))[0], place)


def _shift(ax: Axes, row: dict[Any, Any], place: int) -> None:
    """Draw band, intervals and mark of one topic's shift, in points."""
    value = {name: 100 * row[name] for name in ("shift", "low", "high", "measurement_low", "measurement_high")}
    if np.isfinite(row["null_low"]):
        ax.barh(
            place, 100 * (row["null_high"] - row["null_low"]), left=100 * row["null_low"], height=0.76, color="#e4e4e4", zorder=0
        )
    ax.plot([value["low"], value["high"]], [place] * 2, color="#666666", linewidth=0.8, zorder=1, solid_capstyle="butt")
    known = [value["measurement_low"], value["measurement_high"]]
    ax.plot(known, [place] * 2, color="#666666", linewidth=3.0, zorder=2, solid_capstyle="butt")
    of_row(ax.plot([value["shift"]], [place], zorder=3, **verdict_mark(row["verdict"]))[0], place)


def _axes(shares: Axes, shifts: Axes, table: pd.DataFrame, language: str) -> None:
    """Scale both axes: shares from zero, shifts about zero."""
    for ax in (shares, shifts):
        ax.set_ylim(len(table) - 0.5, -0.5)
        bare(ax)
        ax.axvline(0, color="#333333", linewidth=0.5, zorder=0.5)
    shares.set_xlim(0, 115 * table[["share_before", "share_after"]].to_numpy().max())
    ends = 100 * table[["low", "high", "null_low", "null_high"]].abs().to_numpy()
    most = 1.05 * float(np.nanmax(ends))
    shifts.set_xlim(-most, most)
    shifts.locator_params(axis="x", nbins=5)
    shares.locator_params(axis="x", nbins=4)
    for ax, key in ((shares, "share_axis"), (shifts, "shift_axis")):
        text = ax.set_xlabel(say(f"prevalence.{key}", language), labelpad=2)
        fit_text(text, float(ax.get_position().width * 1000))
