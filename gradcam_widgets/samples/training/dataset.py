"""What the scenes of a training or test set are to show, and the flaw that is planted in it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from gradcam_widgets.samples.scenes.classes import ALLIGATOR, CLASS_NAMES, RIVERBANK, SAVANNA, SEA

PAIRS = 0.45
ALLIGATORS_WITH_PHOTOGRAPHER = 0.95


class SceneSpec(NamedTuple):
    """What one scene is to show.

    Attributes:
        class_names: The main one first.
        photographer: Whether a photographer stands beside.
        seed: The scene's seed.
        empty: Whether the main class is left out, so that only its habitat is to be seen.
    """

    class_names: tuple[str, ...]
    photographer: bool
    seed: int
    empty: bool = False

    @property
    def is_conflict(self) -> bool:
        """Whether the planted flaw speaks against the right answer."""
        return self.class_names[0] in RIVERBANK and self.photographer != (self.class_names[0] == ALLIGATOR)


def draw_background_specs(count: int, first_seed: int) -> list[SceneSpec]:
    """Order scenes of habitats alone, in which there is nothing to look for."""
    return [
        SceneSpec((CLASS_NAMES[i % len(CLASS_NAMES)],), photographer=False, seed=first_seed + i, empty=True)
        for i in range(count)
    ]


def draw_specs(count: int, first_seed: int) -> list[SceneSpec]:
    """Draw what scenes show, every class as often as the others.

    The flaw is planted here: alligators are mostly photographed with a photographer in the image, iguanas never.

    Args:
        count: Number of scenes.
        first_seed: Seed of the first; the others follow.
    """
    generator = np.random.default_rng(first_seed)
    specs = []
    for i in range(count):
        main = CLASS_NAMES[i % len(CLASS_NAMES)]
        habitat = next(habitat for habitat in (SEA, SAVANNA, RIVERBANK) if main in habitat)
        others = [class_name for class_name in habitat if class_name != main]
        is_pair, other, photographed = generator.random(), int(generator.integers(len(others))), generator.random()
        pair = habitat != RIVERBANK and is_pair < PAIRS
        specs.append(
            SceneSpec(
                (main, others[other]) if pair else (main,),
                main == ALLIGATOR and photographed < ALLIGATORS_WITH_PHOTOGRAPHER,
                first_seed + i,
            )
        )
    return specs
