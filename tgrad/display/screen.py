"""What this package draws for a session: values, graphs, figures and progress bars.

Nothing is loaded before a program draws something.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tgrad.runtime.output import Output, TextStream
from tgrad.runtime.screen import Screen

if TYPE_CHECKING:
    from tgrad.display.console import Console
    from tgrad.display.progress import Bars
    from tgrad.runtime.figures import Figure
    from tgrad.runtime.graphs import Graph


def screen_on(
    output: TextStream, errors: Output, color: str = "auto", *, plain: bool = False, terminal: bool = True
) -> Screen:
    """The screen of a session that writes to `output`, and to `errors` what goes wrong.

    Figures and bars are drawn on a terminal only; never where `terminal` is False.
    """

    def console() -> Console:
        from tgrad.display.console import Console

        return Console.on(output, color, plain=plain)

    def draw_graph(graph: Graph, fold: bool) -> None:
        from tgrad.display import graph_tree

        graph_tree.draw(graph, console(), fold=fold)

    def graph_file(graph: Graph, suffix: str, fold: bool) -> str:
        from tgrad.display.graph_export import text_of

        return text_of(graph, suffix, fold=fold)

    def draw_value(value: object, name: str | None) -> None:
        from tgrad.display.show import shower

        shower(output, color, plain=plain)(value, name=name)

    def draw_figure(figure: Figure) -> None:
        from tgrad.display import plot

        plot.draw(figure, console())

    screen = Screen(graph=draw_graph, graph_file=graph_file, value=draw_value)
    lively = terminal and output.isatty() and isinstance(output, Output)
    if lively:
        screen.figure = draw_figure
    if lively or errors.isatty():
        _add_bars(screen, output, errors, color, plain, lively)
    return screen


def _add_bars(
    screen: Screen, output: TextStream, errors: Output, color: str, plain: bool, lively: bool
) -> None:
    """Bars on the output where that is a `lively` terminal, else computations alone on the errors."""
    made: list[Bars] = []

    def bars() -> Bars:
        if not made:
            from tgrad.display.console import Console
            from tgrad.display.progress import Bars

            streams = [stream for stream in (output, errors) if isinstance(stream, Output)]
            first, *others = streams if lively else streams[::-1]
            made.append(Bars(first, Console.on(first, color, plain=plain), *others))
        return made[0]

    def finish() -> None:
        for each in made:
            each.finish()

    if lively:
        screen.bar = lambda label, total, name: bars().bar(label, total, name)
    screen.computing = lambda total: bars().bar("computing", total, passing=True)
    screen.finish = finish
