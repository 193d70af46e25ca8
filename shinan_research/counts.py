"""Count: occurrences by chapter, and tokens by block, each with the totals they are shares of."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from .errors import ShinanError
from .occurrences import CHAPTER
from .outline import PARTS
from .strata import strata_of, stratum_of

SCOPES = {
    "body": ("opening", "review", "plan", "closing"),
    "review": ("review",),
    "plan": ("plan",),
    "annex": ("annex",),
}
TEXT_UNITS = ("block", "sentence", "chapter")
UNITS = (*TEXT_UNITS, "report")
FEWEST_PLACES = 10  # with fewer, what lies between places is described, not estimated

Group = int | str | tuple[str, int]


class Counts(NamedTuple):
    """Counts per unit of text (block, sentence or chapter), or per report.

    `x` is a sparse matrix of integers, units × terms; `n` the test total of each unit; `han` its Han characters; `after`
    says which of the two groups it belongs to; `chapter` and `stratum` are integer codes per unit; `heads` counts, per
    term, the occurrences in headings. Where the unit is the report `chapter` is the code of its place, and `paired` says
    whether the reports of a place are compared with each other.
    """

    terms: list[str]
    x: sparse.csr_array
    n: NDArray[np.float64]
    han: NDArray[np.float64]
    after: NDArray[np.bool_]
    chapter: NDArray[np.int64]
    stratum: NDArray[np.int64]
    heads: NDArray[np.int64]
    paired: bool = False


def count(occurrences: pd.DataFrame) -> pd.DataFrame:
    """Count occurrences by chapter, zeros included.

    Parameters
    ----------
    occurrences
        The table of :func:`~shinan_research.occurrences.occurrences`.

    Returns
    -------
    pandas.DataFrame
        `term, report, place, year, part, chapter, chapter_title, han, count, other`, one row per term and chapter; the counts
        of a term over the chapters of a scope sum to the counts of `compare`. `other` counts the occurrences whose coded
        sense is not the term's commonest.
    """
    keys = ["term", *CHAPTER, "han"]
    grouped = occurrences.assign(other=_other(occurrences)).groupby(keys, sort=False, observed=True)
    table = grouped.agg(count=("start", "count"), other=("other", "sum")).reset_index()
    table["part"] = pd.Categorical(table["part"], categories=PARTS, ordered=True)
    table = table.sort_values(["term", "year", "report", "chapter"], kind="stable", ignore_index=True)
    table.attrs["settings"] = dict(occurrences.attrs.get("settings", {}))
    return table


def cells(found: pd.DataFrame) -> pd.DataFrame:
    """Count occurrences by chapter, zeros included, with how many of them touch a restored character.

    Returns
    -------
    pandas.DataFrame
        The table of :func:`count`, with `restored`.
    """
    table = count(found)
    restored = found.groupby(["term", "report", "chapter"], observed=True)["restored"].sum().rename("restored").reset_index()
    return table.merge(restored, on=["term", "report", "chapter"], how="left", validate="one_to_one")


def _other(occurrences: pd.DataFrame) -> pd.Series[bool]:
    """Return which occurrences have a coded sense that is not the commonest of their term."""
    terms = occurrences["term"].astype(str)
    coded = occurrences["sense"] != ""
    sizes = occurrences[coded].groupby([terms[coded].rename("name"), "sense"]).size().rename("n").reset_index()
    sizes = sizes.sort_values(["name", "n", "sense"], ascending=[True, False, True], kind="stable")
    main = terms.map(sizes.drop_duplicates("name").set_index("name")["sense"])
    return coded & (occurrences["sense"] != main)


def dispersion(occurrences: pd.DataFrame) -> pd.DataFrame:
    """Measure how evenly each term is spread over the chapters of each report.

    Returns
    -------
    pandas.DataFrame
        `term, report, count, chapters, range` (chapters with the term), `dp`: Gries' deviation of proportions, 0 (spread
        like the text) to 1 (in one small place); missing where the term does not occur (Gries 2008, Int. J. Corpus
        Linguistics 13).
    """
    rows = []
    for (term, report), group in count(occurrences).groupby(["term", "report"], sort=False, observed=True):
        total = int(group["count"].sum())
        share = group["han"] / group["han"].sum()
        dp = float((group["count"] / total - share).abs().sum() / 2) if total else float("nan")
        rows.append((term, report, total, len(group), int((group["count"] > 0).sum()), dp))
    return pd.DataFrame(rows, columns=["term", "report", "count", "chapters", "range", "dp"])


def belongs(tokens: pd.DataFrame, group: Group) -> pd.Series[bool]:
    """Return which rows belong to a group: a year, a report id, or a place and a year.

    Raises
    ------
    ShinanError
        If no row does, and the message lists what there is; if the table has no such columns, or the group is none of these.
    """
    lacking = [name for name in ("report", "place", "year") if name not in getattr(tokens, "columns", ())]
    if lacking:
        raise ShinanError(f"This is no table of tokens: it has no column {lacking[0]}. Pass tokenize(outline(reports)).")
    if not (isinstance(group, int | np.integer | str) or (isinstance(group, tuple) and len(group) == 2)):
        raise ShinanError(f'{group!r} is no group. Name a year, a report id, or a place and a year, as in ("A", 2031).')
    if isinstance(group, tuple):
        chosen = (tokens["place"] == group[0]) & (tokens["year"] == group[1])
    elif isinstance(group, str):
        chosen = tokens["report"] == group
    else:
        chosen = tokens["year"] == group
    if not chosen.any():
        years = ", ".join(map(str, sorted(tokens["year"].unique())))
        hint = " A year is written without quotation marks." if str(group).isdecimal() and isinstance(group, str) else ""
        raise ShinanError(
            f"No report for {group!r}. Years present: {years or 'none'}. Reports present: "
            f"{', '.join(sorted(tokens['report'].unique())) or 'none'}.{hint}"
        )
    return chosen


def group_label(group: Group) -> str:
    """Return a group's name as tables and figures print it."""
    return " ".join(map(str, group)) if isinstance(group, tuple) else str(group)


