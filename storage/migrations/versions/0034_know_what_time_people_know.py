"""Know what time people know, where an event was put to one that is over"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


revision = '0034'
down_revision = '0033'
branch_labels = None
depends_on = None

fits_code_of = '0006'


def upgrade() -> None:
    op.add_column('event', sa.Column('told_starts_at', sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column('event', 'told_starts_at')
