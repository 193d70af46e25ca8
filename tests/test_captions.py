"""Captions: computed from the tables that a figure draws, with who decided what, and with what nobody can tell apart."""

import re
from pathlib import Path

import pandas as pd
import pytest
from test_explain import PLACE, case, clean, numbers

from shinan_research import ShinanError, cells, compare, occurrences, open_study, outline, restore, tokenize
from shinan_research.captions import alt_text, caption, confounding, dealt
from shinan_research.explain import times
from shinan_research.messages import LANGUAGES, say
from shinan_research.occurrences import judges_of

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def real():
    """Return the study of this repository, its tokens, and its declared terms compared."""
    study = open_study(ROOT)
    tokens = tokenize(outline(restore(study.reports(), study.emendations), headings=study.headings), study.segmenter)
    return study, tokens, compare(tokens, study.before, study.after, terms=study.terms, n_permutations=999)


@pytest.mark.parametrize("language", LANGUAGES)
def test_caption(real, language: str) -> None:
    """The caption names place and groups, and its numbers are those of the settings and of the cells."""
    study, tokens, shift = real
    found = cells(occurrences(tokens, study.terms))
    text = caption({"": shift, "cells": found}, study.place, study.declared, language)
    clean(text)
    settings = shift.attrs["settings"]
    assert study.place[language] in text and say("declared.after reading", language) in text
    expected = {settings[key] for key in ("n_permutations", "seed", "blocks_before", "blocks_after", "emendations")}
    assert expected | {2019, 2020, 80, 95, int(found["restored"].sum())} <= set(numbers(text))
    assert set(numbers(text)) <= expected | {2019, 2020, 80, 95, int(found["restored"].sum()), 10_000}


@pytest.mark.parametrize("declared", ["before counting", "after reading"])
def test_pre_specified_only_when_it_is(real, declared: str) -> None:
    """Only terms declared before counting go without the warning that they may not be called pre-specified."""
    study, _, shift = real
    text = caption({"": shift}, study.place, declared, "en")
    assert ("may not be called pre-specified" in text) == (declared == "after reading")


def test_caption_of_a_text_without_emendation() -> None:
    """Where nothing was restored the caption does not speak of restoring."""
    _, _, shift = case()
    for language in LANGUAGES:
        text = caption({"": shift}, PLACE, "before counting", language)
        clean(text)
        assert not re.search("restored|校勘", text)


def test_caption_of_another_table() -> None:
    """A table that no message describes asks for a caption by hand."""
    table = pd.DataFrame({"a": [1]})
    with pytest.raises(ShinanError, match=r"No caption is known for a table of None. Pass caption"):
        caption({"": table}, PLACE, "before counting", "en")
    table.attrs["settings"] = {"function": "weigh"}
    with pytest.raises(ShinanError, match="No caption is known for a table of 'weigh'"):
        caption({"": table}, PLACE, "before counting", "en")


@pytest.mark.parametrize("language", LANGUAGES)
def test_alt_text(real, language: str) -> None:
    """The alternative text has every term once with both counts and its verdict, and names both groups."""
    _, _, shift = real
    text = alt_text({"": shift}, language)
    clean(text)
    assert "2019" in text and "2020" in text
    for row in shift.itertuples():
        verdict = say(f"verdict.{row.verdict}", language)
        one, two = times(row.count_before, language), times(row.count_after, language)
        name = row.term.replace(" (wide)", "（宽）") if language == "zh" else row.term
        assert re.search(f"{re.escape(name)}[:：] ?{one}.{{1,7}}{two}[，,] ?{verdict}", text), row.term


@pytest.mark.parametrize("language", LANGUAGES)
def test_another_scope_is_not_called_the_body(real, language: str) -> None:
    """Caption and alternative text of a comparison of plans do not say that bodies were compared."""
    study, tokens, _ = real
    shift = compare(tokens, study.before, study.after, terms=study.terms, scope="plan", n_permutations=0)
    words = caption({"": shift}, study.place, study.declared, language) + alt_text({"": shift}, language)
    assert say("scope.plan", language) in words
    assert not re.search("of the body|within the body|the bodies|正文每万字|正文内部|报告正文", words)


@pytest.mark.parametrize(
    ("before", "after", "reports", "key"),
    [
        ("2001", "2002", ["甲县-2001", "甲县-2002"], "one"),
        ("2001", "2002", ["甲县-2001", "乙县-2001", "甲县-2002"], "many"),
        ("甲县-2001", "乙县-2001", ["甲县-2001", "乙县-2001"], "reports"),
        ("甲县 2001", "乙县 2001", ["甲县-2001", "乙县-2001"], "reports"),
    ],
)
def test_what_is_confounded_depends_on_the_groups(before: str, after: str, reports: list[str], key: str) -> None:
    """Two years of one report each, two years of several, and two reports are not said to be the same thing."""
    groups, settings = {"before": before, "after": after}, {"reports": dict.fromkeys(reports, "")}
    for language in LANGUAGES:
        assert confounding(groups, settings, language, tested=False) == say(f"confounded.{key}", language)
        tested = confounding(groups, settings, language)
        assert tested.startswith(say(f"confounded.{key}", language)) and (say("confounded.within", language) in tested) == (
            key != "many"
        )


def test_who_matched_chapters_and_coded_senses_is_named(real) -> None:
    """The judges of `strata.csv` and of the senses stand in the caption; where nobody is on record, nobody is named."""
    study, tokens, _ = real
    reports = study.reports()
    senses = study.senses(reports)
    found = occurrences(tokens, study.terms, senses=senses)
    shift = compare(tokens, study.before, study.after, terms=study.terms, strata=study.strata, found=found, n_permutations=0)
    assert judges_of(study.strata) == judges_of(senses) == ["machine reader"] and judges_of(None) == []
    assert shift.attrs["settings"]["strata_judges"] == ["machine reader"]
    text = caption({"": shift, "cells": cells(found)}, study.place, study.declared, "en")
    assert "matched by their content (judged by machine reader;" in text
    assert "Senses were coded by machine reader; hatched: another sense." in text
    chinese = caption({"": shift, "cells": cells(found)}, study.place, study.declared, "zh")
    assert "由机器阅读判定；另有" in chinese and "义项由机器阅读判定；斜线为其他义项。" in chinese
    named = dealt(shift.attrs["settings"] | {"strata_judges": ["person", "张三"]}, "body", "en")
    assert "(judged by person, 张三; " in named  # a name is no kind of judge, and stops no build
    bare = cells(occurrences(tokens, study.terms))
    assert "hatched" not in caption({"": shift, "cells": bare}, study.place, study.declared, "en")
    assert "judged" not in dealt(shift.attrs["settings"] | {"strata_judges": []}, "body", "en")
