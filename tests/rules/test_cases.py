"""Apps on which the rules once said too much or too little: the files of a review, and others of the same kinds."""

from __future__ import annotations

from pathlib import Path

import pytest

from preflight.app import reader
from preflight.app.lookups import RECIPE
from preflight.app.model import Recipe
from preflight.engine import builtin
from preflight.model import Finding, Result, Stage, Status
from preflight.settings import Settings
from preflight.testing import run_checks

CASES = Path(__file__).parents[1] / "data" / "cases" / "lint"
RULES = {c.name: c for c in builtin.checks() if c.stage is Stage.STATIC and RECIPE in c.needs}
APP = 'app = modal.App("x", image=image)\n'


def results(recipe: Recipe, project: Path, *names: str) -> dict[str, Result]:
    chosen = [RULES[n] for n in names] or list(RULES.values())
    report = run_checks(*chosen, given={RECIPE: recipe}, settings=Settings(project=project, app=recipe.source.path))
    return {r.check.name: r for r in report.results}


def of_file(name: str, *rules: str) -> dict[str, Result]:
    file = CASES / name
    return results(reader.read(file, project=CASES), CASES, *rules)


def of_text(text: str, rule: str, project: Path = CASES) -> tuple[Finding, ...]:
    recipe = reader.read(project / "case.py", project=project, content=("import modal\n" + text).encode())
    assert not recipe.broken, recipe.broken
    return results(recipe, project, rule)[rule].findings


@pytest.mark.parametrize(
    ("file", "rule", "lines"),
    [
        ("transformers5.py", "ver-ext-torch-floor", [3]),
        ("pkgd/sub/app.py", "app-path-parents-index", [4]),
        ("uncalled_builder.py", "iso-ext-build-isolation", [5]),
        ("private_keyword.py", "dep-unknown-kwarg", [3, 3, 3]),
        ("app_image_imports.py", "dep-removed-api", [4]),
        ("snapshot_enter.py", "app-snapshot-not-enabled", [9]),
        ("snapshot_enter.py", "app-undefined-name", [5]),
        ("removed_mount_module.py", "dep-mount-removed", [2]),
        ("later_install_hides_wheel.py", "whl-torch-mismatch", [4]),
        ("requirements_copied.py", "ord-ext-before-torch", [4]),
        ("secret_through_locals.py", "sec-secret-in-image-layer", [5, 5]),
    ],
)
def test_what_is_wrong_is_an_error_at_its_line(file: str, rule: str, lines: list[int]) -> None:
    result = of_file(file, rule)[rule]
    assert result.status is Status.FAIL
    assert [f.where.line for f in result.findings if f.where] == lines


@pytest.mark.parametrize(
    ("file", "rule"),
    [("later_string_of_one_step.py", "ord-torch-changed-after-ext"), ("pkgd/sub/app.py", "dep-automount")],
)
def test_what_may_hurt_is_a_warning(file: str, rule: str) -> None:
    assert of_file(file, rule)[rule].status is Status.WARN


@pytest.mark.parametrize(
    ("file", "rule"),
    [
        ("torch_index_after_accelerate.py", "ord-torch-index-after-dependents"),
        ("torch_pinned_by_vllm.py", "ver-torch-base-cuda-mismatch"),
        ("torch_pinned_by_vllm.py", "ver-torch-unpinned"),
        ("nothing_compiled.py", "ver-torch-base-cuda-mismatch"),
        ("isolated_build_no_compiler.py", "tool-add-python-no-cc"),
        ("numpy2_python38.py", "ver-numpy2-old-torch"),
        ("venv_sourced.py", "shl-venv-not-on-path"),
        ("github_ref.py", "cac-env-per-run"),
        ("helper_only_on_this_machine.py", "dep-automount"),
        ("base_may_hold_helper.py", "dep-automount"),
    ],
)
def test_what_is_right_is_not_reported(file: str, rule: str) -> None:
    assert of_file(file, rule)[rule].findings == ()


def test_a_failing_import_that_the_forecast_foretells_fails_in_both() -> None:
    both = of_file("transformers5.py", "ver-ext-torch-floor", "whl-ext-outcome")
    assert {r.status for r in both.values()} == {Status.FAIL}


