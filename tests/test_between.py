"""Two places in one year: everything printed says "more in" one of them, and nothing rises, falls or changes."""

import re
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text
from test_counts import tokens_of

from shinan_research import (
    answer,
    cells,
    compare,
    describe_placebo,
    describe_ranking,
    describe_sensitivity,
    describe_word_shift,
    detectable,
    divergence,
    draw_placebo,
    draw_ranking,
    draw_sensitivity,
    draw_shift,
    draw_word_shift,
    explain,
    holding,
    occurrences,
    placebo,
    sensitivity,
    standings,
    survivors,
    word_shift,
)  # fmt: skip
from shinan_research.captions import alt_text, caption
from shinan_research.explain import facts, group_name, verdict_name
from shinan_research.guide import how_to_read, methods
from shinan_research.messages import LANGUAGES
from shinan_research.occurrences import as_terms

ONE, TWO, PLACE = ("甲县", 2001), ("乙县", 2001), {"zh": "某", "en": "X"}
MORE = {"zh": "乙县2001年较多", "en": "ore in 乙县 2001"}
BANNED = {
    "zh": ("上升", "下降", "变化", "原来", "增减", "前一份", "后一份"),
    "en": ("rise", "rose", "fall", "fell", "change", "earlier", "later", "then", "has gone"),
}


def tokens(before: float = 0.03, after: float = 0.2) -> pd.DataFrame:
    """Return the tokens of two places in one year, which use 花 in these shares of their text."""
    rng = np.random.default_rng(0)
    return tokens_of({
        key: [["".join(rng.choice(list("花树草"), 60, p=(share, 0.2, 0.8 - share))) for _ in range(5)] for _ in range(4)]
        for key, share in ((ONE, before), (TWO, after))
    })  # fmt: skip


def written(figure: Figure) -> str:
    """Return every text of a figure."""
    return " ".join(text.get_text() for text in figure.findobj(Text))


@pytest.fixture(scope="module")
def made() -> dict[str, Any]:
    """Return the tables of two places that differ."""
    text, terms = tokens(), as_terms(["花"])
    shift = compare(text, ONE, TWO, terms=terms, n_permutations=999)
    return {
        "tokens": text, "terms": terms, "shift": shift, "found": occurrences(text, terms),
        "vocabulary": compare(text, ONE, TWO, n_permutations=99), "words": word_shift(text, ONE, TWO, n_draws=50),
        "ways": sensitivity({"probable": text}, ONE, TWO, terms=terms), "placebo": placebo(shift, terms=terms),
    }  # fmt: skip


def plain(words: str, language: str) -> None:
    """Assert that nothing rises, falls or changes in a text; what may not be written may name it."""
    words = re.sub("不可写.*?：|Do not write .*?[:.]", "", words)
    assert [each for each in BANNED[language] if re.search(each, words)] == [], words
    assert "{" not in words


@pytest.mark.parametrize("language", LANGUAGES)
def test_prose_says_where_there_is_more(made: dict[str, Any], language: str) -> None:
    """Explanation, answer, alternative text and guide name the place that has more; captions and methods speak of no change."""
    shift, named = made["shift"], {"": made["shift"], "cells": cells(made["found"])}
    assert shift["verdict"].tolist() == ["higher"]
    said = [
        explain(shift.iloc[0], language), *answer(shift, made["tokens"], made["terms"], language), alt_text(named, language),
        how_to_read(shift, language), *holding(made["ways"], language), how_to_read(made["ways"], language),
        describe_ranking(made["vocabulary"], place=PLACE)["alt"][language],
    ]  # fmt: skip
    assert [each for each in said if MORE[language] not in each] == []
    said += [
        caption(named, PLACE, "after reading", language), methods(shift.attrs["settings"], "", language),
        how_to_read(made["vocabulary"], language), how_to_read(made["words"], language), divergence(made["words"], language),
        survivors(made["vocabulary"], language), *detectable(shift, language), *detectable(made["vocabulary"], language),
    ]  # fmt: skip
    for each in (
        describe_ranking(made["vocabulary"], place=PLACE), describe_word_shift(made["words"], place=PLACE),
        describe_sensitivity(made["ways"], place=PLACE),
    ):  # fmt: skip
        said += [each["caption"][language], each["alt"][language]]
    for each in said:
        plain(each, language)


