"""`python -m acme_notes`: serves on localhost."""

import uvicorn

from acme_notes import settings

if __name__ == "__main__":
    uvicorn.run(
        "acme_notes.app:app",
        port=settings.PORT,
        ws="websockets-sansio",
        log_level="warning",
        timeout_graceful_shutdown=5,
    )
