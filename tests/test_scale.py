"""Many reports: one result in every mode, kept results that survive a kill, failures by name, nothing executed."""

import json
import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from shinan_research import scale
from shinan_research.__main__ import main
from shinan_research.errors import ReadError, ShinanError
from shinan_research.records import from_bytes, to_bytes
from shinan_research.reports import Emendation, Report
from shinan_research.scale import fingerprint, map_reports, open_executor
from shinan_research.tallies import tally
from shinan_research.tokens import Segmenter


def report(number: int, text: str = "一、工作回顾\n修建公路{0}条。\n二、工作安排\n植树{0}亩。") -> Report:
    """Return a small report of a place of its own."""
    words = text.format(number)
    return Report(f"甲{number}县-2031", f"甲{number}县", 2031, words, words, source=f"甲{number}县-2031.txt")


REPORTS = [report(number) for number in range(40)]


def length(each: Report) -> pd.DataFrame:
    """Return what a test can check in the head."""
    return pd.DataFrame({"report": [each.id], "characters": [len(each.text)]})


def noted(each: Report, folder: Path) -> pd.DataFrame:
    """Leave a mark that the report was worked on, and kill the worker once in the middle."""
    (folder / f"{each.id}.{time.monotonic_ns()}").touch()
    if each.id == REPORTS[20].id and not (folder / "killed").exists():
        time.sleep(0.3)
        (folder / "killed").touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return length(each)


def picky(each: Report) -> pd.DataFrame:
    """Fail on one report."""
    if each.id == REPORTS[3].id:
        raise ZeroDivisionError("no luck")
    return length(each)


def as_bytes(tables: Iterator[pd.DataFrame] | Iterator[dict[str, Any]]) -> list[bytes]:
    """Return tables as bytes."""
    return [to_bytes(table) for table in tables]


def processes(number: int) -> ProcessPoolExecutor:
    """Return workers that share nothing with this process."""
    return ProcessPoolExecutor(number, mp_context=get_context("spawn"))


def test_every_mode_gives_the_same_bytes_in_the_same_order(tmp_path: Path) -> None:
    """One core, threads, processes and kept results agree to the byte, report by report."""
    work = partial(tally, witness=True)
    expected = [to_bytes(tally(each, witness=True)) for each in REPORTS]
    assert as_bytes(map_reports(work, REPORTS)) == expected
    with ThreadPoolExecutor(3) as threads:
        assert as_bytes(map_reports(work, REPORTS, executor=threads, cache=tmp_path)) == expected
    assert as_bytes(map_reports(work, REPORTS, cache=tmp_path)) == expected
    with open_executor(workers=2) as pool:
        assert as_bytes(map_reports(work, REPORTS, executor=pool)) == expected


def test_a_dask_cluster_gives_the_same_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two workers of a Dask cluster agree with one core."""
    distributed = pytest.importorskip("distributed")
    monkeypatch.setattr("distributed.utils._get_ip", lambda *_, **__: "127.0.0.1")  # it would ask by way of an outer address
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None, processes=False) as cluster,
        open_executor(cluster=cluster.scheduler_address) as executor,
    ):
        found = as_bytes(map_reports(partial(tally, witness=True), REPORTS, executor=executor))
    assert found == as_bytes(map_reports(partial(tally, witness=True), REPORTS))


def test_a_killed_worker_costs_only_what_is_missing(tmp_path: Path) -> None:
    """After a worker was killed in the middle a rerun works on no report whose result was kept."""
    marks, kept = tmp_path / "marks", tmp_path / "kept"
    marks.mkdir()
    work = partial(noted, folder=marks)
    with processes(1) as pool, pytest.raises(ShinanError, match="run the same again"):
        list(map_reports(work, REPORTS, executor=pool, cache=kept))
    before = len(list(kept.iterdir()))
    assert before == 16 and (marks / "killed").exists()
    for mark in [mark for mark in marks.iterdir() if mark.name != "killed"]:
        mark.unlink()
    with processes(1) as pool:
        tables = list(map_reports(work, REPORTS, executor=pool, cache=kept))
    assert pd.concat(tables, ignore_index=True).equals(pd.concat(map(length, REPORTS), ignore_index=True))
    assert len(list(marks.iterdir())) - 1 == len(REPORTS) - before


def test_a_change_costs_one_report(tmp_path: Path) -> None:
    """A changed report, and no other, is worked on again; so is all when an option or the function changes."""
    seen: list[str] = []

    def work(each: Report, *, option: int = 1) -> pd.DataFrame:
        seen.append(each.id)
        return length(each)

    # what the function writes to is one of the things that tell it apart, so it is emptied before each run
    def run(reports: list[Report], option: int = 1) -> list[str]:
        seen.clear()
        list(map_reports(partial(work, option=option), reports, cache=tmp_path))
        return list(seen)

    assert run(REPORTS) == [each.id for each in REPORTS]
    assert run(REPORTS) == []
    changed = [*REPORTS[:5], replace(REPORTS[5], text="另一篇", witness="另一篇"), *REPORTS[6:]]
    assert run(changed) == [REPORTS[5].id]
    restored = [replace(REPORTS[0], emendations=(Emendation(REPORTS[0].id, 0, "中"),)), *REPORTS[1:]]
    assert run(restored) == [REPORTS[0].id]
    assert len(run(REPORTS, option=2)) == len(REPORTS)


def test_what_tells_functions_apart() -> None:
    """Code, constants, options and a segmenter's terms change the fingerprint; what cannot be told apart is refused."""
    one, other = Segmenter(), Segmenter(terms=("甲乙丙",))
    functions = [
        length, picky, tally, partial(tally, witness=True), partial(tally, segmenter=one), partial(tally, segmenter=other),
        lambda each: length(each).head(1), lambda each: length(each).head(2), partial(noted, folder=Path("a")),
        partial(length, pd.DataFrame({"a": [1]})), partial(length, pd.DataFrame({"a": [2]})),
        partial(length, {"a": [1, (2.5, None)]}),
        partial(length, {1, 2}), partial(length, [1, 2]),
    ]  # fmt: skip
    marks = [fingerprint(each) for each in functions]
    assert len(set(marks)) == len(functions) and marks == [fingerprint(each) for each in functions]
    with pytest.raises(ShinanError, match="must be a number, text, table or list"):
        fingerprint(partial(length, object()))


