//! Sessions and sign-in attempts in Redis. Keys that belong together share a hash
//! tag, so that scripts on them work in a cluster.
//!
//! | Key | Type | What |
//! | --- | --- | --- |
//! | `session:{<id>}` | hash, expires | `ticket:<id>` (wrapped data key), `access`, `refresh` (sealed), `sid`, `subject` (keyed hash), `generation` |
//! | `session:{<id>}:lease` | string, expires | who may spend the refresh token |
//! | `attempt:{<key>}` | string, expires | a sealed sign-in attempt, that it is being completed, or its sealed outcome |

use std::{sync::LazyLock, time::Duration};

use bionicpro_mesh::telemetry::database;
use redis::{
    Arg, Client, Cmd, FromRedisValue, Pipeline, RedisError, Script, ScriptInvocation,
    aio::{ConnectionManager, ConnectionManagerConfig},
};
use tracing::Instrument as _;

use crate::{
    error::{Dependency, Error},
    session::{
        LeaseState, NewSession, Renewable, Replacement, SessionId, SessionStore, Stored, TicketId,
    },
    sign_in::{AttemptKey, AttemptStore, Claim},
};

/// How long Redis may take to answer, and to be connected to.
const TIMEOUT: Duration = Duration::from_secs(1);

/// What stands in the place of a lease's owner while nobody should have it.
const COOLING_DOWN: &str = "cooling-down";

/// Replaces tokens in the generation that was read; repeated after an answer that
/// was lost, it finds its own tokens there. Answers 1, 0 when there are others, and
/// nothing when there is no session. KEYS: session. ARGV: generation, access, refresh.
static REPLACE_TOKENS: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "local generation = redis.call('HGET', KEYS[1], 'generation')
         if not generation then return nil end
         if generation ~= ARGV[1] then
             return redis.call('HGET', KEYS[1], 'refresh') == ARGV[3] and 1 or 0
         end
         redis.call('HSET', KEYS[1], 'access', ARGV[2], 'refresh', ARGV[3])
         redis.call('HINCRBY', KEYS[1], 'generation', 1)
         return 1",
    )
});

/// Where an attempt stands, as the first byte of its value.
const PENDING: u8 = b'p';
const CLAIMED: u8 = b'c';
const FINISHED: u8 = b'f';

/// How long whoever claimed an attempt may take to complete it. After that it is gone:
/// a claim whose owner died, or never heard of it, can not be waited for.
const CLAIM_LIFE: Duration = Duration::from_secs(120);

/// Answers an attempt's value, and marks a pending one as claimed. KEYS: attempt.
/// ARGV: how long the claim holds, in milliseconds.
static CLAIM_ATTEMPT: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "local found = redis.call('GET', KEYS[1])
         if found and string.sub(found, 1, 1) == 'p' then
             redis.call('SET', KEYS[1], 'c', 'PX', ARGV[1])
         end
         return found",
    )
});

/// Changes a lease that its owner still has. KEYS: lease.
/// ARGV: owner, whoever has it next (nobody if empty), milliseconds.
static CHANGE_LEASE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "if redis.call('GET', KEYS[1]) ~= ARGV[1] then return end
         if ARGV[2] == '' then redis.call('DEL', KEYS[1])
         else redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) end",
    )
});

/// Redis, by one connection that all calls share and that comes back by itself.
#[derive(Clone)]
pub(crate) struct Redis(ConnectionManager);

impl Redis {
    /// Redis at `client`'s address. Connects when it is first needed.
    ///
    /// # Errors
    /// When the client's settings contradict each other.
    pub(crate) fn new(client: Client) -> Result<Self, RedisError> {
        let config = ConnectionManagerConfig::new()
            .set_response_timeout(Some(TIMEOUT))
            .set_connection_timeout(Some(TIMEOUT))
            // A call that finds Redis away says so at once; the next one tries again.
            .set_number_of_retries(0);
        Ok(Self(ConnectionManager::new_lazy_with_config(
            client, config,
        )?))
    }

    /// Whether Redis answers.
    ///
    /// # Errors
    /// When it does not.
    pub(crate) async fn ping(&self) -> Result<(), Error> {
        self.run(&redis::cmd("PING")).await
    }

