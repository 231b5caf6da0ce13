"""What a pip command installs: from its words, from `.pip_install(...)`'s arguments, from a requirements file."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from preflight.app.model import PipInstall, PipPackage, Span
from preflight.app.regular import content_of
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


@dataclass
class Gathered:
    """What the options and operands of one install have said so far."""

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
    find: Callable[[str], Path | None] = lambda path: None  # a requirement file that an earlier step has copied

    def install(self, *, tool: str, env: Mapping[str, str], where: Where, span: Span | None) -> PipInstall:
        return PipInstall(
            tool=tool,
            packages=tuple(self.packages),
            index_url=self.index_url,
            extra_index_urls=tuple(self.extra_index_urls),
            find_links=tuple(self.find_links),
            is_isolated=self.is_isolated and not _env_disables_isolation(env),
            is_upgrade=self.is_upgrade,
            is_forced=self.is_forced,
            is_without_deps=self.is_without_deps,
            is_pre=self.is_pre,
            options=tuple(self.options),
            env=dict(env),
            requirement_files=tuple(self.requirement_files),
            is_complete=self.is_complete,
            where=where,
            span=span,
        )


def _env_disables_isolation(env: Mapping[str, str]) -> bool:
    """pip reads PIP_NO_BUILD_ISOLATION as the value of the option: a false one switches isolation off."""
    pip = env.get("PIP_NO_BUILD_ISOLATION", "")
    uv = env.get("UV_NO_BUILD_ISOLATION", "")
    return (pip.lower() in FALSE and pip != "") or (uv != "" and uv.lower() not in FALSE)


def package(written: str, *, where: Where, span: Span | None = None, is_editable: bool = False) -> PipPackage:
    """One requirement, however it is written: a name with bounds, a direct URL, a path, an editable checkout."""
    text = written.strip()
    if text.startswith(("git+", "http://", "https://", "file:")) or "://" in text.split("@", 1)[0]:
        return PipPackage(text, _name_of_url(text), "", (), text, "", is_editable, where, span)
    is_file = text.endswith((".whl", ".tar.gz", ".zip")) and " @ " not in text
    if text.startswith((".", "/", "~")) or is_file or IN_FOLDER.match(text):
        return PipPackage(text, _name_of_url(text), "", (), text, "", is_editable, where, span)
    found = _requirement(text)
    if found is None:
        loose = VERSIONED.match(text)
        name = canonicalize_name(loose[1]) if loose else None
        return PipPackage(text, name, (loose[3].strip() if loose else ""), (), None, "", is_editable, where, span)
    return PipPackage(
        text,
        canonicalize_name(found.name),
        _as_written(text, str(found.specifier)),
        tuple(sorted(found.extras)),
        found.url,
        str(found.marker or ""),
        is_editable,
        where,
        span,
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
    words: tuple[str, ...],
    env: Mapping[str, str],
    *,
    where: Where,
    span: Span | None,
    find: Callable[[str], Path | None] = lambda path: None,
) -> PipInstall | None:
    """The install a shell command makes; None when it makes none.  ``find`` gives the file here of a path there."""
    name, rest = program(words)
    tool = "pip"
    if name.startswith("python") and rest[:2] in (("-m", "pip"), ("-m", "uv")):
        name, rest = rest[1], rest[2:]
    if name == "uv":
        tool = "uv"
        if rest[:1] == ("sync",):
            return Gathered(options=list(rest[1:]), is_complete=False).install(
                tool="uv-sync", env=env, where=where, span=span
            )
        if rest[:1] != ("pip",):
            return None
        rest = rest[1:]
    elif name == "poetry":
        if rest[:1] != ("install",):
            return None
        return Gathered(options=list(rest[1:]), is_complete=False).install(
            tool="poetry", env=env, where=where, span=span
        )
    elif not re.fullmatch(r"pip(\d(\.\d+)?)?", name):
        return None
    rest = tuple(_past_global_options(rest))
    if rest[:1] != ("install",):
        return None
    gathered = Gathered(find=find)
    take_words(gathered, rest[1:], where=where, folder=None)
    return gathered.install(tool=tool, env=env, where=where, span=span)


def _past_global_options(words: Sequence[str]) -> Sequence[str]:
    while words and words[0].startswith("-"):
        skip = 2 if words[0] in WITH_VALUE and "=" not in words[0] else 1
        words = words[skip:]
    return words


def take_words(gathered: Gathered, words: Sequence[str], *, where: Where, folder: Path | None) -> None:
    """Options and operands as on pip's command line."""
    waiting = list(words)
    while waiting:
        word = waiting.pop(0)
        option, equals, value = word.partition("=")
        if not word.startswith("-"):
            if "$" in word or "`" in word:
                gathered.is_complete = False
            gathered.packages.append(package(word, where=where))
        elif option in WITH_VALUE:
            if not equals:
                value = waiting.pop(0) if waiting else ""
            take_option(gathered, option, value, where=where, folder=folder)
        elif len(word) > 2 and word[:2] in ("-r", "-c", "-f", "-i", "-e") and not word.startswith("--"):
            take_option(gathered, word[:2], word[2:], where=where, folder=folder)
        else:
            take_flag(gathered, word)


