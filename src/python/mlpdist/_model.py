"""A trained model: predictions, derivatives, weights, files."""
import ctypes
import os
import re
import tempfile

import numpy as np

from . import _library, _table
from ._library import lib
from ._rows import as_rows

ROWS_A_THREAD = 2048  # fewer rows are not worth a second thread


def _threads(rows):
    """OpenMP threads for so many rows."""
    if rows < 2 * ROWS_A_THREAD:
        return 1
    most = os.environ.get("OMP_NUM_THREADS", "").split(",")[0]
    cores = int(most) if most.isdigit() and int(most) > 0 else len(os.sched_getaffinity(0))
    return max(1, min(cores, rows // ROWS_A_THREAD))


def load_model(path):
    """The model of a file that `mlpdist train` or Model.save() wrote."""
    return Model(_library.Handle(lib.mlpd_model_load, lib.mlpd_model_free, os.fsencode(path)))


class Model:
    """A trained model. Several threads may use one at once."""

    def __init__(self, handle):
        self._handle = handle
        self.task = ("auto", "classification", "regression")[lib.mlpd_model_task(self._pointer)]
        self.n_features = lib.mlpd_model_features(self._pointer)
        self.n_outputs = lib.mlpd_model_outputs(self._pointer)

    @property
    def _pointer(self):
        return self._handle.pointer

    @property
    def classes(self):
        """(classes) names of the classes; whole numbers where all names are."""
        if self.task != "classification":
            raise AttributeError("a regression has no classes")
        names = [lib.mlpd_model_class_name(self._pointer, k).decode(errors="replace") for k in range(max(self.n_outputs, 2))]
        return np.array([int(n) for n in names] if all(re.fullmatch("0|-?[1-9][0-9]*", n) for n in names) else names)

    @property
    def digest(self):
        """16 hexadecimal digits that name the weights, as `mlpdist info` prints them."""
        text = ctypes.create_string_buffer(17)
        lib.mlpd_network_digest(lib.mlpd_model_network(self._pointer), text)
        return text.value.decode()

    @property
    def output_activation(self):
        """The activation of the last layer, by its name in `mlpdist train --activation`."""
        network = lib.mlpd_model_network(self._pointer)
        layers = [lib.mlpd_network_layer(network, k) for k in range(lib.mlpd_network_num_layers(network))]
        last = [layer for layer in layers if layer.kind in (b"dense", b"heads")][-1]
        return lib.mlpd_choice_name(_library.ACTIVATIONS, last.activation).decode()

    def option(self, name):
        """The value that an option of its training had, as text; None if it is not known."""
        text = ctypes.create_string_buffer(4096)
        known = lib.mlpd_model_option(self._pointer, name.replace("_", "-").encode(), text, len(text))
        return text.value.decode(errors="replace") if known else None

    # ---- Predictions ------------------------------------------------------------------------------------------------

    def _run(self, x, values, classes):
        rows, kept = as_rows(x)
        out = ctypes.byref(as_rows(values)[0]) if values is not None else None
        into = classes.ctypes.data_as(ctypes.POINTER(ctypes.c_int32)) if classes is not None else None
        with _library.Handle(lib.mlpd_predictor_create, lib.mlpd_predictor_free, self._pointer,
                             _threads(kept.shape[0])) as predictor:
            _library.check(lib.mlpd_predictor_run(predictor, ctypes.byref(rows), out, into))

    def _array(self, x):
        x = np.asarray(x)
        if x.ndim != 2:
            raise _library.InvalidInput(f"x has {x.ndim} dimensions, not 2: reshape(-1, {self.n_features}) makes rows")
        return x

    def values(self, x):
        """(n, outputs) float64, what the network answers: probabilities of classes, or targets in their unit."""
        if _table.is_frame(x):
            return _table.predict(self, x)
        x = self._array(x)
        values = np.empty((x.shape[0], self.n_outputs))
        self._run(x, values, None)
        return values

    def predict(self, x):
        """Classes (n), or values: (n), of several targets (n, outputs). Columns of a pandas frame go by name."""
        if self.task == "classification":
            return self.classes[self.class_numbers(x)]
        values = self.values(x)
        return values[:, 0] if self.n_outputs == 1 else values

    def class_numbers(self, x):
        """(n) int32, the most probable class of each row, from 0."""
        if _table.is_frame(x):
            return self.predict_proba(x).argmax(axis=1)
        x = self._array(x)
        classes = np.empty(x.shape[0], np.int32)
        self._run(x, None, classes)
        return classes

    def predict_proba(self, x):
        """(n, classes) the probability of each class."""
        if self.task != "classification":
            raise AttributeError("a regression has no probabilities of classes")
        values = self.values(x)
        return np.hstack([1 - values, values]) if values.shape[1] == 1 else values

    def spread(self, x):
        """(n, outputs) the standard deviation of values(x) over the members of an ensemble (ensemble=32)."""
        if _table.is_frame(x):
            return _table.predict(self, x, lib.mlpd_predict_spread)
        rows, kept = as_rows(self._array(x))
        made = np.empty((kept.shape[0], self.n_outputs))
        with _library.Handle(lib.mlpd_predictor_create, lib.mlpd_predictor_free, self._pointer,
                             _threads(kept.shape[0])) as predictor:
            _library.check(lib.mlpd_predictor_spread(predictor, ctypes.byref(rows), ctypes.byref(as_rows(made)[0])))
        return made

    def jacobian(self, x):
        """(n, outputs, features) the derivative of values(x) with respect to x."""
        if _table.needs_reader(x):
            raise _library.InvalidInput("a derivative is with respect to numbers, but the frame has text or missing values: "
                                        "a model of arrays has derivatives")
        rows, kept = as_rows(self._array(x))
        made = np.empty((kept.shape[0], self.n_outputs * self.n_features))
        with _library.Handle(lib.mlpd_predictor_create, lib.mlpd_predictor_free, self._pointer,
                             _threads(kept.shape[0])) as predictor:
            _library.check(lib.mlpd_predictor_jacobian(predictor, ctypes.byref(rows), ctypes.byref(as_rows(made)[0])))
        return made.reshape(-1, self.n_outputs, self.n_features)

    # ---- Weights and files ------------------------------------------------------------------------------------------

    def weights(self):
        """[(weight (inputs, outputs), bias (outputs))] float32, copies, of each dense layer; of layers that each member
        of an ensemble has for itself (members, inputs, outputs) and (members, outputs)."""
        network = lib.mlpd_model_network(self._pointer)
        made = []
        for k in range(lib.mlpd_network_num_layers(network)):
            layer = lib.mlpd_network_layer(network, k)
            if layer.kind in (b"dense", b"heads"):
                weight = _copy(lib.mlpd_network_tensor(network, k, 0)).reshape(-1, layer.inputs, layer.outputs)
                given = lib.mlpd_network_tensor(network, k, 1)
                bias = _copy(given) if given.values else np.zeros((len(weight), layer.outputs), np.float32)
                made.append((weight, bias) if layer.kind == b"heads" else (weight[0], bias[0]))
        return made

    def save(self, path):
        """Writes the model to an HDF5 file, for load_model() and for `mlpdist`."""
        _library.check(lib.mlpd_model_save(self._pointer, os.fsencode(path)))

    def export(self, path):
        """Writes the model in another format, by the extension, as `mlpdist export` does."""
        _library.check(lib.mlpd_export(self._pointer, os.fsencode(path)))

    def __reduce__(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "model.h5")
            self.save(path)
            with open(path, "rb") as file:
                return _from_bytes, (file.read(),)

    def __deepcopy__(self, memo):
        return self  # a model does not change


def _from_bytes(content):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "model.h5")
        with open(path, "wb") as file:
            file.write(content)
        return load_model(path)


def _copy(tensor):
    """(rows, columns) of a TensorView."""
    flat = np.ctypeslib.as_array(tensor.values, ((tensor.rows - 1) * tensor.stride + tensor.columns,))
    return np.lib.stride_tricks.as_strided(flat, (tensor.rows, tensor.columns), (4 * tensor.stride, 4)).copy()
