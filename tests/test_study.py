"""The folder of a study becomes objects, and every mistake in it is named before anything is counted."""

import hashlib
import shutil
from itertools import permutations
from pathlib import Path

import pytest

from shinan_research.errors import ReadError, ShinanError, StudyError
from shinan_research.study import Study, open_study

MINIMAL = 'title = { zh = "比较", en = "A comparison" }\nplace = { zh = "甲区", en = "Jia" }\nbefore = 2019\nafter = 2020\n'
LINE = "政府工作报告——{}年1月9日在甲区人民代表大会上。"
FILE = '[[files]]\npath = "raw/{}.txt"\n'
PAGE = LINE.format(2019) + "一" * 1000 + "\n\n" + LINE.format(2020) + "二" * 1000 + "\n"


@pytest.fixture
def make(tmp_path):
    """Return a function that writes study.toml and other files of data/ and opens the study."""

    def build(toml: str | bytes = MINIMAL, **files: str | bytes) -> Study:
        for name, content in {"study.toml": toml, **files}.items():
            path = tmp_path / "data" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return open_study(tmp_path)

    return build


def with_file(name: str, content: str | bytes) -> dict[str, str | bytes]:
    """Return a file of data/raw as an argument of `make`."""
    return {f"raw/{name}.txt": content}


# Opening


def test_a_minimal_study_has_defaults(make, tmp_path):
    """Title, place and the two groups are enough; everything else has the value that the docstring says."""
    study = make()
    assert (study.root, study.data) == (tmp_path, tmp_path / "data")
    assert (study.before, study.after, study.seed, study.declared) == (2019, 2020, 0, "after reading")
    assert (study.language, study.width, study.files) == ("both", "double", ())
    assert study.terms.empty
    assert study.emendations.empty
    assert study.headings.empty
    assert study.glosses == {}
    assert study.segmenter.terms == ()


def test_a_study_is_found_from_any_folder_within(make, tmp_path):
    """Opening walks up to the first data/study.toml."""
    make()
    deep = tmp_path / "notebooks" / "old"
    deep.mkdir(parents=True)
    assert open_study(deep).root == open_study(str(tmp_path)).root == tmp_path


def test_without_a_study_the_message_says_how_to_make_one(tmp_path):
    """A folder outside any study is refused by name."""
    with pytest.raises(StudyError, match=rf"No data/study\.toml in {tmp_path.name} or above it.*`new`"):
        open_study(tmp_path)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "gb18030"])
def test_study_toml_may_be_saved_by_any_editor(make, encoding):
    """Encoding and line ends of study.toml do not matter."""
    assert make(MINIMAL.replace("\n", "\r\n").encode(encoding)).title == {"zh": "比较", "en": "A comparison"}


@pytest.mark.parametrize(
    ("toml", "message"),
    [
        ("title = ", r"study\.toml is not valid TOML: "),
        ("<html>", r"not valid TOML"),
        (MINIMAL + "before = 2018\n", r"not valid TOML"),
        (MINIMAL + f"x = {'[' * 5000}", r"not valid TOML"),
        (MINIMAL + f"x = {'1' * 5000}", r"not valid TOML"),
        (MINIMAL.replace("before", "befor"), r"study\.toml: unknown key 'befor'\. Allowed: title, place, before"),
        (MINIMAL.replace("before = 2019\n", ""), r"study\.toml lacks before\. See"),
        ("seed = 1\n", r"lacks title, place, before, after"),
        (MINIMAL.replace(', en = "Jia"', ""), r'place is .*; expected both languages, as in \{ zh = "…", en = "…" \}'),
        ('title = "x"\n' + MINIMAL.partition("\n")[2], r"title is .x.; expected both languages"),
        (MINIMAL + 'declared = "before reading"\n', r"declared is 'before reading'; allowed: before counting, after reading"),
        (MINIMAL + 'language = "de"\n', r"language is 'de'; allowed: zh, en, both"),
        (MINIMAL + "width = 89\n", r"width is 89; allowed: single, onehalf, double"),
        (MINIMAL + '[[files]]\nsource = "x"\n', r"\[\[files\]\] entry lacks its path"),
        (MINIMAL + '[[files]]\npath = "x"\nurl = "y"\n', r"\[\[files\]\] of study\.toml: unknown key 'url'\. Allowed: path"),
        (MINIMAL + '[[files]]\npath = "x"\nlayout = "pages"\n', r"(?=.*layout)(?=.*'pages')(?=.*\bpage\b)(?=.*\breport\b)"),
        ('files = "raw/a.txt"\n' + MINIMAL, r"^(?!.*unknown key 'r')(?=.*\[\[files\]\])"),
        ("files = [1]\n" + MINIMAL, r"\[\[files\]\]"),
        (MINIMAL + '[[terms]]\nforms = ["a"]\n', r"\[\[terms\]\] entry lacks its name"),
        (MINIMAL + '[[terms]]\nname = "a"\nform = ["a"]\n', r"\[\[terms\]\] of study\.toml: unknown key 'form'\. Allowed: name"),
        ('terms = ["招商"]\n' + MINIMAL, r"^(?!.*unknown key '招')(?=.*\[\[terms\]\])"),
    ],
)
def test_a_mistake_in_study_toml_is_named_with_what_is_allowed(make, toml, message):
    """Broken TOML, missing and misspelt keys and values outside their lists are each quoted."""
    with pytest.raises(StudyError, match=message):
        make(toml)


