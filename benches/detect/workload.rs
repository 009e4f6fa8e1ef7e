//! Logs as a cluster writes them, with secrets in some lines.

use std::io::Write as _;

use crate::rules::RULES;

/// Logs of about this size with a secret in every so many bytes. The same ones in each run.
pub fn logs(size: usize, every: usize) -> Vec<u8> {
    let mut logs = Logs {
        text: Vec::with_capacity(size + 4096),
        random: 0x9e37_79b9_7f4a_7c15,
    };
    let mut next = every;
    let mut rule = 0;
    while logs.text.len() < size {
        let secret = (logs.text.len() >= next).then(|| {
            next += every / 2 + logs.below(every);
            rule = (rule + 1) % RULES.len();
            logs.secret(RULES[rule].0)
        });
        logs.line(secret.as_deref());
    }
    logs.text
}

struct Logs {
    text: Vec<u8>,
    random: u64,
}

impl Logs {
    fn below(&mut self, limit: usize) -> usize {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        (self.random >> 11) as usize % limit
    }

    fn of(&mut self, alphabet: &str, count: usize) -> String {
        (0..count)
            .map(|_| char::from(alphabet.as_bytes()[self.below(alphabet.len())]))
            .collect()
    }

    fn pick(&mut self, all: &[&'static str]) -> &'static str {
        all[self.below(all.len())]
    }

    fn hex(&mut self, count: usize) -> String {
        self.of("0123456789abcdef", count)
    }

    fn line(&mut self, secret: Option<&str>) {
        let (second, nano) = (self.below(60), self.below(999_999_999));
        let pod = format!("{}-{}-{}", self.pick(&SERVICES), self.hex(10), self.of(POD, 5));
        let (ip, status) = (
            format!("10.{}.{}.{}", self.below(256), self.below(256), self.below(256)),
            self.below(500),
        );
        let (service, message, path) = (self.pick(&SERVICES), self.pick(&MESSAGES), self.pick(&PATHS));
        let trace = self.hex(32);
        let extra = secret.map(|secret| format!(" token {secret} end")).unwrap_or_default();
        let kind = self.below(7);
        let text = &mut self.text;
        let time = format!("2026-11-23T01:58:{second:02}");
        let written = match kind {
            0 => writeln!(
                text,
                "I1123 01:58:{second:02}.{:06}       1 controller.go:{status}] \"{message}\" pod=\"default/{pod}\" node=\"{ip}\"{extra}",
                nano / 1000
            ),
            1 => writeln!(
                text,
                "{{\"level\":\"info\",\"ts\":\"{time}.{nano:09}Z\",\"logger\":\"{service}\",\"msg\":\"{message}{extra}\",\"trace_id\":\"{trace}\",\"duration_ms\":{status}}}"
            ),
            2 => writeln!(
                text,
                "{ip} - - [23/Nov/2026:01:58:{second:02} +0000] \"GET {path}?page={status} HTTP/1.1\" 200 {nano} \"-\" \"kube-probe/1.36\"{extra}"
            ),
            3 => writeln!(
                text,
                "{time}.{:03}Z  WARN 1 --- [nio-8080-exec-{}] c.acme.{service}.Handler : {message} for {path}{extra}",
                nano % 1000,
                status % 20
            ),
            4 => writeln!(
                text,
                "\tat com.acme.{service}.internal.RequestHandler.handle(RequestHandler.java:{status}){extra}"
            ),
            5 => writeln!(
                text,
                "level=info ts={time}.{nano:09}Z caller={service}.go:{status} component=scheduler msg=\"{message}\" image=registry.internal/{service}@sha256:{trace}{trace}{extra}"
            ),
            _ => writeln!(
                text,
                "[{time}] {service}: {message}; key={} uid={}-{}-4{}-a{}-{}{extra}",
                path,
                &trace[..8],
                &trace[8..12],
                &trace[12..15],
                &trace[15..18],
                &trace[18..30]
            ),
        };
        written.unwrap();
    }

    /// Something that a rule finds, and no other one.
    fn secret(&mut self, rule: &str) -> String {
        let hex32 = self.hex(32);
        let upper = self.of(UPPER, 60);
        let body = self.of(ALNUM, 64);
        match rule {
            "age" => format!("AGE-SECRET-KEY-1{upper}"),
            "anthropic" => format!("sk-ant-api03-{body}"),
            "atlassian" => format!("ATATT3xFf{body}"),
            "aws-id" => format!("AKIA{}", &upper[..16]),
            "aws-session" => format!("IQoJb3JpZ2lu{body}"),
            "azure-key" => format!("AccountKey={body}"),
            "bcrypt" => format!("$2a$10${}", &body[..53]),
            "circleci" => format!("CCIPAT_{body}"),
            "databricks" => format!("dapi{hex32}"),
            "digitalocean" => format!("dop_v1_{hex32}{hex32}"),
            "docker" => format!("dckr_pat_{}", &body[..27]),
            "doppler" => format!("dp.st.{}", &body[..43]),
            "facebook" => format!("EAAC{body}"),
            "fly" => format!("fm2_{body}"),
            "gcp-key" => format!("AIza{}", &body[..35]),
            "gcp-oauth" => format!("ya29.{body}"),
            "gcp-secret" => format!("GOCSPX-{}", &body[..28]),
            "github" => format!("ghp_{}", &body[..36]),
            "github-fine" => format!("github_pat_{body}"),
            "gitlab" => format!("glpat-{}", &body[..20]),
            "grafana" => format!("glsa_{}", &body[..41]),
            "huggingface" => format!("hf_{}", &body[..34]),
            "jwt" => format!("eyJhbGciOiJIUzI1NiJ9.{body}.{}", &body[..43]),
            "linear" => format!("lin_api_{}", &body[..40]),
            "mailchimp" => format!("{hex32}-us12"),
            "mailgun" => format!("key-{hex32}"),
            "newrelic" => format!("NRAK-{}", &upper[..27]),
            "npm" => format!("npm_{}", &body[..36]),
            "openai" => format!("sk-proj-{}", &body[..48]),
            "planetscale" => format!("pscale_pw_{}", &body[..43]),
            "private-key" => "-----BEGIN RSA PRIVATE KEY-----".to_owned(),
            "pypi" => format!("pypi-AgE{body}"),
            "sendgrid" => format!("SG.{}.{}", &body[..22], &body[..43]),
            "sentry" => format!("sntrys_{body}"),
            "shopify" => format!("shpat_{hex32}"),
            "slack" => format!("xoxb-123456789012-{}", &body[..24]),
            "slack-hook" => format!("hooks.slack.com/services/T{}/B{}", &upper[..8], &body[..24]),
            "square" => format!("sq0atp-{}", &body[..22]),
            "stripe" => format!("sk_live_{}", &body[..24]),
            "telegram" => format!("123456789:AA{}", &body[..33]),
            "twilio" => format!("SK{hex32}"),
            "vault" => format!("hvs.{}", &body[..24]),
            other => unreachable!("a rule without a secret: {other}"),
        }
    }
}

const UPPER: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const ALNUM: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const POD: &str = "bcdfghjklmnpqrstvwxz2456789";

const SERVICES: [&str; 8] = [
    "checkout",
    "payments",
    "inventory",
    "auth-gateway",
    "search",
    "notifications",
    "ingress-nginx",
    "billing",
];
const PATHS: [&str; 6] = [
    "/api/v1/namespaces/default/pods",
    "/healthz",
    "/v2/orders/8217/items",
    "/static/js/main.4f2a91c0.chunk.js",
    "/apis/apps/v1/deployments",
    "/login/oauth/callback",
];
const MESSAGES: [&str; 10] = [
    "Successfully assigned pod to node",
    "Reconciling desired state with observed state",
    "connection pool exhausted, retrying in 250ms",
    "Liveness probe failed: HTTP probe failed with statuscode: 503",
    "user session refreshed from cache",
    "TASK completed without errors; 12 workers idle",
    "Back-off restarting failed container",
    "Starting to sync secrets and config maps for the tenant",
    "request finished; risk-score below threshold, ask-price updated",
    "Pulling image from the registry mirror in us-east-1",
];
