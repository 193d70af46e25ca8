"""One page for one notebook: an exporter for nbconvert that needs no script, no request and no other file."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from html import escape, unescape
from typing import Any
from urllib.parse import quote
from xml.etree.ElementTree import tostring

import bleach
from bs4 import BeautifulSoup, Tag
from nbconvert import HTMLExporter
from nbformat import NotebookNode
from traitlets import Unicode, default

from .dictionary import RESOURCES
from .errors import ShinanError
from .inline import MIME, Address, breadth, inline_html
from .render import PICTURE, UNSEEN, printed_size
from .reports import HAN

TAGS = "table thead tbody tr th td caption figure figcaption img details summary p ul ol li span div b i em strong sub sup br a"
MARKDOWN_TAGS = f"{TAGS} h1 h2 h3 h4 h5 h6 pre code blockquote hr del"
ATTRIBUTES = "class scope colspan rowspan lang open alt id"
MATH_ATTRIBUTES = "display stretchy fence form lspace rspace width columnalign linethickness mathvariant"
LINK = re.compile(r"https?://[^\s\\]+|#\S+|(?!//)[^\s\\:]+")
STYLE_SHEET = re.compile(r"<style\b[^<>]*>[^<]*</style>", re.IGNORECASE)
NO_ALT = ("", "No description has been provided for this image")  # the sentence is nbconvert's
TEX = re.compile(r"\$\$(?P<block>.+?)\$\$|\$(?!\s)(?P<inline>[^$]+?)(?<!\s)\$(?!\d)", re.DOTALL)
NUMBER = re.compile(r"[\[(<>≤≥≈±+−–-]*\d[\d.,%‰e+−–\s-]*(\[[\d.,%<>+−–\s-]*)?[\])]?|nan|[–—−-]", re.IGNORECASE)
MISSING = ("NaN", "nan", "<NA>", "NaT", "None")  # pandas' words for a cell that holds nothing
CHINESE = re.compile(f"[0-9“‘《（]{{0,8}}[{HAN}](?:[^a-z]*[{HAN}，。、；：？！）》」”])?")  # up to the next word in small letters
ENGLISH = re.compile(f"^(?=.*[a-z]{{2}})[^{HAN}]*$", re.DOTALL)
FILE_NAME = re.compile(r"[^\s/]+\.(png|jpe?g|gif|svg|webp|bmp|tiff?)", re.IGNORECASE)  # what an editor puts for an alt text
DRAWING = re.compile(r'<svg\b.*?</svg>|<div class="table rows".*?</table></div>', re.DOTALL)


class PageExporter(HTMLExporter):
    """Export a notebook as one HTML page, as `jupyter nbconvert --to shinan_html`.

    Code is folded, formulas are MathML, published figures are inline and lead to their data, other pictures have their
    printed width. HTML in outputs and Markdown is reduced to an allow-list, the rest stays as text; unseen characters and
    those that turn the text round are written out; addresses (`id`) of outputs begin with `user-`.

    Parameters
    ----------
    address
        Where a row of a figure's table leads beyond the page; by default nowhere.
    """

    export_from_notebook = "Page · 网页"
    page_language = Unicode("en", help="Language of text not marked otherwise: en, zh, or both (as en).").tag(config=True)

    def __init__(self, *args: Any, address: Address = lambda record: [], **options: Any) -> None:
        super().__init__(*args, **options)  # type: ignore[no-untyped-call]
        self._address = address
        self._drawings: list[str] = []
        self._shown: set[str] = set()
        for name, function in (("sanitise", _sanitise), ("plot", self._plot)):
            self.register_filter(name, function)  # type: ignore[no-untyped-call]

    @default("template_name")
    def _template(self) -> str:
        return "html"

    @default("extra_template_basedirs")
    def _basedirs(self) -> list[str]:
        return [str(RESOURCES)]

    @default("exclude_anchor_links")
    def _anchors(self) -> bool:
        return True

    def from_notebook_node(self, nb: NotebookNode, resources: Any = None, **options: Any) -> tuple[Any, dict[str, Any]]:
        """Return the page of a notebook, and nbconvert's resources.

        `resources` may hold `title`, which names the window and heads a notebook without a heading, `language`, and `links`:
        addresses and texts of neighbouring pages.

        Raises
        ------
        ShinanError
            If a picture has no alt text, or nbconvert cannot read the notebook.
        """
        given = dict(resources or {})
        name = str(given.get("metadata", {}).get("name") or "notebook")
        language = given.get("language") or self.page_language
        given |= {"title": given.get("title") or name, "links": given.get("links") or []}
        given["language"] = {"zh": "zh-CN", "both": "en"}.get(language, language)
        self._drawings, self._shown = [], set()
        try:
            text, resources = super().from_notebook_node(nb, given, **options)
        except ShinanError:
            raise
        except Exception as error:  # nbconvert, nbformat, jinja2 and bleach have no common class
            reason = f"{type(error).__name__}: {error}".partition("\n")[0]
            raise ShinanError(
                f"{given['title']}: cannot be exported ({reason}). Open it in JupyterLab, run it, save it."
            ) from error
        return self._finish(text, given["language"]), resources

    def _finish(self, text: str, language: str) -> str:
        """Set formulas, pictures, tables, headings and languages of a page, and put the drawings in."""
        page = BeautifulSoup(text, "html.parser")
        _replace(page, ".jp-MarkdownOutput", TEX, _formula)
        for step in (_set_images, _set_tables, _set_headings):
            step(page)
        _replace(page, "main thead th", re.compile("_"), lambda match: "_<wbr/>")  # names of columns break where they may
        pattern, other = (ENGLISH, "en") if language == "zh-CN" else (CHINESE, "zh-CN")
        _replace(page, "body", pattern, lambda match: f'<span lang="{other}">{match[0]}</span>')
        done = _visible(str(page))
        for place, drawing in enumerate(self._drawings):
            done = done.replace(f'<span data-drawing="{place}"></span>', _visible(drawing))
        return done

    def _plot(self, output: Any) -> str:
        """Return a published figure for the template; drawing and rows are kept aside, for no other step need touch them."""
        bundle = output.get("data", {})
        data = bundle.get(MIME)
        html = inline_html(data, self._address) if isinstance(data, dict) else None
        if html is None or data["name"] in self._shown:
            return _sanitise(str(bundle.get("text/html", "")))
        self._shown.add(data["name"])

        def keep(match: re.Match[str]) -> str:
            self._drawings.append(match[0])
            return f'<span data-drawing="{len(self._drawings) - 1}"></span>'

        return DRAWING.sub(keep, html)


def export_html(
    notebook: NotebookNode,
    *,
    title: str,
    language: str = "en",
    links: Sequence[tuple[str, str]] = (),
    address: Address = lambda record: [],
) -> str:
    """Return a notebook as one HTML page that needs no script and no other file.

    `title` names the window, and heads a notebook that has no heading of its own; `language` is that of all text not
    marked otherwise, en, zh, or both (as en); `links` are addresses and texts of neighbouring pages; `address` says where
    a row of a figure's table leads. What is done to the page: see :class:`PageExporter`.

    Raises
    ------
    ShinanError
        If a picture has no alt text, or nbconvert cannot read the notebook.
    """
    resources = {"title": title, "language": language, "links": list(links)}
    return str(PageExporter(address=address).from_notebook_node(notebook, resources=resources)[0])


def _visible(text: str) -> str:
    """Write out unseen characters and those that turn the text round."""
    return UNSEEN.sub(lambda match: f"⟨U+{ord(match[0]):04X}⟩", text)


def _sanitise(html: str, *, markdown: bool = False) -> str:
    """Reduce HTML to an allow-list; other tags stay as text, other attributes and style sheets are dropped."""

    def allowed(tag: str, attribute: str, value: str) -> bool:
        address = {("img", "src"): PICTURE, ("a", "href"): LINK}.get((tag, attribute))
        return bool(address.fullmatch(unescape(value))) if address else attribute in ATTRIBUTES.split()

    tags = frozenset((MARKDOWN_TAGS if markdown else TAGS).split())
    clean = STYLE_SHEET.sub("", _visible(html))
    return _prefixed(str(bleach.clean(clean, tags=tags, attributes=allowed, protocols=["http", "https", "data"])))


def _prefixed(html: str) -> str:
    """Return clean HTML whose addresses begin with `user-`, and whose links to them follow, so that they meet no other."""
    own = set(re.findall(r'<[^<>]*? id="([^"]*)"', html))
    html = re.sub(r'(<[^<>]*? id=")', r"\1user-", html)
    return re.sub(r'(<a [^<>]*?href="#)([^"]*)', lambda match: match[1] + ("user-" if match[2] in own else "") + match[2], html)


def _replace(page: BeautifulSoup, inside: str, pattern: re.Pattern[str], replacement: Callable[[re.Match[str]], str]) -> None:
    """Replace what a pattern finds in the text of some elements by HTML; the rest is escaped, code and formulas stay."""
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
        alt = str(image.get("alt", "")).strip()
        if alt in NO_ALT or FILE_NAME.fullmatch(alt):
            where = image.find_parent(id=re.compile("^cell-")) or {"id": "page"}
            named = "" if alt in NO_ALT else f" ({alt} is a file name)"
            advice = "In Markdown write ![what it shows](…); in code display it with shinan_research.render.show"
            raise ShinanError(f"{where['id']}: a picture without alt text{named}. {advice}.")
        width, height = printed_size(str(image["src"]).partition(",")[2])
        image["width"], image["height"] = str(width), str(height)


def _set_tables(page: BeautifulSoup) -> None:
    """Make empty header cells plain, print – for what is missing, set numbers to the right, and let wide tables scroll."""
    for table in page.select("main table"):
        _lift_names(table)
        columns: dict[int, list[Tag]] = {}
        for row in table.find_all("tr"):
            for place, cell in enumerate(reversed(row.find_all(["td", "th"]))):  # a spanning label stands at the left
                cell.name = cell.name if cell.get_text(strip=True) else "td"
                if (width := breadth(cell.get_text(strip=True))) and not cell.find_parent("thead"):
                    cell["class"] = width
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


def _lift_names(table: Tag) -> None:
    """Mark a table whose second line of heads holds the names of its index alone, where the line above leaves room for them."""
    rows = [[cell.get_text(strip=True) for cell in row.find_all(["td", "th"])] for row in table.select("thead tr")]
    if len(rows) == 2 and len(rows[0]) == len(rows[1]) and not any(above and name for above, name in zip(*rows, strict=True)):
        table.select("thead")[0]["class"] = "lift"


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
