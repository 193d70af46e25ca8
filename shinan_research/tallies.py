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
from .tokens import SEPARATOR, Segmenter, Words, categorical, cut_words, default_segmenter

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
    return _tally_together([report], segmenter=segmenter, witness=witness)[0]


def _tally_together(
    reports: Sequence[Report], *, segmenter: Segmenter | None = None, witness: bool = False
) -> list[dict[str, Any]]:
    """Count the words of some reports, each as :func:`tally` does: their texts are cut in one go, which takes less time.

    A key says of each word its report, part and number, and whether it stands in a heading; sorted, they are counted.
    """
    segmenter, size = segmenter or default_segmenter(), len(dictionary.numbers())
    spans, report, part = sentence_spans(reports, witness=witness)
    plain = "".join([each.text for each in reports]).replace(SEPARATOR, " ")
    text = SEPARATOR.join([plain[start:end] for start, end in zip(spans.start.tolist(), spans.end.tolist(), strict=True)])
    words, begins = cut_words(text, segmenter), spans.start + np.arange(len(part))
    others = _number_others(words, report[np.searchsorted(begins, words.start[words.rest], side="right") - 1], len(reports))
    every, cells = size + max(map(len, others), default=0), len(PARTS) * len(reports)
    small = np.int32 if 2 * every * cells < 2**31 else np.int64
    place = len(PARTS) * report + part
    row = np.repeat((2 * every * place + spans.heading).astype(small), spans.end - spans.start + 1)  # of each character
    key = row[words.start] + 2 * words.number.astype(small)
    key.sort()
    cell = key >> 1
    first = np.flatnonzero(np.append(True, cell[1:] != cell[:-1])[: len(cell)])
    count = np.diff(np.append(first, len(cell)))
    heads = np.add.reduceat(key & 1, first) if len(first) else first
    where, number = np.divmod(cell[first], every)
    total = np.bincount(where, count, cells).astype(np.int32).reshape(-1, len(PARTS))
    ends = np.append(begins[1:], len(text))[: len(begins)]
    bare = np.searchsorted(words.bare, ends) - np.searchsorted(words.bare, begins)
    han = np.bincount(place, ends - begins - bare, cells).astype(np.int32).reshape(-1, len(PARTS))
    columns = {
        "part": (where % len(PARTS)).astype(np.int8), "term": np.where(number < size, number, size - 1 - number).astype(np.int32),
        "count": count.astype(np.int32), "heads": heads.astype(np.int32),
    }  # fmt: skip
    cuts = np.searchsorted(where, len(PARTS) * np.arange(len(reports) + 1)).tolist()
    known = {"segmenter": segmenter.name, "fingerprint": segmenter.fingerprint}
    return [
        {"report": each.id, "place": each.place, "year": each.year, "terms": names}
        | {name: column[low:high] for name, column in columns.items()}
        | {"total": sizes[0], "han": sizes[1], "settings": report_settings([each]) | known}
        | {"dictionary": dictionary.fingerprint()}
        for each, names, low, high, sizes in zip(reports, others, cuts, cuts[1:], zip(total, han, strict=True), strict=False)
    ]


def _number_others(words: Words, report: NDArray[np.int64], reports: int) -> list[list[str]]:
    """Give a number to each word that is not in the dictionary, from its size on, anew in each report, and return these words."""
    known, others = dictionary.numbers(), [dict[str, int]() for _ in range(reports)]
    for place, name, mine in zip(words.rest.tolist(), words.others, report.tolist(), strict=True):
        number = known.get(name)
        words.number[place] = others[mine].setdefault(name, len(known) + len(others[mine])) if number is None else number
    return [list(each) for each in others]


tally.together = _tally_together  # type: ignore[attr-defined]  # what map_reports looks for


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
