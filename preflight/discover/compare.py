"""Where the text as read and the recording of the real client do not say the same.

Only what both say is compared: a value that the text leaves open is no difference, it is filled (``merge``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from preflight.app.model import BucketMount, Function, Known, Recipe, SecretRef, Unresolved, VolumeRef
from preflight.discover import images
from preflight.discover.recording import RecordedBucket, RecordedFunction, RecordedSecret, RecordedVolume, Recording
from preflight.model import Where

DEFAULT_TIMEOUT_S = 300  # of Modal, for a function that gives none (client 1.6.4)
NOT_DEPLOYED = "local_entrypoint"
WITH_VALUES = frozenset({"from_dict"})  # whose keys the text holds; a .env file's are not read


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One thing both spoke of.  ``subject`` is like "train: gpu"; ``unless`` names a variable that decides it."""

    subject: str
    read: str
    recorded: str
    where: Where
    unless: str = ""
    is_about_a_value: bool = True  # False: a whole function that only one of them has


def pairs(recipe: Recipe, recording: Recording) -> tuple[tuple[Function, RecordedFunction], ...]:
    """The functions that both have, by the name that Modal knows them by.  A name that stands twice pairs nothing."""
    mine = Counter(_tag(f) for f in deployed(recipe))
    theirs = Counter(f.name for f in recording.functions)
    recorded = {f.name: f for f in recording.functions}
    paired = [
        (f, recorded[tag]) for f in deployed(recipe) if (tag := _tag(f)) is not None and mine[tag] == theirs[tag] == 1
    ]
    return (*paired, *_by_definition(recipe, recording, {id(f) for f, _ in paired}))


def _by_definition(
    recipe: Recipe, recording: Recording, known: set[int]
) -> Iterator[tuple[Function, RecordedFunction]]:
    """Functions whose `name=` the text leaves open, by the name of their def."""
    open_ended = [f for f in deployed(recipe) if id(f) not in known and _tag(f) is None]
    for function in open_ended:
        theirs = [r for r in recording.functions if r.definition.rsplit(".", 1)[-1] == function.name]
        if len(theirs) == 1 and sum(f.name == function.name for f in open_ended) == 1:
            yield function, theirs[0]


def deployed(recipe: Recipe) -> tuple[Function, ...]:
    return tuple(f for f in recipe.functions if f.kind != NOT_DEPLOYED)


def _tag(function: Function) -> str | None:
    """None where the text does not say it."""
    given = function.call.kwargs.get("name")
    if given is None:
        return None if function.call.has_spread else function.name
    return str(given) if isinstance(given, str) else None


def differences(recipe: Recipe, recording: Recording) -> tuple[Difference, ...]:
    paired = pairs(recipe, recording)
    found = [
        Difference(subject=f"{f.name}: {what}", read=read, recorded=other, where=f.where, unless=unless)
        for f, recorded in paired
        for what, read, other, unless in _compared(f, recorded)
        if read != other
    ]
    read = {_tag(f) for f in deployed(recipe)} | {r.name for _, r in paired}
    names = {f.name for f in recording.functions} | {None}
    found += [_absent(f.name, "in the text", "not deployed", f.where) for f in deployed(recipe) if _tag(f) not in names]
    at = Where(recipe.source.path)
    found += [_absent(f.name, "not found", "deployed", at) for f in recording.functions if f.name not in read]
    return tuple(found)


def _absent(name: str, read: str, recorded: str, where: Where) -> Difference:
    return Difference(subject=name, read=read, recorded=recorded, where=where, is_about_a_value=False)


def _compared(function: Function, recorded: RecordedFunction) -> Iterator[tuple[str, str, str, str]]:
    """(what, as read, as recorded, the variable that may override what was read)."""
    if isinstance(function.gpu, tuple):
        unless = next((g.default_of for g in function.gpu if g.default_of), "")
        yield "gpu", _gpus(tuple((g.type, g.count) for g in function.gpu)), _gpus(recorded.gpus), unless
    if not isinstance(function.timeout_s, Unresolved):
        yield "timeout", *_seconds(function.timeout_s, recorded.timeout_s, DEFAULT_TIMEOUT_S)
    if isinstance(function.startup_timeout_s, Known):
        yield "startup_timeout", *_seconds(function.startup_timeout_s, recorded.startup_timeout_s, 0)
    if not isinstance(function.cpu, Unresolved):
        yield "cpu", _pair(function.cpu, "cores"), _pair(recorded.cpu, "cores"), ""
    if not isinstance(function.memory_mib, Unresolved):
        yield "memory", _pair(function.memory_mib, "MiB"), _pair(recorded.memory_mib, "MiB"), ""
    if not isinstance(function.retries, Unresolved):
        retries = function.retries
        unless = retries.default_of if retries else ""
        yield "retries", str(retries.value if retries else 0), str(recorded.retries), unless
    yield from _secrets(function, recorded)
    yield from _mounts(function, recorded)
    yield from _image(function, recorded)


def _gpus(gpus: tuple[tuple[str, int], ...]) -> str:
    """Without the suffixes that choose among machines of one type (H100!)."""
    names = [f"{kind.upper().rstrip('!+')}:{count}" for kind, count in gpus]
    return ", ".join(n.removesuffix(":1") for n in names) or "none"


def _seconds(read: Known[float] | None, recorded: int, default: int) -> tuple[str, str, str]:
    return f"{read.value if read else default:g} s", f"{recorded:g} s", read.default_of if read else ""


