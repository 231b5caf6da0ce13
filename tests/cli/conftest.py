"""The command line in this process: as a child would be, where no signal, pipe or start-up is the subject."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from preflight.cli.main import main
from tests.conftest import LIMIT_S, Preflight, Ran


class InProcess(Preflight):
    """The same call and the same answer as Preflight, without a child.  Modal is asked by a child only."""

    def __call__(
        self,
        *words: str | Path,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        limit_s: float = LIMIT_S,
        stdin: str = "",
    ) -> Ran:
        out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2))
        with pytest.MonkeyPatch.context() as patch:
            environ = self.environ(**(env or {}))
            for name in {*os.environ} - {*environ}:
                patch.delenv(name)
            for name, value in environ.items():
                patch.setenv(name, value)
            patch.chdir(cwd or self.home)
            patch.setattr(sys, "argv", ["preflight", *map(str, words)])
            patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin.encode()), encoding="utf-8"))
            patch.setattr(sys, "stdout", out)
            patch.setattr(sys, "stderr", err)
            with pytest.raises(SystemExit) as over:
                main()
        assert isinstance(over.value.code, int)
        return Ran(over.value.code, *(t.buffer.getvalue().decode("utf-8", "replace") for t in (out, err)))


@pytest.fixture
def quick(preflight: Preflight) -> InProcess:
    return InProcess(preflight.home)
