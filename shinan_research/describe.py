"""Captions and alternative texts of the figures about vocabulary, computed from the tables that they draw."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from .captions import confounding, dealt
from .counts import between_places
from .explain import by_places, group_name, joined, ratio, term_name, times, verdict_name
from .messages import LANGUAGES, say
from .placebo import OUTSIDE, OWN_YEARS
from .rates import ALPHA
from .sensitivity import rows_of_units, steadiness

UNTESTED = ("too rare", "too concentrated")
DESCRIBED = "description only"
OTHERS = ("g2", "chi2", "log_odds", "ratio")
Words = dict[str, dict[str, str]]


def describe_ranking(vocabulary_shift: pd.DataFrame, *, place: Mapping[str, str], each: int = 15) -> Words:
    """Say what the ranking of the vocabulary shows, and how many words survive correction.

    Parameters
    ----------
    vocabulary_shift
        The table of :func:`~shinan_research.shifts.compare` for the vocabulary.
    place
        The name of the place, `{"zh": …, "en": …}`.
    each
        How many words of each direction are drawn.

    Returns
    -------
    dict
        `caption` and `alt`, each `{"zh": …, "en": …}`.
    """
    return {
        "caption": {one: _ranking_caption(vocabulary_shift, place[one], each, one) for one in LANGUAGES},
        "alt": {one: _ranking_alt(vocabulary_shift, each, one) for one in LANGUAGES},
    }


def _ranking_caption(table: pd.DataFrame, place: str, each: int, language: str) -> str:
    settings, tested = table.attrs["settings"], table[~table["verdict"].isin(UNTESTED)]
    values = _groups(table, language) | {"place": place, "each": each, "seed": settings["seed"], "tested": len(tested)}
    values |= {"untested": len(table) - len(tested), "level": f"{100 * settings['level']:g}"}
    values |= {"test": dealt(settings, values["scope"], language), "unit": say(f"unit.{settings['unit']}", language)}
    values |= {"n_permutations": f"{settings['n_permutations']:,}"}
    if by_places(settings):
        keys, values["places"] = ("title", *(f"{key}_places" for key in ("panels", "method"))), settings["places"]
        keys = ("title", "panels_described") if described(table) else keys
    else:
        keys = ("title", "panels", "method")
    parts = [*(say(f"describe.ranking.{key}", language, **values) for key in keys), survivors(table, language)]
    if not described(table):
        chance = {"alpha": f"{ALPHA:g}", "raw": int((tested["p"] <= ALPHA).sum()), "expected": round(ALPHA * len(tested))}
        parts.append(say("describe.ranking.chance", language, **chance))
    return joined([*parts, confounding(table.iloc[0], settings, language)], language)


def survivors(table: pd.DataFrame, language: str = "en") -> str:
    """Say which words of a vocabulary show evidence of change after correction; usually none."""
    if described(table):
        return say("describe.ranking.described", language)
    found = table[table["p_adjusted"] <= ALPHA]
    if found.empty:
        return joined([say("describe.ranking.none", language), *_granularity(table, language)], language)
    words, fragile = (rows["term"].astype(str).tolist() for rows in (found, found[found["verdict"] == "fragile"]))
    parts = [say("describe.ranking.some", language, survive=len(words), words=listed(words, language))]
    if fragile == words:
        parts.append(say("describe.ranking.all_fragile", language))
    elif fragile:
        parts.append(say("describe.ranking.some_fragile", language, fragile=len(fragile), words=listed(fragile, language)))
    return joined(parts, language)


def _granularity(table: pd.DataFrame, language: str) -> list[str]:
    """Say so where so few places are turned, or so few deals made, that no single word could have passed the correction."""
    settings, tested = table.attrs.get("settings", {}), int(table["p"].notna().sum())
    if not settings.get("n_permutations"):
        return []
    turned = 2.0 ** (1 - settings["places"]) if by_places(settings) and settings["paired"] else 0.0
    smallest = max(turned, 2 / (settings["n_permutations"] + 1))
    values = {"places": settings.get("places"), "smallest": f"{smallest:.2g}", "tested": tested}
    values["n_permutations"] = f"{settings['n_permutations']:,}"
    key = "granularity" if smallest == turned else "draws"
    return [say(f"describe.ranking.{key}", language, **values)] if smallest * tested > ALPHA else []


def described(table: pd.DataFrame) -> bool:
    """Return whether a comparison rests on several reports of too few places to be tested."""
    return bool((table["verdict"] == DESCRIBED).any())


def _ranking_alt(table: pd.DataFrame, each: int, language: str) -> str:
    tested = table[~table["verdict"].isin(UNTESTED)]
    ranked = tested.loc[tested["keyness"].abs().sort_values(ascending=False, kind="stable").index]
    more = {
        f"more_{role}": listed(_counted(ranked[sign * ranked["log2_matched"] > 0].head(each)), language)
        for role, sign in (("before", -1), ("after", 1))
    }
    return say("describe.ranking.alt", language, **_groups(table, language), **more, result=survivors(table, language))


def describe_word_shift(table: pd.DataFrame, *, place: Mapping[str, str], most: int = 20) -> Words:
    """Say which words make the two groups differ, and whether they differ by more than chance would have it.

    Parameters
    ----------
    table
        The table of :func:`~shinan_research.word_shift.word_shift`.
    place
        As in :func:`describe_ranking`, and so is what is returned.
    most
        How many words are drawn.
    """
    words: Words = {"caption": {}, "alt": {}}
    for one in LANGUAGES:
        values = _shift_values(table, one) | {"place": place[one], "most": min(most, int((table["contribution"] > 0).sum()))}
        values["share"] = f"{100 * table['share'].head(most).sum():.0f}"
        parts = [say(f"describe.word_shift.{key}", one, **values) for key in ("title", *_shift_keys(table))]
        result = divergence(table, one)
        settings = table.attrs["settings"] | {"unit": table.attrs["null"]["unit"]}
        words["caption"][one] = joined([*parts, result, confounding(settings, settings, one)], one)
        drawn = listed(_counted(table.head(min(most, 10))), one)
        words["alt"][one] = say("describe.word_shift.alt", one, words=drawn, result=result)
    return words


def divergence(table: pd.DataFrame, language: str = "en") -> str:
    """Say whether the divergence of :func:`~shinan_research.word_shift.word_shift` lies above, inside or below its null band."""
    null = table.attrs["null"]
    return say(f"describe.word_shift.{null['verdict']}{'_places' if 'low' in null and by_places(null) else ''}", language)


def _shift_keys(table: pd.DataFrame) -> tuple[str, ...]:
    """Return which messages say what the panels show: of passages, of places, or of places too few for a band."""
    null = table.attrs["null"]
    if "low" not in null:
        return ("panels_described",)
    return ("panels_places" if by_places(null) else "panels", "method")


def _shift_values(table: pd.DataFrame, language: str) -> dict[str, Any]:
    """Return what the messages about a word shift need."""
    settings, null = table.attrs["settings"], table.attrs["null"]
    numbers = {"total": table.attrs["total"]} | {end: null[end] for end in ("low", "high") if end in null}
    return {
        **{name: f"{value:.3f}" for name, value in numbers.items()},
        **{role: group_name(settings[role], language) for role in ("before", "after")},
        "scope": say(f"scope.{settings['scope']}", language), "unit": say(f"unit.{null['unit']}", language),
        "level": f"{100 * settings['level']:g}", "draws": f"{settings['n_draws']:,}", "seed": settings["seed"],
        "places": settings.get("places"),
    }  # fmt: skip


def describe_placebo(table: pd.DataFrame, *, place: Mapping[str, str]) -> Words:
    """Say where each term's change stands among other governments'.

    Parameters
    ----------
    table
        The table of :func:`~shinan_research.placebo.placebo`.
    place
        As in :func:`describe_ranking`, and so is what is returned.
    """
    settings, own = table.attrs["settings"], table[table["own"]]
    first = own[own["against"] == own["against"].iloc[0]]
    names = {name: settings[name] for name in ("fewest_users", "fewest_changes", "places", "reports")}
    names["outside"], several = f"{OUTSIDE:g}", (own["verdict"] == "several reports").any()
    title = "between" if between_places(str(own["before"].iloc[0]), str(own["after"].iloc[0])) else "title"
    keys = [title, "panels", *(["own"] if (own["against"] == OWN_YEARS).any() else []), "rule"]
    keys += ["province"] if settings["level"] == "province" else []
    keys += [] if (~table["own"] & (table["against"] == "same years")).any() else ["none"]
    words: Words = {"caption": {}, "alt": {}}
    for one in LANGUAGES:
        values = names | {"place": place[one]} | {role: group_name(own[role].iloc[0], one) for role in ("before", "after")}
        year = confounding(own.iloc[0], {"unit": "report"} if several else {}, one, tested=False)
        words["caption"][one] = joined([*(say(f"describe.placebo.{key}", one, **values) for key in keys), year], one)
        verdicts = {row["term"]: say(f"placebo.verdict.{row['verdict']}", one) for row in first.to_dict("records")}
        rows = [
            say("describe.placebo.row", one, term=term_name(term, one), verdict=verdict) for term, verdict in verdicts.items()
        ]
        words["alt"][one] = say("describe.placebo.alt", one, rows=_separated(rows, one))
    return words


def standings(table: pd.DataFrame, language: str = "en") -> list[str]:
    """Say where each of the study's own rows of :func:`~shinan_research.placebo.placebo` stands in the same years.

    A first sentence says so if no reference has these years; the place's own other years follow where there are enough, and
    after either set how many ordinary words lie as far out.
    """
    own = table[table["own"]]
    first = own["against"].iloc[0]
    absent = (own.loc[own["against"] == first, "verdict"] == "no reference for this comparison").any()
    lines = [say("describe.absent.reference", language)] if absent else []
    for against in (first, OWN_YEARS):
        rows = own[own["against"] == against].to_dict("records")
        lines += [placed(row | {"eligible": pd.NA}, language) for row in rows]
        lines += list(filter(None, (background(row, language) for row in rows)))[:1]
    return lines


def placed(row: Mapping[Any, Any], language: str = "en") -> str:
    """Say where a study's own row of :func:`~shinan_research.placebo.placebo` stands, and how many ordinary words as far out."""
    verdict = say(f"placebo.verdict.{row['verdict']}", language)
    if pd.isna(row["rank"]):
        users = "" if pd.isna(row["users"]) else say("placebo.users", language, users=row["users"])
        missing = f" ({row['missing']})" if row["missing"] else ""
        return say("placebo.unranked", language, term=term_name(row["term"], language), verdict=verdict + missing, users=users)
    values = {name: row[name] for name in ("rank", "of", "users")} | {
        "verdict": verdict,
        "term": term_name(row["term"], language),
    }
    values |= {"against": say(f"placebo.against.{row['against']}", language)}
    values |= {name: f"{row[name]:.3g}" for name in ("p", "p_smallest")} | {"size": row["of"] + 1}
    key = "few" if row["verdict"] == "too few changes" else "own" if row["against"] == OWN_YEARS else "ranked"
    parts = [say(f"placebo.{key}", language, **values), background(row, language)]
    return joined([*filter(None, parts)], language)


