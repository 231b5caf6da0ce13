"""The user's app as its text says it: what Modal would be asked for, with the line of each word.

Nothing here is guessed.  A value that the text does not decide is ``Unresolved``, with the place and
the reason; a rule that needs it stays silent.  Offsets count characters of ``Source.text``.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar, cast

from preflight.model import Where

T = TypeVar("T")


@dataclass(frozen=True)
class Span:
    """Characters ``start`` to ``end`` of the source's text."""

    start: int
    end: int


@dataclass(frozen=True)
class Known(Generic[T]):
    """A value the text decides.  ``default_of`` names the environment variable that may override it at run time."""

    value: T
    where: Where
    span: Span | None = None  # None when no single literal in the source holds it
    default_of: str = ""


@dataclass(frozen=True)
class Unresolved:
    """A value that the text does not decide, and why: ``os.environ["X"]``, a call into another library …"""

    why: str
    where: Where
    span: Span | None = None


@dataclass(frozen=True)
class Source:
    """One Python file.  ``text`` is decoded as Python decodes it (BOM, coding line), newlines as they stand."""

    path: str  # as it is shown: relative to the project where it can be
    text: str
    tree: ast.Module | None = field(repr=False, default=None, compare=False)  # None: it does not parse
    derived: dict[object, object] = field(init=False, repr=False, compare=False, default_factory=dict)

    def kept(self, key: object, make: Callable[[], T]) -> T:
        """What ``make`` derives from this file, made once however many ask; it goes when the file goes."""
        if key not in self.derived:
            self.derived[key] = make()
        return cast(T, self.derived[key])


@dataclass(frozen=True)
class Gpu:
    """One entry of ``gpu=``: upper-case type as Modal names it, without suffix; count of GPUs in a container."""

    type: str
    count: int
    written: str  # as the source has it: "h100!:8"
    where: Where
    span: Span | None = None  # of the literal, when one holds it
    default_of: str = ""  # the environment variable that may override it


@dataclass(frozen=True)
class SecretRef:
    """``name`` is None for ``Secret.from_dict`` and friends, whose keys are then ``keys`` (never values)."""

    name: str | None
    required_keys: tuple[str, ...]
    keys: tuple[str, ...]
    environment: str | None
    where: Where
    made_by: str  # "from_name", "from_dict", "from_dotenv", "from_local_environ"


@dataclass(frozen=True)
class VolumeRef:
    name: str | None
    creates_if_missing: bool
    where: Where
    kind: str = "volume"  # or "network-file-system"
    is_read_only: bool = False
    environment: str | None = None


@dataclass(frozen=True)
class BucketMount:
    bucket: Known[str] | Unresolved
    prefix: Known[str] | Unresolved | None
    endpoint_url: Known[str] | Unresolved | None
    secret: SecretRef | Unresolved | None
    has_oidc_role: bool
    is_read_only: bool
    where: Where
    is_requester_pays: bool = False
    is_path_style: bool = False


@dataclass(frozen=True)
class PipPackage:
    """One requirement as pip would be given it.  ``name`` is normalised (PEP 503); None for a bare URL or path."""

    written: str
    name: str | None
    specifier: str  # "==2.2.2", ">=2.0.0", "" when unpinned
    extras: tuple[str, ...] = ()
    url: str | None = None  # direct wheel, archive, or "git+https://…@ref"
    marker: str = ""
    is_editable: bool = False
    where: Where | None = None
    span: Span | None = None

    @property
    def pin(self) -> str | None:
        """The version of an exact pin, local part included; None otherwise."""
        s = self.specifier
        return s[2:].strip() if s.startswith("==") and "," not in s and "*" not in s else None


