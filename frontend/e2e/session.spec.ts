import { accountButton, expect, signIn, signOut, test, typePassword, waitForReport } from "./app";
import { topology, user } from "./topology";

test("a patient signs in through the identity provider and sees their report", async ({ page }) => {
  await signIn(page, "prothetic1");
  await waitForReport(page);
  await expect(page.getByRole("heading", { level: 1 })).toContainText("Report for");
});

test("signing in leads back to the page that was asked for", async ({ page }) => {
  await signIn(page, "prothetic1", "/reports?period=week");
  await expect(page).toHaveURL(/\/reports\?period=week$/);
});

test("two tabs that reload at once both stay signed in", async ({ page, context }) => {
  await signIn(page, "prothetic1");
  const other = await context.newPage();
  await other.goto("/reports");
  await waitForReport(other);
  await Promise.all([page.reload(), other.reload()]);
  await Promise.all([waitForReport(page), waitForReport(other)]);
});

test("two tabs can sign in at the same time", async ({ page, context }) => {
  const other = await context.newPage();
  for (const tab of [page, other]) {
    await tab.goto("/");
    await tab.getByRole("link", { name: "Sign in" }).click();
    await expect(tab.locator("#username")).toBeVisible();
  }
  await typePassword(page, user("prothetic1"));
  await waitForReport(page);
});

test("signing out ends the session here, in other tabs and at the identity provider", async ({
  page,
  context,
}) => {
  await signIn(page, "prothetic1");
  const other = await context.newPage();
  await other.goto("/reports");
  await waitForReport(other);

  await signOut(page, "prothetic1");
  await expect(other.getByRole("heading", { name: "You are signed out" })).toBeVisible();
  const cookies = await context.cookies(topology.gateway.public_url);
  expect(cookies.filter((cookie) => cookie.name.startsWith("__Host-"))).toEqual([]);

  await page.goto("/reports");
  await page.getByRole("link", { name: "Sign in" }).click();
  await expect(page.locator("#password")).toBeVisible();
});

test("a stolen cookie opens nothing once its owner has signed out", async ({ page, browser }) => {
  await signIn(page, "prothetic1");
  const stolen = await page.context().storageState();
  await signOut(page, "prothetic1");
  const thief = await browser.newContext({ storageState: stolen });
  const theirs = await thief.newPage();
  await theirs.goto(`${topology.gateway.public_url}/reports`);
  await expect(theirs.getByRole("link", { name: "Sign in" })).toBeVisible();
  await thief.close();
});

test("no script of the page can read the session", async ({ page }) => {
  await signIn(page, "prothetic1");
  expect(await page.evaluate(() => document.cookie)).toBe("");
});

test("an operator is told what they can do", async ({ page }) => {
  await signIn(page, "operator1");
  await expect(page.getByText("signed in as staff")).toBeVisible();
  await expect(accountButton(page, user("operator1"))).toBeVisible();
});

for (const [what, path, text] of [
  [
    "a forged answer of the identity provider",
    "/auth/callback?state=forged.state&code=forged",
    "can no longer be completed",
  ],
  [
    "a way back to another site",
    "/auth/sign-in?return_to=https%3A%2F%2Fexample.com&locale=en",
    "leads somewhere else",
  ],
] as const) {
  test(`${what} ends on a page that says what to do`, async ({ page }) => {
    await page.goto(path);
    await expect(page).toHaveURL(/\/sign-in\/failed\?reason=/);
    await expect(page.getByRole("alert")).toContainText(text);
    await expect(page.getByRole("link", { name: "Sign in" })).toBeVisible();
  });
}
