//! A policy from the cluster itself: changes are in force within seconds, what is broken says so and changes nothing, and
//! no agent gets at it. And a catalog that learns of resources that come later.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use countersign_core::audit::MemorySink;
use countersign_core::request::{Gate, ResourceCatalog as _};
use countersign_kube::core::policy::{PolicyEngine as _, PolicySet};
use countersign_kube::policy_watch::{COUNTERSIGN_POLICY_CRD, PolicyWatch, countersign_policy};
use countersign_kube::{ClusterPolicies, Guard, LiveCatalog, Refresh, Subject, guarded_client};
use countersign_tests::control_plane::{self, ControlPlane, Scope};
use countersign_tests::guarded::{refused, until};
use k8s_openapi::api::core::v1::ConfigMap;
use k8s_openapi::api::rbac::v1::PolicyRule;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{Api, DeleteParams, DynamicObject, ListParams, Patch, PatchParams, PostParams};
use kube::{Client, Config};
use serde_json::{Value, json};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::OnceCell;
use tokio::task::JoinSet;

/// A guard under the policies of a namespace of its own.
struct World {
    cp: &'static ControlPlane,
    /// The guard's namespace.
    home: String,
    /// Where the agent works.
    work: String,
    policies: ClusterPolicies,
    agent: Client,
    /// The name under which the policies are watched.
    watcher: String,
}

/// The rules that the manual names.
fn rules() -> Vec<PolicyRule> {
    let rule = |group: &str, resource: &str, verbs: &[&str]| PolicyRule {
        api_groups: Some(vec![group.into()]),
        resources: Some(vec![resource.into()]),
        verbs: verbs.iter().map(|verb| (*verb).to_owned()).collect(),
        ..PolicyRule::default()
    };
    vec![
        rule("", "configmaps", &["list", "watch"]),
        rule("countersign.dev", "countersignpolicies", &["list", "watch"]),
        rule("countersign.dev", "countersignpolicies/status", &["patch"]),
    ]
}

/// Applies the definition of the custom resource, once for all tests.
async fn define(cp: &'static ControlPlane) {
    static DEFINED: OnceCell<()> = OnceCell::const_new();
    let define = async || {
        let definition: Value = serde_saphyr::from_str(COUNTERSIGN_POLICY_CRD).unwrap();
        let name = definition["metadata"]["name"].as_str().unwrap().to_owned();
        make_resource(cp.admin(), &name, &definition).await;
    };
    DEFINED.get_or_init(define).await;
}

async fn make_resource(admin: Client, name: &str, definition: &Value) {
    let definitions: Api<CustomResourceDefinition> = Api::all(admin);
    let apply = PatchParams::apply("test");
    definitions
        .patch(name, &apply, &Patch::Apply(definition))
        .await
        .unwrap();
    until("the definition is established", async || {
        let conditions = definitions
            .get(name)
            .await
            .unwrap()
            .status
            .and_then(|status| status.conditions);
        let conditions = conditions.unwrap_or_default();
        conditions
            .iter()
            .any(|it| it.type_ == "Established" && it.status == "True")
    })
    .await;
}

impl World {
    async fn new(test: &str) -> Option<Self> {
        let cp = control_plane::or_skip(test).await?;
        define(cp).await;
        let home = cp.namespace("guard").await;
        let config = cp.client_with(rules(), Scope::Namespace(&home)).await;
        Some(Self::watching(cp, home, config, |watch| watch).await)
    }

    async fn watching(
        cp: &'static ControlPlane,
        home: String,
        config: Config,
        change: impl FnOnce(PolicyWatch) -> PolicyWatch,
    ) -> Self {
        let watcher = user(cp, &config).await;
        let policies = change(PolicyWatch::new(Client::try_from(config).unwrap(), &home)).start();
        let guard = Guard::builder()
            .subject(Subject::new("triage-agent").with_group("agents"))
            .policy(policies.clone())
            .guard_namespace(&home)
            .gate(Gate::new(Arc::new(
                countersign_kube::discover_catalog(&cp.admin()).await.unwrap(),
            )))
            .audit(MemorySink::new("live"));
        // Its credential may do everything: what is refused is refused by the guard.
        let agent = guarded_client(cp.admin_config(), guard).unwrap();
        Self {
            cp,
            home,
            work: cp.namespace("work").await,
            policies,
            agent,
            watcher,
        }
    }

