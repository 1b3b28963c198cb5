"""Tell organizers of what is held"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


revision = '0032'
down_revision = '0031'
branch_labels = None
depends_on = None

fits_code_of = '0006'


def upgrade() -> None:
    op.add_column(
        'organizer',
        sa.Column('is_told_of_held', sa.Boolean(), server_default=sa.true(), nullable=False),
    )
    op.add_column(
        'organizer_mail',
        sa.Column(
            'event_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True
        ),
    )
    op.create_index('ix_organizer_mail_event_id', 'organizer_mail', ['event_id'])


def downgrade() -> None:
    op.drop_index('ix_organizer_mail_event_id', 'organizer_mail')
    op.drop_column('organizer_mail', 'event_id')
    op.drop_column('organizer', 'is_told_of_held')
