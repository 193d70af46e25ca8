"""The architecture holds: imports one way, few doors to the disk, short functions, nothing of this study in the library."""

import ast
import inspect
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

import shinan_research

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "shinan_research"
# Left may not see right.
ORDER = (
    "errors", "surroundings", "files", "settled", "packed", "word", "extras", "characters", "records",
    "intake", "reports", "scale", "dictionary", "messages", "numerals", "lattice", "propose", "audit",
    "losses", "restore", "review", "tei", "links", "collate", "headings", "outline", "trie", "tokens", "occurrences", "discover",
    "reference", "declaration", "study", "tallies", "strata", "counts", "rates",
    "multiplicity", "permutation", "shifts", "word_shift", "placebo", "sensitivity", "explain", "captions",
    "guide", "context", "series",
    "attention", "windows", "lda", "consensus", "coherence", "choice", "topics", "opinions", "prevalence",
    "indicators", "quantities", "likeness", "targets", "announced", "describe", "describe_topics", "figures", "inline",
    "publish", "tables", "kit", "render", "exporter", "gallery", "passages", "verify", "build", "archive", "new", "own",
    "workplace", "__main__",
)  # fmt: skip
READERS = (
    "files", "settled", "intake",
    "reports", "scale", "dictionary", "restore", "review", "links", "study", "publish", "tables", "kit",
    "render", "verify", "build", "archive", "new", "own", "workplace", "__main__",
)  # fmt: skip
WRITERS = (
    "files",
    "settled",
    "scale",
    "review",
    "publish",
    "tables",
    "kit",
    "render",
    "verify",
    "build",
    "archive",
    "new",
    "workplace",
    "__main__",
)
READING = {"open", "read_text", "read_bytes", "read_rows", "glob", "rglob", "iterdir"}
WRITING = {
    "write_text", "write_bytes", "write_atomically", "write_together", "replace_together", "unlink", "rmdir", "mkdir", "touch",
    "copytree", "copyfile", "rmtree", "mkstemp", "mkdtemp", "TemporaryDirectory", "NamedTemporaryFile", "symlink_to",
}  # fmt: skip
SOURCES = {
    path.relative_to(PACKAGE).with_suffix("").as_posix().removesuffix("/__init__"): ast.parse(path.read_text(encoding="utf-8"))
    for path in sorted(PACKAGE.rglob("*.py"))
    if "notebooks" not in path.parts
}
TESTS = sorted((ROOT / "tests").glob("test_*.py"))
Function = ast.FunctionDef | ast.AsyncFunctionDef


def module_of(name: str) -> str:
    """Return the module of the order that a source belongs to: a figure's file belongs to `figures`."""
    return name.partition("/")[0]


def imported(name: str, tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield level and name of everything imported from the package itself, inside functions too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level:
            yield from ((node.level, node.module.partition(".")[0]) for _ in (0,) if node.module)
            yield from ((node.level, alias.name) for alias in node.names if not node.module)
        elif isinstance(node, ast.ImportFrom | ast.Import):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]
            assert not [each for each in names if each.partition(".")[0] == "shinan_research"], f"{name} imports itself by name"


def functions(tree: ast.AST) -> Iterator[Function]:
    """Yield every function and method."""
    return (node for node in ast.walk(tree) if isinstance(node, Function))


def documented(node: ast.AST) -> str:
    """Return the docstring of a function, class or module, or an empty string."""
    return ast.get_docstring(node) or ""  # type: ignore[arg-type]


def own_raises(function: Function) -> bool:
    """Return whether the function itself raises an error of the package, functions inside it apart."""
    inner = {id(node) for each in functions(function) if each is not function for node in ast.walk(each)}
    raised = [node.exc for node in ast.walk(function) if isinstance(node, ast.Raise) and id(node) not in inner]
    names = [call.func.id for call in raised if isinstance(call, ast.Call) and isinstance(call.func, ast.Name)]
    return any(name.endswith("Error") and name in shinan_research.PUBLIC for name in names)


# Modules


def test_every_module_has_its_place() -> None:
    """Each module of the package is in the order; a new one must be given its place there."""
    assert [name for name in SOURCES if name and module_of(name) not in (*ORDER, "__init__")] == []


