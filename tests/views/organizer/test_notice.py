"""The editor of the privacy notice, and what becomes of its versions."""

from __future__ import annotations

from datetime import timedelta

import pytest

from services.consents import hash_notice
from services.default_form import default_questions
from services.event_documents import EventDocument
from services.event_editing import save_event
from services.events import read_current_form, read_definition
from services.members import Role
from services.organizations import make_operator
from storage import events, notices, organizations
from storage.models import Consent
from tests.dashboard import sign_in
from tests.fixtures.databases import only_sqlite
from tests.people import TARO
from zoom_client import Kind

pytestmark = only_sqlite

PAGE = "/organizer/settings/notice"
EDIT = f"{PAGE}/edit"
PUBLISH = "この版を公開"


def add_event(site, **members):
    """Add an event with the questions that every one starts with."""
    with site.database.write() as session:
        organization = organizations.get_first_organization(session)
        operator = make_operator(organization)
    return site.add_event(questions=default_questions("ja", operator), **members)


def publish(browser, *, status=200, **values):
    return browser.open(EDIT).form(PUBLISH).fill(**values).submit(status=status)


def read_notice(site, event, **query):
    version = "".join(f"?version={number}" for number in query.values())
    return site.visitor().open(f"/e/{event.slug}/notice{version}").text


def test_new_version_reaches_events_and_leaves_the_old_one_readable(site):
    editor = sign_in(site, Role.EDITOR)
    event = add_event(site)
    taro = site.visitor().open(f"/e/{event.slug}").form()
    taro.fill(**TARO).submit()

    page = publish(editor, purposes_ja="- 新しい目的のため")

    assert "新しい版を公開しました" in page.text
    assert "新しい目的のため" in read_notice(site, event)
    assert "新しい目的のため" not in read_notice(site, event, version=1)
    with site.database.read() as session:
        [consent] = session.query(Consent).filter_by(kind="privacy")
        shown = read_definition(session, consent.form_version_id).get_question("privacy")
        present = read_current_form(session, events.need_event(session, event.id))
        assert consent.notice_hash == hash_notice(shown)
        assert consent.notice_hash != hash_notice(present.get_question("privacy"))


def test_half_filled_notice_is_refused_and_the_gap_named(site):
    owner = sign_in(site)

    page = publish(owner, status=422, shape="joint", joint_items_ja="氏名", purposes_en="")

    assert "「利用目的」（English）を入力してください" in page.errors
    assert "「共同して利用する者の範囲」（日本語）を入力してください" in page.errors
    assert page.root.find_all("p", id="purposes_en-error")
    assert page.form(PUBLISH)["joint_items_ja"] == "氏名"
    with site.database.read() as session:
        assert notices.list_versions(session, 1) == []


def test_notice_without_an_operator_is_refused(site):
    owner = sign_in(site)
    with site.database.write() as session:
        organizations.get_first_organization(session).representative = ""

    page = publish(owner, status=422)

    assert "不足：代表者" in page.text


@pytest.mark.parametrize(
    ("shape", "parts", "words"),
    [
        ("each", {"cohosts": "例1社\n例2社"}, "共催：例1社、例2社"),
        ("provision", {
            "recipients": "例3社", "provided_items": "氏名", "provided_purposes": "ご案内",
            "provided_means": "暗号化したファイル"}, "提供先：例3社"),
        ("joint", {
            "joint_items": "氏名", "joint_users": "例4社", "joint_purposes": "運営",
            "joint_acquired": "申込ページ", "joint_responsible": "例5社",
            "joint_address": "東京都", "joint_representative": "代表 見本",
            "joint_contact": "joint@example.com"}, "責任を有する者：例5社"),
    ],
)  # fmt: skip
def test_cohosted_event_gets_a_shape_of_its_own(site, shape, parts, words):
    owner = sign_in(site)
    cohosted, other = add_event(site), add_event(site)
    both = {f"{part}_{each}": text for part, text in parts.items() for each in ("ja", "en")}

    publish(owner, shape=shape, use="chosen", events=[cohosted.public_id], **both)

    assert words in read_notice(site, cohosted)
    assert words not in read_notice(site, other)
    table = owner.open(PAGE).text
    assert "第1版" in table and "標準の文面" in table


def test_event_with_a_text_of_its_own_keeps_it(site):
    owner = sign_in(site)
    event = site.add_event()

    publish(owner, purposes_ja="- 新しい目的のため")

    assert "新しい目的のため" not in read_notice(site, event)
    assert "独自の文面" in owner.open(PAGE).text


