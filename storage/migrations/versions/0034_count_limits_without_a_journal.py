"""Count limits without a journal: on PostgreSQL, what is counted need not reach the disk"""

from __future__ import annotations

from alembic import op


revision = '0034'
down_revision = '0033'
branch_labels = None
depends_on = None

fits_code_of = '0006'


def upgrade() -> None:
    if op.get_bind().dialect.name == 'postgresql':
        op.execute('ALTER TABLE rate_bucket SET UNLOGGED')


def downgrade() -> None:
    if op.get_bind().dialect.name == 'postgresql':
        op.execute('ALTER TABLE rate_bucket SET LOGGED')
