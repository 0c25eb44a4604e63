//! ReportsService: decode, ask the domain, encode. No logic.

mod authorize_download;
mod decode;
mod encode;
mod export_report;
mod get_customer_report;
mod get_export;
mod get_report;
mod list_exports;
mod list_reports;

use std::sync::Arc;

use bionicpro_proto::reports::v1::reports_service_server::ReportsService;
use bionicpro_proto::reports::v1::{
    AuthorizeDownloadRequest, AuthorizeDownloadResponse, ExportReportRequest, ExportReportResponse,
    GetCustomerReportRequest, GetCustomerReportResponse, GetExportRequest, GetExportResponse,
    GetReportRequest, GetReportResponse, ListExportsRequest, ListExportsResponse,
    ListReportsRequest, ListReportsResponse,
};
use tokio::sync::Notify;
use tonic::{Request, Response, Status};

use crate::export::keys::Keys;
use crate::store::{Exports, Files, Warehouse};

/// What the calls need.
pub(crate) struct Reports {
    pub(crate) warehouse: Warehouse,
    pub(crate) exports: Exports,
    pub(crate) files: Files,
    pub(crate) keys: Keys,
    /// Wakes the worker for a new export.
    pub(crate) wake: Arc<Notify>,
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

    async fn export_report(
        &self,
        request: Request<ExportReportRequest>,
    ) -> Result<Response<ExportReportResponse>, Status> {
        Ok(export_report::handle(self, &request).await?.into())
    }

    async fn get_export(
        &self,
        request: Request<GetExportRequest>,
    ) -> Result<Response<GetExportResponse>, Status> {
        Ok(get_export::handle(self, &request).await?.into())
    }

    async fn list_exports(
        &self,
        request: Request<ListExportsRequest>,
    ) -> Result<Response<ListExportsResponse>, Status> {
        Ok(list_exports::handle(self, &request).await?.into())
    }

    async fn authorize_download(
        &self,
        request: Request<AuthorizeDownloadRequest>,
    ) -> Result<Response<AuthorizeDownloadResponse>, Status> {
        Ok(authorize_download::handle(self, &request).await?.into())
    }
}
