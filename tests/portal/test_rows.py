"""Rows that are known by a unique key."""

from portal.models import Tenant, User
from portal.rows import one_or_none


def test_one_or_none_is_the_row_or_nothing(tenant: Tenant, rep: User) -> None:
    assert one_or_none(User.objects.filter(username="rep")) == rep
    assert one_or_none(User.objects.filter(username="nobody")) is None
