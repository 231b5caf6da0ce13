"""How a log ends, and what its last part makes of the exceptions before: survived, handled, or the end of the program.

It reads the last 128 KiB only, so that the length of a log costs nothing. Places are byte offsets into the whole log.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from preflight.diagnosis.records import Piece, pieces
from preflight.diagnosis.rules import How, endings, rulebook

TAIL_BYTES = 1 << 17
WORTH = 2  # of success to outweigh what stands before it: a bar may be drawn once more after the program has died
BAR = re.compile(r"(?<!100)%\|")
TRACEBACK = re.compile(r"Traceback \(most recent call last\)")
JOINT = re.compile(r"(During handling of the above exception)|direct cause of the following exception")
RAISES = re.compile(r"\braise\b|raise_for_status|_raise\w*\(|reraise|translate_\w*error")
BEFORE, AFTER = 24, 8  # lines of the excerpt around what failed
LAST_LINES = 3
LAST_WORDS = re.compile(
    r"(?i)(?<!\b0 )\b(?:fail(?:ed|s|ure)?|errors?|unable to|can(?:no|')t|could(?:n't| not)|denied|refused|invalid|"
    r"aborted|insufficient|not found|timed? ?out|killed|exception|unauthorized|forbidden|terminated|crashed|no such)\b"
)
RULER = re.compile(r"[=─━*#-]{6,}")
FRAME = re.compile(r"\s|File |\^|~|$|[│|╭╰]")
SAME_WORDS = 12  # characters of a first exception's message that the last one must repeat to be its translation
EPOCH = re.compile(r"(?i)(?:^|[^\w])epoch\W{0,4}(\d{1,6})\b")
NOT_FINITE = re.compile(r"(?i)\bloss\w*['\"]?\s{0,3}[:=]?\s{0,3}(?:tensor\()?['\"]?[-+]?(?:nan|inf)\b")
MEASURED = re.compile(r"(?i)\bloss\w*['\"]?\s{0,3}[:=]?\s{0,3}(?:tensor\()?['\"]?[-+]?(?:\d|nan|inf)")
FIRST_EPOCHS = 1  # programs count from 0 or from 1


@dataclass(frozen=True, kw_only=True)
class Handled:
    """An exception that was being handled when another came, each with its place.

    ``is_translated``: the handler only put it otherwise.
    """

    first: range
    last: range
    is_translated: bool


@dataclass(frozen=True, kw_only=True)
class Story:
    """``fatal`` is the last line that tells of a failure; ``shown`` says best what failed: the last that is not only a
    wrapper around another, with ``around`` it other lines. ``successes`` are the lines that tell of one, each with
    what it is worth.
    """

    fatal: Piece | None = None
    shown: Piece | None = None
    around: tuple[Piece, ...] = ()
    successes: tuple[tuple[Piece, int], ...] = ()
    handled: tuple[Handled, ...] = ()
    restarted_at: Piece | None = None
    last_loss_is_finite: bool = True

    def ended_well(self, failed_at: int) -> bool:
        """``failed_at``: where the last sign of a failure in the whole log stands, -1 where there is none."""
        origin = self.fatal.origin if self.fatal and self.fatal.at == failed_at else ""
        return failed_at < 0 or self._worth(failed_at, None, origin) >= WORTH

    def was_survived(self, at: int, origin: str, failed_at: int) -> bool:
        """A success of the same program follows what stands here, before the last failure or after it."""
        if failed_at > at and self._worth(at, failed_at, origin) >= WORTH:
            return True
        return self._worth(max(at, failed_at), None, origin) >= WORTH

    def _worth(self, start: int, stop: int | None, origin: str) -> int:
        return sum(
            worth
            for piece, worth in self.successes
            if piece.at > start and (stop is None or piece.at < stop) and piece.origin == origin
        )


def how(text: str) -> How | None:
    """What one line says about the end of the program; None for an ordinary line."""
    ways = endings()
    for kind in (How.NOISE, How.WRAPPER, How.KILLED, How.BADLY, How.WELL, How.ON):
        if ways[kind].search(text):
            return None if kind in (How.WELL, How.ON) and rulebook().lines.not_well.search(text) else kind
    return None


def story(tail: bytes, at: int, line: int) -> Story:
    """``tail`` begins at this offset of the log, in this line."""
    lines = list(pieces(tail, at, line))
    fatal = shown = wrapper = None
    successes: list[tuple[Piece, int]] = []
    for piece in lines:
        kind = how(piece.text)
        if kind in (How.WELL, How.ON):
            successes.append((piece, 1 if BAR.search(piece.text) else WORTH))
        elif kind in (How.BADLY, How.KILLED, How.WRAPPER):
            fatal = piece
            if kind is How.WRAPPER:
                wrapper = piece
            else:
                shown = piece
    if fatal is None and not successes:
        fatal = shown = _last_words(lines)
    if shown is None or any(
        p.at > shown.at and p.origin == shown.origin for p, _ in successes if fatal and p.at < fatal.at
    ):
        shown = wrapper and _wrapped(wrapper, lines)
    losses = [p.text for p in lines if MEASURED.search(p.text)][-2:]
    return Story(
        fatal=fatal,
        shown=_named(shown, lines) if shown else None,
        around=_around(shown, lines) if shown else (),
        successes=tuple(successes),
        handled=tuple(_handled(lines)),
        restarted_at=_restart(lines),
        last_loss_is_finite=not losses or not all(NOT_FINITE.search(text) for text in losses),
    )


def _around(shown: Piece, lines: Sequence[Piece]) -> tuple[Piece, ...]:
    place = lines.index(shown)
    found = lines[max(0, place - BEFORE) : place + AFTER]
    return tuple(p for p in found if p.text or p is not found[-1])


def _last_words(lines: Sequence[Piece]) -> Piece | None:
    """A log that tells of no success and ends in words of failure has failed, in whatever form it says so."""
    soft = rulebook().lines
    for piece in [p for p in lines if p.text.strip()][-LAST_LINES:]:
        is_soft = any(kind.search(piece.text) for kind in (soft.warned, soft.caught, soft.retried, soft.harmless))
        if LAST_WORDS.search(piece.text) and how(piece.text) is None and not is_soft:
            return piece
    return None


def _named(shown: Piece, lines: Sequence[Piece]) -> Piece:
    """The line itself, or what stands in the box that it opens."""
    if shown.text.lstrip().startswith("╭"):
        place = lines.index(shown)
        return next((p for p in lines[place + 1 : place + 3] if p.text.strip(" │╰─╯")), shown)
    return shown


def _wrapped(wrapper: Piece, lines: Sequence[Piece]) -> Piece:
    """What a wrapper points to: the line below where it ends in a colon, else the nearest above that says something."""
    place = lines.index(wrapper)
    below = [p for p in lines[place + 1 : place + 3] if p.text.strip()]
    if wrapper.text.endswith(":") and below and not FRAME.match(below[0].text) and not RULER.match(below[0].text):
        return below[0]
    return next((p for p in reversed(lines[max(0, place - 8) : place]) if _says_something(p.text)), wrapper)


def _says_something(text: str) -> bool:
    return (
        bool(re.search(r"[A-Za-z]{3}", text))
        and not FRAME.match(text)
        and how(text) not in (How.WRAPPER, How.NOISE, How.WELL)
    )


def _handled(lines: Sequence[Piece]) -> list[Handled]:
    """Each exception that another one followed "during handling"; those of a "direct cause" stay the root."""
    found = []
    opened = -1
    for place, piece in enumerate(lines):
        joint = JOINT.search(piece.text)
        if TRACEBACK.search(piece.text):
            opened = place
        elif joint and joint[1]:
            start = opened if opened >= 0 else max(0, place - 1)
            stop = _end_of_segment(lines, place)
            first, last = range(lines[start].at, piece.at), range(piece.at, lines[stop - 1].at + 2)
            is_same = _repeats(_message(lines[start:place]), _message(lines[place:stop]))
            is_translated = is_same or _is_raised(lines, place, stop)
            found.append(Handled(first=first, last=last, is_translated=is_translated))
    return found


def _end_of_segment(lines: Sequence[Piece], place: int) -> int:
    """One past the exception that the handler of the one above ended with."""
    tracebacks = 0
    for at in range(place + 1, len(lines)):
        text = lines[at].text
        if JOINT.search(text):
            return at
        if TRACEBACK.search(text):
            tracebacks += 1
            if tracebacks == 2:
                return at
        elif tracebacks and how(text) is How.BADLY and not FRAME.match(text):
            return min(len(lines), at + 2)
    return len(lines)


def _message(lines: Sequence[Piece]) -> str:
    """The last of these lines that is not indented."""
    return next((p.text.strip() for p in reversed(lines) if p.text.strip() and p.text[0] not in " \t"), "")


def _is_raised(lines: Sequence[Piece], start: int, stop: int) -> bool:
    """The last frame's source line raises: the handler meant to."""
    for at in range(stop - 1, start, -1):
        text = lines[at].text
        if text[:1].isspace() and text.strip(" ^~│|") and not text.lstrip().startswith("File "):
            return RAISES.search(text) is not None or any("raise " in p.text for p in lines[max(0, at - 2) : at])
    return False


def _repeats(first: str, last: str) -> bool:
    words = first.partition(": ")[2].strip()[:60]
    return (len(words) >= SAME_WORDS and words in last) or first == last != ""


def _restart(lines: Sequence[Piece]) -> Piece | None:
    """The line of a first epoch that stands after later ones of the same program, with an interruption between."""
    epoch = 0
    interrupted = False
    for piece in lines:
        if re.search(r"(?i)preempt|will be restarted|restarting", piece.text):
            interrupted = True
        found = EPOCH.search(piece.text)
        if found is None:
            continue
        now = int(found[1])
        if interrupted and now <= FIRST_EPOCHS and epoch > FIRST_EPOCHS + 1:
            return piece
        epoch = max(epoch, now)
    return None
