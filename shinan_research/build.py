"""Build a study: run the notebooks in a copy, compare their figures with the committed ones, export the pages."""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pandas as pd

from .dictionary import RESOURCES
from .errors import ApparatusError, ShinanError
from .files import recover, replace_together, sha256, write_atomically
from .gallery import gallery
from .inline import MIME, terms_of
from .kit import build_kit, record_prose
from .passages import FOLDER, Passages
from .publish import json_bytes, read_manifest, running_platform
from .render import run_notebooks
from .study import Study, open_study
from .verify import COLUMNS, KINDS, adopt_products, compare_kit, compare_products, prune_numbers, summary

if TYPE_CHECKING:
    from nbformat import NotebookNode

Say = Callable[[str], None]
Ran = tuple[Path, Path, "NotebookNode"]  # its source, the copy of the study that it ran in, and its outputs


def reproduce(root: Path, *, say: Say) -> pd.DataFrame:
    """Rebuild what has changed: executed notebooks, pages and figures.

    A notebook runs again when it, the library, the data or the platform has changed, or one of its products is
    not as it was left. Each rebuilt figure is compared with the committed one before it replaces it.

    Returns
    -------
    pandas.DataFrame
        `name, status, what`: figures, tables, numbers of each notebook, citation kit; see
        :func:`~shinan_research.verify.compare_products`.

    Raises
    ------
    ShinanError
        If a file cannot be read or a notebook fails; what is committed is then untouched.
    """
    study = open_study(root)
    engine, state, passages = digest_of_engine(study), read_state(study.root), Passages(study)
    sources = notebooks(study.root)
    stale = [path for path in sources if is_stale(study.root, path, engine, state)]
    say(f"{study.title['en']}: {len(stale)} of {len(sources)} notebooks to run")
    names = [path.stem for path in sources]
    written: dict[str, bytes] = {}
    with ThreadPoolExecutor(1) as beside, closing(_run_each(study, stale, say)) as ran, _products(study.root) as whole:
        audits = beside.submit(examine, study, state.get("audit", {}), say=say)
        for path, stage, notebook in _after(audits, ran):
            state["notebooks"][path.stem], pages = _adopt(passages, path, engine, stage, notebook, whole)
            written |= pages
        state["audit"] = audits.result()
        prune_numbers(whole / "figures", names)
        kit = summary("citation kit", compare_kit(whole / "figures", study).replace({"status": {"missing": "new"}}))
        build_kit(whole / "figures", study)
    for file, content in written.items():
        write_atomically(study.root / file, content)
    for path in sources:
        _renew_page(passages, path, state["notebooks"][path.stem])
    state["notebooks"] = {name: state["notebooks"][name] for name in names}
    _index(study, state)
    _write_passages(passages, engine, state)
    write_atomically(study.root / "build" / "state.json", json_bytes(state))
    table = _closing(study, state, [path.stem for path in stale])
    return pd.concat([table, kit], ignore_index=True)


@contextmanager
def _products(root: Path) -> Iterator[Path]:
    """Yield a folder with the figures and tables of a study; what the body changes there is then changed in the study at once.

    After a failure, or a kill at any moment, the study holds what it held or what it will hold, never some of each.
    """
    with tempfile.TemporaryDirectory(prefix="shinan-") as scratch:
        whole = Path(scratch)
        for kind in KINDS:
            recover(root / kind)
            if (root / kind).is_dir():
                shutil.copytree(root / kind, whole / kind, ignore=shutil.ignore_patterns(".*"))
        earlier = _digests(whole)
        yield whole
        now = _digests(whole)
        changes: dict[Path, dict[str, bytes | None]] = {root / kind: {} for kind in KINDS}
        for kind, name in sorted({*earlier, *now}):
            if (digest := now.get((kind, name))) != earlier.get((kind, name)):
                changes[root / kind][name] = (whole / kind / name).read_bytes() if digest else None
        if any(changes.values()):
            replace_together({folder: files for folder, files in changes.items() if files})


def _digests(whole: Path) -> dict[tuple[str, str], str]:
    """Return the hash of each figure's and table's files, by folder and name."""
    return {(kind, path.name): sha256(path) for kind in KINDS for path in (whole / kind).glob("*") if path.is_file()}


