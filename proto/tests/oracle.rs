//! The generated checks against protovalidate's runtime as the oracle: for messages of every
//! request type, filled with values on and around the edges of the rules, both must break the
//! same rules on the same fields.

#![allow(clippy::unwrap_used)]

use std::sync::LazyLock;

use bionicpro_proto::validation::Validate;
use bionicpro_proto::{FILE_DESCRIPTOR_SET, auth, cdc, ingest, reports};
use proptest::prelude::*;
use proptest::sample::select;
use prost::Message;
use prost_protovalidate::{Error, Validator};
use prost_reflect::{
    DescriptorPool, DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, Value,
};

static POOL: LazyLock<DescriptorPool> =
    LazyLock::new(|| DescriptorPool::decode(FILE_DESCRIPTOR_SET).unwrap());
static ORACLE: LazyLock<Validator> = LazyLock::new(Validator::new);

type Check = fn(&[u8]) -> Vec<(String, String)>;

/// Every request type with its generated check.
const REQUESTS: &[(&str, Check)] = &[
    (
        "bionicpro.auth.v1.BeginSignInRequest",
        generated::<auth::v1::BeginSignInRequest>,
    ),
    (
        "bionicpro.auth.v1.CheckSessionRequest",
        generated::<auth::v1::CheckSessionRequest>,
    ),
    (
        "bionicpro.auth.v1.CompleteSignInRequest",
        generated::<auth::v1::CompleteSignInRequest>,
    ),
    (
        "bionicpro.auth.v1.EndSessionRequest",
        generated::<auth::v1::EndSessionRequest>,
    ),
    (
        "bionicpro.auth.v1.GetMeRequest",
        generated::<auth::v1::GetMeRequest>,
    ),
    (
        "bionicpro.cdc.v1.GetStatusRequest",
        generated::<cdc::v1::GetStatusRequest>,
    ),
    (
        "bionicpro.ingest.v1.GetRunRequest",
        generated::<ingest::v1::GetRunRequest>,
    ),
    (
        "bionicpro.ingest.v1.ListRunsRequest",
        generated::<ingest::v1::ListRunsRequest>,
    ),
    (
        "bionicpro.ingest.v1.RecordBatchRequest",
        generated::<ingest::v1::RecordBatchRequest>,
    ),
    (
        "bionicpro.ingest.v1.RecordReadingsRequest",
        generated::<ingest::v1::RecordReadingsRequest>,
    ),
    (
        "bionicpro.ingest.v1.StartRunRequest",
        generated::<ingest::v1::StartRunRequest>,
    ),
    (
        "bionicpro.reports.v1.AuthorizeDownloadRequest",
        generated::<reports::v1::AuthorizeDownloadRequest>,
    ),
    (
        "bionicpro.reports.v1.ExportReportRequest",
        generated::<reports::v1::ExportReportRequest>,
    ),
    (
        "bionicpro.reports.v1.GetCustomerReportRequest",
        generated::<reports::v1::GetCustomerReportRequest>,
    ),
    (
        "bionicpro.reports.v1.GetExportRequest",
        generated::<reports::v1::GetExportRequest>,
    ),
    (
        "bionicpro.reports.v1.GetReportRequest",
        generated::<reports::v1::GetReportRequest>,
    ),
    (
        "bionicpro.reports.v1.ListExportsRequest",
        generated::<reports::v1::ListExportsRequest>,
    ),
    (
        "bionicpro.reports.v1.ListReportsRequest",
        generated::<reports::v1::ListReportsRequest>,
    ),
];

fn generated<M: Message + Default + Validate>(bytes: &[u8]) -> Vec<(String, String)> {
    let broken = M::decode(bytes).unwrap().validate();
    let pairs = broken.err().map(|broken| {
        let pairs = broken
            .as_slice()
            .iter()
            .map(|it| (it.field.clone(), it.rule.to_owned()));
        pairs.collect()
    });
    sorted(pairs.unwrap_or_default())
}

fn by_oracle(message: &DynamicMessage) -> Vec<(String, String)> {
    match ORACLE.validate(message) {
        Ok(()) => Vec::new(),
        Err(Error::Validation(broken)) => {
            let pairs = broken.violations().iter();
            sorted(
                pairs
                    .map(|it| (it.field_path(), it.rule_id().to_owned()))
                    .collect(),
            )
        }
        Err(error) => panic!("{error}"),
    }
}

