"""mlpdist for Python: multilayer perceptrons trained on CPUs, with NumPy arrays in and out.

MLPClassifier and MLPRegressor are scikit-learn estimators; load_model() reads what `mlpdist train` wrote.
"""
from ._library import Error, InvalidInput, __version__, build_description
from ._model import Model, load_model
from ._trainer import Trainer

__all__ = ["Error", "InvalidInput", "MLPClassifier", "MLPRegressor", "Model", "Trainer", "build_description", "load_model"]


def __getattr__(name):
    """The estimators need scikit-learn; load_model() does not, so they are imported when they are asked for."""
    if name in ("MLPClassifier", "MLPRegressor"):
        from . import _estimators

        return getattr(_estimators, name)
    raise AttributeError(f"module 'mlpdist' has no attribute '{name}'")


def __dir__():
    return sorted(__all__ + ["__version__"])
