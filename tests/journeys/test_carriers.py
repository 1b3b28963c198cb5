"""People with an address of a Japanese mobile carrier, some of which break the rules of mail."""

import pytest

from tests.fixtures.databases import only_sqlite
from tests.mailbox import find_link
from tests.people import TARO

pytestmark = only_sqlite

HINT = "携帯電話会社の迷惑メール対策で届かないことがあります。"


@pytest.fixture
def register(site):
    """Return how somebody registers with an address."""
    site.add_event(slug="spring")

    def register(email):
        return site.visitor().open("/e/spring").form().fill(**TARO | {"email": email}).submit()

    return register


def list_settings(receipt):
    """List the settings of a phone that the part about missing mails names."""
    [part] = receipt.root.find_all("section", aria_labelledby="mail-heading")
    return [item.text for item in part.find_all("li")]


def test_receipt_tells_a_carriers_customer_which_settings_matter(register):
    receipt = register("taro@docomo.ne.jp")

    assert HINT in receipt.text
    assert list_settings(receipt) == [
        "ドメイン指定受信に 127.0.0.1 を追加する",
        "URLを含むメールを受信できるようにする",
        "なりすましメール対策の例外（救済リスト）に 127.0.0.1 を追加する",
    ]


def test_receipt_tells_others_in_one_sentence(register):
    receipt = register("taro@example.co.jp")

    assert "10分たっても届かない場合は、迷惑メールフォルダをご確認ください。" in receipt.text
    assert HINT not in receipt.text
    assert list_settings(receipt) == []


@pytest.mark.parametrize("email", ["da..me@docomo.ne.jp", "dame.@ezweb.ne.jp"])
def test_address_that_breaks_the_rules_gets_mail_and_room(site, register, email):
    receipt = register(email)
    site.drain()

    mail = site.mailbox.read_only(email)
    local, _, domain = email.partition("@")
    assert f'To: "{local}"@{domain}\n' in mail.as_string()
    assert receipt.heading == "お申し込みが完了しました"
    assert site.list_effects(email) == ["add"]
    room = site.visitor().open(find_link(mail, "j")).form().leave()
    assert email in site.read_room(room)
