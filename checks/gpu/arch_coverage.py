"""A compiled wheel that the image takes from this machine fits its torch and its GPUs.

Looks at
    Wheels and libraries that `add_local_file`, `copy_local_file`, `add_local_dir` or `copy_local_dir` bring into the
    image of a function, where the file is at hand: the architectures of its GPU code against the GPUs that the
    function asks for, and its undefined symbols against the torch that the image pins.
Why it matters
    "undefined symbol" at the import, or "no kernel image is available" at the first forward: after the image was
    built and the container has begun.  Both stand in the file already.
How to fix
    Build the wheel for this torch and these GPUs, or take the one that was.  `preflight link FILE.whl` says which
    torch and which GPUs a file is for.
Source
    Symbols of the wheels of each torch in the table (`preflight facts`); CUDA: a cubin runs on its own major and a
    minor no older, PTX on anything newer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from preflight.api import RECIPE, Findings, Image, Recipe, app, build, error, facts, warning
from preflight.build.torch_in import Held
from preflight.lookups import Looked
from preflight.model import Answer, Check, Finding, NotApplicable, Stage
from preflight.rules.form import without_ignored
from preflight.wording import counted

if TYPE_CHECKING:  # what reads a library is imported when there is one
    from preflight.binary import link

METHODS = ("add_local_file", "copy_local_file", "add_local_dir", "copy_local_dir")
SUFFIXES = (".whl", ".so")
PURE = "-none-any.whl"
MOST_FILES = 20


@dataclass(frozen=True)
class AtHand:
    """A compiled file that a step of an image takes from this machine."""

    image: Image
    step: app.Step
    file: Path


async def run(looked: Looked) -> Answer | NotApplicable:
    recipe, project = looked[RECIPE], looked.settings.project
    found = list(_at_hand(recipe, project))
    if not found:
        return NotApplicable("no compiled wheel or library that the images take from this machine is at hand")
    from preflight.binary import link

    findings: dict[Finding, None] = {}
    for one in found:
        target = link.Target(_torch_of(one.image), tuple(_gpus_of(recipe, one.image)))
        for library in await asyncio.to_thread(link.link, one.file, target):
            findings.update(dict.fromkeys(_findings(library, one, target)))
    kept, ignored = without_ignored(findings, recipe, (CHECK.name, CHECK.id))
    summary = counted(len(found), "compiled file") + (f" ({ignored} ignored in the file)" if ignored else "")
    seen = {"files": [one.file.name for one in found]} | ({"ignored": ignored} if ignored else {})
    return Answer(summary=summary, seen=seen, findings=kept)


def _at_hand(recipe: Recipe, project: Path) -> Iterator[AtHand]:
    seen: set[tuple[int, Path]] = set()
    for image in recipe.images:
        for step in image.steps:
            given = step.args[0] if step.args else step.kwargs.get("local_path")
            if step.method not in METHODS or not isinstance(given, str) or "\0" in given:
                continue
            for file in _files(given, project, (project / recipe.source.path).parent):
                if (id(step), file) not in seen and len(seen) < MOST_FILES:
                    seen.add((id(step), file))
                    yield AtHand(image, step, file)


def _files(given: str, *folders: Path) -> Iterator[Path]:
    for place in (folder / given for folder in folders):
        if place.is_dir() or _is_compiled(place):
            yield from sorted(f for f in place.iterdir() if _is_compiled(f)) if place.is_dir() else [place]
            return


def _is_compiled(file: Path) -> bool:
    return file.suffix in SUFFIXES and not file.name.endswith(PURE) and file.is_file()


def _torch_of(image: Image) -> str | None:
    """The torch that the image pins, with its build; None where it is not certain."""
    torch = build.torch_at_end(image)
    if torch.held not in (Held.PINNED, Held.BASE) or torch.version is None:
        return None
    tag = "cpu" if torch.cuda == "cpu" else torch.build
    return torch.version if tag is None or "+" in torch.version else f"{torch.version}+{tag}"


def _gpus_of(recipe: Recipe, image: Image) -> Iterator[link.WantedGpu]:
    from preflight.binary import link

    names: set[str] = set()
    for function in recipe.functions:
        images = function.images if isinstance(function.images, tuple) else ()
        is_used = any(i is image or i.steps == image.steps for i in images)
        for asked in function.gpu if isinstance(function.gpu, tuple) and is_used else ():
            row = facts.gpu(asked.type)
            if row is not None and row.name not in names:
                names.add(row.name)
                yield link.WantedGpu(row.name, row.sm, function.name)


def _findings(library: link.Linked, one: AtHand, target: link.Target) -> Findings:
    from preflight.binary import link

    if library.verdict is link.Verdict.LOADS:
        return
    name = one.file.name if library.path == str(one.file) else f"{one.file.name}/{library.path.rpartition('/')[2]}"
    with_what = f" with torch {target.torch}" if target.torch else ""
    if library.verdict is link.Verdict.DOES_NOT_LOAD:
        for reason in library.reasons:
            yield error(
                f"{name} does not load{with_what}: {reason}",
                library.remedy,
                one.step.where,
                why="the import, or the first forward on the GPU, fails after the image was built",
            )
        return
    yield warning(
        f"{name} is not known to load{with_what}: {library.reasons[0]}",
        f"preflight link {one.file.name}",
        one.step.where,
    )


CHECK = Check(id="GPU002", stage=Stage.STATIC, needs=(RECIPE,), run=run)
