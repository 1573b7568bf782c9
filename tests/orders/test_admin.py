"""The review of orders in the admin."""

import re
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from orders.models import Order
from orders.reasons import Reason
from orders.services import create_order
from portal.models import Tenant, User
from portal.permissions import Actor
from tests.factories import (
    SYSTEM,
    CustomerFactory,
    VariantFactory,
    address,
    make_order,
    new_order,
    order_body,
)
from tests.permissions import grant

LIST = reverse("admin:orders_order_changelist")


def review_url(order: Order) -> str:
    return reverse("admin:orders_order_change", args=[order.pk])


def step_url(order: Order, step: str) -> str:
    return reverse(f"admin:orders_order_{step}", args=[order.pk])


def bulk_url(step: str) -> str:
    return reverse(f"admin:orders_order_bulk_{step}")


def listed(client: Client, query: str = "") -> list[str]:
    page = client.get(LIST + query)
    assert page.status_code == 200
    return [order.public_id for order in page.context["cl"].result_list]


def aged(order: Order, **ago: float) -> Order:
    Order.objects.filter(pk=order.pk).update(created_at=timezone.now() - timedelta(**ago))
    return order


# The list


def test_list_shows_the_queue_oldest_first_at_equal_risk(manager_client: Client) -> None:
    make_order(status="confirmed")
    newer, older = aged(make_order(), hours=1), aged(make_order(), hours=3)
    assert newer.risk == older.risk
    back = make_order()
    Order.objects.filter(pk=back.pk).update(awaiting="rep")
    assert listed(manager_client) == [older.public_id, newer.public_id]


def test_list_shows_all_orders_newest_first_when_asked(manager_client: Client) -> None:
    older = aged(make_order(status="confirmed"), hours=3)
    newer = aged(make_order(), hours=1)
    assert listed(manager_client, "?status=all") == [newer.public_id, older.public_id]


def test_list_shows_customer_devices_total_rep_age_and_status(manager_client: Client) -> None:
    body = order_body(company="x")["customer"] | {"company": "Havenbedrijf"}
    aged(make_order(customer=body), hours=3, minutes=10)
    page = manager_client.get(LIST).content.decode()
    row = re.sub(r"<[^>]+>|\s+", " ", page[page.index("<tbody>") : page.index("</tbody>")])
    assert (
        re.sub(" +", " ", row)
        .strip()
        .endswith(" 3 h Noor el Idrissi Havenbedrijf 2 €50.00 test Standard")
    )


@pytest.mark.parametrize("field", ["customer__id__exact", "id__exact", "version__gt"])
@pytest.mark.parametrize("text", ["", "q=noor&", "q=nobody&", "q=06+12345678&"])
def test_filter_that_no_order_can_meet_finds_none(
    manager_client: Client, field: str, text: str
) -> None:
    make_order()
    assert listed(manager_client, f"?{text}{field}={'9' * 23}") == []


@pytest.mark.parametrize(
    ("hours", "text"), [(0.5, "30 min"), (3, "3 h"), (47, "47 h"), (49, "2 d")]
)
def test_age_in_the_largest_unit(manager_client: Client, hours: float, text: str) -> None:
    aged(make_order(), hours=hours)
    assert f">{text}</time>" in manager_client.get(LIST).content.decode()


@pytest.mark.parametrize(
    "text",
    ["{id}", "IDRISSI noor", "noor@example.com", "havenbedrijf", "1234567", "{sku}", "{sku_lower}"],
)
def test_search_finds_an_order_of_any_status(manager_client: Client, text: str) -> None:
    sku = VariantFactory(sku="MAC-16").sku
    customer = order_body()["customer"] | {"company": "Hávenbedrijf", "phone": "010 1234567"}
    order = make_order(sku, customer=customer, status="confirmed")
    make_order(
        customer=customer
        | dict.fromkeys(("firstName", "lastName", "company"), "Else")
        | {"email": "else@example.com", "phone": ""}
    )
    wanted = text.format(id=order.public_id, sku=sku, sku_lower=sku.lower())
    assert listed(manager_client, f"?q={wanted}") == [order.public_id]


@pytest.mark.parametrize(
    "query",
    ["?status=confirmed", "?status=all&order_type__exact=upgrade", "?status=all&source__exact=api"],
)
def test_filters_narrow_the_list(manager_client: Client, query: str) -> None:
    make_order()
    order = make_order(status="confirmed", orderType="upgrade", source=Order.Source.API)
    assert listed(manager_client, query) == [order.public_id]


