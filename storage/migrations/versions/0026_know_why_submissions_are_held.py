"""Know why submissions are held, and when an event asks for work"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


revision = '0026'
down_revision = '0025'
branch_labels = None
depends_on = None

fits_code_of = '0006'


def upgrade() -> None:
    op.add_column(
        'submission', sa.Column('held_for', sa.String(10), nullable=False, server_default='')
    )
    op.add_column(
        'event',
        sa.Column('bot_check', sa.String(9), nullable=False, server_default='automatic'),
    )


def downgrade() -> None:
    op.drop_column('event', 'bot_check')
    op.drop_column('submission', 'held_for')
