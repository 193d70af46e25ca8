"""The files of data/ are those that data/README.md and data/SHA256SUMS describe, and every judgement says who decided."""

import hashlib
import re
from pathlib import Path

import pytest

from shinan_research.files import read_rows

DATA = Path(__file__).parents[1] / "data"
JUDGES = {"algorithm", "machine reader", "person"}
NO_JUDGEMENT = {"glosses.csv"}  # translations; every other table of data/ is a judgement, also one that is added later
JUDGEMENTS = [path for path in sorted(DATA.rglob("*.csv")) if path.relative_to(DATA).as_posix() not in NO_JUDGEMENT]


def test_every_file_is_listed_with_its_digest() -> None:
    """The table in data/README.md names each file once, with the SHA-256 that it has."""
    text = (DATA / "README.md").read_text(encoding="utf-8")
    listed = dict(re.findall(r"^\| `([^`]+)` \|.*`([0-9a-f]{64})` \|$", text, re.MULTILINE))
    present = {
        path.relative_to(DATA).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in DATA.rglob("*")
        if path.is_file() and path.name != "README.md"
    }
    assert listed == present, "Run: python tools/list_data.py"


def test_raw_files_are_guarded() -> None:
    """SHA256SUMS lists every raw file and nothing else."""
    lines = (DATA / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
    assert sorted(line.split()[1] for line in lines) == sorted(f"raw/{path.name}" for path in (DATA / "raw").iterdir())


@pytest.mark.parametrize("path", JUDGEMENTS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_every_judgement_says_who_decided(path: Path) -> None:
    """No row without `decided_by`, and no judge but the three of the vocabulary."""
    rows = read_rows(path, ("decided_by",))
    assert rows
    assert {row["decided_by"] for row in rows} <= JUDGES


def test_the_two_readings_of_the_strata_agree_as_the_codebook_says() -> None:
    """Of all pairs of chapters of the two reports, both readings join the same 17."""
    rows = read_rows(DATA / "strata.csv", ("report", "stratum", "first", "second", "certainty"))
    before, after = ([row for row in rows if row["report"].endswith(year)] for year in ("2019", "2020"))
    joined = {
        reading: {(i, j) for i, one in enumerate(before) for j, two in enumerate(after) if one[reading] == two[reading]}
        for reading in ("stratum", "first", "second")
    }
    assert len(before) * len(after) == 252
    assert joined["stratum"] == joined["first"] == joined["second"]
    assert len(joined["first"]) == 17
    assert {row["certainty"] for row in rows} == {"sure", "arguable"}
