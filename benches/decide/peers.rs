//! The peers: a floor, a linear scan, and three policy languages.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;
use std::hash::{BuildHasher, RandomState};

use super::Judge;
use super::workload::{Request, Rule, Workload};

pub const LINEAR: &str = "linear scan";

pub fn all(workload: &Workload) -> Vec<Box<dyn Judge>> {
    let rules = workload.rules.len();
    let mut peers: Vec<Box<dyn Judge>> = vec![Box::new(Floor::new(workload)), Box::new(Linear::new(workload))];
    peers.push(Box::new(Cel::new(workload)));
    // Beyond its limits: registers of one program.
    if rules <= 1_000 {
        peers.push(Box::new(Rego::new(workload)));
    }
    peers.push(Box::new(Cedar::new(workload)));
    peers
}

/// Every string of a request is hashed once, and one table is probed with the result: no decision can be cheaper.
struct Floor {
    state: RandomState,
    answers: HashMap<u64, bool>,
}

impl Floor {
    fn new(workload: &Workload) -> Self {
        let mut floor = Self {
            state: RandomState::new(),
            answers: HashMap::new(),
        };
        for request in &workload.requests {
            let key = floor.key(request);
            floor.answers.insert(key, workload.allows(request));
        }
        floor
    }

    fn key(&self, request: &Request) -> u64 {
        let Request {
            groups,
            verb,
            resource,
            namespace,
            name,
            ..
        } = request;
        self.state.hash_one((groups, verb, resource, namespace, name))
    }
}

impl Judge for Floor {
    fn name(&self) -> &'static str {
        "hash of the strings and one probe"
    }

    fn allows(&mut self, request: &Request) -> bool {
        self.answers[&self.key(request)]
    }
}

/// Every rule, one after the other.
struct Linear(Vec<Rule>);

impl Linear {
    fn new(workload: &Workload) -> Self {
        Self(workload.rules.iter().map(Rule::again).collect())
    }
}

impl Judge for Linear {
    fn name(&self) -> &'static str {
        LINEAR
    }

    fn allows(&mut self, request: &Request) -> bool {
        let mut allowed = false;
        for rule in &self.0 {
            if rule.fits(request) {
                if rule.deny {
                    return false;
                }
                allowed = true;
            }
        }
        allowed
    }
}

impl Rule {
    fn again(&self) -> Self {
        Self {
            deny: self.deny,
            subject: self.subject.clone(),
            verbs: self.verbs.clone(),
            resource: self.resource,
            namespace: self.namespace.clone(),
            name: self.name.clone(),
        }
    }
}

/// A program per rule.
struct Cel {
    programs: Vec<(bool, cel::Program)>,
}

impl Cel {
    fn new(workload: &Workload) -> Self {
        let programs = workload.rules.iter().map(|rule| {
            let (group, resource) = rule.resource;
            let mut text = format!(
                "{:?} in groups && verb in {:?} && resource == {resource:?} && apiGroup == {group:?} && {}",
                rule.subject,
                rule.verbs,
                cel_glob("place", &rule.namespace)
            );
            if let Some(name) = &rule.name {
                let _ = write!(text, " && {}", cel_glob("name", name));
            }
            (rule.deny, cel::Program::compile(&text).unwrap())
        });
        Self {
            programs: programs.collect(),
        }
    }
}

fn cel_glob(variable: &str, pattern: &str) -> String {
    match pattern.strip_suffix('*') {
        Some(prefix) => format!("{variable}.startsWith({prefix:?})"),
        None => format!("{variable} == {pattern:?}"),
    }
}

impl Judge for Cel {
    fn name(&self) -> &'static str {
        "cel 0.15, a program per rule"
    }

    fn allows(&mut self, request: &Request) -> bool {
        let mut context = cel::Context::default();
        context.add_variable_from_value("groups", request.groups.clone());
        context.add_variable_from_value("verb", request.verb);
        context.add_variable_from_value("apiGroup", request.resource.0);
        context.add_variable_from_value("resource", request.resource.1);
        context.add_variable_from_value("place", request.namespace.as_str());
        context.add_variable_from_value("name", request.name.as_str());
        let mut allowed = false;
        for (deny, program) in &self.programs {
            if program.execute(&context).unwrap() == cel::Value::Bool(true) {
                if *deny {
                    return false;
                }
                allowed = true;
            }
        }
        allowed
    }
}

/// One module, compiled for the virtual machine.
struct Rego(regorus::rvm::vm::RegoVM);

