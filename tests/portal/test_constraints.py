"""Every named constraint of every model, broken in the database."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.apps import apps
from django.db import IntegrityError, connection, models, transaction
from django.db.models import F
from django.utils import timezone
from django_scopes import scope

from catalog.models import (
    CatalogImport,
    Price,
    PriceChange,
    Product,
    SearchEntry,
    SearchRefresh,
    SearchWord,
    Variant,
)
from customers.models import Customer
from customers.models import SearchEntry as CustomerEntry
from customers.models import SearchWord as CustomerWord
from orders.models import CustomField, Draft, Export, Notice, Order, OrderEvent, OrderItem
from portal.constraints import TenantForeignKey
from portal.models import ApiKey, IdempotentResponse, OutboxMail, Tenant, User
from tests import factories as make

APPS = ("portal", "catalog", "customers", "orders")
MODELS = [model for app in APPS for model in apps.get_app_config(app).get_models()]


def price_change() -> PriceChange:
    return PriceChange.objects.create(
        tenant=make.open_tenant(),
        variant=make.VariantFactory(),
        contract_length=24,
        old_price=1,
        new_price=2,
        actor_ref="system:test",
        actor="test",
    )


def idempotent_response() -> IdempotentResponse:
    key = make.ApiKeyFactory()
    return IdempotentResponse.objects.create(
        tenant=key.tenant, api_key=key, key=key.public_id, fingerprint="0"
    )


def second_item() -> OrderItem:
    skus = make.VariantFactory().sku, make.VariantFactory().sku
    item: OrderItem = make.make_order(*skus).items.get(position=1)
    return item


def a_word(model: type[models.Model], owner: Callable[[], Any]) -> Any:
    """One of those that came with whatever has it."""
    owner()
    return model._default_manager.earliest("pk")


MAKE: dict[type[models.Model], Callable[[], Any]] = {
    Tenant: make.TenantFactory,
    User: make.UserFactory,
    ApiKey: make.ApiKeyFactory,
    IdempotentResponse: idempotent_response,
    OutboxMail: make.OutboxMailFactory,
    Product: make.ProductFactory,
    Variant: lambda: make.VariantFactory(prices={}),
    SearchEntry: lambda: SearchEntry.objects.get(variant=make.VariantFactory(prices={})),
    SearchWord: lambda: a_word(SearchWord, make.VariantFactory),
    SearchRefresh: lambda: SearchRefresh.objects.create(tenant=make.open_tenant(), began_at=NOW),
    Price: make.PriceFactory,
    PriceChange: price_change,
    CatalogImport: make.CatalogImportFactory,
    Customer: make.CustomerFactory,
    CustomerEntry: lambda: CustomerEntry.objects.get(customer=make.CustomerFactory()),
    CustomerWord: lambda: a_word(CustomerWord, make.CustomerFactory),
    Draft: lambda: make.DraftFactory(edits=make.make_order(), edits_version=1),
    Order: lambda: make.make_order(draft=make.DraftFactory()),
    OrderItem: second_item,
    OrderEvent: lambda: make.make_order().events.get(),
    Notice: make.NoticeFactory,
    CustomField: make.CustomFieldFactory,
    Export: make.ExportFactory,
}
NOW = timezone.now()
CONFIRMED = {"confirmed_at": NOW, "confirmed_by": "a@b.nl", "confirmed_by_ref": "user:1"}
CANCELLED = {"cancelled_at": NOW, "cancelled_by": "a@b.nl", "cancelled_by_ref": "user:1"}

# Check constraint, and changes of a valid row that break it and no other.
CHECKS: list[tuple[str, dict[str, Any]]] = [
    ("tenant_currency_code", {"currency": "eur"}),
    ("tenant_currency_code", {"currency": "EU"}),
    ("tenant_vat_rate_percent", {"vat_rate": -1}),
    ("tenant_vat_rate_percent", {"vat_rate": "100.001"}),
    ("tenant_default_contract_length_months", {"default_contract_length": 0}),
    ("tenant_default_contract_length_months", {"default_contract_length": 121}),
    ("tenant_confirm_limit_not_negative", {"confirm_limit": "-0.01"}),
    ("tenant_first_order_limit_positive", {"first_order_limit": 0}),
    ("tenant_lowest_price_share_percent", {"lowest_price_share": "-0.001"}),
    ("tenant_lowest_price_share_percent", {"lowest_price_share": "100.001"}),
    ("user_email_lower_case", {"email": "Noor@example.com"}),
    ("api_key_secret_hash_sha256", {"secret_hash": "secret"}),
    ("api_key_previous_secret_expires", {"previous_secret_hash": "0" * 64}),
    ("api_key_previous_secret_expires", {"previous_expires_at": NOW}),
    (
        "api_key_previous_secret_expires",
        {"previous_secret_hash": "secret", "previous_expires_at": NOW},
    ),
    ("api_key_rate_limit_range", {"rate_limit": 0}),
    ("api_key_rate_limit_range", {"rate_limit": 1_000_001}),
    ("api_key_rotated_by_someone", {"rotated_at": NOW}),
    ("api_key_rotated_by_someone", {"rotated_by": "a@b.nl"}),
    ("api_key_revoked_by_someone", {"revoked_at": NOW}),
    ("api_key_revoked_by_someone", {"revoked_by": "a@b.nl"}),
    ("outbox_mail_addressed", {"recipient": ""}),
    ("outbox_mail_addressed", {"key": ""}),
    ("outbox_mail_subject_one_line", {"subject": ""}),
    ("outbox_mail_subject_one_line", {"subject": "Hello\nBcc: all@example.com"}),
    ("outbox_mail_subject_one_line", {"subject": "Hello\r"}),
    ("outbox_mail_sent_once", {"sent_at": NOW}),
    ("outbox_mail_due_until_tried", {"next_attempt_at": None}),
    ("product_sku_trimmed", {"sku": " A"}),
    ("product_sku_trimmed", {"sku": "A\n"}),
    ("product_sku_trimmed", {"sku": ""}),
    ("product_name_not_blank", {"name": ""}),
    ("product_status_known", {"status": "gone"}),
    ("product_images_number", {"images": ["https://example.com/1.png"] * 21}),
    ("variant_images_number", {"images": ["https://example.com/1.png"] * 21}),
    ("variant_sku_trimmed", {"sku": "A "}),
    ("variant_sku_trimmed", {"sku": ""}),
    ("variant_status_known", {"status": "gone"}),
    ("variant_list_price_range", {"list_price": "-0.01"}),
    ("variant_list_price_range", {"list_price": "10000000"}),
    ("variant_acquisition_cost_range", {"acquisition_cost": "-0.01"}),
    ("variant_acquisition_cost_range", {"acquisition_cost": "10000000"}),
    ("price_contract_length_months", {"contract_length": 0}),
    ("price_contract_length_months", {"contract_length": 121}),
    ("price_monthly_price_range", {"monthly_price": "-0.01"}),
    ("price_monthly_price_range", {"monthly_price": "10000000"}),
    ("price_setup_fee_not_negative", {"setup_fee": -1}),
    ("price_discount_complete", {"discount_type": "fixed"}),
    ("price_discount_complete", {"discount_value": 5}),
    ("price_discount_complete", {"discount_description": "Autumn"}),
    ("price_discount_complete", {"discount_type": "gift", "discount_value": 5}),
    ("price_discount_complete", {"discount_type": "fixed", "discount_value": -5}),
    ("price_source_known", {"source": "guessed"}),
    ("price_change_changes", {"new_price": 1}),
    ("search_entry_tier_known", {"tier": 3}),
    ("search_entry_place_of_most_ordered", {"tier": 0}),
    ("search_entry_place_of_most_ordered", {"place": 1}),
    ("price_change_changes", {"old_price": None, "new_price": None}),
    ("import_status_known", {"status": "lost"}),
    ("import_asked_by_someone", {"asked_by_ref": ""}),
    ("import_asked_by_someone", {"asked_by": ""}),
    ("import_finished_with_result", {"status": "finished"}),
    ("import_finished_with_result", {"result": {}}),
    ("import_failed_with_problem", {"status": "failed"}),
    ("import_failed_with_problem", {"problem": "Something went wrong."}),
    ("customer_email_key_normal", {"email_key": "Noor@example.com"}),
    ("customer_email_key_normal", {"email_key": "noor"}),
    ("customer_name_not_blank", {"first_name": ""}),
    ("customer_name_not_blank", {"last_name": ""}),
    ("customer_type_known", {"customer_type": "robot"}),
    ("customer_status_known", {"status": "gone"}),
    ("draft_handed_by_a_colleague", {"handed_at": NOW}),
    ("draft_handed_by_a_colleague", {"handed_by": F("owner"), "handed_at": NOW}),
    ("draft_quoted_to_somebody", {"quoted_to": "noor@example.com"}),
    ("draft_quoted_to_somebody", {"quoted_at": NOW, "quoted_until": NOW}),
    ("draft_quoted_to_somebody", {"quoted_to": "noor@example.com", "quoted_at": NOW}),
    ("draft_edits_a_version", {"edits_version": None}),
    ("draft_edits_a_version", {"edits": None}),
    ("draft_edits_a_version", {"edits": None, "edits_version": None, "applied_at": NOW}),
    ("order_status_known", {"status": "lost"}),
    ("order_awaiting_known", {"awaiting": "nobody"}),
    ("order_awaiting_rep_is_pending", {"awaiting": "rep", "status": "confirmed", **CONFIRMED}),
    ("order_type_known", {"order_type": "gift"}),
    ("order_source_known", {"source": "fax"}),
    ("order_version_positive", {"version": 0}),
    ("order_rep_named", {"rep": ""}),
    ("order_rep_named", {"rep_ref": ""}),
    ("order_risk_has_reasons", {"reasons": {}}),
    ("order_risk_has_reasons", {"risk": 0}),
    ("order_currency_code", {"currency": "eur"}),
    ("order_customer_names_not_blank", {"customer_first_name": ""}),
    ("order_customer_names_not_blank", {"customer_last_name": ""}),
    ("order_customer_type_known", {"customer_type": "robot"}),
    ("order_billing_address_complete", {"billing_address": {"city": "Rotterdam"}}),
    ("order_shipping_address_complete", {"shipping_address": {}}),
    ("order_vat_rate_percent", {"vat_rate": "100.001"}),
    ("order_amounts_not_negative", {"subtotal": -1, "total": -1}),
    ("order_amounts_not_negative", {"contract_value": -1}),
    ("order_total_adds_up", {"total": 1}),
    ("order_total_adds_up", {"tax_amount": 1}),
    ("order_total_adds_up", {"prices_include_vat": True, "tax_amount": 1, "total": 51}),
    ("order_has_devices", {"total_devices": 0}),
    ("order_status_follows_devices", {"rented_devices": 1}),
    ("order_status_follows_devices", {"status": "partial", **CONFIRMED}),
    ("order_status_follows_devices", {"status": "partial", "rented_devices": 2, **CONFIRMED}),
    ("order_status_follows_devices", {"status": "fulfilled", "rented_devices": 1, **CONFIRMED}),
    ("order_notes_length", {"notes": "a" * 5001}),
    ("order_confirmed_by_someone", {"status": "confirmed", "confirmed_at": NOW}),
    ("order_confirmed_by_someone", {"confirmed_by": "a@b.nl"}),
    ("order_confirmed_when_confirmed", {"status": "confirmed"}),
    ("order_confirmed_when_confirmed", CONFIRMED),
    ("order_cancelled_by_someone", {"status": "cancelled"}),
    ("order_cancelled_by_someone", {"status": "cancelled", "cancelled_at": NOW}),
    ("order_cancelled_by_someone", CANCELLED),
    ("item_sku_and_name_not_blank", {"sku": ""}),
    ("item_sku_and_name_not_blank", {"product_name": ""}),
    ("item_quantity_range", {"quantity": 0}),
    ("item_quantity_range", {"quantity": 10_001}),
    ("item_contract_length_months", {"contract_length": 0}),
    ("item_contract_length_months", {"contract_length": 121}),
    ("item_unit_price_range", {"unit_price": -1}),
    ("item_unit_price_range", {"unit_price": "10000000"}),
    ("item_catalogue_price_range", {"catalogue_price": -1}),
    ("item_catalogue_price_range", {"catalogue_price": "10000000"}),
    ("item_list_price_sourced", {"list_price": 5}),
    ("item_list_price_sourced", {"list_price_source": "variant"}),
    ("item_list_price_sourced", {"list_price": -5, "list_price_source": "manual"}),
    ("item_acquisition_cost_sourced", {"acquisition_cost": 5}),
    ("item_acquisition_cost_sourced", {"acquisition_cost_source": "variant"}),
    ("item_overridden_by_someone_with_reason", {"override_reason": "A regular"}),
    ("item_overridden_by_someone_with_reason", {"overridden_at": NOW, "overridden_by": "a@b.nl"}),
    ("item_rented_at_most_all", {"rented_devices": 2}),
    ("event_kind_known", {"kind": "forgotten"}),
    ("event_actor_named", {"actor": ""}),
    ("event_actor_named", {"actor_ref": ""}),
    ("custom_field_key_no_spaces", {"key": "cost centre"}),
    ("custom_field_type_known", {"type": "colour"}),
    ("custom_field_select_has_options", {"type": "select"}),
    ("export_door_known", {"door": "window"}),
    ("export_status_known", {"status": "lost"}),
]

# What a reference needs beside it, so that nothing else is wrong with the row.
BESIDE = {"draft_handed_by_of_tenant": {"handed_at": NOW}}


def constraints(kind: type) -> Iterator[tuple[type[models.Model], Any]]:
    for model in MODELS:
        for constraint in model._meta.constraints:
            if isinstance(constraint, kind):
                yield model, constraint


def write(row: models.Model, changes: dict[str, Any]) -> None:
    """Writes the changes past every check but the database's. Events can only be added."""
    if isinstance(row, OrderEvent):
        changed = OrderEvent(**{f.attname: getattr(row, f.attname) for f in row._meta.fields[1:]})
        for name, value in changes.items():
            setattr(changed, name, value)
        OrderEvent.objects.bulk_create([changed])
    else:
        type(row)._base_manager.filter(pk=row.pk).update(**changes)