@pytest.mark.parametrize("name", [name for name in SOURCES if name != "__init__"])
def test_imports_point_one_way(name: str) -> None:
    """A module imports only modules that stand before it in the order."""
    rank = ORDER.index(module_of(name))
    for level, other in imported(name, SOURCES[name]):
        if level == (2 if "/" in name or name == "figures" else 1) - (name == "figures"):
            if name == "figures":
                assert f"figures/{other}" in SOURCES
            else:
                assert other in ORDER, f"{name} imports {other}, which has no place in the order"
                assert ORDER.index(other) < rank, f"{name} may not import {other}"
        elif "/" in name:
            parts = ("style", "marks", "places", "claims")
            assert other in parts[: parts.index(name[8:])] if name[8:] in parts else other in parts, (
                f"{name} may not import {other}: figures share their style, their marks and single panels alone"
            )


def test_the_order_of_the_contract_is_kept() -> None:
    """The order used here is that of the architecture, with the modules that were split off beside their origin."""
    contract = "errors reports dictionary propose audit restore outline tokens study counts shifts figures publish render verify"
    places = [ORDER.index(name) for name in [*contract.split(), "__main__"]]
    assert places == sorted(places)
    after = {"explain", "context", "series", "topics", "targets"}
    assert all(ORDER.index("counts") < ORDER.index(name) < ORDER.index("figures") for name in after)
    assert set(imported("scale", SOURCES["scale"])) <= {(1, "errors"), (1, "files"), (1, "records"), (1, "reports")}


def calls(tree: ast.AST) -> set[str]:
    """Return the last names of all calls."""
    return {
        call.func.id if isinstance(call.func, ast.Name) else call.func.attr
        for call in ast.walk(tree)
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name | ast.Attribute)
    }


@pytest.mark.parametrize("name", SOURCES)
def test_few_modules_touch_the_disk(name: str) -> None:
    """Only the doors read files, and fewer write them; the package's own resources come through `dictionary.resource`."""
    found = calls(SOURCES[name])
    assert module_of(name) in READERS or not found & READING, f"{name} reads: {sorted(found & READING)}"
    assert module_of(name) in WRITERS or not found & WRITING, f"{name} writes: {sorted(found & WRITING)}"


@pytest.mark.parametrize("name", SOURCES)
def test_no_module_is_long(name: str) -> None:
    """No module has more than 400 lines, and each says at its head what it is for."""
    path = PACKAGE / (f"{name}.py" if (PACKAGE / f"{name}.py").exists() else f"{name}/__init__.py")
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400
    assert documented(SOURCES[name]).endswith((".", "?"))


@pytest.mark.parametrize("name", SOURCES)
def test_no_function_is_long(name: str) -> None:
    """No function has more than 40 lines beneath its docstring."""
    for function in functions(SOURCES[name]):
        body = function.body[1:] if documented(function) else function.body
        lines = body[-1].end_lineno - body[0].lineno + 1 if body else 0  # type: ignore[operator]
        assert lines <= 40, f"{name}.{function.name} has {lines} lines"


