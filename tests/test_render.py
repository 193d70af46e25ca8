"""Tests of render: the same bytes on every run, pages that need nothing else, hostile text that stays text."""

from __future__ import annotations

import base64
import contextlib
import io
import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Generator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import nbformat
import pandas as pd
import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from PIL import Image

from shinan_research import exporter
from shinan_research.errors import FigureError, ShinanError
from shinan_research.exporter import export_html
from shinan_research.render import run_notebook, run_notebooks, show

ALT = "Two bars: 11 and 13 of “x” & y."
FIGURE = """
import io
from PIL import Image
from shinan_research.render import show
target = io.BytesIO()
Image.new("RGB", (366, 120), "white").save(target, "PNG", dpi=(100, 100))
show(target.getvalue(), alt=ALT, caption="Figure 1. Counts. 图1 次数。")
"""
CELLS = [
    (
        "markdown",
        "# Words and rates · 词与频率\n\nThe rate is $r = 10^4 n / H$ of all 每万字 characters; code: `$x$`; $5 and $6.",
    ),
    ("code", "import os, sys, warnings\nimport pandas as pd\nfrom IPython.display import Markdown, display"),
    ("markdown", "## Counts · 次数\n\n$$\\frac{a}{b} < c$$"),
    ("code", "pd.DataFrame({'gloss': ['<script>alert(1)</script>', 'b'], 'n': [1, -2.5]}, index=['招商', '攻势'])"),
    ("code", f"ALT = {ALT!r}{FIGURE}"),
    ("markdown", "### Detail\n\ntext\n\n## Counts · 次数\n\nagain"),
    ("code", "warnings.warn('read with care')\nprint(sys.executable, os.getcwd())"),
    ("code", "print([os.environ[n] for n in ('OPENBLAS_NUM_THREADS', 'OMP_NUM_THREADS', 'MKL_NUM_THREADS', 'PYTHONHASHSEED')])"),
    ("code", "display(Markdown('It **falls**: $x_1$.'))\nprint(sorted({'a', 'b'}), hash('a'))"),
]
ALLOWED = (
    "html head meta title link style body a div header footer nav main p ol ul li span h1 h2 h3 h4 h5 details summary pre code "
    "table thead tbody tr th td figure figcaption img b i em strong sub sup br blockquote hr del "
    "math mrow mi mo mn mtext mfrac msub msup msubsup mspace mstyle"
)
PAYLOADS = {
    "script": "<script>alert(1)</script>",
    "broken script": "<scr<script>ipt>alert(1)</scr</script>ipt>",
    "onerror": "<img src=x onerror=alert(1)>",
    "javascript link": '<a href="javascript:alert(1)">go</a>',
    "hidden javascript link": '<a href="jav&#x09;ascript&#58;alert(1)">go</a>',
    "svg onload": '<svg onload=alert(1)><a xlink:href="javascript:alert(1)">go</a></svg>',
    "iframe": '<iframe srcdoc="<script>alert(1)</script>" src="https://evil.example"></iframe>',
    "style expression": '<p style="width: expression(alert(1))" onclick="alert(1)">text</p>',
    "style sheet": "<style>@import 'https://evil.example/x.css';</style>text",
    "template": "{{ 7 * 191 }} {% for x in resources %}{{ x }}{% endfor %}",
    "data link": '<a href="data:text/html,<script>alert(1)</script>">go</a>',
    "data picture": '<img alt="x" src="data:image/svg+xml;base64,PHN2ZyBvbmxvYWQ9YWxlcnQoMSk+">',
    "bidi override": "safe\u202egnp.exe &#x202e;gnp.exe",
    "null byte": "a\0b <scr\0ipt>alert(1)</scr\0ipt> &#0;",
    "way out": "</pre></div></main></body><h5 onclick=alert(1)>taken over</h5>",
    "formula": r"$\text{<script>alert(1)</script>}$ $\href{javascript:alert(1)}{x}$ $\frac{$",
    "form": '<form action="https://evil.example"><input autofocus onfocus=alert(1)></form>',
    "refresh": '<meta http-equiv="refresh" content="0;url=https://evil.example"><base href="https://evil.example">',
    "mutation": '<math><mtext><table><mglyph><style><!--</style><img title="--><img src=x onerror=alert(1)>">',
    "comment": "<!--><img src=x onerror=alert(1)>--> <![CDATA[<script>alert(1)</script>]]>",
    "protocol-relative": '<a href="//evil.example">go</a><img alt="x" src="//evil.example/x"><a href="\\\\evil.example">go</a>',
    "surrogate": "\ud83d lone",
}