@pytest.mark.parametrize("toml", [b"", b"\xff\xfe\xfa", b"\0\0"])
def test_a_study_toml_that_is_no_text_is_refused_without_talk_of_reports(make, toml):
    """An empty or binary study.toml is an error of that file, and nobody is told to save a report into it."""
    with pytest.raises(ReadError, match=r"^study\.toml: ") as caught:
        make(toml)
    assert "report into it" not in str(caught.value)


# Terms


def test_declared_terms_become_one_row_per_string(make):
    """Forms, wide forms and `not` strings stand in the table with their roles; forms default to the name."""
    first = '[[terms]]\nname = "招商"\nforms = ["招商"]\nwide = ["双招双引"]\nnot = ["招商局"]\n'
    assert make(MINIMAL + first + '[[terms]]\nname = "峰会"\nfamily = "seen"\n').terms.to_numpy().tolist() == [
        ["招商", "招商", "form", "declared"],
        ["招商", "招商局", "not", "declared"],
        ["招商", "双招双引", "wide", "declared"],
        ["峰会", "峰会", "form", "seen"],
    ]


@pytest.mark.parametrize(
    ("term", "message"),
    [
        ("forms = []", r"study\.toml: The term '招商' has no form to count"),
        ('forms = []\nwide = ["双招双引"]', r"study\.toml: The term '招商' has no form to count"),
        ('forms = [""]', r"study\.toml: The term '招商' has no form to count"),
        ('forms = "招商"', r"(?=.*招商)(?=.*\bforms\b)(?=.*\blist\b)"),
        ('not = "招商局"', r"(?=.*招商)(?=.*\bnot\b)(?=.*\blist\b)"),
        ('forms = ["招商", "招商"]', r"study\.toml: The term '招商' lists '招商' twice"),
        ('not = ["商局"]', r"study\.toml: The term '招商': '商局' under `not` holds none of its forms 招商"),
        ('[[terms]]\nname = "招商"\nforms = ["招引"]', r"study\.toml declares the term '招商' twice"),
    ],
)
def test_a_term_that_would_count_nothing_or_something_else_is_refused(make, term, message):
    """No form, a string in place of a list, doubles and a `not` without effect are errors and never a silent zero."""
    with pytest.raises(StudyError, match=message):
        make(MINIMAL + '[[terms]]\nname = "招商"\n' + term + "\n")


# Reports


def test_without_files_every_report_of_the_raw_folder_is_read(make):
    """The minimal study reads data/raw, each file one report named after its file."""
    study = make(**with_file("甲区-2020", LINE.format(2020)), **with_file("甲区-2019", LINE.format(2019)))
    assert [(report.id, report.place) for report in study.reports()] == [("甲区-2019", "甲区"), ("甲区-2020", "甲区")]


