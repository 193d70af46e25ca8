"""Tell at once that nothing has changed since the last build: standard library only, no analysis is imported."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from .files import sha256, write_atomically

PARTS = ("data", "notebooks", "figures", "tables", "build/html", "build/notebooks")
PACKAGES = ("numpy", "scipy", "pandas", "matplotlib", "scikit-learn", "nbconvert", "nbclient")
RECORD = "build/settled.json"


def digest(root: Path) -> str:
    """Return a digest of everything that a build reads or writes: library, data, notebooks, products and versions."""
    library = Path(__file__).parent
    files = [path for path in library.rglob("*") if path.is_file() and path.suffix != ".pyc"]
    files += [path for part in PARTS for path in (root / part).rglob("*") if path.is_file()]
    lines = [
        f"{path.relative_to(library if library in path.parents else root).as_posix()} {sha256(path)}" for path in sorted(files)
    ]
    return sha256("\n".join([sys.version, *map(_version, PACKAGES), *lines]).encode())


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "missing"


def settle(root: Path, names: Sequence[str]) -> None:
    """Record that the study is built: its digest, and the names of what was compared."""
    record = {"digest": digest(root), "names": list(names)}
    write_atomically(root / RECORD, json.dumps(record, ensure_ascii=False, indent=1).encode("utf-8"))


def settled(root: Path) -> list[str] | None:
    """Return the names of what stands built and unchanged, or None where anything differs from the record."""
    try:
        record = json.loads((root / RECORD).read_text(encoding="utf-8"))
        same = record["digest"] == digest(root)
        return [str(name) for name in record["names"]] if same else None
    except (OSError, ValueError, KeyError, TypeError):
        return None