    fn objects(&self) -> Api<DynamicObject> {
        Api::namespaced_with(self.cp.admin(), &self.home, &countersign_policy())
    }

    fn maps(&self) -> Api<ConfigMap> {
        Api::namespaced(self.cp.admin(), &self.home)
    }

    /// The spec of a policy that allows reads where the agent works, and `effect`.
    fn spec(&self, effect: &str) -> Value {
        json!({
            "subjects": [{"group": "agents"}],
            "scopes": [{"namespaces": [self.work]}],
            "rules": [{"name": "look", "match": {"effects": ["read", effect]}, "allow": {}}],
        })
    }

    async fn put(&self, name: &str, spec: Value) {
        let resource = countersign_policy();
        let object = json!({
            "apiVersion": resource.api_version,
            "kind": resource.kind,
            "metadata": {"name": name},
            "spec": spec,
        });
        let apply = PatchParams::apply("test").force();
        self.objects().patch(name, &apply, &Patch::Apply(object)).await.unwrap();
    }

    async fn put_map(&self, name: &str, document: &str, spec: &Value) {
        let text = json!({
            "apiVersion": "countersign.dev/v1alpha1",
            "kind": "Policy",
            "metadata": {"name": document},
            "spec": spec,
        });
        let text = serde_json::to_string_pretty(&text).unwrap();
        self.put_text(name, &text).await;
    }

    async fn put_text(&self, name: &str, text: &str) {
        let object = json!({
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": name, "labels": {"countersign.dev/policy": "true"}},
            "data": {"policy.yaml": text, "README.md": "no policy"},
        });
        let apply = PatchParams::apply("test").force();
        self.maps().patch(name, &apply, &Patch::Apply(object)).await.unwrap();
    }

    async fn may_read(&self) -> bool {
        let maps: Api<ConfigMap> = Api::namespaced(self.agent.clone(), &self.work);
        match maps.list(&ListParams::default()).await {
            Ok(_) => true,
            Err(kube::Error::Api(status)) => {
                // 503: it was replaced while it judged.
                assert!(matches!(status.code, 403 | 503), "{status:?}");
                false
            }
            Err(error) => panic!("{error}"),
        }
    }

    /// The condition `Accepted` of a custom resource: status, reason, message, generation.
    async fn accepted(&self, name: &str) -> Option<(String, String, String, i64)> {
        let object = self.objects().get(name).await.unwrap();
        let condition = object.data.pointer("/status/conditions/0")?;
        let text = |key: &str| condition[key].as_str().unwrap_or_default().to_owned();
        assert_eq!(text("type"), "Accepted");
        Some((
            text("status"),
            text("reason"),
            text("message"),
            condition["observedGeneration"].as_i64().unwrap(),
        ))
    }

    async fn until_accepted(&self, name: &str, status: &str, generation: i64) -> (String, String) {
        let wanted = async || {
            let now = self.accepted(name).await;
            now.filter(|(said, _, _, seen)| said == status && *seen == generation)
        };
        until("the condition is written", async || wanted().await.is_some()).await;
        let (_, reason, message, _) = wanted().await.unwrap();
        (reason, message)
    }

    async fn ready(&self) {
        tokio::time::timeout(Duration::from_secs(20), self.policies.ready())
            .await
            .unwrap_or_else(|_| panic!("not ready: {:?}", self.policies.status()));
    }
}

/// The user that a configuration is for.
async fn user(cp: &'static ControlPlane, config: &Config) -> String {
    use k8s_openapi::api::authentication::v1::SelfSubjectReview;
    let _ = cp;
    let reviews: Api<SelfSubjectReview> = Api::all(Client::try_from(config.clone()).unwrap());
    let review = reviews
        .create(&PostParams::default(), &SelfSubjectReview::default())
        .await;
    let status = review.unwrap().status.unwrap();
    status.user_info.unwrap().username.unwrap()
}

