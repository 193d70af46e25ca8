"""Find the listed forms of declared terms in the text itself, so that a change of the lexicon cannot change a count."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .errors import StudyError
from .tokens import SEPARATOR

Places = NDArray[np.int64]

TERM_COLUMNS = ("term", "form", "role", "family")
ROLES = ("form", "not", "wide")
WIDE = "{} (wide)"
SENSE = "{}: {}"
CHAPTER = ["report", "place", "year", "part", "chapter", "chapter_title"]
COLUMNS = (
    "term", "form", *CHAPTER, "han", "block", "sentence", "heading", "restored", "start", "end", "sense",
)  # fmt: skip


def as_terms(terms: pd.DataFrame | Iterable[str]) -> pd.DataFrame:
    """Return declared terms as a table, one row per listed string.

    Parameters
    ----------
    terms
        Strings, each a term with itself as only form; or a table with the columns `term, form, role, family`, where
        `role` is form, not (a string that hides a form within it) or wide (a form of a second row, "term (wide)").

    Raises
    ------
    StudyError
        If a term has no form, a form is empty or listed twice, or a `not` string hides none of its forms.
    """
    if not isinstance(terms, pd.DataFrame):
        names = [terms] if isinstance(terms, str) else list(terms)
        terms = pd.DataFrame([(name, name, "form", "declared") for name in names], columns=list(TERM_COLUMNS))
    listed: dict[str, list[tuple[str, str]]] = {}
    for name, form, role in zip(terms["term"], terms["form"], terms["role"], strict=True):
        listed.setdefault(name, []).append((form, role))
    for name, rows in listed.items():
        _check_term(name, rows)
    return terms


def _check_term(name: str, rows: list[tuple[str, str]]) -> None:
    """Refuse a term that cannot be counted; its rows are strings and their roles."""
    unknown = [role for _, role in rows if role not in ROLES]
    if unknown:
        raise StudyError(f"The term {name!r}: its role is {unknown[0]!r}; allowed: {', '.join(ROLES)}.")
    every, forms = [form for form, _ in rows], [form for form, role in rows if role != "not"]
    if all(role != "form" for _, role in rows) or any(not form.strip() for form in every):
        raise StudyError(f"The term {name!r} has no form to count. List at least one string under `forms`.")
    if twice := [form for place, form in enumerate(every) if form in every[:place]]:
        raise StudyError(f"The term {name!r} lists {twice[0]!r} twice.")
    if hidden := [word for word, role in rows if role == "not" and not any(form in word for form in forms)]:
        raise StudyError(f"The term {name!r}: {hidden[0]!r} under `not` holds none of its forms {', '.join(forms)}.")


def declared(terms: pd.DataFrame, vocabulary: pd.DataFrame, *, most: int = 8) -> pd.DataFrame:
    """Return the declared terms; without any, the words of the vocabulary that stand out most, as a family that says so.

    Parameters
    ----------
    terms
        Declared terms (:func:`as_terms`).
    vocabulary
        The table of :func:`~shinan_research.shifts.compare` for the vocabulary, which is in order of keyness.
    most
        How many words are taken.

    Returns
    -------
    pandas.DataFrame
        `term, form, role, family`.
    """
    if len(terms):
        return terms
    tested = vocabulary[vocabulary["p"].notna()]
    return as_terms((tested if len(tested) else vocabulary)["term"].astype(str).head(most)).assign(family="stand out")


def find_patterns(terms: pd.DataFrame) -> dict[str, tuple[re.Pattern[str], frozenset[str]]]:
    """Return per term the pattern of all its strings, longest first, and the set of those that count."""
    patterns = {}
    for name, rows in terms.groupby("term", sort=False):
        roles = dict(zip(rows["form"], rows["role"], strict=True))
        readings = {str(name): {"form"}}
        if "wide" in roles.values():
            readings[WIDE.format(name)] = {"form", "wide"}
        for reading, counted in readings.items():
            strings = [string for string, role in roles.items() if role in {*counted, "not"}]
            ordered = sorted(strings, key=lambda string: (-len(string), string))
            forms = frozenset(string for string in strings if roles[string] in counted)
            patterns[reading] = (re.compile("|".join(map(re.escape, ordered))), forms)
    return patterns


def occurrences(tokens: pd.DataFrame, terms: pd.DataFrame | Iterable[str], *, senses: pd.DataFrame | None = None) -> pd.DataFrame:
    """List every occurrence of declared terms, chapter by chapter.

    The forms are matched as strings in the text that the tokens tile, longest first, never twice, never across the
    end of a sentence or heading; strings under `not` hide a form within them. This one table feeds every count and
    every figure of declared terms.

    Parameters
    ----------
    tokens
        The table of :func:`~shinan_research.tokens.tokenize`.
    terms
        Declared terms: see :func:`as_terms`.
    senses
        Coded senses, `term, report, start, sense`, with `start` in `Report.text`; an occurrence without a code has none.

    Returns
    -------
    pandas.DataFrame
        One row per occurrence: `term, form, report, place, year, part, chapter, chapter_title, han, block, sentence,
        heading, restored, start, end, sense`; `restored` tells that a token it touches holds a restored character. A
        chapter without occurrence has one row with an empty `form` and no `start`, so that counting `start` by chapter
        gives zeros too. `han` counts the Han characters of the chapter.

    Raises
    ------
    StudyError
        If a term cannot be counted (see :func:`as_terms`), or the senses lack a column.

    Examples
    --------
    >>> from shinan_research.reports import Report
    >>> from shinan_research.outline import outline
    >>> from shinan_research.tokens import tokenize
    >>> text = "养老院建成。养老见效。"
    >>> tokens = tokenize(outline([Report("a", "A", 2020, text, text)], witness=True))
    >>> occurrences(tokens, ["养老"])["start"].tolist()
    [0, 6]
    """
    patterns = find_patterns(as_terms(terms))
    table = _found(tokens, patterns) if len(tokens) and patterns else pd.DataFrame(columns=list(COLUMNS))
    table = table.astype({"start": "Int64", "end": "Int64", "block": "Int64", "sentence": "Int64"})
    table["term"] = pd.Categorical(table["term"], categories=list(patterns))
    table = table.sort_values(["term", "report", "chapter", "start"], kind="stable", ignore_index=True)
    if senses is not None and len(senses):
        lacking = [name for name in ("term", "report", "start", "sense") if name not in senses]
        if lacking:
            raise StudyError(f"The senses have no column {lacking[0]}; needed: term, report, start, sense, as of study.senses.")
        keys = pd.MultiIndex.from_frame(table[["term", "report", "start"]].astype({"term": str}))
        coded = senses.drop_duplicates(["term", "report", "start"]).set_index(["term", "report", "start"])["sense"]
        table["sense"] = coded.reindex(keys).fillna("").to_numpy()
    table.attrs["settings"] = dict(tokens.attrs.get("settings", {})) | {"sense_judges": judges_of(senses)}
    return table[list(COLUMNS)]


def judges_of(table: pd.DataFrame | None) -> list[str]:
    """Return who decided on the rows of a table, each once: its column `decided_by`; none where there is no such column."""
    if table is None or "decided_by" not in table:
        return []
    return sorted(set(table["decided_by"].astype(str)) - {""})


def by_sense(found: pd.DataFrame) -> pd.DataFrame:
    """Add to an occurrence table a row set per coded sense, named "term: sense"; the rows of the terms stay.

    Returns
    -------
    pandas.DataFrame
        The columns of :func:`occurrences`; the categories of `term` are followed by those of the senses, in the order of the
        terms and then by falling count.
    """
    coded = found[found["sense"] != ""]
    if coded.empty:
        return found
    counts = coded.groupby(["term", "sense"], observed=True).size().rename("count").reset_index()
    counts = counts.sort_values(["term", "count", "sense"], ascending=[True, False, True], kind="stable")
    names = {(str(row["term"]), row["sense"]): SENSE.format(row["term"], row["sense"]) for row in counts.to_dict("records")}
    terms = [str(term) for term in found["term"].cat.categories]
    keys = zip(coded["term"].astype(str), coded["sense"], strict=True)
    extra = coded.assign(term=[names[key] for key in keys])
    both = pd.concat([found.astype({"term": str}), extra.astype({"term": str})], ignore_index=True)
    both["term"] = pd.Categorical(both["term"], categories=[*terms, *names.values()])
    both.attrs = dict(found.attrs)
    return both


def _found(tokens: pd.DataFrame, patterns: Mapping[str, tuple[re.Pattern[str], frozenset[str]]]) -> pd.DataFrame:
    """Return the occurrences of all terms, and for each term an empty row for every chapter without any."""
    keys = ["report", "chapter"]
    rest = {name: (name, "first") for name in CHAPTER if name not in keys}
    chapters = tokens.groupby(keys, sort=False, observed=True).agg(**rest, han=("han", "sum"))
    joined, begins = _joined(tokens)
    hits = [
        (name, match.group(), match.start())
        for name, (pattern, forms) in patterns.items() for match in pattern.finditer(joined) if match.group() in forms
    ]  # fmt: skip
    at = np.array([place for _, _, place in hits], dtype=np.int64)
    ends = at + np.array([len(form) for _, form, _ in hits], dtype=np.int64)
    index = np.searchsorted(begins, at, side="right") - 1
    rows = tokens[[*keys, "block", "sentence", "heading"]].iloc[index].reset_index(drop=True)
    rows["term"], rows["form"] = ([hit[part] for hit in hits] for part in (0, 1))
    rows["start"] = tokens["start"].to_numpy()[index] + at - begins[index]
    rows["end"] = rows["start"] + ends - at
    marks = np.concatenate([[0], np.cumsum(tokens["restored"].to_numpy())])
    rows["restored"] = marks[np.searchsorted(begins, ends, side="left")] > marks[index]
    seen = set(zip(rows["term"], rows["report"], rows["chapter"], strict=True))
    absent = [(name, *chapter) for name in patterns for chapter in chapters.index if (name, *chapter) not in seen]
    empty = pd.DataFrame(absent, columns=["term", *keys]).assign(form="", heading=False, restored=False)
    empty[["start", "end", "block", "sentence"]] = pd.NA
    parts = [part.astype(object) for part in (rows, empty) if len(part)]
    table = pd.concat(parts, ignore_index=True).join(chapters, on=keys)
    return table.assign(sense="").astype({"report": str, "chapter": int, "heading": bool, "restored": bool})


def _joined(tokens: pd.DataFrame) -> tuple[str, Places]:
    """Return the texts with a separator after each sentence, and where in that each token begins."""
    surfaces, sentence = tokens["term"].astype(object).to_numpy(), tokens["sentence"].to_numpy()
    report = tokens["report"].astype("category").cat.codes.to_numpy()
    last = np.append((sentence[1:] != sentence[:-1]) | (report[1:] != report[:-1]), True)
    length = (tokens["end"] - tokens["start"]).to_numpy() + last
    return "".join(np.where(last, surfaces + SEPARATOR, surfaces)), np.cumsum(length) - length
