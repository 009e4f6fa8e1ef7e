//! Where a name of a secret may be: the cheap look at every byte, after which few places are left to look at closely.

use std::ops::Range;
use std::sync::LazyLock;

use super::stems::Stems;

/// What every name of a secret has in it, in the three ways in which names are written.
pub(super) const STEMS: &[&str] = &[
    "pass",
    "- value:",
    "code=",
    "appid=",
    "IDENTIFIED BY",
    "dentified by",
    "Pass",
    "PASS",
    "pwd",
    "Pwd",
    "PWD",
    "ecret",
    "ECRET",
    "oken",
    "OKEN",
    "key",
    "Key",
    "KEY",
    "redential",
    "REDENTIAL",
    "creds",
    "uthoriz",
    "UTHORIZ",
    "auth",
    "Auth",
    "AUTH",
    "earer",
    "Basic",
    "EARER",
    "ookie",
    "OOKIE",
    "ession",
    "ESSION",
    "SESSID",
    "ignature",
    "IGNATURE",
    "onnectionS",
    "onnection_s",
    "ONNECTION_S",
    "connstr",
    "ubeconfig",
    "UBECONFIG",
    "ockerc",
    "OCKERC",
    "psk",
    "PSK",
    "sas",
    "SAS",
    "Sas",
    "sig=",
    "jwt",
    "JWT",
    "pin",
    "PIN",
    "Pin",
    "otp",
    "OTP",
    "nemonic",
    "NEMONIC",
    "hrase",
    "HRASE",
    "indpw",
    "INDPW",
    "indPW",
    "sid=",
    "erifier",
    "ice_code",
    "iceCode",
    "ootpw",
    "ootPW",
    "OOTPW",
    "_pw",
    "_PW",
    "PAT=",
    "cvv",
];

static ANCHORS: LazyLock<Stems> = LazyLock::new(|| Stems::new(STEMS.iter().copied()));

/// The next place where a name of a secret may be.
pub(super) fn next(text: &[u8], from: usize) -> Option<Range<usize>> {
    ANCHORS.next(text, from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_secrets_have_one() {
        for name in [
            "password",
            "DB_PWD",
            "clientSecret",
            "API_TOKEN",
            "x-api-key",
            "userPin",
            "Set-Cookie",
            "sig=",
            "credentials",
        ] {
            assert!(next(name.as_bytes(), 0).is_some(), "{name}");
        }
        assert_eq!(next(b"the quick brown fox", 0), None);
    }
}
