import { expect, test } from "vitest";
import { Reason } from "../gen/bionicpro/error/v1/reason_pb.js";
import { en } from "./en";
import { ru } from "./ru";

/** Every path of a dictionary, through objects and lists. */
function paths(value: unknown, prefix = ""): string[] {
  if (value === null || typeof value !== "object") return [prefix];
  return Object.entries(value).flatMap(([key, child]) => paths(child, `${prefix}/${key}`));
}

test("both languages say the same things", () => {
  expect(paths(ru).sort()).toEqual(paths(en).sort());
});

test("every explained reason is one of the contract", () => {
  const explained = [...Object.keys(en.failures.known), ...Object.keys(en.signInFailed.known)];
  expect(explained.filter((reason) => !(reason in Reason))).toEqual([]);
});
