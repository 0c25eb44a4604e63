import { Code, ConnectError } from "@connectrpc/connect";
import { fireEvent, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, describe, expect, test, vi } from "vitest";
import { Reason } from "../../gen/bionicpro/error/v1/reason_pb.js";
import { ExportFormat, ExportState, Language } from "../../gen/bionicpro/reports/v1/export_pb.js";
import { PeriodKind } from "../../gen/bionicpro/reports/v1/report_pb.js";
import type {
  ExportReportRequest,
  ListExportsRequest,
} from "../../gen/bionicpro/reports/v1/reports_service_pb.js";
import { news, pending, row, service } from "../../test/exports";
import { renderApp } from "../../test/render";
import { sampleExport } from "../../test/sample";

const PAGE = "/reports/exports";
const REPORT = "/reports?period=month&day=2026-09-01";
const { FAILED } = ExportState;

afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

/** The links that were followed by a script, instead of a download that happens here. */
function watchDownloads(): { href: string | null; name: string }[] {
  const followed: { href: string | null; name: string }[] = [];
  vi.spyOn(HTMLAnchorElement.prototype, "click").mockImplementation(function (
    this: HTMLAnchorElement,
  ) {
    followed.push({ href: this.getAttribute("href"), name: this.download });
  });
  return followed;
}

describe("the list of exports", () => {
  test("says of a file what it is, how large and how fresh", async () => {
    renderApp(PAGE, {}, service([sampleExport("one")]));
    const item = await row();
    expect(within(item).getByRole("heading", { name: "September 2026" })).toBeTruthy();
    expect(item.textContent).toContain("Spreadsheet (CSV), in English");
    expect(item.textContent).toContain("Requested on 4 October 2026");
    expect(item.textContent).toContain("Readings up to 4 October 2026");
    expect(within(item).getByRole("link", { name: /^Download · 18\.4\skB ?, September 2026/ }));
    expect(document.title).toBe("Your exports · BionicPRO");
  });

  test("names no language of a file that is the same in every one", async () => {
    const json = { format: ExportFormat.JSON, language: Language.UNSPECIFIED };
    renderApp(PAGE, {}, service([sampleExport("one", json)]));
    const item = await row();
    expect(item.textContent).toContain("Data file (JSON)");
    expect(item.textContent).not.toContain("in English");
  });

  test("says when a file was made before its period was complete", async () => {
    const item = sampleExport("one", {
      period: {
        $typeName: "bionicpro.reports.v1.Period",
        kind: PeriodKind.MONTH,
        startDay: "2026-10-01",
        endDay: "2026-10-31",
      },
    });
    renderApp(PAGE, {}, service([item]));
    expect((await row()).textContent).toContain("Only readings up to 4 October 2026");
  });

  test("leads to the report of a file", async () => {
    renderApp(PAGE, {}, service([sampleExport("one")]));
    const link = within(await row()).getByRole("link", { name: "September 2026" });
    expect(link.getAttribute("href")).toBe(REPORT);
  });

  test("speaks Russian", async () => {
    document.documentElement.lang = "ru";
    renderApp(PAGE, {}, service([sampleExport("one", { language: Language.RUSSIAN })]));
    const item = await row();
    expect(item.textContent).toContain("Таблица (CSV), на русском");
    expect(within(item).getByRole("link", { name: /^Скачать · 18,4\sкБ/ })).toBeTruthy();
  });

  test("that is empty says how to make a file", async () => {
    renderApp(PAGE);
    expect(await screen.findByText("No exports yet")).toBeTruthy();
    expect(screen.getByText(/Open a report and choose Export/)).toBeTruthy();
    const home = screen.getByRole("link", { name: "Go to your report" });
    expect(home.getAttribute("href")).toBe("/reports");
  });

  test("that is loading says so", async () => {
    renderApp(PAGE, {}, { listExports: () => new Promise<never>(() => {}) });
    expect(await screen.findByRole("heading", { name: "Your exports" })).toBeTruthy();
    expect(screen.getByText("Loading…")).toBeTruthy();
  });

  test("that cannot be loaded says why and is loaded when asked", async () => {
    let broken = true;
    const { listExports } = service([sampleExport("one")]);
    renderApp(
      PAGE,
      {},
      {
        listExports: (request) => {
          if (broken) throw new ConnectError("broken", Code.Internal);
          return listExports(request);
        },
      },
    );
    expect((await screen.findByRole("alert")).textContent).toContain("Something went wrong");
    broken = false;
    await userEvent.click(screen.getByRole("button", { name: "Try again" }));
    expect(await row()).toBeTruthy();
  });

  test("that cannot be loaded anew stays, and says of when it is", async () => {
    let broken = false;
    vi.useFakeTimers({ toFake: ["Date"] });
    renderApp(
      PAGE,
      {},
      {
        listExports: () => {
          if (broken) throw new ConnectError("broken", Code.Internal);
          return { exports: [sampleExport("one")] };
        },
      },
    );
    await row();
    broken = true;
    vi.setSystemTime(Date.now() + 60_000);
    fireEvent(document, new Event("visibilitychange", { bubbles: true }));
    expect((await screen.findByRole("alert")).textContent).toContain("could not be updated");
    expect(await row()).toBeTruthy();
    broken = false;
    await userEvent.click(screen.getByRole("button", { name: "Try again" }));
    await waitFor(() => expect(screen.queryByRole("alert")).toBeNull());
  });

  test("shows more when asked, and the focus goes on there", async () => {
    const listExports = ({ pageToken }: ListExportsRequest) =>
      pageToken === ""
        ? { exports: [sampleExport("one")], nextPageToken: "next" }
        : { exports: [sampleExport("one"), sampleExport("two")] };
    renderApp(PAGE, {}, { listExports });
    await userEvent.click(await screen.findByRole("button", { name: "Show more" }));
    await waitFor(() => expect(screen.getAllByRole("listitem")).toHaveLength(2));
    expect(document.activeElement).toBe(await row(1));
    expect(screen.queryByRole("button", { name: "Show more" })).toBeNull();
  });

  test("asks for new links before the old ones end", async () => {
    vi.useFakeTimers({ shouldAdvanceTime: true });
    const { listExports } = service([sampleExport("one")]);
    renderApp(PAGE, {}, { listExports });
    await row();
    await vi.advanceTimersByTimeAsync(500_000);
    expect(listExports).toHaveBeenCalledTimes(1);
    await vi.advanceTimersByTimeAsync(45_000);
    expect(listExports).toHaveBeenCalledTimes(2);
  });
});

