"""Reviewed links between targets and outcomes: `data/links`, one file per report that announces."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from .errors import ApparatusError
from .files import read_rows
from .reports import Report
from .restore import JUDGES

NOT_FOUND = "not found in the next review"
VERDICTS = ("met", "missed", "partly", "blanket claim", NOT_FOUND, "not yet due", "not comparable")
BASES = ("", "same", "changed", "merged", "component")
REQUIRED = ("target_start", "target_text", "outcome_start", "outcome_text", "verdict", "basis", "decided_by")
COLUMNS = (
    "report", "target_start", "target_text", "target", "outcome_report", "outcome_start", "outcome_text", "verdict",
    "verdict_second", "basis", "decided_by", "external_value", "external_source", "note",
)  # fmt: skip
NOT_TARGETS = "not-targets"
WITHOUT_OUTCOME = (NOT_FOUND, "blanket claim", "not yet due")


def read_links(folder: Path) -> pd.DataFrame:
    """Read what readers decided about targets: `<report id>.csv`, and `not-targets/<report id>.csv` for what is none.

    Offsets refer to the witness, 0-based; `outcome_start` is −1 where there is no outcome. :func:`locate_links` converts.

    Returns
    -------
    pandas.DataFrame
        `report, target_start, target_text, target` (false for what is no target; the reason is in `note`),
        `outcome_report, outcome_start, outcome_text, verdict, verdict_second, basis, decided_by, external_value,
        external_source, note`; empty if the folder is missing.

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
    kept = {name: row.get(name, "") for name in COLUMNS}
    return kept | {"report": report, "target_start": _number(row["target_start"], where), "target": True, "outcome_start": start}


def _no_target(row: dict[str, str], report: str, where: str) -> dict[str, object]:
    """Return a row on what is no target."""
    _check(row, "decided_by", JUDGES, where)
    kept: dict[str, object] = dict.fromkeys(COLUMNS, "")
    start = _number(row["target_start"], where)
    return kept | {
        "report": report, "target_start": start, "target_text": row["target_text"], "target": False, "outcome_start": -1,
        "decided_by": row["decided_by"], "note": row["reason"],
    }  # fmt: skip


def _check(row: dict[str, str], name: str, allowed: tuple[str, ...], where: str) -> None:
    if row[name] not in allowed:
        raise ApparatusError(f"{where}: {name} is {row[name]!r}; allowed: {', '.join(word or 'empty' for word in allowed)}.")


def _number(text: str, where: str) -> int:
    if not text.strip().isdecimal():
        raise ApparatusError(f"{where}: the offset {text!r} is no whole number. Offsets count characters of the witness from 0.")
    return int(text)


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
    """Return how far two readings agree on the verdict: `n`, `share`, and Cohen's kappa.

    Kappa is agreement beyond chance, 1 for full, 0 for none (Cohen 1960, Educational and Psychological Measurement 20).
    Rows without a second reading are left out; kappa is not a number where both readings know one verdict only.

    >>> links = pd.DataFrame({"target": [True] * 4, "verdict": ["met", "met", "missed", "met"],
    ...                       "verdict_second": ["met", "missed", "missed", "met"]})
    >>> agreement(links)
    {'n': 4, 'share': 0.75, 'kappa': 0.5}
    """
    read = links[links["target"] & (links["verdict_second"] != "")]
    if read.empty:
        return {"n": 0, "share": float("nan"), "kappa": float("nan")}
    share = float((read["verdict"] == read["verdict_second"]).mean())
    one, two = (read[name].value_counts(normalize=True) for name in ("verdict", "verdict_second"))
    chance = float(sum(one.get(verdict, 0.0) * two.get(verdict, 0.0) for verdict in VERDICTS))
    return {"n": len(read), "share": share, "kappa": (share - chance) / (1 - chance) if chance < 1 else float("nan")}
