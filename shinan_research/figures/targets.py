"""Announced and reported: outcome against target (a), verdicts (b), claimed and implied growth (c), what stands unchanged (d)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from ..announced import counts, printed, themes
from ..errors import FigureError
from ..links import NOT_FOUND
from ..messages import say
from . import marks, style
from .claims import claim_key, draw_carried, draw_claims, keep_end, listed
from .style import COLOURS, add_text, axes_width, fit_text, text_width

VERDICT_COLOURS = {"met": "#00735C", "missed": "#E08A1E", "partly": "#6FA89B"}
OTHER = "#8a8a8a"
SMALL: dict[str, Any] = {"markersize": 3.6, "color": "#555555", "markeredgewidth": 0.7}
MARGIN_MARKS: dict[str, dict[str, Any]] = {
    NOT_FOUND: {"marker": "o", "markerfacecolor": "white"},
    "blanket claim": {"marker": "D", "markerfacecolor": "white", "markersize": 2.9},
    "not comparable": {"marker": "x"},
    "not yet due": {"marker": "^", "markerfacecolor": "white"},
}
FRAME = 4.0
SQUARE = 2.2
HEAD, FOOT, KEY, COLUMNS, APART, CAUTION = 10.0, 8.0, 3.6, 23.5, 8.0, 2.8


class Layout(NamedTuple):
    """Measures in millimetres, and squares in a line; `beside` puts the lower panels right of the first, `pair` abreast.

    Only where it is `glossed` has a figure in both languages room for the gloss of each row.
    """

    label: float
    axis: float
    values: float
    row: float
    theme: float
    claim: float
    side: float
    squares: int
    beside: bool
    pair: bool
    glossed: bool


LAYOUTS = {
    "double": Layout(40, 38, 30, 3.5, 5.0, 9.5, 65, 10, True, False, True),
    "onehalf": Layout(41, 44, 32, 3.3, 4.7, 6.6, 57, 7, False, True, False),
    "single": Layout(34, 27, 26, 2.9, 4.1, 5.6, 87, 20, False, False, False),
}


def draw_targets(
    targets: pd.DataFrame,
    claims: pd.DataFrame,
    carried: pd.DataFrame | None = None,
    *,
    glosses: Mapping[str, str] | None = None,
    width: str = "double",
    language: str = "both",
    figure: Figure | None = None,
) -> Figure:
    """Draw announced targets of one report: outcome against target (a), verdicts (b), claimed and implied growth (c).

    At double width a table of what stands unchanged in both reports (d) follows, if it is given.

    Parameters
    ----------
    targets
        The table of :func:`~shinan_research.announced.place_targets` for the targets of one report.
    claims
        The table of :func:`~shinan_research.targets.growth_claims`, perhaps empty.
    carried
        The table of :func:`~shinan_research.targets.unchanged`, of reviews, plans, or both.
    glosses, width, language, figure
        As in :func:`~shinan_research.figures.draw_shift`, with glosses of indicators and themes; only at double width
        do the three panels stand beside one another.

    Raises
    ------
    FigureError
        If there is no target, or those of several reports, or a character has no glyph.
    """
    if targets["report"].nunique() != 1:
        found = ", ".join(sorted(set(targets["report"].astype(str)))) or "none"
        raise FigureError(f"Expected the targets of one report; given: {found}. Choose it with choose_pair.")
    style.width_mm(width)
    targets = targets.assign(row=range(len(targets)))
    layout, names = LAYOUTS[width], glosses or {}
    with style.house_style():
        small = names if language == "both" and layout.glossed else {}
        places, body = _places(targets, layout, small)
        lines, size = listed(carried, small) if carried is not None and layout.beside else ([], 0.0)
        sizes = (*_sizes(targets, claims, layout), size)
        figure = figure or style.new_figure(width, _height(layout, body, sizes))
        names = names if layout.glossed or language == "en" else {}
        _compose(figure, targets, claims, layout, language, names, (places, body), (sizes, lines))
        style.check_glyphs(figure)
    return figure


def _places(targets: pd.DataFrame, layout: Layout, glosses: Mapping[str, str]) -> tuple[list[tuple[float, str, Any]], float]:
    """Return the middle of each theme and of each target that has a ratio, in millimetres from the top, and the end."""
    places: list[tuple[float, str, Any]] = []
    at = 0.0
    for theme, rows in themes(targets):
        places.append((at + layout.theme / 2 + 0.4, theme, rows[rows["ratio"].isna()]))
        at += layout.theme
        for row in rows[rows["ratio"].notna()].to_dict("records"):
            step = layout.row + (1.9 if row["indicator"] in glosses else 0.0)
            places.append((at + step / 2, "", row))
            at += step
    return places, at + 1.0


def _step(n: int, squares: int) -> float:
    """Return the height of one verdict's squares."""
    return max(5.4, SQUARE * math.ceil(n / squares) + 1.6)


