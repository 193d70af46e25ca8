"""Captions, alternative texts and sentences about attention and topics, computed from their tables."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import pandas as pd

from .attention import points, short_title
from .choice import LEAST_HALVES, LEAST_SUPPORT
from .coherence import TOP
from .explain import group_name, probability
from .messages import LANGUAGES, say
from .opinions import ALL
from .rates import POWER
from .topics import Topics

Words = dict[str, dict[str, str]]


def describe_attention(table: pd.DataFrame, *, place: Mapping[str, str]) -> Words:
    """Return caption and alt text of the figure of attention, computed from its table.

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

    def caption(one: str) -> list[str]:
        settings = table.attrs["settings"]
        values = _groups(table, one) | {"place": place[one], "judges": _judges(settings["judges_of_strata"], one)}
        values |= {f"han_{role}": f"{table[f'total_{role}'].iloc[0]:,}" for role in ("before", "after")}
        matched = "strata" if settings["matched_by"] == "strata" else "title_matched"
        return [say(f"attention.caption.{key}", one, **values) for key in ("title", "counted", matched)]

    def alt(one: str) -> str:
        rows = [say("attention.answer.row", one, **_attention_row(row, one)) for row in table.to_dict("records")]
        return say("attention.answer.alt", one, rows=_listed(rows, one))

    return _words(caption, alt)


def answer_attention(table: pd.DataFrame, language: str = "en") -> list[str]:
    """Say which matched chapter's share changed most, and which chapters stand in one group only."""
    order = table.loc[table["shift"].abs().sort_values(ascending=False, kind="stable").index]
    one_sided = order[(order["chapters_before"] == 0) | (order["chapters_after"] == 0)]
    lines = [say("attention.answer.most", language, **_attention_row(order.iloc[0].to_dict(), language))]
    names = [f"{_chapter(row, language)} ({points(row['shift'])})" for row in one_sided.to_dict("records")]
    return [*lines, *([say("attention.answer.alone", language, names=_listed(names, language))] if names else [])]


def _attention_row(row: Mapping[Any, Any], language: str) -> dict[str, str]:
    """Return what the messages say of one matched chapter."""
    shares = {f"share_{role}": f"{100 * row[f'share_{role}']:.1f}" for role in ("before", "after")}
    return {"name": _chapter(row, language), "shift": points(row["shift"]), **shares}


def _chapter(row: Mapping[Any, Any], language: str) -> str:
    """Return the name of a matched chapter: its title in Chinese, its stratum in English."""
    return (short_title(row) or say(f"part.{row['part']}", "zh")) if language == "zh" else str(row["stratum"])


def describe_topics(topics: Topics, *, place: Mapping[str, str], most: int = TOP) -> Words:
    """Return caption and alt text of the figure of the topics' words, computed from the model.

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
    table = topics.stability

    def caption(one: str) -> list[str]:
        values = topics.settings | {"place": place[one], "most": most, "halves": f"{table['halves'].mean():.2f}"}
        values |= {name: f"{topics.settings[name]:,}" for name in ("tokens", "terms")}
        values |= {"judges": _judges(table["decided_by"], one)}
        values["weak"] = _listed([f"{row['topic']} {row[one]}" for row in table[table["weak"]].to_dict("records")], one)
        keys = ["title", "method", "support", "names", *(["weak"] if table["weak"].any() else [])]
        return [say(f"topics_caption.{key}", one, **values) for key in keys]

    def alt(one: str) -> str:
        gap = "、" if one == "zh" else " "
        rows = [
            say("topics_caption.row", one, topic=row["topic"], name=row[one], words=gap.join(topics.top(row["topic"], 5)))
            for row in table.to_dict("records")
        ]
        return say("topics_caption.alt", one, rows=("；" if one == "zh" else "; ").join(rows))

    return _words(caption, alt)


def describe_choice(topics: Topics, *, place: Mapping[str, str]) -> Words:
    """Return caption and alt text of the figure of the choice, computed from the model.

    Parameters
    ----------
    topics
        The model.
    place
        The name of the place, `{"zh": …, "en": …}`.

    Returns
    -------
    dict
        `caption` and `alt`, each `{"zh": …, "en": …}`.
    """

    def caption(one: str) -> list[str]:
        values = {"place": place[one], "support": LEAST_SUPPORT, "halves": LEAST_HALVES}
        values |= {name: f"{topics.settings[f'reference_{name}']:,}" for name in ("windows", "reports")}
        said = [say(f"choice.caption.{key}", one, **values) for key in ("title", "panels", "nulls")]
        return [*said, *answer_choice(topics, one)]

    return _words(caption, lambda one: say("choice.caption.alt", one, result=_joined(answer_choice(topics, one), one)))


def answer_choice(topics: Topics, language: str = "en") -> list[str]:
    """Say which numbers of topics meet the rule, which was chosen, and how far it is from shuffled text."""
    table = topics.choice
    row = table[table["chosen"]].iloc[0]
    passed = table.loc[table[["supported", "steady", "coherent"]].all(axis=1), "topics"]
    key = "named" if not topics.settings["by_rule"] else "passed" if len(passed) else "failed"
    said = say(f"choice.caption.{key}", language, passed=_listed(map(str, passed), language), chosen=int(row["topics"]))
    values = {"agreement": row["agreement"], "tokens": row["agreement_tokens"], "sentences": row["agreement_sentences"]}
    return [said, say("choice.caption.excess", language, **{name: f"{value:.2f}" for name, value in values.items()})]


def describe_prevalence(table: pd.DataFrame, *, place: Mapping[str, str]) -> Words:
    """Return caption and alt text of the figure of prevalence, computed from its table.

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
    first, settings = table.iloc[0], table.attrs["settings"]

    def caption(one: str) -> list[str]:
        values = _groups(table, one) | {"place": place[one], "level": f"{100 * first['level']:g}", "seed": settings["seed"]}
        values |= {"unit": say(f"prevalence.unit.{first['unit']}", one), "draws": f"{settings['n_permutations']:,}"}
        values |= {f"n_{role}": first[f"clusters_{role}"] for role in ("before", "after")}
        keys = ["title", "bars", *(["confounded"] if first["unit"] == "chapter" else [])]
        return [*(say(f"prevalence.caption.{key}", one, **values) for key in keys), *answer_prevalence(table, one)]

    def alt(one: str) -> str:
        rows = [
            say(
                "prevalence.caption.row", one, topic=row["topic"], name=row["label" if one == "zh" else "label_en"],
                share_before=f"{100 * row['share_before']:.1f}", share_after=f"{100 * row['share_after']:.1f}",
            )
            for row in table.to_dict("records")
        ]  # fmt: skip
        return say("prevalence.caption.alt", one, rows=_listed(rows, one), result=_joined(answer_prevalence(table, one), one))

    return _words(caption, alt)


