// What stands around every page: the way past the header, the header, notices
// about the connection, and the main landmark.

import { Alert, Anchor } from "@mantine/core";
import { onlineManager } from "@tanstack/react-query";
import { type ReactNode, useSyncExternalStore } from "react";
import { Link } from "react-router";
import { Logo } from "../components/icons";
import { AccountMenu } from "../features/session/AccountMenu";
import { useI18n } from "../i18n/I18n";
import { LanguageSwitch } from "./LanguageSwitch";
import { Navigation } from "./Navigation";
import classes from "./Shell.module.css";
import { ThemeMenu } from "./ThemeMenu";

/** Whether the network is there. A browser that says at the start that it is not
 * may still reach us, as on a machine that has nothing but itself; only when the
 * network goes away is it believed. */
function useOnline(): boolean {
  return useSyncExternalStore(
    (changed) => onlineManager.subscribe(changed),
    () => onlineManager.isOnline(),
  );
}

export function Shell({ children }: { children: ReactNode }) {
  const { t } = useI18n();
  const online = useOnline();
  return (
    <>
      <Anchor href="#main" className={classes.skip}>
        {t.app.skip}
      </Anchor>
      <header className={classes.header}>
        <div className={classes.inner}>
          <Link to="/" className={classes.brand}>
            <Logo />
            <span>{t.app.name}</span>
          </Link>
          <Navigation />
          <div className={classes.tools}>
            <LanguageSwitch />
            <ThemeMenu />
            <AccountMenu />
          </div>
        </div>
      </header>
      <main id="main" tabIndex={-1} className={classes.main}>
        <div role="status">
          {!online && (
            <Alert role="note" color="yellow" className={classes.offline}>
              {t.app.offline}
            </Alert>
          )}
        </div>
        {children}
      </main>
    </>
  );
}
