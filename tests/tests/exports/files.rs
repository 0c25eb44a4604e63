//! What is in a file, and what is asked of it.
#![allow(clippy::unwrap_used)]

use bionicpro_proto::reports::v1::{
    Export, ExportFormat, ExportReportRequest, ExportReportResponse, ExportState, GetExportRequest,
    GetExportResponse, GetReportRequest, GetReportResponse, ListExportsRequest,
    ListExportsResponse, PeriodKind, Report,
};
use bionicpro_tests::exports::{Patient, path};
use bionicpro_tests::file_store::FileStore;
use bionicpro_tests::grpc_web::Answer;
use bionicpro_tests::reports::period;
use bionicpro_tests::{Topology, stack};
use http::StatusCode;
use http::header::LOCATION;
use serde_json::{Value, json};
use tonic::Code;
use uuid::Uuid;

use crate::{alone, week};

async fn report(patient: &Patient<'_>) -> Report {
    let period = Some(week());
    let answer: Answer<GetReportResponse> = patient
        .call("GetReport", &GetReportRequest { period })
        .await;
    answer.message().report.unwrap()
}

#[tokio::test]
async fn a_json_file_says_what_the_report_says() {
    let _alone = alone().await;
    let patient = Patient::signed_in(stack(), "prothetic1").await.unwrap();
    let export = patient.ready(&week(), ExportFormat::Json).await;
    let file = patient.download(&export.download_path).await;
    assert_eq!(file.status, StatusCode::OK);
    assert_eq!(file.header("content-type"), "application/json");
    assert_eq!(file.bytes.len() as u64, export.size_bytes);
    let saved_as = format!("attachment; filename=\"{}\"", export.file_name);
    assert_eq!(file.header("content-disposition"), saved_as);

    let file: Value = serde_json::from_slice(&file.bytes).unwrap();
    let report = report(&patient).await;
    assert_eq!(file["schema"], "bionicpro.report.v1");
    assert_eq!(file["customer_id"], patient.customer.to_string());
    let totals = report.totals.unwrap();
    assert!(totals.readings > 0, "the week proves nothing");
    assert_eq!(file["totals"]["readings"], totals.readings);
    assert_eq!(file["totals"]["use_ms"], totals.use_ms);
    let mean: f64 = file["totals"]["response_ms_mean"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    assert!((mean - totals.response_ms_mean.unwrap()).abs() < 0.001);
    let days: Vec<Value> = report.days.iter().map(|day| json!(day.day)).collect();
    let in_file = file["days"].as_array().unwrap();
    assert_eq!(
        in_file
            .iter()
            .map(|day| day["day"].clone())
            .collect::<Vec<_>>(),
        days
    );
    assert_eq!(in_file.len(), 7);
    assert_eq!(file["grips"].as_array().unwrap().len(), report.grips.len());
    assert_eq!(
        file["prostheses"][0]["serial_number"],
        report.prostheses[0].serial_number
    );
    // The file is as fresh as the index says, to the second.
    let said = export.freshness.unwrap().generated_at.unwrap().to_string();
    let in_file = file["freshness"]["generated_at"].as_str().unwrap();
    assert_eq!(in_file[..19], said[..19]);
}

#[tokio::test]
async fn a_csv_file_has_a_value_a_line_and_the_same_columns_in_each() {
    let _alone = alone().await;
    let patient = Patient::signed_in(stack(), "prothetic1").await.unwrap();
    let export = patient.ready(&week(), ExportFormat::Csv).await;
    let file = patient.download(&export.download_path).await;
    assert_eq!(file.status, StatusCode::OK);
    assert!(
        file.header("content-type").starts_with("text/csv"),
        "{}",
        file.header("content-type")
    );
    let text = String::from_utf8(file.bytes).unwrap();
    let lines: Vec<&str> = text.trim_end().split("\r\n").collect();
    assert_eq!(lines[0], "\u{feff}Section,From,To,Item,Measure,Value,Unit");
    let readings = report(&patient).await.totals.unwrap().readings;
    let period = export.period.unwrap();
    let expected = format!(
        "Period,{},{},,Readings,{readings},",
        period.start_day, period.end_day
    );
    assert!(lines.contains(&expected.as_str()), "{text}");
}

#[tokio::test]
async fn a_link_of_the_app_leads_to_the_cdn() {
    let _alone = alone().await;
    let patient = Patient::signed_in(stack(), "prothetic1").await.unwrap();
    let export = patient.ready(&week(), ExportFormat::Csv).await;
    let link = stack()
        .gateway
        .public_url
        .join(&export.download_path)
        .unwrap();
    let answer = bionicpro_tests::http().get(link).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::TEMPORARY_REDIRECT);
    let leads_to = bionicpro_tests::exports::address(stack(), &export.download_path);
    assert_eq!(answer.headers()[LOCATION], leads_to.as_str());
}

