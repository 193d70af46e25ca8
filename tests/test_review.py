"""A named person goes through the rows that no person has decided."""

import shutil
import subprocess
from pathlib import Path

import pytest

from shinan_research import ApparatusError, review
from shinan_research.files import format_rows, read_rows

COLUMNS = ("offset", "char", "left", "right", "certainty", "decision", "decided_by", "evidence")
ROWS: list[dict[str, object]] = [
    {
        "offset": 3,
        "char": "中",
        "certainty": "certain",
        "decision": "accept",
        "decided_by": "machine reader",
        "evidence": "=1+1,x",
    },
    {
        "offset": 9,
        "char": "这",
        "certainty": "possible",
        "decision": "open",
        "decided_by": "machine reader",
        "evidence": "“引”\n行",
    },
    {"offset": 12, "char": "口", "certainty": "certain", "decision": "accept", "decided_by": "person", "evidence": ""},
]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return a file of three judgements, one of them a person's."""
    path = tmp_path / "a-2031.csv"
    path.write_bytes(format_rows(ROWS, COLUMNS, mark=True))
    return path


def answers(*given: str):
    """Return a function that gives these answers in turn."""
    waiting = iter(given)
    return lambda question: next(waiting)


def test_decisions_are_signed_and_the_earlier_ones_kept(file: Path) -> None:
    """An accepted and a rejected row carry the name, person, and what stood there before."""
    found = review(file, "Li Hua", ask=answers("a", "r"), say=lambda words: None)
    assert found == {"decided": 2, "agreed": 1, "left": 0}
    rows = read_rows(file, COLUMNS)
    assert [(row["decision"], row["decided_by"], row["editor"], row["earlier"]) for row in rows] == [
        ("accept", "person", "Li Hua", "accept (machine reader)"),
        ("reject", "person", "Li Hua", "open (machine reader)"),
        ("accept", "person", "", ""),
    ]
    assert [row["evidence"] for row in rows] == ["=1+1,x", "“引”\n行", ""]


def test_stopping_and_passing_over_change_nothing(file: Path) -> None:
    """Enter passes over a row, q ends; the file keeps its bytes."""
    before = file.read_bytes()
    assert review(file, "Li Hua", ask=answers("", "q"), say=lambda words: None) == {"decided": 0, "agreed": 0, "left": 2}
    assert file.read_bytes() == before


def test_a_wrong_answer_is_asked_again(file: Path) -> None:
    """An answer that is none of the letters is named and asked again; the first letter of a word will do."""
    said: list[str] = []
    review(file, "Li Hua", ask=answers("x", "open", "q"), say=said.append)
    assert any("'x' is none of a, r, o, q" in line for line in said)
    assert read_rows(file, COLUMNS)[0]["decision"] == "open"


def test_an_editor_must_be_named(file: Path) -> None:
    """Nobody signs without a name."""
    with pytest.raises(ApparatusError, match="name of the person who decides"):
        review(file, "  ", ask=answers("a"), say=lambda words: None)


def resaved(files: list[Path], folder: Path) -> None:
    """Open files in LibreOffice as UTF-8, comma, quotes, and save them as CSV into a folder."""
    filters = ["--infilter=CSV:44,34,76,1", "--convert-to", "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,false"]
    home = f"-env:UserInstallation=file://{folder}/home"
    subprocess.run(
        ["soffice", "--headless", home, *filters, "--outdir", folder, *files], check=True, timeout=300, capture_output=True
    )


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is not installed")
def test_a_round_trip_through_libreoffice_loses_nothing(file: Path, tmp_path: Path) -> None:
    """Opened and saved by LibreOffice as CSV, this file and every one under data/ reads back with the same cells."""
    data = Path(__file__).resolve().parents[1] / "data"
    own = {"-".join(path.relative_to(data).parts): path for path in sorted(data.rglob("*.csv"))}
    assert {"emendations-shinan-2019.csv", "labels.csv", "links-shinan-2019.csv", "strata.csv"} < set(own)
    for name, path in own.items():
        shutil.copy(path, tmp_path / name)
    resaved([file, *(tmp_path / name for name in own)], tmp_path / "out")
    back = read_rows(tmp_path / "out" / file.name, COLUMNS)
    assert [row["evidence"] for row in back][1:] == ["“引”\n行", ""]
    assert [row["char"] for row in back] == ["中", "这", "口"]
    for name, path in own.items():
        assert read_rows(tmp_path / "out" / name, ()) == read_rows(path, ()), name
