"""The new-order page over HTTP, as a browser without JavaScript and as htmx send it."""

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries
from pytest_django.asserts import assertInHTML

from catalog.models import Product, Variant
from customers.models import Customer
from orders import drafts
from orders.models import Draft, Order
from portal.models import Tenant, User
from portal.patience import KEYSTROKE
from tests.factories import CustomerFactory, CustomFieldFactory, VariantFactory
from tests.locks import locked_table
from tests.permissions import grant

HTMX = {"HTTP_HX_REQUEST": "true"}


@pytest.fixture
def draft(tenant: Tenant, rep: User) -> Draft:
    return drafts.open_draft(tenant=tenant, owner=rep)


def typed(*skus: str, **changes: str) -> dict[str, Any]:
    """The form filled in with the least that makes an order, as a page posts it."""
    data: dict[str, Any] = {
        "tab": "a",
        "base": "0",
        "sequence": "1",
        "order_type": "standard",
        "customer-email": "noor@example.com",
        "customer-first_name": "Noor",
        "customer-last_name": "el Idrissi",
        "billing-contact_name": "Noor el Idrissi",
        "billing-street_address": "Coolsingel 93",
        "billing-city": "Rotterdam",
        "billing-country": "Netherlands",
        "line": [f"l{number}" for number, _ in enumerate(skus)],
    }
    for number, sku in enumerate(skus):
        data |= {
            f"line-l{number}-sku": sku,
            f"line-l{number}-quantity": "1",
            f"line-l{number}-length": "24",
        }
    return data | {name.replace("__", "-"): value for name, value in changes.items()}


def page(draft: Draft) -> str:
    return f"/orders/new/{draft.public_id}/"


def test_start_reuses_the_untouched_draft(rep_client: Client) -> None:
    first, second = rep_client.get("/orders/new/"), rep_client.get("/orders/new/")
    assert first.status_code == second.status_code == 302
    assert first.url == second.url
    assert Draft.objects.count() == 1


def test_submit_creates_the_order_and_leads_to_it(rep_client: Client, draft: Draft) -> None:
    sku = VariantFactory().sku
    response = rep_client.post(page(draft), typed(sku, notes="Call first"))
    order = Order.objects.get()
    assert (response.status_code, response["Location"]) == (303, f"/orders/{order.public_id}/")
    assert (order.draft_id, order.source, order.notes) == (draft.pk, "portal", "Call first")
    assert [item.sku for item in order.items.all()] == [sku]


def test_submit_by_htmx_redirects_the_whole_page(rep_client: Client, draft: Draft) -> None:
    response = rep_client.post(page(draft), typed(VariantFactory().sku), **HTMX)
    assert response["HX-Redirect"] == f"/orders/{Order.objects.get().public_id}/"


def test_submit_again_lands_on_the_same_order(rep_client: Client, draft: Draft) -> None:
    data = typed(VariantFactory().sku)
    first = rep_client.post(page(draft), data)
    again = rep_client.post(page(draft), data | {"tab": "b"})
    assert again["Location"] == first["Location"]
    assert Order.objects.count() == 1


def test_submit_again_says_what_the_order_is_without(rep_client: Client, draft: Draft) -> None:
    data = typed(VariantFactory().sku)
    rep_client.post(page(draft), data)
    again = rep_client.post(page(draft), data | {"tab": "b", "notes": "Typed later"})
    order = Order.objects.get()
    assert (again.status_code, order.notes) == (409, "")
    html = again.content.decode()
    assert f"This is already order <code>{order.public_id}</code>" in html
    assert "Typed later" in html


def test_submit_refused_shows_each_message_beside_its_field(
    rep_client: Client, draft: Draft
) -> None:
    data = typed(VariantFactory().sku, billing__city="", notes="Kept")
    data["line-l0-quantity"] = "many"
    response = rep_client.post(page(draft), data)
    html = response.content.decode()
    assert response.status_code == 422
    assert [problem.name for problem in response.context["form"].problems] == [
        "line-l0-quantity",
        "billing-city",
    ]
    assert 'aria-describedby="id_billing-city_error"' in html
    assert 'value="many"' in html
    assert html.count('class="form-control num is-invalid"') == 1
    assert 'class="line-problem wrong-quantity"' in html
    assert "Kept</textarea>" in html
    assert Order.objects.count() == 0


def test_submit_refused_keeps_what_was_typed(rep_client: Client, draft: Draft) -> None:
    rep_client.post(page(draft), typed(notes="Kept", **{"customer-email": "nobody"}))
    html = rep_client.get(page(draft)).content.decode()
    assert "Kept</textarea>" in html
    assert 'value="nobody"' in html


