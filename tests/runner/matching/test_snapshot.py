"""Snapshots of folders and tars."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

from runner.matching.snapshot import Snapshot, of_folder, of_tar

RECORD = "pkg/__init__.py,sha256=aa,3\npkg/__pycache__/__init__.cpython-36.pyc,,\n../../../bin/tool,sha256=bb,9\n"


def environment(root: Path, **changed: str) -> Path:
    """A small virtual environment whose files hold its own location, as pip writes them."""
    files = {
        "bin/tool": f"#!{root}/bin/python\nimport pkg\n",
        "bin/activate": f'PS1="({root.name}) "\n',
        "lib/python3.6/site-packages/pkg/__init__.py": "x=1",
        "lib/python3.6/site-packages/pkg/__pycache__/__init__.cpython-36.pyc": str(root),
        "lib/python3.6/site-packages/pkg-1.0.dist-info/RECORD": RECORD.replace("bb", root.name),
        "complete.json": str(root),
        **changed,
    }
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
        path.chmod(0o644)
    (root / "bin" / "python").symlink_to("/usr/bin/python3")
    return root


def tar_of(root: Path) -> io.BytesIO:
    """The folder as the tar of a file system."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        archive.add(root, arcname=".")
    buffer.seek(0)
    return buffer


def snapshot(root: Path) -> Snapshot:
    """A folder's snapshot without the kit's own note."""
    return of_folder(root, frozenset({"complete.json"}))


def test_two_environments_with_the_same_content_are_equal_wherever_they_lie(tmp_path: Path) -> None:
    """Locations in scripts, prompts and RECORDs, byte-code and the kit's own notes do not count."""
    assert snapshot(environment(tmp_path / "one")) == snapshot(environment(tmp_path / "another"))


def test_a_changed_byte_a_changed_mode_and_a_further_file_show(tmp_path: Path) -> None:
    before = snapshot(environment(tmp_path / "env-one")).files
    changed = environment(tmp_path / "env-two", **{"lib/python3.6/site-packages/pkg/__init__.py": "x=2", "new": ""})
    (changed / "bin" / "activate").chmod(0o755)
    after = snapshot(changed).files
    different = {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)}
    assert different == {"/lib/python3.6/site-packages/pkg/__init__.py", "/new", "/bin/activate"}


def test_files_belong_to_the_distribution_whose_record_lists_them(tmp_path: Path) -> None:
    """This includes scripts outside of site-packages."""
    owners = snapshot(environment(tmp_path / "env-one")).owners
    assert owners["/bin/tool"] == "pkg"
    assert owners["/lib/python3.6/site-packages/pkg/__init__.py"] == "pkg"


def test_a_tar_shows_paths_modes_contents_and_links_but_no_times(tmp_path: Path) -> None:
    """The same files make the same snapshot, whenever they were written; a mode makes another."""
    root = environment(tmp_path / "env-one")
    first = of_tar(tar_of(root), {"user": "1"})
    for path in root.rglob("*"):
        if path.is_file():
            path.touch()
    assert of_tar(tar_of(root), {"user": "1"}) == first
    assert first.files["/bin/python"] == "link -> /usr/bin/python3"
    assert first.owners["/bin/tool"] == "pkg"
    (root / "bin" / "tool").chmod(0o755)
    assert of_tar(tar_of(root), {"user": "1"}) != first