def test_files_may_be_pages_or_reports_with_places_and_names_of_their_own(make):
    """A page gives two reports with the names of study.toml, a file one report of another place."""
    toml = MINIMAL + FILE.format("page") + 'layout = "page"\nreports = { old = 2019 }\n' + FILE.format("b") + 'place = "乙区"\n'
    study = make(toml, **with_file("page", PAGE), **with_file("b", LINE.format(2020)))
    assert [r.id for r in study.reports()] == ["old", "甲区-2020", "乙区-2020"]
    assert [r.place for r in study.reports()] == ["甲区", "甲区", "乙区"]


def test_a_promised_report_that_is_not_there_is_named_with_those_that_are(make):
    """A year of study.toml that the file does not hold is an error, and the years present are listed."""
    study = make(MINIMAL + FILE.format("page") + 'layout = "page"\nreports = { a = 2019, b = 2021 }\n', **with_file("page", PAGE))
    with pytest.raises(StudyError, match=r"promises a report of 2021 in page\.txt\. Years present: 2019, 2020"):
        study.reports()


def test_a_year_in_quotation_marks_is_not_reported_as_missing(make):
    """A year written as a string is told apart from a year that the file lacks."""
    with pytest.raises(StudyError, match=r"'2019'|whole number|without quot"):
        make(MINIMAL + FILE.format("a") + 'reports = { a = "2019" }\n', **with_file("a", LINE.format(2019))).reports()


@pytest.mark.parametrize(
    "toml",
    [
        FILE.format("a") + FILE.format("b"),
        2 * FILE.format("a"),
        FILE.format("a") + "reports = { one = 2019 }\n" + FILE.format("b") + "reports = { one = 2019 }\n",
        FILE.format("a") + "reports = { one = 2019, two = 2019 }\n",
    ],
    ids=["two files", "one file twice", "one name twice", "two names"],
)
def test_two_reports_of_one_name_are_refused(make, toml):
    """The same report read twice would double every count, and one report cannot have two names."""
    with pytest.raises(ShinanError, match=r"甲区-2019|one|2019"):
        make(MINIMAL + toml, **with_file("a", LINE.format(2019)), **with_file("b", LINE.format(2019))).reports()


# Judgements


def test_headings_lexicon_and_glosses_are_read_from_their_files(make):
    """Offsets of headings are numbers, terms go to the segmenter, and glosses are a table of words."""
    study = make(
        **{
            "headings/a.csv": "report,start,end,level,text,decided_by\na,0,4,1,一、回顾,person\n",
            "lexicon/terms.txt": "青云图\tname\n",
            "glosses.csv": "term,gloss\n招商,investment\n",
        }
    )
    assert study.headings.iloc[0].tolist() == ["a", 0, 4, "1", "一、回顾", "person"]
    assert study.segmenter.terms == ("青云图",)
    assert study.glosses == {"招商": "investment"}


@pytest.mark.parametrize(
    ("row", "message"),
    [("a,0,x4,1,一、,person", "start and end must be whole numbers .*x4"), ("b,0,2,1,一、,person", r"\ba\.csv.*\bb\b")],
)
def test_a_row_of_headings_that_would_be_passed_over_is_refused(make, row, message):
    """An offset that is no whole number, and a row in the file of another report, are quoted."""
    with pytest.raises(ShinanError, match=message):
        _ = make(**{"headings/a.csv": f"report,start,end,level,text,decided_by\n{row}\n"}).headings


# Hashes


def sums(content: bytes, name: str = "raw/a.txt", form: str = "{}  {}\n") -> str:
    """Return a line of SHA256SUMS for these bytes."""
    return form.format(hashlib.sha256(content).hexdigest(), name)


@pytest.mark.parametrize("form", ["{}  {}\n", "{}  {}\r\n", "{}  {}", "\n{}  {}\n\n", "{} *{}\n"])
def test_matching_hashes_are_accepted_as_the_usual_tools_write_them(make, form):
    """Line ends, empty lines and the star of binary mode do not matter; a wrong digest in each form is found."""
    assert make(SHA256SUMS=sums(b"abc", form=form), **with_file("a", "abc"))
    with pytest.raises(StudyError, match=r"data/raw/a\.txt has changed"):
        make(SHA256SUMS=sums(b"abd", form=form), **with_file("a", "abc"))


