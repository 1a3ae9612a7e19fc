#!/usr/bin/env python3
"""The workbook's one entry point: sets itself up, then does what you ask.

    python3 workbook.py lab               open JupyterLab on the start page (in copies: my-work/)
    python3 workbook.py test              run every test
    python3 workbook.py run SLUG ...      execute lessons without JupyterLab
    python3 workbook.py sync [NAME ...]   text -> notebooks -> exercises
    python3 workbook.py data              regenerate the teaching data
    python3 workbook.py scorecard [--json]  every printed number: ours, printed, verdict
    python3 workbook.py load                words, code, figures, minutes of each lesson beside the limits
    python3 workbook.py bench             speed against peers
    python3 workbook.py doctor            what is missing here, and how to mend it
    python3 workbook.py grade FILE ...    grade handed-in notebooks
    python3 workbook.py report RESULTS      class results: tables, page, feedback, files for Moodle and Canvas
    python3 workbook.py handout --to FOLDER   what students get: no solutions, no history
    python3 workbook.py keys STUDENTS.csv   keys to students' own panels, to hand out
    python3 workbook.py nbgrader --to FOLDER  a course folder for nbgrader
    python3 workbook.py site [--open]     lessons, sheets, papers, library and slides as a static site
    python3 workbook.py hub                 a JupyterHub for a class, see deploy/README.md

The first of them makes the folder .venv and installs the packages of requirements.lock into it (about 1.5 GB, a few
minutes); later ones start at once. Options after the command are passed on: `lab --no-browser --port 9999`,
`test -k index`. Nothing outside this folder is changed; delete .venv to start afresh.
"""

# Only the standard library, and only what old Pythons can read too: they are told which one is needed.
import os
import sys

ROOT = os.path.dirname(os.path.abspath(__file__))
if __name__ == "__main__":  # a random.py beside this file must not stand in for Python's own
    sys.path[:] = [place for place in sys.path if os.path.abspath(place or ".") != ROOT]

import ast  # noqa: E402
import contextlib  # noqa: E402
import errno  # noqa: E402
import hashlib  # noqa: E402
import json  # noqa: E402
import platform  # noqa: E402
import re  # noqa: E402
import shutil  # noqa: E402
import subprocess  # noqa: E402
import tempfile  # noqa: E402
import threading  # noqa: E402
import time  # noqa: E402

VENV = os.path.join(ROOT, ".venv")
OLD = os.path.join(ROOT, ".venv.old")  # a finished one that does not start here, until the new one is whole
STAMP = os.path.join(VENV, "regionbook-stamp.json")
LOG = os.path.join(VENV, "setup.log")
LOCK = os.path.join(ROOT, "requirements.lock")
FURTHER = {
    "site": os.path.join(ROOT, "site", "requirements.lock"),
    "hub": os.path.join(ROOT, "deploy", "requirements.lock"),
}  # what a command needs beside the rest
OLDEST, NEWEST = (3, 11), (3, 14)
CHECKED = (3, 13)  # the newest that the checks have run on
NEEDS_GB = 2.0  # while installing; 1.5 GB stay
WAYS = {
    "index-url", "extra-index-url", "trusted-host", "find-links", "no-index", "cert", "client-cert", "proxy", "timeout",
    "default-timeout", "retries", "cache-dir", "no-cache-dir", "keyring-provider", "use-feature", "use-deprecated",
}  # what of a user's pip settings is about the way to an index  # fmt: skip
HARMLESS = {"config-file", "no-input", "disable-pip-version-check", "progress-bar"}
COMMANDS = (
    "lab", "test", "run", "sync", "data", "scorecard", "load", "bench", "doctor", "grade", "keys", "handout", "report", "nbgrader", "site", "hub",
)  # fmt: skip
FROM_HERE = (
    "grade",
    "keys",
    "handout",
    "report",
    "nbgrader",
    "site",
    "hub",
)  # files are named from where the user stands


class Trouble(Exception):
    """Something the user can mend, said in plain words."""


def say(text, end="\n"):
    """Progress goes to stderr, so that stdout is the command's own."""
    sys.stderr.write(text + end)
    sys.stderr.flush()


# ----------------------------------------------------------------------------------------------- what may go wrong


