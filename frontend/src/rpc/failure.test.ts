import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { Code, ConnectError } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { toFailure } from "./failure";
import { retryDelayMs } from "./query-client";

function errorInfo(reason: string, domain: string): Uint8Array {
  const entry = new BinaryWriter()
    .tag(1, WireType.LengthDelimited)
    .string("dependency")
    .tag(2, WireType.LengthDelimited)
    .string("redis")
    .finish();
  return new BinaryWriter()
    .tag(1, WireType.LengthDelimited)
    .string(reason)
    .tag(2, WireType.LengthDelimited)
    .string(domain)
    .tag(3, WireType.LengthDelimited)
    .bytes(entry)
    .finish();
}

function retryInfo(seconds: number, nanos: number): Uint8Array {
  const duration = new BinaryWriter()
    .tag(1, WireType.Varint)
    .int64(seconds)
    .tag(2, WireType.Varint)
    .int32(nanos)
    .finish();
  return new BinaryWriter().tag(1, WireType.LengthDelimited).bytes(duration).finish();
}

function failed(code: Code, ...details: [type: string, value: Uint8Array][]): ConnectError {
  const error = new ConnectError("no", code);
  error.details = details.map(([type, value]) => ({ type: `google.rpc.${type}`, value }));
  return error;
}

test("a failure has the reason of its ErrorInfo", () => {
  const error = failed(Code.Unavailable, [
    "ErrorInfo",
    errorInfo("DEPENDENCY_UNAVAILABLE", "bionicpro"),
  ]);
  expect(toFailure(error)).toMatchObject({ reason: "DEPENDENCY_UNAVAILABLE", retryable: true });
});

test("a reason of somebody else's domain is none of ours", () => {
  const error = failed(Code.Internal, ["ErrorInfo", errorInfo("INTERNAL", "example.com")]);
  expect(toFailure(error).reason).toBeUndefined();
});

test("RetryInfo decides how long to wait", () => {
  const error = failed(Code.Unavailable, ["RetryInfo", retryInfo(2, 500_000_000)]);
  expect(toFailure(error).retryAfterMs).toBe(2500);
  expect(retryDelayMs(0, error)).toBe(2500);
});

test("without RetryInfo the wait doubles, up to a limit", () => {
  const error = failed(Code.Unavailable);
  expect([0, 1, 2, 20].map((attempt) => retryDelayMs(attempt, error))).toEqual([
    500, 1000, 2000, 30_000,
  ]);
});

test("bad input and missing rights are not tried again", () => {
  expect(toFailure(failed(Code.InvalidArgument)).retryable).toBe(false);
  expect(toFailure(failed(Code.PermissionDenied)).retryable).toBe(false);
});

test("only a missing or ended session signs a person out", () => {
  expect(toFailure(failed(Code.Unauthenticated)).signedOut).toBe(true);
  expect(toFailure(failed(Code.Unavailable)).signedOut).toBe(false);
  expect(toFailure(failed(Code.PermissionDenied)).signedOut).toBe(false);
});

test("what is not an answer of a service is a failure too", () => {
  expect(toFailure(new Error("?"))).toMatchObject({ reason: undefined, code: Code.Unknown });
});
