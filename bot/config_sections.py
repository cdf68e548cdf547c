"""What sections of the settings have in common: a token, a file that holds it, a proxy on the way.

What is secret stays in a `SecretStr`, and comes out only where it is used.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, ClassVar, Final

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from bot.config_values import ProxyUrl, secrets_of_proxy

NO_TOKEN: Final = "no_token"  # noqa: S105 - the name of an error
"""The type of the validation error that says that neither form of a token is given."""

_SLIPS: Final = (
    (re.compile(r"""^["'“‘]|["'”’]$"""), "has quotes round it"),
    (re.compile("^bearer ", re.IGNORECASE), 'begins with "Bearer", which the bot adds itself'),
)
"""What a token that has not the form may have been given too much."""


class Section(BaseModel):
    """A table of the file: unknown keys are errors, and nothing in it changes."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class WithToken(Section):
    """A section with a token, given as such or as a file that holds it."""

    _form: ClassVar[re.Pattern[str]] = re.compile(r"[!-~]+")
    _form_in_words: ClassVar[str] = "text without white space"

    token: Annotated[SecretStr | None, Field(description="text; or give token_file, not both")] = (
        None
    )
    token_file: Annotated[
        Path | None,
        Field(
            description="the path of a file that holds the token and nothing else",
            validate_default=True,
        ),
    ] = None

    @field_validator("token")
    @classmethod
    def _token_has_the_form(cls, token: SecretStr | None) -> SecretStr | None:
        return None if token is None else SecretStr(cls._checked(token.get_secret_value(), "be"))

    @field_validator("token_file")
    @classmethod
    def _one_of_both(cls, file: Path | None, info: ValidationInfo) -> Path | None:
        if file is None and info.data.get("token", "wrong") is None:
            raise PydanticCustomError(NO_TOKEN, "is missing: give it, or token_file")
        if file is not None and info.data.get("token") is not None:
            raise ValueError("token is given as well: keep one of them")
        if file is not None:
            cls._read(file)
        return file

    @classmethod
    def _checked(cls, token: str, verb: str) -> str:
        token = token.strip()
        if not token:
            raise ValueError(f"is empty: it must {verb} {cls._form_in_words}")
        if not cls._form.fullmatch(token):
            slip = next((f"; it {why}" for form, why in _SLIPS if form.search(token)), "")
            raise ValueError(f"must {verb} {cls._form_in_words}{slip}")
        return token

    @classmethod
    def _read(cls, file: Path) -> str:
        try:
            text = file.read_text(encoding="utf-8-sig")
        except FileNotFoundError as exc:
            # the name itself is not shown: it may be the token, written into the wrong key
            where = "" if file.is_absolute() else f" in {Path.cwd()}"
            raise ValueError(
                f"cannot be read: there is no such file{where}. It must be the path of a file that "
                "holds the token"
            ) from exc
        except OSError as exc:
            raise ValueError(f"cannot be read: {exc.strerror}") from exc
        except ValueError as exc:  # no text, or no path
            raise ValueError("cannot be read: it is not a text file") from exc
        return cls._checked(text, "hold")

    def read_token(self) -> str:
        """Give the token; a token file is read anew.

        Raises:
            ValueError: the file cannot be read, or holds no token.
        """
        if self.token_file is not None:
            return self._read(self.token_file)
        return self.token.get_secret_value() if self.token else ""


class Side(WithToken):
    """One of the two services: its token, and the way to it."""

    proxy: ProxyUrl = None

    @property
    def proxy_url(self) -> str | None:
        """The proxy's address with its password: for whoever connects, and for nobody else."""
        return None if self.proxy is None else self.proxy.get_secret_value()

    def secrets(self) -> Iterator[str]:
        """Give all that must never be seen."""
        yield self.read_token()
        if self.proxy_url is not None:
            yield from secrets_of_proxy(self.proxy_url)
