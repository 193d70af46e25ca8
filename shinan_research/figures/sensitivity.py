"""Each term under all ways of counting, as dots on one line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ..errors import FigureError
from ..messages import say
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

FRAME = 5.0
MARK_OF = {
    "higher": "moved", "lower": "moved", "fragile": "fragile", "no evidence": "none", "too rare": "untested",
    "too concentrated": "untested",
}  # fmt: skip
MARKS: dict[str, dict[str, Any]] = {
    "moved": {"marker": "o"},
    "fragile": {"marker": "o", "fillstyle": "left", "markerfacecoloralt": "white"},
    "none": {"marker": "o", "markerfacecolor": "white"},
    "untested": {"marker": "x"},
}
LABEL, LANE, SAME, MARGIN, HEAD, FOOT = 26.0, 9.0, 12.0, 2.5, 8.0, 9.5
KEY = {"double": 9.5, "onehalf": 13.0, "single": 16.5}
ROW = 3.0


def draw_sensitivity(
    table: pd.DataFrame,
    *,
    glosses: Mapping[str, str] | None = None,
    width: str = "double",
    language: str = "both",
    figure: Figure | None = None,
) -> Figure:
    """Draw each term's change under every reading, unit and scope: one lane per scope, the large mark being the base.

    Marks follow the verdicts; black is the base's reading of the text, grey are the others. The small marks of a lane stand
    in one row per unit. Beside each lane, under how many ways of counting the verdict is that of the base.

    Parameters
    ----------
    table
        The table of :func:`~shinan_research.sensitivity.sensitivity`.
    glosses
        English glosses of terms.
    width
        single (89 mm), onehalf (120 mm) or double (183 mm).
    language
        zh, en or both.
    figure
        An empty figure to draw into; its size is kept.

    Raises
    ------
    FigureError
        If the table has no rows, or a character has no glyph.
    """
    if table.empty:
        raise FigureError("Nothing to draw: the table has no rows. Declare at least one term in data/study.toml.")
    terms, scopes = list(dict.fromkeys(table["term"])), list(dict.fromkeys(table["scope"]))
    across, body = width_mm(width), len(terms) * (len(scopes) * ROW + 1.6)
    with house_style():
        figure = figure or new_figure(width, HEAD + body + FOOT + KEY[width])
        ax = add_axes(figure, LABEL + LANE, HEAD, across - LABEL - LANE - SAME - 2 * MARGIN, body)
        ax.set_ylim(body, 0)
        for place, term in enumerate(terms):
            top = place * body / len(terms) + 0.8
            _label(figure, term, HEAD + top + len(scopes) * ROW / 2, language, (glosses or {}).get(term, ""))
            for number, scope in enumerate(scopes):
                mine = table[(table["term"] == term) & (table["scope"] == scope)]
                _lane(figure, ax, mine, top + (number + 0.5) * ROW, language)
            if place:
                ax.axhline(top - 0.8, color=COLOURS["faint"], linewidth=0.4, zorder=0)
        one = "zh" if language == "both" else language
        words = say("sensitivity.same", one)
        head = add_text(figure, across - MARGIN, HEAD - 1.2, words, ha="right", va="bottom", fontsize=6, color="#555555")
        fit_text(head, SAME + 6)
        _axis(ax, table, language)
        _key(figure, table, KEY[width], language)
        check_glyphs(figure)
    return figure


def _lane(figure: Figure, ax: Axes, mine: pd.DataFrame, y: float, language: str) -> None:
    """Draw one term in one scope, the base last and large; write the scope and how many verdicts are the base's."""
    units = list(dict.fromkeys(mine["unit"]))
    base_variant = mine["variant"].iloc[0] if len(mine) else ""
    counted = mine[mine["count_before"] + mine["count_after"] > 0]
    for row in counted.sort_values("base", kind="stable").to_dict("records"):
        own = row["variant"] == base_variant
        shift = 0.0 if row["base"] else (units.index(row["unit"]) - (len(units) - 1) / 2) * 0.72
        style: dict[str, Any] = {
            "color": COLOURS["ink"] if own else "#9a9a9a",
            "markersize": 4.8 if row["base"] else 2.4,
            "markeredgewidth": 0.6,
        }
        style |= MARKS[MARK_OF[row["verdict"]]]
        style |= {"markerfacecolor": style.get("markerfacecolor", style["color"]), "zorder": 5 if row["base"] else 2 + own}
        ax.plot(np.clip([row["log2_ratio"]], -FRAME, FRAME), [y + shift], linestyle="none", clip_on=False, **style)
        if abs(row["log2_ratio"]) > FRAME:
            edge = float(np.sign(row["log2_ratio"])) * (FRAME + 0.13)
            ax.plot([edge], [y], marker="<" if edge < 0 else ">", color="#777777", markersize=2.6, clip_on=False)
    across = figure.get_size_inches()[0] * MILLIMETRES
    one = "zh" if language == "both" else language
    if len(mine):
        text = add_text(figure, LABEL + 0.5, HEAD + y, say(f"scope.{mine['scope'].iloc[0]}", one), va="center", fontsize=5.8)
        text.set_color("#666666")
        kept = f"{(~mine['differs'].str.contains('verdict')).sum()}/{len(mine)}"
        add_text(figure, across - MARGIN, HEAD + y, kept, ha="right", va="center", fontsize=6.5)


