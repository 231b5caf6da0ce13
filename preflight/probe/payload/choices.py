"""The code that chose: the user's except-branches, tests, variables and slow paths, watched while they run."""

from __future__ import annotations

import ast
import contextlib
import os
import re
import sys
import sysconfig
import traceback
from typing import Any, Iterator

from .installed import parsed

HERE = os.path.dirname(os.path.abspath(__file__))
LIBRARIES = re.compile(
    r"(?:^|[/\\])(?:mamba_ssm|causal_conv1d|triton|selective_scan_cuda|causal_conv1d_cuda)(?=[./\\])"
)
WORDS = ("mamba", "selective_scan", "causal_conv1d", "triton")
PATH_LIKE = re.compile(r"\S*[/\\]\S*")
SWITCH = re.compile(r"[\w.+-]{0,12}")  # what a switch may be set to; nothing longer is kept of a variable
SECRET = re.compile(r"KEY|SECRET|TOKEN|PASS|CRED", re.I)
OFF_WORDS = ("", "0", "false", "no", "off")
SLOW_PATHS = ("slow_forward", "torch_forward")
MOST_RAISED = 2000


def is_on(value: str) -> bool:
    """Whether a switch of the environment is on."""
    return value.strip().lower() not in OFF_WORDS


class Choices:
    """``blocks`` are the names of the library's blocks: code that names one of them is about Mamba."""

    def __init__(self, request: dict[str, Any], blocks: Any) -> None:
        libraries = {sysconfig.get_paths()[k] for k in ("stdlib", "platstdlib", "purelib", "platlib")}
        self._libraries = tuple(os.path.realpath(p) + os.sep for p in libraries)
        self._blocks = frozenset(blocks)
        self._mine: dict[str, bool] = {}
        self._lines: dict[str, set[int]] = {}
        self._raised: list[dict[str, Any]] = []
        self._slow: list[dict[str, Any]] = []
        self._reads: dict[tuple[str, str, int], str] = {}
        self._variables = set(request["force_variables"])

    def is_mine(self, path: str) -> bool:
        if path not in self._mine:
            real = os.path.realpath(path)
            is_file = path.endswith(".py") and not real.startswith((HERE, *self._libraries))
            self._mine[path] = is_file and "site-packages" not in real and not real.startswith(_packages())
        return self._mine[path]

    def _call(self, frame: Any, event: str, arg: Any) -> Any:
        code = frame.f_code
        if code.co_name in SLOW_PATHS and frame.f_back is not None:
            by = frame.f_back
            row = {"path": by.f_code.co_filename, "line": by.f_lineno, "called": code.co_name}
            if row not in self._slow:
                self._slow.append(row)
        return self._line if self.is_mine(code.co_filename) else None

    def _line(self, frame: Any, event: str, arg: Any) -> Any:
        path = frame.f_code.co_filename
        if event == "line":
            self._lines.setdefault(path, set()).add(frame.f_lineno)
        elif event == "exception" and len(self._raised) < MOST_RAISED:
            kind, value, tail = arg
            through = [f.filename for f in traceback.extract_tb(tail) if not self.is_mine(f.filename)]
            row = {"path": path, "line": frame.f_lineno, "type": kind.__name__, "through": through}
            self._raised.append(dict(row, message=str(value)[:500]))
        return self._line

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        kind = type(os.environ)
        original = kind.__getitem__

        def read(environ: Any, key: Any) -> Any:
            by = sys._getframe(1)
            while by.f_back is not None and not self.is_mine(by.f_code.co_filename):
                by = by.f_back
            value = original(environ, key)
            if isinstance(key, str) and self.is_mine(by.f_code.co_filename):
                self._reads[(key, by.f_code.co_filename, by.f_lineno)] = value
            return value

        before = sys.gettrace()
        kind.__getitem__ = read  # type: ignore[method-assign]
        sys.settrace(self._call)
        try:
            yield
        finally:
            sys.settrace(before)
            kind.__getitem__ = original  # type: ignore[method-assign]

    def found(self) -> dict[str, object]:
        handlers, decisions = [], []
        trees = {path: parsed(path) for path in sorted(self._lines)}
        for path, tree in trees.items():
            names = self._names_in(tree)
            for block in (n for n in ast.walk(tree) if isinstance(n, ast.Try)):
                handlers += list(self._taken(path, block, names))
            decisions += list(self._decided(path, tree, names))
        reads = {}
        for (name, path, line), value in sorted(self._reads.items()):
            about = _bound_to(trees.get(path), line)
            for row in decisions:
                is_in_test = row["path"] == path and row["line"] <= line <= row["last"]
                if is_in_test or about & row["names"]:
                    row["variables"].append(name)
            is_linked = any(name in row["variables"] for row in decisions)
            if is_linked or name in self._variables or "FALLBACK" in name.upper():
                shown = value if SWITCH.fullmatch(value) and not SECRET.search(name) else "..."
                reads[(name, path, line)] = {"name": name, "path": path, "line": line, "value": shown}
        for row in decisions:
            del row["last"], row["names"]
        return {
            "handlers": handlers,
            "decisions": decisions,
            "reads": list(reads.values()),
            "slow_paths": self._slow,
        }

    def _names_in(self, tree: ast.AST) -> set[str]:
        """What this file calls the blocks, and whatever else has mamba in its name."""
        names = set(self._blocks)
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and LIBRARIES.match((node.module or "") + "."):
                names |= {a.asname or a.name for a in node.names}
        return names

    def _mentions(self, nodes: Any, names: set[str]) -> bool:
        for node in (n for top in nodes for n in ast.walk(top)):
            word = getattr(node, "id", None) or getattr(node, "attr", None) or getattr(node, "module", None) or ""
            if isinstance(word, str) and (word in names or "mamba" in word.lower()):
                return True
            if isinstance(node, ast.Import) and any("mamba" in a.name.lower() for a in node.names):
                return True
        return False

    def _taken(self, path: str, block: ast.Try, names: set[str]) -> Iterator[dict[str, Any]]:
        for handler in block.handlers:
            if handler.body[0].lineno not in self._lines[path]:
                continue
            first, last = block.body[0].lineno, block.body[-1].end_lineno or block.body[-1].lineno
            errors = [r for r in self._raised if r["path"] == path and first <= r["line"] <= last]
            error: dict[str, Any] = errors[0] if errors else {"type": "", "message": "", "through": [], "line": 0}
            imports = (ast.Import, ast.ImportFrom)
            at = [n for s in block.body for n in ast.walk(s) if isinstance(n, imports) and n.lineno <= error["line"]]
            is_import = any(error["line"] <= (n.end_lineno or n.lineno) for n in at)
            message = PATH_LIKE.sub("", error["message"]).lower()
            is_about = any(w in message for w in WORDS) or any(LIBRARIES.search(p) for p in error["through"])
            yield {
                "path": path,
                "line": handler.lineno,
                "type": error["type"],
                "message": error["message"],
                "about_mamba": is_about or self._mentions(block.body, names),
                "kind": "import" if is_import else "call",
            }

    def _decided(self, path: str, tree: ast.AST, names: set[str]) -> Iterator[dict[str, Any]]:
        """Tests whose Mamba branch was not taken, as the lines that ran tell."""
        ran = self._lines[path]
        for owner in ast.walk(tree):
            for field in ("body", "orelse"):
                body = getattr(owner, field, None)
                statements: list[Any] = body if isinstance(body, list) else []
                for n, node in enumerate(statements):
                    if not isinstance(node, ast.If) or node.test.lineno not in ran:
                        continue
                    other = node.orelse
                    if not other and isinstance(node.body[-1], (ast.Return, ast.Continue)):
                        other = statements[n + 1 :]
                    sides = [(node.body, other), (other, node.body)]
                    if any(self._is_left(w, o, ran, names) for w, o in sides):
                        yield self._row(path, node.test)
            if isinstance(owner, ast.IfExp) and owner.lineno in ran:
                if self._mentions([owner.body], names) != self._mentions([owner.orelse], names):
                    yield dict(self._row(path, owner.test), is_sure=False)

    def _is_left(self, wanted: Any, taken: Any, ran: set[int], names: set[str]) -> bool:
        def lines(nodes: Any) -> set[int]:
            return {k for n in nodes for k in range(n.lineno, (n.end_lineno or n.lineno) + 1)}

        is_there = bool(wanted) and self._mentions(wanted, names) and not self._mentions(taken, names)
        return is_there and not lines(wanted) & ran

    def _row(self, path: str, test: ast.expr) -> dict[str, object]:
        words = [getattr(n, "id", None) or getattr(n, "attr", None) for n in ast.walk(test)]
        return {
            "path": path,
            "line": test.lineno,
            "last": test.end_lineno or test.lineno,
            "test": ast.unparse(test)[:120],
            "names": {w for w in words if isinstance(w, str)},
            "variables": [],
            "is_sure": True,
        }


def _packages() -> tuple[str, ...]:
    """Where the packages stand that are looked at, wherever they were installed."""
    names = ("torch", "triton", "mamba_ssm", "causal_conv1d", "transformers", "einops")
    files = [getattr(sys.modules.get(name), "__file__", None) for name in names]
    return tuple(os.path.dirname(os.path.realpath(f)) + os.sep for f in files if f and f.endswith("__init__.py"))


def _bound_to(tree: Any, line: int) -> set[str]:
    """The names that a line's value is given to: targets of its assignment, and the function it stands in."""
    found: set[Any] = set()
    for node in ast.walk(tree) if tree is not None else ():
        if not getattr(node, "lineno", line + 1) <= line <= (getattr(node, "end_lineno", None) or line):
            continue
        if isinstance(node, (ast.Assign, ast.AnnAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            found |= {getattr(t, "id", None) or getattr(t, "attr", "") for t in targets}
        elif isinstance(node, ast.FunctionDef):
            found.add(node.name)
    return found - {"", "__init__", "forward", None}
