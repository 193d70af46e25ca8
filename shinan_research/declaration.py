"""Read `study.toml`: every key is known, of the type it must have, and contradicts no other."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from typing import Any

import pandas as pd

from .errors import ShinanError, StudyError
from .messages import LANGUAGES
from .occurrences import WIDE, as_terms

CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
LONGEST = 60  # characters of a wrong value that an error repeats
DECLARED = ("before counting", "after reading")
LAYOUTS = ("page", "report")
WIDTHS = ("single", "onehalf", "double")


def is_text(value: object) -> bool:
    """Return whether a value is a string without control characters."""
    return isinstance(value, str) and not CONTROL.search(value)


def is_number(value: object) -> bool:
    """Return whether a value is a whole number; true and false are none."""
    return isinstance(value, int) and not isinstance(value, bool)


TEXT = (is_text, "expected a string in quotation marks, without control characters")
LIST = (lambda value: isinstance(value, list) and all(map(is_text, value)), 'expected a list of strings, as in ["养老", "就业"]')
NAMES = (
    lambda value: isinstance(value, dict) and {"zh", "en"} <= {*value} and all(map(is_text, value.values())),
    'expected both languages, as in { zh = "…", en = "…" }',
)
GROUP = (
    lambda value: is_text(value) or is_number(value) or (isinstance(value, list) and len(value) == 2 and is_text(value[0])
                                                         and is_number(value[1])),
    'expected a year, a report id, or a place and a year, as in 2031, "A-2031" or ["A", 2031]',
)  # fmt: skip
YEARS = (
    lambda value: isinstance(value, dict) and all(map(is_text, value)) and all(map(is_number, value.values())),
    "expected report ids, each with its year, a whole number without quotation marks, as in { jia-2031 = 2031 }",
)
DAY = (lambda value: is_text(value) or hasattr(value, "isoformat"), "expected a day, as in 2031-01-09")
SEED = (lambda value: is_number(value) and value >= 0, "expected a whole number from 0 on")


def one_of(*allowed: str) -> tuple[Callable[[object], bool], str]:
    """Return the check of a value that must be one of several."""
    return (lambda value: isinstance(value, str) and value in allowed), f"allowed: {', '.join(allowed)}"


Check = tuple[Callable[[Any], bool], str]
KEYS: dict[str, Check] = {
    "title": NAMES, "place": NAMES, "before": GROUP, "after": GROUP, "language": one_of(*LANGUAGES, "both"),
    "width": one_of(*WIDTHS), "seed": SEED, "declared": one_of(*DECLARED), "licence": TEXT, "siblings": TEXT,
}  # fmt: skip
FILE_KEYS: dict[str, Check] = {
    "path": TEXT, "layout": one_of(*LAYOUTS), "reports": YEARS, "source": TEXT, "address": TEXT, "retrieved": DAY,
    "licence": TEXT, "place": TEXT,
}  # fmt: skip
TERM_KEYS: dict[str, Check] = {"name": TEXT, "forms": LIST, "not": LIST, "wide": LIST, "family": TEXT}
TABLES = ("files", "terms")


def read_declaration(text: str) -> dict[str, Any]:
    """Return what `study.toml` says, as the fields of a :class:`~shinan_research.study.Study`; what it leaves out is left out.

    Raises
    ------
    StudyError
        If the text is no TOML, a key is unknown, missing or of another type, or two entries contradict each other.
    """
    try:
        raw = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # ValueError also of a number with more digits than Python reads
        raise StudyError(f"study.toml is not valid TOML: {error}.") from error
    entries = {key: _entries(raw, key) for key in TABLES}
    own = {key: value for key, value in raw.items() if key not in TABLES}
    _check("study.toml", own, KEYS, (*KEYS, *TABLES))
    missing = [key for key in ("title", "place", "before", "after") if key not in raw]
    if missing:
        raise StudyError(f"study.toml lacks {', '.join(missing)}. See the commented example in README.")
    for entry in entries["files"]:
        _check_file(entry)
    groups = {key: tuple(raw[key]) if isinstance(raw[key], list) else raw[key] for key in ("before", "after")}
    return own | groups | {"files": tuple(entries["files"]), "terms": _terms(entries["terms"])}


def _entries(raw: dict[str, Any], key: str) -> list[dict[str, Any]]:
    """Return a list of tables of the file."""
    entries = raw.get(key, [])
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise StudyError(f"study.toml: {key} must be written as tables, each beginning with a line [[{key}]].")
    return entries


def _check(where: str, table: dict[str, Any], checks: dict[str, Check], allowed: tuple[str, ...] = ()) -> None:
    """Refuse a key that is not known, and a value that is not what its key asks for."""
    for key, value in table.items():
        if key not in checks:
            raise StudyError(f"{where}: unknown key {key!r}. Allowed: {', '.join(allowed or checks)}.")
        fits, expected = checks[key]
        if not fits(value):
            shown = repr(value[:LONGEST]) if isinstance(value, str) else repr(value)[:LONGEST]
            raise StudyError(f"{where}: {key} is {shown}; {expected}.")


def _check_file(entry: dict[str, Any]) -> None:
    """Refuse an entry of `files` that says too little or contradicts itself."""
    _check("[[files]] of study.toml", entry, FILE_KEYS)
    if "path" not in entry:
        raise StudyError('study.toml: a [[files]] entry lacks its path, as in path = "raw/page.txt".')
    years = list(entry.get("reports", {}).values())
    twice = [year for year in years if years.count(year) > 1]
    if twice:
        raise StudyError(f"study.toml gives the report of {twice[0]} in {entry['path']} two names. Leave one.")


def _terms(entries: list[dict[str, Any]]) -> pd.DataFrame:
    """Return the declared terms as a table, one row per listed string."""
    rows = []
    for entry in entries:
        _check("[[terms]] of study.toml", entry, TERM_KEYS)
        if "name" not in entry:
            raise StudyError('study.toml: a [[terms]] entry lacks its name, as in name = "养老".')
        name, family = entry["name"], entry.get("family", "declared")
        strings = {"form": entry.get("forms", [name]), "not": entry.get("not", []), "wide": entry.get("wide", [])}
        if not strings["form"]:
            raise StudyError(f"study.toml: The term {name!r} has no form to count. List at least one string under `forms`.")
        rows += [(name, string, role, family) for role, listed in strings.items() for string in listed]
    names = [entry["name"] for entry in entries] + [WIDE.format(entry["name"]) for entry in entries if entry.get("wide")]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise StudyError(f"study.toml declares the term {twice[0]!r} twice. Put all its forms under one [[terms]].")
    try:
        return as_terms(pd.DataFrame(rows, columns=["term", "form", "role", "family"]))
    except ShinanError as error:
        raise StudyError(f"study.toml: {error}") from error