#[tokio::test]
async fn a_custom_resource_decides_and_says_what_became_of_it() {
    let test = "a_custom_resource_decides_and_says_what_became_of_it";
    let Some(world) = World::new(test).await else { return };
    world.ready().await;
    assert!(!world.may_read().await, "without any policy everything is denied");

    world.put("triage", world.spec("log")).await;
    until("the policy is in force", async || world.may_read().await).await;
    let (reason, _) = world.until_accepted("triage", "True", 1).await;
    assert_eq!(reason, "InForce");
    let object = world.objects().get("triage").await.unwrap();
    assert_eq!(object.data["status"]["revision"], world.policies.revision().to_string());
    assert_eq!(world.policies.status().error, None);

    // Broken: the old version stays, and the condition has the place.
    let before = world.policies.revision();
    world.put("triage", world.spec("lok")).await;
    let (reason, message) = world.until_accepted("triage", "False", 2).await;
    assert_eq!(reason, "Invalid");
    assert!(
        message.starts_with("the version before this one stays in force"),
        "{message}"
    );
    assert!(message.contains("countersignpolicies/triage:"), "{message}");
    assert!(
        message.contains("unknown effect `lok`; did you mean `log`?"),
        "{message}"
    );
    assert!(
        message.contains("14 |             \"lok\""),
        "the line itself: {message}"
    );
    assert_eq!(world.policies.revision(), before);
    assert!(
        world
            .policies
            .status()
            .error
            .unwrap()
            .message
            .contains("unknown effect `lok`")
    );
    assert!(world.may_read().await);

    // Another one that is right goes into force meanwhile; a third that takes a name that is taken does not.
    world.put("writers", world.spec("write")).await;
    world.until_accepted("writers", "True", 1).await;
    assert_ne!(world.policies.revision(), before);
    world.put_map("copy", "writers", &world.spec("log")).await;
    until("the copy is refused", async || {
        let error = world.policies.status().error;
        error.is_some_and(|problem| problem.message.contains("there is another document named `writers`"))
    })
    .await;
    world.maps().delete("copy", &DeleteParams::default()).await.unwrap();

    world.put("triage", world.spec("review")).await;
    world.until_accepted("triage", "True", 3).await;
    until("nothing is wrong any more", async || {
        world.policies.status().error.is_none()
    })
    .await;

    for name in ["triage", "writers"] {
        world.objects().delete(name, &DeleteParams::default()).await.unwrap();
    }
    until("what is deleted is gone", async || !world.may_read().await).await;
    assert_eq!(world.policies.revision(), PolicySet::deny_all().revision());

    // Conditions are written when they change, and not because they were written.
    let writes = || async {
        let events = world.cp.audit_events().await.into_iter();
        let written = events.filter(|event| event.user.username == world.watcher && event.verb == "patch");
        written.filter(|event| event.is_complete()).count()
    };
    let before = writes().await;
    assert!((4..=12).contains(&before), "{before} writes");
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(writes().await, before);
}

#[tokio::test]
async fn config_maps_decide() {
    let Some(world) = World::new("config_maps_decide").await else {
        return;
    };
    world.ready().await;
    world.put_map("triage", "triage", &world.spec("log")).await;
    until("the policy is in force", async || world.may_read().await).await;

    let before = world.policies.status();
    world
        .put_text("triage", "apiVersion: countersign.dev/v1alpha1\nkind: Polcy\n")
        .await;
    until("it is refused", async || world.policies.status().error.is_some()).await;
    let message = world.policies.status().error.unwrap().message;
    assert!(message.contains("configmaps/triage/policy.yaml:2:7"), "{message}");
    assert_eq!(world.policies.status().revision, before.revision);
    assert!(world.may_read().await, "the old version stays");

    // Without the label it is no policy.
    let unlabel = json!({"metadata": {"labels": {"countersign.dev/policy": null}}});
    world
        .maps()
        .patch("triage", &PatchParams::default(), &Patch::Merge(unlabel))
        .await
        .unwrap();
    until("it is gone", async || !world.may_read().await).await;
    assert_eq!(world.policies.status().error, None);
}

