"""The `[tool.preflight]` table that `preflight init` writes, and how it comes into a pyproject.toml.

The file is text to us: what stands outside the table stays as it is, byte for byte, and the result is read back before
anything is written.
"""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

from preflight.app.lookups import NoFunction, function_named
from preflight.app.model import BucketMount, Function, Image, Known, Recipe, Unresolved
from preflight.build.forecast import Forecast
from preflight.build.foretell import foretold
from preflight.redact import without_secrets
from preflight.report.text import one_line
from preflight.settings import parse

HEADER = re.compile(r"^[ \t]*\[")
OURS = re.compile(r"""^[ \t]*\[{1,2}[ \t]*["']?tool["']?[ \t]*\.[ \t]*["']?preflight["']?[ \t]*[.\]]""")
LONGEST = 160


class CanNotWrite(Exception):
    """The file can't take the table; the text says why, and what to do."""


def table(recipe: Recipe) -> str:
    """The keys that the app's file can't say, as comments, and what it says, with its lines.  Ends in a newline."""
    run = _planned(recipe)
    function = _toml(run.name if run else "train")
    app = recipe.source.path
    return "\n".join(
        [
            "[tool.preflight]",
            "# Every key is optional.  Uncomment what the app's file can't say.",
            f"app = {_toml(app)}",
            '# environment = "main"          # the Modal environment; without it, the one of the profile',
            "# spend-max = 2.00              # dollars that the paid checks of one run may spend",
            '# skip = ["image-published"]    # checks to leave out, by name or id',
            "",
            *_found(recipe),
            "",
            "[tool.preflight.image-builder]",
            '# minimum = "2025.06"           # the oldest Image Builder that will do',
            "",
            "[tool.preflight.s3]             # only where the app's own CloudBucketMount does not say it",
            *_bucket(recipe),
            "",
            "[tool.preflight.budget]",
            f"# function = {function}            # the planned run; else the GPU function with the longest timeout",
            "# hours = 25                    # how long it takes",
            "# usd = 150                     # what it may cost",
            "",
            "[tool.preflight.lint]",
            '# command = "make q"            # your own quality command; it runs before anything is paid for',
            "",
            "[tool.preflight.smoke]",
            f"# command = {_toml(f'modal run {app}')}    # one epoch or less, on the GPU",
            f"# function = {function}            # the function that it calls: its GPU is priced",
            "# minutes = 15",
            "",
            "[tool.preflight.probe]",
            f"# function = {function}            # whose image and GPU are probed",
            '# model = "package.model:build" # also trace your own model',
            "",
        ]
    )


def with_table(before: bytes, text: str, *, force: bool, file: Path) -> bytes:
    """The file's bytes with the table at their end; with ``force``, without the one that was there.

    Raises CanNotWrite.
    """
    old = _read(before, file)
    given = old.get("tool")
    has_one = isinstance(given, dict) and "preflight" in given
    if has_one and not force:
        at = next((n for n, line in enumerate(_lines(before), 1) if OURS.match(line)), None)
        where = f"{file}:{at}" if at else str(file)
        raise CanNotWrite(f"{where} has a [tool.preflight] table; --force replaces it, --force --diff shows how")
    rest = _without(before) if has_one else before
    newline = "\r\n" if b"\r\n" in before else "\n"
    after = rest + (_gap(rest, newline) + text.replace("\n", newline)).encode()
    _check(old, after, file)
    return after


def _gap(rest: bytes, newline: str) -> str:
    """What makes one blank line between the rest and the table."""
    if not rest or rest.endswith((b"\n\n", b"\r\n\r\n")):
        return ""
    return newline if rest.endswith(b"\n") else newline * 2


def _read(content: bytes, file: Path) -> dict[str, object]:
    try:
        return tomllib.loads(content.decode("utf-8"))
    except UnicodeDecodeError as e:
        raise CanNotWrite(f"{file} is not UTF-8: {e}") from e
    except tomllib.TOMLDecodeError as e:
        raise CanNotWrite(f"{file} is not TOML: {e}") from e


def _check(old: dict[str, object], after: bytes, file: Path) -> None:
    """What was there reads as before, and ours can be loaded."""
    by_hand = "take the table out by hand, or write the one of `preflight init --diff` into it"
    try:
        new = tomllib.loads(after.decode("utf-8"))
    except tomllib.TOMLDecodeError as e:
        raise CanNotWrite(f"{file} can't take a [tool.preflight] table at its end ({e}); {by_hand}") from e
    ours = _take_out(new)
    _take_out(old)
    if new != old or ours is None:
        raise CanNotWrite(f"the [tool.preflight] of {file} can't be replaced without touching the rest; {by_hand}")
    parse(ours, file=file, project=file.parent)


