"""Find the quantities of a text: value, unit, comparator, kind, sign, and the indicator that each one measures."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
import pandas as pd

from .indicators import BLANK, Found, indicators, with_bases
from .numerals import LARGE, NUMERAL, POWERS, Grammar, fold, grammar, read_match, scale

KINDS = ("level", "growth", "share", "threshold", "duration", "count in words", "name")
COLUMNS = (
    "report", "place", "year", "part", "chapter", "sentence", "start", "end", "surface", "value", "value_high", "unit",
    "unit_class", "comparator", "kind", "sign", "role", "indicator",
)  # fmt: skip
IDS = ["report", "place", "year", "part", "chapter", "sentence"]
CUTS = re.compile("[,;:。!?_]")
RANGE_NEXT = re.compile(r" ?(?:[-~至到]+|[、和]) ?[\d一二三四五六七八九十百]")
RANGE = re.compile(r" ?(?:-+|~+|至|到) ?")
RISE_TO = re.compile(
    r"[^,。;、]{0,6}?(?:提高|增加|增长|上升|提升|扩大|下降|降低|减少|降|增|升|压减|压缩|缩短|调整|发展|跃升)(?:到|至|为)了?[^,。;\d]{0,6}$"
)
LATER = re.compile(r"[^。;\d]{0,24}(?:到|至|为|成)[^,。;\d]{0,6}$")
LEADS = re.compile(r"(?:达到?|为|增长|增加|减少|下降|提高|控制在|[提升降增]至|到) ?$")
JOINTS = frozenset(["、", "和", "与", "及", "以及", "、和"])
CHANGES = ("share", "point", "rate")
MANY = ("倍", "成")
SIGNED = ("share", "point", "temperature")
TIME_MORE = re.compile("多(?=[的来时以,。、]|$)|半(?!数)")  # 8年多, 3年半
MEASURE_MORE = re.compile("个([多半])(月|小时|百分点|工作日)")  # 2个多月
MORE = {"": (0.0, 0.0), "多": (0.0, 1.0), "半": (0.5, 0.5)}
# A numeral after one of these is the end of one that is not well formed: 五百5十, .5, and 1,23万, 12 345 after a digit.
BROKEN = frozenset("二三四五六七八九十百千万亿两〇廿卅壹贰叁肆柒捌玖佰仟_.")
MINUS = re.compile(r"(?<![\dA-Za-z%‰\-□])-$")
PER = re.compile("/([年月日天])")
LEVEL_WORDS = re.compile(r"到|至|为|达|占|率|比重|比例|超过|分别|[□\d]|以上")


def _unit(view: str, end: int, g: Grammar) -> tuple[str, str, int]:
    """Return the unit that begins at `end`, its class, and its end; a second measure in brackets or after / belongs to it."""
    start = end + (view[end : end + 1] == " ")
    for unit in g.units.first.get(view[start : start + 1], ()):
        stop = start + len(unit)
        following = view[stop : stop + 1]
        if not view.startswith(unit, start) or (following and following in g.not_before.get(unit, "")):
            continue
        if following == "(" and view[stop + 2 : stop + 3] == ")" and view[stop + 1] in g.units.values:
            return view[start : stop + 3], g.units.values[unit], stop + 3
        if following == "/":
            if period := PER.match(view, stop):
                return f"{unit}/{period[1]}", "rate", stop + 2
            other, _, beyond = _unit(view, stop + 1, g)
            return (f"{unit}/{other}", "rate", beyond) if other else (unit, g.units.values[unit], stop)
        return unit, g.units.values[unit], stop
    return "", "", end


def _read(view: str, match: re.Match[str], g: Grammar) -> Found | None:
    """Return the quantity that begins with a numeral, or nothing where the numeral is none."""
    start, end = match.span()
    group, text = match.lastgroup, match.group()
    unit, unit_class, more = "", "share", ""
    if group not in ("percent", "fraction", "half"):
        unit, unit_class, end, more = _measure(view, end, g)
    elif group == "percent":
        unit = "%"
    space = view[end : end + 1] == " "
    after = g.after.starting(view, end + space)
    after = "" if after == "内" and unit_class != "time" else after  # 国内, 区内 belong to what follows
    edge = start - (view[start - 1 : start] == " ")
    before = g.before.ending(view, edge)
    before = before if g.before.values.get(before) and not (before == "上" and text[0] not in POWERS) else ""
    role = "result"
    if group == "words":
        role = _in_words(text, unit, view, start, end, g)
    elif group == "decimal":
        role = "result" if unit else ""
    elif group == "arabic" and not unit:
        role = _bare(text, before or after, view, start, end)
    if not role:
        return None
    value, high = _value(view, match, more, unit_class)
    unit_class = unit_class if value == value and unit_class else "unknown"
    before = "" if unit_class == "time" and len(before) == 1 else before
    comparator = g.after.values.get(after) or g.before.values.get(before) or "="
    minus = view[start - 1 : start] == "-" and unit_class in SIGNED and bool(MINUS.search(view, max(0, start - 2), start))
    edge = edge - len(before) if before else start - minus
    left, sign, growth = _direction(view, edge, g)
    right = end + space + len(after) if after else end
    kind = _kind(view, (start, end, right), (unit, unit_class, comparator), group == "words", growth, g)
    sign, lead, left = -1 if minus else sign, left if growth else -1, left if kind == "growth" else edge
    return Found(start, end, value, high, unit, unit_class, comparator, kind, sign, role, left, right, lead)


def _measure(view: str, end: int, g: Grammar) -> tuple[str, str, int, str]:
    """Return the unit after a numeral, its class, its end, and 多 or 半 where they are in it or follow it (2个多月, 3年半)."""
    if (view[end : end + 1] == "个") and (inside := MEASURE_MORE.match(view, end)):
        unit = f"个{inside[2]}"
        return unit, g.units.values[unit], inside.end(), inside[1]
    unit, unit_class, end = _unit(view, end, g)
    more = view[end : end + 1]
    if more not in ("多", "半") or not (TIME_MORE.match(view, end) if unit_class == "time" else more == "多" and unit in MANY):
        return unit, unit_class, end, ""
    return unit, unit_class, end + 1, more


def _value(view: str, match: re.Match[str], more: str, unit_class: str) -> tuple[float, float]:
    """Return value and upper bound of a numeral, not a number where it is malformed, too long, or the end of one that is."""
    start, (value, high) = match.start(), read_match(match)
    last = view[start - 1 : start]
    broken = last in BROKEN or (last in (",", " ") and view[start - 2 : start - 1].isdigit())
    if not math.isfinite(high) or (broken and unit_class != "age"):  # 680万65岁以上老人
        return math.nan, math.nan
    return value + MORE[more][0], high + MORE[more][1]


def _in_words(text: str, unit: str, view: str, start: int, end: int, g: Grammar) -> str:
    """Return the role of a numeral in words, "" if it is no quantity: small ones need a count word, large ones a measure."""
    large = bool(LARGE & set(text))
    if view[start - 1 : start] in tuple("几数第"):
        return ""
    if not unit:
        return "" if large or not RANGE_NEXT.match(view, end) else "open"
    if large:
        return "result" if unit in g.large else ""
    named = (unit == "大" and len(text) > 1) or (unit == "届" and view[start - 2 : start] not in ("连续", "举办", "承办"))
    return "result" if unit in g.small and not named else ""


def _bare(text: str, comparator: str, view: str, start: int, end: int) -> str:
    """Return the role of a numeral without a known unit, "" unless its form or its company says that it measures."""
    if not text.isdigit() or comparator or LEADS.search(view, max(0, start - 4), start):
        return "result"
    return "open" if RANGE_NEXT.match(view, end) else ""


def _direction(view: str, position: int, g: Grammar) -> tuple[int, int, bool]:
    """Return where the words before a numeral begin that tell its direction, its sign, and whether it is a change."""
    place, result, direction = position, "", ""
    for _ in range(5):
        result = g.results.ending(view, place)
        direction = g.directions.ending(view, place - len(result))
        word = "" if g.directions.values.get(direction) else g.between.ending(view, place)
        if not word:
            break
        place -= len(word)
    sign = g.directions.values.get(direction, 0)
    if not sign:
        return position, 1, False
    reached = bool(result) and direction not in g.nouns
    return place - len(result) - len(direction), 1 if reached else sign, not reached


def _kind(view: str, place: tuple[int, int, int], said: tuple[str, str, str], words: bool, growth: bool, g: Grammar) -> str:
    """Return the kind of a quantity from its place (start, end, right), unit, class and comparator."""
    (start, end, right), (unit, unit_class, _) = place, said
    following = view[right : right + 4]
    if unit_class in CHANGES and "/" not in unit:
        changed = growth or unit in ("番", "倍") or (unit_class == "point" and unit != "分")
        return "growth" if changed else "share"
    large = bool(LARGE & set(view[start:end]))
    if following[:1] == "级" or (unit == "级" and large) or (unit_class in g.threshold and _limits(following, said, g)):
        return "threshold"
    if unit_class == "time":
        return "duration"
    return "count in words" if words and not large else "level"


def _limits(following: str, said: tuple[str, str, str], g: Grammar) -> bool:
    """Return whether 以上 or 超过 says what kind of thing follows (亿元以上项目), not how much there is."""
    noun = following[:1] not in ("", "、") and not "!" <= following[0] <= "?" and following[0] not in "。\n" + BLANK
    limited = said[2] in ("≥", "≤", ">", "<") and noun and not g.threshold_verbs.match(following)
    return limited and not (said[1] == "time" and following[:1] != "的")


def _merged(view: str, found: list[Found]) -> list[Found]:
    """Join ranges (3至5家), give an earlier value its role (由5%提高到7%), and let a list share its unit (6和12个)."""
    rows: list[Found] = []
    for row in found:
        last = rows.pop() if rows else None
        if last:
            gap = view[last.right : row.start]
            if RANGE.fullmatch(gap) and last.unit in ("", row.unit) and last.value < row.value and last.right == last.end:
                rows, row = _ranged(view, rows, last, row, gap)
            elif gap in JOINTS and row.unit and _unitless(view, last):
                chain = [last]
                while rows and view[rows[-1].right : chain[-1].start] in JOINTS and _unitless(view, rows[-1]):
                    chain.append(rows.pop())
                rows += [_like(member, row)._replace(role="result") for member in reversed(chain)]
            elif last.unit_class == row.unit_class and "\n" not in gap and _starts(view, last, gap):
                rows.append(last._replace(role="start"))
            else:
                rows.append(last)
        rows.append(row)
    return [row for row in rows if row.role != "open"]


def _unitless(view: str, row: Found) -> bool:
    """Return whether a value is a bare figure that may share the unit of a later one."""
    return not row.unit and view[row.start : row.end].replace(".", "", 1).isdigit()


def _ranged(view: str, rows: list[Found], last: Found, row: Found, gap: str) -> tuple[list[Found], Found]:
    """Return what two values joined by a dash, 至 or 到 are: a range, or after 从 and 由 a start and a result."""
    power = scale(view[row.start : row.end - len(row.unit)]) if not last.unit and view[last.end - 1].isdigit() else 1
    first = _like(last, row)._replace(value=last.value * power, high=last.high * power)
    if "-" not in gap and view[last.left - 1 : last.left] in ("从", "由"):
        return [*rows, first._replace(role="start")], row
    comparator = last.comparator if last.comparator != "=" else row.comparator
    return rows, first._replace(end=row.end, right=row.right, high=row.high, comparator=comparator, role="result")


def _like(last: Found, row: Found) -> Found:
    """Return a value with the unit of the one that follows, and its kind unless its own words tell of a change."""
    growing = row.unit_class in CHANGES and last.lead >= 0
    kind, left = ("growth", last.lead) if growing else (last.kind if last.unit else row.kind, last.left)
    return last._replace(unit=row.unit, unit_class=row.unit_class, kind=kind, left=left)


def _starts(view: str, last: Found, gap: str) -> bool:
    """Return whether a value is the start of a change whose result follows: 由5%提高到7%."""
    context = view[max(0, last.left - 12) : last.left]
    return bool(RISE_TO.match(gap)) or bool(re.search("[从由][^,。;到至]*$", context) and LATER.match(gap))


def _verbal(view: str, cuts: str, found: list[Found], g: Grammar) -> None:
    """Give a change its sign where the direction opens the clause: 压减一般性支出20%, 低于全国1.2个百分点."""
    for i, row in enumerate(found):
        said = row.kind == "growth" if row.unit_class == "share" else row.left < row.start
        if row.unit_class not in ("share", "point") or said or row.role != "result":
            continue
        cut = cuts.rfind("\n", 0, row.start) + 1
        opening = g.directions.starting(view, cut)
        if row.unit_class == "point":
            opening = max(g.directions.values, key=lambda word: (view.rfind(word, cut, row.start), len(word)))
            opening = opening if view.find(opening, cut, row.start) >= 0 else ""
        elif LEVEL_WORDS.search(view, cut, row.left):
            opening = ""
        if len(opening) > 1 and g.directions.values.get(opening):
            found[i] = row._replace(kind="growth", sign=g.directions.values[opening])


def _carried(last: Found, row: Found) -> Found:
    """Return a member of a list with the change, and the comparator before it, that were said of the one before."""
    if last.kind == "growth" and row.kind == "share":
        row = row._replace(kind="growth", sign=last.sign)
    said = last.comparator if row.unit == last.unit and last.right == last.end else "="
    return row._replace(comparator=said) if row.comparator == "=" != said else row


def _coordinated(view: str, cuts: str, found: list[Found]) -> list[tuple[int, int]]:
    """Give members of a list what was said once for all: sign, kind and comparator. Return the lists with 分别, first to last.

    同比分别下降27.2%、19.7%: the second falls too. 分别增长7%、8%以上: 以上 is said of both. 突破3亿元、4亿元: so is 突破.
    """
    lists, first, shared = [], 0, False
    for i, row in enumerate(found):
        last = found[i - 1] if i else None
        gap = view[last.right : row.left] if last else "\n"
        joined = last is not None and last.unit_class == row.unit_class and (gap in JOINTS or (shared and gap == ","))
        if not joined or last is None:
            if shared and i - first > 1:
                lists.append((first, i))
            clause = view[cuts.rfind("\n", 0, row.start) + 1 : row.start]
            first, shared = i, "分别" in clause[-16:]
        else:
            found[i] = _carried(last, row)
    if shared and len(found) - first > 1:
        lists.append((first, len(found)))
    for start, stop in lists:
        said = {row.comparator for row in found[start:stop]} - {"="}
        if len(said) == 1:
            found[start:stop] = [row._replace(comparator=min(said)) for row in found[start:stop]]
    return lists


def quantities(sentences: pd.DataFrame, *, names: bool = False) -> pd.DataFrame:
    """Find every quantity: numerals in digits or words that measure or count something.

    Full-width signs are folded one to one before any clause is cut. Dates, ordinals, numbers of houses and plots, codes,
    names and what stands in quotation marks are no quantities; `resources/quantities.toml` says by which patterns. Vague
    numerals (数十, 几百) have no value and are left out. Nothing is rounded, and nothing is guessed: a malformed numeral has
    the value NaN and the class unknown; a number whose unit is not listed has the class unknown.

    Parameters
    ----------
    sentences
        The table of :func:`~shinan_research.outline.outline`.
    names
        List as well, with the kind name, the numerals that are no quantities, so that nothing numeric is left out.

    Returns
    -------
    pandas.DataFrame
        One row per quantity in order of text: `report, place, year, part, chapter, sentence, start, end` (in
        `Report.text`), `surface` (numeral and unit), `value` and `value_high` (in `unit`, 万 and 亿 multiplied out; equal
        but for ranges, 余, 多), `unit, unit_class`, `comparator` (=, ≥, ≤, >, <, ~), `kind` (level, growth, share,
        threshold, duration, count in words, name), `sign` (−1 for what fell or is to fall; values are never negative),
        `role` (result; start for the first of 由5%提高到7%; other base for growth since another year than the
        one before), `indicator` (what is measured, in the text's words).

    Examples
    --------
    >>> from shinan_research.reports import Report
    >>> from shinan_research.outline import outline
    >>> text = "完成收入92.18亿元,同比增长7%左右。能耗下降3%。"
    >>> table = quantities(outline([Report("a", "A", 2020, text, text)], witness=True))
    >>> table[["value", "unit", "comparator", "kind", "sign"]].to_dict("list")["value"]
    [9218000000.0, 7.0, 3.0]
    """
    rows: list[Found] = []
    columns: dict[str, list[Any]] = {"row": [], "start": [], "surface": [], "indicator": []}
    firsts = np.flatnonzero(sentences["report"].to_numpy()[1:] != sentences["report"].to_numpy()[:-1]) + 1
    for first, last in zip([0, *firsts], [*firsts, len(sentences)], strict=True):
        texts = sentences["text"].iloc[first:last].tolist()
        original = "\n".join(text.replace("\n", " ") for text in texts)
        found, subjects = _find(original, int(sentences["year"].iloc[first]) if len(sentences) else 0, names)
        begins = np.cumsum([0, *(len(text) + 1 for text in texts)])[:-1]
        starts = np.array([row.start for row in found], dtype=np.int64)
        index = np.searchsorted(begins, starts, side="right") - 1
        shift = sentences["start"].to_numpy(dtype=np.int64)[first:last] - begins
        columns["row"].extend(index + first)
        columns["start"].extend(starts + shift[index])
        columns["surface"].extend(original[row.start : row.end] for row in found)
        columns["indicator"].extend(subjects)
        rows.extend(found)
    return _table(sentences, rows, columns, names)


def _table(sentences: pd.DataFrame, rows: list[Found], columns: dict[str, list[Any]], names: bool) -> pd.DataFrame:
    """Return the quantities of all reports as one table."""
    found = dict(zip(Found._fields, zip(*rows, strict=True), strict=True)) if rows else dict.fromkeys(Found._fields, ())
    place = np.array(columns["row"], dtype=np.int64)
    length = np.array(found["end"], dtype=np.int64) - np.array(found["start"], dtype=np.int64)
    start = np.array(columns["start"], dtype=np.int64)
    data: dict[str, Any] = {name: sentences[name].array.take(place) for name in IDS}
    data |= {"start": start, "end": start + length, "sign": np.array(found["sign"], dtype=np.int64)}
    data |= {"value": np.array(found["value"], dtype=float), "value_high": np.array(found["high"], dtype=float)}
    data |= {name: pd.array(columns[name], dtype="str") for name in ("surface", "indicator")}
    data |= {name: pd.array(found[name], dtype="str") for name in ("unit", "unit_class", "comparator", "kind", "role")}
    table = pd.DataFrame(data, columns=list(COLUMNS))
    table.attrs["settings"] = {"function": "quantities", "names": names}
    return table


def _find(original: str, year: int, names: bool) -> tuple[list[Found], list[str]]:
    """Return the quantities of one text and what each one measures."""
    g = grammar()
    folded = fold(original)
    view = g.names.sub(lambda match: BLANK * len(match.group()), folded)
    cuts = CUTS.sub("\n", folded)
    found = _merged(view, [row for match in NUMERAL.finditer(view) if (row := _read(view, match, g))])
    _verbal(view, cuts, found, g)
    lists = _coordinated(view, cuts, found)
    subjects, found = indicators(folded, cuts, found, lists, g), with_bases(folded, found, year)
    return _with_names(folded, found, subjects) if names else (found, subjects)


def _with_names(view: str, found: list[Found], subjects: list[str]) -> tuple[list[Found], list[str]]:
    """Add a row of kind name for every run of digits that no quantity covers."""
    covered = np.zeros(len(view) + 1, dtype=bool)
    for row in found:
        covered[row.start : row.end] = True
    others = [match.span() for match in re.finditer(r"\d[\d._]*", view) if not covered[match.start()]]
    rows = [Found(start, end, math.nan, math.nan, "", "unknown", "=", "name", 1, "result", start, end) for start, end in others]
    pairs = sorted([*zip(found, subjects, strict=True), *((row, "") for row in rows)], key=lambda pair: pair[0].start)
    return [row for row, _ in pairs], [indicator for _, indicator in pairs]
