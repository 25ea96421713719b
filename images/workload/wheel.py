"""Identifies the installed TensorFlow wheel and the workload's own files by their SHA-256.

It must not import TensorFlow. It finds the wheel's files beside the package's folder.
"""

import hashlib
import os
from typing import Any, Dict, List, Optional


def read_wheel(package_folder: str) -> Optional[Dict[str, str]]:
    """Return the distribution, version and RECORD hash of the wheel that installed `package_folder`.

    Intel's wheel of 1.12 has two .dist-info folders, one of them named after stock TensorFlow. Then Intel's counts.
    None if no .dist-info folder lists the package.
    """
    site_packages, package = os.path.split(os.path.abspath(package_folder))
    wheels: List[Dict[str, str]] = []
    for name in sorted(os.listdir(site_packages)):
        folder = os.path.join(site_packages, name)
        if name.endswith(".dist-info") and _record_claims(folder, package):
            wheels.append(_describe(folder))
    wheels.sort(key=lambda wheel: "intel" not in wheel["distribution"])
    return wheels[0] if wheels else None


def _record_claims(folder: str, package: str) -> bool:
    try:
        with open(os.path.join(folder, "RECORD"), encoding="utf-8") as file:
            return any(line.startswith(package + "/__init__.py,") for line in file)
    except OSError:
        return False


def _describe(folder: str) -> Dict[str, str]:
    headers: Dict[str, str] = {}
    with open(os.path.join(folder, "METADATA"), encoding="utf-8", errors="replace") as file:
        for line in file:
            name, colon, value = line.partition(":")
            if not colon:
                break  # the headers end at the first line that is not a header
            headers.setdefault(name, value.strip())
    with open(os.path.join(folder, "RECORD"), "rb") as record:
        digest = hashlib.sha256(record.read()).hexdigest()
    return {"distribution": headers["Name"], "version": headers["Version"], "record_sha256": digest}


def workload_sha256(folder: str = os.path.dirname(os.path.abspath(__file__))) -> str:
    """Return the SHA-256 of the relative names, in sorted order, and the contents of the package's Python files."""
    names: List[str] = []
    for parent, _, files in os.walk(folder):
        names += [os.path.relpath(os.path.join(parent, name), folder) for name in files if name.endswith(".py")]
    digest = hashlib.sha256()
    for name in sorted(names):
        with open(os.path.join(folder, name), "rb") as file:
            content = file.read()
        digest.update("{}\0{}\0".format(name, len(content)).encode("utf-8"))
        digest.update(content)
    return digest.hexdigest()


def versions() -> Dict[str, Any]:
    """Return the versions of the workload and of the Python that runs it; others are added after their import."""
    import platform

    from workload import __version__

    return {"workload": __version__, "python": platform.python_version(), "tensorflow": None, "numpy": None}
