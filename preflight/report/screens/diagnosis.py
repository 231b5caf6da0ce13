"""The screen of `diagnose`: cause first, then its proof, why, and the fix; the same as Markdown; a rule's page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.text import Text

from preflight.diagnosis.explain import in_words_of_log
from preflight.diagnosis.model import Cause, Diagnosis, Verdict
from preflight.diagnosis.rules import Rule
from preflight.diagnosis.scan import COUNTED
from preflight.report.plain_console import labelled
from preflight.report.text import in_encoding, one_line, printable
from preflight.wording import counted

NAME_WIDTH = 4
NEXT = "read upwards from that line; an exception of your own code is yours to mend"
ASK = "what follows is redacted; look through it before you show it to someone"


def show(console: Console, logs: Mapping[str, Diagnosis]) -> None:
    """One log as it is; of several the causes first, each once, with the logs it is in."""
    for found in _causes(logs):
        is_first = any(logs[name].causes[0] is cause for name, cause in found.items())
        _cause(console, next(iter(found.values())), is_first=is_first, names=[*found] if len(logs) > 1 else ())
    for name, diagnosis in logs.items():
        if diagnosis.verdict is Verdict.UNKNOWN and diagnosis.failure is not None:
            _unknown(console, name, diagnosis)
        elif diagnosis.verdict is Verdict.CLEAN:
            _put(console, f"CLEAN  {name}: {_lines(diagnosis)}, no sign of a failure", "bold green")


def markdown(logs: Mapping[str, Diagnosis]) -> str:
    """To paste in an issue: each cause once, with the logs it is in, then what is not known."""
    lines = []
    for found in _causes(logs):
        cause = next(iter(found.values()))
        lines += [f"### {one_line(cause.title)}", "", *_fenced(cause.excerpt)]
        lines += [f"- where: {', '.join(f'{_code(name)} line {c.line}' for name, c in found.items())}"]
        lines += [f"- why: {one_line(cause.why)}", f"- fix: {one_line(cause.remedy)}"]
        lines += [f"- rule: `{cause.rule}` ({cause.phase}), confidence {cause.confidence.value}", ""]
    for name, diagnosis in logs.items():
        if diagnosis.failure is not None:
            lines += [f"### {_code(name)} failed, and no rule knows why", "", *_fenced(diagnosis.excerpt)]
            lines += [f"- last: line {diagnosis.failure.line}: {_code(one_line(diagnosis.failure.excerpt))}", ""]
        elif not diagnosis.causes:
            lines += [f"{_code(name)}: {_lines(diagnosis)}, no sign of a failure", ""]
    return "\n".join(lines)


def page(rules: Sequence[Rule]) -> str:
    """What `--explain-rule` prints: the forms of one cause, with the lines that show it and those that don't."""
    first = rules[0]
    lines = [f"{first.id}: {first.title}", f"phase {first.phase}, family {first.family}; from {first.source}"]
    for rule in rules:
        lines += [
            "",
            f"Shown by{f' ({rule.form})' * bool(rule.form)}",
            *(f"  {e.splitlines()[-1]}" for e, _ in rule.examples),
        ]
        lines += ["Not by", *(f"  {e.splitlines()[0]}" for e in rule.silent_on)]
    lines += ["", f"Why  {in_words_of_log(first.why, {})}", f"Fix  {in_words_of_log(first.remedy, {})}"]
    lines += [f"     or, where the log shows it: {in_words_of_log(r.fix, {})}" for r in first.remedies]
    if first.explains:
        lines += ["", f"Explains  {', '.join(first.explains)}"]
    return "\n".join(lines)


def _causes(logs: Mapping[str, Diagnosis]) -> list[dict[str, Cause]]:
    """Each rule's cause in each log that shows it; those that most logs show first, then as they come."""
    found: dict[str, dict[str, Cause]] = {}
    for name, diagnosis in logs.items():
        for cause in diagnosis.causes:
            found.setdefault(cause.rule, {}).setdefault(name, cause)
    return sorted(found.values(), key=len, reverse=True)


def _lines(diagnosis: Diagnosis) -> str:
    return counted(diagnosis.lines, "line") or "0 lines"


def _cause(console: Console, cause: Cause, *, is_first: bool, names: Sequence[str]) -> None:
    _put(console, f"{'CAUSE' if is_first else 'ALSO '}  {cause.title}", "bold red")
    for offset, line in enumerate(cause.excerpt.split("\n")):
        _field(console, "seen" if offset == 0 else "", f"{cause.line + offset:>5} | {line.strip()}")
    if names:
        _field(console, "in", ", ".join(names))
    _field(console, "why", cause.why)
    _field(console, "fix", cause.remedy)
    if cause.explained_lines:
        least = "at least " * (cause.explained_lines >= COUNTED - 1)
        _field(console, "", f"explains {least}{counted(cause.explained_lines, 'other line')}")
    _field(console, "rule", f"{cause.rule} ({cause.phase}), confidence {cause.confidence.value}; from {cause.source}")


def _unknown(console: Console, name: str, diagnosis: Diagnosis) -> None:
    assert diagnosis.failure is not None
    _put(console, f"UNKNOWN  {name} failed, and no rule knows why", "bold yellow")
    _field(console, "last", f"line {diagnosis.failure.line}: {diagnosis.failure.excerpt}")
    _field(console, "next", NEXT)
    if "\n" in diagnosis.excerpt:
        _field(console, "", ASK)
        for line in ("```", *diagnosis.excerpt.split("\n"), "```"):
            console.print(_text(console, line), soft_wrap=True)


def _fenced(excerpt: str) -> list[str]:
    return ["```text", *(printable(line).replace("```", "'''") for line in excerpt.split("\n")), "```", ""]


def _code(text: str) -> str:
    return f"`{printable(text).replace('`', chr(39))}`"


def _field(console: Console, name: str, text: str) -> None:
    labelled(console, name, _text(console, text), margin=2, column=2 + NAME_WIDTH + 1)


def _put(console: Console, text: str, style: str) -> None:
    console.print(_text(console, text, style))


def _text(console: Console, text: str, style: str = "") -> Text:
    return Text(in_encoding(printable(text), console.encoding), style=style)