def answer_prevalence(table: pd.DataFrame, language: str = "en") -> list[str]:
    """Say whether any topic's share moved, and how many pairs of reports it takes to see a small shift."""
    moved = table[table["verdict"] != "no evidence"]
    label = "label" if language == "zh" else "label_en"
    names = _listed([f"{row['topic']} {row[label]} ({points(row['shift'])})" for row in moved.to_dict("records")], language)
    lowest, key = probability(table["p_adjusted"].min()), "some" if len(moved) else "none"
    result = say(f"prevalence.caption.{key}", language, names=names, p=lowest)
    values: dict[str, object] = {"fewest": int(table["pairs_needed"].min()), "most": int(table["pairs_needed"].max())}
    values |= {"points": f"{100 * table['detect'].iloc[0]:g}", "power": f"{POWER:g}"}
    return [result, say("prevalence.caption.pairs", language, **values)]


def answer_opinions(told: pd.DataFrame, own: pd.DataFrame, opinions: pd.DataFrame, language: str = "en") -> list[str]:
    """Say how much of the topics the chapters already tell, and how well other models find the same topics.

    Parameters
    ----------
    told, own
        Tables of :func:`~shinan_research.opinions.explained_by_chapters`, with and without matched chapters.
    opinions
        The table of :func:`~shinan_research.opinions.second_opinion`.
    """
    values = {name: f"{table.loc[table['topic'] == ALL, 'ami'].iloc[0]:.2f}" for name, table in (("ami", told), ("own", own))}
    lines = [say("topics_answer.chapters", language, **values)]
    for model, rows in opinions.groupby("model", sort=False):
        ends = {"low": f"{rows['correlation'].min():.2f}", "high": f"{rows['correlation'].max():.2f}"}
        lines.append(say("topics_answer.opinion", language, model=say(f"topics_model.{model}", language), **ends))
    return lines


def _groups(table: pd.DataFrame, language: str) -> dict[str, Any]:
    return {role: group_name(table[role].iloc[0], language) for role in ("before", "after")}


def _judges(names: Iterable[str], language: str) -> str:
    """Return who judged, named in a language."""
    return _listed([say(f"judge.{name}", language) for name in sorted(set(names))], language)


def _words(caption: Callable[[str], list[str]], alt: Callable[[str], str]) -> Words:
    """Return captions and alternative texts in both languages."""
    return {"caption": {one: _joined(caption(one), one) for one in LANGUAGES}, "alt": {one: alt(one) for one in LANGUAGES}}


def _listed(words: Iterable[str], language: str) -> str:
    return ("、" if language == "zh" else ", ").join(words) or "–"


def _joined(sentences: list[str], language: str) -> str:
    return ("" if language == "zh" else " ").join(sentences)
