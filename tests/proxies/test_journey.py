"""In Chromium, through each proxy: from a product to the sign-in at the origin, and back on the product's own host."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.proxies.conftest import Stage
from tests.support import programs
from tests.support.browser import FLAGS, Pages, axe, follow, press
from tests.support.world import PASSWORD

HOSTS = r"request to another host: \w+ (https|wss)://(id|wiki)\.acme\.test|https://board\.beta\.test"


@pytest.fixture
def pages(browser: Browser, stage: Stage) -> Iterator[Pages]:
    """A Chromium of its own, for which every host is this machine; the authority of the test is not in its store."""
    flags = [*FLAGS, "--host-resolver-rules=MAP * 127.0.0.1"]
    launched = browser.browser_type.launch(
        executable_path=programs.find("chromium"), args=flags, headless=True
    )
    opened = Pages(launched)
    opened.watch.forgive(HOSTS)
    yield opened
    opened.close()
    launched.close()
    opened.watch.check()


def test_from_the_product_to_the_sign_in_and_back(stage: Stage, pages: Pages) -> None:
    ana = stage.teammate("Ana")
    _, seed = stage.world.bind_totp(ana)
    page = pages(stage.wiki, None, ignore_https_errors=True)
    page.goto(f"{stage.wiki}/notes/7?tab=2#top")
    expect(page).to_have_url(re.compile(rf"^{re.escape(stage.home)}/sign-in"))
    page.get_by_label("E-mail address").fill(ana.email)
    page.locator("[name=password]").fill(PASSWORD)
    press(page, "Continue")
    page.get_by_label(re.compile("code", re.IGNORECASE)).first.press_sequentially(stage.world.code(seed))
    press(page, "Continue")
    expect(page).to_have_url(re.compile(rf"^{re.escape(stage.wiki)}/notes/7\?tab=2"))
    expect(page.get_by_role("heading", name="wiki")).to_be_visible()
    expect(page.get_by_text(f"Remote-Email: {ana.email}")).to_be_visible()
    expect(page.get_by_text("Remote-Acr: urn:nightlatch:aal2")).to_be_visible()
    cookies = {each["name"]: each for each in page.context.cookies(stage.wiki)}
    assert {"__Host-nightlatch-app", "__Host-nightlatch-app-browser"} == set(cookies)
    assert all(each["httpOnly"] and each["secure"] for each in cookies.values())
    page.reload()
    expect(page.get_by_role("heading", name="wiki")).to_be_visible()

    page.goto(f"{stage.wiki}/admin/x")  # owners only
    expect(page.get_by_role("heading", name="This is not open to you")).to_be_visible()
    assert page.evaluate("getComputedStyle(document.querySelector('.btn-primary')).borderRadius") != "0px"
    axe(page)
    follow(page, "To the start page")
    expect(page.get_by_role("heading", name="wiki")).to_be_visible()

    press(page, "Sign out")  # the product's own button
    expect(page.get_by_role("heading", name="You are signed out of Wiki")).to_be_visible()
    axe(page)
    follow(page, "Sign in again")
    expect(page).to_have_url(f"{stage.wiki}/")
    page.goto(f"{stage.wiki}/.nightlatch/sign-out")
    axe(page)
    page.goto(f"{stage.wiki}/.nightlatch/start?rd=/&denied=1")
    expect(page.get_by_role("heading", name="Wiki is not open to you")).to_be_visible()
    axe(page)


def test_a_mandate_in_the_middle_of_the_work_leads_to_set_up(stage: Stage, pages: Pages) -> None:
    zoe = stage.teammate("Zoe", stage.beta)
    page = pages(stage.board, None, ignore_https_errors=True)
    page.goto(f"{stage.board}/work")
    page.get_by_label("E-mail address").fill(zoe.email)
    page.locator("[name=password]").fill(PASSWORD)
    press(page, "Continue")
    expect(page).to_have_url(f"{stage.board}/work")
    stage.world.require(stage.beta)
    try:
        page.goto(f"{stage.board}/work?more=1")
        expect(page).to_have_url(re.compile(rf"^{re.escape(stage.home)}/set-up"))
    finally:
        stage.world.unrequire(stage.beta)
    page.goto(f"{stage.board}/work?more=1")
    expect(page).to_have_url(f"{stage.board}/work?more=1")


def test_the_way_works_without_scripts(stage: Stage, pages: Pages) -> None:
    mia = stage.teammate("Mia")
    page = pages(stage.wiki, None, ignore_https_errors=True, javascript=False)
    page.goto(f"{stage.wiki}/plain")
    page.get_by_label("E-mail address").fill(mia.email)
    page.locator("[name=password]").fill(PASSWORD)
    press(page, "Continue")
    expect(page).to_have_url(f"{stage.wiki}/plain")
