"""Know which secrets the database was made with"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


revision = '0003'
down_revision = '0002'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        'known_secret',
        sa.Column('fingerprint', sa.String(length=16), nullable=False),
        sa.Column('first_used_at', sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint('fingerprint', name=op.f('pk_known_secret')),
    )


def downgrade() -> None:
    op.drop_table('known_secret')
