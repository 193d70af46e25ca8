"""Turn files of many kinds into texts with their names: plain text, docx, zip archives and tables with a text column."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import unicodedata
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from . import packed
from .errors import ReadError
from .extras import parquet_rows, pdf_text
from .files import decode
from .word import docx_text

OLE = b"\xd0\xcf\x11\xe0"
PASSED_OVER = re.compile(r"\.|~\$|__MACOSX$|readme|sha256sums|thumbs\.db$|desktop\.ini$", re.IGNORECASE)
GENRE = re.compile(r"(?:工作)?报告|report|gov(?:ernment)?[ _-]*work", re.IGNORECASE)
ROUND = re.compile(r"^关于|(?:(?:人民)?政府)?(?:第?[一二三四五六七八九十]+届.*)?$")  # what names put around a place
YEAR = re.compile(r"(?<!\d)(?P<year>(?:19|20)\d\d)(?:[01]\d[0-3]\d)?(?!\d)")
RUN = re.compile(r"[\u3400-\u9fff\U00020000-\U000323af]+")
LATIN = re.compile(r"[^\W\d_](?:[^\W\d_]|[' ])*")
SEAT = re.compile(r"(?:省|市|区|县|州|旗|盟|国务院|特区|兵团|镇|乡)$")
IN_TEXT = re.compile(r"代表\s*(?P<place>国务院|[\u4e00-\u9fff]{1,20}?[省市区县州旗盟])\s*(?:人民政府|政府|[,，])")
UNFIT = re.compile(r'[\\/:*?"<>|\s\x00-\x1f]+')
HEAD = 1_500
COLUMNS = {
    "text": ("text", "full_text", "fulltext", "正文", "全文", "doc", "content", "内容", "body", "文本", "报告全文", "报告内容"),
    "place": ("place", "地区", "地名", "region", "area", "地方"),
    "year": ("year", "年份", "年度", "年"),
    "name": ("file", "filename", "file_name", "文件名", "文件", "title", "标题"),
}
LEVELS = (("province", "省份", "省"), ("city", "城市", "市", "地市"), ("county", "区县", "县", "县区"))
CONVERT = {
    ".doc": "Open it in Word, WPS or LibreOffice and save it as .docx.",
    ".wps": "Open it in WPS and save it as .docx.",
    ".rtf": "Open it in Word, WPS or LibreOffice and save it as .docx.",
    ".xlsx": "Open it and save the sheet as CSV in UTF-8.",
    ".xls": "Open it and save the sheet as CSV in UTF-8.",
    ".dta": "Export it from Stata as CSV in UTF-8.",
    ".html": "Open it in a browser, copy the text of the report and save it as .txt in UTF-8.",
    ".rar": "Unpack it first, or pack it again as .zip.",
    ".7z": "Unpack it first, or pack it again as .zip.",
}
READ: Mapping[str, Callable[[bytes, str], str]] = {".txt": decode, ".docx": docx_text, ".pdf": pdf_text}
ELSE = (
    "Readable are .txt, .docx, .zip, .csv, .tsv, .jsonl, and with an extra .pdf and .parquet. "
    "Convert it, or take it out of the folder."
)


class Named(NamedTuple):
    """What a file name says: a place ("" for none) and a year (0 for none, or for several that contradict each other)."""

    place: str
    year: int


class Text(NamedTuple):
    """One text: the name it came under, its decoded text, the bytes it was decoded from, and what its name says."""

    name: str
    text: str
    raw: bytes
    place: str = ""
    year: int = 0


def read_name(name: str) -> Named:
    """Return the place and the year that a file name states; the one rule for all files.

    The year is four digits from 1900 to 2099, alone or at the head of a date of eight digits. The place is the Han
    characters that stand before the words of the genre (工作报告, report), without 人民政府 or the number of an assembly, and
    of several runs those that end in the name of an administrative level (省, 市, 县 …), if any do. Where none stand there
    it is those behind that end so, because what else stands there is the speaker. A name without Han characters states its
    Latin words. What stands in folders above counts when the name itself states no place.

    >>> read_name("甲省_2031_report.txt"), read_name("2031年甲省乙县政府工作报告.txt"), read_name("2031政府工作报告_张三.txt")
    (Named(place='甲省', year=2031), Named(place='甲省乙县', year=2031), Named(place='', year=2031))
    """
    path = PurePosixPath(name.replace("\\", "/"))
    stem = unicodedata.normalize("NFKC", path.name.removesuffix(path.suffix))
    years = {int(match["year"]) for match in YEAR.finditer(stem)}
    place = _place(stem)
    if not place and len(path.parts) > 1:
        place = _place(path.parts[-2])
    return Named(place, years.pop() if len(years) == 1 else 0)


def _place(stem: str) -> str:
    """Return the place in a name without its ending."""
    first, *rest = GENRE.split(re.sub(rf"{YEAR.pattern}(?:年度?(?:\d{{1,2}}月)?(?:\d{{1,2}}日)?)?", " ", stem), maxsplit=1)
    ahead = [ROUND.sub("", run) for run in RUN.findall(first)]
    before = "".join([run for run in ahead if SEAT.search(run)] or ahead)
    behind = [run for part in rest for run in RUN.findall(part) if SEAT.search(run)]
    return before or "".join(behind) or ("" if RUN.search(stem) else "-".join(word.strip() for word in LATIN.findall(first)))


def place_in(text: str) -> str:
    """Return the place whose government speaks in the head of a report (我代表…人民政府), or "".

    >>> place_in("各位代表:现在,我代表甲县人民政府向大会报告工作")
    '甲县'
    """
    found = [match["place"] for match in IN_TEXT.finditer(text[:HEAD]) if len(match["place"]) > 1]
    return found[0] if found else ""


def fit_name(name: str) -> str:
    """Return a name that every file system takes: what is unfit becomes a hyphen."""
    return UNFIT.sub("-", name).strip("-.")


def report_files(path: Path) -> list[Path]:
    """Return the files of a folder in the order of their names, or the file itself.

    Folders inside it, hidden files, temporary files of Word and files called README or SHA256SUMS are passed over.

    Raises
    ------
    ReadError
        If there is no such folder or file, or nothing in it.
    """
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise ReadError(f"{path.name}: no such folder. Give the folder that holds the reports, or the file that does.")
    found = sorted(file for file in path.iterdir() if file.is_file() and not PASSED_OVER.match(file.name))
    if not found:
        raise ReadError(
            f"{path.name}: no .txt file here, nor .docx, .zip, .csv, .tsv or .jsonl; folders inside it are not opened. "
            "Put one report into one file, named <place>-<year>.txt."
        )
    return found


def unopened(path: Path) -> list[ReadError]:
    """Return an error for each folder inside a folder of reports: they are not opened, and that is to be said."""
    inside = [each.name for each in (path.iterdir() if path.is_dir() else ()) if each.is_dir()]
    return [
        ReadError(f"{name}: a folder inside, which is not opened. Move its reports up, or name that folder.")
        for name in sorted(inside) if not PASSED_OVER.match(name)
    ]  # fmt: skip


def read_texts(path: Path) -> Iterator[Text | ReadError]:
    """Yield every text of a file in its order; in place of one that cannot be read, the error that names it.

    Plain text is UTF-8, UTF-16 with mark, GB18030 or Big5; a docx gives its paragraphs with the numbers of headings, joined by
    line feeds, without what was deleted under revision, notes, headers and footers; a PDF its text layer; a zip its files,
    names in UTF-8 or GBK; a table (.csv, .tsv, .jsonl, .parquet) one text a row, from the column text, full_text, 正文,
    doc or content. Nothing is written to the disk.
    """
    name = _whole(packed.decoded_name(os.fsencode(path.name)) or path.name)  # an archive unpacked with its names in GBK
    try:
        if path.stat().st_size > packed.LARGEST:
            yield packed.too_large(name, path.stat().st_size)
            return
        raw = path.read_bytes()
    except OSError as error:
        yield ReadError(f"{name}: cannot be read ({error.strerror}). Check the name and the folder.")
        return
    found = _guarded(_archive(raw, name) if path.suffix.lower() == ".zip" else _texts(raw, name))
    first = next(found, None)
    yield first or ReadError(f"{name}: holds no text. Fill it, or take it out of the folder.")
    yield from found


def _whole(text: str) -> str:
    """Return a text in which U+FFFD stands for each half of a surrogate pair: no file can hold a half, and `audit` tells it."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _guarded(texts: Iterator[Text | ReadError]) -> Iterator[Text | ReadError]:
    """Yield what an iterator yields, and the error that ends it."""
    try:
        yield from texts
    except ReadError as error:
        yield error


