"""Lines from what a rep types or pastes."""

import json
import re
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from catalog.models import Variant
from orders import drafts
from orders.composer import MAX_TEXT
from orders.models import MAX_LINES, Draft, Order
from portal.models import Tenant, User
from tests.factories import ProductFactory, VariantFactory
from tests.orders.test_new_order import page, typed

LINE = "/orders/new/line/"


@pytest.fixture(autouse=True)
def catalogue(tenant: Tenant) -> None:
    Tenant.objects.update(default_contract_length=24)
    macbook = ProductFactory(name="MacBook Pro 16″", sku="MBP")
    VariantFactory(product=macbook, sku="MBP-16", name="36 GB")
    VariantFactory(product=macbook, sku="MBP-16-B", name="18 GB")
    ipad = ProductFactory(name="iPad Pro 12.9″", sku="IPAD")
    VariantFactory(product=ipad, sku="IPAD-PRO")
    VariantFactory(sku="OFF-1", status=Variant.Status.INACTIVE)
    VariantFactory(sku="FREE-1", prices={})


@pytest.fixture
def draft(tenant: Tenant, rep: User) -> Draft:
    return drafts.open_draft(tenant=tenant, owner=rep)


def add(client: Client, **query: str) -> tuple[list[tuple[str, str, str]], str, str]:
    """The SKU, quantity and length of each line that is added, the status, what comes back."""
    response = client.post(LINE, query)
    assert response.status_code == 200
    lines = [line.typed for line in response.context["composed"].lines]
    html = response.content.decode()
    assert html.count('<li class="line"') == len(lines)
    [status] = re.findall(r'<p id="search-status" hx-swap-oob="innerHTML">(.*)</p>', html)
    returned = json.loads(response.get("HX-Trigger", '{"filled": {"value": ""}}'))
    return (
        [(line.quantity, line.sku, line.contract_length) for line in lines],
        status,
        returned["filled"]["value"],
    )


@pytest.mark.parametrize(
    ("query", "line"),
    [
        ({"sku": "MBP-16"}, ("1", "MBP-16", "")),
        ({"sku": "MBP-16", "quantity": "5", "length": "36"}, ("5", "MBP-16", "36")),
        ({"sku": "MBP-16", "quantity": "0", "length": "13"}, ("0", "MBP-16", "13")),
        ({"sku": "MBP-16", "quantity": "1,000"}, ("1000", "MBP-16", "")),
        ({"sku": "MBP-16", "quantity": "x"}, ("x", "MBP-16", "")),
        ({"q": "MBP-16-B"}, ("1", "MBP-16-B", "")),
        ({"q": "mbp16"}, ("1", "MBP-16", "")),
        ({"q": "5 mbp16 36"}, ("5", "MBP-16", "36")),
        ({"q": "3 ipad 12"}, ("3", "IPAD-PRO", "")),
        ({"q": "20000 macbok"}, ("20000", "MBP-16", "")),
    ],
)
def test_line_of_one_part_is_the_first_match(
    rep_client: Client, query: dict[str, str], line: tuple[str, str, str]
) -> None:
    lines, status, unfound = add(rep_client, **query)
    assert lines == [line]
    assert status.endswith(" is added.")
    assert unfound == ""


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ({"q": "20000 ipad"}, "Enter a whole number from 1 to 10,000."),
        ({"q": "0 ipad"}, "Enter a whole number from 1 to 10,000."),
        ({"q": "5 ipad 25 months"}, "“IPAD-PRO” is not offered for 25 months, but for 12, 24, 36."),
    ],
)
def test_line_names_what_cannot_be_and_keeps_it(
    rep_client: Client, query: dict[str, str], problem: str
) -> None:
    [line] = rep_client.post(LINE, query).context["composed"].lines
    assert line.problem == problem


@pytest.mark.parametrize("text", ["MBP;16", " MBP;16 "])
def test_sku_with_a_semicolon_is_one_line(rep_client: Client, text: str) -> None:
    VariantFactory(sku="MBP;16")
    lines, _, _ = add(rep_client, q=text)
    assert lines == [("1", "MBP;16", "")]
    assert rep_client.get("/catalog/search/", {"q": text}).context["match"].options
    lines, _, _ = add(rep_client, q="MBP;16;ipad")
    assert len(lines) > 1


@pytest.mark.parametrize("query", [{"q": "nothing"}, {"q": "OFF-1"}, {"q": "free-1"}])
def test_text_that_matches_nothing_comes_back(rep_client: Client, query: dict[str, str]) -> None:
    lines, status, unfound = add(rep_client, **query)
    assert lines == []
    assert status == f"Nothing that can be rented matches “{query['q']}”."
    assert unfound == query["q"]


@pytest.mark.parametrize("sku", ["GONE", "FREE-1", "\0", "x" * 5000])
def test_sku_that_cannot_be_ordered_is_only_a_sentence(rep_client: Client, sku: str) -> None:
    lines, status, unfound = add(rep_client, sku=sku)
    assert (lines, unfound) == ([], "")
    assert status.startswith("Nothing that can be rented matches “")


