// What every test of the app does: sign in through the identity provider's own
// page, and fail on what a page must never do.

import { type BrowserContext, test as base, expect, type Page } from "@playwright/test";
import { type User, user } from "./topology";

/** Fails a test in which a page broke the content security policy or threw. */
function watch(context: BrowserContext, problems: string[]) {
  context.on("weberror", (error) => problems.push(error.error().message));
  context.on("console", (message) => {
    if (message.text().includes("Content Security Policy")) problems.push(message.text());
  });
}

export const test = base.extend<{ clean: undefined }>({
  clean: [
    async ({ context }, use) => {
      const problems: string[] = [];
      watch(context, problems);
      await use(undefined);
      expect(problems).toEqual([]);
    },
    { auto: true },
  ],
});

export async function typePassword(page: Page, { username, password }: User) {
  await page.locator("#username").fill(username);
  await page.locator("#password").fill(password);
  await page.locator("#kc-login").click();
}

/** Signs in from the page that is asked for, and waits until it is there. */
export async function signIn(page: Page, username: string, path = "/") {
  const who = user(username);
  await page.goto(path);
  await page.getByRole("link", { name: "Sign in" }).click();
  await typePassword(page, who);
  await expect(accountButton(page, who)).toBeVisible();
}

export function accountButton(page: Page, who: User) {
  return page.getByRole("button", { name: `Account: ${who.first_name} ${who.last_name}` });
}

export async function signOut(page: Page, username: string) {
  await accountButton(page, user(username)).click();
  await page.getByRole("menuitem", { name: "Sign out" }).click();
  await expect(page.getByRole("heading", { name: "You are signed out" })).toBeVisible();
}

/** The report is there once its first heading number is. */
export async function waitForReport(page: Page) {
  await expect(page.locator("[data-headline=readings]")).toBeVisible();
}

export { expect };
