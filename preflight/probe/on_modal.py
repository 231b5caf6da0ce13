"""The probe on Modal, from the plan to one document a GPU.

Every check loads this module through preflight.api, so what judges a reading is imported when there is one:
its types take 45 ms to build.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from msgspec.structs import replace

from preflight.app.lookups import NoFunction, function_named
from preflight.app.model import Function, Recipe, Unresolved
from preflight.cost.estimate import Resources, estimate
from preflight.cost.rates import Rates
from preflight.diagnosis import first_cause, meaning
from preflight.probe.own_model import OwnModel, arguments, candidates, model_input, uses_half
from preflight.probe.request import DEFAULT_BLOCKS, Request, blocks_in
from preflight.problems import Problem
from preflight.remote.probe_api import AppNotLoaded, Asked, BuildFailed, launch
from preflight.settings import Settings
from preflight.toml_rows import WrongRow

if TYPE_CHECKING:
    from preflight.probe.document import Document

HOUR_S = Decimal(3600)
SHOWN_LINES = 12
CONTAINER_SOURCE = "/root"  # where Modal puts the app's own modules


@dataclass(frozen=True, kw_only=True)
class ProbePlan:
    """``gpus`` as Modal is asked for them; ``left_out`` says which are not, and what asks for them."""

    function: str
    variables: tuple[str, ...]
    gpus: tuple[str, ...]
    left_out: str
    request: Request


def plan_probe(settings: Settings, recipe: Recipe) -> ProbePlan:
    """Raises NoFunction when the app has no function whose image and GPU could be used."""
    function = function_named(recipe, settings.probe.function or settings.budget.function)
    gpus, left_out = settings.probe.gpus, ""
    if not gpus:
        gpus, left_out = _gpus_of(function, settings)
    images = function.images if isinstance(function.images, tuple) else ()
    blocks = settings.probe.blocks or blocks_in(settings.project) or DEFAULT_BLOCKS
    return ProbePlan(
        function=function.name,
        variables=tuple(i.variable for i in images if i.variable),
        gpus=gpus,
        left_out=left_out,
        request=request_for(settings, blocks, (CONTAINER_SOURCE, f"{CONTAINER_SOURCE}/src")),
    )


def _gpus_of(function: Function, settings: Settings) -> tuple[tuple[str, ...], str]:
    """One GPU of each type: a kernel launches on one as on eight.  Every one where their health is asked for."""
    give = f"preflight probe {settings.app or 'APP'} --gpu TYPE, or gpus in [tool.preflight.probe]"
    if isinstance(function.gpu, Unresolved):
        where, why = function.gpu.where, function.gpu.why
        raise NoFunction(f"which GPU {function.name} gets is not in the text ({where}: {why}); give it: {give}")
    if not function.gpu:
        raise NoFunction(f"{function.name} asks for no GPU; give one: {give}")
    several = [g.written for g in function.gpu if g.count > 1]
    if settings.probe.gpu_health or not several:
        return tuple(dict.fromkeys(g.written for g in function.gpu)), ""
    one_each = tuple(dict.fromkeys(g.written.partition(":")[0] for g in function.gpu))
    return one_each, f"one GPU of {', '.join(several)}: --gpu-health asks for all, and for the link between them"


def request_for(settings: Settings, blocks: tuple[str, ...], paths: tuple[str, ...]) -> Request:
    """What is asked of the payload; the hook is the model where no other is named.  Raises ValueError."""
    asked = settings.probe
    # without a pyproject.toml there is no project, and this folder may hold anything
    hooks = [c.name for c in candidates(settings.project) if c.is_hook] if settings.read_from else []
    model = asked.model or (hooks[0] if hooks else "")
    half = ("float16",) if settings.read_from and uses_half(settings.project) else ()
    return Request(
        blocks=blocks,
        dtypes=("float32", "bfloat16", *half),
        model=model,
        model_args=arguments(asked.model_args) if asked.model_args else None,
        model_input=model_input(asked.model_input) if asked.model_input else None,
        paths=paths if model else (),
        force_variables=(asked.fallback_env,),
        full_autotune=asked.full_autotune,
        gpu_health=asked.gpu_health,
        limit_s=asked.timeout_s,
    )


def with_candidates(document: Document, settings: Settings) -> Document:
    """The document with what the project's text shows of the model that was not run, and how to give it."""
    found = () if document.own_model.run or not settings.read_from else candidates(settings.project)
    if not found:
        return document
    own = OwnModel(candidates=found)
    return replace(document, own_model=replace(own, message=f"{own.message}; give it: {own.remedy}"))


def probe_price(plan: ProbePlan, rates: Rates) -> tuple[Decimal, str]:
    """Upper bound in dollars of every GPU for the whole limit, and what it is for.  Raises RateRefused."""
    hours = Decimal(str(plan.request.limit_s)) / HOUR_S
    usd = Decimal(0)
    for gpu in plan.gpus:
        name, _, count = gpu.partition(":")
        asked = (name.upper().rstrip("!+"), int(count) if count.isdigit() else 1)
        usd += estimate(Resources(function="probe", gpus=(asked,)), rates, hours).usd
    basis = f"{plan.request.limit_s:.0f} s of {', '.join(plan.gpus)}"
    return usd, f"{basis}; {plan.left_out}" if plan.left_out else basis


async def probe_on_modal(plan: ProbePlan, settings: Settings, say: Callable[[str], None]) -> list[Document]:
    """One of each GPU.  What kept the probe from running is a document too: could-not-run, and why."""
    from preflight.probe.document import not_run

    assert settings.app is not None  # a plan was made from the app's recipe
    asked = Asked(
        payload="preflight.probe.payload",
        app=settings.project / settings.app,
        function=plan.function,
        variables=plan.variables,
        gpus=plan.gpus,
        environment=settings.environment,
        request=plan.request.as_json(),
    )
    is_sandbox, evidence = settings.sandbox is not None, list[str]()
    try:
        readings = await launch(
            asked,
            cwd=settings.project,
            environ=settings.environ,
            build_limit_s=settings.probe.build_timeout_s,
            run_limit_s=plan.request.limit_s,
            say=say,
        )
        found = {gpu: with_candidates(judged(reading, is_sandbox), settings) for gpu, reading in readings.items()}
        return [replace(found[gpu], gpu_asked=gpu) for gpu in plan.gpus]
    except BuildFailed as e:
        cause = first_cause(e.log)
        reason = f"the image does not build: {cause.title if cause else e}"
        remedy = cause.remedy if cause else "correct the build; `modal image logs` has its log"
        evidence = cause.excerpt.splitlines() if cause else list(e.log[-SHOWN_LINES:])
    except AppNotLoaded as e:
        cause = first_cause([str(e)])
        reason = f"{e} ({cause.title})" if cause else str(e)
        remedy = cause.remedy if cause else "run `modal run` on the app: it fails the same way"
    except Problem as e:
        reason, remedy = str(e), "preflight check modal-auth"
    failed = not_run(reason, remedy, tuple(evidence), is_sandbox=is_sandbox)
    return [replace(failed, gpu_asked=gpu) for gpu in plan.gpus]


def judged(reading: object, is_sandbox: bool = False) -> Document:
    """The document of what a payload gave; one that can't be read is could-not-run, by its place."""
    from preflight.probe.document import document, not_run
    from preflight.probe.reading import parsed
    from preflight.probe.verdict import judge

    try:
        whole = parsed(reading)
    except WrongRow as e:
        return not_run(f"the reading can't be used: {e}", "run it again", is_sandbox=is_sandbox)
    return document(whole, judge(whole, meaning), is_sandbox=is_sandbox)
