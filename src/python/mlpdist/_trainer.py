"""Training under way: rows as a program produces them, a step at a time."""
import ctypes
import os
import tempfile

import numpy as np

from . import _library, _options
from ._library import lib
from ._model import Model
from ._rows import as_rows


def _floats(values, count, what):
    """An array of C doubles; None stays None."""
    if values is None:
        return None
    a = np.ascontiguousarray(np.broadcast_to(np.asarray(values, np.float64), (count,)))
    return a.ctypes.data_as(ctypes.POINTER(ctypes.c_double)), a


class Trainer:
    """A network that learns from rows as they come (mlpd_trainer of mlpdist.h, which says more).

    features, targets: columns of x and of y, or with task="classification" the number of classes. steps_per_epoch: what
    schedules count as an epoch. buffer_rows: rows that the replay buffer holds. init_from: a model file, or a Model, to
    start from. comm: a communicator of mpi4py, of which each rank hands in rows of its own; all its ranks call each
    method but steps, buffered and model(). Options are those of `mlpdist train`, `-` as `_`; the schedule is constant
    unless epochs or schedule is given.
    """

    def __init__(self, features, targets=1, *, steps_per_epoch=1, buffer_rows=0, init_from=None, comm=None, **options):
        self._made_by = (features, targets, dict(options, steps_per_epoch=steps_per_epoch, buffer_rows=buffer_rows,
                                                init_from=init_from), comm)
        if "epochs" not in options:
            options.setdefault("schedule", "constant")
        if init_from is not None and not isinstance(init_from, Model):
            options["init_from"] = init_from
        self.features, self.targets = features, targets
        self._ranks = _library.communicator(comm)  # outlives the trainer
        held = _library.Handle(lib.mlpd_options_create, lib.mlpd_options_free)
        with held as made:
            for name, value in options.items():
                text = _options.as_text(value)
                _library.check(lib.mlpd_options_set(made, name.replace("_", "-").encode(), text.encode()))
            if isinstance(init_from, Model):
                lib.mlpd_options_model(made, init_from._pointer)
            self._handle = _library.Handle(lib.mlpd_trainer_create, lib.mlpd_trainer_free, self._ranks.pointer, made,
                                           features, targets, steps_per_epoch, buffer_rows)

    @property
    def _pointer(self):
        return self._handle.pointer

    @property
    def steps(self):
        """Steps done so far."""
        return lib.mlpd_trainer_steps(self._pointer)

    @property
    def buffered(self):
        """Rows in the buffer."""
        return lib.mlpd_trainer_buffered(self._pointer)

    def normalize(self, x_shift=None, x_scale=None, y_shift=None, y_scale=None):
        """x' = (x - shift) * scale, likewise y'; a pair that is None is found in the first rows."""
        given = [_floats(values, count, what) for values, count, what in (
            (x_shift, self.features, "x"), (x_scale, self.features, "x"), (y_shift, self.targets, "y"),
            (y_scale, self.targets, "y"))]
        _library.check(lib.mlpd_trainer_normalize(self._pointer, *(g and g[0] for g in given)))
        return self

    def _hand_in(self, call, x, y, *more):
        """Calls call with x and y. If they are no rows, it gets ones that it refuses on all ranks, so that none waits
        for this one."""
        problem, given = None, []
        try:
            given = [None if a is None else as_rows(a) for a in (x, y)]
        except Exception as failed:
            problem, given = failed, [(_library.Rows(), None), None]
        status = call(self._pointer, *(g and ctypes.byref(g[0]) for g in given), *more)
        if problem is not None:
            raise problem
        _library.check(status)

    def add(self, x, y):
        """Puts rows into the buffer."""
        self._hand_in(lib.mlpd_trainer_add, x, y)
        return self

    def step(self, x=None, y=None):
        """One step on the rows of a batch, or on rows drawn from the buffer; returns the mean loss before it."""
        loss = ctypes.c_double()
        self._hand_in(lib.mlpd_trainer_step, x, y, ctypes.byref(loss))
        return loss.value

    def model(self):
        """The network as it is now, a Model of its own."""
        return Model(_library.Handle(lib.mlpd_trainer_model, lib.mlpd_model_free, self._pointer))

    def save(self, path):
        """Writes all that load() of a trainer with the same arguments needs to go on to the same bits."""
        _library.check(lib.mlpd_trainer_save(self._pointer, os.fsencode(path)))

    def load(self, path):
        _library.check(lib.mlpd_trainer_load(self._pointer, os.fsencode(path)))
        return self

    def __reduce__(self):
        *made_by, comm = self._made_by
        if comm is not None:
            raise TypeError("a Trainer of several ranks cannot be pickled: save() writes a file")
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "trainer.h5")
            self.save(path)
            with open(path, "rb") as file:
                return _from_bytes, (*made_by, file.read())

    def close(self):
        """Frees the trainer, then its copy of comm: call it before MPI is finalised. Collective."""
        self._handle.close()
        self._ranks.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def _from_bytes(features, targets, named, content):
    made = Trainer(features, targets, **named)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "trainer.h5")
        with open(path, "wb") as file:
            file.write(content)
        return made.load(path)
