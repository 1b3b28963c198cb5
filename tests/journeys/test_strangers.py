"""A stranger types somebody's address: what it may cost the owner, and what it never gives away."""

import re
from urllib.parse import urlencode

import pytest

from services.mail_limits import PER_EVENT_A_DAY
from services.registration_edits import MAX_EDITS_A_DAY
from storage import events, registrations
from tests.factories import COMPANY, PRIVACY
from tests.journeys.test_personal_page import NEWS
from tests.mailbox import find_link
from tests.organizer import Organizer
from tests.people import HANAKO, TARO


def register(site, person=TARO, **options):
    return site.visitor().open("/e/spring").form().fill(**person).submit(**options)


def find_screen_links(receipt) -> dict[str, str]:
    """Return the receipt's links to the join page (`j`) and to the personal page (`r`)."""
    return dict(re.findall(r"/([jr])/([\w-]{45})", receipt.response.text))


def test_owner_who_comes_by_mail_shuts_the_strangers_way_in(site):
    site.add_event(slug="spring")
    stranger = register(site, HANAKO | {"family_name": "だれ", "given_name": "か"})
    site.drain()
    links = find_screen_links(stranger)
    owner = site.visitor()

    register(site, HANAKO)
    site.drain()
    mail = site.mailbox.read_last("hanako@example.com")
    personal = owner.open(find_link(mail, "r"))
    [proposal] = [a["href"] for a in personal.root.find_all("a") if "/answers/" in a["href"]]
    owner.open(proposal).form("この内容に変更する").submit()

    visitor = site.visitor()
    visitor.open(f"/r/{links['r']}", status=404)
    visitor.open(f"/r/{links['r']}/data.json", status=404)
    visitor.open(f"/j/{links['j']}", status=404)
    visitor.post(f"/j/{links['j']}", [], status=404)
    page = visitor.open(stranger.url)
    assert page.heading == "メールをご確認ください"
    assert "佐藤" not in page.text
    visitor.fetch(page.url.replace("?", "/invite.ics?"), status=404)


def test_corrected_receipt_never_speaks_for_the_wrong_address_again(site):
    organizer = Organizer(site, site.add_event(slug="spring"))
    first = register(site, HANAKO | {"family_name": "山田", "given_name": "太郎"})
    form = first.follow("メールアドレスを訂正する").form()
    second = form.fill(email="taro@example.com").submit()
    site.drain()

    register(site, HANAKO)
    site.drain()
    mail = site.mailbox.read_last("hanako@example.com")
    page = site.visitor().open(find_link(mail, "r") + "/again")
    page.form("もう一度申し込む").submit()
    site.drain()

    assert organizer.find("hanako@example.com").family_name == "佐藤"
    old = site.visitor().open(first.url)
    assert old.url.split("?")[0] == second.url.split("?")[0]
    calendar = site.visitor().fetch(first.url.replace("?", "/invite.ics?"), status=303)
    assert calendar.text.count("/j/") == 0


def test_owner_of_a_wrong_address_reads_nothing_of_who_typed_it(site):
    site.add_event(slug="spring")
    first = register(site, TARO | {"email": "hanako@example.com"})
    form = first.follow("メールアドレスを訂正する").form()
    form.fill(email="taro@example.com").submit()
    site.drain()

    register(site, HANAKO)
    site.drain()

    mail = site.mailbox.read_last("hanako@example.com")
    assert "山田" not in mail.as_string() and "太郎" not in mail.get_body().get_content()
    personal = site.visitor().open(find_link(mail, "r"))
    assert "山田" not in personal.text and "例株式会社" not in personal.text


def test_receipt_is_corrected_three_times_at_most(site):
    site.add_event(slug="spring")
    page = register(site)
    for number in range(3):
        form = page.follow("メールアドレスを訂正する").form()
        page = form.fill(email=f"number{number}@example.com").submit()

    assert "メールアドレスを訂正する" not in page.text
    refused = site.visitor().open(page.url.replace("?", "/address?"))
    assert "お受けできなくなりました" in refused.text
    assert site.count_rows("registration") == 4


def test_cancelling_and_coming_back_does_not_flood_a_mailbox(site):
    site.add_event(slug="spring")
    links = find_screen_links(register(site))
    visitor = site.visitor()
    for _ in range(5):
        site.drain()
        visitor.post(f"/r/{links['r']}/cancel", [])
        visitor.post(f"/r/{links['r']}/again", [])
    site.let_pass(minutes=2)
    site.drain()

    assert len(site.mailbox.list_mails("taro@example.com")) <= 3


