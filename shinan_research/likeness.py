"""How alike two indicators are worded: characters and pairs of characters, weighted by rarity."""

from __future__ import annotations

import math
import tomllib
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from . import dictionary


@cache
def wording() -> dict[str, Any]:
    """Return the vocabulary of linking, `resources/links.toml`, read once."""
    return tomllib.loads(dictionary.resource("links.toml").decode("utf-8"))


def _grams(indicators: pd.Series[str]) -> list[dict[str, int]]:
    """Return for each indicator its single characters and pairs, after the wording is made equal."""
    rules = wording()["wording"]
    text = indicators
    for pattern, replacement in rules["same"]:
        text = text.str.replace(pattern, replacement, regex=True)
    text = text.str.replace(rules["empty"], "", regex=True)
    rows = []
    for words in text:
        grams: dict[str, int] = {}
        for gram in [*words, *(words[i : i + 2] for i in range(len(words) - 1))]:
            grams[gram] = grams.get(gram, 0) + 1
        rows.append(grams)
    return rows


def similarity(left: pd.Series[str], right: pd.Series[str]) -> NDArray[np.float64]:
    """Return the cosine of every two indicators over characters and pairs of characters, weighted by rarity (tf-idf).

    Salton and Buckley (1988), Information Processing & Management 24: weight (1 + ln tf) · ln(1 + N / df).
    """
    rows = [*_grams(left), *_grams(right)]
    vocabulary = {gram: i for i, gram in enumerate(sorted({gram for row in rows for gram in row}))}
    matrix = np.zeros((len(rows), len(vocabulary)))
    for i, row in enumerate(rows):
        for gram, count in row.items():
            matrix[i, vocabulary[gram]] = 1 + math.log(count)
    matrix *= np.log(1 + len(rows) / np.maximum((matrix > 0).sum(axis=0), 1))
    length = np.linalg.norm(matrix, axis=1, keepdims=True)
    matrix /= np.where(length > 0, length, 1)
    return np.asarray(matrix[: len(left)] @ matrix[len(left) :].T)
