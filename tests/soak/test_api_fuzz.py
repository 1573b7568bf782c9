"""Requests that schemathesis makes up from the OpenAPI document: `make soak`."""

import os
import subprocess
import sysconfig
from pathlib import Path

import pytest
from pytest_django.live_server_helper import LiveServer

from portal.models import ApiKey, Tenant
from tests.factories import VariantFactory

pytestmark = [pytest.mark.soak, pytest.mark.django_db(transaction=True)]

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "1000"))
SCHEMATHESIS = Path(sysconfig.get_path("scripts")) / "schemathesis"
NOT_MEANT = {
    # Of the right shape, and refused all the same: by the catalogue, by the state of the order.
    "positive_data_acceptance",
    # What is deleted is discontinued, or inactive, and can be read still: the contract's way.
    "use_after_free",
}


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_answers_are_those_of_the_document(
    seed: int, tenant: Tenant, live_server: LiveServer, api_key: ApiKey, tmp_path: Path
) -> None:
    for sku in ("MACBOOK-PRO-16-M3", "IPAD-PRO-12-M2", "DELL-U2722D-MONITOR"):
        VariantFactory(sku=sku)
    token = api_key.token
    run = subprocess.run(
        [
            *(SCHEMATHESIS, "run", f"{live_server.url}/v1/openapi.json"),
            *("--header", f"Authorization: Bearer {token}", "--header", "Tenant-ID: demo"),
            *("--phases", "examples,coverage,fuzzing,stateful", "--checks", "all"),
            *("--exclude-checks", ",".join(NOT_MEANT), "--continue-on-failure"),
            *("--max-examples", str(EXAMPLES), "--seed", str(seed)),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stdout
