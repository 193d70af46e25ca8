"""Run one function over many reports: on one core, on several, or on a cluster, with one result.

Ten thousand reports on a cluster whose machines have this package installed (``pip install 'shinan-research[cluster]'``)::

    from functools import partial
    from dask.distributed import Client
    from shinan_research import compare, each_report, map_reports, stack, tally

    executor = Client("tcp://scheduler:8786").get_executor()
    tables = map_reports(partial(tally, witness=True), each_report("reports"), executor=executor, cache="build/tallies")
    shift = compare(stack(tables), 2031, 2032, unit="report", n_permutations=0)

The reports are read one at a time and sent in small batches, at most `WINDOW` of them on their way; the machines need neither
the folder nor a common disk. What comes back is kept in `cache`, one file a report, so that after a cut connection the same
lines go on where they stopped. From the command line the same is
``python -m shinan_research count FOLDER --before 2031 --after 2032 --cluster tcp://scheduler:8786``.
"""

from __future__ import annotations

import ctypes
import functools
import os
import types
import uuid
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import islice
from multiprocessing import get_context
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, TypeVar, cast

import numpy as np

from .errors import ShinanError
from .files import sha256, write_atomically
from .records import is_sound, is_table, to_bytes, unpacked
from .reports import Report

if TYPE_CHECKING:  # a process that counts does without pandas
    import pandas as pd

BATCH = 16  # reports sent together
TOGETHER = 8  # reports counted in one go: as many as the processor's cache holds
WINDOW = 32  # batches on their way at a time
SUFFIX = ".table"
DASK_TRIMS = "65536"  # what Dask sets MALLOC_TRIM_THRESHOLD_ to in its workers
MMAP_THRESHOLD, TRIM_THRESHOLD = (-3, 2**25), (-1, 2**26)  # options of mallopt and what they are set to
Table = TypeVar("Table", "pd.DataFrame", dict[str, Any])
Function = Callable[[Report], Any]


class Failure(NamedTuple):
    """What a function said about a report that it could not do."""

    words: str


Result: TypeAlias = "bytes | pd.DataFrame | dict[str, Any] | Failure"


@dataclass(frozen=True)
class Batch:
    """Reports that are sent together."""

    reports: list[Report]

    def __dask_tokenize__(self) -> str:
        """Return a name of its own: Dask would digest every text for one, which takes as long as counting its words."""
        return uuid.uuid4().hex


class Job(NamedTuple):
    """A report, where its result is kept (if anywhere), and the bytes that were found there."""

    report: Report
    path: Path | None
    found: bytes | None


def map_reports(
    function: Callable[[Report], Table],
    reports: Iterable[Report],
    *,
    executor: Executor | None = None,
    cache: str | Path | None = None,
    failed: Callable[[ShinanError], object] | None = None,
    progress: Callable[[int], object] | None = None,
) -> Iterator[Table]:
    """Yield what a function makes of each report, in the order of the reports.

    Whether a result was computed here, in another process, on another machine or earlier, it is the same to the byte
    (:func:`to_bytes`). Only the reports on their way and their results are held in memory.

    Parameters
    ----------
    function
        From a report to a table, or to a dict of arrays of one dimension and of what JSON holds, which is faster. For processes
        and clusters it must stand at the head of a module (options are added with `functools.partial`); columns are numbers,
        truth values, strings, tuples of these, or categories of strings. A function with an attribute `together`, which takes
        a list of reports, such as :func:`~shinan_research.tallies.tally`, is given several at a time, which takes less time.
    reports
        Reports, also from a generator: :func:`~shinan_research.reports.each_report` reads a folder as it goes.
    executor
        None for one core; any `concurrent.futures.Executor`, such as `ProcessPoolExecutor(2)`, or of a Dask cluster
        `Client("tcp://…").get_executor()`.
    cache
        A folder for the results, one file a report. Its name is a SHA-256 of the report with its emendations, of the function
        with its options (of a segmenter the fingerprint) and of this package's code: whatever changes is computed anew, all
        else is read. The files hold numbers and JSON; nothing in them is executed. None keeps nothing.
    failed
        Called with the error of each report on which the function fails, and the rest goes on. Without it the first such
        error is raised.
    progress
        Called with the number of reports done, after each.

    Returns
    -------
    Iterator of pandas.DataFrame or dict
        The function's tables, rows numbered from 0, or its dicts.

    Raises
    ------
    ShinanError
        If the function fails on a report, returns no table, has an option that cannot be told apart from others, or a worker is
        lost. What was done until then is in the cache.

    Examples
    --------
    >>> import pandas as pd
    >>> def length(report):
    ...     return pd.DataFrame({"report": [report.id], "characters": [len(report.text)]})
    >>> pd.concat(map_reports(length, [Report("a", "A", 2031, "修路。", "修路。"), Report("b", "B", 2031, "植树", "植树")]))
      report  characters
    0      a           3
    0      b           2
    """
    results = _results(function, reports, executor, None if cache is None else Path(cache))
    for done, (job, found) in enumerate(results, 1):
        if isinstance(found, Failure):
            error = ShinanError(f"{job.report.id} ({job.report.source or 'no file'}): {found.words}")
            if failed is None:
                raise error
            failed(error)
        else:
            yield cast(Table, unpacked(found) if isinstance(found, bytes) else found)
        if progress:
            progress(done)


