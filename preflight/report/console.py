"""The screen: a live view that keeps checklist order on a terminal, append-only lines everywhere else."""

from __future__ import annotations

import shutil
import sys
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import TextIO

from rich.cells import cell_len
from rich.console import Console
from rich.live import Live
from rich.text import Text

import preflight
from preflight.engine.select import in_order
from preflight.events import Event, Priced, Progress, SpentSoFar, Started, Waiting
from preflight.model import (
    WORST_FIRST,
    Changed,
    Check,
    Finding,
    Report,
    Result,
    Severity,
    Stage,
    Status,
    Target,
    Verdict,
)
from preflight.report.text import in_encoding, one_line, printable, seconds

GLYPHS = {
    Status.PASS: ("✓", "green"),
    Status.WARN: ("!", "yellow"),
    Status.FAIL: ("✗", "bold red"),
    Status.SKIP: ("-", "dim"),
    Status.BLOCKED: ("⊘", "magenta"),
    Status.UNKNOWN: ("?", "magenta"),
    Status.ERROR: ("E", "bold magenta"),
}
ASSUMED = ("~", "cyan")  # a rehearsal made up what the answer rests on
WORDS = {
    Status.PASS: "passed",
    Status.WARN: "warned",
    Status.FAIL: "failed",
    Status.SKIP: "skipped",
    Status.BLOCKED: "blocked",
    Status.UNKNOWN: "unknown",
    Status.ERROR: "unanswered",
}
VERDICTS = {
    Verdict.READY: ("READY", "bold green"),
    Verdict.CLEAN: ("CLEAN", "bold green"),
    Verdict.REHEARSED: ("REHEARSED", "bold green"),
    Verdict.NOT_READY: ("NOT READY", "bold red"),
    Verdict.INCOMPLETE: ("INCOMPLETE", "bold magenta"),
    Verdict.INTERRUPTED: ("INTERRUPTED", "bold magenta"),
}
MARGIN = 7  # columns before "why" and "fix"
NARROWEST, WIDEST = 40, 110
EVIDENCE_LINES = 3  # without -v
CHANGED_LINES, LONGEST_CHANGE = 3, 200  # likewise; characters of one


