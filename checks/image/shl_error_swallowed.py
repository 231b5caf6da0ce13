"""An install that fails stops the build.

Looks at
    Installs in shell strings (pip, uv, apt-get, conda, setup.py, make, cmake) followed by `|| true` or `|| echo`,
    piped into `tail`, `head`, `tee`, `grep` and the like without pipefail, or with `2>/dev/null`.
Why it matters
    The build goes on without the package, the layer is cached, and the failure shows on the GPU.
Example
    before   image.run_commands("pip install mamba-ssm --no-build-isolation || true")
    after    image.run_commands("pip install mamba-ssm --no-build-isolation")
How to fix
    Let a failed install fail the build, and install optional packages in a step of their own.
Source
    A100-Kernel-RL: three commits whose mamba-ssm was never installed, and no message told it.
"""

import re

from preflight.api import Findings, Recipe, app, build, rule, warning
from preflight.rules.subjects import SHELL_COMMANDS, Shell

HARMLESS_END = frozenset({"true", ":", "echo", "printf", "exit"})
SHOWS = frozenset({"tail", "head", "tee", "grep", "cat", "sed", "awk"})
SILENT = re.compile(r"(?:2>|&>)\s*/dev/null")


def _installs(shell: Shell) -> bool:
    if build.pip_of(shell.command) is not None:
        return True
    name, rest = build.program_of(shell.command)
    if name in ("apt-get", "apt", "conda", "mamba", "micromamba", "npm", "cargo"):
        return "install" in rest[:4] and "--dry-run" not in rest
    if name.startswith("python"):
        return len(rest) > 1 and rest[0].endswith("setup.py") and rest[1] in ("install", "develop", "build_ext")
    return name in ("make", "cmake", "ninja")


@rule("IMG880", SHELL_COMMANDS.only(_installs, "install in a shell string"))
def find(recipe: Recipe, shell: Shell) -> Findings:
    how = _swallowed(shell.string, shell.n)
    if how:
        yield warning(
            f"`{' '.join(shell.command.text.split())[:60]}`: {how}",
            "let a failed install fail the build; install what is optional in a step of its own",
            shell.command.where,
            why="the build goes on without the package, and the failure shows on the GPU",
        )


def _swallowed(commands: tuple[app.ShellCommand, ...], n: int) -> str:
    """How the failure of command ``n`` is lost; "" when it is not."""
    command, following = commands[n], commands[n + 1] if n + 1 < len(commands) else None
    name = following.words[0].rsplit("/", 1)[-1] if following is not None and following.words else ""
    if command.operator == "||" and following is not None and name in HARMLESS_END:
        then = commands[n + 2] if n + 2 < len(commands) and following.operator in ("&&", ";") else following
        fails_anyway = then.words[:1] == ("exit",) and then.words[1:] != ("0",)  # `|| (echo why; exit 1)`
        if not fails_anyway:
            return f"`|| {name}` hides its failure"
    if command.operator == "|" and name in SHOWS and not any("pipefail" in c.words for c in commands[:n]):
        return f"piped into {name}, whose success is the string's"
    return "its error output is thrown away" if any(SILENT.fullmatch(r) for r in command.redirects) else ""
