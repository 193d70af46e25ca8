"""The figure of losses: where characters were put back, and how their rates compare with other reports."""

from __future__ import annotations

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.markers import TICKDOWN, TICKUP

from ..errors import FigureError
from ..messages import say
from . import marks
from .style import COLOURS, add_axes, axes_width, check_glyphs, fit_text, house_style, new_figure, width_mm

SHADES = {"attested": "#000000", "certain": "#0072B2", "probable": "#56B4E9", "possible": "#D55E00"}
REACH = {
    "attested": (0.48, 0.48),
    "certain": (0.3, 0.3),
    "probable": (0.48, 0.0),
    "possible": (0.0, 0.48),
}  # above, below the line
TICKS = {"probable": TICKUP, "possible": TICKDOWN}
RATE_MARKS: dict[str, dict[str, Any]] = {
    "printed": {"marker": "x", "color": COLOURS["after"], "markersize": 4, "markeredgewidth": 1.0},
    "restored": {"marker": "D", "color": COLOURS["before"], "markersize": 3.6},
    "band": {"marker": "s", "color": COLOURS["faint"], "markersize": 4},
}
LABEL, RIGHT, HEAD, ROW, RATE_ROW, FOOT = 24.0, 4.0, 11.0, 9.0, 6.5, 9.0


def draw_lost(
    emendations: pd.DataFrame,
    losses: pd.DataFrame,
    *,
    lengths: dict[str, int],
    width: str = "double",
    language: str = "both",
    figure: Figure | None = None,
) -> Figure:
    """Draw each emendation as a tick along its report, and the rates of the lost characters beside other reports.

    Parameters
    ----------
    emendations
        The table of :func:`~shinan_research.restore.apparatus`.
    losses
        The table of :func:`~shinan_research.losses.losses`; without rows the lower panel is left out.
    lengths
        Length of each report's witness in characters.
    width, language, figure
        As in :func:`~shinan_research.figures.draw_shift`.

    Raises
    ------
    FigureError
        If there is no report, or a character has no glyph.
    """
    if not lengths:
        raise FigureError("Nothing to draw: no report. Pass the length of each report's witness.")
    across, strip = width_mm(width) - LABEL - RIGHT, ROW * len(lengths)
    rates, foot = RATE_ROW * len(losses), FOOT if width == "double" else FOOT + 3.0
    one = marks.short(language) if width == "single" else language
    with house_style():
        height = HEAD + strip + foot + (HEAD + rates + foot if rates else 2)
        figure = figure or new_figure(width, height)
        draw_strip(emendations, lengths, ax=add_axes(figure, LABEL, HEAD, across, strip), language=language)
        marks.draw_title(figure, 1.0, 2.2, "a" if rates else "", say("losses.strip", language))
        marks.draw_key(figure, _shade_key(emendations, one), 7.2, left=LABEL)
        if rates:
            top = HEAD + strip + foot + HEAD
            draw_loss_rates(losses, ax=add_axes(figure, LABEL, top, across, rates), language=language)
            marks.draw_title(figure, 1.0, top - HEAD + 2.2, "b", say("losses.rates", language))
            entries = [(style, say(f"losses.{name}", one)) for name, style in RATE_MARKS.items()]
            marks.draw_key(figure, entries, top - HEAD + 7.2, left=LABEL + 0.6)
        check_glyphs(figure)
    return figure


def _shade_key(emendations: pd.DataFrame, language: str) -> list[tuple[marks.Style, str]]:
    """Return marks and words of the key of certainty, for what occurs."""
    used = set(emendations["certainty"])
    tick = {"markeredgewidth": 1.2}
    shapes = {name: {"marker": TICKS.get(name, "|"), "markersize": 9 * sum(reach)} for name, reach in REACH.items()}
    return [(tick | shapes[name] | {"color": SHADES[name]}, say(f"losses.{name}", language)) for name in SHADES if name in used]


def draw_strip(emendations: pd.DataFrame, lengths: dict[str, int], *, ax: Axes, language: str = "both") -> Axes:
    """Draw each report as a line and each emendation as a tick on it, one row per report."""
    emendations = emendations.assign(row=range(len(emendations)))
    for row, (report, length) in enumerate(lengths.items()):
        ax.plot([0, length], [row, row], color=COLOURS["faint"], linewidth=5, solid_capstyle="butt", zorder=0)
        mine = emendations[emendations["report"] == report]
        for name, colour in SHADES.items():
            chosen = mine[mine["certainty"] == name]
            above, below = REACH[name]
            ticks = ax.vlines(
                chosen["offset"], row - above, row + below, color=colour, linewidth=0.7, zorder=2 + (name != "certain")
            )
            marks.of_row(ticks, *chosen["row"], table="apparatus")
        _label(ax, row, f"{report} ({len(mine)})")
    ax.set_ylim(len(lengths) - 0.5, -0.5)
    ax.set_xlim(0, max(lengths.values()))
    marks.bare(ax)
    ax.set_xlabel(_words("strip_axis", ax, language), labelpad=1.5)
    return ax


def _label(ax: Axes, row: float, words: str) -> None:
    """Name a row left of the axes."""
    style: dict[str, Any] = {"transform": ax.get_yaxis_transform(), "ha": "right", "va": "center", "fontsize": 7}
    fit_text(ax.text(-1.6 / axes_width(ax), row, words, **style), LABEL - 3)


def draw_loss_rates(losses: pd.DataFrame, *, ax: Axes, language: str = "both") -> Axes:
    """Draw each lost character's rate as printed and as restored, over the band of other reports."""
    for place, row in enumerate(losses.to_dict("records")):
        ax.plot([row["low"], row["high"]], [place, place], color=COLOURS["faint"], linewidth=5, solid_capstyle="butt", zorder=0)
        for name, rate, size in (("printed", row["rate_seen"], 4.5), ("restored", row["rate_restored"], 4)):
            style = RATE_MARKS[name] | {"markersize": size, "linestyle": "none", "clip_on": False}
            marks.of_row(ax.plot([rate], [place], **style)[0], place)
        _label(ax, place, f"{row['char']}  {row['report']}")
    ax.set_ylim(len(losses) - 0.5, -0.5)
    ax.set_xlim(0, 1.05 * float(losses[["high", "rate_restored"]].to_numpy().max()))
    marks.bare(ax)
    ax.set_xlabel(_words("rates_axis", ax, language), labelpad=1.5)
    return ax


def _words(key: str, ax: Axes, language: str) -> str:
    """Return an axis label: in both languages side by side, or one above the other where the axes are narrow."""
    return (marks.two_lines if axes_width(ax) < 100 else say)(f"losses.{key}", language)
