"""Run the tests on every supported Python with the lowest and the highest versions that pyproject.toml allows.

    python tests/soak/versions.py [3.11 3.12 3.13] [--resolution lowest-direct highest]

A Python that is not on this machine is skipped with a word. The tests that hold the lock to its versions, and those that hold
published bytes to the recorded platform, are left out: they are true of the lock alone. Dask, Parquet, PDF and Word, which are
optional, are installed too.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
UV = [sys.executable, "-m", "uv"]
OF_THE_LOCK = ("tests/test_environment.py", "tests/test_honesty.py")


def interpreter_of(version: str) -> Path | None:
    """Return a Python of this version that runs: on the path, or among those that pyenv holds."""
    on_path = shutil.which(f"python{version}")
    candidates = [
        *([Path(on_path)] if on_path else []),
        *sorted((Path.home() / ".pyenv" / "versions").glob(f"{version}.*/bin/python")),
    ]
    works = (path for path in candidates if not subprocess.run([path, "-c", ""], capture_output=True, check=False).returncode)
    return next(works, None)


def outcome(python: str, resolution: str, folder: Path) -> str:
    """Return the closing line of the tests on one Python with one end of the ranges, or why they were not run."""
    base = interpreter_of(python)
    if base is None:
        return "skipped: not on this machine"
    subprocess.run([*UV, "venv", "--quiet", "--python", str(base), str(folder)], check=True)
    interpreter = folder / "bin" / "python"
    install = [*UV, "pip", "install", "--quiet", "--python", str(interpreter), "--resolution", resolution]
    what = ["--group", "dev", "--editable", ".[cluster,parquet,pdf,word]"]  # so that nothing optional is passed over
    made = subprocess.run([*install, *what], cwd=ROOT, capture_output=True, text=True, check=False)
    if made.returncode:
        return f"no such set of versions: {made.stderr.strip().splitlines()[-1]}"
    left_out = [f"--ignore={name}" for name in OF_THE_LOCK]
    tests = [str(interpreter), "-m", "pytest", "-m", "not browser", "-p", "no:cacheprovider", "--tb=line", *left_out]
    ran = subprocess.run(tests, cwd=ROOT, capture_output=True, text=True, check=False)
    lines = ran.stdout.strip().splitlines()
    return "\n    ".join([line for line in lines if line.startswith(("FAILED", "ERROR"))] + lines[-1:])


def main() -> None:
    """Print one line for each Python and resolution."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pythons", nargs="*", default=["3.11", "3.12", "3.13"])
    parser.add_argument("--resolution", nargs="+", default=["lowest-direct", "highest"])
    options = parser.parse_args()
    for python in options.pythons:
        for resolution in options.resolution:
            with tempfile.TemporaryDirectory(prefix="versions-") as folder:
                print(f"Python {python}, {resolution}: {outcome(python, resolution, Path(folder) / 'venv')}", flush=True)


if __name__ == "__main__":
    main()
