import type { Page } from "@playwright/test";
import { en } from "../src/i18n/en";
import { formats } from "../src/i18n/format";
import { expect, signIn, test, waitForReport } from "./app";
import { type Expected, expectedOf, type Numbers } from "./source";
import { user } from "./topology";

const format = formats.en;

/** The table of a chart, row by row, as a person reads it. */
async function tableOf(page: Page, chart: string): Promise<string[][]> {
  const card = page.locator(`[data-chart=${chart}]`);
  await card.getByText("Table", { exact: true }).click();
  const rows = card.locator("tbody tr");
  await expect(rows.first()).toBeVisible();
  return rows.evaluateAll((found) =>
    found.map((row) => [...row.children].map((cell) => cell.textContent ?? "")),
  );
}

/** Rows with equal numbers have no order of their own. */
function inAnyOrder(rows: string[][]): string[][] {
  return rows.toSorted((one, other) => one.join().localeCompare(other.join()));
}

async function expectHeadlines(page: Page, totals: Numbers) {
  const headlines = {
    readings: format.integer(totals.readings),
    use: format.duration(totals.useMs),
    "active-days": format.integer(totals.activeDays),
    response: format.milliseconds(totals.responseMsMean),
    force: format.newtons(totals.forceMnMean),
    "emg-quality": format.percent(totals.emgQualityPctMean / 100),
    battery: format.percent(totals.batteryPctMin / 100),
    faults: format.integer(totals.faults),
  };
  for (const [id, value] of Object.entries(headlines)) {
    const tile = page.locator(`[data-headline=${id}]`);
    await expect(tile.locator("dd").first()).toHaveText(value);
  }
  await expect(page.locator("[data-headline=response]")).toContainText(
    en.totals.p95(format.milliseconds(totals.responseMsP95)),
  );
}

async function expectTables(page: Page, expected: Expected) {
  const { days, grips, faults, totals } = expected;
  expect(await tableOf(page, "use")).toEqual(
    days.map((day) => [
      format.day(day.day, "full"),
      format.duration(day.useMs),
      format.integer(day.readings),
      format.integer(day.faults),
    ]),
  );
  expect(await tableOf(page, "response")).toEqual(
    days.map((day) => [
      format.day(day.day, "full"),
      format.milliseconds(day.responseMsMean),
      format.milliseconds(day.responseMsP95),
    ]),
  );
  expect(inAnyOrder(await tableOf(page, "grips"))).toEqual(
    inAnyOrder(
      grips.map(({ grip, readings, useMs }) => [
        en.grips[grip] ?? grip,
        format.integer(readings),
        format.share(readings / totals.readings),
        format.duration(useMs),
      ]),
    ),
  );
  if (faults.length === 0) {
    await expect(page.locator("[data-chart=faults]")).toContainText(en.charts.noFaults);
    return;
  }
  expect(inAnyOrder(await tableOf(page, "faults"))).toEqual(
    inAnyOrder(
      faults.map(({ faultCode, readings, lastDay }) => [
        en.faults[faultCode] ?? faultCode,
        format.integer(readings),
        format.day(lastDay, "long"),
      ]),
    ),
  );
}

async function openAll(page: Page, username: string, { firstDay, lastDay }: Expected) {
  await signIn(page, username, `/reports?period=range&day=${firstDay}&end=${lastDay}`);
  await waitForReport(page);
}

for (const username of ["prothetic1", "prothetic2"]) {
  test(`every number that ${username} sees is that of the source databases`, async ({ page }) => {
    const expected = await expectedOf(user(username).customer_id ?? "");
    // The shared prosthesis also has readings of the other owner: not these.
    expect(expected.ofOthers).toBeGreaterThan(0);
    await openAll(page, username, expected);
    await expectHeadlines(page, expected.totals);
    await expectTables(page, expected);
  });
}

test("the two owners of one prosthesis see different reports", async () => {
  const [one, two] = await Promise.all(
    ["prothetic1", "prothetic2"].map((name) => expectedOf(user(name).customer_id ?? "")),
  );
  expect(one?.totals).not.toEqual(two?.totals);
});

test("the charts are drawn, and their values can be walked through by keyboard", async ({
  page,
}) => {
  const expected = await expectedOf(user("prothetic1").customer_id ?? "");
  await openAll(page, "prothetic1", expected);
  await expect(page.locator("[data-chart=use] canvas")).toBeVisible();
  const slider = page.getByRole("slider", { name: /^Use over the days/ });
  const [first, second] = expected.days;
  await slider.focus();
  await expect(slider).toHaveAttribute(
    "aria-valuetext",
    new RegExp(format.day(first?.day ?? "", "full")),
  );
  await page.keyboard.press("ArrowRight");
  await expect(slider).toHaveAttribute(
    "aria-valuetext",
    new RegExp(format.day(second?.day ?? "", "full")),
  );
});

test("the report opens on the latest month and steps back and forth", async ({ page }) => {
  await signIn(page, "prothetic1");
  await waitForReport(page);
  const { lastDay } = await expectedOf(user("prothetic1").customer_id ?? "");
  const picker = page.getByRole("button", { name: /choose another period/ });
  await expect(picker).toContainText(format.day(lastDay, "month"));
  await page.getByRole("button", { name: "Previous month" }).click();
  await expect(picker).not.toContainText(format.day(lastDay, "month"));
  await page.goBack();
  await expect(picker).toContainText(format.day(lastDay, "month"));
});

test("days before the first reading are an empty report that leads to the latest", async ({
  page,
}) => {
  await signIn(page, "prothetic1", "/reports?period=month&day=2010-01-01");
  await expect(page.getByText("No readings in this period")).toBeVisible();
  await page.getByRole("link", { name: /latest period/ }).click();
  await waitForReport(page);
});

test("a range that is too long is refused with a reason", async ({ page }) => {
  await signIn(page, "prothetic1", "/reports?period=range&day=2024-01-01&end=2026-01-01");
  await expect(page.getByRole("alert")).toContainText("PERIOD_INVALID");
});

test("every report says how fresh it is", async ({ page }) => {
  await signIn(page, "prothetic1");
  await waitForReport(page);
  const line = page.locator("[data-freshness]");
  await expect(line).toContainText(/Readings up to .* UTC/);
  await expect(line).toContainText(/customer data up to .* UTC/);
});

test("language and theme stay chosen", async ({ page }) => {
  await signIn(page, "prothetic1");
  await page.getByRole("button", { name: "Русский" }).click();
  await page.getByRole("button", { name: /^Тема/ }).click();
  await page.getByRole("menuitemradio", { name: "Тёмная" }).click();
  await page.reload();
  await expect(page.getByRole("heading", { level: 1 })).toContainText("Отчёт");
  await expect(page.locator("html")).toHaveAttribute("lang", "ru");
  await expect(page.locator("html")).toHaveAttribute("data-mantine-color-scheme", "dark");
});
