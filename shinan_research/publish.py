"""Publish a figure: files, table, caption, alt text and manifest entry together, or nothing."""

from __future__ import annotations

import base64
import html
import io
import json
import platform
import re
import zipfile
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from .captions import alt_text, caption
from .errors import FigureError
from .figures.style import FAMILY, INSTALLED_FONTS, check_glyphs, house_style
from .files import recover, sha256, write_atomically, write_together
from .guide import how_to_read
from .inline import MIME, figure_data
from .messages import LANGUAGES, say
from .study import Study

NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,60}")
PACKAGES = ("numpy", "scipy", "pandas", "matplotlib", "scikit-learn")
DIGITS = 10
TAG = re.compile(r"<[^<>]*>")
KINDS = ("pdf", "svg", "png", "csv", "json")
RESERVED = ("manifest", "readme", "numbers", "captions", "figures")
MANIFEST = "MANIFEST.json"
PRINT_DPI = 600
OPAQUE = 255
SMALLER = 3  # times smaller is the picture that a notebook shows
EARLIEST = (1980, 1, 1, 0, 0, 0)  # the first date that a zip can hold


@dataclass(frozen=True)
class Published:
    """A published figure, as a notebook shows it: drawing, words, how it is read, and the rows that its marks stand for."""

    name: str
    alt: str
    caption: str
    png: bytes
    guides: tuple[tuple[str, str], ...] = ()
    svg: bytes = field(default=b"", repr=False)
    rows: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def _repr_mimebundle_(self, **_: object) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the figure for Jupyter: an HTML figure with alt text, the bare image, and what our own page shows instead."""
        image = base64.b64encode(self.png).decode("ascii")
        alt, words = html.escape(self.alt, quote=True), html.escape(self.caption)
        source = f"data:image/png;base64,{image}"
        folds = "".join(
            f"<details><summary>{html.escape(title)}</summary><p>{html.escape(text)}</p></details>" for title, text in self.guides
        )
        page = f'<figure id="{self.name}"><img alt="{alt}" src="{source}"><figcaption>{words}</figcaption></figure>{folds}'
        own = {
            "name": self.name, "svg": self.svg.decode(), "alt": self.alt, "caption": self.caption, "rows": self.rows,
            "guides": [list(guide) for guide in self.guides],
        }  # fmt: skip
        return {MIME: own, "text/html": page, "image/png": image, "text/plain": self.alt}, {"image/png": {"alt": self.alt}}


def publish(
    figure: Figure,
    name: str,
    *,
    data: pd.DataFrame | Mapping[str, pd.DataFrame],
    study: Study,
    caption_text: Mapping[str, str] | None = None,
    alt: Mapping[str, str] | None = None,
) -> Published:
    """Write a figure as PDF, SVG and PNG with its data, caption and alt text, and enter it into the manifest.

    `<name>.svg` has its letters as outlines, which Word and browsers show alike; `<name>.text.svg` has them as text to edit.

    Everything is made in memory first, so that a failure leaves the earlier figure as it was. The bytes depend on
    the figure, its data and the versions of the packages alone: no date, no version of a program, no random id.

    Parameters
    ----------
    figure
        The drawn figure; its size is kept.
    name
        Lower-case letters, digits and hyphens; the stem of the files in `figures/`.
    data
        The table drawn, or several by name, the first being that which the caption speaks of; each must carry
        `attrs["settings"]`, or stand beside one that does.
    study
        The study; its language chooses the caption that the notebook shows.
    caption_text, alt
        Caption and alt text as `{"zh": …, "en": …}`, where none can be computed from the data.

    Returns
    -------
    Published
        What a notebook displays.

    Raises
    ------
    FigureError
        If the name is unfit, the table is empty or has no settings, or a character has no glyph.
    """
    tables = {"": data} if isinstance(data, pd.DataFrame) else dict(data)
    settings = checked_settings(name, tables)
    captions = (
        dict(caption_text) if caption_text else {one: caption(tables, study.place, study.declared, one) for one in LANGUAGES}
    )
    alts = dict(alt) if alt else {one: alt_text(tables, one) for one in LANGUAGES}
    pictures = _pictures(figure, name, captions["en"], study)
    files = _image_files(figure, name, captions["en"], study) | {f"{name}.png": pictures[0]}
    for key, table in tables.items():
        files[f"{name}{'.' if key else ''}{key}.csv"] = csv_bytes(table)
    entry: dict[str, Any] = {
        "title": study.title, "caption": captions, "alt": alts, "licence": study.licence, "settings": settings,
        "how_to_read": {one: how_to_read(next(iter(tables.values())), one) for one in LANGUAGES},
        "data": study.data_hash, "files": {file: sha256(content) for file, content in sorted(files.items())},
    }  # fmt: skip
    files[f"{name}.json"] = json_bytes(entry)
    folder = study.root / "figures"
    files[MANIFEST] = _manifest_with(folder, name, entry | {"platform": running_platform()})
    write_together(folder, files)
    language = "zh" if study.language == "zh" else "en"
    other = [(say("guide.caption", "zh"), captions["zh"])] if study.language == "both" else []
    guides = (*other, *((say("guide.summary", one), text) for one in LANGUAGES if (text := entry["how_to_read"][one])))
    rows = figure_data(figure, {key: rounded(table) for key, table in tables.items()})
    return Published(name, alts[language], captions[language], pictures[1], guides, files[f"{name}.svg"], rows)


def checked_settings(name: str, tables: Mapping[str, pd.DataFrame], *, what: str = "figure") -> dict[str, Any]:
    """Return the settings of the first table, after checking name and tables.

    Raises
    ------
    FigureError
        If a name is unfit, the first table is empty, or it has no settings.
    """
    unfit = [key for key in tables if key and (not NAME.fullmatch(key) or key in KINDS)]
    if unfit:
        raise FigureError(
            f"The table {unfit[0]!r} of {name!r}: use lower-case letters, digits and hyphens, and none of {', '.join(KINDS)}."
        )
    if not NAME.fullmatch(name) or name in RESERVED:
        raise FigureError(f"name is {name!r}; use lower-case letters, digits and hyphens, as in 'shift' or 'lost-characters'.")
    first = next(iter(tables.values()), pd.DataFrame())
    if first.empty:
        raise FigureError(f"The {what} {name!r} comes without data. Publish it with a table that has rows.")
    if not first.attrs.get("settings", {}).get("function"):
        raise FigureError(
            f"The table of {name!r} has no settings. Publish the table as the statistic returned it; a merge loses table.attrs, "
            "so set them again by hand if you must."
        )
    return dict(first.attrs["settings"])


def _pictures(figure: Figure, name: str, words: str, study: Study) -> tuple[bytes, bytes]:
    """Return the figure as PNG at the resolution of print, with its words, and as the smaller one that a notebook shows."""
    target = io.BytesIO()
    with house_style():
        check_glyphs(figure)
        figure.savefig(target, format="rgba", dpi=PRINT_DPI)
    width, height = (int(PRINT_DPI * inches) for inches in figure.get_size_inches())
    picture = Image.frombytes("RGBA", (width, height), target.getvalue())
    if np.frombuffer(target.getvalue(), dtype=np.uint8)[3::4].min() == OPAQUE:
        picture = picture.convert("RGB")
    about = {"Title": name, "Description": words, "Copyright": _rights(study)}
    return _png(picture, PRINT_DPI, about), _png(picture.reduce(SMALLER), PRINT_DPI // SMALLER, {})


def _png(picture: Image.Image, dpi: int, words: Mapping[str, str]) -> bytes:
    """Return a picture as PNG of a resolution, with words about it."""
    target, info = io.BytesIO(), PngInfo()
    for key, text in words.items():
        info.add_text(key, text)
    picture.save(target, "png", dpi=(dpi, dpi), pnginfo=info)
    return target.getvalue()


def _rights(study: Study) -> str:
    """Return licence and title, which stand in every image file."""
    return f"{study.licence}. {study.title['en']}"


def _image_files(figure: Figure, name: str, words: str, study: Study) -> dict[str, bytes]:
    """Return the figure as files of lines and letters, by name."""
    rights = _rights(study)
    with house_style():
        nothing = {"Creator": None, "Date": None}
        undated = {"Creator": None, "Producer": None, "CreationDate": None, "ModDate": None}
        svg, words_kept = (_save(figure, "svg", {"Rights": rights, **nothing}, letters=kind) for kind in ("path", "none"))
        return {
            f"{name}.pdf": _save(figure, "pdf", {"Title": name, "Subject": words, "Keywords": rights, **undated}),
            f"{name}.svg": _titled(svg, name, words),
            f"{name}.text.svg": _titled(_with_fallbacks(words_kept), f"{name}-text", words),
        }


def _save(figure: Figure, kind: str, metadata: Mapping[str, str | None], letters: str = "path") -> bytes:
    """Return the figure in one format, in the house style; an SVG has its letters as outlines (path) or as text (none)."""
    target = io.BytesIO()
    with house_style(), mpl.rc_context({"svg.fonttype": letters}):
        figure.savefig(target, format=kind, metadata=dict(metadata), dpi=PRINT_DPI)
    return target.getvalue()


def _titled(svg: bytes, name: str, words: str) -> bytes:
    """Return an SVG with role, title and description, and with ids that carry the figure's name."""
    text = svg.decode("utf-8")
    used: Counter[str] = Counter()

    def own(match: re.Match[str]) -> str:
        used[match[1]] += 1
        return f'{match[1]}_{used[match[1]]}"' if used[match[1]] > 1 else match[0]

    text = re.sub(r'(\bid="row\.[^"]*)"', own, text)  # several marks may stand for one row
    text = TAG.sub(lambda tag: re.sub(r'(\bid="|url\(#|href="#)', rf"\g<1>{name}-", tag[0]), text)
    opening = f'<title id="{name}-title">{html.escape(name)}</title>\n <desc id="{name}-desc">{html.escape(words)}</desc>'
    text = text.replace("<svg ", f'<svg role="img" aria-labelledby="{name}-title {name}-desc" ', 1)
    return re.sub(r"(<svg [^>]*>)", lambda match: f"{match.group(1)}\n {opening}", text, count=1).encode("utf-8")


