"""A build under add_python is told to use gcc.

Looks at
    Images whose Python was added with `add_python=`, and their extensions built from source: CC or CXX in an `.env`
    before, in the shell command itself, or an apt clang.
Why it matters
    The added Python was built with clang and says so to every build: torch then runs `which clang++`.
    "Command '['which', 'clang++']' returned non-zero exit status 1".  build-essential does not help.
Example
    before   .apt_install("build-essential").pip_install("mamba-ssm==2.3.1", …)
    after    .apt_install("build-essential").env({"CC": "gcc", "CXX": "g++"}).pip_install("mamba-ssm==2.3.1", …)
How to fix
    Put `.env({"CC": "gcc", "CXX": "g++"})` before the step.
Source
    python-build-standalone, quirks; compiled with and without CXX=g++; brain-go-brr-v2 c8d19f3c, d8d73ffd
"""

from preflight.api import Context, ExtInstall, Findings, Recipe, app, build, error, rule, warning
from preflight.rules.subjects import SOURCE_BUILDS, env_for, in_place

CLANG = "clang++"  # in the line that the build stops with
LINK = '.env({"CC": "gcc", "CXX": "g++"})'
UNDER_ADDED = SOURCE_BUILDS.only(
    lambda e: (base := build.base_of(e.image)) is not None and base.adds_python, "extension under add_python"
)


@rule("IMG100", UNDER_ADDED.by(in_place), asks_builder=True)
def find(recipe: Recipe, exts: list[ExtInstall], context: Context) -> Findings:
    found = [e for e in exts if _asks_for_clang(e) and _reaches_compiler(e, context)]
    base = build.base_of(exts[0].image)
    if not found or base is None:
        return
    is_known = base.row is not None  # another base may have a clang of its own
    is_certain = is_known and any(e.is_isolated or build.outcome_of(e) is build.Outcome.SOURCE for e in found)
    say = error if is_certain else warning
    compiles = "must be compiled" if is_certain else "must be compiled when no release wheel fits"
    yield say(
        f"{build.names(found)} {compiles}, and the Python of add_python asks for clang++, which is not there",
        f"put {LINK} before this step",
        found[0].where,
        why="the image build stops at this step: `which clang++` finds nothing",
        fix=app.insert_link(recipe, found[0].step, LINK, is_safe=True),
    )


def _asks_for_clang(ext: ExtInstall) -> bool:
    if {"CC", "CXX"} & env_for(ext).keys() or build.has_clang(ext.image, ext.n):
        return False
    return build.are_tools_known_before(ext.image, ext.n) and build.outcome_of(ext) is not build.Outcome.WHEEL


def _reaches_compiler(ext: ExtInstall, context: Context) -> bool:
    """An isolated build may stop before any compiler is asked for: then the forecast names another cause."""
    if not ext.is_isolated or ext.name not in build.FORETOLD:
        return True
    forecast = build.forecast_of(ext, context.builder)
    return (
        forecast.ending is build.Ending.SOURCE or forecast.told_by == "tool-add-python-no-cc" or CLANG in forecast.log
    )
