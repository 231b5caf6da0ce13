"""pip's build isolation."""

import re

from preflight.api import Context, ExtInstall, Findings, Link, Recipe, advice, app, build, error, facts, rule, warning
from preflight.model import Fix
from preflight.rules.subjects import PIP_INSTALLS, SOURCE_BUILDS, STEPS, Install, in_place
from preflight.wording import is_or_are, listed

FLAG = re.compile(r"^\s*-{1,2}[A-Za-z]|^[^\s@;]+\s+-{1,2}[A-Za-z]")
PIP_STEPS = STEPS.only(lambda k: k.step.method in ("pip_install", "uv_pip_install"), "pip step")
UNISOLATED = SOURCE_BUILDS.only(lambda e: not e.is_isolated, "extension without isolation")


@rule("IMG430", SOURCE_BUILDS.by(in_place))
def iso_ext_build_isolation(recipe: Recipe, exts: list[ExtInstall]) -> Findings:
    """CUDA extensions are built without isolation.

    Looks at: CUDA extensions that pip gets as source, and --no-build-isolation in the call, the command or the
        environment.
    Why it matters: With isolation pip builds in an environment of its own. There, torch is missing ("No module named
        'torch'", "'packaging'"), or it is the newest torch: the result then fails in yours at run time with "undefined
        symbol: _ZN3c104cuda14ExchangeDeviceEa". Without isolation setup.py sees the torch of the image, and fetches the
        release wheel that fits it.
    Example:
        before   .pip_install("mamba-ssm==2.2.4")
        after    .pip_install("packaging", "wheel", "setuptools", "ninja")
                 .pip_install("mamba-ssm==2.2.4", extra_options="--no-build-isolation")
    How to fix: Install packaging, wheel, setuptools and ninja in a step before, then install with
        `extra_options="--no-build-isolation"`.
    Source: setup.py and pyproject.toml of the releases; A100-Kernel-RL e65fcade to 7e49e8b0 (five tries, given up)
    """
    found = [e for e in exts if e.is_isolated]
    if found:
        names = build.names(found)
        yield error(
            f"{names} {is_or_are(found)} installed with build isolation, where the image's torch is not seen",
            'install packaging, wheel, setuptools, ninja in a step before; then extra_options="--no-build-isolation"',
            found[0].where,
            why="the image build stops, or the extension is built for another torch and fails at run time on the GPU",
            fix=_switch_off(recipe, found),
        )


def _switch_off(recipe: Recipe, found: list[ExtInstall]) -> Fix | None:
    step, installs = found[0].step, list({id(e.install): e.install for e in found}.values())
    is_call = step.method in ("pip_install", "uv_pip_install")
    is_safe = all(  # nothing else is in these commands that the option would build in another way
        i.is_complete and all(build.classify(p)[0] is not None for p in i.packages)
        for i in (step.pip if is_call else installs)
    )
    if is_call:
        is_open = "extra_options" in step.kwargs or "**" in step.kwargs
        option = 'extra_options="--no-build-isolation"'
        return None if is_open else app.add_argument(recipe, step, option, is_safe=is_safe)
    old, new = "pip install", "pip install --no-build-isolation"
    fixes = (app.replace_span(recipe, i.where, i.span, old, new, is_safe=is_safe) for i in installs)
    return app.together(fixes, is_safe=is_safe)


@rule("IMG450", PIP_STEPS)
def iso_flag_in_package_list(recipe: Recipe, link: Link) -> Findings:
    """pip's flags are given as extra_options.

    Looks at: Strings given to `pip_install` and `uv_pip_install` that are flags, or that hold one.
    Why it matters: Since client 1.0 such a string is refused (InvalidError) when the file is loaded.
    Example:
        before   .pip_install("flash-attn==2.6.3", "--no-build-isolation")
        after    .pip_install("flash-attn==2.6.3", extra_options="--no-build-isolation")
    How to fix: Give the flag as `extra_options="…"`.
    Source: Modal client release notes 1.0.0; llm-finetuning 7baa0189
    """
    step = link.step
    flags = [s for s in app.flat(step.args) if FLAG.match(s)]
    if flags:
        yield error(
            f"{', '.join(repr(f) for f in flags)} {is_or_are(flags)} among the packages of {step.method}",
            f'give flags as extra_options="{" ".join(f.strip() for f in flags if f.lstrip().startswith("-"))}"',
            app.word_where(recipe, step, flags[0]),
            why="the client refuses the file before anything is built",
            fix=_move(recipe, step, flags),
        )


