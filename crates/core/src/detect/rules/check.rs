//! What a match has to pass besides its pattern.

use std::ops::Range;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use memchr::{memchr, memmem};
use serde::Deserialize;

/// A test that a regular expression can't make.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Check {
    /// Digits and letters both.
    Mixed,
    /// Digits, upper-case and lower-case letters.
    MixedCase,
    /// The first part of a JSON Web Token is a JSON object in base64.
    Jwt,
    /// Base64 of a private key in armour: certificates begin alike.
    #[serde(rename = "base64-private-key")]
    Base64PrivateKey,
    /// Base64 of `user:password`.
    #[serde(rename = "base64-user-password")]
    Base64UserPassword,
    /// The token with which a node joins a cluster, and not a name of the same length.
    BootstrapToken,
    /// The number of a payment card: length and first digits of a network, and the check digit.
    Luhn,
    /// An international bank account number: length of its country, and the check digits.
    Iban,
    /// An e-mail address; those of documentation (`example.com`) are none.
    Email,
}

const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT);

impl Check {
    /// The part of a match that passes; none if it does not.
    pub(super) fn pass(self, text: &[u8], range: Range<usize>) -> Option<Range<usize>> {
        let secret = text.get(range.clone())?;
        let has = |is: fn(&u8) -> bool| secret.iter().any(is);
        let shortened = |length: usize| range.start..range.start + length;
        match self {
            Self::Mixed => (has(u8::is_ascii_digit) && has(u8::is_ascii_alphabetic)).then_some(range),
            Self::MixedCase => {
                (has(u8::is_ascii_digit) && has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase)).then_some(range)
            }
            Self::Jwt => jwt(secret).map(shortened),
            Self::Base64PrivateKey => {
                let head = secret.get(..secret.len().min(96) & !3)?;
                let decoded = STANDARD.decode(head).or_else(|_| URL_SAFE.decode(head)).ok()?;
                let private = [&b"PRIVATE KEY"[..], b"OpenVPN Static key"];
                private
                    .iter()
                    .any(|name| memmem::find(&decoded, name).is_some())
                    .then_some(range)
            }
            Self::Base64UserPassword => {
                let decoded = STANDARD.decode(secret).or_else(|_| URL_SAFE.decode(secret)).ok()?;
                let (user, password) = decoded.split_at_checked(memchr(b':', &decoded)?)?;
                let printable = std::str::from_utf8(&decoded).is_ok_and(|text| !text.chars().any(char::is_control));
                (!user.is_empty() && password.len() > 1 && printable).then_some(range)
            }
            Self::BootstrapToken => is_bootstrap_token(text, &range).then_some(range),
            Self::Luhn => card(secret).map(shortened),
            Self::Iban => iban(secret).map(shortened),
            Self::Email => email(secret).map(shortened),
        }
    }
}

/// Names of events end in sixteen hexadecimal digits too: of a time in nanoseconds, which begins with these.
const TIMES: std::ops::RangeInclusive<&[u8]> = b"14"..=b"1b";

fn is_bootstrap_token(text: &[u8], range: &Range<usize>) -> bool {
    let part_of_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_./@".contains(byte);
    let before = text.get(..range.start).and_then(<[u8]>::last);
    let mut after = text.get(range.end..).unwrap_or_default().iter();
    let goes_on = match after.next() {
        Some(b'.') => after.next().is_some_and(u8::is_ascii_alphanumeric),
        next => next.is_some_and(part_of_name),
    };
    let secret = text.get(range.clone()).unwrap_or_default().get(7..).unwrap_or_default();
    let is_time = secret.iter().all(u8::is_ascii_hexdigit) && secret.get(..2).is_some_and(|head| TIMES.contains(&head));
    let digits = secret.iter().filter(|byte| byte.is_ascii_digit()).count();
    !before.is_some_and(part_of_name) && !goes_on && !is_time && digits >= 2 && secret.len() - digits >= 3
}

/// The length of a token without the full stops that end a sentence.
fn jwt(secret: &[u8]) -> Option<usize> {
    let length = secret.len() - secret.iter().rev().take_while(|byte| **byte == b'.').count();
    let head = secret.get(..memchr(b'.', secret)?)?;
    let has_payload = length > head.len() + 4;
    // Its start is enough: long ones would cost more than they tell.
    let head = head.get(..head.len().min(64) & !3)?;
    let decoded = URL_SAFE.decode(head).ok()?;
    let mut quoted = decoded.iter().skip(1).skip_while(|byte| byte.is_ascii_whitespace());
    (has_payload && decoded.first() == Some(&b'{') && quoted.next() == Some(&b'"')).then_some(length)
}

