"""What holds for all tests."""

from hypothesis import HealthCheck, settings

# The machine decides how long an example takes: no property is about that.
settings.register_profile(
    "tests", deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("tests")
