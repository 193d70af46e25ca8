"""The course of terms or topics over many years: one panel each, one line a group, and bands that say what they rest on."""

from __future__ import annotations

from itertools import pairwise
from math import ceil
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from ..errors import FigureError
from ..messages import say
from ..series import BASES, label
from .style import COLOURS, MARKERS, MILLIMETRES, add_axes, add_text, check_glyphs, fit_text, house_style, new_figure, width_mm

COLUMNS = {"single": 1, "onehalf": 2, "double": 3}
KEYS = {"single": 2, "onehalf": 3, "double": 7}  # entries of the key in one line
KEY_LINE = 3.8
HEAD, TITLE, BODY, FOOT, LEFT, MARGIN = 9.0, 5.5, 30.0, 6.0, 9.0, 3.0
STYLES: tuple[dict[str, Any], ...] = (
    {"color": COLOURS["before"], "marker": MARKERS["before"], "linestyle": "-"},
    {"color": COLOURS["after"], "marker": MARKERS["after"], "linestyle": (0, (5, 1.5))},
    {"color": COLOURS["ink"], "marker": "^", "linestyle": (0, (1, 1))},
    {"color": COLOURS["neutral"], "marker": "s", "linestyle": (0, (4, 1, 1, 1))},
)


def draw_series(
    table: pd.DataFrame,
    places: pd.DataFrame | None = None,
    *,
    glosses: dict[str, str] | None = None,
    width: str = "double",
    language: str = "both",
    figure: Figure | None = None,
) -> Figure:
    """Draw the rate of each term over the years, a line for each group with its band.

    Parameters
    ----------
    table
        The table of :func:`~shinan_research.series.series`, of up to four groups.
    places
        The same with every place as its own group, drawn as faint lines behind.
    glosses
        English glosses of the terms.
    width
        single (89 mm, one column of panels), onehalf (120 mm, two) or double (183 mm, three).
    language
        zh, en or both.
    figure
        An empty figure to draw into; its size is kept.

    Raises
    ------
    FigureError
        If the table is empty, holds more groups than can be told apart, or a character has no glyph.
    """
    return _draw(table, places, glosses or {}, (width, language), "series.axis", figure)


def draw_topic_trend(
    table: pd.DataFrame, *, width: str = "double", language: str = "both", figure: Figure | None = None
) -> Figure:
    """Draw the share of each topic over the years, a line for each group with its band.

    Parameters
    ----------
    table
        The table of :func:`~shinan_research.prevalence.topic_trend`, of up to four groups.
    width, language, figure
        As in :func:`draw_series`.

    Raises
    ------
    FigureError
        As for :func:`draw_series`.
    """
    english = language == "en"
    names = table["topic"] + "  " + table["label_en" if english else "label"]
    glosses = dict(zip(names, table["label_en"], strict=True)) if language == "both" else {}
    other = {name: gloss for name, gloss in glosses.items() if not name.endswith(gloss)}
    rates = {"rate": 100 * table["share"], "low": 100 * table["low"], "high": 100 * table["high"]}
    percent = {name: values.fillna(100 * table["share"]) for name, values in rates.items()}
    return _draw(table.assign(term=names, basis=BASES[0], **percent), None, other, (width, language), "topics.percent", figure)


def _draw(
    table: pd.DataFrame, places: pd.DataFrame | None, glosses: dict[str, str], shape: tuple[str, str], axis: str,
    figure: Figure | None,
) -> Figure:  # fmt: skip
    """Draw one panel a term; `shape` is width and language."""
    width, language = shape
    terms, groups = list(dict.fromkeys(table["term"])), list(dict.fromkeys(table["group"]))
    if not terms or len(groups) > len(STYLES):
        raise FigureError(
            f"The table holds {len(groups)} groups; from 1 to {len(STYLES)} can be told apart in one panel. Put places into "
            "groups, as in series(tokens, terms, groups={…}), and pass the single places as `places`."
        )
    across = width_mm(width)
    lines = ceil(len(terms) / COLUMNS[width])
    columns = ceil(len(terms) / lines)
    single = places is not None and set(places["group"]) != set(groups)
    with house_style():
        marks, words = _key(table, groups, single, language)
        head = HEAD + KEY_LINE * (ceil(len(marks) / KEYS[width]) - 1)
        figure = figure or new_figure(width, head + lines * (TITLE + BODY + FOOT))
        room = (across - MARGIN) / columns
        for place, term in enumerate(terms):
            top, left = head + place // columns * (TITLE + BODY + FOOT) + TITLE, LEFT + place % columns * room
            ax = add_axes(figure, left, top, room - LEFT - MARGIN, BODY)
            behind = None if places is None else places[places["term"] == term]
            draw_course(table[table["term"] == term], behind, groups=groups, ax=ax)
            gloss = glosses.get(term, "") if language != "zh" else ""
            title = add_text(figure, left, top - 1.6, f"{term}  {gloss}".strip(), fontsize=8, fontweight="bold", va="bottom")
            fit_text(title, room - LEFT)
        fit_text(add_text(figure, MARGIN, 2.8, say(axis, language), fontsize=7, va="center"), across / 2)
        down = figure.get_size_inches()[1] * MILLIMETRES
        figure.legend(
            marks, words, loc="upper left", bbox_to_anchor=(MARGIN / across, 1 - 4.6 / down), ncols=min(KEYS[width], len(marks)),
            fontsize=6.5, frameon=False, handlelength=2.2, columnspacing=1.4, borderpad=0, borderaxespad=0,
        )  # fmt: skip
        check_glyphs(figure)
    return figure


