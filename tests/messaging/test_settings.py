"""Language and form come from the program first, then from the environment."""

import pytest

from cascade.common.messaging.settings import Settings, language_of, output_of
from rows import each_row


@each_row(
    ("environment", "language"),
    [
        ({}, "en"),
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "de_DE.UTF-8"}, "en"),
        ({"LANG": "en_US.UTF-8", "LC_ALL": "zh_TW"}, "zh"),
        ({"LANG": "zh_CN", "LC_ALL": "C"}, "en"),
        ({"LANG": "zh_CN", "LC_ALL": ""}, "zh"),
        ({"LANG": "en_US", "LC_MESSAGES": "zh_CN"}, "zh"),
        ({"CASCADE_LANGUAGE": "en", "LANG": "zh_CN"}, "en"),
        ({"CASCADE_LANGUAGE": "ZH", "LANG": "en_US"}, "zh"),
    ],
)
def test_language_follows_the_environment(environment, language):
    assert language_of(Settings(), environment) == language


@each_row(
    ("environment", "output"),
    [
        ({}, "console"),
        ({"CASCADE_OUTPUT": "json"}, "json"),
        ({"CASCADE_OUTPUT": "JSON"}, "json"),
        ({"CASCADE_OUTPUT": "off"}, "off"),
        ({"CASCADE_OUTPUT": "smoke signals"}, "console"),
    ],
)
def test_output_follows_the_environment(environment, output):
    assert output_of(Settings(), environment) == output


def test_the_programs_choice_comes_before_the_environment():
    environment = {"CASCADE_LANGUAGE": "zh", "CASCADE_OUTPUT": "json"}
    settings = Settings(language="en", output="off")
    assert (language_of(settings, environment), output_of(settings, environment)) == ("en", "off")


@each_row("choice", [{"language": "fr"}, {"output": "xml"}])
def test_a_choice_that_is_not_on_offer_is_refused_by_name(choice):
    with pytest.raises(ValueError, match=f"{next(iter(choice))} must be one of"):
        Settings(**choice)
