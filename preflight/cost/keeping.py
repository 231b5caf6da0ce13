"""Whether a training goes on where it was cut off, as far as the text of the app and of the project shows it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from pathlib import Path

from preflight.app.bodies import LAUNCHED, RUNS, defs_of
from preflight.app.model import BucketMount, Function, Recipe, VolumeRef
from preflight.app.syntax import dotted
from preflight.model import Where

RESUMES = re.compile(
    r"(?:^|[_.-])resum(?:e|es|ed|ing)(?:[_.]|$)|resume_from|ckpt_path|get_last_checkpoint"
    r"|(?:latest|last|newest)_(?:checkpoint|ckpt)|(?:load|restore|find)_(?:\w+_)?(?:checkpoint|ckpt|state)(?:$|s?[_.])"
    r"|optim\w*\.load_state_dict|load_from_checkpoint",
    re.I,
)
NOT_RESUMING = re.compile(r"load_state_dict$|resume_download", re.I)
SAVES = re.compile(
    r"torch\.save$|save_(?:\w+_)?(?:checkpoint|ckpt|state|weights|pretrained|steps|strategy|model)"
    r"|ModelCheckpoint|CheckpointManager|every_n_(?:epochs|train_steps)|checkpointing_steps",
    re.I,
)
SAVES_SOMEHOW = re.compile(
    r"save|checkpoint|ckpt|dump|commit|Trainer|TrainingArguments|Config$|upload|push_to_hub", re.I
)
UPLOADS = re.compile(r"push_to_hub|upload_file|upload_fileobj|upload_folder|put_object|wandb\.(?:save|log_artifact)")
MOST_FILES = 40
MOST_BYTES = 1_000_000


class Resumes(StrEnum):
    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"  # what decides it is not in the text that was read


@dataclass(frozen=True)
class Keeping:
    """``why`` is the evidence, or what was looked for and not found; ``condition`` what must be given for it."""

    resumes: Resumes
    why: str
    where: Where | None = None
    condition: str = ""


def keeping_of(function: Function, recipe: Recipe, project: Path) -> Keeping:
    """Looks at the function's mounts, its body, and the project's modules and scripts that it uses."""
    if not _has_storage(function):
        return Keeping(Resumes.NO, f"{function.name} mounts no Volume and no bucket to write to", function.call.where)
    read = _Read(function, recipe, project)
    resume, save = read.first(RESUMES), read.first(SAVES)
    lost = read.saved_elsewhere(tuple(function.volumes))
    if lost is not None:
        return Keeping(Resumes.NO, f"it saves to {lost[0]} ({lost[1]}), which is in no mount", lost[1])
    if resume is not None and (read.first(SAVES_SOMEHOW) is not None or read.is_partial):
        return Keeping(Resumes.YES, f"{resume[0]} in {resume[1]}", resume[1], _condition(function))
    if resume is not None:
        return Keeping(Resumes.NO, f"it resumes ({resume[0]} in {resume[1]}), and nothing saves", resume[1])
    if read.is_partial:
        return Keeping(Resumes.UNKNOWN, f"{read.is_partial} is not among the files that were read")
    files = f"{function.name} and {len(read.files)} of the project's files" if read.files else f"{function.name}'s body"
    if save is not None:
        return Keeping(Resumes.NO, f"it saves ({save[0]} in {save[1]}), and nothing in {files} resumes", save[1])
    return Keeping(Resumes.NO, f"nothing in {files} saves or resumes", function.where)


def _has_storage(function: Function) -> bool:
    """True also where the text leaves it open: somewhere to write to that outlives the container."""
    for mount in function.volumes.values():
        if not (isinstance(mount, VolumeRef | BucketMount) and mount.is_read_only):
            return True
    names = (name for each in defs_of(function) for name, _ in _names(each))
    return function.call.has_spread or any(UPLOADS.search(name) for name in names)


def _condition(function: Function) -> str:
    """What a caller must give: a parameter for resuming that is off by default."""
    for each in defs_of(function):
        given = each.args
        pairs = list(zip(reversed(given.args), reversed(given.defaults), strict=False))
        pairs += [(a, d) for a, d in zip(given.kwonlyargs, given.kw_defaults, strict=True) if d is not None]
        for argument, default in pairs:
            if RESUMES.search(argument.arg) and isinstance(default, ast.Constant) and not default.value:
                return f"it resumes only when {argument.arg} is given, which is {default.value!r} by default"
    return ""


class _Read:
    """The texts that decide: the function's own body, and what of the project it imports or runs."""

    def __init__(self, function: Function, recipe: Recipe, project: Path) -> None:
        self.roots = (project, project / "src", (project / recipe.source.path).parent)
        self.project, self.top = project, project.resolve()
        self.is_partial = ""
        self.files: dict[Path, ast.Module] = {}
        self.bodies: list[tuple[str, ast.AST]] = []
        known: dict[str, ast.stmt] = {}  # of the app's own file: what a body may name
        for each in recipe.source.tree.body if recipe.source.tree else ():
            if isinstance(each, ast.Import | ast.ImportFrom):
                known |= {a.asname or a.name.split(".")[0]: each for a in each.names}
            elif isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and not each.decorator_list:
                known[each.name] = each
        todo: list[ast.AST] = list(defs_of(function))
        while todo:
            self.bodies.append((recipe.source.path, todo[0]))
            for node in ast.walk(todo.pop(0)):
                used = known.pop(node.id, None) if isinstance(node, ast.Name) else None
                if isinstance(used, ast.Import | ast.ImportFrom):
                    self._follow(used)
                elif used is not None:
                    todo.append(used)
        for _, body in self.bodies:
            self._follow(body)

    def first(self, pattern: re.Pattern[str]) -> tuple[str, Where] | None:
        """The first name that matches, with its place."""
        for path, tree in self._trees():
            for name, line in _names(tree):
                is_weights = pattern is RESUMES and NOT_RESUMING.search(name) and "optim" not in name.lower()
                if pattern.search(name) and not is_weights:
                    return name, Where(path, line)
        return None

    def saved_elsewhere(self, mounts: tuple[str, ...]) -> tuple[str, Where] | None:
        """Where everything is saved that names its place, when that is outside of every mount; None otherwise."""
        found: list[tuple[str, Where]] = []
        for path, tree in self._trees():
            for node in ast.walk(tree):
                if isinstance(node, ast.Call) and SAVES.search(dotted(node.func)):
                    texts = [a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]
                    if not texts or not texts[0].startswith("/"):
                        return None
                    found.append((texts[0], Where(path, node.lineno)))
        is_kept = any(f"{place}/".startswith(m.rstrip("/") + "/") for place, _ in found for m in mounts)
        return found[0] if found and not is_kept and not any(m.startswith("<") for m in mounts) else None

    def _trees(self) -> Iterator[tuple[str, ast.AST]]:
        """The app's own bodies first."""
        yield from self.bodies
        yield from ((str(file.relative_to(self.project)), tree) for file, tree in self.files.items())

    def _follow(self, tree: ast.AST) -> None:
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    self._module(alias.name)
            elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
                self._module(node.module)
                for alias in node.names:
                    self._module(f"{node.module}.{alias.name}")
            elif isinstance(node, ast.Call) and dotted(node.func) in RUNS:
                self._script(node)

    def _module(self, name: str) -> bool:
        """Whether it is one of the project."""
        places = [root / Path(*name.split(".")) for root in self.roots]
        return any(self._file(p.with_suffix(".py")) or self._file(p / "__init__.py") for p in places)

    def _script(self, call: ast.Call) -> None:
        """The script that a command runs; one that is not in the project leaves the question open."""
        texts = [n.value for n in ast.walk(call) if isinstance(n, ast.Constant) and isinstance(n.value, str)]
        scripts = [w for text in texts for w in re.split(r"[\s;&|()'\"]+", text) if w.endswith(".py")]
        modules = [b for a, b in pairwise(texts) if a == "-m"]
        open_ = [f"module {m}" for m in modules if not self._module(m)]
        for script in scripts:
            name = script.removeprefix("/root/").lstrip("/")
            if not any(self._file(root / name) or self._file(root / Path(name).name) for root in self.roots):
                open_.append(script)
        if not scripts and not modules:
            open_ += [text for text in texts if LAUNCHED.search(text)]
        self.is_partial = self.is_partial or next(iter(open_), "")

    def _file(self, file: Path) -> bool:
        """Whether it is a file of the project; it is read, once, with the modules it imports."""
        try:
            if not file.is_file() or not file.resolve().is_relative_to(self.top):
                return False
            file = self.project / file.resolve().relative_to(self.top)
            if file in self.files:
                return True
            if len(self.files) >= MOST_FILES or file.stat().st_size > MOST_BYTES:
                raise ValueError("too much to read")
            self.files[file] = ast.parse(file.read_bytes())
        except (OSError, ValueError, SyntaxError, RecursionError, MemoryError):
            self.is_partial = self.is_partial or str(file)
        else:
            self._follow(self.files[file])
        return True


def _names(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Calls, attributes, keywords that are on, parameters in use and command-line words, each with its line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = dotted(node.func)
            if name:
                yield name, node.lineno
            for keyword in node.keywords:
                if keyword.arg and not (isinstance(keyword.value, ast.Constant) and not keyword.value.value):
                    yield keyword.arg, keyword.value.lineno
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            used = {n.id for s in node.body for n in ast.walk(s) if isinstance(n, ast.Name)}
            yield from ((a.arg, a.lineno) for a in (*node.args.args, *node.args.kwonlyargs) if a.arg in used)
        elif isinstance(node, ast.Attribute):
            yield node.attr, node.lineno
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and re.fullmatch(r"--?[\w-]+", node.value):
            yield node.value.strip("-").replace("-", "_"), node.lineno
