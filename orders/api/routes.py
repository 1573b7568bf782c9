"""Where the operations on orders are registered, and what their addresses have in common."""

from typing import Annotated

from ninja import Path, Router

router = Router(tags=["Orders"])

OrderId = Annotated[str, Path(alias="orderId")]
