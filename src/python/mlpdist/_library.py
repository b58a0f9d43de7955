"""The shared library by ctypes: where it is, its structs and functions, and its errors as exceptions."""
import ctypes
import os
import pathlib
from ctypes import POINTER, c_bool, c_char_p, c_double, c_float, c_int, c_int32, c_size_t, c_ssize_t, c_uint32, c_uint64, c_void_p

from . import _words

__version__ = "0.1.0"
SONAME = "libmlpdist.so.0"


class Error(RuntimeError):
    """A call of the library failed; the text is the library's message."""


class InvalidInput(Error, ValueError):
    """An option or the data are not valid."""


class FileError(Error, OSError):
    """A file cannot be opened, read or written."""


OK, USAGE, FILE, DATA, MEMORY, MPI, DIVERGED, INTERRUPTED, INTERNAL = range(9)
EXCEPTIONS = {USAGE: InvalidInput, FILE: FileError, DATA: InvalidInput}

# ---- Structs: the sizes are those of tests/abi.txt, which a test compares ------------------------------------------


class Rows(ctypes.Structure):
    """mlpd_rows and mlpd_output."""

    _fields_ = [("data", c_void_p), ("type", c_int), ("rows", c_uint64), ("columns", c_uint32),
                ("row_step", c_ssize_t), ("column_step", c_ssize_t)]


class DataRows(ctypes.Structure):
    """mlpd_data_rows."""

    _fields_ = [(name, Rows) for name in ("x", "y", "weight", "valid_x", "valid_y", "test_x", "test_y")] + [
        ("column_names", POINTER(c_char_p)), ("target_names", POINTER(c_char_p)), ("class_names", POINTER(c_char_p)),
        ("num_class_names", c_uint32)]


class TableOptions(ctypes.Structure):
    """mlpd_table_options."""

    _fields_ = [(name, c_char_p) for name in ("label", "ignore", "columns", "categorical", "header", "delimiter",
                                              "thousands", "decimal", "strip", "missing", "class_names",
                                              "encoding", "dates")] + [
        ("drop_missing", c_bool), ("skip_lines", c_uint32), ("keep", c_char_p), ("test_fraction", c_double),
        ("split_seed", c_uint64)]


class DataPaths(ctypes.Structure):
    """mlpd_data_paths."""

    _fields_ = [(name, c_char_p) for name in ("file", "x", "y", "weight", "valid_x", "valid_y", "test_x", "test_y")] + [
        ("table", TableOptions), ("rows", POINTER(DataRows))]


class LayerView(ctypes.Structure):
    """mlpd_layer_view."""

    _fields_ = [("kind", c_char_p), ("inputs", c_uint32), ("outputs", c_uint32), ("activation", c_int),
                ("weight_stride", c_uint32), ("weight", POINTER(c_float)), ("bias", POINTER(c_float))]


class TensorView(ctypes.Structure):
    """mlpd_tensor_view."""

    _fields_ = [("name", c_char_p), ("rows", c_uint32), ("columns", c_uint32), ("stride", c_uint32),
                ("values", POINTER(c_float))]


class Epoch(ctypes.Structure):
    """mlpd_epoch."""

    _fields_ = [("epoch", c_uint64), ("epochs", c_uint64), ("step", c_uint64), ("lr", c_double),
                ("train_loss", c_double), ("train_metric", c_double), ("has_valid", c_bool), ("valid_loss", c_double),
                ("valid_metric", c_double), ("best", c_bool), ("seconds", c_double), ("samples_per_second", c_double)
                ] + [(name + kind, c_double) for kind in ("_seconds", "_least", "_mean")
                     for name in ("compute", "reduce", "data")]


TEXT_EVENT = ctypes.CFUNCTYPE(None, c_void_p, c_char_p)
EPOCH_EVENT = ctypes.CFUNCTYPE(None, c_void_p, POINTER(Epoch))
STEP_EVENT = ctypes.CFUNCTYPE(None, c_void_p, c_uint64, c_uint64, c_uint64, c_double, c_double)


class TrainEvents(ctypes.Structure):
    """mlpd_train_events."""

    _fields_ = [("context", c_void_p), ("started", c_void_p), ("notice", TEXT_EVENT), ("decided", TEXT_EVENT),
                ("stepped", STEP_EVENT), ("epoch_done", EPOCH_EVENT), ("stalled", TEXT_EVENT)]


class BinsChoice(ctypes.Structure):
    _fields_ = [("run", c_uint32), ("folder", c_char_p), ("plain_error", c_double), ("bins_error", c_double), ("deviation", c_double)]


