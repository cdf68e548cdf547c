"""The methods that answer presses, and give files and updates."""

from __future__ import annotations

import asyncio
from pathlib import Path

from sandbox.telegram.params import Args
from sandbox.telegram.records import JSON, File
from sandbox.telegram.rules import bad_request, breach
from sandbox.telegram.state import Telegram


async def answer_callback_query(telegram: Telegram, args: Args) -> bool:
    """Bot API: answerCallbackQuery."""
    if len(args.get("text", "")) > 200:
        raise breach("MESSAGE_TOO_LONG")
    if args.get("url"):
        raise breach("URL_INVALID")
    callback = telegram.callbacks.get(args["callback_query_id"])
    oldest = telegram.clock.now() - telegram.rules.callback_seconds
    if callback is None or callback.pressed_at < oldest or callback.answered:
        raise bad_request("query is too old and response timeout expired or query ID is invalid")
    callback.answered = True
    callback.text = args.get("text", "")
    callback.show_alert = args.get("show_alert", False)
    return True


async def get_file(telegram: Telegram, args: Args) -> JSON:
    """Bot API: getFile."""
    file = telegram.files.get(args["file_id"])
    if file is None or file.vanished:
        raise bad_request("wrong file_id or the file is temporarily unavailable")
    local = telegram.rules.local_folder
    if local is None and len(file.content) > telegram.rules.download_bytes:
        raise bad_request("file is too big")
    file.linked_at = telegram.clock.now()
    path = file.path if local is None else await asyncio.to_thread(_on_disk, telegram, file, local)
    return {
        "file_id": file.file_id,
        "file_unique_id": file.unique_id,
        "file_size": len(file.content),
        "file_path": path,
    }


def _on_disk(telegram: Telegram, file: File, folder: Path) -> str:
    """Put a file where a server in local mode has it; returns its absolute path."""
    path = (folder / telegram.token / file.path).absolute()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(file.content)
    return str(path)


async def get_updates(telegram: Telegram, args: Args) -> list[JSON]:
    """Bot API: getUpdates, with true long polling."""
    limit, timeout = args.get("limit", 100), args.get("timeout", 0)
    if not 1 <= limit <= 100:
        raise breach("limit must be between 1 and 100")
    if timeout < 0:
        raise breach("timeout must not be negative")
    return await telegram.updates.fetch(
        offset=args.get("offset", 0),
        limit=limit,
        seconds=timeout,
        allowed=args.get("allowed_updates"),
    )


async def delete_webhook(telegram: Telegram, args: Args) -> bool:
    """Bot API: deleteWebhook; there never is one here."""
    if args.get("drop_pending_updates"):
        telegram.updates.clear()
    return True


async def get_webhook_info(telegram: Telegram, _args: Args) -> JSON:
    """Bot API: getWebhookInfo."""
    pending = len(telegram.updates.pending())
    shown: JSON = {"url": "", "has_custom_certificate": False, "pending_update_count": pending}
    allowed = telegram.updates.allowed
    return shown | ({"allowed_updates": allowed} if allowed else {})