def check_python(version=None):
    version = tuple(version or sys.version_info[:3])
    if OLDEST <= version[:2] <= NEWEST:
        if version[:2] > CHECKED and not os.path.exists(STAMP):
            say(
                "Python {}.{}: every package has a wheel for it, but the checks ran on 3.11 to 3.13 only.".format(
                    *version
                )
            )
        return
    names = (
        ["py -3.13", "py -3.12", "py -3.11"]
        if os.name == "nt"
        else ["python3.13", "python3.12", "python3.11"]
    )
    found = [n for n in names if works(n)]
    mend = (
        "Run: {} workbook.py ...".format(found[0]) if found else "Install one from python.org or your system."
    )
    raise Trouble(
        "The workbook needs Python 3.11, 3.12, 3.13 or 3.14; this is Python {} ({}).\n{}".format(
            ".".join(map(str, version)), sys.executable, mend
        )
    )


def works(python):
    """Whether that Python is there and starts."""
    command = python.split()
    if not shutil.which(command[0]):
        return False
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    return subprocess.call(command + ["-c", ""], **quiet) == 0


def check_space(free=None):
    free = shutil.disk_usage(ROOT).free / 1e9 if free is None else free
    if free < NEEDS_GB:
        raise Trouble(
            "Setting up needs {:.1f} GB of disk space; {:.1f} GB are free here ({}).\n"
            "Free some space, or move this folder to another disk, and run the same again.".format(
                NEEDS_GB, free, ROOT
            )
        )


def machine():
    """System, processor and word length, which decide whether a package has a build."""
    return "{} {}, {} bit".format(platform.system(), platform.machine(), 64 if sys.maxsize > 2**32 else 32)


def check_names():
    """Say which files beside this one are named like modules of Python: tests and lessons could meet them."""
    known = getattr(sys, "stdlib_module_names", ())
    found = sorted(n for n in os.listdir(ROOT) if n.endswith(".py") and n[:-3] in known)
    if found:
        say(
            "Note: in this folder {} named like modules of Python and may be taken for them: give other names, or move\n"
            "them into a folder of their own.".format(
                " and ".join(found) + (" is" if len(found) == 1 else " are")
            )
        )


def explain(output, step):
    """Turn the last words of a failed step into a sentence with its mend."""
    low = output.lower()

    def any_of(*words):
        return any(w in low for w in words)

    if any_of("no space left", "errno 28", "winerror 112", "disk quota", "not enough space"):
        return "The disk is full. Free {:.1f} GB and run the same again.".format(NEEDS_GB)
    if any_of("ensurepip", "no module named venv"):
        return (
            "This Python cannot make environments: its venv module is incomplete.\n"
            "On Debian and Ubuntu: sudo apt install python3-venv (or python{}.{}-venv); elsewhere install Python from\n"
            "python.org. Then run the same again."
        ).format(*sys.version_info[:2])
    if any_of(
        "ssl module in python is not available", "ssl module is not available", "no module named '_ssl'"
    ):
        return (
            "This Python cannot make safe connections: its ssl module does not load ({}).\n"
            "If it is conda's, open the Anaconda prompt or run `conda activate` first; else use Python from python.org.\n"
            "Then run the same again.".format(sys.executable)
        )
    if any_of("certificate_verify", "sslerror", "ssl:"):
        return (
            "The package index could not be reached safely (certificate). If your network has its own certificate,\n"
            "name its file in the environment variable PIP_CERT, then run the same again."
        )
    if any_of(
        "failed to establish a new connection", "name resolution", "max retries", "connecttimeout", "read timed out",
        "connection refused", "connection broken", "connection reset", "network is unreachable", "proxyerror",
        "getaddrinfo failed", "connection aborted", "nodename nor servname", "temporary failure", "remotedisconnected",
        "incompleteread",
    ):  # fmt: skip
        return (
            "The package index cannot be reached: is there a network connection? Behind a proxy, set HTTPS_PROXY;\n"
            "far from the index, name a mirror near you: set PIP_INDEX_URL to its address. Then run the same again."
        )
    if any_of("long path", "winerror 206"):
        return (
            "Windows refuses file names this long. Move this folder nearer to the drive's root (such as C:\\regionbook)\n"
            "or enable long paths in Windows, and run the same again."
        )
    if any_of(
        "permission denied", "errno 13", "winerror 5", "access is denied", "read-only file system", "errno 30"
    ):
        return (
            "Files in {} cannot be written. Close programs that use them, or copy this folder to a place\n"
            "that is yours, and run the same again.".format(ROOT)
        )
    missing = re.search(r"no matching distribution found for (\S+)", low)
    if missing and any_of("from versions: none"):
        return (
            "The package index gave nothing for {}: either it cannot be reached (is there a network connection?\n"
            "behind a proxy, set HTTPS_PROXY; with a mirror, check PIP_INDEX_URL), or it has no build for this machine\n"
            "({}, Python {}.{}); then use conda: conda env create -f environment.yml.".format(
                missing.group(1), machine(), *sys.version_info[:2]
            )
        )
    if missing:
        return (
            "The package index has no {} for this Python and machine ({}, Python {}.{}).\n"
            "If PIP_INDEX_URL names a mirror, it may be out of date: name another. Else use Python 3.12 from python.org, or\n"
            "conda: conda env create -f environment.yml.".format(
                missing.group(1), machine(), *sys.version_info[:2]
            )
        )
    tail = "\n".join("    " + line for line in output.strip().splitlines()[-12:])
    return "{} failed; its last words:\n{}\nThe whole story is in {}.".format(step, tail, LOG)


