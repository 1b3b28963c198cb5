"""A person registers and gets a personal join link."""

import requests

from tests.mailbox import find_link, read_text

TARO = {
    "family_name": "山田",
    "given_name": "太郎",
    "email": "taro@example.com",
    "question_privacy": "yes",
}


def test_person_registers_and_joins(site):
    event = site.add_event(slug="spring")
    visitor = site.visitor()

    form_page = visitor.open("/e/spring")
    assert form_page.heading == "春の説明会"
    receipt = form_page.form().fill(**TARO).submit()
    assert receipt.heading == "お申し込みが完了しました"
    site.drain()

    mail = site.mailbox.read_only("taro@example.com")
    assert "山田 太郎" in read_text(mail)
    join_page = visitor.open(find_link(mail, "j"))
    room = join_page.form().leave()

    assert requests.get(room, timeout=10).text.count("taro@example.com") == 1
    [person] = site.zoom.state()["registrants"]
    assert (person["meeting_id"], person["status"]) == (event.zoom_id, "approved")