def violated(row: models.Model, changes: dict[str, Any]) -> str:
    """The name of the constraint that refuses the changes."""
    with pytest.raises(IntegrityError) as refused, transaction.atomic():
        write(row, changes)
    name: str = refused.value.__cause__.diag.constraint_name
    return name


CHECKED = {constraint.name: model for model, constraint in constraints(models.CheckConstraint)}
UNIQUE = [
    pytest.param(model, constraint.fields, id=constraint.name)
    for model, constraint in constraints(models.UniqueConstraint)
    # (tenant, id) says no more than the primary key: it is what foreign keys refer to.
    if constraint.fields != ("tenant", "id")
]
FOREIGN = [
    pytest.param(model, constraint, id=constraint.name)
    for model, constraint in constraints(TenantForeignKey)
]


def test_every_check_constraint_has_a_case() -> None:
    assert {name for name, _ in CHECKS} == set(CHECKED)


@pytest.mark.parametrize(("name", "changes"), CHECKS)
def test_check_constraint_refuses(tenant: Tenant, name: str, changes: dict[str, Any]) -> None:
    assert violated(MAKE[CHECKED[name]](), changes) == name


@pytest.mark.parametrize(("model", "fields"), UNIQUE)
def test_unique_constraint_refuses(
    request: pytest.FixtureRequest, tenant: Tenant, model: type[models.Model], fields: list[str]
) -> None:
    first, second = MAKE[model](), MAKE[model]()
    name = request.node.callspec.id
    assert violated(second, {field: getattr(first, field) for field in fields}) == name


