//! The rules that everybody gets: plain regular expressions, each with the literals of which a match has one.

use countersign_core::detect::{Begins, Group, RuleSource};

/// Id, pattern, literals.
pub const RULES: [(&str, &str, &[&str]); 42] = [
    ("age", "AGE-SECRET-KEY-1[A-Z0-9]{50,}", &["AGE-SECRET-KEY-1"]),
    ("anthropic", "sk-ant-[a-z0-9]{3,}-[A-Za-z0-9_-]{20,}", &["sk-ant-"]),
    ("atlassian", "ATATT3xFf[A-Za-z0-9_=-]{40,}", &["ATATT3xFf"]),
    ("aws-id", "A(?:KIA|SIA)[A-Z2-7]{16,}", &["AKIA", "ASIA"]),
    ("aws-session", "IQoJb3JpZ2lu[A-Za-z0-9+/]{50,}", &["IQoJb3JpZ2lu"]),
    ("azure-key", "AccountKey=[A-Za-z0-9+/]{40,}", &["AccountKey="]),
    (
        "bcrypt",
        r"\$2[aby]\$[0-9]{2}\$[./A-Za-z0-9]{53,}",
        &["$2a$", "$2b$", "$2y$"],
    ),
    ("circleci", "CCIPAT_[A-Za-z0-9_]{40,}", &["CCIPAT_"]),
    ("databricks", "dapi[a-f0-9]{32,}", &["dapi"]),
    ("digitalocean", "dop_v1_[a-f0-9]{40,}", &["dop_v1_"]),
    ("docker", "dckr_pat_[A-Za-z0-9_-]{20,}", &["dckr_pat_"]),
    ("doppler", r"dp\.(?:pt|st)\.[A-Za-z0-9._-]{30,}", &["dp.pt.", "dp.st."]),
    ("facebook", "EAAC[A-Za-z0-9]{60,}", &["EAAC"]),
    ("fly", "fm2_[A-Za-z0-9+/=]{60,}", &["fm2_"]),
    ("gcp-key", "AIza[A-Za-z0-9_-]{35,}", &["AIza"]),
    ("gcp-oauth", r"ya29\.[A-Za-z0-9_.-]{20,}", &["ya29."]),
    ("gcp-secret", "GOCSPX-[A-Za-z0-9_-]{20,}", &["GOCSPX-"]),
    (
        "github",
        "gh[pousr]_[A-Za-z0-9]{36,}",
        &["ghp_", "gho_", "ghu_", "ghs_", "ghr_"],
    ),
    ("github-fine", "github_pat_[A-Za-z0-9_]{50,}", &["github_pat_"]),
    ("gitlab", "glpat-[A-Za-z0-9_-]{20,}", &["glpat-"]),
    ("grafana", "glsa_[A-Za-z0-9_]{32,}", &["glsa_"]),
    ("huggingface", "hf_[A-Za-z0-9]{30,}", &["hf_"]),
    (
        "jwt",
        r"eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{4,}\.[A-Za-z0-9_-]{4,}",
        &["eyJ"],
    ),
    ("linear", "lin_api_[A-Za-z0-9]{32,}", &["lin_api_"]),
    ("mailchimp", "[0-9a-f]{32}-us[0-9]{1,}", &["-us"]),
    ("mailgun", "key-[0-9a-f]{32,}", &["key-"]),
    ("newrelic", "NRAK-[A-Z0-9]{20,}", &["NRAK-"]),
    ("npm", "npm_[A-Za-z0-9]{36,}", &["npm_"]),
    ("openai", "sk-proj-[A-Za-z0-9_-]{20,}", &["sk-proj-"]),
    ("planetscale", "pscale_pw_[A-Za-z0-9_.-]{32,}", &["pscale_pw_"]),
    ("private-key", "-----BEGIN [A-Z ]*PRIVATE KEY-----", &["-----BEGIN "]),
    ("pypi", "pypi-AgE[A-Za-z0-9_-]{50,}", &["pypi-AgE"]),
    ("sendgrid", r"SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{30,}", &["SG."]),
    ("sentry", "sntrys_[A-Za-z0-9+/=_-]{40,}", &["sntrys_"]),
    ("shopify", "shpat_[a-f0-9]{32,}", &["shpat_"]),
    (
        "slack",
        "xox[abprs]-[A-Za-z0-9-]{10,}",
        &["xoxa-", "xoxb-", "xoxp-", "xoxr-", "xoxs-"],
    ),
    (
        "slack-hook",
        r"hooks\.slack\.com/services/[A-Za-z0-9/]{20,}",
        &["hooks.slack.com/services/"],
    ),
    ("square", "sq0[a-z]{3}-[A-Za-z0-9_-]{22,}", &["sq0"]),
    (
        "stripe",
        "[sr]k_(?:live|test)_[A-Za-z0-9]{16,}",
        &["sk_live_", "sk_test_", "rk_live_", "rk_test_"],
    ),
    ("telegram", "[0-9]{8,}:AA[A-Za-z0-9_-]{32,}", &[":AA"]),
    ("twilio", "SK[0-9a-f]{32,}", &["SK"]),
    ("vault", r"hvs\.[A-Za-z0-9_-]{20,}", &["hvs."]),
];

/// The rules as our engine takes them.
pub fn sources() -> Vec<RuleSource> {
    RULES
        .iter()
        .map(|(id, pattern, _)| RuleSource {
            id: (*id).to_owned(),
            description: String::new(),
            why: String::new(),
            // Of this group everything counts; of the other one, placeholders don't.
            group: Group::Pii,
            pattern: (*pattern).to_owned(),
            begins: Begins::Anywhere,
            check: None,
            entropy: None,
            armour: false,
            examples: Vec::new(),
            counterexamples: Vec::new(),
        })
        .collect()
}

/// The place of a rule, by its id.
pub fn index(id: &str) -> usize {
    RULES.binary_search_by_key(&id, |(id, ..)| *id).unwrap()
}
