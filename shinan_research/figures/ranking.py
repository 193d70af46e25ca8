"""The words that changed most among those that can be tested, more before and more after, with intervals and dispersion."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ..errors import FigureError
from ..messages import LANGUAGES, say
from .style import (
    COLOURS,
    MARKERS,
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

FAR, NEAR = 5.0, 2.0
MARKS: dict[str, dict[str, Any]] = {
    "moved": {"marker": "o", "markerfacecolor": COLOURS["ink"]},
    "fragile": {"marker": "o", "fillstyle": "left", "markerfacecolor": COLOURS["ink"], "markerfacecoloralt": "white"},
    "none": {"marker": "o", "markerfacecolor": "white"},
}
FRAMES = {"before": (-FAR, NEAR), "after": (-NEAR, FAR)}
MARK_OF = {"higher": "moved", "lower": "moved", "fragile": "fragile", "no evidence": "none"}
HEADING: dict[str, Any] = {"marker": "^", "color": COLOURS["neutral"], "markersize": 3, "linestyle": "none"}
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
    glosses
        English glosses of words, drawn beside them.
    width
        single (89 mm, panels stacked), onehalf (120 mm, stacked) or double (183 mm, side by side).
    language
        zh, en or both.
    figure
        An empty figure to draw into; its size is kept.

    Raises
    ------
    FigureError
        If the table has no rows, or a character has no glyph.
    """
    if vocabulary_shift.empty:
        raise FigureError("Nothing to draw: the table has no rows. Longer reports, or declared terms, are needed.")
    tested = vocabulary_shift[vocabulary_shift["verdict"].isin(list(MARK_OF))]
    ranked = tested.assign(size=tested["keyness"].abs()).sort_values("size", ascending=False, kind="stable")
    sides = {"before": ranked[ranked["log2_ratio"] < 0].head(each), "after": ranked[ranked["log2_ratio"] > 0].head(each)}
    rows = max(1, *map(len, sides.values()))
    across, panel = width_mm(width), HEAD + rows * ROW + FOOT
    beside = width == "double"
    with house_style():
        figure = figure or new_figure(width, panel * (1 if beside else 2) + KEY[width])
        for number, (role, table) in enumerate(sides.items()):
            left, top = (number * across / 2, 0.0) if beside else (0.0, number * panel)
            _panel(figure, table, role, vocabulary_shift, (left, top, across / 2 if beside else across), rows, language, glosses)
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
    _title(figure, left, top + 3.0, "a" if role == "before" else "b", role, say(f"ranking.{role}", language, **names))
    for ax in (ratio, bursts):
        ax.set_ylim(rows - 0.5, -0.5)
        ax.set_yticks([])
        ax.spines["left"].set_visible(False)
    one = "zh" if language == "both" else language
    heads = ((start - COUNTS / 2, "counts"), (left + across - BURSTS / 2 - MARGIN, "dispersion"))
    for x, key in heads:
        add_text(figure, x, top + HEAD - 1.2, say(f"ranking.{key}", one), ha="center", va="bottom", fontsize=6, color="#555555")
    for number, row in enumerate(table.to_dict("records")):
        y = top + HEAD + (number + 0.5) * ROW
        _label(figure, row, left, y, (glosses or {}).get(row["term"], "") if language != "zh" else "")
        add_text(
            figure, start - COUNTS / 2, y, f"{row['count_before']}→{row['count_after']}", ha="center", va="center", fontsize=6.5
        )
        _ratio(ratio, row, number, FRAMES[role])
    bursts.barh(range(len(table)), table["dispersion"] - 1, left=1, height=0.45, color="#b5b5b5")
    largest = max(2.0, float(np.ceil(whole.loc[whole["verdict"].isin(list(MARK_OF)), "dispersion"].max())))
    _axes(ratio, bursts, FRAMES[role], largest, f"{say('ranking.axis', language)} {names['after']} / {names['before']}")


def _title(figure: Figure, left: float, top: float, letter: str, role: str, words: str) -> None:
    """Write the letter of a panel, the mark of its group and what its words have in common."""
    across, down = (size * MILLIMETRES for size in figure.get_size_inches())
    add_text(figure, left + 1.5, top, letter, fontsize=8, fontweight="bold", va="center")
    mark = Line2D([(left + 6.2) / across], [1 - top / down], marker=MARKERS[role], color=COLOURS[role], markersize=4.4)
    figure.add_artist(mark)
    add_text(figure, left + 8.2, top, words, fontsize=8, fontweight="bold", va="center", color=COLOURS[role])


