"""The long form: any number of kills, and a report of what they came to."""

import argparse
import asyncio
import random
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path
from typing import Final

from tests.crash.plan import Plan, plans
from tests.crash.reckoning import reckon
from tests.crash.report import Reckoning
from tests.crash.storm import storm

_STORM: Final = 50
"""So many kills come to one world at most; then another begins."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Let the storms pass, print what they came to; returns 0 if nothing is wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.crash", description=__doc__)
    parser.add_argument("--kills", type=int, default=1000, help="how often to kill it")
    parser.add_argument("--seed", type=int, help="the plan's seed; by default another each time")
    parser.add_argument("--parts", type=int, help="over how many worlds the kills are spread")
    parser.add_argument("--part", type=int, help="only this one of the worlds")
    parser.add_argument("--at-once", type=int, default=3, help="how many worlds run side by side")
    given = parser.parse_args(arguments)
    seed = random.randrange(1_000_000) if given.seed is None else given.seed
    parts = given.parts or max(1, -(-given.kills // _STORM))
    dealt = plans(seed, kills=given.kills, parts=parts)
    chosen = dealt if given.part is None else [dealt[given.part]]
    print(f"seed {seed}: {given.kills} kills over {parts} worlds", flush=True)
    began = time.monotonic()
    total = Reckoning()
    with ProcessPoolExecutor(given.at_once, mp_context=get_context("spawn")) as pool:
        waiting = {pool.submit(passed, plan): plan for plan in chosen}
        for done in as_completed(waiting):
            plan, come = waiting[done], done.result()
            total += come
            lost = f"{come.photos} photos, {come.delivered} delivered, {come.lost} lost"
            print(f"world {plan.part}: {come.kills.total()} kills, {lost}", flush=True)
            for wrong in come.wrongs:
                print(f"world {plan.part}: WRONG: {wrong}", flush=True)
    print(f"\n{total}\n\nkilled")
    for where, times in sorted(total.kills.items()):
        print(f"  {where:<34}{times:>6}")
    print(f"\n{time.monotonic() - began:.0f} s, {'WRONG' if total.wrongs else 'all is well'}")
    return 1 if total.wrongs else 0


def passed(plan: Plan) -> Reckoning:
    """Let one storm pass; a bot that ends by itself or does not settle is wrong, too."""
    with tempfile.TemporaryDirectory(prefix="crash-") as folder:
        try:
            return reckon(asyncio.run(storm(Path(folder), plan)))
        except AssertionError as exc:
            return Reckoning(wrongs=[str(exc)])
