// A change in the CRM on its way to the page that shows it.

import { randomUUID } from "node:crypto";
import { en } from "../src/i18n/en";
import { test as base, expect, signIn, waitForReport } from "./app";
import { fullNameOf, rename } from "./source";
import { user } from "./topology";

/** From the commit in the CRM's Postgres to the page. */
const LIMIT_MS = 5_000;
const USERNAME = "prothetic2";
const customerId = user(USERNAME).customer_id ?? "";

/** The customer has their own name again afterwards, also when the test fails. */
const test = base.extend<{ ownName: string }>({
  ownName: async ({ clean: _ }, use) => {
    const name = await fullNameOf(customerId);
    await use(name);
    await rename(customerId, name);
  },
});

test("a name that is changed in the CRM is on the report page within five seconds", async ({
  page,
  ownName,
}) => {
  await signIn(page, USERNAME);
  await waitForReport(page);
  const heading = page.getByRole("heading", { level: 1 });
  await expect(heading).toHaveText(en.report.of(ownName));

  const newName = `Renamed ${randomUUID()}`;
  await rename(customerId, newName);
  await expect(async () => {
    await page.reload();
    await waitForReport(page);
    expect(await heading.textContent()).toBe(en.report.of(newName));
  }).toPass({ timeout: LIMIT_MS });
});
