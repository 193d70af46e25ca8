"""The wording of figures, captions and explanations in Chinese and English, kept in `resources/messages.toml`."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

from .dictionary import resource
from .errors import FigureError

LANGUAGES = ("zh", "en")
COMMAS = {"zh": "、", "en": ", "}


@cache
def messages() -> dict[str, Any]:
    """Return all wording: nested tables whose leaves are `{zh = …, en = …}`."""
    return tomllib.loads(resource("messages.toml").decode("utf-8"))


def say(key: str, language: str, **values: object) -> str:
    """Return one message in a language, its fields filled in.

    With `language="both"` the Chinese and the English stand side by side.

    Raises
    ------
    FigureError
        If the language or the key is unknown.

    Examples
    --------
    >>> say("verdict.lower", "en")
    'lower'
    """
    if language == "both":
        return f"{say(key, 'zh', **values)} {say(key, 'en', **values)}"
    if language not in LANGUAGES:
        raise FigureError(f"language is {language!r}; allowed: zh, en, both.")
    entry: Any = messages()
    for part in key.split("."):
        entry = entry.get(part) if isinstance(entry, dict) else None
    if not isinstance(entry, dict) or language not in entry:
        raise FigureError(f"resources/messages.toml has no message {key!r} in {language!r}.")
    return str(entry[language]).format(**values)


def who(judges: Iterable[object], language: str) -> str:
    """Return who decided, each once and by name, in a language; what is no kind of judge is a name and stands as it is.

    >>> who(["person", "machine reader", "person", "张三"], "en")
    'machine reader, person, 张三'
    """
    kinds = messages()["judge"]
    names = (kinds[judge][language] if judge in kinds else judge for judge in sorted({*map(str, judges)}))
    return COMMAS[language].join(names)


def say_both(tell: Callable[[str], object], key: str, **values: object) -> None:
    """Tell one message in Chinese and in English; lists with the comma of each."""
    for language in LANGUAGES:
        given = {name: COMMAS[language].join(each) if isinstance(each, (list, tuple)) else each for name, each in values.items()}
        tell(say(key, language, **given))


def say_refused(tell: Callable[[str], object], error: object) -> None:
    """Tell which file is left out and why, in Chinese and in English."""
    name, _, rest = str(error).partition(": ")
    tell(say("new.refused", "zh", error=f"{name}：{in_chinese(error) or rest}"))
    tell(say("new.refused", "en", error=error))


def in_chinese(error: object) -> str:
    """Return what an error of reading means, for a reader of Chinese; "" where no explanation is known.

    The explanations are those under `trouble` in `messages.toml`, whose English is what they are known by.

    >>> in_chinese("a.txt: no such folder.")[:5]
    '找不到这个'
    """
    return "".join(entry["zh"] for entry in messages()["trouble"].values() if entry["en"] in str(error))
