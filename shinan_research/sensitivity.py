"""Re-run a comparison under other readings of the text and other ways to count, and see which verdicts hold."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np
import pandas as pd

from .counts import SCOPES, TEXT_UNITS, Group, belongs, unit_of
from .errors import ShinanError
from .occurrences import occurrences
from .rates import chi_square
from .shifts import compare

OPTIONS = ("variant", "scope", "unit", "headings")
DIFFERENCES = ("", "verdict", "direction", "direction and verdict")
TIE = 1e-9
CELLS = ("count_before", "count_after", "total_before", "total_after")


def sensitivity(
    readings: Mapping[str, pd.DataFrame],
    before: Group,
    after: Group,
    *,
    terms: pd.DataFrame | Iterable[str],
    strata: pd.DataFrame | None = None,
    variant: str = "probable",
    scopes: Sequence[str] = ("body", "review", "plan"),
    units: Sequence[str] = TEXT_UNITS,
    headings: Sequence[bool] = (True, False),
    level: float = 0.95,
) -> pd.DataFrame:
    """Compare terms under every reading of the text, scope, unit of resampling, with headings and without.

    Each row is one of :func:`~shinan_research.shifts.compare` in closed form. The first of `scopes`, `units` and
    `headings` with the reading `variant` is the base, beside which all others are set. Another scope asks another question,
    with fewer occurrences: a verdict that becomes *too rare* there is lost, not refuted.

    Parameters
    ----------
    readings
        Tokens by the name of the reading, as of :func:`~shinan_research.restore.variants`, or by that of a segmenter.
    before, after
        A year, a report id, or a place and a year.
    terms
        Declared terms (:func:`~shinan_research.occurrences.as_terms`).
    strata
        Matched chapters (`study.strata`), the same in every row.
    variant
        The reading that is the base; without it the first.
    scopes, units, headings
        What is varied beside the text.
    level
        Level of the intervals.

    Returns
    -------
    pandas.DataFrame
        The columns of `compare`, and `unit, headings, base` (whether the row is of the base), `differs` (from the base:
        empty, verdict, direction, or direction and verdict). A scope without text in either group is left out, and a
        reading whose tokens are those of another is no other way to count; `attrs["settings"]` names both, as
        `left_out` and `identical`.

    Raises
    ------
    ShinanError
        If there is no reading or no term, a group is absent, an option is unknown, or the base holds no text.

    Examples
    --------
    >>> from shinan_research.reports import Report
    >>> from shinan_research.outline import outline
    >>> from shinan_research.tokens import tokenize
    >>> texts = {2001: "推进养老服务。建设养老院。", 2002: "建设学校。"}
    >>> pair = [Report(f"a{year}", "A", year, text, text) for year, text in texts.items()]
    >>> table = sensitivity({"probable": tokenize(outline(pair, witness=True))}, 2001, 2002, terms=["养老"], scopes=["body"])
    >>> table[["unit", "headings", "verdict", "differs"]].drop_duplicates("unit").to_dict("list")["verdict"]
    ['too rare', 'too rare', 'too rare']
    """
    listed = terms if isinstance(terms, pd.DataFrame) else list(terms)
    _check(readings, listed, before, after, scopes, units, headings)
    first = variant if variant in readings else next(iter(readings))
    names, alike = _distinct(readings, first)
    units = ("report",) if unit_of(readings[first], before, after, units[0]) == "report" else units
    runs: list[pd.DataFrame] = []
    left_out: list[str] = []
    for scope, name in product(scopes, names):
        tokens = readings[name][readings[name]["part"].isin(SCOPES[scope])]
        if not _both(tokens, before, after):
            left_out.append(f"{scope} of {name}")
            continue
        tokens.attrs = readings[name].attrs
        found = occurrences(tokens, listed)
        for unit, heads in product(units, headings):
            table = compare(
                tokens, before, after, terms=listed, found=found, strata=strata, scope=scope, unit=unit, headings=heads,
                level=level, n_permutations=0, variant=name,
            )  # fmt: skip
            runs.append(table.assign(unit=unit, headings=heads))
    if f"{scopes[0]} of {first}" in left_out:
        raise ShinanError(f"The scope {scopes[0]!r} of {first!r} holds no text in {before!r} or {after!r}. Begin with another.")
    stacked = _marked(pd.concat(runs, ignore_index=True), (first, scopes[0], units[0], headings[0]))
    options = {"variants": names, "scopes": [*scopes], "units": [*units], "headings": [*headings], "left_out": left_out}
    options |= {"identical": alike}
    stacked.attrs["settings"] = dict(runs[0].attrs["settings"]) | {"function": "sensitivity"} | options
    return stacked


def rows_of_units(units: Sequence[str]) -> list[str]:
    """Return units of resampling from top to bottom: the first, which is the base's, in the middle.

    >>> rows_of_units(["block", "sentence", "chapter"])
    ['sentence', 'block', 'chapter']
    """
    rest = units[1:]
    return [*rest[: len(rest) // 2], *units[:1], *rest[len(rest) // 2 :]]


def _check(
    readings: Mapping[str, pd.DataFrame],
    terms: pd.DataFrame | list[str],
    before: Group,
    after: Group,
    scopes: Sequence[str],
    units: Sequence[str],
    headings: Sequence[bool],
) -> None:
    """Refuse what cannot be compared before anything is counted."""
    if not readings or not len(terms):
        raise ShinanError(f"sensitivity was given no {'term' if readings else 'reading'}; expected one at least.")
    for name, given, allowed in (
        ("scopes", scopes, tuple(SCOPES)), ("units", units, TEXT_UNITS), ("headings", headings, (True, False)),
    ):  # fmt: skip
        unknown = [value for value in given if value not in allowed]
        if unknown or not len(given):
            raise ShinanError(f"{name} is {given!r}; allowed, one at least: {', '.join(map(str, allowed))}.")
    for tokens in readings.values():
        belongs(tokens, before), belongs(tokens, after)


def _distinct(readings: Mapping[str, pd.DataFrame], first: str) -> tuple[list[str], list[str]]:
    """Return the names of the readings that differ from each other, the base first, and of those that repeat one."""
    names: list[str] = []
    for name in (first, *(name for name in readings if name != first)):
        mine = readings[name][["report", "start", "term"]].astype(str).reset_index(drop=True)
        if not any(
            mine.equals(readings[other][["report", "start", "term"]].astype(str).reset_index(drop=True)) for other in names
        ):
            names.append(name)
    return names, [name for name in readings if name not in names]


def _both(tokens: pd.DataFrame, before: Group, after: Group) -> bool:
    """Return whether both groups hold Han characters outside headings in these tokens."""
    plain = tokens[~tokens["heading"].astype(bool)]
    try:
        return all(plain.loc[belongs(plain, group), "han"].sum() > 0 for group in (before, after))
    except ShinanError:
        return False


def _marked(table: pd.DataFrame, base: tuple[Any, ...]) -> pd.DataFrame:
    """Return the table with its base rows marked, and for all rows in what they differ from them."""
    is_base = np.logical_and.reduce([table[name] == value for name, value in zip(OPTIONS, base, strict=True)])
    reference = table[is_base].set_index("term")
    direction = pd.Series(_direction(table["log2_matched"]), index=table.index)
    verdict = table["verdict"] != table["term"].map(reference["verdict"])
    turned = direction != table["term"].map(pd.Series(_direction(reference["log2_matched"]), index=reference.index))
    words = np.array(DIFFERENCES, dtype=object)[verdict.to_numpy(dtype=int) + 2 * turned.to_numpy(dtype=int)]
    return table.assign(base=is_base, differs=words)


def _direction(ratio: pd.Series[float]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Return the sign of log2 ratios; a ratio of one has none."""
    values = ratio.to_numpy(dtype=float)
    return np.asarray(np.sign(np.where(np.abs(values) < TIE, 0.0, values)))


