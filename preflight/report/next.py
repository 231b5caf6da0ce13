"""The one thing to do now: the command that repairs, where one does."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable

from preflight.model import UNANSWERED, Report, Result, Scope, Severity, Status, Verdict
from preflight.report.ordered import bad

COMMAND = re.compile(
    r"(?:modal (?:app|billing|config|container|deploy|environment|image|profile|run|secret|setup|shell|token|volume)"
    r"|preflight (?:run|check|lint|list|explain|facts|probe|diagnose|link|estimate|gate|radar|lock|init|apps|sandbox)"
    r"|(?:pip|uv|poetry|conda|pipx) (?:install|uninstall|add|lock|sync|pip|remove|update|upgrade|inject|tool|run)"
    r"|aws (?:s3|s3api|sso|sts|iam|configure)|git (?:add|clone|checkout|pull|lfs)|(?:\S*/)?python[\d.]* -m)\b.*"
    r"|make \S+|modal setup"
)
ALTERNATIVE = re.compile(r",? or (?!newer|more|less)|; |,? and then |  +\(|, (?=[a-z]+ [a-z])")


def command_in(remedy: str) -> str:
    """The command that a remedy begins with; "" for one in words."""
    first = ALTERNATIVE.split(remedy, maxsplit=1)[0].strip().rstrip(",;")
    return first if COMMAND.fullmatch(first) else ""


def next_command(report: Report) -> str:
    """What repairs the worst of what was found; `explain` only where no command does."""
    app = _app(report)
    if report.verdict is Verdict.READY:
        return f"modal run --detach {app}"
    is_own = any(r.assumed for r in report.results) or report.target.sandbox == "rehearsal"
    if report.verdict is Verdict.REHEARSED and not is_own:
        return "preflight run APP (your own app, with your Modal account)"
    if report.verdict is Verdict.INTERRUPTED and report.target.sandbox:  # the real account is not asked instead
        return f"preflight run {app} --sandbox" if is_own else "preflight run --sandbox"
    first = _first(report)
    if first is None or report.verdict not in (Verdict.NOT_READY, Verdict.INCOMPLETE):
        return f"preflight run {app}"
    return _repair(first, report, app)


def _app(report: Report) -> str:
    """As it is typed; a report over several files has no name of its own."""
    target = report.target
    if target.apps:
        return "--all"
    return typed(target.app) if target.app and not target.app.endswith(" files") else "APP"


def typed(path: str) -> str:
    """A path as a shell and our own command line take it for one."""
    return shlex.quote(f"./{path}" if path.startswith("-") else path)


def _first(report: Report) -> Result | None:
    found = next(iter(bad(report)), None)
    if found is not None and found.blocked_by:
        cause = (r for r in report.results if r.check.id == found.blocked_by and r.status in (Status.FAIL, *UNANSWERED))
        return next(cause, found)
    return found


def _repair(first: Result, report: Report, app: str) -> str:
    sandbox = " --sandbox" if report.target.sandbox and report.scope is Scope.REHEARSAL else ""
    if first.retry_with:
        return f"preflight run {app}{sandbox} {first.retry_with}"
    for finding in first.findings:
        if command := command_in(finding.remedy):
            return command
        if finding.fix is not None and finding.fix.is_safe and report.target.app != "-":
            return _lint_fix([first])
        if finding.severity is not Severity.INFO:
            break
    others = [r for r in report.results if r.status is first.status and r is not first]
    fix = _lint_fix(others) if report.target.app != "-" else ""
    return fix or f"preflight explain {first.check.name}"


def _lint_fix(results: Iterable[Result]) -> str:
    """Over the files of their safe fixes; "" without one."""
    safe = (f.fix for r in results for f in r.findings if f.fix is not None and f.fix.is_safe)
    files = dict.fromkeys(typed(edit.path) for fix in safe for edit in fix.edits)
    return f"preflight lint --fix {' '.join(files)}" if files else ""