class Elements(HTMLParser):
    """All elements of a page with their attributes, and its text, read by another parser than the one under test."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str]]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data: str) -> None:
        self.text += data

    def of(self, *tags: str) -> list[dict[str, str]]:
        return [attributes for tag, attributes in self.found if tag in tags]


def build(cells: list[tuple[str, str]], path: Path | None = None) -> NotebookNode:
    """Return a notebook with fixed ids, and write it if a path is given."""
    make = {"markdown": new_markdown_cell, "code": new_code_cell}
    notebook = new_notebook(cells=[make[kind](source, id=f"c{number}") for number, (kind, source) in enumerate(cells, 1)])
    if path:
        nbformat.write(notebook, path)
    return notebook


def with_outputs(*outputs: NotebookNode) -> NotebookNode:
    """Return a notebook of one cell with these outputs."""
    return new_notebook(cells=[new_code_cell("f()", id="hostile", outputs=list(outputs), execution_count=1)])


def png(width: int, **options: Any) -> bytes:
    """Return a small PNG."""
    target = io.BytesIO()
    Image.new("RGB", (width, 60), "white").save(target, "PNG", **options)
    return target.getvalue()


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[NotebookNode]:
    """Run the sample notebook twice, the second time amid personal settings: a broken kernel, a start-up file, a back end."""
    folder = tmp_path_factory.mktemp("runs")
    build(CELLS, folder / "sample.ipynb")
    settings = {
        "share/kernels/python3/kernel.json": json.dumps({"argv": ["/nowhere", "{connection_file}"], "display_name": "bad"}),
        "profile_default/startup/00.py": "print('hello')\nraise SystemExit",
    }
    for name, text in settings.items():
        (folder / name).parent.mkdir(parents=True)
        (folder / name).write_text(text, "utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(Path(__file__).parents[1]))  # the cells import this library, installed or not
        first = run_notebook(folder / "sample.ipynb", working=folder / "work")
        patch.setenv("JUPYTER_PATH", str(folder / "share"))
        patch.setenv("IPYTHONDIR", str(folder))
        patch.setenv("MPLBACKEND", "nonsense")
        patch.setenv("PYTHONHASHSEED", "77")
        second = run_notebook(folder / "sample.ipynb", working=folder / "work")
    assert nbformat.reads((folder / "sample.ipynb").read_text("utf-8"), as_version=4) == build(CELLS)  # the source is as it was
    return [first, second]


@pytest.fixture(scope="module")
def page(runs: list[NotebookNode]) -> str:
    """Export the sample notebook."""
    return export_html(runs[0], title="Words and rates · 词与频率")


def test_runs_are_identical(runs: list[NotebookNode]) -> None:
    """A notebook run twice, whatever the settings around it, has the same bytes, without times, versions and temporary names."""
    first, second = (nbformat.writes(notebook) for notebook in runs)
    assert first == second
    assert "cell:1: UserWarning: read with care" in runs[0].cells[6].outputs[1].text
    assert not re.search(r"ipykernel_\d|iopub|\"version\": \"3\.|shell\.execute", first)


def test_kernel_is_this_interpreter(runs: list[NotebookNode]) -> None:
    """The kernel is the interpreter of the test, in the working folder, with one thread and hash seed 0."""
    executable, working = runs[0].cells[6].outputs[0].text.split()
    assert Path(executable) == Path(sys.executable)
    assert Path(working).name == "work"
    assert runs[0].cells[7].outputs[0].text == "['1', '1', '1', '0']\n"


def test_cell_error_names_notebook_and_cell(tmp_path: Path) -> None:
    """A failing cell becomes an error with notebook, cell number and the last line of the message."""
    build(
        [("markdown", "# T"), ("code", "1"), ("code", "raise KeyError('first\\nlast')"), ("code", "2")], tmp_path / "07-bad.ipynb"
    )
    with pytest.raises(ShinanError, match=r"^07-bad\.ipynb, cell 3: KeyError: 'first\\nlast'\n\n") as caught:
        run_notebook(tmp_path / "07-bad.ipynb", working=tmp_path)
    assert re.search(r"-+> 1 raise KeyError\('first\\nlast'\)", str(caught.value)) and "\x1b" not in str(caught.value)


def test_notebooks_run_side_by_side_and_come_back_in_order(tmp_path: Path) -> None:
    """Two kernels meet, the results come in the order given, of two that fail the first is named, and no kernel stays."""
    meet = "from pathlib import Path\nimport os, time\nPath('../pid{0}').write_text(str(os.getpid()))\n"
    wait = "while not Path('../pid{1}').exists(): time.sleep(.05)\n"
    for name, other in (("a", "b"), ("b", "a")):
        build([("code", (meet + wait).format(name, other) + f"print('{name}')")], tmp_path / f"{name}.ipynb")
    build([("code", "import time\ntime.sleep(1)\n1 / 0")], tmp_path / "slow.ipynb")
    build([("code", "nothing")], tmp_path / "quick.ipynb")
    build([("code", meet.format("endless") + "while True: time.sleep(1)")], tmp_path / "endless.ipynb")
    begun: list[str] = []

    def run(*names: str) -> Generator[NotebookNode, None, None]:
        jobs = [(tmp_path / f"{name}.ipynb", tmp_path / name) for name in names]
        return run_notebooks(jobs, started=lambda path: begun.append(path.stem))

    assert [notebook.cells[0].outputs[0].text for notebook in run("a", "b")] == ["a\n", "b\n"]
    with pytest.raises(ShinanError, match=r"^slow\.ipynb, cell 1: ZeroDivisionError"):
        list(run("slow", "quick", "endless"))
    (tmp_path / "pidendless").unlink(missing_ok=True)
    with contextlib.closing(run("b", "endless")) as ran:
        next(ran)
        while not (number := tmp_path / "pidendless").exists() or not number.read_text():
            time.sleep(0.05)
    assert begun == ["a", "b", "slow", "quick", "endless", "b", "endless"]
    assert "notebooks" not in [thread.name for thread in threading.enumerate()]
    with pytest.raises(ProcessLookupError):
        os.kill(int(number.read_text()), 0)


def test_long_notebooks_begin_first_and_come_back_in_their_place(tmp_path: Path) -> None:
    """One kernel at a time: what says that it is long starts before what stands before it; what cannot be read says nothing."""
    for name in ("first", "second", "third"):
        build([("code", f"print('{name}')")], tmp_path / f"{name}.ipynb")
    path = tmp_path / "second.ipynb"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"metadata": {"long": True}}))
    begun: list[str] = []
    jobs = [(tmp_path / f"{name}.ipynb", tmp_path / name) for name in ("first", "second", "third")]
    ran = run_notebooks(jobs, at_once=1, started=lambda path: begun.append(path.stem))
    assert [notebook.cells[0].outputs[0].text for notebook in ran] == ["first\n", "second\n", "third\n"]
    assert begun == ["second", "first", "third"]
    (tmp_path / "broken.ipynb").write_text("[]")
    with pytest.raises(ShinanError, match=r"^broken\.ipynb"):
        list(run_notebooks([(tmp_path / "broken.ipynb", tmp_path / "broken")]))


def test_memory_address_is_refused(tmp_path: Path) -> None:
    """An output that shows an object by its address is refused, since it differs from run to run."""
    build([("code", "object()")], tmp_path / "n.ipynb")
    with pytest.raises(ShinanError, match=r"n\.ipynb, cell 1: shows an object by its address 0x[0-9a-f]+"):
        run_notebook(tmp_path / "n.ipynb", working=tmp_path)


def test_slow_cell_is_stopped(tmp_path: Path) -> None:
    """A cell that exceeds the time allowed is stopped and named."""
    build([("code", "import time; time.sleep(60)")], tmp_path / "n.ipynb")
    with pytest.raises(ShinanError, match=r"n\.ipynb, cell 1: not done within 1 s"):
        run_notebook(tmp_path / "n.ipynb", working=tmp_path, timeout=1)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda raw: raw["cells"][1].pop("id"), "cell 2: no id of its own"),
        (lambda raw: raw["cells"][1].update(id="c1"), "cell 2: no id of its own"),
        (lambda raw: raw["cells"][1].update(execution_count=4), "cell 2: holds an output"),
        (
            lambda raw: raw["cells"][1].update(outputs=[{"output_type": "stream", "name": "stdout", "text": "x"}]),
            "holds an output",
        ),
        (lambda raw: raw["cells"][1].update(cell_type="poem"), "not a notebook of format 4.5"),
        (lambda raw: raw.pop("cells"), "not a notebook of format 4.5"),
    ],
)
def test_unfit_sources_are_refused(tmp_path: Path, change: Any, message: str) -> None:
    """A source without ids of its own, with outputs, or that is no notebook is refused before anything runs."""
    path = tmp_path / "n.ipynb"
    raw = json.loads(nbformat.writes(build([("markdown", "# T"), ("code", "1")])))
    change(raw)
    path.write_text(json.dumps(raw), "utf-8")
    with pytest.raises(ShinanError, match=message):
        run_notebook(path, working=tmp_path)
    for text in ("{ no json", "[" * 50_000, f'{{"cells": {"1" * 5_000}}}'):
        path.write_text(text, "utf-8")
        with pytest.raises(ShinanError, match="not a notebook"):
            run_notebook(path, working=tmp_path)


def test_page_is_deterministic_and_self_contained(runs: list[NotebookNode], page: str) -> None:
    """Two runs give one page, which holds no script and asks for nothing outside itself."""
    assert export_html(runs[1], title="Words and rates · 词与频率") == page
    assert not re.search(r"<script|mathjax|require\.js|mermaid|\son\w+=|@import|url\(", page, re.IGNORECASE)
    elements = Elements(page)
    assert {tag for tag, _ in elements.found} <= set(ALLOWED.split())
    assert [link["href"] for link in elements.of("link")] == ["data:,"]
    assert all(image["src"].startswith("data:image/png;base64,") for image in elements.of("img"))
    assert "default-src 'none'" in page


def test_figure_is_shown_once_at_printed_width(page: str) -> None:
    """A figure stands on the page once, with its alt text and caption, as wide as it is printed."""
    images = Elements(page).of("img")
    assert [(image["alt"], image["width"], image["height"]) for image in images] == [(ALT, "351", "115")]  # 366/100 inch × 96
    assert page.count("Figure 1. Counts.") == 1 + 1  # its caption, and the folded code
    assert page.count("<figure>") == 1


def test_math_becomes_mathml(page: str) -> None:
    """Formulas in Markdown become MathML, inline and displayed; code and prices stay."""
    assert [formula["display"] for formula in Elements(page).of("math")] == ["inline", "block", "inline"]
    assert "<code>$x$</code>" in page
    assert "$5 and $6" in page


def test_contents_and_headings(page: str) -> None:
    """The contents list h2 and h3 with addresses that exist once, and the title is not repeated."""
    elements = Elements(page)
    ids = [attributes["id"] for _, attributes in elements.found if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert {"Counts-·-次数", "Detail", "Counts-·-次数-2", "main", "cell-c4"} <= set(ids)
    assert len([link for link in elements.of("a") if link["href"].startswith("#Counts")]) == 2
    assert len(elements.of("h1")) == len(elements.of("main")) == 1
    assert elements.of("a")[0] == {"class": "skip", "href": "#main"}


def test_title_heads_a_notebook_without_heading() -> None:
    """A notebook without a first-level heading is headed by its title, and one without sections has no contents."""
    elements = Elements(export_html(build([("markdown", "text")]), title="A <b> & c"))
    assert len(elements.of("h1")) == 1
    assert elements.text.count("A <b> & c") == 2  # window and heading
    assert not [link for link in elements.of("a") if link["href"] != "#main"]


def test_languages_are_marked(runs: list[NotebookNode], page: str) -> None:
    """The page names its language, and text of the other language is marked, code and formulas apart."""
    assert '<html lang="en">' in page
    assert 'all <span lang="zh-CN">每万字</span> characters' in page
    assert '<summary>Code · <span lang="zh-CN">代码</span> 1</summary>' in page
    chinese = export_html(runs[0], title="词", language="zh")
    assert '<html lang="zh-CN">' in chinese
    assert '<p><span lang="en">again</span></p>' in chinese
    assert 'lang="zh-CN">每万字' not in chinese


def test_tables(page: str) -> None:
    """Empty header cells are plain cells, numbers stand at the right under their heading, and the table can scroll."""
    elements = Elements(page)
    assert re.search(r"<thead>\s*<tr>\s*<td></td>\s*<th>gloss</th>\s*<th class=\"number\">n</th>", page)
    assert len(elements.of("td")) - page.count("<td></td>") == page.count('<td class="number">') + 2 == 4
    assert {"class": "table", "role": "group", "tabindex": "0", "aria-label": "Table · 表"} in elements.of("div")
    assert "dataframe tbody" not in page  # the style sheet of pandas
    assert page.count("&lt;script&gt;alert(1)&lt;/script&gt;") == 1 + 1  # the cell, and the folded code


@pytest.mark.parametrize("name", PAYLOADS)
def test_hostile_text_stays_text(name: str) -> None:
    """No output, of whatever kind, brings in a script, a handler, an address or a hidden character."""
    payload = PAYLOADS[name]
    name = pd.Index([payload], dtype=object)  # with pyarrow at hand pandas would refuse half a surrogate pair
    frame = pd.DataFrame([[payload]], index=name, columns=name, dtype=object)
    data = [{"text/html": payload}, {"text/markdown": payload}, {"text/plain": payload}, {"text/html": frame.to_html()}]
    data += [{"text/html": frame.to_html(escape=False)}, {"application/javascript": payload}, {"image/svg+xml": payload}]
    outputs = [new_output("display_data", one | {"text/latex": payload}) for one in data]
    outputs += [new_output("stream", name="stdout", text=payload), new_output("stream", name="stderr", text=payload)]
    page = export_html(with_outputs(*outputs), title=payload)
    elements = Elements(page)
    assert {tag for tag, _ in elements.found} <= set(ALLOWED.split())
    attributes = [(tag, key, value) for tag, found in elements.found for key, value in found.items()]
    assert not [one for one in attributes if one[1].startswith("on") or one[1] in ("style", "srcdoc", "action", "xlink:href")]
    addresses = [value for tag, key, value in attributes if key in ("href", "src")]
    assert all(re.match(r"#|data:,$|data:image/(png|jpeg);base64,", address) for address in addresses), addresses
    assert (len(elements.of("main")), len(elements.of("body")), len(elements.of("meta"))) == (1, 1, 3)
    assert not re.search("[\0-\x08\u202a-\u202e\ud800-\udfff]", page)
    page.encode("utf-8")
    assert "1337" not in page
    for shown in ("alert(1)", "{{ 7 * 191 }}", "taken over", "⟨U+202E⟩gnp", "⟨U+D83D⟩"):
        if shown.replace("⟨U+202E⟩", "\u202e").replace("⟨U+D83D⟩", "\ud83d") in payload:
            assert elements.text.count(shown) >= 3  # printed as text, in the stream and in the escaped table


def test_hostile_formula_keeps_its_text() -> None:
    """Tags inside a formula's text come out as text: the converter itself would let them through."""
    notebook = with_outputs(new_output("display_data", {"text/markdown": PAYLOADS["formula"]}))
    page = export_html(notebook, title="T")
    assert "<mtext>&lt;script&gt;alert(1)&lt;/script&gt;</mtext>" in page
    assert "javascript" not in page.partition("<main")[2].partition("</details>")[2]
    assert r"$\frac{$" in page


