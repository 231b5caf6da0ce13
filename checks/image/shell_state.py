"""What one shell string leaves for the next."""

import ast
import re

from preflight.api import Findings, Fix, Link, Recipe, app, build, error, rule, warning
from preflight.rules.subjects import LINKS, SHELL_COMMANDS, SHELL_STRINGS, Shell, syntax

SETS = frozenset({"export", "cd", "pushd", "source", ".", "conda", "set", "alias", "ulimit"})
LITERAL = re.compile(r"[^$`\\'\"]*")
REMEDIES = {
    "export": ("the variable", "set it with .env({…}) before the steps that need it"),
    "cd": ("the folder", "use .workdir(…), or `cd … &&` in the string that needs it"),
    "pushd": ("the folder", "use .workdir(…), or `cd … &&` in the string that needs it"),
}
OTHERWISE = ("it", "put it in the string that needs it, with &&")


@rule("IMG871", SHELL_STRINGS)
def shl_export_lost(recipe: Recipe, string: tuple[Link, tuple[app.ShellCommand, ...]]) -> Findings:
    """What a shell string sets is used in that string.

    Looks at: Strings of `run_commands` that do nothing but `export`, `cd` or activate an environment.
    Why it matters: Each string has a shell of its own: what it sets is gone when the next one starts.
    Example:
        before   image.run_commands("export CC=gcc", "pip install mamba-ssm")
        after    image.env({"CC": "gcc"}).run_commands("pip install mamba-ssm")
    How to fix: Set variables with `.env({…})`, the folder with `.workdir(…)`, and join what belongs together with `&&`.
    Source: modal 1.6.4 _image.py: each string becomes a RUN of its own.
    """
    link, commands = string
    if not all(_only_sets(c) for c in commands):
        return
    first = commands[0]
    what, remedy = REMEDIES.get(first.words[0], OTHERWISE)
    yield warning(
        f"`{' '.join(first.text.split())[:60]}` stands alone in its string: {what} is gone in the next one",
        remedy,
        first.where,
        why="the steps after it run without it, and fail or build something else",
        fix=_env_step(link, commands),
    )


def _only_sets(command: app.ShellCommand) -> bool:
    words = command.words
    if not words or words[0] not in SETS or command.redirects:
        return False
    if words[0] == "conda":
        return words[1:2] == ("activate",)
    return words[0] not in ("source", ".") or any("activate" in w for w in words[1:])


def _env_step(link: Link, commands: tuple[app.ShellCommand, ...]) -> Fix | None:
    """``.run_commands("export A=1")`` becomes ``.env({"A": "1"})`` when that is all the step does."""
    step, source = link.step, link.image.source
    if step.method != "run_commands" or len(step.arg_spans) != 1 or step.kwargs or step.link is None:
        return None
    if step.where.path != source.path:
        return None
    written = source.text[step.link.start : step.link.end]
    start = step.link.start + len(written) - len(written.lstrip())
    if not source.text.startswith(".", start) or "#" in written or len(list(build.shell_strings(step))) != 1:
        return None
    pairs = []
    for command in commands:
        if command.words[0] != "export" or len(command.words) < 2:
            return None
        for word in command.words[1:]:
            name, equals, value = word.partition("=")
            if not equals or not LITERAL.fullmatch(value):
                return None
            pairs.append(f'"{name}": "{value}"')
    return app.replaced(source.path, app.Span(start, step.link.end), f".env({{{', '.join(pairs)}}})", is_safe=True)


SHELL = re.compile(r"\s*SHELL\b")


@rule("IMG870", LINKS.only(lambda link: link.step.shell, "shell step"))
def shl_source_in_sh(recipe: Recipe, link: Link) -> Findings:
    """`source` is not asked of a shell that lacks it.

    Looks at: `source` in `run_commands` and `RUN` on bases of Debian and Ubuntu, whose /bin/sh is dash. A
        `.shell([...])` step before it, `bash -c` and other bases are left out.
    Why it matters: dash has no `source`: "source: not found", and the image build stops.
    Example:
        before   image.run_commands("source /opt/venv/bin/activate && pip install x")
        after    image.run_commands(". /opt/venv/bin/activate && pip install x")
    How to fix: Write `.` in place of `source`, or run the string with `bash -c`.
    Source: dash(1): the command is `.`; Modal runs each string with /bin/sh -c.
    """
    sourcing = [command for command in link.step.shell if command.words[:1] == ("source",)]
    if not sourcing or not build.is_debian(link.image) or any(_sets_shell(s) for s in (*link.before, link.step)):
        return
    for command in sourcing:
        yield error(
            f"`{' '.join(command.text.split())[:60]}`: the image's /bin/sh is dash, which has no `source`",
            "write `.` in place of `source`, or run it with bash -c",
            command.where,
            why="the image build stops with 'source: not found'",
            fix=_with_a_dot(link, command),
        )