fn sorted(mut pairs: Vec<(String, String)>) -> Vec<(String, String)> {
    pairs.sort();
    pairs
}

fn message(descriptor: MessageDescriptor) -> BoxedStrategy<DynamicMessage> {
    let fields: Vec<_> = descriptor
        .fields()
        .map(|field| {
            (
                Just(field.clone()),
                proptest::option::weighted(0.8, value(&field)),
            )
        })
        .collect();
    fields
        .prop_map(move |fields| {
            let mut message = DynamicMessage::new(descriptor.clone());
            for (field, value) in fields {
                // A member of a oneof drives out the one before.
                value
                    .into_iter()
                    .for_each(|value| message.set_field(&field, value));
            }
            message
        })
        .boxed()
}

fn value(field: &FieldDescriptor) -> BoxedStrategy<Value> {
    assert!(!field.is_map(), "requests have no maps");
    let item = value_of(field.kind());
    if field.is_list() {
        let items = proptest::collection::vec(item, 0..3);
        return items.prop_map(Value::List).boxed();
    }
    item
}

fn value_of(kind: Kind) -> BoxedStrategy<Value> {
    match kind {
        Kind::String => text().prop_map(Value::String).boxed(),
        Kind::Enum(_) => (-2..8).prop_map(Value::EnumNumber).boxed(),
        Kind::Int32 => select(vec![
            i32::MIN,
            -1,
            0,
            1,
            365,
            366,
            367,
            499,
            500,
            501,
            i32::MAX,
        ])
        .prop_map(Value::I32)
        .boxed(),
        Kind::Int64 => any::<i64>().prop_map(Value::I64).boxed(),
        Kind::Uint32 => any::<u32>().prop_map(Value::U32).boxed(),
        Kind::Double => any::<f64>().prop_map(Value::F64).boxed(),
        Kind::Message(inner) => message(inner).prop_map(Value::Message).boxed(),
        kind => panic!("no values of the kind {kind:?} are made here"),
    }
}

fn text() -> BoxedStrategy<String> {
    let lengths = select(vec![
        0_usize, 1, 9, 10, 11, 128, 129, 256, 257, 512, 513, 2048, 2049,
    ]);
    let letters = select(vec!["a", "é", "ключ", "𝄞"]);
    let lengths = (letters, lengths)
        .prop_map(|(letters, length)| letters.chars().cycle().take(length).collect::<String>());
    let words = select(vec![
        "en",
        "ru",
        "EN",
        " en",
        "2026-11-24",
        "/reports?day=1",
    ]);
    let uuids = select(vec![
        "01900000-0000-7000-8000-000000000001",
        "01900000-0000-7000-8000-00000000000A",
        "01900000-0000-7000-8000-00000000000g",
        "01900000-0000-7000-8000-0000000000011",
        "0190000000007000800000000000000001",
        "01900000000-0-7000-8000-000000000001",
        "{1900000-0000-7000-8000-00000000000}",
    ]);
    prop_oneof![
        lengths,
        words.prop_map(str::to_owned),
        uuids.prop_map(str::to_owned)
    ]
    .boxed()
}

proptest! {
    #[test]
    fn the_generated_checks_break_the_same_rules_as_the_oracle(
        (check, message) in select(REQUESTS).prop_flat_map(|(name, check)| {
            (Just(check), message(POOL.get_message_by_name(name).unwrap()))
        })
    ) {
        prop_assert_eq!(check(&message.encode_to_vec()), by_oracle(&message));
    }
}

#[test]
fn every_request_is_held_against_the_oracle() {
    let methods = POOL
        .services()
        .flat_map(|it| it.methods().collect::<Vec<_>>());
    let mut inputs: Vec<_> = methods
        .map(|it| it.input().full_name().to_owned())
        .collect();
    inputs.sort();
    inputs.dedup();
    assert_eq!(
        inputs,
        REQUESTS.iter().map(|(name, _)| *name).collect::<Vec<_>>()
    );
}

#[test]
fn the_empty_message_of_every_request_breaks_the_same_rules() {
    for (name, check) in REQUESTS {
        let message = DynamicMessage::new(POOL.get_message_by_name(name).unwrap());
        assert_eq!(check(&[]), by_oracle(&message), "{name}");
    }
}
