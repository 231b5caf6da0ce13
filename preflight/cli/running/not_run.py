"""Whether a command of a rehearsal failed for want of what is not here, or as it would on Modal.

A package, a GPU, a network, real data and real values are not here: what fails for want of them proves nothing.
A name that is not defined fails everywhere.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from preflight.model import Answer

RAISED = re.compile(r"^[\s│]*([A-Za-z_][\w.]*(?:[Ee]rror|Exception|Failure|Timeout|Interrupt|Exit))(?:: (.*?))?[\s│]*$")
NO_MODULE = re.compile(r"No module named '([^'.]+)")
STAND_IN = re.compile(r"stand-in-for-(\w+)")
OURS = re.compile(
    r"(?:not run here: )(.+)|(\S+ is made up in this rehearsal: .+)|(the sandbox does not simulate [^│\n]+)"
)
NO_GPU = re.compile(
    r"not compiled with CUDA|No CUDA GPUs|no NVIDIA driver|CUDA error|CUDA driver|nvidia-smi|cuda is not available"
    r"|requires? (?:a )?(?:GPU|CUDA)|no GPU",
    re.IGNORECASE,
)
NO_NETWORK = re.compile(
    r"Name or service not known|Temporary failure in name resolution|Network is unreachable|getaddrinfo failed"
    r"|Max retries exceeded|Cannot connect to host|No address associated with hostname"
)
EVERYWHERE = frozenset(
    {"NameError", "UnboundLocalError", "SyntaxError", "IndentationError", "TabError", "ImageBuildError"}
)
WRONG_CALL = re.compile(r"unexpected keyword argument|missing \d+ required|takes \d+ positional|takes no arguments")
LONGEST = 160


def not_run_here(answer: Answer, modules: frozenset[str]) -> str:
    """What was not here, for `not run here: …`; "" where it would fail on Modal as well.

    ``modules`` are those of the project: what a container does not find of them is not mounted there either.
    """
    tail: Sequence[str] = answer.seen.get("tail", ())
    if answer.seen.get("code") is None:
        return f"it was stopped after {answer.seen.get('seconds', 0):.0f} s, with nothing wrong until then"
    text = "\n".join(tail)
    if found := OURS.search(text):
        return str(next(filter(None, found.groups()))).strip(" │")
    if found := STAND_IN.search(text):
        return f"needs the real value of {found[1]}"
    raised = next((m for line in reversed(tail) if (m := RAISED.match(line))), None)
    if raised is None:
        return f"exit code {answer.seen['code']}: {_last_words(tail)[:LONGEST]}"
    kind, message = raised[1].rpartition(".")[2], raised[2] or ""
    if missing := NO_MODULE.search(message):
        return "" if missing[1] in modules else f"needs {missing[1]}"
    if NO_GPU.search(message):
        return "needs a GPU"
    if NO_NETWORK.search(text):
        return "needs the network"
    if kind == "KeyError" and "environ" in text:
        return f"needs the variable {message.strip(chr(39))}"
    if kind in EVERYWHERE or (kind == "TypeError" and WRONG_CALL.search(message)):
        return ""
    return f"it stopped with {kind}{': ' if message else ''}{message}"[:LONGEST] + ", on data that was made up"


def _last_words(tail: Sequence[str]) -> str:
    """The last line, or all of the box that the client draws around its own error."""
    words = list[str]()
    for line in reversed(tail):
        if line.lstrip().startswith("╭"):
            break
        if text := line.strip(" │╰╯─"):
            words.insert(0, text)
        if words and "│" not in line:
            break
    return " ".join(words) or "it printed nothing"