def _with_fallbacks(svg: bytes) -> bytes:
    """Return an SVG whose text names other Chinese fonts for computers that lack the package's own."""
    families = ", ".join(f"'{family}'" for family in (FAMILY, *INSTALLED_FONTS))
    pattern = re.compile(rf"font-family: '{FAMILY}'[^;\"]*")
    return TAG.sub(lambda tag: pattern.sub(f"font-family: {families}, sans-serif", tag[0]), svg.decode("utf-8")).encode("utf-8")


def rounded(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table with floating-point columns rounded to ten significant digits, as it is written and compared."""

    def short(value: object) -> object:
        return float(f"{value:.{DIGITS}g}") if isinstance(value, float | np.floating) and np.isfinite(value) else value

    return table.assign(**{name: table[name].map(short) for name in table.columns if pd.api.types.is_float_dtype(table[name])})


def csv_bytes(table: pd.DataFrame) -> bytes:
    """Return a table as CSV in UTF-8 with Unix newlines; text that a spreadsheet would run as a formula is quoted by '."""
    safe = table.copy()
    for name in safe.columns:
        if not pd.api.types.is_numeric_dtype(safe[name]) and not pd.api.types.is_bool_dtype(safe[name]):
            safe[name] = (
                safe[name]
                .astype(object)
                .map(lambda cell: f"'{cell}" if isinstance(cell, str) and cell[:1] in "=+-@\t\r" and cell else cell)
            )
    return rounded(safe).to_csv(index=False, lineterminator="\n").encode("utf-8")


def json_bytes(value: object) -> bytes:
    """Return a value as JSON with sorted keys, readable by a person."""
    return (json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True, default=_plain) + "\n").encode("utf-8")


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{value!r} cannot be written as JSON.")


