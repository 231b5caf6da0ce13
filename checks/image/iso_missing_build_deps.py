"""What setup.py imports is installed in a step before.

Looks at   extensions built with --no-build-isolation, and whether packaging, wheel and setuptools stand in the
           image by then: from an earlier pip command, from the base, or brought by another package.
Why        without isolation nobody installs build requirements.  setup.py stops at its first import: "No module
           named 'packaging'", then 'wheel'.  The same pip call does not count: it builds before it installs.
Before     .pip_install("torch==2.2.2").run_commands("pip install --no-build-isolation mamba-ssm==2.2.2")
After      .pip_install("torch==2.2.2", "packaging", "wheel", "setuptools", "ninja").run_commands(…)
Source     setup.py of the releases; modal base images per builder; brain-go-brr-v2 692d806b, cured in beb585ff
"""

from collections.abc import Iterator

from preflight.api import (
    Context,
    ExtInstall,
    Finding,
    Image,
    PipPackage,
    Recipe,
    Where,
    base_of,
    brings,
    builder,
    counted,
    error,
    insert_link,
    installs_before,
    is_known_before,
    names,
    over_images,
    python_of,
    rule,
    source_builds,
    torch_before,
    version_number,
    warning,
)

IMPORTED = ("packaging", "wheel", "setuptools")


def applies(recipe: Recipe) -> str:
    n = sum(not e.is_isolated for i in recipe.images for e in source_builds(i))
    return counted(n, "extension built without isolation", "extensions built without isolation")


def find(recipe: Recipe, context: Context) -> Iterator[Finding]:
    return over_images(recipe, context, look)


def look(recipe: Recipe, context: Context, image: Image) -> Iterator[Finding]:
    places: dict[Where, tuple[list[ExtInstall], dict[str, bool]]] = {}
    for ext in source_builds(image):
        if ext.is_isolated or not is_known_before(image, ext.n):
            continue
        missing = _missing(image, ext, context.builder)
        if missing:
            found, all_missing = places.setdefault(ext.where, ([], {}))
            found.append(ext)
            all_missing.update(missing)
    for where, (found, missing) in places.items():
        say = error if any(missing.values()) else warning
        listed = " and ".join(missing) + (" is" if len(missing) == 1 else " are")
        packages = ", ".join(f'"{m}"' for m in (*missing, "ninja"))
        yield say(
            f"{names(found)} is built without isolation, and {listed} not installed before it",
            f"put .pip_install({packages}) before this step",
            where,
            why=f"the image build stops with: No module named '{next(iter(missing))}'",
            fix=insert_link(recipe, found[0].step, f".pip_install({packages})", is_safe=True),
        )


def _missing(image: Image, ext: ExtInstall, builder_version: str | None) -> dict[str, bool]:
    """What is not there → whether that is certain."""
    base = base_of(image)
    if base is None or not (base.is_slim or (base.adds_python and base.row is not None and not base.row.holds)):
        return {}
    earlier = [p for _, i in installs_before(image, ext.n, ext.install) for p in i.packages]
    missing: dict[str, bool] = {}
    for tool in IMPORTED:
        if tool not in ext.row.build_needs or _is_in_base(tool, image, builder_version):
            continue
        if tool == "setuptools" and _torch_brings_setuptools(image, ext):
            continue
        said = {_brings(p, tool) for p in earlier}
        if True not in said:
            missing[tool] = None not in said
    return missing


def _brings(package: PipPackage, tool: str) -> bool | None:
    if package.name is None:
        return None
    if package.name == "wheel" and tool == "packaging" and package.pin and version_number(package.pin) < (0, 46):
        return False
    if package.name == tool:
        return True
    return False if tool == "setuptools" else brings(package.name, tool)


def _is_in_base(tool: str, image: Image, builder_version: str | None) -> bool:
    base, python = base_of(image), python_of(image)
    if tool == "setuptools":
        return python is None or version_number(python) < (3, 12)
    row = builder(builder_version) if builder_version else None
    if base is not None and base.is_slim:
        return tool in (row.slim if row else ("wheel",))
    return row is not None and tool in row.registry


def _torch_brings_setuptools(image: Image, ext: ExtInstall) -> bool:
    """torch requires setuptools on Python 3.12 and newer; older torch had no wheel there."""
    torch = torch_before(image, ext.n, ext.install)
    return torch.version is None or version_number(torch.version) >= (2, 4)


CHECK = rule(
    id="IMG440",
    name="iso-missing-build-deps",
    title="packaging, wheel and setuptools are there before a build without isolation",
    find=find,
    applies=applies,
)
