"""The place where a person works: the environment from the lock, JupyterLab, tests and checks. Standard library only."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Callable, Sequence
from pathlib import Path

from .errors import ShinanError
from .surroundings import ENVIRONMENT

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ".venv"
STAMP = "installed-from"
OLDEST, NEWEST = (3, 11), (3, 13)
QUIET = ("--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate", "--log-level=ERROR")
NO_NEWS = '{"@jupyterlab/apputils-extension:notification": {"fetchNews": "false"}}'
OPENING = (
    "Opening JupyterLab in the browser; keep this window open, closing it ends the work.\n"
    "正在浏览器中打开 JupyterLab。使用期间请勿关闭本窗口；没有自动打开时，请把下面以 http://127.0.0.1 开头的一行复制到浏览器。"
)
PAIRED = ("-n", "2", "--dist", "loadfile")  # two modules of tests at a time
CHECKS: dict[str, tuple[tuple[str, ...], ...]] = {
    "test": (("pytest", "-m", "not browser and not slow", *PAIRED),),
    "docs": (("pdoc", "--docformat", "numpy", "--no-search", "--output-directory", "build/html/api", "shinan_research"),),
    "check": (
        ("ruff", "check", "."),
        ("ruff", "format", "--check", "."),
        ("mypy",),
        ("pytest", "-m", "browser"),
        ("pytest", "-m", "not browser", *PAIRED, "--cov", "--cov-report="),
        ("tools.check_coverage",),
    ),
}


def interpreter(root: Path) -> Path:
    """Return the Python of the project's own environment."""
    return root / FOLDER / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def environment() -> dict[str, str]:
    """Return the environment for child processes: the same numbers on every processor, byte code kept."""
    kept = {key: value for key, value in os.environ.items() if key not in ("PYTHONDONTWRITEBYTECODE", "PYTHONPATH")}
    return kept | ENVIRONMENT | {"PYTHONUTF8": "1"}


def run(command: Sequence[str | Path], *, root: Path) -> None:
    """Run a command and show what it prints.

    Raises
    ------
    ShinanError
        If it ends with an error.
    """
    words = [str(word) for word in command]
    try:
        ended = subprocess.run(words, cwd=root, env=environment(), check=False).returncode
    except OSError as error:
        raise ShinanError(f"{words[0]} cannot be run ({error.strerror}). Is it installed?") from error
    if ended:
        raise ShinanError(f"{' '.join([Path(words[0]).name, *words[1:]])} ended with code {ended}; its own words stand above.")


def install(root: Path = ROOT, *, say: Callable[[str], None] = print) -> Path:
    """Build `.venv` from the lock, with the package in it and a kernel for Jupyter; do nothing if it is up to date.

    Raises
    ------
    ShinanError
        If this Python is too old or too new, there is no lock here, or a step fails.
    """
    if not _fits():
        found = ".".join(map(str, sys.version_info[:3]))
        raise ShinanError(
            f"This is Python {found}; needed: 3.11, 3.12 or 3.13. Call another one, as in: make reproduce PYTHON=python3.12\n"
            f"这是 Python {found}，需要 3.11、3.12 或 3.13：请从 python.org 另装一个，再用它运行。"
        )
    lock = root / "requirements.lock"
    if not lock.exists():
        raise ShinanError(
            f"No requirements.lock in {root.name}. Run this in the project's own folder; elsewhere install the package with pip."
        )
    stamp, digest = root / FOLDER / STAMP, _digest(root)
    if interpreter(root).exists() and stamp.exists() and stamp.read_text(encoding="utf-8") == digest:
        return interpreter(root)
    say("Installing the locked environment into .venv (some minutes the first time) … 正在安装，第一次需几分钟，请勿关闭 …")
    if not interpreter(root).exists():
        venv.create(root / FOLDER, with_pip=True, clear=True)
    try:
        _install_packages(root, lock)
    except ShinanError as error:
        raise ShinanError(
            f"{error}\nThe installation is not complete. Look after the network (a proxy, a full disk), and run this again.\n"
            "安装没有完成：请检查网络（校园网是否已登录、代理、磁盘是否已满），再运行一次，已装好的部分不必重来。"
        ) from error
    stamp.write_text(digest, encoding="utf-8")
    return interpreter(root)


