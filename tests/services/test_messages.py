"""Messages: headers that hold whatever was typed, addresses that servers take, safe names."""

from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.headerregistry import Address
from email.utils import parseaddr

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.calendars import CalendarEntry
from services.messages import (
    MailContent,
    MessageRefused,
    attach_calendar,
    compose_message,
    make_address,
    safe_name,
    write_line,
)

NOON = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
SENDER = Address(username="noreply", domain="uketsuke.example")
INJECTIONS = [
    "x\r\nBcc: eve@attacker.invalid",
    "x\nBcc: eve@attacker.invalid",
    "x\rBcc: eve@attacker.invalid",
    "x\x00\r\n\r\n<p>body</p>",
    "x\u2028Bcc: eve@attacker.invalid",
    "x\x85Bcc: eve@attacker.invalid",
    "x\x0bBcc: eve@attacker.invalid",
    "=?utf-8?q?x=0D=0ABcc:_eve=40attacker.invalid?=",
    "=?utf-8?b?eA0KQmNjOiBldmVAYXR0YWNrZXIuaW52YWxpZA==?=",
    "x%0d%0aBcc: eve@attacker.invalid",
    '"x" <eve@attacker.invalid>, y',
    "x\ud800y",
]


def compose(subject="件名", text="本文\n", html="<p>本文</p>", attachments=(), **changes):
    options = {
        "sender": SENDER,
        "sender_name": "株式会社サンプル",
        "recipient": "taro@example.com",
        "message_id": "0123456789abcdef",
        "locale": "ja",
        "reply_to": "event@example.com",
        "date": NOON,
    }
    content = MailContent(subject, text, html, attachments)
    return compose_message(content, **(options | changes))


def read(message):
    return message_from_bytes(message.as_bytes(), policy=policy.default)


def decode(header):
    return str(make_header(decode_header(header.replace("\r\n", ""))))


def test_message_has_exactly_these_headers():
    message = read(compose())
    assert {name: str(value) for name, value in message.items() if name != "Content-Type"} == {
        "From": "株式会社サンプル <noreply@uketsuke.example>",
        "To": "taro@example.com",
        "Reply-To": "event@example.com",
        "Subject": "件名",
        "Date": "Sun, 22 Nov 2026 03:00:00 +0000",
        "Message-ID": "<0123456789abcdef@uketsuke.example>",
        "Auto-Submitted": "auto-generated",
        "MIME-Version": "1.0",
        "Content-Language": "ja",
    }


def test_message_is_seven_bit_with_text_before_html():
    message = compose(text="こんにちは\n", html="<p>こんにちは</p>\n")
    assert message.as_bytes().isascii()
    parts = [(part.get_content_type(), part.get_content()) for part in read(message).iter_parts()]
    assert parts == [("text/plain", "こんにちは\r\n"), ("text/html", "<p>こんにちは</p>\r\n")]


def test_calendar_file_says_its_method_in_the_media_type():
    entry = CalendarEntry(
        uid="1@x.example",
        title="題名",
        starts_at=NOON,
        ends_at=NOON,
        timezone="Asia/Tokyo",
        locale="ja",
        stamped_at=NOON,
    )
    message = read(compose(attachments=(attach_calendar([entry], "CANCEL"),)))
    (file,) = message.iter_attachments()
    assert file.get_content_type() == "text/calendar"
    assert file["Content-Type"].params == {"method": "CANCEL", "charset": "utf-8"}
    assert file.get_filename() == "invite.ics"
    assert b"METHOD:CANCEL\r\n" in file.get_payload(decode=True)


@pytest.mark.parametrize("text", INJECTIONS)
def test_injected_text_adds_no_header_and_no_recipient(text):
    plain = read(compose())
    message = read(compose(subject=text, sender_name=text, text=text, html=text))
    assert message.keys() == plain.keys()
    assert [str(address) for address in message["To"].addresses] == ["taro@example.com"]
    assert [address.addr_spec for address in message["From"].addresses] == [SENDER.addr_spec]


