import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

const GATEWAY = "http://localhost:3000";

export default defineConfig({
  plugins: [react()],
  build: {
    // No file becomes a data: URL: the content security policy allows none.
    assetsInlineLimit: 0,
    sourcemap: true,
    // React with Mantine, and ECharts: the second one is loaded with the first chart.
    chunkSizeWarningLimit: 700,
  },
  server: {
    host: "localhost",
    port: 5173,
    // `npm run dev` serves the app; sign-in and calls go to the gateway, which
    // expects its own origin. Sign in at the gateway's address first: the
    // session's cookie does not mind the port.
    proxy: {
      "^/(auth|bionicpro\\.)": { target: GATEWAY, headers: { origin: GATEWAY } },
    },
  },
  test: {
    environment: "happy-dom",
    include: ["src/**/*.test.{ts,tsx}"],
    testTimeout: 30_000,
    setupFiles: ["src/test/setup.ts"],
  },
});