def log_odds(table: pd.DataFrame, *, prior: float = 500.0) -> pd.DataFrame:
    """Rank a vocabulary by the log-odds ratio with an informative Dirichlet prior, the "fightin' words" of its field.

    With counts y and totals n of a group, and a prior that holds `prior` tokens shared out as both groups together use the
    words (α of a word, α₀ of all), a group's log odds are log((y + α) / (n + α₀ − y − α)). The difference δ, after less
    before, has the approximate variance 1 / (y₁ + α) + 1 / (y₂ + α), and z is δ over its root.

    The z is no test here: it takes tokens as independent draws, and words come in bursts. The prior draws rare words towards
    0, which hides some bursts and no burst of a frequent word. It serves to compare with studies that rank by it.

    Parameters
    ----------
    table
        The table of :func:`~shinan_research.shifts.compare` for the vocabulary.
    prior
        α₀, in tokens; the larger, the less rare words count.

    Returns
    -------
    pandas.DataFrame
        `term, count_before, count_after, log_odds` (δ, natural logarithm, > 0 is more after), `z`; by falling |z|, then term.

    Raises
    ------
    ShinanError
        If the prior is not positive.

    Notes
    -----
    Monroe, Colaresi and Quinn (2008), Political Analysis 16(4), 372–403.
    """
    if not prior > 0:
        raise ShinanError(f"prior is {prior!r}; expected a number of tokens above 0, such as 500.")
    y1, y2, n1, n2 = (table[name].to_numpy(dtype=float) for name in CELLS)
    alpha = prior * (y1 + y2) / (n1 + n2)
    rests = ((y, n + prior - y - alpha) for y, n in ((y1, n1), (y2, n2)))
    one, two = (np.log(np.divide(y + alpha, rest, out=np.ones_like(y), where=rest > 0)) for y, rest in rests)
    found = table[["term", "count_before", "count_after"]].assign(log_odds=two - one)
    found["z"] = found["log_odds"] / np.sqrt(1 / (y1 + alpha) + 1 / (y2 + alpha))
    order = found.assign(size=-found["z"].abs().round(12)).sort_values(["size", "term"], kind="stable").index
    found = found.loc[order].reset_index(drop=True)
    found.attrs["settings"] = dict(table.attrs.get("settings", {})) | {"function": "log_odds", "prior": prior}
    return found


