"""The only door in: files become reports, each with its witness, its text and the way back to the page."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from pathlib import Path, PurePath
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .errors import ReadError
from .files import read_text, sha256
from .intake import Text, fit_name, place_in, read_texts, report_files, unopened

HAN_RANGES = ((0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x323AF))
HAN = "〇" + "".join(f"{chr(low)}-{chr(high)}" for low, high in HAN_RANGES)
OPENER = "政府工作报告"
SHORTEST_REPORT = 1_000
HEAD = 400
DIGITS = {digit: str(value) for value, digit in enumerate("〇一二三四五六七八九")} | {"○": "0", "零": "0", "Ｏ": "0"}
DATE = re.compile(
    r"(?P<year>\d{4}|[〇○零Ｏ一二三四五六七八九]{4})\s*年\s*"
    r"(?P<month>[\d一二三四五六七八九十]{1,3})\s*月\s*(?P<day>[\d一二三四五六七八九十]{1,3})\s*日"
)
ASSEMBLY = re.compile(r"代表大会|人大|届.{0,12}会议")
NAME_YEAR = re.compile(r"(?<!\d)(?P<year>(?:19|20)\d\d)(?!\d)")
PAGE_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


class Span(NamedTuple):
    """A stretch of the page that is not part of a report: characters `start` to `end`, and why it was removed."""

    start: int
    end: int
    rule: str


class Normalisation(NamedTuple):
    """A stray space taken out of the text: witness offset, what stood there, and the rule applied."""

    offset: int
    removed: str
    rule: str


@dataclass(frozen=True, order=True)
class Emendation:
    """One judgement: `char` is to be inserted before `offset` of the witness (0-based, in characters).

    `left` and `right` are the eight characters around the place, checked whenever the row is applied.
    `certainty` is attested, certain, probable or possible; `decision` is open, accept or reject;
    `decided_by` is algorithm, machine reader or person. `first` and `second` keep the certainty that each of two
    independent passes gave the place, empty where a pass did not enter it; `earlier` what stood before a person decided.
    """

    report: str
    offset: int
    char: str
    left: str = ""
    right: str = ""
    certainty: str = "certain"
    decision: str = "open"
    decided_by: str = "algorithm"
    editor: str = ""
    source: str = ""
    evidence: str = ""
    first: str = ""
    second: str = ""
    earlier: str = ""


@dataclass(frozen=True)
class Report:
    """One government work report.

    `witness` is the report exactly as the file prints it, outer white space stripped; `text` is what is
    analysed. They are equal until :func:`~shinan_research.restore.restore` has applied emendations and
    normalisations. `year` is the year of delivery. `page_start` is where the witness begins in the decoded file.
    """

    id: str
    place: str
    year: int
    witness: str = field(repr=False)
    text: str = field(repr=False)
    source: str = ""
    sha256: str = field(default="", repr=False)
    delivered: str = ""
    page_start: int = 0
    page_length: int = 0
    furniture: tuple[Span, ...] = field(default=(), repr=False)
    emendations: tuple[Emendation, ...] = field(default=(), repr=False)
    normalisations: tuple[Normalisation, ...] = field(default=(), repr=False)
    restored: bool = False

    @cached_property
    def _kept(self) -> NDArray[np.int64]:
        """Witness offsets of the characters that were not removed, and of the end."""
        kept = np.ones(len(self.witness) + 1, dtype=bool)
        for row in self.normalisations:
            kept[row.offset : row.offset + len(row.removed)] = False
        return np.flatnonzero(kept)

    @cached_property
    def _insertions(self) -> NDArray[np.int64]:
        """Witness offset of the place of every inserted character, ascending."""
        return np.array(sorted(row.offset for row in self.emendations for _ in row.char), dtype=np.int64)

    @cached_property
    def _origin(self) -> NDArray[np.int64]:
        """Witness offset of every character of `text`, and of its end; an inserted one has its place's offset."""
        return np.sort(np.concatenate([self._insertions, self._kept]), kind="stable")

    def to_witness(self, position: int) -> int:
        """Return the witness offset of a position of `text`; of an inserted character, where it was inserted."""
        return int(self._origin[position])

    def to_text(self, offset: int, *, insertion: bool = False) -> int:
        """Return the position in `text` of a witness offset; of a removed space, the character after it.

        With `insertion`, the position of what was inserted before that offset, if anything was.
        """
        if insertion:
            kept, before = np.searchsorted(self._kept, offset), np.searchsorted(self._insertions, offset)
            return int(kept + before)
        stands = bool(np.isin(offset, self._kept))
        return int(np.searchsorted(self._origin, offset, side="right")) - stands

    def to_page(self, position: int) -> int:
        """Return the character offset in the decoded raw file of a position of `text`."""
        return self.page_start + self.to_witness(position)

    @cached_property
    def inserted(self) -> NDArray[np.int64]:
        """Positions in `text` of the characters that emendations put in, ascending."""
        return np.searchsorted(self._kept, self._insertions, side="left") + np.arange(len(self._insertions))


