"""`study.toml`: whatever stands at a key, the file is read as it is meant or refused with the key's name."""

import copy
import tomllib
from typing import Any

import pytest

from shinan_research.declaration import read_declaration
from shinan_research.errors import StudyError

WHOLE = """title = { zh = "比较", en = "A comparison" }
place = { zh = "甲区", en = "Jia" }
before = 2031
after = ["甲区", 2032]
language = "zh"
width = "single"
seed = 1
declared = "before counting"
licence = "CC BY 4.0"
siblings = "others"
[[files]]
path = "raw/page.txt"
layout = "page"
reports = { jia-2031 = 2031, jia-2032 = 2032 }
source = "a page"
address = "an address"
licence = "CC BY 4.0"
place = "甲区"
[[terms]]
name = "峰会"
forms = ["峰会"]
wide = ["会议"]
not = ["峰会议"]
family = "others"
"""
VALUES = (
    "3", "-1", "1.5", "nan", "true", "[]", "[1]", '["a"]', '["a\\u0000b"]', "{}", "{ a = 1 }", '{ "a\\u0000" = 2031 }',
    "2031-01-01", '""', '"x"', '"a\\u0000b"', '"a\\nb"', "9" * 400, "[[[1]]]", '["甲", 2031]', '["甲", true]',
    '{ zh = 1, en = "x" }',
)  # fmt: skip
PLACES = [(key,) for key in tomllib.loads(WHOLE)] + [
    (table, 0, key) for table in ("files", "terms") for key in tomllib.loads(WHOLE)[table][0]
]


def written(value: Any) -> str:
    """Return a value as TOML writes it in one line; bytes stand for themselves."""
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, list):
        return f"[{', '.join(map(written, value))}]"
    if isinstance(value, dict):
        return f"{{ {', '.join(f'{key} = {written(one)}' for key, one in value.items())} }}"
    return f'"{value}"' if isinstance(value, str) else str(value)


def test_the_whole_file_is_read_as_it_is_meant() -> None:
    """Every key arrives with its type; a group may be a year or a place with its year; terms become rows."""
    found = read_declaration(WHOLE)
    assert found["before"] == 2031 and found["after"] == ("甲区", 2032) and found["seed"] == 1 and found["siblings"] == "others"
    assert found["files"][0]["reports"] == {"jia-2031": 2031, "jia-2032": 2032}
    rows = found["terms"][["form", "role", "family"]].astype(str).to_numpy().tolist()
    assert sorted(rows) == sorted([["峰会", "form", "others"], ["峰会议", "not", "others"], ["会议", "wide", "others"]])


@pytest.mark.parametrize("place", PLACES, ids=lambda place: ".".join(map(str, place)))
def test_any_value_at_any_key_is_read_or_refused_by_name(place: tuple[Any, ...]) -> None:
    """No kind of value ends in anything but a result of the right kind or an error that names the key."""
    refused = 0
    for value in VALUES:
        raw = copy.deepcopy(tomllib.loads(WHOLE))
        at: Any = raw
        for step in place[:-1]:
            at = at[step]
        at[place[-1]] = value.encode()
        try:
            found = read_declaration("\n".join(f"{key} = {written(one)}" for key, one in raw.items()))
        except StudyError as error:
            refused += 1
            assert str(place[-1]) in str(error) or "term" in str(error), error
            assert len(str(error)) < 400
        else:
            assert isinstance(found["seed"], int) and found["seed"] >= 0 and isinstance(found["licence"], str)
            assert all(isinstance(entry["path"], str) and "\0" not in entry["path"] for entry in found["files"])
            assert all(isinstance(cell, str) for cell in found["terms"].to_numpy().ravel())
    assert refused >= 8


def test_what_is_no_toml() -> None:
    """Curly quotation marks, arrays thousands deep and numbers of thousands of digits are explained."""
    for text in ("title = “x”", "a = " + "[" * 3000, "a = " + "9" * 5000, "= 3"):
        with pytest.raises(StudyError, match=r"^study\.toml is not valid TOML"):
            read_declaration(text)
