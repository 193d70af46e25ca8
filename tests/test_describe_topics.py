"""Captions and sentences about topics say what their tables say."""

import pandas as pd
import pytest
from planted import planted_tokens

from shinan_research.attention import attention
from shinan_research.describe_topics import (
    answer_attention,
    answer_choice,
    answer_opinions,
    answer_prevalence,
    describe_attention,
    describe_choice,
    describe_prevalence,
    describe_topics,
)
from shinan_research.messages import LANGUAGES
from shinan_research.opinions import explained_by_chapters, second_opinion
from shinan_research.prevalence import prevalence
from shinan_research.topics import Topics, fit_topics

PLACE = {"zh": "甲县", "en": "Jia County"}


@pytest.fixture(scope="module")
def topics() -> Topics:
    """Return a model of planted topics with two numbers examined."""
    return fit_topics(planted_tokens(), numbers=(4, 5), runs=4, length=48, most=0.6)


def test_captions_name_place_units_and_seed(topics: Topics) -> None:
    """Each caption holds the place, and what a reader needs to make the figure again, in both languages, without a gap."""
    moved = prevalence(topics, 2010, 2011, n_permutations=99, seed=3)
    chapters = attention(planted_tokens(), 2010, 2011)
    about = {
        "attention": describe_attention(chapters, place=PLACE), "topics": describe_topics(topics, place=PLACE),
        "choice": describe_choice(topics, place=PLACE), "prevalence": describe_prevalence(moved, place=PLACE),
    }  # fmt: skip
    for words in about.values():
        for one in LANGUAGES:
            assert PLACE[one] in words["caption"][one] and len(words["alt"][one]) > 20
            assert "nan" not in words["caption"][one] + words["alt"][one] and "{" not in words["caption"][one]
    assert f"{topics.settings['units']} windows" in about["topics"]["caption"]["en"]
    assert (
        "(99 times, seed 3)" in about["prevalence"]["caption"]["en"]
        and "With one report a side" in about["prevalence"]["caption"]["en"]
    )
    assert "Only chapters with the same title" in about["attention"]["caption"]["en"]


def test_the_largest_change_of_attention_is_named() -> None:
    """The sentence names the chapter with the largest change, and those that stand on one side only."""
    table = attention(planted_tokens(chapters=5), 2010, 2011)
    table.loc[2, ["share_before", "share_after", "shift", "chapters_after"]] = [0.3, 0.0, -0.3, 0]
    most, alone = answer_attention(table)
    assert table.loc[2, "stratum"] in most and "30.0 % → 0.0 %" in most and "−30.0" in most and table.loc[2, "stratum"] in alone
    assert len(answer_attention(attention(planted_tokens(chapters=5), 2010, 2011), "zh")) == 1


def test_a_shift_is_said_only_with_evidence(topics: Topics) -> None:
    """Without evidence the sentence says so and that this is no evidence of none; with it, the topic is named."""
    table = prevalence(topics, 2010, 2011, n_permutations=99)
    assert (
        "For no topic is there evidence" in answer_prevalence(table)[0]
        and "没有证据不等于没有变化" in answer_prevalence(table, "zh")[0]
    )
    table.loc[1, ["verdict", "shift"]] = ["lower", -0.12]
    said = answer_prevalence(table)[0]
    assert "T2" in said and "−12.0" in said and "T1" not in said


def test_the_rule_is_reported_as_it_went(topics: Topics) -> None:
    """A number chosen by the rule, one chosen though none passed, and one named by hand have sentences of their own."""
    object.__setattr__(topics, "choice", topics.choice.assign(supported=True, steady=True, coherent=True))
    assert answer_choice(topics)[0].startswith("Numbers that meet all three conditions: 4, 5")
    object.__setattr__(topics, "choice", topics.choice.assign(supported=False))
    assert answer_choice(topics)[0].startswith("No number meets all three conditions")
    named = fit_topics(planted_tokens(chapters=6), 4, runs=4, length=48, most=0.6)
    assert "named by the researcher" in answer_choice(named)[0] and "研究者指定" in answer_choice(named, "zh")[0]


def test_opinions_give_the_range_of_correlations(topics: Topics) -> None:
    """The sentence of each model has its smallest and largest correlation; that of the chapters both values."""
    told, other = explained_by_chapters(topics), second_opinion(topics, models=("nmf",))
    chapters, nmf = answer_opinions(told, told, other)
    assert f"{told['ami'].iloc[-1]:.2f}" in chapters
    assert f"{other['correlation'].min():.2f} to {other['correlation'].max():.2f}" in nmf and isinstance(other, pd.DataFrame)
