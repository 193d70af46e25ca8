"""The door for files of every kind: names, encodings, Word, archives and tables, and what is turned away."""

import io
import json
import os
import zipfile
from pathlib import Path

import pytest

from shinan_research import packed as archives
from shinan_research.errors import ReadError
from shinan_research.intake import Text, docx_text, place_in, read_name, read_texts, report_files
from shinan_research.messages import in_chinese
from shinan_research.reports import read_folder

LINE = "政府工作报告——2031年1月9日在甲县第十八届人民代表大会第三次会议上"
BODY = LINE + "\n各位代表:现在,我代表甲县人民政府作报告。\n一、回顾\n修路。"
SPACE = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
CHOICE = 'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"'


def docx(body: str, head: str = "") -> bytes:
    """Return a docx as small as Word would open."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/document.xml", f"{head}<w:document {SPACE} {CHOICE}><w:body>{body}</w:body></w:document>")
    return target.getvalue()


def paragraph(*runs: str) -> str:
    """Return a paragraph of Word of some runs."""
    return "<w:p>" + "".join(f"<w:r><w:t>{run}</w:t></w:r>" for run in runs) + "</w:p>"


def packed(members: dict[str, bytes]) -> bytes:
    """Return a zip archive."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return target.getvalue()


def gbk_named(name: str, data: bytes) -> bytes:
    """Return an archive as Chinese Windows packs it: the name in GBK, and no flag that says so."""
    raw = name.encode("gbk")
    plain = "x" * len(raw)
    return packed({plain: data}).replace(plain.encode(), raw)


def texts(path: Path) -> list[Text]:
    """Return the texts of a file, each of which must be readable."""
    found = list(read_texts(path))
    assert [each for each in found if isinstance(each, ReadError)] == []
    return [each for each in found if isinstance(each, Text)]


def error(path: Path) -> str:
    """Return the words of the one error of a file, which is explained in Chinese too."""
    (found,) = (each for each in read_texts(path) if isinstance(each, ReadError))
    assert in_chinese(found), found
    return str(found)


@pytest.fixture
def write(tmp_path):
    """Return a function that writes bytes or text into a file and returns its path."""

    def make(name: str, content: bytes | str = BODY) -> Path:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return make


# Names


@pytest.mark.parametrize(
    ("name", "place", "year"),
    [
        ("甲省2031.txt", "甲省", 2031),
        ("2031甲省乙市丙县.txt", "甲省乙市丙县", 2031),
        ("甲省_2031_report.txt", "甲省", 2031),
        ("甲省2031年政府工作报告.docx", "甲省", 2031),
        ("2031_甲省_政府工作报告.csv", "甲省", 2031),
        ("2031政府工作报告_张三.txt", "", 2031),
        ("报告一.docx", "", 0),
        ("关于甲县人民政府２０３１年工作报告（终稿）.docx", "甲县", 2031),
        ("县长张三：2031年甲县 终稿.docx", "甲县", 2031),
        ("甲省_乙市_2031（副本）.txt", "甲省乙市", 2031),
        ("甲县第十七届人大二次会议政府工作报告2031.docx", "甲县", 2031),
        ("2031年度甲市政府工作报告_张三.txt", "甲市", 2031),
        ("政府工作报告_甲县_2031.txt", "甲县", 2031),
        ("20310109甲省.txt", "甲省", 2031),
        ("甲县_2031.gy.txt", "甲县", 2031),
        ("甲市/2031.txt", "甲市", 2031),
        ("a\\甲市\\2031.txt", "甲市", 2031),
        ("springfield-2031.txt", "springfield", 2031),
        ("Bad Ems_2031_report.txt", "Bad Ems", 2031),
        ("甲省2031-2032.txt", "甲省", 0),
        ("甲省12031.txt", "甲省", 0),
        ("report.txt", "", 0),
        ("", "", 0),
    ],
)
def test_names_are_read_by_one_rule(name, place, year):
    """Place and year are found in the forms that collections use; speakers are no places, and two years say nothing."""
    assert read_name(name) == (place, year)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("我代表甲省人民政府向大会", "甲省"),
        ("我代表国务院,向大会", "国务院"),
        ("我代表市人民政府", ""),
        ("各位代表", ""),
        ("", ""),
    ],
)
def test_the_place_that_speaks(text, place):
    """Where no name states a place, the government in whose name the report is delivered does; a bare level does not."""
    assert place_in(text) == place


# Text and Word


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030"])
def test_every_encoding_gives_the_same_text(write, encoding):
    """UTF-8 with and without mark, UTF-16 and GB18030 are told apart."""
    assert texts(write("甲县2031.txt", BODY.encode(encoding)))[0].text == BODY