#[tokio::test]
async fn nothing_is_permitted_before_all_that_was_there_is_right() {
    let test = "nothing_is_permitted_before_all_that_was_there_is_right";
    let Some(world) = World::new(test).await else { return };
    world.put("good", world.spec("log")).await;
    world.put("bad", world.spec("lok")).await;
    // Another guard, which starts now.
    let config = world.cp.client_with(rules(), Scope::Namespace(&world.home)).await;
    let late = World::watching(world.cp, world.home.clone(), config, PolicyWatch::only_custom_resources).await;
    until("it knows what is wrong", async || {
        let error = late.policies.status().error;
        error.is_some_and(|problem| problem.message.contains("unknown effect `lok`"))
    })
    .await;
    assert_eq!(late.policies.revision(), PolicySet::deny_all().revision());
    assert!(!late.may_read().await);

    world.put("bad", world.spec("log")).await;
    late.ready().await;
    assert_eq!(late.policies.status().error, None);
}

#[tokio::test]
async fn no_agent_gets_at_the_policies() {
    let Some(world) = World::new("no_agent_gets_at_the_policies").await else {
        return;
    };
    // Everything that a policy can permit, everywhere.
    let spec = json!({
        "subjects": [{"group": "agents"}],
        "scopes": [{"namespaces": ["*"], "clusterScoped": true}],
        "rules": [{"name": "all", "match": {"effects": ["discovery", "read", "read-stream", "write", "destructive"]},
            "allow": {}}],
    });
    world.put("all", spec.clone()).await;
    world.put_map("more", "more", &spec).await;
    until("the policy is in force", async || world.may_read().await).await;
    world.until_accepted("all", "True", 1).await;

    let theirs =
        |namespace: &str| Api::<DynamicObject>::namespaced_with(world.agent.clone(), namespace, &countersign_policy());
    let maps: Api<ConfigMap> = Api::namespaced(world.agent.clone(), &world.home);
    let merge = Patch::Merge(json!({"spec": {"rules": []}}));
    let (patch, post, delete) = (PatchParams::default(), PostParams::default(), DeleteParams::default());
    let mut object = DynamicObject::new("mine", &countersign_policy());
    object.data = json!({ "spec": spec });
    let refusals = [
        refused(theirs(&world.home).get("all").await),
        refused(theirs(&world.home).patch("all", &patch, &merge).await),
        refused(theirs(&world.home).patch_status("all", &patch, &merge).await),
        refused(theirs(&world.home).delete("all", &delete).await),
        refused(theirs(&world.home).create(&post, &object).await),
        // Somewhere else too: one day somebody watches it.
        refused(theirs(&world.work).create(&post, &object).await),
        refused(maps.get("more").await),
        refused(maps.patch("more", &patch, &Patch::Merge(json!({"data": {}}))).await),
        refused(maps.delete("more", &delete).await),
    ];
    for status in refusals {
        assert_eq!(status.code, 403, "{status:?}");
        let causes = status.details.unwrap().causes;
        assert!(
            causes.iter().any(|cause| cause.message == "countersign/self"),
            "{causes:?}"
        );
    }
    let everywhere: Api<DynamicObject> = Api::all_with(world.agent.clone(), &countersign_policy());
    let seen = everywhere.list(&ListParams::default()).await.unwrap();
    let homes = seen
        .items
        .iter()
        .filter(|object| object.metadata.namespace.as_ref() == Some(&world.home));
    assert_eq!(homes.count(), 0, "wider lists leave them out");
}

/// A wire to the API server that can be cut.
struct Wire {
    up: Arc<AtomicBool>,
    config: Config,
}

impl Wire {
    async fn new(mut config: Config) -> Self {
        let server = config.cluster_url.authority().unwrap().to_string();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        config.cluster_url = format!("https://{address}").parse().unwrap();
        let up = Arc::new(AtomicBool::new(true));
        let is_up = Arc::clone(&up);
        tokio::spawn(async move {
            let mut open = JoinSet::new();
            let mut tick = tokio::time::interval(Duration::from_millis(20));
            loop {
                tokio::select! {
                    _ = tick.tick() => {
                        if !is_up.load(Ordering::SeqCst) {
                            open.abort_all();
                        }
                    }
                    accepted = listener.accept() => {
                        let (mut near, _) = accepted.unwrap();
                        let Ok(mut far) = TcpStream::connect(&server).await else { continue };
                        if is_up.load(Ordering::SeqCst) {
                            open.spawn(async move { copy_bidirectional(&mut near, &mut far).await });
                        }
                    }
                }
            }
        });
        Self { up, config }
    }

