"""NumPy arrays as mlpd_rows: read and written where they lie, whatever their order and strides."""
import numpy as np

from ._library import Rows

TYPES = {np.dtype(name): number for number, name in enumerate(
    ("int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "float32", "float64"))}


def _known_type(a):
    """The array, or a copy of a type that the library has."""
    if a.dtype in TYPES:  # in the byte order of the machine
        return a
    if a.dtype == bool:
        return a.view(np.uint8)
    native = a.dtype.newbyteorder("=")
    if native not in TYPES:
        native = np.dtype(np.float32 if a.dtype == np.float16 else np.float64)
    return a.astype(native, copy=False)


def _strides_fit(a):
    """Steps are whole elements; both steps 0 would mean C order."""
    if a.flags.c_contiguous and a.flags.aligned:
        return True
    steps = [s for s, n in zip(a.strides, a.shape) if n > 1]
    return a.flags.aligned and all(s % a.itemsize == 0 for s in steps) and (not steps or any(steps))


def as_rows(array):
    """(rows, array): the struct and the array that it points to, which must live as long. No copy unless the array's
    type or strides have no place in the struct."""
    a = np.asarray(array)
    if a.ndim not in (1, 2):
        raise ValueError(f"an array of {a.ndim} dimensions; rows of values have 2 (reshape(len(x), -1)), one value a row 1")
    a = _known_type(a.reshape(-1, 1) if a.ndim == 1 else a)
    if not _strides_fit(a):
        a = np.array(a, order="C")
    row_step, column_step = (s // a.itemsize for s in a.strides)
    if a.shape[0] <= 1:
        row_step = max(a.shape[1], 1)  # of a single row NumPy's stride may be anything
    return Rows(a.ctypes.data, TYPES[a.dtype], a.shape[0], a.shape[1], row_step, column_step), a