def between_places(before: str, after: str) -> bool:
    """Return whether two labels, a place and a year each, name two places: nothing changes, rises or falls between them.

    >>> between_places("甲县 2001", "乙县-2002"), between_places("2001", "2002")
    (True, False)
    """
    places = [re.sub(r"[- ]?\d{4}$", "", label) for label in (before, after)]
    return all(places) and places[0] != places[1]


def is_named(rows: pd.DataFrame, label: str) -> pd.Series[bool]:
    """Return which rows belong to the group of that label: the way back from :func:`group_label`."""
    place_and_year = rows["place"].astype(str) + " " + rows["year"].astype(str)
    return (rows["year"].astype(str) == label) | (rows["report"].astype(str) == label) | (place_and_year == label)


def count_units(
    tokens: pd.DataFrame,
    found: pd.DataFrame | None,
    before: Group,
    after: Group,
    *,
    scope: str,
    unit: str,
    headings: bool,
    strata: pd.DataFrame | None,
) -> Counts:
    """Count terms per unit of text for two groups of reports.

    `tokens` may be what was counted report by report (:func:`~shinan_research.tallies.stack`), headings included; the unit is
    then the report, and what is called a chapter is the place. Reports are paired by place where ten places, and half of those
    of the smaller group, have reports in both. `found` is an occurrence table, and the totals are then Han
    characters; without one the vocabulary is counted, and the totals are tokens of kind word or term. `strata` has the
    columns `report, chapter, stratum`; chapters without a row form one stratum with the
    rest of their part (opening with opening, closing with closing).

    Raises
    ------
    ShinanError
        If a group is absent, the two groups share a report, or the scope holds no text in one of them.
    """
    _check_unit(unit, tokens)
    if "total" in tokens:
        return _count_reports(tokens, before, after, scope)
    first, second = belongs(tokens, before), belongs(tokens, after)
    if (first & second).any():
        raise ShinanError(f"{before!r} and {after!r} name the same report. Compare two different reports.")
    chosen = (first | second) & tokens["part"].isin(_parts(scope))
    chosen &= headings | ~tokens["heading"]
    keys = ["report", "place" if unit == "report" else unit]
    body = tokens.loc[chosen, list(dict.fromkeys([*keys, "chapter", "part", "han", "kind", "term", "heading"]))]
    body = body.assign(after=second[chosen])
    grouped = body.groupby(keys, sort=True)
    units = grouped.agg(after=("after", "first"), chapter=("chapter", "first"), part=("part", "first"), han=("han", "sum"))
    is_word, place = body["kind"].isin(["word", "term"]).to_numpy(), grouped.ngroup().to_numpy()
    words = pd.Series(np.bincount(place[is_word], minlength=len(units)), index=units.index)
    _check_text(units, words, found, f"{scope!r} holds no", (before, after))
    source = body[is_word] if found is None else _hits(found, body, headings)
    names = source["term"].astype("category").cat
    terms = sorted(map(str, source["term"].unique())) if found is None else [str(term) for term in found["term"].cat.categories]
    row = place[is_word] if found is None else units.index.get_indexer(pd.MultiIndex.from_frame(source[keys]))
    column = pd.Index(terms).get_indexer(pd.Index(names.categories.astype(str)))[names.codes]
    shape = (len(units), len(terms))
    x = sparse.coo_array((np.ones(len(row), dtype=np.int64), (row, column)), shape=shape).tocsr()
    x.sum_duplicates()
    chapter, stratum = _codes(units, unit, strata)
    after_each = units["after"].to_numpy(dtype=bool)
    return Counts(
        terms=terms, x=x, n=np.asarray(words if found is None else units["han"], dtype=np.float64),
        han=units["han"].to_numpy(dtype=float), after=after_each, chapter=chapter, stratum=stratum,
        heads=np.bincount(column[source["heading"].to_numpy(dtype=bool)], minlength=len(terms)),
        paired=unit == "report" and _paired(chapter, after_each),
    )  # fmt: skip


