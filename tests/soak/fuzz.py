"""Feed mutated files to every reader: each input must end in a result or a `ShinanError`, in 5 CPU seconds and 1 GB.

    python tests/soak/fuzz.py [--inputs 100000] [--seed 0]

Every input is made from (seed, number) alone, so `--only NUMBER` shows one again. Ends with a table of targets, and with
status 1 if any input met another exception, a hang, or too much memory.
"""

from __future__ import annotations

import argparse
import io
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from shinan_research import audit, open_study, outline, read_folder, read_page, read_report, restore
from shinan_research.errors import ShinanError
from shinan_research.files import BESIDE, FINAL, STAGE, recover
from shinan_research.occurrences import occurrences
from shinan_research.reports import Report
from shinan_research.tokens import Segmenter, tokenize

SECONDS, MEMORY = 5, 2**30
SEGMENTER = Segmenter()
BEFORE = (
    "政府工作报告——2031年1月9日在甲区人民代表大会上。各位代表:现在,我代表甲区人民政府向大会报告工作。"
    "一、2030年工作回顾(一)经济稳步增长。全年引进项目12个,增长6.5%。举办峰会2次。"
    + "我们坚持稳字当头,推动各项事业发展。" * 60
    + "二、2031年工作安排全区生产总值增长7%左右。新建学校3所。我们将继续努力。附件:名词解释1.峰会:会议。"
)
AFTER = BEFORE.replace("2031", "2032").replace("2030", "2031").replace("稳步", "较快")
TOML = """title = { zh = "比较", en = "A comparison" }
place = { zh = "甲区", en = "Jia" }
before = 2031
after = 2032
declared = "before counting"
[[files]]
path = "raw/page.txt"
layout = "page"
reports = { jia-2031 = 2031, jia-2032 = 2032 }
[[terms]]
name = "峰会"
forms = ["峰会"]
wide = ["会议"]
not = ["峰会议"]
"""
SITE, MATCH = BEFORE.index("经济"), BEFORE.index("峰会")
HEAD = BEFORE.index("一、")
PLANNED, REACHED = BEFORE.index("7%"), AFTER.index("6.5%")
TABLES = {
    "emendations/jia-2031.csv": (
        "report,offset,char,left,right,certainty,decision,decided_by,editor,source,evidence\n"
        f"jia-2031,{SITE},中,{BEFORE[SITE - 8 : SITE]},{BEFORE[SITE : SITE + 8]},certain,accept,machine reader,x,,y\n"
    ),
    "headings/jia-2031.csv": (
        f"report,start,end,level,text,decided_by\njia-2031,{HEAD},{HEAD + 10},1,{BEFORE[HEAD : HEAD + 10]},machine reader\n"
    ),
    "senses/峰会.csv": f"report,offset,left,match,right,sense,decided_by\njia-2031,{MATCH},办,峰会,2次,甲,machine reader\n",
    "links/jia-2031.csv": (
        "report,target_start,target_text,outcome_report,outcome_start,outcome_text,verdict,verdict_first,basis,decided_by,note\n"
        f'jia-2031,{PLANNED},7%,jia-2032,{REACHED},6.5%,missed,missed,same,machine reader,"6.5, not 7"\n'
    ),
    "links/not-targets/jia-2031.csv": (
        f"report,target_start,target_text,reason,decided_by\njia-2031,{BEFORE.index('3所')},3所,an example,machine reader\n"
    ),
    "copies/jia-2031.txt": BEFORE.replace("稳步", "中稳步"),
    "strata.csv": (
        "report,chapter,title,stratum,decided_by\n"
        f"jia-2031,1,{BEFORE[HEAD : HEAD + 10]},review,machine reader\n"
        "jia-2032,1,一、2031年工作回顾(一)经济较快增长。,review,machine reader\n"
        "jia-2032,2,二、2032年工作安排全区生产总值增长7%左右。,plan,machine reader\n"
    ),
    "labels.csv": "fingerprint,zh,en,decided_by,same\n发展 推动,发展,Development,machine reader,yes\n",
    "glosses.csv": "term,gloss,key\n峰会,summit,fenghui\n",
    "lexicon/terms.txt": "峰会\n稳字当头\n# a remark\n",
}
LIST = b'{".": {"a": true, "b": false}, "tables": {"a": true}, "data": {"keep": false}}'
NASTY = [
    b"\0", b"\xff\xfe", b"\xef\xbb\xbf", b"\r", b"\n", b'"', b"'", b",", b";", b"\t", b"\\", b"=cmd|' /C calc'!A0",
    b"-1", b"9" * 30,
    b"1e309", b"nan", b"inf", b"\xe4\xb8", b"\xf0\xa0\x80\x80", "\u202e\u2066".encode(), "〔中〕".encode(), "中".encode(), b"[[",
    b"]]", b"{",
    b"}", b"#", b"\x1b[31m", b"../../x", b"", b"\x85", "\u2028".encode(), "①二".encode(), b"<script>", b"true",
    b"2031-01-01", b"%s{0}", b"\\ud83d", b"\\u0000", b"9" * 5000, b"[" * 3000, b"&#0;", b"]]>", b"0x10",
    "٣".encode(), "²".encode(),
]  # fmt: skip


