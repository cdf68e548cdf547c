"""How the bot presents itself in Telegram, in every language: the menu of its commands, and its page.

It is set at the start, and only when it has changed. That it cannot be set is no reason not to start:
an old self-hosted server of Telegram's may not know how, and there is always a next start.
"""

import asyncio
import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass

import structlog
from telegram import Bot, BotCommand, BotCommandScopeChat
from telegram.error import BadRequest, Forbidden, TelegramError

from bot import texts
from bot.commands import ADMIN_COMMANDS, COMMANDS, Command
from bot.languages import LANGUAGES, SOURCE, telegram_code
from bot.texts import Say
from storage.store import Facts

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """What one language's readers are shown; without a code, those of all other languages."""

    code: str | None
    commands: tuple[tuple[str, str], ...]
    description: str
    short_description: str


def pages() -> tuple[Page, ...]:
    """Give the pages of all languages, the one for everybody else first."""
    menus = _menus(COMMANDS)
    return tuple(
        Page(
            code=(code := None if language == SOURCE else telegram_code(language)),
            commands=menus[code],
            description=_said("bot-description", language),
            short_description=_said("bot-short-description", language),
        )
        for language in LANGUAGES
    )


async def run(stop: asyncio.Event, *, bot: Bot, facts: Facts, admins: Collection[int] = ()) -> None:
    """Present the bot, and be done: the loop whose work is over at once."""
    await present(bot, facts)
    await present_to_admins(bot, facts, admins)
    await stop.wait()


async def present(bot: Bot, facts: Facts) -> None:
    """Set all pages, unless Telegram has them already."""
    wanted = await asyncio.to_thread(pages)  # reads the catalogues
    mark = _mark([asdict(page) for page in wanted])
    name = f"menu:{bot.id}"
    if await facts.fact(name) == mark:
        return
    try:
        for page in wanted:
            await _set(bot, page)
    except TelegramError as error:
        log.warning("menu_not_set", reason=str(error), again="at the next start")
        return
    await facts.note_fact(name, mark)
    log.info("menu_set", languages=len(wanted))


async def present_to_admins(bot: Bot, facts: Facts, admins: Collection[int]) -> None:
    """Set the menu of each admin's own chat, which has their commands too, unless it is set already.

    Who has not written to the bot yet has no chat to set it for: at the next start there may be one.
    """
    if not admins:
        return
    wanted = await asyncio.to_thread(_menus, (*COMMANDS, *ADMIN_COMMANDS))
    mark = _mark(list(wanted.items()))
    for admin in sorted(admins):
        name = f"menu:{bot.id}:{admin}"
        if await facts.fact(name) == mark:
            continue
        try:
            for code, rows in wanted.items():
                menu = [BotCommand(*row) for row in rows]
                scope = BotCommandScopeChat(admin)
                await bot.set_my_commands(menu, scope=scope, language_code=code)
        except (BadRequest, Forbidden):
            log.info("admin_without_a_chat")
        except TelegramError as error:
            log.warning("menu_not_set", reason=str(error), again="at the next start")
            return
        else:
            await facts.note_fact(name, mark)


def _menus(commands: Sequence[Command]) -> Mapping[str | None, tuple[tuple[str, str], ...]]:
    """Give a menu in all languages, by Telegram's code; None: that for everybody else."""
    return {
        None if language == SOURCE else telegram_code(language): tuple(
            (row.name, _said(row.about, language)) for row in commands
        )
        for language in LANGUAGES
    }


async def _set(bot: Bot, page: Page) -> None:
    await bot.set_my_commands(
        [BotCommand(name, about) for name, about in page.commands], language_code=page.code
    )
    await bot.set_my_description(page.description, language_code=page.code)
    await bot.set_my_short_description(page.short_description, language_code=page.code)


def _said(sentence: str, language: str) -> str:
    return texts.plain(Say(sentence), language=language)


def _mark(wanted: Sequence[object]) -> str:
    written = json.dumps(wanted, ensure_ascii=False)
    return hashlib.sha256(written.encode()).hexdigest()
