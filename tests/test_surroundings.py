"""What a process is told so that it computes the same on every processor."""

import json
import os
import subprocess
import sys

import pytest

from shinan_research.surroundings import ENVIRONMENT, THREADS, X86

ASKED = """
import json, numpy, scipy.linalg, threadpoolctl
pools = threadpoolctl.threadpool_info()
print(json.dumps([numpy.show_config(mode="dicts")["SIMD Extensions"].get("found", []), pools]))
"""


def answer() -> tuple[list[str], list[dict[str, object]]]:
    """Return what numpy and the thread pools of a child process in these surroundings say of themselves."""
    command = [sys.executable, "-W", "error", "-c", ASKED]
    ran = subprocess.run(command, env=os.environ | ENVIRONMENT, capture_output=True, text=True, check=True)
    assert not ran.stderr
    instructions, pools = json.loads(ran.stdout)
    return instructions, pools


@pytest.mark.skipif(not X86, reason="another kind of processor")
def test_no_instruction_that_not_every_processor_has() -> None:
    """On x86 numpy uses nothing beyond AVX2, and both copies of OpenBLAS the routines of one processor."""
    instructions, pools = answer()
    assert [name for name in instructions if "AVX512" in name or name == "X86_V4"] == []
    assert {pool["architecture"] for pool in pools if pool["internal_api"] == "openblas"} == {"Nehalem"}


def test_one_thread_and_a_fixed_hash_seed() -> None:
    """Every pool of threads has one, on every kind of processor."""
    assert {pool["num_threads"] for pool in answer()[1]} == {1}
    assert {ENVIRONMENT[name] for name in THREADS} == {"1"} and ENVIRONMENT["PYTHONHASHSEED"] == "0"
