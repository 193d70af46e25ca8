"""The acid test: do the notebooks serve other reports than those of this study, without a line of code being touched?

    python tests/benchmarks/acid.py CORPUS_FOLDER OUTPUT_FOLDER [--cases county docx] [--python INTERPRETER]

Makes a study of each case from a corpus of reports (`<level>/<place>_<year>[.source].txt`), builds all its notebooks outside
the repository with the given Python (as it is, or one with nothing but an installed wheel), looks for what no page may show
(nan, None, an error, a field not filled in, an empty figure), and writes every computed sentence to OUTPUT/<case>.txt, to be
read aloud: no program can tell whether it is true.
"""

from __future__ import annotations

import argparse
import base64
import io
import json
import re
import subprocess
import sys
import time
import zipfile
from collections import Counter
from collections.abc import Iterator
from html import escape, unescape
from pathlib import Path

CASES: dict[str, tuple[str, ...]] = {
    "county": ("county/高阳县_2017", "county/高阳县_2018"),
    "docx": ("county/高阳县_2018", "county/高阳县_2019"),
    "stub": ("county/高阳县_2014", "county/高阳县_2023"),
    "fragments": ("county/高阳县_2012", "county/高阳县_2013"),
    "province": ("province/山东省_2015", "province/山东省_2016"),
    "council": ("national/国务院_2018", "national/国务院_2019"),
    "places": ("province/浙江省_2021", "province/江苏省_2021"),
    "several": tuple(f"province/{place}_{year}" for place in ("甘肃省", "青海省") for year in (2019, 2020, 2021)),
}
OPTIONS = {"council": ("--terms", "就业", "攻坚", "峰会", "不存在的词"), "several": ("--before", "2019", "--after", "2021")}
WRONG = re.compile(r"\b(?:[nN]a[nN]|None|NaT|Traceback|inf)\b|<NA>|\{\w*\}|\w+Error\b")
FEWEST_INKED = 0.005
WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
Seen = tuple[str, str]


def main() -> int:
    """Build the cases and return how many of them failed or show what they may not."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--cases", nargs="*", default=list(CASES), choices=list(CASES))
    parser.add_argument("--python", default=sys.executable)
    options = parser.parse_args()
    return sum(run(name, options.corpus, options.output.resolve(), options.python) > 0 for name in options.cases)


def run(name: str, corpus: Path, output: Path, python: str) -> int:
    """Make and build one study, write what it says, and return how much is wrong."""
    reports, study, started = output / f"{name}-reports", output / name, time.monotonic()
    reports.mkdir(parents=True, exist_ok=True)
    for stem in CASES[name]:
        source = next(iter(sorted(corpus.glob(f"{stem}*.txt"))), None)
        if source is None:
            raise SystemExit(f"{corpus} holds no {stem}*.txt; give the folder that holds county/, province/ and national/.")
        text = source.read_text(encoding="utf-8")
        if name == "docx":
            (reports / f"{source.name.split('.')[0]}.docx").write_bytes(docx(text))
        else:
            (reports / f"{source.name.split('.')[0]}.txt").write_text(text, encoding="utf-8")
    package = [python, "-m", "shinan_research"]
    said = ""
    if not (study / "data").exists():
        said = call([*package, "new", str(study), "--reports", str(reports), *OPTIONS.get(name, ())], output)
    said += call([*package, "reproduce", str(study)], output)
    seen = [("commands", said)]
    seen += [each for path in sorted(study.glob("build/notebooks/*.ipynb")) for each in shown(path)]
    seen += [each for path in sorted(study.glob("figures/*.json")) for each in captions(path)]
    pages = [(path.name, plain(path.read_text(encoding="utf-8"))) for path in sorted(study.glob("build/html/*.html"))]
    wrong = [(where, around(found)) for where, words in [*seen, *pages] for found in WRONG.finditer(words)] + [*blank(study)]
    wrong += [("commands", "not built")] if " s. Pages:" not in said else []
    (output / f"{name}.txt").write_text("".join(f"[{where}]\n{words.strip()}\n\n" for where, words in seen), encoding="utf-8")
    print(f"{name}: {len(seen)} texts to read, {len(wrong)} things that may not be, {time.monotonic() - started:.0f} s")
    for (where, what), times in Counter(wrong).items():
        print(f"    {where}: {what} ({times})")
    return len(wrong)


def call(command: list[str], folder: Path) -> str:
    """Run a command outside the repository and return all it says."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, encoding="utf-8", check=False)
    return done.stdout + done.stderr


def shown(path: Path) -> Iterator[Seen]:
    """Yield every output of an executed notebook as plain text."""
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            if "<table" in "".join(data.get("text/html", "")):
                continue  # tables are read on the pages
            words = data.get("text/markdown") or data.get("text/html") or data.get("text/plain") or output.get("text", "")
            yield f"{path.stem} {cell['id']}", plain("".join(words) + "".join(output.get("traceback", [])))


def plain(page: str) -> str:
    """Return what a page says, alternative texts included; style sheets, code and pictures are left out."""
    page = re.sub(r"<(style|pre|math|svg)\b.*?</\1>", "", page, flags=re.DOTALL)
    page = re.sub(r"</t[dh]>", " ", re.sub(r'<img\b[^>]*?alt="([^"]*)"[^>]*>', r"\1 ", page))
    return unescape(re.sub(r"</?[a-zA-Z][^<>]*>", "", page))


def around(found: re.Match[str]) -> str:
    """Return what was found, with some words on both sides."""
    return " ".join(found.string[max(0, found.start() - 30) : found.end() + 30].split())


def captions(path: Path) -> Iterator[Seen]:
    """Yield captions and alternative texts of a figure."""
    entry = json.loads(path.read_text(encoding="utf-8"))
    for kind in ("caption", "alt"):
        for language, words in entry.get(kind, {}).items():
            yield f"{path.stem} {kind} {language}", words


def blank(study: Path) -> Iterator[Seen]:
    """Yield the figures in whose notebook next to nothing is drawn."""
    import numpy as np
    from PIL import Image

    for path in sorted((study / "build" / "notebooks").glob("*.ipynb")):
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            for output in cell.get("outputs", []):
                if png := output.get("data", {}).get("image/png"):
                    grey = np.asarray(Image.open(io.BytesIO(base64.b64decode("".join(png)))).convert("L"))
                    if float((grey < 250).mean()) < FEWEST_INKED:
                        yield f"{path.stem} {cell['id']}", "an empty figure"


def docx(text: str) -> bytes:
    """Return a text as the smallest docx that Word opens."""
    paragraphs = "".join(f"<w:p><w:r><w:t>{escape(line)}</w:t></w:r></w:p>" for line in text.splitlines())
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("word/document.xml", f'<w:document xmlns:w="{WORD}"><w:body>{paragraphs}</w:body></w:document>')
    return target.getvalue()


if __name__ == "__main__":
    sys.exit(main())
