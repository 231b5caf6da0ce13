"""Bytes to blocks of whole lines: ANSI undone, the length of a line bounded, its number kept."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

BLOCK_BYTES = 1 << 20
LINE_BYTES = 4096  # what a pattern sees of one line; a longer one is cut around the needle
AFTER = 4  # lines after the hit that a pattern may cross
AROUND = 24  # lines before the hit that `near` may look at: a traceback's frames
ANSI = re.compile(rb"\x1b(?:\[[0-9;:?<=>]{0,32}[ -/]{0,4}[@-~]|\][^\x07\x1b\n]{0,512}(?:\x07|\x1b\\)|[@-Z\\^_])")
# what a runner writes before each line: buildkit's step and clock, a container's id or name, a line's number, an
# ISO clock, journald's clock, host and unit, kubernetes' stream, rich's frame
PREFIX = re.compile(
    r"^(?:#\d{1,4} (?:\d{1,7}\.\d{1,4} )?"
    r"|\[?(?:ta|fu|ap|sb|im)-[A-Za-z0-9]{4,40}\]?[:|]? {1,4}"
    r"|\[?(?:rank|default|node)\d{1,4}\]?: ?"
    r"|\[\d{1,7}\] "
    r"|[\w.-]{1,60}-\d{1,4} {1,20}\| ?"
    r"|[\[(]?\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[.,0-9]{0,10}(?:Z|[+-]\d\d:?\d\d)?[\])]? {1,2}"
    r"|\d\d:\d\d:\d\d(?:[.,]\d{1,9})? "
    r"|[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \S{1,64} [\w.@/-]{1,64}(?:\[\d{1,8}\])?: "
    r"|std(?:out|err) [FP] "
    r'|\{"(?:log|message|msg)": ?"'
    r"|\((?:\w{1,40},? ){1,3}?pid=\d{1,8}[^)\n]{0,60}\) "
    r"|\[\d{1,4},\d{1,4}\]<std(?:out|err)>: ?"
    r"|\[[\w.]{1,40}\] (?=\d{4}-\d\d-\d\dT)"
    r"|(?:ERROR|CRITICAL) \d\d-\d\d \d\d:\d\d:\d\d \[?[\w/.]{1,60}:\d{1,5}\] ?"
    r"|DEBUG (?=[ \w])"
    r"|E\d{4} \d\d:\d\d:\d\d\.\d{1,9} {1,3}\d{1,9} [\w/.]{1,120}:\d{1,5}\] (?:\[[\w/]{1,9}\] )?"
    r"|[│|] ?|> (?! ))"
)
# whose line it is, where several programs share a log
ORIGIN = re.compile(
    r"^(?:\S{1,60} \| )?\[?((?:ta|fu|ap|sb)-[A-Za-z0-9]{4,40}|(?:rank|default|node)\d{1,4})\]?[:|]? ?"
    r"|^([\w.-]{1,60}-\d{1,4}) {1,20}\| "
)
# quotation marks of other locales, which messages of gcc, ld and Python programs come in
QUOTES = re.compile(
    rb"\xe2\x80[\x98\x99\x9a\x9b]|(?:\xc2\xab|\xe2\x80\xb9)(?:\xc2\xa0)?|(?:\xc2\xa0)?(?:\xc2\xbb|\xe2\x80\xba)|\xe2\x80\x9e|\xe3\x80[\x8c\x8d]"
)
DOUBLE_QUOTES = re.compile(rb"\xe2\x80[\x9c\x9d]")
BAR = "│".encode()
ERROR_BOX = re.compile("(╭(?:─)+ ?Error ?─[^\n]{0,2000}\n)((?:│[^\n]{0,2000}\n){1,60})".encode())
# a record of a JSON log: one line that holds many
JSON_LINE = re.compile(rb'^[^\n{]{0,80}\{ ?"[^\n]*', re.M)
# a word cut in two, with the value that it may be the name of
CUT = re.compile(
    rb"\S{0,4096}(?:(?<=[:=])\s{0,8}\S{1,4096}|\s{1,8}[:=]\s{0,8}\S{1,4096})?"
    rb"(?:(?<=[Bb]earer)\s{1,8}\S{1,4096}|(?<=[Bb]asic)\s{1,8}\S{1,4096}|(?<=[Tt]oken)\s{1,8}\S{1,4096})?"
)
FRAME_END = re.compile(r"(?: {2,}[│|]| │)$")


@dataclass(frozen=True)
class Block:
    """Whole lines. ``start`` is the place where news begin: what stands before it was in the block before."""

    data: bytes
    start: int
    first_line: int  # number of the line at `start`
    end: int  # what stands from here on will be told again, with what follows it


def blocks(stream: Iterable[bytes]) -> Iterator[Block]:
    """Blocks of about 1 MiB. Each holds some lines of the one before and some of the one after."""
    pending = b""
    before = b""
    line = 1
    for piece in _pieces(stream):
        pending += piece
        if len(pending) < BLOCK_BYTES:
            continue
        data = _undone(pending)
        end = _start_of_last(data, AFTER + 1, max(0, len(data) - BLOCK_BYTES // 2))
        if end == 0:
            end = max(1, len(data) - 512)  # no line ends here: keep what a needle may begin in
        yield Block(before + data, len(before), line, len(before) + end)
        line += data.count(b"\n", 0, end)
        before = data[max(0, end - AROUND * 512) : end]
        before = before[_start_of_last(before, AROUND) :]
        pending = data[end:]
    if pending:
        data = _undone(pending)
        yield Block(before + data, len(before), line, len(before) + len(data))


def _undone(data: bytes) -> bytes:
    """Without colours, and with the escaped lines of a JSON record set apart as a progress bar's are: by ``\\r``."""
    if b"\x1b" in data:
        data = ANSI.sub(b"", data)
    if b"\xe2\x80" in data or b"\xc2\xab" in data or b"\xc2\xbb" in data or b"\xe3\x80" in data:
        data = DOUBLE_QUOTES.sub(b'"', QUOTES.sub(b"'", data))
    if b"\xef\xbc\x9a" in data:
        data = data.replace("：".encode(), b": ")
    if "─ Error".encode() in data:
        data = ERROR_BOX.sub(_unfolded, data)
    if b'{"' in data and b"\\n" in data:
        data = JSON_LINE.sub(lambda m: m[0].replace(b"\\n", b"\r").replace(b'\\"', b'"'), data)
    return data


