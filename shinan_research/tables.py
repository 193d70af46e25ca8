"""Publish a table as figures are published: CSV, LaTeX, HTML and Word, caption and manifest entry together, or nothing."""

from __future__ import annotations

import html
import io
import re
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np
import pandas as pd

from .captions import confounding
from .errors import FigureError
from .explain import group_name, probability, ratio, term_name, verdict_name
from .files import sha256, write_together
from .messages import LANGUAGES, say, who
from .publish import MANIFEST, checked_settings, csv_bytes, json_bytes, read_manifest, running_platform, zip_bytes
from .study import Study

WORD_PACKAGE = "python-docx"
ABSENT = "not installed"
NOTHING = "–"
UNSEEN = re.compile("[\0-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]+")
CHINESE = re.compile("[\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff]+")
TEX = {
    "\\": r"\textbackslash{}", "{": r"\textbraceleft{}", "}": r"\textbraceright{}", "$": r"\$", "&": r"\&", "#": r"\#",
    "%": r"\%", "_": r"\_", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", "[": "{[}", "]": "{]}", "*": "{*}", "−": r"\ensuremath{-}", "×": r"\ensuremath{\times}",
    "±": r"\ensuremath{\pm}", "≤": r"\ensuremath{\le}", "≥": r"\ensuremath{\ge}", "≈": r"\ensuremath{\approx}",
    "→": r"\ensuremath{\to}",
}  # fmt: skip
BELOW = "border-bottom:1.5pt solid black;"
AROUND = "border-top:1.5pt solid black;border-bottom:0.75pt solid black;"
CELL = "padding:2pt 6pt;text-align:{side};"


@dataclass(frozen=True)
class Shown:
    """A table as a reader sees it: a heading, in lines, and a side for every column, and rows of text."""

    headings: tuple[str, ...]
    sides: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class PublishedTable:
    """A published table, as a notebook shows it."""

    name: str
    caption: str
    shown: Shown

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        """Return the table for Jupyter: HTML with its caption, and plain text for other front ends."""
        lines = ["\t".join(cells).replace("\n", " ") for cells in (self.shown.headings, *self.shown.rows)]
        page = _html_table(self.shown, self.caption, f'id="table-{self.name}"')
        return {"text/html": page, "text/plain": "\n".join([self.caption, *lines])}


def publish_table(
    table: pd.DataFrame,
    name: str,
    *,
    study: Study,
    caption_text: Mapping[str, str] | None = None,
    columns: Sequence[str] = (),
    headings: Mapping[str, Mapping[str, str]] | None = None,
    language: str | None = None,
) -> PublishedTable:
    """Write a table as CSV, LaTeX (booktabs), HTML and Word with its caption, and enter it into `tables/MANIFEST.json`.

    The CSV holds every column to ten digits; the others hold what a paper prints. A table of
    :func:`~shinan_research.shifts.compare` is printed as counts, rates, ratio with interval, p and verdict unless
    `columns` says otherwise. The HTML carries its style on every cell, so that it survives pasting into Word. The .docx is
    written where python-docx (from 1.0 on) is installed; the manifest says so. In both languages there are `<name>.zh.tex` and
    `.en.tex`, and HTML and Word hold one table in each. All files are replaced together, or none.

    Parameters
    ----------
    table
        The table, with `attrs["settings"]` as the statistic left them.
    name
        Lower-case letters, digits and hyphens; the stem of the files in `tables/`.
    study
        The study.
    caption_text
        Caption as `{"zh": …, "en": …}`; computed for a table of `compare`.
    columns
        The columns to print, in this order; by default all.
    headings
        What stands above a column, as `{column: {"zh": …, "en": …}}`; by default the column's name.
    language
        Of what is printed: zh, en or both; by default the study's.

    Returns
    -------
    PublishedTable
        What a notebook displays.

    Raises
    ------
    FigureError
        If the name is unfit, the table is empty, has no settings or lacks a column, or no caption can be computed.
    """
    settings = checked_settings(name, {"": table}, what="table")
    captions = dict(caption_text) if caption_text else {one: _caption(table, study, one) for one in LANGUAGES}
    language = language or study.language
    shown = {one: _shown(table, columns, headings or {}, one) for one in (*_languages(language), language)}
    printed = {one: (captions[one], shown[one]) for one in _languages(language)}
    files = {f"{name}.csv": csv_bytes(table), f"{name}.html": _page(printed, study)}
    files |= {f"{name}.{one}.tex" if len(printed) > 1 else f"{name}.tex": _tex(shown[one], name, one) for one in printed}
    word = _word(list(printed.values()))
    files |= {f"{name}.docx": word} if word else {}
    entry = {
        "title": study.title, "caption": captions, "licence": study.licence, "settings": settings, "data": study.data_hash,
        "files": {file: sha256(content) for file, content in sorted(files.items())},
    }  # fmt: skip
    folder = study.root / "tables"
    manifest = read_manifest(folder, kind="tables")
    manifest["tables"][name] = entry | {"platform": running_platform() | {WORD_PACKAGE: _word_version()}}
    write_together(folder, {**files, f"{name}.json": json_bytes(entry), MANIFEST: json_bytes(manifest)})
    return PublishedTable(name, captions["zh" if study.language == "zh" else "en"], shown[language])


