//! Calls as bytes. The generated services and clients decode and encode their messages at the edge, and everything
//! between (framing, flow control, limits, streams) exists once here instead of once per method.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use prost::Message;
use prost::bytes::{Buf, BufMut, Bytes};
use tokio_stream::{Stream, StreamExt};
use tonic::body::Body;
use tonic::client::GrpcService;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::server::{ServerStreamingService, StreamingService, UnaryService};
use tonic::{Code, Request, Response, Status, Streaming};

pub use tonic::codegen::Service;
use tonic::codegen::{Body as HttpBody, http};

/// A call as HTTP/2 brings it.
pub type HttpRequest = http::Request<Body>;
/// Its answer.
pub type HttpResponse = http::Response<Body>;
/// An answer that is on its way.
pub type Answer = BoxFuture<Result<HttpResponse, std::convert::Infallible>>;

type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Answers as bytes, one after the other.
pub struct Answers(Pin<Box<dyn Stream<Item = Result<Bytes, Status>> + Send>>);

impl Stream for Answers {
    type Item = Result<Bytes, Status>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.as_mut().poll_next(cx)
    }
}

impl std::fmt::Debug for Answers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Answers")
    }
}
type Handler<T> = Box<dyn FnOnce(Request<Bytes>) -> BoxFuture<Result<Response<T>, Status>> + Send>;

/// Messages that are bytes already.
#[derive(Debug, Clone, Copy, Default)]
struct Plain;

impl Codec for Plain {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Plain {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, item: Bytes, to: &mut EncodeBuf<'_>) -> Result<(), Status> {
        to.put(item);
        Ok(())
    }
}

impl Decoder for Plain {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(from.copy_to_bytes(from.remaining())))
    }
}

/// Messages of one kind, for calls that stream in both directions.
#[derive(Debug)]
struct Typed<M>(std::marker::PhantomData<fn() -> M>);

impl<M> Default for Typed<M> {
    fn default() -> Self {
        Self(std::marker::PhantomData)
    }
}

impl<M: Message + Default + 'static> Codec for Typed<M> {
    type Encode = Bytes;
    type Decode = M;
    type Encoder = Plain;
    type Decoder = Self;

    fn encoder(&mut self) -> Plain {
        Plain
    }

    fn decoder(&mut self) -> Self {
        Self::default()
    }
}

impl<M: Message + Default> Decoder for Typed<M> {
    type Item = M;
    type Error = Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<M>, Status> {
        M::decode(from).map(Some).map_err(|e| undecodable(&e))
    }
}

fn undecodable(error: &prost::DecodeError) -> Status {
    Status::invalid_argument(format!("a message cannot be decoded: {error}"))
}

/// The message of a call.
pub fn decode<M: Message + Default>(request: Request<Bytes>) -> Result<Request<M>, Status> {
    let (metadata, extensions, bytes) = request.into_parts();
    let message = M::decode(bytes).map_err(|e| undecodable(&e))?;
    Ok(Request::from_parts(metadata, extensions, message))
}

fn bytes(message: &impl Message) -> Bytes {
    message.encode_to_vec().into()
}

/// An answer as bytes.
pub fn encode<M: Message>(response: Response<M>) -> Result<Response<Bytes>, Status> {
    Ok(response.map(|message| bytes(&message)))
}

/// A stream of answers as bytes.
pub fn encode_all<M: Message>(
    response: Response<impl Stream<Item = Result<M, Status>> + Send + 'static>,
) -> Response<Answers> {
    response.map(|stream| Answers(Box::pin(stream.map(|message| message.map(|m| bytes(&m))))))
}

/// A handler of one call.
struct Once<T>(Option<Handler<T>>);

impl<T> Once<T> {
    fn run(&mut self, request: Request<Bytes>) -> BoxFuture<Result<Response<T>, Status>>
    where
        T: Send + 'static,
    {
        match self.0.take() {
            Some(handler) => handler(request),
            None => Box::pin(std::future::ready(Err(Status::internal("asked twice")))),
        }
    }
}

impl UnaryService<Bytes> for Once<Bytes> {
    type Response = Bytes;
    type Future = BoxFuture<Result<Response<Bytes>, Status>>;

    fn call(&mut self, request: Request<Bytes>) -> Self::Future {
        self.run(request)
    }
}

impl ServerStreamingService<Bytes> for Once<Answers> {
    type Response = Bytes;
    type ResponseStream = Answers;
    type Future = BoxFuture<Result<Response<Answers>, Status>>;

    fn call(&mut self, request: Request<Bytes>) -> Self::Future {
        self.run(request)
    }
}

fn grpc<C: Codec>(codec: C, limit: Option<usize>) -> tonic::server::Grpc<C> {
    tonic::server::Grpc::new(codec).apply_max_message_size_config(limit, None)
}

/// Serves a call with one answer.
pub fn unary(request: HttpRequest, limit: Option<usize>, handler: Handler<Bytes>) -> Answer {
    Box::pin(async move { Ok(grpc(Plain, limit).unary(Once(Some(handler)), request).await) })
}

