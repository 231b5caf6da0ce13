"""What a pip command installs: from its words, from `.pip_install(...)`'s arguments, from a requirements file."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial
from pathlib import Path
from typing import TypeAlias

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from preflight.app.find import content_of
from preflight.app.model import PipInstall, PipPackage, Span
from preflight.app.shell import program
from preflight.model import Where

WITH_VALUE = frozenset(
    "-r --requirement -c --constraint -f --find-links -i --index-url --extra-index-url --index -e --editable "
    "-t --target -p --python --prefix --root --src --progress-bar --no-binary --only-binary --platform "
    "--python-version --implementation --abi --trusted-host --cache-dir --timeout --retries --config-settings -C "
    "--global-option --install-option --upgrade-strategy --report --cert --client-cert --proxy --torch-backend "
    "--default-index --prerelease --resolution --index-strategy --link-mode --no-build-isolation-package "
    "-P --upgrade-package --reinstall-package --exclude-newer --group --extra --log --overrides --override".split()
)
VERSIONED = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)\s*(\[[^\]]*\])?\s*(.*)$", re.S)
IN_FOLDER = re.compile(r"[\w.-]+/[\w./-]+$")
WHEEL = re.compile(r"(?:^|/)([A-Za-z0-9_.]+)-[^-/]+(?:-[^-/]+)?-[^-/]+-[^-/]+-[^-/]+\.whl(?:#.*)?$")
EGG = re.compile(r"[#&]egg=([A-Za-z0-9._-]+)")
REPOSITORY = re.compile(r"/([A-Za-z0-9._-]+?)(?:\.git)?(?:@[^/]*)?(?:#.*)?$")
FALSE = frozenset({"0", "false", "no", "off", "n", "f"})
MOST_FILE_BYTES = 2_000_000
DEEPEST = 5  # -r inside -r
CONTINUED = re.compile(r"\\\r?\n")
COMMENT = re.compile(r"(^|\s)#.*$")
FOR_ONE = re.compile(r"\s--(?:hash|config-settings|global-option)")  # options of one requirement
PIP = re.compile(r"pip(\d(\.\d+)?)?")
SYNCS = {"uv sync": "uv-sync", "poetry install": "poetry"}
Find: TypeAlias = Callable[[str], Path | None]


@dataclass
class Gathered:
    """What the options and operands of one install, which stands at ``where``, have said so far."""

    where: Where
    packages: list[PipPackage] = field(default_factory=list)
    index_url: str | None = None
    extra_index_urls: list[str] = field(default_factory=list)
    find_links: list[str] = field(default_factory=list)
    options: list[str] = field(default_factory=list)
    requirement_files: list[str] = field(default_factory=list)
    files: set[str] = field(default_factory=set)  # that have been read
    is_isolated: bool = True
    is_upgrade: bool = False
    is_forced: bool = False
    is_without_deps: bool = False
    is_pre: bool = False
    is_complete: bool = True
    find: Find = lambda path: None  # a requirement file that an earlier step has copied

    def install(self, tool: str, env: Mapping[str, str], span: Span | None) -> PipInstall:
        pip, uv = env.get("PIP_NO_BUILD_ISOLATION", "").lower(), env.get("UV_NO_BUILD_ISOLATION", "").lower()
        is_switched_off = pip in FALSE or uv not in {"", *FALSE}  # pip reads its variable as the value of the option
        return PipInstall(
            tool=tool,
            packages=tuple(self.packages),
            index_url=self.index_url,
            extra_index_urls=tuple(self.extra_index_urls),
            find_links=tuple(self.find_links),
            is_isolated=self.is_isolated and not is_switched_off,
            is_upgrade=self.is_upgrade,
            is_forced=self.is_forced,
            is_without_deps=self.is_without_deps,
            is_pre=self.is_pre,
            options=tuple(self.options),
            env=dict(env),
            requirement_files=tuple(self.requirement_files),
            is_complete=self.is_complete,
            where=self.where,
            span=span,
        )

    def take_words(self, words: Iterable[str]) -> None:
        """Options and operands as on pip's command line."""
        waiting = iter(words)
        for word in waiting:
            option, equals, value = word.partition("=")
            if not word.startswith("-"):
                self.is_complete &= "$" not in word and "`" not in word
                self.packages.append(package(word, where=self.where))
            elif option in WITH_VALUE:
                self.take_option(option, value if equals else next(waiting, ""))
            elif len(word) > 2 and word[:2] in ("-r", "-c", "-f", "-i", "-e"):
                self.take_option(word[:2], word[2:])
            else:
                self.take_flag(word)

    def take_flag(self, word: str) -> None:
        self.is_isolated &= word != "--no-build-isolation"
        self.is_upgrade |= word in ("-U", "--upgrade")
        self.is_forced |= word in ("--force-reinstall", "--reinstall", "--ignore-installed", "-I")
        self.is_without_deps |= word == "--no-deps"
        self.is_pre |= word == "--pre"
        self.options.append(word)

    def take_option(self, option: str, value: str, *, folder: Path | None = None, depth: int = 0) -> None:
        """A requirement file is looked for in ``folder``, that of the file which names it."""
        self.is_complete &= "$" not in value
        if option in ("-i", "--index-url", "--default-index"):
            self.index_url = value
        elif option in ("--extra-index-url", "--index"):
            self.extra_index_urls.append(value)
        elif option in ("-f", "--find-links"):
            self.find_links.append(value)
        elif option in ("-e", "--editable"):
            self.packages.append(package(value, where=self.where, is_editable=True))
        elif option in ("-r", "--requirement"):
            self.requirement_files.append(value)
            file = folder / value if folder is not None else self.find(value)
            if file is None or not self.take_requirements(file, depth=depth + 1):
                self.is_complete = False
        else:
            self.options += [option, value]
            if option == "--no-build-isolation-package":
                self.options.append(f"no-build-isolation:{canonicalize_name(value)}")

    def take_requirements(self, file: Path, *, depth: int = 0) -> bool:
        """Lines of a requirements file, as data.  False when it can't be read here."""
        if depth > DEEPEST:
            return False
        if str(file) in self.files:  # files that name each other are read once
            return True
        self.files.add(str(file))
        try:
            content = content_of(file, MOST_FILE_BYTES)
        except (OSError, ValueError):
            return False
        if len(content) > MOST_FILE_BYTES:
            return False
        text = content.decode("utf-8-sig", "replace")
        for number, line in enumerate(CONTINUED.sub(" ", text).splitlines(), start=1):
            written = COMMENT.sub("", line).strip()
            option, _, value = written.partition("=" if "=" in written.split(" ", 1)[0] else " ")
            if option.strip() in WITH_VALUE:
                self.take_option(option.strip(), value.strip(), folder=file.parent, depth=depth)
            elif written.startswith("-"):
                self.take_flag(written)
            elif written:
                self.packages.append(package(FOR_ONE.split(written)[0], where=Where(file.name, number)))
        return True

    def take_pyproject(self, file: Path, *, extras: Sequence[str]) -> bool:
        """``[project] dependencies`` and the named extras.  False when it can't be read here."""
        try:
            project = tomllib.loads(content_of(file, MOST_FILE_BYTES).decode("utf-8")).get("project")
        except (OSError, ValueError):
            return False
        if not isinstance(project, dict):
            return False
        groups, optional = [project.get("dependencies")], project.get("optional-dependencies")
        if isinstance(optional, dict):
            groups += map(optional.get, extras)
        wanted = [each for group in groups if isinstance(group, list) for each in group if isinstance(each, str)]
        self.packages += [package(each, where=Where(file.name, 0)) for each in wanted]
        return True


