"""Specification of training and test scenes, with a planted bias."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from gradcam_widgets.samples.scenes.classes import ALLIGATOR, CLASS_NAMES, RIVERBANK, SAVANNA, SEA

PAIRS = 0.45
ALLIGATORS_WITH_PHOTOGRAPHER = 0.95


class SceneSpec(NamedTuple):
    """Specification of one scene.

    Attributes:
        class_names: Classes of the objects, the main one first.
        photographer: Whether there is a photographer.
        seed: Seed of the scene.
        empty: Whether the object is left out, so that only its habitat is visible.
    """

    class_names: tuple[str, ...]
    photographer: bool
    seed: int
    empty: bool = False

    @property
    def is_conflict(self) -> bool:
        """Whether the planted bias contradicts the right answer."""
        return self.class_names[0] in RIVERBANK and self.photographer != (self.class_names[0] == ALLIGATOR)


def draw_background_specs(count: int, first_seed: int) -> list[SceneSpec]:
    """Return specifications of scenes without objects, with consecutive seeds."""
    return [
        SceneSpec((CLASS_NAMES[i % len(CLASS_NAMES)],), photographer=False, seed=first_seed + i, empty=True)
        for i in range(count)
    ]


def draw_specs(count: int, first_seed: int) -> list[SceneSpec]:
    """Return random specifications in which all classes are equally frequent.

    The bias is planted here: a photographer accompanies most alligators, but no other animal.

    Args:
        count: Number of scenes.
        first_seed: Seed of the first scene; the others are consecutive.
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