def test_harmless_html_survives() -> None:
    """Links to pages, folded text and figures in outputs stay what they are."""
    links = '<a href="https://a.example/x?y=1#z">a</a> <a href="b.html#c">b</a>'
    html = f"<details open><summary>More</summary><p>see {links}</p></details>"
    page = export_html(with_outputs(new_output("display_data", {"text/html": html})), title="T")
    assert '<details open=""><summary>More</summary>' in page
    assert links in page


@pytest.mark.parametrize("alt", ["", "  "])
def test_picture_without_alt_is_refused(alt: str) -> None:
    """A picture without alt text stops the export and names its cell; a bare picture with alt text is shown."""
    encoded = base64.b64encode(png(30)).decode()
    bare = new_output("display_data", {"image/png": encoded, "text/plain": "<Figure>"}, metadata={"image/png": {"alt": alt}})
    with pytest.raises(ShinanError, match="cell-hostile: a picture without alt text"):
        export_html(with_outputs(bare), title="T")
    with pytest.raises(ShinanError, match="a picture without alt text"):
        html = {"text/html": f'<img src="data:image/png;base64,{encoded}">'}
        export_html(with_outputs(new_output("display_data", html)), title="T")
    bare.metadata["image/png"]["alt"] = "A <line>"
    assert Elements(export_html(with_outputs(bare), title="T")).of("img")[0]["alt"] == "A <line>"


