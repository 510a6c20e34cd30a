"""Signals on their way into a workflow: the `mailbox`."""
