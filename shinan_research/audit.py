"""Audit reports: what is wrong with a text, before anything is counted in it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations
from zlib import crc32

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special

from .propose import encode, estimate, examine, genre, reference, view
from .reports import HEAD, NAME_YEAR, OPENER, Report, han_count, is_han

COLUMNS = ("report", "defect", "verdict", "where", "seen", "expected", "evidence")
Finding = tuple[str, str, object, object, object, str]  # defect, verdict, where, seen, expected, evidence

STUB, SHORT = 1_500, 4_000  # Han characters
HAN_SHARE = 0.5  # of the characters that are not white space
LEAST_EXPECTED = 2.0  # occurrences; a rarer character cannot be judged
LARGEST_REST = 0.1  # of what is expected; with more left, the loss is partial
LEAST_STRETCH = 10.0  # occurrences expected on a stretch without any
MOST_SUSPECTS = 200  # characters; a report lacks some forty
BEYOND_CHANCE = 0.01  # family-wise, over the characters of a report that could be judged
LEAST_BROKEN, BROKEN_SHARE = 3, 0.3  # places, and their share of the occurrences that are missing
BROKEN_SCORE = 0.5
SEGMENT, UNKNOWN_SHARE = 500, 0.2
WINDOW, REPEATED_SHARE = 30, 0.05
SHINGLE, SAMPLED, ALIKE = 16, 8, 0.6
TRADITIONAL_SHARE = 0.01
TRADITIONAL = "國業發會為這個們與經濟農產學實後從來時無對開關於應進東長門問題線義"
CLOSING = '。！？!?…”"）)》'
GOVERNMENT = re.compile(r"代表.{0,24}?(?:人民政府|国务院|政府)|" + OPENER)
OTHER_BODY = re.compile(r"代表.{0,24}?(?:常务委员会|常委会|法院|检察院)|(?:国民经济|预算).{0,40}(?:计划|预算).{0,12}报告")
MASKED = re.compile(r"\*+|[×xX]{2,}(?=[省市县区年月日万亿])|在、国务院|以新时代中国特色|以为核心的党中央|以同志为核心")
NUMBER = re.compile("0[十百千万亿]*$")  # in the view, where every digit is 0
QUESTIONS = re.compile(r"[?？]{2,}")
FURNITURE = re.compile(
    r"责任编辑|浏览次数|点击数|点击率|关闭窗口|【打印|打印本页|上一篇|下一篇|字号[:：]|维基文库|公有领域|分享到[:：]|扫一扫|信息来源[:：]|https?://|发布时间[:：]|当前位置"
)

COLLATE_FIRST = "Look for another copy of this report before restoring anything, and collate it. "
ABSENT = (
    "{character} occurs {seen} times, {expected:.1f} expected from {reports:.0f} reports of the time of {year} "
    "(p = {p:.2g}, adjusted {adjusted:.2g}). "
)
BROKEN = "{broken} places become well-formed when it is put back. "
VERDICTS = {
    "lost": COLLATE_FIRST + ABSENT + BROKEN + "Absent beyond chance, and words are broken: a step before this file dropped it.",
    "probably lost": COLLATE_FIRST + ABSENT + BROKEN + "Too rare for the count to decide; the broken words speak for a loss.",
    "naturally absent": ABSENT + BROKEN + "Too few for a loss: the subject or the place explains the absence.",
}
PARTLY = (
    COLLATE_FIRST + "{character} occurs {seen} times, but never from offset {start} to {end}, where {expected:.1f} are expected "
    "(adjusted p = {adjusted:.2g}). {broken} places there become well-formed when it is put back: it was dropped on that stretch."
)
UNTESTED = (
    "The test for lost characters was not run: it needs at least {least:,} Han characters of sound text in simplified script."
)
STRANGE = "The test for lost characters was not run: {number} characters of the genre are absent, so this is no work report."
FOREIGN = "{han:,} of {size:,} characters are Han. This is not a report in Chinese, or another part of the page."
TOO_SHORT = (
    "{han:,} Han characters; reports have at least {least:,}. "
    "A stub, an abstract or one page of several: look for the whole text."
)
BREAKS_OFF = "The text ends in …{end}, without a closing mark: it may be cut off."
REPEATED = "{share:.0%} of the {window}-character windows occur twice, the first at the offset given. Keep one copy."
GARBLED = (
    "In these {size} characters {unknown} of {han} Han characters are unknown to the genre, "
    "and {bad} are replacement or private-use characters."
)
SCRIPT = "{share:.1%} of the Han characters are traditional forms ({sample}). Convert the script before comparing or testing."
WRONG = "The head names {found} and no government as its author."
NO_AUTHOR = "The head neither says 政府工作报告 nor in whose name it is delivered."
YEARS = "The delivery line says {delivered}; the file or the name says {stated}. Use the year of delivery."
TWIN = "{share:.0%} of its {size}-character passages also stand in {other}: the same text twice, or a later edition."
FOUND_TEXT = "…{context}…"


def audit(reports: Iterable[Report]) -> pd.DataFrame:
    """List what is wrong with reports, with evidence that can be checked.

    The witness is examined. A character is *lost* if it is absent beyond chance (negative binomial with the rate and
    dispersion of other reports of the period, Bonferroni within the report) and words are broken (at least three
    places, and three tenths of what is missing, become well-formed when it is put back); *probably lost* if only words
    are broken; *naturally absent* if it is only absent. What is fine is not listed. A *partly lost character* is one for
    which both hold on the longest stretch without it.

    Parameters
    ----------
    reports
        One report or more; near-duplicates are looked for among them.

    Returns
    -------
    pandas.DataFrame
        `report, defect, verdict, where, seen, expected, evidence`, in the order of the reports; `where` is a
        witness offset, the character, or the other report. Verdicts of other defects than *lost character* are
        *found* and *suspected*.

    Examples
    --------
    >>> audit([Report("a-2019", "a", 2019, "The text of a report.", "")])["defect"].tolist()
    ['not Chinese', 'lost character']
    """
    reports = list(reports)
    rows = [(report.id, *finding) for report in reports for finding in _findings(report)]
    rows += [(reports[one].id, *finding) for one, finding in _twins(reports)]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _findings(report: Report) -> list[Finding]:
    """Return what is wrong with one report; lost characters are looked for only in a sound text."""
    text = report.witness
    blocking = [*_foreign(text), *_length(text), *_script(text), *_garbled(text)]
    rows = [*blocking, *_repeated(text), *_author(text), *_years(report), *_marks(text)]
    if any(verdict == "found" for _, verdict, *_ in blocking):
        return [*rows, ("lost character", "not tested", "", "", "", UNTESTED.format(least=STUB))]
    return [*rows, *lost_characters(report), *partly_lost(report)]


def _foreign(text: str) -> Iterator[Finding]:
    size, han = len("".join(text.split())), han_count(text)
    if han < HAN_SHARE * size or not size:
        yield "not Chinese", "found", "", han, size, FOREIGN.format(han=han, size=size)


def _length(text: str) -> Iterator[Finding]:
    """Look for a text that is too short, or breaks off; lines at the end without a Han character are page furniture."""
    places = np.flatnonzero(is_han(text))
    if han_count(text[:HEAD]) and len(places) < SHORT:
        verdict, least = ("found", STUB) if len(places) < STUB else ("suspected", SHORT)
        yield "stub or truncated", verdict, "", len(places), least, TOO_SHORT.format(han=len(places), least=least)
    elif len(places):
        end = text[: text.find("\n", places[-1]) + 1 or None].rstrip("\n")
        if not any(mark in end[-HEAD // 10 :] for mark in CLOSING):
            yield "stub or truncated", "suspected", len(end), "", "", BREAKS_OFF.format(end=end[-12:])


def _script(text: str) -> Iterator[Finding]:
    found = [character for character in text if character in TRADITIONAL]
    han = han_count(text)
    if han and len(found) > TRADITIONAL_SHARE * han:
        sample = "".join(sorted(set(found))[:12])
        yield (
            "traditional script",
            "found",
            text.index(found[0]),
            len(found),
            0,
            SCRIPT.format(share=len(found) / han, sample=sample),
        )


def _garbled(text: str) -> Iterator[Finding]:
    """Look for characters that a wrong encoding leaves behind, segment by segment: it often starts on page two."""
    han, unknown, bad = is_han(text), encode(text, genre()[0].vocabulary) == 0, _replaced(text)
    unknown &= han & ~np.array([character in TRADITIONAL for character in text], dtype=bool)
    for start in range(0, len(text), SEGMENT):
        part = slice(start, start + SEGMENT)
        counts = [int(flags[part].sum()) for flags in (unknown, han, bad)]
        strange = counts[0] > UNKNOWN_SHARE * counts[1] and counts[0] > SEGMENT // 25
        if strange or counts[2]:
            evidence = GARBLED.format(size=len(text[part]), unknown=counts[0], han=counts[1], bad=counts[2])
            yield "wrong encoding", "found" if strange else "suspected", start, counts[0] + counts[2], 0, evidence


def _replaced(text: str) -> NDArray[np.bool_]:
    """Return for every character whether it is U+FFFD, private, a lone surrogate or a control character."""
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    private = ((codes >= 0xD800) & (codes <= 0xF8FF)) | (codes >= 0xF0000)
    control = (codes < 32) & ~np.isin(codes, (9, 10, 12, 13))
    flags: NDArray[np.bool_] = private | control | (codes == 0xFFFD)
    return flags


def _repeated(text: str) -> Iterator[Finding]:
    searched, offsets = view(text)
    seen: set[str] = set()
    again = []
    for start in range(len(searched) - WINDOW + 1):
        window = searched[start : start + WINDOW]
        if window in seen:
            again.append(start)
        seen.add(window)
    share = len(again) / max(len(searched) - WINDOW + 1, 1)
    if share > REPEATED_SHARE:
        yield "text repeated", "found", int(offsets[again[0]]), len(again), 0, REPEATED.format(share=share, window=WINDOW)


def _author(text: str) -> Iterator[Finding]:
    head = "".join(text[: 2 * HEAD].split())
    other, government = OTHER_BODY.search(head), GOVERNMENT.search(head)
    if not government and han_count(head):
        evidence = WRONG.format(found=other.group()) if other else NO_AUTHOR
        yield "wrong document", "found" if other else "suspected", other.start() if other else 0, "", OPENER, evidence


def _years(report: Report) -> Iterator[Finding]:
    names = {int(match["year"]) for name in (report.source, report.id) for match in NAME_YEAR.finditer(name)} | {report.year}
    for stated in sorted(names):
        if report.delivered and int(report.delivered[:4]) != stated:
            evidence = YEARS.format(delivered=report.delivered, stated=stated)
            yield "year", "found", "", stated, int(report.delivered[:4]), evidence


def _marks(text: str) -> Iterator[Finding]:
    for defect, pattern in (("masked names", MASKED), ("question marks", QUESTIONS), ("page furniture", FURNITURE)):
        found = list(pattern.finditer(text))
        if found:
            first = found[0].start()
            yield defect, "found", first, len(found), 0, FOUND_TEXT.format(context=text[max(0, first - 8) : first + 16])


def _twins(reports: Sequence[Report]) -> Iterator[tuple[int, Finding]]:
    """Compare samples of the passages of every two reports."""
    samples = [_sample(report.witness) for report in reports]
    for one, other in combinations(range(len(reports)), 2):
        least = min(len(samples[one]), len(samples[other]))
        share = len(samples[one] & samples[other]) / least if least else 0.0
        if share > ALIKE:
            for here, there in ((one, other), (other, one)):
                evidence = TWIN.format(share=share, size=SHINGLE, other=reports[there].id)
                yield here, ("near-duplicate", "found", reports[there].id, round(share, 3), 0, evidence)


def _sample(text: str) -> frozenset[int]:
    searched = view(text)[0].encode("utf-32-le", "surrogatepass")
    hashes = (crc32(searched[start : start + 4 * SHINGLE]) for start in range(0, len(searched) - 4 * SHINGLE + 1, 4))
    return frozenset(value for value in hashes if value % SAMPLED == 0)


def character_counts(text: str) -> NDArray[np.int64]:
    """Return how often every code point occurs in a text."""
    return np.bincount(np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32), minlength=0x10000)


def screen(report: Report) -> pd.DataFrame:
    """Return the characters of the genre that are absent from a report, or nearly so and below the 1 % point of its period.

    Returns
    -------
    pandas.DataFrame
        `char, seen, expected, reports, p, adjusted`: the lower tail of the negative binomial, and the same times the
        number of characters expected often enough to be judged.
    """
    table, han = _beside_genre(report), han_count(report.witness)
    table = table[table["expected"] >= LEAST_EXPECTED]
    shape = 1 / np.maximum(table["dispersion"], 1e-9)
    table["p"] = special.betainc(shape, table["seen"] + 1, shape / (shape + table["expected"]))
    table["adjusted"] = np.minimum(table["p"] * len(table), 1.0)
    low = (table["seen"] == 0) | (table["seen"] < np.minimum(table["p1"] * han / 10_000, LARGEST_REST * table["expected"]))
    return table.loc[low, ["char", "seen", "expected", "reports", "p", "adjusted"]].sort_values(["p", "char"], ignore_index=True)


def _beside_genre(report: Report) -> pd.DataFrame:
    """Return the reference of the report's level and period, how often each character occurs, and how often it should."""
    level = "national" if "代表国务院" in report.witness[: 2 * HEAD] else "province"
    table = pd.DataFrame.from_dict(reference(report.year, level=level), orient="index").rename_axis("char").reset_index()
    table["seen"] = character_counts(report.witness)[[ord(character) for character in table["char"]]]
    table["expected"] = table["rate"] * han_count(report.witness) / 10_000
    return table


