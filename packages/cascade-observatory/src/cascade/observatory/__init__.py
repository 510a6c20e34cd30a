"""The firefly laboratory: many small agents that fall into step."""
