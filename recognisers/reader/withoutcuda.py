"""Writes stand-ins for the CUDA libraries that a torch wheel names, so that torch computes on a machine without them.

    python withoutcuda.py FOLDER     (then LD_LIBRARY_PATH=FOLDER; needs gcc and readelf)

Every function of a stand-in answers "no such device" (cudaErrorNoDevice, 100). Prints nothing but errors.
"""

import collections
import glob
import importlib.util
import os
import re
import subprocess
import sys

NO_DEVICE = 100
CUDA = re.compile(r"lib(cu|nv|nccl)")


def table(*args):
    return subprocess.run(["readelf", "-W", *args], check=True, capture_output=True, text=True).stdout


def main(folder):
    lib = os.path.join(os.path.dirname(importlib.util.find_spec("torch").origin), "lib")
    files = glob.glob(os.path.join(lib, "*.so*"))
    own = {os.path.basename(f) for f in files}
    named, defined, wanted = set(), set(), set()
    for f in files:
        named.update(n for n in re.findall(r"NEEDED.*\[(.*)\]", table("-d", f)) if n not in own and CUDA.match(n))
        for line in table("--dyn-syms", f).splitlines():
            cells = line.split()
            if len(cells) < 8:
                continue
            name, _, version = cells[7].partition("@")
            if cells[6] != "UND":
                defined.add(name)
            elif cells[4] != "WEAK":
                wanted.add((name, version.lstrip("@")))
    stem = {n.split(".so")[0]: n for n in named}
    functions = collections.defaultdict(set)  # of each library: (name, version)
    for name, version in wanted:
        if name in defined:
            continue
        if version == "NVSHMEM":
            version_of = "libnvshmem_host"
        elif version:
            version_of = re.split(r"\.so", version)[0]
        elif re.match(r"_?(cu|nccl|nv)", name):
            version_of = "libcublas"  # without a version any library will do
        else:
            continue
        if version_of in stem:
            functions[stem[version_of]].add((name, version))
    os.makedirs(folder, exist_ok=True)
    for n in sorted(named):
        source, versions = os.path.join(folder, "functions.c"), os.path.join(folder, "versions")
        by = collections.defaultdict(list)
        with open(source, "w") as f:
            for name, version in sorted(functions[n]):
                f.write(f"int {name}(void) {{ return {NO_DEVICE}; }}\n")
                if version:
                    by[version].append(name)
        with open(versions, "w") as f:
            for version, names in sorted(by.items()):
                f.write(f"{version} {{ global: {'; '.join(names)}; }};\n")
        script = [f"-Wl,--version-script={versions}"] if by else []
        subprocess.run(["gcc", "-shared", "-fPIC", "-w", "-fno-builtin", "-o", os.path.join(folder, n), source, f"-Wl,-soname,{n}", *script], check=True)
    os.remove(source)
    os.remove(versions)


if __name__ == "__main__":
    main(sys.argv[1])