@dataclass(frozen=True, kw_only=True)
class PipInstall:
    """One ``pip install`` or ``uv pip install``, however it is written.

    ``options`` are the flags as written, without values that have their own field.  ``env`` are variables set
    for this command alone (``CC=gcc pip …`` or an export before it in the same shell string).
    """

    tool: str  # "pip", "uv", "poetry", "uv-sync"
    packages: tuple[PipPackage, ...]
    index_url: str | None = None
    extra_index_urls: tuple[str, ...] = ()
    find_links: tuple[str, ...] = ()
    is_isolated: bool = True  # False with --no-build-isolation or its environment variables
    is_upgrade: bool = False
    is_forced: bool = False
    is_without_deps: bool = False
    is_pre: bool = False
    options: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    requirement_files: tuple[str, ...] = ()
    is_complete: bool = True  # False: something in it is unresolved, so more packages may be installed
    where: Where
    span: Span | None = None


@dataclass(frozen=True, kw_only=True)
class ShellCommand:
    """One simple command of a shell string.  ``operator`` joins it to the next: "&&", "||", ";", "|", "" at the end."""

    words: tuple[str, ...]  # unquoted; a word with an expansion in it is kept as written
    env: Mapping[str, str] = field(default_factory=dict)
    exported: Mapping[str, str] = field(default_factory=dict)  # by earlier commands of the same string
    redirects: tuple[str, ...] = ()  # as written: ">=1.2" shows itself here
    operator: str = ""
    text: str
    where: Where
    span: Span | None = None

    @property
    def shown(self) -> str:
        """As a message names it."""
        return f"`{' '.join(self.text.split())[:60]}`"


@dataclass(frozen=True, kw_only=True)
class Written:
    """A call as it is written; its arguments are folded: str, int, float, bool, None, tuple, dict, or Unresolved inside
    them."""

    where: Where  # line and column of the name that is called
    args: tuple[object, ...] = ()
    kwargs: Mapping[str, object] = field(default_factory=dict)
    kwarg_spans: Mapping[str, Span] = field(default_factory=dict)  # of the whole `name=value`

    def given(self, name: str, position: int) -> object:
        """The argument of that keyword or at that place; None where there is neither."""
        return self.kwargs.get(name, self.args[position] if position < len(self.args) else None)


@dataclass(frozen=True, kw_only=True)
class Step(Written):
    """One link of an image's chain.  The first step is the base (``from_registry``, ``debian_slim`` …).

    ``pip`` and ``shell`` are what it runs, in order; ``apt`` the packages it asks apt for.
    """

    method: str
    call: Span | None  # from the start of the receiver to the closing parenthesis
    link: Span | None  # from the dot before the method's name to the closing parenthesis
    arg_spans: tuple[Span, ...] = ()
    pip: tuple[PipInstall, ...] = ()
    shell: tuple[ShellCommand, ...] = ()
    apt: tuple[str, ...] = ()
    env: Mapping[str, object] = field(default_factory=dict)  # of .env(): value or Unresolved
    is_repeated: bool = False  # in the body of a loop whose turns are not known
    is_complete: bool = True  # False: an argument is unresolved
    node: ast.Call | None = field(repr=False, default=None, compare=False)


@dataclass(frozen=True, kw_only=True)
class Image:
    """A linear chain.  ``variable`` is the name the chain's end is bound to, "" for an inline image.

    ``is_complete`` is False when the base or a link could not be followed: rules about what is missing
    stay silent then.  ``source`` may differ from the app's file (an image of a sibling module).
    """

    steps: tuple[Step, ...]
    variable: str
    source: Source = field(repr=False)
    where: Where
    is_complete: bool = True
    unresolved: tuple[Unresolved, ...] = ()

    @property
    def base(self) -> Step | None:
        return self.steps[0] if self.steps else None

    def pip_installs(self) -> Iterator[tuple[int, PipInstall]]:
        """Every pip command with the index of its step, in order of running."""
        for n, step in enumerate(self.steps):
            for install in step.pip:
                yield n, install


@dataclass(frozen=True, kw_only=True)
class Call(Written):
    """A call of Modal's own API anywhere in the file, by its full dotted name: ``modal.Secret.from_name``.

    Methods of App, Image, Volume … objects are named by their class: ``modal.Image.pip_install``,
    ``modal.App.function``.  Decorators are calls too; a bare decorator has ``is_bare``.
    """

    name: str
    span: Span | None
    has_spread: bool = False  # ** or * of something unresolved: more arguments than are seen
    is_bare: bool = False
    node: ast.AST | None = field(repr=False, default=None, compare=False)
    source: Source | None = field(repr=False, default=None, compare=False)  # the file that `node` and spans are of


