"""Turn the files of `data/` into the objects that the functions take."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from .collate import collate
from .declaration import read_declaration
from .dictionary import read_lexicon
from .errors import ApparatusError, StudyError
from .files import read_rows, read_text, sha256, whole_number
from .links import locate_links, read_links
from .occurrences import as_terms
from .outline import outline
from .reference import Reference, reference_from
from .reports import Report, check_unique, read_folder, read_page, read_report
from .restore import read_emendations, restore
from .tokens import Segmenter

NOT_DATA = ("README.md", "SHA256SUMS")
SENSE_COLUMNS = ("report", "offset", "match", "sense", "decided_by")
STRATA_COLUMNS = ("report", "chapter", "title", "stratum", "decided_by")
LABEL_COLUMNS = ("fingerprint", "zh", "en", "decided_by")
HEADING_COLUMNS = ("report", "start", "end", "level", "text", "decided_by")


@dataclass(frozen=True)
class Study:
    """One study: a folder with `data/study.toml`, and the judgements beside it.

    `before` and `after` are the groups to compare: a year, a report id, or a place and a year.
    """

    root: Path
    title: dict[str, str]
    place: dict[str, str]
    before: int | str | tuple[str, int]
    after: int | str | tuple[str, int]
    language: str = "both"
    width: str = "double"
    seed: int = 0
    declared: str = "after reading"
    licence: str = "CC BY 4.0"
    siblings: str = ""
    files: tuple[dict[str, Any], ...] = field(default=(), repr=False)
    terms: pd.DataFrame = field(default_factory=lambda: as_terms([]), repr=False, compare=False)

    @property
    def data(self) -> Path:
        """The folder of everything particular to this study."""
        return self.root / "data"

    def reports(self) -> list[Report]:
        """Read the reports, named and placed as `study.toml` says; without `files`, every report of `data/raw`.

        Raises
        ------
        ReadError
            If a file cannot be read.
        StudyError
            If a file does not hold the reports that `study.toml` promises.
        """
        if not self.files:
            return self._known_to_all(read_folder(self.data / "raw"))
        reports = [report for entry in self.files for report in self._read(entry)]
        return self._known_to_all(check_unique(reports, "study.toml"))

    def _known_to_all(self, reports: list[Report]) -> list[Report]:
        """Return the reports, after refusing judgements on a report that does not exist: a misspelt name would do nothing."""
        ids = [report.id for report in reports]
        for kind, pattern in (("emendations", "*.csv"), ("headings", "*.csv"), ("copies", "*.txt")):
            strange = [path.name for path in sorted((self.data / kind).glob(pattern)) if path.stem not in ids]
            if strange:
                raise StudyError(f"data/{kind}/{strange[0]} belongs to no report. Reports: {', '.join(ids)}. Rename the file.")
        return reports

    def _read(self, entry: dict[str, Any]) -> list[Report]:
        path, place = self.data / entry["path"], entry.get("place", self.place["zh"])
        found = read_page(path, place=place) if entry.get("layout") == "page" else [read_report(path, place=place)]
        names = {year: name for name, year in entry.get("reports", {}).items()}
        missing = sorted(set(names) - {report.year for report in found})
        if missing:
            raise StudyError(
                f"study.toml promises a report of {missing[0]} in {path.name}. "
                f"Years present: {', '.join(str(report.year) for report in found)}."
            )
        return [replace(report, id=names.get(report.year, report.id)) for report in found]

    @cached_property
    def emendations(self) -> pd.DataFrame:
        """The apparatus: `data/emendations/<report id>.csv`."""
        return read_emendations(self.data / "emendations")

    def copies(self, reports: list[Report]) -> list[pd.DataFrame]:
        """Collate every other copy at hand, `data/copies/<report id>.txt`, with its report; without one the list is empty."""
        known = {report.id: report for report in reports}
        paths = sorted((self.data / "copies").glob("*.txt"))
        if strange := [path.name for path in paths if path.stem not in known]:
            raise StudyError(f"data/copies/{strange[0]} belongs to no report. Reports: {', '.join(known)}. Rename the file.")
        return [collate(known[path.stem], read_text(path)) for path in paths]

    @cached_property
    def headings(self) -> pd.DataFrame:
        """Reviewed headings: `data/headings/<report id>.csv`, offsets in the witness."""
        paths = sorted((self.data / "headings").glob("*.csv"))
        rows = [(path, row) for path in paths for row in read_rows(path, HEADING_COLUMNS)]
        for path, row in rows:
            if row["report"] != path.stem:
                raise StudyError(
                    f"headings/{path.name}: a row belongs to {row['report']!r}, but the file is that of {path.stem!r}."
                )
        table = pd.DataFrame([row for _, row in rows], columns=list(HEADING_COLUMNS))
        try:
            return table.astype({"start": int, "end": int})
        except (ValueError, OverflowError) as error:
            raise StudyError(f"data/headings: start and end must be whole numbers ({error}).") from error

    @cached_property
    def strata(self) -> pd.DataFrame | None:
        """Matched chapters, `data/strata.csv`: `report, chapter, title, stratum, …`; None without that file.

        Chapters are numbered as :func:`~shinan_research.outline.outline` numbers them, and named with their titles so that a
        later change of the headings cannot move a row to another chapter unseen.

        Raises
        ------
        StudyError
            If a row names no chapter of its report or another title than the chapter has, lacks its stratum or who decided,
            if a chapter stands twice or a chapter of review or plan is missing, or a stratum mixes parts.
        """
        path = self.data / "strata.csv"
        if not path.exists():
            return None
        sentences = outline(restore(self.reports(), self.emendations), headings=self.headings)
        chapters = sentences.drop_duplicates(["report", "chapter"]).set_index(["report", "chapter"])
        return _strata(read_rows(path, STRATA_COLUMNS), chapters[["part", "chapter_title"]].astype(str))

    def senses(self, reports: list[Report]) -> pd.DataFrame:
        """Read the coded senses, `data/senses/<term>.csv`, with their places in the text; rows not yet coded are passed over.

        Raises
        ------
        StudyError
            If a form does not stand at its offset, or a row lacks its sense or who decided.
        """
        known, files = {report.id: report for report in reports}, sorted((self.data / "senses").glob("*.csv"))
        rows = [
            (path.stem, row["report"], _sense_place(path, row, known), row["sense"], row["decided_by"])
            for path in files for row in read_rows(path, SENSE_COLUMNS) if row["sense"] or row["decided_by"]
        ]  # fmt: skip
        return pd.DataFrame(rows, columns=["term", "report", "start", "sense", "decided_by"])

    def links(self, reports: list[Report]) -> pd.DataFrame:
        """Read the reviewed links between targets and outcomes, `data/links`, with offsets in the text of these reports."""
        return locate_links(read_links(self.data / "links"), reports)

    def reference(self, strings: Iterable[str]) -> Reference | None:
        """Count strings in the reports of sibling places, the folder of `data/` that `siblings` names; None without that key.

        What :func:`~shinan_research.placebo.placebo` takes as its reference: governments of the study's own level.

        Raises
        ------
        StudyError
            If the folder is not there, or holds no report of another place.
        """
        if not self.siblings:
            return None
        folder = self.data / self.siblings
        own = {report.place for report in self.reports()}
        found = [report for report in read_folder(folder) if report.place not in own] if folder.is_dir() else []
        if not found:
            raise StudyError(f"study.toml: siblings is {self.siblings!r}; expected a folder of data/ with other places' reports.")
        return reference_from(restore(found, self.emendations.iloc[:0]), dict.fromkeys(strings))

    @cached_property
    def segmenter(self) -> Segmenter:
        """The segmenter with the study's own terms: `data/lexicon/*.txt`."""
        return Segmenter(terms=read_lexicon(self.data / "lexicon"))

    @cached_property
    def glosses(self) -> dict[str, str]:
        """English glosses of terms: `data/glosses.csv`; a term without one has none."""
        path = self.data / "glosses.csv"
        return {row["term"]: row["gloss"] for row in read_rows(path, ("term", "gloss"))} if path.exists() else {}

    @cached_property
    def labels(self) -> pd.DataFrame:
        """Names that a reader gave to topics: `data/labels.csv`; without that file, none.

        Raises
        ------
        ApparatusError
            If a row lacks its fingerprint, a name, or who decided.
        """
        path = self.data / "labels.csv"
        rows = read_rows(path, LABEL_COLUMNS) if path.exists() else []
        for number, row in enumerate(rows, 2):
            if not all(row[name].strip() for name in LABEL_COLUMNS):
                raise ApparatusError(f"labels.csv, row {number}: expected fingerprint, zh, en and decided_by; found {row}.")
        return pd.DataFrame(rows, columns=[*LABEL_COLUMNS, "same"]).fillna("")

    @cached_property
    def data_hash(self) -> str:
        """SHA-256 over the names and bytes of every file of `data/` that the analysis may read."""
        paths = sorted(
            path
            for path in self.data.rglob("*")
            if path.is_file() and path.name not in NOT_DATA and not path.name.startswith(".")
        )
        lines = [f"{sha256(path)}  {path.relative_to(self.data).as_posix()}" for path in paths]
        return sha256("\n".join(lines).encode())

    def check_hashes(self) -> None:
        """Compare the files of `data/raw` with `data/SHA256SUMS`, where there is one.

        Raises
        ------
        StudyError
            If a file is missing or has changed; a change of line ends alone is named as such.
        """
        sums = self.data / "SHA256SUMS"
        if not sums.exists():
            return
        for line in filter(str.strip, read_text(sums).splitlines()):
            expected, _, name = line.partition(" ")
            name = name[1:] if name[:1] in (" ", "*") else name
            path = self.data / name
            if not path.exists():
                raise StudyError(f"data/{name} is missing, but data/SHA256SUMS lists it. Put it back, or delete its line.")
            raw, expected = path.read_bytes(), expected.lower()
            if (found := sha256(raw)) == expected:
                continue
            if expected in (sha256(raw.replace(b"\r\n", b"\n")), sha256(raw.replace(b"\n", b"\r\n"))):
                raise StudyError(
                    f"data/{name} differs from data/SHA256SUMS only in its line ends. A system or editor has changed them; "
                    "fetch the file again, or clone with the repository's .gitattributes in force."
                )
            raise StudyError(f"data/{name} has changed: its SHA-256 is {found}, data/SHA256SUMS says {expected}. Put it back.")


