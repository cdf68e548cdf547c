"""The methods that answer presses, and give files and updates."""

from __future__ import annotations

import asyncio
import ipaddress
import re
import ssl
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from sandbox.telegram.params import Args, Upload
from sandbox.telegram.records import JSON, File
from sandbox.telegram.rules import Refusal, bad_request, breach
from sandbox.telegram.state import Telegram
from sandbox.telegram.updates import SET_WEBHOOK
from sandbox.telegram.webhook import Hook

_PORTS: Final = (80, 88, 443, 8443)
_PORTS_BY_SCHEME: Final = {"http": 80, "https": 443}
_ACTIVE: Final = (
    "Conflict: can't use getUpdates method while webhook is active; "
    "use deleteWebhook to delete the webhook first"
)


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
    if telegram.webhook.hook is not None:
        raise Refusal(_ACTIVE, code=409)
    return await telegram.updates.fetch(
        offset=args.get("offset", 0),
        limit=limit,
        seconds=timeout,
        allowed=args.get("allowed_updates"),
    )


async def set_webhook(telegram: Telegram, args: Args) -> bool:
    """Bot API: setWebhook."""
    url = args["url"]
    if not url:
        return await delete_webhook(telegram, args)
    now = telegram.clock.now()
    if now < telegram.webhook.settable_at:
        raise Refusal("Too Many Requests: retry after 1", code=429, retry_after=1)
    telegram.webhook.settable_at = now + telegram.rules.webhook_set_seconds
    hook = _hook(telegram, args)
    if (allowed := args.get("allowed_updates")) is not None:
        telegram.updates.allowed = allowed
    if args.get("drop_pending_updates"):
        telegram.updates.clear()
    telegram.updates.break_off(SET_WEBHOOK)
    telegram.webhook.set(hook)
    return True


def _hook(telegram: Telegram, args: Args) -> Hook:
    url = urlsplit(args["url"])
    if not telegram.rules.self_hosted and url.scheme != "https":
        raise breach("bad webhook: An HTTPS URL must be provided for webhook")
    if url.scheme not in {"http", "https"} or not url.hostname:
        raise breach("bad webhook: invalid webhook URL specified")
    try:
        port = url.port or _PORTS_BY_SCHEME[url.scheme]
        ip_address = args.get("ip_address")
        if ip_address is not None:
            ipaddress.ip_address(ip_address)
    except ValueError as error:
        raise breach(f"bad webhook: {error}") from error
    if not telegram.rules.self_hosted and port not in _PORTS:
        raise breach("bad webhook: Webhook can be set up only on ports 80, 88, 443 or 8443")
    connections = args.get("max_connections", 40)
    if not 1 <= connections <= 100:
        raise breach("max_connections must be between 1 and 100")
    secret = args.get("secret_token", "")
    if len(secret) > 256:
        raise breach("secret token is too long")
    if not re.fullmatch(r"[A-Za-z0-9_-]*", secret):
        raise breach("secret token contains unallowed characters")
    return Hook(
        url=args["url"],
        secret=secret,
        certificate=_certificate(args.get("certificate")),
        connections=connections,
        ip_address=ip_address,
    )


def _certificate(given: Upload | str | None) -> str | None:
    if given is None:
        return None
    if isinstance(given, str):
        raise breach("bad webhook: certificate must be uploaded as a file")
    text = given.content.decode("ascii", "replace")
    if "BEGIN CERTIFICATE" not in text:
        raise breach("bad webhook: certificate is not in PEM")
    if "PRIVATE KEY" in text:
        raise breach("bad webhook: the key is no part of the certificate")
    try:
        ssl.create_default_context(cadata=text)
    except ssl.SSLError as error:
        raise breach("bad webhook: certificate is not in PEM") from error
    return text


async def delete_webhook(telegram: Telegram, args: Args) -> bool:
    """Bot API: deleteWebhook."""
    if args.get("drop_pending_updates"):
        telegram.updates.clear()
    telegram.webhook.delete()
    return True


async def get_webhook_info(telegram: Telegram, _args: Args) -> JSON:
    """Bot API: getWebhookInfo."""
    hook, error = telegram.webhook.hook, telegram.webhook.error
    shown: JSON = {
        "url": hook.url if hook else "",
        "has_custom_certificate": bool(hook and hook.certificate),
        "pending_update_count": len(telegram.updates.pending()),
    }
    if hook:
        shown["max_connections"] = hook.connections
        if hook.ip_address:
            shown["ip_address"] = hook.ip_address
    if error:
        shown["last_error_date"], shown["last_error_message"] = error
    allowed = telegram.updates.allowed
    return shown | ({"allowed_updates": allowed} if allowed else {})