describe("an export that is being prepared", () => {
  test("is asked after until it is ready, ever less often, and its end is announced", async () => {
    vi.useFakeTimers({ shouldAdvanceTime: true });
    const exports = [pending("one")];
    const { listExports, getExport } = service(exports);
    renderApp(PAGE, {}, { listExports, getExport });
    expect((await row()).textContent).toContain("Preparing…");
    await vi.advanceTimersByTimeAsync(20_000);
    // At 0, 1, 2.5, 4.75, 8.1 and 13.2 seconds, where a fixed second would make 20.
    expect(getExport.mock.calls.length).toBeGreaterThanOrEqual(5);
    expect(getExport.mock.calls.length).toBeLessThanOrEqual(7);
    expect(news()).toBe("");

    exports[0] = sampleExport("one");
    await vi.advanceTimersByTimeAsync(15_000);
    expect(await screen.findByRole("link", { name: /^Download/ })).toBeTruthy();
    expect(news()).toBe("Ready to download: September 2026, Spreadsheet (CSV).");
    const asked = getExport.mock.calls.length;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(getExport).toHaveBeenCalledTimes(asked);
    expect(listExports).toHaveBeenCalledTimes(1);
  });

  test("is not asked after while nobody sees the tab", async () => {
    vi.useFakeTimers({ shouldAdvanceTime: true });
    const { listExports, getExport } = service([pending("one")]);
    renderApp(PAGE, {}, { listExports, getExport });
    await row();
    await waitFor(() => expect(getExport).toHaveBeenCalled());
    vi.spyOn(document, "visibilityState", "get").mockReturnValue("hidden");
    const asked = getExport.mock.calls.length;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(getExport).toHaveBeenCalledTimes(asked);
    vi.spyOn(document, "visibilityState", "get").mockReturnValue("visible");
    fireEvent(document, new Event("visibilitychange", { bubbles: true }));
    await waitFor(() => expect(getExport.mock.calls.length).toBeGreaterThan(asked));
  });

  test("is asked after again when asking has failed once", async () => {
    vi.useFakeTimers({ shouldAdvanceTime: true });
    const exports = [pending("one")];
    const { listExports, getExport } = service(exports);
    getExport.mockImplementationOnce(() => {
      throw new ConnectError("broken", Code.Unavailable);
    });
    renderApp(PAGE, {}, { listExports, getExport });
    expect((await row()).textContent).toContain("Preparing…");
    exports[0] = sampleExport("one");
    await vi.advanceTimersByTimeAsync(5_000);
    expect(await screen.findByRole("link", { name: /^Download/ })).toBeTruthy();
  });

  test("that fails says why, and is tried again in its own language and form", async () => {
    const exports = [pending("one")];
    const { listExports, getExport } = service(exports);
    const exportReport = vi.fn((_: ExportReportRequest) => {
      exports[0] = pending("one");
      return { export: exports[0] };
    });
    exports[0] = sampleExport("one", {
      state: FAILED,
      format: ExportFormat.CSV,
      language: Language.RUSSIAN,
      failureReason: Reason.EXPORT_STORE_UNAVAILABLE,
    });
    renderApp(PAGE, {}, { listExports, getExport, exportReport });
    const item = await row();
    expect(item.textContent).toContain("The file could not be stored.");
    await userEvent.click(within(item).getByRole("button", { name: /^Try again/ }));
    expect(await screen.findByText("Preparing…")).toBeTruthy();
    expect(exportReport.mock.calls[0]?.[0]).toMatchObject({
      period: { kind: PeriodKind.MONTH, day: "2026-09-01", endDay: "" },
      format: ExportFormat.CSV,
      language: Language.RUSSIAN,
    });
    await waitFor(() => expect(news()).toMatch(/^The file is being prepared/));
  });
});

