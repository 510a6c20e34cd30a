"""What holds for all tests: made-up examples are the same in every run, and are not timed."""

from hypothesis import settings

settings.register_profile("cascade", deadline=None, derandomize=True, database=None)
settings.load_profile("cascade")
