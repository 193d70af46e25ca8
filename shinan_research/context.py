"""Words in context: the concordance of a term, its places in the running text, and the words that keep it company."""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .counts import Group, belongs, group_label
from .errors import ShinanError
from .occurrences import as_terms, find_patterns, occurrences
from .rates import log_likelihood
from .reports import Report

KWIC_COLUMNS = ("report", "part", "chapter", "sentence", "start", "end", "left", "match", "right", "sense", "restored")
SHEET_COLUMNS = ("report", "offset", "left", "match", "right", "sense", "decided_by")
POSITION_COLUMNS = (
    "term", "form", "side", "report", "place", "year", "part", "chapter", "chapter_title", "sense", "start", "end", "at",
    "chapter_from", "chapter_to",
)  # fmt: skip
COLLOCATE_COLUMNS = ("term", "collocate", "count", "expected", "g2", "npmi", "total", "sentences")


def kwic(
    sentences: pd.DataFrame,
    pattern: str | pd.DataFrame | Iterable[str],
    *,
    regex: bool = False,
    width: int = 20,
    marks: tuple[str, str] = ("〔", "〕"),
) -> pd.DataFrame:
    """List every occurrence of a term with the words around it (key word in context).

    Parameters
    ----------
    sentences
        The table of :func:`~shinan_research.outline.outline`.
    pattern
        A string, several strings, or declared terms (:func:`~shinan_research.occurrences.as_terms`).
    regex
        Read a string as a regular expression.
    width
        Characters of the same sentence shown on either side.
    marks
        What to put around restored characters in `left`, `match` and `right`.

    Returns
    -------
    pandas.DataFrame
        `report, part, chapter, sentence, start, end, left, match, right, sense, restored`, in order of text; `start` and
        `end` in `Report.text`, `restored` counts restored characters in the match, `sense` is empty.

    Raises
    ------
    ShinanError
        If the expression is not valid, or matches the empty string.

    Examples
    --------
    >>> from shinan_research.reports import Report
    >>> from shinan_research.outline import outline
    >>> text = "社区养老服务。养老机构。"
    >>> kwic(outline([Report("a", "A", 2020, text, text)], witness=True), "养老", width=2)[["left", "match", "right"]]
      left match right
    0   社区    养老    服务
    1         养老    机构
    """
    compiled = _compile(pattern, regex)
    rows = [
        (
            row["report"], row["part"], row["chapter"], row["sentence"], row["start"] + start, row["start"] + end,
            *_around(row, start, end, width, marks), "", int(_within(row, start, end)),
        )
        for row in sentences.to_dict("records")
        for start, end in _spans(compiled, row["text"])
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=list(KWIC_COLUMNS))


def sense_sheet(lines: pd.DataFrame, reports: Iterable[Report]) -> pd.DataFrame:
    """Return a concordance as the sheet in which senses are coded, with offsets in the witness, as files under data/ have them.

    Parameters
    ----------
    lines
        The table of :func:`kwic`.
    reports
        The restored reports that it was made from.

    Returns
    -------
    pandas.DataFrame
        `report, offset, left, match, right, sense, decided_by`, the last two empty.
    """
    known = {report.id: report for report in reports}
    offsets = [known[name].to_witness(int(start)) for name, start in zip(lines["report"], lines["start"], strict=True)]
    return lines.assign(offset=offsets, decided_by="")[list(SHEET_COLUMNS)]


def _compile(pattern: str | pd.DataFrame | Iterable[str], regex: bool) -> list[tuple[re.Pattern[str], frozenset[str] | None]]:
    """Return patterns, each with the strings that count, or with None where every match does."""
    if regex and isinstance(pattern, str):
        try:
            compiled = re.compile(pattern)
        except re.error as error:
            raise ShinanError(f"{pattern!r} is not a valid regular expression: {error}.") from error
        if compiled.match(""):
            raise ShinanError(f"{pattern!r} matches the empty string, so every place would be listed. Make it match something.")
        return [(compiled, None)]
    return [
        (found, forms) for found, forms in find_patterns(as_terms([pattern] if isinstance(pattern, str) else pattern)).values()
    ]


def _spans(compiled: list[tuple[re.Pattern[str], frozenset[str] | None]], text: str) -> list[tuple[int, int]]:
    """Return the spans of all matches in one sentence, in order, none twice."""
    found = {
        match.span()
        for pattern, forms in compiled for match in pattern.finditer(text)
        if match.group() and (forms is None or match.group() in forms)
    }  # fmt: skip
    return sorted(found)


def _within(row: dict[object, object], start: int, end: int) -> int:
    """Count the restored characters between two positions of a sentence."""
    first: int = row["start"]  # type: ignore[assignment]
    return sum(first + start <= place < first + end for place in row["restored_at"])  # type: ignore[attr-defined]


def _around(row: dict[object, object], start: int, end: int, width: int, marks: tuple[str, str]) -> tuple[str, str, str]:
    """Return what stands left of a match, the match and what stands right of it, restored characters marked."""
    first, text = int(str(row["start"])), str(row["text"])
    restored = {place - first for place in row["restored_at"]}  # type: ignore[attr-defined]
    shown = [f"{marks[0]}{character}{marks[1]}" if place in restored else character for place, character in enumerate(text)]
    left, match, right = shown[max(0, start - width) : start], shown[start:end], shown[end : end + width]
    return "".join(left).strip(), "".join(match), "".join(right).strip()


