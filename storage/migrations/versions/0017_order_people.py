"""Order people by names and companies, and keep the columns that each organizer chose

The index of registrations is made anew by the workers, since keys to sort by belong to it now.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


revision = '0017'
down_revision = '0016'
branch_labels = None
depends_on = None

fits_code_of = '0006'

KEY = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def upgrade() -> None:
    op.create_table(
        'index_order',
        sa.Column('event_id', KEY, nullable=False),
        sa.Column('name', sa.String(length=50), nullable=False),
        sa.Column('place', sa.BigInteger(), nullable=False),
        sa.Column('key', sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ['event_id'],
            ['event.id'],
            name=op.f('fk_index_order_event_id_event'),
            ondelete='CASCADE',
        ),
        sa.PrimaryKeyConstraint('event_id', 'name', 'place', name=op.f('pk_index_order')),
    )
    op.create_index(
        'ix_index_order_event_id_name_key_place',
        'index_order',
        ['event_id', 'name', 'key', 'place'],
    )
    op.create_table(
        'people_view',
        sa.Column('organizer_id', KEY, nullable=False),
        sa.Column('event_id', KEY, nullable=False),
        sa.Column('columns', sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ['organizer_id'],
            ['organizer.id'],
            name=op.f('fk_people_view_organizer_id_organizer'),
            ondelete='CASCADE',
        ),
        sa.ForeignKeyConstraint(
            ['event_id'],
            ['event.id'],
            name=op.f('fk_people_view_event_id_event'),
            ondelete='CASCADE',
        ),
        sa.PrimaryKeyConstraint('organizer_id', 'event_id', name=op.f('pk_people_view')),
    )
    op.create_index('ix_people_view_event_id', 'people_view', ['event_id'])
    for name in ('texts', 'total', 'bits', 'block', 'progress'):
        op.execute(f'DELETE FROM index_{name}')


def downgrade() -> None:
    op.drop_table('people_view')
    op.drop_table('index_order')