def test_rep_filter_shows_the_orders_of_one_user(
    manager_client: Client, rep: User, rep_actor: Actor
) -> None:
    make_order()
    order = make_order(actor=rep_actor)
    assert listed(manager_client, f"?rep={rep.actor_ref}") == [order.public_id]


@pytest.mark.parametrize("number", [1, 100])
@pytest.mark.parametrize(("agreed", "queries"), [(None, 9), (Decimal("24.50"), 10)])
def test_list_takes_the_same_queries_for_any_number(
    manager_client: Client,
    tenant: Tenant,
    number: int,
    agreed: Decimal | None,
    queries: int,
    django_assert_num_queries,
) -> None:
    placed = new_order(VariantFactory().sku).at([agreed])
    for _ in range(number):
        create_order(tenant=tenant, actor=SYSTEM, new_order=placed, source=Order.Source.PORTAL)
    manager_client.get(LIST)
    with django_assert_num_queries(queries):
        assert len(listed(manager_client)) == number
    found = Order.objects.filter(reasons__has_key=Reason.OTHER_PRICE).count()
    assert found == (number if agreed else 0)


def test_index_says_how_many_wait_and_how_long(manager_client: Client) -> None:
    aged(make_order(), hours=3)
    make_order()
    page = manager_client.get(reverse("admin:index")).content.decode()
    assert "Orders waiting for review: 2</a>, oldest 3 h" in page


# The page of one order


def test_review_page_shows_everything(manager_client: Client) -> None:
    VariantFactory(sku="MAC-16", list_price="1000", acquisition_cost="900")
    CustomerFactory(email="noor@example.com", first_name="Nora")
    order = make_order(
        "MAC-16",
        shippingAddress=address(city="Delft"),
        customFields={"costCentre": "R&D"},
        notes="Deliver before noon",
        upgradeDetails={
            "previousDevice": "MacBook Air",
            "previousSerialNumber": "C02X",
            "previousMonthlyAmount": 20,
            "previousRentalId": "sub_1",
        },
    )
    page = manager_client.get(review_url(order)).content.decode()
    for text in (
        "€25.00", "€600.00", "€1,000.00", "€900.00", "10 %", "36 months", "Delft", "Nora",
        "R&amp;D", "Deliver before noon", "MacBook Air", "Created", f"/orders/{order.public_id}/",
        "It has upgrade details, but its type is “Standard”.",
        reverse("admin:customers_customer_change", args=[order.customer_id]),
    ):  # fmt: skip
        assert text in page, text
    assert page.count('class="differs"') == 2


def test_review_page_points_to_a_repeated_order(manager_client: Client) -> None:
    VariantFactory(sku="MAC-16")
    first, second = make_order("MAC-16"), make_order("MAC-16")
    [reason] = manager_client.get(review_url(second)).context["warnings"]
    assert (reason.code, reason.orders) == ("repeated", [first.public_id])


def test_review_page_hides_costs_without_permission(manager: User, client_of) -> None:
    manager.groups.clear()
    grant(manager, "orders.view_order")
    VariantFactory(sku="MAC-16", list_price="1000", acquisition_cost="900")
    page = client_of(manager).get(review_url(make_order("MAC-16"))).content.decode()
    assert "€25.00" in page
    assert "900.00" not in page
    assert "1,000.00" not in page


@pytest.mark.parametrize("number", [1, 12])
def test_review_page_takes_the_same_queries_for_any_number_of_items(
    manager_client: Client, number: int, django_assert_num_queries
) -> None:
    order = make_order(*(VariantFactory().sku for _ in range(number)))
    with django_assert_num_queries(9):
        manager_client.get(review_url(order))


def test_change_form_changes_nothing_when_forged(superuser_client: Client) -> None:
    order = make_order()
    answer = superuser_client.post(review_url(order), {"status": "confirmed", "notes": "x"})
    assert answer.status_code == 403
    order.refresh_from_db()
    assert (order.status, order.notes, order.version) == ("pending", "", 1)


@pytest.mark.parametrize("page", ["add", "delete"])
def test_orders_are_neither_added_nor_deleted(superuser_client: Client, page: str) -> None:
    order = make_order()
    args = [] if page == "add" else [order.pk]
    url = reverse(f"admin:orders_order_{page}", args=args)
    assert superuser_client.get(url).status_code == 403
    assert superuser_client.post(url, {"post": "yes"}).status_code == 403
    assert Order.objects.count() == 1


# Confirming and cancelling


