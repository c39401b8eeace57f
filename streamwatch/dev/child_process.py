"""Child processes that end with the process that started them."""

import ctypes
import signal
import sys

_PR_SET_PDEATHSIG = 1
"""prctl(2)"""


def terminate_with_parent() -> None:
    """Have the kernel send SIGTERM to this process when its parent dies; for `preexec_fn`.

    Linux only. On macOS, children of a parent that was killed must be ended by hand.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
