"""The workshop: one environment from the lock, built once, with words for everything that can go wrong."""

import hashlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

import shinan_research
from shinan_research import ShinanError, workplace
from tools.check_coverage import LEAST, report

LOCK = """\
numpy==2.0 \\
    --hash=sha256:aa
uv==0.13 \\
    --hash=sha256:bb \\
    --hash=sha256:cc
uvloop==1.0 \\
    --hash=sha256:dd
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a folder with a lock and a project file."""
    (tmp_path / "requirements.lock").write_text(LOCK, encoding="utf-8")
    (tmp_path / "pyproject.toml").write_text("[project]\n", encoding="utf-8")
    return tmp_path


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Record commands and new environments instead of running them."""
    recorded: list[list[str]] = []

    def create(folder: Path, **options: object) -> None:
        python = workplace.interpreter(Path(folder).parent)
        python.parent.mkdir(parents=True)
        python.touch()
        recorded.append(["venv", str(folder)])

    monkeypatch.setattr(workplace, "run", lambda words, *, root: recorded.append([str(word) for word in words]))
    monkeypatch.setattr(workplace, "venv", SimpleNamespace(create=create))
    return recorded


def test_child_processes_are_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    """Children get one thread, a fixed hash seed, UTF-8 and byte code, and no packages from elsewhere; the rest is kept."""
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    monkeypatch.setenv("OMP_NUM_THREADS", "8")
    monkeypatch.setenv("PYTHONHASHSEED", "random")
    monkeypatch.setenv("KEPT", "yes")
    found = workplace.environment()
    assert "PYTHONPATH" not in found and "PYTHONDONTWRITEBYTECODE" not in found
    assert [found[name] for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")] == ["1", "1", "1"]
    assert (found["PYTHONHASHSEED"], found["PYTHONUTF8"], found["KEPT"]) == ("0", "1", "yes")


def test_running_a_command(tmp_path: Path) -> None:
    """A command runs in the folder named; one that fails is named with its code."""
    workplace.run([sys.executable, "-c", "open('made', 'w').close()"], root=tmp_path)
    assert (tmp_path / "made").exists()
    with pytest.raises(ShinanError, match=r"^python\S* -c raise SystemExit\(7\) ended with code 7; its own words stand above.$"):
        workplace.run([sys.executable, "-c", "raise SystemExit(7)"], root=tmp_path)


def test_a_command_that_does_not_exist(tmp_path: Path) -> None:
    """A program that is not installed is an error in words, not a FileNotFoundError."""
    with pytest.raises(ShinanError, match="no-such-program"):
        workplace.run(["no-such-program", "--version"], root=tmp_path)


@pytest.mark.parametrize("version", [(3, 10, 14), (3, 14, 0), (2, 7, 18)])
def test_a_python_too_old_or_too_new(
    project: Path, commands, monkeypatch: pytest.MonkeyPatch, version: tuple[int, int, int]
) -> None:
    """Another Python is refused before anything is built, with those that do and how to call them."""
    monkeypatch.setattr(workplace, "sys", SimpleNamespace(version_info=version, version="x", executable=sys.executable))
    words = f"This is Python {'.'.join(map(str, version))}; needed: 3.11, 3.12 or 3.13. .*make reproduce PYTHON=python3.12"
    with pytest.raises(ShinanError, match=words):
        workplace.install(project)
    assert commands == []


def test_the_pythons_named_are_those_of_the_project() -> None:
    """The oldest and newest Python are those that pyproject.toml allows."""
    text = (workplace.ROOT / "pyproject.toml").read_text(encoding="utf-8")
    (_, oldest), (newest_major, newest) = workplace.OLDEST, workplace.NEWEST
    assert f'requires-python = ">=3.{oldest},<{newest_major}.{newest + 1}"' in text


def test_a_folder_without_lock(tmp_path: Path, commands) -> None:
    """Outside the project there is nothing to install from."""
    with pytest.raises(ShinanError, match=f"No requirements.lock in {tmp_path.name}. Run this in the project's own folder"):
        workplace.install(tmp_path, say=lambda words: None)
    assert commands == []


def test_install_from_the_lock(project: Path, commands) -> None:
    """The environment is made, uv installed by its hashes, then all packages by uv with theirs, the package, the kernel."""
    said: list[str] = []
    python = workplace.install(project, say=said.append)
    assert python == workplace.interpreter(project)
    assert "minute" in said[0]
    made, uv, sync, package, kernel = commands
    assert made == ["venv", str(project / ".venv")]
    assert uv[1:3] == ["-m", "pip"] and "--require-hashes" in uv
    assert (project / ".venv" / "uv.txt").read_text(encoding="utf-8") == "\n".join(LOCK.splitlines()[2:5]) + "\n"
    assert sync[1:5] == ["-m", "uv", "pip", "sync"] and "--require-hashes" in sync and sync[-1].endswith("requirements.lock")
    assert "--no-deps" in package and package[-2:] == ["-e", "."]
    assert json.loads((project / ".venv/share/jupyter/lab/settings/overrides.json").read_text(encoding="utf-8"))
    assert kernel[1:4] == ["-m", "ipykernel", "install"] and "--sys-prefix" in kernel
    assert all(words[0] == str(python) for words in commands[1:])


def test_install_again_does_nothing(project: Path, commands) -> None:
    """A second call finds the environment up to date; a changed lock builds it anew, in the same folder."""
    workplace.install(project, say=lambda words: None)
    commands.clear()
    assert workplace.install(project, say=pytest.fail) == workplace.interpreter(project)
    assert commands == []
    (project / "requirements.lock").write_text(LOCK.replace("aa", "ab"), encoding="utf-8")
    workplace.install(project, say=lambda words: None)
    assert len(commands) == 4


def test_an_environment_that_lost_its_python_is_built_again(project: Path, commands) -> None:
    """The stamp alone does not make an environment: without its interpreter it is built again."""
    workplace.install(project, say=lambda words: None)
    workplace.interpreter(project).unlink()
    workplace.interpreter(project).parent.rmdir()
    commands.clear()
    workplace.install(project, say=lambda words: None)
    assert commands[0][0] == "venv"


def test_without_uv_pip_does_it(project: Path, commands, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where uv does not run, pip installs the same lock with the same hashes."""

    def run(words: list[object], *, root: Path) -> None:
        commands.append([str(word) for word in words])
        if "uv" in commands[-1]:
            raise ShinanError("uv does not run here")

    monkeypatch.setattr(workplace, "run", run)
    workplace.install(project, say=lambda words: None)
    by_pip = [words for words in commands if "pip" in words and "uv" not in words]
    assert [words[-1].rpartition("/")[2] for words in by_pip] == ["uv.txt", "requirements.lock", "."]
    assert all("--require-hashes" in words for words in by_pip[:2])


