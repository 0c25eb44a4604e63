// Composes the app: what every page gets, and which page an address shows.

import type { Transport } from "@connectrpc/connect";
import { TransportProvider } from "@connectrpc/connect-query";
import { MantineProvider } from "@mantine/core";
import { QueryClientProvider } from "@tanstack/react-query";
import { useState } from "react";
import { BrowserRouter } from "react-router";
import { SessionProvider } from "../features/session/Session";
import { I18nProvider } from "../i18n/I18n";
import { createQueryClient } from "../rpc/query-client";
import { CrashBoundary } from "./CrashBoundary";
import { Pages } from "./Pages";
import { Shell } from "./Shell";
import { colorSchemeManager, theme } from "./theme";

export function App({ transport }: { transport: Transport }) {
  const [queryClient] = useState(createQueryClient);
  return (
    <MantineProvider
      theme={theme}
      colorSchemeManager={colorSchemeManager}
      defaultColorScheme="auto"
      withCssVariables={false}
      withGlobalClasses={false}
    >
      <I18nProvider>
        <TransportProvider transport={transport}>
          <QueryClientProvider client={queryClient}>
            <BrowserRouter>
              <SessionProvider>
                <Shell>
                  <CrashBoundary>
                    <Pages />
                  </CrashBoundary>
                </Shell>
              </SessionProvider>
            </BrowserRouter>
          </QueryClientProvider>
        </TransportProvider>
      </I18nProvider>
    </MantineProvider>
  );
}
