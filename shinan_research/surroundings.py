"""What a process is told so that it computes the same on every processor. Standard library only.

On processors with AVX-512 numpy takes logarithms and powers by other routines, whose last digit differs; OpenBLAS adds up in an
order that depends on the processor. Both are held to what every processor of the last ten years has.
"""

from __future__ import annotations

import platform

THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
X86 = platform.machine().lower() in ("x86_64", "amd64")
NOT_EVERYWHERE = "X86_V4 AVX512_ICL AVX512_SPR"  # as numpy 2.4 calls them; of a name that it does not know it warns
SAME_ON_X86 = {"NPY_DISABLE_CPU_FEATURES": NOT_EVERYWHERE, "OPENBLAS_CORETYPE": "Nehalem"}
ENVIRONMENT = dict.fromkeys(THREADS, "1") | {"PYTHONHASHSEED": "0"} | (SAME_ON_X86 if X86 else {})