impl Rego {
    fn new(workload: &Workload) -> Self {
        let mut text = "package bench\nimport rego.v1\ndefault permit := false\ndefault forbid := false\n\
                        default allow := false\nallow if { permit; not forbid }\n"
            .to_owned();
        for rule in &workload.rules {
            let head = if rule.deny { "forbid" } else { "permit" };
            let (group, resource) = rule.resource;
            let _ = write!(
                text,
                "{head} if {{ input.resource == {resource:?}; input.apiGroup == {group:?}; {:?} in input.groups; \
                 input.verb in {:?}; {}",
                rule.subject,
                rule.verbs,
                rego_glob("namespace", &rule.namespace)
            );
            if let Some(name) = &rule.name {
                let _ = write!(text, "; {}", rego_glob("name", name));
            }
            text.push_str(" }\n");
        }
        let mut engine = regorus::Engine::new();
        engine.add_policy("bench.rego".into(), text).unwrap();
        let entry = "data.bench.allow";
        let compiled = engine.compile_with_entrypoint(&entry.into()).unwrap();
        let program = regorus::languages::rego::compiler::Compiler::compile_from_policy(&compiled, &[entry]).unwrap();
        let mut vm = regorus::rvm::vm::RegoVM::new();
        vm.set_max_instructions(usize::MAX);
        vm.load_program(program);
        Self(vm)
    }
}

fn rego_glob(variable: &str, pattern: &str) -> String {
    match pattern.strip_suffix('*') {
        Some(prefix) => format!("startswith(input.{variable}, {prefix:?})"),
        None => format!("input.{variable} == {pattern:?}"),
    }
}

impl Judge for Rego {
    fn name(&self) -> &'static str {
        "regorus 0.14, virtual machine"
    }

    fn allows(&mut self, request: &Request) -> bool {
        let input = serde_json::json!({
            "groups": request.groups,
            "verb": request.verb,
            "apiGroup": request.resource.0,
            "resource": request.resource.1,
            "namespace": request.namespace,
            "name": request.name,
        });
        self.0.set_input(regorus::Value::from(input));
        self.0.execute().unwrap() == regorus::Value::from(true)
    }
}

/// A policy per rule; groups are parents of the user.
struct Cedar {
    policies: cedar_policy::PolicySet,
    authorizer: cedar_policy::Authorizer,
    actions: HashMap<&'static str, cedar_policy::EntityUid>,
    thing: cedar_policy::EntityUid,
}

impl Cedar {
    fn new(workload: &Workload) -> Self {
        let mut text = String::new();
        for rule in &workload.rules {
            let (group, resource) = rule.resource;
            let actions: Vec<String> = rule.verbs.iter().map(|verb| format!("Action::{verb:?}")).collect();
            let _ = write!(
                text,
                "{}(principal in Group::{:?}, action in [{}], resource) when {{ context.resource == {resource:?} && \
                 context.apiGroup == {group:?} && context.namespace like {:?}",
                if rule.deny { "forbid" } else { "permit" },
                rule.subject,
                actions.join(", "),
                rule.namespace
            );
            if let Some(name) = &rule.name {
                let _ = write!(text, " && context.name like {name:?}");
            }
            text.push_str(" };\n");
        }
        Self {
            policies: text.parse().unwrap(),
            authorizer: cedar_policy::Authorizer::new(),
            actions: super::workload::VERBS
                .iter()
                .map(|verb| (*verb, format!("Action::{verb:?}").parse().unwrap()))
                .collect(),
            thing: "Thing::\"it\"".parse().unwrap(),
        }
    }
}

impl Judge for Cedar {
    fn name(&self) -> &'static str {
        "cedar-policy 4"
    }

    fn allows(&mut self, request: &Request) -> bool {
        use cedar_policy::{Context, Decision, Entities, Entity, EntityTypeName, EntityUid, RestrictedExpression};
        let uid = |kind: &str, id: &str| {
            EntityUid::from_type_name_and_id(kind.parse::<EntityTypeName>().unwrap(), id.parse().unwrap())
        };
        let user = uid("User", &request.user);
        let parents: HashSet<_> = request.groups.iter().map(|group| uid("Group", group)).collect();
        let entity = Entity::new_no_attrs(user.clone(), parents);
        let entities = Entities::from_entities([entity], None).unwrap();
        let context = Context::from_pairs(
            [
                ("apiGroup", request.resource.0),
                ("resource", request.resource.1),
                ("namespace", &request.namespace),
                ("name", &request.name),
            ]
            .map(|(key, text)| (key.to_owned(), RestrictedExpression::new_string(text.to_owned()))),
        )
        .unwrap();
        let action = self.actions[request.verb].clone();
        let request = cedar_policy::Request::new(user, action, self.thing.clone(), context, None).unwrap();
        self.authorizer
            .is_authorized(&request, &self.policies, &entities)
            .decision()
            == Decision::Allow
    }
}
