"""Set a change beside the changes of the same term elsewhere: other governments' reports of the same years, and of any."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .errors import ShinanError
from .messages import say
from .occurrences import WIDE, as_terms
from .reference import Reference, fingerprint, overlap, shipped
from .reports import NAME_YEAR

Array = NDArray[np.float64]
Integers = NDArray[np.int64]
Weights = dict[str, int]

COLUMNS = (
    "term", "against", "own", "place", "before", "after", "count_before", "count_after", "han_before", "han_after",
    "log2_ratio", "rank", "of", "users", "in_use", "p", "p_smallest", "outside", "eligible", "missing", "verdict",
)  # fmt: skip
NEEDED = ("term", "scope", "before", "after", "count_before", "count_after", "han_before", "han_after", "verdict")
WHOLE = ("count_before", "count_after", "han_before", "han_after", "rank", "of", "users", "in_use", "outside", "eligible")
AGAINST = ("same years", "any years")
FEWEST_USERS = 10
OUTSIDE = 2 / 32
UNTESTED = ("too rare", "too concentrated", "description only")


class Pairs(NamedTuple):
    """Pairs of reports of one place, as positions in `Reference.reports`; `same` marks those of the study's years."""

    before: Integers
    after: Integers
    same: NDArray[np.bool_]


class Standing(NamedTuple):
    """Where a change stands among others: how many are smaller, of how many, two-sided p and the smallest p reachable."""

    rank: int
    of: int
    p: float
    p_smallest: float

    @property
    def outside(self) -> bool:
        """Whether the change lies outside: no more than two in 32 do by chance, or as few as can be told."""
        return self.p <= max(OUTSIDE, self.p_smallest) + 1e-12


def placebo(
    shift: pd.DataFrame,
    *,
    terms: pd.DataFrame | None = None,
    vocabulary: pd.DataFrame | None = None,
    reference: Reference | None = None,
    place: str = "",
) -> pd.DataFrame:
    """Set the change of each term beside its changes in the reports of other governments, body against body.

    A change is log2 of the ratio of rates, with 0.5 added to counts and 1 to Han characters, as in `compare`. It is ranked
    among the changes of the reference in the same years, and among those between any two years as far apart. Provinces
    are another level of government: larger than theirs is just that, and not "more than an ordinary year".

    Parameters
    ----------
    shift
        The table of :func:`~shinan_research.shifts.compare` for declared terms, scope body.
    terms
        The declared terms with their forms (:func:`~shinan_research.occurrences.as_terms`). Without, each term of `shift` is
        a string.
    vocabulary
        What `compare` says of ordinary words of the same pair, best counted as strings too: `compare(tokens, before, after,
        terms=words)` for the `words` of `compare(tokens, before, after)`. Its eligible words are ranked like the terms.
    reference
        By default the 31 provincial reports of each year from 2010 to 2023; others by
        :func:`~shinan_research.reference.reference_from`.
    place
        A name for the study's own rows.

    Returns
    -------
    pandas.DataFrame
        Per term and set (`against`: same years, any years) a row of the study (`own`), then one per pair of the
        reference, with its change only. Own rows: `rank` (changes of the reference below this one), `of`, `users` (places
        that use the term at all in these reports), `in_use` (pairs that do), `p` (two-sided), `p_smallest` (the smallest
        reachable, 2 / (of + 1)), `outside` and `eligible` (words of `vocabulary` that lie outside, of how many; missing
        without it), `missing` (strings that the reference did not look for), `verdict`. The verdict is *larger than in
        the provinces* if `p` ≤ 2/32 or cannot be smaller, else *within the range of the provinces*; with another
        reference, *the other places*. Without rank: *not informative* (fewer than ten users), *too rare*, *too
        concentrated* and *description only* (as in `shift`). Where no change is known: *not in
        the vocabulary*, *forms overlap* (their counts cannot be added up), *no reference for these years* (groups whose names
        hold no year, or are of one year, among them).

    Raises
    ------
    ShinanError
        If the table is not one of `compare`, or not of the body.

    Notes
    -----
    Placebo ranks: Abadie, Diamond and Hainmueller (2010). p never 0: Phipson and Smyth (2010).
    """
    reference = reference or shipped()
    before, after = _years(shift)
    pairs = find_pairs(reference.reports, before, after)
    weights = _weights(shift, terms)
    background = _background(vocabulary, shift, reference, pairs)
    rows = [
        row
        for record in shift.to_dict("records")
        for against in AGAINST
        for row in _compared(record | {"place": place}, weights[str(record["term"])], reference, pairs, against, background)
    ]
    table = pd.DataFrame(rows, columns=list(COLUMNS)).astype(dict.fromkeys(WHOLE, "Int64"))
    table.attrs["settings"] = dict(shift.attrs.get("settings", {})) | {
        "function": "placebo", "rule": fingerprint(), "level": reference.level, "fewest_users": FEWEST_USERS,
        "places": int(reference.reports["place"].nunique()), "reports": len(reference.reports),
    }  # fmt: skip
    return table.astype({"p": float, "p_smallest": float, "own": bool, "missing": object, "verdict": object})


