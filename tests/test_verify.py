"""Comparing rebuilt figures with committed ones: what counts as the same, and what becomes of what is not."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from test_publish import make_figure, make_study

from shinan_research import FigureError, publish, verify
from shinan_research.figures.style import new_figure
from shinan_research.files import sha256
from shinan_research.kit import RECORDER, build_kit, numbers_of, record
from shinan_research.publish import MANIFEST, csv_bytes, json_bytes, read_manifest
from shinan_research.tables import ABSENT, WORD_PACKAGE, publish_table
from shinan_research.verify import (
    COLUMNS,
    adopt,
    adopt_products,
    compare_figures,
    compare_kit,
    compare_numbers,
    compare_products,
    prune_numbers,
)

Folders = tuple[Path, Path]


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with two published figures; tests work on copies."""
    study = make_study(tmp_path_factory.mktemp("original"))
    _, tables = make_figure()
    publish(new_figure("single", 20), "shift", data=tables, study=study)
    publish(new_figure("single", 20), "other", data=tables[""], study=study)
    return study.root / "figures"


@pytest.fixture
def folders(original: Path, tmp_path: Path) -> Folders:
    """Return a fresh folder and a committed one with the same figures."""
    return Path(shutil.copytree(original, tmp_path / "fresh")), Path(shutil.copytree(original, tmp_path / "committed"))


def edit(folder: Path, name: str, change: Callable[[dict], object]) -> None:
    """Change the manifest's entry of a figure."""
    manifest = read_manifest(folder)
    change(manifest["figures"][name])
    (folder / MANIFEST).write_bytes(json_bytes(manifest))


def replace(folder: Path, figure: str, file: str, content: bytes) -> None:
    """Put other content into a published file, and its hash into the manifest, as a rebuild would."""
    (folder / file).write_bytes(content)
    edit(folder, figure, lambda entry: entry["files"].update({file: sha256(content)}))


def table_of(folder: Path, file: str = "shift.csv") -> pd.DataFrame:
    """Return a published table as text."""
    return pd.read_csv(folder / file, keep_default_na=False, dtype=str)


def elsewhere(folder: Path) -> None:
    """Say that the committed figures were made on another computer."""
    for name in ("shift", "other"):
        edit(folder, name, lambda entry: entry["platform"].update(machine="riscv128", numpy="1.0"))


def status(folders: Folders, name: str = "shift") -> tuple[str, str]:
    """Return status and reason of one figure."""
    table = compare_figures(*folders).set_index("name")
    return str(table.loc[name, "status"]), str(table.loc[name, "what"])


def contents(folder: Path) -> dict[str, bytes]:
    """Return name and bytes of every file of a folder."""
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_identical(folders: Folders) -> None:
    """Two folders with the same bytes are identical, every figure by name, in order."""
    table = compare_figures(*folders)
    assert list(table.columns) == list(COLUMNS)
    assert table.to_numpy().tolist() == [["other", "identical", ""], ["shift", "identical", ""]]


def test_identical_on_another_platform(folders: Folders) -> None:
    """The same bytes are identical wherever they were made."""
    elsewhere(folders[1])
    assert status(folders) == ("identical", "")


@pytest.mark.parametrize("file", ["shift.png", "shift.svg", "shift.csv"])
def test_different_on_the_recorded_platform(folders: Folders, file: str) -> None:
    """On the platform of the manifest one changed byte in any file is a difference, and the file is named."""
    replace(folders[0], "shift", file, (folders[0] / file).read_bytes() + b"\n")
    assert status(folders) == ("different", file)
    assert status(folders, "other") == ("identical", "")


@pytest.mark.parametrize("key", ["caption", "alt", "settings", "title", "licence"])
def test_words_and_settings_count(folders: Folders, key: str) -> None:
    """Another caption, alt text, setting, title or licence is a difference even where all files agree."""
    edit(folders[0], "shift", lambda entry: entry.update({key: {"en": "another"}}))
    assert status(folders) == ("different", key)


@pytest.mark.parametrize("key", ["caption", "alt", "title", "licence"])
def test_words_count_on_another_platform(folders: Folders, key: str) -> None:
    """Words do not depend on the computer: another caption is a difference there too, never within tolerance."""
    elsewhere(folders[1])
    edit(folders[0], "shift", lambda entry: entry.update({key: {"en": "another"}}))
    assert status(folders)[0] == "different"


