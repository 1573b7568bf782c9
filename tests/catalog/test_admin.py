"""The catalogue in the admin."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from catalog.models import Price, PriceChange, Product, Variant
from catalog.services import set_price
from portal.errors import DomainError
from portal.models import Tenant, User
from tests.factories import SYSTEM, ProductFactory, VariantFactory, make_order
from tests.permissions import grant
from tests.shown import shown_form

RANGE = "Enter an amount from 0 to 9,999,999.999."


def url(model: str, page: str, *args: Any) -> str:
    return reverse(f"admin:catalog_{model}_{page}", args=args)


def product_form(product: Product, **changes: Any) -> dict[str, Any]:
    names = ("name", "sku", "brand", "category", "specification", "description")
    sent = {name: getattr(product, name) for name in (*names, "status")}
    return {**sent, "specification": "8 GB", **changes}


def variant_form(variant: Variant, *prices: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """The form as the page shows it; `prices` change or add rows, one after the other."""
    sent: dict[str, Any] = {
        "product": variant.product_id,
        "sku": variant.sku,
        "name": variant.name,
        "grade": variant.grade,
        "status": variant.status,
    }
    known = list(variant.prices.all()) if variant.pk else []
    for number in range(max(len(known), len(prices))):
        row: dict[str, Any] = {"source": "manual"}
        if number < len(known):
            row |= {
                "id": known[number].pk,
                "variant": variant.pk,
                "contract_length": known[number].contract_length,
                "monthly_price": known[number].monthly_price,
            }
        row |= prices[number] if number < len(prices) else {}
        sent |= {f"prices-{number}-{name}": value for name, value in row.items()}
    sent["prices-TOTAL_FORMS"] = max(len(known), len(prices))
    sent["prices-INITIAL_FORMS"] = len(known)
    return {**sent, **changes}


def save(client: Client, variant: Variant, *prices: dict[str, Any], **changes: Any) -> Any:
    return client.post(
        url("variant", "change", variant.pk), variant_form(variant, *prices, **changes)
    )


def changes() -> list[tuple[int, Decimal | None, Decimal | None]]:
    rows = PriceChange.objects.order_by("id")
    return list(rows.values_list("contract_length", "old_price", "new_price"))


@pytest.mark.parametrize("model", ["product", "variant", "pricechange"])
@pytest.mark.parametrize("number", [1, 12])
def test_lists_take_the_same_queries_for_any_number(
    manager_client: Client, model: str, number: int, django_assert_num_queries: Any
) -> None:
    product = ProductFactory()
    for _ in range(number):
        variant = VariantFactory(product=product)
        PriceChange.objects.create(
            tenant=variant.tenant, variant=variant, contract_length=24, new_price=1,
            actor="x", actor_ref="x",
        )  # fmt: skip
    with django_assert_num_queries({"product": 7, "variant": 9, "pricechange": 5}[model]):
        assert manager_client.get(url(model, "changelist")).status_code == 200


def test_search_and_filters_find_variants(manager_client: Client) -> None:
    product = ProductFactory(name="MacBook Pro", brand="Apple", category="Laptops")
    wanted = VariantFactory(sku="MAC-16", product=product)
    VariantFactory(sku="DELL-1", status="inactive")
    for query in ("?q=mac-16", "?q=macbook", "?q=apple", "?status__exact=active"):
        page = manager_client.get(url("variant", "changelist") + query)
        assert list(page.context["cl"].result_list) == [wanted]


def test_product_is_made_for_the_tenant(manager_client: Client, tenant: Tenant) -> None:
    form = product_form(ProductFactory.build(tenant=tenant, sku="  MAC "), tenant=99)
    assert manager_client.post(url("product", "add"), form).status_code == 302
    product = Product.objects.get()
    assert (product.tenant, product.sku, product.status) == (tenant, "MAC", "active")


def test_sku_is_unique_in_the_tenant_only(manager_client: Client, other_tenant: Tenant) -> None:
    ProductFactory(sku="A", tenant=other_tenant)
    ProductFactory(sku="B")
    add = url("product", "add")
    page = manager_client.post(add, product_form(ProductFactory.build(tenant=None, sku="B")))
    assert page.context["errors"] == [["There is a product of this SKU already."]]
    answer = manager_client.post(add, product_form(ProductFactory.build(tenant=None, sku="A")))
    assert answer.status_code == 302


def test_hidden_characters_are_refused_at_the_field(manager_client: Client) -> None:
    product = ProductFactory()
    page = manager_client.post(
        url("product", "change", product.pk), product_form(product, name="Mac\u200bBook")
    )
    assert page.context["adminform"].form.errors == {
        "name": ["It contains a character that cannot be seen (U+200B)."]
    }


def test_images_are_typed_one_on_each_line(manager_client: Client) -> None:
    variant = VariantFactory()
    typed = " https://example.com/1,2.png\r\n\r\nhttp://example.com/3.png\r\n"
    addresses = ["https://example.com/1,2.png", "http://example.com/3.png"]
    change = url("product", "change", variant.product_id)
    form = product_form(variant.product, images=typed)
    assert manager_client.post(change, form).status_code == 302
    assert save(manager_client, variant, images=typed).status_code == 302
    assert [Product.objects.get().images, Variant.objects.get().images] == [addresses] * 2
    shown = manager_client.get(change).context["adminform"].form["images"].value()
    assert shown.split() == addresses


@pytest.mark.parametrize(
    "typed",
    [
        "ftp://example.com/1.png",
        "example.com/1.png",
        "javascript:alert(1)",
        "https://example.com/\u200b.png",
        "https://example.com/" + "a" * 500,
        "https://example.com/1.png " * 21,
    ],
)
def test_bad_images_are_refused_at_the_field(manager_client: Client, typed: str) -> None:
    product = ProductFactory()
    change = url("product", "change", product.pk)
    page = manager_client.post(change, product_form(product, images=typed))
    assert list(page.context["adminform"].form.errors) == ["images"]
    assert page.context["adminform"].form["images"].value() == typed


def test_discontinuing_deactivates_the_variants(manager_client: Client) -> None:
    variant = VariantFactory()
    answer = manager_client.post(
        url("product", "change", variant.product_id),
        product_form(variant.product, status="discontinued"),
    )
    assert answer.status_code == 302
    variant.refresh_from_db()
    assert (variant.product.status, variant.status) == ("discontinued", "inactive")


def test_product_in_use_is_refused_at_the_field(manager_client: Client) -> None:
    variant = VariantFactory()
    order = make_order(variant.sku)
    page = manager_client.post(
        url("product", "change", variant.product_id),
        product_form(variant.product, status="discontinued", name="Typed"),
    )
    assert page.context["adminform"].form.errors == {
        "status": [f"{variant.product.name} is needed by open orders: {order.public_id}."]
    }
    assert 'value="Typed"' in page.content.decode()
    assert Product.objects.get().status == "active"


def test_variant_in_use_is_refused_at_the_field(manager_client: Client) -> None:
    variant = VariantFactory()
    order = make_order(variant.sku)
    page = save(manager_client, variant, status="inactive")
    assert page.context["adminform"].form.errors == {
        "status": [f"{variant.sku} is needed by open orders: {order.public_id}."]
    }
    variant.refresh_from_db()
    assert variant.status == "active"


def test_variant_of_a_discontinued_product_is_refused_at_the_status(
    manager_client: Client,
) -> None:
    variant = VariantFactory(status="inactive", product__status="discontinued")
    page = save(manager_client, variant, status="active")
    assert page.context["adminform"].form.errors == {
        "status": [f"The product {variant.product.name} is discontinued; make it active first."]
    }
    assert save(manager_client, variant, name="Renamed").status_code == 302
    variant.refresh_from_db()
    assert (variant.status, variant.name) == ("inactive", "Renamed")
    active = VariantFactory()
    assert save(manager_client, active, product=variant.product_id).status_code == 200
    active.refresh_from_db()
    assert active.product_id != variant.product_id


def test_variant_is_made_active_again_and_moved(manager_client: Client) -> None:
    variant, other = VariantFactory(status="inactive"), ProductFactory()
    assert save(manager_client, variant, status="active").status_code == 302
    variant.refresh_from_db()
    assert variant.status == "active"
    assert save(manager_client, variant, product=other.pk).status_code == 302
    variant.refresh_from_db()
    assert variant.product == other


@pytest.mark.parametrize(("kind", "value"), [("percentage", "12.5"), ("fixed", "2.50")])
def test_discount_is_saved(manager_client: Client, kind: str, value: str) -> None:
    variant = VariantFactory(prices={12: "30"})
    row = {"discount_type": kind, "discount_value": value}
    assert save(manager_client, variant, row).status_code == 302
    saved = Price.objects.values_list("discount_type", "discount_value").get()
    assert saved == (kind, Decimal(value))


def test_new_variant_of_a_discontinued_product_is_inactive(manager_client: Client) -> None:
    variant = Variant(product=ProductFactory(status="discontinued"), sku="NEW", name="Silver")
    assert manager_client.post(url("variant", "add"), variant_form(variant)).status_code == 302
    assert Variant.objects.get().status == "inactive"


def test_variant_is_deactivated(manager_client: Client) -> None:
    variant = VariantFactory()
    assert save(manager_client, variant, status="inactive").status_code == 302
    variant.refresh_from_db()
    assert variant.status == "inactive"


def test_variant_is_made_with_prices(manager_client: Client, manager: User) -> None:
    product = ProductFactory()
    variant = Variant(product=product, sku="NEW", name="Silver")
    form = variant_form(variant, {"contract_length": 24, "monthly_price": "9.95"})
    assert manager_client.post(url("variant", "add"), form).status_code == 302
    made = Variant.objects.get()
    assert (made.tenant, made.sku) == (manager.tenant, "NEW")
    assert changes() == [(24, None, Decimal("9.95"))]
    assert PriceChange.objects.get().actor == manager.email


def test_prices_are_changed_added_and_removed(manager_client: Client) -> None:
    variant = VariantFactory(prices={12: "30", 24: "25"})
    answer = save(
        manager_client,
        variant,
        {"monthly_price": "31"},
        {"DELETE": "on"},
        {"contract_length": 36, "monthly_price": "20"},
    )
    assert answer.status_code == 302
    assert dict(variant.prices.values_list("contract_length", "monthly_price")) == {
        12: Decimal(31),
        36: Decimal(20),
    }
    assert sorted(changes(), key=str) == sorted(
        [(12, Decimal(30), Decimal(31)), (24, Decimal(25), None), (36, None, Decimal(20))], key=str
    )


def test_page_that_was_opened_before_undoes_no_change(
    manager_client: Client, tenant: Tenant
) -> None:
    variant = VariantFactory(prices={12: "30", 24: "25"}, images=["https://x.example/1.png"])
    address = url("variant", "change", variant.pk)
    form = shown_form(manager_client.get(address), "variant_form")
    set_price(
        tenant=tenant, actor=SYSTEM, variant=variant, contract_length=12, monthly_price=Decimal(77)
    )
    Variant.objects.update(list_price=1234, name="Other", images=["https://x.example/2.png"])
    PriceChange.objects.all().delete()
    answer = manager_client.post(address, form | {"color": "Blue", "prices-1-monthly_price": "24"})
    assert answer.status_code == 302
    variant.refresh_from_db()
    assert (variant.color, variant.name, variant.list_price) == ("Blue", "Other", 1234)
    assert variant.images == ["https://x.example/2.png"]
    assert changes() == [(24, Decimal(25), Decimal(24))]
    assert Price.objects.get(contract_length=12).monthly_price == 77


def test_row_that_is_changed_keeps_what_others_changed_of_it(manager_client: Client) -> None:
    variant = VariantFactory(prices={12: "30"})
    address = url("variant", "change", variant.pk)
    form = shown_form(manager_client.get(address), "variant_form")
    Price.objects.update(monthly_price=77)
    assert manager_client.post(address, form | {"prices-0-setup_fee": "5"}).status_code == 302
    assert Price.objects.values_list("monthly_price", "setup_fee").get() == (77, 5)


def test_product_that_was_opened_before_undoes_no_change(manager_client: Client) -> None:
    product = ProductFactory(name="Old", specification="8 GB", images=[])
    address = url("product", "change", product.pk)
    form = shown_form(manager_client.get(address), "product_form")
    Product.objects.update(name="New", status="discontinued", images=["https://x.example/2.png"])
    assert manager_client.post(address, form | {"brand": "HP"}).status_code == 302
    product.refresh_from_db()
    assert (product.name, product.brand, product.status) == ("New", "HP", "discontinued")
    assert product.images == ["https://x.example/2.png"]


@pytest.mark.parametrize(
    ("kind", "value", "message"),
    [
        ("percentage", "250", "Enter a percentage from 0 to 100, with 3 decimals at most."),
        ("fixed", "2.505", "EUR has no amounts as fine as this."),
        ("fixed", "-1", RANGE),
    ],
)
def test_discount_that_is_none_is_refused_at_the_field(
    manager_client: Client, tenant: Tenant, kind: str, value: str, message: str
) -> None:
    variant = VariantFactory(prices={12: "30"})
    row = {"discount_type": kind, "discount_value": value}
    page = save(manager_client, variant, row)
    assert page.context["inline_admin_formsets"][0].formset.errors == [
        {"discount_value": [message]}
    ]
    with pytest.raises(DomainError) as refused:
        set_price(
            tenant=tenant,
            actor=SYSTEM,
            variant=variant,
            contract_length=12,
            monthly_price=Decimal(30),
            discount_type=kind,
            discount_value=Decimal(value),
        )
    assert [each.path for each in refused.value.details] == ["discount.value"]


def test_price_moved_to_another_length_leaves_the_first(manager_client: Client) -> None:
    variant = VariantFactory(prices={12: "30"})
    save(manager_client, variant, {"contract_length": 18})
    assert [p.contract_length for p in Price.objects.all()] == [18]
    assert changes() == [(12, Decimal(30), None), (18, None, Decimal(30))]


def test_removed_row_never_removes_another_length(manager_client: Client) -> None:
    variant = VariantFactory(prices={12: "30", 24: "25"})
    save(manager_client, variant, {"contract_length": 24, "DELETE": "on"})
    assert [p.contract_length for p in Price.objects.all()] == [24]


@pytest.mark.parametrize(
    ("row", "field", "message"),
    [
        ({"monthly_price": "1.005"}, "monthly_price", "EUR has no amounts as fine as this."),
        ({"monthly_price": "10000000"}, "monthly_price", RANGE),
        ({"monthly_price": "-1"}, "monthly_price", RANGE),
        ({"monthly_price": "1e99"}, "monthly_price", None),
        ({"monthly_price": "NaN"}, "monthly_price", None),
        ({"contract_length": "121"}, "contract_length", None),
        ({"contract_length": "99999999999999999999"}, "contract_length", None),
        ({"discount_type": "fixed"}, "discount_value",
         "A discount has a type and a value, or neither."),
        ({"setup_fee": "0.001"}, "setup_fee", "EUR has no amounts as fine as this."),
    ],
)  # fmt: skip
def test_bad_price_is_refused_at_its_field(
    manager_client: Client, row: dict[str, Any], field: str, message: str | None
) -> None:
    variant = VariantFactory(prices={12: "30"})
    page = save(manager_client, variant, row)
    assert page.status_code == 200
    errors = page.context["inline_admin_formsets"][0].formset.errors[0]
    assert list(errors) == [field]
    assert message is None or errors[field] == [message]
    assert changes() == []


def test_same_length_twice_is_refused(manager_client: Client) -> None:
    variant = VariantFactory(prices={12: "30"})
    page = save(manager_client, variant, {}, {"contract_length": 12, "monthly_price": "20"})
    assert page.status_code == 200
    assert changes() == []


def test_amounts_are_shown_at_the_decimals_of_the_currency(manager_client: Client) -> None:
    variant = VariantFactory(prices={12: "30"}, list_price="999.9")
    page = manager_client.get(url("variant", "change", variant.pk)).content.decode()
    assert 'value="30.00"' in page
    assert 'value="999.90"' in page


@pytest.mark.parametrize("locale", ["en_GB", "de_DE", "fr_FR"])
@pytest.mark.parametrize(
    ("typed", "read"), [("1,50", "1.5"), ("1.50", "1.5"), (" 1.234,50 ", "1234.5")]
)
def test_amounts_are_typed_with_comma_or_point(
    manager: User, client_of: Callable[[User], Client], locale: str, typed: str, read: str
) -> None:
    User.objects.update(locale=locale)
    variant = VariantFactory(prices={12: "30"})
    price = {"monthly_price": typed, "setup_fee": typed}
    price |= {"discount_type": "fixed", "discount_value": typed}
    answer = save(client_of(manager), variant, price, list_price=typed, acquisition_cost=typed)
    assert answer.status_code == 302
    amount = Decimal(read)
    assert Variant.objects.values_list("list_price", "acquisition_cost").get() == (amount, amount)
    saved = Price.objects.values_list("monthly_price", "setup_fee", "discount_value").get()
    assert saved == (amount, amount, amount)


@pytest.mark.parametrize("typed", ["1,5O", "1,23,4", "12 EUR", "1e3"])
def test_amount_that_is_no_number_is_named_at_its_field_and_stays(
    manager_client: Client, typed: str
) -> None:
    variant = VariantFactory(prices={12: "30"})
    page = save(manager_client, variant, {"monthly_price": typed}, list_price=typed)
    message = "Enter a number, such as 12.50 or 12,50."
    assert page.context["adminform"].form.errors == {"list_price": [message]}
    prices = page.context["inline_admin_formsets"][0].formset
    assert prices.errors == [{"monthly_price": [message]}]
    shown = shown_form(page, "variant_form")
    assert (shown["list_price"], shown["prices-0-monthly_price"]) == (typed, typed)
    assert changes() == []


@pytest.mark.parametrize("locale", ["en_GB", "de_DE"])
@pytest.mark.parametrize("currency", ["EUR", "BHD", "JPY"])
def test_amounts_that_are_shown_are_read_back_as_the_same(
    manager: User, client_of: Callable[[User], Client], tenant: Tenant, locale: str, currency: str
) -> None:
    User.objects.update(locale=locale)
    Tenant.objects.filter(pk=tenant.pk).update(currency=currency)
    discount: Any = {"discount_type": "percentage", "discount_value": Decimal("7.125")}
    variant = VariantFactory(prices={12: "1250"}, list_price="123456", acquisition_cost="0")
    Price.objects.update(setup_fee=1250, **discount)
    client, address = client_of(manager), url("variant", "change", variant.pk)
    form = shown_form(client.get(address), "variant_form")
    page = client.post(address, form | {"sku": ""})
    assert page.context["adminform"].form.changed_data == ["sku"]
    [price] = page.context["inline_admin_formsets"][0].formset.initial_forms
    assert price.changed_data == []
    # Nor do the amounts change on a page that is shown again for something else.
    assert client.post(address, shown_form(page, "variant_form") | {"sku": "B"}).status_code == 302
    assert changes() == []
    variant.refresh_from_db()
    assert (variant.sku, variant.list_price, variant.acquisition_cost) == ("B", 123456, 0)


@pytest.mark.parametrize("model", ["product", "variant"])
def test_nothing_is_deleted(superuser_client: Client, model: str) -> None:
    variant = VariantFactory()
    row = variant if model == "variant" else variant.product
    answer = superuser_client.post(url(model, "delete", row.pk), {"post": "yes"})
    assert answer.status_code == 403
    superuser_client.post(
        url(model, "changelist"),
        {"action": "delete_selected", "_selected_action": row.pk, "post": "yes"},
    )
    assert Variant.objects.count() == Product.objects.count() == 1


@pytest.mark.parametrize("page", ["add", "change", "delete"])
def test_price_changes_are_read_only(superuser_client: Client, page: str) -> None:
    variant = VariantFactory()
    change = PriceChange.objects.create(
        tenant=variant.tenant, variant=variant, contract_length=24, new_price=1,
        actor="x", actor_ref="x",
    )  # fmt: skip
    args = [] if page == "add" else [change.pk]
    answer = superuser_client.post(url("pricechange", page, *args), {"new_price": 2, "post": "yes"})
    assert answer.status_code == 403
    change.refresh_from_db()
    assert change.new_price == 1


def test_price_changes_of_a_variant_are_linked(manager_client: Client) -> None:
    variant, other = VariantFactory(prices={24: "10"}), VariantFactory()
    save(manager_client, variant, {"monthly_price": "11"})
    save(manager_client, other, {"monthly_price": "11"})
    link = f"{url('pricechange', 'changelist')}?variant__id__exact={variant.pk}"
    assert (
        f'href="{link}"'
        in manager_client.get(url("variant", "change", variant.pk)).content.decode()
    )
    found = manager_client.get(link)
    assert [change.variant for change in found.context["cl"].result_list] == [variant]
    assert "€10.00" in found.content.decode()


def test_foreign_rows_are_never_shown(superuser_client: Client, other_tenant: Tenant) -> None:
    variant = VariantFactory(tenant=other_tenant, sku="FOREIGN")
    index = reverse("admin:index")
    for model, row in (("variant", variant), ("product", variant.product)):
        assert superuser_client.get(url(model, "change", row.pk))["Location"] == index
        assert superuser_client.post(url(model, "change", row.pk), {})["Location"] == index
        assert not superuser_client.get(url(model, "changelist")).context["cl"].result_list


def test_variant_of_a_foreign_product_is_refused(
    manager_client: Client, other_tenant: Tenant
) -> None:
    product = ProductFactory(tenant=other_tenant)
    form = variant_form(Variant(product=product, sku="NEW", name="Silver"))
    page = manager_client.post(url("variant", "add"), form)
    assert list(page.context["adminform"].form.errors) == ["product"]
    assert Variant.objects.count() == 0


def test_product_search_of_the_form_stays_in_the_tenant(
    manager_client: Client, other_tenant: Tenant
) -> None:
    ProductFactory(name="MacBook Air")
    ProductFactory(name="MacBook Pro", tenant=other_tenant)
    answer = manager_client.get(
        reverse("admin:autocomplete"),
        {"app_label": "catalog", "model_name": "variant", "field_name": "product", "term": "mac"},
    )
    assert [found["text"] for found in answer.json()["results"]] == ["MacBook Air"]


def test_costs_are_hidden_without_permission(
    manager: User, client_of: Callable[[User], Client]
) -> None:
    manager.groups.clear()
    grant(manager, "catalog.view_variant", "catalog.change_variant", "catalog.view_price")
    variant = VariantFactory(list_price="1234.50", acquisition_cost="1000")
    client = client_of(manager)
    assert "1234.5" not in client.get(url("variant", "change", variant.pk)).content.decode()
    form = variant_form(variant, list_price="1", acquisition_cost="1")
    assert client.post(url("variant", "change", variant.pk), form).status_code == 302
    variant.refresh_from_db()
    assert variant.list_price == Decimal("1234.5")


@pytest.mark.parametrize(
    ("granted", "prices", "typed", "said"),
    [
        ("catalog.add_price", {}, {"contract_length": 24, "monthly_price": "10"}, "change"),
        ("catalog.change_price", {24: "10"}, {"contract_length": 12}, "remove"),
    ],
)
def test_price_that_may_not_be_set_is_refused_in_words(
    manager: User,
    client_of: Callable[[User], Client],
    granted: str,
    prices: dict[int, str],
    typed: dict[str, Any],
    said: str,
) -> None:
    manager.groups.clear()
    grant(manager, "catalog.view_variant", "catalog.change_variant", "catalog.view_price", granted)
    variant = VariantFactory(prices=prices)
    form = variant_form(variant, typed, color="Blue")
    page = client_of(manager).post(url("variant", "change", variant.pk), form)
    assert page.context["adminform"].form.non_field_errors() == [f"You may not {said} prices."]
    assert f"You may not {said} prices." in page.text
    assert 'value="Blue"' in page.text
    variant.refresh_from_db()
    assert (variant.color, list(variant.prices.values_list("contract_length", flat=True))) == (
        "", [*prices],
    )  # fmt: skip


@pytest.mark.parametrize("lookup", ["acquisition_cost__gte", "list_price__lt", "list_price"])
def test_costs_cannot_be_asked_for_without_the_permission(
    manager_client: Client,
    client_of: Callable[[User], Client],
    rep: User,
    lookup: str,
) -> None:
    VariantFactory()
    rep.is_staff = True
    rep.save()
    address = url("variant", "changelist")
    assert client_of(rep).get(address).status_code == 200
    assert client_of(rep).get(address, {lookup: "1"}).status_code == 400
    assert manager_client.get(address, {lookup: "1"}).status_code == 200
