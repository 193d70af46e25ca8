"""Find headings and the ends of sentences by rule."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from math import ceil
from typing import NamedTuple

import numpy as np

from .characters import Ids, Marks, classes, code_points

NUMERAL = "[一二三四五六七八九十]{1,3}"
NUMBER = rf"(?P<space>[^\S\n]*)(?:(?P<one>{NUMERAL}、(?!三次?产业)|第{NUMERAL}部分)|(?P<two>[(（]{NUMERAL}[)）]、?))"
FIRST_NUMBER = re.compile(NUMBER)
CLASSES = ("。！？!?\n", r"”’」』）)》\s", "。！？!?", "。:：;；!！?？\n", r"一二三四五六七八九十第(（\s")
STOPS, CLOSERS, FULL_STOPS, BEFORE_NUMBER, IN_NUMBER = (1 << bit for bit in range(len(CLASSES)))  # bits of these classes
LONGEST_HEADING = 60
ANNEX = re.compile(
    r"(?<=[。!！\n\s])(?:附件[一1]?[:：]?|附[:：])?\s*[《〈]?(?:有关|部分|相关)?(?:名词|用语|术语)(?:解释|说明|注释)[》〉]?[:：]?"
    r"|(?<=[。!！\n])附件[一1]?[:：]"
)
ANNEX_WORDS = ("解释", "说明", "注释", "附件")  # no annex without one, and sooner found
EARLIEST_ANNEX = 0.6
HEADWORD = re.compile(r"[^。:：,，;；!！?？\s]{1,40}?(?<![是为指])[:：]")
HEADING_END = re.compile(r"\n|。")
STOP = re.compile("[{}]+[{}]*".format(*CLASSES))


class Heading(NamedTuple):
    """A heading in positions of `Report.text`: `level` is 1, 2, annex (its title) or gloss (a headword)."""

    start: int
    end: int
    level: str


def find_headings(text: str, marks: Marks | None = None) -> Iterator[Heading]:
    """Find numbered headings and the annex by rule, in order of text.

    A number counts as a heading's only at the start of the text or a line, or after the end of a sentence. The
    heading ends at the line break or the full stop within 60 characters; where neither follows, only the
    number is marked, because where the heading ends cannot be known by rule. `marks` are the classes of the
    characters, where they are known already.
    """
    marks = marks_of(text) if marks is None else marks
    earliest = ceil(EARLIEST_ANNEX * len(text))
    annex = ANNEX.search(text, earliest) if any(text.find(word, earliest) >= 0 for word in ANNEX_WORDS) else None
    body_end = annex.start() if annex else len(text)
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
        yield from _headwords(text, marks, annex.end())


def marks_of(text: str) -> Marks:
    """Return of which classes each character is."""
    return classes(*CLASSES)[code_points(text)]


def _headwords(text: str, marks: Marks, start: int) -> Iterator[Heading]:
    """Find the headwords of a glossary: what stands between the start of a sentence and its first colon."""
    for first, last in pairwise([*np.sort(sentence_starts(text, marks, [(start, len(text))])).tolist(), len(text)]):
        if head := HEADWORD.match(text, behind_space(text, first, last), last):
            yield Heading(head.start(), head.end(), "gloss")


def behind_space(text: str, start: int, end: int) -> int:
    """Return where the white space that begins at `start` ends, at most at `end`."""
    while start < end and text[start].isspace():
        start += 1
    return start


def sentence_starts(text: str, marks: Marks, stretches: list[tuple[int, int]]) -> Ids:
    """Return where the sentences of stretches of text begin, in no order; a last one may lack its stop, white space begins none.

    What `STOP` finds in the whole text it finds in a stretch too, unless the stretch begins within a stop.
    """
    begins = np.array([start for start, _ in stretches], dtype=np.int64)
    full = np.array([_before_space(text, start, end) for start, end in stretches], dtype=np.int64)
    first, last = _stops(text, marks)
    if not len(begins) or not len(first):
        return begins
    where, before = np.searchsorted(begins, first, side="right") - 1, np.searchsorted(first, begins) - 1
    cut = (before >= 0) & (last[before] > begins)
    kept = (where >= 0) & (last < full[where]) & ~cut[where]
    anew = [(match.end(), full[k]) for k in np.flatnonzero(cut).tolist() for match in STOP.finditer(text, begins[k], full[k])]
    return np.concatenate([begins, last[kept], np.array([end for end, limit in anew if end < limit], dtype=np.int64)])


def _before_space(text: str, start: int, end: int) -> int:
    """Return where the white space that ends at `end` begins, at least at `start`."""
    while end > start and text[end - 1].isspace():
        end -= 1
    return end


def _stops(text: str, marks: Marks) -> tuple[Ids, Ids]:
    """Return where the matches of `STOP` begin and end.

    Stops and what closes behind them stand in runs, and nearly every run is one match, from its first stop to its end. Only
    where a full stop follows what closes, the expression itself is asked.
    """
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
