"""Cut sentences into tokens: words, terms, numbers, dates, units, Latin and punctuation, tiling the text."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property, lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from . import dictionary
from .characters import Ids, Marks, classes, code_points
from .errors import ShinanError
from .reports import HAN, is_han
from .trie import Arcs, Trie, divide, find_words, plant, spread

if TYPE_CHECKING:
    import pandas as pd

SEPARATOR = "\n"
KINDS = ("word", "term", "number", "date", "unit", "latin", "punct")
WORD, TERM, NUMBER, DATE, UNIT, LATIN, PUNCT = range(len(KINDS))
CLAUSE_NUMERAL = r"\d+(?:,\d{3})*(?:\.\d+)?"
ATOM = re.compile(
    r"(?P<date>(?:19|20)\d\d年(?!间)|(?<!\d)1?\d月(?=\d{1,2}日|[^\d份]|$)|(?<=月)[1-3]?\d日)"
    rf"|(?P<number>第?{CLAUSE_NUMERAL}(?:[%％‰]|[余多]?[十百千万亿]*[余多]?))(?P<unit>UNITS)?"
    r"|(?P<latin>[A-Za-zＡ-Ｚａ-ｚ][A-Za-zＡ-Ｚａ-ｚ0-9.+\-&]*)"
)
GROUPS = (WORD, DATE, NUMBER, UNIT, LATIN)  # kinds of the groups of that expression, which are numbered from 1
CLASSES = (f"A-Za-zＡ-Ｚａ-ｚ0-9{HAN}", HAN, r"\d第A-Za-zＡ-Ｚａ-ｚ", "A-Za-z0-9")
WORDLIKE, IS_HAN, BEGINS, ASCII = (1 << bit for bit in range(len(CLASSES)))  # bits of these; BEGINS says that an atom may begin
ALWAYS, INSIDE = 1, 2  # a term that always wins; one that does where its edges are those of tokens
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
            dictionary.fingerprint(),
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
        start, end, kind, _ = self._cut(text, codes, classes(*CLASSES)[codes])
        real = np.flatnonzero(codes[start] != ord(SEPARATOR))
        return start[real], end[real], kind[real]

    def _cut(self, text: str, codes: Ids, marks: Marks) -> tuple[Ids, Ids, NDArray[np.int8], Ids]:
        """Return what :meth:`cut` does, separators included, and for each place a node of the tree whose word stands there."""
        tree = _tree(self.lexicon)
        words, terms = find_words(tree, codes)
        edge, node = divide(tree, codes, words) if self.cutter is None else (self._edges(text), np.zeros_like(codes))
        if self.cutter is None:
            _merge(edge, marks)
        kind = np.zeros(len(text) + 1, dtype=np.int8)
        self._overlay(text, np.flatnonzero(marks & BEGINS), terms._replace(node=tree.mark[terms.node]), edge, kind)
        lone = np.flatnonzero((marks & WORDLIKE == 0) & (kind[:-1] == 0))
        kind[lone] = PUNCT
        edge[lone] = edge[lone + 1] = True
        start = np.flatnonzero(edge[:-1])
        return start, np.append(start[1:], len(text))[: len(start)], kind[start], node

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
        _set(edge, kind, _leftmost(terms, ALWAYS), TERM)
        atoms = self._atoms(text, begins.tolist())
        atoms = atoms[_free(kind, atoms[:, :2])]
        _set(edge, kind, atoms[:, 2:4], atoms[:, 4])
        short = _leftmost(terms, INSIDE)
        _set(edge, kind, short[edge[short].all(axis=1) & _free(kind, short)], TERM)

    def _atoms(self, text: str, begins: list[int]) -> Ids:
        """Return the tokens of numbers, dates and Latin words, looking only where one can begin.

        A row has start and end of what was found, then start, end and kind of a token of it: a number may have a unit behind it.
        """
        found: list[int] = []
        match, end = self._atom.match, 0
        for place in begins:
            if place >= end and (atom := match(text, place)):
                end, kind = atom.end(), GROUPS[atom.lastindex or 0]
                if kind == UNIT:
                    split = atom.start("unit")
                    found += (place, end, place, split, NUMBER, place, end, split, end, UNIT)
                else:
                    found += (place, end, place, end, kind)
        return np.array(found, dtype=np.int64).reshape(-1, 5)


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


def _merge(edge: NDArray[np.bool_], marks: Marks) -> None:
    """Take away the edges between letters and digits that stand alone: they are one token."""
    alone = (marks & ASCII > 0) & edge[:-1] & edge[1:]
    edge[1:-1] &= ~(alone[:-1] & alone[1:])


def _free(kind: NDArray[np.int8], spans: Ids) -> NDArray[np.bool_]:
    """Return for each span whether no character in it belongs to a token of higher rank."""
    return np.maximum.reduceat(kind, spans.ravel())[::2] == 0 if len(spans) else np.zeros(0, dtype=bool)


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


def _set(edge: NDArray[np.bool_], kind: NDArray[np.int8], spans: Ids, name: int | Ids) -> None:
    """Make one token of each span of characters; the spans do not overlap."""
    starts, ends = spans.T
    inside = spread(starts, ends - starts)
    edge[inside] = False
    edge[starts] = edge[ends] = True
    kind[inside] = np.repeat(np.broadcast_to(name, starts.shape), ends - starts)


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
    import pandas as pd

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
    import pandas as pd

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
    lengths = np.fromiter(map(len, texts), dtype=np.int64, count=len(texts)) + 1
    joined = SEPARATOR.join([text.replace(SEPARATOR, " ") for text in texts])
    first, last, kinds = segmenter.cut(joined)
    codes = code_points(surface)
    row = np.repeat(np.arange(len(texts)), lengths)[first]
    shift = (np.asarray(starts, dtype=np.int64) - np.cumsum(lengths) + lengths)[row]
    han = np.concatenate([[0], np.cumsum(classes(*CLASSES)[codes] & IS_HAN > 0)])
    places = np.asarray(inserted, dtype=np.int64)
    restored = np.searchsorted(places, last + shift) > np.searchsorted(places, first + shift)
    term, names = _numbered(surface, codes, first, last)
    return Tokens(row, first + shift, last + shift, kinds, han[last] - han[first], restored, term), names


class Words(NamedTuple):
    """The tokens of kind word and term of a text, by number.

    `start`, `end` and `number` are arrays of one length. Numbers are those of the dictionary
    (:func:`~shinan_research.dictionary.numbers`); those of `rest` are not known by their nodes and stand, as strings, in
    `others`. `bare` are the places of the characters that are not Han.
    """

    start: Ids
    end: Ids
    number: NDArray[np.int32]
    rest: Ids
    others: list[str]
    bare: Ids


def cut_words(text: str, segmenter: Segmenter) -> Words:
    """Find the words and terms of a text; nearly all are known by their nodes, so that no string is made of them."""
    tree, codes = _tree(segmenter.lexicon), code_points(text)
    marks = classes(*CLASSES)[codes]
    start, end, kind, node = segmenter._cut(text, codes, marks)
    chosen = np.flatnonzero(kind <= TERM)
    start, end = start[chosen], end[chosen]
    node = node[start]
    number = tree.name[node]
    rest = np.flatnonzero((tree.length[node] != end - start) | (number < 0))
    others = [text[a:b] for a, b in zip(start[rest].tolist(), end[rest].tolist(), strict=True)]
    return Words(start, end, number, rest, others, np.flatnonzero(marks & IS_HAN == 0))


def _numbered(text: str, codes: Ids, starts: Ids, ends: Ids) -> tuple[Ids, NDArray[np.object_]]:
    """Return the number of each token's term, and the terms."""
    import pandas as pd

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