def _pair(pair: tuple[float, float | None] | None, unit: str) -> str:
    if pair is None:
        return "not given"
    return f"{pair[0]:g} {unit}" + (f", at most {pair[1]:g}" if pair[1] is not None else "")


def _secrets(function: Function, recorded: RecordedFunction) -> Iterator[tuple[str, str, str, str]]:
    read = [s for s in function.secrets if isinstance(s, SecretRef)]
    if len(read) != len(function.secrets):
        return
    mine = sorted({_secret(s.name, s.required_keys, s.keys if s.made_by in WITH_VALUES else ()) for s in read})
    known = {s.name for s in read}
    hidden = any(s.name is None and s.made_by not in WITH_VALUES for s in read)
    theirs = sorted(
        {
            _secret(s.name, s.required_keys, () if hidden else s.keys)
            for s in recorded.secrets
            if s.name or None in known
        }
    )
    theirs += [] if None in known else [_secret(None, (), s.keys) for s in recorded.secrets if s.name is None]
    yield "secrets", "; ".join(mine) or "none", "; ".join(theirs) or "none", ""


def _secret(name: str | None, required: tuple[str, ...], keys: tuple[str, ...]) -> str:
    if name is None:
        return f"of values ({', '.join(sorted(keys))})"
    return name + (f" with {', '.join(sorted(required))}" if required else "")


def _mounts(function: Function, recorded: RecordedFunction) -> Iterator[tuple[str, str, str, str]]:
    if any(path.startswith("<") for path in function.volumes):
        return  # a dict, or a key of it, that the text does not decide
    mine = {str(PurePosixPath(path)): m for path, m in function.volumes.items()}
    theirs = {str(PurePosixPath(path)): m for path, m in recorded.mounts.items()}
    if mine.keys() != theirs.keys():
        yield "mounts", ", ".join(sorted(mine)) or "none", ", ".join(sorted(theirs)) or "none", ""
    for path in sorted(mine.keys() & theirs.keys()):
        read, mount = mine[path], theirs[path]
        if isinstance(read, VolumeRef) and read.name is None and isinstance(mount, RecordedVolume):
            continue  # its name is not in the text
        if isinstance(read, VolumeRef):
            theirs_is = _volume(mount) if isinstance(mount, RecordedVolume) else f"bucket {mount.bucket}"
            yield f"mount {path}", _volume(read), theirs_is, ""
        elif isinstance(read, BucketMount):
            yield f"mount {path}", *_bucket(read, mount), ""


def _volume(volume: VolumeRef | RecordedVolume) -> str:
    name = volume.name or "of its own"
    return f"{volume.kind} {name}" + (", read-only" if volume.is_read_only else "")


def _bucket(read: BucketMount, mount: RecordedVolume | RecordedBucket) -> tuple[str, str]:
    """Both in the same words, each part left out that the text does not decide."""
    if isinstance(mount, RecordedVolume):
        return f"bucket {read.bucket.value if isinstance(read.bucket, Known) else ''}".strip(), _volume(mount)
    mine, theirs = [], []
    for word, value, recorded in (
        ("bucket", read.bucket, mount.bucket),
        ("prefix", read.prefix, mount.prefix),
        ("endpoint", read.endpoint_url, mount.endpoint_url),
    ):
        if not isinstance(value, Unresolved):
            mine.append(f"{word} {value.value if value else 'none'}")
            theirs.append(f"{word} {recorded or 'none'}")
    if not isinstance(read.secret, Unresolved):
        mine.append(f"secret {_name(read.secret)}")
        theirs.append(f"secret {_name(mount.secret)}")
    mine.append("read-only" if read.is_read_only else "writable")
    theirs.append("read-only" if mount.is_read_only else "writable")
    return ", ".join(mine), ", ".join(theirs)


def _name(secret: SecretRef | RecordedSecret | None) -> str:
    if secret is None:
        return "none"
    return secret.name or "of values"


def _image(function: Function, recorded: RecordedFunction) -> Iterator[tuple[str, str, str, str]]:
    """The only image of the function, where the text holds all of it: base, packages, commands and variables."""
    chains = function.images
    if not isinstance(chains, tuple) or len(chains) != 1 or recorded.image is None or "images" in function.recorded:
        return
    read, rendered = images.of_text(chains[0]), images.of_recording(recorded.image)
    if read is None:
        return
    if read.base is not None:
        yield "image's base", read.base, rendered.base or "none", ""
    elif read.python is not None:
        yield "image's Python", read.python, rendered.python or rendered.base or "none", ""
    for what, mine, theirs in (
        ("packages", read.packages, rendered.packages),
        ("apt packages", read.apt, rendered.apt),
        ("commands", frozenset(read.commands), frozenset(rendered.commands)),
        ("variables", _assigned(read.env), _assigned(rendered.env)),
    ):
        more = theirs - mine if what != "commands" else frozenset()  # installs are rendered as commands too
        if mine - theirs or more:
            yield f"image's {what}", _only(mine - theirs), _only(more), ""


def _assigned(env: dict[str, str]) -> frozenset[str]:
    return frozenset(f"{k}={v}" for k, v in env.items() if k != "TERMINFO_DIRS")


def _only(words: frozenset[str]) -> str:
    return ", ".join(sorted(words)) or "nothing more"
