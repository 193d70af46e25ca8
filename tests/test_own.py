"""Somebody's own reports: the folder is found, the study is kept, and every mistake is explained in both languages."""

import zipfile
from pathlib import Path

import pytest
from test_new import SOUND, fill, report

from shinan_research import new
from shinan_research.errors import ShinanError, StudyError
from shinan_research.new import new_study
from shinan_research.own import own_study


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Audit nothing: these reports are stubs, and the audit has its own tests."""
    monkeypatch.setattr(new, "audit", lambda reports: SOUND)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with reports of one place and two years."""
    return fill(tmp_path / "reports", {"甲县2030.txt": report("甲县", 2030), "甲县2031.txt": report("甲县", 2031)})


def test_it_is_made_once_and_keeps_decisions(folder, tmp_path):
    """The study of a folder stands beside it; what a person writes there survives, and groups and terms can be overridden."""
    study = own_study(folder, terms=["养老"])
    assert study.root == (tmp_path / "reports-study").resolve() and list(study.terms["term"]) == ["养老"]
    toml = study.data / "study.toml"
    toml.write_text(toml.read_text(encoding="utf-8").replace('"养老"', '"就业"'), encoding="utf-8")
    assert list(own_study(folder).terms["term"]) == ["就业"]
    other = own_study(folder, before="2031", after=2030, terms="养老")
    assert (other.before, other.after, list(other.terms["term"])) == (2031, 2030, ["养老"])


def test_it_notices_other_reports(folder):
    """A report that came later is not silently left out."""
    own_study(folder)
    fill(folder, {"甲县2032.txt": report("甲县", 2032)})
    with pytest.raises(StudyError, match=r"甲县2032\.txt is not in reports-study"):
        own_study(folder)


def test_the_second_of_a_place_and_year_does_not_stop_it(folder):
    """A copy of a report under another name is left out with a word, and the study opens, the first time and later."""
    fill(folder, {"甲县2031年.txt": report("甲县", 2031) + "再接再厉。"})
    said: list[str] = []
    assert own_study(folder, say=said.append).before == 2030
    assert "甲县2031年.txt" in "".join(said) and own_study(folder).after == 2031


def test_without_a_folder(folder, tmp_path, monkeypatch):
    """Without a folder it is the study of the working directory."""
    made = new_study(tmp_path / "study", reports=folder)
    monkeypatch.chdir(made / "notebooks")
    assert own_study().root == made


def test_a_folder_is_found_by_its_name(folder, tmp_path, monkeypatch):
    """A name is looked for above the working directory, quotation marks and spaces around a pasted path are dropped."""
    (tmp_path / "work" / "notebooks").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "work" / "notebooks")
    made = own_study("reports").root
    assert made == (tmp_path / "reports-study").resolve()
    assert own_study(f' "{folder}" ').root == made


@pytest.mark.parametrize(
    ("files", "chinese", "english"),
    [
        (None, "找不到这个文件夹", "no such folder"),
        ({}, "文件夹里没有报告", "no .txt file here"),
        ({"甲县2031.txt": report("甲县", 2031)}, "比较需要两个年份", "Two groups of reports are compared"),
        ({"甲县2031.doc": "x"}, "另存为.docx", "save it as .docx"),
        ({"甲县2031.pdf": "x"}, "文字识别", "甲县2031.pdf"),
        ({"甲.txt": "修路。"}, "文件名和正文开头都看不出年份", "tells the year"),
    ],
)
def test_mistakes_are_explained_in_both_languages(tmp_path, files, chinese, english):
    """A wrong folder, too few reports, an old Word file, a scan or a name without year: Chinese first, then the English."""
    if files is not None:
        fill(tmp_path / "reports", files)
    with pytest.raises(ShinanError) as caught:
        own_study(tmp_path / "reports")
    words = str(caught.value)
    assert words.index(chinese) < words.index(english)
    assert caught.value._render_traceback_() == words.splitlines()
    assert not (tmp_path / "reports-study").exists()


def test_what_is_left_out_is_explained(folder):
    """A file that must be converted is named with what to do, in both languages, and the rest goes on."""
    fill(folder, {"乙县2031.doc": "x", "丙县2031.pdf": "x", "甲县2031年.txt": report("甲县", 2031)})
    with zipfile.ZipFile(folder / "all.zip", "w") as archive:
        archive.writestr("丁县2031.wps", "x")
    words: list[str] = []
    own_study(folder, say=words.append)
    said = "\n".join(words)
    assert said.count("未收入：") == said.count("Left out: ") == 4
    assert "未收入：乙县2031.doc：请用Word" in said
    assert "另存为.docx" in said and "文字识别" in said and "同一地方同一年" in said


def test_terms_in_one_string_with_marks_of_either_script(folder):
    """Terms written as one string, twice or with an empty one among them are the terms that were meant."""
    assert list(own_study(folder, terms="养老、就业，养老").terms["term"]) == ["养老", "就业"]
    assert list(own_study(folder, terms=["养老 就业", "", "养老"]).terms["term"]) == ["养老", "就业"]


def test_other_terms_than_those_on_record_are_told(folder):
    """Terms given to a study that declares others serve for once, and that is said; the same terms need no word."""
    said: list[str] = []
    own_study(folder, terms=["养老"], say=said.append)
    own_study(folder, terms=["养老"], say=said.append)
    assert "study.toml declares" not in "".join(said)
    assert list(own_study(folder, terms=["就业"], say=said.append).terms["term"]) == ["就业"]
    assert "Mind: reports-study/data/study.toml declares 养老;" in "".join(said) and "中记的词是养老" in "".join(said)


def test_one_year_on_both_sides(folder):
    """The same year twice, or the latest as the earlier one, is told from a folder that holds one year only."""
    for years in ({"before": 2031}, {"before": 2030, "after": "2030"}):
        with pytest.raises(StudyError, match="同一组报告") as caught:
            own_study(folder, **years)
        assert "只有一年" not in str(caught.value)


def test_reports_that_are_not_compared_are_told(folder):
    """With three years the notebook that follows all of them is named; with two there is nothing to name."""
    said: list[str] = []
    own_study(folder, say=said.append)
    assert "many-reports" not in "".join(said)
    (folder.parent / "reports-study").rename(folder.parent / "earlier")
    fill(folder, {"甲县2032.txt": report("甲县", 2032)})
    assert own_study(folder, say=said.append).before == 2031
    assert "另有1份报告不在比较之列" in "".join(said)


def test_a_group_that_is_not_there(folder):
    """A year without report is named in both languages, with the years that there are."""
    with pytest.raises(ShinanError, match=r"没有这一年的报告") as caught:
        own_study(folder, before=1999)
    assert "2030, 2031" in str(caught.value)
    own_study(folder)
    with pytest.raises(ShinanError, match=r"没有这一年的报告"):
        own_study(folder, after="2032")