def _years(shift: pd.DataFrame) -> tuple[int, int]:
    """Return the two years that a table of `compare` compares, after checking that it is one; 0 and 0 if a name holds none."""
    lacking = [name for name in NEEDED if name not in shift.columns]
    if lacking or shift.empty:
        raise ShinanError(
            f"placebo needs the table of compare; this one has no {lacking[0] if lacking else 'rows'}. Pass it whole."
        )
    if set(shift["scope"]) != {"body"}:
        raise ShinanError(
            f"The scope is {', '.join(sorted(set(shift['scope'])))}; other governments' reports are counted in the body alone. "
            'Pass compare(…, scope="body").'
        )
    found = [NAME_YEAR.search(str(shift[side].iloc[0])) for side in ("before", "after")]
    if None in found:
        return 0, 0
    first, second = (int(match["year"]) for match in found if match)
    return first, second


def find_pairs(reports: pd.DataFrame, before: int, after: int) -> Pairs:
    """Return the pairs of reports of one place that are as many years apart as `before` and `after`; none if these are equal."""
    places, years = reports["place"].tolist(), reports["year"].tolist()
    position = {(str(place), int(year)): number for number, (place, year) in enumerate(zip(places, years, strict=True))}
    gap = after - before
    pairs = [
        (number, position[place, year + gap], year == before)
        for (place, year), number in sorted(position.items())
        if gap and (place, year + gap) in position
    ]
    columns = np.array(pairs, dtype=np.int64).reshape(-1, 3)
    return Pairs(columns[:, 0], columns[:, 1], columns[:, 2].astype(bool))


def _weights(shift: pd.DataFrame, terms: pd.DataFrame | None) -> dict[str, Weights | None]:
    """Return per term of the table by which weights the counts of its strings add up."""
    names = shift["term"].astype(str).tolist()
    listed = as_terms(list(dict.fromkeys(names)) if terms is None else terms)
    answer: dict[str, Weights | None] = {name: {name: 1} for name in names}
    for name, rows in listed.groupby("term", sort=False):
        for reading, counted in ((str(name), ("form",)), (WIDE.format(name), ("form", "wide"))):
            chosen = rows[rows["role"].isin([*counted, "not"])]
            answer[reading] = form_weights(
                {form: int(role != "not") for form, role in zip(chosen["form"], chosen["role"], strict=True)}
            )
    return answer


def form_weights(values: Mapping[str, int]) -> Weights | None:
    """Return weights by which plain counts of strings add up to occurrences found longest first, never twice.

    `values` says of each string whether it counts (1) or hides what is in it (0). A string within another is counted in
    both, which the longer one's weight sets right; where two strings can share characters otherwise there are no weights.

    >>> form_weights({"改革": 1, "改革派": 0, "改革开放": 1})
    {'改革': 1, '改革派': -1}
    >>> form_weights({"中心": 1, "心中": 1}) is None
    True
    """
    ordered = sorted(values, key=lambda string: (len(string), string))
    if any(overlap(one, two) for one in ordered for two in ordered if one != two):
        return None
    weights: Weights = {}
    for string in ordered:
        weights[string] = values[string] - sum(weight * string.count(part) for part, weight in weights.items())
    return {string: weight for string, weight in weights.items() if weight}


