"""What holds for all tests: made-up examples are the same in every run, and are not timed."""

from hypothesis import HealthCheck, settings

settings.register_profile(
    "cascade",
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],  # a busy machine is no fault of the examples
)
settings.load_profile("cascade")
