"""Captions, alternative texts and answers about topics, computed from the tables that the figures draw."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from .attention import chapter_names
from .describe import Words, joined, listed
from .explain import confounding, group_name
from .messages import LANGUAGES, say

MOST = 3


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
    matched = table.attrs["settings"]["matched_by"]
    largest = table.loc[table["shift"].abs().round(9).sort_values(ascending=False, kind="stable").index].head(MOST)
    for one in LANGUAGES:
        values = _groups(table, one) | {"place": place[one], "matched": say(f"describe.attention.by_{matched}", one)}
        words["caption"][one] = joined([say(f"describe.attention.{key}", one, **values) for key in ("title", "body")], one)
        named = [
            say("describe.attention.change", one, name=chapter_names(row)[one != "zh"], **_shares(row))
            for row in largest.to_dict("records")
        ]
        words["alt"][one] = say("describe.attention.alt", one, rows=len(table), most=listed(named, one))
    return words


def describe_prevalence(table: pd.DataFrame, *, place: Mapping[str, str], judges: str) -> Words:
    """Say which topics there are, how much of the text they take, and whether their shares moved.

    Parameters
    ----------
    table
        The table of :func:`~shinan_research.prevalence.prevalence`.
    place
        The name of the place, `{"zh": …, "en": …}`.
    judges
        Who named the topics: algorithm, machine reader or person.

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
        values |= {"unit": say(f"describe.prevalence.{first['unit']}", one), "judges": say(f"judge.{judges}", one)}
        parts = [say(f"describe.prevalence.{key}", one, **values) for key in ("title", "panels", "method")]
        result = answer_topics(table, one)
        words["caption"][one] = joined([*parts, result, confounding(table, one)], one)
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
    found = table[table["verdict"] != "no evidence"]
    if len(found):
        names = [" ".join(_named(row, language).values()) for row in found.to_dict("records")]
        return say("describe.prevalence.some", language, names=listed(names, language))
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
    passed = table.loc[table["chosen"], ["supported", "steady", "coherent"]].all(axis=None)
    rule = "by_hand" if not table.attrs["settings"]["by_rule"] else "kept" if passed else "unkept"
    values = {"low": table["topics"].min(), "high": table["topics"].max()}
    values["chosen"] = table.loc[table["chosen"], "topics"].iloc[0]
    for one in LANGUAGES:
        result = say(f"describe.choice.{rule}", one)
        words["caption"][one] = joined(
            [*(say(f"describe.choice.{key}", one, **values) for key in ("title", "panels")), result], one
        )
        words["alt"][one] = say("describe.choice.alt", one, result=result, **values)
    return words


def _groups(table: pd.DataFrame, language: str) -> dict[str, Any]:
    return {role: group_name(table[role].iloc[0], language) for role in ("before", "after")}


def _shares(row: Mapping[Any, Any]) -> dict[str, str]:
    return {name: f"{100 * row[name]:.1f}" for name in ("share_before", "share_after")}


def _named(row: Mapping[Any, Any], language: str) -> dict[str, str]:
    return {"topic": str(row["topic"]), "label": str(row["label" if language == "zh" else "label_en"])}
