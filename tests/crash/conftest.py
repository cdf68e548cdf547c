"""How the storms are spread over the workers."""

import os

import pytest


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let each storm be the first test of another worker.

    Of the list, each worker begins with a part of its own. Storms mostly wait; one after the other
    they would take as many times longer.
    """
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    storms = [item for item in items if item.name.startswith("test_storm[")]
    others = [item for item in items if item not in storms]
    # as xdist deals them out when it lets workers steal: each an equal part of what is left
    begins, begin = [], 0
    for worker in range(workers):
        begins.append(begin)
        begin += (len(items) - begin) // (workers - worker)
    for number, storm in sorted(enumerate(storms), key=lambda one: begins[one[0] % workers]):
        others.insert(begins[number % workers], storm)
    items[:] = others
