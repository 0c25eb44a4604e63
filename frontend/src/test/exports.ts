// The exports' service and what the page of exports shows, for tests of components.

import { Code, ConnectError } from "@connectrpc/connect";
import { waitFor } from "@testing-library/react";
import { vi } from "vitest";
import { type Export, ExportState } from "../gen/bionicpro/reports/v1/export_pb.js";
import type { ListExportsRequest } from "../gen/bionicpro/reports/v1/reports_service_pb.js";
import { sampleExport } from "./sample";

/** The exports' service over `exports`, which a test changes as time goes on. */
export function service(exports: Export[]) {
  return {
    listExports: vi.fn((_: ListExportsRequest) => ({ exports })),
    getExport: vi.fn(({ exportId }: { exportId: string }) => {
      const found = exports.find((each) => each.exportId === exportId);
      if (!found) throw new ConnectError("no such export", Code.NotFound);
      return { export: found };
    }),
  };
}

export function pending(exportId: string): Export {
  return sampleExport(exportId, { state: ExportState.PENDING, downloadPath: "", sizeBytes: 0n });
}

export async function row(index = 0): Promise<HTMLElement> {
  return waitFor(() => {
    const found = document.querySelectorAll<HTMLElement>("[data-export]")[index];
    if (!found) throw new Error(`there is no row ${index}`);
    return found;
  });
}

export function news(): string {
  return document.querySelector("[data-news]")?.textContent ?? "";
}
