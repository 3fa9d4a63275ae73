//! The schemas as tables: core User, core Group, Enterprise User (RFC 7643 sections 3.1, 4.1, 4.2, 4.3).
//!
//! Ids and references are case-exact, as RFC 7643 sections 2.3.7 and 3.1 demand, though its own JSON says otherwise.

use super::schema::Definition;
use super::schema::Form;
use super::schema::Mutability;
use super::schema::Returned;
use super::schema::Schema;

pub static USER: Schema = Schema {
    urn: "urn:ietf:params:scim:schemas:core:2.0:User",
    name: "User",
    description: "User Account",
    attributes: &[
        Definition { required: true, unique: true, ..text("userName") },
        complex(
            "name",
            &[
                text("formatted"),
                text("familyName"),
                text("givenName"),
                text("middleName"),
                text("honorificPrefix"),
                text("honorificSuffix"),
            ],
        ),
        text("displayName"),
        text("nickName"),
        Definition { refers_to: &["external"], ..reference("profileUrl") },
        text("title"),
        text("userType"),
        text("preferredLanguage"),
        text("locale"),
        text("timezone"),
        Definition { form: Form::Boolean, ..text("active") },
        Definition {
            mutability: Mutability::WriteOnly,
            returned: Returned::Never,
            case_exact: true,
            ..text("password")
        },
        several("emails", &plain(&["work", "home", "other"])),
        several("phoneNumbers", &plain(&["work", "home", "mobile", "fax", "pager", "other"])),
        several("ims", &plain(&["aim", "gtalk", "icq", "xmpp", "msn", "skype", "qq", "yahoo"])),
        several(
            "photos",
            &[
                Definition { refers_to: &["external"], ..reference("value") },
                text("display"),
                Definition { canonical: &["photo", "thumbnail"], ..text("type") },
                PRIMARY,
            ],
        ),
        several(
            "addresses",
            &[
                text("formatted"),
                text("streetAddress"),
                text("locality"),
                text("region"),
                text("postalCode"),
                text("country"),
                Definition { canonical: &["work", "home", "other"], ..text("type") },
                PRIMARY,
            ],
        ),
        Definition {
            mutability: Mutability::ReadOnly,
            ..several(
                "groups",
                &[
                    read_only(exact("value")),
                    read_only(Definition { refers_to: &["Group"], ..reference("$ref") }),
                    read_only(text("display")),
                    read_only(Definition { canonical: &["direct", "indirect"], ..text("type") }),
                ],
            )
        },
        several("entitlements", &plain(&[])),
        several("roles", &plain(&[])),
        several(
            "x509Certificates",
            &[
                Definition { form: Form::Binary, case_exact: true, ..text("value") },
                text("display"),
                text("type"),
                PRIMARY,
            ],
        ),
    ],
};

pub static GROUP: Schema = Schema {
    urn: "urn:ietf:params:scim:schemas:core:2.0:Group",
    name: "Group",
    description: "Group",
    attributes: &[
        // Required by the prose of RFC 7643 section 4.2.
        Definition { required: true, ..text("displayName") },
        several(
            "members",
            &[
                immutable(exact("value")),
                immutable(Definition { refers_to: &["User", "Group"], ..reference("$ref") }),
                immutable(Definition { canonical: &["User", "Group"], ..text("type") }),
                // The RFC's own schema has no `display` here: clients that compare what they read with what they sent
                // see it only if they ask.
                read_only(Definition { returned: Returned::Request, ..text("display") }),
            ],
        ),
    ],
};

pub static ENTERPRISE_USER: Schema = Schema {
    urn: "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
    name: "EnterpriseUser",
    description: "Enterprise User",
    attributes: &[
        text("employeeNumber"),
        text("costCenter"),
        text("organization"),
        text("division"),
        text("department"),
        complex(
            "manager",
            &[
                exact("value"),
                Definition { refers_to: &["User"], ..reference("$ref") },
                read_only(text("displayName")),
            ],
        ),
    ],
};

/// A user's access to an account of another system, given by an administrator and taken with the user's activity. Our
/// own resource type: RFC 7643 section 6 lets a service have more than Users and Groups.
pub static GRANT: Schema = Schema {
    urn: "urn:rosterd:params:scim:schemas:2.0:Grant",
    name: "Grant",
    description: "Access of a user to an account",
    attributes: &[
        Definition {
            required: true,
            mutability: Mutability::Immutable,
            ..complex(
                "user",
                &[
                    Definition { required: true, ..immutable(exact("value")) },
                    read_only(Definition { refers_to: &["User"], ..reference("$ref") }),
                    read_only(text("display")),
                ],
            )
        },
        Definition { required: true, ..immutable(text("account")) },
        Definition { form: Form::Boolean, ..text("privileged") },
        text("displayName"),
    ],
};

/// What every resource has (RFC 7643 section 3.1).
pub static COMMON: [Definition; 4] = [
    Definition { returned: Returned::Always, ..read_only(exact("id")) },
    exact("externalId"),
    read_only(complex(
        "meta",
        &[
            read_only(exact("resourceType")),
            read_only(Definition { form: Form::DateTime, ..text("created") }),
            read_only(Definition { form: Form::DateTime, ..text("lastModified") }),
            read_only(reference("location")),
            read_only(exact("version")),
        ],
    )),
    Definition { multi_valued: true, returned: Returned::Always, ..read_only(reference("schemas")) },
];

const PRIMARY: Definition = Definition { form: Form::Boolean, ..text("primary") };

/// The defaults of RFC 7643 section 2.2.
const fn text(name: &'static str) -> Definition {
    Definition {
        name,
        description: "",
        form: Form::Text,
        multi_valued: false,
        required: false,
        case_exact: false,
        mutability: Mutability::ReadWrite,
        returned: Returned::Default,
        unique: false,
        canonical: &[],
        refers_to: &[],
        sub: &[],
    }
}

const fn exact(name: &'static str) -> Definition {
    Definition { case_exact: true, ..text(name) }
}

const fn reference(name: &'static str) -> Definition {
    Definition { form: Form::Reference, ..exact(name) }
}

const fn complex(name: &'static str, sub: &'static [Definition]) -> Definition {
    Definition { form: Form::Complex, sub, ..text(name) }
}

const fn several(name: &'static str, sub: &'static [Definition]) -> Definition {
    Definition { multi_valued: true, ..complex(name, sub) }
}

const fn read_only(definition: Definition) -> Definition {
    Definition { mutability: Mutability::ReadOnly, ..definition }
}

const fn immutable(definition: Definition) -> Definition {
    Definition { mutability: Mutability::Immutable, ..definition }
}

/// The usual sub-attributes of a multi-valued attribute (RFC 7643 section 2.4).
const fn plain(types: &'static [&'static str]) -> [Definition; 4] {
    [text("value"), text("display"), Definition { canonical: types, ..text("type") }, PRIMARY]
}
