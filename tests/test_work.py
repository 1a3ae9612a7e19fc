"""Nobody's work is lost: students work on copies, and no version of a source is written over another unasked."""

import shutil

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output
from tornado.web import HTTPError

from regionbook.cli import lessons, work
from regionbook.cli import notebooks as nbs
from regionbook.widgets import WIDGET

TEXT = """---
kernelspec:
  display_name: Python 3 (ipykernel)
  language: python
  name: python3
---

# A lesson

```{code-cell} ipython3
1 + 1
```
"""


@pytest.fixture
def book(tmp_path):
    """A project of one lesson in step, and a sheet."""
    md = tmp_path / "chapters" / "01-sample" / "1-lesson.md"
    nbs.write(TEXT, md)
    nbs.write(nbs.dumps(nbs.canonical(nbs.read_text(md), md.stem)), md.with_suffix(".ipynb"))
    nbs.write(
        nbs.dumps(nbformat.read(md.with_suffix(".ipynb"), 4)),
        tmp_path / "exercises" / "01-sample" / "1-lesson.ipynb",
    )
    nbs.write(
        "[tool.jupytext]\nformats = 'chapters///ipynb,chapters///md:myst'\n", tmp_path / "pyproject.toml"
    )
    nbs.write("# readme\n", tmp_path / "README.md")
    assert nbs.in_step(md) == ""
    return tmp_path


LESSON = "chapters/01-sample/1-lesson.ipynb"


def edited(path, words="MY NOTES"):
    """As VS Code, PyCharm or a plain Jupyter save it."""
    nb = nbformat.read(path, 4)
    nb.cells.insert(1, new_markdown_cell(words))
    nbformat.write(nb, path)


def test_copies_follow_their_originals_until_they_are_changed(book):
    folder = book / "my-work"
    assert sorted(work.copies(folder, book)["new"]) == [
        "README.md", LESSON, "exercises/01-sample/1-lesson.ipynb",
    ]  # fmt: skip
    assert work.copies(folder, book) == {"new": [], "renewed": [], "kept": []}
    edited(book / LESSON, "a newer edition")
    assert work.copies(folder, book)["renewed"] == [LESSON]
    assert "a newer edition" in (folder / LESSON).read_text()
    edited(folder / LESSON)
    assert work.copies(folder, book) == {"new": [], "renewed": [], "kept": []}  # mine, of the present edition
    edited(book / LESSON, "a third edition")
    assert work.copies(folder, book)["kept"] == [LESSON]
    mine = (folder / LESSON).read_text()
    assert "MY NOTES" in mine and "third" not in mine
    (folder / LESSON).unlink()
    assert work.copies(folder, book)["new"] == [LESSON]


def test_a_lost_record_destroys_nothing(book):
    folder = book / "my-work"
    work.copies(folder, book)
    edited(folder / LESSON)
    (folder / work.RECORD).unlink()
    assert work.copies(folder, book)["kept"] == [LESSON]
    assert "MY NOTES" in (folder / LESSON).read_text()


def test_the_named_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("REGIONBOOK_WORK", str(tmp_path / "mine"))
    assert work.work_folder() == tmp_path / "mine"
    monkeypatch.delenv("REGIONBOOK_WORK")
    assert work.work_folder() == work.ROOT / "my-work"


def test_a_folder_that_cannot_be_written(monkeypatch, tmp_path, capsys):
    (tmp_path / "taken").write_text("a file")
    monkeypatch.setenv("REGIONBOOK_WORK", str(tmp_path / "taken" / "mine"))
    assert work.lab(["--no-browser"]) == 1
    assert "REGIONBOOK_WORK" in capsys.readouterr().err


@pytest.fixture
def server(book, monkeypatch):
    """The contents of a student's JupyterLab."""
    monkeypatch.setattr(work, "ROOT", book)
    work.copies(book / "my-work", book)
    return work.Contents(root_dir=str(book / "my-work"), checkpoints_class=work.Originals)


