"""Change one operator or constant of a module at a time, and see whether its tests notice.

    python tests/soak/mutate.py restore shifts [--sample 60] [--seed 0]

Each mutant runs `tests/test_<module>.py`, or the files named in TESTS, in a copy of the project. What no test notices is printed
with its line, to be explained: either no result can depend on it (an equivalent mutant), or a test is missing.
"""

from __future__ import annotations

import argparse
import ast
import copy
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TESTS = dict.fromkeys(("rates", "multiplicity", "permutation", "shifts"), ("shifts", "groups", "tallies")) | {
    "word_shift": ("word_shift", "groups")
}
SWAPS: dict[type[ast.AST], type[ast.AST]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE,
    ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.And: ast.Or, ast.Or: ast.And, ast.In: ast.NotIn, ast.NotIn: ast.In,
    ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
}  # fmt: skip


def changes(node: ast.AST) -> Iterator[ast.AST]:
    """Yield what one node of the tree may become."""
    if isinstance(node, ast.BinOp | ast.BoolOp) and type(node.op) in SWAPS:
        yield _with(node, op=SWAPS[type(node.op)]())
    elif isinstance(node, ast.Compare) and type(node.ops[0]) in SWAPS:
        yield _with(node, ops=[SWAPS[type(node.ops[0])](), *node.ops[1:]])
    elif isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield _with(node, value=not node.value)
    elif isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        yield _with(node, value=node.value + 1)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not | ast.Invert | ast.USub):
        yield node.operand


def _with(node: ast.AST, **fields: object) -> ast.AST:
    made = copy.copy(node)
    for name, value in fields.items():
        setattr(made, name, value)
    return made


def mutants(source: str) -> list[tuple[int, str, str]]:
    """Return line, the change in words, and the whole mutated source, in the order of the text."""
    tree, found = ast.parse(source), []
    for parent in ast.walk(tree):
        for name, value in ast.iter_fields(parent):
            if name in ("annotation", "returns"):
                continue
            children = value if isinstance(value, list) else [value]
            for place, child in enumerate(children):
                for new in changes(child) if isinstance(child, ast.expr) else ():
                    before = ast.unparse(child)
                    _put(parent, name, place, value, new)
                    found.append((child.lineno, f"{before}  ->  {ast.unparse(new)}", ast.unparse(tree)))
                    _put(parent, name, place, value, child)
    return sorted(found, key=lambda mutant: mutant[:2])


def _put(parent: ast.AST, name: str, place: int, value: object, child: ast.AST) -> None:
    if isinstance(value, list):
        value[place] = child
    else:
        setattr(parent, name, child)


def noticed(folder: Path, module: str) -> bool:
    """Return whether the tests of a module fail in a copy of the project."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider"]
    command += [f"tests/test_{name}.py" for name in TESTS.get(module, (module,))]
    environment = os.environ | {"PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1", "OMP_NUM_THREADS": "1"}
    try:
        return subprocess.run(command, cwd=folder, env=environment, capture_output=True, timeout=600, check=False).returncode != 0
    except subprocess.TimeoutExpired:
        return True


def main() -> int:
    """Try a sample of mutants of each module; list the survivors."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("modules", nargs="+")
    parser.add_argument("--sample", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="mutants-") as name:
        folder = Path(name) / "project"
        shutil.copytree(ROOT, folder, ignore=shutil.ignore_patterns(".git", ".venv", "build", "work", "dist", "__pycache__"))
        for module in options.modules:
            path = folder / "shinan_research" / f"{module}.py"
            source = path.read_text(encoding="utf-8")
            assert not noticed(folder, module), f"the tests of {module} fail without any change"
            every = mutants(source)
            chosen = sorted(random.Random(options.seed).sample(range(len(every)), min(options.sample, len(every))))
            survivors = []
            for number in chosen:
                path.write_text(every[number][2], encoding="utf-8")
                if not noticed(folder, module):
                    survivors.append(every[number])
                    print(f"  survived: {module}.py:{every[number][0]}: {every[number][1]}", flush=True)
            path.write_text(source, encoding="utf-8")
            print(f"{module}: {len(chosen)} of {len(every)} mutants tried, {len(survivors)} not noticed", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