def test_full_event_answers_every_correction_alike(site):
    site.add_event(slug="spring", capacity=1, link_policy="mail")
    page = register(site)

    assert "メールアドレスを訂正する" not in page.text
    refused = site.visitor().open(page.url.replace("?", "/address?"))
    assert "お受けできなくなりました" in refused.text


def test_link_of_one_campaign_is_in_nobody_elses_page(site):
    site.add_event(slug="spring")
    tagged = site.visitor().open("/e/spring?utm_source=first")
    plain = site.visitor().open("/e/spring")
    again = site.visitor().open("/e/spring?utm_source=second")

    assert "utm_source=first" in tagged.response.text
    assert "utm_source" not in plain.response.text
    assert "first" not in again.response.text and "utm_source=second" in again.response.text
    assert "first" not in again.follow("English").response.text


def test_campaign_is_remembered_over_all_that_goes_wrong(site):
    organizer = Organizer(site, site.add_event(slug="spring"))
    tags = {"utm_source": "letter", "page": "https://www.example.com/a", "ref": "x", "gclid": "C1"}
    query = urlencode(tags | {"utm_medium": "taro@example.com"})
    page = site.visitor().open(f"/e/spring?{query}")
    form = page.follow("English").form()

    refused = form.fill(**TARO | {"given_name": ""}).submit(status=422)
    site.clock.move(days=2)
    expired = refused.form().fill(given_name="太郎").submit(status=422)
    assert "taro%40example.com" not in expired.response.text
    expired.form().fill(given_name="太郎").submit()

    assert organizer.find("taro@example.com").source == tags
    assert expired.locale == "en"


def test_mark_of_the_token_cannot_be_guessed_into_a_page(site):
    site.add_event(slug="spring")
    for text in ("form-token-goes-here", "form_token"):
        site.visitor().open(f"/e/spring?utm_source={text}")

    assert register(site).heading == "お申し込みが完了しました"


def test_stranger_who_was_first_cannot_undo_what_the_owner_sent(site):
    organizer = Organizer(site, site.add_event(slug="spring"))
    stranger = register(site, HANAKO | {"family_name": "だれ", "given_name": "か"})
    form = stranger.follow("メールアドレスを訂正する").form()
    links = find_screen_links(stranger)

    register(site, HANAKO)
    form.fill(email="stranger@example.com").submit()
    for act in ("cancel", "edit", "again"):
        site.visitor().post(f"/r/{links['r']}/{act}", [], status=404)

    assert organizer.find("hanako@example.com").status == "approved"
    site.drain()
    site.visitor().open(find_link(site.mailbox.read_last("hanako@example.com"), "j"))


def test_stranger_sees_no_name_but_the_one_they_typed(site):
    site.add_event(slug="spring")
    stranger = register(site, HANAKO | {"family_name": "だれ", "given_name": "か"})
    site.drain()
    mail = site.mailbox.read_only("hanako@example.com")
    page = site.visitor().open(find_link(mail, "r")).follow("登録内容を変更する")
    page.form("変更を保存する").fill(family_name="佐藤", given_name="花子").submit()

    join_page = site.visitor().open(f"/j/{find_screen_links(stranger)['j']}")
    assert "だれ か" in join_page.text and "佐藤" not in join_page.text


def test_owner_reads_nothing_of_a_stranger_who_edited_and_left(site):
    site.add_event(slug="spring")
    first = register(site, HANAKO | {"family_name": "山田", "given_name": "太郎"})
    edit = first.follow("登録内容の変更・キャンセル").follow("登録内容を変更する")
    edit.form("変更を保存する").fill(question_company="秘密").submit()
    correct(first, "taro@example.com")

    register(site, HANAKO)
    site.drain()
    personal = find_link(site.mailbox.read_last("hanako@example.com"), "r")
    held = site.visitor().fetch(f"{personal}/data.json").text
    assert "秘密" not in held and "太郎" not in held


def test_form_of_a_stranger_who_meant_another_address_is_offered_to_nobody(site):
    site.add_event(slug="spring", link_policy="mail")
    register(site, HANAKO)
    mistaken = register(site, HANAKO | {"family_name": "山田", "question_company": "秘密"})
    correct(mistaken, "taro@example.com")
    site.drain()

    personal = find_link(site.mailbox.list_mails("hanako@example.com")[0], "r")
    page = site.visitor().open(personal)
    assert [a["href"] for a in page.root.find_all("a") if "/answers/" in a["href"]] == []