def _texts(raw: bytes, name: str) -> Iterator[Text | ReadError]:
    """Yield the texts of a file's bytes by the ending of its name."""
    suffix = PurePosixPath(name).suffix.lower()
    if raw.startswith(OLE) and suffix in (".docx", ".txt"):
        raise ReadError(f"{name}: an old .doc, or encrypted. {CONVERT['.doc']}")
    if suffix in (".csv", ".tsv"):
        yield from _rows(_table(decode(raw, name), name, suffix), name)
    elif suffix == ".jsonl":
        yield from _rows(_records(decode(raw, name), name), name)
    elif suffix == ".parquet":
        yield from _rows(parquet_rows(raw, name), name)
    elif suffix in READ:
        yield Text(name, READ[suffix](raw, name), raw, *read_name(name))
    else:
        raise ReadError(f"{name}: cannot be read as a report. {CONVERT.get(suffix, ELSE)}")


# Archives


def _archive(raw: bytes, name: str) -> Iterator[Text | ReadError]:
    """Yield the texts of the files in a zip archive."""
    opened, members = packed.members(raw, name)
    with opened:
        for inner, member in members:
            full = f"{name}/{inner}"
            if any(PASSED_OVER.match(part) for part in inner.replace("\\", "/").split("/") if part not in ("", ".", "..")):
                continue
            yield from _guarded(_member(opened, member, inner, full))


