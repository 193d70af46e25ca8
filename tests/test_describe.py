"""Captions and alternative texts: every number from the table, both languages, and the words that its verdicts ask for."""

import re

import pandas as pd
import pytest
from test_figures_vocabulary import made

from shinan_research.describe import (
    company,
    describe_placebo,
    describe_ranking,
    describe_sensitivity,
    describe_word_shift,
    detectable,
    divergence,
    holding,
    standings,
    survivors,
)
from shinan_research.messages import say

PLACE = {"zh": "甲县", "en": "Jia"}
DESCRIBE = {
    "ranking": describe_ranking, "word_shift": describe_word_shift, "placebo": describe_placebo,
    "sensitivity": describe_sensitivity,
}  # fmt: skip


@pytest.mark.parametrize("name", DESCRIBE)
def test_caption_and_alt_in_both_languages(name: str) -> None:
    """Each figure has a caption that names the place and an alternative text, in Chinese and in English, with no field open."""
    found = DESCRIBE[name](made()[name], place=PLACE)
    assert set(found) == {"caption", "alt"}
    for texts in found.values():
        assert set(texts) == {"zh", "en"} and not re.search(r"[{}]|nan|<NA>", " ".join(texts.values()))
        assert re.search("[\u4e00-\u9fff]{4}", texts["zh"]) and re.search("[a-z]{4}", texts["en"])
    assert PLACE["zh"] in found["caption"]["zh"] and PLACE["en"] in found["caption"]["en"]


def test_survivors() -> None:
    """Without a surviving word the sentence says none; with some it counts and names them."""
    table = made()["ranking"].assign(verdict="no evidence", p_adjusted=0.5)
    table.attrs["settings"] = made()["ranking"].attrs["settings"] | {"n_permutations": 99_999}
    assert survivors(table) == say("describe.ranking.none", "en", survive=0, words="")
    table.loc[table.index[:2], ["verdict", "p_adjusted"]] = [["higher", 0.01], ["fragile", 0.02]]
    first, second = table["term"].iloc[:2]
    assert f"pass the correction: 2 ({first}, {second})." in survivors(table) and f"{first}、{second}" in survivors(table, "zh")
    assert f"firm can be said: 1 ({second})." in survivors(table)
    table.loc[table.index[0], "verdict"] = "fragile"
    assert survivors(table).endswith(say("describe.ranking.all_fragile", "en"))


def test_ranking_counts_what_chance_gives() -> None:
    """The caption gives how many words are tested, how many have a small raw p, and how many would by chance."""
    table = made()["ranking"]
    tested = table[~table["verdict"].isin(["too rare", "too concentrated"])]
    caption = describe_ranking(table, place=PLACE)["caption"]["en"]
    assert f"Tested were {len(tested)} words" in caption
    assert (
        f"Without correction {(tested['p'] <= 0.05).sum()} words" in caption and f"about {round(0.05 * len(tested))} " in caption
    )


@pytest.mark.parametrize(("verdict", "words"), [("above", "lies above"), ("inside", "lies inside"), ("below", "lies below")])
def test_divergence_follows_its_verdict(verdict: str, words: str) -> None:
    """The sentence on the total is that of its verdict, and the caption repeats it."""
    table = made()["word_shift"].copy()
    table.attrs = made()["word_shift"].attrs | {"null": table.attrs["null"] | {"verdict": verdict}}
    assert words in divergence(table)
    assert divergence(table, "zh") in describe_word_shift(table, place=PLACE)["caption"]["zh"]


def test_word_shift_gives_total_and_band() -> None:
    """The caption holds the total and both ends of the band to three digits, and the share of the words drawn."""
    table = made()["word_shift"]
    caption = describe_word_shift(table, place=PLACE, most=5)["caption"]["en"]
    for value in (table.attrs["total"], table.attrs["null"]["low"], table.attrs["null"]["high"]):
        assert f"{value:.3f}" in caption
    assert f"the 5 words drawn make up {100 * table['share'].head(5).sum():.0f} %" in caption


def test_placebo_says_where_terms_stand() -> None:
    """One sentence per term; without a reference for these years an opening sentence says so, and the caption too."""
    table = made()["placebo"]
    assert len(standings(table)) == table["term"].nunique()
    counted = table.assign(outside=table["outside"].where(~table["own"], 3), eligible=table["eligible"].where(~table["own"], 40))
    assert standings(counted)[-1].startswith("Of 40 eligible ordinary words of this comparison, 3 (8 %)")
    lonely = table[table["own"]].assign(rank=pd.NA, users=pd.NA, verdict="no reference for this comparison")
    lonely.attrs = table.attrs
    assert standings(lonely)[0] == say("describe.absent.reference", "en") and len(standings(lonely)) == len(standings(table)) + 1
    assert say("describe.placebo.none", "zh") in describe_placebo(lonely, place=PLACE)["caption"]["zh"]
    assert say("describe.placebo.none", "zh") not in describe_placebo(table, place=PLACE)["caption"]["zh"]


def test_sensitivity_says_what_holds() -> None:
    """For each term the sentence counts the other ways, and those with the same verdict and direction, in the base's scope."""
    table = made()["sensitivity"]
    others = table[~table["base"] & (table["scope"] == "body")]
    for sentence, (term, mine) in zip(holding(table), others.groupby("term", sort=False), strict=True):
        kept = (~mine["differs"].str.contains("verdict")).sum()
        assert sentence.startswith(str(term)) and f"the verdict is the same in {kept} of {len(mine)}," in sentence


def test_detectable_ratio_by_frequency() -> None:
    """Each class of words has its number and median ratio; declared terms have their own."""
    table = made()["ranking"].assign(count_before=8, count_after=0, detectable_ratio=3.14)
    table.loc[table.index[0], ["count_before", "detectable_ratio"]] = [20, 9.26]
    lines = detectable(table)
    assert (
        len(lines) == 2
        and "occur 8 to 15 times" in lines[0]
        and f": {len(table) - 1}. " in lines[0]
        and "factor of about 3.1," in lines[0]
    )
    assert "occur 16 to 31 times in the body: 1. " in lines[1] and "about 9.3," in lines[1]
    declared = table.head(1).assign(family="declared", term="花")
    assert detectable(declared) == [say("describe.length.declared", "en", term="花", count=20, ratio="9.3")]


def test_company_counts_by_report() -> None:
    """Each term has its count per report, the places with a restored character, and its first five collocates."""
    lines = pd.DataFrame({"term": ["花"] * 3, "report": ["a", "a", "b"], "restored": [0, 1, 0]})
    near = pd.DataFrame({"term": ["花"] * 6 + ["树"], "collocate": [*"一二三四五六七"]})
    [sentence] = company(lines, near, {"a": 2001, "b": 2002})
    assert (
        "twice in 2001, once in 2002" in sentence
        and "a restored character once" in sentence
        and sentence.endswith("一, 二, 三, 四, 五.")
    )
    assert company(lines, near, {"a": 2001, "b": 2002}, "zh")[0].startswith("“花”（含附件）：2001年有2次、2002年有1次")
    assert "3 times in 2001." in company(lines, near, {"a": 2001, "b": 2001})[0]  # two reports of a group are told together
    assert "annex" not in company(lines.assign(restored=0), near, {"a": 2001}, annex=False)[1]
    assert "restored" not in company(lines.assign(restored=0), near, {"a": 2001})[0]
    assert company(lines, near.iloc[:0], {"a": 2001})[0].endswith("once.")
    assert company(lines, near, {"a": 2001}, annex=False)[0] == say("describe.absent.annex", "en")
