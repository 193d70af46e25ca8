"""Tokens tile the text: words by dictionary, numbers, dates and units as atoms, terms laid over them by rank."""

import pickle

import pandas as pd
import pytest

from shinan_research import dictionary
from shinan_research.errors import ShinanError
from shinan_research.outline import outline
from shinan_research.reports import Report, han_count
from shinan_research.tokens import KINDS, Segmenter, tokenize


def outlined(text: str, name: str = "a") -> pd.DataFrame:
    """Return the outline of a text as it stands."""
    return outline([Report(name, "甲区", 2020, text, text)], witness=True)


def cut(text: str, segmenter: Segmenter) -> str:
    """Return the tokens of a text between bars."""
    return "|".join(tokenize(outlined(text), segmenter)["term"].astype(str))


def kinds(text: str, segmenter: Segmenter) -> dict[str, str]:
    """Return the kind of each token of a text."""
    return {str(row.term): str(row.kind) for row in tokenize(outlined(text), segmenter).itertuples()}


def assert_tiles(tokens: pd.DataFrame, sentences: pd.DataFrame, texts: dict[str, str]) -> None:
    """Check that tokens cover each sentence once, in order, carry its ids, and are slices of the text."""
    ids = ["report", "part", "chapter", "block", "paragraph", "heading"]
    by_sentence = dict(list(tokens.groupby(["report", "sentence"], sort=False)))
    assert len(by_sentence) == len(sentences)
    for row in sentences.itertuples():
        mine = by_sentence[row.report, row.sentence]
        position = row.start
        for token in mine.itertuples():
            assert token.start == position < token.end
            assert token.term == texts[row.report][token.start : token.end]
            assert token.han == han_count(token.term)
            assert [getattr(token, name) for name in ids] == [getattr(row, name) for name in ids]
            position = token.end
        assert position == row.end


# Words, atoms, terms


@pytest.mark.parametrize(
    "expected",
    [
        "收入/word|92.18亿/number|元/unit", "2019年/date|1月/date|9日/date", "深度/word|融入/word|15/number|个/unit|攻势/word",
        "增长/word|7.3%/number|,/punct", "12,345.6万/number|平方米/unit", "10余万/number|亩/unit", "31/number|日/unit",
        "30多/number|家/unit|企业/word", "第18/number|届/unit", "提高/word|2/number|个百分点/unit",
        "GDP/latin|和/word|5G/term|、/punct|A+B/latin",
        "推进/word|招商引资/term|。/punct", "好/word| /punct|的/word|\u3000/punct|“/punct", "2018/number|-/punct|2020年/date",
    ],
)  # fmt: skip
def test_words_terms_numbers_dates_units_and_latin(segmenter, expected):
    """Each number is one token with its powers of ten, its unit another, and a date is cut into year, month and day."""
    text = "".join(token.rpartition("/")[0] for token in expected.split("|"))
    tokens = tokenize(outlined(text), segmenter)
    assert "|".join(f"{row.term}/{row.kind}" for row in tokens.itertuples()) == expected
    assert tuple(tokens["kind"].cat.categories) == KINDS


def test_a_short_term_never_crosses_the_edges_of_words():
    """上合 is found as a name of its own and not within 以上|合作, nor 中学 within 集中|学习."""
    segmenter = Segmenter(terms=("上合", "中学"))
    assert "上合" not in cut("以上合作项目", segmenter).split("|")
    assert "中学" not in cut("集中学习", segmenter).split("|")
    assert kinds("承办上合,建中学", segmenter)["上合"] == "term"


def test_a_long_term_wins_over_words_and_a_longer_one_over_it():
    """Terms of three characters or more are kept whole wherever they stand, leftmost and longest first."""
    segmenter = Segmenter(terms=("合作项", "双招双引", "双招双引攻势", "53证合一"))
    assert cut("以上合作项目", segmenter) == "以上|合作项|目"
    assert cut("推进双招双引攻势和双招双引", segmenter) == "推进|双招双引攻势|和|双招双引"
    assert kinds("实现53证合一", segmenter)["53证合一"] == "term"


def test_every_term_of_the_lexicon_is_found_where_it_stands_alone(study):
    """Between two full stops each term is one token; a term that other rules always cut would be dead."""
    segmenter = study.segmenter
    tokens = tokenize(outlined("。".join(segmenter.lexicon)), segmenter)
    assert tokens.loc[tokens["kind"] == "term", "term"].tolist() == list(segmenter.lexicon)


def test_the_damage_of_a_scraper_makes_no_new_words(segmenter):
    """Where 中 was dropped the pieces stay single characters: no hidden Markov model glues 心等 together."""
    assert {"心等", "新国"}.isdisjoint(cut("海洋科技心等项目,建设新国", segmenter).split("|"))


def test_the_same_text_is_cut_the_same_by_another_instance(segmenter):
    """Two segmenters do not share a dictionary: terms of one leave the other as it was."""
    before = cut("青云图项目", segmenter)
    assert cut("青云图项目", Segmenter(terms=("青云图",))) == "青云图|项目" != before
    assert cut("青云图项目", segmenter) == before


# Offsets, sentences, odd input


ODD = "一、回顾\r\n去年\t“好”。\n\n𠮷野家𝒳é½①が\u200b\ufeff😀。(一)2020年\u3000招商!\n"


