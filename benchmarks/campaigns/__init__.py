"""Campaigns: hours, or a hundred thousand messages, against what breaks; each ends with a verdict.

* `mqtt_losses`: connections, brokers and consumers break while messages go through them
* `kills`: processes that drive durable agents (`shop`) are killed and stopped at any instant
* `random_graphs`: graphs that are cancelled at random instants, after which all is closed
* `constraint_line`: a hundred thousand tasks behind a limit, each of which costs the same
* `fuzz_orders`: orders and topics that nobody should send
* `expressions`: random graphs of calls, drawn; the tests hold them against an oracle
* `line`: a line to a broker that can be cut, and frozen
"""
