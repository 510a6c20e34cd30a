"""Campaigns: hours, or a hundred thousand messages, against what breaks; each ends with a verdict.

* `mqtt_losses`: connections, brokers and consumers break while messages go through them
* `line`: a line to a broker that can be cut, and frozen
"""
