//! How prost names what a contract declares.

use heck::{ToSnakeCase as _, ToUpperCamelCase as _};
use prost_reflect::{EnumDescriptor, FieldDescriptor, MessageDescriptor, OneofDescriptor};

/// The prefix of the packages that are ours.
const HOUSE: &str = "bionicpro.";

/// Whether the message is declared in a contract of ours.
pub(crate) fn is_ours(message: &MessageDescriptor) -> bool {
    message.package_name().starts_with(HOUSE)
}

/// The path of a message's type.
pub(crate) fn message(message: &MessageDescriptor) -> String {
    format!(
        "{}::{}",
        module(message),
        message.name().to_upper_camel_case()
    )
}

/// The path of an enum's type.
pub(crate) fn enumeration(enumeration: &EnumDescriptor) -> String {
    let module = match enumeration.parent_message() {
        Some(parent) => nested(&parent),
        None => package(enumeration.package_name()),
    };
    format!("{module}::{}", enumeration.name().to_upper_camel_case())
}

/// The path of a oneof's variant.
pub(crate) fn variant(oneof: &OneofDescriptor, field: &FieldDescriptor) -> String {
    format!(
        "{}::{}::{}",
        nested(oneof.parent_message()),
        oneof.name().to_upper_camel_case(),
        field.name().to_upper_camel_case()
    )
}

fn module(message: &MessageDescriptor) -> String {
    match message.parent_message() {
        Some(parent) => nested(&parent),
        None => package(message.package_name()),
    }
}

fn nested(parent: &MessageDescriptor) -> String {
    format!("{}::{}", module(parent), parent.name().to_snake_case())
}

fn package(name: &str) -> String {
    format!(
        "crate::{}",
        name.strip_prefix(HOUSE).unwrap_or(name).replace('.', "::")
    )
}