class ConsoleReporter:
    """``is_verbose`` shows every rule, every finding's evidence and the skipped checks' reasons."""

    def __init__(
        self,
        to: TextIO,
        *,
        is_verbose: bool = False,
        width: int | None = None,
        says_next: Callable[[Report], str] | None = None,
    ) -> None:
        self.to = to
        self.says_next = says_next or next_command
        self.is_verbose = is_verbose
        size = width or (shutil.get_terminal_size().columns if to.isatty() else 100)
        self.width = max(NARROWEST, min(WIDEST, size))
        self.console = PlainConsole(
            file=to, width=self.width, highlight=False, markup=False, emoji=False, soft_wrap=True
        )
        self.checks: tuple[Check, ...] = ()
        self.results: dict[str, Result] = {}
        self.running: dict[str, str] = {}  # name -> last line of progress
        self.shown = 0
        self.live: Live | None = None
        self.target = Target()
        self.spent: SpentSoFar | None = None
        self.left_out: defaultdict[str, list[str]] = defaultdict(list)  # by the option that did it

    def begin(self, target: Target, checks: Sequence[Check]) -> None:
        self.checks = in_order(checks)
        self.target = target
        self.name_width = max((len(c.name) for c in self.checks if not _is_rule(c)), default=8)
        parts = [f"preflight {preflight.__version__}"]
        if target.app:
            parts.append(target.app)
        if target.apps:
            parts.append(f"{len(target.apps)} apps: {', '.join(target.apps)}")
        if target.environment:
            parts.append(f"environment {target.environment}")
        if target.sandbox:
            parts.append(f"sandbox {target.sandbox}: a local Modal and S3, no account, nothing billed")
        self._print(Text(" · ".join(parts), style="bold"))
        self._print(Text())
        if self.console.is_terminal and not self.console.is_dumb_terminal:
            self.live = Live(console=self.console, refresh_per_second=8, transient=True)
            self.live.start()
            self._refresh()

    def observe(self, event: Event) -> None:
        if isinstance(event, Result):
            self.results[event.check.id] = event
            self.running.pop(event.check.name, None)
            self._show_ready()
        elif isinstance(event, Started):
            self.running.setdefault(event.check.name, "")
        elif isinstance(event, Progress):
            self.running[event.name] = one_line(event.text)
            if self.live is None and self.is_verbose:
                self._print(Text(f"{event.name}: {one_line(event.text)}", style="dim"), indent=MARGIN)
        elif isinstance(event, Priced):
            text = f"{event.check.name}: up to ${event.price.usd:.2f} ({one_line(event.price.basis)})"
            self._print(Text(text, style="dim"), indent=MARGIN)
        elif isinstance(event, SpentSoFar):
            self.spent = event
        elif isinstance(event, Waiting):
            names = ", ".join(event.names)
            self._print(Text(f"waiting {event.seconds:.0f} s for {names}; {event.left_s:.0f} s left"), indent=MARGIN)
        self._refresh()

    def finish(self, report: Report) -> None:
        if self.live is not None:
            self.live.stop()
        self._show_ready()
        for why, names in self.left_out.items():
            self._line("", Status.SKIP, f"{len(names)} left out", f"{why.strip()}: {', '.join(names)}", 0.0)
        if report.changed is not None:
            self._changed(report.changed)
        word, style = VERDICTS[report.verdict]
        counts = report.counts
        assumed = [r for r in report.results if r.assumed]
        counts[Status.SKIP] -= sum(r.status is Status.SKIP for r in assumed)
        parts = [f"{counts[s]} {WORDS[s]}" for s in WORST_FIRST if counts[s]]
        parts += [f"{len(assumed)} assumed"] if assumed else []
        simulated = " (simulated)" if report.target.sandbox and report.spent_usd else ""
        parts += [f"spent ${report.spent_usd:.2f}{simulated}", seconds(report.seconds)]
        if report.target.sandbox:
            parts.append("sandbox: no real cloud, GPU or bucket was looked at")
        self._print(Text())
        first, *rest = _wrap(parts, self.width - len(word) - 3, " · ")
        self._out(Text.assemble((word, style), "   ", first))
        for more in rest:
            self._out(Text(" " * (len(word) + 3) + more))
        if assumed:
            for text in dict.fromkeys(r.assumed for r in assumed):
                self._labelled("", text)
            asked = ", ".join(r.check.name for r in report.results if r.assumed or r.is_left_out)
            self._labelled("", f"a real run still asks {asked}")
        if self.spent is not None and self.is_verbose:
            steps = f"{self.spent.steps} paid step{'s' if self.spent.steps != 1 else ''}"
            said = f"preflight has spent ${self.spent.usd:.2f} here, in {steps} since {self.spent.since:%Y-%m-%d}"
            self._out(Text(" " * (len(word) + 3) + said, style="dim"))
        self._print(Text.assemble(("next", "bold"), " " * max(1, len(word) - 1), self.says_next(report)))

    def _changed(self, changed: Changed) -> None:
        """What is not as it was at the last pass, in a few lines."""
        self._print(Text())
        count = len(changed.changes)
        if changed.since is not None:
            said = {0: "nothing that is kept differs", 1: "one thing differs"}.get(count, f"{count} things differ")
            self._print(Text(f"since the last pass ({changed.since:%Y-%m-%d %H:%M} UTC) {said}", style="bold"))
        shown = count if self.is_verbose else CHANGED_LINES
        for change in changed.changes[:shown]:
            self._labelled("", _shortened(change.said, is_whole=self.is_verbose))
        if count > shown:
            self._labelled("", f"… {count - shown} more (-v)", "dim")
        if changed.note:
            self._labelled("", changed.note, "dim")

    # --- lines ----------------------------------------------------------------------------------------------------

    def _show_ready(self) -> None:
        """Prints the results whose predecessors in the checklist have all been printed."""
        while self.shown < len(self.checks):
            check = self.checks[self.shown]
            if _is_rule(check) and not self.is_verbose:
                rules = self._rules_from(self.shown)
                if any(c.id not in self.results for c in rules):
                    return
                self._show_rules([self.results[c.id] for c in rules])
                self.shown += len(rules)
                continue
            if check.id not in self.results:
                return
            result = self.results[check.id]
            if result.is_left_out and not self.is_verbose:
                self.left_out[result.reason.removeprefix(LEFT_OUT).split(":")[0]].append(check.name)
            else:
                self._show(result)
            self.shown += 1

    def _rules_from(self, start: int) -> list[Check]:
        rules = []
        for check in self.checks[start:]:
            if not _is_rule(check):
                break
            rules.append(check)
        return rules

    def _show_rules(self, results: Sequence[Result]) -> None:
        """Static rules in one line when nothing is wrong; each one that found something gets its own."""
        own = [r for r in results if r.status is Status.PASS and not _looks_at_the_text_alone(r.check)]
        loud = [r for r in results if r.status not in (Status.PASS, Status.SKIP) or r in own]
        quiet = [r for r in results if r.status is Status.PASS and r not in own]
        advice = sum(len(r.findings) for r in quiet)
        if quiet or not loud:
            said = f"{len(quiet)} of {len(results)} rules looked at the app and found nothing"
            if not quiet:
                said = f"none of {len(results)} rules had anything to look at"
            if advice:
                said += f" but {advice} piece{'s' if advice > 1 else ''} of advice (-v)"
            status = Status.PASS if quiet else Status.SKIP
            self._line("", status, "app-rules", said, max(r.seconds for r in results))
        reasons: dict[tuple[Status, str], list[Result]] = {}
        for result in loud:
            if result.findings or result in own:
                self._show(result)
            else:
                reasons.setdefault((result.status, result.reason), []).append(result)
        for (status, reason), same in reasons.items():
            who = same[0].check.name if len(same) == 1 else "app-rules"
            count = f"{len(same)} rules: " if len(same) > 1 else ""
            self._line("", status, who, count + reason, 0.0)

    def _show(self, result: Result) -> None:
        check = result.check
        said = result.reason
        if result.settled_by:
            said = f"settled by {result.settled_by}: {said}"
        if result.assumed:
            said = f"assumed: {said}"
        if result.status is Status.BLOCKED and result.blocked_by:
            said = f"blocked by {self._name_of(result.blocked_by)}"
            if self.is_verbose or not self._is_told(result.blocked_by):
                said += f": {result.reason}"
        findings = list(result.findings) if self.is_verbose else [f for f in result.findings if f.severity != "info"]
        is_one = len(findings) == 1
        if is_one:
            said = findings[0].message
        glyph = ASSUMED if result.assumed else None
        self._line(str(check.step or ""), result.status, check.name, said, result.seconds, glyph)
        for found in findings:
            self._finding(found, is_message_shown=is_one)

    def _is_told(self, check_id: str) -> bool:
        """Whether that check is part of this run: then its own line says why it could not answer."""
        return any(c.id == check_id for c in self.checks)

    def _finding(self, found: Finding, *, is_message_shown: bool) -> None:
        if is_message_shown:
            if found.where:
                self._labelled("at", str(found.where))
        else:
            where = f"{found.where}: " if found.where else ""
            style = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.INFO: "dim"}[found.severity]
            self._labelled("", where + found.message, style)
        if found.why:
            self._labelled("why", found.why)
        if found.remedy:
            self._labelled("fix", found.remedy, "bold")
        shown = found.evidence if self.is_verbose else found.evidence[:EVIDENCE_LINES]
        for line in shown:
            self._labelled("|", line, "dim")
        if len(found.evidence) > len(shown):
            self._labelled("|", f"… {len(found.evidence) - len(shown)} more lines (-v)", "dim")

    def _name_of(self, check_id: str) -> str:
        return next((c.name for c in self.checks if c.id == check_id), check_id)

    def _line(
        self, step: str, status: Status, name: str, said: str, took: float, drawn: tuple[str, str] | None = None
    ) -> None:
        glyph, style = drawn or GLYPHS[status]
        line = Text()
        line.append(f"{step:>2} ")
        line.append(glyph, style=style)
        line.append(f" {name:<{self.name_width}}  ", style="bold" if status in _LOUD else "")
        start = cell_len(line.plain)
        clock = seconds(took) if took >= 0.05 else ""
        room = self.width - start - (len(clock) + 2 if clock else 0)
        first, *rest = _wrap(one_line(said).split(" "), room)
        line.append(first, style="dim" if status is Status.SKIP else "")
        if clock:
            line.append(" " * max(2, self.width - cell_len(line.plain) - len(clock)) + clock, style="dim")
        self._out(line)
        for more in rest:
            self._out(Text(" " * start + more, style="dim" if status is Status.SKIP else ""))

    def _labelled(self, label: str, text: str, style: str = "") -> None:
        start = MARGIN + (6 if label not in ("", "|") else len(label) + (1 if label else 0))
        for n, part in enumerate(_wrap(one_line(text).split(" "), self.width - start)):
            head = (" " * MARGIN + f"{label:<{start - MARGIN}}") if n == 0 else " " * start
            self._out(Text.assemble((head, "dim"), (part, style)))

    def _print(self, text: Text, *, indent: int = 0) -> None:
        """A line of our own words, wrapped at the width."""
        lines = text.wrap(self.console, max(20, self.width - indent)) if text.plain else [text]
        for line in lines:
            line.rstrip()
            self._out(Text(" " * indent).append_text(line))

    def _out(self, line: Text) -> None:
        line.plain = in_encoding(printable(line.plain), getattr(self.to, "encoding", None))
        self.console.print(line)

    def _refresh(self) -> None:
        if self.live is None:
            return
        rows = []
        for name, text in list(self.running.items())[:6]:
            rows.append(f"   … {name:<{self.name_width}}  {text}"[: self.width - 1])
        left = len(self.checks) - len(self.results)
        if left > len(rows):
            rows.append(f"     {left} to go")
        encoding = getattr(self.to, "encoding", None)
        self.live.update(Text(in_encoding("\n".join(rows), encoding), style="dim"))


