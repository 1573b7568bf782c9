"""Drafts: kept at every change, priced, owned by one, submitted once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from decimal import Decimal
from threading import Barrier

import pytest
from django.db import connection
from django.http import QueryDict
from django_scopes import scope
from pytest_django import DjangoAssertNumQueries

from catalog.models import Variant
from customers.models import Customer
from orders import draft_life, drafts, submitting
from orders.drafts import AlreadySubmitted, Revision, StaleDraft
from orders.models import Draft, Order, OrderEvent
from orders.sheet import Sheet
from orders.typed import Typed, TypedLine
from portal.errors import NotFound, ValidationFailed
from portal.models import Tenant, User
from portal.permissions import Actor
from tests.factories import CustomerFactory, TenantFactory, UserFactory, VariantFactory

FIELDS = {
    "customer-email": "noor@example.com",
    "customer-first_name": "Noor",
    "customer-last_name": "el Idrissi",
    "billing-contact_name": "Noor el Idrissi",
    "billing-street_address": "Coolsingel 93",
    "billing-city": "Rotterdam",
    "billing-country": "Netherlands",
}


def typed(*skus: str, **changes: str) -> Typed:
    lines = [TypedLine(f"l{number}", sku, "1", "24") for number, sku in enumerate(skus)]
    fields = {name.replace("__", "-"): value for name, value in changes.items()}
    return Typed(FIELDS | fields, lines)


def at(sequence: int, tab: str = "a", base: int = 0) -> Revision:
    return Revision(tab, base, sequence)


@pytest.fixture
def draft(tenant: Tenant, rep: User) -> Draft:
    return drafts.open_draft(tenant=tenant, owner=rep)


@pytest.fixture
def save(tenant: Tenant, rep: User, draft: Draft) -> Callable[..., Sheet]:
    def save_draft(form: Typed, revision: Revision) -> Sheet | None:
        return drafts.save(
            tenant=tenant, owner=rep, draft_id=draft.public_id, typed=form, revision=revision
        )

    return save_draft


@pytest.fixture
def submit(tenant: Tenant, rep: User, draft: Draft) -> Callable[..., Order]:
    def submit_draft(form: Typed, revision: Revision) -> Order:
        return submitting.submit_draft(
            tenant=tenant,
            owner=rep,
            actor=Actor.from_user(rep),
            draft_id=draft.public_id,
            typed=form,
            revision=revision,
        )

    return submit_draft


def test_revision_reads_numbers_and_nothing_else() -> None:
    read = Revision.read(QueryDict("tab=x&base=-1&sequence=12"))
    assert read == Revision("x", 0, 12)
    assert Revision.read({"sequence": "9" * 40, "base": "١"}) == Revision("", 0, 2**53)


def test_save_stores_the_newer_change_and_ignores_the_older(
    save: Callable[..., Sheet], draft: Draft
) -> None:
    assert save(typed(notes="second"), at(2)).totals.total == 0
    assert save(typed(notes="first"), at(1)) is None
    assert save(typed(notes="second again"), at(2)) is None
    draft.refresh_from_db()
    assert (draft.sequence, draft.payload["fields"]["notes"]) == (2, "second")


def test_save_prices_every_line_and_says_what_is_wrong(save: Callable[..., Sheet]) -> None:
    good = VariantFactory(prices={12: "30.00", 24: "25.00"}).sku
    lines = [
        TypedLine("a", good, "3", "12"),
        TypedLine("b", good, "two", "24"),
        TypedLine("c", good, "1", "36"),
        TypedLine("d", "GONE", "1", "24"),
        TypedLine("e", good, "10001", "24"),
    ]
    sheet = save(replace(typed(), lines=lines), at(1))
    assert [line.problem for line in sheet.lines] == [
        "",
        "Enter a whole number from 1 to 10,000.",
        f"“{good}” is not offered for 36 months, but for 12, 24.",
        "Choose which one is meant, or remove the line.",
        "Enter a whole number from 1 to 10,000.",
    ]
    assert [line.wrong for line in sheet.lines] == ["", "quantity", "length", "sku", "quantity"]
    assert sheet.totals.total == Decimal("90.00")
    assert sheet.totals.total_devices == 3
    assert sheet.totals.contract_value == Decimal("1080.00")


@pytest.mark.parametrize("lines", [1, 5, 50])
def test_save_takes_the_same_queries_for_any_number_of_lines(
    save: Callable[..., Sheet], django_assert_num_queries: DjangoAssertNumQueries, lines: int
) -> None:
    form = typed(*(VariantFactory().sku for _ in range(lines)))
    # Draft, its order, prices, what the rep may do (a page has asked that already), customer,
    # update; and the savepoint that a test adds.
    with django_assert_num_queries(6 + 2):
        save(form, at(1))


def test_save_asks_who_is_calling_only_when_the_page_is_to_show_them(
    save: Callable[..., Sheet], django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    form = typed(VariantFactory().sku)
    assert save(form, at(1)).card is not None
    more = replace(form, lines=[replace(form.lines[0], quantity="2")])
    with django_assert_num_queries(4 + 2):
        assert save(more, at(2, base=1)).card is None
    other = replace(more, fields={**more.fields, "customer-first_name": "Nora"})
    with django_assert_num_queries(5 + 2):
        assert save(other, at(3, base=2)).card is not None
    # The answer to the third was lost.
    assert save(other, at(4, base=2)).card is not None


def test_save_answers_only_the_lines_that_the_page_does_not_show_yet(
    save: Callable[..., Sheet],
) -> None:
    form = typed(VariantFactory().sku, VariantFactory(sku="B-1").sku)
    assert len(save(form, at(1)).changed) == 2
    more = replace(form, lines=[form.lines[0], replace(form.lines[1], quantity="2")])
    assert [line.typed.id for line in save(more, at(2, base=1)).changed] == ["l1"]
    assert save(more, at(3, base=2)).changed == []
    # The answer to the third was lost: the page still shows what came with the second.
    assert len(save(more, at(4, base=2)).changed) == 2
    Variant.objects.filter(sku="B-1").update(status=Variant.Status.INACTIVE)
    assert [line.typed.id for line in save(more, at(5, base=4)).changed] == ["l1"]


def test_second_tab_takes_over_and_the_first_is_stale(save: Callable[..., Sheet]) -> None:
    save(typed(notes="a"), at(1, "a"))
    save(typed(notes="b"), at(2, "b", base=1))
    with pytest.raises(StaleDraft):
        save(typed(notes="a again"), at(9, "a"))
    assert Draft.objects.get().payload["fields"]["notes"] == "b"


def test_stale_tab_cannot_submit(save: Callable[..., Sheet], submit: Callable[..., Order]) -> None:
    form = typed(VariantFactory().sku)
    save(form, at(5, "b"))
    with pytest.raises(StaleDraft):
        submit(form, at(1, "a"))
    assert Order.objects.count() == 0


def test_draft_is_there_for_its_owner_alone(
    tenant: Tenant, other_tenant: Tenant, draft: Draft
) -> None:
    colleague = UserFactory()
    with pytest.raises(NotFound):
        drafts.load(tenant=tenant, owner=colleague, draft_id=draft.public_id)
    stranger = UserFactory(tenant=other_tenant)
    with scope(tenant=other_tenant), pytest.raises(NotFound):
        drafts.load(tenant=other_tenant, owner=stranger, draft_id=draft.public_id)


def test_load_brings_back_what_was_typed(
    tenant: Tenant, rep: User, draft: Draft, save: Callable[..., Sheet]
) -> None:
    form = typed(VariantFactory().sku, notes="Call back")
    save(form, at(3))
    sheet = drafts.load(tenant=tenant, owner=rep, draft_id=draft.public_id)
    assert sheet.typed.lines == form.lines
    assert sheet.typed.fields["notes"] == "Call back"
    assert sheet.totals.total == Decimal("25.00")


def test_load_fills_an_untouched_draft_with_the_customer(
    tenant: Tenant, rep: User, draft: Draft, save: Callable[..., Sheet]
) -> None:
    known = CustomerFactory(first_name="Bo")
    load = {"tenant": tenant, "owner": rep, "draft_id": draft.public_id}
    sheet = drafts.load(**load, customer_id=known.public_id)
    assert (sheet.card.customer, sheet.typed.fields["customer-first_name"]) == (known, "Bo")
    save(typed(customer__first_name="Cas"), at(1))
    sheet = drafts.load(**load, customer_id=known.public_id)
    assert sheet.typed.fields["customer-first_name"] == "Cas"


def test_customer_is_known_by_email_and_differences_are_told(save: Callable[..., Sheet]) -> None:
    known = CustomerFactory(email="noor@example.com", phone="1", first_name="Nora")
    sheet = save(typed(customer__email=" NOOR@example.com"), at(1))
    assert (sheet.card.customer, sheet.card.is_chosen) == (known, False)
    assert [(each.label, each.record, each.typed) for each in sheet.card.differences] == [
        ("First name", "Nora", "Noor")
    ]


def test_customer_who_was_chosen_may_call_with_another_email(
    save: Callable[..., Sheet], submit: Callable[..., Order]
) -> None:
    known = CustomerFactory(email="old@example.com")
    form = typed(VariantFactory().sku, customer_id=known.public_id)
    assert save(form, at(1)).card.is_chosen
    order = submit(form, at(2))
    assert (order.customer, order.customer_email) == (known, "noor@example.com")
    assert Customer.objects.count() == 1


def test_customer_of_the_typed_email_wins_over_the_chosen_one(save: Callable[..., Sheet]) -> None:
    chosen, owner = CustomerFactory(), CustomerFactory(email="noor@example.com")
    assert save(typed(customer_id=chosen.public_id), at(1)).card.customer == owner


@pytest.mark.parametrize(("choice", "first_name"), [("keep", "Nora"), ("update", "Noor")])
def test_submit_updates_the_record_only_if_asked(
    submit: Callable[..., Order], choice: str, first_name: str
) -> None:
    CustomerFactory(email="noor@example.com", first_name="Nora")
    submit(typed(VariantFactory().sku, customer_record=choice), at(1))
    assert Customer.objects.get().first_name == first_name


def test_submit_makes_one_order_however_often(
    save: Callable[..., Sheet], submit: Callable[..., Order]
) -> None:
    form = typed(VariantFactory().sku)
    order = submit(form, at(1))
    assert submit(form, at(2)) == submit(form, at(1, "other", base=7)) == order
    assert OrderEvent.objects.count() == 1
    with pytest.raises(AlreadySubmitted) as refused:
        save(form, at(3))
    assert refused.value.order == order
    with pytest.raises(AlreadySubmitted) as refused:
        submit(replace(form, fields={**form.fields, "notes": "Typed since"}), at(3))
    assert refused.value.order == order
    assert OrderEvent.objects.count() == 1


def test_submit_with_a_wrong_field_creates_nothing(submit: Callable[..., Order]) -> None:
    with pytest.raises(ValidationFailed) as refused:
        submit(typed(customer__email="nobody"), at(1))
    assert [detail.path for detail in refused.value.details] == ["customer.email", "items"]
    assert (Order.objects.count(), Customer.objects.count()) == (0, 0)


def test_open_reuses_only_an_untouched_draft(
    tenant: Tenant, rep: User, draft: Draft, save: Callable[..., Sheet]
) -> None:
    assert drafts.open_draft(tenant=tenant, owner=rep) == draft
    assert drafts.open_draft(tenant=tenant, owner=UserFactory()) != draft
    save(typed(), at(1))
    assert drafts.open_draft(tenant=tenant, owner=rep) != draft


def test_summaries_tell_customer_devices_and_total(
    rep: User, save: Callable[..., Sheet], django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    sku = VariantFactory().sku
    save(typed(sku, sku, customer__company="Acme"), at(1))
    [summary] = draft_life.summaries(owner=rep)
    assert (summary.customer, summary.devices) == ("Noor el Idrissi, Acme", 2)
    assert (summary.total, summary.currency) == (Decimal("50.00"), "EUR")


@pytest.mark.parametrize("number", [1, 3])
def test_summaries_take_one_query(
    tenant: Tenant, rep: User, django_assert_num_queries: DjangoAssertNumQueries, number: int
) -> None:
    Draft.objects.bulk_create(Draft(tenant=tenant, owner=rep, sequence=1) for _ in range(number))
    with django_assert_num_queries(1):
        assert len(draft_life.summaries(owner=rep)) == number


def test_summaries_leave_out_submitted_and_untouched_drafts(
    tenant: Tenant, rep: User, submit: Callable[..., Order]
) -> None:
    submit(typed(VariantFactory().sku), at(1))
    drafts.open_draft(tenant=tenant, owner=rep)
    assert draft_life.summaries(owner=rep) == []


@pytest.mark.django_db(transaction=True)
def test_two_submits_at_once_end_in_one_order() -> None:
    tenant = TenantFactory()
    with scope(tenant=tenant):
        rep, form = UserFactory(), typed(VariantFactory().sku)
        draft_id = drafts.open_draft(tenant=tenant, owner=rep).public_id
    together = Barrier(2)

    def submit(tab: str) -> str:
        try:
            with scope(tenant=tenant):
                together.wait()
                order = submitting.submit_draft(
                    tenant=tenant,
                    owner=rep,
                    actor=Actor.from_user(rep),
                    draft_id=draft_id,
                    typed=form,
                    revision=at(1, tab),
                )
                return order.public_id
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(submit, ["a", "b"])
    assert first == second
    with scope(tenant=tenant):
        assert Order.objects.count() == Customer.objects.count() == 1
