"""The panel's menus: image, model, layer, class, method and comparison."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ipywidgets import Combobox, Dropdown, HBox

from gradcam_widgets.samples import SAMPLES

from .menu_options import COMPARISONS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .menu_options import Options


class Menus:
    """The panel's menus; they report the user's choices and never call the model.

    Args:
        on_change: Called with the trait's name and its new value as a keyword argument.
    """

    def __init__(self, on_change: Callable[..., None]) -> None:
        """Create the menus, most of them without options."""
        self._on_change = on_change
        self._is_silent = False
        self.classifier = self._dropdown("classifier", "Model")
        self.layer = self._dropdown("layer", "Layer")
        self.target = self._dropdown("target", "Class")
        self.method = self._dropdown("method", "Method")
        self.compare = self._dropdown("compare", "Compare")
        self.other = self._dropdown("other", "with")
        self.search = self._combobox("target", "Find class", "name or index")
        self.image = self._combobox("image", "Image", "sample or path")
        self._options: dict[str, Options] = {}
        self.set_options("compare", [(f"another {kind}" if kind != "nothing" else kind, kind) for kind in COMPARISONS])
        self.image.options = tuple(SAMPLES)

    @property
    def widgets(self) -> tuple[Any, ...]:
        """All menus, in display order."""
        return (
            self.image,
            self.classifier,
            self.layer,
            self.target,
            self.search,
            self.method,
            self.compare,
            self.other,
        )

    def box(self) -> HBox:
        """Return the menus in a box whose rows wrap, styled by view.css."""
        box = HBox(self.widgets)
        box.add_class("gcw-menus")
        return box

    def set_options(self, name: str, options: Options) -> None:
        """Set a menu's options, keeping its value if it is still among them."""
        if self._options.get(name) == options:
            return
        self._options[name] = options
        menu = getattr(self, name)
        self._silently(lambda: setattr(menu, "options", options))

    def set_class_names(self, class_names: Sequence[str]) -> None:
        """Set the suggestions of the class search, "name (index)"."""
        labels = tuple(f"{name} ({index})" for index, name in enumerate(class_names))
        if self.search.options != labels:
            self.search.options = labels

    def set_value(self, name: str, value: Any) -> None:
        """Set a menu's value without notifying; values that are not options are ignored."""
        menu = getattr(self, name)
        is_option = isinstance(menu, Combobox) or value in [option for _, option in self._options[name]]
        if is_option and menu.value != value:
            self._silently(lambda: setattr(menu, "value", value))

    def close(self) -> None:
        """Close every menu."""
        for widget in self.widgets:
            widget.layout.close()
            widget.style.close()
            widget.close()

    def _silently(self, change: Callable[[], None]) -> None:
        self._is_silent = True
        try:
            change()
        finally:
            self._is_silent = False

    def _dropdown(self, name: str, label: str) -> Dropdown:
        menu = Dropdown(description=label)
        menu.observe(lambda change: self._on_select(name, change.new), "value")
        return menu

    def _combobox(self, name: str, label: str, placeholder: str) -> Combobox:
        field = Combobox(
            description=label,
            placeholder=placeholder,
            continuous_update=False,
        )
        field.observe(lambda change: self._on_text(field, name, change.new), "value")
        return field

    def _on_select(self, name: str, value: Any) -> None:
        if not self._is_silent and value is not None:
            self._on_change(**{name: value})

    def _on_text(self, field: Combobox, name: str, text: str) -> None:
        if self._is_silent or not text.strip():
            return
        if name == "target":
            self._silently(lambda: setattr(field, "value", ""))
            # Suggestions read "name (index)"; typed text may be a name, a part of one or an index.
            index = field.options.index(text) if text in field.options else None
            self._on_change(target=text if index is None else index)
        else:
            self._on_change(**{name: text.strip()})
