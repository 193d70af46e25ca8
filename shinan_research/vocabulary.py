"""The words by which quantities are read and targets are linked: `resources/quantities.toml` and `resources/units.csv`."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple

from . import dictionary


class Lexicon(NamedTuple):
    """Words with a value each, and the words by their first and by their last character, longest first."""

    values: Mapping[str, Any]
    first: Mapping[str, tuple[str, ...]]
    last: Mapping[str, tuple[str, ...]]

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Lexicon:
        """Return the lexicon of a mapping from word to value."""
        first: dict[str, tuple[str, ...]] = {}
        last: dict[str, tuple[str, ...]] = {}
        for word in sorted(values, key=lambda word: (-len(word), word)):
            first[word[0]] = (*first.get(word[0], ()), word)
            last[word[-1]] = (*last.get(word[-1], ()), word)
        return cls(values, first, last)

    def ending(self, view: str, position: int) -> str:
        """Return the longest word that ends at a position, or nothing."""
        for word in self.last.get(view[position - 1 : position], ()):
            if view.startswith(word, position - len(word)):
                return word
        return ""

    def starting(self, view: str, position: int) -> str:
        """Return the longest word that starts at a position, or nothing."""
        for word in self.first.get(view[position : position + 1], ()):
            if view.startswith(word, position):
                return word
        return ""


class Grammar(NamedTuple):
    """The vocabularies that quantities are read by: `resources/quantities.toml` and `resources/units.csv`."""

    units: Lexicon
    before: Lexicon
    after: Lexicon
    directions: Lexicon
    between: Lexicon
    results: Lexicon
    nouns: frozenset[str]
    verbs: Lexicon
    subjectless: re.Pattern[str]
    names: re.Pattern[str]
    not_before: Mapping[str, str]
    small: frozenset[str]
    large: frozenset[str]
    threshold: frozenset[str]
    threshold_verbs: re.Pattern[str]


@cache
def grammar() -> Grammar:
    """Return the vocabularies, read once."""
    raw: dict[str, Any] = tomllib.loads(dictionary.resource("quantities.toml").decode("utf-8"))
    growth, words, threshold, units = raw["growth"], raw["words"], raw["threshold"], dictionary.units()
    patterns = "|".join(f"(?:{pattern})" for pattern, _ in raw["names"]["patterns"])
    large = {unit for unit, name in units.items() if name in words["classes"]} | set(words["more"])
    return Grammar(
        units=Lexicon.of(units), before=Lexicon.of(raw["comparator_before"]), after=Lexicon.of(raw["comparator_after"]),
        directions=Lexicon.of(raw["direction"]), between=Lexicon.of(dict.fromkeys(growth["between"], "")),
        results=Lexicon.of(dict.fromkeys(growth["results"], "")), nouns=frozenset(growth["nouns"]),
        verbs=Lexicon.of(dict.fromkeys(growth["verbs"], "")), subjectless=re.compile(growth["subjectless"]),
        names=re.compile(rf"(?=[{raw['names']['first']}])(?<![\d.](?=\d))(?:{patterns})"),
        not_before=raw["unit_not_before"], small=frozenset(words["units"]), large=frozenset(large),
        threshold=frozenset(threshold["classes"]), threshold_verbs=re.compile(threshold["verbs"]),
    )  # fmt: skip
