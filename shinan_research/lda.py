"""Latent Dirichlet allocation by collapsed variational Bayes, many seeds at once, in numpy and scipy alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

Array = NDArray[np.float64]
Single = NDArray[np.float32]

ALPHA = 0.1
ETA = 0.05
ITERATIONS = 100
WARM = 70
COOLEST = np.float32(0.6)
BATCH = 10
CELLS = 8_000


class Runs(NamedTuple):
    """Fitted models, one per seed.

    `words` (seeds × topics × terms) are probabilities of terms, `shares` (seeds × units × topics) the units' shares of
    topics, `variance` (seeds × units × topics) the posterior variance of the number of tokens that a unit gives to a topic.
    """

    words: Single
    shares: Single
    variance: Single


class _Chunk(NamedTuple):
    """A stretch of units: where its cells stand, their unit and term, and the sums over both as sparse matrices."""

    cells: slice
    units: slice
    row: NDArray[np.intp]
    term: NDArray[np.intp]
    by_unit: sparse.csr_array
    by_term: sparse.csr_array


def fit_runs(
    x: sparse.csr_array, topics: int, *, seeds: int = 50, seed: int = 0, iterations: int = ITERATIONS, batch: int = BATCH
) -> Runs:
    """Fit one model for each of several seeds by CVB0.

    Each cell of the counts has a share of each topic, which is updated to (terms − own + η)(units − own + α) / (topics −
    own + Vη), raised to a power and made to sum to one; α = 0.1, η = 0.05. The power rises from 0.6 to 1 over the first 70
    rounds (annealing): runs then end in better and more similar solutions. A run depends on its own number alone, not on
    the runs beside it.

    Parameters
    ----------
    x
        Counts, units × terms.
    topics
        Number of topics.
    seeds, seed
        How many runs, and the seed that they are drawn from.
    iterations
        Rounds, the same for every run.
    batch
        Runs fitted side by side; it changes the time, and the result by rounding at most.

    Returns
    -------
    Runs
        Of numpy arrays in single precision.

    Notes
    -----
    Asuncion, Welling, Smyth and Teh (2009), On smoothing and inference for topic models, UAI. Annealing: Ueda and Nakano
    (1998), Deterministic annealing EM algorithm, Neural Networks 11.
    """
    chunks = list(_chunks(x, CELLS))
    parts = [
        _fit_batch(x, chunks, topics, range(first, min(first + batch, seeds)), seed, iterations)
        for first in range(0, seeds, batch)
    ]
    return Runs(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))


def fold_in(x: sparse.csr_array, words: Array, *, iterations: int = 50) -> Array:
    """Return the shares (units × topics) of units that were not fitted, given the topics' words (topics × terms)."""
    shares = np.full((x.shape[0], len(words)), 1 / len(words))
    own = x.astype(np.float64)
    row = np.repeat(np.arange(x.shape[0]), np.diff(own.indptr))
    likely = words[:, own.indices].T
    size = np.asarray(own.sum(axis=1)).ravel()
    total = sparse.csr_array((own.data, np.arange(own.nnz), own.indptr), shape=(x.shape[0], own.nnz))
    for _ in range(iterations):
        weight = likely * shares[row]
        weight /= np.maximum(weight.sum(axis=1, keepdims=True), np.finfo(float).tiny)
        shares = (total @ weight + ALPHA) / (size[:, None] + len(words) * ALPHA)
    return np.asarray(shares)


def _chunks(x: sparse.csr_array, cells: int) -> Iterator[_Chunk]:
    """Yield stretches of whole units with about so many cells each, small enough for the processor's cache."""
    first = 0
    while first < x.shape[0]:
        last = max(first + 1, int(np.searchsorted(x.indptr, x.indptr[first] + cells, side="right")) - 1)
        start, end = int(x.indptr[first]), int(x.indptr[last])
        term, data = x.indices[start:end].astype(np.intp), x.data[start:end].astype(np.float32)
        row = np.repeat(np.arange(last - first), np.diff(x.indptr[first : last + 1]))
        order = np.arange(end - start)
        by_unit = sparse.csr_array((data, (row, order)), shape=(last - first, end - start))
        by_term = sparse.csr_array((data, (term, order)), shape=(x.shape[1], end - start))
        yield _Chunk(slice(start, end), slice(first, last), row, term, by_unit, by_term)
        first = last


def _fit_batch(
    x: sparse.csr_array, chunks: list[_Chunk], topics: int, numbers: range, seed: int, iterations: int
) -> tuple[Single, Single, Single]:
    """Return words, shares and variance of the runs with these numbers, fitted side by side."""
    own = np.stack([_start(x.nnz, topics, seed, number) for number in numbers], axis=2)
    shape = (topics, x.shape[1], len(numbers))
    terms = np.zeros(shape, dtype=np.float32)
    for chunk in chunks:
        _add(terms, chunk.by_term, own[:, chunk.cells])
    for round_ in range(iterations):
        power = min(np.float32(1), COOLEST + (1 - COOLEST) * np.float32(round_ / WARM))
        new = np.zeros(shape, dtype=np.float32)
        smooth, total = terms + np.float32(ETA), terms.sum(axis=1, dtype=np.float64).astype(np.float32)
        total += np.float32(x.shape[1] * ETA)
        for chunk in chunks:
            _update(own[:, chunk.cells], chunk, smooth, total, power)
            _add(new, chunk.by_term, own[:, chunk.cells])
        terms = new
    units, variance = np.zeros((2, topics, x.shape[0], len(numbers)), dtype=np.float32)
    for chunk in chunks:
        mine = own[:, chunk.cells]
        _add(units[:, chunk.units], chunk.by_unit, mine)
        _add(variance[:, chunk.units], chunk.by_unit, mine * (1 - mine))
    words = (terms + ETA) / (terms + ETA).sum(axis=1, keepdims=True)
    shares = (units + ALPHA) / (units + ALPHA).sum(axis=0, keepdims=True)
    return words.transpose(2, 0, 1), shares.transpose(2, 1, 0), variance.transpose(2, 1, 0)


def _start(cells: int, topics: int, seed: int, number: int) -> Single:
    """Return the random shares that a run begins with, topics × cells."""
    draws = np.random.default_rng([seed, number]).standard_exponential((topics, cells), dtype=np.float32)
    return np.asarray(draws / draws.sum(axis=0))


def _add(target: Single, sums: sparse.csr_array, own: Single) -> None:
    """Add the sums of the cells to a table, topic by topic."""
    for topic in range(len(own)):
        target[topic] += sums @ own[topic]


def _update(own: Single, chunk: _Chunk, smooth: Single, total: Single, power: np.float32) -> None:
    """Set the shares of each cell of a chunk anew."""
    norm = np.zeros(own.shape[1:], dtype=np.float32)
    for topic in range(len(own)):
        mine = own[topic]
        weight = smooth[topic].take(chunk.term, axis=0)
        weight -= mine
        unit = (chunk.by_unit @ mine + np.float32(ALPHA)).take(chunk.row, axis=0)
        unit -= mine
        weight *= unit
        weight /= total[topic] - mine
        if power < 1:
            np.power(weight, power, out=weight)
        norm += weight
        own[topic] = weight
    own /= norm
