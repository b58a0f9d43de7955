"""Parameters of the estimators: scikit-learn's, and the options of `mlpdist train` by their names."""
import difflib
import inspect
import math
import numbers
import os
import warnings

SKLEARN = dict(  # names, order and defaults of scikit-learn's MLPClassifier and MLPRegressor
    hidden_layer_sizes=(100,), activation="relu", solver="adam", alpha=0.0001, batch_size="auto",
    learning_rate="constant", learning_rate_init=0.001, power_t=0.5, max_iter=200, shuffle=True, random_state=None,
    tol=1e-4, verbose=False, warm_start=False, momentum=0.9, nesterovs_momentum=True, early_stopping=False,
    validation_fraction=0.1, beta_1=0.9, beta_2=0.999, epsilon=1e-8, n_iter_no_change=10, max_fun=15000)
POSITIONAL = ("hidden_layer_sizes", "activation")

# Options of `mlpdist train`; None leaves what scikit-learn's parameter of the same meaning says, or the default.
OWN = ("preset hidden optimizer lr epochs batch seed weight_decay beta1 beta2 valid_fraction patience min_delta normalize clip_inputs clamp_predictions "
       "normalize_targets output_activation parametric_activation norm dropout input_dropout input_noise input_scale input_scale_decay ensemble members folds embed_above embed_width embed_numbers embed_bins embed_edges parametrization init "
       "loss label_smoothing focal_gamma quantiles class_weight trust_coefficient lbfgs_history decay clip_norm clip_value ema swa_start "
       "schedule lr_min lr_gamma lr_step_epochs lr_power lr_rise lr_flat lr_restart_factor lr_patience warmup_epochs "
       "lr_scale base_batch regularization_schedule init_from lanes select save checkpoint_every keep check_every stall_timeout stall_abort reduce "
       "update overlap backend threads out log").split()

# Here the rows come as arrays, and a run is not resumed, so that these have no meaning.
NOT_HERE = ("data x y weight valid-x valid-y test-x test-y task classes label ignore columns categorical header "
            "encoding dates delimiter skip-lines decimal thousands strip missing drop-missing class-names test-fraction split-seed stream window "
            "memory resume trace trace-steps").split()

ACTIVATIONS = {"logistic": "sigmoid"}  # scikit-learn's name: ours


def sklearn_activation(name):
    return {ours: theirs for theirs, ours in ACTIVATIONS.items()}.get(name, name)


def with_parameters(cls):
    """Gives the class an __init__ that keeps each parameter as an attribute, as scikit-learn wants it."""
    defaults = {**SKLEARN, **{name: None for name in OWN}}
    kind = inspect.Parameter
    signature = inspect.Signature(
        [kind("self", kind.POSITIONAL_OR_KEYWORD)] +
        [kind(n, kind.POSITIONAL_OR_KEYWORD if n in POSITIONAL else kind.KEYWORD_ONLY, default=d)
         for n, d in defaults.items()])

    def __init__(self, *arguments, **named):
        for name in named:
            if name not in defaults:
                near = difflib.get_close_matches(name, defaults, 1)
                raise TypeError(f"{type(self).__name__} has no parameter {name!r}" +
                                (f"; did you mean {near[0]!r}?" if near else ""))
        given = signature.bind(self, *arguments, **named).arguments
        del given["self"]
        for name, default in defaults.items():
            setattr(self, name, given.get(name, default))

    __init__.__signature__ = signature
    cls.__init__ = __init__
    return cls


