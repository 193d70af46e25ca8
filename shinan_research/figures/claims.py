"""Beside the targets: claimed against implied growth, and what stands unchanged in two consecutive reports."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..announced import RECONCILED, claim_values
from ..messages import say
from . import marks
from .style import COLOURS, add_text, axes_width, fit_text, text_width

GREY = "#8a8a8a"
FITTING = (("fit", True), ("open", False))
CLAIM_TICKS = (-1000, -100, -50, -10, -5, 0, 5, 10, 50, 100, 1000)
LINEAR = 10.0
NARROW = 60
LINE, GLOSS, LISTED = 3.5, 1.9, 14


def keep_end(text: Any, room: float) -> None:
    """Shorten a text from its beginning until it fits."""
    while text_width(text) > room and len(text.get_text()) > 3:
        text.set_text("…" + text.get_text().lstrip("…")[1:])


def claim_key(claims: pd.DataFrame, language: str) -> list[tuple[dict[str, Any], str]]:
    """Return marks and words of the key of the last panel, for what occurs."""
    items = [(_claim_mark(fits), f"targets.key_{key}", (claims["verdict"] == RECONCILED) == fits) for key, fits in FITTING]
    return [(mark, say(key, language)) for mark, key, rows in items if rows.any()]


def _claim_mark(fits: bool) -> dict[str, Any]:
    """Return the mark of a claim: filled where levels and claim can be reconciled."""
    face = COLOURS["ink"] if fits else "white"
    return {"marker": "o", "color": COLOURS["ink"], "markerfacecolor": face, "markersize": 4, "markeredgewidth": 0.8}


def draw_claims(claims: pd.DataFrame, *, ax: Axes, language: str, names: Mapping[str, str]) -> Axes:
    """Draw growth as claimed (dot) and as implied by the levels (bar); the mark is hollow where they cannot be reconciled."""
    if claims.empty:
        ax.text(0, 0.5, marks.two_lines("targets.no_claims", language), va="center", color="#666666", transform=ax.transAxes)
        ax.set_axis_off()
        return ax
    wide, across = axes_width(ax), ax.get_yaxis_transform()
    columns = ((1 - 19 / wide, "claimed"), (1.0, "implied"))
    for place, row in enumerate(claims.to_dict("records")):
        values, fits = claim_values(row), row["verdict"] == RECONCILED
        top, at = place + 0.22, place + 0.7
        keep_end(ax.text(0, top, names.get(row["indicator"], row["indicator"]), va="center", transform=across), wide - 28)
        for x, name in columns:
            ax.text(x, top, values[name], ha="right", va="center", fontsize=6.5, transform=across)
        ax.plot([row["claimed"], row["implied"]], [at, at], color=COLOURS["faint"], linewidth=0.8, zorder=1)
        ends = (row["implied_low"], row["implied_high"])
        ax.plot(ends, [at, at], color=GREY, linewidth=4.5, solid_capstyle="butt", zorder=2)
        ax.plot([row["implied"]], [at], marker="|", color=GREY, markersize=4.5, markeredgewidth=1.2, linestyle="none", zorder=2)
        ax.vlines(0, place + 0.42, place + 0.94, color="#333333", linewidth=0.5, zorder=0)
        claimed = ax.plot([row["claimed"]], [at], linestyle="none", zorder=3, clip_on=False, **_claim_mark(fits))
        marks.of_row(claimed[0], place, table="claims")
    for x, name in columns:
        head = say(f"targets.{name}", language)
        ax.text(x, -0.16, head, ha="right", va="baseline", fontsize=6, color="#555555", transform=across)
    _claim_axis(ax, claims, language)
    return ax


def _claim_axis(ax: Axes, claims: pd.DataFrame, language: str) -> None:
    """Set the axis of growth: linear within ±10 per cent, logarithmic beyond."""
    values = claims[["claimed", "implied", "implied_low", "implied_high"]].to_numpy(dtype=float)
    values = values[np.isfinite(values)]
    low, high = min(0.0, float(values.min())), max(0.0, float(values.max()))
    ax.set_xscale("symlog", linthresh=LINEAR)
    ax.set_xlim(low * 1.15 - 1.5, high * 1.25 + 1.5)
    ax.set_ylim(len(claims), 0)
    left, right = ax.get_xlim()
    ticks = [tick for tick in CLAIM_TICKS if left <= tick <= right]
    ax.set_xticks(sorted(ticks), [f"{tick}".replace("-", "−") for tick in sorted(ticks)])
    ax.minorticks_off()
    marks.bare(ax)
    words = (marks.two_lines if axes_width(ax) < NARROW else say)("targets.claims_axis", language)
    ax.set_xlabel(words, labelpad=1.5)


def listed(carried: pd.DataFrame, glosses: Mapping[str, str]) -> tuple[list[tuple[float, str, Any]], float]:
    """Return the lines of the table of unchanged figures, in millimetres from its top, and its height; a head per part."""
    lines: list[tuple[float, str, Any]] = []
    at = 0.0
    for part in ("review", "plan"):
        rows = carried[carried["part"] == part].to_dict("records")
        if rows:
            lines.append((at + LINE / 2, part, None))
            at += LINE + 0.6
        for row in rows[:LISTED]:
            step = LINE + (GLOSS if row["indicator"] in glosses else 0.0)
            lines.append((at + step / 2, "", row))
            at += step
        if len(rows) > LISTED:
            lines.append((at + LINE / 2, "more", len(rows) - LISTED))
            at += LINE
        at += 1.4
    return lines, at


def draw_carried(
    figure: Figure,
    lines: list[tuple[float, str, Any]],
    place: tuple[float, float, float],
    *,
    language: str,
    names: Mapping[str, str],
) -> None:
    """Write figures carried over and targets announced again, each with its number; `place` is left, top and width."""
    left, top, wide = place
    for at, word, row in lines:
        y = top + at
        if word:
            text = say(f"targets.carried_{word}", language, n=row)
            fit_text(add_text(figure, left, y, text, fontsize=6.5, va="center", color="#555555"), wide)
            continue
        gloss = names.get(row["indicator"], "")
        small = gloss if language == "both" else ""
        number = add_text(figure, left + wide, y, row["text"], fontsize=6.5, ha="right", va="center", color="#444444")
        room = wide - text_width(number) - 3
        if language == "en" and gloss:
            fit_text(add_text(figure, left, y, gloss, va="center"), room)
            continue
        keep_end(add_text(figure, left, y - (0.95 if small else 0), row["indicator"], va="center"), room)
        if small:
            fit_text(add_text(figure, left, y + 1.35, small, fontsize=5.5, color="#666666", va="center"), room)
