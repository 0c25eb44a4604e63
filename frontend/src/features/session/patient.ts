// Who wears a prosthesis, and so has reports.

import type { GetMeResponse } from "../../gen/bionicpro/auth/v1/account_service_pb.js";

export function isPatient(me: GetMeResponse): boolean {
  return me.customerId !== "" || me.roles.includes("prothetic_user");
}
