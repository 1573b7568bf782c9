"""What a reviewer does to an order: confirm, cancel, send back; and the forms that ask about it."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from django import forms

from orders import rules
from orders.changes import label_of
from orders.models import REASON_LENGTH, Order, OrderEvent
from orders.places import Place, places
from orders.services import cancel_order, confirm_order, send_back_order
from portal.errors import DomainError
from portal.models import Tenant
from portal.permissions import Actor

MAX_VERSION_DIGITS = 10
"""Of an order's version, which the database keeps in 32 bits."""

REMARK = "remarks."
"""In front of the field that a remark is about, in the names of the form's fields."""

GONE = re.compile(
    r"remarks\.(items\.[0-9]{1,3}|(extension|upgrade)Details|customFields[.\w-]{0,51})"
)
"""What an order may have had a remark about, and no longer has."""


def seen_version(text: str) -> int | None:
    """The version that was on the page, as it was sent; None for anything else."""
    is_version = text.isdecimal() and len(text) <= MAX_VERSION_DIGITS
    return int(text) if is_version else None


class StepForm(forms.Form):
    """What a step asks of the reviewer: nothing."""

    def __init__(self, data: Mapping[str, Any] | None = None, *, order: Order | None = None):
        super().__init__(data)

    def arguments(self) -> dict[str, Any]:
        """What the step's service is told."""
        return {}

    def refuse(self, error: DomainError) -> str:
        """Shows what is wrong at its fields; what has none is returned, in words."""
        others = [error.message] if not error.details else []
        for detail in error.details:
            if detail.path in self.fields:
                self.add_error(detail.path, detail.message)
            else:
                others.append(detail.message)
        return " ".join(others)


class ReasonForm(StepForm):
    """Why: one of the usual reasons, own words, or both."""

    usual_reasons: ClassVar[list[str]] = []
    is_needed: ClassVar[bool] = False

    usual = forms.ChoiceField(label="Usual reasons", required=False, widget=forms.RadioSelect)
    reason = forms.CharField(
        label="In your own words",
        required=False,
        max_length=REASON_LENGTH,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="The rep reads this.",
    )

    def __init__(self, data: Mapping[str, Any] | None = None, *, order: Order | None = None):
        super().__init__(data, order=order)
        usual: Any = self.fields["usual"]
        usual.choices = [("", "Another reason"), *((text, text) for text in self.usual_reasons)]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if self.is_needed and not self.errors and not self._text(cleaned):
            self.add_error("reason", "Choose a reason, or say it in your own words.")
        if len(self._text(cleaned)) > REASON_LENGTH:
            message = f"With the usual reason this is over {REASON_LENGTH:,} characters."
            self.add_error("reason", message)
        return cleaned

    def arguments(self) -> dict[str, Any]:
        return {"reason": self._text(self.cleaned_data)}

    @staticmethod
    def _text(cleaned: Mapping[str, Any]) -> str:
        given = (cleaned.get("usual", ""), cleaned.get("reason", "").strip())
        return ": ".join(filter(None, given))


class CancelForm(ReasonForm):
    is_needed = True
    usual_reasons = [
        "The customer changed their mind",
        "The same order was placed twice",
        "The devices cannot be delivered",
        "The credit check was not passed",
        "The order was entered wrongly",
    ]


class SendBackForm(ReasonForm):
    """Why an order goes back to its rep, and what is wrong at which field.

    A remark at something that the order no longer has stays, as long as it is sent.
    """

    usual_reasons = [
        "The customer’s details are incomplete",
        "The shipping address needs checking",
        "A quantity or contract length looks wrong",
        "The price needs a reason",
        "The PO number is missing or was used before",
    ]

    def __init__(self, data: Mapping[str, Any] | None = None, *, order: Order):
        super().__init__(data, order=order)
        self.places = places(order)
        known = {REMARK + place.path for each in self.places.values() for place in each}
        gone = [name for name in data or () if name not in known and GONE.fullmatch(name)]
        if written := [name.removeprefix(REMARK) for name in gone if (data or {})[name].strip()]:
            labels = ((path, label_of(path, {})) for path in written)
            self.places["No longer in the order"] = [Place("", *each, "") for each in labels]
        for each in self.places.values():
            for place in each:
                self.fields[REMARK + place.path] = forms.CharField(
                    label=place.label,
                    required=False,
                    max_length=REASON_LENGTH,
                    widget=forms.Textarea(attrs={"rows": 1}),
                )

    def remarks(self) -> dict[str, list[tuple[Place, forms.BoundField]]]:
        """The places with the field for a remark on each, by title."""
        return {
            title: [(place, self[REMARK + place.path]) for place in each]
            for title, each in self.places.items()
        }

    def arguments(self) -> dict[str, Any]:
        said = {
            name.removeprefix(REMARK): text
            for name, text in self.cleaned_data.items()
            if name.startswith(REMARK) and text
        }
        return {**super().arguments(), "remarks": said}


@dataclass(frozen=True, slots=True)
class Step:
    """Something a reviewer does to an order, and the words for it.

    `event` is what stands in the order's history then.
    """

    name: str
    title: str
    done: str
    event: OrderEvent.Kind
    permission: str
    service: Callable[..., Order]
    form: type[StepForm]
    problem: Callable[[Order, Actor, Tenant], DomainError | None]


CONFIRM = Step(
    name="confirm",
    title="Confirm",
    done="confirmed",
    event=OrderEvent.Kind.CONFIRMED,
    permission="orders.confirm_order",
    service=confirm_order,
    form=StepForm,
    problem=rules.confirm_problem,
)
CANCEL = Step(
    name="cancel",
    title="Cancel",
    done="cancelled",
    event=OrderEvent.Kind.CANCELLED,
    permission="orders.cancel_order",
    service=cancel_order,
    form=CancelForm,
    problem=lambda order, actor, tenant: rules.cancel_problem(order, actor),
)
SEND_BACK = Step(
    name="send_back",
    title="Send back",
    done="back with its rep",
    event=OrderEvent.Kind.SENT_BACK,
    permission="orders.send_back_order",
    service=send_back_order,
    form=SendBackForm,
    problem=lambda order, actor, tenant: rules.send_back_problem(order, actor),
)
STEPS = {step.name: step for step in (CONFIRM, CANCEL, SEND_BACK)}
BULK_STEPS = {step.name: step for step in (CONFIRM, CANCEL)}