SLIM = 'image = modal.Image.debian_slim(python_version="3.12")'
DEVEL = 'image = modal.Image.from_registry("nvidia/cuda:12.8.1-devel-ubuntu22.04", add_python="3.12")'
OTHERS = [  # (rule, text, how many findings)
    # an attribute, not only a call; one that the file sets itself is its own
    ("dep-removed-api", 'app = modal.App("x")\nprint(app.image)\n', 1),
    ("dep-removed-api", 'app = modal.App("x")\napp.image = 1\nprint(app.image)\n', 0),
    ("dep-removed-api", 'app = modal.App("x")\nprint(app.name)\ndef f(app):\n    return app.image\n', 0),
    ("dep-removed-api", 'vol = modal.Volume.from_name("v")\nvol.persisted_on = vol.nothing\n', 1),
    # a keyword with an underscore that the client knows
    ("dep-unknown-kwarg", 'app = modal.App("x")\n@app.function(_experimental_restrict_output=True)\ndef f(): ...\n', 0),
    ("dep-mount-removed", "from modal import mount\nx = mount.from_local_dir('.')\n", 2),
    ("dep-mount-removed", "from modal.mount import Mount\n", 1),
    ("dep-mount-removed", "import mount\nx = mount.from_local_dir('.')\n", 0),
    # annotations: evaluated, or not
    ("app-undefined-name", f"{SLIM}\n{APP}def f(x: Dataset): ...\n", 1),
    ("app-undefined-name", f"{SLIM}\n{APP}def f(x: 'Dataset'): ...\n", 0),
    ("app-undefined-name", f"from __future__ import annotations\n{SLIM}\n{APP}def f(x: Dataset): ...\n", 0),
    ("app-undefined-name", f"{SLIM.replace('3.12', '3.14')}\n{APP}def f(x: Dataset): ...\n", 0),
    ("app-undefined-name", f"{SLIM}\n{APP}def f():\n    x: Dataset = 1\n", 0),
    # the torch of a later string, of a later step, of the same command
    ("ord-torch-changed-after-ext", f'{DEVEL}.run_commands("pip install torch==2.4.1", "pip install --no-build-isolation flash-attn==2.6.3", "pip install torch==2.6.0")\n', 1),  # noqa: E501
    ("ord-torch-changed-after-ext", f'{DEVEL}.run_commands("pip install torch==2.4.1 && pip install --no-build-isolation flash-attn==2.6.3 && pip install vllm")\n', 1),  # noqa: E501
    ("ord-torch-changed-after-ext", f'{DEVEL}.run_commands("pip install vllm", "pip install --no-build-isolation flash-attn==2.6.3")\n', 0),  # noqa: E501
    # a wheel under a torch that a later package keeps, changes, or leaves
    ("whl-torch-mismatch", f'{SLIM}.pip_install("torch==2.6.0").pip_install("https://x.example/flash_attn-2.8.3+cu12torch2.6cxx11abiFALSE-cp312-cp312-linux_x86_64.whl").pip_install("vllm")\n', 0),  # noqa: E501
    # what needs a toolkit
    ("ver-torch-base-cuda-mismatch", f'{DEVEL}.pip_install("torch==2.11.0", "deepspeed")\n', 1),
    ("ver-torch-base-cuda-mismatch", f'{DEVEL}.pip_install("torch==2.11.0").run_commands("cd /x && python setup.py install")\n', 1),  # noqa: E501
    ("ver-torch-base-cuda-mismatch", f'{DEVEL}.pip_install("torch==2.11.0", "transformers")\n', 0),
    ("ver-torch-unpinned", f'{DEVEL}.pip_install("torch", "xformers==0.0.28")\n', 0),
    ("ver-torch-unpinned", f'{DEVEL}.pip_install("torch", "accelerate==1.0")\n', 1),
    ("ord-torch-index-after-dependents", f'{SLIM}.pip_install("accelerate").pip_install("torch", index_url="https://download.pytorch.org/whl/cu126")\n', 1),  # noqa: E501
    # micromamba asks the builder for a Python too
    ("ver-python-unsupported", 'image = modal.Image.micromamba(python_version="3.9")\n', 1),
    ("ver-python-unsupported", 'image = modal.Image.micromamba(python_version="3.11")\n', 0),
    # names of the environment
    ("cac-env-per-run", f'import os\n{SLIM}.env({{"B": os.environ.get("GITHUB_HEAD_REF", "")}})\n', 0),
    ("cac-env-per-run", f'import os\n{SLIM}.env({{"B": os.environ.get("GITHUB_SHA", "")}})\n', 1),
    ("sec-secret-in-image-layer", f'import os\ndef add(i, token):\n    return i.env({{"HF_TOKEN": token}})\n{SLIM}\nimage = add(image, os.environ["HF_TOKEN"])\n', 1),  # noqa: E501
    ("sec-secret-in-image-layer", f'import os\ndef add(i, token):\n    return i.env({{"HF_TOKEN": token}})\n{SLIM}\nimage = add(image, "none")\n', 0),  # noqa: E501
    ("sec-secret-in-image-layer", 'import os\ndef make():\n    key = os.getenv("WANDB_API_KEY")\n    return modal.Image.debian_slim().env({"WANDB_API_KEY": key})\nimage = make()\n', 1),  # noqa: E501
    # lookups
    ("dep-lookup-removed", 'f = modal.Function.lookup("a", "Model.run")\n', 1),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "text", "count"), OTHERS, ids=[f"{r}-{n}" for n, (r, _, _) in enumerate(OTHERS)])
