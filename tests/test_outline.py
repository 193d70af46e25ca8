"""Parts, chapters, sentences and blocks: found by rule or by reviewed headings, and tiling every text."""

import hashlib
import re

import pandas as pd
import pytest

from shinan_research.errors import ApparatusError, ShinanError
from shinan_research.headings import find_headings
from shinan_research.outline import outline
from shinan_research.reports import Emendation, Report
from shinan_research.restore import restore

SMALL = """政府工作报告——2020年1月9日在甲区人民代表大会上
各位代表:现在报告工作,请予审议。
一、2019年工作回顾
去年是丰收之年。办了峰会!成绩不小吗?不小。
(一)经济稳中有进。
生产总值增长7%。招商有成。
各位代表,成绩来之不易。
二、2020年工作安排
今年抓好两件事。
(一)招商。(二)修路。
道路要通。
各位代表!蓝图已经绘就。让我们努力奋斗!
附件:名词解释
双招双引:指招商引资、招才引智。
街长制:每条街有一位街长。他负责到底。
"""
COLUMNS = ["report", "start", "end", "level", "text"]


def report(text: str, name: str = "a-2020") -> Report:
    """Return a report of this text, delivered in 2020."""
    return Report(name, "甲区", 2020, text, text)


def divided(text: str, *headings: tuple[str, str]) -> pd.DataFrame:
    """Divide a text by rule, or by these headings (level and words), taken at their first place."""
    rows = [("a-2020", text.index(words), text.index(words) + len(words), level, words) for level, words in headings]
    return outline([report(text)], headings=pd.DataFrame(rows, columns=COLUMNS), witness=True)


def assert_tiles(table: pd.DataFrame, texts: dict[str, str]) -> None:
    """Check that the rows of each report cover its text once, none blank, with ids that count from 0."""
    assert table["report"].drop_duplicates().tolist() == [name for name, text in texts.items() if text]
    for name, rows in table.groupby("report"):
        position = 0
        for number, row in enumerate(rows.itertuples()):
            assert row.start == position < row.end
            assert row.text == texts[name][row.start : row.end]
            assert row.sentence == number
            assert row.text.strip() or texts[name] != texts[name].strip()
            position = row.end
        assert position == len(texts[name])
        for column in ("chapter", "paragraph", "block"):
            steps = rows[column].diff().iloc[1:]
            assert rows[column].iloc[0] == 0
            assert steps.isin([0, 1]).all()
        assert rows.groupby("block")["chapter"].nunique().eq(1).all()
        assert rows["part"].is_monotonic_increasing


# By rule


def test_a_small_report_by_hand():
    """Parts, headings and the first words of every row are those that a reader would mark."""
    table = divided(SMALL)
    marked = table["heading"].map({True: "#", False: ""}) + table["text"].str.strip().str[:6]
    assert {part: rows.tolist() for part, rows in marked.groupby(table["part"], observed=True)} == {
        "opening": ["政府工作报告", "各位代表:现"],
        "review": [
            "#一、2019", "去年是丰收之", "办了峰会!", "成绩不小吗?", "不小。",
            "#(一)经济稳", "生产总值增长", "招商有成。", "各位代表,成",
        ],
        "plan": ["#二、2020", "今年抓好两件", "#(一)招商。", "#(二)修路。", "道路要通。"],
        "closing": ["各位代表!", "蓝图已经绘就", "让我们努力奋"],
        "annex": ["#附件:名词解", "#双招双引:", "指招商引资、", "#街长制:", "每条街有一位", "他负责到底。"],
    }  # fmt: skip
    assert_tiles(table, {"a-2020": SMALL})


def test_chapters_begin_at_numbered_headings_and_renewed_addresses():
    """The titles of the chapters of the small report, an empty one for opening, addresses and closing."""
    chapters = divided(SMALL).drop_duplicates("chapter")
    assert chapters["chapter_title"].tolist() == [
        "", "一、2019年工作回顾", "(一)经济稳中有进。", "", "二、2020年工作安排", "(一)招商。", "(二)修路。", "", "附件:名词解释",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("一、2019年工作回顾", "二、2020年工作安排"),
        ("一、过去一年工作回顾", "二、今年目标任务"),
        ("第一部分 工作回顾", "第二部分 今后的打算"),
        ("一、2019年工作情况", "二、2020年重点工作"),
    ],
)
def test_the_plan_begins_at_the_heading_that_looks_ahead(first, second):
    """Whatever the words of the genre, the first chapter is the review, the second and third are the plan."""
    table = divided(f"开场。\n{first}\n回顾。\n{second}\n安排。\n三、政府自身建设\n廉洁。\n")
    assert table["part"].tolist() == ["opening", "review", "review", "plan", "plan", "plan", "plan"]


