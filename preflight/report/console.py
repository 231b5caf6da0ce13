"""The screen: a live view that keeps checklist order on a terminal, append-only lines everywhere else."""

from __future__ import annotations

import shutil
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import TextIO

from rich.cells import cell_len
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
from preflight.report.baseline import Baseline
from preflight.report.next import next_command
from preflight.report.places import Places
from preflight.report.reporter import Reporter
from preflight.report.screen import NARROWEST, WIDEST, PlainConsole, columns, wrapped
from preflight.report.text import brief, in_encoding, one_line, printable, seconds
from preflight.report.words import command_line, part_of, verdict_word

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
    Verdict.READY: "bold green",
    Verdict.CLEAN: "bold green",
    Verdict.REHEARSED: "bold cyan",
    Verdict.NOT_READY: "bold red",
    Verdict.INCOMPLETE: "bold magenta",
    Verdict.INTERRUPTED: "bold magenta",
}
CONTINUED = "  "  # a long name goes on behind it: no line of ours begins with somebody else's words
MARGIN = 7  # columns before "why" and "fix"
EVIDENCE_LINES = 3  # without -v
CHANGED_LINES, LONGEST_CHANGE = 3, 200  # likewise; characters of one


class ConsoleReporter(Reporter):
    """``is_verbose`` shows every rule, every finding's evidence and the skipped checks' reasons; ``is_quiet`` nothing
    but what is wrong, and the verdict.
    """

    def __init__(
        self,
        to: TextIO,
        *,
        is_verbose: bool = False,
        width: int | None = None,
        says_next: Callable[[Report], str] | None = None,
        places: Places | None = None,
        is_quiet: bool = False,
        baseline: Baseline | None = None,
    ) -> None:
        self.to = to
        self.baseline = baseline
        self.places = places or Places()
        self.is_quiet = is_quiet
        self.says_next = says_next or next_command
        self.is_verbose = is_verbose
        size = width or (shutil.get_terminal_size().columns if to.isatty() else columns())
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
        target = self.target = self.places.target(target)
        self.name_width = max((len(c.name) for c in self.checks if not _is_rule(c)), default=8)
        parts = [f"preflight {preflight.__version__}"]
        if target.app:
            parts.append(one_line(target.app))
        if target.apps:
            parts.append(f"{len(target.apps)} apps: {one_line(', '.join(target.apps))}")
        if target.environment:
            parts.append(f"environment {one_line(target.environment)}")
        if target.sandbox:
            parts.append(f"sandbox {one_line(target.sandbox)}")
        if not self.is_quiet:
            for number, line in enumerate(wrapped(parts, self.width - len(CONTINUED), " · ")):
                self._out(Text(CONTINUED * bool(number) + line, style="bold"))
            self._print(Text())
        # FORCE_COLOR makes Rich take a log for a terminal: a live view needs a real one
        if self.to.isatty() and not self.console.is_dumb_terminal:
            self.live = Live(console=self.console, refresh_per_second=8, transient=True)
            self.live.start()
            self._refresh()

    def observe(self, event: Event) -> None:
        if isinstance(event, Result):
            self.results[event.check.id] = self.places.result(event)
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
        report = self.places.report(report)
        self.results = {r.check.id: r for r in report.results}  # what was settled is known at the end only
        shown_open = {c.id for c in self.checks[: self.shown]}
        self._show_ready(is_over=True)
        for result in report.results:
            if result.settled_by and result.check.id in shown_open:
                self._labelled("", f"{result.check.name}: settled by {result.settled_by}", "dim")
        for why, names in self.left_out.items():
            self._line("", Status.SKIP, f"{len(names)} left out", f"{why.strip()}: {', '.join(names)}", 0.0)
        passed_over = report.target.passed_over
        shown = passed_over if self.is_verbose else passed_over[:3]
        left = [f"{len(passed_over) - len(shown)} more (-v)"] if len(shown) < len(passed_over) else []
        for text in (*shown, *left):
            self._labelled("", f"not looked at: {text}", "yellow")
        if report.changed is not None:
            self._changed(report.changed)
        word, style = verdict_word(report.verdict), VERDICTS[report.verdict]
        part = part_of(report)
        assumed = [r for r in report.results if r.assumed]
        simulated = " (simulated)" if report.target.sandbox and report.spent_usd else ""
        parts = [f"{len(passed_over)} not looked at"] if passed_over else []
        fixable = sum(f.fix is not None and f.fix.is_safe for r in report.results for f in r.findings)
        parts += [
            *_tally(report),
            *([f"{fixable} fixable with lint --fix"] if fixable else []),
            f"spent ${report.spent_usd:.2f}{simulated}",
            seconds(report.seconds),
        ]
        if report.target.sandbox:
            parts.append("sandbox: no real cloud, GPU or bucket was looked at")
        if report.command_started is not None:
            parts.append(command_line(report))
        if self.baseline is not None and self.baseline.last is not None:
            parts.insert(0, f"against the baseline: {self.baseline.last}")
        if not self.is_quiet:
            self._print(Text())
        indent = len(word) + 3
        first, *rest = wrapped([f"({part})", *parts] if part else parts, self.width - indent, " · ")
        self._out(Text.assemble((word, style), "   ", first))
        for more in rest:
            self._out(Text(" " * indent + more))
        if assumed:
            for text in dict.fromkeys(r.assumed for r in assumed):
                self._labelled("", text)
            asked = ", ".join(r.check.name for r in report.results if r.assumed or r.is_left_out)
            self._labelled("", f"a real run still asks {asked}")
        if self.spent is not None and self.is_verbose:
            steps = f"{self.spent.steps} paid step{'s' if self.spent.steps != 1 else ''}"
            said = f"preflight has spent ${self.spent.usd:.2f} here, in {steps} since {self.spent.since:%Y-%m-%d}"
            self._out(Text(" " * indent + said, style="dim"))
        # a command stays whole, so that it can be copied
        self._out(Text.assemble(("next", "bold"), " " * max(1, len(word) - 1), one_line(self.says_next(report))))

    def _changed(self, changed: Changed) -> None:
        """What is not as it was at the last pass, in a few lines."""
        self._print(Text())
        count = len(changed.changes)
        if changed.since is not None:
            said = {0: "nothing that is kept differs", 1: "one thing differs"}.get(count, f"{count} things differ")
            self._print(Text(f"since the last pass ({changed.since:%Y-%m-%d %H:%M} UTC) {said}", style="bold"))
        shown = count if self.is_verbose else CHANGED_LINES
        for change in changed.changes[:shown]:
            self._labelled("", _shortened(change.text, is_whole=self.is_verbose))
        if count > shown:
            self._labelled("", f"… {count - shown} more (-v)", "dim")
        if changed.note:
            self._labelled("", changed.note, "dim")

    # --- lines ----------------------------------------------------------------------------------------------------

    def _is_told(self, check_id: str) -> bool:
        return any(c.id == check_id for c in self.checks)

    def _show_ready(self, *, is_over: bool = False) -> None:
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
            if not is_over and self._is_told(result.blocked_by) and result.blocked_by not in self.results:
                return  # whether that check explains it is known when it has answered
            if self.is_quiet and result.status in (Status.PASS, Status.SKIP):
                self.shown += 1
                continue
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
        own = [
            r
            for r in results
            if r.status is Status.PASS and not _looks_at_the_text_alone(r.check) and not self.is_quiet
        ]
        loud = [r for r in results if r.status not in (Status.PASS, Status.SKIP) or r in own]
        quiet = [r for r in results if r.status is Status.PASS and r not in own]
        advice = sum(len(r.findings) for r in quiet)
        if (quiet or not loud) and not self.is_quiet:
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
            root = self.results.get(result.blocked_by)
            said = f"blocked by {self._name_of(result.blocked_by)}"
            # the true cause: where the check that explains it found nothing wrong, or is no part of the run
            if root is not None and root.status in (Status.PASS, Status.WARN):
                said = result.reason
            elif self.is_verbose or root is None:
                said += f": {result.reason}"
        findings = list(result.findings) if self.is_verbose else [f for f in result.findings if f.severity != "info"]
        messages = {f.message for f in findings}
        if len(messages) == 1:
            said = findings[0].message
        glyph = ASSUMED if result.assumed else None
        self._line(str(check.step or ""), result.status, check.name, said, result.seconds, glyph)
        same: dict[tuple[str, str, Severity], list[Finding]] = {}
        for found in findings:
            same.setdefault((found.why, found.remedy, found.severity), []).append(found)
        for group in same.values():
            self._findings(group, is_message_shown=len(messages) == 1)

    def _findings(self, group: Sequence[Finding], *, is_message_shown: bool) -> None:
        """What has one reason and one fix is told together, with its places."""
        places: dict[str, list[str]] = {}
        for found in group:
            places.setdefault(found.message, []).extend([str(found.where)] if found.where else [])
        for message, all_of_them in places.items():
            is_folded = len(all_of_them) > 4 and not self.is_verbose
            shown = [*all_of_them[:3], f"{len(all_of_them) - 3} more (-v)"] if is_folded else all_of_them
            where = ", ".join(shown)
            if not is_message_shown:
                style = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.INFO: "dim"}[group[0].severity]
                self._labelled("", (f"{where}: " if where else "") + message, style)
            elif where:
                self._labelled("at", where)
        if group[0].why:
            self._labelled("why", group[0].why)
        if group[0].remedy:
            self._labelled("fix", group[0].remedy, "bold")
        said = " ".join(places)
        lines = dict.fromkeys(line for f in group for line in f.evidence if line.strip() and line.strip() not in said)
        evidence = [*lines]
        for line in evidence if self.is_verbose else evidence[:EVIDENCE_LINES]:
            self._labelled("|", line, "dim")
        left = 0 if self.is_verbose else len(evidence) - EVIDENCE_LINES
        if left > 0:
            self._labelled("|", f"… {left} more line{'s' if left > 1 else ''} (-v)", "dim")

    def _name_of(self, check_id: str) -> str:
        return next((c.name for c in self.checks if c.id == check_id), check_id)

    def _line(
        self, step: str, status: Status, name: str, said: str, took: float, drawn: tuple[str, str] | None = None
    ) -> None:
        mark, style = drawn or GLYPHS[status]
        line = Text()
        line.append(f"{step:>2} ")
        line.append(mark, style=style)
        line.append(f" {name:<{self.name_width}}  ", style="bold" if status in _LOUD else "")
        start = len("   ") + 2 + self.name_width + 2
        clock = seconds(took) if took >= 0.05 else ""
        # the first line ends before the clock, and begins later behind a rule's name that is longer than the column
        behind = cell_len(line.plain) - start + (len(clock) + 2 if clock else 0)
        first, *rest = wrapped(self._words(said), self.width - start, behind=behind)
        line.append(first, style="dim" if status is Status.SKIP else "")
        if clock:
            line.append(" " * max(2, self.width - cell_len(line.plain) - len(clock)) + clock, style="dim")
        self._out(line)
        for more in rest:
            self._out(Text(" " * start + more, style="dim" if status is Status.SKIP else ""))

    def _words(self, text: str) -> list[str]:
        text = one_line(text)
        return (text if self.is_verbose else brief(text)).split(" ")

    def _labelled(self, label: str, text: str, style: str = "") -> None:
        start = MARGIN + (6 if label not in ("", "|") else len(label) + (1 if label else 0))
        for n, part in enumerate(wrapped(self._words(text), self.width - start)):
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


