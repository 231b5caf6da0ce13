"""The project's own quality command passes.

Looks at: `[tool.preflight.lint] command`, run in the project's folder: its exit code. Its output is streamed, and it is
    ended after `timeout_s` (600 s).
Why it matters: A type error or a failing unit test that the team's own command would have shown costs an image build
    and the first minutes of a GPU when it shows on Modal instead.
How to fix: Run the command and correct what it names; or set another one.
Source: The seed checklist's `make q` (step 6).
"""

import re

from preflight.api import Answer, Check, Group, Looked, NotApplicable, Stage, error
from preflight.diagnosis import first_cause
from preflight.process import run_command

TARGET = re.compile(r"^(q|quality|lint|check|ci)\s*:", re.MULTILINE)
SHOWN_LINES = 12


async def run(looked: Looked) -> Answer | NotApplicable:
    settings = looked.settings
    command = settings.lint.command
    if command is None:
        return NotApplicable(f"no command is set in [tool.preflight.lint]{_suggestion(looked)}")
    ran = await run_command(
        command,
        cwd=settings.project,
        environ=settings.environ,
        timeout_s=settings.lint.timeout_s,
        say=looked.say,
    )
    seen = {"command": command, "code": ran.code, "seconds": round(ran.seconds, 1)}
    if ran.code == 0:
        return Answer(summary=f"`{command}` passed in {ran.seconds:.1f} s", seen=seen)
    cause = first_cause(ran.tail)
    finding = error(
        f"`{command}` {ran.outcome}" + (f": {cause.title}" if cause else ""),
        cause.remedy if cause else f"run `{command}` in {settings.project.name}/ and correct what it names",
        why="what the project's own command finds here, Modal would find after the image build",
        evidence=tuple(cause.excerpt.splitlines()) if cause else ran.tail[-SHOWN_LINES:],
    )
    return Answer(summary=f"`{command}` {ran.outcome}", seen=seen, findings=(finding,))


def _suggestion(looked: Looked) -> str:
    makefile = looked.settings.project / "Makefile"
    try:
        found = TARGET.search(makefile.read_text("utf-8", "replace")) if makefile.is_file() else None
    except OSError:
        return ""
    return f'; the Makefile has a target: command = "make {found.group(1)}"' if found else ""


CHECK = Check(
    id="PRJ001",
    name="project-lint",
    step=6,
    stage=Stage.STATIC,
    run=run,
    timeout_s=3600.0,
    about=(Group.FILES, Group.SETTINGS, Group.VERSIONS),
)
