import { screen, waitFor } from "@testing-library/react";
import { afterEach, describe, expect, test, vi } from "vitest";
import { renderApp } from "../../test/render";
import { sampleReport } from "../../test/sample";

const HALF_A_MINUTE = 30_000;

afterEach(() => vi.useRealTimers());

/** Opens September 2026 at a time; tells the calls and adds a reading to each answer. */
async function openedAt(time: string) {
  vi.useFakeTimers({ shouldAdvanceTime: true, now: new Date(time) });
  const getReport = vi.fn(() => {
    const report = sampleReport();
    if (report.totals) report.totals.readings = BigInt(getReport.mock.calls.length);
    return { report };
  });
  renderApp("/reports?period=month&day=2026-09-01", {}, { getReport });
  await waitFor(() => expect(readings()).toBe("1"));
  return getReport;
}

const readings = () => document.querySelector("[data-headline=readings] dd")?.textContent;

describe("an open report", () => {
  test("of a period that goes on shows what devices have sent since", async () => {
    await openedAt("2026-09-30T12:00:00Z");
    await vi.advanceTimersByTimeAsync(HALF_A_MINUTE);
    await waitFor(() => expect(readings()).toBe("2"));
    expect(screen.queryByRole("alert")).toBeNull();
  });

  test("of a period that is over is not asked for again", async () => {
    const getReport = await openedAt("2026-10-01T12:00:00Z");
    await vi.advanceTimersByTimeAsync(4 * HALF_A_MINUTE);
    expect(getReport).toHaveBeenCalledTimes(1);
  });
});
