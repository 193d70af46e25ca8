"""A lattice of words, for restoring only: it tells which gaps of a text want a character."""

from __future__ import annotations

import lzma
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .dictionary import lexicon, resource, words
from .reports import HAN

Ids = NDArray[np.int64]
Floats = NDArray[np.float64]
Gaps = tuple[int, ...]  # places within a word at which it lacks the character
Arc = tuple[int, str, Gaps]  # end and word

BOUNDS = (-15.0, 30.0)  # of log odds
LEXICON_FREQUENCY = 50
LONGEST_WORD = 8
UNSEEN = 1e-6
SCALE = 2000.0  # keeps products over a run within the range of floats
GENRE_SHARE = 0.7  # of the frequencies of single words; the rest is the dictionary's
PAIR_DISCOUNT = 0.75
TRUST = 30.0  # a sister counts as much as the genre after this many sightings of the word before
IS_RUN = re.compile(f"[{HAN}]")
PIECE = re.compile(f"[{HAN}]{{1,60}}|[^{HAN}]")


class Pairs(NamedTuple):
    """Which word follows which: the probability of each word, what a pair adds to it, and the share that is left for it."""

    single: dict[str, float]
    gain: dict[tuple[str, str], float]
    rest: dict[str, float]


class Node(NamedTuple):
    """A word on a stretch of a run: where it begins, the gaps it fills, the paths up to it, and the nodes before it."""

    word: str
    start: int
    gaps: Gaps
    weight: float
    sources: list[tuple[int, float]]


@cache
def word_scores() -> dict[str, float]:
    """Return the relative frequency of every word of the dictionary and the lexicon."""
    frequencies = dict.fromkeys(lexicon(), LEXICON_FREQUENCY) | words()
    total = sum(frequencies.values())
    return {word: frequency / total for word, frequency in frequencies.items()}


def split(text: str) -> list[str]:
    """Return the words of a view, by their likeliest division, and its marks.

    >>> split("推进改革,扩大开放")
    ['推进', '改革', ',', '扩大', '开放']
    """
    pieces = (piece.group() for piece in PIECE.finditer(text))
    return [word for piece in pieces for word in (_divide(piece) if IS_RUN.match(piece) else [piece])]


def _divide(run: str) -> list[str]:
    """Return the likeliest division of a run into words."""
    scores = word_scores()
    best = [(1.0, 0)] + [(0.0, 0)] * len(run)
    for start in range(len(run)):
        for end in range(start + 1, min(start + LONGEST_WORD, len(run)) + 1):
            score = scores.get(run[start:end], UNSEEN if end == start + 1 else 0.0) * SCALE ** (end - start)
            if score:
                best[end] = max(best[end], (best[start][0] * score, start))
    found, end = [], len(run)
    while end:
        found.append(run[best[end][1] : end])
        end = best[end][1]
    return found[::-1]


def make_pairs(size: int, counts: Iterable[tuple[str, int, int, Mapping[str, int]]]) -> Pairs:
    """Return the model of pairs of words, by absolute discounting; what is left goes to single words and the dictionary.

    Parameters
    ----------
    size
        Words counted, with those that were not kept.
    counts
        Of each word kept: how often it was seen, how often before another word, and how often before each word kept.
    """
    single = dict.fromkeys(word_scores(), 0.0)
    gain: dict[tuple[str, str], float] = {}
    rest: dict[str, float] = {}
    for word, seen, total, following in counts:
        single[word] = GENRE_SHARE * (seen - PAIR_DISCOUNT) / size
        gain |= {(word, after): (number - PAIR_DISCOUNT) / total for after, number in following.items()}
        rest[word] = 1 - sum(number - PAIR_DISCOUNT for number in following.values()) / max(total, 1)
    left = 1 - sum(single.values())
    for word, score in word_scores().items():
        single[word] += left * score
    return Pairs(single, gain, rest)


@cache
def genre_pairs() -> Pairs:
    """Return the shipped model of the genre: a line for each word with its counts, then the words seen after it."""
    size, *lines = lzma.decompress(resource("word_pairs.txt.xz")).decode("utf-8").splitlines()
    rows = [line.split("\t") for line in lines]
    names = [row[0] for row in rows]
    following = ({names[int(place)]: int(n) for place, n in zip(row[3::2], row[4::2], strict=True)} for row in rows)
    counts = ((row[0], int(row[1]), int(row[2]), after) for row, after in zip(rows, following, strict=True))
    return make_pairs(int(size), counts)


@lru_cache(maxsize=64)
def _broken_words(character: str) -> dict[str, list[tuple[str, Gaps]]]:
    """Return by the form without it the words of two characters or more that hold a character, and the gaps of the form."""
    found: dict[str, list[tuple[str, Gaps]]] = {}
    for word in genre_pairs().single:
        if character in word and len(word) > 1:
            pieces = word.split(character)
            gaps = tuple(np.cumsum([len(piece) for piece in pieces[:-1]]).tolist())
            found.setdefault("".join(pieces), []).append((word, gaps))
    return found


@lru_cache(maxsize=8)
def _sister_pairs(texts: tuple[str, ...]) -> tuple[Counter[tuple[str, str]], Counter[str]]:
    """Return how often the sisters have each pair of words, and each word."""
    found = [split(text) for text in texts]
    return Counter(pair for one in found for pair in pairwise(one)), Counter(word for one in found for word in one)


