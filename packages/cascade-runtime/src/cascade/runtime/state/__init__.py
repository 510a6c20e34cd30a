"""What a run is made of while it goes on: the `run` itself, and the `services` of its engine."""