def test_submit_refused_by_htmx_answers_the_form_alone(rep_client: Client, draft: Draft) -> None:
    response = rep_client.post(page(draft), typed(), **HTMX)
    assert (response.status_code, response["HX-Retarget"]) == (422, "#new-order")
    assert "<html" not in response.content.decode()


def test_submit_as_extension_keeps_its_details(rep_client: Client, draft: Draft) -> None:
    details = {
        "original_order_id": "ord_1",
        "extension_months": "6",
        "previous_end_date": "2026-01-31",
        "new_end_date": "2026-07-31",
    }
    data = typed(VariantFactory().sku, order_type="extension")
    rep_client.post(page(draft), data | {f"extension-{key}": each for key, each in details.items()})
    order = Order.objects.get()
    assert order.extension_details == {
        "originalOrderId": "ord_1",
        "extensionMonths": 6,
        "previousEndDate": "2026-01-31",
        "newEndDate": "2026-07-31",
    }


def test_submit_as_upgrade_reads_the_amount_as_typed(rep_client: Client, draft: Draft) -> None:
    details = {
        "previous_device": "MacBook Air",
        "previous_serial_number": "C02",
        "previous_monthly_amount": "1.234,50",
        "previous_rental_id": "rent_1",
    }
    data = typed(VariantFactory().sku, order_type="upgrade")
    rep_client.post(page(draft), data | {f"upgrade-{key}": each for key, each in details.items()})
    assert Order.objects.get().upgrade_details["previousMonthlyAmount"] == Decimal("1234.50")


def test_submit_to_another_shipping_address(rep_client: Client, draft: Draft) -> None:
    shipping = {"contact_name": "Bo", "street_address": "Markt 1", "city": "Gouda"}
    data = typed(VariantFactory().sku, ship_elsewhere="on", **{"shipping-country": "Netherlands"})
    rep_client.post(page(draft), data | {f"shipping-{key}": each for key, each in shipping.items()})
    order = Order.objects.get()
    assert (order.billing_address["city"], order.shipping_address["city"]) == ("Rotterdam", "Gouda")


def test_submit_without_a_required_custom_field_names_it(rep_client: Client, draft: Draft) -> None:
    CustomFieldFactory(key="po", label="Purchase order", required=True)
    data = typed(VariantFactory().sku)
    refused = rep_client.post(page(draft), data)
    assert [each.label for each in refused.context["form"].problems] == ["Purchase order"]
    rep_client.post(page(draft), data | {"sequence": "9", "custom-po": "PO-7"})
    assert Order.objects.get().custom_fields == {"po": "PO-7"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("notes", "x" * 5001),
        ("notes", "a\0b"),
        ("customer-first_name", "a\u202eb"),
        ("order_type", "gift"),
        ("line-l0-quantity", "0"),
        ("line-l0-quantity", "1,5"),
        ("line-l0-quantity", "9" * 400),
        ("line-l0-length", "13"),
        ("line-l0-length", "1e9"),
        ("line-l0-sku", "NO-SUCH"),
        ("customer-customer_type", "robot"),
    ],
)
def test_bad_input_is_refused_beside_its_field(
    rep_client: Client, draft: Draft, name: str, value: str
) -> None:
    response = rep_client.post(page(draft), typed(VariantFactory().sku) | {name: value})
    assert response.status_code == 422
    assert [problem.name for problem in response.context["form"].problems] == [name]
    assert Order.objects.count() == Customer.objects.count() == 0


@pytest.mark.parametrize("number", ["9" * 5000, "0." + "1" * 19_000])
def test_endless_number_is_refused_beside_its_field(
    rep_client: Client, draft: Draft, number: str
) -> None:
    CustomFieldFactory(key="seats", label="Seats", type="number")
    data = typed(VariantFactory().sku) | {"custom-seats": number}
    response = rep_client.post(page(draft), data)
    assert response.status_code == 422
    assert [problem.name for problem in response.context["form"].problems] == ["custom-seats"]
    assert Order.objects.count() == Customer.objects.count() == 0


@pytest.mark.parametrize(
    ("name", "value", "status"),
    [
        ("sequence", "9" * 5000, 200),
        ("base", "9" * 5000, 422),
        ("tab", "a\0b", 200),
        ("line-l0-sku", "A\0B", 200),
    ],
)
def test_save_survives_what_no_page_sends(
    rep_client: Client, draft: Draft, name: str, value: str, status: int
) -> None:
    data = typed(VariantFactory().sku) | {name: value}
    assert rep_client.post(page(draft) + "save/", data, **HTMX).status_code == status
    assert rep_client.get(page(draft)).status_code == 200


