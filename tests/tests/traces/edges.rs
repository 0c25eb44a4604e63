//! The edges that the traces of each journey must have: the one table of them.

use bionicpro_tests::jaeger::{Edge, Trace};

/// What begins a trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Journey {
    /// A browser comes back from Keycloak.
    SignIn,
    /// A page asks for a report.
    PageCall,
    /// A transaction of the CRM changes a customer.
    CrmChange,
    /// The devices' backend sends a reading.
    Reading,
    /// A browser downloads a file through the CDN.
    Download,
    /// The session is checked of a browser that has begun the trace of its request itself.
    SessionCheck,
}
use Journey::{CrmChange, Download, PageCall, Reading, SessionCheck, SignIn};

pub(crate) const GATEWAY: &str = "bionicpro-gateway";
const AUTH: &str = "bionicpro-auth";
pub(crate) const REPORTS: &str = "bionicpro-reports";
const CDC: &str = "bionicpro-cdc";
pub(crate) const INGEST: &str = "bionicpro-ingest";
pub(crate) const RECORD_READINGS: &str = "bionicpro.ingest.v1.TelemetryService/RecordReadings";
const SEND_READINGS: &str = "send telemetry.readings";
pub(crate) const PROCESS_READING: &str = "process telemetry.readings";
const INSERT_READINGS: &str = "INSERT telemetry_readings";
/// The program that changes the CRM: the suite stands in for it.
pub(crate) const CRM: &str = "crm-application";
pub(crate) const CRM_TRANSACTION: &str = "UPDATE customers";
pub(crate) const CALLBACK: &str = "GET /auth/callback";
pub(crate) const GET_REPORT: &str = "bionicpro.reports.v1.ReportsService/GetReport";
const COMPLETE_SIGN_IN: &str = "bionicpro.auth.v1.SessionService/CompleteSignIn";
const CHECK_SESSION: &str = "bionicpro.auth.v1.SessionService/CheckSession";
pub(crate) const CHECK: &str = "check session";
pub(crate) const AUTHORIZE: &str = "authorize download";
pub(crate) const AUTHORIZE_DOWNLOAD: &str = "bionicpro.reports.v1.ReportsService/AuthorizeDownload";
const TOKEN: &str = "POST /realms/{realm}/protocol/{protocol}/token";
pub(crate) const PROCESS: &str = "process crm.public.customers";
pub(crate) const INSERT: &str = "INSERT crm_customers_versions";

const OK: &[(&str, &str)] = &[
    ("rpc.system.name", "grpc"),
    ("rpc.response.status_code", "OK"),
];
const REDIS: &[(&str, &str)] = &[("db.system.name", "redis")];
const CLICKHOUSE: &[(&str, &str)] = &[("db.system.name", "clickhouse")];
const ONE_ROW: &[(&str, &str)] = &[
    ("db.system.name", "clickhouse"),
    ("db.operation.batch.size", "1"),
];

type Row = (
    Journey,
    (&'static str, &'static str),
    (&'static str, &'static str),
    &'static [(&'static str, &'static str)],
);

/// Journey, parent, child, the child's attributes.
const EDGES: &[Row] = &[
    (SignIn, (GATEWAY, CALLBACK), (GATEWAY, COMPLETE_SIGN_IN), OK),
    (
        SignIn,
        (GATEWAY, COMPLETE_SIGN_IN),
        (AUTH, COMPLETE_SIGN_IN),
        OK,
    ),
    (SignIn, (AUTH, COMPLETE_SIGN_IN), (AUTH, "EVALSHA"), REDIS),
    (SignIn, (AUTH, COMPLETE_SIGN_IN), (AUTH, "PIPELINE"), REDIS),
    (
        SignIn,
        (AUTH, COMPLETE_SIGN_IN),
        (AUTH, "POST"),
        &[
            ("http.request.method", "POST"),
            ("http.response.status_code", "200"),
        ],
    ),
    (
        SignIn,
        (AUTH, "POST"),
        ("keycloak", TOKEN),
        &[("span.kind", "server")],
    ),
    (
        PageCall,
        (GATEWAY, GET_REPORT),
        (GATEWAY, CHECK_SESSION),
        OK,
    ),
    (
        PageCall,
        (GATEWAY, CHECK_SESSION),
        (AUTH, CHECK_SESSION),
        OK,
    ),
    (PageCall, (AUTH, CHECK_SESSION), (AUTH, "PIPELINE"), REDIS),
    (PageCall, (GATEWAY, GET_REPORT), (REPORTS, GET_REPORT), OK),
    (
        PageCall,
        (REPORTS, GET_REPORT),
        ("clickhouse", "HTTPHandler"),
        CLICKHOUSE,
    ),
    (
        PageCall,
        ("clickhouse", "HTTPHandler"),
        ("clickhouse", "query"),
        &[("clickhouse.query_status", "QueryFinish")],
    ),
    (
        CrmChange,
        (CRM, CRM_TRANSACTION),
        ("debezium", "db-log-write"),
        &[],
    ),
    (
        CrmChange,
        ("debezium", "db-log-write"),
        ("debezium", "debezium-read"),
        &[],
    ),
    (
        CrmChange,
        ("debezium", "db-log-write"),
        (CDC, PROCESS),
        &[
            ("messaging.system", "kafka"),
            ("messaging.operation.type", "process"),
            ("messaging.destination.name", "crm.public.customers"),
        ],
    ),
    (CrmChange, (CDC, PROCESS), (CDC, INSERT), ONE_ROW),
    (
        CrmChange,
        (CDC, INSERT),
        ("clickhouse", "HTTPHandler"),
        CLICKHOUSE,
    ),
    (
        Reading,
        (INGEST, RECORD_READINGS),
        (INGEST, SEND_READINGS),
        &[
            ("messaging.system", "kafka"),
            ("messaging.operation.type", "send"),
            ("messaging.destination.name", "telemetry.readings"),
            ("messaging.batch.message_count", "1"),
        ],
    ),
    (
        Reading,
        (INGEST, SEND_READINGS),
        (INGEST, PROCESS_READING),
        &[("messaging.operation.type", "process")],
    ),
    (
        Reading,
        (INGEST, PROCESS_READING),
        (INGEST, INSERT_READINGS),
        ONE_ROW,
    ),
    (
        Reading,
        (INGEST, INSERT_READINGS),
        ("clickhouse", "HTTPHandler"),
        CLICKHOUSE,
    ),
    (
        Download,
        (GATEWAY, AUTHORIZE),
        (GATEWAY, AUTHORIZE_DOWNLOAD),
        OK,
    ),
    (
        Download,
        (GATEWAY, AUTHORIZE_DOWNLOAD),
        (REPORTS, AUTHORIZE_DOWNLOAD),
        OK,
    ),
    (SessionCheck, (GATEWAY, CHECK), (GATEWAY, CHECK_SESSION), OK),
    (
        SessionCheck,
        (GATEWAY, CHECK_SESSION),
        (AUTH, CHECK_SESSION),
        OK,
    ),
    (
        SessionCheck,
        (AUTH, CHECK_SESSION),
        (AUTH, "PIPELINE"),
        REDIS,
    ),
];

/// The edges of a journey that a trace does not have.
pub(crate) fn missing(journey: Journey, trace: &Trace) -> Vec<Edge> {
    let of_journey = EDGES.iter().filter(|row| row.0 == journey);
    let edges = of_journey.map(|&(_, parent, child, attributes)| Edge {
        parent,
        child,
        attributes,
    });
    edges.filter(|edge| !trace.has(edge)).collect()
}
