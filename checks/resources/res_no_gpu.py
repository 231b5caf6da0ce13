"""A function that uses CUDA asks for a GPU.

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
How to fix
    Add `gpu=` to the decorator, or ask `torch.cuda.is_available()` before the model is moved.
Source
    modal.com/docs/guide/gpu: no GPU unless `gpu=` asks for one.
"""

from preflight.api import Findings, Function, Recipe, app, rule, warning
from preflight.rules.subjects import FUNCTIONS, syntax

WITHOUT_GPU = FUNCTIONS.only(
    lambda f: f.gpu == () and "gpu" not in f.call.kwargs and not f.call.has_spread, "function without a GPU"
)


@rule("RES590", WITHOUT_GPU)
def find(recipe: Recipe, function: Function) -> Findings:
    use = app.cuda_use_of(function)
    if use is None or {"gpu", "**"} & app.options_given_later(recipe, function.name):
        return
    line = f"line {use.lineno}"
    if function.where.path == recipe.source.path:
        line += f": {' '.join(syntax(recipe).text(use).split())[:60]}"
    yield warning(
        f"{function.name} uses CUDA ({line}) and has no gpu=",
        'add gpu= to its decorator, such as gpu="A100-80GB"',
        function.call.where,
        why="the container has no GPU; the first CUDA call raises",
    )
