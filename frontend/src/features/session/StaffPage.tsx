// What staff see, who have no report of their own.

import { Notice } from "../../components/Notice";
import type { GetMeResponse } from "../../gen/bionicpro/auth/v1/account_service_pb.js";
import { useI18n } from "../../i18n/I18n";

export function StaffPage({ me }: { me: GetMeResponse }) {
  const { t } = useI18n();
  return (
    <>
      <title>{t.app.name}</title>
      <Notice
        title={t.staff.title(me.displayName || me.username)}
        text={`${t.staff.text} ${t.staff.next}`}
      />
    </>
  );
}
