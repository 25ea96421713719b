"""The report in a browser, opened from disk: nothing is fetched, nothing is cut off, and everything can be reached."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

from runner.report.write import write_report
from runner.storage import runs
from tests.runner.claims.builders import SAMPLE

pytestmark = pytest.mark.browser
COMMANDS = ("chromium", "chromium-browser", "google-chrome")
WIDTHS = (400, 1280, 1600)
SMALLEST_TEXT = 11.0  # pixels
MOST_BYTES = 1_500_000
SERIOUS = {"serious", "critical"}
HOW_TO_WALK = "Point at a bar, or choose a row and walk through its bars with the arrow keys."


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The committed sample's report, drawn by this version."""
    folder = tmp_path_factory.mktemp("sample")
    for name in ("run.json", "records.jsonl", "evidence.jsonl", "peaks.jsonl"):
        shutil.copy(SAMPLE / name, folder / name)
    write_report(runs.load(folder))
    return folder / "report.html"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    found = next((path for name in COMMANDS if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip(f"none of {', '.join(COMMANDS)} is on PATH")
    with sync_playwright() as playwright:
        # A root user has no sandbox of Chromium's own. What is opened is a file that the test has written.
        started = playwright.chromium.launch(executable_path=found, args=["--no-sandbox", "--disable-gpu"])
        yield started
        started.close()


class Opened:
    """A page with the report, and what it has said and asked for meanwhile."""

    def __init__(self, browser: Browser, report: Path, width: int = 1280, **options: Any) -> None:
        self.context = browser.new_context(viewport={"width": width, "height": 800}, **options)
        self.page: Page = self.context.new_page()
        self.messages: list[str] = []
        self.requests: list[str] = []
        self.page.on("console", lambda message: self.messages.append(message.text))
        self.page.on("pageerror", lambda error: self.messages.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.goto(report.as_uri())

    def open_all(self) -> None:
        """Open every fold."""
        self.page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")


@pytest.fixture
def opened(browser: Browser, report: Path) -> Iterator[Opened]:
    made = Opened(browser, report)
    yield made
    made.context.close()


@pytest.fixture(params=WIDTHS)
def at_width(browser: Browser, report: Path, request: pytest.FixtureRequest) -> Iterator[Opened]:
    made = Opened(browser, report, request.param)
    yield made
    made.context.close()


def test_it_asks_for_nothing_and_says_nothing(opened: Opened, report: Path) -> None:
    opened.open_all()
    opened.page.wait_for_timeout(300)
    assert opened.requests == [report.as_uri()]
    assert opened.messages == []
    assert report.stat().st_size < MOST_BYTES


def test_the_policy_refuses_what_the_page_does_not_have_in_it(opened: Opened) -> None:
    """A picture and a script that somebody put into the page are not loaded and not run."""
    opened.page.evaluate(
        """() => {
          const picture = document.createElement("img"); picture.src = "http://127.0.0.1:9/a.png";
          const script = document.createElement("script"); script.textContent = "window.wasRun = true";
          document.body.append(picture, script);
        }"""
    )
    opened.page.wait_for_timeout(200)
    assert opened.page.evaluate("window.wasRun") is None
    assert len([text for text in opened.messages if "Content Security Policy" in text]) == 2


def test_nothing_is_wider_than_the_screen(at_width: Opened) -> None:
    """Tables scroll inside themselves."""
    at_width.open_all()
    wide = at_width.page.evaluate(
        """() => [...document.querySelectorAll("body *")].filter((each) => {
          const box = each.getBoundingClientRect();
          return box.width > 0 && box.right > document.documentElement.clientWidth + 1
            && !each.closest(".scroll, pre, .forest svg");
        }).map((each) => `${each.tagName}.${each.className}: ${each.textContent.slice(0, 40)}`)"""
    )
    assert wide == []
    assert at_width.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0


def test_the_text_of_the_first_screens_plot_is_legible(at_width: Opened) -> None:
    sizes = at_width.page.evaluate(
        """() => [...document.querySelectorAll(".forest text, .forest td, .forest th, .forest p, .forest span")]
          .map((each) => parseFloat(getComputedStyle(each).fontSize))"""
    )
    assert sizes
    assert min(sizes) >= SMALLEST_TEXT


def bottoms(opened: Opened, *selectors: str) -> dict[str, float]:
    """Where the last element of each selector ends, in pixels from the top of the page."""
    found: dict[str, float] = opened.page.evaluate(
        """(selectors) => Object.fromEntries(selectors.map((each) =>
          [each, [...document.querySelectorAll(each)].at(-1).getBoundingClientRect().bottom]))""",
        list(selectors),
    )
    return found


def test_the_result_the_advice_and_the_plot_are_on_the_first_screen(opened: Opened) -> None:
    """At 1280 x 800, with three stacks: nobody has to scroll for the answer."""
    found = bottoms(opened, ".result", ".advice", ".forest tr")
    assert all(bottom <= 800 for bottom in found.values()), found


def test_on_a_phone_the_result_the_advice_and_two_networks_are_on_the_first_screen(
    browser: Browser, report: Path
) -> None:
    """At 400 x 800: what was found, how sure, against what, and what is not proven."""
    made = Opened(browser, report, 400)
    second = ".forest table:first-of-type tr:nth-child(2)"
    found = bottoms(made, ".result:first-child", ".in-short", ".advice", second)
    made.context.close()
    assert all(0 < bottom <= 800 for bottom in found.values()), found


def test_a_link_opens_the_section_that_it_leads_to(opened: Opened) -> None:
    link = opened.page.locator("nav a", has_text="Evidence").first
    target = link.get_attribute("href") or ""
    assert not opened.page.locator(target).is_visible()
    link.focus()
    opened.page.keyboard.press("Enter")
    opened.page.wait_for_timeout(100)
    assert opened.page.locator(target).is_visible()


def test_folds_say_in_a_line_what_is_in_them_and_open_by_key(opened: Opened) -> None:
    folds = opened.page.locator("section > details > summary")
    texts = [text.split("\n") for text in folds.all_inner_texts()]
    assert any("cells passed" in " ".join(text) for text in texts)
    folds.first.focus()
    opened.page.keyboard.press("Enter")
    assert opened.page.locator("section > details").first.get_attribute("open") is not None


def section(page: Page, title: str) -> Locator:
    """The section of this title, opened."""
    found = page.locator("section", has=page.locator("h2", has_text=title))
    if found.locator("> details").count():
        found.locator("> details").evaluate("(each) => { each.open = true; }")
    return found


def test_a_table_sorts_by_the_name_of_a_column(opened: Opened) -> None:
    shown = section(opened.page, "Every speedup in full").locator("table").first
    heads = shown.locator("thead th")
    number = 1 + [text.strip() for text in heads.all_inner_texts()].index("speedup")

    def column() -> list[float]:
        texts = shown.locator(f"tbody tr td:nth-child({number})").all_inner_texts()
        return [float(text.rstrip("x")) for text in texts]

    before = column()
    head = heads.nth(number - 1)
    head.locator("button").focus()
    opened.page.keyboard.press("Enter")
    assert column() == sorted(before) != before
    assert head.get_attribute("aria-sort") == "ascending"
    opened.page.keyboard.press("Enter")
    assert column() == sorted(before, reverse=True)


def test_the_mean_stays_below_the_networks_when_they_are_sorted(opened: Opened) -> None:
    shown = section(opened.page, "Speedups").locator("table").first
    shown.locator("thead th button").first.click()
    assert shown.locator("tr").last.inner_text().startswith("geometric mean")


def test_a_table_can_be_copied_as_csv(browser: Browser, report: Path) -> None:
    made = Opened(browser, report, permissions=["clipboard-read", "clipboard-write"])
    button = section(made.page, "Every speedup in full").locator("button.copy").first
    button.click()
    expect(button).to_have_text("copied")
    lines = made.page.evaluate("navigator.clipboard.readText()").splitlines()
    made.context.close()
    assert lines[0].startswith("stack,topology,batch size,pair,speedup")
    assert len(lines) == 1 + len(runs_speedups())


def test_a_speedup_leads_to_the_raw_samples_behind_it(opened: Opened) -> None:
    link = opened.page.locator(".forest td.values a").first
    target = opened.page.locator(f"[id='{(link.get_attribute('href') or '').removeprefix('#')}']")
    assert not target.is_visible()
    link.focus()
    opened.page.keyboard.press("Enter")
    opened.page.wait_for_timeout(100)
    assert target.is_visible()
    shown = target.locator("xpath=following-sibling::div[1]//table")
    assert shown.locator("tbody tr").count() > 3


def test_a_networks_command_can_be_copied(browser: Browser, report: Path) -> None:
    made = Opened(browser, report, permissions=["clipboard-read", "clipboard-write"])
    found = section(made.page, "Every launch, and the command that repeats it")
    button = found.locator("pre + button.copy").first
    button.click()
    expect(button).to_have_text("copied")
    copied = made.page.evaluate("navigator.clipboard.readText()")
    assert copied == found.locator("pre").first.inner_text().strip()
    made.context.close()
    assert copied.startswith("python -m runner compare --stack ")


def test_arrow_keys_walk_through_the_bars_of_a_row_of_the_strip(opened: Opened) -> None:
    strip = section(opened.page, "The run over time").locator(".strip")
    lane, told = strip.locator(".lane:not(.axis)").first, strip.locator("output")
    lane.focus()
    texts = []
    for key in ("ArrowRight", "ArrowRight", "ArrowLeft"):
        opened.page.keyboard.press(key)
        texts.append(told.inner_text())
    assert texts[0] == texts[2] != texts[1]
    assert "block" in texts[0]
    assert "s a step" in texts[0]
    assert strip.locator("rect.chosen").count() == 1


def test_evidence_that_passed_is_folded(opened: Opened) -> None:
    found = section(opened.page, "Evidence").locator("details.folded", has_text="Cells whose evidence passed").first
    assert not found.locator("table").is_visible()
    found.locator("summary").first.focus()
    opened.page.keyboard.press("Enter")
    assert found.locator("table").is_visible()


def runs_speedups() -> list[str]:
    """The rows of the sample's table of speedups."""
    return (SAMPLE / "speedups.csv").read_text(encoding="utf-8").splitlines()[1:]


def test_without_scripts_the_page_has_the_same_text(browser: Browser, report: Path) -> None:
    with_scripts, without = Opened(browser, report), Opened(browser, report, java_script_enabled=False)
    texts = [made.page.locator("main, body").first.text_content() or "" for made in (with_scripts, without)]
    for made in (with_scripts, without):
        made.context.close()
    script = (Path(runs.__file__).parents[1] / "report" / "templates" / "report.js").read_text(encoding="utf-8")
    with_text, without_text = (" ".join(text.replace(script, "").split()) for text in texts)
    for added in ("copy as CSV", "copy the command", HOW_TO_WALK):
        with_text = with_text.replace(added, "")
    assert " ".join(with_text.split()) == without_text


def test_print_has_every_section_open(opened: Opened, tmp_path: Path) -> None:
    opened.page.emulate_media(media="print")
    hidden = opened.page.evaluate(
        """() => [...document.querySelectorAll("section > details > .body, details.folded > .scroll")]
          .filter((each) => !each.checkVisibility()).length"""
    )
    assert opened.page.locator("section > details").count() > 5
    assert hidden == 0
    path = tmp_path / "report.pdf"
    opened.page.pdf(path=path)
    assert path.read_bytes().startswith(b"%PDF")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(browser: Browser, report: Path, scheme: str) -> None:
    """Names of figures and tables, contrast, landmarks, keyboard access."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    made = Opened(browser, report, bypass_csp=True, color_scheme=scheme)
    made.open_all()
    found = axe.run(made.page).response["violations"]
    made.context.close()
    grave = [f"{each['id']}: {each['nodes'][0]['html'][:120]}" for each in found if each["impact"] in SERIOUS]
    assert grave == []