def test_functions_are_short() -> None:
    """Half of all functions have a body of ten lines or fewer."""
    lengths = []
    for tree in SOURCES.values():
        for function in functions(tree):
            body = function.body[1:] if documented(function) else function.body
            lengths.append(body[-1].end_lineno - body[0].lineno + 1 if body else 0)  # type: ignore[operator]
    assert sorted(lengths)[len(lengths) // 2] <= 10


@pytest.mark.parametrize("name", [name for name in SOURCES if name not in ("__main__", "workplace")])
def test_the_library_prints_nothing(name: str) -> None:
    """Only the commands speak to a terminal."""
    assert "print" not in {node.id for node in ast.walk(SOURCES[name]) if isinstance(node, ast.Name)}


@pytest.mark.parametrize("name", SOURCES)
def test_every_file_names_its_encoding(name: str) -> None:
    """Text is read and written in a named encoding, on every system the same."""
    for call in (node for node in ast.walk(SOURCES[name]) if isinstance(node, ast.Call)):
        own = isinstance(call.func, ast.Attribute) and call.func.attr in ("read_text", "write_text")
        if own or (isinstance(call.func, ast.Name) and call.func.id == "open"):
            binary = any(isinstance(word, ast.Constant) and "b" in str(word.value) for word in call.args[1:2])
            assert binary or "encoding" in {word.arg for word in call.keywords}, f"{name}, line {call.lineno}"


@pytest.mark.parametrize("name", [name for name in SOURCES if not re.search("__init__|__main__", name)])
def test_public_functions_are_documented(name: str) -> None:
    """Each function without underscore has a docstring, and a section Raises where it raises an error of the package."""
    for function in functions(SOURCES[name]):
        if not function.name.startswith("_") and function in SOURCES[name].body:  # type: ignore[attr-defined]
            words = documented(function)
            assert words, f"{name}.{function.name} has no docstring"
            assert not own_raises(function) or "Raises\n------" in words, f"{name}.{function.name} does not say what it raises"


# Nothing of this study


def study_words() -> tuple[list[str], list[str], list[str]]:
    """Return the places, the years and the strings of the declared terms of this study."""
    study: dict[str, Any] = tomllib.loads((ROOT / "data" / "study.toml").read_text(encoding="utf-8"))
    chinese = re.findall(r"(.{2,}?)[省市区县州旗]", study["place"]["zh"])
    places = [study["place"]["zh"], *chinese, *study["place"]["en"].split(", ")]
    years = sorted({str(year) for entry in study["files"] for year in entry["reports"].values()})
    declared = [term for term in study["terms"] if "family" not in term]
    forms = {form for term in declared for key in ("forms", "wide", "not") for form in [term["name"], *term.get(key, [])]}
    return places, years, sorted(forms)


PLACES, YEARS, TERMS = study_words()


def code_strings(tree: ast.AST) -> Iterator[str]:
    """Yield every string, number and name of a module, docstrings apart."""
    skipped = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | Function) and documented(node) and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and id(node) not in skipped:
            yield str(node.value)
        elif isinstance(node, ast.Name):
            yield node.id


def outside_compounds(term: str) -> str:
    """Return a pattern of the term where it does not begin a longer word of the genre's lexicon."""
    lexicon = (PACKAGE / "resources" / "lexicon.txt").read_text(encoding="utf-8").splitlines()
    longer = [word for word in (line.split("\t")[0] for line in lexicon) if word.startswith(term) and word != term]
    return "".join(f"(?!{re.escape(word)})" for word in longer) + re.escape(term)


def test_what_this_study_names() -> None:
    """The words looked for are those of data/study.toml, so that the tests beneath are not empty."""
    assert len(PLACES) >= 4 and len(YEARS) == 2 and len(TERMS) >= 4
    assert all(len(word) >= 2 for word in [*PLACES, *TERMS])


@pytest.mark.parametrize("name", SOURCES)
def test_code_names_nothing_of_this_study(name: str) -> None:
    """No string, number or name of the code is a place, a year or a declared term of this study."""
    for text in code_strings(SOURCES[name]):
        assert not [word for word in [*PLACES, *TERMS] if word in text], text
        assert not re.search(rf"(?<!\d)(?:{'|'.join(YEARS)})(?!\d)", text), text


@pytest.mark.parametrize("name", SOURCES)
def test_examples_are_not_from_this_study(name: str) -> None:
    """No docstring or comment names a place or a declared term, except inside a longer word of the genre."""
    path = PACKAGE / (f"{name}.py" if (PACKAGE / f"{name}.py").exists() else f"{name}/__init__.py")
    text = path.read_text(encoding="utf-8")
    for word in PLACES:
        assert word not in text, word
    for term in TERMS:
        assert not re.search(outside_compounds(term), text), term


WORDING = [
    path for path in sorted((PACKAGE / "resources").rglob("*")) if path.suffix in (".toml", ".j2", ".css", ".mplstyle", ".json")
]


@pytest.mark.parametrize("path", WORDING, ids=lambda path: path.name)
def test_wording_and_templates_name_nothing_of_this_study(path: Path) -> None:
    """Messages, rules, templates and styles name no place and no declared term, and messages no year."""
    text = path.read_text(encoding="utf-8")
    assert [word for word in PLACES if word in text] == []
    assert [term for term in TERMS if re.search(outside_compounds(term), text)] == []
    if path.name == "messages.toml":
        assert not re.search(r"(?:19|20)\d\d", text)


