"""Processes that do not outlive the one that started them."""

import ctypes
import signal
import sys

_PR_SET_PDEATHSIG = 1
"""prctl(2)"""


def terminate_with_parent() -> None:
    """For `preexec_fn`: have the kernel end this process when its parent is killed, as the parent
    would have. Only Linux can; elsewhere what is left is to be ended by hand."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