@pytest.mark.parametrize("digits", [26, 40, 1_000])
@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("upgrade", "upgrade-previous_monthly_amount"),
        ("extension", "extension-extension_months"),
    ],
)
def test_endless_number_is_stored_and_refused_at_its_field(
    rep_client: Client, draft: Draft, kind: str, name: str, digits: int
) -> None:
    """As when something is scanned into the wrong field."""
    data = typed(VariantFactory().sku) | {"order_type": kind, name: "9" * digits}
    assert rep_client.post(page(draft) + "save/", data, **HTMX).status_code == 200
    assert rep_client.get(page(draft)).status_code == 200
    response = rep_client.post(page(draft), data | {"sequence": "2"})
    assert response.status_code == 422
    assert name in [problem.name for problem in response.context["form"].problems]
    assert not Order.objects.exists()


def test_nul_in_an_address_finds_nothing(rep_client: Client, draft: Draft) -> None:
    assert rep_client.get("/orders/new/%00/").status_code == 404
    assert rep_client.post("/orders/new/%00/save/").status_code == 404
    assert rep_client.post("/orders/new/line/", {"sku": "\0"}).status_code == 200
    assert rep_client.get(f"{page(draft)}?customer=%00").status_code == 200


def test_save_answers_cells_and_totals_but_no_field(rep_client: Client, draft: Draft) -> None:
    data = typed(VariantFactory().sku, VariantFactory().sku)
    html = rep_client.post(f"{page(draft)}save/", data, **HTMX).content.decode()
    assert html.count('hx-swap-oob="true"') == 7
    assert 'id="line-l0-price"' in html
    assert 'id="totals"' in html
    assert re.findall(r'<(?:input|select|textarea)[^>]*name="(\w+)"', html) == ["read_back"]
    assert "€50.00 per month for 2 devices" in html


def test_save_answers_the_customer_only_when_what_is_typed_about_them_moved(
    rep_client: Client, draft: Draft
) -> None:
    def answer(sequence: str, **changes: str) -> str:
        data = typed(VariantFactory().sku, sequence=sequence, base=str(int(sequence) - 1))
        response = rep_client.post(f"{page(draft)}save/", data | changes, **HTMX)
        return response.content.decode()

    assert 'id="customer-record"' in answer("1")
    assert 'id="customer-' not in answer("2", notes="x")
    assert 'id="customer-record"' in answer("3", **{"customer-phone": "020 1234567"})


@pytest.mark.parametrize(
    ("quantities", "said"),
    [
        (["1", "2"], ""),
        (["1", "abc"], "Without 1 line that cannot be counted yet"),
        (["0", "10001"], "Without 2 lines that cannot be counted yet"),
    ],
)
def test_total_says_which_lines_it_is_without(
    rep_client: Client, draft: Draft, quantities: list[str], said: str
) -> None:
    data = typed(VariantFactory().sku, VariantFactory().sku)
    data |= {f"line-l{n}-quantity": quantity for n, quantity in enumerate(quantities)}
    html = rep_client.post(f"{page(draft)}save/", data, **HTMX).text
    found = re.search(r"Without \d+ lines? that cannot be counted yet", html)
    assert (found[0] if found else "") == said


@pytest.mark.parametrize(
    ("number", "said"),
    [(200, ""), (202, "An order has at most 200 lines. Remove 2 of them.")],
)
def test_lines_beyond_what_an_order_may_have_are_told_at_once(
    rep_client: Client, draft: Draft, number: int, said: str
) -> None:
    data = typed(*[VariantFactory().sku] * number)
    html = rep_client.post(f"{page(draft)}save/", data, **HTMX).text
    found = re.search(r"An order has at most [^<]*", html)
    assert (found[0] if found else "") == said


def test_save_does_not_announce_a_total_that_stayed(rep_client: Client, draft: Draft) -> None:
    data = typed(VariantFactory().sku)
    rep_client.post(f"{page(draft)}save/", data)
    again = rep_client.post(f"{page(draft)}save/", data | {"sequence": "2", "notes": "x"})
    assert 'id="announcement"' not in again.content.decode()


def test_save_out_of_order_answers_nothing(rep_client: Client, draft: Draft) -> None:
    rep_client.post(f"{page(draft)}save/", typed(sequence="5"))
    assert rep_client.post(f"{page(draft)}save/", typed(sequence="4")).status_code == 204


