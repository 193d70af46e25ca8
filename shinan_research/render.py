"""Run notebooks: in one process, the same bytes on every run; and show a picture with its alt text."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import os
import re
import tempfile
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from html import escape
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

from .errors import FigureError, ShinanError
from .files import read_text
from .surroundings import ENVIRONMENT

if TYPE_CHECKING:  # Jupyter takes seconds to import and every notebook imports `show`: functions import what they need
    from nbformat import NotebookNode

MEMORY = re.compile(r"\b0x[0-9a-fA-F]{6,}")
CELL_FILE = re.compile(r"(?<!\S)\S*ipykernel_\d+\S*\.py")
COLOUR = re.compile("\x1b\\[[0-9;]*m")
PICTURE = re.compile(r"data:image/(png|jpeg);base64,[A-Za-z0-9+/=\s]+")
SMALL = (720, 720)
UNSEEN = re.compile("[\0-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def show(figure_png: bytes, *, alt: str, caption: str) -> None:
    """Display a figure in a notebook with its alt text and caption, at the width at which it is printed.

    The output is HTML (JupyterLab shows no alt text of a bare picture), the PNG, and the alt text as plain text.

    Raises
    ------
    FigureError
        If the alt text is empty or the bytes are no picture.
    """
    from IPython.display import display

    if not alt.strip():
        raise FigureError("A figure without alt text. Give a sentence that says what the figure shows.")
    encoded = base64.b64encode(figure_png).decode("ascii")
    width, height = printed_size(encoded)
    picture = f'<img alt="{escape(alt)}" width="{width}" height="{height}" src="data:image/png;base64,{encoded}">'
    figure = f"<figure>{picture}<figcaption>{escape(caption)}</figcaption></figure>"
    bundle = {"text/html": figure, "image/png": encoded, "text/plain": alt}
    display(bundle, raw=True, metadata={"image/png": {"alt": alt}})  # type: ignore[no-untyped-call]


def printed_size(encoded: str) -> tuple[int, int]:
    """Return the printed width and height of a picture in CSS pixels, 96 to the inch; without a resolution, its pixels.

    Raises
    ------
    FigureError
        If the bytes (in base64) are no picture.
    """
    from PIL import Image

    try:
        with Image.open(io.BytesIO(base64.b64decode(encoded))) as opened:
            scale = 96 / float(opened.info.get("dpi", (96, 96))[0])
            return round(opened.width * scale), round(opened.height * scale)
    except (OSError, ValueError, ZeroDivisionError) as error:
        raise FigureError(f"Not a picture: it begins with {encoded[:12]!r} (base64). Save the figure as PNG.") from error


def small_picture(encoded: str) -> str:
    """Return a picture (in base64) as one for a gallery, at most `SMALL` pixels wide and in few colours.

    Raises
    ------
    FigureError
        If the bytes are no picture.
    """
    from PIL import Image

    printed_size(encoded)
    target = io.BytesIO()
    with Image.open(io.BytesIO(base64.b64decode(encoded))) as opened:
        picture = opened.convert("RGB")
        picture.thumbnail(SMALL, Image.Resampling.LANCZOS, reducing_gap=2.0)
        picture.quantize(64, method=Image.Quantize.FASTOCTREE).save(target, "png")
    return base64.b64encode(target.getvalue()).decode("ascii")


def run_notebook(path: Path, *, working: Path, timeout: int = 600) -> NotebookNode:
    """Run a notebook in the folder `working` and return it with its outputs: see :func:`run_notebooks`."""
    with closing(run_notebooks([(path, working)], timeout=timeout)) as ran:
        return next(ran)


def run_notebooks(
    jobs: Sequence[tuple[Path, Path]],
    *,
    at_once: int = 2,
    timeout: int = 600,
    started: Callable[[Path], None] = lambda path: None,
) -> Generator[NotebookNode, None, None]:
    """Run notebooks, some at a time, each in a folder of its own; yield them with their outputs in the order given.

    Those whose metadata say `"long": true` begin first, so that none of them runs on alone at the end.

    The sources must have fixed cell ids and no outputs; the files are not touched. The kernel is the running interpreter
    with one thread, a fixed hash seed, the instructions that every processor has and no personal IPython settings; what
    differs from run to run (times, versions, file names in warnings) is taken out. Of several that fail the first in order is
    named. Close the generator to end what still runs.

    Parameters
    ----------
    jobs
        Notebooks, each with the folder to run in, which is made if need be.
    at_once
        How many kernels run at a time.
    timeout
        Seconds that a cell may take.
    started
        Told the path of each notebook when its kernel starts, from another thread.

    Raises
    ------
    ShinanError
        If a source is not such a notebook, a cell fails or takes too long, or an output names a memory address.
    """
    loop, gate = asyncio.SelectorEventLoop(), asyncio.Semaphore(at_once)  # of another kind zmq needs help on Windows

    async def one(path: Path, working: Path) -> NotebookNode:
        async with gate:
            started(path)
            return await _run(path, working, timeout)

    async def end() -> None:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    thread = Thread(target=loop.run_forever, name="notebooks", daemon=True)  # beside the main thread, which Ctrl-C reaches
    thread.start()
    try:
        begun = sorted(jobs, key=lambda job: not _is_long(job[0]))
        tasks = {job: asyncio.run_coroutine_threadsafe(one(*job), loop) for job in begun}
        for job in jobs:
            yield tasks[job].result()
    finally:
        asyncio.run_coroutine_threadsafe(end(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def _is_long(path: Path) -> bool:
    """Return whether a notebook says of itself that it takes long; one that cannot be read says nothing."""
    try:
        return bool(json.loads(path.read_text(encoding="utf-8"))["metadata"].get("long"))
    except (OSError, ValueError, RecursionError, LookupError, TypeError, AttributeError):
        return False


async def _run(path: Path, working: Path, timeout: int) -> NotebookNode:
    """Run a notebook and take out what differs from run to run."""
    notebook = _read_source(path)
    working.mkdir(parents=True, exist_ok=True)
    await _execute(notebook, path.name, working, timeout)
    notebook.metadata.get("language_info", {}).pop("version", None)
    notebook.metadata.pop("widgets", None)
    for number, cell in enumerate(notebook.cells, 1):
        cell.metadata.pop("execution", None)
        for output in cell.get("outputs", []):
            if "text" in output:
                output.text = CELL_FILE.sub("cell", output.text)
            texts = [value for kind, value in output.get("data", {}).items() if not kind.startswith("image/")]
            if found := MEMORY.search(PICTURE.sub("", f"{output.get('text')} {output.get('traceback')} {texts}")):
                raise ShinanError(f"{path.name}, cell {number}: shows an object by its address {found[0]}. Show what it holds.")
    return notebook


def _read_source(path: Path) -> NotebookNode:
    """Read a notebook; refuse one whose bytes would change by running it."""
    import nbformat

    text, seen = read_text(path), [""]
    try:
        for number, cell in enumerate(json.loads(text)["cells"], 1):
            if cell.get("id", "") in seen:
                raise ShinanError(f"{path.name}, cell {number}: no id of its own. JupyterLab gives one on saving.")
            if cell.get("outputs") or cell.get("execution_count"):
                raise ShinanError(f"{path.name}, cell {number}: holds an output. Clear all outputs and save.")
            seen.append(cell["id"])
        notebook: NotebookNode = nbformat.reads(text, as_version=4)
        nbformat.validate(notebook)
    except ShinanError:
        raise
    except (ValueError, RecursionError, LookupError, TypeError, AttributeError, nbformat.ValidationError) as error:
        reason = str(error).partition("\n")[0]
        raise ShinanError(f"{path.name}: not a notebook of format 4.5 ({reason}). Save it again in JupyterLab.") from error
    return notebook


async def _execute(notebook: NotebookNode, name: str, working: Path, timeout: int) -> None:
    """Run the cells of a notebook in place."""
    from jupyter_client.kernelspec import KernelSpecManager
    from jupyter_client.manager import AsyncKernelManager
    from nbclient import NotebookClient, exceptions

    reached = [1]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
        connection, specs = str(Path(scratch, "kernel.json")), KernelSpecManager(kernel_dirs=[])  # only our own python3
        client = NotebookClient(
            notebook, timeout=timeout, record_timing=False, coalesce_streams=True, shutdown_kernel="immediate",
            extra_arguments=["--log-level=ERROR"],
            km=AsyncKernelManager(kernel_name="python3", kernel_spec_manager=specs, transport="tcp", connection_file=connection),
            on_cell_start=lambda cell, cell_index: reached.append(cell_index + 1),
        )  # fmt: skip
        try:
            surroundings = os.environ | ENVIRONMENT | {"IPYTHONDIR": scratch, "MPLBACKEND": ""}
            await client.async_execute(cwd=str(working), env=surroundings, cleanup_kc=True)
        except exceptions.CellExecutionError as error:
            reason = ": ".join([error.ename, *error.evalue.strip().splitlines()[-1:]])
            shown = COLOUR.sub("", error.traceback).strip()
            raise ShinanError(f"{name}, cell {reached[-1]}: {reason}\n\n{shown}") from error
        except (exceptions.CellTimeoutError, exceptions.DeadKernelError) as error:
            reason = f"not done within {timeout} s, or the kernel died for want of memory"
            raise ShinanError(f"{name}, cell {reached[-1]}: {reason}. Run this cell alone to see which.") from error
