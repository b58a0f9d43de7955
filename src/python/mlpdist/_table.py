"""pandas frames with names, text and missing values: they pass through the library's reader of tables as CSV files do."""
import contextlib
import ctypes
import os
import re
import sys
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


def count_missing(y):
    """Rows of targets with a missing value."""
    kind = y.dtype.kind if isinstance(getattr(y, "dtype", None), np.dtype) else "O"  # pandas has types of its own
    if kind in "biuUS" or y is None:
        return 0
    y = np.asarray(y, dtype=None if kind == "f" else object)
    pandas = sys.modules.get("pandas")
    if kind == "f":
        missing = np.isnan(y)
    elif pandas is not None:
        missing = pandas.isna(y)
    else:
        missing = np.vectorize(lambda v: v is None or isinstance(v, float) and v != v, otypes=[bool])(y)
    return int((missing if missing.ndim < 2 else missing.any(axis=1)).sum())


def labels(x, y):
    """The numbers of the columns of y in the file of both."""
    return ",".join(str(x.shape[1] + k) for k in range(1 if y.ndim == 1 else y.shape[1]))


def categories(x):
    """The columns of dtype category, by number."""
    return [str(j) for j, t in enumerate(x.dtypes) if getattr(t, "name", "") == "category"]


def _check_cells(x):
    """What scikit-learn refuses would be text in the file."""
    for name, column in x.items():
        if getattr(column.dtype, "kind", "") == "c":
            raise ValueError(f"mlpdist: Complex data not supported: column {name!r}")
        cells = column.array if column.dtype == object else ()
        lists = [cell for cell in cells if isinstance(cell, (list, tuple, dict, set, np.ndarray))][:1]
        if lists:
            raise ValueError(f"mlpdist: column {name!r} has a {type(lists[0]).__name__} in a cell: give each number a column of its own")


def without_path(text, path):
    """A message about the file, as one about the frame."""
    return re.sub(re.escape(path) + r":(\d+)", r"line \1 of the frame as CSV", text).replace(path, "the frame")


@contextlib.contextmanager
def as_file(x, y=None):
    """The path of a CSV file of x and, as its last columns, y; removed afterwards."""
    _check_cells(x)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "frame.csv")
        frame = x
        for target in [] if y is None else y.reshape(len(y), -1).T:
            frame = frame.assign(**{_unused(frame, "target"): target})
        frame.to_csv(path, index=False)
        try:
            yield path
        except _library.Error as problem:
            raise type(problem)(without_path(str(problem), path)) from None


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
