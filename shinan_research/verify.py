"""Compare rebuilt figures with the committed ones: identical, within tolerance, different, new or missing."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from .files import sha256, write_atomically, write_together
from .publish import MANIFEST, json_bytes, read_manifest

TOLERANCE = 1e-8
COLUMNS = ("name", "status", "what")


def compare_figures(fresh: Path, committed: Path, names: list[str] | None = None) -> pd.DataFrame:
    """Compare the figures of two folders, file by file.

    Bytes are compared on the platform that the committed manifest records. On another platform the drawn tables are
    compared instead: text and counts exactly, other numbers to a relative tolerance of 1e-8.

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
    made, kept = read_manifest(fresh)["figures"], read_manifest(committed)["figures"]
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
    beyond = [file for file in tables if not _close(fresh / file, committed / file)]
    beyond += [file for file in unlike if file not in one["files"] or file not in two["files"]]
    beyond += [word for word in words if word != "settings"]
    if beyond:
        return "different", ", ".join(beyond)
    return "within tolerance", f"another platform: {_platform_difference(one['platform'], two['platform'])}"


def _digest(path: Path) -> str:
    return sha256(path) if path.exists() else ""


def _platform_difference(one: Mapping[str, str], two: Mapping[str, str]) -> str:
    return ", ".join(
        f"{key} {one.get(key)} here, {two.get(key)} recorded" for key in sorted({*one, *two}) if one.get(key) != two.get(key)
    )


def _close(one: Path, two: Path) -> bool:
    """Return whether two tables agree: shape, names and text exactly, numbers within the tolerance."""
    if not one.exists() or not two.exists():
        return False
    left, right = (pd.read_csv(io.BytesIO(path.read_bytes()), keep_default_na=False) for path in (one, two))
    if list(left.columns) != list(right.columns) or len(left) != len(right):
        return False
    return all(_column_close(left[name], right[name]) for name in left.columns)


def _column_close(left: pd.Series[Any], right: pd.Series[Any]) -> bool:
    if left.equals(right):
        return True
    if pd.api.types.is_integer_dtype(left) and pd.api.types.is_integer_dtype(right):
        return False
    a, b = pd.to_numeric(left, errors="coerce"), pd.to_numeric(right, errors="coerce")
    text = (a.isna() & (left.astype(str) != "")) | (b.isna() & (right.astype(str) != ""))
    return bool((left[text] == right[text]).all() and np.allclose(a[~text], b[~text], rtol=TOLERANCE, atol=0, equal_nan=True))


def adopt(fresh: Path, committed: Path, table: pd.DataFrame) -> list[str]:
    """Put new and different figures into the committed folder, and take missing ones out; return their names.

    Figures that are identical or within tolerance keep their committed files.
    """
    changed = table[table["status"].isin(["new", "different"])]["name"].tolist()
    made = read_manifest(fresh)["figures"]
    for name in changed:
        manifest = read_manifest(committed)
        earlier = manifest["figures"].get(name, {"files": {}})["files"]
        manifest["figures"][name] = made[name]
        files = {file: (fresh / file).read_bytes() for file in (*made[name]["files"], f"{name}.json")}
        write_together(committed, {**files, MANIFEST: json_bytes(manifest)})
        for file in sorted(set(earlier) - set(files)):
            (committed / file).unlink(missing_ok=True)
    return [*changed, *_remove(committed, table[table["status"] == "missing"]["name"].tolist())]


def _remove(committed: Path, names: list[str]) -> list[str]:
    """Take figures that nothing publishes any more out of the manifest, then delete their files."""
    manifest = read_manifest(committed)
    entries = {name: manifest["figures"].pop(name) for name in names}
    if entries:
        write_atomically(committed / MANIFEST, json_bytes(manifest))
    for name, entry in entries.items():
        for file in (*entry["files"], f"{name}.json"):
            (committed / file).unlink(missing_ok=True)
    return names
