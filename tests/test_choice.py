"""The number of topics: the rule is applied as it is printed, and shuffled text agrees less."""

import numpy as np
import pytest
from planted import planted_tokens

from shinan_research import choice
from shinan_research.choice import examine, fit_number, possible_numbers
from shinan_research.coherence import shipped
from shinan_research.errors import ShinanError
from shinan_research.windows import topic_windows


def test_planted_topics_stand_out_from_shuffled_text() -> None:
    """At the planted number the runs agree, their halves agree, and shuffled text agrees far less."""
    windows = topic_windows(planted_tokens(), length=48, most=0.6)
    table, fits = examine(windows, (4, 6), runs=8, seed=0, reference=shipped())
    row = table.set_index("topics").loc[4]
    assert row["halves"] > 0.98 and row["weakest_support"] == 1
    assert row["agreement"] - row["agreement_tokens"] > 0.3 and row["agreement_sentences"] <= row["agreement"]
    assert table["chosen"].sum() == 1 and set(fits) == {4, 6} and np.isnan(row["coherence"])


@pytest.mark.parametrize(
    ("support", "halves", "coherence", "chosen"),
    [
        ((0.9, 0.9, 0.9), (0.99, 0.99, 0.99), (0.10, 0.10, 0.10), 6),
        ((0.9, 0.9, 0.1), (0.99, 0.99, 0.99), (0.10, 0.10, 0.10), 5),
        ((0.9, 0.9, 0.9), (0.99, 0.50, 0.50), (0.10, 0.10, 0.10), 4),
        ((0.9, 0.9, 0.9), (0.99, 0.99, 0.99), (0.10, 0.14, 0.10), 5),
        ((0.1, 0.1, 0.1), (0.50, 0.60, 0.55), (0.10, 0.10, 0.10), 5),
        ((0.1, 0.9, 0.1), (0.99, 0.60, 0.55), (0.10, 0.10, 0.10), 4),
    ],
)
def test_the_rule_is_applied_as_printed(
    monkeypatch: pytest.MonkeyPatch,
    support: tuple[float, ...],
    halves: tuple[float, ...],
    coherence: tuple[float, ...],
    chosen: int,
) -> None:
    """The largest number that passes all three is chosen; if none does, the one with fewest failures and steadiest halves."""
    rows = {
        number: {"topics": number, "weakest_support": a, "median_support": a, "halves": b, "coherence": c, "agreement": 1.0}
        | {f"{kind}_{null}": 0.0 for kind in ("agreement", "coherence") for null in ("tokens", "sentences")}
        for number, a, b, c in zip((4, 5, 6), support, halves, coherence, strict=True)
    }
    monkeypatch.setattr(choice, "_row", lambda windows, number, *rest: rows[number])
    windows = topic_windows(planted_tokens(chapters=4), length=48)
    table, _ = examine(windows, (4, 5, 6), runs=4, seed=0, reference=shipped())
    assert table.loc[table["chosen"], "topics"].tolist() == [chosen]


def test_too_few_units() -> None:
    """Fewer units than topics, or too few to choose from, are refused with what to lower."""
    windows = topic_windows(planted_tokens(years=(2010,), chapters=4, sentences=2), length=48)
    with pytest.raises(ShinanError, match=r"9 topics for 4 units: .* Lower `topics`"):
        fit_number(windows.x, 9, runs=4, seed=0)
    with pytest.raises(ShinanError, match=r"runs is 2; expected at least 4"):
        fit_number(windows.x, 2, runs=2, seed=0)
    with pytest.raises(ShinanError, match="too few to choose"):
        possible_numbers(19)
    assert possible_numbers(45) == (4, 5, 6, 7, 8, 9)
