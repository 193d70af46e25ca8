"""How to read a figure, and the methods paragraph: every number is one of the table, in both languages."""

import re

import pandas as pd
import pytest
from test_counts import tokens_of

from shinan_research import compare, placebo, positions, sensitivity, word_shift
from shinan_research.captions import caption
from shinan_research.guide import REFERENCES, how_to_read, methods
from shinan_research.messages import LANGUAGES, say
from shinan_research.reference import reference_from
from shinan_research.reports import Report

BEFORE, AFTER = ("甲县", 2001), ("甲县", 2002)
TEXTS = {BEFORE: [["花花" + "草" * 18] * 8, ["草" * 20] * 4], AFTER: [["花" + "草" * 19] * 6, ["树" + "草" * 19] * 6]}


@pytest.fixture(scope="module")
def tables() -> dict[str, pd.DataFrame]:
    """Return a small table of every kind that has a guide."""
    tokens = tokens_of(TEXTS)
    shift = compare(tokens, BEFORE, AFTER, terms=["花", "树"], n_permutations=99)
    texts = {(place, year): "花" * (year % 7) + "草" * 50 for place in "乙丙丁" for year in (2001, 2002)}
    reference = reference_from([Report(f"{p}-{y}", p, y, t, t, restored=True) for (p, y), t in texts.items()], ["花"])
    return {
        "shift": shift,
        "ranking": compare(tokens, BEFORE, AFTER, n_permutations=99),
        "word_shift": word_shift(tokens, BEFORE, AFTER),
        "placebo": placebo(shift, terms=None, place="甲县", reference=reference),
        "sensitivity": sensitivity({"probable": tokens}, BEFORE, AFTER, terms=["花"], scopes=["body"]),
        "positions": positions(tokens, BEFORE, AFTER, terms=["花"]),
    }


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", ["shift", "ranking", "word_shift", "placebo", "sensitivity", "positions"])
def test_a_guide_is_worked_on_a_row(tables: dict[str, pd.DataFrame], kind: str, language: str) -> None:
    """The text names a term of the table with its counts, leaves no field unfilled and knows no missing value."""
    text = how_to_read(tables[kind], language)
    assert not re.search(r"[{}]|\bnan\b|None|<NA>", text), text
    named = re.search("以“(.+?)”|row of (.+?)[:. (]", text)
    term = named[1] or named[2]
    rows = tables[kind][tables[kind]["term"].astype(str) == term]
    assert len(rows)
    if kind == "positions":
        assert all(str(rows.loc[rows["side"] == side, "at"].count()) in text for side in ("before", "after"))
        assert str(rows.groupby(["report", "chapter"])["at"].count().max()) in text
    elif kind != "sensitivity":
        for count in rows[["count_before", "count_after"]].iloc[0]:
            assert str(count) in text


def test_a_table_of_another_kind_has_no_guide() -> None:
    """Without words for a table the guide is empty, and so is that of a table without rows."""
    assert how_to_read(pd.DataFrame({"a": [1]}), "en") == ""


@pytest.mark.parametrize("language", LANGUAGES)
def test_methods_state_the_settings(tables: dict[str, pd.DataFrame], language: str) -> None:
    """The paragraph gives draws, seed, blocks, thresholds and level of the table, and says whether chapters were matched."""
    settings = tables["shift"].attrs["settings"]
    text = methods(settings, "9.8.7", language)
    names = {"zh": ("甲县2001年", "甲县2002年"), "en": ("甲县 2001", "甲县 2002")}[language]
    for value in ("99", "9.8.7", "95", str(settings["blocks_before"]), str(settings["blocks_after"]), *names):
        assert value in text
    assert ("未作对应" in text) or ("not matched" in text)
    rows = [(f"甲县-{year}", chapter, str(chapter)) for year in (2001, 2002) for chapter in (0, 1)]
    strata = pd.DataFrame(rows, columns=["report", "chapter", "stratum"])
    table = compare(tokens_of(TEXTS), BEFORE, AFTER, terms=["花"], strata=strata, n_permutations=99)
    assert re.search("2组|2 strata", methods(table.attrs["settings"], "9.8.7", language))


@pytest.mark.parametrize("language", LANGUAGES)
def test_unit_and_test_are_those_of_the_table(language: str) -> None:
    """Methods and caption name the unit that was resampled, and a closed form is not called a permutation."""
    table = compare(tokens_of(TEXTS), BEFORE, AFTER, terms=["花"], unit="sentence", n_permutations=0)
    place = {"zh": "甲县", "en": "Jia"}
    for text in (methods(table.attrs["settings"], "1", language), caption({"": table}, place, "after reading", language)):
        assert say("unit.sentence", language) in text and say("unit.block", language) not in text
        assert {"zh": "闭式", "en": "closed form"}[language] in text
        assert not re.search("置换|重新分配|permutation|deals", text), text


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", ["word_shift", "placebo", "sensitivity"])
def test_other_tables_have_methods_too(tables: dict[str, pd.DataFrame], kind: str, language: str) -> None:
    """What is drawn from other tables has a paragraph with their own settings, and none of its fields is left open."""
    settings = tables[kind].attrs["settings"]
    text = methods(settings, "9.8.7", language)
    assert "9.8.7" in text and not re.search(r"[{}]|\bnan\b|None", text)
    null = settings.get("null", {})
    expected = {
        "word_shift": lambda: [f"{settings['total']:.3f}", f"{null['low']:.3f}", f"{null['high']:.3f}", "1,000", "Lin 1991"],
        "placebo": lambda: [settings["rule"], str(settings["reports"]), str(settings["places"]), "0.0625", "Efron 2004"],
        "sensitivity": lambda: ["probable", *(say(f"unit.{unit}", language) for unit in ("block", "sentence", "chapter"))],
    }
    assert [value for value in expected[kind]() if value not in text] == []


def test_a_table_of_another_kind_has_no_methods() -> None:
    """Settings of a function without a paragraph give none."""
    assert methods({"function": "attention", "before": 1, "after": 2}, "1", "en") == methods({}, "1", "zh") == ""


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_reference_is_cited_and_full(tables: dict[str, pd.DataFrame], language: str) -> None:
    """Each entry is cited by its short form in both languages, and begins with that author and holds that year."""
    text = " ".join(methods(table.attrs["settings"], "1", language) for table in tables.values())
    assert list(REFERENCES) == sorted(REFERENCES)
    for short, entry in REFERENCES.items():
        assert short in text
        assert entry.startswith(short.split()[0])
        assert f"({short.split()[-1]})" in entry
        assert re.search(r"doi:10\.\d{4}\d*/\S+$", entry) or entry.startswith(("Breslow", "Holm"))  # neither has one
