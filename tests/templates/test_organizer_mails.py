"""The mails to organizers in both languages, their parts saying the same."""

from pathlib import Path

import pytest

from app import create_app
from config import Settings
from services.organizer_mails import OrganizerMailName
from storage.models import WebhookEndpoint
from tests.templates.test_mails import HOSTILE, Page, squeeze
from worker.mail_rendering import render_parts

FOLDER = Path(__file__).parents[2] / "templates/organizer_mail"

every_mail = pytest.mark.parametrize("name", list(OrganizerMailName))
every_language = pytest.mark.parametrize("locale", ["ja", "en"])


@pytest.fixture(scope="module", autouse=True)
def context(tmp_path_factory):
    with create_app(Settings(instance=tmp_path_factory.mktemp("instance"))).app_context():
        yield


def draw(name, locale, organization="株式会社サンプル"):
    values = {
        "site_url": "https://uketsuke.example",
        "url": "https://uketsuke.example/organizer/enter/abc",
        "organization": organization,
        "title": "春の説明会",
        "count": 12,
        "endpoint": WebhookEndpoint(name="顧客管理", public_id="x" * 22),
    }
    return render_parts(f"organizer_mail/{name}", values, locale)


def test_every_mail_has_its_three_files():
    folders = {path.name: path for path in FOLDER.iterdir() if path.is_dir()}
    assert set(folders) == set(OrganizerMailName)
    for folder in folders.values():
        assert {file.name for file in folder.iterdir()} == {"subject.txt", "body.txt", "body.html"}


@every_mail
@every_language
def test_html_says_what_the_text_says(name, locale):
    mail = draw(name, locale)
    page = Page(mail.html)
    for line in mail.text.splitlines():
        assert squeeze(line) in squeeze(page.text)
    assert "\n\n\n" not in mail.text
    assert [words for _, words in page.links] == [to for to, _ in page.links]
    assert not {"img", "link", "script"} & set(page.elements)


@pytest.mark.parametrize("text", HOSTILE)
def test_name_of_an_organization_adds_no_markup(text):
    plain, hostile = (draw("invitation", "ja", name) for name in ("例の会", text))
    assert Page(hostile.html).elements == Page(plain.html).elements
