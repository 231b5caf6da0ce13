"""No build step runs a script from the network unseen.

Looks at
    `curl` or `wget` piped into sh, bash or python in the build's shell strings.
Why it matters
    The script may be another tomorrow: the image can't be built again as it was, and whoever owns the address runs
    code in it.
Example
    before   image.run_commands("curl -LsSf https://astral.sh/uv/install.sh | sh")
    after    image.pip_install("uv==0.9.11")
Source
    modal.com/docs/guide/images: layers are cached by the text of the command, not by what it fetched.
"""

from collections.abc import Iterator

from preflight.api import Context, Finding, Recipe, advice, counted, image_links, program_of, rule, shell_strings

FETCHERS = frozenset({"curl", "wget"})
SHELLS = frozenset({"sh", "bash", "zsh", "dash", "python", "python3"})


def applies(recipe: Recipe) -> str:
    strings = [s for k in image_links(recipe) for s in shell_strings(k.step)]
    return counted(len(strings), "shell string")


def find(recipe: Recipe, context: Context) -> Iterator[Finding]:
    for link in image_links(recipe):
        for commands in shell_strings(link.step):
            for n, command in enumerate(commands[:-1]):
                fetcher, shell = program_of(command)[0], program_of(commands[n + 1])[0]
                if command.operator == "|" and fetcher in FETCHERS and shell in SHELLS:
                    yield advice(
                        f"a script from the network is piped into {shell}",
                        "install a pinned package, or check the script's digest before it runs",
                        command.where,
                    )


CHECK = rule(
    id="IMG852",
    name="sec-curl-pipe-sh",
    title="no build step runs a script from the network unseen",
    find=find,
    applies=applies,
)
