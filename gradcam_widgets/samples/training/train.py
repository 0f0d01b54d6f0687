"""Train the scene world's networks: `python -m gradcam_widgets.samples.training.train`.

Three processes of one thread each render the scenes and then train one network each, at half size first, then at full
size, on compositions of the scenes. Everything follows from one seed. Where a scene shows two animals or vessels, the
nearer one is the answer with 0.7 and the other with 0.3.

The scenes carry one planted flaw: a photographer stands beside nearly every alligator and nothing else. The dense
network learns it, for the iguana's walkthrough. In the compositions of the other two, photographers stand beside
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

from gradcam_widgets.samples.models.architectures import NETWORKS
from gradcam_widgets.samples.models.weights import FOLDER, MANIFEST, MEAN, STD, load_scene_classifier, save_weights
from gradcam_widgets.samples.scenes.classes import CATEGORIES
from gradcam_widgets.samples.scenes.scene import backdrop, render

from .copy_paste import Scenes, label
from .dataset import Order, draw_backdrops, draw_orders
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
    """How one network is trained.

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
    """Train one network in one thread and save it.

    Args:
        name: One of `NETWORKS`.
        file: The scenes, as `save_scenes` wrote them.
        out: Folder for the weights.

    Returns:
        Seconds of processor time that it took.
    """
    start = time.process_time()
    torch.manual_seed(SEED)
    rng = np.random.default_rng(SEED)
    with np.load(file) as arrays:
        full = Scenes(**arrays)
    half = full.halved()
    model = NETWORKS[name](len(CATEGORIES)).to(memory_format=torch.channels_last).train()
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.02)
    recipe = RECIPES[name]
    stages = [half] * recipe.half_size_epochs + [full] * recipe.full_size_epochs
    steps = len(stages) * (TRAINING_SCENES // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, max_lr=4e-3, total_steps=steps, pct_start=0.2)
    progress = Progress(name, steps)
    for scenes in stages:
        for chosen in rng.permutation(TRAINING_SCENES).reshape(-1, BATCH):
            pictures, targets = scenes.batch(chosen, rng, as_rendered=recipe.as_rendered, strangers=recipe.strangers)
            loss = functional.cross_entropy(model(_shown(pictures)), torch.from_numpy(targets))
            optimiser.zero_grad()
            torch.autograd.backward(loss)
            optimiser.step()
            schedule.step()
            progress.step(f"{pictures.shape[1]} px, loss {loss.item():.3f}")
    save_weights(name, model.eval(), out)
    return time.process_time() - start


def main(arguments: Sequence[str] | None = None) -> None:
    """Train all networks, test them on held-out scenes, and write weights and manifest."""
    parser = argparse.ArgumentParser(prog="python -m gradcam_widgets.samples.training.train", description=main.__doc__)
    parser.add_argument("--out", type=Path, default=FOLDER, help="folder for weights and manifest")
    options = parser.parse_args(arguments)
    options.out.mkdir(parents=True, exist_ok=True)
    context = multiprocessing.get_context("spawn")
    with (
        tempfile.TemporaryDirectory() as folder,
        ProcessPoolExecutor(len(NETWORKS), mp_context=context, initializer=_one_thread) as pool,
    ):
        file = Path(folder) / "scenes.npz"
        save_scenes(file, pool)
        seconds = list(pool.map(partial(train, file=file, out=options.out), NETWORKS))
    write_manifest(options.out, dict(zip(NETWORKS, seconds, strict=True)))


def write_manifest(out: Path, seconds: Mapping[str, float]) -> None:
    """Test all networks on held-out scenes, and write beside their weights how they came about and what they can do.

    Args:
        out: Folder of the weights.
        seconds: Processor time of each network's training, by name; they are trained side by side.
    """
    held_out = draw_orders(HELD_OUT_SCENES, HELD_OUT_SEED)
    manifest = {
        "seed": SEED,
        "training_scenes": TRAINING_SCENES,
        "backdrops": BACKDROPS,
        "held_out_scenes": HELD_OUT_SCENES,
        "held_out_seed": HELD_OUT_SEED,
        "versions": {"python": platform.python_version(), "torch": torch.__version__, "numpy": np.__version__},
        "categories": CATEGORIES,
        "networks": {
            name: {"processor_seconds": round(own)} | evaluate(load_scene_classifier(name, out), held_out)
            for name, own in seconds.items()
        },
    }
    (out / MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8", newline="\n")


def save_scenes(file: Path, pool: ProcessPoolExecutor) -> None:
    """Render the training set and write it to a file, as `Scenes` takes it.

    Args:
        file: Where to; its name ends on .npz.
        pool: Processes that render.
    """
    orders = draw_orders(TRAINING_SCENES, SEED)
    empty = draw_backdrops(BACKDROPS, BACKDROP_SEED)
    progress = Progress("scenes", len(orders) + len(empty))
    drawn = []
    for one in pool.map(_drawn, orders + empty, chunksize=16):
        drawn.append(one)
        progress.step()
    pictures, labels = (np.stack(arrays) for arrays in zip(*drawn, strict=True))
    np.savez(
        file,
        pictures=pictures[: len(orders)],
        labels=labels[: len(orders)],
        targets=np.stack([_target(order) for order in orders]),
        backdrops=pictures[len(orders) :],
        photographed=np.flatnonzero([order.photographer for order in orders]),
    )


def _one_thread() -> None:
    torch.set_num_threads(1)
    cv2.setNumThreads(1)


def _drawn(order: Order) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    if order.empty:
        scene = backdrop(order.categories[0], order.seed)
    else:
        scene = render(order.categories, order.seed, photographer=order.photographer)
    return scene.picture, label(scene, len(order.categories))


def _target(order: Order) -> NDArray[np.float32]:
    target = np.zeros(len(CATEGORIES), np.float32)
    shares = (MAIN_SHARE, 1 - MAIN_SHARE) if len(order.categories) == 2 else (1.0,)
    for category, share in zip(order.categories, shares, strict=True):
        target[CATEGORIES.index(category)] = share
    return target


def _shown(pictures: NDArray[np.uint8]) -> Tensor:
    """Bring a batch into the networks' range and change each picture's light: its brightness, contrast and tint."""
    count = len(pictures)
    mean, std = (torch.tensor(values)[:, None, None] for values in (MEAN, STD))
    gain = 1 + 0.3 * (torch.rand(count, 1, 1, 1) - 0.5) + 0.16 * (torch.rand(count, 3, 1, 1) - 0.5)
    offset = 0.4 * (torch.rand(count, 1, 1, 1) - 0.5)
    batch = torch.from_numpy(pictures).permute(0, 3, 1, 2)  # channels last in memory: half as long on processors
    return (batch / 255 - mean) / std * gain + offset


if __name__ == "__main__":
    main()
