"""Puts the served model, the seed data and the plugin into the wheel: an installed router routes at once."""

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CustomBuildHook(BuildHookInterface):  # type: ignore[type-arg]
    """Adds `models/<served version>` as `router/shipped` and `data/*.jsonl` as `training/shipped`, `plugin`."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Name the files; an editable install reads them from the checkout instead."""
        if version == "editable":
            return
        root = Path(self.root)
        added = build_data["force_include"]
        current = root / "models" / "current"
        if current.is_file():
            served = current.read_text(encoding="utf-8").strip()
            added[str(current)] = "router/shipped/current"
            added[str(root / "models" / served)] = f"router/shipped/{served}"
        for path in sorted((root / "data").glob("*.jsonl")):
            added[str(path)] = f"training/shipped/{path.name}"
        added[str(root / "plugin")] = "runner/install/plugin"
