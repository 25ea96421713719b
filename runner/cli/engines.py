"""Which engines there are, how each is made from the options, and which one `auto` takes."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping

from runner.engines.protocol import Engine
from runner.errors import UsageError

EngineFactory = Callable[[argparse.Namespace], Engine]
Engines = Mapping[str, EngineFactory]


def _venv(arguments: argparse.Namespace) -> Engine:
    from runner.engines.environments import EnvironmentCache, default_cache
    from runner.engines.venv import VenvEngine
    from runner.network import PackageIndex

    if getattr(arguments, "memory", None) is not None:
        raise UsageError(
            "--memory cannot be enforced by the venv engine: a plain process has no limit of its own that also covers "
            "what TensorFlow maps. Leave the option out, or use an engine with containers."
        )
    return VenvEngine(EnvironmentCache(default_cache(), PackageIndex(arguments.pip_index, arguments.ca_bundle)))


ENGINES: Engines = {"venv": _venv}


def choose_engine(arguments: argparse.Namespace, engines: Engines) -> tuple[Engine, str]:
    """Make the engine that was asked for, with one line on why it is this one. Decided once for a run.

    Raises:
        UsageError: an engine that this version does not have.
    """
    if arguments.engine == "auto":
        return engines["venv"](arguments), "engine venv: this version has no other yet"
    if arguments.engine not in engines:
        raise UsageError(f"This version has no engine {arguments.engine!r} yet; use --engine venv.")
    return engines[arguments.engine](arguments), f"engine {arguments.engine}: as asked"