@contextmanager
def open_executor(*, workers: int = 1, cluster: str = "") -> Iterator[Executor | None]:
    """Open what :func:`map_reports` runs on, and close it: a Dask cluster, processes, or None for one core.

    Raises
    ------
    ShinanError
        If distributed is not installed, or there is no cluster at that address.
    """
    if cluster:
        try:
            from distributed import Client
        except ImportError as error:
            raise ShinanError("A cluster needs distributed: python -m pip install 'shinan-research[cluster]'.") from error
        try:
            client = Client(cluster, timeout=20)
        except (OSError, ValueError) as error:
            raise ShinanError(f"{cluster}: no scheduler answers ({error}). Start one: dask scheduler.") from error
        with client:
            yield client.get_executor()
    elif workers > 1:
        with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
            yield pool
    else:
        yield None


def _results(
    function: Function, reports: Iterable[Report], executor: Executor | None, folder: Path | None
) -> Iterator[tuple[Job, Result]]:
    """Yield each report with its result, in order; what is done when something breaks is kept."""
    if executor is None and folder is None:
        for batch in _batches(iter(reports), TOGETHER if _together(function) else 1):
            yield from zip([Job(report, None, None) for report in batch], _all(function, batch, pack=False), strict=True)
        return
    waiting: deque[tuple[list[Job], Future[list[Result]] | None]] = deque()
    rule = "" if folder is None else fingerprint(function)
    source = iter(reports)
    try:
        for batch in _batches(source, BATCH if executor else TOGETHER):
            jobs = [_job(report, folder, rule) for report in batch]
            missing = [job.report for job in jobs if job.found is None]
            submit = executor.submit if executor else _at_once
            waiting.append((jobs, submit(_work, function, Batch(missing)) if missing else None))
            if not executor or len(waiting) > WINDOW:
                yield from _finished(*waiting.popleft())
        while waiting:
            yield from _finished(*waiting.popleft())
    finally:
        for jobs, future in waiting:
            if future and future.done() and not future.cancelled() and not future.exception():
                list(_finished(jobs, future))
            elif future:
                future.cancel()


def _batches(reports: Iterator[Report], size: int) -> Iterator[list[Report]]:
    """Yield the reports in lists of that many."""
    while batch := list(islice(reports, size)):
        yield batch


def _at_once(work: Callable[..., list[Result]], *arguments: Any) -> Future[list[Result]]:
    """Do the work here, and return it as something that is already finished."""
    future: Future[list[Result]] = Future()
    future.set_result(work(*arguments))
    return future


def _job(report: Report, folder: Path | None, rule: str) -> Job:
    """Return a report with what an earlier run left for it; a damaged file is as good as none."""
    if folder is None:
        return Job(report, None, None)
    same = {"text": None} if report.text == report.witness else {}  # no need to digest it twice
    facts = (rule, *(_fact(same.get(name, getattr(report, name))) for name in Report.__dataclass_fields__))
    digest = sha256(chr(10).join(facts).encode("utf-16-le", "surrogatepass"))  # of Chinese text faster and shorter than UTF-8
    path = folder / f"{digest}{SUFFIX}"
    try:
        found = path.read_bytes()
    except FileNotFoundError:
        found = b""
    return Job(report, path, found if is_sound(found) else None)


def _fact(value: Any) -> str:
    """Return a text that differs for different values; of a long text, which it takes time to quote, that with its length."""
    return f"{len(value)} {value}" if isinstance(value, str) else repr(value)


def _finished(jobs: list[Job], future: Future[list[Result]] | None) -> Iterator[tuple[Job, Result]]:
    """Keep the results of a batch, then yield them beside those that were there."""
    try:
        new = iter(future.result() if future else ())
    except Exception as error:
        raise ShinanError(
            f"The executor gave up at {jobs[0].report.id} ({type(error).__name__}: {error}). If a worker was lost, run the same "
            "again: with a cache only what is missing is computed. What runs elsewhere must stand at the head of a module."
        ) from error
    answers = [(job, next(new) if job.found is None else job.found) for job in jobs]
    for job, found in answers:
        if job.path is not None and job.found is None and isinstance(found, bytes):
            write_atomically(job.path, found)
    yield from answers


