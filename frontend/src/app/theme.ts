// The look of Mantine's components. The values of its CSS variables stand in
// theme.css: Mantine would otherwise write them into a <style> element, which
// the content security policy does not allow. A test holds the two equal.

import {
  createTheme,
  localStorageColorSchemeManager,
  type MantineColorsTuple,
} from "@mantine/core";

const brand: MantineColorsTuple = [
  "#e9f5f4",
  "#d2e9e7",
  "#a6d6d2",
  "#77c0bb",
  "#46aaa3",
  "#2e978f",
  "#1f877f",
  "#12766f",
  "#0c625c",
  "#07504b",
];

export const theme = createTheme({
  colors: { brand },
  primaryColor: "brand",
  primaryShade: 7,
  defaultRadius: "md",
  fontFamily: "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', sans-serif",
  respectReducedMotion: true,
  cursorType: "pointer",
});

/** `public/boot.js` reads the same key before the first paint. */
export const colorSchemeManager = localStorageColorSchemeManager({ key: "bionicpro.theme" });
