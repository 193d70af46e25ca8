"""Declared terms are counted in the text itself, each place once, by rules that one can check with a pencil."""

import re

import pandas as pd
import pytest

from shinan_research.errors import StudyError
from shinan_research.occurrences import as_terms, occurrences
from shinan_research.outline import outline
from shinan_research.reports import Emendation, Report, han_count
from shinan_research.restore import restore
from shinan_research.tokens import Segmenter, tokenize

COLUMNS = ["term", "form", "role", "family"]


def tokenized(text: str, segmenter: Segmenter, name: str = "a") -> pd.DataFrame:
    """Return the tokens of a text as it stands."""
    return tokenize(outline([Report(name, "甲区", 2020, text, text)], witness=True), segmenter)


def term(name: str, **roles: list[str]) -> pd.DataFrame:
    """Return one declared term; `hidden` stands for the role `not`."""
    rows = [(name, word, "not" if role == "hidden" else role, "declared") for role, words in roles.items() for word in words]
    return pd.DataFrame(rows, columns=COLUMNS)


def starts(text: str, terms: object, segmenter: Segmenter) -> dict[str, list[int]]:
    """Return where each term begins in a text."""
    table = occurrences(tokenized(text, segmenter), terms).dropna(subset="start")
    return {str(name): rows["start"].tolist() for name, rows in table.groupby("term", observed=False)}


# Declaring


def test_a_string_is_a_term_with_itself_as_form():
    """Names alone are a table of one form each; one string is one term and not its characters."""
    expected = [["招商", "招商", "form", "declared"], ["峰会", "峰会", "form", "declared"]]
    assert as_terms(["招商", "峰会"]).to_numpy().tolist() == expected
    assert as_terms("招商").to_numpy().tolist() == expected[:1]
    assert as_terms([]).empty
    assert list(as_terms([]).columns) == COLUMNS


@pytest.mark.parametrize(
    ("terms", "message"),
    [
        (term("招商", hidden=["招商局"]), "The term '招商'"),
        (term("招商", wide=["双招双引"]), "The term '招商' has no form to count.*under `forms`"),
        (term("招商", form=["招商", " "]), "The term '招商' has no form"),
        (term("招商", form=["招商", "招商"]), "The term '招商' lists '招商' twice"),
        (term("招商", form=["招商"], wide=["招商"]), "The term '招商' lists '招商' twice"),
        (term("招商", form=["招商"], hidden=["招商"]), "The term '招商' lists '招商' twice"),
        (term("招商", form=["招商"], hidden=["商局"]), "The term '招商': '商局' under `not` holds none of its forms 招商"),
        (["招商", "峰会", "招商"], "The term '招商' lists '招商' twice"),
        ([""], "has no form"),
    ],
)
def test_a_term_that_cannot_be_counted_is_refused(terms, message):
    """No form, an empty form, a form listed twice, and a `not` that hides nothing are named with the term."""
    with pytest.raises(StudyError, match=message):
        as_terms(terms)


def test_an_unknown_role_is_named():
    """A role outside form, not and wide is quoted beside those allowed."""
    with pytest.raises(StudyError, match=r"(?=.*招商)(?=.*\brole\b)(?=.*'forms')(?=.*form, not, wide)"):
        as_terms(pd.DataFrame([("招商", "招商", "forms", "declared")], columns=COLUMNS))


# Matching


def test_forms_are_matched_as_strings_whatever_the_tokens_are(segmenter):
    """招商 is found inside a longer token and across two tokens."""
    assert starts("推进招商引资和大招商。", ["招商", "引资和大"], segmenter) == {"招商": [2, 8], "引资和大": [4]}


def test_a_change_of_the_lexicon_changes_no_count(segmenter):
    """With another lexicon, and with single characters as tokens, the places are the same."""
    text = "招商引资促招商,招商局招商。"
    for other in (Segmenter(terms=("招商引资促", "商局招")), Segmenter.from_callable("characters", list)):
        assert starts(text, ["招商"], other) == starts(text, ["招商"], segmenter) == {"招商": [0, 5, 8, 11]}


