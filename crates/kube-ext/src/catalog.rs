//! The resources of a cluster, as the cluster tells them.

use countersign_core::request::Catalog;
use kube::api::{ApiResource, DynamicObject, GroupVersionKind, ListParams};
use kube::{Api, Client};
use serde_json::Value;

/// Asks a cluster for the resources that it serves on top of those of Kubernetes itself: its CustomResourceDefinitions,
/// and the groups that an APIService hands to another server, of which nothing is believed and which can only be read.
///
/// A snapshot: resources that come later are refused until it is taken anew.
///
/// # Errors
/// If either can't be listed.
pub async fn discover_catalog(client: &Client) -> kube::Result<Catalog> {
    let mut catalog = Catalog::kubernetes();
    for service in list(client, "apiregistration.k8s.io", "APIService").await? {
        let text = |pointer: &str| service.data.pointer(pointer).and_then(Value::as_str);
        if let (Some(_), Some(group)) = (text("/spec/service/name"), text("/spec/group")) {
            catalog = catalog.with_aggregated(group);
        }
    }
    for definition in list(client, "apiextensions.k8s.io", "CustomResourceDefinition").await? {
        let text = |pointer: &str| definition.data.pointer(pointer).and_then(Value::as_str);
        let names = (
            text("/spec/group"),
            text("/spec/names/plural"),
            text("/spec/names/kind"),
        );
        if let (Some(group), Some(plural), Some(kind)) = names
            && !catalog.contains(group, plural)
        {
            let namespaced = text("/spec/scope") == Some("Namespaced");
            catalog = catalog.with_custom(group, plural, kind, namespaced);
            for (name, path) in columns(&definition) {
                catalog = catalog.with_printer_column(group, plural, name, path);
            }
        }
    }
    Ok(catalog)
}

/// Names and JSONPaths of the columns that any version prints.
fn columns(definition: &DynamicObject) -> impl Iterator<Item = (&str, &str)> {
    let versions = definition.data.pointer("/spec/versions").and_then(Value::as_array);
    let columns = versions
        .into_iter()
        .flatten()
        .filter_map(|version| version.get("additionalPrinterColumns").and_then(Value::as_array));
    columns
        .flatten()
        .filter_map(|column| Some((column.get("name")?.as_str()?, column.get("jsonPath")?.as_str()?)))
}

async fn list(client: &Client, group: &str, kind: &str) -> kube::Result<Vec<DynamicObject>> {
    let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, "v1", kind));
    let objects = Api::<DynamicObject>::all_with(client.clone(), &resource);
    Ok(objects.list(&ListParams::default()).await?.items)
}
