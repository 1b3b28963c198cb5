"""Count what happens at the forms, by day and origin

The index of registrations is made anew by the workers, since each person's origin belongs to it now.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


revision = '0022'
down_revision = '0021'
branch_labels = None
depends_on = None

fits_code_of = '0006'

KEY = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def upgrade() -> None:
    op.create_table(
        'visit_origin',
        sa.Column('event_id', KEY, nullable=False),
        sa.Column('origin', sa.String(length=16), nullable=False),
        sa.Column('tags', sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ['event_id'],
            ['event.id'],
            name=op.f('fk_visit_origin_event_id_event'),
            ondelete='CASCADE',
        ),
        sa.PrimaryKeyConstraint('event_id', 'origin', name=op.f('pk_visit_origin')),
    )
    op.create_table(
        'visit_count',
        sa.Column('event_id', KEY, nullable=False),
        sa.Column('day', sa.Date(), nullable=False),
        sa.Column('origin', sa.String(length=16), nullable=False),
        sa.Column('name', sa.String(length=50), nullable=False),
        sa.Column('value', sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ['event_id'],
            ['event.id'],
            name=op.f('fk_visit_count_event_id_event'),
            ondelete='CASCADE',
        ),
        sa.PrimaryKeyConstraint(
            'event_id', 'day', 'origin', 'name', name=op.f('pk_visit_count')
        ),
    )
    for name in ('order', 'texts', 'total', 'bits', 'block', 'progress'):
        op.execute(f'DELETE FROM index_{name}')


def downgrade() -> None:
    op.drop_table('visit_count')
    op.drop_table('visit_origin')
