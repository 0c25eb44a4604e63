//! Calls ReportsService as an internal program does, or with any token.

use bionicpro_proto::reports::v1::{
    GetCustomerReportRequest, GetCustomerReportResponse, PeriodKind, PeriodSelector, Report,
};
use tonic::Status;
use uuid::Uuid;

use crate::{Topology, rpc, tokens};

/// An internal program that reads reports.
pub struct Reports<'a> {
    stack: &'a Topology,
    token: String,
}

impl<'a> Reports<'a> {
    /// With a fresh token.
    ///
    /// # Errors
    /// When Keycloak refuses.
    pub async fn new(stack: &'a Topology) -> anyhow::Result<Self> {
        let token = tokens::of_client(stack, &stack.keycloak.clients.internal).await?;
        Ok(Self { stack, token })
    }

    /// A customer's report.
    ///
    /// # Errors
    /// The service's status.
    pub async fn of(&self, customer: Uuid, period: PeriodSelector) -> Result<Report, Status> {
        let request = GetCustomerReportRequest {
            customer_id: customer.to_string(),
            period: Some(period),
        };
        let answer: GetCustomerReportResponse =
            call(self.stack, "GetCustomerReport", &self.token, request).await?;
        Ok(answer.report.unwrap_or_default())
    }
}

/// Calls a method of the service.
///
/// # Errors
/// The service's status.
pub async fn call<Q, A>(
    stack: &Topology,
    method: &str,
    token: &str,
    message: Q,
) -> Result<A, Status>
where
    Q: prost::Message + 'static,
    A: prost::Message + Default + 'static,
{
    let method = format!("/bionicpro.reports.v1.ReportsService/{method}");
    rpc::call(&stack.reports.url, &method, Some(token), message).await
}

/// A period as it is asked for; days that are not said are empty.
#[must_use]
pub fn period(kind: PeriodKind, day: &str, end_day: &str) -> PeriodSelector {
    PeriodSelector {
        kind: kind.into(),
        day: day.to_owned(),
        end_day: end_day.to_owned(),
    }
}
