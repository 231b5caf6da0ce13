"""`preflight init`: the `[tool.preflight]` table, from what the app's file says; a known-good image block; the guard.

What stands outside the table stays as it is, and the result is read back before anything is written.
"""

from __future__ import annotations

import difflib
import json
import re
import tomllib
from pathlib import Path
from typing import Any

import click
import tomlkit
from tomlkit.items import Table, Whitespace

from preflight.app import reader
from preflight.app.lookups import NoFunction, function_named
from preflight.app.model import BucketMount, Function, Known, Recipe, Unresolved
from preflight.build.block import block
from preflight.build.forecast import forecasts_of
from preflight.build.known_good import Wanted, best, nearest, runs_on, why_not
from preflight.cli.running.stderr import warn
from preflight.cli.running.target import resolve_app
from preflight.facts.gpus import gpu, gpu_names
from preflight.guard import IMAGE_LINE
from preflight.model import Exit
from preflight.redact import without_secrets
from preflight.report.text import one_line, printable
from preflight.rules import fixes
from preflight.settings import Settings, find_project, parse

CUDA = re.compile(r"(?:cu)?(\d{2})\.?(\d)?(?:\.\d+)?")
PYTHON = re.compile(r"(3\.\d{1,2})(?:\.\d+)?")
VERSION = re.compile(r"v?(\d+(?:\.\w+)*)")
GUARD_LINES = f"""\
# in the image, last: the guard is one file of the standard library and torch
image = image{IMAGE_LINE}

# in the training function
from preflight.guard import guard
model = guard(model, total_steps=STEPS, hours=24)   # it ends the run with exit code 86 when something is wrong"""
OURS = re.compile(r"""^[ \t]*\[{1,2}[ \t]*["']?tool["']?[ \t]*\.[ \t]*["']?preflight["']?[ \t]*[.\]]""", re.MULTILINE)
# the comments after a table's last blank line, and that line
ABOUT_NEXT = re.compile(r"\n([ \t\r]*\n(?:[ \t]*(?:#.*)?\n)*(?:[ \t]*#.*)?)\Z")
BY_HAND = "take the table out by hand, or write the one of `preflight init --diff` into it"
LONGEST = 160  # characters of a comment
TABLE = """\
[tool.preflight]
# Every key is optional.  Uncomment what the app's file can't say.
app = {app}
# environment = "main"          # the Modal environment; without it, the one of the profile
# spend-max = 2.00              # dollars that the paid checks of one run may spend
# skip = ["image-published"]    # checks to leave out, by name or id

{found}

[tool.preflight.image-builder]
# minimum = "2025.06"           # the oldest Image Builder that will do

[tool.preflight.s3]             # only where the app's own CloudBucketMount does not say it
# bucket = {bucket}
# prefix = {prefix}
# region = "us-east-1"          # the AWS_REGION that the secret holds, if it holds one
# secret = "aws-s3-secret"

[tool.preflight.budget]
# function = {function}            # the planned run; else the GPU function with the longest timeout
# hours = 25                    # how long it takes
# usd = 150                     # what it may cost

[tool.preflight.lint]
# command = "make q"            # your own quality command; it runs before anything is paid for

[tool.preflight.smoke]
# command = {smoke}    # one epoch or less, on the GPU
# function = {function}            # the function that it calls: its GPU is priced
# minutes = 15

[tool.preflight.probe]
# function = {function}            # whose image and GPU are probed
# model = "package.model:build" # also trace your own model
"""


class CanNotWrite(Exception):
    """The file can't take the table; the text says why, and what to do."""


@click.command("init")
@click.argument("app", required=False)
@click.option("--force", is_flag=True, help="Replace the [tool.preflight] table that is there.")
@click.option("--diff", is_flag=True, help="Print what would change, and change nothing.")
@click.option("--guard", is_flag=True, help="Print the lines that put the guard into the image and the training loop.")
@click.option("--recipe", is_flag=True, help="Print a known-good image block instead.")
@click.option("--torch", metavar="X.Y[.Z]", help="With --recipe: this torch.")
@click.option("--cuda", metavar="X.Y", help="With --recipe: the CUDA that torch is built for.")
@click.option("--python", metavar="3.Y", help="With --recipe: this Python.")
@click.option("--mamba", metavar="VERSION", help="With --recipe: this release of mamba-ssm.")
@click.option("--gpu", metavar="TYPE", help="With --recipe: it must run on this GPU, as Modal names it.")
def init_command(app: str | None, force: bool, diff: bool, guard: bool, recipe: bool, **asked: str | None) -> int:
    """Write [tool.preflight] into pyproject.toml, from what APP's file says; the rest of the file stays as it is.

    With --recipe: print an image block whose torch, CUDA, Python, mamba-ssm and causal-conv1d are known to go
    together, with release wheels where there are any.
    """
    if guard:
        click.echo(GUARD_LINES)
        return Exit.READY
    if recipe:
        if app is not None or force or diff:
            raise click.UsageError("--recipe prints a block and writes nothing: no APP, --force or --diff with it")
        return _recipe(asked)
    for name, value in asked.items():
        if value is not None:
            raise click.UsageError(f"--{name} belongs to --recipe")
    return _init(app, force=force, diff=diff)


