"""Set a change beside the changes of the same term elsewhere: other governments' reports of the same years, and of any."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .counts import between_places
from .errors import ShinanError
from .reference import Integers, Reference, Weights, fingerprint, reference_from, shipped, total_of, weights_of
from .reports import NAME_YEAR, Report

Array = NDArray[np.float64]

COLUMNS = (
    "term", "against", "own", "place", "before", "after", "count_before", "count_after", "han_before", "han_after",
    "log2_ratio", "rank", "of", "pairs", "users", "p", "p_smallest", "outside", "eligible", "expected", "missing", "verdict",
)  # fmt: skip
NEEDED = ("term", "scope", "before", "after", "count_before", "count_after", "han_before", "han_after", "verdict")
WHOLE = ("count_before", "count_after", "han_before", "han_after", "rank", "of", "pairs", "users", "outside", "eligible")
NUMBERS = ("log2_ratio", "p", "p_smallest", "expected")
AGAINST = ("same years", "any years")
OWN_YEARS = "own years"
FEWEST_USERS = 10
FEWEST_REPORTS = 5  # of the place itself, for its other changes to be shown
FEWEST_CHANGES = 10  # of the place itself, for them to be a yardstick
OUTSIDE = 2 / 32
UNTESTED = ("too rare", "too concentrated", "description only")
OTHERS = {"province": "provinces", "own": "other years"}


class Pairs(NamedTuple):
    """Pairs of reports of one place, as positions in `Reference.reports`; `same` marks those of the study's years."""

    before: Integers
    after: Integers
    same: NDArray[np.bool_]

    def only(self, keep: NDArray[np.bool_]) -> Pairs:
        """Return the pairs chosen."""
        return Pairs(self.before[keep], self.after[keep], self.same[keep])


class Yardstick(NamedTuple):
    """Changes that a change is set beside: pairs of reports of a reference, under the name that the rows carry."""

    against: str
    reference: Reference
    pairs: Pairs


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

    @property
    def chance(self) -> float:
        """How often a change lies outside if all are alike: the largest reachable p that is small enough."""
        size = self.of + 1
        return float(min(1.0, 2 * np.floor(max(OUTSIDE, self.p_smallest) * size / 2 + 1e-9) / size))


