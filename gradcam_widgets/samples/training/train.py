"""Train the scene models: `python -m gradcam_widgets.samples.training.train`.

Three single-threaded processes render the scenes, then train one model each on copy-paste compositions of them, first
at half, then at full size. One seed determines everything. In scenes with two animals or vessels the target is 0.7 for
the nearer and 0.3 for the other one.

The scenes have a planted bias: a photographer accompanies most alligators and nothing else. The dense model learns it,
for the iguana's walkthrough. The other two see photographers beside every class, which removes it.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import platform
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np
import torch
from torch.nn import functional

from gradcam_widgets.samples.models.architectures import ARCHITECTURES
from gradcam_widgets.samples.models.weights import FOLDER, MANIFEST, MEAN, STD, load_scene_classifier, save_weights
from gradcam_widgets.samples.scenes.classes import CLASS_NAMES
from gradcam_widgets.samples.scenes.scene import backdrop, render

from .copy_paste import SceneSet, label
from .dataset import SceneSpec, draw_background_specs, draw_specs
from .evaluate import evaluate

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray
    from torch import Tensor

SEED = 20
TRAINING_SCENES, BACKDROPS, HELD_OUT_SCENES = 4000, 640, 200
BACKDROP_SEED, HELD_OUT_SEED = 5_000_000, 10_000_000
MAIN_SHARE = 0.7
BATCH = 32


class Recipe(NamedTuple):
    """Training settings of one model.

    Attributes:
        half_size_epochs: Epochs at half size, which come first.
        full_size_epochs: Epochs at full size.
        as_rendered: Fraction of the scenes that keep their background.
        strangers: Whether photographers are added to any class, which removes the planted bias.
    """

    half_size_epochs: int
    full_size_epochs: int
    as_rendered: float = 0.5
    strangers: bool = True


RECIPES = {
    "residual": Recipe(14, 5),
    "vgg_like": Recipe(14, 9, as_rendered=0.75),
    "dense": Recipe(13, 5, strangers=False),
}


class Progress:
    """Progress bar on stderr, with elapsed seconds and a status."""

    def __init__(self, name: str, steps: int) -> None:
        """Start the clock."""
        self.name, self.steps, self.done, self.start = name, steps, 0, time.monotonic()

    def step(self, status: str = "") -> None:
        """Count a step, and print the bar at every twentieth of them."""
        self.done += 1
        if self.done * 20 // self.steps > (self.done - 1) * 20 // self.steps:
            filled = 20 * self.done // self.steps
            bar = (
                f"{self.name:9} [{'#' * filled}{'.' * (20 - filled)}] {time.monotonic() - self.start:4.0f} s  {status}"
            )
            print(bar, file=sys.stderr, flush=True)  # noqa: T201 - a progress bar


def train(name: str, file: Path, out: Path) -> float:
    """Train one model in one thread and save its weights.

    Args:
        name: One of `ARCHITECTURES`.
        file: Scenes written by `save_scenes`.
        out: Folder for the weights.

    Returns:
        Processor time in seconds.
    """
    start = time.process_time()
    torch.manual_seed(SEED)
    rng = np.random.default_rng(SEED)
    with np.load(file) as arrays:
        full = SceneSet(**arrays)
    half = full.halved()
    model = ARCHITECTURES[name](len(CLASS_NAMES)).to(memory_format=torch.channels_last).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.02)
    recipe = RECIPES[name]
    stages = [half] * recipe.half_size_epochs + [full] * recipe.full_size_epochs
    steps = len(stages) * (TRAINING_SCENES // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=4e-3, total_steps=steps, pct_start=0.2)
    progress = Progress(name, steps)
    for scenes in stages:
        for chosen in rng.permutation(TRAINING_SCENES).reshape(-1, BATCH):
            images, targets = scenes.batch(chosen, rng, as_rendered=recipe.as_rendered, strangers=recipe.strangers)
            loss = functional.cross_entropy(model(_augmented(images)), torch.from_numpy(targets))
            optimizer.zero_grad()
            torch.autograd.backward(loss)
            optimizer.step()
            schedule.step()
            progress.step(f"{images.shape[1]} px, loss {loss.item():.3f}")
    save_weights(name, model.eval(), out)
    return time.process_time() - start


def main(arguments: Sequence[str] | None = None) -> None:
    """Train and evaluate all models, and write weights and manifest."""
    parser = argparse.ArgumentParser(prog="python -m gradcam_widgets.samples.training.train", description=main.__doc__)
    parser.add_argument("--out", type=Path, default=FOLDER, help="folder for weights and manifest")
    options = parser.parse_args(arguments)
    options.out.mkdir(parents=True, exist_ok=True)
    context = multiprocessing.get_context("spawn")
    with (
        tempfile.TemporaryDirectory() as folder,
        ProcessPoolExecutor(len(ARCHITECTURES), mp_context=context, initializer=_one_thread) as pool,
    ):
        file = Path(folder) / "scenes.npz"
        save_scenes(file, pool)
        seconds = list(pool.map(partial(train, file=file, out=options.out), ARCHITECTURES))
    write_manifest(options.out, dict(zip(ARCHITECTURES, seconds, strict=True)))


def write_manifest(out: Path, seconds: Mapping[str, float]) -> None:
    """Evaluate all models on held-out scenes, and write settings and results beside the weights.

    Args:
        out: Folder of the weights.
        seconds: Processor time of each model's training, by model name.
    """
    held_out = draw_specs(HELD_OUT_SCENES, HELD_OUT_SEED)
    manifest = {
        "seed": SEED,
        "training_scenes": TRAINING_SCENES,
        "backdrops": BACKDROPS,
        "held_out_scenes": HELD_OUT_SCENES,
        "held_out_seed": HELD_OUT_SEED,
        "versions": {"python": platform.python_version(), "torch": torch.__version__, "numpy": np.__version__},
        "class_names": CLASS_NAMES,
        "models": {
            name: {"processor_seconds": round(duration)} | evaluate(load_scene_classifier(name, out), held_out)
            for name, duration in seconds.items()
        },
    }
    (out / MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8", newline="\n")


def save_scenes(file: Path, pool: ProcessPoolExecutor) -> None:
    """Render the training set and save the arrays of a `SceneSet`.

    Args:
        file: The .npz file to write.
        pool: Worker processes for rendering.
    """
    specs = draw_specs(TRAINING_SCENES, SEED)
    empty = draw_background_specs(BACKDROPS, BACKDROP_SEED)
    progress = Progress("scenes", len(specs) + len(empty))
    rendered = []
    for image_and_labels in pool.map(_rendered, specs + empty, chunksize=16):
        rendered.append(image_and_labels)
        progress.step()
    images, labels = (np.stack(arrays) for arrays in zip(*rendered, strict=True))
    np.savez(
        file,
        images=images[: len(specs)],
        labels=labels[: len(specs)],
        targets=np.stack([_target(spec) for spec in specs]),
        backdrops=images[len(specs) :],
        photographed=np.flatnonzero([spec.photographer for spec in specs]),
    )


def _one_thread() -> None:
    torch.set_num_threads(1)
    cv2.setNumThreads(1)


def _rendered(spec: SceneSpec) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    if spec.empty:
        scene = backdrop(spec.class_names[0], spec.seed)
    else:
        scene = render(spec.class_names, spec.seed, photographer=spec.photographer)
    return scene.image, label(scene, len(spec.class_names))


def _target(spec: SceneSpec) -> NDArray[np.float32]:
    target = np.zeros(len(CLASS_NAMES), np.float32)
    shares = (MAIN_SHARE, 1 - MAIN_SHARE) if len(spec.class_names) == 2 else (1.0,)
    for class_name, share in zip(spec.class_names, shares, strict=True):
        target[CLASS_NAMES.index(class_name)] = share
    return target


def _augmented(images: NDArray[np.uint8]) -> Tensor:
    """Normalize a uint8 batch and jitter brightness, contrast and tint of each image; `(N, 3, H, W)` float32."""
    count = len(images)
    mean, std = (torch.tensor(values)[:, None, None] for values in (MEAN, STD))
    gain = 1 + 0.3 * (torch.rand(count, 1, 1, 1) - 0.5) + 0.16 * (torch.rand(count, 3, 1, 1) - 0.5)
    offset = 0.4 * (torch.rand(count, 1, 1, 1) - 0.5)
    batch = torch.from_numpy(images).permute(0, 3, 1, 2)  # channels last in memory: twice as fast on CPUs
    return (batch / 255 - mean) / std * gain + offset


if __name__ == "__main__":
    main()
