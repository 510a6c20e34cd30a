"""Pictures of what a target is made of: branches, conditions, mappings, policies, resources and signals.

* `picture`: the boxes, arrows and groups of a target, and `labels` what stands in the boxes
* `mermaid_text`: these for Mermaid, and `graphviz` for Graphviz, as text and as SVG

What a task returns later, a tail call, is not known before.
"""

from cascade.drawing.graphviz import dot, svg
from cascade.drawing.mermaid_text import mermaid

__all__ = ["dot", "mermaid", "svg"]