def _total(weights: Weights, reference: Reference) -> Integers:
    """Return how often a term stands in each report of the reference."""
    total = np.zeros(len(reference.reports), dtype=np.int64)
    for string, weight in sorted(weights.items()):
        row = reference.rows[string]
        total += weight * reference.counts[row].astype(np.int64) if row >= 0 else 0
    return total


def log2_change(a: Array, b: Array, han_before: Array, han_after: Array) -> Array:
    """Return log2 of the ratio of rates, with 0.5 added to counts and 1 to Han characters."""
    change: Array = np.log2((b + 0.5) / (han_after + 1)) - np.log2((a + 0.5) / (han_before + 1))
    return change


def _changes(total: Integers, reference: Reference, pairs: Pairs) -> Array:
    """Return the change of a term between the two reports of every pair."""
    han = reference.reports["han"].to_numpy(dtype=float)
    count = total.astype(float)
    return log2_change(count[pairs.before], count[pairs.after], han[pairs.before], han[pairs.after])


def standing(change: float, others: Array) -> Standing:
    """Return where a change stands among others; a tie counts on both sides.

    >>> standing(3.0, np.array([1.0, 2.0, 2.5]))
    Standing(rank=3, of=3, p=0.5, p_smallest=0.5)
    """
    below, above = int((others < change - 1e-9).sum()), int((others > change + 1e-9).sum())
    size = len(others)
    tail = min(size - above, size - below) + 1
    return Standing(below, size, min(1.0, 2 * tail / (size + 1)), min(1.0, 2 / (size + 1)))


def _chosen(pairs: Pairs, against: str) -> Pairs:
    """Return the pairs of one set."""
    keep = pairs.same if against == "same years" else np.ones(len(pairs.same), dtype=bool)
    return Pairs(pairs.before[keep], pairs.after[keep], pairs.same[keep])


def _users(total: Integers, reference: Reference, pairs: Pairs) -> int:
    """Return how many places use a term in any report of these pairs."""
    reports = np.unique(np.concatenate([pairs.before, pairs.after]))
    return int(reference.reports["place"].iloc[reports[total[reports] > 0]].nunique())


def _background(
    vocabulary: pd.DataFrame | None, shift: pd.DataFrame, reference: Reference, pairs: Pairs
) -> dict[str, dict[str, int]]:
    """Return per set how many of the eligible ordinary words lie outside, and of how many; nothing without a table of them."""
    if vocabulary is None:
        return {}
    if _years(vocabulary) != _years(shift):
        raise ShinanError(
            "The vocabulary compares other years than the terms. Pass compare of the same tokens, before and after."
        )
    answer = {against: {"outside": 0, "eligible": 0} for against in AGAINST}
    eligible = vocabulary[~vocabulary["verdict"].isin(UNTESTED) & vocabulary["term"].astype(str).isin(reference.rows.keys())]
    for row in eligible.to_dict("records"):
        total = _total({str(row["term"]): 1}, reference)
        for against in AGAINST:
            chosen = _chosen(pairs, against)
            if _users(total, reference, chosen) >= FEWEST_USERS:
                answer[against]["eligible"] += 1
                answer[against]["outside"] += standing(_own_change(row), _changes(total, reference, chosen)).outside
    return answer


def _own_change(row: Mapping[Any, Any]) -> float:
    """Return the change of a row of `compare`, per Han character whatever its totals were."""
    values = (np.float64(row[name]) for name in ("count_before", "count_after", "han_before", "han_after"))
    return float(log2_change(*values))  # type: ignore[arg-type]


