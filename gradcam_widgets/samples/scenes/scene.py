"""Scenes with ground truth: images rendered from a seed, with exact masks of all objects and their parts."""

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
    """An object of a scene with its visible pixels.

    Attributes:
        name: Class name, or "photographer".
        mask: Pixels at least half covered by the object, `(H, W)` bool, read-only.
        parts: Masks of its visible parts by name, such as "head", "ears", "trunk", "tusks", "body" and "legs" of an
            elephant; each within the mask, `(H, W)` bool, read-only.
    """

    name: str
    mask: NDArray[np.bool_]
    parts: Mapping[str, NDArray[np.bool_]]

    @property
    def box(self) -> Box:
        """The smallest box around the mask."""
        rows, columns = np.flatnonzero(self.mask.any(axis=1)), np.flatnonzero(self.mask.any(axis=0))
        return Box(int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)


@dataclass(frozen=True, eq=False)
class Scene:
    """A rendered image and its objects.

    Attributes:
        image: `(H, W, 3)` uint8 RGB, read-only.
        objects: Objects in the order of the class names, then the photographer if there is one.
        seed: Seed of the scene.
    """

    image: NDArray[np.uint8]
    objects: tuple[SceneObject, ...]
    seed: int


def render(class_names: Sequence[str], seed: int, *, photographer: bool = False, size: int = 224) -> Scene:
    """Render a scene, bit-identical on all machines.

    Args:
        class_names: One or two of `CLASS_NAMES` from one habitat (`HABITATS`); the first is nearer and larger.
        seed: Non-negative integer; together with the classes it determines the scene.
        photographer: Whether to add a person with a camera, to the left or right of all animals.
        size: Side of the image in pixels; it changes the resolution, not the scene.

    Returns:
        The scene, with disjoint masks.

    Raises:
        OptionError: If a class is unknown, there are too many, their habitats differ, or seed or size is invalid.
    """
    names = _checked_class_names(class_names)
    return _render(names, _checked_seed(seed), photographer=bool(photographer), size=_checked_size(size))


def _checked_class_names(class_names: Sequence[str]) -> tuple[str, ...]:
    if isinstance(class_names, str):
        raise OptionError(f"class_names must be a sequence of names, got {class_names!r}; pass ({class_names!r},).")
    names = tuple(class_names)
    for name in names:
        if name not in CLASS_NAMES:
            raise OptionError(f"class_names must be among {', '.join(CLASS_NAMES)}, got {name!r}.")
    if not 1 <= len(names) <= 2:
        raise OptionError(f"class_names must be one or two classes, got {len(names)} ({', '.join(names) or 'none'}).")
    if all(not set(names) <= set(members) for members in HABITATS.values()):
        habitats = "; ".join(f"{habitat}: {', '.join(members)}" for habitat, members in HABITATS.items())
        raise OptionError(f"class_names must be of one habitat ({habitats}), got {' and '.join(names)}.")
    return names


def _checked_seed(seed: int) -> int:
    try:
        number = operator.index(seed)
    except TypeError as error:
        raise OptionError(f"seed must be a non-negative integer, got {seed!r}.") from error
    if number < 0:
        raise OptionError(f"seed must be a non-negative integer, got {number}.")
    return number


def _checked_size(size: int) -> int:
    if not isinstance(size, int) or not MIN_SIZE <= size <= MAX_SIZE:
        raise OptionError(f"size must be an integer from {MIN_SIZE} to {MAX_SIZE}, got {size!r}.")
    return size


def _streams(names: tuple[str, ...], seed: int, *, photographer: bool) -> list[Generator]:
    """Return one generator per random aspect, so that leaving out one object changes no other."""
    codes = [CLASS_NAMES.index(name) + 1 for name in names] + [0] * (2 - len(names))
    children = np.random.SeedSequence([seed, *codes, int(photographer)]).spawn(12)
    return [np.random.Generator(np.random.PCG64(child)) for child in children]


def backdrop(class_name: str, seed: int, *, size: int = 224) -> Scene:
    """Render the habitat of a class without any object.

    Args:
        class_name: One of `CLASS_NAMES`.
        seed: As for `render`.
        size: As for `render`.

    Returns:
        A scene without objects.

    Raises:
        OptionError: As for `render`.
    """
    names = _checked_class_names((class_name,))
    return _render(names, _checked_seed(seed), photographer=False, size=_checked_size(size), absent=0, traces=False)