def _sizes(targets: pd.DataFrame, claims: pd.DataFrame, layout: Layout) -> tuple[float, float]:
    """Return the heights of the panels of verdicts and of claims."""
    return sum(_step(n, layout.squares) for n in counts(targets).values()), layout.claim * max(len(claims), 1)


def _height(layout: Layout, body: float, sizes: tuple[float, float, float]) -> float:
    """Return the height of the figure in millimetres."""
    left = HEAD + body + FOOT + 2 * KEY + (CAUTION if layout.beside else 0)
    verdicts, claims = HEAD + 3 + sizes[0], HEAD + sizes[1] + FOOT + (2 * KEY + 3 if layout.pair else KEY)
    if layout.beside:
        return max(left, verdicts + APART + claims + (APART + 5 + sizes[2] if sizes[2] else 0) + CAUTION)
    return left + 3 + (max(verdicts, claims) if layout.pair else verdicts + 2 + claims) + CAUTION


def _compose(
    figure: Figure, targets: pd.DataFrame, claims: pd.DataFrame, layout: Layout, language: str, glosses: Mapping[str, str],
    rows: tuple[list[tuple[float, str, Any]], float], table: tuple[tuple[float, float, float], list[tuple[float, str, Any]]],
) -> None:  # fmt: skip
    """Place the panels with their titles and keys, and say at the foot that nothing was verified."""
    (places, body), (sizes, lines) = rows, table
    right = layout.label + layout.axis + layout.values
    draw_outcomes(style.add_axes(figure, layout.label, HEAD, layout.axis, body), places, body, language=language)
    _names(figure, places, layout, language, glosses)
    _values(figure, places, layout, language)
    below = HEAD + body + FOOT
    left, top = (right + 9, 0.0) if layout.beside else (1.0, below + 2 * KEY + 3)
    second = left + layout.side + 4 if layout.pair else left
    lower = top if layout.pair else top + HEAD + 3 + sizes[0] + (APART if layout.beside else 2)
    verdicts = style.add_axes(figure, left, top + HEAD + 3, layout.side, sizes[0])
    draw_verdicts(targets, ax=verdicts, squares=layout.squares, language=language)
    ax = style.add_axes(figure, second, lower + HEAD, layout.side, sizes[1])
    draw_claims(claims, ax=ax, language=language, names=glosses if language == "en" else {})
    titles = [("a", "ratio", 1.0, 0.0), ("b", "verdicts", left, top), ("c", "claims", second, lower)]
    if lines:
        last = lower + HEAD + sizes[1] + FOOT + KEY + APART
        draw_carried(figure, lines, (left, last + 5, layout.side), language=language, names=glosses)
        titles.append(("d", "carried", left, last))
    for letter, key, x, y in titles:
        marks.draw_title(figure, x, y + 2.4, letter, say(f"targets.{key}", language), room=layout.side)
    marks.draw_key(figure, _mark_key(targets, language), below + 1.6, left=2.0, right=right, gap=3.2)
    if len(claims):
        foot = lower + HEAD + sizes[1] + FOOT + (4.6 if layout.pair else 1.6)
        marks.draw_key(figure, claim_key(claims, language), foot, left=second + 1.0, right=second + layout.side, gap=3.2)
    caution = add_text(figure, 1.0, style.size_mm(figure)[1] - 1.6, say("targets.caution", language), fontsize=6, va="center")
    caution.set_color("#666666")


def _mark(row: Mapping[Any, Any]) -> dict[str, Any]:
    """Return the mark of a target with a ratio: its colour says the verdict, its shape whether the basis is the same."""
    colour = VERDICT_COLOURS.get(row["verdict"], OTHER)
    shape = "o" if row["basis"] == "same" else "s"
    return {"marker": shape, "color": colour, "markersize": 4.2 if shape == "o" else 3.8, "markeredgewidth": 0.5}