def _sets_shell(step: app.Step) -> bool:
    texts = [a for a in step.args if isinstance(a, str)] if step.method == "dockerfile_commands" else []
    return step.method == "shell" or any(SHELL.match(t) for t in texts)


def _with_a_dot(link: Link, command: app.ShellCommand) -> Fix | None:
    span, source = command.span, link.image.source
    if span is None or command.where.path != source.path or not source.text.startswith("source", span.start):
        return None
    return app.replaced(source.path, app.Span(span.start, span.start + len("source")), ".", is_safe=True)


SOURCED = re.compile(r"(?:\.|\bsource)\s+[\"']?([\w./~$-]+)/bin/activate\b[\"']?\s*(?:&&|;|\\n|\n)\s*[\w./]")
VALUED = frozenset({"--python", "-p", "--prompt", "--index-url"})


@rule("IMG872", SHELL_COMMANDS)
def shl_venv_not_on_path(recipe: Recipe, shell: Shell) -> Findings:
    """A virtual environment that the image makes is on PATH.

    Looks at: `python -m venv`, `virtualenv` and `uv venv` in shell strings whose folder is neither in an `.env({"PATH":
        …})` nor named with `/bin/` anywhere else in the file, and that no command of a function activates.
    Why it matters: Activating it in one string is lost in the next. The packages are installed in one Python and the
        functions run with another.
    Example:
        before   image.run_commands("python -m venv /opt/venv", "pip install torch")
        after    image.run_commands("python -m venv /opt/venv").env({"PATH": "/opt/venv/bin:$PATH"})
    How to fix: Add `.env({"PATH": "/opt/venv/bin:$PATH"})` after the step that makes it.
    Source: modal.com/docs/guide/images: each string is a RUN of its own; PATH with $PATH is expanded.
    """
    folder, image = _made(shell.command), shell.link.image
    if not folder or not image.is_complete:
        return
    if any("PATH" in s.env or "VIRTUAL_ENV" in s.env or s.method == "uv_sync" for s in image.steps):
        return
    used = re.compile(re.escape(folder.rstrip("/")) + r"/bin/(?!activate)")
    if not used.search(image.source.text) and not _is_sourced(folder, recipe):
        yield warning(
            f"the environment {folder} is made and never put on PATH",
            f'add .env({{"PATH": "{folder.rstrip("/")}/bin:$PATH"}}) after it',
            shell.command.where,
            why="later steps and the functions run another Python, without its packages",
        )


def _is_sourced(folder: str, recipe: Recipe) -> bool:
    """A function's own command activates it and goes on: `cd /app && . venv/bin/activate && python train.py`."""
    name, tree = folder.rstrip("/").rsplit("/", 1)[-1], syntax(recipe)
    calls = [s.call for i in recipe.images for s in i.steps if s.call is not None]
    for node in tree.every(ast.Constant):
        found = SOURCED.search(node.value) if isinstance(node.value, str) else None
        span = tree.span(node) if found is not None else None
        in_a_step = span is not None and any(c.start <= span.start < c.end for c in calls)
        if found is not None and found[1].rsplit("/", 1)[-1] == name and not in_a_step:
            return True
    return False


def _made(command: app.ShellCommand) -> str:
    """The folder of the environment that the command makes; "" for other commands."""
    name, rest = build.program_of(command)
    if name.startswith("python") and rest[:2] == ("-m", "venv"):
        rest = rest[2:]
    elif name == "uv" and rest[:1] == ("venv",):
        rest = rest[1:]
    elif name != "virtualenv":
        return ""
    words = [w for n, w in enumerate(rest) if not w.startswith("-") and (n == 0 or rest[n - 1] not in VALUED)]
    return words[0] if words else (".venv" if name == "uv" else "")
