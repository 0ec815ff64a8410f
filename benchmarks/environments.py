"""One virtual environment a peer, under `.bench`, made on first use with the standard library's venv and pip."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from pathlib import Path

from benchmarks.peers import ENVIRONMENTS

ROOT = Path(__file__).resolve().parent.parent
BENCH = ROOT / ".bench"
STRANGERS = ("OPENAI_", "ANTHROPIC_", "GOOGLE_", "GEMINI_", "LITELLM_", "LANG", "OTEL_", "BETTERAI_", "PYTHON")
PROXIES = ("http_proxy", "https_proxy", "all_proxy")
SHOWN = (
    "betterai", "aiohttp", "msgspec", "openai", "anthropic", "google-genai", "any-llm-sdk", "pydantic-ai-slim",
    "langchain-openai", "langchain-core", "litellm", "httpx", "httpx2", "pydantic", "uvloop", "opentelemetry-api",
)  # fmt: skip


def clean_environment() -> dict[str, str]:
    """The variables of measured processes: bytecode is written, nothing of ours or of a proxy gets in the way."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(STRANGERS) and name.lower() not in PROXIES
    }
    return kept | {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LC_ALL": "C.UTF-8"}


def install_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}


def interpreter(environment: str) -> Path:
    return BENCH / environment / "bin" / "python"


def digest_source() -> str:
    """Our own environment is renewed when the source changed."""
    digest = hashlib.sha256()
    for path in [ROOT / "pyproject.toml", *sorted((ROOT / "src").rglob("*"))]:
        if path.is_file() and path.suffix != ".pyc":
            digest.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def prepare(environment: str, python: str) -> None:
    """Make the environment, or mend it where the interpreter, the packages or our source are others than last time."""
    packages = ENVIRONMENTS[environment]
    folder, stamp = BENCH / environment, BENCH / environment / "stamp.json"
    wanted = {"python": python, "packages": list(packages), "source": digest_source() if "." in packages else ""}
    found = json.loads(stamp.read_text()) if stamp.exists() else {}
    if found == wanted:
        return
    if found.get("python") != python:
        call(python, "-m", "venv", "--clear", str(folder))
    call(str(interpreter(environment)), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *packages)
    if "." in packages and found:
        flags = ("--quiet", "--disable-pip-version-check", "--force-reinstall", "--no-deps", "--no-cache-dir")
        call(str(interpreter(environment)), "-m", "pip", "install", *flags, ".")
    stamp.write_text(json.dumps(wanted))


def call(*command: str) -> None:
    done = subprocess.run(command, cwd=ROOT, env=install_environment(), capture_output=True, text=True)
    if done.returncode:
        last = (done.stderr.strip() or done.stdout.strip()).splitlines()[-3:]
        raise RuntimeError("installing failed: " + " · ".join(last))


def read_versions(environment: str) -> dict[str, str]:
    """The versions, in the environment, of the packages that matter for speed."""
    code = (
        "import importlib.metadata as m, json\n"
        "found = {d.name.lower(): d.version for d in m.distributions()}\n"
        f"print(json.dumps({{name: found[name] for name in {SHOWN!r} if name in found}}))"
    )
    command = [str(interpreter(environment)), "-c", code]
    done = subprocess.run(command, env=clean_environment(), capture_output=True, text=True, check=True)
    versions: dict[str, str] = json.loads(done.stdout)
    return versions


def find_features(names: dict[str, str]) -> dict[str, str]:
    """Those of the features whose name the installed BetterAI knows."""
    code = f"import betterai, json; print(json.dumps([k for k, v in {names!r}.items() if hasattr(betterai, v)]))"
    command = [str(interpreter("betterai")), "-c", code]
    done = subprocess.run(command, env=clean_environment(), capture_output=True, text=True, check=True)
    return {name: names[name] for name in json.loads(done.stdout)}
