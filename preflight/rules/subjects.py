"""What rules look at: the kinds of things in an app's file, each found once for all rules, and where they stand."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

from preflight.app.model import Call, Function, Image, PipInstall, PipPackage, Recipe, ShellCommand, Span, Step
from preflight.app.places import Offsets, package_where
from preflight.app.syntax import Syntax, syntax_of
from preflight.app.uses import uses_of_modal
from preflight.build.ext_steps import ExtInstall, ext_installs
from preflight.build.images import Link, image_links, shell_strings
from preflight.build.surroundings import Base, base_of, env_before
from preflight.facts.gpus import gpu
from preflight.facts.types import GpuRow
from preflight.facts.wheels import WheelName, wheel_name
from preflight.model import Where
from preflight.rules.edits import keyword_node
from preflight.rules.form import Subject

HANDED = ("modal.App.function", "modal.App.cls", "modal.App.server")
ALSO = ("modal.Sandbox.create", "modal.Image.run_function")


def functions_of(recipe: Recipe) -> tuple[Function, ...]:
    """Functions and classes that run on Modal: no local entrypoints."""
    return tuple(f for f in recipe.functions if f.kind != "local_entrypoint")


def resource_calls(recipe: Recipe) -> tuple[Call, ...]:
    """Each call that names timeouts, GPUs, memory …, once; decorators as they were read at their own line."""
    found = {id(f.call.node): f.call for f in functions_of(recipe)}
    for call in recipe.calls:
        if call.name in (*HANDED, *ALSO) or call.name.endswith(".with_options"):
            found.setdefault(id(call.node), call)
    return tuple(sorted(found.values(), key=lambda c: c.where))


def keyword_where(recipe: Recipe, call: Call, name: str) -> Where:
    """Of ``name=value``; of the call when the keyword comes from ``**``."""
    node = keyword_node(call, name)
    return Offsets.of(call.source).where(node) if node is not None and call.source is not None else call.where


def number(value: object) -> float | None:
    """The value where it is a number that the text decides; True and False are none."""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


@dataclass(frozen=True)
class GpuText:
    """One GPU as it is asked for: type in upper case without its ``!`` or ``+``, and the text after the colon."""

    written: str
    type: str
    count: str  # "" when there is no colon
    where: Where
    span: Span | None  # of the string literal
    literal: str  # as it is written, with its quotes; "" without a span


def gpu_texts(recipe: Recipe, call: Call) -> tuple[GpuText, ...]:
    """The strings of ``gpu=``, with the literal that holds each where there is one."""
    value, node, syntax = call.kwargs.get("gpu"), keyword_node(call, "gpu"), syntax_of(recipe.source)
    values = list(value) if isinstance(value, list | tuple) else [value]
    nodes: list[ast.expr | None] = [None] * len(values)
    if node is not None:
        written = node.value.elts if isinstance(node.value, ast.List | ast.Tuple) else [node.value]
        nodes = [*written] if len(written) == len(values) else nodes
    found = []
    for each, literal in zip(values, nodes, strict=True):
        if not isinstance(each, str) or not each.strip():
            continue
        kind, _, count = each.strip().partition(":")
        where, span, text = keyword_where(recipe, call, "gpu"), None, ""
        if isinstance(literal, ast.Constant) and syntax is not None and call.where.path == recipe.source.path:
            where, span, text = syntax.where(literal), syntax.span(literal), syntax.text(literal)
        found.append(GpuText(str(each), kind.strip().upper().rstrip("!+"), count.strip(), where, span, text))
    return tuple(found)


@dataclass(frozen=True, eq=False)
class Install:
    """A pip command: one of step number ``n`` of ``image``."""

    image: Image
    n: int
    pip: PipInstall

    @property
    def step(self) -> Step:
        return self.image.steps[self.n]

    @property
    def urls(self) -> tuple[str, ...]:
        """The indexes it names."""
        return tuple(u for u in (self.pip.index_url, *self.pip.extra_index_urls) if u)

    @property
    def where(self) -> Where:
        return package_where(self.step, self.pip)


@dataclass(frozen=True, eq=False)
class Package(Install):
    """One requirement in a pip command."""

    package: PipPackage

    @property
    def name(self) -> str:
        return self.package.name or ""

    @property
    def where(self) -> Where:
        return package_where(self.step, self.pip, self.package)

    @cached_property
    def wheel(self) -> WheelName | None:
        """What a wheel's own address says."""
        return wheel_name(self.package.url) if self.package.url else None


@dataclass(frozen=True, eq=False)
class Started:
    """An image with the base that it starts from."""

    image: Image
    base: Base


@dataclass(frozen=True, eq=False)
class GpuImage:
    """An image with the GPUs of the functions that use it, as far as the text and our table name them."""

    image: Image
    gpus: tuple[GpuRow, ...]


@dataclass(frozen=True, eq=False)
class Shell:
    """Command number ``n`` of one shell string; ``earlier`` are those of the strings before it in the same step."""

    link: Link
    string: tuple[ShellCommand, ...]
    n: int
    earlier: tuple[ShellCommand, ...]

    @property
    def before(self) -> tuple[ShellCommand, ...]:
        """Those of the same step that run before it."""
        return self.earlier + self.string[: self.n]

    @property
    def command(self) -> ShellCommand:
        return self.string[self.n]


