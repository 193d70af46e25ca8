"""The commands: what each does with the files it is given, what it prints, and the code with which it ends."""

import builtins
import json
import re
import shutil
import sys
from pathlib import Path

import pandas as pd
import pytest
from test_intake import docx, paragraph
from test_new import report

import shinan_research.__main__ as commands
from shinan_research import build, open_study, restore, review
from shinan_research.errors import ShinanError
from shinan_research.files import format_rows, read_rows
from shinan_research.restore import COLUMNS

ROOT = Path(__file__).parents[1]
BODY = "建设中心城区，在工作中推进公路建设。"
LONG = "".join(f"{n}年来修建公路{n}条，种树{n}万棵，" for n in range(20)) + BODY + "".join(f"新办学校{n}所，" for n in range(30))
BUILD = sys.modules[build.__name__]
REVIEW = sys.modules[review.__module__]


def write(folder: Path, name: str, text: str) -> Path:
    """Write a file and return its path."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]):
    """Return a function that runs a command and gives its code and what it printed on both streams."""

    def run(*words: object) -> tuple[int, str, str]:
        code = commands.main([str(word) for word in words])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


def test_without_a_command_every_command_is_listed(said) -> None:
    """No command and `help` print the same list, which names each command."""
    code, listed, _ = said()
    assert code == 0 and (code, listed) == said("help")[:2]
    assert [name for name in commands.COMMANDS if not re.search(rf"^    {name}\s", listed, re.MULTILINE)] == []


def test_an_error_is_explained_and_ends_with_one(said, tmp_path: Path) -> None:
    """A file that is not there is named on the error stream, without a traceback."""
    code, out, err = said("audit", tmp_path / "甲县2031.txt")
    assert code == 1 and out == ""
    assert "甲县2031.txt" in err and "Traceback" not in err


def test_tei_writes_both_layers_of_the_study(said, tmp_path: Path) -> None:
    """`tei` writes a document with a supplied character and an entry for each accepted row that is probable or better."""
    code, out, _ = said("tei", ROOT, "--output", tmp_path / "study.xml")
    rows = pd.concat(pd.read_csv(path) for path in sorted((ROOT / "data" / "emendations").glob("*.csv")))
    applied = ((rows["decision"] == "accept") & (rows["certainty"] != "possible")).sum()
    written = (tmp_path / "study.xml").read_text(encoding="utf-8")
    assert code == 0 and f"{applied} emendations" in out
    assert written.count("</supplied>") == written.count("</app>") == applied


def test_audit_prints_findings_and_counts_what_is_natural(said, tmp_path: Path) -> None:
    """A text that says its whole body twice is said to repeat itself; the last line counts what is not printed."""
    body = "".join(f"第{n}项，修建第{n}条公路，长{n}公里，投资{n}亿元，沿线种树{n}万棵。" for n in range(30, 60))
    path = write(tmp_path, "甲县2031.txt", report("甲县", 2031).replace("二、", body + "\n" + body + "\n二、"))
    code, out, _ = said("audit", path)
    *_, last = out.strip().splitlines()
    assert code == 0 and "repeated" in out
    assert last.endswith("more characters are absent and naturally so.")


def test_proposals_are_rows_that_wait_for_a_decision(said, tmp_path: Path) -> None:
    """Each proposal printed is a row of the file, undecided, with what stands around it in the report."""
    text = report("甲县", 2031, BODY).replace("中", "")
    path = write(tmp_path, "甲县2031.txt", text)
    sister = write(tmp_path, "甲县2030.txt", report("甲县", 2030, BODY))
    code, out, _ = said("propose", path, "--character", "中", "--sister", sister, "--output", tmp_path / "甲县-2031.csv")
    rows = read_rows(tmp_path / "甲县-2031.csv", COLUMNS)
    assert code == 0 and rows and out.splitlines()[-1] == f"{len(rows)} proposals; nothing is applied until a row is accepted."
    witness = text.strip()
    for row in rows:
        place = int(row["offset"])
        assert row["decision"] == "open" and row["char"] == "中" and row["report"] == "甲县-2031"
        assert witness[:place].endswith(row["left"].strip()[-2:]) and witness[place:].startswith(row["right"][:2])
    assert "〔中〕" in out


def test_collating_prints_each_difference_with_both_readings(said, tmp_path: Path) -> None:
    """One character that the other copy has more is one difference, at its place."""
    whole = report("甲县", 2031).replace("养老就业", LONG)
    place = whole.index("中心")
    path = write(tmp_path, "甲县2031.txt", whole[:place] + whole[place + 1 :])
    other = write(tmp_path, "copy.txt", whole)
    code, out, _ = said("collate", path, other)
    first, last = out.strip().splitlines()
    assert code == 0 and first.split()[0] == str(place) and "[|中]" in first
    assert last.startswith("1 differences over ")


def test_the_other_copy_decides_on_an_apparatus(said, tmp_path: Path) -> None:
    """A conjecture that the copy bears out is confirmed in the file, which names the copy as it was told to."""
    whole = report("甲县", 2031).replace("养老就业", LONG)
    place = whole.index("中心")
    torn = whole[:place] + whole[place + 1 :]
    path, other = write(tmp_path, "甲县2031.txt", torn), write(tmp_path, "copy.txt", whole)
    cells = [
        "甲县-2031",
        str(place),
        "中",
        torn[place - 8 : place].replace("\n", " "),
        torn[place : place + 8].replace("\n", " "),
    ]
    row = dict(zip(COLUMNS, [*cells, "probable", "accept", "machine reader"], strict=False))
    lines = [",".join(COLUMNS), ",".join(row.get(name, "") for name in COLUMNS)]
    apparatus = write(tmp_path, "emendations/甲县-2031.csv", "\n".join(lines) + "\n")
    code, out, err = said("collate", path, other, "--apparatus", apparatus, "--source", "the copy of the archive")
    assert (code, err) == (0, "")
    assert "1 conjectures confirmed, 0 refuted, 0 losses added; precision 1.00, recall 1.00." in out
    (decided,) = read_rows(apparatus, COLUMNS)
    assert (
        decided["certainty"] == "attested" and decided["source"] == "the copy of the archive" and decided["offset"] == str(place)
    )


def test_a_page_with_several_reports_needs_a_year(said, tmp_path: Path) -> None:
    """Of two reports in a page the one meant must be named; with its year it is taken."""
    body = "一" * 1000
    heads = [f"政府工作报告——{year}年1月9日在甲县第十八届人民代表大会第三次会议上。" for year in (2030, 2031)]
    page = write(tmp_path, "page.txt", "\n\n".join(head + body for head in heads) + "\n")
    other = write(tmp_path, "copy.txt", heads[1] + body)
    code, _, err = said("collate", page, other)
    assert code == 1 and "page.txt holds reports of 2030, 2031. Name one with --year." in err
    code, out, _ = said("collate", page, other, "--year", 2031)
    assert code == 0 and out.startswith("0 differences over ")


def test_review_asks_and_says(said, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file and the person's name reach the review, which asks and speaks on the terminal."""
    seen: list[object] = []
    monkeypatch.setattr(REVIEW, "review", lambda file, editor, *, ask, say: seen.extend([file, editor, ask]) or say("done"))
    code, out, _ = said("review", tmp_path / "a.csv", "--editor", "王")
    assert (code, out) == (0, "done\n") and seen == [tmp_path / "a.csv", "王", commands._ask]


