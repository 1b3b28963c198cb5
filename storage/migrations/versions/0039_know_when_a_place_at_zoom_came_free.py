"""Know when a place at Zoom came free"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


revision = '0039'
down_revision = '0038'
branch_labels = None
depends_on = None

fits_code_of = '0006'


def upgrade() -> None:
    op.add_column('event', sa.Column('freed_at', sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column('event', 'freed_at')
