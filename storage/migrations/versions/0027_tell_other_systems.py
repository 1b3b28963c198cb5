"""Tell other systems of registrations"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


revision = '0027'
down_revision = '0026'
branch_labels = None
depends_on = None

fits_code_of = '0006'

KEY = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
MOMENT = sa.DateTime(timezone=True)
WAITING = sa.text("state = 'waiting'")


def upgrade() -> None:
    op.add_column(
        'event',
        sa.Column('has_webhooks', sa.Boolean(), server_default=sa.false(), nullable=False),
    )
    op.create_table(
        'webhook_endpoint',
        sa.Column('id', KEY, nullable=False),
        sa.Column('public_id', sa.String(length=22), nullable=False),
        sa.Column('organization_id', KEY, nullable=False),
        sa.Column('name', sa.String(length=100), nullable=False),
        sa.Column('url', sa.String(length=1000), nullable=False),
        sa.Column('payload', sa.String(length=4), nullable=False),
        sa.Column('secret', sa.LargeBinary(), nullable=False),
        sa.Column('former_secret', sa.LargeBinary(), nullable=True),
        sa.Column('former_until', MOMENT, nullable=True),
        sa.Column('state', sa.String(length=6), nullable=False),
        sa.Column('reason', sa.String(length=7), nullable=False),
        sa.Column('failures', sa.Integer(), nullable=False),
        sa.Column('failing_since', MOMENT, nullable=True),
        sa.Column('try_at', MOMENT, nullable=True),
        sa.Column('is_slow', sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column('version', sa.Integer(), nullable=False),
        sa.Column('created_at', MOMENT, nullable=False),
        sa.Column('updated_at', MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ['organization_id'],
            ['organization.id'],
            name=op.f('fk_webhook_endpoint_organization_id_organization'),
        ),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_webhook_endpoint')),
        sa.UniqueConstraint('public_id', name=op.f('uq_webhook_endpoint_public_id')),
    )
    op.create_index(
        op.f('ix_webhook_endpoint_organization_id'), 'webhook_endpoint', ['organization_id']
    )
    op.add_column('organizer_mail', sa.Column('endpoint_id', KEY, nullable=True))
    _create_subscriptions()
    _create_messages()


def _create_subscriptions() -> None:
    op.create_table(
        'webhook_subscription',
        sa.Column('id', KEY, nullable=False),
        sa.Column('endpoint_id', KEY, nullable=False),
        sa.Column('type', sa.String(length=30), nullable=False),
        sa.Column('event_id', KEY, nullable=True),
        sa.ForeignKeyConstraint(
            ['endpoint_id'],
            ['webhook_endpoint.id'],
            name=op.f('fk_webhook_subscription_endpoint_id_webhook_endpoint'),
            ondelete='CASCADE',
        ),
        sa.ForeignKeyConstraint(
            ['event_id'],
            ['event.id'],
            name=op.f('fk_webhook_subscription_event_id_event'),
            ondelete='CASCADE',
        ),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_webhook_subscription')),
    )
    op.create_index(
        op.f('ix_webhook_subscription_endpoint_id'), 'webhook_subscription', ['endpoint_id']
    )


def _create_messages() -> None:
    op.create_table(
        'webhook_message',
        sa.Column('id', KEY, nullable=False),
        sa.Column('happening', sa.String(length=22), nullable=False),
        sa.Column('endpoint_id', KEY, nullable=False),
        sa.Column('event_id', KEY, nullable=True),
        sa.Column('registration_id', KEY, nullable=True),
        sa.Column('person', sa.String(length=22), nullable=False),
        sa.Column('type', sa.String(length=30), nullable=False),
        sa.Column('status', sa.String(length=10), nullable=False),
        sa.Column('happened_at', MOMENT, nullable=False),
        sa.Column('state', sa.String(length=9), nullable=False),
        sa.Column('attempts', sa.Integer(), nullable=False),
        sa.Column('next_at', MOMENT, nullable=False),
        sa.Column('first_tried_at', MOMENT, nullable=True),
        sa.Column('tried_at', MOMENT, nullable=True),
        sa.Column('answer', sa.Integer(), nullable=True),
        sa.Column('error', sa.String(length=20), nullable=False),
        sa.ForeignKeyConstraint(
            ['endpoint_id'],
            ['webhook_endpoint.id'],
            name=op.f('fk_webhook_message_endpoint_id_webhook_endpoint'),
            ondelete='CASCADE',
        ),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_webhook_message')),
        sa.UniqueConstraint(
            'endpoint_id', 'happening', name=op.f('uq_webhook_message_endpoint_id_happening')
        ),
    )
    op.create_index(
        op.f('ix_webhook_message_endpoint_id_state_id'),
        'webhook_message',
        ['endpoint_id', 'state', 'id'],
    )
    op.create_index(
        'ix_webhook_message_waiting',
        'webhook_message',
        ['endpoint_id', 'registration_id', 'id'],
        sqlite_where=WAITING,
        postgresql_where=WAITING,
    )
    op.create_index(
        'ix_webhook_message_due',
        'webhook_message',
        ['endpoint_id', 'next_at'],
        sqlite_where=WAITING,
        postgresql_where=WAITING,
    )
    op.create_index(op.f('ix_webhook_message_happened_at'), 'webhook_message', ['happened_at'])


def downgrade() -> None:
    op.drop_column('organizer_mail', 'endpoint_id')
    op.drop_table('webhook_message')
    op.drop_table('webhook_subscription')
    op.drop_table('webhook_endpoint')
    op.drop_column('event', 'has_webhooks')