def background(row: Mapping[Any, Any], language: str = "en") -> str:
    """Say how many of the eligible ordinary words lie outside too, and how many would by chance; nothing without any."""
    if pd.isna(row["eligible"]) or not row["eligible"]:
        return ""
    share, chance = (f"{100 * row[name] / row['eligible']:.0f}" for name in ("outside", "expected"))
    values = {name: row[name] for name in ("outside", "eligible")} | {"share": share, "chance": chance}
    values["against"] = say(f"placebo.against.{row['against']}", language)
    return say("placebo.background", language, **values)


def company(
    concordance: pd.DataFrame, near: pd.DataFrame, names: Mapping[str, object], language: str = "en", *, annex: bool = True
) -> list[str]:
    """Say of each term how often it stands in each group, in how many places with a restored character, and what stands near.

    Parameters
    ----------
    concordance
        Tables of :func:`~shinan_research.context.kwic`, one for each term, with a column `term`.
    near
        Tables of :func:`~shinan_research.context.collocates`.
    names
        Reports by id with the name or year to print, in order; those of one name are counted together.
    annex
        Whether any report has an annex; if none has, a first sentence says so.
    """
    lines = [] if annex else [say("describe.absent.annex", language)]
    touched = concordance.assign(touched=concordance["restored"] > 0).groupby("term", sort=False)["touched"].sum()
    for term, rows in concordance.groupby("term", sort=False):
        found = rows["report"].map(names).value_counts()
        counts = [
            say(
                "describe.context.count", language, group=group_name(one, language), times=times(int(found.get(one, 0)), language)
            )
            for one in dict.fromkeys(names.values())
        ]
        parts = [say(f"describe.context.{'row' if annex else 'row_body'}", language, term=term, counts=listed(counts, language))]
        if touched[term]:
            parts.append(say("describe.context.restored", language, restored=times(int(touched[term]), language)))
        words = near.loc[near["term"] == term, "collocate"].head(5).tolist()
        if words:
            parts.append(say("describe.context.company", language, words=listed(words, language)))
        lines.append(joined(parts, language))
    return lines


