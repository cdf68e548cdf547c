"""The rules: which answer, and which failure, makes which error."""

import json

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.hidream.classify import (
    FOREIGN,
    RULES,
    Answer,
    Call,
    failure,
    read_answer,
    refusal,
    succeeded,
)
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
from tests.hidream.making import UNHURRIED


def answer(
    body: bytes | dict[str, object],
    status: int = 200,
    *,
    call: Call = Call.SUBMIT,
    sent: bool = True,
    content_type: str = "application/json",
) -> Answer:
    """An answer as it comes from the network."""
    return read_answer(
        call=call,
        sent=sent,
        http_status=status,
        content_type=content_type,
        body=body if isinstance(body, bytes) else json.dumps(body).encode(),
        retry_after=None,
        secret="hush",
    )


def refused(message: str, code: int = 1, status: int = 200, call: Call = Call.SUBMIT) -> type:
    """The class of error that a refusal with this message makes."""
    return type(refusal(answer({"code": code, "message": message}, status, call=call)))


@pytest.mark.parametrize(
    ("message", "error"),
    [
        # The token.
        ("token无效", TokenRefused),
        ("Token 已过期，请稍后重试", TokenRefused),
        ("illegal token", TokenRefused),
        ("invalid access_token, rate it", TokenRefused),
        ("令牌错误", TokenRefused),
        ("鉴权失败", TokenRefused),
        ("认证失败", TokenRefused),
        ("用户未登录", TokenRefused),
        ("登录已过期", TokenRefused),
        ("凭证已过期", TokenRefused),
        ("Unauthorized", TokenRefused),
        ("your session has expired", TokenRefused),
        ("Invalid API key", TokenRefused),
        # The pace.
        ("并发数超过限制", TooManyParallel),
        ("请求频率过高", TooFast),
        ("触发限流", TooFast),
        ("系统繁忙", TooFast),
        ("审核服务繁忙，请稍后再试", TooFast),
        ("请稍后再试", TooFast),
        ("今日次数已达上限", TooFast),
        ("rate limit exceeded", TooFast),
        ("Too Many Requests", TooFast),
        ("too many concurrent tasks", TooManyParallel),
        ("system overloaded", TooFast),
        ("server busy, retry later", TooFast),
        ("limit reached", TooFast),
        # Content.
        ("内容包含敏感词", ContentRefused),
        ("图片违规", ContentRefused),
        ("未通过审核", ContentRefused),
        ("内容不合规，请稍后修改", ContentRefused),
        ("涉及色情", ContentRefused),
        ("涉及政治", ContentRefused),
        ("含有暴力内容", ContentRefused),
        ("内容非法", ContentRefused),
        ("too many sensitive words", ContentRefused),
        ("blocked by moderation", ContentRefused),
        ("NSFW detected", ContentRefused),
        ("inappropriate prompt", ContentRefused),
        ("illegal content", ContentRefused),
        ("illegal prompt", ContentRefused),
        # Anything else.
        ("prompt长度超过上限", Refused),
        ("prompt over the length limit", Refused),
        ("at most 77 tokens", Refused),
        ("token limit of the prompt", Refused),
        ("参数非法", Refused),
        ("illegal parameter", Refused),
        ("图片链接已过期", Refused),
        ("the image link has expired", Refused),
        ("积分不足", Refused),
        ("could not generate", Refused),
        ("model offline", Refused),
        ("", Refused),
    ],
)
def test_the_words_of_a_refusal_choose_the_error(message: str, error: type) -> None:
    """Each kind of refusal is known by its words, in Chinese and in English."""
    assert refused(message) is error


