"""The labels that are learnt: the shipped ten types, or any others from a `labels.yaml`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from router.choice.policy import Policy, TypeRow
from router.labels import OUT_OF_SCOPE, TaskType
from training.errors import DataError

Aim = Literal["platform", "type"]
"""What is judged: the platform, or, where all labels go to one platform, the label itself."""


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    labels: list[str]
    out_of_scope: str | None = None
    platforms: dict[str, str] = {}


@dataclass(frozen=True)
class Taxonomy:
    """A set of labels. What is no task is called `none` inside, whatever the user calls it."""

    names: tuple[str, ...]
    """The labels, `none` among them where there is a label for what is no task."""
    out_of_scope: str | None = OUT_OF_SCOPE
    """The user's name of `none`; None where there is no such label."""
    platforms: Mapping[str, str] = field(default_factory=dict)
    """Label → platform, over what the policy says."""

    @classmethod
    def open(cls, path: Path) -> "Taxonomy":
        """Read a labels file: a list of names, or a mapping with `labels`, `out_of_scope`, `platforms`.

        Raises:
            DataError: it can't be read, or is no such file.
        """
        try:
            content = yaml.safe_load(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            raise DataError(path, 0, f"can't be read as YAML ({error})") from error
        try:
            file = _File.model_validate({"labels": content} if isinstance(content, list) else content)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"])) or "the file"
            raise DataError(path, 0, f"{where}: {first['msg']}; it needs a list of `labels`") from error
        return cls._checked(path, file)

    @classmethod
    def of(cls, labels: Sequence[str]) -> "Taxonomy":
        """The taxonomy of a model's labels."""
        return cls(tuple(labels), OUT_OF_SCOPE if OUT_OF_SCOPE in labels else None)

    @classmethod
    def _checked(cls, path: Path, file: _File) -> "Taxonomy":
        inside = [name for name in file.labels if name != file.out_of_scope]
        if len(set(file.labels)) < len(file.labels):
            raise DataError(path, 0, "a label is named twice")
        if len(inside) < 2:
            raise DataError(path, 0, "two labels at least are needed, the one for what is no task not counted")
        if OUT_OF_SCOPE in inside:
            raise DataError(path, 0, f"`{OUT_OF_SCOPE}` means no task; name it as `out_of_scope`, or call it otherwise")
        if unknown := sorted(set(file.platforms) - set(inside)):
            raise DataError(path, 0, f"`platforms` names {', '.join(unknown)}, no label of the list")
        outside = (OUT_OF_SCOPE,) if file.out_of_scope is not None else ()
        return cls((*inside, *outside), file.out_of_scope, file.platforms)

    def name(self, written: Any) -> Any:
        """The label that a row's `written` one means."""
        return OUT_OF_SCOPE if written is not None and written == self.out_of_scope else written

    def shown(self, name: str) -> str:
        """The user's name of a label."""
        return self.out_of_scope or name if name == OUT_OF_SCOPE else name

    def policy(self, base: Policy, source: Path | str = "labels") -> Policy:
        """`base` with this taxonomy's own platforms; raises `DataError` where it has no such platform."""
        if unknown := sorted(set(self.platforms.values()) - set(base.platforms)):
            known = ", ".join(base.platforms)
            raise DataError(source, 0, f"{', '.join(unknown)} is no platform of the policy ({known})")
        rows = {name: TypeRow(platform=platform) for name, platform in self.platforms.items()}
        return base.model_copy(update={"task_types": {**base.task_types, **rows}})

    def aim(self, policy: Policy) -> Aim:
        """What tells a good model from a bad one here."""
        inside = [name for name in self.names if name != OUT_OF_SCOPE]
        return "platform" if len({platform_of(policy, name) for name in inside}) > 1 else "type"


SHIPPED = Taxonomy((*TaskType, OUT_OF_SCOPE))
"""The labels of the seed data."""


def platform_of(policy: Policy, label: str) -> str:
    """Where a label goes; one that the policy doesn't know goes to its default."""
    row = policy.task_types.get(label)
    return row.platform if row else policy.default
