"""What the figures draw alike: marks by verdict, the axis of ratios, intervals, labels, titles and keys.

All places are millimetres from the figure's left and top edges unless an axes is given. A mark that stands for a row of the
data table is passed through :func:`of_row`, so that a page can lead from the mark to the row.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Text

from ..messages import LANGUAGES, say
from .style import COLOURS, MARKERS, add_text, fit_text, size_mm, text_width

Style = Mapping[str, Any]
Drawn = TypeVar("Drawn", bound=Artist)
MARKS: dict[str, dict[str, Any]] = {
    "moved": {"marker": "o"},
    "fragile": {"marker": "o", "fillstyle": "left", "markerfacecoloralt": "white"},
    "none": {"marker": "o", "markerfacecolor": "white"},
    "untested": {"marker": "x", "markerfacecolor": "none"},
    "described": {"marker": "s", "markerfacecolor": "white"},
}
MARK_OF = {
    "higher": "moved", "lower": "moved", "fragile": "fragile", "no evidence": "none", "too rare": "untested",
    "too concentrated": "untested", "description only": "described",
}  # fmt: skip
EVEN_TICKS = (-4, -2, 0, 2, 4)
CHAPTERS = {"single": 36.0, "onehalf": 45.0, "double": 60.0}  # millimetres for the titles of chapters


def of_row(artist: Drawn, *rows: int, table: str = "") -> Drawn:
    """Say which rows of a published table a mark stands for, and return the mark.

    `rows` are positions from 0 in the table passed to :func:`~shinan_research.publish.publish` as `data` (or in the one named
    `table` there). An artist of several marks, such as a line of dots or a collection, names one row for each, in the order
    in which it draws them. Nothing that is seen changes.
    """
    artist.set_gid(".".join(["row", table, *map(str, rows)]))
    return artist


def put_mark(figure: Figure, left: float, top: float, **style: Any) -> Line2D:
    """Put one mark, without a line, at a place in millimetres."""
    across, down = size_mm(figure)
    mark = Line2D([left / across], [1 - top / down], **({"linestyle": "none"} | style))
    figure.add_artist(mark)
    return mark


def group_mark(role: str) -> dict[str, Any]:
    """Return the mark of a group of reports, before or after, for keys and titles."""
    return {"marker": MARKERS[role], "color": COLOURS[role], "markersize": 4.4}


def verdict_mark(verdict: str, *, colour: str = COLOURS["ink"], **style: Any) -> dict[str, Any]:
    """Return the mark of a verdict: filled, half filled, hollow or crossed; `style` overrules size and edge."""
    plain = {"color": colour, "markerfacecolor": colour, "markersize": 4, "markeredgewidth": 0.7, "linestyle": "none"}
    return plain | MARKS[MARK_OF[verdict]] | style


def verdict_key(verdicts: Iterable[str], language: str) -> list[tuple[Style, str]]:
    """Return marks and words of a key for the verdicts that occur, to be passed to :func:`draw_key`."""
    first = {MARK_OF[verdict]: verdict for verdict in reversed(MARK_OF) if verdict in set(verdicts)}
    return [(verdict_mark(first[mark]), say(f"shift.key_{mark}", language)) for mark in MARKS if mark in first]


def draw_key(
    figure: Figure, entries: Iterable[tuple[Style, str]], top: float, *, left: float = 3.0, right: float = 0.0, gap: float = 4.0
) -> None:
    """Write marks with their words in a line, which breaks where it would pass `right`; without a mark, words alone.

    A negative `top` is counted from the figure's foot; `right` is by default the figure's edge.
    """
    across, down = size_mm(figure)
    x, y, right = left, top % down, right or across - 1
    for style, words in entries:
        shift = 1.8 if style else -1.2
        text = add_text(figure, x + shift, y, words, va="center", fontsize=6.5, color="#333333")
        if x > left and x + shift + text_width(text) > right:
            x, y = left, y + 3.6
            text.set_position(((x + shift) / across, 1 - y / down))
        if style:
            put_mark(figure, x, y, **style)
        x += shift + text_width(text) + gap


def draw_title(figure: Figure, left: float, top: float, letter: str, words: str, *, room: float = 0.0) -> Text:
    """Write letter and title of a panel, made to fit `room` millimetres if that is given."""
    text = add_text(figure, left, top, f"{letter}  {words}".strip(), fontsize=8, fontweight="bold", va="center")
    if room:
        fit_text(text, room)
    return text


def draw_head(figure: Figure, x: float, bottom: float, words: str, *, ha: str = "center") -> Text:
    """Write the head of a column of numbers, small and grey, its foot at `bottom`."""
    return add_text(figure, x, bottom, words, ha=ha, va="bottom", fontsize=6, color="#555555")


def draw_label(
    figure: Figure, right: float, y: float, term: str, gloss: str = "", *, room: float, lift: tuple[float, float] = (1.3, 1.8)
) -> None:
    """Write a term, and its gloss beneath it, ending at `right`; the wide reading of a term carries a plus.

    Words that are too long and have no gloss are broken into two lines.
    """
    name = term.removesuffix(" (wide)")
    options: dict[str, Any] = {"ha": "right", "va": "center"}
    words = f"{name}＋" if name != term else name
    text = add_text(figure, right, y - (lift[0] if gloss else 0), words, fontsize=8, color=COLOURS["ink"], **options)
    n = len(words)
    blanks = [place for place in range(5, n) if words[place] == " "]
    if blanks and not gloss and text_width(text) > room:
        middle = min(blanks, key=lambda place: abs(2 * place - n))
        text.set(text=f"{words[:middle]}\n{words[middle + 1 :]}", fontsize=6.5, linespacing=0.95)
    fit_text(text, room)
    if gloss:
        fit_text(add_text(figure, right, y + lift[1], gloss, fontsize=6, color="#666666", **options), room)


def bare(ax: Axes) -> None:
    """Take ticks and spine off the left of axes whose rows are labelled otherwise."""
    ax.set_yticks([])
    ax.spines["left"].set_visible(False)


def ratio_axis(ax: Axes, low: float, high: float, *, shown: Iterable[int] = EVEN_TICKS) -> None:
    """Scale axes for log2 ratios from `low` to `high`: ÷4, =, ×4 at the powers `shown`, the others as small ticks."""
    ax.axvline(0, color="#333333", linewidth=0.5, zorder=0)
    ax.set_xlim(low - 0.15, high + 0.15)
    major = [power for power in shown if low <= power <= high]
    ax.set_xticks(major, [power_label(power) for power in major])
    ax.set_xticks([power for power in range(-9, 10) if low <= power <= high and power not in major], minor=True)


def power_label(power: int) -> str:
    """Return the tick label of a power of two: ÷4, = or ×4."""
    return f"{'÷' if power < 0 else '×'}{2 ** abs(power)}" if power else "="


def draw_intervals(
    ax: Axes, place: float, row: Mapping[Any, Any], frame: tuple[float, float], *, thick: float = 2.2, colour: str = "#666666"
) -> None:
    """Draw both intervals of a row, the inner one thick, with an arrow where the outer one leaves the frame."""
    for low, high, width in ((row["low"], row["high"], 0.7), (row["low_inner"], row["high_inner"], thick)):
        ax.plot(np.clip([low, high], *frame), [place] * 2, color=colour, linewidth=width, solid_capstyle="butt", zorder=1)
    for edge, outside in ((frame[0], row["low"] < frame[0]), (frame[1], row["high"] > frame[1])):
        if outside:
            draw_arrow(ax, edge, place, frame, color=colour)


def draw_arrow(ax: Axes, x: float, y: float, frame: tuple[float, float], **style: Any) -> None:
    """Draw a small arrow at an edge of the frame: what is meant lies beyond it."""
    marker = "<" if x < sum(frame) / 2 else ">"
    plain: dict[str, Any] = {"color": "#777777", "markersize": 2.8, "linestyle": "none", "clip_on": False}
    ax.plot([x], [y], marker=marker, **(plain | style))


def two_lines(key: str, language: str, **values: object) -> str:
    """Return a message in one language, or in both on two lines."""
    return "\n".join(say(key, one, **values) for one in LANGUAGES if language in (one, "both"))


def stacked(key: str, language: str) -> str:
    """Return a message for the head of a column: where both languages are asked for, one line in each."""
    return "\n".join(say(key, one) for one in (("zh", "en") if language == "both" else (language,)))


def short(language: str) -> str:
    """Return the language of words for which there is room once: Chinese where both are asked for."""
    return "zh" if language == "both" else language
