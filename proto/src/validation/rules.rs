//! What each rule means. The generated checks call these; names and meaning are protovalidate's.

use std::borrow::Cow;
use std::fmt::Debug;
use std::ops::{Bound, RangeBounds};

use super::Violation;

pub(super) fn required(present: bool, field: &str, broken: &mut Vec<Violation>) {
    demand(present, field, "required", "value is required", broken);
}

pub(super) fn len(value: &str, characters: usize, field: &str, broken: &mut Vec<Violation>) {
    let kept = value.chars().count() == characters;
    let message = || format!("value must have {characters} characters");
    demand_with(kept, field, "string.len", message, broken);
}

pub(super) fn min_len(value: &str, characters: usize, field: &str, broken: &mut Vec<Violation>) {
    // Bytes are a cheap upper bound of characters.
    let kept = value.len() >= characters && value.chars().count() >= characters;
    let message = || format!("value must have at least {characters} characters");
    demand_with(kept, field, "string.min_len", message, broken);
}

pub(super) fn max_len(value: &str, characters: usize, field: &str, broken: &mut Vec<Violation>) {
    let kept = value.len() <= characters || value.chars().count() <= characters;
    let message = || format!("value must have at most {characters} characters");
    demand_with(kept, field, "string.max_len", message, broken);
}

pub(super) fn string_in(value: &str, allowed: &[&str], field: &str, broken: &mut Vec<Violation>) {
    let message = || format!("value must be one of {allowed:?}");
    demand_with(
        allowed.contains(&value),
        field,
        "string.in",
        message,
        broken,
    );
}

/// A UUID with its hyphens (RFC 9562), in either case.
pub(super) fn uuid(value: &str, field: &str, broken: &mut Vec<Violation>) {
    let rule = if value.is_empty() {
        "string.uuid_empty"
    } else {
        "string.uuid"
    };
    demand(is_uuid(value), field, rule, "value must be a UUID", broken);
}

fn is_uuid(value: &str) -> bool {
    value.len() == 36
        && value.bytes().enumerate().all(|(index, byte)| match index {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

pub(super) fn defined(kept: bool, field: &str, broken: &mut Vec<Violation>) {
    let message = "value must be one that the contract defines";
    demand(kept, field, "enum.defined_only", message, broken);
}

pub(super) fn enum_in(value: i32, allowed: &[i32], field: &str, broken: &mut Vec<Violation>) {
    let message = || format!("value must be one of {allowed:?}");
    demand_with(allowed.contains(&value), field, "enum.in", message, broken);
}

pub(super) fn enum_not_in(value: i32, refused: &[i32], field: &str, broken: &mut Vec<Violation>) {
    let message = || format!("value must not be one of {refused:?}");
    demand_with(
        !refused.contains(&value),
        field,
        "enum.not_in",
        message,
        broken,
    );
}

pub(super) fn range<T: PartialOrd + Debug>(
    value: &T,
    range: impl RangeBounds<T>,
    rule: &'static str,
    field: &str,
    broken: &mut Vec<Violation>,
) {
    let message = || match (range.start_bound(), range.end_bound()) {
        (Bound::Included(low), Bound::Included(high)) => {
            format!("value must be from {low:?} to {high:?}")
        }
        (Bound::Included(low), _) => format!("value must be at least {low:?}"),
        (_, Bound::Included(high)) => format!("value must be at most {high:?}"),
        _ => String::new(),
    };
    demand_with(range.contains(value), field, rule, message, broken);
}

/// Checks a message within the message; its paths begin with `field`.
pub(super) fn nested(
    field: &str,
    broken: &mut Vec<Violation>,
    check: impl FnOnce(&mut Vec<Violation>),
) {
    let before = broken.len();
    check(broken);
    for violation in &mut broken[before..] {
        violation.field = format!("{field}.{}", violation.field);
    }
}

fn demand(
    kept: bool,
    field: &str,
    rule: &'static str,
    message: &'static str,
    broken: &mut Vec<Violation>,
) {
    if !kept {
        broken.push(Violation {
            field: field.to_owned(),
            rule,
            message: Cow::Borrowed(message),
        });
    }
}

fn demand_with(
    kept: bool,
    field: &str,
    rule: &'static str,
    message: impl FnOnce() -> String,
    broken: &mut Vec<Violation>,
) {
    if !kept {
        broken.push(Violation {
            field: field.to_owned(),
            rule,
            message: Cow::Owned(message()),
        });
    }
}