def package(written: str, *, where: Where, span: Span | None = None, is_editable: bool = False) -> PipPackage:
    """One requirement, however it is written: a name with bounds, a direct URL, a path, an editable checkout."""
    text = written.strip()
    made = partial(PipPackage, text, is_editable=is_editable, where=where, span=span)
    is_url = text.startswith(("git+", "http://", "https://", "file:")) or "://" in text.split("@", 1)[0]
    is_file = text.endswith((".whl", ".tar.gz", ".zip")) and " @ " not in text
    if is_url or is_file or text.startswith((".", "/", "~")) or IN_FOLDER.match(text):
        return made(_name_of_url(text), "", url=text)
    found = _requirement(text)
    if found is None:
        loose = VERSIONED.match(text)
        return made(canonicalize_name(loose[1]), loose[3].strip()) if loose else made(None, "")
    return made(
        canonicalize_name(found.name),
        _as_written(text, str(found.specifier)),
        tuple(sorted(found.extras)),
        url=found.url,
        marker=str(found.marker or ""),
    )


@lru_cache(maxsize=1024)  # images of one app ask for the same things
def _requirement(text: str) -> Requirement | None:
    try:
        return Requirement(text)
    except InvalidRequirement:
        return None


def _as_written(text: str, normal: str) -> str:
    """The specifier in the order it was written; ``packaging`` sorts the parts."""
    found = re.search(r"[<>=!~][^;@]*", text.split(";", 1)[0].split(" @ ", 1)[0])
    return ",".join(part.strip().replace(" ", "") for part in found[0].split(",")) if found and normal else normal


def _name_of_url(url: str) -> str | None:
    egg = EGG.search(url)
    if egg:
        return canonicalize_name(egg[1])
    wheel = WHEEL.search(url.replace("%2B", "+").replace("%2b", "+").split("?")[0])
    if wheel:
        return canonicalize_name(wheel[1])
    if url.startswith("git+"):
        repository = REPOSITORY.search(url.split("#")[0])
        return canonicalize_name(repository[1]) if repository else None
    return None


def of_command(
    words: tuple[str, ...], env: Mapping[str, str], *, where: Where, span: Span | None, find: Find = lambda path: None
) -> PipInstall | None:
    """The install a shell command makes; None when it makes none.  ``find`` gives the file here of a path there."""
    name, rest = program(words)
    if name.startswith("python") and rest[:2] in (("-m", "pip"), ("-m", "uv")):
        name, rest = rest[1], rest[2:]
    tool = SYNCS.get(" ".join((name, *rest[:1])))
    if tool is not None:
        return Gathered(where, options=[*rest[1:]], is_complete=False).install(tool, env, span)
    is_uv = name == "uv" and rest[:1] == ("pip",)
    if not is_uv and not PIP.fullmatch(name):
        return None
    rest = rest[1:] if is_uv else rest
    while rest and rest[0].startswith("-"):  # pip's own options
        rest = rest[2 if rest[0] in WITH_VALUE else 1 :]
    if rest[:1] != ("install",):
        return None
    gathered = Gathered(where, find=find)
    gathered.take_words(rest[1:])
    return gathered.install("uv" if is_uv else "pip", env, span)
