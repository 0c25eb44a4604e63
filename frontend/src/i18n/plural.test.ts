import { expect, test } from "vitest";
import { counted } from "./plural";

const day = { one: "день", few: "дня", many: "дней", other: "дня" };

test.each([
  [0, "0 дней"],
  [1, "1 день"],
  [2, "2 дня"],
  [4, "4 дня"],
  [5, "5 дней"],
  [11, "11 дней"],
  [14, "14 дней"],
  [21, "21 день"],
  [22, "22 дня"],
  [111, "111 дней"],
  [1001, "1 001 день"],
])("Russian counts %i as %s", (count, expected) => {
  expect(counted("ru", count, day).replaceAll("\u00a0", " ")).toBe(expected);
});

test("English has one form for one and another for the rest", () => {
  const forms = { one: "day", other: "days" };
  expect(counted("en", 1, forms)).toBe("1\u00a0day");
  expect(counted("en", 21, forms)).toBe("21\u00a0days");
});
