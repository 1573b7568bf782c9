"""The API: keys, errors as JSON, and the operations of the apps, named as strings."""

from ninja import NinjaAPI

api = NinjaAPI(title="Portal API", version="1.0.0", urls_namespace="api")