@pytest.mark.parametrize(("model", "constraint"), FOREIGN)
def test_reference_into_another_tenant_is_refused(
    tenant: Tenant, other_tenant: Tenant, model: type[models.Model], constraint: Any
) -> None:
    with scope(tenant=other_tenant):
        foreign = MAKE[apps.get_model(constraint.to)]()
        if model._meta.get_field(constraint.field).primary_key:
            model._base_manager.filter(pk=foreign.pk).delete()  # It has a row of its own.
    changes = {f"{constraint.field}_id": foreign.pk, **BESIDE.get(constraint.name, {})}
    assert violated(MAKE[model](), changes) == constraint.name


def test_reference_can_be_removed_and_added_again(tenant: Tenant, other_tenant: Tenant) -> None:
    variant, foreign = make.VariantFactory(), make.ProductFactory(tenant=other_tenant)
    constraint = TenantForeignKey(
        name="variant_product_of_tenant", field="product", to="catalog.Product"
    )
    assert constraint in Variant._meta.constraints
    assert constraint != models.UniqueConstraint(name=constraint.name, fields=["product"])
    connection.check_constraints()
    with connection.schema_editor() as editor:
        editor.remove_constraint(Variant, constraint)
    with transaction.atomic():
        write(variant, {"product_id": foreign.pk})
        transaction.set_rollback(True)
    with connection.schema_editor() as editor:
        editor.add_constraint(Variant, constraint)
    assert violated(variant, {"product_id": foreign.pk}) == constraint.name


def test_every_reference_between_tenant_tables_includes_the_tenant() -> None:
    tables = [m for m in MODELS if any(f.name == "tenant" for f in m._meta.fields)]
    references = {
        (model._meta.label, field.name)
        for model in tables
        for field in model._meta.fields
        if field.is_relation and field.related_model in tables
    }
    held = {(model._meta.label, c.field) for model, c in constraints(TenantForeignKey)}
    assert held == references


@pytest.mark.parametrize(
    "sql", ["UPDATE orders_orderevent SET reason = 'x'", "DELETE FROM orders_orderevent"]
)
def test_event_cannot_be_changed_or_deleted(tenant: Tenant, sql: str) -> None:
    make.make_order()
    with pytest.raises(IntegrityError) as refused, connection.cursor() as cursor:
        cursor.execute(sql)
    assert refused.value.__cause__.diag.constraint_name == "event_append_only"


def test_draft_has_one_order_at_most(tenant: Tenant) -> None:
    draft = make.DraftFactory()
    make.make_order(draft=draft)
    assert violated(make.make_order(), {"draft": draft}) == "orders_order_draft_id_key"
