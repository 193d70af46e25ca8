"""Open zip archives of strangers: names in UTF-8 or GBK, and nothing that swells beyond measure."""

from __future__ import annotations

import io
import zipfile

from .errors import ReadError

LARGEST = 300 * 2**20  # bytes of one file or member
INFLATED, HARMLESS = 100, 2**24  # an archive may hold this many times its own size, and always this many bytes


def too_large(name: str, size: int) -> ReadError:
    """Return the error of a file that is not read because of its size in bytes."""
    return ReadError(f"{name}: {size / 2**20:,.0f} MB; at most {LARGEST // 2**20} MB are read. Split the file.")


def members(raw: bytes, name: str) -> tuple[zipfile.ZipFile, list[tuple[str, zipfile.ZipInfo]]]:
    """Open an archive and return its files with their decoded names, sorted.

    Raises
    ------
    ReadError
        If it is damaged, or would swell beyond measure.
    """
    try:
        opened = zipfile.ZipFile(io.BytesIO(raw))
    except (zipfile.BadZipFile, NotImplementedError, ValueError) as error:
        raise ReadError(f"{name}: a damaged archive ({error}). Fetch it again, or unpack it and pack it anew.") from error
    files = [member for member in opened.infolist() if not member.is_dir()]
    size = sum(member.file_size for member in files)
    if size > max(INFLATED * len(raw), HARMLESS):
        raise ReadError(
            f"{name}: {len(raw):,} bytes would swell to {size:,}, more than {INFLATED} times: a zip bomb. It is not unpacked."
        )
    return opened, sorted(((_member_name(member), member) for member in files), key=lambda pair: pair[0])


def _member_name(member: zipfile.ZipInfo) -> str:
    """Return a member's name, decoded as UTF-8 or GBK where the archive does not say which."""
    if member.flag_bits & 0x800:
        return member.filename
    try:
        raw = member.filename.encode("cp437")
    except UnicodeEncodeError:
        return member.filename
    return decoded_name(raw) or member.filename


def decoded_name(raw: bytes) -> str:
    """Return the bytes of a file name as UTF-8 or GBK, and "" if they are neither.

    >>> decoded_name("甲县2031.txt".encode("gbk"))
    '甲县2031.txt'
    """
    for encoding in ("utf-8", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return ""


def unpacked(opened: zipfile.ZipFile, member: zipfile.ZipInfo, full: str) -> bytes:
    """Return the bytes of one file of an archive.

    Raises
    ------
    ReadError
        If it is too large, protected or damaged.
    """
    if member.file_size > LARGEST:
        raise too_large(full, member.file_size)
    if member.flag_bits & 1:
        raise ReadError(f"{full}: protected by a password. Unpack the archive, and pack it again without one.")
    try:
        return opened.read(member)
    except (zipfile.BadZipFile, NotImplementedError, OSError, EOFError, ValueError, RuntimeError) as error:
        raise ReadError(f"{full}: damaged, or packed in an unknown way ({error}). Fetch the archive again.") from error
    except Exception as error:  # zlib.error and lzma.LZMAError have no common base
        raise ReadError(f"{full}: damaged ({error}). Fetch the archive again.") from error