describe("a download", () => {
  test("follows a link that was made for the click", async () => {
    const followed = watchDownloads();
    const exports = [sampleExport("one")];
    const { listExports, getExport } = service(exports);
    renderApp(PAGE, {}, { listExports, getExport });
    const link = await screen.findByRole("link", { name: /^Download/ });
    const second = "/exports/one/bionicpro-2026-09.csv?expires=2&signature=second";
    exports[0] = sampleExport("one", { downloadPath: second });
    expect(fireEvent.click(link)).toBe(false);
    await waitFor(() =>
      expect(followed).toEqual([{ href: second, name: "bionicpro-2026-09.csv" }]),
    );
    await waitFor(() => expect(link.getAttribute("href")).toBe(second));
  });

  test("into a tab of its own is left to the browser", async () => {
    const { listExports, getExport } = service([sampleExport("one")]);
    renderApp(PAGE, {}, { listExports, getExport });
    const link = await screen.findByRole("link", { name: /^Download/ });
    expect(fireEvent.click(link, { ctrlKey: true })).toBe(true);
    expect(getExport).not.toHaveBeenCalled();
  });

  test("of a file that is gone says so, and the file is made again", async () => {
    const followed = watchDownloads();
    const exports = [sampleExport("one")];
    const { listExports, getExport } = service(exports);
    const exportReport = vi.fn((_: ExportReportRequest) => {
      exports[0] = pending("one");
      return { export: exports[0] };
    });
    renderApp(PAGE, {}, { listExports, getExport, exportReport });
    const link = await screen.findByRole("link", { name: /^Download/ });
    exports[0] = sampleExport("one", {
      state: FAILED,
      downloadPath: "",
      failureReason: Reason.EXPORT_FILE_LOST,
    });
    await userEvent.click(link);
    const item = await row();
    await waitFor(() => expect(item.textContent).toContain("This file is no longer there."));
    expect(item.textContent).toContain("make the file again");
    expect(document.activeElement).toBe(item);
    expect(followed).toEqual([]);
    await waitFor(() =>
      expect(news()).toBe("The file is no longer there: September 2026, Spreadsheet (CSV)."),
    );
    await userEvent.click(within(item).getByRole("button", { name: /^Try again/ }));
    expect(await screen.findByText("Preparing…")).toBeTruthy();
    expect(exportReport).toHaveBeenCalledTimes(1);
  });

  test("that cannot be prepared says so instead of opening an error", async () => {
    const followed = watchDownloads();
    const { listExports } = service([sampleExport("one")]);
    const getExport = () => {
      throw new ConnectError("gone", Code.NotFound);
    };
    renderApp(PAGE, {}, { listExports, getExport });
    await userEvent.click(await screen.findByRole("link", { name: /^Download/ }));
    expect((await screen.findByRole("alert")).textContent).toContain("Please try again.");
    expect(followed).toEqual([]);
  });
});
