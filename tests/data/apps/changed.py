import textwrap
from collections import OrderedDict

import modal

app = modal.App("changed")

secrets = [modal.Secret.from_name("always")]
if unknown():
    secrets.append(modal.Secret.from_name("sometimes"))
secrets += [modal.Secret.from_name("last")]

packages = ["torch", "numpy"]
if unknown():
    packages.append("wandb")
packages.extend(["pandas"])

volumes = OrderedDict([("/data", modal.Volume.from_name("data").read_only())])
if unknown():
    volumes["/more"] = modal.Volume.from_name("more").with_mount_options(read_only=True)
if unknown():
    volumes["/data"] = modal.Volume.from_name("other")

first, *rest = ["git", "curl", "wget"]
script = textwrap.dedent(
    """\
    set -e
    pip install flash-attn --no-build-isolation
    """
)
image = (
    modal.Image.debian_slim(python_version="3.12")
    .apt_install(first, *rest)
    .pip_install(*packages)
    .pip_install([*packages, "never-read"])
    .run_commands(script, *[f"echo {n}" for n in range(2)])
)
keys = {}
if unknown():
    keys["A"] = "1"
if unknown():
    keys["B"] = "2"


@app.function(image=image, secrets=secrets, volumes=volumes, memory=1 << 12, timeout=round(1.5 * 60**2))
def go():
    pass


@app.function(secrets=[modal.Secret.from_dict(keys)])
def conditional_keys():
    pass
