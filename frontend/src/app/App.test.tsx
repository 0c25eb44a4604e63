import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, describe, expect, test, vi } from "vitest";
import { today } from "../features/report/periods/period";
import { PeriodKind } from "../gen/bionicpro/reports/v1/report_pb.js";
import { renderApp, signedOut } from "../test/render";
import { operator, patient, sampleReport } from "../test/sample";

const REPORT = "/reports?period=month&day=2026-09-01";

afterEach(() => vi.unstubAllGlobals());

async function chooseSignOut() {
  await userEvent.click(await screen.findByRole("button", { name: "Account: Anna Orlova" }));
  // Without a layout the menu counts as scrolled out of sight.
  const item = { name: "Sign out", hidden: true };
  await userEvent.click(await screen.findByRole("menuitem", item));
}

describe("somebody who is not signed in", () => {
  test("is welcomed with one way in", async () => {
    renderApp("/", signedOut);
    const link = await screen.findByRole("link", { name: "Sign in" });
    expect(link.getAttribute("href")).toBe("/auth/sign-in?return_to=%2Freports&locale=en");
  });

  test("comes back to the page that they asked for", async () => {
    renderApp(REPORT, signedOut);
    const link = await screen.findByRole("link", { name: "Sign in" });
    const href = new URL(link.getAttribute("href") ?? "", "http://app.example");
    expect(href.searchParams.get("return_to")).toBe(REPORT);
  });

  test("is told why a sign-in failed", async () => {
    renderApp("/sign-in/failed?reason=SIGN_IN_ATTEMPT_INVALID", signedOut);
    const notice = await screen.findByRole("alert");
    expect(notice.textContent).toContain("can no longer be completed");
    expect(within(notice).getByRole("link", { name: "Sign in" })).toBeTruthy();
  });

  test("reads no text that a link smuggled in as a reason", async () => {
    renderApp("/sign-in/failed?reason=Call%20this%20number", signedOut);
    const notice = await screen.findByRole("alert");
    expect(notice.textContent).not.toContain("Call this number");
  });
});

