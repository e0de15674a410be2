//! Messages of the Base registry (DSP8011) and of vendors, and the bodies that carry them.

use crate::hal::model::json::json;
use serde_json::Value;

/// Registry and version in front of the names.
pub const REGISTRY: &str = "Base.1.18";

/// One message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Registry, version and name: `Base.1.18.Success`.
    pub id: String,
    /// The text.
    pub text: String,
    /// What was filled in.
    pub args: Vec<String>,
    /// Properties that it is about, as JSON pointers.
    pub related: Vec<String>,
    /// OK, Warning or Critical.
    pub severity: &'static str,
}

/// Name, severity, and text of the messages that are used; %1 and %2 are filled in.
pub const BASE: &[(&str, &str, &str)] = &[
    ("Success", "OK", "The request completed successfully."),
    ("Created", "OK", "The resource was created successfully."),
    ("GeneralError", "Critical", "A general error has occurred."),
    (
        "MalformedJSON",
        "Critical",
        "The request body is not valid JSON.",
    ),
    (
        "UnrecognizedRequestBody",
        "Critical",
        "The service does not know what to do with the request body.",
    ),
    (
        "NoOperation",
        "Warning",
        "The request body holds nothing that can be changed.",
    ),
    (
        "PropertyUnknown",
        "Warning",
        "The resource has no property %1.",
    ),
    (
        "PropertyNotWritable",
        "Warning",
        "The property %1 is read-only.",
    ),
    (
        "PropertyValueNotInList",
        "Warning",
        "The value '%1' of the property %2 is not among the allowable values.",
    ),
    (
        "PropertyValueTypeError",
        "Warning",
        "The value '%1' of the property %2 has the wrong type.",
    ),
    (
        "PropertyValueFormatError",
        "Warning",
        "The value '%1' of the property %2 has a format that is not accepted.",
    ),
    (
        "PropertyValueIncorrect",
        "Warning",
        "The value '%1' of the property %2 is not accepted.",
    ),
    (
        "PropertyMissing",
        "Warning",
        "The property %1 is required and absent.",
    ),
    (
        "CreateFailedMissingReqProperties",
        "Critical",
        "The resource was not created: the property %1 is required and absent.",
    ),
    (
        "ActionNotSupported",
        "Critical",
        "The action %1 is not supported.",
    ),
    (
        "ActionParameterMissing",
        "Critical",
        "The action %1 needs the parameter %2.",
    ),
    (
        "ActionParameterUnknown",
        "Warning",
        "The action %1 has no parameter %2.",
    ),
    (
        "ActionParameterNotSupported",
        "Warning",
        "The parameter %1 of the action %2 is not supported.",
    ),
    (
        "ActionParameterValueNotInList",
        "Warning",
        "The value '%1' of the parameter %2 is not among the allowable values.",
    ),
    (
        "ResourceMissingAtURI",
        "Critical",
        "There is no resource at %1.",
    ),
    (
        "ResourceAlreadyExists",
        "Critical",
        "A resource with the property %1 of that value exists already.",
    ),
    (
        "ResourceCannotBeDeleted",
        "Critical",
        "The resource cannot be deleted.",
    ),
    ("ResourceInUse", "Warning", "The resource is in use."),
    (
        "OperationNotAllowed",
        "Critical",
        "The HTTP method is not allowed on this resource.",
    ),
    (
        "OperationFailed",
        "Warning",
        "The operation failed in the present state of the resource.",
    ),
    (
        "InsufficientPrivilege",
        "Critical",
        "The account has not the privileges for this operation.",
    ),
    (
        "NoValidSession",
        "Critical",
        "Credentials are missing or wrong.",
    ),
    (
        "PasswordChangeRequired",
        "Critical",
        "The password must be changed before anything else: PATCH %1.",
    ),
    (
        "CreateLimitReachedForResource",
        "Critical",
        "There are as many of these resources as can be.",
    ),
    (
        "SessionLimitExceeded",
        "Critical",
        "There are as many sessions as can be.",
    ),
    (
        "PreconditionFailed",
        "Critical",
        "The ETag does not match the resource.",
    ),
    (
        "PreconditionRequired",
        "Critical",
        "The request needs an If-Match header.",
    ),
    ("HeaderInvalid", "Critical", "The header %1 is not valid."),
    (
        "QueryNotSupported",
        "Warning",
        "Queries are not supported here.",
    ),
    (
        "QueryParameterValueTypeError",
        "Warning",
        "The value '%1' of the query parameter %2 is not accepted.",
    ),
    (
        "QueryNotSupportedOnResource",
        "Warning",
        "Queries are not supported on this resource.",
    ),
    (
        "ServiceTemporarilyUnavailable",
        "Critical",
        "The service is busy; try again after %1 seconds.",
    ),
    (
        "ConditionInRelatedResource",
        "Warning",
        "A related resource has a condition.",
    ),
];

