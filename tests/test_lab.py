"""In a real browser: every notebook run in JupyterLab, without error, with its figures, and asking for nothing from outside."""

from __future__ import annotations

import json
import os
import re
import secrets
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.error import URLError
from urllib.request import ProxyHandler, Request, build_opener

import nbformat
import pytest
from browsing import MARKS, PIXEL, ROOT, open_browser, watch
from nbformat.v4 import new_code_cell, new_notebook

from shinan_research.build import make_copy, notebooks

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = MARKS
NOTEBOOKS = [path.stem for path in notebooks(ROOT)]
START, RUN = 60, 120  # seconds: for a server, a page or a kernel; for all cells of a notebook

SETTINGS = {
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
    "notebook-extension/tracker": {"windowingMode": "none"},  # every cell stays in the document, seen or not
}
READY = """name => {
    if (document.querySelector(".jp-Dialog")) throw new Error(document.querySelector(".jp-Dialog").innerText);
    const panel = document.querySelector(".jp-NotebookPanel:not(.lm-mod-hidden)");
    const current = window.jupyterapp?.shell.currentWidget;
    return panel?.querySelector(".jp-Toolbar-kernelName")?.innerText.trim() === name
        && panel.querySelector(".jp-Notebook-ExecutionIndicator")?.dataset.status === "idle"
        && current?.content?.model?.cells.length > 0
        && current.sessionContext.session?.kernel?.connectionStatus === "connected";
}"""  # "No Kernel" is idle too, the name tells them apart; without a connection Run All ends well and runs nothing
RUN_ALL = """seconds => Promise.race([
    window.jupyterapp.commands.execute("notebook:run-all-cells"),
    new Promise((_, fail) => setTimeout(() => fail(new Error(`not done within ${seconds} s`)), 1000 * seconds)),
])"""
MODEL = "() => window.jupyterapp.shell.currentWidget.content.model.toJSON()"
LOADED = "() => [...document.querySelectorAll('.jp-OutputArea-output img')].every(image => image.complete)"
SHOWN = """() => [...document.querySelectorAll(".jp-NotebookPanel:not(.lm-mod-hidden) .jp-OutputArea-output img")]
    .map(image => [(image.getAttribute("alt") ?? "").trim(), image.naturalWidth])"""
STOP = "() => window.jupyterapp.shell.currentWidget.sessionContext.shutdown()"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Return the one browser, open as long as this module runs: its event loop is then out of the way of others."""
    with open_browser() as opened:
        yield opened


@dataclass
class Lab:
    """A running JupyterLab."""

    address: str
    token: str
    kernel: str
    folder: Path


def ask(address: str, token: str, path: str) -> Any:
    """Return what the server answers, past any proxy."""
    request = Request(f"{address}{path}", headers={"Authorization": f"token {token}"})
    with build_opener(ProxyHandler({})).open(request, timeout=5) as answer:
        return json.load(answer)


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Start the one JupyterLab, on a working copy, with nothing of the user's; end it with all that it started."""
    home = tmp_path_factory.mktemp("home")
    copy = make_copy(ROOT, tmp_path_factory.mktemp("work"))
    for name, values in SETTINGS.items():
        path = home / "settings" / "@jupyterlab" / f"{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(values), encoding="utf-8")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address, token = f"http://127.0.0.1:{port}", secrets.token_hex(16)
    folders = {
        "HOME": "", "XDG_CONFIG_HOME": "xdg", "XDG_CACHE_HOME": "cache", "XDG_DATA_HOME": "share", "IPYTHONDIR": "ipython",
        "JUPYTER_CONFIG_DIR": "config", "JUPYTER_DATA_DIR": "data", "JUPYTER_RUNTIME_DIR": "runtime",
        "JUPYTERLAB_SETTINGS_DIR": "settings", "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
    }  # fmt: skip
    kept = {key: value for key, value in os.environ.items() if not re.match(r"JUPYTER|IPYTHON|MPL|.*_proxy$", key, re.IGNORECASE)}
    kept |= {key: str(home / folder) for key, folder in folders.items()}
    kept |= {"JUPYTER_TOKEN": token, "PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    command = [
        sys.executable, "-m", "jupyterlab", "--no-browser", "--ServerApp.ip=127.0.0.1", f"--ServerApp.port={port}",
        "--ServerApp.port_retries=0", f"--ServerApp.root_dir={copy}", "--LabApp.expose_app_in_browser=True",
        *(["--allow-root"] if os.geteuid() == 0 else []),
    ]  # fmt: skip
    log = home / "log.txt"
    with log.open("wb") as target:
        server = subprocess.Popen(command, cwd=copy, env=kept, stdout=target, stderr=target, start_new_session=True)
    try:
        await_server(server, address, token, log)
        specs = ask(address, token, "/api/kernelspecs")["kernelspecs"]
        yield Lab(address, token, specs["python3"]["spec"]["display_name"], copy)
    finally:
        end(server)


