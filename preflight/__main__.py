"""Where the process begins: a signal in its first moments is an interrupt as well, so nothing else is imported yet."""

import os
import sys


def main() -> None:
    try:
        _installed_first()
        from preflight.interrupts import OURS

        OURS.raise_all()
        from preflight.cli.main import main as run

        run()
    except KeyboardInterrupt:
        os.write(2, b"interrupted\n")
        sys.exit(130)


def _installed_first() -> None:
    """What PYTHONPATH and the working folder hold is found last: no `click.py` or `json.py` there is in our place."""
    try:
        given = {os.path.abspath(p) for p in ("", *os.environ.get("PYTHONPATH", "").split(os.pathsep))}  # noqa: PTH100
        theirs = [p for p in sys.path if os.path.abspath(p) in given]  # noqa: PTH100 - pathlib is not imported yet
    except OSError:  # the working folder is gone
        return
    sys.path[:] = [*(p for p in sys.path if p not in theirs), *theirs]


if __name__ == "__main__":
    main()
