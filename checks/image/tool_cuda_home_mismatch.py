"""CUDA_HOME, PATH and LD_LIBRARY_PATH name the toolkit that is there.

Looks at
    /usr/local/cuda-X.Y in `.env`, against the version in the tag of the nvidia/cuda base.
Why it matters
    The folder does not exist: nvcc is not found, or libraries of another version are.
Example
    before   from_registry("nvidia/cuda:12.4.1-devel-ubuntu22.04", …).env({"CUDA_HOME": "/usr/local/cuda-12.1"})
    after    from_registry("nvidia/cuda:12.4.1-devel-ubuntu22.04", …).env({"CUDA_HOME": "/usr/local/cuda"})
How to fix
    Use `/usr/local/cuda`, which is always the toolkit of the image.
Source
    Dockerfiles of nvidia/cuda
"""

import re

from preflight.api import Findings, Link, Recipe, app, build, facts, rule, warning
from preflight.rules.subjects import STEPS

FOLDER = re.compile(r"/usr/local/cuda-(\d+\.\d+)")
VARIABLES = ("CUDA_HOME", "CUDA_PATH", "PATH", "LD_LIBRARY_PATH")
NAMING = STEPS.only(
    lambda link: any(isinstance(v, str) and "/usr/local/cuda" in v for v in link.step.env.values()),
    "step that names a CUDA folder",
)


@rule("IMG140", NAMING)
def find(recipe: Recipe, link: Link) -> Findings:
    base, step = build.base_of(link.image), link.step
    if base is None or base.cuda is None or not build.is_known_before(link.image, len(link.image.steps)):
        return
    has = facts.minor(base.cuda)
    if any(p.startswith("cuda") for p in build.apt_before(link.image, link.n)):
        return  # another toolkit may have been installed
    if any("cuda" in c.text for s in (*link.before, step) for c in s.shell):
        return
    for key, value in step.env.items():
        other = next((v for v in FOLDER.findall(value) if v != has), None) if isinstance(value, str) else None
        if key in VARIABLES and other:
            old = f"/usr/local/cuda-{other}"
            yield warning(
                f"{key} names {old}, and {base.reference} has CUDA {has}",
                "use /usr/local/cuda, which is always the one that is there",
                app.word_where(recipe, step, key),
                why="nvcc or its libraries are not found when something compiles",
                fix=app.replace_span(recipe, step.where, step.link, old, "/usr/local/cuda", is_safe=True),
            )
