"""The door in: what is a report on a page, when it was delivered, and how nothing gets lost on the way."""

import re
import unicodedata

import pytest

from shinan_research.errors import ReadError
from shinan_research.files import sha256
from shinan_research.reports import Report, delivery_date, han_count, is_han, read_folder, read_page, read_report

LINE_2019 = "政府工作报告——2019年1月9日在甲区第十八届人民代表大会第三次会议上"
LINE_2020 = "政府工作报告——2020年1月13日在甲区第十八届人民代表大会第四次会议上"
FIRST, SECOND = LINE_2019 + "一" * 1000, LINE_2020 + "二" * 1200
PAGE = f"• 2018年甲区政府工作报告\n\n    {FIRST}  \n\n    2025-07-09\n{SECOND}\n菜单\n\n400-162-2002\n"
ONES = "一二三四五六七八九"
NUMERALS = [*ONES, "十", *(f"十{one}" for one in ONES), "二十", *(f"二十{one}" for one in ONES), "三十", "三十一"]


@pytest.fixture
def write(tmp_path):
    """Return a function that writes a text or bytes into a file and returns its path."""

    def make(content, name="甲区.txt"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return make


def assert_tiles(reports: list[Report], page: str) -> None:
    """Check that reports and furniture cover every character of the page once and that the sums agree."""
    spans = sorted(
        [(r.page_start, r.page_start + len(r.witness)) for r in reports] + [(s.start, s.end) for s in reports[0].furniture]
    )
    position = 0
    for start, end in spans:
        assert start == position < end
        position = end
    assert position == len(page) == reports[0].page_length
    assert len(page) == sum(len(r.witness) for r in reports) + sum(s.end - s.start for s in reports[0].furniture)
    assert all(page[r.page_start : r.page_start + len(r.witness)] == r.witness for r in reports)


# The real page


def test_the_real_witnesses_are_the_two_long_paragraphs_of_the_page(study, page):
    """Each witness is, to the character, the page's paragraph without outer white space, and so is the text read."""
    paragraphs = [line.strip() for line in page.split("\n") if len(line) > 10_000]
    reports = study.reports()
    assert [report.witness for report in reports] == [report.text for report in reports] == paragraphs
    assert not any(report.restored for report in reports)


def test_the_real_years_come_from_the_delivery_lines(study, page):
    """The page is dated 2025, the reports were delivered on 9 January 2019 and 13 January 2020."""
    assert "2025-07-09" in page
    assert [(r.id, r.year) for r in study.reports()] == [("shinan-2019", 2019), ("shinan-2020", 2020)]
    assert [r.delivered for r in study.reports()] == ["2019-01-09", "2020-01-13"]


def test_the_real_page_is_tiled_by_reports_and_furniture(study, page):
    """Characters in are characters out and characters removed, span by span."""
    reports = study.reports()
    assert_tiles(reports, page)
    assert all(r.sha256 == sha256(study.data / "raw/shinan-page.txt") and r.source == "shinan-page.txt" for r in reports)


def test_the_real_furniture_is_named_by_kind(study, page):
    """Titles, dates, other lines and white space are counted apart, line by line of the page."""
    short = [line.strip() for line in page.split("\n") if line.strip() and len(line) < 10_000]
    dates = [line for line in short if re.fullmatch(r"\d{4}-\d\d-\d\d", line)]
    titles = [line for line in short if "政府工作报告" in line]
    rules = [span.rule for span in study.reports()[0].furniture]
    assert rules.count("date on the page") == len(dates) == 2
    assert rules.count("title on the page") == len(titles) == 2
    assert rules.count("furniture") == len(short) - 4
    for span in study.reports()[0].furniture:
        assert (span.rule == "white space") == (not page[span.start : span.end].strip())


# Pages made by hand


def test_a_page_gives_its_reports_and_a_log_of_the_rest(write):
    """Two reports among a title, a date and a menu are found, named and cut to the character."""
    reports = read_page(write(PAGE))
    assert [(r.id, r.place, r.year) for r in reports] == [("甲区-2019", "甲区", 2019), ("甲区-2020", "甲区", 2020)]
    assert [r.witness for r in reports] == [FIRST, SECOND]
    assert_tiles(reports, PAGE)
    kinds = [f"{s.rule}: {PAGE[s.start : s.end].strip()}" for s in reports[0].furniture if s.rule != "white space"]
    assert kinds == [
        "title on the page: • 2018年甲区政府工作报告", "date on the page: 2025-07-09",
        "furniture: 菜单", "furniture: 400-162-2002",
    ]  # fmt: skip


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_encoding_and_line_ends_do_not_change_the_reports(write, encoding, newline):
    """Witness, year and conservation are the same however the page was saved, old Macs included."""
    page = PAGE.replace("\n", newline)
    reports = read_page(write(page.encode(encoding)))
    assert [(r.year, r.witness) for r in reports] == [(2019, FIRST), (2020, SECOND)]
    assert_tiles(reports, page)


@pytest.mark.parametrize(("length", "found"), [(999, False), (1000, True)])
def test_a_report_has_a_thousand_characters_without_outer_white_space(write, length, found):
    """One character below the limit a paragraph is furniture, at the limit a report."""
    path = write("    " + (LINE_2019 + "字" * 1000)[:length] + "    \n")
    if found:
        assert len(read_page(path)[0].witness) == 1000
    else:
        with pytest.raises(ReadError, match=r"^甲区\.txt: no report on this page.*1,000 characters.*read_report"):
            read_page(path)


@pytest.mark.parametrize("page", ["只有菜单\n", "字" * 400 + FIRST, "政府工作报告\n\n" + "字" * 5000])
def test_a_page_without_report_says_what_was_expected(write, page):
    """A menu, a paragraph that speaks of a report late, and a title above a long text are no reports."""
    with pytest.raises(ReadError, match=r"no report on this page. Expected a paragraph .* opens with 政府工作报告"):
        read_page(write(page))


def test_a_report_without_delivery_date_is_quoted(write):
    """A report that tells no date is refused with its first words and an example of the line that is missing."""
    with pytest.raises(
        ReadError, match=r"^甲区\.txt: the report beginning '政府工作报告各位代表.*no delivery date within its first 400"
    ):
        read_page(write("政府工作报告各位代表" + "字" * 1000))


def test_advice_for_a_page_is_advice_that_helps(write):
    """A page does not take its year from the file name, so the message must not say that a new name would do."""
    with pytest.raises(ReadError) as caught:
        read_page(write("政府工作报告各位代表" + "字" * 1000, "甲区-2019.txt"))
    assert "into the file name" not in str(caught.value)


def test_two_reports_of_one_year_are_refused(write):
    """A page that holds one report twice gives no two reports of one name."""
    with pytest.raises(ReadError, match=r"^甲区\.txt: two reports are called 甲区-2019\. Name them in data/study\.toml"):
        read_page(write(FIRST + "\n" + FIRST + "\n"))


# One file, one report


def test_a_file_that_is_one_report_keeps_every_paragraph(write):
    """The whole file without outer white space is the witness, and the white space is logged."""
    text = f"\n\n  {LINE_2019}\n\n一、回顾\n去年。\n \n"
    report = read_report(write(text))
    assert report.witness == text.strip()
    assert (report.id, report.page_start, [s.rule for s in report.furniture]) == ("甲区-2019", 4, ["white space"] * 2)
    assert_tiles([report], text)


@pytest.mark.parametrize(
    ("text", "name", "year", "delivered"),
    [
        (LINE_2019, "甲区-2031.txt", 2019, "2019-01-09"),
        ("政府工作报告各位代表", "甲区-2031.txt", 2031, ""),
        ("政府工作报告各位代表", "20310101甲区2029年.txt", 2029, ""),
    ],
)
def test_the_year_is_delivered_or_else_in_the_file_name(write, text, name, year, delivered):
    """The delivery line goes before the file name, and a number of more than four digits is no year."""
    report = read_report(write(text, name))
    assert (report.year, report.delivered) == (year, delivered)


def test_a_report_that_tells_no_year_anywhere_is_refused(write):
    """Without delivery line and without a year in the name the message says what name would tell one."""
    with pytest.raises(ReadError, match=r"no delivery date.*<place>-<year>\.txt"):
        read_report(write("政府工作报告各位代表"))


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("甲区-2019.txt", "甲区"),
        ("2019年甲区政府工作报告.txt", "甲区"),
        ("甲区2019年政府工作报告.txt", "甲区"),
        ("甲区-2019年政府工作报告.txt", "甲区"),
        ("甲区_2019年.txt", "甲区"),
        ("(2019) new york.txt", "new york"),
        ("2019.txt", "2019"),
    ],
)
def test_the_place_is_what_a_file_name_says_beside_year_and_genre(write, name, place):
    """Years, the words of the genre and separators are no part of a place."""
    assert read_report(write(LINE_2019, name)).id == f"{place}-2019"


