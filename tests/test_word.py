"""Numbers that Word counts by itself come back to their headings."""

import io
import zipfile

import pytest

from shinan_research.headings import find_headings
from shinan_research.word import chinese_numeral, docx_text

SPACE = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
LEVELS = (("chineseCountingThousand", "%1、"), ("chineseCounting", "（%2）"), ("decimal", "%3."), ("decimal", "%1.%4"))


def level(number: int, written: str, text: str) -> str:
    """Return a level of a list."""
    return f'<w:lvl w:ilvl="{number}"><w:start w:val="1"/><w:numFmt w:val="{written}"/><w:lvlText w:val="{text}"/></w:lvl>'


NUMBERING = (
    '<w:abstractNum w:abstractNumId="5">' + "".join(level(n, *each) for n, each in enumerate(LEVELS)) + "</w:abstractNum>"
    '<w:abstractNum w:abstractNumId="6">' + level(0, "bullet", "●") + "</w:abstractNum>"
    '<w:num w:numId="1"><w:abstractNumId w:val="5"/></w:num><w:num w:numId="2"><w:abstractNumId w:val="6"/></w:num>'
    '<w:num w:numId="3"><w:abstractNumId w:val="5"/>'
    '<w:lvlOverride w:ilvl="0"><w:startOverride w:val="1"/></w:lvlOverride></w:num>'
)
STYLES = (
    '<w:style w:styleId="title"><w:pPr><w:numPr><w:numId w:val="1"/></w:numPr></w:pPr></w:style>'
    '<w:style w:styleId="below"><w:basedOn w:val="title"/></w:style>'
)


def docx(body: str) -> bytes:
    """Return a docx with lists and styles."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("word/document.xml", f"<w:document {SPACE}><w:body>{body}</w:body></w:document>")
        archive.writestr("word/numbering.xml", f"<w:numbering {SPACE}>{NUMBERING}</w:numbering>")
        archive.writestr("word/styles.xml", f"<w:styles {SPACE}>{STYLES}</w:styles>")
    return target.getvalue()


def item(text: str, number: str = "", depth: int = 0, style: str = "", change: str = "") -> str:
    """Return a paragraph that belongs to a list."""
    listed = f'<w:numPr><w:ilvl w:val="{depth}"/><w:numId w:val="{number}"/></w:numPr>' if number else ""
    styled = f'<w:pStyle w:val="{style}"/>' if style else ""
    return f"<w:p><w:pPr>{styled}{listed}{change}</w:pPr><w:r><w:t>{text}</w:t></w:r></w:p>"


def test_numbers_are_written_as_word_shows_them() -> None:
    """Levels count by themselves, begin anew under the next number above, and go on after plain paragraphs."""
    body = [
        item("工作回顾", "1"), item("去年修路。"), item("农业", "1", 1), item("工业", "1", 1), item("钢铁", "1", 2),
        item("工作安排", "1"), item("今年植树。"), item("农业", "1", 1), item("水稻", "1", 3),
    ]  # fmt: skip
    expected = [
        "一、工作回顾",
        "去年修路。",
        "（一）农业",
        "（二）工业",
        "1.钢铁",
        "二、工作安排",
        "今年植树。",
        "（一）农业",
        "二.1水稻",
    ]
    text = docx_text(docx("".join(body)), "a.docx")
    assert text.splitlines() == expected
    assert [heading.level for heading in find_headings(text)] == ["1", "2", "2", "1", "2"]


def test_lists_of_styles_bullets_and_restarts() -> None:
    """A style may carry the list, also one it is based on; bullets are no numbers; a list may begin anew; 0 ends a list."""
    styled = item("甲", style="title") + item("乙", style="below") + item("丙", "0", style="title") + item("丁", "2")
    assert docx_text(docx(styled), "a.docx").splitlines() == ["一、甲", "二、乙", "丙", "丁"]
    assert docx_text(docx(item("甲", "1") + item("乙", "3") + item("丙", "3")), "a.docx").splitlines() == [
        "一、甲",
        "一、乙",
        "二、丙",
    ]


def test_an_earlier_format_does_not_count() -> None:
    """The list that a paragraph had before a tracked change numbers nothing; nor does a list that is not described."""
    earlier = '<w:pPrChange><w:pPr><w:numPr><w:ilvl w:val="0"/><w:numId w:val="1"/></w:numPr></w:pPr></w:pPrChange>'
    body = item("甲", change=earlier) + item("乙", "9") + item("丙", "1", 8) + item("丁", "1")
    assert docx_text(docx(body), "a.docx").splitlines() == ["甲", "乙", "丙", "一、丁"]


@pytest.mark.parametrize(("number", "written"), [(1, "一"), (10, "十"), (11, "十一"), (20, "二十"), (99, "九十九"), (100, "100")])
def test_numerals(number: int, written: str) -> None:
    """Numbers are written as people write them; from a hundred on in figures."""
    assert chinese_numeral(number) == written