def take_flag(gathered: Gathered, word: str) -> None:
    if word == "--no-build-isolation":
        gathered.is_isolated = False
    elif word in ("-U", "--upgrade"):
        gathered.is_upgrade = True
    elif word in ("--force-reinstall", "--reinstall", "--ignore-installed", "-I"):
        gathered.is_forced = True
    elif word == "--no-deps":
        gathered.is_without_deps = True
    elif word == "--pre":
        gathered.is_pre = True
    gathered.options.append(word)


def take_option(
    gathered: Gathered, option: str, value: str, *, where: Where, folder: Path | None, depth: int = 0
) -> None:
    if "$" in value:
        gathered.is_complete = False
    if option in ("-i", "--index-url", "--default-index"):
        gathered.index_url = value
    elif option in ("--extra-index-url", "--index"):
        gathered.extra_index_urls.append(value)
    elif option in ("-f", "--find-links"):
        gathered.find_links.append(value)
    elif option in ("-e", "--editable"):
        gathered.packages.append(package(value, where=where, is_editable=True))
    elif option in ("-r", "--requirement"):
        gathered.requirement_files.append(value)
        file = folder / value if folder is not None else gathered.find(value)
        if file is None or not take_requirements(gathered, file, where=where, depth=depth + 1):
            gathered.is_complete = False
    else:
        gathered.options += [option, value]
        if option == "--no-build-isolation-package":
            gathered.options.append(f"no-build-isolation:{canonicalize_name(value)}")


def take_requirements(gathered: Gathered, file: Path, *, where: Where, depth: int = 0) -> bool:
    """Lines of a requirements file, as data.  False when it can't be read here."""
    if depth > DEEPEST:
        return False
    if str(file) in gathered.files:  # files that name each other are read once
        return True
    gathered.files.add(str(file))
    try:
        content = content_of(file, MOST_FILE_BYTES)
    except (OSError, ValueError):
        return False
    if len(content) > MOST_FILE_BYTES:
        return False
    text = content.decode("utf-8-sig", "replace")
    take_lines(gathered, text, where=where, name=file.name, folder=file.parent, depth=depth)
    return True


def take_lines(gathered: Gathered, text: str, *, where: Where, name: str, folder: Path | None, depth: int = 0) -> None:
    """The lines of the requirements file ``name``; another file that they name is looked for in ``folder``."""
    for number, line in enumerate(text.replace("\\\r\n", " ").replace("\\\n", " ").splitlines(), start=1):
        content = re.sub(r"(^|\s)#.*$", "", line).strip()
        if not content:
            continue
        if content.startswith("-"):
            option, _, value = content.partition("=" if "=" in content.split(" ", 1)[0] else " ")
            if option.strip() in WITH_VALUE:
                take_option(gathered, option.strip(), value.strip(), where=where, folder=folder, depth=depth)
            else:
                take_flag(gathered, content)
            continue
        requirement = re.split(r"\s--(?:hash|config-settings|global-option)", content)[0]
        gathered.packages.append(package(requirement, where=Where(name, number)))


def take_pyproject(gathered: Gathered, file: Path, *, extras: Sequence[str]) -> bool:
    """``[project] dependencies`` and the named extras.  False when it can't be read here."""
    try:
        document: dict[str, Any] = tomllib.loads(content_of(file, MOST_FILE_BYTES).decode("utf-8"))
    except (OSError, ValueError):
        return False
    project = document.get("project")
    if not isinstance(project, dict):
        return False
    optional = project.get("optional-dependencies") or {}
    wanted = list(project.get("dependencies") or [])
    for extra in extras:
        wanted += list(optional.get(extra) or [])
    at = Where(file.name, 0)
    gathered.packages += [package(each, where=at) for each in wanted if isinstance(each, str)]
    return True