@pytest.mark.parametrize(
    ("listed", "present"), [(b"a\nb\n", b"a\r\nb\r\n"), (b"a\r\nb\r\n", b"a\nb\n"), (b"a\nb\n", b"a\r\nb\n")]
)
def test_a_change_of_line_ends_alone_is_called_that(make, listed, present):
    """A clone that changed line ends is told from a change of words."""
    with pytest.raises(StudyError, match=r"data/raw/a\.txt differs .* only in its line ends.*\.gitattributes"):
        make(SHA256SUMS=sums(listed), **with_file("a", present))


def test_a_changed_or_missing_file_is_named(make):
    """A changed word gives both digests, a missing file the way out."""
    digest = hashlib.sha256(b"x").hexdigest()
    with pytest.raises(StudyError, match=rf"data/raw/a\.txt has changed: its SHA-256 is {digest}, .* says"):
        make(SHA256SUMS=sums(b"y"), **with_file("a", "x"))
    with pytest.raises(StudyError, match=r"data/raw/b\.txt is missing, but data/SHA256SUMS lists it"):
        make(SHA256SUMS=sums(b"y", "raw/b.txt"))


def test_the_hash_of_the_data_changes_with_what_is_analysed_alone(make, tmp_path):
    """A byte or a name of a data file changes it, README and the list of hashes do not."""
    make(**with_file("a", "x"))
    data, before = tmp_path / "data", open_study(tmp_path).data_hash
    (data / "README.md").write_text("words", encoding="utf-8")
    (data / "SHA256SUMS").write_text(sums(b"x"), encoding="utf-8")
    assert open_study(tmp_path).data_hash == before
    (data / "raw/a.txt").rename(data / "raw/b.txt")
    (data / "SHA256SUMS").unlink()
    renamed = open_study(tmp_path).data_hash
    (data / "raw/b.txt").write_bytes(b"y")
    assert len({before, renamed, open_study(tmp_path).data_hash}) == 3


# The real study


def test_the_real_study_is_what_its_file_says(study):
    """Two groups, three declared terms and the families apart, with 招商 wide and its company hidden."""
    assert (study.before, study.after, study.declared) == (2019, 2020, "after reading")
    declared = study.terms[study.terms["family"] == "declared"]
    assert declared["term"].drop_duplicates().tolist() == ["峰会", "攻势", "招商"]
    rows = study.terms[study.terms["term"] == "招商"]
    assert sorted(zip(rows["role"], rows["form"], strict=True)) == [("form", "招商"), ("not", "招商局"), ("wide", "双招双引")]
    assert study.emendations.attrs["reports"] == ("shinan-2019", "shinan-2020") == tuple(report.id for report in study.reports())


def test_the_real_study_runs_on_a_copy_elsewhere_and_notices_a_change(study, tmp_path):
    """The folder data/ can be moved; one byte changed in the raw page is refused."""
    shutil.copytree(study.data, tmp_path / "data")
    copy = open_study(tmp_path)
    assert copy.data_hash == study.data_hash
    assert copy.reports() == study.reports()
    page: Path = tmp_path / "data/raw/shinan-page.txt"
    page.write_bytes(page.read_bytes().replace("峰会".encode(), "蜂会".encode(), 1))
    with pytest.raises(StudyError, match=r"data/raw/shinan-page\.txt has changed"):
        open_study(tmp_path)


# Other copies


def test_other_copies_are_collated_with_their_reports(make):
    """Each file of data/copies is compared with the report that it is named after; without any the list is empty."""
    text = LINE.format(2019) + "今年我们坚持稳求进工作总基调全面推进各项改革措施落地见效。"
    files = {"raw/甲区2019.txt": text, "copies/甲区-2019.txt": "今年我们坚持稳中求进工作总基调全面推进各项改革措施落地见效。"}
    study = make(**files)
    [table] = study.copies(study.reports())
    assert table.attrs["report"] == "甲区-2019"
    assert table[["offset", "there"]].to_numpy().tolist() == [[text.index("求进"), "中"]]
    (study.data / "copies" / "甲区-2019.txt").unlink()
    assert study.copies(study.reports()) == []


