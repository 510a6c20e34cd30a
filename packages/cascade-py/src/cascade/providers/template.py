"""``cs.template``: fill a Jinja2 template in."""

from __future__ import annotations

from typing import Any

from jinja2 import Environment, StrictUndefined

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
_environment = Environment(undefined=StrictUndefined, autoescape=False, keep_trailing_newline=True)  # noqa: S701 - see above


@task(mode="inline")
def template(source: str, /, **variables: Any) -> str:
    """Fill a Jinja2 template in, and return the text.

    Args:
        source: the template itself.
        **variables: its variables; calls among them are evaluated first.

    Raises:
        jinja2.UndefinedError: the template names a variable that was not given.
        jinja2.TemplateSyntaxError: the template cannot be read.
    """
    return _environment.from_string(source).render(variables)
