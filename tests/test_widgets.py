"""The slider helper: moves with a kernel, says something without one."""

from __future__ import annotations

import base64
from types import SimpleNamespace

import ipywidgets
import pandas as pd
import pytest
from matplotlib.figure import Figure

from regionbook import widgets
from regionbook.widgets import WIDGET, explore


@pytest.fixture
def shown(monkeypatch):
    """What `display` was given (as it stands now), and the boxes behind it."""
    import IPython.display

    bundles = []

    def display(bundle, raw, display_id=False):
        bundles.append(bundle)
        return SimpleNamespace(update=lambda new, raw: bundles[bundles.index(bundle)].update(new))

    monkeypatch.setattr(IPython.display, "display", display)
    boxes = []
    real = ipywidgets.VBox
    monkeypatch.setattr(ipywidgets, "VBox", lambda children: boxes.append(real(children)) or boxes[-1])
    return bundles, boxes


def draw(weight):
    figure = Figure(figsize=(3, 2))
    figure.subplots().plot([0, 1], [0, weight])
    return figure, f"ends at {weight:.1f}"


def test_live_and_still(shown):
    bundles, boxes = shown
    explore(draw, weight=(0.0, 1.0, 0.1))
    (bundle, words), (box,) = bundles, boxes
    slider, picture, alarm = box.children
    assert bundle[WIDGET]["model_id"] == box.model_id
    assert base64.b64decode(bundle["image/png"]) == picture.value
    assert (
        words == {"text/html": "ends at 0.5"} and "text/html" not in bundle
    )  # viewers show one kind of an output
    assert slider.description == "weight"
    before = picture.value
    slider.value = 0.9
    assert words["text/html"] == "ends at 0.9" and picture.value != before and not alarm.value
    slider.value = 0.5
    assert picture.value == before  # the same bytes each time


def test_a_widget_is_taken_as_it_is(shown):
    slider = ipywidgets.IntSlider(3, description="neighbours")
    explore(lambda k: f"{k} neighbours", k=slider)
    assert shown[1][0].children[0] is slider and slider.description == "neighbours"
    assert "image/png" not in shown[0][0]  # a text alone has no empty picture
    assert shown[0][0]["text/html"] == "3 neighbours"


def test_every_control_has_a_name(shown):
    explore(lambda k_nearest: "", k_nearest=ipywidgets.IntSlider(3))
    assert shown[1][0].children[0].description == "k nearest"


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        ((1, 9), ipywidgets.IntSlider),
        ((0.0, 1.0), ipywidgets.FloatSlider),
        (["a", "b"], ipywidgets.Dropdown),
        ({"one": 1}, ipywidgets.Dropdown),
        (True, ipywidgets.Checkbox),
    ],
)
def test_abbreviations(shown, given, kind):
    explore(lambda number_of_cities: str(number_of_cities), number_of_cities=given)
    control = shown[1][0].children[0]
    assert isinstance(control, kind) and control.description == "number of cities"


def test_a_table_is_a_text(shown):
    explore(lambda k: pd.DataFrame({"x": [k]}), k=(1, 3))
    assert "<table" in shown[0][0]["text/html"]


def test_an_error_while_moving_is_shown(shown):
    def fails(k):
        if k == 3:
            raise ValueError("k is too large")
        return str(k)

    explore(fails, k=(1, 3))
    slider, text = shown[1][0].children
    slider.value = 3
    assert "ValueError" in text.value and "k is too large" in text.value
    slider.value = 1
    assert text.value == "1"


def test_an_error_beside_a_picture(shown):
    explore(lambda weight: draw(weight) if weight < 0.9 else 1 / 0, weight=(0.0, 1.0, 0.1))
    slider, _, alarm = shown[1][0].children
    slider.value = 0.9
    assert "ZeroDivisionError" in alarm.value and shown[0][1]["text/html"] == "ends at 0.5"
    slider.value = 0.2
    assert not alarm.value and shown[0][1]["text/html"] == "ends at 0.2"


def test_bad_input():
    with pytest.raises(TypeError, match="at least one control"):
        explore(draw)
    with pytest.raises(TypeError, match="control 'weight': no widget can be made from <object"):
        explore(draw, weight=object())
    with pytest.raises(TypeError, match="draw returned NoneType; expected a matplotlib figure"):
        explore(lambda weight: None, weight=(0, 1))
    with pytest.raises(ZeroDivisionError):  # at the start, an error in `draw` is an error
        explore(lambda weight: 1 / 0, weight=(0, 1))


def test_pictures_keep_their_size():
    """The picture must not jump while a control moves."""
    import io

    from PIL import Image

    def size(label):
        figure = Figure(figsize=(4, 3))
        figure.subplots().set(ylabel=label, title=label)
        return Image.open(io.BytesIO(widgets._png(figure))).size

    assert size("x") == size("a much longer\nlabel on two lines") == (400, 300)


# --- a guess -----------------------------------------------------------------------------------------


@pytest.fixture
def asked(monkeypatch):
    """Boxes of the guesses asked for, and what was displayed."""
    import IPython.display

    bundles, boxes, real = [], [], ipywidgets.VBox
    monkeypatch.setattr(IPython.display, "display", lambda bundle, raw: bundles.append(bundle))
    monkeypatch.setattr(ipywidgets, "VBox", lambda children: boxes.append(real(children)) or boxes[-1])
    monkeypatch.setattr(widgets, "_kept", {})
    return bundles, boxes


def test_a_guess_is_kept_till_its_answer(asked, capsys):
    bundles, boxes = asked
    widgets.guess("stars", "How many of 20 <get> a star?")
    assert bundles[0]["text/plain"] == "Your guess: How many of 20 <get> a star?"
    assert "&lt;get&gt;" in bundles[0]["text/html"]
    widgets.guessed("stars", 9)
    said, box = boxes[0].children
    box.value = " 3 "
    assert "Kept: 3." in said.value
    widgets.guessed("stars", 9)
    assert capsys.readouterr().out == "The answer: 9.\nYou guessed: 3. The answer: 9.\n"


def test_a_guess_among_options(asked, capsys):
    bundles, boxes = asked
    widgets.guess("sign", "Which sign?", ["up", "down"])
    assert bundles[0]["text/plain"] == "Your guess: Which sign? | up | down"
    assert boxes[0].children[1].value is None
    boxes[0].children[1].value = "down"
    widgets.guessed("sign", "up")
    assert capsys.readouterr().out == "You guessed: down. The answer: up.\n"


@pytest.mark.parametrize(
    ("number", "text"), [(0.12345, "0.123"), (12, "12"), (829_540, "829,540"), (-3.0, "-3")]
)
def test_an_answer_has_few_digits(asked, capsys, number, text):
    widgets.guess("n", "?")
    widgets.guessed("n", number)
    assert capsys.readouterr().out == f"The answer: {text}.\n"


def test_bad_guesses(asked):
    with pytest.raises(TypeError, match="give a list of answers"):
        widgets.guess("sign", "Which sign?", "up")
    with pytest.raises(KeyError, match="no guess called 'stars' was asked for; asked so far: none"):
        widgets.guessed("stars", 3)
