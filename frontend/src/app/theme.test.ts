import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { theme } from "./theme";

const css = readFileSync("src/app/theme.css", "utf8");

test("the style sheet has the colours of the theme", () => {
  theme.colors?.brand?.forEach((color, shade) => {
    expect(css).toContain(`--mantine-color-brand-${shade}: ${color};`);
  });
});

test("the boot script reads the keys that the app writes", () => {
  const boot = readFileSync("public/boot.js", "utf8");
  expect(boot).toContain('"bionicpro.theme"');
  expect(boot).toContain('"bionicpro.locale"');
});
