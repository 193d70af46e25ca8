"""The panel of places: in which chapters the occurrences stand, and in which sense."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.patches import Rectangle

from ..counts import is_named
from ..errors import FigureError
from ..messages import say
from ..outline import PARTS
from . import marks
from .style import COLOURS, axes_width

HATCH: dict[str, Any] = {"edgecolor": "white", "linewidth": 0}
GAP_BETWEEN_PARTS = 350
NUMBER_WIDTH = 1.15


def compared_cells(cells: pd.DataFrame, shift: pd.DataFrame) -> pd.DataFrame:
    """Return the cells of the terms and reports that the table compares, with the side of each (before or after) and its row.

    Raises
    ------
    FigureError
        If the cells lack a term of the table.
    """
    cells = cells.assign(row=range(len(cells)))
    mine = cells[cells["term"].astype(str).isin(set(shift["term"]))]
    sides = [mine[is_named(mine, str(shift[role].iloc[0]))].assign(side=role) for role in ("before", "after")]
    chosen = pd.concat(sides, ignore_index=True)
    missing = [term for term in shift["term"] if term not in set(chosen["term"].astype(str))]
    if missing:
        raise FigureError(
            f"The occurrences lack {missing[0]!r}, which the table compares. Pass those of the same tokens and terms."
        )
    return chosen


def prepare_rows(ax: Axes, rows: dict[str, float]) -> None:
    """Set the rows of a panel: no ticks, no left spine, a rule between families."""
    ax.set_ylim(max(rows.values()) + 0.5, -0.5)
    marks.bare(ax)
    places = list(rows.values())
    for one, following in pairwise(places):
        if following - one > 1:
            ax.axhline((one + following) / 2, color=COLOURS["faint"], linewidth=0.5, linestyle=(0, (2, 2)), zorder=0)


def draw_places(
    cells: pd.DataFrame,
    *,
    ax: Axes,
    rows: dict[str, float] | None = None,
    language: str = "both",
    names: tuple[str, str] = ("", ""),
) -> Axes:
    """Draw each chapter as a cell as wide as it is long, shaded by count: above the group before, beneath the group after.

    `cells` is the table of :func:`~shinan_research.counts.count` with a column `side`: before or after. Parts are aligned
    between the two groups. The cells' counts sum to the counts; a number is written where it fits.
    """
    rows = rows or {term: float(place) for place, term in enumerate(dict.fromkeys(cells["term"].astype(str)))}
    prepare_rows(ax, rows)
    spans, right = _part_places(cells)
    millimetres = axes_width(ax) / right
    most = max(int(cells["count"].max()), 1)
    for cell in _placed(cells, spans).to_dict("records"):
        role = cell["side"]
        place = rows[str(cell["term"])] - (0.40 if role == "before" else -0.02)
        strength = float(np.sqrt(cell["count"] / most))
        face = _shade(COLOURS[role], strength) if cell["count"] else (1.0, 1.0, 1.0)
        frame = Rectangle((cell["x"], place), cell["han"], 0.38, facecolor=face, edgecolor="#b5b5b5", linewidth=0.3)
        ax.add_patch(marks.of_row(frame, cell["row"], table="cells") if cell["count"] and "row" in cell else frame)
        if cell.get("other", 0):
            part = cell["han"] * cell["other"] / cell["count"]
            ax.add_patch(Rectangle((cell["x"] + cell["han"] - part, place), part, 0.38, fill=False, hatch="//////", **HATCH))
        if cell["count"] and cell["han"] * millimetres >= NUMBER_WIDTH * len(str(cell["count"])):
            style: dict[str, Any] = {"ha": "center", "va": "center", "fontsize": 5.5, "color": ink_on(face)}
            middle, wide = cell["x"] + cell["han"] / 2, 0.8 * NUMBER_WIDTH * len(str(cell["count"])) / millimetres
            if cell.get("other", 0):  # the hatching must not run through the number
                ax.add_patch(Rectangle((middle - wide / 2, place + 0.05), wide, 0.28, facecolor=face, linewidth=0))
            ax.text(middle, place + 0.2, str(cell["count"]), **style)
    for part in ("review", "plan", "annex"):
        if part in spans:
            _part_label(ax, part, spans[part], language)
    ax.set_xlim(-right * 0.004, right * 1.004)
    ax.set_xticks([])
    ax.spines["bottom"].set_visible(False)
    key = "shift.places_senses" if "other" in cells and cells["other"].any() else "shift.places_axis"
    ax.set_xlabel(marks.two_lines(key, language, before=names[0], after=names[1]), labelpad=1, fontsize=6)
    return ax


def _part_label(ax: Axes, part: str, span: tuple[float, float], language: str) -> None:
    """Name a part above its cells; the annex, which is short, to the left of its end."""
    short = part == "annex"
    place = span[1] if short else (span[0] + span[1]) / 2
    ax.annotate(
        say(f"part.{part}", language), (place, 1), xycoords=("data", "axes fraction"), xytext=(0, 3), textcoords="offset points",
        ha="right" if short else "center", fontsize=6.5, color="#555555",
    )  # fmt: skip


def _part_places(cells: pd.DataFrame) -> tuple[dict[str, tuple[float, float]], float]:
    """Return the span of each part, aligned between the groups, and the right end, in Han characters."""
    one = cells[cells["term"] == cells["term"].iloc[0]]
    lengths = one.groupby(["part", "side"], observed=True)["han"].sum().groupby("part", observed=True).max()
    spans, position = {}, 0.0
    for part in PARTS:
        if part in lengths.index:
            spans[part] = (position, position + float(lengths[part]))
            position += float(lengths[part]) + GAP_BETWEEN_PARTS
    return spans, position - GAP_BETWEEN_PARTS


def _placed(cells: pd.DataFrame, spans: dict[str, tuple[float, float]]) -> pd.DataFrame:
    """Return the cells with their horizontal place, in Han characters."""
    inside = cells.groupby(["term", "side", "part"], observed=True)["han"].cumsum() - cells["han"]
    start = cells["part"].astype(str).map({part: span[0] for part, span in spans.items()}).astype(float)
    return cells.assign(x=inside + start)


def ink_on(face: tuple[float, ...]) -> str:
    """Return white or the colour of text, whichever stands out more on a colour: the contrast of WCAG 2.2.

    >>> ink_on((1.0, 1.0, 1.0)), ink_on((0.0, 0.2, 0.4))
    ('#1a1a1a', 'white')
    """
    ground, ink = luminance(face), luminance(to_rgb(COLOURS["ink"]))
    return "white" if 1.05 / (ground + 0.05) > (ground + 0.05) / (ink + 0.05) else COLOURS["ink"]


def luminance(colour: tuple[float, ...]) -> float:
    """Return the relative luminance of an sRGB colour, from 0 (black) to 1 (white), as WCAG 2.2 defines it."""
    red, green, blue = (value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _shade(colour: str, strength: float) -> tuple[float, ...]:
    """Return a colour mixed with white, from a light tint to full strength."""
    weight = 0.25 + 0.75 * strength
    return tuple(1 - weight * (1 - int(colour[i : i + 2], 16) / 255) for i in (1, 3, 5))