def test_lexicon_names_nothing_of_this_study() -> None:
    """The genre's word lists hold no place of this study, and no declared term as an entry."""
    for path in sorted((PACKAGE / "resources").glob("*.txt")):
        entries = [line.split("\t")[0].strip() for line in path.read_text(encoding="utf-8").splitlines()]
        assert not [entry for entry in entries if any(place in entry for place in PLACES)], path.name
        assert set(entries).isdisjoint(TERMS), path.name


# The package


def python(words: str) -> str:
    """Run a few words of Python in a new process and return what they print."""
    ended = subprocess.run([sys.executable, "-c", words], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.strip()


def test_the_package_imports_at_once() -> None:
    """Importing the package imports neither numpy nor matplotlib, nor pandas nor Jupyter."""
    heavy = "{'numpy', 'matplotlib', 'pandas', 'scipy', 'nbformat', 'sklearn'}"
    assert python(f"import sys, shinan_research; print(sorted({heavy} & set(sys.modules)))") == "[]"


def test_commands_explain_themselves_without_the_environment() -> None:
    """The list of commands needs nothing but the standard library."""
    words = "import sys, shinan_research.__main__ as m; m.main([]); print(sorted({'numpy', 'pandas'} & set(sys.modules)))"
    assert python(words).endswith("[]")


def test_public_names_are_functions_also_after_their_modules() -> None:
    """Where a module and a function share a name, the name is the function's, and the module can still be imported from."""
    shared = sorted(name for name, module in shinan_research.PUBLIC.items() if name == module)
    assert len(shared) >= 4
    words = (
        "import importlib, inspect, shinan_research as s\n"
        f"for name in {shared}:\n"
        "    module = importlib.import_module('shinan_research.' + name)\n"
        "    assert inspect.ismodule(module) and getattr(module, name) is getattr(s, name), name\n"
        "from shinan_research.explain import times\n"
        "assert times(2, 'en') == 'twice'\n"
        "print(sorted(n for n in s.__all__ if not callable(getattr(s, n)) or inspect.ismodule(getattr(s, n))))"
    )
    assert python(words) == "[]"


@pytest.mark.parametrize("name", shinan_research.__all__)
def test_public_names_resolve(name: str) -> None:
    """Each public name is a class or a function of the module that the list says, with a docstring; tables name their columns."""
    found = getattr(shinan_research, name)
    assert inspect.isclass(found) or inspect.isfunction(found)
    assert found.__module__.startswith("shinan_research.") and inspect.getdoc(found)
    assert hasattr(import_module(f"shinan_research.{shinan_research.PUBLIC[name]}"), name)
    if inspect.isfunction(found) and "DataFrame" in str(inspect.signature(found).return_annotation):
        assert "Returns\n-------" in inspect.getdoc(found), f"{name} returns a table without saying its columns"  # type: ignore[operator]


def test_options_are_keyword_only() -> None:
    """A public function takes at most four positional arguments; everything with a number or flag as default is keyword-only."""
    for name in shinan_research.__all__:
        found = getattr(shinan_research, name)
        if inspect.isfunction(found):
            positional = [
                each for each in inspect.signature(found).parameters.values() if each.kind is each.POSITIONAL_OR_KEYWORD
            ]
            assert len(positional) <= 4, name
            assert [each.name for each in positional if isinstance(each.default, int | float)] == [], name


def test_an_unknown_name() -> None:
    """A name that does not exist is refused with those that do, and is no part of dir()."""
    with pytest.raises(AttributeError, match=r"shinan_research has no 'compere'. Public names: .*compare"):
        _ = shinan_research.compere
    assert set(dir(shinan_research)) == {*shinan_research.__all__, "__version__"}


def test_version_is_that_of_the_project() -> None:
    """The version of the package is the one in pyproject.toml."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert shinan_research.__version__ == project["project"]["version"]


# The tests


def cases_in(path: Path) -> list[Function]:
    """Return the test functions of a file."""
    return [
        node
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, Function) and node.name.startswith("test_")
    ]


@pytest.mark.parametrize("path", TESTS, ids=lambda path: path.stem)
def test_tests_are_documented_and_assert(path: Path) -> None:
    """Each test has a docstring of one sentence, and each test file asserts something."""
    found = cases_in(path)
    assert found
    for function in found:
        words = documented(function)
        assert words and "\n\n" not in words and words.rstrip().endswith("."), f"{path.name}: {function.name}"
    kept = [node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Assert)]
    assert kept or "pytest.raises" in path.read_text(encoding="utf-8")
