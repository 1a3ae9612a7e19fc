"""Something to move: controls above a picture that say something without a running kernel too; a guess kept till its answer."""

import base64
import html
import io
from collections.abc import Callable, Sequence
from typing import Any

WIDGET = "application/vnd.jupyter.widget-view+json"


def explore(draw: Callable[..., Any], **controls: Any) -> None:
    """Show ``draw(**values)`` under its controls and redraw it whenever one of them moves.

    Where no kernel runs (a fresh clone, GitHub, an exported page) the stored output is the picture and the
    text of the starting values.

    Parameters
    ----------
    draw
        Called with one value for each control. Returns a matplotlib figure, or a figure and a text, or a text
        alone. A text is HTML, or anything with ``_repr_html_`` (a data frame).
    **controls
        One for each argument of ``draw``: a widget, or what ``ipywidgets.interact`` makes a widget from:
        ``(low, high, step)`` or a number for a slider, a list or dict for a menu, a bool for a check box.

    Raises
    ------
    TypeError
        If a control cannot be made from what was given, or ``draw`` returns something else.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> def draw(weight):
    ...     figure = Figure(figsize=(3, 2))
    ...     figure.subplots().plot([0, 1], [0, weight])
    ...     return figure, f"the line ends at {weight:.1f}"
    >>> explore(draw, weight=(0.0, 1.0, 0.1))  # doctest: +SKIP
    """
    import ipywidgets
    from IPython.display import display

    if not controls:
        raise TypeError("explore needs at least one control, such as explore(draw, weight=(0, 1, 0.1))")
    made = {name: _control(name, given) for name, given in controls.items()}
    picture = ipywidgets.Image(format="png", layout={"max_width": "100%", "align_self": "flex-start"})
    text = ipywidgets.HTML()

    said: list[Any] = []  # the output below the picture, in which notebooks keep the last text

    def show() -> None:
        figure, words = _parts(draw(**{name: control.value for name, control in made.items()}))
        picture.value = b"" if figure is None else _png(figure)
        text.value = "" if said else words
        for handle in said:
            handle.update({"text/html": words}, raw=True)

    def update(_: Any) -> None:
        try:
            show()
        except Exception as error:  # else it would go to the log, unseen beside the picture of an older value
            text.value = f"<b>{type(error).__name__}</b>: {error}"

    show()
    for control in made.values():
        control.observe(update, "value")
    box = ipywidgets.VBox([*made.values(), *([picture] if picture.value else []), text])
    bundle: dict[str, Any] = {
        WIDGET: {"version_major": 2, "version_minor": 0, "model_id": box.model_id},
        "text/plain": "",
    }
    if not picture.value:
        display(bundle | {"text/html": text.value}, raw=True)
        return
    bundle["image/png"] = base64.b64encode(picture.value).decode()
    display(bundle, raw=True)
    if text.value:
        said.append(display({"text/html": text.value}, raw=True, display_id=True))
        text.value = ""


_kept: dict[str, str] = {}
"""Guesses of this kernel, by name; "" where none was made yet."""


def guess(name: str, question: str, options: Sequence[str] = ()) -> None:
    """Ask for a guess before an output and keep it; `guessed` shows it beside the answer.

    ``name`` is to be given to `guessed` too, ``question`` says what to guess, ``options`` are answers to choose from;
    without them the reader writes one.

    Examples
    --------
    >>> guess("stars", "How many of 20 policies that do nothing get a star?")  # doctest: +SKIP
    """
    import ipywidgets
    from IPython.display import display

    if isinstance(options, str):
        raise TypeError(f"options of the guess {name!r}: give a list of answers, not one text ({options!r})")
    wide = {"width": "max-content"}
    box: Any = ipywidgets.Text(placeholder="your guess, then Enter", continuous_update=False)
    if options:
        box = ipywidgets.RadioButtons(options=list(options), value=None, layout=wide)
    _kept[name] = ""
    words = html.escape(question)
    said = ipywidgets.HTML(f"<b>Your guess.</b> {words}")

    def keep(change: dict[str, Any]) -> None:
        _kept[name] = str(change["new"] or "").strip()
        said.value = f"<b>Your guess.</b> {words} <i>Kept: {html.escape(_kept[name]) or 'nothing'}.</i>"

    box.observe(keep, "value")
    view = ipywidgets.VBox([said, box])
    listed = "".join(f"<li>{html.escape(option)}</li>" for option in options)
    bundle = {
        WIDGET: {"version_major": 2, "version_minor": 0, "model_id": view.model_id},
        "text/html": f"<b>Your guess.</b> {words}" + (f"<ul>{listed}</ul>" if listed else ""),
        "text/plain": " | ".join([f"Your guess: {question}", *options]),
    }
    display(bundle, raw=True)


def guessed(name: str, answer: Any) -> None:
    """Print the answer, with the guess that was kept under that name if there is one.

    A number is shown with three digits; say more by giving a text. A KeyError if no guess of that name was asked for.
    """
    if name not in _kept:
        asked = ", ".join(map(repr, _kept)) or "none"
        raise KeyError(f"no guess called {name!r} was asked for; asked so far: {asked}. Run its cell first.")
    said = answer if isinstance(answer, str) else f"{answer:,.3g}" if abs(answer) < 1000 else f"{answer:,.0f}"
    print(f"You guessed: {_kept[name]}. The answer: {said}." if _kept[name] else f"The answer: {said}.")


def _control(name: str, given: Any) -> Any:
    import ipywidgets

    own = isinstance(given, ipywidgets.DOMWidget)
    control = given if own else ipywidgets.interactive.widget_from_abbrev(given)
    if control is None:
        said = f"control {name!r}: no widget can be made from {given!r}; give a widget, (low, high, step),"
        raise TypeError(f"{said} a list, a dict or a bool")
    if own and getattr(control, "description", True):
        return control
    control.description = name.replace("_", " ")
    control.style.description_width = "initial"
    return control


def _parts(result: Any) -> tuple[Any, str]:
    """Figure (or None) and HTML of what ``draw`` returned."""
    figure, texts = None, []
    for part in result if isinstance(result, tuple) else (result,):
        if hasattr(part, "savefig"):
            figure = part
        elif isinstance(part, str):
            texts.append(part)
        elif hasattr(part, "_repr_html_"):
            texts.append(part._repr_html_())
        else:
            raise TypeError(
                f"draw returned {type(part).__name__}; expected a matplotlib figure, a text, or both: (figure, text)"
            )
    return figure, "".join(texts)


def _png(figure: Any) -> bytes:
    """The picture, always of the same size (so that it does not jump) and with the same bytes each time."""
    import matplotlib.pyplot as plt
    from PIL import Image

    if figure.get_layout_engine() is None:
        figure.set_layout_engine("constrained")
    raw, small = io.BytesIO(), io.BytesIO()
    figure.savefig(raw, format="png", dpi=100, metadata={"Software": None})
    plt.close(figure)  # else the notebook shows it once more
    Image.open(raw).convert("RGB").quantize(64, dither=Image.Dither.NONE).save(small, "PNG", optimize=True)
    return small.getvalue()
