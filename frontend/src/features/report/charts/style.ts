// The charts' colours in the theme that is shown: the values of app/theme.css,
// which a canvas cannot read by itself.

import { useComputedColorScheme, useMantineTheme } from "@mantine/core";
import { useReducedMotion } from "@mantine/hooks";
import { useMemo } from "react";
import type { ChartColors, ChartStyle } from "./option";

/** The height of a line of an axis label, in pixels. */
export const LABEL_LINE_HEIGHT = 15;

const palettes: Record<"light" | "dark", ChartColors> = {
  light: {
    text: "#52605d",
    surface: "#ffffff",
    line: "#dde4e2",
    brand: "#12766f",
    accent: "#4456b8",
    warning: "#b4530a",
  },
  dark: {
    text: "#a9b7b4",
    surface: "#181f1d",
    line: "#303a38",
    brand: "#46aaa3",
    accent: "#95a4f5",
    warning: "#eea25a",
  },
};

export function useChartStyle(): ChartStyle {
  const scheme = useComputedColorScheme("light");
  const animated = !useReducedMotion();
  const { fontFamily } = useMantineTheme();
  return useMemo(
    () => ({ colors: palettes[scheme], fontFamily, animated }),
    [scheme, fontFamily, animated],
  );
}
