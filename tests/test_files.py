"""Files of every encoding and shape that people save, and writes that never leave half a file."""

import hashlib
import os
import shutil
import stat
from contextlib import contextmanager

import pytest

from shinan_research.errors import ReadError, ShinanError
from shinan_research.files import (
    decode,
    format_rows,
    read_rows,
    read_text,
    recover,
    replace_together,
    sha256,
    write_atomically,
    write_together,
)

TEXT = "政府工作报告:瀍河、婼羌,增长7%。\n第二行"
ENCODED = {
    "UTF-8": TEXT.encode(),
    "UTF-8 with mark": b"\xef\xbb\xbf" + TEXT.encode(),
    "UTF-16, little end first": b"\xff\xfe" + TEXT.encode("utf-16-le"),
    "UTF-16, big end first": b"\xfe\xff" + TEXT.encode("utf-16-be"),
    "GB18030": TEXT.encode("gb18030"),
}
COLUMNS = ("term", "gloss", "note")
ROWS = [
    {"term": "招商", "gloss": "attracting; investment", "note": ""},
    {"term": "峰会", "gloss": "summit", "note": "2018, 青岛"},
]


@pytest.fixture
def table(tmp_path):
    """Return a function that writes a table's bytes into a file and reads the rows."""

    def read(content, required=COLUMNS):
        path = tmp_path / "table.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_rows(path, required)

    return read


def test_sha256_is_the_published_one_of_abc(tmp_path):
    """The digest of `abc` is the test vector of FIPS 180-2, for bytes and for a file alike."""
    (tmp_path / "abc").write_bytes(b"abc")
    vector = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert sha256(b"abc") == sha256(tmp_path / "abc") == vector


@pytest.mark.parametrize("raw", ENCODED.values(), ids=ENCODED)
def test_each_promised_encoding_gives_the_same_text(raw):
    """Five ways to save one text are read as that text, characters outside GB2312 included."""
    assert decode(raw, "a.txt") == TEXT


def test_line_ends_stay_as_they_are():
    """Decoding changes no character, so that offsets count what is in the file."""
    assert decode("甲\r\n乙\r丙\n".encode(), "a.txt") == "甲\r\n乙\r丙\n"


@pytest.mark.parametrize("raw", [b"", b" \r\n\t\n", b"\xef\xbb\xbf", b"\xff\xfe", "\u3000\u3000\n".encode(), b"\xef\xbb\xbf\r\n"])
def test_a_file_without_a_character_is_empty(raw):
    """Nothing, white space of any width, or a lone byte-order mark is refused as an empty file."""
    with pytest.raises(ReadError, match=r"^a\.txt: the file is empty"):
        decode(raw, "a.txt")


@pytest.mark.parametrize(
    "raw", [b"\xd0\xcf\x11\xe0\0\0", "政府".encode("utf-32-le"), "政府".encode("utf-32"), b"\xff\xfea\0\0\0"]
)
def test_null_bytes_are_no_text(raw):
    """A Word file, UTF-32, or UTF-16 with a null character is refused, and the message says what to convert."""
    with pytest.raises(ReadError, match=r"^a\.doc: .*(null|UTF-16).*UTF-8"):
        decode(raw, "a.doc")


@pytest.mark.parametrize("raw", ["Müller, café".encode("latin-1"), b"\xff", b"\x80\x81\x20", "政府".encode()[:-1]])
def test_undecodable_bytes_name_the_file_and_the_fix(raw):
    """Latin-1, loose bytes and half a character are in no promised encoding."""
    with pytest.raises(ReadError, match=r"^a\.txt: not in UTF-8, UTF-16 .* or GB18030.*save it as UTF-8"):
        decode(raw, "a.txt")


@pytest.mark.parametrize(
    ("raw", "claim", "at"),
    [(b"\xef\xbb\xbfab\xff", "utf-8-sig", 2), (b"\xff\xfea\0b", "utf-16", 4), (b"\xff\xfe\x00\xd8a\0", "utf-16", 2)],
)
def test_damage_behind_a_byte_order_mark_is_placed(raw, claim, at):
    """A mark that promises an encoding the bytes do not keep is reported with the place of the damage."""
    with pytest.raises(ReadError, match=rf"^a\.txt: begins like {claim} but is damaged at byte {at}\b"):
        decode(raw, "a.txt")


def test_a_missing_file_or_a_folder_is_a_read_error(tmp_path):
    """What cannot be opened is reported by name and never as a bare OSError."""
    for path in (tmp_path / "no.txt", tmp_path):
        with pytest.raises(ReadError, match=rf"^{path.name}: cannot be read \(.+\)\. Check the name"):
            read_text(path)


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030"])
def test_rows_are_the_same_however_a_spreadsheet_saves_them(table, delimiter, newline, encoding):
    """Delimiter, line ends, encoding and byte-order mark do not change what a table says."""
    lines = [["term", "gloss", "note"], ["招商", '"attracting; investment"', ""], ["峰会", "summit", '"2018, 青岛"']]
    assert table((newline.join(delimiter.join(cells) for cells in lines) + newline).encode(encoding)) == ROWS


