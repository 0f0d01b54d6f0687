"""The figures of the walkthroughs, measured by others on the same photographs and weights."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from gradcam_widgets import load_classifier

if TYPE_CHECKING:
    from gradcam_widgets import Classifier

pytestmark = pytest.mark.slow

PHOTOS = Path("photos")


@pytest.fixture(scope="module")
def classifier(shared_cache: Path) -> Classifier:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADCAM_WIDGETS_HOME", str(shared_cache))
        return load_classifier("squeezenet_675kb")


def within_one_unit(value: float, published: str) -> bool:
    decimals = len(published.partition(".")[2])
    distance: float = abs(round(value, decimals) - float(published))
    return distance < 1.01 * 0.1**decimals


@pytest.mark.parametrize(
    ("photo", "published"),
    [
        (
            "submarine_and_aircraft_carrier.jpg",
            [
                ("submarine", "0.832", "23.13"),
                ("aircraft carrier", "0.070", "20.66"),
                ("drilling platform", "0.025", "19.62"),
                ("fireboat", "0.017", None),
                ("beacon", "0.013", None),
            ],
        ),
        (
            "creative_commons_elephant.jpg",
            [
                ("hartebeest", "0.429", "22.57"),
                ("African elephant", "0.279", "22.13"),
                ("water buffalo", "0.109", "21.20"),
                ("ox", "0.079", None),
                ("ibex", "0.043", None),
            ],
        ),
        (
            "n01677366_common_iguana.JPEG",
            [("common iguana", "0.994", "23.29"), ("Komodo dragon", "0.003", "17.56")],
        ),
        (
            "both.png",
            [
                ("bull mastiff", "0.743", "20.71"),
                ("boxer", "0.086", None),
                ("pug", "0.044", None),
                ("tiger cat", "0.039", None),
            ],
        ),
    ],
)
def test_predictions_are_the_published_ones(
    classifier: Classifier, shared_cache: Path, photo: str, published: list[tuple[str, str, str | None]]
) -> None:
    predictions = classifier.predict(shared_cache / PHOTOS / photo, len(published))
    assert [prediction.class_name for prediction in predictions] == [class_name for class_name, _, _ in published]
    for prediction, (_, probability, logit) in zip(predictions, published, strict=True):
        assert within_one_unit(prediction.probability, probability), prediction
        assert logit is None or within_one_unit(prediction.logit, logit), prediction


@pytest.mark.parametrize(
    ("photo", "class_name", "peak", "low", "high"),
    [
        ("submarine_and_aircraft_carrier.jpg", "submarine", (8, 3), "-0.10", "0.93"),
        ("submarine_and_aircraft_carrier.jpg", "aircraft carrier", (3, 7), "-0.57", "0.60"),
        ("creative_commons_elephant.jpg", "African elephant", (3, 9), "-0.16", "0.83"),
        ("creative_commons_elephant.jpg", "hartebeest", (5, 2), "-0.11", "0.78"),
    ],
)
def test_maps_have_the_published_peaks_and_ranges(
    classifier: Classifier,
    shared_cache: Path,
    photo: str,
    class_name: str,
    peak: tuple[int, int],
    low: str,
    high: str,
) -> None:
    heatmap = classifier.heatmap(shared_cache / PHOTOS / photo, class_name)
    assert (heatmap.layer, heatmap.grid) == ("features.12", (13, 13))
    assert heatmap.peak() == peak
    assert within_one_unit(float(heatmap.values.min()), low)
    assert within_one_unit(float(heatmap.values.max()), high)


def test_the_person_beside_the_iguana_flips_the_answer(classifier: Classifier, shared_cache: Path) -> None:
    iguana = Image.open(shared_cache / PHOTOS / "n01677366_common_iguana.JPEG").convert("RGB")
    person = Image.open(shared_cache / PHOTOS / "astronaut.png").convert("RGB")
    side = int(1.3 * iguana.height)
    person = person.resize((side, side), Image.Resampling.BICUBIC).crop((0, 0, side, iguana.height))
    both = Image.new("RGB", (iguana.width + side, iguana.height))
    both.paste(iguana, (0, 0))
    both.paste(person, (iguana.width, 0))
    assert both.size == (987, 375)

    trace = classifier.trace(both)
    ocarina, lizard, common = trace.predictions(3)
    assert [p.class_name for p in (ocarina, lizard, common)] == ["ocarina", "frilled lizard", "common iguana"]
    assert within_one_unit(ocarina.probability, "0.388")
    assert within_one_unit(ocarina.logit, "12.16")
    assert within_one_unit(common.logit, "9.37")

    def share_on_the_person(class_name: str) -> float:
        evidence = trace.heatmap(class_name).evidence("for")
        assert evidence.max() > 0
        centers = (np.arange(evidence.shape[1]) + 0.5) * both.width / evidence.shape[1]
        return float(evidence[:, centers > iguana.width].sum() / evidence.sum())

    assert within_one_unit(share_on_the_person("ocarina"), "0.53")
    assert within_one_unit(share_on_the_person("common iguana"), "0.03")
    crop_box = classifier.predict(both.crop((0, 0, iguana.width, iguana.height)), 1)[0]
    assert crop_box.class_name == "common iguana"
    assert within_one_unit(crop_box.probability, "0.994")


@pytest.mark.parametrize(("resize_mode", "top1", "top5"), [("squash", 41, 52), ("crop", 35, 50)])
def test_59_photographs_are_recognized_as_often_as_published(
    classifier: Classifier, imagenet_sample: Path, photo_source: Path, resize_mode: str, top1: int, top5: int
) -> None:
    assert photo_source
    asked = classifier if resize_mode == "squash" else load_classifier("squeezenet_675kb", resize_mode="crop")
    with (imagenet_sample / "labels.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 59
    first = among_five = 0
    for row in rows:
        answers = [p.class_index for p in asked.predict(imagenet_sample / row["file"], 5)]
        first += answers[0] == int(row["class_index"])
        among_five += int(row["class_index"]) in answers
    assert abs(first - top1) <= 1
    assert abs(among_five - top5) <= 1