def placebo(
    shift: pd.DataFrame,
    *,
    terms: pd.DataFrame | None = None,
    vocabulary: pd.DataFrame | None = None,
    reference: Reference | None = None,
    reports: Iterable[Report] = (),
    place: str = "",
) -> pd.DataFrame:
    """Set the change of each term beside its changes in the reports of other governments, body against body.

    A change is log2 of the ratio of rates, with 0.5 added to counts and 1 to Han characters, as in `compare`. It is ranked
    among the changes of the reference in the same years, and among those between any two years as far apart, wherever the term
    stands in either report: governments that do not use a term do not say how it changes. Provinces
    are another level of government: larger than theirs is just that, and not "more than an ordinary year".

    With `reports`, and five or more of the place compared, a third set holds the place's own other changes between years as far
    apart, all of them. Fewer than ten are shown and not judged. Neighbouring changes share a report, so that p is rough there.

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
    reports
        All reports of the study, restored as those compared are.
    place
        A name for the study's own rows. Reports of a place of that name, or of those compared, are left out of the reference;
        where there are any, the reference is of the study's own level.

    Returns
    -------
    pandas.DataFrame
        Per term and set (`against`: same years, any years, own years) a row of the study (`own`), then one per pair of the
        reference, with its change only. Own rows: `rank` (changes below this one), `of` (how many it is ranked among: in own
        years all `pairs`, else those that use the term), `users` (places that use the term at all in these reports), `p`
        (two-sided), `p_smallest` (the smallest reachable, 2 / (of + 1)), `outside` and `eligible` (words of `vocabulary` that
        lie outside, of how many; missing without it) and `expected` (how many would by chance), `missing` (strings that the
        reference did not look for), `verdict`. The verdict is *larger than in the provinces* if `p` ≤ 2/32 or cannot be
        smaller, else *within the range of the provinces*; with another reference, *the other places*; in own years, *the
        other years*, or *too few changes* (ranked, and no more than that). Without rank: *not informative* (fewer than ten
        users), *several reports* (groups of several are not set beside single reports), *too rare* and *too concentrated* (as
        in `shift`). Where no change is known: *not in the vocabulary*, *forms overlap* (their counts cannot be added up), *no
        reference for this comparison* (two places, and groups whose names hold no year, among them).

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
    if vocabulary is not None and _years(vocabulary) != (before, after):
        raise ShinanError(
            "The vocabulary compares other years than the terms. Pass compare of the same tokens, before and after."
        )
    weights, reports = weights_of(shift["term"].astype(str).tolist(), terms), list(reports)
    mine = _own(reference, {place}.union(*_compared_places(shift, reports)))
    reference = reference._replace(level="") if mine.any() else reference
    pairs = find_pairs(reference.reports, before, after)
    pairs = pairs.only(~mine[pairs.before])
    yardsticks = [Yardstick(AGAINST[0], reference, pairs.only(pairs.same)), Yardstick(AGAINST[1], reference, pairs)]
    words = [] if vocabulary is None else vocabulary["term"].astype(str).tolist()
    strings = [*(string for each in weights.values() for string in each or ()), *words]
    yardsticks += _own_years(shift, reports, strings, before, after)
    rows = []
    for yardstick in yardsticks:
        background = _background(vocabulary, yardstick)
        for record in shift.to_dict("records"):
            rows.append(_compared(record | {"place": place}, weights[str(record["term"])], yardstick, background))
    order = sorted(range(len(rows)), key=lambda number: number % len(shift))
    table = pd.DataFrame([row for number in order for row in rows[number]], columns=list(COLUMNS))
    table = table.astype(dict.fromkeys(WHOLE, "Int64") | dict.fromkeys(NUMBERS, float))
    table.attrs["settings"] = dict(shift.attrs.get("settings", {})) | {
        "function": "placebo", "rule": fingerprint(), "level": reference.level, "fewest_users": FEWEST_USERS,
        "places": int(reference.reports["place"][~mine].nunique()), "reports": int((~mine).sum()),
        "fewest_reports": FEWEST_REPORTS, "fewest_changes": FEWEST_CHANGES,
    }  # fmt: skip
    return table.astype({"own": bool, "missing": object, "verdict": object})


def _years(shift: pd.DataFrame) -> tuple[int, int]:
    """Return the two years that a table of `compare` compares, after checking that it is one.

    0 and 0 for two places, and for a name without a year.
    """
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
    labels = [str(shift[side].iloc[0]) for side in ("before", "after")]
    found = [NAME_YEAR.search(label) for label in labels]
    if None in found or between_places(*labels):
        return 0, 0
    first, second = (int(match["year"]) for match in found if match)
    return first, second


def _compared_places(shift: pd.DataFrame, reports: list[Report]) -> list[set[str]]:
    """Return the places of the reports that the labels of either side name."""
    return [
        {report.place for report in reports if label in (str(report.year), report.id, f"{report.place} {report.year}")}
        for label in (str(shift[side].iloc[0]) for side in ("before", "after"))
    ]


def _own(reference: Reference, places: set[str]) -> NDArray[np.bool_]:
    """Return which reports of a reference are of the study's own places, by a name that begins alike."""
    names = [name for name in places if len(name) > 1]
    return np.array([any(name.startswith(one) for one in names) for name in reference.reports["place"].astype(str)], dtype=bool)


def _own_years(shift: pd.DataFrame, reports: list[Report], strings: list[str], before: int, after: int) -> list[Yardstick]:
    """Return the other changes of the place that is compared with itself, if it has reports enough; else nothing."""
    sides = _compared_places(shift, reports)
    mine = [report for report in reports if {report.place} == sides[0] == sides[1]]
    if len({report.year for report in mine}) < FEWEST_REPORTS:
        return []
    reference = reference_from(mine, dict.fromkeys(strings), level="own")
    pairs = find_pairs(reference.reports, before, after)
    return [Yardstick(OWN_YEARS, reference, pairs.only(~pairs.same))]


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


def log2_change(a: Array, b: Array, han_before: Array, han_after: Array) -> Array:
    """Return log2 of the ratio of rates, with 0.5 added to counts and 1 to Han characters."""
    change: Array = np.log2((b + 0.5) / (han_after + 1)) - np.log2((a + 0.5) / (han_before + 1))
    return change


def _changes(total: Integers, yardstick: Yardstick) -> Array:
    """Return the change of a term between the two reports of every pair."""
    han, count = yardstick.reference.reports["han"].to_numpy(dtype=float), total.astype(float)
    first, second = yardstick.pairs.before, yardstick.pairs.after
    return log2_change(count[first], count[second], han[first], han[second])


def standing(change: float, others: Array) -> Standing:
    """Return where a change stands among others; a tie counts on both sides.

    >>> standing(3.0, np.array([1.0, 2.0, 2.5]))
    Standing(rank=3, of=3, p=0.5, p_smallest=0.5)
    """
    below, above = int((others < change - 1e-9).sum()), int((others > change + 1e-9).sum())
    size = len(others)
    tail = min(size - above, size - below) + 1
    return Standing(below, size, min(1.0, 2 * tail / (size + 1)), min(1.0, 2 / (size + 1)))


