"""Calls as JSON: `encode` writes a call with all that it names, `decode` reads it.

The form is flat, so that no depth of calls is too deep, and each call stands in it once:

    {"format": 1, "calls": [{"task": "shop:total", "args": [{"$call": 1}]}, {"task": "shop:cart"}]}

The first call is the one that was given. With a task stand its version and what is changed on it:
policies, resources. Arguments are written as `cascade.spec.codec.writing` says, and read by the
task's annotations; those without an annotation take JSON's own types only. Reading imports the modules
that the data names: read only what comes from your own programs.
"""

from cascade.spec.codec.graph import decode, encode, register

__all__ = ["decode", "encode", "register"]
