"""What a reader of the paper relies on: the published tables redraw the figures, and nothing reaches out of the machine."""

import io
import json
import socket
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from matplotlib.figure import Figure
from PIL import Image

import shinan_research as sr
from shinan_research.figures import shift as shift_figure
from shinan_research.figures.style import house_style
from shinan_research.publish import PRINT_DPI, read_manifest

FIGURES = Path(__file__).parents[1] / "figures"
MANIFEST = read_manifest(FIGURES)["figures"]
Tables = dict[str, pd.DataFrame]


def shift(tables: Tables, study: sr.Study, width: str) -> Figure:
    """Draw the headline figure; its second file holds the cells that the function would count from occurrences."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shift_figure, "count", lambda cells: cells)
        return sr.draw_shift(tables[""], tables["cells"], glosses=study.glosses, width=width, language=study.language)


def lost(tables: Tables, study: sr.Study, width: str) -> Figure:
    """Draw the losses; the lengths of the reports are in the settings."""
    lengths = json.loads((FIGURES / "lost.json").read_text(encoding="utf-8"))["settings"]["lengths"]
    return sr.draw_lost(tables["apparatus"], tables[""], lengths=lengths, width=width, language=study.language)


def glossed(draw: Callable[..., Figure]) -> Callable[[Tables, sr.Study, str], Figure]:
    """Return the drawing of a figure that needs its table and the study's glosses alone."""
    return lambda tables, study, width: draw(*tables.values(), glosses=study.glosses, width=width, language=study.language)


def targets(tables: Tables, study: sr.Study, width: str) -> Figure:
    """Draw targets, claims and what was carried over, each from its own file."""
    rest = {"glosses": study.glosses, "width": width, "language": study.language}
    return sr.draw_targets(tables[""], tables["claims"], tables.get("carried"), **rest)


DRAWN = {
    "shift": shift,
    "shift-single": shift,
    "my-shift": shift,
    "lost": lost,
    "ranking": glossed(sr.draw_ranking),
    "positions": glossed(sr.draw_positions),
    "attention": lambda tables, study, width: sr.draw_attention(tables[""], width=width, language=study.language),
    "topics": lambda tables, study, width: sr.draw_prevalence(tables[""], width=width, language=study.language),
    "topic-words": lambda tables, study, width: sr.draw_topic_words(
        tables[""], tables["topics"], width=width, language=study.language
    ),
    "topic-places": lambda tables, study, width: sr.draw_topic_places(tables[""], width=width, language=study.language),
    "topic-number": lambda tables, study, width: sr.draw_choice(tables[""], width=width, language=study.language),
    "word-shift": lambda tables, study, width: sr.draw_word_shift(tables[""], width=width, language=study.language),
    "placebo": glossed(sr.draw_placebo),
    "sensitivity": glossed(sr.draw_sensitivity),
    "targets": targets,
    "targets-single": targets,
}


def read(path: Path) -> pd.DataFrame:
    """Read a published CSV: whole numbers with gaps stay whole, empty text is text, a guarded formula loses its guard."""
    table = pd.read_csv(path, keep_default_na=False, na_values=[""])
    for name in table.columns:
        if not pd.api.types.is_numeric_dtype(table[name]):
            table[name] = table[name].fillna("").astype(str).str.replace(r"^'(?=[=+@\t\r-])", "", regex=True)
        elif pd.api.types.is_float_dtype(table[name]) and (table[name].dropna() % 1 == 0).all():
            table[name] = table[name].astype("Int64")
    return table


def published(name: str) -> Tables:
    """Return the tables of a figure as its reader has them: from the CSV files, with the settings of the sidecar."""
    entry = MANIFEST[name]
    tables = {}
    for file in sorted(file for file in entry["files"] if file.endswith(".csv")):
        table = read(FIGURES / file)
        table.attrs |= {"settings": entry["settings"]} | {key: entry["settings"].get(key) for key in ("total", "null")}
        tables[file.removeprefix(name).removesuffix(".csv").removeprefix(".")] = table
    return dict(sorted(tables.items()))


@pytest.mark.parametrize("name", sorted(MANIFEST))
def test_the_published_table_redraws_the_figure(name: str, study: sr.Study) -> None:
    """From the CSV alone comes the same print, pixel by pixel; vectors may differ in a last digit, as tables have ten."""
    width = "single" if name.endswith("-single") else study.width
    figure, drawn = DRAWN[name](published(name), study, width), io.BytesIO()
    with house_style():
        figure.savefig(drawn, format="rgba", dpi=PRINT_DPI)
    with Image.open(FIGURES / f"{name}.png") as image:
        assert drawn.getvalue() == image.convert("RGBA").tobytes()


def test_no_connection_leaves_the_machine() -> None:
    """While the tests run, a socket reaches this machine and nothing else (the guard is in conftest)."""
    with socket.socket() as outward, pytest.raises(AssertionError, match=r"192\.0\.2\.1"):
        outward.connect(("192.0.2.1", 80))
    with socket.socket() as inward, pytest.raises(OSError):
        inward.connect(("127.0.0.1", 1))