def test_a_failing_report_is_named() -> None:
    """It stops the run with its name, or is passed over with its name, as asked."""
    with pytest.raises(ShinanError, match=r"甲3县-2031 \(甲3县-2031.txt\): ZeroDivisionError: no luck"):
        list(map_reports(picky, REPORTS))
    errors: list[str] = []
    done: list[int] = []
    tables = list(map_reports(picky, REPORTS, failed=lambda error: errors.append(str(error)), progress=done.append))
    assert len(tables) == len(REPORTS) - 1 and len(errors) == 1 and "甲3县-2031" in errors[0]
    assert done == list(range(1, len(REPORTS) + 1))
    with pytest.raises(ShinanError, match="Pass the reports through restore"):
        list(map_reports(tally, REPORTS[:1]))
    with pytest.raises(ShinanError, match="returned int; map_reports wants a table"):
        list(map_reports(lambda each: 1, REPORTS[:1]))  # type: ignore[arg-type, return-value, type-var]


@pytest.mark.parametrize("workers", [0, 2])
def test_one_bad_report_among_those_cut_together_fails_alone(workers: int) -> None:
    """Of reports that are counted in one go, the one that cannot be is named; the others are as each counted by itself."""
    sound = [replace(each, restored=True) for each in REPORTS[:11]]
    mixed = [*sound[:5], REPORTS[20], *sound[5:]]
    errors: list[str] = []
    with processes(workers) if workers else nullcontext() as executor:
        tables = list(map_reports(tally, mixed, executor=executor, failed=lambda error: errors.append(str(error))))
    assert [to_bytes(table) for table in tables] == [to_bytes(tally(each)) for each in sound]
    assert len(errors) == 1 and "甲20县-2031" in errors[0] and "restore" in errors[0]


def test_work_that_cannot_be_sent() -> None:
    """A function that another process cannot import is explained."""
    with processes(1) as pool, pytest.raises(ShinanError, match="must stand at the head of a module"):
        list(map_reports(lambda each: length(each), REPORTS[:1], executor=pool))


def test_reports_are_read_as_they_are_needed() -> None:
    """No more reports are held than are on their way: one on one core, a window of batches with an executor."""
    read: list[int] = []

    def endless() -> Iterator[Report]:
        while True:
            read.append(len(read))
            yield REPORTS[0]

    results = map_reports(length, endless())
    next(results)
    assert len(read) == 1
    with ThreadPoolExecutor(1) as threads:
        sent = map_reports(length, endless(), executor=threads)
        for number in range(1, 101):
            next(sent)
            assert len(read) - 1 - number <= scale.BATCH * (scale.WINDOW + 1)
        sent.close()


TABLE = pd.DataFrame(
    {
        "whole": [1, -2], "real": [0.1, float("nan")], "truth": [True, False], "text": ["中\n", ""],
        "small": pd.Series([1, 2], dtype="int8"),
        "category": pd.Categorical(["乙", "甲"], categories=["甲", "乙", "丙"], ordered=True),
        "places": pd.Series([(1, 2), ()], dtype=object), "missing": pd.Series([None, "x"], dtype=object),
    }
)  # fmt: skip
TABLE.attrs["settings"] = {"function": "none", "reports": {"甲": "1"}}


