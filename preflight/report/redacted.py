"""The one edge that every event and report passes on its way out: secrets are taken from all of its text."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from preflight.events import Event, Progress
from preflight.model import Answer, Changed, Finding, Report, Result, Target
from preflight.redact import Redactor


def event(redactor: Redactor, told: Event) -> Event:
    if isinstance(told, Result):
        return result(redactor, told)
    if isinstance(told, Progress):
        return Progress(told.name, redactor.text(told.text))
    return told


def report(redactor: Redactor, whole: Report) -> Report:
    return replace(
        whole,
        target=target(redactor, whole.target),
        results=tuple(result(redactor, r) for r in whole.results),
        changed=whole.changed and _changed(whole.changed, redactor.text),
    )


def target(redactor: Redactor, one: Target) -> Target:
    def text(value: str | None) -> str | None:
        return value and redactor.text(value)

    return replace(
        one,
        app=text(one.app),
        apps=tuple(redactor.text(a) for a in one.apps),
        environment=text(one.environment),
        workspace=text(one.workspace),
        sandbox=text(one.sandbox),
    )


def _changed(changed: Changed, text: Callable[[str], str]) -> Changed:
    changes = tuple(
        replace(c, name=text(c.name), before=c.before and text(c.before), after=c.after and text(c.after))
        for c in changed.changes
    )
    return replace(changed, changes=changes, note=text(changed.note))


def result(redactor: Redactor, one: Result) -> Result:
    answer = one.answer and _answer(one.answer, redactor.text)
    return replace(one, reason=redactor.text(one.reason), assumed=redactor.text(one.assumed), answer=answer)


def _answer(answer: Answer, text: Callable[[str], str]) -> Answer:
    return replace(
        answer,
        summary=text(answer.summary),
        seen=data(dict(answer.seen), text),
        findings=tuple(_finding(f, text) for f in answer.findings),
    )


def _finding(finding: Finding, text: Callable[[str], str]) -> Finding:
    return replace(
        finding,
        message=text(finding.message),
        remedy=text(finding.remedy),
        why=text(finding.why),
        evidence=_lines(finding.evidence, text),
        where=finding.where and replace(finding.where, path=text(finding.where.path)),
    )


def _lines(lines: tuple[str, ...], text: Callable[[str], str]) -> tuple[str, ...]:
    """As many as came: a secret that goes over the end of a line is found, too."""
    together = text("\n".join(lines)).split("\n")
    return tuple(together) if len(together) == len(lines) else tuple(map(text, lines))


def data(value: Any, text: Callable[[str], str]) -> Any:
    """Any document: every string in it passes ``text``."""
    if isinstance(value, str):
        return text(value)
    if isinstance(value, dict):
        return {text(k) if isinstance(k, str) else k: data(v, text) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [data(v, text) for v in value]
    return value
