"""Home, everything about orders, and a customer's page, which shows theirs."""

from django.urls import path

from orders.starting import Start
from orders.views import (
    caller,
    conversation,
    customer,
    drafts,
    edit,
    export,
    home,
    insight,
    lines,
    new_order,
    notices,
    order,
    quote,
    reassign,
    starting,
    trace,
)

urlpatterns = [
    path("", home.home, name="home"),
    path("insight/", insight.insight, name="insight"),
    path("notices/", notices.notices, name="notices"),
    path("notices/unread/", notices.bell, name="bell"),
    path("orders/", order.order_list, name="order_list"),
    path("orders/export/", export.start, name="order_export"),
    path("orders/export/<public_id:export_id>/", export.page, name="order_export_page"),
    path("orders/export/<public_id:export_id>/file/", export.file, name="order_export_file"),
    path("orders/reassign/", reassign.reassign, name="order_reassign"),
    path("orders/new/", new_order.start, name="order_new"),
    path("orders/new/line/", lines.line, name="draft_line"),
    path("orders/new/customers/", new_order.customers, name="draft_customers"),
    path("orders/new/lookalikes/", caller.lookalikes, name="draft_lookalikes"),
    path("orders/new/caller/<public_id:customer_id>/", caller.caller, name="draft_caller"),
    path("orders/new/<public_id:draft_id>/", new_order.new_order, name="draft"),
    path("orders/new/<public_id:draft_id>/save/", new_order.save, name="draft_save"),
    path("orders/new/<public_id:draft_id>/discard/", drafts.discard, name="draft_discard"),
    path("orders/new/<public_id:draft_id>/restore/", drafts.restore, name="draft_restore"),
    path("orders/new/<public_id:draft_id>/hand-over/", drafts.hand_over, name="draft_hand_over"),
    path("orders/new/<public_id:draft_id>/quote/", quote.quote, name="draft_quote"),
    path("orders/<public_id:order_id>/", order.order, name="order"),
    *(
        path(
            f"orders/<public_id:order_id>/{kind}/",
            starting.start_from,
            {"kind": kind},
            name=f"order_{kind}",
        )
        for kind in Start
    ),
    path("orders/<public_id:order_id>/edit/", edit.order_edit, name="order_edit"),
    path("orders/<public_id:order_id>/recall/", edit.order_recall, name="order_recall"),
    path("orders/<public_id:order_id>/confirm/", order.order_confirm, name="order_confirm"),
    path("orders/<public_id:order_id>/cancel/", order.order_cancel, name="order_cancel"),
    path("orders/<public_id:order_id>/give/", reassign.give, name="order_give"),
    path("orders/<public_id:order_id>/live/", conversation.order_live, name="order_live"),
    path("orders/<public_id:order_id>/comment/", conversation.order_comment, name="order_comment"),
    path("orders/<public_id:order_id>/notes/", conversation.order_notes, name="order_notes"),
    path(
        "orders/<public_id:order_id>/items/<int:position>/",
        trace.item_trace,
        name="order_item_trace",
    ),
    path("customers/<public_id:customer_id>/", customer.customer, name="customer"),
]