def partly_lost(report: Report) -> list[Finding]:
    """Look for characters that are lost on one long stretch: from some place on, or up to some place, or between two.

    The longest stretch without a character is judged as a text of its own: absent beyond chance, at the smaller of the
    genre's rate and the report's own elsewhere, and with broken words.
    """
    table = _beside_genre(report)
    table = table[(table["seen"] > 0) & (table["expected"] >= 2 * LEAST_STRETCH)]
    codes = np.frombuffer(report.witness.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    before = np.append(0, np.cumsum(is_han(report.witness)))
    found: list[Finding] = []
    for row in table.to_dict("records"):
        ends = np.concatenate([[0], np.flatnonzero(codes == ord(row["char"])) + 1, [len(codes)]])
        longest = int(np.argmax(np.diff(before[ends])))
        start, end = int(ends[longest]), int(ends[longest + 1]) - (longest < len(ends) - 2)
        size = int(before[end] - before[start])
        rate = min(row["rate"], 10_000 * row["seen"] / max(before[-1] - size, 1))
        expected, shape = rate * size / 10_000, 1 / max(row["dispersion"], 1e-9)
        adjusted = min(1.0, (shape / (shape + expected)) ** shape * len(table) * (len(ends) - 1))
        if expected < LEAST_STRETCH or adjusted > BEYOND_CHANCE:
            continue
        broken, distinct = _broken_words(view(report.witness[start:end])[0], row["char"])
        if distinct >= LEAST_BROKEN and _verdict(adjusted, broken, distinct, expected) == "lost":
            facts = {"character": row["char"], "seen": row["seen"], "start": start, "end": end, "broken": broken}
            evidence = PARTLY.format(**facts, expected=expected, adjusted=adjusted)
            found.append(("partly lost character", "lost", row["char"], row["seen"], round(row["seen"] + expected, 1), evidence))
    return found


def lost_characters(report: Report) -> list[Finding]:
    """Give a verdict on every character that the screen finds absent or rare."""
    text, suspects = view(report.witness)[0], screen(report)
    if len(suspects) > MOST_SUSPECTS:
        return [("lost character", "not tested", "", len(suspects), "", STRANGE.format(number=len(suspects)))]
    found: list[Finding] = []
    for row in suspects.to_dict("records"):
        broken, distinct = _broken_words(text, row["char"])
        verdict = _verdict(row["adjusted"], broken, distinct, row["expected"] - row["seen"])
        facts = {str(name): value for name, value in row.items()}
        evidence = VERDICTS[verdict].format(character=row["char"], broken=broken, year=report.year, **facts)
        found.append(("lost character", verdict, row["char"], row["seen"], round(row["expected"], 1), evidence))
    return [
        finding
        for verdict in VERDICTS
        for finding in found
        if finding[1] == verdict and (finding[3] == 0 or verdict != "naturally absent")
    ]


def _broken_words(text: str, character: str) -> tuple[int, int]:
    """Return how many places become well-formed with a character, and how many of them differ.

    Places after a number do not count, for any unit fits there. Places that all have one neighbour in common count as
    one, for so does a local name that is repeated. The slow count is made only where the quick one finds some.
    """
    places: list[int] = []
    for sides in (2, 1):
        gaps, features = examine(text, character, sides=sides)
        likely = gaps[estimate(features, False) >= BROKEN_SCORE].tolist()
        places = [gap for gap in likely if not NUMBER.search(text[max(0, gap - 4) : gap])]
        if len(places) < LEAST_BROKEN - 1:
            break
    around = [(text[gap - 1 : gap], text[gap : gap + 1]) for gap in places]
    one = any(len(set(side)) == 1 for side in zip(*around, strict=True))
    return len(places), 1 if one else len(set(around))


def _verdict(adjusted: float, broken: int, distinct: int, missing: float) -> str:
    """Return the verdict; where the count decides nothing, the broken words must be different ones."""
    if broken < max(LEAST_BROKEN, BROKEN_SHARE * missing):
        return "naturally absent"
    if adjusted <= BEYOND_CHANCE:
        return "lost"
    return "probably lost" if distinct >= LEAST_BROKEN else "naturally absent"