def measures(table: pd.DataFrame, *, prior: float = 500.0) -> pd.DataFrame:
    """Say at which place each word would stand under the standard measures of the field.

    Parameters
    ----------
    table
        The table of :func:`~shinan_research.shifts.compare` for the vocabulary.
    prior
        Of :func:`log_odds`.

    Returns
    -------
    pandas.DataFrame
        In the order of `table`: `term, count_before, count_after, verdict`, and the place of the word, from 1 on, by
        `keyness` (√(G2 within strata / dispersion), the order of `table`), by `g2` and `chi2` (Pearson's χ², both with
        tokens as independent draws), by `log_odds` (|z| with a Dirichlet prior) and by `ratio` (|log2 ratio|, 0.5 added to
        counts). Ties go by term.
    """
    odds = log_odds(table, prior=prior).set_index("term")["z"].reindex(table["term"]).to_numpy()
    chi2 = chi_square(*(table[name].to_numpy(dtype=float) for name in CELLS))
    values = {"keyness": table["keyness"], "g2": table["g2"], "chi2": chi2, "log_odds": odds, "ratio": table["log2_ratio"]}
    found = table[["term", "count_before", "count_after", "verdict"]].copy()
    for name, value in values.items():
        size = pd.DataFrame({"size": -np.abs(np.asarray(value, dtype=float)).round(12), "term": found["term"].astype(str)})
        order = size.sort_values(["size", "term"], kind="stable").index
        found[name] = pd.Series(np.arange(1, len(found) + 1), index=order)
    found.attrs["settings"] = dict(table.attrs.get("settings", {})) | {"function": "measures", "prior": prior}
    return found


def steadiness(table: pd.DataFrame) -> pd.DataFrame:
    """Count for each term under how many ways of counting its verdict and its direction hold.

    Parameters
    ----------
    table
        The table of :func:`sensitivity`.

    Returns
    -------
    pandas.DataFrame
        One row per term, in order: `term, verdict` (of the base), `ways` (other readings, units and headings in the scope
        of the base in which the term occurs), `absent` (how many more there are in which it does not), `same_verdict,
        same_direction` (of the former), `verdicts` (all that occur there, base first), `lowest, highest` (log2 ratio there),
        `scopes` (other scopes' verdicts in the base's reading, as "review: too rare").
    """
    base = table[table["base"]]
    options = base.iloc[0]
    rows = []
    for row in base.to_dict("records"):
        mine = table[table["term"] == row["term"]]
        same = mine[mine["scope"] == row["scope"]]
        counted = same["count_before"] + same["count_after"] > 0
        others = same[~same["base"] & counted]
        like = np.logical_and.reduce([mine[name] == options[name] for name in ("variant", "unit", "headings")])
        elsewhere = mine[like & (mine["scope"] != row["scope"])]
        rows.append({
            "term": row["term"], "verdict": row["verdict"], "ways": len(others), "absent": int((~counted & ~same["base"]).sum()),
            "same_verdict": int((others["verdict"] == row["verdict"]).sum()),
            "same_direction": int((~others["differs"].str.contains("direction")).sum()),
            "verdicts": ", ".join(dict.fromkeys(same.sort_values("base", ascending=False, kind="stable")["verdict"])),
            "lowest": float(same["log2_matched"].min()), "highest": float(same["log2_matched"].max()),
            "scopes": "; ".join(f"{one.scope}: {one.verdict}" for one in elsewhere.itertuples()),
        })  # fmt: skip
    return pd.DataFrame(rows)
