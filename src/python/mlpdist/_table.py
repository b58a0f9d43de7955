"""pandas frames with names, text and missing values: they pass through the library's reader of tables as CSV files do."""
import contextlib
import ctypes
import os
import tempfile

import numpy as np

from . import _library
from ._library import lib

TEST_PART = 2


def is_frame(x):
    return hasattr(x, "to_csv") and hasattr(x, "columns")


def needs_reader(x):
    """Has the frame columns that are not plain numbers, or missing values?"""
    if not is_frame(x):
        return False
    plain = all(isinstance(t, np.dtype) and t.kind in "biuf" for t in x.dtypes)
    return not plain or bool(x.isna().to_numpy().any())


def categories(x):
    """The columns of dtype category, by number."""
    return [str(j) for j, t in enumerate(x.dtypes) if getattr(t, "name", "") == "category"]


@contextlib.contextmanager
def as_file(x, y=None):
    """The path of a CSV file of x and, as its last column, y; removed afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "frame.csv")
        frame = x if y is None else x.assign(**{_unused(x, "target"): y})
        frame.to_csv(path, index=False)
        yield path


def _unused(x, name):
    while name in x.columns:
        name += "_"
    return name


def predict(model, x, into_file=lib.mlpd_predict):
    """(n, outputs) of each row of the frame, the last columns of what into_file writes; columns are matched by name."""
    import pandas

    rows = ctypes.c_uint64()
    with as_file(x) as path, _library.communicator() as comm:
        out = path + ".predicted.csv"
        paths = _library.DataPaths(file=path.encode())
        paths.table.header = b"yes"
        paths.table.delimiter = b"comma"
        _library.check(into_file(comm, model._pointer, ctypes.byref(paths), TEST_PART, out.encode(), None, 0,
                                 ctypes.byref(rows)))
        answers = pandas.read_csv(out)
    # The digits in the file are those of float32.
    return answers.iloc[:, -model.n_outputs:].to_numpy(np.float32).astype(np.float64)
