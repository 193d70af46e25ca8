"""Break builds in every way a machine can, and look at what is left: the earlier state or the new one, never a mixture.

    python tests/soak/faults.py [kills] [maps] [steps] [disk] [readonly] [two]     (all by default; --kills 50 --seed 0)

kills     `reproduce` killed (SIGKILL, with its kernels) after a change of the data, at random points of the whole build or, half
          of the times, of the moment in which figures and tables are replaced; then repaired
maps      `map_reports` with a cache killed (SIGKILL) at random points, on one core and on two, then run again to its end
steps     `write_atomically` and `replace_together`, in one folder and in two, killed before each of their system calls
disk      `reproduce` on a file system that is full (a small tmpfs; needs root)
readonly  `reproduce` where figures/ cannot be written (a read-only bind mount; needs root)
two       two builds at once in one folder

Works on a small invented study in a temporary folder. A case that this machine cannot stage is skipped with a word.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from fuzz import AFTER, BEFORE

from shinan_research.files import STAGE, recover, replace_together, write_atomically
from shinan_research.new import new_study
from shinan_research.publish import read_manifest

COMMAND = [sys.executable, "-m", "shinan_research", "reproduce"]
NOTEBOOKS = ("01-declared-terms", "my-reports")
REPLACING = 0.12  # seconds after the first staged file in which the second kind of kill falls
SYSTEM_CALLS = ("fsync", "rename", "replace", "unlink", "mkdir", "chmod", "rmdir", "open")
Snapshot = dict[str, str]


def small_study(folder: Path) -> Path:
    """Make a study of two invented reports with two notebooks, built once."""
    raw = folder / "reports"
    raw.mkdir()
    for name, text in (("甲区-2031", BEFORE), ("甲区-2032", AFTER)):
        (raw / f"{name}.txt").write_text(text, encoding="utf-8")
    root = folder / "study"
    new_study(root, reports=raw, terms=["峰会", "项目"], say=lambda _: None)
    for notebook in (root / "notebooks").glob("*.ipynb"):
        if notebook.stem not in NOTEBOOKS:
            notebook.unlink()
    build(root)
    return root


def build(root: Path, *, wait: float | None = None, staged: bool = False) -> int:
    """Run `reproduce` in a process group of its own; kill the group after `wait` seconds; return its exit status.

    With `staged` the seconds are counted from when the first file is staged to be replaced.
    """
    process = subprocess.Popen([*COMMAND, str(root)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)
    while staged and process.poll() is None and not any((root / kind / STAGE).is_dir() for kind in ("figures", "tables")):
        time.sleep(0.0005)
    try:
        said, _ = process.communicate(timeout=wait)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        return -signal.SIGKILL
    if process.returncode and b"Traceback" in said:
        raise SystemExit(f"a build ended in a traceback:\n{said.decode()}")
    return process.returncode


def state(root: Path) -> Snapshot:
    """Return the SHA-256 of every product, after what every command does first: finishing or dropping a half-made change."""
    for folder in ("figures", "tables"):
        if (root / folder).is_dir():
            recover(root / folder)
    paths = [path for folder in ("figures", "tables") for path in (root / folder).rglob("*") if path.is_file()]
    return {path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(paths)}


def torn(root: Path, old: Snapshot, new: Snapshot) -> list[str]:
    """Return what keeps the products from being all old or all new, and figures whose files belie their manifest."""
    now = state(root)
    either = min((old, new), key=lambda whole: len({*whole.items()} ^ {*now.items()}))
    wrong = sorted({name for name, _ in {*either.items()} ^ {*now.items()}})
    for kind in ("figures", "tables"):
        for name, entry in read_manifest(root / kind, kind=kind)[kind].items() if (root / kind).is_dir() else ():
            files = {f"{kind}/{file}": digest for file, digest in _files(entry)}
            if any(now.get(file) != digest for file, digest in files.items()):
                wrong.append(f"{kind}/{name}: its files are not those of its manifest")
    return wrong


def _files(entry: dict[str, object]) -> list[tuple[str, str]]:
    files = entry["files"]
    assert isinstance(files, dict)
    return [(name, value["sha256"] if isinstance(value, dict) else value) for name, value in files.items()]


def change(root: Path, number: int) -> None:
    """Change the data so that every product changes."""
    path = next((root / "data" / "raw").glob("*2032*"))
    text = path.read_text(encoding="utf-8")
    path.write_text(
        text.replace("举办峰会", "举办" + "峰会" * (1 + number % 3), 1) + "我们举办峰会。" * (number % 5), encoding="utf-8"
    )
    (root / "data" / "SHA256SUMS").unlink(missing_ok=True)


def kills(root: Path, count: int, chance: random.Random) -> None:
    """Kill builds at random points; each must leave the earlier or the new state, and the next build must finish."""
    page = next((root / "data" / "raw").glob("*2032*"))
    first = page.read_bytes()
    began = time.monotonic()
    build(root)
    old = state(root)
    change(root, 1)
    changed = page.read_bytes()
    began = time.monotonic()
    build(root)
    took = time.monotonic() - began
    new = state(root)
    assert old != new, "the change of the data must change the products"
    seen = {"earlier": 0, "new": 0, "finished": 0}
    for number in range(count):
        target, other = ((first, old), (changed, new)) if number % 2 == 0 else ((changed, new), (first, old))
        page.write_bytes(target[0])
        staged = number // 2 % 2 == 1
        ended = build(root, wait=chance.uniform(0, REPLACING) if staged else chance.uniform(0.02, took * 1.05), staged=staged)
        wrong = torn(root, other[1], target[1])
        if wrong:
            raise SystemExit(f"kill {number}: a mixture is left: {wrong[:5]}")
        seen["finished" if ended == 0 else "new" if state(root) == target[1] else "earlier"] += 1
        if build(root) != 0 or state(root) != target[1]:
            raise SystemExit(f"kill {number}: the next build did not repair")
        if number % 10 == 9:
            print(f"  {number + 1} builds killed: {seen}", flush=True)
    print(f"kills: {count} builds of {took:.1f} s killed, half while replacing; none torn, all repaired by the next: {seen}")


MANY = 400
COUNT = """
import hashlib, sys
from functools import partial
from shinan_research import each_report, map_reports, tally
from shinan_research.records import to_bytes
from shinan_research.scale import open_executor
if __name__ == "__main__":
    with open_executor(workers=int(sys.argv[3])) as executor:
        tables = map_reports(partial(tally, witness=True), each_report(sys.argv[1]), executor=executor, cache=sys.argv[2])
        print(hashlib.sha256(b"".join(map(to_bytes, tables))).hexdigest())
