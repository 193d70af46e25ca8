"""Read what needs a package of its own: PDF with a text layer (pypdf) and Parquet (pyarrow)."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any

from .errors import ReadError

PAGE_NUMBER = re.compile(r"[-—–\s·第]*\d{1,4}[-—–\s·页]*")
SPACED = re.compile(r"(?<=[\u3400-\u9fff，。、；：])[ \t\u3000]+(?=[\u3400-\u9fff，。、；：])")
SENTENCE_END = "。！？：；!?;:”）)》"
FULL_LINE = 0.75  # of the longest line of its page: shorter ones end a paragraph
LEAST_ON_A_PAGE = 20  # characters; a scan has fewer


def _package(module: str, extra: str, name: str) -> Any:
    """Import a package that need not be there."""
    try:
        return import_module(module)
    except ImportError as error:
        raise ReadError(
            f"{name}: reading {extra.upper() if extra == 'pdf' else extra.title()} needs {module.partition('.')[0]}. Install it "
            f"(python -m pip install 'shinan-research[{extra}]'), or save the text as .docx or .txt."
        ) from error


def pdf_text(raw: bytes, name: str) -> str:
    """Return the text layer of a PDF: paragraphs, without page numbers and breaks inside sentences.

    Raises
    ------
    ReadError
        If pypdf is not installed, or the file is protected, damaged or a scan without text.
    """
    pypdf = _package("pypdf", "pdf", name)
    try:
        reader = pypdf.PdfReader(io.BytesIO(raw))
        if reader.is_encrypted and not reader.decrypt(""):
            raise ReadError(f"{name}: protected by a password. Save it without one.")
        pages = [page.extract_text() for page in reader.pages]
    except ReadError:
        raise
    except Exception as error:  # pypdf raises what its readers of fonts, images and streams raise
        raise ReadError(f"{name}: a broken PDF ({error}). Fetch it again, or print it to a new PDF.") from error
    if sum(len("".join(page.split())) for page in pages) < LEAST_ON_A_PAGE * max(len(pages), 1):
        raise ReadError(
            f"{name}: a scan, {len(pages)} pages without text. It needs text recognition (OCR) first, then proofreading; save "
            "the result as .docx or .txt."
        )
    return "".join(map(_flowing, pages))


def _flowing(page: str) -> str:
    """Return the text of a page with its lines joined to paragraphs."""
    lines = [SPACED.sub("", line.strip()) for line in page.splitlines()]
    lines = [line for line in lines if line and not PAGE_NUMBER.fullmatch(line)]
    longest = max(map(len, lines), default=0)
    return "".join(line + ("" if len(line) >= FULL_LINE * longest and line[-1] not in SENTENCE_END else "\n") for line in lines)


def parquet_rows(raw: bytes, name: str) -> Iterator[Mapping[str, str]]:
    """Yield the rows of a Parquet file as texts.

    Raises
    ------
    ReadError
        If pyarrow is not installed, or the file is damaged.
    """
    parquet = _package("pyarrow.parquet", "parquet", name)
    try:
        for batch in parquet.ParquetFile(io.BytesIO(raw)).iter_batches(batch_size=64):
            for row in batch.to_pylist():
                yield {str(key): "" if value is None else str(value) for key, value in row.items()}
    except (OSError, ValueError) as error:
        raise ReadError(f"{name}: a damaged Parquet file ({error}). Write it again.") from error
