"""Functions that the Python scripts share; lib.sh holds those of the shell scripts."""
import argparse
import contextlib
import errno
import glob
import os
import re
import secrets
import shutil
import signal
import socket
import stat
import sys
import tempfile

NAME = os.path.basename(sys.argv[0])
ROOT = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))


def say(text):
    print(f"{NAME}: {text}", file=sys.stderr, flush=True)


def die(text, status=1):
    say(text)
    sys.exit(status)


def why(error):
    """The reason of an exception, in a few words."""
    if isinstance(error, KeyError):
        return f"no {error}"
    number = getattr(error, "errno", None)  # of h5py, whose text has several lines
    return os.strerror(number) if number else str(error).split("\n", maxsplit=1)[0]


def options_of(doc):
    """For the options of the script with this docstring, whose paragraph "Usage: ..." takes the place of argparse's own."""
    about, usage, more = re.fullmatch(r"(.*?)\nUsage: (.*?)\n\n(.*)", doc + "\n", re.DOTALL).groups()
    return argparse.ArgumentParser(prog=NAME, usage=usage.replace("%", "%%"), description=f"{about}\n{more}",
                                   formatter_class=argparse.RawDescriptionHelpFormatter)


# ---- The program -----------------------------------------------------------------------------------

def program():
    """The mlpdist to run: MLPDIST, else that of the source tree, else that of the installation, else the one in PATH."""
    wanted = os.environ.get("MLPDIST")
    beside = [os.path.join(ROOT, "build", "mlpdist"), os.path.join(ROOT, "..", "..", "bin", "mlpdist")]
    for name in [wanted] if wanted else [*beside, "mlpdist"]:
        found = shutil.which(name)
        if found:
            return os.path.abspath(found)
    return die(f"{wanted or 'mlpdist'}: no such program; build it with make, or set MLPDIST to its path")


# ---- Ends ------------------------------------------------------------------------------------------

def run(main):
    """Runs main. A closed pipe (`| head`) and Ctrl-C end the script without a traceback, with a shell's status for them;
    SIGTERM lets the script remove its temporary files."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        try:
            main()
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python complains as it exits
        sys.exit(128 + signal.SIGPIPE)
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        die(f"{error.filename or 'standard output'}: {why(error)}")


# ---- Files written whole ---------------------------------------------------------------------------

def is_same(a, b):
    try:
        return os.path.samefile(a, b)
    except OSError:
        return False


def is_stream(path):
    """Is there something to write through: a pipe, a terminal, a device, /dev/stdout?"""
    if re.match(r"/dev/(stdout|stderr|fd/)|/proc/", os.path.abspath(path)):
        return True
    try:
        mode = os.stat(path).st_mode
    except OSError:
        return False
    return not stat.S_ISREG(mode) and not stat.S_ISDIR(mode)


def check_output(path, inputs=(), ours=None):
    """Stops the script where `path` is a folder, lies in none, or is one of `inputs` under any name. ours(path): may this
    existing file be replaced? Any may where it is not given."""
    if not path:
        die("the name of the file to write is empty")
    if os.path.isdir(path):
        die(f"{path}: is a folder, not a file to write")
    for name in inputs:
        if is_same(path, name):
            die(f"{path}: this file is also read ({name}); give another file to write")
    if is_stream(path):
        return
    folder = os.path.dirname(os.path.realpath(path)) or "."
    if not os.path.isdir(folder):
        die(f"{path}: no such folder")
    if ours is not None and os.path.exists(path) and not ours(path):
        die(f"{path}: already exists as another kind of file, which is not replaced")


def is_hdf5(path):
    """May a script that writes HDF5 replace this file? An empty one it may, too."""
    if is_stream(path):
        return False
    with open(path, "rb") as file:
        return file.read(8) in (b"\x89HDF\r\n\x1a\n", b"")


def remove_leftovers(folder, name):
    """Temporary files of this output that killed scripts of this machine left."""
    begin = f".{name[:100]}.{socket.gethostname()}-"
    for left in glob.glob(os.path.join(glob.escape(folder), glob.escape(begin) + "*.tmp")):
        pid = os.path.basename(left)[len(begin):].split("-")[0]
        if pid.isdigit() and not os.path.exists(f"/proc/{pid}"):
            with contextlib.suppress(OSError):
                os.unlink(left)


def make_temporary(folder, name):
    """An empty file with the mode that the umask gives, under a name that nobody can foresee."""
    path = os.path.join(folder, f".{name[:100]}.{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(6)}.tmp")
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_WRONLY, 0o666))
    return path


def sync(path):
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextlib.contextmanager
def whole_file(path, inputs=(), ours=None):
    """For `with`: a temporary file, by name, that takes the place of `path` when the block ends well. A symbolic link is
    followed, a pipe or a device gets a copy. check_output() says what is refused."""
    check_output(path, inputs, ours)
    stream, target = is_stream(path), os.path.realpath(path)
    folder, name = (tempfile.gettempdir(), "output") if stream else os.path.split(target)
    remove_leftovers(folder, name)
    temporary = make_temporary(folder, name)
    try:
        yield temporary
        if stream:
            with open(temporary, "rb") as source, open(path, "wb") as sink:
                shutil.copyfileobj(source, sink)
        else:
            sync(temporary)
            os.replace(temporary, target)
            sync(folder)
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)


@contextlib.contextmanager
def hdf5_file(h5py, path):
    """For `with`: a new HDF5 file. HDF5 keeps small writes back until an array is closed, and h5py prints and goes on where
    they fail then; here a full disk is an OSError, wherever it is seen."""
    lost, hooks = [], (sys.excepthook, sys.unraisablehook)

    def tell_others(kind, error, trace):  # all but failed writes of HDF5
        if re.search(r"errno = \d+", str(error)) is None:
            hooks[0](kind, error, trace)

    sys.excepthook, sys.unraisablehook = tell_others, lambda found: lost.append(found.exc_value)
    file = h5py.File(path, "w")
    try:
        yield file
        file.flush()
        file.close()
        for error in lost:
            raise error
        sys.excepthook, sys.unraisablehook = hooks
    except (OSError, RuntimeError) as error:
        with contextlib.suppress(OSError, RuntimeError, ValueError):
            file.close()
        number = re.search(r"errno = (\d+)", str(error))
        if number is None:
            sys.excepthook, sys.unraisablehook = hooks
            raise
        # The hooks stay: as Python exits, HDF5 tries once more to write.
        raise OSError(int(number[1]), os.strerror(int(number[1]))) from None


def write_whole(path, text):
    with whole_file(path) as temporary, open(temporary, "w", encoding="utf-8", newline="") as file:
        file.write(text)
