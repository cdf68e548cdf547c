"""The rows, in the order in which they are measured."""

from typing import Final

from bench.figures import Row
from bench.rows.answers import ANSWERS
from bench.rows.cpu import CPU
from bench.rows.intake import INTAKE
from bench.rows.memory import MEMORY
from bench.rows.page import PAGE
from bench.rows.slots import DELAY, SLOTS_CALLBACKS, SLOTS_POLLING
from bench.rows.store import STORE
from bench.rows.users import USERS

ROWS: Final[tuple[Row, ...]] = (
    SLOTS_CALLBACKS,
    SLOTS_POLLING,
    ANSWERS,
    DELAY,
    CPU,
    INTAKE,
    STORE,
    MEMORY,
    USERS,
    PAGE,
)