describe("a patient", () => {
  test("sees whose report it is, its summary and its numbers", async () => {
    renderApp(REPORT);
    expect(await screen.findByRole("heading", { level: 1, name: "Report for Anna Orlova" }));
    expect(screen.getByText(/You used your prosthesis on 27 of 30 days/)).toBeTruthy();
    expect(screen.getByText("7% faster")).toBeTruthy();
  });

  test("reads the chart's numbers as a table", async () => {
    renderApp(REPORT);
    const card = await screen.findByRole("region", { name: "Grips" });
    await userEvent.click(within(card).getByRole("radio", { name: "Table" }));
    const table = within(card).getByRole("table", { name: "Grips" });
    expect(within(table).getByRole("row", { name: /Power grip 2,000/ })).toBeTruthy();
  });

  test("reaches the values of a chart by keyboard", async () => {
    renderApp(REPORT);
    const slider = await screen.findByRole("slider", { name: /^Use over the days/ });
    expect(slider.getAttribute("aria-valuetext")).toMatch(/1 September 2026, .*, .*grips/);
  });

  test("changes the language, and the page says so", async () => {
    renderApp(REPORT);
    await userEvent.click(await screen.findByRole("button", { name: "Русский" }));
    expect(screen.getByRole("heading", { level: 1, name: "Отчёт: Anna Orlova" })).toBeTruthy();
    expect(document.documentElement.lang).toBe("ru");
    expect(localStorage.getItem("bionicpro.locale")).toBe("ru");
  });

  test("asks for another kind of period through the address", async () => {
    const getReport = vi.fn(() => ({ report: sampleReport() }));
    renderApp(REPORT, {}, { getReport });
    await userEvent.click(await screen.findByRole("radio", { name: "Week" }));
    expect(window.location.search).toBe("?period=week&day=2026-09-28");
    expect(getReport).toHaveBeenLastCalledWith(
      expect.objectContaining({
        period: expect.objectContaining({ kind: PeriodKind.WEEK, day: "2026-09-28" }),
      }),
      expect.anything(),
    );
  });

  test("is told when a period has no readings, and where to find some", async () => {
    const report = sampleReport();
    if (report.totals) report.totals.readings = 0n;
    renderApp(REPORT, {}, { getReport: () => ({ report }) });
    expect(await screen.findByText("No readings in this period")).toBeTruthy();
    const link = screen.getByRole("link", { name: /latest period with readings/ });
    expect(link.getAttribute("href")).toBe("/reports?period=month");
  });

  test("is told when the readings of a period are still to come", async () => {
    const report = sampleReport();
    if (report.totals) report.totals.readings = 0n;
    const moment = timestampFromDate(new Date("2026-09-10T00:00:00Z"));
    if (report.freshness) report.freshness.telemetryWatermark = moment;
    renderApp(REPORT, {}, { getReport: () => ({ report }) });
    expect(await screen.findByText(/still being loaded/)).toBeTruthy();
    expect(screen.queryByText("No readings in this period")).toBeNull();
  });

  test("is not told that today sent nothing before today is loaded", async () => {
    const report = sampleReport();
    if (report.totals) report.totals.readings = 0n;
    if (report.period) report.period.startDay = report.period.endDay = today();
    const moment = timestampFromDate(new Date(`${today()}T00:00:00Z`));
    if (report.freshness) report.freshness.telemetryWatermark = moment;
    renderApp(`/reports?period=day&day=${today()}`, {}, { getReport: () => ({ report }) });
    expect(await screen.findByText("These days are not loaded yet")).toBeTruthy();
    expect(screen.queryByText(/sent nothing/)).toBeNull();
  });

  test("is warned when the readings are old", async () => {
    renderApp(REPORT);
    expect(await screen.findByText(/older than usual/)).toBeTruthy();
  });

  test("sees the report after a failed call succeeds", async () => {
    let calls = 0;
    renderApp(
      REPORT,
      {},
      {
        getReport: () => {
          calls += 1;
          if (calls === 1) throw new ConnectError("broken", Code.Internal);
          return { report: sampleReport() };
        },
      },
    );
    await userEvent.click(await screen.findByRole("button", { name: "Try again" }));
    expect(await screen.findByText(/You used your prosthesis/)).toBeTruthy();
  });

  test("whose session ends is asked to sign in and come back here", async () => {
    let ended = false;
    const ends = () => {
      ended = true;
      throw new ConnectError("ended", Code.Unauthenticated);
    };
    renderApp(REPORT, { getMe: () => (ended ? ends() : patient) }, { getReport: ends });
    expect(await screen.findByText("Your session has ended")).toBeTruthy();
    const link = screen.getByRole("link", { name: "Sign in" });
    expect(link.getAttribute("href")).toContain(encodeURIComponent(REPORT));
  });

  test("who opens an old way back from the sign-in again is told that they are signed in", async () => {
    renderApp("/sign-in/failed?reason=SIGN_IN_ATTEMPT_INVALID");
    expect(await screen.findByText("You are signed in already")).toBeTruthy();
    expect(screen.queryByRole("link", { name: "Sign in" })).toBeNull();
  });

  test("signs out here and in the other tabs", async () => {
    const fetched = vi.fn(async () => new Response(null, { status: 204 }));
    vi.stubGlobal("fetch", fetched);
    const heard: unknown[] = [];
    const other = new BroadcastChannel("bionicpro.session");
    other.onmessage = ({ data }) => heard.push(data);
    renderApp(REPORT);
    await chooseSignOut();
    expect(await screen.findByText("You are signed out")).toBeTruthy();
    expect(fetched).toHaveBeenCalledWith("/auth/sign-out", {
      method: "POST",
      headers: { "x-bionicpro-csrf": "1" },
    });
    await waitFor(() => expect(heard).toContain("signed-out"));
    other.close();
  });

  test("is told, in every tab, when the sign-in service still knows them", async () => {
    const body = JSON.stringify({ identity_provider_session_ended: false });
    vi.stubGlobal("fetch", async () => new Response(body, { status: 200 }));
    const heard: unknown[] = [];
    const other = new BroadcastChannel("bionicpro.session");
    other.onmessage = ({ data }) => heard.push(data);
    renderApp(REPORT);
    await chooseSignOut();
    const notice = await screen.findByRole("alert");
    expect(notice.textContent).toContain("signed out here, but not at the sign-in service");
    const finish = within(notice).getByRole("link", { name: "Finish signing out" });
    expect(finish.getAttribute("href")).toBe("/auth/identity-provider/sign-out");
    expect(screen.queryByText("You are signed out")).toBeNull();
    await waitFor(() => expect(heard).toContain("signed-out-here"));
    other.close();
  });

  test("hears it when signing out did not work", async () => {
    vi.stubGlobal("fetch", async () => new Response(null, { status: 503 }));
    renderApp(REPORT);
    await chooseSignOut();
    expect(await screen.findByText(/You may still be signed in/)).toBeTruthy();
    expect(screen.queryByText("You are signed out")).toBeNull();
  });

  test("is signed out when another tab signs out", async () => {
    renderApp(REPORT);
    await screen.findByRole("heading", { level: 1, name: "Report for Anna Orlova" });
    const other = new BroadcastChannel("bionicpro.session");
    other.postMessage("signed-out");
    expect(await screen.findByText("You are signed out")).toBeTruthy();
    other.close();
  });
});

test("an operator is told what they can do, and no report is asked for", async () => {
  const getReport = vi.fn(() => ({ report: sampleReport() }));
  renderApp("/reports", { getMe: () => operator }, { getReport });
  expect(await screen.findByText(/signed in as staff/)).toBeTruthy();
  expect(getReport).not.toHaveBeenCalled();
});

test("an address without a page says so and leads home", async () => {
  renderApp("/nowhere");
  expect(await screen.findByText("There is no such page")).toBeTruthy();
  expect(screen.getByRole("link", { name: "Go to your report" })).toBeTruthy();
});