def _languages(language: str) -> tuple[str, ...]:
    """Return the languages of what is printed."""
    return LANGUAGES if language == "both" else (language,)


def _caption(table: pd.DataFrame, study: Study, language: str) -> str:
    """Return the caption of a table of `compare`."""
    settings = table.attrs["settings"]
    if settings["function"] != "compare":
        raise FigureError(f"No caption is known for a table of {settings['function']!r}. Pass caption_text={{'zh': …, 'en': …}}.")
    between = {"zh": "、", "en": ", "}[language]
    values = {side: group_name(table[side].iloc[0], language) for side in ("before", "after")} | {"place": study.place[language]}
    values["scope"] = between.join(say(f"scope.{scope}", language) for scope in dict.fromkeys(table["scope"]))
    values["level"] = f"{100 * settings['level']:g}"
    parts = [say(f"table.{key}", language, **values) for key in ("title", "method")]
    parts += [] if table["log2_matched"].equals(table["log2_ratio"]) else [say("table.matched", language)]
    parts += [confounding(table.iloc[0], settings, language), say(f"declared.{study.declared}", language)]
    if settings.get("emendations"):
        values = {"emendations": settings["emendations"], "judges": who(settings["judges"], language)}
        parts.append(say("table.restored", language, **values))
    return ("" if language == "zh" else " ").join(parts)


def _shown(table: pd.DataFrame, columns: Sequence[str], headings: Mapping[str, Mapping[str, str]], language: str) -> Shown:
    """Return what is printed of a table."""
    if table.attrs["settings"]["function"] == "compare" and not columns:
        return _shown_shift(table, language)
    missing = [name for name in columns if name not in table.columns]
    if missing:
        raise FigureError(f"The table has no column {missing[0]!r}. Columns present: {', '.join(map(str, table.columns))}.")
    part = table[list(columns)] if columns else table
    names = [_heading(headings.get(name, {one: str(name) for one in LANGUAGES}), language) for name in part.columns]
    sides = [_side(kind) for kind in part.dtypes]
    rows = [tuple(plain(cell) for cell in row) for row in part.astype(object).itertuples(index=False, name=None)]
    return Shown(tuple(names), tuple(sides), tuple(rows))


def _heading(words: Mapping[str, str], language: str) -> str:
    """Return what stands above a column: in one language broken as the words are, in two a line for each that differs."""
    if language != "both":
        return "\n".join(plain(line) for line in words[language].split("\n"))
    return "\n".join(dict.fromkeys([plain(words["zh"].replace("\n", "")), plain(words["en"])]))


def _side(kind: Any) -> str:
    """Return the side on which a column of a kind stands: numbers at the right."""
    return "right" if pd.api.types.is_numeric_dtype(kind) and not pd.api.types.is_bool_dtype(kind) else "left"


