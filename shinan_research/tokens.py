"""Cut sentences into tokens: words, terms, numbers, dates, units, Latin and punctuation, tiling the text."""

from __future__ import annotations

import functools
import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import rjieba
from numpy.typing import NDArray

from . import dictionary
from .errors import ShinanError
from .reports import is_han

SEPARATOR = "\n"
KINDS = ("word", "term", "number", "date", "unit", "latin", "punct")
CLAUSE_NUMERAL = r"\d+(?:,\d{3})*(?:\.\d+)?"
ATOM = re.compile(
    r"(?P<date>(?:19|20)\d\d年(?!间)|(?<!\d)1?\d月(?=\d{1,2}日|[^\d份]|$)|(?<=月)[1-3]?\d日)"
    rf"|(?P<number>第?{CLAUSE_NUMERAL}(?:[%％‰]|[余多]?[十百千万亿]*[余多]?))(?P<unit>UNITS)?"
    r"|(?P<latin>[A-Za-zＡ-Ｚａ-ｚ][A-Za-zＡ-Ｚａ-ｚ0-9.+\-&]*)"
)
ATOM_START = re.compile(r"[\d第A-Za-zＡ-Ｚａ-ｚ]")
PACKED, BITS = 3, 21  # characters of a token that one integer holds, and bits of each
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

    @cached_property
    def _cut(self) -> Cutter:
        if self.cutter is not None:
            return self.cutter
        return _dictionary_cutter()

    def __reduce__(self) -> tuple[Any, ...]:
        """Send to other processes what it was made of, not what was built from that."""
        return type(self), (self.terms, self.name, self.cutter)

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
        if "".join(pieces) != text:
            raise ShinanError(f"The segmenter {self.name!r} loses or adds characters; its tokens must tile the text.")
        ends = np.cumsum(np.fromiter(map(len, pieces), dtype=np.int64, count=len(pieces)))
        edge = np.zeros(len(text) + 1, dtype=bool)
        edge[0] = edge[ends] = True
        kind = np.zeros(len(text) + 1, dtype=np.int8)
        self._overlay(text, edge, kind)
        lone = np.flatnonzero(~_wordlike(text) & (kind[:-1] == 0))
        kind[lone] = KINDS.index("punct")
        edge[lone] = edge[lone + 1] = True
        starts = np.flatnonzero(edge[:-1])
        stops = np.append(starts[1:], len(text))[: len(starts)]
        real = _codes(text)[starts] != ord(SEPARATOR)
        return starts[real], stops[real], kind[starts][real]

    def _overlay(self, text: str, edge: NDArray[np.bool_], kind: NDArray[np.int8]) -> None:
        """Lay long terms, atoms and short terms over the cutter's edges, in this order of rank."""
        long_terms, short_terms = self._terms
        _set(edge, kind, _spans(long_terms.finditer(text)), "term")
        atoms = list(self._atoms(text))
        atoms = [atoms[each] for each in np.flatnonzero(_free(kind, _spans(atoms)))]
        spans: dict[str, list[tuple[int, int]]] = {"date": [], "number": [], "unit": [], "latin": []}
        for match in atoms:
            last = str(match.lastgroup)
            spans[last].append(match.span(last))
            if last == "unit":
                spans["number"].append(match.span("number"))
        for name, found in spans.items():
            _set(edge, kind, np.array(found, dtype=np.int64).reshape(-1, 2), name)
        short = _spans(short_terms.finditer(text))
        _set(edge, kind, short[edge[short].all(axis=1) & _free(kind, short)], "term")

    def _atoms(self, text: str) -> Iterator[re.Match[str]]:
        """Yield the numbers, dates and Latin words from left to right, looking only where one can begin."""
        first = ATOM_START.search(text)
        while first:
            match = self._atom.match(text, first.start())
            if match:
                yield match
            first = ATOM_START.search(text, (match or first).end())


def _spans(matches: Iterable[re.Match[str]]) -> NDArray[np.int64]:
    """Return start and end of each match of a pattern, matches × 2."""
    return np.array([match.span() for match in matches], dtype=np.int64).reshape(-1, 2)


