"""What was lost: each missing character's rate as printed and as restored, beside the reports of other governments."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Any

import pandas as pd

from .messages import LANGUAGES, say, who
from .propose import reference
from .reports import Report, han_count

COLUMNS = (
    "report", "char", "verdict", "han", "seen", "restored", "rate_seen", "rate_restored", "rate_reference", "low", "high",
)  # fmt: skip
SUSPECT = ("lost", "probably lost")
BRACKETS = {"zh": "〔{}〕", "en": "⟨{}⟩"}
BAND = 0.95
CONTEXT = 8


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
    lengths = {report.id: len(report.witness) for report in reports}
    table.attrs["settings"] = {"function": "losses", "band": BAND, "lengths": lengths}
    missed = (findings["defect"] == "lost character") & (findings["verdict"] == "not tested")
    table.attrs["untested"] = list(dict.fromkeys(findings["report"][missed].astype(str)))
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
        numbers = {name: _whole(same.iloc[0][name]) for name in ("seen", "expected")}
        lines.append(say(f"findings.{key}", language, report=report, where=where, **numbers))
    return "\n".join(f"- {line}" for line in lines) or say("findings.sound", language)


def _whole(value: object) -> str:
    """Return a number of the audit without decimals, words as they are."""
    return f"{value:.0f}" if isinstance(value, float) else str(value)


def _defect(row: pd.Series[Any]) -> str:
    """Return the key of the message about one finding."""
    defect = str(row["verdict"] if row["defect"] == "lost character" else row["defect"])
    if defect == "stub or truncated":
        defect = "stub" if row["verdict"] == "found" else "short" if row["seen"] != "" else "cut"
    return defect.lower().replace(" ", "_").replace("-", "_")


def _band(rate: float, dispersion: float, han: int) -> tuple[float, float]:
    """Return the middle 95 % of rates per 10,000 in reports of `han` characters: negative binomial, Poisson without spread."""
    from scipy import stats  # takes long to import, and audit is read by notebooks that need no band

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
    stop, comma = ("；", "、") if language == "zh" else ("; ", ", ")
    missed = table.attrs.get("untested", [])
    parts = [say("losses.untested", language, reports=comma.join(missed))] if missed else []
    for verdict in SUSPECT:
        same = table[table["verdict"] == verdict]
        rows = stop.join(_row(row, language) for row in same.to_dict("records"))
        parts += [say(f"losses.{verdict.replace(' ', '_')}", language, rows=rows)] if rows else []
    parts = parts or [say("losses.sound", language)]
    accepted = emendations[emendations["decision"] == "accept"]["certainty"].value_counts()
    counts = {name: int(accepted.get(name, 0)) for name in ("attested", "certain", "probable", "possible")}
    counts["n"] = counts["attested"] + counts["certain"] + counts["probable"]
    counts["open"] = int((emendations["decision"] == "open").sum())
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
        stop = "；" if language == "zh" else "; "
        caption[language] = say("losses.caption", language, place=place[language], judges=who(judged, language), **values)
        rows = stop.join(_row(row, language) for row in table.to_dict("records"))
        alt[language] = say("losses.alt", language, rows=rows or say("losses.none", language), **values)
    return {"caption": caption, "alt": alt}


def in_print(reports: Iterable[Report], language: str = "en", *, size: int = 120) -> str:
    """Set a passage of each report as printed beside the same passage as restored, restored characters in brackets.

    Parameters
    ----------
    reports
        Restored reports.
    language
        Of the words around it; the brackets are 〔 〕 in Chinese and ⟨ ⟩ in English.
    size
        Characters of the witness; of all passages of this length the first with the most emendations is taken.

    Returns
    -------
    str
        A legend and two lines per report that has emendations, as Markdown; empty if none has.
    """
    lines = []
    for report in reports:
        offsets = [row.offset for row in report.emendations]
        if offsets:
            start = max(offsets, key=lambda first: sum(first <= offset < first + size for offset in offsets))
            low, high = max(0, start - CONTEXT), min(len(report.witness), start - CONTEXT + size)
            values = {"report": report.id, "low": low, "page": report.witness[low:high].strip()}
            lines.append(say("losses.passage", language, **values, text=_bracketed(report, low, high, BRACKETS[language])))
    return "\n\n".join([say("losses.legend", language), *lines]) if lines else ""


def _bracketed(report: Report, low: int, high: int, bracket: str) -> str:
    """Return the restored text between two offsets of the witness, what emendations put in in brackets."""
    inserted = set(report.inserted.tolist())
    places = range(report.to_text(low, insertion=True), report.to_text(high, insertion=True))
    return "".join(bracket.format(report.text[place]) if place in inserted else report.text[place] for place in places)


def lemmata(apparatus: pd.DataFrame) -> pd.DataFrame:
    """Return an apparatus in the form of a printed edition: the lemma, what the page has, how sure and who decided.

    Parameters
    ----------
    apparatus
        The table of :func:`~shinan_research.restore.apparatus`.

    Returns
    -------
    pandas.DataFrame
        `report, offset, lemma` (context and character, closed by a square bracket), `page` (the page's reading, which omits
        it), `certainty, decided_by, evidence`, in order of text.
    """
    lemma = apparatus["left"].str[-4:] + "〔" + apparatus["char"] + "〕" + apparatus["right"].str[:4] + "］"
    page = apparatus["left"].str[-4:] + apparatus["right"].str[:4]
    columns = ["report", "offset", "lemma", "page", "certainty", "decided_by", "evidence"]
    return apparatus.assign(lemma=lemma, page=page)[columns].reset_index(drop=True)


def answer_readings(table: pd.DataFrame, terms: pd.DataFrame, emendations: pd.DataFrame, language: str = "en") -> list[str]:
    """Say which declared terms keep counts and verdict under every reading of the text, and which cannot move at all.

    A term none of whose strings holds a character that any accepted row inserts cannot gain or lose an occurrence by
    restoring; its rate still follows the length of the text.

    Parameters
    ----------
    table
        One scope of :func:`~shinan_research.sensitivity.sensitivity`: a row per term and reading (`variant`).
    terms
        Declared terms (:func:`~shinan_research.occurrences.as_terms`).
    emendations
        The apparatus.

    Returns
    -------
    list of str
        One sentence on all the terms that cannot move, if there are any, and one for each other term.
    """
    suspects = sorted(set("".join(emendations.loc[emendations["decision"] == "accept", "char"])))
    strings = terms.groupby("term", sort=False)["form"].agg("".join)
    comma = "、" if language == "zh" else ", "
    fixed, others = [], []
    for term, rows in table.groupby("term", sort=False):
        holds = any(character in strings.get(str(term).removesuffix(" (wide)"), str(term)) for character in suspects)
        counts = (rows["count_before"].astype(str) + "→" + rows["count_after"].astype(str)).tolist()
        if not holds and len(set(counts)) == 1:
            fixed.append(str(term))
            continue
        listed = comma.join(f"{name} {count}" for name, count in zip(rows["variant"], counts, strict=True))
        verdicts = comma.join(dict.fromkeys(say(f"verdict.{verdict}", language) for verdict in rows["verdict"]))
        others.append(say("losses.moves", language, term=term, counts=listed, verdicts=verdicts))
    values = {"terms": comma.join(fixed), "characters": comma.join(suspects), "n": table["variant"].nunique()}
    changed = table.groupby("term")["verdict"].nunique()
    held = say("losses.held" if (changed[fixed] == 1).all() else "losses.not_held", language)
    first = [say("losses.unmoved" if suspects else "losses.whole", language, **values) + held] if fixed else []
    return first + others