def draw_course(table: pd.DataFrame, places: pd.DataFrame | None = None, *, groups: list[str], ax: Axes) -> Axes:
    """Draw one term: faint lines of single places, then each group's band, line and marks; a missing year breaks the line."""
    for _, rows in places.groupby("group", sort=True) if places is not None else ():
        for run in _runs(rows):
            ax.plot(run["year"], run["rate"], color=COLOURS["faint"], linewidth=0.5, zorder=1)
    for style, group in zip(STYLES, groups, strict=False):
        for run in _runs(table[table["group"] == group]):
            year, low, high = run["year"], run["low"], run["high"]
            if run["basis"].iloc[0] == BASES[2]:
                for end in (low, high):
                    ax.plot(year, end, color=style["color"], linewidth=0.5, linestyle=(0, (1, 2)), zorder=2)
            elif len(run) > 1:
                ax.fill_between(year, low, high, color=style["color"], alpha=0.16, linewidth=0, zorder=2)
            else:
                ax.plot([year.iloc[0]] * 2, [low.iloc[0], high.iloc[0]], color=style["color"], linewidth=0.7, zorder=2)
            size = 3.2 if len(table) <= 40 * len(groups) else 1.6
            ax.plot(year, run["rate"], linewidth=1.0, markersize=size, zorder=3, **style)
    first, last = int(table["year"].min()), int(table["year"].max())
    ax.set_xlim(first - 0.5, last + 0.5)
    ax.set_ylim(0, None)
    ax.xaxis.set_major_locator(MaxNLocator(nbins=5, integer=True, min_n_ticks=1))
    ax.yaxis.set_major_locator(MaxNLocator(nbins=4))
    ax.tick_params(labelsize=6.5)
    return ax


def _runs(rows: pd.DataFrame) -> list[pd.DataFrame]:
    """Return the rows in stretches of consecutive years that rest on the same basis."""
    rows = rows.sort_values("year")
    pairs = pairwise(zip(rows["year"], rows["basis"], strict=True))
    breaks = [place + 1 for place, (one, two) in enumerate(pairs) if two[0] - one[0] > 1 or one[1] != two[1]]
    ends = [0, *breaks, len(rows)]
    return [rows.iloc[start:end] for start, end in pairwise(ends) if end > start]


def _key(table: pd.DataFrame, groups: list[str], single: bool, language: str) -> tuple[list[Any], list[str]]:
    """Return marks and words that explain lines and bands; `single` if places are drawn behind the groups."""
    settings, one = table.attrs["settings"], "zh" if language == "both" else language
    marks: list[Any] = [Line2D([], [], linewidth=1.0, markersize=3.2, **style) for style, _ in zip(STYLES, groups, strict=False)]
    words = [label(group, settings, one) for group in groups]
    if set(table["basis"]) & set(BASES[:2]):
        marks.append(Patch(color=COLOURS["neutral"], alpha=0.3, linewidth=0))
        words.append(say("series.band", one, level=f"{100 * settings['level']:g}"))
    if BASES[2] in set(table["basis"]):
        marks.append(Line2D([], [], color=COLOURS["neutral"], linewidth=0.7, linestyle=(0, (1, 2))))
        words.append(say("series.described", one, fewest=settings["fewest_places"]))
    if single:
        marks.append(Line2D([], [], color=COLOURS["faint"], linewidth=0.7))
        words.append(say("series.places", one))
    return marks, words
