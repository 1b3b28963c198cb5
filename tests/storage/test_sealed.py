"""That nothing which is sealed is forgotten when the installation's secret is replaced."""

from sqlalchemy import LargeBinary, select

from storage import sealed
from storage.ciphers import Cipher
from storage.models import Base, Sealed, ZoomConnection
from tests import factories
from tests.fixtures.databases import SECRET, only_postgresql

NEW = b"n" * 32
PLAIN = {
    "asset.content",
    "index_bits.bits",
    "index_block.ids",
    "index_order.key",
    "passkey.credential_id",
    "passkey.public_key",
    "people_import_file.content",
    "people_task_part.ids",
}
"""Columns of bytes that are no secrets. What `Cipher` encrypts is of the type `Sealed` instead."""

[TOKENS] = [column for column in sealed.list_sealed_columns() if column.name == "token"]


def test_every_column_of_bytes_is_sealed_or_known_to_be_no_secret():
    columns = [column for table in Base.metadata.sorted_tables for column in table.c]
    of_bytes = {str(one) for one in columns if isinstance(one.type, LargeBinary)}
    assert of_bytes == PLAIN
    assert {str(one) for one in columns if isinstance(one.type, Sealed)} == {
        "identity_provider.client_secret",
        "known_secret.hash_keys",
        "organizer.totp_secret",
        "webhook_endpoint.former_secret",
        "webhook_endpoint.secret",
        "zoom_connection.client_secret",
        "zoom_connection.token",
        "zoom_registrant.join_url",
    }


def test_rows_of_what_is_sealed_have_one_key():
    for column in sealed.list_sealed_columns():
        assert len(column.table.primary_key) == 1, "they are walked through by it"


def add_connections(database, count):
    with database.write() as session:
        organization = factories.make_organization(session)
        for number in range(count):
            session.add(
                ZoomConnection(
                    organization_id=organization.id,
                    account_id=str(number),
                    token=session.info["cipher"].encrypt(str(number)),
                    created_at=factories.NOW,
                )
            )
        session.flush()
        return list(session.scalars(select(ZoomConnection.id).where(TOKENS.is_not(None))))


def test_value_that_was_replaced_meanwhile_is_left_as_it_is(database):
    first, second = add_connections(database, 2)
    cipher = Cipher([NEW, SECRET])
    meanwhile = cipher.encrypt("meanwhile")
    with database.write() as session:
        session.get_one(ZoomConnection, first).token = meanwhile
    with database.write() as session:
        assert sealed.replace_values(session, TOKENS, [first, second], cipher.reseal) == 1
    with database.read() as session:
        tokens = [session.get_one(ZoomConnection, one).token for one in (first, second)]
    assert tokens[0] == meanwhile
    assert Cipher([NEW]).decrypt(tokens[1]) == "1"


@only_postgresql
def test_row_that_somebody_holds_is_not_waited_for(database):
    held, free = add_connections(database, 2)
    reseal = Cipher([NEW, SECRET]).reseal
    with database.write() as other:
        other.get_one(ZoomConnection, held, with_for_update=True)
        with database.write() as session:
            assert sealed.replace_values(session, TOKENS, [held, free], reseal) == 1
