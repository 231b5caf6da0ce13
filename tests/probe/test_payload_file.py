"""What payload.py must stay: one file that an older Python reads, with nothing to install."""

from __future__ import annotations

import ast
import os
import sys
from pathlib import Path

from preflight.probe import payload, simulated
from preflight.probe.expected import table
from preflight.probe.parsing import parsed
from preflight.probe.ruling import Verdict
from preflight.probe.verdict import judge

SOURCE = Path(payload.__file__).read_text(encoding="utf-8")


def test_it_parses_as_python_3_9():
    ast.parse(SOURCE, feature_version=(3, 9))


def test_it_imports_only_the_standard_library_and_that_at_the_top():
    tree = ast.parse(SOURCE)
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {a.name.partition(".")[0] for a in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add((node.module or "").partition(".")[0])
    assert names <= sys.stdlib_module_names
    assert "subprocess" in names  # the walk saw the imports at all


def test_no_union_with_a_bar_is_evaluated_at_run_time():
    tree = ast.parse(SOURCE)
    assert any(isinstance(n, ast.ImportFrom) and n.module == "__future__" for n in tree.body)
    calls = [
        n for n in ast.walk(tree) if isinstance(n, ast.Call) and getattr(n.func, "id", "") in ("isinstance", "cast")
    ]
    assert calls
    assert not [c for c in calls for a in c.args if isinstance(a, ast.BinOp) and isinstance(a.op, ast.BitOr)]


def test_progress_that_cannot_be_shown_does_not_cost_the_reading(monkeypatch):
    def closed(text):
        raise BrokenPipeError(32, "Broken pipe")

    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(map(str, simulated.pythonpath())))
    document = payload.run({"blocks": [{"block": "Mamba", "options": {}}], "dtypes": ["float32"]}, closed)
    assert [c["outcome"] for c in document["cases"]] == ["ok"]


def test_a_fault_of_the_supervisor_itself_is_told_and_is_not_green(monkeypatch):
    def full(*arguments, **about):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(payload.subprocess, "Popen", full)
    document = payload.run({})
    judged = judge(parsed(document), table())
    assert judged.verdict is Verdict.COULD_NOT_RUN
    assert "No space left on device" in judged.ruling.reason