# ------------------------------------------------------------------------------------------------------- set-up


def venv_python():
    return (
        os.path.join(VENV, "Scripts", "python.exe")
        if os.name == "nt"
        else os.path.join(VENV, "bin", "python")
    )


def wanted():
    """What the environment has to be made from; a stamp in it says what it was made from."""
    with open(LOCK, "rb") as file:
        return {
            "lock": hashlib.sha256(file.read().replace(b"\r\n", b"\n")).hexdigest(),
            "root": ROOT,
            "linked": True,
        }


def stamped():
    """The stamp of a finished environment, {} if there is none or its Python is gone or another."""
    try:
        with open(STAMP, encoding="utf-8") as file:
            stamp = json.load(file)
        return stamp if python_version() == stamp["python"] else {}
    except (OSError, ValueError, KeyError, TypeError, subprocess.CalledProcessError):
        return {}


def python_version():
    """Major and minor of the environment's Python, asked without what its folders hold (-S, -I)."""
    ask = [venv_python(), "-I", "-S", "-c", "import sys; print(*sys.version_info[:2])"]
    return subprocess.run(ask, stdout=subprocess.PIPE, check=True).stdout.decode().split()


def same_place(one, other):
    """Whether two spellings of a path (a link, another drive letter) are one folder."""
    try:
        return os.path.samefile(one, other)
    except OSError:
        return False


def ready():
    """Whether nothing is to be done."""
    want, have = wanted(), stamped()
    place = same_place(have.get("root", ""), ROOT)
    return place and all(have.get(k) == v for k, v in want.items() if k != "root")


def forget():
    if os.path.exists(STAMP):
        os.remove(STAMP)


def home():
    """The user's home folder, or a temporary one where it cannot be written (exam accounts, containers)."""
    own = os.path.expanduser("~")
    if os.path.isdir(own) and os.access(own, os.W_OK):
        return own
    user = os.getuid() if hasattr(os, "getuid") else os.environ.get("USERNAME", "user")
    made = os.path.join(tempfile.gettempdir(), "regionbook-home-{}".format(user))
    os.makedirs(made, mode=0o700, exist_ok=True)
    return made


def environment():
    """Environment variables of everything that runs in .venv."""
    env = dict(os.environ)
    for name in (
        "PYTHONHOME",
        "PYTHONPATH",
        "PYTHONIOENCODING",
        "PYTHONDONTWRITEBYTECODE",  # else each lesson compiles its libraries anew: 5 s
        "PIP_TARGET",
        "PIP_PREFIX",
        "PIP_REQUIRE_VIRTUALENV",
    ):
        env.pop(name, None)
    if home() != os.path.expanduser("~"):
        env.update(HOME=home(), USERPROFILE=home(), REGIONBOOK_NO_HOME=os.path.expanduser("~"))
    env.update(
        VIRTUAL_ENV=VENV,
        PATH=os.path.dirname(venv_python()) + os.pathsep + env.get("PATH", ""),
        PIP_USER="0",
        PYTHONUTF8="1",
        JUPYTER_PREFER_ENV_PATH="1",
    )
    return env


