"""The script that pages of others name: small, checked by its hash, and there for good."""

import base64
import gzip
import hashlib
import re

from services.sources import PAGE, SOURCE_NAMES
from tests.fixtures.databases import only_sqlite
from views.embed_script import FORMER, SCRIPT, name_version, read_integrity, read_version


@only_sqlite
def test_script_is_small_and_its_address_is_for_good(site):
    newest, version = site.visitor().fetch("/embed.js"), read_version()
    kept = site.visitor().fetch(f"/embed-{version}.js")
    site.visitor().fetch("/embed-0123456789ab.js", status=404)

    assert newest.content == kept.content
    assert len(gzip.compress(kept.content, 9)) <= 2048
    assert newest.headers["Cache-Control"] == "public, max-age=300"
    assert kept.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    digest = base64.b64encode(hashlib.sha384(kept.content).digest()).decode()
    assert read_integrity() == f"sha384-{digest}"
    for answer in (newest, kept):
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
        assert answer.headers["Content-Type"].startswith("text/javascript")


def test_versions_that_pages_name_are_unchanged():
    assert all(name_version(file.read_bytes()) == file.stem for file in FORMER.glob("*.js"))


def test_script_carries_what_the_site_keeps_and_no_more():
    pattern = re.compile(re.search(r"CARRIED = /(.*)/;", SCRIPT.read_text())[1])
    others = ("session", "email", "utm", "page_id", "token", "code", "key", "href")

    assert {name for name in SOURCE_NAMES if not pattern.search(name)} == {PAGE}
    assert [name for name in others if pattern.search(name)] == []