def collocates(tokens: pd.DataFrame, term: str, *, window: int = 5, min_count: int = 3) -> pd.DataFrame:
    """List the words that stand near a term more or less often than chance would have it.

    The window is `window` tokens of kind word or term on either side, within the sentence (the term itself may be of another
    kind, as GDP is); each token near several occurrences counts once. The measures describe: neighbouring tokens are no
    independent draws.

    Returns
    -------
    pandas.DataFrame
        `term, collocate, count, expected, g2, npmi, total, sentences`, by falling signed G2, then by word: `count` in windows,
        `total` in all, `expected` = total × share of tokens in windows; `g2` in natural logarithms, negative where the word
        avoids the term; `npmi` from −1 to 1 (Bouma 2009).

    Raises
    ------
    ShinanError
        If the term is no token of the table.
    """
    lexical = tokens[tokens["kind"].isin(["word", "term"]) | (tokens["term"] == term)].reset_index(drop=True)
    words = lexical["term"].astype(str)
    if not (words == term).any():
        raise ShinanError(f"{term!r} is no token here. collocates works on tokens; put the term into the lexicon, or use kwic.")
    near = _near(lexical, (words == term).to_numpy(), window)
    total = words.groupby(words).size()
    inside = words[near].groupby(words[near]).size()
    one = pd.Series(_sentences(lexical)[near]).groupby(words[near].to_numpy()).nunique()
    table = pd.DataFrame({"total": total, "count": inside, "sentences": one}).fillna(0).astype(int)
    n, size = float(near.sum()), float(len(words))
    table["expected"] = table["total"] * n / size
    a, b = table["count"].to_numpy(dtype=float), (table["total"] - table["count"]).to_numpy(dtype=float)
    table["g2"] = np.where(a >= table["expected"], 1, -1) * log_likelihood(a, b, n, size - n)
    joint = np.where(a > 0, a, np.nan) / size
    table["npmi"] = np.log(joint * size**2 / (table["total"] * n)) / -np.log(joint)
    table = table[(table["count"] >= min_count) & (table.index != term)].rename_axis("collocate").reset_index().assign(term=term)
    order = table.assign(rank=-table["g2"].round(9)).sort_values(["rank", "collocate"], kind="stable").index
    return table.loc[order, list(COLLOCATE_COLUMNS)].reset_index(drop=True)


def _near(
    lexical: pd.DataFrame, hit: np.ndarray[tuple[int], np.dtype[np.bool_]], window: int
) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Return which tokens stand within the window of a hit in the same sentence, the hits themselves left out."""
    sentence = _sentences(lexical)
    near = np.zeros(len(hit), dtype=bool)
    for shift in range(1, window + 1):
        same = sentence[shift:] == sentence[:-shift]
        near[shift:] |= hit[:-shift] & same
        near[:-shift] |= hit[shift:] & same
    return near & ~hit


def _sentences(lexical: pd.DataFrame) -> NDArray[np.int64]:
    """Return a code for the sentence of each token; sentences of different reports have different codes."""
    return pd.factorize(pd.MultiIndex.from_frame(lexical[["report", "sentence"]]))[0].astype(np.int64)


def positions(
    tokens: pd.DataFrame, before: Group, after: Group, *, terms: pd.DataFrame | Iterable[str], senses: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Say where each occurrence of declared terms is in the running text of its report, in per cent of its Han characters.

    Parameters
    ----------
    tokens
        The table of :func:`~shinan_research.tokens.tokenize`.
    before, after
        A year, a report id, or a place and a year.
    terms, senses
        As in :func:`~shinan_research.occurrences.occurrences`.

    Returns
    -------
    pandas.DataFrame
        `term, form, side` (before, after), `report, place, year, part, chapter, chapter_title, sense, start, end, at,
        chapter_from, chapter_to`: one row per occurrence, and one without `start` and `at` for a chapter without any. Annexes
        are part of the text here.

    Raises
    ------
    ShinanError
        If a group is absent.

    Examples
    --------
    >>> from shinan_research.reports import Report
    >>> from shinan_research.outline import outline
    >>> from shinan_research.tokens import tokenize
    >>> texts = {2001: "建设学校。推进养老。", 2002: "推进养老。"}
    >>> tokens = tokenize(outline([Report(f"a{year}", "A", year, text, text) for year, text in texts.items()], witness=True))
    >>> positions(tokens, 2001, 2002, terms=["养老"])["at"].tolist()
    [75.0, 50.0]
    """
    sides = {"before": belongs(tokens, before), "after": belongs(tokens, after)}
    found = occurrences(tokens, terms, senses=senses)
    placed = [
        _running(found[found["report"] == report], tokens[tokens["report"] == report]).assign(side=side)
        for side, mine in sides.items()
        for report in sorted(tokens.loc[mine, "report"].unique())
    ]
    table = pd.concat(placed, ignore_index=True)[list(POSITION_COLUMNS)]
    table.attrs["settings"] = dict(tokens.attrs.get("settings", {})) | {
        "function": "positions", "before": group_label(before), "after": group_label(after),
    }  # fmt: skip
    return table


def _running(found: pd.DataFrame, tokens: pd.DataFrame) -> pd.DataFrame:
    """Return the occurrences of one report with their place, and the ends of their chapter, in per cent of its characters."""
    end = tokens["han"].cumsum().to_numpy(dtype=float)
    share = 100 / max(float(end[-1]), 1.0)
    start = end - tokens["han"].to_numpy(dtype=float)
    ends = pd.DataFrame({"chapter": tokens["chapter"].to_numpy(), "from": start * share, "to": end * share}).groupby("chapter")
    seen = found["start"].notna().to_numpy()
    at = np.full(len(found), np.nan)
    at[seen] = start[tokens["start"].searchsorted(found["start"][seen].to_numpy(dtype=int), side="right") - 1] * share
    chapter = found["chapter"].to_numpy()
    return found.assign(
        at=at,
        chapter_from=ends["from"].min().reindex(chapter).to_numpy(),
        chapter_to=ends["to"].max().reindex(chapter).to_numpy(),
    )