def _member(opened: zipfile.ZipFile, member: zipfile.ZipInfo, inner: str, full: str) -> Iterator[Text | ReadError]:
    """Yield the texts of one file of an archive; their names are those within the archive."""
    path = PurePosixPath(inner.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or ":" in path.parts[0]:
        raise ReadError(f"{full}: this path leads out of the archive. Nobody packs reports so; do not trust the file.")
    if path.suffix.lower() == ".zip":
        raise ReadError(f"{full}: an archive inside an archive. Unpack the outer one.")
    raw = packed.unpacked(opened, member, full)
    for found in _guarded(_texts(raw, path.as_posix())):
        yield ReadError(f"{full.removesuffix(inner)}{found}") if isinstance(found, ReadError) else found


# Tables


def _table(text: str, name: str, suffix: str) -> Iterator[Mapping[str, str]]:
    """Yield the rows of a CSV or TSV file."""
    header = text.partition("\n")[0]
    mark = "\t" if suffix == ".tsv" else max(",;\t", key=lambda each: (header.count(each), each == ","))
    try:
        for row in csv.DictReader(io.StringIO(text, newline=""), delimiter=mark, restkey="", restval=""):
            yield {str(key): str(value) for key, value in row.items()}
    except csv.Error as error:
        raise ReadError(f"{name}: not a table ({error}). Save it as CSV in UTF-8, each text in quotation marks.") from error


def _records(text: str, name: str) -> Iterator[Mapping[str, str]]:
    """Yield the objects of a file with one JSON object a line."""
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:  # ValueError also of a number with more digits than Python reads
            raise ReadError(f"{name}, line {number}: not a JSON object ({error}). One a line is expected.") from error
        if not isinstance(row, dict):
            raise ReadError(f'{name}, line {number}: not a JSON object, as in {{"place": "…", "year": …, "text": "…"}}.')
        yield {_whole(str(key)): "" if value is None else _whole(str(value)) for key, value in row.items()}


def _rows(rows: Iterator[Mapping[str, str]], name: str) -> Iterator[Text | ReadError]:
    """Yield the text of every row of a table, named by what its columns say."""
    for number, cells in enumerate(rows, 1):
        row = {key.strip().lstrip("\ufeff").lower(): value for key, value in cells.items()}
        column = next((key for key in COLUMNS["text"] if key in row), None)
        if column is None:
            raise ReadError(
                f"{name}: no column with the text. Columns present: {', '.join(row)}. "
                f"Name the one that holds the reports {COLUMNS['text'][0]!r}; beside it place and year."
            )
        said = _stated(row)
        if row[column].strip():
            label = "-".join(filter(None, (fit_name(said.place), str(said.year or ""))))
            yield Text(f"{label or f'row {number}'}.txt", row[column], row[column].encode("utf-8"), *said)
        else:
            where = " ".join(filter(None, (said.place, str(said.year or "")))) or "no place"
            yield ReadError(f"{name}, row {number} ({where}): the column {column!r} is empty. Fill it, or delete the row.")


def _stated(row: Mapping[str, str]) -> Named:
    """Return place and year as the columns of a row state them."""
    named = read_name(next((row[key].strip() + ".txt" for key in COLUMNS["name"] if row.get(key, "").strip()), ""))
    levels = [next((row[key].strip() for key in keys if row.get(key, "").strip()), "") for keys in LEVELS]
    place = next((row[key].strip() for key in COLUMNS["place"] if row.get(key, "").strip()), "".join(dict.fromkeys(levels)))
    years = YEAR.search(next((row[key] for key in COLUMNS["year"] if row.get(key, "").strip()), ""))
    return Named(place or named.place, int(years["year"]) if years else named.year)
