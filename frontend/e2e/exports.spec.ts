// A report as a file: asked for, made, downloaded, and refused to everybody else.

import { readFile } from "node:fs/promises";
import AxeBuilder from "@axe-core/playwright";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import type { Locator, Page } from "@playwright/test";
import { type Dictionary, en } from "../src/i18n/en";
import { formats } from "../src/i18n/format";
import type { Locale } from "../src/i18n/locale";
import { ru } from "../src/i18n/ru";
import { expect, signIn, test, waitForReport } from "./app";
import { removeFile } from "./file-store";
import { expectedOf } from "./source";
import { topology, user } from "./topology";

const USERNAME = "prothetic1";
const dictionaries: Record<Locale, Dictionary> = { en, ru };
/** The first line of a table, as the language names its columns. */
const headers: Record<Locale, string> = {
  en: "Section,From,To,Item,Measure,Value,Unit",
  ru: "Раздел,С,По,Объект,Показатель,Значение,Единица",
};

/** A google.rpc message of one text, or of one message, and of what follows. */
function message(
  field: number,
  value: string | Uint8Array,
  rest: Uint8Array = new Uint8Array(),
): Uint8Array {
  const writer = new BinaryWriter().tag(field, WireType.LengthDelimited);
  const written = typeof value === "string" ? writer.string(value) : writer.bytes(value);
  return Buffer.concat([written.finish(), rest]);
}

function detail(type: string, value: Uint8Array): Uint8Array {
  return message(3, message(1, `type.googleapis.com/google.rpc.${type}`, message(2, value)));
}

/** How the service refuses one export too many (AIP-193), to be retried in two seconds. */
const tooMany = {
  "content-type": "application/grpc-web+proto",
  "grpc-status": "8",
  "grpc-status-details-bin": Buffer.concat([
    new BinaryWriter().tag(1, WireType.Varint).int32(8).finish(),
    detail("ErrorInfo", message(1, "TOO_MANY_EXPORTS", message(2, "bionicpro"))),
    detail("RetryInfo", message(1, new BinaryWriter().tag(1, WireType.Varint).int64(2).finish())),
  ]).toString("base64"),
};

/** Shows the report of a day that has readings, in a language. */
async function openReport(page: Page, locale: Locale, day: string) {
  await signIn(page, USERNAME, `/reports?period=day&day=${day}`);
  await page.evaluate((chosen) => localStorage.setItem("bionicpro.locale", chosen), locale);
  await page.reload();
  await waitForReport(page);
}

async function lastDay(): Promise<string> {
  return (await expectedOf(user(USERNAME).customer_id ?? "")).lastDay;
}

/** Makes a file of the report that is shown; its row, once the file is there. */
async function make(page: Page, t: Dictionary, format: "csv" | "json"): Promise<Locator> {
  await page.getByRole("button", { name: t.exports.export, exact: true }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByText(t.exports.formats[format]).click();
  await dialog.getByRole("button", { name: t.exports.make }).click();
  const row = page.locator("[data-new]");
  await expect(row).toHaveAttribute("data-state", "ready");
  return row;
}

function downloadLink(row: Locator, t: Dictionary): Locator {
  return row.getByRole("link", { name: new RegExp(`^${t.exports.download}`) });
}

/** What a click on the row's link brings, and under which name. */
async function download(page: Page, link: Locator): Promise<{ name: string; text: string }> {
  const [file] = await Promise.all([page.waitForEvent("download"), link.click()]);
  return { name: file.suggestedFilename(), text: await readFile(await file.path(), "utf8") };
}

for (const locale of ["en", "ru"] as const) {
  test(`a table is made and downloaded in the language of the page, ${locale}`, async ({
    page,
  }) => {
    const t = dictionaries[locale];
    const day = await lastDay();
    await openReport(page, locale, day);
    const row = await make(page, t, "csv");
    await expect(page.locator("[data-news]")).toContainText(t.exports.formats.csv);
    await expect(row.getByRole("heading")).toHaveText(formats[locale].day(day, "full"));
    await expect(row).toContainText(t.exports.languages[locale]);

    const { name, text } = await download(page, downloadLink(row, t));
    expect(name).toMatch(/\.csv$/);
    expect(text.startsWith("\uFEFF")).toBe(true);
    const [first, ...lines] = text.slice(1).trimEnd().split("\r\n");
    expect(first).toBe(headers[locale]);
    expect(lines.filter((line) => line.includes(day)).length).toBeGreaterThan(0);
    const size = formats[locale].bytes(Buffer.byteLength(text));
    await expect(downloadLink(row, t)).toContainText(size);
  });
}

test("a data file has the numbers of the source databases", async ({ page }) => {
  const { days, lastDay: day } = await expectedOf(user(USERNAME).customer_id ?? "");
  await openReport(page, "en", day);
  const { name, text } = await download(page, downloadLink(await make(page, en, "json"), en));
  expect(name).toMatch(/\.json$/);
  const { totals, period } = JSON.parse(text);
  expect(period).toMatchObject({ start_day: day, end_day: day });
  const expected = days.at(-1);
  expect(totals).toMatchObject({ readings: expected?.readings, use_ms: expected?.useMs });
});

test("a link that is copied opens nothing in another browser, and nothing for another patient", async ({
  page,
  browser,
}) => {
  await openReport(page, "en", await lastDay());
  const link = downloadLink(await make(page, en, "csv"), en);
  // In the CDN's cache before anybody else asks for it.
  await download(page, link);
  const url = `${topology.gateway.public_url}${await link.getAttribute("href")}`;
  expect((await page.request.get(url)).status()).toBe(200);

  const stranger = await browser.newContext();
  expect((await stranger.request.get(url)).status()).toBe(401);
  const theirs = await stranger.newPage();
  await theirs.goto(topology.gateway.public_url);
  await theirs.getByRole("link", { name: "Sign in" }).click();
  await theirs.locator("#username").fill(user("prothetic2").username);
  await theirs.locator("#password").fill(user("prothetic2").password);
  await theirs.locator("#kc-login").click();
  await waitForReport(theirs);
  expect((await stranger.request.get(url)).status()).toBe(403);
  await stranger.close();
});

test("a file is made and downloaded by keyboard alone", async ({ page }) => {
  await openReport(page, "en", await lastDay());
  const button = page.getByRole("button", { name: "Export", exact: true });
  await button.focus();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("radio", { name: /^Spreadsheet/ })).toBeFocused();
  await page.keyboard.press("Escape");
  await expect(button).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("radio", { name: /^Spreadsheet/ })).toBeFocused();
  await page.keyboard.press("ArrowDown");
  await expect(page.getByRole("radio", { name: /^Data file/ })).toBeChecked();
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { level: 1, name: "Your exports" })).toBeFocused();

  const link = downloadLink(page.locator("[data-new]"), en);
  await expect(link).toBeVisible();
  while (!(await link.evaluate((it) => it === document.activeElement))) {
    await page.keyboard.press("Tab");
  }
  const [file] = await Promise.all([page.waitForEvent("download"), page.keyboard.press("Enter")]);
  expect(file.suggestedFilename()).toMatch(/\.json$/);
  expect(await file.failure()).toBeNull();
});

