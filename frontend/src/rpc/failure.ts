// What a failed call says (AIP-193): its reason, and when to try again. Knows
// the wire, not the words: those are in i18n.

import { BinaryReader } from "@bufbuild/protobuf/wire";
import { Code, ConnectError } from "@connectrpc/connect";
import type { Reason } from "../gen/bionicpro/error/v1/reason_pb.js";

/** A reason as ErrorInfo carries it: the enum's name without its prefix. */
export type ReasonName = keyof typeof Reason;

export interface Failure {
  /** The reason; undefined where the answer carried none of ours. */
  reason: string | undefined;
  code: Code;
  /** What RetryInfo asked to wait, in milliseconds. */
  retryAfterMs: number | undefined;
  /** Whether the same call can succeed later without anybody changing anything. */
  retryable: boolean;
  /** Whether the person has to sign in again. */
  signedOut: boolean;
}

const DOMAIN = "bionicpro";
const ERROR_INFO = "google.rpc.ErrorInfo";
const RETRY_INFO = "google.rpc.RetryInfo";

const retryableCodes: ReadonlySet<Code> = new Set([
  Code.Unavailable,
  Code.DeadlineExceeded,
  Code.ResourceExhausted,
  Code.Aborted,
]);

export function toFailure(error: unknown): Failure {
  const connectError = ConnectError.from(error);
  const { code } = connectError;
  return {
    reason: readReason(connectError),
    code,
    retryAfterMs: readRetryDelay(connectError),
    retryable: retryableCodes.has(code),
    signedOut: code === Code.Unauthenticated,
  };
}

function detail(error: ConnectError, type: string): Uint8Array | undefined {
  for (const each of error.details) {
    if ("type" in each && each.type === type) return each.value;
  }
  return undefined;
}

/** google.rpc.ErrorInfo: reason = 1, domain = 2. */
function readReason(error: ConnectError): string | undefined {
  const bytes = detail(error, ERROR_INFO);
  if (!bytes) return undefined;
  const fields = { reason: "", domain: "" };
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (field === 1) fields.reason = reader.string();
    else if (field === 2) fields.domain = reader.string();
    else reader.skip(wireType, field);
  }
  return fields.domain === DOMAIN && fields.reason !== "" ? fields.reason : undefined;
}

/** google.rpc.RetryInfo: retry_delay = 1, a Duration of seconds = 1, nanos = 2. */
function readRetryDelay(error: ConnectError): number | undefined {
  const bytes = detail(error, RETRY_INFO);
  if (!bytes) return undefined;
  let delayMs: number | undefined;
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (field === 1) delayMs = readDurationMs(reader.bytes());
    else reader.skip(wireType, field);
  }
  return delayMs;
}

function readDurationMs(bytes: Uint8Array): number {
  let ms = 0;
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (field === 1) ms += Number(reader.int64()) * 1000;
    else if (field === 2) ms += reader.int32() / 1_000_000;
    else reader.skip(wireType, field);
  }
  return ms;
}