def test_a_second_heading_about_the_past_is_still_review():
    """Where the second heading looks back too, the plan begins at the third."""
    table = divided("一、2019年工作回顾\n回顾。\n二、过去五年成绩\n成绩。\n三、2020年工作安排\n安排。\n")
    assert table["part"].tolist() == ["review"] * 4 + ["plan"] * 2


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("十九届二、三中全会精神。", []),
        ("发展第一、第二产业,(二)类项目。", []),
        ("好。 \u3000二、安排。今年", ["二、安排。"]),
        ("一、回顾\n去年", ["一、回顾\n"]),
        ("三是:（三）修路。", ["（三）修路。"]),
        ("二十一、收尾。", ["二十一、收尾。"]),
        ("一、" + "长" * 70 + "。", ["一、"]),
        ("", []),
    ],
)
def test_a_number_is_a_heading_only_where_a_sentence_may_begin(text, found):
    """Numbers inside sentences are none; a heading ends at line break or full stop, or else only its number is marked."""
    assert [text[heading.start : heading.end] for heading in find_headings(text)] == found


@pytest.mark.parametrize(
    "text",
    [
        "一、总体要求:(一)坚持创新。(二)坚持协调。",
        "一、安排(今年)!二、重点;三、其他。",
        "一、成绩!各位代表,不易。二、安排。",
        "正文。" * 20 + "\n名词解释\n双招双引\n街长制:街长。",
        "正文。" * 20 + "\n名词解释\n说明!街长制:街长。",
        "正文。" * 20 + "\n\n附件\n\n\n名词解释:\n\n街长制:街长。",
        "正文。" * 20 + "一、回顾\n\n名词解释\n\n街长制:街长。",
        "一、回顾\n\n二、安排\n\n",
    ],
)
def test_crowded_headings_are_divided_without_complaint(text):
    """Where the rules meet each other they still agree on headings that do not overlap, and no character is lost."""
    assert_tiles(divided(text), {"a-2020": text})


@pytest.mark.parametrize("title", ["名词解释", "附件:名词解释", "附:《有关名词解释》", "附件1:", "〈部分用语说明〉"])
def test_the_annex_is_known_by_its_title(title):
    """Everything from the title of the glossary on is annex, headwords are headings."""
    table = divided("正文。" * 20 + f"\n{title}\n街长制:每条街有一位街长。\n")
    annex = table[table["part"] == "annex"]
    assert annex["text"].str.strip().tolist() == [title, "街长制:", "每条街有一位街长。"]
    assert annex["heading"].tolist() == [True, True, False]


def test_an_early_mention_of_a_glossary_is_no_annex():
    """Words about explanations in the first part of a text do not end its body."""
    assert "annex" not in set(divided("开场。\n名词解释\n见后。" + "正文。" * 30)["part"])


def test_windows_line_ends_give_the_same_division():
    """With CR LF the same rows stand in the same parts, chapters and blocks."""
    ids = ["part", "chapter", "paragraph", "block", "sentence", "heading"]
    unix, windows = divided(SMALL), divided(SMALL.replace("\n", "\r\n"))
    assert_tiles(windows, {"a-2020": SMALL.replace("\n", "\r\n")})
    pd.testing.assert_frame_equal(unix[ids], windows[ids])
    assert windows["text"].str.replace("\r", "").tolist() == unix["text"].tolist()


@pytest.mark.parametrize("text", ["", "。", "\n", "一、", "各位代表", "名词解释", " \n \u3000", "无标点"])
def test_the_smallest_texts_are_tiled(text):
    """Texts of no or one sentence, of white space, or of a bare heading are divided like any other."""
    assert_tiles(divided(text), {"a-2020": text} if text else {})


@pytest.mark.parametrize(
    ("sentences", "sizes"), [(1, [1]), (7, [7]), (8, [4, 4]), (12, [6, 6]), (13, [5, 4, 4]), (23, [5, 5, 5, 4, 4])]
)
def test_blocks_have_about_five_sentences_and_are_as_equal_as_can_be(sentences, sizes):
    """A chapter of n sentences has as many blocks as n/5 rounds to, and their sizes differ by one at most."""
    table = divided("好。" * sentences)
    found = table.groupby("block").size().tolist()
    assert sorted(found, reverse=True) == sizes
    assert len(found) == max(1, int(sentences / 5 + 0.5))