def _render(
    names: tuple[str, ...], seed: int, *, photographer: bool, size: int, absent: int | None = None, traces: bool = True
) -> Scene:
    """Render a scene, optionally without the object of index `absent` or without shadows and wakes (`traces`)."""
    layout, weather, scenery, clutter, front, *others = _streams(names, seed, photographer=photographer)
    figures, surfaces, film = others[:3], others[3:6], others[6]
    habitat = next(habitat for habitat, members in HABITATS.items() if names[0] in members)
    light = draw_light(weather)
    horizon = layout.uniform(*{"sea": (0.30, 0.55), "savanna": (0.34, 0.52), "riverbank": (0.34, 0.48)}[habitat])
    actors = _make_actors(names, habitat, light, horizon, layout, figures=figures, photographer=photographer)
    contrast = film.uniform(1.02, 1.14)
    canvas = Canvas(size, contrast * film.uniform(0.94, 1.08), _MIDDLE_GRAY * (1 - contrast))
    placed = place(actors, _order(actors, layout, photographer=photographer), canvas.side, layout)
    plants = _backdrop(canvas, habitat, light, horizon, scenery, clutter=clutter)
    present = [figure for index, figure in enumerate(placed) if index != absent]
    for figure in sorted(placed, key=lambda item: item.actor.ground):
        rng = surfaces[figure.base // PARTS_PER_OBJECT - 1]
        brush = stroke(figure, light, (rng.uniform(0, TILE), rng.uniform(0, TILE)))
        _paint_support(canvas, figure, habitat, brush, rng)
        if figure in present:
            _paint_figure(canvas, figure, brush, rng, afloat=_is_afloat(figure, habitat), traces=traces)
    if habitat != "sea":
        foreground(canvas, front, light, plants, max(figure.actor.ground for figure in placed))
    image = canvas.developed(film.uniform(0.10, 0.35))
    image.setflags(write=False)
    return Scene(image, tuple(_scene_object(canvas, figure) for figure in present), seed)


def _make_actors(
    names: tuple[str, ...], habitat: str, light: Light, horizon: float, layout: Generator, *,
    figures: Sequence[Generator], photographer: bool,
) -> list[Actor]:  # fmt: skip
    crowd = len(names) + photographer
    actors = []
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
        actors.append(Actor(name, _make_pieces(name, rng), width, height, ground, bool(flip), angle, fog, far))
    if photographer:
        height, ground = layout.uniform(0.52, 0.74), layout.uniform(0.84, 0.94)
        pieces = person(figures[2])
        actors.append(Actor(PHOTOGRAPHER, pieces, 0.34, height, ground, flip=False, angle=0.0, fog=0.04))
    return actors


def _make_pieces(name: str, rng: Generator) -> list[Piece]:
    makers = {
        "submarine": submarine, "aircraft carrier": carrier, "gazelle": gazelle, "common iguana": iguana,
        "American alligator": alligator,
    }  # fmt: skip
    return makers[name](rng) if name in makers else elephant(name, rng)


def _order(actors: list[Actor], rng: Generator, *, photographer: bool) -> list[int]:
    """Return the actors' indices from left to right; the photographer stands at one end, facing the others."""
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


def _is_afloat(figure: Placed, habitat: str) -> bool:
    return habitat == "sea" and figure.actor.name != PHOTOGRAPHER


def _paint_support(canvas: Canvas, figure: Placed, habitat: str, brush: Stroke, rng: Generator) -> None:
    """Paint the ground, log, rock or quay below a figure, which stays if the figure is left out."""
    is_person = figure.actor.name == PHOTOGRAPHER
    if habitat == "sea" and is_person:
        _paint_pieces_below(canvas, figure, brush.light, rng, "quay")
    elif habitat == "riverbank" and not is_person:
        _paint_pieces_below(canvas, figure, brush.light, rng, ("mud", "log", "rock")[rng.integers(3)])


def _paint_figure(canvas: Canvas, figure: Placed, brush: Stroke, rng: Generator, *, afloat: bool, traces: bool) -> None:
    """Paint a figure with its shadow, or with its wake and bow wave."""
    if traces and afloat:
        wake(canvas, rng, brush.light, figure)
    elif traces:
        ground_shadow(canvas, figure, brush.light)
    canvas.figure(figure.actor.pieces, figure.pose, brush)
    if traces and afloat:
        bow_wave(canvas, rng, brush.light, figure)


def _paint_pieces_below(canvas: Canvas, figure: Placed, light: Light, rng: Generator, kind: str) -> None:
    left, _, right, _ = figure.box
    origin, scale = figure.pose.origin, figure.pose.scale
    width = (right - left) / scale
    center = ((left + right) / 2 - origin[0]) / scale
    pieces = support(kind, width * 0.9, rng)
    pose = replace(figure.pose, origin=origin + np.array([center * scale, -0.02 * scale]))
    canvas.figure(pieces, pose, Stroke(light, figure.actor.fog, (rng.uniform(0, TILE), rng.uniform(0, TILE))))


def _scene_object(canvas: Canvas, figure: Placed) -> SceneObject:
    mask = canvas.visible(figure.base, figure.base + PARTS_PER_OBJECT, figure.box)
    mask.setflags(write=False)
    parts = {}
    for name, number in figure.labels.items():
        part = canvas.visible(figure.base + number, figure.base + number + 1, figure.box) & mask
        if part.any():
            part.setflags(write=False)
            parts[name] = part
    return SceneObject(figure.actor.name, mask, MappingProxyType(parts))
