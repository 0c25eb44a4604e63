//! Generates the checks of the `buf.validate` rules on requests and on what they contain. A rule
//! that this generator does not know stops the build: it would otherwise stand in the contract
//! and protect nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use anyhow::{Context as _, bail, ensure};
use prost_reflect::{
    Cardinality, DescriptorPool, DynamicMessage, ExtensionDescriptor, FieldDescriptor, Kind,
    MessageDescriptor, Value,
};

use crate::names;

/// The kinds of value that have rules which are known here.
const SCALARS: &[&str] = &["string", "enum", "int32", "int64", "uint32", "uint64"];

/// The rules that are set, by name.
type Rules<'a> = BTreeMap<String, &'a Value>;

/// The source of the checks. Fails with a line for every field that is at fault.
pub(crate) fn generate(pool: &DescriptorPool) -> anyhow::Result<String> {
    let extensions = Extensions::find(pool)?;
    let mut code = String::new();
    let mut faults = Vec::new();
    for message in requests(pool).values() {
        match check(&extensions, message) {
            Ok(body) => writeln!(
                code,
                "impl Validate for {} {{\n    \
                     fn check(&self, broken: &mut Vec<Violation>) {{\n{body}    }}\n}}",
                names::message(message)
            )?,
            Err(fault) => faults.push(format!("{}: {fault:#}", message.full_name())),
        }
    }
    ensure!(faults.is_empty(), "{}", faults.join("\n"));
    Ok(code)
}

struct Extensions {
    message: ExtensionDescriptor,
    oneof: ExtensionDescriptor,
    field: ExtensionDescriptor,
}

impl Extensions {
    fn find(pool: &DescriptorPool) -> anyhow::Result<Self> {
        let find = |name: &str| {
            pool.get_extension_by_name(name)
                .with_context(|| format!("{name} is not declared"))
        };
        Ok(Self {
            message: find("buf.validate.message")?,
            oneof: find("buf.validate.oneof")?,
            field: find("buf.validate.field")?,
        })
    }
}

/// The messages of ours that a server can be sent, by name.
fn requests(pool: &DescriptorPool) -> BTreeMap<String, MessageDescriptor> {
    let mut found = BTreeMap::new();
    let mut open: Vec<_> = pool
        .services()
        .flat_map(|service| {
            service
                .methods()
                .map(|method| method.input())
                .collect::<Vec<_>>()
        })
        .collect();
    while let Some(message) = open.pop() {
        if names::is_ours(&message) && !found.contains_key(message.full_name()) {
            open.extend(
                message
                    .fields()
                    .filter_map(|field| field.kind().as_message().cloned()),
            );
            found.insert(message.full_name().to_owned(), message);
        }
    }
    found
}

/// The statements that check one message.
fn check(extensions: &Extensions, message: &MessageDescriptor) -> anyhow::Result<String> {
    let mut code = String::new();
    let options = message.options();
    ensure!(
        !options.has_extension(&extensions.message),
        "rules of a whole message are not known"
    );
    for oneof in message.oneofs().filter(|oneof| !oneof.is_synthetic()) {
        let options = oneof.options();
        let rules = options.get_extension(&extensions.oneof);
        let rules = known(
            rules.as_message().context("oneof rules")?,
            &["required"],
            "oneof",
        )?;
        if is_set(&rules, "required") {
            let name = oneof.name();
            writeln!(
                code,
                "rules::required(self.r#{name}.is_some(), {name:?}, broken);"
            )?;
        }
    }
    for field in message.fields() {
        let options = field.options();
        let rules = options.get_extension(&extensions.field);
        let rules = rules.as_message().context("field rules")?;
        code += &check_field(&field, rules).with_context(|| field.name().to_owned())?;
    }
    Ok(code)
}