def as_text(value):
    """A value as the command line takes it."""
    if isinstance(value, str):
        return value
    if hasattr(value, "__fspath__"):
        return os.fspath(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if hasattr(value, "__iter__"):
        return ",".join(as_text(v) for v in value)
    return repr(value.item() if hasattr(value, "item") else value)


def _refuse(problem, cure):
    raise ValueError(f"mlpdist: {problem}; {cure}")


# scikit-learn's parameters that are one number; "auto" is a batch_size, too.
NUMERIC = ("alpha", "batch_size", "learning_rate_init", "max_iter", "tol", "momentum", "validation_fraction", "beta_1",
           "beta_2", "epsilon", "n_iter_no_change", "power_t", "max_fun")


def _check_types(e):
    for name in NUMERIC:
        value = getattr(e, name)
        if not isinstance(value, numbers.Real) and not (name == "batch_size" and value == "auto"):
            _refuse(f"{name}={value!r} is no number", "give one" if name != "batch_size" else "give one, or 'auto'")
    sizes = e.hidden_layer_sizes
    for size in sizes if hasattr(sizes, "__iter__") and not isinstance(sizes, str) else [sizes]:
        if not isinstance(size, numbers.Integral) or size < 1:
            _refuse(f"hidden_layer_sizes={sizes!r} is neither a whole number from 1 nor several", "(100,) is the default")


def _searches(e):
    """Each step is over all rows."""
    return (e.optimizer or e.solver) == "lbfgs"


def stops_early(e):
    """early_stopping is for the other solvers alone, as in scikit-learn."""
    return bool(e.early_stopping) and not _searches(e)


def _check_stop(e):
    if not e.tol < math.inf:
        _refuse(f"tol={e.tol!r} is no difference of losses", "0 lets any lower loss count")
    if e.n_iter_no_change < 1 or (e.n_iter_no_change != math.inf and e.n_iter_no_change % 1 != 0):
        _refuse(f"n_iter_no_change={e.n_iter_no_change!r} is not a whole number from 1", "give one, or numpy.inf")
    if _searches(e) and e.max_fun < SKLEARN["max_fun"]:
        _refuse(f"max_fun={e.max_fun!r} is not possible", "max_iter limits the steps")


def check_choice(e):
    """For fit: embed_numbers="auto" trains two networks, of which validation rows choose one. The library ends both runs."""
    if e.embed_numbers != "auto":
        return
    if e.warm_start or e.init_from is not None:
        _refuse(f"embed_numbers='auto' compares networks that start anew, not those of {'warm_start' if e.warm_start else 'init_from'}",
                "leave out one of them, or use embed_numbers='piecewise'")
    if not stops_early(e) and e.preset in (None, "none"):
        _refuse("embed_numbers='auto' chooses by validation rows", "use preset='tabular' or early_stopping=True")
    if str(e.patience) == "0":
        _refuse("embed_numbers='auto' does not go with patience=0, which ends a fit by its training loss", "leave out one of them")
    if adapts(e):
        _refuse("embed_numbers='auto' does not go with learning_rate='adaptive', which ends a fit by its loss", "leave out one of them")


def check(e):
    """Refuses what scikit-learn's estimators can and these cannot, and values out of range or of another type."""
    _check_types(e)
    _check_stop(e)
    if not e.learning_rate_init > 0:
        _refuse(f"learning_rate_init={e.learning_rate_init!r} is not above 0", "0.001 is the default")
    if e.learning_rate not in ("constant", "adaptive", "invscaling"):
        _refuse(f"learning_rate={e.learning_rate!r} is not known", "constant, adaptive and invscaling are, and schedule names others")
    if not e.shuffle and not _searches(e):
        _refuse("shuffle=False is not possible", "rows are drawn in a new order in each epoch, keyed by random_state")
    if e.batch_size != "auto" and e.batch_size <= 0:
        _refuse(f"batch_size={e.batch_size!r} is not positive", "give a number of rows or 'auto'")
    if not e.alpha >= 0:
        _refuse(f"alpha={e.alpha!r} is not 0 or above", "0 is no L2 term")
    if e.max_iter < 1:
        _refuse(f"max_iter={e.max_iter!r} is not positive", "give a number of epochs")
    if stops_early(e) and not 0 < e.validation_fraction <= 0.9:
        _refuse(f"validation_fraction={e.validation_fraction!r} is not between 0 and 0.9", "0.1 is usual")


def has_passes(e):
    if _searches(e):
        raise AttributeError("mlpdist: solver='lbfgs' has no partial_fit: each step is over all rows; call fit")
    return True


NOT_IN_PASSES = ("valid-fraction patience select min-delta save checkpoint-every keep classes stall-timeout stall-abort "
                "out ema swa-start class-weight").split()


def of_passes(options, e, first):
    """Those of them that a Trainer takes, if the first pass is this one; refuses what only whole fits can."""
    if e.early_stopping:
        _refuse("partial_fit does not support early_stopping=True", "call fit, or leave early_stopping out")
    if adapts(e):
        _refuse("learning_rate='adaptive' has no meaning in partial_fit", "call fit, or leave it out")
    for name in ("out", "ema", "swa_start", "class_weight", "patience", "valid_fraction", "folds"):
        if getattr(e, name) is not None:
            _refuse(f"{name}={getattr(e, name)!r} has no meaning in partial_fit", "call fit, or leave it out")
    if first and e.normalize in ("robust", "quantile", "mixed"):
        _refuse(f"normalize={e.normalize!r} is not possible in partial_fit, which does not know the quantiles of all rows",
                "use normalize='standard', or a transformer of scikit-learn before it")
    if e.embed_numbers == "auto":
        _refuse("embed_numbers='auto' is not possible in partial_fit, which has no validation rows", "use embed_numbers='periodic', or call fit")
    if first and e.embed_numbers == "piecewise":
        _refuse("embed_numbers='piecewise' is not possible in partial_fit, which does not know the quantiles of all rows",
                "use embed_numbers='periodic', or call fit before it")
    return {name: text for name, text in options.items() if name not in NOT_IN_PASSES}


MOST_PATIENCE = 10**9  # of options patience and lr-patience; n_iter_no_change may be infinite


def _patience(e):
    """n_iter_no_change epochs may pass without a gain; the option ends the run in the epoch that it names."""
    return min(e.n_iter_no_change + 1, MOST_PATIENCE)


def _learning_rate(e):
    """It is for solver sgd alone, as in scikit-learn."""
    return e.learning_rate if e.solver == "sgd" and e.schedule is None else "constant"


def adapts(e):
    """Does the rate fall when the loss does not?"""
    return _learning_rate(e) == "adaptive"


LEAST_RATE = 1e-6  # of learning_rate adaptive: a fit ends there


def _optimizer(e):
    if e.solver != "sgd":
        return e.solver
    if e.momentum == 0:
        return "sgd"
    return "nesterov" if e.nesterovs_momentum else "momentum"


def _hidden(sizes):
    return as_text(sizes if hasattr(sizes, "__iter__") else [sizes])


def _activation(names):
    return as_text([ACTIVATIONS.get(n, n) for n in ([names] if isinstance(names, str) else names)])


def own(e):
    """{name: text} of the library's options that were given by their own names."""
    given = {name: getattr(e, name) for name in OWN}
    if isinstance(e.class_weight, dict):
        given["class_weight"] = [e.class_weight.get(c, 1) for c in getattr(e, "classes_", [])]
    return {name.replace("_", "-"): as_text(value) for name, value in given.items() if value is not None}


PARAMETERS = {"hidden": "hidden_layer_sizes", "activation": "activation", "optimizer": "solver", "lr": "learning_rate_init",
              "batch": "batch_size", "epochs": "max_iter", "beta1": "beta_1", "beta2": "beta_2", "epsilon": "epsilon",
              "momentum": "momentum", "power-t": "power_t", "weight-decay": "alpha"}


OTHERS = {"seed": "random_state", "patience": "n_iter_no_change", "min-delta": "tol", "valid-fraction": "validation_fraction",
          "lr-patience": "n_iter_no_change"}


def names(e):
    """{option: parameter} of the options that the estimator gives by scikit-learn's names."""
    return {option: name for option, name in {**PARAMETERS, **OTHERS}.items()
            if getattr(e, option.replace("-", "_"), None) is None or option.replace("-", "_") in SKLEARN}


def _chosen(e, made):
    """What differs from scikit-learn's defaults: all else is the preset's."""
    return {name: made[name] for name, parameter in PARAMETERS.items() if getattr(e, parameter) != SKLEARN[parameter]}


def _leave_to_model(e, made):
    """What a model that the fit starts from decides, unless it was given."""
    for name, parameter in (("hidden", "hidden_layer_sizes"), ("activation", "activation")):
        if getattr(e, parameter) == SKLEARN[parameter]:
            made.pop(name, None)
    for name in ("normalize", "normalize-targets"):
        made.pop(name, None)


def _training_rows(e, rows):
    """Those that early_stopping leaves for training."""
    if not stops_early(e) or (e.folds is not None and e.folds > 1):
        return rows
    return max(rows - int(e.validation_fraction * rows + 0.5), 1)


def _batch(e, rows):
    if _searches(e):
        return rows
    rows = _training_rows(e, rows)
    if e.batch_size != "auto" and rows < e.batch_size:
        warnings.warn(f"mlpdist: batch_size={e.batch_size!r} is more than the {rows} training rows: all of them are one batch")
    return min(200 if e.batch_size == "auto" else int(e.batch_size), rows)


def collect(e, rows, seed):
    """{name: text} of all options of a fit of so many rows. Each of scikit-learn's defaults is set, so that nothing
    depends on those of `mlpdist train`."""
    batch = _batch(e, rows)
    made = {"preset": "none", "hidden": _hidden(e.hidden_layer_sizes), "activation": _activation(e.activation), "init": "glorot-uniform",
            "optimizer": _optimizer(e), "lr": e.learning_rate_init, "schedule": "constant", "batch": batch,
            "epochs": e.max_iter, "seed": seed, "beta1": e.beta_1, "beta2": e.beta_2, "epsilon": e.epsilon,
            "momentum": e.momentum, "power-t": e.power_t, "normalize": "none", "normalize-targets": "none", "save": "last", "patience": 0,
            "valid-fraction": 0, "weight-decay": e.alpha / batch, "decay": "coupled", "checkpoint-every": "never"}
    if e.preset not in (None, "none"):
        made = {name: made[name] for name in ("seed", "checkpoint-every")} | _chosen(e, made)
    if e.init_from is not None:
        _leave_to_model(e, made)
    if stops_early(e):
        made.update({"valid-fraction": e.validation_fraction, "patience": _patience(e), "select": "error",
                     "min-delta": e.tol, "save": "best"})
    if e.folds is not None and e.folds > 1:  # they are the validation rows
        made["valid-fraction"] = 0
    if adapts(e):  # the rate falls instead; _Run ends the fit
        made.update({"patience": 0, "schedule": "plateau", "lr-gamma": 0.2, "lr-patience": _patience(e), "min-delta": e.tol})
    if _learning_rate(e) == "invscaling":
        made["schedule"] = "invscaling"
    return {**{name: as_text(value) for name, value in made.items()}, **own(e)}
