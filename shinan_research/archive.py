"""Pack a study into one zip to deposit: sources, data, lock, figures, tables, executed notebooks, pages, and how to replicate."""

from __future__ import annotations

import html
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .build import digest_of_engine, is_stale, notebooks, read_state
from .errors import ShinanError
from .files import sha256, write_atomically
from .kit import citation, markdown, slug
from .messages import LANGUAGES, say
from .publish import json_bytes, read_manifest, zip_bytes
from .study import Study, open_study
from .verify import compare_kit

FOLDERS = (".ci", "data", "figures", "notebooks", "shinan_research", "tables", "tests", "tools", "build/html", "build/notebooks")
FILES = (
    ".gitattributes", ".gitignore", "CHANGELOG.md", "CITATION.cff", "LICENSE", "LICENSES.md", "Makefile", "README.md",
    "README.zh.md", "SECURITY.md", "environment.yml", "pyproject.toml", "requirements.lock", "start.py",
)  # fmt: skip
LIBRARY = Path(__file__).parent
LEFT_OUT = ("__pycache__", ".ipynb_checkpoints")
README = "REPLICATION.md"
DEPOSIT = ".zenodo.json"
SUMS = "SHA256SUMS"
SECONDS = 120


def archive(root: Path, output: Path) -> Path:
    """Pack a study into one zip, the same bytes every time; return its path.

    Sources, data, lock, figures, tables, executed notebooks and pages go under one folder, with `REPLICATION.md` (data and
    rights, software, run time, how to run, which notebook makes which figure), `.zenodo.json` and `SHA256SUMS`. Only
    named files and folders are packed, so that nothing private beside them is. The zip is not compressed: its bytes depend
    on no compressor.

    Parameters
    ----------
    root
        The study.
    output
        The zip to write, or a folder to write it into.

    Raises
    ------
    ShinanError
        If the study is not built, the build is out of date, a file to be packed is a link, or `output` is in a packed folder.
    """
    study = open_study(root)
    state = _checked_state(study)
    if any(output.resolve().is_relative_to(study.root / place) for place in FOLDERS):
        raise ShinanError(f"{output} lies in a folder that is packed itself. Write the archive elsewhere, as into dist.")
    name = "-".join(filter(None, [slug(study.place["en"]), slug(f"{study.before} {study.after}")])) or "study"
    files = dict(_packed(study.root))
    files[README] = _readme(study, state)
    files[DEPOSIT] = json_bytes(_deposit(study))
    files[SUMS] = "".join(f"{sha256(content)}  {path}\n" for path, content in sorted(files.items())).encode("utf-8")
    target = output if output.suffix == ".zip" else output / f"{name}.zip"
    write_atomically(target, zip_bytes({f"{name}/{path}": content for path, content in files.items()}))
    return target


def _checked_state(study: Study) -> dict[str, Any]:
    """Return the record of the last build, or refuse one that is missing or out of date."""
    state, engine = read_state(study.root), digest_of_engine(study)
    if not state["notebooks"]:
        raise ShinanError(f"{study.root.name} is not built: build/ holds no record. Run reproduce first, then archive.")
    stale = [path.name for path in notebooks(study.root) if is_stale(study.root, path, engine, state)]
    kit = compare_kit(study.root / "figures", study)
    stale += [f"figures/{name}" for name in kit[kit["status"] != "identical"]["name"]]
    if stale:
        raise ShinanError(f"build/ is out of date: {', '.join(stale)}. Run reproduce, look at what changed, then archive.")
    return state


def _packed(root: Path) -> Iterator[tuple[str, bytes]]:
    """Yield path and bytes of every file that is packed."""
    places = {name: root / name for name in (*FOLDERS, *FILES)}
    if not places[LIBRARY.name].is_dir():
        places[LIBRARY.name] = LIBRARY
    for name, place in places.items():
        if place.is_symlink():
            raise ShinanError(f"{name} is a link. Put the files themselves there, so that the archive holds them.")
        for path in sorted(place.rglob("*")) if place.is_dir() else [place]:
            inside = path.relative_to(place)
            if any(part in LEFT_OUT or part.startswith(".") for part in inside.parts):
                continue
            if path.is_symlink():
                raise ShinanError(
                    f"{name}/{inside.as_posix()} is a link. Put the file itself there, so that the archive holds it."
                )
            if path.is_file() and path.suffix != ".pyc":
                yield f"{name}/{inside.as_posix()}" if inside.parts else name, path.read_bytes()


