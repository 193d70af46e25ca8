"""Cut sentences into tokens: words, terms, numbers, dates, units, Latin and punctuation, tiling the text."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property, lru_cache
from itertools import compress
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from . import dictionary
from .errors import ShinanError
from .reports import is_han
from .trie import CHARACTERS, Arcs, Ids, Trie, code_points, divide, find_words, plant, spread

SEPARATOR = "\n"
KINDS = ("word", "term", "number", "date", "unit", "latin", "punct")
LEXICAL = (KINDS.index("word"), KINDS.index("term"))
CLAUSE_NUMERAL = r"\d+(?:,\d{3})*(?:\.\d+)?"
ATOM = re.compile(
    r"(?P<date>(?:19|20)\d\d年(?!间)|(?<!\d)1?\d月(?=\d{1,2}日|[^\d份]|$)|(?<=月)[1-3]?\d日)"
    rf"|(?P<number>第?{CLAUSE_NUMERAL}(?:[%％‰]|[余多]?[十百千万亿]*[余多]?))(?P<unit>UNITS)?"
    r"|(?P<latin>[A-Za-zＡ-Ｚａ-ｚ][A-Za-zＡ-Ｚａ-ｚ0-9.+\-&]*)"
)
ATOM_START = re.compile(r"[\d第A-Za-zＡ-Ｚａ-ｚ]")
WORDLIKE, IS_HAN, BEGINS = 1, 2, 4  # what is known of a character: may be part of a word, is Han, may begin an atom
ALWAYS, INSIDE = 1, 2  # a term that always wins; one that does where its edges are those of tokens
ASCII = 128
PACKED, BITS = 4, 16  # characters of a token that one integer holds, and bits of each
IDS = ("report", "place", "year", "part", "chapter", "chapter_title", "paragraph", "block", "sentence")
Cutter = Callable[[str], list[str]]


@dataclass(frozen=True)
class Segmenter:
    """Cuts Chinese text into words: dictionary, then numbers and Latin as atoms, then the lexicon laid over.

    Words are those of the likeliest division of the text by the package's dictionary (:func:`~shinan_research.trie.divide`), as
    jieba and rjieba find it, to the token; without their hidden Markov model, which invents words and manufactures them out of
    scraping damage.

    Parameters
    ----------
    terms
        Terms to keep whole beside the lexicon of the genre. A term of three or more characters always wins;
        one of two characters only where both its edges already are token edges.
    name
        Name of the cutter, as tables and captions give it.
    """

    terms: tuple[str, ...] = ()
    name: str = "likeliest division by the dictionary of jieba from frequency 10, no HMM"
    cutter: Cutter | None = field(default=None, repr=False, compare=False)

    @classmethod
    def from_callable(cls, name: str, cutter: Cutter, *, terms: tuple[str, ...] = ()) -> Segmenter:
        """Return a segmenter around any function from a text to its list of tokens, in order and without loss."""
        return cls(terms=terms, name=name, cutter=cutter)

    @cached_property
    def lexicon(self) -> tuple[str, ...]:
        """The terms laid over the cutter's tokens, sorted."""
        return tuple(sorted({*dictionary.lexicon(), *self.terms}))

    @cached_property
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

    def __reduce__(self) -> tuple[Any, ...]:
        """Send to other processes what it was made of, not what was built from that."""
        return type(self), (self.terms, self.name, self.cutter)

    @cached_property
    def _atom(self) -> re.Pattern[str]:
        units = "|".join(map(re.escape, sorted(dictionary.units(), key=lambda unit: (-len(unit), unit))))
        return re.compile(ATOM.pattern.replace("UNITS", units))

    def cut(self, text: str) -> tuple[Ids, Ids, NDArray[np.int8]]:
        """Return start, end and kind (index into `KINDS`) of every token of `text`, which they tile.

        Line feeds separate what must not be joined; they are no tokens.
        """
        codes = code_points(text)
        return self._cut(text, codes, _marks()[codes])

    def _cut(self, text: str, codes: Ids, marks: NDArray[np.uint8]) -> tuple[Ids, Ids, NDArray[np.int8]]:
        """Return what :meth:`cut` does of a text whose characters have these codes and marks."""
        tree = _tree(self.lexicon)
        words, terms = find_words(tree, codes)
        edge = _merged(divide(tree, codes, words), codes, marks) if self.cutter is None else self._edges(text)
        kind = np.zeros(len(text) + 1, dtype=np.int8)
        self._overlay(text, np.flatnonzero(marks & BEGINS), terms._replace(node=tree.mark[terms.node]), edge, kind)
        lone = np.flatnonzero((marks & WORDLIKE == 0) & (kind[:-1] == 0))
        kind[lone] = KINDS.index("punct")
        edge[lone] = edge[lone + 1] = True
        starts = np.flatnonzero(edge[:-1])
        stops = np.append(starts[1:], len(text))[: len(starts)]
        real = codes[starts] != ord(SEPARATOR)
        return starts[real], stops[real], kind[starts][real]

    def _edges(self, text: str) -> NDArray[np.bool_]:
        """Return where the tokens of another cutter begin and end."""
        pieces = self.cutter(text) if self.cutter else []
        if "".join(pieces) != text:
            raise ShinanError(f"The segmenter {self.name!r} loses or adds characters; its tokens must tile the text.")
        edge = np.zeros(len(text) + 1, dtype=bool)
        edge[np.cumsum([0, *map(len, pieces)])] = True
        return edge

    def _overlay(self, text: str, begins: Ids, terms: Arcs, edge: NDArray[np.bool_], kind: NDArray[np.int8]) -> None:
        """Lay long terms, atoms and short terms over the cutter's edges, in this order of rank."""
        _set(edge, kind, _leftmost(terms, ALWAYS), "term")
        atoms = list(self._atoms(text, begins.tolist()))
        free = _free(kind, np.array([match.span() for match in atoms], dtype=np.int64).reshape(-1, 2)).tolist()
        spans: dict[str, list[tuple[int, int]]] = {"date": [], "number": [], "unit": [], "latin": []}
        for match in compress(atoms, free):
            last = str(match.lastgroup)
            spans[last].append(match.span(last))
            if last == "unit":
                spans["number"].append(match.span("number"))
        for name, found in spans.items():
            _set(edge, kind, np.array(found, dtype=np.int64).reshape(-1, 2), name)
        short = _leftmost(terms, INSIDE)
        _set(edge, kind, short[edge[short].all(axis=1) & _free(kind, short)], "term")

    def _atoms(self, text: str, begins: list[int]) -> Iterator[re.Match[str]]:
        """Yield the numbers, dates and Latin words from left to right, looking only where one can begin."""
        end = 0
        for place in begins:
            if place >= end and (match := self._atom.match(text, place)):
                end = match.end()
                yield match


