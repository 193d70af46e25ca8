"""Divide reports into parts, chapters, sentences and blocks; every character falls into exactly one row."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from itertools import accumulate, groupby, pairwise
from math import ceil
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .characters import Ids, classes, code_points
from .errors import ApparatusError, ShinanError
from .files import Digests, sha256
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

NUMERAL = "[一二三四五六七八九十]{1,3}"
NUMBER = rf"(?P<space>[^\S\n]*)(?:(?P<one>{NUMERAL}、(?!三次?产业)|第{NUMERAL}部分)|(?P<two>[(（]{NUMERAL}[)）]、?))"
FIRST_NUMBER = re.compile(NUMBER)
CLASSES = ("。！？!?\n", r"”’」』）)》\s", "。！？!?", "。:：;；!！?？\n", r"一二三四五六七八九十第(（\s")
STOPS, CLOSERS, FULL_STOPS, BEFORE_NUMBER, IN_NUMBER = (1 << bit for bit in range(len(CLASSES)))  # bits of these classes
LONGEST_HEADING = 60
PLAN = re.compile(r"安排|任务|目标|要求|部署|打算|规划|展望|重点|今年|明年|今后|未来|思路|面临|做好.{0,12}工作")
REVIEW = re.compile(r"回顾|过去|以来|情况|成绩|成就|总结|所做的工作|完成了?20|执行")
FIRST, SECOND = re.compile(r"第?一"), re.compile(r"第?二[^十]")
LONGEST_NUMBER = 5
ANNEX = re.compile(
    r"(?<=[。!！\n\s])(?:附件[一1]?[:：]?|附[:：])?\s*[《〈]?(?:有关|部分|相关)?(?:名词|用语|术语)(?:解释|说明|注释)[》〉]?[:：]?"
    r"|(?<=[。!！\n])附件[一1]?[:：]"
)
ANNEX_WORD = re.compile("解释|说明|注释|附件")  # no annex without one, and sooner found
EARLIEST_ANNEX = 0.6
ADDRESS, BEFORE_ADDRESS = re.compile("各位代表"), re.compile(r"[。!！?？\n]\s*\Z")
LONGEST_BLANK = 40
CLOSING_SHARE = 0.12
HEADWORD = re.compile(r"[^。:：,，;；!！?？\s]{1,40}?(?<![是为指])[:：]")
HEADING_END = re.compile(r"\n|。")
STOP = re.compile("[{}]+[{}]*".format(*CLASSES))


class Heading(NamedTuple):
    """A heading in positions of `Report.text`: `level` is 1, 2, annex (its title) or gloss (a headword)."""

    start: int
    end: int
    level: str


class Chapter(NamedTuple):
    """A stretch of text that belongs together: the unit in which occurrences are shown."""

    start: int
    end: int
    part: str
    title: str


class Spans(NamedTuple):
    """The sentences and headings of a text, which tile it, as arrays of one length."""

    start: Ids
    end: Ids
    chapter: Ids  # its number
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


def sentence_spans(report: Report, *, witness: bool = False) -> tuple[Spans, Ids]:
    """Return the rows of one report's :func:`outline`, headings found by rule, and the part of each (index into `PARTS`).

    Raises
    ------
    ShinanError
        If the report is not restored and `witness` is false.
    """
    _admit(report, witness)
    chapters, spans = _divided(report, list(find_headings(report.text)))
    return spans, np.array([PARTS.index(chapter.part) for chapter in chapters], dtype=np.int64)[spans.chapter]


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


def find_headings(text: str) -> Iterator[Heading]:
    """Find numbered headings and the annex by rule, in order of text.

    A number counts as a heading's only at the start of the text or a line, or after the end of a sentence. The
    heading ends at the line break or the full stop within 60 characters; where neither follows, only the
    number is marked, because where the heading ends cannot be known by rule.
    """
    earliest = ceil(EARLIEST_ANNEX * len(text))
    annex = ANNEX.search(text, earliest) if ANNEX_WORD.search(text, earliest) else None
    body_end = annex.start() if annex else len(text)
    marks = classes(*CLASSES)[code_points(text)]
    places = np.flatnonzero((marks[:-1] & BEFORE_NUMBER > 0) & (marks[1:] & IN_NUMBER > 0)) + 1
    numbered = [match for place in [0, *places.tolist()] if (match := FIRST_NUMBER.match(text, place, body_end))]
    starts = [*(match.end("space") for match in numbered), body_end]
    for number, match in enumerate(numbered):
        start, limit = starts[number], starts[number + 1]
        stop = HEADING_END.search(text, match.end(), min(start + LONGEST_HEADING, limit))
        end = stop.end() if stop else limit if limit < body_end and limit - start <= LONGEST_HEADING else match.end()
        yield Heading(start, end, "1" if match["one"] else "2")
    if annex:
        blank = len(annex.group()) - len(annex.group().lstrip())
        yield Heading(annex.start() + blank, annex.end(), "annex")
        yield from _headwords(text, annex.end())


def _headwords(text: str, start: int) -> Iterator[Heading]:
    """Find the headwords of a glossary: what stands between the start of a sentence and its first colon."""
    for first, last in pairwise([*np.sort(_sentence_starts(text, [(start, len(text))])).tolist(), len(text)]):
        space = len(text[first:last]) - len(text[first:last].lstrip())
        if head := HEADWORD.match(text, first + space, last):
            yield Heading(head.start(), head.end(), "gloss")


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
        for start in (match.start() for match in ADDRESS.finditer(text, 0, annex))
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
    chapters, spans = _divided(report, headings)
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


def _divided(report: Report, headings: list[Heading]) -> tuple[list[Chapter], Spans]:
    """Return the chapters of a report, and its sentences and headings."""
    _check(report, headings)
    text, chapters = report.text, _chapters(report.text, headings, report.year)
    titles, between = [], []  # where headings begin; from where to where there is text between them
    for chapter, mine in zip(chapters, _inside(chapters, headings), strict=True):
        position = chapter.start
        for heading in mine:
            titles.append(heading.start)
            between.append((position, heading.start))
            rest = text[heading.end : chapter.end]
            position = heading.end + len(rest) - len(rest.lstrip())
        between.append((position, chapter.end))
    sentences = _sentence_starts(text, [(start, end) for start, end in between if start < end])
    both = np.concatenate([np.array(titles, dtype=np.int64), sentences])
    order = np.argsort(both)
    starts, ends = both[order], np.append(both[order][1:], len(text))[: len(both)]
    number = np.searchsorted([chapter.start for chapter in chapters], starts, side="right") - 1
    return chapters, Spans(starts, ends, number, order < len(titles))


def _inside(chapters: list[Chapter], headings: list[Heading]) -> Iterator[list[Heading]]:
    """Yield the headings of each chapter."""
    starts = [heading.start for heading in headings]
    for chapter in chapters:
        yield headings[bisect_left(starts, chapter.start) : bisect_left(starts, chapter.end)]


def _sentence_starts(text: str, stretches: list[tuple[int, int]]) -> Ids:
    """Return where the sentences of stretches of text begin, in no order; a last one may lack its stop, white space begins none.

    What `STOP` finds in the whole text it finds in a stretch too, unless the stretch begins within a stop.
    """
    begins = np.array([start for start, _ in stretches], dtype=np.int64)
    full = np.array([start + len(text[start:end].rstrip()) for start, end in stretches], dtype=np.int64)
    first, last = _stops(text)
    if not len(begins) or not len(first):
        return begins
    where, before = np.searchsorted(begins, first, side="right") - 1, np.searchsorted(first, begins) - 1
    cut = (before >= 0) & (last[before] > begins)
    kept = (where >= 0) & (last < full[where]) & ~cut[where]
    anew = [(match.end(), full[k]) for k in np.flatnonzero(cut).tolist() for match in STOP.finditer(text, begins[k], full[k])]
    return np.concatenate([begins, last[kept], np.array([end for end, limit in anew if end < limit], dtype=np.int64)])


def _stops(text: str) -> tuple[Ids, Ids]:
    """Return where the matches of `STOP` begin and end.

    Stops and what closes behind them stand in runs, and nearly every run is one match, from its first stop to its end. Only
    where a full stop follows what closes, the expression itself is asked.
    """
    marks = classes(*CLASSES)[code_points(text)]
    among = np.flatnonzero(marks & (STOPS | CLOSERS) > 0)
    new = np.diff(among, prepend=-2) > 1
    ends, run = among[np.append(new[1:], True)[: len(new)]] + 1, np.cumsum(new) - 1
    stops = np.flatnonzero(marks[among] & STOPS > 0)
    stops = stops[np.diff(run[stops], prepend=-1) > 0]
    first, last = among[stops], ends[run[stops]]
    odd = np.flatnonzero((marks[1:] & FULL_STOPS > 0) & (marks[:-1] & CLOSERS > 0))
    runs = sorted(set((np.searchsorted(first, odd, side="right") - 1).tolist()) - {-1})
    if not runs:
        return first, last
    anew = [match.span() for each in runs for match in STOP.finditer(text, first[each], last[each])]
    pairs = np.concatenate([np.delete(np.column_stack([first, last]), runs, axis=0), np.array(anew, np.int64).reshape(-1, 2)])
    first, last = pairs[np.argsort(pairs[:, 0])].T
    return first, last


def _blocks(is_heading: list[bool]) -> list[int]:
    """Return the block of every piece of a chapter: about five sentences each, as equal as can be."""
    n = len(is_heading) - sum(is_heading)
    k = max(1, round(n / SENTENCES_PER_BLOCK))
    before = accumulate((not heading for heading in is_heading[:-1]), initial=0)
    return [min(i, max(n - 1, 0)) * k // max(n, 1) for i in before]
