"""The user's own model: a fallback is found at all three levels, with the line that chose it."""

from __future__ import annotations

import pytest

from preflight.probe.ruling import Cause, Verdict

IMPORT_GUARD = """
import torch

try:
    from mamba_ssm import Mamba2
    MAMBA_AVAILABLE = True
except ImportError:
    MAMBA_AVAILABLE = False

class Net(torch.nn.Module):
    def __init__(self):
        self.block = Mamba2(64) if MAMBA_AVAILABLE else torch.nn.Conv1d(64, 64, 3, groups=64)
    def forward(self, x):
        return self.block(x)

def make():
    return Net(), torch.randn(1, 8, 64)
"""
FORWARD_GUARD = """
import torch
from mamba_ssm import Mamba

class Net(torch.nn.Module):
    def __init__(self):
        self.mamba = Mamba(64)
        self.conv = torch.nn.Conv1d(64, 64, 3, groups=64)
    def forward(self, x):
        try:
            return self.mamba(x)
        except RuntimeError:
            return self.conv(x)

def make():
    return Net(), torch.randn(1, 8, 64)
"""
SWITCH = """
import os
import torch

class Net(torch.nn.Module):
    def __init__(self):
        if os.environ.get("USE_FALLBACK_BLOCKS", "") == "1":
            self.block = torch.nn.Conv1d(64, 64, 3, groups=64)
        else:
            from mamba_ssm import Mamba
            self.block = Mamba(64)
    def forward(self, x):
        return self.block(x)

def make():
    return Net(), torch.randn(1, 8, 64)
"""
BLOCKS = [{"block": "Mamba2", "options": {}}]


def probe_model(world, text, **request):
    world.lay("net.py", text)
    return world.probe(**{"blocks": [], "model": "net:make", "paths": [str(world.over)], **request})


def test_a_model_whose_blocks_launch_is_green_with_its_steps(world):
    judged = probe_model(world, IMPORT_GUARD)
    assert judged.verdict is Verdict.KERNELS
    assert "the model net:make launched the kernels of Mamba2 in 3 steps" in judged.ruling.reason


def test_an_except_branch_around_the_import_is_named_with_file_line_and_what_it_caught(world):
    world.without("selective_scan_cuda")
    judged = probe_model(world, IMPORT_GUARD)
    assert judged.model is not None
    assert (judged.model.verdict, judged.model.cause) == (Verdict.FALLBACK, Cause.HIDDEN)
    assert judged.model.where[0].path.endswith("net.py")
    assert judged.model.where[0].line == IMPORT_GUARD.splitlines().index("except ImportError:") + 1
    assert "No module named 'selective_scan_cuda'" in judged.model.reason
    assert "1 depthwise Conv1d" in judged.model.reason


def test_an_except_branch_in_forward_hides_a_fallback_although_the_block_is_there(world):
    world.lay(
        "selective_scan_cuda.py",
        "BACKWARD = ()\ndef fwd():\n    raise RuntimeError('CUDA error: misaligned address')\n",
    )
    judged = probe_model(world, FORWARD_GUARD, blocks=BLOCKS)
    assert (judged.verdict, judged.ruling.cause) == (Verdict.FALLBACK, Cause.HIDDEN)
    assert judged.blocks[0].ruling.verdict is Verdict.KERNELS  # the library's Mamba2 itself is fine
    assert judged.ruling.where[0].line == FORWARD_GUARD.splitlines().index("        except RuntimeError:") + 1
    assert "misaligned address" in judged.ruling.reason


def test_a_switch_in_the_environment_is_named_where_it_is_read(world):
    world.environ["USE_FALLBACK_BLOCKS"] = "1"
    judged = probe_model(world, SWITCH)
    assert (judged.verdict, judged.ruling.cause) == (Verdict.FALLBACK, Cause.HIDDEN)
    line = next(n for n, text in enumerate(SWITCH.splitlines(), 1) if "USE_FALLBACK_BLOCKS" in text)
    assert (judged.ruling.where[0].line, judged.ruling.where[0].path[-6:]) == (line, "net.py")
    assert "USE_FALLBACK_BLOCKS=1" in judged.ruling.reason


