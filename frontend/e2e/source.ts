// What a report has to say, asked of the source databases themselves: the CRM
// knows who wore a prosthesis when, the telemetry store has the readings.

import pg from "pg";
import { topology } from "./topology";

export interface Numbers {
  readings: number;
  activeDays: number;
  useMs: number;
  responseMsMean: number;
  responseMsP95: number;
  forceMnMean: number;
  emgQualityPctMean: number;
  batteryPctMin: number;
  faults: number;
}

export interface Expected {
  firstDay: string;
  lastDay: string;
  totals: Numbers;
  days: (Numbers & { day: string })[];
  grips: { grip: string; readings: number; useMs: number }[];
  faults: { faultCode: string; readings: number; lastDay: string }[];
  /** Readings of the same prostheses that belong to somebody else. */
  ofOthers: number;
}

const NUMBERS = `
  count(*)::int AS "readings",
  count(DISTINCT day)::int AS "activeDays",
  sum(duration_ms)::float8 AS "useMs",
  avg(response_ms)::float8 AS "responseMsMean",
  (percentile_disc(0.95) WITHIN GROUP (ORDER BY response_ms))::float8 AS "responseMsP95",
  avg(force_mn)::float8 AS "forceMnMean",
  avg(emg_quality_pct)::float8 AS "emgQualityPctMean",
  min(battery_pct)::int AS "batteryPctMin",
  count(fault_code)::int AS "faults"`;

/** The customer's readings: of each prosthesis while it was theirs. */
const OWN = `
  WITH worn AS (
    SELECT * FROM unnest($1::uuid[], $2::timestamptz[], $3::timestamptz[])
      AS worn (prosthesis_id, valid_from, valid_to)
  ), own AS (
    SELECT readings.*, to_char(recorded_at AT TIME ZONE 'UTC', 'YYYY-MM-DD') AS day
    FROM readings JOIN worn USING (prosthesis_id)
    WHERE recorded_at >= valid_from AND (valid_to IS NULL OR recorded_at < valid_to)
  )`;

async function connected<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** The customer's name in the CRM. */
export async function fullNameOf(customerId: string): Promise<string> {
  const { rows } = await connected(topology.postgres.databases.crm.url, (crm) =>
    crm.query("SELECT full_name FROM customers WHERE id = $1", [customerId]),
  );
  return rows[0]?.full_name;
}

/** Renames the customer, as somebody does in the CRM; it is committed once this returns. */
export async function rename(customerId: string, fullName: string): Promise<void> {
  await connected(topology.postgres.databases.crm.url, (crm) =>
    crm.query("UPDATE customers SET full_name = $2, updated_at = now() WHERE id = $1", [
      customerId,
      fullName,
    ]),
  );
}

/** When the customer wore which prosthesis, as arrays for `unnest`. */
async function worn(customerId: string): Promise<[string[], string[], (string | null)[]]> {
  // As text: a Date has only milliseconds.
  const query = `SELECT prosthesis_id, valid_from::text, valid_to::text
    FROM assignments WHERE customer_id = $1`;
  const { rows } = await connected(topology.postgres.databases.crm.url, (crm) =>
    crm.query(query, [customerId]),
  );
  return [
    rows.map((row) => row.prosthesis_id),
    rows.map((row) => row.valid_from),
    rows.map((row) => row.valid_to),
  ];
}

/** The numbers of all of the customer's readings. */
export async function expectedOf(customerId: string): Promise<Expected> {
  const assignments = await worn(customerId);
  return connected(topology.postgres.databases.telemetry.url, async (telemetry) => {
    const rows = async (select: string) =>
      (await telemetry.query(`${OWN} ${select}`, assignments)).rows;
    const days = await rows(`SELECT day, ${NUMBERS} FROM own GROUP BY day ORDER BY day`);
    const [totals] = await rows(`SELECT ${NUMBERS} FROM own`);
    const [all] = await rows(
      `SELECT count(*)::int AS readings FROM readings
       WHERE prosthesis_id IN (SELECT prosthesis_id FROM worn)`,
    );
    return {
      firstDay: days[0]?.day,
      lastDay: days.at(-1)?.day,
      totals,
      days,
      grips: await rows(
        `SELECT grip, count(*)::int AS readings, sum(duration_ms)::float8 AS "useMs"
         FROM own GROUP BY grip ORDER BY readings DESC, grip`,
      ),
      faults: await rows(
        `SELECT fault_code AS "faultCode", count(*)::int AS readings, max(day) AS "lastDay"
         FROM own WHERE fault_code IS NOT NULL GROUP BY fault_code ORDER BY readings DESC, fault_code`,
      ),
      ofOthers: all.readings - totals.readings,
    };
  });
}