def _move(recipe: Recipe, step: app.Step, flags: list[str]) -> Fix | None:
    source = app.source_of(recipe, step.where)
    if source is None or step.kwargs or len(flags) != 1 or not flags[0].startswith("--") or " " in flags[0]:
        return None
    span = next((s for s in step.arg_spans if source.text[s.start + 1 : s.end - 1] == flags[0]), None)
    if span is None or step.arg_spans[-1] != span:
        return None
    return app.replaced(source.path, span, f'extra_options="{flags[0]}"', is_safe=True)


@rule("IMG440", UNISOLATED.by(in_place), asks_builder=True)
def iso_missing_build_deps(recipe: Recipe, exts: list[ExtInstall], context: Context) -> Findings:
    """packaging, wheel and setuptools are there before a build without isolation.

    Looks at: Extensions built with --no-build-isolation, and whether packaging, wheel and setuptools are in the image
        by then: from an earlier pip command, from the base, or brought by another package.
    Why it matters: Without isolation nobody installs build requirements. setup.py stops at its first import: "No module
        named 'packaging'", then 'wheel'. The same pip call does not count: it builds before it installs.
    Example:
        before   .pip_install("torch==2.2.2").run_commands("pip install --no-build-isolation mamba-ssm==2.2.2")
        after    .pip_install("torch==2.2.2", "packaging", "wheel", "setuptools", "ninja").run_commands(…)
    How to fix: Put `.pip_install("packaging", "wheel", "setuptools", "ninja")` before the step.
    Source: setup.py of the releases; modal base images per builder; brain-go-brr-v2 692d806b, cured in beb585ff
    """
    lacking = [(e, missing) for e in exts if (missing := build.missing_before(e, context.builder))]
    if not lacking:
        return
    found, missing = [e for e, _ in lacking], {name: sure for _, each in lacking for name, sure in each.items()}
    say = error if any(missing.values()) else warning
    packages = ", ".join(f'"{m}"' for m in (*missing, "ninja"))
    yield say(
        f"{build.names(found)} {is_or_are(found)} built without isolation, and {listed(list(missing))} "
        f"{is_or_are(missing)} not installed before it",
        f"put .pip_install({packages}) before this step",
        found[0].where,
        why=f"the image build stops with: No module named '{next(iter(missing))}'",
        fix=app.insert_link(recipe, found[0].step, f".pip_install({packages})", is_safe=True),
    )


@rule("IMG460", PIP_INSTALLS.only(lambda i: not i.pip.is_isolated, "install without isolation"))
def iso_pointless_flag(recipe: Recipe, install: Install) -> Findings:
    """Isolation is switched off only for what needs it.

    Looks at: --no-build-isolation in installs of packages that all come as wheels.
    Why it matters: The flag does nothing for a wheel, and misleads the next reader.
    Example:
        before   .pip_install("transformers==4.57.0", extra_options="--no-build-isolation")
        after    .pip_install("transformers==4.57.0")
    How to fix: Leave the flag out.
    Source: pip's --no-build-isolation
    """
    pip, step = install.pip, install.step
    if "--no-build-isolation" not in pip.options or not pip.packages or not pip.is_complete or pip.requirement_files:
        return
    wheels = [p.name for p in pip.packages if p.name and not p.url and facts.is_wheel_on_pypi(p.name)]
    if len(wheels) < len(pip.packages):
        return
    is_alone = step.kwargs.get("extra_options") == "--no-build-isolation"
    yield advice(
        f"--no-build-isolation does nothing for {', '.join(wheels)}: they come as wheels",
        "leave the flag out",
        app.argument_where(recipe, step, "extra_options") if step.method.endswith("pip_install") else pip.where,
        fix=app.remove_keyword(recipe, step, "extra_options", is_safe=True) if is_alone else None,
    )