@pytest.mark.parametrize(
    ("content", "rows"),
    [
        ("note, term ,extra,gloss\nn,t,e,g\n", [{"note": "n", "term": "t", "extra": "e", "gloss": "g"}]),
        ("# a; remark; of; marks\n\nterm,gloss,note\n\n#a,b,c\nt,g,n\n,,\n", [{"term": "t", "gloss": "g", "note": "n"}]),
        ('term,gloss,note\n"a,b","say ""x""","c\nd"\n', [{"term": "a,b", "gloss": 'say "x"', "note": "c\nd"}]),
        ("term,gloss,note\na\nb,c,d,,\n", [{"term": "a", "gloss": "", "note": ""}, {"term": "b", "gloss": "c", "note": "d"}]),
        ("term,gloss,note", []),
    ],
    ids=["another order, an extra column", "remarks and empty lines", "quoted cells", "short and long rows", "no row"],
)
def test_tables_that_a_person_has_edited(table, content, rows):
    """Columns are found by name, remarks and empty lines passed over, quotes kept, and missing last cells are empty."""
    assert table(content) == rows


@pytest.mark.parametrize(
    ("content", "missing", "found"),
    [
        ("term,Gloss\na,b\n", "gloss, note", "term, Gloss"),
        ("# nothing but a remark\n", "term, gloss, note", "none"),
        ("招商,summit,x\n", "term, gloss, note", "招商, summit, x"),
    ],
)
def test_a_missing_column_is_named_beside_those_found(table, content, missing, found):
    """The message tells what is missing, what is there and what is needed."""
    with pytest.raises(
        ReadError, match=rf"^table\.csv: the column {missing} is missing\. Columns found: {found}; needed: term, gloss, note"
    ):
        table(content)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ('a,b,"c\nd,e,f\ng,h,i\n', r"^table\.csv"),
        ('a,b,"' + "x" * 140_000 + '"\n', r"^table\.csv"),
        ("a,grammar, set phrase,n\n", r"^table\.csv.*\b2\b"),
    ],
    ids=["a quotation mark never closed", "a cell of absurd length", "a comma without quotation marks"],
)
def test_a_broken_row_is_an_error_of_the_file(table, rows, message):
    """What would swallow the rows below, or shift the cells behind it, is refused and never read as something else."""
    with pytest.raises(ReadError, match=message):
        table("term,gloss,note\n" + rows)


def test_formatted_rows_are_plain_csv_with_unix_newlines():
    """Columns stand in the order asked, unknown keys are left out, missing ones empty, and quotes only where needed."""
    rows: list[dict[str, object]] = [{"b": 'x,"y"', "a": 1, "c": "no"}, {"a": "两\n行"}]
    expected = 'a,b\n1,"x,""y"""\n"两\n行",\n'
    assert format_rows(rows, ("a", "b")) == expected.encode()
    assert format_rows(rows, ("a", "b"), mark=True) == b"\xef\xbb\xbf" + expected.encode()


def test_writing_makes_folders_and_a_readable_file(tmp_path):
    """A new file stands in folders made for it, readable by others, and nothing else is there."""
    path = tmp_path / "one" / "two" / ("报告" * 40 + ".csv")
    write_atomically(path, b"new")
    assert path.read_bytes() == b"new"
    assert os.name == "nt" or stat.S_IMODE(path.stat().st_mode) == 0o644
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("step", ["replace", "fsync"])
@pytest.mark.parametrize(
    ("fault", "seen"),
    [
        (OSError(28, "No space left"), ShinanError),
        (PermissionError(13, "held open by another program"), ShinanError),
        (KeyboardInterrupt(), KeyboardInterrupt),
    ],
)
def test_an_interrupted_write_leaves_the_earlier_file_and_nothing_else(tmp_path, monkeypatch, step, fault, seen):
    """Whatever stops a write, at the flush or at the renaming, the earlier file stays whole and alone."""

    def fail(*_):
        raise fault

    path = tmp_path / "a.csv"
    write_atomically(path, b"earlier")
    with monkeypatch.context() as patch:
        patch.setattr(os, step, fail)
        with pytest.raises(seen):
            write_atomically(path, b"later")
    assert path.read_bytes() == b"earlier"
    assert list(tmp_path.iterdir()) == [path]
    write_atomically(path, b"later")
    assert hashlib.sha256(path.read_bytes()).hexdigest() == hashlib.sha256(b"later").hexdigest()


def test_a_folder_in_the_way_leaves_no_temporary_file(tmp_path):
    """Where the path is a folder the write fails, and its temporary file is gone."""
    (tmp_path / "a.csv").mkdir()
    with pytest.raises(ShinanError, match=r"a\.csv cannot be written in .*Make room"):
        write_atomically(tmp_path / "a.csv", b"x")
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]


def contents(folder):
    """Return the names and bytes of everything in a folder."""
    return {path.name: path.read_bytes() if path.is_file() else None for path in folder.iterdir()}


