"""What a lecturer was sent: notebooks, folders of them, and zip files as learning platforms deliver them.

A zip file is never unpacked: its notebooks are read in memory, with limits, so that nothing in it can be written anywhere.
"""

import io
import re
import stat
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from regionbook.grading.sheets import LARGEST, Unreadable

MANY, TOGETHER, DEEP = 20_000, 8 << 30, 3
"""Files in an archive; bytes of all its notebooks; archives inside archives."""
SKIPPED = {".ipynb_checkpoints", "__MACOSX", ".git"}
PLATFORM = re.compile(
    r"(?P<moodle>.+?)_\d+_assignsubmission_\w*?_|(?P<canvas>[^_]+?)(?:_LATE)?_\d+_\d+_|(?P<number>\d{5,})[-_ ].*"
)
"""How Moodle and Canvas begin the name of a file, and how 学习通 and 雨课堂 do: with the student's number."""
BROKEN = (zipfile.BadZipFile, OSError, RuntimeError, NotImplementedError, EOFError, Unreadable)
"""What a zip file, or a file, may raise that cannot be read."""


class NothingThere(Exception):
    """What was named is not there, or holds no notebook, in words for the lecturer."""


@dataclass(frozen=True)
class Handed:
    """A file that was handed in.

    ``file`` names it as it was delivered, ``folder`` who delivered it as far as that tells; ``refused`` says why it is
    not read, if it is not. Its ``content`` is there once it is `loaded` from ``place``, where ``inside`` are the members
    of archives that lead to it.
    """

    file: str
    content: bytes = b""
    folder: str = ""
    refused: str = ""
    place: Path = Path()
    inside: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    """Folders and name below what was named on the command line."""

    def loaded(self) -> "Handed":
        """The file with its content, or with why it cannot be read."""
        if self.refused or self.content:
            return self
        try:
            source: Path | io.BytesIO = self.place
            for name in self.inside:
                with zipfile.ZipFile(source) as archive:
                    source = io.BytesIO(_member(archive, archive.getinfo(name)))
            if isinstance(source, Path) and source.stat().st_size > LARGEST:
                raise Unreadable(f"it has more than {LARGEST >> 20} MB: clear the outputs and hand in again")
            content = source.read_bytes() if isinstance(source, Path) else source.getvalue()
            return replace(self, content=content)
        except BROKEN as error:
            return replace(self, refused=f"it cannot be read: {getattr(error, 'strerror', None) or error}")


def handed(files: list[str]) -> list[Handed]:
    """The notebooks that ``files`` name, not read yet; a folder or a zip file means all below it.

    A `NothingThere` error if a file is not there or no notebook, folder or zip file, or there is no notebook at all.
    """
    found: list[Handed] = []
    for name in files:
        path = Path(name)
        kind = path.suffix.lower()
        if path.is_dir():
            here = list(_in_folder(path))
        elif path.is_file() and kind in (".ipynb", ".zip"):
            one = Handed("", place=path)
            here = list(_in_zip(path, one)) if kind == ".zip" else [one]
        else:
            archive = path.exists() and kind in (".rar", ".7z", ".gz", ".tar", ".tgz")
            kinds = "not a notebook (.ipynb), a zip file or a folder"
            what = kinds if path.exists() else f"not in {Path.cwd()}"
            raise NothingThere(f"{name}: {'unpack it first' if archive else what}")
        folders = [h.parts[:-1] for h in here]
        cut = 0  # folders that stand above all files, before those that tell one from another
        while here and all(len(f) > cut + 1 for f in folders) and len({f[cut] for f in folders}) == 1:
            cut += 1
        for h in here:
            label = _label(h.parts[cut:-1], h.parts[-1] if h.parts else path.name)
            found.append(replace(h, file="/".join([path.name or ".", *h.parts]), folder=label))
    if not found:
        raise NothingThere(f"no notebooks in {', '.join(files)}")
    if len({h.file for h in found}) < len(found):  # two folders of one name
        found = [replace(h, file="/".join([h.place.parent.as_posix(), h.file])) for h in found]
    return found


def _label(folders: tuple[str, ...], name: str) -> str:
    """Who delivered: the first folder that differs between students, without a platform's marks, or the file's prefix."""
    said = PLATFORM.match(f"{folders[0]}_" if folders else name)
    if said and said["number"]:
        return folders[0] if folders else Path(name).stem
    return (said and (said["moodle"] or said["canvas"])) or (folders[0] if folders else "")


def _in_folder(folder: Path) -> Iterator[Handed]:
    for path in sorted(folder.rglob("*")):
        parts, kind = path.relative_to(folder).parts, path.suffix.lower()
        skipped = SKIPPED & set(parts) or parts[-1].startswith("._") or path.is_dir()
        if skipped or kind not in (".ipynb", ".zip"):
            continue
        one = Handed("", place=path, parts=parts)
        if path.is_symlink():
            yield replace(one, refused="it is a link to another file")
        elif kind == ".zip":
            yield from _in_zip(path, one)
        else:
            yield one


def _in_zip(file: Path | io.BytesIO, at: Handed) -> Iterator[Handed]:
    try:
        with zipfile.ZipFile(file) as archive:
            members = archive.infolist()
            kept = [m for m in members if m.filename.lower().endswith((".ipynb", ".zip"))]
            if len(members) > MANY or sum(m.file_size for m in kept) > TOGETHER:
                raise Unreadable("it is too large unpacked; is it a bomb?")
            for member in sorted(kept, key=lambda m: m.filename):
                yield from _from(archive, member, at)
    except BROKEN as error:
        yield replace(at, refused=f"this zip file cannot be read: {error}")


def _from(archive: zipfile.ZipFile, member: zipfile.ZipInfo, at: Handed) -> Iterator[Handed]:
    """What a member of an archive is, or holds."""
    name = member.filename
    if not member.flag_bits & 0x800:  # Chinese Windows writes GBK and says nothing of it
        try:
            name = name.encode("cp437").decode("gbk")
        except UnicodeError:
            name = member.filename
    inner = PurePosixPath(name.replace("\\", "/"))
    parts = at.parts + tuple(p for p in inner.parts if p not in ("/", ".."))
    one = replace(at, parts=parts, inside=(*at.inside, member.filename))
    if SKIPPED & set(inner.parts) or inner.name.startswith("._"):
        return
    link = stat.S_ISLNK(member.external_attr >> 16)
    if inner.is_absolute() or ".." in inner.parts or re.match(r"[A-Za-z]:", str(inner)) or link:
        yield replace(one, refused="its place in the zip file leads out of it: refused")
    elif inner.suffix.lower() == ".ipynb":
        yield one
    elif len(one.inside) > DEEP:
        yield replace(one, refused="a zip file in a zip file in a zip file: refused")
    else:
        yield from _in_zip(io.BytesIO(_member(archive, member)), one)


def _member(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    """Bytes of a member, read no further than a notebook may be long, whatever its entry says."""
    with archive.open(member) as file:
        content = file.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise Unreadable(f"unpacked it has more than {LARGEST >> 20} MB: refused")
    return content
