// What components need from a browser that happy-dom does not have.

import { cleanup, configure } from "@testing-library/react";
import { afterEach, beforeEach, vi } from "vitest";

// A busy machine is slow, not wrong.
configure({ asyncUtilTimeout: 10_000 });

// ECharts draws on a canvas: what it draws is looked at in the browser suite.
vi.mock("echarts/core", () => ({
  use: () => {},
  init: () => ({
    setOption: () => {},
    dispatchAction: () => {},
    resize: () => {},
    dispose: () => {},
  }),
}));

beforeEach(() => {
  localStorage.clear();
  document.documentElement.lang = "en";
  window.history.replaceState(null, "", "/");
});
afterEach(cleanup);