def draw_outcomes(ax: Axes, places: list[tuple[float, str, Any]], body: float, *, language: str) -> Axes:
    """Draw the ratio of outcome to target; one beyond the frame, or below zero, stands at its edge with an arrow."""
    rows = [(at, row) for at, theme, row in places if not isinstance(row, pd.DataFrame)]
    powers = [_power(row["ratio"]) for _, row in rows]
    low, high = min([-1.0, *powers]) - 0.4, max([1.0, *powers]) + 0.4
    for (at, row), power in zip(rows, powers, strict=True):
        _outcome(ax, at, row, power, low)
    ax.axvline(0, color="#333333", linewidth=0.6, zorder=1)
    ax.set(xlim=(low, high), ylim=(body, 0))
    marks.bare(ax)
    ax.patch.set_visible(False)
    ticks = [tick for tick in range(-4, 5) if low <= tick <= high]
    ax.set_xticks(ticks, [marks.power_label(tick) if tick else "1" for tick in ticks])
    ax.set_xlabel(say("targets.ratio_axis", language), labelpad=1.5)
    return ax


def _power(ratio: float) -> float:
    """Return log2 of a ratio within the frame; zero or less stands at its lower end."""
    return -FRAME if ratio <= 0 else min(max(math.log2(ratio), -FRAME), FRAME)


def _outcome(ax: Axes, at: float, row: Mapping[Any, Any], power: float, low: float) -> None:
    """Draw one target: a line from 1 to its mark, an arrow where it leaves the frame, and one at the left if lower is met."""
    colour = VERDICT_COLOURS.get(row["verdict"], OTHER)
    ax.plot([0, power], [at, at], color=colour, alpha=0.35, linewidth=1.2, solid_capstyle="butt", zorder=2)
    marks.of_row(ax.plot([power], [at], linestyle="none", zorder=4, clip_on=False, **_mark(row))[0], row["row"])
    if abs(power) == FRAME:
        end, arrow = (power - 0.3, "<") if power < 0 else (power + 0.3, ">")
        ax.plot([end], [at], marker=arrow, color=colour, markersize=2.8, linestyle="none", clip_on=False)
    if row["side"] == "at most":
        ax.plot([low], [at], marker="<", color="#333333", markersize=3, linestyle="none", zorder=3, clip_on=False)


def _names(
    figure: Figure, places: list[tuple[float, str, Any]], layout: Layout, language: str, glosses: Mapping[str, str]
) -> None:
    """Write themes and indicators left of the axis; where a name is too long its end stays, for the head noun stands there."""
    right = layout.label - 2.2
    options: dict[str, Any] = {"ha": "right", "va": "center"}
    glossed = []
    for at, theme, row in places:
        if isinstance(row, pd.DataFrame):
            _rule(figure, HEAD + at - layout.theme / 2 - 0.1, layout)
            name = {"zh": theme, "en": glosses.get(theme, theme)}.get(language, f"{theme} {glosses.get(theme, '')}".strip())
            fit_text(add_text(figure, 1.0, HEAD + at, name or "·", fontweight="bold", va="center"), layout.label + 12)
            continue
        gloss = glosses.get(row["indicator"], "")
        small = gloss if language == "both" else ""
        if language == "en" and gloss:
            glossed.append(add_text(figure, right, HEAD + at, gloss, **options))
            fit_text(glossed[-1], right - 2.5)
            continue
        keep_end(add_text(figure, right, HEAD + at - (0.95 if small else 0), row["indicator"], **options), right - 2.5)
        if small:
            fit_text(add_text(figure, right, HEAD + at + 1.35, small, fontsize=5.5, color="#666666", **options), right - 2.5)
    for text in glossed:
        text.set_fontsize(min(each.get_fontsize() for each in glossed))


def _rule(figure: Figure, at: float, layout: Layout) -> None:
    """Draw a faint line above a theme."""
    across, down = style.size_mm(figure)
    ends = [1.0 / across, (layout.label + layout.axis + layout.values) / across]
    figure.add_artist(Line2D(ends, [1 - at / down] * 2, color=COLOURS["faint"], linewidth=0.4, zorder=0))


def _values(figure: Figure, places: list[tuple[float, str, Any]], layout: Layout, language: str) -> None:
    """Write both values right of the axis, and beside each theme the marks of its targets without a ratio."""
    left, room = layout.label + layout.axis + 2.4, layout.values - 2.4
    head = add_text(figure, left, HEAD - 2.4, say("targets.values", language), fontsize=6, va="center", color="#555555")
    fit_text(head, room)
    for at, _, row in places:
        if isinstance(row, pd.DataFrame):
            _margin(figure, row, left + 1.0, HEAD + at, room - 1)
        else:
            colour = "#8a4b00" if row["verdict"] == "missed" else "#444444"
            fit_text(add_text(figure, left, HEAD + at, printed(row), fontsize=6.5, va="center", color=colour), room)


