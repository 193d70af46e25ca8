"""Divide reports into parts, chapters, sentences and blocks; every character falls into exactly one row."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from itertools import accumulate, groupby, pairwise
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .characters import Ids
from .errors import ApparatusError, ShinanError
from .files import Digests, sha256
from .headings import LONGEST_HEADING, Heading, behind_space, find_headings, marks_of, sentence_starts
from .reports import Report

if TYPE_CHECKING:
    import pandas as pd

PARTS = ("opening", "review", "plan", "closing", "annex")
LEVELS = ("1", "2", "annex", "gloss")
SENTENCES_PER_BLOCK = 5
COLUMNS = (
    "report", "place", "year", "part", "chapter", "chapter_title", "paragraph", "block", "sentence",
    "start", "end", "text", "heading", "restored", "restored_at",
)  # fmt: skip

PLAN = re.compile(r"安排|任务|目标|要求|部署|打算|规划|展望|重点|今年|明年|今后|未来|思路|面临|做好.{0,12}工作")
REVIEW = re.compile(r"回顾|过去|以来|情况|成绩|成就|总结|所做的工作|完成了?20|执行")
FIRST, SECOND = re.compile(r"第?一"), re.compile(r"第?二[^十]")
LONGEST_NUMBER = 5
ADDRESS, BEFORE_ADDRESS = "各位代表", re.compile(r"[。!！?？\n]\s*\Z")
LONGEST_BLANK = 40
CLOSING_SHARE = 0.12


class Chapter(NamedTuple):
    """A stretch of text that belongs together: the unit in which occurrences are shown."""

    start: int
    end: int
    part: str
    title: str


class Spans(NamedTuple):
    """The sentences and headings of texts, one behind the other, which tile them, as arrays of one length."""

    start: Ids
    end: Ids
    chapter: Ids  # its number among those of all texts
    heading: NDArray[np.bool_]


def outline(reports: Iterable[Report], *, headings: pd.DataFrame | None = None, witness: bool = False) -> pd.DataFrame:
    r"""Divide reports into parts, chapters, paragraphs, sentences and blocks.

    Parts are opening, review, plan, closing and annex (the glossary 名词解释, never mixed with the body).
    A chapter begins at each numbered heading and at each renewed address (各位代表). A block is about five
    sentences of one chapter: the unit of resampling. Headings have rows of their own; they belong to the
    block of the sentence that follows.

    Parameters
    ----------
    reports
        Restored reports; a report that has not come through `restore` is refused.
    headings
        Reviewed headings with the columns `report, start, end, level, text`, offsets in the witness. A report
        that has rows here is divided by them alone; any other by rule.
    witness
        Let reports pass that have not been restored.

    Returns
    -------
    pandas.DataFrame
        One row per sentence or heading, in order of text: `report, place, year, part, chapter, chapter_title,
        paragraph, block, sentence, start, end, text, heading, restored, restored_at`. `start` and `end` refer to
        `Report.text`; the rows tile it. `restored` counts the restored characters, `restored_at` has their
        positions. Ids count from 0 within a report.

    Raises
    ------
    ShinanError
        If a report is not restored and `witness` is false.
    ApparatusError
        If a heading's text does not stand at its offsets, or headings overlap.

    Examples
    --------
    >>> from shinan_research.reports import Report
    >>> text = "一、工作回顾\n去年修了公路。二、工作安排\n今年植树。"
    >>> outline([Report("a", "A", 2020, text, text)], witness=True)[["part", "heading", "text"]]
         part  heading      text
    0  review     True  一、工作回顾\n
    1  review    False   去年修了公路。
    2    plan     True  二、工作安排\n
    3    plan    False     今年植树。
    """
    import pandas as pd

    reports = list(reports)
    rows = [row for report in reports for row in sentence_rows(report, headings=headings, witness=witness)]
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    table["part"] = pd.Categorical(table["part"], categories=PARTS, ordered=True)
    table.attrs["settings"] = report_settings(reports)
    return table


def sentence_rows(report: Report, *, headings: pd.DataFrame | None = None, witness: bool = False) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of one report's :func:`outline`, in the order of `COLUMNS`.

    Raises
    ------
    ShinanError
        If the report is not restored and `witness` is false.
    """
    _admit(report, witness)
    return _rows(report, _headings(report, headings))