def nudged(folder: Path, factor: float, column: str = "log2_ratio") -> bytes:
    """Return the table with the first number of a column multiplied."""
    table = table_of(folder)
    table.loc[0, column] = repr(float(table.loc[0, column]) * factor)
    return table.to_csv(index=False, lineterminator="\n").encode()


@pytest.mark.parametrize(("function", "factor", "expected"), [
    ("fit_topics", 1 + 5e-5, "within tolerance"), ("compare", 1 + 5e-5, "different"), ("fit_topics", 1.01, "different"),
])  # fmt: skip
def test_a_model_may_differ_more_on_another_platform(folders: Folders, function: str, factor: float, expected: str) -> None:
    """Numbers of a fitted model agree to 1e-4 on another platform, others to 1e-8."""
    elsewhere(folders[1])
    for folder in folders:
        edit(folder, "shift", lambda entry: entry["settings"].update(function=function))
    replace(folders[0], "shift", "shift.csv", nudged(folders[0], factor))
    assert status(folders)[0] == expected


def test_within_tolerance_on_another_platform(folders: Folders) -> None:
    """A picture that differs and a number that differs by 1e-12 are within tolerance on another platform, which is named."""
    elsewhere(folders[1])
    replace(folders[0], "shift", "shift.png", b"another picture")
    replace(folders[0], "shift", "shift.csv", nudged(folders[0], 1 + 1e-12))
    found, why = status(folders)
    assert found == "within tolerance"
    assert why.startswith("another platform: machine ") and "riscv128 recorded" in why and "1.0 recorded" in why


def test_the_same_nudge_is_different_on_the_recorded_platform(folders: Folders) -> None:
    """The tolerance is for other platforms alone."""
    replace(folders[0], "shift", "shift.csv", nudged(folders[0], 1 + 1e-12))
    assert status(folders) == ("different", "shift.csv")