impl Message {
    /// A message of the Base registry.
    pub fn base(name: &str, args: &[&str]) -> Self {
        let found = BASE.iter().find(|(known, ..)| *known == name);
        let (_, severity, text) = found.copied().unwrap_or(("", "Critical", ""));
        Self::filled(format!("{REGISTRY}.{name}"), severity, text, args)
    }

    /// A message of a vendor's registry.
    pub fn oem(id: &str, text: &str) -> Self {
        Self::filled(id.to_owned(), "Critical", text, &[])
    }

    fn filled(id: String, severity: &'static str, text: &str, args: &[&str]) -> Self {
        let mut text = text.to_owned();
        for (number, arg) in (1..).zip(args) {
            text = text.replace(&format!("%{number}"), arg);
        }
        Self {
            id,
            text,
            args: args.iter().map(|arg| (*arg).to_owned()).collect(),
            related: Vec::new(),
            severity,
        }
    }

    /// About the property at `pointer` (`Boot/BootSourceOverrideTarget`).
    #[must_use]
    pub fn about(mut self, pointer: &str) -> Self {
        self.related.push(format!("#/{pointer}"));
        self
    }

    /// As it stands in ExtendedInfo.
    pub fn to_json(&self) -> Value {
        let mut out = json!({
            "@odata.type": "#Message.v1_1_2.Message",
            "MessageId": self.id,
            "Message": self.text,
            "MessageArgs": self.args,
            "Severity": self.severity,
            "MessageSeverity": self.severity,
            "Resolution": "None.",
        });
        if !self.related.is_empty()
            && let Some(map) = out.as_object_mut()
        {
            map.insert("RelatedProperties".to_owned(), json!(self.related));
        }
        out
    }

    /// The body of an error. A sloppy service sends one object where a list belongs.
    pub fn error(messages: &[Self], sloppy: bool) -> Value {
        let first = messages.first();
        let mut info: Vec<Value> = messages.iter().map(Self::to_json).collect();
        let info = if sloppy {
            info.pop().unwrap_or_default()
        } else {
            Value::Array(info)
        };
        json!({"error": {
            "code": first.map_or("", |m| &m.id),
            "message": first.map_or("", |m| &m.text),
            "@Message.ExtendedInfo": info,
        }})
    }

    /// The registry as a resource.
    pub fn registry() -> Value {
        let messages: serde_json::Map<String, Value> = BASE
            .iter()
            .map(|(name, severity, text)| {
                let args = (1..=2).filter(|n| text.contains(&format!("%{n}"))).count();
                let types = vec!["string"; args];
                let message = json!({
                    "Description": text, "Message": text, "Severity": severity,
                    "MessageSeverity": severity, "NumberOfArgs": args, "ParamTypes": types,
                    "Resolution": "None.",
                });
                ((*name).to_owned(), message)
            })
            .collect();
        json!({
            "@odata.type": "#MessageRegistry.v1_6_0.MessageRegistry",
            "Id": format!("{REGISTRY}.0"),
            "Name": "Base Message Registry",
            "Language": "en",
            "RegistryPrefix": "Base",
            "RegistryVersion": "1.18.0",
            "OwningEntity": "DMTF",
            "Messages": messages,
        })
    }
}
