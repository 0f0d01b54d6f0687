"""The menus of what reaches the model: model, layer, class, method, comparison and image."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ipywidgets import Combobox, Dropdown, HBox

from gradcam_widgets.samples import SAMPLES

from .choices import COMPARISONS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .choices import Options


class Menus:
    """The panel's menus; each tells what the person chose, none of them asks the model.

    Args:
        tell: Called with the trait's name and what was chosen.
    """

    def __init__(self, tell: Callable[..., None]) -> None:
        """Make the menus, still empty."""
        self._tell = tell
        self._setting = False
        self.classifier = self._dropdown("classifier", "Model")
        self.layer = self._dropdown("layer", "Layer")
        self.target = self._dropdown("target", "Class")
        self.method = self._dropdown("method", "Method")
        self.compare = self._dropdown("compare", "Compare")
        self.other = self._dropdown("other", "with")
        self.search = self._typed("target", "Find class", "name or index")
        self.image = self._typed("image", "Image", "sample or path")
        self._options: dict[str, Options] = {}
        self.set_options("compare", [(f"another {what}" if what != "nothing" else what, what) for what in COMPARISONS])
        self.image.options = tuple(SAMPLES)

    @property
    def widgets(self) -> tuple[Any, ...]:
        """All menus, in the order in which they are shown."""
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
        """Return the menus in rows that wrap, laid out by view.css."""
        box = HBox(self.widgets)
        box.add_class("gcw-menus")
        return box

    def set_options(self, name: str, options: Options) -> None:
        """Give a menu its choices; what was chosen stays where it is among them."""
        if self._options.get(name) == options:
            return
        self._options[name] = options
        menu = getattr(self, name)
        self._quietly(lambda: setattr(menu, "options", options))

    def set_categories(self, class_names: Sequence[str]) -> None:
        """Give the search its suggestions, "name (index)"."""
        labels = tuple(f"{name} ({index})" for index, name in enumerate(class_names))
        if self.search.options != labels:
            self.search.options = labels

    def choose(self, name: str, value: Any) -> None:
        """Show a choice without telling; one that the menu does not have is not shown."""
        menu = getattr(self, name)
        known = isinstance(menu, Combobox) or value in [choice for _, choice in self._options[name]]
        if known and menu.value != value:
            self._quietly(lambda: setattr(menu, "value", value))

    def close(self) -> None:
        """Close every menu."""
        for widget in self.widgets:
            widget.layout.close()
            widget.style.close()
            widget.close()

    def _quietly(self, change: Callable[[], None]) -> None:
        self._setting = True
        try:
            change()
        finally:
            self._setting = False

    def _dropdown(self, name: str, label: str) -> Dropdown:
        menu = Dropdown(description=label)
        menu.observe(lambda change: self._chosen(name, change.new), "value")
        return menu

    def _typed(self, name: str, label: str, placeholder: str) -> Combobox:
        field = Combobox(
            description=label,
            placeholder=placeholder,
            continuous_update=False,
        )
        field.observe(lambda change: self._written(field, name, change.new), "value")
        return field

    def _chosen(self, name: str, value: Any) -> None:
        if not self._setting and value is not None:
            self._tell(**{name: value})

    def _written(self, field: Combobox, name: str, text: str) -> None:
        if self._setting or not text.strip():
            return
        if name == "target":
            self._quietly(lambda: setattr(field, "value", ""))
            # An option reads "name (index)"; what is typed may be a name, a part of it or an index.
            index = field.options.index(text) if text in field.options else None
            self._tell(target=text if index is None else index)
        else:
            self._tell(**{name: text.strip()})
