"""Processes of this version go on while a newer one has brought the database further."""

from sqlalchemy import text

from storage import migrate
from tests.mailbox import find_link
from tests.people import TARO

# What a release may do in its first step: columns that need not be named, tables, indexes.
EXPAND = (
    "ALTER TABLE registration ADD COLUMN nickname VARCHAR(50)",
    "ALTER TABLE submission ADD COLUMN score INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE job ADD COLUMN weight INTEGER NOT NULL DEFAULT 1",
    "ALTER TABLE mail ADD COLUMN opened_at TIMESTAMP",
    "CREATE TABLE badge (id INTEGER PRIMARY KEY, registration_id INTEGER NOT NULL)",
    "CREATE INDEX ix_mail_name ON mail (name)",
    "UPDATE alembic_version SET version_num = '9999'",
)


def test_person_registers_joins_and_cancels_on_a_schema_of_the_next_version(site):
    site.add_event(slug="spring")
    visitor = site.visitor()
    form = visitor.open("/e/spring").form().fill(**TARO)
    with site.database.write() as session:
        for statement in EXPAND:
            session.execute(text(statement))
        fits_us = {"head": migrate.get_head()}
        session.execute(text("UPDATE schema_fit SET oldest_revision = :head"), fits_us)

    receipt = form.submit()
    site.drain()
    mail = site.mailbox.read_only("taro@example.com")
    room = visitor.open(find_link(mail, "j")).form().leave()
    personal = visitor.open(find_link(mail, "r"))
    personal.follow("参加をキャンセルする").form("キャンセルする").submit()
    site.drain()

    assert receipt.heading == "お申し込みが完了しました"
    assert room.startswith(site.sandbox.url)
    assert site.list_effects("taro@example.com") == ["add", "cancel"]
    assert visitor.fetch("/readyz", status=503).json()["missing"] == ["worker"]