def mutate(data: bytes, chance: random.Random) -> bytes:
    """Return the bytes after one to six small changes: flips, cuts, repeats, and strings known to hurt."""
    for _ in range(chance.choice((1, 1, 2, 3, 4, 6))):
        first, second = sorted(chance.randrange(len(data) + 1) for _ in range(2))
        second = min(second, first + 200)
        kind = chance.randrange(8)
        if kind == 0 and data:
            place = chance.randrange(len(data))
            data = data[:place] + bytes([data[place] ^ 1 << chance.randrange(8)]) + data[place + 1 :]
        elif kind == 1:
            data = data[:first] + data[second:]
        elif kind == 2:
            data = data[:second] + data[first:second] * chance.randint(1, 20) + data[second:]
        elif kind == 3:
            data = data[:first] if chance.random() < 0.2 else data
        elif kind == 4:
            lines = data.split(b"\n")
            chance.shuffle(lines)
            data = b"\n".join(lines)
        elif kind == 5:
            cells = data.split(b",")
            cells[chance.randrange(len(cells))] = chance.choice(NASTY)
            data = b",".join(cells)
        elif kind == 6:
            lines = data.split(b"\n")
            lines.insert(chance.randrange(len(lines) + 1), chance.choice(lines))
            data = b"\n".join(lines)
        else:
            data = data[:first] + chance.choice(NASTY) + data[second if chance.random() < 0.3 else first :]
    return data


def docx(text: str) -> bytes:
    """Return a minimal Word document with one paragraph a line."""
    space = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    body = "".join(f"<w:p><w:r><w:t>{line}</w:t></w:r></w:p>" for line in text.split("。"))
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr(
            "word/document.xml", f'<?xml version="1.0"?><w:document xmlns:w="{space}"><w:body>{body}</w:body></w:document>'
        )
    return target.getvalue()


def zipped(chance: random.Random) -> bytes:
    """Return a zip whose Word document is mutated inside, so that the mutation reaches the XML."""
    source = zipfile.ZipFile(io.BytesIO(docx(BEFORE[:300])))
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name in source.namelist():
            archive.writestr(name, mutate(source.read(name), chance))
    return target.getvalue()


def study_files() -> dict[str, bytes]:
    """Return the small study: two invented reports on one page, and every file that a person may edit."""
    files = {"study.toml": TOML, "raw/page.txt": BEFORE + "\n\n" + AFTER + "\n"}
    return {name: text.encode() for name, text in {**files, **TABLES}.items()}


def walk(root: Path, name: str = "lexicon/terms.txt") -> None:
    """Go the way of a notebook over a study, up to counts; only a lexicon needs the dictionary, which takes time."""
    study = open_study(root)
    study.check_hashes()
    reports = restore(study.reports(), study.emendations)
    sentences = outline(reports, headings=study.headings)
    lexicon = name.startswith("lexicon")
    tokens = tokenize(sentences, study.segmenter if lexicon else SEGMENTER)
    occurrences(tokens, study.terms)
    study.senses(reports)
    study.links(reports)
    study.copies(reports)
    assert isinstance(study.glosses, dict)
    assert study.strata is not None and study.labels is not None


def along(found: list[Report]) -> None:
    """Go on with what was read, as far as tokens: what a reader lets in must not hurt behind it."""
    assert len(audit(found)) >= 0
    tokenize(outline(found, witness=True), SEGMENTER)


