"""One word for one thing: names that were given up do not come back."""

import re

from repository.distributions import ROOT, distributions
from rows import each_row

# Whole words, in code and in what it says. Those of the lists below it are common words
# elsewhere, so they are looked for where they meant something of ours.
GONE = [
    "pulse_of",
    "breathe",
    "next_breath",
    "Equipment",
    "equipment",
    "_look_around",
    "is_watched",
    "replaces_ambient",
    "AMBIENT",
    "ambient",
    "heirs",
    "_hand_over",
    "_fly",
    "_flying",
    "_land",
    "_landed",
    "_stop_flying",
    "_through_gate",
    "_through_cache",
    "find_lazies",
    "as_lazy",
    "LAZY_TYPES",
    "circle_in",
    "lazies",
    "TaskHeld",
    "task-held",
    "read_order",
    "order_schema",
    "take_order",
    "forget_orders",
    "with_constraints",
    "crowded",
    "settle_crowded",
    "make_room",
    "hand_out",
    "break_off",
    "nudge",
    "CATCH_UP",
    "_work_off",
    "_publish_with_care",
    "has_room",
    "put_back",
    "take_all",
    "warn_of_growth",
    "_deaf_until",
    "_deaf_on",
    "_takers",
    "give_back",
    "hold_off",
    "_take_in",
    "VirtualTimeError",
    "run_virtually",
    "virtual_time",
    "keeper",
    "Keeper",
    "inlet",
    "Inlet",
    "Outbox",
    "outbox",
    "Handover",
    "handover",
    "_lose_patience",
    "_patience",
    "_verdict",
    "_PASSING",
    "_GOODBYE",
    "_STEADY",
    "_SUSPICIOUS",
    "_namesakes",
    "LinkLostError",
    "receipts",
    "localbus.queue_growing",
    "localbus.queue_overflow",
    "localbus.message_refused",
    "localbus.loop_ended",
    "SendProvider",
    "WaitProvider",
    "_Shape",
    "Subscribed",
    "SubscriptionOwner",
    "Bounded",
    "Recipient",
]

OBSERVATORY = [
    "wish",
    "Wish",
    "wish_from",
    "meadow",
    "Meadow",
    "packing",
    "pack",
    "Facts",
    "More",
    "flying",
    "dusk",
    "_shine",
    "_heed",
    "_ENCORE",
    "_LONG_ENCORE",
    "desk",
    "chronicle",
    "Chronicle",
    "surface",
]

MQTT = ["fence", "link", "Link", "driver", "Driver", "hub", "interest", "Interest", "receipt"]

PHRASES = [
    "circle",
    "virtual time",
    "lazy result",
    "be worth",
    "who to be",
    "stormed",
    "meaning of MQTT",
    "goes? round and round",
]

MODULES = [
    "runtime/turns",
    "runtime/execution",
    "runtime/step",
    "runtime/perform",
    "runtime/graph",
    "runtime/equipment",
    "runtime/gate",
    "runtime/orders",
    "runtime/waiting",
    "runtime/trace",
    "runtime/drawing",
    "runtime/scopes",
    "runtime/pace",
    "runtime/executors",
    "runtime/processes",
    "mqtt/keeper",
    "mqtt/link",
    "mqtt/driver",
    "mqtt/inlet",
    "mqtt/outbox",
    "mqtt/interest",
    "mqtt/handover",
    "errors/connecting",
    "errors/working",
    "errors/simulating",
    "errors/root",
]


def texts():
    for each in distributions():
        for module, path in each.modules.items():
            yield module, path.read_text(encoding="utf-8")


def found(pattern, where=""):
    return [
        f"{module}: {line.strip()}"
        for module, text in texts()
        if where in module
        for line in text.splitlines()
        if re.search(pattern, line)
    ]


@each_row("words", [GONE[place : place + 10] for place in range(0, len(GONE), 10)])
def test_no_name_that_was_given_up_is_in_the_code(words):
    either = "|".join(map(re.escape, words))
    assert found(rf"(?<![\w.-])({either})(?![\w-])") == []


def test_no_word_of_the_old_mqtt_connector_is_left():
    assert found(rf"(?<![\w.])({'|'.join(MQTT)})\b", where="connectors.mqtt") == []


def test_no_word_of_the_old_laboratory_is_left():
    either = "|".join(OBSERVATORY)
    assert found(rf"(?<![\w.])({either})\b", where="observatory") == []
    (laboratory,) = [each for each in distributions() if each.name == "cascade-observatory"]
    scripts = {path.stem for path in laboratory.folder.rglob("*.js")}
    assert scripts & {"desk", "chronicle", "field", "surface", "recent"} == set()


def test_no_phrase_that_was_given_up_is_in_the_code():
    assert found(rf"(?i)\b({'|'.join(PHRASES)})\b") == []


def test_no_old_module_is_there():
    paths = [str(path) for each in distributions() for path in each.modules.values()]
    assert [old for old in MODULES if any(path.endswith(f"{old}.py") for path in paths)] == []


def test_the_catalogues_have_no_old_message_id():
    from cascade.common.messaging.catalogue import texts as catalogue

    for language in ("en", "zh"):
        assert {each for each in catalogue(language) if each.startswith("localbus.")} == {
            "localbus.callback_error",
            "localbus.retained_callback_error",
        }


def test_an_old_name_would_be_found():
    assert (ROOT / "packages").is_dir()
    assert found(r"(?<![\w.-])(CallbackTask)(?![\w-])")
