"""``cs.template``: fill a Jinja2 template in, in a sandbox: whoever writes the template runs no code."""

from __future__ import annotations

from typing import Any

from jinja2 import StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from cascade.interfaces.protocols import LazyFactory
from cascade.spec.task import task

__all__ = ["TemplateProvider", "template"]


class TemplateProvider:
    """Provides ``cs.template``."""

    name = "template"

    def create_factory(self) -> LazyFactory:
        """Return `template`."""
        return template


# Plain text, not HTML: what is filled in stands as it is. An unknown name is an error, not a blank.
# The sandbox keeps from templates what leads to the interpreter, and from changing what they are given.
_environment = ImmutableSandboxedEnvironment(
    undefined=StrictUndefined,
    autoescape=False,
    keep_trailing_newline=True,
)


@task(mode="inline")
def template(source: str, /, **variables: Any) -> str:
    """Fill a Jinja2 template in, and return the text.

    It runs in Jinja's sandbox, which keeps it from code and from changing its variables, but not from
    calling their public methods, from taking long or from filling the memory.

    Args:
        source: the template itself.
        **variables: its variables; calls among them are evaluated first.

    Raises:
        jinja2.UndefinedError: the template names a variable that was not given.
        jinja2.TemplateSyntaxError: the template cannot be read.
        jinja2.exceptions.SecurityError: the template asks for what the sandbox keeps from it.

    Examples:
        >>> import cascade as cs
        >>> cs.run(cs.template("Dear {{ name }},", name="Ann"))
        'Dear Ann,'
    """
    return _environment.from_string(source).render(variables)
