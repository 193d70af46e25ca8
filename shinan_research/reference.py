"""What the reports of other governments count: a closed vocabulary of strings, shipped or counted from a folder."""

from __future__ import annotations

import hashlib
import json
import lzma
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .dictionary import resource
from .errors import ReadError, ShinanError
from .headings import ANNEX, EARLIEST_ANNEX
from .occurrences import WIDE, as_terms
from .outline import outline
from .reports import HAN_RANGES, Report, han_count
from .restore import STRAY_SPACE

Integers = NDArray[np.int64]
Weights = dict[str, int]

RESOURCE = "term_counts.xz"
RULE = "text before the annex as outline finds it; strings as str.count finds them, none across the end of a sentence"


class Reference(NamedTuple):
    """What the reports of other governments count: a closed vocabulary of strings.

    `reports` has one row per report: `place, year, han` (Han characters of the body). `rows` maps each string of the
    vocabulary to its row of `counts` (strings × reports), or to −1 if it was looked for and stands nowhere; a string
    that is not in `rows` was not looked for. `level` is province, or empty for reports of the study's own level.
    """

    reports: pd.DataFrame
    rows: Mapping[str, int]
    counts: NDArray[np.integer[Any]]
    level: str = ""


def reference_from(reports: Iterable[Report], terms: pd.DataFrame | Iterable[str], *, level: str = "") -> Reference:
    """Count the strings of terms in reports of other governments, such as sibling districts, for use as a reference.

    Parameters
    ----------
    reports
        Restored reports, one for each place and year; the study's own place is not among them.
    terms
        Declared terms (:func:`~shinan_research.occurrences.as_terms`); all their strings are counted.
    level
        province, if the reports are of that level; it decides the wording only.

    Raises
    ------
    ShinanError
        If there is no report, a place has two of one year, or one is not restored.
    """
    ordered = sorted(reports, key=lambda report: (report.place, report.year, report.id))
    keys = [(report.place, report.year) for report in ordered]
    twice = [key for key, number in Counter(keys).items() if number > 1]
    if twice or not keys:
        given = f"two reports of {twice[0][0]} {twice[0][1]}" if twice else "no reports"
        raise ShinanError(f"reference_from was given {given}; expected one report for each place and year.")
    strings = group_strings(as_terms(terms)["form"].astype(str))
    bodies = [body_text(report) for report in ordered]
    found = [count_strings(body, strings) for body in bodies]
    table = pd.DataFrame({"place": [key[0] for key in keys], "year": [key[1] for key in keys], "han": [*map(han_count, bodies)]})
    return tabulate(table, found, strings, level=level)


def overlap(one: str, two: str) -> bool:
    """Return whether the end of one string is the beginning of another, neither being the whole of it."""
    return any(one[-size:] == two[:size] for size in range(1, min(len(one), len(two))))


def body_text(report: Report) -> str:
    """Return the body of a report, a line per sentence: all but the annex that `outline` finds by rule."""
    sentences = outline([report])
    return "\n".join(sentences.loc[sentences["part"] != "annex", "text"])


def group_strings(strings: Iterable[str]) -> dict[int, frozenset[str]]:
    """Return strings by their length."""
    listed = list(strings)
    return {length: frozenset(s for s in listed if len(s) == length) for length in sorted(set(map(len, listed)))}


def count_strings(text: str, strings: Mapping[int, frozenset[str]]) -> dict[str, int]:
    """Count strings in a text, each as `str.count` does (never twice in the same characters), in one pass per length."""
    found: Counter[str] = Counter()
    for length, chosen in sorted(strings.items()):
        pieces = (text[start : start + length] for start in range(len(text) - length + 1))
        found.update(piece for piece in pieces if piece in chosen)
    return {string: text.count(string) if overlap(string, string) else number for string, number in sorted(found.items())}


def tabulate(
    reports: pd.DataFrame, found: list[dict[str, int]], strings: Mapping[int, frozenset[str]], *, level: str = ""
) -> Reference:
    """Return a reference from the counts of each report: the strings that stand somewhere, then the others at −1."""
    seen = sorted({string for counts in found for string in counts})
    rows = {string: number for number, string in enumerate(seen)}
    counts = np.zeros((len(seen), len(found)), dtype=np.int64)
    for column, mine in enumerate(found):
        for string, number in mine.items():
            counts[rows[string], column] = number
    absent = sorted({string for chosen in strings.values() for string in chosen} - set(rows))
    return Reference(reports, rows | dict.fromkeys(absent, -1), counts, level)