_LOUD = {Status.FAIL, Status.ERROR}


def _is_rule(check: Check) -> bool:
    return check.step is None and check.stage is Stage.STATIC and not check.has_own_line


def _looks_at_the_text_alone(check: Check) -> bool:
    """What a rule found nothing in needs no line of its own; what was run to be looked at does."""
    return len(check.needs) <= 1


def _tally(report: Report) -> list[str]:
    """``2 ✗ failed``: the counts, and the meaning of each mark on the screen."""
    assumed = sum(bool(r.assumed) and r.status is Status.SKIP for r in report.results)
    settled = sum(bool(r.settled_by) for r in report.results)
    parts = []
    for status in WORST_FIRST:
        count = report.counts[status] - (assumed if status is Status.SKIP else 0)
        count -= settled if status is Status.UNKNOWN else 0
        if count > 0:
            parts.append(f"{count} {GLYPHS[status][0]} {WORDS[status]}")
    parts += [f"{settled} ? settled"] if settled else []
    return parts + ([f"{assumed} {ASSUMED[0]} assumed"] if assumed else [])


def _shortened(text: str, *, is_whole: bool) -> str:
    return text if is_whole or len(text) <= LONGEST_CHANGE else text[: LONGEST_CHANGE - 6] + "… (-v)"
