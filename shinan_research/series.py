"""Follow terms over many reports: a rate for every year, with a band that says what it rests on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special

from .counts import FEWEST_PLACES, SCOPES
from .errors import ShinanError
from .explain import group_name, joined
from .explain import ratio as format_ratio
from .messages import LANGUAGES, say
from .occurrences import occurrences
from .rates import ALPHA, normal, student

Array = NDArray[np.float64]
Groups = Mapping[str, Iterable[str]] | str
Words = dict[str, dict[str, str]]

COLUMNS = ("term", "group", "year", "reports", "places", "count", "han", "rate", "low", "high", "dispersion", "basis")
ALL = "all"
MOST_LINES = 4  # places that a reader can tell apart in one panel
FEWEST_YEARS = 8  # consecutive ones, for a correlation of neighbouring years
BASES = ("passages", "places", "description")


def series(
    tokens: pd.DataFrame,
    terms: pd.DataFrame | Iterable[str],
    *,
    groups: Groups = "auto",
    scope: str = "body",
    headings: bool = True,
    level: float = 0.95,
) -> pd.DataFrame:
    """Count declared terms year by year, in each place or in groups of places.

    What a band means depends on what a year holds, and `basis` says so. *passages*: one report; the band is what another
    draw of its blocks of about five sentences would give, and says nothing about other places. *places*: ten reports or
    more; the unit is the place, and the band speaks of places like these. *description*: two to nine reports, too few to
    estimate from; `low` and `high` are the lowest and the highest of their rates, and no interval. No band is a test of
    change between years: the same places write, and copy, year after year.

    Parameters
    ----------
    tokens
        The table of :func:`~shinan_research.tokens.tokenize`, of any number of reports.
    terms
        Declared terms (:func:`~shinan_research.occurrences.as_terms`).
    groups
        Places by the name of their group; a place may stand in several, or in none. "places" is every place by itself,
        "all" all places as one group; "auto" the former up to four places, else the latter.
    scope
        body (all but the annex), review, plan or annex.
    headings
        Whether text in headings counts.
    level
        Level of the bands.

    Returns
    -------
    pandas.DataFrame
        One row per term, group and year that has text in the scope: `term, group, year, reports, places, count, han`
        (Han characters), `rate` (per 10,000 Han characters of all reports together), `low, high, dispersion` (variance
        over blocks or places, relative to Poisson; 1 for a description), `basis`.

    Raises
    ------
    ShinanError
        If no term is given, a group names a place that is not there, the scope is unknown or holds no text.

    Notes
    -----
    The band is the quasi-Jeffreys interval of one rate: a Gamma posterior of the count divided by the dispersion, with
    1/2 added (Brown, Cai and DasGupta 2003, for the Poisson case). The dispersion is the sandwich variance over clusters
    relative to Poisson, pooled over the years of a term and never below 1, widened by Student's t for few clusters.

    Examples
    --------
    >>> from shinan_research.reports import Report
    >>> from shinan_research.outline import outline
    >>> from shinan_research.tokens import tokenize
    >>> texts = {2001: "推进养老服务。建设养老院。", 2002: "建设学校。"}
    >>> many = [Report(f"a{year}", "A", year, text, text) for year, text in texts.items()]
    >>> series(tokenize(outline(many, witness=True)), ["养老"])[["year", "count", "basis"]].values.tolist()
    [[2001, 2, 'passages'], [2002, 0, 'passages']]
    """
    if scope not in SCOPES:
        raise ShinanError(f"scope is {scope!r}; allowed: {', '.join(SCOPES)}. Body and annex are never pooled.")
    if not 0 < level < 1:
        raise ShinanError(f"level is {level!r}; expected a number between 0 and 1, such as 0.95.")
    terms = terms if isinstance(terms, pd.DataFrame) else list(terms)
    chosen = tokens["part"].isin(SCOPES[scope]) & (headings | ~tokens["heading"].astype(bool))
    if not len(terms) or not tokens.loc[chosen, "han"].sum():
        raise ShinanError("series was given no term." if not len(terms) else f"The scope {scope!r} holds no text in any report.")
    found = occurrences(tokens, terms)
    hits = found[found["start"].notna() & found["part"].isin(SCOPES[scope]) & (headings | ~found["heading"].astype(bool))]
    units = tokens[chosen].groupby(["report", "place", "year", "block"], sort=True, observed=True)["han"].sum().reset_index()
    parts, named = [], members_of(units, groups)
    for name, members in named.items():
        mine = units[units["place"].isin(members)]
        parts += [_one(mine, hits[hits["term"] == term], level).assign(term=str(term), group=name) for term in _names(found)]
    table = pd.concat(parts, ignore_index=True)[list(COLUMNS)]
    table.attrs["settings"] = dict(tokens.attrs.get("settings", {})) | {
        "function": "series", "scope": scope, "headings": headings, "level": level, "fewest_places": FEWEST_PLACES,
        "all_places": int(units["place"].nunique()), "groups": named,
    }  # fmt: skip
    return table


def _names(found: pd.DataFrame) -> list[str]:
    return [str(term) for term in found["term"].cat.categories]


def members_of(units: pd.DataFrame, groups: Groups) -> dict[str, list[str]]:
    """Return the places of each group, after checking that they are there.

    Raises
    ------
    ShinanError
        If the groups are no known word, or name a place that is not there.
    """
    places = sorted(set(units["place"].astype(str)))
    if isinstance(groups, str):
        if groups not in ("auto", "places", ALL):
            raise ShinanError(f"groups is {groups!r}; allowed: auto, places, all, or places by the name of their group.")
        each = groups == "places" or (groups == "auto" and len(places) <= MOST_LINES)
        return {place: [place] for place in places} if each else {ALL: places}
    named = {name: list(dict.fromkeys(members)) for name, members in groups.items()}
    for name, members in named.items():
        absent = [place for place in members if place not in places]
        if absent or not members:
            raise ShinanError(
                f"The group {name!r} names {absent[0] if absent else 'no place'}. Places present: {', '.join(places)}."
            )
    return named


def _one(units: pd.DataFrame, hits: pd.DataFrame, level: float) -> pd.DataFrame:
    """Return the series of one term in one group: years, counts, rates and bands."""
    keys = ["report", "block"]
    counts = hits.groupby(keys, observed=True).size().reindex(pd.MultiIndex.from_frame(units[keys]), fill_value=0)
    cells = units.assign(count=counts.to_numpy())
    years = cells.groupby("year", sort=True).agg(
        reports=("report", "nunique"), places=("place", "nunique"), count=("count", "sum"), han=("han", "sum")
    )
    years["basis"] = np.select([years["places"] == 1, years["places"] >= FEWEST_PLACES], BASES[:2], BASES[2])
    years["rate"] = 1e4 * years["count"] / years["han"].clip(lower=1)
    years["dispersion"] = 1.0
    for basis, cluster in (("passages", keys), ("places", ["place"])):
        chosen = years.index[years["basis"] == basis]
        clusters = cells[cells["year"].isin(chosen)].groupby(["year", *cluster], observed=True)[["count", "han"]].sum()
        if len(chosen):
            years.loc[chosen, "dispersion"] = _dispersion(clusters.reset_index(), level)
    x, n, phi = (years[name].to_numpy(dtype=float) for name in ("count", "han", "dispersion"))
    years["low"], years["high"] = (1e4 * end for end in rate_interval(x, np.maximum(n, 1), phi, level))
    spread = cells.groupby(["year", "place"], observed=True)[["count", "han"]].sum()
    each = (1e4 * spread["count"] / spread["han"].clip(lower=1)).groupby("year").agg(["min", "max"])
    described = years["basis"] == BASES[2]
    years.loc[described, ["low", "high"]] = each.loc[described[described].index].to_numpy()
    return years.reset_index()


def _dispersion(clusters: pd.DataFrame, level: float) -> float:
    """Return the variance over clusters within years relative to Poisson, pooled over the years, widened for few clusters."""
    variance, total, free = 0.0, float(clusters["count"].sum()), 0
    for _, rows in clusters.groupby("year"):
        size, han = len(rows), rows["han"].sum()
        if size > 1 and han:
            rest = rows["count"] - rows["count"].sum() * rows["han"] / han
            variance, free = variance + size / (size - 1) * float((rest**2).sum()), free + size - 1
    if not total or not free:
        return 1.0
    wider = student((1 - level) / 2, free) / normal((1 - level) / 2)
    return float(max(variance / total, 1.0) * wider**2)


def rate_interval(x: Array, n: Array, phi: Array, level: float) -> tuple[Array, Array]:
    """Return the ends of the quasi-Jeffreys interval of a rate x / n: Gamma(x / phi + 1/2) over n / phi; 0 if x is 0."""
    tail = (1 - level) / 2
    low, high = (special.gammaincinv(x / phi + 0.5, share) * phi / n for share in (tail, 1 - tail))
    return np.where(x > 0, low, 0.0), high


def courses(table: pd.DataFrame, each: pd.DataFrame | None = None) -> pd.DataFrame:
    """Summarise each series: its ends, its extremes, and how far its years can be told from noise and from each other.

    Parameters
    ----------
    table
        The table of :func:`series`.
    each
        The same with every place by itself (`groups="places"`), from which first and last year are compared place by place.

    Returns
    -------
    pandas.DataFrame
        One row per term and group: `term, group, years, first, last, rate_first, rate_last, lowest, lowest_year, highest,
        highest_year, count, basis` (of all years, or "mixed"), `fewest_places, most_places`; where every year is one report,
        `excess` (variance of the yearly rates relative to what their bands allow), else 0; `correlation` of neighbouring
        years and `worth` (independent years at that correlation), 0 and `years` where the years are too few or have gaps;
        `paired` (places that have both the first and the last year), `risen, fallen` (of these), and `ratio, ratio_low,
        ratio_high` of the last rate to the first, the place being the unit; 0 where fewer than ten are paired.

    Notes
    -----
    The ratio's interval is that of a ratio of two totals over the same clusters: variance of the linearised logarithm
    over places, Student's t (Cochran 1977, ch. 6). Places that change together, by one instruction from above, are fewer
    than they seem; no interval knows of that.
    """
    level = table.attrs["settings"]["level"]
    rows = []
    for (term, group), mine in table.groupby(["term", "group"], sort=False, observed=True):
        row = {"term": term, "group": group, **_course(mine)}
        members = table.attrs["settings"]["groups"][group]
        chosen = None if each is None else each[(each["term"] == term) & each["group"].isin(members)]
        rows.append(row | _paired(chosen, row["first"], row["last"], level))
    return pd.DataFrame(rows)


def _course(mine: pd.DataFrame) -> dict[str, Any]:
    """Return the summary of one series."""
    rate = mine["rate"].to_numpy(dtype=float)
    first, last, low, high = mine.iloc[0], mine.iloc[-1], mine.iloc[int(rate.argmin())], mine.iloc[int(rate.argmax())]
    bases = set(mine["basis"])
    noise = 1e4 * (mine["dispersion"] * mine["rate"] / mine["han"].clip(lower=1)).mean()
    whole = len(mine) >= FEWEST_YEARS and int(mine["year"].max() - mine["year"].min()) == len(mine) - 1
    alike = float(np.corrcoef(rate[:-1], rate[1:])[0, 1]) if whole and rate[:-1].std() and rate[1:].std() else 0.0
    return {
        "years": len(mine), "first": int(first["year"]), "last": int(last["year"]), "rate_first": float(first["rate"]),
        "rate_last": float(last["rate"]), "lowest": float(low["rate"]), "lowest_year": int(low["year"]),
        "highest": float(high["rate"]), "highest_year": int(high["year"]), "count": int(mine["count"].sum()),
        "basis": bases.pop() if len(bases) == 1 else "mixed", "fewest_places": int(mine["places"].min()),
        "most_places": int(mine["places"].max()),
        "excess": float(rate.var(ddof=1) / noise) if len(mine) > 1 and set(mine["basis"]) == {BASES[0]} and noise else 0.0,
        "correlation": alike, "worth": float(len(mine) * (1 - max(alike, 0.0)) / (1 + max(alike, 0.0))),
    }  # fmt: skip


def _paired(each: pd.DataFrame | None, first: int, last: int, level: float) -> dict[str, float]:
    """Compare the last year with the first in the places that have both."""
    found = {"paired": 0, "risen": 0, "fallen": 0, "ratio": 0.0, "ratio_low": 0.0, "ratio_high": 0.0}
    if each is None or first == last:
        return found
    wide = each[each["year"].isin([first, last])].pivot(index="group", columns="year", values=["count", "han", "rate"]).dropna()
    x1, x2, n1, n2, r1, r2 = (wide[key].to_numpy(dtype=float) for key in product(("count", "han", "rate"), (first, last)))
    found |= {"paired": len(wide), "risen": int((r2 > r1).sum()), "fallen": int((r2 < r1).sum())}
    size = len(wide)
    if size < FEWEST_PLACES or not x1.sum() or not x2.sum():
        return found
    ratio = (x2.sum() / n2.sum()) / (x1.sum() / n1.sum())
    pull = (x2 - n2 * x2.sum() / n2.sum()) / x2.sum() - (x1 - n1 * x1.sum() / n1.sum()) / x1.sum()
    wide_by = student((1 - level) / 2, size - 1) * float(np.sqrt(size / (size - 1) * (pull**2).sum()))
    return found | {"ratio": ratio, "ratio_low": ratio * np.exp(-wide_by), "ratio_high": ratio * np.exp(wide_by)}


def answer_series(table: pd.DataFrame, each: pd.DataFrame | None = None, language: str = "en") -> list[str]:
    """Say of each series what was counted, how far its years differ by more than noise, and what may not be concluded.

    Parameters
    ----------
    table, each
        As for :func:`courses`.
    language
        zh or en.
    """
    return [_sentences(row, table.attrs["settings"], language) for row in courses(table, each).to_dict("records")]


def _sentences(row: Mapping[Any, Any], settings: Mapping[str, Any], language: str) -> str:
    numbers = {name: f"{row[name]:.1f}" for name in ("rate_first", "rate_last", "lowest", "highest", "excess")}
    values = dict(row) | numbers | {"correlation": f"{row['correlation']:.2f}", "worth": f"{row['worth']:.0f}"}
    values |= {name: format_ratio(row[name]) for name in ("ratio", "ratio_low", "ratio_high")}
    values |= {"level": f"{100 * settings['level']:g}"} | {
        name: group_name(row[name], language) for name in ("first", "last", "lowest_year", "highest_year")
    }
    values |= {"group": label(row["group"], settings, language), "scope": say(f"scope.{settings['scope']}", language)}
    if not row["count"]:
        return say("series.absent", language, **values)
    if row["years"] == 1:
        return say("series.single", language, **values)
    parts = [say("series.course", language, **values), say(f"series.basis.{row['basis']}", language)]
    if row["fewest_places"] != row["most_places"]:
        parts.append(say("series.changing", language, **values))
    if row["excess"]:
        free = row["years"] - 1  # were there nothing but the bands, excess · free would be chi-squared with so many degrees
        beyond = special.chdtrc(free, row["excess"] * free) <= ALPHA
        parts.append(say(f"series.{'beyond' if beyond else 'noise'}", language, **values, alpha=f"{ALPHA:g}"))
    if row["paired"] > 1:
        parts.append(say(f"series.{'ratio' if row['ratio'] else 'pairs'}", language, **values))
    if row["correlation"] * row["years"] ** 0.5 >= 2:  # two standard errors of a correlation of unrelated years
        parts.append(say("series.alike", language, **values))
    return joined(parts, language)


def label(group: str, settings: Mapping[str, Any], language: str) -> str:
    """Return the name of a group as prose and figures print it."""
    return say("series.all", language, n=settings["all_places"]) if group == ALL else group


def describe_series(table: pd.DataFrame, *, place: Mapping[str, str]) -> Words:
    """Return caption and alt text of :func:`~shinan_research.figures.draw_series`, computed from its table.

    Parameters
    ----------
    table
        The table of :func:`series`.
    place
        The name of the place or places, `{"zh": …, "en": …}`.

    Returns
    -------
    dict
        `caption` and `alt`, each `{"zh": …, "en": …}`.
    """
    settings, rows = table.attrs["settings"], courses(table).to_dict("records")
    words: Words = {"caption": {}, "alt": {}}
    for one in LANGUAGES:
        values = {"place": place[one], "first": table["year"].min(), "last": table["year"].max()}
        values |= {"scope": say(f"scope.{settings['scope']}", one), "level": f"{100 * settings['level']:g}"}
        values |= {"fewest": settings["fewest_places"]}
        keys = ["title", *(f"band_{basis}" for basis in BASES if basis in set(table["basis"])), "confounded"]
        words["caption"][one] = joined([say(f"series.caption.{key}", one, **values) for key in keys], one)
        said = [
            say(
                "series.alt_row", one, term=row["term"], group=label(row["group"], settings, one),
                rate_first=f"{row['rate_first']:.1f}", rate_last=f"{row['rate_last']:.1f}", highest=f"{row['highest']:.1f}",
                highest_year=group_name(row["highest_year"], one),
            )
            for row in rows
        ]  # fmt: skip
        words["alt"][one] = say("series.alt", one, rows=("；" if one == "zh" else "; ").join(said), **values)
    return words
