"""Rules that every template keeps, and the completeness of the Japanese catalogue."""

import re
import subprocess
import sys
from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    path
    for path in ROOT.glob("templates/**/*.html")
    if not {"mail", "operator", "organizer_mail"}
    & set(path.parts)  # mails, which are not shown by our pages
)
CATALOGUE = ROOT / "translations/ja/LC_MESSAGES/messages.po"

EXPRESSION = re.compile(r"{{.*?}}|{%.*?%}|{#.*?#}", re.DOTALL)
IMPORT = re.compile(r"{% from \S+ import (.*?)(?: with context)? %}")
TAG = re.compile(r"<[^>]*>", re.DOTALL)
ATTRIBUTE = re.compile(r"""[\w-]+=(?:"[^"]*"|'[^']*')""")
SPOKEN_ATTRIBUTE = re.compile(r'\b(?:alt|title|aria-label|label|data-[a-z]+)="([^"]*)"')

WORD = re.compile(r"[^\W\d_]{2,}")

by_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())


def strip_code(source):
    return EXPRESSION.sub("", source)


DATA_BLOCK = r' type="application/ld\+json">\{\{ [a-z.]+ \| tojson \}\}</script>'


@by_page
@pytest.mark.parametrize(
    ("what", "pattern"),
    [
        ("a style attribute", r"\sstyle\s*="),
        ("a style element", r"<style"),
        ("an inline script", rf"<script(?![^>]*\ssrc=|{DATA_BLOCK})"),
        ("an event handler", r"\son[a-z]+\s*="),
        ("a javascript address", r"javascript:"),
        ("unescaped output", r"\|\s*safe\b|autoescape\s+false|Markup"),
        ("a placeholder", r"\bplaceholder\s*="),
        ("a required attribute", r"<(?:input|select|textarea)[^>]*\srequired\b"),
        ("a disabled control", r"<(?:input|select|textarea|button)[^>]*\s(?:disabled|readonly)\b"),
        ("a select for several", r"<select[^>]*\smultiple\b"),
        ("a third-party address", r"""(?:src|href)=["'](?:https?:)?//"""),
    ],
)
def test_page_has_no(page, what, pattern):
    assert re.search(pattern, page.read_text()) is None


@by_page
def test_no_lone_asterisk_marks_a_field(page):
    visible = TAG.sub("\n", strip_code(page.read_text()))

    assert not re.search(r"(?:^|\s)[*＊](?:\s|$)", visible)


@by_page
def test_every_visible_word_can_be_translated(page):
    markup = strip_code(page.read_text())
    visible = ATTRIBUTE.sub("", TAG.sub("\n", markup)).splitlines()

    words = [text for text in visible + SPOKEN_ATTRIBUTE.findall(markup) if WORD.search(text)]

    assert words == []


@by_page
def test_page_uses_what_it_imports(page):
    source = page.read_text()
    lists = IMPORT.findall(source)
    used = set(re.findall(r"\w+", "\n".join(EXPRESSION.findall(IMPORT.sub("", source)))))

    names = [name.split()[-1] for listed in lists for name in listed.split(",")]

    assert [name for name in names if name not in used] == []


@by_page
def test_page_is_short(page):
    assert len(page.read_text().splitlines()) < 90


def test_catalogue_has_every_text(tmp_path):
    template = tmp_path / "messages.pot"
    keywords = ["-k", "lazy_gettext", "-k", "lazy_pgettext:1c,2", "-k", "lazy_ngettext:1,2"]
    command = ["-m", "babel.messages.frontend", "-q", "extract", "-F", "translations/babel.cfg"]
    subprocess.run(
        [sys.executable, *command, *keywords, "-o", template, *list_source_folders()],
        cwd=ROOT,
        check=True,
    )
    with template.open("rb") as file:
        wanted = read_po(file)
    with CATALOGUE.open("rb") as file:
        catalogue = read_po(file, locale="ja")

    missing = [
        message.id
        for message in wanted
        if message.id and not is_translated(catalogue.get(message.id, message.context))
    ]

    assert missing == []
    assert [message.id for message in catalogue if message.id and message.fuzzy] == []
    assert list(catalogue.obsolete) == []


def test_translations_keep_their_variables():
    with CATALOGUE.open("rb") as file:
        catalogue = read_po(file, locale="ja")

    broken = [(message.id, list(message.check())) for message in catalogue if list(message.check())]

    assert broken == []


def test_compiled_catalogue_is_up_to_date():
    with CATALOGUE.open("rb") as file:
        catalogue = read_po(file, locale="ja")
    compiled = BytesIO()

    write_mo(compiled, catalogue)

    assert CATALOGUE.with_suffix(".mo").read_bytes() == compiled.getvalue()


def list_source_folders():
    return [
        folder.name
        for folder in sorted(ROOT.iterdir())
        if folder.is_dir() and (folder / "__init__.py").exists() or folder.name == "templates"
    ]


def is_translated(message):
    if message is None:
        return False
    texts = message.string if isinstance(message.string, tuple) else (message.string,)
    return all(texts)