def test_save_from_a_stale_tab_shows_the_newer_draft(rep_client: Client, draft: Draft) -> None:
    rep_client.post(f"{page(draft)}save/", typed(sequence="5", notes="Newer"))
    stale = typed(tab="b", sequence="9", **{"billing-city": "Delft"})
    response = rep_client.post(f"{page(draft)}save/", stale, **HTMX)
    html = response.content.decode()
    assert (response.status_code, response["HX-Retarget"]) == (422, "#new-order")
    assert "Newer</textarea>" in html
    assert response.context["unsaved"] == [("City", "Delft")]


def test_save_after_submit_points_to_the_order(rep_client: Client, draft: Draft) -> None:
    data = typed(VariantFactory().sku)
    rep_client.post(page(draft), data)
    html = rep_client.post(f"{page(draft)}save/", data | {"sequence": "7"}).content.decode()
    assert f"/orders/{Order.objects.get().public_id}/" in html


def test_page_of_a_submitted_draft_points_to_the_order(rep_client: Client, draft: Draft) -> None:
    rep_client.post(page(draft), typed(VariantFactory().sku))
    html = rep_client.get(page(draft)).content.decode()
    assert f"/orders/{Order.objects.get().public_id}/" in html


def test_line_is_rendered_with_every_length_and_its_price(rep_client: Client) -> None:
    sku = VariantFactory(prices={12: "30.00", 24: "25.00"}).sku
    html = rep_client.post("/orders/new/line/", {"sku": sku}).content.decode()
    assertInHTML('<option value="12">12 months</option>', html)
    assertInHTML('<span class="rung-months">12 months</span>', html)
    assertInHTML("<strong>€30.00</strong>", html)
    assert "Choose…" in html


def test_line_takes_the_default_length_of_the_tenant(rep_client: Client, tenant: Tenant) -> None:
    Tenant.objects.update(default_contract_length=24)
    html = rep_client.post("/orders/new/line/", {"sku": VariantFactory().sku}).content.decode()
    assertInHTML('<option value="24" selected>24 months</option>', html)
    assert "Choose…" not in html


def test_line_of_scanned_text_is_the_best_match(rep_client: Client) -> None:
    VariantFactory(sku="MBP-16-B")
    VariantFactory(sku="MBP-16")
    html = rep_client.post("/orders/new/line/", {"q": "mbp16"}).content.decode()
    assert 'value="MBP-16"' in html


@pytest.mark.parametrize("query", [{"q": "nothing"}, {"sku": "GONE"}, {"q": ""}, {"q": "OFF-1"}])
def test_line_of_what_cannot_be_ordered_is_a_message(
    rep_client: Client, query: dict[str, str]
) -> None:
    VariantFactory(sku="OFF-1", status=Variant.Status.INACTIVE)
    html = rep_client.post("/orders/new/line/", query).content.decode()
    assert "Nothing that can be rented matches" in html
    assert "<li" not in html


def test_customers_are_offered_with_what_they_fill_in(rep_client: Client) -> None:
    customer = CustomerFactory(company="Acme", phone="+31 20 555 0100")
    html = rep_client.get("/orders/new/customers/", {"customer-email": "acm"}).content.decode()
    assert "&quot;customer_id&quot;: &quot;" + customer.public_id in html
    none = rep_client.get("/orders/new/customers/", {"customer-email": "a"})
    assert "option" not in none.content.decode()


@pytest.mark.parametrize(
    ("number", "said"), [(5, "5 matches"), (6, "First 6; type more."), (7, "First 6; type more.")]
)
def test_customers_are_counted_as_far_as_they_are_shown(
    rep_client: Client, number: int, said: str
) -> None:
    CustomerFactory.create_batch(number, company="Acme")
    assert said in rep_client.get("/orders/new/customers/", {"customer-email": "acme"}).text


@pytest.mark.parametrize("number", [1, 12])
def test_customers_take_the_same_queries_for_any_number_of_matches(
    rep_client: Client, django_assert_num_queries: DjangoAssertNumQueries, number: int
) -> None:
    CustomerFactory.create_batch(number, company="Acme")
    # Session, user, permissions; the limit of time, the search, the end of the limit.
    with django_assert_num_queries(6):
        rep_client.get("/orders/new/customers/", {"customer-email": "acme"})


