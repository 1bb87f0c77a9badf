"""Reads the weights of Rampart (ONNX, four bits) and writes ours (README.md says how)."""

import hashlib
import json
import os
import struct

import numpy as np

WIDTH, HEADS, POSITIONS = 384, 12, 192
MODEL = "9f27d24949b0581701071ea5ef522d77ccd3f50c525cc91eac4d265b0fc2afe5"
VOCABULARY = "0fbe6b50061feabb9be68af471e9aa6df07a4bc428bdca4b0eff1fcd3612dee5"


def checked(path, want):
    with open(path, "rb") as f:
        b = f.read()
    if hashlib.sha256(b).hexdigest() != want:
        raise SystemExit(f"{os.path.basename(path)} is not the file that is trained from: make models")
    return b


def uvarint(b, i):
    v = s = 0
    while True:
        v |= (b[i] & 127) << s
        s += 7
        i += 1
        if b[i - 1] < 128:
            return v, i


def fields(b):
    """Yields number and value of the fields of a Protocol Buffers message."""
    i = 0
    while i < len(b):
        tag, i = uvarint(b, i)
        kind = tag & 7
        if kind == 0:
            v, i = uvarint(b, i)
        elif kind == 1:
            v, i = b[i:i + 8], i + 8
        elif kind == 5:
            v, i = b[i:i + 4], i + 4
        else:
            n, i = uvarint(b, i)
            v, i = b[i:i + n], i + n
        yield tag >> 3, v


class Rampart:
    """The tensors of the ONNX file, made into floats."""

    def __init__(self, folder):
        self.words = checked(os.path.join(folder, "vocab.txt"), VOCABULARY).decode().splitlines()
        file = memoryview(checked(os.path.join(folder, "model_q4.onnx"), MODEL))
        self.raw, self.inputs = {}, {}
        for n, graph in fields(file):
            if n != 7:
                continue
            for k, v in fields(graph):
                if k == 1:
                    ins, name = [], ""
                    for q, w in fields(v):
                        if q == 1:
                            ins.append(bytes(w).decode())
                        elif q == 3:
                            name = bytes(w).decode()
                    self.inputs[name] = ins
                elif k == 5:
                    name, raw = "", b""
                    for q, w in fields(v):
                        if q == 8:
                            name = bytes(w).decode()
                        elif q == 9:
                            raw = w
                        elif q == 4:
                            raw = w
                        elif q == 5:
                            raw = bytes([uvarint(w, 0)[0]]) if not isinstance(w, int) else bytes([w])
                    self.raw[name] = raw

    def floats(self, name):
        return np.frombuffer(self.raw[name], np.float32).copy()

    def linear(self, node, n_in, n_out):
        _, cells, scales = self.inputs[node]
        c = np.frombuffer(self.raw[cells], np.uint8)
        q = np.empty((c.size, 2), np.float32)
        q[:, 0], q[:, 1] = c & 15, c >> 4
        q = (q.reshape(n_out, n_in // 32, 32) - 8) * self.floats(scales).reshape(n_out, n_in // 32, 1)
        return q.reshape(n_out, n_in)

    def table(self, name):
        name = f"bert.embeddings.{name}.weight_"
        zero = np.frombuffer(self.raw[name + "zero_point"], np.uint8)[0]
        scale = np.frombuffer(self.raw[name + "scale"], np.float32)[0]
        return ((np.frombuffer(self.raw[name + "quantized"], np.uint8).astype(np.float32) - float(zero)) * scale).reshape(-1, WIDTH)

    def layer(self, l):
        base = f"bert/encoder/layer.{l}/"
        dot = base.replace("/", ".")
        out = {}
        for name, part, a, b in (("query", "attention/self/query", WIDTH, WIDTH), ("key", "attention/self/key", WIDTH, WIDTH),
                                 ("value", "attention/self/value", WIDTH, WIDTH), ("attend", "attention/output/dense", WIDTH, WIDTH),
                                 ("rise", "intermediate/dense", WIDTH, 4 * WIDTH), ("fall", "output/dense", 4 * WIDTH, WIDTH)):
            out[name + ".weight"] = self.linear(f"/{base}{part}/MatMul_Q4", a, b)
            out[name + ".bias"] = self.floats(dot + part.replace("/", ".") + ".bias")
        for name, part in (("norm1", "attention.output"), ("norm2", "output")):
            out[name + ".weight"] = self.floats(f"{dot}{part}.LayerNorm.weight")
            out[name + ".bias"] = self.floats(f"{dot}{part}.LayerNorm.bias")
        return out


def rounded(w):
    """Eight bits for each weight, one scale for each row: cells and scales."""
    scale = np.abs(w).max(axis=1) / 127
    scale[scale == 0] = 1
    return np.clip(np.rint(w / scale[:, None]), -127, 127).astype(np.int8), scale.astype(np.float32)


def write(path, header, words, state):
    """Writes a weights file; state holds numpy arrays by name. Gives its SHA-256."""
    def floats(a):
        return np.ascontiguousarray(a, "<f4").tobytes()

    def linear(name):
        cells, scale = rounded(state[name + ".weight"])
        return floats(scale) + cells.tobytes() + floats(state[name + ".bias"])

    vocabulary = ("\n".join(words) + "\n").encode()
    vocabulary += b"\n" * (-len(vocabulary) % 4)
    header = dict(header, vocabulary_bytes=len(vocabulary))
    line = json.dumps(header, ensure_ascii=False).encode()
    line += b" " * (-(len(line) + 1) % 4) + b"\n"
    out = [line, vocabulary]
    cells, scale = rounded(state["words"])
    out += [floats(scale), cells.tobytes(), floats(state["positions"]), floats(state["norm.weight"]), floats(state["norm.bias"])]
    for l in range(header["layers"]):
        p = f"layers.{l}."
        for name in ("query", "key", "value", "attend"):
            out.append(linear(p + name))
        out += [floats(state[p + "norm1.weight"]), floats(state[p + "norm1.bias"])]
        for name in ("rise", "fall"):
            out.append(linear(p + name))
        out += [floats(state[p + "norm2.weight"]), floats(state[p + "norm2.bias"])]
    out += [floats(state["classify.weight"]), floats(state["classify.bias"])]
    b = b"".join(out)
    with open(path + ".new", "wb") as f:
        f.write(b)
    os.replace(path + ".new", path)
    return hashlib.sha256(b).hexdigest()
