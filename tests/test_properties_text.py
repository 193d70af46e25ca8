"""What must hold of every text, not only of those that somebody thought of: nothing is lost, doubled or misplaced."""

import pandas as pd
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from test_occurrences import slow_count, term
from test_outline import assert_tiles as assert_rows_tile
from test_reports import FIRST, SECOND
from test_reports import assert_tiles as assert_page_is_tiled
from test_restore import check_maps
from test_tokens import assert_tiles as assert_tokens_tile

from shinan_research.collate import collate
from shinan_research.errors import ApparatusError, ReadError
from shinan_research.files import decode, format_rows, read_rows
from shinan_research.occurrences import occurrences
from shinan_research.outline import outline
from shinan_research.reports import Emendation, Report, han_count, read_page, read_report
from shinan_research.restore import apparatus, restore, variants
from shinan_research.tokens import Segmenter, tokenize

PIECES = [
    "一、", "二、", "三、", "十二、", "第一部分", "(一)", "（二）", "。", "!", "？", ":", "；", ",", "、", "“", "”", "(", ")",
    "\n", "\r\n", "\n\n", " ", "\u3000", "\t", "各位代表", "名词解释", "附件:", "附件名词解释", "工作回顾", "工作安排",
    "2019年", "1月", "9日", "15个", "92.18亿元", "7%", "GDP", "5G", "招商", "招商局", "双招双引", "峰会", "攻势", "以上合作",
    "十九届 二、三全会", "届  二、", "中", "这", "甲", "乙丙丁", "𠮷", "人民满意的政府", "增长", "的",
]  # fmt: skip
chinese = st.lists(st.sampled_from(PIECES), max_size=60).map("".join)
anything = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=80)
texts = st.one_of(chinese, anything, st.tuples(chinese, anything, chinese).map("".join))
cells = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r"), max_size=12)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """Return one path that every example overwrites."""
    return tmp_path_factory.mktemp("properties") / "甲区-2019.txt"


def report(text: str) -> Report:
    """Return a report of this text."""
    return Report("a", "甲区", 2019, text, text)


@st.composite
def apparatuses(draw: st.DrawFn) -> tuple[str, list[Emendation]]:
    """Draw a witness and accepted emendations of it, each fitting its place, no character twice at one place."""
    witness = draw(st.one_of(chinese, anything).filter(bool))
    places = st.tuples(st.integers(0, len(witness)), st.sampled_from(["中", "这", "国家", "-", "]", "^"]))
    rows = [
        Emendation("a", at, char, witness[max(0, at - 8) : at], witness[at : at + 8], decision="accept", decided_by="person")
        for at, char in draw(st.lists(places, unique=True, max_size=8))
    ]
    return witness, rows


# Reading


@given(st.binary(max_size=200))
@example(b"\xff\xfe\x00\x00a\x00\x00\x00")
@example(b"\xef\xbb\xbf\xef\xbb\xbf")
def test_decoding_any_bytes_gives_text_or_a_read_error(raw):
    """Bytes of any kind are read as text that holds something and no null character, or refused by name."""
    try:
        text = decode(raw, "a.txt")
    except ReadError as error:
        assert str(error).startswith("a.txt: ")
    else:
        assert text.strip(" \t\r\n")
        assert "\0" not in text


@given(texts, st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]))
def test_decoding_undoes_encoding(text, encoding):
    """A text that begins with a Han character comes back from each marked encoding and from UTF-8."""
    assert decode(("甲" + text).encode(encoding), "a.txt") == "甲" + text


@given(chinese)
def test_decoding_undoes_gb18030_where_the_bytes_are_not_utf_8(text):
    """GB18030 is read wherever its bytes are not by chance valid UTF-8."""
    raw = ("政府工作报告" + text).encode("gb18030")
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        assert decode(raw, "a.txt") == "政府工作报告" + text
    else:
        assume(False)


@given(st.lists(st.tuples(cells, cells, cells), max_size=6), st.booleans())
def test_reading_rows_undoes_formatting_them(path, rows, mark):
    """Any cells come back, but for rows that are blank or begin with #, which are remarks by rule."""
    assume(all(not row[0].startswith("#") and "".join(row).strip() for row in rows))
    table = [dict(zip(("term", "gloss", "note"), row, strict=True)) for row in rows]
    path.write_bytes(format_rows(table, ("term", "gloss", "note"), mark=mark))
    assert read_rows(path, ("term", "gloss", "note")) == table


@given(texts, texts, texts)
def test_a_page_is_tiled_whatever_stands_around_its_reports(path, before, between, after):
    """Two reports among any furniture are found whole, and every other character is in the log."""
    page = f"题\n{before}\n{FIRST}\n{between}\n{SECOND}\n{after}"
    path.write_bytes(page.encode())
    reports = read_page(path)
    assert [found.witness for found in reports] == [FIRST, SECOND]
    assert_page_is_tiled(reports, page)


