"""Tests of propose and of the lattice behind it."""

from collections import Counter
from dataclasses import replace
from importlib import import_module
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from shinan_research import lattice
from shinan_research.dictionary import RESOURCES
from shinan_research.errors import ShinanError
from shinan_research.propose import (
    COLUMNS,
    DISCOUNT,
    TIERS,
    count_grams,
    encode,
    genre,
    make_grams,
    pack,
    propose,
    settings,
    view,
)
from shinan_research.reports import Report, read_page

module = import_module("shinan_research.propose")  # the package exports a function of this name
PAGE = Path(__file__).resolve().parents[1] / "data" / "raw" / "shinan-page.txt"


@pytest.fixture(scope="module")
def pages() -> dict[int, Report]:
    """Return the two reports of the page by year."""
    return {report.year: report for report in read_page(PAGE)}


def make(text: str, year: int = 2019) -> Report:
    """Return a report of this text."""
    return Report(f"a-{year}", "a", year, text, text)


def without(report: Report, character: str) -> tuple[Report, set[int]]:
    """Return a report without a character, and the offsets before which it stood."""
    gold, kept = set(), []
    for one in report.witness:
        if one == character:
            gold.add(len(kept))
        else:
            kept.append(one)
    text = "".join(kept)
    return replace(report, witness=text, text=text), gold


@pytest.mark.parametrize(("character", "least"), [("发", 0.90), ("业", 0.85), ("国", 0.85)])
def test_restores_deleted_character(pages: dict[int, Report], character: str, least: float) -> None:
    """A character deleted from a report comes back at most of its places, and the first tier is almost free of errors."""
    damaged, gold = without(pages[2020], character)
    table = propose(damaged, character, sisters=[pages[2019]])
    found = set(table["offset"])
    assert 2 * len(found & gold) / (len(found) + len(gold)) >= least
    high = set(table.loc[table["tier"] == TIERS[0], "offset"])
    assert len(high & gold) / len(high) >= 0.97


def test_table(pages: dict[int, Report]) -> None:
    """Columns, order, contexts and tiers are as documented, and the sister's passage stands at the offset given."""
    table = propose(pages[2019], "中", sisters=[pages[2020]])
    assert tuple(table.columns) == COLUMNS
    assert table["offset"].is_monotonic_increasing and table["offset"].is_unique
    assert set(table["tier"]) <= set(TIERS) and table["score"].between(settings()["tiers"][1] - 1e-4, 1).all()
    for row in table.itertuples():
        assert pages[2019].witness[row.offset - len(row.left) : row.offset + len(row.right)] == row.left + row.right
    cited = table[table["evidence"].str.contains(", offset ")]
    assert len(cited) > 30
    for evidence in cited["evidence"]:
        offset, passage = evidence.split("offset ")[1].split(": ", 1)
        assert pages[2020].text.startswith(passage.strip("…"), int(offset))


def test_adjacent_insertions() -> None:
    """Two losses two characters apart are both proposed, a stray space between them notwithstanding."""
    table = propose(make("全面贯彻党的十九大和十九届 二、三全会精神,"), "中")
    assert table["offset"].tolist() == [15, 17]
    joined = propose(make("高举国特色社会主义伟大旗帜,以习近平新时代国特色社会主义思想为指导"), "中")
    assert joined["offset"].tolist() == [2, 21]


def test_defective_sister_is_refused(pages: dict[int, Report]) -> None:
    """A sister that lacks the character is refused by name, with its count and what to do."""
    damaged, _ = without(pages[2020], "中")
    with pytest.raises(ShinanError, match=rf"{pages[2019].id}: 中 occurs 0 times .* at least \d+ are expected.*leave it out"):
        propose(damaged, "中", sisters=[pages[2019]])


@pytest.mark.parametrize("character", ["", "中国", "a", "。", "\ud800"])
def test_refuses_what_is_not_one_han_character(character: str) -> None:
    """Anything but one Han character is refused with the value given."""
    with pytest.raises(ShinanError, match="expected one Han character"):
        propose(make("中国"), character)


@pytest.mark.parametrize("text", ["", " \n\u3000", "No Chinese at all.", "国", "\ud800\ufffd\0", "国" * 2_000, "龘靐齉" * 50])
@pytest.mark.parametrize("character", ["中", "龘"])
def test_hostile_texts(text: str, character: str) -> None:
    """Empty, foreign, damaged and endless texts give a table, and every proposal has its place in the text."""
    table = propose(make(text), character)
    assert tuple(table.columns) == COLUMNS
    assert table["offset"].between(0, len(text)).all()


def test_counts_by_neighbours() -> None:
    """Raw counts of the longest n-grams and left neighbours of the shorter ones agree with a plain count."""
    text = "中国中国人民中国特色中国"
    vocabulary = "".join(sorted(set(text)))
    ids = encode(text, vocabulary)
    counted, padded = count_grams(ids), [*ids.tolist(), 0]
    for order in range(1, 6):
        grams = [tuple(padded[start : start + order]) for start in range(len(padded) - order + 1)]
        wanted = {gram: len({padded[at - 1] for at in range(1, len(grams)) if grams[at] == gram}) or 1 for gram in grams}
        expected = Counter(grams) if order == 5 else wanted
        found = dict(zip(counted[order - 1].keys.tolist(), counted[order - 1].seen.tolist(), strict=True))
        assert found == {int(pack(np.array(gram), order)[0]): number for gram, number in expected.items()}


