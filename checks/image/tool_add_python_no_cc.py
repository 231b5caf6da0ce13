"""An image with `add_python=` says which compiler to use before it compiles.

Looks at   images whose Python was added with `add_python=`, and their extensions built from source: CC or CXX
           in an `.env` before, in the shell command itself, or an apt clang.
Why        the added Python was built with clang and says so to every build: torch then runs `which clang++`.
           "Command '['which', 'clang++']' returned non-zero exit status 1".  build-essential does not help.
Before     .apt_install("build-essential").pip_install("mamba-ssm==2.3.1", …)
After      .apt_install("build-essential").env({"CC": "gcc", "CXX": "g++"}).pip_install("mamba-ssm==2.3.1", …)
Source     python-build-standalone, quirks; compiled with and without CXX=g++; brain-go-brr-v2 c8d19f3c, d8d73ffd
"""

from collections.abc import Iterator

from preflight.api import (
    FORETOLD,
    Context,
    Ending,
    ExtInstall,
    Finding,
    Image,
    Outcome,
    Recipe,
    Where,
    are_tools_known_before,
    base_of,
    counted,
    env_before,
    error,
    forecast_of,
    has_clang,
    insert_link,
    names,
    outcome_of,
    over_images,
    rule,
    source_builds,
    warning,
)

CLANG = "clang++"  # in the line that the build stops with


def applies(recipe: Recipe) -> str:
    found = [e for i in recipe.images if _adds_python(i) for e in source_builds(i)]
    return counted(len(found), "extension under add_python", "extensions under add_python")


def find(recipe: Recipe, context: Context) -> Iterator[Finding]:
    return over_images(recipe, context, look)


def look(recipe: Recipe, context: Context, image: Image) -> Iterator[Finding]:
    if not _adds_python(image):
        return
    places: dict[Where, list[ExtInstall]] = {}
    for ext in source_builds(image):
        said = {**env_before(image, ext.n), **ext.install.env}
        if {"CC", "CXX"} & said.keys() or has_clang(image, ext.n) or not are_tools_known_before(image, ext.n):
            continue
        if outcome_of(ext) is not Outcome.WHEEL and _reaches_compiler(ext, context):
            places.setdefault(ext.where, []).append(ext)
    for where, found in places.items():
        base = base_of(image)
        is_known = base is not None and base.row is not None  # another base may have a clang of its own
        is_certain = is_known and any(e.is_isolated or outcome_of(e) is Outcome.SOURCE for e in found)
        say = error if is_certain else warning
        compiles = "compiles" if is_certain else "compiles when no release wheel fits"
        yield say(
            f"{names(found)} {compiles}, and the Python of add_python asks for clang++, which is not there",
            'put .env({"CC": "gcc", "CXX": "g++"}) before this step',
            where,
            why="the image build stops at this step: `which clang++` finds nothing",
            fix=insert_link(recipe, found[0].step, '.env({"CC": "gcc", "CXX": "g++"})', is_safe=True),
        )


def _reaches_compiler(ext: ExtInstall, context: Context) -> bool:
    """An isolated build may stop before any compiler is asked for: what the forecast says holds."""
    if not ext.is_isolated or ext.name not in FORETOLD:
        return True
    forecast = forecast_of(ext, context.builder)
    return forecast.ending is Ending.SOURCE or forecast.told_by == "tool-add-python-no-cc" or CLANG in forecast.log


def _adds_python(image: Image) -> bool:
    base = base_of(image)
    return base is not None and base.adds_python


CHECK = rule(
    id="IMG100",
    name="tool-add-python-no-cc",
    title="a build under add_python is told to use gcc",
    find=find,
    applies=applies,
)