def test_longer_forms_go_first_and_no_character_is_counted_twice(segmenter):
    """Of overlapping forms the leftmost, then the longest, takes the characters."""
    table = occurrences(tokenized("招商引资商招。招商。", segmenter), term("招商", form=["招商", "招商引资", "资商", "商招"]))
    assert table[["form", "start", "end"]].to_numpy().tolist() == [["招商引资", 0, 4], ["商招", 4, 6], ["招商", 7, 9]]


def test_not_hides_a_form_within_it_and_nowhere_else(segmenter):
    """A company's name is no place of the term, before or behind one that is."""
    terms = term("招商", form=["招商"], hidden=["招商局", "大招商"])
    assert starts("招商局招商,大招商,招商。", terms, segmenter) == {"招商": [3, 10]}


def test_wide_forms_make_a_second_row_beside_the_first(segmenter):
    """The narrow row counts the forms alone, the wide row forms and wide forms, both without what `not` hides."""
    terms = term("招商", form=["招商"], wide=["双招双引"], hidden=["招商局"])
    assert starts("双招双引,招商,招商局。", terms, segmenter) == {"招商": [5], "招商 (wide)": [0, 5]}


def test_marks_of_patterns_are_plain_characters(segmenter):
    """A form with brackets, dots or plus signs is matched as written."""
    assert starts("国际化+和首台(套),a.b,axb。", ["国际化+", "首台(套)", "a.b"], segmenter) == {
        "国际化+": [0],
        "首台(套)": [5],
        "a.b": [11],
    }


@pytest.mark.parametrize("text", ["招。商", "招\n商", "。一、招\n商"])
def test_no_place_crosses_the_end_of_a_sentence_or_heading(segmenter, text):
    """Characters on either side of a boundary make no form."""
    assert starts(text, ["招商"], segmenter) == {"招商": []}


# The table


def test_chapters_without_a_place_have_one_row_each(segmenter):
    """Counting by chapter gives zeros too, and each row carries its chapter's Han characters."""
    text = "开场。\n一、回顾\n招商,招商。\n二、安排\n修路。"
    table = occurrences(tokenized(text, segmenter), ["招商", "峰会"])
    counts = table.groupby(["term", "chapter"], observed=False)["start"].count()
    assert counts.to_dict() == {("招商", 0): 0, ("招商", 1): 2, ("招商", 2): 0, ("峰会", 0): 0, ("峰会", 1): 0, ("峰会", 2): 0}
    assert table.drop_duplicates("chapter").set_index("chapter")["han"].to_dict() == {0: 2, 1: 7, 2: 5}
    empty = table[table["start"].isna()]
    assert (empty["form"] == "").all()
    assert empty[["end", "block", "sentence"]].isna().all(axis=None)
    assert not empty[["heading", "restored"]].any(axis=None)


def test_rows_come_by_term_report_chapter_and_place(segmenter):
    """Terms stand in the order declared, reports by name, places in the order of the text."""
    tokens = pd.concat([tokenized("招商峰会招商。", segmenter, "b"), tokenized("峰会。", segmenter, "a")])
    table = occurrences(tokens, ["招商", "峰会"])
    assert table[["term", "report", "start"]].astype(object).fillna(-1).to_numpy().tolist() == [
        ["招商", "a", -1], ["招商", "b", 0], ["招商", "b", 4], ["峰会", "a", 0], ["峰会", "b", 2],
    ]  # fmt: skip


def test_a_place_in_a_heading_or_with_a_restored_character_says_so(segmenter):
    """Heading and restored are those of the place, not of its chapter."""
    text = "心。中心。一、中心\n"
    row = Emendation("a", 0, "中", "", "心。", decision="accept", decided_by="person")
    done = restore([Report("a", "甲区", 2020, text, text)], pd.DataFrame([row]))
    table = occurrences(tokenize(outline(done), segmenter), ["中心"])
    assert table[["start", "restored", "heading"]].to_numpy().tolist() == [[0, True, False], [3, False, False], [8, False, True]]


def test_nothing_to_search_or_to_search_for_gives_an_empty_table(segmenter):
    """No terms, or no tokens, give the columns without rows."""
    full = occurrences(tokenized("招商。", segmenter), ["招商"])
    nothing = tokenize(outline([], witness=True), segmenter)
    for table in (occurrences(tokenized("招商。", segmenter), []), occurrences(nothing, ["招商"])):
        assert len(table) == 0
        assert list(table.columns) == list(full.columns)


