"""A real JupyterHub with the settings of ``deploy/``: two students' servers, a sheet handed out and in by nbgrader's exchange.

Of the settings only who logs in and where things lie are others: mei and li have no accounts on this machine, their
servers run as whoever tests. Needs the packages of ``deploy/requirements.lock`` (``python3 workbook.py hub --version``).
"""

from __future__ import annotations

import asyncio
import hashlib
import importlib.util
import json
import os
import runpy
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import nbformat
import psutil
import pytest
from tornado.httpclient import HTTPRequest
from tornado.websocket import websocket_connect
from traitlets.config import Config

from regionbook.cli import __main__ as cli
from regionbook.paths import ROOT

pytestmark = [
    pytest.mark.lessons,
    pytest.mark.skipif(os.name == "nt", reason="neither JupyterHub nor nbgrader's exchange runs on Windows"),
    pytest.mark.skipif(
        not all(map(importlib.util.find_spec, ("jupyterhub", "configurable_http_proxy"))),
        reason="the hub's packages are not here: python3 workbook.py hub --version",
    ),
]
NAME = "00-start-2-reading-a-paper"
TOKEN = "made-up-for-a-test"
OTHERWISE = """
load_subconfig({config!r})
c.JupyterHub.authenticator_class, c.JupyterHub.spawner_class = "dummy", "simple"
c.SimpleLocalProcessSpawner.home_dir_template = {home!r} + "/{{username}}"
c.Spawner.args = ["--allow-root"]
c.Spawner.environment["JUPYTER_CONFIG_PATH"] += {more!r}
c.JupyterHub.bind_url, c.JupyterHub.hub_port = "http://127.0.0.1:{ports[0]}", {ports[1]}
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{ports[2]}"
c.JupyterHub.services = [{{"name": "test", "api_token": {token!r}}}]
scopes = ["admin:users", "admin:servers", "tokens"]
c.JupyterHub.load_roles = [{{"name": "test", "services": ["test"], "scopes": scopes}}]
"""
NAMED = "import os\nget_config().CourseDirectory.student_id = os.environ['JUPYTERHUB_USER']\n"
"""nbgrader takes a student's name from the account."""