def _compared(
    record: Mapping[Any, Any],
    weights: Weights | None,
    reference: Reference,
    pairs: Pairs,
    against: str,
    background: Mapping[str, dict[str, int]],
) -> list[dict[str, Any]]:
    """Return the rows of one term and one set: the study's own, then the reference's."""
    names = ("term", "place", "before", "after", *WHOLE[:4])
    own = {name: record[name] for name in names} | {"against": against, "own": True, "log2_ratio": _own_change(record)}
    chosen = _chosen(pairs, against)
    missing = [string for string in sorted(weights or ()) if string not in reference.rows]
    unknown = "forms overlap" if weights is None else "not in the vocabulary" if missing else ""
    unknown = unknown or ("" if len(chosen.before) else "no reference for these years")
    if unknown or weights is None:
        return [own | {"verdict": unknown, "missing": " ".join(missing)}]
    total = _total(weights, reference)
    users = _users(total, reference, chosen)
    in_use = int(((total[chosen.before] > 0) | (total[chosen.after] > 0)).sum())
    changes = _changes(total, reference, chosen)
    place = standing(own["log2_ratio"], changes)
    own |= {"users": users, "in_use": in_use, "of": place.of, "p_smallest": place.p_smallest, "missing": ""}
    own |= background.get(against, {})
    own["verdict"] = _verdict(str(record["verdict"]), place, users, reference)
    if own["verdict"] not in ("not informative", *UNTESTED):
        own |= {"rank": place.rank, "p": place.p}
    return [own, *_reference_rows(own, total, changes, reference, chosen)]


def _verdict(tested: str, place: Standing, users: int, reference: Reference) -> str:
    """Return the verdict of a term that the reference knows, given that of `compare`."""
    if users < FEWEST_USERS:
        return "not informative"
    if tested in UNTESTED:
        return tested
    who = "provinces" if reference.level == "province" else "other places"
    return f"larger than in the {who}" if place.outside else f"within the range of the {who}"


def _reference_rows(
    own: Mapping[str, Any], total: Integers, changes: Array, reference: Reference, pairs: Pairs
) -> list[dict[str, Any]]:
    """Return a row for each pair of the reference, by place and year."""
    places, years, han = (reference.reports[name].tolist() for name in ("place", "year", "han"))
    return [
        {
            "term": own["term"], "against": own["against"], "own": False, "place": places[i], "before": str(years[i]),
            "after": str(years[j]), "count_before": int(total[i]), "count_after": int(total[j]), "han_before": han[i],
            "han_after": han[j], "log2_ratio": change, "missing": "", "verdict": "",
        }
        for i, j, change in zip(pairs.before.tolist(), pairs.after.tolist(), changes.tolist(), strict=True)
    ]  # fmt: skip


def describe(row: Mapping[Any, Any], language: str = "en") -> str:
    """Say in plain words where a study's own row of :func:`placebo` stands, and how many ordinary words stand as far out."""
    verdict = say(f"placebo.verdict.{row['verdict']}", language)
    if pd.isna(row["rank"]):
        users = "" if pd.isna(row["users"]) else say("placebo.users", language, users=row["users"])
        missing = f" ({row['missing']})" if row["missing"] else ""
        return say("placebo.unranked", language, term=row["term"], verdict=verdict + missing, users=users)
    values = {name: row[name] for name in ("term", "rank", "of", "users")} | {"verdict": verdict}
    values |= {"against": say(f"placebo.against.{row['against']}", language)}
    values |= {name: f"{row[name]:.3g}" for name in ("p", "p_smallest")} | {"size": row["of"] + 1}
    text = say("placebo.ranked", language, **values)
    if pd.isna(row["eligible"]) or not row["eligible"]:
        return text
    share, must = 100 * row["outside"] / row["eligible"], 100 * max(OUTSIDE, row["p_smallest"])
    background = say(
        "placebo.background", language, outside=row["outside"], eligible=row["eligible"], share=f"{share:.0f}", must=f"{must:.0f}"
    )
    return text + ("" if language == "zh" else " ") + background
