"""Fixtures of the sandbox's tests."""

from collections.abc import AsyncIterator

import pytest

from tests.sandbox.telegram_client import World, opened


@pytest.fixture
async def world() -> AsyncIterator[World]:
    """A local Telegram without flood control, one person, and the bot's real library."""
    async with opened() as world:
        yield world