def is_han(text: str) -> NDArray[np.bool_]:
    """Return for every character of `text` whether it is Han, as a boolean array of its length."""
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    answer: NDArray[np.bool_] = codes == ord("〇")
    for low, high in HAN_RANGES:
        answer |= (codes >= low) & (codes <= high)
    return answer


def han_count(text: str) -> int:
    """Return the number of Han characters, the denominator of every rate.

    >>> han_count("修路2条,GDP增长7%。")
    5
    """
    return int(is_han(text).sum())


def delivery_date(text: str) -> str:
    """Return the date of the delivery line as YYYY-MM-DD, or "" where the head of the text has none.

    The delivery line is the first date within the first 400 characters that names the assembly nearby.

    >>> delivery_date("政府工作报告——二〇三一年1月9日在第十八届人民代表大会第三次会议上")
    '2031-01-09'
    """
    head = text[:HEAD]
    for match in DATE.finditer(head):
        around = head[max(0, match.start() - 40) : match.end() + 60]
        if ASSEMBLY.search(around):
            year = int("".join(DIGITS.get(digit, digit) for digit in match["year"]))
            try:
                return date(year, _numeral(match["month"]), _numeral(match["day"])).isoformat()
            except ValueError:
                continue
    return ""


def _numeral(text: str) -> int:
    """Return a numeral of days and months, 1 to 31, in digits or Chinese."""
    if text.isdigit():
        return int(text)
    tens, ten, ones = text.rpartition("十")
    return (int(DIGITS.get(tens, "1")) * 10 if ten else 0) + (int(DIGITS[ones]) if ones in DIGITS else 0)


def read_page(path: str | Path, *, place: str = "") -> list[Report]:
    """Read a scraped page: each paragraph that is a whole report becomes a `Report`, the rest is logged.

    A paragraph is a report if it has at least 1,000 characters and opens with 政府工作报告 and a delivery
    line. Everything else (titles, page dates, menus, rules for contributors, white space) is listed in
    `Report.furniture` with the rule that removed it, so that characters in = characters out + removed.

    Parameters
    ----------
    path
        A text file: UTF-8 (with or without mark), UTF-16 with mark, or GB18030.
    place
        Name of the place for `Report.id` and `Report.place`; by default it is read off the file name.

    Raises
    ------
    ReadError
        If the file is empty, in another encoding, holds no report, or a report without a delivery date.
    """
    path = Path(path)
    page = read_text(path)
    found, furniture = _split_page(page)
    if not found:
        raise ReadError(
            f"{path.name}: no report on this page. Expected a paragraph of at least {SHORTEST_REPORT:,} characters "
            f"that opens with {OPENER}. A file that is one report in several paragraphs is read with read_report."
        )
    reports = [_make(path, page, start, end, place, furniture) for start, end in found]
    return check_unique(reports, path.name)


def _split_page(page: str) -> tuple[list[tuple[int, int]], tuple[Span, ...]]:
    """Return the spans of the reports and of everything else; together they tile the page."""
    found: list[tuple[int, int]] = []
    furniture: list[Span] = []
    for line in re.finditer(r"[^\r\n]+|[\r\n]+", page):
        body = line.group().strip()
        start = line.start() + line.group().index(body) if body else line.start()
        end = start + len(body)
        if len(body) >= SHORTEST_REPORT and OPENER in body[:HEAD]:
            found.append((start, end))
            furniture += [Span(line.start(), start, "white space"), Span(end, line.end(), "white space")]
        else:
            furniture.append(Span(line.start(), line.end(), _rule(body)))
    return found, tuple(span for span in furniture if span.end > span.start)


def _rule(line: str) -> str:
    """Name the kind of page furniture that a line is."""
    if not line:
        return "white space"
    if PAGE_DATE.fullmatch(line):
        return "date on the page"
    return "title on the page" if OPENER in line else "furniture"


def _make(
    path: Path, page: str, start: int, end: int, place: str, furniture: tuple[Span, ...], year: int = 0, *, whole: bool = False
) -> Report:
    """Return the report that stands at `start` to `end` of the decoded file."""
    witness = page[start:end]
    delivered = delivery_date(witness)
    if not delivered and not year:
        name = " or put the year into the file name: <place>-<year>.txt" if whole else ""
        raise ReadError(
            f"{path.name}: the report beginning {witness[:24]!r} has no delivery date within its first {HEAD} characters "
            f"(as in ——某年1月9日在…代表大会…上, with the year in figures). Add the line{name}."
        )
    year = int(delivered[:4]) if delivered else year
    place = place or _place(path)
    return Report(
        id=f"{place}-{year}", place=place, year=year, witness=witness, text=witness, source=path.name,
        sha256=sha256(path), delivered=delivered, page_start=start, page_length=len(page), furniture=furniture,
    )  # fmt: skip


