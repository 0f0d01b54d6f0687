"""Other systems, played here: one journey in a process of its own under each kind, compared with the plain one."""

from __future__ import annotations

import json
import os
import re
import shutil
import site
import subprocess
import sys
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path, PureWindowsPath
from typing import TYPE_CHECKING, Any

import pytest
import torch
import torchvision

import gradcam_widgets
from gradcam_widgets import ExportError, GradCAMError, load_classifier, samples
from gradcam_widgets.classifiers.downloads import PHOTOS, REGISTRY
from gradcam_widgets.cli import jupyter as launch
from gradcam_widgets.samples.models.weights import FOLDER as WEIGHTS
from gradcam_widgets.view.page import export_page
from tests.support import ROOT, TESTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

pytestmark = pytest.mark.slow

PACKAGE = Path(gradcam_widgets.__file__).parent
ODD = "Jörg Müller's “ß” folder"
OURS_TO_SET = ("LC_", "LANG", "PYTHON", "GRADCAM_WIDGETS_", "MPL", "MATPLOTLIB", "XDG_", "TMP", "TEMP", "TORCH_HOME")
SYMPTOMS = re.compile(r"Traceback|Warning|Exception ignored|[Ss]egmentation|Glyph")


@dataclass(frozen=True)
class Surroundings:
    """How a journey is sent off, and what it must say of its surroundings."""

    in_force: Mapping[str, Any]
    flags: Sequence[str] = ()
    played: Sequence[str] = ()
    environment: Mapping[str, str | None] = field(default_factory=dict)
    package: Path = PACKAGE


def listed(folder: Path) -> dict[str, Surroundings]:
    """List all surroundings; the plain one is first."""
    odd = {name: folder / ODD / name for name in ("home", "cache of 50 % {1}", "temporary files")}
    missing_font = folder / "matplotlibrc"
    clone = folder / "clone"
    home = folder / "closed home"
    return {
        "plain": Surroundings({"asserts": True, "file names": "utf-8", "standard output": "utf-8"}),
        "ASCII, warnings are errors": Surroundings(
            {"file names": "ascii", "standard output": "ascii", "warnings are errors": True, "encoding warnings": 1}
            if os.name != "nt"
            else {"standard output": "ascii", "warnings are errors": True},
            flags=["-X", "warn_default_encoding", "-W", "ignore::EncodingWarning"],  # before ours is imported
            played=["--strict"],
            environment={"PYTHONUTF8": "0", "LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": "ascii"},
        ),
        "Windows' console and line ends": Surroundings(
            {"standard output": "cp1252"},
            played=["--windows-line-ends"],
            environment={"PYTHONIOENCODING": "cp1252"},
            package=clone / "gradcam_widgets",
        ),
        "spaces and umlauts, another device, -OO": Surroundings(
            {"asserts": False, "docstrings": False, "home": str(odd["home"]), "temporary": str(odd["temporary files"])},
            flags=["-OO"],
            played=["--other-device", str(odd["temporary files"])],
            environment={
                "HOME": str(odd["home"]),
                "USERPROFILE": str(odd["home"]),
                "TMPDIR": str(odd["temporary files"]),
                "GRADCAM_WIDGETS_HOME": str(odd["cache of 50 % {1}"]),
            },
        ),
        "no home, no TMPDIR, -O": Surroundings(
            {"asserts": False, "docstrings": True, "home": "~"} if os.name != "nt" else {"asserts": False},
            flags=["-O"],
            played=["--no-home"],
            environment={"HOME": None, "TMPDIR": str(folder / "nowhere")},
        ),
        "read-only, -X dev, warnings are errors": Surroundings(
            {"dev mode": True, "warnings are errors": True},
            flags=["-X", "dev"],
            played=["--strict", "--read-only", str(ROOT), str(PACKAGE), "--closed", str(home)],
            environment={"HOME": str(home), "USERPROFILE": str(home)},
        ),
        "German, a missing font": Surroundings(
            {"decimal point": ",", "font": ["No Such Font"], "system fonts": False},
            played=["--local", "--own-fonts"],
            environment={
                "LC_ALL": "de_DE.UTF-8",
                "LOCPATH": str(folder / "locales"),
                "MATPLOTLIBRC": str(missing_font),
            },
        ),
    }


