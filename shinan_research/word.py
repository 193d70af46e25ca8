"""Read the text of Word files, with the numbers that Word itself puts before headings."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from xml.parsers import expat

from .errors import ReadError
from .packed import members, unpacked

WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
FALLBACK = "http://schemas.openxmlformats.org/markup-compatibility/2006 Fallback"
BREAKS = {f"{WORD} tab": "\t", f"{WORD} br": "\n", f"{WORD} cr": "\n"}
CHINESE = ("chineseCounting", "chineseCountingThousand", "japaneseCounting", "taiwaneseCounting", "ideographDigital")
DIGITS = "〇一二三四五六七八九"
PLACE = re.compile(r"%([1-9])")
DEEPEST = 9
Tags = Mapping[str, str]
List = tuple[str, int]


def docx_text(raw: bytes, name: str) -> str:
    """Return the text of a docx: its paragraphs, each ended by a line feed.

    Numbers that stand in no paragraph because Word counts them (一、 （一） 1.) are put where Word shows them.

    Raises
    ------
    ReadError
        If the file is no docx, is damaged, swells beyond measure, declares entities, or holds no text.
    """
    opened, files = members(raw, name)
    parts = dict(files)
    with opened:
        if "word/document.xml" not in parts:
            raise ReadError(
                f"{name}: not a docx (it has no word/document.xml). Open it in Word, WPS or LibreOffice and save it anew."
            )
        numbering = _Numbering()
        for inner, start in (("word/numbering.xml", numbering.start), ("word/styles.xml", numbering.start_style)):
            if inner in parts:
                _parse(unpacked(opened, parts[inner], name), name, start, numbering.end)
        reader = _Reader(numbering)
        _parse(unpacked(opened, parts["word/document.xml"], name), name, reader.start, reader.end, reader.data)
    text = "".join(reader.pieces)
    if not text.strip():
        raise ReadError(f"{name}: no text in this docx. If it holds pictures of pages, it needs text recognition first.")
    return text


def _parse(
    xml: bytes,
    name: str,
    start: Callable[[str, Tags], None],
    end: Callable[[str], None],
    data: Callable[[str], None] = lambda words: None,
) -> None:
    """Walk through the XML of a part of the file."""
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = start, end, data

    def refuse(*_: object) -> None:
        raise ReadError(f"{name}: its XML declares a document type, which Word never writes. It is not read.")

    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(xml, True)
    except expat.ExpatError as error:
        raise ReadError(f"{name}: damaged XML ({error}). Open it in Word, WPS or LibreOffice and save it anew.") from error


def chinese_numeral(number: int) -> str:
    """Return a whole number from 1 to 99 as Word writes it before headings.

    >>> [chinese_numeral(number) for number in (2, 10, 12, 20, 34)]
    ['二', '十', '十二', '二十', '三十四']
    """
    tens, ones = divmod(number, 10)
    if not 0 < number < 100:
        return str(number)
    return (DIGITS[tens] if tens > 1 else "") + ("十" if tens else "") + (DIGITS[ones] if ones else "")


def _value(tags: Tags) -> str:
    return tags.get(f"{WORD} val", "")


def _whole(words: str) -> int:
    return int(words) if words.isdecimal() and len(words) < DEEPEST else 0


class _Numbering:
    """The lists of a document: how each level is written, which styles belong to them, and where each stands."""

    def __init__(self) -> None:
        self.levels: dict[tuple[str, int], dict[str, str]] = {}  # by abstract list and level
        self.abstract: dict[str, str] = {}  # of a list
        self.restarts: dict[tuple[str, int], int] = {}
        self.styles: dict[str, tuple[str, int, str]] = {}  # list, level and parent of a style
        self.at: dict[tuple[str, int], int] = {}
        self._name = self._number = self._style = ""
        self._level = 0

    def start(self, tag: str, tags: Tags) -> None:
        """Take in an element of numbering.xml."""
        kind = tag.removeprefix(f"{WORD} ")
        if kind == "abstractNum":
            self._name, self._number = tags.get(f"{WORD} abstractNumId", ""), ""
        elif kind == "num":
            self._number, self._name = tags.get(f"{WORD} numId", ""), ""
        elif kind == "abstractNumId":
            self.abstract[self._number] = _value(tags)
        elif kind in ("lvl", "lvlOverride"):
            self._level = _whole(tags.get(f"{WORD} ilvl", ""))
        elif kind == "startOverride":
            self.restarts[self._number, self._level] = _whole(_value(tags))
        elif kind in ("start", "numFmt", "lvlText") and self._name:
            self.levels.setdefault((self._name, self._level), {})[kind] = _value(tags)

    def start_style(self, tag: str, tags: Tags) -> None:
        """Take in an element of styles.xml."""
        kind = tag.removeprefix(f"{WORD} ")
        if kind == "style":
            self._style = tags.get(f"{WORD} styleId", "")
            self.styles[self._style] = ("", 0, "")
        elif kind in ("numId", "ilvl", "basedOn") and self._style:
            number, level, parent = self.styles[self._style]
            self.styles[self._style] = {
                "numId": (_value(tags), level, parent),
                "ilvl": (number, _whole(_value(tags)), parent),
                "basedOn": (number, level, _value(tags)),
            }[kind]

    def end(self, tag: str) -> None:
        """Forget the style that ends."""
        if tag == f"{WORD} style":
            self._style = ""

    def of_style(self, style: str) -> List:
        """Return list and level of a style, or of the one it is based on."""
        for _ in range(DEEPEST):
            number, level, parent = self.styles.get(style, ("", 0, ""))
            if number or not parent:
                return number, level
            style = parent
        return "", 0

    def label(self, number: str, level: int) -> str:
        """Count one more paragraph of a list, and return what Word writes before it."""
        name = self.abstract.get(number, "")
        about = self.levels.get((name, level))
        if about is None:
            return ""
        restart = self.restarts.pop((number, level), 0)
        self.at[name, level] = restart or self.at.get((name, level), self._first(name, level) - 1) + 1
        for deeper in range(level + 1, DEEPEST):
            self.at.pop((name, deeper), None)
        return PLACE.sub(lambda match: self._written(name, int(match[1]) - 1, about), self._text(about))

    def _first(self, name: str, level: int) -> int:
        return _whole(self.levels.get((name, level), {}).get("start", "1"))

    def _text(self, about: Mapping[str, str]) -> str:
        known = about.get("numFmt", "decimal") in (*CHINESE, "decimal")
        return about.get("lvlText", "") if known else ""

    def _written(self, name: str, level: int, about: Mapping[str, str]) -> str:
        number = self.at.get((name, level), self._first(name, level))
        written = self.levels.get((name, level), about).get("numFmt", "decimal")
        return chinese_numeral(number) if written in CHINESE else str(number)


class _Reader:
    """Collects the text of a document: what stands in w:t, without the second copy that fallbacks hold."""

    def __init__(self, numbering: _Numbering) -> None:
        self.pieces: list[str] = []
        self.inside = self.hidden = self.changed = 0
        self.numbering, self.style, self.number, self.level = numbering, "", "", -1

    def start(self, tag: str, tags: Tags) -> None:
        self.hidden += tag == FALLBACK
        self.changed += tag == f"{WORD} pPrChange"
        self.inside += tag == f"{WORD} t"
        if not self.hidden:
            self.pieces.append(BREAKS.get(tag, ""))
        if not (self.hidden or self.changed):
            self._property(tag.removeprefix(f"{WORD} "), tags)

    def _property(self, kind: str, tags: Tags) -> None:
        if kind == "pPr":
            self.style, self.number, self.level = "", "", -1
        elif kind == "pStyle":
            self.style = _value(tags)
        elif kind == "numId":
            self.number = _value(tags)
        elif kind == "ilvl":
            self.level = _whole(_value(tags))

    def end(self, tag: str) -> None:
        if tag == f"{WORD} pPr" and not (self.hidden or self.changed):
            number, level = self.numbering.of_style(self.style)
            self.pieces.append(self.numbering.label(self.number or number, self.level if self.level >= 0 else level))
        self.hidden -= tag == FALLBACK
        self.changed -= tag == f"{WORD} pPrChange"
        self.inside -= tag == f"{WORD} t"
        if tag == f"{WORD} p" and not self.hidden:
            self.pieces.append("\n")

    def data(self, words: str) -> None:
        if self.inside and not self.hidden:
            self.pieces.append(words)
