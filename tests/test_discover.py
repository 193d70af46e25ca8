"""Finding terms: what the text marks, and runs of tokens that cohere and stand among varied neighbours."""

import math
from collections import Counter
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from shinan_research import Report, outline, tokenize
from shinan_research.dictionary import resource
from shinan_research.discover import COLUMNS, find_terms, headword, quoted, quoted_with_head


def tables(*texts: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return sentences and tokens of one report per text."""
    sentences = outline([Report(f"甲-{2001 + n}", "甲", 2001 + n, text, text) for n, text in enumerate(texts)], witness=True)
    return sentences, tokenize(sentences)


def stream(*lines: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return sentences and tokens of lines whose words are parted by spaces, without a segmenter."""
    ids = {"report": "a", "place": "甲", "year": 2001, "part": "plan", "chapter": 0}
    sentences = pd.DataFrame(
        [ids | {"sentence": n, "text": line.replace(" ", ""), "heading": False} for n, line in enumerate(lines)]
    )
    rows = [
        ids | {"sentence": n, "term": word, "kind": "punct" if word in "，。" else "word"}
        for n, line in enumerate(lines)
        for word in line.split()
    ]
    return sentences, pd.DataFrame(rows).astype({"term": "category"})


COHERING = ("天 花草 山石 地", "玄 花草 山石 黄", "宇 花草 山石 宙", "洪 花草 山石 荒", "天 花草 地", "玄 山石 黄")


def test_marked_terms_come_first_in_their_order() -> None:
    """Headwords, quoted strings, quoted strings with a head noun and statistics follow each other; none is listed twice."""
    text = "推进“双甲”攻坚战，用好“双甲”。" * 20 + "\n名词解释：“双甲”攻坚战：一种安排。"
    found = find_terms(*tables(text))
    assert tuple(found.columns) == COLUMNS
    assert list(zip(found["term"], found["source"], strict=True))[:2] == [("“双甲”攻坚战", "annex"), ("双甲", "quoted")]
    assert not found["term"].duplicated().any()
    assert found["source"].cat.codes.is_monotonic_increasing


def test_counts_are_those_of_the_string() -> None:
    """Count, reports and chapters are those of the string in the text, in all reports together."""
    texts = ("一、甲\n推进“双甲”。双甲好。二、乙\n还有双甲。", "说到双甲。", "没有。")
    row = find_terms(*tables(*texts)).set_index("term").loc["双甲"]
    assert (row["count"], row["reports"], row["chapters"]) == (4, 2, 3)
    assert row["source"] == "quoted"
    assert math.isnan(row["npmi"]) and math.isnan(row["left_entropy"])


@pytest.mark.parametrize(
    ("heading", "term"),
    [
        ("“双随机”：", "双随机"),
        ("3.“瞪羚”企业：", "“瞪羚”企业"),
        ("（二）融媒体中心:", "（二）融媒体中心"),
        ("二、融媒体中心:", "融媒体中心"),
        ("【河长制】：", "河长制"),
        ("“四个走在前列”分别是：", ""),
        ("所谓双甲是指：", ""),
        ("附件：名词解释：", ""),
        ("没有冒号", ""),
        ("：", ""),
        ("", ""),
    ],
)
def test_headwords(heading: str, term: str) -> None:
    """A headword is what stands before the colon, without number and quotation marks; a sentence or a title is none."""
    assert headword(heading) == term


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("“双招双引”和「店小二」", ["双招双引", "店小二"]),
        ("“互联网+”“不忘初心、牢记使命”", ["互联网+", "不忘初心、牢记使命"]),
        ("“3618”", []),
        ("“我们说，要做好。”", []),
        ("“甲”", []),
        ("“没有结束", []),
        ("“这一句话无论怎么看都实在太长了不是词”", []),
        ("", []),
    ],
)
def test_quoted_strings(text: str, terms: list[str]) -> None:
    """Quoted strings of 2 to 12 characters with a Han character and without marks of a clause may be terms."""
    assert list(quoted(text)) == terms


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("“254”现代产业体系建设", ["“254”现代产业体系"]),
        ("“双甲”攻坚战和“双乙”工程", ["“双甲”攻坚战", "“双乙”工程"]),
        ("“双甲”和乙工程", []),
        ("“双甲”的工程", []),
        ("“双甲”，工程", []),
        ("“双甲”一二三四五工程", []),
        ("“双甲”攻势", []),
    ],
)
def test_quoted_strings_with_a_head_noun(text: str, terms: list[str]) -> None:
    """The head noun follows within four characters that end no phrase; of two that fit the longer wins."""
    assert list(quoted_with_head(text)) == terms


def test_npmi_and_entropy_by_hand() -> None:
    """The measures of a run of two words equal those computed from the definitions."""
    sentences, tokens = stream(*COHERING)
    row = find_terms(sentences, tokens).set_index("term").loc["花草山石"]
    joint, one, two = 4 / 22, 5 / 22, 5 / 22
    assert row["npmi"] == pytest.approx(math.log(joint / (one * two)) / -math.log(joint))
    assert row["left_entropy"] == row["right_entropy"] == pytest.approx(2.0)
    assert row["source"] == "statistical"


