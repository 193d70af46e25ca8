"""Do the words of a topic belong together outside these texts? Counts of words that share a window in other reports."""

from __future__ import annotations

import json
import lzma
from collections.abc import Iterable, Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from .dictionary import resource
from .errors import ShinanError

RESOURCE = "cooccurrence.xz"
TOP = 10
LEAST_KNOWN = 4
SMOOTHING = 0.5


class Cooccurrence(NamedTuple):
    """In how many of `windows` windows two words stand together; `rows` maps a word to its row, the diagonal counts the word."""

    rows: dict[str, int]
    pairs: NDArray[np.int64]
    windows: int
    reports: int


def count_together(windows: Iterable[Sequence[str]], words: Sequence[str], *, reports: int) -> Cooccurrence:
    """Count in how many windows each pair of a closed list of words stands together.

    Parameters
    ----------
    windows
        The words of each window.
    words
        The words to count, in the order of the rows.
    reports
        From how many reports the windows come; it is only said.

    Raises
    ------
    ShinanError
        If there is no window.
    """
    rows = {word: number for number, word in enumerate(words)}
    cells = [(number, rows[word]) for number, window in enumerate(windows) for word in sorted(set(window)) if word in rows]
    if not cells:
        raise ShinanError("count_together was given no window with a word of the list. Give it windows of other reports.")
    unit, column = np.array(cells, dtype=np.int64).T
    seen = sparse.csr_array((np.ones(len(cells), dtype=np.int64), (unit, column)), shape=(int(unit[-1]) + 1, len(rows)))
    return Cooccurrence(rows, np.asarray((seen.T @ seen).toarray()), int(unit[-1]) + 1, reports)


def pack(counts: Cooccurrence) -> bytes:
    """Return the counts as compressed bytes, the same for the same counts: a line of JSON, the words, the upper triangle."""
    upper = counts.pairs[np.triu_indices(len(counts.rows))].astype("<u2")
    head = json.dumps({"windows": counts.windows, "reports": counts.reports})
    planes = (upper & 255).astype(np.uint8).tobytes() + (upper >> 8).astype(np.uint8).tobytes()
    return lzma.compress("\n".join([head, *counts.rows]).encode() + b"\n\n" + planes, preset=9)


def unpack(data: bytes) -> Cooccurrence:
    """Return the counts that :func:`pack` wrote."""
    text, _, numbers = lzma.decompress(data).partition(b"\n\n")
    first, *words = text.decode().split("\n")
    low, high = np.frombuffer(numbers, dtype=np.uint8).reshape(2, -1).astype(np.int64)
    pairs = np.zeros((len(words), len(words)), dtype=np.int64)
    pairs[np.triu_indices(len(words))] = low + 256 * high
    head = json.loads(first)
    return Cooccurrence({word: n for n, word in enumerate(words)}, np.maximum(pairs, pairs.T), head["windows"], head["reports"])


@cache
def shipped() -> Cooccurrence:
    """Return the counts that the package ships: reports of other governments, built by tools/build_cooccurrence.py."""
    return unpack(resource(RESOURCE))


def coherence(words: NDArray[np.float64], terms: Sequence[str], reference: Cooccurrence) -> NDArray[np.float64]:
    """Return how well the ten likeliest words of each topic go together outside these texts.

    It is the mean normalised pointwise mutual information over pairs of words, with 0.5 added to each count of a pair: 0 if
    they meet as often as by chance, 1 if they always do. Words that the reference lacks are passed over; a topic with fewer
    than four words in the reference has no value (nan).

    Parameters
    ----------
    words
        Topics × terms.
    terms
        The vocabulary.
    reference
        Counts from other reports.

    Notes
    -----
    Aletras and Stevenson (2013), Evaluating topic coherence using distributional semantics, IWCS.
    """
    likeliest = [[terms[number] for number in np.argsort(-row, kind="stable")[:TOP]] for row in words]
    return np.array([_topic(chosen, reference) for chosen in likeliest])


def _topic(chosen: list[str], reference: Cooccurrence) -> float:
    """Return the mean over the pairs of one topic's words."""
    rows = np.array([reference.rows[word] for word in chosen if word in reference.rows], dtype=np.int64)
    if len(rows) < LEAST_KNOWN:
        return float("nan")
    one, two = rows[np.triu_indices(len(rows), 1)[0]], rows[np.triu_indices(len(rows), 1)[1]]
    single = np.diag(reference.pairs).astype(float)
    share = (reference.pairs[one, two] + SMOOTHING) / reference.windows
    value = np.log(share * reference.windows**2 / (single[one] * single[two])) / -np.log(share)
    return float(value.mean().round(6))