def _work(function: Function, batch: Batch) -> list[Result]:
    """Apply the function to some reports; this is what runs elsewhere."""
    _keep_memory()
    return [result for part in _batches(iter(batch.reports), TOGETHER) for result in _all(function, part)]


@functools.cache
def _keep_memory() -> None:
    """Undo what Dask tells the memory of its workers: to go back to the system at once, so that numpy must ask for it again.

    That costs a third of the time. The variable is read when a process starts; from within, Linux's C library is asked.
    """
    if os.environ.get("MALLOC_TRIM_THRESHOLD_") == DASK_TRIMS:
        with suppress(AttributeError, OSError, TypeError):  # no such library on other systems
            for option, value in (MMAP_THRESHOLD, TRIM_THRESHOLD):
                ctypes.CDLL(None).mallopt(option, value)


def _together(function: Function) -> Callable[[list[Report]], list[Any]] | None:
    """Return how a function takes several reports in one go, if it says so in an attribute `together`, as `tally` does."""
    if isinstance(function, functools.partial):
        many = _together(function.func)
        return functools.partial(many, *function.args, **function.keywords) if many and not function.args else None
    return getattr(function, "together", None)


def _all(function: Function, reports: list[Report], *, pack: bool = True) -> list[Result]:
    """Apply the function to reports, in one go if it can; where that fails one by one, to learn at which."""
    together = _together(function) if len(reports) > 1 else None
    with suppress(Exception):
        if together:
            return [to_bytes(table) if pack or not _plain(table) else table for table in together(reports)]
    return [_one(function, report, pack=pack) for report in reports]


def _one(function: Function, report: Report, *, pack: bool = True) -> Result:
    try:
        table = function(report)
        return to_bytes(table) if pack or not _plain(table) else table
    except ShinanError as error:
        return Failure(str(error))
    except Exception as error:
        return Failure(f"{type(error).__name__}: {error}")


def _plain(table: Any) -> bool:
    """Return whether a table is what it would be after its way through bytes: rows numbered from 0, no lists in its cells."""
    if isinstance(table, dict):
        return all(isinstance(value, np.ndarray | str | int | list | dict) for value in table.values())
    import pandas as pd

    if not isinstance(table, pd.DataFrame) or not table.index.equals(pd.RangeIndex(len(table))):
        return False
    return "object" not in table.dtypes.astype(str).tolist()


def fingerprint(value: Any) -> str:
    """Return a text that changes with a function, its options, and the code and resources of this package.

    Raises
    ------
    ShinanError
        If the function has an option that is no number, text, table, list, function or object with a `fingerprint`.
    """
    return sha256(f"{_package()} {_told_apart(value)}".encode("utf-8", "surrogatepass"))


def _told_apart(value: Any) -> str:
    """Return a text that differs for different values."""
    if isinstance(value, functools.partial):
        return _told_apart((value.func, value.args, value.keywords))
    if isinstance(value, types.FunctionType):
        cells = [cell.cell_contents for cell in value.__closure__ or ()]
        return f"{value.__module__}.{value.__qualname__} {_code(value.__code__)} {_told_apart([cells, value.__defaults__])}"
    if isinstance(value, str | bytes | int | float | PurePath | None):
        return repr(value)
    if isinstance(value, dict):
        return _told_apart(sorted((repr(key), _told_apart(each)) for key, each in value.items()))
    if isinstance(value, list | tuple | set | frozenset):
        each = [_told_apart(item) for item in value]
        return f"{type(value).__name__}({', '.join(sorted(each) if isinstance(value, set | frozenset) else each)})"
    if is_table(value):
        return sha256(to_bytes(value))
    if isinstance(mark := getattr(value, "fingerprint", None), str):
        return mark
    raise ShinanError(f"With a cache the option {value!r} must be a number, text, table or list, or have a fingerprint.")


def _code(code: types.CodeType) -> str:
    """Return a text that changes with what a function does."""
    inner = [_code(each) if isinstance(each, types.CodeType) else repr(each) for each in code.co_consts]
    return sha256(code.co_code) + repr((code.co_names, inner))


@functools.cache
def _package() -> str:
    """Return a SHA-256 of the code and the resources of this package."""
    root = Path(__file__).parent
    files = sorted(path for path in root.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return sha256(b"".join(sha256(path).encode() for path in files))
