//! TLS in front of an emulator, as a service has it: HTTP/2 where the caller can, replies compressed where the caller
//! reads that. A test's own certificate; every connection is counted, and the version of every request.

use std::collections::BTreeSet;
use std::io::Write;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{Response, header};
use axum::serve::Listener;
use flate2::Compression;
use flate2::write::GzEncoder;
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// What came in.
#[derive(Default)]
pub(super) struct Seen {
    pub(super) connections: AtomicUsize,
    pub(super) requests: AtomicUsize,
    pub(super) compressed: AtomicUsize,
    versions: Mutex<BTreeSet<String>>,
}

/// A running front; it ends when dropped.
pub(super) struct Front {
    /// `https://localhost:<port>`.
    pub(super) url: String,
    pub(super) seen: Arc<Seen>,
    task: JoinHandle<()>,
}

#[derive(Clone)]
struct Behind {
    url: String,
    client: reqwest::Client,
    seen: Arc<Seen>,
}

struct Tls {
    listener: TcpListener,
    acceptor: TlsAcceptor,
    seen: Arc<Seen>,
}

impl Front {
    /// In front of an emulator's address, with these protocols in the handshake; its certificate goes to a file.
    pub(super) async fn start(behind: &str, protocols: &[&str], certificate: &Path) -> Front {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        std::fs::write(certificate, made.cert.pem()).unwrap();
        let key = PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
        let _installed = rustls::crypto::ring::default_provider().install_default();
        let mut config = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .unwrap();
        config.alpn_protocols = protocols.iter().map(|p| p.as_bytes().to_vec()).collect();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://localhost:{}", listener.local_addr().unwrap().port());
        let seen = Arc::<Seen>::default();
        let tls = Tls {
            listener,
            acceptor: TlsAcceptor::from(Arc::new(config)),
            seen: seen.clone(),
        };
        let state = Behind {
            url: behind.to_owned(),
            client: reqwest::Client::builder().no_proxy().build().unwrap(),
            seen: seen.clone(),
        };
        let service = Router::new().fallback(pass_on).with_state(state);
        let task = tokio::spawn(async move { axum::serve(tls, service).await.unwrap() });
        Front { url, seen, task }
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Seen {
    pub(super) fn versions(&self) -> Vec<String> {
        self.versions.lock().unwrap().iter().cloned().collect()
    }

    pub(super) fn count(counter: &AtomicUsize) -> usize {
        counter.load(Ordering::Relaxed)
    }
}

impl Listener for Tls {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, SocketAddr) {
        loop {
            let (socket, address) = self.listener.accept().await.unwrap();
            self.seen.connections.fetch_add(1, Ordering::Relaxed);
            // A caller that gives up during the handshake is none.
            if let Ok(stream) = self.acceptor.accept(socket).await {
                return (stream, address);
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

async fn pass_on(State(behind): State<Behind>, request: Request) -> Response<Body> {
    let seen = &behind.seen;
    seen.requests.fetch_add(1, Ordering::Relaxed);
    seen.versions
        .lock()
        .unwrap()
        .insert(format!("{:?}", request.version()));
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap();
    let mut passed = behind
        .client
        .request(
            parts.method,
            format!("{}{}", behind.url, parts.uri.path_and_query().unwrap()),
        )
        .body(body);
    for name in [header::AUTHORIZATION, header::CONTENT_TYPE] {
        if let Some(value) = parts.headers.get(&name) {
            passed = passed.header(name, value);
        }
    }
    let reply = passed.send().await.unwrap();
    let mut response = Response::builder().status(reply.status());
    let compressed = parts
        .headers
        .get(header::ACCEPT_ENCODING)
        .is_some_and(|accepted| accepted.to_str().unwrap().contains("gzip"));
    let mut bytes = reply.bytes().await.unwrap().to_vec();
    if compressed {
        seen.compressed.fetch_add(1, Ordering::Relaxed);
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(&bytes).unwrap();
        bytes = encoder.finish().unwrap();
        response = response.header(header::CONTENT_ENCODING, "gzip");
    }
    response.body(Body::from(bytes)).unwrap()
}