#[tokio::test]
async fn a_repeated_request_answers_the_same_export_and_another_one_is_refused() {
    let _alone = alone().await;
    let patient = Patient::signed_in(stack(), "prothetic1").await.unwrap();
    let request = Uuid::new_v4();
    let first = patient
        .export_as(request, &week(), ExportFormat::Csv)
        .await
        .message();
    // Also after the report has become another one.
    patient.change_in_crm().await.unwrap();
    let again = patient
        .export_as(request, &week(), ExportFormat::Csv)
        .await
        .message();
    assert_eq!(again.export_id, first.export_id);
    let other = patient
        .export_as(request, &week(), ExportFormat::Json)
        .await
        .0;
    assert_eq!(other.status.code(), Code::AlreadyExists);
    assert_eq!(other.reason(), "REQUEST_ID_REUSED");
    // A request_id is its customer's own.
    let patient = Patient::signed_in(stack(), "prothetic2").await.unwrap();
    let others = patient
        .export_as(request, &week(), ExportFormat::Json)
        .await
        .message();
    assert_ne!(others.export_id, first.export_id);
}

#[tokio::test]
async fn exports_are_listed_newest_first_page_by_page_and_each_only_to_its_owner() {
    let _alone = alone().await;
    let patient = Patient::signed_in(stack(), "prothetic1").await.unwrap();
    let mut made = Vec::new();
    for format in [ExportFormat::Csv, ExportFormat::Json, ExportFormat::Csv] {
        patient.change_in_crm().await.unwrap();
        made.push(patient.export(&week(), format).await.export_id);
    }
    made.reverse();
    let mut listed = Vec::new();
    let mut ask = ListExportsRequest {
        page_size: 1,
        page_token: String::new(),
    };
    while listed.len() < made.len() {
        let answer: Answer<ListExportsResponse> = patient.call("ListExports", &ask).await;
        let page = answer.message();
        assert_eq!(page.exports.len(), 1);
        listed.extend(
            page.exports
                .into_iter()
                .map(|export: Export| export.export_id),
        );
        ask.page_token = page.next_page_token;
    }
    assert_eq!(listed, made);

    let other = Patient::signed_in(stack(), "prothetic2").await.unwrap();
    let export_id = made[0].clone();
    let foreign: Answer<GetExportResponse> = other
        .call("GetExport", &GetExportRequest { export_id })
        .await;
    assert_eq!(foreign.status.code(), Code::NotFound);
    assert_eq!(foreign.reason(), "EXPORT_NOT_FOUND");
    let all = ListExportsRequest {
        page_size: 100,
        page_token: String::new(),
    };
    let answer: Answer<ListExportsResponse> = other.call("ListExports", &all).await;
    assert!(
        !answer
            .message()
            .exports
            .iter()
            .any(|export| made.contains(&export.export_id))
    );
}

