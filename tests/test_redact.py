"""What leaves with its value taken out, in which of its forms; and what is no secret and stays."""

from __future__ import annotations

import base64
import json
import shlex
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest

from preflight.redact import MASK, SHORTEST_VALUE, Redactor, is_secret_name, secrets_of, without_secrets

VALUE = "pa$$ w/ord+'of\"7"
FORMS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "upper case": str.upper,
    "JSON": json.dumps,
    "JSON in JSON": lambda v: json.dumps(json.dumps(v)),
    "repr": repr,
    "URL": lambda v: quote(v, safe=""),
    "path of a URL": quote,
    "form": quote_plus,
    "shell": shlex.quote,
    "hex": lambda v: v.encode().hex(),
    "base64": lambda v: base64.b64encode(v.encode()).decode(),
    "base64, one byte in": lambda v: base64.b64encode(b"x" + v.encode()).decode(),
    "base64, two bytes in": lambda v: base64.b64encode(b"xy" + v.encode()).decode(),
    "base64 with more behind": lambda v: base64.b64encode(v.encode() + b"/more").decode(),
    "URL-safe base64": lambda v: base64.urlsafe_b64encode(v.encode()).decode(),
    "coloured in the middle": lambda v: f"{v[:5]}\x1b[31m{v[5:]}",
    "folded": lambda v: f"{v[:6]}\n    {v[6:]}",
    "with an invisible character": lambda v: f"{v[:4]}\u200b{v[4:]}",
}


@pytest.mark.parametrize("name", FORMS)
def test_a_known_value_is_taken_out_in_every_form(name: str) -> None:
    written = FORMS[name](VALUE)
    shown = Redactor([VALUE]).text(f"before {written} after")
    assert MASK in shown and shown.startswith("before ") and shown.endswith(" after")
    for n in range(len(VALUE) - 6):
        assert VALUE[n : n + 6] not in shown, name
    if name.startswith("base64"):
        assert len(shown) < len(f"before {written} after")


def test_a_longer_secret_leaves_no_tail_where_a_shorter_one_begins_it() -> None:
    assert Redactor(["hunter22", "hunter22-and-more"]).text("x hunter22-and-more y") == f"x {MASK} y"


def test_each_line_of_a_value_is_a_secret_and_lines_stay_lines() -> None:
    redactor = Redactor(["first-line\nsecond-line\n"])
    assert redactor.text("a second-line b") == f"a {MASK} b"
    assert redactor.text("first-\nline c\nd").count("\n") == 2


def test_a_short_value_is_not_taken_out_of_ordinary_words() -> None:
    assert Redactor(["a" * (SHORTEST_VALUE - 1)]).text("a" * 20) == "a" * 20
    assert Redactor(["a" * SHORTEST_VALUE]).text("a" * SHORTEST_VALUE) == MASK
    assert Redactor().text("nothing is known") == "nothing is known"


@pytest.mark.parametrize(
    "secret",
    [
        "hf_" + "a" * 20,
        "ghp_" + "a" * 20,
        "github_pat_" + "a" * 30,
        "glpat-" + "a" * 20,
        "AKIA" + "A" * 16,
        "ASIA" + "A" * 16,
        "sk-" + "a" * 20,
        "rk_live_" + "a" * 16,
        "AIza" + "a" * 35,
        "xoxb-" + "1" * 10,
        "ak-" + "a" * 16,
        "as-" + "a" * 16,
        "eyJ" + "a" * 8 + ".eyJ" + "b" * 8 + "." + "c" * 8,
        "-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY-----",
    ],
)
def test_a_shape_is_a_secret_wherever_it_stands_and_a_shorter_one_is_none(secret: str) -> None:
    assert without_secrets(f"see {secret} there") == f"see {MASK} there"
    if "BEGIN" not in secret:
        assert without_secrets(secret[:-1]) == secret[:-1]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("HF_TOKEN=abcdef", f"HF_TOKEN={MASK}"),
        ("HF_TOKEN_2=abcdef", f"HF_TOKEN_2={MASK}"),
        ('{"db_password": "hunter2"}', f'{{"db_password": "{MASK}"}}'),
        ("password: hunter22", f"password: {MASK}"),
        ("Authorization: Bearer abc", f"Authorization: Bearer {MASK}"),
        ("proxy-authorization: Basic abc", f"proxy-authorization: Basic {MASK}"),
        ("https://me:pass@host/x", f"https://{MASK}@host/x"),
        ("https://abcdefghijkl@host/x", f"https://{MASK}@host/x"),
    ],
)
def test_a_named_value_goes_and_its_name_stays(text: str, shown: str) -> None:
    assert without_secrets(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "the secret: refused",
        "secrets_exist:CHECK",
        "password=short",
        "TOKEN=os.environ['X']",
        "SECRET_URL: https://host/path",
        "https://host/x",
        "https://me@host/x",
        "commit 0123456789abcdef0123456789abcdef01234567",
        "im-0123456789abcdefABCDEF",
        "hf_short",
        "AKIA123",
        "tokens: 4",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert without_secrets(text) == text


@pytest.mark.parametrize("name", ["HF_TOKEN", "aws_secret_access_key", "WANDB_API_KEY", "MY_DSN", "GCP_PRIVATE_KEY_ID"])
def test_names_of_secrets(name: str) -> None:
    assert is_secret_name(name)


@pytest.mark.parametrize("name", ["MAX_TOKENS", "N_TOKENS", "TOKENIZERS_PARALLELISM", "PUBLIC_TOKEN", "PATH", "KEY"])
def test_names_that_are_none(name: str) -> None:
    assert not is_secret_name(name)


def test_the_secrets_of_an_environment_are_the_values_that_are_long_enough() -> None:
    environ = {"HF_TOKEN": "12345678", "API_KEY": "1234567", "PATH": "/usr/bin:/bin"}
    assert secrets_of(environ) == ("12345678",)
