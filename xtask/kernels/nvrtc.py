"""Compiles a CUDA source to PTX with NVRTC, which needs neither a GPU nor a toolkit.

    python nvrtc.py SOURCE REAL ARCHITECTURE > OUT.ptx

SOURCE is a .cu file, which may include others of its folder; REAL is float or double. `cargo xtask kernels` makes the environment
that has the library and calls this.
"""

import ctypes
import pathlib
import sys

import nvidia.cuda_nvrtc


def compile_ptx(path, real, architecture):
    where = pathlib.Path(list(nvidia.cuda_nvrtc.__path__)[0]) / "lib" / "libnvrtc.so.12"
    nvrtc = ctypes.CDLL(str(where))

    def call(name, *arguments):
        if code := getattr(nvrtc, name)(*arguments):
            raise SystemExit(f"{name} failed with code {code}")

    def text(kind):
        size = ctypes.c_size_t()
        call(f"nvrtcGet{kind}Size", program, ctypes.byref(size))
        buffer = ctypes.create_string_buffer(size.value)
        call(f"nvrtcGet{kind}", program, buffer)
        return buffer.value.decode()

    program = ctypes.c_void_p()
    source, name = path.read_bytes(), path.name.encode()
    call("nvrtcCreateProgram", ctypes.byref(program), source, name, 0, None, None)
    options = [f"-I{path.parent}", f"--gpu-architecture={architecture}", f"-DREAL={real}", "--std=c++17"]
    # A product and a sum are fused where the source says so, and only there: as on the emulator.
    options.append("--fmad=false")
    options = [option.encode() for option in options]
    failed = nvrtc.nvrtcCompileProgram(program, len(options), (ctypes.c_char_p * len(options))(*options))
    if failed:
        raise SystemExit(text("ProgramLog"))
    return text("PTX")


if __name__ == "__main__":
    sys.stdout.write(compile_ptx(pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3]))
