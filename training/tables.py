"""Scores as they are shown: their titles, their digits, a table of them in the terminal."""

from collections.abc import Mapping
from math import isnan
from typing import Any

from rich.table import Table

SCORES = {
    "n": "rows",
    "platform_accuracy": "platform accuracy",
    "platform_defensible": "… or defensible",
    "platform_macro_f1": "platform macro F1",
    "type_accuracy": "type accuracy",
    "type_defensible": "… or defensible",
    "in_scope_accuracy": "in-scope accuracy",
    "accuracy_at_80_coverage": "accuracy at 80 % coverage",
    "ece": "calibration error (ECE)",
    "out_of_scope_recall": "out-of-scope recall",
}


def scores_table(found: Mapping[str, Any], before: Mapping[str, Any] | None = None) -> Table:
    """One row a score; with `before`, the served model's beside it."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("")
    if before is not None:
        table.add_column("served", justify="right")
    table.add_column("new" if before is not None else "", justify="right", style="bold")
    for name, title in SCORES.items():
        if name in found:
            old = [shown(before.get(name))] if before is not None else []
            table.add_row(title, *old, shown(found[name]))
    mix = ", ".join(f"{source} {share:.0%}" for source, share in found["source_mix"].items())
    table.add_row("decided by", *([""] if before is not None else []), mix)
    return table


def shown(value: object) -> str:
    """A score as it is printed."""
    if value is None or (isinstance(value, float) and isnan(value)):
        return "-"
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def plain(value: Any) -> Any:
    """The same for JSON, which knows no NaN: null instead."""
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return None if isinstance(value, float) and isnan(value) else value
