"""Consensus: alignment undoes any permutation of topics, support counts the runs, halves are disjoint."""

import itertools

import numpy as np

from shinan_research.consensus import agreement, consensus, halves, pair_agreement

RNG = np.random.default_rng(0)
WORDS = RNG.dirichlet(np.full(40, 0.1), size=4)
SHARES = RNG.dirichlet(np.full(4, 0.2), size=30)
AVERAGE = WORDS.mean(axis=0)


def permuted(runs: int, noise: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the model with its topics in another order in every run, and some noise."""
    rng = np.random.default_rng(1)
    orders = [rng.permutation(4) for _ in range(runs)]
    words = np.stack([WORDS[order] * rng.uniform(1 - noise, 1 + noise, WORDS.shape) for order in orders])
    return words / words.sum(axis=2, keepdims=True), np.stack([SHARES[:, order] for order in orders])


def test_permuted_runs_are_put_in_order() -> None:
    """Runs that differ by the order of their topics give that model, with full support."""
    model = consensus(*permuted(9, 0.0), AVERAGE)
    best = max(
        (WORDS[list(order)] for order in itertools.permutations(range(4))), key=lambda words: -np.abs(words - model.words).sum()
    )
    np.testing.assert_allclose(model.words, best, atol=1e-6)
    assert (model.support == 1).all() and model.cosine.min() > 0.999


def test_shares_follow_their_topics() -> None:
    """The averaged shares belong to the topics that the averaged words belong to."""
    model = consensus(*permuted(9, 0.2), AVERAGE)
    for topic in range(4):
        original = int(np.argmin(np.abs(WORDS - model.words[topic]).sum(axis=1)))
        np.testing.assert_allclose(model.shares[:, topic], SHARES[:, original], atol=1e-6)


def test_support_counts_the_runs_that_have_a_topic() -> None:
    """A topic that two of eight runs lack has support 0.75."""
    words, shares = permuted(8, 0.0)
    other = np.random.default_rng(5).dirichlet(np.full(40, 0.1))
    for run in (2, 5):
        place = int(np.argmin(np.abs(words[run] - WORDS[0]).sum(axis=1)))
        words[run, place] = other
    assert sorted(consensus(words, shares, AVERAGE).support.tolist()) == [0.75, 1, 1, 1]


def test_agreement_is_the_cosine_beyond_the_average_text() -> None:
    """Two models that share the average text and nothing else do not agree."""
    one, two = WORDS[:2], WORDS[2:]
    mean = (one + two).mean(axis=0) / 2
    assert (agreement(WORDS, WORDS[::-1], AVERAGE) > 0.999999).all()
    a, b = (0.9 * AVERAGE + 0.1 * half for half in (one, two))
    plain = agreement(a, b, np.zeros(40)).mean()
    assert plain > 0.95 > 0.5 > agreement(a, b, AVERAGE).mean() and mean.shape == (40,)


def test_halves_and_pairs() -> None:
    """Halves of runs that are all alike agree fully; pairs of noisy runs agree less, and by the mean over all pairs."""
    words, shares = permuted(6, 0.0)
    assert (halves(words, shares, AVERAGE) > 0.999999).all()
    noisy, _ = permuted(4, 0.8)
    pairs = [agreement(noisy[i], noisy[j], AVERAGE).mean() for i, j in itertools.combinations(range(4), 2)]
    assert abs(pair_agreement(noisy, AVERAGE) - np.mean(pairs)) < 1e-5
