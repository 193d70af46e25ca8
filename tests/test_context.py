"""Words in context: every place listed, restored characters marked, collocates against counts by hand."""

import re
from math import log

import pandas as pd
import pytest
from test_counts import tokens_of

from shinan_research import Report, ShinanError, outline, tokenize
from shinan_research.context import collocates, kwic, positions

TEXT = "推进养老服务。建设养老院，养老机构见效。发展教育。"


@pytest.fixture(scope="module")
def small() -> pd.DataFrame:
    """Return the sentences of a short text."""
    return outline([Report("a", "A", 2001, TEXT, TEXT)], witness=True)


def test_every_place_is_listed(small: pd.DataFrame) -> None:
    """The spans are those of the text itself, and left, match and right are what stands there in the sentence."""
    table = kwic(small, "养老", width=3)
    assert table["start"].tolist() == [match.start() for match in re.finditer("养老", TEXT)]
    assert [TEXT[a:b] for a, b in zip(table["start"], table["end"], strict=True)] == ["养老"] * 3
    assert table[["left", "right"]].to_numpy().tolist() == [["推进", "服务。"], ["建设", "院，养"], ["老院，", "机构见"]]
    assert set(table["sense"]) == {""} and table["restored"].sum() == 0


def test_terms_with_strings_that_hide(small: pd.DataFrame) -> None:
    """A declared term passes over what its hiding strings cover, as counting does."""
    terms = pd.DataFrame([("养老", "养老", "form", "declared"), ("养老", "养老院", "not", "declared")])
    table = kwic(small, terms.set_axis(["term", "form", "role", "family"], axis=1))
    assert table["start"].tolist() == [TEXT.index("养老服务"), TEXT.index("养老机构")]


def test_regular_expression(small: pd.DataFrame) -> None:
    """An expression is read as one only if asked to."""
    assert kwic(small, "养老.构", regex=True)["match"].tolist() == ["养老机构"]
    assert kwic(small, "养老.构").empty
    assert kwic(small, "(?=养)|教育", regex=True)["match"].tolist() == ["教育"]  # what matches nothing is no place


@pytest.mark.parametrize(("pattern", "words"), [("(", "not a valid regular expression"), ("老*", "matches the empty string")])
def test_bad_expressions(small: pd.DataFrame, pattern: str, words: str) -> None:
    """An expression that is invalid, or matches nothing at all, is refused."""
    with pytest.raises(ShinanError, match=words):
        kwic(small, pattern, regex=True)


def test_restored_characters_are_marked(sentences: pd.DataFrame) -> None:
    """Without the marks each line is the text, and a mark stands at each restored character and nowhere else."""
    table = kwic(sentences, "中心", width=6)
    inserted = {(row.report, place) for row in sentences.itertuples() for place in row.restored_at}
    assert (table["restored"] > 0).any() and (table["restored"] == 0).any()
    for row in table.itertuples():
        assert row.match.replace("〔", "").replace("〕", "") == "中心"
        assert row.match.count("〔") == row.restored == sum((row.report, at) in inserted for at in range(row.start, row.end))


def test_collocates_are_counted_as_by_hand() -> None:
    """Count, total, expectation and NPMI of the neighbours of a word equal what a loop over the tokens gives."""
    text = "花草树。花草山。花草水。草山水。山水草。"
    words = outline([Report("a", "A", 2001, text, text)], witness=True)
    tokens = tokenize(words).query("kind == 'word' or kind == 'term'")
    rows = [(row.sentence, str(row.term)) for row in tokenize(words).itertuples() if row.kind in ("word", "term")]
    terms = [word for _, word in rows]
    centre = max(sorted(set(terms)), key=lambda word: (terms.count(word), word))
    table = collocates(tokens, centre, window=1, min_count=1)
    near = [
        any(0 <= j < len(rows) and rows[j] == (sentence, centre) for j in (i - 1, i + 1)) and word != centre
        for i, (sentence, word) in enumerate(rows)
    ]
    assert len(table) > 0 and centre not in set(table["collocate"])
    for row in table.itertuples():
        count = sum(hit and word == row.collocate for hit, (_, word) in zip(near, rows, strict=True))
        total = terms.count(row.collocate)
        assert (row.count, row.total) == (count, total)
        assert row.expected == pytest.approx(total * sum(near) / len(rows))
        joint = count / len(rows)
        assert row.npmi == pytest.approx(log(joint * len(rows) ** 2 / (total * sum(near))) / -log(joint))


def test_collocates_are_ordered(tokens: pd.DataFrame) -> None:
    """Collocates fall by signed G2, none stands less often than asked, and more than expected means positive."""
    table = collocates(tokens, "服务", min_count=4)
    assert table["g2"].is_monotonic_decreasing and (table["count"] >= 4).all()
    assert ((table["g2"] >= 0) == (table["count"] >= table["expected"])).all()
    assert (table["sentences"] <= table["count"]).all()


def test_a_term_that_is_no_token(small: pd.DataFrame) -> None:
    """A string that the segmenter does not give as one token is refused with what to do."""
    with pytest.raises(ShinanError, match=r"'养老服务业' is no token here.*use kwic"):
        collocates(tokenize(small), "养老服务业")


def test_a_term_in_latin_letters_has_collocates() -> None:
    """GDP is no word of the dictionary, and yet what stands near it is counted as for a word; other Latin strings are not."""
    text = "全区GDP增长,GDP增长较快。PPP增长。"
    table = collocates(tokenize(outline([Report("a", "A", 2001, text, text)], witness=True)), "GDP", min_count=1)
    assert table.set_index("collocate")["count"]["增长"] == 2 and not {"GDP", "PPP"} & set(table["collocate"])


def test_collocates_count_sentences_of_every_report() -> None:
    """Sentences of two reports that have the same number are two."""
    table = collocates(tokens_of({("甲县", 2001): [["花草", "花草"]], ("甲县", 2002): [["花草"]]}), "花", min_count=1)
    assert table[["collocate", "count", "sentences"]].to_numpy().tolist() == [["草", 3, 3]]


def test_positions_by_hand() -> None:
    """Each occurrence is at the share of Han characters before it, chapters end where the next begins, and zeros are kept."""
    chapters = {("甲县", 2001): [["花草草", "草"], ["草花花", "草草草"]], ("甲县", 2002): [["草草"], ["草草"]]}
    table = positions(tokens_of(chapters, annex=1), 2001, 2002, terms=["花"])
    seen = table[table["at"].notna()]
    assert seen["at"].tolist() == [0.0, 50.0, 60.0] and set(seen["side"]) == {"before"} and seen["part"].iloc[-1] == "annex"
    ends = table.drop_duplicates(["report", "chapter"])[["side", "chapter_from", "chapter_to"]].to_numpy().tolist()
    assert ends == [["before", 0.0, 40.0], ["before", 40.0, 100.0], ["after", 0.0, 50.0], ["after", 50.0, 100.0]]
    assert table[table["side"] == "after"]["start"].isna().tolist() == [True, True]
    settings = table.attrs["settings"]
    assert [settings[name] for name in ("function", "before", "after")] == ["positions", "2001", "2002"]
