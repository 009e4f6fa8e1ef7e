//! Upgrades: a WebSocket handshake to a pod, or refused.
//!
//! 1. Whatever upstream would take for an upgrade is one here: an `Upgrade` header, or a `Connection` that merely contains
//!    the word.
//! 2. Only GET of pods/exec, pods/attach and pods/portforward may ask for one, with `Connection: Upgrade` and
//!    `Upgrade: websocket`.
//! 3. Of the subprotocols that are offered, those that are known are kept. Base64 variants, the unnamed protocol and SPDY
//!    inside a WebSocket are not.

use http::Method;

use super::attributes::Attributes;
use super::canonical::Upgrade;
use super::effect_table::{Subresource, subresource};
use super::headers::{Connection, Handshake, Headers, hostile, list};
use crate::refusal::Refusal;

const V5: &str = "v5.channel.k8s.io";
const V4: &str = "v4.channel.k8s.io";

impl Headers<'_> {
    /// The upgrade that is asked for, if one is, and may be.
    #[inline]
    pub(super) fn upgrade(
        &mut self,
        method: &Method,
        attributes: &Attributes,
    ) -> Result<Option<Box<Upgrade>>, Refusal> {
        match self.connection.take() {
            None => Ok(None),
            Some(connection) => self.upgrade_of(&connection, method, attributes),
        }
    }

    fn upgrade_of(
        &mut self,
        connection: &Connection<'_>,
        method: &Method,
        attributes: &Attributes,
    ) -> Result<Option<Box<Upgrade>>, Refusal> {
        if connection.asks_upgrade() {
            let upgrade = connection.upgrade(method, attributes)?;
            return Ok(Some(Box::new(upgrade)));
        }
        self.drop_handshake(&connection.handshake);
        Ok(None)
    }

    /// A handshake that nobody asked to begin.
    fn drop_handshake(&mut self, handshake: &Handshake<'_>) {
        let present = [
            ("sec-websocket-protocol", !handshake.protocols.is_empty()),
            ("sec-websocket-key", handshake.key.is_some()),
            ("sec-websocket-version", handshake.version.is_some()),
        ];
        for (name, _) in present.into_iter().filter(|(_, present)| *present) {
            self.drop(name);
        }
    }
}

impl Connection<'_> {
    /// Whether upstream would take the request for an upgrade: a `Connection` that merely contains the word is enough.
    fn asks_upgrade(&self) -> bool {
        self.upgrade.is_some()
            || self
                .lines
                .iter()
                .any(|line| line.to_ascii_lowercase().contains("upgrade"))
    }

    fn upgrade(&self, method: &Method, attributes: &Attributes) -> Result<Upgrade, Refusal> {
        let stream = subresource(attributes) == Some(Subresource::Stream);
        if !stream || *method != Method::GET {
            // kubectl tries SPDY when its WebSocket was refused, and shows only the answer to that.
            let (what, remedy) = if stream {
                let what = format!("pods/{} over SPDY or by {method}", attributes.subresource);
                (
                    what,
                    "use GET with a WebSocket handshake; if that was refused before, the audit log says why",
                )
            } else {
                let what = "an upgrade of something other than pods/exec, pods/attach or pods/portforward";
                (what.to_owned(), "watch and logs are plain requests without an upgrade")
            };
            return Err(hostile(&what).with_remedy(remedy));
        }
        let tokens: Vec<&str> = self.tokens().collect();
        let has = |word: &str| tokens.iter().any(|token| token.eq_ignore_ascii_case(word));
        let websocket = self
            .upgrade
            .is_some_and(|value| value.eq_ignore_ascii_case("websocket"));
        if !has("upgrade") || has("close") || !websocket {
            return Err(
                hostile("an upgrade other than `Connection: Upgrade` with `Upgrade: websocket`")
                    .with_remedy("use a WebSocket client; SPDY is not supported"),
            );
        }
        self.handshake.read(attributes)
    }
}

impl Handshake<'_> {
    fn read(&self, attributes: &Attributes) -> Result<Upgrade, Refusal> {
        if self.version != Some("13") {
            return Err(Refusal::malformed("the WebSocket version is not 13"));
        }
        let key = self
            .key
            .filter(|key| is_websocket_key(key))
            .ok_or_else(|| Refusal::malformed("Sec-WebSocket-Key is not the base64 of 16 bytes"))?;
        // Upstream picks an unnamed binary protocol if none is offered, and the newer one for port-forward is SPDY inside.
        let known: &[&'static str] = match attributes.subresource.as_str() {
            "portforward" => &[V4],
            _ => &[V5, V4],
        };
        let mut protocols = Vec::new();
        for offered in list(&self.protocols) {
            if let Some(protocol) = known.iter().find(|protocol| **protocol == offered)
                && !protocols.contains(protocol)
            {
                protocols.push(*protocol);
            }
        }
        if protocols.is_empty() {
            return Err(Refusal::malformed("no supported subprotocol in Sec-WebSocket-Protocol")
                .with_remedy(format!("offer {}", known.join(" or "))));
        }
        Ok(Upgrade {
            protocols,
            key: key.to_owned(),
        })
    }
}

fn is_websocket_key(key: &str) -> bool {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD
        .decode(key)
        .is_ok_and(|bytes| bytes.len() == 16)
}