@pytest.mark.parametrize("text", ["", "。", "\n", " ", "\r\n\r\n", "甲", "A", "7", ODD, "甲乙。" * 500])
def test_tokens_tile_odd_texts(segmenter, text):
    """White space, line ends, characters beyond the first plane and texts of one character are all covered."""
    sentences = outlined(text) if text else outline([], witness=True)
    assert_tiles(tokenize(sentences, segmenter), sentences, {"a": text})


def test_a_term_never_crosses_the_end_of_a_sentence():
    """The text is cut in one go, but what stands on either side of a boundary is not joined."""
    segmenter = Segmenter(terms=("招商引资额", "。招商"))
    tokens = tokenize(outlined("大力招商\n引资额。招商"), segmenter)
    assert "招商引资额" not in set(tokens["term"])
    assert tokens.groupby("sentence")["term"].agg("".join).tolist() == ["大力招商\n", "引资额。", "招商"]


def test_a_part_of_the_sentences_gives_the_same_tokens_as_the_whole(segmenter):
    """Leaving out headings or other sentences leaves out their tokens and changes no other."""
    sentences = outlined("一、回顾\n去年办了峰会。二、安排\n今年招商引资。再接再厉。")
    whole = tokenize(sentences, segmenter)
    part = tokenize(sentences[~sentences["heading"]], segmenter)
    columns = ["sentence", "start", "end", "han"]
    expected = whole[~whole["heading"]].reset_index(drop=True)
    pd.testing.assert_frame_equal(part[columns], expected[columns])
    assert part["term"].tolist() == expected["term"].tolist()


# Other cutters


def test_any_cutter_may_serve_and_the_overlay_is_the_same():
    """With a cutter of single characters, numbers and long terms are still whole, and its name is on record."""
    segmenter = Segmenter.from_callable("characters", list, terms=("双招双引",))
    tokens = tokenize(outlined("推进双招双引15个。"), segmenter)
    assert tokens["term"].tolist() == ["推", "进", "双招双引", "15", "个", "。"]
    assert tokens.attrs["settings"]["segmenter"] == "characters"


@pytest.mark.parametrize(
    "cutter",
    [
        lambda text: [text[1:]],
        lambda text: [text, "x"],
        lambda _: [],
        lambda text: text.split("\n"),
        lambda text: [text[1:], "甲"],
        lambda text: [text.replace("乙", "己")],
    ],
    ids=["loses the first", "adds one", "loses all", "loses line ends", "changes places", "changes one"],
)
def test_a_cutter_that_does_not_tile_the_text_is_refused(cutter):
    """Losing, adding, moving or changing characters is an error that names the segmenter."""
    with pytest.raises(ShinanError, match=r"The segmenter 'lossy' loses or adds characters; its tokens must tile the text"):
        tokenize(outlined("甲乙。\n丙丁。"), Segmenter.from_callable("lossy", cutter))


def test_the_fingerprint_changes_with_all_that_can_change_a_token(segmenter, monkeypatch):
    """Terms, cutter and units change the fingerprint; the order of terms and another instance do not."""
    base = segmenter.fingerprint
    assert Segmenter().fingerprint == base
    assert Segmenter(terms=("青云图", "里院")).fingerprint == Segmenter(terms=("里院", "青云图")).fingerprint != base
    assert Segmenter.from_callable("characters", list).fingerprint != base
    monkeypatch.setattr(dictionary, "units", lambda: {"元": "money"})
    assert Segmenter().fingerprint != base


# The real reports


def test_the_real_tokens_tile_the_texts(tokens, sentences, reports):
    """Every character of both texts is in exactly one token of its sentence."""
    assert_tiles(tokens, sentences, {done.id: done.text for done in reports})
    assert tokens["han"].sum() == sum(han_count(done.text) for done in reports)


@pytest.mark.parametrize(
    "expected", ["92.18亿|元", "全市|15|个|攻势", "2019年|1月|9日", "招商局|青岛|中心", "实现|“|53证合一|”", "推进|“|双招双引|”"]
)
def test_the_real_phrases_are_cut_as_one_reads_them(tokens, reports, expected):
    """Phrases found by searching the text are cut into these tokens there."""
    phrase = expected.replace("|", "")
    done = next(done for done in reports if phrase in done.text)
    start = done.text.index(phrase)
    rows = tokens[(tokens["report"] == done.id) & (tokens["start"] >= start) & (tokens["end"] <= start + len(phrase))]
    assert "|".join(rows["term"].astype(str)) == expected


def test_the_real_numbers_hold_every_digit(tokens):
    """A digit of the text stands in a number, a date, a term or Latin and never in a word or punctuation."""
    with_digit = tokens[tokens["term"].astype(str).str.contains(r"\d", regex=True)]
    assert set(with_digit["kind"]) <= {"number", "date", "term", "latin"}


def test_a_segmenter_can_be_sent() -> None:
    """A segmenter that has already worked reaches another process whole, with its terms and fingerprint."""
    segmenter = Segmenter(terms=("甲乙丙",))
    text = "推进甲乙丙建设。"
    expected = [each.tolist() for each in segmenter.cut(text)]
    sent = pickle.loads(pickle.dumps(segmenter))
    assert [each.tolist() for each in sent.cut(text)] == expected
    assert sent == segmenter and sent.fingerprint == segmenter.fingerprint