fn check_field(field: &FieldDescriptor, rules: &DynamicMessage) -> anyhow::Result<String> {
    let name = field.name();
    let rules = known(
        rules,
        &[SCALARS, &["required", "repeated"]].concat(),
        "field",
    )?;
    let mut code = String::new();
    if is_set(&rules, "required") {
        writeln!(
            code,
            "rules::required({}, {name:?}, broken);",
            presence(field)?
        )?;
    }
    if field.is_map() {
        ensure!(rules.is_empty(), "rules of a map are not known");
        let value = field
            .kind()
            .as_message()
            .map(MessageDescriptor::map_entry_value_field);
        let message = value.and_then(|value| value.kind().as_message().cloned());
        ensure!(
            !message.is_some_and(|it| names::is_ours(&it)),
            "maps of messages are not known"
        );
        return Ok(code);
    }
    if field.cardinality() == Cardinality::Repeated {
        code += &check_list(field, rules.get("repeated").copied())?;
        return Ok(code);
    }
    let checks = check_value(&field.kind(), &rules, &format!("{name:?}"))?;
    if !checks.is_empty() {
        code += &bind(field, &checks);
    }
    Ok(code)
}

/// Puts checks of `value` where the field's value is at hand.
fn bind(field: &FieldDescriptor, checks: &str) -> String {
    let name = field.name();
    match field
        .containing_oneof()
        .filter(|oneof| !oneof.is_synthetic())
    {
        Some(oneof) => format!(
            "if let Some({}(value)) = &self.r#{} {{\n{checks}}}\n",
            names::variant(&oneof, field),
            oneof.name()
        ),
        None if field.supports_presence() => {
            format!("if let Some(value) = &self.r#{name} {{\n{checks}}}\n")
        }
        None => format!("{{\nlet value = &self.r#{name};\n{checks}}}\n"),
    }
}

/// Whether the field is there, as an expression.
fn presence(field: &FieldDescriptor) -> anyhow::Result<String> {
    let name = field.name();
    let in_oneof = field
        .containing_oneof()
        .is_some_and(|oneof| !oneof.is_synthetic());
    ensure!(!in_oneof, "require the oneof, not its member");
    Ok(match field.kind() {
        _ if field.is_list() || field.is_map() => format!("!self.r#{name}.is_empty()"),
        _ if field.supports_presence() => format!("self.r#{name}.is_some()"),
        Kind::String | Kind::Bytes => format!("!self.r#{name}.is_empty()"),
        Kind::Bool => format!("self.r#{name}"),
        Kind::Float | Kind::Double => bail!("required is not known for floating point numbers"),
        _ => format!("self.r#{name} != 0"),
    })
}

fn check_list(field: &FieldDescriptor, rules: Option<&Value>) -> anyhow::Result<String> {
    let name = field.name();
    let items = match rules.and_then(Value::as_message) {
        Some(rules) => known(rules, &["items"], "repeated")?,
        None => Rules::new(),
    };
    let items = match items.get("items").and_then(|items| items.as_message()) {
        Some(items) => known(items, SCALARS, "items")?,
        None => Rules::new(),
    };
    let mut code = String::new();
    let checks = check_value(&field.kind(), &items, "path.as_str()")?;
    if !checks.is_empty() {
        write!(
            code,
            "for (index, value) in self.r#{name}.iter().enumerate() {{\n\
             let path = format!(\"{name}[{{index}}]\");\n{checks}}}\n"
        )?;
    }
    Ok(code)
}

/// The checks of one `value`, a reference; `path` is the expression of its path.
fn check_value(kind: &Kind, rules: &Rules<'_>, path: &str) -> anyhow::Result<String> {
    let mut code = String::new();
    for (name, rules) in rules
        .iter()
        .filter(|(name, _)| *name != "required" && *name != "repeated")
    {
        let rules = rules.as_message().context("rules are not a message")?;
        code += &match name.as_str() {
            "string" => check_string(rules, path)?,
            "enum" => check_enum(kind, rules, path)?,
            number => check_range(number, rules, path)?,
        };
    }
    if kind
        .as_message()
        .is_some_and(|message| names::is_ours(message) && has_rules(message))
    {
        writeln!(
            code,
            "rules::nested({path}, broken, |broken| value.check(broken));"
        )?;
    }
    Ok(code)
}

/// Whether anything in a message is checked: an item of a long list that has no rule costs nothing.
fn has_rules(message: &MessageDescriptor) -> bool {
    fn look(message: &MessageDescriptor, seen: &mut BTreeSet<String>) -> bool {
        let rule = |options: &DynamicMessage| {
            let mut extensions = options.extensions();
            extensions.any(|(it, _)| it.full_name().starts_with("buf.validate."))
        };
        seen.insert(message.full_name().to_owned())
            && (rule(&message.options())
                || message.oneofs().any(|oneof| rule(&oneof.options()))
                || message.fields().any(|field| {
                    rule(&field.options())
                        || field.kind().as_message().is_some_and(|it| look(it, seen))
                }))
    }
    look(message, &mut BTreeSet::new())
}