    async fn run<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, Error> {
        let name = command.args_iter().next();
        let name = match &name {
            Some(Arg::Simple(name)) => str::from_utf8(name).unwrap_or_default(),
            _ => "",
        };
        traced(name, command.query_async(&mut self.0.clone())).await
    }

    async fn run_script<T: FromRedisValue>(&self, call: &ScriptInvocation<'_>) -> Result<T, Error> {
        traced("EVALSHA", call.invoke_async(&mut self.0.clone())).await
    }

    async fn run_all<T: FromRedisValue>(&self, commands: &Pipeline) -> Result<T, Error> {
        traced("PIPELINE", commands.query_async(&mut self.0.clone())).await
    }

    async fn change_lease(
        &self,
        id: SessionId,
        owner: &str,
        next: &str,
        period: Duration,
    ) -> Result<(), Error> {
        let mut call = CHANGE_LEASE.key(lease_key(id));
        call.arg(owner).arg(next).arg(millis(period));
        self.run_script(&call).await
    }
}

/// Puts a span around a call.
async fn traced<T>(
    operation: &str,
    call: impl Future<Output = Result<T, RedisError>>,
) -> Result<T, Error> {
    let span = database::redis(operation);
    call.instrument(span.clone()).await.map_err(|error| {
        database::failed(&span, error.code().unwrap_or("unavailable"));
        away(&error)
    })
}

/// Whatever Redis fails with, nothing is known about the session, and nothing of it
/// may be given up.
fn away(error: &RedisError) -> Error {
    tracing::warn!(kind = ?error.kind(), code = error.code(), "redis failed");
    Error::Unavailable(Dependency::Redis)
}

fn session_key(id: SessionId) -> String {
    format!("session:{{{id}}}")
}

fn lease_key(id: SessionId) -> String {
    format!("session:{{{id}}}:lease")
}

fn attempt_key(key: &AttemptKey) -> String {
    format!("attempt:{{{}}}", key.as_str())
}

fn ticket_field(ticket: TicketId) -> String {
    format!("ticket:{ticket}")
}

/// Redis refuses an expiry of nothing; a millisecond comes to the same.
fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis())
        .unwrap_or(u64::MAX)
        .max(1)
}

impl SessionStore for Redis {
    async fn create(&self, session: NewSession) -> Result<(), Error> {
        let key = session_key(session.id);
        let mut commands = redis::pipe();
        commands.atomic();
        commands
            .cmd("HSET")
            .arg(&key)
            .arg(ticket_field(session.ticket))
            .arg(session.wrapped_key)
            .arg("access")
            .arg(session.access)
            .arg("refresh")
            .arg(session.refresh)
            .arg("sid")
            .arg(session.provider_session)
            .arg("subject")
            .arg(session.subject_index)
            .arg("generation")
            .arg(0)
            .ignore();
        commands
            .cmd("PEXPIRE")
            .arg(&key)
            .arg(millis(session.lives))
            .ignore();
        self.run_all(&commands).await
    }

    async fn load(&self, id: SessionId, ticket: TicketId) -> Result<Option<Stored>, Error> {
        type Fields = (Option<Vec<u8>>, Option<Vec<u8>>);
        let key = session_key(id);
        let mut commands = redis::pipe();
        commands
            .cmd("HMGET")
            .arg(&key)
            .arg(ticket_field(ticket))
            .arg("access");
        commands.cmd("PTTL").arg(&key);
        let (fields, left): (Fields, i64) = self.run_all(&commands).await?;
        let (wrapped_key, access) = fields;
        let idle_left = Duration::from_millis(u64::try_from(left).unwrap_or(0));
        Ok(wrapped_key.zip(access).map(|(wrapped_key, access)| Stored {
            wrapped_key,
            access,
            idle_left,
        }))
    }

    async fn touch(&self, id: SessionId, lives: Duration) -> Result<(), Error> {
        self.run(
            redis::cmd("PEXPIRE")
                .arg(session_key(id))
                .arg(millis(lives)),
        )
        .await
    }

