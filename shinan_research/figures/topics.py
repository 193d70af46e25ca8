"""Topics: what the authors write chapters about, how much a model's topics moved, and how their number was chosen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..attention import chapter_names
from ..choice import COHERENCE_MARGIN, LEAST_HALVES, LEAST_SUPPORT
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
    size_mm,
    width_mm,
)

HEAD, FOOT, KEY, MARGIN, GAP = 12.0, 9.0, 3.6, 3.0, 5.0
KEY_LINES = {"double": 1, "onehalf": 2, "single": 3}


class Layout(NamedTuple):
    """Widths of labels and of the first panel in millimetres, and the height of a row."""

    label: float
    first: float
    row: float


PANELS = {
    "stability": ("halves", "weakest_support"),
    "agreement": ("agreement", "agreement_sentences", "agreement_tokens"),
    "coherence": ("coherence", "coherence_sentences", "coherence_tokens"),
}
GREY = {"color": "#a0a0a0", "markerfacecolor": "#a0a0a0", "markeredgewidth": 0.5}
INK = {"color": COLOURS["ink"], "markerfacecolor": COLOURS["ink"], "markeredgewidth": 0.7}
LINES: dict[str, dict[str, Any]] = {
    "text": INK | {"marker": "o", "linestyle": "-"},
    "halves": INK | {"marker": "o", "linestyle": "-"},
    "weakest_support": INK | {"marker": "s", "linestyle": (0, (5, 1.5))},
    "_sentences": GREY | {"marker": "^", "linestyle": "-"},
    "_tokens": GREY | {"marker": "v", "linestyle": (0, (1, 1.2))},
}
BARS: dict[str, dict[str, Any]] = {
    "measured": {"marker": "_", "color": "#666666", "markersize": 7, "markeredgewidth": 2.2},
    "rewritten": {"marker": "_", "color": "#666666", "markersize": 7, "markeredgewidth": 0.7},
    "dealt": {"marker": "s", "color": "#dcdcdc", "markersize": 5},
}
LAYOUTS = {"double": Layout(48, 50, 6.6), "onehalf": Layout(36, 32, 6.6), "single": Layout(30, 23, 6.6)}


def draw_prevalence(
    table: pd.DataFrame, *, width: str = "double", language: str = "both", figure: Figure | None = None
) -> Figure:
    """Draw topics: share of the text before and after (a), and the shift with two intervals and its null band (b).

    The thick bar is what is not known about these texts (runs and posterior), the thin one what could be another if such
    reports were written again; the pale band is what dealing the chapters at random gives. Marks follow the verdict.

    Parameters
    ----------
    table
        The table of :func:`~shinan_research.prevalence.prevalence`.
    width, language, figure
        As in :func:`~shinan_research.figures.draw_shift`.

    Raises
    ------
    FigureError
        If there is no row, or a character has no glyph.
    """
    if table.empty:
        raise FigureError("Nothing to draw: the table of topics has no rows.")
    layout, across = LAYOUTS[width], width_mm(width)
    with house_style():
        foot = 1.4 + KEY * KEY_LINES[width]
        figure = figure or new_figure(width, HEAD + len(table) * layout.row + FOOT + foot)
        _topic_labels(figure, table, layout, language)
        rows = {"before": table["share_before"], "after": table["share_after"]}
        left, body = layout.label + GAP + layout.first, len(table) * layout.row
        _shares(add_axes(figure, layout.label, HEAD, layout.first, body), rows, language)
        _shifts(add_axes(figure, left, HEAD, across - left - MARGIN, body), table, language)
        _titles(figure, table, (layout.label, left), ("shares", "shift"), language)
        keys = [(style, say(f"topics.{name}", language)) for name, style in BARS.items()]
        marks.draw_key(figure, [*marks.verdict_key(table["verdict"], language), *keys], 2 - foot, left=MARGIN + 1.5)
        check_glyphs(figure)
    return figure


def draw_attention(table: pd.DataFrame, *, width: str = "double", language: str = "both", figure: Figure | None = None) -> Figure:
    """Draw which share of the body each chapter, or each group of matched chapters, has before and after.

    Parameters
    ----------
    table
        The table of :func:`~shinan_research.attention.attention`.
    width, language, figure
        As in :func:`~shinan_research.figures.draw_shift`.

    Raises
    ------
    FigureError
        If there is no row, or a character has no glyph.
    """
    if table.empty:
        raise FigureError("Nothing to draw: the table of chapters has no rows.")
    label, row_height, across = marks.CHAPTERS[width], LAYOUTS[width].row, width_mm(width)
    with house_style():
        figure = figure or new_figure(width, HEAD + len(table) * row_height + FOOT)
        for place, row in enumerate(table.to_dict("records")):
            title, name = chapter_names(row)
            gloss = name if language == "both" and name != title else ""
            words = name if language == "en" else title
            y = HEAD + (place + 0.5) * row_height
            marks.draw_label(figure, label, y, words, gloss, room=label - MARGIN)
        shares = {role: table[f"share_{role}"].where(table[f"chapters_{role}"] > 0) for role in MARKERS}
        body = (label + 1.5, HEAD, across - label - 1.5 - MARGIN, len(table) * row_height)
        _shares(add_axes(figure, *body), shares, language)
        _titles(figure, table, (label + 1.5,), ("attention",), language)
        check_glyphs(figure)
    return figure


def draw_choice(table: pd.DataFrame, *, width: str = "double", language: str = "both", figure: Figure | None = None) -> Figure:
    """Draw what was measured on each number of topics, with the thresholds of the rule and the number that it chose.

    Parameters
    ----------
    table
        `Topics.choice`, the table of :func:`~shinan_research.choice.examine`.
    width, language, figure
        As in :func:`~shinan_research.figures.draw_shift`; the panels stand side by side at double width, else stacked.

    Raises
    ------
    FigureError
        If there is no row, or a character has no glyph.
    """
    if table.empty:
        raise FigureError("Nothing to draw: no number of topics was examined.")
    across, beside = width_mm(width), width == "double"
    limits = {"halves": LEAST_HALVES, "weakest_support": LEAST_SUPPORT, "coherence": table["coherence"].max() - COHERENCE_MARGIN}
    height, left, foot = 32.0, 9.0, 6.0 if beside else 10.0
    one = (across - MARGIN - left) / 3 - 9 if beside else across - left - 2 * MARGIN
    with house_style():
        figure = figure or new_figure(width, 9 + height + 11 + foot if beside else 3 * (height + 18) + foot)
        for number, (name, columns) in enumerate(PANELS.items()):
            x, y = (left + number * (one + 11), 9.0) if beside else (left + 1, 9 + number * (height + 18))
            _measure(add_axes(figure, x, y, one, height), table, columns, limits, language)
            marks.draw_title(figure, x - 6, y - 6.2, "abc"[number], say(f"topics.{name}", language), room=one + 6)
        words = {"halves": "halves", "weakest_support": "support", "_sentences": "sentences", "_tokens": "tokens"}
        keys = [(LINES[name] | {"markersize": 3.4}, say(f"topics.{key}", language)) for name, key in words.items()]
        chosen = {"marker": "o", "markersize": 3.8, "color": COLOURS["ink"], "markerfacecolor": COLOURS["after"]}
        marks.draw_key(figure, [*keys, (chosen, say("topics.chosen", language))], -foot + 2, left=MARGIN + 1.5)
        check_glyphs(figure)
    return figure


def _topic_labels(figure: Figure, table: pd.DataFrame, layout: Layout, language: str) -> None:
    """Write id and label of each topic."""
    for place, row in enumerate(table.to_dict("records")):
        label, other = str(row["label"]), str(row["label_en"])
        words = other if language == "en" else label
        gloss = other if language == "both" and other != label else ""
        y = HEAD + (place + 0.5) * layout.row
        marks.draw_label(figure, layout.label - 1, y, f"{row['topic']}  {words}", gloss, room=layout.label - 2.2)


def _titles(figure: Figure, table: pd.DataFrame, lefts: tuple[float, ...], keys: tuple[str, ...], language: str) -> None:
    """Write the titles of the panels, and the two groups beside their marks."""
    for letter, key, x in zip("ab" if len(lefts) > 1 else ("",), keys, lefts, strict=True):
        room = (lefts[1] - lefts[0] if letter == "a" else size_mm(figure)[0] - x) - 2
        marks.draw_title(figure, x, 2.6, letter, say(f"topics.{key}", language), room=room)
    x = lefts[0] + 1.2
    for role in MARKERS:
        marks.put_mark(figure, x, 7.6, **marks.group_mark(role))
        text = add_text(figure, x + 1.8, 7.6, str(table[role].iloc[0]), va="center", fontsize=7, fontweight="bold")
        text.set_color(COLOURS[role])
        fit_text(text, 20)
        x += 12 if len(str(table[role].iloc[0])) <= 6 else 24


def _shares(ax: Axes, shares: Mapping[str, pd.Series[float]], language: str) -> None:
    """Draw a share before and one after in each row, in per cent; a group without the row has no mark."""
    _rows(ax, len(shares["before"]))
    for place, ends in enumerate(zip(shares["before"], shares["after"], strict=True)):
        there = [100 * end for end in ends if pd.notna(end)]
        ax.plot(there, [place] * len(there), color=COLOURS["faint"], linewidth=1.6, solid_capstyle="butt", zorder=1)
        for role, end in zip(MARKERS, ends, strict=True):
            if pd.notna(end):
                style = marks.group_mark(role) | {"linestyle": "none", "zorder": 3, "clip_on": False}
                marks.of_row(ax.plot([100 * end], [place], **style)[0], place)
    largest = 100 * max(float(each.max()) for each in shares.values())
    ax.set_xlim(0, 1.06 * largest)
    fit_text(ax.set_xlabel(say("topics.percent", language), labelpad=2), axes_width(ax))


def _shifts(ax: Axes, table: pd.DataFrame, language: str) -> None:
    """Draw the shift in points with null band, generative (thin) and measurement (thick) interval."""
    _rows(ax, len(table))
    for place, row in enumerate(table.to_dict("records")):
        low, high = 100 * row["null_low"], 100 * row["null_high"]
        ax.barh(place, high - low, left=low, height=0.5, color=BARS["dealt"]["color"], zorder=0)
        for name, start, end in (("rewritten", "low", "high"), ("measured", "measurement_low", "measurement_high")):
            line = {"color": BARS[name]["color"], "linewidth": BARS[name]["markeredgewidth"]}
            ax.plot([100 * row[start], 100 * row[end]], [place] * 2, solid_capstyle="butt", zorder=1, **line)
        mark = marks.verdict_mark(row["verdict"], markersize=4.4, zorder=3)
        marks.of_row(ax.plot([100 * row["shift"]], [place], **mark)[0], place)
    ax.axvline(0, color="#333333", linewidth=0.5, zorder=0.5)
    ends = 100 * table[["low", "high", "null_low", "null_high"]].abs().to_numpy().max()
    ax.set_xlim(-1.04 * ends, 1.04 * ends)
    fit_text(ax.set_xlabel(say("topics.points", language), labelpad=2), axes_width(ax))


def _rows(ax: Axes, number: int) -> None:
    """Set rows from the top, without ticks."""
    ax.set_ylim(number - 0.5, -0.5)
    marks.bare(ax)


def _measure(ax: Axes, table: pd.DataFrame, columns: tuple[str, ...], limits: Mapping[str, float], language: str) -> None:
    """Draw measures over the numbers of topics, their limits dashed, shuffled text in grey, the choice in colour."""
    for column in columns:
        null = column.startswith(f"{columns[0]}_")
        style = LINES.get(column.removeprefix(columns[0]) if null else column, LINES["text"])
        ax.plot(table["topics"], table[column], **style | {"marker": "", "linewidth": 0.9, "zorder": 1})
        limit = limits.get(column, float("nan"))
        for number, row in enumerate(table.to_dict("records")):
            passed = "white" if row[column] < limit else style["markerfacecolor"]
            face = COLOURS["after"] if row["chosen"] and not null else passed
            mark = style | {"markersize": 2.4 if null else 3.8, "markerfacecolor": face, "clip_on": False, "zorder": 3}
            marks.of_row(ax.plot([row["topics"]], [row[column]], **mark)[0], number)
        if pd.notna(limit):
            ax.axhline(limit, color="#777777", linewidth=0.6, linestyle=(0, (3, 2)), zorder=0)
    if columns[0] != "coherence":
        ax.set_ylim(0, 1)
    ax.set_xticks(table["topics"].tolist())
    ax.locator_params(axis="y", nbins=5)
    fit_text(ax.set_xlabel(say("topics.number", language), labelpad=2), axes_width(ax))
