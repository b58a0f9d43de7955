"""One training run of the library over rows in memory, with its epochs as they pass."""
import ctypes
import logging

from . import _library
from ._library import DataRows, TrainEvents, lib
from ._rows import as_rows

STOP = 1  # MLPD_REQUEST_STOP
logger = logging.getLogger("mlpdist")


class Data:
    """mlpd_data_rows and what it points to."""

    def __init__(self, x, y, weight=None, column_names=None, class_names=None):
        self.struct = DataRows()
        self.kept = []
        for name, array in (("x", x), ("y", y), ("weight", weight)):
            if array is not None:
                rows, kept = as_rows(array)
                setattr(self.struct, name, rows)
                self.kept.append(kept)
        if column_names is not None:
            self.struct.column_names = _library.text_array(column_names)
        if class_names is not None:
            self.struct.class_names = _library.text_array(class_names)
            self.struct.num_class_names = len(class_names)


class _Watcher:
    """The callbacks of a run. They keep an exception, such as Ctrl-C's, and end the run: none may pass through C."""

    def __init__(self, epoch_done, say):
        self.problem = None
        self.events = TrainEvents()
        self.events.notice = _library.TEXT_EVENT(self._guard(lambda _, text: say(text.decode(errors="replace"))))
        self.events.stepped = _library.STEP_EVENT(self._guard(lambda *_: None))
        self.events.epoch_done = _library.EPOCH_EVENT(self._guard(lambda _, epoch: epoch_done(epoch.contents)))

    def _guard(self, call):
        def guarded(*arguments):
            try:
                if call(*arguments):
                    lib.mlpd_request(STOP)
            except BaseException as problem:
                self.problem = problem
                lib.mlpd_request(STOP)

        return guarded


def train(options, data, epoch_done, comm=None, start=None):
    """The model's handle. options {name: text}; data: Data, or None where option data names a file. epoch_done(epoch)
    is called on rank 0; where it returns true, the run ends and the model is that of this epoch. start: a Model whose
    weights are the first, or None."""
    watcher = _Watcher(epoch_done, logger.info)
    result = ctypes.create_string_buffer(_library.RESULT_BYTES)
    held = _library.Handle(lib.mlpd_options_create, lib.mlpd_options_free)
    with held as made, _library.communicator(comm) as ranks:
        for name, text in options.items():
            _library.check(lib.mlpd_options_set(made, name.encode(), text.encode()))
        if data is not None:
            lib.mlpd_options_rows(made, ctypes.byref(data.struct))
        if start is not None:
            lib.mlpd_options_model(made, start._pointer)
        model = ctypes.c_void_p()
        status = lib.mlpd_train_model(ranks, lib.mlpd_options_values(made), ctypes.byref(watcher.events), result,
                                      ctypes.byref(model))
        return _take(status, model, watcher.problem)


def _take(status, model, problem):
    if problem is not None:
        if model:
            lib.mlpd_model_free(model)
        raise problem
    if status != _library.OK and not (status == _library.INTERRUPTED and model):
        _library.raise_for(status)
    return _Owned(model)


class _Owned(_library.Handle):
    """A model that mlpd_train_model() made."""

    def __init__(self, pointer):
        self.pointer = pointer
        self._free = lib.mlpd_model_free
