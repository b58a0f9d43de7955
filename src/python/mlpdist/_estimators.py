"""MLPClassifier and MLPRegressor with the names and the behaviour of scikit-learn's."""
import warnings

import numpy as np
import sklearn

if tuple(map(int, sklearn.__version__.split(".")[:2])) < (1, 2):
    raise ImportError(f"mlpdist's estimators need scikit-learn 1.2 or later, not {sklearn.__version__}; "
                      "mlpdist.load_model and mlpdist.Trainer need none")

from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, is_classifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state, column_or_1d
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import _check_partial_fit_first_call, check_classification_targets, type_of_target
from sklearn.utils.validation import _check_sample_weight, check_is_fitted

from . import _fit, _options, _table
from ._model import Model
from ._trainer import Trainer

try:  # scikit-learn 1.6 made it a function
    from sklearn.utils.validation import validate_data
except ImportError:

    def validate_data(estimator, X, y="no_validation", **how):
        return estimator._validate_data(X, y, **how)


NUMBERS = [np.float64, np.float32, np.int64, np.int32, np.int16, np.int8, np.uint64, np.uint32, np.uint16, np.uint8]


def _together(comm, work):
    """work() on each rank; a failure of one is a failure of all, so that no rank waits for it."""
    if comm is None:
        return work()
    made, problem = None, None
    try:
        made = work()
    except Exception as failed:
        problem = failed
    everyones = comm.allgather(problem)
    for rank, theirs in enumerate(everyones):
        if theirs is not None:
            raise problem if problem is not None else type(theirs)(f"rank {rank}: {theirs}")
    return made


def _check_dense(X):
    if hasattr(X, "toarray"):
        raise TypeError("mlpdist: X is a sparse matrix, and a dense one is needed: X.toarray(), or in a Pipeline "
                        "sparse_threshold=0 of ColumnTransformer, sparse_output=False of OneHotEncoder")


def _check_whole(y):
    """scikit-learn refuses NaN among numbers in its own words, but calls a text that is missing an unknown label type."""
    if hasattr(y, "toarray"):
        raise TypeError("mlpdist: y is a sparse matrix, and a dense one is needed: y.toarray()")
    missing = _table.count_missing(y)
    if missing:
        raise ValueError(f"mlpdist: Input y contains NaN: it is missing in {missing} of {len(y)} rows; leave them out, "
                         "X[y.notna()] and y[y.notna()] of pandas")


