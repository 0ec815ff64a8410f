"""Many cases in one test: each runs whatever became of the others, and the failure names all that failed.

A test costs pytest and xdist about 3 ms, a case of a codec far less. Where `pytest.mark.parametrize` would make hundreds
of tests, `each` makes one, or one a provider. `pytest --case TEXT` runs only the cases with TEXT in their names.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import product
from typing import Any, NamedTuple, TypeVar

import pytest

Test = TypeVar("Test", bound=Callable[..., Any])
GROUP = "group"
PARAMETERS = type(pytest.param(None))
SHOWN_WHOLE, LONGEST = 10, 100
only = ""
"""What names of cases must hold, by `--case`."""


class Value(NamedTuple):
    """What one case of one `each` gives to the test."""

    name: Callable[[], str]
    group: str
    given: dict[str, Any]


def each(
    names: str | Sequence[str], values: Iterable[Any], *, ids: Callable[[Any], object] | Iterable[Any] | None = None,
    by: Callable[[Any], str] | None = None,
) -> Callable[[Test], Test]:  # fmt: skip
    """As `pytest.mark.parametrize`, but in one test; with `by`, in one test for each `by(value)`, which is its id.

    It stacks as that does. What fixtures give is the same for all cases of a test.
    """
    split = [name.strip() for name in names.split(",")] if isinstance(names, str) else list(names)
    told = list(ids) if isinstance(ids, Iterable) else ids
    axis = []
    for index, value in enumerate(values):
        row = value.values if isinstance(value, PARAMETERS) else value if len(split) > 1 else (value,)
        assert not isinstance(value, PARAMETERS) or not value.marks, "marks are for parametrize"
        name = value.id if isinstance(value, PARAMETERS) and value.id else None
        name = told[index] if name is None and isinstance(told, list) else name
        group = by(value) if by is not None else ""
        axis.append(
            Value(partial(_name, row, told if name is None else name), group, dict(zip(split, row, strict=True)))
        )

    def decorate(test: Test) -> Test:
        body, axes = getattr(test, "together", (test, ()))
        made = _make(body, (*axes, axis))
        made.pytestmark = [*getattr(test, "pytestmark", ())]
        if by is not None and axis:  # without a case there is no group, nor a parameter for it
            made.pytestmark.append(pytest.mark.parametrize(GROUP, dict.fromkeys(value.group for value in axis)).mark)
        return made

    return decorate


def _name(row: Sequence[Any], told: Any) -> str:
    """What a case is called: as was said, else as its values are written."""
    if told is not None and not callable(told):
        return str(told)
    words = [told(item) if told is not None else None for item in row]
    return "-".join(str(item if word is None else word)[:LONGEST] for word, item in zip(words, row, strict=True))


def _make(body: Any, axes: tuple[list[Value], ...]) -> Any:
    """The test that runs `body` for all that the axes give."""
    if inspect.iscoroutinefunction(body):

        async def together(**fixtures: Any) -> None:
            failures = Failures()
            for values, given in _cases(axes, fixtures.pop(GROUP, "")):
                with failures.of(values):
                    await body(**fixtures, **given)
            failures.tell()

    else:

        def together(**fixtures: Any) -> None:  # type: ignore[misc]
            failures = Failures()
            for values, given in _cases(axes, fixtures.pop(GROUP, "")):
                with failures.of(values):
                    body(**fixtures, **given)
            failures.tell()

    made: Any = together
    made.together = body, axes
    for name in ("__module__", "__name__", "__qualname__", "__doc__"):
        setattr(made, name, getattr(body, name))
    given = {name for axis in axes for value in axis for name in value.given}
    asked = [item for name, item in inspect.signature(body).parameters.items() if name not in given]
    if any(value.group for axis in axes for value in axis):
        asked.append(inspect.Parameter(GROUP, inspect.Parameter.KEYWORD_ONLY))
    made.__wrapped__ = body
    made.__signature__ = inspect.Signature(asked)
    return made


def _cases(axes: Sequence[list[Value]], group: str) -> Iterator[tuple[tuple[Value, ...], dict[str, Any]]]:
    """The cases of a group, and what they give."""
    found = False
    for values in product(*([value for value in axis if value.group in ("", group)] for axis in axes)):
        if not only or only in _name_of(values):
            found = True
            yield values, {name: item for value in values for name, item in value.given.items()}
    if not found and only:
        pytest.skip(f"no case has {only!r} in its name")
    assert found, "there are no cases"


def _name_of(values: Iterable[Value]) -> str:
    return "-".join(value.name() for value in values)


class Failures:
    """What went wrong in which case. `with failures.of(values):` goes on after it; `tell` fails the test."""

    def __init__(self) -> None:
        self._failed: list[tuple[str, BaseException]] = []
        self._skipped: list[str] = []
        self._values: tuple[Value, ...] = ()
        self._count = 0

    def of(self, values: tuple[Value, ...]) -> Failures:
        self._values, self._count = values, self._count + 1
        return self

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> bool:
        if isinstance(error, pytest.skip.Exception):
            self._skipped.append(f"{_name_of(self._values)}: {error}")
        elif isinstance(error, Exception | pytest.fail.Exception):
            self._failed.append((_name_of(self._values), error))
        return error is None or isinstance(error, Exception | pytest.fail.Exception | pytest.skip.Exception)

    def tell(self) -> None:
        if self._failed:
            names = "\n".join(f"  {name}: {_first_line(error)}" for name, error in self._failed)
            whole = "\n".join(f"\n[{name}]\n{_show(error)}" for name, error in self._failed[:SHOWN_WHOLE])
            pytest.fail(f"{len(self._failed)} of {self._count} cases failed:\n{names}\n{whole}", pytrace=False)
        if self._skipped:
            pytest.skip(f"{len(self._skipped)} of {self._count} cases: {'; '.join(self._skipped)}")


def _first_line(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}".partition("\n")[0]


def _show(error: BaseException) -> str:
    """Where in the test it went wrong, with what pytest says of the assertion."""
    info: Any = pytest.ExceptionInfo.from_exception(error)
    return str(info.getrepr(style="short", tbfilter=lambda found: found.traceback[1:]))
