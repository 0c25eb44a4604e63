//! Keycloak, its clients and the people who can sign in.

use serde::Serialize;

use super::network::Network;

/// The identity provider with its realm.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Keycloak {
    /// The host's name for the other parts.
    pub(crate) host: &'static str,
    /// The browser's port.
    pub(crate) port: u16,
    /// Health and metrics.
    pub(crate) management_port: u16,
    /// The browser's address.
    pub(crate) url: String,
    /// The realm's name.
    pub(crate) realm: &'static str,
    /// What stands as `iss` in tokens.
    pub(crate) issuer: String,
    /// The same realm by the address that services use.
    pub(crate) internal_issuer: String,
    /// Where clients fetch tokens.
    pub(crate) token_endpoint: String,
    /// The administrator; for development only.
    pub(crate) admin_user: &'static str,
    /// The administrator's password.
    pub(crate) admin_password: &'static str,
    /// The realm's clients.
    pub(crate) clients: Clients,
}

/// The realm's clients.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Clients {
    /// Signs people in.
    pub(crate) web: Client,
    /// The gateway's own tokens.
    pub(crate) gateway: Client,
    /// Tokens of internal programs.
    pub(crate) internal: Client,
    /// Tokens of the devices' backend.
    pub(crate) devices: Client,
}

/// A confidential client.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Client {
    /// Its `client_id`.
    pub(crate) id: &'static str,
    /// Its secret; for development only.
    pub(crate) secret: String,
}

impl Client {
    fn dev(id: &'static str) -> Self {
        Self {
            id,
            secret: format!("{id}-dev-secret"),
        }
    }
}

impl Keycloak {
    pub(super) fn new(network: Network, port: u16, management_port: u16) -> Self {
        let url = format!("http://localhost:{port}");
        let issuer = format!("{url}/realms/bionicpro");
        let internal_issuer = if network.is_loopback() {
            issuer.clone()
        } else {
            format!(
                "http://{}/realms/bionicpro",
                network.address("keycloak", port)
            )
        };
        Self {
            host: network.host("keycloak"),
            port,
            management_port,
            realm: "bionicpro",
            token_endpoint: format!("{internal_issuer}/protocol/openid-connect/token"),
            issuer,
            internal_issuer,
            url,
            admin_user: "admin",
            admin_password: "admin",
            clients: Clients {
                web: Client::dev("bionicpro-web"),
                gateway: Client::dev("bionicpro-gateway"),
                internal: Client::dev("bionicpro-internal"),
                devices: Client::dev("bionicpro-devices"),
            },
        }
    }
}

/// A person who can sign in; for development only.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct User {
    /// What is typed.
    pub(crate) username: &'static str,
    /// What is typed below it.
    pub(crate) password: &'static str,
    /// Given name.
    pub(crate) first_name: &'static str,
    /// Family name.
    pub(crate) last_name: &'static str,
    /// The realm role.
    pub(crate) role: &'static str,
    /// The customer that a patient is.
    pub(crate) customer_id: Option<&'static str>,
}

pub(super) fn users() -> Vec<User> {
    let patient = |username, first_name, last_name, customer_id| User {
        username,
        password: "prothetic123",
        first_name,
        last_name,
        role: "prothetic_user",
        customer_id: Some(customer_id),
    };
    vec![
        patient(
            "prothetic1",
            "Anna",
            "Orlova",
            "01900000-0000-7000-8000-000000000001",
        ),
        patient(
            "prothetic2",
            "Boris",
            "Klein",
            "01900000-0000-7000-8000-000000000002",
        ),
        User {
            username: "operator1",
            password: "operator123",
            first_name: "Olga",
            last_name: "Petrova",
            role: "operator",
            customer_id: None,
        },
    ]
}
