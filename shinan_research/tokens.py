"""Cut sentences into tokens: words, terms, numbers, dates, units, Latin and punctuation, tiling the text."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd
import rjieba
from numpy.typing import NDArray

from . import dictionary
from .errors import ShinanError
from .reports import HAN, is_han

SEPARATOR = "\n"
KINDS = ("word", "term", "number", "date", "unit", "latin", "punct")
CLAUSE_NUMERAL = r"\d+(?:,\d{3})*(?:\.\d+)?"
ATOM = re.compile(
    r"(?P<date>(?:19|20)\d\d年(?!间)|(?<!\d)1?\d月(?=\d{1,2}日|[^\d份]|$)|(?<=月)[1-3]?\d日)"
    rf"|(?P<number>第?{CLAUSE_NUMERAL}(?:[%％‰]|[余多]?[十百千万亿]*[余多]?))(?P<unit>UNITS)?"
    r"|(?P<latin>[A-Za-zＡ-Ｚａ-ｚ][A-Za-zＡ-Ｚａ-ｚ0-9.+\-&]*)"
)
IDS = ("report", "place", "year", "part", "chapter", "chapter_title", "paragraph", "block", "sentence")
Cutter = Callable[[str], list[str]]


@dataclass(frozen=True)
class Segmenter:
    """Cuts Chinese text into words: dictionary, then numbers and Latin as atoms, then the lexicon laid over.

    The default cutter is rjieba with a private instance, the package's dictionary and no hidden Markov model:
    that model invents words, and it manufactures them out of scraping damage.

    Parameters
    ----------
    terms
        Terms to keep whole beside the lexicon of the genre. A term of three or more characters always wins;
        one of two characters only where both its edges already are token edges.
    name
        Name of the cutter, as tables and captions give it.
    """

    terms: tuple[str, ...] = ()
    name: str = "rjieba, dictionary from frequency 10, no HMM"
    cutter: Cutter | None = field(default=None, repr=False, compare=False)

    @classmethod
    def from_callable(cls, name: str, cutter: Cutter, *, terms: tuple[str, ...] = ()) -> Segmenter:
        """Return a segmenter around any function from a text to its list of tokens, in order and without loss."""
        return cls(terms=terms, name=name, cutter=cutter)

    @cached_property
    def lexicon(self) -> tuple[str, ...]:
        """The terms laid over the cutter's tokens, sorted."""
        return tuple(sorted({*dictionary.lexicon(), *self.terms}))

    @property
    def fingerprint(self) -> str:
        """Sixteen hexadecimal digits that change with the dictionary, the lexicon, the rules or the cutter."""
        units = json.dumps(dictionary.units(), ensure_ascii=False, sort_keys=True)
        parts = (
            self.name,
            ATOM.pattern,
            units,
            *self.lexicon,
            hashlib.sha256(dictionary.resource("dictionary.txt.xz")).hexdigest(),
        )
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]

    @cached_property
    def _cut(self) -> Cutter:
        if self.cutter is not None:
            return self.cutter
        jieba = rjieba.Jieba.empty()  # type: ignore[no-untyped-call]
        for word, frequency in dictionary.words().items():
            jieba.add_word(word, frequency, None)
        return lambda text: list(jieba.cut(text, hmm=False))

    @cached_property
    def _atom(self) -> re.Pattern[str]:
        units = "|".join(map(re.escape, sorted(dictionary.units(), key=lambda unit: (-len(unit), unit))))
        return re.compile(ATOM.pattern.replace("UNITS", units))

    @cached_property
    def _terms(self) -> tuple[re.Pattern[str], re.Pattern[str]]:
        """Patterns of the terms of three characters or more and of two, longest first."""
        ordered = sorted(self.lexicon, key=lambda term: (-len(term), term))
        return tuple(
            re.compile("|".join(map(re.escape, chosen)) or r"(?!)")
            for chosen in ([t for t in ordered if _always(t)], [t for t in ordered if not _always(t)])
        )  # type: ignore[return-value]

    def cut(self, text: str) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int8]]:
        """Return start, end and kind (index into `KINDS`) of every token of `text`, which they tile.

        Line feeds separate what must not be joined; they are no tokens.
        """
        pieces = self._cut(text)
        ends = np.cumsum(np.fromiter(map(len, pieces), dtype=np.int64, count=len(pieces)))
        if "".join(pieces) != text:
            raise ShinanError(f"The segmenter {self.name!r} loses or adds characters; its tokens must tile the text.")
        edge = np.zeros(len(text) + 1, dtype=bool)
        edge[0] = edge[ends] = True
        kind = np.zeros(len(text) + 1, dtype=np.int8)
        self._overlay(text, edge, kind)
        for match in re.finditer(rf"[^{HAN}A-Za-zＡ-Ｚａ-ｚ0-9]", text):
            if not kind[match.start()]:
                _set(edge, kind, match.start(), match.end(), "punct")
        starts = np.flatnonzero(edge[:-1])
        stops = np.append(starts[1:], len(text))
        real = np.frombuffer(text.encode("utf-32-le"), dtype=np.uint32)[starts] != ord(SEPARATOR) if len(text) else []
        return starts[real], stops[real], kind[starts][real]

    def _overlay(self, text: str, edge: NDArray[np.bool_], kind: NDArray[np.int8]) -> None:
        """Lay long terms, atoms and short terms over the cutter's edges, in this order of rank."""
        long_terms, short_terms = self._terms
        for match in long_terms.finditer(text):
            _set(edge, kind, *match.span(), "term")
        for match in self._atom.finditer(text):
            if kind[match.start() : match.end()].any():
                continue
            for name in ("date", "number", "unit", "latin"):
                if match[name]:
                    _set(edge, kind, *match.span(name), name)
        for match in short_terms.finditer(text):
            start, end = match.span()
            if edge[start] and edge[end] and not kind[start:end].any():
                _set(edge, kind, start, end, "term")


