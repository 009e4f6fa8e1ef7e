//! Keys and certificates: the structure of real ones, filled with random numbers.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::marked::{base64_lines, mark};
use super::rng::Rng;

fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let mut out = vec![tag];
    match u8::try_from(length) {
        Ok(short) if short < 0x80 => out.push(short),
        Ok(one) => out.extend([0x81, one]),
        Err(_) => {
            out.push(0x82);
            out.extend(u16::try_from(length).expect("keys are short").to_be_bytes());
        }
    }
    out.extend(content);
    out
}

fn sequence(parts: &[Vec<u8>]) -> Vec<u8> {
    der(0x30, &parts.concat())
}

/// A positive number of so many bytes, the highest bit set.
fn integer(rng: &mut Rng, bytes: usize) -> Vec<u8> {
    let mut value = vec![0];
    value.extend(rng.bytes(bytes));
    value[1] |= 0x80;
    value[bytes] |= 1;
    der(2, &value)
}

fn small(value: u8) -> Vec<u8> {
    der(2, &[value])
}

const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1];
const SHA256_RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 11];
const EC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1];
const P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7];
const ED25519: &[u8] = &[0x2b, 0x65, 0x70];
const PBES2: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 5, 13];

fn algorithm(oid: &[u8]) -> Vec<u8> {
    sequence(&[der(6, oid), der(5, &[])])
}

fn rsa_private(rng: &mut Rng, bytes: usize) -> Vec<u8> {
    let exponent = der(2, &[1, 0, 1]);
    let mut parts = vec![small(0), integer(rng, bytes), exponent, integer(rng, bytes)];
    parts.extend((0..5).map(|_| integer(rng, bytes / 2)));
    sequence(&parts)
}

fn rsa_public(rng: &mut Rng, bytes: usize) -> Vec<u8> {
    sequence(&[integer(rng, bytes), der(2, &[1, 0, 1])])
}

fn bits(content: &[u8]) -> Vec<u8> {
    der(3, &[&[0], content].concat())
}

fn ec_private(rng: &mut Rng) -> Vec<u8> {
    let public = [&[4][..], &rng.bytes(64)].concat();
    sequence(&[
        small(1),
        der(4, &rng.bytes(32)),
        der(0xa0, &der(6, P256)),
        der(0xa1, &bits(&public)),
    ])
}

fn name(common: &str) -> Vec<u8> {
    let part = sequence(&[der(6, &[0x55, 4, 3]), der(12, common.as_bytes())]);
    sequence(&[der(0x31, &part)])
}

fn certificate(rng: &mut Rng) -> Vec<u8> {
    let validity = sequence(&[der(23, b"260101000000Z"), der(23, b"360101000000Z")]);
    let key = sequence(&[algorithm(RSA), bits(&rsa_public(rng, 128))]);
    let body = sequence(&[
        der(0xa0, &small(2)),
        integer(rng, 16),
        algorithm(SHA256_RSA),
        name("kubernetes"),
        validity,
        name("kube-apiserver"),
        key,
    ]);
    sequence(&[body, algorithm(SHA256_RSA), bits(&rng.bytes(128))])
}

fn block(label: &str, head: &str, body: &str) -> String {
    format!("-----BEGIN {label}-----\n{head}{body}\n-----END {label}-----")
}

fn ssh_string(content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len()).expect("keys are short");
    [&length.to_be_bytes()[..], content].concat()
}

fn openssh(rng: &mut Rng) -> Vec<u8> {
    let public = [ssh_string(b"ssh-ed25519"), ssh_string(&rng.bytes(32))].concat();
    let check = rng.bytes(4);
    let mut private = [
        &check[..],
        &check,
        &public,
        &ssh_string(&rng.bytes(64)),
        &ssh_string(b"deploy@ci"),
    ]
    .concat();
    private.extend((1..).take((8 - private.len() % 8) % 8).map(|byte: u8| byte));
    let none = ssh_string(b"none");
    let head = b"openssh-key-v1\0";
    let parts = [&head[..], &none, &none, &ssh_string(b""), &1_u32.to_be_bytes()];
    [&parts.concat()[..], &ssh_string(&public), &ssh_string(&private)].concat()
}