def _label(figure: Figure, term: str, y: float, language: str, gloss: str) -> None:
    """Write a term, and beneath it its gloss, left of its lanes."""
    name = term.removesuffix(" (wide)")
    rows = [(0.0, f"{name}＋" if name != term else name, 8.0, COLOURS["ink"])]
    if gloss and language != "zh":
        rows = [(-1.3, *rows[0][1:]), (1.8, gloss, 6.0, "#666666")]
    for lift, words, size, colour in rows:
        text = add_text(figure, LABEL - 1.6, y + lift, words, ha="right", va="center", fontsize=size, color=colour)
        fit_text(text, LABEL - 3.0)


def _axis(ax: Axes, table: pd.DataFrame, language: str) -> None:
    """Set the scale: ratios as powers of two about no change."""
    ax.axvline(0, color="#333333", linewidth=0.5, zorder=0)
    ax.set_yticks([])
    ax.spines["left"].set_visible(False)
    ax.set_xlim(-FRAME - 0.15, FRAME + 0.15)
    shown = (-4, -2, 0, 2, 4)
    ax.set_xticks(shown, [f"{'÷' if tick < 0 else '×'}{2 ** abs(tick)}" if tick else "=" for tick in shown])
    ax.set_xticks((-5, -3, -1, 1, 3, 5), minor=True)
    names = f"{table['after'].iloc[0]} / {table['before'].iloc[0]}"
    fit_text(ax.set_xlabel(f"{say('ranking.axis', language)} {names}", labelpad=2), axes_width(ax) + 20)


def _key(figure: Figure, table: pd.DataFrame, room: float, language: str) -> None:
    """Say what the marks mean, for those that occur; break the line where it is full."""
    across, down = (size * MILLIMETRES for size in figure.get_size_inches())
    used = {MARK_OF[verdict] for verdict in table["verdict"]}
    entries: list[tuple[dict[str, Any], str, str]] = [
        (style, COLOURS["ink"], f"shift.key_{mark}") for mark, style in MARKS.items() if mark in used
    ]
    entries.append((MARKS["moved"] | {"markersize": 4.8}, COLOURS["ink"], "sensitivity.key_base"))
    entries.append((MARKS["moved"] | {"markersize": 3}, "#9a9a9a", "sensitivity.key_reading"))
    x, y = 3.0, down - room + 2
    for style, colour, key in entries:
        text = add_text(figure, x + 1.8, y, say(key, language), va="center", fontsize=6.5, color="#333333")
        if x > 3 and x + 1.8 + text_width(text) > across - 1:
            x, y = 3.0, y + 3.5
            text.set_position(((x + 1.8) / across, 1 - y / down))
        mark: dict[str, Any] = {"markersize": 4, "markeredgewidth": 0.7, "markerfacecolor": colour, "color": colour} | style
        figure.add_artist(Line2D([x / across], [1 - y / down], linestyle="none", **mark))
        x += 1.8 + text_width(text) + 4