NAMES = [name for name in listed(Path()) if name != "plain"]


@pytest.fixture(scope="module")
def journeys(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Future[dict[str, Any]]]]:
    """All journeys, two at a time."""
    folder = tmp_path_factory.mktemp("systems")
    prepare(folder)
    with ThreadPoolExecutor(2) as pool:
        yield {name: pool.submit(travel, folder, name, each) for name, each in listed(folder).items()}
        pool.shutdown(cancel_futures=True)


def prepare(folder: Path) -> None:
    """Make what the surroundings name: a model, folders, a clone as Git for Windows makes it, a German locale."""
    for name in ("checkpoints", "locales", "closed home", f"{ODD}/home", f"{ODD}/temporary files"):
        (folder / name).mkdir(parents=True)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        state = torchvision.models.squeezenet1_1(num_classes=3).state_dict()
    contents = {"state_dict": state, "class_names": ["red fox", "gray wolf", "gray seal"]}
    torch.save(contents, folder / "checkpoints" / "squeezenet1_1.pth")
    (folder / "matplotlibrc").write_text("font.family: No Such Font\n", encoding="ascii")
    unwanted = shutil.ignore_patterns("__pycache__")
    shutil.copytree(PACKAGE, folder / "clone" / "gradcam_widgets", ignore=unwanted)
    shutil.copytree(launch.tutorials(), folder / "clone" / "notebooks", ignore=unwanted, dirs_exist_ok=True)
    for file in filter(Path.is_file, (folder / "clone").rglob("*")):
        data = file.read_bytes()
        if b"\0" not in data[:8000]:  # how Git tells text
            file.write_bytes(data.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))
        file.chmod(0o444)
    if compiler := shutil.which("localedef"):  # where it or its sources are missing, the journey plays the comma
        compiled = folder / "locales" / "de_DE.UTF-8"
        subprocess.run([compiler, "-i", "de_DE", "-f", "UTF-8", compiled], capture_output=True, check=False)  # noqa: S603 - as it was found