def test_a_docx_gives_its_paragraphs(write):
    """Runs are joined, paragraphs end in line feeds, breaks and tabs stay; what revision deleted and second copies do not."""
    box = paragraph("框")
    second = f"<mc:AlternateContent><mc:Choice>{box}</mc:Choice><mc:Fallback>{box}</mc:Fallback></mc:AlternateContent>"
    gone = "<w:del><w:r><w:delText>删</w:delText></w:r></w:del>"
    kept = f"<w:p>{gone}<w:r><w:t>留</w:t><w:br/><w:tab/><w:t>下&amp;</w:t></w:r></w:p>"
    raw = docx(paragraph("政府", "工作") + second + kept)
    assert docx_text(raw, "a.docx") == "政府工作\n框\n留\n\t下&\n"


def test_a_docx_is_a_report(write, tmp_path):
    """A report from Word has its place, year and delivery line like any other."""
    write("甲县2030.docx", docx("".join(map(paragraph, BODY.split("\n")))))
    (report,) = read_folder(tmp_path)
    assert (report.id, report.delivered, report.source) == ("甲县-2031", "2031-01-09", "甲县2030.docx")
    assert report.witness == BODY


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"\xd0\xcf\x11\xe0" + b"x" * 600, "an old .doc, or encrypted"),
        (b"PK\x03\x04damaged", "damaged archive"),
        (packed({"a.xml": b""}), "not a docx"),
        (docx("<w:p>"), "damaged XML"),
        (docx(paragraph("")), "no text in this docx"),
        (docx(paragraph("&a;"), '<!DOCTYPE x [<!ENTITY a "bbbb">]>'), "declares a document type"),
    ],
)
def test_what_is_no_sound_docx(write, raw, words):
    """Renamed, damaged, empty and booby-trapped documents are refused by name."""
    assert error(write("甲县2031.docx", raw)).startswith("甲县2031.docx: ") and words in error(write("甲县2031.docx", raw))


@pytest.mark.parametrize("name", ["a.doc", "a.DOC", "a.wps", "a.xlsx", "a.rar", "a.png", "a"])
def test_other_files_are_told_how_to_convert(write, name):
    """A file of another kind is named, with what to do about it."""
    said = error(write(name, b"x" * 50))
    assert said.startswith(f"{name}: cannot be read as a report. ") and any(
        word in said for word in ("save", "Unpack", "Convert")
    )


# Archives


def test_an_archive_gives_its_files(write):
    """Members are read in the order of their names, whatever their kind; folders, hidden files and Mac leftovers are not."""
    raw = packed({"b/乙县2031.docx": docx(paragraph(LINE)), "甲县2031.txt": BODY.encode(), "__MACOSX/x": b"x", ".h.txt": b"x"})
    assert [(text.name, text.place) for text in texts(write("all.zip", raw))] == [
        ("b/乙县2031.docx", "乙县"),
        ("甲县2031.txt", "甲县"),
    ]


def test_names_in_gbk(write):
    """Names packed on Chinese Windows are decoded."""
    assert [text.name for text in texts(write("all.zip", gbk_named("甲县2031.txt", BODY.encode())))] == ["甲县2031.txt"]


@pytest.mark.parametrize("name", ["../甲县2031.txt", "/etc/甲县2031.txt", "a/../../b.txt", "C:/甲县2031.txt", "..\\..\\b.txt"])
def test_a_path_that_climbs_out(write, name):
    """A member whose path leads out of the archive is refused by name, and the others are read."""
    found = list(read_texts(write("all.zip", packed({name: BODY.encode(), "甲县2031.txt": BODY.encode()}))))
    assert sorted(type(each).__name__ for each in found) == ["ReadError", "Text"]
    assert any("leads out of the archive" in str(each) and "all.zip/" in str(each) for each in found)


def test_a_bomb_is_not_unpacked(write):
    """An archive that would swell a hundredfold is refused before a byte of it is unpacked, a docx too."""
    raw = packed({"甲县2031.txt": b"0" * 20_000_000})
    assert "a zip bomb" in error(write("all.zip", raw))
    assert "a zip bomb" in error(write("甲县2031.docx", packed({"word/document.xml": b"0" * 20_000_000})))