def _always(term: str) -> bool:
    """Return whether a term always wins: three characters or more, or with a character that is not Han."""
    return len(term) > 2 or not bool(is_han(term).all())


def _set(edge: NDArray[np.bool_], kind: NDArray[np.int8], start: int, end: int, name: str) -> None:
    """Make one token of the characters from `start` to `end`."""
    edge[start + 1 : end] = False
    edge[start] = edge[end] = True
    kind[start:end] = KINDS.index(name)


def tokenize(sentences: pd.DataFrame, segmenter: Segmenter | None = None) -> pd.DataFrame:
    """Cut sentences into tokens that tile the text.

    Parameters
    ----------
    sentences
        The table of :func:`~shinan_research.outline.outline`.
    segmenter
        By default `Segmenter()`.

    Returns
    -------
    pandas.DataFrame
        One row per token in order of text: the ids of the sentence, `start, end` (in `Report.text`), `term`
        (categorical), `kind` (word, term, number, date, unit, latin, punct), `han` (Han characters in it),
        `heading, restored` (holds a restored character).

    Examples
    --------
    >>> from shinan_research.reports import Report
    >>> from shinan_research.outline import outline
    >>> text = "引进项目15个。推进招商引资。"
    >>> tokens = tokenize(outline([Report("a", "A", 2020, text, text)], witness=True))
    >>> [f"{token.term}/{token.kind}" for token in tokens.itertuples()]
    ['引进/word', '项目/word', '15/number', '个/unit', '。/punct', '推进/word', '招商引资/term', '。/punct']
    """
    segmenter = segmenter or Segmenter()
    groups = [_tokens(group, segmenter) for _, group in sentences.groupby("report", sort=False)]
    columns = [*IDS, "start", "end", "term", "kind", "han", "heading", "restored"]
    table = pd.concat(groups, ignore_index=True) if groups else pd.DataFrame(columns=columns)
    table["term"] = pd.Categorical(table["term"], categories=sorted(set(table["term"])))
    table["kind"] = pd.Categorical.from_codes(table["kind"].to_numpy(dtype=np.int8), dtype=pd.CategoricalDtype(list(KINDS)))
    table.attrs["settings"] = dict(sentences.attrs.get("settings", {})) | {
        "segmenter": segmenter.name,
        "fingerprint": segmenter.fingerprint,
    }
    return table[columns]


def _tokens(sentences: pd.DataFrame, segmenter: Segmenter) -> pd.DataFrame:
    """Cut the sentences of one report in one go."""
    texts = [text.replace(SEPARATOR, " ") for text in sentences["text"]]
    joined = SEPARATOR.join(texts)
    begins = np.concatenate([[0], np.cumsum([len(text) + 1 for text in texts])[:-1]]).astype(np.int64)
    starts, ends, kinds = segmenter.cut(joined)
    row = np.searchsorted(begins, starts, side="right") - 1
    shift = sentences["start"].to_numpy()[row] - begins[row]
    han = np.concatenate([[0], np.cumsum(is_han(joined))])
    table = sentences[[*IDS, "heading"]].iloc[row].reset_index(drop=True)
    table["start"], table["end"] = starts + shift, ends + shift
    surface = SEPARATOR.join(sentences["text"])
    table["term"] = [surface[a:b] for a, b in zip(starts.tolist(), ends.tolist(), strict=True)]
    table["kind"], table["han"] = kinds, han[ends] - han[starts]
    inserted = np.array([place for places in sentences["restored_at"] for place in places], dtype=np.int64)
    table["restored"] = np.searchsorted(inserted, table["end"]) > np.searchsorted(inserted, table["start"])
    return table
