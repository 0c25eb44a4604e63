// Answers of the services for tests of components: small, and the same each time.

import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { addDays } from "../features/report/periods/period";
import { GetMeResponseSchema } from "../gen/bionicpro/auth/v1/account_service_pb.js";
import {
  type Export,
  ExportFormat,
  ExportSchema,
  ExportState,
  Language,
} from "../gen/bionicpro/reports/v1/export_pb.js";
import {
  PeriodKind,
  type Report,
  ReportSchema,
  type Totals,
  TotalsSchema,
} from "../gen/bionicpro/reports/v1/report_pb.js";

export const patient = create(GetMeResponseSchema, {
  subject: "subject-1",
  username: "prothetic1",
  displayName: "Anna Orlova",
  customerId: "01900000-0000-7000-8000-000000000001",
  roles: ["prothetic_user"],
});

export const operator = create(GetMeResponseSchema, {
  subject: "subject-9",
  username: "operator1",
  displayName: "Olga Ivanova",
  roles: ["operator"],
});

/** The numbers of a day with `readings` grips. */
export function dayTotals(readings: number): Totals {
  if (readings === 0) return create(TotalsSchema);
  return create(TotalsSchema, {
    readings: BigInt(readings),
    activeDays: 1,
    useMs: BigInt(readings * 30_000),
    responseMsMean: 150 + (readings % 20),
    responseMsP95: 210 + (readings % 40),
    forceMnMean: 12_000,
    emgQualityPctMean: 84,
    batteryPctMin: 30,
    faults: 1n,
  });
}

/** A report of September 2026 in which every tenth day has no readings. */
export function sampleReport(): Report {
  const days = Array.from({ length: 30 }, (_, index) => ({
    day: addDays("2026-09-01", index),
    totals: dayTotals(index % 10 === 9 ? 0 : 100 + ((index * 37) % 90)),
  }));
  const readings = days.reduce((sum, { totals }) => sum + totals.readings, 0n);
  const totals = create(TotalsSchema, {
    ...dayTotals(Number(readings)),
    activeDays: 27,
    responseMsMean: 158.4,
    responseMsP95: 231,
    faults: 27n,
  });
  return create(ReportSchema, {
    customer: { customerId: patient.customerId, fullName: "Anna Orlova" },
    period: { kind: PeriodKind.MONTH, startDay: "2026-09-01", endDay: "2026-09-30" },
    totals,
    previousPeriod: { kind: PeriodKind.MONTH, startDay: "2026-08-01", endDay: "2026-08-31" },
    previousTotals: { ...totals, readings: 3000n, useMs: 90_000_000n, responseMsMean: 170 },
    days,
    grips: [
      { grip: "power", readings: 2000n, useMs: 60_000_000n },
      { grip: "pinch", readings: 1200n, useMs: 36_000_000n },
      { grip: "gesture_17", readings: 300n, useMs: 9_000_000n },
    ],
    faults: [{ faultCode: "E42", readings: 27n, lastDay: "2026-09-28" }],
    prostheses: [
      {
        prosthesisId: "01900000-0000-7000-8000-0000000000a1",
        serialNumber: "BP-000417",
        model: "Hand One",
        side: "right",
        firmware: "4.2.1",
        validFrom: timestampFromDate(new Date("2026-01-12T08:00:00Z")),
      },
    ],
    serviceVisits: [
      {
        prosthesisId: "01900000-0000-7000-8000-0000000000a1",
        visitedAt: timestampFromDate(new Date("2026-09-15T10:00:00Z")),
        kind: "inspection",
      },
    ],
    freshness: {
      telemetryWatermark: timestampFromDate(new Date("2026-10-01T00:00:00Z")),
      previousTelemetryWatermark: timestampFromDate(new Date("2026-10-01T00:00:00Z")),
      crmWatermark: timestampFromDate(new Date("2026-10-01T06:12:00Z")),
      generatedAt: timestampFromDate(new Date("2026-10-01T06:13:00Z")),
    },
  });
}

/** A file of the report of September 2026: ready, unless `more` says otherwise. */
export function sampleExport(
  exportId: string,
  more: Partial<Omit<Export, "$typeName" | "$unknown">> = {},
): Export {
  const ready = create(ExportSchema, {
    exportId,
    period: { kind: PeriodKind.MONTH, startDay: "2026-09-01", endDay: "2026-09-30" },
    format: ExportFormat.CSV,
    language: Language.ENGLISH,
    state: ExportState.READY,
    createdAt: timestampFromDate(new Date("2026-10-04T13:40:00Z")),
    fileName: "bionicpro-2026-09.csv",
    sizeBytes: 18_432n,
    downloadPath: `/exports/${exportId}/bionicpro-2026-09.csv?expires=1&signature=first`,
    downloadExpiresAt: timestampFromDate(new Date(Date.now() + 600_000)),
    freshness: { telemetryWatermark: timestampFromDate(new Date("2026-10-04T00:00:00Z")) },
  });
  return { ...ready, ...more };
}