def describe_positions(table: pd.DataFrame, *, place: Mapping[str, str]) -> Words:
    """Say how the ticks of :func:`~shinan_research.figures.draw_positions` are to be read, and how many each term has.

    Parameters
    ----------
    table
        The table of :func:`~shinan_research.context.positions`.
    place
        As in :func:`describe_ranking`, and so is what is returned.
    """
    settings, counts = table.attrs["settings"], table.groupby(["term", "side"], observed=True)["at"].count()
    several = (table.groupby("side")["report"].nunique() > 1).any()
    words: Words = {"caption": {}, "alt": {}}
    for one in LANGUAGES:
        values = {"place": place[one]} | {side: group_name(settings[side], one) for side in ("before", "after")}
        keys = ("title", "lanes", *(["several"] if several else []), "reading")
        year = confounding(settings, settings, one, tested=False)
        words["caption"][one] = joined([*(say(f"describe.positions.{key}", one, **values) for key in keys), year], one)
        rows = [
            say("describe.positions.row", one, term=term_name(term, one),
                **{f"times_{side}": times(int(counts[term, side]), one) for side in ("before", "after")})
            for term in table["term"].unique()
        ]  # fmt: skip
        words["alt"][one] = say("describe.positions.alt", one, rows=_separated(rows, one))
    return words


