"""The word list and the policy lexicon: one vocabulary for restoring and for tokenising."""

from __future__ import annotations

import csv
import lzma
from functools import cache
from importlib.resources import files
from pathlib import Path

from .errors import ReadError
from .files import read_text, sha256

RESOURCES = files("shinan_research") / "resources"


def resource(name: str) -> bytes:
    """Return the bytes of a file that the package ships."""
    return (RESOURCES / name).read_bytes()


@cache
def words() -> dict[str, int]:
    """Return the general dictionary, word to frequency: jieba's, cut at frequency 10 (105,157 words, MIT licence).

    The cut raises agreement with the PKU and MSR standards by four points, because the rare tail of that
    dictionary glues together words which an analyst counts apart.
    """
    text = lzma.decompress(resource("dictionary.txt.xz")).decode("utf-8")
    pairs = (line.split(" ") for line in text.splitlines())
    return {word: int(frequency) for word, frequency in pairs}


@cache
def numbers() -> dict[str, int]:
    """Return the number of each word of the dictionary: its place there, from 0."""
    return {word: number for number, word in enumerate(words())}


@cache
def fingerprint() -> str:
    """Return the SHA-256 of the dictionary's file, which says what the numbers of words mean."""
    return sha256(resource("dictionary.txt.xz"))


def lexicon() -> tuple[str, ...]:
    """Return the policy lexicon of the genre, sorted."""
    return _terms(resource("lexicon.txt").decode("utf-8"))


def read_lexicon(folder: Path) -> tuple[str, ...]:
    """Return the terms of every .txt file of a folder, sorted; a missing folder gives none.

    One term per line; what follows a tab is a remark; lines that begin with # are passed over.

    Raises
    ------
    ReadError
        If a term holds white space.
    """
    terms: set[str] = set()
    for path in sorted(folder.glob("*.txt")):
        found = _terms(read_text(path))
        bad = [term for term in found if any(character.isspace() for character in term)]
        if bad:
            raise ReadError(f"{path.name}: the term {bad[0]!r} holds white space. Put a tab between a term and its remark.")
        terms.update(found)
    return tuple(sorted(terms))


def _terms(text: str) -> tuple[str, ...]:
    lines = (line.split("\t")[0].strip() for line in text.splitlines() if not line.startswith("#"))
    return tuple(sorted({line for line in lines if line}))


@cache
def units() -> dict[str, str]:
    """Return the units and measure words that may follow a numeral, unit to class."""
    lines = [line for line in resource("units.csv").decode("utf-8").splitlines() if not line.startswith("#")]
    return {row["unit"]: row["class"] for row in csv.DictReader(lines)}