def _init(app: str | None, *, force: bool, diff: bool) -> int:
    project = _project(app)
    file = project / "pyproject.toml"
    found = resolve_app(Settings(project=project), app)
    try:
        text = table(reader.read(project / found, project=project))
        before = file.read_bytes() if file.exists() else b""
        after = with_table(before, text, force=force, file=file)
        if diff:
            old, new = before.decode().splitlines(), after.decode().splitlines()
            for line in difflib.unified_diff(old, new, f"a/{file.name}", f"b/{file.name}", lineterm=""):
                click.echo(printable(line))
            return Exit.READY
        if file.exists():
            fixes.write(file, after)
        else:
            file.write_bytes(after)
    except CanNotWrite as e:
        raise click.UsageError(str(e)) from e
    except OSError as e:
        raise click.UsageError(f"{e.filename or file}: {e.strerror or e}") from e
    warn(f"{'created' if not before else 'wrote [tool.preflight] to'} {file}")
    warn("next: preflight run")
    return Exit.READY


def _project(app: str | None) -> Path:
    """Where the pyproject.toml is, or will be: at or above the app, else where .git is, else here."""
    start = Path(app).resolve().parent if app is not None and Path(app).exists() else Path.cwd()
    found = find_project(start)
    if found is not None:
        return found
    top = next((f for f in (start, *start.parents) if (f / ".git").exists()), None)
    return top or (Path.cwd() if start.is_relative_to(Path.cwd()) else start)


def with_table(before: bytes, text: str, *, force: bool, file: Path) -> bytes:
    """The file's bytes with the table at their end; with ``force``, without the one that was there.

    Raises CanNotWrite.
    """
    try:
        rest = before.decode("utf-8")
        old = tomllib.loads(rest)
    except UnicodeDecodeError as e:
        raise CanNotWrite(f"{file} is not UTF-8: {e}") from e
    except tomllib.TOMLDecodeError as e:
        raise CanNotWrite(f"{file} is not TOML: {e}") from e
    others, ours = _apart(old)
    if ours is not None and not force:
        at = OURS.search(rest)
        where = f"{file}:{rest.count(chr(10), 0, at.start()) + 1}" if at else str(file)
        raise CanNotWrite(f"{where} has a [tool.preflight] table; --force replaces it, --force --diff shows how")
    newline = "\r\n" if "\r\n" in rest else "\n"
    try:
        rest = _without(rest) if ours is not None else rest
        gap = "" if not rest or rest.endswith(("\n\n", "\r\n\r\n")) else newline * (1 if rest.endswith("\n") else 2)
        after = rest + gap + text.replace("\n", newline)
        kept, ours = _apart(tomllib.loads(after))
    except (tomllib.TOMLDecodeError, tomlkit.exceptions.TOMLKitError) as e:
        raise CanNotWrite(f"{file} can't take a [tool.preflight] table at its end ({e}); {BY_HAND}") from e
    if kept != others:
        raise CanNotWrite(f"the [tool.preflight] of {file} can't be replaced without touching the rest; {BY_HAND}")
    parse(ours, file=file, project=file.parent)
    return after.encode()


def _apart(document: dict[str, Any]) -> tuple[dict[str, Any], object]:
    """What is not ours, and tool.preflight; a `tool` that is empty without it is none."""
    tool = document.get("tool", {})
    if not isinstance(tool, dict):
        return document, None
    rest = {key: value for key, value in tool.items() if key != "preflight"}
    return {**document, "tool": rest or None}, tool.get("preflight")


def _without(text: str) -> str:
    """Without our tables.  Comments that follow one after a blank line belong to what comes next, and stay."""
    document = tomlkit.parse(text)
    for name, tool in document.body:
        if name is None or name.key != "tool" or not isinstance(tool, Table):
            continue
        for n, (key, item) in enumerate(tool.value.body):
            if key is not None and key.key == "preflight":
                left = ABOUT_NEXT.search("\n" + item.as_string())
                tool.value.body[n] = (None, Whitespace(left[1] if left else ""))
    return document.as_string()