def test_a_folder_is_read_in_the_order_of_names(write, tmp_path):
    """Text files are reports; other, hidden and deeper files are not."""
    write(LINE_2020, "乙区-2020.txt")
    write(LINE_2019, "丙区-2019.TXT")
    write("x", ".hidden.txt")
    write("x", "README.md")
    assert [r.id for r in read_folder(tmp_path)] == sorted(["丙区-2019", "乙区-2020"])


def test_a_folder_that_cannot_serve_says_why(write, tmp_path):
    """A missing folder, one without text files, and two files of one report are refused."""
    with pytest.raises(ReadError, match=r"^none: no such folder"):
        read_folder(tmp_path / "none")
    with pytest.raises(ReadError, match=r"no \.txt file here.*<place>-<year>\.txt"):
        read_folder(tmp_path)
    write(LINE_2019, "甲区-2019.txt")
    write(LINE_2019, "甲区 2019.txt")
    with pytest.raises(ReadError, match="two reports are called 甲区-2019"):
        read_folder(tmp_path)


# Dates and characters


@pytest.mark.parametrize(
    ("text", "date"),
    [
        (LINE_2019, "2019-01-09"),
        ("政府工作报告(2019 年 1 月 9 日 在区第八届人大三次会议上)", "2019-01-09"),
        ("二〇一九年一月九日在甲区人民代表大会上", "2019-01-09"),
        ("二○二○年十二月三十一日,第八届第三次会议", "2020-12-31"),
        ("二零二一年十月二十日在人大会议上", "2021-10-20"),
        ("２０１９年１月９日在人民代表大会上", "2019-01-09"),
        ("2018年12月28日公布" + "。" * 100 + "2019年1月9日在人民代表大会上", "2019-01-09"),
        ("2025年7月9日发布", ""),
        ("2019年1月在人民代表大会上", ""),
        ("字" * 401 + LINE_2019, ""),
        ("", ""),
    ],
)
def test_the_delivery_date_is_the_first_date_beside_an_assembly(text, date):
    """Digits of any width and Chinese numerals are read; a date without assembly, day or place in the head is none."""
    assert delivery_date(text) == date