def _margin(figure: Figure, rows: pd.DataFrame, left: float, at: float, room: float) -> None:
    """Draw one mark for each target of a theme without a ratio, those of one verdict together, and their number."""
    found = counts(rows)
    total = sum(found.values())
    each = total * 2.4 + 4 <= room
    x = left
    for verdict, n in found.items():
        places = list(rows.loc[rows["verdict"] == verdict, "row"])
        for chosen in [[one] for one in places] if each else [places]:
            point = MARGIN_MARKS.get(verdict, {"marker": "o", "color": VERDICT_COLOURS.get(verdict, OTHER)})
            marks.of_row(marks.put_mark(figure, x, at, **SMALL | point), *chosen)
            x += 2.4
        if not each:
            text = add_text(figure, x - 0.6, at, f"×{n}", fontsize=6, va="center", color="#555555")
            x += text_width(text) + 1.4
    if each and total:
        add_text(figure, x, at, str(total), fontsize=6, va="center", color="#555555")


def _mark_key(targets: pd.DataFrame, language: str) -> list[tuple[dict[str, Any], str]]:
    """Return marks and words of the key of the first panel, for what occurs."""
    drawn = targets[targets["ratio"].notna()]
    items: list[tuple[dict[str, Any], str]] = [
        ({"marker": "o", "color": colour, "markersize": 4}, say(f"targets.key_{verdict}", language))
        for verdict, colour in VERDICT_COLOURS.items() if (drawn["verdict"] == verdict).any()
    ]  # fmt: skip
    if (drawn["basis"] != "same").any():
        items.append(({"marker": "s", "color": OTHER, "markersize": 3.8}, say("targets.key_basis", language)))
    if (drawn["side"] == "at most").any():
        items.append(({"marker": "<", "color": "#333333", "markersize": 3}, say("targets.key_least", language)))
    without = counts(targets[targets["ratio"].isna()])
    items += [(SMALL | MARGIN_MARKS[one], say(f"verdicts.{one}", language)) for one in without if one in MARGIN_MARKS]
    return items


def draw_verdicts(targets: pd.DataFrame, *, ax: Axes, squares: int, language: str) -> Axes:
    """Draw one square per target by verdict, pale where the basis differs, with counts of all and of the same basis."""
    wide, same = axes_width(ax), targets[targets["basis"] == "same"]
    left, columns, alike, at = wide - COLUMNS - SQUARE * squares, (wide - 17.5, wide - 6.5), counts(same), 0.0
    for verdict, n in counts(targets).items():
        step = _step(n, squares)
        words = marks.two_lines(f"verdicts.{verdict}", language)
        fit_text(ax.text(0, at + step / 2, words, va="center", fontsize=6.5, linespacing=1.1), left - 1.5)
        mine = targets[targets["verdict"] == verdict].assign(pale=lambda rows: ~rows["basis"].isin(["same", ""]))
        _squares(ax, (left, at + (step - SQUARE * math.ceil(n / squares)) / 2), mine, squares)
        for x, some, total in zip(columns, (n, alike.get(verdict, 0)), (len(targets), len(same)), strict=True):
            share = f"{100 * some / total:.0f}%" if some else ""
            ax.text(x, at + step / 2 - (1.1 if share else 0), str(some) if some else "–", ha="center", va="center")
            ax.text(x, at + step / 2 + 1.5, share, ha="center", va="center", fontsize=5.5, color="#666666")
        at += step
    for x, key, total in zip(columns, ("all", "same"), (len(targets), len(same)), strict=True):
        words = f"{marks.two_lines(f'targets.{key}', language)}\nn = {total}"
        ax.text(x, -1.0, words, ha="center", va="bottom", fontsize=6, color="#555555", linespacing=1.1)
    ax.set(xlim=(0, wide), ylim=(at, 0))
    ax.set_axis_off()
    return ax


def _squares(ax: Axes, corner: tuple[float, float], rows: pd.DataFrame, per_line: int) -> None:
    """Draw the targets of one verdict as squares in lines, pale ones last; hollow where nothing was found."""
    for i, row in enumerate(rows.sort_values("pale", kind="stable").to_dict("records")):
        colour = VERDICT_COLOURS.get(row["verdict"], OTHER)
        face = "white" if row["verdict"] == NOT_FOUND else colour
        place = (corner[0] + SQUARE * (i % per_line), corner[1] + SQUARE * (i // per_line))
        alpha = 0.45 if row["pale"] else 1.0
        square = Rectangle(place, 1.8, 1.8, facecolor=face, edgecolor=colour, linewidth=0.5, alpha=alpha)
        ax.add_patch(marks.of_row(square, row["row"]))
