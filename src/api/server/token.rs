//! Bearer tokens.

use std::time::Duration;

use tonic::{Request, Response, Status};

use super::{Caller, Role, Server};
use crate::api::convert::{millis, secret};
use crate::api::fault::to_status;
use crate::api::proto::token_service_server::TokenService;
use crate::api::proto::{
    self, CreateTokenRequest, CreateTokenResponse, ListTokensRequest, ListTokensResponse,
    RevokeTokenRequest, RevokeTokenResponse,
};
use crate::discover::now;
use crate::hal::{Error, Kind};
use crate::inventory::tokens::Token;

/// Longest life of a token.
pub(super) const YEAR: Duration = Duration::from_hours(366 * 24);

pub(super) fn config(words: String) -> Status {
    to_status(&Error::new(Kind::Config, words), &[])
}

pub(super) fn shown(token: &Token) -> proto::Token {
    proto::Token {
        id: token.id.clone(),
        role: token.role.clone(),
        machine: token.machine.clone(),
        created_at: Some(millis(token.created_at)),
        expires_at: Some(millis(token.expires_at)),
    }
}

#[tonic::async_trait]
impl TokenService for Server {
    async fn create(
        &self,
        request: Request<CreateTokenRequest>,
    ) -> Result<Response<CreateTokenResponse>, Status> {
        let caller = self.need(&request, Role::Admin)?;
        let message = request.into_inner();
        self.own(&caller, message, Self::make_token).await
    }

    async fn list(
        &self,
        request: Request<ListTokensRequest>,
    ) -> Result<Response<ListTokensResponse>, Status> {
        self.need(&request, Role::Admin)?;
        Ok(Response::new(ListTokensResponse {
            tokens: self.tokens.list().iter().map(shown).collect(),
        }))
    }

    async fn revoke(
        &self,
        request: Request<RevokeTokenRequest>,
    ) -> Result<Response<RevokeTokenResponse>, Status> {
        let caller = self.need(&request, Role::Admin)?;
        let message = request.into_inner();
        self.own(&caller, message, Self::revoke_token).await
    }
}

impl Server {
    async fn make_token(
        self,
        caller: Caller,
        m: CreateTokenRequest,
    ) -> Result<CreateTokenResponse, Status> {
        let role: Role = m.role.parse().map_err(config)?;
        if role <= Role::Hammer && m.machine.is_none() {
            return Err(config(format!(
                "a token of the role {role} is for one machine"
            )));
        }
        let ttl = m.ttl.and_then(|t| Duration::try_from(t).ok());
        let ttl = ttl
            .filter(|t| !t.is_zero() && *t <= YEAR)
            .ok_or_else(|| config("a token lives at most a year".to_owned()))?;
        let ttl = u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX);
        let machine = m.machine.map(|id| id.to_ascii_lowercase());
        let made = self.tokens.create(&role.to_string(), machine, ttl, now());
        let (token, text) = made.map_err(|e| to_status(&e, &[]))?;
        let what = format!("token {} ({role}) made", token.id);
        self.ticket(&caller, &what, None).note("ok").await?;
        Ok(CreateTokenResponse {
            token: Some(shown(&token)),
            text: Some(secret(&text)),
        })
    }

    async fn revoke_token(
        self,
        caller: Caller,
        m: RevokeTokenRequest,
    ) -> Result<RevokeTokenResponse, Status> {
        let id = m.id;
        if !self.tokens.revoke(&id).map_err(|e| to_status(&e, &[]))? {
            return Err(config(format!("there is no token '{id}'")));
        }
        let what = format!("token {id} revoked");
        self.ticket(&caller, &what, None).note("ok").await?;
        Ok(RevokeTokenResponse {})
    }
}
