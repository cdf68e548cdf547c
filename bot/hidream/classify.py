"""Which answer, and which failure of a call, makes which error: two tables and nothing else.

A new rule is a new row of `RULES`. The first row that fits decides, so each row's place matters.
Source: docs/hidream-api.md section 5.
"""

import json
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

import httpx

from bot.hidream.errors import (
    ContentRefused,
    DownloadLater,
    GatewayIll,
    HiDreamError,
    NotSent,
    Refused,
    TokenRefused,
    TooFast,
    TooManyParallel,
    Uncertain,
    UnknownTask,
)
from bot.hidream.wire import read_code, read_message


class Call(Enum):
    """The kinds of call, as far as failures differ between them."""

    SUBMIT = auto()
    ASK = auto()
    DOWNLOAD = auto()


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """An answer of the API, read as far as it can be.

    `sent` tells whether our request was written to its end. `envelope` is None where the body is
    not a JSON object with a readable `code`.
    """

    call: Call
    sent: bool
    http_status: int
    html: bool
    envelope: Mapping[str, object] | None
    code: int | None
    message: str | None
    retry_after: float | None

    @property
    def ok(self) -> bool:
        """Whether HTTP says that all went well."""
        return 200 <= self.http_status < 300

    def speaks_of(self, words: re.Pattern[str]) -> bool:
        """Whether HiDream's own words hold one of `words`."""
        return self.message is not None and words.search(self.message) is not None


_OWN_WORDS: Final = 4
"""Characters: shorter words of a person stand in half of all sentences."""


