"""Say in plain words what a row of a table shows, what its interval says, and what may not be written."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pandas as pd

from .counts import between_places, is_named
from .errors import ShinanError
from .messages import say, who
from .occurrences import WIDE, occurrences

SIDES = ("before", "after")
NEEDED = (
    "term", "scope", "before", "after", "count_before", "count_after", "rate_before", "rate_after", "log2_ratio", "log2_matched",
    "matched_before", "matched_after", "low", "high", "p_adjusted", "p_without_chapter", "p_unmatched", "p_readings", "blocks",
    "detectable_ratio", "hangs_on", "verdict",
)  # fmt: skip
UNTESTED = ("too rare", "too concentrated", "description only")


def explain(row: Mapping[Any, Any], language: str = "en") -> str:
    """Explain one row of :func:`~shinan_research.shifts.compare` in three sentences or so.

    First what is a fact, then what the interval and the test say and of which population, then what may not be
    written.

    Parameters
    ----------
    row
        A row as a mapping or a pandas Series.
    language
        zh or en.

    Returns
    -------
    str
        Plain text, its numbers taken from the row.

    Raises
    ------
    ShinanError
        If the row lacks a column of `compare`.
    """
    lacking = [name for name in NEEDED if name not in row]
    if lacking:
        raise ShinanError(f"explain needs a whole row of compare; this one has no {lacking[0]}. Take it by table.iloc[0].")
    values = row_values(row, language)
    if values["total"] == "0":
        return say("explain.absent", language, **values)
    parts = [say(f"{_many(row)}explain.fact", language, **values)]
    verdict = str(row["verdict"])
    if verdict not in UNTESTED:
        parts += [*_alone(row, language), say(f"{_many(row)}explain.interval", language, **values)]
        if verdict == "no evidence" and (row["low"] > 0 or row["high"] < 0):
            parts.append(say("explain.uncorrected", language))
    parts.append(finding(row, language, interval=False))
    parts.append(say(f"{_kind(row)}caution.{verdict}", language, **values))
    return joined(parts, language)


def answer(
    shift: pd.DataFrame,
    tokens: pd.DataFrame,
    terms: pd.DataFrame,
    language: str = "en",
    *,
    senses: pd.DataFrame | None = None,
    glosses: Mapping[str, str] | None = None,
) -> list[str]:
    """Answer for each declared term whether it changed: one paragraph per term, its facts, places and finding.

    Parameters
    ----------
    shift
        The table of :func:`~shinan_research.shifts.compare` for `terms`.
    tokens
        The tokens compared.
    terms
        The declared terms (:func:`~shinan_research.occurrences.as_terms`); rows of the family *declared* are answered.
    senses, glosses
        Coded senses, and glosses that name them in English.
    """
    found = occurrences(tokens, terms, senses=senses)
    paragraphs = []
    for row in shift[shift["family"] == "declared"].to_dict("records"):
        if not row["count_before"] + row["count_after"]:
            paragraphs.append(joined(facts(row, found, tokens, terms, language), language))
            continue
        parts = [*facts(row, found, tokens, terms, language), *_meanings(row, found, language, glosses or {})]
        alone = _alone(row, language) if row["verdict"] not in UNTESTED else []
        paragraphs.append(joined([*parts, *alone, finding(row, language)], language))
    return paragraphs


def finding(row: Mapping[Any, Any], language: str, *, interval: bool = True) -> str:
    """Say what the test of a row shows, with its interval or without; of a fragile one, on what it hangs."""
    values, verdict = row_values(row, language), str(row["verdict"])
    values["interval"] = say("explain.short", language, **values) if interval else ""
    reasons = [
        say(f"fragile.{'place' if by_places(row) else reason}", language, **values)
        for reason in str(row["hangs_on"]).split(", ")
        if reason
    ]
    fewer = int(row["matched_before"] + row["matched_after"]) < int(row["count_before"] + row["count_after"])
    key = "explain.unanswered" if verdict == "too concentrated" and fewer else f"{_kind(row)}finding.{verdict}"
    if by_places(row):
        key = f"places.finding.{verdict}"
    return say(key, language, **values, because=say("fragile.join", language).join(reasons))


def _alone(row: Mapping[Any, Any], language: str) -> list[str]:
    """Say how many occurrences stand in chapters without a counterpart, if any do."""
    values = {f"lone_{side}": int(row[f"count_{side}"] - row[f"matched_{side}"]) for side in SIDES}
    values |= {name: int(row[name]) for name in ("matched_before", "matched_after", "count_before", "count_after")}
    return [say(f"{_many(row)}explain.matched", language, **values)] if values["lone_before"] + values["lone_after"] else []


def _meanings(row: Mapping[Any, Any], found: pd.DataFrame, language: str, glosses: Mapping[str, str]) -> list[str]:
    """Say how often the term has each coded sense in the body of each group, and when a sense has gone altogether."""
    mine = found[(found["term"] == row["term"]) & (found["sense"] != "") & (found["part"] != "annex")]
    counts = [rows["sense"].astype(str).value_counts() for _, rows in _sides(mine, row)]
    if len({sense for numbers in counts for sense in numbers.index}) < 2:
        return []
    sentences = []
    for side, numbers in zip(SIDES, counts, strict=True):
        ordered = sorted(((int(n), str(sense)) for sense, n in numbers.items()), key=lambda pair: (-pair[0], pair[1]))
        named = [say("senses.one", language, n=n, sense=_gloss(sense, language, glosses)) for n, sense in ordered]
        words = ("，" if language == "zh" else ", ").join(named)
        sentences += [say("senses.row", language, group=group_name(row[side], language), senses=words)] if named else []
    gone = [str(sense) for sense, n in counts[0].items() if sense not in counts[1].index and n * 2 > counts[0].sum()]
    gone = [] if _kind(row) else gone
    sentences += [say("senses.over", language, sense=_gloss(sense, language, glosses)) for sense in gone]
    names = found.attrs.get("settings", {}).get("sense_judges")
    return [*sentences, say("senses.judged", language, judges=who(names, language))] if names else sentences


def _sides(rows: pd.DataFrame, row: Mapping[Any, Any]) -> list[tuple[str, pd.DataFrame]]:
    """Return the rows of either group of a comparison, with its name."""
    return [(str(row[side]), rows[is_named(rows, str(row[side]))]) for side in SIDES]


def by_places(row: Mapping[Any, Any]) -> bool:
    """Return whether a row, or the settings of a table, are of a comparison whose unit is the report."""
    return row.get("unit") == "report"


def _many(row: Mapping[Any, Any]) -> str:
    return "places." if by_places(row) else ""


def _kind(row: Mapping[Any, Any]) -> str:
    """Return the table of messages for a row: between two places nothing changes, rises or falls, it differs."""
    if by_places(row):
        return "places."
    return "between." if between_places(str(row["before"]), str(row["after"])) else ""


def verdict_name(row: Mapping[Any, Any], language: str) -> str:
    """Return the verdict of a row in words: between two places "more in" one of them, else higher or lower."""
    between = _kind(row) == "between." and row["verdict"] in ("higher", "lower")
    names = {side: group_name(row[side], language) for side in SIDES}
    return say(f"{'between.' if between else ''}verdict.{row['verdict']}", language, **names)


def _gloss(label: str, language: str, glosses: Mapping[str, str]) -> str:
    return glosses.get(label, label) if language == "en" else label


def facts(row: Mapping[Any, Any], found: pd.DataFrame, tokens: pd.DataFrame, terms: pd.DataFrame, language: str) -> list[str]:
    """State counts and places of one term: the body, the chapter that holds most, the annex, the strings not counted."""
    values = row_values(row, language)
    mine = compared(found[(found["term"] == row["term"]) & found["start"].notna()], row)
    body, annex = mine[mine["part"] != "annex"], mine[mine["part"] == "annex"]
    sentences = [say(f"{_many(row)}explain.fact" if values["total"] != "0" else "explain.absent", language, **values)]
    several = body["report"].nunique() > 2  # of many reports, no sentence for each
    for _, rows in body.groupby("report", sort=True) if not several else ():
        sentences += _concentration(rows, _report_name(rows, found, language), language)
    if several:
        values |= {f"times_{side}": times(len(rows), language) for side, (_, rows) in zip(SIDES, _sides(annex, row), strict=True)}
        sentences += [say("explain.annexes", language, **values)] if len(annex) else []
    elif len(annex):
        sentences += _annex(annex, found, tokens, language)
    hidden = terms[(terms["term"] == row["term"]) & (terms["role"] == "not")]["form"]
    return sentences + [sentence for string in hidden for sentence in _hidden(string, row, tokens, language)]


def compared(rows: pd.DataFrame, row: Mapping[Any, Any]) -> pd.DataFrame:
    """Return the rows of the reports that a comparison names, before or after."""
    return rows[is_named(rows, str(row["before"])) | is_named(rows, str(row["after"]))]


def row_values(row: Mapping[Any, Any], language: str) -> dict[str, str]:
    """Return the fields that the messages need, formatted."""
    numbers = {name: 2.0 ** float(row[column]) for name, column in (("ratio", "log2_matched"), ("low", "low"), ("high", "high"))}
    total = int(row["count_before"]) + int(row["count_after"])
    return {
        "term": term_name(row["term"], language),
        "scope": say(f"scope.{row['scope']}", language),
        "before": group_name(row["before"], language),
        "after": group_name(row["after"], language),
        "times_before": times(int(row["count_before"]), language),
        "times_after": times(int(row["count_after"]), language),
        "times": times(total, language),
        "total": str(total),
        "rate_before": f"{row['rate_before']:.1f}",
        "rate_after": f"{row['rate_after']:.1f}",
        "level": f"{100 * float(row.get('level', 0.95)):g}",
        "p": probability(float(row["p_adjusted"])),
        "like": say("explain.like", language) if row["log2_matched"] != row["log2_ratio"] else "",
        "matched": times(int(row["matched_before"] + row["matched_after"]), language),
        "p_without": probability(float(row["p_without_chapter"])),
        "p_unmatched": probability(float(row["p_unmatched"])),
        "p_readings": probability(float(row["p_readings"])),
        "detectable": ratio(float(row["detectable_ratio"])),
        "blocks": say("number.passage", language)
        if row["blocks"] == 1
        else say("number.passages", language, n=int(row["blocks"])),
        **{name: ratio(value) for name, value in numbers.items()},
    }


def times(number: int, language: str) -> str:
    """Return how often, in words where a language has them.

    >>> times(2, "en"), times(0, "zh")
    ('twice', '0次')
    """
    words = {0: "zero", 1: "one", 2: "two"}
    return say(f"count.{words.get(number, 'many')}", language, n=number)


def probability(p: float) -> str:
    """Return p as prose prints it.

    >>> probability(0.0362), probability(0.00001)
    ('0.036', '< 0.001')
    """
    return "< 0.001" if p < 0.001 else f"{p:.2g}" if p < 0.1 else f"{p:.2f}"


def ratio(value: float) -> str:
    """Return a ratio of rates as prose prints it, without powers of ten.

    >>> ratio(0.1265), ratio(0.00001), ratio(12345.0)
    ('0.13', '< 0.001', '> 1,000')
    """
    if value < 0.001:
        return "< 0.001"
    return "> 1,000" if value > 1_000 else f"{value:#.2g}".rstrip(".") if value < 99.5 else f"{value:.0f}"


def group_name(name: object, language: str) -> str:
    """Return a group's name as prose prints it: a year gets 年 in Chinese, also after a place.

    >>> group_name(2019, "zh"), group_name("甲县 2019", "zh"), group_name("甲县-2019", "zh"), group_name("甲县 2019", "en")
    ('2019年', '甲县2019年', '甲县-2019', '甲县 2019')
    """
    return re.sub(r"(?:^| )(\d+)$", r"\1年", str(name)) if language == "zh" else str(name)


def term_name(term: object, language: str) -> str:
    """Return a term as prose prints it: its wide reading and its senses have Chinese marks in Chinese.

    >>> term_name("养老 (wide)", "zh"), term_name("养老: 机构", "zh"), term_name("养老: 机构", "en")
    ('养老（宽）', '养老：机构', '养老: 机构')
    """
    if language != "zh":
        return str(term)
    return str(term).replace(WIDE.format(""), say("explain.wide", language)).replace(": ", "：")


def _report_name(rows: pd.DataFrame, found: pd.DataFrame, language: str) -> str:
    """Return what prose calls the report of some rows: its year, after its place where there are several places."""
    year = group_name(rows["year"].iloc[0], language)
    gap = "" if language == "zh" else " "
    return year if found["place"].nunique() == 1 else f"{rows['place'].iloc[0]}{gap}{year}"


def _concentration(rows: pd.DataFrame, name: str, language: str) -> list[str]:
    """Say so when more than half of at least four occurrences stand in one chapter."""
    counts = rows.groupby(["chapter", "chapter_title"], sort=True)["start"].count()
    most = int(counts.max())
    if len(rows) < 4 or most * 2 <= len(rows):
        return []
    title = str(counts.index[int(counts.to_numpy().argmax())][1]).rstrip("。:：")
    key = "explain.chapter" if title else "explain.untitled"
    return [say(key, language, group=name, count=len(rows), most=most, title=title)]


def _annex(annex: pd.DataFrame, found: pd.DataFrame, tokens: pd.DataFrame, language: str) -> list[str]:
    """Say how often the term stands in the annexes, and when most of it stands in one glossary entry."""
    sentences = []
    for report, rows in annex.groupby("report", sort=True):
        name = _report_name(rows, found, language)
        sentences.append(say("explain.annex", language, group=name, times=times(len(rows), language)))
        mine = tokens[tokens["report"] == report]
        at = mine["paragraph"].to_numpy()[mine["start"].searchsorted(rows["start"].to_numpy(dtype=int), side="right") - 1]
        paragraph, most = pd.Series(at).value_counts().sort_index().idxmax(), int(pd.Series(at).value_counts().max())
        entry = "".join(mine[(mine["paragraph"] == paragraph) & mine["heading"]]["term"].astype(str)).rstrip(":： ")
        if entry and len(rows) >= 4 and most * 2 > len(rows):
            key = "explain.entry_all" if most == len(rows) else "explain.entry"
            sentences.append(say(key, language, most=most, count=len(rows), entry=entry))
    return sentences


def _hidden(string: str, row: Mapping[Any, Any], tokens: pd.DataFrame, language: str) -> list[str]:
    """Say where a string that hides a form was passed over."""
    found = occurrences(tokens, [string])
    found = found[found["start"].notna()]
    return [
        say(
            "explain.hidden", language, string=string, group=group_name(name, language),
            body=int((rows["part"] != "annex").sum()), annex=int((rows["part"] == "annex").sum()),
        )
        for name, rows in _sides(found, row) if len(rows)
    ]  # fmt: skip


def joined(sentences: list[str], language: str) -> str:
    """Return sentences as one text."""
    return ("" if language == "zh" else " ").join(sentences)