def sentence_spans(reports: Sequence[Report], *, witness: bool = False) -> tuple[Spans, Ids, Ids]:
    """Return the rows of the :func:`outline` of reports, headings found by rule, in positions of their joined texts.

    Returns
    -------
    tuple
        The rows, and of each the number of its report and its part (index into `PARTS`).

    Raises
    ------
    ShinanError
        If a report is not restored and `witness` is false.
    """
    for report in reports:
        _admit(report, witness)
    chapters, spans = _divided(reports, None)
    parts = [(number, PARTS.index(chapter.part)) for number, mine in enumerate(chapters) for chapter in mine]
    report_of, part = np.array(parts, dtype=np.int64).reshape(-1, 2).T
    return spans, report_of[spans.chapter], part[spans.chapter]


def _admit(report: Report, witness: bool) -> None:
    """Refuse a report that has not been restored, unless that is asked for."""
    if not (report.restored or witness):
        raise ShinanError(
            f"Not restored: {report.id}. Pass the reports through restore(reports, emendations) first; "
            "an apparatus with a header and no rows says that nothing is lost. outline(…, witness=True) lets them pass."
        )


def report_settings(reports: Iterable[Report]) -> dict[str, Any]:
    """Return what a table says about the reports it was made of: their texts' SHA-256, the emendations and who judged."""
    reports = list(reports)
    applied = [row for report in reports for row in report.emendations]
    return {
        "reports": Digests((report.id, sha256(report.text.encode())) for report in reports),
        "emendations": len(applied),
        "judges": sorted({row.decided_by for row in applied}),
    }


def _headings(report: Report, reviewed: pd.DataFrame | None) -> list[Heading]:
    """Return the headings of a report: the reviewed ones where there are any, else those found by rule."""
    if reviewed is not None and len(reviewed):
        mine = reviewed[reviewed["report"] == report.id].sort_values("start")
        if len(mine):
            return [_reviewed(report, row) for row in mine.to_dict("records")]
    return list(find_headings(report.text))


def _reviewed(report: Report, row: Mapping[Hashable, Any]) -> Heading:
    """Return one reviewed heading in positions of the text, after checking that it stands there."""
    start, end, level, text = int(row["start"]), int(row["end"]), str(row["level"]), str(row["text"])
    found = report.witness[start:end]
    if found != text or not 0 <= start < end or level not in LEVELS:
        raise ApparatusError(
            f"headings of {report.id}, offset {start}: expected {text!r} of level {level} at {start} to {end}, "
            f"found {found!r}. Levels are {', '.join(LEVELS)}. Offsets count characters of the page's paragraph from 0."
        )
    return Heading(report.to_text(start, insertion=True), report.to_text(end, insertion=True), level)


def _chapters(text: str, headings: Sequence[Heading], year: int) -> list[Chapter]:
    """Return the chapters of a text, tiling it."""
    if not text:
        return []
    annex = next((heading.start for heading in headings if heading.level == "annex"), len(text))
    numbered = [heading for heading in headings if heading.level in ("1", "2")]
    first = [heading for heading in numbered if heading.level == "1"]
    plan = _plan_start(text, first, annex, year)
    addresses = [
        start
        for start in _places(text, ADDRESS, annex)
        if BEFORE_ADDRESS.search(text[max(0, start - LONGEST_BLANK) : start])
        and not any(heading.start <= start <= heading.end for heading in headings)
    ]
    review = numbered[0].start if numbered else 0
    closing = _closing_start(addresses, max([plan, *(heading.start for heading in numbered)], default=0), annex)
    titles = {heading.start: text[heading.start : heading.end].strip() for heading in headings if heading.level != "gloss"}
    starts = sorted({0, closing, annex, *titles, *(a for a in addresses if review < a)} - {len(text)})
    chapters = []
    for start, end in zip(starts, [*starts[1:], len(text)], strict=True):
        part = PARTS[(start >= review) + (start >= plan) + (start >= closing) + (start >= annex)]
        chapters.append(Chapter(start, end, part, titles.get(start, "")))
    return chapters


def _places(text: str, word: str, end: int) -> Iterator[int]:
    """Yield where a word stands before `end`."""
    place = text.find(word, 0, end)
    while place >= 0:
        yield place
        place = text.find(word, place + len(word), end)


def _plan_start(text: str, first: list[Heading], annex: int, year: int) -> int:
    """Return where the plan begins, given the headings of the first level.

    It is the heading 二、 unless that speaks of the past; where the numbers start anew within the parts, the 二、 (then any
    later heading) that names the year of delivery or speaks of the future.
    """
    titles = {heading: _title(text, heading) for heading in first}
    ahead = [
        heading
        for heading, title in titles.items()
        if not FIRST.match(title) and (PLAN.search(title) or not REVIEW.search(title))
    ]
    seconds = [heading for heading in ahead if SECOND.match(titles[heading])]
    future = [heading for heading in ahead if PLAN.search(titles[heading]) or str(year) in titles[heading]]
    both = [heading for heading in seconds if heading in future]
    once = sum(bool(FIRST.match(title)) for title in titles.values()) <= 1
    chosen = [*both, *(seconds if once else future), *seconds, *future, *ahead]
    return chosen[0].start if chosen else annex


