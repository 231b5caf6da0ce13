"""Each step that installs the kernels ends in kernels that load.

Looks at   every pip command that installs mamba-ssm, causal-conv1d or flash-attn, and says what will become of it:
           a prebuilt wheel is fetched (which), it compiles (how long at least), it stops (with which message), it
           installs without kernels, or it installs and then fails at the import.
Why        pip says none of it beforehand: whether a wheel fits hangs on torch, its CUDA, Python, the C++ ABI, build
           isolation and nvcc together.  A wheel takes seconds and a build 5 to 60 min, and a wrong guess is told after
           15 min of image build, or on the GPU.
           Where another rule reports the cause, that rule gives the remedy, and this one stands back.  What the text
           does not say is not guessed.  A release that our tables lack is a warning: nobody has looked.
Before     .pip_install("mamba-ssm==2.2.4", extra_options="--no-build-isolation")    # torch 2.2.2+cpu
After      the same under a CUDA build of torch: prebuilt wheel mamba_ssm-2.2.4+cu12torch2.2cxx11abiFALSE-…
Source     setup.py and publish.yaml of 80 releases; pip 23 to 26; builds on one H100 machine, 2026-11-23
"""

from collections.abc import Iterator, Sequence

from preflight.api import (
    RECIPE,
    Answer,
    Check,
    Context,
    Ending,
    Finding,
    Forecast,
    Looked,
    NotApplicable,
    Recipe,
    Stage,
    error,
    foretold,
    warning,
    without_ignored,
)

NAME, ID = "whl-ext-outcome", "IMG540"


async def run(looked: Looked) -> Answer | NotApplicable:
    recipe = looked[RECIPE]
    found = foretold(recipe, looked.settings.builder)
    if not found:
        return NotApplicable(f"{recipe.source.path} installs none of mamba-ssm, causal-conv1d, flash-attn by pip")
    findings, ignored = without_ignored(_wrong(found), recipe, (NAME, ID))
    said = "; ".join(_line(f) for f in found) + (f" ({ignored} ignored in the file)" if ignored else "")
    if not findings and not all(f.is_good for f in found):
        return NotApplicable(said)  # another rule reports it, or the text does not say: not ours, and not green
    return Answer(said=said, seen={"steps": [_as_data(f) for f in found]}, findings=findings)


def find(recipe: Recipe, context: Context) -> Iterator[Finding]:
    return _wrong(foretold(recipe, context.builder))


def _wrong(found: Sequence[Forecast]) -> Iterator[Finding]:
    """What is wrong and no other rule reports."""
    for each in found:
        finding = None if each.is_good or each.told_by else _finding(each)
        if finding is not None:
            yield finding


def _finding(forecast: Forecast) -> Finding | None:
    message = f"{forecast.subject}: {forecast.said}"
    if forecast.ending is Ending.UNKNOWN:
        if not forecast.is_gap:
            return None
        return warning(
            message, forecast.remedy, forecast.where, why="a wheel takes seconds, a source build 5 to 60 min"
        )
    if forecast.ending is Ending.FAILS:
        message = f"{forecast.subject} stops the image build: {forecast.why}"
    say = error if forecast.is_certain else warning
    evidence = (forecast.log,) if forecast.log else ()
    return say(message, forecast.remedy, forecast.where, why=_cost(forecast.ending), evidence=evidence)


def _cost(ending: Ending) -> str:
    if ending is Ending.FAILS:
        return "the image build stops at this step, after torch was downloaded (3 to 5 min)"
    return "the image builds, and the import fails on the GPU"


def _line(forecast: Forecast) -> str:
    by = f" (see {forecast.told_by})" if forecast.told_by else ""
    return f"line {forecast.where.line}, {forecast.subject}: {forecast.said}{by}"


def _as_data(forecast: Forecast) -> dict[str, object]:
    return {
        "package": forecast.ext.name,
        "version": forecast.version,
        "where": str(forecast.where),
        "ending": forecast.ending.value,
        "wheel": forecast.wheel.filename if forecast.wheel else None,
        "minutes": None if forecast.minutes is None else round(forecast.minutes, 1),
        "said": forecast.said,
        "told_by": forecast.told_by or None,
    }


CHECK = Check(
    id="IMG540",
    name="whl-ext-outcome",
    title="each step that installs the kernels ends in kernels that load",
    stage=Stage.STATIC,
    needs=(RECIPE,),
    run=run,
    has_own_line=True,
)