@pytest.mark.parametrize("language", LANGUAGES)
def test_figures_speak_of_no_change(made: dict[str, Any], language: str) -> None:
    """No title, key or axis of a figure speaks of a change; the ranking heads its panels with the place that has more."""
    drawn = [
        draw_shift(made["shift"], made["found"], language=language), draw_ranking(made["vocabulary"], language=language),
        draw_word_shift(made["words"], language=language), draw_sensitivity(made["ways"], language=language),
    ]  # fmt: skip
    for figure in drawn:
        plain(written(figure), language)
    for figure in drawn[1:3]:
        assert {"zh": "乙县 2001较多", "en": "more in 乙县 2001"}[language] in written(figure)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("verdict", "more"), [("higher", "乙县"), ("lower", "甲县")])
def test_the_verdict_in_words(made: dict[str, Any], verdict: str, more: str, language: str) -> None:
    """Higher is more in the second place and lower more in the first; two years keep higher and lower."""
    row = made["shift"].iloc[0].to_dict() | {"verdict": verdict}
    assert verdict_name(row, language) == {"zh": f"{more}2001年较多", "en": f"more in {more} 2001"}[language]
    years = verdict_name(row | {"before": "2001", "after": "2002"}, language)
    assert years == {"zh": {"higher": "上升", "lower": "下降"}[verdict], "en": verdict}[language]
    assert {"zh": f"{more}2001年较多", "en": f"More in {more} 2001"}[language] in explain(row, language)


@pytest.mark.parametrize("language", LANGUAGES)
def test_changes_over_time_are_no_yardstick(made: dict[str, Any], language: str) -> None:
    """The placebo ranks two places nowhere, also in different years, and its caption says why."""
    other = placebo(made["shift"].assign(after="乙县 2002"), terms=made["terms"])
    for table in (made["placebo"], other):
        assert table["rank"].isna().all() and table["own"].all()
        words = describe_placebo(table, place=PLACE)["caption"][language]
        assert {"zh": "不能作两地差别的尺子", "en": "no yardstick"}[language] in words
        assert len(standings(table, language)) >= 1 and draw_placebo(table, language=language)


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_counted_apart_is_told_for_each_place(language: str) -> None:
    """Strings passed over and senses are counted place by place, though both reports are of one year."""
    text = tokens_of({ONE: [["花草草", "花花草"], ["花"]], TWO: [["花草草"], ["草花"]]})
    terms = pd.DataFrame([("花", "花", "form", "declared"), ("花", "花草", "not", "declared")],
                         columns=["term", "form", "role", "family"])  # fmt: skip
    found = occurrences(text, terms)
    here = found[found["start"].notna()]
    senses = here[["term", "report", "start"]].assign(
        sense=["二" if "乙" in name else "一" for name in here["report"]], decided_by="person"
    )
    shift = compare(text, ONE, TWO, terms=terms, n_permutations=0)
    said = facts(shift.iloc[0], found, text, terms, language)
    assert sum("花草" in each for each in said) == 2
    names = [group_name(f"{name} 2001", language) for name in ("甲县", "乙县")]
    assert [name for name in names for each in said if "花草" in each and name in each] == names
    [words] = answer(shift, text, as_terms(terms), language, senses=senses)
    expected = {
        "zh": ("甲县2001年正文：一2次", "乙县2001年正文：二1次"),
        "en": ("甲县 2001 its senses are: 一 (2)", "senses are: 二 (1)"),
    }
    assert [each for each in expected[language] if each not in words] == []
    plain(words, language)