class Result(ctypes.Structure):
    """The first members of mlpd_train_result; the others are not used here."""

    _fields_ = [("digest", ctypes.c_char * 17), ("epochs", c_uint64), ("steps", c_uint64), ("best_epoch", c_uint64),
                ("stopped_early", c_bool), ("converged", c_bool), ("resumed_step", c_uint64), ("checkpoints", c_uint64),
                ("checkpoints_failed", c_uint64), ("metrics_failed", c_bool), ("trace_failed", c_bool),
                ("has_valid", c_bool), ("valid_loss", c_double), ("valid_metric", c_double), ("has_test", c_bool),
                ("test_loss", c_double), ("test_metric", c_double), ("task", c_int), ("preset", c_int),
                ("hidden", c_char_p), ("activation", c_char_p), ("choice", BinsChoice), ("train_rows", c_uint64), ("others", ctypes.c_char * 8192)]


STRUCTS = {"mlpd_rows": Rows, "mlpd_output": Rows, "mlpd_data_rows": DataRows, "mlpd_table_options": TableOptions,
           "mlpd_data_paths": DataPaths, "mlpd_layer_view": LayerView, "mlpd_tensor_view": TensorView,
           "mlpd_epoch": Epoch, "mlpd_train_events": TrainEvents, "mlpd_bins_choice": BinsChoice}

HANDLE = POINTER(c_void_p)
FUNCTIONS = {  # name: result, arguments
    "mlpd_error_message": (c_char_p, []),
    "mlpd_build_description": (c_char_p, []),
    "mlpd_choice_name": (c_char_p, [c_void_p, c_int]),
    "mlpd_comm_alone": (c_int, [HANDLE]),
    "mlpd_comm_from": (c_int, [c_int, HANDLE]),
    "mlpd_comm_finalize": (None, [c_void_p]),
    "mlpd_options_create": (c_int, [HANDLE]),
    "mlpd_options_free": (None, [c_void_p]),
    "mlpd_options_set": (c_int, [c_void_p, c_char_p, c_char_p]),
    "mlpd_options_get": (c_int, [c_void_p, c_char_p, c_char_p, c_size_t]),
    "mlpd_options_rows": (None, [c_void_p, POINTER(DataRows)]),
    "mlpd_options_values": (c_void_p, [c_void_p]),
    "mlpd_train_model": (c_int, [c_void_p, c_void_p, POINTER(TrainEvents), c_void_p, HANDLE]),
    "mlpd_options_model": (None, [c_void_p, c_void_p]),
    "mlpd_request": (None, [c_int]),
    "mlpd_trainer_create": (c_int, [c_void_p, c_void_p, c_uint32, c_uint32, c_uint64, c_uint64, HANDLE]),
    "mlpd_trainer_free": (None, [c_void_p]),
    "mlpd_trainer_normalize": (c_int, [c_void_p] + 4 * [POINTER(c_double)]),
    "mlpd_trainer_add": (c_int, [c_void_p, POINTER(Rows), POINTER(Rows)]),
    "mlpd_trainer_step": (c_int, [c_void_p, POINTER(Rows), POINTER(Rows), POINTER(c_double)]),
    "mlpd_trainer_steps": (c_uint64, [c_void_p]),
    "mlpd_trainer_buffered": (c_uint64, [c_void_p]),
    "mlpd_trainer_model": (c_int, [c_void_p, HANDLE]),
    "mlpd_trainer_save": (c_int, [c_void_p, c_char_p]),
    "mlpd_trainer_load": (c_int, [c_void_p, c_char_p]),
    "mlpd_model_load": (c_int, [c_char_p, HANDLE]),
    "mlpd_model_save": (c_int, [c_void_p, c_char_p]),
    "mlpd_model_free": (None, [c_void_p]),
    "mlpd_model_network": (c_void_p, [c_void_p]),
    "mlpd_model_task": (c_int, [c_void_p]),
    "mlpd_model_features": (c_uint32, [c_void_p]),
    "mlpd_model_outputs": (c_uint32, [c_void_p]),
    "mlpd_model_option": (c_bool, [c_void_p, c_char_p, c_char_p, c_size_t]),
    "mlpd_model_class_name": (c_char_p, [c_void_p, c_uint32]),
    "mlpd_model_target_name": (c_char_p, [c_void_p, c_uint32]),
    "mlpd_export": (c_int, [c_void_p, c_char_p]),
    "mlpd_network_num_layers": (c_uint32, [c_void_p]),
    "mlpd_network_layer": (LayerView, [c_void_p, c_uint32]),
    "mlpd_network_tensor": (TensorView, [c_void_p, c_uint32, c_uint32]),
    "mlpd_network_digest": (None, [c_void_p, c_char_p]),
    "mlpd_predictor_create": (c_int, [c_void_p, c_int, HANDLE]),
    "mlpd_predictor_free": (None, [c_void_p]),
    "mlpd_predictor_run": (c_int, [c_void_p, POINTER(Rows), POINTER(Rows), POINTER(c_int32)]),
    "mlpd_predictor_spread": (c_int, [c_void_p, POINTER(Rows), POINTER(Rows)]),
    "mlpd_predictor_jacobian": (c_int, [c_void_p, POINTER(Rows), POINTER(Rows)]),
    "mlpd_predict": (c_int, [c_void_p, c_void_p, POINTER(DataPaths), c_int, c_char_p, c_char_p, c_int,
                             POINTER(c_uint64)]),
    "mlpd_predict_spread": (c_int, [c_void_p, c_void_p, POINTER(DataPaths), c_int, c_char_p, c_char_p, c_int,
                                    POINTER(c_uint64)]),
}

