from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from gradcam_widgets import ModelError
from gradcam_widgets.classifiers.deep_compression import BGR_MEAN, CODEBOOK, decode

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def file_of(layers: list[tuple[list[float], list[float], list[int], list[int]]]) -> bytes:
    """Write codebooks, biases, codes and gaps as the format says."""
    data = np.array([len(codes) for _, _, codes, _ in layers], "<u4").tobytes()
    for codebook, biases, codes, gaps in layers:
        data += np.array(codebook + [0.0] * (CODEBOOK - len(codebook)), "<f4").tobytes()
        data += np.array(biases, "<f4").tobytes() + bytes(codes)
        padded = gaps + [0] * (len(gaps) % 2)
        data += bytes(low | high << 4 for low, high in zip(padded[::2], padded[1::2], strict=True))
    return data


def model() -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(3, 1, 1), nn.ReLU(), nn.Conv2d(1, 2, (1, 3)))


# Three gaps in the first layer, (0, 1, 0), put its codes at flat positions 0, 2 and 3: beyond its three weights. So
# (0, 0, 0): all three positions. In the second, gaps (1, 2) put codes 1 and 2 at positions 1 and 4.
LAYERS = [
    ([0.0, 2.0, -3.0, 5.0], [0.5], [1, 2, 3], [0, 0, 0]),
    ([7.0, 10.0, 20.0], [1.0, -1.0], [1, 2], [1, 2]),
]


def test_codes_are_placed_by_their_gaps_among_the_first_value() -> None:
    state = decode(file_of(LAYERS), model().state_dict(), MEAN, STD)
    expected = torch.tensor([7.0, 10.0, 7.0, 7.0, 20.0, 7.0]).reshape(2, 1, 1, 3) * 169 / 225
    torch.testing.assert_close(state["2.weight"], expected)
    torch.testing.assert_close(state["2.bias"], torch.tensor([1.0, -1.0]) * 169 / 225)


def test_an_image_gets_the_scores_of_the_original_model() -> None:
    state = decode(file_of(LAYERS), model().state_dict(), MEAN, STD)
    rgb = torch.tensor([10.0, 100.0, 250.0])
    blue, green, red = rgb.flip(0) - torch.tensor(BGR_MEAN)
    original = 2.0 * blue - 3.0 * green + 5.0 * red + 0.5
    normalized = (rgb / 255 - torch.tensor(MEAN)) / torch.tensor(STD)
    decoded = (state["0.weight"][0, :, 0, 0] * normalized).sum() + state["0.bias"][0]
    assert abs(original) > 100
    assert float(decoded) == pytest.approx(float(original), rel=1e-5)


@pytest.mark.parametrize("data", [b"", b"\xff" * 40, file_of(LAYERS)[:-3], file_of(LAYERS)[:500]])
def test_another_file_is_refused_in_one_sentence(data: bytes) -> None:
    with pytest.raises(ModelError, match=r"bytes of data are not the compressed SqueezeNet \(.*\): run"):
        decode(data, model().state_dict(), MEAN, STD)
