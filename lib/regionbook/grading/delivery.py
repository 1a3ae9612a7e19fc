"""What a lecturer was sent: notebooks, folders of them, and zip files as learning platforms deliver them.

A zip file is never unpacked: its notebooks are read in memory, with limits, so that nothing in it can be written anywhere.
"""

import io
import os
import re
import stat
import zipfile
from collections import Counter
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
KINDS = {".ipynb": "notebook", ".ipynb.json": "notebook", ".ipynb.txt": "notebook", ".zip": "zip"}
PACKED = (".rar", ".7z", ".gz", ".tar", ".tgz")
KINDS |= dict.fromkeys((*PACKED, ".py", ".html", ".pdf", ".docx"), "other")
"""What a file is by the end of its name; browsers add ``.json`` or ``.txt``; "other" is handed in instead of a notebook."""
OTHER = "it is no notebook, and none came with it: unpack it first, or ask for the .ipynb"


class NothingThere(Exception):
    """What was named is not there, or holds no notebook, in words for the lecturer."""


@dataclass(frozen=True)
class Handed:
    """A file that was handed in.

    ``file`` names it as it was delivered, ``folder`` who delivered it as far as that tells; ``refused`` says why it is
    not read, if it is not. Its ``content`` is there once it is `loaded` from ``place``, where ``inside`` are the numbers of
    the members of archives that lead to it.
    """

    file: str
    content: bytes = b""
    folder: str = ""
    refused: str = ""
    place: Path = Path()
    inside: tuple[int, ...] = ()
    parts: tuple[str, ...] = ()
    """Folders and name below what was named on the command line."""

    def loaded(self) -> "Handed":
        """The file with its content, or with why it cannot be read."""
        if self.refused or self.content:
            return self
        try:
            source: Path | io.BytesIO = self.place
            for number in self.inside:
                with zipfile.ZipFile(source) as archive:
                    source = io.BytesIO(_member(archive, archive.infolist()[number]))
            if isinstance(source, Path) and source.stat().st_size > LARGEST:
                raise Unreadable(f"it has more than {LARGEST >> 20} MB: clear the outputs and hand in again")
            content = source.read_bytes() if isinstance(source, Path) else source.getvalue()
            return replace(self, content=content)
        except Exception as error:  # whatever is wrong with a file, it must not cost the others their points
            return replace(self, refused=f"it cannot be read: {getattr(error, 'strerror', None) or error}")


def handed(files: list[str]) -> list[Handed]:
    """The notebooks that ``files`` name, not read yet; a folder or a zip file means all below it.

    A `NothingThere` error if a file is not there or no notebook, folder or zip file, or there is no notebook at all.
    """
    found: list[Handed] = []
    for name in files:
        path = Path(name)
        if path.is_dir():
            here = list(_in_folder(path))
        elif path.is_file() and (kind := _kind(path.name)) in ("notebook", "zip"):
            one = Handed("", place=path)
            here = list(_in_zip(path, one)) if kind == "zip" else [one]
        else:
            archive = path.exists() and path.name.lower().endswith(PACKED)
            kinds = "not a notebook (.ipynb), a zip file or a folder"
            what = kinds if path.exists() else f"not in {Path.cwd()}"
            raise NothingThere(f"{name}: {'unpack it first' if archive else what}")
        folders = [h.parts[:-1] for h in here if h.refused != OTHER]
        cut = 0  # folders that stand above all files, before those that tell one from another
        while folders and all(len(f) > cut + 1 for f in folders) and len({f[cut] for f in folders}) == 1:
            if "_assignsubmission_" in folders[0][cut]:  # of one student only, who names the folders below it
                break
            cut += 1
        for h in here:
            label = _label(h.parts[cut:-1], h.parts[-1] if h.parts else path.name)
            found.append(replace(h, file="/".join([path.name or ".", *h.parts]), folder=label))
    known = {h.folder for h in found if h.refused != OTHER}
    known -= {""} if any(h.file.lower().endswith(PACKED) for h in found) else set()
    found = [h for h in found if h.refused != OTHER or h.folder not in known]
    if not found:
        raise NothingThere(f"no notebooks in {', '.join(files)}")
    if len({h.file for h in found}) < len(found):  # two folders of one name
        found = [replace(h, file="/".join([h.place.parent.as_posix(), h.file])) for h in found]
    seen: Counter[str] = Counter()  # and two files of one name, which a zip file may hold
    for k, h in enumerate(found):
        seen[h.file] += 1
        if seen[h.file] > 1:
            found[k] = replace(h, file=f"{h.file} ({seen[h.file]})")
    return found


