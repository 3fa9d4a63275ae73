//! The organization, service principals and the app registration of the client (graph.md sections 5.1 and 5.7).

use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use super::super::access::ROLES;
use super::super::exchange::Answer;
use super::super::seed::DOMAIN;
use super::APP_NAME;
use super::CLIENT_ID;
use super::CLIENT_OBJECT_ID;
use super::GRAPH_APP_ID;
use super::GRAPH_APP_OBJECT_ID;
use super::Reply;
use super::TENANT;
use super::View;
use super::call::AppKey;
use super::certificate::Certificate;
use super::errors;
use super::filter_match::matches;
use super::filter_rules;
use super::options::Options;
use super::options::TOP_MAX;
use super::options::with_select;
use super::person::time;
use super::users::case;

const ORGANIZATION: &[&str] = &[
    "assignedPlans",
    "countryLetterCode",
    "displayName",
    "id",
    "onPremisesLastSyncDateTime",
    "onPremisesSyncEnabled",
    "tenantType",
    "verifiedDomains",
];
const SERVICE_PRINCIPAL: &[&str] = &[
    "accountEnabled",
    "appDisplayName",
    "appId",
    "appRoleAssignmentRequired",
    "appRoles",
    "displayName",
    "id",
    "servicePrincipalType",
];
const APPLICATION: &[&str] = &["appId", "displayName", "id", "keyCredentials", "passwordCredentials"];
/// The registration of the client has an object id of its own.
const REGISTRATION_ID: &str = "66666666-aaaa-4bbb-8ccc-000000000006";
const CLIENT_NAME: &str = "Directory reader";
/// The end of a secret that does not expire while anybody looks.
const FAR_AWAY: &str = "2299-12-31T00:00:00Z";

pub(super) fn organization(view: &View) -> Reply {
    let options = Options::of(view, &["$select"])?;
    let select = options.select("organization", &[ORGANIZATION])?;
    let plans = match view.knobs.premium {
        true => json!([{ "service": "exchange", "capabilityStatus": "Enabled" },
                       { "service": "AADPremiumService", "capabilityStatus": "Enabled",
                         "servicePlanId": "41781fb2-bc02-4b7c-bd55-b576c07bb09d" }]),
        false => json!([]),
    };
    let whole = json!({
        "id": TENANT,
        "displayName": "Acme",
        "tenantType": if view.knobs.b2c { "AAD B2C" } else { "AAD" },
        "countryLetterCode": "NL",
        "assignedPlans": plans,
        "onPremisesSyncEnabled": null,
        "onPremisesLastSyncDateTime": null,
        "verifiedDomains": [{ "name": DOMAIN, "isDefault": true, "isInitial": false, "type": "Managed",
                              "capabilities": "Email, OfficeCommunicationsOnline" }],
    });
    let context = view.context(&with_select("organization", select.as_deref()));
    let value = [selected(whole, select.as_deref())];
    Ok(Answer::json(200, json!({ "@odata.context": context, "value": value })))
}

/// `?$filter=appId eq '…'` is the way to find one by application id.
pub(super) fn service_principals(view: &View) -> Reply {
    listed(view, "servicePrincipal", SERVICE_PRINCIPAL, vec![app(view), client(view)])
}

pub(super) fn service_principal(view: &View, key: &AppKey) -> Reply {
    single(view, "servicePrincipal", SERVICE_PRINCIPAL, key, vec![app(view), client(view)])
}

pub(super) fn applications(view: &View) -> Reply {
    listed(view, "application", APPLICATION, vec![registration(view)])
}

pub(super) fn application(view: &View, key: &AppKey) -> Reply {
    single(view, "application", APPLICATION, key, vec![registration(view)])
}

/// The application that people are assigned to; nobody is assigned to the client.
pub(super) fn find(key: &AppKey) -> Result<(), Answer> {
    let (id, known) = match key {
        AppKey::ObjectId(id) => (id, GRAPH_APP_OBJECT_ID),
        AppKey::AppId(id) => (id, GRAPH_APP_ID),
    };
    if id.eq_ignore_ascii_case(known) { Ok(()) } else { Err(errors::not_found(id)) }
}

