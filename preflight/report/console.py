"""The screen: a live view that keeps checklist order on a terminal, append-only lines everywhere else."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import KW_ONLY, dataclass, field
from itertools import takewhile
from typing import TextIO

from rich.cells import cell_len
from rich.live import Live
from rich.text import Text

import preflight
from preflight.changes import Changed
from preflight.engine.select import in_order, is_rule
from preflight.events import Event, Priced, Progress, Reporter, SpentSoFar, Started, Waiting
from preflight.model import WORST_FIRST, Check, Finding, Report, Result, Severity, Status, Target, Verdict
from preflight.report.baseline import Baseline, Compared
from preflight.report.next import next_command
from preflight.report.ordered import command_line, grouped, part_of, verdict_word
from preflight.report.places import Places
from preflight.report.screen import NARROWEST, WIDEST, PlainConsole, columns, wrapped
from preflight.report.text import brief, in_encoding, one_line, printable, seconds
from preflight.wording import counted

MARKS = {  # of a status: its glyph, the glyph's style, and how the last line counts it
    Status.PASS: ("✓", "green", "passed"),
    Status.WARN: ("!", "yellow", "warned"),
    Status.FAIL: ("✗", "bold red", "failed"),
    Status.SKIP: ("-", "dim", "skipped"),
    Status.BLOCKED: ("⊘", "magenta", "blocked"),
    Status.UNKNOWN: ("?", "magenta", "unknown"),
    Status.ERROR: ("E", "bold magenta", "unanswered"),
}
ASSUMED = ("~", "cyan", "assumed")  # a rehearsal made up what the answer rests on
STYLES = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.INFO: "dim"}
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
FEW = 3  # of places, changes and lines of evidence, without -v
LONGEST_CHANGE = 200  # characters, likewise
LEFT_OUT = "left out by "  # as engine.select words it


@dataclass(eq=False)
class ConsoleReporter(Reporter):
    """``is_verbose`` shows every rule, every finding's evidence and the skipped checks' reasons; ``is_quiet`` nothing
    but what is wrong, and the verdict.  A ``width`` of 0 is the terminal's.
    """

    to: TextIO
    _: KW_ONLY
    width: int = 0
    is_verbose: bool = False
    is_quiet: bool = False
    says_next: Callable[[Report], str] = next_command
    places: Places = field(default_factory=Places)
    baseline: Baseline | None = None
    checks: tuple[Check, ...] = field(default=(), init=False)
    names: dict[str, str] = field(default_factory=dict, init=False)  # of the checks, by id
    results: dict[str, Result] = field(default_factory=dict, init=False)
    running: dict[str, str] = field(default_factory=dict, init=False)  # name -> last line of progress
    shown: int = field(default=0, init=False)
    live: Live | None = field(default=None, init=False)
    spent: SpentSoFar | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        size = self.width or (shutil.get_terminal_size().columns if self.to.isatty() else columns())
        self.width = max(NARROWEST, min(WIDEST, size))
        self.console = PlainConsole(
            file=self.to, width=self.width, highlight=False, markup=False, emoji=False, soft_wrap=True
        )

    def begin(self, target: Target, checks: Sequence[Check]) -> None:
        self.checks = in_order(checks)
        self.names = {c.id: c.name for c in self.checks}
        self.name_width = max((len(c.name) for c in self.checks if not is_rule(c)), default=8)
        target = self.places.target(target)
        about = {
            "": target.app,
            f"{len(target.apps)} apps: ": ", ".join(target.apps),
            "environment ": target.environment,
            "sandbox ": target.sandbox,
        }
        if not self.is_quiet:
            parts = [f"preflight {preflight.__version__}", *(one_line(k + text) for k, text in about.items() if text)]
            for number, line in enumerate(wrapped(parts, self.width - len(CONTINUED), " · ")):
                self._out(Text(CONTINUED * bool(number) + line, style="bold"))
            self._out(Text())
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
                self._labelled("", f"{event.name}: {event.text}", "dim")
        elif isinstance(event, Priced):
            self._labelled("", f"{event.check.name}: up to ${event.price.usd:.2f} ({event.price.basis})", "dim")
        elif isinstance(event, SpentSoFar):
            self.spent = event
        elif isinstance(event, Waiting):
            names = ", ".join(event.names)
            self._labelled("", f"waiting {event.seconds:.0f} s for {names}; {event.left_s:.0f} s left")
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
        left_out = [r for r in report.results if r.is_left_out and not is_rule(r.check)]
        for option, same in grouped([] if self.is_verbose or self.is_quiet else left_out, _option).items():
            names = ", ".join(r.check.name for r in same)
            self._line(Status.SKIP, f"{len(same)} left out", f"{option}: {names}")
        for text in self._few(report.target.passed_over):
            self._labelled("", f"not looked at: {text}", "yellow")
        if report.changed is not None:
            self._changed(report.changed)
        word, style = verdict_word(report.verdict), VERDICTS[report.verdict]
        if not self.is_quiet:
            self._out(Text())
        indent = len(word) + 3
        parts = _summary(report, self.baseline.last if self.baseline else None)
        for number, line in enumerate(wrapped(parts, self.width - indent, " · ")):
            self._out(Text.assemble((word, style), "   ", line) if number == 0 else Text(" " * indent + line))
        assumed = dict.fromkeys(r.assumed for r in report.results if r.assumed)
        if assumed:
            for text in assumed:
                self._labelled("", text)
            left = ", ".join(r.check.name for r in report.results if r.assumed or r.is_left_out)
            self._labelled("", f"a real run still asks {left}")
        if self.spent is not None and self.is_verbose:
            steps = counted(self.spent.steps, "paid step")
            text = f"preflight has spent ${self.spent.usd:.2f} here, in {steps} since {self.spent.since:%Y-%m-%d}"
            self._out(Text(" " * indent + text, style="dim"))
        # a command stays whole, so that it can be copied
        self._out(Text.assemble(("next", "bold"), " " * max(1, len(word) - 1), one_line(self.says_next(report))))

    def _changed(self, changed: Changed) -> None:
        """What is not as it was at the last pass, in a few lines."""
        self._out(Text())
        count = len(changed.changes)
        if changed.since is not None:
            many = {0: "nothing that is kept differs", 1: "one thing differs"}.get(count, f"{count} things differ")
            text = f"since the last pass ({changed.since:%Y-%m-%d %H:%M} UTC) {many}"
            for line in wrapped(text.split(" "), self.width):
                self._out(Text(line, style="bold"))
        for text in self._few([c.text for c in changed.changes]):
            is_whole = self.is_verbose or len(text) <= LONGEST_CHANGE
            self._labelled("", text if is_whole else text[: LONGEST_CHANGE - 6] + "… (-v)")
        if changed.note:
            self._labelled("", changed.note, "dim")

    # --- lines ----------------------------------------------------------------------------------------------------

    def _show_ready(self, *, is_over: bool = False) -> None:
        """Prints the results whose predecessors in the checklist have all been printed."""
        hidden = (Status.PASS, Status.SKIP) if self.is_quiet else ()
        while self.shown < len(self.checks):
            rules = [] if self.is_verbose else [*takewhile(is_rule, self.checks[self.shown :])]
            ready = [self.results[c.id] for c in rules or [self.checks[self.shown]] if c.id in self.results]
            if len(ready) < max(1, len(rules)):
                return
            if rules:
                self._show_rules(ready)
            elif not is_over and ready[0].blocked_by in self.names.keys() - self.results.keys():
                return  # whether that check explains it is known when it has answered
            elif ready[0].status not in hidden and (self.is_verbose or not ready[0].is_left_out):
                self._show(ready[0])
            self.shown += len(ready)

    def _show_rules(self, results: Sequence[Result]) -> None:
        """Static rules in one line when nothing is wrong; each one that found something gets its own."""
        passed = [r for r in results if r.status is Status.PASS]
        # what a rule found nothing in needs no line of its own; what was run to be looked at does
        own = [r for r in passed if len(r.check.needs) > 1 and not self.is_quiet]
        loud = [r for r in results if r.status not in (Status.PASS, Status.SKIP) or r in own]
        quiet = [r for r in passed if r not in own]
        advice = sum(len(r.findings) for r in quiet)
        if (quiet or not loud) and not self.is_quiet:
            text = f"{len(quiet)} of {len(results)} rules looked at the app and found nothing"
            if not quiet:
                text = f"none of {len(results)} rules had anything to look at"
            if advice:
                text += f" but {counted(advice, 'piece of advice')} (-v)"
            status = Status.PASS if quiet else Status.SKIP
            self._line(status, "app-rules", text, max(r.seconds for r in results))
        for result in loud:
            if result.findings or result in own:
                self._show(result)
        wordless = (r for r in loud if not r.findings and r not in own)
        for (status, reason), same in grouped(wordless, lambda r: (r.status, r.reason)).items():
            name, count = ("app-rules", f"{len(same)} rules: ") if len(same) > 1 else (same[0].check.name, "")
            self._line(status, name, count + reason)

    def _show(self, result: Result) -> None:
        text = result.reason
        if result.settled_by:
            text = f"settled by {result.settled_by}: {text}"
        if result.assumed:
            text = f"assumed: {text}"
        if result.status is Status.BLOCKED and result.blocked_by:
            root = self.results.get(result.blocked_by)
            # the true cause: where the check that explains it found nothing wrong, or is no part of the run
            if root is None or root.status not in (Status.PASS, Status.WARN):
                more = f": {result.reason}" if self.is_verbose or root is None else ""
                text = f"blocked by {self.names.get(result.blocked_by, result.blocked_by)}{more}"
        findings = [f for f in result.findings if self.is_verbose or f.severity is not Severity.INFO]
        is_one = len({f.message for f in findings}) == 1
        text = findings[0].message if is_one else text
        self._line(result.status, result.check.name, text, result.seconds, of=result)
        for same in grouped(findings, lambda f: (f.why, f.remedy, f.severity)).values():
            self._findings(same, is_message_shown=is_one)

    def _findings(self, same: Sequence[Finding], *, is_message_shown: bool) -> None:
        """What has one reason and one fix is told together, with its places."""
        by_message = grouped(same, lambda f: f.message)
        for message, found in by_message.items():
            where = ", ".join(self._few([str(f.where) for f in found if f.where]))
            if not is_message_shown:
                self._labelled("", (f"{where}: " if where else "") + message, STYLES[same[0].severity])
            elif where:
                self._labelled("at", where)
        if same[0].why:
            self._labelled("why", same[0].why)
        if same[0].remedy:
            self._labelled("fix", same[0].remedy, "bold")
        messages = " ".join(by_message)
        lines = (line for f in same for line in f.evidence if line.strip() and line.strip() not in messages)
        for line in self._few([*dict.fromkeys(lines)]):
            self._labelled("|", line, "dim")

    def _few(self, texts: Sequence[str]) -> Sequence[str]:
        """The first, and how many more there are; all of them for the verbose, and where one alone would be missing."""
        if self.is_verbose or len(texts) <= FEW + 1:
            return texts
        return [*texts[:FEW], f"… {len(texts) - FEW} more (-v)"]

    def _line(self, status: Status, name: str, text: str, took: float = 0.0, of: Result | None = None) -> None:
        mark, style, _ = ASSUMED if of is not None and of.assumed else MARKS[status]
        step = of.check.step if of is not None else None
        line = Text()
        line.append(f"{step or '':>2} ")
        line.append(mark, style=style)
        line.append(f" {name:<{self.name_width}}  ", style="bold" if status in (Status.FAIL, Status.ERROR) else "")
        start = len("   ") + 2 + self.name_width + 2
        clock = seconds(took) if took >= 0.05 else ""
        # the first line ends before the clock, and begins later behind a rule's name that is longer than the column
        behind = cell_len(line.plain) - start + (len(clock) + 2 if clock else 0)
        first, *rest = wrapped(self._words(text), self.width - start, behind=behind)
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
        start = MARGIN + {"": 0, "|": 2}.get(label, 6)
        for n, part in enumerate(wrapped(self._words(text), self.width - start)):
            head = (" " * MARGIN + f"{label:<{start - MARGIN}}") if n == 0 else " " * start
            self._out(Text.assemble((head, "dim"), (part, style)))

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


def _option(result: Result) -> str:
    """The option or setting that leaves it out."""
    return result.reason.removeprefix(LEFT_OUT).split(":")[0]


def _summary(report: Report, compared: Compared | None) -> list[str]:
    """What stands behind the verdict; the counts are the legend of the marks as well: ``2 ✗ failed``."""
    settled = sum(bool(r.settled_by) for r in report.results)
    assumed = sum(bool(r.assumed) and r.status is Status.SKIP for r in report.results)
    counts = {**report.counts}
    counts[Status.UNKNOWN] -= settled
    counts[Status.SKIP] -= assumed
    part = part_of(report)
    fixable = sum(f.fix is not None and f.fix.is_safe for r in report.results for f in r.findings)
    simulated = " (simulated)" if report.target.sandbox and report.spent_usd else ""
    parts = [
        part and f"({part})",
        compared and f"against the baseline: {compared}",
        report.target.passed_over and f"{len(report.target.passed_over)} not looked at",
        *(f"{counts[s]} {MARKS[s][0]} {MARKS[s][2]}" for s in WORST_FIRST if counts[s]),
        settled and f"{settled} ? settled",
        assumed and f"{assumed} {ASSUMED[0]} {ASSUMED[2]}",
        fixable and f"{fixable} fixable with lint --fix",
        f"spent ${report.spent_usd:.2f}{simulated}",
        seconds(report.seconds),
        report.target.sandbox and "sandbox: no real cloud, GPU or bucket was looked at",
        report.command_started is not None and command_line(report),
    ]
    return [str(part) for part in parts if part]
