"""`weir web`: what others push to Weir and pull from it, over HTTP."""

from __future__ import annotations

from typing import Annotated, Any

import typer


def add(app: typer.Typer) -> None:
    """Adds the verb."""
    app.command("web")(serve)


def serve(
    port: Annotated[
        int | None, typer.Option(help="Where to listen (WEIR_WEB_PORT); 0: a free one.")
    ] = None,
) -> None:
    """Serve HTTP until stopped; WEIR_WEB_TOKENS says who may ask for what."""
    from pydantic import ValidationError

    from agents.worker import log_as_json
    from weir.errors import WeirError
    from weir.home import home
    from weir.run import bootstrap
    from weir.web.server import Server
    from weir.web.settings import WebSettings

    given: dict[str, Any] = {} if port is None else {"web_port": port}
    try:
        settings = WebSettings(bootstrap=bootstrap(home()), home=home().root, **given)
    except ValidationError as error:
        wrong = error.errors()[0]
        name = "_".join(["WEIR", *(str(part).upper() for part in wrong["loc"][:1])])
        where = ".".join(str(part) for part in wrong["loc"][1:])
        raise WeirError(f"{name} {where}: {wrong['msg']}") from error
    log_as_json()
    Server(settings).serve_forever()
