"""What holds for all tests."""

import os

from hypothesis import HealthCheck, settings

# The machine decides how long an example takes: no property is about that.
settings.register_profile(
    "tests", deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow]
)
# `make test-long` asks for this one.
settings.register_profile("long", settings.get_profile("tests"), max_examples=1000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "tests"))