def travel(folder: Path, name: str, surroundings: Surroundings) -> dict[str, Any]:
    """Send the journey off in an empty folder, and read its report."""
    work = folder / "work" / re.sub(r"\W+", " ", name) / ODD
    home = work.parent / "home"
    for each in (work, home):
        each.mkdir(parents=True)
    kept = {key: value for key, value in os.environ.items() if not key.upper().startswith(OURS_TO_SET)}
    path = [str(surroundings.package.parent), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {
        **kept,
        "HOME": str(home),
        "USERPROFILE": str(home),
        "PYTHONUTF8": "1",
        "PYTHONUSERBASE": site.getuserbase(),  # packages stay where they are
        "PYTHONPATH": os.pathsep.join(path),
        "GRADCAM_WIDGETS_CHECKPOINTS": str(folder / "checkpoints"),
        "GRADCAM_WIDGETS_SOURCE": "scenes",
        "HTTPS_PROXY": "http://127.0.0.1:9",  # where nobody answers
        "NO_PROXY": "127.0.0.1",
        "SOURCE_DATE_EPOCH": "0",
        "COLUMNS": "80",
        **surroundings.environment,
    }
    done = subprocess.run(  # noqa: S603 - ours
        [sys.executable, *surroundings.flags, str(TESTS / "support" / "journey.py"), *surroundings.played],
        cwd=work,
        env={key: value for key, value in environment.items() if value is not None},
        capture_output=True,
        check=False,
        timeout=300,
    )
    told = done.stderr.decode("utf-8", "replace")
    assert done.returncode == 0, told
    assert done.stdout == b""
    assert not SYMPTOMS.search(told), told
    report: dict[str, Any] = json.loads((work / "journey.json").read_bytes())
    assert report.pop("package") == str(surroundings.package)
    said = report.pop("surroundings")
    assert {key: said[key] for key in surroundings.in_force} == surroundings.in_force, (
        "the surroundings are not in force"
    )
    report["surroundings"] = said
    report["left behind"] = sorted(path.name for path in work.iterdir())
    return report


def as_printed(report: dict[str, Any], encoding: str) -> dict[str, Any]:
    """Put ? for what a console cannot show."""
    return {
        name: text.encode(encoding, "replace").decode(encoding) if isinstance(text, str) else text
        for name, text in report["commands"].items()
    }


def test_the_plain_journey_sees_what_it_should(journeys: dict[str, Future[dict[str, Any]]]) -> None:
    plain = journeys["plain"].result()
    assert plain["maps"][0].startswith("submarine (0) | layer4 7×7 grad-cam | ")
    assert plain["read again"] == plain["overlay"]
    assert plain["panel"]["code"] == [plain["panel"]["summary"]]
    assert plain["panel of a file"]["code"] == [plain["panel of a file"]["summary"]]
    assert plain["no such image"] == "ImageError"
    assert plain["refused"] == []
    assert {text[:3] for text in plain["commands"].values() if isinstance(text, str)} == {"0: "}
    facts = json.loads(plain["commands"]["json"].removeprefix("0: "))
    assert "13×13" in facts["maps"][0]["summary"]
    assert facts["figure"] in plain["left behind"]
    assert plain["lessons"]["names"] == [path.name for path in sorted(launch.tutorials().glob("*.ipynb"))]
    assert (plain["lessons"]["same bytes"], plain["lessons"]["writable"]) == (True, True)
    fetched = plain["downloads"]
    assert (fetched["again"], fetched["place"], fetched["auto"][0]) == (True, "clocks/clock.bin", "scenes")


@pytest.mark.parametrize("name", NAMES)
def test_the_journey_is_the_same(journeys: dict[str, Future[dict[str, Any]]], name: str) -> None:
    plain, other = journeys["plain"].result(), journeys[name].result()
    assert other["commands"] == as_printed(plain, other["surroundings"]["standard output"])
    assert other["commands"]["json"] == plain["commands"]["json"], "what programs read is the same on every console"
    size, numbers = other["local figure"]
    assert [size, [each.replace(",", ".") for each in numbers]] == plain["local figure"]
    assert any("," in each for each in numbers) == (other["surroundings"]["decimal point"] == ",")
    fetched, homeless = other["downloads"], {"no home": "unknown home folder", "read-only": "to a writable folder"}
    [said] = [text for start, text in homeless.items() if name.startswith(start)] or [""]
    if said:  # nothing can be kept, which is one sentence, and the samples are scenes
        assert fetched["fetched"].startswith("refused: ")
        assert said in fetched["fetched"]
        assert fetched["auto"] == plain["downloads"]["auto"]
    else:
        assert fetched == plain["downloads"]
    compared = plain.keys() - {"commands", "local figure", "downloads", "surroundings", "refused"}
    assert {key: other[key] for key in compared} == {key: plain[key] for key in compared}


def test_nothing_is_written_beside_the_package(journeys: dict[str, Future[dict[str, Any]]]) -> None:
    refused = journeys["read-only, -X dev, warnings are errors"].result()["refused"]
    assert [each for each in refused if "closed home" not in each] == []
    assert refused, "a home that is closed was not even tried: it is not what is compared here"


def test_tests_pass_where_pytest_cannot_keep_its_cache(tmp_path: Path) -> None:
    (tmp_path / "test_one.py").write_text("def test_one() -> None: ...\n", encoding="utf-8")
    cache = tmp_path / "test_one.py" / "cache"  # no folder can be made below a file
    options = ["-c", str(ROOT / "pyproject.toml"), "--rootdir", str(tmp_path), "-o", f"cache_dir={cache}"]
    done = subprocess.run(  # noqa: S603 - ours
        [sys.executable, "-m", "pytest", *options, str(tmp_path)], cwd=tmp_path, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stdout.decode("utf-8", "replace")


@pytest.mark.parametrize("variable", ["GRADCAM_WIDGETS_HOME", "GRADCAM_WIDGETS_CHECKPOINTS"])
def test_a_home_that_nobody_knows_is_one_sentence(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(_path: Path) -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "expanduser", unknown)
    monkeypatch.setenv(variable, "~/models")
    with pytest.raises(GradCAMError, match=r"^Cannot expand ~ in '~.models': .*; use an absolute path\.$"):
        load_classifier("squeezenet1_1" if "CHECKPOINTS" in variable else "squeezenet_675kb")


@pytest.mark.skipif(os.name == "nt", reason="Windows has files of that name")
@pytest.mark.parametrize("ending", ["png", "npy", "html"])
def test_a_name_that_no_file_can_have_is_one_sentence(ending: str, tmp_path: Path) -> None:
    sample = samples.submarine(source="scenes")
    shown, path = sample.classifier.heatmap(sample.image, "submarine"), tmp_path / f"\ud800.{ending}"
    with pytest.raises(ExportError, match=r"^Cannot write '.*' \(.*\): choose an existing folder"):
        shown.export(path) if ending != "html" else export_page(path, [shown])


# Names of files, and their line ends


FORBIDDEN = re.compile(r'[<>:"/\\|?*\x00-\x1f]|[. ]$|^(con|prn|aux|nul|com\d|lpt\d)(\.|$)', re.IGNORECASE)


@pytest.mark.parametrize("name", ["a:b", "con", "Aux.txt", "ends with a dot.", "a\\b", "com1"])
def test_the_probe_knows_what_windows_forbids(name: str) -> None:
    assert FORBIDDEN.search(name)


def test_every_name_is_allowed_on_windows_and_one_in_any_case() -> None:
    ours = [ROOT / "tests", ROOT / "binder", PACKAGE, launch.tutorials()]
    files = [path.relative_to(folder).as_posix() for folder in ours for path in folder.rglob("*")]
    made = [*REGISTRY, *PHOTOS.values(), str(launch.COPIES)]
    for name in [*files, *made]:
        assert [part for part in name.split("/") if FORBIDDEN.search(part)] == []
        assert PureWindowsPath("C:\\cache", name).parts == ("C:\\", "cache", *name.split("/")), "it leaves its folder"
    for folder in ours:
        within = [path.relative_to(folder).as_posix().casefold() for path in folder.rglob("*")]
        assert len(set(within)) == len(within)


def test_a_clone_on_windows_has_the_same_bytes(tmp_path: Path) -> None:
    git = shutil.which("git")
    if git is None:
        pytest.skip("git is not installed, and so nothing is cloned here")
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    shutil.copy(ROOT / ".gitattributes", here)
    statics = (PACKAGE / "panel" / "static", PACKAGE / "view" / "static")
    for folder in (*statics, WEIGHTS, ROOT / "binder", ROOT / "tests" / "baselines"):
        shutil.copytree(folder, here / folder.parent.name / folder.name)
    environment = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    environment |= {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    for command in (
        ["init", "--quiet", str(here)],
        ["-C", str(here), "add", "."],
        ["-C", str(here), "-c", "user.name=a", "-c", "user.email=a@b", "commit", "--quiet", "-m", "all"],
        ["clone", "--quiet", "-c", "core.autocrlf=true", "-c", "core.eol=crlf", str(here), str(there)],
    ):
        subprocess.run([git, *command], env=environment, check=True)  # noqa: S603 - as it was found
    files = [path.relative_to(here) for path in here.rglob("*") if path.is_file() and ".git" not in path.parts]
    assert {path.suffix for path in files} >= {".mjs", ".css", ".json", ".ipynb", ".pth", ".npy", ""}
    assert [str(path) for path in files if (there / path).read_bytes() != (here / path).read_bytes()] == []
