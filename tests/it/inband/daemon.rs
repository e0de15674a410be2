//! A stand-in for the daemon (registration only, over TLS) and one for pixiecore.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener};
use std::sync::{Arc, Mutex};

use halbox::api::proto::registration_service_server::{
    RegistrationService, RegistrationServiceServer,
};
use halbox::api::proto::{
    Credentials, LookupRequest, LookupResponse, RegisterRequest, RegisterResponse,
};
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::{Certificate, Identity, Server, ServerTlsConfig};
use tonic::{Request, Response, Status};

/// The token that is let in.
pub const TOKEN: &str = "hammer-token-1";

/// What the table has.
#[derive(Default)]
pub struct Table {
    /// Everything that was registered.
    pub registered: Vec<RegisterRequest>,
    /// How often a machine was looked up.
    pub lookups: usize,
    /// The daemon's login with the registered credentials fails.
    pub refused: bool,
}

/// A daemon that ends with the test.
pub struct Daemon {
    pub port: u16,
    pub table: Arc<Mutex<Table>>,
    /// What signed its certificate, and a client's certificate and key.
    pub ca: String,
    pub cert: String,
    pub key: String,
    _runtime: tokio::runtime::Runtime,
}

struct Service(Arc<Mutex<Table>>);

impl Service {
    /// A certificate of ours (the handshake has checked it), or the token.
    fn let_in<T>(request: &Request<T>) -> Result<(), Status> {
        let bearer = format!("Bearer {TOKEN}");
        let token = request
            .metadata()
            .get("authorization")
            .is_some_and(|v| v == bearer.as_str());
        if token || request.peer_certs().is_some_and(|c| !c.is_empty()) {
            return Ok(());
        }
        Err(Status::unauthenticated(
            "a token or a certificate is needed",
        ))
    }
}

#[tonic::async_trait]
impl RegistrationService for Service {
    async fn lookup(
        &self,
        request: Request<LookupRequest>,
    ) -> Result<Response<LookupResponse>, Status> {
        Self::let_in(&request)?;
        let mut table = self.0.lock().unwrap();
        table.lookups += 1;
        let id = &request.get_ref().machine_id;
        let row = table.registered.iter().rev().find(|r| r.machine_id == *id);
        let mut answer = LookupResponse {
            mac: row.map(|r| r.mac.clone()),
            related: row.is_some(),
            credentials: 0,
            ipmi_user: row.and_then(|r| r.ipmi_user.clone()),
        };
        answer.set_credentials(match row {
            Some(row) if row.ipmi_password.is_some() && table.refused => Credentials::Failed,
            Some(row) if row.ipmi_password.is_some() => Credentials::Ok,
            _ => Credentials::None,
        });
        Ok(Response::new(answer))
    }

    async fn register(
        &self,
        request: Request<RegisterRequest>,
    ) -> Result<Response<RegisterResponse>, Status> {
        Self::let_in(&request)?;
        let message = request.into_inner();
        let answer = RegisterResponse {
            mac: message.mac.clone(),
            taken: message.ipmi_password.is_some(),
            verified: false,
        };
        self.0.lock().unwrap().registered.push(message);
        Ok(Response::new(answer))
    }
}

impl Daemon {
    /// On a port of loopback; its certificate is for the address at which the VM sees it.
    pub fn start() -> Self {
        let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let ca_key = rcgen::KeyPair::generate().unwrap();
        let ca = rcgen::CertifiedIssuer::self_signed(params, ca_key).unwrap();
        let signed = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(ToString::to_string).collect();
            let key = rcgen::KeyPair::generate().unwrap();
            let params = rcgen::CertificateParams::new(names).unwrap();
            (
                params.signed_by(&key, &ca).unwrap().pem(),
                key.serialize_pem(),
            )
        };
        let (server_cert, server_key) = signed(&["10.0.2.100", "127.0.0.1"]);
        let (cert, key) = signed(&["machine"]);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let table = Arc::new(Mutex::new(Table::default()));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let port = listener.local_addr().unwrap().port();
        let tls = ServerTlsConfig::new()
            .identity(Identity::from_pem(server_cert, server_key))
            .client_ca_root(Certificate::from_pem(ca.pem()))
            .client_auth_optional(true);
        let service = RegistrationServiceServer::new(Service(Arc::clone(&table)));
        runtime.spawn(async move {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            let server = Server::builder()
                .tls_config(tls)
                .unwrap()
                .add_service(service);
            server
                .serve_with_incoming(TcpListenerStream::new(listener))
                .await
                .unwrap();
        });
        Self {
            port,
            table,
            ca: ca.pem(),
            cert,
            key,
            _runtime: runtime,
        }
    }

    /// Lines of a script that put the certificates into the VM.
    pub fn files(&self) -> String {
        let file = |name: &str, text: &str| format!("cat >/tmp/{name} <<'END'\n{text}END\n");
        file("ca", &self.ca) + &file("cert", &self.cert) + &file("key", &self.key)
    }

    /// The options that name it, with a certificate.
    pub fn options(&self) -> String {
        format!(
            "--server https://10.0.2.100:{} --ca /tmp/ca --cert /tmp/cert --key /tmp/key",
            self.port
        )
    }
}

/// Serves metal-hammer's configuration, naming `daemon`; ends with the test process.
pub fn pixie(daemon: &Daemon) -> u16 {
    let document = serde_json::json!({
        "debug": false, "address": "unused:50051", "ca_cert": daemon.ca, "cert": "", "key": "",
        "halbox": {"server": format!("https://10.0.2.100:{}", daemon.port), "token": TOKEN},
    })
    .to_string();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut asked = Vec::new();
            let mut chunk = [0; 512];
            while !asked.windows(4).any(|w| w == b"\r\n\r\n") {
                match stream.read(&mut chunk) {
                    Ok(n) if n > 0 => asked.extend_from_slice(&chunk[..n]),
                    _ => break,
                }
            }
            let found = asked.starts_with(b"GET /certs HTTP/1.1\r\n");
            let status = if found { "200 OK" } else { "404 Not Found" };
            let _ = write!(
                stream,
                "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{document}",
                document.len()
            );
        }
    });
    port
}