def test_tables_survive_as_bytes() -> None:
    """Types, categories, missing values, tuples and settings come back; equal tables give equal bytes; rows are numbered anew."""
    found = from_bytes(to_bytes(TABLE))
    pd.testing.assert_frame_equal(found, TABLE)
    assert found.attrs == TABLE.attrs
    assert to_bytes(TABLE.set_axis([5, 9])) == to_bytes(TABLE) == to_bytes(found)
    empty = from_bytes(to_bytes(TABLE.head(0)))
    assert empty.dtypes.equals(TABLE.dtypes) and len(empty) == 0
    with pytest.raises(ShinanError, match="the column 'a' holds what cannot be kept"):
        to_bytes(pd.DataFrame({"a": [object()]}))


def test_dicts_of_arrays_survive_as_bytes() -> None:
    """Arrays keep type and values, the rest is JSON; equal dicts give equal bytes; what is neither is refused by name."""
    record = {"name": "甲\n", "whole": np.array([1, -2], dtype=np.int8), "none": np.array([], dtype="f8"), "words": ["乙", "丙"]}
    found = from_bytes(to_bytes(record))
    assert isinstance(found, dict) and list(found) == list(record)
    for name, value in record.items():
        assert np.array_equal(found[name], value) and getattr(found[name], "dtype", None) == getattr(value, "dtype", None)
    assert to_bytes(found) == to_bytes(record) != to_bytes(record | {"name": "乙"})
    with pytest.raises(ShinanError, match="the column 'a' holds what cannot be kept"):
        to_bytes({"a": np.zeros((2, 2))})


def test_kept_results_are_numbers_and_json(tmp_path: Path) -> None:
    """A file is a SHA-256, a line of JSON and values: a damaged or foreign one is computed anew and never executed."""
    first = as_bytes(map_reports(length, REPORTS[:2], cache=tmp_path))
    files = sorted(tmp_path.iterdir())
    assert [path.suffix for path in files] == [scale.SUFFIX] * 2
    described = json.loads(files[0].read_bytes()[65:].split(b"\n")[0])
    assert [column["name"] for column in described["columns"]] == ["report", "characters"]
    files[0].write_bytes(b"cos\nsystem\n(S'touch harm'\ntR.")
    files[1].write_bytes(files[1].read_bytes()[:-1])
    assert as_bytes(map_reports(length, REPORTS[:2], cache=tmp_path)) == first
    with pytest.raises(ReadError, match="damaged"):
        from_bytes(b"cos\nsystem")


def test_no_cluster() -> None:
    """Without distributed, or without a scheduler, the message says what to do."""
    with pytest.raises(ShinanError, match=r"distributed|dask scheduler"), open_executor(cluster="nowhere"):
        pass
    with open_executor() as executor:
        assert executor is None


def test_count_from_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A folder becomes the table of two years; what cannot be read is named; workers change no byte of it."""
    folder = tmp_path / "reports"
    folder.mkdir()
    for place in "甲乙丙丁":
        for year, words in ((2031, "推进改革。" * 3), (2032, "发展产业。" * 3)):
            (folder / f"{place}县-{year}.txt").write_text(f"一、工作回顾\n{words}\n二、工作安排\n建设公路。", encoding="utf-8")
    (folder / "戊县-2031.doc").write_bytes(b"x")
    tables = []
    for extra in ([], ["--workers", "2", "--cache", str(tmp_path / "kept")]):
        output = tmp_path / f"{len(extra)}.csv"
        assert main(["count", str(folder), "--before", "2031", "--after", "2032", "--output", str(output), *extra]) == 0
        tables.append(output.read_bytes())
    assert tables[0] == tables[1]
    found = pd.read_csv(tmp_path / "0.csv").set_index("term")
    assert found.loc["改革", ["count_before", "count_after", "blocks"]].tolist() == [12, 0, 4]
    said = capsys.readouterr().out
    assert "ATTENTION: the texts are counted as they stand" in said and said.startswith("注意：文本照原样计数")
    assert "Left out: 戊县-2031.doc: cannot be read" in said and "未收入：戊县-2031.doc：请用Word" in said
    han = found[["han_before", "han_after"]].iloc[0].sum()
    assert (
        f"4 reports of 2031, 4 of 2032, {han:,} characters, {len(found)} words: " in said and "2031年4份、2032年4份报告" in said
    )
    assert main(["count", str(folder), "--before", "2031", "--after", "2040"]) == 1
    assert "No report for 2040" in capsys.readouterr().err