def test_several_parts_become_lines_choices_and_text(rep_client: Client) -> None:
    lines, status, unfound = add(rep_client, q="5 mbp16 24; 2 macbook 12; ipad; foo 7; 2 bar")
    assert lines == [
        ("5", "MBP-16", "24"),
        ("2", "macbook", "12"),
        ("1", "IPAD-PRO", ""),
    ]
    assert status == (
        "3 lines are added. Choose what “macbook” means. "
        "Nothing that can be rented matches “foo 7” or “2 bar”."
    )
    assert unfound == "foo 7; 2 bar"


def test_pasted_rows_become_lines(rep_client: Client) -> None:
    rows = (
        "Product\tQuantity\tMonths\tPrice\niPad Pro\t3\t12\t€30.00\nMBP-16-B\t\t\t\nfoo\t2\t24\t1"
    )
    lines, status, unfound = add(rep_client, q=rows)
    assert lines == [("3", "IPAD-PRO", "12"), ("1", "MBP-16-B", "")]
    assert status == ("2 lines are added. Nothing that can be rented matches “2 foo 24 months”.")
    assert unfound == "2 foo 24 months"


def test_choice_says_what_each_one_costs(rep_client: Client) -> None:
    html = rep_client.post(LINE, {"q": "2 macbook 12; ipad"}).content.decode()
    html = " ".join(html.split())
    assert html.count("data-choose") == 2
    assert 'data-sku="MBP-16-B" data-quantity="2" data-length="12"' in html
    assert "12 months · <strong>€60.00</strong> per month" in html
    assert 'aria-label="Which “macbook” is meant?"' in html


def test_choice_of_both_readings_is_left_open(rep_client: Client) -> None:
    VariantFactory(product=ProductFactory(name="iPad Air", sku="AIR"), sku="IPAD-AIR")
    lines, _, _ = add(rep_client, q="3 ipad 12; MBP-16")
    assert lines[0] == ("3", "ipad 12", "")


def test_text_that_no_header_could_hold_becomes_lines(rep_client: Client) -> None:
    lines, status, unfound = add(rep_client, q=";".join(f"ünknown{n}" for n in range(MAX_LINES)))
    assert len(json.dumps(unfound)) <= 2000
    assert len(lines) + len(unfound.split("; ")) == MAX_LINES
    assert status.endswith("“ünknown4” or 195 more.")


@pytest.mark.parametrize("text", ["ipad;" * (MAX_LINES + 1), "x" * (MAX_TEXT + 1)])
def test_more_than_can_be_added_is_refused(rep_client: Client, text: str) -> None:
    lines, status, unfound = add(rep_client, q=text)
    assert (lines, unfound) == ([], "")
    assert status == "At most 200 lines can be added in one go. None was added."


@pytest.mark.parametrize("text", ["", ";", "\t\n", "\0", "'", "%", "\ud7ff", "5 " * 9000])
def test_any_text_is_answered(rep_client: Client, text: str) -> None:
    assert rep_client.post(LINE, {"q": text}).status_code == 200


def open_line(sku: str, quantity: str, length: str) -> dict[str, Any]:
    return typed(sku) | {"line-l0-quantity": quantity, "line-l0-length": length}


def test_choice_is_still_offered_after_a_reload(rep_client: Client, draft: Draft) -> None:
    rep_client.post(f"{page(draft)}save/", open_line("mbp16", "2", "12"))
    html = " ".join(rep_client.get(page(draft)).content.decode().split())
    assert html.count("data-choose") == 2
    assert 'data-sku="MBP-16" data-quantity="2" data-length="12"' in html
    assert "Choose which one is meant, or remove the line." in html


def test_line_that_nothing_matches_any_more_says_so(rep_client: Client, draft: Draft) -> None:
    rep_client.post(f"{page(draft)}save/", open_line("nothing", "2", "12"))
    html = rep_client.get(page(draft)).content.decode()
    assert "data-choose" not in html
    assert "Nothing that can be rented matches it." in html


def test_submit_with_an_open_choice_points_to_it(rep_client: Client, draft: Draft) -> None:
    response = rep_client.post(page(draft), open_line("mbp16", "2", "12"))
    assert response.status_code == 422
    [problem] = response.context["form"].problems
    assert (problem.name, problem.message) == (
        "line-l0-sku",
        "Choose which one is meant, or remove the line.",
    )
    assert response.content.decode().count("data-choose") == 2
    assert Order.objects.count() == 0


@pytest.mark.parametrize("lines", [1, 5])
def test_page_with_open_choices_takes_three_queries_more_at_most(
    rep_client: Client,
    draft: Draft,
    django_assert_num_queries: DjangoAssertNumQueries,
    lines: int,
) -> None:
    rep_client.post(f"{page(draft)}save/", typed(*(f"macbok {n}" for n in range(lines))))
    with django_assert_num_queries(9 + (2 if lines == 1 else 3)):
        assert rep_client.get(page(draft)).status_code == 200


@pytest.mark.parametrize(("parts", "queries"), [(20, 3), (200, 3)])
def test_lines_take_the_same_queries_for_any_number_of_parts(
    rep_client: Client, django_assert_num_queries: DjangoAssertNumQueries, parts: int, queries: int
) -> None:
    # Session, user, permissions; SKUs, words, prices.
    with django_assert_num_queries(3 + queries):
        rep_client.post(LINE, {"q": ";".join(["mbp16"] * parts)})
