"""Shell strings of an image, read with the bash grammar of tree-sitter: commands, quoting, redirects, operators.

Nothing is expanded and nothing is run.  What the grammar can't parse is given back as one command whose words
are split at blanks, so that a rule can still see its first word.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from itertools import dropwhile
from typing import TYPE_CHECKING

from preflight.app.model import ShellCommand, Span
from preflight.model import Where

if TYPE_CHECKING:
    from tree_sitter import Node, Parser

LONGEST = 200_000  # characters; longer strings are not shell that somebody wrote
MOST_HEREDOCS = 100  # in one string: the grammar's time grows with their square
BLANKS = re.compile(r"[ \t]{16,}")  # of a continued line: the grammar takes seconds over long runs of blanks
WIDE = re.compile(r"[^\x00-\x7f]")  # a letter to the shell; the grammar's scanner reads past a table's end for it
ESCAPED = re.compile(r"\\(.)", re.S)
IN_DOUBLE = re.compile(r'\\([$`"\\\n])')
WORDS = frozenset(
    "word string raw_string concatenation number simple_expansion expansion ansi_c_string command_substitution "
    "process_substitution arithmetic_expansion translated_string brace_expression regex test_operator variable_name "
    "special_variable_name".split()
)
REDIRECTS = frozenset({"file_redirect", "heredoc_redirect", "herestring_redirect"})
Locate = Callable[[int, int], tuple[Where, Span | None]]


@cache
def _parser() -> Parser:
    import tree_sitter_bash
    from tree_sitter import Language, Parser

    return Parser(Language(tree_sitter_bash.language()))


@dataclass
class _Reader:
    text: str  # of as many characters as the grammar is given bytes
    locate: Locate
    exported: dict[str, str]
    found: list[ShellCommand]

    def of(self, node: Node) -> str:
        return self.text[node.start_byte : node.end_byte]

    def read(self, node: Node, operator: str) -> None:
        kind = node.type
        if kind == "command":
            self._command(node, operator)
        elif kind == "redirected_statement":
            self._redirected(node, operator)
        elif kind in ("list", "pipeline"):
            self._joined(node, operator)
        elif kind == "declaration_command":
            self._declaration(node, operator)
        elif kind in ("variable_assignment", "variable_assignments"):
            names = node.named_children if kind == "variable_assignments" else [node]
            self._add(node, (), operator, env=dict(self._assignment(n) for n in names))
        elif kind in ("comment", "heredoc_body", "function_definition"):
            return
        elif kind == "ERROR":
            self._add(node, tuple(self.of(node).split()), operator)
        else:  # program, subshell, compound_statement, if, for, while, case …: their commands in order
            statements = [c for c in node.named_children if c.type not in ("comment", "heredoc_body")]
            for child in statements:
                if child.type not in WORDS:
                    self.read(child, operator if child is statements[-1] else ";")

    def _joined(self, node: Node, operator: str) -> None:
        children = node.children
        for n, child in enumerate(children):
            if child.is_named and child.type != "comment":
                self.read(child, next((c.type for c in children[n + 1 :] if not c.is_named), operator))

    def _redirected(self, node: Node, operator: str) -> None:
        """The redirects belong to the last command of the body: the grammar wraps a whole list in them.

        It also takes the words after a redirect's file for more files (``x>=1.2 y``); the shell does not.
        """
        before = len(self.found)
        redirects: list[str] = []
        words: list[str] = []
        for child in node.named_children:
            if child.type == "file_redirect":
                targets = [c for c in child.named_children if c.type != "file_descriptor"]
                last = targets[0] if targets else child
                redirects.append(self.text[child.start_byte : last.end_byte])
                words += [self._word(c) for c in targets[1:]]
            elif child.type in REDIRECTS:
                redirects.append(self.of(child))
            else:
                self.read(child, operator)
        if len(self.found) == before:
            self._add(node, (), operator, redirects=tuple(redirects))
            return
        command = self.found[-1]
        self.found[-1] = replace(
            command,
            words=(*command.words, *words),
            redirects=(*command.redirects, *redirects),
            text=f"{command.text} {' '.join([*redirects, *words])}",
        )

    def _command(self, node: Node, operator: str) -> None:
        words: list[str] = []
        env: dict[str, str] = {}
        own: list[str] = []
        for child in node.named_children:
            if child.type == "variable_assignment":
                env.update([self._assignment(child)])
            elif child.type == "command_name":
                words.append("".join(self._word(c) for c in child.named_children) or self.of(child))
            elif child.type in REDIRECTS:
                own.append(self.of(child))
            elif child.type in WORDS:
                words.append(self._word(child))
        self._add(node, tuple(words), operator, env=env, redirects=tuple(own))
        if words[:1] == ["export"]:
            self.exported.update(
                (name, value) for name, equals, value in (w.partition("=") for w in words[1:]) if equals
            )

    def _declaration(self, node: Node, operator: str) -> None:
        pairs = [self._assignment(c) for c in node.named_children if c.type == "variable_assignment"]
        keyword = self.of(node.children[0])
        self._add(node, (keyword, *(f"{k}={v}" for k, v in pairs)), operator)
        if keyword == "export":
            self.exported.update(pairs)

    def _assignment(self, node: Node) -> tuple[str, str]:
        name = node.child_by_field_name("name")
        value = node.child_by_field_name("value")
        return (self.of(name) if name else self.of(node)), (self._word(value) if value else "")

    def _word(self, node: Node) -> str:
        text = self.of(node)
        if node.type == "raw_string":
            return text[1:-1]
        if node.type == "string":
            return IN_DOUBLE.sub(lambda m: "" if m[1] == "\n" else m[1], text[1:-1])
        if node.type == "concatenation":
            return "".join(self._word(c) for c in node.children)
        if node.type == "word":
            return ESCAPED.sub(lambda m: "" if m[1] == "\n" else m[1], text)
        return text

    def _add(
        self,
        node: Node,
        words: tuple[str, ...],
        operator: str,
        *,
        env: dict[str, str] | None = None,
        redirects: tuple[str, ...] = (),
    ) -> None:
        text, (where, span) = self.of(node), self.locate(node.start_byte, node.end_byte)
        made = ShellCommand(words=words, operator=operator, text=text, where=where, span=span, redirects=redirects)
        self.found.append(replace(made, env=env or {}, exported=dict(self.exported)))


def commands(text: str, locate: Locate) -> tuple[ShellCommand, ...]:
    """The simple commands of one shell string, in order.  ``locate`` turns offsets in ``text`` into a place."""
    if len(text) > LONGEST or text.count("<<") > MOST_HEREDOCS:
        return ()
    collapsed = BLANKS.sub(lambda m: " " * 15, text)
    plain = WIDE.sub("X", collapsed).encode("ascii")
    reader = _Reader(collapsed, locate if collapsed == text else lambda a, b: locate(0, len(text)), {}, [])
    root = _parser().parse(plain).root_node
    try:
        reader.read(root, "")
    except RecursionError:
        where, span = locate(0, len(text))
        return (ShellCommand(words=tuple(collapsed.split()), text=text[:200], where=where, span=span),)
    return (*reader.found[:-1], *(replace(last, operator="") for last in reader.found[-1:]))


def program(words: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    """The program's bare name and its arguments, past ``sudo``, ``env``, ``time`` and the like."""
    rest = list(words)
    while rest:
        name = rest[0].rsplit("/", 1)[-1]
        if name in ("sudo", "time", "nice", "command", "exec"):
            rest = [*dropwhile(lambda word: word.startswith("-"), rest[1:])]
        elif name == "env":
            rest = [*dropwhile(lambda word: word.startswith("-") or "=" in word, rest[1:])]
        else:
            return name, tuple(rest[1:])
    return "", ()
