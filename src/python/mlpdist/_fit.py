"""One training run of the library over rows in memory, with its epochs as they pass."""
import ctypes
import logging
import os
import signal
import threading
import warnings

from . import _library, _words
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
        self.struct.column_names = None if column_names is None else _library.text_array(column_names)
        self.struct.class_names = None if class_names is None else _library.text_array(class_names)
        self.struct.num_class_names = len(class_names) if self.struct.class_names else 0


class _Watcher:
    """The callbacks of a run. An exception must not pass through C, so it is kept, and ends the run. Python may call a
    signal handler, such as Ctrl-C's, where a callback begins, before its `try`: the handlers' exceptions are kept, too."""

    def __init__(self, epoch_done, say):
        self.problem = None
        self.events = TrainEvents()
        self.events.notice = _library.TEXT_EVENT(self._guard(lambda _, text: say(text.decode(errors="replace"))))
        self.events.stepped = _library.STEP_EVENT(self._guard(lambda *_: None))
        self.events.epoch_done = _library.EPOCH_EVENT(self._guard(lambda _, epoch: epoch_done(epoch.contents)))

    def _keep(self, problem):
        """The first exception counts; but a KeyboardInterrupt, which may become a warning, hides no other."""
        if self.problem is None or isinstance(self.problem, KeyboardInterrupt):
            self.problem = problem

    def _guard(self, call):
        def guarded(*arguments):
            stop = False
            try:
                stop = call(*arguments)
            except BaseException as problem:
                self._keep(problem)
            if stop or self.problem is not None:
                lib.mlpd_request(STOP)

        return guarded

    def _handling(self, handler):
        def handling(*arguments):
            try:
                problem = handler(*arguments)
            except BaseException as raised:
                problem = raised
            if isinstance(problem, BaseException):
                self._keep(problem)
            return problem  # to a fit that a callback of this one began: both end

        return handling

    def __enter__(self):
        self.handlers = {}  # number: (the program's, ours)
        if threading.current_thread() is threading.main_thread():  # no other thread executes handlers
            for number in signal.valid_signals():
                handler = signal.getsignal(number)
                if callable(handler):
                    self.handlers[number] = handler, self._handling(handler)
                    signal.signal(number, self.handlers[number][1])
        return self

    def __exit__(self, *_):
        for number, (handler, ours) in self.handlers.items():
            if signal.getsignal(number) is ours:
                signal.signal(number, handler)

    def problem_of_all(self, comm):
        """This rank's exception, or one for that of another rank. All ranks keep the model, or none does."""
        mine = self.problem
        told = None if mine is None else (repr(mine), isinstance(mine, KeyboardInterrupt))
        for rank, problem in enumerate(comm.allgather(told)):
            text, interrupted = problem or (None, True)
            if text is not None and interrupted and mine is None:
                mine = KeyboardInterrupt()
            elif not interrupted and (mine is None or isinstance(mine, KeyboardInterrupt)):
                mine = _library.Error(f"mlpdist: rank {rank}: {text}")
        return mine


def train(options, data, epoch_done, comm=None, start=None, names=None, say=logger.info):
    """The model's handle and the run's Result. options {name: text}; data: Data, or None where option data names a
    file. epoch_done(epoch) is called on rank 0; where it returns true, the run ends after one more step, and the model
    is that of the last whole epoch: this one, or the next, if an epoch has one step. start: a Model whose
    weights are the first, or None. names {option: parameter}, for messages; say(text) is called with each notice. A
    KeyboardInterrupt ends the run, too, with a warning as scikit-learn's: it is raised only if no epoch has passed."""
    watcher = _Watcher(epoch_done, lambda text: say(_words.in_python(lib, text, names)))
    result = _library.Result()
    held = _library.Handle(lib.mlpd_options_create, lib.mlpd_options_free)
    with held as made, _library.communicator(comm) as ranks:
        for name, text in options.items():
            _library.check(lib.mlpd_options_set(made, name.encode(), os.fsencode(text)), names)
        if data is not None:
            lib.mlpd_options_rows(made, ctypes.byref(data.struct))
        if start is not None:
            lib.mlpd_options_model(made, start._pointer)
        model = ctypes.c_void_p()
        with watcher:
            status = lib.mlpd_train_model(ranks, lib.mlpd_options_values(made), ctypes.byref(watcher.events), ctypes.byref(result),
                                          ctypes.byref(model))
        alone = comm is None or status == _library.MPI
        problem = watcher.problem if alone else watcher.problem_of_all(comm)
        return _take(status, _Owned(model) if model else None, problem, names), result


def _take(status, model, problem, names):
    interrupted = isinstance(problem, KeyboardInterrupt) and model is not None
    if problem is not None and not interrupted:
        raise problem
    if model is None:
        _library.raise_for(status, names)
    if interrupted:
        warnings.warn("mlpdist: training was interrupted; the model is that of the epochs so far")
    return model


class _Owned(_library.Handle):
    """A model that mlpd_train_model() made."""

    def __init__(self, pointer):
        self.pointer = pointer
        self._free = lib.mlpd_model_free
