"""Real or not: stability and coherence by number of topics, against shuffled text, with the number that the rule chooses."""

from __future__ import annotations

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..choice import COHERENCE_MARGIN, LEAST_HALVES, LEAST_SUPPORT
from ..errors import FigureError
from ..messages import say
from .marks import draw_key, draw_title
from .style import COLOURS, add_axes, check_glyphs, fit_text, house_style, new_figure, width_mm

HEAD, BODY, FOOT, LEFT, MARGIN, LINE = 8.0, 36.0, 10.0, 10.0, 3.0, 3.8
PANELS = ("rule", "agreement", "coherence")
STYLES: dict[str, dict[str, Any]] = {
    "halves": {"color": COLOURS["ink"], "marker": "o", "linestyle": "-"},
    "weakest_support": {"color": COLOURS["ink"], "marker": "s", "linestyle": (0, (5, 1.5)), "markerfacecolor": "white"},
    "real": {"color": COLOURS["ink"], "marker": "o", "linestyle": "-"},
    "sentences": {"color": COLOURS["neutral"], "marker": "^", "linestyle": (0, (4, 1.5))},
    "tokens": {"color": "#a0a0a0", "marker": "v", "linestyle": (0, (1, 1.2)), "markerfacecolor": "white"},
}
LINES = {
    "rule": {"halves": "halves", "weakest_support": "weakest_support"},
    "agreement": {"agreement": "real", "agreement_sentences": "sentences", "agreement_tokens": "tokens"},
    "coherence": {"coherence": "real", "coherence_sentences": "sentences", "coherence_tokens": "tokens"},
}


def draw_choice(table: pd.DataFrame, *, width: str = "double", language: str = "both", figure: Figure | None = None) -> Figure:
    """Draw what the rule looks at (a), the agreement of single runs (b) and the coherence outside (c), by number of topics.

    Parameters
    ----------
    table
        `Topics.choice`, the table of :func:`~shinan_research.choice.examine`.
    width
        single (89 mm, panels stacked), onehalf (120 mm, stacked) or double (183 mm, side by side).
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
        raise FigureError("Nothing to draw: the table examines no number of topics.")
    across, beside = width_mm(width), width == "double"
    step = HEAD + BODY + FOOT
    room = (across - MARGIN) / 3 if beside else across - MARGIN
    keys = [(STYLES[name], say(f"choice.{name}", language)) for name in STYLES if name != "real"]
    keys.insert(2, (STYLES["real"], say("choice.real", language)))
    chosen = {"marker": "o", "color": COLOURS["after"], "markersize": 7, "markerfacecolor": "none"}
    foot = LINE * (2 if beside else 5)
    with house_style():
        figure = figure or new_figure(width, (1 if beside else 3) * step + foot + 1)
        for number, panel in enumerate(PANELS):
            left, top = (number * room, 0.0) if beside else (0.0, number * step)
            draw_title(figure, left + MARGIN, top + 3.4, "abc"[number], say(f"choice.{panel}", language), room=room - MARGIN)
            ax = add_axes(figure, left + LEFT, top + HEAD, room - LEFT - 1, BODY)
            _panel(ax, table, panel, language)
        entries = [({**style, "markersize": 4}, words) for style, words in keys]
        draw_key(figure, [*entries, (chosen, say("choice.chosen", language))], -foot + 0.5, left=MARGIN + 1.5)
        check_glyphs(figure)
    return figure


def _panel(ax: Axes, table: pd.DataFrame, panel: str, language: str) -> None:
    """Draw the lines of one panel, its limits, and a ring around the number chosen."""
    main = next(iter(LINES[panel]))
    for name, style in LINES[panel].items():
        ax.plot(table["topics"], table[name], markersize=3.4, linewidth=0.9, clip_on=False, **STYLES[style])
    ring = table[table["chosen"]]
    ax.plot(ring["topics"], ring[main], marker="o", color=COLOURS["after"], markersize=8, fillstyle="none", clip_on=False)
    limits = {"rule": (LEAST_HALVES, LEAST_SUPPORT), "coherence": (table["coherence"].max() - COHERENCE_MARGIN,)}.get(panel, ())
    for limit in limits:
        ax.axhline(limit, color="#777777", linewidth=0.5, linestyle=(0, (2, 2)), zorder=0)
    if panel == "coherence":
        ax.axhline(0, color="#333333", linewidth=0.5, zorder=0)
    else:
        ax.set_ylim(0, 1)
    ax.set_xticks(table["topics"].tolist())
    fit_text(ax.set_xlabel(say("choice.axis", language), labelpad=2), 50)