def describe_sensitivity(table: pd.DataFrame, *, place: Mapping[str, str]) -> Words:
    """Say under how many ways of counting each term keeps its verdict and its direction.

    Parameters
    ----------
    table
        The table of :func:`~shinan_research.sensitivity.sensitivity`.
    place
        As in :func:`describe_ranking`, and so is what is returned.
    """
    settings, base = table.attrs["settings"], table[table["base"]].iloc[0]
    words: Words = {"caption": {}, "alt": {}}
    for one in LANGUAGES:
        values = _groups(table[table["base"]], one) | {"place": place[one], "variant": base["variant"]}
        values["variants"] = listed([name for name in settings["variants"] if name != base["variant"]], one)
        values["units"] = listed([say(f"unit.{unit}", one) for unit in rows_of_units(settings["units"])], one)
        panels = "panels" if len(settings["variants"]) > 1 else "panels_one"
        keys = ["title", panels, *(["scopes"] if len(settings["scopes"]) > 1 else []), "method"]
        year = confounding(base, settings | {"unit": base["unit"]}, one)
        words["caption"][one] = joined([*(say(f"describe.sensitivity.{key}", one, **values) for key in keys), year], one)
        words["alt"][one] = say("describe.sensitivity.alt", one, rows=_separated([*holding(table, one)], one))
    return words