def test_a_heading_belongs_to_the_block_that_follows_and_never_to_two_chapters():
    """Headings carry the block of the sentence behind them, and a block ends with its chapter."""
    table = divided("一、回顾\n" + "好。" * 7 + "\n二、安排\n" + "行。" * 6)
    assert table["block"].tolist() == [0] * 8 + [1] * 7


def test_closing_quotes_and_brackets_stay_with_their_sentence():
    """A sentence ends behind the marks that close it, not between full stop and quotation mark."""
    assert divided("他说:“好!”我说(行。)然后走了")["text"].tolist() == ["他说:“好!”", "我说(行。)", "然后走了"]


def test_a_raw_report_is_refused_unless_asked_for_by_name():
    """Damaged text is compared by accident only if one writes witness=True."""
    with pytest.raises(ShinanError, match=r"^Not restored: a-2020\. Pass the reports through restore"):
        outline([report(SMALL)])
    nothing = pd.DataFrame(columns=["report", "offset", "char", "certainty", "decision"])
    assert len(outline(restore([report(SMALL)], nothing))) == len(divided(SMALL))


# By reviewed headings


def test_reviewed_headings_divide_where_a_scraper_lost_the_line_break():
    """A heading that runs into its body is told apart, in whatever order the rows stand."""
    text = "各位代表:请审议。 一、2019年工作回顾2019年很好。二、2020年工作安排今年更好。附件名词解释街长制:指街长。"
    rows = [("1", "二、2020年工作安排"), ("gloss", "街长制:"), ("1", "一、2019年工作回顾"), ("annex", "附件名词解释")]
    table = divided(text, *rows)
    assert table["text"].tolist() == [
        "各位代表:请审议。 ", "一、2019年工作回顾", "2019年很好。", "二、2020年工作安排", "今年更好。",
        "附件名词解释", "街长制:", "指街长。",
    ]  # fmt: skip
    assert table["part"].tolist() == ["opening", "review", "review", "plan", "plan", "annex", "annex", "annex"]
    assert_tiles(table, {"a-2020": text})


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (("a-2020", 1, 5, "1", "一、回顾"), "expected '一、回顾' of level 1 at 1 to 5, found '、回顾。'"),
        (("a-2020", 0, 4, "3", "一、回顾"), "of level 3 .*Levels are 1, 2, annex, gloss"),
        (("a-2020", 0, 99, "1", "一、回顾"), "at 0 to 99, found '一、回顾。好。'"),
        (("a-2020", 0, 4, "1", "二、回顾"), "expected '二、回顾'.*found '一、回顾'.*count characters .* from 0"),
        (("a-2020", 2, 2, "1", ""), "offset 2: expected ''"),
        (("a-2020", -3, 7, "1", "。好。"), "offset -3"),
    ],
)
def test_a_heading_that_does_not_stand_there_is_refused(row, message):
    """The message quotes the heading expected and what stands at its place."""
    with pytest.raises(ApparatusError, match=rf"headings of a-2020, .*{message}"):
        outline([report("一、回顾。好。")], headings=pd.DataFrame([row], columns=COLUMNS), witness=True)


@pytest.mark.parametrize("second", [("2", "顾。(一)"), ("1", "一、回顾。")])
def test_headings_that_overlap_are_refused(second):
    """Two headings that share a character, or one listed twice, are quoted side by side."""
    with pytest.raises(ApparatusError, match=r"headings of a-2020: '一、回顾。' and '.*' overlap\. Let the first end"):
        divided("一、回顾。(一)好。", ("1", "一、回顾。"), second)


def test_restored_characters_are_counted_where_they_stand():
    """Characters inserted into a heading, at its edge and into a sentence are counted in their own rows."""
    text = "一、心工作好。二、安排稳有进。"
    places = [(2, "中"), (5, "很"), (12, "中")]
    rows = [
        Emendation("a-2020", at, char, text[:at][-8:], text[at : at + 8], decision="accept", decided_by="person")
        for at, char in places
    ]
    done = restore([report(text)], pd.DataFrame(rows))
    headings = pd.DataFrame([("a-2020", 0, 5, "1", "一、心工作"), ("a-2020", 7, 11, "1", "二、安排")], columns=COLUMNS)
    table = outline(done, headings=headings)
    assert table["text"].tolist() == ["一、中心工作", "很好。", "二、安排", "稳中有进。"]
    assert table["restored"].tolist() == [1, 1, 0, 1]
    assert table["restored_at"].tolist() == [(2,), (6,), (), (14,)]