def all_files(folder):
    """Return the names and bytes of all files in and beneath a folder."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_several_files_are_replaced_together(tmp_path):
    """New and changed files stand there, the others stay, and nothing else is left; recovering then changes nothing."""
    (tmp_path / "a").write_bytes(b"1")
    (tmp_path / "c").write_bytes(b"1")
    write_together(tmp_path, {"a": b"2", "b": b"2"})
    recover(tmp_path)
    assert contents(tmp_path) == {"a": b"2", "b": b"2", "c": b"1"}


@contextmanager
def stopped(monkeypatch, step, killed):
    """Stop the body at one of its renamings, or at its end; killed, it cannot tidy up."""
    calls, rename = iter(range(99)), os.replace

    def stop(*arguments):
        if next(calls) == step:
            raise KeyboardInterrupt
        rename(*arguments)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(os, "replace", stop)
        if killed:
            patch.setattr(shutil, "rmtree", lambda *_, **__: None)
        yield
        raise KeyboardInterrupt


@pytest.mark.parametrize("killed", [False, True])
@pytest.mark.parametrize("step", range(5))
def test_of_several_files_all_are_replaced_or_none(tmp_path, monkeypatch, step, killed):
    """Stopped at any renaming, and even killed so that nothing is tidied, the folder recovers to all old or all new."""
    earlier, later = {"a": b"1", "b": b"1"}, {"a": b"2", "b": b"2"}
    write_together(tmp_path, earlier)
    with stopped(monkeypatch, step, killed):
        write_together(tmp_path, later)
    if step < 3 and not killed:
        assert contents(tmp_path) == earlier
    recover(tmp_path)
    assert contents(tmp_path) == (earlier if step < 3 else later)
    write_together(tmp_path, later)
    assert contents(tmp_path) == later


@pytest.mark.parametrize("killed", [False, True])
@pytest.mark.parametrize("step", range(7))
@pytest.mark.parametrize("reader", ["figures", "tables"])
def test_two_folders_change_together(tmp_path, monkeypatch, step, killed, reader):
    """Stopped at any renaming, both folders recover to all old or all new, whichever is read first; what goes is gone."""
    figures, tables = tmp_path / "figures", tmp_path / "tables"
    replace_together({figures: {"a": b"1", "gone": b"1"}, tables: {"b": b"1"}})
    earlier = {"figures/a": b"1", "figures/gone": b"1", "tables/b": b"1"}
    later = {"figures/a": b"2", "tables/b": b"2"}
    assert all_files(tmp_path) == earlier
    with stopped(monkeypatch, step, killed):
        replace_together({figures: {"a": b"2", "gone": None}, tables: {"b": b"2"}})
    recover(tmp_path / reader)
    if step < 4:  # nothing was final: the other folder may hold what was begun until it is read too
        recover(figures)
        recover(tables)
    assert all_files(tmp_path) == (earlier if step < 4 else later)


@pytest.mark.parametrize(
    "final",
    [
        "[1]", "{", '{".": ["a"]}', '{".": {"../../evil": true}}', '{"..": {"a": true}}', '{".": {"": true}}',
        '{".": {"a/../../b": true}}', '{"../x": {}}', '{"' + "x" * 300 + '": {}}',
        '{".": {"\\ud83d": false}}', '{".": {"a\\u0000": true}}', '{".": {"x\\\\y": true}}',
    ],
)  # fmt: skip
def test_a_change_that_leads_elsewhere_is_refused(tmp_path, final):
    """A list of files that came with a stranger's folder moves and takes away nothing outside of it, and the error names it."""
    (tmp_path / "study" / "figures" / ".writing").mkdir(parents=True)
    (tmp_path / "study" / "evil").write_bytes(b"x")
    (tmp_path / "study" / "figures" / ".writing" / ".final").write_text(final)
    before = all_files(tmp_path)
    with pytest.raises(ShinanError, match=r"figures/\.writing .*Delete that folder"):
        recover(tmp_path / "study" / "figures")
    assert all_files(tmp_path) == before


def test_a_change_touches_no_folder_that_knows_nothing_of_it(tmp_path):
    """A list that names a folder beside it takes nothing away there, unless that folder has a part of the change."""
    for name in ("figures", "data"):
        (tmp_path / name).mkdir()
    (tmp_path / "data" / "study.toml").write_bytes(b"x")
    (tmp_path / "figures" / ".writing").mkdir()
    (tmp_path / "figures" / ".writing" / ".final").write_text('{".": {}, "data": {"study.toml": false}}')
    recover(tmp_path / "figures")
    assert all_files(tmp_path) == {"data/study.toml": b"x"}


@pytest.mark.parametrize(
    "text", ["我們在大會上報告一年的工作和發展，人民有了新的生活。", "政府工作報告：各位代表，現在我代表人民政府作報告。"]
)
def test_big5_is_not_taken_for_gb18030(text: str) -> None:
    """Bytes in Big5, which fit GB18030 too, give the text; the same in GB18030 stays what it is."""
    assert text.encode("big5").decode("gb18030") != text
    assert decode(text.encode("big5"), "a.txt") == decode(text.encode("gb18030"), "a.txt") == text
