"""The 675 KB SqueezeNet: pruned and 8-bit weights, decoded to the state of torchvision's `squeezenet1_0`.

SqueezeNet (Iandola et al. 2016, arXiv 1602.07360) with Deep Compression (Han et al. 2016, arXiv 1510.00149).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from gradcam_widgets.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray
    from torch import Tensor

CODEBOOK = 256
BGR_MEAN = (104.0, 117.0, 123.0)
LAST_PADDED_CELLS, LAST_CELLS = 15 * 15, 13 * 13


def decode(
    data: bytes, template: Mapping[str, Tensor], mean: Sequence[float], std: Sequence[float]
) -> dict[str, Tensor]:
    """Decode the file into weights for an input normalized as torchvision does.

    The file's model takes B, G, R in 0…255 less a mean. The first convolution has no padding, so turning its
    input channels round, scaling them and moving the difference of the means into its bias is exact. Its last
    convolution pads by 1, so that its mean runs over 15×15 cells instead of 13×13; scaling by 169/225 keeps the
    scores' scale.

    Args:
        data: The file.
        template: State of `squeezenet1_0`, float32: gives names, order and shapes.
        mean: Mean of R, G, B in 0…1 that the input is normalized by.
        std: Standard deviation, likewise.

    Returns:
        State in the template's shapes, float32.

    Raises:
        ModelError: If the file is not of this format.
    """
    layers = [name.removesuffix(".weight") for name in template if name.endswith(".weight")]
    state = dict(template)
    try:
        counts = np.frombuffer(data, "<u4", len(layers))
        offset = counts.nbytes
        for layer, count in zip(layers, counts.tolist(), strict=True):
            shape = tuple(template[f"{layer}.weight"].shape)
            codebook = np.frombuffer(data, "<f4", CODEBOOK, offset)
            offset += codebook.nbytes
            bias = np.frombuffer(data, "<f4", shape[0], offset)
            offset += bias.nbytes
            codes = np.frombuffer(data, np.uint8, count, offset)
            offset += codes.nbytes
            gaps = _nibbles(np.frombuffer(data, np.uint8, (count + 1) // 2, offset))[:count]
            offset += (count + 1) // 2
            weight = np.full(int(np.prod(shape)), codebook[0], np.float32)
            weight[np.cumsum(gaps.astype(np.int64) + 1) - 1] = codebook[codes]
            state[f"{layer}.weight"] = torch.from_numpy(weight.reshape(shape))
            state[f"{layer}.bias"] = torch.from_numpy(bias.astype(np.float32))
    except (ValueError, IndexError) as error:
        raise ModelError(
            f"The {len(data):,} bytes given are not the compressed SqueezeNet ({error}): run gradcam-widgets fetch."
        ) from error
    first, last = layers[0], layers[-1]
    turned = state[f"{first}.weight"].flip(1)
    scale, shift = torch.tensor(std) * 255, torch.tensor(mean) * 255 - torch.tensor(BGR_MEAN[::-1])
    state[f"{first}.bias"] = state[f"{first}.bias"] + (turned * shift[:, None, None]).sum(dim=(1, 2, 3))
    state[f"{first}.weight"] = turned * scale[:, None, None]
    for name in (f"{last}.weight", f"{last}.bias"):
        state[name] = state[name] * (LAST_CELLS / LAST_PADDED_CELLS)
    return state


def _nibbles(packed: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Split bytes into 4-bit numbers, the low half first."""
    return np.stack([packed & 15, packed >> 4], axis=1).ravel()
