//! Rules and requests, from a fixed seed.

/// A rule in plain words; everything that is listed has to fit.
#[derive(Debug)]
pub struct Rule {
    pub deny: bool,
    /// Group of the subject.
    pub subject: String,
    pub verbs: Vec<&'static str>,
    /// API group and resource.
    pub resource: (&'static str, &'static str),
    /// A namespace, or a prefix of namespaces and a star.
    pub namespace: String,
    /// A prefix of names and a star, on some rules.
    pub name: Option<String>,
}

/// A request in plain words.
#[derive(Debug)]
pub struct Request {
    pub user: String,
    pub groups: Vec<String>,
    pub verb: &'static str,
    pub resource: (&'static str, &'static str),
    pub namespace: String,
    pub name: String,
    /// The same, as ours takes it.
    pub canonical: super::ours::Asked,
}

#[derive(Debug)]
pub struct Workload {
    pub rules: Vec<Rule>,
    pub requests: Vec<Request>,
}

pub const VERBS: [&str; 3] = ["get", "patch", "delete"];
pub const RESOURCES: [(&str, &str); 12] = [
    ("", "pods"),
    ("", "services"),
    ("", "configmaps"),
    ("", "secrets"),
    ("", "persistentvolumeclaims"),
    ("apps", "deployments"),
    ("apps", "statefulsets"),
    ("apps", "daemonsets"),
    ("batch", "jobs"),
    ("batch", "cronjobs"),
    ("networking.k8s.io", "ingresses"),
    ("autoscaling", "horizontalpodautoscalers"),
];

/// xorshift64*: the same numbers everywhere.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize % bound
    }
}

impl Workload {
    /// As many rules, and 512 requests of which about a half is about a rule.
    pub fn new(rules: usize) -> Self {
        let mut random = Random(0x00C0_FFEE_0000_0001 + rules as u64);
        let subjects = (rules / 50).clamp(2, 100);
        let namespaces = 40;
        let rules: Vec<Rule> = (0..rules)
            .map(|_| Rule {
                deny: random.below(5) == 0,
                subject: format!("agents-{}", random.below(subjects)),
                verbs: match random.below(4) {
                    0 => vec!["get", "patch", "delete"],
                    1 => vec!["get", "patch"],
                    2 => vec!["get"],
                    _ => vec!["delete"],
                },
                resource: RESOURCES[random.below(RESOURCES.len())],
                namespace: match random.below(3) {
                    0 => format!("team-{}-*", random.below(namespaces)),
                    _ => format!("team-{}-dev", random.below(namespaces)),
                },
                name: (random.below(4) == 0).then(|| format!("web-{}*", random.below(3))),
            })
            .collect();
        let requests = (0..512)
            .map(|number| {
                let rule = (number % 2 == 0).then(|| &rules[random.below(rules.len())]);
                let subject = rule.map_or_else(
                    || format!("agents-{}", random.below(subjects)),
                    |rule| rule.subject.clone(),
                );
                let verb = rule.map_or_else(|| VERBS[random.below(3)], |rule| rule.verbs[0]);
                let resource = rule.map_or_else(|| RESOURCES[random.below(RESOURCES.len())], |rule| rule.resource);
                let namespace = rule.map_or_else(
                    || format!("team-{}-dev", random.below(namespaces)),
                    |rule| rule.namespace.replace('*', "dev"),
                );
                let name = rule
                    .and_then(|rule| rule.name.as_ref())
                    .map_or_else(|| format!("db-{}", random.below(9)), |name| name.replace('*', "-0"));
                let groups = vec!["system:authenticated".to_owned(), subject];
                let user = format!("agent-{}", random.below(1000));
                let canonical = super::ours::Asked::new(&user, &groups, verb, resource, &namespace, &name);
                Request {
                    user,
                    groups,
                    verb,
                    resource,
                    namespace,
                    name,
                    canonical,
                }
            })
            .collect();
        Self { rules, requests }
    }

    /// The decision, slow and obvious.
    pub fn allows(&self, request: &Request) -> bool {
        let fitting = || self.rules.iter().filter(|rule| rule.fits(request));
        fitting().any(|rule| !rule.deny) && !fitting().any(|rule| rule.deny)
    }
}

impl Rule {
    /// Whether everything that is listed fits.
    pub fn fits(&self, request: &Request) -> bool {
        request.groups.contains(&self.subject)
            && self.verbs.contains(&request.verb)
            && self.resource == request.resource
            && glob(&self.namespace, &request.namespace)
            && self.name.as_deref().is_none_or(|name| glob(name, &request.name))
    }
}

pub fn glob(pattern: &str, text: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(prefix) => text.starts_with(prefix),
        None => pattern == text,
    }
}
