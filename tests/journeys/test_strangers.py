"""A stranger types somebody's address: what it may cost the owner, and what it never gives away."""

import re

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
    assert "/j/" not in visitor.fetch(page.url.replace("?", "/invite.ics?")).text


def test_corrected_receipt_never_speaks_for_the_wrong_address_again(site):
    organizer = Organizer(site, site.add_event(slug="spring"))
    first = register(site, HANAKO | {"family_name": "山田", "given_name": "太郎"})
    form = first.follow("メールアドレスを間違えた方はこちら").form()
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
    form = first.follow("メールアドレスを間違えた方はこちら").form()
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
        form = page.follow("メールアドレスを間違えた方はこちら").form()
        page = form.fill(email=f"number{number}@example.com").submit()

    form = page.follow("メールアドレスを間違えた方はこちら").form()
    form.fill(email="last@example.com").submit(status=404)

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

    assert "メールアドレスを間違えた方はこちら" not in page.text
    site.visitor().open(page.url.replace("?", "/address?"), status=404)


def test_link_of_one_campaign_is_in_nobody_elses_page(site):
    site.add_event(slug="spring")
    tagged = site.visitor().open("/e/spring?utm_source=first")
    plain = site.visitor().open("/e/spring")
    again = site.visitor().open("/e/spring?utm_source=second")

    assert "utm_source=first" in tagged.response.text
    assert "utm_source" not in plain.response.text
    assert "first" not in again.response.text and "utm_source=second" in again.response.text


def test_campaign_is_remembered_over_an_error(site):
    organizer = Organizer(site, site.add_event(slug="spring"))
    form = site.visitor().open("/e/spring?utm_source=letter&lang=en").form()

    refused = form.fill(**TARO | {"given_name": ""}).submit(status=422)
    refused.form().fill(given_name="太郎").submit()

    assert organizer.find("taro@example.com").source == {"utm_source": "letter"}
    assert refused.locale == "en"


def test_mark_of_the_token_cannot_be_guessed_into_a_page(site):
    site.add_event(slug="spring")
    for text in ("form-token-goes-here", "form_token"):
        site.visitor().open(f"/e/spring?utm_source={text}")

    assert register(site).heading == "お申し込みが完了しました"
