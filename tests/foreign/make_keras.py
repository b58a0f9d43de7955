#!/usr/bin/env python3
"""Makes models of Keras in the folder of the first argument, with h5py and zipfile as keras.src.saving.saving_lib (3.x) and
keras.src.legacy.saving.legacy_h5_format write them; NAME.csv is what their formulas predict for rows.csv.
"""

import io
import json
import os
import sys
import zipfile

import h5py
import numpy as np

draw = np.random.RandomState(4)
x = draw.normal(size=(9, 4)).astype("f")


def numbers(*shape):
    return (draw.normal(size=shape) * 0.7).astype("f")


def positive(n):
    return (draw.random_sample(n) + 0.2).astype("f")


def dense(name, inputs, units, activation="linear", bias=True):
    arrays = [("kernel", numbers(inputs, units))] + [("bias", numbers(units))] * bias
    return ("Dense", {"name": name, "units": units, "activation": activation, "use_bias": bias}, arrays)


def batch_norm(name, n, scale=True):
    arrays = [("gamma", numbers(n))] * scale
    arrays += [("beta", numbers(n)), ("moving_mean", numbers(n)), ("moving_variance", positive(n))]
    return ("BatchNormalization", {"name": name, "axis": -1, "epsilon": 0.01, "scale": scale, "center": True}, arrays)


def layer_norm(name, n):
    config = {"name": name, "axis": -1, "epsilon": 0.001, "center": True, "scale": True, "rms_scaling": False}
    return ("LayerNormalization", config, [("gamma", numbers(n)), ("beta", numbers(n))])


def rms_norm(name, n, epsilon=1e-6):
    return ("RMSNormalization", {"name": name, "axis": -1, "epsilon": epsilon}, [("scale", numbers(n))])


def layer(kind, name, **config):
    return (kind, {"name": name, **config}, [])


# ---- What they predict, as Keras documents each

sigmoid = lambda z: 1 / (1 + np.exp(-z))
FUNCTIONS = {
    "linear": lambda z: z, "relu": lambda z: np.maximum(z, 0), "tanh": np.tanh, "sigmoid": sigmoid, "silu": lambda z: z * sigmoid(z),
    "softmax": lambda z: np.exp(z) / np.exp(z).sum(1, keepdims=True), "leaky_relu": lambda z: np.where(z > 0, z, 0.2 * z),
    "hard_sigmoid": lambda z: np.clip(z / 6 + 0.5, 0, 1), "hard_tanh": lambda z: np.clip(z, -1, 1),
    "log_sigmoid": lambda z: -np.log1p(np.exp(-z)), "mish": lambda z: z * np.tanh(np.log1p(np.exp(z)))}


def activate(said, z, old):
    if isinstance(said, dict) and said["class_name"] != "function":
        return apply((said["class_name"], said["config"], []), z, old)
    name = said["config"] if isinstance(said, dict) else said
    return np.clip(0.2 * z + 0.5, 0, 1) if old and name == "hard_sigmoid" else FUNCTIONS[name](z)


def apply(one, a, old=False):
    kind, config, arrays = one
    v = {key: value.astype("d") for key, value in arrays}
    if kind == "Dense":
        return activate(config["activation"], a @ v["kernel"] + v.get("bias", 0), old)
    if kind == "BatchNormalization":
        return (a - v["moving_mean"]) / np.sqrt(v["moving_variance"] + config["epsilon"]) * v.get("gamma", 1) + v["beta"]
    if kind == "LayerNormalization":
        return (a - a.mean(1, keepdims=True)) / np.sqrt(a.var(1, keepdims=True) + config["epsilon"]) * v["gamma"] + v["beta"]
    if kind == "RMSNormalization":
        return a / np.sqrt((a**2).mean(1, keepdims=True) + config["epsilon"]) * v["scale"]
    if kind == "Normalization":
        mean, deviation = v.get("mean", config["mean"]), np.sqrt(v.get("variance", config["variance"]))
        return a * deviation + mean if config["invert"] else (a - mean) / deviation
    if kind == "Activation":
        return activate(config["activation"], a, old)
    if kind == "PReLU":
        return np.where(a > 0, a, v["alpha"] * a)
    if kind in ("LeakyReLU", "ReLU"):
        bound = np.inf if config.get("max_value") is None else config["max_value"]
        return np.minimum(np.where(a > 0, a, config.get("negative_slope", config.get("alpha")) * a), bound)
    assert kind in ("Dropout", "InputLayer"), kind
    return a


