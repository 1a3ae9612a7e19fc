"""What a lecturer was sent: notebooks, folders of them, and zip files as learning platforms deliver them.

A zip file is never unpacked: its notebooks are read in memory, with limits, so that nothing in it can be written anywhere.
"""

import io
import re
import stat
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from regionbook.grading.sheets import LARGEST, Unreadable

MANY, TOGETHER, DEEP = 20_000, 8 << 30, 3
"""Files in an archive; bytes of all its notebooks; archives inside archives."""
SKIPPED = {".ipynb_checkpoints", "__MACOSX", ".git"}
PLATFORM = re.compile(
    r"(?P<moodle>.+?)_\d+_assignsubmission_\w*?_|(?P<canvas>[^_]+?)(?:_LATE)?_\d+_\d+_|(?P<number>\d{5,})[-_ ].*"
)
"""How Moodle and Canvas begin the name of a file, and how 学习通 and 雨课堂 do: with the student's number."""


class NothingThere(Exception):
    """What was named is not there, or holds no notebook, in words for the lecturer."""


@dataclass(frozen=True)
class Handed:
    """A file that was handed in.

    ``file`` names it as it was delivered, ``folder`` who delivered it as far as that tells; ``refused`` says why it is
    not read, if it is not.
    """

    file: str
    content: bytes
    folder: str = ""
    refused: str = ""


@dataclass(frozen=True)
class _Found:
    parts: tuple[str, ...]
    """Folders and name below what was named."""
    named: str
    place: Path
    inside: tuple[str, ...] = ()
    """Members of archives that lead to it."""
    refused: str = ""


def listed(files: list[str]) -> list[tuple[str, str]]:
    """Name and label of each notebook that ``files`` mean, in order; see `handed`."""
    return [(_file(found), label) for found, label in _labelled(files)]


def handed(files: list[str]) -> Iterator[Handed]:
    """Read the notebooks that ``files`` name, one after the other; a folder or a zip file means all below it.

    Raises
    ------
    NothingThere
        If a file is not there or no notebook, folder or zip file, or there is no notebook at all.
    """
    for found, label in _labelled(files):
        try:
            content = b"" if found.refused else _content(found)
            yield Handed(_file(found), content, label, found.refused)
        except Unreadable as error:
            yield Handed(_file(found), b"", label, str(error))
        except (OSError, RuntimeError, NotImplementedError, zipfile.BadZipFile, EOFError) as error:
            said = getattr(error, "strerror", None) or error
            yield Handed(_file(found), b"", label, f"it cannot be read: {said}")


def _file(found: _Found) -> str:
    return "/".join([found.named, *found.parts]) if found.parts else found.named


def _labelled(files: list[str]) -> list[tuple[_Found, str]]:
    pairs = []
    for name in files:
        path = Path(name)
        if path.is_dir():
            found = list(_in_folder(path))
        elif path.is_file() and path.suffix.lower() in (".ipynb", ".zip"):
            found = (
                list(_in_file(path, (), path.name))
                if path.suffix.lower() == ".zip"
                else [_Found((), path.name, path)]
            )
        else:
            here = f"not in {Path.cwd()}"
            if path.exists():
                archive = path.suffix.lower() in (".rar", ".7z", ".gz", ".tar", ".tgz")
                here = "unpack it first" if archive else "not a notebook (.ipynb), a zip file or a folder"
            raise NothingThere(f"{name}: {here}")
        cut = _common([f.parts[:-1] for f in found])
        pairs += [(f, _label(f.parts[cut:-1], f.parts[-1] if f.parts else f.named)) for f in found]
    if not pairs:
        raise NothingThere(f"no notebooks in {', '.join(files)}")
    return pairs


def _common(folders: list[tuple[str, ...]]) -> int:
    """How many folders stand above all files before those tell one from another."""
    cut = 0
    while folders and all(len(f) > cut + 1 for f in folders) and len({f[cut] for f in folders}) == 1:
        cut += 1
    return cut