def test_every_day_and_month_can_be_written_in_chinese():
    """一 to 三十一 and 一 to 十二 are read as the numbers that their places in a list say."""
    for day, numeral in enumerate(NUMERALS, 1):
        assert delivery_date(f"二〇一九年一月{numeral}日人大") == f"2019-01-{day:02d}"
    for month, numeral in enumerate(NUMERALS[:12], 1):
        assert delivery_date(f"二〇一九年{numeral}月十日人大") == f"2019-{month:02d}-10"


def test_han_characters_are_those_that_unicode_names_so():
    """Over all planes with letters, a character is Han if Unicode calls it an ideograph, and 〇 is one."""
    points = [code for code in (*range(0xD800), *range(0xE000, 0x32000, 1)) if unicodedata.category(chr(code)) != "Cn"]
    text = "".join(map(chr, points))
    named = [unicodedata.name(char, "").startswith(("CJK UNIFIED IDEOGRAPH", "CJK COMPATIBILITY IDEOGRAPH")) for char in text]
    expected = [name or char == "〇" for name, char in zip(named, text, strict=True)]
    wrong = [char for char, seen, due in zip(text, is_han(text).tolist(), expected, strict=True) if seen != due]
    assert wrong == []


@pytest.mark.parametrize(
    ("text", "count"), [("", 0), ("招商引资2项,GDP增长7%。", 7), ("二〇二〇年", 5), ("𠮷野家", 3), ("カ한Ａ、 \n", 0)]
)
def test_han_characters_are_counted_one_by_one(text, count):
    """Digits, Latin, kana, punctuation and white space are not counted; a character beyond the first plane counts once."""
    assert han_count(text) == count == len(is_han(text)[is_han(text)])