def pip_environment():
    """Environment variables of pip: of the user's settings only the way to an index; others install elsewhere."""
    ask = [venv_python(), "-m", "pip", "config", "list"]
    env = {k: v for k, v in environment().items() if not k.startswith("PIP_")}
    env.update({k: v for k, v in os.environ.items() if k.startswith("PIP_")})
    listed = subprocess.run(ask, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=env, cwd=VENV).stdout
    found = {}
    for line in listed.decode(
        "utf-8", "replace"
    ).splitlines():  # install.target='elsewhere'; later ones count more
        key, _, value = line.partition("=")
        with contextlib.suppress(ValueError, SyntaxError):
            found[key.rpartition(".")[2].replace("_", "-")] = str(ast.literal_eval(value))
    left = sorted(set(found) - WAYS - HARMLESS)
    if left:
        say("Your pip settings {} are not used here: everything goes into .venv.".format(", ".join(left)))
    env = {k: v for k, v in env.items() if not k.startswith("PIP_")}
    env.update({"PIP_" + k.upper().replace("-", "_"): v for k, v in found.items() if k in WAYS})
    env.update(PIP_CONFIG_FILE=os.devnull, PIP_DISABLE_PIP_VERSION_CHECK="1", PIP_NO_INPUT="1")
    return env


