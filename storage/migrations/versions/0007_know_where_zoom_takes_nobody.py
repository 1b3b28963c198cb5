"""Know the events for which Zoom takes nobody"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


revision = '0007'
down_revision = '0006'
branch_labels = None
depends_on = None

fits_code_of = '0006'


def upgrade() -> None:
    op.add_column(
        'event',
        sa.Column('closed_by_zoom', sa.String(length=11), nullable=False, server_default=''),
    )


def downgrade() -> None:
    op.drop_column('event', 'closed_by_zoom')
