"""One word for one thing: the words that the plan rules out stay out, in names, docstrings and messages."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from typing import TYPE_CHECKING

import pytest

from tests.support import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PACKAGE = ROOT / "gradcam_widgets"
MODULES = sorted([*PACKAGE.rglob("*.py"), *PACKAGE.rglob("*.pyi")])
SCRIPTS = sorted(PACKAGE.rglob("*.mjs"))
# Parts of a name in snake_case, as they are written between underscores.
OLD_PARTS = {
    "picture", "pictures", "category", "categories", "network", "networks", "world", "worlds", "remark", "remarks",
    "noted", "digest", "geometry", "speaks", "skeleton", "asked", "told", "given", "thing", "things", "grey",
    "colour", "centre",
}  # fmt: skip
OLD_NAMES = {
    "share_for",
    "border_share",
    "points_at",
    "share_inside",
    "weights_at_hand",
    "three",
    "shared_limit",
    "limit",
}
OLD_PHRASES = (
    r"\bpictures?\b", r"\bcategor(?:y|ies)\b", r"(?<!convolutional )\bnetworks?\b(?! access| connection)",
    r"\bworlds?\b", r"\bputs? out\b", r"what is said", r"(?:is|are|was) given back", r"\bwas asked for\b",
    r"\basked of\b", r"^Say (?:whether|how|what|which|for|in)\b", r"of one's own", r"\bso many\b", r"\bremarks?\b",
    r"\bdigest\b", r"\bcolour", r"\bgrey\b", r"\bcentre", r"normalis", r"\bneighbour", r"behaviour",
    r"\blicence\b",
)  # fmt: skip
ALLOWED = {  # file (or all) and name: why
    ("*", "hexdigest"),  # hashlib's
    ("images/reading.py", "limit"),  # of pixels
    ("classifiers/downloads.py", "network"),  # the internet
    ("classifiers/downloads.py", "digest"),
    ("view/page.py", "digest"),
    ("classifiers/torchvision_models.py", "categories"),  # torchvision's
    ("classifiers/squeezenet.py", "categories"),
}


def names(path: Path) -> Iterator[str]:
    for token in tokenize.generate_tokens(io.StringIO(path.read_text(encoding="utf-8")).readline):
        if token.type == tokenize.NAME:
            yield token.string


def texts(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
    for token in tokenize.generate_tokens(io.StringIO(path.read_text(encoding="utf-8")).readline):
        if token.type == tokenize.COMMENT:
            yield token.string


def is_allowed(path: Path, word: str) -> bool:
    return ("*", word) in ALLOWED or (path.relative_to(PACKAGE).as_posix(), word) in ALLOWED


def old_names(path: Path) -> list[str]:
    found = {
        name
        for name in names(path)
        if name in OLD_NAMES or OLD_PARTS & set(re.split(r"_|(?<=[a-z])(?=[A-Z])", name.lower()))
    }
    return sorted(name for name in found if not is_allowed(path, name))


def old_phrases(path: Path) -> list[str]:
    found = [
        match.group()
        for text in texts(path)
        for phrase in OLD_PHRASES
        for match in re.finditer(phrase, text, re.MULTILINE | re.IGNORECASE)
    ]
    return [each for each in found if not is_allowed(path, each)]


def test_the_lists_find_old_words(tmp_path: Path) -> None:
    file = tmp_path / "old.py"
    file.write_text('def read_picture(world):\n    """Say whether a grey network is given back."""\n', encoding="utf-8")
    assert len(MODULES) > 60
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tests.test_words.PACKAGE", tmp_path)
        assert old_names(file) == ["read_picture", "world"]
        assert len(old_phrases(file)) == 4


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_no_old_word_in_a_module(path: Path) -> None:
    assert old_names(path) == []
    assert old_phrases(path) == []


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_no_old_word_in_the_view(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert [match.group() for phrase in OLD_PHRASES for match in re.finditer(phrase, text, re.IGNORECASE)] == []
    assert re.findall(r"\b\w*(?:[pP]icture|[cC]ategor|[nN]etwork|remark|told|asked)\w*", text) == []


TESTS = sorted((ROOT / "tests").rglob("test_*.py"))
MAX_NAME = 60
OLD_IN_TESTS = {"picture", "pictures", "category", "categories", "network", "networks", "world", "worlds", "digest"}


@pytest.mark.parametrize("path", TESTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_test_says_what_holds_in_60_characters(path: Path) -> None:
    names = re.findall(r"^def test_(\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)
    assert names
    assert [name for name in names if len(name) > MAX_NAME or OLD_IN_TESTS & set(name.split("_"))] == []
