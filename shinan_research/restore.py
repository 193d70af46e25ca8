"""Two layers of a text: the witness, and the text with accepted emendations and normalised spaces."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pandas as pd

from .errors import ApparatusError
from .files import format_rows, read_rows, whole_number
from .reports import HAN, Emendation, Normalisation, Report

CERTAINTIES = ("attested", "certain", "probable", "possible")
DECISIONS = ("open", "accept", "reject")
JUDGES = ("algorithm", "machine reader", "person")
COLUMNS = tuple(field.name for field in fields(Emendation))
CONTEXT = 8
STRAY_SPACE = re.compile(rf"(?<=[{HAN}])[ \u3000]+(?=[一二三四五六七八九十]{{1,3}}、)")


def read_emendations(folder: Path) -> pd.DataFrame:
    """Read the apparatus of every report: `<report id>.csv` in a folder, one row per emendation.

    Returns
    -------
    pandas.DataFrame
        The columns of :class:`~shinan_research.reports.Emendation`, sorted by report and offset; empty if the folder
        is missing. `attrs["reports"]` lists the reports that have a file, even one without rows.

    Raises
    ------
    ApparatusError
        If a row's report is not that of its file, its offset is no number, or a word of the vocabulary is unknown.
    """
    rows: list[Emendation] = []
    paths = sorted(folder.glob("*.csv"))
    for path in paths:
        for number, row in enumerate(
            read_rows(path, ("offset", "char", "left", "right", "certainty", "decision", "decided_by")), 2
        ):
            row.setdefault("report", path.stem)
            if row["report"] != path.stem:
                raise ApparatusError(
                    f"{path.name}, row {number}: belongs to {row['report']!r}, but the file is that of {path.stem!r}."
                )
            rows.append(_emendation(row, f"{path.name}, row {number}"))
    table = pd.DataFrame([[getattr(row, name) for name in COLUMNS] for row in sorted(rows)], columns=list(COLUMNS))
    table.attrs["reports"] = tuple(path.stem for path in paths)
    return table


def _emendation(row: dict[str, str], where: str) -> Emendation:
    """Return a row of a file as an emendation, its vocabulary checked."""
    for name, allowed in (("certainty", CERTAINTIES), ("decision", DECISIONS), ("decided_by", JUDGES)):
        if row[name] not in allowed:
            raise ApparatusError(f"{where}: {name} is {row[name]!r}; allowed: {', '.join(allowed)}.")
    offset = whole_number(row["offset"])
    if offset < 0 or not row["char"]:
        raise ApparatusError(
            f"{where}: offset {row['offset']!r} and char {row['char']!r}; expected a whole number and a character."
        )
    values = {name: row.get(name, "") for name in COLUMNS} | {"offset": offset}
    return Emendation(**values)  # type: ignore[arg-type]


def restore(reports: Iterable[Report], emendations: pd.DataFrame, *, certainty: str = "probable") -> list[Report]:
    """Apply the accepted emendations to the witness, and take stray spaces out of sentences.

    The witness is never changed; the result is the same in whatever order the rows stand, and restoring a restored
    report changes nothing. A stray space is one between a Han character and a number like 二、, where a heading cannot
    begin: the mark of a scraper that takes every such number for a heading.

    Parameters
    ----------
    reports
        Reports, restored or not.
    emendations
        One row per emendation, with the columns of :class:`~shinan_research.reports.Emendation`; rows of other
        reports are passed over.
    certainty
        The weakest certainty to apply: attested, certain, probable or possible.

    Returns
    -------
    list of Report
        With `text`, `emendations`, `normalisations` and `restored` set.

    Raises
    ------
    ApparatusError
        If a row's context does not stand in the witness, or two rows insert the same character at one place; nothing
        is then applied.

    Examples
    --------
    >>> report = Report("a-2019", "a", 2019, "十九届 二、三全会", "十九届 二、三全会")
    >>> row = Emendation("a-2019", 7, "中", "十九届 二、三", "全会", decision="accept", decided_by="person")
    >>> restore([report], pd.DataFrame([row]))[0].text
    '十九届二、三中全会'
    """
    if certainty not in CERTAINTIES:
        raise ApparatusError(f"certainty is {certainty!r}; allowed: {', '.join(CERTAINTIES)}.")
    missing = [name for name in ("report", "offset", "char", "certainty", "decision") if name not in emendations.columns]
    if missing:
        raise ApparatusError(
            f"The apparatus lacks the column {', '.join(missing)}. Read it with read_emendations, or see its columns."
        )
    applied = CERTAINTIES[: CERTAINTIES.index(certainty) + 1]
    accepted = emendations[(emendations["decision"] == "accept") & emendations["certainty"].isin(applied)]
    chosen = {report: [_row(row) for row in rows.to_dict("records")] for report, rows in accepted.groupby("report")}
    return [_restored(report, sorted(chosen.get(report.id, []))) for report in reports]


def _row(record: Mapping[Any, Any]) -> Emendation:
    return Emendation(**{name: record[name] for name in COLUMNS if name in record})


def _restored(report: Report, rows: list[Emendation]) -> Report:
    """Return a report with these emendations and no others."""
    witness = report.witness
    for row, following in zip(rows, [*rows[1:], None], strict=False):
        check_context(witness, row)
        if following and (row.offset, row.char) == (following.offset, following.char):
            raise ApparatusError(
                f"apparatus of {report.id}: {row.char!r} is inserted twice before offset {row.offset}. Remove one row."
            )
    spaces = tuple(Normalisation(m.start(), m.group(), "stray space") for m in STRAY_SPACE.finditer(witness))
    return apply_edits(report, tuple(rows), spaces)


def check_context(witness: str, row: Emendation) -> None:
    """Refuse an emendation whose eight characters on either side are not those of the witness.

    Raises
    ------
    ApparatusError
        Naming the row, what was expected and what was found.
    """
    left = witness[max(0, row.offset - CONTEXT) : row.offset]
    right = witness[row.offset : row.offset + CONTEXT]
    if row.offset > len(witness) or not left.endswith(row.left) or not right.startswith(row.right) or not row.left + row.right:
        raise ApparatusError(
            f"apparatus of {row.report}, offset {row.offset}: expected …{row.left}[{row.char}]{row.right}…, "
            f"found …{left}[]{right}…. The row belongs to another text, or the raw file has changed; nothing was applied."
        )


def apply_edits(report: Report, emendations: tuple[Emendation, ...], normalisations: tuple[Normalisation, ...]) -> Report:
    """Return a report whose text is its witness with these insertions and removals."""
    pieces, position = [], 0
    edits = sorted(
        [(row.offset, 0, row.char) for row in emendations] + [(row.offset, len(row.removed), "") for row in normalisations]
    )
    for offset, removed, inserted in edits:
        pieces += [report.witness[position:offset], inserted]
        position = max(position, offset + removed)
    text = "".join(pieces) + report.witness[position:]
    return replace(report, text=text, emendations=emendations, normalisations=normalisations, restored=True)


def apparatus(reports: Iterable[Report]) -> pd.DataFrame:
    """List what was changed in restored reports, in lemma form.

    Returns
    -------
    pandas.DataFrame
        One row per emendation, in order of text, with the columns of :class:`~shinan_research.reports.Emendation`,
        `position` in `Report.text` and `page`, the character offset in the raw file.
    """
    reports = list(reports)
    rows = [
        [*(getattr(row, name) for name in COLUMNS), int(position), report.page_start + row.offset]
        for report in reports
        for row, position in zip(report.emendations, _first_positions(report), strict=True)
    ]
    return pd.DataFrame(rows, columns=[*COLUMNS, "position", "page"])


def _first_positions(report: Report) -> list[int]:
    """Return where in `text` each emendation's first character stands."""
    lengths = pd.Series([len(row.char) for row in report.emendations], dtype=int)
    first = (lengths.cumsum() - lengths).tolist()
    return [int(report.inserted[index]) for index in first]


