"""The panel: ask a model where it looked, by menus and by pointing; everything is a trait."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import traitlets
from ipywidgets import VBox
from typing_extensions import Unpack

from gradcam_widgets.attribution.methods import METHODS, find_method
from gradcam_widgets.classifiers.classifier import Classifier
from gradcam_widgets.errors import GradCAMError, ModelError
from gradcam_widgets.heatmaps.display import DisplayKeywords, DisplayOptions, resolve, takes_display_options
from gradcam_widgets.images.edits import Edit, as_edits
from gradcam_widgets.view.heatmap_view import HeatmapView, mimebundle, snapshot
from gradcam_widgets.view.page import export_page
from gradcam_widgets.view.traits import DISPLAY, GUESS, DisplayTraits, Guess
from gradcam_widgets.view.wire import pack_class

from . import code as written
from .choices import COMPARISONS, another, class_options, layer_options, with_asked
from .inputs import classifiers_of_source, find_classifiers, find_image, uploaded
from .inquiry import Inquiry, Question
from .menus import Menus
from .pacing import LatestWins

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Sequence

    from PIL import Image

    from gradcam_widgets.attribution.layers import LayerName
    from gradcam_widgets.attribution.trace import Prediction
    from gradcam_widgets.heatmaps.heatmap import Heatmap

    from .inputs import ImageSource

MAX_UPLOAD_BYTES = 8_000_000
PREDICTIONS_SHOWN, CLASSES_IN_MENU = 6, 10
QUESTION = ("layer", "target", "method", "edits", "compare", "other")
SUBJECT = ("image", "classifier")


class GradCAMPanel(VBox, DisplayTraits, Guess):  # type: ignore[misc]  # ipywidgets ships no types
    """Ask a model where it looked, in any Jupyter front end.

    Every argument and every control is a trait: set it from Python and the panel follows. What cannot be answered
    raises one sentence and is shown in the panel; what was shown before stays.

    Args:
        image: Name of a sample ("submarine", "elephants", "iguana"), a `Sample`, or whatever `read_image` takes;
            by default the submarine.
        classifier: A `Classifier`, a name that `load_classifier` knows, or several of these to choose from; by
            default what goes with the sample.
        model: A model of one's own, instead of `classifier`.
        preprocess: As for `Classifier`, with `model`.
        class_names: As for `Classifier`, with `model`.
        source: "auto", "photo" or "scene": where samples come from.
        layer: Dotted path of the target layer; by default the last spatial one.
        target: Class to explain, by index or name; by default the most probable.
        method: Name of the method.
        edits: What to do to the image first, `Edit`s.
        compare: "nothing", or what the second map differs in: "class", "layer" or "method".
        other: That other class, layer or method; by default one is chosen.
        guessing: Whether the map is hidden until a guess is drawn.
        display: How the map is shown.
        changes: Fields of `DisplayOptions`, by keyword.

    Attributes:
        classifier: Name of the model asked.
        layer: Dotted path of the target layer.
        target: Index of the class; may be set by name.
        method: Name of the method.
        edits: What was done to the image, a tuple of `Edit`.
        compare: "nothing", or what the second map differs in: "class", "layer" or "method".
        other: That other class, layer or method; None chooses one.
        error: Why the last question could not be answered, or "".

    Raises:
        GradCAMError: If image, model or question cannot be used.
    """

    image = traitlets.Any()
    classifier = traitlets.Unicode()
    layer = traitlets.Unicode()
    target = traitlets.Any()
    method = traitlets.Unicode("grad-cam")
    edits = traitlets.Any(())
    compare = traitlets.Enum(COMPARISONS, "nothing")
    other = traitlets.Any(None)
    error = traitlets.Unicode("")

    @takes_display_options
    def __init__(
        self,
        image: Any = None,
        classifier: Any = None,
        *,
        model: Any = None,
        preprocess: Any = None,
        class_names: Sequence[str] | None = None,
        source: str | None = None,
        layer: LayerName | None = None,
        target: int | str | None = None,
        method: str = "grad-cam",
        edits: Sequence[Edit] = (),
        compare: str = "nothing",
        other: int | str | None = None,
        guessing: bool = False,
        display: DisplayOptions | None = None,
        **changes: Unpack[DisplayKeywords],
    ) -> None:
        """Open the panel and answer the first question."""
        options = resolve(display, changes)
        if model is not None:
            if classifier is not None:
                raise ModelError("The panel was given both classifier and model: give one of them.")
            classifier = Classifier(model, preprocess, class_names)
        elif preprocess is not None or class_names is not None:
            raise ModelError("preprocess and classes go with model=…: a classifier brings its own.")
        given = "submarine" if image is None else image
        self._source = source
        self._shown: ImageSource
        self._inquiry: Inquiry
        self._before: list[Prediction]
        self._opened: tuple[Any, str]
        self._held = True
        self._classifiers = classifiers_of_source(given, source) if classifier is None else find_classifiers(classifier)
        self._pace = LatestWins(self._answer, self._answer_unasked)
        self._classifier_chosen = False
        self._open(given, None)
        self._menus = Menus(self._from_person)
        super().__init__()
        try:
            question: dict[str, Any] = {"method": method, "edits": edits, "compare": compare, "other": other}
            chosen = {"layer": layer, "target": target}
            question |= {name: value for name, value in chosen.items() if value is not None}
            self._start(question, guessing=guessing, display=options)
        except Exception:
            self.close()
            raise

    def _start(self, question: dict[str, Any], *, guessing: bool, display: DisplayOptions) -> None:
        """Answer the first question and show the answer."""
        with self._held_still():
            self._begin()
        for name in QUESTION:
            if name in question:
                self._set_quietly(**{name: question[name]})
        heatmaps = self._heatmaps_wanted()
        self.view = HeatmapView(
            heatmaps, can_edit=True, max_upload_bytes=MAX_UPLOAD_BYTES, guessing=guessing, display=display
        )
        for name in DISPLAY + GUESS:
            traitlets.link((self.view, name), (self, name))
        self.view.observe(lambda change: self._from_person(**{change.name: change.new}), ["target", "edits", "upload"])
        self._show(heatmaps)
        self._held = False
        self.observe(self._on_question, list(QUESTION))
        self.observe(self._on_subject, list(SUBJECT))
        self.children = (self._menus.box(), self.view)
        self.add_class("gcw-panel")

    def __repr__(self) -> str:
        """Return one line; between machines, at most the last digit of a number differs."""
        shown = "a map that waits for a guess" if self.hides else self._shown_digest()
        return f"GradCAMPanel({self._shown.name}, {self.classifier}, {shown})"

    # -- what a notebook asks

    @property
    def heatmap(self) -> Heatmap:
        """The map that is shown, the first of two."""
        return self.heatmaps[0]

    @property
    def heatmaps(self) -> tuple[Heatmap, ...]:
        """The map that is shown, or the two that are compared."""
        self._pace.settle()
        return self.view.heatmaps

    @property
    def predictions(self) -> list[Prediction]:
        """All classes with probability and logit, best first, for the image as it is shown."""
        self._pace.settle()
        return list(self._inquiry.predictions(self.edits, self.layer))

    def summary(self) -> str:
        """Describe what is shown in one short line for each map: `Heatmap.summary`."""
        self._pace.settle()
        return self._shown_digest()

    def snapshot(self) -> Image.Image:
        """Return what is shown as a PIL image, captioned with model, layer, class, score, method and scale."""
        return snapshot(self.heatmaps, self.display)

    def code(self) -> str:
        """Return the Python lines that make this very view without the panel."""
        self._pace.settle()
        shown, classifier = self._shown, self._classifiers[self.classifier]
        return written.code(shown.code, classifier.code, self.edits, self.view.heatmaps, self.display)

    def export_html(
        self,
        path: str | os.PathLike[str],
        layers: Sequence[str] | None = None,
        targets: Sequence[int | str] | None = None,
    ) -> Path:
        """Write one page with the view that works from a file, with no kernel and no model.

        Args:
            path: Where to.
            layers: The layers to choose from in the page; by default the one that is shown.
            targets: The classes to choose from; by default those of the predictions shown.

        Returns:
            The path.

        Raises:
            GradCAMError: If a layer or class is unknown.
            ImageError: If the file cannot be written.
        """
        self._pace.settle()
        indices = [row.class_index for row in self._rows()] if targets is None else list(targets)
        named = {self._inquiry.classifier.class_index(each): None for each in indices}
        wanted = [self.target] * (self.target in named) + [i for i in named if i != self.target]
        names = [self.layer] if layers is None else list(dict.fromkeys(map(self._inquiry.layer_name, layers)))
        heatmaps = self._inquiry.heatmaps(wanted, names, self.method, self.edits)
        first = self.layer if self.layer in names else names[0]
        return export_page(Path(path), heatmaps, self.display, layer=first, guessing=self.guessing)

    def close(self) -> None:
        """Close the panel with all its parts; nothing of it stays behind."""
        if self.comm is None:
            return  # it is closed, or was never opened
        self._pace.stop()
        self._menus.close()
        for child in self.children:
            child.layout.close()
            child.close()
        self.layout.close()
        super().close()

    def _repr_mimebundle_(self, **_: object) -> tuple[dict[str, Any], dict[str, Any]]:
        self._answer_unasked()  # what cannot be answered is said in the panel, which is shown all the same
        return mimebundle(self.model_id, repr(self), self.view.heatmaps, self.display, hides=self.hides)

    # -- what changes

    def _from_person(self, **changes: Any) -> None:
        """Take what was chosen in the browser; what cannot be done is said there."""
        try:
            if "upload" in changes:
                if not changes["upload"]:
                    return
                changes = {"image": uploaded(changes["upload"], MAX_UPLOAD_BYTES)}
                self.view.upload = {}
            for name, value in changes.items():
                setattr(self, name, value)
        except GradCAMError as error:
            self._say(error)
            self._show_choices()

    def _on_question(self, change: Any) -> None:
        if self._held:
            return
        if change.name == "compare":
            self._set_quietly(other=None)
        self._take_guess_back()
        self._pace.request()

    def _on_subject(self, change: Any) -> None:
        if self._held:
            return
        self._pace.stop()
        kept = self._shown, self._inquiry, self._before, self._opened
        try:
            chosen = self._classifier_chosen or change.name == "classifier"
            self._open(self.image, self.classifier if chosen else None)
            with self._held_still():
                self._begin()
            self._show(self._heatmaps_wanted())
            self._classifier_chosen = chosen
        except Exception as error:
            self._shown, self._inquiry, self._before, self._opened = kept
            self._go_back(error)
            raise

    def _open(self, given: Any, classifier: str | None) -> None:
        """Find image and model; what was open stays until both are at hand."""
        found = find_image(given, self._source)
        name = classifier or (
            found.classifier if found.classifier in self._classifiers else getattr(self, "classifier", "")
        )
        if name not in self._classifiers:
            if classifier:
                raise ModelError(
                    f"There is no model {classifier!r} here: choose one of {', '.join(self._classifiers)}."
                )
            name = next(iter(self._classifiers))
        inquiry = Inquiry(self._classifiers[name].load(), found.image)
        before = inquiry.predictions((), inquiry.default.name)
        self._shown, self._inquiry, self._before, self._opened = found, inquiry, before, (given, name)

    def _begin(self) -> None:
        """Ask the first question about a new image or model: its first class, at the layer asked about before."""
        self.image, self.classifier = self._opened
        names = [layer.name for layer in self._inquiry.layers]
        self.layer = self.layer if self.layer in names else self._inquiry.default.name
        self.edits, self.other = (), None
        self.target = self._before[0].class_index
        self._take_guess_back()

    def _take_guess_back(self) -> None:
        """A guess was made about one map: another one waits for another guess."""
        self.guess, self.revealed = None, False

    def _answer(self) -> None:
        try:
            self._show(self._heatmaps_wanted())
        except Exception as error:
            self._go_back(error)
            raise

    def _go_back(self, error: Exception) -> None:
        """Return to the question that was answered last, and say why the new one was not."""
        image, classifier = self._opened
        self._set_quietly(image=image, classifier=classifier, **self._answered)
        self._say(error)
        self._show_choices()

    def _answer_unasked(self) -> None:
        try:
            self._pace.settle()
        except GradCAMError:
            return  # it is shown in the panel, and nobody waits for it

    def _heatmaps_wanted(self) -> list[Heatmap]:
        if self._inquiry.forget_if_changed():
            self._before = self._inquiry.predictions((), self._inquiry.default.name)
        if self.target is None:  # traitlets asks no validator about None
            self._set_quietly(target=self._inquiry.predictions(self.edits or (), self.layer)[0].class_index)
        if self.edits is None:
            self._set_quietly(edits=())
        question = Question(self.target, self.layer, self.method, self.edits)
        heatmaps = [self._inquiry.heatmap(question)]
        if self.compare != "nothing":
            if self.other is None:
                self._set_quietly(other=another(self._inquiry, question, self.compare, self._before))
            name = "target" if self.compare == "class" else self.compare
            self._set_quietly(other=self._resolved(self.other))
            heatmaps.append(self._inquiry.heatmap(question._replace(**{name: self.other})))
        return heatmaps

    def _resolved(self, other: Any) -> Any:
        if self.compare == "class":
            return self._inquiry.classifier.class_index(other)
        return self._inquiry.layer_name(other) if self.compare == "layer" else find_method(other).name

    @traitlets.validate("target")
    def _valid_target(self, proposal: Any) -> int:
        with self._saying():
            return self._inquiry.classifier.class_index(proposal.value)

    @traitlets.validate("layer")
    def _valid_layer(self, proposal: Any) -> str:
        with self._saying():
            return self._inquiry.layer_name(proposal.value)

    @traitlets.validate("method")
    def _valid_method(self, proposal: Any) -> str:
        with self._saying():
            return find_method(proposal.value).name

    @traitlets.validate("edits")
    def _valid_edits(self, proposal: Any) -> tuple[Edit, ...]:
        with self._saying():
            return as_edits(proposal.value)

    @traitlets.validate(*DISPLAY)
    def _checked(self, proposal: Any) -> Any:
        with self._saying():
            return super()._checked(proposal)

    @contextmanager
    def _saying(self) -> Iterator[None]:
        """Show in the panel why a trait cannot be set."""
        try:
            yield
        except GradCAMError as error:
            if not self._held:
                self._say(error)
            raise

    # -- what is shown

    def _show(self, heatmaps: Sequence[Heatmap]) -> None:
        view = self.view
        with view.hold_sync():
            view.show(heatmaps, self._inquiry.window(self.edits))
            view.predictions = self._packed_classes()
            view.message, view.explanation = "", self._why_this_layer()
            self._answered = {name: getattr(self, name) for name in QUESTION}
            self._show_choices()
        self.error = ""

    def _show_choices(self) -> None:
        self.view.target = self.target
        self.view.edits = [{"kind": edit.kind, "box": list(edit.box)} for edit in self.edits]
        menus, predictions = self._menus, self._inquiry.predictions(self.edits, self.layer)
        other = self.other if self.compare == "layer" else None
        layers = layer_options(self._inquiry.layers, [self.layer, other])
        classes = [class_options(with_asked(predictions, each, CLASSES_IN_MENU)) for each in (self.target, self.other)]
        methods = [(name, name) for name in METHODS]
        menus.set_options("classifier", [(name, name) for name in self._classifiers])
        menus.set_options("layer", layers)
        menus.set_options("target", classes[0])
        menus.set_options("method", methods)
        menus.set_categories(self._inquiry.classifier.class_names or ())
        others = {"nothing": [("", None)], "class": classes[1], "layer": layers, "method": methods}
        menus.set_options("other", others[self.compare])
        menus.other.disabled = self.compare == "nothing"
        menus.choose("image", self._shown.name)
        for name in ("classifier", "layer", "target", "method", "compare"):
            menus.choose(name, getattr(self, name))
        menus.choose("other", None if self.compare == "nothing" else self.other)

    def _why_this_layer(self) -> str:
        default = self._inquiry.default
        return f"Layer {default.name} is the default: {default.why}." if self.layer == default.name else ""

    def _rows(self) -> list[Prediction]:
        return with_asked(self._inquiry.predictions(self.edits, self.layer), self.target, PREDICTIONS_SHOWN)

    def _packed_classes(self) -> list[dict[str, Any]]:
        before = {p.class_index: p.probability for p in self._before} if self.edits else {}
        return [pack_class(row, before.get(row.class_index)) for row in self._rows()]

    def _say(self, error: Exception) -> None:
        text = str(error) if isinstance(error, GradCAMError) else f"{type(error).__name__}: {error}"
        self.error = self.view.message = text

    def _shown_digest(self) -> str:
        return "\n".join(heatmap.summary() for heatmap in self.view.heatmaps)

    def _set_quietly(self, **values: Any) -> None:
        with self._held_still():
            for name, value in values.items():
                setattr(self, name, value)

    @contextmanager
    def _held_still(self) -> Iterator[None]:
        """Let traits be set without asking the model."""
        held, self._held = self._held, True
        try:
            yield
        finally:
            self._held = held
