"""Compare rebuilt figures, tables and numbers with the committed ones: identical, within tolerance, different, new or missing."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from .errors import FigureError
from .files import sha256, write_atomically, write_together
from .kit import RECORDER, kit_files, numbers_of
from .publish import MANIFEST, json_bytes, read_manifest
from .study import Study
from .tables import ABSENT, WORD_PACKAGE

TOLERANCE = 1e-8
MODEL_TOLERANCE = 1e-4  # rounds of a fit multiply the last digit in which processors differ: up to 2e-5 was seen
MODELS = ("fit_topics", "topic_places", "prevalence")
COLUMNS = ("name", "status", "what")
KINDS = ("figures", "tables")
LISTED = 3


def compare_products(fresh: Path, committed: Path, *, by: str | None = None) -> pd.DataFrame:
    """Compare figures, tables and numbers of two folders of a study.

    Parameters
    ----------
    fresh, committed
        Folders that hold `figures/` and `tables/`.
    by
        The notebook that made what is fresh: only that is compared, and numbers with those it recorded before.

    Returns
    -------
    pandas.DataFrame
        `name, status, what`: figures by name, tables as `tables/<name>`, all numbers in one row; see :func:`compare_figures`.
    """
    parts = []
    for kind in KINDS:
        names = sorted(read_manifest(fresh / kind, kind=kind)[kind]) if by is not None else None
        table = compare_figures(fresh / kind, committed / kind, names, kind=kind)
        parts.append(table.assign(name=table["name"] if kind == "figures" else f"{kind}/" + table["name"].astype(str)))
    numbers = compare_numbers(fresh / "figures", committed / "figures", by=by)
    parts.append(summary(f"numbers{'/' if by else ''}{by or ''}", numbers))
    return pd.concat(parts, ignore_index=True)


def summary(name: str, table: pd.DataFrame) -> pd.DataFrame:
    """Return a table of statuses as one row under a name, or none if it is empty: what is not identical comes first.

    Returns
    -------
    pandas.DataFrame
        `name, status, what`.
    """
    found = [
        status for status in ("different", "new", "missing", "within tolerance", "identical") if (table["status"] == status).any()
    ]
    if not found:
        return pd.DataFrame([], columns=list(COLUMNS))
    mixed = len(found) > 1 and found[0] in ("new", "missing")
    unlike = [f"{row['name']}: {row['what']}" for row in table.to_dict("records") if row["status"] != "identical"]
    more = [f"and {len(unlike) - LISTED} more"] if len(unlike) > LISTED else []
    row = (name, "different" if mixed else found[0], "; ".join([*unlike[:LISTED], *more]))
    return pd.DataFrame([row], columns=list(COLUMNS))


def compare_numbers(fresh: Path, committed: Path, *, by: str | None = None) -> pd.DataFrame:
    """Compare the recorded numbers of two folders of figures by key; with `by`, the committed ones of one notebook only.

    Counts and words must be equal. On another platform than the recorded one other numbers may differ by 1e-8 of their size,
    or where their printed text is the same.

    Returns
    -------
    pandas.DataFrame
        `name, status, what`, as :func:`compare_figures` gives them; the name is the key.
    """
    made, kept = (_recorded(folder) for folder in (fresh, committed))
    kept = {key: entry for key, entry in kept.items() if by is None or entry["notebook"] == by}
    rows = [(key, *_number_status(made.get(key), kept.get(key))) for key in sorted({*made, *kept})]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _recorded(folder: Path) -> dict[str, dict[str, Any]]:
    """Return the numbers of a folder by key, each with the platform on which it was recorded."""
    manifest = read_manifest(folder)
    return {key: entry | manifest["numbers"][entry["notebook"]] for key, entry in numbers_of(manifest).items()}


def _number_status(made: Mapping[str, Any] | None, kept: Mapping[str, Any] | None) -> tuple[str, str]:
    """Return the status of one number, and what differs."""
    if kept is None or made is None:
        return ("new", "not recorded before") if kept is None else ("missing", "no notebook records it any more")
    one, two = made["value"], kept["value"]
    if type(one) is type(two) and one == two and made["text"] == kept["text"]:
        return "identical", ""
    what = f"{made['text']} here, {kept['text']} recorded"
    near = made["text"] == kept["text"] or bool(np.isclose(one, two, rtol=TOLERANCE, atol=0)) if _floats(one, two) else False
    return ("within tolerance" if near and made["platform"] != kept["platform"] else "different"), what


def _floats(*values: object) -> bool:
    return all(isinstance(value, float) for value in values)


def compare_kit(folder: Path, study: Study) -> pd.DataFrame:
    """Compare the citation kit of a folder of figures with what its manifest makes of it, file by file.

    Returns
    -------
    pandas.DataFrame
        `name, status, what`: *identical*, *different* or *missing*.
    """
    rows = []
    for name, content in kit_files(folder, study).items():
        there = (folder / name).exists()
        same = there and (folder / name).read_bytes() == content
        words = "" if same else f"{'changed by hand or out of date' if there else 'not there'}; reproduce writes it"
        rows.append((name, "identical" if same else "different" if there else "missing", words))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def compare_figures(fresh: Path, committed: Path, names: list[str] | None = None, *, kind: str = "figures") -> pd.DataFrame:
    """Compare the figures of two folders, or their tables (`kind`), file by file.

    Bytes are compared on the platform that the committed manifest records. On another platform the drawn tables are
    compared instead: text and counts exactly, other numbers to a relative tolerance of 1e-8; of a fitted model, 1e-4.

    Parameters
    ----------
    fresh, committed
        Folders with a `MANIFEST.json`.
    names
        The figures to compare; by default all of either folder.

    Returns
    -------
    pandas.DataFrame
        `name, status, what`: *identical*, *within tolerance* (another platform), *different*, *new* or *missing*.
    """
    made, kept = (read_manifest(folder, kind=kind)[kind] for folder in (fresh, committed))
    rows = [(name, *_status(name, fresh, committed, made, kept)) for name in (sorted({*made, *kept}) if names is None else names)]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _status(name: str, fresh: Path, committed: Path, made: Mapping[str, Any], kept: Mapping[str, Any]) -> tuple[str, str]:
    """Return the status of one figure, and what differs."""
    if name not in kept:
        return "new", "not in the committed manifest"
    if name not in made:
        return "missing", "no notebook publishes it any more"
    altered = [file for file, digest in kept[name]["files"].items() if _digest(committed / file) != digest]
    if altered:
        return "different", f"changed by hand: {', '.join(altered)}"
    one, two = made[name], kept[name]
    unlike = sorted(file for file in {*one["files"], *two["files"]} if one["files"].get(file) != two["files"].get(file))
    words = [key for key in ("caption", "alt", "settings", "title", "licence") if one.get(key) != two.get(key)]
    if not unlike and not words:
        return "identical", ""
    if one["platform"] == two["platform"]:
        return "different", ", ".join([*unlike, *words])
    tables = [file for file in unlike if file.endswith(".csv")]
    model = two["settings"].get("function") in MODELS
    beyond = [file for file in tables if not _close(fresh / file, committed / file, MODEL_TOLERANCE if model else 0.0)]
    beyond += [
        file for file in unlike if (file not in one["files"] or file not in two["files"]) and not _unwritten(file, one, two)
    ]
    beyond += [word for word in words if word != "settings"]
    if beyond:
        return "different", ", ".join(beyond)
    return "within tolerance", f"another platform: {_platform_difference(one['platform'], two['platform'])}"


def _unwritten(file: str, one: Mapping[str, Any], two: Mapping[str, Any]) -> bool:
    """Return whether a file is missing only because the package that writes it was not installed on one side."""
    return file.endswith(".docx") and ABSENT in (entry["platform"].get(WORD_PACKAGE) for entry in (one, two))


def _digest(path: Path) -> str:
    return sha256(path) if path.exists() else ""


def _platform_difference(one: Mapping[str, str], two: Mapping[str, str]) -> str:
    return ", ".join(
        f"{key} {one.get(key)} here, {two.get(key)} recorded" for key in sorted({*one, *two}) if one.get(key) != two.get(key)
    )


def _close(one: Path, two: Path, slack: float) -> bool:
    """Return whether two tables agree: shape, names and text exactly, numbers within the tolerance or, if more, the slack."""
    if not one.exists() or not two.exists():
        return False
    left, right = (pd.read_csv(io.BytesIO(path.read_bytes()), keep_default_na=False) for path in (one, two))
    if list(left.columns) != list(right.columns) or len(left) != len(right):
        return False
    return all(_column_close(left[name], right[name], slack) for name in left.columns)


def _column_close(left: pd.Series[Any], right: pd.Series[Any], slack: float) -> bool:
    if left.equals(right):
        return True
    if pd.api.types.is_integer_dtype(left) and pd.api.types.is_integer_dtype(right):
        return False
    a, b = pd.to_numeric(left, errors="coerce"), pd.to_numeric(right, errors="coerce")
    text = (a.isna() & (left.astype(str) != "")) | (b.isna() & (right.astype(str) != ""))
    near = np.allclose(a[~text], b[~text], rtol=max(TOLERANCE, slack), atol=slack, equal_nan=True)
    return bool((left[text] == right[text]).all() and near)


def adopt_products(fresh: Path, committed: Path, table: pd.DataFrame, *, by: str) -> list[str]:
    """Put what one notebook made into the committed folders, as the table of :func:`compare_products` says; return the names.

    Raises
    ------
    FigureError
        If the notebook records a number that another notebook has recorded; nothing is then changed.
    """
    _check_owner(fresh / "figures", committed / "figures", by)
    numbers = table[table["name"] == f"numbers/{by}"]["status"]
    renewed = not numbers.isin(["identical", "within tolerance"]).all()
    changed = []
    for kind in KINDS:
        chosen = table[table["name"].str.startswith(f"{kind}/") if kind == "tables" else ~table["name"].str.contains("/")]
        bare = chosen.assign(name=chosen["name"].str.removeprefix(f"{kind}/"))
        changed += adopt(fresh / kind, committed / kind, bare, kind=kind, numbers=by if renewed and kind == "figures" else "")
    return [*changed, *([f"numbers/{by}"] if renewed else [])]


def _check_owner(fresh: Path, committed: Path, by: str) -> None:
    """Refuse a number that belongs to another notebook."""
    kept = numbers_of(read_manifest(committed))
    for key in numbers_of(read_manifest(fresh)):
        if key in kept and kept[key]["notebook"] not in (by, RECORDER):
            raise FigureError(
                f"The number {key!r} is recorded by {kept[key]['notebook']} and by {by}. Give one of them another key."
            )


def _with_numbers(manifest: dict[str, Any], fresh: dict[str, Any], by: str) -> None:
    """Replace the numbers of one notebook in a manifest by those it has just recorded."""
    made = fresh.get("numbers", {}).get(RECORDER)
    recorders = {name: entry for name, entry in manifest.get("numbers", {}).items() if name not in (by, RECORDER)}
    manifest["numbers"] = recorders | ({by: made} if made else {})


def prune_numbers(committed: Path, notebooks: list[str]) -> list[str]:
    """Take the numbers of notebooks that are gone out of a manifest; return the names of those notebooks."""
    manifest = read_manifest(committed)
    gone = sorted(set(manifest.get("numbers", {})) - set(notebooks))
    if gone:
        manifest["numbers"] = {name: entry for name, entry in manifest["numbers"].items() if name not in gone}
        write_atomically(committed / MANIFEST, json_bytes(manifest))
    return gone


def adopt(fresh: Path, committed: Path, table: pd.DataFrame, *, kind: str = "figures", numbers: str = "") -> list[str]:
    """Put new and different figures (or tables) into the committed folder, and take missing ones out; return their names.

    All is replaced in one change, with the numbers of the notebook called `numbers`, if one is named. Figures that are
    identical or within tolerance keep their committed files.
    """
    changed, missing = (
        table[table["status"].isin(statuses)]["name"].tolist() for statuses in (("new", "different"), ("missing",))
    )
    made, manifest = read_manifest(fresh, kind=kind), read_manifest(committed, kind=kind)
    files: dict[str, bytes | None] = {}
    earlier: set[str] = set()
    for name in changed:
        earlier |= set(manifest[kind].get(name, {"files": {}})["files"])
        entry = manifest[kind][name] = made[kind][name]
        files |= {file: (fresh / file).read_bytes() for file in (*entry["files"], f"{name}.json")}
    for name in missing:
        earlier |= {*manifest[kind].pop(name)["files"], f"{name}.json"}
    if numbers:
        _with_numbers(manifest, made, numbers)
    if changed or missing or numbers:
        gone = dict.fromkeys(sorted(earlier - set(files)))
        write_together(committed, {**files, **gone, MANIFEST: json_bytes(manifest)})
    return [*changed, *missing]
