"""Reviewed links between targets and outcomes: `data/links`, one file per report that announces."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from .errors import ApparatusError
from .files import read_rows, whole_number
from .reports import Report
from .restore import JUDGES

NOT_FOUND = "not found in the next review"
VERDICTS = ("met", "missed", "partly", "blanket claim", NOT_FOUND, "not yet due", "not comparable")
BASES = ("", "same", "changed", "merged", "component")
REQUIRED = ("target_start", "target_text", "outcome_start", "outcome_text", "verdict", "basis", "decided_by")
COLUMNS = (
    "report", "target_start", "target_text", "target", "outcome_report", "outcome_start", "outcome_text", "verdict",
    "verdict_first", "verdict_second", "basis", "basis_first", "basis_second", "decided_by", "external_value",
    "external_source", "note",
)  # fmt: skip
READINGS = ("verdict_first", "verdict_second", "basis_first", "basis_second")
NOT_TARGETS = "not-targets"
WITHOUT_OUTCOME = (NOT_FOUND, "blanket claim", "not yet due")


def read_links(folder: Path) -> pd.DataFrame:
    """Read what readers decided about targets: `<report id>.csv`, and `not-targets/<report id>.csv` for what is none.

    Offsets refer to the witness, 0-based; `outcome_start` is −1 where there is no outcome. :func:`locate_links` converts.

    Returns
    -------
    pandas.DataFrame
        `report, target_start, target_text, target` (false for what is no target; the reason is in `note`),
        `outcome_report, outcome_start, outcome_text, verdict, verdict_first, verdict_second, basis, basis_first,
        basis_second, decided_by, external_value, external_source, note`; empty if the folder is missing. `verdict` and
        `basis` are settled; where a file has no columns for the first reading, that is what it found. An empty reading of
        the verdict says that this reading did not list the target.

    Raises
    ------
    ApparatusError
        If an offset is no number, a word of the vocabulary is unknown, a verdict that needs an outcome has none, or a
        target is listed twice.
    """
    rows = [
        _link(row, path.stem, f"links/{path.name}, row {number}")
        for path in sorted(folder.glob("*.csv"))
        for number, row in enumerate(read_rows(path, REQUIRED), 2)
    ]
    rows += [
        _no_target(row, path.stem, f"links/{NOT_TARGETS}/{path.name}, row {number}")
        for path in sorted((folder / NOT_TARGETS).glob("*.csv"))
        for number, row in enumerate(read_rows(path, ("target_start", "target_text", "reason", "decided_by")), 2)
    ]
    table = pd.DataFrame(rows, columns=list(COLUMNS)).astype({"target_start": int, "outcome_start": int, "target": bool})
    twice = table[table.duplicated(["report", "target_start"])]
    if len(twice):
        first = twice.iloc[0]
        where = f"the target at offset {first['target_start']}"
        raise ApparatusError(f"links of {first['report']}: {where} is listed twice. Keep one row.")
    return table.sort_values(["report", "target_start"], kind="stable", ignore_index=True)


def _link(row: dict[str, str], report: str, where: str) -> dict[str, object]:
    """Return a row of links, its vocabulary checked."""
    _check(row, "decided_by", JUDGES, where)
    _check(row, "verdict", VERDICTS, where)
    _check(row, "basis", BASES, where)
    outcome = row["outcome_start"].strip()
    if not outcome and row["verdict"] not in WITHOUT_OUTCOME:
        stated = f"the verdict is {row['verdict']!r}, but outcome_start is empty"
        raise ApparatusError(f"{where}: {stated}. Give the outcome, or say {NOT_FOUND!r}.")
    start = _number(outcome, where) if outcome else -1
    row = {"verdict_first": row["verdict"], "basis_first": row["basis"]} | row
    for name, allowed in zip(READINGS, (VERDICTS, VERDICTS, BASES, BASES), strict=True):
        _check({name: row.get(name, "")}, name, ("", *allowed), where)
    kept: dict[str, object] = {name: row.get(name, "") for name in COLUMNS}
    return kept | {"report": report, "target_start": _number(row["target_start"], where), "target": True, "outcome_start": start}


def _no_target(row: dict[str, str], report: str, where: str) -> dict[str, object]:
    """Return a row on what is no target."""
    _check(row, "decided_by", JUDGES, where)
    kept: dict[str, object] = {name: row.get(name, "") if name in READINGS else "" for name in COLUMNS}
    start = _number(row["target_start"], where)
    return kept | {
        "report": report, "target_start": start, "target_text": row["target_text"], "target": False, "outcome_start": -1,
        "decided_by": row["decided_by"], "note": row["reason"],
    }  # fmt: skip


def _check(row: dict[str, str], name: str, allowed: tuple[str, ...], where: str) -> None:
    if row[name] not in allowed:
        raise ApparatusError(f"{where}: {name} is {row[name]!r}; allowed: {', '.join(word or 'empty' for word in allowed)}.")


def _number(text: str, where: str) -> int:
    if (number := whole_number(text)) < 0:
        raise ApparatusError(f"{where}: the offset {text!r} is no whole number. Offsets count characters of the witness from 0.")
    return number


def locate_links(links: pd.DataFrame, reports: Iterable[Report]) -> pd.DataFrame:
    """Return links with offsets in `Report.text` instead of the witness, after checking that their words stand there.

    Links of reports that are not given are left out.

    Raises
    ------
    ApparatusError
        If `target_text` or `outcome_text` does not stand at its offset.
    """
    known = {report.id: report for report in reports}
    table = links[links["report"].isin(set(known))].copy()
    places = zip(table["report"], table["target_start"], table["target_text"], strict=True)
    table["target_start"] = [_locate(known[report], offset, words) for report, offset, words in places]
    places = zip(table["outcome_report"], table["outcome_start"], table["outcome_text"], strict=True)
    table["outcome_start"] = [
        _locate(known[report], offset, words) if offset >= 0 and report in known else -1 for report, offset, words in places
    ]
    return table.reset_index(drop=True)


def _locate(report: Report, offset: int, words: str) -> int:
    """Return the position in the text of words that stand at an offset of the witness."""
    found = report.witness[offset : offset + len(words)]
    position = report.to_text(offset) if offset <= len(report.witness) else -1
    if position < 0 or report.text[position : position + len(words)] != words:
        where = f"at offset {offset} of {report.id}"
        raise ApparatusError(f"links: expected {words!r} {where}, found {found!r}. Offsets count from 0 in the witness.")
    return position


def agreement(links: pd.DataFrame) -> dict[str, float]:
    """Return how far two readings agree on what is a target, and on verdict and basis of the targets that both list.

    Kappa is agreement beyond chance, 1 for full, 0 for none (Cohen 1960, Educational and Psychological Measurement 20, 37-46).
    It is not a number where there is no second reading, or where both know one category only.

    Parameters
    ----------
    links
        The table of :func:`read_links`, rows on what is no target included.

    Returns
    -------
    dict
        `both`, `first`, `second`: targets listed by both, by one alone; `verdict`, `verdict_kappa`, `basis`, `basis_kappa`:
        number of equal readings among those of both, and kappa.

    Examples
    --------
    >>> links = pd.DataFrame({"verdict_first": ["met", "met", "missed", "met", ""], "basis_first": ["same"] * 5,
    ...                       "verdict_second": ["met", "missed", "missed", "met", "met"], "basis_second": ["same"] * 5})
    >>> agreement(links)
    {'both': 4, 'first': 0, 'second': 1, 'verdict': 3, 'verdict_kappa': 0.5, 'basis': 4, 'basis_kappa': nan}
    """
    first, second = (links[name].ne("") for name in ("verdict_first", "verdict_second"))
    both = links[first & second]
    found: dict[str, float] = {"both": len(both), "first": int((first & ~second).sum()), "second": int((second & ~first).sum())}
    for name in ("verdict", "basis"):
        one, two = both[f"{name}_first"], both[f"{name}_second"]
        found |= {name: int((one == two).sum()), f"{name}_kappa": _kappa(one, two)}
    return found


def _kappa(one: pd.Series[str], two: pd.Series[str]) -> float:
    """Return Cohen's kappa of two readings of the same rows."""
    shares = [column.value_counts(normalize=True) for column in (one, two)]
    chance = float(sum(shares[0][word] * shares[1].get(word, 0.0) for word in sorted(shares[0].index)))
    return (float((one == two).mean()) - chance) / (1 - chance) if len(one) and chance < 1 else float("nan")


def disputed_links(links: pd.DataFrame) -> pd.DataFrame:
    """Return the rows on which two readings differ: whether it is a target, its verdict, or its basis.

    Where there was no second reading at all, nothing differs.

    Returns
    -------
    pandas.DataFrame
        `report, target_text, target` (as settled), `verdict, verdict_first, verdict_second, basis, basis_first,
        basis_second, note`.
    """
    columns = ["report", "target_text", "target", "verdict", "verdict_first", "verdict_second", "basis", "basis_first",
               "basis_second", "note"]  # fmt: skip
    read = links["report"].isin(set(links["report"][links["verdict_second"] != ""]))
    unlike = (links["verdict_first"] != links["verdict_second"]) | (links["basis_first"] != links["basis_second"])
    return links.loc[read & unlike, columns].reset_index(drop=True)