def test_a_copy_of_no_report_is_named(make):
    """A misspelt name would do nothing, so it is refused."""
    study = make(**with_file("甲区2019", LINE.format(2019)), **{"copies/乙区-2019.txt": "一"})
    with pytest.raises(StudyError, match=r"data/copies/乙区-2019\.txt belongs to no report. Reports: 甲区-2019"):
        study.reports()


# Strata

PAIR = {
    "raw/甲区-2019.txt": LINE.format(2019) + "\n一、2018年工作回顾\n经济发展。\n二、2019年工作安排\n发展经济。\n",
    "raw/甲区-2020.txt": LINE.format(2020) + "\n一、2019年工作回顾\n经济平稳。\n二、2020年工作安排\n稳住经济。\n",
}
STRATA = """report,chapter,title,stratum,decided_by
甲区-2019,1,一、2018年工作回顾,回顾,person
甲区-2019,2,二、2019年工作安排,安排,person
甲区-2020,1,一、2019年工作回顾,回顾,person
甲区-2020,2,二、2020年工作安排,安排,person
"""


def test_a_study_without_strata_has_none(make):
    """Without data/strata.csv nothing is matched, and that is no error."""
    assert make(**PAIR).strata is None


def test_strata_are_read_with_their_parts(make):
    """Every chapter of review and plan has a row, its number is a number and its part is added."""
    strata = make(**PAIR, **{"strata.csv": STRATA}).strata
    assert strata[["report", "chapter", "stratum", "part"]].to_numpy().tolist() == [
        ["甲区-2019", 1, "回顾", "review"],
        ["甲区-2019", 2, "安排", "plan"],
        ["甲区-2020", 1, "回顾", "review"],
        ["甲区-2020", 2, "安排", "plan"],
    ]


def test_an_offset_of_a_sense_that_is_no_number_is_refused(make):
    """A word, a sign and more digits than Python reads are each named as what they are."""
    for offset in ("x", "-1", "9" * 5000):
        row = f"report,offset,match,sense,decided_by\n甲区-2019,{offset},一,甲,person\n"
        study = make(**PAIR, **{"senses/一.csv": row})
        with pytest.raises(StudyError, match=f"offset {offset}: expected a report of this study, a whole number"):
            study.senses(study.reports())


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("2019,1,一、2018", "2019,1,一、", r"row 2: expected the title .*'一、2018年工作回顾'; found '一、年工作回顾'"),
        ("甲区-2020,2", "甲区-2020,7", r"row 5: '甲区-2020' has no chapter '7'; its chapters are 0, 1, 2\."),
        ("甲区-2020,2", "甲区-2020,二", r"row 5: '甲区-2020' has no chapter '二'"),
        ("甲区-2020,2", f"甲区-2020,{'9' * 5000}", "row 5: '甲区-2020' has no chapter '999"),
        ("甲区-2020,2", "乙区-2020,2", r"row 5: '乙区-2020' has no chapter '2'; reports: 甲区-2019, 甲区-2020\."),
        (",安排,person", ",,person", r"row 3: expected a stratum and who decided; found '' and 'person'"),
        (",安排,person", ",安排,", r"row 3: expected a stratum and who decided"),
        ("甲区-2020,2,二、2020年工作安排,安排,person\n", "", r"strata\.csv lacks chapter 2 of 甲区-2020"),
        ("甲区-2019,2,", "甲区-2019,1,一、2018年工作回顾,回顾,person\n甲区-2019,2,", r"names chapter 1 of 甲区-2019 twice"),
        ("回顾,person", "安排,person", r"the stratum '安排' mixes review and plan"),
        ("title,", "titel,", r"strata\.csv: the column title is missing"),
    ],
)
def test_a_mistake_in_strata_is_named_with_its_row(make, old, new, message):
    """A title that has moved, an unknown chapter, an empty cell, a chapter twice or missing and a mixed stratum are refused."""
    study = make(**PAIR, **{"strata.csv": STRATA.replace(old, new, 1 if "," in old[:3] else -1)})
    with pytest.raises(ShinanError, match=message):
        _ = study.strata


# Sibling places