/// The length of the card number at the start: digits with at most one separator between any two.
fn card(secret: &[u8]) -> Option<usize> {
    let mut digits: Vec<u8> = Vec::with_capacity(19);
    let mut longest = None;
    let mut separator = None;
    for (at, byte) in secret.iter().enumerate() {
        if byte.is_ascii_digit() {
            digits.push(byte - b'0');
            let over = secret.get(at + 1).is_none_or(|next| !next.is_ascii_digit());
            if over && is_card(&digits) {
                longest = Some(at + 1);
            }
        } else {
            let doubled = secret.get(at + 1).is_none_or(|next| !next.is_ascii_digit());
            if doubled || *separator.get_or_insert(*byte) != *byte {
                break;
            }
        }
    }
    longest
}

fn is_card(digits: &[u8]) -> bool {
    let first = |count: usize| {
        digits
            .iter()
            .take(count)
            .fold(0, |sum, digit| sum * 10 + u32::from(*digit))
    };
    let length = digits.len();
    let network = match (first(2), first(4)) {
        (40..=49, _) => [13, 16, 19].contains(&length),
        (51..=55, _) | (_, 2221..=2720) => length == 16,
        (34 | 37, _) => length == 15,
        (36 | 38, _) | (_, 3000..=3059) => length == 14,
        (35 | 65, _) | (_, 6011 | 6440..=6499) => length == 16,
        (62, _) => (16..=19).contains(&length),
        _ => false,
    };
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(index, digit)| match (index % 2, u32::from(*digit)) {
            (0, digit) => digit,
            (_, digit @ 5..) => digit * 2 - 9,
            (_, digit) => digit * 2,
        })
        .sum();
    network && sum.is_multiple_of(10) && digits.iter().any(|digit| Some(digit) != digits.first())
}

/// Lengths of the countries' account numbers.
const IBANS: [(&[u8; 2], usize); 78] = [
    (b"AD", 24),
    (b"AE", 23),
    (b"AL", 28),
    (b"AT", 20),
    (b"AZ", 28),
    (b"BA", 20),
    (b"BE", 16),
    (b"BG", 22),
    (b"BH", 22),
    (b"BR", 29),
    (b"BY", 28),
    (b"CH", 21),
    (b"CR", 22),
    (b"CY", 28),
    (b"CZ", 24),
    (b"DE", 22),
    (b"DK", 18),
    (b"DO", 28),
    (b"EE", 20),
    (b"EG", 29),
    (b"ES", 24),
    (b"FI", 18),
    (b"FO", 18),
    (b"FR", 27),
    (b"GB", 22),
    (b"GE", 22),
    (b"GI", 23),
    (b"GL", 18),
    (b"GR", 27),
    (b"GT", 28),
    (b"HR", 21),
    (b"HU", 28),
    (b"IE", 22),
    (b"IL", 23),
    (b"IQ", 23),
    (b"IS", 26),
    (b"IT", 27),
    (b"JO", 30),
    (b"KW", 30),
    (b"KZ", 20),
    (b"LB", 28),
    (b"LC", 32),
    (b"LI", 21),
    (b"LT", 20),
    (b"LU", 20),
    (b"LV", 21),
    (b"LY", 25),
    (b"MC", 27),
    (b"MD", 24),
    (b"ME", 22),
    (b"MK", 19),
    (b"MR", 27),
    (b"MT", 31),
    (b"MU", 30),
    (b"NL", 18),
    (b"NO", 15),
    (b"PK", 24),
    (b"PL", 28),
    (b"PS", 29),
    (b"PT", 25),
    (b"QA", 29),
    (b"RO", 24),
    (b"RS", 22),
    (b"SA", 24),
    (b"SC", 31),
    (b"SD", 18),
    (b"SE", 24),
    (b"SI", 19),
    (b"SK", 24),
    (b"SM", 27),
    (b"ST", 25),
    (b"SV", 28),
    (b"TL", 23),
    (b"TN", 24),
    (b"TR", 26),
    (b"UA", 29),
    (b"VA", 22),
    (b"XK", 20),
];

