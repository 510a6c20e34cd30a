"""The published results, measured again with agents on the bus.

* `report`: runs the rows, and writes them down
* `rows`: what was published, with its tolerance, and how it is measured here
* `trials`: one experiment each, for the worker processes
"""

from cascade.observatory.validation.report import Outcome, markdown, validate
from cascade.observatory.validation.rows import ROWS, Claim, Row

__all__ = ["ROWS", "Claim", "Outcome", "Row", "markdown", "validate"]
