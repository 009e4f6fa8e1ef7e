//! The resources of a cluster, as its discovery tells them.

use std::collections::HashSet;

use countersign_core::request::Catalog;
use kube::api::{ApiResource, DynamicObject, GroupVersionKind, ListParams};
use kube::discovery::{Discovery, Scope};
use kube::{Api, Client};

/// Asks a cluster for the resources that it serves, on top of those of Kubernetes itself.
///
/// A snapshot: resources that come later are refused until it is taken anew. A group that an APIService hands to another
/// server counts as aggregated: it can be read, and nothing more is believed of it.
///
/// # Errors
/// If discovery fails, or the APIServices can't be listed: custom and aggregated groups could not be told apart.
pub async fn discover_catalog(client: &Client) -> kube::Result<Catalog> {
    let resource = ApiResource::from_gvk(&GroupVersionKind::gvk("apiregistration.k8s.io", "v1", "APIService"));
    let services = Api::<DynamicObject>::all_with(client.clone(), &resource)
        .list(&ListParams::default())
        .await?;
    let aggregated: HashSet<String> = services
        .into_iter()
        .filter(|service| {
            service
                .data
                .pointer("/spec/service")
                .is_some_and(|service| !service.is_null())
        })
        .filter_map(|service| service.data.pointer("/spec/group")?.as_str().map(str::to_owned))
        .collect();
    let mut catalog = Catalog::kubernetes();
    for group in &aggregated {
        catalog = catalog.with_aggregated(group);
    }
    let discovery = Discovery::new(client.clone()).run().await?;
    for group in discovery.groups().filter(|group| !aggregated.contains(group.name())) {
        for (resource, capabilities) in group.versions().flat_map(|version| group.versioned_resources(version)) {
            if !catalog.contains(&resource.group, &resource.plural) {
                let namespaced = capabilities.scope == Scope::Namespaced;
                catalog = catalog.with_custom(&resource.group, &resource.plural, &resource.kind, namespaced);
            }
        }
    }
    Ok(catalog)
}