def test_too_large(write, monkeypatch):
    """A file or a member beyond the limit is refused by name and size."""
    monkeypatch.setattr(archives, "LARGEST", 10)
    assert error(write("甲县2031.txt")).startswith("甲县2031.txt: 0 MB; at most 0 MB")
    raw = packed({"甲县2031.txt": BODY.encode()})
    monkeypatch.setattr(archives, "LARGEST", len(raw))
    path = write("all.zip", packed({"甲县2031.txt": (BODY * 9).encode()}))
    monkeypatch.setattr(archives, "LARGEST", path.stat().st_size)
    assert error(path).startswith("all.zip/甲县2031.txt: ")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda raw: raw[: len(raw) // 2], "damaged archive"),
        (lambda raw: raw.replace(BODY.encode()[:40], b"\0" * 40), "damaged"),
        (lambda raw: b"", "damaged archive"),
    ],
)
def test_a_damaged_archive(write, change, words):
    """Cut, altered and empty archives are reported, whole or member by member."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("a.txt", BODY.encode())
    assert words in error(write("all.zip", change(target.getvalue())))


def test_a_password_and_an_archive_within(write):
    """A member with a password and an archive inside an archive are refused by name, the rest goes on."""
    raw = bytearray(packed({"a.txt": BODY.encode()}))
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        raw[raw.index(mark) + offset] |= 1
    assert "password" in error(write("locked.zip", bytes(raw)))
    found = list(read_texts(write("all.zip", packed({"in.zip": b"PK", "甲县2031.txt": BODY.encode()}))))
    assert "all.zip/in.zip: an archive inside an archive" in str(found[0]) and isinstance(found[1], Text)


# Tables


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("t.csv", 'place,year,text\n甲县,2031,"一、甲\n\n# 乙,丙"\n'),
        ("t.csv", '\ufeff地区;年份;正文\n甲县;2031年;"一、甲\n\n# 乙,丙"\n'),
        ("t.tsv", 'year\tprovince\tcity\tcounty\tfull_text\n2031\t甲县\t甲县\t\t"一、甲\n\n# 乙,丙"\n'),
        ("t.csv", 'file,doc\n甲县2031,"一、甲\n\n# 乙,丙"\n'),
        ("t.jsonl", json.dumps({"place": "甲县", "year": 2031, "content": "一、甲\n\n# 乙,丙", "n": None}) + "\n\n"),
    ],
)
def test_a_table_gives_a_text_a_row(write, name, content):
    """The usual column names are known; line feeds, blank lines and commas inside a text stay."""
    (found,) = texts(write(name, content))
    assert (found.place, found.year, found.text) == ("甲县", 2031, "一、甲\n\n# 乙,丙")


def test_rows_without_text_are_named_and_the_rest_goes_on(write, tmp_path):
    """An empty cell is reported with row, place and year; the other rows are read."""
    write("t.csv", "place,year,text\n甲县,2030,\n乙县,2031,修路。\n")
    said: list[str] = []
    assert [report.id for report in read_folder(tmp_path, refused=lambda each: said.append(str(each)))] == ["乙县-2031"]
    assert said == ["t.csv, row 1 (甲县 2030): the column 'text' is empty. Fill it, or delete the row."]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("t.csv", "a,b\n1,2\n", "no column with the text. Columns present: a, b."),
        ("t.csv", 'text\n"' + "甲" * 200_000 + '"\n', "not a table"),
        ("t.jsonl", "{", "line 1: not a JSON object"),
        ("t.jsonl", "[1]", "line 1: not a JSON object"),
        ("t.jsonl", '{"year": ' + "9" * 5000 + "}", "line 1: not a JSON object"),
        ("t.csv", "", "empty"),
        ("t.csv", "text\n" + "\0", "null"),
    ],
)
def test_tables_that_cannot_serve(write, name, content, words):
    """A table without a text column, or none at all, is refused with what was found."""
    assert words in error(write(name, content))


def test_half_a_surrogate_pair_becomes_the_mark_of_a_lost_character(write):
    """JSON can say what no file can hold; whole pairs stay, and each half stands as U+FFFD, also in the place."""
    row = r'{"place": "甲\ud83d县", "year": 2031, "text": "修\ud83d\ude00路\ude00。"}'
    (found,) = texts(write("t.jsonl", row))
    assert (found.text, found.place, found.raw.decode()) == ("修\U0001f600路\ufffd。", "甲\ufffd县", "修\U0001f600路\ufffd。")


@pytest.mark.parametrize(("name", "content"), [("t.csv", "place,year,text\n"), ("t.zip", packed({})), ("t.jsonl", "\n \n")])
def test_a_file_of_many_that_holds_none(write, name, content):
    """A table without rows and an archive without files are named, not passed over in silence."""
    said = error(write(name, content))
    assert said.startswith(f"{name}: ") and ("holds no text" in said or "empty" in said)


# Folders


def test_a_file_that_cannot_be_read_stops_or_is_passed_over(write, tmp_path):
    """Without a listener the first unreadable file is an error; with one it is reported and the rest is read."""
    write("甲县2031.txt")
    write("乙县2031.doc")
    with pytest.raises(ReadError, match=r"^乙县2031\.doc: cannot be read"):
        read_folder(tmp_path)
    said: list[ReadError] = []
    assert [report.id for report in read_folder(tmp_path, refused=said.append)] == ["甲县-2031"] and len(said) == 1


def test_two_files_of_one_report_are_both_named(write, tmp_path):
    """The error names both files, also where only the delivery line makes them one."""
    write("甲县2030.txt")
    write("甲县2031.txt")
    with pytest.raises(ReadError, match=r"^甲县2031\.txt: two reports are called 甲县-2031, this one and 甲县2030\.txt"):
        read_folder(tmp_path)


def test_a_year_that_nothing_tells(write, tmp_path):
    """A text without year in name and delivery line is refused with its beginning and what to do."""
    write("甲县.txt", "各位代表:修路。")
    with pytest.raises(ReadError, match=r"^甲县\.txt: neither its name nor a delivery line .*'各位代表:修路。'"):
        read_folder(tmp_path)


def test_ids_are_fit_for_file_names(write, tmp_path):
    """A place from a table cannot lead a file of the study elsewhere."""
    write("t.csv", 'place,year,text\n"../甲 县/x",2031,修路。\n')
    assert read_folder(tmp_path)[0].id == "甲-县-x-2031"


def test_the_stated_year_is_kept(write, tmp_path):
    """The year of delivery wins; the source still says what the name stated."""
    write("甲县2030.txt")
    (report,) = read_folder(tmp_path)
    assert (report.year, report.source) == (2031, "甲县2030.txt")


def test_a_folder_or_a_file(write, tmp_path):
    """A file is taken as it is; a folder gives its files sorted, without what is passed over."""
    path = write("b.txt")
    for name in ("a.txt", "~$a.docx", ".x.txt", "README.zh.md", "SHA256SUMS", "Thumbs.db"):
        write(name)
    assert report_files(path) == [path]
    assert [file.name for file in report_files(tmp_path)] == ["a.txt", "b.txt"]


def test_a_folder_of_everything(write, tmp_path):
    """Sound reports of every script and encoding are read; each bad file is named once, and the rest goes on."""
    old = "政府工作報告——2030年1月9日在乙縣第十八屆人民代表大會第三次會議上。我們在這一年有了新的發展。"
    for name, data in {
        "甲县2031.txt": BODY.encode("gb18030"), "乙縣2030.txt": old.encode("big5"), "丙县2031.txt": BODY.encode("utf-16"),
        "甲县-2031年1月.txt": BODY.encode(), "丁.txt": b"", "戊2031.doc": b"x", "己.txt": "没有年份".encode(),
        "庚.zip": packed({"../辛2031.txt": BODY.encode(), "壬2031.txt": BODY.encode()}),
        "癸.zip": packed({"癸2031.txt": b"0" * 20_000_000}), "子.zip": b"PK torn",
    }.items():  # fmt: skip
        write(name, data)
    (tmp_path / "寅县").mkdir()
    (tmp_path / "__MACOSX").mkdir()
    said: list[str] = []
    found = read_folder(tmp_path, refused=lambda error: said.append(str(error)))
    assert said.pop(0).startswith("寅县: a folder inside, which is not opened.")
    assert sorted(report.id for report in found) == sorted(["甲县-2031", "乙縣-2030", "丙县-2031", "壬-2031"])
    assert next(report.text for report in found if report.place == "乙縣") == old
    for name in ("丁.txt", "戊2031.doc", "己.txt", "庚.zip/../辛2031.txt", "癸.zip", "子.zip"):
        assert sum(words.startswith(f"{name}: ") for words in said) == 1, name
    assert sum("two reports are called 甲县-2031" in words for words in said) == 1 and len(said) == 7


def test_names_in_gbk_are_read(tmp_path):
    """What a Chinese archive leaves on a Linux disk has its name in GBK; place and year are read off it all the same."""
    name = os.fsdecode("甲县2031年政府工作报告.txt".encode("gbk"))
    try:
        (tmp_path / name).write_text(BODY, encoding="utf-8")
    except OSError:
        pytest.skip("this system takes names in UTF-8 only")
    (report,) = read_folder(tmp_path)
    assert (report.id, report.source) == ("甲县-2031", "甲县2031年政府工作报告.txt")
