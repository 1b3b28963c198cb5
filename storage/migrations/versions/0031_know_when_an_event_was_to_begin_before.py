"""Know when an event was to begin before it was moved"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


revision = '0031'
down_revision = '0030'
branch_labels = None
depends_on = None

fits_code_of = '0006'


def upgrade() -> None:
    op.add_column('event', sa.Column('former_starts_at', sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column('event', 'former_starts_at')
