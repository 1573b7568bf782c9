"""Who acts, and what each role may do.

Roles are Django groups; a permission is named `app.codename` and belongs to the app that owns
the thing. API keys carry scopes, which stand for the same permissions.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from portal.errors import PermissionRefused

if TYPE_CHECKING:
    from portal.models import ApiKey, User

REP = "rep"
MANAGER = "manager"

_REP_PERMISSIONS = frozenset(
    {
        "catalog.view_product",
        "catalog.view_variant",
        "catalog.view_price",
        "customers.view_customer",
        "customers.change_customer",
        "orders.view_order",
        "orders.add_order",
        "orders.change_order",
    }
)
_MANAGER_PERMISSIONS = _REP_PERMISSIONS | {
    "portal.view_tenant",
    "portal.change_tenant",
    "portal.view_outboxmail",
    "portal.retry_outboxmail",
    "catalog.add_product",
    "catalog.change_product",
    "catalog.add_variant",
    "catalog.change_variant",
    "catalog.add_price",
    "catalog.change_price",
    "catalog.delete_price",
    "catalog.view_pricechange",
    "catalog.view_costs",
    "orders.view_orderitem",
    "orders.view_orderevent",
    "orders.confirm_order",
    "orders.cancel_order",
    "orders.send_back_order",
    "orders.change_any_order",
    "orders.override_price",
    "orders.reassign_order",
    "orders.view_insight",
    "orders.view_customfield",
    "orders.add_customfield",
    "orders.change_customfield",
    "orders.delete_customfield",
}
ROLES = {REP: _REP_PERMISSIONS, MANAGER: _MANAGER_PERMISSIONS}

# Nobody has these without being granted them, superusers neither: four eyes see each order.
_GRANTED_ONLY = frozenset({"orders.confirm_own_order"})

SCOPES = {
    "orders:read": {"orders.view_order"},
    "orders:write": {
        "orders.add_order",
        "orders.change_order",
        "orders.change_any_order",
        "orders.cancel_order",
    },
    "orders:confirm": {"orders.confirm_order"},
    "catalog:read": {"catalog.view_product", "catalog.view_variant", "catalog.view_price"},
    "catalog:write": {
        "catalog.add_product",
        "catalog.change_product",
        "catalog.add_variant",
        "catalog.change_variant",
        "catalog.add_price",
        "catalog.change_price",
        "catalog.delete_price",
    },
    "customers:read": {"customers.view_customer"},
    "customers:write": {"customers.change_customer"},
    "costs:read": {"catalog.view_costs"},
}
"""What an API key may do: each scope stands for these permissions."""

SCOPE_MEANINGS = {
    "orders:read": "See orders.",
    "orders:write": "Create, change and cancel orders.",
    "orders:confirm": "Confirm orders, as a manager does.",
    "catalog:read": "See products, variants and prices.",
    "catalog:write": "Create and change products, variants and prices.",
    "customers:read": "See customers.",
    "customers:write": "Change customers.",
    "costs:read": "See list prices and what devices cost to buy. Not for shops.",
}
"""What each scope allows, for whoever gives it."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Whoever does something to an order: a user, an API key, or the system itself.

    `ref` says which one for good (`user:12`, `key:key_7K3M9QXT2B`, `system:import`) and outlives
    the row; `label` is what people read (the user's e-mail, the key's public id).
    """

    ref: str
    label: str
    permissions: frozenset[str]
    is_superuser: bool = False

    @classmethod
    def from_user(cls, user: "User") -> "Actor":
        return cls(user.actor_ref, user.email, user.granted_permissions, user.may_do_everything)

    @classmethod
    def from_key(cls, key: "ApiKey") -> "Actor":
        granted = (SCOPES[scope] for scope in key.scopes if scope in SCOPES)
        return cls(f"key:{key.public_id}", key.public_id, frozenset().union(*granted))

    @classmethod
    def system(cls, name: str) -> "Actor":
        """The program itself (`import`, `demo`); it may do everything."""
        return cls(f"system:{name}", name, _GRANTED_ONLY, is_superuser=True)

    def can(self, permission: str) -> bool:
        implied = self.is_superuser and permission not in _GRANTED_ONLY
        return implied or permission in self.permissions

    def require(self, permission: str, message: str) -> None:
        """Raises PermissionRefused (403 `INSUFFICIENT_PERMISSIONS`) with the message."""
        if not self.can(permission):
            raise PermissionRefused(message)


def sync_roles(**kwargs: Any) -> None:
    """Makes the role groups and gives them exactly the permissions listed here.

    After each migration: inside one, the permissions do not exist yet.
    """
    from django.apps import apps
    from django.contrib.auth.management import create_permissions
    from django.contrib.auth.models import Group, Permission

    for label in ("portal", "catalog", "customers", "orders"):
        create_permissions(apps.get_app_config(label), verbosity=0)
    known = {
        f"{app}.{codename}": pk
        for pk, app, codename in Permission.objects.values_list(
            "pk", "content_type__app_label", "codename"
        )
    }
    for role, names in ROLES.items():
        group, _ = Group.objects.get_or_create(name=role)
        group.permissions.set(known[name] for name in names)
