"""What the payload must stay: files that an older Python reads, with nothing to install."""

from __future__ import annotations

import ast
import os
import sys
from pathlib import Path

from preflight.probe.payload import lane, supervise
from preflight.probe.reading import parsed
from preflight.probe.request import Request
from preflight.probe.ruling import Verdict
from preflight.probe.verdict import judge
from tests.probe.conftest import pythonpath

SOURCES = {path: path.read_text("utf-8") for path in Path(supervise.__file__).parent.glob("*.py")}


def test_it_parses_as_python_3_9():
    assert len(SOURCES) > 8
    for text in SOURCES.values():
        ast.parse(text, feature_version=(3, 9))


def test_it_imports_only_the_standard_library_and_itself():
    names = set()
    for node in (n for text in SOURCES.values() for n in ast.walk(ast.parse(text))):
        if isinstance(node, ast.Import):
            names |= {a.name.partition(".")[0] for a in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names.add((node.module or "").partition(".")[0])
    assert names <= sys.stdlib_module_names
    assert "subprocess" in names  # the walk saw the imports at all


def test_no_union_with_a_bar_is_evaluated_at_run_time():
    for path, text in SOURCES.items():
        tree = ast.parse(text)
        assert path.stem == "__main__" or any(isinstance(n, ast.ImportFrom) for n in tree.body)
        calls = [n for n in ast.walk(tree) if isinstance(n, ast.Call) and getattr(n.func, "id", "") == "isinstance"]
        assert not [c for c in calls for a in c.args if isinstance(a, ast.BinOp) and isinstance(a.op, ast.BitOr)]


def test_progress_that_cannot_be_shown_does_not_cost_the_reading(monkeypatch):
    def closed(text):
        raise BrokenPipeError(32, "Broken pipe")

    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(map(str, pythonpath())))
    document = supervise.run(Request(blocks=("Mamba",), dtypes=("float32",)).as_json(), closed)
    assert [c["outcome"] for c in document["cases"]] == ["ok"]


def test_a_fault_of_the_supervisor_itself_is_told_and_is_not_green(monkeypatch):
    def full(*arguments, **about):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(lane.subprocess, "Popen", full)
    document = supervise.run(Request().as_json())
    judged = judge(parsed(document))
    assert judged.verdict is Verdict.COULD_NOT_RUN
    assert "No space left on device" in judged.ruling.reason
