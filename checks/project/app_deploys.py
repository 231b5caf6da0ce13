"""The real client would deploy the app as its text is read.

Looks at: What `modal deploy` asks a local stand-in of Modal for, once with `--record` or `record = true` in
    `[tool.preflight]`: functions with GPU, timeouts, CPU, memory, retries, secrets and their keys, mounts, and the
    image's commands as the builder renders them. It is compared with what the text was read as; what the text leaves
    open is filled for every other check. This runs the top level of your file, as `modal run` does: in a child process,
    for at most 60 s, without credentials and with the network closed. Without `--record` nothing of yours is run.
Why it matters: A top level that raises stops `modal deploy` after you have walked away; and every static check stands
    on the text being read as Modal will run it.
How to fix: Correct the line that it names. Where the two differ, write the value where a reader can see it.
Source: The requests of modal 1.6.4, against preflight's own control plane.
"""

import sys
from collections.abc import Iterator

from preflight.api import Answer, Check, Finding, Looked, NotApplicable, Recipe, Stage, Where, advice, error, warning
from preflight.app.lookups import READING
from preflight.discover.compare import Difference, differences
from preflight.discover.merge import filled
from preflight.discover.recorder import RECORDING, NotRecorded, Obstacle
from preflight.wording import counted

READS_FILES = frozenset(
    "add_local_dir add_local_file pip_install_from_requirements pip_install_from_pyproject uv_sync "
    "poetry_install_from_file from_dockerfile".split()
)
REMEDIES = {"FileNotFoundError": "make it, or give its path from the file: Path(__file__).parent / …"}
UNKNOWN = "the checks stand on the text alone"
WORDS = {  # what was seen, what to do, and what it costs; an obstacle that is ours says that nothing is known
    Obstacle.RAISED: ("`modal deploy {path}` stops: {said}", "", "nothing would be deployed or run"),
    Obstacle.EXITED: (
        "`modal deploy {path}` ends before it deploys: {said}",
        'move it under `if __name__ == "__main__":`, or into a function',
        "the container imports the file too, and would end the same way",
    ),
    Obstacle.VARIABLE: (
        "not recorded: the top level reads os.environ[{said!r}], which is not set here",
        'export {said}=… as where you deploy, or read it with os.environ.get("{said}", …)',
        UNKNOWN,
    ),
    Obstacle.MODULE: (
        "not recorded: {said} in {python}",
        "run preflight with the Python that deploys the app, or import it inside the function",
        UNKNOWN,
    ),
    Obstacle.NETWORK: (
        "not recorded: the top level asks the network, which is closed here: {said}",
        "ask for it inside the function that needs it: every container's start runs the top level too",
        UNKNOWN,
    ),
    Obstacle.SERVER: (
        "not recorded: the top level asks Modal for what is not here: {said}",
        "leave from_name() lazy at the top level: no hydrate(), no remote(), no lookup there",
        UNKNOWN,
    ),
    Obstacle.TIME: (
        "not recorded: {said}",
        "move the slow work into a function; a large add_local_dir can be a Volume instead",
        "`modal run` and each container's start take as long",
    ),
}
NOT_ASKED = "not asked for: --record runs the app's top level against a local stand-in of Modal"


async def run(looked: Looked) -> Answer | NotApplicable:
    recipe, recording = looked[READING], looked[RECORDING]
    if recording is None:
        return NotApplicable(f"{recipe.source.path} does not parse" if recipe.broken else NOT_ASKED)
    if isinstance(recording, NotRecorded):
        return Answer(
            summary=f"not recorded: {recording.message}",
            seen={"obstacle": recording.obstacle, "said": recording.message},
            findings=(_obstacle(recording, recipe),),
        )
    found = differences(recipe, recording)
    open_ended = {f.name: list(f.recorded) for f in filled(recipe, recording).functions if f.recorded}
    said = f"{counted(len(recording.functions), 'function') or 'no function'} for builder {recording.builder}"
    said += f"; {counted(len(found), 'difference')} from the text" if found else "; the text says the same"
    said += f"; {counted(sum(map(len, open_ended.values())), 'open value')} filled" if open_ended else ""
    said += "; another program than Python could reach the network" if recording.closed_by != "kernel" else ""
    seen = {
        "apps": list(recording.apps),
        "functions": [f.name for f in recording.functions],
        "builder": recording.builder,
        "requests": recording.requests,
        "network_closed_by": recording.closed_by,
        "filled": open_ended,
    }
    return Answer(summary=said, seen=seen, findings=tuple(_different(d) for d in found))


def _different(difference: Difference) -> Finding:
    """The environment may decide, or a function may be deployed by nobody: that is told, and no warning."""
    d = difference
    if not d.is_about_a_value:
        if d.recorded == "deployed":
            return warning(
                f"{d.subject} is deployed, and the text was read without it: no other check has looked at it",
                "define it at the file's top level, with its decorator written out",
                d.where,
            )
        return advice(f"{d.subject} is in the text, and `modal deploy` does not deploy it", "", d.where)
    message = f"{d.subject}: the text was read as {d.read}, the client asks for {d.recorded}"
    if d.unless:
        return advice(message, f"set {d.unless} here as it is set where you deploy", d.where)
    return warning(
        message,
        "write the value where the decorator stands; until then the client is right and the checks saw the text's",
        d.where,
        why="the other checks judged something that is not what would be deployed",
    )


def _obstacle(stopped: NotRecorded, recipe: Recipe) -> Finding:
    message, remedy, why = WORDS[stopped.obstacle]
    if stopped.obstacle is Obstacle.RAISED:
        remedy = REMEDIES.get(stopped.message.split(":")[0], "correct what it names")
        remedy = f"correct {stopped.where}" if stopped.where else remedy
    words = {"path": recipe.source.path, "said": stopped.message, "python": sys.executable}
    return (error if stopped.is_the_apps else warning)(
        message.format(**words),
        remedy.format(**words),
        stopped.where or next(_steps_named(stopped.message, recipe), None),
        why=why,
        evidence=(stopped.line,) if stopped.line else (),
    )


def _steps_named(said: str, recipe: Recipe) -> Iterator[Where]:
    """The image steps whose path the client's words name: it reads local files when the top level is over."""
    for step in (step for image in recipe.images for step in image.steps if step.method in READS_FILES):
        paths = [a for a in step.args if isinstance(a, str) and a.strip("./")]
        if any(p.lstrip("./") in said for p in paths[:1]):
            yield step.where


CHECK = Check(id="PRJ980", stage=Stage.STATIC, needs=(READING, RECORDING), run=run, explains=(RECORDING,))
