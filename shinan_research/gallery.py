"""The first page: the notebooks in order, and every figure and table with its words, its notebook and its files."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any
from urllib.parse import quote

from .inline import MIME
from .messages import LANGUAGES, say
from .publish import read_manifest
from .render import small_picture
from .study import Study

BRACKETS, MASKED = r"([\[\]\\])", r"\\\1"
STOPS = {"zh": "。", "en": ". "}


def gallery(study: Study, records: Mapping[str, Mapping[str, Any]], executed: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the first page of a built study as HTML.

    Parameters
    ----------
    study
        The study, built.
    records
        What the build knows of each notebook, by stem, in order: `title, tables`.
    executed
        The notebooks with their outputs, by stem.
    """
    from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

    from .exporter import export_html

    listed = "\n".join(
        f"1. [{re.sub(BRACKETS, MASKED, record['title'])}]({quote(stem)}.html)" for stem, record in records.items()
    )
    cells = [new_markdown_cell(f"# {study.title['zh']}\n\n{study.title['en']}\n\n{listed}", id="index")]
    items = [item for stem in records for item in _figures(study, stem, executed[stem])]
    items += [item for stem, record in records.items() for item in _tables(study, stem, record)]
    if items:
        cells.append(new_markdown_cell(f"## {say('inline.contents', 'en')} · {say('inline.contents', 'zh')}", id="products"))
        html = f'<div class="gallery">{"".join(items)}</div>'
        cells.append(new_code_cell("", id="gallery", outputs=[new_output("display_data", {"text/html": html})]))
    return export_html(new_notebook(cells=cells), title=study.title["zh"], language="both")


def _figures(study: Study, stem: str, notebook: Mapping[str, Any]) -> Iterator[str]:
    """Yield each figure that a notebook shows, once, as a picture that leads to its place."""
    entries, seen = read_manifest(study.root / "figures")["figures"], set()
    for data in (output.get("data", {}) for cell in notebook["cells"] for output in cell.get("outputs", [])):
        name = data.get(MIME, {}).get("name")
        if name in entries and name not in seen:
            seen.add(name)
            image = f'<img alt="{escape(data[MIME]["alt"])}" src="data:image/png;base64,{small_picture(data["image/png"])}">'
            place = f"{quote(stem)}.html#{name}"
            yield f'<figure><a href="{place}">{image}</a>{_words(name, place, entries[name], "figures")}</figure>'


def _tables(study: Study, stem: str, record: Mapping[str, Any]) -> Iterator[str]:
    """Yield each table that a notebook publishes, as its words."""
    entries = read_manifest(study.root / "tables", kind="tables")["tables"]
    for name in record.get("tables", []):
        yield f"<figure>{_words(name, f'{quote(stem)}.html#user-table-{name}', entries[name], 'tables')}</figure>"


def _words(name: str, place: str, entry: Mapping[str, Any], folder: str) -> str:
    """Return name, first sentence in both languages, and files of a figure or table."""
    captions = [(entry["caption"][one], STOPS[one]) for one in LANGUAGES if one in entry["caption"]]
    said = [f"{escape(text.partition(stop)[0].removesuffix(stop.strip()))}{stop.strip()}" for text, stop in captions]
    files = " ".join(f'<a href="../../{folder}/{file}">{file.removeprefix(f"{name}.")}</a>' for file in sorted(entry["files"]))
    kind = say(f"kit.{folder.removesuffix('s')}", "both", name=name)
    lines = [f'<a href="{place}">{escape(kind)}</a>', *said, files]
    return f"<figcaption>{'<br>'.join(lines)}</figcaption>"