CHANGES: dict[str, Callable[[Path], bytes]] = {
    "a number by a millionth": lambda folder: nudged(folder, 1 + 1e-6),
    "a sign": lambda folder: nudged(folder, -1),
    "a count by one": lambda folder: table_of(folder).replace({"count_before": {"8": "9"}}).to_csv(index=False).encode(),
    "a verdict": lambda folder: table_of(folder).replace({"verdict": {"too rare": "lower"}}).to_csv(index=False).encode(),
    "a number gone": lambda folder: table_of(folder).assign(log2_ratio="").to_csv(index=False).encode(),
    "a number come": lambda folder: table_of(folder).assign(p="0.5").to_csv(index=False).encode(),
    "a row gone": lambda folder: table_of(folder).iloc[:1].to_csv(index=False).encode(),
    "rows exchanged": lambda folder: table_of(folder).iloc[::-1].to_csv(index=False).encode(),
    "a column renamed": lambda folder: table_of(folder).rename(columns={"low": "lower"}).to_csv(index=False).encode(),
    "empty": lambda folder: table_of(folder).iloc[:0].to_csv(index=False).encode(),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_different_on_another_platform(folders: Folders, change: Callable[[Path], bytes]) -> None:
    """On another platform too, text and counts must agree exactly, numbers to 1e-8, and no row or cell may come or go."""
    elsewhere(folders[1])
    replace(folders[0], "shift", "shift.csv", change(folders[0]))
    assert status(folders) == ("different", "shift.csv")


def test_missing_numbers_are_equal(folders: Folders) -> None:
    """A cell that is empty on both sides does not keep a column with a nudged number from being within tolerance."""
    elsewhere(folders[1])
    for folder, p in zip(folders, (0.25, 0.25 * (1 + 1e-12)), strict=True):
        replace(folder, "shift", "shift.csv", f"term,p\n花,\n树,{p!r}\n".encode())
    assert status(folders)[0] == "within tolerance"


def test_large_counts_are_compared_exactly(folders: Folders) -> None:
    """A whole number is a count, and a count may not differ by one however large it is."""
    elsewhere(folders[1])
    for folder, count in zip(folders, (4_000_000_000, 4_000_000_001), strict=True):
        replace(folder, "shift", "shift.csv", csv_bytes(pd.DataFrame({"term": ["花"], "count_before": [count]})))
    assert status(folders) == ("different", "shift.csv")


def test_a_table_more_or_less_on_another_platform(folders: Folders) -> None:
    """A file that only one side has is a difference."""
    elsewhere(folders[1])
    edit(folders[0], "shift", lambda entry: entry["files"].pop("shift.cells.csv"))
    assert status(folders) == ("different", "shift.cells.csv")


def test_new_and_missing(folders: Folders) -> None:
    """A figure that only the fresh folder has is new, one that only the committed has is missing."""
    for folder, name in zip(folders, ("other", "shift"), strict=True):
        manifest = read_manifest(folder)
        del manifest["figures"][name]
        (folder / MANIFEST).write_bytes(json_bytes(manifest))
    assert status(folders, "shift") == ("new", "not in the committed manifest")
    assert status(folders, "other") == ("missing", "no notebook publishes it any more")


def test_nothing_committed_yet(folders: Folders, tmp_path: Path) -> None:
    """Against an empty folder every figure is new; an empty rebuild misses every figure."""
    (tmp_path / "empty").mkdir()
    assert compare_figures(folders[0], tmp_path / "empty")["status"].tolist() == ["new", "new"]
    assert compare_figures(tmp_path / "empty", folders[1])["status"].tolist() == ["missing", "missing"]
    assert compare_figures(tmp_path / "empty", tmp_path / "empty").empty


@pytest.mark.parametrize("platform", ["the same", "another"])
def test_changed_by_hand(folders: Folders, platform: str) -> None:
    """A committed file that is not what its manifest says was changed by hand, or lost, on any platform."""
    if platform == "another":
        elsewhere(folders[1])
    (folders[1] / "shift.svg").write_bytes(b"<svg/>")
    (folders[1] / "shift.cells.csv").unlink()
    found, why = status(folders)
    assert found == "different"
    assert why.startswith("changed by hand: ") and "shift.svg" in why and "shift.cells.csv" in why


def test_only_the_names_asked_for(folders: Folders) -> None:
    """With names only those are compared; with an empty list of names, none."""
    assert compare_figures(*folders, ["other"])["name"].tolist() == ["other"]
    assert compare_figures(*folders, []).empty


def test_a_damaged_manifest(folders: Folders) -> None:
    """A damaged manifest on either side is named."""
    (folders[1] / MANIFEST).write_text("{", encoding="utf-8")
    with pytest.raises(FigureError, match=r"committed/MANIFEST.json is damaged"):
        compare_figures(*folders)


# Putting a rebuild in place


def test_adopt_takes_over_what_differs(folders: Folders) -> None:
    """A different figure replaces the committed one with all its files and its entry; an identical one stays."""
    replace(folders[0], "shift", "shift.csv", b"term\n" + "花\n".encode())
    kept = (folders[1] / "other.png").stat().st_mtime_ns
    assert adopt(*folders, compare_figures(*folders)) == ["shift"]
    assert status(folders) == ("identical", "")
    assert (folders[1] / "shift.csv").read_bytes() == "term\n花\n".encode()
    assert (folders[1] / "other.png").stat().st_mtime_ns == kept


def test_adopt_repairs_what_was_changed_by_hand(folders: Folders) -> None:
    """A file changed by hand is written again as it was built."""
    before = contents(folders[1])
    (folders[1] / "shift.svg").write_bytes(b"<svg/>")
    adopt(*folders, compare_figures(*folders))
    assert contents(folders[1]) == before


def test_adopt_leaves_what_is_within_tolerance(folders: Folders) -> None:
    """Rebuilt on another computer, committed figures within tolerance keep their bytes and their manifest."""
    elsewhere(folders[1])
    replace(folders[0], "shift", "shift.png", b"another picture")
    before = contents(folders[1])
    assert adopt(*folders, compare_figures(*folders)) == []
    assert contents(folders[1]) == before


def test_adopt_adds_and_takes_away(folders: Folders, tmp_path: Path) -> None:
    """A new figure comes with its files; one that nothing publishes any more goes with its files and its entry."""
    manifest = read_manifest(folders[0])
    del manifest["figures"]["other"]
    (folders[0] / MANIFEST).write_bytes(json_bytes(manifest))
    assert adopt(*folders, compare_figures(*folders)) == ["other"]
    assert list(read_manifest(folders[1])["figures"]) == ["shift"]
    assert not list(folders[1].glob("other*"))
    empty = tmp_path / "empty"
    assert adopt(folders[0], empty, compare_figures(folders[0], empty)) == ["shift"]
    assert {path.name for path in empty.iterdir()} == {path.name for path in folders[1].iterdir()}


def test_adopt_takes_away_a_table_that_is_no_longer_part(folders: Folders) -> None:
    """When a figure is rebuilt without one of its tables, the old table does not stay behind to be cited."""
    edit(folders[0], "shift", lambda entry: entry["files"].pop("shift.cells.csv"))
    (folders[0] / "shift.cells.csv").unlink()
    adopt(*folders, compare_figures(*folders))
    assert not (folders[1] / "shift.cells.csv").exists()
    assert (folders[1] / "shift.csv").exists()


def test_comparing_writes_nothing(folders: Folders) -> None:
    """Comparing leaves both folders as they were."""
    elsewhere(folders[1])
    before = [contents(folder) for folder in folders]
    compare_figures(*folders)
    assert [contents(folder) for folder in folders] == before
    assert json.loads(before[1][MANIFEST])["figures"].keys() == {"other", "shift"}


# Tables, numbers and the citation kit


@pytest.fixture
def roots(tmp_path: Path) -> Folders:
    """Return two folders of a study: one just built by a notebook, and one with nothing committed."""
    study = make_study(tmp_path / "built")
    table = pd.DataFrame({"term": ["花"], "n": [8]})
    table.attrs = {"settings": {"function": "own"}}
    publish_table(table, "terms", study=study, caption_text={"zh": "表。", "en": "Table."})
    record({"flower.count": 8, "flower.ratio": 0.5, "flower.verdict": "lower"}, study=study)
    return study.root, make_study(tmp_path / "kept").root


def adopted(roots: Folders, by: str = "one") -> dict[str, str]:
    """Compare and adopt what a notebook has made, and return the statuses by name."""
    table = compare_products(*roots, by=by)
    adopt_products(*roots, table, by=by)
    return dict(zip(table["name"], table["status"], strict=True))


def change_numbers(root: Path, by: str, change: Callable[[dict], object]) -> None:
    """Change what a notebook has recorded."""
    manifest = read_manifest(root / "figures")
    change(manifest["numbers"][by])
    (root / "figures" / MANIFEST).write_bytes(json_bytes(manifest))


def test_products_are_adopted_and_then_identical(roots: Folders) -> None:
    """Tables and numbers are new, then identical, and numbers carry the name of their notebook."""
    assert adopted(roots) == {"tables/terms": "new", "numbers/one": "new"}
    assert adopted(roots) == {"tables/terms": "identical", "numbers/one": "identical"}
    assert {entry["notebook"] for entry in numbers_of(read_manifest(roots[1] / "figures")).values()} == {"one"}
    assert compare_products(*roots)["status"].tolist() == ["identical", "identical"]


@pytest.mark.parametrize(
    ("key", "value", "platform", "status"),
    [("flower.count", 9, "", "different"), ("flower.count", 9, "riscv", "different"),
     ("flower.ratio", 0.5 + 1e-12, "", "different"), ("flower.ratio", 0.5 + 1e-12, "riscv", "within tolerance"),
     ("flower.ratio", 0.5001, "riscv", "within tolerance"),
     ("flower.ratio", 0.5001, "", "different"), ("flower.verdict", "higher", "riscv", "different")],
)  # fmt: skip
def test_a_number_that_differs(roots: Folders, key: str, value: object, platform: str, status: str) -> None:
    """Counts and words must be equal anywhere; other numbers may differ on another platform alone, unseen in their text."""
    adopted(roots)
    change_numbers(roots[0], RECORDER, lambda entry: entry["values"][key].update(value=value))
    change_numbers(roots[1], "one", lambda entry: entry["platform"].update(machine=platform or entry["platform"]["machine"]))
    table = compare_numbers(roots[0] / "figures", roots[1] / "figures", by="one").set_index("name")
    assert table.loc[key, "status"] == status
    assert (table.drop(key)["status"] == "identical").all()
    assert adopted(roots)["numbers/one"] == status


@pytest.mark.parametrize(("value", "status"), [(0.5 + 1e-12, "within tolerance"), (0.5001, "different")])
def test_a_number_that_is_seen_to_differ(roots: Folders, value: float, status: str) -> None:
    """A number whose printed text differs on another platform is within tolerance only if it is as good as equal."""
    adopted(roots)
    change_numbers(roots[0], RECORDER, lambda entry: entry["values"]["flower.ratio"].update(value=value, text=repr(value)))
    change_numbers(roots[1], "one", lambda entry: entry["platform"].update(machine="riscv"))
    table = compare_numbers(roots[0] / "figures", roots[1] / "figures", by="one").set_index("name")
    assert table.loc["flower.ratio", "status"] == status


def test_what_a_notebook_made_is_adopted_in_one_change(folders: Folders, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both figures and the numbers of a notebook reach their folder in one change, so that a kill leaves no mixture."""
    fresh, kept = tmp_path / "made", tmp_path / "kept"
    shutil.copytree(folders[0], fresh / "figures")
    manifest = read_manifest(fresh / "figures")
    manifest["numbers"] = {RECORDER: {"platform": {}, "values": {"flower.count": {"value": 8, "text": "8"}}}}
    (fresh / "figures" / MANIFEST).write_bytes(json_bytes(manifest))
    changes: list[set[str]] = []
    write = verify.write_together
    monkeypatch.setattr(verify, "write_together", lambda folder, files: (changes.append({*files}), write(folder, files)))
    assert adopted((fresh, kept)) == {"other": "new", "shift": "new", "numbers/one": "new"}
    assert len(changes) == 1 and changes[0] >= {MANIFEST, "shift.csv", "shift.json", "other.csv"}
    assert compare_products(fresh, kept, by="one")["status"].tolist() == ["identical"] * 3


def test_numbers_that_come_and_go(roots: Folders) -> None:
    """A number that is no longer recorded goes, a new one comes, and another notebook's numbers stay."""
    adopted(roots)
    change_numbers(roots[0], RECORDER, lambda entry: entry.update(values={"tree.count": {"value": 1, "text": "1"}}))
    adopted(roots, "two")
    assert set(numbers_of(read_manifest(roots[1] / "figures"))) >= {"flower.count", "tree.count"}
    change_numbers(roots[0], RECORDER, lambda entry: entry.update(values={}))
    assert adopted(roots)["numbers/one"] == "missing"
    assert set(numbers_of(read_manifest(roots[1] / "figures"))) == {"tree.count"}
    assert prune_numbers(roots[1] / "figures", ["one"]) == ["two"]
    assert not numbers_of(read_manifest(roots[1] / "figures"))


def test_a_key_of_two_notebooks(roots: Folders) -> None:
    """A key that another notebook has recorded is refused with both names, and nothing is changed."""
    adopted(roots)
    before = contents(roots[1] / "figures")
    with pytest.raises(FigureError, match=r"The number 'flower\.count' is recorded by one and by two"):
        adopted(roots, "two")
    assert contents(roots[1] / "figures") == before


def test_word_file_of_another_computer(roots: Folders) -> None:
    """A Word file that only one computer could write is no difference."""
    adopted(roots)
    for root, version in zip(roots, (ABSENT, "1.2.0"), strict=True):
        path = root / "tables" / MANIFEST
        manifest = json.loads(path.read_text(encoding="utf-8"))
        entry = manifest["tables"]["terms"]
        entry["files"].pop("terms.docx", None)
        entry["platform"][WORD_PACKAGE] = version
        if version != ABSENT:
            (root / "tables" / "terms.docx").write_bytes(b"word")
            entry["files"]["terms.docx"] = sha256(b"word")
        path.write_bytes(json_bytes(manifest))
    assert adopted(roots)["tables/terms"] == "within tolerance"
    assert (roots[1] / "tables" / "terms.docx").read_bytes() == b"word"


def test_kit_is_compared(roots: Folders) -> None:
    """A kit is missing, then identical; a file changed by hand, or numbers that moved on, are different."""
    study, folder = make_study(roots[0]), roots[0] / "figures"
    (folder / "README.md").unlink(missing_ok=True)
    assert set(compare_kit(folder, study)["status"]) == {"missing", "identical"}
    build_kit(folder, study)
    assert set(compare_kit(folder, study)["status"]) == {"identical"}
    (folder / "captions.tex").write_text("by hand", encoding="utf-8")
    change_numbers(roots[0], RECORDER, lambda entry: entry["values"]["flower.count"].update(text="9"))
    table = compare_kit(folder, study)
    assert {"captions.tex", "numbers.tex"} <= set(table[table["status"] == "different"]["name"])