def _fits() -> bool:
    """Return whether the running Python is one that the project allows."""
    return OLDEST <= sys.version_info[:2] <= NEWEST


def _another() -> list[str]:
    """Return how to call an installed Python that the project allows, the newest first; nothing where there is none."""
    for minor in range(NEWEST[1], OLDEST[1] - 1, -1):
        for words in ([f"python3.{minor}"], ["py", f"-3.{minor}"]):
            if shutil.which(words[0]) and not subprocess.run([*words, "-c", ""], capture_output=True, check=False).returncode:
                return words
    return []


def _digest(root: Path) -> str:
    """Return a digest of what the environment is made from."""
    parts = [(root / name).read_bytes() for name in ("requirements.lock", "pyproject.toml")]
    return hashlib.sha256(b"\0".join([*parts, sys.version.encode()])).hexdigest()


def _install_packages(root: Path, lock: Path) -> None:
    """Install every locked package with uv, or with pip where uv does not run; then the package itself and the kernel."""
    python = interpreter(root)
    only_uv = root / FOLDER / "uv.txt"
    only_uv.write_text(_entry(lock.read_text(encoding="utf-8"), "uv"), encoding="utf-8")
    pip = (python, "-m", "pip", "--disable-pip-version-check", "install", "--quiet")
    run([*pip, "--require-hashes", "-r", only_uv], root=root)
    uv = (python, "-m", "uv", "pip")
    try:
        run([*uv, "sync", "--quiet", "--python", python, "--require-hashes", lock], root=root)
        run([*uv, "install", "--quiet", "--python", python, "--no-deps", "--no-build-isolation", "-e", "."], root=root)
    except ShinanError:
        run([*pip, "--require-hashes", "-r", lock], root=root)
        run([*pip, "--no-deps", "--no-build-isolation", "-e", "."], root=root)
    run(
        [python, "-m", "ipykernel", "install", "--sys-prefix", "--name", "python3", "--display-name", "shinan-research"],
        root=root,
    )
    settings = root / FOLDER / "share" / "jupyter" / "lab" / "settings"
    settings.mkdir(parents=True, exist_ok=True)
    (settings / "overrides.json").write_text(NO_NEWS, encoding="utf-8")


def _entry(lock: str, name: str) -> str:
    """Return the lines of one package in a lock."""
    lines, inside = [], False
    for line in lock.splitlines():
        if not line.startswith((" ", "\t")):
            inside = line.startswith(f"{name}==")
        if inside:
            lines.append(line)
    return "\n".join(lines) + "\n"


def do(task: str, *, root: Path = ROOT) -> None:
    """Run a task of the workshop with the running Python: test, docs or check."""
    for words in CHECKS[task]:
        run([sys.executable, "-m", *words], root=root)


def lab(folder: Path, *, notebook: str = "", browser: bool = True) -> None:
    """Open JupyterLab on the notebooks of a folder, or on one of them; no server is asked for updates."""
    opened = f"notebooks/{notebook}.ipynb" if notebook else "notebooks"
    print(OPENING, flush=True)
    run([sys.executable, "-m", "jupyterlab", opened, *QUIET, *(() if browser else ("--no-browser",))], root=folder)


def begin(arguments: Sequence[str] = (), *, root: Path = ROOT) -> int:
    """Install what is needed and open JupyterLab on one's own reports: all that a double click on start.py does.

    A Python that the project does not allow hands over to one that it does, if one is installed. Returns 0, or 1 after an
    error that was explained; its window then stays open until a key is pressed.
    """
    try:
        if not _fits() and (other := _another()):
            run([*other, root / "start.py", *arguments], root=root)
            return 0
        run([install(root), "-m", "shinan_research", "lab", "--notebook", "my-reports", *arguments], root=root)
    except ShinanError as error:
        print(f"\n{error}")
        if sys.stdin is not None and sys.stdin.isatty():
            input("Press Enter to close. 按回车键关闭。")
        return 1
    return 0