def _codes(units: pd.DataFrame, unit: str, strata: pd.DataFrame | None) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return chapter and stratum of each unit; of reports, the place, and one stratum."""
    if unit == "report":
        return pd.factorize(units.index.get_level_values("place"))[0], np.zeros(len(units), dtype=np.int64)
    chapter = pd.DataFrame({"report": units.index.get_level_values("report"), "chapter": units["chapter"].to_numpy()})
    codes = pd.factorize(pd.MultiIndex.from_frame(chapter))[0]
    return codes, strata_of(chapter.assign(part=units["part"].astype(str).to_numpy()), strata)


def _check_unit(unit: str, tokens: pd.DataFrame) -> None:
    """Refuse a unit that there is not, or that the table does not have."""
    if unit not in UNITS:
        raise ShinanError(f"unit is {unit!r}; allowed: {', '.join(UNITS)}.")
    if unit != "report" and "total" in tokens:
        raise ShinanError(f"Reports counted one by one (tally, stack) hold no {unit}. Compare them with unit='report'.")


def unit_of(tokens: pd.DataFrame, before: Group, after: Group, unit: str) -> str:
    """Return the unit of a comparison: where a group holds several reports it is the report, whatever was asked for.

    Sentences of one report are no independent draws from a group of reports: what one report says, its neighbours copy.
    """
    _check_unit(unit, tokens)
    reports = tokens
    if "total" in tokens and isinstance(tokens["report"].dtype, pd.CategoricalDtype):  # one row of each report is enough
        rows = np.zeros(len(tokens["report"].cat.categories), dtype=np.int64)
        rows[tokens["report"].cat.codes] = np.arange(len(tokens))
        reports = tokens.iloc[np.unique(rows)]
    each = [reports["report"][rows] for rows in [belongs(reports, group) for group in (before, after)]]
    return "report" if any((names != names.iloc[0]).any() for names in each) else unit


def places_compared(counts: Counts) -> int:
    """Return how many places reports are compared over: those in both groups if paired, else those of the smaller group."""
    first, second = (set(counts.chapter[side].tolist()) for side in (~counts.after, counts.after))
    return len(first & second) if counts.paired else min(len(first), len(second))


def _paired(place: NDArray[np.int64], after: NDArray[np.bool_]) -> bool:
    """Return whether enough places have reports in both groups to be compared with themselves."""
    first, second = set(place[~after].tolist()), set(place[after].tolist())
    return len(first & second) >= max(FEWEST_PLACES, min(len(first), len(second)) / 2)


def _count_reports(tallies: pd.DataFrame, before: Group, after: Group, scope: str) -> Counts:
    """Count terms per report out of what was counted report by report."""
    code, part, words = (tallies[name].cat.codes.to_numpy() for name in ("report", "part", "term"))
    cell = code.astype(np.int64) * len(PARTS) + part  # a part of a report: its totals stand in each of its rows
    last = np.full((len(tallies["report"].cat.categories), len(PARTS)), -1)
    last.reshape(-1)[cell] = np.arange(len(cell))
    present = np.flatnonzero(last.max(axis=1) >= 0)
    reports = tallies.iloc[last[present].max(axis=1)]
    first, second = (belongs(reports, group).to_numpy() for group in (before, after))
    if (first & second).any():
        raise ShinanError(f"{before!r} and {after!r} name the same report. Compare two different reports.")
    inside = (last[present] >= 0) & (first | second)[:, None] & np.isin(PARTS, _parts(scope))
    found = np.flatnonzero(inside.any(axis=1))
    chosen, number = np.zeros(last.shape, dtype=bool), np.zeros(len(last), dtype=np.int32)
    chosen[present], number[present[found]] = inside, np.arange(len(found))
    rows = np.flatnonzero(chosen.reshape(-1)[cell])
    where = last[present[found]]
    n, han = (
        np.where(inside[found], tallies[name].to_numpy()[where], 0).sum(axis=1).astype(np.float64) for name in ("total", "han")
    )
    after_each = second[found]
    _check_text(pd.DataFrame({"after": after_each, "han": han}), pd.Series(n), None, f"{scope!r} holds no", (before, after))
    terms, term = _renumbered(words[rows])
    report, heads = number[code[rows]], tallies["heads"].to_numpy()[rows]
    x = sparse.coo_array((tallies["count"].to_numpy()[rows].astype(np.int64), (report, term)), shape=(len(found), len(terms)))
    headed = np.flatnonzero(heads)
    places = np.unique(reports["place"].cat.codes.to_numpy()[found], return_inverse=True)[1]
    return Counts(
        terms=tallies["term"].cat.categories[terms].tolist(), x=x.tocsc().tocsr(), n=n, han=han, after=after_each, chapter=places,
        stratum=np.zeros(len(found), dtype=np.int64), paired=_paired(places, after_each),
        heads=np.bincount(term[headed], heads[headed], minlength=len(terms)).astype(np.int64),
    )  # fmt: skip


def _renumbered(codes: NDArray[Any]) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Return the codes that occur, ascending, and each code's place among them, without sorting."""
    occurs = np.zeros(int(codes.max(initial=-1)) + 1, dtype=bool)
    occurs[codes] = True
    return np.flatnonzero(occurs), (np.cumsum(occurs, dtype=np.int32) - 1).astype(np.int32)[codes]