def _label(folders: tuple[str, ...], name: str) -> str:
    """Who delivered: the first folder that differs between students, without a platform's marks, or the file's prefix."""
    said = PLATFORM.match(f"{folders[0]}_" if folders else name)
    whose = next(filter(None, said.groups()), "") if said else ""
    if said and said["number"]:
        whose = folders[0] if folders else Path(name).stem
    return whose or (folders[0] if folders else "")


def _in_folder(folder: Path) -> Iterator[_Found]:
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        if not SKIPPED & set(parts) and not parts[-1].startswith("._"):
            if path.is_symlink():
                if path.suffix.lower() in (".ipynb", ".zip"):
                    yield _Found(parts, folder.name or ".", path, refused="it is a link to another file")
            elif path.suffix.lower() == ".ipynb" and path.is_file():
                yield _Found(parts, folder.name or ".", path)
            elif path.suffix.lower() == ".zip" and path.is_file():
                yield from _in_file(path, parts, folder.name or ".")


def _in_file(path: Path, parts: tuple[str, ...], named: str) -> Iterator[_Found]:
    try:
        with zipfile.ZipFile(path) as archive:
            yield from _in_archive(archive, _Found(parts, named, path))
    except (zipfile.BadZipFile, OSError, RuntimeError, NotImplementedError, EOFError) as error:
        yield _Found(parts, named, path, refused=f"this zip file cannot be read: {error}")


def _in_archive(archive: zipfile.ZipFile, at: _Found) -> Iterator[_Found]:
    members = archive.infolist()
    kept = [m for m in members if m.filename.lower().endswith((".ipynb", ".zip"))]
    if len(members) > MANY or sum(m.file_size for m in kept) > TOGETHER:
        yield _Found(
            at.parts, at.named, at.place, at.inside, "this zip file is too large unpacked: is it a bomb?"
        )
        return
    for member in sorted(kept, key=lambda m: m.filename):
        inner = PurePosixPath(_name(member).replace("\\", "/"))
        parts, inside = (
            at.parts + tuple(p for p in inner.parts if p not in ("/", "..")),
            (*at.inside, member.filename),
        )
        if SKIPPED & set(inner.parts) or inner.name.startswith("._"):
            continue
        link = stat.S_ISLNK(member.external_attr >> 16)
        if inner.is_absolute() or ".." in inner.parts or re.match(r"[A-Za-z]:", str(inner)) or link:
            yield _Found(
                parts, at.named, at.place, inside, "its place in the zip file leads out of it: refused"
            )
        elif inner.suffix.lower() == ".ipynb":
            yield _Found(parts, at.named, at.place, inside)
        elif len(inside) > DEEP:
            yield _Found(parts, at.named, at.place, inside, "a zip file in a zip file in a zip file: refused")
        else:
            try:
                with zipfile.ZipFile(io.BytesIO(_member(archive, member))) as deeper:
                    yield from _in_archive(deeper, _Found(parts, at.named, at.place, inside))
            except (zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError, Unreadable) as error:
                yield _Found(parts, at.named, at.place, inside, f"this zip file cannot be read: {error}")


def _name(member: zipfile.ZipInfo) -> str:
    """A member's name; Chinese Windows writes GBK and says nothing of it."""
    if member.flag_bits & 0x800:
        return member.filename
    try:
        return member.filename.encode("cp437").decode("gbk")
    except UnicodeError:
        return member.filename


def _content(found: _Found) -> bytes:
    if not found.inside:
        if found.place.stat().st_size > LARGEST:
            raise Unreadable(
                f"the file has more than {LARGEST >> 20} MB: clear the outputs and hand in again"
            )
        return found.place.read_bytes()
    content = found.place.read_bytes() if len(found.inside) > 1 else b""
    archive = zipfile.ZipFile(io.BytesIO(content) if content else found.place)
    for name in found.inside:
        with archive:
            content = _member(archive, archive.getinfo(name))
        if name != found.inside[-1]:
            archive = zipfile.ZipFile(io.BytesIO(content))
    return content


def _member(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    """Bytes of a member, read no further than a notebook may be long, whatever its entry says."""
    with archive.open(member) as file:
        content = file.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise Unreadable(f"unpacked it has more than {LARGEST >> 20} MB: refused")
    return content
