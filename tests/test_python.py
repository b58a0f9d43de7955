"""Tests of the Python package, run by tests/python.bats: test_python.py CLASS. MLPDIST_LIBRARY names the library."""
import contextlib
import ctypes
import io
import os
import pathlib
import pickle
import re
import sys
import tempfile
import unittest
import unittest.mock as mock
import warnings

TOP = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TOP / "src" / "python"))

import numpy as np

import mlpdist
from mlpdist import _library, _options

try:
    import sklearn
    from sklearn.exceptions import ConvergenceWarning
except ImportError:
    sklearn = None


def blobs(rows=150, seed=0):
    """x (rows, 4) float64 and three classes that a straight line tells apart, but for some noise."""
    draw = np.random.RandomState(seed)
    y = draw.randint(0, 3, rows)
    x = draw.normal(size=(rows, 4)) * 0.5
    x[np.arange(rows), y] += 2
    return x, y


def classifier(**options):
    return mlpdist.MLPClassifier(**{"hidden_layer_sizes": (16,), "max_iter": 30, "random_state": 1, "threads": 1,
                                    "learning_rate_init": 0.01, **options})


def regressor(**options):
    return mlpdist.MLPRegressor(**{"hidden_layer_sizes": (16,), "max_iter": 30, "random_state": 1, "threads": 1,
                                   "learning_rate_init": 0.01, **options})


