"""`/metrics` of the API, for Prometheus: outside `/api/v1`, because its form is not JSON."""

from __future__ import annotations

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest


def make_metrics_router(registry: CollectorRegistry) -> APIRouter:
    """Make the route; a worker thread answers it, because a collector may ask the database."""
    router = APIRouter()

    @router.get("/metrics", include_in_schema=False)
    def read_metrics() -> Response:
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    return router