def table(recipe: Recipe) -> str:
    """The keys that the app's file can't say, as comments, and what it says, with its lines.  Ends in a newline."""
    try:
        planned = function_named(recipe, None)
    except NoFunction:
        planned = None
    mount = next(iter(_buckets(recipe)), None)
    values = {
        "app": recipe.source.path,
        "function": planned.name if planned else "train",
        "bucket": (mount and _known(mount.bucket)) or "my-training-data",
        "prefix": (mount and _known(mount.prefix)) or "data/",
        "smoke": f"modal run {recipe.source.path}",
    }
    # a basic string: JSON's escapes are TOML's, but for DEL
    quoted = {k: json.dumps(v, ensure_ascii=False).replace("\x7f", "\\u007f") for k, v in values.items()}
    return TABLE.format(found="\n".join(_found(recipe)), **quoted)


def _found(recipe: Recipe) -> list[str]:
    path = recipe.source.path
    if recipe.broken:
        return [f"# {_comment(f'{path} could not be read: {recipe.broken}')}"]
    found = [(f"app {_known(a.name) or a.variable}", a.where) for a in recipe.apps]
    found += [(_function(f), f.where) for f in recipe.functions if f.kind != "local_entrypoint"]
    found += [(f"bucket {_known(b.bucket) or 'not in the text'}", b.where) for b in _buckets(recipe)]
    found += [(f"secret {name}", s.where) for name, s in {s.name: s for s in recipe.secrets if s.name}.items()]
    found += [(f"volume {name}", v.where) for name, v in {v.name: v for v in recipe.volumes if v.name}.items()]
    for image in recipe.images:
        if (base := image.base) is not None:
            reference = next((a for a in base.args if isinstance(a, str)), base.method)
            found.append((f"image {image.variable or 'without a name'} from {reference}", base.where))
    found += [(f"{f.subject}: {f.text}", f.where) for f in forecasts_of(recipe, None)]
    if not found:
        return [f"# {_comment(path)} says nothing that preflight looks for."]
    lines = dict.fromkeys(f"#   {_comment(f'{text}  ({where})')}" for text, where in found)
    return [f"# {_comment(path)} says, so no key is needed for it:", *lines]


def _function(function: Function) -> str:
    gpus, timeout = function.gpu, _known(function.timeout_s)
    gpu = "a GPU that is not in the text" if isinstance(gpus, Unresolved) else " or ".join(g.written for g in gpus)
    parts = ", ".join(p for p in (gpu, f"timeout {timeout} s" if timeout else "") if p)
    return f"{function.kind} {function.name}: {parts or 'no GPU'}"


def _buckets(recipe: Recipe) -> list[BucketMount]:
    found = {m.where: m for f in recipe.functions for m in f.volumes.values() if isinstance(m, BucketMount)}
    return list(found.values())


def _known(value: object) -> str:
    """ "" for what the text does not decide."""
    if isinstance(value, Known):
        return f"{value.value:g}" if isinstance(value.value, float) else str(value.value)
    return ""


def _comment(text: str) -> str:
    line = one_line(without_secrets(text))
    return line if len(line) <= LONGEST else line[: LONGEST - 1] + "…"


def _recipe(asked: dict[str, str | None]) -> int:
    wanted = _asked(asked)
    good = best(wanted)
    if good is None:
        near = f"preflight init --recipe {nearest(wanted).options}"
        near += "" if wanted.gpu is None or not runs_on(nearest(wanted), wanted.gpu) else f" --gpu {wanted.gpu}"
        raise click.UsageError(f"no known-good combination: {why_not(wanted)}.  The nearest that works: {near}")
    click.echo(block(good, gpu=wanted.gpu), nl=False)
    return Exit.READY


def _asked(given: dict[str, str | None]) -> Wanted:
    """Raises BadParameter for what is no version or no GPU of Modal."""
    card = given["gpu"]
    row = gpu(card) if card is not None else None
    if card is not None and row is None:
        raise click.BadParameter(f"Modal names no GPU {card!r}; it has {', '.join(gpu_names())}", param_hint="--gpu")
    cuda = _match(CUDA, given["cuda"], "--cuda", "12.4 or cu124")
    python = _match(PYTHON, given["python"], "--python", "3.11")
    torch = _match(VERSION, given["torch"], "--torch", "2.8 or 2.8.0")
    mamba = _match(VERSION, given["mamba"], "--mamba", "2.2.4")
    return Wanted(
        torch=torch[1] if torch else None,
        cuda=".".join(p for p in cuda.groups() if p) if cuda else None,
        python=python[1] if python else None,
        mamba=mamba[1] if mamba else None,
        gpu=row.name if row else None,
    )


def _match(pattern: re.Pattern[str], value: str | None, option: str, like: str) -> re.Match[str] | None:
    if value is None:
        return None
    found = pattern.fullmatch(value.strip())
    if found is None:
        raise click.BadParameter(f"{value!r} is not a version; wanted like {like}", param_hint=option)
    return found
