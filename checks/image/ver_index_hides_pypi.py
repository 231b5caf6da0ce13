"""What only PyPI holds is not asked of the PyTorch index alone.

Looks at   `index_url=` of download.pytorch.org without an extra index, and the packages of the same call.
Why        index_url replaces PyPI.  The PyTorch index holds torch and what torch needs, not transformers:
           "No matching distribution found".
Before     .pip_install("torch==2.4.1", "transformers", index_url="https://download.pytorch.org/whl/cu121")
After      .pip_install("torch==2.4.1", "transformers", extra_index_url="https://download.pytorch.org/whl/cu121")
Source     folders of download.pytorch.org/whl
"""

from collections.abc import Iterator

from preflight.api import (
    Context,
    Finding,
    Image,
    Recipe,
    argument_where,
    counted,
    error,
    is_on_pytorch_index,
    is_only_on_pypi,
    over_images,
    replace_span,
    rule,
    warning,
)


def applies(recipe: Recipe) -> str:
    return counted(
        sum("download.pytorch.org" in (s.index_url or "") for i in recipe.images for _, s in i.pip_installs()),
        "install from the PyTorch index alone",
        "installs from the PyTorch index alone",
    )


def find(recipe: Recipe, context: Context) -> Iterator[Finding]:
    return over_images(recipe, context, look)


def look(recipe: Recipe, context: Context, image: Image) -> Iterator[Finding]:
    for n, install in image.pip_installs():
        url = install.index_url or ""
        if "download.pytorch.org" not in url or install.extra_index_urls or install.find_links:
            continue
        strangers = [p.name for p in install.packages if p.name and not p.url and not is_on_pytorch_index(p.name)]
        if not strangers:
            continue
        step = image.steps[n]
        say = error if any(is_only_on_pypi(s) for s in strangers) else warning
        yield say(
            f"{', '.join(strangers)} is asked of {url} alone, which {'does' if say is error else 'may'} not hold it",
            "use extra_index_url, or install it in a call of its own",
            argument_where(recipe, step, "index_url") if "index_url" in step.kwargs else install.where,
            why="pip stops with: No matching distribution found",
            fix=replace_span(
                recipe, step.where, step.kwarg_spans.get("index_url"), "index_url", "extra_index_url", is_safe=True
            )
            if "extra_index_url" not in step.kwargs
            else None,
        )


CHECK = rule(
    id="IMG330",
    name="ver-index-hides-pypi",
    title="what PyPI holds is not asked of the PyTorch index alone",
    find=find,
    applies=applies,
)
