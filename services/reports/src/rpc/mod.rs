//! ReportsService: decode, ask the domain, encode. No logic.

mod decode;
mod encode;
mod get_customer_report;
mod get_report;
mod list_reports;

use bionicpro_proto::reports::v1::reports_service_server::ReportsService;
use bionicpro_proto::reports::v1::{
    GetCustomerReportRequest, GetCustomerReportResponse, GetReportRequest, GetReportResponse,
    ListReportsRequest, ListReportsResponse,
};
use tonic::{Request, Response, Status};

use crate::store::Warehouse;

/// What the calls need.
pub(crate) struct Reports {
    pub(crate) warehouse: Warehouse,
}

#[tonic::async_trait]
impl ReportsService for Reports {
    async fn get_report(
        &self,
        request: Request<GetReportRequest>,
    ) -> Result<Response<GetReportResponse>, Status> {
        Ok(get_report::handle(self, &request).await?.into())
    }

    async fn list_reports(
        &self,
        request: Request<ListReportsRequest>,
    ) -> Result<Response<ListReportsResponse>, Status> {
        Ok(list_reports::handle(self, &request).await?.into())
    }

    async fn get_customer_report(
        &self,
        request: Request<GetCustomerReportRequest>,
    ) -> Result<Response<GetCustomerReportResponse>, Status> {
        Ok(get_customer_report::handle(self, request.get_ref())
            .await?
            .into())
    }
}