def _after(audits: Future[dict[str, Any]], ran: Iterator[Ran]) -> Iterator[Ran]:
    """Yield what has run once the audits are done, whose objection comes before that of a notebook."""
    try:
        first = next(ran, None)
    except ShinanError:
        audits.result()
        raise
    audits.result()
    if first is not None:
        yield first
        yield from ran


def examine(study: Study, known: dict[str, Any], *, say: Say) -> dict[str, Any]:
    """Audit each report without an apparatus once, and stop where a character is lost in it.

    Parameters
    ----------
    known
        Findings of earlier audits, by SHA-256 of the witness; those of the present reports without apparatus are returned.

    Raises
    ------
    ApparatusError
        If a character is *lost* and the report has no apparatus; *probably lost* is said and does not stop.
    """
    from .audit import audit

    found, silent = {}, []
    for report in study.reports():
        if report.id in study.emendations.attrs["reports"]:
            continue
        key = sha256(report.witness.encode())
        if key not in known:
            say(f"examining {report.id} for lost characters")
        table = known[key] if key in known else _suspects(audit([report]))
        found[key] = table
        for row in table:
            say(f"  {report.id}: {row['where']} {row['verdict']}. {row['evidence']}")
            silent += [f"{row['where']} in {report.id}"] if row["verdict"] == "lost" else []
    if silent:
        raise ApparatusError(
            f"Lost: {', '.join(silent)}, and the apparatus is silent. Look for another copy and collate it; or list what to "
            "put back in data/emendations/<report id>.csv (propose writes suggestions). A file with a header and no rows says "
            "that nothing is lost."
        )
    return found