/// A private key, its lines marked.
pub(crate) fn private(rng: &mut Rng, kind: &str) -> String {
    let lines = |bytes: &[u8]| base64_lines(bytes, 64, true);
    match kind {
        "rsa" => {
            let bytes = [64, 128, 256][rng.between(0, 3)];
            block("RSA PRIVATE KEY", "", &lines(&rsa_private(rng, bytes)))
        }
        "rsa-encrypted" => {
            let head = format!(
                "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,{}\n\n",
                rng.chars("0123456789ABCDEF", 32)
            );
            block("RSA PRIVATE KEY", &head, &lines(&rng.bytes(320)))
        }
        "pkcs8" => {
            let key = sequence(&[small(0), algorithm(RSA), der(4, &rsa_private(rng, 128))]);
            block("PRIVATE KEY", "", &lines(&key))
        }
        "ed25519" => {
            let key = sequence(&[small(0), sequence(&[der(6, ED25519)]), der(4, &der(4, &rng.bytes(32)))]);
            block("PRIVATE KEY", "", &lines(&key))
        }
        "pkcs8-encrypted" => {
            let how = sequence(&[der(6, PBES2), sequence(&[der(4, &rng.bytes(16))])]);
            block(
                "ENCRYPTED PRIVATE KEY",
                "",
                &lines(&sequence(&[how, der(4, &rng.bytes(320))])),
            )
        }
        "ec" => block("EC PRIVATE KEY", "", &lines(&ec_private(rng))),
        "openssh" => block("OPENSSH PRIVATE KEY", "", &base64_lines(&openssh(rng), 70, true)),
        "dsa" => {
            let parts = [
                small(0),
                integer(rng, 64),
                integer(rng, 20),
                integer(rng, 64),
                integer(rng, 20),
            ];
            block("DSA PRIVATE KEY", "", &lines(&sequence(&parts)))
        }
        "pgp" => {
            let bytes = [&[0x95, 0x01, 0xd8, 4][..], &rng.bytes(300)].concat();
            let body = format!("{}\n={}", lines(&bytes), STANDARD.encode(rng.bytes(3)));
            block("PGP PRIVATE KEY BLOCK", "\n", &body)
        }
        "putty" => format!(
            "PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\nComment: deploy\nPublic-Lines: 2\n{}\nPrivate-Lines: \
             1\n{}\nPrivate-MAC: {}",
            base64_lines(
                &[ssh_string(b"ssh-ed25519"), ssh_string(&rng.bytes(32))].concat(),
                64,
                false
            ),
            lines(&rng.bytes(36)),
            mark(&hex::encode(rng.bytes(32)))
        ),
        other => panic!("no such kind of key: {other}"),
    }
}

/// All kinds of private keys.
pub(crate) const PRIVATE: &[&str] = &[
    "rsa",
    "rsa-encrypted",
    "pkcs8",
    "ed25519",
    "pkcs8-encrypted",
    "ec",
    "openssh",
    "dsa",
    "pgp",
    "putty",
];

/// What looks like a private key, and anybody may have.
pub(crate) fn public(rng: &mut Rng, kind: &str) -> String {
    let lines = |bytes: &[u8]| base64_lines(bytes, 64, false);
    match kind {
        "certificate" => block("CERTIFICATE", "", &lines(&certificate(rng))),
        "rsa" => block("RSA PUBLIC KEY", "", &lines(&rsa_public(rng, 256))),
        "public" => block(
            "PUBLIC KEY",
            "",
            &lines(&sequence(&[algorithm(RSA), bits(&rsa_public(rng, 256))])),
        ),
        "request" => {
            let body = sequence(&[small(0), name("system:node:worker-1"), rsa_public(rng, 128)]);
            let request = sequence(&[body, algorithm(SHA256_RSA), bits(&rng.bytes(128))]);
            block("CERTIFICATE REQUEST", "", &lines(&request))
        }
        "crl" => block(
            "X509 CRL",
            "",
            &lines(&sequence(&[algorithm(SHA256_RSA), bits(&rng.bytes(128))])),
        ),
        "dh" => block("DH PARAMETERS", "", &lines(&sequence(&[integer(rng, 256), small(2)]))),
        "ec-parameters" => block("EC PARAMETERS", "", &lines(&der(6, P256))),
        "ec" => {
            let algorithm = sequence(&[der(6, EC), der(6, P256)]);
            let point = [&[4][..], &rng.bytes(64)].concat();
            block("PUBLIC KEY", "", &lines(&sequence(&[algorithm, bits(&point)])))
        }
        "pgp" => {
            let bytes = [&[0x99, 0x01, 0x0d, 4][..], &rng.bytes(270)].concat();
            let body = format!("{}\n={}", lines(&bytes), STANDARD.encode(rng.bytes(3)));
            block("PGP PUBLIC KEY BLOCK", "\n", &body)
        }
        "pgp-signature" => {
            let body = format!("{}\n={}", lines(&rng.bytes(180)), STANDARD.encode(rng.bytes(3)));
            block("PGP SIGNATURE", "\n", &body)
        }
        "pgp-message" => {
            let body = format!("{}\n={}", lines(&rng.bytes(180)), STANDARD.encode(rng.bytes(3)));
            block("PGP MESSAGE", "\n", &body)
        }
        "age" => {
            let bytes = [b"age-encryption.org/v1\n-> X25519 ".as_slice(), &rng.bytes(160)].concat();
            block("AGE ENCRYPTED FILE", "", &lines(&bytes))
        }
        other => panic!("no such kind of public text: {other}"),
    }
}

/// A public key of SSH, without a comment.
pub(crate) fn ssh_public(rng: &mut Rng) -> String {
    if rng.between(0, 2) == 0 {
        let key = [ssh_string(b"ssh-ed25519"), ssh_string(&rng.bytes(32))].concat();
        return format!("ssh-ed25519 {}", STANDARD.encode(key));
    }
    let mut modulus = rng.bytes(257);
    modulus[0] = 0;
    let key = [ssh_string(b"ssh-rsa"), ssh_string(&[1, 0, 1]), ssh_string(&modulus)].concat();
    format!("ssh-rsa {}", STANDARD.encode(key))
}

/// A certificate as it stands in `certificate-authority-data` and `caBundle`.
pub(crate) fn encoded_certificate(rng: &mut Rng) -> String {
    STANDARD.encode(public(rng, "certificate") + "\n")
}
