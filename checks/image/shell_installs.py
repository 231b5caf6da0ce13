"""Installs in the shell strings of a build, and the programs that a step calls."""

import re
from collections.abc import Iterator

from preflight.api import Findings, Fix, Link, Recipe, Where, app, build, error, rule, warning
from preflight.rules.subjects import LINKS, SHELL_COMMANDS, Shell

APT_INSTALLS = SHELL_COMMANDS.only(
    lambda s: (
        (program := build.program_of(s.command))[0] in ("apt-get", "apt")
        and "install" in program[1]
        and "$" not in s.command.text
    ),
    "apt install in a shell string",
)
ANSWERS = (("yes",), ("echo",))  # `yes |` answers what apt asks
YES = re.compile(r"^(?:-[a-zA-Z]*y[a-zA-Z]*|--yes|--assume-yes|-qq|--force-yes)$")
HARMLESS_END = frozenset({"true", ":", "echo", "printf", "exit"})
SHOWS = frozenset({"tail", "head", "tee", "grep", "cat", "sed", "awk"})
SILENT = re.compile(r"(?:2>|&>)\s*/dev/null")
BOUND = re.compile(r"^[<>]=?\d[\w.*]*|^>=?[\d.]+")
TOKEN = re.compile(r"(?<![\w'\"=/.-])[A-Za-z][\w.-]*(?:\[[\w,.-]*\])?(?:[<>]=?[\w.*]+)(?:,[<>=!~]+[\w.*]+)*(?![\w'\"])")
BRINGS = {  # packages that depend on the tool
    "git": re.compile(r"^(?:git|git-.*|gh|npm|golang.*|devscripts|ubuntu-dev-tools|cvs2svn)(?:=.*)?$"),
    "curl": re.compile(r"^(?:curl|devscripts)(?:=.*)?$"),
    "wget": re.compile(r"^(?:wget|devscripts)(?:=.*)?$"),
    "unzip": re.compile(r"^(?:unzip|zip|devscripts)(?:=.*)?$"),
}
ASKS = ("which", "type", "command")  # whether a program is there
GETS_GIT = "pip_install_private_repos"  # by itself
JUDGED = LINKS.only(
    lambda k: k.n > 0 and (k.step.pip or k.step.shell) and build.is_bare(k.image), "build step on a known base"
)


