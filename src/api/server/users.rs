//! Accounts of BMCs.

use tonic::{Request, Response, Status};

use super::{Call, Server};
use crate::api::convert::{secret_of, source, values};
use crate::api::fault::to_status;
use crate::api::proto::user_service_server::UserService;
use crate::api::proto::{
    BmcRequest, CreateIpmiUserRequest, CreateUserRequest, DeleteUserRequest, DeleteUserResponse,
    InitRequest, SetEnabledRequest, SetPasswordRequest, UserResponse, UsersResponse,
};
use crate::discover::now;
use crate::hal::model::user::{NewUser, Role, User};
use crate::hal::model::{DriverName, Reading, Secret};
use crate::hal::{Error, Kind};
use crate::inventory::Field;
use crate::inventory::store::Change;

/// The user that metal-stack's programs expect.
pub(super) const METAL: &str = "metal";

fn config(words: &str) -> Status {
    to_status(&Error::new(Kind::Config, words), &[])
}

fn answer(reading: &Reading<User>) -> UserResponse {
    UserResponse {
        user: Some(values::user(&reading.value)),
        source: Some(source(reading)),
    }
}

fn new_user(
    name: String,
    password: Option<crate::api::proto::Secret>,
    role: i32,
    console: bool,
) -> Result<NewUser, Status> {
    let password = password
        .map(secret_of)
        .filter(|p| !p.is_empty())
        .ok_or_else(|| config("no password is given"))?;
    let role = values::role_of(role);
    if !matches!(role, Role::Administrator | Role::Operator | Role::User) {
        return Err(config("the role is administrator, operator or user"));
    }
    Ok(NewUser {
        name,
        password,
        role,
        console,
    })
}

#[tonic::async_trait]
impl UserService for Server {
    type InitStream = super::init::Steps;

    async fn init(
        &self,
        request: Request<InitRequest>,
    ) -> Result<Response<Self::InitStream>, Status> {
        Ok(super::init::begin(self, request))
    }

    async fn list(&self, request: Request<BmcRequest>) -> Result<Response<UsersResponse>, Status> {
        let call = self.read(&request, &request.get_ref().bmc).await?;
        let result = call.bmc.users.call("users", |u| u.users(&call.cx)).await;
        let reading = call.done(result)?;
        Ok(Response::new(UsersResponse {
            users: reading.value.iter().map(values::user).collect(),
            source: Some(source(&reading)),
        }))
    }

    async fn create(
        &self,
        request: Request<CreateUserRequest>,
    ) -> Result<Response<UserResponse>, Status> {
        let m = request.get_ref().clone();
        let user = new_user(m.name, m.password, m.role, m.console)?;
        self.change(request, move |call, _| async move {
            let result = call
                .bmc
                .users
                .call("users.create", |u| u.create(&call.cx, &user))
                .await;
            Ok(answer(&call.done(result)?))
        })
        .await
    }

    async fn set_password(
        &self,
        request: Request<SetPasswordRequest>,
    ) -> Result<Response<UserResponse>, Status> {
        let m = request.get_ref().clone();
        let password = m
            .password
            .map(secret_of)
            .ok_or_else(|| config("no password is given"))?;
        let server = self.clone();
        self.change(request, move |call, _| async move {
            let result = call
                .bmc
                .users
                .call("users.set-password", |u| {
                    u.set_password(&call.cx, &m.name, &password)
                })
                .await;
            let reading = call.done(result)?;
            // It is the row's own account: the row learns the new password.
            if call.row.ipmi.user.as_ref() == Some(&m.name) {
                server.adopt(&call, &m.name, &password).await?;
            }
            Ok(answer(&reading))
        })
        .await
    }

    async fn set_enabled(
        &self,
        request: Request<SetEnabledRequest>,
    ) -> Result<Response<UserResponse>, Status> {
        let m = request.get_ref().clone();
        self.change(request, move |call, _| async move {
            let result = call
                .bmc
                .users
                .call("users.set-enabled", |u| {
                    u.set_enabled(&call.cx, &m.name, m.enabled)
                })
                .await;
            Ok(answer(&call.done(result)?))
        })
        .await
    }

    async fn delete(
        &self,
        request: Request<DeleteUserRequest>,
    ) -> Result<Response<DeleteUserResponse>, Status> {
        let m = request.get_ref().clone();
        self.change(request, move |call, _| async move {
            let result = call
                .bmc
                .users
                .call("users.delete", |u| u.delete(&call.cx, &m.name))
                .await;
            let reading = call.done(result)?;
            Ok(DeleteUserResponse {
                source: Some(source(&reading)),
            })
        })
        .await
    }

    async fn create_ipmi_user(
        &self,
        request: Request<CreateIpmiUserRequest>,
    ) -> Result<Response<UserResponse>, Status> {
        let m = request.get_ref().clone();
        let name = if m.name.is_empty() {
            METAL.to_owned()
        } else {
            m.name
        };
        let user = new_user(name, m.password, m.role, m.console)?;
        let server = self.clone();
        self.change(request, move |call, _| async move {
            // It is an account for IPMI: that driver makes it, whichever is preferred otherwise.
            let slot = call.bmc.users.iter().find(|s| s.driver == DriverName::Ipmi);
            let none = || Error::new(Kind::Unsupported, "users.create-ipmi: no IPMI here");
            let slot = call.done(slot.ok_or_else(none))?;
            let reading = call.done(slot.implementation.create(&call.cx, &user).await)?;
            // Proved by a login before the row relies on it.
            let login = Some((user.name.clone(), user.password.clone()));
            let bmc = server.doors.open_as(&call.row, &call.cx, login, None).await;
            let bmc = call.done(bmc)?;
            let proof = bmc.power.call("power.state", |p| p.state(&call.cx)).await;
            call.done(proof.map_err(|e| {
                e.context(format!(
                    "{} was made on the BMC, but cannot log in",
                    user.name
                ))
            }))?;
            server.adopt(&call, &user.name, &user.password).await?;
            Ok(answer(&reading))
        })
        .await
    }
}

impl Server {
    /// The row logs in with this from now on.
    async fn adopt(&self, call: &Call, name: &str, password: &Secret) -> Result<(), Status> {
        let user = name.to_owned();
        let change = Change::of(now(), move |row| {
            row.ipmi.user = Some(user);
            row.status.refused = None;
            Ok(())
        })
        .with_secret(Field::IpmiPassword, Some(password.clone()));
        call.done(self.store.update(call.row.mac, change).await)?;
        self.discovery.soon(call.row.mac);
        Ok(())
    }
}