def test_back_to_the_original(server, book):
    model = server.get(LESSON)
    model["content"]["cells"].append(new_code_cell("my own"))
    server.save({"type": "notebook", "content": model["content"]}, LESSON)
    assert (
        server.checkpoints.create_checkpoint(server, LESSON)["id"] == "original"
    )  # as JupyterLab does when saving
    assert len(server.get(LESSON)["content"]["cells"]) == 3
    assert not (book / "my-work" / LESSON).with_suffix(".md").exists()  # no text is written beside a copy
    server.restore_checkpoint(server.list_checkpoints(LESSON)[0]["id"], LESSON)
    assert (book / "my-work" / LESSON).read_bytes() == (book / LESSON).read_bytes()


def test_own_notebooks_have_usual_checkpoints(server, book):
    shutil.copy(book / LESSON, book / "my-work" / "mine.ipynb")
    found = server.create_checkpoint("mine.ipynb")
    assert found["id"] != "original"
    server.save({"type": "notebook", "content": nbformat.v4.new_notebook()}, "mine.ipynb")
    server.restore_checkpoint(found["id"], "mine.ipynb")
    assert len(server.get("mine.ipynb")["content"]["cells"]) == 2
    server.rename("mine.ipynb", "yours.ipynb")
    server.delete("yours.ipynb")
    server.rename(LESSON, "chapters/01-sample/other.ipynb")  # the original is no checkpoint to move
    server.delete("chapters/01-sample/other.ipynb")
    assert (book / LESSON).exists()


def test_a_dead_slider_shows_its_picture(server, book):
    nb = nbformat.read(book / LESSON, 4)
    data = {WIDGET: {"model_id": "x"}, "image/png": "iVBORw0KGgo=", "text/plain": ""}
    nb.cells[1].outputs = [
        new_output("display_data", data),
        new_output("display_data", {WIDGET: {"model_id": "y"}}),
    ]
    nbformat.write(nb, book / "my-work" / LESSON)
    first, second = server.get(LESSON)["content"]["cells"][1]["outputs"]
    assert "image/png" in first["data"] and WIDGET not in first["data"]
    assert WIDGET in second["data"]  # nothing else to show


def test_authors_do_not_lose_what_another_program_wrote(book, monkeypatch):
    sources = work.Contents(root_dir=str(book))
    md = (book / LESSON).with_suffix(".md")
    nbs.write(TEXT.replace("A lesson", "A better lesson"), md)
    assert "A better lesson" in str(sources.get(LESSON)["content"])  # the text was edited: it counts
    nbs.write(TEXT, md)
    edited(book / LESSON)
    for path in (LESSON, LESSON.replace(".ipynb", ".md")):
        with pytest.raises(HTTPError, match="edited in another program") as caught:
            sources.get(path, type="notebook")
        assert caught.value.status_code == 409
    before = md.read_bytes(), (book / LESSON).read_bytes()
    assert lessons.sync([], root=book) == 1  # refused, with the two ways out
    assert (md.read_bytes(), (book / LESSON).read_bytes()) == before
    monkeypatch.setattr(lessons.readme, "write", lambda root: None)
    assert lessons.sync([], root=book, take="notebook") == 0
    assert "MY NOTES" in md.read_text() and nbs.two_versions(md) == ""
    edited(book / LESSON, "A SLIP")
    assert lessons.sync([], root=book, take="text") == 0
    assert "A SLIP" not in md.read_text() + (book / LESSON).read_text()


def test_a_run_alone_is_no_version(book):
    """JupyterLab adds an empty cell at the end, counts and outputs: nothing is to be chosen."""
    path = book / LESSON
    nb = nbformat.read(path, 4)
    nb.cells[1].execution_count = 7
    nb.cells[1].outputs = [new_output("stream", text="a warning", name="stderr")]
    nb.cells.append(new_code_cell(""))
    nb.metadata["language_info"] = {"name": "python", "version": "3.12.1"}
    nbformat.write(nb, path)
    assert nbs.two_versions(path.with_suffix(".md")) == ""
