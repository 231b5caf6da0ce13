"""Shell strings as commands: words, variables before them, redirects, operators; nothing is expanded."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from preflight.app.model import ShellCommand, Span
from preflight.app.shell import commands, program
from preflight.model import Where


def _commands(text: str) -> tuple[ShellCommand, ...]:
    return commands(text, lambda start, end: (Where("app.py", 1), Span(start, end)))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("pip install torch", [("pip", "install", "torch")]),
        ("a && b || c; d | e", [("a",), ("b",), ("c",), ("d",), ("e",)]),
        ("pip install 'torch>=2' \"numpy<2\"", [("pip", "install", "torch>=2", "numpy<2")]),
        ("echo a\\ b 'c d'\"e f\"", [("echo", "a b", "c de f")]),
        ("pip install \\\n  a \\\n  b", [("pip", "install", "a", "b")]),
        ("(cd /x && make) && ls", [("cd", "/x"), ("make",), ("ls",)]),
        ("if [ -f a ]; then pip install b; fi", [("pip", "install", "b")]),
        ("for x in a b; do pip install $x; done", [("pip", "install", "$x")]),
        ("# only a comment", []),
        ("", []),
    ],
)
def test_commands_are_split_as_the_shell_does(text: str, words: list[tuple[str, ...]]) -> None:
    found = [c.words for c in _commands(text)]
    assert [w for w in found if w and w[0] != "["] == words


def test_operators_join_a_command_to_the_next() -> None:
    assert [c.operator for c in _commands("a && b || c; d | e")] == ["&&", "||", ";", "|", ""]


def test_variables_before_a_command_are_its_own_and_exports_last() -> None:
    first, second, third = _commands("export CC=gcc && CXX=g++ pip install a; pip install b")
    assert dict(first.exported) == {"CC": "gcc"} or first.words[0] == "export"
    assert (dict(second.env), dict(second.exported)) == ({"CXX": "g++"}, {"CC": "gcc"})
    assert (dict(third.env), dict(third.exported)) == ({}, {"CC": "gcc"})


def test_an_unquoted_bound_is_a_redirect_and_a_quoted_one_is_not() -> None:
    assert [c.redirects for c in _commands("pip install torch>=2.1")] == [(">=2.1",)]
    assert [c.redirects for c in _commands("pip install 'torch>=2.1'")] == [()]


def test_a_heredoc_is_one_redirect_and_its_lines_are_no_commands() -> None:
    found = _commands("cat <<EOF > file\npip install torch\nEOF\nls")
    assert [c.words[0] for c in found] == ["cat", "ls"]


def test_places_are_offsets_of_the_text_also_past_wide_characters() -> None:
    text = "echo 'é😀' && pip install torch"
    last = _commands(text)[-1]
    assert last.span is not None
    assert text[last.span.start : last.span.end] == "pip install torch"


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("sudo", "-E", "pip", "install"), "pip"),
        (("env", "A=1", "-i", "/usr/bin/pip3", "list"), "pip3"),
        (("time", "python", "-m", "pip"), "python"),
        (("sudo",), ""),
        ((), ""),
    ],
)
def test_the_program_is_found_past_its_wrappers(words: tuple[str, ...], expected: str) -> None:
    assert program(words)[0] == expected


def test_a_string_too_long_or_full_of_heredocs_gives_no_command() -> None:
    assert _commands("a " * 150_000) == ()
    assert _commands("cat <<A " * 5000) == ()


def test_wide_characters_are_letters_and_do_not_end_the_process() -> None:
    text = "{\U000af9b5\U000394fcQ\U0007bed1}m\U000da2c7 é=ü\U0010e02e pip install 'größe==1'"
    assert _commands(text)[-1].text in text
    assert [c.words for c in _commands("echo \U000af9b5 größe")] == [("echo", "\U000af9b5", "größe")]


SHELL = st.text(alphabet=st.sampled_from("ab $\"'`\\|&;<>(){}[]#\n\t=-~*!é\ud800\0"), max_size=60)


@settings(max_examples=150, deadline=None)
@given(SHELL | st.text(max_size=60))
def test_any_text_gives_commands_inside_it(text: str) -> None:
    for command in _commands(text):
        assert command.operator in ("&&", "||", ";", "|", "|&", "&", "")
        assert command.span is not None
        assert 0 <= command.span.start <= command.span.end <= max(len(text), 1)