def holding(table: pd.DataFrame, language: str = "en") -> Iterator[str]:
    """Yield for each term of :func:`~shinan_research.sensitivity.sensitivity` how often its verdict and direction hold."""
    scope = say(f"scope.{table.loc[table['base'], 'scope'].iloc[0]}", language)
    sides = table[["before", "after"]].iloc[0].to_dict()
    for row in steadiness(table).to_dict("records"):
        names = {"term": term_name(row["term"], language), "verdict": verdict_name(sides | row, language), "scope": scope}
        numbers = {"ways": row["ways"], "same": row["same_verdict"], "direction": row["same_direction"]}
        names["absent"] = say("describe.sensitivity.absent", language, n=row["absent"]) if row["absent"] else ""
        yield say("describe.sensitivity.row", language, **names, **numbers)


def measured(table: pd.DataFrame, language: str = "en", *, most: int = 20) -> str:
    """Say how many of the words that stand out most would do so under the field's other measures too.

    Parameters
    ----------
    table
        The table of :func:`~shinan_research.sensitivity.measures`.
    most
        How many words of each ranking are set beside each other.
    """
    if table.empty:
        return say("describe.measures.none", language)
    most = min(most, len(table))
    first = {name: set(table.loc[table[name] <= most, "term"].astype(str)) for name in ("keyness", *OTHERS)}
    shared = {name: len(first["keyness"] & first[name]) for name in OTHERS}
    prior = f"{table.attrs['settings']['prior']:g}"
    return say("describe.measures.shared", language, most=most, prior=prior, **shared)


def detectable(shift: pd.DataFrame, language: str = "en") -> list[str]:
    """Say what change texts of this length can show: for words by how often they stand, or for each testable declared term.

    Parameters
    ----------
    shift
        The table of :func:`~shinan_research.shifts.compare`, for the vocabulary or for declared terms.
    """
    if described(shift):
        return [say("describe.length.described", language)]
    pooled = shift["count_before"] + shift["count_after"]
    if set(shift["family"]) != {"vocabulary"}:
        shift = shift[~shift["verdict"].isin(UNTESTED)]
        return [
            say("describe.length.declared", language, term=term_name(term, language), count=count, ratio=ratio(value))
            for term, count, value in zip(shift["term"], pooled[shift.index], shift["detectable_ratio"], strict=True)
        ]
    scope, lines = say(f"scope.{shift['scope'].iloc[0]}", language), []
    for low, high in ((8, 15), (16, 31), (32, 63), (64, int(max(pooled.max(), 64)))):
        mine = shift[pooled.between(low, high)]
        if len(mine):
            values = {"low": low, "high": high, "words": len(mine), "ratio": ratio(float(mine["detectable_ratio"].median()))}
            lines.append(say("describe.length.words", language, scope=scope, **values))
    return lines


def _groups(table: pd.DataFrame, language: str) -> dict[str, Any]:
    """Return the names of the two groups and of the scope."""
    names = {role: group_name(table[role].iloc[0], language) for role in ("before", "after")}
    return names | {"scope": say(f"scope.{table['scope'].iloc[0]}", language)}


def _counted(table: pd.DataFrame) -> list[str]:
    """Return terms with both counts."""
    rows = zip(table["term"], table["count_before"], table["count_after"], strict=True)
    return [f"{term} {before}→{after}" for term, before, after in rows]


def listed(words: list[str], language: str) -> str:
    """Return words as a list in prose."""
    return ("、" if language == "zh" else ", ").join(words) or "–"


def _separated(sentences: list[str], language: str) -> str:
    return ("；" if language == "zh" else "; ").join(sentences)