def _leftmost(terms: Arcs, rank: int) -> Ids:
    """Return start and end of the terms of a rank that a reader meets from left to right, the longest first, terms × 2."""
    chosen = np.flatnonzero(terms.node == rank)
    start, end = terms.start[chosen], terms.end[chosen]
    order = np.lexsort((-end, start))
    spans, reached = [], 0
    for span in zip(start[order].tolist(), end[order].tolist(), strict=True):
        if span[0] >= reached:
            spans.append(span)
            reached = span[1]
    return np.array(spans, dtype=np.int64).reshape(-1, 2)


def _merged(edge: NDArray[np.bool_], codes: Ids, marks: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Return edges without those between letters and digits that stand alone: they are one token."""
    alone = (codes < ASCII) & (marks & WORDLIKE > 0) & edge[:-1] & edge[1:]
    edge[1:-1] &= ~(alone[:-1] & alone[1:])
    return edge


def _free(kind: NDArray[np.int8], spans: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return for each span whether no character in it belongs to a token of higher rank."""
    taken = np.concatenate([[0], np.cumsum(kind > 0)])[spans]
    return np.asarray(taken[:, 0] == taken[:, 1])


@cache
def _marks() -> NDArray[np.uint8]:
    """Return for every character that there is whether it may be part of a word, is Han, or may begin an atom."""
    every = np.arange(CHARACTERS, dtype=np.uint32)
    text = every.tobytes().decode("utf-32-le", "surrogatepass")
    han, begins = is_han(text), np.zeros(CHARACTERS, dtype=bool)
    begins[[match.start() for match in ATOM_START.finditer(text)]] = True
    wordlike = han.copy()
    for low, high in ("AZ", "az", "ＡＺ", "ａｚ", "09"):
        wordlike[ord(low) : ord(high) + 1] = True
    marks: NDArray[np.uint8] = (wordlike * WORDLIKE + han * IS_HAN + begins * BEGINS).astype(np.uint8)
    return marks


@lru_cache(maxsize=4)
def _tree(lexicon: tuple[str, ...]) -> Trie:
    """Return the package's dictionary with the terms of a lexicon marked, built once per process."""
    return plant(dictionary.words(), {term: ALWAYS if _always(term) else INSIDE for term in lexicon})


@cache
def default_segmenter() -> Segmenter:
    """Return the segmenter that is used where none is named, built once per process."""
    return Segmenter()


def _always(term: str) -> bool:
    """Return whether a term always wins: three characters or more, or with a character that is not Han."""
    return len(term) > 2 or not bool(is_han(term).all())


def _set(edge: NDArray[np.bool_], kind: NDArray[np.int8], spans: NDArray[np.int64], name: str) -> None:
    """Make one token of each span of characters; the spans do not overlap."""
    starts, ends = spans.T
    inside = spread(starts, ends - starts)
    edge[inside] = False
    edge[starts] = edge[ends] = True
    kind[inside] = KINDS.index(name)


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
    segmenter = segmenter or default_segmenter()
    report = pd.factorize(sentences["report"])[0]
    groups = np.split(np.argsort(report, kind="stable"), np.cumsum(np.bincount(report))[:-1])
    columns = [sentences[name].to_numpy(dtype=object) for name in ("text", "start", "restored_at")]
    found, codes = [], []
    names: dict[str, int] = {}
    for rows in groups:
        texts, starts, places = (column[rows].tolist() for column in columns)
        cut, terms = cut_sentences(texts, starts, [place for each in places for place in each], segmenter)
        found.append(cut._replace(row=rows[cut.row]))
        codes.append(np.array([names.setdefault(term, len(names)) for term in terms], dtype=np.int64)[cut.term])
    tokens = Tokens(*map(np.concatenate, zip(*found, strict=True)))
    table = sentences[[*IDS, "heading"]].take(tokens.row).reset_index(drop=True)
    table["start"], table["end"], table["han"], table["restored"] = tokens.start, tokens.end, tokens.han, tokens.restored
    table["term"] = categorical(np.concatenate(codes), list(names))
    table["kind"] = pd.Categorical.from_codes(tokens.kind, dtype=pd.CategoricalDtype(list(KINDS)))
    table.attrs["settings"] = dict(sentences.attrs.get("settings", {})) | {
        "segmenter": segmenter.name,
        "fingerprint": segmenter.fingerprint,
    }
    return table[[*IDS, "start", "end", "term", "kind", "han", "heading", "restored"]]


def categorical(codes: NDArray[Any], names: list[str]) -> Any:
    """Return a categorical of numbered names whose categories are sorted."""
    order = sorted(range(len(names)), key=names.__getitem__)
    rank = np.empty(len(names), dtype=np.int32)
    rank[order] = np.arange(len(names), dtype=np.int32)
    return pd.Categorical.from_codes(rank[codes], categories=pd.Index([names[each] for each in order], dtype=str))


class Tokens(NamedTuple):
    """Tokens as arrays of one length.

    Row of the sentence table, `start` and `end` in the report's text, `kind` (index into `KINDS`), Han characters, whether a
    restored character is in it, and the number of the term.
    """

    row: NDArray[np.int64]
    start: NDArray[np.int64]
    end: NDArray[np.int64]
    kind: NDArray[np.int8]
    han: NDArray[np.int64]
    restored: NDArray[np.bool_]
    term: NDArray[np.int64]


def cut_sentences(
    texts: Sequence[str], starts: Sequence[int], inserted: Sequence[int], segmenter: Segmenter, *, lexical: bool = False
) -> tuple[Tokens, NDArray[np.object_]]:
    """Cut the sentences of one report in one go, and name the terms in no particular order.

    `starts` are the places of the sentences in the report's text, `inserted` those of its restored characters. With `lexical`
    only words and terms are named; the number of the other tokens' term is −1.
    """
    surface = SEPARATOR.join(texts)
    lengths = np.fromiter(map(len, texts), dtype=np.int64, count=len(texts)) + 1
    codes = code_points(surface)
    marks = _marks()[codes]
    joined, plain = surface, codes
    if surface.count(SEPARATOR) >= len(texts):
        joined = SEPARATOR.join(text.replace(SEPARATOR, " ") for text in texts)
        plain = np.where(codes == ord(SEPARATOR), ord(" "), codes)
        plain[np.cumsum(lengths[:-1]) - 1] = ord(SEPARATOR)
    first, last, kinds = segmenter._cut(joined, plain, marks)
    row = np.repeat(np.arange(len(texts)), lengths)[first]
    shift = (np.asarray(starts, dtype=np.int64) - np.cumsum(lengths) + lengths)[row]
    han = np.concatenate([[0], np.cumsum(marks & IS_HAN > 0)])
    places = np.asarray(inserted, dtype=np.int64)
    restored = np.searchsorted(places, last + shift) > np.searchsorted(places, first + shift)
    named = np.flatnonzero((kinds == LEXICAL[0]) | (kinds == LEXICAL[1])) if lexical else slice(None)
    term = np.full(len(first), -1, dtype=np.int64)
    term[named], names = _numbered(surface, codes, first[named], last[named])
    return Tokens(row, first + shift, last + shift, kinds, han[last] - han[first], restored, term), names


def _numbered(text: str, codes: Ids, starts: Ids, ends: Ids) -> tuple[Ids, NDArray[np.object_]]:
    """Return the number of each token's term, and the terms."""
    packed, long = _pack(codes, starts, ends)
    chosen = np.flatnonzero(long)
    longs = [text[a:b] for a, b in zip(starts[chosen].tolist(), ends[chosen].tolist(), strict=True)]
    short_numbers, keys = pd.factorize(packed[~long])
    long_numbers, names = pd.factorize(np.array(longs, dtype=object))
    numbers = np.empty(len(packed), dtype=np.int64)
    numbers[~long], numbers[long] = short_numbers, long_numbers + len(keys)
    return numbers, np.array([*_unpack(keys), *names], dtype=object)


def _pack(codes: Ids, starts: Ids, ends: Ids) -> tuple[NDArray[np.uint64], NDArray[np.bool_]]:
    """Return each token of up to four characters as one integer, which spares a string for each, and which tokens are too long.

    Characters beyond the first plane, too, make a token too long.
    """
    padded, size = np.append(codes, np.zeros(PACKED, dtype=np.int64)), ends - starts
    packed, long = np.zeros(len(starts), dtype=np.int64), size > PACKED
    for place in range(PACKED):
        code = padded[starts + place] * (place < size)
        packed, long = packed << BITS | code, long | (code >> BITS > 0)
    return packed.view(np.uint64), long


def _unpack(packed: NDArray[np.uint64]) -> list[str]:
    """Return the strings of packed tokens."""
    return packed.byteswap().view("<u2").reshape(-1, PACKED).byteswap().astype("<u4").view(f"<U{PACKED}").ravel().tolist()
