"""Isolation is switched off only for what needs it.

Looks at
    --no-build-isolation in installs of packages that all come as wheels.
Why it matters
    The flag does nothing for a wheel, and misleads the next reader.
Example
    before   .pip_install("transformers==4.57.0", extra_options="--no-build-isolation")
    after    .pip_install("transformers==4.57.0")
How to fix
    Leave the flag out.
Source
    pip's --no-build-isolation
"""

from preflight.api import Findings, Recipe, advice, app, facts, rule
from preflight.rules.subjects import PIP_INSTALLS, Install


@rule("IMG460", PIP_INSTALLS.only(lambda i: not i.pip.is_isolated, "install without isolation"))
def find(recipe: Recipe, install: Install) -> Findings:
    pip, step = install.pip, install.step
    if "--no-build-isolation" not in pip.options or not pip.packages or not pip.is_complete or pip.requirement_files:
        return
    wheels = [p.name for p in pip.packages if p.name and not p.url and facts.is_wheel_on_pypi(p.name)]
    if len(wheels) < len(pip.packages):
        return
    is_alone = step.kwargs.get("extra_options") == "--no-build-isolation"
    yield advice(
        f"--no-build-isolation does nothing for {', '.join(wheels)}: they come as wheels",
        "leave the flag out",
        app.argument_where(recipe, step, "extra_options") if step.method.endswith("pip_install") else pip.where,
        fix=app.remove_keyword(recipe, step, "extra_options", is_safe=True) if is_alone else None,
    )