def test_confirming_asks_first_and_then_confirms(manager_client: Client, manager: User) -> None:
    order = make_order()
    page = manager_client.get(step_url(order, "confirm"))
    assert page.status_code == 200
    order.refresh_from_db()
    assert order.status == "pending"
    answer = manager_client.post(step_url(order, "confirm"), {"version": 1})
    assert answer["Location"] == review_url(order)
    order.refresh_from_db()
    assert (order.status, order.confirmed_by, order.version) == ("confirmed", manager.email, 2)


def test_cancelling_keeps_the_reason(manager_client: Client) -> None:
    order = make_order()
    usual = "The same order was placed twice"
    manager_client.post(
        step_url(order, "cancel"), {"version": 1, "usual": usual, "reason": "See ord_1"}
    )
    order.refresh_from_db()
    assert (order.status, order.cancel_reason) == ("cancelled", f"{usual}: See ord_1")


@pytest.mark.parametrize(
    "data", [{"reason": "x" * 1001}, {"usual": "forged"}, {"reason": "\u202e"}]
)
def test_cancelling_with_a_bad_reason_is_refused(manager_client: Client, data) -> None:
    order = make_order()
    answer = manager_client.post(step_url(order, "cancel"), {"version": 1, **data})
    assert answer.status_code == 400
    order.refresh_from_db()
    assert order.status == "pending"


@pytest.mark.parametrize("step", ["confirm", "cancel"])
def test_stale_version_is_refused_in_words(
    manager_client: Client, manager_actor: Actor, step: str
) -> None:
    order = make_order()
    Order.objects.filter(pk=order.pk).update(version=2)
    answer = manager_client.post(step_url(order, step), {"version": 1, "reason": "My words"})
    assert answer.status_code == 409
    page = answer.content.decode()
    assert "test last changed it (created). Look at it again first." in page
    assert ("My words" in page) == (step == "cancel")
    order.refresh_from_db()
    assert order.status == "pending"


@pytest.mark.parametrize("version", ["", "x", "9" * 40])
def test_forged_version_is_refused(manager_client: Client, version: str) -> None:
    order = make_order()
    answer = manager_client.post(step_url(order, "confirm"), {"version": version})
    assert answer.status_code in (400, 409)
    order.refresh_from_db()
    assert order.status == "pending"


def test_own_order_is_refused_in_words(manager_client: Client, manager_actor: Actor) -> None:
    order = make_order(actor=manager_actor)
    words = "You created this order; somebody else has to confirm it."
    page = manager_client.get(review_url(order)).content.decode()
    assert words in page
    assert step_url(order, "confirm") not in page
    answer = manager_client.post(step_url(order, "confirm"), {"version": 1})
    assert answer.status_code == 403
    assert words in answer.content.decode()
    order.refresh_from_db()
    assert order.status == "pending"


@pytest.mark.parametrize("step", ["confirm", "cancel", "send_back"])
def test_steps_need_their_permission(manager: User, client_of, step: str) -> None:
    manager.groups.clear()
    grant(manager, "orders.view_order")
    client, order = client_of(manager), make_order()
    page = client.get(review_url(order)).content.decode()
    assert step_url(order, step) not in page
    assert "_selected" not in client.get(LIST).content.decode()
    assert client.get(step_url(order, step)).status_code == 403
    assert client.post(step_url(order, step), {"version": 1}).status_code == 403
    if step != "send_back":
        order_seen = {"order": f"{order.public_id}:1"}
        assert client.post(bulk_url(step), order_seen).status_code == 403
    client.post(LIST, {"action": f"{step}_selected", "_selected_action": order.pk})
    order.refresh_from_db()
    assert (order.status, order.version) == ("pending", 1)


def test_rep_is_not_let_in(rep_client: Client) -> None:
    order = make_order()
    assert rep_client.get(LIST, follow=True).status_code == 403
    rep_client.post(step_url(order, "confirm"), {"version": 1})
    order.refresh_from_db()
    assert order.status == "pending"


def test_order_of_another_tenant_is_never_shown(
    superuser_client: Client, other_tenant: Tenant
) -> None:
    order = make_order(tenant=other_tenant)
    assert listed(superuser_client, "?status=all") == []
    assert superuser_client.get(review_url(order))["Location"] == reverse("admin:index")
    assert superuser_client.get(step_url(order, "confirm")).status_code == 404
    assert superuser_client.post(step_url(order, "cancel"), {"version": 1}).status_code == 404
    sent = {"order": f"{order.public_id}:1", "reason": "No"}
    bulk = superuser_client.post(bulk_url("cancel"), sent)
    assert [outcome.problem for outcome in bulk.context["outcomes"]] == ["There is no such order."]


