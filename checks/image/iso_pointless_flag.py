"""Build isolation is switched off only for packages that need it.

Looks at   --no-build-isolation in installs of packages that all come as wheels.
Why        it does nothing for a wheel, and misleads the next reader.
Before     .pip_install("transformers==4.57.0", extra_options="--no-build-isolation")
After      .pip_install("transformers==4.57.0")
Source     pip's --no-build-isolation
"""

from collections.abc import Iterator

from preflight.api import (
    Context,
    Finding,
    Image,
    Recipe,
    advice,
    argument_where,
    counted,
    is_wheel_on_pypi,
    over_images,
    remove_keyword,
    rule,
)


def applies(recipe: Recipe) -> str:
    return counted(
        sum(not s.is_isolated for i in recipe.images for _, s in i.pip_installs()),
        "install without isolation",
        "installs without isolation",
    )


def find(recipe: Recipe, context: Context) -> Iterator[Finding]:
    return over_images(recipe, context, look)


def look(recipe: Recipe, context: Context, image: Image) -> Iterator[Finding]:
    for n, install in image.pip_installs():
        names_ = [p.name for p in install.packages]
        if "--no-build-isolation" not in install.options or not names_ or not install.is_complete:
            continue
        if install.requirement_files or not all(
            name and not p.url and is_wheel_on_pypi(name) for name, p in zip(names_, install.packages, strict=True)
        ):
            continue
        step = image.steps[n]
        alone = step.kwargs.get("extra_options") == "--no-build-isolation"
        yield advice(
            f"--no-build-isolation does nothing for {', '.join(name for name in names_ if name)}: they come as wheels",
            "leave the flag out",
            argument_where(recipe, step, "extra_options") if step.method.endswith("pip_install") else install.where,
            fix=remove_keyword(recipe, step, "extra_options", is_safe=True) if alone else None,
        )


CHECK = rule(
    id="IMG460",
    name="iso-pointless-flag",
    title="isolation is switched off only for what needs it",
    find=find,
    applies=applies,
)