def _label(figure: Figure, row: Mapping[Any, Any], left: float, y: float, gloss: str) -> None:
    """Write a word with its gloss, and a triangle where most of its occurrences stand in headings."""
    across, down = (size * MILLIMETRES for size in figure.get_size_inches())
    text = add_text(figure, left + LABEL, y, row["term"], ha="right", va="center", fontsize=7.5)
    fit_text(text, LABEL - 1.5)
    room = LABEL - 3.5 - text_width(text)
    if gloss and room > 5:
        small = add_text(figure, left + LABEL - text_width(text) - 1, y, gloss, ha="right", va="center", fontsize=5.5)
        small.set_color("#666666")
        fit_text(small, room)
    if row["heading_share"] > 0.5:
        figure.add_artist(Line2D([(left + LABEL + HEADED / 2 + 0.2) / across], [1 - y / down], **HEADING))


def _ratio(ax: Axes, row: Mapping[Any, Any], place: float, frame: tuple[float, float]) -> None:
    """Draw the ratio of a word with both intervals, and an arrow where the outer one leaves the frame."""
    for low, high, thick in ((row["low"], row["high"], 0.7), (row["low_inner"], row["high_inner"], 2.0)):
        ax.plot(np.clip([low, high], *frame), [place] * 2, color="#777777", linewidth=thick, solid_capstyle="butt", zorder=1)
    for edge, marker, outside in ((frame[0], "<", row["low"] < frame[0]), (frame[1], ">", row["high"] > frame[1])):
        if outside:
            ax.plot([edge], [place], marker=marker, color="#777777", markersize=2.6, linestyle="none", clip_on=False)
    style: dict[str, Any] = {"color": COLOURS["ink"], "markersize": 4, "markeredgewidth": 0.7, "zorder": 3, "clip_on": False}
    ax.plot(np.clip([row["log2_ratio"]], *frame), [place], **style, **MARKS[MARK_OF[row["verdict"]]])


def _axes(ratio: Axes, bursts: Axes, frame: tuple[float, float], largest: float, label: str) -> None:
    """Set both scales: ratios as powers of two about no change, dispersion from one on."""
    ratio.axvline(0, color="#333333", linewidth=0.5, zorder=0)
    ratio.set_xlim(frame[0] - 0.15, frame[1] + 0.15)
    shown = [tick for tick in (-4, -2, 0, 2, 4) if frame[0] <= tick <= frame[1]]
    ratio.set_xticks(shown, [f"{'÷' if tick < 0 else '×'}{2 ** abs(tick)}" if tick else "=" for tick in shown])
    ratio.set_xticks([tick for tick in (-5, -3, -1, 1, 3, 5) if frame[0] <= tick <= frame[1]], minor=True)
    fit_text(ratio.set_xlabel(label, labelpad=2), axes_width(ratio) + 14)
    bursts.set_xlim(1, largest * 1.02)
    bursts.set_xticks([1, int(largest)], ["1", f"{int(largest)}"])


def _key(figure: Figure, tested: pd.DataFrame, room: float, language: str) -> None:
    """Say how many words survive correction, and what the marks mean; break the line where it is full."""
    across, down = (size * MILLIMETRES for size in figure.get_size_inches())
    survive = int(tested["verdict"].isin(["higher", "lower", "fragile"]).sum())
    words = {"tested": f"{len(tested):,}", "survive": survive}
    used = [mark for mark in MARKS if mark in {MARK_OF[verdict] for verdict in tested["verdict"]}]
    entries: list[tuple[dict[str, Any], str]] = [
        ({"color": COLOURS["ink"], "markersize": 4, "markeredgewidth": 0.7} | MARKS[mark], say(f"shift.key_{mark}", language))
        for mark in used
    ]
    entries.append((HEADING, say("ranking.key_heading", language)))
    entries += [
        ({}, say(f"ranking.{'some' if survive else 'none'}", one, **words)) for one in LANGUAGES if language in (one, "both")
    ]
    x, y = 3.0, down - room + 1
    for style, words_shown in entries:
        shift = 1.8 if style else -1.2
        text = add_text(figure, x + shift, y, words_shown, va="center", fontsize=6.5, color="#333333")
        if x > 3 and x + shift + text_width(text) > across - 1:
            x, y = 3.0, y + 3.6
            text.set_position(((x + shift) / across, 1 - y / down))
        if style:
            figure.add_artist(Line2D([x / across], [1 - y / down], **style))
        x += shift + text_width(text) + 4