def test_others_of_the_same_kinds(rule: str, text: str, count: int) -> None:
    found = of_text(text, rule)
    assert len(found) == count, [f.message for f in found]


@pytest.mark.parametrize(
    ("call", "is_fixed"),
    [
        ('modal.Function.lookup("a", "run")', True),
        ('modal.Function.lookup("a", "Model.run")', False),
        ('modal.Function.lookup("a", NAME)', None),
        ('modal.Volume.lookup("v", create_if_missing=True)', True),
        ('modal.Cls.lookup("a", "Model", workspace="w")', False),
        ('modal.Volume.lookup("v", label="v")', False),
    ],
)
def test_a_lookup_is_rewritten_only_where_from_name_takes_the_same(call: str, is_fixed: bool | None) -> None:
    [finding] = of_text(f"import os\nNAME = os.environ['N']\nx = {call}\n", "dep-lookup-removed")
    assert (finding.fix is not None and finding.fix.is_safe) is (is_fixed is True)
    assert (finding.fix is None) is (is_fixed is False)


@pytest.mark.parametrize(
    ("packages", "is_safe"), [('"flash-attn==2.6.3"', True), ('"einops", "flash-attn==2.6.3"', False)]
)
def test_isolation_is_switched_off_safely_only_where_nothing_else_is_built(packages: str, is_safe: bool) -> None:
    text = f'{DEVEL}.pip_install("torch==2.4.1").pip_install({packages})\n'
    [finding] = of_text(text, "iso-ext-build-isolation")
    assert finding.fix is not None and finding.fix.is_safe is is_safe


def test_another_python_is_never_called_safe() -> None:
    for version, rule in (("3.9", "ver-python-unsupported"), ("3.10", "ver-python-eol")):
        [finding] = of_text(f'image = modal.Image.debian_slim(python_version="{version}")\n', rule)
        assert finding.fix is not None and not finding.fix.is_safe


@pytest.mark.parametrize("folder", ["helper", "pkg/inner"])
def test_a_package_without_init_is_not_in_the_container_either(folder: str, tmp_path: Path) -> None:
    (tmp_path / folder).mkdir(parents=True)
    (tmp_path / folder / "part.py").write_text("x = 1\n")
    module = folder.replace("/", ".")
    text = f"{SLIM}\n{APP}@app.function()\ndef f():\n    from {module}.part import x\n"
    assert len(of_text(text, "dep-automount", tmp_path)) == 1


def test_a_helper_that_both_sides_call_is_reported(tmp_path: Path) -> None:
    (tmp_path / "helper.py").write_text("thing = print\n")
    text = (
        f"{SLIM}\n{APP}def both():\n    from helper import thing\n    thing()\n@app.function()\ndef f():\n    both()\n"
        "@app.local_entrypoint()\ndef main():\n    both()\n"
    )
    assert len(of_text(text, "dep-automount", tmp_path)) == 1


@pytest.mark.parametrize(
    "steps",
    [
        '.add_local_file("req/gpu.txt", "/tmp/gpu.txt", copy=True).run_commands("pip install -r /tmp/gpu.txt")',
        '.add_local_file("req/gpu.txt", "/tmp/", copy=True).run_commands("cd /tmp && pip install -r gpu.txt")',
        '.add_local_dir("req", remote_path="/req", copy=True).run_commands("uv pip install --system -r /req/gpu.txt")',
        '.dockerfile_commands("COPY req/gpu.txt /tmp/gpu.txt", "RUN pip install -r /tmp/gpu.txt")',
    ],
)
def test_a_requirement_file_that_a_step_copied_is_read(steps: str, tmp_path: Path) -> None:
    (tmp_path / "req").mkdir()
    (tmp_path / "req" / "gpu.txt").write_text("einops\nmamba-ssm\n")
    found = of_text(f"{SLIM}{steps}\n", "ver-ext-unpinned", tmp_path)
    assert [f.evidence for f in found] == [("mamba-ssm",)]


def test_a_file_of_this_machine_at_the_path_in_the_image_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "gpu.txt").write_text("mamba-ssm\n")
    assert of_text(f'{SLIM}.run_commands("pip install -r {tmp_path}/gpu.txt")\n', "ver-ext-unpinned", tmp_path) == ()


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("type Pair = (int, int", Status.FAIL),  # words of 3.12, and the image has a Python that this one covers
        ("def f(:\n    pass", Status.FAIL),
        ("try:\n    pass\nexcept ValueError, TypeError:\n    pass", Status.UNKNOWN),
        ("lazy import numpy", Status.UNKNOWN),
    ],
)
def test_the_words_of_a_newer_python_are_unknown_and_no_error(text: str, status: Status) -> None:
    asked = '# python_version="3.10"\n' if status is Status.FAIL else ""
    recipe = reader.read(CASES / "case.py", project=CASES, content=f"import modal\n{asked}{text}\n".encode())
    assert results(recipe, CASES, "app-syntax")["app-syntax"].status is status
