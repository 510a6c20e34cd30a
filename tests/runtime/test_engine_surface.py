"""What an engine shows is meant for users; its services are its own."""

import cascade as cs
from cascade.runtime.state.services import EngineServices


def test_an_engine_shows_what_users_need_and_nothing_else():
    shown = {name for name in dir(cs.Engine) if not name.startswith("_")}
    assert shown == {"agents", "connector", "events", "register", "run"}
    assert {name for name in vars(cs.Engine()) if not name.startswith("_")} == {"name"}


def test_an_engine_has_its_services_and_does_not_inherit_them():
    assert not issubclass(cs.Engine, EngineServices)
