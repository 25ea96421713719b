"""Shows the layers of a push or a pull: bars on a terminal, elsewhere one line for each layer that has ended."""

from __future__ import annotations

from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TransferSpeedColumn

from runner.cli.progress import CONSOLE
from runner.registry.transfer import Layer

# The state of a layer that the engine has downloaded and not unpacked yet: another state follows.
_NOT_YET = "Download complete"


class LayerProgress:
    """Is called with the state of each layer. Use it as a context manager around the transfer of one image."""

    def __init__(self, console: Console = CONSOLE) -> None:
        self._console = console
        columns = (TextColumn("  {task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
        self._bars = Progress(*columns, console=console, transient=True)
        self._tasks: dict[str, TaskID] = {}
        self._ended: set[str] = set()
        self._bytes: dict[str, int] = {}

    def __enter__(self) -> LayerProgress:
        if self._console.is_terminal:
            self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._console.is_terminal:
            self._bars.stop()

    def __call__(self, layer: Layer) -> None:
        """Show the new state of a layer."""
        self._bytes[layer.name] = max(self._bytes.get(layer.name, 0), layer.total, layer.current)
        if self._console.is_terminal:
            self._draw(layer)
        if layer.has_ended and layer.state != _NOT_YET and layer.name not in self._ended:
            self._ended.add(layer.name)
            self._console.print(f"  layer {layer.name}: {self._outcome(layer)}", markup=False, soft_wrap=True)

    def _draw(self, layer: Layer) -> None:
        if layer.name not in self._tasks:
            self._tasks[layer.name] = self._bars.add_task(layer.name, total=None)
        task = self._tasks[layer.name]
        self._bars.update(task, description=f"{layer.name} {layer.state.lower()[:24]:24}")
        if layer.total:
            self._bars.update(task, total=layer.total, completed=min(layer.current, layer.total))
        if layer.has_ended and layer.state != _NOT_YET:
            self._bars.update(task, visible=False)

    def _outcome(self, layer: Layer) -> str:
        size = self._bytes[layer.name]
        return f"{layer.state.lower()}{f' ({size / 1e6:.1f} MB)' if size else ''}"
