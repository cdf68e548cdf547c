"""What can go wrong between us and HiDream: the tree, by what is to be done about it.

    HiDreamError
     ├ NotSent             nothing was accepted: try again
     ├ Uncertain           the whole request left, no readable answer came: it may have been accepted
     ├ GatewayIll          the gateway is ill: try again
     ├ TooFast             beyond a limit: put it back, slow down
     │  └ TooManyParallel  beyond the account's tasks at once: put it back until one of them ends
     ├ TokenRefused        our token is bad or expired: nothing works until it is replaced
     ├ ContentRefused      the user must change the words or the photo: final
     ├ Refused             any other refusal: a few tries, then final
     │  └ UnknownTask      HiDream does not know the task asked about
     └ DownloadError       a finished image could not be fetched
        ├ DownloadLater    it may work later: try again
        └ DownloadRefused  it never will: `reason` says why

The text of an error never holds a prompt, a URL or a token; `vendor_message` holds HiDream's own
words, for the admins only. Which answer makes which error: `classify.RULES`.
"""

from enum import StrEnum


class HiDreamError(Exception):
    """Any failure of a call to HiDream.

    Attributes:
        code: HiDream's own code, where its answer had one.
        vendor_message: HiDream's own words, shortened; not meant for users.
        http_status: the status of the answer, where one came.
        retry_after: seconds to wait before the next try, where the answer said so.
    """

    def __init__(
        self,
        summary: str,
        *,
        code: int | None = None,
        vendor_message: str | None = None,
        http_status: int | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(summary)
        self.code = code
        self.vendor_message = vendor_message
        self.http_status = http_status
        self.retry_after = retry_after


class NotSent(HiDreamError):
    """Nothing was accepted: no connection, or the body was not written to its end."""


class Uncertain(HiDreamError):
    """The whole submission left and no readable answer came; only `submit` raises it."""


class GatewayIll(HiDreamError):
    """The gateway answered badly: 5xx, HTML, JSON cut short or of a wrong shape, or too late."""


class TooFast(HiDreamError):
    """A limit of the account, or overload: the request was not taken, and is to be put back."""


class TooManyParallel(TooFast):
    """More tasks at once than the account may have."""


class TokenRefused(HiDreamError):
    """The token is missing, bad or expired."""


class ContentRefused(HiDreamError):
    """HiDream does not make this: the user must change the prompt or the photo."""


class Refused(HiDreamError):
    """Any other refusal; no task was made."""


class UnknownTask(Refused):
    """HiDream says that it does not know the task that was asked about."""


class DownloadError(HiDreamError):
    """A finished image could not be fetched."""


class DownloadLater(DownloadError):
    """The image could not be fetched now; it may be there later."""


class DownloadReason(StrEnum):
    """Why an image will never be fetched."""

    URL = "url"
    SCHEME = "scheme"
    ADDRESS = "address"
    TOO_LARGE = "too_large"
    TOO_MANY_PIXELS = "too_many_pixels"
    TOO_MANY_REDIRECTS = "too_many_redirects"
    NOT_AN_IMAGE = "not_an_image"
    GONE = "gone"


class DownloadRefused(DownloadError):
    """The image must not, or can never, be fetched; `reason` says why."""

    def __init__(
        self, summary: str, *, reason: DownloadReason, http_status: int | None = None
    ) -> None:
        super().__init__(summary, http_status=http_status)
        self.reason = reason