@dataclass(frozen=True)
class Lattice:
    """All divisions of a run into words, with and without a character put in."""

    character: str
    pairs: Pairs
    seen: Mapping[tuple[str, str], int] = field(default_factory=dict)  # pairs in the sisters
    before: Mapping[str, int] = field(default_factory=dict)  # words in the sisters

    def probability(self, word: str, after: str) -> float:
        """Return the probability of a word after another: genre, and the sisters as far as they have the first one."""
        rest = self.pairs.rest.get(word, 1.0) * self.pairs.single.get(after, UNSEEN)
        score = self.pairs.gain.get((word, after), 0.0) + rest
        number = self.before.get(word, 0)
        return (self.seen.get((word, after), 0) + TRUST * score) / (number + TRUST) if number else score

    def odds(self, arcs: Sequence[Sequence[Arc]], wanted: Sequence[bool], before: str, after: str) -> Floats:
        """Return the log odds of an insertion at each gap of a run: sums over all paths, forward and backward.

        A gap takes one insertion: at the end of a word, at the beginning of the next, or as a word between them. `arcs` are
        those of :func:`find_arcs`, and nothing is put into a gap that is not wanted.
        """
        nodes = [Node(before, 0, (), 1.0, [])]
        arriving: list[list[tuple[int, bool]]] = [[(0, False)], *([] for _ in arcs[1:])]  # node, and whether it fills the gap
        for place, here in enumerate(arriving):
            bare = [node for node, filled in here if not filled]
            if wanted[place]:
                here.append((self._add(nodes, self.character, place, (0,), bare, 1), True))
            every = [node for node, _ in here]
            for end, word, gaps in arcs[place]:
                number = self._add(nodes, word, place, gaps, bare if 0 in gaps else every, len(word))
                arriving[end].append((number, end - place in gaps))
        onward = [0.0] * len(nodes)
        for number, _ in arriving[-1]:
            onward[number] = self.probability(nodes[number].word, after)
        total = sum(nodes[number].weight * onward[number] for number, _ in arriving[-1])
        filled = [0.0] * len(arriving)
        for number in range(len(nodes) - 1, -1, -1):
            node = nodes[number]
            for source, score in node.sources:
                onward[source] += score * onward[number]
            for gap in node.gaps:
                filled[node.start + gap] += node.weight * onward[number]
        mass = np.array(filled)
        answer: Floats = np.log(np.maximum(mass, total * 1e-12)) - np.log(np.maximum(total - mass, total * 1e-13))
        return answer

    def _add(self, nodes: list[Node], word: str, start: int, gaps: Gaps, sources: list[int], size: int) -> int:
        """Add a word after those that end where it begins, and return its number."""
        scale, alone, gain, rest = SCALE**size, self.pairs.single.get(word, UNSEEN), self.pairs.gain, self.pairs.rest
        scored, weight = [], 0.0
        for source in sources:
            first = nodes[source].word
            if first in self.before:
                score = self.probability(first, word) * scale
            else:
                score = (gain.get((first, word), 0.0) + rest.get(first, 1.0) * alone) * scale
            scored.append((source, score))
            weight += nodes[source].weight * score
        nodes.append(Node(word, start, gaps, weight, scored))
        return len(nodes) - 1


def find_arcs(run: str, wanted: Sequence[bool], character: str) -> list[list[Arc]]:
    """Return for each gap of a run the words that may begin there: their end, and at which wanted gaps they lack a character."""
    broken, single = _broken_words(character), genre_pairs().single
    found: list[list[Arc]] = [[] for _ in range(len(run) + 1)]
    for start, here in enumerate(found):
        for end in range(start + 1, min(start + LONGEST_WORD, len(run)) + 1):
            form = run[start:end]
            if end == start + 1 or form in single:
                here.append((end, form, ()))
            if form in broken:
                here += [(end, word, gaps) for word, gaps in broken[form] if all(wanted[start + gap] for gap in gaps)]
    return found


@lru_cache(maxsize=8)
def _runs(text: str) -> tuple[Ids, Ids]:
    """Return where the runs of Chinese characters begin and end."""
    spans = [piece.span() for piece in PIECE.finditer(text) if IS_RUN.match(piece.group())]
    starts, ends = np.array(spans, dtype=np.int64).reshape(-1, 2).T
    return starts, ends


def lattice_odds(text: str, character: str, gaps: Ids, *, sisters: Sequence[str] = ()) -> list[Floats]:
    """Return the log odds of an insertion at each gap, summed over all divisions of the text into words.

    How likely a division is depends on each word and the one before it. A word that holds the character is also looked
    for in the form that it takes without it. With sisters there is a second row, in which their words count too.

    >>> lattice_odds("习近平新时代国特色", "中", np.array([3, 6]))[0][1].round() > 5
    np.True_
    """
    lattices = [Lattice(character, genre_pairs())]
    if sisters:
        lattices.append(Lattice(character, genre_pairs(), *_sister_pairs(tuple(sisters))))
    wanted, odds = np.zeros(len(text) + 1, dtype=bool), np.full((len(lattices), len(text) + 1), BOUNDS[0])
    wanted[gaps] = True
    number = np.append(0, np.cumsum(wanted))  # of wanted gaps before each
    starts, ends = _runs(text)
    for run in np.flatnonzero(number[ends + 1] > number[starts]).tolist():
        start, end = int(starts[run]), int(ends[run])
        here = wanted[start : end + 1].tolist()
        arcs = find_arcs(text[start:end], here, character)
        for row, lattice in zip(odds, lattices, strict=True):
            found = lattice.odds(arcs, here, text[start - 1 : start], text[end : end + 1])
            row[start : end + 1] = np.maximum(row[start : end + 1], found)
    return list(np.clip(odds[:, gaps], *BOUNDS))