@pytest.mark.django_db(transaction=True)
def test_search_for_a_customer_that_takes_too_long_says_so(
    rep_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orders.views.new_order.KEYSTROKE", KEYSTROKE)
    CustomerFactory(company="Acme")

    with locked_table("customers_searchentry"):
        html = rep_client.get("/orders/new/customers/", {"customer-email": "acme"}).content.decode()
    assert "The search takes too long. Type a little more." in html


def test_prefilled_customer_is_on_the_page(rep_client: Client) -> None:
    customer = CustomerFactory(company="Acme")
    response = rep_client.get(f"/orders/new/?customer={customer.public_id}", follow=True)
    assert 'value="Acme"' in response.content.decode()
    assert Draft.objects.get().sequence == 0


def test_discard_and_bring_back(rep_client: Client, draft: Draft) -> None:
    rep_client.post(f"{page(draft)}save/", typed(notes="Kept"))
    discarded = rep_client.post(f"{page(draft)}discard/", follow=True)
    assert "Draft of Noor el Idrissi discarded" in discarded.content.decode()
    back = rep_client.post(f"{page(draft)}restore/", follow=True)
    assert "Kept</textarea>" in back.content.decode()


@pytest.mark.parametrize("path", ["", "save/", "discard/", "restore/"])
def test_draft_of_somebody_else_is_not_there(
    manager_client: Client, draft: Draft, path: str
) -> None:
    assert manager_client.post(f"{page(draft)}{path}", typed()).status_code == 404


def test_refused_page_still_says_who_is_calling(rep_client: Client, draft: Draft) -> None:
    CustomerFactory(email="noor@example.com")
    data = typed("GONE")
    rep_client.post(f"{page(draft)}save/", data)
    refused = rep_client.post(page(draft), data | {"base": "1", "sequence": "2"}, **HTMX)
    assert (refused.status_code, refused.text.count(">Known customer<")) == (422, 1)


def test_autosave_after_the_login_expired_says_so(client: Client, draft: Draft) -> None:
    assert client.post(f"{page(draft)}save/", typed(), **HTMX).status_code == 401


@pytest.mark.parametrize("lines", [1, 5, 50])
def test_live_totals_take_the_same_queries_for_any_number_of_lines(
    rep_client: Client,
    draft: Draft,
    django_assert_num_queries: DjangoAssertNumQueries,
    lines: int,
) -> None:
    data = typed(*(VariantFactory().sku for _ in range(lines)))
    # Session, user, permissions; draft, its order, prices, customer, update; a test's savepoint.
    with django_assert_num_queries(8 + 2):
        assert rep_client.post(f"{page(draft)}save/", data).status_code == 200


@pytest.mark.parametrize("lines", [1, 5])
def test_page_takes_the_same_queries_for_any_number_of_lines(
    rep_client: Client,
    draft: Draft,
    django_assert_num_queries: DjangoAssertNumQueries,
    lines: int,
) -> None:
    rep_client.post(f"{page(draft)}save/", typed(*(VariantFactory().sku for _ in range(lines))))
    with django_assert_num_queries(9):
        assert rep_client.get(page(draft)).status_code == 200


def test_discontinued_product_shows_on_its_line(rep_client: Client, draft: Draft) -> None:
    sku = VariantFactory(sku="OLD-1").sku
    rep_client.post(f"{page(draft)}save/", typed(sku))
    Product.objects.update(status=Product.Status.DISCONTINUED)
    assert "“OLD-1” is no longer rented out." in rep_client.get(page(draft)).content.decode()


# Who may not see customers


@pytest.fixture
def blind_client(rep: User, client_of: Callable[[User], Client]) -> Client:
    """Of a rep who may type orders, and see no customer."""
    rep.groups.clear()
    grant(rep, "orders.add_order")
    return client_of(rep)


@pytest.mark.parametrize(
    "path", ["customers/?customer-email=noor", "lookalikes/?email=noor@example.con", "caller/{}/"]
)
def test_customers_are_not_found_by_who_may_not_see_them(blind_client: Client, path: str) -> None:
    customer = CustomerFactory(email="noor@example.com")
    answer = blind_client.get(f"/orders/new/{path.format(customer.public_id)}")
    assert answer.status_code == 403


def test_page_tells_who_may_not_see_customers_nothing_about_them(
    blind_client: Client, draft: Draft
) -> None:
    customer = CustomerFactory(email="noor@example.com", first_name="Secret", phone="+31 6 1234")
    shown = blind_client.get(page(draft), {"customer": customer.public_id}).text
    assert "/orders/new/customers/" not in shown
    form = typed(customer_id=customer.public_id)
    saved = blind_client.post(f"{page(draft)}save/", form, **HTMX)
    for text in (shown, saved.text, blind_client.get(page(draft)).text):
        for secret in ("Secret", "+31 6 1234", ">Known customer<", "/orders/new/caller/"):
            assert secret not in text


def test_who_may_not_see_customers_orders_for_a_new_one_typed_by_hand(
    blind_client: Client, draft: Draft
) -> None:
    response = blind_client.post(page(draft), typed(VariantFactory().sku))
    assert response.status_code == 303
    assert Order.objects.get().customer.email == "noor@example.com"