def _shown_shift(table: pd.DataFrame, language: str) -> Shown:
    """Return counts, rates, ratio, p and verdict of a comparison; scope and variant only where they differ."""
    varying = [name for name in ("variant", "scope") if table[name].nunique() > 1]
    names = ["term", *varying, "count_before", "count_after", "rate_before", "rate_after", "ratio", "p", "verdict"]
    values = {key: str(table[key].iloc[0]) for key in ("before", "after")}
    values["level"] = f"{100 * table.attrs['settings']['level']:g}"
    rows = []
    for row in table.to_dict("records"):
        cells = [term_name(row["term"], language), *(_word_for(name, row[name], language) for name in varying)]
        cells += [str(row["count_before"]), str(row["count_after"]), f"{row['rate_before']:.1f}", f"{row['rate_after']:.1f}"]
        cells += [_interval(row), NOTHING if pd.isna(row["p_adjusted"]) else probability(row["p_adjusted"])]
        rows.append(tuple(plain(cell) for cell in [*cells, verdict_name(row, language)]))
    sides = ["right" if name.startswith(("count", "rate", "p")) else "left" for name in names]
    heads = [_heading({one: say(f"column.{name}", one, **values) for one in LANGUAGES}, language) for name in names]
    return Shown(tuple(heads), tuple(sides), tuple(rows))


def _word_for(name: str, value: object, language: str) -> str:
    return say(f"scope.{value}", language) if name == "scope" else str(value)


def _interval(row: Mapping[Any, Any]) -> str:
    """Return the ratio of rates and its interval, as in `0.13 [0.0063, 0.77]`."""
    middle, low, high = (NOTHING if pd.isna(row[key]) else ratio(2.0 ** row[key]) for key in ("log2_matched", "low", "high"))
    return f"{middle} [{low}, {high}]"


def plain(value: object) -> str:
    r"""Return a cell as one line of text: three significant digits, a true minus sign, nothing unseen.

    >>> plain(-0.012345), plain(1234567.0), plain(float("nan")), plain("two\nlines")
    ('−0.0123', '1,234,567', '–', 'two lines')
    """
    if value is None or value is pd.NA or value is pd.NaT:
        return NOTHING
    if isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool):
        return _number(float(value), whole=isinstance(value, int | np.integer))
    return UNSEEN.sub(" ", str(value)).strip()


def _number(value: float, *, whole: bool) -> str:
    """Return a number as prose prints it."""
    if np.isnan(value):
        return NOTHING
    if whole:
        return f"{value:{',' if abs(value) >= 10_000 else ''}.0f}".replace("-", "−")
    return (f"{value:,.0f}" if 1_000 <= abs(value) < 1e9 else f"{value + 0.0:.3g}").replace("-", "−")


def tex_text(text: str, *, language: str = "en") -> str:
    r"""Return text that LaTeX prints as it is; Chinese in other text becomes the argument of `\wrchinese`.

    >>> tex_text("50 % & 文化_x")
    '50 \\% \\& \\wrchinese{文化}\\_x'
    """
    safe = "".join(TEX.get(character, character) for character in UNSEEN.sub(" ", text))
    return safe if language == "zh" else CHINESE.sub(lambda found: rf"\wrchinese{{{found[0]}}}", safe)


def _tex(shown: Shown, name: str, language: str) -> bytes:
    """Return a table as LaTeX."""
    sides = "".join(side[0] for side in shown.sides)
    rows = [" & ".join(tex_text(cell, language=language) for cell in cells) + r" \\" for cells in shown.rows]
    heads = [r" \\ ".join(tex_text(line, language=language) for line in head.split("\n")) for head in shown.headings]
    heads = [rf"\shortstack[{side}]{{{head}}}" if r"\\" in head else head for side, head in zip(sides, heads, strict=True)]
    lines = [
        f"% tables/{name}.tex, generated. Needs \\usepackage{{booktabs}}; redefine \\wrchinese where Chinese needs a font.",
        r"\providecommand{\wrchinese}[1]{#1}",
        rf"\begin{{tabular}}{{@{{}}{sides}@{{}}}}", r"\toprule", " & ".join(heads) + r" \\", r"\midrule",
        *rows, r"\bottomrule", r"\end{tabular}", "",
    ]  # fmt: skip
    return "\n".join(lines).encode("utf-8")


