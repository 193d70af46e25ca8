"""The caption and the alternative text of a figure of compared terms, and what every caption of two groups has to say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from .errors import ShinanError
from .explain import SIDES, by_places, group_name, joined, row_values, verdict_name
from .messages import say, who


def caption(tables: Mapping[str, pd.DataFrame], place: Mapping[str, str], declared: str, language: str) -> str:
    """Return the caption of a figure, computed from the tables it draws.

    The first table's settings name the function that made it.

    Raises
    ------
    ShinanError
        If there are no words for a table of that kind.
    """
    table = next(iter(tables.values()))
    settings = table.attrs.get("settings", {})
    if settings.get("function") != "compare":
        raise ShinanError(f"No caption is known for a table of {settings.get('function')!r}. Pass caption= and alt= to publish.")
    values = {key: settings[key] for key in ("seed", "blocks_before", "blocks_after")}
    values |= {side: group_name(table[side].iloc[0], language) for side in SIDES} | {"place": place[language]}
    values |= {"scope": say(f"scope.{table['scope'].iloc[0]}", language)}
    values |= {"level": f"{100 * settings['level']:g}", "n_permutations": f"{settings['n_permutations']:,}"}
    values |= {"test": dealt(settings, values["scope"], language), "unit": say(f"unit.{settings['unit']}", language)}
    values["of"], values["stroke"] = "", ""
    if not table["log2_matched"].equals(table["log2_ratio"]):
        values["of"], values["stroke"] = say("caption.shift.of_matched", language), say("caption.shift.stroke", language)
    keys: tuple[str, ...] = ("title", "panels", "method")
    if by_places(settings):
        values |= {"places": settings["places"]}
        few = (table["verdict"] == "description only").any()
        keys = ("title", "panels_described", "method_described") if few else ("title", "panels", "method_places")
    parts = [say(f"caption.shift.{key}", language, **values) for key in keys]
    parts.append(confounding(table.iloc[0], settings, language))
    parts += [say(f"declared.{declared}", language), *_coded(tables, language), _restoration(settings, tables, language)]
    return joined(parts, language).strip()


def confounding(
    groups: Mapping[str, Any] | pd.Series[Any], settings: Mapping[str, Any], language: str, *, tested: bool = True
) -> str:
    """Say what cannot be told apart from the difference of two groups of reports, given the settings of their table.

    `groups` names them as `before` and `after`. What has intervals or tests is `tested`; it is then said of what they speak.
    """
    labels = (str(groups["before"]), str(groups["after"]))
    several = by_places(settings) or any(sum(label in str(name) for name in settings.get("reports", ())) > 1 for label in labels)
    key = "reports" if not all(label.isdecimal() for label in labels) else "many" if several else "one"
    said = say(f"confounded.{key}", language)
    return joined([said, say("confounded.within", language)], language) if tested and key != "many" else said


def dealt(settings: Mapping[Any, Any], scope: str, language: str) -> str:
    """Say what the test was: units dealt anew or the closed form, inside matched chapters or the whole scope."""
    lone = settings["unmatched_before"] + settings["unmatched_after"]
    key = "whole" if settings["strata"] == 1 else "matched"
    names = settings.get("strata_judges")
    within = {"judged": say("caption.shift.matched_by", language, judges=who(names, language)) if names else "", "lone": lone}
    values = {"within": say(f"caption.shift.within_{key}", language, scope=scope, strata=settings["strata_matched"], **within)}
    values |= {"unit": say(f"unit.{settings['unit']}", language), "seed": settings["seed"]}
    test = "permuted" if settings["n_permutations"] else "closed"
    return say(f"caption.shift.{test}", language, **values, n_permutations=f"{settings['n_permutations']:,}")


def _coded(tables: Mapping[str, pd.DataFrame], language: str) -> Iterator[str]:
    """Say who coded the senses of what is hatched, where anything is."""
    for table in tables.values():
        if "other" in table and table["other"].any() and (names := table.attrs.get("settings", {}).get("sense_judges")):
            yield say("caption.shift.senses", language, judges=who(names, language))


def _restoration(settings: Mapping[Any, Any], tables: Mapping[str, pd.DataFrame], language: str) -> str:
    """Say how many emendations the text carries, and how many occurrences touch one; nothing if there are none."""
    if not settings.get("emendations"):
        return ""
    judges = who(settings["judges"], language)
    touched = sum(int(table["restored"].sum()) for table in tables.values() if "restored" in table.columns)
    return say("caption.shift.restored", language, emendations=settings["emendations"], judges=judges, touched=touched)


def alt_text(tables: Mapping[str, pd.DataFrame], language: str) -> str:
    """Return what a reader who cannot see the figure should know: counts and verdict of every term drawn."""
    table = next(iter(tables.values()))
    rows = [
        say("alt.row", language, **row_values(row, language), verdict=verdict_name(row, language)).strip()
        for row in table.to_dict("records")
    ]
    names = {role: group_name(table[role].iloc[0], language) for role in ("before", "after")}
    names["scope"] = say(f"scope.{table['scope'].iloc[0]}", language)
    return say("alt.shift", language, **names, rows=("；" if language == "zh" else "; ").join(rows))
