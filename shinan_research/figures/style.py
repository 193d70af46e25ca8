"""Widths, colours by role, fonts, and the check that every glyph can be drawn."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.resources import as_file
from pathlib import Path

import matplotlib as mpl
import matplotlib.style
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

from ..dictionary import RESOURCES
from ..errors import FigureError

FAMILY = "Shinan Sans SC"
FONT_FILES = ("ShinanSansSC-Regular.ttf", "ShinanSansSC-Bold.ttf")
INSTALLED_FONTS = (
    "Noto Sans CJK SC",
    "Noto Sans SC",
    "Source Han Sans SC",
    "PingFang SC",
    "Microsoft YaHei",
    "SimHei",
    "WenQuanYi Micro Hei",
)
WIDTHS = {"single": 89.0, "onehalf": 120.0, "double": 183.0}
MILLIMETRES = 25.4
SMALLEST_TEXT = 4.8
COLOURS = {"before": "#0072B2", "after": "#D55E00", "neutral": "#777777", "ink": "#1a1a1a", "faint": "#c9c9c9"}
MARKERS = {"before": "o", "after": "D"}


def width_mm(width: str) -> float:
    """Return a named width in millimetres: single 89, onehalf 120, double 183.

    Raises
    ------
    FigureError
        If there is no such width.
    """
    if width not in WIDTHS:
        raise FigureError(f"width is {width!r}; allowed: {', '.join(WIDTHS)}.")
    return WIDTHS[width]


def register_fonts() -> None:
    """Make the package's fonts known to matplotlib; doing it twice changes nothing."""
    known = {entry.fname for entry in font_manager.fontManager.ttflist if entry.name == FAMILY}
    for name in FONT_FILES:
        with as_file(RESOURCES / "fonts" / name) as path:
            if str(path) not in known:
                font_manager.fontManager.addfont(path)


@contextmanager
def house_style() -> Iterator[None]:
    """Draw with the house style alone, whatever the user's own settings are."""
    register_fonts()
    with mpl.rc_context(), as_file(RESOURCES / "shinan.mplstyle") as style:
        mpl.rcdefaults()
        matplotlib.style.use(style)
        yield


def new_figure(width: str, height: float) -> Figure:
    """Return an empty figure of a named width and a height in millimetres, bound to no window."""
    figure = Figure(figsize=(width_mm(width) / MILLIMETRES, height / MILLIMETRES))
    FigureCanvasAgg(figure)
    return figure


def size_mm(figure: Figure) -> tuple[float, float]:
    """Return width and height of a figure in millimetres."""
    across, down = figure.get_size_inches()
    return float(across * MILLIMETRES), float(down * MILLIMETRES)


def add_axes(figure: Figure, left: float, top: float, width: float, height: float) -> Axes:
    """Return new axes placed in millimetres from the figure's left and top edges."""
    across, down = size_mm(figure)
    return figure.add_axes((left / across, 1 - (top + height) / down, width / across, height / down))


def add_text(figure: Figure, left: float, top: float, text: str, **options: object) -> Text:
    """Write text at a place in millimetres from the figure's left and top edges."""
    across, down = size_mm(figure)
    return figure.text(left / across, 1 - top / down, text, **options)  # type: ignore[arg-type]


def axes_width(ax: Axes) -> float:
    """Return the width of axes in millimetres."""
    return float(ax.get_position().width * ax.figure.get_size_inches()[0] * MILLIMETRES)  # type: ignore[union-attr]


def text_width(text: Text) -> float:
    """Return the width of a text in millimetres."""
    figure = text.figure
    assert figure is not None
    box = text.get_window_extent()
    return float(box.width / figure.dpi * MILLIMETRES)


def fit_text(text: Text, room: float) -> None:
    """Make a text smaller until it fits a width in millimetres, and shorten what then is still too long."""
    text.set_fontsize(max(SMALLEST_TEXT, float(text.get_fontsize()) * min(1.0, 0.99 * room / text_width(text))))
    while text_width(text) > room and float(text.get_fontsize()) > SMALLEST_TEXT:  # widths are not quite in proportion
        text.set_fontsize(max(SMALLEST_TEXT, 0.98 * float(text.get_fontsize())))
    while text_width(text) > room and len(text.get_text()) > 2:
        text.set_text(text.get_text().rstrip("…")[:-1] + "…")


@cache
def _covered(path: str) -> frozenset[int]:
    return frozenset(font_manager.get_font(path).get_charmap())


def check_glyphs(figure: Figure) -> tuple[str, ...]:
    """Return the installed fonts that the figure's text needs beside the package's own; give them to it.

    Raises
    ------
    FigureError
        If a character is in no font at hand; the message lists such characters.
    """
    register_fonts()
    texts = [text for text in figure.findobj(Text) if isinstance(text, Text) and text.get_text()]
    for text in texts:
        if FAMILY not in text.get_fontfamily():
            text.set_fontfamily(FAMILY)
    own = _covered(font_manager.findfont(FAMILY, fallback_to_default=False))
    missing = sorted({c for text in texts for c in text.get_text() if ord(c) not in own and not c.isspace()})
    if not missing:
        return ()
    for name in INSTALLED_FONTS:
        try:
            path = font_manager.findfont(name, fallback_to_default=False)
        except ValueError:
            continue
        if all(ord(c) in _covered(path) for c in missing):
            for text in texts:
                text.set_fontfamily([FAMILY, name])
            warnings.warn(
                f"{''.join(missing)}: drawn with the installed font {name}; the figure's bytes depend on this computer.",
                stacklevel=2,
            )
            return (name,)
    raise FigureError(
        f"No font at hand has {' '.join(f'{c} (U+{ord(c):04X})' for c in missing)}. "
        f"Install one of {', '.join(INSTALLED_FONTS[:2])}, or write the label otherwise."
    )


def font_path(name: str) -> Path:
    """Return the path of a vendored font file."""
    with as_file(RESOURCES / "fonts" / name) as path:
        return Path(path)