# ---- Files

GROUPS = {"Dense": "dense", "BatchNormalization": "batch_normalization", "LayerNormalization": "layer_normalization",
          "RMSNormalization": "rms_normalization", "Normalization": "normalization", "PReLU": "p_re_lu", "Dropout": "dropout", "LeakyReLU": "leaky_re_lu", "ReLU": "re_lu",
          "Activation": "activation", "InputLayer": "input_layer"}


def node(name, width):
    tensor = {"class_name": "__keras_tensor__", "config": {"shape": [None, width], "dtype": "float32", "keras_history": [name, 0, 0]}}
    return [{"args": [tensor], "kwargs": {"training": False}}]


MODULES = {"hub": "keras_hub.src.models.gemma.rms_normalization"}  # of layers that are not Keras's


def describe(layers, functional, outputs=None):
    said = []
    for kind, config, _ in layers:
        said.append({"module": MODULES.get(config["name"], "keras.layers"), "class_name": kind, "config": {**config, "trainable": True}, "registered_name": None})
        if functional:
            said[-1]["name"] = config["name"]
            said[-1]["inbound_nodes"] = node(layers[len(said) - 2][1]["name"], 4) if len(said) > 1 else []
    config = {"name": "net", "trainable": True, "layers": said}
    if functional:
        config["output_layers"] = outputs or [layers[-1][1]["name"], 0, 0]
    return {"module": "keras", "class_name": "Functional" if functional else "Sequential", "config": config}


def with_input(layers):
    return [("InputLayer", {"name": "in", "batch_shape": [None, 4], "dtype": "float32", "sparse": False}, [])] + layers


def save_keras(name, layers, functional=False, outputs=None, root="layers/", version="3.8.0", compression=zipfile.ZIP_STORED):
    layers, counts, buffer = with_input(layers), {}, io.BytesIO()
    with h5py.File(buffer, "w") as file:
        file.create_group("vars")
        for kind, _, arrays in layers:
            if kind == "InputLayer" and not functional:
                continue
            count = counts[kind] = counts.get(kind, -1) + 1
            group = file.create_group(root + GROUPS[kind] + (f"_{count}" if count else "")).create_group("vars")
            for k, (_, value) in enumerate(arrays):
                group[str(k)] = value
    with zipfile.ZipFile(name, "w", compression) as archive:
        archive.writestr("metadata.json", json.dumps({"keras_version": version, "date_saved": "2026-11-29@10:00:00"}))
        archive.writestr("config.json", json.dumps(describe(layers, functional, outputs)))
        archive.writestr("model.weights.h5", buffer.getvalue())


def save_h5(name, layers, version="3.8.0"):
    layers = with_input(layers)
    with h5py.File(name, "w") as file:
        file.attrs["keras_version"] = version
        file.attrs["model_config"] = json.dumps(describe(layers, False))
        for _, config, arrays in layers:
            file.create_group(f"model_weights/{config['name']}")
            for key, value in arrays:
                file[f"model_weights/{config['name']}/net/{config['name']}/{key}"] = value


def save_want(name, layers, old=False):
    a = x.astype("d")
    for one in layers:
        a = apply(one, a, old)
    np.savetxt(name + ".csv", a, "%.9g", ",")


