"""Settings of the router, read once from the environment (`ROUTER_…`)."""

from pathlib import Path
from typing import Literal

from platformdirs import user_data_path
from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from router.journal.record import StoreTasks

PACKAGE = Path(__file__).parent
CHECKOUT_MODELS = PACKAGE.parent / "models"
WHEEL_MODELS = PACKAGE / "shipped"


def in_checkout() -> bool:
    """True where the package is used from a source checkout, whose `models/` is then the models folder."""
    return (PACKAGE.parent / "pyproject.toml").is_file()


def data_dir() -> Path:
    """The user's data folder."""
    return user_data_path("dual-orchestrator")


class Settings(BaseSettings):
    """Every setting, its variable being `ROUTER_` and the name in capitals."""

    model_config = SettingsConfigDict(env_prefix="ROUTER_", frozen=True, env_ignore_empty=True)

    models_dir: Path | None = None
    """Folder of the model versions. None: `models/` of the checkout, or the user's data folder over the
    version that the wheel ships."""
    database_url: str | None = None
    """SQLAlchemy URL of the journal. None: `router.db` in the user's data folder."""
    token: SecretStr | None = None
    """Bearer token that callers must send, or several, separated by commas. Needed to listen on any address but
    loopback."""
    rate_limit: float | None = Field(default=None, gt=0)
    """Requests a second for each token (or, without tokens, for all callers together); more are answered 429.
    None: no limit."""
    store_tasks: StoreTasks = "text"
    """`text` keeps tasks with secrets scrubbed; `hash` keeps only a digest and the embedding."""
    manifest_key: SecretStr | None = None
    """Key that manifests must be signed with (`router sign`). None: no signature is asked for."""
    host: str = "127.0.0.1"
    """Address that `router serve` listens on."""
    port: int = Field(default=8787, ge=0, le=65535)
    """Port that `router serve` listens on; 0 takes a free one."""
    max_in_flight: int = Field(default=64, gt=0)
    """Routes served or waiting at once, in each worker; more are answered 503 with Retry-After."""
    workers: int = Field(default=1, gt=0, le=64)
    """Processes that `router serve` answers with; they share the port and the memory of the model."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """Least important entries in the log; `info` holds a line for every decision, without its task."""
    otel: bool = False
    """True sends traces by OpenTelemetry (extra `otel`; `OTEL_EXPORTER_OTLP_ENDPOINT` and the like say where)."""

    def models(self) -> tuple[Path, Path | None]:
        """The folder of versions that can be written, and the read-only one shipped beneath it."""
        if self.models_dir:
            return self.models_dir, None
        if in_checkout():
            return CHECKOUT_MODELS, None
        return data_dir() / "models", WHEEL_MODELS

    def tokens(self) -> tuple[str, ...]:
        """The tokens, each on its own."""
        together = self.token.get_secret_value() if self.token else ""
        return tuple(token.strip() for token in together.split(",") if token.strip())

    def journal_url(self) -> str:
        """SQLAlchemy URL of the journal."""
        return self.database_url or f"sqlite:///{data_dir() / 'router.db'}"
