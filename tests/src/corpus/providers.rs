//! Tokens as their issuers write them, and numbers with check digits.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use flate2::Crc;

use super::rng::Rng;
use super::values::{ALNUM, DIGITS, HEX, LOWER};

/// Name and form. `{a36}`: 36 letters and digits; `l`: lower case ones and digits; `x`: lower case letters; `u`: upper
/// case ones and digits; `h` `H`: hex; `q`: bech32; `d`: digits; `w`: base64 for URLs; `b`: base64; `3`: base32; `U`: a UUID;
/// `C`: letters and digits of which the last six are their checksum.
#[rustfmt::skip]
pub(crate) const TOKENS: &[(&str, &str)] = &[
    ("github-personal", "ghp_{C36}"), ("github-oauth", "gho_{C36}"), ("github-app-user", "ghu_{C36}"),
    ("github-app-server", "ghs_{C36}"), ("github-refresh", "ghr_{C36}"), ("github-fine-grained", "github_pat_{u1}1{a20}_{a59}"),
    ("gitlab-personal", "glpat-{w20}"), ("gitlab-deploy", "gldt-{w20}"), ("gitlab-runner", "glrt-{w20}"),
    ("gitlab-pipeline-trigger", "glptt-{h40}"), ("gitlab-ci-job", "glcbt-1a_{w20}"), ("gitlab-feed", "glft-{w20}"),
    ("gitlab-agent", "glagent-{w50}"), ("gitlab-scim", "glsoat-{w20}"), ("gitlab-routable", "glpat-{w27}.01.{l9}"),
    ("slack-bot", "xoxb-{d12}-{d13}-{a24}"), ("slack-user", "xoxp-{d12}-{d12}-{d13}-{h32}"),
    ("slack-app", "xapp-1-A{u10}-{d13}-{h64}"), ("slack-rotating", "xoxe.xoxb-1-{a163}"),
    ("slack-refresh", "xoxe-1-{a146}"),
    ("aws-access-key", "AKIA{3_16}"), ("aws-temporary-key", "ASIA{3_16}"), ("aws-bedrock", "ABSKQmVkcm9ja0FQSUtleS{b109}="),
    ("google-api-key", "AIzaSy{w33}"), ("google-oauth-secret", "GOCSPX-{w28}"), ("google-access-token", "ya29.a0{w160}"),
    ("azure-client-secret", "{a3}8Q~{w34}"),
    ("anthropic", "sk-ant-api03-{w93}AA"), ("anthropic-admin", "sk-ant-admin01-{w93}AA"),
    ("openai", "sk-{a20}T3BlbkFJ{a20}"), ("openai-project", "sk-proj-{w74}T3BlbkFJ{w74}"),
    ("openai-service-account", "sk-svcacct-{w74}T3BlbkFJ{w74}"),
    ("huggingface", "hf_{x34}"), ("replicate", "r8_{a37}"), ("perplexity", "pplx-{a48}"), ("groq", "gsk_{a52}"),
    ("xai", "xai-{a80}"), ("openrouter", "sk-or-v1-{h64}"), ("langsmith", "lsv2_pt_{h32}_{h10}"),
    ("pinecone", "pcsk_{a5}_{a63}"), ("tavily", "tvly-dev-{a32}"), ("firecrawl", "fc-{h32}"),
    ("stripe-secret", "sk_live_{a24}"), ("stripe-secret-long", "sk_live_51{a97}"), ("stripe-test", "sk_test_51{a97}"),
    ("stripe-restricted", "rk_live_51{a97}"), ("stripe-webhook", "whsec_{a32}"),
    ("square-access", "EAAA{w60}"), ("square-secret", "sq0csp-{w43}"), ("square-token", "sq0atp-{w22}"),
    ("braintree", "access_token$production${l16}${h32}"), ("flutterwave", "FLWSECK_TEST-{h32}-X"),
    ("razorpay-live", "rzp_live_{a14}"), ("plaid", "access-production-{U}"), ("lob", "live_{h35}"),
    ("shopify-admin", "shpat_{h32}"), ("shopify-secret", "shpss_{h32}"), ("shopify-custom", "shpca_{h32}"),
    ("shippo", "shippo_live_{h40}"), ("easypost", "EZAK{a54}"), ("duffel", "duffel_live_{w43}"),
    ("sendgrid", "SG.{w22}.{w43}"), ("mailgun", "key-{h32}"), ("mailchimp", "{h32}-us14"),
    ("brevo", "xkeysib-{h64}-{a16}"), ("resend", "re_{a8}_{a24}"), ("twilio", "SK{h32}"),
    ("npm", "npm_{C36}"), ("pypi", "pypi-AgEIcHlwaS5vcmc{w160}"), ("rubygems", "rubygems_{h48}"), ("crates-io", "cio{a32}"),
    ("clojars", "CLOJARS_{h60}"), ("nuget", "oy2{l43}"), ("docker-hub", "dckr_pat_{w27}"), ("docker-organization", "dckr_oat_{w32}"),
    ("artifactory", "AKCp8{a68}"), ("artifactory-reference", "cmVmdGtuOj{a54}"),
    ("digitalocean", "dop_v1_{h64}"), ("digitalocean-oauth", "doo_v1_{h64}"), ("digitalocean-refresh", "dor_v1_{h64}"),
    ("heroku", "HRKU-AA{w58}"), ("netlify", "nfp_{a36}"), ("fly", "fm2_lJPECAAAAAAA{b120}"), ("render", "rnd_{a28}"),
    ("supabase", "sbp_{h40}"), ("planetscale", "pscale_tkn_{w43}"), ("planetscale-password", "pscale_pw_{w43}"),
    ("neon", "napi_{l64}"), ("alibaba", "LTAI{a20}"), ("cloudflare-origin-ca", "v1.0-{h24}-{h146}"),
    ("scaleway", "SCW{u17}"), ("scalingo", "tk-us-{w48}"), ("tailscale", "tskey-auth-k{a11}CNTRL-{a32}"),
    ("linear", "lin_api_{a40}"), ("notion", "ntn_{d11}{a35}"), ("notion-legacy", "secret_{a43}"),
    ("airtable", "pat{a14}.{h64}"), ("atlassian", "ATATT3xFfGF0{w171}={H8}"), ("bitbucket", "ATBB{a24}{H8}"),
    ("figma", "figd_{w40}"), ("dropbox", "sl.u.{w135}"), ("asana", "2/{d16}/{d16}:{h32}"), ("typeform", "tfp_{w44}_{w14}"),
    ("contentful", "CFPAT-{w43}"), ("hubspot", "pat-na1-{U}"), ("intercom", "dG9rO{b55}="), ("frameio", "fio-u-{w64}"),
    ("postman", "PMAK-{h24}-{h34}"), ("readme", "rdme_{l70}"), ("discord-bot", "MTE{a23}.G{w5}.{w38}"),
    ("telegram-bot", "{d10}:AA{w33}"), ("facebook", "EAACEdEose0cBA{a120}"), ("twitter-bearer", "AAAAAAAAAAAAAAAAAAAAA{a21}%3D{a50}"),
    ("databricks", "dapi{h32}"), ("new-relic", "NRAK-{u27}"), ("new-relic-insights", "NRII-{w32}"),
    ("grafana-service", "glsa_{a32}_{h8}"), ("grafana-cloud", "glc_eyJ{a100}"), ("sentry-user", "sntryu_{h64}"),
    ("sentry-organization", "sntrys_eyJ{a96}_{b43}"), ("dynatrace", "dt0c01.{u24}.{u64}"), ("sumologic", "su{a12}:{a64}"),
    ("sonarqube", "squ_{h40}"), ("sonarqube-project", "sqp_{h40}"), ("snyk", "snyk_uat.{h8}.{w160}"),
    ("launchdarkly", "sdk-{U}"), ("honeycomb", "hcaik_01{l56}"), ("axiom", "xaat-{U}"), ("better-stack", "bsk_{a40}"),
    ("vault-service", "hvs.CAESI{w90}"), ("vault-batch", "hvb.AAAAAQ{w130}"), ("vault-legacy", "s.{a24}"),
    ("terraform-cloud", "{a14}.atlasv1.{w67}"), ("pulumi", "pul-{h40}"), ("doppler", "dp.pt.{a43}"), ("doppler-service", "dp.st.prd.{a40}"),
    ("infracost", "ico-{a32}"), ("onepassword", "ops_eyJ{w250}"), ("age", "AGE-SECRET-KEY-1{q58}"),
    ("buildkite", "bkua_{h40}"), ("circleci", "CCIPAT_{a22}_{h40}"), ("harness", "pat.{w22}.{h24}.{a20}"),
    ("octopus-deploy", "API-{u26}"), ("prefect", "pnu_{l36}"), ("segment", "sgp_{a64}"), ("mapbox", "sk.eyJ{w88}.{w22}"),
    ("adafruit", "aio_{a28}"), ("openshift", "sha256~{w43}"), ("kubernetes-bootstrap", "{l6}.{l16}"),
    ("rancher", "token-{l5}:{l54}"), ("argo-workflows-jwt", "{J}"), ("yandex", "t1.9eu{w80}.{w86}"),
    ("yandex-api-key", "AQVN{w36}"), ("tencent", "AKID{a32}"), ("elevenlabs", "sk_{h48}"), ("wandb", "wandb_v1_{a77}"),
    ("settlemint", "sm_pat_{a16}"), ("sourcegraph", "sgp_{h16}_{h40}"), ("zuplo", "zpka_{h32}_{h8}"),
    ("weaviate-polar", "polar_oat_{a43}"), ("private-ai", "pskey_{a40}"), ("maxmind", "{a6}_{a29}_mmk"),
];

