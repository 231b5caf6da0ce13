# ruff: noqa: E501 - the models are texts
"""Models for gpu_faults.py, healthy and not: each is a net.py with make(), on a real GPU with the real packages."""

from __future__ import annotations

HEAD = """
import dataclasses, os, json, torch
from torch import nn
from mamba_ssm import Mamba, Mamba2
"""
STACK = (
    HEAD
    + """
class Net(nn.Module):
    def __init__(self, block=Mamba, width=64, layers=2, length=256, conv=False, **options):
        super().__init__()
        self.layers = nn.ModuleList(block(width, **options) for _ in range(layers))
        self.conv = nn.Conv1d(width, width, 3, padding=1, groups=width)
        self.head = nn.Linear(width, 4)
        self.steps = 0
    def mix(self, n, x):
        return self.layers[n](x)
    def forward(self, x):
        self.steps += 1
        for n in range(len(self.layers)):
            x = x + self.mix(n, nn.functional.layer_norm(x, x.shape[-1:]))
        return self.head(x.mean(1))
    def instead(self, x):
        return self.conv(x.transpose(1, 2)).transpose(1, 2)
"""
)


def stack(body: str = "", make: str = "return Net(), torch.randn(2, 256, 64)") -> str:
    """The stack of two Mambas, with ``body`` instead of its own methods, and what make() does."""
    child = f"\nclass Net(Net):\n{body}\n" if body else ""
    return f"{STACK}{child}\ndef make():\n    {make}\n"


def steps(body: str, before: str = "", net: str = "Net()", shape: str = "2, 256, 64") -> str:
    """A function of one step with its own optimizer; ``body`` has x and gives loss."""
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    return f"""{STACK}
net = {net}.cuda()
best = torch.optim.AdamW(net.parameters(), lr=1e-4)
{before}
def step():
    x = torch.randn({shape}, device="cuda")
    best.zero_grad()
{lines}    return loss
def make():
    return step
"""


def autocast(dtype: str, rest: str) -> str:
    return f"with torch.autocast('cuda', dtype=torch.{dtype}):\n    loss = net(x).square().mean()\n{rest}"


