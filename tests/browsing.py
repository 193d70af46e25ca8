"""What the tests in a real browser share: the browser, and a page that tells what it did unasked."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

ROOT = Path(__file__).parents[1]
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
MISSING = [name for name in ("playwright", "axe_playwright_python") if not find_spec(name)] + ["a chromium on PATH"] * (
    not CHROMIUM
)
MARKS = [
    pytest.mark.browser,
    pytest.mark.skipif(bool(MISSING), reason=f"no test in a browser: {', '.join(MISSING)} missing"),
]
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--no-proxy-server",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)  # fmt: skip
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII="


@dataclass
class Watched:
    """A page of the browser, and what it did that nobody asked for."""

    page: Page
    requests: list[str] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    events: list[str] = field(default_factory=list)


def watch(context: BrowserContext, allowed: Callable[[str], bool]) -> Watched:
    """Open an empty page that may request what is allowed; all else is aborted and kept, as are words, dialogs and moves."""
    seen = Watched(context.new_page())

    def decide(route: Any) -> None:
        if allowed(route.request.url):
            route.continue_()
        else:
            seen.requests.append(route.request.url)
            route.abort()

    def dismiss(dialog: Any) -> None:
        seen.events.append(f"dialog {dialog.message}")
        dialog.dismiss()

    context.route("**/*", decide)
    context.on("page", lambda page: seen.events.append(f"window {page.url}"))
    seen.page.on("websocket", lambda socket: allowed(socket.url) or seen.requests.append(socket.url))
    seen.page.on("console", lambda message: seen.words.append(f"{message.type}: {message.text}"))
    seen.page.on("pageerror", lambda error: seen.words.append(f"error: {error}"))
    seen.page.on("dialog", dismiss)
    seen.page.on("download", lambda download: seen.events.append(f"download {download.url}"))
    seen.page.on("framenavigated", lambda frame: seen.events.append(f"move {frame.url}"))
    return seen


@contextmanager
def open_browser() -> Iterator[Browser]:
    """Open Chromium, which reaches this machine only."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield opened
        opened.close()
