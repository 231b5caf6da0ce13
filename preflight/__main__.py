"""Where the process begins: a signal in its first moments is an interrupt as well, so nothing else is imported yet."""

import os
import sys


def own_modules_first() -> None:
    """Put what PYTHONPATH and the working folder bring behind the standard library and our own packages.

    A project with a `click.py` or a `typing.py` there would be imported in place of what preflight needs.
    """
    absolute = os.path.abspath  # pathlib would be imported from there
    try:
        theirs = {absolute(p) for p in ("", *os.environ.get("PYTHONPATH", "").split(os.pathsep))}
        ours = absolute(os.path.join(os.path.dirname(__file__), os.pardir))  # noqa: PTH118, PTH120
        sys.path.sort(key=lambda p: absolute(p) in theirs - {ours})
    except OSError:  # the working folder has been deleted: the command line says so
        pass


def main() -> None:
    """Never returns."""
    code: object = 0
    try:
        own_modules_first()
        from preflight.interrupts import OURS

        OURS.raise_all()
        from preflight.cli.main import main as run

        run()
    except KeyboardInterrupt:
        os.write(2, b"interrupted\n")
        code = 130
    except SystemExit as e:
        code = e.code
    if code == 130:
        _leave_interrupted()
    sys.exit(code)


def _leave_interrupted() -> None:
    """With 130: an interrupt that has passed through exec("…"), as when a dataclass is made, has Python kill itself."""
    import atexit

    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (AttributeError, OSError, ValueError):  # none, or nobody reads
            continue
    os._exit(130)


if __name__ == "__main__":
    main()
