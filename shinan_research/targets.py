"""Link announced targets to the outcomes that the next report states, and claimed growth to what the levels imply."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from .errors import ApparatusError, ShinanError
from .likeness import CLEAR, SURE, assign, equal, other_kinds, partners, scores, similarity, wording
from .links import NOT_FOUND
from .messages import LANGUAGES, say

COLUMNS = (
    "report", "outcome_report", "indicator", "target_value", "target_unit", "comparator", "target_start", "target_text",
    "outcome_indicator", "outcome_value", "outcome_unit", "outcome_start", "outcome_text", "score", "margin", "verdict", "basis",
    "decided_by", "external_value", "external_source", "note",
)  # fmt: skip
SAME_BASIS = 0.6
CLAIM_COLUMNS = (
    "place", "report", "indicator", "unit", "value_before", "value_after", "claimed", "comparator", "implied", "implied_low",
    "implied_high", "verdict", "start_before", "start_after", "start_claim", "score",
)  # fmt: skip
UNCHANGED_COLUMNS = (
    "place", "report_before", "report_after", "part", "indicator", "indicator_after", "value", "unit", "text",
    "start_before", "start_after", "score",
)  # fmt: skip


def select_targets(quantities: pd.DataFrame) -> pd.DataFrame:
    """Return the quantities of a plan that may be targets, by rule: levels, shares and growth; counts in words of single things.

    Raises
    ------
    ShinanError
        If the table holds no plan, or those of several reports.
    """
    plan = quantities[quantities["part"] == "plan"]
    if plan["report"].nunique() != 1:
        found = ", ".join(sorted(set(quantities["report"]))) or "none"
        raise ShinanError(
            f"Expected the quantities of one report with a plan; given: {found}, with a plan: {plan['report'].nunique()}. "
            "Choose one report; where its plan is not recognised, list its headings in data/headings."
        )
    rules = wording()["targets"]
    words = plan["unit"].isin(rules["word_units"]) & ~plan["indicator"].str.contains(rules["not_words"])
    limit = (plan["kind"] == "duration") & (plan["comparator"] == "≤")
    chosen = plan["kind"].isin(rules["kinds"]) | ((plan["kind"] == "count in words") & words) | limit
    return plan[chosen & (plan["role"] != "start") & plan["value"].notna()]


def candidates(plan: pd.DataFrame, outcomes: pd.DataFrame, *, n: int = 3) -> pd.DataFrame:
    """List for each target the outcomes that may answer it, best first, for a reader to choose from.

    Returns
    -------
    pandas.DataFrame
        `report, target_start, target_text, indicator, rank, outcome_start, outcome_text, outcome_indicator, score, margin`;
        `margin` is the score less that of the next candidate.
    """
    targets, stated = select_targets(plan), _stated(outcomes)
    matrix, _ = scores(targets, stated)
    rows = []
    for i, target in enumerate(targets.itertuples()):
        order = np.lexsort((np.arange(len(stated)), -matrix[i]))
        for rank, j in enumerate(order[:n]):
            other = matrix[i, order[rank + 1]] if rank + 1 < len(order) else 0.0
            answer = stated.iloc[j]
            rows.append((
                target.report, target.start, target.surface, target.indicator, rank + 1, answer["start"], answer["surface"],
                answer["indicator"], matrix[i, j], matrix[i, j] - other,
            ))  # fmt: skip
    columns = [
        "report", "target_start", "target_text", "indicator", "rank", "outcome_start", "outcome_text", "outcome_indicator",
        "score", "margin",
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)


def _stated(quantities: pd.DataFrame) -> pd.DataFrame:
    """Return the quantities of a review that may be outcomes."""
    review = quantities[quantities["part"] == "review"]
    chosen = ~review["kind"].isin(["threshold", "name"]) & (review["role"] == "result") & review["value"].notna()
    return review[chosen]


def link_targets(
    plan: pd.DataFrame,
    outcomes: pd.DataFrame,
    *,
    decided: pd.DataFrame | None = None,
    threshold: float = 0.25,
    tolerance: float = 0.0,
) -> pd.DataFrame:
    """Link each target of a plan to its outcome in the review of the next report, and judge it on the number alone.

    Each outcome answers one target (Hungarian assignment of the highest total score); a target left over may share one
    that is very like it. What has been decided by a reader (`data/links`) outranks all this and keeps its `decided_by`.

    Parameters
    ----------
    plan, outcomes
        Quantities of the report that announces and of the one that answers; the part plan of the one and review of the
        other are used.
    decided
        Decisions in positions of the text: :func:`locate_links`.
    threshold
        Least score of a link. Below, a target is "not found in the next review", which does not say that it was missed.
    tolerance
        For 左右 alone: the part of the target by which the outcome may fall short. By default none; where 左右 taken as
        rounding, or the other end of an interval (余, 多, 3至5), gives another verdict, `note` names it.

    Returns
    -------
    pandas.DataFrame
        One row per target: `report, outcome_report, indicator, target_value` (negative for what is to fall), `target_unit,
        comparator, target_start, target_text, outcome_indicator, outcome_value, outcome_unit, outcome_start, outcome_text,
        score, margin, verdict, basis, decided_by, external_value, external_source, note`.

    Raises
    ------
    ShinanError
        If there is no plan, or more than one.
    ApparatusError
        If a decision speaks of a place where no quantity stands.
    """
    targets, stated = select_targets(plan), _stated(outcomes)
    if decided is not None:
        decided = decided[decided["report"] == plan["report"].iloc[0]]
        targets = _with_decided(targets, plan, decided)
    matrix, likeness = scores(targets, stated)
    ordered = -np.sort(-np.pad(matrix, ((0, 0), (0, 2))), axis=1)
    margin = ordered[:, 0] - ordered[:, 1]
    chosen, shared = assign(np.where((matrix >= SURE) | (margin >= CLEAR)[:, None], matrix, 0.0), threshold)
    matrix, chosen = other_kinds(matrix, chosen, likeness * ~equal(targets["kind"] == "growth", stated["kind"] == "growth"))
    rows, answers = [], _records(stated)
    for i, target in enumerate(_records(targets)):
        answer = answers[chosen[i]] if chosen[i] >= 0 else None
        row = _row(target, answer, tolerance)
        score = float(matrix[i, chosen[i]]) if answer else float(ordered[i, 0])
        basis = "" if not answer else "merged" if i in shared else "same" if score >= SAME_BASIS else "changed"
        rows.append(row | {"score": score, "margin": float(margin[i]), "basis": basis})
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    if decided is not None:
        table = _decide(table, outcomes, decided)
    table = table.astype({"target_start": "Int64", "outcome_start": "Int64"})
    table = table.sort_values("target_start", kind="stable", ignore_index=True)
    settings = {"threshold": threshold, "tolerance": tolerance, "decided": decided is not None}
    table.attrs["settings"] = {"function": "link_targets", **settings}
    return table


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(key): value for key, value in row.items()} for row in table.to_dict("records")]


def _row(target: dict[str, Any], answer: dict[str, Any] | None, tolerance: float) -> dict[str, Any]:
    """Return the row of a target and its outcome."""
    verdict = judge(target, answer, tolerance=tolerance)
    row = {
        "report": target["report"], "indicator": target["indicator"], "target_value": target["sign"] * target["value"],
        "target_unit": target["unit"], "comparator": target["comparator"], "target_start": target["start"],
        "target_text": target["surface"], "verdict": verdict, "decided_by": "algorithm", "external_value": "",
        "external_source": "", "note": _other_reading(target, answer, verdict, tolerance) if answer else "",
    }  # fmt: skip
    return row | _answer(answer)


def _other_reading(target: dict[str, Any], answer: dict[str, Any], verdict: str, tolerance: float) -> str:
    """Name, in both languages, the verdict by the other end of an interval, or with 左右 as rounding, where it is another one."""
    highest = [row | {"value": row["value_high"]} for row in (target, answer)]
    readings = {
        "other_end": [judge(highest[0], answer, tolerance=tolerance), judge(target, highest[1], tolerance=tolerance)],
        "rounded": [judge(target, answer, tolerance=_half(target["surface"], target["value"]) / (target["value"] or 1.0))],
    }  # fmt: skip
    said = [(key, min(set(found) - {verdict})) for key, found in readings.items() if set(found) - {verdict}]
    if tolerance:
        said = [(key, other) for key, other in said if key != "rounded"]
    words = [
        say(f"announced.{key}", language, verdict=say(f"verdicts.{other}", language))
        for key, other in said
        for language in LANGUAGES
    ]
    return " ".join(words)


def _answer(answer: dict[str, Any] | None) -> dict[str, Any]:
    """Return the columns of an outcome, empty where there is none."""
    if answer is None:
        return {
            "outcome_report": "", "outcome_indicator": "", "outcome_value": math.nan, "outcome_unit": "", "outcome_start": pd.NA,
            "outcome_text": "",
        }  # fmt: skip
    return {
        "outcome_report": answer["report"], "outcome_indicator": answer["indicator"], "outcome_unit": answer["unit"],
        "outcome_value": answer["sign"] * answer["value"], "outcome_start": answer["start"], "outcome_text": answer["surface"],
    }  # fmt: skip


def judge(target: dict[str, Any], answer: dict[str, Any] | None, *, tolerance: float = 0.0) -> str:
    """Return the verdict on a target from the two numbers alone: see `data/links/CODEBOOK.md`.

    >>> target = {"indicator": "收入", "value": 7, "sign": 1, "unit": "%", "unit_class": "share", "kind": "growth",
    ...           "comparator": "~", "year": 2019}
    >>> judge(target, target | {"value": 6}), judge(target, target | {"value": 8}), judge(target, None)
    ('missed', 'met', 'not found in the next review')
    """
    rules = wording()["targets"]
    years = [int(year) for year in re.findall(rules["term"], target["indicator"])]
    if max(years, default=0) > target["year"] or re.search(rules["period"], target["indicator"]):
        return "not yet due"
    if not answer:
        return NOT_FOUND
    countable = wording()["units"]["countable"]
    related = target["unit_class"] == answer["unit_class"] or {target["unit_class"], answer["unit_class"]} <= set(countable)
    if not related or (target["kind"] == "growth") != (answer["kind"] == "growth"):
        return "not comparable"
    growth, vague = target["kind"] == "growth", target["comparator"] == "~"
    falling = target["sign"] < 0
    reached = answer["value"] * (target["sign"] * answer["sign"] if growth else 1)
    lower = target["comparator"] in ("≤", "<") or (vague and not falling and bool(re.search(rules["lower"], target["indicator"])))
    aim = target["value"] * (1 + (tolerance if lower else -tolerance) * vague)
    return "met" if (reached <= aim if lower else reached >= aim) else "missed"


def _with_decided(targets: pd.DataFrame, plan: pd.DataFrame, decided: pd.DataFrame) -> pd.DataFrame:
    """Return the targets as decided: those that a reader named, and those of the rule that no reader has looked at."""
    named = decided["target_start"][decided["target"]]
    missing = sorted(set(named) - set(plan["start"]))
    if missing:
        raise ApparatusError(
            f"data/links: no quantity stands at position {missing[0]} of {decided['report'].iloc[0]}. "
            "Give the place where the numeral of the target begins."
        )
    refused = decided["target_start"][~decided["target"]]
    chosen = plan["start"].isin(set(named) | (set(targets["start"]) - set(refused)))
    return plan[chosen]


def _decide(table: pd.DataFrame, outcomes: pd.DataFrame, decided: pd.DataFrame) -> pd.DataFrame:
    """Return the table with every decision in place of what the algorithm proposed; its score stays beside it."""
    stated = {row["start"]: row for row in _records(outcomes)}
    decisions = {row["target_start"]: row for row in _records(decided[decided["target"]])}
    rows = []
    for row in _records(table):
        decision = decisions.get(row["target_start"])
        if decision:
            answer = stated.get(decision["outcome_start"])
            if answer is None and decision["outcome_start"] >= 0:
                where = f"position {decision['outcome_start']} of {decision['outcome_report']}"
                raise ApparatusError(f"data/links: no quantity stands at {where}. Give the place where the numeral begins.")
            row |= _answer(answer)
            row |= {key: decision[key] for key in ("verdict", "basis", "decided_by", "external_value", "external_source", "note")}
        rows.append(row)
    return pd.DataFrame(rows, columns=list(COLUMNS))


def link_chain(quantities: pd.DataFrame, *, decided: pd.DataFrame | None = None, threshold: float = 0.25) -> pd.DataFrame:
    """Link the targets of every report to the report of the next year of the same place, over as many years as there are.

    A year without a report breaks the chain there; nothing is linked across the gap.

    Returns
    -------
    pandas.DataFrame
        The columns of :func:`link_targets`, the pairs one after the other.
    """
    links = [
        link_targets(before, after, decided=decided, threshold=threshold)
        for before, after in _pairs(quantities)
        if (before["part"] == "plan").any()
    ]
    table = pd.concat(links, ignore_index=True) if links else pd.DataFrame(columns=list(COLUMNS))
    table.attrs["settings"] = {"function": "link_chain", "threshold": threshold, "decided": decided is not None}
    return table


def _pairs(quantities: pd.DataFrame) -> Iterator[tuple[pd.DataFrame, pd.DataFrame]]:
    """Yield the quantities of each two reports of one place and consecutive years."""
    for _, place in quantities.groupby("place", sort=True):
        years = sorted(set(place["year"].tolist()))
        for year in years:
            if year + 1 in years:
                yield place[place["year"] == year], place[place["year"] == year + 1]


def growth_claims(quantities: pd.DataFrame, *, threshold: float = 0.5) -> pd.DataFrame:
    """Set growth as claimed in a review against the growth that the levels in two consecutive reports imply.

    A claim is used where its own sentence gives the level and names no other base than the year before, and the review of the
    year before gives the level of the same indicator in the same unit (家 and 家次, firms and visits to firms, are two), other
    than zero. What is printed is taken as rounded: both sides are intervals of half a unit of the last printed figure, 以上 and
    以内 leave the claim open to one side, and the two are reconcilable if the intervals meet. If not, the claim is "not
    reconcilable from the texts", which is not to say false: a comparable basis, a census or a new definition may lie between.

    Returns
    -------
    pandas.DataFrame
        `place, report, indicator, unit, value_before, value_after, claimed` (per cent, negative for a fall), `comparator,
        implied, implied_low, implied_high, verdict, start_before, start_after, start_claim, score`.
    """
    rows = [row for before, after in _pairs(quantities) for row in _claims(before, after, threshold)]
    table = pd.DataFrame(rows, columns=list(CLAIM_COLUMNS))
    table.attrs["settings"] = {"function": "growth_claims", "threshold": threshold}
    return table


def _claims(before: pd.DataFrame, after: pd.DataFrame, threshold: float) -> Iterator[dict[str, Any]]:
    """Yield the claims of one review that can be set against levels."""
    earlier, later = (table[(table["part"] == "review") & (table["kind"] == "level")] for table in (before, after))
    since = (after["part"] == "review") & (after["role"] == "result")
    growth = after[since & (after["kind"] == "growth") & (after["unit"] == "%")]
    growth = growth.merge(later, on=["sentence", "indicator"], suffixes=("", "_level"))
    growth = growth[growth["start_level"] < growth["start"]].drop_duplicates("start", keep="last")
    if growth.empty or earlier.empty:
        return
    level = growth[["indicator", "unit_level"]].rename(columns={"unit_level": "unit"})
    matrix = similarity(level["indicator"], earlier["indicator"]) * equal(growth["unit_level"], earlier["unit"])
    for i, j in partners(matrix):
        if matrix[i, j] >= threshold and earlier["value"].iloc[j] > 0:
            yield _claim(growth.iloc[i], earlier.iloc[j], float(matrix[i, j]))


def _claim(claim: pd.Series[Any], before: pd.Series[Any], score: float) -> dict[str, Any]:
    """Return one claim beside what the levels imply."""
    old, new = before["value"], claim["value_level"]
    half_old, half_new = _half(before["surface"], old), _half(claim["surface_level"], new)
    low = ((new - half_new) / (old + half_old) - 1) * 100
    high = ((claim["value_high_level"] + half_new) / (old - half_old) - 1) * 100 if old > half_old else math.inf
    said = claim["sign"] * claim["value"]
    half = _half(claim["surface"], claim["value"])
    least, most = claim["value"] - half, claim["value_high"] + half
    least, most = (least, math.inf) if claim["comparator"] in ("≥", ">") else (least, most)
    least, most = (-math.inf, most) if claim["comparator"] in ("≤", "<") else (least, most)
    least, most = (least, most) if claim["sign"] > 0 else (-most, -least)
    met = low <= most and high >= least
    return {
        "place": claim["place"], "report": claim["report"], "indicator": claim["indicator"], "unit": claim["unit_level"],
        "value_before": old, "value_after": new, "claimed": said, "comparator": claim["comparator"],
        "implied": (new / old - 1) * 100 if old else math.nan, "implied_low": low, "implied_high": high,
        "verdict": "reconcilable" if met else "not reconcilable from the texts",
        "start_before": before["start"], "start_after": claim["start_level"], "start_claim": claim["start"], "score": score,
    }  # fmt: skip


def _half(surface: str, value: float) -> float:
    """Return half a unit of the last figure printed: 6.5 gives 0.05, 1.55万 gives 50.

    >>> _half("6.5%", 6.5), _half("1.55万户", 15500.0), _half("823件", 823.0)
    (0.05, 50.0, 0.5)
    """
    figures = re.match(r"[\d,_]+(?:\.(\d+))?", surface)
    if not figures:
        return 0.0
    printed = float(re.sub("[,_]", "", figures.group()))
    scale = value / printed if printed else 1.0
    return float(0.5 * scale * 10.0 ** -len(figures[1] or ""))


def unchanged(quantities: pd.DataFrame, *, part: str = "review", threshold: float = 0.35) -> pd.DataFrame:
    """List figures that stand unchanged for the same indicator in two consecutive reports.

    In reviews these are figures carried over, in plans targets announced again; `part` is review, plan or both.

    Returns
    -------
    pandas.DataFrame
        `place, report_before, report_after, part, indicator, indicator_after, value, unit, text` (as the later report prints
        it), `start_before, start_after, score`.
    """
    if part == "both":
        tables = [unchanged(quantities, part=one, threshold=threshold) for one in ("review", "plan")]
        table = pd.concat([one for one in tables if len(one)] or tables[:1], ignore_index=True)
        table.attrs["settings"] = {"function": "unchanged", "part": part, "threshold": threshold}
        return table
    rows = []
    for pair in _pairs(quantities):
        before, after = (table[(table["part"] == part) & table["kind"].isin(["level", "growth", "share"])] for table in pair)
        same = np.logical_and.reduce([equal(before[name], after[name]) for name in ("value", "unit", "sign", "kind")])
        matrix = similarity(before["indicator"], after["indicator"]) * same
        for i, j in partners(matrix):
            if matrix[i, j] >= threshold:
                one, two = before.iloc[i], after.iloc[j]
                value = one["sign"] * one["value"]
                rows.append((
                    one["place"], one["report"], two["report"], part, one["indicator"], two["indicator"], value, one["unit"],
                    two["surface"], one["start"], two["start"], float(matrix[i, j]),
                ))  # fmt: skip
    table = pd.DataFrame(rows, columns=list(UNCHANGED_COLUMNS))
    table.attrs["settings"] = {"function": "unchanged", "part": part, "threshold": threshold}
    return table
