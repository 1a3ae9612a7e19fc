"""Lessons: text (the source) to executed notebook, and the check that the two are in step.

Everything that changes from run to run or from machine to machine is kept out of the stored notebook, so that a
difference in git is a difference in content.
"""

import base64
import difflib
import functools
import hashlib
import io
import os
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat

from regionbook.paths import ROOT
from regionbook.widgets import WIDGET

IMAGE_LIMIT = 45_000  # bytes; 60 kB in the file, since base64 adds a third
NOISE = re.compile(r"\b0x[0-9a-f]{8,}|/tmp/|/home/|/root/|/Users/|[A-Z]:\\Users|ipykernel_\d+")
CLOCK = re.compile(
    r"\b\d\d:\d\d:\d\d\b|\b[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4}\b|\b[A-Z][a-z]{2}, [A-Z][a-z]{2} \d\d \d{4}\b"
)
TABLE_ID = re.compile(r'\bT_[0-9a-f]{5}(?=[_" ])|(?<=id=")[a-z]{10}(?=")|(?<=#)[a-z]{10}(?= )')
OWN_ID = re.compile(r"\bT_[0-9a-f]{8}\b|\bT_[0-9a-f]{8}(?=_)")  # what `steady` puts in place of a random id
DECIMAL = re.compile(r"[-−+]?\d[\d,]*\.\d+(?:e[-+]?\d+)?")
LANGUAGE = {"name": "python", "pygments_lexer": "ipython3"}
LANGUAGE |= {"file_extension": ".py", "mimetype": "text/x-python"}


class LessonError(Exception):
    """A lesson that cannot be stored or does not run, in words for its author."""


def sources(root: Path = ROOT) -> list[Path]:
    """Texts of all lessons and solutions: ``chapters/*/N-name.md``, ``solutions/*/N-name.md``."""
    return sorted(p for folder in ("chapters", "solutions") for p in (root / folder).glob("*/[0-9]*.md"))


def select(names: list[str], root: Path = ROOT) -> list[Path]:
    """The sources that ``names`` mean: a paper's slug, a chapter folder, or a (part of a) path.

    An error if a name means nothing; it lists the chapters.
    """
    chosen: list[Path] = []
    for name in names:
        want = name.replace("\\", "/").removesuffix(".md").removesuffix(".ipynb").rstrip("/")
        found = [
            p
            for p in sources(root)
            if re.fullmatch(rf"\d+-{re.escape(want)}", p.parent.name)
            or want in (p.parent.name, p.stem.partition("-")[2])
            or f"/{p.relative_to(root).with_suffix('').as_posix()}".endswith(f"/{want}")
            or p.relative_to(root).parent.as_posix() == want
            or p.with_suffix("").as_posix() == want
        ]
        if not found:
            there = sorted({p.parent.name.partition("-")[2] for p in sources(root)})
            raise LessonError(f"no lesson is called {name!r}; there are: {', '.join(there) or 'none yet'}")
        chosen += [p for p in found if p not in chosen]
    return chosen


def label(md: Path, root: Path = ROOT) -> str:
    """Short name of a lesson for progress lines: its path in the project without extension."""
    return (md.relative_to(root) if md.is_relative_to(root) else md).with_suffix("").as_posix()


def small_png(data: bytes, limit: int = IMAGE_LIMIT) -> bytes:
    """The picture with as many palette colours as fit; a palette picture that fits is left as it is."""
    from PIL import Image

    given = Image.open(io.BytesIO(data))
    if given.mode == "P" and len(data) <= limit:
        return data
    white = Image.new("RGBA", given.size, "white")
    image = Image.alpha_composite(white, given.convert("RGBA")).convert("RGB")
    for colours in (256, 128, 64, 32):
        out = io.BytesIO()
        image.quantize(colours, dither=Image.Dither.NONE).save(out, "PNG", optimize=True)
        if out.tell() <= limit:
            return out.getvalue()
    size = f"a figure of {image.size} pixels needs {out.tell():,} bytes"
    raise LessonError(f"{size} even with 32 colours: draw it smaller")


def steady(text: str) -> str:
    """``text`` without what differs from run to run: time of day (as in ``summary``), random ids of tables."""
    text = CLOCK.sub(lambda found: " " * len(found.group()), text)
    own = hashlib.sha1(TABLE_ID.sub("", text).encode()).hexdigest()[:8]
    return TABLE_ID.sub(f"T_{own}", text)


