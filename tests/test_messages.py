"""The wording: the same keys and fields in both languages, and every key that the code asks for."""

import ast
import re
import string
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from shinan_research import FigureError
from shinan_research.counts import SCOPES
from shinan_research.messages import LANGUAGES, messages, say
from shinan_research.outline import PARTS
from shinan_research.shifts import VERDICTS

PACKAGE = Path(__file__).parents[1] / "shinan_research"


def leaves(table: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the dotted key and the entry of every message."""
    for key, value in table.items():
        if any(isinstance(inner, dict) for inner in value.values()):
            yield from leaves(value, f"{path}{key}.")
        else:
            yield f"{path}{key}", value


LEAVES = dict(leaves(messages()))


def fields(text: str) -> set[str]:
    """Return the names of the fields of a message."""
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("key", LEAVES)
def test_both_languages_say_the_same(key: str) -> None:
    """Each message has Chinese and English and nothing else, neither empty, with the same named fields."""
    entry = LEAVES[key]
    assert set(entry) == set(LANGUAGES)
    assert all(entry[language].strip() for language in LANGUAGES)
    assert fields(entry["zh"]) == fields(entry["en"])
    assert all(name.isidentifier() for name in fields(entry["zh"]))


@pytest.mark.parametrize("key", LEAVES)
def test_each_language_is_itself(key: str) -> None:
    """The Chinese holds Chinese; the English holds none, and no mark of full width."""
    bare = {language: re.sub(r"\{\w+\}", "", LEAVES[key][language]) for language in LANGUAGES}
    assert re.search("[\u4e00-\u9fff]", bare["zh"]) or not re.search(r"\w", bare["en"])
    assert not re.search("[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]", bare["en"])


def test_no_number_is_typed() -> None:
    """A message states no number of its own but those of the method (rates, levels, SHA-256) and none, one, two."""
    numbers = {
        number for entry in LEAVES.values() for text in entry.values() for number in re.findall(r"(?<!UTF-)\d[\d,]*", text)
    }
    assert numbers <= {"10,000", "80", "95", "10", "256", "1", "2", "0"}


@pytest.mark.parametrize("family", ["verdict", "finding", "caution"])
def test_every_verdict_has_words(family: str) -> None:
    """Each verdict that compare can give, and no other, has its name, its finding and its caution."""
    assert set(messages()[family]) == set(VERDICTS)


def test_every_part_and_scope_has_words() -> None:
    """Each part of a report and each scope of a comparison has a name."""
    assert set(messages()["part"]) == set(PARTS)
    assert set(messages()["scope"]) == set(SCOPES)


def asked() -> Iterator[tuple[str, str]]:
    """Yield module and key of every call of `say` whose key is written out or begins with what is written."""
    for path in sorted(PACKAGE.rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        for node in ast.walk(ast.parse(text)) if re.search(r"from \.+messages import .*\bsay\b", text) else ():
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "say" and node.args:
                key = node.args[0]
                if isinstance(key, ast.Constant) and "." in str(key.value):
                    yield path.name, str(key.value)
                elif isinstance(key, ast.JoinedStr) and isinstance(key.values[0], ast.Constant):
                    yield path.name, f"{key.values[0].value}*"


def test_every_key_that_the_code_asks_for_exists() -> None:
    """A key written in the code is a message; a key completed at run time begins like one."""
    keys = sorted(set(asked()))
    assert len(keys) > 20
    for module, key in keys:
        found = [leaf for leaf in LEAVES if (leaf.startswith(key[:-1]) if key.endswith("*") else leaf == key)]
        assert found, f"{module} asks for {key!r}"


def test_both_languages_stand_side_by_side() -> None:
    """With language both the Chinese comes first, then a space, then the English."""
    assert say("verdict.lower", "both") == "下降 lower"
    assert say("number.passages", "both", n=3) == "3个段落 3 passages"


@pytest.mark.parametrize("language", ["fr", "", "EN", "zh-Hans"])
def test_unknown_language(language: str) -> None:
    """A language without wording is refused with those that have it."""
    with pytest.raises(FigureError, match=f"language is {language!r}; allowed: zh, en, both."):
        say("verdict.lower", language)


@pytest.mark.parametrize("key", ["verdict.much lower", "verdict", "", "shift", "verdict.lower.zh", "caption.shift"])
def test_unknown_key(key: str) -> None:
    """A key that is missing, or names a table of messages, is refused by name."""
    with pytest.raises(FigureError, match=re.escape(f"resources/messages.toml has no message {key!r} in 'en'.")):
        say(key, "en")


def test_values_are_taken_as_they_are() -> None:
    """A value that holds braces or a percent sign stands in the sentence unchanged."""
    assert "{0} %s {}" in say("explain.hidden", "en", string="{0} %s {}", group="2001", body=1, annex=0)
