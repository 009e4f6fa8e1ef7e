//! A small kubelet: it runs the pods of one node and answers what the API server asks of a kubelet.
//!
//! - [`pods`]: watches the pods that are bound to [`NODE`], runs them, writes their status, finishes their deletion.
//! - `GET /containerLogs/{namespace}/{pod}/{container}`: [`logs`].
//! - `/exec/…` and `/attach/…` as a WebSocket: [`streams`].
//! - `/portForward/{namespace}/{pod}` as a WebSocket: [`port_forward`].
//!
//! It talks TLS, to clients with a certificate of the fixture's authority only: whoever else is on this machine can't
//! execute anything through it.

mod container;
mod logs;
mod pods;
mod port_forward;
mod process;
mod query;
mod streams;
mod terminal;
mod websocket;

use std::net::Ipv4Addr;
use std::sync::Arc;

use http::{Request, Response, StatusCode};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use k8s_openapi::api::core::v1::Node;
use kube::api::{Api, Patch, PatchParams, PostParams};
use kube::{Client, Config};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use self::pods::Pods;
use self::query::Query;
use super::Error;
use super::identity::Endpoint;
use super::launch::Launcher;

/// The name of the one node: a pod runs when its `nodeName` says so.
pub const NODE: &str = "countersign-node";

type Body = BoxBody<Bytes, std::convert::Infallible>;

pub(super) struct Kubelet {
    pods: Pods,
}

impl Kubelet {
    /// Registers the node and goes on serving on the current runtime, until that ends.
    pub(super) async fn start(endpoint: &Endpoint, launcher: &Arc<Launcher>) -> Result<(), Error> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let port = listener.local_addr()?.port();
        let acceptor = TlsAcceptor::from(Arc::new(tls(endpoint)?));
        let config = endpoint.config("countersign-kubelet", Some("system:masters"))?;
        register(config.clone(), port).await.map_err(Error::broken)?;
        let client = Client::try_from(config).map_err(Error::broken)?;
        let kubelet = Arc::new(Self {
            pods: Pods::new(client, Arc::clone(launcher)),
        });
        tokio::spawn(kubelet.pods.clone().watch());
        tokio::spawn(async move {
            loop {
                // Out of descriptors, say: the next may fare better.
                let Ok((socket, _)) = listener.accept().await else {
                    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                    continue;
                };
                tokio::spawn(Arc::clone(&kubelet).connection(acceptor.clone(), socket));
            }
        });
        Ok(())
    }

    async fn connection(self: Arc<Self>, acceptor: TlsAcceptor, socket: TcpStream) {
        let _ = socket.set_nodelay(true);
        let Ok(stream) = acceptor.accept(socket).await else {
            return;
        };
        let service = service_fn(move |request| {
            let kubelet = Arc::clone(&self);
            async move { Ok::<_, std::convert::Infallible>(kubelet.answer(request)) }
        });
        let connection = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
        // A peer that goes away in the middle is its own affair.
        let _ = connection.with_upgrades().await;
    }

    fn answer(&self, mut request: Request<Incoming>) -> Response<Body> {
        let path = request.uri().path().trim_start_matches('/').to_owned();
        let query = Query::parse(request.uri().query().unwrap_or_default());
        let segments: Vec<_> = path.split('/').collect();
        match segments[..] {
            ["exec", namespace, pod, container] => match self.pods.container(namespace, pod, container) {
                Some(container) => streams::exec(&mut request, container, &query),
                None => gone(&path),
            },
            ["attach", namespace, pod, container] => match self.pods.container(namespace, pod, container) {
                Some(container) => streams::attach(&mut request, container, &query),
                None => gone(&path),
            },
            ["containerLogs", namespace, pod, container] => match self.pods.container(namespace, pod, container) {
                Some(container) => logs::answer(&container, &query),
                None => gone(&path),
            },
            ["portForward", namespace, pod] if self.pods.has(namespace, pod) => {
                port_forward::answer(&mut request, &query)
            }
            _ => gone(&path),
        }
    }
}

fn gone(path: &str) -> Response<Body> {
    text(StatusCode::NOT_FOUND, format!("nothing runs here under {path}\n"))
}

fn text(status: StatusCode, text: impl Into<Bytes>) -> Response<Body> {
    let mut response = Response::new(Full::new(text.into()).boxed());
    *response.status_mut() = status;
    response
}

fn tls(endpoint: &Endpoint) -> Result<ServerConfig, Error> {
    let pair = endpoint.ca().server("countersign-kubelet")?;
    let certificate = CertificateDer::from_pem_slice(pair.certificate.as_bytes()).map_err(Error::broken)?;
    let key = PrivateKeyDer::from_pem_slice(pair.key.as_bytes()).map_err(Error::broken)?;
    let mut roots = RootCertStore::empty();
    roots.add(endpoint.ca().der().clone()).map_err(Error::broken)?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
    ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(Error::broken)?
        .with_client_cert_verifier(verifier.build().map_err(Error::broken)?)
        .with_single_cert(vec![certificate], key)
        .map_err(Error::broken)
}

async fn register(config: Config, port: u16) -> Result<(), kube::Error> {
    let nodes: Api<Node> = Api::all(Client::try_from(config)?);
    let node = json!({"metadata": {"name": NODE, "labels": {
        "kubernetes.io/hostname": NODE, "kubernetes.io/os": "linux", "node-role.kubernetes.io/worker": "",
    }}});
    let node = serde_json::from_value(node).map_err(kube::Error::SerdeError)?;
    nodes.create(&PostParams::default(), &node).await?;
    let status = json!({"status": node_status(port)});
    nodes
        .patch_status(NODE, &PatchParams::default(), &Patch::Merge(status))
        .await?;
    Ok(())
}

fn node_status(port: u16) -> Value {
    let now = k8s_openapi::jiff::Timestamp::now().strftime("%FT%TZ").to_string();
    json!({
        // No hostname: the API server would prefer it, and look it up.
        "addresses": [{"type": "InternalIP", "address": "127.0.0.1"}],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": port}},
        // With it the API server passes WebSockets through; without, those of version 5 arrive as SPDY.
        "declaredFeatures": ["ExtendWebSocketsToKubelet"],
        "conditions": [{
            "type": "Ready", "status": "True", "reason": "KubeletReady", "message": "the fixture's kubelet is ready",
            "lastHeartbeatTime": now, "lastTransitionTime": now,
        }],
        "capacity": {"cpu": "8", "memory": "16Gi", "pods": "110"},
        "allocatable": {"cpu": "8", "memory": "16Gi", "pods": "110"},
        "nodeInfo": {
            "architecture": "amd64", "operatingSystem": "linux", "osImage": "countersign fixture", "kernelVersion": "",
            "kubeletVersion": "v1.36.0-countersign", "kubeProxyVersion": "", "containerRuntimeVersion": "fixture://1",
            "bootID": "", "machineID": "", "systemUUID": "",
        },
    })
}