def proposal_rows(proposals: pd.DataFrame) -> bytes:
    """Return proposals as the rows of an apparatus, all open, decided by the algorithm; nothing is applied.

    Parameters
    ----------
    proposals
        The table of :func:`~shinan_research.propose.propose`.
    """
    certainty = {"high confidence": "certain", "please look": "possible"}
    rows = [
        {**row, "certainty": certainty[row["tier"]], "decision": "open", "decided_by": "algorithm", "editor": "propose"}
        for row in proposals.to_dict("records")
    ]
    return format_rows([{str(key): value for key, value in row.items()} for row in rows], COLUMNS, mark=True)


def agreement(emendations: pd.DataFrame) -> pd.DataFrame:
    """Compare the two readings on record, report by report and character by character.

    Returns
    -------
    pandas.DataFrame
        `report, char, first, second, both, share`: places entered by the first reading, by the second, by both, and the
        share of both among all places that either entered. Rows that neither reading entered (attested by another copy
        alone) do not count here.
    """
    one, two = emendations["first"] != "", emendations["second"] != ""
    table = emendations.assign(first=one, second=two, both=one & two)[one | two]
    counts = table.groupby(["report", "char"], sort=True)[["first", "second", "both"]].sum().reset_index()
    counts["share"] = counts["both"] / (counts["first"] + counts["second"] - counts["both"])
    return counts


