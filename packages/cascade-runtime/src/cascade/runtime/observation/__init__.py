"""What an engine says about itself: `events` in process, and `telemetry` over its connector."""
