"""Two orders that the demo's rep was typing when the phone rang."""

from customers.models import Customer
from orders import drafts
from orders.drafts import Revision
from orders.typed import Typed, TypedLine, customer_fields
from portal.models import Tenant, User


def create_drafts(tenant: Tenant) -> None:
    """One for a known customer with two lines, one with a line and little more."""
    rep = User.objects.get(tenant=tenant, username="rep")
    caller = Customer.objects.get(tenant=tenant, email_key="noor@stadsmakers.example")
    for fields, lines in (
        (
            customer_fields(caller) | {"notes": "Calls back about the number of docks."},
            [
                TypedLine("a", "MACBOOK-PRO-16-M3", "6", "24"),
                TypedLine("b", "WD19S-DOCK-180W", "6", "24"),
            ],
        ),
        (
            {"customer-first_name": "Milan", "customer-phone": "+31 6 5550 1987"},
            [TypedLine("a", "DELL-U2722D-MONITOR", "2", "")],
        ),
    ):
        draft = drafts.open_draft(tenant=tenant, owner=rep)
        drafts.save(
            tenant=tenant,
            owner=rep,
            draft_id=draft.public_id,
            typed=Typed(fields, lines),
            revision=Revision(tab="demo", base=0, sequence=1),
        )