@rule("IMG890", APT_INSTALLS)
def shl_apt_no_yes(recipe: Recipe, shell: Shell) -> Findings:
    """apt does not ask, and knows what there is.

    Looks at: `apt-get install` and `apt install` in shell strings: without `-y`; and without any `update` before them
        in the image's earlier steps on a registry base.
    Why it matters: Without `-y` apt asks, gets no answer and stops; without an update a fresh base has no package list.
    Example:
        before   image.run_commands("apt-get install git")
        after    image.apt_install("git")
    How to fix: Use `.apt_install(…)`, or write `apt-get update && apt-get install -y …`.
    Source: apt-get(8); registry bases come with /var/lib/apt/lists empty.
    """
    link, command, steps = shell.link, shell.command, shell.link.before
    earlier = (*link.shell_before, *shell.before)
    texts = " ".join(c.text for c in (*link.shell_before, *link.step.shell))
    is_piped = bool(shell.before) and shell.before[-1].operator == "|" and shell.before[-1].words[:1] in ANSWERS
    is_answered = is_piped or "APT::Get::Assume-Yes" in texts or "apt.conf" in texts
    is_updated = any(s.method == "apt_install" or not s.is_complete for s in steps) or any(  # apt_install updates first
        "update" in c.words or ("apt" in " ".join(c.words) and "bash" in c.text) for c in earlier
    )
    if not is_answered and not any(YES.match(w) for w in build.program_of(command)[1]):
        yield error(
            f"{command.shown} has no -y: apt asks and gets no answer",
            "write apt-get install -y, or use .apt_install(…)",
            command.where,
            why="the image build stops at this step",
            fix=app.replace_span(recipe, command.where, command.span, " install ", " install -y ", is_safe=True),
        )
    elif build.tag_of(link.image) is not None and build.is_bare(link.image) and not is_updated:
        yield error(
            f"{command.shown} before any apt-get update: the base has no package list",
            "write `apt-get update && ` before it, or use .apt_install(…)",
            command.where,
            why="the image build stops with 'Unable to locate package'",
        )


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
def shl_error_swallowed(recipe: Recipe, shell: Shell) -> Findings:
    """An install that fails stops the build.

    Looks at: Installs in shell strings (pip, uv, apt-get, conda, setup.py, make, cmake) followed by `|| true` or `||
        echo`, piped into `tail`, `head`, `tee`, `grep` and the like without pipefail, or with `2>/dev/null`.
    Why it matters: The build goes on without the package, the layer is cached, and the failure shows on the GPU.
    Example:
        before   image.run_commands("pip install mamba-ssm --no-build-isolation || true")
        after    image.run_commands("pip install mamba-ssm --no-build-isolation")
    How to fix: Let a failed install fail the build, and install optional packages in a step of their own.
    Source: A100-Kernel-RL: three commits whose mamba-ssm was never installed, and no message told it.
    """
    how = _swallowed(shell.string, shell.n)
    if how:
        yield warning(
            f"{shell.command.shown}: {how}",
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


@rule("IMG860", SHELL_COMMANDS.only(lambda s: build.pip_of(s.command) is not None, "pip command in a shell string"))
def shl_unquoted_specifier(recipe: Recipe, shell: Shell) -> Findings:
    """Version bounds in shell strings are quoted.

    Looks at: `pip install` and `uv pip install` in shell strings, with the quoting that the shell sees.
    Why it matters: `pip install numpy>=1.26` writes pip's output to a file called `=1.26` and installs any numpy;
        `pip install numpy<2` reads from a file called `2` and fails.
    Example:
        before   image.run_commands("pip install mamba-ssm>=2.2.2")
        after    image.run_commands("pip install 'mamba-ssm>=2.2.2'")
    How to fix: Put quotes around each requirement that has a bound.
    Source: POSIX shell, redirection; measured with the bash grammar that reads the strings.
    """
    command = shell.command
    lost = [r for r in command.redirects if BOUND.match(r)]
    if lost:
        yield error(
            f"`{' '.join(command.text.split())[:80]}`: the shell takes {', '.join(lost)} for a redirection",
            "put quotes around each requirement that has a bound",
            command.where,
            why="the bound is not given to pip; '>' leaves a file of that name, '<' fails because there is none",
            fix=_quoted(command, shell.link.image.source),
        )


def _quoted(command: app.ShellCommand, source: app.Source) -> Fix | None:
    """Quotes of the kind that the Python string around them does not use."""
    span = command.span
    if span is None or command.where.path != source.path:
        return None
    text = source.text
    opener = re.search(r"""["'](?=[^"']*$)""", text[: span.start])
    if opener is None:
        return None
    around = opener[0]
    quote = '"' if around == "'" else "'"
    stop = re.compile(rf"[&|;\n\\{around}]").search(text, span.end)  # the span itself ends before a redirection
    end = stop.start() if stop else len(text)
    if quote in text[span.start : end]:
        return None
    places = [at for token in TOKEN.finditer(text, span.start, end) for at in token.span()]
    quotes = (app.replaced(source.path, app.Span(at, at), quote, is_safe=True) for at in places)
    return app.together(quotes, is_safe=True)


@rule("IMG900", JUDGED.by(lambda link: id(link.image.base)))
def app_missing_git(recipe: Recipe, links: list[Link]) -> Findings:
    """Every program that a build step calls is in the image.

    Looks at: `git+…` requirements, and `git`, `curl`, `wget` and `unzip` in shell strings, on bases that are known to
        have none of them (debian_slim, nvidia/cuda, ubuntu, python:*-slim), without an earlier step that installs it.
    Why it matters: pip clones with git: "Cannot find command 'git'", and the image build stops.
    Example:
        before   modal.Image.debian_slim().pip_install("git+https://github.com/org/repo@v1")
        after    modal.Image.debian_slim().apt_install("git").pip_install("git+https://github.com/org/repo@v1")
    How to fix: Add `.apt_install("git")` (or the tool that the message names) before the step.
    Source: debian_slim's package list, 2026-11-23: no git, curl, wget; brain-go-brr f06dc41.
    """
    told: set[str] = set()  # of each base and tool, the first step that lacks it
    for link in links:
        for tool, where, n in _needed(link):
            earlier = (*link.shell_before, *link.step.shell[:n])
            if tool in told or any(_may_hold(s, tool) for s in link.before) or any(_brings(c, tool) for c in earlier):
                continue
            told.add(tool)
            yield error(
                f"{tool} is called here, and neither the base nor an earlier step has it",
                f'add .apt_install("{tool}") before it',
                where,
                why="the image build stops at this step",
                fix=app.insert_link(recipe, link.step, f'.apt_install("{tool}")', is_safe=True),
            )


def _needed(link: Link) -> Iterator[tuple[str, Where, int]]:
    """Each tool that the step calls, where, and before which of its shell commands."""
    commands = link.step.shell
    for install in link.step.pip if link.step.method != GETS_GIT else ():
        for package in install.packages:
            if "git+" in (package.url or "") or package.written.startswith("git+"):
                at = next((n for n, c in enumerate(commands) if c.where == install.where), len(commands))
                yield "git", package.where or install.where, at
    for n, command in enumerate(commands):
        name = build.program_of(command)[0]
        if name in BRINGS and command.words[0] not in ASKS:
            yield name, command.where, n


def _may_hold(step: app.Step, tool: str) -> bool:
    """Whether the step installs the tool, or what is not in the text."""
    is_open = not step.is_complete and step.method in ("apt_install", "run_commands", "dockerfile_commands")
    brings = any(BRINGS[tool].match(p) for p in step.apt) or step.method in (GETS_GIT, "micromamba_install")
    return brings or is_open or step.is_repeated


def _brings(command: app.ShellCommand, tool: str) -> bool:
    """Whether the command may install the tool, by a script too, or asks for it: `which git`."""
    words = " ".join((*command.words, command.text))
    if re.search(r"\binstall\b", words) and any(BRINGS[tool].match(w) for w in command.words):
        return True
    if build.program_of(command)[0] in ("bash", "sh", "zsh"):
        return tool in words
    return bool(command.words) and command.words[0] in ASKS and tool in command.words
