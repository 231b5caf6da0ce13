"""The environment that the user's top level sees: theirs, without what could act in their name.

A variable that is a secret by its name or shape keeps its name and gets a stand-in, so that code which only reads it
goes on.  HOME stays: an app may well mount a folder below it, and nothing read there can leave (the network is
closed, and of a secret only the keys are kept).
"""

from __future__ import annotations

from collections.abc import Mapping

from preflight.redact import is_secret_name, without_secrets

STAND_IN = "withheld-while-preflight-records"
KEPT = frozenset({"AWS_REGION", "AWS_DEFAULT_REGION", "MODAL_ENVIRONMENT"})
LEFT_OUT = ("MODAL_", "AWS_", "PREFLIGHT_")
PROXIES = frozenset({"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "FTP_PROXY", "NO_PROXY"})


def scrubbed(environ: Mapping[str, str], *, folder: str, builder: str, environment: str | None) -> dict[str, str]:
    """``folder`` is a fresh one for temporary files; the configuration files named in it are not there."""
    kept: dict[str, str] = {}
    for name, value in environ.items():
        upper = name.upper()
        if upper in PROXIES:
            continue
        if is_secret_name(name) and not upper.startswith("MODAL_"):
            kept[name] = STAND_IN
        elif upper in KEPT or not upper.startswith(LEFT_OUT):
            kept[name] = value if without_secrets(value) == value else STAND_IN
    kept |= {
        "MODAL_CONFIG_PATH": f"{folder}/no-modal.toml",
        "MODAL_DISABLE_API_PROXY": "1",
        "MODAL_IMAGE_BUILDER_VERSION": builder,
        "MODAL_TRACEBACK": "1",  # the user's exception itself, instead of a box around it
        "AWS_CONFIG_FILE": f"{folder}/no-aws-config",
        "AWS_SHARED_CREDENTIALS_FILE": f"{folder}/no-aws-credentials",
        "AWS_EC2_METADATA_DISABLED": "true",
        "TMPDIR": folder,
        "PYTHONDONTWRITEBYTECODE": "1",  # no __pycache__ in the user's project
        "TERM": "dumb",
        "NO_COLOR": "1",
    }
    return kept | ({"MODAL_ENVIRONMENT": environment} if environment else {})
