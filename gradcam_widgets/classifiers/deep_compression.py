"""Decoder of the 675 KB SqueezeNet's pruned 8-bit weights to a state dict of torchvision's `squeezenet1_0`.

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
    """Decode the file into weights for inputs normalized like torchvision's.

    The original model takes B, G, R in 0…255 minus a mean. Its first convolution has no padding, so that reversing
    and scaling the input channels and moving the difference of the means into the bias is exact. Its last convolution
    pads by 1, so that its mean covers 15×15 cells instead of 13×13; the factor 169/225 preserves the scale of the
    scores.

    Args:
        data: Contents of the file.
        template: State dict of `squeezenet1_0`, float32, for names, order and shapes.
        mean: Mean of R, G, B in 0…1 used to normalize the input.
        std: Standard deviation of R, G, B in 0…1.

    Returns:
        State dict with the template's names and shapes, float32.

    Raises:
        ModelError: If the data have another format.
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
            f"The {len(data):,} bytes of data are not the compressed SqueezeNet ({error}): run gradcam-widgets fetch."
        ) from error
    first, last = layers[0], layers[-1]
    rgb_weight = state[f"{first}.weight"].flip(1)
    scale, shift = torch.tensor(std) * 255, torch.tensor(mean) * 255 - torch.tensor(BGR_MEAN[::-1])
    state[f"{first}.bias"] = state[f"{first}.bias"] + (rgb_weight * shift[:, None, None]).sum(dim=(1, 2, 3))
    state[f"{first}.weight"] = rgb_weight * scale[:, None, None]
    for name in (f"{last}.weight", f"{last}.bias"):
        state[name] = state[name] * (LAST_CELLS / LAST_PADDED_CELLS)
    return state


def _nibbles(packed: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Split `(n,)` uint8 bytes into `(2n,)` uint8 values in 0…15, the low half of each byte first."""
    return np.stack([packed & 15, packed >> 4], axis=1).ravel()
