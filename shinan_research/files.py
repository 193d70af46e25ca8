"""Read and write files: the encodings that people use, and writes that never leave half a file."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .errors import ReadError, ShinanError

STAGE, FINAL = ".writing", ".final"
BESIDE, HERE = ".beside", "."  # in the stages of other folders, the name of that which holds the list; there, its own name
LONGEST_NAME = 255  # bytes
ENCODINGS = ("utf-8", "gb18030")
COMMONEST = "的是和在一人年中大有"  # the same in both scripts
BYTE_ORDER_MARKS = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)


def whole_number(cell: str) -> int:
    """Return the number in a cell of a file; −1 if there is none, or one of more than twelve digits.

    >>> whole_number(" 17 "), whole_number("17.0"), whole_number("9" * 5000)
    (17, -1, -1)
    """
    return int(cell) if cell.strip().isdecimal() and len(cell.strip()) <= 12 else -1


class Digests(dict[str, str]):
    """SHA-256 by name. Nobody changes these, so that pandas, which copies `attrs` whenever a column is asked for, need not."""

    def __deepcopy__(self, memo: object) -> Digests:
        """Return the same."""
        return self


def sha256(data: bytes | Path) -> str:
    """Return the SHA-256 of bytes, or of a file's bytes, as 64 hexadecimal digits."""
    if isinstance(data, Path):
        data = data.read_bytes()
    return hashlib.sha256(data).hexdigest()


def decode(raw: bytes, name: str) -> str:
    """Decode text in UTF-8 (with or without mark), UTF-16 with mark, GB18030 or Big5; newlines stay as they are.

    Raises
    ------
    ReadError
        If the bytes are empty, hold null characters, or are in none of these encodings.
    """
    text = _decoded(raw, name)
    if not text.strip("\ufeff \t\r\n\f\v\u3000\xa0"):
        raise ReadError(f"{name}: the file is empty. Put the text into it and save it as UTF-8.")
    if "\0" in text:
        raise ReadError(
            f"{name}: not a text file (it holds null characters). Save it as text in UTF-8; "
            "a .doc or a scanned PDF must be converted first."
        )
    return text


def _decoded(raw: bytes, name: str) -> str:
    """Return the text in the first encoding that fits."""
    for mark, encoding in BYTE_ORDER_MARKS:
        if raw.startswith(mark):
            return _decode_as(raw, encoding, name)
    for encoding in ENCODINGS:
        try:
            text = raw.decode(encoding)
        except UnicodeDecodeError:
            continue
        return text if encoding == "utf-8" else _not_big5(text, raw)
    if b"\0" in raw:
        raise ReadError(
            f"{name}: not a text file (it holds null bytes). Save it as text in UTF-8; a .doc must be converted first."
        )
    raise ReadError(
        f"{name}: not in UTF-8, UTF-16 with byte-order mark, or GB18030. "
        "Open it in an editor that shows it correctly and save it as UTF-8."
    )


def _not_big5(text: str, raw: bytes) -> str:
    """Return what bytes say that fit GB18030: Big5 fits too, but then the commonest characters are missing."""
    try:
        other = raw.decode("big5hkscs")
    except UnicodeDecodeError:
        return text
    ours, theirs = (sum(map(each.count, COMMONEST)) for each in (text, other))
    return other if theirs > ours else text


def _decode_as(raw: bytes, encoding: str, name: str) -> str:
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError as error:
        raise ReadError(
            f"{name}: begins like {encoding} but is damaged at byte {error.start}. Fetch the file again, or save it as UTF-8."
        ) from error


def read_text(path: Path) -> str:
    """Return the text of a file, decoded as :func:`decode` says.

    Raises
    ------
    ReadError
        If the file cannot be opened, or :func:`decode` refuses it.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise ReadError(f"{path.name}: cannot be read ({error.strerror}). Check the name and the folder.") from error
    return decode(raw, path.name)


def read_rows(path: Path, required: tuple[str, ...]) -> list[dict[str, str]]:
    """Return the rows of a table that a person may have edited.

    UTF-8, UTF-16 or GB18030; comma, semicolon or tab; any newline; columns in any order. Lines that are
    empty or begin with ``#`` are passed over.

    Raises
    ------
    ReadError
        If the file is no table, a required column is missing, or a row has more cells than there are columns.
    """
    text = read_text(path).replace("\r\n", "\n").replace("\r", "\n")
    header = next((line for line in text.split("\n") if line.strip() and not line.startswith("#")), "")
    delimiter = max(",;\t", key=lambda mark: (header.count(mark), mark == ","))
    lines = io.StringIO(text, newline="")
    try:
        rows = list(csv.reader(lines, delimiter=delimiter, strict=True))
    except csv.Error as error:
        raise ReadError(f"{path.name}: not a table ({error}). Look for a quotation mark that is not closed.") from error
    rows = [row for row in rows if any(cell.strip() for cell in row) and not row[0].startswith("#")]
    names = [cell.strip().lstrip("\ufeff") for cell in rows[0]] if rows else []
    missing = [name for name in required if name not in names]
    if missing:
        raise ReadError(
            f"{path.name}: the column {', '.join(missing)} is missing. "
            f"Columns found: {', '.join(names) or 'none'}; needed: {', '.join(required)}."
        )
    for number, row in enumerate(rows[1:], 2):
        if any(cell.strip() for cell in row[len(names) :]):
            raise ReadError(
                f"{path.name}, row {number}: {len(row)} cells for {len(names)} columns ({row[0]!r} …). "
                f"Put a cell that holds {delimiter!r} into quotation marks."
            )
    return [dict(zip(names, (*row, *[""] * len(names)), strict=False)) for row in rows[1:]]


def format_rows(rows: Sequence[Mapping[Any, Any]], columns: tuple[str, ...], *, mark: bool = False) -> bytes:
    """Return a table as CSV bytes with Unix newlines; `mark` puts the byte-order mark that Excel wants."""
    target = io.StringIO(newline="")
    writer = csv.DictWriter(target, columns, lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    return target.getvalue().encode("utf-8-sig" if mark else "utf-8")


def write_atomically(path: Path, data: bytes) -> None:
    """Write `data` to `path` so that a reader meets the earlier file or the new one, never a part.

    A temporary file in the same folder is written, flushed to the disk and renamed over `path`; folders
    are made as needed. On failure the temporary file is removed and the earlier file stays.

    Raises
    ------
    ShinanError
        If the disk is full, the folder may not be written, or another program holds the file.
    """
    with explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name[:40]}.", dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as target:
                target.write(data)
                target.flush()
                os.fsync(target.fileno())
            Path(name).chmod(0o644)
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn what the system says about a failed write into an error that says what to do.

    Raises
    ------
    ShinanError
        If the system refuses a write in the body of the `with`.
    """
    try:
        yield
    except OSError as error:
        raise ShinanError(
            f"{path.name} cannot be written in {path.parent.name or path.parent}/ ({error.strerror or error}). Make room on the "
            "disk, allow writing to the folder, or close the program that holds the file; then run again. What stood there stays."
        ) from error


