"""MQTT topics: their syntax, and who matches whom. Written here once, used everywhere.

`syntax` validates and matches one filter against one topic; `trie` answers the same question
for many filters (who subscribes to this topic?) and for many topics (what is retained for this
filter?). All of it follows MQTT 5.0 §4.7.
"""

from cascade.interfaces.topics.inbox import INBOXES, inbox_of, name_of_inbox
from cascade.interfaces.topics.syntax import (
    Filters,
    as_filters,
    has_wildcard,
    matches,
    shared_filter,
    validate_filter,
    validate_filters,
    validate_topic,
)
from cascade.interfaces.topics.trie import FilterTrie, TopicTrie

__all__ = [
    "INBOXES",
    "FilterTrie",
    "Filters",
    "TopicTrie",
    "as_filters",
    "has_wildcard",
    "inbox_of",
    "matches",
    "name_of_inbox",
    "shared_filter",
    "validate_filter",
    "validate_filters",
    "validate_topic",
]
