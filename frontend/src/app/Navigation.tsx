// The ways to a patient's pages.

import { NavLink } from "react-router";
import { isPatient } from "../features/session/patient";
import { useSession } from "../features/session/Session";
import { EXPORTS, HOME } from "../features/session/sign-in";
import { useI18n } from "../i18n/I18n";
import classes from "./Shell.module.css";

export function Navigation() {
  const { t } = useI18n();
  const session = useSession();
  if (session.state !== "signed-in" || !isPatient(session.me)) return null;
  return (
    <nav aria-label={t.app.navigation} className={classes.navigation}>
      <NavLink to={HOME} end>
        {t.report.title}
      </NavLink>
      <NavLink to={EXPORTS}>{t.exports.short}</NavLink>
    </nav>
  );
}
