"""No build step runs a script from the network without a check.

Looks at
    `curl` or `wget` piped into sh, bash or python in the build's shell strings.
Why it matters
    The script may be another one tomorrow. The image can't be built again as it was, and whoever owns the address
    runs code in it.
Example
    before   image.run_commands("curl -LsSf https://astral.sh/uv/install.sh | sh")
    after    image.pip_install("uv==0.9.11")
How to fix
    Install a pinned package, or check the script's digest before it runs.
Source
    modal.com/docs/guide/images: layers are cached by the text of the command, not by what it fetched.
"""

import itertools

from preflight.api import Findings, Link, Recipe, advice, app, build, rule
from preflight.rules.subjects import SHELL_STRINGS

FETCHERS = frozenset({"curl", "wget"})
SHELLS = frozenset({"sh", "bash", "zsh", "dash", "python", "python3"})


@rule("IMG852", SHELL_STRINGS)
def find(recipe: Recipe, string: tuple[Link, tuple[app.ShellCommand, ...]]) -> Findings:
    for command, following in itertools.pairwise(string[1]):
        fetcher, shell = build.program_of(command)[0], build.program_of(following)[0]
        if command.operator == "|" and fetcher in FETCHERS and shell in SHELLS:
            yield advice(
                f"a script from the network is piped into {shell}",
                "install a pinned package, or check the script's digest before it runs",
                command.where,
            )