def main():
    os.chdir(sys.argv[1])
    np.savetxt("rows.csv", x, "%.9g", ",", header="a,b,c,d", comments="")
    usual = [("Normalization", {"name": "adapt", "axis": [-1], "invert": False, "mean": None, "variance": None},
              [("mean", numbers(4)), ("variance", positive(4)), ("count", np.int64(0))]),
             dense("first", 4, 6, bias=False), batch_norm("bn", 6), layer("Activation", "act", activation="relu"),
             layer("Dropout", "drop", rate=0.2), layer_norm("ln", 6), dense("second", 6, 5, "silu"), batch_norm("late", 5, scale=False),
             dense("third", 5, 3, "softmax")]
    leaky = {"module": "keras.layers", "class_name": "LeakyReLU", "config": {"name": "leaky", "negative_slope": 0.3}}
    function = {"module": "builtins", "class_name": "function", "config": "leaky_relu", "registered_name": "function"}
    slopes = [dense("a", 4, 6), ("PReLU", {"name": "prelu", "shared_axes": None}, [("alpha", numbers(6))]), dense("b", 6, 5, leaky),
              dense("c", 5, 4, function), dense("d", 4, 5, "tanh"), dense("e", 5, 4), layer("ReLU", "f", negative_slope=0.1),
              dense("g", 4, 3), ("PReLU", {"name": "one", "shared_axes": [1]}, [("alpha", numbers(1))]), dense("h", 3, 2)]
    scaled = [layer("Normalization", "given", axis=[-1], invert=True, mean=[[1, 2, 3, 0.5]], variance=[[1, 4, 0.5, 2]]),
              dense("a", 4, 5, "hard_sigmoid"), dense("b", 5, 4, "log_sigmoid"), dense("c", 4, 5, "hard_tanh"), dense("d", 5, 4, "mish"),
              dense("bent", 4, 4), layer("ReLU", "bounded", max_value=0.5, negative_slope=0.0, threshold=0.0), dense("e", 4, 2, "hard_sigmoid")]
    roots = [dense("a", 4, 6), rms_norm("n", 6), layer("Activation", "act", activation="tanh"), dense("b", 6, 5, "relu"),
             rms_norm("m", 5, 0.01), dense("c", 5, 2)]
    for name, layers in (("usual", usual), ("roots", roots), ("slopes", slopes), ("scaled", scaled)):
        save_keras(name + ".keras", layers)
        save_h5(name + ".h5", layers)
        save_want(name, layers)
    save_keras("functional.keras", usual, functional=True, compression=zipfile.ZIP_DEFLATED)
    save_keras("listed.keras", usual, functional=True, outputs=[["third", 0, 0]])
    save_keras("old.keras", scaled, root="_layer_checkpoint_dependencies/", version="2.12.0")
    save_want("old", scaled, old=True)
    # Refused
    rms = layer_norm("ln", 3)
    rms[1]["rms_scaling"] = True
    save_keras("rms.keras", [dense("a", 4, 3, "relu"), rms, dense("b", 3, 2)])
    save_keras("hub.keras", [dense("a", 4, 3), rms_norm("hub", 3), dense("b", 3, 2)])
    save_keras("elu.keras", [dense("a", 4, 3), dense("b", 3, 2, {"class_name": "ELU", "config": {"alpha": 0.5}})])
    save_keras("quantized.keras", [("Dense", {"name": "a", "use_bias": True}, [("kernel", np.ones((4, 2), "i1")), ("bias", numbers(2))])])
    save_keras("lacks.keras", [("Dense", {"name": "a", "use_bias": True}, [("kernel", numbers(4, 2))])])
    save_keras("two.keras", usual, functional=True, outputs=[["third", 0, 0], ["second", 0, 0]])
    save_keras("inner.keras", usual, functional=True, outputs=["second", 0, 0])
    save_keras("named.keras", usual, functional=True, outputs={"a": ["third", 0, 0], "b": ["second", 0, 0]})
    save_keras("wrong.keras", [dense("a", 4, 3), dense("b", 5, 2)])
    with zipfile.ZipFile("empty.keras", "w") as archive:
        archive.writestr("config.json", "{}")
    with zipfile.ZipFile("usual.keras") as archive, zipfile.ZipFile("forged.keras", "w") as forged:
        for name in archive.namelist():
            content = archive.read(name)
            forged.writestr(name, content[: len(content) // 2] if name.endswith("h5") else content)


if __name__ == "__main__":
    sys.exit(main())
