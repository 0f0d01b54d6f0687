"""Settings that make this machine's libraries behave like those of other machines."""

from __future__ import annotations

import os

import numpy as np
import torch

ONEDNN, THREADS = "TESTS_ONEDNN", "TESTS_THREADS"
# numpy and OpenCV without instructions that only some processors support
PLAIN_NUMPY = {"NPY_DISABLE_CPU_FEATURES": " ".join(np.show_config(mode="dicts")["SIMD Extensions"].get("found", []))}
PLAIN_OPENCV = {"OPENCV_CPU_DISABLE": "AVX512-SKX,AVX2,FP16,AVX,SSE4.2,SSE4.1", "OPENCV_IPP": "disabled"}


def set_torch() -> None:
    """Set torch's threads and oneDNN by environment variables; by default one thread, with oneDNN.

    On a busy machine, threads that wait for each other take ten times as long.
    """
    torch.set_num_threads(int(os.environ.get(THREADS, "1")))
    if os.environ.get(ONEDNN) == "off":
        torch.backends.mkldnn.set_flags(_enabled=False)  # type: ignore[no-untyped-call]