def _kind(name: str) -> str:
    """``"notebook"``, ``"zip"``, ``"other"``, or ``""`` for what is passed over."""
    passed_over = name.startswith(("._", "~$"))
    return next((what for end, what in KINDS.items() if name.lower().endswith(end) and not passed_over), "")


def _readable(name: str) -> str:
    """A file's name; one that is no UTF-8 is that of a Chinese Windows, which writes GBK and says nothing of it."""
    return name if name.isprintable() else os.fsencode(name).decode("gb18030", "replace")


def _label(folders: tuple[str, ...], name: str) -> str:
    """Who delivered: the first folder that differs between students, without a platform's marks, or the file's prefix."""
    said = PLATFORM.match(f"{folders[0]}_" if folders else name)
    if said and said["number"]:
        return folders[0] if folders else Path(name).stem
    return (said and (said["moodle"] or said["canvas"])) or (folders[0] if folders else "")


def _in_folder(folder: Path) -> Iterator[Handed]:
    for path in sorted(folder.rglob("*")):
        parts, kind = path.relative_to(folder).parts, _kind(path.name)
        if not kind or SKIPPED & set(parts) or (path.is_dir() and not path.is_symlink()):
            continue
        one = Handed("", place=path, parts=tuple(map(_readable, parts)))
        if path.is_symlink() or not path.is_file():  # a pipe would keep the reader waiting
            yield replace(one, refused="it is a link to another file, or no file at all")
        elif kind == "zip":
            yield from _in_zip(path, one)
        else:
            yield replace(one, refused=OTHER if kind == "other" else "")


def _in_zip(file: Path | io.BytesIO, at: Handed) -> Iterator[Handed]:
    try:
        with zipfile.ZipFile(file) as archive:
            members = archive.infolist()
            if len(members) > MANY or sum(m.file_size for m in members) > TOGETHER:
                raise Unreadable("it is too large unpacked; is it a bomb?")
            for number, member in sorted(enumerate(members), key=lambda m: m[1].filename):
                yield from _from(archive, member, replace(at, inside=(*at.inside, number)))
    except Exception as error:
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
    one = replace(at, parts=at.parts + tuple(p for p in inner.parts if p not in ("/", "..")))
    kind = _kind(inner.name)
    if not kind or SKIPPED & set(inner.parts) or member.is_dir():
        return
    link = stat.S_ISLNK(member.external_attr >> 16)
    if inner.is_absolute() or ".." in inner.parts or re.match(r"[A-Za-z]:", str(inner)) or link:
        yield replace(one, refused="its place in the zip file leads out of it: refused")
    elif kind != "zip":
        yield replace(one, refused=OTHER if kind == "other" else "")
    elif len(one.inside) > DEEP:
        yield replace(one, refused="a zip file in a zip file in a zip file: refused")
    else:
        try:
            content = _member(archive, member)
        except Exception as error:
            yield replace(one, refused=f"this zip file cannot be read: {error}")
        else:
            yield from _in_zip(io.BytesIO(content), one)


def _member(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    """Bytes of a member, read no further than a notebook may be long, whatever its entry says."""
    with archive.open(member) as file:
        content = file.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise Unreadable(f"unpacked it has more than {LARGEST >> 20} MB: refused")
    return content
