"""Count the words of reports one at a time, so that ten thousand need no more memory than their counts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .errors import ShinanError
from .outline import PARTS, report_settings, sentence_spans
from .reports import Report
from .tokens import Segmenter, categorical, cut_sentences, default_segmenter

PART = pd.CategoricalDtype(list(PARTS), ordered=True)
CELLS = ("part", "term", "count", "heads")


def tally(report: Report, *, segmenter: Segmenter | None = None, witness: bool = False) -> dict[str, Any]:
    """Count the words of one report: outline, tokens with their offsets, and what each part holds of each word.

    This is what :func:`~shinan_research.scale.map_reports` runs on every report of a large collection; :func:`stack` joins what
    it returns into a table, which :func:`~shinan_research.shifts.compare` takes with ``unit="report"``. It returns arrays,
    because ten thousand tables cost more than the counting.

    Parameters
    ----------
    report
        A restored report; with `witness`, any.
    segmenter
        By default `Segmenter()`.

    Returns
    -------
    dict
        `report, place, year`; `terms`, the words of kind word or term, in no particular order; four arrays of one length,
        with one entry per part and term that occurs in it: `part` (index into `PARTS`), `term` (index into `terms`), `count`,
        and `heads`, how many of them stand in headings; per part `total`, the tokens of kind word or term, and `han`, the Han
        characters; and the `settings`.

    Examples
    --------
    >>> text = "推进公路建设。建设公路2条。"
    >>> counted = tally(Report("a", "A", 2031, text, text), witness=True)
    >>> counted["terms"], counted["count"].tolist(), counted["total"].tolist(), counted["han"].tolist()
    (['推进', '公路', '建设'], [1, 2, 2], [0, 5, 0, 0, 0], [0, 11, 0, 0, 0])
    """
    segmenter = segmenter or default_segmenter()
    spans = sentence_spans(report, witness=witness)
    starts, texts = [each[0] for each in spans], [report.text[start:end] for start, end, _, _ in spans]
    tokens, names = cut_sentences(texts, starts, report.inserted.tolist(), segmenter, lexical=True)
    part = np.array([PARTS.index(each) for _, _, each, _ in spans], dtype=np.int64)[tokens.row]
    heading = np.array([each[3] for each in spans], dtype=bool)[tokens.row]
    lexical = tokens.term >= 0
    cell = part[lexical] * len(names) + tokens.term[lexical]
    count = np.bincount(cell, minlength=len(PARTS) * len(names))
    heads = np.bincount(cell[heading[lexical]], minlength=len(count))
    cells = np.flatnonzero(count)
    parts, terms = np.divmod(cells, max(len(names), 1))
    used = np.bincount(terms, minlength=len(names)) > 0
    return {
        "report": report.id, "place": report.place, "year": report.year, "terms": names[used].tolist(),
        "part": parts.astype(np.int8), "term": (np.cumsum(used) - 1)[terms].astype(np.int32),
        "count": count[cells].astype(np.int32), "heads": heads[cells].astype(np.int32),
        "total": np.bincount(part[lexical], minlength=len(PARTS)).astype(np.int32),
        "han": np.bincount(part, tokens.han, len(PARTS)).astype(np.int32),
        "settings": report_settings([report]) | {"segmenter": segmenter.name, "fingerprint": segmenter.fingerprint},
    }  # fmt: skip


def stack(tallies: Iterable[dict[str, Any]]) -> pd.DataFrame:
    """Join what :func:`tally` counted into one table, taking one report at a time.

    Returns
    -------
    pandas.DataFrame
        `report, place, year, part, term, count, heads, total, han`: one row per report, part and term of kind word or term,
        reports in their order, parts in theirs, and there in no particular order. `total` and `han` are those of the part; a
        part without words has no row. The categories of `report`, `place` and `term` are sorted. `attrs["settings"]` has the
        reports of all.

    Raises
    ------
    ShinanError
        If there is nothing to join, a report comes twice, or the reports were counted with different settings.

    Examples
    --------
    >>> text = "推进公路建设。建设公路2条。"
    >>> stack([tally(Report("a", "A", 2031, text, text), witness=True)])[["part", "term", "count", "total", "han"]]
         part term  count  total  han
    0  review   推进      1      5   11
    1  review   公路      2      5   11
    2  review   建设      2      5   11
    """
    cells: dict[str, list[NDArray[Any]]] = {name: [] for name in (*CELLS, "total", "han")}
    reports: list[tuple[str, str, int, int]] = []
    known: defaultdict[str, int] = defaultdict()
    known.default_factory = known.__len__  # a word that is new gets the next number
    settings: dict[str, Any] = {}
    for each in tallies:
        settings = _joined(settings, each["settings"])
        reports.append((each["report"], each["place"], each["year"], len(each["count"])))
        cells["term"].append(np.array([*map(known.__getitem__, each["terms"])], np.int32)[each["term"]])
        for name in ("part", "count", "heads"):
            cells[name].append(each[name])
        for name in ("total", "han"):
            cells[name].append(each[name][each["part"]])
    if not settings:
        raise ShinanError("Nothing to join: no report was counted. Look at what was said about the files that failed.")
    joined = {name: np.concatenate(cells.pop(name)) for name in list(cells)}
    ids, places, years, sizes = zip(*reports, strict=True)
    table = pd.DataFrame(
        {
            "report": _repeated(ids, sizes),
            "place": _repeated(places, sizes),
            "year": np.repeat(np.array(years, dtype=np.int32), sizes),
            "part": pd.Categorical.from_codes(joined.pop("part"), dtype=PART),
            "term": categorical(joined.pop("term"), list(known)),
            **joined,
        },
        copy=False,
    )
    table.attrs["settings"] = settings
    return table


def _repeated(names: Sequence[str], sizes: Sequence[int]) -> Any:
    """Return a categorical that has each name as often as its size says."""
    codes, known = pd.factorize(np.array(names, dtype=object))
    return categorical(np.repeat(codes.astype(np.int32), sizes), known.tolist())


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
