"""Every mail in both languages: its parts, its words, and what hostile values do to it."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes
from email.headerregistry import Address
from html.parser import HTMLParser
from pathlib import Path

import pytest

from app import create_app
from config import Settings
from services.mails import MailName
from services.messages import Attachment, MailContext, MailEvent, compose_message
from worker.mail_rendering import render_mail

ROOT = Path(__file__).parents[2]
SITE = "https://uketsuke.example"
CALENDAR = (Attachment("invite.ics", "text/calendar", b"BEGIN:VCALENDAR\r\n"),)
HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "{{7*7}}{%raw%}${7*7}",
    "%(name)s %s %",
    "x\r\nBcc: eve@attacker.invalid\r\n\r\nbody",
    "=?utf-8?q?x=0D=0ABcc:_eve=40attacker.invalid?=",
    "\u202egnp.exe\u2066",
    "</title></style>",
]

every_mail = pytest.mark.parametrize("name", list(MailName))
every_language = pytest.mark.parametrize("locale", ["ja", "en"])


@pytest.fixture(scope="module", autouse=True)
def context(tmp_path_factory):
    with create_app(Settings(instance=tmp_path_factory.mktemp("instance"))).app_context():
        yield


def make_event(**changes):
    event = MailEvent(
        title="はじめてのウェビナー",
        date_text="2026年12月10日（木）14:00〜15:00（日本時間）",
        short_date="12/10 14:00",
        organizer="株式会社サンプル",
        organizer_address="東京都千代田区千代田1-1",
        contact_email="event@sample.example",
        contact_url="https://sample.example/contact",
        kind="webinar",
    )
    return replace(event, **changes)


def make_full_context(**changes):
    """Fill in everything that a mail may say."""
    context = MailContext(
        event=make_event(),
        sender_domain="uketsuke.example",
        greeting_name="山田 太郎",
        number="A7K2-91QF",
        join_url=f"{SITE}/j/abc",
        personal_url=f"{SITE}/r/def",
        code="048213",
        reason="定員に達したためです。",
        standing="現在、承認待ちです。",
        proposal_url=f"{SITE}/r/def/answers/1",
        again_url=f"{SITE}/r/def/again",
        proof_url=f"{SITE}/v/ghi",
        proof_until="12/9 14:00",
        name_differs=True,
        marketing_withdraw_url=f"{SITE}/r/def/news",
    )
    return replace(context, **changes)


class Page(HTMLParser):
    """What a mail program would see: elements, links with their words, visible text."""

    def __init__(self, html):
        super().__init__()
        self.elements, self.attributes, self.links, self.text = [], [], [], ""
        self._inside = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.elements.append(tag)
        self.attributes += [name for name, _ in attrs]
        if tag == "a":
            self.links.append([dict(attrs)["href"], ""])
        self._inside.append(tag)

    def handle_endtag(self, tag):
        while self._inside.pop() != tag:
            pass

    def handle_data(self, data):
        if "a" in self._inside:
            self.links[-1][1] += data
        if "style" not in self._inside:
            self.text += data


def test_every_mail_has_its_three_files():
    folders = {path.name: path for path in (ROOT / "templates/mail").iterdir() if path.is_dir()}
    assert set(folders) == set(MailName)
    for folder in folders.values():
        assert {file.name for file in folder.iterdir()} == {"subject.txt", "body.txt", "body.html"}


def test_confirmation_reads_as_intended():
    context = make_full_context(code=None, marketing_withdraw_url=None)
    mail = render_mail("confirmation", context, "ja", CALENDAR)
    assert mail.subject == "【受付完了】12/10 14:00 はじめてのウェビナー"
    assert mail.text == (
        "山田 太郎 様\n"
        "\n"
        "お申し込みありがとうございます。お席を確保しました。\n"
        "\n"
        "イベント：はじめてのウェビナー\n"
        "日時：2026年12月10日（木）14:00〜15:00（日本時間）\n"
        "会場：オンライン（Zoom ウェビナー）\n"
        "受付番号：A7K2-91QF\n"
        "\n"
        "■ 参加用URL\n"
        "https://uketsuke.example/j/abc\n"
        "このURLはあなた専用です。ほかの方に転送しないでください。\n"
        "開始10分前から入室できます。\n"
        "\n"
        "添付のファイルを開くと、予定をカレンダーに追加できます。\n"
        "\n"
        "今後のお知らせのため、uketsuke.example からのメールを受信できるように設定してください。\n"
        "\n"
        "■ 登録内容の変更・キャンセル\n"
        "https://uketsuke.example/r/def\n"
        "お心当たりのない場合も、このページで登録を取り消せます。\n"
        "\n"
        "■ お問い合わせ\n"
        "event@sample.example\n"
        "https://sample.example/contact\n"
        "\n"
        "----------------------------------------\n"
        "株式会社サンプル\n"
        "東京都千代田区千代田1-1\n"
    )
    assert mail.attachments == CALENDAR


def test_confirmation_before_the_answer_of_zoom_keeps_the_place():
    context = make_full_context(is_link_ready=False)
    text = render_mail("confirmation", context, "en").text
    assert "Your place is kept." in text
    assert f"\n{SITE}/j/abc\n" in text
    assert "The link opens as soon as Zoom has prepared it." in text
    assert "10 minutes before the start" not in text


def test_link_that_opens_at_a_known_hour_is_told_with_it():
    context = make_full_context(is_link_ready=False, opens_text="12/10 09:10", is_too_late=True)
    mail = render_mail("delayed", context, "ja")
    shown = squeeze(Page(mail.html).text)
    for words in ("12/10 09:10ごろです", "イベントの開始に間に合いません", "お問い合わせ先まで"):
        assert words in mail.text
        assert squeeze(words) in shown
    assert "準備ができると" not in mail.text
    assert "\n\n\n" not in mail.text


@pytest.mark.parametrize("has_fallback", [True, False])
@pytest.mark.parametrize("join_url", [f"{SITE}/j/abc", None])
def test_link_of_whom_the_organizer_has_to_help_promises_nothing(join_url, has_fallback):
    context = make_full_context(
        is_link_ready=False, needs_help=True, has_fallback=has_fallback, join_url=join_url
    )
    for name in ("moved", "repeat", "dates", "delayed", "confirmation"):
        mail = render_mail(name, context, "en")
        assert "Zoom has not accepted your registration." in mail.text
        assert ("write to the contact below" in mail.text) is not has_fallback
        assert not re.search("Zoom has prepared it|10 minutes before", mail.text)
        assert "\n\n\n" not in mail.text
        shown = squeeze(Page(mail.html).text)
        for line in mail.text.split("Zoom has not", 1)[1].splitlines():
            assert line.startswith("---") or squeeze(line) in shown or ": " in line


def test_new_request_while_the_former_is_erased_is_told_as_one():
    context = MailContext(make_event(), "uketsuke.example", number="A7K2-91QF", is_new_request=True)
    mail = render_mail("repeat", replace(context, standing="It goes on."), "en")
    shown = squeeze(Page(mail.html).text)
    for words in ("Thank you for your request.", "It goes on.", "write to the contact below."):
        assert words in mail.text
        assert squeeze(words) in shown
    assert "Nothing has changed" not in mail.text + mail.html and "\n\n\n" not in mail.text


def test_code_and_link_are_told_apart():
    both = render_mail("confirmation", make_full_context(), "ja").text
    code = render_mail("pending", make_full_context(join_url=None), "ja").text
    words = "このメールの参加用URLは、コードを入力しなくてもお使いいただけます。"
    assert (words in both, words in code) == (True, False)


def test_mail_with_nothing_optional_leaves_no_gap():
    context = MailContext(
        event=make_event(contact_email="", contact_url="", organizer_address=""),
        sender_domain="uketsuke.example",
    )
    for name in MailName:
        text = render_mail(name, context, "en").text
        assert text.startswith("Hello,\n\n")
        assert text.endswith("----\n株式会社サンプル\n")
        assert "\n\n\n" not in text
        assert "None" not in text


@every_mail
def test_japanese_subject_has_state_and_date_in_thirty_characters(name):
    long = make_full_context(event=make_event(title="とても長い題名の" * 20))
    subject = render_mail(name, long, "ja").subject
    if name == MailName.DENIED:
        assert subject.endswith("お申し込みについて")
    else:
        assert re.match(r"【[^】]+】12/10 14:00 ", subject[:30])


@every_mail
@every_language
def test_address_stands_alone_on_its_line(name, locale):
    for line in render_mail(name, make_full_context(), locale, CALENDAR).text.splitlines():
        assert "https://" not in line or re.fullmatch(r"https://\S+", line)


@every_mail
@every_language
def test_html_says_what_the_text_says(name, locale):
    mail = render_mail(name, make_full_context(), locale, CALENDAR)
    shown = squeeze(Page(mail.html).text)
    for line in mail.text.splitlines():
        label, _, value = re.sub("：|: ", "\0", line, count=1).partition("\0")
        assert (
            line.startswith("---")
            or squeeze(line.removeprefix("■ ")) in shown
            or squeeze(label + value) in shown
        )


def squeeze(text):
    return "".join(text.split())


@every_mail
@every_language
def test_html_is_whole_and_loads_nothing(name, locale):
    html = render_mail(name, make_full_context(), locale, CALENDAR).html
    page = Page(html)
    assert f'<html lang="{locale}">' in html
    assert page.elements.count("h1") == 1
    assert page.elements.count("title") == 1
    assert not {"img", "link", "script", "iframe", "form"} & set(page.elements)
    assert not {"src", "background", "onclick"} & set(page.attributes)
    assert "url(" not in html


@every_mail
@every_language
def test_words_of_a_link_are_where_it_leads(name, locale):
    links = Page(render_mail(name, make_full_context(), locale).html).links
    assert links
    assert [words for _, words in links] == [to.removeprefix("mailto:") for to, _ in links]


@every_mail
@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_adds_no_markup_and_no_header(name, text):
    event = make_event(title=text, organizer=text, organizer_address=text)
    hostile = make_full_context(event=event, greeting_name=text, reason=text)
    mail = render_mail(name, hostile, "ja", CALENDAR)
    harmless = Page(render_mail(name, make_full_context(), "ja", CALENDAR).html)
    assert Page(mail.html).elements == harmless.elements
    assert Page(mail.html).attributes == harmless.attributes
    message = compose_message(
        mail,
        sender=Address(username="noreply", domain="uketsuke.example"),
        sender_name=text,
        recipient="taro@example.com",
        message_id="abc",
        locale="ja",
        reply_to=None,
        date=datetime(2026, 11, 22, 3, 0, tzinfo=UTC),
    )
    assert "Bcc" not in message_from_bytes(message.as_bytes())
    assert [address.addr_spec for address in message["To"].addresses] == ["taro@example.com"]


def test_text_and_subject_are_not_escaped_for_html():
    context = make_full_context(event=make_event(title="Q&A <入門>"))
    mail = render_mail("confirmation", context, "ja")
    assert mail.subject.endswith("Q&A <入門>")
    assert "イベント：Q&A <入門>\n" in mail.text
    assert "Q&amp;A &lt;入門&gt;" in mail.html


@every_mail
@every_language
def test_name_that_advertises_is_not_repeated(name, locale):
    context = make_full_context(greeting_name="当選 https://attacker.invalid 03-1234-5678")
    mail = render_mail(name, context, locale)
    assert "attacker.invalid" not in mail.subject + mail.text + mail.html
    assert mail.text.startswith("お申し込みの方へ\n" if locale == "ja" else "Hello,\n")


@every_mail
def test_japanese_keeps_to_the_copy_rules(name):
    text = render_mail(name, make_full_context(is_link_ready=False), "ja", CALENDAR).text
    assert not re.search("[!！]|ご入力ください|Eメール|(?<!を)頂", text)
    assert not re.search("広告|宣伝", text)


def test_repeat_tells_neither_old_nor_new_name():
    context = make_full_context(greeting_name="", name_differs=True)
    text = render_mail("repeat", context, "en").text
    assert "Zoom gives one join link per address" in text
    assert "山田" not in text