/// Those that tell nothing without their surroundings; they are met under a name only.
const PLAIN: &[&str] = &[
    "lob",
    "resend",
    "vault-legacy",
    "kubernetes-bootstrap",
    "sumologic",
    "weaviate-polar",
    "private-ai",
    "better-stack",
    "tencent",
    "scaleway",
    "twilio",
    "mailchimp",
    "intercom",
    "elevenlabs",
    "artifactory-reference",
    "rancher",
    "cloudflare-origin-ca",
    "nuget",
    "launchdarkly",
    "honeycomb",
    "zuplo",
    "asana",
    "razorpay-live",
    "render",
    "wandb",
    "facebook",
    "snyk",
    "fly",
];

/// Whether a token is known by its own form.
pub(crate) fn distinctive(name: &str) -> bool {
    !PLAIN.contains(&name)
}

/// One of the tokens that are known by their form.
pub(crate) fn any(rng: &mut Rng) -> String {
    loop {
        let (name, form) = TOKENS[rng.between(0, TOKENS.len())];
        if distinctive(name) {
            return token(rng, form);
        }
    }
}

/// A token of a form.
pub(crate) fn token(rng: &mut Rng, form: &str) -> String {
    let (mut out, mut rest) = (String::new(), form);
    while let Some((before, gap)) = rest.split_once('{') {
        let (gap, after) = gap.split_once('}').expect("a gap ends");
        out.push_str(before);
        out.push_str(&fill(rng, gap));
        rest = after;
    }
    out + rest
}