def _gpu_images(recipe: Recipe) -> Iterator[GpuImage]:
    by_end: dict[Where, list[tuple[Image, Function]]] = {}
    for function in recipe.functions:
        for image in function.images if isinstance(function.images, tuple) else ():
            by_end.setdefault(image.steps[-1].where, []).append((image, function))
    for image in recipe.images:
        rows = {
            row.name: row
            for other, f in by_end.get(image.steps[-1].where, ())
            if other is image or other.steps == image.steps
            for wanted in (f.gpu if isinstance(f.gpu, tuple) else ())
            if (row := gpu(wanted.type)) is not None
        }
        if rows:
            yield GpuImage(image, tuple(rows.values()))


def _commands(recipe: Recipe) -> Iterator[Shell]:
    for link in image_links(recipe):
        earlier: tuple[ShellCommand, ...] = ()
        for string in shell_strings(link.step):
            for n in range(len(string)):
                yield Shell(link, string, n, earlier)
            earlier += string


FILE: Subject[Recipe] = Subject(
    lambda r: [r], "line", amount=lambda files: sum(f.source.text.count("\n") + 1 for f in files)
)
MODAL_FILE: Subject[Recipe] = Subject(lambda r: [r] if r.is_modal_app and r.source.tree else [], "Modal app")
IMAGES: Subject[Image] = Subject(lambda r: r.images, "image")
BASES: Subject[Started] = Subject(
    lambda r: [Started(image, base) for image in r.images if (base := base_of(image)) is not None], "image"
)
NAMING_PYTHON = BASES.only(lambda i: i.base.python is not None and i.base.asks_python, "image with a named Python")
GPU_IMAGES: Subject[GpuImage] = Subject(_gpu_images, "image of a GPU function", lambda i: id(i.image))
STEPS: Subject[Link] = Subject(  # of each image, shared or not
    lambda r: [Link(image, n, step) for image in r.images for n, step in enumerate(image.steps)],
    "image step",
    lambda link: id(link.step),
)
LINKS: Subject[Link] = Subject(image_links, "image step")  # each once
LAYERS = LINKS.only(
    lambda k: k.step.method in ("env", "run_commands", "dockerfile_commands"), "layer of variables or commands"
)
SHELL_STRINGS: Subject[tuple[Link, tuple[ShellCommand, ...]]] = Subject(
    lambda r: [(link, string) for link in image_links(r) for string in shell_strings(link.step)], "shell string"
)
SHELL_COMMANDS: Subject[Shell] = Subject(_commands, "shell command")
PIP_INSTALLS: Subject[Install] = Subject(
    lambda r: [Install(image, n, pip) for image in r.images for n, pip in image.pip_installs()],
    "pip install",
    lambda i: id(i.pip),
)
PACKAGES: Subject[Package] = Subject(
    lambda r: [Package(i.image, i.n, i.pip, package) for i in PIP_INSTALLS.of(r) for package in i.pip.packages],
    "pip package",
    lambda p: id(p.package),
)
WHEELS = PACKAGES.only(lambda p: p.wheel, "wheel by its address")
EXT_INSTALLS: Subject[ExtInstall] = Subject(
    lambda r: [e for i in r.images for e in ext_installs(i)], "CUDA extension", lambda e: id(e.package)
)
SOURCE_BUILDS = EXT_INSTALLS.only(lambda e: not e.may_be_wheel, "extension from its source")
CALLS: Subject[Call] = Subject(lambda r: r.calls, "call of Modal's API")
IMAGE_CALLS = CALLS.only(lambda c: c.name.startswith("modal.Image."), "image step")
BUCKET_MOUNTS = CALLS.only(lambda c: c.name == "modal.CloudBucketMount", "bucket mount")
RESOURCE_CALLS: Subject[Call] = Subject(resource_calls, "request for resources")
FUNCTIONS: Subject[Function] = Subject(functions_of, "function on Modal")
OF_KNOWN_GPU = FUNCTIONS.resolved(lambda f: f.gpu)
GPU_FUNCTIONS = OF_KNOWN_GPU.only(lambda f: f.gpu, "GPU function")
GPUS: Subject[tuple[Call, GpuText]] = Subject(
    lambda r: [(call, gpu) for call in resource_calls(r) for gpu in gpu_texts(r, call)],
    "GPU",
    left_open=OF_KNOWN_GPU.left_open,
)
USES = Subject(uses_of_modal, "use of Modal's names")


def with_keyword(*names: str) -> Callable[[Call], bool]:
    """For ``CALLS.only``: calls that give one of these keywords."""
    return lambda call: any(name in call.kwargs for name in names)


def syntax(recipe: Recipe) -> Syntax:
    """The file's tree: a recipe in which there is something to look at has one."""
    found = syntax_of(recipe.source)
    assert found is not None
    return found


def env_for(ext: ExtInstall) -> dict[str, object]:
    """Variables that an extension's build sees: those set before its step, and those of its own command."""
    return {**env_before(ext.image, ext.n), **ext.install.env}


def in_place(ext: ExtInstall) -> object:
    """The key for ``SOURCE_BUILDS.by``: extensions that one pip command installs are told of once."""
    return id(ext.image), ext.where
