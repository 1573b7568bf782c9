"""The new end of an extended contract follows the months, until somebody types another."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from orders import drafts
from orders.models import Draft, Order
from orders.starting import Start
from portal.models import Tenant, User
from tests.factories import VariantFactory, make_order

MONTHS, PREVIOUS, END = (
    f"extension-{name}" for name in ("extension_months", "previous_end_date", "new_end_date")
)


@pytest.fixture
def order(tenant: Tenant) -> Order:
    """On contract from 31 January, in the tenant's zone, for one month."""
    sku = VariantFactory(prices={1: "40.00"}).sku
    order = make_order(
        items=[{"sku": sku, "quantity": 1, "contractLength": 1}], status=Order.Status.CONFIRMED
    )
    begun = datetime(2026, 1, 30, 23, 30, tzinfo=UTC)
    Order.objects.filter(pk=order.pk).update(confirmed_at=begun, created_at=begun)
    return order


class Page:
    """The page of the extension: what stands in its fields, posted with each change."""

    def __init__(self, client: Client, order: Order, rep: User) -> None:
        draft = drafts.start_from(
            tenant=order.tenant, owner=rep, order_id=order.public_id, kind=Start.EXTEND
        )
        self.client, self.path = client, f"/orders/new/{draft.public_id}/"
        sheet = client.get(self.path).context["sheet"]
        self.fields: dict[str, Any] = {**sheet.typed.fields, "tab": sheet.tab, "line": ["i0"]}
        self.fields |= {"line-i0-sku": sheet.typed.lines[0].sku}
        self.fields |= {"line-i0-quantity": "1", "line-i0-length": "1"}
        self.sequence = self.base = sheet.draft.sequence

    def type(self, is_lost: bool = False, **changes: str) -> str:
        """What stands in the new end after this change; as before if the answer is lost."""
        self.fields |= {f"extension-{name}": text for name, text in changes.items()}
        self.sequence += 1
        numbers = {"sequence": self.sequence, "base": self.base}
        response = self.client.post(f"{self.path}save/", self.fields | numbers)
        assert response.status_code == 200
        filled = json.loads(response.get("HX-Trigger", "{}")).get("filled")
        if is_lost:
            return str(self.fields[END])
        self.base = self.sequence
        if filled:
            assert (filled["name"], filled["was"]) == (END, self.fields[END])
            self.fields[END] = filled["value"]
        assert Draft.objects.get().payload["fields"][END] == self.fields[END]
        return str(self.fields[END])


@pytest.fixture
def page(rep_client: Client, order: Order, rep: User) -> Page:
    return Page(rep_client, order, rep)


def test_end_follows_the_months_from_the_day_on_which_the_contract_began(page: Page) -> None:
    assert (page.fields[PREVIOUS], page.fields[END]) == ("2026-02-28", "2026-03-31")
    assert page.type(extension_months="2") == "2026-04-30"
    assert page.type(extension_months="24") == "2028-02-29"
    assert page.type(extension_months="1") == "2026-03-31"


@pytest.mark.parametrize("text", ["", "x", "0", "1.5", "-1", "9999", "1e9"])
def test_end_waits_while_the_months_are_no_number_of_them(page: Page, text: str) -> None:
    assert page.type(extension_months=text) == "2026-03-31"


def test_end_follows_again_after_the_months_were_blank(page: Page) -> None:
    page.type(extension_months="")
    page.type(new_end_date="")
    assert page.type(extension_months="3") == "2026-05-31"


@pytest.mark.parametrize("text", ["", "x", "0"])
def test_end_that_nobody_typed_follows_again_after_months_that_were_none(
    page: Page, text: str
) -> None:
    page.type(extension_months="2")
    page.type(extension_months=text)
    page.type(extension_months=f"{text} ")
    assert page.type(extension_months="3") == "2026-05-31"


def test_end_typed_by_hand_stays_after_months_that_were_none(page: Page) -> None:
    page.type(extension_months="")
    page.type(new_end_date="2026-12-31")
    assert page.type(extension_months="3") == "2026-12-31"


def test_end_typed_by_hand_stays(page: Page) -> None:
    assert page.type(new_end_date="2026-12-24") == "2026-12-24"
    assert page.type(extension_months="2") == "2026-12-24"
    assert page.type(extension_months="3", new_end_date="2027-01-01") == "2027-01-01"


def test_end_counts_from_a_previous_end_that_is_not_the_orders(page: Page) -> None:
    page.type(previous_end_date="2026-06-30", new_end_date="")
    assert page.type(extension_months="2") == "2026-08-30"


@pytest.mark.parametrize("previous", ["", "soon", "9999-12-01", "2026-02-30"])
def test_end_is_left_alone_without_a_previous_one(page: Page, previous: str) -> None:
    page.type(previous_end_date=previous, new_end_date="")
    assert page.type(extension_months="2") == ""


@pytest.mark.parametrize("named", ["", "ord_X", "\0", "x" * 5000])
def test_end_needs_no_order_that_is_known(page: Page, named: str) -> None:
    page.type(original_order_id=named)
    page.type(new_end_date="")
    assert page.type(extension_months="2") == "2026-04-28"


def test_end_follows_after_an_answer_that_was_lost(page: Page) -> None:
    assert page.type(is_lost=True, extension_months="2") == "2026-03-31"
    assert page.type(extension_months="24") == "2028-02-29"


def test_order_has_the_end_of_months_typed_right_before_submitting(page: Page) -> None:
    fields = page.fields | {MONTHS: "2", "sequence": 2, "base": page.base}
    assert page.client.post(page.path, fields).status_code == 303
    details = Order.objects.get(order_type="extension").extension_details
    assert details is not None
    assert details["newEndDate"] == "2026-04-30"


def test_saving_asks_for_the_order_only_when_the_months_change(
    page: Page, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    page.type(extension_months="2")
    numbers = {"sequence": 90, "base": page.base}
    with django_assert_num_queries(9) as unchanged:
        page.client.post(f"{page.path}save/", page.fields | numbers)
    numbers = {"sequence": 91, "base": 90, MONTHS: "3"}
    with django_assert_num_queries(len(unchanged) + 1):
        page.client.post(f"{page.path}save/", page.fields | numbers)
