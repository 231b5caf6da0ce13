"""Good recipes, written in different ways, broken in one place: the rule that is about it speaks, at that line.

In a row of BROKEN (recipe, old text, new text, rule) the sign ¶ stands in each line where a finding must be; it is
taken out before the file is read.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from preflight.app import reader
from preflight.app.lookups import RECIPE
from preflight.engine import builtin
from preflight.model import Finding, Severity, Stage
from preflight.settings import Settings
from preflight.testing import run_checks

RECIPES = Path(__file__).parents[1] / "data" / "rules" / "recipes"
RULES = tuple(c for c in builtin.checks() if c.stage is Stage.STATIC and RECIPE in c.needs)


@cache
def said_of(text: str) -> tuple[tuple[str, Finding], ...]:
    recipe = reader.read(RECIPES / "app.py", project=RECIPES, content=text.encode())
    settings = Settings(project=RECIPES, app="app.py")
    report = run_checks(*RULES, given={RECIPE: recipe}, settings=settings)
    assert not [r.reason for r in report.results if r.status in ("error", "blocked")]
    return tuple((r.check.name, f) for r in report.results for f in r.findings)


@pytest.mark.parametrize("recipe", ["chain", "stepwise", "shell", "helper"])
def test_the_good_recipes_have_no_error_and_no_warning(recipe: str) -> None:
    found = said_of((RECIPES / f"{recipe}.py").read_text("utf-8"))
    assert [(name, f.message) for name, f in found if f.severity is not Severity.INFO] == []


BROKEN = {
    "chain": [  # one expression, an argument a line
        (
            '"causal-conv1d==1.5.0.post8",\n        "mamba-ssm==2.2.4",\n        extra_options="--no-build-isolation",',
            '"causal-conv1d==1.5.0.post8¶",\n        "mamba-ssm==2.2.4¶",',
            "iso-ext-build-isolation",
        ),
        ('"causal-conv1d==1.5.0.post8",', '"causal-conv1d¶",', "ver-ext-unpinned"),
        ('"causal-conv1d==1.5.0.post8",\n        "mamba', '"¶mamba', "ver-mamba-no-causal-conv1d"),
        ('"causal-conv1d==1.5.0.post8"', '"causal-conv1d==1.5.2¶"', "ver-ext-torch-floor"),
        (
            '.add_local_python_source("model")',
            '.add_local_python_source("model¶")\n    .workdir("/root")',
            "ord-add-local-then-build",
        ),
        ('"torchvision==0.19.1"', '"torchvision==0.17.2¶"', "ver-torch-companion-mismatch"),
        ('"torch==2.4.1"', '"torch==2.4.7¶"', "ver-torch-not-on-index"),
        ('"torch==2.4.1"', '"torch>=2.4¶"', "ver-torch-unpinned"),
        ("timeout=24 * 60 * 60", "timeout=¶30 * 60 * 60", "res-timeout-over-max"),
        ('gpu="A100-80GB"', 'gpu="A100-80¶"', "res-gpu-unknown"),
        ('gpu="A100-80GB"', 'gpu="A100:9¶"', "res-gpu-count"),
        ('gpu="A100-80GB"', "gpu=modal.gpu.A100(size='80GB')¶", "dep-gpu-object"),
        ('gpu="A100-80GB"', 'gpu="A100-80GB",\n    memory="64GB"¶', "res-memory-unit"),
        ('gpu="A100-80GB"', 'gpu="A100-80GB",\n    container_idle_timeout=¶300', "dep-autoscaler-kwarg"),
        ('gpu="A100-80GB"', 'gpu="A100-80GB",\n    nonpreemptible=¶True', "res-nonpreemptible-gpu"),
        ('gpu="A100-80GB"', 'gpu="A100-80GB",\n    mounts=¶[]', "dep-mount-removed"),
        ('gpu="A100-80GB"', 'gpu="A100-80GB",\n    shared_volumes=¶{}', "dep-unknown-kwarg"),
        ('"/checkpoints": checkpoints', '"/checkpoints": checkpoint_volume¶', "app-undefined-name"),
        ('"/checkpoints": checkpoints', '"checkpoints¶": checkpoints', "sto-volume-path"),
        ("create_if_missing=True", "create_if_missing=True, label='a'¶", "dep-unknown-kwarg"),
        ("12.4.1-devel-ubuntu22.04", "12.4-devel-ubuntu22.04¶", "ver-cuda-tag"),
        ("12.4.1-devel-ubuntu22.04", "11.8.0-devel-ubuntu22.04¶", "tool-cuda-11"),
        ('add_python="3.11"', 'add_python="3.9"¶', "ver-python-unsupported"),
        ('add_python="3.11"', 'add_python="3.10"¶', "ver-python-eol"),
        ('add_python="3.11"', "add_python=3.11¶", "ver-python-type"),
        ('.add_local_python_source("model")', '.copy_local_dir("src", "/root/src")¶', "dep-copy-local-removed"),
    ],
    "stepwise": [  # one name, bound again and again
        (
            '"flash-attn==2.6.3", extra_options="--no-build-isolation"',
            '"flash-attn==2.6.3¶"',
            "iso-ext-build-isolation",
        ),
        (
            '"flash-attn==2.6.3", extra_options="--no-build-isolation"',
            '"flash-attn==2.6.3", "--no-build-isolation¶"',
            "iso-flag-in-package-list",
        ),
        ('image = image.env({"CXX": "g++", "CC": "gcc"})', 'image = image.env({"MAX_JOBS": 4¶})', "app-arg-type"),
        (
            'image = image.pip_install(f"torch=={TORCH}", "numpy")\n'
            'image = image.pip_install("packaging", "wheel", "ninja", "setuptools")\n'
            'image = image.pip_install("flash-attn==2.6.3"',
            'image = image.pip_install("packaging", "wheel", "ninja", "setuptools")\n'
            'image = image.pip_install(f"torch=={TORCH}", "numpy", "flash-attn==2.6.3¶"',
            "ord-ext-before-torch",
        ),
        (
            '"--no-build-isolation")',
            '"--no-build-isolation")\nimage = image.pip_install("vllm==0.6.0¶")',
            "ord-torch-changed-after-ext",
        ),
        (
            '"--no-build-isolation")',
            '"--no-build-isolation")\nimage = image.env({"MAX_JOBS¶": "4"})',
            "ord-env-after-build",
        ),
        ("timeout=8 * HOURS", "timeout=¶48 * HOURS", "res-timeout-over-max"),
        (", timeout=8 * HOURS", "¶", "res-default-timeout"),
        ('gpu=f"{GPU}:4"', 'gpu=f"{GPU}:16"¶', "res-gpu-count"),
        ('gpu=f"{GPU}:4"', 'gpu=f"{GPU}:four"¶', "res-gpu-count"),
        ('GPU = "H100"', 'GPU = "H100"\nstub = modal.Stub¶("a")', "dep-stub-removed"),
        ('"/home/me/project/src"', '"../src"¶', "app-relative-local-path"),
        ('["git", "build-essential"]', '["git", "build-essential"], force_build=True¶', "cac-force-build-left"),
        (
            'volumes={"/runs": volume}',
            'network_file_systems={"/n": modal.NetworkFileSystem.from_name("n")}¶',
            "sto-nfs-deprecated",
        ),
        (
            'modal.Volume.from_name("runs", create_if_missing=True)',
            'modal.Volume.persisted("runs")¶',
            "dep-volume-constructor",
        ),
        ('{"/runs": volume}', '{"/runs": volume, "/again": volume}¶', "sto-volume-twice"),
    ],
    "shell": [  # strings of run_commands
        ("'numpy<2' --index-url", "numpy<2¶ --index-url", "shl-unquoted-specifier"),
        (" 'numpy<2' --index-url", "¶ --index-url", "ver-numpy2-old-torch"),
        ("apt-get install -y git clang", "apt-get install git clang¶", "shl-apt-no-yes"),
        ("apt-get update && apt-get install", "¶apt-get install", "shl-apt-no-yes"),
        (" && git -C /project checkout 4f10e96c", "¶", "ver-git-unpinned"),
        ("pip install -v --no-build-isolation causal", "pip install -v¶ causal", "iso-ext-build-isolation"),
        (
            "--index-url https://download.pytorch.org/whl/cu121",
            "-f https://download.pytorch.org/whl/cu121¶",
            "ver-pytorch-find-links",
        ),
        (
            "install packaging wheel setuptools",
            "install --trusted-host mirror.example¶ packaging wheel setuptools",
            "sec-plain-index",
        ),
        ("pip install -e . --no-deps", "pip install -e . --no-deps || true¶", "shl-error-swallowed"),
        (
            '"cd /project && pip install -e . --no-deps"',
            '"cd /project¶", "pip install -e . --no-deps"',
            "shl-export-lost",
        ),
        ('"cd /project &&', '"source /env.sh¶ && cd /project &&', "shl-source-in-sh"),
        ('"cd /project &&', '"python -m venv /venv¶ && cd /project &&', "shl-venv-not-on-path"),
        ('"cd /project &&', '"nvidia-smi¶ && cd /project &&', "ord-gpu-check-at-build"),
        ('"cd /project &&', '"curl -O https://example.com/a¶ && cd /project &&', "app-missing-git"),
        ("torchvision==0.17.2", "torchvision==0.18.1¶", "ver-torch-companion-mismatch"),
        ('add_python="3.11"', 'add_python="3.10"¶', "ver-python-eol"),
        ('"nvidia/cuda:12.1.1-devel-ubuntu22.04",', '"nvidia/cuda:latest¶",', "cac-mutable-tag"),
        ("    def load(self):", "    def __init__(self):¶\n        pass\n\n    def load(self):", "dep-cls-custom-init"),
        ("scaledown_window=300", "scaledown_window=¶1", "res-autoscaler-range"),
        ("@modal.concurrent(max_inputs=4)", "@modal.build(¶)", "dep-modal-build"),
        ("    scaledown_window=300,", "    allow_concurrent_inputs=4,¶", "dep-allow-concurrent-inputs"),
        ('@app.cls(\n    image=image,\n    gpu="A100",', "@app.cls(¶\n    image=image,", "res-no-gpu"),
    ],
    "helper": [  # functions that make images, several images, addresses of wheels
        (
            "image.uv_pip_install(MAMBA)",
            'image.uv_pip_install(MAMBA, "git+https://github.com/a/b@main¶")',
            "ver-git-unpinned",
        ),
        ("image.uv_pip_install(MAMBA)", 'image.uv_pip_install("mamba-ssm==2.2.4¶")', "iso-ext-build-isolation"),
        ("image.uv_pip_install(MAMBA)", 'image.uv_pip_install("mamba-ssm==2.2.4¶")', "tool-ext-no-nvcc"),
        ('gpu=["H100", "A100-80GB"]', 'gpu=["H100", "A100-80G"]¶', "res-gpu-unknown"),
        ('key_prefix="train/"', 'key_prefix="train"¶', "sto-bucket-prefix-no-slash"),
        ("@modal.fastapi_endpoint(", "@modal.web_endpoint(¶", "dep-web-endpoint"),
        ("min_containers=0", "¶min_containers=3", "res-autoscaler-range"),
        ("min_containers=0", "¶keep_warm=0", "dep-autoscaler-kwarg"),
        ("app = modal.App(", 'f = modal.Function.lookup("a", "b")¶\napp = modal.App(', "dep-lookup-removed"),
        ('==0.115.6")', '==0.115.6").apt_install("libgl1-mesa-glx¶")', "ver-apt-gone"),
    ],
}
ELSEWHERE = {  # breaks whose finding stands at another line than the break, with the text of that line
    ("chain", '"packaging", "wheel", "setuptools", "ninja"', '"ninja"'): ("iso-missing-build-deps", '"causal-conv1d=='),
    ("chain", '{"CC": "gcc", "CXX": "g++"}', '{"MAMBA_FORCE_BUILD": "TRUE"}'): (
        "tool-add-python-no-cc",
        '"mamba-ssm==',
    ),
    ("chain", "12.4.1-devel-ubuntu22.04", "12.4.1-runtime-ubuntu22.04"): ("tool-ext-no-nvcc", '"causal-conv1d=='),
    ("chain", "12.4.1-devel-ubuntu22.04", "11.8.0-devel-ubuntu22.04"): (
        "ver-torch-base-cuda-mismatch",
        '"torch==2.4.1"',
    ),
    ("stepwise", "{CUDA}-devel-", "{CUDA}-runtime-"): ("tool-ext-no-nvcc", '"flash-attn=='),
    ("stepwise", 'GPU = "H100"', 'GPU = "T4"'): ("tool-arch-gpu-mismatch", '"flash-attn=='),
    ("stepwise", 'TORCH = "2.4.1"', 'TORCH = "2.9.1"'): ("tool-max-jobs", '"flash-attn=='),
    ("shell", "git clang ninja-build", "clang ninja-build"): ("app-missing-git", "git clone"),
    ("shell", "packaging wheel setuptools", "setuptools"): ("iso-missing-build-deps", "causal-conv1d==1.4.0"),
    ("helper", 'torch: str = "2.5.1"', 'torch: str = "2.4.1"'): ("whl-torch-mismatch", '"https://github.com/Dao-AILab'),
    ("helper", "ssm-2.2.4+cu12torch2.5cxx11abiFALSE", "ssm-2.2.4+cu12torch2.5cxx11abiTRUE"): (
        "whl-abi-mismatch",
        "MAMBA)",
    ),
    ("helper", "ssm-2.2.4+cu12torch2.5cxx11abiFALSE-cp311", "ssm-2.2.4+cu12torch2.5cxx11abiFALSE-cp312"): (
        "whl-python-mismatch",
        "MAMBA)",
    ),
    ("helper", "ssm-2.2.4+cu12torch", "ssm-2.2.4+cu11torch"): ("whl-cuda-mismatch", "MAMBA)"),
    ("helper", '"eeg-data",', '"s3://eeg-data",'): ("sto-bucket-name", "modal.CloudBucketMount("),
    ("helper", "    secret=modal.Secret.from_name(", "    oidc=modal.Secret.from_name("): (
        "sto-bucket-no-secret",
        "modal.CloudBucketMount(",
    ),
}


def _lines_of(text: str, rule: str) -> list[int]:
    return sorted({f.where.line for name, f in said_of(text) if name == rule and f.where is not None})


def _broken(recipe: str, old: str, new: str) -> str:
    text = (RECIPES / f"{recipe}.py").read_text("utf-8")
    assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {recipe}.py"
    return text.replace(old, new)


@pytest.mark.parametrize(
    ("recipe", "old", "new", "rule"),
    [(recipe, *row) for recipe, rows in BROKEN.items() for row in rows],
    ids=[f"{recipe}-{row[2]}" for recipe, rows in BROKEN.items() for row in rows],
)
def test_a_break_is_named_at_its_line(recipe: str, old: str, new: str, rule: str) -> None:
    marked = _broken(recipe, old, new)
    lines = [n for n, line in enumerate(marked.splitlines(), 1) if "¶" in line]
    assert lines and _lines_of(marked.replace("¶", ""), rule) == lines


@pytest.mark.parametrize(("change", "said"), ELSEWHERE.items(), ids=[f"{c[0]}-{s[0]}" for c, s in ELSEWHERE.items()])
def test_a_break_that_shows_elsewhere_is_named_there(change: tuple[str, str, str], said: tuple[str, str]) -> None:
    text = _broken(*change)
    lines = text.splitlines()
    found = _lines_of(text, said[0])
    assert found and said[1] in lines[found[0] - 1], [lines[n - 1] for n in found]
