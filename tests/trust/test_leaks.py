"""Canaries: no form of a secret that this machine's environment holds is in what is written."""

from __future__ import annotations

import base64
import json
import shlex
from collections.abc import Callable
from urllib.parse import quote

import pytest

from preflight.redact import MASK, Redactor, is_secret_name, secrets_of, without_secrets

CANARIES = (
    "wJalrXUtnFEMI/K7MDENG+bPxRfiCYcanary01",
    "canary-" + "0123456789abcdef" * 3,
    'p"ss\\w0rd & "canary"',
    "kanári-föö-bär-秘密-0001",
    "first-canary-line\nsecond-canary-line\n",
    "IQoJb3JpZ2luX2VjEcanary\n",
)
FORMS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "json": lambda v: json.dumps({"x": v}),
    "json, not escaped": lambda v: json.dumps({"x": v}, ensure_ascii=False),
    "json in json": lambda v: json.dumps({"x": json.dumps({"y": v})}),
    "repr": lambda v: repr({"x": v}),
    "bytes": lambda v: f"Invalid header value {v.encode()!r}" if v.isascii() else v,
    "url": lambda v: f"https://x.example/?k={quote(v, safe='')}&z=1",
    "shell": lambda v: f"export X={shlex.quote(v)}",
    "upper case": str.upper,
    "hex": lambda v: v.encode().hex(),
    "base64": lambda v: base64.b64encode(v.encode()).decode(),
    "base64, shifted by one": lambda v: base64.b64encode(b"u:"[:1] + v.encode()).decode(),
    "base64, shifted by two": lambda v: base64.b64encode(b"u:" + v.encode() + b"tail").decode(),
    "coloured in the middle": lambda v: v[:6] + "\x1b[31m" + v[6:],
    "invisible in the middle": lambda v: v[:6] + "\u200b" + v[6:],
    "over two lines": lambda v: v[:6] + "\n    " + v[6:],
    "with a backslash over two lines": lambda v: v[:6] + "\\\n" + v[6:],
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("value", CANARIES)
def test_a_value_of_the_environment_is_taken_out_in_every_form(value: str, form: str) -> None:
    shown = Redactor(secrets_of({"SOME_API_KEY": value})).text(f"before {FORMS[form](value)} after")
    assert "canary" not in shown.lower() and "秘密" not in shown
    assert MASK in shown
    assert shown.startswith("before ") and shown.endswith(" after")


@pytest.mark.parametrize(
    "name",
    "HF_TOKEN AWS_SECRET_ACCESS_KEY DB_PASSWORD DEPLOY_PRIVATE_KEY GCP_CREDENTIALS_JSON TS_AUTH_KEY WANDB_API_KEY"
    " SENTRY_DSN SESSION_COOKIE aws_session_token MY_TOKEN_PROD".split(),
)
def test_names_of_secrets(name: str) -> None:
    assert is_secret_name(name)


@pytest.mark.parametrize(
    "name", "MAX_TOKENS TOKENIZERS_PARALLELISM PWD PATH KEYBOARD NUM_TOKENS PUBLIC_KEY MONKEY".split()
)
def test_names_of_no_secrets(name: str) -> None:
    assert not is_secret_name(name)


SHAPED = {
    "github_pat_" + "11ABCDEFG0" * 4: "GitHub",
    "AIza" + "SyD-9tSrke72PouQMnMX-a7eZSW0jkFMBWY": "Google",
    "xoxb-123456789012-abcdefghij": "Slack",
    "glpat-abcdefghij0123456789": "GitLab",
    "sk_live_abcdefghij0123456789": "Stripe",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl": "JWT",
    "hf_abcdefghijABCDEFGHIJabcd": "Hugging Face",
}


@pytest.mark.parametrize("text", SHAPED)
def test_a_shape_is_a_secret_wherever_it_stands(text: str) -> None:
    assert text not in without_secrets(f"got {text}, and went on")


@pytest.mark.parametrize(
    "text",
    [
        "DB_PASSWORD=hunter22",
        '"db_password": "correct-horse"',
        "password: hunter2222",
        "DEPLOY_PRIVATE_KEY=abcdefgh",
        'AWS_SESSION_TOKEN = "IQoJb3JpZ2lu"',
        "Authorization: Bearer abcdefgh",
        "https://user:hunter22@host/x",
    ],
)
def test_a_named_value_goes_and_its_name_stays(text: str) -> None:
    shown = without_secrets(text)
    assert MASK in shown and "hunter" not in shown and "horse" not in shown and "abcdefgh" not in shown
    assert "IQoJ" not in shown


@pytest.mark.parametrize(
    "text",
    [
        "plugin secrets-exist (acme_checks.secrets_exist:CHECK) does not load",
        "the secret: refused",
        "S3 secret: there is no secret aws-s3-secret",
        "commit 3b18e512dba79e4c8300dd08aeb37f8e728b8dad",
        "im-abcdefghijklmnop0123 and ap-abcdefghijklmnop0123",
        "_ZN3c104cuda14ExchangeDeviceEa",
        "token: Optional[str]",
        "https://host/path?x=1",
        "secrets=[modal.Secret.from_name('aws-s3-secret')]",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert without_secrets(text) == text


def test_a_redactor_without_values_and_of_short_values_takes_no_words_out() -> None:
    assert Redactor(secrets_of({"API_KEY": "short", "PATH": "/usr/bin"})).text("short /usr/bin") == "short /usr/bin"


def test_a_longer_secret_that_begins_with_another_leaves_no_tail() -> None:
    short, long = "abcdefgh1234", "abcdefgh1234-and-its-tail"
    assert Redactor((short, long)).text(f"x {long} y {short} z") == f"x {MASK} y {MASK} z"