def weights_of(names: list[str], terms: pd.DataFrame | None) -> dict[str, Weights | None]:
    """Return per term by which weights the counts of its strings add up; without `terms`, each name is its own string."""
    listed = as_terms(list(dict.fromkeys(names)) if terms is None else terms)
    answer: dict[str, Weights | None] = {name: {name: 1} for name in names}
    for name, rows in listed.groupby("term", sort=False):
        for reading, counted in ((str(name), ("form",)), (WIDE.format(name), ("form", "wide"))):
            chosen = rows[rows["role"].isin([*counted, "not"])]
            answer[reading] = form_weights(
                {form: int(role != "not") for form, role in zip(chosen["form"], chosen["role"], strict=True)}
            )
    return answer


def form_weights(values: Mapping[str, int]) -> Weights | None:
    """Return weights by which plain counts of strings add up to occurrences found longest first, never twice.

    `values` says of each string whether it counts (1) or hides what is in it (0). A string within another is counted in
    both, which the longer one's weight sets right; where two strings can share characters otherwise there are no weights.

    >>> form_weights({"改革": 1, "改革派": 0, "改革开放": 1})
    {'改革': 1, '改革派': -1}
    >>> form_weights({"中心": 1, "心中": 1}) is None
    True
    """
    ordered = sorted(values, key=lambda string: (len(string), string))
    if any(overlap(one, two) for one in ordered for two in ordered if one != two):
        return None
    weights: Weights = {}
    for string in ordered:
        weights[string] = values[string] - sum(weight * string.count(part) for part, weight in weights.items())
    return {string: weight for string, weight in weights.items() if weight}


def total_of(weights: Weights, reference: Reference) -> Integers:
    """Return how often a term stands in each report of the reference."""
    total = np.zeros(len(reference.reports), dtype=np.int64)
    for string, weight in sorted(weights.items()):
        row = reference.rows[string]
        total += weight * reference.counts[row].astype(np.int64) if row >= 0 else 0
    return total


def fingerprint() -> str:
    """Return sixteen hexadecimal digits that change with the counting rule: what is the body, what is Han, how to count."""
    parts = (RULE, ANNEX.pattern, str(EARLIEST_ANNEX), str(HAN_RANGES), STRAY_SPACE.pattern)
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def pack(reference: Reference) -> bytes:
    """Return a reference as compressed bytes, the same for the same reference: a line of JSON, the strings, the counts."""
    dtype = np.min_scalar_type(reference.counts.max(initial=0)).newbyteorder("<")
    head = {
        "rule": fingerprint(), "level": reference.level, "strings": len(reference.rows),
        "reports": reference.reports[["place", "year", "han"]].to_numpy(dtype=object).tolist(), "dtype": dtype.str,
    }  # fmt: skip
    lines = [json.dumps(head, ensure_ascii=False), *reference.rows]
    return lzma.compress("\n".join(lines).encode() + b"\n\n" + reference.counts.astype(dtype).tobytes(), preset=6)


def unpack(data: bytes) -> Reference:
    """Return the reference that :func:`pack` wrote.

    Raises
    ------
    ReadError
        If it was counted by another rule than this version's.
    """
    text, _, numbers = lzma.decompress(data).partition(b"\n\n")
    first, *strings = text.decode().split("\n")
    head = json.loads(first)
    if head["rule"] != fingerprint():
        raise ReadError(
            f"The term counts of other governments were counted by rule {head['rule']}, this version counts by {fingerprint()}. "
            "Rebuild resources/term_counts.xz with tools/build_placebo.py."
        )
    reports = pd.DataFrame(head["reports"], columns=["place", "year", "han"])
    counts = np.frombuffer(numbers, dtype=head["dtype"]).reshape(-1, len(reports))
    rows = {string: number if number < len(counts) else -1 for number, string in enumerate(strings)}
    return Reference(reports, rows, counts, head["level"])


@cache
def shipped() -> Reference:
    """Return the counts that the package ships: 31 provinces, 2010 to 2023, built by tools/build_placebo.py."""
    return unpack(resource(RESOURCE))
