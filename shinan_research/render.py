"""Run notebooks and export them as self-contained pages: the same bytes on every run, no script, no request."""

from __future__ import annotations

import base64
import io
import json
import os
import re
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from html import escape, unescape
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote
from xml.etree.ElementTree import tostring

from .errors import FigureError, ShinanError
from .files import read_text, write_atomically
from .reports import HAN

if TYPE_CHECKING:  # Jupyter takes seconds to import and every notebook imports `show`: functions import what they need
    from bs4 import BeautifulSoup, Tag
    from nbformat import NotebookNode

RESOURCES = Path(__file__).parent / "resources"
ENVIRONMENT = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1") | {"PYTHONHASHSEED": "0"}
MEMORY = re.compile(r"\b0x[0-9a-fA-F]{6,}")
CELL_FILE = re.compile(r"(?<!\S)\S*ipykernel_\d+\S*\.py")
TAGS = "table thead tbody tr th td caption figure figcaption img details summary p ul ol li span div b i em strong sub sup br a"
MARKDOWN_TAGS = f"{TAGS} h1 h2 h3 h4 h5 h6 pre code blockquote hr del"
ATTRIBUTES = "class scope colspan rowspan lang open alt id"
MATH_ATTRIBUTES = "display stretchy fence form lspace rspace width columnalign linethickness mathvariant"
PICTURE = re.compile(r"data:image/(png|jpeg);base64,[A-Za-z0-9+/=\s]+")
LINK = re.compile(r"https?://[^\s\\]+|#\S+|(?!//)[^\s\\:]+")
STYLE_SHEET = re.compile(r"<style\b[^<>]*>[^<]*</style>", re.IGNORECASE)
UNSEEN = re.compile("[\0-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
NO_ALT = ("", "No description has been provided for this image")  # the sentence is nbconvert's
TITLE = re.compile(r"^# +(.+)$", re.MULTILINE)
TEX = re.compile(r"\$\$(?P<block>.+?)\$\$|\$(?!\s)(?P<inline>[^$]+?)(?<!\s)\$(?!\d)", re.DOTALL)
NUMBER = re.compile(r"[\[(<>≤≥≈±+−–-]*\d[\d.,%‰e+−–\s-]*[\])]?|nan|[–—−-]", re.IGNORECASE)
MISSING = ("NaN", "nan", "<NA>", "NaT", "None")  # pandas' words for a cell that holds nothing
CHINESE = re.compile(f"[0-9“‘《（]{{0,8}}[{HAN}](?:[^a-z]*[{HAN}，。、；：？！）》」”])?")  # up to the next word in small letters
ENGLISH = re.compile(f"^(?=.*[a-z]{{2}})[^{HAN}]*$", re.DOTALL)
INDEX = "Notebooks · 笔记本"


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
    width, height = _printed_size(encoded)
    picture = f'<img alt="{escape(alt)}" width="{width}" height="{height}" src="data:image/png;base64,{encoded}">'
    figure = f"<figure>{picture}<figcaption>{escape(caption)}</figcaption></figure>"
    bundle = {"text/html": figure, "image/png": encoded, "text/plain": alt}
    display(bundle, raw=True, metadata={"image/png": {"alt": alt}})  # type: ignore[no-untyped-call]


def _printed_size(encoded: str) -> tuple[int, int]:
    """Return the printed width and height of a picture in CSS pixels, 96 to the inch; without a resolution, its pixels."""
    from PIL import Image

    try:
        with Image.open(io.BytesIO(base64.b64decode(encoded))) as opened:
            scale = 96 / float(opened.info.get("dpi", (96, 96))[0])
            return round(opened.width * scale), round(opened.height * scale)
    except (OSError, ValueError, ZeroDivisionError) as error:
        raise FigureError(f"Not a picture: it begins with {encoded[:12]!r} (base64). Save the figure as PNG.") from error


def run_notebook(path: Path, *, working: Path, timeout: int = 600) -> NotebookNode:
    """Run a notebook in the folder `working` and return it with its outputs; the file is not touched.

    The source must have fixed cell ids and no outputs. Each cell may take `timeout` seconds. The kernel is the running
    interpreter with one thread, a fixed hash seed and no personal IPython settings; what differs from run to run
    (times, versions, file names in warnings) is taken out.

    Raises
    ------
    ShinanError
        If the source is not such a notebook, a cell fails or takes too long, or an output names a memory address.
    """
    notebook = _read_source(path)
    working.mkdir(parents=True, exist_ok=True)
    _execute(notebook, path.name, working, timeout)
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
    except (json.JSONDecodeError, LookupError, TypeError, AttributeError, nbformat.ValidationError) as error:
        reason = str(error).partition("\n")[0]
        raise ShinanError(f"{path.name}: not a notebook of format 4.5 ({reason}). Save it again in JupyterLab.") from error
    return notebook


def _execute(notebook: NotebookNode, name: str, working: Path, timeout: int) -> None:
    """Run the cells of a notebook in place."""
    from jupyter_client.kernelspec import KernelSpecManager
    from jupyter_client.manager import AsyncKernelManager
    from nbclient import NotebookClient, exceptions

    reached = [1]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
        connection, specs = str(Path(scratch, "kernel.json")), KernelSpecManager(kernel_dirs=[])  # only our own python3
        client = NotebookClient(
            notebook, timeout=timeout, record_timing=False, coalesce_streams=True, extra_arguments=["--log-level=ERROR"],
            km=AsyncKernelManager(kernel_name="python3", kernel_spec_manager=specs, transport="tcp", connection_file=connection),
            on_cell_start=lambda cell, cell_index: reached.append(cell_index + 1),
        )  # fmt: skip
        try:
            surroundings = os.environ | ENVIRONMENT | {"IPYTHONDIR": scratch, "MPLBACKEND": ""}
            client.execute(cwd=str(working), env=surroundings, cleanup_kc=True)
        except exceptions.CellExecutionError as error:
            reason = ": ".join([error.ename, *error.evalue.strip().splitlines()[-1:]])
            raise ShinanError(f"{name}, cell {reached[-1]}: {reason}") from error
        except (exceptions.CellTimeoutError, exceptions.DeadKernelError) as error:
            reason = f"not done within {timeout} s, or the kernel died for want of memory"
            raise ShinanError(f"{name}, cell {reached[-1]}: {reason}. Run this cell alone to see which.") from error


def export_html(notebook: NotebookNode, *, title: str, language: str = "en", links: Sequence[tuple[str, str]] = ()) -> str:
    """Return a notebook as one HTML page that needs no script and no other file.

    Code is folded, formulas are MathML, figures have their printed width. HTML in outputs and Markdown is reduced to
    an allow-list, the rest stays as text; unseen characters and those that turn the text round are written out.
    `title` names the window, and heads a notebook that has no heading of its own; `language` is that of all text not
    marked otherwise, en, zh, or both (as en); `links` are addresses and texts of neighbouring pages.

    Raises
    ------
    ShinanError
        If a picture has no alt text.
    """
    from bs4 import BeautifulSoup
    from nbconvert import HTMLExporter

    exporter = HTMLExporter(template_name="html", extra_template_basedirs=[str(RESOURCES)], exclude_anchor_links=True)
    exporter.register_filter("sanitise", _sanitise)
    resources = {"title": title, "language": {"zh": "zh-CN", "both": "en"}.get(language, language), "links": list(links)}
    page = BeautifulSoup(exporter.from_notebook_node(notebook, resources=resources)[0], "html.parser")
    _replace(page, ".jp-MarkdownOutput", TEX, _formula)
    for step in (_set_images, _set_tables, _set_headings):
        step(page)
    pattern, other = (ENGLISH, "en") if resources["language"] == "zh-CN" else (CHINESE, "zh-CN")
    _replace(page, "body", pattern, lambda match: f'<span lang="{other}">{match[0]}</span>')
    return UNSEEN.sub(lambda match: f"⟨U+{ord(match[0]):04X}⟩", str(page))


def _sanitise(html: str, *, markdown: bool = False) -> str:
    """Reduce HTML to an allow-list; other tags stay as text, other attributes and style sheets are dropped."""
    import bleach

    def allowed(tag: str, attribute: str, value: str) -> bool:
        address = {("img", "src"): PICTURE, ("a", "href"): LINK}.get((tag, attribute))
        return bool(address.fullmatch(unescape(value))) if address else attribute in ATTRIBUTES.split()

    tags = frozenset((MARKDOWN_TAGS if markdown else TAGS).split())
    return str(bleach.clean(STYLE_SHEET.sub("", html), tags=tags, attributes=allowed, protocols=["http", "https", "data"]))


def _replace(page: BeautifulSoup, inside: str, pattern: re.Pattern[str], replacement: Callable[[re.Match[str]], str]) -> None:
    """Replace what a pattern finds in the text of some elements by HTML; the rest is escaped, code and formulas stay."""
    from bs4 import BeautifulSoup

    for node in [node for element in page.select(inside) for node in element.find_all(string=pattern)]:
        if not node.find_parent(["code", "pre", "math"]):
            node.replace_with(BeautifulSoup(pattern.sub(replacement, escape(node, quote=False)), "html.parser"))


def _formula(match: re.Match[str]) -> str:
    """Return a formula as MathML without links or classes; what cannot be read as one stays text."""
    from latex2mathml.converter import convert_to_element

    display = "block" if match["block"] else "inline"
    try:
        formula = convert_to_element(unescape(match[display]), display=display)
    except Exception:  # latex2mathml raises classes without a common base, IndexError among them
        return match[0]
    for part in formula.iter():  # its own `convert` would let tags through that stand in \text
        part.text = unescape(part.text or "")
        part.attrib = {key: value for key, value in part.attrib.items() if key in MATH_ATTRIBUTES.split()}
    return tostring(formula, encoding="unicode")


def _set_images(page: BeautifulSoup) -> None:
    """Give pictures their printed size; refuse one without alt text, drop one that the page does not hold."""
    for image in page.select("img:not([src])"):
        image.decompose()
    for image in page.find_all("img"):
        if str(image.get("alt", "")).strip() in NO_ALT:
            where = image.find_parent(id=re.compile("^cell-")) or {"id": "page"}
            raise ShinanError(f"{where['id']}: a picture without alt text. Display it with shinan_research.render.show.")
        width, height = _printed_size(str(image["src"]).partition(",")[2])
        image["width"], image["height"] = str(width), str(height)


def _set_tables(page: BeautifulSoup) -> None:
    """Make empty header cells plain, print – for what is missing, set numbers to the right, and let wide tables scroll."""
    for table in page.select("main table"):
        columns: dict[int, list[Tag]] = {}
        for row in table.find_all("tr"):
            for place, cell in enumerate(reversed(row.find_all(["td", "th"]))):  # a spanning label stands at the left
                cell.name = cell.name if cell.get_text(strip=True) else "td"
                if cell.get_text(strip=True) in MISSING:
                    cell.string = "–"
                columns.setdefault(-1 if row.find(colspan=True) else place, []).append(cell)
        for column in columns.values():
            texts = [cell.get_text(strip=True) for cell in column if not cell.find_parent("thead")]
            if any(texts) and all(NUMBER.fullmatch(text) or not text for text in texts):
                for cell in column:
                    cell["class"] = "number"
        frame = {"class": "table", "role": "group", "tabindex": "0", "aria-label": "Table · 表"}
        table.wrap(page.new_tag("div", attrs=frame))


def _set_headings(page: BeautifulSoup) -> None:
    """Give every heading an address, and list those of the second and third level as contents."""
    main, contents = page.select("main")[0], page.select("#contents ol")[0]
    if not main.find("h1"):
        main.insert(0, page.new_tag("h1", string=page.select("title")[0].get_text()))
    used = Counter(str(tag["id"]) for tag in page.select("[id]"))
    for heading in main.find_all(["h1", "h2", "h3", "h4"]):
        slug = re.sub(r"\s+", "-", heading.get_text().strip()) or "section"
        used[slug] += 1
        heading["id"] = address = f"{slug}-{used[slug]}" if used[slug] > 1 else slug
        if heading.name in ("h2", "h3"):
            item = page.new_tag("li", attrs={"class": heading.name})
            item.append(page.new_tag("a", attrs={"href": f"#{quote(address)}"}, string=heading.get_text().strip()))
            contents.append(item)


def render(
    folder: Path, *, working: Path, output: Path, progress: Callable[[str], None], names: Sequence[str] = (), language: str = "en"
) -> list[Path]:
    """Run the notebooks of a folder in the order of their names, in one process, and export each.

    Writes html/<name>.html and notebooks/<name>.ipynb (the executed copy) under `output` as each is done, html/index.html
    at the end, and returns their paths. `names`, without .ipynb, select notebooks; `progress` is given a line for each.

    Raises
    ------
    ShinanError
        If a notebook is missing, or cannot be run or exported.
    """
    import nbformat

    paths = {path.stem: path for path in sorted(folder.glob("*.ipynb"), key=lambda path: path.name)}
    if not paths or not set(names) <= set(paths):
        raise ShinanError(f"{folder.name}: asked for {', '.join(names) or 'all'}, but it holds {', '.join(paths) or 'none'}.")
    prose = {name: [cell.source for cell in _read_source(paths[name]).cells if cell.cell_type == "markdown"] for name in paths}
    pages = [(f"{quote(name)}.html", (TITLE.search("\n".join(prose[name])) or ["", name])[1].strip()) for name in paths]
    written: list[Path] = []
    for place, (name, path) in enumerate(paths.items()):
        if names and name not in names:
            continue
        started = time.monotonic()
        notebook = run_notebook(path, working=working)
        around = [("index.html", INDEX), *pages[max(place - 1, 0) : place], *pages[place + 1 : place + 2]]
        page = export_html(notebook, title=pages[place][1], language=language, links=around)
        written += [output / "notebooks" / path.name, output / "html" / f"{name}.html"]
        write_atomically(written[-2], f"{nbformat.writes(notebook)}\n".encode())
        write_atomically(written[-1], page.encode())
        progress(f"{path.name}: {time.monotonic() - started:.1f} s")
    listed = "\n".join(f"- [{title}]({address})" for address, title in pages if (output / "html" / unquote(address)).exists())
    index = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(listed, id="index")])
    written.append(output / "html" / "index.html")
    write_atomically(written[-1], export_html(index, title=INDEX, language=language).encode())
    return written
