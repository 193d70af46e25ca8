"""Two minimal papers print captions, numbers, a figure, a table and references of the kit, where a TeX is installed."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pandas as pd
import pytest
from test_publish import make_figure, make_study

from shinan_research import publish
from shinan_research.figures.style import add_text, house_style, new_figure
from shinan_research.kit import build_kit, record, record_shift
from shinan_research.tables import publish_table

PAPERS = Path(__file__).parent / "papers"
HOSTILE = r"50 % of $x_1$ & #2 \input{x} ~^ <a> |b| [c] *d* {e −5 ≤ 6 → “峰会” \end{document}"
HOSTILE_ZH = HOSTILE + "。"
ENGINES = {"paper-en": "pdflatex", "paper-zh": "xelatex"}


@pytest.fixture(scope="module")
def kit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of figures with a kit; caption, number and table are as hostile as LaTeX can be asked to bear."""
    study = make_study(tmp_path_factory.mktemp("kit"))
    (study.data / "glosses.csv").write_text("term,gloss,key\n花,flower,fenghui\n云,cloud,yun\n", encoding="utf-8")
    tables = make_figure()[1]
    figure = new_figure("single", 20)
    with house_style():
        add_text(figure, 5, 5, "花")
    publish(figure, "shift", data=tables, study=study, caption_text={"en": HOSTILE, "zh": HOSTILE_ZH})
    record_shift(tables[""], study=study)
    record({"hostile": (None, HOSTILE), "minus": -5}, study=study)
    publish_table(tables[""], "terms", study=study)
    table = pd.DataFrame({HOSTILE: [HOSTILE, "[x]", "*"], "n": [1, -2, 3]})
    table.attrs = {"settings": {"function": "own"}}
    publish_table(table, "own", study=study, caption_text={"en": HOSTILE, "zh": HOSTILE_ZH})
    build_kit(study.root / "figures", study)
    return study.root / "figures"


def compiled(source: str, engine: str, kit: Path, folder: Path) -> str:
    """Compile a paper, with its references if it has any, stopping at any error, and return the text of its PDF."""
    if not shutil.which(engine):
        pytest.skip(f"{engine} is not installed")
    if engine == "xelatex" and not shutil.which("kpsewhich"):
        pytest.skip("kpsewhich is not installed")
    (folder / "paper.tex").write_text(rf"\newcommand{{\kit}}{{{kit.as_posix()}}}" + "\n" + source, encoding="utf-8")
    command = [engine, "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", "paper.tex"]
    environment = os.environ | {"max_print_line": "1000", "openin_any": "a"}

    def call(words: list[str]) -> tuple[int, str]:
        ended = subprocess.run(words, cwd=folder, env=environment, capture_output=True, timeout=120, check=False)
        return ended.returncode, ended.stdout.decode("utf-8", "replace")

    ended, log = call(command)
    if not ended and r"\bibdata" in (folder / "paper.aux").read_text(encoding="utf-8"):
        assert call(["bibtex", "paper"])[0] == 0 and not call(command)[0]
        ended, log = call(command)
    if re.search(r"File `ctexart.cls' not found|cannot find the font|font .* cannot be found", log, re.IGNORECASE):
        pytest.skip("the Chinese classes or fonts of TeX are not installed")
    assert ended == 0, log[-2_000:]
    assert "Missing character" not in log and "undefined" not in log
    if not shutil.which("pdftotext"):
        return ""
    return subprocess.run(["pdftotext", "-layout", "paper.pdf", "-"], cwd=folder, capture_output=True, check=True).stdout.decode()


def escaped(source: str) -> str:
    """Return a paper that can print Chinese without a Chinese font: it prints CJK in its place."""
    return source.replace(r"\begin{document}", "\\DeclareRobustCommand{\\wrchinese}[1]{CJK}\n\\begin{document}", 1)


@pytest.mark.slow
def test_english_paper(kit: Path, tmp_path: Path) -> None:
    """The English paper compiles with pdflatex, and prints the numbers, and the hostile caption as it was written."""
    text = compiled(escaped((PAPERS / "paper-en.tex").read_text(encoding="utf-8")), ENGINES["paper-en"], kit, tmp_path)
    words = " ".join(text.split())
    assert not text or ("stands 8 times, then 0 times" in words and "too concentrated" in words)
    assert not text or ("Adjusted" in words and "JiaCounty<draft>:figureshift" in "".join(text.split()))
    assert not text or "50 % of $x 1$ & #2 \\input{x}".replace(" ", "") in words.replace(" ", "").replace("_", "")


@pytest.mark.slow
def test_chinese_paper(kit: Path, tmp_path: Path) -> None:
    """The Chinese paper compiles with xelatex, and prints number, verdict and caption in Chinese."""
    text = compiled((PAPERS / "paper-zh.tex").read_text(encoding="utf-8"), ENGINES["paper-zh"], kit, tmp_path)
    words = "".join(text.split())
    assert not text or ("先后出现8次与0次" in words and "结论是过于集中" in words and "“峰会”" in words)
    assert not text or ("校正" in words and "p值结论" in words and "figureshift" in words)


def test_hostile_table(kit: Path, tmp_path: Path) -> None:
    """A published table whose heading and cells hold every special character compiles inside a paper."""
    body = r"""\documentclass{article}\usepackage{booktabs}\begin{document}\input{\kit/numbers}
\DeclareRobustCommand{\wrchinese}[1]{CJK}\tiny\wrnumber{hostile}, \wrnumber{minus}, $\wrnumber{minus}$

\input{\kit/../tables/own.en}\end{document}"""
    compiled(body, "pdflatex", kit, tmp_path)
    assert (tmp_path / "paper.pdf").stat().st_size > 1_000


def test_an_unknown_key_stops_the_paper(kit: Path, tmp_path: Path) -> None:
    """A key that nobody recorded is an error that names it, not an empty place in the sentence."""
    body = r"\documentclass{article}\begin{document}\input{\kit/numbers}\wrnumber{no.such.key}\end{document}"
    with pytest.raises(AssertionError, match=r"There is no number no\.such\.key"):
        compiled(body, "pdflatex", kit, tmp_path)


@pytest.mark.parametrize("name", ENGINES)
def test_papers_are_minimal(name: str) -> None:
    """Each paper inputs numbers and captions, shows figure, table and references, and types no count of its own."""
    text = (PAPERS / f"{name}.tex").read_text(encoding="utf-8")
    assert all(rf"\input{{\kit/{part}}}" in text for part in ("numbers", "captions"))
    assert all(part in text for part in (r"{\kit/shift.pdf}", r"{\kit/../tables/terms.", r"\bibliography{\kit/figures}"))
    assert not re.search(r"\d", text.partition(r"\begin{document}")[2])
