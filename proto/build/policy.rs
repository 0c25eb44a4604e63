//! Generates the policy table: method path to policy, as a `match`. A method without the option
//! `bionicpro.policy.v1.access`, with an unset audience or without a deadline does not build.

use std::fmt::Write as _;

use anyhow::{Context as _, bail, ensure};
use prost_reflect::{DescriptorPool, DynamicMessage, MethodDescriptor};

const OPTION: &str = "bionicpro.policy.v1.access";

/// The source of the table. Fails with a line for every method that is at fault.
pub(crate) fn generate(pool: &DescriptorPool) -> anyhow::Result<String> {
    let mut arms = String::new();
    let mut faults = Vec::new();
    for method in pool
        .services()
        .flat_map(|service| service.methods().collect::<Vec<_>>())
    {
        match policy(pool, &method) {
            Ok(policy) => writeln!(
                arms,
                "        {:?} => const {{ &{policy} }},",
                path(&method)
            )?,
            Err(fault) => faults.push(format!("{}: {fault:#}", method.full_name())),
        }
    }
    ensure!(faults.is_empty(), "{}", faults.join("\n"));
    Ok(format!(
        "/// The policy of a method by its path, `/package.Service/Method`.\n\
         #[must_use]\n\
         pub fn of(path: &str) -> Option<&'static Policy> {{\n    \
             Some(match path {{\n{arms}        _ => return None,\n    }})\n}}\n"
    ))
}

fn path(method: &MethodDescriptor) -> String {
    format!("/{}/{}", method.parent_service().full_name(), method.name())
}

fn policy(pool: &DescriptorPool, method: &MethodDescriptor) -> anyhow::Result<String> {
    let option = pool
        .get_extension_by_name(OPTION)
        .context("the policy option is not declared")?;
    let options = method.options();
    ensure!(options.has_extension(&option), "has no option ({OPTION})");
    let access = options.get_extension(&option);
    let access = access
        .as_message()
        .context("the policy option is not a message")?;
    Ok(format!(
        "Policy {{ audiences: &[{}], roles: &{:?}, browser: {}, step_up: {}, \
         deadline: {}, idempotency: {}, server_streaming: {} }}",
        audiences(access)?,
        roles(access)?,
        flag(access, "browser")?,
        flag(access, "step_up")?,
        deadline(access, method)?,
        idempotency(&options, method)?,
        method.is_server_streaming(),
    ))
}

fn audiences(access: &DynamicMessage) -> anyhow::Result<String> {
    let value = access.get_field_by_name("audiences").context("audiences")?;
    let values = value.as_list().context("audiences is not a list")?;
    ensure!(!values.is_empty(), "names no audience");
    let names = values.iter().map(|value| match value.as_enum_number() {
        Some(1) => Ok("Audience::Public"),
        Some(2) => Ok("Audience::User"),
        Some(3) => Ok("Audience::Service"),
        _ => bail!("names an audience that is not set"),
    });
    Ok(names.collect::<anyhow::Result<Vec<_>>>()?.join(", "))
}

fn roles(access: &DynamicMessage) -> anyhow::Result<Vec<String>> {
    let value = access.get_field_by_name("roles").context("roles")?;
    let values = value.as_list().context("roles is not a list")?;
    let roles: Vec<_> = values
        .iter()
        .filter_map(|role| role.as_str().map(str::to_owned))
        .collect();
    ensure!(
        roles.iter().all(|role| !role.is_empty()),
        "names an empty role"
    );
    Ok(roles)
}

fn flag(access: &DynamicMessage, name: &str) -> anyhow::Result<bool> {
    let value = access
        .get_field_by_name(name)
        .with_context(|| format!("has no {name}"))?;
    value
        .as_bool()
        .with_context(|| format!("{name} is not a bool"))
}

fn deadline(access: &DynamicMessage, method: &MethodDescriptor) -> anyhow::Result<String> {
    let default = nanoseconds(access, "default_deadline")?;
    let maximum = nanoseconds(access, "maximum_deadline")?;
    if flag(access, "unbounded")? {
        ensure!(
            method.is_server_streaming(),
            "is unbounded, but not a stream"
        );
        ensure!(
            default.is_none() && maximum.is_none(),
            "is unbounded, and has a deadline"
        );
        return Ok("Deadline::Unbounded".to_owned());
    }
    let default = default.context("has no default_deadline")?;
    let maximum = maximum.context("has no maximum_deadline")?;
    ensure!(
        default <= maximum,
        "has a default_deadline above its maximum_deadline"
    );
    Ok(format!(
        "Deadline::Bounded {{ default: Duration::from_nanos({default}), \
         maximum: Duration::from_nanos({maximum}) }}"
    ))
}

fn nanoseconds(access: &DynamicMessage, name: &str) -> anyhow::Result<Option<u64>> {
    if !access.has_field_by_name(name) {
        return Ok(None);
    }
    let value = access.get_field_by_name(name).context("deadline")?;
    let duration: prost_types::Duration = value
        .as_message()
        .context("a deadline is not a duration")?
        .transcode_to()?;
    let duration = std::time::Duration::try_from(duration)
        .ok()
        .filter(|duration| !duration.is_zero())
        .with_context(|| format!("has a {name} that is not positive"))?;
    Ok(Some(u64::try_from(duration.as_nanos())?))
}

fn idempotency(
    options: &DynamicMessage,
    method: &MethodDescriptor,
) -> anyhow::Result<&'static str> {
    let level = options
        .get_field_by_name("idempotency_level")
        .context("idempotency_level")?;
    let level = match level.as_enum_number() {
        Some(1) => "Idempotency::NoSideEffects",
        Some(2) => "Idempotency::Idempotent",
        _ => return Ok("Idempotency::Unknown"),
    };
    ensure!(
        !method.is_client_streaming(),
        "is idempotent, but a client cannot repeat a stream"
    );
    Ok(level)
}