def _suspects(findings: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the lost and probably lost characters of an audit as plain records."""
    chosen = findings[(findings["defect"] == "lost character") & findings["verdict"].isin(["lost", "probably lost"])]
    return [{name: str(row[name]) for name in ("where", "verdict", "evidence")} for row in chosen.to_dict("records")]


def notebooks(root: Path) -> list[Path]:
    """Return the notebooks of a study in the order of their names.

    Raises
    ------
    ShinanError
        If there are none.
    """
    found = sorted(path for path in (root / "notebooks").glob("*.ipynb") if not path.name.startswith("."))
    if not found:
        raise ShinanError(f"No notebooks in {root.name}/notebooks. Copy those of the package, or make the study with `new`.")
    return found


def digest_of_engine(study: Study) -> str:
    """Return a digest of everything that notebooks depend on beside their own text."""
    library = Path(__file__).parent
    files = sorted(
        path for path in library.rglob("*") if path.is_file() and path.suffix != ".pyc" and "notebooks" not in path.parts
    )
    parts = [f"{path.relative_to(library).as_posix()} {sha256(path)}" for path in files]
    return sha256("\n".join([*parts, study.data_hash, json.dumps(running_platform(), sort_keys=True)]).encode())


def read_state(root: Path) -> dict[str, Any]:
    """Return what the last build left on record; nothing, if the record is missing or damaged."""
    try:
        state = json.loads((root / "build" / "state.json").read_text(encoding="utf-8"))
        return state if isinstance(state["notebooks"], dict) else {"notebooks": {}}
    except (OSError, ValueError, RecursionError, KeyError, TypeError):
        return {"notebooks": {}}


def is_stale(root: Path, path: Path, engine: str, state: dict[str, Any]) -> bool:
    """Return whether a notebook must run: its inputs have changed, or a product is not as it was left."""
    record = state["notebooks"].get(path.stem, {})
    if record.get("inputs") != inputs(path, engine):
        return True
    if record.get("numbers") != _numbers(root, path.stem):
        return True
    return any(not (root / file).exists() or sha256(root / file) != digest for file, digest in record["products"].items())


def _run_each(study: Study, paths: Sequence[Path], say: Say) -> Generator[Ran, None, None]:
    """Run notebooks, each in a copy of the study; yield each in order with its copy, which lasts until all are done."""
    with tempfile.TemporaryDirectory(prefix="shinan-") as scratch:
        stages = [make_copy(study.root, Path(scratch, path.stem)) for path in paths]
        number = {path: f"[{place}/{len(paths)}]" for place, path in enumerate(paths, 1)}
        jobs = [(path, stage / "notebooks") for path, stage in zip(paths, stages, strict=True)]
        with closing(run_notebooks(jobs, started=lambda path: say(f"{number[path]} {path.name}"))) as ran:
            for path, stage, notebook in zip(paths, stages, ran, strict=True):
                record_prose(notebook, path.stem, study=replace(study, root=stage))
                yield path, stage, notebook


def _adopt(
    passages: Passages, path: Path, engine: str, stage: Path, notebook: NotebookNode, whole: Path
) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Adopt what a notebook made in a copy of the study into a folder of all products; return the record of it and its pages."""
    study = passages.study
    table = compare_products(stage, whole, by=path.stem)
    adopt_products(stage, whole, table, by=path.stem)
    made = {kind: sorted(read_manifest(stage / kind, kind=kind)[kind]) for kind in KINDS}
    outputs = [output.get("data", {}) for cell in notebook.cells for output in cell.get("outputs", [])]
    figures = [data[MIME] for data in outputs if MIME in data]
    written = {f"build/notebooks/{path.name}": _bytes(notebook), f"build/html/{path.stem}.html": _page(passages, path, notebook)}
    products = {file: sha256(content) for file, content in written.items()}
    for kind, names in made.items():
        entries = read_manifest(whole / kind, kind=kind)[kind]
        products |= {f"{kind}/{file}": digest for name in names for file, digest in entries[name]["files"].items()}
    record: dict[str, Any] = {
        "inputs": inputs(path, engine), "links": _links(study, path), "products": products, "title": _title(path), **made,
        "terms": terms_of(figures), "numbers": _numbers(whole, path.stem),
        "status": table.set_index("name")[["status", "what"]].T.to_dict(),
    }  # fmt: skip
    return record, written


def _page(passages: Passages, path: Path, notebook: NotebookNode) -> bytes:
    """Return the page of an executed notebook."""
    from .exporter import export_html

    study = passages.study
    links = [(where, words) for where, words in _links(study, path)]
    page = export_html(notebook, title=_title(path), language=study.language, links=links, address=passages.address)
    return page.encode("utf-8")


def _renew_page(passages: Passages, path: Path, record: dict[str, Any]) -> None:
    """Write the page of a notebook anew, where the title of a neighbour has changed and the notebook has not."""
    import nbformat

    study = passages.study
    if record.get("links") == (links := _links(study, path)):
        return
    executed = nbformat.read(study.root / "build" / "notebooks" / path.name, as_version=4)
    file, page = f"build/html/{path.stem}.html", _page(passages, path, executed)
    write_atomically(study.root / file, page)
    record["links"], record["products"] = links, record["products"] | {file: sha256(page)}


def _numbers(root: Path, stem: str) -> str:
    """Return a digest of the numbers that a notebook has recorded."""
    return sha256(json_bytes(read_manifest(root / "figures").get("numbers", {}).get(stem, {})))


def make_copy(root: Path, folder: Path) -> Path:
    """Copy data and notebooks of a study into a folder, where they run without touching the originals."""
    for part in ("data", "notebooks"):
        shutil.copytree(root / part, folder / part, ignore=shutil.ignore_patterns(".*"), dirs_exist_ok=True)
    return folder


def _closing(study: Study, state: dict[str, Any], ran: list[str]) -> pd.DataFrame:
    """Return the status of every product: as compared in this run, or identical because nothing it depends on changed."""
    rows, made = [], set()
    for stem, record in state["notebooks"].items():
        made |= set(record["status"])
        for name, status in record["status"].items():
            rows.append((name, status["status"], status["what"]) if stem in ran else (name, "identical", ""))
    for kind in KINDS:
        prefix = "" if kind == "figures" else f"{kind}/"
        extra = {f"{prefix}{name}" for name in read_manifest(study.root / kind, kind=kind)[kind]} - made
        rows += [(name, "missing", "no notebook publishes it; delete it or restore its notebook") for name in sorted(extra)]
    return pd.DataFrame(sorted(rows), columns=list(COLUMNS))


def _title(path: Path) -> str:
    """Return the first heading of a notebook, or its name."""
    try:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        words = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    except (OSError, ValueError, RecursionError, LookupError, TypeError):
        return path.stem
    found = re.search(r"^# +(.+)$", words, re.MULTILINE)
    return found[1].strip() if found else path.stem


def _links(study: Study, path: Path) -> list[list[str]]:
    """Return address and words of the links at the head of a page: to the first page, the one before and the one after."""
    paths = notebooks(path.parent.parent)
    place = paths.index(path)
    around = {"before": paths[place - 1] if place else None, "after": next(iter(paths[place + 1 :]), None)}
    arrows = {"before": "← {}", "after": "{} →"}
    beside = [[f"{quote(one.stem)}.html", arrows[side].format(_title(one))] for side, one in around.items() if one]
    return [["index.html", study.title["en"]], *beside]


def inputs(path: Path, engine: str) -> str:
    """Return a digest of what an executed notebook depends on."""
    return sha256(json_bytes([engine, sha256(path)]))


def _bytes(notebook: Any) -> bytes:
    """Return an executed notebook as it is written."""
    import nbformat

    return f"{nbformat.writes(notebook)}\n".encode()


def _index(study: Study, state: dict[str, Any]) -> None:
    """Write the first page, where it has changed."""
    key = sha256(json_bytes([[stem, record["products"]] for stem, record in state["notebooks"].items()]))
    path = study.root / "build" / "html" / "index.html"
    if path.exists() and state.get("index") == key:
        return
    folder = study.root / "build" / "notebooks"
    executed = {stem: json.loads((folder / f"{stem}.ipynb").read_text(encoding="utf-8")) for stem in state["notebooks"]}
    write_atomically(path, gallery(study, state["notebooks"], executed).encode("utf-8"))
    state["index"] = key
    for old in sorted(path.parent.glob("*.html")):
        if old.stem not in {*state["notebooks"], "index"}:
            old.unlink()


def _write_passages(passages: Passages, engine: str, state: dict[str, Any]) -> None:
    """Write the pages of reports and terms that the figures' rows lead to, where they have changed or are missing."""
    folder = passages.study.root / "build" / "html" / FOLDER
    terms = sorted({term for record in state["notebooks"].values() for term in record.get("terms", [])})
    key = sha256(json_bytes([engine, terms]))
    if state.get("passages", {}).get("key") == key and all((folder / name).exists() for name in state["passages"]["files"]):
        return
    pages = passages.pages(terms)
    for name, content in pages.items():
        write_atomically(folder / name, content)
    for old in sorted(folder.glob("*.html")):
        if old.name not in pages:
            old.unlink()
    state["passages"] = {"key": key, "files": sorted(pages)}


def check(root: Path, *, say: Say) -> pd.DataFrame:
    """Rebuild every figure in a temporary folder and compare it with the committed one; write nothing else."""
    study = open_study(root)
    each = _run_each(study, notebooks(study.root), say)
    with tempfile.TemporaryDirectory(prefix="shinan-") as scratch, closing(each) as ran:
        whole = Path(scratch)
        for path, stage, _ in ran:
            adopt_products(stage, whole, compare_products(stage, whole, by=path.stem), by=path.stem)
        kit = summary("citation kit", compare_kit(study.root / "figures", study))
        return pd.concat([compare_products(whole, study.root), kit], ignore_index=True)


def working_copy(root: Path) -> Path:
    """Return the working copy `work/` of a study, made or completed; files that are there already are kept."""
    study, folder = open_study(root), root / "work"
    shutil.copytree(study.root / "data", folder / "data", dirs_exist_ok=True)
    for path in notebooks(study.root):
        copy = folder / "notebooks" / path.name
        if not copy.exists():
            write_atomically(copy, path.read_bytes())
    return folder


def package_notebooks() -> Path:
    """Return the folder of the notebooks that the package carries, in a wheel or in its repository."""
    inside = Path(str(RESOURCES)).parent / "notebooks"
    return inside if inside.is_dir() else inside.parent.parent / "notebooks"
