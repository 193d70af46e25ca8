"""Count the words of reports one at a time, so that ten thousand need no more memory than their counts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from . import dictionary
from .errors import ShinanError
from .files import Digests
from .outline import PARTS, report_settings, sentence_spans
from .reports import Report
from .tokens import SEPARATOR, Segmenter, categorical, cut_words, default_segmenter

if TYPE_CHECKING:
    import pandas as pd

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
        `report, place, year`; four arrays of one length, with one entry per part and word of kind word or term that occurs in it:
        `part` (index into `PARTS`), `term` (the word's number in the package's dictionary; for a word that is not there −1 less
        its index in `terms`), `count`, and `heads`, how many of them stand in headings; per part `total`, the tokens of kind
        word or term, and `han`, the Han characters; the `settings`, and the SHA-256 of the `dictionary`.

    Examples
    --------
    >>> text = "推进公路建设。建设公路2条。"
    >>> counted = tally(Report("a", "A", 2031, text, text), witness=True)
    >>> sorted(counted["count"].tolist()), counted["total"].tolist(), counted["han"].tolist()
    ([1, 2, 2], [0, 5, 0, 0, 0], [0, 11, 0, 0, 0])
    """
    segmenter = segmenter or default_segmenter()
    spans, part = sentence_spans(report, witness=witness)
    plain = report.text.replace(SEPARATOR, " ")
    text = SEPARATOR.join([plain[start:end] for start, end in zip(spans.start.tolist(), spans.end.tolist(), strict=True)])
    words, size = cut_words(text, segmenter), len(dictionary.numbers())
    every = size + len(words.others)
    row = np.repeat(2 * every * part + spans.heading, spans.end - spans.start + 1)  # of each character, its part and heading
    key = row[words.start] + 2 * words.number
    key.sort()
    cell = key >> 1
    first = np.flatnonzero(np.append(True, cell[1:] != cell[:-1])[: len(cell)])
    count = np.diff(np.append(first, len(cell)))
    parts, number = np.divmod(cell[first], max(every, 1))
    return {
        "report": report.id, "place": report.place, "year": report.year, "terms": words.others,
        "part": parts.astype(np.int8), "term": np.where(number < size, number, size - 1 - number).astype(np.int32),
        "count": count.astype(np.int32), "heads": _sums(key & 1, first).astype(np.int32),
        "total": np.bincount(parts, count, len(PARTS)).astype(np.int32),
        "han": np.bincount(part, _sums(words.han, spans.start + np.arange(len(part))), len(PARTS)).astype(np.int32),
        "settings": report_settings([report]) | {"segmenter": segmenter.name, "fingerprint": segmenter.fingerprint},
        "dictionary": dictionary.fingerprint(),
    }  # fmt: skip


def _sums(values: NDArray[Any], first: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the sums of stretches of values, which begin at `first`."""
    return np.add.reduceat(values, first, dtype=np.int64) if len(first) else np.zeros(0, dtype=np.int64)


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
    0  review   公路      2      5   11
    1  review   建设      2      5   11
    2  review   推进      1      5   11
    """
    import pandas as pd

    cells: dict[str, list[NDArray[Any]]] = {name: [] for name in (*CELLS, "total", "han")}
    reports: list[tuple[str, str, int, int]] = []
    known: defaultdict[str, int] = defaultdict(None, dictionary.numbers())
    known.default_factory = known.__len__  # a word that is new gets the next number
    settings: dict[str, Any] = {}
    for each in tallies:
        settings = _joined(settings, each["settings"], each["dictionary"])
        reports.append((each["report"], each["place"], each["year"], len(each["count"])))
        term, others = each["term"], np.array([known[name] for name in each["terms"]], dtype=np.int32)
        cells["term"].append(np.where(term < 0, others[-1 - np.minimum(term, -1)], term) if len(others) else term)
        for name in ("part", "count", "heads"):
            cells[name].append(each[name])
        for name in ("total", "han"):
            cells[name].append(each[name][each["part"]])
    if not settings:
        raise ShinanError("Nothing to join: no report was counted. Look at what was said about the files that failed.")
    joined = {name: np.concatenate(cells.pop(name)) for name in list(cells)}
    ids, places, years, sizes = zip(*reports, strict=True)
    occurs = np.bincount(joined["term"], minlength=len(known)) > 0
    names = [name for name, used in zip(known, occurs.tolist(), strict=True) if used]
    table = pd.DataFrame(
        {
            "report": _repeated(ids, sizes),
            "place": _repeated(places, sizes),
            "year": np.repeat(np.array(years, dtype=np.int32), sizes),
            "part": pd.Categorical.from_codes(joined.pop("part"), dtype=pd.CategoricalDtype(list(PARTS), ordered=True)),
            "term": categorical((np.cumsum(occurs) - 1)[joined.pop("term")], names),
            **joined,
        },
        copy=False,
    )
    table.attrs["settings"] = settings
    return table


def _repeated(names: Sequence[str], sizes: Sequence[int]) -> Any:
    """Return a categorical that has each name as often as its size says."""
    known = {name: code for code, name in enumerate(dict.fromkeys(names))}
    return categorical(np.repeat(np.array([known[name] for name in names], dtype=np.int32), sizes), list(known))


def _joined(all_settings: dict[str, Any], more: dict[str, Any], numbers: str) -> dict[str, Any]:
    """Return the settings of several tables: those of one, with the reports, emendations and judges of all."""
    if numbers != dictionary.fingerprint():
        raise ShinanError(f"{min(more['reports'])} was counted with another version's dictionary. Count it anew.")
    if not all_settings:
        return more | {"reports": Digests(more["reports"])}
    if twice := sorted(all_settings["reports"].keys() & more["reports"].keys()):
        raise ShinanError(f"The report {twice[0]} comes twice. Count each report once.")
    if all_settings["fingerprint"] != more["fingerprint"]:
        raise ShinanError(f"{min(more['reports'])} was cut by another segmenter. Count all reports with one.")
    all_settings["reports"].update(more["reports"])
    all_settings["emendations"] += more["emendations"]
    all_settings["judges"] = sorted({*all_settings["judges"], *more["judges"]})
    return all_settings