def _ranked(change: float, total: Integers, yardstick: Yardstick) -> tuple[Standing, int]:
    """Return where a change stands among those of pairs that use the term (of the place itself: among all), and its users."""
    first, second = yardstick.pairs.before, yardstick.pairs.after
    used = (total[first] > 0) | (total[second] > 0) | (yardstick.against == OWN_YEARS)
    reports = np.unique(np.concatenate([first, second]))
    users = int(yardstick.reference.reports["place"].iloc[reports[total[reports] > 0]].nunique())
    return standing(change, _changes(total, yardstick)[used]), users


def _informative(place: Standing, users: int, yardstick: Yardstick) -> bool:
    """Return whether there are enough governments that use a term, or enough changes of the place itself."""
    return place.of >= FEWEST_CHANGES if yardstick.against == OWN_YEARS else users >= FEWEST_USERS


def _background(vocabulary: pd.DataFrame | None, yardstick: Yardstick) -> dict[str, float]:
    """Return how many of the eligible ordinary words lie outside, of how many, and how many would by chance.

    Without a table of words, or where each side holds several reports, there is nothing to return.
    """
    if vocabulary is None or ("unit" in vocabulary and (vocabulary["unit"] == "report").any()):
        return {}
    rows = yardstick.reference.rows
    eligible = vocabulary[~vocabulary["verdict"].isin(UNTESTED) & vocabulary["term"].astype(str).isin(rows.keys())]
    places = []
    for row in eligible.to_dict("records"):
        place, users = _ranked(_own_change(row), total_of({str(row["term"]): 1}, yardstick.reference), yardstick)
        places += [place] if _informative(place, users, yardstick) else []
    expected = float(sum(place.chance for place in places))
    return {"outside": sum(place.outside for place in places), "eligible": len(places), "expected": expected}


def _own_change(row: Mapping[Any, Any]) -> float:
    """Return the change of a row of `compare`, per Han character whatever its totals were."""
    values = (np.float64(row[name]) for name in ("count_before", "count_after", "han_before", "han_after"))
    return float(log2_change(*values))  # type: ignore[arg-type]


def _compared(
    record: Mapping[Any, Any], weights: Weights | None, yardstick: Yardstick, background: Mapping[str, float]
) -> list[dict[str, Any]]:
    """Return the rows of one term and one set: the study's own, then the reference's."""
    names = ("term", "place", "before", "after", *WHOLE[:4])
    own = {name: record[name] for name in names} | {"against": yardstick.against, "own": True, "log2_ratio": _own_change(record)}
    missing = [string for string in sorted(weights or ()) if string not in yardstick.reference.rows]
    unknown = "forms overlap" if weights is None else "not in the vocabulary" if missing else ""
    unknown = unknown or ("" if len(yardstick.pairs.before) else "no reference for this comparison")
    if unknown or weights is None:
        return [own | {"verdict": unknown, "missing": " ".join(missing)}]
    total = total_of(weights, yardstick.reference)
    place, users = _ranked(own["log2_ratio"], total, yardstick)
    own |= {"of": place.of, "pairs": len(yardstick.pairs.before), "p_smallest": place.p_smallest, "missing": "", **background}
    own |= {} if yardstick.against == OWN_YEARS else {"users": users}
    own["verdict"] = _verdict(record, place, users, yardstick)
    if own["verdict"] not in ("not informative", "several reports", *UNTESTED):
        own |= {"rank": place.rank, "p": place.p}
    return [own, *_reference_rows(own, total, yardstick)]


def _verdict(record: Mapping[Any, Any], place: Standing, users: int, yardstick: Yardstick) -> str:
    """Return the verdict of a term that the reference knows, given its row of `compare`."""
    if record.get("unit") == "report":
        return "several reports"
    few = not _informative(place, users, yardstick)
    if few and yardstick.against != OWN_YEARS:
        return "not informative"
    if record["verdict"] in UNTESTED:
        return str(record["verdict"])
    if few:
        return "too few changes"
    who = OTHERS.get(yardstick.reference.level, "other places")
    return f"larger than in the {who}" if place.outside else f"within the range of the {who}"


def _reference_rows(own: Mapping[str, Any], total: Integers, yardstick: Yardstick) -> list[dict[str, Any]]:
    """Return a row for each pair of the reference, by place and year."""
    pairs, changes = yardstick.pairs, _changes(total, yardstick)
    places, years, han = (yardstick.reference.reports[name].tolist() for name in ("place", "year", "han"))
    return [
        {
            "term": own["term"], "against": own["against"], "own": False, "place": places[i], "before": str(years[i]),
            "after": str(years[j]), "count_before": int(total[i]), "count_after": int(total[j]), "han_before": han[i],
            "han_after": han[j], "log2_ratio": change, "missing": "", "verdict": "",
        }
        for i, j, change in zip(pairs.before.tolist(), pairs.after.tolist(), changes.tolist(), strict=True)
    ]  # fmt: skip
