"""MQTT 5.0 §4.7 in the most obvious words: slow, recursive, and the judge of the fast matchers."""

from hypothesis import strategies as st


def slow_matches(topic_filter: str, topic: str) -> bool:
    if topic.startswith("$") and topic_filter[0] in "+#":
        return False
    return levels_match(topic_filter.split("/"), topic.split("/"))


def levels_match(wanted: list[str], levels: list[str]) -> bool:
    if wanted == ["#"]:
        return True  # the rest, and also no rest: its parent
    if not wanted or not levels:
        return wanted == levels
    fits = wanted[0] in ("+", levels[0])
    return fits and levels_match(wanted[1:], levels[1:])


# Few different levels, so that filters and topics meet often.
level = st.sampled_from(["", "a", "b", "$", "$s", "é", "温度"])
topics = st.lists(level, min_size=1, max_size=4).map("/".join).filter(bool)
filters = (
    st.tuples(st.lists(level | st.just("+"), max_size=4), st.sampled_from([[], ["#"]]))
    .map(lambda parts: "/".join(parts[0] + parts[1]))
    .filter(bool)
)