# Many at once


def test_bulk_action_lists_the_selected_orders(manager_client: Client) -> None:
    orders = [make_order(), make_order()]
    page = manager_client.post(
        LIST, {"action": "cancel_selected", "_selected_action": [o.pk for o in orders]}
    )
    assert page.status_code == 200
    for order in orders:
        assert f'value="{order.public_id}:1"' in page.content.decode()
    assert {o.status for o in Order.objects.all()} == {"pending"}


def test_bulk_confirm_gives_a_result_per_order(
    manager_client: Client, manager_actor: Actor
) -> None:
    make_order()
    good, own, stale = make_order(), make_order(actor=manager_actor), make_order()
    done = make_order(status="confirmed")
    answer = manager_client.post(
        bulk_url("confirm"),
        {"order": [f"{good.public_id}:1", f"{own.public_id}:1", f"{stale.public_id}:7",
                   f"{done.public_id}:2"]},
    )  # fmt: skip
    assert [(o.order_id, o.problem) for o in answer.context["outcomes"]] == [
        (good.public_id, ""),
        (own.public_id, "You created this order; somebody else has to confirm it."),
        (stale.public_id, "test last changed it (created). Look at it again first."),
        (
            done.public_id,
            "It cannot be confirmed: it is confirmed. test last changed it (confirmed).",
        ),
    ]
    assert "1 of 4 orders confirmed" in answer.content.decode()
    states = dict(Order.objects.values_list("public_id", "status"))
    assert states[good.public_id] == "confirmed"
    assert states[own.public_id] == states[stale.public_id] == "pending"


@pytest.mark.parametrize("version", ["9" * 5000, "9" * 11, "-1", "", "x"])
def test_bulk_of_no_version_changes_nothing(manager_client: Client, version: str) -> None:
    order = make_order()
    response = manager_client.post(
        bulk_url("cancel"), {"order": f"{order.public_id}:{version}", "reason": "No"}
    )
    assert response.status_code == 302
    order.refresh_from_db()
    assert (order.status, order.version) == ("pending", 1)


def test_bulk_cancel_keeps_the_reason(manager_client: Client) -> None:
    order, finished = make_order(), make_order(status="fulfilled")
    answer = manager_client.post(
        bulk_url("cancel"),
        {"order": [f"{order.public_id}:1", f"{finished.public_id}:3"], "reason": "Out of stock"},
    )
    assert [bool(o.problem) for o in answer.context["outcomes"]] == [False, True]
    order.refresh_from_db()
    assert (order.status, order.cancel_reason) == ("cancelled", "Out of stock")


@pytest.mark.parametrize("number", [1, 3])
def test_bulk_with_a_bad_reason_loads_items_and_events_once(
    manager_client: Client, number: int
) -> None:
    sent = {"order": [f"{make_order().public_id}:1" for _ in range(number)], "reason": ""}
    with CaptureQueriesContext(connection) as queries:
        manager_client.post(bulk_url("cancel"), sent)
    asked = " ".join(query["sql"] for query in queries)
    assert asked.count('FROM "orders_orderitem"') == asked.count('FROM "orders_orderevent"') == 1


def test_bulk_cancel_with_a_bad_reason_asks_again(manager_client: Client) -> None:
    order = make_order()
    answer = manager_client.post(
        bulk_url("cancel"), {"order": f"{order.public_id}:1", "reason": "x" * 1001}
    )
    assert answer.context["form"].errors["reason"]
    assert "x" * 1001 in answer.content.decode()
    order.refresh_from_db()
    assert order.status == "pending"


@pytest.mark.parametrize("reason", ["", "  "])
def test_cancel_without_a_reason_asks_for_one(manager_client: Client, reason: str) -> None:
    order = make_order()
    for url, sent in (
        (bulk_url("cancel"), {"order": f"{order.public_id}:1"}),
        (step_url(order, "cancel"), {"version": 1}),
    ):
        answer = manager_client.post(url, sent | {"usual": "", "reason": reason})
        assert answer.context["form"].errors == {
            "reason": ["Choose a reason, or say it in your own words."]
        }
    order.refresh_from_db()
    assert order.status == "pending"


@pytest.mark.parametrize(
    "data", [{}, {"order": "forged"}, {"order": [f"o{n}:1" for n in range(201)]}]
)
def test_forged_bulk_request_goes_back_to_the_list(manager_client: Client, data) -> None:
    assert manager_client.post(bulk_url("confirm"), data)["Location"] == LIST