def until(true: Callable[[], Any], seconds: float = 120) -> Any:
    """What comes once it is true; an error if it does not become so in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if found := true():
                return found
        except OSError:
            pass
        time.sleep(0.2)
    raise TimeoutError(f"not so within {seconds} s")


def free_ports(n: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(n)]
    found = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return found


def contents(folder: Path) -> dict[str, str]:
    files = sorted(p for p in folder.rglob("*") if p.is_file() and p.suffix != ".pyc")
    return {p.relative_to(folder).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


class Hub:
    """A running hub; below ``place`` are the workbook (``book``), ``home``, ``course`` and ``exchange``."""

    def __init__(self, place: Path) -> None:
        self.place, self.before = place, contents(place / "book")
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        self.env = os.environ | {"PATH": path, "REGIONBOOK_EXCHANGE": str(place / "exchange")}
        ports = free_ports(3)
        self.url = f"http://127.0.0.1:{ports[0]}"
        config = str(place / "book" / "deploy" / "jupyterhub_config.py")
        text = OTHERWISE.format(
            ports=ports, config=config, home=str(place / "home"), token=TOKEN,
            more=f"{os.pathsep}{place / 'more'}",
        )  # fmt: skip
        (place / "more").mkdir()
        (place / "more" / "nbgrader_config.py").write_text(NAMED)
        (place / "otherwise.py").write_text(text, encoding="utf-8")
        line = [sys.executable, "-m", "jupyterhub", "-f", "otherwise.py"]
        with (place / "hub.log").open("wb") as log:
            self.process = subprocess.Popen(line, cwd=place, env=self.env, stdout=log, stderr=log)

    def ask(self, path: str, body: Any = None, method: str = "", token: str = TOKEN) -> Any:
        """The reply to a request, as JSON; an HTTPError if it is refused."""
        data = None if body is None else json.dumps(body).encode()
        head = {"Authorization": f"token {token}", "Content-Type": "application/json"}
        method = method or ("GET" if body is None else "POST")
        request = urllib.request.Request(self.url + path, data, head, method=method)
        with urllib.request.urlopen(request, timeout=60) as reply:
            return json.loads(reply.read() or b"null")

    def start(self, *users: str) -> None:
        """Start their servers, side by side, and wait for them."""
        for user in users:
            self.ask(f"/hub/api/users/{user}/server", {})
        for user in users:
            until(lambda user=user: self.server(user).get("ready"))

    def token(self, user: str) -> str:
        """A token with the user's own rights."""
        return str(self.ask(f"/hub/api/users/{user}/tokens", {})["token"])

    def server(self, user: str) -> dict[str, Any]:
        return dict(self.ask(f"/hub/api/users/{user}")["servers"].get("", {}))

    def run(self, user: str, token: str, codes: list[str], folder: str) -> list[str]:
        """What a kernel of the user's server says to each cell: ``"ok"`` or the error."""
        kernel = self.ask(f"/user/{user}/api/kernels", {"path": folder}, token=token)["id"]
        address = f"ws{self.url[4:]}/user/{user}/api/kernels/{kernel}/channels"

        async def talk() -> list[str]:
            line = await websocket_connect(
                HTTPRequest(address, headers={"Authorization": f"token {token}"}), max_message_size=1 << 28
            )
            said = []
            for code in codes:
                head = {
                    "msg_id": f"m{len(said)}",
                    "msg_type": "execute_request",
                    "username": "",
                    "session": "s",
                }
                content = {"code": code, "silent": False}
                message = {"header": head, "parent_header": {}, "metadata": {}, "content": content}
                await line.write_message(json.dumps(message | {"channel": "shell"}))
                while True:
                    reply = json.loads(await asyncio.wait_for(line.read_message(), 60))
                    if (
                        reply["msg_type"] == "execute_reply"
                        and reply["parent_header"]["msg_id"] == head["msg_id"]
                    ):
                        break
                answer = reply["content"]
                said.append("ok" if answer["status"] == "ok" else f"{answer['ename']}: {answer['evalue']}")
            line.close()
            return said

        return asyncio.run(talk())

    def nbgrader(self, *words: str) -> str:
        """What a command of nbgrader says in the lecturer's course, with the settings that servers of the hub have."""
        env = self.env | {
            "JUPYTER_CONFIG_PATH": str(self.place / "book/deploy/server"),
            "PYTHONPATH": str(ROOT / "lib"),
        }
        line = [sys.executable, "-m", "nbgrader", *words]
        done = subprocess.run(
            line, cwd=self.place / "course", env=env, capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """A hub on a hand-out, with a sheet released; at the end nothing that it started is left."""
    place = tmp_path_factory.mktemp("hub")
    assert cli.main(["handout", "chapters/00-start/2-reading-a-paper", "--to", str(place / "book")]) == 0
    shutil.copytree(ROOT / "deploy", place / "book" / "deploy")
    assert cli.main(["nbgrader", "solutions/00-start/2-reading-a-paper", "--to", str(place / "course")]) == 0
    for name in ("home", "exchange"):
        (place / name).mkdir()
    (place / "exchange").chmod(0o1777)
    hub = Hub(place)
    try:
        until(lambda: hub.ask("/hub/api/")["version"])
        hub.ask("/hub/api/users", {"usernames": ["mei", "li"]})
        hub.start("mei", "li")
        hub.nbgrader("release_assignment", NAME)
        yield hub
    except BaseException:
        print((place / "hub.log").read_text(errors="replace")[-5000:])
        raise
    finally:
        started = psutil.Process(hub.process.pid).children(recursive=True)  # proxy, servers, kernels
        hub.process.terminate()
        hub.process.wait(60)
        left = psutil.wait_procs(started, timeout=20)[1]
        for process in left:
            process.kill()
    assert len(started) > 2 and not left


def test_a_sheet_goes_out_and_comes_back(hub: Hub) -> None:
    """Two servers; one student fetches, solves and hands in by the list of assignments, the lecturer collects."""
    mei = hub.token("mei")
    with pytest.raises(HTTPError, match="403"):
        hub.ask("/user/mei/api/contents", token=hub.token("li"))

    listed = hub.ask("/user/mei/assignments?course_id=regionbook", token=mei)
    assert [(one["assignment_id"], one["status"]) for one in listed["value"]] == [(NAME, "released")]
    order = {"course_id": "regionbook", "assignment_id": NAME}
    assert hub.ask("/user/mei/assignments/fetch", order, token=mei)["value"][0]["status"] == "fetched"
    path = f"/user/mei/api/contents/{NAME}/{NAME}.ipynb"
    sheet = nbformat.from_dict(hub.ask(path, token=mei)["content"])
    solution = nbformat.read(hub.place / "course" / "source" / NAME / f"{NAME}.ipynb", as_version=4)
    for cell, right in zip(sheet.cells, solution.cells, strict=True):
        if cell.metadata.get("nbgrader", {}).get("solution"):
            cell.source = right.source.replace("### BEGIN SOLUTION", "").replace("### END SOLUTION", "")
    codes = [cell.source for cell in sheet.cells if cell.cell_type == "code"]
    assert set(hub.run("mei", mei, codes, f"{NAME}/{NAME}.ipynb")) == {"ok"}
    hub.ask(path, {"type": "notebook", "content": sheet}, "PUT", mei)
    done = hub.ask("/user/mei/assignments/submit", order, token=mei)
    assert done["success"] and done["value"][-1]["status"] == "submitted"

    hub.nbgrader("collect", NAME)
    collected = hub.place / "course" / "submitted"
    assert [folder.name for folder in collected.iterdir()] == ["mei"]
    handed_in = nbformat.read(collected / "mei" / NAME / f"{NAME}.ipynb", as_version=4)
    assert [cell.source for cell in handed_in.cells] == [cell.source for cell in sheet.cells]
    assert contents(hub.place / "book") == hub.before, "a student's server wrote into what all share"


def test_a_folder_is_filled_and_ones_own_work_stays(hub: Hub) -> None:
    """The second start renews nothing that the student changed."""
    lesson = "chapters/00-start/2-reading-a-paper.ipynb"
    mine, original = hub.place / "home" / "li" / "regionbook" / lesson, hub.place / "book" / lesson
    assert mine.read_bytes() == original.read_bytes()
    work = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("my own words")])
    hub.ask(f"/user/li/api/contents/{lesson}", {"type": "notebook", "content": work}, "PUT", hub.token("li"))
    written = mine.read_bytes()
    assert b"my own words" in written
    hub.ask("/hub/api/users/li/server", method="DELETE")
    until(lambda: not hub.server("li"))
    hub.start("li")
    assert mine.read_bytes() == written != original.read_bytes()


def test_solutions_are_not_served() -> None:
    """The settings refuse a folder that holds solutions."""
    with pytest.raises(SystemExit, match="serve a hand-out"):
        runpy.run_path(str(ROOT / "deploy/jupyterhub_config.py"), {"get_config": Config})