def call(command, step, watch=None, env=None):
    """Run a step of the set-up; every line goes to the log, and to ``watch``."""
    lines = []
    with open(LOG, "a", encoding="utf-8") as log:
        log.write("\n$ {}\n".format(" ".join(command)))
        process = subprocess.Popen(
            command, cwd=VENV, env=env or environment(), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        try:
            for raw in process.stdout:
                line = raw.decode("utf-8", "replace").rstrip()
                lines.append(line)
                log.write(line + "\n")
                if watch:
                    watch(line)
            code = process.wait()
        except BaseException:
            process.terminate()
            process.wait()
            raise
    if code:
        raise Trouble(explain("\n".join(lines), step))


class Counter:
    """Shows how far an installation is: packages fetched, then packages in place."""

    def __init__(self, total):
        self.total, self.fetched, self.start = total, 0, time.time()
        self.live, self.shown, self.installing, self.done = sys.stderr.isatty(), -1, False, False
        self.before = self.present()

    def present(self):
        folders = [d for d, _, _ in os.walk(VENV) if os.path.basename(d) == "site-packages"][:1]
        return sum(n.endswith(".dist-info") for n in os.listdir(folders[0])) if folders else 0

    def line(self, line):
        if line.startswith(("Collecting ", "Requirement already satisfied")):
            self.fetched += 1
            self.show("fetching", self.fetched, line.split()[1] if line.startswith("C") else "")
        elif line.startswith("Installing collected packages") and not self.installing:
            forget()  # from here on, an interruption leaves a half-made environment
            self.installing = True
            threading.Thread(target=self.poll, daemon=True).start()

    def poll(self):
        while not self.done:
            self.show("installing", min(self.present() - self.before, self.total), "")
            time.sleep(1)

    def show(self, what, n, name):
        seconds = time.time() - self.start
        text = "  {:10} {:3}/{}  {:4.0f} s  {}".format(what, max(n, 0), self.total, seconds, name)
        if self.live:
            say("\r\x1b[K" + text, end="")
        elif (what, 5 * n // max(self.total, 1)) != self.shown:
            self.shown = (what, 5 * n // max(self.total, 1))
            say(text)

    def close(self):
        self.done = True
        if self.live:
            say("\r\x1b[K", end="")


def make_venv():
    say("Making the environment .venv ...")
    try:
        import ensurepip  # noqa: F401  (Debian splits it off)
        import venv  # noqa: F401
    except ImportError as error:
        raise Trouble(explain("No module named ensurepip: {}".format(error), "venv")) from None
    try:
        if os.path.exists(STAMP):  # it was whole once: kept until the new one is
            remove(OLD)
            os.rename(VENV, OLD)
        remove(VENV)
        os.makedirs(VENV)
    except OSError as error:
        raise Trouble(explain(str(error), "Making .venv")) from None
    call([sys.executable, "-m", "venv", VENV], "Making .venv")


def remove(path):
    """Remove a folder, a file or a link; nothing if there is none."""
    if os.path.islink(path) or os.path.isfile(path):
        os.remove(path)
    elif os.path.isdir(path):
        shutil.rmtree(path)


def site_packages():
    """Folder of installed packages."""
    if os.name == "nt":
        return os.path.join(VENV, "Lib", "site-packages")
    return os.path.join(VENV, "lib", "python{}.{}".format(*python_version()), "site-packages")


def link_library():
    """Put lib/ on the environment's path: relative, so that moving the folder or its Chinese name does no harm."""
    site = site_packages()
    for name in os.listdir(site):  # of an editable installation, as older workbooks made it
        if re.match(r"(__editable__\W*regionbook|regionbook-.*\.dist-info$)", name):
            remove(os.path.join(site, name))
    lib = os.path.relpath(os.path.realpath(os.path.join(ROOT, "lib")), os.path.realpath(site))
    with open(os.path.join(site, "regionbook.pth"), "w", encoding="ascii") as file:
        file.write(lib.replace(os.sep, "/") + "\n")


def relocate(before):
    """After the folder was moved or copied: write its new place into the scripts of the environment (POSIX)."""
    folder, old, new = os.path.dirname(venv_python()), os.fsencode(before), os.fsencode(ROOT)
    for name in os.listdir(folder):
        path = os.path.join(folder, name)
        if os.path.islink(path) or not os.path.isfile(path) or os.path.getsize(path) > 1e5:
            continue
        with open(path, "rb") as file:
            text = file.read()
        if b"\0" in text or old not in text:
            continue
        first, _, rest = text.replace(old, new).partition(b"\n")
        if first.startswith(b"#!" + new) and (b" " in first or len(first) > 127):  # as pip writes such paths
            first = b"#!/bin/sh\n'''exec' \"" + first[2:] + b'" "$0" "$@"\n\' \'\'\''
        with open(path, "wb") as file:
            file.write(first + b"\n" + rest)


@contextlib.contextmanager
def alone():
    """Let one start at a time set up, the next one wait; the system takes the lock back when its holder ends."""
    with open(os.path.join(ROOT, ".venv.lock"), "a+") as file:
        told = False
        while not lock(file):
            if not told:
                say("Another start is setting up this folder; waiting for it ...")
            told = True
            time.sleep(0.5)
        yield


def lock(file):
    """Whether the file could be locked; True too where the file system knows no locks."""
    try:
        if os.name == "nt":
            import msvcrt

            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno not in (errno.EAGAIN, errno.EACCES, errno.EDEADLK)
    return True


def locked():
    """Lines of the lock that name a package."""
    with open(LOCK, encoding="utf-8") as file:
        return [line.split(" ;")[0].strip() for line in file if re.match(r"[A-Za-z0-9]", line)]


def install_packages():
    counter = Counter(len(locked()))
    say("Installing {} packages (this takes a few minutes, once) ...".format(counter.total))
    pip = [venv_python(), "-m", "pip", "install", "--no-compile", "--no-deps", "-r", LOCK]
    try:
        call(pip, "Installing packages", counter.line, pip_environment())
    finally:
        counter.close()


def remove_strays():
    """What an older lock had and this one has not."""
    listed = subprocess.run(
        [venv_python(), "-m", "pip", "list", "--format=json"],
        stdout=subprocess.PIPE,
        env=environment(),
        cwd=VENV,
        check=True,
    )

    def plain(name):
        return re.sub(r"[-_.]+", "-", name).lower()

    keep = {plain(line.split("==")[0]) for line in locked()} | {"pip"}
    strays = [p["name"] for p in json.loads(listed.stdout.decode()) if plain(p["name"]) not in keep]
    if strays:
        call([venv_python(), "-m", "pip", "uninstall", "--yes"] + strays, "Removing packages")


def set_up():
    """Make or mend .venv if the lock or the folder changed; do nothing in a finished one."""
    if ready():
        return
    with alone():
        if ready():  # the start that we waited for did it
            return
        try:
            build()
        except BaseException:
            if os.path.exists(OLD) and not os.path.exists(STAMP):
                remove(VENV)
                os.rename(OLD, VENV)
            raise
        remove(OLD)


def set_up_further(command):
    """Install what only this command needs, the first time and whenever a lock has changed."""
    wants = {"lock": wanted()["lock"]}
    if command == "hub" and os.name == "nt":
        raise Trouble("JupyterHub runs on Linux and macOS; on Windows take WSL (Linux).")
    if not os.path.exists(FURTHER[command]):
        raise Trouble("There is no {}: copy that folder from the whole workbook.".format(FURTHER[command]))
    with open(FURTHER[command], "rb") as file:
        wants[command] = hashlib.sha256(file.read().replace(b"\r\n", b"\n")).hexdigest()
    stamp = os.path.join(VENV, "regionbook-{}.json".format(command))
    with contextlib.suppress(OSError, ValueError), open(stamp, encoding="utf-8") as file:
        if json.load(file) == wants:
            return
    say("Installing the packages of the {} (half a minute, once) ...".format(command))
    with alone():
        pip = [venv_python(), "-m", "pip", "install", "--no-compile", "--no-deps", "-r", FURTHER[command]]
        call(pip, "Installing the {}'s packages".format(command), env=pip_environment())
        with open(stamp, "w", encoding="utf-8") as file:
            json.dump(wants, file)


def build():
    start, want, have = time.time(), wanted(), stamped()
    if have and os.path.islink(VENV) and not same_place(have["root"], ROOT):
        raise Trouble(
            "{} is a link to {}, the environment of {}.\n"
            "Nothing was changed there. Remove the link (not what it leads to) and run the same again: this folder then gets\n"
            "an environment of its own.".format(VENV, os.path.realpath(VENV), have["root"])
        )
    if not have:
        if os.path.isdir(VENV):
            say("The environment .venv is unfinished, or its Python is gone; it is made afresh.")
        check_space()
        make_venv()
    elif have.get("lock") != want["lock"]:
        say("The list of packages changed.")
    if have.get("lock") != want["lock"]:
        install_packages()
        if have:
            remove_strays()
    if have and not same_place(have["root"], ROOT):
        say("This folder was moved or copied; its environment comes along.")
        relocate(have["root"])
    try:
        link_library()
        want["python"] = python_version()
        with open(STAMP + ".part", "w", encoding="utf-8") as file:
            json.dump(want, file)
        os.replace(STAMP + ".part", STAMP)  # last: an environment with a stamp is whole
    except OSError as error:
        raise Trouble(explain(str(error), "Finishing .venv")) from None
    say("Ready after {:.0f} s.".format(time.time() - start))


# ----------------------------------------------------------------------------------------------------- commands


def command_line(command, rest):
    """The process that does ``command`` in .venv, and its environment."""
    python, env = venv_python(), environment()
    if command == "lab":
        config = os.path.join(ROOT, "lib", "regionbook", "cli", "jupyter")
        env["JUPYTER_CONFIG_PATH"] = os.pathsep.join(filter(None, [config, env.get("JUPYTER_CONFIG_PATH")]))
    if command == "hub":
        config = os.path.join(ROOT, "deploy", "jupyterhub_config.py")
        return [python, "-P", "-m", "jupyterhub", "--config", config] + rest, env
    if command == "test":
        if not os.path.isdir(os.path.join(ROOT, "tests")):
            raise Trouble("This is a student's copy of the workbook: the tests are in the whole repository.")
        return [python, "-P", "-m", "pytest"] + rest, env
    return [python, "-P", "-m", "regionbook.cli", command] + rest, env


def hand_over(line, env, folder):
    """Become that process (POSIX), or wait for it (Windows)."""
    sys.stdout.flush()
    sys.stderr.flush()
    if os.name != "nt":
        os.chdir(folder)
        os.execve(line[0], line, env)
    process = subprocess.Popen(line, env=env, cwd=folder)
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:  # the process got it too and ends by itself
            pass


def main(argv):
    if not argv or argv[0] in ("-h", "--help", "help"):
        print(__doc__.strip())
        return 0
    if argv[0] not in COMMANDS:
        say("There is no command {!r}; there are: {}.".format(argv[0], ", ".join(COMMANDS)))
        return 2
    try:
        check_python()
        check_names()
        set_up()
        if argv[0] in FURTHER:
            set_up_further(argv[0])
        line, env = command_line(argv[0], argv[1:])
        # lessons, tests and JupyterLab belong to the project
        return hand_over(line, env, os.getcwd() if argv[0] in FROM_HERE else ROOT)
    except Trouble as trouble:
        say("\n" + str(trouble))
        return 1
    except OSError as error:
        say("\n" + explain(str(error), "Setting up"))
        return 1
    except KeyboardInterrupt:
        say("\nStopped. The same command goes on where it was.")
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
