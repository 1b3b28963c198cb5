"""Boxes that follow from a notice, and giving data to just the recipients that people agreed to."""

from io import BytesIO
from zipfile import ZipFile

from storage import provisions
from tests.dashboard import sign_in
from tests.fixtures.databases import only_sqlite
from tests.mailbox import find_link
from tests.people import HANAKO, TARO
from tests.views.organizer.test_notice import add_event, publish

pytestmark = only_sqlite

SHARED = {
    "shape": "provision",
    "recipients_ja": "株式会社みほん\n見本商事株式会社",
    "recipients_en": "Mihon Inc.",
    "provided_items_ja": "- 氏名\n- メールアドレス",
    "provided_items_en": "name, email address",
    "provided_purposes_ja": "セミナーのご案内",
    "provided_purposes_en": "invitations",
    "provided_means_ja": "電子ファイル",
    "provided_means_en": "a file",
}


def read_boxes(page, kind):
    """Return the labels of a kind of box by their names; none may be ticked."""
    boxes = page.root.find_all("input", type="checkbox")
    found = [box for box in boxes if box["name"].startswith(f"question_{kind}_")]
    assert not [box for box in found if "checked" in box]
    return {
        box["name"]: next(above for above in box.ancestors() if above.tag == "label").text
        for box in found
    }


def test_recipient_gets_those_who_ticked_its_own_box_and_no_others(site):
    owner = sign_in(site)
    event = add_event(site)
    publish(owner, **SHARED)
    page = site.visitor().open(f"/e/{event.slug}")
    boxes = read_boxes(page, "provision")
    first, second = boxes
    assert "株式会社みほん" in boxes[first] and "氏名、メールアドレス" in boxes[first]
    page.form().fill(**TARO, **{first: "yes"}).submit()
    site.visitor().open(f"/e/{event.slug}").form().fill(**HANAKO).submit()
    site.drain()

    address = f"/organizer/events/{event.public_id}/provisions"
    page = owner.open(address)
    assert "株式会社みほん 1人が同意しています" in page.text
    assert "見本商事株式会社 0人が同意しています" in page.text
    [form] = [f for f in page.root.find_all("form") if "/provisions/" in f["action"]]
    token = [(i["name"], i["value"]) for i in form.find_all("input")]
    file = owner.try_post(form["action"], token).content
    cells = ZipFile(BytesIO(file)).read("xl/worksheets/sheet1.xml").decode()
    assert "taro@example.com" in cells and "hanako@example.com" not in cells
    assert "個人情報の取扱い" not in cells

    assert "taro" not in owner.open(address).text
    with site.database.read() as session:
        [record] = provisions.list_provisions(session, event.id)
    assert (record.recipient, record.people) == ("株式会社みほん", 1)
    personal = find_link(site.mailbox.read_only("taro@example.com"), "r")
    data = site.visitor().fetch(f"{personal}/data.json").json()
    assert [given["recipient"] for given in data["given_to_third_parties"]] == ["株式会社みほん"]

    page = site.visitor().open(personal)
    page.form("設定を保存する").fill(news=[]).submit()
    assert "株式会社みほん 0人が同意しています" in owner.open(address).text


def test_each_cohost_has_a_box_of_its_own_beside_the_organizers(site):
    owner = sign_in(site)
    event = add_event(site)
    publish(
        owner, shape="each", cohosts_ja="- 株式会社みほん\n- 見本商事", cohosts_en="Mihon\nShoji"
    )
    page = site.visitor().open(f"/e/{event.slug}")
    boxes = read_boxes(page, "cohost")
    assert [text.partition("から")[0] for text in boxes.values()] == ["株式会社みほん", "見本商事"]
    assert all("広告・宣伝" in text for text in boxes.values())
    page.form().fill(**TARO, **{next(iter(boxes)): "yes"}).submit()
    people = f"/organizer/events/{event.public_id}/people"
    assert "山田" not in owner.open(f"{people}?mailable=yes").text

    publish(owner, shape="alone")
    assert read_boxes(site.visitor().open(f"/e/{event.slug}"), "cohost") == {}
