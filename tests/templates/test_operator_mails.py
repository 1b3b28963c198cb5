"""The operator's mails: every alarm in both languages, its parts saying the same."""

import re
from pathlib import Path

import pytest
from flask_babel import force_locale

from app import create_app
from config import Settings
from services.alarms import AlarmName
from tests.templates.test_mails import Page, squeeze
from worker.alarms import _ADVICE, _LABELS, _TITLES
from worker.mail_rendering import render_parts

TEMPLATES = Path(__file__).parents[2] / "templates"
FOLDER = TEMPLATES / "operator"
KINDS = ("alarm", "over")


@pytest.fixture(scope="module", autouse=True)
def context(tmp_path_factory):
    with create_app(Settings(instance=tmp_path_factory.mktemp("instance"))).app_context():
        yield


def draw(kind, name, locale):
    return render_parts(
        f"operator/{kind}",
        {
            "title": _TITLES[name],
            "advice": _ADVICE[name],
            "facts": [(label, "<3>") for label in _LABELS.values()],
            "began_text": "2026年12月10日（木）14:00（日本時間）",
            "ended_text": "2026年12月10日（木）15:00（日本時間）" if kind == "over" else "",
            "site_url": "https://uketsuke.example",
        },
        locale,
    )


def test_every_mail_has_its_three_files():
    folders = {path.name: path for path in FOLDER.iterdir() if path.is_dir()}
    assert set(folders) == set(KINDS)
    for folder in folders.values():
        assert {file.name for file in folder.iterdir()} == {"subject.txt", "body.txt", "body.html"}


def test_all_mails_are_drawn_on_one_page():
    folders = (FOLDER, TEMPLATES / "mail", TEMPLATES / "organizer_mail")
    files = [file for folder in folders for file in folder.rglob("*.html")]
    assert [file.name for file in files if "<head>" in file.read_text()] == ["_page.html"]


@pytest.mark.parametrize("name", list(AlarmName))
@pytest.mark.parametrize("locale", ["ja", "en"])
@pytest.mark.parametrize("kind", KINDS)
def test_html_says_what_the_text_says(kind, name, locale):
    mail = draw(kind, name, locale)
    page = Page(mail.html)
    shown = squeeze(page.text)
    with force_locale(locale):
        assert mail.text.startswith(f"{_TITLES[name]}\n\n")
        assert str(_TITLES[name]) in mail.subject
    for line in mail.text.splitlines():
        label, _, value = re.sub("：|: ", "\0", line, count=1).partition("\0")
        assert squeeze(line) in shown or squeeze(label + value) in shown
    assert "\n\n\n" not in mail.text
    assert [words for _, words in page.links] == [to for to, _ in page.links]
    assert not {"img", "link", "script"} & set(page.elements)
