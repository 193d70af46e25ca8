"""Collapsed variational Bayes: the update is that of the paper, runs are independent, planted topics are found."""

import numpy as np
import pytest
from planted import THEMES, planted_tokens
from scipy import sparse

from shinan_research import lda
from shinan_research.lda import ALPHA, ETA, fit_runs, fold_in
from shinan_research.windows import topic_windows


@pytest.fixture(scope="module")
def x() -> sparse.csr_array:
    """Return the counts of planted topics."""
    return topic_windows(planted_tokens(), length=48).x


def slow_fit(x: sparse.csr_array, topics: int, rounds: int, number: int) -> tuple[np.ndarray, np.ndarray]:
    """Return words and shares by plain loops over the cells, in double precision."""
    cells = [(unit, term, x[unit, term]) for unit, term in zip(*x.nonzero(), strict=True)]
    draws = np.random.default_rng([0, number]).standard_exponential((topics, len(cells)), dtype=np.float32).astype(float)
    own = draws / draws.sum(axis=0)
    for turn in range(rounds):
        power = min(1.0, round(32 * (0.6 + 0.4 * turn / 70)) / 32)
        terms, units = np.zeros((topics, x.shape[1])), np.zeros((topics, x.shape[0]))
        for cell, (unit, term, count) in enumerate(cells):
            terms[:, term] += count * own[:, cell]
            units[:, unit] += count * own[:, cell]
        for cell, (unit, term, _) in enumerate(cells):
            mine = own[:, cell].copy()
            weight = (
                (terms[:, term] - mine + ETA) * (units[:, unit] - mine + ALPHA) / (terms.sum(axis=1) - mine + x.shape[1] * ETA)
            )
            own[:, cell] = weight**power / (weight**power).sum()
    terms, units = np.zeros((topics, x.shape[1])), np.zeros((topics, x.shape[0]))
    for cell, (unit, term, count) in enumerate(cells):
        terms[:, term] += count * own[:, cell]
        units[:, unit] += count * own[:, cell]
    words, shares = terms + ETA, units + ALPHA
    return words / words.sum(axis=1, keepdims=True), (shares / shares.sum(axis=0)).T


def test_the_update_is_that_of_cvb0(x: sparse.csr_array) -> None:
    """Three rounds give what plain loops over the cells give."""
    small = x[:10]
    runs = fit_runs(small, 3, seeds=2, iterations=3)
    for number in range(2):
        words, shares = slow_fit(small, 3, 3, number)
        np.testing.assert_allclose(runs.words[number], words, rtol=2e-4, atol=1e-6)
        np.testing.assert_allclose(runs.shares[number], shares, rtol=2e-4, atol=1e-6)


@pytest.mark.parametrize("power", range(16, 33))
def test_powers_by_square_roots(power: int) -> None:
    """Powers in thirty-seconds are those of the power function, to the precision of single numbers."""
    weight = np.random.default_rng(power).exponential(3, (40, 25)).astype(np.float32)
    expected = weight.astype(np.float64) ** (power / 32)
    lda._raise(weight, power, np.empty_like(weight))
    np.testing.assert_allclose(weight, expected, rtol=1e-6)


def test_runs_do_not_depend_on_their_batch(x: sparse.csr_array, monkeypatch: pytest.MonkeyPatch) -> None:
    """Batches and stretches of units change the time, not a digit that counts."""
    one = fit_runs(x, 4, seeds=5, iterations=20)
    two = fit_runs(x, 4, seeds=5, iterations=20, batch=2)
    assert two.words.tobytes() == fit_runs(x, 4, seeds=5, iterations=20, batch=2).words.tobytes()
    monkeypatch.setattr(lda, "ROOM", 6_000)
    monkeypatch.setattr(lda, "MEMORY", 30_000)
    three = fit_runs(x, 4, seeds=5, iterations=20)
    for other in (two, three):
        np.testing.assert_allclose(one.shares, other.shares, atol=1e-4)


def test_probabilities_sum_to_one(x: sparse.csr_array) -> None:
    """Words of a topic and shares of a unit sum to one; the variance is no less than nothing."""
    runs = fit_runs(x, 4, seeds=2, iterations=10)
    np.testing.assert_allclose(runs.words.sum(axis=2), 1, rtol=1e-5)
    np.testing.assert_allclose(runs.shares.sum(axis=2), 1, rtol=1e-5)
    assert (runs.variance >= 0).all()


def test_planted_themes_are_found(x: sparse.csr_array) -> None:
    """Each run's topics are the four themes."""
    windows = topic_windows(planted_tokens(), length=48)
    words = fit_runs(windows.x, 4, seeds=3).words
    for run in words:
        tops = ["".join(windows.terms[number] for number in np.argsort(-row)[:8]) for row in run]
        owners = [max(range(4), key=lambda theme: sum(top.count(sign) for sign in THEMES[theme])) for top in tops]
        assert sorted(owners) == [0, 1, 2, 3]


def test_units_folded_in_get_the_shares_of_the_fit(x: sparse.csr_array) -> None:
    """Units that the model has seen get about their shares back, and an empty unit gets equal ones."""
    run = fit_runs(x, 4, seeds=1)
    shares = fold_in(x, run.words[0].astype(float))
    assert (shares.argmax(axis=1) == run.shares[0].argmax(axis=1)).mean() > 0.98
    nothing = fold_in(sparse.csr_array((1, x.shape[1]), dtype=np.int64), run.words[0].astype(float))
    np.testing.assert_allclose(nothing, 0.25)
