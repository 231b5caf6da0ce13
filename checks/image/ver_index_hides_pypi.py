"""What PyPI holds is not asked of the PyTorch index alone.

Looks at
    `index_url=` of download.pytorch.org without an extra index, and the packages of the same call.
Why it matters
    index_url replaces PyPI.  The PyTorch index holds torch and what torch needs, not transformers:
    "No matching distribution found".
Example
    before   .pip_install("torch==2.4.1", "transformers", index_url="https://download.pytorch.org/whl/cu121")
    after    .pip_install("torch==2.4.1", "transformers", extra_index_url="https://download.pytorch.org/whl/cu121")
How to fix
    Use `extra_index_url=`, or install the package in a call of its own.
Source
    Folders of download.pytorch.org/whl
"""

from preflight.api import Findings, Recipe, app, error, facts, rule, warning
from preflight.rules.subjects import PIP_INSTALLS, Install
from preflight.wording import is_or_are

ALONE = PIP_INSTALLS.only(
    lambda i: "download.pytorch.org" in (i.pip.index_url or "") and not i.pip.extra_index_urls and not i.pip.find_links,
    "install from the PyTorch index alone",
)


@rule("IMG330", ALONE)
def find(recipe: Recipe, install: Install) -> Findings:
    pip, step = install.pip, install.step
    strangers = [p.name for p in pip.packages if p.name and not p.url and not facts.is_on_pytorch_index(p.name)]
    if not strangers:
        return
    is_certain = any(facts.is_only_on_pypi(s) for s in strangers)
    say = error if is_certain else warning
    span = step.kwarg_spans.get("index_url")
    rename = app.replace_span(recipe, step.where, span, "index_url", "extra_index_url", is_safe=True)
    yield say(
        f"{', '.join(strangers)} {is_or_are(strangers)} asked of {pip.index_url} alone, which "
        f"{'does' if is_certain else 'may'} not hold {'it' if len(strangers) == 1 else 'them'}",
        "use extra_index_url, or install it in a call of its own",
        app.argument_where(recipe, step, "index_url") if "index_url" in step.kwargs else pip.where,
        why="pip stops with: No matching distribution found",
        fix=rename if "extra_index_url" not in step.kwargs else None,
    )