def test_show_refuses_what_is_no_figure() -> None:
    """A figure needs alt text, and bytes that are a picture."""
    with pytest.raises(FigureError, match="without alt text"):
        show(png(10), alt=" ", caption="c")
    with pytest.raises(FigureError, match="Not a picture: it begins with 'bm9wZQ=='"):
        show(b"nope", alt="a", caption="c")


def test_show_displays_a_bundle(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bundle holds the figure as HTML, the picture with its alt text, and the alt text as text."""
    seen: list[tuple[dict[str, str], dict[str, Any]]] = []
    monkeypatch.setattr("IPython.display.display", lambda bundle, raw, metadata: seen.append((bundle, metadata)))
    show(png(720, dpi=(300, 300)), alt='a "b"', caption="c < d")
    bundle, metadata = seen[0]
    assert bundle["text/html"].startswith(
        '<figure><img alt="a &quot;b&quot;" width="230" height="19" src="data:image/png;base64,'
    )
    assert bundle["text/html"].endswith("<figcaption>c &lt; d</figcaption></figure>")
    assert base64.b64decode(bundle["image/png"]) == png(720, dpi=(300, 300))
    assert (bundle["text/plain"], metadata) == ('a "b"', {"image/png": {"alt": 'a "b"'}})


# The exporter, as nbconvert calls it


def convert(folder: Path, notebook: NotebookNode, *options: str) -> str:
    """Return the page that the command of nbconvert makes of a notebook."""
    nbformat.write(notebook, folder / "some.ipynb")
    command = [sys.executable, "-m", "nbconvert", "--log-level=ERROR", *options, "--output", "page.html", "some.ipynb"]
    ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, encoding="utf-8", check=False)
    assert ended.returncode == 0, ended.stderr
    return (folder / "page.html").read_text("utf-8")


@pytest.mark.slow
def test_command_of_nbconvert_makes_the_same_page(runs: list[NotebookNode], tmp_path: Path) -> None:
    """`jupyter nbconvert --to shinan_html` gives the page that the build gives, named by its file."""
    page = convert(tmp_path, runs[0], "--to", "shinan_html", "--PageExporter.page_language=zh")
    assert page == export_html(runs[0], title="some", language="zh")


@pytest.mark.slow
def test_stock_exporter_takes_the_template(runs: list[NotebookNode], tmp_path: Path) -> None:
    """`--to html --template …` works too, with alt texts and without a script or a request; formulas stay TeX."""
    template = Path(exporter.__file__).parent / "resources" / "html"
    page = convert(tmp_path, runs[0], "--to", "html", "--template", str(template))
    elements = Elements(page)
    assert [image["alt"] for image in elements.of("img")] == [ALT]
    assert not elements.of("script") and "https://" not in page and "$r = 10^4 n / H$" in page


def test_what_nbconvert_cannot_read() -> None:
    """Whatever nbconvert raises comes out as an error that names the page and says what to do."""
    broken = new_notebook(cells=[new_code_cell("1", id="a", outputs=[new_output("stream", text="x")])])
    broken.cells[0].outputs = [{"output_type": "stream"}, 3]
    with pytest.raises(ShinanError, match=r"^Some title: cannot be exported \(.*\)\. Open it in JupyterLab, run it, save it\.$"):
        export_html(broken, title="Some title")


def with_attachment(source: str) -> NotebookNode:
    """Return a notebook with a picture dropped into Markdown."""
    cell = new_markdown_cell(source, id="dropped", attachments={"image.png": {"image/png": base64.b64encode(png(40)).decode()}})
    return new_notebook(cells=[cell])


def test_picture_dropped_into_markdown() -> None:
    """A dropped picture is shown with what was written about it; its file name, which the editor puts there, says nothing."""
    page = export_html(with_attachment("See ![a grey square](attachment:image.png) here."), title="T")
    image = Elements(page).of("img")[0]
    assert image["alt"] == "a grey square" and image["src"].startswith("data:image/png;base64,") and image["width"] == "40"
    with pytest.raises(
        ShinanError, match=r"cell-dropped: a picture without alt text \(image\.png is a file name\)\. In Markdown"
    ):
        export_html(with_attachment("![image.png](attachment:image.png)"), title="T")


def test_addresses_of_outputs_are_set_apart() -> None:
    """An id in an output gets a prefix, and a link to it follows; so it cannot take the place of one of the page."""
    html = '<p id="main">x</p><a href="#main">to x</a> <a href="#contents">to the contents</a> id="main"'
    page = export_html(with_outputs(new_output("display_data", {"text/html": html})), title="T")
    assert '<p id="user-main">x</p><a href="#user-main">to x</a> <a href="#contents">' in page
    assert page.count(' id="main"') == 2 and 'contents</a> id="main"' in page


def test_control_characters_do_not_hide_a_tag() -> None:
    """A control character inside a tag or an address is written out before the HTML is judged."""
    html = '<scr\x01ipt>alert(1)</script><a href="java\x02script:alert(1)">go</a><img alt="x" src="x\x03" onerror=alert(1)>'
    page = export_html(with_outputs(new_output("display_data", {"text/html": html})), title="T")
    elements = Elements(page)
    assert "alert(1)" in elements.text and not elements.of("script") and not re.search("[\x01-\x08]", page)
    assert [link.get("href", "") for link in elements.of("a")] == ["#main", ""]


def test_names_of_an_index_are_lifted_where_there_is_room() -> None:
    """The names of an index move up into an empty corner, but not onto the name of the columns; a long cell is set as text."""
    plain = pd.DataFrame({"n": [1]}, index=pd.Index(["a"], name="term"))
    frames = [
        plain.to_html(),
        plain.rename_axis(columns="scope").to_html(),
        pd.DataFrame({"text": ["字" * 25, "字" * 60]}).to_html(),
    ]
    pages = [export_html(with_outputs(new_output("display_data", {"text/html": html})), title="T") for html in frames]
    assert ['<thead class="lift">' in page for page in pages] == [True, False, False]
    for kind in ("long", "whole"):
        assert [page.count(f'<td class="{kind}">') for page in pages] == [0, 0, 1]
