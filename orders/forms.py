"""The new-order page's form: filled with what was typed, each message beside its field."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.utils.html import format_html
from pydantic.alias_generators import to_snake

from orders.fields import SECTIONS, CustomFieldsForm, DetailsForm, Section, key
from orders.models import CustomField
from orders.typed import Typed, line_part, message_of
from portal.errors import Detail


@dataclass(frozen=True, slots=True)
class Problem:
    """A message for the rep: `name` is the field that it belongs to, "" for the whole order."""

    name: str
    label: str
    message: str

    @property
    def anchor(self) -> str:
        return f"id_{self.name}" if self.name else ""


_PLACES = (
    "customer",
    "items",
    "billingAddress",
    "shippingAddress",
    "orderType",
    "extensionDetails",
    "upgradeDetails",
    "customFields",
    "notes",
    "readBack",
)


_SECTION_LABELS = {
    "customer": "Customer",
    "billingAddress": "Billing address",
    "shippingAddress": "Shipping address",
    "extensionDetails": "Extension",
    "upgradeDetails": "Upgrade",
    "customFields": "Custom fields",
}
_LINE_LABELS = {
    "length": "contract length",
    "quantity": "quantity",
    "price": "price per month",
    "list": "list price",
    "cost": "cost",
    "why": "reason",
}


def _place_on_page(detail: Detail) -> int:
    return _place_of((detail.path, detail.message))


def _place_of(message: tuple[str, str]) -> int:
    first = message[0].partition(".")[0]
    return _PLACES.index(first) if first in _PLACES else len(_PLACES)


class OrderForm:
    """The page's forms, filled with what was typed, each message beside its field."""

    def __init__(
        self,
        typed: Typed,
        *,
        configured: Sequence[CustomField],
        details: Iterable[Detail] = (),
        remarks: Mapping[str, str] | None = None,
        focus: str = "",
    ) -> None:
        self.typed = typed
        self.sections = {
            path: form(typed.fields, prefix=prefix) for path, (prefix, form) in SECTIONS.items()
        }
        # Both addresses have this field; the key leads to the first.
        self.billing.fields["contact_name"].widget.attrs |= key("a")
        self.details = DetailsForm(typed.fields)
        self.custom_fields = CustomFieldsForm(typed.fields, prefix="custom", configured=configured)
        for form in (*self.sections.values(), self.details, self.custom_fields):
            form.full_clean()
        self.remarks = [
            self._place(Detail(path, "", text), remark=True)
            for path, text in sorted((remarks or {}).items(), key=_place_of)
        ]
        self.problems = [self._place(detail) for detail in sorted(details, key=_place_on_page)]
        self.items_problem = next(
            (problem.message for problem in self.problems if problem.name == "search"), ""
        )

        first_remark = next((each.anchor for each in self.remarks if each.name), "")
        self.focus = self._first_wrong() or focus or first_remark or "id_customer-email"

    @property
    def customer(self) -> Section:
        return self.sections["customer"]

    @property
    def billing(self) -> Section:
        return self.sections["billingAddress"]

    @property
    def shipping(self) -> Section:
        return self.sections["shippingAddress"]

    @property
    def extension(self) -> Section:
        return self.sections["extensionDetails"]

    @property
    def upgrade(self) -> Section:
        return self.sections["upgradeDetails"]

    def _first_wrong(self) -> str:
        return next((problem.anchor for problem in self.problems if problem.name), "")

    def _place(self, detail: Detail, *, remark: bool = False) -> Problem:
        """Puts the message beside its field (`items.0.quantity` → the quantity of that line).

        A remark is no error: it stands where a field's help does, of a whole section at its first.
        """
        first, _, rest = detail.path.partition(".")
        if first == "items" and remark:
            return Problem(f"line-k{rest}-quantity", f"Item {int(rest) + 1}", detail.message)
        if first == "readBack":
            return Problem("read_back", "Read back to the customer", detail.message)
        if first == "items":
            return self._line_problem(rest, message_of(detail))
        form, name = self.sections.get(first), to_snake(rest.partition(".")[0])
        if first == "customFields":
            form, name = self.custom_fields, rest.partition(".")[0]
        elif first in ("notes", "orderType"):
            form, name = self.details, to_snake(first)
        whole = form is not None and remark and not name
        if form is not None and whole:
            name = next(iter(form.fields), "")
        if form is None or name not in form.fields:
            return Problem("", "Order", detail.message)
        if remark:
            about = f"{_SECTION_LABELS.get(first, first)}: " if whole else ""
            words = format_html('<strong class="remark">{}{}</strong>', about, detail.message)
            form.fields[name].help_text = form[name].help_text = words
        else:
            form.add_error(name, detail.message)
        label = _SECTION_LABELS.get(first, first) if whole else str(form.fields[name].label)
        if first == "shippingAddress" and not whole:
            label = f"Shipping address, {label}"
        return Problem(form.add_prefix(name), label, detail.message)

    def _line_problem(self, path: str, message: str) -> Problem:
        position = path.partition(".")[0]
        if not position:
            return Problem("search", "Items", message)
        number = int(position)
        part = line_part(path)
        label = _LINE_LABELS.get(part, "SKU")
        name = f"line-{self.typed.lines[number].id}-{part}"
        return Problem(name, f"Item {number + 1}, {label}", message)
