import os
import subprocess
import sys

import pytest

FREEING = """
import sys
import numpy as np
from ui.memory import give_back_large_blocks

if sys.argv[1] == "given back":
    assert give_back_large_blocks()
# From what is freed GNU's library learns to keep blocks of that size.
del (first := [np.ones(2_500_000)])[:]
held = [np.ones(1_000_000) for _ in range(20)]
last = np.ones(1_000_000)
del held
print(next(int(line.split()[1]) for line in open("/proc/self/smaps_rollup") if line.startswith("Anonymous")))
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the C library of GNU")
def test_arrays_that_are_gone_take_no_memory_even_below_one_that_stays() -> None:
    # A cluster of Dask leaves settings of the C library in the environment of who made it.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MALLOC_")}

    def kilobytes(how: str) -> int:
        return int(subprocess.check_output([sys.executable, "-c", FREEING, how], text=True, env=environment))

    kept, given_back = kilobytes("as it comes"), kilobytes("given back")
    assert kept - given_back > 100_000
