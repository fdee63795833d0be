"""The page in a real browser: without a server, by keyboard alone, on a phone, in the dark, and for everybody."""

from __future__ import annotations

import re
from typing import Any

import pytest

DECAY = "figure[data-file=gradient-decay]"
"""The figure whose lines, legend and buttons are tried."""


def _shown(page: Any, table: str) -> list[str]:
    rows = page.locator(f"#{table} tbody tr:visible th[scope=row]").all_inner_texts()
    return [text.split("\n")[0] for text in rows]


def test_nothing_is_wrong_in_the_console_and_no_network_is_asked(page: Any, page_url: str) -> None:
    page.get_by_role("link", name="Equations", exact=True).click()
    assert page.errors == []
    assert [url for url in page.asked if not url.startswith("data:")] == [page_url]


def test_formulas_and_plots_are_drawn(page: Any) -> None:
    assert page.locator("math").count() > 4
    box = page.locator("math").first.bounding_box()
    assert box["width"] > 20
    assert box["height"] > 8
    plots = page.locator("figure .scale:not([hidden]):has(svg)")
    assert plots.count() >= 3
    for index in range(plots.count()):
        assert plots.nth(index).locator("svg").first.bounding_box()["height"] > 80
        assert len(plots.nth(index).get_attribute("aria-label")) > 40


def test_tables_are_folded_at_first_and_a_link_into_one_opens_it(page: Any, page_url: str) -> None:
    page.reload()
    assert page.locator("details.data[open]").count() == 0
    assert not page.locator("#E-348").is_visible()
    page.evaluate("location.hash = 'E-348'")
    page.locator("#E-348").wait_for(state="visible")


def test_the_first_screen_counts_what_was_checked_and_says_what_was_not(page: Any) -> None:
    band = page.locator(".counters").inner_text()
    assert "1 refuted" in band
    assert "mutants killed, 0 survive" in band
    assert "cells: not checked" in band
    assert page.locator(".counters").bounding_box()["y"] < 300


def test_a_line_is_hidden_by_the_legend_and_the_axis_becomes_linear(page: Any) -> None:
    figure = page.locator(DECAY).first
    line = figure.locator(".scale:not([hidden]) g[data-series='1'] .line")
    assert line.is_visible()
    figure.get_by_role("button", name="GRU, torch's default").click()
    assert not line.is_visible()
    figure.get_by_role("button", name="GRU, torch's default").click()
    figure.get_by_role("button", name="linear axis").click()
    assert "0.4" in figure.locator(".scale:not([hidden]) svg").text_content()
    assert figure.locator("circle title").first.text_content().startswith("RNN, torch's default: 0:")


@pytest.mark.parametrize(("kind", "first"), [("SVG", "<svg"), ("CSV", "line,lag,value"), ("PNG", "PNG")])
def test_a_figure_is_saved(page: Any, kind: str, first: str) -> None:
    with page.expect_download() as download:
        page.locator(DECAY).first.get_by_role("button", name=kind).click()
    assert download.value.suggested_filename == f"gradient-decay.{kind.lower()}"
    with open(download.value.path(), "rb") as file:
        assert first.encode() in file.read(200)


def test_a_figure_is_no_white_box_in_the_dark(page: Any) -> None:
    page.emulate_media(color_scheme="dark")
    colour = page.locator(DECAY).first.evaluate("figure => getComputedStyle(figure).backgroundColor")
    assert colour != "rgb(255, 255, 255)"


def test_searching_and_choosing_leave_the_rows_that_fit(page: Any) -> None:
    form = page.locator("form[data-for=equation-rows]")
    count = len(_shown(page, "equation-rows"))
    assert count > 88
    form.get_by_label("Search").fill("e-348")
    assert _shown(page, "equation-rows") == ["E-348"]
    assert form.locator("output").inner_text() == f"1 of {count}"
    form.get_by_label("Search").fill("")
    form.get_by_label("Outcome").select_option("refuted")
    assert _shown(page, "equation-rows") == ["E-347"]
    form.get_by_label("Outcome").select_option("")
    form.get_by_label("Print").select_option("with an erratum")
    assert "E-348" in _shown(page, "equation-rows")
    assert "E-347" not in _shown(page, "equation-rows")


