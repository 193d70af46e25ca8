"""Coherence outside the texts: counts are packed without loss, and the measure is normalised mutual information."""

import math

import numpy as np
import pytest

from shinan_research.coherence import coherence, count_together, pack, shipped, unpack
from shinan_research.errors import ShinanError

WINDOWS = [["猫", "狗", "鱼", "鸟"], ["猫", "狗"], ["猫", "狗", "狗"], ["鱼"], ["鸟"], ["云"], ["猫", "云"], ["狗"]]


def test_counts_are_packed_without_loss() -> None:
    """Counts come back from their bytes as they were, and the bytes are the same each time."""
    counts = count_together(WINDOWS, ["鱼", "狗", "猫"], reports=2)
    again = unpack(pack(counts))
    assert (again.pairs == counts.pairs).all() and again.rows == counts.rows and again.windows == 8 and again.reports == 2
    assert counts.pairs[counts.rows["猫"], counts.rows["狗"]] == 3 and counts.pairs[counts.rows["狗"], counts.rows["狗"]] == 4
    assert pack(counts) == pack(again)


def test_coherence_by_hand() -> None:
    """The value of a topic is the mean over its pairs of words, 0.5 added to each count."""
    counts = count_together(WINDOWS, ["猫", "狗", "鱼", "鸟"], reports=1)
    seen = {"猫": 4, "狗": 4, "鱼": 2, "鸟": 2}
    together = {("猫", "狗"): 3, ("猫", "鱼"): 1, ("猫", "鸟"): 1, ("狗", "鱼"): 1, ("狗", "鸟"): 1, ("鱼", "鸟"): 1}
    values = [math.log((n + 0.5) / 8 / (seen[a] / 8 * seen[b] / 8)) / -math.log((n + 0.5) / 8) for (a, b), n in together.items()]
    found = coherence(np.array([[0.4, 0.3, 0.2, 0.1]]), ["猫", "狗", "鱼", "鸟"], counts)
    assert found[0] == pytest.approx(sum(values) / 6, abs=1e-6)


def test_a_topic_of_unknown_words_has_no_value() -> None:
    """With fewer than four known words there is no value, rather than a guess."""
    counts = count_together(WINDOWS, ["猫", "狗", "鱼"], reports=1)
    assert np.isnan(coherence(np.eye(4), ["猫", "狗", "鱼", "鸟"], counts)).all()
    with pytest.raises(ShinanError, match="no window"):
        count_together([["云"]], ["猫"], reports=1)


def test_the_shipped_counts() -> None:
    """The counts shipped are symmetric, no pair is more frequent than either word, and words of one theme meet more often."""
    counts = shipped()
    single = np.diag(counts.pairs)
    assert (counts.pairs == counts.pairs.T).all() and (counts.pairs <= np.minimum(single[:, None], single)).all()
    assert len(counts.rows) == 2000 and counts.windows > 20_000 and single.max() <= counts.windows
    words = ["医疗", "卫生", "医院", "基本", "粮食", "农业", "农田", "种植"]
    known = [word for word in words if word in counts.rows]
    rows = np.zeros((2, len(known)))
    rows[0, : known.index("粮食")], rows[1, :] = 1, 1
    mixed = [word for word in known if word not in ("基本", "卫生", "农田")]
    one = coherence(np.ones((1, 4)), known[:4], counts)[0]
    assert len(mixed) >= 4 and one > coherence(np.ones((1, 4)), ["医院", "粮食", "投资", "文化"], counts)[0]