    fn set(&self, up: bool) {
        self.up.store(up, Ordering::SeqCst);
    }
}

#[tokio::test]
async fn what_is_in_force_stays_while_the_api_server_is_away() {
    let test = "what_is_in_force_stays_while_the_api_server_is_away";
    let Some(cp) = control_plane::or_skip(test).await else {
        return;
    };
    define(cp).await;
    let home = cp.namespace("guard").await;
    let wire = Wire::new(cp.client_with(rules(), Scope::Namespace(&home)).await).await;
    let world = World::watching(cp, home, wire.config.clone(), |watch| watch).await;
    world.put("triage", world.spec("log")).await;
    until("the policy is in force", async || world.may_read().await).await;
    let before = world.policies.revision();

    wire.set(false);
    until("it knows that it is cut off", async || {
        let error = world.policies.status().error;
        error.is_some_and(|problem| problem.message.contains("countersignpolicies can't be watched"))
    })
    .await;
    world.put("triage", world.spec("review")).await;
    assert!(world.may_read().await);
    assert_eq!(world.policies.revision(), before);

    wire.set(true);
    until("what changed meanwhile is in force", async || {
        world.policies.revision() != before
    })
    .await;
    until("nothing is wrong any more", async || {
        world.policies.status().error.is_none()
    })
    .await;
    assert!(world.may_read().await);
    world.until_accepted("triage", "True", 2).await;
}

#[tokio::test]
async fn a_resource_that_comes_later_becomes_known() {
    let test = "a_resource_that_comes_later_becomes_known";
    let Some(cp) = control_plane::or_skip(test).await else {
        return;
    };
    let refresh = Refresh {
        every: Duration::from_secs(3600),
        at_most_every: Duration::from_millis(200),
    };
    let wire = Wire::new(cp.admin_config()).await;
    let client = Client::try_from(wire.config.clone()).unwrap();
    let catalog = LiveCatalog::start_with(client, refresh, |catalog| {
        catalog.with_selectable_field("live.example.com", "gizmos", "spec.color")
    })
    .await
    .unwrap();
    let work = cp.namespace("work").await;
    let guard = Guard::builder()
        .subject(Subject::new("agent"))
        .policy(PolicySet::insecure_allow_all())
        .gate(Gate::new(Arc::new(catalog.clone())))
        .audit(MemorySink::new("live"));
    let agent = guarded_client(cp.admin_config(), guard).unwrap();
    let resource = kube::api::ApiResource {
        group: "live.example.com".into(),
        version: "v1".into(),
        api_version: "live.example.com/v1".into(),
        kind: "Gizmo".into(),
        plural: "gizmos".into(),
    };
    let gizmos: Api<DynamicObject> = Api::namespaced_with(agent, &work, &resource);
    assert_eq!(refused(gizmos.list(&ListParams::default()).await).code, 404);

    let definition = json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "gizmos.live.example.com"},
        "spec": {
            "group": "live.example.com",
            "scope": "Namespaced",
            "names": {"kind": "Gizmo", "listKind": "GizmoList", "plural": "gizmos", "singular": "gizmo"},
            "versions": [{
                "name": "v1",
                "served": true,
                "storage": true,
                "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}},
            }],
        },
    });
    make_resource(cp.admin(), "gizmos.live.example.com", &definition).await;
    // The request that misses it brings it on.
    until("the resource is known", async || {
        gizmos.list(&ListParams::default()).await.is_ok()
    })
    .await;
    let kind = catalog.lookup("live.example.com", "gizmos").unwrap();
    assert!(catalog.is_selectable(&kind, "spec.color"));
    assert_eq!(catalog.status().error, None);

    // While the cluster can't be asked, what was known stays.
    let before = catalog.status().refreshed;
    wire.set(false);
    tokio::time::sleep(Duration::from_millis(100)).await;
    until("the catalog knows that it is old", async || {
        assert!(catalog.lookup("live.example.com", "gadgets").is_none());
        catalog.status().error.is_some()
    })
    .await;
    assert!(catalog.lookup("live.example.com", "gizmos").is_some());
    wire.set(true);
    until("the catalog is fresh again", async || {
        catalog.lookup("live.example.com", "gadgets");
        catalog.status().error.is_none() && catalog.status().refreshed > before
    })
    .await;
}
