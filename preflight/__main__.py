"""Where the process begins: a signal in its first moments is an interrupt as well, so nothing else is imported yet."""

import os
import sys
from typing import NoReturn


def main() -> NoReturn:
    try:
        from preflight.interrupts import OURS

        OURS.raise_all()
        from preflight.cli.main import main as run

        run()
    except KeyboardInterrupt:
        os.write(2, b"interrupted\n")
        sys.exit(130)


if __name__ == "__main__":
    main()
