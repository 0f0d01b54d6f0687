"""Train the scene world's networks: `python -m gradcam_widgets.samples.train`.

Two processes of one thread each render the scenes and then train the networks, which see the scenes first at half
size, then at full size. Everything follows from one seed. Where a scene shows two animals or vessels, the nearer one
is the answer with 0.7 and the other with 0.3. Habitats alone are shown too, with every answer as right as the others,
so that the evidence is looked for in the object and not in sea or grass.
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
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from .evaluate import evaluate
from .networks import NETWORKS
from .orders import Order, draw_backdrops, draw_orders
from .scenes import CATEGORIES, backdrop, render
from .weights import FOLDER, MANIFEST, MEAN, STD, load_scene_classifier, save_weights

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

SEED = 20
TRAINING_SCENES, BACKDROPS, HELD_OUT_SCENES = 3200, 960, 200
BACKDROP_SEED, HELD_OUT_SEED = 5_000_000, 10_000_000
MAIN_SHARE = 0.7
HALF_SIZE_EPOCHS, FULL_SIZE_EPOCHS = 10, 4
BATCH = 32
PROCESSES = 2
LONGEST_FIRST = ("dense", "vgg_like", "residual")


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


def train(name: str, pictures: Path, targets: Tensor, out: Path) -> float:
    """Train one network in one thread and save it.

    Args:
        name: One of `NETWORKS`.
        pictures: File of an array, axes (picture, channel, row, column), uint8.
        targets: Probabilities, axes (picture, category), float32.
        out: Folder for the weights.

    Returns:
        Seconds that it took.
    """
    torch.set_num_threads(1)
    torch.manual_seed(SEED)
    full = torch.from_numpy(np.load(pictures))
    half = torch.cat([_half(part) for part in full.view(-1, BATCH, *full.shape[1:])])
    model = NETWORKS[name](len(CATEGORIES))
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.02)
    stages = [half] * HALF_SIZE_EPOCHS + [full] * FULL_SIZE_EPOCHS
    steps = len(stages) * (len(full) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, max_lr=4e-3, total_steps=steps, pct_start=0.2)
    progress = Progress(name, steps)
    model.train()
    for seen in stages:
        for chosen in torch.randperm(len(seen)).view(-1, BATCH):
            loss = functional.cross_entropy(model(_augment(normalise(seen[chosen]))), targets[chosen])
            optimiser.zero_grad()
            torch.autograd.backward(loss)
            optimiser.step()
            schedule.step()
            progress.step(f"{seen.shape[-1]} px, loss {loss.item():.3f}")
    save_weights(name, model.eval(), out)
    return time.monotonic() - progress.start


def normalise(pictures: Tensor) -> Tensor:
    """Bring pictures, axes (picture, channel, row, column), uint8, into the networks' range, float32."""
    mean, std = (torch.tensor(values)[:, None, None] for values in (MEAN, STD))
    return (pictures.float() - 255 * mean) / (255 * std)


def main(arguments: Sequence[str] | None = None) -> None:
    """Train all networks, test them on held-out scenes, and write weights and manifest."""
    parser = argparse.ArgumentParser(prog="python -m gradcam_widgets.samples.train", description=main.__doc__)
    parser.add_argument("--out", type=Path, default=FOLDER, help="folder for weights and manifest")
    options = parser.parse_args(arguments)
    options.out.mkdir(parents=True, exist_ok=True)
    start = time.monotonic()
    orders = draw_orders(TRAINING_SCENES, SEED) + draw_backdrops(BACKDROPS, BACKDROP_SEED)
    context = multiprocessing.get_context("spawn")
    with (
        tempfile.TemporaryDirectory() as folder,
        ProcessPoolExecutor(PROCESSES, mp_context=context) as pool,
    ):
        progress = Progress("scenes", len(orders))
        pictures = []
        for picture in pool.map(_picture, orders, chunksize=16):
            pictures.append(picture)
            progress.step()
        file = Path(folder) / "pictures.npy"
        np.save(file, np.stack(pictures))
        targets = torch.stack([_target(order) for order in orders])
        seconds = list(pool.map(partial(train, pictures=file, targets=targets, out=options.out), LONGEST_FIRST))
    took = round(time.monotonic() - start)
    held_out = draw_orders(HELD_OUT_SCENES, HELD_OUT_SEED)
    networks: dict[str, Any] = {
        name: {"training_seconds": round(own)} | evaluate(load_scene_classifier(name, options.out), held_out)
        for name, own in zip(LONGEST_FIRST, seconds, strict=True)
    }
    manifest = {
        "seed": SEED,
        "training_scenes": TRAINING_SCENES,
        "backdrops": BACKDROPS,
        "held_out_scenes": HELD_OUT_SCENES,
        "seconds_in_all": took,
        "versions": {"python": platform.python_version(), "torch": torch.__version__, "numpy": np.__version__},
        "categories": CATEGORIES,
        "networks": networks,
    }
    (options.out / MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n")


def _picture(order: Order) -> NDArray[np.uint8]:
    if order.empty:
        picture = backdrop(order.categories[0], order.seed).picture
    else:
        picture = render(order.categories, order.seed, photographer=order.photographer).picture
    return np.ascontiguousarray(picture.transpose(2, 0, 1))


def _target(order: Order) -> Tensor:
    if order.empty:
        return torch.full((len(CATEGORIES),), 1 / len(CATEGORIES))
    target = torch.zeros(len(CATEGORIES))
    shares = (MAIN_SHARE, 1 - MAIN_SHARE) if len(order.categories) == 2 else (1.0,)
    for category, share in zip(order.categories, shares, strict=True):
        target[CATEGORIES.index(category)] = share
    return target


def _half(pictures: Tensor) -> Tensor:
    return functional.avg_pool2d(pictures.float(), 2).round().to(torch.uint8)


def _augment(batch: Tensor) -> Tensor:
    """Flip half of the pictures, and change brightness and contrast a little."""
    flipped = torch.rand(len(batch)) < 0.5
    batch[flipped] = batch[flipped].flip(-1)
    gain, offset = (0.2 * (torch.rand(2, len(batch), 1, 1, 1) - 0.5)).unbind()
    return batch * (1 + gain) + offset


if __name__ == "__main__":
    main()
