"""The policy: which platform each task type goes to, what misrouting costs, and when to abstain."""

from collections.abc import Mapping
from pathlib import Path
from typing import Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from router.errors import PolicyError
from router.labels import Mode

SHIPPED = Path(__file__).with_name("policy.yaml")
"""The policy that new models are given."""

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # ten times as fast, where libyaml is there


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class TypeRow(_Part):
    """Where a task type goes."""

    platform: str
    reason: str = ""
    workflow: str | None = None
    """Overrides the platform's workflow."""


class PlatformRow(_Part):
    """How a platform is run."""

    mode: Mode
    workflow: str | None = None


class Policy(_Part):
    """A checked policy file; `policy.yaml` says what each field means."""

    version: int = 1
    task_types: dict[str, TypeRow]
    platforms: dict[str, PlatformRow]
    costs: dict[str, dict[str, float]] = Field(default_factory=dict)
    confidence_floor: float = Field(default=0.0, ge=0, le=1)
    out_of_scope_ceiling: float = Field(default=1.0, ge=0, le=1)
    confirm_below: float = Field(default=0.0, ge=0, le=1)
    default: str

    @classmethod
    def parse(cls, text: str, source: str = "policy.yaml") -> Self:
        """Read a policy from YAML; raises `PolicyError` that says what is wrong with it."""
        try:
            return cls.model_validate(yaml.load(text, _Loader))  # noqa: S506 - a safe loader, either of them
        except yaml.YAMLError as error:
            raise PolicyError(source, f"is not YAML: {error}") from error
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"]) or "the file"
            raise PolicyError(source, f"{where}: {first['msg']}") from error

    @classmethod
    def open(cls, path: Path) -> Self:
        """Read a policy file; raises `PolicyError`."""
        try:
            return cls.parse(path.read_text(encoding="utf-8"), str(path))
        except (OSError, UnicodeDecodeError) as error:
            raise PolicyError(str(path), f"can't be read: {error}") from error

    @model_validator(mode="after")
    def _names_agree(self) -> Self:
        named = {row.platform for row in self.task_types.values()} | {self.default} | set(self.costs)
        named |= {chosen for row in self.costs.values() for chosen in row}
        if unknown := sorted(named - set(self.platforms)):
            raise ValueError(f"{', '.join(unknown)} is no row of `platforms`")
        return self

    def platform(self, task_type: str) -> str:
        """Where a task type goes; one without a row (of a taxonomy the policy doesn't know) to the default."""
        row = self.task_types.get(task_type)
        return row.platform if row else self.default

    def platform_probabilities(self, types: Mapping[str, float]) -> dict[str, float]:
        """Sum P(task type) over the types of each platform."""
        sums = dict.fromkeys(self.platforms, 0.0)
        for name, probability in types.items():
            sums[self.platform(name)] += probability
        return sums

    def least_cost(self, platforms: Mapping[str, float]) -> str:
        """Return the platform with the least expected cost; ties go to the earlier row."""
        return min(self.platforms, key=lambda chosen: self.expected_cost(chosen, platforms))

    def expected_cost(self, chosen: str, platforms: Mapping[str, float]) -> float:
        """Cost of choosing `chosen`, averaged over which platform is right."""
        return sum(p * self.costs.get(right, {}).get(chosen, 1.0) for right, p in platforms.items() if right != chosen)

    def workflow(self, platform: str, task_type: str | None) -> str | None:
        """The workflow that carries a decision out: the type's own, else the platform's."""
        row = self.task_types.get(task_type or "")
        own = row.workflow if row and row.platform == platform else None
        return own or self.platforms[platform].workflow
