"""Each step that installs the kernels ends in kernels that load.

Looks at: Every pip command that installs mamba-ssm, causal-conv1d or flash-attn, and what will become of it: a prebuilt
    wheel is fetched (which), it compiles (how long at least), it stops (with which message), it installs without
    kernels, or it installs and then fails at the import.
Why it matters: pip says none of it beforehand: which wheel fits depends on torch, its CUDA, Python, the C++ ABI, build
    isolation and nvcc together. A wheel takes seconds and a build 5 to 60 min, and a wrong guess is told after 15 min
    of image build, or on the GPU. Where another rule reports the cause, that rule gives the remedy. What the text does
    not say is not guessed: the answer is unknown, and the GPU probe on that image settles it.
Example:
    before   .pip_install("mamba-ssm==2.2.4", extra_options="--no-build-isolation")    # torch 2.2.2+cpu
    after    the same under a CUDA build of torch: prebuilt wheel mamba_ssm-2.2.4+cu12torch2.2cxx11abiFALSE-…
How to fix: Do what the message names.  `preflight init --recipe` prints a block whose kernels load.
Source: setup.py and publish.yaml of 80 releases; pip 23 to 26; builds on one H100 machine, 2026-11-23
"""

from preflight.api import BUILDER, RECIPE, Findings, Looked, build, error, warning
from preflight.build.outcome import Forecast, Outcome
from preflight.model import Answer, Check, Finding, NotApplicable, Stage, Unknown
from preflight.rules.form import builder_of, without_ignored

NAME, ID = "whl-ext-outcome", "IMG540"
AT_BUILD = "the image build stops at this step, after torch was downloaded (3 to 5 min)"
ON_GPU = "the image builds, and the import fails on the GPU"
ENDS = {
    Outcome.FAILS: ("stops the image build", AT_BUILD),
    Outcome.BROKEN: ("is installed, and fails on the GPU", ON_GPU),
    Outcome.NO_KERNELS: ("is installed without kernels", ON_GPU),
}


async def run(looked: Looked) -> Answer | NotApplicable | Unknown:
    recipe = looked[RECIPE]
    found = build.forecasts_of(recipe, builder_of(looked))
    if not found:
        return NotApplicable(f"{recipe.source.path} installs none of mamba-ssm, causal-conv1d, flash-attn by pip")
    findings, lines, steps, ignored = list[Finding](), list[str](), list[dict[str, object]](), 0
    for each in found:
        # who ignores the rule that reports the cause on that line ignores what follows from it
        kept, left = without_ignored(wrong(each), recipe, (NAME, ID, each.rule))
        findings, ignored = [*findings, *kept], ignored + left
        by = f" (see {each.rule})" if each.rule else ""
        lines.append(f"line {each.where.line}, {each.subject}: {each.text}{by}")
        steps.append(
            {
                "package": each.ext.name,
                "version": each.version,
                "where": str(each.where),
                "ending": each.outcome.value,
                "wheel": each.wheel.filename if each.wheel else None,
                "minutes": None if each.minutes is None else round(each.minutes, 1),
                "said": each.text,
                "told_by": each.rule or None,
            }
        )
    summary = "; ".join(lines) + (f" ({ignored} ignored in the file)" if ignored else "")
    if any(f.outcome is Outcome.UNKNOWN for f in found):
        # the probe runs on one image: it can settle what is open about that one
        images = [i for i in recipe.images if any(f.ext.step in i.steps for f in found)]
        question = "kernels" if len(images) == 1 else ""
        return Unknown(reason=summary, seen={"steps": steps}, findings=tuple(findings), question=question)
    return Answer(summary=summary, seen={"steps": steps}, findings=tuple(findings))


def wrong(forecast: Forecast) -> Findings:
    """What ends otherwise than well.  A cause that another rule reports is told there, and only named here."""
    subject, place = forecast.subject, forecast.where
    if forecast.outcome is Outcome.UNKNOWN and forecast.is_gap:
        why = "a wheel takes seconds, a source build 5 to 60 min"
        yield warning(f"{subject}: {forecast.text}", forecast.remedy, place, why=why)
    if forecast.outcome not in ENDS:
        return
    say = error if forecast.is_certain else warning
    what, cost = ENDS[forecast.outcome]
    if forecast.rule:
        yield say(f"{subject} {what}", f"see {forecast.rule}", place)
        return
    message = f"{subject} {what}: {forecast.why}" if forecast.log else f"{subject}: {forecast.why}"
    yield say(message, forecast.remedy, place, why=cost, evidence=(forecast.log,) if forecast.log else ())


CHECK = Check(id="IMG540", stage=Stage.STATIC, needs=(RECIPE,), tries=(BUILDER,), run=run, has_own_line=True)
