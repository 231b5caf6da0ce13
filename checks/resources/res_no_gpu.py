"""A function that trains on CUDA asks for a GPU.

Looks at
    Functions without `gpu=` whose body puts a model on CUDA without asking `is_available()` first, or that train
    with a launcher.  A GPU given later by `with_options` counts.
Why it matters
    The container starts without a GPU: the first CUDA call raises, after the image build and the data download.
Example
    before   @app.function(image=image)
             def train(): model.cuda()
    after    @app.function(image=image, gpu="A100-80GB")
             def train(): model.cuda()
Source
    modal.com/docs/guide/gpu: no GPU unless `gpu=` asks for one.
"""

from collections.abc import Iterator

from preflight.api import (
    Context,
    Finding,
    Function,
    Recipe,
    counted,
    cuda_use_of,
    functions_of,
    options_given_later,
    rule,
    syntax_of,
    warning,
)


def applies(recipe: Recipe) -> str:
    return counted(len(_without_gpu(recipe)), "function without a GPU", "functions without a GPU")


def find(recipe: Recipe, context: Context) -> Iterator[Finding]:
    syntax = syntax_of(recipe.source)
    for function in _without_gpu(recipe):
        use = cuda_use_of(function)
        if use is None or {"gpu", "**"} & options_given_later(recipe, function.name):
            continue
        line = f"line {use.lineno}"
        if syntax is not None and function.where.path == recipe.source.path:
            line = f"line {use.lineno}: {' '.join(syntax.text(use).split())[:60]}"
        yield warning(
            f"{function.name} uses CUDA ({line}) and has no gpu=",
            'add gpu= to its decorator, such as gpu="A100-80GB"',
            function.call.where,
            why="the container has no GPU; the first CUDA call raises",
        )


def _without_gpu(recipe: Recipe) -> list[Function]:
    return [f for f in functions_of(recipe) if f.gpu == () and "gpu" not in f.call.kwargs and not f.call.has_spread]


CHECK = rule(
    id="RES590",
    name="res-no-gpu",
    title="a function that uses CUDA asks for a GPU",
    find=find,
    applies=applies,
)
