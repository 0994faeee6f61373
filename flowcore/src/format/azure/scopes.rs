//! The objects around tuples and what they say of them: rule, network card, resource.
//!
//! Names come in any order, also behind the tuples, so what is said is looked up when the whole value has been read.

use std::num::NonZeroU32;

use crate::record::{Field, Timestamp};

/// What an object says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Attribute {
    Text(Field, String),
    Number(Field, u64),
    Time(Field, Timestamp),
    /// A name that is not known, and its text.
    Unknown(String, String),
}

/// The number of an object in its value. One of 64 MiB cannot have more than the type holds.
pub(super) type ScopeId = NonZeroU32;

/// An object.
#[derive(Debug, Default)]
struct Scope {
    /// The object around it.
    parent: Option<ScopeId>,
    attributes: Vec<Attribute>,
    /// Length of its path.
    path_len: usize,
}

/// The objects of a value; those without tuples are forgotten when they end.
#[derive(Debug, Default)]
pub(super) struct Scopes {
    scopes: Vec<Scope>,
    current: Option<ScopeId>,
    /// Things that all of them say.
    said: usize,
}

/// Things that the objects around a tuple can say of it; those of Azure say about ten.
pub(super) const MAX_ATTRIBUTES: usize = 64;
/// Things that the objects of a value can say together, which bounds memory. Those of Azure say some hundreds.
const MAX_SAID: usize = 1 << 18;
/// Longest text that is kept, in bytes. Every tuple gets it.
const MAX_TEXT: usize = 1024;

impl Scopes {
    pub(super) fn clear(&mut self) {
        self.scopes.clear();
        self.current = None;
        self.said = 0;
    }

    /// The innermost object.
    pub(super) fn current(&self) -> Option<ScopeId> {
        self.current
    }

    /// Whether that one stands in no other.
    pub(super) fn is_outermost(&self) -> bool {
        self.current == Some(ScopeId::MIN)
    }

    pub(super) fn begin(&mut self, path: &str) {
        self.scopes.push(Scope { parent: self.current, path_len: path.len(), ..Scope::default() });
        self.current = u32::try_from(self.scopes.len()).ok().and_then(ScopeId::new);
    }

    /// Ends the innermost object, which is forgotten unless it `is_used`.
    pub(super) fn end(&mut self, is_used: bool) {
        let Some(scope) = self.current.and_then(|id| self.scopes.get_mut(place(id))) else { return };
        self.current = scope.parent;
        if is_used {
            scope.attributes.shrink_to_fit();
        } else if let Some(last) = self.scopes.pop() {
            // Those in it have been forgotten before, so it is the last.
            self.said -= last.attributes.len();
        }
    }

    /// Takes what the innermost object says; `false` if it says too much, or one thing in two ways.
    pub(super) fn add(&mut self, path: &str, text: &str) -> bool {
        let Some(scope) = self.current.and_then(|id| self.scopes.get_mut(place(id))) else { return true };
        if text.len() > MAX_TEXT || self.said >= MAX_SAID {
            return false;
        }
        let before = scope.attributes.len();
        let name = path.get(scope.path_len..).unwrap_or(path).trim_start_matches('.');
        let mut is_kept = true;
        for attribute in understand(name, text) {
            is_kept &= scope.add(attribute);
        }
        self.said += scope.attributes.len() - before;
        is_kept
    }

    /// What is said of a tuple in this object, by the innermost object first.
    pub(super) fn attributes(&self, scope: Option<ScopeId>) -> impl Iterator<Item = &Attribute> {
        let scope_at = |id: Option<ScopeId>| self.scopes.get(place(id?));
        std::iter::successors(scope_at(scope), move |inner| scope_at(inner.parent))
            .flat_map(|scope| &scope.attributes)
    }
}

fn place(id: ScopeId) -> usize {
    id.get() as usize - 1
}

impl Scope {
    fn add(&mut self, attribute: Attribute) -> bool {
        let same = self.attributes.iter().find(|known| known.is_about(&attribute));
        match same {
            Some(same) => *same == attribute,
            None if self.attributes.len() == MAX_ATTRIBUTES => false,
            None => {
                self.attributes.push(attribute);
                true
            }
        }
    }
}

impl Attribute {
    /// Whether both say the same thing, whatever they say of it.
    fn is_about(&self, other: &Self) -> bool {
        match (self.field(), other.field()) {
            (None, None) => {
                matches!((self, other), (Self::Unknown(one, _), Self::Unknown(two, _)) if one == two)
            }
            (one, two) => one == two,
        }
    }

    fn field(&self) -> Option<Field> {
        match self {
            Self::Text(field, _) | Self::Number(field, _) | Self::Time(field, _) => Some(*field),
            Self::Unknown(..) => None,
        }
    }
}