def test_sibling_places_become_the_reference(make):
    """The reports of a folder that `siblings` names are counted, those of the study's own place left out."""
    toml = MINIMAL + 'siblings = "siblings"\n'
    others = {f"siblings/乙区-{year}.txt": f"政府工作报告\n乙区{year}年经济经济发展。" for year in (2019, 2020)}
    own = {"siblings/甲区-2019.txt": "政府工作报告\n经济。"}
    reference = make(toml, **PAIR, **others, **own).reference(["经济", "海"])
    assert reference.reports[["place", "year"]].to_numpy().tolist() == [["乙区", 2019], ["乙区", 2020]]
    assert reference.counts[reference.rows["经济"]].tolist() == [2, 2]
    assert reference.rows["海"] == -1
    assert reference.level == ""


def test_siblings_that_are_not_there(make):
    """Without the key there is no reference; a folder without other places is refused by name."""
    assert make(**PAIR).reference(["经济"]) is None
    with pytest.raises(StudyError, match="siblings is 'nowhere'; expected a folder of data/ with other places' reports"):
        make(MINIMAL + 'siblings = "nowhere"\n', **PAIR).reference(["经济"])


# Metamorphic: what must not matter


WORDS = "修建公路养老服务就业创新"


def counted(root: Path, files: list[tuple[str, int]]) -> dict[str, list[dict[str, object]]]:
    """Write reports in the given order, and return the comparison of the first two years and the places of its terms."""
    from shinan_research import compare, occurrences, outline, restore, tokenize

    listed = []
    for place, year in files:
        body = "".join(f"{WORDS[(year * n) % 11 :]}{WORDS[: (n * n + year) % 7]}{place}。" for n in range(1, 40))
        head = f"政府工作报告——{year}年1月9日在{place}人民代表大会上。\n一、工作回顾\n"
        path = root / "data" / "raw" / f"{place}{year}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{head}{body}\n二、工作安排\n{body[::-1]}。\n", encoding="utf-8")
        listed.append(FILE.format(f"{place}{year}") + f'place = "{place}"\n')
    (root / "data" / "study.toml").write_text(MINIMAL + "".join(listed), encoding="utf-8")
    study = open_study(root)
    tokens = tokenize(outline(restore(study.reports(), study.emendations), witness=True))
    groups = ("甲区", 2019), ("甲区", 2020)
    tables = {
        "compare": compare(tokens, *groups, terms=["公路", "养老", "就业"], n_permutations=199),
        "words": compare(tokens, *groups, n_permutations=199),
        "occurrences": occurrences(tokens, ["公路", "养老"]).query("place == '甲区'"),
    }
    return {name: table.astype(object).where(table.notna(), None).to_dict("records") for name, table in tables.items()}


def test_the_order_of_the_files_does_not_matter(tmp_path):
    """Files written and listed in every order give the same tables to the bit."""
    files = [("甲区", 2019), ("甲区", 2020), ("乙区", 2019)]
    first = counted(tmp_path / "0", files)
    assert all(first.values()) and sum(row["count_before"] for row in first["compare"]) > 20
    for number, order in enumerate(list(permutations(files))[1:], 1):
        assert counted(tmp_path / str(number), list(order)) == first


def test_a_report_that_is_not_compared_does_not_matter(tmp_path):
    """A report of another place leaves counts, intervals, p and verdicts of the two others as they were, to the bit."""
    two = counted(tmp_path / "two", [("甲区", 2019), ("甲区", 2020)])
    assert counted(tmp_path / "three", [("甲区", 2019), ("甲区", 2020), ("乙区", 2018)]) == two


def test_a_heading_at_a_number_beyond_all_texts_is_refused(make):
    """An offset too long for the machine is named like any other that is no place."""
    row = "report,start,end,level,text,decided_by\n甲区-2019," + "9" * 30 + ",5,1,一二,person\n"
    study = make(MINIMAL, **with_file("甲区-2019", PAGE), **{"headings/甲区-2019.csv": row})
    with pytest.raises(StudyError, match="data/headings: start and end must be whole numbers"):
        assert len(study.headings)


def test_a_copy_of_no_report_is_refused(make):
    """Another copy whose name is that of no report is named, with the reports that there are."""
    study = make(MINIMAL, **with_file("甲区-2019", PAGE), **{"copies/乙区-2019.txt": PAGE})
    with pytest.raises(StudyError, match=r"data/copies/乙区-2019\.txt belongs to no report\. Reports: "):
        study.copies(study.reports())
