"""Set announced targets beside their chapters, sentences and outcomes, and say in words what the comparison shows."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from .likeness import wording
from .links import NOT_FOUND, VERDICTS, agreement
from .messages import LANGUAGES, say, who

COMPARED = ("met", "missed", "partly")
NUMBERING = re.compile(r"^[(（]?[一二三四五六七八九十\d]+[)）]?[、.．]?\s*")
CLAUSE = re.compile(r"[,，、;；:：。\s]")
SHORTEST_PREFIX = 2
RECONCILED = "reconcilable"
AND = "、"  # between places of a study
SIGNS = {"~": "≈", "=": ""}  # comparators as they are printed; the others stand for themselves
PARTS = {"review": "carried", "plan": "again"}


def place_targets(targets: pd.DataFrame, sentences: pd.DataFrame) -> pd.DataFrame:
    """Set beside each target its chapter, both sentences, the promised side, and what part of it the outcome reaches.

    Parameters
    ----------
    targets
        The table of :func:`~shinan_research.targets.link_targets` or :func:`~shinan_research.targets.link_chain`.
    sentences
        The table of :func:`~shinan_research.outline.outline` that the quantities were found in.

    Returns
    -------
    pandas.DataFrame
        The targets with `place, year, outcome_year, theme` (the chapter's title, short), `target_sentence,
        outcome_sentence, side` (at least, at most) and `ratio`: outcome to target, where the verdict compares the two
        numbers. Targets that share one merged outcome are summed first. Empty where the target is zero.
    """
    table = targets.copy()
    start = _rows_at(sentences, table["report"], table["target_start"])
    answer = _rows_at(sentences, table["outcome_report"], table["outcome_start"])
    for column, name in (("place", "place"), ("year", "year"), ("chapter", "chapter"), ("target_sentence", "text")):
        table[column] = [sentences[name].iloc[row] for row in start]
    years = {str(report): int(year) for report, year in zip(sentences["report"], sentences["year"], strict=True)}
    table["outcome_year"] = pd.array([years.get(str(report), pd.NA) for report in table["outcome_report"]], dtype="Int64")
    table["outcome_sentence"] = [sentences["text"].iloc[row] if row >= 0 else "" for row in answer]
    titles = pd.Series([str(sentences["chapter_title"].iloc[row]) for row in start], index=table.index, dtype="str")
    table["theme"] = titles.map(short_titles(sorted(set(titles)))).astype("str")
    at_most = table["comparator"].isin(["≤", "<"]) | _kept_low(table)
    table["side"] = np.where(at_most, "at most", "at least")
    table["ratio"] = _ratios(table)
    table.attrs["settings"] = dict(targets.attrs.get("settings", {}))
    return table


def _kept_low(table: pd.DataFrame) -> pd.Series[bool]:
    """Return which vague targets are of indicators that are to be kept low."""
    low = table["indicator"].astype("str").str.contains(wording()["targets"]["lower"], regex=True)
    return (table["comparator"] == "~") & (table["target_value"].astype(float) > 0) & low


def _rows_at(sentences: pd.DataFrame, reports: pd.Series[str], starts: pd.Series[Any]) -> list[int]:
    """Return the row of the sentence in which each position stands, −1 where there is none."""
    names = sentences["report"].to_numpy()
    begins = sentences["start"].to_numpy(dtype=np.int64)
    rows = {report: np.flatnonzero(names == report) for report in sorted(set(reports) & set(names))}
    return [
        -1 if pd.isna(start) or report not in rows
        else int(rows[report][np.searchsorted(begins[rows[report]], int(start), side="right") - 1])
        for report, start in zip(reports, starts, strict=True)
    ]  # fmt: skip


def short_titles(titles: list[str]) -> dict[str, str]:
    """Return each title without its number, cut after the first clause, and without an opening that most titles share.

    >>> short_titles(["(一)全力抓好产业发展,再上台阶", "(二)全力抓好民生保障", "三、自身建设"])
    {'(一)全力抓好产业发展,再上台阶': '产业发展', '(二)全力抓好民生保障': '民生保障', '三、自身建设': '自身建设'}
    """
    clauses = {title: CLAUSE.split(NUMBERING.sub("", title))[0] for title in titles}
    openings = sorted({clause[:end] for clause in clauses.values() for end in range(SHORTEST_PREFIX, len(clause))})
    shared = [
        opening for opening in openings
        if 2 * sum(clause.startswith(opening) for clause in clauses.values()) > max(len(titles), 2)
    ]  # fmt: skip
    opening = max(shared, key=len, default="")
    return {title: clause.removeprefix(opening) or clause for title, clause in clauses.items()}


def _ratios(table: pd.DataFrame) -> pd.Series[float]:
    """Return outcome to target where the verdict compares the numbers; merged targets are summed."""
    target, outcome = table["target_value"].astype(float), table["outcome_value"].astype(float)
    merged = table["basis"] == "merged"
    sums = target.groupby([table["report"], table["outcome_report"], table["outcome_start"]]).transform("sum")
    target = target.where(~merged, sums)
    return (outcome / target.where(target != 0)).where(table["verdict"].isin(COMPARED))


def choose_pair(quantities: pd.DataFrame, group: object) -> pd.DataFrame:
    """Return the quantities of one report and of that of the next year: the report of a group, else the last with a successor.

    Parameters
    ----------
    quantities
        The table of :func:`~shinan_research.quantities.quantities`.
    group
        A year, a report id, or a place and a year, as in `data/study.toml`.

    Returns
    -------
    pandas.DataFrame
        Rows of `quantities`; none where no two reports of one place are a year apart.
    """
    keys = sorted(set(zip(quantities["place"], quantities["year"], quantities["report"], strict=True)))
    known = {(place, year) for place, year, _ in keys}
    pairs = [(place, year, report) for place, year, report in keys if (place, year + 1) in known]
    mine = [pair for pair in pairs if group in (pair[2], pair[1], str(pair[1]), pair[:2])]
    chosen = pd.Series(False, index=quantities.index)
    for place, year, _ in [*mine, *pairs[-1:]][:1]:
        chosen = (quantities["place"] == place) & quantities["year"].isin([year, year + 1])
    return quantities[chosen]


def answer_targets(
    targets: pd.DataFrame,
    claims: pd.DataFrame,
    carried: pd.DataFrame,
    *,
    links: pd.DataFrame,
    sentences: pd.DataFrame,
    language: str = "en",
) -> list[str]:
    """Answer what became of the targets: how many, found, met or missed, how far two readings agree, what does not reconcile.

    Where something needed is lacking (a plan, the review that follows, reviewed links), a sentence says so.

    Parameters
    ----------
    targets
        The table of :func:`place_targets`.
    claims, carried
        The tables of :func:`~shinan_research.targets.growth_claims` and :func:`~shinan_research.targets.unchanged`.
    links
        Reviewed links (:func:`~shinan_research.links.locate_links`), perhaps none.
    sentences
        The sentences compared.
    """
    if targets.empty:
        return [say("announced.none", language), *_claimed(claims, carried, language)]
    reports = list(dict.fromkeys(targets["report"]))
    answers = [_counted(targets[targets["report"] == report], language) for report in reports]
    answers += [*_lacking(targets, sentences, language), _shares(targets, language), _readers(targets, links, language)]
    return answers + _claimed(claims, carried, language)


def counts(targets: pd.DataFrame) -> dict[str, int]:
    """Return how many targets have each verdict, in the fixed order, those that do not occur left out."""
    found = targets["verdict"].value_counts()
    return {verdict: int(found[verdict]) for verdict in VERDICTS if verdict in found.index}


def themes(targets: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """Return the themes in the order of the plan, each with its targets from the highest ratio to the lowest."""
    table = targets.sort_values("target_start", kind="stable")
    groups = [rows for _, rows in table.groupby("chapter", sort=False)]
    return [
        (str(rows["theme"].iloc[0]), rows.sort_values(["ratio", "target_start"], ascending=[False, True], kind="stable"))
        for rows in groups
    ]


def printed(row: Mapping[Any, Any]) -> str:
    """Return target and outcome as the texts have them, with the comparator; an arrow where something falls.

    An outcome that its sentence hedges (左右, 上下) is about that number too.

    >>> printed({"comparator": "~", "basis": "same", "target_value": 7.0, "target_text": "7%", "outcome_value": -2.0,
    ...          "outcome_text": "2%", "outcome_sentence": "增长12%左右,税收下降2%左右。"})
    '≈7% → ≈↓2%'
    """
    sign = SIGNS.get(row["comparator"], row["comparator"])
    target, outcome = (f"{'↓' if row[f'{side}_value'] < 0 else ''}{row[f'{side}_text']}" for side in ("target", "outcome"))
    hedges = re.findall(rf"(?<![\d.]){re.escape(str(row['outcome_text']))}(左右|上下)?", str(row["outcome_sentence"]))
    about = "≈" if hedges and all(hedges) else ""
    return f"{sign}{target}{'＋…' if row['basis'] == 'merged' else ''} → {about}{outcome}"


def _counted(targets: pd.DataFrame, language: str) -> str:
    """Say how many targets one plan announces and what the next report says of them."""
    first = targets.iloc[0]
    gap = "、" if language == "zh" else ", "
    verdicts = gap.join(
        say("announced.verdict", language, n=n, verdict=say(f"verdicts.long.{verdict}", language))
        for verdict, n in counts(targets).items()
    )
    found = int((targets["outcome_report"] != "").sum())
    return say(
        "announced.counted", language, report=first["report"], year=first["year"], following=int(first["year"]) + 1,
        n=len(targets), found=found, verdicts=verdicts,
    )  # fmt: skip


def _shares(targets: pd.DataFrame, language: str) -> str:
    """Give the share met under both denominators."""
    same = targets[targets["basis"] == "same"]
    values = {
        "met": int((targets["verdict"] == "met").sum()), "n": len(targets), "same_met": int((same["verdict"] == "met").sum()),
        "same": len(same),
    }  # fmt: skip
    return say("announced.shares" if len(same) else "announced.share", language, **values)


def _lacking(targets: pd.DataFrame, sentences: pd.DataFrame, language: str) -> list[str]:
    """Say of which following reports no review is recognised, so that nothing can be found there."""
    pairs = sorted({(str(place), int(year) + 1) for place, year in zip(targets["place"], targets["year"], strict=True)})
    review = sentences[sentences["part"] == "review"]
    known = set(zip(review["place"].astype(str), review["year"], strict=True))
    return [say("announced.no_review", language, place=place, year=year) for place, year in pairs if (place, year) not in known]


def _readers(targets: pd.DataFrame, links: pd.DataFrame, language: str) -> str:
    """Say who decided, and how far two readings agree where there are two."""
    judges = {str(judge): int(n) for judge, n in targets["decided_by"].value_counts().sort_index().items()}
    gap = "、" if language == "zh" else ", "
    named = gap.join(say("announced.judged", language, n=n, judge=say(f"judge.{judge}", language)) for judge, n in judges.items())
    found = agreement(links[links["report"].isin(set(targets["report"]))])
    if not found["both"]:
        key = "readers_algorithm" if set(judges) == {"algorithm"} else "readers"
        return say(f"announced.{key}", language, judges=named)
    kappas = {name: "–" if math.isnan(found[name]) else f"{found[name]:.2f}" for name in ("verdict_kappa", "basis_kappa")}
    return say("announced.agreement", language, judges=named, **(found | kappas))


def _claimed(claims: pd.DataFrame, carried: pd.DataFrame, language: str) -> list[str]:
    """Name the claims of growth that the levels do not bear out, and count the figures carried over."""
    if claims.empty:
        return [say("announced.no_claims", language), *_carried(carried, language)]
    open_claims = claims[claims["verdict"] != RECONCILED]
    gap, joint = ("；", "至") if language == "zh" else ("; ", " to ")
    listed = gap.join(say("announced.claim", language, **claim_values(row, joint)) for row in open_claims.to_dict("records"))
    key = "announced.claims" if len(open_claims) else "announced.claims_fit"
    return [say(key, language, n=len(claims), open=len(open_claims), listed=listed), *_carried(carried, language)]


def _carried(carried: pd.DataFrame, language: str) -> list[str]:
    """Count the figures carried over in reviews, and the targets announced again."""
    found = {key: int((carried["part"] == part).sum()) if len(carried) else 0 for part, key in PARTS.items()}
    return [say(f"announced.{key}", language, n=n) for key, n in found.items() if n]


def claim_values(row: Mapping[Any, Any], joint: str = "–") -> dict[str, str]:
    """Return claimed and implied growth of a row as prose and figure print them.

    >>> claim_values({"indicator": "收入", "comparator": "~", "claimed": 1, "implied_low": -5.46, "implied_high": -5.34}, " to ")
    {'indicator': '收入', 'claimed': '≈1', 'implied': '−5.5 to −5.3'}
    >>> claim_values({"indicator": "收入", "comparator": "=", "claimed": 1, "implied_low": 0.46, "implied_high": 0.84})["implied"]
    '0.5–0.8'
    """
    ends = [f"{row[name]:.1f}".replace("-", "−") for name in ("implied_low", "implied_high")]
    between = f" {joint} " if joint == "–" and "−" in "".join(ends) else joint  # a dash would run into a minus
    implied = ends[0] if ends[0] == ends[1] else between.join(ends)
    claimed = f"{SIGNS.get(row['comparator'], row['comparator'])}{row['claimed']:g}".replace("-", "−")
    return {"indicator": str(row["indicator"]), "claimed": claimed, "implied": implied}


def describe_targets(
    targets: pd.DataFrame, claims: pd.DataFrame, place: Mapping[str, str], carried: pd.DataFrame | None = None
) -> dict[str, dict[str, str]]:
    """Return caption and alt text of the figure in both languages, computed from its tables.

    Parameters
    ----------
    targets, claims
        The tables drawn.
    place
        The place's name in both languages.
    carried
        The table of what stands unchanged, if it is drawn.

    Returns
    -------
    dict
        `caption_text` and `alt`, each `{"zh": …, "en": …}`, as :func:`~shinan_research.publish.publish` takes them.
    """
    return {
        "caption_text": {one: _caption(targets, claims, carried, _named(targets, place)[one], one) for one in LANGUAGES},
        "alt": {language: _alt(targets, claims, language) for language in LANGUAGES},
    }


def _named(targets: pd.DataFrame, place: Mapping[str, str]) -> Mapping[str, str]:
    """Return the place whose targets these are: the study's, or that of the pair where the study holds several places."""
    return place if AND not in place["zh"] else dict.fromkeys(LANGUAGES, str(targets["place"].iloc[0]))


def _caption(targets: pd.DataFrame, claims: pd.DataFrame, carried: pd.DataFrame | None, place: str, language: str) -> str:
    first, drawn = targets.iloc[0], int(targets["ratio"].notna().sum())
    same = int((targets["basis"] == "same").sum())
    judges = who(targets["decided_by"], language)
    values = {
        "place": place, "year": first["year"], "following": int(first["year"]) + 1, "n": len(targets), "drawn": drawn,
        "rest": len(targets) - drawn, "same": same, "claims": len(claims), "judges": judges,
        "missing": int((targets["verdict"] == NOT_FOUND).sum()),
    }  # fmt: skip
    values |= {part: 0 if carried is None else int((carried["part"] == part).sum()) for part in PARTS}
    repeated = ["carried"] if values["review"] or values["plan"] else []
    keys = ["title", "ratio", "verdicts", *(["claims"] if len(claims) else []), *repeated, "caution"]
    return ("" if language == "zh" else " ").join(say(f"caption.targets.{key}", language, **values) for key in keys)


def _alt(targets: pd.DataFrame, claims: pd.DataFrame, language: str) -> str:
    first, gap = targets.iloc[0], "、" if language == "zh" else ", "
    verdicts = gap.join(
        say("announced.verdict", language, n=n, verdict=say(f"verdicts.long.{verdict}", language))
        for verdict, n in counts(targets).items()
    )
    fit = int((claims["verdict"] == RECONCILED).sum())
    values = {"n": len(targets), "verdicts": verdicts, "claims": len(claims), "fit": fit}
    key = "announced.alt_claims" if len(claims) else "announced.alt"
    return say(key, language, year=first["year"], following=int(first["year"]) + 1, **values)
