"""Let programs in: keys of the API, and what was asked for under an idempotency key"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


revision = '0025'
down_revision = '0024'
branch_labels = None
depends_on = None

fits_code_of = '0006'

KEY = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def upgrade() -> None:
    op.create_table(
        'api_key',
        sa.Column('id', KEY, nullable=False),
        sa.Column('public_id', sa.String(length=22), nullable=False),
        sa.Column('organization_id', KEY, nullable=False),
        sa.Column('name', sa.String(length=100), nullable=False),
        sa.Column('prefix', sa.String(length=12), nullable=False),
        sa.Column('hash', sa.String(length=64), nullable=False),
        sa.Column('scopes', sa.JSON(), nullable=False),
        sa.Column('created_by', sa.String(length=22), nullable=False),
        sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('last_used_at', sa.DateTime(timezone=True), nullable=True),
        sa.Column('revoked_at', sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ['organization_id'],
            ['organization.id'],
            name=op.f('fk_api_key_organization_id_organization'),
            ondelete='CASCADE',
        ),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_api_key')),
        sa.UniqueConstraint('hash', name=op.f('uq_api_key_hash')),
        sa.UniqueConstraint('public_id', name=op.f('uq_api_key_public_id')),
    )
    op.create_index(op.f('ix_api_key_organization_id'), 'api_key', ['organization_id'])
    op.create_table(
        'api_request',
        sa.Column('key_id', KEY, nullable=False),
        sa.Column('name', sa.String(length=64), nullable=False),
        sa.Column('digest', sa.String(length=64), nullable=False),
        sa.Column('answer', sa.String(length=22), nullable=False),
        sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ['key_id'],
            ['api_key.id'],
            name=op.f('fk_api_request_key_id_api_key'),
            ondelete='CASCADE',
        ),
        sa.PrimaryKeyConstraint('key_id', 'name', name=op.f('pk_api_request')),
    )
    op.create_index(op.f('ix_api_request_created_at'), 'api_request', ['created_at'])


def downgrade() -> None:
    op.drop_table('api_request')
    op.drop_table('api_key')
