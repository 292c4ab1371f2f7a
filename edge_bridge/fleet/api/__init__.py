"""The fleet's API over HTTP: `/api/v1`, described by OpenAPI; all that knows FastAPI and uvicorn is in here."""
