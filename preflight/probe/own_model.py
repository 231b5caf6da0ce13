"""The user's own model as its text shows it: which class holds blocks of mamba_ssm, and how one is made.

A function ``preflight_model`` anywhere in the project is the hook: it is run without being asked for.  Everything else
is a proposal for ``--model MODULE:CALLABLE``.
"""

from __future__ import annotations

import ast
import json
import re
from dataclasses import dataclass
from pathlib import Path

from msgspec import Struct

from preflight.model import Json
from preflight.probe.request import parsed, sources

HOOK = "preflight_model"
NOT_RUN = "your own model was not run"
HALF = re.compile(rb"(?<!b)float16|GradScaler|\.half\(\)|\bfp16\b|(?<!f)16-mixed")
FILE = re.compile(  # outside of quotes
    r"""'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|@\s*(?P<file>[^,()\[\]{}'"]*[^,()\[\]{}'"\s])"""
)
MOST = 5


@dataclass(frozen=True)
class Candidate:
    """``name`` as --model takes it; ``wants`` are its arguments without a default, "" where it needs none."""

    name: str
    where: str
    wants: str

    @property
    def is_hook(self) -> bool:
        return self.name.endswith(f":{HOOK}")

    @property
    def command(self) -> str:
        """What to type; the input's shape is the reader's to give."""
        given = f" --model-args '{', '.join(f'{w}=…' for w in self.wants.split(', '))}'" if self.wants else ""
        return f"--model {self.name}{given}" + ("" if self.is_hook else " --model-input 2x960x64")


class OwnModel(Struct, frozen=True, kw_only=True, rename={"message": "said"}):
    """Whether the model that will train was looked at; ``candidates`` are what the command found of it."""

    run: bool = False
    message: str = NOT_RUN
    candidates: tuple[Candidate, ...] = ()

    @property
    def remedy(self) -> str:
        """What runs the first candidate; "" where there is none."""
        return f"preflight probe {self.candidates[0].command}" if self.candidates else ""


def candidates(root: Path) -> tuple[Candidate, ...]:
    """The hook first, then factories of a model with Mamba blocks, then its classes, outermost first."""
    files = [(path.relative_to(root), tree) for path, text in sources(root) if (tree := parsed(text)) is not None]
    holders = _holders([tree for _, tree in files])
    found: list[tuple[int, Candidate]] = []
    for path, node in ((path, node) for path, tree in files for node in tree.body):
        if isinstance(node, ast.FunctionDef) and node.name == HOOK:
            rank, wants = 0, _wanted(node.args, 0)
        elif isinstance(node, ast.FunctionDef) and not node.decorator_list and _makes(node, holders):
            rank, wants = 1, _wanted(node.args, 0)
        elif isinstance(node, ast.ClassDef) and node.name in holders:
            init = next((n for n in node.body if isinstance(n, ast.FunctionDef) and n.name == "__init__"), None)
            wants = _wanted(init.args, 1) if init else ""
            rank = 3 if any(node.name in used for other, used in holders.items() if other != node.name) else 2
        else:
            continue
        found.append((rank, Candidate(f"{_module(path)}:{node.name}", f"{path}:{node.lineno}", wants)))
    return tuple(c for _, c in sorted(found, key=lambda pair: pair[0])[:MOST])


def _module(path: Path) -> str:
    parts = path.with_suffix("").parts
    parts = parts[1:] if parts[0] == "src" and len(parts) > 1 else parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)


def uses_half(root: Path) -> bool:
    """Whether the project's text speaks of float16, so that its kernels are probed in it too."""
    return any((b"mamba" in text or b"torch" in text) and HALF.search(text) for _, text in sources(root))


