"""An install that fails stops the build.

Looks at
    Installs in shell strings (pip, uv, apt-get, conda, setup.py, make, cmake) followed by `|| true` or `|| echo`,
    piped into `tail`, `head`, `tee` or `grep` without pipefail, or with `2>/dev/null`.
Why it matters
    The build goes on without the package, the layer is cached, and the failure shows on the GPU.
Example
    before   image.run_commands("pip install mamba-ssm --no-build-isolation || true")
    after    image.run_commands("pip install mamba-ssm --no-build-isolation")
Source
    A100-Kernel-RL: three commits whose mamba-ssm was never installed, and nothing said so.
"""

import re
from collections.abc import Iterator

from preflight.api import (
    Context,
    Finding,
    Recipe,
    ShellCommand,
    counted,
    image_links,
    pip_of,
    program_of,
    rule,
    shell_strings,
    warning,
)

HARMLESS_END = frozenset({"true", ":", "echo", "printf", "exit"})
SHOWS = frozenset({"tail", "head", "tee", "grep", "cat", "sed", "awk"})


def applies(recipe: Recipe) -> str:
    return counted(len(_installs(recipe)), "install in a shell string", "installs in shell strings")


def find(recipe: Recipe, context: Context) -> Iterator[Finding]:
    for commands, n in _installs(recipe):
        how = _swallowed(commands, n)
        if how:
            command = commands[n]
            yield warning(
                f"`{' '.join(command.text.split())[:60]}`: {how}",
                "let the install fail the build; say what may be missing in a step of its own",
                command.where,
                why="the build goes on without the package, and the failure shows on the GPU",
            )


def _installs(recipe: Recipe) -> list[tuple[tuple[ShellCommand, ...], int]]:
    found = []
    for link in image_links(recipe):
        for commands in shell_strings(link.step):
            found += [(commands, n) for n, c in enumerate(commands) if _installs_something(c)]
    return found


def _installs_something(command: ShellCommand) -> bool:
    if pip_of(command) is not None:
        return True
    name, rest = program_of(command)
    if name in ("apt-get", "apt", "conda", "mamba", "micromamba", "npm", "cargo"):
        return "install" in rest[:4] and "--dry-run" not in rest
    if name.startswith("python"):
        return len(rest) > 1 and rest[0].endswith("setup.py") and rest[1] in ("install", "develop", "build_ext")
    return name in ("make", "cmake", "ninja")


def _swallowed(commands: tuple[ShellCommand, ...], n: int) -> str:
    """How the failure of command ``n`` is lost; "" when it is not."""
    command = commands[n]
    following = commands[n + 1] if n + 1 < len(commands) else None
    if command.operator == "||" and following is not None and following.words:
        name = following.words[0].rsplit("/", 1)[-1]
        then = commands[n + 2] if n + 2 < len(commands) and following.operator in ("&&", ";") else following
        is_told = then.words[:1] == ("exit",) and then.words[1:] != ("0",)  # `|| (echo why; exit 1)`
        if name in HARMLESS_END and not is_told:
            return f"`|| {name}` hides its failure"
    if command.operator == "|" and following is not None and following.words:
        name = following.words[0].rsplit("/", 1)[-1]
        if name in SHOWS and not any("pipefail" in c.words for c in commands[:n]):
            return f"piped into {name}, whose success is the string's"
    if any(re.fullmatch(r"(?:2>|&>)\s*/dev/null", r) for r in command.redirects):
        return "its error output is thrown away"
    return ""


CHECK = rule(
    id="IMG880",
    name="shl-error-swallowed",
    title="an install that fails stops the build",
    find=find,
    applies=applies,
)
