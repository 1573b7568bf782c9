"""`POST /v1/products/csv`: the catalogue as a file, in a form or as it is."""

from collections.abc import Iterable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalog.imports.reading import MAX_BYTES, REQUIRED
from catalog.models import PriceChange, Product, Variant
from portal.models import ApiKey, IdempotentResponse, Tenant
from tests.api import problems, send
from tests.catalog.csv_files import csv_file, row
from tests.factories import ProductFactory, VariantFactory

PATH = "/v1/products/csv"
CSV = "text/csv"
FORM = "multipart/form-data; boundary=limit"
FILE = csv_file(row(**{"12mo_Price": "5"}))


def post(client: Client, content: bytes, media: str = CSV, **headers: str) -> Any:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.generic("POST", PATH, content, content_type=media, headers=named)


def post_form(client: Client, content: bytes, **headers: str) -> Any:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.post(PATH, {"csvFile": SimpleUploadedFile("a.csv", content)}, headers=named)


def part(name: str, content: bytes = FILE, file: str | None = "a.csv", extra: str = "") -> bytes:
    named = f'; filename="{file}"' if file is not None else ""
    head = f'--limit\r\nContent-Disposition: form-data; name="{name}"{named}\r\n{extra}\r\n'
    return head.encode() + content + b"\r\n"


def form(parts: Iterable[bytes], end: bytes = b"--limit--\r\n") -> bytes:
    return b"".join(parts) + end


GOOD = form([part("csvFile")])


@pytest.mark.parametrize(
    ("content", "media"),
    [
        (FILE, CSV),
        (b"\xef\xbb\xbf" + FILE, "Text/CSV; header=present; charset=UTF-8"),
        (FILE, 'text/csv;charset="utf-8"'),
        (GOOD, FORM),
        (GOOD.replace(b"limit", b"l i m:t"), 'multipart/form-data; boundary="l i m:t"'),
        (GOOD.replace(b"limit", b"LiMiT"), "Multipart/Form-Data; Boundary=LiMiT"),
        (form([part("note", b"x", file=None), part("csvFile")]), FORM),
        (form([part("csvFile", extra="Content-Type: application/vnd.ms-excel\r\n")]), FORM),
    ],
    ids=[
        "plain",
        "plain with BOM",
        "plain, quoted",
        "form",
        "odd boundary",
        "capitals",
        "more",
        "typed",
    ],
)
def test_file_is_imported(api_client: Client, tenant: Tenant, content: bytes, media: str) -> None:
    response = post(api_client, content, media)
    assert response.status_code == 201
    assert response.json() == {
        "success": True,
        "message": "Rows: 1 created, 0 updated, 0 unchanged, 0 refused.",
        "created": 1,
        "updated": 0,
        "unchanged": 0,
        "errors": [],
        "remarks": [],
        "ignoredColumns": [],
    }
    assert Variant.objects.get().sku == "MBP-16-SILVER"


def test_answer_says_what_became_of_each_row(
    api_client: Client, api_key: ApiKey, tenant: Tenant
) -> None:
    gone = ProductFactory(sku="GONE", status="discontinued")
    VariantFactory(sku="OLD", product=gone, status="inactive")
    post(api_client, csv_file(row("A")))
    rows = [row("A"), row("A", Grade="Z"), row("B", Stock="5"), row("OLD", Product_SKU="GONE")]
    answer = post(api_client, csv_file(*rows)).json()
    assert answer == {
        "success": True,
        "message": "Rows: 1 created, 1 updated, 1 unchanged, 1 refused.",
        "created": 1,
        "updated": 1,
        "unchanged": 1,
        "errors": [
            {
                "row": 3,
                "error": "Grade: Choose A, B, C, D or E. Variant SKU: “A” is in row 2 already.",
            }
        ],
        "remarks": [{"row": 5, "remark": "The product is discontinued, and stays so."}],
        "ignoredColumns": ["Stock"],
    }
    assert set(PriceChange.objects.values_list("actor", flat=True)) <= {api_key.public_id}


def test_file_of_bad_rows_only_is_no_success(api_client: Client, tenant: Tenant) -> None:
    response = post(api_client, csv_file(row(List_Price="0")))
    assert (response.status_code, response.json()["success"]) == (201, False)
    assert not Product.objects.exists()


