"""The mamba-ssm kernels launch on the GPU.

Looks at
    The very image of the planned function, on each GPU it asks for: forward and backward of the blocks the app
    uses, traced while they run.  The verdict comes from the launches and from numbers compared with a plain
    reference, never from an import that succeeded.  The user's own model is run where it is given: `model` in
    [tool.preflight.probe], --model, or a function `preflight_model` in the project.
Why it matters
    Where a kernel can't launch, the library, the app's own try/except or a framework above puts a Conv1d in its
    place; training goes on for 24 hours with a model that is not a Mamba.
How to fix
    The finding names the cause: causal-conv1d absent, an extension built for another torch or GPU, a forced
    fallback.  `preflight probe` shows every block.
Source
    One H100, torch 2.11, mamba-ssm 2.3.2.post1, traced with torch.profiler (measured 2026-11-23).
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from preflight.api import RECIPE, account, cost, error, warning
from preflight.api.app import NoFunction
from preflight.changes import Group
from preflight.lookups import Looked
from preflight.model import Answer, Check, Finding, Json, NotApplicable, Price, Stage, Unknown, Where
from preflight.probe.on_modal import ProbePlan, plan_probe, probe_on_modal, probe_price
from preflight.probe.own_model import NOT_RUN

if TYPE_CHECKING:  # what judges a reading is imported when there is one
    from preflight.probe.document import Document
    from preflight.probe.health_verdict import GpuHealth

GREEN = "kernels"
UNKNOWN = "could-not-run"
OWN_MODEL = "own-model-not-run"


class CouldNotRun(RuntimeError):
    """No GPU answered: nothing is known about the kernels."""


async def price(looked: Looked) -> Price | NotApplicable:
    plan = _plan(looked)
    if isinstance(plan, NotApplicable):
        return plan
    if isinstance(plan, Unknown):
        return Price(Decimal(0), "no GPU is asked for")
    return Price(*probe_price(plan, looked[cost.CURRENT_RATES]))


async def run(looked: Looked) -> Answer | NotApplicable | Unknown:
    plan = _plan(looked)
    if not isinstance(plan, ProbePlan):
        return plan
    documents = await probe_on_modal(plan, looked.settings, looked.say)
    bad = [d for d in documents if d.verdict not in (GREEN, UNKNOWN)]
    unknown = next((d for d in documents if d.verdict == UNKNOWN), None)
    if unknown and not bad:
        evidence = f" ({'; '.join(unknown.evidence[-2:])})" if unknown.evidence else ""
        raise CouldNotRun(f"{unknown.reason}{evidence}; {unknown.remedy}")
    parts = [f"{d.gpu_asked}: {d.verdict}, {d.reason}" for d in documents]
    summary = "; ".join([*parts, *([plan.left_out] if plan.left_out else [])])
    findings = [_fault(d) for d in bad] + [_lemon(d, gpu) for d in documents for gpu in d.health if gpu["findings"]]
    seen: dict[str, Json] = {"probes": [d.as_json() for d in documents]}
    own = next((d.own_model for d in documents if not d.own_model.run), None)
    if own is not None:
        remedy = own.remedy or "preflight probe --model MODULE:CALLABLE, or a function preflight_model in the project"
        findings.append(
            warning(NOT_RUN, remedy, why="a fallback in the model's own code can't be seen in the library's blocks")
        )
        # green is not enough for the gate where this stands: it asks for the name to be accepted
        seen["accept"] = {OWN_MODEL: own.message}
    return Answer(summary=summary, seen=seen, findings=tuple(findings), spent_usd=_spent(plan, documents, looked))


def _fault(document: Document) -> Finding:
    return error(
        f"{document.gpu_asked}: {document.verdict}: {document.reason}",
        document.remedy or "preflight probe --json",
        next((Where(place.path, place.line) for place in document.where), None),
        why="24 h of A100 would train a model that is not the one you wrote",
        evidence=document.evidence,
    )


def _lemon(document: Document, gpu: GpuHealth) -> Finding:
    return (error if gpu["is_certain"] else warning)(
        f"{document.gpu_asked}: GPU {gpu['index']} ({gpu['name']}): {'; '.join(gpu['findings'])}",
        "start the run again: another container has other GPUs; preflight.guard stops a run that gets this one",
        why="a slow GPU makes every other one wait",
    )


def _plan(looked: Looked) -> ProbePlan | NotApplicable | Unknown:
    recipe = looked[RECIPE]
    installs = {p.name for i in recipe.images for _, step in i.pip_installs() for p in step.packages}
    complete = all(i.is_complete for i in recipe.images)
    given = looked.settings.probe.function or looked.settings.probe.blocks or looked.settings.probe.model
    if complete and recipe.images and "mamba-ssm" not in installs and not given:
        return NotApplicable("no image of the app installs mamba-ssm")
    try:
        return plan_probe(looked.settings, recipe)
    except NoFunction as e:
        return Unknown(reason=str(e))


def _spent(plan: ProbePlan, documents: list[Document], looked: Looked) -> Decimal | None:
    """What the containers' own seconds cost; None, the whole price, when they did not say."""
    if not all(d.seconds > 0 for d in documents):
        return None
    usd, _ = probe_price(plan, looked[cost.CURRENT_RATES])
    share = Decimal(str(max(d.seconds for d in documents))) / Decimal(str(plan.request.limit_s))
    return (usd * min(share, Decimal(1))).quantize(Decimal("0.0001"))


CHECK = Check(
    id="GPU001",
    name="gpu-probe",
    step=9,
    stage=Stage.PAID,
    needs=(account.WORKSPACE, RECIPE, cost.CURRENT_RATES),
    run=run,
    price=price,
    timeout_s=6 * 3600.0,
    settles=frozenset({"kernels"}),
    about=(Group.GPU, Group.PINS, Group.STEPS, Group.FUNCTIONS, Group.BUILDER),
)
