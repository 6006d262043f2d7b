"""The journal's tables."""

import sqlalchemy as sa

metadata = sa.MetaData()
schema = sa.Table("journal_schema", metadata, sa.Column("version", sa.Integer, primary_key=True))
decisions = sa.Table(
    "decisions", metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("created_at", sa.Float, nullable=False, index=True),
    sa.Column("task", sa.Text, nullable=False),
    sa.Column("embedding", sa.LargeBinary),
    sa.Column("platform", sa.String(64), nullable=False),
    sa.Column("source", sa.String(16), nullable=False),
    sa.Column("propensity", sa.Float, nullable=False),
    sa.Column("model_version", sa.String(128)),
    sa.Column("decision", sa.JSON, nullable=False),
    sa.Column("context", sa.JSON),
)  # fmt: skip
outcomes = sa.Table(
    "outcomes", metadata,
    sa.Column("decision_id", sa.String(64), sa.ForeignKey("decisions.id"), primary_key=True),
    sa.Column("run_id", sa.String(128), primary_key=True),
    sa.Column("created_at", sa.Float, nullable=False),
    sa.Column("platform", sa.String(64), nullable=False),
    sa.Column("status", sa.String(16), nullable=False),
    sa.Column("outcome", sa.JSON, nullable=False),
)  # fmt: skip
feedback = sa.Table(
    "feedback", metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("decision_id", sa.String(64), sa.ForeignKey("decisions.id"), nullable=False, index=True),
    sa.Column("created_at", sa.Float, nullable=False),
    sa.Column("feedback", sa.JSON, nullable=False),
)  # fmt: skip
requests = sa.Table(
    "outcome_requests", metadata,
    sa.Column("key", sa.String(128), primary_key=True),
    sa.Column("created_at", sa.Float, nullable=False, index=True),
    sa.Column("digest", sa.String(64), nullable=False),
)  # fmt: skip
"""Idempotency keys already seen, and what was sent with them."""