@pytest.mark.parametrize(
    ("status", "body", "call", "sent", "error"),
    [
        (401, {"code": 1, "message": "系统繁忙"}, Call.SUBMIT, True, TokenRefused),
        (401, b"<html>", Call.ASK, True, TokenRefused),
        (403, b"", Call.ASK, True, TokenRefused),
        (403, {"code": 1, "message": "内容违规"}, Call.SUBMIT, True, ContentRefused),
        (403, {"code": 1, "message": "token 违规"}, Call.SUBMIT, True, TokenRefused),
        (429, {"code": 1, "message": "违规"}, Call.SUBMIT, True, TooFast),
        (429, b"<html>", Call.ASK, True, TooFast),
        (429, {"code": 1, "message": "并行任务数超限"}, Call.SUBMIT, True, TooManyParallel),
        (504, b"<html>", Call.SUBMIT, True, Uncertain),
        (504, b"", Call.SUBMIT, False, GatewayIll),
        (504, b"", Call.ASK, True, GatewayIll),
        (500, {"code": 1, "message": "token"}, Call.SUBMIT, True, GatewayIll),
        (502, b"<html>", Call.SUBMIT, True, GatewayIll),
        (503, {"code": 0, "result": {}}, Call.SUBMIT, True, GatewayIll),
        (302, b"", Call.SUBMIT, True, GatewayIll),
        (408, b"", Call.SUBMIT, True, GatewayIll),
        (200, b"<html>maintenance</html>", Call.SUBMIT, True, GatewayIll),
        (200, b"<html>maintenance</html>", Call.ASK, True, GatewayIll),
        (200, b'{"code": 0, "res', Call.SUBMIT, True, Uncertain),
        (200, b'{"code": 0, "res', Call.SUBMIT, False, GatewayIll),
        (200, b'{"code": 0, "res', Call.ASK, True, GatewayIll),
        (200, b"", Call.SUBMIT, True, Uncertain),
        (200, b"[1]", Call.ASK, True, GatewayIll),
        (200, b"[" * 200_000, Call.ASK, True, GatewayIll),
        (200, b"\xff\xfe", Call.ASK, True, GatewayIll),
        (200, {"result": {}}, Call.SUBMIT, True, Uncertain),
        (200, {"code": 401, "message": "?"}, Call.SUBMIT, True, TokenRefused),
        (200, {"code": "429"}, Call.SUBMIT, True, TooFast),
        (200, {"code": 401, "message": "违规"}, Call.SUBMIT, True, ContentRefused),
        (200, {"code": 2031, "message": "model"}, Call.SUBMIT, True, Refused),
        (200, {"code": 9, "message": "任务不存在"}, Call.ASK, True, UnknownTask),
        (200, {"code": 9, "message": "任务不存在"}, Call.SUBMIT, True, Refused),
        (200, {"code": 9, "message": "Task_id not found"}, Call.ASK, True, UnknownTask),
        (200, {"code": 9, "message": "task has expired"}, Call.ASK, True, UnknownTask),
        (400, {"code": 9, "message": "违规"}, Call.SUBMIT, True, ContentRefused),
        (404, b"<html>", Call.ASK, True, Refused),
        (413, b"", Call.SUBMIT, False, Refused),
        (422, {"detail": "bad"}, Call.SUBMIT, True, Refused),
    ],
)
def test_what_http_says_chooses_the_error(
    status: int, body: bytes | dict[str, object], call: Call, sent: bool, error: type
) -> None:
    """Statuses, unreadable bodies and codes make the documented errors, before any words."""
    came = answer(body, status, call=call, sent=sent)
    assert not succeeded(came)
    made = refusal(came)
    assert type(made) is error
    assert made.http_status == status


def test_html_is_known_by_its_header_too() -> None:
    """A page that does not begin like one is still no answer of the service."""
    made = refusal(answer(b"Sorry", content_type="text/html; charset=utf-8"))
    assert type(made) is GatewayIll


def test_json_that_is_called_html_is_json() -> None:
    """A gateway that labels its JSON badly is understood."""
    assert succeeded(answer({"code": "0"}, content_type="text/html"))


def test_the_words_are_kept_without_the_token() -> None:
    """HiDream's message is there for the admins, our token taken out of it."""
    made = refusal(answer({"code": 7, "message": "bad header hush!"}))
    assert (made.code, made.vendor_message) == (7, "bad header ***!")
    assert "bad header" not in str(made)


def test_every_row_can_decide() -> None:
    """Each rule has words about itself, and the last takes anything."""
    assert len({rule.about for rule in RULES}) == len(RULES)
    assert all(issubclass(rule.error, HiDreamError) for rule in RULES)
    assert RULES[-1].error is Refused


def subclasses(of: type[Exception]) -> list[type[Exception]]:
    """A class and all below it."""
    return [of, *(each for child in of.__subclasses__() for each in subclasses(child))]


ALL_OF_HTTPX = [
    each for each in vars(httpx).values() if isinstance(each, type) and issubclass(each, Exception)
]


def test_no_exception_of_httpx_is_left_out() -> None:
    """Every exception that httpx offers, and every one below, is translated."""
    tree = {each for root in ALL_OF_HTTPX for each in subclasses(root)}
    assert len(tree) > 25
    assert [each.__name__ for each in tree if not issubclass(each, FOREIGN)] == []


@pytest.mark.parametrize("foreign", ALL_OF_HTTPX, ids=lambda each: each.__name__)
def test_a_failure_depends_on_whether_the_body_was_sent(foreign: type[Exception]) -> None:
    """Unsent is NotSent; sent is Uncertain for a submission and GatewayIll for a question."""
    error = foreign.__new__(foreign)
    assert type(failure(error, Call.SUBMIT, sent=False)) is NotSent
    assert type(failure(error, Call.ASK, sent=False)) is NotSent
    assert type(failure(error, Call.DOWNLOAD, sent=True)) is DownloadLater
    early = (
        httpx.ConnectError,
        httpx.ConnectTimeout,
        httpx.PoolTimeout,
        httpx.ProxyError,
        httpx.UnsupportedProtocol,
        httpx.InvalidURL,
    )
    if foreign in early:
        assert type(failure(error, Call.SUBMIT, sent=True)) is NotSent
    else:
        assert type(failure(error, Call.SUBMIT, sent=True)) is Uncertain
        assert type(failure(error, Call.ASK, sent=True)) is GatewayIll


@UNHURRIED
@given(
    body=st.binary(max_size=30)
    | st.dictionaries(
        st.sampled_from(["code", "message"]), st.none() | st.integers() | st.text()
    ).map(lambda value: json.dumps(value).encode()),
    status=st.integers(100, 599),
    call=st.sampled_from([Call.SUBMIT, Call.ASK]),
    sent=st.booleans(),
)
def test_every_answer_is_a_success_or_an_error(
    body: bytes, status: int, call: Call, sent: bool
) -> None:
    """Some rule fits whatever comes, and only a submission that was sent is uncertain."""
    came = answer(body, status, call=call, sent=sent)
    if not succeeded(came):
        made = refusal(came)
        assert not isinstance(made, Uncertain) or (call is Call.SUBMIT and sent)
