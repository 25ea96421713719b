"""What all figures share: colours, style, and rendering to the same bytes for the same data.

Drawn with matplotlib's object interface and a fixed hash salt, without dates.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import matplotlib as mpl
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_pdf import FigureCanvasPdf
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure as Drawing

from runner.report.document import Figure
from runner.stats.results import Results, Role

# One colour for each role, in every figure. Variants of no role of their own have a further colour by their position.
COLOURS = {
    Role.BASELINE: "#8d99a6", Role.SWITCHED_ON: "#e09f3e", Role.VENDORS_BUILD: "#0068b5", Role.PLUG_IN: "#2a9d8f",
    Role.OTHER_ARITHMETIC: "#9b5de5",
}  # fmt: skip
FURTHER_COLOURS = ("#d1495b", "#6a994e", "#7f5539")
PNG_DPI = 150
_STYLE: Any = {
    "svg.hashsalt": "tensorflow-speedup-kit", "svg.fonttype": "none", "pdf.fonttype": 42, "font.size": 10,
    "font.family": "DejaVu Sans", "axes.spines.top": False, "axes.spines.right": False,
}  # fmt: skip


def render(name: str, description: str, make: Callable[[], Drawing], *, with_pdf: bool = False) -> Figure:
    """Call `make` under the kit's style and render what it drew as SVG and PNG, and as PDF where that is wanted."""
    with mpl.rc_context(_STYLE):
        drawing = make()
        svg, png, pdf = io.BytesIO(), io.BytesIO(), io.BytesIO()
        # Straight to the canvas and laid out once: `savefig` lays out and draws everything twice for each format.
        canvas: Any = FigureCanvasSVG(drawing)  # matplotlib has no types for what canvases print
        canvas.print_svg(svg, metadata={"Date": None, "Creator": "tensorflow-speedup-kit"})
        drawing.set_layout_engine("none")
        drawing.set_dpi(PNG_DPI)
        canvas = FigureCanvasAgg(drawing)
        canvas.print_png(png, metadata={"Software": "tensorflow-speedup-kit"})
        if with_pdf:
            canvas = FigureCanvasPdf(drawing)
            canvas.print_pdf(pdf, metadata={"CreationDate": None, "Creator": "tensorflow-speedup-kit"})
    return Figure(name, description, svg.getvalue(), png.getvalue(), pdf.getvalue())


def colour(measured: Results, stack: str, variant: str) -> str:
    """Return the colour of a variant, the same in every figure."""
    position = measured.variants(stack).index(variant)
    return COLOURS.get(measured.role(stack, variant)) or FURTHER_COLOURS[position % len(FURTHER_COLOURS)]
