"""The first lines of every container: tie its life to the control plane's, then be Modal's own entrypoint.

Run by path with ``python -P``, so that this folder is not on the function's sys.path.
"""

import ctypes
import os
import runpy
import signal
import sys

PR_SET_PDEATHSIG = 1  # linux/prctl.h


def die_with(parent: int) -> None:
    """Linux kills this process when ``parent`` ends, however it ends; elsewhere ``serve`` does, by its id."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it ended before we asked
            raise SystemExit(1)


if __name__ == "__main__":
    die_with(int(sys.argv.pop(1)))
    runpy.run_module("modal._container_entrypoint", run_name="__main__", alter_sys=True)
