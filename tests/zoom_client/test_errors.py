import time

import pytest

from zoom_client import FieldError, ValidationFailed, ZoomError
from zoom_client.errors import mask


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("participant (taro@example.com).", "participant ((address))."),
        ("User does not exist: taro+a.b@example.co.jp.", "User does not exist: (address)"),
        ("山田太郎＠例え.jp は無効", "(address) は無効"),
        ("see https://example.zoom.us/w/1?tk=a.b&pwd=c now", "see (link) now"),
        ("zoommtg://zoom.us/join?confno=1", "(link)"),
        ("token eyJzdiI6IjAwMDAwMSIsImFsZyI6IkhTNTEyIiwidiI6IjIuMCJ9.e30", "token (secret)"),
        ("two\nlines\x1b[2J and\u202e more", "two lines [2J and more"),
        ("Meeting does not exist: 85746065123.", "Meeting does not exist: 85746065123."),
        (
            "does not contain scopes:[meeting:update:registrant_status:admin]",
            "does not contain scopes:[meeting:update:registrant_status:admin]",
        ),
        ("x " * 1000, ("x " * 1000)[:300]),
    ],
)
def test_what_is_private_is_masked(text, expected):
    assert mask(text) == expected


def test_error_says_what_helps_to_find_it():
    error = ZoomError("Not good.", status=400, code=300, tracking_id="v=2.0;clid=us02")

    assert str(error) == "Not good. (HTTP 400, code 300, tracking id v=2.0;clid=us02)"
    assert repr(error) == f"<ZoomError: {error}>"


def test_tracking_id_is_kept_whole_on_one_line():
    tracking_id = "v=2.0;clid=us02;rid=WEB_0123456789abcdef0123456789abcdef"
    error = ZoomError("No", tracking_id=f"{tracking_id}\r\n\x1b")

    assert error.tracking_id == tracking_id


def test_error_without_an_answer_is_its_message():
    assert str(ZoomError("No connection to Zoom")) == "No connection to Zoom"


def test_no_part_of_an_error_holds_an_address():
    fields = [FieldError("email", "taro@example.com is invalid")]
    error = ValidationFailed("taro@example.com", fields=fields)

    assert "taro" not in f"{error} {error!r} {error.args} {error.fields} {vars(error)}"


@pytest.mark.parametrize("cut", range(1985, 2002))
def test_address_across_the_cut_stays_hidden(cut):
    text = "x" * 8 + " " * (cut - 8) + "taro@example.com" + " and more" * 1000

    assert "taro" not in mask(text)


@pytest.mark.parametrize("part", ["!", "!a", "a.", "a://", "@", "x" * 39 + "!", "a " * 20 + "!"])
def test_masking_a_long_text_takes_no_time(part):
    text = (part * 1_000_000)[:1_000_000]

    began = time.thread_time()
    mask(text)
    mask(text[:2000])

    assert time.thread_time() - began < 0.1


def test_error_keeps_fifty_fields_at_most():
    error = ValidationFailed("No", fields=[FieldError("email", "no")] * 1000)

    assert len(error.fields) == 50