def same_but_for_rounding(one: str, other: str) -> bool:
    """Whether two outputs say the same, their decimal numbers equal to one unit of the last digit (or 1e-5 of it).

    Processors add in different orders and iterative estimators stop at a tolerance, so that 8.31275 is printed as
    8.3127 here and as 8.3128 there. Words and whole numbers must be the same, and the finer of two last digits counts.
    """
    numbers, words = [], []
    for text in (one, other):
        text = OWN_ID.sub("", text)  # it hangs on the numbers of its table
        numbers.append(DECIMAL.findall(text))
        # 9.99 and 10.00 pad a column differently
        words.append(re.sub(r"[ ─-]+", " ", DECIMAL.sub("#", text)))
    return words[0] == words[1] and all(map(_same_number, *numbers))


def _same_number(one: str, other: str) -> bool:
    values, units = [], []
    for text in (one, other):
        digits, _, power = text.replace("−", "-").replace(",", "").partition("e")
        values.append(float(digits) * 10.0 ** int(power or 0))
        units.append(10.0 ** (int(power or 0) - len(digits.partition(".")[2])))
    gap = abs(values[0] - values[1])
    return gap <= max(1.01 * min(units), 1e-5 * abs(values[1]))


def canonical_outputs(outputs: list[Any]) -> list[Any]:
    """Outputs as they are stored; see :func:`canonical`."""
    stored = []
    for out in outputs:
        if out.output_type == "stream":
            if out.name == "stderr":
                raise LessonError(f"a lesson must not write to stderr (a warning, say): {out.text[:300]!r}")
            out.text = steady(out.text)
        elif out.output_type == "error":
            out.traceback = [f"{out.ename}: {out.evalue}"]  # the rest carries paths and Python's version
        else:
            stored += _data(out)
            continue
        stored.append(out)
    for out in stored:
        data = {k: v for k, v in out.get("data", {}).items() if k.startswith("text/")}
        for text in (out.get("text", ""), *data.values()):
            if found := NOISE.search(text):
                hint = "; end the cell with ';'" if found.group().startswith("0x") else ""
                around = text[max(0, found.start() - 80) : found.end() + 80]
                raise LessonError(f"an output changes from run to run: {found.group()!r} in {around!r}{hint}")
    return stored


def _data(out: Any) -> list[Any]:
    data = out.data
    if WIDGET in data:
        del data[WIDGET]
        data.pop("text/plain", None)
        if not data:
            raise LessonError("a widget without a still picture or text: use regionbook.widgets.explore")
    if "image/png" in data:
        data["image/png"] = base64.b64encode(small_png(base64.b64decode(data["image/png"]))).decode()
        data.pop("text/plain", None)  # "<Figure size ...>"
        out.metadata = nbformat.from_dict({})
    if "text/html" in data and " at 0x" in data.get("text/plain", ""):
        del data["text/plain"]  # pandas Styler, great_tables: the text is only an address
    for kind in data:
        if kind.startswith("text/"):
            data[kind] = steady(data[kind])
    if "image/png" in data and "text/html" in data:  # a viewer shows one of the two: make them two outputs
        html = nbformat.v4.new_output("display_data", data={"text/html": data.pop("text/html")})
        return [out, html]
    return [out]


def canonical(nb: Any, stem: str) -> Any:
    """The notebook without what changes from run to run or machine to machine, cells named by their content.

    An error for what must not be stored: stderr, memory addresses, absolute paths, a widget without a still picture, a
    figure that is too large.
    """
    if "kernelspec" not in nb.metadata:
        raise LessonError("the text has no header with 'kernelspec:'; copy it from another lesson")
    kept = {"kernelspec": nb.metadata.kernelspec, "language_info": dict(LANGUAGE)}
    nb.metadata = nbformat.from_dict(kept)
    nb.nbformat, nb.nbformat_minor = 4, 5
    seen: dict[str, int] = {}
    for number, cell in enumerate(nb.cells, 1):
        key = hashlib.sha1(f"{stem}\0{cell.cell_type}\0{cell.source}".encode()).hexdigest()[:8]
        seen[key] = seen.get(key, 0) + 1
        cell.id = key if seen[key] == 1 else f"{key}-{seen[key]}"
        kept = {k: v for k, v in cell.metadata.items() if k in ("tags", "nbgrader")}
        cell.metadata = nbformat.from_dict(kept)
        if cell.cell_type == "code":
            try:
                cell.outputs = canonical_outputs(cell.outputs)
            except LessonError as error:
                start = cell.source.strip().splitlines()[0][:60]
                raise LessonError(f"cell {number} ({start!r}): {error}") from None
    nbformat.validate(nb)
    return nb


