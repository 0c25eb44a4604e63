//! What the build refuses, what it generates for the rules that our contracts do not use yet.

#![allow(clippy::unwrap_used)]

#[path = "../build/contracts.rs"]
#[allow(dead_code)]
mod contracts;
#[path = "../build/names.rs"]
mod names;
#[path = "../build/policy.rs"]
mod policy;
#[path = "../build/validation.rs"]
mod validation;

use std::fs;
use std::path::Path;

use prost_reflect::DescriptorPool;

/// A contract with one method of these options and one request of these fields.
fn pool(signature: &str, options: &str, fields: &str) -> DescriptorPool {
    let folder = tempfile::tempdir().unwrap();
    let ours = Path::new(env!("CARGO_MANIFEST_DIR")).join("bionicpro/policy/v1/access.proto");
    let policy = folder.path().join("bionicpro/policy/v1");
    fs::create_dir_all(&policy).unwrap();
    fs::copy(ours, policy.join("access.proto")).unwrap();
    let contract = format!(
        "syntax = \"proto3\";\n\
         package bionicpro.test.v1;\n\
         import \"bionicpro/policy/v1/access.proto\";\n\
         import \"buf/validate/validate.proto\";\n\
         service TestService {{ rpc Say{signature} {{ {options} }} }}\n\
         enum Kind {{ KIND_UNSPECIFIED = 0; KIND_ONE = 1; }}\n\
         message Item {{ string name = 1 [(buf.validate.field).string.min_len = 1]; }}\n\
         message SayRequest {{ {fields} }}\n\
         message SayResponse {{}}\n"
    );
    fs::write(folder.path().join("bionicpro/test.proto"), contract).unwrap();
    contracts::compile(folder.path()).unwrap().pool
}

const UNARY: &str = "(SayRequest) returns (SayResponse)";
const STREAM: &str = "(SayRequest) returns (stream SayResponse)";
const CLIENT_STREAM: &str = "(stream SayRequest) returns (SayResponse)";

/// The policy of a method with these settings.
fn policy_of(signature: &str, settings: &str) -> Result<String, String> {
    let options = format!("option (bionicpro.policy.v1.access) = {{ {settings} }};");
    policy_with(signature, &options)
}

fn policy_with(signature: &str, options: &str) -> Result<String, String> {
    policy::generate(&pool(signature, options, "")).map_err(|error| error.to_string())
}

const DEADLINES: &str = "default_deadline: {seconds: 1} maximum_deadline: {seconds: 2}";

#[test]
fn a_complete_policy_is_generated() {
    let code = policy_of(UNARY, &format!("audiences: AUDIENCE_USER {DEADLINES}")).unwrap();
    assert!(
        code.contains("\"/bionicpro.test.v1.TestService/Say\" => const"),
        "{code}"
    );
    assert!(code.contains("Duration::from_nanos(1000000000)"), "{code}");
}

#[test]
fn a_stream_may_be_unbounded() {
    let code = policy_of(STREAM, "audiences: AUDIENCE_USER unbounded: true").unwrap();
    assert!(code.contains("Deadline::Unbounded"), "{code}");
}

#[test]
fn a_method_at_fault_is_named_with_its_fault() {
    let user = "audiences: AUDIENCE_USER";
    let second = "default_deadline: {seconds: 1}";
    for (signature, settings, fault) in [
        (UNARY, DEADLINES.to_owned(), "names no audience"),
        (
            UNARY,
            format!("audiences: AUDIENCE_UNSPECIFIED {DEADLINES}"),
            "names an audience that",
        ),
        (
            UNARY,
            format!("{user} roles: \"\" {DEADLINES}"),
            "names an empty role",
        ),
        (
            UNARY,
            format!("{user} maximum_deadline: {{seconds: 1}}"),
            "has no default_deadline",
        ),
        (UNARY, format!("{user} {second}"), "has no maximum_deadline"),
        (
            UNARY,
            format!("{user} default_deadline: {{}} maximum_deadline: {{}}"),
            "not positive",
        ),
        (
            UNARY,
            format!("{user} default_deadline: {{seconds: 3}} maximum_deadline: {{seconds: 2}}"),
            "above its maximum",
        ),
        (
            UNARY,
            format!("{user} unbounded: true"),
            "is unbounded, but not a stream",
        ),
        (
            STREAM,
            format!("{user} unbounded: true {second}"),
            "is unbounded, and has a deadline",
        ),
    ] {
        let error = policy_of(signature, &settings).unwrap_err();
        assert!(
            error.starts_with("bionicpro.test.v1.TestService.Say: "),
            "{error}"
        );
        assert!(error.contains(fault), "{error} instead of {fault}");
    }
}

