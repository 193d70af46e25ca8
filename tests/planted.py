"""Reports with planted topics, made of invented words, for the tests of topic models."""

from __future__ import annotations

import hashlib

import numpy as np
import pandas as pd

from shinan_research.topics import Topics

THEMES = ("甲乙丙丁戊", "春夏秋冬夜", "金木水火土", "红黄蓝绿紫")
WORDS = [[first + second for first in theme for second in theme if first != second] for theme in THEMES]
SENTENCE_WORDS = 12


def planted_tokens(
    places: tuple[str, ...] = ("A",),
    years: tuple[int, ...] = (2010, 2011),
    *,
    chapters: int = 12,
    sentences: int = 16,
    lean: float = 0.0,
    seed: int = 0,
) -> pd.DataFrame:
    """Return tokens of reports whose chapters each speak mostly of one of four themes.

    `lean` is the share of the last year's words that go to the first theme whatever the chapter. Each sentence has twelve words
    of two Han characters and a full stop.
    """
    rng = np.random.default_rng(seed)
    rows = []
    for report, place, year in ((f"{place}-{year}", place, year) for place in places for year in years):
        position = 0
        for number in range(chapters * sentences):
            chapter = number // sentences
            theme = chapter % len(THEMES)
            ids = (
                report,
                place,
                year,
                "review" if chapter < chapters // 2 else "plan",
                chapter,
                f"（{chapter}）题{theme}",
                number,
            )
            for _ in range(SENTENCE_WORDS):
                mine = theme if rng.random() < 0.85 else int(rng.integers(len(THEMES)))
                mine = 0 if year == years[-1] and rng.random() < lean else mine
                rows.append((*ids, position, position + 2, str(rng.choice(WORDS[mine])), "word", 2))
                position += 2
            rows.append((*ids, position, position + 1, "。", "punct", 0))
            position += 1
    columns = ["report", "place", "year", "part", "chapter", "chapter_title", "sentence", "start", "end", "term", "kind", "han"]
    table = pd.DataFrame(rows, columns=columns).assign(heading=False)
    table.attrs["settings"] = {"function": "tokenize"}
    return table


def digest(topics: Topics) -> str:
    """Return a digest that changes when a byte of a share, a probability or a term does."""
    blobs = (topics.shares[topics.ids].to_numpy().tobytes(), topics.words["probability"].to_numpy().tobytes())
    return hashlib.sha256(b"".join(blobs) + "\n".join(topics.words["term"]).encode()).hexdigest()