test("a click on a link that has ended still brings the file", async ({ page }) => {
  await openReport(page, "en", await lastDay());
  const link = downloadLink(await make(page, en, "csv"), en);
  await link.evaluate((it) => {
    const url = new URL(it.getAttribute("href") ?? "", window.location.href);
    url.searchParams.set("expires", "1");
    it.setAttribute("href", `${url.pathname}${url.search}`);
  });
  expect((await download(page, link)).text.length).toBeGreaterThan(0);
  await expect(page.getByRole("heading", { level: 1, name: "Your exports" })).toBeVisible();
});

test("a file that is gone from the store is made again", async ({ page }) => {
  await openReport(page, "ru", await lastDay());
  const row = await make(page, ru, "csv");
  const first = await download(page, downloadLink(row, ru));
  const href = await downloadLink(row, ru).getAttribute("href");
  await removeFile(href?.split("/")[2] ?? "");
  await downloadLink(row, ru).click();
  await expect(row).toHaveAttribute("data-state", "failed");
  await expect(row).toContainText(ru.failures.known.EXPORT_FILE_LOST?.text ?? "");
  await expect(row).toBeFocused();
  await expect(page.locator("[data-news]")).toContainText("Файла больше нет");
  await row.getByRole("button", { name: ru.exports.again }).click();
  await expect(row).toHaveAttribute("data-state", "ready");
  expect(await download(page, downloadLink(row, ru))).toEqual(first);
});

test("too many exports at a time are said, and asked for again when there is room", async ({
  page,
}) => {
  await openReport(page, "en", await lastDay());
  const calls = "**/bionicpro.reports.v1.ReportsService/ExportReport";
  let refused = 0;
  // The refusal of a queue that is full for some seconds, longer than is worth no word; what comes
  // after it is the real one's answer.
  await page.route(
    calls,
    (route) => {
      refused += 1;
      return route.fulfill({ headers: tooMany, body: "" });
    },
    { times: 3 },
  );
  await page.getByRole("button", { name: "Export", exact: true }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("button", { name: en.exports.make }).click();
  await expect(dialog.getByRole("alert")).toContainText("Ten at a time are the most");
  await expect(page.locator("[data-new]")).toHaveAttribute("data-state", "ready");
  expect(refused).toBe(3);
});

for (const colorScheme of ["light", "dark"] as const) {
  test(`the exports and their dialog have no serious barrier in the ${colorScheme} theme`, async ({
    page,
  }) => {
    await page.emulateMedia({ colorScheme });
    const serious = async () => {
      const { violations } = await new AxeBuilder({ page }).analyze();
      return violations
        .filter(({ impact }) => impact === "serious" || impact === "critical")
        .map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(" ")).join(", ")}`);
    };
    await openReport(page, "en", await lastDay());
    await page.getByRole("button", { name: "Export", exact: true }).click();
    await expect(page.getByRole("dialog")).toBeVisible();
    expect(await serious()).toEqual([]);
    await page.keyboard.press("Escape");
    await make(page, en, "csv");
    expect(await serious()).toEqual([]);
  });
}

test("a phone's width of 360 pixels needs no sideways scrolling", async ({ page }) => {
  await page.setViewportSize({ width: 360, height: 740 });
  await openReport(page, "ru", await lastDay());
  await make(page, ru, "csv");
  const overflow = await page.evaluate(
    () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
  );
  expect(overflow).toBe(0);
});