fn listed(view: &View, kind: &str, properties: &[&str], all: Vec<Value>) -> Reply {
    let options = Options::of(view, &["$select", "$filter", "$top", "$count"])?;
    let select = options.select(kind, &[properties])?;
    let filter = options.filter(&filter_rules::SERVICE_PRINCIPALS)?;
    let top = options.top(TOP_MAX)?;
    let admitted = |row: &Value| {
        filter.as_ref().is_none_or(|filter| matches(filter, case(view), &|name| row.get(name).cloned()))
    };
    let rows: Vec<Value> = all.into_iter().filter(admitted).collect();
    let context = view.context(&with_select(&format!("{kind}s"), select.as_deref()));
    let mut body = json!({ "@odata.context": context });
    if options.counts()? {
        body["@odata.count"] = json!(rows.len());
    }
    body["value"] = rows.into_iter().take(top).map(|row| selected(row, select.as_deref())).collect();
    Ok(Answer::json(200, body))
}

fn single(view: &View, kind: &str, properties: &[&str], key: &AppKey, all: Vec<Value>) -> Reply {
    let options = Options::of(view, &["$select"])?;
    let select = options.select(kind, &[properties])?;
    let (name, id) = match key {
        AppKey::ObjectId(id) => ("id", id),
        AppKey::AppId(id) => ("appId", id),
    };
    let is_meant = |row: &Value| row[name].as_str().is_some_and(|known| known.eq_ignore_ascii_case(id));
    let found = all.into_iter().find(is_meant).ok_or_else(|| errors::not_found(id))?;
    let mut body = selected(found, select.as_deref());
    let context = format!("{}/$entity", with_select(&format!("{kind}s"), select.as_deref()));
    body["@odata.context"] = json!(view.context(&context));
    Ok(Answer::json(200, body))
}

fn app(view: &View) -> Value {
    let roles: Vec<Value> = ROLES[1..]
        .iter()
        .map(|(id, value, name)| {
            json!({
                "allowedMemberTypes": ["User"],
                "description": name,
                "displayName": name,
                "id": id,
                "isEnabled": true,
                "origin": "Application",
                "value": value,
            })
        })
        .collect();
    json!({
        "accountEnabled": view.directory.app_enabled,
        "appDisplayName": APP_NAME,
        "appId": GRAPH_APP_ID,
        "appRoleAssignmentRequired": true,
        "appRoles": roles,
        "displayName": APP_NAME,
        "id": GRAPH_APP_OBJECT_ID,
        "servicePrincipalType": "Application",
    })
}

/// The service principal of the client.
fn client(view: &View) -> Value {
    json!({
        "accountEnabled": !view.knobs.client_disabled,
        "appDisplayName": CLIENT_NAME,
        "appId": CLIENT_ID,
        "appRoleAssignmentRequired": false,
        "appRoles": [],
        "displayName": CLIENT_NAME,
        "id": CLIENT_OBJECT_ID,
        "servicePrincipalType": "Application",
    })
}

fn registration(view: &View) -> Value {
    let secret_ends = view.knobs.secret_expires.map_or_else(|| FAR_AWAY.to_owned(), time);
    let certificates = view.knobs.certificates.iter().filter_map(|pem| Certificate::of_pem(pem));
    let keys: Vec<Value> = certificates
        .map(|certificate| {
            json!({
                "customKeyIdentifier": certificate.thumbprint_hex(),
                "endDateTime": time(certificate.not_after),
                "startDateTime": time(certificate.not_before),
                "keyId": "77777777-aaaa-4bbb-8ccc-000000000007",
                "type": "AsymmetricX509Cert",
                "usage": "Verify",
            })
        })
        .collect();
    json!({
        "id": REGISTRATION_ID,
        "appId": CLIENT_ID,
        "displayName": CLIENT_NAME,
        "keyCredentials": keys,
        "passwordCredentials": [{
            "displayName": "secret",
            "endDateTime": secret_ends,
            "hint": "sim",
            "keyId": "88888888-aaaa-4bbb-8ccc-000000000008",
        }],
    })
}

pub(super) fn selected(whole: Value, select: Option<&[String]>) -> Value {
    let (Value::Object(whole), Some(names)) = (&whole, select) else { return whole };
    let kept: Map<String, Value> =
        names.iter().filter_map(|name| whole.get(name).map(|value| (name.clone(), value.clone()))).collect();
    Value::Object(kept)
}