LEFT_OUT = "left out by"  # as engine.select words it


class PlainConsole(Console):
    """A console whose closed pipe is an error like any other."""

    def on_broken_pipe(self) -> None:
        """Rich would end the process with 1, which is a verdict here."""
        raise BrokenPipeError


def stdout_console(*, off_terminal: int = 100) -> PlainConsole:
    """For a command's own screen: as wide as the terminal within reason, ``off_terminal`` columns in a pipe."""
    is_terminal = sys.stdout is not None and sys.stdout.isatty()  # None: it was closed before we were started
    size = shutil.get_terminal_size().columns if is_terminal else off_terminal
    width = max(NARROWEST, min(max(WIDEST, off_terminal), size))
    return PlainConsole(file=sys.stdout, width=width, highlight=False, markup=False, emoji=False)


_LOUD = {Status.FAIL, Status.ERROR}


def _is_rule(check: Check) -> bool:
    return check.step is None and check.stage is Stage.STATIC and not check.has_own_line


def _looks_at_the_text_alone(check: Check) -> bool:
    """What a rule found nothing in needs no line of its own; what was run to be looked at does."""
    return len(check.needs) <= 1


def _wrap(words: Sequence[str], width: int, between: str = " ") -> list[str]:
    """Lines of at most ``width`` cells, broken between words; a longer word stays whole, to be copied."""
    width = max(width, 16)
    lines, line = [], ""
    for word in words:
        joined = f"{line}{between}{word}" if line else word
        if line and cell_len(joined) > width:
            lines.append(line)
            line = word
        else:
            line = joined
    return [*lines, line]


def _shortened(text: str, *, is_whole: bool) -> str:
    return text if is_whole or len(text) <= LONGEST_CHANGE else text[: LONGEST_CHANGE - 6] + "… (-v)"


def next_command(report: Report) -> str:
    """The one thing to do now."""
    bad = (Status.FAIL, Status.ERROR, Status.BLOCKED, Status.UNKNOWN, Status.WARN)
    first = next((r for s in bad for r in report.results if r.status is s and not r.settled_by), None)
    if first is not None and first.blocked_by:
        first = next((r for r in report.results if r.check.id == first.blocked_by), first)
    app = report.target.app or ("--all" if report.target.apps else "APP")
    if report.verdict is Verdict.REHEARSED and any(r.assumed for r in report.results):
        return f"preflight run {app}"
    if report.verdict is Verdict.REHEARSED:
        return "preflight run APP   (your own app, with your Modal account)"
    if report.verdict is Verdict.CLEAN:
        return f"preflight run {app}"
    if report.verdict is Verdict.READY:
        return f"modal run --detach {report.target.app or 'APP'}"
    if report.verdict is Verdict.INTERRUPTED or first is None:
        return f"preflight run {app}"
    return f"preflight explain {first.check.name}"
