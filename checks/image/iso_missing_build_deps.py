"""What setup.py imports is installed in a step before.

Looks at   extensions built with --no-build-isolation, and whether packaging, wheel and setuptools stand in the
           image by then: from an earlier pip command, from the base, or brought by another package.
Why        without isolation nobody installs build requirements.  setup.py stops at its first import: "No module
           named 'packaging'", then 'wheel'.  The same pip call does not count: it builds before it installs.
Before     .pip_install("torch==2.2.2").run_commands("pip install --no-build-isolation mamba-ssm==2.2.2")
After      .pip_install("torch==2.2.2", "packaging", "wheel", "setuptools", "ninja").run_commands(…)
Source     setup.py of the releases; modal base images per builder; brain-go-brr-v2 692d806b, cured in beb585ff
"""

from collections.abc import Iterator

from preflight.api import (
    Context,
    ExtInstall,
    Finding,
    Image,
    Recipe,
    Where,
    counted,
    error,
    insert_link,
    missing_before,
    names_are,
    over_images,
    rule,
    source_builds,
    warning,
)


def applies(recipe: Recipe) -> str:
    n = sum(not e.is_isolated for i in recipe.images for e in source_builds(i))
    return counted(n, "extension built without isolation", "extensions built without isolation")


def find(recipe: Recipe, context: Context) -> Iterator[Finding]:
    return over_images(recipe, context, look)


def look(recipe: Recipe, context: Context, image: Image) -> Iterator[Finding]:
    places: dict[Where, tuple[list[ExtInstall], dict[str, bool]]] = {}
    for ext in source_builds(image):
        missing = {} if ext.is_isolated else missing_before(ext, context.builder)
        if missing:
            found, all_missing = places.setdefault(ext.where, ([], {}))
            found.append(ext)
            all_missing.update(missing)
    for where, (found, missing) in places.items():
        say = error if any(missing.values()) else warning
        listed = " and ".join(missing) + (" is" if len(missing) == 1 else " are")
        packages = ", ".join(f'"{m}"' for m in (*missing, "ninja"))
        yield say(
            f"{names_are(found)} built without isolation, and {listed} not installed before it",
            f"put .pip_install({packages}) before this step",
            where,
            why=f"the image build stops with: No module named '{next(iter(missing))}'",
            fix=insert_link(recipe, found[0].step, f".pip_install({packages})", is_safe=True),
        )


CHECK = rule(
    id="IMG440",
    name="iso-missing-build-deps",
    title="packaging, wheel and setuptools are there before a build without isolation",
    find=find,
    applies=applies,
    asks_builder=True,
)
