"""The estimate on the screen: what it costs, whether it fits, whether it finishes, and what that rests on."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from preflight.model import Json
from preflight.report.screen import labelled
from preflight.report.text import in_encoding, one_line

LABEL = 9
FINISHES = {
    "yes": ("✓", "green"),
    "no": ("✗", "bold red"),
    "too-close": ("!", "yellow"),
    "unknown": ("⊘", "magenta"),
}
ANSWERS = {
    "yes": "and it finishes in time",
    "no": "and it will not finish in time",
    "too-close": "and whether it finishes in time is too close to call",
    "unknown": "and whether it finishes is not known",
}
ENDS = {0: ("OK", "bold green"), 1: ("NOT OK", "bold red"), 3: ("UNKNOWN", "bold magenta")}


def show(console: Console, document: dict[str, Json], *, rates_why: str = "") -> None:
    """``document`` is a preflight.estimate/1; ``rates_why`` says why the rates are not live."""
    name = f"{document['app']}::{document['function']}" if document["function"] else str(document["app"])
    world = f" · sandbox {document['sandbox']}: a local Modal, nothing billed" if document["sandbox"] else ""
    _line(console, "", f"preflight estimate · {name}{world}", "bold", label_style="bold")
    console.print()
    if document["usd"] is not None:
        _price(console, document, rates_why)
    _budget(console, document)
    _finish(console, document)
    for assumption in document["assumptions"]:
        _line(console, "assumes", assumption, "dim")
    console.print()
    _end(console, document)


def _end(console: Console, document: dict[str, Json]) -> None:
    word, style = ENDS[document["exit"]]
    if document["finishes"] == "too-close" and document["exit"] == 0:
        word, style = "TOO CLOSE", "bold yellow"
    text = str(document["reason"])
    if document["plan"] is not None and text == document["plan"]["reason"]:  # it stands above: not twice
        compared = "" if document["budget"]["left_usd"] is not None else "compared with no budget, "
        text = f"about ${document['budget']['needed_usd']:,.2f}, {compared}{ANSWERS[document['finishes']]}"
    _line(console, "", f"{word}: {text}", style)
    if document["remedy"]:
        _line(console, "fix", document["remedy"], "bold")


def _price(console: Console, document: dict[str, Json], rates_why: str) -> None:
    source = document["rates_source"]
    text = f"{document['gpu'] or 'no GPU'} at ${document['usd_per_hour']:.4f} an hour with cores and memory"
    _line(console, "rate", text)
    detail = ", ".join(f"{key} {usd:g}" for key, usd in document["rates"].items())
    _line(console, "", f"{'live rates' if source == 'live' else source}: {detail}", "dim")
    if source != "live":
        _line(
            console, "", f"live rates can't be had: {rates_why}" if rates_why else "live rates can't be had", "yellow"
        )
    plan = document["plan"]
    _line(console, "plan", f"{document['hours']:.6g} h = ${document['usd']:,.2f} ({plan['basis']})")
    if plan["usd"] is not None and plan["usd"] > document["usd"]:
        count = f"{plan['sessions']} sessions" if plan["sessions"] > 1 else "its start-up"
        _line(console, "", f"with {count}: {plan['hours']:.6g} h = ${plan['usd']:,.2f}")
    attempts = f" × {plan['attempts']} attempts" if plan["attempts"] > 1 else ""
    bound = (
        f"${document['upper_bound_usd']:,.2f} a start, if every attempt runs into its {plan['limit_hours']:.4g} h limit"
    )
    _line(console, "at most", bound + attempts)


def _budget(console: Console, document: dict[str, Json]) -> None:
    budget = document["budget"]
    over = budget["over_usd"] > 0 or budget["spend_limit_reached"]
    text = str(budget["reason"])
    if budget["spend_limit_reached"]:
        text += "; the spend limit is reached"
    elif budget["over_usd"] > 0:
        text += f", ${budget['over_usd']:,.2f} too little"
    if budget["spent_usd"] is not None and budget["left_usd"] is not None:
        text += f"; ${budget['spent_usd']:,.2f} spent this cycle"
    if budget["spend_limit_reached"] is None:
        known = f"${budget['left_usd']:,.2f} of {budget['of']}; " if budget["of"] else ""
        text = f"{known}the environment's budget is not known: {budget['reason']}"
    _line(console, "budget", text, "red" if over else "")


def _finish(console: Console, document: dict[str, Json]) -> None:
    plan = document["plan"]
    if plan is None:
        return
    glyph, style = FINISHES[document["finishes"]]
    _line(console, "finishes", f"{glyph} {document['finishes']}: {plan['reason']}", style)
    lost = plan["lost_hours_per_preemption"]
    if lost is None:
        _line(console, "preempted", "what one preemption loses is not known: how often a checkpoint is kept")
    else:
        _line(console, "preempted", f"one preemption loses up to {_hours(lost)} of work and start-up")


def _hours(hours: float) -> str:
    return f"{hours * 60:.3g} min" if hours < 1 else f"{hours:.3g} h"


def _line(console: Console, label: str, text: str, style: str = "", *, label_style: str = "dim") -> None:
    """One logical line, folded with a hanging indent; data is shown as data."""
    is_plain = not label and label_style == "bold"
    hanging = 0 if is_plain or (not label and style.startswith("bold")) else 3 + LABEL + 1
    body = Text(in_encoding(one_line(text), console.encoding), style=style)
    labelled(console, label, body, margin=3 if hanging else 0, column=hanging, style=label_style)
