"""A run as one page of HTML: its timeline, critical path, failures, retries, cache hits and inputs.

* `collecting`: a listener that keeps what a page tells, as a `record`
* `critical_path`: the chain of calls that took longest
* `page`: these as HTML, with `parts` and `timeline`, which needs nothing from elsewhere
"""

from cascade.reports.collecting import Report

__all__ = ["Report"]