def test_settings_name_the_texts_the_emendations_and_the_judges():
    """The table remembers the hash of each text, how many rows were applied and who decided them."""
    row = Emendation("a-2020", 1, "中", "稳", "有进", decision="accept", decided_by="machine reader")
    settings = outline(restore([report("稳有进。")], pd.DataFrame([row]))).attrs["settings"]
    assert settings["reports"] == {"a-2020": hashlib.sha256("稳中有进。".encode()).hexdigest()}
    assert (settings["emendations"], settings["judges"]) == (1, ["machine reader"])


# The real reports


def test_the_real_rows_tile_the_texts(sentences, reports):
    """Every character of both texts is in exactly one sentence or heading."""
    assert_tiles(sentences, {done.id: done.text for done in reports})


def test_the_real_parts_begin_where_the_words_stand(sentences, reports):
    """Review, plan, closing and annex begin at the words that a reader finds by searching the text."""
    for done, annex in zip(reports, ("附件:名词解释", "附件名词解释"), strict=True):
        body = done.text[: done.text.index(annex)]
        starts = {
            "opening": 0,
            "review": body.index(f"一、{done.year - 1}年工作回顾"),
            "plan": body.index(f"二、{done.year}年工作安排"),
            "closing": body.rindex("各位代表"),
            "annex": len(body),
        }
        rows = sentences[sentences["report"] == done.id].drop_duplicates("part")
        assert dict(zip(rows["part"], rows["start"], strict=True)) == starts


def test_the_real_headings_are_the_reviewed_ones_with_their_losses_restored(sentences, study, reports):
    """Each heading row is a reviewed heading; the two damaged headwords of the glossary are whole again."""
    for done in reports:
        rows = sentences[(sentences["report"] == done.id) & sentences["heading"]]
        reviewed = study.headings[study.headings["report"] == done.id].sort_values("start")
        assert len(rows) == len(reviewed)
        lost = {char for row in done.emendations for char in row.char}
        for seen, due in zip(rows["text"], reviewed["text"], strict=True):
            assert seen == due or re.sub(f"[{''.join(lost)}]", "", seen) == re.sub(f"[{''.join(lost)}]", "", due)
    assert {"新时代文明实践中心:", "融媒体中心:"} <= set(sentences["text"])


def test_the_real_chapters_are_one_for_each_numbered_heading_and_address(sentences, study, reports):
    """Chapters are opening, numbered headings, annex, and the addresses 各位代表 that renew a speech behind the first heading."""
    for done in reports:
        numbered = study.headings[(study.headings["report"] == done.id) & (study.headings["level"] != "gloss")]
        rows = sentences[sentences["report"] == done.id]
        renewed = [
            match.start() for match in re.finditer("(?<=[。!])各位代表", done.text) if match.start() > done.text.index("工作回顾")
        ]
        assert rows["chapter"].nunique() == 1 + len(numbered) + len(renewed)


def test_the_real_sentences_end_with_their_marks(sentences):
    """A sentence ends with a full stop or its like, or with the colon that leads to a heading, and holds no such mark inside."""
    plain = sentences.loc[~sentences["heading"], "text"].str.rstrip()
    leads = sentences["heading"].shift(-1, fill_value=False)[plain.index] & plain.str.endswith(":")
    assert (plain.str.contains(r"[。!?！？][”’』」)）》]*$") | leads).all()
    inner = plain.str.replace(r"[。!?！？]+[”’』」)）》\s]*$", "", regex=True)
    assert not inner.str.contains(r"[。!?！？]").any()


def test_the_real_restored_characters_are_all_accounted_for(sentences, reports):
    """The counts per sentence add up to the characters inserted, at the positions that the reports know."""
    for done in reports:
        rows = sentences[sentences["report"] == done.id]
        assert rows["restored"].sum() == sum(len(row.char) for row in done.emendations)
        assert [place for places in rows["restored_at"] for place in places] == done.inserted.tolist()