def test_probabilities_sum_to_one() -> None:
    """Over the whole vocabulary, the probabilities after a context sum to one, but for what unseen characters get."""
    text = "推进改革开放,推进改革发展,推动改革开放" * 2
    vocabulary = "".join(sorted(set(text)))
    grams = make_grams(vocabulary, count_grams(encode(text, vocabulary)), DISCOUNT)
    for context in ("推进改革", "改革开放", "放开革改"):
        rows = np.array([[*encode(context, vocabulary), last] for last in range(len(vocabulary) + 1)])
        total = module._probability(grams, pack(rows, 5)[:, 0], np.zeros(len(rows)), range(1, 6)).sum()
        assert 0.7 < total <= 1 + 1e-9
        full = module._probability(grams, pack(rows, 5)[:, 0], np.full(len(rows), 1 / len(rows)), range(1, 6)).sum()
        assert full == pytest.approx(1)


def test_genre_model_is_a_distribution() -> None:
    """No shipped weight of backing off is negative or above one, and no n-gram gains more than certainty."""
    for grams in genre():
        for weight, gain in zip(grams.weight, grams.gain[1:], strict=True):
            assert weight.min() >= -1e-9 and weight.max() <= 1 + 1e-9 and gain.min() >= 0 and gain.max() <= 1
        assert all((np.diff(keys) > 0).all() for keys in grams.keys)


def test_lattice_against_enumeration(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sums over the lattice equal a plain enumeration of all insertions and divisions, each word given the one before."""
    single = {"中": 0.02, "中心": 0.05, "心": 0.01, "海天": 0.01, "海": 0.02, "天": 0.03, "天中": 0.001}
    pairs = lattice.Pairs(single, {("海天", "中心"): 0.3, (",", "海"): 0.2}, {"海天": 0.6, ",": 0.7})
    monkeypatch.setattr(lattice, "genre_pairs", lambda: pairs)
    lattice._broken_words.cache_clear()
    words = lattice.Lattice("中", pairs, {("海", "天"): 2, ("天中", "心"): 1}, {"海": 3, "天中": 1, "天": 5})
    run, mass = "海天心", np.zeros((4, 2))
    choices = [("", "中") if step % 2 == 0 else (run[step // 2],) for step in range(7)]
    for full in ("".join(pieces) for pieces in product(*choices)):
        weight = _divisions(full, ",", words)
        gaps = [len(piece) for piece in full.replace("海", "|").replace("天", "|").replace("心", "|").split("|")]
        for gap, inserted in enumerate(gaps):
            mass[gap, inserted] += weight
    found = words.odds(lattice.find_arcs(run, [True] * 4, "中"), [True] * 4, ",", "。")
    lattice._broken_words.cache_clear()
    assert found == pytest.approx(np.log(mass[:, 1]) - np.log(mass[:, 0]))


def _divisions(text: str, before: str, words: lattice.Lattice) -> float:
    """Return the summed probability of all divisions of a text into words that stand before a full stop."""
    if not text:
        return words.probability(before, "。")
    forms = [text[:size] for size in range(1, len(text) + 1) if size == 1 or text[:size] in words.pairs.single]
    weights = {form: words.probability(before, form) * lattice.SCALE ** len(form) for form in forms}
    return sum(weight * _divisions(text[len(form) :], form, words) for form, weight in weights.items())


def test_pairs_of_words_are_probabilities() -> None:
    """After a word, all words that a model knows have probabilities that sum to one; a sister takes its share of them."""
    rows = [("改革", 6, 5, {"开放": 3}), ("开放", 4, 4, {})]
    pairs = lattice.make_pairs(20, rows)
    assert pairs.gain == {("改革", "开放"): pytest.approx(2.25 / 5)} and pairs.rest["改革"] == pytest.approx(2.75 / 5)
    assert sum(pairs.single.values()) == pytest.approx(1)
    model = lattice.Lattice("中", pairs, {("改革", "创新"): 10}, {"改革": 10})
    assert sum(model.probability("改革", word) for word in pairs.single) == pytest.approx(1)
    assert model.probability("改革", "创新") == pytest.approx((10 + 30 * 2.75 / 5 * pairs.single["创新"]) / 40)


def test_view_keeps_offsets() -> None:
    """Every character of the view is the folded character at its offset."""
    text = " 二〇一九 年，增长７％。\n"
    searched, offsets = view(text)
    assert searched == "二〇一九年,增长0%。"
    assert [text[offset] for offset in offsets[:-1]] == list("二〇一九年，增长７％。")
    assert offsets[-1] == len(text)


def test_resources_are_small_and_say_their_training() -> None:
    """The counts are below ten megabytes; hashes of all training files, the rule and the longest chain are stated."""
    assert sum(len((RESOURCES / name).read_bytes()) for name in ("ngrams.npz.xz", "word_pairs.txt.xz")) < 10_000_000
    stated, pairs = settings(), lattice.genre_pairs()
    assert stated["words_and_pairs"] == [len(pairs.rest), len(pairs.gain)]
    assert all(len(name) == 64 for name in stated["training_files"]) and len(set(stated["training_files"])) > 400
    assert "5 reports of 3 places" in stated["kept_if"]
    assert stated["longest_unambiguous_chain"] > 5 and stated["longest_run"] > 5
