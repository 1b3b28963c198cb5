"""Index registrations, so that a million are found and counted as fast as a thousand

The workers fill the index, since that takes longer than a site may stand still.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


revision = '0009'
down_revision = '0008'
branch_labels = None
depends_on = None

fits_code_of = '0006'

KEY = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def upgrade() -> None:
    create('index_progress', sa.Column('last_id', sa.BigInteger(), nullable=False),
           sa.Column('places', sa.BigInteger(), nullable=False), key=())
    create('index_block', sa.Column('number', sa.Integer(), nullable=False),
           sa.Column('first_id', sa.BigInteger(), nullable=False),
           sa.Column('ids', sa.LargeBinary(), nullable=False), key=('number',))
    create('index_bits', *facet(), sa.Column('block', sa.Integer(), nullable=False),
           sa.Column('bits', sa.LargeBinary(), nullable=False), key=('name', 'value', 'block'))
    create('index_total', *facet(), sa.Column('total', sa.BigInteger(), nullable=False),
           key=('name', 'value'))
    create('index_texts', sa.Column('number', sa.Integer(), nullable=False),
           sa.Column('texts', sa.Text(), nullable=False), key=('number',))
    op.create_table(
        'index_mark',
        sa.Column('id', KEY, nullable=False),
        sa.Column('registration_id', KEY, nullable=False),
        sa.ForeignKeyConstraint(
            ['registration_id'],
            ['registration.id'],
            name=op.f('fk_index_mark_registration_id_registration'),
            ondelete='CASCADE',
        ),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_index_mark')),
    )
    op.create_index('ix_index_mark_registration_id', 'index_mark', ['registration_id'])
    if op.get_bind().dialect.name == 'postgresql':
        # Searched through as they are: to unpack them would take longer than to read them.
        op.execute('ALTER TABLE index_texts ALTER COLUMN texts SET STORAGE EXTERNAL')


def downgrade() -> None:
    for name in ('mark', 'texts', 'total', 'bits', 'block', 'progress'):
        op.drop_table(f'index_{name}')


def create(name: str, *columns: sa.Column, key: tuple[str, ...]) -> None:
    op.create_table(
        name,
        sa.Column('event_id', KEY, nullable=False),
        *columns,
        sa.ForeignKeyConstraint(
            ['event_id'], ['event.id'], name=op.f(f'fk_{name}_event_id_event'), ondelete='CASCADE'
        ),
        sa.PrimaryKeyConstraint('event_id', *key, name=op.f(f'pk_{name}')),
    )


def facet() -> tuple[sa.Column, sa.Column]:
    return (
        sa.Column('name', sa.String(length=50), nullable=False),
        sa.Column('value', sa.String(length=120), nullable=False),
    )
