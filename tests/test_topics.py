"""Topics: planted themes in a fixed order, names that break when a topic changes, reports added without a new fit."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from planted import THEMES, digest, planted_tokens

from shinan_research.errors import ShinanError, StudyError
from shinan_research.surroundings import THREADS
from shinan_research.topics import Topics, add_reports, fit_topics, frex, name_topics

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def topics() -> Topics:
    """Return a model of planted topics."""
    return fit_topics(planted_tokens(), 4, runs=6, length=48, most=0.6)


def theme_of(topics: Topics, topic: str) -> int:
    """Return the theme whose signs the topic's likeliest words hold."""
    words = "".join(topics.top(topic))
    return max(range(4), key=lambda theme: sum(words.count(sign) for sign in THEMES[theme]))


def test_each_topic_is_a_theme_and_each_unit_has_its_own(topics: Topics) -> None:
    """The four topics are the four themes, and a window's largest share is the theme of its chapter."""
    themes = [theme_of(topics, topic) for topic in topics.ids]
    assert sorted(themes) == [0, 1, 2, 3] and topics.ids == ["T1", "T2", "T3", "T4"]
    leads = np.argmax(topics.shares[topics.ids].to_numpy(), axis=1)
    assert (np.array(themes)[leads] == topics.shares["chapter"].to_numpy() % 4).mean() > 0.97
    np.testing.assert_allclose(topics.shares[topics.ids].sum(axis=1), 1, atol=1e-5)


def test_topics_are_ordered_by_the_first_report(topics: Topics) -> None:
    """T1 has the largest share of the earliest report, and so on; words are ordered by probability."""
    first = topics.shares[topics.shares["year"] == topics.shares["year"].min()]
    share = first[topics.ids].mul(first["size"], axis=0).sum() / first["size"].sum()
    assert share.is_monotonic_decreasing
    for topic in topics.ids:
        mine = topics.words[topics.words["topic"] == topic]
        assert mine["probability"].is_monotonic_decreasing and mine["rank"].tolist() == list(range(1, len(mine) + 1))


def test_the_order_of_reports_changes_no_topic() -> None:
    """A table with its reports in another order gives topics with the same words."""
    tokens = planted_tokens(chapters=8)
    parts = [part for _, part in tokens.groupby("report")]
    turned = pd.concat(parts[::-1], ignore_index=True)
    one, two = (fit_topics(each, 4, runs=4, length=48, most=0.6) for each in (tokens, turned))
    assert [theme_of(one, topic) for topic in one.ids] == [theme_of(two, topic) for topic in two.ids]


def test_frex_by_hand() -> None:
    """A term that is frequent and exclusive scores highest; the score is the harmonic mean of two ranks."""
    score = frex(np.array([[0.5, 0.3, 0.2], [0.1, 0.3, 0.6]]))
    assert score[0].tolist() == [1.0, pytest.approx(2 / 3, abs=1e-6), pytest.approx(1 / 3, abs=1e-6)]
    assert np.argmax(score[1]) == 2


def test_a_name_stays_with_its_topic(topics: Topics) -> None:
    """A name is found by the words it was given to, in any order, and half of them suffice."""
    words = topics.top("T3")
    labels = pd.DataFrame({
        "fingerprint": [" ".join([*words[:7], "别一", "别二", "别三"])], "zh": ["第三"], "en": ["the third"],
        "decided_by": ["machine reader"], "same": ["partly"], "note": [""],
    })  # fmt: skip
    named = name_topics(topics, labels).stability.set_index("topic")
    assert named.loc["T3", ["zh", "en", "decided_by", "same"]].tolist() == ["第三", "the third", "machine reader", "partly"]
    assert named.loc["T1", "decided_by"] == "algorithm" and named.loc["T1", "zh"].count("·") == 2
    assert named.loc["T3", "machine"] == topics.stability.set_index("topic").loc["T3", "zh"] and named.loc["T1", "same"] == ""
    assert name_topics(topics, labels).stability.attrs["settings"]["function"] == "fit_topics"


def test_a_name_whose_topic_has_changed_is_refused(topics: Topics) -> None:
    """A name that fits nothing any more, and two names for one topic, are errors that say what to do."""
    row = {"zh": "旧名", "en": "old", "decided_by": "machine reader", "note": ""}
    words = [*topics.top("T1")[:6], "甲一", "甲二", "甲三", "甲四"]
    with pytest.raises(StudyError, match=r"'旧名'.*No topic has half of them any more; nearest is T1 .*alike 0.43"):
        name_topics(topics, pd.DataFrame([{"fingerprint": " ".join(words), **row}]))
    twice = pd.DataFrame([{"fingerprint": topics.stability["fingerprint"][0], **row}] * 2)
    with pytest.raises(StudyError, match="both fit T1"):
        name_topics(topics, twice)


