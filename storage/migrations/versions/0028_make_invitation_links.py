"""Make links that say where somebody heard of an event"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


revision = '0028'
down_revision = '0027'
branch_labels = None
depends_on = None

fits_code_of = '0006'

KEY = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def upgrade() -> None:
    op.create_table(
        'invitation_link',
        sa.Column('id', KEY, nullable=False),
        sa.Column('event_id', KEY, nullable=False),
        sa.Column('code', sa.String(length=12), nullable=False),
        sa.Column('kind', sa.String(length=8), nullable=False),
        sa.Column('name', sa.String(length=100), nullable=False),
        sa.Column('tags', sa.JSON(), nullable=False),
        sa.Column('registration_id', KEY, nullable=True),
        sa.Column('version', sa.Integer(), nullable=False),
        sa.Column('archived_at', sa.DateTime(timezone=True), nullable=True),
        sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ['event_id'],
            ['event.id'],
            name=op.f('fk_invitation_link_event_id_event'),
            ondelete='CASCADE',
        ),
        sa.ForeignKeyConstraint(
            ['registration_id'],
            ['registration.id'],
            name=op.f('fk_invitation_link_registration_id_registration'),
            ondelete='CASCADE',
        ),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_invitation_link')),
        sa.UniqueConstraint('event_id', 'code', name=op.f('uq_invitation_link_event_id_code')),
        sa.UniqueConstraint(
            'registration_id', name=op.f('uq_invitation_link_registration_id')
        ),
    )


def downgrade() -> None:
    op.drop_table('invitation_link')
