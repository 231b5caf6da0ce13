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
KINDS = {  # by the client's own exceptions
    "VersionError": Kind.CLIENT_TOO_OLD,
    "AuthError": Kind.NOT_SIGNED_IN,
    "PermissionDeniedError": Kind.FORBIDDEN,
    "NotFoundError": Kind.NOT_FOUND,
    "UnimplementedError": Kind.UNSUPPORTED,
    "ResourceExhaustedError": Kind.THROTTLED,
    "ConnectionError": Kind.UNREACHABLE,
    "ServiceError": Kind.UNREACHABLE,
    "TimeoutError": Kind.NO_ANSWER,
}

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
    from grpclib.exceptions import ProtocolError, StreamTerminatedError

    try:
        yield
    except modal.exception.Error as e:
        raise _problem(e, operation) from e
    except (OSError, TimeoutError, StreamTerminatedError, ProtocolError) as e:
        raise Problem(Kind.UNREACHABLE, service="Modal", operation=operation, message=text_of(e)) from e
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as e:
        message = f"its answer holds what client {modal.__version__} can't read: {type(e).__name__}: {text_of(e)}"
        raise Problem(Kind.UNEXPECTED, service="Modal", operation=operation, message=message) from e


def _problem(e: Exception, operation: str) -> Problem:
    from modal import exception as x

    text = text_of(e)
    keys = MISSING_KEYS.search(text) if isinstance(e, x.ConflictError) else None
    if OLD_CLIENT.search(text) or (isinstance(e, x.ConflictError) and not keys and "version" in text.lower()):
        kind = Kind.CLIENT_TOO_OLD
    elif keys:
        kind = Kind.MISSING_KEYS
    elif isinstance(e, x.AuthError) and "Token missing" not in text and "profile" not in text.lower():
        kind = Kind.REFUSED
    elif isinstance(e, x.InvalidError) and "cannot both be configured" in text:
        kind = Kind.NOT_SIGNED_IN
    else:
        kind = next((KINDS[each.__name__] for each in type(e).__mro__ if each.__name__ in KINDS), Kind.UNEXPECTED)
    found = tuple(k.strip() for k in keys[1].split(",")) if keys else ()
    return Problem(kind, service="Modal", operation=operation, message=text, keys=found)


def text_of(e: BaseException) -> str:
    return " ".join(str(e).split()) or type(e).__name__
