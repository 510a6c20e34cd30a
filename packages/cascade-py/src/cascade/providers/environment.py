"""``cs.env``: a variable of the environment, read when the run needs it."""

from __future__ import annotations

import os
from typing import Any, TypeVar, overload

from cascade.common.messaging.secrets import Secret
from cascade.interfaces.errors import MissingVariableError
from cascade.spec.inputs import InputKind, converted
from cascade.spec.routing import REQUIRED
from cascade.spec.task import Task

__all__ = ["env"]

T = TypeVar("T")


@overload
def env(name: str, default: str = ..., *, secret: bool = False) -> str: ...
@overload
def env(name: str, *, type: type[T], secret: bool = False) -> T: ...
@overload
def env(name: str, default: T, *, type: type[T], secret: bool = False) -> T: ...
@overload
def env(name: str, default: Any = ..., *, type: Any = None, secret: bool = False) -> Any: ...
def env(
    name: str,
    default: Any = REQUIRED,
    *,
    type: Any = None,  # noqa: A002 - as `param` has it
    secret: bool = False,
) -> Any:
    """Stand for a variable of the environment, which is read when a run needs it, and never stored.

    Args:
        name: the variable.
        default: the value where there is no such variable; it stands in the program, and is not hidden.
        type: what the text becomes, as with `param`; it stays text if left out.
        secret: hide the value: it is ``***`` in messages, errors on the command line, telemetry and traces. A
            text is then a `cascade.common.messaging.secrets.Secret`, which no store takes.

    Raises:
        MissingVariableError: at run time, where there is no such variable and no default is given.
        InvalidInputError: at run time, where it is not of its type.
        ValueError: at run time, where a secret has fewer than four characters.

    Examples:
        >>> import cascade as cs
        >>> cs.run(cs.env("CASCADE_EXAMPLE_PORT", 8080, type=int))
        8080
    """
    given: dict[str, Any] = {} if default is REQUIRED else {"default": default}
    if type is not None:
        given["type"] = InputKind(type)
    if secret:
        given["secret"] = True
    return _ENV(name, **given)


def _env(
    name: str,
    default: object = REQUIRED,
    type: InputKind | None = None,  # noqa: A002 - as `env` has it
    secret: bool = False,
) -> Any:
    text = os.environ.get(name)
    if text is None:
        if default is REQUIRED:
            raise MissingVariableError(name, os.environ)
        return default
    try:
        hidden = Secret(text) if secret else text
    except ValueError as error:
        raise ValueError(f"the variable {name!r}: {error}") from None
    if type is None or type.annotation is str:
        return hidden
    return converted(text, type.annotation, f"the variable {name!r}", secret=secret)


_ENV: Task[..., Any] = Task(_env, name="env", mode="inline", role="builtin")
