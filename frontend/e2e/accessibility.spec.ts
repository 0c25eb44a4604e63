import AxeBuilder from "@axe-core/playwright";
import type { Page } from "@playwright/test";
import { expect, signIn, test, waitForReport } from "./app";

/** What axe finds of weight against WCAG 2.2 AA. */
async function violations(page: Page) {
  const { violations: found } = await new AxeBuilder({ page })
    .withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"])
    .analyze();
  return found
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.target.join(" ")).join(", ")}`);
}

for (const colorScheme of ["light", "dark"] as const) {
  test.describe(`in the ${colorScheme} theme`, () => {
    test.use({ colorScheme });

    test("the way in has no serious barrier", async ({ page }) => {
      await page.goto("/");
      await expect(page.getByRole("link", { name: "Sign in" })).toBeVisible();
      expect(await violations(page)).toEqual([]);
    });

    test("a failed sign-in has no serious barrier", async ({ page }) => {
      await page.goto("/sign-in/failed?reason=SIGN_IN_REFUSED");
      await expect(page.getByRole("alert")).toBeVisible();
      expect(await violations(page)).toEqual([]);
    });

    test("the report has no serious barrier, as charts, as tables and while a day is chosen", async ({
      page,
    }) => {
      await signIn(page, "prothetic1");
      await waitForReport(page);
      await expect(page.locator("[data-chart=grips] canvas")).toBeVisible();
      expect(await violations(page)).toEqual([]);
      for (const table of await page.getByText("Table", { exact: true }).all()) await table.click();
      expect(await violations(page)).toEqual([]);
      await page.getByRole("button", { name: /choose another period/ }).click();
      await expect(page.getByRole("dialog")).toBeVisible();
      expect(await violations(page)).toEqual([]);
    });
  });
}

test("the first stop of the keyboard leads past the header", async ({ page }) => {
  await page.goto("/");
  await expect(page.getByRole("link", { name: "Sign in" })).toBeVisible();
  await page.keyboard.press("Tab");
  await expect(page.getByRole("link", { name: "Skip to content" })).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("main")).toBeFocused();
});

test("a phone's width of 360 pixels needs no sideways scrolling", async ({ page }) => {
  await page.setViewportSize({ width: 360, height: 740 });
  await signIn(page, "prothetic1");
  await waitForReport(page);
  const overflow = await page.evaluate(
    () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
  );
  expect(overflow).toBe(0);
});
