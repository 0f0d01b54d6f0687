"""Scenes with known answers: images drawn from a seed, with the exact place of every thing."""

from __future__ import annotations

import operator
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from gradcam_widgets.errors import OptionError
from gradcam_widgets.images.box import Box
from gradcam_widgets.samples.scenes.backgrounds.landscapes import savanna, sea
from gradcam_widgets.samples.scenes.backgrounds.riverbank import riverbank, support
from gradcam_widgets.samples.scenes.backgrounds.weather import draw_light
from gradcam_widgets.samples.scenes.drawing.canvas import PARTS_PER_OBJECT, Canvas
from gradcam_widgets.samples.scenes.drawing.shading import Light, Stroke
from gradcam_widgets.samples.scenes.drawing.textures import TILE
from gradcam_widgets.samples.scenes.subjects.elephants import elephant
from gradcam_widgets.samples.scenes.subjects.gazelles import gazelle
from gradcam_widgets.samples.scenes.subjects.photographer import photographer as person
from gradcam_widgets.samples.scenes.subjects.reptiles import alligator, iguana
from gradcam_widgets.samples.scenes.subjects.vessels import carrier, submarine

from .classes import CLASS_NAMES, HABITATS, PHOTOGRAPHER
from .placement import (
    Actor,
    Placed,
    bow_wave,
    foreground,
    ground_shadow,
    land_clutter,
    place,
    sea_clutter,
    stroke,
    wake,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.random import Generator
    from numpy.typing import NDArray

    from gradcam_widgets.samples.scenes.drawing.shapes import Color, Piece

MIN_SIZE = 32
MAX_SIZE = 2048
_MIDDLE_GRAY = 118

_WIDTHS = {"sea": (0.50, 0.72), "savanna": (0.36, 0.66), "riverbank": (0.52, 0.72)}


@dataclass(frozen=True, eq=False)
class SceneObject:
    """One thing of a scene and where it is visible.

    Attributes:
        name: Its class, or "photographer".
        mask: Where at least half of a pixel shows it, axes (row, column), bool, read-only.
        parts: Where its parts are visible, by name ("head", "ears", "trunk", "tusks", "body", "legs" of an elephant);
            each within the mask, axes (row, column), bool, read-only. What is hidden is absent.
    """

    name: str
    mask: NDArray[np.bool_]
    parts: Mapping[str, NDArray[np.bool_]]

    @property
    def box(self) -> Box:
        """The smallest rectangle around the mask."""
        rows, columns = np.flatnonzero(self.mask.any(axis=1)), np.flatnonzero(self.mask.any(axis=0))
        return Box(int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)


@dataclass(frozen=True, eq=False)
class Scene:
    """An image and what is in it.

    Attributes:
        image: Axes (row, column, RGB), uint8, read-only.
        objects: The things of the classes asked for, in that order, then the photographer if there is one.
        seed: What it was drawn from.
    """

    image: NDArray[np.uint8]
    objects: tuple[SceneObject, ...]
    seed: int


def render(class_names: Sequence[str], seed: int, *, photographer: bool = False, size: int = 224) -> Scene:
    """Draw a scene: the same from the same arguments, on any machine.

    Args:
        class_names: One or two of `CLASS_NAMES` from one habitat (`HABITATS`); the first is nearer and larger.
        seed: What all that varies is drawn from, 0 or more. Other classes make another scene of the same seed.
        photographer: Put a person with a camera to the left or right of the animals, beyond a vertical line.
        size: Side of the image in pixels; it changes the resolution, not the scene.

    Returns:
        The scene; what it shows of each thing is known exactly, and no two masks overlap.

    Raises:
        OptionError: An unknown class, too many, from different habitats, a negative seed or an odd size.
    """
    names = _checked_class_names(class_names)
    return _render(names, _checked_seed(seed), photographer=bool(photographer), size=_checked_size(size))


def _checked_class_names(class_names: Sequence[str]) -> tuple[str, ...]:
    if isinstance(class_names, str):
        raise OptionError(f"The classes of a scene are a sequence: give ({class_names!r},).")
    names = tuple(class_names)
    for name in names:
        if name not in CLASS_NAMES:
            raise OptionError(f"No scene can show {name!r}: choose from {', '.join(CLASS_NAMES)}.")
    if not 1 <= len(names) <= 2:
        raise OptionError(f"A scene shows one class or two, not {len(names)}: {', '.join(names) or 'none'} given.")
    if all(not set(names) <= set(members) for members in HABITATS.values()):
        homes = "; ".join(f"{habitat}: {', '.join(members)}" for habitat, members in HABITATS.items())
        raise OptionError(f"{' and '.join(names)} do not live together: choose two of one habitat ({homes}).")
    return names


def _checked_seed(seed: int) -> int:
    try:
        number = operator.index(seed)
    except TypeError as error:
        raise OptionError(f"The seed {seed!r} is no whole number: give one from 0 on.") from error
    if number < 0:
        raise OptionError(f"The seed {number} is negative: give a whole number from 0 on.")
    return number


def _checked_size(size: int) -> int:
    if not isinstance(size, int) or not MIN_SIZE <= size <= MAX_SIZE:
        raise OptionError(f"A scene cannot be {size!r} pixels wide: give a whole number from {MIN_SIZE} to {MAX_SIZE}.")
    return size


def _streams(names: tuple[str, ...], seed: int, *, photographer: bool) -> list[Generator]:
    """One generator for each thing that varies, so that leaving one out changes no other."""
    codes = [CLASS_NAMES.index(name) + 1 for name in names] + [0] * (2 - len(names))
    children = np.random.SeedSequence([seed, *codes, int(photographer)]).spawn(12)
    return [np.random.Generator(np.random.PCG64(child)) for child in children]


def backdrop(class_name: str, seed: int, *, size: int = 224) -> Scene:
    """Draw the scene of one class without it: sea, savanna or riverbank, and nothing to look for.

    Args:
        class_name: One of `CLASS_NAMES`.
        seed: As for `render`.
        size: As for `render`.

    Returns:
        A scene of no things.

    Raises:
        OptionError: As for `render`.
    """
    names = _checked_class_names((class_name,))
    return _render(names, _checked_seed(seed), photographer=False, size=_checked_size(size), absent=0, traces=False)


def _render(
    names: tuple[str, ...], seed: int, *, photographer: bool, size: int, absent: int | None = None, traces: bool = True
) -> Scene:
    """Draw a scene; `absent` leaves one thing out, without `traces` nothing casts a shadow or makes waves."""
    layout, weather, scenery, clutter, front, *others = _streams(names, seed, photographer=photographer)
    figures, surfaces, film = others[:3], others[3:6], others[6]
    habitat = next(habitat for habitat, members in HABITATS.items() if names[0] in members)
    light = draw_light(weather)
    horizon = layout.uniform(*{"sea": (0.30, 0.55), "savanna": (0.34, 0.52), "riverbank": (0.34, 0.48)}[habitat])
    actors = _cast(names, habitat, light, horizon, layout, figures=figures, photographer=photographer)
    contrast = film.uniform(1.02, 1.14)
    canvas = Canvas(size, contrast * film.uniform(0.94, 1.08), _MIDDLE_GRAY * (1 - contrast))
    placed = place(actors, _order(actors, layout, photographer=photographer), canvas.side, layout)
    plants = _backdrop(canvas, habitat, light, horizon, scenery, clutter=clutter)
    there = [one for index, one in enumerate(placed) if index != absent]
    for one in sorted(placed, key=lambda item: item.actor.ground):
        rng = surfaces[one.base // PARTS_PER_OBJECT - 1]
        brush = stroke(one, light, (rng.uniform(0, TILE), rng.uniform(0, TILE)))
        _stage(canvas, one, habitat, brush, rng)
        if one in there:
            _perform(canvas, one, brush, rng, afloat=_afloat(one, habitat), traces=traces)
    if habitat != "sea":
        foreground(canvas, front, light, plants, max(one.actor.ground for one in placed))
    image = canvas.developed(film.uniform(0.10, 0.35))
    image.setflags(write=False)
    return Scene(image, tuple(_item(canvas, one) for one in there), seed)


def _cast(
    names: tuple[str, ...], habitat: str, light: Light, horizon: float, layout: Generator, *,
    figures: Sequence[Generator], photographer: bool,
) -> list[Actor]:  # fmt: skip
    crowd = len(names) + photographer
    result = []
    for index, (name, rng) in enumerate(zip(names, figures, strict=False)):
        far = index > 0
        width = layout.uniform(*_WIDTHS[habitat]) * (1.0, 0.82, 0.72)[crowd - 1] * (0.52 if far else 1.0)
        if habitat == "sea":
            low, high = (horizon + 0.07, horizon + 0.14) if far else (max(0.62, horizon + 0.18), 0.84)
        else:
            low, high = (0.66, 0.73) if far else (0.80, 0.93)
        ground = layout.uniform(low, high)
        angle = layout.uniform(-0.03, 0.03)
        fog = (0.30 if far else 0.06) * min(1.0, light.density)
        flip = layout.uniform() < 0.5
        height = 0.36 if far else 0.70
        result.append(Actor(name, _drawn(name, rng), width, height, ground, bool(flip), angle, fog, far))
    if photographer:
        height, ground = layout.uniform(0.52, 0.74), layout.uniform(0.84, 0.94)
        pieces = person(figures[2])
        result.append(Actor(PHOTOGRAPHER, pieces, 0.34, height, ground, flip=False, angle=0.0, fog=0.04))
    return result


def _drawn(name: str, rng: Generator) -> list[Piece]:
    simple = {
        "submarine": submarine, "aircraft carrier": carrier, "gazelle": gazelle, "common iguana": iguana,
        "American alligator": alligator,
    }  # fmt: skip
    return simple[name](rng) if name in simple else elephant(name, rng)


def _order(actors: list[Actor], rng: Generator, *, photographer: bool) -> list[int]:
    """From left to right; the photographer stands at one end and looks at the others."""
    animals = list(range(len(actors) - photographer))
    if rng.uniform() < 0.5:
        animals.reverse()
    if not photographer:
        return animals
    left = bool(rng.uniform() < 0.5)
    actors[-1] = replace(actors[-1], flip=not left)
    return [len(actors) - 1, *animals] if left else [*animals, len(actors) - 1]


def _backdrop(
    canvas: Canvas, habitat: str, light: Light, horizon: float, rng: Generator, *, clutter: Generator
) -> Color:
    if habitat == "sea":
        water = sea(canvas, rng, light, horizon)
        sea_clutter(canvas, clutter, light, horizon)
        return water
    plants = (savanna if habitat == "savanna" else riverbank)(canvas, rng, light, horizon)
    land_clutter(canvas, clutter, light, horizon, plants, birds_too=habitat == "savanna")
    return plants


def _afloat(one: Placed, habitat: str) -> bool:
    return habitat == "sea" and one.actor.name != PHOTOGRAPHER


def _stage(canvas: Canvas, one: Placed, habitat: str, brush: Stroke, rng: Generator) -> None:
    """Paint what a thing rests on, which stays when it is left out."""
    is_person = one.actor.name == PHOTOGRAPHER
    if habitat == "sea" and is_person:
        _support(canvas, one, brush.light, rng, "quay")
    elif habitat == "riverbank" and not is_person:
        _support(canvas, one, brush.light, rng, ("mud", "log", "rock")[rng.integers(3)])


def _perform(canvas: Canvas, one: Placed, brush: Stroke, rng: Generator, *, afloat: bool, traces: bool) -> None:
    """Paint a thing and what it leaves on ground or water."""
    if traces and afloat:
        wake(canvas, rng, brush.light, one)
    elif traces:
        ground_shadow(canvas, one, brush.light)
    canvas.figure(one.actor.pieces, one.pose, brush)
    if traces and afloat:
        bow_wave(canvas, rng, brush.light, one)


def _support(canvas: Canvas, one: Placed, light: Light, rng: Generator, kind: str) -> None:
    width = (one.box[2] - one.box[0]) / one.pose.scale
    middle = ((one.box[0] + one.box[2]) / 2 - one.pose.origin[0]) / one.pose.scale
    pieces = support(kind, width * 0.9, rng)
    pose = replace(one.pose, origin=one.pose.origin + np.array([middle * one.pose.scale, -0.02 * one.pose.scale]))
    canvas.figure(pieces, pose, Stroke(light, one.actor.fog, (rng.uniform(0, TILE), rng.uniform(0, TILE))))


def _item(canvas: Canvas, one: Placed) -> SceneObject:
    mask = canvas.visible(one.base, one.base + PARTS_PER_OBJECT, one.box)
    mask.setflags(write=False)
    parts = {}
    for name, number in one.labels.items():
        part = canvas.visible(one.base + number, one.base + number + 1, one.box) & mask
        if part.any():
            part.setflags(write=False)
            parts[name] = part
    return SceneObject(one.actor.name, mask, MappingProxyType(parts))