/// Serves a call with a stream of answers.
pub fn streaming(request: HttpRequest, limit: Option<usize>, handler: Handler<Answers>) -> Answer {
    Box::pin(async move {
        Ok(grpc(Plain, limit)
            .server_streaming(Once(Some(handler)), request)
            .await)
    })
}

struct Duplex<F>(Option<F>);

impl<F, Q, R, S> StreamingService<Q> for Duplex<F>
where
    F: FnOnce(Request<Streaming<Q>>) -> BoxFuture<Result<Response<S>, Status>>,
    R: Message,
    S: Stream<Item = Result<R, Status>> + Send + 'static,
{
    type Response = Bytes;
    type ResponseStream = Answers;
    type Future = BoxFuture<Result<Response<Answers>, Status>>;

    fn call(&mut self, request: Request<Streaming<Q>>) -> Self::Future {
        let call = self.0.take().map(|handler| handler(request));
        Box::pin(async move {
            match call {
                Some(call) => Ok(encode_all(call.await?)),
                None => Err(Status::internal("asked twice")),
            }
        })
    }
}

/// Serves a call with streams in both directions.
pub fn duplex<F, Q, R, S>(request: HttpRequest, limit: Option<usize>, handler: F) -> Answer
where
    F: FnOnce(Request<Streaming<Q>>) -> BoxFuture<Result<Response<S>, Status>> + Send + 'static,
    Q: Message + Default + 'static,
    R: Message + 'static,
    S: Stream<Item = Result<R, Status>> + Send + 'static,
{
    Box::pin(async move {
        Ok(grpc(Typed::<Q>::default(), limit)
            .streaming(Duplex(Some(handler)), request)
            .await)
    })
}

/// The answer to a method that there is not.
pub fn unknown() -> Answer {
    Box::pin(async { Ok(Status::unimplemented("").into_http()) })
}

/// What clients send their calls through.
pub trait Channel:
    GrpcService<
        Body,
        ResponseBody: HttpBody<Data = Bytes, Error: Into<Failed> + Send> + Send + 'static,
        Error: Into<Failed>,
        Future: Send,
    > + Send
{
}

impl<T> Channel for T where
    T: GrpcService<
            Body,
            ResponseBody: HttpBody<Data = Bytes, Error: Into<Failed> + Send> + Send + 'static,
            Error: Into<Failed>,
            Future: Send,
        > + Send
{
}

type Failed = Box<dyn std::error::Error + Send + Sync>;
type Grpc<T> = tonic::client::Grpc<T>;

async fn ready<T: Channel>(grpc: &mut Grpc<T>) -> Result<(), Status> {
    grpc.ready().await.map_err(|e| Status::from_error(e.into()))
}

/// Sends one message as bytes.
fn send<'a, T: Channel>(
    grpc: &'a mut Grpc<T>,
    request: Request<Bytes>,
    path: &'static str,
) -> Pin<Box<dyn Future<Output = Result<Response<Bytes>, Status>> + Send + 'a>> {
    Box::pin(async move {
        ready(grpc).await?;
        let path = http::uri::PathAndQuery::from_static(path);
        grpc.unary(request, path, Plain).await
    })
}

/// A call with one answer.
pub async fn call<T: Channel, Q: Message, R: Message + Default>(
    grpc: &mut Grpc<T>,
    request: Request<Q>,
    path: &'static str,
) -> Result<Response<R>, Status> {
    let answer = send(grpc, request.map(|m| bytes(&m)), path).await?;
    let (metadata, bytes, extensions) = answer.into_parts();
    let message = R::decode(bytes)
        .map_err(|e| Status::new(Code::Internal, format!("an answer cannot be decoded: {e}")))?;
    Ok(Response::from_parts(metadata, message, extensions))
}

/// A call with a stream of answers.
pub async fn call_streaming<T: Channel, Q: Message, R: Message + Default + 'static>(
    grpc: &mut Grpc<T>,
    request: Request<Q>,
    path: &'static str,
) -> Result<Response<Streaming<R>>, Status> {
    ready(grpc).await?;
    let path = http::uri::PathAndQuery::from_static(path);
    let request = request.map(|m| bytes(&m));
    grpc.server_streaming(request, path, Typed::<R>::default())
        .await
}

/// A call with streams in both directions.
pub async fn call_duplex<T: Channel, S, R: Message + Default + 'static>(
    grpc: &mut Grpc<T>,
    request: Request<S>,
    path: &'static str,
) -> Result<Response<Streaming<R>>, Status>
where
    S: Stream<Item: Message> + Send + 'static,
{
    ready(grpc).await?;
    let path = http::uri::PathAndQuery::from_static(path);
    let request = request.map(|stream| {
        let encoded: Pin<Box<dyn Stream<Item = Bytes> + Send>> =
            Box::pin(stream.map(|message| bytes(&message)));
        encoded
    });
    grpc.streaming(request, path, Typed::<R>::default()).await
}
