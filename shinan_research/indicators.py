"""What each quantity measures: the words around it, and those that an enumeration or a list with 分别 carries over."""

from __future__ import annotations

import re
from typing import NamedTuple

from .numerals import Grammar

BLANK = "□"
LONGEST_RIGHT = 20
QUALIFIER = re.compile("总量|总数|人均|余额|占比|比重")
NUMBERING = re.compile(r"^\([一二三四五六七八九十]+\)|^[一二三四五六七八九十]是|(?:同比|环比|比上年|较上年|比去年|分别|均|各)+$")

BASE = re.compile(
    r"同比|环比|[比较](?:上|去|同)|[比较与](?P<year>\d{4})年|(?P<other>年均|[比较与]“?十[一二三四五]五|[\d三五十]+年(?:前|来|间|累计))"
)


class Found(NamedTuple):
    """A quantity at `start` to `end` of the view.

    `left` to `right` takes in its comparators, and the direction words of a change; `lead` is where those begin, if any
    (else −1): what has no unit yet may turn out to be a change.
    """

    start: int
    end: int
    value: float
    high: float
    unit: str
    unit_class: str
    comparator: str
    kind: str
    sign: int
    role: str
    left: int
    right: int
    lead: int = -1


def with_bases(text: str, found: list[Found], year: int) -> list[Found]:
    """Return the quantities; the role of a growth that is told of another base than the year before is *other base*.

    The base is the one named last before it in its sentence: 比2010年, 年均, 五年来. A report reviews the year before its own.
    """
    answer = []
    for row in found:
        if row.kind == "growth" and row.role == "result":
            begin = max(text.rfind(mark, 0, row.start) for mark in "。\n") + 1
            named = [*BASE.finditer(text, begin, row.start)][-1:]
            other = any(one["other"] or (one["year"] and int(one["year"]) != year - 2) for one in named)
            row = row._replace(role="other base") if other else row
        answer.append(row)
    return answer


def indicators(text: str, cuts: str, found: list[Found], lists: list[tuple[int, int]], g: Grammar) -> list[str]:
    """Return what each quantity measures: the clause on its left and the noun on its right.

    A clause without a subject of its own carries over that of the quantity before; an enumeration carries its verb.
    """
    named: list[str] = []
    for i, row in enumerate(found):
        cut = cuts.rfind("\n", 0, row.start) + 1
        ends = [last.right for last in found[max(0, i - 2) : i] if last.kind != "threshold" and last.right > cut]
        begin = max(ends, default=cut)
        between = text[begin : row.left]
        first = begin > cut and between.endswith(("、", "和", "及", "与"))  # 10家甲、5家乙: what stands between belongs to the 10
        left = "" if first else NUMBERING.sub("", between.strip("、和及与的从由 ,□"))
        right = _right(text, cuts, found, i)
        own = left if not g.subjectless.fullmatch(left) else ""
        if begin > cut and (first or (own and between[:1] == "、")) and not g.verbs.starting(own or right, 0):
            own = g.verbs.starting(named[-1], 0) + own
        same = i > 0 and "。" not in text[found[i - 1].end : row.start]
        carried = same and not (own and left) and (not right or row.kind == "growth")
        of_it = QUALIFIER.search(left) if carried and row.kind != "growth" else None
        named.append(named[-1] + (of_it.group() if of_it else "") if carried else own + right)
    for start, stop in lists:
        _shared(text, cuts, found, named, start, stop, g)
    return named


def _right(text: str, cuts: str, found: list[Found], i: int) -> str:
    """Return the noun that follows a quantity, up to the next one or the end of the clause."""
    row = found[i]
    stop = cuts.find("\n", row.end)
    after = next((other.start for other in found[i + 1 : i + 3] if other.kind != "threshold"), len(text))
    right = text[row.right : min(stop if stop >= 0 else len(text), after, row.right + LONGEST_RIGHT)]
    if right[:1] in ("、", "(", ")", "和", "及") or row.kind == "growth" or row.role == "start":
        return ""
    return right.lstrip("的").split("、")[0]


def _shared(text: str, cuts: str, found: list[Found], indicators: list[str], start: int, stop: int, g: Grammar) -> None:
    """Give each member of a list with 分别 its own subject: named before it, or measured by the quantities before it."""
    size = stop - start
    cut = cuts.rfind("\n", 0, found[start].start) + 1
    named = text[cut : found[start].start].partition("分别")[0]
    named = re.sub("(?:同比|增速|增幅|均|比上年|较上年)+$", "", named)
    for marks in ("、", "、|和|与|及"):
        pieces = [piece for piece in re.split(marks, named) if piece]
        if len(pieces) == size:
            indicators[start:stop] = pieces
            return
    if g.subjectless.fullmatch(named) and start >= size and "。" not in text[found[start - size].end : found[start].start]:
        indicators[start:stop] = indicators[start - size : start]
