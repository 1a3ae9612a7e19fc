"""A course folder for nbgrader, from the solutions: ``source/``, ``release/``, ``gradebook.db``, ``nbgrader_config.py``."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nbformat

from regionbook.exercises.generate import STUB

CONFIG = f'''"""Settings of this nbgrader course, made by `workbook.py nbgrader`; run nbgrader's commands in this folder."""

c = get_config()  # noqa: F821 (nbgrader hands it in)
c.CourseDirectory.course_id = "regionbook"
c.ClearSolutions.text_stub = {STUB!r}
c.Autograde.create_student = True  # whoever handed in: no list is needed first
c.ExecutePreprocessor.timeout = 300
c.Execute.timeout = 300
'''


def export(sheets: Mapping[str, Any], to: Path) -> list[str]:
    """Write the course and let nbgrader make the sheets to hand out, so that its gradebook knows them.

    ``sheets`` are solutions as notebooks by the name of the assignment, such as ``"city-innovation-2-regressions"``;
    each becomes an assignment of one notebook of that name. The folder ``to`` is new, empty or such a course; the
    assignments are returned. A ValueError says if it holds something else, or nbgrader refuses a sheet, in its words.
    """
    from nbgrader.apps import NbGraderAPI
    from traitlets.config import PyFileConfigLoader

    if to.exists() and any(to.iterdir()) and not (to / "nbgrader_config.py").exists():
        raise ValueError(f"{to} is not empty and no nbgrader course: name a new folder")
    to.mkdir(parents=True, exist_ok=True)
    (to / "nbgrader_config.py").write_text(CONFIG, encoding="utf-8")
    config = PyFileConfigLoader("nbgrader_config.py", str(to)).load_config()
    config.CourseDirectory.root = str(to.resolve())
    # for alembic
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    api = NbGraderAPI(config=config)
    for name, nb in sheets.items():
        folder = to / "source" / name
        folder.mkdir(parents=True, exist_ok=True)
        nbformat.write(nb, folder / f"{name}.ipynb")
        done = api.generate_assignment(name, force=True)
        if not done["success"]:
            why = done["log"] or done["error"]
            raise ValueError(f"nbgrader refuses {name}: {str(why).strip().splitlines()[-1]}")
    return list(sheets)
