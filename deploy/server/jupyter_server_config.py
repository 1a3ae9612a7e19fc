"""A student's server: runs as the student, fills the student's folder, and shows nbgrader's list of assignments."""

import os
from pathlib import Path

from regionbook.cli.work import copies

c = get_config()  # noqa: F821 (Jupyter hands it in)
folder = Path.home() / "regionbook"
copies(folder)  # new and unchanged files follow the workbook, a student's own work stays
os.chdir(folder)  # sheets are fetched into it
c.ServerApp.root_dir = str(folder)
c.ServerApp.contents_manager_class = "regionbook.cli.work.Contents"
c.Contents.checkpoints_class = "regionbook.cli.work.Originals"
c.MappingKernelManager.cull_idle_timeout = 3600  # seconds until an idle kernel gives its memory back
c.ServerApp.shutdown_no_activity_timeout = 7200  # and a server