def read_answer(
    *,
    call: Call,
    sent: bool,
    http_status: int,
    content_type: str,
    body: bytes,
    retry_after: float | None,
    secret: str = "",
    own_words: Collection[str] = (),
) -> Answer:
    """An answer out of its parts.

    `secret` (our token) is taken out of HiDream's words, and so are `own_words`, a person's: repeated
    in a refusal, they must not decide what it means.
    """
    envelope: Mapping[str, object] | None = None
    try:
        parsed = json.loads(body.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        parsed = None
    if isinstance(parsed, dict):
        envelope = parsed
    code = read_code(envelope) if envelope is not None else None
    message = read_message(envelope) if envelope is not None else None
    for words in sorted(own_words, key=len, reverse=True):
        if message is not None and len(words.strip()) >= _OWN_WORDS:
            message = message.replace(words, "…").replace(words.strip(), "…")
    if message is not None and secret:
        message = message.replace(secret, "***")
    return Answer(
        call=call,
        sent=sent,
        http_status=http_status,
        html="html" in content_type.lower() or body.lstrip()[:1] == b"<",
        envelope=envelope if code is not None else None,
        code=code,
        message=message,
        retry_after=retry_after,
    )


def _words(*alternatives: str) -> re.Pattern[str]:
    return re.compile("|".join(alternatives), re.IGNORECASE | re.DOTALL)


TOKEN: Final = _words(
    # "tokens", and a token that a prompt has too many of, are measures of length.
    r"(?<![a-z])token(?!s|i[sz])(?!\s*(?:count|length|limit))",
    r"令牌|鉴权|身份认证|身份验证|认证(?:失败|过期|错误|无效)|未认证|未登录|未登陆|重新登录|请先登录|登录(?:已|过期|失效|超时)",
    r"unauthori[sz]ed|unauthenticated|authenticat|authorization|not logged in|log ?in again",
    r"credential|api[ _-]?key|access[ _-]?key|(?<![a-z])jwt(?![a-z])",
    # What else can expire is the link of a photo, or a task: that is no reason to stop everything.
    r"^(?!.*(?:图|链接|任务|task|image|url|link|photo|picture)).*(?:过期|expired)",
)
LOAD: Final = _words(
    r"并发|限流|频率|频繁|繁忙|过载|负载|排队|请求(?:数)?(?:过多|太多)",
    r"rate[ _-]?limit|(?<![a-z])rate(?![a-z])|too many (?:request|task|job|parallel)",
    r"concurren|parallel|overload|throttl|(?<![a-z])busy|(?<![a-z])qps(?![a-z])|too fast|capacity",
)
PARALLEL: Final = _words(r"并发|并行|concurren|parallel")
CONTENT: Final = _words(
    r"敏感|违规|违禁|违法|审核|不合规|合规|色情|政治|暴力|涉黄|涉政|涉暴|低俗|血腥",
    r"sensitive|moderation|nsfw|inappropriate|porn|nudity|sexual|explicit content|violen|politic",
    r"content (?:policy|violation|review|safety)|safety (?:system|filter|check)|illegal content",
)
MEASURE: Final = _words(
    r"长度|过长|太长|字数|字符|尺寸|大小|分辨率|比例|格式|参数|超长",
    r"too (?:long|large|big|small|short)|length|(?<![a-z])size|character|(?<![a-z])tokens(?![a-z])",
    r"token (?:count|length|limit)|resolution|aspect|format|argument|param|(?<![a-z])field|missing",
)
UNKNOWN: Final = _words(
    r"任务(?:id)?(?:不存在|未找到|无效|已过期)|(?:未找到|找不到).{0,4}任务",
    r"task(?:_id)?\b.*(?:not found|not exist|unknown|expired)|(?:no such|unknown|not find).*task",
)
LIMITS: Final = _words(
    r"稍后|稍候|上限|(?:速率|次数|数量|达到|超出|超过).*限制|超限|过多",
    r"limit(?!ed|ation)|too many|(?<![a-z])later(?![a-z])|temporarily|service (?:is )?unavailable|queue",
)
ILLEGAL: Final = _words(r"非法|不良", r"illegal|unsafe|prohibited|policy")


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """One row: what the answer is like, in words and as a test, and the error that it makes."""

    about: str
    fits: Callable[[Answer], bool]
    error: type[HiDreamError]


RULES: Final[tuple[Rule, ...]] = (
    # What HTTP itself says is surer than words, with one exception: some gateways answer 403 to
    # forbidden content. Read as a bad token, one user's words would stop the bot for everybody.
    Rule(
        about="403 for content",
        fits=lambda a: a.http_status == 403 and a.speaks_of(CONTENT) and not a.speaks_of(TOKEN),
        error=ContentRefused,
    ),
    Rule(about="401 or 403", fits=lambda a: a.http_status in {401, 403}, error=TokenRefused),
    Rule(
        about="429 for tasks at once",
        fits=lambda a: a.http_status == 429 and a.speaks_of(PARALLEL),
        error=TooManyParallel,
    ),
    Rule(about="429", fits=lambda a: a.http_status == 429, error=TooFast),
    # A gateway says 504 when the service behind it was too slow to answer, not too slow to accept.
    # So it stands before the rest of 5xx.
    Rule(
        about="the gateway gave up waiting for the answer to a submission",
        fits=lambda a: a.http_status == 504 and a.call is Call.SUBMIT and a.sent,
        error=Uncertain,
    ),
    # Before any words: to be final because of a text in a crash would be rash.
    Rule(
        about="5xx, or a status that is no answer",
        fits=lambda a: (
            a.http_status >= 500
            or (a.http_status < 400 and not a.ok)
            or a.http_status in {408, 425}
        ),
        error=GatewayIll,
    ),
    # A page in place of JSON comes from something before the service: a login, maintenance.
    Rule(about="HTML", fits=lambda a: a.ok and a.html and a.code is None, error=GatewayIll),
    # All rows above are answers that say no. Here something said 200, and what is unreadable.
    Rule(
        about="a 200 to a submission that cannot be read",
        fits=lambda a: a.code is None and a.ok and a.call is Call.SUBMIT and a.sent,
        error=Uncertain,
    ),
    Rule(
        about="a 200 that cannot be read", fits=lambda a: a.ok and a.code is None, error=GatewayIll
    ),
    # From here on it is a refusal, and its words decide. The token first: "token expired, try again
    # later" and "illegal token" speak of other things too.
    Rule(
        about="the token",
        fits=lambda a: a.speaks_of(TOKEN),
        error=TokenRefused,
    ),
    # Unmistakable load before content: "the review service is busy" is no verdict on a prompt.
    Rule(
        about="tasks at once",
        fits=lambda a: a.call is Call.SUBMIT and a.speaks_of(PARALLEL),
        error=TooManyParallel,
    ),
    Rule(about="load", fits=lambda a: a.speaks_of(LOAD), error=TooFast),
    # Content before the vaguer words: "too many sensitive words" is not about pace.
    Rule(about="content", fits=lambda a: a.speaks_of(CONTENT), error=ContentRefused),
    Rule(
        about="a task that is not known",
        fits=lambda a: a.call is Call.ASK and a.speaks_of(UNKNOWN),
        error=UnknownTask,
    ),
    # Before limits: "prompt over the length limit" would be put back for ever.
    Rule(about="a length, size or field", fits=lambda a: a.speaks_of(MEASURE), error=Refused),
    Rule(about="limits", fits=lambda a: a.speaks_of(LIMITS), error=TooFast),
    Rule(about="illegal", fits=lambda a: a.speaks_of(ILLEGAL), error=ContentRefused),
    # Codes that repeat HTTP's own numbers; behind the words, because the list of codes is not known.
    Rule(about="code 401", fits=lambda a: a.code == 401, error=TokenRefused),
    Rule(about="code 429", fits=lambda a: a.code == 429, error=TooFast),
    Rule(about="any other refusal", fits=lambda _: True, error=Refused),
)
"""The first row that fits an answer, other than a success, names its error."""


def succeeded(answer: Answer) -> bool:
    """Whether the answer is a success: HTTP 2xx and `code` 0."""
    return answer.ok and answer.code == 0


def refusal(answer: Answer) -> HiDreamError:
    """The error that an answer makes which is no success."""
    rule = next(rule for rule in RULES if rule.fits(answer))
    return rule.error(
        f"HiDream answered HTTP {answer.http_status}, code {answer.code}: {rule.about}",
        code=answer.code,
        vendor_message=answer.message,
        http_status=answer.http_status,
        retry_after=answer.retry_after,
    )


FOREIGN: Final[tuple[type[Exception], ...]] = (
    httpx.HTTPError,
    httpx.InvalidURL,
    httpx.StreamError,
    httpx.CookieConflict,
    # Time-outs of asyncio, and what TLS raises while reading, which httpx lets through.
    OSError,
)
"""Every exception of others that a call may meet."""

NEVER_SENT: Final[tuple[type[Exception], ...]] = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
    httpx.InvalidURL,
)
"""Those that happen before the first byte of a request leaves."""


def failure(error: Exception, call: Call, *, sent: bool) -> HiDreamError:
    """The error that a failed exchange makes; to be raised `from` the foreign exception."""
    name = type(error).__name__
    if call is Call.DOWNLOAD:
        return DownloadLater(f"the image could not be fetched: {name}")
    if not sent or isinstance(error, NEVER_SENT):
        return NotSent(f"the request did not leave: {name}")
    if call is Call.SUBMIT:
        return Uncertain(f"the request left, no answer came: {name}")
    return GatewayIll(f"no answer came: {name}")
