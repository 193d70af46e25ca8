"""A build that nothing has touched is known as such without importing the analysis."""

import subprocess
import sys
from pathlib import Path

import pytest

from shinan_research.settled import digest, settle, settled


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a folder with data, a notebook and a figure, recorded as built."""
    for name in ("data/study.toml", "notebooks/one.ipynb", "figures/shift.png"):
        path = tmp_path / name
        path.parent.mkdir(parents=True)
        path.write_text(name, encoding="utf-8")
    settle(tmp_path, ["shift"])
    return tmp_path


def test_an_untouched_build_is_settled(root: Path) -> None:
    """The names recorded come back as long as every file is as it was."""
    assert settled(root) == ["shift"]


@pytest.mark.parametrize("name", ["data/study.toml", "notebooks/one.ipynb", "figures/shift.png", "tables/new.csv"])
def test_any_change_unsettles_it(root: Path, name: str) -> None:
    """A changed, new or deleted file of any part means that the build must look again."""
    before = digest(root)
    (root / name).parent.mkdir(exist_ok=True)
    (root / name).write_text("changed", encoding="utf-8")
    assert settled(root) is None and digest(root) != before
    (root / name).unlink()
    assert settled(root) is None or name == "tables/new.csv"


@pytest.mark.parametrize("content", ["", "{", "[]", '{"digest": 1}', "null"])
def test_a_damaged_record_is_no_record(root: Path, content: str) -> None:
    """A record that cannot be read means a full look."""
    (root / "build" / "settled.json").write_text(content, encoding="utf-8")
    assert settled(root) is None


def test_it_imports_nothing_heavy() -> None:
    """Neither numpy nor matplotlib is imported to find out."""
    code = "import sys, shinan_research.settled; print(sorted({'numpy', 'pandas', 'matplotlib'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
