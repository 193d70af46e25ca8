"""How alike two indicators are, and which outcome goes with which target: words, units, kinds, and one assignment for all."""

from __future__ import annotations

import math
import re
import tomllib
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from . import dictionary

SHARED = 0.55
OTHER_KIND = 0.75
SURE = 0.5
CLEAR = 0.2


@cache
def wording() -> dict[str, Any]:
    """Return the vocabulary of linking, `resources/links.toml`, read once."""
    return tomllib.loads(dictionary.resource("links.toml").decode("utf-8"))


def _plain(indicators: pd.Series[str]) -> list[str]:
    """Return indicators with their wording made equal and empty words taken out."""
    rules = wording()["wording"]
    text = indicators
    for pattern, replacement in rules["same"]:
        text = text.str.replace(pattern, replacement, regex=True)
    return text.str.replace(rules["empty"], "", regex=True).tolist()


def _grams(words: str) -> dict[str, int]:
    """Return the counts of single characters and pairs."""
    grams: dict[str, int] = {}
    for gram in [*words, *_pairs(words)]:
        grams[gram] = grams.get(gram, 0) + 1
    return grams


def _pairs(words: str) -> list[str]:
    return [words[i : i + 2] for i in range(len(words) - 1)]


def similarity(left: pd.Series[str], right: pd.Series[str]) -> NDArray[np.float64]:
    """Return the cosine of every two indicators over characters and pairs of characters, weighted by rarity (tf-idf).

    Salton and Buckley (1988), Information Processing & Management 24: weight (1 + ln tf) · ln(1 + N / df).
    """
    texts = [*_plain(left), *_plain(right)]
    rows = [_grams(text) for text in texts]
    vocabulary = {gram: i for i, gram in enumerate(sorted({gram for row in rows for gram in row}))}
    matrix = np.zeros((len(rows), len(vocabulary)))
    for i, row in enumerate(rows):
        for gram, count in row.items():
            matrix[i, vocabulary[gram]] = 1 + math.log(count)
    matrix *= np.log(1 + len(rows) / np.maximum((matrix > 0).sum(axis=0), 1))
    length = np.linalg.norm(matrix, axis=1, keepdims=True)
    matrix /= np.where(length > 0, length, 1)
    alike = np.asarray(matrix[: len(left)] @ matrix[len(left) :].T)
    return alike * np.where(_share_more(texts, len(left)), 1.0, wording()["units"]["heads"])


def _share_more(texts: list[str], n: int) -> NDArray[np.bool_]:
    """Return which of the first n texts share with each other one a pair of characters beyond heads like 增加值."""
    heads = re.compile(wording()["wording"]["heads"])
    pairs = [frozenset(pair for piece in heads.split(text) for pair in _pairs(piece)) for text in texts]
    return np.array([[text == other or bool(one & two) for other, two in zip(texts[n:], pairs[n:], strict=True)]
                     for text, one in zip(texts[:n], pairs[:n], strict=True)], dtype=bool).reshape(n, len(texts) - n)  # fmt: skip


def equal(left: pd.Series[Any], right: pd.Series[Any]) -> NDArray[np.bool_]:
    """Return which values of the one column equal which of the other, as a matrix."""
    return np.asarray(left.to_numpy()[:, None] == right.to_numpy()[None, :], dtype=bool)


def scores(targets: pd.DataFrame, outcomes: pd.DataFrame) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return how well each outcome answers each target, 0 to 1, and the likeness of their words alone."""
    likeness = similarity(targets["indicator"], outcomes["indicator"])
    return np.minimum(likeness * weights(targets, outcomes), 1.0), likeness


def weights(targets: pd.DataFrame, outcomes: pd.DataFrame) -> NDArray[np.float64]:
    """Return how far units, kinds and scope let each outcome answer each target: a factor of likeness of words."""
    rules = wording()["units"]
    unit = equal(targets["unit"], outcomes["unit"])
    classes = [table["unit_class"] for table in (targets, outcomes)]
    groups = [column.mask(column.isin(rules["countable"]), "countable") for column in classes]
    bare = [(table["unit"] == "").to_numpy() for table in (targets, outcomes)]
    counted = [(column == "countable").to_numpy() for column in groups]
    related = equal(*groups) | (bare[0][:, None] & counted[1][None, :]) | (counted[0][:, None] & bare[1][None, :])
    change = equal(targets["kind"] == "growth", outcomes["kind"] == "growth")
    added, said = (table["indicator"].str.contains(rules["flows"]).to_numpy() for table in (targets, outcomes))
    flow = added[:, None] & ~said[None, :]
    whole, held = (table["indicator"].str.contains(rules["stocks"]).to_numpy() for table in (targets, outcomes))
    whole = whole | ((targets["comparator"] == ">").to_numpy() & ~added)
    narrow = [table["indicator"].str.contains(rules["parts"]).to_numpy() for table in (targets, outcomes)]
    stock = (added[:, None] & held[None, :]) | (whole[:, None] & said[None, :] & ~held[None, :])
    weight = np.where(unit, rules["same"], np.where(related, rules["related"], rules["other"]))
    aim, reached = (np.maximum(table["value"].to_numpy(dtype=float), 1e-9) for table in (targets, outcomes))
    apart = np.abs(np.log(reached[None, :] / aim[:, None]))
    far = apart > math.log(rules["times"])
    weight *= np.where(unit & (apart < 1e-9), rules["equal"], 1.0)
    weight *= np.where(narrow[1][None, :] & ~narrow[0][:, None], rules["part"], 1.0)
    weight *= np.where(far & (targets["kind"] != "growth").to_numpy()[:, None], rules["magnitude"], 1.0)
    weight *= np.where(change, 1.0, rules["kind"]) * np.where(stock, rules["stock"], np.where(flow, rules["flow"], 1.0))
    return np.asarray(weight, dtype=float)


def assign(matrix: NDArray[np.float64], threshold: float) -> tuple[NDArray[np.int64], frozenset[int]]:
    """Return the outcome of each target (-1 for none), and the targets whose outcome answers another one too."""
    chosen = np.full(len(matrix), -1, dtype=np.int64)
    for k, j in partners(np.where(matrix >= threshold, matrix, 0.0)):
        chosen[k] = j if matrix[k, j] >= threshold else -1
    shared: set[int] = set()
    for i in range(len(matrix)):
        best = int(matrix[i].argmax()) if matrix.shape[1] else -1
        if chosen[i] < 0 and best >= 0 and matrix[i, best] >= SHARED:
            chosen[i] = best
            shared.update(k for k in range(len(matrix)) if chosen[k] == best)
    return chosen, frozenset(shared)


def other_kinds(
    matrix: NDArray[np.float64], chosen: NDArray[np.int64], likeness: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Link what is left to an outcome that names the same thing, but states a level for growth or growth for a level."""
    if not matrix.size:
        return matrix, chosen
    best = likeness.argmax(axis=1)
    rows = np.flatnonzero((chosen < 0) & (likeness.max(axis=1) >= OTHER_KIND))
    matrix, chosen = matrix.copy(), chosen.copy()
    matrix[rows, best[rows]] = likeness[rows, best[rows]]
    chosen[rows] = best[rows]
    return matrix, chosen


def partners(matrix: NDArray[np.float64]) -> list[tuple[int, int]]:
    """Return rows and columns paired so that the sum is largest."""
    from scipy.optimize import linear_sum_assignment  # takes long to import, and every figure imports this module

    return [(int(row), int(column)) for row, column in zip(*linear_sum_assignment(matrix, maximize=True), strict=True)]
