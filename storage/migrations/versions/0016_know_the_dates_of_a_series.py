"""Know the dates of a series, and who comes to which at Zoom"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


revision = '0016'
down_revision = '0015'
branch_labels = None
depends_on = None

fits_code_of = '0006'


def upgrade() -> None:
    op.add_column('event', sa.Column('dates', sa.JSON(), nullable=False, server_default='[]'))
    op.add_column(
        'event',
        sa.Column('date_choice', sa.String(length=6), nullable=False, server_default='all'),
    )
    op.add_column('event', sa.Column('seats_per_date', sa.Integer(), nullable=True))
    op.add_column(
        'event',
        sa.Column('keeps_zoom_mails', sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    op.add_column('zoom_registrant', sa.Column('occurrence_ids', sa.JSON(), nullable=True))


def downgrade() -> None:
    op.drop_column('zoom_registrant', 'occurrence_ids')
    op.drop_column('event', 'keeps_zoom_mails')
    op.drop_column('event', 'seats_per_date')
    op.drop_column('event', 'date_choice')
    op.drop_column('event', 'dates')
