//! A connection: where a workspace's deliveries go. What is particular to its type is the
//! destination's; this module knows what all types share.

use std::collections::BTreeMap;
use strum::{EnumString, IntoStaticStr, VariantArray};

use crate::domain::base::secret::{Sealed, Secret};
use crate::domain::connection::options::DeliveryOptions;
use crate::domain::routing::rule::Metadata;

/// Sealed values that the customer gave us for the receiver, by field. The field names are the
/// destination's.
pub type SealedCredentials = BTreeMap<String, Sealed>;

/// The same values, opened for one request.
pub type Credentials = BTreeMap<String, Secret>;

/// One signing secret of a connection, sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedSigningSecret {
    /// Number in its connection, from 1; the greatest is the newest.
    pub number: u32,
    /// The secret.
    pub sealed: Sealed,
    /// When it stops signing; `None` for the current one.
    pub expires_at_ms: Option<i64>,
}

impl SealedSigningSecret {
    /// Whether it signs at `now_ms`.
    pub fn is_live(&self, now_ms: i64) -> bool {
        self.expires_at_ms.is_none_or(|at| now_ms < at)
    }

    /// Name of this secret where it is sealed, so that it opens nowhere else.
    pub fn field(number: u32) -> String {
        format!("signing_secret:{number}")
    }
}

/// What the deliver consumer needs of a connection.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Target {
    /// Its workspace.
    pub workspace: String,
    /// Its id.
    pub connection: String,
    /// Whether it takes deliveries; if not, they are held.
    pub active: bool,
    /// Its type, which names its destination.
    pub kind: String,
    /// Settings of its destination, as JSON text.
    pub settings: String,
    /// Its delivery options.
    pub options: DeliveryOptions,
    /// Receiver credentials.
    pub credentials: SealedCredentials,
    /// Signing secrets, newest first, expired ones included.
    pub secrets: Vec<SealedSigningSecret>,
    /// What the rules of its deliveries say, where its destination needs to know.
    pub rules: Vec<RuleSays>,
    /// Its stored mapping, JSON text.
    pub mapping: Option<String>,
    /// What the product itself calls the customer.
    pub external_id: Option<String>,
    /// The last warning that nothing succeeds, in percent of the time until it is given up.
    pub warned_percent: u32,
    /// When it was changed last.
    pub updated_at_ms: i64,
}

impl Target {
    /// Whether both are the same connection, though one may have been changed since.
    pub fn is_same(&self, other: &Self) -> bool {
        self.connection == other.connection && self.workspace == other.workspace
    }
}

/// What a rule asks of its destination.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RuleSays {
    /// Its number in its workspace; 0 stands for what a test event asks for.
    pub number: u32,
    /// What it does.
    pub action: String,
    /// What that needs to know.
    pub metadata: Metadata,
}

/// Why a connection is inactive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumString, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum InactiveReason {
    /// A person paused it.
    Paused,
    /// Its endpoint answered 410.
    EndpointGone,
    /// Its endpoint asked for it by a response header.
    DisabledByReceiver,
    /// Nothing succeeded for days.
    DeliveryFailing,
    /// Its credentials do not hold any more.
    AuthenticationInvalid,
    /// It was imported without its secrets.
    SecretsMissing,
}

impl InactiveReason {
    /// The word in the database and in answers.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// What the contract calls it, where it has a word for it: typed clients refuse others.
    pub fn of_contract(self) -> Option<&'static str> {
        match self {
            Self::Paused => Some("manually_inactivated"),
            Self::AuthenticationInvalid => Some(self.as_str()),
            _ => None,
        }
    }
}

/// Who set a connection's current signing secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumString, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum SetBy {
    /// It was typed in or sent by the API.
    Given,
    /// It was generated because none was given; nobody has seen it.
    Generated,
    /// It was generated on request and shown once.
    Shown,
}

impl SetBy {
    /// The word in the database.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// What the API says: `given` or `generated`.
    pub fn shown_word(self) -> &'static str {
        match self {
            Self::Given => Self::Given.into(),
            Self::Generated | Self::Shown => Self::Generated.into(),
        }
    }
}
