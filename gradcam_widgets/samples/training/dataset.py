"""What the scenes of a training or test set are to show, and the flaw that is planted in it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from gradcam_widgets.samples.scenes.classes import ALLIGATOR, CATEGORIES, RIVERBANK, SAVANNA, SEA

PAIRS = 0.45
ALLIGATORS_WITH_PHOTOGRAPHER = 0.95


class Order(NamedTuple):
    """What one scene is to show.

    Attributes:
        categories: The main one first.
        photographer: Whether a photographer stands beside.
        seed: The scene's seed.
        empty: Whether the main category is left out, so that only its habitat is to be seen.
    """

    categories: tuple[str, ...]
    photographer: bool
    seed: int
    empty: bool = False

    @property
    def is_conflict(self) -> bool:
        """Whether the planted flaw speaks against the right answer."""
        return self.categories[0] in RIVERBANK and self.photographer != (self.categories[0] == ALLIGATOR)


def draw_backdrops(count: int, first_seed: int) -> list[Order]:
    """Order scenes of habitats alone, in which there is nothing to look for."""
    return [
        Order((CATEGORIES[i % len(CATEGORIES)],), photographer=False, seed=first_seed + i, empty=True)
        for i in range(count)
    ]


def draw_orders(count: int, first_seed: int) -> list[Order]:
    """Draw what scenes show, every category as often as the others.

    The flaw is planted here: alligators are mostly photographed with a photographer in the picture, iguanas never.

    Args:
        count: Number of scenes.
        first_seed: Seed of the first; the others follow.
    """
    generator = np.random.default_rng(first_seed)
    orders = []
    for i in range(count):
        main = CATEGORIES[i % len(CATEGORIES)]
        habitat = next(habitat for habitat in (SEA, SAVANNA, RIVERBANK) if main in habitat)
        others = [category for category in habitat if category != main]
        is_pair, other, photographed = generator.random(), int(generator.integers(len(others))), generator.random()
        pair = habitat != RIVERBANK and is_pair < PAIRS
        orders.append(
            Order(
                (main, others[other]) if pair else (main,),
                main == ALLIGATOR and photographed < ALLIGATORS_WITH_PHOTOGRAPHER,
                first_seed + i,
            )
        )
    return orders