class Library(unittest.TestCase):
    """Needs NumPy alone: MLPDIST_MODEL names a model of the digits."""

    def setUp(self):
        self.model = mlpdist.load_model(os.environ["MLPDIST_MODEL"])
        self.x = np.random.RandomState(3).randint(0, 17, (50, 64)).astype(np.float64)

    def test_structs_have_the_sizes_of_the_library(self):
        sizes = dict(line.split()[1:] for line in (TOP / "tests/abi.txt").read_text().splitlines()
                     if line.startswith("struct"))
        for name, struct in _library.STRUCTS.items():
            self.assertEqual(ctypes.sizeof(struct), int(sizes[name]), name)
        self.assertLess(int(sizes["mlpd_train_result"]), ctypes.sizeof(_library.Result))

    def test_functions_are_exported(self):
        exported = (TOP / "tests/abi.txt").read_text()
        for name in _library.FUNCTIONS:
            self.assertIn(f"symbol {name}\n", exported)

    def test_version_is_that_of_pyproject(self):
        self.assertIn(f'version = "{mlpdist.__version__}"', (TOP / "src/python/pyproject.toml").read_text())

    def test_every_option_of_train_has_a_place(self):
        names = []
        row = ctypes.addressof(ctypes.c_char.in_dll(_library.lib, "mlpd_train_option_table"))
        sizes = dict(line.split()[1:] for line in (TOP / "tests/abi.txt").read_text().splitlines()
                     if line.startswith("struct"))
        while ctypes.c_char_p.from_address(row).value:
            names.append(ctypes.c_char_p.from_address(row).value.decode())
            row += int(sizes["mlpd_option"])
        shared = {"activation", "momentum", "epsilon", "power-t"}
        ours = {n.replace("_", "-") for n in _options.OWN} | set(_options.NOT_HERE) | shared
        self.assertEqual(set(names), ours)

    def test_layouts_and_types_give_the_same_answers(self):
        expected = self.model.predict_proba(self.x)
        self.assertEqual(expected.shape, (50, 10))
        wide = np.zeros((100, 130))
        wide[::2, 1:129:2] = self.x
        packed = np.zeros(50, [("a", "i1"), ("x", "f8", 64)])
        packed["x"] = self.x
        others = {"Fortran": np.asfortranarray(self.x), "strides": wide[::2, 1:129:2], "unaligned": packed["x"],
                  "backwards": self.x[::-1].copy()[::-1], "big-endian": self.x.astype(">f8"), "list": self.x.tolist()}
        others.update({t: self.x.astype(t) for t in ("f4", "f2", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8")})
        for name, array in others.items():
            np.testing.assert_array_equal(self.model.predict_proba(array), expected, name)
        repeated = np.broadcast_to(np.float64(3), (5, 64))  # both strides are 0
        np.testing.assert_array_equal(self.model.values(repeated), self.model.values(np.full((5, 64), 3.0)))
        one = self.model.predict_proba(self.x[:1, :])
        np.testing.assert_array_equal(one, expected[:1])
        self.assertEqual(self.model.predict(self.x[:0]).shape, (0,))

    def test_no_copy_where_strides_and_types_fit(self):
        from mlpdist._rows import as_rows

        wide = np.zeros((100, 128), np.float32)
        for array in (wide, wide.T, wide[::2, ::-1], wide.astype(bool)):
            self.assertEqual(as_rows(array)[0].data, array.ctypes.data)

    def test_what_a_model_tells(self):
        self.assertEqual((self.model.task, self.model.n_features, self.model.n_outputs), ("classification", 64, 10))
        np.testing.assert_array_equal(self.model.classes, np.arange(10))
        self.assertEqual(self.model.option("optimizer"), "adam")
        (w, b), (w2, b2) = self.model.weights()
        self.assertEqual([w.shape, b.shape, w2.shape, b2.shape], [(64, 7), (7,), (7, 10), (10,)])
        probability = self.model.predict_proba(self.x)
        np.testing.assert_array_equal(self.model.predict(self.x), probability.argmax(axis=1))

    def test_jacobian_by_differences(self):
        slope = self.model.jacobian(self.x[:4])
        self.assertEqual(slope.shape, (4, 10, 64))
        ahead, behind = self.x[:4].copy(), self.x[:4].copy()
        ahead[:, 20] += 0.01
        behind[:, 20] -= 0.01
        by_difference = (self.model.values(ahead) - self.model.values(behind)) / 0.02
        np.testing.assert_allclose(slope[:, :, 20], by_difference, atol=2e-4)

    def test_pickle_and_save(self):
        again = pickle.loads(pickle.dumps(self.model))
        self.assertEqual(again.digest, self.model.digest)
        np.testing.assert_array_equal(again.predict_proba(self.x), self.model.predict_proba(self.x))

    def test_errors_are_exceptions_with_the_message_of_the_library(self):
        with self.assertRaisesRegex(OSError, "no-such-file"):
            mlpdist.load_model("/tmp/no-such-file.h5")
        with self.assertRaisesRegex(ValueError, "63 columns where the model has 64"):
            self.model.predict(self.x[:, :63])
        with self.assertRaisesRegex(ValueError, "row 2"):
            self.x[2, 5] = np.nan
            self.model.predict(self.x)
        with self.assertRaisesRegex(ValueError, "1 dimensions, not 2"):
            self.model.predict(self.x[0])


class Estimators(unittest.TestCase):
    def setUp(self):
        warnings.simplefilter("ignore", ConvergenceWarning)
        self.x, self.y = blobs()

    def test_learns_and_repeats_itself(self):
        names = np.array(["red", "green", "blue"])[self.y]
        fitted = classifier().fit(self.x, names)
        self.assertGreater(fitted.score(self.x, names), 0.95)
        self.assertEqual(fitted.classes_.tolist(), ["blue", "green", "red"])
        self.assertEqual(fitted.model_.classes.tolist(), ["blue", "green", "red"])
        signs = np.where(self.y > 0, 1, -1)
        self.assertEqual(classifier().fit(self.x, signs).model_.classes.tolist(), [-1, 1])
        self.assertEqual(len(fitted.loss_curve_), fitted.n_iter_)
        for array in (np.asfortranarray(self.x), np.repeat(self.x, 2, axis=0)[::2]):
            self.assertEqual(classifier().fit(array, names).model_.digest, fitted.model_.digest)
        self.assertNotEqual(classifier(random_state=2).fit(self.x, names).model_.digest, fitted.model_.digest)
        self.assertEqual(classifier(threads=2).fit(self.x, names).model_.digest, fitted.model_.digest)

    def test_same_as_scikit_learns_from_the_same_weights(self):
        """coefs_ and intercepts_ give predict_proba, by NumPy."""
        fitted = classifier(activation="logistic").fit(self.x, self.y)
        hidden = 1 / (1 + np.exp(-(self.x @ fitted.coefs_[0] + fitted.intercepts_[0])))
        z = np.exp(hidden @ fitted.coefs_[1] + fitted.intercepts_[1])
        np.testing.assert_allclose(fitted.predict_proba(self.x), z / z.sum(axis=1, keepdims=True), rtol=1e-4)

    def test_one_step_is_scikit_learns(self):
        """Full-batch steps of sgd with alpha, from weights of scikit-learn's own first step on ours: the same slope.
        The decay of a step is lr * alpha / n of the weights, as there."""
        bare = regressor(solver="sgd", momentum=0, hidden_layer_sizes=(), max_iter=1, batch_size=150, alpha=0,
                         learning_rate_init=0.5)
        x = np.zeros_like(self.x)  # no gradient of the weights but that of the decay
        before = bare.fit(x, self.y).coefs_[0]
        after = bare.set_params(alpha=30.0).fit(x, self.y).coefs_[0]
        np.testing.assert_allclose(after, before * (1 - 0.5 * 30 / 150), rtol=1e-5)
        bias = bare.intercepts_[0][0]
        self.assertAlmostEqual(bias, 0.5 * self.y.mean(), places=5)

    def test_ends_when_the_loss_no_longer_falls(self):
        fitted = classifier(max_iter=500, tol=0.5, n_iter_no_change=3).fit(self.x, self.y)
        self.assertLess(fitted.n_iter_, 20)
        same = classifier(max_iter=fitted.n_iter_, tol=0, n_iter_no_change=1000).fit(self.x, self.y)
        self.assertEqual(same.model_.digest, fitted.model_.digest)
        with self.assertWarnsRegex(ConvergenceWarning, "the 2 epochs of max_iter"):
            classifier(max_iter=2).fit(self.x, self.y)

    def test_adaptive_rate(self):
        """A fifth of the rate whenever the loss does not fall, for sgd alone; it ends below 1e-6, as scikit-learn's."""
        options = {"solver": "sgd", "learning_rate": "adaptive", "learning_rate_init": 0.1, "n_iter_no_change": 2,
                   "tol": 0.05, "max_iter": 200}
        fitted = classifier(**options).fit(self.x, self.y)
        constant = classifier(**{**options, "learning_rate": "constant"}).fit(self.x, self.y)
        self.assertGreater(fitted.n_iter_, constant.n_iter_)
        self.assertLess(fitted.n_iter_, 200)
        self.assertLess(abs(fitted.loss_curve_[-1] - fitted.loss_curve_[-2]), 1e-5)
        stopping = {**options, "early_stopping": True, "validation_fraction": 0.2}
        fitted = classifier(**stopping).fit(self.x, self.y)  # the rate falls before the fit ends
        constant = classifier(**{**stopping, "learning_rate": "constant"}).fit(self.x, self.y)
        self.assertGreaterEqual(fitted.n_iter_, constant.n_iter_ + 8 * 2)
        self.assertLess(fitted.n_iter_, 200)
        self.assertEqual(max(fitted.validation_scores_), fitted.best_validation_score_)
        self.assertEqual(classifier(**{**options, "max_iter": 3, "n_iter_no_change": np.inf}).fit(self.x, self.y).n_iter_, 3)
        adam = [classifier(learning_rate=kind).fit(self.x, self.y).model_.digest for kind in ("adaptive", "constant")]
        self.assertEqual(adam[0], adam[1])
        with self.assertRaisesRegex(ValueError, "learning_rate='adaptive' has no meaning in partial_fit"):
            classifier(**options).partial_fit(self.x, self.y, classes=[0, 1, 2])

    def test_inverse_scaling_of_the_rate(self):
        """Each epoch has the rate of scikit-learn's own optimizer, for sgd alone; last batches are smaller."""
        from sklearn.neural_network import MLPClassifier
        from sklearn.neural_network._stochastic_optimizers import SGDOptimizer

        import mlpdist._estimators as estimators

        class Told(SGDOptimizer):
            def iteration_ends(self, time_step):
                theirs.append(self.learning_rate)
                super().iteration_ends(time_step)

        options = {"solver": "sgd", "learning_rate": "invscaling", "power_t": 0.3, "max_iter": 5, "batch_size": 40,
                   "learning_rate_init": 0.1}
        taken = estimators._Run.epoch_done
        for early in ({}, {"early_stopping": True, "validation_fraction": 0.2}):
            ours, theirs = [], []
            with mock.patch("sklearn.neural_network._multilayer_perceptron.SGDOptimizer", Told):
                MLPClassifier(**options, **early).fit(self.x, self.y)
            with mock.patch.object(estimators._Run, "epoch_done", lambda run, epoch: (ours.append(epoch.lr), taken(run, epoch))[1]):
                classifier(**options, **early).fit(self.x, self.y)
            np.testing.assert_allclose(ours, theirs, rtol=1e-13)
        adam = [classifier(learning_rate=kind).fit(self.x, self.y).model_.digest for kind in ("invscaling", "constant")]
        self.assertEqual(adam[0], adam[1])
        passes = {"batch_size": 50, **{name: value for name, value in options.items() if name != "batch_size"}}
        falling, constant = (classifier(**{**passes, "learning_rate": kind}) for kind in ("invscaling", "constant"))
        for _ in range(2):  # of the first pass both have the same rate
            for fitted in (falling, constant):
                fitted.partial_fit(self.x, self.y, classes=[0, 1, 2])
            same = falling.model_.digest == constant.model_.digest
            self.assertEqual(same, falling.n_iter_ == 1)

    def test_attributes_are_scikit_learns(self):
        from sklearn.neural_network import MLPClassifier, MLPRegressor

        for ours, theirs in ((classifier, MLPClassifier), (regressor, MLPRegressor)):
            for early in (False, True):
                here = ours(early_stopping=early).fit(self.x, self.y)
                there = theirs(early_stopping=early, max_iter=30, hidden_layer_sizes=(16,)).fit(self.x, self.y)
                public = [name for name in vars(there) if name.endswith("_") and not name.startswith("_")]
                self.assertEqual([name for name in public if not hasattr(here, name)], [])
                self.assertEqual(here.out_activation_, there.out_activation_)
                self.assertEqual((here.best_loss_ is None, here.t_ / here.n_iter_), (there.best_loss_ is None, there.t_ / there.n_iter_))
        with self.assertWarnsRegex(UserWarning, "batch_size=400 is more than the 150 training rows"):
            classifier(batch_size=400, max_iter=1).fit(self.x, self.y)
        with self.assertWarnsRegex(UserWarning, "batch_size=140 is more than the 135 training rows"):
            classifier(batch_size=140, early_stopping=True, max_iter=1).fit(self.x, self.y)
        early = mlpdist._options.collect(classifier(early_stopping=True, alpha=0.27), 150, 0)
        self.assertEqual((early["batch"], float(early["weight-decay"])), ("135", 0.27 / 135))
        self.assertEqual(classifier().fit(self.x, np.column_stack([self.y == 0, self.y > 0])).out_activation_, "logistic")
        scored = classifier(early_stopping=True).fit(self.x, self.y)
        self.assertEqual(scored.best_validation_score_, max(scored.validation_scores_))

    def test_verbose_is_scikit_learns(self):
        from sklearn.neural_network import MLPClassifier

        def said(make, fits, **options):
            fitted = make(verbose=True, warm_start=True, hidden_layer_sizes=3, random_state=1, **options)
            with contextlib.redirect_stdout(io.StringIO()) as stream:
                for _ in range(fits):
                    fitted.fit(self.x, self.y)
            return re.sub("[0-9][.][0-9]+", "N", stream.getvalue())

        for fits, options in ((2, {"max_iter": 3}), (1, {"n_iter_no_change": 2, "tol": 1000})):  # that one ends by itself
            self.assertEqual(*(said(make, fits, early_stopping=True, **options) for make in (classifier, MLPClassifier)))
        # Of 150 rows an epoch has one step, and the fit ends with the next.
        self.assertEqual(said(classifier, 1, n_iter_no_change=2, tol=1000).splitlines()[3:], [
            "Iteration 4, loss = N", "Training loss did not improve more than tol=100N for 2 consecutive epochs. Stopping.",
            "Iteration 5, loss = N"])

    def test_sparse_rows_and_unknown_parameters_are_refused(self):
        from scipy.sparse import csr_matrix

        with self.assertRaisesRegex(TypeError, "X is a sparse matrix.*sparse_threshold=0 of ColumnTransformer"):
            classifier().fit(csr_matrix(self.x), self.y)
        with self.assertRaisesRegex(TypeError, "no parameter 'hidden_layer_size'; did you mean 'hidden_layer_sizes'"):
            mlpdist.MLPClassifier(hidden_layer_size=(3,))

    def test_several_networks(self):
        """Networks that share their first weights (ensemble), and ones that share nothing (members)."""
        shapes = {"ensemble": [(4, 8), (3, 8, 3), (8,), (3, 3)], "members": [(3, 4, 8), (3, 8, 3), (3, 8), (3, 3)]}
        for kind, expected in shapes.items():
            with self.subTest(kind):
                fitted = classifier(hidden="8", activation="tanh", max_iter=20, **{kind: 3}).fit(self.x, self.y)
                self.assertEqual([a.shape for a in fitted.coefs_ + fitted.intercepts_], expected)
                self.assertEqual(fitted.n_layers_, 3)
                model = fitted.model_
                spread = model.spread(self.x)
                self.assertEqual(spread.shape, (150, 3))
                self.assertTrue((spread > 0).all() and spread.mean() < 0.2)
                ahead, behind = self.x.copy(), self.x.copy()
                ahead[:, 2] += 0.01
                behind[:, 2] -= 0.01
                by_difference = (model.values(ahead) - model.values(behind)) / 0.02
                np.testing.assert_allclose(model.jacobian(self.x)[:, :, 2], by_difference, atol=2e-4)
        # The last are members, whose arrays hold all there is.
        intercepts = [b[:, None] for b in fitted.intercepts_]
        hidden = np.tanh(self.x @ fitted.coefs_[0] + intercepts[0])
        z = np.exp(hidden @ fitted.coefs_[1] + intercepts[1])
        each = z / z.sum(axis=2, keepdims=True)
        np.testing.assert_allclose(fitted.predict_proba(self.x), each.mean(axis=0), rtol=1e-4)
        with self.assertRaisesRegex(ValueError, "single network"):
            classifier(max_iter=1).fit(self.x, self.y).model_.spread(self.x)

    def test_folds_validate(self):
        fitted = classifier(hidden="8", folds=3, early_stopping=True, n_iter_no_change=2, max_iter=50).fit(self.x, self.y)
        self.assertEqual(fitted.coefs_[0].shape, (3, 4, 8))
        self.assertEqual(len(fitted.validation_metrics_), fitted.n_iter_)
        with self.assertRaisesRegex(ValueError, "folds=3 has no meaning in partial_fit"):
            classifier(folds=3).partial_fit(self.x, self.y, classes=[0, 1, 2])

    def test_early_stopping_validates(self):
        fitted = classifier(early_stopping=True, n_iter_no_change=2, max_iter=200).fit(self.x, self.y)
        self.assertLess(fitted.n_iter_, 200)
        self.assertEqual(len(fitted.validation_metrics_), fitted.n_iter_)

    def test_values(self):
        y = self.x[:, :2] @ [[1, 2], [3, -1]]
        fitted = regressor(max_iter=300).fit(self.x, y)
        self.assertEqual(fitted.predict(self.x).shape, (150, 2))
        self.assertGreater(fitted.score(self.x, y), 0.98)
        self.assertEqual(regressor(max_iter=2).fit(self.x, y[:, 0]).predict(self.x).shape, (150,))

    def test_several_labels_a_row(self):
        y = (self.x[:, :3] > 1).astype(int)
        fitted = classifier(max_iter=300, early_stopping=False).fit(self.x, y)
        self.assertEqual(fitted.predict_proba(self.x).shape, (150, 3))
        self.assertGreater((fitted.predict(self.x) == y).mean(), 0.95)

    def test_weights_of_samples(self):
        ones, none = classifier().fit(self.x, self.y, np.ones(150)), classifier().fit(self.x, self.y)
        self.assertEqual(ones.model_.digest, none.model_.digest)
        weight = (self.y != 2).astype(float)
        without = classifier().fit(self.x[self.y != 2], self.y[self.y != 2])
        zero = classifier().fit(self.x, self.y, weight)
        self.assertEqual(zero.classes_.tolist(), [0, 1])
        self.assertEqual(zero.model_.digest, without.model_.digest)
        heavy = classifier().fit(self.x, self.y, np.where(self.y == 2, 1000.0, 0.001))
        self.assertGreater((heavy.predict(self.x) == 2).mean(), 0.9)
        by_class = classifier(class_weight={2: 1000.0, 0: 0.001, 1: 0.001}).fit(self.x, self.y)
        self.assertGreater((by_class.predict(self.x) == 2).mean(), 0.9)

    def test_own_options_by_name(self):
        fitted = classifier(hidden="8,4", epochs=3, dropout=[0.1, 0.2], norm="layer", schedule="cosine", batch=32, seed=5,
                            normalize="standard", optimizer="adamw").fit(self.x, self.y)
        self.assertEqual(fitted.n_iter_, 3)
        for name, value in {"hidden": "8,4", "dropout": "0.1,0.2", "norm": "layer", "schedule": "cosine", "seed": "5",
                            "batch": "32", "optimizer": "adamw", "normalize": "standard"}.items():
            self.assertEqual(fitted.model_.option(name), value)

    def test_validation_rows_choose_bins(self):
        a = np.arange(300) * 37 % 300 / 30
        x, y = np.stack([a, np.arange(300) * 91 % 300 / 300], 1), 4.0 * (a.astype(int) % 2)
        options = {"early_stopping": True, "max_iter": 40, "n_iter_no_change": 40, "learning_rate_init": 0.02, "batch_size": 32}
        for target, how in ((y, "piecewise"), (x[:, 1] + np.arange(300) % 7, "none")):
            one = regressor(**options, embed_numbers=how).fit(x, target)
            chosen = regressor(**options, embed_numbers="auto").fit(x, target)
            self.assertEqual(chosen.model_.digest, one.model_.digest)
            self.assertEqual(chosen.loss_curve_, one.loss_curve_)
            self.assertEqual(chosen.validation_metrics_, one.validation_metrics_)
        steep = {"early_stopping": True, "max_iter": 3, "learning_rate_init": 1, "batch_size": 90, "solver": "sgd", "momentum": 0, "activation": "identity",
                 "hidden_layer_sizes": (16,), "parametrization": "ntk", "embed_width": 200}
        with self.assertRaisesRegex(mlpdist.Error, r"finite number at step \d \(epoch 2\)"):
            regressor(**steep, embed_numbers="none").fit(x, y)
        one, chosen = (regressor(**steep, embed_numbers=how).fit(x, y) for how in ("piecewise", "auto"))
        self.assertEqual(chosen.model_.digest, one.model_.digest)
        self.assertEqual((chosen.loss_curve_, chosen.validation_metrics_), (one.loss_curve_, one.validation_metrics_))
        for options, words in (({}, "use preset='tabular' or early_stopping=True"), ({"preset": "tabular", "warm_start": True}, "start anew"),
                               ({"preset": "tabular", "select": "loss"}, "embed_numbers='auto' needs the standard error"),
                               ({"early_stopping": True, "patience": 0}, "patience=0, which ends a fit by its training loss")):
            with self.assertRaisesRegex(ValueError, words):
                regressor(**options, embed_numbers="auto").fit(x, y)
        with self.assertRaisesRegex(ValueError, "embed_numbers='auto' is not possible in partial_fit"):
            regressor(embed_numbers="auto").partial_fit(x, y)

    def test_preset(self):
        """scikit-learn's defaults give way to the preset; what differs from them stays."""
        with warnings.catch_warnings():
            warnings.simplefilter("error", ConvergenceWarning)  # the schedule ends with the epochs: more are no cure
            fitted = classifier(preset="tabular", hidden_layer_sizes=(8,), epochs=3).fit(self.x, self.y)
        for name, value in {"hidden": "8", "epochs": "3", "activation": "selu", "lr": "0.01", "label-smoothing": "0.1", "normalize": "robust",
                            "clip-inputs": "3", "schedule": "coslog4", "beta2": "0.95", "batch": "256"}.items():
            self.assertEqual(fitted.model_.option(name), value)
        target = self.x[:, 0]
        fitted = regressor(preset="tabular", hidden="8", epochs=3).fit(self.x, target)
        self.assertEqual(fitted.model_.option("activation"), "mish")
        self.assertLessEqual(fitted.predict(9 * self.x).max(), target.max() + 1e-6)
        with self.assertRaisesRegex(ValueError, "preset='tabular' is not possible in partial_fit"):
            regressor(preset="tabular").partial_fit(self.x, target)
        for name in ("robust", "quantile"):
            with self.assertRaisesRegex(ValueError, f"normalize='{name}' is not possible in partial_fit"):
                regressor(normalize=name).partial_fit(self.x, target)

    def test_the_number_of_epochs_is_chosen(self):
        fitted = classifier(epochs="auto", tol=0.5, n_iter_no_change=3).fit(self.x, self.y)
        self.assertLess(fitted.n_iter_, 20)
        with self.assertWarnsRegex(ConvergenceWarning, "epochs of max_iter"):
            classifier(epochs="auto", tol=-np.inf, n_iter_no_change=10**6).fit(self.x, self.y)

    def test_warm_start_goes_on(self):
        warm = classifier(warm_start=True, max_iter=5, norm="layer", normalize="standard")
        first = warm.fit(self.x, self.y).loss_curve_
        scales = pickle.dumps(warm.model_.jacobian(self.x[:2]))
        self.assertLess(warm.fit(self.x, self.y).loss_curve_[5], first[4])
        self.assertEqual(warm.loss_curve_[:5], first)
        self.assertEqual((warm.n_iter_, warm.t_), (10, 10 * len(self.x)))
        self.assertNotEqual(pickle.dumps(warm.model_.jacobian(self.x[:2])), scales)
        cold = warm.loss_curve_[5]
        self.assertNotEqual(warm.set_params(warm_start=False).fit(self.x, self.y).loss_curve_[0], cold)
        with self.assertRaisesRegex(ValueError, "same classes as in the previous call"):
            warm.set_params(warm_start=True).fit(self.x[self.y < 2], self.y[self.y < 2])
        with self.assertRaisesRegex(ValueError, "expecting 4 features"):
            warm.fit(self.x[:, :3], self.y)
        with self.assertRaisesRegex(ValueError, "weight of layer 1 is .4, 16. in the model"):
            warm.set_params(hidden_layer_sizes=(9,)).fit(self.x, self.y)

    def test_partial_fit(self):
        once, again = classifier(batch_size=32), classifier(batch_size=32)
        for _ in range(20):  # passes over halves, the second of which lacks a class
            once.partial_fit(self.x[:75], self.y[:75], classes=[0, 1, 2])
            once.partial_fit(self.x[self.y > 0], self.y[self.y > 0])
        self.assertGreater(once.score(self.x, self.y), 0.9)
        self.assertEqual((once.n_iter_, len(once.loss_curve_)), (40, 40))
        again.partial_fit(self.x, self.y, classes=[0, 1, 2])
        copy = pickle.loads(pickle.dumps(again))  # with the state of the optimizer
        digests = [e.partial_fit(self.x, self.y).model_.digest for e in (again, copy)]
        self.assertEqual(digests[0], digests[1])
        fitted = regressor(learning_rate_init=0.003).fit(self.x, self.x[:, 0])
        before = fitted.score(self.x, self.x[:, 0])
        for _ in range(30):
            fitted.partial_fit(self.x, self.x[:, 0])
        self.assertGreater(fitted.score(self.x, self.x[:, 0]), before)  # goes on from the weights of fit
        small = regressor().partial_fit(self.x[:20], self.x[:20, 0]).partial_fit(self.x, self.x[:, 0])
        self.assertEqual(small._trainer.steps, 1 + 8)  # batch_size="auto" stays that of the first call, 20
        several = regressor().partial_fit(self.x, self.x[:, :2])
        self.assertEqual(several.predict(self.x).shape, (150, 2))
        bins = regressor(embed_numbers="piecewise", embed_bins=7, embed_edges="targets", max_iter=1).fit(self.x, self.x[:, 0])
        before = bins.score(self.x, self.x[:, 0])
        for _ in range(30):
            bins.partial_fit(self.x, self.x[:, 0])
        self.assertGreater(bins.score(self.x, self.x[:, 0]), before)  # with the bins of fit
        with self.assertRaisesRegex(ValueError, "embed_numbers='piecewise' is not possible in partial_fit"):
            regressor(embed_numbers="piecewise").partial_fit(self.x, self.x[:, 0])
        with self.assertRaisesRegex(ValueError, "classes must be passed on the first call"):
            classifier().partial_fit(self.x, self.y)
        with self.assertRaisesRegex(ValueError, "classes not in `self.classes_`"):
            again.partial_fit(self.x, self.y + 1)
        with self.assertRaisesRegex(ValueError, "does not support early_stopping=True"):
            regressor(early_stopping=True).partial_fit(self.x, self.x[:, 0])
        with self.assertRaisesRegex(ValueError, "ema=0.9 has no meaning in partial_fit"):
            regressor(ema=0.9).partial_fit(self.x, self.x[:, 0])
        regressor(normalize="robust", max_iter=1).fit(self.x, self.x[:, 0]).partial_fit(self.x, self.x[:, 0])
        bent = regressor(normalize="quantile", max_iter=1).fit(self.x, self.x[:, 0])
        before = bent.score(self.x, self.x[:, 0])
        for _ in range(30):
            bent.partial_fit(self.x, self.x[:, 0])
        self.assertGreater(bent.score(self.x, self.x[:, 0]), before)  # with the curves of fit

    def test_lbfgs_minimises_the_objective_of_scikit_learn(self):
        """A convex one, whose minimum each finds by its own way."""
        from sklearn.linear_model import LogisticRegression

        x, y = (self.x - self.x.mean(axis=0)) / (self.x.std(axis=0) + 1), self.y
        options = dict(hidden_layer_sizes=(), solver="lbfgs", alpha=1.0, max_iter=400, tol=0, shuffle=False)
        ours = mlpdist.MLPClassifier(**options, n_iter_no_change=10, random_state=1).fit(x, y)
        theirs = LogisticRegression(C=1.0, tol=1e-8, max_iter=10000).fit(x, y)
        self.assertLess(ours.n_iter_, 400)  # it has converged
        np.testing.assert_allclose(ours.predict_proba(x), theirs.predict_proba(x), atol=2e-3)
        again = mlpdist.MLPClassifier(**options, n_iter_no_change=10, random_state=1, threads=3).fit(x, y)
        np.testing.assert_array_equal(ours.coefs_[0], again.coefs_[0])
        for fitted in (mlpdist.MLPClassifier(**options), mlpdist.MLPRegressor(optimizer="lbfgs")):
            self.assertFalse(hasattr(fitted, "partial_fit"))
        stopping = mlpdist.MLPClassifier(**{**options, "max_iter": 5}, early_stopping=True, random_state=1).fit(x, y)
        self.assertEqual((stopping.t_, stopping.validation_scores_), (5 * len(x), None))  # without effect, as there

    def test_what_is_not_there_is_refused(self):
        from scipy.sparse import csr_matrix

        for options, word in (({"solver": "lbfgs", "dropout": 0.1}, "lbfgs"), ({"solver": "newton"}, "newton"), ({"shuffle": False}, "shuffle"),
                              ({"batch_size": "big"}, "batch_size='big' is no number"), ({"tol": None}, "tol=None"),
                              ({"hidden_layer_sizes": ("8", "wide")}, "hidden_layer_sizes"), ({"max_iter": [1]}, "max_iter"),
                              ({"power_t": "half"}, "power_t='half' is no number"), ({"learning_rate": "falling"}, "learning_rate='falling' is not known; constant, adaptive and invscaling are"), ({"activation": "swash"}, "swash"),
                              ({"dropout": 2}, "dropout"), ({"max_iter": 0}, "max_iter")):
            with self.assertRaisesRegex(ValueError, word):
                classifier(**options).fit(self.x, self.y)
        self.assertEqual(classifier(max_iter=2, early_stopping=True, n_iter_no_change=np.inf).fit(self.x, self.y).n_iter_, 2)
        for options, words in (({"n_iter_no_change": 0}, "n_iter_no_change=0 is not a whole number from 1"), ({"n_iter_no_change": 2.5}, "n_iter_no_change=2.5"),
                               ({"learning_rate_init": 0}, "learning_rate_init=0 is not above 0"),
                               ({"solver": "lbfgs", "max_fun": 50}, "max_fun=50 is not possible; max_iter limits the steps"),
                               ({"alpha": -1}, "alpha=-1 is not 0 or above"), ({"tol": -1, "early_stopping": True}, "^tol: -1 is not in"), ({"tol": np.inf}, "tol=inf is no difference"),
                               ({"max_iter": 5.5}, "^max_iter: 5.5 is not a whole number"), ({"epochs": 5.5}, "^epochs: 5.5 is not"),
                               ({"random_state": -1}, "^random_state: -1 is not in"), ({"hidden": "a"}, '^hidden: "a" is not'),
                               ({"ema": 0.9, "swa_start": 2}, "^ema and swa_start are two averages")):
            with self.assertRaisesRegex(ValueError, words):  # by the names that the caller gave
                classifier(**options).fit(self.x, self.y)
        with self.assertRaisesRegex(ValueError, "^init_from: .* leave out hidden_layer_sizes, .*embed_bins.* to use the model's"):
            classifier(warm_start=True, max_iter=1).fit(self.x, self.y).set_params(hidden_layer_sizes=3).fit(self.x, self.y)
        with self.assertRaisesRegex(ValueError, "too large for 32-bit floats; normalize='standard' scales columns"):
            classifier().fit(self.x * 1e100, self.y)
        with self.assertRaisesRegex(ValueError, "too large for the computations$"):  # standardised, too
            classifier().fit(self.x * 1e300, self.y)
        with self.assertRaisesRegex(TypeError, "y is a sparse matrix, and a dense one is needed"):
            classifier().fit(self.x, csr_matrix(np.eye(3)[self.y]))
        with self.assertRaisesRegex(TypeError, "hiden"):
            mlpdist.MLPClassifier(hiden=3)
        with self.assertRaisesRegex(mlpdist.Error, "loss"):  # and no exception is lost on the way through C
            regressor(learning_rate_init=1e6, solver="sgd").fit(self.x * 1e6, self.y)

    def test_an_exception_in_a_callback_ends_the_fit(self):
        import mlpdist._estimators as estimators

        class Told(Exception):
            pass

        def fails(self, epoch):
            raise Told

        kept = estimators._Run.epoch_done
        estimators._Run.epoch_done = fails
        try:
            with self.assertRaises(Told):
                classifier(max_iter=10**6, tol=0).fit(self.x, self.y)
        finally:
            estimators._Run.epoch_done = kept

    def signalled(self, number, handler, estimator, x, y):
        """Fits, with a signal after an epoch, while C code runs."""
        import signal
        import threading

        class Epoch:  # verbose prints each epoch
            def write(self, text):
                if text.startswith("Iteration 20,"):
                    threading.Timer(0.02, os.kill, (os.getpid(), number)).start()

        former, stdout = signal.signal(number, handler), sys.stdout
        sys.stdout = Epoch()
        try:
            estimator.fit(x, y)
        finally:
            sys.stdout = stdout
            self.assertIs(signal.signal(number, former), handler)  # the program's is back

    def test_signals_end_a_fit(self):
        import signal

        long = {"max_iter": 200000, "tol": 0, "n_iter_no_change": 10**6, "verbose": True}
        mlp = classifier(**long)
        with self.assertWarnsRegex(UserWarning, "interrupted"):
            self.signalled(signal.SIGINT, signal.default_int_handler, mlp, self.x, self.y)
        self.assertTrue(20 <= mlp.n_iter_ == len(mlp.loss_curve_) < 200000)
        short = classifier(max_iter=mlp.n_iter_, tol=0, n_iter_no_change=10**6).fit(self.x, self.y)
        np.testing.assert_array_equal(mlp.predict_proba(self.x), short.predict_proba(self.x))

        def too_long(number, frame):
            raise TimeoutError("too long")

        mlp = classifier(**long)
        with self.assertRaisesRegex(TimeoutError, "too long"):
            self.signalled(signal.SIGALRM, too_long, mlp, self.x, self.y)
        self.assertFalse(hasattr(mlp, "model_"))

    def test_which_exceptions_end_a_fit(self):
        import signal

        from mlpdist._fit import _Watcher

        def too_long(number, frame):
            raise TimeoutError("too long")

        class Comm:
            def __init__(self, *others):
                self.others = list(others)

            def allgather(self, mine):
                return [mine] + self.others

        former = signal.signal(signal.SIGINT, signal.default_int_handler), signal.signal(signal.SIGALRM, too_long)
        outer, inner = _Watcher(len, len), _Watcher(len, len)
        try:
            with outer, inner:  # a callback of the outer fit has begun the inner one: both end
                signal.raise_signal(signal.SIGINT)
                self.assertIsInstance(outer.problem, KeyboardInterrupt)
                self.assertIsInstance(inner.problem, KeyboardInterrupt)
                of_rank_1 = inner.problem_of_all(Comm(None, ("Other()", False)))  # no rank keeps the model
                self.assertIsInstance(of_rank_1, mlpdist.Error)
                self.assertIsInstance(inner.problem_of_all(Comm(("KeyboardInterrupt()", True))), KeyboardInterrupt)
                signal.raise_signal(signal.SIGALRM)  # which the interrupt does not hide
                self.assertIsInstance(outer.problem, TimeoutError)
                self.assertIsInstance(inner.problem, TimeoutError)
                signal.raise_signal(signal.SIGINT)
                self.assertIsInstance(inner.problem_of_all(Comm(("KeyboardInterrupt()", True))), TimeoutError)
        finally:
            handlers = signal.signal(signal.SIGINT, former[0]), signal.signal(signal.SIGALRM, former[1])
        self.assertEqual(handlers, (signal.default_int_handler, too_long))  # the program's are back

    def test_pickle_joblib_clone(self):
        import joblib
        from sklearn.base import clone

        fitted = classifier().fit(self.x, self.y)
        with tempfile.TemporaryDirectory() as folder:
            joblib.dump(fitted, folder + "/e.joblib")
            for again in (pickle.loads(pickle.dumps(fitted)), joblib.load(folder + "/e.joblib")):
                np.testing.assert_array_equal(again.predict_proba(self.x), fitted.predict_proba(self.x))
            fitted.model_.save(folder + "/model.h5")
            loaded = mlpdist.load_model(folder + "/model.h5")
            np.testing.assert_array_equal(loaded.predict(self.x), fitted.predict(self.x))
        self.assertEqual(clone(fitted).get_params(), fitted.get_params())

    def test_pipeline_grid_and_cross_validation(self):
        from sklearn.model_selection import GridSearchCV, cross_val_score
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        pipeline = make_pipeline(StandardScaler(), classifier())
        search = GridSearchCV(pipeline, {"mlpclassifier__hidden_layer_sizes": [(4,), (16,)],
                                         "mlpclassifier__dropout": [None, 0.2]}, cv=2)
        self.assertGreater(search.fit(self.x, self.y).best_score_, 0.9)
        self.assertGreater(cross_val_score(regressor(), self.x, self.x[:, 0], cv=3).min(), 0.5)

    def test_fits_in_a_forked_child(self):
        import multiprocessing

        def fit():
            return classifier(threads=2).fit(self.x, self.y).predict_proba(self.x)

        here = fit()
        context = multiprocessing.get_context("fork")
        answers = context.Queue()
        child = context.Process(target=lambda: answers.put(fit()))
        child.start()
        try:
            np.testing.assert_array_equal(answers.get(timeout=60), here)
        finally:
            child.kill()
            child.join()
        np.testing.assert_array_equal(fit(), here)


class Checks(unittest.TestCase):
    """scikit-learn's own checks. It lets an estimator name those that it cannot pass; what is left of ours is here."""

    def test_check_estimator(self):
        from sklearn.utils.estimator_checks import check_estimator

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for estimator in (mlpdist.MLPClassifier(), mlpdist.MLPRegressor()):
                skipped, passed = [], 0
                for tried, check in check_estimator(estimator, generate_only=True):
                    try:
                        check(tried)
                        passed += 1
                    except unittest.SkipTest as why:
                        skipped.append(str(why))
                self.assertGreater(passed, 40)
                # The invariances of the next test; and a decision_function, which scikit-learn's MLP has not, either.
                for why in skipped:
                    self.assertRegex(why, "check_sample_weights_invariance|decision_function")

    def test_weight_one_and_weight_zero(self):
        from sklearn.utils.estimator_checks import check_sample_weights_invariance

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for estimator in (mlpdist.MLPClassifier(max_iter=100), mlpdist.MLPRegressor(max_iter=100)):
                check_sample_weights_invariance("MLP", estimator, kind="ones")
                try:
                    check_sample_weights_invariance("MLP", estimator, kind="zeros")
                except AssertionError as differ:  # the rows that stay are in another order: float32 sums differ
                    largest = float(re.search(r"Max relative difference[a-z ]*: (\S+)", str(differ))[1])
                    self.assertLess(largest, 1e-5)


class Frames(unittest.TestCase):
    def setUp(self):
        import pandas

        warnings.simplefilter("ignore", ConvergenceWarning)
        x, self.y = blobs()
        self.numbers = pandas.DataFrame(x, columns=list("abcd"))
        self.mixed = self.numbers.assign(
            colour=np.array(["red", "green", "blue"])[self.y], size=pandas.Categorical(self.y % 2 + 7))
        self.mixed.loc[3, "a"] = np.nan
        self.mixed.loc[4, "colour"] = None

    def test_numbers_have_names(self):
        fitted = classifier().fit(self.numbers, self.y)
        self.assertEqual(fitted.feature_names_in_.tolist(), list("abcd"))
        by_array = classifier().fit(self.numbers.to_numpy(), self.y)
        np.testing.assert_array_equal(fitted.predict_proba(self.numbers), by_array.predict_proba(self.numbers.to_numpy()))
        turned = self.numbers[list("dcba")]
        np.testing.assert_array_equal(fitted.model_.predict_proba(turned), fitted.predict_proba(self.numbers))
        with self.assertRaisesRegex(ValueError, "feature names"):
            fitted.predict(turned)

    def test_several_targets(self):
        targets = np.column_stack([self.y * 10.0 + 100, -self.y])
        fitted = regressor(max_iter=100, normalize_targets="standard").fit(self.mixed, targets)
        self.assertGreater(fitted.score(self.mixed, targets), 0.9)
        labels = np.column_stack([self.y == 0, self.y > 0]).astype(int)
        self.assertGreater(classifier(max_iter=100).fit(self.mixed, labels).score(self.mixed, labels), 0.9)

    def test_classes_of_any_text(self):
        names = ["a,b", 'say "c"\n', "d"]
        y = np.array(names)[self.y]
        fitted = classifier(max_iter=60).fit(self.mixed, y)
        self.assertGreater(fitted.score(self.mixed, y), 0.98)
        self.assertEqual(fitted.classes_.tolist(), sorted(names))
        with self.assertRaisesRegex(ValueError, "with respect to numbers, but the frame has text or missing values"):
            fitted.model_.jacobian(self.mixed)

    def test_names_that_a_model_cannot_hold(self):
        twice = self.numbers.set_axis(["a", "a", "b", "c"], axis=1)
        cut = self.numbers.set_axis(["a\0b", "a\0c", "b", "c"], axis=1)
        wanted = classifier(max_iter=3).fit(self.numbers, self.y).predict(self.numbers)
        for frame in (twice, cut):
            np.testing.assert_array_equal(classifier(max_iter=3).fit(frame, self.y).predict(frame), wanted)
        for names in (["", "b", "c"], ["a\0", "a\0b", "c"], ["a\ud800", "a\udc80", "c"]):
            for frame in (self.numbers, self.mixed):
                y = np.array(names, dtype=object)[self.y]
                self.assertEqual(classifier(max_iter=3).fit(frame, y).classes_.tolist(), names)

    def test_messages_are_about_the_frame(self):
        numbers = self.numbers.assign(colour=["red", 1.5, 2, 3, 4] * 30)
        with self.assertRaisesRegex(ValueError, r"^line 2 of the frame as CSV: column 5 \(colour\): 'red' is not a number .* use "
                                    r"X.replace\('red', float\('nan'\)\) .* X\['colour'\].astype\('category'\)"):
            classifier().fit(numbers, self.y)
        for cured in (numbers.replace("red", float("nan")), numbers.assign(colour=numbers["colour"].astype("category"))):
            classifier(max_iter=1).fit(cured, self.y)
        commas = self.numbers.assign(price=[f"{i},5" for i in range(150)])
        with self.assertRaisesRegex(ValueError, r"X.replace\(',', '.', regex=True\) reads"):
            classifier().fit(commas, self.y)
        classifier(max_iter=1).fit(commas.replace(",", ".", regex=True), self.y)
        named = self.numbers.assign(name=[f"id{i}" for i in range(150)])
        with self.assertWarnsRegex(UserWarning, r"mlpdist: the frame: column name is left out: .* X\['name'\].astype\('category'\) "
                                   r"keeps it, X.drop\(columns='name'\) leaves it out"):
            classifier(max_iter=1).fit(named, self.y)
        for bad, word in (([1j] * 150, "Complex data not supported: column 'bad'"), ([[1, 2]] * 150, "column 'bad' has a list in a cell")):
            with self.assertRaisesRegex(ValueError, word):
                classifier().fit(self.numbers.assign(bad=bad), self.y)
        with self.assertRaisesRegex(ValueError, "^the frame: has a header, but no rows"):
            classifier(max_iter=1).fit(self.mixed, self.y).predict(self.mixed[:0])

    def test_missing_targets_are_refused(self):
        import pandas

        words = pandas.Series(["a", "b", None] * 50)
        for frame in (self.mixed, self.numbers):
            for y in (words, words.to_numpy(), list(words), words.astype("category"), words.astype("string")):
                with self.assertRaisesRegex(ValueError, "Input y contains NaN: it is missing in 50 of 150 rows"):
                    classifier().fit(frame, y)
        with self.assertRaisesRegex(ValueError, "missing in 50 of 150"):
            classifier().partial_fit(self.numbers, words, classes=["a", "b"])
        for y in (pandas.Series([1.0, 2.0, None] * 50), pandas.Series([1, 2, None] * 50, dtype="Int64"),
                  np.array([[1, np.nan]] * 150)):
            with self.assertRaisesRegex(ValueError, "Input y contains NaN"):
                regressor().fit(self.mixed, y)

    def test_text_refused(self):
        with self.assertRaisesRegex(ValueError, "takes neither sample_weight nor comm: encode it"):
            classifier().fit(self.mixed, self.y, sample_weight=np.ones(len(self.y)))
        with self.assertRaisesRegex(ValueError, "partial_fit takes numbers without missing values: encode the frame"):
            classifier().partial_fit(self.mixed, self.y, classes=[0, 1, 2])

    def test_text_categories_and_missing_values(self):
        fitted = classifier(max_iter=60).fit(self.mixed, self.y)
        self.assertGreater(fitted.score(self.mixed, self.y), 0.98)
        self.assertEqual(fitted.n_features_in_, 6)
        probability = fitted.predict_proba(self.mixed)
        self.assertEqual(probability.shape, (150, 3))
        again = pickle.loads(pickle.dumps(fitted))
        np.testing.assert_array_equal(again.predict_proba(self.mixed), probability)
        whole = self.mixed.drop(index=[3, 4])  # without missing values; only numbers, too
        np.testing.assert_array_equal(fitted.predict_proba(whole), np.delete(probability, [3, 4], axis=0))
        colours_alone = classifier(max_iter=60).fit(self.mixed[["colour"]], self.y)
        self.assertGreater(colours_alone.score(self.mixed[["colour"]], self.y), 0.98)

    def test_values_of_a_table(self):
        target = self.y * 10.0 + 100
        fitted = regressor(max_iter=100, normalize_targets="standard").fit(self.mixed, target)
        self.assertGreater(fitted.score(self.mixed, target), 0.9)

    def test_spread_of_a_table(self):
        target = self.y * 10.0 + 100
        fitted = regressor(max_iter=5, hidden="8", ensemble=2).fit(self.mixed, target)
        self.assertEqual(fitted.model_.spread(self.mixed).shape, (150, 1))
        self.assertTrue((fitted.model_.spread(self.mixed) > 0).all())
        fitted = regressor(max_iter=5, hidden="8", ensemble=2).fit(self.numbers, target)
        np.testing.assert_allclose(fitted.model_.spread(self.numbers[list("dcba")]),
                                   fitted.model_.spread(self.numbers.to_numpy()), rtol=1e-6)

    def test_the_program_takes_the_model(self):
        import subprocess

        fitted = classifier().fit(self.mixed, self.y)
        with tempfile.TemporaryDirectory() as folder:
            fitted.model_.save(folder + "/model.h5")
            self.mixed.to_csv(folder + "/rows.csv", index=False)
            subprocess.run([os.environ["MLPDIST"], "predict", "--model", folder + "/model.h5", "--data", folder + "/rows.csv",
                            "--out", folder + "/out.csv"], check=True, capture_output=True)
            import pandas

            out = pandas.read_csv(folder + "/out.csv")
        np.testing.assert_array_equal(out["class"], fitted.predict(self.mixed))


class Steps(unittest.TestCase):
    """Trainer, with NumPy alone."""

    def trainer(self, **options):
        return mlpdist.Trainer(**{"features": 3, "batch": 16, "hidden": "8", "lanes": 2, "threads": 1, "seed": 4,
                                  "buffer_rows": 40, **options})

    def rows(self, number):
        x = np.random.RandomState(number).normal(size=(16, 3))
        return x, x[:, 0] - x[:, 1] * x[:, 2]

    def run_steps(self, trainer, numbers):
        for number in numbers:
            x, y = self.rows(number)
            loss = trainer.add(x, y).step(x.astype(np.float32) if number % 2 else np.asfortranarray(x), y)
            trainer.step()
        return loss

    def test_goes_on_from_a_file(self):
        whole, rest = self.trainer(), self.trainer()
        self.run_steps(whole, range(4))
        with tempfile.TemporaryDirectory() as folder:
            whole.save(os.path.join(folder, "half.h5"))
            rest.load(os.path.join(folder, "half.h5"))
        self.assertEqual(rest.steps, 8)
        self.assertEqual(rest.buffered, 40)
        self.assertEqual(self.run_steps(whole, range(4, 8)), self.run_steps(rest, range(4, 8)))
        self.assertEqual(whole.model().digest, rest.model().digest)
        model = whole.model()
        self.run_steps(whole, range(1))
        self.assertNotEqual(model.digest, whole.model().digest)
        with self.trainer(init_from=model) as other:
            self.assertEqual(other.model().digest, model.digest)

    def test_classes_and_normalisation(self):
        trainer = self.trainer(targets=2, task="classification", lr=0.05)
        trainer.normalize(x_shift=[1, 2, 3], x_scale=0.5)
        for number in range(30):
            x, y = self.rows(number)
            loss = trainer.step(x + [1, 2, 3], (x[:, 0] > 0).astype(np.int32))
        self.assertLess(loss, 0.4)
        self.assertEqual(trainer.model().predict([[3, 2, 3], [-1, 2, 3]]).tolist(), [1, 0])

    def test_refusals(self):
        x, y = self.rows(0)
        with self.assertRaisesRegex(ValueError, "schedule cosine falls over the whole run"):
            self.trainer(schedule="cosine")
        with self.assertRaisesRegex(ValueError, "unknown option hiden; did you mean hidden"):
            self.trainer(hiden="8")
        with self.assertRaisesRegex(ValueError, "hand in 17 rows, but a step takes 1 to 16"):
            self.trainer().step(np.vstack([x, x[:1]]), np.append(y, 0))
        with self.assertRaisesRegex(ValueError, "y is NULL"):
            self.trainer().step(x)
        for wrong in (x.reshape(4, 4, 3), 3.0):
            with self.assertRaisesRegex(ValueError, "an array of [03] dimensions; rows of values have 2"):
                self.trainer().step(wrong, y)


class Ranks(unittest.TestCase):
    """Under mpirun: rows of each rank, the bits of one rank."""

    def test_rows_of_each_rank(self):
        from mpi4py import MPI

        comm = MPI.COMM_WORLD
        self.assertGreater(comm.size, 1)
        warnings.simplefilter("ignore", ConvergenceWarning)
        x, y = blobs()
        cut = [0] + [100 + 10 * r for r in range(comm.size - 1)] + [150]
        mine = slice(cut[comm.rank], cut[comm.rank + 1])
        alone = classifier(lanes=4).fit(x, y)
        together = classifier(lanes=4).fit(x[mine], y[mine], comm=comm)
        self.assertEqual(together.model_.digest, alone.model_.digest)
        self.assertEqual(together.loss_curve_, alone.loss_curve_)
        digests = []
        for ranks, rows in ((None, slice(None)), (comm, mine)):
            with mlpdist.Trainer(4, 3, comm=ranks, task="classification", batch=150, lanes=4, threads=1) as trainer:
                for _ in range(3):
                    trainer.step(x[rows], y[rows])
                digests.append(trainer.model().digest)
        self.assertEqual(digests[0], digests[1])
        bad = x.copy()
        bad[149, 0] = np.nan  # of the last rank alone
        with self.assertRaisesRegex(ValueError, "NaN"):
            classifier(lanes=4).fit(bad[mine], y[mine], comm=comm)
        # Whatever one rank gets wrong, all fail, and none waits for it.
        last, n = comm.rank == comm.size - 1, mine.stop - mine.start
        with self.assertRaisesRegex(ValueError, "Unknown label type"):
            classifier(lanes=4).fit(x[mine], np.linspace(0, 1, n) if last else y[mine], comm=comm)
        with self.assertRaisesRegex(TypeError, "could not convert|float"):
            regressor(lanes=4).fit(x[mine], np.array([{}] * n) if last else y[mine], comm=comm)
        with mlpdist.Trainer(4, 3, comm=comm, task="classification", batch=150, lanes=4, threads=1) as trainer:
            with self.assertRaisesRegex(ValueError, "dimensions" if last else "y is NULL"):
                trainer.step(x[mine].reshape(-1, 2, 2) if last else x[mine], y[mine])


if __name__ == "__main__":
    unittest.main()
