"""What one shell string leaves for the next."""

import ast
import re

from preflight.api import Findings, Fix, Link, Recipe, app, build, error, rule, warning
from preflight.rules.subjects import LINKS, SHELL_COMMANDS, SHELL_STRINGS, Shell, syntax

ONLY_SETS = re.compile(r"(?:export|cd|pushd|set|alias|ulimit|conda activate)\b|(?:source|\.) .*activate")
LITERAL = re.compile(r"[^$`\\'\"]*")
REMEDIES = {
    "export": ("the variable", "set it with .env({…}) before the steps that need it"),
    "cd": ("the folder", "use .workdir(…), or `cd … &&` in the string that needs it"),
    "pushd": ("the folder", "use .workdir(…), or `cd … &&` in the string that needs it"),
}
OTHERWISE = ("it", "put it in the string that needs it, with &&")
SHELL = re.compile(r"\s*SHELL\b")
SOURCED = re.compile(r"(?:\.|\bsource)\s+[\"']?([\w./~$-]+)/bin/activate\b[\"']?\s*(?:&&|;|\\n|\n)\s*[\w./]")
VALUED = frozenset({"--python", "-p", "--prompt", "--index-url"})


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
    if not all(c.words and not c.redirects and ONLY_SETS.match(" ".join(c.words)) for c in commands):
        return
    first = commands[0]
    what, remedy = REMEDIES.get(first.words[0], OTHERWISE)
    yield warning(
        f"{first.shown} stands alone in its string: {what} is gone in the next one",
        remedy,
        first.where,
        why="the steps after it run without it, and fail or build something else",
        fix=_env_step(link, commands),
    )


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
    step = link.step
    in_dockerfile = [str(a) for s in (*link.before, step) if s.method == "dockerfile_commands" for a in s.args]
    is_set = any(s.method == "shell" for s in (*link.before, step)) or any(map(SHELL.match, in_dockerfile))
    for command in step.shell if build.is_debian(link.image) and not is_set else ():
        if command.words[:1] == ("source",):
            yield error(
                f"{command.shown}: the image's /bin/sh is dash, which has no `source`",
                "write `.` in place of `source`, or run it with bash -c",
                command.where,
                why="the image build stops with 'source: not found'",
                fix=app.replace_span(recipe, command.where, command.span, "source ", ". ", is_safe=True),
            )


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
    folder, image = _made(shell.command).rstrip("/"), shell.link.image
    if not folder or not image.is_complete:
        return
    if any("PATH" in s.env or "VIRTUAL_ENV" in s.env or s.method == "uv_sync" for s in image.steps):
        return
    used, tree = re.compile(re.escape(folder) + r"/bin/(?!activate)"), syntax(recipe)
    steps = [s.call for i in recipe.images for s in i.steps if s.call is not None]
    sourced = [  # a function's own command activates it and goes on: `. venv/bin/activate && python train.py`
        (found[1], tree.span(node))
        for node in tree.every(ast.Constant)
        if (found := SOURCED.search(app.text_of(node))) is not None
    ]
    if used.search(image.source.text) or any(
        name.rsplit("/", 1)[-1] == folder.rsplit("/", 1)[-1]
        and not (span is not None and any(s.start <= span.start < s.end for s in steps))
        for name, span in sourced
    ):
        return
    yield warning(
        f"the environment {folder} is made and never put on PATH",
        f'add .env({{"PATH": "{folder}/bin:$PATH"}}) after it',
        shell.command.where,
        why="later steps and the functions run another Python, without its packages",
    )


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
