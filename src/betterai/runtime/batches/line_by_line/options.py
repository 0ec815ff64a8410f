"""How lines are asked one by one: how many at once, how patiently, and where they are kept."""

from __future__ import annotations

import re
from math import isfinite

import msgspec

from betterai.config.environment import read_variable
from betterai.core.data import Data
from betterai.core.exceptions import ConfigurationError, ValidationError

LINE_BY_LINE = "line_by_line"
"""In the handle of a batch: it was not submitted to an endpoint."""
DATABASE_VARIABLE = "BETTERAI_BATCH_DATABASE"


class BatchRunner(Data, frozen=True, kw_only=True):
    """Asks the lines of a batch one by one, as plain calls, wherever somebody waits for it: pass it to
    `betterai.batches.submit` and `resume` as `runner=`. It is used by itself where a provider has no endpoint.

    `concurrency` calls run at once in a process, fewer after the provider said "too many"; `per_minute` is how many
    may begin. A line that was refused is asked up to `attempts` times; one of which nobody knows whether it was
    answered is never asked again unless you say so (`retry_in_doubt`). Limits of rate are waited out.

    A line belongs to the process that asked it for `lease_seconds`, renewed while it lives: then it is in doubt. Who
    stops waiting lets the calls that run end for up to `drain_seconds`; the rest are in doubt as well.

    `database` is a SQLite file (by default that of the store: one machine), or a URL `postgresql://…` for many
    (extra `postgres`). Unset, it is BETTERAI_BATCH_DATABASE.
    """

    concurrency: int = 16
    per_minute: float | None = None
    attempts: int = 5
    lease_seconds: float = 60.0
    drain_seconds: float = 10.0
    database: str = ""

    def check(self) -> BatchRunner:
        """Itself. Raises `ValidationError`."""
        for name in ("concurrency", "attempts"):
            if type(value := getattr(self, name)) is not int or value < 1:
                raise ValidationError(f"BatchRunner: {name} must be a whole number above 0, not {value!r}")
        for name in ("per_minute", "lease_seconds", "drain_seconds"):
            value, least = getattr(self, name), "at least" if name == "drain_seconds" else "above"
            if value is None and name == "per_minute":
                continue
            if (
                not isinstance(value, int | float)
                or not isfinite(value)
                or value < 0
                or (not value and least == "above")
            ):
                raise ValidationError(f"BatchRunner: {name} must be {least} 0, not {value!r}")
        return self

    def find_database(self) -> str:
        """A path, a URL, or "" for the store's own file. Raises `ConfigurationError`."""
        found = self.database or read_variable(DATABASE_VARIABLE) or ""
        if "://" in found and not found.startswith(("postgresql://", "postgres://")):
            raise ConfigurationError(
                f"the database of batches is a file, or postgresql://…, and not {found.partition('://')[0]}://…",
                hint=f"look at BatchRunner(database=…) or {DATABASE_VARIABLE}",
            )
        return found

    def __repr__(self) -> str:
        shown = re.sub(r"(?<=//)[^/?#]*(?=@)|(?<=password=)[^&]*", "***", self.database)
        fields = {**msgspec.structs.asdict(self), "database": shown}
        return f"BatchRunner({', '.join(f'{name}={value!r}' for name, value in fields.items())})"
