"""Interactive Grad-CAM panel: menus around a `HeatmapView`, with every setting a trait."""

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

from .cache import ExplanationCache, Question
from .debounce import Debouncer
from .inputs import default_classifiers, find_classifiers, find_image, uploaded_bytes
from .menu_options import COMPARISONS, class_options, default_comparison, layer_options, top_predictions_including
from .menus import Menus
from .to_code import to_code

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
INPUTS = ("image", "classifier")


class GradCAMPanel(VBox, DisplayTraits, Guess):  # type: ignore[misc]  # ipywidgets ships no types
    """Interactive Grad-CAM panel for Jupyter.

    Every argument and every control is a trait: set it from Python and the panel follows. Invalid input raises a
    `GradCAMError`, which the panel also displays, or traitlets' `TraitError`; the previous maps stay.

    Args:
        image: Name of a sample ("submarine", "elephants", "iguana"), a `Sample`, or anything `read_image` accepts;
            by default the submarine.
        classifier: A `Classifier`, a name known to `load_classifier`, or a sequence of these to choose from; by
            default the sample's own.
        model: A torch module to explain, instead of `classifier`.
        preprocess: As for `Classifier`, with `model`.
        class_names: As for `Classifier`, with `model`.
        source: Source of samples: "auto", "photos" or "scenes".
        layer: Dotted path of the target layer; by default the last spatial one.
        target: Class to explain, by index or name; by default the most probable.
        method: Name of the method.
        edits: Edits applied to the image first, a sequence of `Edit`.
        compare: "nothing", or how the second map differs: "class", "layer" or "method".
        other: Class, layer or method of the second map; chosen automatically by default.
        guessing: Whether the map is hidden until a guess is drawn.
        display: Display options of the maps.
        changes: Fields of `DisplayOptions`, by keyword.

    Attributes:
        classifier: Name of the selected classifier.
        layer: Dotted path of the target layer.
        target: Class index; may be set by name.
        method: Name of the method.
        edits: Edits applied to the image, a tuple of `Edit`.
        compare: "nothing", or how the second map differs: "class", "layer" or "method".
        other: Class, layer or method of the second map; None for an automatic choice.
        error: Message of the last error, or "".

    Raises:
        GradCAMError: If image, classifier, target, layer, method or an option is invalid.
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
        """Open the panel and compute the first map."""
        options = resolve(display, changes)
        if model is not None:
            if classifier is not None:
                raise ModelError("classifier and model cannot be combined; pass only one of them.")
            classifier = Classifier(model, preprocess, class_names)
        elif preprocess is not None or class_names is not None:
            raise ModelError("preprocess and class_names require model=…; a Classifier has its own.")
        image = "submarine" if image is None else image
        self._source = source
        self._image_source: ImageSource
        self._cache: ExplanationCache
        self._original_predictions: list[Prediction]
        self._current_inputs: tuple[Any, str]
        self._suspended = True
        self._classifiers = default_classifiers(image, source) if classifier is None else find_classifiers(classifier)
        self._debouncer = Debouncer(self._update, self._flush)
        self._is_classifier_selected = False
        self._load_inputs(image, None)
        self._menus = Menus(self._on_user_input)
        super().__init__()
        try:
            question: dict[str, Any] = {"method": method, "edits": edits, "compare": compare, "other": other}
            optional = {"layer": layer, "target": target}
            question |= {name: value for name, value in optional.items() if value is not None}
            self._build(question, guessing=guessing, display=options)
        except Exception:
            self.close()
            raise

    def _build(self, question: dict[str, Any], *, guessing: bool, display: DisplayOptions) -> None:
        """Compute the first maps, then build the view and connect the traits."""
        with self._suspend_updates():
            self._reset_question()
        for name in QUESTION:
            if name in question:
                self._set_without_update(**{name: question[name]})
        heatmaps = self._current_heatmaps()
        self.view = HeatmapView(
            heatmaps, can_edit=True, max_upload_bytes=MAX_UPLOAD_BYTES, guessing=guessing, display=display
        )
        for name in DISPLAY + GUESS:
            traitlets.link((self.view, name), (self, name))
        self.view.observe(
            lambda change: self._on_user_input(**{change.name: change.new}), ["target", "edits", "upload"]
        )
        self._show(heatmaps)
        self._suspended = False
        self.observe(self._on_question, list(QUESTION))
        self.observe(self._on_inputs, list(INPUTS))
        self.children = (self._menus.box(), self.view)
        self.add_class("gcw-panel")

    def __repr__(self) -> str:
        """Return a one-line description, equal on all machines up to a number's last digit."""
        summary = "a map that waits for a guess" if self.hides else self._summary()
        return f"GradCAMPanel({self._image_source.name}, {self.classifier}, {summary})"

    # -- results

    @property
    def heatmap(self) -> Heatmap:
        """The displayed map, or the first of two."""
        return self.heatmaps[0]

    @property
    def heatmaps(self) -> tuple[Heatmap, ...]:
        """The displayed maps: one, or two to compare."""
        self._debouncer.flush()
        return self.view.heatmaps

    @property
    def predictions(self) -> list[Prediction]:
        """Predictions of all classes for the edited image, best first."""
        self._debouncer.flush()
        return list(self._cache.predictions(self.edits, self.layer))

    def summary(self) -> str:
        """Return one line per displayed map: `Heatmap.summary`."""
        self._debouncer.flush()
        return self._summary()

    def snapshot(self) -> Image.Image:
        """Draw the displayed maps as a PIL image, captioned with model, layer, class, score, method and scale."""
        return snapshot(self.heatmaps, self.display)

    def code(self) -> str:
        """Return Python code that reproduces this view without the panel."""
        self._debouncer.flush()
        image, classifier = self._image_source, self._classifiers[self.classifier]
        return to_code(image.code, classifier.code, self.edits, self.view.heatmaps, self.display)

    def export_html(
        self,
        path: str | os.PathLike[str],
        layers: Sequence[str] | None = None,
        targets: Sequence[int | str] | None = None,
    ) -> Path:
        """Export the view as one HTML file that needs no kernel and no model.

        Args:
            path: The file to write, ending in .html.
            layers: Layers offered in the page; by default the displayed one.
            targets: Classes offered in the page; by default those of the displayed predictions.

        Returns:
            The path.

        Raises:
            GradCAMError: If a layer or class is unknown.
            ExportError: If the extension is unsupported or the file cannot be written.
        """
        self._debouncer.flush()
        classes = [row.class_index for row in self._prediction_rows()] if targets is None else list(targets)
        unique = dict.fromkeys(map(self._cache.classifier.class_index, classes))
        indices = [self.target] * (self.target in unique) + [index for index in unique if index != self.target]
        names = [self.layer] if layers is None else list(dict.fromkeys(map(self._cache.layer_name, layers)))
        heatmaps = self._cache.heatmaps(indices, names, self.method, self.edits)
        first = self.layer if self.layer in names else names[0]
        return export_page(Path(path), heatmaps, self.display, layer=first, guessing=self.guessing)

    def close(self) -> None:
        """Close the panel and all its widgets."""
        if self.comm is None:
            return  # closed already, or never opened
        self._debouncer.cancel()
        self._menus.close()
        for child in self.children:
            child.layout.close()
            child.close()
        self.layout.close()
        super().close()

    def _repr_mimebundle_(self, **_: object) -> tuple[dict[str, Any], dict[str, Any]]:
        self._flush()  # the panel is displayed even after an error, with its message
        return mimebundle(self.model_id, repr(self), self.view.heatmaps, self.display, hides=self.hides)

    # -- changes

    def _on_user_input(self, **changes: Any) -> None:
        """Apply changes made in the browser, and show errors there."""
        try:
            if "upload" in changes:
                if not changes["upload"]:
                    return
                changes = {"image": uploaded_bytes(changes["upload"], MAX_UPLOAD_BYTES)}
                self.view.upload = {}
            for name, value in changes.items():
                setattr(self, name, value)
        except GradCAMError as error:
            self._show_error(error)
            self._show_question()

    def _on_question(self, change: Any) -> None:
        if self._suspended:
            return
        if change.name == "compare":
            self._set_without_update(other=None)
        self._clear_guess()
        self._debouncer.request()

    def _on_inputs(self, change: Any) -> None:
        if self._suspended:
            return
        self._debouncer.cancel()
        previous = self._image_source, self._cache, self._original_predictions, self._current_inputs
        try:
            is_selected = self._is_classifier_selected or change.name == "classifier"
            self._load_inputs(self.image, self.classifier if is_selected else None)
            with self._suspend_updates():
                self._reset_question()
            self._show(self._current_heatmaps())
            self._is_classifier_selected = is_selected
        except Exception as error:
            self._image_source, self._cache, self._original_predictions, self._current_inputs = previous
            self._revert(error)
            raise

    def _load_inputs(self, image: Any, classifier: str | None) -> None:
        """Load image and classifier; the current ones stay if either fails."""
        image_source = find_image(image, self._source)
        name = classifier or (
            image_source.classifier if image_source.classifier in self._classifiers else getattr(self, "classifier", "")
        )
        if name not in self._classifiers:
            if classifier:
                raise ModelError(f"classifier must be one of {', '.join(self._classifiers)}, got {classifier!r}.")
            name = next(iter(self._classifiers))
        cache = ExplanationCache(self._classifiers[name].load(), image_source.image)
        predictions = cache.predictions((), cache.default_layer.name)
        self._image_source, self._cache, self._original_predictions = image_source, cache, predictions
        self._current_inputs = (image, name)

    def _reset_question(self) -> None:
        """Select the top class of a new image or classifier, keeping the layer if it exists."""
        self.image, self.classifier = self._current_inputs
        names = [layer.name for layer in self._cache.layers]
        self.layer = self.layer if self.layer in names else self._cache.default_layer.name
        self.edits, self.other = (), None
        self.target = self._original_predictions[0].class_index
        self._clear_guess()

    def _clear_guess(self) -> None:
        """Clear the guess, which is only valid for one map."""
        self.guess, self.revealed = None, False

    def _update(self) -> None:
        try:
            self._show(self._current_heatmaps())
        except Exception as error:
            self._revert(error)
            raise

    def _revert(self, error: Exception) -> None:
        """Restore the last valid question and show the error."""
        image, classifier = self._current_inputs
        self._set_without_update(image=image, classifier=classifier, **self._last_question)
        self._show_error(error)
        self._show_question()

    def _flush(self) -> None:
        try:
            self._debouncer.flush()
        except GradCAMError:
            return  # the panel shows it, and no caller waits for it

    def _current_heatmaps(self) -> list[Heatmap]:
        if self._cache.clear_if_stale():
            self._original_predictions = self._cache.predictions((), self._cache.default_layer.name)
        if self.target is None:  # traitlets does not validate None
            self._set_without_update(target=self._cache.predictions(self.edits or (), self.layer)[0].class_index)
        if self.edits is None:
            self._set_without_update(edits=())
        question = Question(self.target, self.layer, self.method, self.edits)
        heatmaps = [self._cache.heatmap(question)]
        if self.compare != "nothing":
            if self.other is None:
                default = default_comparison(question, self.compare, self._cache.layers, self._original_predictions)
                self._set_without_update(other=default)
            name = "target" if self.compare == "class" else self.compare
            self._set_without_update(other=self._resolved(self.other))
            heatmaps.append(self._cache.heatmap(question._replace(**{name: self.other})))
        return heatmaps

    def _resolved(self, other: Any) -> Any:
        if self.compare == "class":
            return self._cache.classifier.class_index(other)
        return self._cache.layer_name(other) if self.compare == "layer" else find_method(other).name

    @traitlets.validate("target")
    def _valid_target(self, proposal: Any) -> int:
        with self._showing_errors():
            return self._cache.classifier.class_index(proposal.value)

    @traitlets.validate("layer")
    def _valid_layer(self, proposal: Any) -> str:
        with self._showing_errors():
            return self._cache.layer_name(proposal.value)

    @traitlets.validate("method")
    def _valid_method(self, proposal: Any) -> str:
        with self._showing_errors():
            return find_method(proposal.value).name

    @traitlets.validate("edits")
    def _valid_edits(self, proposal: Any) -> tuple[Edit, ...]:
        with self._showing_errors():
            return as_edits(proposal.value)

    @traitlets.validate(*DISPLAY)
    def _checked(self, proposal: Any) -> Any:
        with self._showing_errors():
            return super()._checked(proposal)

    @contextmanager
    def _showing_errors(self) -> Iterator[None]:
        """Show validation errors in the panel, too."""
        try:
            yield
        except GradCAMError as error:
            if not self._suspended:
                self._show_error(error)
            raise

    # -- display

    def _show(self, heatmaps: Sequence[Heatmap]) -> None:
        view = self.view
        with view.hold_sync():
            view.show(heatmaps, self._cache.window(self.edits))
            view.predictions = self._packed_predictions()
            view.message, view.explanation = "", self._layer_explanation()
            self._last_question = {name: getattr(self, name) for name in QUESTION}
            self._show_question()
        self.error = ""

    def _show_question(self) -> None:
        self.view.target = self.target
        self.view.edits = [{"kind": edit.kind, "box": list(edit.box)} for edit in self.edits]
        menus, predictions = self._menus, self._cache.predictions(self.edits, self.layer)
        other = self.other if self.compare == "layer" else None
        layers = layer_options(self._cache.layers, [self.layer, other])
        classes, other_classes = (
            class_options(top_predictions_including(predictions, index, CLASSES_IN_MENU))
            for index in (self.target, self.other)
        )
        methods = [(name, name) for name in METHODS]
        menus.set_options("classifier", [(name, name) for name in self._classifiers])
        menus.set_options("layer", layers)
        menus.set_options("target", classes)
        menus.set_options("method", methods)
        menus.set_class_names(self._cache.classifier.class_names or ())
        other_options = {"nothing": [("", None)], "class": other_classes, "layer": layers, "method": methods}
        menus.set_options("other", other_options[self.compare])
        menus.other.disabled = self.compare == "nothing"
        menus.set_value("image", self._image_source.name)
        for name in ("classifier", "layer", "target", "method", "compare"):
            menus.set_value(name, getattr(self, name))
        menus.set_value("other", None if self.compare == "nothing" else self.other)

    def _layer_explanation(self) -> str:
        default = self._cache.default_layer
        return f"Layer {default.name} is the default: {default.why}." if self.layer == default.name else ""

    def _prediction_rows(self) -> list[Prediction]:
        predictions = self._cache.predictions(self.edits, self.layer)
        return top_predictions_including(predictions, self.target, PREDICTIONS_SHOWN)

    def _packed_predictions(self) -> list[dict[str, Any]]:
        before = {p.class_index: p.probability for p in self._original_predictions} if self.edits else {}
        return [pack_class(row, before.get(row.class_index)) for row in self._prediction_rows()]

    def _show_error(self, error: Exception) -> None:
        text = str(error) if isinstance(error, GradCAMError) else f"{type(error).__name__}: {error}"
        self.error = self.view.message = text

    def _summary(self) -> str:
        return "\n".join(heatmap.summary() for heatmap in self.view.heatmaps)

    def _set_without_update(self, **values: Any) -> None:
        with self._suspend_updates():
            for name, value in values.items():
                setattr(self, name, value)

    @contextmanager
    def _suspend_updates(self) -> Iterator[None]:
        """Let traits be set without recomputing the maps."""
        suspended, self._suspended = self._suspended, True
        try:
            yield
        finally:
            self._suspended = suspended