# ---- Loading -------------------------------------------------------------------------------------------------------


def _recorded_build():
    try:
        from ._place import BUILD
    except ImportError:
        return []
    return [pathlib.Path(BUILD)]


def _places():
    """The files to try, in this order; the linker comes last."""
    if "MLPDIST_LIBRARY" in os.environ:
        return [os.environ["MLPDIST_LIBRARY"]]
    here = pathlib.Path(__file__).resolve().parent
    installed = [here.parents[2]] if len(here.parents) > 2 else []  # PREFIX/lib of lib/python3/dist-packages/mlpdist
    tree = [here.parents[2] / "build"] if here.parts[-3:] == ("src", "python", "mlpdist") else []
    folders = installed + tree + _recorded_build()
    return [str(f / SONAME) for f in folders if (f / SONAME).exists()] + [SONAME]


def _check_version(library, place):
    said = library.mlpd_build_description().decode()
    if said.split()[1].rstrip(",") != __version__:
        raise ImportError(f"{place} is '{said}', but this package belongs to mlpdist {__version__}: "
                          "install the package of that version, or name another library by MLPDIST_LIBRARY")


def _load():
    problems = []
    for place in _places():
        try:
            library = ctypes.CDLL(place)
        except OSError as problem:
            problems.append(str(problem))
            continue
        for name, (result, arguments) in FUNCTIONS.items():
            function = getattr(library, name)
            function.restype, function.argtypes = result, arguments
        _check_version(library, place)
        return library
    raise ImportError("the library of mlpdist was not found (" + "; ".join(problems) + "): build it by `make`, or name "
                      "it by MLPDIST_LIBRARY=/path/to/" + SONAME)


lib = _load()
ACTIVATIONS = ctypes.addressof(ctypes.c_char.in_dll(lib, "mlpd_activation_choices"))


def _end_teams_before_forks():
    """A child of os.fork has none of its parent's threads, and would wait for OpenMP's for ever. So OpenMP ends its
    threads before a fork (omp_pause_resource_all of OpenMP 5.0); parent and child start new ones as they need them."""
    omp_pause_soft = 1
    try:
        pause = lib.omp_pause_resource_all  # found because the library is linked with OpenMP's
    except AttributeError:  # before OpenMP 5.0
        return
    os.register_at_fork(before=lambda: pause(omp_pause_soft))


_end_teams_before_forks()


def build_description():
    """One line on how the library was built."""
    return lib.mlpd_build_description().decode()


# ---- Calls ---------------------------------------------------------------------------------------------------------


def raise_for(status, names=None):
    """names {option: parameter} of options that have another name for the caller."""
    message = _words.in_python(lib, lib.mlpd_error_message().decode(errors="replace"), names)
    if status == MEMORY:
        raise MemoryError(message)
    raise EXCEPTIONS.get(status, Error)(message)


def check(status, names=None):
    if status != OK:
        raise_for(status, names)


class Handle:
    """An object of the library, freed with the Python object."""

    def __init__(self, create, free, *arguments):
        self.pointer = c_void_p()
        self._free = free
        check(create(*arguments, ctypes.byref(self.pointer)))

    def close(self):
        pointer, self.pointer = self.pointer, None
        if pointer:
            self._free(pointer)

    def __enter__(self):
        return self.pointer

    def __exit__(self, *_):
        self.close()

    def __del__(self):
        if getattr(self, "pointer", None):
            self.close()


def communicator(comm=None):
    """This process alone, or the ranks of a communicator of mpi4py."""
    if comm is None:
        return Handle(lib.mlpd_comm_alone, lib.mlpd_comm_finalize)
    return Handle(lib.mlpd_comm_from, lib.mlpd_comm_finalize, comm.py2f())


def text_array(texts):
    """An array of C texts; None where these cannot tell the texts apart, which then have no names in the model."""
    made = [str(t).encode(errors="replace").split(b"\0")[0] for t in texts]
    return (c_char_p * len(made))(*made) if len(set(made)) == len(made) else None