#[tokio::test]
async fn wrong_fields_are_named() {
    let patient = Patient::signed_in(stack(), "prothetic1").await.unwrap();
    let right = ExportReportRequest {
        request_id: Uuid::new_v4().to_string(),
        period: Some(week()),
        format: ExportFormat::Csv.into(),
        language: 1,
    };
    let with = |change: fn(&mut ExportReportRequest)| {
        let mut wrong = right.clone();
        change(&mut wrong);
        wrong
    };
    for (wrong, reason) in [
        (with(|it| it.request_id = "1".to_owned()), "INVALID_FIELD"),
        (with(|it| it.period = None), "INVALID_FIELD"),
        (with(|it| it.format = 0), "INVALID_FIELD"),
        (with(|it| it.format = 9), "INVALID_FIELD"),
        (with(|it| it.language = 9), "INVALID_FIELD"),
        (
            with(|it| it.period = Some(period(PeriodKind::Day, "2026-02-30", ""))),
            "PERIOD_INVALID",
        ),
    ] {
        let answer: Answer<ExportReportResponse> = patient.call("ExportReport", &wrong).await;
        assert_eq!(answer.status.code(), Code::InvalidArgument, "{wrong:?}");
        assert_eq!(answer.reason(), reason, "{wrong:?}");
    }
    let ask = ListExportsRequest {
        page_size: 1,
        page_token: "AAAA".to_owned(),
    };
    let answer: Answer<ListExportsResponse> = patient.call("ListExports", &ask).await;
    assert_eq!(answer.reason(), "PAGE_TOKEN_INVALID");
}

#[tokio::test]
async fn neither_the_link_nor_the_bucket_says_whose_file_it_is_and_the_bucket_is_closed() {
    let _alone = alone().await;
    let stack: &Topology = stack();
    let patient = Patient::signed_in(stack, "prothetic1").await.unwrap();
    let export = patient.ready(&week(), ExportFormat::Csv).await;
    assert_eq!(export.state(), ExportState::Ready);
    let customer = patient.customer.to_string();
    for part in [
        customer.as_str(),
        &customer[24..],
        "Anna",
        "Orlova",
        "prothetic1",
    ] {
        assert!(!export.download_path.contains(part), "{part}");
    }
    let name = path(&export.download_path).split('/').nth(2).unwrap();
    let bucket = stack.s3.url.join(&format!("{}/", stack.s3.bucket)).unwrap();
    for address in [bucket.clone(), bucket.join(name).unwrap()] {
        let answer = bionicpro_tests::http()
            .get(address.clone())
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{address}");
    }
}

/// The suite runs twice, and the second time says nothing if it runs on the same store.
#[tokio::test]
async fn the_file_store_that_is_meant_is_there_and_no_other() {
    let _alone = alone().await;
    for store in FileStore::ALL {
        let process = store.process(stack());
        let is_meant = store == FileStore::meant();
        // Ready is what answers as this store does at the address that all have in common.
        assert_eq!(process.is_ready(), is_meant, "{store:?}");
        assert_eq!(process.runs(), is_meant, "{store:?}");
    }
}

/// What lies behind the bucket would show everything to everybody, or to whoever knows a file's id.
#[tokio::test]
async fn what_lies_behind_the_bucket_is_closed() {
    let _alone = alone().await;
    let s3 = &stack().s3;
    let behind = |port, path| format!("http://127.0.0.1:{port}/{path}");
    for (address, refusal) in [
        (behind(s3.filer_port, "buckets/"), StatusCode::NOT_FOUND),
        (
            behind(s3.volume_port, "1,01637037d6"),
            StatusCode::UNAUTHORIZED,
        ),
    ] {
        let answer = bionicpro_tests::http().get(&address).send().await;
        let status = answer.as_ref().ok().map(reqwest::Response::status);
        let expected = match FileStore::meant() {
            FileStore::SeaweedFs => Some(refusal),
            // It has neither.
            FileStore::Minio => None,
        };
        assert_eq!(status, expected, "{address}");
    }
}
