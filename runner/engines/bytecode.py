"""Compiles every source below some folders again, and prints as JSON which byte-code differs from its source.

It runs inside an image with that image's own Python, because byte-code depends on the Python version. It therefore uses
the standard library and Python 3.6 syntax only. The hash in the header of byte-code (PEP 552) proves nothing: it is the
hash of the source, and whoever changes the code can keep it.
"""

import importlib.util
import json
import marshal
import multiprocessing
import os
import re
import sys
import types
from typing import Any, List, Optional

HEADER_BYTES = 16 if sys.version_info >= (3, 7) else 12
# Every attribute of a code object except the path of the file that it was compiled from.
PARTS = (
    "co_name", "co_qualname", "co_argcount", "co_posonlyargcount", "co_kwonlyargcount", "co_nlocals", "co_stacksize",
    "co_flags", "co_firstlineno", "co_code", "co_consts", "co_names", "co_varnames", "co_freevars", "co_cellvars",
    "co_exceptiontable",
)  # fmt: skip


def main(folders: List[str]) -> None:
    """Check the byte-code in all folders, on all CPUs that this process may use, and print the result."""
    paths = [
        os.path.join(parent, name)
        for folder in folders
        for parent, _, names in os.walk(folder)
        for name in names
        if name.endswith(".pyc")
    ]
    with multiprocessing.get_context("fork").Pool(len(os.sched_getaffinity(0))) as pool:
        wrong = [path for path in pool.imap_unordered(fault, paths, 16) if path is not None]
    print(json.dumps({"checked": len(paths), "wrong": sorted(wrong)}))


def fault(path: str) -> Optional[str]:
    """Return the path if its byte-code differs from its source or has no source; None if the two agree."""
    found = re.match(r"(.*)/__pycache__/([^/]+?)\.[^./]+?(?:\.opt-(\d))?\.pyc$", path)
    try:
        if found is None:
            return path
        with open(path, "rb") as file:
            content = file.read()
        if content[:4] != importlib.util.MAGIC_NUMBER:
            return None  # this Python does not read such byte-code
        source = f"{found.group(1)}/{found.group(2)}.py"
        with open(source, "rb") as file:
            code = compile(file.read(), source, "exec", dont_inherit=True, optimize=int(found.group(3) or 0))
        return None if is_same(marshal.loads(content[HEADER_BYTES:]), code) else path
    except Exception:  # noqa: BLE001  (whatever the error is, the byte-code cannot be shown to be its source's)
        return path


def is_same(one: Any, other: Any) -> bool:
    """Compare two constants: code objects by their parts, other values by their repr, so that NaN equals NaN."""
    if type(one) is not type(other):
        return False
    if isinstance(one, types.CodeType):
        return all(is_same(getattr(one, part, None), getattr(other, part, None)) for part in PARTS)
    if isinstance(one, tuple):
        return len(one) == len(other) and all(map(is_same, one, other))
    if isinstance(one, frozenset):
        return sorted(map(repr, one)) == sorted(map(repr, other))
    return repr(one) == repr(other)


if __name__ == "__main__":
    main(sys.argv[1:])