    async fn load_renewable(&self, id: SessionId) -> Result<Option<Renewable>, Error> {
        type Fields = (
            Option<Vec<u8>>,
            Option<Vec<u8>>,
            Option<String>,
            Option<u64>,
        );
        let mut command = redis::cmd("HMGET");
        command
            .arg(session_key(id))
            .arg(&["access", "refresh", "sid", "generation"]);
        let fields: Fields = self.run(&command).await?;
        let (Some(access), Some(refresh), Some(provider_session), Some(generation)) = fields else {
            return Ok(None);
        };
        Ok(Some(Renewable {
            access,
            refresh,
            provider_session,
            generation,
        }))
    }

    async fn replace_tokens(
        &self,
        id: SessionId,
        generation: u64,
        access: &[u8],
        refresh: &[u8],
    ) -> Result<Replacement, Error> {
        let mut call = REPLACE_TOKENS.key(session_key(id));
        call.arg(generation).arg(access).arg(refresh);
        let replaced: Option<bool> = self.run_script(&call).await?;
        Ok(match replaced {
            Some(true) => Replacement::Made,
            Some(false) => Replacement::Outdated,
            None => Replacement::NoSession,
        })
    }

    async fn delete(&self, id: SessionId) -> Result<(), Error> {
        self.run(redis::cmd("DEL").arg(session_key(id)).arg(lease_key(id)))
            .await
    }

    async fn acquire_lease(
        &self,
        id: SessionId,
        owner: &str,
        period: Duration,
    ) -> Result<LeaseState, Error> {
        let mut command = redis::cmd("SET");
        command
            .arg(lease_key(id))
            .arg(owner)
            .arg(&["NX", "GET", "PX"])
            .arg(millis(period));
        let holder: Option<String> = self.run(&command).await?;
        Ok(match holder.as_deref() {
            None => LeaseState::Granted,
            Some(COOLING_DOWN) => LeaseState::CoolingDown,
            Some(_) => LeaseState::Held,
        })
    }

    async fn extend_lease(
        &self,
        id: SessionId,
        owner: &str,
        period: Duration,
    ) -> Result<(), Error> {
        self.change_lease(id, owner, owner, period).await
    }

    async fn release_lease(&self, id: SessionId, owner: &str) -> Result<(), Error> {
        self.change_lease(id, owner, "", Duration::ZERO).await
    }

    async fn cool_down(&self, id: SessionId, owner: &str, period: Duration) -> Result<(), Error> {
        self.change_lease(id, owner, COOLING_DOWN, period).await
    }
}

impl AttemptStore for Redis {
    async fn keep(&self, key: &AttemptKey, sealed: &[u8], lives: Duration) -> Result<(), Error> {
        let mut command = redis::cmd("SET");
        command
            .arg(attempt_key(key))
            .arg(tagged(PENDING, sealed))
            .arg("PX")
            .arg(millis(lives));
        self.run(&command).await
    }

    async fn claim(&self, key: &AttemptKey) -> Result<Claim, Error> {
        let mut call = CLAIM_ATTEMPT.key(attempt_key(key));
        call.arg(millis(CLAIM_LIFE));
        let found: Option<Vec<u8>> = self.run_script(&call).await?;
        Ok(match found.as_deref().and_then(<[u8]>::split_first) {
            Some((&PENDING, sealed)) => Claim::Granted(sealed.to_vec()),
            Some((&CLAIMED, _)) => Claim::Taken,
            Some((&FINISHED, sealed)) => Claim::Finished(sealed.to_vec()),
            _ => Claim::Unknown,
        })
    }

    async fn finish(&self, key: &AttemptKey, outcome: &[u8], lives: Duration) -> Result<(), Error> {
        let mut command = redis::cmd("SET");
        command
            .arg(attempt_key(key))
            .arg(tagged(FINISHED, outcome))
            .arg("PX")
            .arg(millis(lives));
        self.run(&command).await
    }
}

/// The value of an attempt: where it stands, and its sealed bytes.
fn tagged(stands: u8, sealed: &[u8]) -> Vec<u8> {
    [&[stands], sealed].concat()
}
