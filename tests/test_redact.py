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


WHOLE: dict[str, Callable[[str], str]] = {
    "JSON": lambda v: json.dumps(v)[1:-1],
    "JSON in JSON": lambda v: json.dumps(json.dumps(v)[1:-1])[1:-1],
    "JSON as it is": lambda v: json.dumps(v, ensure_ascii=False)[1:-1],
    "repr": lambda v: repr(v)[1:-1],
    "shell": lambda v: shlex.quote(v).strip("'"),
    "URL": lambda v: quote(v, safe="", errors="surrogateescape"),
    "path of a URL": lambda v: quote(v, errors="surrogateescape"),
    "form": lambda v: quote_plus(v, errors="surrogateescape"),
    "hex": lambda v: v.encode("utf-8", "surrogateescape").hex(),
    "hex in upper case": lambda v: v.encode("utf-8", "surrogateescape").hex().upper(),
    "plain": str,
    "with its blanks": lambda v: f" {v} ".strip(),
}


@pytest.mark.parametrize("value", ['"é\\\'/ +~a"', "\\x\n\ty'\"é/ b'", "'\"q u/o+t\\e\"'", "\udcffraw bytes é"])
@pytest.mark.parametrize("name", WHOLE)
def test_every_form_goes_whole_and_takes_nothing_with_it(name: str, value: str) -> None:
    assert Redactor([value]).text(f"<<{WHOLE[name](value)}>>") == f"<<{MASK}>>"


RAW = b"\xfb\xef\xbe\xff\xfe~key-\xfb\xef\xbe\xff".decode("utf-8", "surrogateescape")


@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
@pytest.mark.parametrize("before", range(4))
@pytest.mark.parametrize("behind", range(4))
def test_of_base64_stay_only_the_characters_that_others_share(
    encode: Callable[[bytes], bytes], before: int, behind: int
) -> None:
    raw = RAW.encode("utf-8", "surrogateescape")
    for cut in range(3):  # every length
        value = raw[: len(raw) - cut]
        text = encode(b"b" * before + value + b"e" * behind).decode()
        left = Redactor([value.decode("utf-8", "surrogateescape")]).text(f"<{text}>")
        head, _, tail = left.strip("<>").partition(MASK)
        assert MASK in left and text.startswith(head) and text.endswith(tail)
        assert len(head) <= (0, 2, 3, 4)[before]
        assert len(tail.rstrip("=")) <= (1, 3, 4, 5)[behind]


def test_a_short_base64_is_no_form() -> None:
    value = "12345678"  # 11 characters with none left out; eight from the third place on
    for shift in range(3):
        text = base64.b64encode(b"x" * shift + value.encode()).decode()
        assert MASK in Redactor([value]).text(text)


def test_each_half_of_a_folded_value_goes_where_lines_come_one_by_one() -> None:
    redactor = Redactor(["abcdefghij-KLMNOPQRST"])
    assert redactor.text("see abcdefghij-K") == f"see {MASK}"
    assert redactor.text("see abcdefghij-K\\\n") == f"see {MASK}\\\n"
    assert redactor.text("  ghij-KLMNOPQRST end") == f"  {MASK} end"
    assert redactor.text("abcdefgh") == MASK and redactor.text("MNOPQRST end") == f"{MASK} end"
    assert redactor.text("NOPQRST ends, abcdefg") == "NOPQRST ends, abcdefg"  # seven are too few
    assert redactor.text("KLMNOPQRST and abcdefghij") == f"{MASK} and {MASK}"
    assert redactor.text("the abcdefghij stays inside") == "the abcdefghij stays inside"
    assert Redactor(["first-line-of\nsecond-line-of"]).text("x second-line") == f"x {MASK}"


def test_a_value_of_exactly_the_shortest_length_has_no_halves_and_goes_whole() -> None:
    assert Redactor(["abcdefgh"]).text("x abcdefgh y") == f"x {MASK} y"
    assert Redactor(["abcdefgh"]).text("x abcdefg") == "x abcdefg"


def test_a_value_with_noise_in_it_goes_as_one_and_its_lines_stay_lines() -> None:
    redactor = Redactor(["abcdefghij"])
    assert redactor.text("a\nb abcde\n   fghij c\n\nd") == f"a\nb {MASK}\n c\n\nd"
    assert redactor.text("\x1b[1mabc\x1b[0mdefghij\x1b[0m end") == f"\x1b[1m{MASK}\x1b[0m end"
    assert redactor.text("abcdefg\u200bhij abcdefg\u200bhij.") == f"{MASK} {MASK}."
    assert redactor.text("x\u200by is left") == "x\u200by is left"


def test_long_and_short_texts_are_cleaned_alike() -> None:
    redactor = Redactor(["abcdefghij"])
    for size in (900, 998, 1000, 5000):
        assert redactor.text("." * size + "abcdefghij" + " ") == "." * size + MASK + " "


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
        ("Authorization: abc def", f"Authorization: {MASK}"),
        ("see https://me:pass@host and https://you:word@host", f"see https://{MASK}@host and https://{MASK}@host"),
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


@pytest.mark.parametrize(
    "name", ["MAX_TOKENS", "max_token", "N_TOKENS", "TOKENIZERS_PARALLELISM", "PUBLIC_TOKEN", "PATH", "KEY"]
)
def test_names_that_are_none(name: str) -> None:
    assert not is_secret_name(name)


def test_the_secrets_of_an_environment_are_the_values_that_are_long_enough() -> None:
    environ = {"HF_TOKEN": "12345678", "API_KEY": "1234567", "PATH": "/usr/bin:/bin"}
    assert secrets_of(environ) == ("12345678",)