def test_tables_sort_by_their_heads_both_ways(page: Any) -> None:
    head = page.locator("#kernel-rows thead button", has_text="bits").first
    head.click()
    assert _shown(page, "kernel-rows") == ["nn.LSTM/onednn", "nn.LSTM/native"]
    head.click()
    assert _shown(page, "kernel-rows") == ["nn.LSTM/native", "nn.LSTM/onednn"]
    assert page.locator("#kernel-rows th[aria-sort=descending]").count() == 1


def test_all_of_it_works_by_keyboard_alone(page: Any) -> None:
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("location.hash") == "#answer"
    page.locator("form[data-for=claim-rows] input").focus()
    page.keyboard.type("C-006")
    assert _shown(page, "claim-rows") == ["C-006"]
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.name") == "verdict"
    page.locator("#equation-rows thead button").first.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    rows = _shown(page, "equation-rows")
    assert rows.index("E-349") < rows.index("E-348") < rows.index("E-101") < rows.index("E-001")


def test_a_command_is_copied(page: Any) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.locator("#equation-rows").get_by_role("button", name="Copy the command rnn-harness verify E-348").click()
    assert page.evaluate("navigator.clipboard.readText()") == "rnn-harness verify E-348"
    assert page.locator("#copied").inner_text() == "copied: rnn-harness verify E-348"


def test_a_substitution_that_reconciles_is_shown_with_its_proof(page: Any) -> None:
    row = page.locator("tr", has=page.locator("#X-050"))
    row.get_by_text("Q-01").first.click()
    assert "W_z = [-W_hz^T, -W_xz^T]" in row.inner_text()
    assert "proved" in row.inner_text()


@pytest.mark.parametrize("width", [320, 390, 768])
def test_on_a_narrow_screen_nothing_sticks_out(page: Any, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_on_a_phone_an_equation_is_read_without_scrolling_sideways(page: Any) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    region = page.locator(".wide", has=page.locator("#equation-rows"))
    assert region.evaluate("region => region.scrollWidth <= region.clientWidth")
    page.locator("form[data-for=equation-rows] input").fill("E-348")
    assert _shown(page, "equation-rows") == ["E-348"]
    assert page.locator("#equation-rows tbody tr:visible").count() == 1


def test_dark_and_printed_it_stays_readable(page: Any) -> None:
    def colours() -> list[str]:
        return page.evaluate("['color', 'backgroundColor'].map(name => getComputedStyle(document.body)[name])")

    light = colours()
    page.emulate_media(color_scheme="dark")
    assert colours() != light
    page.emulate_media(media="print", color_scheme="light")
    assert not page.locator("nav").is_visible()
    assert not page.locator("button.copy").first.is_visible()


def test_printed_it_takes_at_most_twelve_pages(page: Any) -> None:
    page.reload()  # with its tables folded, as a reader prints it
    assert 1 <= len(re.findall(rb"/Type ?/Page\b", page.pdf(format="A4"))) <= 12


def test_the_first_use_of_a_term_shows_its_definition(page: Any) -> None:
    heads = page.locator("#equation-rows thead abbr").all_inner_texts()
    assert {"text", "reference", "numeric", "symbolic", "torch", "independent", "error/bound"} <= set(heads)
    assert page.locator("header abbr", has_text="gradient horizon").count() == 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_barrier(page: Any, scheme: str) -> None:
    axe = pytest.importorskip(
        "axe_playwright_python.sync_playwright", reason="not run: pip install 'rnn-harness[browser]'"
    )
    page.emulate_media(color_scheme=scheme)
    audit = axe.Axe().run(page)
    violations = [
        f"{violation['id']}: {violation['nodes'][0]['html'][:160]}" for violation in audit.response["violations"]
    ]
    assert violations == []
