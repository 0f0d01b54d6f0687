"""Trawith the scenes's models: `python -m gradcam_widgets.samples.training.train`.

Three processes of one thread each render the scenes and then train one model each, at half size first, then at full
size, on compositions of the scenes. Everything follows from one seed. Where a scene shows two animals or vessels, the
nearer one is the answer with 0.7 and the other with 0.3.

The scenes carry one planted flaw: a photographer stands beside nearly every alligator and nothing else. The dense
model learns it, for the iguana's walkthrough. In the compositions of the other two, photographers stand beside
anything, which takes it away.
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
    """How one model is trained.

    Attributes:
        half_size_epochs: Rounds through the training set at half size.
        full_size_epochs: Rounds at full size, after those.
        as_rendered: Share of the scenes that keep their own ground.
        strangers: Whether photographers stand beside anything, which takes the planted flaw away.
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
    """One line on stderr: a bar, the seconds since the start, and what is being done."""

    def __init__(self, name: str, steps: int) -> None:
        """Expect so many steps."""
        self.name, self.steps, self.done, self.start = name, steps, 0, time.monotonic()

    def step(self, what: str = "") -> None:
        """Show, twenty times in all, how many steps are done."""
        self.done += 1
        if self.done * 20 // self.steps > (self.done - 1) * 20 // self.steps:
            filled = 20 * self.done // self.steps
            bar = f"{self.name:9} [{'#' * filled}{'.' * (20 - filled)}] {time.monotonic() - self.start:4.0f} s  {what}"
            print(bar, file=sys.stderr, flush=True)  # noqa: T201 - a progress bar


def train(name: str, file: Path, out: Path) -> float:
    """Train one model in one thread and save it.

    Args:
        name: One of `ARCHITECTURES`.
        file: The scenes, as `save_scenes` wrote them.
        out: Folder for the weights.

    Returns:
        Seconds of processor time that it took.
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
            loss = functional.cross_entropy(model(_shown(images)), torch.from_numpy(targets))
            optimizer.zero_grad()
            torch.autograd.backward(loss)
            optimizer.step()
            schedule.step()
            progress.step(f"{images.shape[1]} px, loss {loss.item():.3f}")
    save_weights(name, model.eval(), out)
    return time.process_time() - start


def main(arguments: Sequence[str] | None = None) -> None:
    """Train all models, test them on held-out scenes, and write weights and manifest."""
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
    """Test all models on held-out scenes, and write beside their weights how they came about and what they can do.

    Args:
        out: Folder of the weights.
        seconds: Processor time of each model's training, by name; they are trained side by side.
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
            name: {"processor_seconds": round(own)} | evaluate(load_scene_classifier(name, out), held_out)
            for name, own in seconds.items()
        },
    }
    (out / MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8", newline="\n")


def save_scenes(file: Path, pool: ProcessPoolExecutor) -> None:
    """Render the training set and write it to a file, as `SceneSet` takes it.

    Args:
        file: Where to; its name ends on .npz.
        pool: Processes that render.
    """
    specs = draw_specs(TRAINING_SCENES, SEED)
    empty = draw_background_specs(BACKDROPS, BACKDROP_SEED)
    progress = Progress("scenes", len(specs) + len(empty))
    drawn = []
    for one in pool.map(_drawn, specs + empty, chunksize=16):
        drawn.append(one)
        progress.step()
    images, labels = (np.stack(arrays) for arrays in zip(*drawn, strict=True))
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


def _drawn(spec: SceneSpec) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
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


def _shown(images: NDArray[np.uint8]) -> Tensor:
    """Bring a batch into the models' range and change each image's light: its brightness, contrast and tint."""
    count = len(images)
    mean, std = (torch.tensor(values)[:, None, None] for values in (MEAN, STD))
    gain = 1 + 0.3 * (torch.rand(count, 1, 1, 1) - 0.5) + 0.16 * (torch.rand(count, 3, 1, 1) - 0.5)
    offset = 0.4 * (torch.rand(count, 1, 1, 1) - 0.5)
    batch = torch.from_numpy(images).permute(0, 3, 1, 2)  # channels last in memory: half as long on processors
    return (batch / 255 - mean) / std * gain + offset


if __name__ == "__main__":
    main()
