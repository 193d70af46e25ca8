"""How many topics? A printed rule over a table, with two nulls beside it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from .coherence import Cooccurrence, coherence
from .consensus import Consensus, consensus, halves, pair_agreement
from .errors import ShinanError
from .lda import Runs, fit_runs
from .windows import Windows, shuffle_sentences, shuffle_tokens

NUMBERS = tuple(range(4, 13))
# Frozen on held-out provinces before they were run on any study: tests/benchmarks/results_topics_choice.csv.
LEAST_SUPPORT = 0.5
LEAST_HALVES = 0.9
COHERENCE_MARGIN = 0.025
NULL_DRAWS, NULL_RUNS = 2, 5
NULLS = {"tokens": shuffle_tokens, "sentences": shuffle_sentences}
UNITS_PER_TOPIC = 5
COLUMNS = (
    "topics", "weakest_support", "median_support", "halves", "coherence", "agreement", "agreement_tokens",
    "agreement_sentences", "coherence_tokens", "coherence_sentences", "supported", "steady", "coherent", "chosen",
)  # fmt: skip


class Fit(NamedTuple):
    """A consensus of many runs, with the runs and what was measured on them."""

    runs: Runs
    model: Consensus
    halves: NDArray[np.float64]


def average_text(x: sparse.csr_array) -> NDArray[np.float64]:
    """Return the probabilities of the terms in all the text."""
    totals = np.asarray(x.sum(axis=0), dtype=np.float64).ravel()
    return np.asarray(totals / totals.sum())


def fit_number(x: sparse.csr_array, topics: int, *, runs: int, seed: int) -> Fit:
    """Fit so many runs of one number of topics, and average them.

    Raises
    ------
    ShinanError
        If there are fewer units than topics, or fewer than four runs.
    """
    if not isinstance(topics, int | np.integer) or not 2 <= topics <= x.shape[0]:
        raise ShinanError(
            f"{topics} topics for {x.shape[0]} units: expected at least 2 topics and as many units. Lower `topics`, or lower "
            "`length` to cut more units."
        )
    if runs < 4:
        raise ShinanError(f"runs is {runs}; expected at least 4, so that two halves can be compared.")
    fitted, average = fit_runs(x, topics, seeds=runs, seed=seed), average_text(x)
    return Fit(fitted, consensus(fitted.words, fitted.shares, average), halves(fitted.words, fitted.shares, average))


def examine(
    windows: Windows, numbers: Sequence[int], *, runs: int, seed: int, reference: Cooccurrence
) -> tuple[pd.DataFrame, dict[int, Fit]]:
    """Fit every number of topics, measure it, and mark the one that the rule chooses.

    The rule: keep every number whose weakest topic is in at least half of the runs, whose two halves of the runs agree to at
    least 0.9, and whose coherence outside these texts is no more than 0.025 below the best; choose the largest. If none is
    kept, the number with the fewest failures is chosen, then the one whose halves agree best; the table shows what failed.

    The two thresholds of stability were set on five pairs of reports of provinces held out from the counts of words: the
    strictest of 0.3–0.5 and 0.85–0.95 at which four of the five kept a number and no shuffled text passed; on five other
    pairs three did. Measured again since the annealing rises in steps: three of the five, and four of the other five, and
    again no shuffled text. Stability is no validity.

    Returns
    -------
    pandas.DataFrame
        `topics, weakest_support, median_support, halves, coherence, agreement` (of single runs, pair by pair), the agreement
        and coherence of shuffled text (`*_tokens`: words dealt to the units anew; `*_sentences`: whole sentences dealt anew
        within each report), `supported, steady, coherent, chosen`; and the fits by number.
    """
    fits = {number: fit_number(windows.x, number, runs=runs, seed=seed) for number in numbers}
    rows = [_row(windows, number, fit, seed, reference) for number, fit in fits.items()]
    table = pd.DataFrame(rows)
    table["supported"] = table["weakest_support"] >= LEAST_SUPPORT
    table["steady"] = table["halves"] >= LEAST_HALVES
    best = table["coherence"].max()
    table["coherent"] = (table["coherence"] >= best - COHERENCE_MARGIN) | table["coherence"].isna()
    passed = table[["supported", "steady", "coherent"]].sum(axis=1)
    kept = table.index[passed == 3]
    order = table.assign(passed=passed).sort_values(["passed", "halves", "topics"], ascending=False, kind="stable")
    table["chosen"] = table.index == (kept[-1] if len(kept) else order.index[0])
    return table[list(COLUMNS)], fits


def possible_numbers(units: int) -> tuple[int, ...]:
    """Return the numbers of topics that so many units allow to be examined.

    Raises
    ------
    ShinanError
        If they allow none.
    """
    allowed = tuple(number for number in NUMBERS if number * UNITS_PER_TOPIC <= units)
    if not allowed:
        raise ShinanError(
            f"{units} units are too few to choose a number of topics: {NUMBERS[0]} topics need {NUMBERS[0] * UNITS_PER_TOPIC}. "
            "Add reports, lower `length` to cut more units, or name a number with `topics=`."
        )
    return allowed


def _row(windows: Windows, number: int, fit: Fit, seed: int, reference: Cooccurrence) -> dict[str, float]:
    """Return what is measured on one number of topics."""
    support = fit.model.support
    row = {
        "topics": number,
        "weakest_support": float(support.min()),
        "median_support": float(np.median(support)),
        "halves": float(fit.halves.mean().round(4)),
        "coherence": _mean(coherence(fit.model.words, windows.terms, reference)),
        "agreement": pair_agreement(fit.runs.words, average_text(windows.x)),
    }
    for name in NULLS:
        row |= _null(windows, number, name, seed, reference)
    return row


def _null(windows: Windows, number: int, name: str, seed: int, reference: Cooccurrence) -> dict[str, float]:
    """Return how much single runs agree on shuffled text, and how coherent their topics look."""
    rng = np.random.default_rng([seed, number, list(NULLS).index(name)])
    agree, together = [], []
    for _ in range(NULL_DRAWS):
        x = NULLS[name](windows, rng)
        runs, average = fit_runs(x, number, seeds=NULL_RUNS, seed=seed), average_text(x)
        agree.append(pair_agreement(runs.words, average))
        together.append(_mean(coherence(consensus(runs.words, runs.shares, average).words, windows.terms, reference)))
    return {f"agreement_{name}": float(np.mean(agree)), f"coherence_{name}": _mean(np.array(together))}


def _mean(values: NDArray[np.float64]) -> float:
    """Return the mean of the values that are there; nan if none is."""
    there = values[~np.isnan(values)]
    return float(there.mean().round(6)) if len(there) else float("nan")
