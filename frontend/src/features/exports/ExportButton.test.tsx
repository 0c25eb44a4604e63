import { Code, ConnectError } from "@connectrpc/connect";
import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, test, vi } from "vitest";
import { ExportFormat, ExportState, Language } from "../../gen/bionicpro/reports/v1/export_pb.js";
import { PeriodKind } from "../../gen/bionicpro/reports/v1/report_pb.js";
import type { ExportReportRequest } from "../../gen/bionicpro/reports/v1/reports_service_pb.js";
import { news, pending, row, service } from "../../test/exports";
import { renderApp } from "../../test/render";
import { sampleExport } from "../../test/sample";

const REPORT = "/reports?period=month&day=2026-09-01";

describe("exporting the report that is shown", () => {
  async function openDialog() {
    const button = await screen.findByRole("button", { name: "Export" });
    await waitFor(() => expect(button).toHaveProperty("disabled", false));
    await userEvent.click(button);
    // Without a layout the dialog counts as scrolled out of sight.
    return screen.findByRole("dialog", { hidden: true });
  }

  test("asks for its period in the form that was chosen, and leads to the file", async () => {
    const made = pending("one");
    const exportReport = vi.fn((_: ExportReportRequest) => ({ export: made }));
    renderApp(REPORT, {}, { ...service([made]), exportReport });
    const dialog = await openDialog();
    expect(dialog.textContent).toContain("Export September 2026");
    await userEvent.click(within(dialog).getByLabelText(/^Data file \(JSON\)/));
    await userEvent.click(
      within(dialog).getByRole("button", { name: "Make the file", hidden: true }),
    );
    expect((await row()).dataset.new).toBe("true");
    expect(window.location.pathname).toBe("/reports/exports");
    await waitFor(() => expect(document.activeElement?.textContent).toBe("Your exports"));
    await waitFor(() => expect(news()).toMatch(/^The file is being prepared: September 2026/));
    expect(exportReport.mock.calls[0]?.[0]).toMatchObject({
      period: { kind: PeriodKind.MONTH, day: "2026-09-01", endDay: "" },
      format: ExportFormat.JSON,
      language: Language.ENGLISH,
    });
  });

  test("announces a file that was there already", async () => {
    const there = sampleExport("two");
    const exportReport = () => ({ export: there });
    renderApp(REPORT, {}, { ...service([sampleExport("one"), there]), exportReport });
    const dialog = await openDialog();
    await userEvent.click(
      within(dialog).getByRole("button", { name: "Make the file", hidden: true }),
    );
    await waitFor(() => expect(news()).toMatch(/^Ready to download/));
    expect((await row(1)).dataset.new).toBe("true");
  });

  test("is tried again under the same request_id", async () => {
    const asked: ExportReportRequest[] = [];
    const exportReport = (request: ExportReportRequest) => {
      asked.push(request);
      if (asked.length < 3) throw new ConnectError("broken", Code.Internal);
      return { export: sampleExport("one", { state: ExportState.READY }) };
    };
    renderApp(REPORT, {}, { ...service([sampleExport("one")]), exportReport });
    const dialog = await openDialog();
    await userEvent.click(
      within(dialog).getByRole("button", { name: "Make the file", hidden: true }),
    );
    expect((await within(dialog).findByRole("alert", { hidden: true })).textContent).toContain(
      "went wrong",
    );
    await userEvent.click(within(dialog).getByRole("button", { name: "Try again", hidden: true }));
    await waitFor(() => expect(asked).toHaveLength(2));
    await userEvent.click(
      await within(dialog).findByRole("button", { name: "Try again", hidden: true }),
    );
    await row();
    expect(asked).toHaveLength(3);
    expect(new Set(asked.map(({ requestId }) => requestId)).size).toBe(1);
    expect(asked[0]?.requestId).toMatch(/^[0-9a-f-]{36}$/);
  });

  test("is closed by Escape, and the focus is where it was", async () => {
    renderApp(REPORT);
    const dialog = await openDialog();
    expect(dialog.contains(document.activeElement)).toBe(true);
    await userEvent.keyboard("{Escape}");
    await waitFor(() => expect(screen.queryByRole("dialog", { hidden: true })).toBeNull());
    const button = screen.getByRole("button", { name: "Export" });
    await waitFor(() => expect(document.activeElement).toBe(button));
  });
});