class _MLP(BaseEstimator):
    """What both have in common."""

    # ---- Fitting ----------------------------------------------------------------------------------------------------

    def fit(self, X, y, sample_weight=None, comm=None):
        """Trains on X (n, features) and y. Rows of sample_weight 0 are left out. comm, a communicator of mpi4py: each
        rank gives rows of its own, and every rank gets the same model, whose bits are those of all rows on one rank.
        With warm_start the weights of the fit before are the first, and loss_curve_ goes on."""
        _options.check(self)
        _options.check_choice(self)
        self._trainer = None
        if comm is None and sample_weight is None and _table.needs_reader(X):
            return self._fit_table(X, y)
        X, y, weight = _together(comm, lambda: self._checked(X, y, sample_weight))
        y = _together(comm, lambda: self._same_targets(y, comm is None)) if self._is_warm() else self._targets(y, comm)
        rows = X.shape[0] if comm is None else sum(comm.allgather(X.shape[0]))
        options = self._all_options(rows, comm)
        data = _fit.Data(X, y, weight, getattr(self, "feature_names_in_", None), self._class_names())
        return self._train(options, data, rows, comm)

    def _checked(self, X, y, sample_weight):
        if _table.needs_reader(X):
            raise ValueError("mlpdist: a frame with text or missing values takes neither sample_weight nor comm: encode "
                             "it, for example by OneHotEncoder and SimpleImputer in a Pipeline")
        _check_dense(X)
        _check_whole(y)
        X, y = validate_data(self, X, y, dtype=NUMBERS, multi_output=True, reset=not self._is_warm())
        if sample_weight is None:
            return X, y, None
        weight = _check_sample_weight(sample_weight, X, dtype=np.float64)
        if (weight < 0).any():
            raise ValueError("sample_weight has values below 0")
        if not weight.any():
            raise ValueError("sample_weight is 0 for all rows")
        if not weight.all():
            kept = weight > 0
            X, y, weight = X[kept], y[kept], weight[kept]
        return X, y, weight

    def _fit_table(self, frame, y):
        """A frame with text or missing values: the library reads it as a CSV file."""
        _check_whole(y)
        self._check_feature_names(frame, reset=not self._is_warm())
        self._check_n_features(frame, reset=not self._is_warm())
        y = self._same_targets(np.asarray(y)) if self._is_warm() else self._targets(np.asarray(y), None)
        if len(y) != len(frame):
            raise ValueError(f"X has {len(frame)} rows, but y has {len(y)}")
        options = {"header": "yes", "delimiter": "comma", "test-fraction": "0", "label": _table.labels(frame, y)}
        names, categories = self._class_names(), _table.categories(frame)
        if names is not None and not any(n == "" or "," in n or not n.isprintable() for n in names):
            options["class-names"] = ",".join(names)
        if categories:
            options["categorical"] = ",".join(categories)
        options.update(self._all_options(len(frame), None))
        if self.normalize is None:
            options["normalize"] = "auto"
        with _table.as_file(frame, y) as path:
            options["data"] = path
            options.setdefault("out", path + ".run")  # the converted table lies in a run folder
            return self._train(options, None, len(frame), None,
                               lambda text: warnings.warn("mlpdist: " + _table.without_path(text, path)))

    def _seed(self, comm):
        if isinstance(self.random_state, (int, np.integer)):
            return int(self.random_state)
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        return seed if comm is None else comm.bcast(seed)

    def _all_options(self, rows, comm):
        return {**_options.collect(self, rows, self._seed(comm)), **self._task_options(), **_options.own(self)}

    def _is_warm(self):
        """Does the next fit begin with the weights of the one before?"""
        return self.warm_start and hasattr(self, "model_")

    def _train(self, options, data, rows, comm, say=_fit.logger.info):
        run = _Run(self, options)
        before, curve, seen = None, [], 0
        if self._is_warm():
            before, curve, seen = self.model_, self.loss_curve_, self.t_
            options.pop("init-from", None)
            options["normalize"] = "auto"  # the model's own
        run.before = len(curve)
        model, result = _fit.train(options, data, run.epoch_done, comm, before, _options.names(self), say)
        self.model_, rows = Model(model), result.train_rows
        run.take(result.choice.run)
        if result.stopped_early and (comm is None or comm.rank == 0):
            run.stopped_early()
        if comm is not None:
            run.losses, run.valid, run.ended, run.epochs, rows = comm.bcast((run.losses, run.valid, run.ended, run.epochs, rows))
        self._take_losses(curve + run.losses, seen + len(run.losses) * rows)
        self.validation_metrics_ = run.valid or None
        self._take_scores()
        self._take_weights()
        if not run.ended and len(run.losses) == run.epochs and self.preset in (None, "none"):  # its schedule ends there
            warnings.warn(f"mlpdist: the {run.epochs} epochs of max_iter have passed, and the loss still falls",
                          ConvergenceWarning)
        return self

    def _take_losses(self, curve, seen):
        self.loss_curve_, self.n_iter_ = curve, len(curve)
        self.loss_, self.best_loss_ = curve[-1], None if _options.stops_early(self) else min(curve)
        self.t_ = seen

    def _take_weights(self):
        weights = self.model_.weights()
        self.coefs_, self.intercepts_ = [w for w, _ in weights], [b for _, b in weights]
        self.n_layers_, self.n_outputs_ = len(weights) + 1, self.model_.n_outputs
        self.out_activation_ = _options.sklearn_activation(self.model_.output_activation)

    def _take_scores(self):
        """Those of a regression would be R2, which the run does not compute."""
        self.validation_scores_ = self.best_validation_score_ = None

    # ---- A pass at a time -------------------------------------------------------------------------------------------

    def _pass(self, X, y, targets_of):
        """One pass over the rows, in an order drawn anew, by a Trainer, whose optimizer goes on from pass to pass."""
        if _table.needs_reader(X):
            raise ValueError("mlpdist: partial_fit takes numbers without missing values: encode the frame, for example "
                             "by OneHotEncoder and SimpleImputer in a Pipeline")
        _check_dense(X)
        _check_whole(y)
        first = not hasattr(self, "model_")
        X, y = validate_data(self, X, y, dtype=NUMBERS, multi_output=True, reset=first)
        y, targets = targets_of(y)
        if getattr(self, "_trainer", None) is None:
            self._trainer = self._make_trainer(X.shape[0], targets, None if first else self.model_)
        order = np.random.RandomState((self._seed_of_passes + self._trainer.steps) % 2**32).permutation(X.shape[0])
        batches = [order[i:i + self._batch_of_passes] for i in range(0, len(order), self._batch_of_passes)]
        loss = sum(self._trainer.step(X[some], y[some]) * len(some) for some in batches) / len(order)
        self.model_ = self._trainer.model()
        self._take_losses(([] if first else self.loss_curve_) + [loss], (0 if first else self.t_) + len(order))
        self.validation_metrics_ = None
        self._take_scores()
        self._take_weights()
        return self

    def _make_trainer(self, rows, targets, start):
        options = _options.of_passes(self._all_options(rows, None), self, first=start is None)
        if self.preset not in (None, "none"):
            raise ValueError(f"mlpdist: preset={self.preset!r} is not possible in partial_fit; it takes quartiles of all rows")
        self._seed_of_passes, self._batch_of_passes = int(options["seed"]), int(options["batch"])
        given = options.pop("init-from", None)
        if start is not None:
            options["normalize"] = "auto"  # the model's own
        return Trainer(self.n_features_in_, targets, init_from=start if start is not None else given,
                       steps_per_epoch=-(-rows // self._batch_of_passes),
                       **{name.replace("-", "_"): text for name, text in options.items()})

    # ---- Answers ----------------------------------------------------------------------------------------------------

    def __sklearn_is_fitted__(self):  # quicker than a look at all attributes
        return hasattr(self, "model_")

    def _values(self, X):
        """(n, outputs), by whichever way the rows came in fit."""
        check_is_fitted(self)
        if _table.needs_reader(X):
            self._check_feature_names(X, reset=False)
            self._check_n_features(X, reset=False)
            return self.model_.values(X)
        asked = validate_data(self, X, dtype=NUMBERS, reset=False)
        if _table.is_frame(X) and self.model_.option("header") == "yes":
            return self.model_.values(X)
        return self.model_.values(asked)


class _Run:
    """What the epochs of a fit tell, and when it ends: as scikit-learn's, once the training loss has not fallen by tol
    for more than n_iter_no_change epochs, unless a validation part decides. With an adaptive rate, only at its least,
    and by the loss that the rate goes by: of the validation rows, if there are any."""

    def __init__(self, estimator, options):
        self.losses, self.valid, self.ended = [], [], False
        self.first = None  # losses and figures of the first run of a choice
        self.before = 0  # epochs of the fits that a warm one goes on from
        self.epochs = 0  # known once the run has begun, as epochs may be "auto"
        self.verbose, self.tol = estimator.verbose, estimator.tol
        self.patience = estimator.n_iter_no_change
        self.early = _options.stops_early(estimator) and estimator.patience is None and estimator.min_delta is None
        self.by_loss = options.get("patience") == "0"  # a preset keeps the best epoch instead
        self.best, self.since = np.inf, 0
        self.adapts = _options.adapts(estimator)
        self.metric = "score" if is_classifier(estimator) else "rmse"

    def _begin_second(self):
        """Of embed_numbers="auto", which trains without bins first."""
        self.first = self.losses, self.valid
        self.losses, self.valid = [], []

    def take(self, number):
        """The epochs of run 1 or 2 of a choice are those of the fit."""
        if number == 1 and self.first is not None:
            self.losses, self.valid = self.first

    def epoch_done(self, epoch):
        if self.losses and epoch.epoch == 1:
            self._begin_second()
        loss, self.epochs = epoch.train_loss, epoch.epochs
        self.losses.append(loss)
        if epoch.has_valid:
            self.valid.append(epoch.valid_metric)
        if self.verbose:
            print(f"Iteration {self.before + epoch.epoch}, loss = {loss:.8f}")
        if self.verbose and epoch.has_valid:
            print(f"Validation {self.metric}: {epoch.valid_metric:f}")
        decides = epoch.valid_loss if self.adapts and epoch.has_valid else loss
        self.since = self.since + 1 if decides > self.best - self.tol else 0
        self.best = min(self.best, decides)
        at_end = not self.adapts or epoch.lr <= _options.LEAST_RATE
        if self.by_loss and self.since > self.patience and at_end and not self.ended:  # an epoch of one step has a next
            self.ended = True
            self._say_end("Training loss" if decides is loss else "Validation loss")
        return self.ended

    def stopped_early(self):
        """The library has ended the run, by option patience."""
        if self.early:
            self._say_end(f"Validation {self.metric}")

    def _say_end(self, what):
        if self.verbose:
            print(f"{what} did not improve more than tol={self.tol:f} for {self.patience} consecutive epochs. Stopping.")


# What scikit-learn's check_estimator leaves out, and why.
_LEFT_OUT = {"check_sample_weights_invariance": "rows of weight 0 are left out, but the order of the others has changed in "
                                               "this check, and with it the order of the float32 sums"}


@_options.with_parameters
class MLPClassifier(ClassifierMixin, _MLP):
    """A multilayer perceptron for classes: scikit-learn's MLPClassifier, trained by mlpdist.

    Parameters are those of scikit-learn's, and the options of `mlpdist train` by their names (`-` as `_`), such as
    dropout=0.2, norm="layer", schedule="cosine", threads=4. Attributes: classes_, coefs_, intercepts_, loss_,
    loss_curve_, n_iter_, n_features_in_, feature_names_in_, and model_ (mlpdist.Model).
    """

    def _more_tags(self):
        return {"multilabel": True, "_xfail_checks": _LEFT_OUT}

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags

    def _targets(self, y, comm):
        """Class numbers (n) int32, or of several labels a row their indicators (n, labels)."""
        y, classes = _together(comm, lambda: self._found(y))
        if self._multilabel:
            self.classes_ = classes
            return y
        if comm is not None:
            classes = np.unique(np.concatenate(comm.allgather(classes)))
        if len(classes) < 2:
            raise ValueError("MLPClassifier needs at least two classes; the data contains 1 class")
        self.classes_ = classes
        return np.searchsorted(classes, y).astype(np.int32)

    def _found(self, y):
        """y and the classes in it, of this rank."""
        check_classification_targets(y)
        self._multilabel = type_of_target(y) == "multilabel-indicator"
        if self._multilabel:
            return np.ascontiguousarray(y, np.float32), np.arange(y.shape[1])
        y = column_or_1d(y, warn=True)
        return y, np.unique(y)

    def _same_targets(self, y, whole=True):
        """The same, of a model that knows its classes; whole: all of them must occur."""
        if self._multilabel:
            return np.ascontiguousarray(y, np.float32)
        y = column_or_1d(y, warn=True)
        found = np.unique(y)
        if whole and set(found) != set(self.classes_):
            raise ValueError("warm_start can only be used where `y` has the same classes as in the previous call to fit. "
                             f"Previously got {self.classes_}, `y` has {found}")
        if not np.isin(found, self.classes_).all():
            raise ValueError(f"`y` has classes not in `self.classes_`. `self.classes_` has {self.classes_}. 'y' has "
                             f"{found}.")
        return np.searchsorted(self.classes_, y).astype(np.int32)

    @available_if(_options.has_passes)
    def partial_fit(self, X, y, classes=None):
        """One pass over these rows; the first call needs all classes. The optimizer goes on from call to call."""
        _options.check(self)
        _check_whole(y)
        if _check_partial_fit_first_call(self, classes):
            self._multilabel = type_of_target(y) == "multilabel-indicator"
        return self._pass(X, y, lambda y: (self._same_targets(y, whole=False), len(self.classes_)))

    def _take_scores(self):
        self.validation_scores_ = self.validation_metrics_ if _options.stops_early(self) else None
        self.best_validation_score_ = max(self.validation_scores_) if self.validation_scores_ else None

    def _class_names(self):
        return None if self._multilabel else [str(c) for c in self.classes_]

    def _task_options(self):
        if self._multilabel:
            return {"task": "regression", "loss": "binary-cross-entropy"}
        return {"task": "classification", "classes": str(len(self.classes_))}

    def predict(self, X):
        """(n) the most probable class of each row; of several labels (n, labels) 0 and 1."""
        probability = self.predict_proba(X)
        if self._multilabel:
            return (probability > 0.5).astype(int)
        return self.classes_[probability.argmax(axis=1)]

    def predict_proba(self, X):
        """(n, classes) the probability of each class."""
        values = self._values(X)
        return np.hstack([1 - values, values]) if values.shape[1] == 1 and not self._multilabel else values

    def predict_log_proba(self, X):
        """The logarithm of predict_proba(X)."""
        with np.errstate(divide="ignore"):
            return np.log(self.predict_proba(X))


@_options.with_parameters
class MLPRegressor(RegressorMixin, _MLP):
    """A multilayer perceptron for values: scikit-learn's MLPRegressor, trained by mlpdist.

    Parameters as of MLPClassifier; targets are not normalised unless normalize_targets="standard".
    """

    def _more_tags(self):
        return {"multioutput": True, "_xfail_checks": _LEFT_OUT}

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    def _targets(self, y, comm):
        """(n) or (n, targets)."""
        return _together(comm, lambda: self._same_targets(y))

    def _same_targets(self, y, whole=True):
        y = np.asarray(y)
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        return y if y.dtype == np.float32 else y.astype(np.float64)

    @available_if(_options.has_passes)
    def partial_fit(self, X, y):
        """One pass over these rows. The optimizer goes on from call to call."""
        _options.check(self)

        def targets_of(y):
            y = self._same_targets(y)
            return y, 1 if y.ndim == 1 else y.shape[1]

        return self._pass(X, y, targets_of)

    def _class_names(self):
        return None

    def _task_options(self):
        return {"task": "regression"}

    def predict(self, X):
        """(n), or of several targets (n, targets)."""
        values = self._values(X)
        return values[:, 0] if values.shape[1] == 1 else values