def test_a_longer_run_takes_its_weakest_split() -> None:
    """The measure of a run of three is the smaller one of its two splits."""
    lines = [f"{left} 花草 山石 流水 {right}" for left, right in zip("天玄宇洪", "地黄宙荒", strict=True)] + ["流水 。"] * 3
    sentences, tokens = stream(*lines)
    words = [word for line in lines for word in line.split() if word != "。"]
    single, total = Counter(words), len(words)
    pair = Counter(one + two for line in lines for one, two in pairwise(line.split()))
    splits = [(single["花草"], pair["山石流水"]), (pair["花草山石"], single["流水"])]
    values = [math.log(4 / total / (a * b / total**2)) / -math.log(4 / total) for a, b in splits]
    found = find_terms(sentences, tokens).set_index("term")
    assert found.loc["花草山石流水", "npmi"] == pytest.approx(min(values))
    assert "花草山石" not in found.index
    assert "山石流水" not in found.index


def test_neighbours_must_vary() -> None:
    """A run that always stands in the same company is no term of its own."""
    sentences, tokens = stream(*["天 花草 山石 地"] * 6)
    assert "花草山石" not in set(find_terms(sentences, tokens)["term"])


def test_every_mark_of_punctuation_is_another_neighbour() -> None:
    """Marks and edges of sentences set a term off: four of them are worth two bits."""
    sentences, tokens = stream(*["， 花草 山石"] * 4)
    row = find_terms(sentences, tokens).set_index("term").loc["花草山石"]
    assert row["left_entropy"] == row["right_entropy"] == pytest.approx(2.0)


def test_runs_stay_within_sentences_and_without_idle_words() -> None:
    """No run crosses the end of a sentence, a mark or a word of the list."""
    sentences, tokens = stream(
        *[f"{left} 花草 的 山石 。 流水 {right}" for left, right in zip("天玄宇洪", "地黄宙荒", strict=True)]
    )
    assert not set(find_terms(sentences, tokens)["term"]) & {"花草的山石", "山石流水", "山石。流水", "花草山石"}


def test_min_count_holds_for_statistics_alone() -> None:
    """What the text marks is listed once; a run must stand `min_count` times, and never only once."""
    sentences, tokens = stream(*COHERING)
    assert "花草山石" in set(find_terms(sentences, tokens, min_count=4)["term"])
    assert "花草山石" not in set(find_terms(sentences, tokens, min_count=5)["term"])
    assert find_terms(sentences, tokens, min_count=0).equals(find_terms(sentences, tokens))
    assert find_terms(*tables("推进“双甲”。"), min_count=99)["term"].tolist() == ["双甲"]


def test_known_terms_are_marked() -> None:
    """A suggestion that already is one token somewhere is known."""
    found = find_terms(*tables("推进“河长制”和“双甲甲”。")).set_index("term")["known"]
    assert found.to_dict() == {"河长制": True, "双甲甲": False}


def test_order_does_not_depend_on_the_order_of_reports() -> None:
    """The table is the same whichever report comes first."""
    sentences, tokens = stream(*COHERING)
    more, other = (table.assign(report="b") for table in stream("推进 “ 双甲 ” 。", *COHERING[::-1]))
    one = find_terms(pd.concat([sentences, more]), pd.concat([tokens, other]))
    two = find_terms(pd.concat([more, sentences]), pd.concat([other, tokens]))
    pd.testing.assert_frame_equal(one, two)


@pytest.mark.parametrize("text", ["。", "\n", "“”“", "：：：", "1234", "a", "“" * 50, "甲\u3000乙𠀀。"])
def test_hostile_text_gives_a_table(text: str) -> None:
    """Text without words, with open quotation marks or rare characters gives a table without missing terms."""
    found = find_terms(*tables(text))
    assert tuple(found.columns) == COLUMNS
    assert found["term"].str.len().min() > 0 if len(found) else True


def test_nothing_gives_an_empty_table() -> None:
    """Empty tables give an empty table with all columns."""
    sentences, tokens = tables("花。")
    found = find_terms(sentences.iloc[:0], tokens.iloc[:0])
    assert tuple(found.columns) == COLUMNS
    assert found.empty
    assert found["npmi"].dtype == np.float64


@pytest.mark.parametrize("name", ["head_nouns.txt", "edge_words.txt"])
def test_word_lists_are_clean(name: str) -> None:
    """The word lists explain themselves, hold no word twice, and no word with white space."""
    lines = resource(name).decode("utf-8").splitlines()
    listed = [line.split("\t")[0] for line in lines if not line.startswith("#")]
    assert lines[0].startswith("#")
    assert len(listed) == len(set(listed)) > 20
    assert all(word and not any(map(str.isspace, word)) for word in listed)
