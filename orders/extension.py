"""The end of a contract that is extended: it follows the months until somebody types another."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date

from django.db.models import Min

from orders.models import Order
from orders.starting import contract_end
from orders.typed import Typed, typed_number
from portal.models import MAX_CONTRACT_LENGTH, Tenant

NEW_END = "extension-new_end_date"
_MONTHS, _PREVIOUS_END = "extension-extension_months", "extension-previous_end_date"
_ORDER = "extension-original_order_id"
_LAST_MONTHS = "extension-last_months"
"""Of no field of the page: the months that the end was last made for, while they are no number."""


def follow_months(*, tenant: Tenant, before: Typed, typed: Typed, is_latest: bool) -> Typed:
    """What was typed, with the new end for its months if these are not those of `before`.

    An end that is not the one for the months before was typed by hand and stays. Months that were
    blank or wrong meanwhile do not count. `is_latest`: whether the page shows `before`; if not, its
    answer was lost, and so was the end in it.
    """
    months, earlier = _months(typed.fields), _last_months(before.fields)
    if typed.fields.get(_MONTHS) == before.fields.get(_MONTHS):
        return typed
    if months is None:
        known_months = {_LAST_MONTHS: str(earlier)} if earlier else {}
        return replace(typed, fields={**typed.fields, **known_months})
    shown, known = typed.fields.get(NEW_END, ""), before.fields.get(NEW_END, "")
    if shown not in ("", known) and is_latest:
        return typed
    ends = _ends(tenant, typed.fields, (earlier, months))
    if known not in ("", ends[0]) or not ends[1]:
        return typed
    return replace(typed, fields={**typed.fields, NEW_END: ends[1]})


def _last_months(fields: Mapping[str, str]) -> int | None:
    return _months(fields) or _months(fields, _LAST_MONTHS)


def _months(fields: Mapping[str, str], name: str = _MONTHS) -> int | None:
    months = typed_number(fields.get(name, ""))
    if isinstance(months, str) or months != int(months) or not 1 <= months <= MAX_CONTRACT_LENGTH:
        return None
    return int(months)


def _ends(tenant: Tenant, fields: Mapping[str, str], lengths: tuple[int | None, int]) -> list[str]:
    """The last day after each number of months more, "" if there is none.

    Months count from the day on which the contract began, if it is one of the order that is
    named: what began on the 31st ends on a 31st again. Else from its previous end.
    """
    try:
        start, previous = date.fromisoformat(fields.get(_PREVIOUS_END, "")), 0
    except ValueError:
        return ["", ""]
    order_id = fields.get(_ORDER, "").strip().replace("\0", "")
    orders = Order.objects.filter(tenant=tenant, public_id=order_id)
    shortest = Min("items__contract_length")
    confirmed_at, months = orders.values_list("confirmed_at", shortest).first() or (None, None)
    if confirmed_at and months:
        begun = confirmed_at.astimezone(tenant.zone).date()
        if contract_end(begun, months) == start:
            start, previous = begun, months
    return [_end(start, previous + length) if length else "" for length in lengths]


def _end(start: date, months: int) -> str:
    try:
        return contract_end(start, months).isoformat()
    except ValueError:  # Beyond the calendar.
        return ""
