"""JSON whose numbers keep every digit: money and custom fields never pass through a float."""

import json
from typing import Any

import simplejson


def dumps(value: Any) -> str:
    return simplejson.dumps(
        value,
        use_decimal=True,
        ensure_ascii=False,
        allow_nan=False,
        separators=(",", ":"),
    )


class ExactEncoder(json.JSONEncoder):
    """For `JSONField(encoder=…)`: writes a Decimal as the number that it is."""

    def encode(self, o: Any) -> str:
        return dumps(o)


class ExactDecoder(json.JSONDecoder):
    """For `JSONField(decoder=…)`: reads a number with a point as a Decimal."""

    def decode(self, s: str, *args: Any) -> Any:
        return simplejson.loads(s, use_decimal=True)
