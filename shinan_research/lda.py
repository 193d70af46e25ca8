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
STEPS, COOLEST = 32, 0.6  # the power rises from there to 1 in thirty-seconds
BATCH = 50
MEMORY = 40_000_000  # numbers: what the runs that are fitted side by side may hold together
ROOM = 120_000  # numbers: what is updated at once, so that it stays in the processor's cache


class Runs(NamedTuple):
    """Fitted models, one per seed.

    `words` (seeds × topics × terms) are probabilities of terms, `shares` (seeds × units × topics) the units' shares of
    topics, `variance` (seeds × units × topics) the posterior variance of the number of tokens that a unit gives to a topic.
    """

    words: Single
    shares: Single
    variance: Single


class _Block(NamedTuple):
    """A stretch of whole units: its cells, the unit (in the stretch) and the term of each, and the sums over units."""

    cells: slice
    unit: NDArray[np.intp]
    term: NDArray[np.intp]
    by_unit: sparse.csr_array


def fit_runs(
    x: sparse.csr_array, topics: int, *, seeds: int = 50, seed: int = 0, iterations: int = ITERATIONS, batch: int = BATCH
) -> Runs:
    """Fit one model for each of several seeds by CVB0.

    Each cell of the counts has a share of each topic, which is updated to (terms − own + η)(units − own + α) / (topics −
    own + Vη), raised to a power and made to sum to one; α = 0.1, η = 0.05. The power rises from 0.6 to 1 over the first 70
    rounds (annealing): runs then end in better and more similar solutions. It rises in steps of 1/32, so that it can be taken
    by square roots, which every processor rounds alike. A run depends on its own number alone, not on the runs beside it.

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
        Runs fitted side by side, fewer where memory asks for it; it changes the time, and the result by rounding at most.

    Returns
    -------
    Runs
        Of numpy arrays in single precision.

    Notes
    -----
    Asuncion, Welling, Smyth and Teh (2009), On smoothing and inference for topic models, UAI. Annealing: Ueda and Nakano
    (1998), Deterministic annealing EM algorithm, Neural Networks 11.
    """
    batch = min(batch, max(1, MEMORY // (x.nnz * topics)))
    parts = [_fit_batch(x, topics, range(first, min(first + batch, seeds)), seed, iterations) for first in range(0, seeds, batch)]
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


def _blocks(x: sparse.csr_array, cells: int) -> Iterator[_Block]:
    """Yield stretches of whole units with about so many cells each."""
    first = 0
    while first < x.shape[0]:
        last = max(first + 1, int(np.searchsorted(x.indptr, x.indptr[first] + cells, side="right")) - 1)
        start, end = int(x.indptr[first]), int(x.indptr[last])
        unit = np.repeat(np.arange(last - first), np.diff(x.indptr[first : last + 1]))
        data, shape = x.data[start:end].astype(np.float32), (last - first, end - start)
        sums = sparse.csr_array((data, (unit, np.arange(end - start))), shape=shape)
        yield _Block(slice(start, end), unit, x.indices[start:end].astype(np.intp), sums)
        first = last


def _fit_batch(x: sparse.csr_array, topics: int, numbers: range, seed: int, iterations: int) -> tuple[Single, Single, Single]:
    """Return words, shares and variance of the runs with these numbers, fitted side by side.

    A row of `own` is a cell; topics and, within them, runs stand side by side in it, so that all are moved at once.
    """
    shape = (topics, len(numbers))
    own = np.stack([_start(x.nnz, topics, seed, number) for number in numbers], axis=2).transpose(1, 0, 2).reshape(x.nnz, -1)
    blocks = list(_blocks(x, max(1, ROOM // own.shape[1])))
    rooms = np.empty((2, max(len(block.unit) for block in blocks), own.shape[1]), dtype=np.float32)
    by_term = sparse.csc_array((x.data.astype(np.float32), x.indices, np.arange(x.nnz + 1)), shape=(x.shape[1], x.nnz))
    for round_ in range(iterations):
        terms = by_term @ own
        power = min(STEPS, round(STEPS * (COOLEST + (1 - COOLEST) * round_ / WARM)))
        total = terms.sum(axis=0, dtype=np.float64).astype(np.float32) + np.float32(x.shape[1] * ETA)
        terms += np.float32(ETA)
        for block in blocks:
            _update(own[block.cells], block, terms, total, power, rooms, shape)
    words = (by_term @ own + np.float32(ETA)).reshape(-1, *shape)
    shares = (_by_unit(own, blocks) + np.float32(ALPHA)).reshape(-1, *shape)
    own *= 1 - own
    variance = _by_unit(own, blocks).reshape(-1, *shape)
    words, shares = words / words.sum(axis=0), shares / shares.sum(axis=1, keepdims=True)
    return words.transpose(2, 1, 0), shares.transpose(2, 0, 1), variance.transpose(2, 0, 1)


def _by_unit(own: Single, blocks: list[_Block]) -> Single:
    """Return the sums over the cells of each unit."""
    return np.concatenate([block.by_unit @ own[block.cells] for block in blocks])


def _start(cells: int, topics: int, seed: int, number: int) -> Single:
    """Return the random shares that a run begins with, topics × cells."""
    draws = np.random.default_rng([seed, number]).standard_exponential((topics, cells), dtype=np.float32)
    return np.asarray(draws / draws.sum(axis=0))


def _update(own: Single, block: _Block, terms: Single, total: Single, power: int, rooms: Single, shape: tuple[int, int]) -> None:
    """Set the shares of each cell of a block anew; `terms` are smoothed, `rooms` is scratch, `shape` topics × runs."""
    weight, other = rooms[:, : len(own)]
    np.take(terms, block.term, axis=0, out=weight, mode="clip")
    weight -= own
    np.take(block.by_unit @ own + np.float32(ALPHA), block.unit, axis=0, out=other, mode="clip")
    other -= own
    weight *= other
    np.subtract(total, own, out=other)
    weight /= other
    _raise(weight, power, other)
    by_topic = weight.reshape(len(own), *shape)
    norm = by_topic[:, :1].copy()
    for topic in range(1, shape[0]):  # much faster than a sum over the axis in the middle
        norm += by_topic[:, topic : topic + 1]
    np.divide(by_topic, norm, out=own.reshape(by_topic.shape))


def _raise(weight: Single, power: int, root: Single) -> None:
    """Raise numbers to a power from 16 to 32 thirty-seconds, in place; `root` is scratch."""
    if power == STEPS:
        return
    np.sqrt(weight, out=weight)
    rest, part, last = power - STEPS // 2, STEPS // 4, weight
    while rest:
        np.sqrt(last, out=root)
        if rest >= part:
            weight *= root
            rest -= part
        part, last = part // 2, root