def test_added_reports_get_shares_and_change_nothing_else(topics: Topics) -> None:
    """Reports added in one batch or in two get the same shares, the earlier ones keep theirs, a report is added once."""
    more = planted_tokens(("B", "C"), (2012,), seed=4)
    together = add_reports(topics, more)
    by_one = add_reports(add_reports(topics, more[more["place"] == "B"]), more[more["place"] == "C"])
    pd.testing.assert_frame_equal(together.shares, by_one.shares)
    pd.testing.assert_frame_equal(together.shares.head(len(topics.shares)), topics.shares)
    new = together.shares[together.shares["place"] == "B"]
    themes = np.array([theme_of(topics, topic) for topic in topics.ids])
    assert (themes[np.argmax(new[topics.ids].to_numpy(), axis=1)] == new["chapter"].to_numpy() % 4).mean() > 0.95
    assert len(together.windows.x.sum(axis=1)) == len(together.shares) == len(together.variance)
    with pytest.raises(ShinanError, match="B-2012 is already in the model"):
        add_reports(together, more)


def test_what_other_programs_are_given(topics: Topics) -> None:
    """Counts and token frame speak of the same tokens: a sparse matrix, and one row per token in order of text."""
    windows = topics.windows
    assert windows.x.shape == (len(topics.shares), len(windows.terms)) and windows.x.sum() == len(windows.frame)
    assert windows.frame["unit"].is_monotonic_increasing and list(windows.frame) == ["unit", "sentence", "term"]
    tables = topics.tables(most=12)
    dense = windows.x.toarray()
    for unit, term, count in tables["counts"].sample(50, random_state=0).itertuples(index=False):
        assert dense[unit, windows.terms.index(term)] == count
    assert tables["counts"]["count"].sum() == len(tables["tokens"]) == windows.x.sum()
    assert len(tables[""]) == 48 and tables[""].attrs["settings"]["judges"] == topics.judges == ["algorithm"]
    part = topics.words.set_index(["term", "topic"]).loc[topics.top("T1")[0]]
    assert part.loc["T1", "exclusive"] == pytest.approx(part.loc["T1", "probability"] / part["probability"].sum(), abs=1e-5)


def test_settings_say_how_it_was_made(topics: Topics) -> None:
    """Every table carries what is needed to make it again."""
    for table in (topics.words, topics.shares, topics.stability, topics.choice):
        assert table.attrs["settings"]["function"] == "fit_topics" and table.attrs["settings"]["runs"] == 6
    assert topics.settings["by_rule"] is False and replace(topics, words=topics.words).ids == topics.ids


def test_bad_input() -> None:
    """More topics than units, and texts too short to choose a number, are errors that say what to lower."""
    short = planted_tokens(years=(2010,), chapters=2, sentences=2)
    with pytest.raises(ShinanError, match="Lower `topics`"):
        fit_topics(short, 30, runs=4)
    with pytest.raises(ShinanError, match=r"1\.5 topics for"):
        fit_topics(short, 1.5, runs=4)  # type: ignore[arg-type]
    with pytest.raises(ShinanError, match="raise `most`"):
        fit_topics(short, 2, runs=4, least=3)
    with pytest.raises(ShinanError, match="too few to choose a number of topics"):
        fit_topics(short, runs=4)


@pytest.mark.slow
def test_bytes_do_not_depend_on_threads_hash_seed_or_processor() -> None:
    """Shares and words are the same to the byte with two threads, another hash seed, and as on an older processor."""
    words = (
        "import sys; sys.path.insert(0, 'tests')\n"
        "from planted import digest, planted_tokens\nfrom shinan_research.topics import fit_topics\n"
        "print(digest(fit_topics(planted_tokens(), 4, runs=6, length=48, most=0.6)))"
    )
    found = set()
    found_here = np.show_config(mode="dicts")["SIMD Extensions"].get("found", [])
    for threads, hash_seed, left_out, core in (("1", "0", "", "Nehalem"), ("2", "7", " ".join(found_here), "Haswell")):
        environment = os.environ | dict.fromkeys(THREADS, threads) | {"PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(ROOT)}
        environment |= {"NPY_DISABLE_CPU_FEATURES": left_out, "OPENBLAS_CORETYPE": core}
        run = subprocess.run([sys.executable, "-c", words], cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
        found.add(run.stdout.strip())
    assert found == {digest(fit_topics(planted_tokens(), 4, runs=6, length=48, most=0.6))}
