"""Numerals in digits, in words and mixed, and the words around them by which quantities are read."""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Any, NamedTuple

from . import dictionary

THOUSANDS = re.compile(r"[,，](?<=\d[,，])(?=\d{3}(?!\d))")
COMMON = tuple(zip("，；：（）％　", ",;:()% ", strict=True))
WIDE = re.compile("[！-～–—―－‐∼｡﹪\xa0]")
DASHES, OTHERS = "–—―－‐", {"∼": "~", "｡": "。", "﹪": "%", "\xa0": " "}
DIGITS = {digit: value for value, digit in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
POWERS = {"十": 10, "百": 100, "千": 1_000, "万": 10_000, "亿": 100_000_000}
LARGE = frozenset("百千万亿")
LONGEST = 15
WITHOUT_LARGE, WITHOUT_SMALL = str.maketrans("", "", "万亿"), str.maketrans("", "", "十百千")
STEP = "(?:[十百万亿]|千(?![瓦伏米克卡赫]))"
PIECE = f"(?: ?[余多几]?(?:个[余多]?(?=亿(?!元)))?{STEP}+)"
ARABIC = (
    rf"(?:\d{{1,3}}(?:_\d{{3}})+(?!\d)(?:\.\d+)*|\d+(?:\.\d+)*){PIECE}{{0,2}}"
    rf"(?:零?\d+{PIECE}{{1,2}})*(?:(?<=[十百千万亿])(?:零\d+|\d{{4}}(?!\d)))?[余多几]?"
)
PIECES = re.compile(r"(零?)([\d._]+)([^\d零]*)")
DIGIT = "[二两三四五六七八九零〇]"
ONE = "一(?=[十百千万亿倍番成]|二十)"
POINT = "点[一二三四五六七八九零〇]+"
WORDS = f"(?:{DIGIT}|{ONE}|{STEP})(?:{DIGIT}|一|{STEP})*(?:[余多]{STEP}*)?"
NUMERAL = re.compile(
    r"(?=[\d一二两三四五六七八九十百千万亿半]|零点)"
    rf"(?:(?P<percent>百分之(?:{ARABIC}|[一二两三四五六七八九十百零〇]+(?:{POINT})?))"
    rf"|(?P<decimal>[零一二三四五六七八九十百]+{POINT}[万亿]*)"
    r"|(?P<fraction>[二两三四五六七八九十百千万]+分之[一二两三四五六七八九十]+|(?<![\d./])\d{1,2}/\d{1,2}(?![\d./]))"
    rf"|(?P<half>一半|半数)|(?P<arabic>{ARABIC})|(?P<words>{WORDS}))"
)
FIGURE = "[一二两三四五六七八九]"
SECTION = re.compile(f"(?:({FIGURE})?(千))?零?(?:({FIGURE})?(百))?零?(?:({FIGURE})?(十))?([零〇]?)({FIGURE}?)")


def fold(text: str) -> str:
    """Return a view of the text with full-width signs, dashes and spaces folded to ASCII, one to one.

    The comma of thousands becomes _, so that it is not taken for the end of a clause.

    >>> fold("增长７．５％，下降３—５％；共1,908户")
    '增长7.5%,下降3-5%;共1_908户'
    """
    text = THOUSANDS.sub("_", text)
    for wide, narrow in COMMON:
        text = text.replace(wide, narrow)
    return WIDE.sub(_folded, text)


def _folded(match: re.Match[str]) -> str:
    sign = match.group()
    return "-" if sign in DASHES else OTHERS.get(sign) or chr(ord(sign) - 0xFEE0)


def read_words(numeral: str) -> float:
    """Return the value of a numeral in words; not a number where it is none or its last figure is short for tens.

    >>> read_words("二百五十"), read_words("三万零五十"), read_words("九九")
    (250.0, 30050.0, nan)
    """
    for sign in "亿万":
        head, found, tail = numeral.rpartition(sign)
        if found:
            if len(tail) == 1 and tail in DIGITS:
                return math.nan
            rest = tail.removeprefix("零") if len(tail) > 2 else tail
            return (read_words(head) if head else 1.0) * POWERS[sign] + (read_words(rest) if rest else 0.0)
    match = SECTION.fullmatch(numeral)
    if not match or not numeral.strip("零〇"):
        return math.nan
    thousands, thousand, hundreds, hundred, tens, ten, zero, ones = match.groups()
    if ones and (thousand or hundred) and not ten and not zero and numeral[-2] != "零":
        return math.nan
    parts = ((thousands, thousand), (hundreds, hundred), (tens, ten))
    return float(sum(DIGITS[digit or "一"] * POWERS[power] for digit, power in parts if power) + DIGITS.get(ones, 0))


def read_numeral(numeral: str) -> tuple[float, float]:
    """Return the value of a numeral in digits and its upper bound, not a number where it is malformed.

    余, 多 and 几 open an interval up to the next step of the last figure; without them both are equal.

    >>> read_numeral("1万6千多"), read_numeral("2千5百万"), read_numeral("1.2.3亿"), read_numeral("3万5")
    ((16000.0, 17000.0), (25000000.0, 25000000.0), (nan, nan), (nan, nan))
    """
    pieces = PIECES.findall(numeral)
    total = section = step = 0.0
    above = limit = math.inf  # the last 万 or 亿; below what the next figure must stay
    for zero, digits, signs in pieces:
        plain = digits.replace("_", "")
        whole, _, decimals = plain.partition(".")
        small, large = scale(signs.translate(WITHOUT_LARGE)), scale(signs.translate(WITHOUT_SMALL))
        single = "." not in plain or (len(pieces) == 1 and "." not in decimals)
        value = float(plain) * small if single else math.nan
        filled = zero or signs or limit in (math.inf, 10.0 ** min(len(plain), LONGEST))
        if not (len(plain) <= LONGEST and value < limit and filled and (large > above or (section + value) * large < above)):
            return math.nan, math.nan
        section, limit = section + value, float(small)
        if large > 1:
            total = (total if large < above else total * large) + section * large
            section, above, limit = 0.0, float(large), float(large)
        last = 10.0 ** -len(decimals) if decimals else 10.0 ** (len(whole) - len(whole.rstrip("0")))
        step = last * small * large if re.search("[余多几]", signs) else 0.0
    if section and above >= POWERS["亿"] and math.isfinite(above) and "零" not in numeral:
        return math.nan, math.nan  # 1亿3千: of what?
    return round(total + section, 6), round(total + section + step, 6)


def scale(signs: str) -> int:
    """Return the product of the powers of ten among these signs (万亿 is 10¹²), 1 without any."""
    return math.prod(POWERS.get(sign, 1) for sign in signs)


def read_match(match: re.Match[str]) -> tuple[float, float]:
    """Return the value and upper bound of a match of `NUMERAL`."""
    return _read_as(match.group(), str(match.lastgroup))


@lru_cache(maxsize=4096)
def _read_as(text: str, group: str) -> tuple[float, float]:
    """Return the value and upper bound of a numeral of one of the forms."""
    if group == "words":
        return _open_words(text)
    if group == "arabic":
        return read_numeral(text)
    if group == "half":
        return 0.5, 0.5
    if group == "decimal":
        value = _decimal(text.rstrip("万亿")) * scale(text)
        return value, value
    return read_numeral(text[3:]) if group == "percent" and text[3].isdigit() else (value := _part(text), value)


def _open_words(numeral: str) -> tuple[float, float]:
    """Return value and upper bound of a numeral in words; 十余 is 10 to 20, 三百五十多 is 350 to 360."""
    head, _, signs = numeral.replace("余", "多").partition("多")
    value, power = read_words(head), scale(signs)
    step = POWERS.get(head[-1], 1) if head != numeral else 0
    return value * power, (value + step) * power


def _part(text: str) -> float:
    """Return the value of 百分之六点五 (6.5), of 三分之二 and of 2/3."""
    if "/" in text:
        above, _, below = text.partition("/")
        return float(above) / float(below) if float(below) else math.nan
    below, _, above = text.partition("分之")
    if below != "百":
        return read_words(above) / read_words(below)
    return _decimal(above)


def _decimal(numeral: str) -> float:
    """Return the value of a numeral in words that may have 点: 六点五 (6.5), 零点五, 六."""
    whole, _, decimals = numeral.partition("点")
    return (0.0 if whole == "零" else read_words(whole)) + float("0." + ("".join(str(DIGITS[one]) for one in decimals) or "0"))


class Lexicon(NamedTuple):
    """Words with a value each, and the words by their first and by their last character, longest first."""

    values: Mapping[str, Any]
    first: Mapping[str, tuple[str, ...]]
    last: Mapping[str, tuple[str, ...]]

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Lexicon:
        """Return the lexicon of a mapping from word to value."""
        first: dict[str, tuple[str, ...]] = {}
        last: dict[str, tuple[str, ...]] = {}
        for word in sorted(values, key=lambda word: (-len(word), word)):
            first[word[0]] = (*first.get(word[0], ()), word)
            last[word[-1]] = (*last.get(word[-1], ()), word)
        return cls(values, first, last)

    def ending(self, view: str, position: int) -> str:
        """Return the longest word that ends at a position, or nothing."""
        for word in self.last.get(view[position - 1 : position], ()):
            if view.startswith(word, position - len(word)):
                return word
        return ""

    def starting(self, view: str, position: int) -> str:
        """Return the longest word that starts at a position, or nothing."""
        for word in self.first.get(view[position : position + 1], ()):
            if view.startswith(word, position):
                return word
        return ""


class Grammar(NamedTuple):
    """The vocabularies that quantities are read by: `resources/quantities.toml` and `resources/units.csv`."""

    units: Lexicon
    before: Lexicon
    after: Lexicon
    directions: Lexicon
    between: Lexicon
    results: Lexicon
    nouns: frozenset[str]
    verbs: Lexicon
    subjectless: re.Pattern[str]
    names: re.Pattern[str]
    not_before: Mapping[str, str]
    small: frozenset[str]
    large: frozenset[str]
    threshold: frozenset[str]
    threshold_verbs: re.Pattern[str]


@cache
def grammar() -> Grammar:
    """Return the vocabularies, read once."""
    raw: dict[str, Any] = tomllib.loads(dictionary.resource("quantities.toml").decode("utf-8"))
    growth, words, threshold, units = raw["growth"], raw["words"], raw["threshold"], dictionary.units()
    patterns = "|".join(f"(?:{pattern})" for pattern, _ in raw["names"]["patterns"])
    large = {unit for unit, name in units.items() if name in words["classes"]} | set(words["more"])
    return Grammar(
        units=Lexicon.of(units), before=Lexicon.of(raw["comparator_before"]), after=Lexicon.of(raw["comparator_after"]),
        directions=Lexicon.of(raw["direction"]), between=Lexicon.of(dict.fromkeys(growth["between"], "")),
        results=Lexicon.of(dict.fromkeys(growth["results"], "")), nouns=frozenset(growth["nouns"]),
        verbs=Lexicon.of(dict.fromkeys(growth["verbs"], "")), subjectless=re.compile(growth["subjectless"]),
        names=re.compile(rf"(?=[{raw['names']['first']}])(?<![\d.](?=\d))(?:{patterns})"),
        not_before=raw["unit_not_before"], small=frozenset(words["units"]), large=frozenset(large),
        threshold=frozenset(threshold["classes"]), threshold_verbs=re.compile(threshold["verbs"]),
    )  # fmt: skip
