"""What is no topic is refused where it is used, and the error names the level."""

import pytest

from cascade.testing.connectors import Heard


async def test_the_error_names_the_level(connect):
    connector = await connect()
    with pytest.raises(ValueError, match="at level 2: ") as caught:
        await connector.publish("a/+/b", 1)
    assert (caught.value.topic, caught.value.level) == ("a/+/b", 2)
    with pytest.raises(ValueError, match="at level 3: "):
        await connector.subscribe("a/b/c#", Heard())
    with pytest.raises(ValueError, match="at level 2: "):
        await connector.subscribe(["a", "b/c#"], Heard())