def test_a_study_is_made_counted_and_packed(said, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`new` makes a study of two reports with the terms named, `archive` packs it into the folder named."""
    monkeypatch.setattr(
        "shinan_research.new.audit",
        lambda reports: pd.DataFrame(columns=["report", "defect", "verdict", "where", "seen", "expected", "evidence"]),
    )
    for year in (2030, 2031):
        write(tmp_path / "reports", f"甲县{year}.txt", report("甲县", year))
    code, _, err = said("new", tmp_path / "study", "--reports", tmp_path / "reports", "--terms", "养老", "--title", "比较")
    assert (code, err) == (0, "")
    text = (tmp_path / "study" / "data" / "study.toml").read_text(encoding="utf-8")
    assert "养老" in text and "比较" in text
    code, _, err = said("new", tmp_path / "study", "--reports", tmp_path / "reports")
    assert code == 1 and "study" in err


TABLE = pd.DataFrame({"name": ["shift", "lost"], "status": ["identical", "identical"], "what": ["", ""]})


@pytest.fixture
def building(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """Return a function that says what a build finds; a study that is built is not built again."""

    def find(*statuses: str) -> Path:
        table = TABLE.assign(status=list(statuses))
        for name in ("reproduce", "check"):
            monkeypatch.setattr(BUILD, name, lambda root, say: table)
        if not (tmp_path / "data").exists():
            write(tmp_path, "data/study.toml", "# a study\n")
        return tmp_path

    return find


@pytest.mark.parametrize(
    ("statuses", "plain", "strict", "verified"),
    [
        (("identical", "identical"), 0, 0, 0),
        (("identical", "different"), 0, 3, 3),
        (("identical", "new"), 0, 3, 3),
        (("missing", "identical"), 0, 3, 3),
        (("within tolerance", "identical"), 0, 3, 0),
    ],
)
def test_codes_of_a_build(said, building, statuses, plain, strict, verified) -> None:
    """Strictness and `verify` end with 3 on a difference; another platform's last digits are none for `verify`."""
    folder = building(*statuses)
    for words, expected in ((["reproduce"], plain), (["reproduce", "--strict"], strict), (["verify"], verified)):
        (folder / "build" / "settled.json").unlink(missing_ok=True)
        code, out, _ = said(*words, folder)
        assert code == expected, words
        assert [line.split()[0] for line in out.splitlines()[:2]] == ["shift", "lost"]


def test_what_is_settled_is_not_built_again(said, building, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a build without doubts the next one only reads the record; after one with doubts it builds again."""
    folder = building("identical", "identical")
    said("reproduce", folder)
    record = json.loads((folder / "build" / "settled.json").read_text(encoding="utf-8"))
    assert record["names"] == ["shift", "lost"]
    monkeypatch.setattr(BUILD, "reproduce", lambda root, say: pytest.fail("built again"))
    code, out, _ = said("reproduce", folder, "--strict")
    assert code == 0 and "Nothing has changed." in out
    assert [line.split() for line in out.splitlines()[:2]] == [["shift", "identical"], ["lost", "identical"]]
    write(folder, "data/study.toml", "")  # something has changed
    building("missing", "identical")
    (folder / "build" / "settled.json").unlink()
    said("reproduce", folder)
    assert not (folder / "build" / "settled.json").exists()


@pytest.mark.parametrize("command", commands.OF_A_STUDY)
def test_a_folder_that_was_named_and_is_no_study(said, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    """A misspelt name inside a study does not mean that study: an error in both languages, and nothing is made."""
    write(tmp_path, "data/study.toml", "")
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    code, out, err = said(command, *(["养老"] if command == "senses" else []), "nothere")
    assert (code, out) == (1, "") and "nothere is no study" in err and "这个文件夹不是一项研究" in err
    assert sorted(tmp_path.rglob("*")) == before


def test_stopping_and_a_missing_package_are_explained(said, building, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C ends with 130 and a word; a Python without the packages is told which one to use; a fault of ours stays one."""
    folder = building("identical", "identical")

    def fails(error: BaseException):
        def reproduce(root: Path, *, say) -> None:
            raise error

        monkeypatch.setattr(BUILD, "reproduce", reproduce)
        return said("reproduce", folder)

    assert fails(KeyboardInterrupt())[::2] == (130, "\n已停止。Stopped; what stood there stays.\n")
    code, _, err = fails(ModuleNotFoundError("No module named 'pandas'", name="pandas"))
    assert code == 1 and "pandas is not installed for this Python" in err and ".venv/bin/python" in err
    with pytest.raises(ModuleNotFoundError):
        fails(ModuleNotFoundError("No module", name="shinan_research.nowhere"))


def test_the_end_of_the_input_stops_a_review(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-D at the question is the answer to stop."""
    monkeypatch.setattr(builtins, "input", lambda words: "a")
    assert commands._ask("?") == "a"

    def ended(words: str) -> str:
        raise EOFError

    monkeypatch.setattr(builtins, "input", ended)
    assert commands._ask("?") == "q"


def test_folders_and_word_files_are_audited(said, tmp_path: Path) -> None:
    """A folder gives all its reports; what cannot be read and what stands in a folder inside is named; a docx is a report."""
    for year in (2030, 2031):
        write(tmp_path, f"reports/甲县{year}.txt", report("甲县", year))
    write(tmp_path, "reports/bad.doc", "x")
    write(tmp_path, "reports/inside/乙县2030.txt", report("乙县", 2030))
    code, out, _ = said("audit", tmp_path / "reports")
    assert code == 0 and "Left out: bad.doc" in out and "Left out: inside: a folder inside, which is not opened" in out
    assert "甲县-2030  " in out and "甲县-2031  " in out
    (tmp_path / "丙县2031.docx").write_bytes(docx("".join(map(paragraph, report("丙县", 2031).split("\n")))))
    code, out, _ = said("audit", tmp_path / "丙县2031.docx")
    assert code == 0 and "丙县-2031" in out and out.strip().endswith("naturally so.")
    code, _, err = said("audit", tmp_path / "nowhere")
    assert code == 1 and "no such folder" in err


def test_archive_says_what_it_wrote(said, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The zip goes to dist/ of the study unless another folder is named, and its size is told."""
    seen: list[tuple[Path, Path]] = []
    made = write(tmp_path, "a.zip", "x" * 1_500_000)
    write(tmp_path, "data/study.toml", "")
    module = sys.modules[__import__("shinan_research.archive", fromlist=["archive"]).archive.__module__]
    monkeypatch.setattr(module, "archive", lambda root, output: seen.append((root, output)) or made)
    for words in ([tmp_path], [tmp_path, "--output", tmp_path / "out"]):
        code, out, _ = said("archive", *words)
        assert (code, out.strip()) == (0, f"{made} (1.5 MB)")
    assert seen == [(tmp_path, tmp_path / "dist"), (tmp_path, tmp_path / "out")]


def test_lab_opens_the_working_copy(said, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """JupyterLab gets the working copy, the notebook named, and no browser where none is wanted."""
    seen: list[object] = []
    write(tmp_path, "data/study.toml", "")
    monkeypatch.setattr(BUILD, "working_copy", lambda root: root / "work")
    monkeypatch.setattr(commands.workplace, "lab", lambda folder, **options: seen.append((folder, options)))
    assert said("lab", tmp_path, "--no-browser", "--notebook", "my-reports")[0] == 0
    assert seen == [(tmp_path / "work", {"notebook": "my-reports", "browser": False})]


def test_install_and_tasks(said, monkeypatch: pytest.MonkeyPatch) -> None:
    """`install`, `test` and `check` are handed on; a task that fails ends with 1 and its explanation."""
    seen: list[str] = []
    monkeypatch.setattr(commands.workplace, "install", lambda *, say: say("installing"))
    monkeypatch.setattr(commands.workplace, "do", lambda task: seen.append(task))
    assert said("install")[:2] == (0, "installing\n")
    assert [said(task)[0] for task in ("test", "check")] == [0, 0] and seen == ["test", "check"]

    def fail(task: str) -> None:
        raise ShinanError(f"{task} ended with code 1")

    monkeypatch.setattr(commands.workplace, "do", fail)
    assert said("test") == (1, "", "\ntest ended with code 1\n")


def test_progress_is_for_a_terminal(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The count of reports is written over itself on a terminal, and nowhere else."""
    commands._bar(1200)
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    commands._bar(1200)
    assert capsys.readouterr().err == "\r  1,200 reports"


def test_a_sheet_for_senses_is_written_filled_and_read_back(said, tmp_path: Path) -> None:
    """Every occurrence is a row to be coded; with the codes of the study filled in, half and whole, they are read back."""
    shutil.copytree(ROOT / "data", tmp_path / "data", ignore=shutil.ignore_patterns("senses", "copies"))
    path, term = tmp_path / "data" / "senses" / "招商.csv", "招商"
    code, out, _ = said("senses", term, tmp_path)
    study = open_study(tmp_path)
    reports = restore(study.reports(), study.emendations)
    rows = read_rows(path, ("report", "offset", "sense", "decided_by"))
    theirs = read_rows(ROOT / "data" / "senses" / "招商.csv", ("report", "offset", "sense", "decided_by"))
    assert code == 0 and f"{len(rows)} occurrences, {len(rows)} to be coded" in out and study.senses(reports).empty
    assert [(row["report"], row["offset"]) for row in rows] == [(row["report"], row["offset"]) for row in theirs]
    path.write_bytes(format_rows([*theirs[:5], *rows[5:]], tuple(theirs[0]), mark=True))
    assert f"{len(rows) - 5} to be coded" in said("senses", term, tmp_path)[1]
    assert study.senses(reports)["sense"].tolist() == [row["sense"] for row in theirs[:5]]
    kept = read_rows(path, ("second",))
    assert [row["second"] for row in kept[:5]] == [row["second"] for row in theirs[:5]] and kept[5]["sense"] == ""
    assert "Declared in data/study.toml: 峰会, 攻势" in said("senses", "火箭", tmp_path)[2]
