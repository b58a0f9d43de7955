#!/usr/bin/env python3
"""Writes *.safetensors, as the safetensors package does (sorted by type, then by name), damaged ones, rows.csv and *.csv.

Needs NumPy alone; the test that calls it reads the files. Usage: make_safetensors.py FOLDER
"""

import json
import pathlib
import struct
import sys

import numpy as np

DTYPES = {"f8": "F64", "i8": "I64", "f4": "F32", "bf": "BF16", "f2": "F16", "i1": "I8"}
WIDTHS = list(DTYPES)


def raw(values, kind):
    """Bytes of the values in a type of the format."""
    if kind == "bf":
        return (np.asarray(values, "<f4").view("<u4") >> 16).astype("<u2").tobytes()
    return np.ascontiguousarray(values, "<" + kind).tobytes()


def pack(header, data=b"", length=None):
    """The file of a header, as JSON or text."""
    text = header if isinstance(header, bytes) else json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text) if length is None else length) + text + data


def encode(arrays, kind_of=lambda name: "f4"):
    """Header and numbers of a state dict."""
    kinds = {name: "i8" if name.endswith("tracked") else kind_of(name) for name in arrays}
    header, data = {"__metadata__": {"format": "pt"}}, b""
    for name in sorted(arrays, key=lambda name: (WIDTHS.index(kinds[name]), name)):
        stored = raw(arrays[name], kinds[name])
        header[name] = {"dtype": DTYPES[kinds[name]], "shape": list(np.shape(arrays[name])),
                        "data_offsets": [len(data), len(data) + len(stored)]}
        data += stored
    return header, data


def damaged(header, data):
    """Files that are refused, by the word of the refusal that names why."""
    def changed(name, **entry):
        return pack({**header, name: {**header[name], **entry}}, data)
    text = json.dumps(header).encode()
    return {
        "short": b"\1\2\3",
        "length": pack(header, data, 1 << 40),
        "negative": pack(header, data, (1 << 64) - 8),
        "json": pack(b"{" + text, data),
        "list": pack(b"[" + text + b"]", data),
        "deep": pack(b"[" * 200000, data),
        "twice": pack(text[:-1] + b', "0.weight": {}}', data),
        "overlap": changed("2.bias", data_offsets=[0, 8]),
        "gap": pack(header, data + b"more"),
        "outside": changed("2.bias", data_offsets=[8, 1 << 50]),
        "turned": changed("2.bias", data_offsets=[8, 0]),
        "huge": changed("2.bias", shape=[1 << 40, 1 << 40]),
        "product": changed("2.bias", shape=[1 << 31 - 1, 1 << 31 - 1, 1 << 31 - 1]),
        "empty": changed("2.bias", shape=[0]),
        "sizes": changed("2.bias", shape=[3]),
        "text": changed("2.bias", shape="two"),
        "dtype": changed("2.bias", dtype="F8_E4M3"),
        "nan": pack(header, data[:-4] + struct.pack("<f", float("nan"))),
        "name": pack({**header, "2.lora\u202eA": {}}, data),
        "none": pack({}),
    }


def main():
    folder = pathlib.Path(sys.argv[1])
    draw = np.random.RandomState(3)
    x = draw.normal(size=(12, 4))
    np.savetxt(folder / "rows.csv", x, "%.9g", ",", header="a,b,c,d", comments="")

    def make(name, widths, layers, predict_as=None, kind_of=lambda name: "f4"):
        """Linear layers of these names with relu between; eighths are the same in every type."""
        state, a = {}, x
        for i, layer in enumerate(layers):
            w, b = (np.round(draw.normal(size=s) * 8) / 8 for s in ((widths[i + 1], widths[i]), widths[i + 1]))
            state[f"{layer}.weight"], state[f"{layer}.bias"] = w, b
            a = np.maximum(a @ w.T + b, 0) if i + 1 < len(layers) else a @ w.T + b
        header, data = encode(state, kind_of)
        (folder / f"{name}.safetensors").write_bytes(pack(header, data))
        np.savetxt(folder / f"{predict_as or name}.csv", a, "%.17g", ",")
        return header, data

    make("sequential", [4, 6, 6, 6, 6, 6, 6, 2], [f"net.{2 * k}" for k in range(7)])
    make("types", [4, 5, 6, 3, 2], ["w", "v", "u", "t"], kind_of=lambda name: {"w": "f2", "v": "bf", "u": "f8"}.get(name[0], "f4"))
    make("unclear", [4, 6, 6, 6, 2], ["first", "middle", "inner", "last"])
    make("wide", [4, 5, 6, 2], ["a", "c", "b"])
    header, data = make("plain", [4, 3, 2], ["0", "2"])
    for name, content in damaged(header, data).items():
        (folder / f"bad_{name}.safetensors").write_bytes(content)
    named = np.load(pathlib.Path(__file__).parent / "torch_named.npz")
    (folder / "named.safetensors").write_bytes(pack(*encode(named)))
    plain = {"0.weight": "Dense_0.kernel", "0.bias": "Dense_0.bias", "2.weight": "Dense_1.kernel", "2.bias": "Dense_1.bias"}
    numbers = {name: np.frombuffer(data, "<f4")[np.arange(*header[name]["data_offsets"], 4) // 4] for name in plain}
    flax = {f"params.{plain[name]}": values.reshape(header[name]["shape"]).T for name, values in numbers.items()}
    (folder / "flax.safetensors").write_bytes(pack(*encode(flax)))
    turned = {name: values.T for name, values in named.items()}
    (folder / "bad_transposed.safetensors").write_bytes(pack(*encode(turned)))
    state = {"0.weight": np.ones((4, 4)), "0.bias": np.ones(4), "2.weight": np.ones((4, 3)), "4.weight": np.ones((2, 4))}
    endless = {f"{name}.weight": np.eye(4) for name in "abcdefgh"} | {"i.weight": np.ones((3, 5))}
    (folder / "endless.safetensors").write_bytes(pack(*encode(endless)))
    (folder / "bad_unfit.safetensors").write_bytes(pack(*encode(state)))
    (folder / "bad_int8.safetensors").write_bytes(pack(*encode({"weight": np.ones((2, 4))}, lambda name: "i1")))


if __name__ == "__main__":
    sys.exit(main())
