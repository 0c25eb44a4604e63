//! Requests that break one rule of their contract, one for each rule that there
//! is: found in the descriptors, so that a new rule is tested the day it is
//! written.

use bionicpro_proto::FILE_DESCRIPTOR_SET;
use prost_reflect::{
    DescriptorPool, DynamicMessage, ExtensionDescriptor, FieldDescriptor, Kind, MessageDescriptor,
    Value,
};

/// A request that breaks a rule.
#[derive(Debug)]
pub struct Case {
    /// The method, `/package.Service/Method`.
    pub method: String,
    /// The rule, as protovalidate names it.
    pub rule: String,
    /// The path of the field, as the answer has to name it.
    pub field: String,
    /// The request.
    pub request: DynamicMessage,
}

/// All of them.
///
/// # Panics
/// When a contract has a rule that this module does not know how to break.
#[must_use]
pub fn all() -> Vec<Case> {
    let pool =
        DescriptorPool::decode(FILE_DESCRIPTOR_SET).unwrap_or_else(|error| panic!("{error}"));
    let rules = pool.get_extension_by_name("buf.validate.field");
    let rules = rules.unwrap_or_else(|| panic!("no contract has a rule"));
    let services: Vec<_> = pool.services().collect();
    let methods = services.iter().flat_map(|service| service.methods());
    methods
        .flat_map(|method| {
            let name = format!("/{}/{}", method.parent_service().full_name(), method.name());
            broken(&method.input(), &rules)
                .into_iter()
                .map(move |(field, rule, request)| Case {
                    method: name.clone(),
                    rule,
                    field,
                    request,
                })
        })
        .collect()
}

/// Messages that break a rule of their own or of a message within, with its path.
fn broken(
    message: &MessageDescriptor,
    rules: &ExtensionDescriptor,
) -> Vec<(String, String, DynamicMessage)> {
    let mut found = Vec::new();
    for field in message.fields() {
        for (rule, value) in breakers(&field, rules) {
            let mut request = DynamicMessage::new(message.clone());
            if let Some(value) = value {
                request.set_field(&field, value);
            }
            found.push((field.name().to_owned(), rule, request));
        }
        if let Kind::Message(inner) = field.kind()
            && inner.package_name().starts_with("bionicpro.")
        {
            let within = broken(&inner, rules);
            assert!(
                within.is_empty() || !field.is_list() && !field.is_map(),
                "{field:?}: teach me to break an item"
            );
            for (path, rule, value) in within {
                let mut request = DynamicMessage::new(message.clone());
                request.set_field(&field, Value::Message(value));
                found.push((format!("{}.{path}", field.name()), rule, request));
            }
        }
    }
    found
}

/// For each rule of a field its name and a value that breaks it; no value
/// where the field has to be absent.
fn breakers(field: &FieldDescriptor, rules: &ExtensionDescriptor) -> Vec<(String, Option<Value>)> {
    let options = field.options();
    let rules = options.get_extension(rules);
    let Some(rules) = rules.as_message() else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for (rule, value) in rules.fields() {
        match (rule.name(), value) {
            ("required", Value::Bool(true)) => found.push(("required".to_owned(), None)),
            (kind, Value::Message(of_kind)) => {
                for (rule, bound) in of_kind.fields() {
                    let rule = format!("{kind}.{}", rule.name());
                    let value = breaker(&rule, bound);
                    found.push((rule, Some(value)));
                }
            }
            (rule, value) => panic!("{field:?}: teach me to break {rule} = {value}"),
        }
    }
    found
}

fn breaker(rule: &str, bound: &Value) -> Value {
    /// Beyond the values of every enum that there is.
    const UNDEFINED: i32 = 9_999;
    match (rule, bound) {
        ("string.uuid" | "string.in", _) => Value::String("neither of them".to_owned()),
        ("string.min_len", Value::U64(length)) => Value::String("x".repeat(size(*length) - 1)),
        ("string.max_len" | "string.len", Value::U64(length)) => {
            Value::String("x".repeat(size(*length) + 1))
        }
        ("int32.gte", Value::I32(bound)) => Value::I32(bound - 1),
        ("int32.lte", Value::I32(bound)) => Value::I32(bound + 1),
        ("enum.defined_only" | "enum.in", _) => Value::EnumNumber(UNDEFINED),
        ("enum.not_in", Value::List(numbers)) => match numbers.first() {
            Some(Value::I32(number)) => Value::EnumNumber(*number),
            other => panic!("{rule} forbids {other:?}"),
        },
        _ => panic!("teach me to break {rule} = {bound}"),
    }
}

fn size(length: u64) -> usize {
    usize::try_from(length).unwrap_or_else(|_| panic!("{length} characters are too many"))
}