def test_missing_columns_are_named(api_client: Client, tenant: Tenant) -> None:
    response = post(api_client, b"Product Name,Brand\r\nA,B\r\n")
    assert problems(response) == (400, "VALIDATION_ERROR", ["csvFile"] * 6)
    assert [each["message"] for each in response.json()["error"]["details"]] == [
        f"The column “{name}” is missing."
        for name in REQUIRED
        if name not in ("Product Name", "Brand")
    ]


@pytest.mark.parametrize(
    ("content", "media"),
    [
        (b"", CSV),
        (b"", "application/json"),
        (b"", FORM),
        (b"", "multipart/form-data"),
        (b"\xff\xfe", CSV),
        (b'"', CSV),
        (csv_file(), CSV),
        (GOOD, "multipart/form-data"),
        (GOOD, "multipart/form-data; boundary="),
        (GOOD, "multipart/form-data; boundary=other"),
        (GOOD, f"multipart/form-data; boundary={'x' * 300}"),
        (GOOD, "multipart/form-data; boundary=grün"),
        (GOOD[:-30], FORM),
        (form([part("csvFile")], end=b""), FORM),
        (b"--limit--\r\n", FORM),
        (FILE, FORM),
        (form([part("file")]), FORM),
        (form([part("csvFile", file=None)]), FORM),
        (form([part("csvFile", file="")]), FORM),
        (form([part("csvFile", b"x" * 4_000_000, file=None)]), FORM),
        (form([part("csvFile"), part("csvFile")]), FORM),
        (form([part("csvFile"), part("other")]), FORM),
        (form([part("csvFile")] * 101), FORM),
        (form([part("x", b"", file=None)] * 6_000 + [part("csvFile")]), FORM),
        (form([part("csvFile", b"")]), FORM),
        (form([part("csvFile", b"a", extra="Content-Transfer-Encoding: base64\r\n")]), FORM),
        (form([part("csvFile", extra="X: " + "x" * 5_000 + "\r\n")]), FORM),
        (form([part("\0")]), FORM),
        (b"\r\n" * 500_000, FORM),
    ],
    ids=lambda value: "" if isinstance(value, bytes) else None,
)
def test_what_is_no_file_is_refused(
    api_client: Client, tenant: Tenant, content: bytes, media: str
) -> None:
    response = post(api_client, content, media)
    assert problems(response) == (400, "VALIDATION_ERROR", ["csvFile"])
    assert not Product.objects.exists()


@pytest.mark.parametrize(
    "media",
    ["application/json", "text/plain", "text/csv; charset=utf-16", "text/csv; charset=nope",
     "application/x-www-form-urlencoded", "multipart/mixed; boundary=limit", "csv", ""],
)  # fmt: skip
def test_other_media_types_are_refused(api_client: Client, tenant: Tenant, media: str) -> None:
    assert problems(post(api_client, FILE, media)) == (415, "UNSUPPORTED_MEDIA_TYPE", [])


@pytest.mark.parametrize(("more", "status"), [(0, 400), (1, 413), (100_000, 413)])
def test_file_may_have_ten_megabytes(
    api_client: Client, tenant: Tenant, more: int, status: int
) -> None:
    content = b"\n" * (MAX_BYTES + more)
    answers = post(api_client, content), post_form(api_client, content)
    assert [answer.status_code for answer in answers] == [status, status]
    if status == 413:
        assert problems(answers[0]) == (413, "BODY_TOO_LARGE", [])
        assert b"10 MB" in answers[1].content


def test_other_operations_still_take_two_megabytes(api_client: Client, tenant: Tenant) -> None:
    assert send(api_client, "POST", "/products", b" " * (2 * 1024**2 + 1)).status_code == 413


def test_file_in_chunks_is_asked_for_in_one_piece(api_client: Client, tenant: Tenant) -> None:
    response = post(api_client, b"", Transfer_Encoding="chunked")
    assert problems(response) == (400, "VALIDATION_ERROR", ["csvFile"])
    assert b"Content-Length" in response.content


def test_too_many_rows_are_refused(api_client: Client, tenant: Tenant) -> None:
    lines = FILE.splitlines(keepends=True)
    response = post(api_client, lines[0] + lines[1] * 10_001)
    assert problems(response) == (400, "VALIDATION_ERROR", ["csvFile"])


@pytest.mark.parametrize("scopes", [[], ["catalog:read", "orders:write", "costs:read"]])
def test_key_without_the_scope_is_refused(
    api_client: Client, api_key: ApiKey, tenant: Tenant, scopes: list[str]
) -> None:
    api_key.scopes = scopes
    api_key.save()
    assert problems(post(api_client, FILE)) == (403, "INSUFFICIENT_PERMISSIONS", [])
    assert not Product.objects.exists()