def _place(path: Path) -> str:
    """Return the place named in a file name: what is left without year, separators and the words of the genre."""
    stem = NAME_YEAR.sub("", path.stem).replace(OPENER, "")
    return re.sub(r"^[\W_年]+|[\W_年]+$", "", stem) or path.stem


def check_unique(reports: list[Report], name: str) -> list[Report]:
    """Return the reports, after refusing two of one id.

    Raises
    ------
    ReadError
        If two reports have the same id.
    """
    ids = [report.id for report in reports]
    twice = sorted({identity for identity in ids if ids.count(identity) > 1})
    if twice:
        raise ReadError(f"{name}: two reports are called {', '.join(twice)}. Name them in data/study.toml, or remove one.")
    return reports


def read_report(path: str | Path, *, place: str = "") -> Report:
    """Read a file that is one report from its first character to its last.

    The year is that of the delivery line; where there is none, that of the file name (`<place>-<year>.txt`).

    Raises
    ------
    ReadError
        If the file is empty, in another encoding, or tells no year.
    """
    path = Path(path)
    page = read_text(path)
    start = len(page) - len(page.lstrip())
    end = len(page.rstrip())
    furniture = tuple(
        span for span in (Span(0, start, "white space"), Span(end, len(page), "white space")) if span.end > span.start
    )
    stated = NAME_YEAR.search(path.stem)
    return _make(path, page, start, end, place, furniture, int(stated["year"]) if stated else 0, whole=True)


def read_folder(path: str | Path, *, refused: Callable[[ReadError], object] | None = None) -> list[Report]:
    """Read every file of a folder, in the order of their names; or one file that holds many reports.

    Text (UTF-8, UTF-16, GB18030), docx, zip archives of these, and tables (.csv, .tsv, .jsonl) with a column of texts:
    see :func:`~shinan_research.intake.read_texts`. Place and year are read off the file's name or the table's columns by
    one rule, :func:`~shinan_research.intake.read_name`. The year of the delivery line wins over a stated one: it is
    `Report.year`, with the date in `Report.delivered`; the stated year stays in `Report.source`, so that `audit` can name
    the difference. A place that no name states is read off the text (我代表…人民政府).

    Parameters
    ----------
    path
        A folder (folders inside it, hidden files and files called README are passed over), or a file.
    refused
        Called with the error of each text that cannot be read, or that is the second of its place and year, and of each
        folder inside, and the rest goes on. Without it the first such error of a text is raised.

    Raises
    ------
    ReadError
        If the folder is missing or holds nothing to read, a file cannot be read, a report tells no year, or two are of
        the same place and year.
    """
    return list(each_report(path, refused=refused))


def each_report(path: str | Path, *, refused: Callable[[ReadError], object] | None = None) -> Iterator[Report]:
    """Yield the reports of a folder as :func:`read_folder` reads them, one at a time: so ten thousand need no memory.

    Raises
    ------
    ReadError
        As `read_folder`.
    """
    first: dict[str, str] = {}
    if refused is not None:
        for error in unopened(Path(path)):
            refused(error)
    for file in report_files(Path(path)):
        for text in read_texts(file):
            try:
                report = _whole(text)
                if report.id in first:
                    raise _twice(report, first[report.id])
            except ReadError as error:
                if refused is None:
                    raise
                refused(error)
            else:
                first[report.id] = report.source
                yield report


def _twice(report: Report, first: str) -> ReadError:
    return ReadError(
        f"{report.source}: two reports are called {report.id}, this one and {first}. The year is that of the "
        "delivery line, where there is one. Take one away, or rename it if it is of another place."
    )


def _whole(text: Text | ReadError) -> Report:
    """Return a text as a report from its first character to its last; raise what stands in place of one."""
    if isinstance(text, ReadError):
        raise text
    witness = text.text.strip()
    start = len(text.text) - len(text.text.lstrip())
    spans = (Span(0, start, "white space"), Span(start + len(witness), len(text.text), "white space"))
    delivered = delivery_date(witness)
    year = int(delivered[:4]) if delivered else text.year
    if not year:
        raise ReadError(
            f"{text.name}: neither its name nor a delivery line within its first {HEAD} characters tells the year "
            f"(it begins {witness[:24]!r}). Put the year into the file name: <place>-<year>.txt."
        )
    place = fit_name(text.place or place_in(witness) or PurePath(text.name).stem)
    return Report(
        id=f"{place}-{year}", place=place, year=year, witness=witness, text=witness, source=text.name,
        sha256=sha256(text.raw), delivered=delivered, page_start=start, page_length=len(text.text),
        furniture=tuple(span for span in spans if span.end > span.start),
    )  # fmt: skip