def targets(chance: random.Random, root: Path) -> tuple[str, Callable[[], object]]:
    """Return the name of a target, and the reading of one mutated input."""
    files = study_files()
    name = chance.choice([
        "page", "report", "study.toml", *TABLES, "table.csv", "table.tsv", "table.jsonl", "x.docx", "x.zip", "inner.docx",
        "change",
    ])  # fmt: skip
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir()
    if name == "change":
        for kind in ("figures", "tables", "data"):
            (root / "study" / kind / STAGE).mkdir(parents=True)
            (root / "study" / kind / STAGE / "a").write_bytes(b"new")
        (root / "keep").write_bytes(b"kept")
        (root / "study" / "data" / "keep").write_bytes(b"kept")
        shutil.rmtree(root / "study" / "data" / STAGE)
        (root / "study" / "figures" / STAGE / FINAL).write_bytes(mutate(LIST, chance))
        (root / "study" / "tables" / STAGE / BESIDE).write_bytes(mutate(b"figures", chance))
        return name, lambda: mended(root)
    if name in ("page", "report"):
        path = root / "甲区-2031.txt"
        path.write_bytes(mutate(files["raw/page.txt"], chance))
        return name, (lambda: along(read_page(path))) if name == "page" else (lambda: along([read_report(path)]))
    if name in files:
        for other, content in files.items():
            path = root / "data" / other
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(mutate(content, chance) if other == name else content)
        return name, lambda: walk(root, name)
    table = f"place,year,text\n甲区,2031,{BEFORE[:300]}\n乙区,2032,{AFTER[:300]}\n"
    lines = "".join(f'{{"place": "甲区", "year": {year}, "text": "{BEFORE[:300]}"}}\n' for year in (2031, 2032))
    content = {
        "table.csv": table.encode(),
        "table.tsv": table.replace(",", "\t").encode("gb18030"),
        "table.jsonl": lines.encode(),
        "x.docx": docx(BEFORE[:300]),
        "x.zip": docx(BEFORE[:300]),
    }
    data = zipped(chance) if name == "inner.docx" else mutate(content[name], chance)
    (root / name.replace("inner", "x")).write_bytes(data)
    return name, lambda: along(read_folder(root))


def mended(root: Path) -> None:
    """Finish or drop a change of files whose list is mutated; whatever it says, nothing outside the two folders may move."""
    try:
        for kind in ("tables", "figures"):
            recover(root / "study" / kind)
    finally:
        kept = {path.relative_to(root).as_posix() for path in root.glob("*")} | {path.name for path in (root / "study").glob("*")}
        assert kept == {"keep", "study", "figures", "tables", "data"} and (root / "study" / "data" / "keep").exists(), kept


class Hang(BaseException):
    """An input took longer than it may."""


def one(number: int, seed: int, root: Path) -> tuple[str, str, str]:
    """Run one input: its target, how it ended, and the traceback of an ending that must not be."""
    name, call = targets(random.Random(f"{seed}-{number}"), root)
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    try:
        call()
    except ShinanError:
        return name, "explained", ""
    except (Exception, Hang) as error:  # any other exception is what is looked for
        return name, type(error).__name__, traceback.format_exc()
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    return name, "read", ""


def main() -> int:
    """Run all inputs, print how each target ended."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inputs", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", type=int, help="show this input again")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="soak-"))
    root = folder / "study"
    for name, content in study_files().items():
        (root / "data" / name).parent.mkdir(parents=True, exist_ok=True)
        (root / "data" / name).write_bytes(content)
    walk(root)  # the unharmed study must be read, or nothing below means anything

    def hang(*_: object) -> None:
        raise Hang

    signal.signal(signal.SIGPROF, hang)
    held = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize() if Path("/proc").is_dir() else MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (held + MEMORY, resource.RLIM_INFINITY))
    ends: Counter[tuple[str, str]] = Counter()
    shown, began = set(), time.process_time()
    for number in [options.only] if options.only is not None else range(options.inputs):
        name, end, trace = one(number, options.seed, root)
        ends[name, end] += 1
        place = trace.strip().splitlines()[-3:] if trace else []
        if trace and tuple(place) not in shown:
            shown.add(tuple(place))
            print(f"input {number} ({name}):\n{trace}", flush=True)
    shutil.rmtree(folder)
    bad = sum(count for (_, end), count in ends.items() if end not in ("read", "explained"))
    for name in sorted({name for name, _ in ends}):
        print(f"{name:28}", ", ".join(f"{count} {end}" for (at, end), count in sorted(ends.items()) if at == name))
    total = sum(ends.values())
    print(f"{total} inputs, {bad} ended in what must not be, {time.process_time() - began:.0f} CPU s, seed {options.seed}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