def test_a_step_that_fails_is_done_again(project: Path, commands, monkeypatch: pytest.MonkeyPatch) -> None:
    """If a step fails the environment is not stamped as complete, so that the next call tries again."""

    def run(words: list[object], *, root: Path) -> None:
        raise ShinanError("no network")

    monkeypatch.setattr(workplace, "run", run)
    with pytest.raises(ShinanError, match=r"no network\nThe installation is not complete\. .*\n安装没有完成"):
        workplace.install(project, say=lambda words: None)
    assert not (project / ".venv" / workplace.STAMP).exists()


def test_the_stamp_follows_lock_project_and_python(project: Path, commands, monkeypatch: pytest.MonkeyPatch) -> None:
    """The stamp is the digest of lock, project file and Python's version."""
    workplace.install(project, say=lambda words: None)
    parts = [(project / name).read_bytes() for name in ("requirements.lock", "pyproject.toml")]
    expected = hashlib.sha256(b"\0".join([*parts, sys.version.encode()])).hexdigest()
    assert (project / ".venv" / workplace.STAMP).read_text(encoding="utf-8") == expected


def test_tasks(commands) -> None:
    """`test` runs the tests without a browser; `check` runs lint, format, types, browser tests and coverage, in this order."""
    workplace.do("test")
    assert [words[2:] for words in commands] == [["pytest", "-m", "not browser and not slow", *["-n", "2", "--dist", "loadfile"]]]
    commands.clear()
    workplace.do("check")
    assert [words[2] for words in commands] == ["ruff", "ruff", "mypy", "pytest", "pytest", "tools.check_coverage"]
    assert "--cov" in commands[-2]
    assert all(words[:2] == [sys.executable, "-m"] for words in commands)


