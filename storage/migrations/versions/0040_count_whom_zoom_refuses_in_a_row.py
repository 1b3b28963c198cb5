"""Count whom Zoom refuses in a row"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


revision = '0040'
down_revision = '0039'
branch_labels = None
depends_on = None

fits_code_of = '0006'


def upgrade() -> None:
    op.add_column(
        'zoom_event',
        sa.Column('refused_in_a_row', sa.Integer(), server_default='0', nullable=False),
    )
    op.add_column('zoom_event', sa.Column('taken_at', sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column('zoom_event', 'taken_at')
    op.drop_column('zoom_event', 'refused_in_a_row')
