"""Another copy decides on the rows of an apparatus."""

import math

import pandas as pd

from shinan_research import Report, attest, collate
from shinan_research.restore import COLUMNS

WITNESS = "今年我们坚持稳求进工作总基调全面推进各项改革措施落地见效。" + "另一段没有引用的文字谈到城市心的建设以及其他许多事情。"
COPY = "今年我们坚持稳中求进工作总基调全面推进各项改革的措施落地见效。"


def row(offset: int, char: str, decision: str = "accept") -> dict[str, object]:
    """Return a row of an apparatus of the witness."""
    left, right = WITNESS[max(0, offset - 8) : offset], WITNESS[offset : offset + 8]
    values = {"report": "a", "offset": offset, "char": char, "left": left, "right": right, "certainty": "certain"}
    return dict.fromkeys(COLUMNS, "") | values | {"decision": decision, "decided_by": "machine reader", "evidence": "set phrase"}


def decided(rows: list[dict[str, object]]) -> pd.DataFrame:
    """Return the apparatus after collation with the copy."""
    found = collate(Report("a", "甲区", 2031, WITNESS, WITNESS), COPY)
    return attest(found, pd.DataFrame(rows, columns=list(COLUMNS)), source="newspaper")


def test_a_conjecture_is_confirmed_and_a_loss_added() -> None:
    """中 was conjectured and stands in the copy; 的 nobody suspected."""
    table = decided([row(WITNESS.index("求进"), "中")])
    assert table[["char", "certainty", "decision", "source"]].to_numpy().tolist() == [
        ["中", "attested", "accept", "newspaper"],
        ["的", "attested", "accept", "newspaper"],
    ]
    assert table["earlier"].tolist() == ["certain, accept (machine reader)", ""]
    assert (table.attrs["confirmed"], table.attrs["refuted"], table.attrs["added"]) == (1, 0, 1)
    assert (table.attrs["precision"], table.attrs["recall"]) == (1.0, 0.5)


def test_a_conjecture_that_the_copy_lacks_is_rejected() -> None:
    """A row within the quotation that the copy does not have is refuted and stays on record."""
    table = decided([row(WITNESS.index("工作"), "的")])
    refuted = table[table["offset"] == WITNESS.index("工作")].iloc[0]
    assert (refuted["decision"], refuted["decided_by"]) == ("reject", "algorithm")
    assert "nothing here" in refuted["evidence"]
    assert (table.attrs["precision"], table.attrs["recall"]) == (0.0, 0.0)


def test_what_was_not_compared_stays() -> None:
    """A row outside the quotation is neither confirmed nor refuted."""
    table = decided([row(WITNESS.index("心的"), "中")])
    outside = table[table["offset"] == WITNESS.index("心的")].iloc[0]
    assert (outside["certainty"], outside["decision"], outside["decided_by"]) == ("certain", "accept", "machine reader")
    assert math.isnan(table.attrs["precision"])