fn fill(rng: &mut Rng, gap: &str) -> String {
    if gap == "J" {
        return super::values::jwt(rng);
    }
    if gap == "U" {
        return super::values::value("uuid", rng);
    }
    let (class, length) = gap.split_at(1);
    let length: usize = length.trim_start_matches('_').parse().expect("a length");
    match class {
        "a" => rng.chars(ALNUM, length),
        "l" => rng.chars("abcdefghijklmnopqrstuvwxyz0123456789", length),
        "x" => rng.chars(&(LOWER.to_owned() + &LOWER.to_uppercase()), length),
        "u" => rng.chars("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", length),
        "q" => rng.chars("QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L", length),
        "h" => rng.chars(HEX, length),
        "H" => rng.chars(&HEX.to_uppercase(), length),
        "d" => rng.chars("123456789", 1) + &rng.chars(DIGITS, length - 1),
        "3" => rng.chars("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", length),
        // Ends in a letter or digit, so that it is clear where it ends.
        "w" => URL_SAFE_NO_PAD.encode(rng.bytes(length))[..length - 1].to_owned() + &rng.chars(ALNUM, 1),
        "b" => STANDARD.encode(rng.bytes(length))[..length - 1].to_owned() + &rng.chars(ALNUM, 1),
        "C" => checked(rng, length),
        other => panic!("no such class: {other}"),
    }
}

