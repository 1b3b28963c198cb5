from pathlib import Path

from app import create_app
from config import Settings


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