def _parts(scope: str) -> Sequence[str]:
    if scope not in SCOPES:
        raise ShinanError(f"scope is {scope!r}; allowed: {', '.join(SCOPES)}. Body and annex are never pooled.")
    return SCOPES[scope]


def _check_text(
    units: pd.DataFrame, words: pd.Series[int], found: pd.DataFrame | None, holds: str, groups: tuple[Group, Group]
) -> None:
    """Refuse a scope that one group lacks, or that holds nothing there to be a share of."""
    total = words if found is None else units["han"]
    sizes = total.groupby(units["after"]).sum()
    if len(sizes) < 2 or (units.groupby("after")["han"].sum() == 0).any() or (sizes == 0).any():
        what = "text" if len(sizes) < 2 else "word" if found is None else "Han character"
        raise ShinanError(f"The scope {holds} {what} in {groups[0]!r} or {groups[1]!r}; nothing can be compared there.")


def _hits(found: pd.DataFrame, body: pd.DataFrame, headings: bool) -> pd.DataFrame:
    """Return the occurrences that stand in the chosen reports and parts."""
    inside = found["report"].isin(body["report"].unique()) & found["part"].isin(body["part"].unique())
    return found[inside & found["start"].notna() & (headings | ~found["heading"])]


def matching(tokens: pd.DataFrame, before: Group, after: Group, strata: pd.DataFrame | None) -> pd.DataFrame:
    """List what a comparison of the body sets beside what: one row per stratum, with its chapters and their length.

    Parameters
    ----------
    tokens
        The table of :func:`~shinan_research.tokens.tokenize`.
    before, after
        The groups compared.
    strata
        Matched chapters: `report, chapter, stratum`; None says that the whole text is one stratum.

    Returns
    -------
    pandas.DataFrame
        `stratum, chapters_before, chapters_after, han_before, han_after`: the titles of the chapters (their numbers where they
        have none) in either group, and Han characters; a stratum with no chapters on one side has no counterpart.
    """
    rows = tokens[tokens["part"].isin(SCOPES["body"]) & (belongs(tokens, before) | belongs(tokens, after))]
    rows = rows.assign(side=np.where(belongs(rows, after), "after", "before"))
    keys = ["report", "side", "part", "chapter", "chapter_title"]
    chapters = rows.groupby(keys, sort=False, observed=True)["han"].sum().reset_index()
    codes = strata_of(chapters[["report", "chapter"]].assign(part=chapters["part"].astype(str)), strata)
    names = chapters["chapter_title"].astype(str).where(chapters["chapter_title"] != "", chapters["chapter"].astype(str))
    named: dict[int, str] = {}
    if strata is not None and len(strata):
        merged = stratum_of(chapters, strata)
        named = dict(zip(codes.tolist(), merged.where(merged.notna(), chapters["part"].astype(str)), strict=True))
    table = chapters.assign(code=codes, title=names).groupby(["code", "side"], sort=False).agg(
        chapters=("title", " / ".join), han=("han", "sum")
    ).unstack()  # fmt: skip
    wide = pd.DataFrame({"stratum": [named.get(code, "all text") for code in table.index]})
    for name, empty in (("chapters", ""), ("han", 0)):
        for side in ("before", "after"):
            wide[f"{name}_{side}"] = table[name].get(side, pd.Series(empty, table.index)).fillna(empty).to_numpy()
    return wide.astype({"han_before": int, "han_after": int})
