"""Rebuild the array baselines of the walkthroughs' heatmaps: `python -m tests.tools.make_baselines`.

They are computed by captum's LayerGradCam and torchvision's transforms, with explicit layers and class indices; only
image and model come from the samples. Baselines of photographs need their files in GRADCAM_WIDGETS_HOME.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from captum.attr import LayerGradCam
from torchvision.transforms import functional

from gradcam_widgets.samples import SAMPLES
from tests.support import TESTS

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

FOLDER = TESTS / "baselines"


class Targets(NamedTuple):
    """A layer, and target classes with their indices."""

    layer: str
    classes: dict[str, int]


ELEPHANTS = {"African elephant": 2, "tusker": 4, "Indian elephant": 3}
TARGETS = {
    ("scenes", "submarine"): Targets("layer4", {"submarine": 0, "aircraft carrier": 1}),
    ("scenes", "elephants"): Targets("features", ELEPHANTS),
    ("scenes", "iguana"): Targets("features", {"American alligator": 7, "common iguana": 6}),
    ("photos", "submarine"): Targets("features.12", {"submarine": 833, "aircraft carrier": 403}),
    ("photos", "elephants"): Targets("features.12", {"African elephant": 386, "hartebeest": 351}),
    ("photos", "iguana"): Targets("features.12", {"ocarina": 684, "common iguana": 39}),
}
NORMALIZATION = {
    "scenes": ([0.5, 0.5, 0.5], [0.25, 0.25, 0.25]),
    "photos": ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
}


def path_of(source: str, name: str) -> Path:
    return FOLDER / f"{source}_{name}.npy"


def reference(source: str, name: str) -> NDArray[np.float32]:
    """Return captum's signed maps, `(classes, rows, columns)` float32."""
    sample = SAMPLES[name](source=source)
    targets = TARGETS[source, name]
    model = sample.classifier.model
    image = functional.resize(functional.to_pil_image(sample.image), [224, 224])
    batch = functional.normalize(functional.to_tensor(image), *NORMALIZATION[source])[None]
    engine = LayerGradCam(model, model.get_submodule(targets.layer))
    maps = [
        engine.attribute(batch, target=index, relu_attributions=False)[0, 0].detach().numpy()
        for index in targets.classes.values()
    ]
    return np.stack(maps).astype(np.float32)


def main() -> None:
    torch.set_num_threads(1)
    FOLDER.mkdir(exist_ok=True)
    for source, name in TARGETS:
        maps = reference(source, name)
        np.save(path_of(source, name), maps)
        print(f"{path_of(source, name).name}: {maps.shape}, {maps.min():.4g} to {maps.max():.4g}")


if __name__ == "__main__":
    main()
