"""The dictionary as arrays finds the words that searching finds, and divides a text as trying all divisions does."""

import math
import random
from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pytest
import rjieba
from hypothesis import given
from hypothesis import strategies as st

from shinan_research import dictionary
from shinan_research.trie import Trie, code_points, divide, find_words, plant, spread

WORDS = {"甲": 5, "乙": 3, "甲乙": 40, "乙丙": 9, "丙丁戊": 7, "丁": 1, "戊己": 2, "甲乙丙丁": 11, "A乙": 4, "𠮷丙": 6}
ALPHABET = "甲乙丙丁戊己庚A𠮷，"


def divided(tree: Trie, text: str) -> list[str]:
    """Return the words of the likeliest division."""
    codes = code_points(text)
    edges = np.flatnonzero(divide(tree, codes, find_words(tree, codes)[0])[0]).tolist()
    return [text[a:b] for a, b in pairwise(edges)]


def all_divisions(text: str, words: dict[str, int]) -> Iterator[list[str]]:
    """Yield every way to divide a text into words; a character that begins no word stands alone."""
    if not text:
        yield []
    ends = [end for end in range(1, len(text) + 1) if text[:end] in words] or [1] * bool(text)
    for end in ends:
        for rest in all_divisions(text[end:], words):
            yield [text[:end], *rest]


def likelihood(division: list[str]) -> float:
    """Return the sum of the logarithms of relative frequencies; an unknown word has frequency 1."""
    total = sum(WORDS.values())
    return sum(math.log(WORDS.get(word, 1) / total) for word in division)


@pytest.fixture(scope="module")
def tree() -> Trie:
    """Return a tree of a few words, two of them marked."""
    return plant(WORDS, {"乙": 1, "丙，丁": 2})


@given(text=st.text(ALPHABET, max_size=12))
def test_no_division_is_likelier(tree, text):
    """Of all divisions, tried one by one, none has a greater product of frequencies."""
    assert likelihood(divided(tree, text)) == pytest.approx(max(map(likelihood, all_divisions(text, WORDS))), abs=1e-4)


@given(text=st.text(ALPHABET, max_size=12))
def test_words_are_found_where_searching_finds_them(tree, text):
    """Each word of two or more characters, and each marked word, stands where the text has it, and nowhere else."""
    words, marked = find_words(tree, code_points(text))
    places = [(start, end) for start in range(len(text)) for end in range(start + 1, len(text) + 1)]
    found = set(zip(words.start.tolist(), words.end.tolist(), strict=True))
    assert found == {(a, b) for a, b in places if text[a:b] in WORDS and b - a > 1}
    found_marks = {(a, b, int(tree.mark[n])) for a, b, n in zip(*map(np.ndarray.tolist, marked), strict=True)}
    rank = {"乙": 1, "丙，丁": 2}
    assert found_marks == {(a, b, rank[text[a:b]]) for a, b in places if text[a:b] in rank}


def test_of_equal_divisions_the_longer_first_word_wins():
    """丙 begins two divisions of the same product; that with the longer first word is taken."""
    assert divided(plant({"丙": 2, "丁戊": 2, "丙丁": 2, "戊": 2}, {}), "丙丁戊") == ["丙丁", "戊"]


@pytest.mark.parametrize("words", [{}, {"甲": 1}, {"甲": 1, "乙": 1}, {"甲乙": 1}], ids=["none", "one", "two", "a pair"])
def test_small_dictionaries(words):
    """A dictionary of no word, of one and of two divides, and what is in none stands alone."""
    assert divided(plant(words, {}), "甲乙丙") == (["甲乙", "丙"] if "甲乙" in words else list("甲乙丙"))
    assert divided(plant(words, {}), "") == []


def test_a_long_text_of_one_piece_is_divided():
    """Where words overlap without end the piece is as long as the text; sums are exact, so the longer word is always first."""
    assert divided(plant({"一一": 3, "一": 2}, {}), "一" * 5_001) == ["一一"] * 2_500 + ["一"]


def test_every_word_of_the_dictionary_has_its_node():
    """Each of the package's words is found at its place in a text of all of them, with its own frequency."""
    words = dictionary.words()
    tree = plant(words, {})
    chosen = random.Random(0).sample(sorted(words), 2_000)
    text = "，".join(chosen)
    found, _ = find_words(tree, code_points(text))
    spans = set(zip(found.start.tolist(), found.end.tolist(), strict=True))
    total, start = sum(words.values()), 0
    for word in chosen:
        assert len(word) == 1 or (start, start + len(word)) in spans
        start += len(word) + 1
    length = found.end - found.start
    longest = [text[a:b] for a, b in zip(found.start[length > 5].tolist(), found.end[length > 5].tolist(), strict=True)]
    scores = tree.score[found.node[length > 5]] / 2**20
    assert scores.tolist() == pytest.approx([math.log(words[word] / total) for word in longest], abs=1e-5)


def test_the_division_is_that_of_jieba(reports):
    """On the real texts, and on words strung together, edges are those of jieba without hidden Markov model."""
    words = dictionary.words()
    tree, jieba = plant(words, {}), rjieba.Jieba.empty()
    for word, frequency in words.items():
        jieba.add_word(word, frequency, None)
    han = [word for word in sorted(words) if not word.isascii()]
    mixed = "".join(random.Random(1).choices(han, k=20_000))
    for text in (*(report.text for report in reports), mixed):
        expected = np.cumsum([0, *map(len, jieba.cut(text, hmm=False))])
        codes = code_points(text)
        edges, _ = divide(tree, codes, find_words(tree, codes)[0])
        alone = np.array([character.isascii() and character.isalnum() for character in text])
        inner = np.flatnonzero(alone[:-1] & alone[1:]) + 1  # jieba joins letters and digits
        edges[inner] = False
        assert np.array_equal(np.flatnonzero(edges), expected[~np.isin(expected, inner)])


def test_spread_counts_through_stretches():
    """Stretches of whole numbers follow each other, empty ones leave nothing."""
    assert spread(np.array([5, 9, 0]), np.array([2, 0, 3])).tolist() == [5, 6, 0, 1, 2]