def _take_out(document: dict[str, object]) -> object | None:
    """tool.preflight, taken out of the document; a `tool` that is empty without it goes too."""
    tool = document.get("tool")
    if not isinstance(tool, dict):
        return None
    ours: object | None = tool.pop("preflight", None)
    if not tool:
        del document["tool"]
    return ours


def _without(content: bytes) -> bytes:
    """Without the lines of our tables.  Comments that follow one after a blank line belong to what comes next."""
    kept: list[str] = []
    held: list[str] = []
    inside = False
    for line in _lines(content):
        if HEADER.match(line):
            if not OURS.match(line):
                kept += held
            inside, held = bool(OURS.match(line)), []
        if not inside:
            kept.append(line)
        elif not line.strip() or (held and line.lstrip().startswith("#")):
            held.append(line)
        else:
            held = []
    return "".join(kept).encode()


def _lines(content: bytes) -> list[str]:
    """With their ends; only a line feed ends one, as in TOML."""
    return re.findall(r"[^\n]*\n|[^\n]+", content.decode("utf-8"))


# --- what was found -------------------------------------------------------------------------------------------------


def _found(recipe: Recipe) -> list[str]:
    if recipe.broken:
        return [f"# {_comment(f'{recipe.source.path} could not be read: {recipe.broken}')}"]
    said = [f"app {_known(a.name) or a.variable}  ({a.where})" for a in recipe.apps]
    for function in recipe.functions:
        said += _function(function)
    for bucket in _buckets(recipe):
        said.append(f"bucket {_known(bucket.bucket) or 'not in the text'}  ({bucket.where})")
    names = {s.name: s for s in recipe.secrets if s.name}
    said += [f"secret {name}  ({s.where})" for name, s in names.items()]
    volumes = {v.name: v for v in recipe.volumes if v.name}
    said += [f"volume {name}  ({v.where})" for name, v in volumes.items()]
    for image in recipe.images:
        said += _image(image)
    said += [_forecast(f) for f in foretold(recipe, None)]
    if not said:
        return [f"# {_comment(recipe.source.path)} says nothing that preflight looks for."]
    shown = list(dict.fromkeys(f"#   {_comment(line)}" for line in said))
    return [f"# {_comment(recipe.source.path)} says, so no key is needed for it:", *shown]


def _function(function: Function) -> list[str]:
    if function.kind == "local_entrypoint":
        return []
    gpus = function.gpu
    gpu = "a GPU that is not in the text" if isinstance(gpus, Unresolved) else " or ".join(g.written for g in gpus)
    timeout = _known(function.timeout_s)
    parts = [p for p in (gpu, f"timeout {timeout} s" if timeout else "") if p]
    return [f"{function.kind} {function.name}: {', '.join(parts) or 'no GPU'}  ({function.where})"]


def _image(image: Image) -> list[str]:
    base = image.base
    if base is None:
        return []
    reference = next((a for a in base.args if isinstance(a, str)), base.method)
    return [f"image {image.variable or 'without a name'} from {reference}  ({base.where})"]


def _forecast(forecast: Forecast) -> str:
    return f"{forecast.subject}: {forecast.said}  ({forecast.where})"


def _bucket(recipe: Recipe) -> list[str]:
    mount = next(iter(_buckets(recipe)), None)
    bucket = _known(mount.bucket) if mount else ""
    prefix = _known(mount.prefix) if mount and mount.prefix is not None else ""
    return [
        f"# bucket = {_toml(bucket or 'my-training-data')}",
        f"# prefix = {_toml(prefix or 'data/')}",
        '# region = "us-east-1"          # the AWS_REGION that the secret holds, if it holds one',
        '# secret = "aws-s3-secret"',
    ]


def _buckets(recipe: Recipe) -> list[BucketMount]:
    found = {m.where: m for f in recipe.functions for m in f.volumes.values() if isinstance(m, BucketMount)}
    return list(found.values())


def _planned(recipe: Recipe) -> Function | None:
    try:
        return function_named(recipe, None)
    except NoFunction:
        return None


def _known(value: object) -> str:
    """ "" for what the text does not decide."""
    if isinstance(value, Known):
        number = value.value
        return f"{number:g}" if isinstance(number, float) else str(number)
    return ""


def _comment(text: str) -> str:
    line = one_line(without_secrets(text))
    return line if len(line) <= LONGEST else line[: LONGEST - 1] + "…"


def _toml(text: str) -> str:
    """A basic string: JSON's escapes are TOML's, but for DEL."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
