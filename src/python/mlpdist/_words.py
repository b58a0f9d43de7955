"""Messages of the library, which speak of the command line, in words of Python: options as parameters, cures for columns
of tables as those of a pandas frame."""
import ctypes
import functools
import re

from . import _options

OPTION = re.compile(r"--([a-z][a-z0-9-]*)(?:( )([a-z0-9][a-z0-9-]*|'[^']*'))?")
OF_FRAMES = {"categorical": "X[{}].astype('category')", "ignore": "X.drop(columns={})", "missing": "X.replace({}, float('nan'))"}


class _Choice(ctypes.Structure):
    """mlpd_choice."""

    _fields_ = [("name", ctypes.c_char_p), ("value", ctypes.c_int), ("help", ctypes.c_char_p)]


@functools.lru_cache(maxsize=None)
def _choices(library, option):
    """Names of the values of an option; of those that are no list of the library, none."""
    try:
        first = _Choice.in_dll(library, f"mlpd_{option.replace('-', '_')}_choices")
    except ValueError:
        return ()
    table, names = ctypes.cast(ctypes.addressof(first), ctypes.POINTER(_Choice)), []
    while table[len(names)].name:
        names.append(table[len(names)].name.decode())
    return tuple(names)


def in_python(library, message, names=None):
    """The message with parameters in place of options. names {option: parameter} of those with another name."""
    def parameter(match):
        option, blank, value = match.groups(default="")
        if option in OF_FRAMES and value.startswith("'"):
            columns = value[1:-1].split(",")
            return OF_FRAMES[option].format(repr(columns if len(columns) > 1 else columns[0]))
        if (option, value) == ("decimal", "comma"):
            return "X.replace(',', '.', regex=True)"
        name = option.replace("-", "_")
        if name not in _options.OWN and name not in _options.SKLEARN:
            return match.group()
        name = (names or {}).get(option, name)
        return f"{name}={value!r}" if value in _choices(library, option) else name + blank + value

    return OPTION.sub(parameter, message.replace("unknown option --", "unknown option "))
