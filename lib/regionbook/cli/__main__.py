"""``python -m regionbook.cli COMMAND``: what ``workbook.py`` calls once the environment is ready."""

import argparse
import importlib
import os
import sys

from regionbook.paths import ROOT

LECTURERS = ("grade", "keys", "handout", "report", "nbgrader")
STUDENTS_COPY = (
    "`{}` needs the solutions, and this is a student's copy of the workbook: there is no folder solutions/. Run it in "
    "the lecturer's copy, the whole repository. Nothing is wrong with the sheets that you named."
)


def parser() -> argparse.ArgumentParser:
    """All commands and their options."""
    top = argparse.ArgumentParser(prog="workbook.py", description="Commands of the workbook.")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")

    sync = commands.add_parser("sync", help="text -> notebooks -> exercises")
    sync.add_argument("names", nargs="*", help="slug, chapter folder or path; default: what changed")
    sync.add_argument("--take", choices=("text", "notebook"), default="", help="which of two edits counts")
    alone = "sheets of which text, solution or check changed alone, rightly"
    sync.add_argument("--agreed", nargs="+", metavar="NAME", help=alone)
    sync.add_argument("--all", action="store_true", dest="everything", help="execute all, changed or not")

    commands.add_parser("lab", help="open JupyterLab on copies of the lessons; --sources: on the project")
    run = commands.add_parser("run", help="execute lessons, write nothing")
    run.add_argument("names", nargs="*", metavar="SLUG", help="slug, folder or path; default: all lessons")

    data = commands.add_parser("data", help="regenerate the teaching data")
    data.add_argument("names", nargs="*", metavar="SLUG", help="default: all")
    data.add_argument("--check", action="store_true", help="write nothing; fail if a file would change")

    score = commands.add_parser("scorecard", help="every printed number: ours, printed, verdict")
    score.add_argument("--json", action="store_true", dest="as_json", help="one JSON object on stdout")

    commands.add_parser("load", help="words, code, figures, terms, minutes of each lesson beside the limits")

    bench = commands.add_parser("bench", help="speed against peers, ratios measured in one run")
    bench.add_argument("--full", action="store_true", help="peers in full length, 70 million rows; minutes")
    doctor = commands.add_parser("doctor", help="what is missing on this machine and how to mend it")
    doctor.add_argument("--size", action="store_true", help="lines of the library by room, nothing else")

    grade = commands.add_parser("grade", help="grade handed-in notebooks")
    grade.add_argument("files", nargs="+", help="notebooks made from exercises/, folders, zips of a platform")
    grade.add_argument("--csv", dest="table", help="write the points of every cell to this file")
    grade.add_argument(
        "--results", dest="folder", default="results", metavar="FOLDER",
        help="where each sheet's result is kept; what is there and has not changed is not graded again (default: results)",
    )  # fmt: skip
    grade.add_argument("--workers", type=int, help="sheets side by side (default: one a processor core)")
    grade.add_argument("--exercise", help="CHAPTER/N-name, if the file names do not tell")
    grade.add_argument("--timeout", type=int, default=120, help="seconds a cell may take (default 120)")
    grade.add_argument(
        "--trust-the-code", action="store_true", dest="trust",
        help="where there is no sandbox: run the students' code as you, with your files and your network",
    )  # fmt: skip

    _of_a_course(commands)
    return top


def _of_a_course(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """What a lecturer does around grading: hand out, give keys, report, go to nbgrader."""
    keys = commands.add_parser("keys", help="sealed keys to students' own panels, to hand out")
    keys.add_argument("file", metavar="STUDENTS.csv", help="numbers in the column student, or the first")
    keys.add_argument("names", nargs="*", help="slug, chapter folder or path; default: all sheets")
    keys.add_argument("--to", default="keys", metavar="FOLDER", help="where to write them (default: keys)")

    hand = commands.add_parser("handout", help="what students get: no solutions, no history")
    hand.add_argument("names", nargs="*", help="slug, chapter folder or path; default: everything")
    hand.add_argument("--to", required=True, metavar="FOLDER|FILE.zip", help="a new folder or zip")

    report = commands.add_parser("report", help="class results: tables, page, feedback, gradebooks")
    report.add_argument("folder", metavar="RESULTS", help="folder that `grade --results` wrote")
    columns = "name, number, id, email"
    report.add_argument("--roster", dest="roster_file", metavar="STUDENTS.csv", help=columns)
    report.add_argument("--to", default="report", metavar="FOLDER", help="where to write (default: report)")
    report.add_argument("--shared", action="store_true", help="all work on the shared panel: without numbers")
    report.add_argument("--moodle", metavar="WORKSHEET.csv", help="worksheet of Moodle, to be filled in")
    report.add_argument("--canvas", metavar="EXPORT.csv", help="gradebook that Canvas exported, for its IDs")

    course = commands.add_parser("nbgrader", help="a course folder for nbgrader, source and release")
    course.add_argument("names", nargs="*", help="slug, chapter folder or path; default: all sheets")
    course.add_argument("--to", required=True, metavar="FOLDER", help="folder of the course")

    site = commands.add_parser("site", help="lessons, sheets, papers, library and slides as a static site")
    site.add_argument("--to", default="", metavar="FOLDER", help="where to (default: build/site/html)")
    folded = "lecturer: with solutions, folded"
    site.add_argument("--edition", choices=("student", "lecturer"), default="student", help=folded)
    site.add_argument("--open", action="store_true", dest="open_it", help="show it in the browser")
    prints = "of these chapters or lessons PDFs too (A4), and of their slides"
    site.add_argument("--pdf", nargs="+", metavar="NAME", help=prints)
    site.add_argument("--set-up", action="store_true", help="install what it needs, make nothing")


def main(argv: list[str] | None = None) -> int:
    """Run one command; the exit code is 0 if all went well."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # the same sums, in the same order, on every machine
    words = sys.argv[1:] if argv is None else argv
    if words[:1] == ["lab"]:  # its options are JupyterLab's
        from regionbook.cli.work import lab

        return lab(words[1:])
    args = vars(parser().parse_args(words))
    command = args.pop("command")
    if command in LECTURERS and not (ROOT / "solutions").is_dir():
        print(STUDENTS_COPY.format(command), file=sys.stderr)
        return 1
    module, _, function = {
        "sync": "lessons.sync",
        "run": "lessons.run",
        "data": "teaching.data",
        "scorecard": "score.scorecard",
        "bench": "teaching.bench",
        "doctor": "doctor.main",
        "load": "load.main",
        "grade": "grading.main",
        "keys": "handout.keys",
        "handout": "handout.handout",
        "report": "course.report",
        "nbgrader": "course.nbgrader",
        "site": "site.site",
    }[command].partition(".")
    try:
        return int(bool(getattr(importlib.import_module(f"regionbook.cli.{module}"), function)(**args)))
    except KeyboardInterrupt:
        print("\nStopped.", file=sys.stderr)
        return 130
    except Exception as error:
        if type(error).__name__ in ("LessonError", "FileNotFoundError"):  # said in words already
            print(error, file=sys.stderr)
            return 1
        raise


if __name__ == "__main__":
    sys.exit(main())
