"""Tests of pages in a browser: nothing is fetched or logged, all fits and is readable."""

import re
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page

from loadbench.engine.comparison.model import Comparison
from loadbench.page.write import write_comparison, write_page
from tests.support.compared_runs import add_compared_run, compared
from tests.support.contrast import MIN_CONTRAST, RGB, contrast
from tests.support.goal_cells import add_goal_run
from tests.support.hundred_cells import HOSTILE, add_hundred_cells
from tests.support.study_runs import add_device_study

WIDTHS = (1280, 390)
Scheme = Literal["light", "dark"]
SCHEMES: tuple[Scheme, ...] = ("light", "dark")
TEXTS = "h1, h2, h3, p, li, th, td, dt, dd, a, summary, pre, figcaption, figcaption span, svg text"
COLOURS = """
elements => elements.map(element => {
  const own = getComputedStyle(element);
  const colour = element.closest('svg') ? own.fill : own.color;
  let behind = element;
  while (behind && getComputedStyle(behind).backgroundColor === 'rgba(0, 0, 0, 0)')
    behind = behind.parentElement;
  return [colour, getComputedStyle(behind || document.body).backgroundColor, element.textContent];
})
"""


class Opened:
    """A page in the browser, and everything that it requested and logged."""

    def __init__(
        self, browser: Browser, path: Path, *, width: int = 1280, scheme: Scheme = "light"
    ) -> None:
        self.page: Page = browser.new_page(
            viewport={"width": width, "height": 900}, color_scheme=scheme
        )
        self.requested: list[str] = []
        self.logged: list[str] = []
        self.page.on("request", lambda request: self.requested.append(request.url))
        self.page.on("console", lambda message: self.logged.append(message.text))
        self.page.on("pageerror", lambda error: self.logged.append(str(error)))
        self.page.goto(path.as_uri())

    def unreadable(self) -> list[str]:
        """Return texts with too little contrast."""
        found: list[list[str]] = self.page.eval_on_selector_all(TEXTS, COLOURS)
        return [
            f"{text[:40]}: {colour} on {background}"
            for colour, background, text in found
            if contrast(rgb(colour), rgb(background)) < MIN_CONTRAST
        ]


def rgb(colour: str) -> RGB:
    red, green, blue = map(int, re.findall(r"\d+", colour)[:3])
    return red, green, blue


PAGES = ("hundred", "goals", "study", "comparison")


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return the pages of a run of 100 cells, of one with every state of a goal, of others."""
    reports = tmp_path_factory.mktemp("pages") / "reports"
    folders = {
        "hundred": add_hundred_cells(reports.parent),
        "goals": add_goal_run(reports.parent),
        "study": add_device_study(reports).folder,
    }
    written = {name: write_page(folder) for name, folder in folders.items()}
    page = reports / "comparison.html"
    written["comparison"] = write_comparison(page, [add_comparison(reports)], reports)
    assert [page.note for page in written.values()] == [""] * len(PAGES)
    return {name: page.path for name, page in written.items()}


def add_comparison(reports: Path) -> Comparison:
    """Return a comparison of runs with hostile names, other hardware and a missing cell."""
    before = add_compared_run(reports, "before", run="20261201-072100", description=HOSTILE)
    after = add_compared_run(
        reports,
        "after",
        {"m1_u10_s10": 1.3, "m2_u10_s10": 0.8},
        run="20261202-072100",
        missing=["m2_u50_s10", "m2_u50_s10_r2", "m2_u50_s10_r3"],
        started={"hardware": {"cpu": HOSTILE, "cores": 8}},
    )
    return compared(before, after)


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", PAGES)
def test_page_is_quiet_fits_and_is_readable(
    browser: Browser, pages: dict[str, Path], name: str, width: int, scheme: Scheme
) -> None:
    opened = Opened(browser, pages[name], width=width, scheme=scheme)

    assert opened.requested == [pages[name].as_uri()]
    assert opened.logged == []
    assert opened.page.evaluate("document.documentElement.scrollWidth") == width
    assert opened.page.locator("figure svg").count() > 0
    assert opened.unreadable() == []
    opened.page.close()


def test_names_with_markup_stay_text(browser: Browser, pages: dict[str, Path]) -> None:
    page = Opened(browser, pages["hundred"]).page

    assert page.evaluate("document.scripts.length") == 0
    assert (
        page.evaluate("document.querySelectorAll('svg').length") == page.locator("figure").count()
    )
    assert HOSTILE in (page.locator("h1").text_content() or "")
    assert page.locator("figure svg text", has_text=HOSTILE).count() > 0
    page.close()


def test_marks_have_tooltips(browser: Browser, pages: dict[str, Path]) -> None:
    page = Opened(browser, pages["hundred"]).page
    titles = page.locator("#latency svg title").all_text_contents()

    assert any(title.startswith("1 model, 1 user: p95 ") for title in titles)
    page.close()


def test_tables_are_scrolled_with_the_keyboard_on_a_phone(
    browser: Browser, pages: dict[str, Path]
) -> None:
    page = Opened(browser, pages["goals"], width=390).page
    region = page.get_by_role("region", name="Cells")

    assert region.evaluate("region => region.scrollWidth > region.clientWidth")
    region.focus()
    region.evaluate(
        "region => { window.scrolled = new Promise(done => "
        "region.addEventListener('scroll', () => done(region.scrollLeft), {once: true})) }"
    )
    page.keyboard.press("ArrowRight")
    assert page.evaluate("window.scrolled") > 0
    page.close()


def test_printed_page_is_light_and_has_its_closed_sections(
    browser: Browser, pages: dict[str, Path], tmp_path: Path
) -> None:
    opened = Opened(browser, pages["hundred"], scheme="dark")
    opened.page.emulate_media(media="print")

    background = opened.page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert background == "rgb(255, 255, 255)"
    assert opened.unreadable() == []
    printed = opened.page.pdf(path=tmp_path / "page.pdf", format="A4")
    assert printed.startswith(b"%PDF")
    assert opened.page.locator("details pre").first.bounding_box()["height"] > 100  # type: ignore[index]
    opened.page.close()


def test_checks_find_planted_violations(browser: Browser, tmp_path: Path) -> None:
    """Plant a request, an error in the console and a text without contrast."""
    path = tmp_path / "planted.html"
    path.write_text(
        '<body style="background:#fff"><p style="color:#ddd">pale</p>'
        '<img src="missing.png"><script>undefined.field</script>'
    )
    opened = Opened(browser, path)

    assert len(opened.requested) == 2
    assert any("undefined" in text for text in opened.logged)
    assert opened.unreadable() == ["pale: rgb(221, 221, 221) on rgb(255, 255, 255)"]
    opened.page.close()
