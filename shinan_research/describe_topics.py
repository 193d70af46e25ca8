"""Captions, alternative texts and answers about topics, computed from the tables that the figures draw."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from .attention import chapter_names
from .captions import confounding
from .choice import LEAST_HALVES, LEAST_SUPPORT
from .coherence import TOP
from .counts import FEWEST_PLACES
from .describe import Words, described, listed
from .explain import group_name, joined
from .messages import LANGUAGES, say, who
from .series import label
from .topics import WEAK, Topics

MOST = 3
BORNE_OUT = 0.5
AGREEMENTS = {"agreement": "agreement", "tokens": "agreement_tokens", "sentences": "agreement_sentences"}


def describe_attention(table: pd.DataFrame, *, place: Mapping[str, str]) -> Words:
    """Say how much of the body each chapter takes.

    Parameters
    ----------
    table
        The table of :func:`~shinan_research.attention.attention`.
    place
        The name of the place, `{"zh": …, "en": …}`.

    Returns
    -------
    dict
        `caption` and `alt`, each `{"zh": …, "en": …}`.
    """
    words: Words = {"caption": {}, "alt": {}}
    settings = table.attrs["settings"]
    matched = "nobody" if settings["matched_by"] == "strata" and not settings["strata_judges"] else settings["matched_by"]
    for one in LANGUAGES:
        values = _groups(table, one) | {"place": place[one]}
        values["matched"] = say(f"describe.attention.by_{matched}", one, judges=who(settings["strata_judges"], one))
        parts = [say(f"describe.attention.{key}", one, **values) for key in ("title", "body")]
        year = confounding(table.iloc[0], settings, one, tested=False)
        words["caption"][one] = joined([*parts, year], one)
        most = say("describe.attention.shifts", one, most=_largest(_in_both(table), one)) if len(_in_both(table)) else ""
        words["alt"][one] = joined([say("describe.attention.alt", one, rows=len(table)), most], one)
    return words


def _in_both(table: pd.DataFrame) -> pd.DataFrame:
    """Return the chapters that both groups have: of the others no share has changed."""
    return table[(table["chapters_before"] > 0) & (table["chapters_after"] > 0)]


def answer_attention(table: pd.DataFrame, language: str = "en") -> str:
    """Say which matched chapters' shares of the body changed most, and which chapters only one group has.

    Parameters
    ----------
    table
        The table of :func:`~shinan_research.attention.attention`.
    language
        zh or en.
    """
    both = _in_both(table)
    said = [say("describe.attention.most", language, most=_largest(both, language))] if len(both) else []
    for role, other in (("before", "after"), ("after", "before")):
        alone = [chapter_names(row)[language != "zh"] for row in table[table[f"chapters_{other}"] == 0].to_dict("records")]
        if len(alone) > MOST:
            values = {
                "group": _groups(table, language)[role],
                "number": len(alone),
                "of": int((table[f"chapters_{role}"] > 0).sum()),
            }
            said.append(say("describe.attention.unmatched", language, **values))
        elif alone:
            values = {"group": _groups(table, language)[role], "names": listed([f"“{name}”" for name in alone], language)}
            said.append(say("describe.attention.alone", language, **values))
    return joined(said, language)


def _largest(table: pd.DataFrame, language: str) -> str:
    """Return the chapters whose shares changed most, each with both shares."""
    largest = table.loc[table["shift"].abs().round(9).sort_values(ascending=False, kind="stable").index].head(MOST)
    named = [
        say("describe.attention.change", language, name=chapter_names(row)[language != "zh"], **_shares(row))
        for row in largest.to_dict("records")
    ]
    return listed(named, language)


def describe_topic_words(topics: Topics, *, place: Mapping[str, str], most: int = TOP) -> Words:
    """Say which words make each topic, and how the topics were found.

    Parameters
    ----------
    topics
        The model.
    place
        The name of the place, `{"zh": …, "en": …}`.
    most
        How many words of each topic are drawn.

    Returns
    -------
    dict
        `caption` and `alt`, each `{"zh": …, "en": …}`.
    """
    words: Words = {"caption": {}, "alt": {}}
    table = topics.stability
    for one in LANGUAGES:
        names = {row["topic"]: f"{row['topic']} {row[one]}" for row in table.to_dict("records")}
        weak = listed([names[topic] for topic in table.loc[table["weak"], "topic"]], one)
        values = topics.settings | {"place": place[one], "number": len(table), "most": most, "limit": WEAK, "weak": weak}
        values |= {name: f"{topics.settings[name]:,}" for name in ("tokens", "terms")} | {"judges": who(topics.judges, one)}
        values |= {"agree": int((table["same"] == "yes").sum()), "partly": int((table["same"] == "partly").sum())}
        asked = {"second": (table["same"] != "").any(), "weak": table["weak"].any(), "unkept": _rule(topics.choice) == "unkept"}
        keys = ["title", "panels", "method", "support", *(key for key in asked if asked[key])]
        words["caption"][one] = joined([say(f"describe.topic_words.{key}", one, **values) for key in keys], one)
        rows = [
            say("describe.topic_words.row", one, name=name, words=" ".join(topics.top(topic, 5))) for topic, name in names.items()
        ]
        words["alt"][one] = say("describe.topic_words.alt", one, rows=("；" if one == "zh" else "; ").join(rows))
    return words


def describe_topic_places(table: pd.DataFrame, *, place: Mapping[str, str]) -> Words:
    """Say where the topics stand, and how much the chapters tell of them.

    Parameters
    ----------
    table
        The table of :func:`~shinan_research.opinions.topic_places`.
    place
        The name of the place, `{"zh": …, "en": …}`.

    Returns
    -------
    dict
        `caption` and `alt`, each `{"zh": …, "en": …}`.
    """
    words: Words = {"caption": {}, "alt": {}}
    settings = table.attrs["settings"]
    told = table.drop_duplicates("topic").sort_values("ami", kind="stable").to_dict("records")
    lead = table.loc[table.groupby(["stratum", "side"], sort=False)["share"].idxmax()].to_dict("records")
    for one in LANGUAGES:
        values = {role: group_name(settings[role], one) for role in ("before", "after")} | {"place": place[one]}
        values |= {"ami": f"{settings['ami']:.2f}"}
        values |= {name: " ".join(_named(row, one).values()) for name, row in (("least", told[0]), ("most", told[-1]))}
        keys = ("title", "told", "most") if len(told) > 1 else ("title", "told")
        year = confounding(settings, settings, one, tested=False)
        words["caption"][one] = joined([*(say(f"describe.topic_places.{key}", one, **values) for key in keys), year], one)
        rows = [_leading(row, one) for row in lead]
        words["alt"][one] = say("describe.topic_places.alt", one, rows=listed(rows, one))
    return words


def _leading(row: dict[Any, Any], language: str) -> str:
    """Return a chapter of one group, by its own title, with its leading topic."""
    own = row | {"titles_before": row[f"titles_{row['side']}"], "titles_after": ""}
    values = {"name": chapter_names(own)[language != "zh"], "group": group_name(row["group"], language)}
    return say("describe.topic_places.row", language, **values, topic=row["topic"], share=f"{100 * row['share']:.0f}")


def describe_topic_trend(table: pd.DataFrame, *, place: Mapping[str, str]) -> Words:
    """Say whose shares of topics are followed over which years, and what the bands rest on.

    Parameters
    ----------
    table
        The table of :func:`~shinan_research.prevalence.topic_trend`.
    place
        The name of the place or places, `{"zh": …, "en": …}`.

    Returns
    -------
    dict
        `caption` and `alt`, each `{"zh": …, "en": …}`.
    """
    words: Words = {"caption": {}, "alt": {}}
    settings = table.attrs["settings"]
    ends = table.sort_values("year", kind="stable").groupby(["group", "topic"], sort=False)
    for one in LANGUAGES:
        values = settings | {"place": place[one], "number": table["topic"].nunique(), "level": f"{100 * settings['level']:g}"}
        values |= {"first": table["year"].min(), "last": table["year"].max(), "judges": who(settings["judges"], one)}
        keys = ("title", "band", "ruled" if settings["by_rule"] else "method")
        words["caption"][one] = joined([say(f"describe.topic_trend.{key}", one, **values) for key in keys], one)
        rows = []
        for (group, _), mine in ends:
            first, last = mine.iloc[0].to_dict(), mine.iloc[-1].to_dict()
            shares = _shares({"share_before": first["share"], "share_after": last["share"]})
            rows.append(
                say("describe.topic_trend.row", one, group=label(str(group), settings, one), **_named(last, one), **shares)
            )
        words["alt"][one] = say("describe.topic_trend.alt", one, rows=("；" if one == "zh" else "; ").join(rows))
    return words


def answer_opinions(table: pd.DataFrame, language: str = "en") -> str:
    """Say how well other models find the same topics, and which topics the first of them does not bear out.

    Parameters
    ----------
    table
        The table of :func:`~shinan_research.opinions.second_opinion`.
    language
        zh or en.
    """
    said = []
    for model, rows in table.groupby("model", sort=False):
        ends = {"low": rows["correlation"].min(), "high": rows["correlation"].max(), "median": rows["correlation"].median()}
        said.append(say(f"describe.opinions.{model}", language, **{name: f"{value:.2f}" for name, value in ends.items()}))
        alone = [" ".join(_named(row, language).values()) for row in rows[rows["correlation"] < BORNE_OUT].to_dict("records")]
        if model == table["model"].iloc[0] and alone:
            said.append(say("describe.opinions.alone", language, limit=BORNE_OUT, names=listed(alone, language)))
    return joined(said, language)


def describe_prevalence(table: pd.DataFrame, *, place: Mapping[str, str]) -> Words:
    """Say which topics there are, how much of the text they take, and whether their shares moved.

    Parameters
    ----------
    table
        The table of :func:`~shinan_research.prevalence.prevalence`.
    place
        The name of the place, `{"zh": …, "en": …}`.

    Returns
    -------
    dict
        `caption` and `alt`, each `{"zh": …, "en": …}`.
    """
    words: Words = {"caption": {}, "alt": {}}
    settings, first = table.attrs["settings"], table.iloc[0]
    for one in LANGUAGES:
        values = _groups(table, one) | {"place": place[one], "number": len(table), "level": f"{100 * first['level']:g}"}
        values |= {name: settings[name] for name in ("runs", "seed", "length", "units")}
        values |= {name: first[name] for name in ("clusters_before", "clusters_after")}
        values |= {"unit": say(f"describe.prevalence.{first['unit']}", one), "judges": who(settings["judges"], one)}
        values["test"] = "" if described(table) else say("describe.prevalence.tested", one)
        values["hollow"] = say(f"describe.prevalence.{'square' if described(table) else 'hollow'}", one)
        parts = [say(f"describe.prevalence.{key}", one, **values) for key in ("title", "panels", "method")]
        result = answer_topics(table, one)
        words["caption"][one] = joined([*parts, result, confounding(first, settings, one)], one)
        rows = table.to_dict("records")
        shares = listed([say("describe.prevalence.item", one, **_named(row, one), **_shares(row)) for row in rows], one)
        words["alt"][one] = say("describe.prevalence.alt", one, number=len(table), shares=shares, result=result)
    return words


def answer_topics(table: pd.DataFrame, language: str = "en") -> str:
    """Say whether a topic's share moved beyond chance, and what reports of this length could show.

    Parameters
    ----------
    table
        The table of :func:`~shinan_research.prevalence.prevalence`.
    language
        zh or en.
    """
    found = table[table["verdict"].isin(["higher", "lower"])]
    if len(found):
        names = [" ".join(_named(row, language).values()) for row in found.to_dict("records")]
        return say("describe.prevalence.some", language, names=listed(names, language))
    first = table.iloc[0]
    if described(table):
        few = {name: first[name] for name in ("clusters_before", "clusters_after")} | {"least": FEWEST_PLACES}
        return say("describe.prevalence.few", language, unit=say(f"describe.prevalence.{first['unit']}", language), **few)
    pairs = table["pairs_needed"].astype(int)
    values = {"detect": f"{100 * table['detect'].iloc[0]:g}", "pairs_low": pairs.min(), "pairs_high": pairs.max()}
    return say("describe.prevalence.none", language, **values)


def describe_choice(table: pd.DataFrame) -> Words:
    """Say how the number of topics was chosen.

    Parameters
    ----------
    table
        `Topics.choice`, the table of :func:`~shinan_research.choice.examine`.

    Returns
    -------
    dict
        `caption` and `alt`, each `{"zh": …, "en": …}`.
    """
    words: Words = {"caption": {}, "alt": {}}
    row = table[table["chosen"]].iloc[0]
    values: dict[str, object] = {"low": table["topics"].min(), "high": table["topics"].max(), "chosen": row["topics"]}
    values |= {"halves": LEAST_HALVES, "support": LEAST_SUPPORT, "reports": table.attrs["settings"]["reference_reports"]}
    values |= {name: f"{row[column]:.2f}" for name, column in AGREEMENTS.items()}
    for one in LANGUAGES:
        result = joined([say(f"describe.choice.{key}", one, **values) for key in (_rule(table), "excess")], one)
        words["caption"][one] = joined(
            [*(say(f"describe.choice.{key}", one, **values) for key in ("title", "panels")), result], one
        )
        words["alt"][one] = say("describe.choice.alt", one, result=result, **values)
    return words


def _rule(choice: pd.DataFrame) -> str:
    """Return how a number of topics was found: by hand, kept by the rule, or taken although none passed."""
    passed = choice.loc[choice["chosen"], ["supported", "steady", "coherent"]].all(axis=None)
    return "by_hand" if not choice.attrs["settings"]["by_rule"] else "kept" if passed else "unkept"


def _groups(table: pd.DataFrame, language: str) -> dict[str, Any]:
    return {role: group_name(table[role].iloc[0], language) for role in ("before", "after")}


def _shares(row: Mapping[Any, Any]) -> dict[str, str]:
    return {name: f"{100 * row[name]:.1f}" for name in ("share_before", "share_after")}


def _named(row: Mapping[Any, Any], language: str) -> dict[str, str]:
    return {"topic": str(row["topic"]), "label": str(row["label" if language == "zh" else "label_en"])}
