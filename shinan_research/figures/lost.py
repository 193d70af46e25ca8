"""The figure of losses: where characters were put back, and how their rates compare with other reports."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ..errors import FigureError
from ..messages import LANGUAGES, say
from .style import (
    COLOURS,
    MILLIMETRES,
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

SHADES = {"attested": "#000000", "certain": "#0072B2", "probable": "#56B4E9", "possible": "#D55E00"}
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
    with house_style():
        height = HEAD + strip + foot + (HEAD + rates + foot if rates else 2)
        figure = figure or new_figure(width, height)
        draw_strip(emendations, lengths, ax=add_axes(figure, LABEL, HEAD, across, strip), language=language)
        _title(figure, "a" if rates else "", "strip", 2.2, language)
        _key(figure, [name for name in SHADES if name in set(emendations["certainty"])], 7.2, language)
        if rates:
            top = HEAD + strip + foot + HEAD
            draw_loss_rates(losses, ax=add_axes(figure, LABEL, top, across, rates), language=language)
            _title(figure, "b", "rates", top - HEAD + 2.2, language)
            _key_rates(figure, top - HEAD + 7.2, language)
        check_glyphs(figure)
    return figure


def _title(figure: Figure, letter: str, key: str, top: float, language: str) -> None:
    add_text(figure, 1.0, top, f"{letter}  {say(f'losses.{key}', language)}".strip(), fontsize=8, fontweight="bold", va="center")


def _mark(figure: Figure, x: float, y: float, **style: object) -> None:
    """Put a mark at a place in millimetres."""
    across, down = (size * MILLIMETRES for size in figure.get_size_inches())
    figure.add_artist(Line2D([x / across], [1 - y / down], linestyle="none", **style))  # type: ignore[arg-type]


def _key(figure: Figure, names: list[str], top: float, language: str) -> None:
    """Name the shades of certainty."""
    x = LABEL
    for name in names:
        _mark(figure, x, top, marker="|", color=SHADES[name], markersize=6, markeredgewidth=1.2)
        one = "zh" if language == "both" and width_of(figure) < 100 else language
        text = add_text(figure, x + 1.2, top, say(f"losses.{name}", one), fontsize=6.5, va="center")
        x += text_width(text) + 4.2


def width_of(figure: Figure) -> float:
    """Return the width of a figure in millimetres."""
    return float(figure.get_size_inches()[0] * MILLIMETRES)


def _key_rates(figure: Figure, top: float, language: str) -> None:
    """Name the marks of the lower panel."""
    one = "zh" if language == "both" and width_of(figure) < 100 else language
    styles = {
        "printed": {"marker": "x", "color": COLOURS["after"], "markersize": 4, "markeredgewidth": 1.0},
        "restored": {"marker": "D", "color": COLOURS["before"], "markersize": 3.6},
        "band": {"marker": "s", "color": COLOURS["faint"], "markersize": 4},
    }
    x = LABEL
    for name, style in styles.items():
        _mark(figure, x + 0.6, top, **style)
        text = add_text(figure, x + 2.2, top, say(f"losses.{name}", one), fontsize=6.5, va="center")
        x += text_width(text) + 5.5


def draw_strip(emendations: pd.DataFrame, lengths: dict[str, int], *, ax: Axes, language: str = "both") -> Axes:
    """Draw each report as a line and each emendation as a tick on it, one row per report."""
    for row, (report, length) in enumerate(lengths.items()):
        ax.plot([0, length], [row, row], color=COLOURS["faint"], linewidth=5, solid_capstyle="butt", zorder=0)
        mine = emendations[emendations["report"] == report]
        for name, colour in SHADES.items():
            places = mine.loc[mine["certainty"] == name, "offset"]
            ax.vlines(places, row - 0.3, row + 0.3, color=colour, linewidth=0.7, zorder=2 + (name != "certain"))
        transform = ax.get_yaxis_transform()
        words = f"{report} ({len(mine)})"
        label = ax.text(-1.6 / axes_width(ax), row, words, transform=transform, ha="right", va="center", fontsize=7)
        fit_text(label, LABEL - 3)
    ax.set_ylim(len(lengths) - 0.5, -0.5)
    ax.set_xlim(0, max(lengths.values()))
    ax.set_yticks([])
    ax.spines["left"].set_visible(False)
    ax.set_xlabel(_words("strip_axis", ax, language), labelpad=1.5)
    return ax


def draw_loss_rates(losses: pd.DataFrame, *, ax: Axes, language: str = "both") -> Axes:
    """Draw each lost character's rate as printed and as restored, over the band of other reports."""
    for place, row in enumerate(losses.to_dict("records")):
        ax.plot([row["low"], row["high"]], [place, place], color=COLOURS["faint"], linewidth=5, solid_capstyle="butt", zorder=0)
        ax.plot(
            [row["rate_seen"]], [place], marker="x", color=COLOURS["after"], markersize=4.5, markeredgewidth=1.1, clip_on=False
        )
        ax.plot([row["rate_restored"]], [place], marker="D", color=COLOURS["before"], markersize=4, clip_on=False)
        transform = ax.get_yaxis_transform()
        words = f"{row['char']}  {row['report']}"
        text = ax.text(-1.6 / axes_width(ax), place, words, transform=transform, ha="right", va="center", fontsize=7)
        fit_text(text, LABEL - 3)
    ax.set_ylim(len(losses) - 0.5, -0.5)
    ax.set_xlim(0, 1.05 * float(losses[["high", "rate_restored"]].to_numpy().max()))
    ax.set_yticks([])
    ax.spines["left"].set_visible(False)
    ax.set_xlabel(_words("rates_axis", ax, language), labelpad=1.5)
    return ax


def _words(key: str, ax: Axes, language: str) -> str:
    """Return an axis label: in both languages side by side, or one above the other where the axes are narrow."""
    narrow = axes_width(ax) < 100
    return (
        "\n".join(say(f"losses.{key}", one) for one in LANGUAGES if language in (one, "both"))
        if narrow
        else say(f"losses.{key}", language)
    )
