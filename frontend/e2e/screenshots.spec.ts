// Takes the pictures of docs/screenshots, when BIONICPRO_SCREENSHOTS is set.

import type { Page } from "@playwright/test";
import { type Dictionary, en } from "../src/i18n/en";
import { ru } from "../src/i18n/ru";
import { expect, signIn, test, waitForReport } from "./app";
import { topology } from "./topology";

const FOLDER = "../docs/screenshots";
const widths = [1280, 390];
const locales = ["en", "ru"];
const themes = ["light", "dark"];

test.skip(!process.env.BIONICPRO_SCREENSHOTS, "BIONICPRO_SCREENSHOTS is not set");
test.use({ contextOptions: { reducedMotion: "reduce" } });

async function prepare(page: Page, locale: string, theme: string, width: number) {
  await page.setViewportSize({ width, height: 900 });
  await page.evaluate(
    ([language, scheme]) => {
      localStorage.setItem("bionicpro.locale", language ?? "");
      localStorage.setItem("bionicpro.theme", scheme ?? "");
    },
    [locale, theme],
  );
  await page.reload();
}

async function show(page: Page, locale: string, theme: string, width: number) {
  await prepare(page, locale, theme, width);
  await waitForReport(page);
  await expect(page.locator("canvas")).toHaveCount(4);
}

test("the report in both languages, widths and themes", async ({ page }) => {
  test.setTimeout(180_000);
  await signIn(page, "prothetic1");
  for (const locale of locales) {
    for (const theme of themes) {
      for (const width of widths) {
        await show(page, locale, theme, width);
        const path = `${FOLDER}/report-${locale}-${theme}-${width}.png`;
        await page.screenshot({ path, fullPage: true });
      }
    }
  }
  await show(page, "en", "light", 1280);
  await page.screenshot({ path: `${FOLDER}/report.png` });
});

/** Makes a file of the report that is shown, in the language of the page. */
async function exportReport(page: Page, t: Dictionary, format: "csv" | "json") {
  await page.goto("/reports");
  await waitForReport(page);
  await page.getByRole("button", { name: t.exports.export, exact: true }).click();
  await page.getByRole("dialog").getByText(t.exports.formats[format]).click();
  await page.getByRole("button", { name: t.exports.make }).click();
  await expect(page.locator("[data-new]")).toHaveAttribute("data-state", "ready");
}

test("the exports in both languages, widths and themes", async ({ page }) => {
  await signIn(page, "prothetic1");
  await waitForReport(page);
  for (const [locale, t] of [
    ["ru", ru],
    ["en", en],
  ] as const) {
    await prepare(page, locale, "light", 1280);
    await exportReport(page, t, "json");
    await exportReport(page, t, "csv");
  }
  await page.goto("/reports/exports");
  for (const [locale, theme, width] of [
    ["en", "light", 1280],
    ["en", "dark", 390],
    ["ru", "light", 390],
    ["ru", "dark", 1280],
  ] as const) {
    await prepare(page, locale, theme, width);
    await expect(page.locator("[data-state=ready]").nth(2)).toBeVisible();
    await page.screenshot({ path: `${FOLDER}/exports-${locale}-${theme}-${width}.png` });
  }
});

test("a trace of the report", async ({ page }) => {
  test.setTimeout(180_000);
  await signIn(page, "prothetic1");
  await waitForReport(page);
  const operation = "bionicpro.reports.v1.ReportsService/GetReport";
  const query = new URLSearchParams({ service: "bionicpro-gateway", operation });
  await page.setViewportSize({ width: 1280, height: 900 });
  // Its last spans arrive some seconds after the page.
  await expect(async () => {
    await page.goto(`${topology.jaeger.url}/?${query}`);
    await page.locator(".traces a").first().click();
    await expect(page.getByText("clickhouse query").first()).toBeVisible({ timeout: 2_000 });
  }).toPass({ timeout: 120_000 });
  const rows = page.locator(".spans button");
  await rows.first().focus();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await expect(rows.nth(1)).toHaveAttribute("aria-expanded", "true");
  await page.screenshot({ path: `${FOLDER}/trace.png` });
});
