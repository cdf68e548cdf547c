"""The methods by which a bot presents itself: who it is, its menus, how it describes itself."""

from __future__ import annotations

import json
import re
from typing import Any, Final

from sandbox.telegram.params import Args
from sandbox.telegram.reaching import chat_of
from sandbox.telegram.records import JSON
from sandbox.telegram.rules import breach
from sandbox.telegram.shapes import COMMAND_NAME
from sandbox.telegram.state import Telegram

_LANGUAGE: Final = re.compile(r"[a-z]{2}")
_LONGEST: Final = {"description": 512, "short_description": 120}


async def get_me(telegram: Telegram, _args: Args) -> JSON:
    """Bot API: getMe."""
    return telegram.bot.to_json() | {
        "can_join_groups": True,
        "can_read_all_group_messages": False,
        "supports_inline_queries": False,
        "can_connect_to_business": False,
        "has_main_web_app": False,
    }


async def set_my_commands(telegram: Telegram, args: Args) -> bool:
    """Bot API: setMyCommands."""
    if len(args["commands"]) > 100:
        raise breach("BOT_COMMANDS_TOO_MUCH")
    for command in args["commands"]:
        if not COMMAND_NAME.fullmatch(command["command"]):
            raise breach("BOT_COMMAND_INVALID")
        if not 1 <= len(command["description"]) <= 256:
            raise breach("BOT_COMMAND_DESCRIPTION_INVALID")
    if args.get("scope", {}).get("type") == "chat":
        chat_of(telegram, args["scope"])  # there must be one
    telegram.commands[_menu(args)] = args["commands"]
    return True


async def get_my_commands(telegram: Telegram, args: Args) -> list[JSON]:
    """Bot API: getMyCommands."""
    return telegram.commands.get(_menu(args), [])


async def delete_my_commands(telegram: Telegram, args: Args) -> bool:
    """Bot API: deleteMyCommands."""
    telegram.commands.pop(_menu(args), None)
    return True


async def set_my_description(telegram: Telegram, args: Args) -> bool:
    """Bot API: setMyDescription."""
    return _describe(telegram, "description", args)


async def get_my_description(telegram: Telegram, args: Args) -> JSON:
    """Bot API: getMyDescription."""
    return _described(telegram, "description", args)


async def set_my_short_description(telegram: Telegram, args: Args) -> bool:
    """Bot API: setMyShortDescription."""
    return _describe(telegram, "short_description", args)


async def get_my_short_description(telegram: Telegram, args: Args) -> JSON:
    """Bot API: getMyShortDescription."""
    return _described(telegram, "short_description", args)


def _describe(telegram: Telegram, name: str, args: Args) -> bool:
    text, language = args.get(name, "").strip(), _language(args)
    if len(text) > _LONGEST[name]:
        raise breach(f"{name} must be at most {_LONGEST[name]} characters")
    if text:
        telegram.descriptions[name][language] = text
    else:
        # An empty one is none: the one without a language is shown instead.
        telegram.descriptions[name].pop(language, None)
    return True


def _described(telegram: Telegram, name: str, args: Args) -> JSON:
    return {name: telegram.descriptions[name].get(_language(args), "")}


def _menu(args: Args) -> tuple[str, str]:
    scope: Any = args.get("scope", {"type": "default"})
    return json.dumps(scope, sort_keys=True), _language(args)


def _language(args: Args) -> str:
    language: str = args.get("language_code", "")
    if language and not _LANGUAGE.fullmatch(language):
        raise breach("invalid language code specified")
    return language
