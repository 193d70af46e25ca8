"""PDF and Parquet: what needs a package of its own, and what is said where it is missing."""

import io
import sys
from pathlib import Path

import pytest

from shinan_research.errors import ReadError
from shinan_research.extras import _flowing, parquet_rows, pdf_text
from shinan_research.reports import read_folder

LINE = "政府工作报告——2031年1月9日在甲县第十八届人民代表大会第三次会议上。"


@pytest.mark.parametrize(("read", "module", "words"), [
    (pdf_text, "pypdf", r"^a: reading PDF needs pypdf. Install it \(python -m pip install 'shinan-research\[pdf\]'\)"),
    (lambda raw, name: list(parquet_rows(raw, name)), "pyarrow.parquet", r"^a: reading Parquet needs pyarrow. .*\[parquet\]"),
])  # fmt: skip
def test_a_missing_package_is_named(monkeypatch, read, module, words) -> None:
    """The message says what to install, or how to do without."""
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ReadError, match=words):
        read(b"", "a")


def test_lines_of_a_page_become_paragraphs() -> None:
    """Full lines run on, short ones and ends of sentences break; page numbers and blanks between characters go."""
    lines = ["一、工作回顾", "去年 我 们修建了一条很长的公路，", "并且在路边种了很多高大的树。", "二、工作安排"]
    page = "\n".join([*lines, "今年继续修建公路和铁路，做好", "工作。", "- 12 -", ""])
    joined = ["一、工作回顾", "去年我们修建了一条很长的公路，并且在路边种了很多高大的树。", "二、工作安排"]
    expected = "\n".join([*joined, "今年继续修建公路和铁路，做好工作。", ""])
    assert _flowing(page) == expected
    assert _flowing("") == _flowing("3\n") == ""


def pdf(text: str) -> bytes:
    """Return a PDF of one page whose letters are found by a table of their own, as word processors write it."""
    codes = sorted(set(text))
    hexes = "".join(f"{codes.index(character) + 1:04X}" for character in text)
    table = "\n".join(f"<{n:04X}> <{ord(c):04X}>" for n, c in enumerate(codes, 1))
    ranges = "1 begincodespacerange <0000> <FFFF> endcodespacerange"
    unicode_map = f"begincmap\n{ranges}\n{len(codes)} beginbfchar\n{table}\nendbfchar endcmap end"
    content = f"BT /F 12 Tf 50 700 Td <{hexes}> Tj ET" if text else ""
    bodies = [
        "<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Kids[3 0 R]/Count 1>>",
        "<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Contents 4 0 R/Resources<</Font<</F 5 0 R>>>>>>",
        f"<</Length {len(content)}>>\nstream\n{content}\nendstream",
        "<</Type/Font/Subtype/Type0/BaseFont/A/Encoding/Identity-H/DescendantFonts[6 0 R]/ToUnicode 7 0 R>>",
        "<</Type/Font/Subtype/CIDFontType2/BaseFont/A/DW 1000>>",
        f"<</Length {len(unicode_map)}>>\nstream\n{unicode_map}\nendstream",
    ]  # fmt: skip
    raw, places = b"%PDF-1.4\n", []
    for number, body in enumerate(bodies, 1):
        places.append(len(raw))
        raw += f"{number} 0 obj\n{body}\nendobj\n".encode()
    table_at = len(raw)
    rows = "".join(f"{place:010} 00000 n \n" for place in places)
    size = len(bodies) + 1
    end = f"xref\n0 {size}\n0000000000 65535 f \n{rows}trailer<</Size {size}/Root 1 0 R>>\nstartxref\n{table_at}\n%%EOF"
    return raw + end.encode()


def test_a_pdf_with_a_text_layer(tmp_path: Path) -> None:
    """A PDF is a report like any other; a scan, a damaged file and one without pages are named."""
    pytest.importorskip("pypdf")
    (tmp_path / "甲县2031.pdf").write_bytes(pdf(LINE))
    (tmp_path / "乙县2031.pdf").write_bytes(pdf(""))
    (tmp_path / "丙县2031.pdf").write_bytes(b"%PDF-1.4 torn")
    errors: list[str] = []
    (report,) = read_folder(tmp_path, refused=lambda error: errors.append(str(error)))
    assert report.text == LINE and report.delivered == "2031-01-09"
    assert [error.partition(":")[0] for error in sorted(errors)] == ["丙县2031.pdf", "乙县2031.pdf"]
    assert any("text recognition (OCR)" in error for error in errors) and any("broken PDF" in error for error in errors)


def test_parquet_gives_a_text_a_row(tmp_path: Path) -> None:
    """Rows become reports; a row without text and a damaged file are named, and the rest goes on."""
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    target = io.BytesIO()
    parquet.write_table(pyarrow.table({"place": ["甲县", "乙县"], "year": [2031, 2031], "text": [LINE, None]}), target)
    (tmp_path / "all.parquet").write_bytes(target.getvalue())
    (tmp_path / "torn.parquet").write_bytes(target.getvalue()[:40])
    errors: list[str] = []
    (report,) = read_folder(tmp_path, refused=lambda error: errors.append(str(error)))
    assert report.text == LINE and report.place == "甲县"
    assert "all.parquet, row 2 (乙县 2031)" in errors[0] and "torn.parquet: a damaged Parquet file" in errors[1]