def _title(text: str, heading: Heading) -> str:
    """Return the words of a heading, or as many as one may have where its end is not known."""
    known = heading.end - heading.start > LONGEST_NUMBER
    return text[heading.start : heading.end if known else heading.start + LONGEST_HEADING // 2]


def _closing_start(addresses: list[int], last_heading: int, annex: int) -> int:
    """Return where the closing begins: at the last address after the last heading, if that is near the end."""
    near = [start for start in addresses if start > last_heading and start >= (1 - CLOSING_SHARE) * annex]
    return near[-1] if near else annex


def _rows(report: Report, headings: list[Heading]) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of one report."""
    text, paragraph, block, sentence = report.text, -1, 0, 0
    inserted = report.inserted.tolist()
    (chapters,), spans = _divided([report], [headings])
    rows = zip(*(each.tolist() for each in spans), strict=True)
    for number, pieces in groupby(rows, key=itemgetter(2)):
        chapter, mine, opens = chapters[number], list(pieces), True
        blocks = _blocks([is_heading for *_, is_heading in mine])
        for (start, end, _, is_heading), inner in zip(mine, blocks, strict=True):
            low, high = bisect_left(inserted, start), bisect_left(inserted, end)
            paragraph += is_heading or opens
            opens = not is_heading and text[start:end].rstrip(" \t\u3000").endswith("\n")
            yield (
                report.id, report.place, report.year, chapter.part, number, chapter.title, paragraph, block + inner,
                sentence, start, end, text[start:end], is_heading, high - low, tuple(inserted[low:high]),
            )  # fmt: skip
            sentence += 1
        block += max(blocks) + 1


def _check(report: Report, headings: list[Heading]) -> None:
    """Refuse headings that overlap."""
    for one, next_one in pairwise(headings):
        if one.end > next_one.start:
            raise ApparatusError(
                f"headings of {report.id}: {report.text[one.start : one.end]!r} and "
                f"{report.text[next_one.start : next_one.end]!r} overlap. Let the first end before the second begins."
            )


def _divided(reports: Sequence[Report], headings: list[list[Heading]] | None) -> tuple[list[list[Chapter]], Spans]:
    """Return the chapters of each report, and the sentences and headings in all; headings are found where none are given."""
    text, offset = "".join([report.text for report in reports]), 0
    marks = marks_of(text)
    chapters: list[list[Chapter]] = []
    titles: list[int] = []  # where headings begin
    between: list[tuple[int, int]] = []  # from where to where there is text between them
    begins: list[int] = []  # where chapters do
    for number, report in enumerate(reports):
        end = offset + len(report.text)
        mine = headings[number] if headings else list(find_headings(report.text, marks[offset:end]))
        _check(report, mine)
        chapters.append(_chapters(report.text, mine, report.year))
        for chapter, inner in zip(chapters[-1], _inside(chapters[-1], mine), strict=True):
            position = chapter.start
            for heading in inner:
                between.append((offset + position, offset + heading.start))
                position = behind_space(report.text, heading.end, chapter.end)
            between.append((offset + position, offset + chapter.end))
        titles += [offset + heading.start for heading in mine]
        begins += [offset + chapter.start for chapter in chapters[-1]]
        offset = end
    sentences = sentence_starts(text, marks, [(start, end) for start, end in between if start < end])
    both = np.concatenate([np.array(titles, dtype=np.int64), sentences])
    order = np.argsort(both)
    starts, ends = both[order], np.append(both[order][1:], len(text))[: len(both)]
    return chapters, Spans(starts, ends, np.searchsorted(begins, starts, side="right") - 1, order < len(titles))


def _inside(chapters: list[Chapter], headings: list[Heading]) -> Iterator[list[Heading]]:
    """Yield the headings of each chapter."""
    starts = [heading.start for heading in headings]
    for chapter in chapters:
        yield headings[bisect_left(starts, chapter.start) : bisect_left(starts, chapter.end)]


def _blocks(is_heading: list[bool]) -> list[int]:
    """Return the block of every piece of a chapter: about five sentences each, as equal as can be."""
    n = len(is_heading) - sum(is_heading)
    k = max(1, round(n / SENTENCES_PER_BLOCK))
    before = accumulate((not heading for heading in is_heading[:-1]), initial=0)
    return [min(i, max(n - 1, 0)) * k // max(n, 1) for i in before]