def variants(
    reports: Iterable[Report], emendations: pd.DataFrame, *, copies: Sequence[pd.DataFrame] = ()
) -> dict[str, list[Report]]:
    """Return the reports under every reading of the apparatus, for sensitivity.

    Parameters
    ----------
    reports
        Reports, restored or not.
    emendations
        The apparatus.
    copies
        Tables of :func:`~shinan_research.collate.collate`, one per report of which another copy is at hand.

    Returns
    -------
    dict
        Lists of restored reports by the name of the reading: `witness` (nothing restored), `certain` (attested and
        certain), `probable` (the default), `all` (possible ones too), `masked`: the characters that any accepted row
        inserts are deleted from every report, so that all are damaged alike and no judgement is needed; and, if there
        are `copies`, `copy`: the words of the other copy as far as it was compared, `probable` elsewhere.

    Raises
    ------
    ApparatusError
        If the apparatus does not fit, or a copy was collated with another text.
    """
    reports = list(reports)
    accepted = emendations[emendations["decision"] == "accept"]
    suspects = "".join(sorted(set("".join(accepted["char"]))))
    readings = {
        "witness": restore(reports, emendations.iloc[:0]),
        "certain": restore(reports, emendations, certainty="certain"),
        "probable": restore(reports, emendations, certainty="probable"),
        "all": restore(reports, emendations, certainty="possible"),
        "masked": [_masked(report, suspects) for report in reports],
    }
    if copies:
        tables = {str(table.attrs["report"]): table for table in copies}
        readings["copy"] = [
            _as_copied(report, tables[report.id]) if report.id in tables else report for report in readings["probable"]
        ]
    return readings


def _as_copied(report: Report, differences: pd.DataFrame) -> Report:
    """Return a restored report with the words of another copy where the two were compared."""
    words = differences[differences["kind"] != "layout"].to_dict("records")
    for row in words:
        check_context(report.witness, Emendation(report.id, row["offset"], row["there"], row["left"], row["right"]))
    read = [
        Emendation(report.id, row["offset"], row["there"], row["left"], row["right"], "attested", "accept")
        for row in words
        if row["there"]
    ]
    dropped = [
        Normalisation(place, report.witness[place], "other copy")
        for row in words
        for place in _places(report.witness, row["offset"], row["here"])
    ]
    known = {(row.offset, row.char) for row in read}
    spans = differences.attrs["spans"]
    kept = [
        row
        for row in report.emendations
        if (row.offset, row.char) not in known and not any(low <= row.offset < high for low, high in spans)
    ]
    return apply_edits(report, tuple(sorted([*kept, *read])), tuple(sorted([*report.normalisations, *dropped])))


def _places(witness: str, offset: int, words: str) -> list[int]:
    """Return where the characters of a reading stand in the witness, between which there may be white space."""
    places = (place for place in range(offset, len(witness)) if not witness[place].isspace())
    return [place for place, _ in zip(places, words, strict=False)]


def _masked(report: Report, suspects: str) -> Report:
    """Return a report with every one of these characters deleted."""
    spaces = [Normalisation(m.start(), m.group(), "stray space") for m in STRAY_SPACE.finditer(report.witness)]
    masks = [
        Normalisation(m.start(), m.group(), "masked")
        for m in re.finditer(f"[{re.escape(suspects)}]" if suspects else "(?!)", report.witness)
    ]
    return apply_edits(report, (), tuple(sorted([*spaces, *masks])))