def _sense_place(path: Path, row: dict[str, str], reports: dict[str, Report]) -> int:
    """Return where a coded form stands in the text, after checking that it does."""
    where, offset = f"senses/{path.name}, {row['report']}, offset {row['offset']}", whole_number(row["offset"])
    if row["report"] not in reports or offset < 0 or not row["sense"] or not row["decided_by"]:
        raise StudyError(f"{where}: expected a report of this study, a whole number, a sense and who decided.")
    report = reports[row["report"]]
    form = re.sub("[〔〕]", "", row["match"])
    for start in range(report.to_text(offset, insertion=True), report.to_text(offset) + 1):
        if report.text.startswith(form, start):
            return start
    raise StudyError(f"{where}: {form!r} does not stand there. Offsets count characters of the witness from 0.")


def _strata(rows: list[dict[str, str]], chapters: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of strata.csv as a table, after checking each against the chapters of the reports."""
    titles: dict[Any, str] = chapters["chapter_title"].to_dict()
    for number, row in enumerate(rows, 2):
        where = f"strata.csv, row {number}"
        key = (row["report"], whole_number(row["chapter"]))
        if key not in titles:
            numbers = [str(chapter) for report, chapter in titles if report == row["report"]]
            reports = ", ".join(sorted({report for report, _ in titles}))
            known = f"its chapters are {', '.join(numbers)}" if numbers else f"reports: {reports}"
            raise StudyError(f"{where}: {row['report']!r} has no chapter {row['chapter']!r}; {known}.")
        title = titles[key]
        if row["title"] != title:
            raise StudyError(f"{where}: expected the title of chapter {key[1]} of {key[0]}, {title!r}; found {row['title']!r}.")
        if not row["stratum"].strip() or not row["decided_by"].strip():
            raise StudyError(f"{where}: expected a stratum and who decided; found {row['stratum']!r} and {row['decided_by']!r}.")
    table = pd.DataFrame(rows).astype({"chapter": int}) if rows else pd.DataFrame(columns=list(STRATA_COLUMNS))
    keys = pd.MultiIndex.from_frame(table[["report", "chapter"]])
    if keys.has_duplicates:
        raise StudyError("strata.csv names chapter {1} of {0} twice. Give it one stratum.".format(*keys[keys.duplicated()][0]))
    wanted = chapters.index[chapters["part"].isin(["review", "plan"])]
    if len(missing := wanted.difference(keys, sort=True)):
        raise StudyError("strata.csv lacks chapter {1} of {0}; expected every chapter of review and plan.".format(*missing[0]))
    table["part"] = chapters["part"].reindex(keys).to_numpy()
    mixed = table.groupby("stratum", sort=True)["part"].unique()
    mixed = mixed[mixed.map(len) > 1]
    if len(mixed):
        parts = " and ".join(mixed.iloc[0])
        raise StudyError(f"strata.csv: the stratum {mixed.index[0]!r} mixes {parts}. Match within one part.")
    return table


def open_study(start: str | Path = ".") -> Study:
    """Open the study that a folder belongs to, walking up to the first `data/study.toml`.

    Raises
    ------
    StudyError
        If there is none, or it is incomplete, misspelt or contradicts itself.
    """
    here = Path(start).resolve()
    for folder in (here, *here.parents):
        path = folder / "data" / "study.toml"
        if path.is_file():
            study = Study(root=folder, **read_declaration(read_text(path)))
            study.check_hashes()
            return study
    raise StudyError(f"No data/study.toml in {here.name} or above it. Open a notebook inside a study, or make one with `new`.")