#[test]
fn a_method_without_a_policy_does_not_build() {
    let error = policy_with(UNARY, "").unwrap_err();
    assert!(
        error.starts_with("bionicpro.test.v1.TestService.Say: has no option"),
        "{error}"
    );
}

#[test]
fn a_stream_from_the_client_is_not_repeatable() {
    let options = format!(
        "option idempotency_level = IDEMPOTENT;\n\
         option (bionicpro.policy.v1.access) = {{ audiences: AUDIENCE_USER {DEADLINES} }};"
    );
    let error = policy_with(CLIENT_STREAM, &options).unwrap_err();
    assert!(error.contains("a client cannot repeat a stream"), "{error}");
}

/// The checks of a request with these fields.
fn checks_of(fields: &str) -> Result<String, String> {
    validation::generate(&pool(UNARY, "", fields)).map_err(|error| error.to_string())
}

#[test]
fn an_unknown_rule_stops_the_build_and_names_the_field() {
    for fields in [
        "string day = 1 [(buf.validate.field).string.pattern = \"^a$\"];",
        "string day = 1 [(buf.validate.field).cel = {id: \"x\" message: \"x\" expression: \"true\"}];",
        "string day = 1 [(buf.validate.field).ignore = IGNORE_ALWAYS];",
        "int32 day = 1 [(buf.validate.field).int32.gt = 1];",
        "bytes day = 1 [(buf.validate.field).bytes.len = 1];",
        "repeated string day = 1 [(buf.validate.field).repeated.min_items = 1];",
        "map<string, string> day = 1 [(buf.validate.field).map.min_pairs = 1];",
        "double day = 1 [(buf.validate.field).required = true];",
        "int32 day = 1 [(buf.validate.field).int32 = {gte: 2 lte: 1}];",
        "oneof one { string day = 1 [(buf.validate.field).required = true]; }",
    ] {
        let error = checks_of(fields).unwrap_err();
        assert!(
            error.starts_with("bionicpro.test.v1.SayRequest: day"),
            "{fields}: {error}"
        );
    }
}

#[test]
fn rules_of_a_whole_message_stop_the_build() {
    let rule =
        "option (buf.validate.message).cel = {id: \"x\" message: \"x\" expression: \"true\"};";
    let error = checks_of(rule).unwrap_err();
    assert!(
        error.contains("rules of a whole message are not known"),
        "{error}"
    );
}

#[test]
fn items_of_a_list_are_checked_under_their_index() {
    let code = checks_of("repeated Item items = 1;").unwrap();
    assert!(
        code.contains("let path = format!(\"items[{index}]\");"),
        "{code}"
    );
    assert!(code.contains("rules::nested(path.as_str(), broken, |broken| value.check(broken));"));
    assert!(
        code.contains("impl Validate for crate::test::v1::Item"),
        "{code}"
    );
}

#[test]
fn an_optional_value_is_checked_where_it_is_there() {
    let code = checks_of("optional int32 size = 1 [(buf.validate.field).int32.lte = 9];").unwrap();
    assert!(
        code.contains("if let Some(value) = &self.r#size {"),
        "{code}"
    );
    assert!(
        code.contains("rules::range(value, ..=9, \"int32.lte\", \"size\", broken);"),
        "{code}"
    );
}