def test_scope_to_write_the_catalogue_suffices_and_tells_no_costs(
    api_client: Client, api_key: ApiKey, tenant: Tenant
) -> None:
    VariantFactory(sku="MBP-16-SILVER", list_price=777, product=ProductFactory(sku="MBP-16"))
    api_key.scopes = ["catalog:write"]
    api_key.save()
    response = post(api_client, FILE)
    assert (response.status_code, response.json()["updated"]) == (201, 1)
    assert b"777" not in response.content


def test_only_post_is_allowed(api_client: Client, tenant: Tenant) -> None:
    """Though products are found at such addresses by their ids."""
    for method in ("GET", "PUT", "DELETE"):
        response = send(api_client, method, "/products/csv")
        assert (response.status_code, response["Allow"]) == (405, "POST")


def test_document_has_both_media_types_and_the_columns(client: Client) -> None:
    document = client.get("/v1/openapi.json").json()
    content = document["paths"][PATH]["post"]["requestBody"]["content"]
    assert set(content) == {"multipart/form-data", "text/csv"}
    for media in content.values():
        required = [each["name"] for each in media["x-csv-columns"] if each["required"]]
        assert required == list(REQUIRED)
        assert len(media["x-csv-columns"]) == 14


def test_example_of_the_document_is_imported(api_client: Client, tenant: Tenant) -> None:
    document = api_client.get("/v1/openapi.json").json()
    content = document["paths"][PATH]["post"]["requestBody"]["content"]
    answer = post(api_client, content["text/csv"]["example"].encode()).json()
    assert (answer["created"], answer["errors"]) == (1, [])


# Retries


def test_same_file_is_the_same_request_in_whatever_form(api_client: Client, tenant: Tenant) -> None:
    first = post_form(api_client, FILE, Idempotency_Key="k")
    again = [
        post(api_client, GOOD, FORM, Idempotency_Key="k"),
        post(api_client, FILE, Idempotency_Key="k"),
    ]
    assert {answer.content for answer in again} == {first.content}
    assert [answer["Idempotent-Replayed"] for answer in again] == ["true", "true"]
    assert PriceChange.objects.count() == 1


def test_key_of_another_file_is_refused(api_client: Client, tenant: Tenant) -> None:
    post(api_client, FILE, Idempotency_Key="k")
    response = post(api_client, csv_file(row("B")), Idempotency_Key="k")
    assert problems(response) == (422, "IDEMPOTENCY_KEY_REUSED", [])
    assert Variant.objects.count() == 1


def test_refused_file_leaves_the_key_free(api_client: Client, tenant: Tenant) -> None:
    assert post(api_client, csv_file(), Idempotency_Key="k").status_code == 400
    assert not IdempotentResponse.objects.exists()
    assert post(api_client, FILE, Idempotency_Key="k").status_code == 201


@pytest.mark.parametrize("key", ["", "a b", "é", "x" * 256])
def test_key_that_is_none_is_refused(api_client: Client, tenant: Tenant, key: str) -> None:
    response = post(api_client, FILE, Idempotency_Key=key)
    assert problems(response) == (400, "VALIDATION_ERROR", ["Idempotency-Key"])
    assert not Product.objects.exists()


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_file_is_our_failure(api_client: Client, tenant: Tenant, data: st.DataObject) -> None:
    """Bytes, and files of ours with other bytes in them, in a form and as they are."""
    header = csv_file(row(**{"12mo_Price": "", "Grade": "", "Color": ""})).splitlines()[0]
    noise = st.one_of(
        st.binary(max_size=30),
        st.text("\0\n\r\",;\t='-+ \u200b\ufeffé1", max_size=20).map(str.encode),
    )
    cells = st.lists(noise | st.sampled_from(list(row().values())).map(str.encode), max_size=13)
    body = st.lists(cells.map(b",".join), max_size=4).map(b"\r\n".join)
    content = data.draw(st.one_of(noise, body.map(lambda lines: header + b"\r\n" + lines)))
    framed = data.draw(st.sampled_from([content, form([part("csvFile", content)]), content + GOOD]))
    media = data.draw(st.sampled_from([CSV, FORM]))
    response = post(api_client, framed, media)
    assert response.status_code in (201, 400), response.content
