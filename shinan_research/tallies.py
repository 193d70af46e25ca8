"""Count the words of reports one at a time, so that ten thousand need no more memory than their counts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .errors import ShinanError
from .outline import COLUMNS as SENTENCE
from .outline import PARTS, report_settings, sentence_rows
from .reports import Report
from .tokens import KINDS, Segmenter, categorical, cut_sentences, default_segmenter

COLUMNS = ("report", "place", "year", "part", "term", "count", "heads", "total", "han")
LEXICAL = (KINDS.index("word"), KINDS.index("term"))
PART = pd.CategoricalDtype(list(PARTS), ordered=True)
NAMES = ("report", "place", "term")


def tally(report: Report, *, segmenter: Segmenter | None = None, witness: bool = False) -> pd.DataFrame:
    """Count the words of one report: outline, tokens with their offsets, and what each part holds of each word.

    This is what :func:`~shinan_research.scale.map_reports` runs on every report of a large collection; :func:`stack` joins the
    tables, and :func:`~shinan_research.shifts.compare` takes what it returns, with ``unit="report"``.

    Parameters
    ----------
    report
        A restored report; with `witness`, any.
    segmenter
        By default `Segmenter()`.

    Returns
    -------
    pandas.DataFrame
        `report, place, year, part, term, count, heads, total, han`: one row per part and term of kind word or term, by part, and
        there in no particular order. `heads` is how many of `count` stand in headings; `total` counts the tokens of kind word or
        term of the part, and `han` its Han characters. A part without words has no row.

    Examples
    --------
    >>> text = "推进公路建设。建设公路2条。"
    >>> tally(Report("a", "A", 2031, text, text), witness=True)[["part", "term", "count", "total", "han"]]
         part term  count  total  han
    0  review   推进      1      5   11
    1  review   公路      2      5   11
    2  review   建设      2      5   11
    """
    segmenter = segmenter or default_segmenter()
    columns = list(zip(*sentence_rows(report, witness=witness), strict=True)) or [()] * len(SENTENCE)
    rows = dict(zip(SENTENCE, columns, strict=True))
    tokens, names = cut_sentences(rows["text"], rows["start"], report.inserted.tolist(), segmenter)
    part = np.array([PARTS.index(each) for each in rows["part"]], dtype=np.int64)[tokens.row]
    lexical = (tokens.kind == LEXICAL[0]) | (tokens.kind == LEXICAL[1])
    cell = part[lexical] * len(names) + tokens.term[lexical]
    count = np.bincount(cell, minlength=len(PARTS) * len(names))
    heads = np.bincount(cell[np.array(rows["heading"], dtype=bool)[tokens.row][lexical]], minlength=len(count))
    cells = np.flatnonzero(count)
    parts, terms = np.divmod(cells, max(len(names), 1))
    used = np.bincount(terms, minlength=len(names)) > 0
    table = pd.DataFrame(
        {
            "report": _one(report.id, len(cells)),
            "place": _one(report.place, len(cells)),
            "year": np.full(len(cells), report.year, dtype=np.int32),
            "part": pd.Categorical.from_codes(parts, dtype=PART),
            "term": pd.Categorical.from_codes((np.cumsum(used) - 1)[terms], categories=pd.Index(names[used], dtype=object)),
            "count": count[cells].astype(np.int32),
            "heads": heads[cells].astype(np.int32),
            "total": np.bincount(part[lexical], minlength=len(PARTS))[parts].astype(np.int32),
            "han": np.bincount(part, tokens.han, len(PARTS))[parts].astype(np.int32),
        },
        copy=False,
    )
    table.attrs["settings"] = report_settings([report]) | {"segmenter": segmenter.name, "fingerprint": segmenter.fingerprint}
    return table


def _one(name: str, size: int) -> Any:
    """Return a column that says one thing."""
    return pd.Categorical.from_codes(np.zeros(size, dtype=np.int8), categories=pd.Index([name], dtype=object))


def stack(tables: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """Join the tables of :func:`tally` into one, taking them one at a time.

    Returns
    -------
    pandas.DataFrame
        Their rows in order, with the categories of all, sorted. `attrs["settings"]` has the reports of all.

    Raises
    ------
    ShinanError
        If there is no table, a report comes twice, or the tables were made with different settings.
    """
    numbers: dict[str, list[NDArray[Any]]] = {name: [] for name in COLUMNS}
    known: dict[str, dict[str, int]] = {name: {} for name in NAMES}
    settings: dict[str, Any] = {}
    for table in tables:
        settings = _joined(settings, table.attrs["settings"])
        for name in COLUMNS:
            column = table[name]
            if name in NAMES:
                ids = [known[name].setdefault(each, len(known[name])) for each in column.cat.categories.tolist()]
                numbers[name].append(np.array(ids, dtype=np.int32)[column.cat.codes])
            else:
                numbers[name].append((column.cat.codes if name == "part" else column).to_numpy(dtype=np.int32))
    if not settings:
        raise ShinanError("No table to join: no report was counted. Look at what was said about the files that failed.")
    joined = {name: np.concatenate(parts) for name, parts in numbers.items()}
    columns: dict[str, Any] = {
        name: categorical(joined[name], list(known[name])) if name in NAMES else joined[name] for name in COLUMNS
    }
    columns["part"] = pd.Categorical.from_codes(joined["part"], dtype=PART)
    table = pd.DataFrame(columns)
    table.attrs["settings"] = settings
    return table


def _joined(all_settings: dict[str, Any], more: dict[str, Any]) -> dict[str, Any]:
    """Return the settings of several tables: those of one, with the reports, emendations and judges of all."""
    if not all_settings:
        return more | {"reports": dict(more["reports"])}
    if twice := sorted(all_settings["reports"].keys() & more["reports"].keys()):
        raise ShinanError(f"The report {twice[0]} comes twice. Count each report once.")
    if all_settings["fingerprint"] != more["fingerprint"]:
        raise ShinanError(f"{min(more['reports'])} was cut by another segmenter. Count all reports with one.")
    all_settings["reports"].update(more["reports"])
    all_settings["emendations"] += more["emendations"]
    all_settings["judges"] = sorted({*all_settings["judges"], *more["judges"]})
    return all_settings
