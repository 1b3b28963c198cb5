"""Inviting people from the dashboard: link, QR code, text."""

from io import BytesIO

import pytest
from PIL import Image

from services.members import Role
from tests.dashboard import sign_in
from tests.fixtures.databases import only_sqlite

pytestmark = only_sqlite


@pytest.fixture
def event(site):
    return site.add_event(slug="spring", kind="webinar", lead={"ja": "実例をご紹介します。"})


@pytest.fixture
def viewer(site, event):
    return sign_in(site, Role.VIEWER)


def test_invitation_says_that_registration_comes_first(site, viewer, event):
    page = viewer.open(f"/organizer/events/{event.public_id}/inviting")
    japanese, english = (pre.text for pre in page.root.find_all("pre"))

    assert "春の説明会" in japanese
    assert "事前のお申し込みが必要です" in japanese
    assert f"{site.url}/e/spring" in japanese.split()
    assert "Spring briefing" in english
    assert "You need to register before the day" in english
    assert f"{site.url}/e/spring?lang=en" in english.split()


def test_rich_text_links_to_the_form(site, viewer, event):
    page = viewer.open(f"/organizer/events/{event.public_id}/inviting")

    assert page.link("春の説明会") == f"{site.url}/e/spring"


def test_qr_code_is_drawn_for_screen_and_print(site, viewer, event):
    address = f"/organizer/events/{event.public_id}"
    svg = viewer.fetch(f"{address}/qr.svg")
    png = viewer.fetch(f"{address}/qr.png?save=1")

    assert svg.headers["Content-Type"].startswith("image/svg+xml")
    assert svg.content.startswith(b"<svg")
    picture = Image.open(BytesIO(png.content))
    assert picture.size[0] == picture.size[1] >= 500
    assert "spring-qr.png" in png.headers["Content-Disposition"]


def test_draft_says_that_its_link_leads_nowhere_yet(site, viewer):
    draft = site.add_event(slug="later", status="draft")

    assert "公開するまで" in viewer.open(f"/organizer/events/{draft.public_id}/inviting").text


def test_hostile_title_is_text_alone(site, viewer):
    title = '<script>alert(1)</script>"><img src=x onerror=alert(1)>'
    event = site.add_event(slug="hostile", title={"ja": title, "en": title})
    page = viewer.open(f"/organizer/events/{event.public_id}/inviting")

    assert title in page.root.find_all("pre")[0].text
    assert len(page.root.find_all("script")) == 2


def test_picture_that_others_see_is_shown(site, viewer, event):
    page = viewer.open(f"/organizer/events/{event.public_id}/inviting")
    cards = [img["src"] for img in page.root.find_all("img") if "/card/" in img["src"]]

    assert [card.split("/")[4] for card in cards] == ["ja", "en"]
    for card in cards:
        answer = site.visitor().fetch(card)
        assert Image.open(BytesIO(answer.content)).size == (1200, 630)