@pytest.mark.slow
def test_docs_describe_every_public_name_and_load_nothing(tmp_path: Path) -> None:
    """`docs` writes pages with every public name; none of them loads anything from elsewhere."""
    workplace.do("docs", root=tmp_path)
    pages = {path.name: path.read_text(encoding="utf-8") for path in (tmp_path / "build" / "html" / "api").rglob("*.html")}
    front = pages["shinan_research.html"]
    assert [name for name in shinan_research.__all__ if f'id="{name}"' not in front] == []
    loads = r'(?:src|srcset)="(?:https?:)?//|<link[^>]*href="https?:|@import|url\([\'"]?https?:'
    assert [name for name, page in pages.items() if re.search(loads, page)] == []


def test_lab(commands, tmp_path: Path) -> None:
    """JupyterLab opens on the notebooks, without a browser where none is wanted."""
    workplace.lab(tmp_path)
    workplace.lab(tmp_path, notebook="my-reports", browser=False)
    first, second = commands
    assert first[1:4] == ["-m", "jupyterlab", "notebooks"] and "--no-browser" not in first
    assert second[1:4] == ["-m", "jupyterlab", "notebooks/my-reports.ipynb"] and second[-1] == "--no-browser"
    assert all(any("NeverCheckForUpdate" in word for word in words) for words in commands)


def test_begin_installs_and_opens_ones_own_reports(project: Path, commands) -> None:
    """What start.py does: the environment first, then JupyterLab on the notebook for one's own reports."""
    assert workplace.begin(["--no-browser"], root=project) == 0
    words = commands[-1]
    assert words[0] == str(workplace.interpreter(project))
    assert words[1:] == ["-m", "shinan_research", "lab", "--notebook", "my-reports", "--no-browser"]


@pytest.mark.skipif(os.name == "nt", reason="a script with a shebang")
def test_begin_hands_over_to_a_python_that_fits(project: Path, commands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Started with a Python that is too new, it calls the newest that fits and runs; one that is only a name is passed over."""
    for name, code in (("python3.13", 1), ("python3.12", 0), ("python3.11", 0)):
        (tmp_path / name).write_text(f"#!/bin/sh\nexit {code}\n", encoding="utf-8")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(workplace, "sys", SimpleNamespace(version_info=(3, 14, 0), version="x", stdin=None))
    assert workplace.begin(["--no-browser"], root=project) == 0
    assert commands == [["python3.12", str(project / "start.py"), "--no-browser"]]
    monkeypatch.setenv("PATH", "")
    assert workplace.begin(root=project) == 1 and len(commands) == 1


def test_begin_explains_what_went_wrong(tmp_path: Path, commands, capsys: pytest.CaptureFixture[str]) -> None:
    """An error is printed, not raised, so that a window opened by a double click says why it closes."""
    assert workplace.begin(root=tmp_path) == 1
    assert "No requirements.lock" in capsys.readouterr().out and commands == []


def test_the_real_lock_holds_uv_once() -> None:
    """The entry of uv that is installed first is complete: a version and its hashes, and no other package."""
    lock = (workplace.ROOT / "requirements.lock").read_text(encoding="utf-8")
    entry = workplace._entry(lock, "uv")
    assert entry.startswith("uv==") and entry.count("==") - entry.count("'") // 2 <= 1 + entry.count(";")
    assert entry.count("--hash=sha256:") >= 5
    assert not entry.rstrip().endswith("\\")


def test_it_needs_the_standard_library_alone() -> None:
    """The module runs on a bare Python, because it is what installs everything else."""
    words = "import sys; sys.path.insert(0, sys.argv[1]); import shinan_research.workplace as w; print(w.ROOT)"
    command = [sys.executable, "-I", "-S", "-c", words, str(workplace.ROOT)]
    ended = subprocess.run(command, capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == str(workplace.ROOT)


@pytest.mark.parametrize(("lines", "branches", "enough"), [(95, 90, True), (94, 100, False), (100, 89, False), (100, 100, True)])
def test_lines_and_branches_are_held_each_for_itself(lines: int, branches: int, enough: bool) -> None:
    """Neither can make up for the other, and a module below the bar is listed beside the total."""
    total = {"covered_lines": lines, "num_statements": 100, "covered_branches": branches, "num_branches": 100}
    words, reached = report({"low.py": total, "all.py": total | {"covered_lines": 100, "covered_branches": 100}}, total, LEAST)
    assert LEAST == {"lines": 95, "branches": 90} and reached is enough
    assert words[-1].split() == ["total", "lines", f"{lines}.0", "%", "branches", f"{branches}.0", "%"]
    assert [line.split()[0] for line in words[:-1]] == ([] if enough else ["low.py"])
