"""Content, as digests: what cached values are known by.

* `values`: of arguments and constants, by type and content; `tables`: of arrays and tables among them
* `code`: of a function, with all of its own distribution that it names; `naming`: what a function names;
  `source`: the text of one, as far as it counts; `homes`: what belongs to one distribution
"""

from cascade.spec.content.code import Code, code_of, digest_of_thing
from cascade.spec.content.values import NoContentError, digest_of, refuse_content

__all__ = ["Code", "NoContentError", "code_of", "digest_of", "digest_of_thing", "refuse_content"]