def _free(kind: NDArray[np.int8], spans: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return for each span whether no character in it belongs to a token of higher rank."""
    taken = np.concatenate([[0], np.cumsum(kind > 0)])[spans]
    return np.asarray(taken[:, 0] == taken[:, 1])


def _codes(text: str) -> NDArray[np.uint32]:
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)


def _wordlike(text: str) -> NDArray[np.bool_]:
    """Return for every character whether it may be part of a word: Han, Latin or a digit."""
    codes = _codes(text)
    answer = is_han(text)
    for low, high in ("AZ", "az", "ＡＺ", "ａｚ", "09"):
        answer |= (codes >= ord(low)) & (codes <= ord(high))
    return answer


@cache
def _dictionary_cutter() -> Cutter:
    """Return rjieba with the package's dictionary, built once per process."""
    jieba = rjieba.Jieba.empty()  # type: ignore[no-untyped-call]
    for word, frequency in dictionary.words().items():
        jieba.add_word(word, frequency, None)
    return functools.partial(jieba.cut, hmm=False)


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
    size = ends - starts
    inside = np.repeat(starts - np.cumsum(size) + size, size) + np.arange(size.sum())
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
    texts: Sequence[str], starts: Sequence[int], inserted: Sequence[int], segmenter: Segmenter
) -> tuple[Tokens, NDArray[np.object_]]:
    """Cut the sentences of one report in one go, and name the terms in no particular order.

    `starts` are the places of the sentences in the report's text, `inserted` those of its restored characters.
    """
    surface = SEPARATOR.join(texts)
    joined = SEPARATOR.join(text.replace(SEPARATOR, " ") for text in texts)
    first, last, kinds = segmenter.cut(joined)
    lengths = np.fromiter(map(len, texts), dtype=np.int64, count=len(texts)) + 1
    row = np.repeat(np.arange(len(texts)), lengths)[first]
    shift = (np.asarray(starts, dtype=np.int64) - np.cumsum(lengths) + lengths)[row]
    han = np.concatenate([[0], np.cumsum(is_han(joined))])
    places = np.asarray(inserted, dtype=np.int64)
    restored = np.searchsorted(places, last + shift) > np.searchsorted(places, first + shift)
    packed = _pack(surface, first, last)
    long = [surface[a:b] for a, b in zip(first[packed < 0].tolist(), last[packed < 0].tolist(), strict=True)]
    term, names = _numbered(packed, long)
    return Tokens(row, first + shift, last + shift, kinds, han[last] - han[first], restored, term), names


def _numbered(packed: NDArray[np.int64], long: list[str]) -> tuple[NDArray[np.int64], NDArray[np.object_]]:
    """Return the number of each token's term, and the terms; `long` are those too long to pack (−1), in order."""
    short = packed >= 0
    short_codes, keys = pd.factorize(packed[short])
    long_codes, longs = pd.factorize(np.array(long, dtype=object))
    codes = np.empty(len(packed), dtype=np.int64)
    codes[short], codes[~short] = short_codes, long_codes + len(keys)
    return codes, np.array([*_unpack(keys), *longs], dtype=object)


def _pack(text: str, starts: NDArray[np.int64], ends: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return each token of up to three characters as one integer, which spares a string for each; −1 for longer ones."""
    codes = np.append(_codes(text), np.zeros(PACKED, dtype=np.uint32)).astype(np.int64)
    packed = np.zeros(len(starts), dtype=np.int64)
    for place in range(PACKED):
        packed = packed << BITS | np.where(starts + place < ends, codes[starts + place], 0)
    return np.where(ends - starts > PACKED, -1, packed)


def _unpack(packed: NDArray[np.int64]) -> list[str]:
    """Return the strings of packed tokens."""
    codes = np.stack([packed >> BITS * place & (1 << BITS) - 1 for place in reversed(range(PACKED))], axis=1).astype("<u4")
    return codes.view(f"<U{PACKED}").ravel().tolist()