def write_together(folder: Path, files: Mapping[str, bytes | None]) -> None:
    """Write or take away several files of a folder so that all are changed or none: see :func:`replace_together`."""
    replace_together({folder: files})


def replace_together(changes: Mapping[Path, Mapping[str, bytes | None]]) -> None:
    """Replace files in folders that stand side by side, so that all are replaced or none; for None the file is taken away.

    They are first written and flushed in a folder of their own within each; a list, written last into that of the first
    folder, makes the change final. After a failure before that the earlier files stay; after a kill behind it the next call
    of :func:`recover`, of any of the folders, finishes.

    Raises
    ------
    ShinanError
        If a disk is full, a folder may not be written, or another program holds a file.
    """
    first = next(iter(changes))
    for folder in changes:
        recover(folder)
    try:
        for folder, files in reversed(list(changes.items())):
            if folder != first:
                write_atomically(folder / STAGE / BESIDE, first.name.encode())
            for name, data in files.items():
                if data is not None:
                    write_atomically(folder / STAGE / name, data)
        final = {
            HERE if folder == first else folder.name: {name: data is not None for name, data in files.items()}
            for folder, files in changes.items()
        }
        write_atomically(first / STAGE / FINAL, json.dumps(final).encode())
    except BaseException:
        for folder in changes:
            shutil.rmtree(folder / STAGE, ignore_errors=True)
        raise
    recover(first)


def recover(folder: Path) -> None:
    """Finish a change of several files that was final but not done, or drop one that was not final.

    Raises
    ------
    ShinanError
        If the list of the change is damaged or names anything but files of the folders beside it, or a write is refused.
    """
    stage, changed = folder / STAGE, [folder]
    if not stage.is_dir():
        return
    if (stage / FINAL).exists():
        for place, files in _read_final(stage).items():
            there = folder if place == HERE else folder.with_name(place)
            if (there / STAGE).is_dir():
                _finish(there, files)
            changed = changed if there == folder else [there, *changed]  # the list goes last
    elif (stage / BESIDE).exists():
        beside = folder.with_name(_plain(read_text(stage / BESIDE), stage))
        if (beside / STAGE / FINAL).exists():
            recover(beside)
    for each in changed:
        with explained(each / STAGE):
            if (each / STAGE).is_dir():
                shutil.rmtree(each / STAGE)


def _finish(folder: Path, files: Mapping[str, bool]) -> None:
    """Move what was staged into its place, and take away what goes."""
    for name, stays in files.items():
        with explained(folder / name):
            if not stays:
                (folder / name).unlink(missing_ok=True)
            elif (folder / STAGE / name).exists():
                (folder / STAGE / name).replace(folder / name)


def _read_final(stage: Path) -> dict[str, dict[str, bool]]:
    """Return what a change holds: of each folder the names of its files, and whether they stay."""
    try:
        final = {str(place): dict(files) for place, files in json.loads(read_text(stage / FINAL)).items()}
    except (AttributeError, TypeError, ValueError, RecursionError) as error:
        raise ShinanError(f"{stage.parent.name}/{STAGE} holds no whole change. Delete that folder; then run again.") from error
    for name in (*({*final} - {HERE}), *(name for files in final.values() for name in files)):
        _plain(name, stage)
    return final


def _plain(name: str, stage: Path) -> str:
    """Return a name that is one and leads nowhere else."""
    size = len(name.encode("utf-8", "replace"))
    if name in ("", ".", "..") or Path(name).name != name or not name.isprintable() or "\\" in name or size > LONGEST_NAME:
        raise ShinanError(f"{stage.parent.name}/{STAGE} names {name!r}, no file here. Delete that folder; then run again.")
    return name
