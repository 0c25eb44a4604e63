import { screen, within } from "@testing-library/react";
import { describe, expect, test, vi } from "vitest";
import { renderApp, signedOut } from "../test/render";
import { operator } from "../test/sample";

const PAGE = "/reports/exports";

describe("the way to the exports", () => {
  test("is marked as the page that is shown", async () => {
    renderApp(PAGE);
    const ways = await screen.findByRole("navigation", { name: "Your pages" });
    const current = within(ways).getByRole("link", { current: "page" });
    expect(current.textContent).toBe("Exports");
  });

  test("leads through the sign-in", async () => {
    renderApp(PAGE, signedOut);
    const link = await screen.findByRole("link", { name: "Sign in" });
    expect(link.getAttribute("href")).toContain(encodeURIComponent(PAGE));
    expect(screen.queryByRole("navigation")).toBeNull();
  });

  test("is not there for staff", async () => {
    const listExports = vi.fn(() => ({ exports: [] }));
    renderApp(PAGE, { getMe: () => operator }, { listExports });
    expect(await screen.findByText(/signed in as staff/)).toBeTruthy();
    expect(screen.queryByRole("navigation")).toBeNull();
    expect(listExports).not.toHaveBeenCalled();
  });
});