def _unfolded(box: re.Match[bytes]) -> bytes:
    """The message that Modal or Click breaks over the lines of a box, as one line; as many lines as before."""
    rows = box[2].removesuffix(b"\n").split(b"\n")
    texts = [row.removeprefix(BAR).rstrip().removesuffix(BAR).strip() for row in rows]
    return box[1] + BAR + b" " + b" ".join(texts) + b"\n" + (BAR + b"\n") * (len(rows) - 1)


def _pieces(stream: Iterable[bytes]) -> Iterator[bytes]:
    """The stream in pieces of about a block: a log told line by line must not be copied once a line."""
    parts: list[bytes] = []
    size = 0
    for piece in stream:
        for at in range(0, len(piece), BLOCK_BYTES):
            part = piece[at : at + BLOCK_BYTES]
            parts.append(part)
            size += len(part)
            if size >= BLOCK_BYTES:
                yield b"".join(parts)
                parts, size = [], 0
    yield b"".join(parts)


def _start_of_last(data: bytes, count: int, least: int = 0) -> int:
    """Where the last ``count`` lines begin; 0 when there are fewer behind ``least``."""
    at = len(data)
    for _ in range(count + 1):
        at = data.rfind(b"\n", least, at)
        if at < 0:
            return 0
    return at + 1


@dataclass(frozen=True)
class Window:
    """The line a needle stands in, with what follows it. Text, without prefixes. ``at``: where the needle stands."""

    at: int
    line: int
    text: str
    first_length: int
    block: Block
    start: int

    def origin(self) -> str:
        return origin(self.block.data[self.start : self.start + 160])

    def before(self) -> str:
        """What stands above it: up to 24 lines. Made only when asked for, as few patterns ask."""
        begun = self.block.data[max(0, self.start - AROUND * 256) : self.start]
        return "\n".join(_clean(raw) for raw in begun[_start_of_last(begun, AROUND) :].splitlines()[-AROUND:])


@dataclass(frozen=True)
class Piece:
    """A line, or what stands between two ``\\r`` of it, without its prefixes. ``origin`` is the program it is of."""

    at: int
    line: int
    text: str
    origin: str


def pieces(data: bytes, at: int, line: int) -> Iterator[Piece]:
    """The lines of ``data``, which begins at this offset in this line."""
    for raw in data.split(b"\n"):
        offset = at
        for part in raw.split(b"\r"):
            yield Piece(at=offset, line=line, text=_clean(part), origin=origin(part))
            offset += len(part) + 1
        at += len(raw) + 1
        line += 1


def origin(raw: bytes) -> str:
    found = ORIGIN.match(raw[:160].decode("utf-8", "replace"))
    return (found[1] or found[2]) if found else ""


def window(block: Block, at: int, line: int) -> Window:
    """What a pattern may see of the needle at ``at``; bounded whatever the line's length."""
    data = block.data
    start = max(data.rfind(b"\n", max(0, at - LINE_BYTES), at), data.rfind(b"\r", max(0, at - LINE_BYTES), at)) + 1
    if start == 0:
        start = whole_words(data, max(0, at - LINE_BYTES // 2), at)
    stop = start
    for _ in range(AFTER + 1):
        found = data.find(b"\n", stop, start + LINE_BYTES)
        if found < 0:
            stop = min(len(data), start + LINE_BYTES)
            break
        stop = found + 1
    lines = [_clean(raw) for raw in re.split(rb"[\r\n]+", data[start:stop])]
    return Window(at=at, line=line, text="\n".join(lines), first_length=len(lines[0]), block=block, start=start)


def whole_words(data: bytes, start: int, at: int) -> int:
    """``start`` where a line begins there, else the end of what it cuts in two: half a secret has no name."""
    if start == 0 or data[start - 1 : start] in (b"\n", b"\r"):
        return start
    found = CUT.match(data, start, at)
    return found.end() if found else at


def first_line(raw: bytes) -> str:
    return _clean(raw.strip(b"\r\n"))


def _clean(raw: bytes) -> str:
    text = raw[:LINE_BYTES].decode("utf-8", "replace")
    for _ in range(4):
        text = PREFIX.sub("", text, count=1)
    return FRAME_END.sub("", text.rstrip())
