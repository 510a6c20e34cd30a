"""The campaigns, small: what they find at length must hold for a moment, too."""

import pytest
from benchmarks.campaigns.mqtt_losses import Verdict, campaign

from mqtt.broker import NEEDS_BROKER

pytestmark = NEEDS_BROKER


@pytest.mark.slow
async def test_messages_get_through_losses_of_every_kind():
    verdict = await campaign(messages=2_000, losses=6, timeout=90)
    assert verdict.holds, verdict
    assert verdict.in_order, verdict


def test_a_verdict_tells_what_was_lost():
    verdict = Verdict(10, 9, 2, in_order=True, losses=3, seconds=1.0)
    assert not verdict.holds
    assert "BROKEN: 10 published, 9 handled, 1 lost, 2 handled twice, in order" in str(verdict)
