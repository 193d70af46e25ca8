"""Align another copy of a report, or a quotation from it, and list every difference."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pandas as pd

from .errors import ApparatusError
from .reports import HAN, Report
from .restore import CONTEXT

ANCHOR = 12
FOLDED = str.maketrans("，：；！？（）―－", ",:;!?()——")
COLUMNS = ("report", "offset", "here", "there", "kind", "left", "right")


def collate(report: Report, other: Report | str) -> pd.DataFrame:
    """Compare the witness with another copy, or with quoted passages (one per line), and list every difference.

    White space and the width of punctuation do not count. Passages are found by runs of twelve characters that
    occur once in each copy; what lies outside the aligned passages is no difference.

    Parameters
    ----------
    report
        The report to be checked; its witness is compared.
    other
        The other copy: a report, or a text of quotations.

    Returns
    -------
    pandas.DataFrame
        `report, offset` (in the witness), `here, there` (the readings), `kind` (loss here, loss there, substitution,
        layout), `left, right` (eight characters of the witness). `attrs["report"]` names the
        report, `attrs["compared"]` counts the Han characters compared, `attrs["spans"]` lists the stretches of the witness
        that were.

    Raises
    ------
    ApparatusError
        If no passage of the two can be aligned.
    """
    whole = not isinstance(other, str)
    text = other.witness if isinstance(other, Report) else other
    here, places = _folded(report.witness)
    rows: list[tuple[object, ...]] = []
    spans: list[tuple[int, int]] = []
    compared = 0
    for passage in [text] if whole else text.split("\n"):
        there, _ = _folded(passage)
        anchors = list(_anchors(here, there))
        if anchors:
            compared += len(re.findall(f"[{HAN}]", there))
            rows += _differences(report, here, there, anchors, places, whole)
            spans.append(_span(anchors, len(there), places, len(report.witness), whole))
    if not compared:
        raise ApparatusError(
            f"No passage of the other copy stands in {report.id}: not {ANCHOR} characters in a row agree. Is it another report?"
        )
    table = pd.DataFrame(rows, columns=list(COLUMNS)).drop_duplicates(ignore_index=True)
    table.attrs |= {"report": report.id, "compared": compared, "spans": spans}
    return table


def _span(anchors: list[tuple[int, int]], size: int, places: list[int], end: int, whole: bool) -> tuple[int, int]:
    """Return the stretch of the witness that was compared, in its offsets."""
    (first, one), (last, two) = anchors[0], anchors[-1]
    low, high = max(0, first - one), last + size - two
    return (0, end) if whole else (places[low], places[high] if high < len(places) else end)


def attest(differences: pd.DataFrame, emendations: pd.DataFrame, *, source: str) -> pd.DataFrame:
    """Let another copy decide: confirm or refute the conjectures where it was compared, and add what it alone shows.

    Parameters
    ----------
    differences
        The table of :func:`collate`.
    emendations
        The apparatus of that report.
    source
        The name of the other copy, as the apparatus is to cite it.

    Returns
    -------
    pandas.DataFrame
        The apparatus with every loss that the copy shows as an accepted row of certainty *attested*, and every other row
        within the compared passages rejected; rows elsewhere stay. `attrs` has `confirmed`, `refuted`, `added`,
        `precision` (of the accepted conjectures that could be checked) and `recall` (of the losses that the copy shows),
        missing where nothing could be checked.
    """
    losses = differences[differences["kind"] == "loss here"]
    shown = {(int(row["offset"]), str(row["there"])): row for row in losses.to_dict("records")}
    kept = [_judged(row, shown, differences.attrs["spans"], source) for row in emendations.to_dict("records")]
    known = {(int(row["offset"]), str(row["char"])) for row in kept}
    added = [_attested(row, source) for place, row in shown.items() if place not in known]
    accepted = emendations[(emendations["decision"] == "accept")].to_dict("records")
    checked = [row for row in accepted if any(low <= row["offset"] < high for low, high in differences.attrs["spans"])]
    right = sum((int(row["offset"]), row["char"]) in shown for row in checked)
    table = pd.DataFrame([*kept, *added], columns=list(emendations.columns)).sort_values(["report", "offset"], ignore_index=True)
    table.attrs |= {
        "confirmed": right, "refuted": len(checked) - right, "added": len(added),
        "precision": right / len(checked) if checked else float("nan"), "recall": right / len(shown) if shown else float("nan"),
    }  # fmt: skip
    return table


def _judged(row: dict[Any, Any], shown: dict[tuple[int, str], Any], spans: list[tuple[int, int]], source: str) -> dict[Any, Any]:
    """Return a row as the other copy leaves it."""
    if not any(low <= row["offset"] < high for low, high in spans):
        return row
    earlier = f"{row['certainty']}, {row['decision']} ({row['decided_by']})"
    if (int(row["offset"]), row["char"]) in shown:
        new = {"certainty": "attested", "decision": "accept", "evidence": f"attested: the other copy has {row['char']} here"}
    else:
        new = {"decision": "reject", "evidence": f"{row['evidence']}; the other copy has nothing here"}
    return row | new | {"decided_by": "algorithm", "editor": "collate", "source": source, "earlier": earlier}


def _attested(row: dict[Any, Any], source: str) -> dict[str, object]:
    """Return a loss that only the other copy shows as a row of the apparatus."""
    return {
        "report": row["report"], "offset": row["offset"], "char": row["there"], "left": row["left"], "right": row["right"],
        "certainty": "attested", "decision": "accept", "decided_by": "algorithm", "editor": "collate", "source": source,
        "evidence": f"attested: the other copy has {row['there']} here", "first": "", "second": "", "earlier": "",
    }  # fmt: skip


def _folded(text: str) -> tuple[str, list[int]]:
    """Return a text without white space and with half-width punctuation, and where its characters stood."""
    kept = [(character, place) for place, character in enumerate(text.translate(FOLDED)) if not character.isspace()]
    return "".join(character for character, _ in kept), [place for _, place in kept]


def _anchors(here: str, there: str) -> Iterator[tuple[int, int]]:
    """Yield places where both texts have a run that is unique in each, in an order that both share."""
    last = -1
    for start in range(0, len(there) - ANCHOR + 1):
        run = there[start : start + ANCHOR]
        place = here.find(run)
        if place > last and here.find(run, place + 1) < 0 and there.find(run) == start and there.find(run, start + 1) < 0:
            yield place, start
            last = place


def _differences(
    report: Report, here: str, there: str, anchors: list[tuple[int, int]], places: list[int], whole: bool
) -> Iterator[tuple[object, ...]]:
    """Yield a row for each difference; what stands here before and behind a quotation is none."""
    (first, one), (last, two) = anchors[0], anchors[-1]
    low = 0 if whole else max(0, first - one - ANCHOR)
    high = len(here) if whole else min(len(here), last + len(there) - two + ANCHOR)
    stations = [(low, 0), *anchors, (high, len(there))]
    for (a, b), (c, d) in pairwise(stations):
        if here[a:c] == there[b:d] or c < a:
            continue
        for tag, i, j, k, m in difflib.SequenceMatcher(None, here[a:c], there[b:d], autojunk=False).get_opcodes():
            outside = tag == "delete" and not whole and (m == 0 == b or k + b == len(there))
            if tag != "equal" and not outside:
                yield _difference(report, here[a + i : a + j], there[b + k : b + m], [*places, len(report.witness)][a + i], tag)


def _difference(report: Report, seen: str, read: str, offset: int, tag: str) -> tuple[object, ...]:
    """Return one row."""
    kind = {"insert": "loss here", "delete": "loss there"}.get(tag, "substitution")
    kind = kind if re.search(rf"[{HAN}\w]", seen + read) else "layout"
    witness = report.witness
    return (report.id, offset, seen, read, kind, witness[max(0, offset - CONTEXT) : offset], witness[offset : offset + CONTEXT])