def _readme(study: Study, state: dict[str, Any]) -> bytes:
    """Return how to replicate the study, in the order that data editors of the social sciences ask for."""
    lines = [f"# {markdown(study.title['zh'])}", "", markdown(study.title["en"]), ""]
    for key, body in (
        ("data", _data(study)), ("software", _software(study)), ("time", []), ("run", []), ("list", _made(study, state)),
    ):  # fmt: skip
        lines += [f"## {say(f'archive.{key}.title', 'both')}", ""]
        for language in LANGUAGES:
            lines += [
                say(f"archive.{key}.words", language, seconds=SECONDS, licence=study.licence, place=study.place[language]),
                "",
            ]
        lines += [*body, *([""] if body else [])]
    return "\n".join(lines).encode("utf-8")


def _table(names: list[str], rows: list[list[str]]) -> list[str]:
    """Return a table in Markdown."""
    return [f"| {' | '.join(cells)} |" for cells in (names, ["---"] * len(names), *rows)]


def _data(study: Study) -> list[str]:
    """Return where every source came from, when, and with what right; then every other file of the data by its hash."""
    keys = ("path", "source", "address", "retrieved", "licence")
    rows = [[markdown(str(entry.get(key, "–"))) for key in keys] for entry in study.files]
    paths = sorted(path for path in study.data.rglob("*") if path.is_file() and not path.name.startswith("."))
    sums = [[markdown(f"data/{path.relative_to(study.data).as_posix()}"), f"`{sha256(path)}`"] for path in paths]
    listed = _table([say(f"archive.column.{key}", "both") for key in keys], rows) if rows else []
    return [*listed, "", *_table([say("archive.column.path", "both"), "SHA-256"], sums)]


def _software(study: Study) -> list[str]:
    """Return the platform on which the figures were made, as the manifest records it."""
    entries = read_manifest(study.root / "figures")["figures"]
    platforms = [entry["platform"] for _, entry in sorted(entries.items())]
    lines = sorted({", ".join(f"{key} {value}" for key, value in platform.items()) for platform in platforms})
    return [f"- {markdown(line)}" for line in lines]


def _made(study: Study, state: dict[str, Any]) -> list[str]:
    """Return which notebook makes which figure and table, and how many numbers it records."""
    numbers = read_manifest(study.root / "figures").get("numbers", {})
    rows = []
    for stem, record in sorted(state["notebooks"].items()):
        products = [*record.get("figures", []), *(f"tables/{name}" for name in record.get("tables", []))]
        count = len(numbers.get(stem, {}).get("values", {}))
        rows.append([markdown(f"notebooks/{stem}.ipynb"), markdown(", ".join(products)) or "–", str(count)])
    return _table([say(f"archive.column.{key}", "both") for key in ("notebook", "products", "numbers")], rows)


def _deposit(study: Study) -> dict[str, Any]:
    """Return what Zenodo asks for: title, description, creators, licence, keywords; what is not known is left out."""
    source = citation(study.root)
    words = " ".join([study.title["zh"], study.title["en"], *source["abstract"].split()])
    found: dict[str, Any] = {
        "upload_type": "dataset", "access_right": "open", "language": "zho",
        "title": f"{study.title['en']} · {study.title['zh']}", "description": f"<p>{html.escape(words)}</p>",
        "creators": [{"name": name} for name in source["authors"]], "license": study.licence.lower().replace(" ", "-"),
        "keywords": source["keywords"], "version": source["version"], "doi": source["doi"],
    }  # fmt: skip
    return {key: value for key, value in found.items() if value}
