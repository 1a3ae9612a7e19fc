"""A JupyterHub for a class: one environment and one workbook, which all read, and a folder of their own for each student.

This folder lies in a hand-out (`workbook.py handout`); README.md beside this file says how to get there. What an
administrator decides is marked DECIDE. All other settings of JupyterHub are at their defaults.
"""

import os
import sys
from pathlib import Path

c = get_config()  # noqa: F821 (JupyterHub hands it in)
BOOK = Path(__file__).resolve().parents[1]
if (BOOK / "solutions").exists():
    sys.exit(
        f"{BOOK} holds solutions, which students of this hub could read: serve a hand-out, see README.md"
    )

# DECIDE: where students reach the hub. Give it a certificate, or let a web server in front of it speak HTTPS.
c.JupyterHub.bind_url = "http://127.0.0.1:8000"
# c.JupyterHub.ssl_cert, c.JupyterHub.ssl_key = "/etc/ssl/hub.crt", "/etc/ssl/hub.key"

# DECIDE: who may come in. By default everybody who has an account on this machine, with its password.
c.Authenticator.allow_all = True
c.Authenticator.admin_users = set()

# DECIDE: where sheets are handed out and in. All must be able to write there (mode 1777), nobody else's work is readable.
EXCHANGE = os.environ.get("REGIONBOOK_EXCHANGE", "/srv/nbgrader/exchange")

# Each server runs as its student, in this environment. The workbook and the environment belong to root: to read only.
c.Spawner.cmd = [sys.executable, "-P", "-m", "jupyterhub.singleuser"]
c.Spawner.default_url = "/lab/tree/chapters/00-start/1-how-to-use.ipynb"
c.Spawner.environment = {
    "PYTHONPATH": str(BOOK / "lib"),
    "PYTHONUTF8": "1",
    "OMP_NUM_THREADS": "1",  # else each kernel takes all processors
    "JUPYTER_PREFER_ENV_PATH": "1",
    "JUPYTER_CONFIG_PATH": f"{BOOK / 'deploy' / 'server'}{os.pathsep}{BOOK / 'lib/regionbook/cli/jupyter'}",
    "REGIONBOOK_EXCHANGE": EXCHANGE,
}  # fmt: skip
c.Spawner.start_timeout = 120  # eighty who start at once

# DECIDE: memory. A server and a usual lesson take 0.5 GB, knowledge flows up to 1.7 GB. Only some spawners enforce a
# limit: SystemdSpawner on one machine, containers; the default only tells the student's server.
c.Spawner.mem_limit = "2G"
# c.JupyterHub.spawner_class = "systemd"  # after: pip install jupyterhub-systemdspawner
c.JupyterHub.active_server_limit = 100  # servers at a time; those beyond are told to wait