/// The length of the account number at the start, with spaces or without.
fn iban(secret: &[u8]) -> Option<usize> {
    let (_, wanted) = IBANS.iter().find(|(country, _)| secret.starts_with(&country[..]))?;
    let mut number: Vec<u8> = Vec::with_capacity(*wanted);
    let mut length = 0;
    for (at, byte) in secret.iter().enumerate() {
        if *byte != b' ' {
            number.push(*byte);
        }
        if number.len() == *wanted {
            length = at + 1;
            break;
        }
    }
    let goes_on = secret.get(length).is_some_and(u8::is_ascii_alphanumeric);
    if number.len() != *wanted || goes_on {
        return None;
    }
    let (head, tail) = number.split_at_checked(4)?;
    let rest = tail.iter().chain(head).try_fold(0_u32, |rest, byte| match byte {
        b'0'..=b'9' => Some((rest * 10 + u32::from(byte - b'0')) % 97),
        b'A'..=b'Z' => Some((rest * 100 + u32::from(byte - b'A') + 10) % 97),
        _ => None,
    });
    (rest == Some(1)).then_some(length)
}

/// Domains that nobody receives mail under.
const NOBODY: [&str; 8] = [
    "example.com",
    "example.org",
    "example.net",
    ".example",
    ".invalid",
    ".localhost",
    ".local",
    ".test",
];

/// The length of the address, without what ends a sentence.
fn email(secret: &[u8]) -> Option<usize> {
    let length = secret.len() - secret.iter().rev().take_while(|byte| b".-".contains(byte)).count();
    let address = std::str::from_utf8(secret.get(..length)?).ok()?;
    let (user, domain) = address.split_once('@')?;
    let (_, last) = domain.rsplit_once('.')?;
    let is_domain = domain
        .split('.')
        .all(|label| !label.is_empty() && !label.starts_with('-') && !label.ends_with('-'));
    let is_user = !user.starts_with('.') && !user.ends_with('.');
    let is_last = last.len() >= 2 && last.bytes().all(|byte| byte.is_ascii_alphabetic());
    let is_nobody = NOBODY
        .iter()
        .any(|end| domain.len() >= end.len() && domain.to_ascii_lowercase().ends_with(end));
    (is_domain && is_user && is_last && !is_nobody).then_some(length)
}

/// Bits per character, as the characters are distributed.
pub(super) fn entropy(secret: &[u8]) -> f64 {
    let mut counts = [0_u32; 256];
    for byte in secret {
        if let Some(count) = counts.get_mut(usize::from(*byte)) {
            *count += 1;
        }
    }
    let total = secret.len().max(1) as f64;
    counts
        .iter()
        .filter(|count| **count > 0)
        .map(|count| {
            let share = f64::from(*count) / total;
            -share * share.log2()
        })
        .sum()
}

/// Whether a value only stands for one: `xxxxxxxxxxxx`, `your-key-here`.
pub(super) fn is_placeholder(secret: &[u8]) -> bool {
    /// How much of the end is looked at; the start is the format's.
    const END: usize = 16;
    /// Least different characters in it; half of what is shorter.
    const DIFFERENT: usize = 5;
    const WORDS: [&[u8]; 8] = [
        b"your",
        b"xxxx",
        b"redacted",
        b"placeholder",
        b"changeme",
        b"change-me",
        b"change_me",
        b"insert",
    ];
    let end = secret.get(secret.len().saturating_sub(END)..).unwrap_or_default();
    let mut seen = [false; 256];
    for byte in end {
        if let Some(seen) = seen.get_mut(usize::from(*byte)) {
            *seen = true;
        }
    }
    if seen.iter().filter(|seen| **seen).count() < DIFFERENT.min(end.len().div_ceil(2)) {
        return true;
    }
    // In what is longer the words come by chance.
    secret.len() <= 128 && {
        // By chance too, unless they begin a word.
        let is_in = |word: &[u8]| {
            memmem::find_iter(secret, word).any(|at| {
                let before = at.checked_sub(1).and_then(|before| secret.get(before));
                word.eq_ignore_ascii_case(b"xxxx") || !before.is_some_and(u8::is_ascii_alphanumeric)
            })
        };
        WORDS
            .iter()
            .any(|word| is_in(word) || is_in(&word.to_ascii_uppercase()))
    }
}
