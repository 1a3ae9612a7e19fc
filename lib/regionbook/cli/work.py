"""Command ``lab``: JupyterLab on copies of the lessons, so that nothing a student does touches a source.

Students work in ``my-work/`` (``REGIONBOOK_WORK`` names another folder), which git does not see: copies of lessons and sheets, renewed as long as they are unchanged;
"File > Revert Notebook to Checkpoint" brings the original back. ``lab --sources`` opens the project itself, where a
notebook and its text are saved together, for authors.
"""

import hashlib
import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

from jupyter_server.services.contents.filecheckpoints import FileCheckpoints
from jupyter_server.services.contents.largefilemanager import LargeFileManager
from jupytext import build_sync_jupytext_contents_manager_class
from tornado.web import HTTPError

from regionbook.cli import notebooks as nbs
from regionbook.paths import ROOT
from regionbook.widgets import WIDGET

START = "chapters/00-start/1-how-to-use.ipynb"
COPIED = ["chapters/*/*.ipynb", "chapters/*.md", "chapters/*.png", "exercises/*/*.ipynb"]
COPIED += ["README.md", "data/README.md"]
RECORD = ".originals.json"


def work_folder() -> Path:
    """Where a student's copies are."""
    return Path(os.environ.get("REGIONBOOK_WORK") or ROOT / "my-work").absolute()


def copies(folder: Path, root: Path = ROOT) -> dict[str, list[str]]:
    """Bring a folder of copies up to date; what was ``new``, ``renewed``, and ``kept`` since it was changed there.

    A copy that is as it was made follows its original; one that was changed stays, whatever becomes of the original.
    """
    folder.mkdir(parents=True, exist_ok=True)
    record = folder / RECORD
    made = json.loads(record.read_text(encoding="utf-8")) if record.exists() else {}
    done: dict[str, list[str]] = {"new": [], "renewed": [], "kept": []}
    for original in sorted(file for pattern in COPIED for file in root.glob(pattern)):
        name = original.relative_to(root).as_posix()
        copy, now = folder / name, _digest(original)
        if not copy.exists():
            kind = "new"
        elif made.get(name) == now or _digest(copy) == now:
            made[name] = now
            continue
        else:
            kind = "renewed" if made.get(name) == _digest(copy) else "kept"
        done[kind].append(name)
        if kind == "kept":
            continue
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(original, copy)
        made[name] = now
    part = folder / f"{RECORD}.part"
    part.write_text(json.dumps(made, indent=1), encoding="utf-8")
    part.replace(record)
    return done


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


class Originals(FileCheckpoints):
    """Checkpoint of a copied lesson is its original; other files have the usual ones."""

    def _original(self, path: str) -> Path | None:
        file = ROOT / path.strip("/")
        return file if any(file.match(f"{ROOT.as_posix()}/{p}") for p in COPIED) and file.is_file() else None

    def create_checkpoint(self, contents_mgr: Any, path: str) -> Any:
        """Nothing is to be kept of a copied lesson: its original stands."""
        original = self._original(path)
        if original:
            return self.checkpoint_model("original", str(original))
        return super().create_checkpoint(contents_mgr, path)

    def restore_checkpoint(self, contents_mgr: Any, checkpoint_id: str, path: str) -> None:
        """Put the original in place of the copy."""
        original = self._original(path)
        if original:
            shutil.copyfile(original, contents_mgr._get_os_path(path.strip("/")))
        else:
            super().restore_checkpoint(contents_mgr, checkpoint_id, path)

    def list_checkpoints(self, path: str) -> Any:
        """The original, or the usual checkpoint."""
        original = self._original(path)
        if original:
            return [self.checkpoint_model("original", str(original))]
        return super().list_checkpoints(path)

    def rename_checkpoint(self, checkpoint_id: str, old_path: str, new_path: str) -> None:
        """An original stays where it is."""
        if checkpoint_id != "original":
            super().rename_checkpoint(checkpoint_id, old_path, new_path)

    def delete_checkpoint(self, checkpoint_id: str, path: str) -> None:
        """An original stays."""
        if checkpoint_id != "original":
            super().delete_checkpoint(checkpoint_id, path)


class Contents(build_sync_jupytext_contents_manager_class(LargeFileManager)):  # type: ignore[misc]
    """Opens no notebook that disagrees with its text, and shows the still pictures of sliders without a kernel."""

    def get(self, path: str, content: bool = True, **options: Any) -> Any:
        """Model of a file; error 409 for a source that was edited in two forms."""
        md = Path(self._get_os_path(path.strip("/"))).with_suffix(".md")
        paired = content and path.endswith((".ipynb", ".md"))
        if paired and (trouble := nbs.two_versions(md)):
            raise HTTPError(409, trouble)
        model = super().get(path, content=content, **options)
        if content and model["type"] == "notebook":
            for cell in model["content"]["cells"]:
                for out in cell.get("outputs", []):
                    if len(out.get("data", {}).keys() - {"text/plain"}) > 1:
                        out["data"].pop(WIDGET, None)  # of a kernel that has gone
        return model


def lab(rest: list[str]) -> int:
    """Start JupyterLab, on the copies or with ``--sources`` on the project."""
    from jupyterlab.labapp import main

    sources = "--sources" in rest
    folder = ROOT if sources else work_folder()
    if not sources:
        try:
            done = copies(folder)
        except OSError as error:
            print(
                f"Your copies cannot be written to {folder} ({error.strerror or error}): free some space, or name a "
                "folder of yours in the environment variable REGIONBOOK_WORK.",
                file=sys.stderr,
            )
            return 1
        if done["kept"]:
            print(
                f"{len(done['kept'])} files that you changed in {folder} have a newer original: "
                f"{', '.join(done['kept'][:3])}{' ...' if len(done['kept']) > 3 else ''}\n"
                "(File > Revert Notebook to Checkpoint brings it in place of yours.)",
                file=sys.stderr,
            )
    manager = "--ServerApp.contents_manager_class=regionbook.cli.work.Contents"
    line = [f"--ServerApp.root_dir={folder}", manager]
    if not sources:
        line.append("--Contents.checkpoints_class=regionbook.cli.work.Originals")
    if (folder / START).exists():
        line.append(f"--LabApp.default_url=/lab/tree/{START}")
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        line.append("--allow-root")  # as in a container; else JupyterLab refuses
    sys.argv = ["jupyter-lab", *line, *(word for word in rest if word != "--sources")]
    os.chdir(folder)
    return int(main() or 0)
