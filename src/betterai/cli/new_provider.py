"""`betterai new-provider`: the folder of a new provider, or a package for one, complete and with a test."""

from __future__ import annotations

import keyword
import re
from argparse import Namespace
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

import betterai
from betterai.cli.output import Output
from betterai.cli.provider_templates import (
    ANSWERING_TEST,
    DECLARATION,
    FOLDER_IMPORTS,
    MODELS,
    PACKAGE_IMPORTS,
    PACKAGE_TEST,
    PYPROJECT,
    README,
)
from betterai.core.data import Data
from betterai.core.exceptions import ConfigurationError, ValidationError
from betterai.runtime.registry import provider_names

LOOPBACK = ("localhost", "127.0.0.1", "::1")


class Plan(Data, frozen=True, kw_only=True):
    """What the new provider is called, and where it is."""

    name: str
    title: str
    base_url: str
    docs: str
    key_env: str
    base_env: str
    model: str

    def fill(self, template: str) -> str:
        """A template with our values in place."""
        for field in self.__struct_fields__:
            template = template.replace(f"«{field}»", getattr(self, field))
        return template


def run(arguments: Namespace, output: Output) -> int:
    plan = _read_plan(arguments)
    if arguments.package:
        root, files = Path(arguments.package).expanduser(), _list_package(plan)
        next_step = f"cd {root} && python -m pip install -e . && python -m pytest"
    else:
        root, files = _find_checkout(), _list_folder(plan)
        next_step = f"python -m pytest tests/contract tests/providers/{plan.name} -k {plan.name}"
    _check_free(root, files, plan, is_package=bool(arguments.package))
    try:
        for name, text in files.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ValidationError(f"cannot write {str(path)!r}: {error.strerror or error}") from None
    if arguments.json:
        output.write_json({"name": plan.name, "files": [str(root / name) for name in files], "next": next_step})
        return 0
    for name in files:
        output.answers.write(f"{root / name}\n")
    if not arguments.base_url:
        output.note(f"no --base-url was given: correct {plan.base_url}")
    output.note(f"next: {next_step}")
    return 0


def _read_plan(arguments: Namespace) -> Plan:
    name = arguments.name
    if keyword.iskeyword(name):
        raise ValidationError(
            f"{name!r} cannot be a provider's name: it is a word of Python's", hint="choose another one"
        )
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        raise ValidationError(
            f"{name!r} cannot be a provider's name", hint="write lower case letters, digits and _, a letter first"
        )
    base_url = (arguments.base_url or f"https://api.{name.replace('_', '-')}.example/v1").rstrip("/")
    key_env = arguments.key_env or f"{name.upper()}_API_KEY"
    if not re.fullmatch(r"[A-Z][A-Z0-9_]*", key_env):
        raise ValidationError(f"{key_env!r} cannot be a variable", hint="write capital letters, digits and _")
    return Plan(
        name=name,
        title=_check_line("--title", arguments.title or name.replace("_", " ").title()),
        base_url=_check_url("--base-url", base_url),
        docs=_check_url("--docs", arguments.docs or f"https://{urlsplit(base_url).hostname or ''}"),
        key_env=key_env,
        base_env=f"{name.upper()}_BASE_URL",
        model=_check_line("--model", arguments.model or "default"),
    )


def _check_line(option: str, text: str) -> str:
    if not text.isprintable() or set(text) & set('"\\«'):
        raise ValidationError(
            f"{option}: {text!r} is not a line of plain text", hint="leave out quotes and backslashes"
        )
    return text


def _check_url(option: str, url: str) -> str:
    _check_line(option, url)
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise ValidationError(f"{option}: {url!r} is not a URL") from None
    wrong = not host or parts.query or parts.fragment or "@" in parts.netloc or set("{} ") & set(url)
    if wrong or parts.scheme != ("http" if host in LOOPBACK and parts.scheme == "http" else "https"):
        raise ValidationError(f"{option}: {url!r} is not a plain https URL", hint="write https://HOST/PATH")
    return url


def _find_checkout() -> Path:
    """The root of the source tree that we run from. Raises `ConfigurationError` where we are installed."""
    source = Path(betterai.__file__).parents[1]
    if source.name != "src" or not (source.parent / "pyproject.toml").is_file():
        raise ConfigurationError(
            "BetterAI runs from an installed package, not from a checkout", hint="write a package with --package DIR"
        )
    return source.parent


def _list_folder(plan: Plan) -> dict[str, str]:
    folder, tests = f"src/betterai/providers/{plan.name}", f"tests/providers/{plan.name}"
    return {
        f"{folder}/__init__.py": plan.fill(DECLARATION.replace("«imports»", FOLDER_IMPORTS)),
        f"{folder}/models.py": plan.fill(MODELS),
        f"{tests}/test_{plan.name}.py": plan.fill(ANSWERING_TEST),
    }


def _list_package(plan: Plan) -> dict[str, str]:
    module = f"src/betterai_{plan.name}"
    return {
        "pyproject.toml": plan.fill(PYPROJECT),
        "README.md": plan.fill(README),
        f"{module}/__init__.py": plan.fill(DECLARATION.replace("«imports»", PACKAGE_IMPORTS)),
        f"{module}/models.py": plan.fill(MODELS),
        f"{module}/py.typed": "",
        f"tests/test_{plan.name}.py": plan.fill(PACKAGE_TEST),
    }


def _check_free(root: Path, files: Mapping[str, str], plan: Plan, *, is_package: bool) -> None:
    """Nothing is overwritten."""
    if is_package and root.exists() and (not root.is_dir() or any(root.iterdir())):
        raise ValidationError(f"{root} exists and is not empty", hint="name a new folder")
    if plan.name in provider_names():
        raise ValidationError(f"there is a provider {plan.name!r} already", hint="choose another name")
    for name in files:
        if (root / name).exists():
            raise ValidationError(f"{root / name} exists", hint="remove it, or choose another name")