def _holders(trees: list[ast.Module]) -> dict[str, set[str]]:
    """Classes that make a block of mamba_ssm, or a class that does; with the names that each of them uses."""
    uses: dict[str, set[str]] = {}
    for tree in trees:
        blocks = {
            a.asname or a.name
            for n in ast.walk(tree)
            if isinstance(n, ast.ImportFrom) and (n.module or "").partition(".")[0] == "mamba_ssm"
            for a in n.names
        }
        for node in (n for n in ast.walk(tree) if isinstance(n, ast.ClassDef)):
            names = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
            names |= {n.attr for n in ast.walk(node) if isinstance(n, ast.Attribute)}
            imports = [n for n in ast.walk(node) if isinstance(n, ast.ImportFrom)]
            is_block = names & blocks or any("mamba_ssm" in (n.module or "") for n in imports)
            names |= {a.name for n in imports for a in n.names}
            uses[node.name] = names | ({"mamba_ssm"} if is_block else set())
    holding = {name for name, used in uses.items() if "mamba_ssm" in used}
    while more := {name for name, used in uses.items() if used & holding} - holding:
        holding |= more
    return {name: uses[name] for name in holding}


def _makes(node: ast.FunctionDef, holders: dict[str, set[str]]) -> bool:
    """It returns a model: a call of such a class, itself or by a name it was given to."""
    made = {
        t.id
        for n in ast.walk(node)
        if isinstance(n, ast.Assign) and _calls(n.value, holders)
        for t in n.targets
        if isinstance(t, ast.Name)
    }
    returned = [n.value for n in ast.walk(node) if isinstance(n, ast.Return) and n.value is not None]
    return any(_calls(v, holders) or {n.id for n in ast.walk(v) if isinstance(n, ast.Name)} & made for v in returned)


def _calls(value: ast.AST, holders: dict[str, set[str]]) -> bool:
    calls = [n.func for n in ast.walk(value) if isinstance(n, ast.Call)]
    return any((getattr(f, "id", None) or getattr(f, "attr", "")) in holders for f in calls)


def _wanted(arguments: ast.arguments, leave_out: int) -> str:
    plain = [*arguments.posonlyargs, *arguments.args][leave_out:]
    bare = plain[: len(plain) - len(arguments.defaults)] if arguments.defaults else plain
    named = [a for a, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True) if default is None]
    return ", ".join(a.arg for a in (*bare, *named))


def arguments(text: str) -> dict[str, Json]:
    """``--model-args``: Python literals, positional or named; @FILE is what a JSON, TOML or YAML file holds.

    Raises ValueError with what it wanted.
    """
    wanted = "wanted Python literals such as 'd_model=64, config=@config.json'"
    with_files = FILE.sub(lambda m: f"_file({m['file']!r})" if m["file"] else m[0], text)
    try:
        call = ast.parse(f"f({with_files})", mode="eval").body
        if not isinstance(call, ast.Call) or ast.unparse(call.func) != "f":
            raise ValueError("a bracket is not closed")
        if any(k.arg is None for k in call.keywords):
            raise ValueError("** is not taken")
        return {"args": [_literal(a) for a in call.args], "kwargs": {k.arg: _literal(k.value) for k in call.keywords}}
    except (SyntaxError, ValueError, RecursionError, MemoryError) as e:
        raise ValueError(f"--model-args is {text!r}; {wanted} ({e})") from e


def _literal(node: ast.expr) -> Json:
    if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "_file":
        return {"file": ast.literal_eval(node.args[0])}
    value = ast.literal_eval(node)
    try:
        return json.loads(json.dumps(value, allow_nan=False))  # a tuple is a list there
    except TypeError as e:
        raise ValueError(f"{ast.unparse(node)} is not a JSON value") from e


def model_input(text: str) -> dict[str, Json]:
    """``--model-input``: 2x960x64, or 2x960:int64 for tokens.  Raises ValueError."""
    shape, _, dtype = text.partition(":")
    try:
        return {"shape": [int(n) for n in shape.split("x")], "dtype": dtype or "float32"}
    except ValueError:
        raise ValueError(f"--model-input is {text!r}; wanted a shape such as 2x960x64 or 2x960:int64") from None