@functools.cache
def _jupytext_config() -> Any:
    from jupytext.config import load_jupytext_configuration_file

    return load_jupytext_configuration_file(str(ROOT / "pyproject.toml"))


def read_text(md: Path) -> Any:
    """The notebook that a MyST text describes, without outputs."""
    import jupytext

    return jupytext.read(md, fmt="md:myst")


def as_text(nb: Any) -> str:
    """The MyST text of a notebook."""
    import jupytext

    return jupytext.writes(nb, fmt="md:myst", config=_jupytext_config())


def dumps(nb: Any) -> str:
    """The bytes of a notebook file, ending with one newline."""
    return nbformat.writes(nb, version=nbformat.NO_CONVERT).rstrip("\n") + "\n"


def write(text: str, path: Path) -> None:
    """Write ``text`` as UTF-8 with Unix line ends, making the folder if need be."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")


def in_step(md: Path) -> str:
    """What differs between a text and its notebook, ``""`` if nothing does. Executes nothing."""
    ipynb = md.with_suffix(".ipynb")
    if not ipynb.exists():
        return f"{ipynb.name} is missing: run `workbook.py sync`"
    stored = ipynb.read_text(encoding="utf-8")
    nb = nbformat.reads(stored, as_version=4)
    want, have = as_text(nb), md.read_text(encoding="utf-8")
    if want == have:
        same = dumps(canonical(nb, md.stem)) == stored
        return "" if same else f"{ipynb.name} is not as `workbook.py sync` writes it: run it"
    lines = difflib.unified_diff(have.splitlines(True), want.splitlines(True), md.name, ipynb.name, n=1)
    return "".join(lines)


def two_versions(md: Path) -> str:
    """In words, if the notebook was edited apart from its text: writing one over the other would lose work. Else ``""``.

    A notebook as `sync` wrote it is no version of its own: its text was edited.
    """
    ipynb = md.with_suffix(".ipynb")
    if not ipynb.exists() or not md.exists():
        return ""
    stored = ipynb.read_text(encoding="utf-8")
    nb = nbformat.reads(stored, as_version=4)
    if _cells(nb) == _cells(read_text(md)):
        return ""
    try:
        if dumps(canonical(nb, md.stem)) == stored:
            return ""
    except LessonError:
        pass  # outputs that sync would not have written
    return (
        f"{ipynb.name} was edited in another program and does not say what {md.name} says. Nothing was changed. Choose: "
        f"`workbook.py sync --take notebook {label(md)}` keeps the notebook, `--take text` the text "
        f"(the other version is lost; `git diff` shows what was changed)"
    )


def _cells(nb: Any) -> list[tuple[str, str]]:
    """Kind and words of the cells; Shift+Enter on the last one adds an empty one, which says nothing."""
    return [(cell.cell_type, cell.source.strip()) for cell in nb.cells if cell.source.strip()]


def execute(
    nb: Any, folder: Path, timeout: int = 600, progress: Callable[[int, int], None] | None = None
) -> list[float]:
    """Run all cells in place, as JupyterLab would in ``folder``; return the seconds that each code cell took.

    An error, with the cell, at the first one that fails without the tag ``raises-exception``.
    """
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
    from traitlets.config import Config

    seconds: list[float] = []
    total = sum(cell.cell_type == "code" and bool(cell.source.strip()) for cell in nb.cells)
    started = time.perf_counter()

    def begin(cell: Any, cell_index: int) -> None:
        nonlocal started
        if cell.cell_type == "code" and progress:
            progress(len(seconds) + 1, total)
        started = time.perf_counter()

    def done(cell: Any, cell_index: int, execute_reply: Any) -> None:
        seconds.append(time.perf_counter() - started)

    os.environ.pop("MPLBACKEND", None)  # a setting for scripts; the kernel has its own
    client = NotebookClient(
        nb,
        timeout=timeout,
        kernel_name="python3",
        resources={"metadata": {"path": str(folder)}},
        record_timing=False,
        coalesce_streams=True,
        store_widget_state=False,
        config=Config({"KernelManager": {"transport_encryption": "auto"}}),  # else each kernel warns
        on_cell_execute=begin,
        on_cell_executed=done,
    )
    try:
        client.execute()
    except CellExecutionError as error:
        what = f"{error.ename}: {error.evalue}\n{error.traceback}"
        raise LessonError(f"code cell {len(seconds)} fails: {what}") from None
    except CellTimeoutError:
        raise LessonError(f"code cell {len(seconds) + 1} takes longer than {timeout} s") from None
    except DeadKernelError:
        raise LessonError(f"the kernel died in code cell {len(seconds) + 1} (out of memory?)") from None
    return seconds
