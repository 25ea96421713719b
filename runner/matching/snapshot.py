"""Snapshots of installations: the path, the mode and the hash of every file, read from a folder or from a tar."""

from __future__ import annotations

import hashlib
import os
import stat
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

CHUNK = 1 << 20


@dataclass(frozen=True)
class Snapshot:
    """The files and settings of an installation, read while nothing of it runs.

    `files` maps a path to its kind, mode and content ("file 644 <sha256>", "link -> target", "folder 755").
    `settings` maps the name of each setting of an image (environment, user, entry point, labels) to its value.
    `owners` maps a path to the distribution whose RECORD lists it. `metadata` has the content of each RECORD and
    entry_points.txt by path. `environment` is the path of the Python environment in the installation; it is empty if
    the installation is the environment.
    """

    files: Mapping[str, str]
    settings: Mapping[str, str] = field(default_factory=dict)
    owners: Mapping[str, str] = field(default_factory=dict)
    metadata: Mapping[str, bytes] = field(default_factory=dict, compare=False)  # not masked; in `files` it is
    environment: str = ""


def of_tar(stream: IO[bytes], settings: Mapping[str, str], environment: str = "") -> Snapshot:
    """Read the tar of a file system in one pass, without unpacking it. Times and the archive's order are ignored."""
    files: dict[str, str] = {}
    metadata: dict[str, bytes] = {}
    with tarfile.open(fileobj=stream, mode="r|") as archive:
        for member in archive:
            path = "/" + member.name.strip("./")
            if member.isfile():
                content = archive.extractfile(member)
                assert content is not None  # a file always has one
                kept = content.read() if is_metadata(path) else None
                digest = hashlib.sha256(kept).hexdigest() if kept is not None else _sha256(content)
                files[path] = f"file {member.mode:o} {digest}"
                if kept is not None:
                    metadata[path] = kept
            elif member.issym():
                files[path] = f"link -> {member.linkname}"
            elif member.islnk():
                files[path] = files.get("/" + member.linkname.strip("./"), f"hard link -> {member.linkname}")
            else:
                files[path] = f"{'folder' if member.isdir() else 'special'} {member.mode:o}"
    return Snapshot(files, settings, owners(metadata), metadata, environment)


def of_folder(root: Path, ignored: frozenset[str]) -> Snapshot:
    """Read an environment on this host. Its location is masked wherever pip has written it into a file.

    Byte-code is skipped: Python compiles it here from the sources, which are compared, and writes their times into it.
    `ignored` has the names of the kit's own files at the top of the folder.
    """
    masks = (os.fsencode(root), os.fsencode(root.name))  # the name is the prompt in the activation scripts
    files: dict[str, str] = {}
    metadata: dict[str, bytes] = {}
    for folder, subfolders, names in os.walk(root):
        linked = [name for name in subfolders if (Path(folder) / name).is_symlink()]  # os.walk does not enter them
        subfolders[:] = sorted(name for name in subfolders if name != "__pycache__" and name not in linked)
        for name in sorted(names + linked):
            path = Path(folder) / name
            key = "/" + path.relative_to(root).as_posix()
            if key[1:] in ignored:
                continue
            if path.is_symlink():
                files[key] = f"link -> {os.readlink(path)}"
                continue
            if is_metadata(key):
                metadata[key] = path.read_bytes()
            files[key] = f"file {stat.S_IMODE(path.stat().st_mode):o} {_masked_sha256(path, key, masks)}"
    return Snapshot(files, {}, owners(metadata), metadata)


def is_record(path: str) -> bool:
    """Whether a path is that of a RECORD, the list of files that an installer writes (PEP 376)."""
    return path.endswith(".dist-info/RECORD")


def is_metadata(path: str) -> bool:
    """Whether a path is that of a list of a distribution's files, or of the commands that an installer makes for it."""
    return is_record(path) or path.endswith(".dist-info/entry_points.txt")


def owners(metadata: Mapping[str, bytes]) -> dict[str, str]:
    """The distribution that each file belongs to, from the RECORD files by path. Byte-code belongs to its source's."""
    found: dict[str, str] = {}
    for path, content in metadata.items():
        if not is_record(path):
            continue
        folder = os.path.dirname(os.path.dirname(path))
        distribution = os.path.basename(os.path.dirname(path)).split("-")[0]
        for line in content.decode("utf-8", errors="replace").splitlines():
            listed = line.rsplit(",", 2)[0].strip('"')
            found[os.path.normpath(os.path.join(folder, listed))] = distribution
    return found


def _sha256(content: IO[bytes]) -> str:
    digest = hashlib.sha256()
    while chunk := content.read(CHUNK):
        digest.update(chunk)
    return digest.hexdigest()


def _masked_sha256(path: Path, key: str, masks: tuple[bytes, ...]) -> str:
    """Hash a file. The environment's location is masked in scripts, settings and RECORDs, which contain it."""
    if not (key.startswith("/bin/") or key == "/pyvenv.cfg" or is_record(key)):
        with path.open("rb") as file:
            return _sha256(file)
    content = path.read_bytes()
    for mask in masks if key.startswith("/bin/activate") else masks[:1]:
        content = content.replace(mask, b"<environment>")
    if is_record(key):  # it lists byte-code, which is not compared, and hashes of scripts, which contain the location
        lines = content.splitlines(keepends=True)
        content = b"".join(line for line in lines if b"__pycache__" not in line and not line.startswith(b"../"))
    return hashlib.sha256(content).hexdigest()