/// What a name and its text say. What is no value of the field of that name is kept under the name.
fn understand(name: &str, text: &str) -> Vec<Attribute> {
    let of_text = |field| Some(Attribute::Text(field, text.to_owned()));
    let known = match name.rsplit('.').next().unwrap_or(name) {
        "rule" => of_text(Field::Rule),
        "mac" | "macAddress" => of_text(Field::Interface),
        "Version" | "flowLogVersion" => {
            text.parse().ok().map(|number| Attribute::Number(Field::LogVersion, number))
        }
        "time" => text.parse().ok().map(|time| Attribute::Time(Field::Received, time)),
        "resourceId" | "targetResourceID" => return resource(text),
        _ => None,
    };
    vec![known.unwrap_or_else(|| Attribute::Unknown(name.to_owned(), text.to_owned()))]
}

/// A resource and what its path names: `/subscriptions/<id>/resourceGroups/<name>/providers/...`.
fn resource(path: &str) -> Vec<Attribute> {
    const PARTS: [(&str, Field); 3] =
        [("subscriptions", Field::Account), ("virtualNetworks", Field::Vpc), ("subnets", Field::Subnet)];
    let mut attributes = vec![Attribute::Text(Field::Resource, path.to_owned())];
    for (part, field) in PARTS {
        let mut parts = path.split('/').skip_while(|name| !name.eq_ignore_ascii_case(part));
        if let Some(name) = parts.nth(1).filter(|name| !name.is_empty()) {
            attributes.push(Attribute::Text(field, name.to_owned()));
        }
    }
    attributes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(field: Field, text: &str) -> Attribute {
        Attribute::Text(field, text.into())
    }

    #[test]
    fn the_innermost_object_is_heard_first() {
        let mut scopes = Scopes::default();
        scopes.begin("");
        assert!(scopes.add("mac", "A"));
        scopes.begin("flows.0");
        assert!(scopes.add("flows.0.mac", "B"));
        let inner = scopes.current();
        scopes.end(true);
        assert!(scopes.add("rule", "behind the tuples"));
        let found: Vec<_> = scopes.attributes(inner).collect();
        let expected = [
            text(Field::Interface, "B"),
            text(Field::Interface, "A"),
            text(Field::Rule, "behind the tuples"),
        ];
        assert_eq!(found, expected.iter().collect::<Vec<_>>());
        assert_eq!(scopes.attributes(scopes.current()).count(), 2);
        assert_eq!(scopes.attributes(None).count(), 0);
    }

    #[test]
    fn objects_without_tuples_are_forgotten() {
        let mut scopes = Scopes::default();
        scopes.begin("");
        for _ in 0..1000 {
            scopes.begin("x");
            scopes.begin("x.y");
            scopes.end(false);
            scopes.end(false);
        }
        assert_eq!(scopes.scopes.len(), 1);
        scopes.end(false);
        scopes.end(false);
        assert!(scopes.scopes.is_empty() && scopes.current().is_none());
    }

    #[test]
    fn one_object_says_one_thing_and_not_too_much() {
        let mut scopes = Scopes::default();
        scopes.begin("");
        assert!(scopes.add("mac", "A") && scopes.add("macAddress", "A") && !scopes.add("macAddress", "B"));
        assert!(scopes.add("x", "1") && scopes.add("x", "1") && !scopes.add("x", "2"));
        assert!((0..MAX_ATTRIBUTES - 2).all(|n| scopes.add(&n.to_string(), "")));
        assert!(!scopes.add("rule", "one more"));
        assert!(!scopes.add("rule", &"x".repeat(MAX_TEXT + 1)));
        assert_eq!(scopes.attributes(scopes.current()).count(), MAX_ATTRIBUTES);
    }

    #[test]
    fn resources_name_their_subscription_and_network() {
        let path =
            "/subscriptions/0-1/resourceGroups/g/providers/Microsoft.Network/VIRTUALNETWORKS/v/subnets/s";
        let expected =
            [(Field::Resource, path), (Field::Account, "0-1"), (Field::Vpc, "v"), (Field::Subnet, "s")];
        assert_eq!(understand("targetResourceID", path), expected.map(|(field, name)| text(field, name)));
        assert_eq!(understand("resourceId", "/subscriptions/"), [text(Field::Resource, "/subscriptions/")]);
    }

    #[test]
    fn what_is_not_understood_is_kept() {
        let unknown = |name: &str, text: &str| vec![Attribute::Unknown(name.into(), text.into())];
        assert_eq!(understand("Version", "two"), unknown("Version", "two"));
        assert_eq!(understand("time", "noon"), unknown("time", "noon"));
        assert_eq!(understand("a.systemId", "x"), unknown("a.systemId", "x"));
        assert_eq!(understand("properties.Version", "2"), [Attribute::Number(Field::LogVersion, 2)]);
    }
}
