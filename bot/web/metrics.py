"""What Prometheus scrapes: `/metrics`, in the form that it asks for."""

from prometheus_client.exposition import choose_encoder
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.metrics import REGISTRY
from bot.readings import Readings


def route(readings: Readings) -> Route:
    """Give the route: what has to be waited for is read first, then all of it is written at once."""

    async def scrape(request: Request) -> Response:
        await readings.read()
        encode, content_type = choose_encoder(request.headers.get("accept", ""))
        return Response(encode(REGISTRY), headers={"content-type": content_type})

    return Route("/metrics", scrape)
