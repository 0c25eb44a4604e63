// Renders the whole app over services that answer in this process.

import { Code, ConnectError, createRouterTransport, type ServiceImpl } from "@connectrpc/connect";
import { render } from "@testing-library/react";
import { App } from "../app/App";
import { AccountService } from "../gen/bionicpro/auth/v1/account_service_pb.js";
import { ReportsService } from "../gen/bionicpro/reports/v1/reports_service_pb.js";
import { patient, sampleReport } from "./sample";

type Account = Partial<ServiceImpl<typeof AccountService>>;
type Reports = Partial<ServiceImpl<typeof ReportsService>>;

export const signedOut: Account = {
  getMe: () => {
    throw new ConnectError("no session", Code.Unauthenticated);
  },
};

export function renderApp(path: string, account: Account = {}, reports: Reports = {}) {
  window.history.replaceState(null, "", path);
  const transport = createRouterTransport(({ service }) => {
    service(AccountService, { getMe: () => patient, ...account });
    service(ReportsService, {
      getReport: () => ({ report: sampleReport() }),
      listReports: () => ({ reports: [] }),
      listExports: () => ({ exports: [] }),
      ...reports,
    });
  });
  return render(<App transport={transport} />);
}