fn check_string(rules: &DynamicMessage, path: &str) -> anyhow::Result<String> {
    let mut code = String::new();
    for (rule, value) in known(
        rules,
        &["len", "min_len", "max_len", "in", "uuid"],
        "string",
    )? {
        match rule.as_str() {
            "in" => {
                let allowed = value.as_list().context("string.in")?.iter();
                let allowed = allowed.map(|it| it.as_str().context("string.in"));
                let allowed = allowed.collect::<anyhow::Result<Vec<_>>>()?;
                writeln!(
                    code,
                    "rules::string_in(value, &{allowed:?}, {path}, broken);"
                )?;
            }
            "uuid" => {
                ensure!(
                    value.as_bool() == Some(true),
                    "leave string.uuid out instead"
                );
                writeln!(code, "rules::uuid(value, {path}, broken);")?;
            }
            length => {
                let characters = value.as_u64().context("a length")?;
                writeln!(
                    code,
                    "rules::{length}(value, {characters}, {path}, broken);"
                )?;
            }
        }
    }
    Ok(code)
}

fn check_enum(kind: &Kind, rules: &DynamicMessage, path: &str) -> anyhow::Result<String> {
    let enumeration = kind
        .as_enum()
        .context("enum rules on what is not an enum")?;
    let mut code = String::new();
    for (rule, value) in known(rules, &["defined_only", "in", "not_in"], "enum")? {
        if rule == "defined_only" {
            let name = names::enumeration(enumeration);
            ensure!(
                value.as_bool() == Some(true),
                "leave enum.defined_only out instead"
            );
            writeln!(
                code,
                "rules::defined({name}::is_valid(*value), {path}, broken);"
            )?;
            continue;
        }
        let numbers = value.as_list().context("a list of numbers")?.iter();
        let numbers = numbers
            .map(|it| it.as_i32().context("a number"))
            .collect::<anyhow::Result<Vec<_>>>()?;
        writeln!(
            code,
            "rules::enum_{rule}(*value, &{numbers:?}, {path}, broken);"
        )?;
    }
    Ok(code)
}

fn check_range(kind: &str, rules: &DynamicMessage, path: &str) -> anyhow::Result<String> {
    let rules = known(rules, &["gte", "lte"], kind)?;
    let bound = |name: &str| rules.get(name).map(|value| integer(value)).transpose();
    let (id, low, high) = match (bound("gte")?, bound("lte")?) {
        (None, None) => return Ok(String::new()),
        (Some(low), None) => ("gte", low.to_string(), String::new()),
        (None, Some(high)) => ("lte", String::new(), format!("={high}")),
        (Some(low), Some(high)) => {
            ensure!(low <= high, "a range with its ends reversed");
            ("gte_lte", low.to_string(), format!("={high}"))
        }
    };
    Ok(format!(
        "rules::range(value, {low}..{high}, \"{kind}.{id}\", {path}, broken);\n"
    ))
}

fn integer(value: &Value) -> anyhow::Result<i128> {
    let signed = value
        .as_i32()
        .map(i128::from)
        .or(value.as_i64().map(i128::from));
    let unsigned = value
        .as_u32()
        .map(i128::from)
        .or(value.as_u64().map(i128::from));
    signed
        .or(unsigned)
        .context("a bound that is not an integer")
}

fn is_set(rules: &Rules<'_>, name: &str) -> bool {
    rules
        .get(name)
        .is_some_and(|value| value.as_bool() == Some(true))
}

/// The rules that are set, by name; an unknown one is an error.
fn known<'a>(rules: &'a DynamicMessage, names: &[&str], of: &str) -> anyhow::Result<Rules<'a>> {
    let mut known = BTreeMap::new();
    for (rule, value) in rules.fields() {
        ensure!(
            names.contains(&rule.name()),
            "the rule {of}.{} is not known here",
            rule.name()
        );
        known.insert(rule.name().to_owned(), value);
    }
    let foreign = rules.extensions().next().is_some() || rules.unknown_fields().next().is_some();
    ensure!(!foreign, "{of} has a rule that is not protovalidate's own");
    Ok(known)
}
