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

from decimal import Decimal

from preflight.api import RECIPE, account, cost, error, warning
from preflight.lookups import Looked
from preflight.model import Answer, Check, Finding, Group, NotApplicable, Price, Stage, Where
from preflight.probe.on_modal import ProbePlan, plan_probe, probe_on_modal, probe_price

GREEN = "kernels"
UNKNOWN = "could-not-run"
OWN_MODEL = "own-model-not-run"


class CouldNotRun(RuntimeError):
    """No GPU answered: nothing is known about the kernels."""


async def price(looked: Looked) -> Price | NotApplicable:
    plan = _plan(looked)
    if isinstance(plan, NotApplicable):
        return plan
    usd, basis = probe_price(plan, looked[cost.CURRENT_RATES])
    return Price(usd, basis)


async def run(looked: Looked) -> Answer | NotApplicable:
    plan = _plan(looked)
    if isinstance(plan, NotApplicable):
        return plan
    probes = await probe_on_modal(plan, looked.settings, looked.say)
    documents = [{**said, "gpu_asked": gpu} for gpu, said in probes]
    bad = [d for d in documents if d["verdict"] not in (GREEN, UNKNOWN)]
    unknown = [d for d in documents if d["verdict"] == UNKNOWN]
    if unknown and not bad:
        first = unknown[0]
        evidence = "; ".join(first.get("evidence", [])[-2:])
        raise CouldNotRun(f"{first['reason']}" + (f" ({evidence})" if evidence else "") + f"; {first['remedy']}")
    spent = _spent(plan, documents, looked)
    said = "; ".join(f"{d['gpu_asked']}: {d['verdict']}, {d['reason']}" for d in documents)
    findings = [
        error(
            f"{d['gpu_asked']}: {d['verdict']}: {d['reason']}",
            d["remedy"] or "preflight probe --json",
            Where(d["where"][0]["path"], d["where"][0]["line"]) if d["where"] else None,
            why="24 h of A100 would train a model that is not the one you wrote",
            evidence=tuple(d["evidence"]),
        )
        for d in bad
    ]
    findings += [_lemon(d, gpu) for d in documents for gpu in d["health"] if gpu["findings"]]
    seen: dict[str, object] = {"probes": documents}
    if not all(d["own_model"]["run"] for d in documents):
        own = next(d["own_model"] for d in documents if not d["own_model"]["run"])
        findings.append(_not_run(own))
        # green is not enough for the gate where this stands: it asks for the name to be accepted
        seen["accept"] = {OWN_MODEL: own["said"]}
    return Answer(said=said, seen=seen, findings=tuple(findings), spent_usd=spent)


def _not_run(own: dict[str, object]) -> Finding:
    said, _, give = str(own["said"]).partition("; give it: ")
    return warning(
        said,
        give or "preflight probe --model MODULE:CALLABLE, or a function preflight_model in the project",
        why="a fallback in the model's own code can't be seen in the library's blocks",
    )


def _lemon(document: dict[str, object], gpu: dict[str, object]) -> Finding:
    findings = gpu["findings"]
    assert isinstance(findings, list)
    return (error if gpu["is_certain"] else warning)(
        f"{document['gpu_asked']}: GPU {gpu['index']} ({gpu['name']}): {'; '.join(findings)}",
        "start the run again: another container has other GPUs; preflight.guard stops a run that gets this one",
        why="a slow GPU makes every other one wait",
    )


def _plan(looked: Looked) -> ProbePlan | NotApplicable:
    recipe = looked[RECIPE]
    installs = {p.name for i in recipe.images for _, step in i.pip_installs() for p in step.packages}
    complete = all(i.is_complete for i in recipe.images)
    asked = looked.settings.probe.function or looked.settings.probe.blocks or looked.settings.probe.model
    if complete and recipe.images and "mamba-ssm" not in installs and not asked:
        return NotApplicable("no image of the app installs mamba-ssm")
    return plan_probe(looked.settings, recipe)


def _spent(plan: ProbePlan, documents: list[dict[str, object]], looked: Looked) -> Decimal | None:
    """What the containers' own seconds cost; None, the whole price, when they did not say."""
    seconds = [d.get("seconds") for d in documents]
    if not all(isinstance(s, int | float) and s > 0 for s in seconds):
        return None
    usd, _ = probe_price(plan, looked[cost.CURRENT_RATES])
    share = Decimal(str(max(s for s in seconds if isinstance(s, int | float)))) / Decimal(str(plan.request.limit_s))
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
