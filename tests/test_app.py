from pathlib import Path

from app import create_app
from config import Settings
from views.headers import SeeOther


def test_assembling_the_site_opens_no_connection(tmp_path: Path):
    app = create_app(Settings(instance=tmp_path))

    pool = app.extensions["site"].database.engine.pool

    # Web processes are forked after this: a connection must not be shared by two of them.
    assert pool.checkedin() + pool.checkedout() == 0
    assert not (tmp_path / "uketsuke.sqlite3").exists()


def test_unknown_host_gets_a_page_of_its_own(tmp_path: Path):
    client = create_app(Settings(instance=tmp_path)).test_client()

    answer = client.get("/", headers={"Host": "attacker.example"})

    assert answer.status_code == 400
    assert "attacker" not in answer.text
    assert "<h1" in answer.text


def test_who_has_registered_is_led_on_with_the_headers_of_every_answer():
    answer = SeeOther("https://example.com/s/token?lang=ja")

    _body, status, headers = answer.get_wsgi_response({"REQUEST_METHOD": "POST"})

    assert status == "303 SEE OTHER"
    assert ("Location", "https://example.com/s/token?lang=ja") in headers
    assert ("Cache-Control", "no-store") in headers
    assert ("Content-Length", "0") in headers


def test_address_of_a_site_with_a_japanese_name_can_be_sent():
    answer = SeeOther("https://受付.example/s/token?lang=ja")

    _body, _status, headers = answer.get_wsgi_response({"REQUEST_METHOD": "POST"})

    assert ("Location", "https://xn--bnqq5j.example/s/token?lang=ja") in headers
