"""The archive: one zip with everything, the same bytes twice, nothing private, and a refusal where the build is not fresh."""

import json
import zipfile
from importlib import import_module
from pathlib import Path

import pytest
from test_publish import make_study

from shinan_research import ShinanError, open_study
from shinan_research.archive import DEPOSIT, README, SUMS, archive
from shinan_research.files import sha256
from shinan_research.kit import build_kit, record
from shinan_research.publish import json_bytes

build = import_module("shinan_research.build")
STUDY = """title = { zh = "两份报告", en = "Two | reports" }
place = { zh = "甲县", en = "Jia County" }
before = 2001
after = 2002
[[files]]
path = "raw/one.txt"
source = "A | page <b>"
address = "https://example.org/a_b"
"""


@pytest.fixture
def built(tmp_path: Path) -> Path:
    """Return a small study with the record of a build, and files beside it that are nobody's business."""
    root = tmp_path / "study"
    make_study(root)
    for name, words in {
        "data/study.toml": STUDY, "data/raw/one.txt": "x", "notebooks/one.ipynb": "{}", "build/html/one.html": "page",
        "build/notebooks/one.ipynb": "{}", ".ci/run": "#!/bin/sh\n", "secret.txt": "s", ".env": "s", "work/x": "s",
        "data/.hidden": "s", "tests/__pycache__/x.pyc": "s", "README.md": "r", "shinan_research/own.py": "pass",
    }.items():  # fmt: skip
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(words, encoding="utf-8")
    study = open_study(root)
    record({"a": 1}, study=study)
    build_kit(root / "figures", study)
    refresh(root)
    return root


def refresh(root: Path) -> None:
    """Write the record of a build, as reproduce leaves it."""
    engine = build.digest_of_engine(open_study(root))
    products = {name: sha256(root / name) for name in ("build/html/one.html", "build/notebooks/one.ipynb")}
    entry = {"inputs": build.inputs(root / "notebooks/one.ipynb", engine), "products": products, "figures": ["own"]}
    if hasattr(build, "_numbers"):
        entry["numbers"] = build._numbers(root, "one")
    (root / "build/state.json").write_bytes(json_bytes({"notebooks": {"one": entry}}))


def members(path: Path) -> dict[str, bytes]:
    """Return name and bytes of what a zip holds, without the folder that all of it is in."""
    with zipfile.ZipFile(path) as packed:
        assert {name.partition("/")[0] for name in packed.namelist()} == {path.stem}
        assert packed.namelist() == sorted(packed.namelist())
        assert {entry.date_time for entry in packed.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        return {name.partition("/")[2]: packed.read(name) for name in packed.namelist()}


def test_everything_and_nothing_else(built: Path, tmp_path: Path) -> None:
    """Sources, data, figures, executed notebooks and pages are packed; hidden, private and cached files are not."""
    path = archive(built, tmp_path / "out")
    assert path == tmp_path / "out" / "jia-county-2001-2002.zip"
    found = set(members(path))
    assert {"data/raw/one.txt", "notebooks/one.ipynb", "build/html/one.html", "build/notebooks/one.ipynb", ".ci/run"} <= found
    assert {"figures/numbers.tex", "figures/MANIFEST.json", "shinan_research/own.py", README, DEPOSIT, SUMS} <= found
    assert not [name for name in found if any(part in name for part in ("secret", ".env", "work", "hidden", "pycache", "state"))]


def test_the_same_bytes_twice(built: Path, tmp_path: Path) -> None:
    """A second archive, of files touched and with other permissions, has the same bytes."""
    one = archive(built, tmp_path / "a.zip").read_bytes()
    (built / "README.md").touch()
    (built / "README.md").chmod(0o600)
    path = archive(built, tmp_path / "b" / "a.zip")
    assert path.read_bytes() == one


def test_sums_hold(built: Path, tmp_path: Path) -> None:
    """SHA256SUMS lists every other file with its digest, as sha256sum writes it."""
    found = members(archive(built, tmp_path))
    lines = dict(reversed(line.split("  ", 1)) for line in found.pop(SUMS).decode().splitlines())
    assert lines == {name: sha256(content) for name, content in found.items()}


def test_how_to_replicate(built: Path, tmp_path: Path) -> None:
    """The sections stand in the order that data editors ask for, and hostile words of the data stay words."""
    text = members(archive(built, tmp_path))[README].decode()
    heads = ["Data availability and rights", "Software", "Run time", "How to run", "Figures, tables and notebooks"]
    assert [text.index(f" {head}\n") for head in heads] == sorted(text.index(f" {head}\n") for head in heads)
    assert "A \\| page &lt;b&gt;" in text and "# Two \\| reports" not in text
    assert "| notebooks/one.ipynb | own | 0 |" in text
    assert sha256(b"x") in text


def test_what_zenodo_asks(built: Path, tmp_path: Path) -> None:
    """The description for Zenodo has title, licence and creators as CITATION.cff names them; what is unknown is left out."""
    found = json.loads(members(archive(built, tmp_path))[DEPOSIT])
    assert found["license"] == "cc-by-4.0" and found["title"] == "Two | reports · 两份报告" and "creators" not in found
    (built / "CITATION.cff").write_text("authors: [{name: 甲}]\nversion: 1\n", encoding="utf-8")
    build_kit(built / "figures", open_study(built))
    found = json.loads(members(archive(built, tmp_path))[DEPOSIT])
    assert found["creators"] == [{"name": "甲"}] and found["version"] == "1"


def test_not_built(built: Path, tmp_path: Path) -> None:
    """Without the record of a build nothing is packed."""
    (built / "build/state.json").unlink()
    with pytest.raises(ShinanError, match=r"study is not built: build/ holds no record\. Run reproduce first"):
        archive(built, tmp_path / "a.zip")
    assert not (tmp_path / "a.zip").exists()


@pytest.mark.parametrize(
    ("file", "named"),
    [("data/raw/one.txt", "one.ipynb"), ("notebooks/one.ipynb", "one.ipynb"), ("build/html/one.html", "one.ipynb"),
     ("figures/captions.tex", "figures/captions.tex")],
)  # fmt: skip
def test_out_of_date(built: Path, tmp_path: Path, file: str, named: str) -> None:
    """Data, notebook, page or kit that is not as the build left it is named, and nothing is packed."""
    (built / file).write_text("changed", encoding="utf-8")
    with pytest.raises(ShinanError, match=f"build/ is out of date: .*{named}.* Run reproduce"):
        archive(built, tmp_path / "a.zip")
    assert not (tmp_path / "a.zip").exists()


def test_links_and_places_that_are_refused(built: Path, tmp_path: Path) -> None:
    """A link is refused, since the archive would not hold what it leads to; so is an archive inside itself."""
    with pytest.raises(ShinanError, match="lies in a folder that is packed itself"):
        archive(built, built / "figures")
    (built / "tests").mkdir(exist_ok=True)
    (built / "tests/link.txt").symlink_to(tmp_path / "elsewhere.txt")
    with pytest.raises(ShinanError, match=r"tests/link\.txt is a link"):
        archive(built, tmp_path / "a.zip")
