"""Entering and changing people by hand: with history, and never over somebody else's change."""

import pytest

from services.members import Role
from storage import mails, registrations
from tests.dashboard import sign_in
from tests.fixtures.databases import only_sqlite
from tests.views.organizer.test_people import HOSTILE, add, find, list_names, make_event

pytestmark = only_sqlite

SAVE = "変更を保存する"
ADD = "参加者を追加する"

NEW = {
    "family_name": "高橋",
    "given_name": "次郎",
    "email": "jiro@example.com",
    "question_company": "見本商事",
    "question_age": "30s",
    "basis": "4月1日に電話で",
}


def test_changed_details_keep_what_stood_before_in_the_history(site):
    public_id, event_id = make_event(site)
    person = add(site, event_id, "a@example.com")
    address = f"/organizer/events/{public_id}/people/{person}"
    form = sign_in(site, Role.APPROVER).open(f"{address}/edit").form(SAVE)
    page = form.fill(family_name="山本", question_company=HOSTILE).submit()
    assert find(site, person).family_name == "山本"
    assert "山田 太郎 → 山本 太郎" in page.text
    assert "登録内容を変更しました。" in page.text
    assert HOSTILE[:20] in page.text
    with site.database.read() as session:
        [change] = registrations.list_changes(session, find(site, person).id)
    assert (change.actor, change.before["family_name"]) == ("organizer", "山田")


def test_slower_of_two_editors_is_told_and_overwrites_nothing(site):
    public_id, event_id = make_event(site)
    person = add(site, event_id, "a@example.com")
    address = f"/organizer/events/{public_id}/people/{person}/edit"
    one, two = (sign_in(site).open(address).form(SAVE) for _ in range(2))
    site.clock.move(minutes=1)
    one.fill(family_name="一番").submit()
    told = two.fill(family_name="二番").submit(status=409)
    assert find(site, person).family_name == "一番"
    assert "一番 太郎" in told.text
    told.form(SAVE).submit()
    assert find(site, person).family_name == "二番"


def test_missing_name_comes_back_with_what_was_typed(site):
    public_id, event_id = make_event(site)
    person = add(site, event_id, "a@example.com")
    address = f"/organizer/events/{public_id}/people/{person}/edit"
    form = sign_in(site).open(address).form(SAVE)
    page = form.fill(family_name="", given_name="残る").submit(status=422)
    assert page.root.find_all("input", name="given_name")[0]["value"] == "残る"
    assert find(site, person).given_name == "太郎"


def test_person_added_by_hand_gets_a_mail_and_agrees_to_nothing_by_it(site):
    public_id, _ = make_event(site)
    address = f"/organizer/events/{public_id}/people"
    browser = sign_in(site)
    page = browser.open(f"{address}/new").form(ADD).fill(**NEW).submit()
    person = find(site, page.url.split("?")[0].split("/")[-1])
    with site.database.read() as session:
        assert registrations.list_consents(session, person.id) == []
        assert [mail.name for mail in mails.list_mails(session, person.id)] == ["confirmation"]
    assert (person.surface, person.status) == ("hand", "approved")
    assert "4月1日に電話で" in page.text
    assert list_names(browser.open(f"{address}?mailable=yes")) == []


def test_address_that_is_known_is_not_added_again(site):
    public_id, event_id = make_event(site)
    add(site, event_id, NEW["email"])
    address = f"/organizer/events/{public_id}/people/new"
    page = sign_in(site).open(address).form(ADD).fill(**NEW).submit(status=409)
    assert page.root.find_all("input", name="family_name")[0]["value"] == "高橋"
    with site.database.read() as session:
        [person] = registrations.list_registrations_by_email_key(session, NEW["email"])
        assert person.family_name == "山田"
        assert len(mails.list_mails(session, person.id)) == 1


@pytest.mark.parametrize(
    ("act", "words"),
    [("cancel", "キャンセル済みです"), ("deny", "お断り済みです"), ("resend", "登録済みです")],
)
def test_who_is_known_by_the_address_is_a_link_away(site, act, words):
    public_id, event_id = make_event(site)
    person = add(site, event_id, NEW["email"])
    people = f"/organizer/events/{public_id}/people"
    browser = sign_in(site, Role.APPROVER)
    browser.post_form(f"{people}/{person}", f"{people}/{person}", {"act": act})

    page = browser.open(f"{people}/new").form(ADD).fill(**NEW).submit(status=409)

    assert words in page.text
    assert page.link("この方のページを開く") == f"{people}/{person}"


def test_who_is_added_needs_a_basis(site):
    public_id, _ = make_event(site)
    address = f"/organizer/events/{public_id}/people/new"
    sign_in(site).open(address).form(ADD).fill(**NEW | {"basis": " "}).submit(status=422)
    with site.database.read() as session:
        assert registrations.list_registrations_by_email_key(session, NEW["email"]) == []