def await_server(server: subprocess.Popen[bytes], address: str, token: str, log: Path) -> None:
    """Wait until the server answers; fail with its own words if it ends, or does not in time."""
    for _ in range(START * 5):
        try:
            server.wait(timeout=0.2)
            break
        except subprocess.TimeoutExpired:
            try:
                ask(address, token, "/api/status")
                return
            except (URLError, OSError):
                continue
    pytest.fail(f"JupyterLab did not start: {log.read_text(encoding='utf-8', errors='replace')[-2000:]}")


def end(server: subprocess.Popen[bytes]) -> None:
    """End the server's process group, kindly first, so that it can end its kernels."""
    for kind in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(server.pid, kind)
            server.wait(timeout=15)
        except (subprocess.TimeoutExpired, ProcessLookupError):
            continue


@dataclass
class Ran:
    """A notebook that was run in JupyterLab: what the command said, the outputs of the model, the pictures of the document."""

    good: bool
    outputs: list[dict[str, Any]]
    pictures: list[tuple[str, int]]
    requests: list[str]

    @property
    def errors(self) -> list[str]:
        """Return the errors among the outputs."""
        return [f"{one['ename']}: {one['evalue']}" for one in self.outputs if one["output_type"] == "error"]

    @property
    def figures(self) -> list[str]:
        """Return the alt texts of the pictures among the outputs."""
        found = [one for one in self.outputs if any(kind.startswith("image/") for kind in one.get("data", {}))]
        return [one["metadata"].get("image/png", {}).get("alt", "").strip() for one in found]


def run_in_lab(browser: Browser, lab: Lab, name: str) -> Ran:
    """Open a notebook in JupyterLab, run all its cells and return what came of it; its kernel is ended."""
    with browser.new_context(viewport={"width": 1400, "height": 1000}) as context:
        context.set_default_timeout(1000 * START)
        at_home = (lab.address, lab.address.replace("http", "ws", 1), "data:", "blob:")
        seen = watch(context, lambda url: url.startswith(at_home))
        seen.page.goto(f"{lab.address}/lab/workspaces/{name}/tree/notebooks/{name}.ipynb?reset&token={lab.token}")
        seen.page.wait_for_selector(".jp-NotebookPanel:not(.lm-mod-hidden) .jp-Notebook")
        seen.page.wait_for_function(READY, arg=lab.kernel)
        good = seen.page.evaluate(RUN_ALL, RUN)
        seen.page.wait_for_function(READY, arg=lab.kernel)
        seen.page.wait_for_function(LOADED)
        outputs = [one for cell in seen.page.evaluate(MODEL)["cells"] for one in cell.get("outputs", [])]
        pictures = [(alt, width) for alt, width in seen.page.evaluate(SHOWN)]
        seen.page.evaluate(STOP)
    return Ran(good, outputs, pictures, seen.requests)


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_notebook_runs_in_jupyterlab(browser: Browser, lab: Lab, name: str) -> None:
    """A notebook opened in JupyterLab runs without error, shows its figures with alt text, and asks for nothing from outside."""
    ran = run_in_lab(browser, lab, name)
    assert (ran.errors, ran.good, ran.requests) == ([], True, [])
    source = json.loads((ROOT / "notebooks" / f"{name}.ipynb").read_text(encoding="utf-8"))
    drawn = any("figure" in cell["metadata"].get("tags", []) for cell in source["cells"])
    assert bool(ran.figures) == drawn and all(ran.figures)
    assert len(ran.pictures) >= len(ran.figures)
    assert [picture for picture in ran.pictures if not (picture[0] and picture[1])] == []


def test_failing_notebook_is_seen_as_failing(browser: Browser, lab: Lab) -> None:
    """A notebook with a bare picture, a request outwards and a failing cell is seen to have each fault; no cell runs after."""
    picture = f"import base64; from IPython.display import HTML, Image, display\nImage(base64.b64decode({PIXEL!r}))"
    outwards = 'display(HTML(\'<img alt="a" src="http://a.example/x">\'))'
    cells = [
        new_code_cell(source, id=f"c{number}")
        for number, source in enumerate((picture, outwards, "1 / 0", "print('not reached')"))
    ]
    kernel = {"kernelspec": {"name": "python3", "display_name": lab.kernel, "language": "python"}}
    nbformat.write(new_notebook(cells=cells, metadata=kernel), lab.folder / "notebooks" / "99-failing.ipynb")
    ran = run_in_lab(browser, lab, "99-failing")
    assert (ran.good, ran.errors) == (False, ["ZeroDivisionError: division by zero"])
    assert (ran.figures, ran.pictures) == ([""], [("", 1), ("a", 0)])
    assert set(ran.requests) == {"http://a.example/x"}
    assert not [one for one in ran.outputs if one["output_type"] == "stream"]