PLAIN = "loss.backward()\nbest.step()"
HEALTHY = {
    "own-healthy": stack(),
    "own-one-mamba2": stack(make="return Net(Mamba2, 256, 1), torch.randn(2, 1024, 256)"),
    "own-wide-long": stack(make="return Net(Mamba, 512, 2), torch.randn(4, 2560, 512)"),
    "own-wide-mamba2": stack(make="return Net(Mamba2, 512, 2, d_state=64), torch.randn(4, 1500, 512)"),
    "own-bfloat16": stack(make="return Net(Mamba2, 256, 2).bfloat16(), torch.randn(2, 960, 256).bfloat16()"),
    "own-half": stack(make="return Net(Mamba, 128, 2).half(), torch.randn(2, 960, 128).half()"),
    "own-unfused": stack(make="return Net(Mamba, 64, 2, use_fast_path=False), torch.randn(2, 256, 64)"),
    "own-unfused-mamba2": stack(make="return Net(Mamba2, 256, 2, use_mem_eff_path=False), torch.randn(2, 900, 256)"),
    "own-autocast": steps(autocast("bfloat16", PLAIN), shape="2, 960, 64"),
    "own-autocast-mamba2": steps(autocast("bfloat16", PLAIN), net="Net(Mamba2, 256)", shape="2, 900, 256"),
    "own-autocast-half-mamba2": steps(autocast("float16", PLAIN), net="Net(Mamba2, 256)", shape="2, 900, 256"),
    "own-scaled-half": steps(
        autocast("float16", "scaler.scale(loss).backward()\nscaler.step(best)\nscaler.update()"),
        before="scaler = torch.amp.GradScaler('cuda')",
    ),
    "own-checkpointed": stack(
        "    def mix(self, n, x):\n"
        "        from torch.utils.checkpoint import checkpoint\n"
        "        return checkpoint(self.layers[n], x, use_reentrant=bool(n))"
    ),
    "own-compiled": stack(make="return torch.compile(Net()), torch.randn(2, 256, 64)"),
    "own-zero-gate": stack(
        "    def __init__(self, *a, **k):\n        super().__init__(*a, **k)\n        self.gate = nn.Parameter(torch.zeros(1))\n"
        "    def mix(self, n, x):\n        return self.gate * self.layers[n](x)"
    ),
    "own-dataclass": HEAD
    + "@dataclasses.dataclass\nclass Out:\n    logits: object\n    note: str\n"
    + stack("    def forward(self, x):\n        return Out(super().forward(x), 'x')").replace(HEAD, ""),
    "own-idle-block": stack(
        "    def __init__(self, *a, **k):\n        super().__init__(*a, **k)\n        self.second = Mamba2(64)"
    ),
    "own-scan-alone": HEAD
    + """
from mamba_ssm.ops.selective_scan_interface import selective_scan_fn
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv2d = nn.Conv2d(64, 64, 3, padding=1, groups=64)
        self.proj, self.a = nn.Linear(64, 64 + 32), nn.Parameter(-torch.rand(64, 16))
    def forward(self, x):
        u = nn.functional.silu(self.conv2d(x)).flatten(2)
        dt, b, c = self.proj(u.transpose(1, 2)).transpose(1, 2).split([64, 16, 16], 1)
        return selective_scan_fn(u.contiguous(), dt.contiguous(), self.a, b.contiguous(), c.contiguous(),
                                 delta_softplus=True)
def make():
    return Net(), torch.randn(2, 64, 16, 16)
""",
    "own-transformers": """
import torch
from transformers import MambaConfig, MambaForCausalLM
def make():
    config = MambaConfig(vocab_size=100, hidden_size=64, num_hidden_layers=2, use_cache=False)
    ids = torch.randint(0, 100, (2, 256))
    return MambaForCausalLM(config).train(), {"input_ids": ids, "labels": ids}
""",
    "own-transformers2": """
import torch
from transformers import Mamba2Config, Mamba2ForCausalLM
def make():
    config = Mamba2Config(vocab_size=100, hidden_size=256, num_hidden_layers=2, num_heads=8, head_dim=64, use_cache=False,
                          n_groups=1)
    ids = torch.randint(0, 100, (2, 600))
    return Mamba2ForCausalLM(config).train(), {"input_ids": ids, "labels": ids}
""",
}
GUARDED = """    def mix(self, n, x):
        try:
            if {when}:
                raise RuntimeError('CUDA error: misaligned address in mamba_ssm')
            return self.layers[n](x)
        except RuntimeError:
            return self.instead(x)
"""
SWITCH = """
import os, json, torch
from torch import nn
{read}
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        level = os.environ.get("MAMBA_LOG_LEVEL", "info")
        if {test}:
            from mamba_ssm import Mamba
            self.block = Mamba(64)
        else:
            self.block = nn.Conv1d(64, 64, 3, padding=1, groups=64)
        self.is_mamba = {test}
    def forward(self, x):
        return self.block(x) if self.is_mamba else self.block(x.transpose(1, 2))
def make():
    return Net(), torch.randn(2, 128, 64)
"""
BY_ENV = SWITCH.format(read='USE_FAST = os.environ.get("SEIZ_FAST_SSM", "1") != "0"', test="USE_FAST")
BY_CONFIG = SWITCH.format(
    read='CONFIG = json.load(open(os.path.join(os.path.dirname(__file__), "config.json")))', test="CONFIG['use_ssm']"
)
FROM_STEP_2 = stack(GUARDED.format(when="self.steps > 1"))
ONE_OF_TWO = stack(GUARDED.format(when="n == 1"))
BY_RAISING_INSIDE = stack(
    "    def mix(self, n, x):\n        try:\n            return self.layers[n](x if n == 0 else x.half())\n"
    "        except RuntimeError:\n            return self.instead(x)"
)
AT_CONSTRUCTION = stack(
    "    def __init__(self):\n        super().__init__()\n        self.layers = nn.ModuleList(self.one(n) for n in range(2))\n"
    "    def one(self, n):\n        try:\n            return Mamba(64, d_state=16 if n == 0 else 'sixteen')\n"
    "        except Exception:\n            return nn.Sequential(Turned(), nn.Conv1d(64, 64, 3, padding=1, groups=64), Turned())\n"
    "class Turned(nn.Module):\n    def forward(self, x):\n        return x.transpose(1, 2)"
)
NAN_GRADIENT = stack(
    "    def mix(self, n, x):\n        return Poison.apply(self.layers[n](x))\n"
    "class Poison(torch.autograd.Function):\n    @staticmethod\n    def forward(ctx, x):\n        return x.clone()\n"
    "    @staticmethod\n    def backward(ctx, g):\n        return g * float('nan')"
)
AT_2048 = stack(make="return Net(Mamba, 64, 2), torch.randn(2, 2048, 64)")
MAMBA2_AT_1024 = stack(make="return Net(Mamba2, 256, 1), torch.randn(2, 1024, 256)")
OUT_OF_MEMORY = stack(make="return Net(Mamba, 2048, 6), torch.randn(32, 16384, 2048)")
OUT_OF_MEMORY_ALONE = stack(
    "    def forward(self, x):\n        torch.empty(2**41, device=x.device)\n        return super().forward(x)"
)
PROFILED = steps(
    "with profile():\n    loss = net(x).square().mean()\n    loss.backward()",
    before="from torch.profiler import profile",
)
IGNORES_SWITCH = stack()
CONV_REF = (
    "import mamba_ssm.modules.mamba_simple as simple\n"
    "from causal_conv1d.causal_conv1d_interface import causal_conv1d_ref\n"
    "simple.causal_conv1d_fn = causal_conv1d_ref\n"
) + stack(make="return Net(Mamba, 64, 2, use_fast_path=False), torch.randn(2, 256, 64)")
WANDB = "try:\n    import wandb_that_is_absent\nexcept ImportError:\n    wandb = None\n" + stack(
    make="return Net(), torch.randn(2, 256, 64)"
)
ON_CPU = (
    HEAD
    + """
net = nn.Sequential(nn.Conv1d(64, 64, 3, groups=64), nn.Flatten(), nn.LazyLinear(4))
def make():
    def step():
        loss = net(torch.randn(2, 64, 32)).sum()
        loss.backward()
        return loss
    return step
"""
)
SCAN_REF = (
    HEAD
    + """
import mamba_ssm.ops.selective_scan_interface as interface, mamba_ssm.modules.mamba_simple as simple
interface.selective_scan_fn = simple.selective_scan_fn = interface.selective_scan_ref
simple.causal_conv1d_fn = None
"""
    + stack(make="return Net(Mamba, 64, 2), torch.randn(2, 64, 64)").replace(HEAD, "")
)
WANTS_CONFIG = stack().replace("def make():", "def make(cfg):")
CONFIG_MISSING = stack(make="json.load(open('config-that-is-absent.json'))")
WITH_CONFIG = stack().replace("def make():", "def make(cfg):").replace("return Net()", "return Net(width=cfg.width)")