def test_the_same_switch_left_off_hides_nothing(world):
    assert probe_model(world, SWITCH).verdict is Verdict.KERNELS


def test_causal_conv1d_missing_below_the_model_is_partial_and_names_the_library_line(world):
    world.has_causal_conv1d = False
    judged = probe_model(world, FORWARD_GUARD, blocks=[{"block": "Mamba", "options": {}}])
    assert judged.model is not None
    assert (judged.model.verdict, judged.model.cause) == (Verdict.PARTIAL, Cause.CONV1D_ABSENT)
    assert any(w.path.endswith("mamba_simple.py") for w in judged.model.where)


def test_a_framework_that_takes_its_slow_path_is_named_where_it_was_called(world):
    framework = """
import torch

class MambaMixer(torch.nn.Module):
    def __init__(self):
        self.conv = torch.nn.Conv1d(64, 64, 3, groups=64)
    def slow_forward(self, x):
        return self.conv(x)
    def forward(self, x):
        return self.slow_forward(x)
"""
    path = world.lay("transformers/models/mamba/modeling_mamba.py", framework)
    for folder in (path.parent, path.parent.parent, path.parent.parent.parent):
        (folder / "__init__.py").touch()
    text = "import torch\nfrom transformers.models.mamba.modeling_mamba import MambaMixer\n"
    judged = probe_model(world, text + "def make():\n    return MambaMixer(), torch.randn(1, 8, 64)\n")
    assert (judged.verdict, judged.ruling.cause) == (Verdict.FALLBACK, Cause.HIDDEN)
    line = framework.splitlines().index("        return self.slow_forward(x)") + 1
    assert [(w.path.endswith("modeling_mamba.py"), w.line) for w in judged.ruling.where] == [(True, line)]


def test_an_except_branch_that_has_nothing_to_do_with_mamba_is_not_blamed(world):
    text = SWITCH.replace(
        "import torch\n", "import torch\ntry:\n    import wandb_absent\nexcept ImportError:\n    pass\n", 1
    )
    world.environ["USE_FALLBACK_BLOCKS"] = "1"
    judged = probe_model(world, text)
    assert all("wandb" not in text for text in judged.ruling.evidence)
    assert judged.ruling.where[0].line == next(n for n, t in enumerate(text.splitlines(), 1) if "USE_FALLBACK" in t)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("def make():\n    return 3\n", "wanted (module, inputs)"),
        ("def other():\n    pass\n", "has no attribute 'make'"),
        ("import nowhere_at_all\n", "No module named 'nowhere_at_all'"),
        ("def make():\n    raise ValueError('no data here')\n", "no data here"),
    ],
)
def test_a_model_that_cannot_be_run_is_not_green_and_not_blamed_on_the_kernels(world, text, said):
    judged = probe_model(world, text)
    assert (judged.verdict, judged.ruling.cause) == (Verdict.COULD_NOT_RUN, Cause.MODEL_ERROR)
    assert said in judged.ruling.reason


def test_a_function_of_one_step_is_run_three_times(world):
    text = "import torch\nfrom mamba_ssm import Mamba\nnet = Mamba(64)\ncount = 0\n"
    text += "def step():\n    y = net(torch.randn(1, 8, 64))\n    y.backward()\n    return y\n"
    text += "def make():\n    return step\n"
    judged = probe_model(world, text)
    assert judged.verdict is Verdict.KERNELS
    assert "in 3 steps" in judged.ruling.reason


def test_a_model_that_hangs_could_not_run(world):
    judged = probe_model(world, "import time\ndef make():\n    time.sleep(60)\n", blocks=[], limit_s=2.5)
    assert (judged.verdict, judged.ruling.cause) == (Verdict.COULD_NOT_RUN, Cause.TIME_OUT)
    assert "at its construction" in judged.ruling.reason
