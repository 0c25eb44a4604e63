// Takes the pictures of docs/screenshots, when BIONICPRO_SCREENSHOTS is set.

import type { Page } from "@playwright/test";
import { expect, signIn, test, waitForReport } from "./app";

const FOLDER = "../docs/screenshots";
const widths = [1280, 390];
const locales = ["en", "ru"];
const themes = ["light", "dark"];

test.skip(!process.env.BIONICPRO_SCREENSHOTS, "BIONICPRO_SCREENSHOTS is not set");
test.use({ contextOptions: { reducedMotion: "reduce" } });

async function show(page: Page, locale: string, theme: string, width: number) {
  await page.setViewportSize({ width, height: 900 });
  await page.evaluate(
    ([language, scheme]) => {
      localStorage.setItem("bionicpro.locale", language ?? "");
      localStorage.setItem("bionicpro.theme", scheme ?? "");
    },
    [locale, theme],
  );
  await page.reload();
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
