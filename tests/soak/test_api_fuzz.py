"""Requests that schemathesis makes up from the OpenAPI document: `make soak`."""

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from pytest_django.live_server_helper import LiveServer
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import positive_data_acceptance

from portal.models import ApiKey

pytestmark = [pytest.mark.soak, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize("mode", list(GenerationMode))
def test_answers_are_those_of_the_document(
    mode: GenerationMode, live_server: LiveServer, api_key: ApiKey
) -> None:
    schema = schemathesis.openapi.from_url(f"{live_server.url}/v1/openapi.json")
    headers = {
        "Authorization": f"Bearer {api_key.token}",  # type: ignore[attr-defined]
        "Tenant-ID": api_key.tenant.slug,
    }
    for operation in schema.get_all_operations():

        @given(case=operation.ok().as_strategy(generation_mode=mode))
        @settings(max_examples=1000, suppress_health_check=list(HealthCheck))
        def check(case: schemathesis.Case) -> None:
            # A body of the right shape is refused when its SKU is none: business, not shape.
            case.call_and_validate(headers=headers, excluded_checks=[positive_data_acceptance])

        check()
