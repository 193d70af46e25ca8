"""Make one topic model out of many runs, and say how well the runs agree.

Two topics are compared by the cosine of what each adds to the average text (its probabilities minus those of all text). The
cosine of the probabilities themselves is high for any two topics, because all topics share the frequent words: of shuffled
text, that has no topics, runs agree to 0.5–0.7 by the plain cosine, and to 0.2–0.25 by this one.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

Array = NDArray[np.float64]

ALIKE = 0.7
ROUNDS = 20
DIGITS = 6


class Consensus(NamedTuple):
    """The average of aligned runs.

    `words` (topics × terms) and `shares` (units × topics) are rounded to six decimals and sum to one up to that;
    `order` (runs × topics) says which topic of a run is which, `cosine` (runs × topics) how alike it is to the average.
    """

    words: Array
    shares: Array
    order: NDArray[np.int64]
    cosine: Array

    @property
    def support(self) -> Array:
        """The share of runs that have each topic: cosine of at least 0.7."""
        return np.asarray((self.cosine >= ALIKE).mean(axis=0))


def consensus(words: NDArray[np.floating], shares: NDArray[np.floating], average: Array) -> Consensus:
    """Average many runs, topic by topic.

    The start is the medoid, the run that is most like all others; then topics are assigned to the average one to one
    (Hungarian method, by cosine) and averaged anew, until no assignment changes.

    Parameters
    ----------
    words
        Runs × topics × terms.
    shares
        Runs × units × topics.
    average
        Probabilities of the terms in all the text.

    Notes
    -----
    Kuhn (1955), The Hungarian method for the assignment problem, Naval Research Logistics Quarterly 2.
    """
    runs = np.asarray(words, dtype=np.float64)
    unit = _unit(runs - average)
    centre = unit[_medoid(unit)]
    order = np.full(runs.shape[:2], -1, dtype=np.int64)
    for _ in range(ROUNDS):
        new = np.array([_assign(centre, run) for run in unit])
        if (new == order).all():
            break
        order = new
        centre = _unit(_aligned(runs, order).mean(axis=0) - average)
    cosine = np.einsum("kv,skv->sk", centre, _aligned(unit, order))
    mine = _aligned(np.asarray(shares, dtype=np.float64).transpose(0, 2, 1), order).mean(axis=0).T
    return Consensus(_aligned(runs, order).mean(axis=0).round(DIGITS), mine.round(DIGITS), order, cosine.round(DIGITS))


def agreement(one: Array, two: Array, average: Array) -> Array:
    """Return how alike each topic of one model (topics × terms) and its partner in another are."""
    a, b = _unit(one - average), _unit(two - average)
    return np.asarray(np.einsum("kv,kv->k", a, b[_assign(a, b)]).round(DIGITS))


def pair_agreement(words: NDArray[np.floating], average: Array) -> float:
    """Return how alike matched topics are on average over all pairs of runs (runs × topics × terms)."""
    unit = _unit(np.asarray(words, dtype=np.float64) - average)
    return float(_likeness(unit)[np.triu_indices(len(unit), 1)].mean().round(DIGITS))


def halves(words: NDArray[np.floating], shares: NDArray[np.floating], average: Array) -> Array:
    """Return how alike the two models are that the even and the odd runs give, topic by topic."""
    one, two = (consensus(words[first::2], shares[first::2], average).words for first in (0, 1))
    return agreement(one, two, average)


def _unit(words: Array) -> Array:
    """Return rows of length one."""
    return np.asarray(words / np.maximum(np.sqrt((words**2).sum(axis=-1, keepdims=True)), np.finfo(float).tiny))


def _aligned(runs: Array, order: NDArray[np.int64]) -> Array:
    """Return the runs with their topics in the common order."""
    return np.asarray(np.take_along_axis(runs, order[:, :, None], axis=1))


def _assign(centre: Array, run: Array) -> NDArray[np.int64]:
    """Return which topic of a run belongs to each topic of the centre; cosines are rounded, so that ties fall alike."""
    return np.asarray(linear_sum_assignment((centre @ run.T).round(DIGITS), maximize=True)[1])


def _likeness(unit: Array) -> Array:
    """Return the mean cosine of matched topics for all pairs of runs."""
    flat = unit.reshape(-1, unit.shape[2])
    runs, topics = unit.shape[:2]
    cosine = (flat @ flat.T).round(DIGITS).reshape(runs, topics, runs, topics).transpose(0, 2, 1, 3)
    table = np.eye(runs)
    for one in range(runs):
        for two in range(one + 1, runs):
            rows, columns = linear_sum_assignment(cosine[one, two], maximize=True)
            table[one, two] = table[two, one] = cosine[one, two][rows, columns].mean()
    return table


def _medoid(unit: Array) -> int:
    """Return the number of the run that is most like all others; of equals the first."""
    return int(np.argmax(_likeness(unit).mean(axis=0).round(DIGITS)))