"""


def maps(folder: Path, count: int, chance: random.Random) -> None:
    """Kill a counting of many reports at random points; the cache must hold whole results, and the next run the right ones."""
    source, script = folder / "many", folder / "count.py"
    source.mkdir()
    script.write_text(COUNT, encoding="utf-8")
    for number in range(MANY):
        (source / f"{chr(0x4E00 + number)}区-2031.txt").write_text(
            BEFORE.replace("峰会", f"峰会第{number}届") * 4, encoding="utf-8"
        )

    def run(cache: Path, workers: int, wait: float | None = None) -> str:
        command = [sys.executable, str(script), str(source), str(cache), str(workers)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)
        try:
            said, trace = process.communicate(timeout=wait)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            return ""
        if process.returncode:
            raise SystemExit(f"a counting ended in a traceback:\n{trace.decode()}")
        return said.decode().strip()

    took, right = {}, ""
    for workers in (1, 2):
        began = time.monotonic()
        right = run(folder / f"whole-{workers}", workers)
        took[workers] = time.monotonic() - began
    whole = {path.name: path.read_bytes() for path in (folder / "whole-2").iterdir()}
    assert len(whole) == MANY and whole == {path.name: path.read_bytes() for path in (folder / "whole-1").iterdir()}
    kept = []
    for number in range(count):
        workers, cache = 1 + number % 2, folder / f"killed-{number}"
        run(cache, workers, wait=chance.uniform(0.4, 1.0) * took[workers])
        found = {path.name: path.read_bytes() for path in cache.glob("*.table")} if cache.is_dir() else {}
        if wrong := [name for name, data in found.items() if whole.get(name) != data]:
            raise SystemExit(f"kill {number}: {wrong[0]} is not what a whole run leaves")
        if run(cache, workers) != right:
            raise SystemExit(f"kill {number}: the next run gave another result")
        kept.append(len(found))
        shutil.rmtree(cache)
    between = sum(0 < each < MANY for each in kept)
    print(
        f"maps: {count} countings killed at random points, {between} with part of their results; the next run finished all alike"
    )


def steps(folder: Path) -> None:
    """Kill a writing process before each system call that changes the disk."""
    old, new = {"a": b"old" * 999, "b": b"old b", "c": b"old c"}, {"a": b"new" * 999, "b": b"new b", "c": b"new c"}
    tried = 0
    for way in ("one file", "together", "two folders"):
        for step in range(1, 200):
            target, beside = (folder / f"{way}-{step}" / name for name in ("figures", "tables"))
            for place in (target, beside):
                place.mkdir(parents=True)
                for name, data in old.items():
                    (place / name).write_bytes(data)
            child = os.fork()
            if not child:
                _die_at(step)
                if way == "one file":
                    write_atomically(target / "a", new["a"])
                else:
                    replace_together(dict.fromkeys((target, beside) if way == "two folders" else (target,), new))
                os._exit(0)
            died = os.waitpid(child, 0)[1] != 0
            recover(beside)
            recover(target)
            now, then = ({name: (place / name).read_bytes() for name in old} for place in (target, beside))
            either = (old, {**old, "a": new["a"]} if way == "one file" else new)
            assert now in either, f"{way}, before call {step}: {now}"
            assert then == (now if way == "two folders" else old), f"{way}, before call {step}: {now} and {then}"
            replace_together({target: new, beside: new})
            for place in (target, beside):
                left = {path.name for path in place.iterdir() if not path.name.startswith(".a.")}
                assert {name: (place / name).read_bytes() for name in new} == new and left == set(new), left
            tried += died
            if not died:
                break
        else:
            raise SystemExit("a write makes more system calls than were tried")
    print(f"steps: killed before each of {tried} system calls, files old or new each time, {STAGE} tidied by the next write")


def _die_at(step: int) -> None:
    """Make this process end, as if killed, before its call number `step` of those that change the disk."""
    left = [step]

    def counted(call):  # type: ignore[no-untyped-def]
        def before(*given, **named):  # type: ignore[no-untyped-def]
            left[0] -= 1
            if left[0] == 0:
                os._exit(9)
            return call(*given, **named)

        return before

    for name in SYSTEM_CALLS:
        setattr(os, name, counted(getattr(os, name)))


def disk(root: Path, folder: Path) -> None:
    """Build where the disk fills up: an error that says so, and what is committed untouched."""
    place = folder / "small"
    place.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(place)], capture_output=True).returncode:
        print("disk: skipped, no tmpfs can be mounted here")
        return
    try:
        study = place / "study"
        shutil.copytree(root, study)
        old = state(study)
        change(study, 2)
        shutil.copytree(study, grown := folder / "grown")
        build(grown)
        new = state(grown)
        free = shutil.disk_usage(place).free
        for room in (0, 4_000, 60_000, 400_000, 1_000_000):
            filler = place / "filler"
            filler.write_bytes(b"\0" * max(0, free - room))
            ended = build(study)
            assert ended != 0 or room > 100_000, f"a build on a full disk ({room} bytes free) cannot have succeeded"
            filler.unlink()
            if ended:
                assert not (wrong := torn(study, old, new)), wrong
        assert build(study) == 0, "with room again, the build must succeed"
        assert state(study) == new != old
    finally:
        subprocess.run(["umount", str(place)], check=True)
    print("disk: full at five fillings; each ended in an explained error or a whole build, the next build succeeded")


def readonly(root: Path) -> None:
    """Build where figures/ is mounted read-only."""
    figures = root / "figures"
    if subprocess.run(["mount", "--bind", str(figures), str(figures)], capture_output=True).returncode:
        print("readonly: skipped, nothing can be mounted here")
        return
    try:
        subprocess.run(["mount", "-o", "remount,ro,bind", str(figures)], check=True)
        old = {path.name: path.read_bytes() for path in figures.iterdir() if path.is_file()}
        change(root, 3)
        assert build(root) == 1, "a build that cannot write its figures must end with an explained error"
        assert old == {path.name: path.read_bytes() for path in figures.iterdir() if path.is_file()}
    finally:
        subprocess.run(["umount", str(figures)], check=True)
    assert build(root) == 0
    print("readonly: an explained error, the figures untouched, the next build succeeded")


def two(root: Path) -> None:
    """Start two builds at once in one folder."""
    change(root, 4)
    both = [subprocess.Popen([*COMMAND, str(root)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT) for _ in range(2)]
    said = [process.communicate()[0].decode() for process in both]
    ends = [process.returncode for process in both]
    assert not any("Traceback" in words for words in said), "\n".join(said)
    assert build(root) == 0
    once = state(root)
    manifest = json.loads((root / "figures" / "MANIFEST.json").read_text(encoding="utf-8"))
    assert manifest["figures"]
    assert not torn(root, once, once)
    print(f"two: two builds at once ended with {ends}, and the third left one whole state")


def main() -> None:
    """Run the cases asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*", default=["steps", "two", "readonly", "disk", "maps", "kills"])
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="soak-") as name:
        folder = Path(name)
        if "steps" in options.cases:
            steps(folder)
        if "maps" in options.cases:
            maps(folder, options.kills, random.Random(options.seed))
        if not {*options.cases} - {"steps", "maps"}:
            return
        root = small_study(folder)
        for case in options.cases:
            if case == "two":
                two(root)
            elif case == "readonly":
                readonly(root)
            elif case == "disk":
                disk(root, folder)
            elif case == "kills":
                kills(root, options.kills, random.Random(options.seed))
    print(json.dumps({"cases": options.cases, "kills": options.kills, "seed": options.seed}))


if __name__ == "__main__":
    main()
