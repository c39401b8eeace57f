import re

from tests.api.world import World


def test_the_page_loads_nothing_from_elsewhere(world: World) -> None:
    response = world.client.get("/docs", buffered=True)
    assert (response.status_code, response.mimetype) == (200, "text/html")
    links = re.findall(r'(?:src|href)="([^"]+)"', response.text)
    assert len(links) == 4
    for link in links:
        assert link.startswith("/docs/")
        assert world.client.get(link, buffered=True).status_code == 200


def test_the_page_has_no_inline_script_or_style(
    world: World,
) -> None:
    page = world.client.get("/docs", buffered=True).text
    assert re.findall(r"<script[^>]*>([^<]*)</script>", page) == ["", ""]
    assert "<style" not in page
    assert "style=" not in page


def test_the_page_is_found_with_a_slash_behind_it(world: World) -> None:
    assert world.client.get("/docs/", buffered=True).mimetype == "text/html"


def test_only_the_pages_own_files_are_served(world: World) -> None:
    for name in ("index.css", "../docs.py", "%2e%2e/__init__.py", "swagger-ui.js"):
        assert world.client.get(f"/docs/{name}").status_code == 404


def test_the_document_is_openapi_3_1(world: World) -> None:
    assert world.openapi["openapi"] == "3.1.0"
    assert world.openapi["info"]["title"] == "StreamWatch"