# The real reports


def slow_count(text: str, form: str, hidden: str = "") -> int:
    """Count a form by walking along the text, stepping over what hides it."""
    position = count = 0
    while position < len(text):
        if hidden and text.startswith(hidden, position):
            position += len(hidden)
        elif text.startswith(form, position):
            position, count = position + len(form), count + 1
        else:
            position += 1
    return count


@pytest.fixture(scope="module")
def found(study, tokens):
    """Return the occurrences of the study's declared terms."""
    return occurrences(tokens, study.terms)


@pytest.fixture(scope="module")
def bodies(reports):
    """Return body and annex of each real report, cut at the title of the annex."""
    return {done.id: re.split("(?=附件:?名词解释)", done.text) for done in reports}


@pytest.mark.parametrize(
    ("name", "hidden", "body", "annex"),
    [
        ("峰会", "", (26, 2), (0, 0)),
        ("攻势", "", (0, 2), (0, 17)),
        ("招商", "招商局", (11, 12), (0, 0)),
        ("双招双引", "", None, None),
    ],
)
def test_the_real_counts_of_body_and_annex(found, bodies, name, hidden, body, annex):
    """The published counts are those of a slow walk along the two texts, body and annex apart."""
    rows = found[(found["term"] == name) & found["start"].notna()]
    for place, (report, (main, notes)) in enumerate(bodies.items()):
        mine = rows[rows["report"] == report]
        inside = int((mine["part"] != "annex").sum())
        assert inside == slow_count(main, name, hidden)
        assert len(mine) - inside == slow_count(notes, name, hidden)
        if body is not None:
            assert (inside, len(mine) - inside) == (body[place], annex[place])


def test_the_real_company_is_hidden_and_would_else_be_counted(found, bodies, tokens):
    """招商局 stands once, in an annex; hidden, it is no place of 招商, and without `not` it is one."""
    assert [text.count("招商局") for parts in bodies.values() for text in parts] == [0, 0, 0, 1]
    bare = occurrences(tokens, ["招商"])
    assert bare["start"].count() - found.loc[found["term"] == "招商", "start"].count() == 1
    assert (bare["part"] == "annex").mul(bare["start"].notna()).sum() == 1


def test_the_real_summits_of_2019_stand_mostly_in_one_chapter(found, reports):
    """18 of the 26 stand between two headings of the review that one finds by searching."""
    text = reports[0].text
    chapter = text[text.index("(一)勇于担当") : text.index("(二)综合施策")]
    rows = found[(found["term"] == "峰会") & (found["report"] == reports[0].id) & found["start"].notna()]
    assert rows["chapter"].value_counts().iloc[0] == chapter.count("峰会") == 18


def test_the_real_campaigns_of_the_annex_stand_in_one_entry(found, reports):
    """All 17 of the annex stand between the headword of one entry and that of the next."""
    text = reports[1].text
    start, end = text.index("15个攻势:"), text.index("“3618”攻坚战:")
    rows = found[(found["term"] == "攻势") & (found["part"] == "annex") & found["start"].notna()]
    assert rows["start"].between(start, end).all()
    assert len(rows) == text[start:end].count("攻势") == 17


def test_the_real_places_show_their_form_and_cells_sum_to_counts(found, reports):
    """Every place is a slice of the text, and chapter counts and Han characters add up to those of the texts."""
    for done in reports:
        mine = found[found["report"] == done.id]
        for row in mine.dropna(subset="start").itertuples():
            assert done.text[row.start : row.end] == row.form
        for name, rows in mine.groupby("term", observed=True):
            chapters = rows.groupby("chapter").agg(count=("start", "count"), han=("han", "first"))
            assert chapters["han"].sum() == han_count(done.text), name
            assert chapters["count"].sum() == rows["form"].ne("").sum()


def test_senses_without_their_columns(tokens: pd.DataFrame) -> None:
    """A table that is none of senses is refused with the column that it lacks."""
    with pytest.raises(StudyError, match="The senses have no column start; needed: term, report, start, sense"):
        occurrences(tokens, ["花"], senses=pd.DataFrame({"term": ["花"], "report": ["a"]}))