@pytest.mark.parametrize("text", INJECTIONS)
@pytest.mark.parametrize("header", ["recipient", "reply_to", "message_id"])
def test_injected_text_in_an_address_is_refused(header, text):
    with pytest.raises(MessageRefused):
        compose(**{header: text})


@given(
    st.text(st.sampled_from('新製品 ウェビナー（）【】😀é　Zoom "12/10", 14:00;\\=?'), max_size=120)
)
def test_subject_and_sender_name_come_back_whole(text):
    message = message_from_bytes(compose(subject=text, sender_name=text).as_bytes())
    line = write_line(text)
    assert decode(message["Subject"]) == line
    name = message["From"].replace("\r\n", "").rpartition(" <")[0]
    assert (parseaddr(message["From"])[0] if line.isascii() else decode(name)) == line


def test_subject_drops_directions_and_invisible_characters():
    tricky = "請求\u202egnp\u2066.exe\u200b\ufeff\u3164\U000e0041 葛\U000e0100城"
    assert str(compose(subject=tricky)["Subject"]) == "請求gnp.exe 葛\U000e0100城"


@pytest.mark.parametrize(
    ("email", "written"),
    [
        ("taro@example.com", "taro@example.com"),
        ("da..me@docomo.ne.jp", '"da..me"@docomo.ne.jp'),
        ("dame.@ezweb.ne.jp", '"dame."@ezweb.ne.jp'),
        ("-oQ/tmp@example.com", "-oQ/tmp@example.com"),
        ('a"b@example.com', '"a\\"b"@example.com'),
        ('"da..me"@docomo.ne.jp', '"da..me"@docomo.ne.jp'),
    ],
)
def test_address_is_quoted_where_servers_want_it(email, written):
    message = compose(recipient=email)
    assert make_address(email).addr_spec == written
    assert f"To: {written}\r\n".encode() in message.as_bytes()


@pytest.mark.parametrize(
    "email",
    [
        "",
        "taro",
        "@example.com",
        "taro@",
        "太郎@example.com",
        "taro@例え.jp",
        "a@b@c d",
        "t@e..com",
    ],
)
def test_what_is_no_address_is_refused(email):
    with pytest.raises(MessageRefused):
        make_address(email)


@pytest.mark.parametrize(
    "name",
    [
        "山田 太郎",
        "髙橋 葛\U000e0100城",
        "O'Neil-Smith",
        "マリア・ゴンザレス",
        "Taro 2",
        "María del Carmen de la Cruz García López",
        "五十嵐 一二三",
        "𠮷田 \ufa19",
    ],
)
def test_name_is_kept_code_point_for_code_point(name):
    assert safe_name(name) == name


@pytest.mark.parametrize(
    "name",
    [
        "https://attacker.invalid buy",
        "今すぐ www.attacker.invalid へ",
        "attacker.invalid/win",
        "ａｔｔａｃｋｅｒ．ｉｎｖａｌｉｄ",
        "att\u200backer.inv\u200balid",
        "当選 例え。テスト",
        "eve@attacker.invalid",
        "電話 03-1234-5678",
        "０９０ー１２３４ー５６７８",
        "+81 (90) 1234.5678",
        "電話〇三ー一二三四ー五六七八",
        "evil\ufe0f.com",
        "e\u0332vil\u0332.c\u0332om",
        "evil[.]com",
        "evil\ua4f8com",
        "1.2.3.4",
        "Locked: reply now",
        "You have won a prize and must call us today",
        "\u200b\u3164",
        "",
    ],
)
def test_name_that_is_a_message_is_dropped(name):
    assert safe_name(name) == ""


def test_name_is_one_line_of_64_characters():
    assert safe_name("山田\r\n太郎 " + "あ" * 100) == "山田 太郎 " + "あ" * 58
