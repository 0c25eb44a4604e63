// The browser suite runs against a whole stack that `cargo stack` started:
// BIONICPRO_TOPOLOGY names its description. Nothing in it is mocked.

import { defineConfig } from "@playwright/test";
import { topology } from "./e2e/topology";

export default defineConfig({
  testDir: "e2e",
  outputDir: "test-results",
  // One stack, and tests that end sessions.
  workers: 1,
  forbidOnly: true,
  timeout: 60_000,
  expect: { timeout: 15_000 },
  reporter: [["list"]],
  use: {
    baseURL: topology.gateway.public_url,
    browserName: "chromium",
    locale: "en-GB",
    viewport: { width: 1280, height: 900 },
    screenshot: "only-on-failure",
    trace: "retain-on-failure",
    launchOptions: {
      executablePath: process.env.BIONICPRO_CHROMIUM ?? "/usr/bin/chromium",
      // Chromium refuses to sandbox as root, which containers and CI are.
      args: process.getuid?.() === 0 ? ["--no-sandbox"] : [],
    },
  },
});
