"""What the authors themselves write chapters about: shares of the body's characters, no model."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pandas as pd

from .counts import SCOPES, Group, belongs, group_label
from .errors import ShinanError
from .messages import say
from .occurrences import judges_of
from .strata import stratum_of

NUMBER = re.compile(r"^\s*(?:[(（]?[一二三四五六七八九十]{1,3}[)）、.．]+|第[一二三四五六七八九十]{1,3}部分)\s*")
YEAR = re.compile(r"^\d{4}年")
COLUMNS = (
    "stratum", "part", "chapters_before", "chapters_after", "titles_before", "titles_after", "before", "after", "han_before",
    "han_after", "total_before", "total_after", "share_before", "share_after", "shift",
)  # fmt: skip
JOINED = " + "
CLAUSE = re.compile(r"[,，。:：]")


def attention(tokens: pd.DataFrame, before: Group, after: Group, *, strata: pd.DataFrame | None = None) -> pd.DataFrame:
    """Say which share of the body each chapter has, before and after.

    A chapter and its heading are what the authors call a topic. The shares are counted, not estimated: they have no interval.
    The body is all but the annex.

    Parameters
    ----------
    tokens
        The table of :func:`~shinan_research.tokens.tokenize`.
    before, after
        A year, a report id, or a place and a year.
    strata
        Matched chapters: `report, chapter, stratum`; chapters that are not named there stand alone. Without, chapters are
        matched that have the same part and the same title but for its number and its year.

    Returns
    -------
    pandas.DataFrame
        One row per matched chapter in the order of the first report, then what only the second has: `stratum, part` (of the
        first chapter), `chapters_*` (how many chapters), `titles_*`, `before, after` (names of the groups), `han_*` (Han
        characters), `total_*` (of the body), `share_*`, `shift` (share after minus before).

    Raises
    ------
    ShinanError
        If a group is absent or empty, both are the same, or the strata lack a column.
    """
    first, second = belongs(tokens, before), belongs(tokens, after)
    if (first & second).any():
        raise ShinanError(f"{before!r} and {after!r} name the same report. Compare two different reports.")
    body = tokens[(first | second) & tokens["part"].isin(SCOPES["body"])]
    keys = ["report", "chapter"]
    chapters = body.assign(after=second[body.index]).groupby(keys, sort=False, as_index=False).agg(
        year=("year", "first"), part=("part", "first"), title=("chapter_title", "first"), after=("after", "first"),
        han=("han", "sum"),
    )  # fmt: skip
    totals = chapters.groupby("after")["han"].sum()
    if len(totals) < 2 or (totals == 0).any():
        raise ShinanError(f"The body holds no text in {before!r} or {after!r}; no share can be given.")
    chapters = chapters.sort_values(["after", "year", "report", "chapter"], kind="stable", ignore_index=True)
    chapters["stratum"] = match_chapters(chapters, strata)
    rows = [_row(name, group) for name, group in chapters.groupby("stratum", sort=False)]
    table = pd.DataFrame(rows)
    for role, side, name in (("before", False, before), ("after", True, after)):
        table[role] = group_label(name)
        table[f"total_{role}"] = int(totals[side])
        table[f"share_{role}"] = table[f"han_{role}"] / int(totals[side])
    table["shift"] = table["share_after"] - table["share_before"]
    table = table[list(COLUMNS)]
    table.attrs["settings"] = dict(tokens.attrs.get("settings", {})) | {
        "function": "attention", "before": group_label(before), "after": group_label(after),
        "matched_by": "title" if strata is None or strata.empty else "strata", "strata_judges": judges_of(strata),
    }  # fmt: skip
    return table


def chapter_names(row: Mapping[Any, Any]) -> tuple[str, str]:
    """Return the first clause of a chapter's own title, without its year, and the name of its stratum; untitled, the part.

    A stratum that is named by that title needs no second name. What stands in review or plan under no title is the rest of
    the part, and called so: it is not the whole of it.
    """
    titles = str(row["titles_before"] or row["titles_after"])
    clause = CLAUSE.split(YEAR.sub("", NUMBER.sub("", titles.split(JOINED)[0]).strip()))[0]
    if not clause and row["part"] in ("review", "plan"):
        return say(f"rest.{row['part']}", "zh"), say(f"rest.{row['part']}", "en")
    stratum = str(row["stratum"])
    return clause or say(f"part.{row['part']}", "zh"), clause if clause and clause in stratum else stratum


def match_chapters(chapters: pd.DataFrame, strata: pd.DataFrame | None) -> pd.Series[str]:
    """Return the name of each chapter's stratum, given `report, chapter, part, title` in rows numbered from 0."""
    title = chapters["title"].astype(str).map(lambda words: YEAR.sub("", NUMBER.sub("", words)).strip())
    part = chapters["part"].astype(str)
    alone = part.where(title == "", title)
    if strata is None or strata.empty:
        return alone.where(~_clash(alone, part), part + " " + alone)
    found = stratum_of(chapters, strata)
    return found.where(found.notna(), alone).astype(str)


def _clash(name: pd.Series[str], part: pd.Series[str]) -> pd.Series[bool]:
    """Return which names stand in more than one part."""
    return part.groupby(name).transform("nunique") > 1


def _row(name: object, group: pd.DataFrame) -> dict[str, object]:
    """Return one stratum's chapters and characters."""
    row: dict[str, object] = {"stratum": str(name), "part": str(group["part"].iloc[0])}
    for role, side in (("before", False), ("after", True)):
        mine = group[group["after"] == side]
        titles = [words for words in mine["title"].astype(str) if words.strip()]
        row |= {f"chapters_{role}": len(mine), f"titles_{role}": JOINED.join(titles), f"han_{role}": int(mine["han"].sum())}
    return row
