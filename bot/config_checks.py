"""What settings must be together, beyond what each may be by itself."""

from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

from bot.certificates import tls_of
from bot.config import Config
from bot.pictures import TELEGRAMS_LIMIT

_TELEGRAMS_OWN: Final = "api.telegram.org"
PORTS: Final = (443, 80, 88, 8443)
"""To these alone Telegram brings updates; a self-hosted Bot API server brings them anywhere, without TLS too."""


def crossed(config: Config) -> Iterator[str]:
    """Give what is wrong, each with the name of its setting; nothing where all is well."""
    yield from _webhook(config)
    yield from _certificate(config)
    yield from _files(config)


def _webhook(config: Config) -> Iterator[str]:
    if config.telegram.mode != "webhook":
        return
    public_url = config.web.public_url
    if public_url is None:
        yield (
            'telegram.mode = "webhook": needs web.public_url, the address under which Telegram '
            "reaches the bot, such as https://bot.example.org."
        )
    elif urlsplit(config.telegram.api_url).hostname == _TELEGRAMS_OWN:
        url = urlsplit(public_url)
        if url.scheme != "https":
            yield (
                f'web.public_url = "{public_url}": must be https with telegram.mode = "webhook": '
                "Telegram brings updates no other way."
            )
        elif (url.port or 443) not in PORTS:
            yield (
                f'web.public_url = "{public_url}": must be on port 443, 80, 88 or 8443 with '
                'telegram.mode = "webhook": Telegram brings updates to no other.'
            )


def _certificate(config: Config) -> Iterator[str]:
    web = config.web
    if web.certificate is None and web.key is None:
        if web.self_signed:
            yield "web.self_signed = true: needs web.certificate and web.key."
        return
    if web.certificate is None:
        yield "web.key: needs web.certificate, whose key it is."
        return
    if web.key is None:
        yield "web.certificate: needs web.key, the key that belongs to it."
        return
    if web.public_url is not None and urlsplit(web.public_url).scheme != "https":
        yield f'web.public_url = "{web.public_url}": must be https with web.certificate.'
    try:
        tls_of(web.certificate, web.key)
    except ValueError as exc:
        yield f"{exc}."


def _files(config: Config) -> Iterator[str]:
    telegram = config.telegram
    if telegram.local_mode and telegram.local_folder is None:
        yield (
            "telegram.local_folder: is missing: local_mode needs the folder in which the "
            "Bot API server keeps its files."
        )
    if telegram.max_file_bytes > TELEGRAMS_LIMIT and not telegram.local_mode:
        yield (
            f"telegram.max_file_megabytes = {telegram.max_file_megabytes}: must be at most 20: "
            "only a Bot API server of your own, with local_mode = true, gives more."
        )