def test_new_event_starts_with_the_newest_standard_version(site):
    owner = sign_in(site)
    publish(owner, purposes_ja="- 版の目的")
    event = add_event(site)
    publish(owner, use="chosen", events=[event.public_id], purposes_ja="- 選んだ催しの目的")
    document = EventDocument(
        slug="new",
        kind=Kind.MEETING,
        title={"ja": "新しい催し"},
        zoom_id=81234567890,
        starts_at=site.clock() + timedelta(days=9),
        duration_minutes=60,
        timezone="Asia/Tokyo",
    )
    with site.database.write() as session:
        organization = organizations.get_first_organization(session)
        connection = organizations.get_first_connection(session, organization.id)
        made = save_event(session, document, pictures={}, connection=connection, now=site.clock())
        [privacy] = [q for q in read_current_form(session, made).questions if q.id == "privacy"]

    assert "版の目的" in privacy.notice["ja"] and "選んだ" not in privacy.notice["ja"]


def test_renamed_organization_is_named_by_versions_too(site):
    owner = sign_in(site)
    event = add_event(site)
    publish(owner, purposes_ja="- 版の目的")

    owner.open("/organizer/settings/organization").form("保存").fill(
        legal_name="株式会社 新しい会"
    ).submit()

    assert "名称：株式会社 新しい会" in read_notice(site, event)
    assert "版の目的" in read_notice(site, event)


def test_difference_is_shown(site):
    owner = sign_in(site)
    publish(owner, purposes_ja="- 新しい目的のため")

    page = owner.open(f"{PAGE}/compare?new=1")

    assert [element.text for element in page.root.find_all("ins")] == ["- 新しい目的のため"]
    assert len(page.root.find_all("del")) == 5
    assert owner.look("GET", f"{PAGE}/compare?new=9").status_code == 404


def test_second_of_two_who_publish_is_told(site):
    first, second = sign_in(site), sign_in(site)
    late = second.open(EDIT).form(PUBLISH).fill(purposes_ja="- 後の目的")
    publish(first, purposes_ja="- 先の目的")

    page = late.submit(status=409)

    assert "ほかの方が第1版を公開しました" in page.text
    assert page.form(PUBLISH)["purposes_ja"] == "- 後の目的"
    page.form(PUBLISH).submit()
    assert "後の目的" in owner_text(first, 2)


def test_version_that_was_published_already_is_kept_once(site):
    owner = sign_in(site)
    form = owner.open(EDIT).form(PUBLISH).fill(purposes_ja="- 新しい目的のため")

    for _ in range(2):
        assert "新しい版を公開しました" in form.submit().text

    with site.database.read() as session:
        assert len(notices.list_versions(session, 1)) == 1


def owner_text(browser, number):
    return browser.open(f"{PAGE}/compare?new={number}").text


def test_markup_in_a_notice_stays_harmless(site):
    owner = sign_in(site)
    event = add_event(site)
    publish(owner, purposes_ja='<script>alert(1)</script><img src=x onerror="alert(1)">')

    for page in (
        site.visitor().open(f"/e/{event.slug}/notice"),
        owner.open(f"{PAGE}/compare?new=1"),
        owner.open(EDIT),
    ):
        assert "<script>alert" not in page.response.text
        assert "<img src=x" not in page.response.text


def test_member_of_some_events_may_not_change_what_all_share(site):
    event = site.add_event()
    some = sign_in(site, Role.EDITOR, event_ids=[event.id])
    for browser in (some, sign_in(site, Role.VIEWER)):
        assert browser.look("GET", PAGE).status_code == 403


def test_tables_of_all_slots_count_together(site):
    table = "|".join("a" * 20) + "\n" + "|".join("-" * 20) + "\n" + "a\n" * 60

    page = publish(sign_in(site), status=422, items_ja=table, purposes_ja=table)

    assert "20列、全部で2000マス" in page.errors[0]


def test_who_handles_data_is_listed_by_what_is_on_and_asked_again_when_that_changes(site):
    owner = sign_in(site)
    event = add_event(site)
    publish(owner)
    shown = read_notice(site, event)
    assert "Zoom Communications, Inc.（米国）" in shown and "127.0.0.1" in shown
    assert "メール配信" not in shown
    publishing = f"/organizer/events/{event.public_id}/publishing"
    assert "もう一度公開" not in owner.open(PAGE).text + owner.open(publishing).text
    with site.database.write() as session:
        [version] = notices.list_versions(session, 1)
        used = version.document["processors"] | {"mail": "smtp.example.com"}
        version.document = version.document | {"processors": used}

    assert "もう一度公開" in owner.open(publishing).text
    page = owner.open(PAGE)
    assert "新しい版を公開してください" in page.text
    publish(owner)

    assert "新しい版を公開してください" not in owner.open(PAGE).text