def _page(printed: Mapping[str, tuple[str, Shown]], study: Study) -> bytes:
    """Return a table in each language as an HTML page of its own."""
    codes = {"zh": "zh-CN", "en": "en"}
    style = 'style="border-collapse:collapse;font-size:9pt;margin-bottom:18pt"'
    body = [_html_table(shown, words, f'lang="{codes[one]}" {style}', style=True) for one, (words, shown) in printed.items()]
    *_, last = printed
    head = f'<meta charset="utf-8"><title>{html.escape(study.title[last])}</title>'
    return "\n".join(
        [f'<!DOCTYPE html>\n<html lang="{codes[last]}"><head>{head}</head><body>', *body, "</body></html>\n"]
    ).encode()


def _html_table(shown: Shown, words: str, attributes: str, *, style: bool = False) -> str:
    """Return a table element; `style` puts the three rules and the sides on every cell."""
    heads = _html_row(shown.headings, shown.sides, 'th scope="col"', AROUND if style else None)
    last = len(shown.rows) - 1
    rows = [
        _html_row(cells, shown.sides, "td", (BELOW if place == last else "") if style else None)
        for place, cells in enumerate(shown.rows)
    ]
    top = f"<caption>{html.escape(words)}</caption>\n<thead>\n{heads}\n</thead>"
    return f"<table {attributes}>\n{top}\n<tbody>\n" + "\n".join(rows) + "\n</tbody>\n</table>"


def _html_row(cells: Sequence[str], sides: Sequence[str], tag: str, rules: str | None) -> str:
    """Return one row; without rules a cell has no style of its own."""
    styles = [f' style="{rules}{CELL.format(side=side)}"' if rules is not None else "" for side in sides]
    closing = tag.partition(" ")[0]
    written = [f"<{tag}{one}>{html.escape(cell)}</{closing}>" for cell, one in zip(cells, styles, strict=True)]
    return f"<tr>{''.join(written)}</tr>".replace("\n", "<br>")


def _word_version() -> str:
    """Return the version of python-docx, or that it is not installed; one from before 1.0 is as good as none."""
    try:
        found = version(WORD_PACKAGE)
    except PackageNotFoundError:
        return ABSENT
    return ABSENT if found.startswith("0.") else found


def _word(printed: Sequence[tuple[str, Shown]]) -> bytes | None:
    """Return tables as a Word document, the same bytes every time; nothing where python-docx is not installed."""
    if _word_version() == ABSENT:
        return None
    docx: Any = import_module("docx")
    document = docx.Document()
    for words, shown in printed:
        document.add_paragraph(plain(words), style="Caption")
        _fill(docx, document.add_table(rows=1 + len(shown.rows), cols=len(shown.headings)), shown)
    properties = document.core_properties
    properties.author, properties.comments, properties.title = "", "", ""
    target = io.BytesIO()
    document.save(target)
    with zipfile.ZipFile(target) as packed:
        return zip_bytes({entry: packed.read(entry) for entry in packed.namelist()})


def _fill(docx: Any, grid: Any, shown: Shown) -> None:
    """Write the cells of a table of Word, the headings bold."""
    for place, cells in enumerate((shown.headings, *shown.rows)):
        for cell, text, side in zip(grid.rows[place].cells, cells, shown.sides, strict=True):
            paragraph = cell.paragraphs[0]
            paragraph.add_run(text).bold = place == 0
            paragraph.alignment = {"left": 0, "right": 2}[side]  # WD_ALIGN_PARAGRAPH
    _rule(docx, grid)


def _rule(docx: Any, grid: Any) -> None:
    """Draw the three rules of a table: above and below it, and under its headings."""
    sizes = [(row, edge, size) for row, edge, size in ((0, "top", 12), (0, "bottom", 6), (-1, "bottom", 12))]
    for row, edge, size in sizes:
        for cell in grid.rows[row].cells:
            properties = cell._tc.get_or_add_tcPr()
            borders = properties.find(docx.oxml.ns.qn("w:tcBorders"))
            if borders is None:
                borders = docx.oxml.OxmlElement("w:tcBorders")
                properties.append(borders)
            line = docx.oxml.OxmlElement(f"w:{edge}")
            for key, value in (("val", "single"), ("sz", str(size)), ("color", "000000")):
                line.set(docx.oxml.ns.qn(f"w:{key}"), value)
            borders.append(line)
