"""The public client, loaded when it is first asked, and its errors in our words.

``modal`` is imported here, inside functions, since that takes half a second.
"""

from __future__ import annotations

import contextlib
import re
import warnings
from collections.abc import Iterator
from types import ModuleType
from typing import Any

from preflight.problems import Kind, Problem

NEEDED = (1, 6, 3)  # as in pyproject.toml; an older one lacks Workspace, or the apps of an Environment
MISSING_KEYS = re.compile(r"missing key\(s\): (.+)")
OLD_CLIENT = re.compile(r"client[_ ]version\b.*upgrade|upgrade your client|no longer supported", re.I)

server_warnings: list[str] = []  # of this process, in order; Modal gives each text once


def modal_sdk() -> ModuleType:
    """The SDK, with its server warnings collected instead of printed."""
    try:
        import modal
        import modal.environments
        import modal.exception
    except ImportError as e:
        raise Problem(Kind.NOT_FOUND, service="Modal", operation="load its client", message=text_of(e)) from e
    except ValueError as e:  # the client reads its configuration file while it is imported
        message = f"its configuration file can't be read: {text_of(e)}"
        raise Problem(Kind.NOT_SIGNED_IN, service="Modal", operation="load its client", message=message) from e

    if tuple(int(n) for n in re.findall(r"\d+", modal.__version__)[:3]) < NEEDED:
        message = (
            f"modal {modal.__version__} is installed; preflight asks through {'.'.join(map(str, NEEDED))} or newer"
        )
        raise Problem(Kind.CLIENT_TOO_OLD, service="Modal", operation="load its client", message=message)

    if not getattr(warnings.showwarning, "is_ours", False):
        shown = warnings.showwarning

        def collect(message: Any, category: type[Warning], *rest: Any, **more: Any) -> None:
            if issubclass(category, modal.exception.ServerWarning):
                server_warnings.append(str(message))
            else:
                shown(message, category, *rest, **more)

        collect.is_ours = True  # type: ignore[attr-defined]
        warnings.showwarning = collect
        warnings.simplefilter("always", modal.exception.ServerWarning)
    return modal


@contextlib.contextmanager
def as_problems(operation: str) -> Iterator[None]:
    """Turns what the client raises into a Problem ``from`` it: its own errors, and those it did not foresee."""
    modal = modal_sdk()
    try:
        yield
    except modal.exception.Error as e:
        raise _problem(e, operation) from e
    except (OSError, TimeoutError) as e:
        raise Problem(Kind.UNREACHABLE, service="Modal", operation=operation, message=text_of(e)) from e
    except _stream_errors() as e:
        raise Problem(Kind.UNREACHABLE, service="Modal", operation=operation, message=text_of(e)) from e
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as e:
        message = f"its answer holds what client {modal.__version__} can't read: {type(e).__name__}: {text_of(e)}"
        raise Problem(Kind.UNEXPECTED, service="Modal", operation=operation, message=message) from e


def _stream_errors() -> tuple[type[BaseException], ...]:
    from grpclib.exceptions import ProtocolError, StreamTerminatedError

    return (StreamTerminatedError, ProtocolError)


def _problem(e: Exception, operation: str) -> Problem:
    from modal import exception as x

    text = text_of(e)
    keys = MISSING_KEYS.search(text)
    kind = Kind.UNEXPECTED
    if OLD_CLIENT.search(text) or isinstance(e, x.VersionError):
        kind = Kind.CLIENT_TOO_OLD
    elif isinstance(e, x.AuthError):
        kind = Kind.NOT_SIGNED_IN if "Token missing" in text or "profile" in text.lower() else Kind.REFUSED
    elif isinstance(e, x.PermissionDeniedError):
        kind = Kind.FORBIDDEN
    elif isinstance(e, x.NotFoundError):
        kind = Kind.NOT_FOUND
    elif isinstance(e, x.UnimplementedError):
        kind = Kind.UNSUPPORTED
    elif isinstance(e, x.ResourceExhaustedError):
        kind = Kind.THROTTLED
    elif isinstance(e, x.ConflictError) and keys:
        kind = Kind.MISSING_KEYS
    elif isinstance(e, x.ConflictError) and "version" in text.lower():
        kind = Kind.CLIENT_TOO_OLD
    elif isinstance(e, x.ConnectionError | x.ServiceError | x.TimeoutError):
        kind = Kind.UNREACHABLE
    elif isinstance(e, x.InvalidError) and "cannot both be configured" in text:
        kind = Kind.NOT_SIGNED_IN
    found = tuple(k.strip() for k in keys.group(1).split(",")) if keys else ()
    return Problem(kind, service="Modal", operation=operation, message=text, keys=found)


def text_of(e: BaseException) -> str:
    return " ".join(str(e).split()) or type(e).__name__
