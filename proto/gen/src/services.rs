//! Services and clients as tonic's generator would name them, but every call goes through the few functions of
//! `src/api/wire`, which work on encoded messages. Code that is made anew for each method and type is what made the
//! binary large.

use std::fmt::Write;

use prost_build::{Method, Service, ServiceGenerator};

/// Writes one service: trait, server, client.
pub struct Services;

impl ServiceGenerator for Services {
    fn generate(&mut self, service: Service, buf: &mut String) {
        // Writing into a String cannot fail.
        let _ = server(&service, buf);
        let _ = client(&service, buf);
    }
}

/// A type as it is named from inside the module of a service.
fn path(of: &str) -> String {
    if of.starts_with("::") || of == "()" {
        of.to_owned()
    } else {
        format!("super::{of}")
    }
}

fn snake(name: &str) -> String {
    let mut out = String::new();
    for (at, c) in name.char_indices() {
        if c.is_uppercase() && at > 0 {
            out.push('_');
        }
        out.extend(c.to_lowercase());
    }
    out
}

fn comments(of: &prost_build::Comments, buf: &mut String) -> std::fmt::Result {
    of.leading.iter().try_for_each(|line| writeln!(buf, "///{line}"))
}

/// What a method takes and gives, as the trait of the server says it.
fn signature(method: &Method) -> (String, String) {
    let request = match method.client_streaming {
        true => format!("tonic::Streaming<{}>", path(&method.input_type)),
        false => path(&method.input_type),
    };
    let response = match method.server_streaming {
        true => format!("Self::{}Stream", method.proto_name),
        false => path(&method.output_type),
    };
    (request, response)
}

fn server(service: &Service, buf: &mut String) -> std::fmt::Result {
    let name = &service.name;
    let full = format!("{}.{}", service.package, service.proto_name);
    writeln!(buf, "/// Generated server implementations.\npub mod {}_server {{", snake(name))?;
    writeln!(buf, "use crate::api::wire;\nuse std::sync::Arc;\nuse std::task::{{Context, Poll}};")?;
    comments(&service.comments, buf)?;
    writeln!(buf, "#[tonic::async_trait]\npub trait {name}: Send + Sync + 'static {{")?;
    for method in &service.methods {
        if method.server_streaming {
            let (stream, item) = (&method.proto_name, path(&method.output_type));
            writeln!(
                buf,
                "/// Responses of {stream}.\ntype {stream}Stream: tokio_stream::Stream<Item = Result<{item}, tonic::Status>> + Send + 'static;"
            )?;
        }
        comments(&method.comments, buf)?;
        let (request, response) = signature(method);
        writeln!(
            buf,
            "async fn {}(&self, request: tonic::Request<{request}>) -> Result<tonic::Response<{response}>, tonic::Status>;",
            method.name
        )?;
    }
    writeln!(buf, "}}")?;
    writeln!(
        buf,
        "#[derive(Debug)]
        pub struct {name}Server<T> {{ inner: Arc<T>, limit: Option<usize> }}
        impl<T> {name}Server<T> {{
            pub fn new(inner: T) -> Self {{ Self {{ inner: Arc::new(inner), limit: None }} }}
            /// Largest request, in bytes [default: 4 MiB].
            #[must_use]
            pub fn max_decoding_message_size(mut self, limit: usize) -> Self {{ self.limit = Some(limit); self }}
        }}
        impl<T> Clone for {name}Server<T> {{
            fn clone(&self) -> Self {{ Self {{ inner: Arc::clone(&self.inner), limit: self.limit }} }}
        }}
        impl<T> tonic::server::NamedService for {name}Server<T> {{
            const NAME: &'static str = \"{full}\";
        }}
        impl<T: {name}> wire::Service<wire::HttpRequest> for {name}Server<T> {{
            type Response = wire::HttpResponse;
            type Error = std::convert::Infallible;
            type Future = wire::Answer;
            fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {{ Poll::Ready(Ok(())) }}
            fn call(&mut self, request: wire::HttpRequest) -> Self::Future {{
                let inner = Arc::clone(&self.inner);
                match request.uri().path() {{"
    )?;
    for method in &service.methods {
        let call = &method.name;
        writeln!(buf, "\"/{full}/{}\" =>", method.proto_name)?;
        match (method.client_streaming, method.server_streaming) {
            (false, false) => writeln!(
                buf,
                "wire::unary(request, self.limit, Box::new(move |message| Box::pin(async move {{
                    wire::encode(inner.{call}(wire::decode(message)?).await?)
                }}))),"
            )?,
            (false, true) => writeln!(
                buf,
                "wire::streaming(request, self.limit, Box::new(move |message| Box::pin(async move {{
                    Ok(wire::encode_all(inner.{call}(wire::decode(message)?).await?))
                }}))),"
            )?,
            (true, _) => writeln!(
                buf,
                "wire::duplex(request, self.limit, move |messages| Box::pin(async move {{
                    inner.{call}(messages).await
                }})),"
            )?,
        }
    }
    writeln!(buf, "_ => wire::unknown(),\n}} }} }} }}")
}

fn client(service: &Service, buf: &mut String) -> std::fmt::Result {
    let name = &service.name;
    let full = format!("{}.{}", service.package, service.proto_name);
    writeln!(buf, "/// Generated client implementations.\npub mod {}_client {{", snake(name))?;
    writeln!(buf, "use crate::api::wire;")?;
    comments(&service.comments, buf)?;
    writeln!(
        buf,
        "#[derive(Debug, Clone)]
        pub struct {name}Client<T> {{ inner: tonic::client::Grpc<T> }}
        impl<T: wire::Channel> {name}Client<T> {{
            pub fn new(inner: T) -> Self {{ Self {{ inner: tonic::client::Grpc::new(inner) }} }}
            /// Largest response, in bytes [default: 4 MiB].
            #[must_use]
            pub fn max_decoding_message_size(mut self, limit: usize) -> Self {{
                self.inner = self.inner.max_decoding_message_size(limit); self
            }}"
    )?;
    for method in &service.methods {
        comments(&method.comments, buf)?;
        let (input, output) = (path(&method.input_type), path(&method.output_type));
        let (request, how) = match (method.client_streaming, method.server_streaming) {
            (false, false) => (format!("tonic::IntoRequest<{input}>"), "call"),
            (false, true) => (format!("tonic::IntoRequest<{input}>"), "call_streaming"),
            (true, _) => (format!("tonic::IntoStreamingRequest<Message = {input}>"), "call_duplex"),
        };
        let into = if method.client_streaming { "into_streaming_request" } else { "into_request" };
        let response = match method.server_streaming {
            true => format!("tonic::Streaming<{output}>"),
            false => output,
        };
        writeln!(
            buf,
            "pub async fn {}(&mut self, request: impl {request}) -> Result<tonic::Response<{response}>, tonic::Status> {{
                wire::{how}(&mut self.inner, request.{into}(), \"/{full}/{}\").await
            }}",
            method.name, method.proto_name
        )?;
    }
    writeln!(buf, "}} }}")
}