@given(texts)
def test_a_file_that_is_one_report_keeps_every_character(path, text):
    """Witness and outer white space are the file, whatever it holds."""
    page = text + "甲"
    path.write_bytes(page.encode())
    page = page.removeprefix("\ufeff")
    found = read_report(path)
    assert found.witness == page.strip()
    assert_page_is_tiled([found], page)


# Restoring


@given(apparatuses(), st.randoms(use_true_random=False))
@example(("届  二、", [Emendation("a", 1, "中", "届", "  二、", decision="accept")]), None)
@example(("届  二、", [Emendation("a", 2, "中", "届 ", " 二、", decision="accept")]), None)
def test_restoring_conserves_and_does_not_care_for_order(drawn, random):
    """Text and witness differ by the rows and the spaces alone, maps lead there and back, and order changes nothing."""
    witness, rows = drawn
    columns = list(Emendation("a", 0, "x").__dict__)
    done = restore([report(witness)], pd.DataFrame(rows, columns=columns))[0]
    removed = sum(len(row.removed) for row in done.normalisations)
    assert len(done.text) == len(witness) + sum(len(row.char) for row in rows) - removed
    assert all(not row.removed.strip(" \u3000") for row in done.normalisations)
    check_maps(done)
    shuffled = list(reversed(rows)) if random is None else random.sample(rows, len(rows))
    assert restore([done], pd.DataFrame(shuffled, columns=columns)) == [done]
    for row in apparatus([done]).itertuples():
        assert done.text[row.position : row.position + len(row.char)] == row.char


@given(apparatuses())
def test_masking_deletes_the_suspects_and_nothing_else(drawn):
    """The masked text is the witness without its stray spaces and without any character that a row inserts."""
    witness, rows = drawn
    answer = variants([report(witness)], pd.DataFrame(rows, columns=list(Emendation("a", 0, "x").__dict__)))
    suspects = {char for row in rows for char in row.char}
    assert answer["masked"][0].text == "".join(char for char in answer["witness"][0].text if char not in suspects)
    check_maps(answer["masked"][0])


@given(chinese)
def test_a_text_agrees_with_itself(text):
    """A copy of the same words in other layout shows no difference, unless nothing of it can be aligned."""
    try:
        table = collate(report(text), report(" \n".join(text.replace(",", "，"))))
    except ApparatusError:
        return
    assert table.empty
    assert table.attrs["compared"] == han_count(text)


# Outline, tokens, occurrences


@given(texts)
def test_sentences_and_headings_tile_any_text(text):
    """Every character is in one row, ids count from 0, parts come in order, and nothing is refused."""
    text = text.strip()
    table = outline([report(text)], witness=True)
    assert_rows_tile(table, {"a": text})


@given(texts)
def test_tokens_tile_any_text(segmenter, text):
    """Every character of every sentence is in one token of it, and Han characters add up."""
    sentences = outline([report(text)], witness=True)
    tokens = tokenize(sentences, segmenter)
    assert_tokens_tile(tokens, sentences, {"a": text})
    assert tokens["han"].sum() == han_count(text)


@given(chinese, st.lists(st.sampled_from(["招商", "招商局双", "引", "上合", "。一", "、"]), unique=True))
def test_tokens_tile_whatever_the_lexicon_and_the_cutter(text, terms):
    """Terms that overlap words, numbers and each other never break the tiling, nor does a cutter of single characters."""
    sentences = outline([report(text)], witness=True)
    tokens = tokenize(sentences, Segmenter.from_callable("characters", list, terms=tuple(terms)))
    assert_tokens_tile(tokens, sentences, {"a": text})


@given(chinese)
def test_occurrences_are_those_of_a_slow_walk_through_each_sentence(segmenter, text):
    """Counts per sentence are those of stepping along it, chapters add up, and every place shows its form."""
    sentences = outline([report(text)], witness=True)
    found = occurrences(tokenize(sentences, segmenter), term("招商", form=["招商"], hidden=["招商局"]))
    places = found.dropna(subset="start")
    counts = places.groupby("sentence").size()
    for row in sentences.itertuples():
        assert counts.get(row.sentence, 0) == slow_count(row.text, "招商", "招商局")
    assert [text[a:b] for a, b in zip(places["start"], places["end"], strict=True)] == ["招商"] * len(places)
    assert found["chapter"].nunique() == sentences["chapter"].nunique()
    assert found.drop_duplicates("chapter")["han"].sum() == han_count(text)


@given(apparatuses())
def test_restored_characters_are_counted_once_in_sentences_and_marked_in_tokens(drawn):
    """The rows of the outline share the restored positions among them, and tokens are marked if and only if they hold one."""
    witness, rows = drawn
    done = restore([report(witness)], pd.DataFrame(rows, columns=list(Emendation("a", 0, "x").__dict__)))[0]
    sentences = outline([done])
    assert [place for places in sentences["restored_at"] for place in places] == done.inserted.tolist()
    assert sentences["restored"].sum() == sum(len(row.char) for row in rows)
    inserted = set(done.inserted.tolist())
    for token in tokenize(sentences, Segmenter.from_callable("characters", list)).itertuples():
        assert token.restored == (not inserted.isdisjoint(range(token.start, token.end)))