def test_news_that_a_stranger_asked_for_is_not_the_owners_wish(site):
    site.add_event(slug="spring", questions=(COMPANY, PRIVACY, NEWS))
    correct(register(site, HANAKO | {"question_news": "yes"}), "taro@example.com")

    register(site, HANAKO)
    site.drain()
    personal = find_link(site.mailbox.read_last("hanako@example.com"), "r")
    site.visitor().open(f"{personal}/again").form().submit()

    consents = site.visitor().fetch(f"{personal}/data.json").json()["consents"]
    newest = {consent["kind"]: consent["given"] for consent in consents}
    assert newest == {"privacy": True, "marketing": False}


@pytest.mark.parametrize("policy", ["code", "mail"])
def test_form_sent_again_at_a_full_event_tells_no_address_from_another(site, policy):
    event = site.add_event(slug="spring", link_policy=policy)
    register(site, HANAKO)
    forms = [
        site.visitor().open("/e/spring").form().fill(**TARO | {"email": email})
        for email in ("hanako@example.com", "new@example.com")
    ]
    late = site.visitor().open("/e/spring").form().fill(**HANAKO)
    first = [form.submit() for form in forms]
    Organizer(site, event).change_event(capacity=1)

    again = [form.submit() for form in forms]
    assert [page.url for page in again] == [page.url for page in first]
    for _ in range(2):
        assert "満席になりました" in late.submit(status=409).text


@pytest.mark.parametrize(("policy", "words"), [("show", "残り4名"), ("mail", "残りわずか")])
def test_number_of_seats_is_shown_where_it_tells_nothing(site, policy, words):
    event = site.add_event(slug="spring", link_policy=policy, capacity=50)
    with site.database.write() as session:
        events.add_counters(session, event.id, {events.SEATS: 46})

    assert words in site.visitor().open("/e/spring").text


def test_address_of_a_page_is_in_nobody_elses_page(site):
    site.add_event(slug="spring")
    plain = site.visitor().open("/e/spring").response.text

    for query in ("utm_source=&utm_source=evil", "utm_source=a&utm_source=evil", "lang=xx&evil=1"):
        assert "evil" not in site.visitor().open(f"/e/spring?{query}&utm_id=evil").response.text
        assert "evil" not in site.visitor().open("/e/spring").response.text
        assert "evil" not in site.visitor().open("/e/spring?utm_source=a").response.text
    assert len(site.visitor().open("/e/spring").response.text) == len(plain)


def test_details_are_changed_some_times_a_day(site):
    organizer = Organizer(site, site.add_event(slug="spring"))
    receipt = register(site, HANAKO)
    edit = (
        receipt.follow("登録内容の変更・キャンセル")
        .follow("登録内容を変更する")
        .form("変更を保存する")
    )

    for number in range(MAX_EDITS_A_DAY):
        edit.fill(question_company=f"会社{number}").submit()
    edit.fill(question_company=f"会社{MAX_EDITS_A_DAY - 1}").submit()
    refused = edit.fill(question_company="もう一つ").submit(status=409)

    assert "登録内容の変更は1日20回までです" in refused.text
    assert refused.form().list_values("question_company") == ["もう一つ"]
    person = organizer.find("hanako@example.com")
    with site.database.read() as session:
        assert registrations.count_changes(session, person.id) == MAX_EDITS_A_DAY


def test_who_moves_up_and_down_gets_three_mails_a_day(site):
    site.add_event(slug="spring", capacity=1, has_waitlist=True)
    holder = register(site, TARO)
    personal = find_screen_links(holder)["r"]
    register(site, HANAKO)
    for _ in range(3):
        site.visitor().open(f"/r/{personal}/cancel").form().submit()
        site.drain()
        site.visitor().open(f"/r/{personal}/again").form().submit()
        site.drain()

    assert len(site.mailbox.list_mails("hanako@example.com")) <= PER_EVENT_A_DAY
    site.let_pass(days=1, minutes=1)
    site.drain()
    assert site.mailbox.list_subjects("hanako@example.com")[-1] == "参加確定"


def correct(receipt, email):
    form = receipt.follow("メールアドレスを訂正する").form()
    return form.fill(email=email).submit()
