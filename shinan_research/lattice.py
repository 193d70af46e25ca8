"""A lattice of dictionary words, for restoring only: it tells which gaps of a text want a character."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache

import numpy as np
from numpy.typing import NDArray

from .dictionary import lexicon, words
from .reports import HAN

Ids = NDArray[np.int64]
Floats = NDArray[np.float64]
Arc = tuple[int, int, float, tuple[int, ...]]  # start, end, weight, gaps within the word
Broken = dict[str, list[tuple[float, tuple[int, ...]]]]

BOUNDS = (-15.0, 30.0)  # of log odds
LEXICON_FREQUENCY = 50
LONGEST_WORD = 8
UNSEEN = 1e-6
SCALE = 2000.0  # keeps products over a run within the range of floats
SISTER_SHARE = 0.3  # of the word frequencies, where there is a sister
RUN = re.compile(f"[{HAN}]{{1,60}}")


@cache
def word_scores() -> dict[str, float]:
    """Return the relative frequency of every word of the dictionary and the lexicon."""
    frequencies = dict.fromkeys(lexicon(), LEXICON_FREQUENCY) | words()
    total = sum(frequencies.values())
    return {word: frequency / total for word, frequency in frequencies.items()}


@lru_cache(maxsize=8)
def _sister_scores(texts: tuple[str, ...]) -> dict[str, float]:
    """Return the relative frequency of every word of the sisters, by their likeliest division into words."""
    counts = Counter(word for text in texts for run in RUN.finditer(text) for word in _divide(run.group()))
    return {word: count / counts.total() for word, count in counts.items()}


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
    return found


@lru_cache(maxsize=64)
def _broken_words(character: str) -> list[tuple[str, str, tuple[int, ...]]]:
    """Return every word that holds a character, its form without it, and the gaps of the form."""
    found = []
    for word in word_scores():
        if character in word:
            pieces = word.split(character)
            gaps = np.cumsum([len(piece) for piece in pieces[:-1]]).tolist()
            found.append((word, "".join(pieces), tuple(gaps)))
    return found


def lattice_odds(text: str, character: str, gaps: Ids, *, sisters: Sequence[str] = ()) -> Floats:
    """Return the log odds of an insertion at each gap, summed over all divisions of the text into words.

    A word that holds the character is also looked for in the form that it takes without it.

    >>> lattice_odds("习近平新时代国特色", "中", np.array([3, 6]))[1].round() > 5
    np.True_
    """
    seen = _sister_scores(tuple(sisters)) if sisters else {}
    share = SISTER_SHARE if sisters else 0.0
    broken: Broken = {}
    for word, form, places in _broken_words(character):
        score = (1 - share) * word_scores()[word] + share * seen.get(word, 0.0)
        broken.setdefault(form, []).append((score, places))
    wanted, odds = np.zeros(len(text) + 1, dtype=bool), np.full(len(text) + 1, BOUNDS[0])
    wanted[gaps] = True
    for run in RUN.finditer(text):
        here = slice(run.start(), run.end() + 1)
        if wanted[here].any():
            odds[here] = np.maximum(odds[here], _run_odds(_arcs(run.group(), broken, seen, share), len(run.group()), broken))
    return odds[gaps]


def _arcs(run: str, broken: Broken, seen: Mapping[str, float], share: float) -> list[Arc]:
    """Return the words that may cover a run: start, end, weight, and where they lack the character."""
    scores = word_scores()
    arcs: list[Arc] = []
    for start in range(len(run)):
        for end in range(start + 1, min(start + LONGEST_WORD, len(run)) + 1):
            form, size = run[start:end], end - start
            score = (1 - share) * scores.get(form, UNSEEN if size == 1 else 0.0) + share * seen.get(form, 0.0)
            if score:
                arcs.append((start, end, score * SCALE**size, ()))
            arcs += [(start, end, value * SCALE ** (size + len(places)), places) for value, places in broken.get(form, ())]
    return arcs


def _run_odds(arcs: list[Arc], last: int, broken: Broken) -> Floats:
    """Return the log odds of an insertion at each gap of a run: sums over all paths, forward and backward.

    A gap takes one insertion: at the end of a word, at the beginning of the next, or as a word between them.
    """
    alone = sum(score for score, _ in broken.get("", ())) * SCALE
    bare, filled = [1.0] + [0.0] * last, [0.0] * (last + 1)  # paths to a gap without, and with, an insertion there
    for start, end, weight, places in arcs:
        path = _arriving(bare[start], filled[start], alone, places) * weight
        (filled if end - start in places else bare)[end] += path
    onward, opening, missing = [0.0] * last + [1.0], [0.0] * (last + 1), [0.0] * (last + 1)
    for start, end, weight, places in reversed(arcs):
        rest = onward[end] if end - start in places else onward[end] * (1 + alone) + opening[end]
        (opening if 0 in places else onward)[start] += weight * rest
        path = _arriving(bare[start], filled[start], alone, places) * weight * rest
        for gap in range(start + 1, end):
            missing[gap] += path * (gap - start not in places)
    without = np.array(missing) + np.array(bare) * np.array(onward)
    total = onward[0] * (1 + alone) + opening[0]
    odds: Floats = np.log(np.maximum(total - without, total * 1e-12)) - np.log(np.maximum(without, total * 1e-15))
    return odds


def _arriving(bare: float, filled: float, alone: float, places: tuple[int, ...]) -> float:
    """Return the weight of the paths that a word may continue: one that begins with an insertion needs a bare gap."""
    return bare if 0 in places else bare * (1 + alone) + filled
