//! Who acts, and which data it may see and change. What is outside its scope does not exist for an
//! actor.

use crate::domain::base::names::same_resource;
use crate::domain::tenants::change::Author;

/// A part of the data: an organization's, or only one workspace's, or only what is about one
/// resource of that workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    /// Id of the organization.
    pub organization: String,
    /// Id of the only workspace, if there is but one.
    pub workspace: Option<String>,
    /// The only resource, if there is but one.
    pub resource: Option<Resource>,
    /// Whether hidden connections do not exist for it: pages never show them.
    pub shown_only: bool,
}

/// Something of the product's that events can be about, such as the order 1001.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource {
    /// What kind of thing, such as `order`.
    pub kind: String,
    /// Which one.
    pub id: String,
}

impl Scope {
    /// All that an organization has.
    pub fn organization(organization: String) -> Self {
        Self { organization, workspace: None, resource: None, shown_only: false }
    }

    /// The same scope within one workspace. Whether the workspace is in the scope is for the caller
    /// to have checked.
    pub fn within(&self, workspace: &str) -> Self {
        Self { workspace: Some(workspace.to_owned()), ..self.clone() }
    }

    /// Whether an event about this resource may be seen.
    pub fn sees(&self, resource: Option<&str>, resource_id: Option<&str>) -> bool {
        self.resource.as_ref().is_none_or(|only| {
            same_resource(Some(&only.kind), resource) && resource_id == Some(&only.id)
        })
    }
}

/// Who acts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// What it may touch.
    pub scope: Scope,
    /// How records name it as their creator.
    pub created_by: String,
    /// How changes name it.
    pub author: Author,
    /// Whether it may set and be shown signing secrets and receiver credentials.
    pub handles_secrets: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_of_one_resource_sees_that_resource_only() {
        let all = Scope::organization("o".into());
        let order = Resource { kind: "order".into(), id: "7".into() };
        let one = Scope { resource: Some(order), ..all.within("w") };
        for (resource, id, expected) in [
            (Some("order"), Some("7"), true),
            (Some("order"), Some("8"), false),
            (Some("order"), None, false),
            (Some("invoice"), Some("7"), false),
            (None, None, false),
        ] {
            assert_eq!(one.sees(resource, id), expected, "{resource:?} {id:?}");
            assert!(all.sees(resource, id));
        }
        let global = Resource { kind: "global".into(), id: "7".into() };
        let one = Scope { resource: Some(global), ..all.within("w") };
        assert!(one.sees(None, Some("7")) && one.sees(Some("global"), Some("7")));
        assert!(!one.sees(None, None) && !one.sees(Some("order"), Some("7")));
    }
}
