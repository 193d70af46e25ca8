"""Making a study out of a folder: it opens, states what is known, keeps what was decided, and is never written over."""

import tomllib
import zipfile
from pathlib import Path

import pandas as pd
import pytest

from shinan_research import new
from shinan_research.errors import ReadError, ShinanError, StudyError
from shinan_research.files import sha256
from shinan_research.new import new_study
from shinan_research.study import open_study

SOUND = pd.DataFrame(columns=["report", "defect", "verdict", "where", "seen", "expected", "evidence"])


def report(place: str, year: int, words: str = "推进高质量发展,办好养老服务。") -> str:
    """Return a report as small as the outline can divide."""
    head = f"政府工作报告——{year}年1月9日在{place}第十八届人民代表大会第三次会议上\n各位代表:\n"
    return f"{head}一、工作回顾\n{words * 3}\n二、工作安排\n{words * 2}养老就业。\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with reports of one place and two years."""
    return fill(tmp_path / "reports", {"甲县2030.txt": report("甲县", 2030), "甲县2031.txt": report("甲县", 2031)})


def fill(folder: Path, files: dict[str, str]) -> Path:
    """Write files into a folder and return it."""
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(autouse=True)
def quick(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Audit nothing: these reports are stubs, and the audit has its own tests."""
    if request.node.name != "test_the_audit_is_run":
        monkeypatch.setattr(new, "audit", lambda reports: SOUND)


def said_by(folder: Path, reports: Path, **options: object) -> str:
    """Make a study and return what was said about it."""
    words: list[str] = []
    new_study(folder, reports=reports, say=words.append, **options)  # type: ignore[arg-type]
    return "\n".join(words)


def test_a_study_opens_with_its_reports(folder, tmp_path):
    """The two years are the groups, the reports are byte for byte those given, and each has a silent apparatus."""
    made = new_study(tmp_path / "study", reports=folder)
    study = open_study(made)
    assert made == (tmp_path / "study").resolve() and (study.before, study.after) == (2030, 2031)
    assert [each.id for each in study.reports()] == ["甲县-2030", "甲县-2031"] == list(study.emendations.attrs["reports"])
    assert {path.name: sha256(path) for path in (study.data / "raw").iterdir()} == {
        path.name: sha256(path) for path in folder.iterdir()
    }
    assert study.place == {"zh": "甲县", "en": "甲县"} and "2030" in study.title["en"] and "2031" in study.title["zh"]
    assert {path.name for path in (made / "notebooks").iterdir()} == {
        path.name for path in new.package_notebooks().glob("*.ipynb")
    } - {"07-topics.ipynb"}


def test_the_file_explains_itself_in_both_languages(folder, tmp_path):
    """Each key of study.toml stands beneath a Chinese and an English comment, and the file is valid."""
    text = (new_study(tmp_path / "study", reports=folder) / "data" / "study.toml").read_text(encoding="utf-8")
    lines = text.splitlines()
    for key in ("before", "language", "width", "seed", "declared", "[[terms]]"):
        place = next(number for number, line in enumerate(lines) if line.startswith(key))
        assert lines[place - 1].startswith("# ") and lines[place - 1].isascii(), key
    assert tomllib.loads(text)["declared"] == "after reading"


def test_the_files_are_listed_with_room_for_their_sources(folder, tmp_path):
    """The README of data names each file and its delivery, and leaves the source to the person who knows it."""
    text = (new_study(tmp_path / "study", reports=folder) / "data" / "README.md").read_text(encoding="utf-8")
    assert "| 甲县-2030 | raw/甲县2030.txt | 2030-01-09 |  |  |  |" in text and "Fill in source" in text and "请填写" in text


def test_a_place_that_cannot_be_written_to(folder):
    """A folder under a file is refused with its name."""
    with pytest.raises(StudyError, match=r"cannot be written to"):
        new_study(folder / "甲县2030.txt" / "study", reports=folder)


def test_terms_are_found_where_none_are_given(folder, tmp_path):
    """Without terms the most frequent of the lexicon that stand in both groups are declared, after reading."""
    words = said_by(tmp_path / "study", folder)
    terms = list(dict.fromkeys(open_study(tmp_path / "study").terms["term"]))
    assert 1 <= len(terms) <= 5 and "高质量" in terms
    assert ", ".join(terms) in words and "may not be called pre-specified" in words


def test_terms_and_names_that_are_given(folder, tmp_path):
    """Terms, title and place are written as given, quotation marks and all."""
    new_study(tmp_path / "study", reports=folder, terms=["养老", '就"业'], title='甲"县', place={"zh": "甲县", "en": "A"})
    study = open_study(tmp_path / "study")
    assert list(study.terms["form"]) == ["养老", '就"业'] and study.title["en"] == '甲"县' and study.place["en"] == "A"


def test_the_latest_two_years_that_a_place_has(folder, tmp_path):
    """Of several years the latest two of one place are taken; a place of one group only is named."""
    fill(folder, {"乙县2032.txt": report("乙县", 2032), "乙县2029.txt": report("乙县", 2029)})
    words = said_by(tmp_path / "study", folder)
    study = open_study(tmp_path / "study")
    assert (study.before, study.after) == (2029, 2032) and "that only one group has" not in words
    words = said_by(tmp_path / "other", folder, before="2031", after="2032")
    assert "Mind: places that only one group has: 乙县, 甲县." in words


def test_two_places_of_one_year(tmp_path):
    """Two reports of one year are compared by name."""
    folder = fill(tmp_path / "reports", {"甲县2031.txt": report("甲县", 2031), "乙县2031.txt": report("乙县", 2031)})
    study = open_study(new_study(tmp_path / "study", reports=folder))
    assert (study.before, study.after) == (("乙县", 2031), ("甲县", 2031))


def test_terms_that_occur_nowhere_and_folders_inside_are_told(folder, tmp_path):
    """Terms may stand in one string, twice too; what no report has is named at once, and so is a folder that is not opened."""
    (folder / "earlier").mkdir()
    words = said_by(tmp_path / "study", folder, terms=["养老，瑶池", "养老"])
    assert "Terms that occur in none of the reports compared: 瑶池." in words and "没有出现的词：瑶池。" in words
    assert "Left out: earlier: a folder inside, which is not opened" in words and "子文件夹不会打开" in words
    assert list(open_study(tmp_path / "study").terms["term"]) == ["养老", "瑶池"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"before": 1999}, r"No report for 1999\. Years present: 2030, 2031\."),
        ({"before": "丙县-2031"}, "No report for '丙县-2031'"),
        ({"before": 2031}, "2031 and 2031 are the same"),
        ({"terms": ["养老", "!!"]}, "'!!' is no term"),
        ({"terms": [" "]}, "no form to count"),
    ],
)
def test_what_cannot_be_compared(folder, tmp_path, options, words):
    """Absent groups, one group twice and unfit terms are refused, and nothing is left behind."""
    with pytest.raises(ShinanError, match=words):
        new_study(tmp_path / "study", reports=folder, **options)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["reports"]


def test_one_report_and_none(folder, tmp_path):
    """One report is too few, a folder without any is named."""
    (folder / "甲县2030.txt").unlink()
    with pytest.raises(StudyError, match=r"Two groups of reports are compared.*Years present: 2031"):
        new_study(tmp_path / "study", reports=folder)
    with pytest.raises(ReadError, match="not one file here can be read"):
        new_study(tmp_path / "study", reports=fill(tmp_path / "bad", {"a.pdf": "x"}))
    with pytest.raises(ReadError, match="no such folder"):
        new_study(tmp_path / "study", reports=tmp_path / "none")


def test_nothing_is_written_over(folder, tmp_path):
    """A folder that holds something is refused and stays as it was; an empty one is used."""
    (tmp_path / "study").mkdir()
    new_study(tmp_path / "study", reports=folder)
    before = sorted((tmp_path / "study").rglob("*"))
    with pytest.raises(StudyError, match="study exists and is not empty"):
        new_study(tmp_path / "study", reports=folder)
    assert sorted((tmp_path / "study").rglob("*")) == before


def test_what_cannot_be_read_is_named_and_left_out(folder, tmp_path):
    """A PDF, an unnamed text and a bad member of an archive are named; the study opens without them."""
    fill(folder, {"a.pdf": "x", "无年.txt": "修路。"})
    with zipfile.ZipFile(folder / "all.zip", "w") as archive:
        archive.writestr("乙县/2031.txt", report("乙县", 2031))
        archive.writestr("乙县/x.doc", "x")
    words = said_by(tmp_path / "study", folder)
    assert all(f"Left out: {name}" in words for name in ("a.pdf", "无年.txt", "all.zip/乙县/x.doc"))
    assert sorted(path.name for path in (tmp_path / "study/data/raw").iterdir()) == [
        "乙县_2031.txt",
        "甲县2030.txt",
        "甲县2031.txt",
    ]
    assert "乙县-2031" in {each.id for each in open_study(tmp_path / "study").reports()}


def test_a_lost_character_needs_a_decision(folder, tmp_path, monkeypatch):
    """A report that lost a character gets no apparatus, and the words say whose decision it is."""
    rows = [("甲县-2030", "lost character", "lost", "的", 0, 9.0, "…"), ("甲县-2031", "question marks", "found", 9, 1, 0, "…")]
    monkeypatch.setattr(new, "audit", lambda reports: pd.DataFrame(rows, columns=SOUND.columns))
    words = said_by(tmp_path / "study", folder)
    assert [path.stem for path in (tmp_path / "study/data/emendations").iterdir()] == ["甲县-2031"]
    assert "Needs your decision: 甲县-2030 seems to have lost characters (的)." in words and "须由你决定" in words
    assert "Reports audited: 2. Nothing found lost: 1" in words


@pytest.mark.parametrize(("verdict", "words"), [("probably lost", "Please look"), ("not tested", "could not be tested")])
def test_what_is_not_known_is_not_stated(folder, tmp_path, monkeypatch, verdict, words):
    """A probable loss and a text that could not be tested get no apparatus that says nothing is lost."""
    rows = [("甲县-2031", "lost character", verdict, "", 0, 9.0, "…")]
    monkeypatch.setattr(new, "audit", lambda reports: pd.DataFrame(rows, columns=SOUND.columns))
    assert words in said_by(tmp_path / "study", folder)
    assert [path.stem for path in (tmp_path / "study/data/emendations").iterdir()] == ["甲县-2030"]


def test_the_audit_is_run(folder, tmp_path):
    """Stubs are found out by the real audit, and need a decision."""
    words = said_by(tmp_path / "study", folder)
    assert "甲县-2031: has only" in words and "这不是全文" in words and "could not be tested" in words


def test_reports_without_a_plan_are_named(tmp_path):
    """Where the outline finds no plan, the words say which comparisons that touches."""
    texts = {f"甲县{year}.txt": report("甲县", year).replace("二、工作安排", "") for year in (2030, 2031)}
    assert "No plan is recognised in: 甲县-2030, 甲县-2031." in said_by(tmp_path / "study", fill(tmp_path / "reports", texts))


def test_reports_too_short_for_topics(folder, tmp_path):
    """Where a topic model would have too few windows its notebook is left out, and that is said; long reports get it."""
    assert "07-topics.ipynb is left out" in said_by(tmp_path / "short", folder)
    assert not (tmp_path / "short" / "notebooks" / "07-topics.ipynb").exists()
    words = "。".join(f"推进第{number}类高质量发展，办好养老服务，扩大就业" for number in range(60)) + "。"
    long = fill(tmp_path / "long", {f"甲县{year}.txt": report("甲县", year, words) for year in (2030, 2031)})
    assert "is left out" not in said_by(tmp_path / "whole", long)
    assert (tmp_path / "whole" / "notebooks" / "07-topics.ipynb").exists()


def test_reports_without_a_frequent_word(folder, tmp_path):
    """Where no word is frequent enough to be compared, the notebooks about the vocabulary are left out, and that is said."""
    tiny = {
        f"甲县{year}.txt": f"政府工作报告\n一、过去一年的工作\n修路{year}米。\n二、今年的安排\n种树。" for year in (2030, 2031)
    }
    words = said_by(tmp_path / "study", fill(tmp_path / "tiny", tiny))
    assert "No word occurs 8 times in the body" in words and "正文里没有一个词出现8次" in words
    left = {path.name for path in (tmp_path / "study" / "notebooks").glob("*.ipynb")}
    assert left & {"03-vocabulary.ipynb", "05-how-firm.ipynb", "07-topics.ipynb"} == set() and "01-declared-terms.ipynb" in left
    assert "No word occurs" not in said_by(tmp_path / "long", folder)


def test_two_rows_of_one_place_and_year(folder, tmp_path):
    """The second row of a table for one place and year is left out by name, and the rest goes on."""
    text = report("乙县", 2031).replace("\n", " ")
    fill(folder, {"t.csv": f"place,year,text\n乙县,2031,{text}\n乙县,2031,{text}再接再厉\n"})
    words = said_by(tmp_path / "study", folder)
    assert "未收入：乙县-2031.txt：有两份报告" in words and words.count("Left out") == 1
    assert [each.id for each in open_study(tmp_path / "study").reports()] == ["乙县-2031", "甲县-2030", "甲县-2031"]