/// Letters and digits, the last six their CRC-32 in base 62: GitHub's and npm's tokens.
fn checked(rng: &mut Rng, length: usize) -> String {
    const BASE62: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let random = rng.chars(ALNUM, length - 6);
    let mut crc = Crc::new();
    crc.update(random.as_bytes());
    let (mut sum, mut digits) = (crc.sum() as usize, [b'0'; 6]);
    for digit in digits.iter_mut().rev() {
        *digit = BASE62[sum % 62];
        sum /= 62;
    }
    random + std::str::from_utf8(&digits).expect("base 62 is ASCII")
}

/// The number of a card, with the right check digit or a wrong one.
pub(crate) fn luhn(rng: &mut Rng, prefix: &str, length: usize, right: bool) -> String {
    let body = prefix.to_owned() + &rng.chars(DIGITS, length - prefix.len() - 1);
    let sum: u32 = body
        .bytes()
        .rev()
        .enumerate()
        .map(|(at, byte)| {
            let digit = u32::from(byte - b'0');
            match digit * 2 {
                _ if at % 2 == 1 => digit,
                double @ 10.. => double - 9,
                double => double,
            }
        })
        .sum();
    let check = (10 - sum % 10) % 10;
    format!("{body}{}", if right { check } else { (check + 3) % 10 })
}

/// A bank account of Germany, France, the United Kingdom or the Netherlands with its check digits (ISO 13616).
pub(crate) fn iban(rng: &mut Rng) -> String {
    let (country, account) = match rng.between(0, 4) {
        0 => ("DE", rng.chars(DIGITS, 18)),
        1 => ("FR", rng.chars(DIGITS, 23)),
        2 => ("GB", rng.chars("ABCDEFGHKLMNPRSTW", 4) + &rng.chars(DIGITS, 14)),
        _ => ("NL", rng.chars("ABCDEFGHKLMNPRSTW", 4) + &rng.chars(DIGITS, 10)),
    };
    let rest = format!("{account}{country}00").chars().fold(0, |rest, char| {
        let value = char.to_digit(36).expect("letters and digits");
        let shift = if value > 9 { 100 } else { 10 };
        (rest * shift + value) % 97
    });
    format!("{country}{:02}{account}", 98 - rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_digits_are_right() {
        let mut rng = Rng::named(1, "check digits");
        // GitHub's form: a known pair of text and checksum would be a real token, so only the form is checked.
        assert_eq!(checked(&mut rng, 36).len(), 36);
        for _ in 0..50 {
            let valid = |number: &str| {
                let digits = number.bytes().rev().map(|byte| u32::from(byte - b'0')).enumerate();
                digits
                    .map(|(at, d)| if at % 2 == 0 { d } else { d * 2 / 10 + d * 2 % 10 })
                    .sum::<u32>()
                    % 10
                    == 0
            };
            assert!(valid(&luhn(&mut rng, "4", 16, true)));
            assert!(!valid(&luhn(&mut rng, "4", 16, false)));
            let iban = iban(&mut rng);
            let digits: String = (iban[4..].to_owned() + &iban[..4])
                .chars()
                .map(|c| c.to_digit(36).unwrap().to_string())
                .collect();
            let rest = digits
                .bytes()
                .fold(0, |rest, byte| (rest * 10 + u32::from(byte - b'0')) % 97);
            assert_eq!(rest, 1, "{iban}");
        }
    }
}
