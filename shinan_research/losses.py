"""What was lost: each missing character's rate as printed and as restored, beside the reports of other governments."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Any

import pandas as pd
from scipy import stats

from .messages import LANGUAGES, say
from .propose import reference
from .reports import Report, han_count

COLUMNS = (
    "report", "char", "verdict", "han", "seen", "restored", "rate_seen", "rate_restored", "rate_reference", "low", "high",
)  # fmt: skip
SUSPECT = ("lost", "probably lost")
BAND = 0.95


def losses(reports: Iterable[Report], findings: pd.DataFrame) -> pd.DataFrame:
    """Set the rate of each lost character, as printed and as restored, beside the genre.

    Parameters
    ----------
    reports
        Restored reports.
    findings
        The table of :func:`~shinan_research.audit.audit` for the same reports.

    Returns
    -------
    pandas.DataFrame
        One row per report and character whose verdict is *lost* or *probably lost*: `report, char, verdict, han` (Han
        characters of the text), `seen` in the witness, `restored` in the text, their rates per 10,000, `rate_reference`
        of the genre in that period, and `low, high`, the middle 95 % of reports of this length under a negative binomial.
    """
    rows = []
    suspects = findings[(findings["defect"] == "lost character") & findings["verdict"].isin(SUSPECT)]
    for report in reports:
        numbers = reference(report.year)
        han = han_count(report.text)
        for found in suspects[suspects["report"] == report.id].to_dict("records"):
            char = str(found["where"])
            seen, restored = report.witness.count(char), report.text.count(char)
            low, high = _band(numbers[char]["rate"], numbers[char]["dispersion"], han)
            rows.append(
                (
                    report.id, char, found["verdict"], han, seen, restored, 1e4 * seen / han, 1e4 * restored / han,
                    numbers[char]["rate"], low, high,
                )
            )  # fmt: skip
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    table.attrs["settings"] = {"function": "losses", "band": BAND}
    return table


def findings(found: pd.DataFrame, language: str = "en") -> str:
    """Say what an audit found, in plain words: one line for each report and kind of defect.

    Parameters
    ----------
    found
        The table of :func:`~shinan_research.audit.audit`; what is naturally absent is passed over.
    language
        zh or en.
    """
    rows = found[found["verdict"] != "naturally absent"]
    lines = []
    for (report, key), same in rows.groupby([rows["report"], rows.apply(_defect, axis=1)], sort=False) if len(rows) else ():
        where = ("、" if language == "zh" else ", ").join(dict.fromkeys(same["where"].astype(str)))
        first = same.iloc[0]
        lines.append(say(f"findings.{key}", language, report=report, where=where, seen=first["seen"], expected=first["expected"]))
    return "\n".join(f"- {line}" for line in lines) or say("findings.sound", language)


def _defect(row: pd.Series[Any]) -> str:
    """Return the key of the message about one finding."""
    defect = str(row["verdict"] if row["defect"] == "lost character" else row["defect"])
    if defect == "stub or truncated":
        defect = "stub" if row["verdict"] == "found" else "short" if row["seen"] != "" else "cut"
    return defect.lower().replace(" ", "_").replace("-", "_")


def _band(rate: float, dispersion: float, han: int) -> tuple[float, float]:
    """Return the middle 95 % of rates per 10,000 in reports of `han` characters: negative binomial, Poisson without spread."""
    mean = rate * han / 1e4
    tail = (1 - BAND) / 2
    spread = stats.nbinom(1 / dispersion, 1 / (1 + dispersion * mean)) if dispersion > 0 else stats.poisson(mean)
    return 1e4 * float(spread.ppf(tail)) / han, 1e4 * float(spread.ppf(1 - tail)) / han


def answer_losses(table: pd.DataFrame, emendations: pd.DataFrame, language: str = "en") -> str:
    """Say which characters were found lost, and how much of the apparatus is firm.

    Parameters
    ----------
    table
        The table of :func:`losses`.
    emendations
        The whole apparatus, with open rows.
    """
    stop = "；" if language == "zh" else "; "
    rows = stop.join(_row(row, language) for row in table.to_dict("records"))
    accepted = emendations[emendations["decision"] == "accept"]["certainty"].value_counts()
    counts = {name: int(accepted.get(name, 0)) for name in ("attested", "certain", "probable", "possible")}
    counts["n"] = counts["attested"] + counts["certain"] + counts["probable"]
    counts["open"] = int((emendations["decision"] == "open").sum())
    parts = [say("losses.found", language, rows=rows) if rows else say("losses.sound", language)]
    parts.append(say("losses.restored_n" if any(counts.values()) else "losses.untouched", language, **counts))
    return ("" if language == "zh" else " ").join(parts)


def _row(row: dict[Hashable, Any], language: str) -> str:
    """Return one lost character in words."""
    return say(
        "losses.row", language, char=row["char"], report=row["report"], seen=row["seen"], restored=row["restored"],
        rate=f"{row['rate_restored']:.1f}", low=f"{row['low']:.1f}", high=f"{row['high']:.1f}",
    )  # fmt: skip


def describe_losses(table: pd.DataFrame, emendations: pd.DataFrame, place: dict[str, str]) -> dict[str, dict[str, str]]:
    """Return caption and alt text of the figure of losses in both languages, computed from its tables."""
    judged = sorted(set(emendations["decided_by"]))
    values = {"n": len(emendations), "reports": emendations["report"].nunique()}
    caption, alt = {}, {}
    for language in LANGUAGES:
        comma, stop = ("、", "；") if language == "zh" else (", ", "; ")
        judges = comma.join(say(f"judge.{judge}", language) for judge in judged)
        caption[language] = say("losses.caption", language, place=place[language], judges=judges, **values)
        rows = stop.join(_row(row, language) for row in table.to_dict("records"))
        alt[language] = say("losses.alt", language, rows=rows or say("losses.none", language), **values)
    return {"caption": caption, "alt": alt}
