"""Know which dates of a series are full at Zoom"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


revision = '0048'
down_revision = '0047'
branch_labels = None
depends_on = None

fits_code_of = '0006'


def upgrade() -> None:
    op.add_column('event', sa.Column('full_dates', sa.JSON(), nullable=True))
    op.add_column('event', sa.Column('refused_dates', sa.JSON(), nullable=True))


def downgrade() -> None:
    op.drop_column('event', 'refused_dates')
    op.drop_column('event', 'full_dates')