def zip_bytes(files: Mapping[str, bytes]) -> bytes:
    """Return files as a zip that is the same everywhere: sorted, dated 1980, not compressed; what begins with #! may be run."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as packed:
        for name, content in sorted(files.items()):
            entry = zipfile.ZipInfo(name, EARLIEST)
            entry.create_system = 3  # Unix, whatever the system is, so that the permissions count
            entry.external_attr = (0o100755 if content.startswith(b"#!") else 0o100644) << 16
            packed.writestr(entry, content)
    return target.getvalue()


def running_platform() -> dict[str, str]:
    """Return what the bytes of a figure depend on beside its data: Python, packages, system, machine, instructions used."""
    versions = {name: version(name) for name in PACKAGES}
    instructions = np.show_config(mode="dicts")["SIMD Extensions"].get("found", [])
    return {
        "python": ".".join(platform.python_version_tuple()[:2]),
        "system": platform.system(),
        "machine": platform.machine(),
        "instructions": " ".join(instructions[-1:]),
        **versions,
    }


def enter(folder: Path, name: str, entry: Mapping[str, Any]) -> None:
    """Write one entry into the manifest of a folder, leaving the others as they are."""
    write_atomically(folder / MANIFEST, _manifest_with(folder, name, dict(entry) | {"platform": running_platform()}))


def _manifest_with(folder: Path, name: str, entry: Mapping[str, Any]) -> bytes:
    """Return the manifest of a folder with one figure added or replaced."""
    manifest = read_manifest(folder)
    manifest["figures"][name] = dict(entry)
    return json_bytes(manifest)


def read_manifest(folder: Path, *, kind: str = "figures") -> dict[str, Any]:
    """Return the manifest of a folder of figures or tables (`kind`), or an empty one where there is none.

    Raises
    ------
    FigureError
        If the file is no manifest.
    """
    recover(folder)
    path = folder / MANIFEST
    if not path.exists():
        return {kind: {}}
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise FigureError(f"{path.parent.name}/{MANIFEST} is damaged ({error}). Delete it and build again.") from error
    if not isinstance(manifest, dict) or not isinstance(manifest.get(kind), dict):
        raise FigureError(f"{path.parent.name}/{MANIFEST} is not a manifest of {kind}. Delete it and build again.")
    return manifest
