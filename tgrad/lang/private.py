"""A folder of the user's for what can be made again: parser tables, compiled programs.

Compiled programs are code, so nothing is read that anybody else could have written.  The folder and
each file must be the user's own, and writable for nobody else; links are not followed.  Files have
random names until they are complete, and begin with a hash of their content: one that was cut off or
damaged is as good as none.  Whatever goes wrong, a caller is told that there is nothing.

TGRAD_CACHE=off (and `tgrad --no-cache`) switches all of it off.
"""

from __future__ import annotations

import os
import stat
import sys

MOST_BYTES = 64 * 2**20
"""The files that were written longest ago are removed when the folder holds more than this."""

_OFF = ("off", "0", "no", "false")
_UNIX = sys.platform != "win32"
_DIGEST = 32


def digest(*parts: bytes) -> bytes:
    """A hash that nobody can find a second content for."""
    try:
        from _blake2 import blake2b  # what hashlib has, without loading OpenSSL
    except ImportError:
        from hashlib import blake2b

    made = blake2b(digest_size=_DIGEST)
    for part in parts:
        made.update(len(part).to_bytes(8, "little"))
        made.update(part)
    return made.digest()


def read(name: str) -> bytes | None:
    """What was written under this name, or None."""
    folder = _open_folder(make=False)
    if folder is None:
        return None
    try:
        content = _content(os.path.join(_path() or "", name) if not _UNIX else name, folder)
    except OSError:
        return None
    finally:
        _close(folder)
    kept, body = content[:_DIGEST], content[_DIGEST:]
    return body if kept == digest(body) else None


def write(name: str, body: bytes) -> None:
    """Keep something under a name; silently does nothing where that can't be done safely."""
    folder = _open_folder(make=True)
    if folder is None:
        return
    where = folder if _UNIX else None
    path = name if _UNIX else os.path.join(_path() or "", name)
    temporary = f"{path}.{os.getpid()}-{os.urandom(6).hex()}"
    try:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        descriptor = os.open(temporary, flags, 0o600, dir_fd=where)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(digest(body) + body)
            os.replace(temporary, path, src_dir_fd=where, dst_dir_fd=where)
        except BaseException:
            os.unlink(temporary, dir_fd=where)
            raise
        _remove_oldest(folder)
    except OSError:
        pass
    finally:
        _close(folder)


def _path() -> str | None:
    """Where the folder is, or would be."""
    if os.environ.get("TGRAD_CACHE", "").lower() in _OFF:
        return None
    if not _UNIX:
        base = os.environ.get("LOCALAPPDATA")
    else:
        base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    if not base or not os.path.isabs(base):
        return None
    return os.path.join(base, "tgrad")


def _open_folder(make: bool) -> int | None:
    """A descriptor of the folder (0 on Windows), or None if there is none or it isn't the user's alone."""
    path = _path()
    if path is None:
        return None
    try:
        if make:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            if not os.path.isdir(path):
                os.mkdir(path, 0o700)
        if not _UNIX:  # a profile's folder is the user's own
            return 0 if os.path.isdir(path) else None
        folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        return None
    if _owned(os.fstat(folder)):
        return folder
    os.close(folder)
    return None


def _content(path: str, folder: int) -> bytes:
    """The content of a file that is the user's alone.

    Raises:
        OSError: there is none.
    """
    if not _UNIX:
        with open(path, "rb") as file:
            return file.read()
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
    with os.fdopen(os.open(path, flags, dir_fd=folder), "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode) or not _owned(status):
            raise OSError("not the user's own")
        return file.read()


def _owned(status: os.stat_result) -> bool:
    """Whether something is the user's, and nobody else may write it."""
    return status.st_uid == os.geteuid() and not status.st_mode & 0o022


def _close(folder: int) -> None:
    if _UNIX:
        os.close(folder)


def _remove_oldest(folder: int) -> None:
    """Hold the folder to its size."""
    found = []
    with os.scandir(folder if _UNIX else _path()) as entries:
        for entry in entries:
            status = entry.stat(follow_symlinks=False)
            found.append((status.st_mtime_ns, status.st_size, entry.name))
    total = sum(size for _, size, _ in found)
    for _, size, name in sorted(found)[:-1]:
        if total <= MOST_BYTES:
            break
        if _UNIX:
            os.unlink(name, dir_fd=folder)
        else:
            os.unlink(os.path.join(_path() or "", name))
        total -= size
