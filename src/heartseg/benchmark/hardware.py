"""What a run was done on, in words, and how many threads its workers take."""

import os

from heartseg.core.hardware import hardware as hardware
from heartseg.core.hardware import processor as processor


def threads_each(workers: int) -> str:
    """Threads of each worker, so that they do not fight over cores; the user's choice wins."""
    return os.environ.get("OMP_NUM_THREADS") or str(max(1, (os.cpu_count() or 1) // workers))