@dataclass(frozen=True, kw_only=True)
class Function:
    """A function or class that Modal runs.  ``gpu`` holds the alternatives of a list; () means no GPU.

    ``timeout_s`` is None when not given (Modal's default is 300 s).  ``memory_mib`` and ``cpu`` are
    (request, limit); limit is None when not given.
    """

    name: str
    kind: str  # "function", "cls", "local_entrypoint"
    app: str  # the variable of the App
    where: Where
    images: tuple[Image, ...] | Unresolved | None  # several when branches differ; None: Modal's default image
    gpu: tuple[Gpu, ...] | Unresolved = ()
    timeout_s: Known[float] | Unresolved | None = None
    startup_timeout_s: Known[float] | Unresolved | None = None
    cpu: tuple[float, float | None] | Unresolved | None = None
    memory_mib: tuple[float, float | None] | Unresolved | None = None
    retries: Known[int] | Unresolved | None = None
    secrets: tuple[SecretRef | Unresolved, ...] = ()
    volumes: Mapping[str, VolumeRef | BucketMount | Unresolved] = field(default_factory=dict)
    schedule: str | None = None
    call: Call
    body: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | None = field(repr=False, default=None, compare=False)
    decorators: tuple[Call, ...] = ()  # modal.enter, modal.concurrent, modal.fastapi_endpoint … on it or its methods
    recorded: tuple[str, ...] = ()  # fields that the text leaves open and a recording of the real client has filled

    @property
    def mounts(self) -> tuple[BucketMount, ...]:
        return tuple(v for v in self.volumes.values() if isinstance(v, BucketMount))

    def mounts_at(self, *, is_read_only: bool = False) -> tuple[str, ...]:
        """The paths of its bucket mounts, or of those alone that can't be written."""
        mounts = ((path, v) for path, v in self.volumes.items() if isinstance(v, BucketMount))
        return tuple(path.rstrip("/") for path, v in mounts if v.is_read_only or not is_read_only)


@dataclass(frozen=True, kw_only=True)
class App:
    name: Known[str] | Unresolved | None
    variable: str
    where: Where
    call: Call


@dataclass(frozen=True)
class EnvironRead:
    """The app's code reads environment variable ``key``; ``by`` says how ("os.environ[...]", "boto3 client")."""

    key: str
    by: str
    is_required: bool  # a KeyError follows when it is absent
    where: Where
    inside: str = ""  # name of the function whose body reads it; "" at module level


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """One app file, read and never imported.  ``broken`` says why it could not be read: a syntax error's text."""

    source: Source
    apps: tuple[App, ...] = ()
    functions: tuple[Function, ...] = ()
    images: tuple[Image, ...] = ()  # every chain bound to a name or used inline, used or not
    calls: tuple[Call, ...] = ()
    volumes: tuple[VolumeRef, ...] = ()
    secrets: tuple[SecretRef, ...] = ()
    environ_reads: tuple[EnvironRead, ...] = ()
    unresolved: tuple[Unresolved, ...] = ()
    broken: str = ""
    broken_at: Where | None = None
    is_too_large: bool = False  # to be read: it may be right
    siblings: tuple[Source, ...] = field(default=(), repr=False)  # modules of the project that were followed
    ignores: Mapping[int, tuple[str, ...]] = field(default_factory=dict)  # line -> rules of `# preflight: ignore[…]`
    derived: dict[object, object] = field(init=False, repr=False, compare=False, default_factory=dict)  # by `kept`

    @property
    def is_modal_app(self) -> bool:
        return bool(self.apps or self.images or self.functions)

    def forget(self) -> None:
        """Drops what was derived: its parts hold each other, so that only the collector would free the trees."""
        for source in (self.source, *self.siblings):
            source.derived.clear()
        self.derived.clear()

    @property
    def makes_nothing(self) -> bool:
        """Whether every rule would pass over it: it was read, and makes no object of Modal's."""
        return not (self.broken or self.is_too_large or self.is_modal_app or self.secrets or self.volumes)
